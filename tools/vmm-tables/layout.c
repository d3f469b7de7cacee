// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The fields of tables: name, place, width and form. Each table names where that stands. */
#include "layout.h"

#include <string.h>

#define FIELDS(array) array, sizeof(array) / sizeof((array)[0])

static const struct field rsdp_fields[] = {
	{"OEM", 9, 6, 's'},     {"Revision", 15, 1, 'd'}, {"RSDT", 16, 4, 'x'},
	{"Length", 20, 4, 'd'}, {"XSDT", 24, 8, 'x'},
};

static const struct field xsdt_0[] = {
	{"Address", 0, 8, 'x'},
};

static const struct entry xsdt_entries[] = {
	{0, "Table", FIELDS(xsdt_0), TAIL_BYTES},
};

static const struct field rsdt_0[] = {
	{"Address", 0, 4, 'x'},
};

static const struct entry rsdt_entries[] = {
	{0, "Table", FIELDS(rsdt_0), TAIL_BYTES},
};

static const struct field facs_fields[] = {
	{"Length", 4, 4, 'd'},         {"Hardware Signature", 8, 4, 'x'},
	{"Waking Vector", 12, 4, 'x'}, {"Global Lock", 16, 4, 'x'},
	{"Flags", 20, 4, 'x'},         {"XWaking Vector", 24, 8, 'x'},
	{"Version", 32, 1, 'd'},
};

static const struct field facp_fields[] = {
	{"FACS", 36, 4, 'x'},
	{"DSDT", 40, 4, 'x'},
	{"Profile", 45, 1, 'd'},
	{"Sci Interrupt", 46, 2, 'd'},
	{"Smi Command", 48, 4, 'x'},
	{"Acpi Enable", 52, 1, 'x'},
	{"Acpi Disable", 53, 1, 'x'},
	{"Pm1a Event Block", 56, 4, 'x'},
	{"Pm1b Event Block", 60, 4, 'x'},
	{"Pm1a Control Block", 64, 4, 'x'},
	{"Pm1b Control Block", 68, 4, 'x'},
	{"Pm2 Control Block", 72, 4, 'x'},
	{"Pm Timer Block", 76, 4, 'x'},
	{"Gpe0 Block", 80, 4, 'x'},
	{"Gpe1 Block", 84, 4, 'x'},
	{"Gpe0 Length", 92, 1, 'd'},
	{"Gpe1 Length", 93, 1, 'd'},
	{"C2 Latency", 96, 2, 'd'},
	{"C3 Latency", 98, 2, 'd'},
	{"Century", 108, 1, 'x'},
	{"Boot Flags", 109, 2, 'x'},
	{"Flags", 112, 4, 'x'},
	{"Reset Register", 116, 12, 'g'},
	{"Reset Value", 128, 1, 'x'},
	{"Arm Boot Flags", 129, 2, 'x'},
	{"Minor Revision", 131, 1, 'd'},
	{"XFacs", 132, 8, 'x'},
	{"XDsdt", 140, 8, 'x'},
	{"XPm1a Event Block", 148, 12, 'g'},
	{"XPm1b Event Block", 160, 12, 'g'},
	{"XPm1a Control Block", 172, 12, 'g'},
	{"XPm1b Control Block", 184, 12, 'g'},
	{"XPm2 Control Block", 196, 12, 'g'},
	{"XPm Timer Block", 208, 12, 'g'},
	{"XGpe0 Block", 220, 12, 'g'},
	{"XGpe1 Block", 232, 12, 'g'},
	{"Sleep Control", 244, 12, 'g'},
	{"Sleep Status", 256, 12, 'g'},
	{"Hypervisor", 268, 8, 's'},
};

static const struct field apic_fields[] = {
	{"Local Apic", 36, 4, 'x'},
	{"Flags", 40, 4, 'x'},
};

static const struct field apic_0[] = {
	{"Uid", 2, 1, 'd'},
	{"Apic Id", 3, 1, 'd'},
	{"Flags", 4, 4, 'x'},
};

static const struct field apic_1[] = {
	{"Id", 2, 1, 'd'},
	{"Address", 4, 4, 'x'},
	{"Gsi Base", 8, 4, 'd'},
};

static const struct field apic_2[] = {
	{"Bus", 2, 1, 'd'},
	{"Irq", 3, 1, 'd'},
	{"Gsi", 4, 4, 'd'},
	{"Flags", 8, 2, 'x'},
};

static const struct field apic_3[] = {
	{"Flags", 2, 2, 'x'},
	{"Gsi", 4, 4, 'd'},
};

static const struct field apic_4[] = {
	{"Uid", 2, 1, 'd'},
	{"Flags", 3, 2, 'x'},
	{"Lint", 5, 1, 'd'},
};

static const struct field apic_5[] = {
	{"Address", 4, 8, 'x'},
};

static const struct field apic_9[] = {
	{"Apic Id", 4, 4, 'd'},
	{"Flags", 8, 4, 'x'},
	{"Uid", 12, 4, 'd'},
};

static const struct field apic_10[] = {
	{"Flags", 2, 2, 'x'},
	{"Uid", 4, 4, 'x'},
	{"Lint", 8, 1, 'd'},
};

static const struct field apic_11[] = {
	{"Interface", 4, 4, 'd'},
	{"Uid", 8, 4, 'd'},
	{"Flags", 12, 4, 'x'},
	{"Parking Version", 16, 4, 'd'},
	{"Performance Gsi", 20, 4, 'd'},
	{"Parked", 24, 8, 'x'},
	{"Base", 32, 8, 'x'},
	{"Gic V", 40, 8, 'x'},
	{"Gic H", 48, 8, 'x'},
	{"Maintenance Gsi", 56, 4, 'd'},
	{"Gic R", 60, 8, 'x'},
	{"Mpidr", 68, 8, 'x'},
	{"Efficiency", 76, 1, 'd'},
	{"Spe Gsi", 78, 2, 'd'},
	{"Trbe Gsi", 80, 2, 'd'},
};

static const struct field apic_12[] = {
	{"Id", 4, 4, 'd'},
	{"Base", 8, 8, 'x'},
	{"Version", 20, 1, 'd'},
};

static const struct field apic_13[] = {
	{"Id", 4, 4, 'd'},         {"Base", 8, 8, 'x'},      {"Flags", 16, 4, 'x'},
	{"Spi Count", 20, 2, 'd'}, {"Spi Base", 22, 2, 'd'},
};

static const struct field apic_14[] = {
	{"Base", 4, 8, 'x'},
	{"Length", 12, 4, 'x'},
};

static const struct field apic_15[] = {
	{"Id", 4, 4, 'd'},
	{"Base", 8, 8, 'x'},
};

static const struct field apic_16[] = {
	{"Version", 2, 2, 'd'},
	{"Mailbox", 8, 8, 'x'},
};

static const struct entry apic_entries[] = {
	{0, "Local APIC", FIELDS(apic_0), TAIL_BYTES},
	{1, "I/O APIC", FIELDS(apic_1), TAIL_BYTES},
	{2, "Interrupt override", FIELDS(apic_2), TAIL_BYTES},
	{3, "NMI source", FIELDS(apic_3), TAIL_BYTES},
	{4, "Local APIC NMI", FIELDS(apic_4), TAIL_BYTES},
	{5, "Local APIC address", FIELDS(apic_5), TAIL_BYTES},
	{9, "Local x2APIC", FIELDS(apic_9), TAIL_BYTES},
	{10, "Local x2APIC NMI", FIELDS(apic_10), TAIL_BYTES},
	{11, "GIC CPU interface", FIELDS(apic_11), TAIL_BYTES},
	{12, "GIC distributor", FIELDS(apic_12), TAIL_BYTES},
	{13, "GIC MSI frame", FIELDS(apic_13), TAIL_BYTES},
	{14, "GIC redistributors", FIELDS(apic_14), TAIL_BYTES},
	{15, "GIC ITS", FIELDS(apic_15), TAIL_BYTES},
	{16, "Multiprocessor wakeup", FIELDS(apic_16), TAIL_BYTES},
};

static const struct field mcfg_0[] = {
	{"Base", 0, 8, 'x'},
	{"Segment", 8, 2, 'd'},
	{"First Bus", 10, 1, 'd'},
	{"Last Bus", 11, 1, 'd'},
};

static const struct entry mcfg_entries[] = {
	{0, "Range", FIELDS(mcfg_0), TAIL_BYTES},
};

static const struct field srat_0[] = {
	{"Domain Low", 2, 1, 'd'},
	{"Apic Id", 3, 1, 'd'},
	{"Flags", 4, 4, 'x'},
	{"Clock Domain", 12, 4, 'd'},
};

static const struct field srat_1[] = {
	{"Domain", 2, 4, 'd'},
	{"Base", 8, 8, 'x'},
	{"Length", 16, 8, 'x'},
	{"Flags", 28, 4, 'x'},
};

static const struct field srat_2[] = {
	{"Domain", 4, 4, 'd'},
	{"Apic Id", 8, 4, 'd'},
	{"Flags", 12, 4, 'x'},
	{"Clock Domain", 16, 4, 'd'},
};

static const struct field srat_3[] = {
	{"Domain", 2, 4, 'd'},
	{"Uid", 6, 4, 'd'},
	{"Flags", 10, 4, 'x'},
	{"Clock Domain", 14, 4, 'd'},
};

static const struct field srat_4[] = {
	{"Domain", 2, 4, 'd'},
	{"Id", 8, 4, 'd'},
};

static const struct field srat_5[] = {
	{"Handle Type", 3, 1, 'd'}, {"Domain", 4, 4, 'd'}, {"Segment", 8, 2, 'd'},
	{"Function", 10, 2, 'x'},   {"Flags", 24, 4, 'x'},
};

static const struct field srat_6[] = {
	{"Handle Type", 3, 1, 'd'},
	{"Domain", 4, 4, 'd'},
	{"Flags", 24, 4, 'x'},
};

static const struct entry srat_entries[] = {
	{0, "Local APIC", FIELDS(srat_0), TAIL_BYTES},
	{1, "Memory", FIELDS(srat_1), TAIL_BYTES},
	{2, "Local x2APIC", FIELDS(srat_2), TAIL_BYTES},
	{3, "GIC CPU interface", FIELDS(srat_3), TAIL_BYTES},
	{4, "GIC ITS", FIELDS(srat_4), TAIL_BYTES},
	{5, "Generic initiator", FIELDS(srat_5), TAIL_BYTES},
	{6, "Generic port", FIELDS(srat_6), TAIL_BYTES},
};

static const struct field slit_fields[] = {
	{"Nodes", 36, 8, 'd'},
};

static const struct field hmat_0[] = {
	{"Flags", 8, 2, 'x'},
	{"Initiator", 12, 4, 'd'},
	{"Memory", 16, 4, 'd'},
};

static const struct field hmat_1[] = {
	{"Flags", 8, 1, 'x'},       {"Data Type", 9, 1, 'd'}, {"Min Transfer", 10, 1, 'd'},
	{"Initiators", 12, 4, 'd'}, {"Targets", 16, 4, 'd'},  {"Unit", 24, 8, 'd'},
};

static const struct field hmat_2[] = {
	{"Memory", 8, 4, 'd'},
	{"Size", 16, 8, 'x'},
	{"Attributes", 24, 4, 'x'},
	{"Smbios Handles", 30, 2, 'd'},
};

static const struct entry hmat_entries[] = {
	{0, "Proximity", FIELDS(hmat_0), TAIL_BYTES},
	{1, "Latency or bandwidth", FIELDS(hmat_1), TAIL_BYTES},
	{2, "Memory side cache", FIELDS(hmat_2), TAIL_BYTES},
};

static const struct field pptt_0[] = {
	{"Flags", 4, 4, 'x'},
	{"Parent", 8, 4, 'x'},
	{"Uid", 12, 4, 'd'},
	{"Resources", 16, 4, 'd'},
};

static const struct field pptt_1[] = {
	{"Flags", 4, 4, 'x'}, {"Next", 8, 4, 'x'},  {"Size", 12, 4, 'x'},
	{"Sets", 16, 4, 'd'}, {"Ways", 20, 1, 'd'}, {"Attributes", 21, 1, 'x'},
	{"Line", 22, 2, 'd'}, {"Id", 24, 4, 'd'},
};

static const struct entry pptt_entries[] = {
	{0, "Processor", FIELDS(pptt_0), TAIL_U32},
	{1, "Cache", FIELDS(pptt_1), TAIL_BYTES},
};

static const struct field gtdt_fields[] = {
	{"Control Base", 36, 8, 'x'},     {"Secure El1 Gsi", 48, 4, 'd'},
	{"Secure El1 Flags", 52, 4, 'x'}, {"El1 Gsi", 56, 4, 'd'},
	{"El1 Flags", 60, 4, 'x'},        {"Virtual Gsi", 64, 4, 'd'},
	{"Virtual Flags", 68, 4, 'x'},    {"El2 Gsi", 72, 4, 'd'},
	{"El2 Flags", 76, 4, 'x'},        {"Read Base", 80, 8, 'x'},
	{"Platform Timers", 88, 4, 'd'},  {"Platform Timer Offset", 92, 4, 'd'},
	{"Virtual El2 Gsi", 96, 4, 'd'},  {"Virtual El2 Flags", 100, 4, 'x'},
};

static const struct field gtdt_0[] = {
	{"Base", 4, 8, 'x'},
	{"Timers", 12, 4, 'd'},
};

static const struct field gtdt_1[] = {
	{"Refresh", 4, 8, 'x'},
	{"Control", 12, 8, 'x'},
	{"Gsi", 20, 4, 'd'},
	{"Flags", 24, 4, 'x'},
};

static const struct entry gtdt_entries[] = {
	{0, "Timer block", FIELDS(gtdt_0), TAIL_BYTES},
	{1, "Watchdog", FIELDS(gtdt_1), TAIL_BYTES},
};

static const struct field iort_fields[] = {
	{"Nodes", 36, 4, 'd'},
	{"Offset", 40, 4, 'd'},
};

static const struct field iort_0[] = {
	{"Id", 4, 4, 'd'},
	{"Services", 16, 4, 'd'},
};

static const struct field iort_1[] = {
	{"Id", 4, 4, 'd'},     {"Maps", 8, 4, 'd'},        {"Map Offset", 12, 4, 'd'},
	{"Flags", 16, 4, 'x'}, {"Attributes", 20, 8, 'x'}, {"Address Bits", 28, 1, 'd'},
	{"Name", 29, 0, 'z'},
};

static const struct field iort_2[] = {
	{"Id", 4, 4, 'd'},
	{"Maps", 8, 4, 'd'},
	{"Map Offset", 12, 4, 'd'},
	{"Attributes", 16, 8, 'x'},
	{"Ats", 24, 4, 'x'},
	{"Segment", 28, 4, 'd'},
	{"Address Bits", 32, 1, 'd'},
};

static const struct field iort_3[] = {
	{"Id", 4, 4, 'd'},    {"Maps", 8, 4, 'd'},   {"Base", 16, 8, 'x'},
	{"Span", 24, 8, 'x'}, {"Model", 32, 4, 'd'}, {"Flags", 36, 4, 'x'},
};

static const struct field iort_4[] = {
	{"Id", 4, 4, 'd'},          {"Maps", 8, 4, 'd'},       {"Map Offset", 12, 4, 'd'},
	{"Base", 16, 8, 'x'},       {"Flags", 24, 4, 'x'},     {"Vatos", 32, 8, 'x'},
	{"Model", 40, 4, 'd'},      {"Event Gsi", 44, 4, 'd'}, {"Pri Gsi", 48, 4, 'd'},
	{"Gerror Gsi", 52, 4, 'd'}, {"Sync Gsi", 56, 4, 'd'},  {"Domain", 60, 4, 'd'},
	{"Msi Map", 64, 4, 'd'},
};

static const struct field iort_5[] = {
	{"Id", 4, 4, 'd'},
	{"Base", 16, 8, 'x'},
	{"Gsi", 24, 4, 'd'},
	{"Node", 28, 4, 'd'},
};

static const struct field iort_6[] = {
	{"Id", 4, 4, 'd'},
	{"Maps", 8, 4, 'd'},
	{"Flags", 16, 4, 'x'},
	{"Descriptors", 20, 4, 'd'},
};

static const struct entry iort_entries[] = {
	{0, "ITS group", FIELDS(iort_0), TAIL_U32},
	{1, "Named component", FIELDS(iort_1), TAIL_BYTES},
	{2, "Root complex", FIELDS(iort_2), TAIL_U32},
	{3, "SMMUv1 or v2", FIELDS(iort_3), TAIL_BYTES},
	{4, "SMMUv3", FIELDS(iort_4), TAIL_U32},
	{5, "Performance monitors", FIELDS(iort_5), TAIL_BYTES},
	{6, "Reserved memory", FIELDS(iort_6), TAIL_BYTES},
};

static const struct field spcr_fields[] = {
	{"Type", 36, 1, 'x'},         {"Base", 40, 12, 'g'},       {"Interrupt Types", 52, 1, 'x'},
	{"Irq", 53, 1, 'd'},          {"Gsi", 54, 4, 'd'},         {"Baud", 58, 1, 'd'},
	{"Parity", 59, 1, 'd'},       {"Stop Bits", 60, 1, 'd'},   {"Flow", 61, 1, 'x'},
	{"Terminal", 62, 1, 'd'},     {"Pci Device", 64, 2, 'x'},  {"Pci Vendor", 66, 2, 'x'},
	{"Pci Bus", 68, 1, 'd'},      {"Pci Slot", 69, 1, 'd'},    {"Pci Function", 70, 1, 'd'},
	{"Pci Flags", 71, 4, 'x'},    {"Pci Segment", 75, 1, 'd'}, {"Clock", 76, 4, 'd'},
	{"Precise Baud", 80, 4, 'd'}, {"Path", 88, 0, 'z'},
};

static const struct field dbg2_fields[] = {
	{"Offset", 36, 4, 'd'},
	{"Count", 40, 4, 'd'},
};

static const struct field dbg2_0[] = {
	{"Registers", 3, 1, 'd'},    {"Path Length", 4, 2, 'd'}, {"Path Offset", 6, 2, 'd'},
	{"Type", 12, 2, 'x'},        {"Subtype", 14, 2, 'x'},    {"Address Offset", 18, 2, 'd'},
	{"Size Offset", 20, 2, 'd'},
};

static const struct entry dbg2_entries[] = {
	{0, "Port", FIELDS(dbg2_0), TAIL_BYTES},
};

static const struct field hpet_fields[] = {
	{"Id", 36, 4, 'x'},       {"Base", 40, 12, 'g'},      {"Number", 52, 1, 'd'},
	{"Min Tick", 53, 2, 'd'}, {"Protection", 55, 1, 'x'},
};

static const struct field waet_fields[] = {
	{"Flags", 36, 4, 'x'},
};

static const struct field bgrt_fields[] = {
	{"Version", 36, 2, 'd'}, {"Status", 38, 1, 'x'}, {"Type", 39, 1, 'd'},
	{"Image", 40, 8, 'x'},   {"X", 48, 4, 'd'},      {"Y", 52, 4, 'd'},
};

static const struct field tpm2_fields[] = {
	{"Class", 36, 2, 'd'},      {"Control Area", 40, 8, 'x'}, {"Start Method", 48, 4, 'd'},
	{"Log Length", 64, 4, 'x'}, {"Log", 68, 8, 'x'},
};

static const struct field dmar_fields[] = {
	{"Address Bits", 36, 1, 'd'},
	{"Flags", 37, 1, 'x'},
};

static const struct field dmar_0[] = {
	{"Flags", 4, 1, 'x'},
	{"Size", 5, 1, 'd'},
	{"Segment", 6, 2, 'd'},
	{"Base", 8, 8, 'x'},
};

static const struct field dmar_1[] = {
	{"Segment", 6, 2, 'd'},
	{"Base", 8, 8, 'x'},
	{"Last", 16, 8, 'x'},
};

static const struct field dmar_2[] = {
	{"Flags", 4, 1, 'x'},
	{"Segment", 6, 2, 'd'},
};

static const struct field dmar_3[] = {
	{"Base", 8, 8, 'x'},
	{"Domain", 16, 4, 'd'},
};

static const struct field dmar_4[] = {
	{"Device", 7, 1, 'd'},
	{"Name", 8, 0, 'z'},
};

static const struct entry dmar_entries[] = {
	{0, "Remapping unit", FIELDS(dmar_0), TAIL_SCOPES},
	{1, "Reserved memory", FIELDS(dmar_1), TAIL_SCOPES},
	{2, "Root ports with ATS", FIELDS(dmar_2), TAIL_SCOPES},
	{3, "Unit affinity", FIELDS(dmar_3), TAIL_BYTES},
	{4, "Namespace device", FIELDS(dmar_4), TAIL_BYTES},
	{5, "SoC integrated", FIELDS(dmar_2), TAIL_SCOPES},
};

static const struct field ivrs_fields[] = {
	{"Info", 36, 4, 'x'},
};

static const struct field ivrs_16[] = {
	{"Flags", 1, 1, 'x'},     {"Device", 4, 2, 'x'},   {"Capability", 6, 2, 'x'},
	{"Base", 8, 8, 'x'},      {"Segment", 16, 2, 'd'}, {"Info", 18, 2, 'x'},
	{"Features", 20, 4, 'x'},
};

static const struct field ivrs_17[] = {
	{"Flags", 1, 1, 'x'},       {"Device", 4, 2, 'x'},   {"Capability", 6, 2, 'x'},
	{"Base", 8, 8, 'x'},        {"Segment", 16, 2, 'd'}, {"Info", 18, 2, 'x'},
	{"Attributes", 20, 4, 'x'}, {"Efr", 24, 8, 'x'},     {"Efr2", 32, 8, 'x'},
};

static const struct field ivrs_32[] = {
	{"Flags", 1, 1, 'x'},
	{"Base", 16, 8, 'x'},
	{"Length", 24, 8, 'x'},
};

static const struct field ivrs_33[] = {
	{"Flags", 1, 1, 'x'},
	{"Device", 4, 2, 'x'},
	{"Base", 16, 8, 'x'},
	{"Length", 24, 8, 'x'},
};

static const struct field ivrs_34[] = {
	{"Flags", 1, 1, 'x'}, {"First", 4, 2, 'x'},   {"Last", 6, 2, 'x'},
	{"Base", 16, 8, 'x'}, {"Length", 24, 8, 'x'},
};

static const struct entry ivrs_entries[] = {
	{16, "IOMMU, type 10h", FIELDS(ivrs_16), TAIL_DEVICES},
	{17, "IOMMU, type 11h", FIELDS(ivrs_17), TAIL_DEVICES},
	{64, "IOMMU, type 40h", FIELDS(ivrs_17), TAIL_DEVICES},
	{32, "Memory of all", FIELDS(ivrs_32), TAIL_BYTES},
	{33, "Memory of one", FIELDS(ivrs_33), TAIL_BYTES},
	{34, "Memory of a range", FIELDS(ivrs_34), TAIL_BYTES},
};

static const struct field viot_fields[] = {
	{"Nodes", 36, 2, 'd'},
	{"Offset", 38, 2, 'd'},
};

static const struct field viot_1[] = {
	{"Endpoint", 4, 4, 'x'},        {"First Segment", 8, 2, 'd'},  {"Last Segment", 10, 2, 'd'},
	{"First Function", 12, 2, 'x'}, {"Last Function", 14, 2, 'x'}, {"Output", 16, 2, 'x'},
};

static const struct field viot_2[] = {
	{"Endpoint", 4, 4, 'x'},
	{"Base", 8, 8, 'x'},
	{"Output", 16, 2, 'x'},
};

static const struct field viot_3[] = {
	{"Segment", 4, 2, 'd'},
	{"Function", 6, 2, 'x'},
};

static const struct field viot_4[] = {
	{"Base", 8, 8, 'x'},
};

static const struct entry viot_entries[] = {
	{1, "PCI range", FIELDS(viot_1), TAIL_BYTES},
	{2, "MMIO endpoint", FIELDS(viot_2), TAIL_BYTES},
	{3, "virtio-iommu on PCI", FIELDS(viot_3), TAIL_BYTES},
	{4, "virtio-iommu on MMIO", FIELDS(viot_4), TAIL_BYTES},
};

static const struct field hest_fields[] = {
	{"Sources", 36, 4, 'd'},
};

static const struct field hest_6[] = {
	{"Id", 2, 2, 'd'},      {"Flags", 6, 1, 'x'},     {"Enabled", 7, 1, 'd'},
	{"Records", 8, 4, 'd'}, {"Sections", 12, 4, 'd'}, {"Bus", 16, 4, 'd'},
	{"Device", 20, 2, 'd'}, {"Function", 22, 2, 'd'}, {"Control", 24, 2, 'x'},
};

static const struct field hest_9[] = {
	{"Id", 2, 2, 'd'},
	{"Related", 4, 2, 'x'},
	{"Flags", 6, 1, 'x'},
	{"Enabled", 7, 1, 'd'},
	{"Records", 8, 4, 'd'},
	{"Sections", 12, 4, 'd'},
	{"Raw Length", 16, 4, 'd'},
	{"Status", 20, 12, 'g'},
	{"Notify", 32, 1, 'd'},
	{"Notify Length", 33, 1, 'd'},
	{"Poll", 36, 4, 'd'},
	{"Vector", 40, 4, 'd'},
	{"Status Length", 60, 4, 'd'},
};

static const struct field hest_10[] = {
	{"Id", 2, 2, 'd'},
	{"Related", 4, 2, 'x'},
	{"Flags", 6, 1, 'x'},
	{"Enabled", 7, 1, 'd'},
	{"Records", 8, 4, 'd'},
	{"Sections", 12, 4, 'd'},
	{"Raw Length", 16, 4, 'd'},
	{"Status", 20, 12, 'g'},
	{"Notify", 32, 1, 'd'},
	{"Notify Length", 33, 1, 'd'},
	{"Poll", 36, 4, 'd'},
	{"Vector", 40, 4, 'd'},
	{"Status Length", 60, 4, 'd'},
	{"Ack", 64, 12, 'g'},
	{"Ack Preserve", 76, 8, 'x'},
	{"Ack Write", 84, 8, 'x'},
};

static const struct entry hest_entries[] = {
	{6, "PCIe root port AER", FIELDS(hest_6), TAIL_BYTES},
	{7, "PCIe device AER", FIELDS(hest_6), TAIL_BYTES},
	{8, "PCIe bridge AER", FIELDS(hest_6), TAIL_BYTES},
	{9, "Generic", FIELDS(hest_9), TAIL_BYTES},
	{10, "Generic, version 2", FIELDS(hest_10), TAIL_BYTES},
};

static const struct field bert_fields[] = {
	{"Length", 36, 4, 'd'},
	{"Region", 40, 8, 'x'},
};

static const struct field einj_fields[] = {
	{"Header Length", 36, 4, 'd'},
	{"Flags", 40, 1, 'x'},
	{"Instructions", 44, 4, 'd'},
};

static const struct field einj_0[] = {
	{"Action", 0, 1, 'd'},    {"Instruction", 1, 1, 'd'}, {"Flags", 2, 1, 'x'},
	{"Register", 4, 12, 'g'}, {"Value", 16, 8, 'x'},      {"Mask", 24, 8, 'x'},
};

static const struct entry einj_entries[] = {
	{0, "Instruction", FIELDS(einj_0), TAIL_BYTES},
};

static const struct field erst_fields[] = {
	{"Header Length", 36, 4, 'd'},
	{"Instructions", 44, 4, 'd'},
};

static const struct entry erst_entries[] = {
	{0, "Instruction", FIELDS(einj_0), TAIL_BYTES},
};

static const struct field nfit_0[] = {
	{"Index", 4, 2, 'd'},       {"Flags", 6, 2, 'x'},   {"Domain", 12, 4, 'd'},
	{"Type", 16, 16, 'u'},      {"Base", 32, 8, 'x'},   {"Length", 40, 8, 'x'},
	{"Attributes", 48, 8, 'x'}, {"Cookie", 56, 8, 'x'},
};

static const struct field nfit_1[] = {
	{"Handle", 4, 4, 'x'},        {"Smbios", 8, 2, 'x'},     {"Region", 10, 2, 'd'},
	{"Range", 12, 2, 'd'},        {"Control", 14, 2, 'd'},   {"Size", 16, 8, 'x'},
	{"Range Offset", 24, 8, 'x'}, {"Dimm Base", 32, 8, 'x'}, {"Interleave", 40, 2, 'd'},
	{"Ways", 42, 2, 'd'},         {"Flags", 44, 2, 'x'},
};

static const struct field nfit_2[] = {
	{"Index", 4, 2, 'd'},
	{"Lines", 8, 4, 'd'},
	{"Line Size", 12, 4, 'd'},
};

static const struct field nfit_4[] = {
	{"Index", 4, 2, 'd'},
	{"Vendor", 6, 2, 'x'},
	{"Device", 8, 2, 'x'},
	{"Revision", 10, 2, 'x'},
	{"Subsystem Vendor", 12, 2, 'x'},
	{"Subsystem Device", 14, 2, 'x'},
	{"Subsystem Revision", 16, 2, 'x'},
	{"Serial", 24, 4, 'x'},
	{"Format", 28, 2, 'x'},
	{"Windows", 30, 2, 'd'},
};

static const struct field nfit_5[] = {
	{"Control", 4, 2, 'd'}, {"Windows", 6, 2, 'd'},   {"Offset", 8, 8, 'x'},
	{"Size", 16, 8, 'x'},   {"Capacity", 24, 8, 'x'}, {"Start", 32, 8, 'x'},
};

static const struct field nfit_6[] = {
	{"Handle", 4, 4, 'x'},
	{"Hints", 8, 2, 'd'},
};

static const struct field nfit_7[] = {
	{"Highest", 4, 1, 'd'},
	{"Capabilities", 8, 4, 'x'},
};

static const struct entry nfit_entries[] = {
	{0, "Range", FIELDS(nfit_0), TAIL_BYTES},
	{1, "Map", FIELDS(nfit_1), TAIL_BYTES},
	{2, "Interleave", FIELDS(nfit_2), TAIL_U32},
	{3, "SMBIOS", NULL, 0, TAIL_BYTES},
	{4, "Control region", FIELDS(nfit_4), TAIL_BYTES},
	{5, "Block data window", FIELDS(nfit_5), TAIL_BYTES},
	{6, "Flush hints", FIELDS(nfit_6), TAIL_BYTES},
	{7, "Capabilities", FIELDS(nfit_7), TAIL_BYTES},
};

static const struct field smbios_0[] = {
	{"Vendor", 4, 1, 't'},     {"Version", 5, 1, 't'},  {"Segment", 6, 2, 'x'},
	{"Date", 8, 1, 't'},       {"Rom Size", 9, 1, 'd'}, {"Characteristics", 10, 8, 'x'},
	{"Extension", 18, 2, 'x'}, {"Major", 20, 1, 'd'},   {"Minor", 21, 1, 'd'},
};

static const struct field smbios_1[] = {
	{"Manufacturer", 4, 1, 't'}, {"Product", 5, 1, 't'}, {"Version", 6, 1, 't'},
	{"Serial", 7, 1, 't'},       {"Uuid", 8, 16, 'u'},   {"Wake Up", 24, 1, 'd'},
	{"Sku", 25, 1, 't'},         {"Family", 26, 1, 't'},
};

static const struct field smbios_2[] = {
	{"Manufacturer", 4, 1, 't'}, {"Product", 5, 1, 't'},  {"Version", 6, 1, 't'},
	{"Serial", 7, 1, 't'},       {"Asset", 8, 1, 't'},    {"Features", 9, 1, 'x'},
	{"Location", 10, 1, 't'},    {"Chassis", 11, 2, 'x'}, {"Board Type", 13, 1, 'd'},
};

static const struct field smbios_3[] = {
	{"Manufacturer", 4, 1, 't'}, {"Chassis Type", 5, 1, 'x'},   {"Version", 6, 1, 't'},
	{"Serial", 7, 1, 't'},       {"Asset", 8, 1, 't'},          {"Boot State", 9, 1, 'd'},
	{"Power State", 10, 1, 'd'}, {"Thermal State", 11, 1, 'd'}, {"Security", 12, 1, 'd'},
};

static const struct field smbios_4[] = {
	{"Socket", 4, 1, 't'},
	{"Type", 5, 1, 'd'},
	{"Family", 6, 1, 'x'},
	{"Manufacturer", 7, 1, 't'},
	{"Id", 8, 8, 'x'},
	{"Version", 16, 1, 't'},
	{"External Clock", 18, 2, 'd'},
	{"Max Speed", 20, 2, 'd'},
	{"Speed", 22, 2, 'd'},
	{"Status", 24, 1, 'x'},
	{"L1 Cache", 26, 2, 'x'},
	{"L2 Cache", 28, 2, 'x'},
	{"L3 Cache", 30, 2, 'x'},
	{"Serial", 32, 1, 't'},
	{"Asset", 33, 1, 't'},
	{"Part", 34, 1, 't'},
	{"Cores", 35, 1, 'd'},
	{"Cores Enabled", 36, 1, 'd'},
	{"Threads", 37, 1, 'd'},
	{"Characteristics", 38, 2, 'x'},
	{"Family2", 40, 2, 'x'},
	{"Cores2", 42, 2, 'd'},
	{"Cores Enabled2", 44, 2, 'd'},
	{"Threads2", 46, 2, 'd'},
};

static const struct field smbios_7[] = {
	{"Socket", 4, 1, 't'}, {"Configuration", 5, 2, 'x'},  {"Max Size", 7, 2, 'x'},
	{"Size", 9, 2, 'x'},   {"Associativity", 18, 1, 'd'}, {"Max Size2", 19, 4, 'x'},
	{"Size2", 23, 4, 'x'},
};

static const struct field smbios_9[] = {
	{"Designation", 4, 1, 't'},
	{"Type", 5, 1, 'x'},
	{"Width", 6, 1, 'x'},
	{"Usage", 7, 1, 'x'},
	{"Length", 8, 1, 'x'},
	{"Id", 9, 2, 'd'},
	{"Characteristics1", 11, 1, 'x'},
	{"Characteristics2", 12, 1, 'x'},
	{"Segment", 13, 2, 'd'},
	{"Bus", 15, 1, 'd'},
	{"Function", 16, 1, 'x'},
};

static const struct field smbios_11[] = {
	{"Count", 4, 1, 'd'},
};

static const struct field smbios_16[] = {
	{"Location", 4, 1, 'x'},   {"Use", 5, 1, 'x'},           {"Correction", 6, 1, 'x'},
	{"Capacity", 7, 4, 'x'},   {"Error Handle", 11, 2, 'x'}, {"Devices", 13, 2, 'd'},
	{"Capacity2", 15, 8, 'x'},
};

static const struct field smbios_17[] = {
	{"Array", 4, 2, 'x'},         {"Error Handle", 6, 2, 'x'}, {"Total Width", 8, 2, 'd'},
	{"Data Width", 10, 2, 'd'},   {"Size", 12, 2, 'x'},        {"Form Factor", 14, 1, 'x'},
	{"Set", 15, 1, 'd'},          {"Locator", 16, 1, 't'},     {"Bank", 17, 1, 't'},
	{"Type", 18, 1, 'x'},         {"Detail", 19, 2, 'x'},      {"Speed", 21, 2, 'd'},
	{"Manufacturer", 23, 1, 't'}, {"Serial", 24, 1, 't'},      {"Asset", 25, 1, 't'},
	{"Part", 26, 1, 't'},         {"Rank", 27, 1, 'd'},        {"Size2", 28, 4, 'x'},
};

static const struct field smbios_19[] = {
	{"Start", 4, 4, 'x'},  {"End", 8, 4, 'x'},     {"Array", 12, 2, 'x'},
	{"Width", 14, 1, 'd'}, {"Start2", 15, 8, 'x'}, {"End2", 23, 8, 'x'},
};

static const struct field smbios_32[] = {
	{"Status", 10, 1, 'd'},
};

static const struct entry smbios_entries[] = {
	{0, "BIOS", FIELDS(smbios_0), TAIL_STRINGS},
	{1, "System", FIELDS(smbios_1), TAIL_STRINGS},
	{2, "Baseboard", FIELDS(smbios_2), TAIL_STRINGS},
	{3, "Chassis", FIELDS(smbios_3), TAIL_STRINGS},
	{4, "Processor", FIELDS(smbios_4), TAIL_STRINGS},
	{7, "Cache", FIELDS(smbios_7), TAIL_STRINGS},
	{9, "Slot", FIELDS(smbios_9), TAIL_STRINGS},
	{11, "OEM strings", FIELDS(smbios_11), TAIL_STRINGS},
	{16, "Memory array", FIELDS(smbios_16), TAIL_STRINGS},
	{17, "Memory device", FIELDS(smbios_17), TAIL_STRINGS},
	{19, "Memory array address", FIELDS(smbios_19), TAIL_STRINGS},
	{32, "Boot", FIELDS(smbios_32), TAIL_STRINGS},
	{127, "End", NULL, 0, TAIL_STRINGS},
};

static const struct layout layouts[] = {
	{"RSDP", "root pointer, ACPI 6.5, 5.2.5.3", FIELDS(rsdp_fields), 0, 0, 0, 0, 0, NULL, 0},
	{"XSDT", "list of tables, ACPI 6.5, 5.2.8", NULL, 0, 36, 0, 0, 0, 8, FIELDS(xsdt_entries)},
	{"RSDT", "list of tables, ACPI 6.5, 5.2.7", NULL, 0, 36, 0, 0, 0, 4, FIELDS(rsdt_entries)},
	{"FACS", "firmware control, ACPI 6.5, 5.2.10", FIELDS(facs_fields), 0, 0, 0, 0, 0, NULL, 0},
	{"FACP", "fixed description (FADT), ACPI 6.5, 5.2.9", FIELDS(facp_fields), 0, 0, 0, 0, 0,
	 NULL, 0},
	{"APIC", "interrupt controllers (MADT), ACPI 6.5, 5.2.12", FIELDS(apic_fields), 44, 1, 1, 1,
	 0, FIELDS(apic_entries)},
	{"MCFG", "PCI configuration space, PCI Firmware 3.3, 4.1.2", NULL, 0, 44, 0, 0, 0, 16,
	 FIELDS(mcfg_entries)},
	{"SRAT", "nodes (affinity), ACPI 6.5, 5.2.16", NULL, 0, 48, 1, 1, 1, 0,
	 FIELDS(srat_entries)},
	{"SLIT", "distances, ACPI 6.5, 5.2.17", FIELDS(slit_fields), 0, 0, 0, 0, 0, NULL, 0},
	{"HMAT", "memory attributes, ACPI 6.5, 5.2.28", NULL, 0, 40, 2, 4, 4, 0,
	 FIELDS(hmat_entries)},
	{"PPTT", "processors and caches, ACPI 6.5, 5.2.30", NULL, 0, 36, 1, 1, 1, 0,
	 FIELDS(pptt_entries)},
	{"GTDT", "generic timers, ACPI 6.5, 5.2.25", FIELDS(gtdt_fields), 104, 1, 1, 2, 0,
	 FIELDS(gtdt_entries)},
	{"IORT", "I/O remapping, Arm DEN 0049E.e", FIELDS(iort_fields), 48, 1, 1, 2, 0,
	 FIELDS(iort_entries)},
	{"SPCR", "console, Microsoft", FIELDS(spcr_fields), 0, 0, 0, 0, 0, NULL, 0},
	{"DBG2", "debug ports, Microsoft", FIELDS(dbg2_fields), 44, 0, 1, 2, 0,
	 FIELDS(dbg2_entries)},
	{"HPET", "event timers, IA-PC HPET 1.0a", FIELDS(hpet_fields), 0, 0, 0, 0, 0, NULL, 0},
	{"WAET", "emulated devices, Microsoft", FIELDS(waet_fields), 0, 0, 0, 0, 0, NULL, 0},
	{"BGRT", "boot picture, ACPI 6.5, 5.2.23", FIELDS(bgrt_fields), 0, 0, 0, 0, 0, NULL, 0},
	{"TPM2", "trusted platform module, TCG ACPI 1.4", FIELDS(tpm2_fields), 0, 0, 0, 0, 0, NULL,
	 0},
	{"DMAR", "DMA remapping, VT-d 4.1, 8.1", FIELDS(dmar_fields), 48, 2, 2, 2, 0,
	 FIELDS(dmar_entries)},
	{"IVRS", "I/O virtualization, AMD IOMMU 3.08, 5.2", FIELDS(ivrs_fields), 48, 1, 2, 2, 0,
	 FIELDS(ivrs_entries)},
	{"VIOT", "virtual I/O translation, ACPI 6.5, 5.2.32", FIELDS(viot_fields), 48, 1, 2, 2, 0,
	 FIELDS(viot_entries)},
	{"HEST", "hardware error sources, ACPI 6.5, 18.3.2", FIELDS(hest_fields), 40, 2, 0, 0, 0,
	 FIELDS(hest_entries)},
	{"BERT", "boot errors, ACPI 6.5, 18.3.1", FIELDS(bert_fields), 0, 0, 0, 0, 0, NULL, 0},
	{"EINJ", "error injection, ACPI 6.5, 18.6.1", FIELDS(einj_fields), 48, 0, 0, 0, 32,
	 FIELDS(einj_entries)},
	{"ERST", "error records, ACPI 6.5, 18.5.1", FIELDS(erst_fields), 48, 0, 0, 0, 32,
	 FIELDS(erst_entries)},
	{"NFIT", "non-volatile memory, ACPI 6.5, 5.2.26", NULL, 0, 40, 2, 2, 2, 0,
	 FIELDS(nfit_entries)},
};

const struct layout *layout_find(const char *signature)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (strcmp(layouts[i].signature, signature) == 0)
			return &layouts[i];
	return NULL;
}

static const struct entry *find(const struct entry *entry, uint32_t count, uint32_t type)
{
	for (uint32_t i = 0; i < count; i++)
		if (entry[i].type == type)
			return &entry[i];
	return NULL;
}

const struct entry *layout_entry(const struct layout *layout, uint32_t type)
{
	return find(layout->entry, layout->entries, type);
}

const struct entry *smbios_entry(uint32_t type)
{
	return find(FIELDS(smbios_entries), type);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The ACPI tables of the x86 machine: what is in the plan, and nothing else. Sections are those of
 * ACPI 6.5 where nothing else is named. The builders keep the first error, so it is looked at once,
 * at the end.
 */
#include "machine_tables.h"
#include "bits.h"
#include "endian.h"
#include "format.h"
#include "libvmm/acpi.h"
#include "libvmm/dev.h"
#include "libvmm/uefi.h"
#include "machine_plan.h"
#include "mem.h"

/* Offsets in tables: RSDP 5.2.5.3, header 5.2.6, FADT 5.2.9. */
#define RSDP_LEN    36
#define RSDP_XSDT   24
#define HEADER_LEN  36
#define TABLE_LEN   4
#define FADT_X_DSDT 140

#define DSDT_REVISION 2 /* integers have 64 bits */

/* A port that is one 8-bit register. */
static struct vmm_acpi_gas register_at(uint32_t port)
{
	struct vmm_acpi_gas gas = {.space = VMM_ACPI_SPACE_IO,
				   .bits = 8,
				   .access = VMM_ACPI_ACCESS_BYTE,
				   .address = port};
	return gas;
}

static void name_int(struct vmm_aml *a, const char *name, uint64_t value)
{
	vmm_aml_name(a, name);
	vmm_aml_int(a, value);
}

static void name_string(struct vmm_aml *a, const char *name, const char *text)
{
	vmm_aml_name(a, name);
	vmm_aml_string(a, text);
}

/* A device, its hardware and unique identifiers; the rest follows. */
static void device_begin(struct vmm_aml *a, const char *name, const char *hid, uint32_t uid)
{
	vmm_aml_device_begin(a, name);
	name_string(a, "_HID", hid);
	name_int(a, "_UID", uid);
}

static void crs_begin(struct vmm_aml *a)
{
	vmm_aml_name(a, "_CRS");
	vmm_aml_resources_begin(a);
}

static void crs_ports(struct vmm_aml *a, uint32_t port, uint32_t len)
{
	vmm_aml_res_io(a, (uint16_t)port, (uint16_t)port, 1, (uint8_t)len);
}

static void crs_irq(struct vmm_aml *a, uint8_t flags, uint32_t gsi)
{
	vmm_aml_res_interrupt(a, VMM_AML_INT_CONSUMER | flags, &gsi, 1);
}

/* 8.4: processor devices, named by their unique identifiers, which the MADT has too. */
static void add_cpus(struct vmm_aml *a, const struct vmm__plan *plan)
{
	for (uint32_t i = 0; i < plan->cpus; i++) {
		char name[5];

		vmm__format(name, sizeof(name), "C%c%c%c", "0123456789ABCDEF"[i >> 8 & 15],
			    "0123456789ABCDEF"[i >> 4 & 15], "0123456789ABCDEF"[i & 15]);
		device_begin(a, name, "ACPI0007", i);
		vmm_aml_device_finish(a);
	}
}

/* A 16550: PNP0501. */
static void add_serials(struct vmm_aml *a, const struct vmm__plan *plan)
{
	for (uint32_t i = 0; i < SERIAL_PORTS; i++) {
		char name[5];

		if (!plan->serial[i].enable)
			continue;
		vmm__format(name, sizeof(name), "COM%u", i);
		vmm_aml_device_begin(a, name);
		vmm_aml_name(a, "_HID");
		vmm_aml_eisaid(a, "PNP0501");
		name_int(a, "_UID", i);
		crs_begin(a);
		crs_ports(a, plan->serial[i].port, VMM_UART_PORTS);
		crs_irq(a, VMM_AML_INT_EDGE, plan->serial[i].irq);
		vmm_aml_resources_finish(a);
		vmm_aml_device_finish(a);
	}
}

/* Linux binds its driver by this identifier (drivers/firmware/qemu_fw_cfg). */
static void add_fw_cfg(struct vmm_aml *a)
{
	device_begin(a, "FWCF", "QEMU0002", 0);
	crs_begin(a);
	crs_ports(a, PORT_FW_CFG, VMM_FW_CFG_PORTS);
	vmm_aml_resources_finish(a);
	vmm_aml_device_finish(a);
}

/* 4.8.3.1.2: a button as a device; 5.6.9: who tells that it was pressed. */
static void add_power_button(struct vmm_aml *a)
{
	vmm_aml_device_begin(a, "PWRB");
	vmm_aml_name(a, "_HID");
	vmm_aml_eisaid(a, "PNP0C0C");
	name_int(a, "_UID", 0);
	vmm_aml_device_finish(a);

	device_begin(a, "GED_", "ACPI0013", 0);
	crs_begin(a);
	crs_irq(a, 0, IRQ_POWER);
	vmm_aml_resources_finish(a);
	vmm_aml_region(a, "EREG", VMM_AML_SPACE_IO);
	vmm_aml_int(a, PORT_POWER + VMM_POWER_EVENTS);
	vmm_aml_int(a, 4);
	vmm_aml_field_begin(a, "EREG", VMM_AML_ACCESS_DWORD | VMM_AML_UPDATE_ZEROS);
	vmm_aml_field_unit(a, "EVNT", 32);
	vmm_aml_field_finish(a);
	/* Method (_EVT, 1, Serialized) { Local0 = EVNT; If (Local0 & 1) { Notify (PWRB, 0x80) } }
	 */
	vmm_aml_method_begin(a, "_EVT", 1, VMM_AML_SERIALIZED);
	vmm_aml_store(a);
	vmm_aml_path(a, "EVNT");
	vmm_aml_local(a, 0);
	vmm_aml_if_begin(a);
	vmm_aml_and(a);
	vmm_aml_local(a, 0);
	vmm_aml_int(a, VMM_POWER_EVENT_BUTTON);
	vmm_aml_null(a);
	vmm_aml_notify(a);
	vmm_aml_path(a, "PWRB");
	vmm_aml_int(a, 0x80);
	vmm_aml_if_finish(a);
	vmm_aml_method_finish(a);
	vmm_aml_device_finish(a);
}

static void pci_windows(struct vmm_aml *a, uint32_t buses)
{
	struct vmm_aml_range r = {.size = sizeof(r), .flags = VMM_AML_RANGE_FIXED};

	r.type = VMM_AML_RANGE_BUS;
	r.max = buses - 1;
	r.len = buses;
	vmm_aml_res_word_range(a, &r);
	r.type = VMM_AML_RANGE_IO;
	r.type_flags = VMM_AML_IO_ENTIRE;
	r.min = PORT_PCI_WINDOW;
	r.max = PORT_END - 1;
	r.len = PORT_END - PORT_PCI_WINDOW;
	vmm_aml_res_word_range(a, &r);
	r.type = VMM_AML_RANGE_MEMORY;
	r.type_flags = VMM_AML_MEMORY_WRITABLE;
	r.min = MAP_PCI_WINDOW;
	r.max = MAP_PCI_WINDOW + MAP_PCI_WINDOW_LEN - 1;
	r.len = MAP_PCI_WINDOW_LEN;
	vmm_aml_res_dword_range(a, &r);
}

/* CreateDWordField (Arg3, @offset, @name) */
static void osc_dword(struct vmm_aml *a, uint32_t offset, const char *name)
{
	vmm_aml_create_dword_field(a);
	vmm_aml_arg(a, 3);
	vmm_aml_int(a, offset);
	vmm_aml_path(a, name);
}

/* CDW1 |= @bit */
static void osc_error(struct vmm_aml *a, uint32_t bit)
{
	vmm_aml_or(a);
	vmm_aml_path(a, "CDW1");
	vmm_aml_int(a, bit);
	vmm_aml_path(a, "CDW1");
}

/*
 * 6.2.11 and PCI Firmware 3.3, 4.5: the operating system may have control of all it asks for, since
 * nobody else wants it. CDW1 bit 2: unrecognised UUID; bit 3: unrecognised revision.
 */
static void add_osc(struct vmm_aml *a)
{
	vmm_aml_method_begin(a, "_OSC", 4, VMM_AML_SERIALIZED);
	osc_dword(a, 0, "CDW1");
	vmm_aml_if_begin(a);
	vmm_aml_lequal(a);
	vmm_aml_arg(a, 0);
	vmm_aml_uuid(a, "33db4d5b-1ff7-401c-9657-7441c03dd766");
	vmm_aml_if_begin(a);
	vmm_aml_lnot_equal(a);
	vmm_aml_arg(a, 1);
	vmm_aml_int(a, 1);
	osc_error(a, 0x08);
	vmm_aml_if_finish(a);
	vmm_aml_if_finish(a);
	vmm_aml_else_begin(a);
	osc_error(a, 0x04);
	vmm_aml_else_finish(a);
	vmm_aml_return(a);
	vmm_aml_arg(a, 3);
	vmm_aml_method_finish(a);
}

/* PCI Firmware 3.3, 4.1 and 4.2.1. The bus is empty: so is its routing of interrupts (6.2.13). */
static void add_pci(struct vmm_aml *a, uint32_t buses)
{
	vmm_aml_device_begin(a, "PCI0");
	vmm_aml_name(a, "_HID");
	vmm_aml_eisaid(a, "PNP0A08");
	vmm_aml_name(a, "_CID");
	vmm_aml_eisaid(a, "PNP0A03");
	name_int(a, "_UID", 0);
	name_int(a, "_SEG", 0);
	name_int(a, "_BBN", 0);
	crs_begin(a);
	crs_ports(a, PORT_PCI_CONFIG, VMM_PCI_ROOT_PORTS);
	pci_windows(a, buses);
	vmm_aml_resources_finish(a);
	vmm_aml_name(a, "_PRT");
	vmm_aml_package_begin(a);
	vmm_aml_package_finish(a);
	add_osc(a);
	vmm_aml_device_finish(a);
}

/* PNP0C02: what is taken and belongs to no device; PCI Firmware 3.3, 4.1.2 wants the ECAM here. */
static void add_reserved(struct vmm_aml *a, const struct vmm__plan *plan)
{
	vmm_aml_device_begin(a, "MRES");
	vmm_aml_name(a, "_HID");
	vmm_aml_eisaid(a, "PNP0C02");
	name_int(a, "_UID", 0);
	crs_begin(a);
	if (plan->pci_buses > 0)
		vmm_aml_res_memory32_fixed(a, 1, (uint32_t)MAP_ECAM,
					   plan->pci_buses * (uint32_t)VMM_ECAM_BUS_LEN);
	if (vmm__plan_has_power(plan))
		crs_ports(a, PORT_POWER, VMM_POWER_LEN);
	if (plan->debug_exit != 0)
		crs_ports(a, plan->debug_exit, VMM_DEBUG_EXIT_PORTS);
	if (plan->uefi != 0)
		crs_ports(a, PORT_UEFI, VMM_UEFI_DOORBELL_LEN);
	vmm_aml_resources_finish(a);
	vmm_aml_device_finish(a);
}

/* 7.4.2.6: the sleep type that the sleep control register wants for soft off. */
static void add_s5(struct vmm_aml *a)
{
	vmm_aml_name(a, "\\_S5");
	vmm_aml_package_begin(a);
	vmm_aml_int(a, VMM_POWER_S5);
	vmm_aml_int(a, 0);
	vmm_aml_int(a, 0);
	vmm_aml_int(a, 0);
	vmm_aml_package_finish(a);
}

static void add_dsdt(struct vmm_acpi *b, const struct vmm__plan *plan)
{
	struct vmm_aml a;

	vmm_acpi_aml_begin(b, "DSDT", DSDT_REVISION, &a);
	vmm_aml_scope_begin(&a, "\\_SB");
	add_cpus(&a, plan);
	add_serials(&a, plan);
	if (plan->fw_cfg)
		add_fw_cfg(&a);
	if (plan->power_button)
		add_power_button(&a);
	if (plan->pci_buses > 0)
		add_pci(&a, plan->pci_buses);
	add_reserved(&a, plan);
	vmm_aml_scope_finish(&a);
	if (plan->power_off)
		add_s5(&a);
	vmm_acpi_aml_finish(b, &a);
}

/* 5.2.9; hardware-reduced, 4.1. There is no fixed button: the one there is, is a device. */
static void add_fadt(struct vmm_acpi *b, const struct vmm__plan *plan)
{
	struct vmm_acpi_fadt f = {
		.size = sizeof(f),
		.flags = VMM_ACPI_FADT_HW_REDUCED | VMM_ACPI_FADT_WBINVD |
			 VMM_ACPI_FADT_PWR_BUTTON | VMM_ACPI_FADT_SLP_BUTTON |
			 VMM_ACPI_FADT_HEADLESS,
		.pm_profile = VMM_ACPI_PM_ENTERPRISE_SERVER,
		.iapc_boot_arch = VMM_ACPI_IAPC_NO_VGA | VMM_ACPI_IAPC_NO_CMOS_RTC,
		.hypervisor_id = {'l', 'i', 'b', 'v', 'm', 'm'},
	};

	if (plan->power_reset) {
		f.flags |= VMM_ACPI_FADT_RESET_REG;
		f.reset = register_at(PORT_POWER + VMM_POWER_RESET);
		f.reset_value = VMM_POWER_RESET_VALUE;
	}
	if (plan->power_off) {
		f.sleep_control = register_at(PORT_POWER + VMM_POWER_SLEEP);
		f.sleep_status = register_at(PORT_POWER + VMM_POWER_SLEEP_STATUS);
	}
	vmm_acpi_add_fadt(b, &f);
}

/* 5.2.12.12: processors whose identifiers a byte does not hold need the other kind of entry. */
static int add_cpu(struct vmm_acpi *b, const struct vmm__plan *plan, uint32_t index, bool *x2apic)
{
	uint32_t apic_id;
	int err = vmm_x86_topology_apic_id(&plan->topology, index, &apic_id);

	if (err != 0)
		return err;
	if (apic_id < 255)
		return vmm_acpi_madt_lapic(b, index, apic_id, VMM_ACPI_MADT_ENABLED);
	*x2apic = true;
	return vmm_acpi_madt_x2apic(b, index, apic_id, VMM_ACPI_MADT_ENABLED);
}

static int add_madt(struct vmm_acpi *b, const struct vmm__plan *plan)
{
	bool x2apic = false;
	int err = 0;

	vmm_acpi_madt_begin(b, (uint32_t)MAP_LAPIC, 0);
	for (uint32_t i = 0; i < plan->cpus && err == 0; i++)
		err = add_cpu(b, plan, i, &x2apic);
	vmm_acpi_madt_ioapic(b, 0, (uint32_t)MAP_IOAPIC, 0);
	vmm_acpi_madt_lapic_nmi(b, VMM_ACPI_MADT_ALL_CPUS, 0, 1);
	if (x2apic)
		vmm_acpi_madt_x2apic_nmi(b, VMM_ACPI_MADT_ALL_CPUS, 0, 1);
	vmm_acpi_table_finish(b);
	return err;
}

static void add_mcfg(struct vmm_acpi *b, const struct vmm__plan *plan)
{
	vmm_acpi_mcfg_begin(b);
	vmm_acpi_mcfg_entry(b, MAP_ECAM, 0, 0, (uint8_t)(plan->pci_buses - 1));
	vmm_acpi_table_finish(b);
}

int vmm__tables_build(const struct vmm__plan *plan, void *buf, size_t *len)
{
	struct vmm_acpi b;
	int err;
	int closed;

	vmm_acpi_open(&b, buf, buf != NULL ? *len : 0, MAP_TABLES, NULL);
	add_dsdt(&b, plan);
	add_fadt(&b, plan);
	err = add_madt(&b, plan);
	if (plan->pci_buses > 0)
		add_mcfg(&b, plan);
	closed = vmm_acpi_close(&b, len);
	if (err == 0)
		err = closed;
	return err == 0 && *len > MAP_RESTART - MAP_TABLES ? -VMM_ELIMIT : err;
}

/* --- The list of what was built --- */

struct list {
	const uint8_t *blob;
	struct vmm_machine_table *tables;
	uint32_t count;
};

static void list_table(struct list *l, uint64_t gpa, uint32_t len, const char *signature)
{
	struct vmm_machine_table *t = &l->tables[l->count++];

	memset(t, 0, sizeof(*t));
	t->gpa = gpa;
	t->offset = (uint32_t)(gpa - MAP_TABLES);
	t->len = len;
	memcpy(t->signature, signature, 4);
}

static void list_at(struct list *l, uint64_t gpa)
{
	const uint8_t *table = l->blob + (gpa - MAP_TABLES);

	list_table(l, gpa, vmm__le32(table + TABLE_LEN), (const char *)table);
	if (memcmp(table, "FACP", 4) == 0)
		list_at(l, vmm__le64(table + FADT_X_DSDT));
}

/* The blob is our own: its pointers hold. */
static uint32_t list_tables(const uint8_t *blob, struct vmm_machine_table *tables)
{
	struct list l = {blob, tables, 0};
	uint64_t xsdt = vmm__le64(blob + RSDP_XSDT);
	const uint8_t *entries = blob + (xsdt - MAP_TABLES);

	list_table(&l, MAP_TABLES, RSDP_LEN, "RSDP");
	list_at(&l, xsdt);
	for (uint32_t at = HEADER_LEN; at < vmm__le32(entries + TABLE_LEN); at += 8)
		list_at(&l, vmm__le64(entries + at));
	return l.count;
}

int vmm_machine_plan_tables(const struct vmm_profile *profile, void *buf, size_t *len,
			    struct vmm_machine_table *tables, uint32_t *count)
{
	struct vmm_machine_table list[VMM_MACHINE_TABLES_MAX];
	struct vmm__plan plan;
	uint32_t found;
	int err = vmm__plan_make(profile, &plan, NULL);

	if (err == 0)
		err = vmm__tables_build(&plan, buf, len);
	if (err != 0 || buf == NULL)
		return err;
	found = list_tables(buf, list);
	if (tables != NULL)
		memcpy(tables, list, found * sizeof(list[0]));
	if (count != NULL)
		*count = found;
	return 0;
}

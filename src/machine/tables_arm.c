// SPDX-License-Identifier: BSD-2-Clause-Patent
/* What only the arm64 machine has: GIC, timers, IORT, and its devices. */
#include "endian.h"
#include "libvmm/dev.h"
#include "machine_tables.h"
#include "mem.h"

/* Interrupts of each CPU (Arm BSA 1.0, 3.9): private ones, GSIs as they are. */
#define PPI_MAINTENANCE 25
#define PPI_TIMER_EL2   26
#define PPI_TIMER_VIRT  27
#define PPI_TIMER_SEL1  29
#define PPI_TIMER_EL1   30
#define PPI_PMU         23

#define GIC_VERSION 3

static struct vmm_acpi_gicc gicc(const struct vmm__plan *plan, uint32_t cpu)
{
	struct vmm_acpi_gicc g = {
		.size = sizeof(g),
		.interface = cpu,
		.uid = cpu,
		.flags = VMM_ACPI_GICC_ENABLED,
		.perf_gsi = PPI_PMU,
		.mpidr = vmm__plan_cpu_id(plan, cpu),
	};

	return g;
}

void vmm__arm_madt_add(struct vmm_acpi *b, const struct vmm__plan *plan)
{
	const uint64_t redistributors = plan->cpus * ARM_GICR_CPU;
	const uint32_t most = (uint32_t)(ARM_GICR_LEN / ARM_GICR_CPU);

	vmm_acpi_madt_begin(b, 0, 0);
	vmm_acpi_madt_gicd(b, 0, ARM_GICD, GIC_VERSION);
	for (uint32_t i = 0; i < plan->cpus; i++) {
		const uint32_t cpu = vmm__plan_cpu_of_vcpu(plan, i);
		const struct vmm_acpi_gicc g = gicc(plan, cpu);

		vmm_acpi_madt_gicc(b, &g);
	}
	vmm_acpi_madt_gicr(b, ARM_GICR, (uint32_t)ARM_GICR_LEN);
	if (redistributors > most * ARM_GICR_CPU)
		vmm_acpi_madt_gicr(b, ARM_GICR_HIGH, (uint32_t)ARM_GICR_HIGH_LEN);
	if (plan->profile->arm_its)
		vmm_acpi_madt_its(b, 0, ARM_ITS);
	vmm_acpi_table_finish(b);
}

static void add_gtdt(struct vmm_acpi *b)
{
	const struct vmm_acpi_gtdt g = {
		.size = sizeof(g),
		.secure_el1_gsi = PPI_TIMER_SEL1,
		.secure_el1_flags = 0,
		.el1_gsi = PPI_TIMER_EL1,
		.el1_flags = VMM_ACPI_TIMER_ALWAYS_ON,
		.virtual_gsi = PPI_TIMER_VIRT,
		.el2_gsi = PPI_TIMER_EL2,
		.control_base = UINT64_MAX,
		.read_base = UINT64_MAX,
	};

	vmm_acpi_gtdt_begin(b, &g);
	vmm_acpi_table_finish(b);
}

/* Fully coherent, CPM and DACS: DEN 0049E.e, 3.1.1.5. */
#define COHERENT     UINT64_C(0x0300000000000001)
#define ADDRESS_BITS 64

/* The requester identifiers of the bus go to the ITS as they are. */
static void add_iort(struct vmm_acpi *b)
{
	const uint32_t its = 0;
	struct vmm_acpi_iort_map map = {.count = 0x10000};

	vmm_acpi_iort_begin(b);
	vmm_acpi_iort_its(b, &its, 1, &map.ref);
	vmm_acpi_iort_root_complex(b, 0, COHERENT, 0, ADDRESS_BITS, &map, 1, NULL);
	vmm_acpi_table_finish(b);
}

void vmm__arm_tables_add(struct vmm_acpi *b, const struct vmm__plan *plan)
{
	add_gtdt(b);
	if (plan->profile->arm_its)
		add_iort(b);
}

static void add_device(struct vmm_aml *a, const char *name, const char *hid, uint64_t base,
		       uint64_t len, uint32_t irq)
{
	vmm__device_begin(a, name, hid, 0);
	vmm__crs_begin(a);
	vmm_aml_res_memory32_fixed(a, 1, (uint32_t)base, (uint32_t)len);
	if (irq != 0)
		vmm__crs_irq(a, 0, irq);
	vmm_aml_resources_finish(a);
}

void vmm__arm_devices_add(struct vmm_aml *a, const struct vmm__plan *plan)
{
	if (plan->profile->serial_enable[0]) {
		add_device(a, "COM0", "ARMH0011", ARM_UART, ARM_UART_LEN, ARM_IRQ_UART);
		vmm_aml_device_finish(a);
	}
	/* Linux asks UEFI for the time, and this device only where there is none (LNRO0013). */
	if (plan->profile->fw_cfg_enable) {
		add_device(a, "FWCF", "QEMU0002", ARM_FW_CFG, ARM_FW_CFG_LEN, 0);
		vmm__name_int(a, "_CCA", 1);
		vmm_aml_device_finish(a);
	}
	if (plan->pci_buses == 0)
		return;
	/* PCI Firmware 3.3, 4.1.2: the ECAM is taken. */
	vmm__device_eisa_begin(a, "MRES", "PNP0C02", 0);
	vmm__crs_begin(a);
	const struct vmm_aml_range ecam = {
		.size = sizeof(ecam),
		.type = VMM_AML_RANGE_MEMORY,
		.flags = VMM_AML_RANGE_FIXED | VMM_AML_RANGE_CONSUMER,
		.type_flags = VMM_AML_MEMORY_WRITABLE,
		.min = plan->ecam,
		.max = plan->ecam + plan->pci_buses * VMM_ECAM_BUS_LEN - 1,
		.len = plan->pci_buses * VMM_ECAM_BUS_LEN,
	};
	vmm_aml_res_qword_range(a, &ecam);
	vmm_aml_resources_finish(a);
	vmm_aml_device_finish(a);
}

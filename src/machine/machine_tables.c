// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The ACPI tables of a machine: what is in the plan, and nothing else. Sections are those of ACPI
 * 6.5 where nothing else is named. The builders keep the first error, so it is looked at once, at
 * the end.
 */
#include "machine_tables.h"
#include "bits.h"
#include "endian.h"
#include "format.h"
#include "libvmm/bus.h"
#include "libvmm/dev.h"
#include "mem.h"

/* Offsets in tables: RSDP 5.2.5.3, header 5.2.6, FADT 5.2.9. */
#define RSDP_LEN    36
#define RSDP_RSDT   16
#define RSDP_XSDT   24
#define HEADER_LEN  36
#define TABLE_LEN   4
#define FADT_FACS   36 /* or, above 4 GiB, at the next one */
#define FADT_X_FACS 132
#define FADT_X_DSDT 140

struct vmm_acpi_gas vmm__register(const struct vmm__plan *plan, uint32_t offset, uint8_t bits)
{
	struct vmm_acpi_gas gas = {
		.space = plan->reg_space == VMM_SPACE_PORT ? VMM_ACPI_SPACE_IO
							   : VMM_ACPI_SPACE_MEMORY,
		.bits = bits,
		.access = bits == 8 ? VMM_ACPI_ACCESS_BYTE : VMM_ACPI_ACCESS_DWORD,
		.address = plan->reg_base + offset,
	};
	return gas;
}

void vmm__plan_caches(const struct vmm__plan *plan, struct vmm__cache cache[CACHES])
{
	const struct vmm_profile *p = plan->profile;
	const struct vmm__cache all[CACHES] = {
		{1, (uint32_t)p->cache_l1d, VMM_X86_L1_WAYS,
		 VMM_ACPI_CACHE_READ_WRITE_ALLOCATE | VMM_ACPI_CACHE_DATA},
		{1, (uint32_t)p->cache_l1i, VMM_X86_L1_WAYS,
		 VMM_ACPI_CACHE_READ_ALLOCATE | VMM_ACPI_CACHE_INSTRUCTION},
		{2, (uint32_t)p->cache_l2, VMM_X86_L2_WAYS,
		 VMM_ACPI_CACHE_READ_WRITE_ALLOCATE | VMM_ACPI_CACHE_UNIFIED},
		{3, (uint32_t)p->cache_l3, VMM_X86_L3_WAYS,
		 VMM_ACPI_CACHE_READ_WRITE_ALLOCATE | VMM_ACPI_CACHE_UNIFIED},
	};

	memcpy(cache, all, sizeof(all));
}

/* 5.2.9; hardware-reduced, 4.1. There is no fixed button: those there are, are devices. */
static void add_fadt(struct vmm_acpi *b, const struct vmm__plan *plan)
{
	const struct vmm_profile *p = plan->profile;
	struct vmm_acpi_fadt f = {
		.size = sizeof(f),
		.flags = VMM_ACPI_FADT_HW_REDUCED | VMM_ACPI_FADT_PWR_BUTTON |
			 VMM_ACPI_FADT_SLP_BUTTON | VMM_ACPI_FADT_HEADLESS,
		.pm_profile = VMM_ACPI_PM_ENTERPRISE_SERVER,
		.hypervisor_id = {'l', 'i', 'b', 'v', 'm', 'm'},
	};

	if (plan->arm) {
		f.arm_boot_arch = VMM_ACPI_ARM_PSCI;
		if (p->arm_psci[0] == 'h')
			f.arm_boot_arch |= VMM_ACPI_ARM_PSCI_HVC;
	} else {
		f.flags |= VMM_ACPI_FADT_WBINVD;
		f.iapc_boot_arch = VMM_ACPI_IAPC_NO_VGA;
		if (!p->legacy_rtc)
			f.iapc_boot_arch |= VMM_ACPI_IAPC_NO_CMOS_RTC;
		if (p->legacy_i8042)
			f.iapc_boot_arch |= VMM_ACPI_IAPC_8042;
	}
	if (p->power_reset && !plan->arm) {
		f.flags |= VMM_ACPI_FADT_RESET_REG;
		f.reset = vmm__register(plan, REG_POWER + VMM_POWER_RESET, 8);
		f.reset_value = VMM_POWER_RESET_VALUE;
	}
	if (!plan->arm && (p->power_off || p->power_s1 || p->power_s3 || p->power_s4)) {
		f.sleep_control = vmm__register(plan, REG_POWER + VMM_POWER_SLEEP, 8);
		f.sleep_status = vmm__register(plan, REG_POWER + VMM_POWER_SLEEP_STATUS, 8);
	}
	if (vmm__plan_has_bios_power(plan)) {
		f.pm1a_cnt = (struct vmm_acpi_gas){.space = VMM_ACPI_SPACE_IO,
						   .bits = 8 * BIOS_POWER_LEN,
						   .access = VMM_ACPI_ACCESS_WORD,
						   .address = PORT_BIOS_POWER};
		f.pm1_cnt_len = BIOS_POWER_LEN;
	}
	vmm_acpi_add_fadt(b, &f);
}

/* 5.2.12.2 and 5.2.12.12: identifiers that a byte does not hold need the other kind of entry. */
static bool needs_x2apic(const struct vmm__plan *plan, uint32_t cpu)
{
	return vmm__plan_cpu_id(plan, cpu) >= 255;
}

size_t vmm__madt_entry(const struct vmm__plan *plan, uint32_t cpu, uint8_t entry[MADT_ENTRY_MAX])
{
	const uint32_t id = (uint32_t)vmm__plan_cpu_id(plan, cpu);

	memset(entry, 0, MADT_ENTRY_MAX);
	if (needs_x2apic(plan, cpu)) {
		entry[0] = 9;
		entry[1] = 16;
		vmm__put_le32(entry + 4, id);
		vmm__put_le32(entry + 8, VMM_ACPI_MADT_ENABLED);
		vmm__put_le32(entry + 12, cpu);
	} else {
		entry[1] = 8;
		entry[2] = (uint8_t)cpu;
		entry[3] = (uint8_t)id;
		vmm__put_le32(entry + 4, VMM_ACPI_MADT_ENABLED);
	}
	return entry[1];
}

/* The CPU that starts stands first (5.2.12.1). */
static void add_madt(struct vmm_acpi *b, const struct vmm__plan *plan)
{
	bool x2apic = false;

	vmm_acpi_madt_begin(b, (uint32_t)MAP_LAPIC,
			    plan->profile->legacy_pic ? VMM_ACPI_MADT_PCAT_COMPAT : 0);
	for (uint32_t i = 0; i < plan->cpus; i++) {
		const uint32_t cpu = vmm__plan_cpu_of_vcpu(plan, i);
		const uint32_t id = (uint32_t)vmm__plan_cpu_id(plan, cpu);
		const uint32_t flags = vmm__plan_cpu_present(plan, cpu)
					       ? VMM_ACPI_MADT_ENABLED
					       : VMM_ACPI_MADT_ONLINE_CAPABLE;

		if (needs_x2apic(plan, cpu)) {
			vmm_acpi_madt_x2apic(b, cpu, id, flags);
			x2apic = true;
		} else {
			vmm_acpi_madt_lapic(b, cpu, id, flags);
		}
	}
	vmm_acpi_madt_ioapic(b, 0, (uint32_t)MAP_IOAPIC, 0);
	vmm_acpi_madt_lapic_nmi(b, VMM_ACPI_MADT_ALL_CPUS, 0, 1);
	if (x2apic)
		vmm_acpi_madt_x2apic_nmi(b, VMM_ACPI_MADT_ALL_CPUS, 0, 1);
	vmm_acpi_table_finish(b);
}

static void add_mcfg(struct vmm_acpi *b, const struct vmm__plan *plan)
{
	vmm_acpi_mcfg_begin(b);
	vmm_acpi_mcfg_entry(b, plan->ecam, 0, 0, (uint8_t)(plan->pci_buses - 1));
	vmm_acpi_table_finish(b);
}

/* The serial port for a table: the first or the last there is, or VMM__PLAN_NONE. */
static uint32_t choose_serial(const struct vmm__plan *plan, bool last)
{
	uint32_t chosen = VMM__PLAN_NONE;

	for (uint32_t i = 0; i < (plan->arm ? 1 : VMM__PROFILE_SERIALS); i++) {
		if (plan->profile->serial_enable[i] && (last || chosen == VMM__PLAN_NONE))
			chosen = i;
	}
	return chosen;
}

static struct vmm_acpi_gas serial_base(const struct vmm__plan *plan, uint32_t serial)
{
	const struct vmm_acpi_gas port = {
		VMM_ACPI_SPACE_IO,    8,   0,
		VMM_ACPI_ACCESS_BYTE, {0}, plan->profile->serial_port[serial]};
	const struct vmm_acpi_gas pl011 = {VMM_ACPI_SPACE_MEMORY, 32,  0,
					   VMM_ACPI_ACCESS_DWORD, {0}, ARM_UART};

	return plan->arm ? pl011 : port;
}

#define IRQ_IOAPIC    0x02
#define IRQ_GIC       0x08
#define BAUD_115200   7
#define TERMINAL_ANSI 3

static void add_spcr(struct vmm_acpi *b, const struct vmm__plan *plan)
{
	const uint32_t serial = choose_serial(plan, false);
	char path[12];
	struct vmm_acpi_spcr s = {
		.size = sizeof(s),
		.type = plan->arm ? VMM_ACPI_SERIAL_PL011 : VMM_ACPI_SERIAL_16550,
		.interrupt_types = plan->arm ? IRQ_GIC : IRQ_IOAPIC,
		.baud = BAUD_115200,
		.stop_bits = 1,
		.terminal = TERMINAL_ANSI,
		.pci_device = UINT16_MAX,
		.pci_vendor = UINT16_MAX,
		.path = path,
	};

	if (serial == VMM__PLAN_NONE)
		return;
	vmm__format(path, sizeof(path), "\\_SB.COM%u", serial);
	s.gsi = plan->arm ? ARM_IRQ_UART : (uint32_t)plan->profile->serial_irq[serial];
	s.base = serial_base(plan, serial);
	vmm_acpi_add_spcr(b, &s);
}

static void add_dbg2(struct vmm_acpi *b, const struct vmm__plan *plan)
{
	const uint32_t serial = choose_serial(plan, true);
	struct vmm_acpi_gas base;
	char path[12];

	if (serial == VMM__PLAN_NONE)
		return;
	vmm__format(path, sizeof(path), "\\_SB.COM%u", serial);
	base = serial_base(plan, serial);
	vmm_acpi_dbg2_begin(b);
	vmm_acpi_dbg2_serial(b, plan->arm ? VMM_ACPI_SERIAL_PL011 : VMM_ACPI_SERIAL_16550, &base,
			     plan->arm ? (uint32_t)ARM_UART_LEN : VMM_UART_PORTS, path);
	vmm_acpi_table_finish(b);
}

/* The CRB's control area is 0x40 bytes into its registers (TCG PC Client PTP 1.05, 6.5.3.4). */
static void add_tpm2(struct vmm_acpi *b, const struct vmm__plan *plan)
{
	const uint64_t base = plan->arm ? ARM_TPM : MAP_TPM;

	if (plan->profile->tpm_interface[0] == 'c')
		vmm_acpi_add_tpm2(b, 0, base + 0x40, VMM_ACPI_TPM2_CRB, 0, 0);
	else
		vmm_acpi_add_tpm2(b, 0, 0, VMM_ACPI_TPM2_TIS, 0, 0);
}

/* 18.3.2.8: one source, told of by the device for errors (18.3.2.9, notification by GPIO, which
 * the Generic Event Device serves as well). */
static void add_hest(struct vmm_acpi *b, const struct vmm__plan *plan)
{
	const struct vmm_acpi_gas address = {
		VMM_ACPI_SPACE_MEMORY, 64,  0,
		VMM_ACPI_ACCESS_QWORD, {0}, plan->errors + ERRORS_ADDRESS};
	const struct vmm_acpi_gas ack = {VMM_ACPI_SPACE_MEMORY, 64,  0,
					 VMM_ACPI_ACCESS_QWORD, {0}, plan->errors + ERRORS_ACK};
	struct vmm_acpi_ghes g = {
		.size = sizeof(g),
		.related = 0xffff,
		.records = 1,
		.sections = 1,
		.status_len = ERRORS_LEN,
		.raw_len = ERRORS_LEN,
		.notify = VMM_ACPI_NOTIFY_GPIO,
		.status = address,
		.ack = ack,
		.ack_preserve = ~UINT64_C(1),
		.ack_write = 1,
	};

	vmm_acpi_hest_begin(b);
	vmm_acpi_hest_ghes(b, &g);
	vmm_acpi_table_finish(b);
}

static void add_optional(struct vmm_acpi *b, const struct vmm__plan *plan)
{
	const struct vmm_profile *p = plan->profile;

	if (p->acpi_spcr)
		add_spcr(b, plan);
	if (p->acpi_dbg2)
		add_dbg2(b, plan);
	if (p->acpi_waet)
		vmm_acpi_add_waet(b, VMM_ACPI_WAET_RTC_GOOD | VMM_ACPI_WAET_PM_TIMER_GOOD);
	if (p->tpm_enable)
		add_tpm2(b, plan);
	if (p->bgrt_image)
		vmm_acpi_add_bgrt(b, 1, p->bgrt_image, (uint32_t)p->bgrt_x, (uint32_t)p->bgrt_y);
	if (p->ras_enable)
		add_hest(b, plan);
	if (p->ras_bert)
		vmm_acpi_add_bert(b, ERRORS_BOOT_LEN, plan->errors + ERRORS_BOOT);
}

int vmm__tables_build(const struct vmm__plan *plan, void *buf, size_t *len)
{
	struct vmm_acpi b;
	int err;

	vmm_acpi_open(&b, buf, buf != NULL ? *len : 0, plan->tables.base, NULL);
	vmm__dsdt_add(&b, plan);
	add_fadt(&b, plan);
	if (plan->profile->power_s3)
		vmm_acpi_add_facs(&b, 0);
	if (plan->arm)
		vmm__arm_madt_add(&b, plan);
	else
		add_madt(&b, plan);
	if (plan->pci_buses > 0)
		add_mcfg(&b, plan);
	vmm__numa_add(&b, plan);
	vmm__pptt_add(&b, plan);
	if (plan->arm)
		vmm__arm_tables_add(&b, plan);
	add_optional(&b, plan);
	if (plan->bios)
		vmm_acpi_want_rsdt(&b);
	err = vmm_acpi_close(&b, len);
	return err == 0 && *len > plan->tables.len ? -VMM_ELIMIT : err;
}

/* --- The list of what was built --- */

struct list {
	const uint8_t *blob;
	uint64_t gpa;
	struct vmm_machine_table *tables;
	uint32_t count;
};

static void list_table(struct list *l, uint64_t gpa, uint32_t len, const char *signature)
{
	struct vmm_machine_table *t = &l->tables[l->count++];

	memset(t, 0, sizeof(*t));
	t->gpa = gpa;
	t->offset = (uint32_t)(gpa - l->gpa);
	t->len = len;
	memcpy(t->signature, signature, 4);
}

static void list_at(struct list *l, uint64_t gpa)
{
	const uint8_t *table = l->blob + (gpa - l->gpa);

	list_table(l, gpa, vmm__le32(table + TABLE_LEN), (const char *)table);
	if (memcmp(table, "FACP", 4) != 0)
		return;
	list_at(l, vmm__le64(table + FADT_X_DSDT));
	if (vmm__le32(table + FADT_FACS) != 0)
		list_at(l, vmm__le32(table + FADT_FACS));
	else if (vmm__le64(table + FADT_X_FACS) != 0)
		list_at(l, vmm__le64(table + FADT_X_FACS));
}

/* The blob is our own: its pointers hold. */
static uint32_t list_tables(const struct vmm__plan *plan, const uint8_t *blob,
			    struct vmm_machine_table *tables)
{
	struct list l = {blob, plan->tables.base, tables, 0};
	uint64_t xsdt = vmm__le64(blob + RSDP_XSDT);
	const uint8_t *entries = blob + (xsdt - l.gpa);

	list_table(&l, l.gpa, RSDP_LEN, "RSDP");
	list_at(&l, xsdt);
	if (vmm__le32(blob + RSDP_RSDT) != 0)
		list_at(&l, vmm__le32(blob + RSDP_RSDT));
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
	found = list_tables(&plan, buf, list);
	if (tables != NULL)
		memcpy(tables, list, found * sizeof(list[0]));
	if (count != NULL)
		*count = found;
	return 0;
}

int vmm_machine_plan_smbios(const struct vmm_profile *profile, void *buf, size_t *len,
			    uint64_t *gpa)
{
	struct vmm__plan plan;
	int err = vmm__plan_make(profile, &plan, NULL);

	if (err != 0)
		return err;
	if (plan.smbios.len == 0)
		return -VMM_ENOENT;
	if (gpa != NULL)
		*gpa = plan.smbios.base;
	return vmm__smbios_build(&plan, buf, len);
}

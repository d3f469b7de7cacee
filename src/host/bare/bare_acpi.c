// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The machine's own ACPI tables, and how it is switched off and started again. */
#include "bare_host.h"
#include "libvmm/acpi_read.h"
#include "libvmm/mem.h"
#include "mem.h"

/* Where a PC's firmware puts the root pointer: ACPI 6.5, 5.2.5.1. */
#define BIOS_BASE 0xe0000
#define BIOS_SIZE 0x20000
#define EBDA_WORD 0x40e
#define EBDA_SIZE 1024

/* PM1 control: 4.8.3.2.1. Sleep control: 4.8.3.7. */
#define PM1_SLP_TYP 10
#define PM1_SLP_EN  0x2000u
#define SLEEP_TYP   2
#define SLEEP_EN    0x20

/* Reset without ACPI: PCI's reset register (PIIX and later), then the keyboard controller. */
#define RESET_CONTROL  0xcf9
#define RESET_FULL     0x06
#define KEYBOARD       0x64
#define KEYBOARD_RESET 0xfe

static struct vmm_acpi_root root;
static bool found;
static struct vmm_acpi_fadt fadt = {.size = sizeof(fadt)};
static uint8_t sleep_type[2]; /* of S5 */
static bool can_sleep;

/* Tables stay mapped. What is free memory, or beyond all memory, is no place for them. */
static const void *map_table(void *opaque, uint64_t pa, size_t len)
{
	const uint64_t flags = bare_lock(&vmm__bare_memory_lock);
	const bool shown = vmm__bare_show(pa, len);

	(void)opaque;
	bare_unlock(&vmm__bare_memory_lock, flags);
	return shown ? (const void *)(uintptr_t)pa : NULL;
}

static const struct vmm_acpi_memory memory = {.size = sizeof(memory), .map = map_table};

static uint64_t find_rsdp(void)
{
	uint64_t pa;
	uint16_t ebda = 0;
	void *window;

	if (vmm__bare_boot.rsdp != 0)
		return vmm__bare_boot.rsdp;
	window = vmm__bare_window(EBDA_WORD, 2, VMM_MEMTYPE_WB);
	if (window != NULL) {
		memcpy(&ebda, window, 2);
		vmm__bare_window_end(window, 2);
	}
	if (ebda != 0 && vmm_acpi_read_search(&memory, (uint64_t)ebda << 4, EBDA_SIZE, &pa) == 0)
		return pa;
	return vmm_acpi_read_search(&memory, BIOS_BASE, BIOS_SIZE, &pa) == 0 ? pa : 0;
}

/*
 * Two numbers from the package of the object \_S5_ (7.4.2.6), found by its bytes: NameOp, perhaps a
 * root character, "_S5_", PackageOp, a length, the number of elements, and these
 * (20.2.3, 20.2.5.4).
 */
static void find_sleep_type(const uint8_t *aml, uint32_t len)
{
	for (uint32_t at = 2; len >= 16 && at < len - 16; at++) {
		uint32_t p = at + 5;

		if (memcmp(aml + at, "_S5_\x12", 5) != 0 ||
		    (aml[at - 1] != 0x08 && (aml[at - 1] != '\\' || aml[at - 2] != 0x08)))
			continue;
		p += 1u + (aml[p] >> 6) + 1;
		for (uint32_t i = 0; i < 2 && p + 1 < len; i++) {
			if (aml[p] == 0x0a)
				p++;
			sleep_type[i] = aml[p++] & 7;
		}
		can_sleep = true;
		return;
	}
}

bool vmm__bare_acpi_init(void)
{
	struct vmm_acpi_table t = {.size = sizeof(t)};
	uint64_t dsdt;

	vmm__bare_boot.rsdp = find_rsdp();
	found = vmm__bare_boot.rsdp != 0 &&
		vmm_acpi_read_open(&root, &memory, vmm__bare_boot.rsdp) == 0;
	if (!found || vmm_acpi_read_find(&root, "FACP", 0, &t) != 0 ||
	    vmm_acpi_read_fadt(&t, &fadt, &dsdt, NULL) != 0)
		return found;
	if (vmm_acpi_read_at(&root, dsdt, &t) == 0)
		find_sleep_type(t.data, t.len);
	return true;
}

const struct vmm_acpi_root *vmm_bare_acpi(void)
{
	return found ? &root : NULL;
}

uint32_t vmm__bare_acpi_cpus(uint32_t *apic_ids, uint32_t room)
{
	struct vmm_acpi_table t = {.size = sizeof(t)};
	struct vmm_acpi_madt_entry e = {.size = sizeof(e)};
	struct vmm_acpi_cursor c;
	uint32_t n = 0;

	if (!found || vmm_acpi_read_find(&root, "APIC", 0, &t) != 0 ||
	    vmm_acpi_read_madt(&t, &c, NULL, NULL) != 0)
		return 0;
	while (n < room && vmm_acpi_read_madt_next(&c, &e) == 0) {
		if ((e.type == VMM_ACPI_MADT_LAPIC || e.type == VMM_ACPI_MADT_X2APIC) &&
		    (e.flags & VMM_ACPI_MADT_ENABLED) != 0)
			apic_ids[n++] = e.id;
	}
	return n;
}

/* --- off, and again --- */

static void write_port(const struct vmm_acpi_gas *reg, uint32_t value, bool wide)
{
	if (reg->address == 0 || reg->address > UINT16_MAX || reg->space != VMM_ACPI_SPACE_IO)
		return;
	if (wide)
		bare_out16((uint16_t)reg->address, (uint16_t)value);
	else
		bare_out8((uint16_t)reg->address, (uint8_t)value);
}

void vmm_bare_power_off(void)
{
	vmm__bare_stop_others();
	if (can_sleep) {
		if (fadt.smi_cmd != 0 && fadt.acpi_enable != 0)
			bare_out8((uint16_t)fadt.smi_cmd, fadt.acpi_enable);
		write_port(&fadt.sleep_control, (uint32_t)sleep_type[0] << SLEEP_TYP | SLEEP_EN,
			   false);
		write_port(&fadt.pm1a_cnt, (uint32_t)sleep_type[0] << PM1_SLP_TYP | PM1_SLP_EN,
			   true);
		write_port(&fadt.pm1b_cnt, (uint32_t)sleep_type[1] << PM1_SLP_TYP | PM1_SLP_EN,
			   true);
	}
	vmm__bare_halt();
}

void vmm_bare_reset(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none;

	vmm__bare_stop_others();
	if ((fadt.flags & VMM_ACPI_FADT_RESET_REG) != 0)
		write_port(&fadt.reset, fadt.reset_value, false);
	bare_out8(RESET_CONTROL, RESET_FULL);
	bare_out8(KEYBOARD, KEYBOARD_RESET);
	/* No way to tell an exception: the processor shuts down, and the machine starts again. */
	__asm__ volatile("lidt %0; ud2" : : "m"(none));
	vmm__bare_halt();
}

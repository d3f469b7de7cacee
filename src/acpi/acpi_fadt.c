// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Fixed ACPI Description Table. ACPI 6.5, 5.2.9, Table 5.9. */
#include "acpi_emit.h"

#include "mem.h"

#define FADT_REVISION 6
#define FADT_MINOR    5

static bool is_zero(const struct vmm_acpi_gas *gas)
{
	static const struct vmm_acpi_gas zero;

	return memcmp(gas, &zero, sizeof(zero)) == 0;
}

/* 4.1: a hardware-reduced machine has nothing from here on, and sleeps by registers of its own.
 * What is older than that looks for one that switches off: it may be there, and is ignored by
 * others. */
static bool has_fixed_hardware(const struct vmm_acpi_fadt *f)
{
	static const struct vmm_acpi_fadt zero;
	size_t from = offsetof(struct vmm_acpi_fadt, sci_int);
	struct vmm_acpi_fadt other = *f;

	other.pm1_cnt_len = 0;
	other.pm1a_cnt = zero.pm1a_cnt;
	return memcmp((const uint8_t *)&other + from, (const uint8_t *)&zero + from,
		      sizeof(other) - from) != 0;
}

static bool is_valid(const struct vmm_acpi_fadt *f)
{
	bool reduced, reset;

	if (f == NULL || f->size != sizeof(*f) || f->reserved != 0)
		return false;
	reduced = (f->flags & VMM_ACPI_FADT_HW_REDUCED) != 0;
	reset = (f->flags & VMM_ACPI_FADT_RESET_REG) != 0;
	if (reset == is_zero(&f->reset))
		return false;
	return !(reduced && has_fixed_hardware(f));
}

/* The 32-bit twin of a generic address: that of a block of ports. */
static void block(struct vmm_acpi *b, const struct vmm_acpi_gas *gas)
{
	bool port = gas->space == VMM_ACPI_SPACE_IO && gas->address <= UINT16_MAX;

	vmm_acpi_u32(b, port ? (uint32_t)gas->address : 0);
}

/* Bytes 36 to 111: what ACPI 1.0 knew. The builder fills in the pointers. */
static void put_first_part(struct vmm_acpi *b, const struct vmm_acpi_fadt *f)
{
	vmm_acpi_zeros(b, 8); /* FIRMWARE_CTRL, DSDT */
	vmm_acpi_u8(b, 0);
	vmm_acpi_u8(b, f->pm_profile);
	vmm_acpi_u16(b, f->sci_int);
	vmm_acpi_u32(b, f->smi_cmd);
	vmm_acpi_u8(b, f->acpi_enable);
	vmm_acpi_u8(b, f->acpi_disable);
	vmm_acpi_u8(b, f->s4bios_req);
	vmm_acpi_u8(b, f->pstate_cnt);
	block(b, &f->pm1a_evt);
	block(b, &f->pm1b_evt);
	block(b, &f->pm1a_cnt);
	block(b, &f->pm1b_cnt);
	block(b, &f->pm2_cnt);
	block(b, &f->pm_tmr);
	block(b, &f->gpe0);
	block(b, &f->gpe1);
	vmm_acpi_u8(b, f->pm1_evt_len);
	vmm_acpi_u8(b, f->pm1_cnt_len);
	vmm_acpi_u8(b, f->pm2_cnt_len);
	vmm_acpi_u8(b, f->pm_tmr_len);
	vmm_acpi_u8(b, f->gpe0_len);
	vmm_acpi_u8(b, f->gpe1_len);
	vmm_acpi_u8(b, f->gpe1_base);
	vmm_acpi_u8(b, f->cst_cnt);
	vmm_acpi_u16(b, f->p_lvl2_lat);
	vmm_acpi_u16(b, f->p_lvl3_lat);
	vmm_acpi_u16(b, f->flush_size);
	vmm_acpi_u16(b, f->flush_stride);
	vmm_acpi_u8(b, f->duty_offset);
	vmm_acpi_u8(b, f->duty_width);
	vmm_acpi_u8(b, f->day_alarm);
	vmm_acpi_u8(b, f->month_alarm);
	vmm_acpi_u8(b, f->century);
	vmm_acpi_u16(b, f->iapc_boot_arch);
	vmm_acpi_u8(b, 0);
}

/* Bytes 112 to 275. */
static void put_second_part(struct vmm_acpi *b, const struct vmm_acpi_fadt *f)
{
	vmm_acpi_u32(b, f->flags);
	vmm_acpi_address(b, &f->reset);
	vmm_acpi_u8(b, f->reset_value);
	vmm_acpi_u16(b, f->arm_boot_arch);
	vmm_acpi_u8(b, FADT_MINOR);
	vmm_acpi_zeros(b, 16); /* X_FIRMWARE_CTRL, X_DSDT */
	vmm_acpi_address(b, &f->pm1a_evt);
	vmm_acpi_address(b, &f->pm1b_evt);
	vmm_acpi_address(b, &f->pm1a_cnt);
	vmm_acpi_address(b, &f->pm1b_cnt);
	vmm_acpi_address(b, &f->pm2_cnt);
	vmm_acpi_address(b, &f->pm_tmr);
	vmm_acpi_address(b, &f->gpe0);
	vmm_acpi_address(b, &f->gpe1);
	vmm_acpi_address(b, &f->sleep_control);
	vmm_acpi_address(b, &f->sleep_status);
	vmm_acpi_bytes(b, f->hypervisor_id, sizeof(f->hypervisor_id));
}

int vmm_acpi_add_fadt(struct vmm_acpi *b, const struct vmm_acpi_fadt *fadt)
{
	if (!is_valid(fadt))
		return vmm__acpi_fail(b, VMM_EINVAL);
	vmm_acpi_table_begin(b, "FACP", FADT_REVISION);
	put_first_part(b, fadt);
	put_second_part(b, fadt);
	return vmm_acpi_table_finish(b);
}

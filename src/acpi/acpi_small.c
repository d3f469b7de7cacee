// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Tables of a few fields: HPET, WAET, BGRT, TPM2. */
#include "acpi_emit.h"

/* IA-PC HPET 1.0a, 3.2.4. */
int vmm_acpi_add_hpet(struct vmm_acpi *b, uint32_t id, uint64_t base, uint8_t number,
		      uint16_t min_tick, uint8_t protection)
{
	const struct vmm_acpi_gas gas = {.space = VMM_ACPI_SPACE_MEMORY, .address = base};

	vmm_acpi_table_begin(b, "HPET", 1);
	vmm_acpi_u32(b, id);
	vmm_acpi_address(b, &gas);
	vmm_acpi_u8(b, number);
	vmm_acpi_u16(b, min_tick);
	vmm_acpi_u8(b, protection);
	return vmm_acpi_table_finish(b);
}

int vmm_acpi_add_waet(struct vmm_acpi *b, uint32_t flags)
{
	vmm_acpi_table_begin(b, "WAET", 1);
	vmm_acpi_u32(b, flags);
	return vmm_acpi_table_finish(b);
}

/* 5.2.23. */
int vmm_acpi_add_bgrt(struct vmm_acpi *b, uint8_t status, uint64_t image, uint32_t x, uint32_t y)
{
	vmm_acpi_table_begin(b, "BGRT", 1);
	vmm_acpi_u16(b, 1); /* version */
	vmm_acpi_u8(b, status);
	vmm_acpi_u8(b, 0); /* a bitmap */
	vmm_acpi_u64(b, image);
	vmm_acpi_u32(b, x);
	vmm_acpi_u32(b, y);
	return vmm_acpi_table_finish(b);
}

/* TCG ACPI Specification 1.4, 8; the start method has no parameters here. */
int vmm_acpi_add_tpm2(struct vmm_acpi *b, uint16_t platform_class, uint64_t control_area,
		      uint32_t method, uint32_t log_len, uint64_t log)
{
	if (method != VMM_ACPI_TPM2_TIS && method != VMM_ACPI_TPM2_CRB)
		return vmm__acpi_fail(b, VMM_EINVAL);
	vmm_acpi_table_begin(b, "TPM2", 4);
	vmm_acpi_u16(b, platform_class);
	vmm_acpi_u16(b, 0);
	vmm_acpi_u64(b, control_area);
	vmm_acpi_u32(b, method);
	vmm_acpi_zeros(b, 12);
	vmm_acpi_u32(b, log_len);
	vmm_acpi_u64(b, log);
	return vmm_acpi_table_finish(b);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* DMA Remapping Table. Intel VT-d 4.1, chapter 8. */
#include "acpi_emit.h"

#define MAX_HOPS 8

int vmm_acpi_dmar_begin(struct vmm_acpi *b, uint8_t address_bits, uint8_t flags)
{
	if (address_bits == 0 || address_bits > 64)
		return vmm__acpi_fail(b, VMM_EINVAL);
	vmm_acpi_table_begin(b, "DMAR", 1);
	vmm_acpi_u8(b, (uint8_t)(address_bits - 1));
	vmm_acpi_u8(b, flags);
	return vmm_acpi_zeros(b, 10);
}

/* 8.3.1: six bytes and two for each hop; 0 if the scopes do not make sense. */
static uint32_t scopes_length(const struct vmm_acpi_scope *scope, uint32_t scopes)
{
	uint32_t len = 0;

	for (uint32_t i = 0; i < scopes; i++) {
		if (scope[i].hops == 0 || scope[i].hops > MAX_HOPS)
			return UINT32_MAX;
		len += 6 + 2U * scope[i].hops;
	}
	return len;
}

static void put_scopes(struct vmm_acpi *b, const struct vmm_acpi_scope *scope, uint32_t scopes)
{
	for (uint32_t i = 0; i < scopes; i++) {
		vmm_acpi_u8(b, scope[i].type);
		vmm_acpi_u8(b, (uint8_t)(6 + 2 * scope[i].hops));
		vmm_acpi_u16(b, 0);
		vmm_acpi_u8(b, scope[i].id);
		vmm_acpi_u8(b, scope[i].bus);
		vmm_acpi_bytes(b, scope[i].path, 2 * (size_t)scope[i].hops);
	}
}

/* Begins a structure of @fixed bytes and the scopes behind it. */
static bool structure(struct vmm_acpi *b, uint16_t type, uint32_t fixed,
		      const struct vmm_acpi_scope *scope, uint32_t scopes)
{
	uint32_t more;

	if (!vmm__acpi_inside(b, "DMAR"))
		return false;
	more = scopes > 1024 || (scopes != 0 && scope == NULL) ? UINT32_MAX
							       : scopes_length(scope, scopes);
	if (more > UINT16_MAX - fixed)
		return vmm__acpi_fail(b, VMM_EINVAL) == 0;
	vmm_acpi_u16(b, type);
	vmm_acpi_u16(b, (uint16_t)(fixed + more));
	return true;
}

int vmm_acpi_dmar_drhd(struct vmm_acpi *b, uint8_t flags, uint16_t segment, uint64_t base,
		       const struct vmm_acpi_scope *scope, uint32_t scopes)
{
	if (!structure(b, 0, 16, scope, scopes))
		return vmm_acpi_error(b);
	vmm_acpi_u8(b, flags);
	vmm_acpi_u8(b, 0); /* size of the register set: 4 KiB */
	vmm_acpi_u16(b, segment);
	vmm_acpi_u64(b, base);
	put_scopes(b, scope, scopes);
	return vmm_acpi_error(b);
}

int vmm_acpi_dmar_rmrr(struct vmm_acpi *b, uint16_t segment, uint64_t base, uint64_t last,
		       const struct vmm_acpi_scope *scope, uint32_t scopes)
{
	if ((base & 0xfff) != 0 || (last & 0xfff) != 0xfff || base > last)
		return vmm__acpi_fail(b, VMM_EINVAL);
	if (!structure(b, 1, 24, scope, scopes))
		return vmm_acpi_error(b);
	vmm_acpi_u16(b, 0);
	vmm_acpi_u16(b, segment);
	vmm_acpi_u64(b, base);
	vmm_acpi_u64(b, last);
	put_scopes(b, scope, scopes);
	return vmm_acpi_error(b);
}

int vmm_acpi_dmar_atsr(struct vmm_acpi *b, uint8_t flags, uint16_t segment,
		       const struct vmm_acpi_scope *scope, uint32_t scopes)
{
	if (!structure(b, 2, 8, scope, scopes))
		return vmm_acpi_error(b);
	vmm_acpi_u8(b, flags);
	vmm_acpi_u8(b, 0);
	vmm_acpi_u16(b, segment);
	put_scopes(b, scope, scopes);
	return vmm_acpi_error(b);
}

int vmm_acpi_dmar_rhsa(struct vmm_acpi *b, uint64_t base, uint32_t domain)
{
	if (!structure(b, 3, 20, NULL, 0))
		return vmm_acpi_error(b);
	vmm_acpi_u32(b, 0);
	vmm_acpi_u64(b, base);
	return vmm_acpi_u32(b, domain);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Processor Properties Topology Table. ACPI 6.5, 5.2.30; nodes point at each other by offset. */
#include "acpi_emit.h"

int vmm_acpi_pptt_begin(struct vmm_acpi *b)
{
	return vmm_acpi_table_begin(b, "PPTT", 3);
}

static uint32_t node(struct vmm_acpi *b, uint8_t type, uint32_t len)
{
	uint32_t at = vmm__acpi_here(b);

	if (!vmm__acpi_inside(b, "PPTT"))
		return 0;
	vmm_acpi_u8(b, type);
	vmm_acpi_u8(b, (uint8_t)len);
	vmm_acpi_u16(b, 0);
	return at;
}

/* What is pointed at must be there already; 5.2.30 wants no order, but loops need one. */
static bool is_ref(const struct vmm_acpi *b, uint32_t ref)
{
	return ref == 0 || (ref >= 36 && ref < vmm__acpi_here(b));
}

int vmm_acpi_pptt_processor(struct vmm_acpi *b, uint32_t parent, uint32_t flags, uint32_t uid,
			    const uint32_t *caches, uint32_t count, uint32_t *ref)
{
	uint32_t at;

	if (count > 58 || (count != 0 && caches == NULL) || !is_ref(b, parent))
		return vmm__acpi_fail(b, VMM_EINVAL);
	for (uint32_t i = 0; i < count; i++)
		if (caches[i] == 0 || !is_ref(b, caches[i]))
			return vmm__acpi_fail(b, VMM_EINVAL);
	at = node(b, 0, 20 + 4 * count);
	vmm_acpi_u32(b, flags);
	vmm_acpi_u32(b, parent);
	vmm_acpi_u32(b, uid);
	vmm_acpi_u32(b, count);
	for (uint32_t i = 0; i < count; i++)
		vmm_acpi_u32(b, caches[i]);
	return vmm__acpi_refer(b, at, ref);
}

/* 5.2.30.2: flags say which fields are valid: all eight. */
int vmm_acpi_pptt_cache(struct vmm_acpi *b, const struct vmm_acpi_cache *c, uint32_t *ref)
{
	uint32_t at;

	if (c == NULL || c->size != sizeof(*c) || c->attributes > 0x1f || !is_ref(b, c->next))
		return vmm__acpi_fail(b, VMM_EINVAL);
	at = node(b, 1, 28);
	vmm_acpi_u32(b, 0xff);
	vmm_acpi_u32(b, c->next);
	vmm_acpi_u32(b, c->bytes);
	vmm_acpi_u32(b, c->sets);
	vmm_acpi_u8(b, c->ways);
	vmm_acpi_u8(b, c->attributes);
	vmm_acpi_u16(b, c->line);
	vmm_acpi_u32(b, c->id);
	return vmm__acpi_refer(b, at, ref);
}

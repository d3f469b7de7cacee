// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Errors of the hardware: HEST, BERT, EINJ, ERST. ACPI 6.5, chapter 18. */
#include "acpi_emit.h"

int vmm_acpi_hest_begin(struct vmm_acpi *b)
{
	vmm_acpi_table_begin(b, "HEST", 1);
	return vmm_acpi_u32(b, 0); /* number of sources, counted below */
}

/* 18.3.2.9: Hardware Error Notification. */
static void put_notification(struct vmm_acpi *b, const struct vmm_acpi_ghes *g)
{
	vmm_acpi_u8(b, g->notify);
	vmm_acpi_u8(b, 28);
	vmm_acpi_u16(b, 0); /* configuration write enable */
	vmm_acpi_u32(b, g->poll);
	vmm_acpi_u32(b, g->vector);
	vmm_acpi_zeros(b, 16); /* thresholds and their windows */
}

int vmm_acpi_hest_ghes(struct vmm_acpi *b, const struct vmm_acpi_ghes *g)
{
	if (g == NULL || g->size != sizeof(*g) || g->notify > 11)
		return vmm__acpi_fail(b, VMM_EINVAL);
	if (!vmm__acpi_inside(b, "HEST"))
		return vmm_acpi_error(b);
	vmm__acpi_count(b, 36, 4);
	vmm_acpi_u16(b, 10); /* generic, version 2 */
	vmm_acpi_u16(b, g->id);
	vmm_acpi_u16(b, g->related);
	vmm_acpi_u8(b, 0);
	vmm_acpi_u8(b, 1); /* enabled */
	vmm_acpi_u32(b, g->records);
	vmm_acpi_u32(b, g->sections);
	vmm_acpi_u32(b, g->raw_len);
	vmm_acpi_address(b, &g->status);
	put_notification(b, g);
	vmm_acpi_u32(b, g->status_len);
	vmm_acpi_address(b, &g->ack);
	vmm_acpi_u64(b, g->ack_preserve);
	return vmm_acpi_u64(b, g->ack_write);
}

int vmm_acpi_add_bert(struct vmm_acpi *b, uint32_t len, uint64_t region)
{
	vmm_acpi_table_begin(b, "BERT", 1);
	vmm_acpi_u32(b, len);
	vmm_acpi_u64(b, region);
	return vmm_acpi_table_finish(b);
}

/* 18.6.1. */
int vmm_acpi_einj_begin(struct vmm_acpi *b)
{
	vmm_acpi_table_begin(b, "EINJ", 1);
	vmm_acpi_u32(b, 12); /* bytes of this header */
	vmm_acpi_u32(b, 0);
	return vmm_acpi_u32(b, 0); /* number of entries, counted below */
}

/* 18.5.1. */
int vmm_acpi_erst_begin(struct vmm_acpi *b)
{
	vmm_acpi_table_begin(b, "ERST", 1);
	vmm_acpi_u32(b, 48); /* bytes of the whole header */
	vmm_acpi_u32(b, 0);
	return vmm_acpi_u32(b, 0); /* number of entries, counted below */
}

static int entry(struct vmm_acpi *b, const char *table, const struct vmm_acpi_ras_entry *e)
{
	if (e == NULL || e->size != sizeof(*e))
		return vmm__acpi_fail(b, VMM_EINVAL);
	if (!vmm__acpi_inside(b, table))
		return vmm_acpi_error(b);
	vmm__acpi_count(b, 44, 4);
	vmm_acpi_u8(b, e->action);
	vmm_acpi_u8(b, e->instruction);
	vmm_acpi_u8(b, e->flags);
	vmm_acpi_u8(b, 0);
	vmm_acpi_address(b, &e->reg);
	vmm_acpi_u64(b, e->value);
	return vmm_acpi_u64(b, e->mask);
}

int vmm_acpi_einj_entry(struct vmm_acpi *b, const struct vmm_acpi_ras_entry *e)
{
	return entry(b, "EINJ", e);
}

int vmm_acpi_erst_entry(struct vmm_acpi *b, const struct vmm_acpi_ras_entry *e)
{
	return entry(b, "ERST", e);
}

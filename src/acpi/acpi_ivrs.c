// SPDX-License-Identifier: BSD-2-Clause-Patent
/* I/O Virtualization Reporting Structure. AMD I/O Virtualization (48882) 3.08, 5.2. */
#include "acpi_emit.h"

int vmm_acpi_ivrs_begin(struct vmm_acpi *b, uint32_t ivinfo)
{
	vmm_acpi_table_begin(b, "IVRS", 2);
	vmm_acpi_u32(b, ivinfo);
	return vmm_acpi_u64(b, 0);
}

/* 5.2.2.2: entries of type 00h to 3fh have 4 bytes, 40h to 7fh have 8. */
static uint32_t entry_length(uint8_t type)
{
	return type < 0x40 ? 4 : 8;
}

static bool is_entry(const struct vmm_acpi_ivhd_entry *e)
{
	switch (e->type) {
	case VMM_ACPI_IVHD_ALL:
	case VMM_ACPI_IVHD_SELECT:
	case VMM_ACPI_IVHD_RANGE_START:
	case VMM_ACPI_IVHD_RANGE_END:
	case VMM_ACPI_IVHD_ALIAS:
	case VMM_ACPI_IVHD_ALIAS_START:
		return true;
	case VMM_ACPI_IVHD_SPECIAL:
		return e->device == 0 &&
		       (e->variety == VMM_ACPI_IVHD_IOAPIC || e->variety == VMM_ACPI_IVHD_HPET);
	default:
		return false;
	}
}

static void put_entry(struct vmm_acpi *b, const struct vmm_acpi_ivhd_entry *e)
{
	vmm_acpi_u8(b, e->type);
	vmm_acpi_u16(b, e->device);
	vmm_acpi_u8(b, e->data);
	if (entry_length(e->type) == 4)
		return;
	if (e->type == VMM_ACPI_IVHD_SPECIAL) {
		vmm_acpi_u8(b, e->handle);
		vmm_acpi_u16(b, e->source);
		vmm_acpi_u8(b, e->variety);
	} else {
		vmm_acpi_u8(b, 0);
		vmm_acpi_u16(b, e->source);
		vmm_acpi_u8(b, 0);
	}
}

/* Bytes of the whole structure; 0 if it is malformed or too long for its 16-bit length. */
static uint32_t ivhd_length(const struct vmm_acpi_ivhd *h)
{
	uint32_t len = h->type == 0x10 ? 24 : 40;

	if (h->size != sizeof(*h) || (h->type != 0x10 && h->type != 0x11 && h->type != 0x40))
		return 0;
	if (h->entries > 4096 || (h->entries != 0 && h->entry == NULL))
		return 0;
	for (uint32_t i = 0; i < h->entries; i++) {
		if (!is_entry(&h->entry[i]))
			return 0;
		len += entry_length(h->entry[i].type);
	}
	return len;
}

int vmm_acpi_ivrs_ivhd(struct vmm_acpi *b, const struct vmm_acpi_ivhd *h)
{
	uint32_t len = h != NULL ? ivhd_length(h) : 0;

	if (len == 0)
		return vmm__acpi_fail(b, VMM_EINVAL);
	if (!vmm__acpi_inside(b, "IVRS"))
		return vmm_acpi_error(b);
	vmm_acpi_u8(b, h->type);
	vmm_acpi_u8(b, h->flags);
	vmm_acpi_u16(b, (uint16_t)len);
	vmm_acpi_u16(b, h->device);
	vmm_acpi_u16(b, h->cap);
	vmm_acpi_u64(b, h->base);
	vmm_acpi_u16(b, h->segment);
	vmm_acpi_u16(b, h->info);
	vmm_acpi_u32(b, h->features);
	if (h->type != 0x10) {
		vmm_acpi_u64(b, h->efr);
		vmm_acpi_u64(b, h->efr2);
	}
	for (uint32_t i = 0; i < h->entries; i++)
		put_entry(b, &h->entry[i]);
	return vmm_acpi_error(b);
}

int vmm_acpi_ivrs_ivmd(struct vmm_acpi *b, uint8_t type, uint8_t flags, uint16_t first,
		       uint16_t last, uint64_t base, uint64_t len)
{
	if (type < 0x20 || type > 0x22)
		return vmm__acpi_fail(b, VMM_EINVAL);
	if (!vmm__acpi_inside(b, "IVRS"))
		return vmm_acpi_error(b);
	vmm_acpi_u8(b, type);
	vmm_acpi_u8(b, flags);
	vmm_acpi_u16(b, 32);
	vmm_acpi_u16(b, first);
	vmm_acpi_u16(b, last);
	vmm_acpi_u64(b, 0);
	vmm_acpi_u64(b, base);
	return vmm_acpi_u64(b, len);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The memory map out of the ranges that also make the E820, so that the two cannot differ. RAM is
 * cut into pages that a loader's areas touch and pages that they do not.
 */
#include "bits.h"
#include "endian.h"
#include "libvmm/uefi.h"
#include "mem.h"
#include "uefi_table.h"

_Static_assert(VMM_UEFI_DESCRIPTOR_LEN == EFI_MEMORY_STRIDE, "");
_Static_assert(VMM_UEFI_DESCRIPTOR_VERSION == EFI_MEMORY_VERSION, "");

int vmm_uefi_map_begin(struct vmm_uefi_map *map, const struct vmm_load_range *ranges,
		       uint32_t range_count, const struct vmm_boot_area *areas, uint32_t area_count)
{
	if (map == NULL || ranges == NULL || (areas == NULL && area_count != 0))
		return -VMM_EINVAL;
	for (uint32_t i = 0; i < range_count; i++) {
		const struct vmm_load_range *r = &ranges[i];

		if (!vmm__is_aligned(r->base | r->size, EFI_PAGE))
			return -VMM_EALIGN;
		if (r->size == 0 || r->base > UINT64_MAX - r->size || r->uefi >= EFI_MEMORY_TYPES)
			return -VMM_EINVAL;
	}
	*map = (struct vmm_uefi_map){
		.ranges = ranges,
		.areas = areas,
		.range_count = range_count,
		.area_count = area_count,
		.at = range_count > 0 ? ranges[0].base : 0,
	};
	return 0;
}

/* The end of the areas whose pages reach from @at on without a gap; @at if none is there. */
static uint64_t areas_end(const struct vmm_uefi_map *map, uint64_t at)
{
	bool grown = true;

	while (grown) {
		grown = false;
		for (uint32_t i = 0; i < map->area_count; i++) {
			const struct vmm_boot_area *a = &map->areas[i];
			const uint64_t end = vmm__align_up(a->base + a->size, EFI_PAGE);

			if (vmm__align_down(a->base, EFI_PAGE) <= at && end > at) {
				at = end;
				grown = true;
			}
		}
	}
	return at;
}

/* Where the next area's first page is, @end if there is none before it. */
static uint64_t next_area(const struct vmm_uefi_map *map, uint64_t at, uint64_t end)
{
	for (uint32_t i = 0; i < map->area_count; i++) {
		const uint64_t base = vmm__align_down(map->areas[i].base, EFI_PAGE);

		if (base >= at && base < end)
			end = base;
	}
	return end;
}

static uint32_t type_of(const struct vmm_load_range *r)
{
	if (r->uefi != 0)
		return r->uefi;
	switch (r->type) {
	case VMM_LOAD_RAM:
		return EFI_MEMORY_CONVENTIONAL;
	case VMM_LOAD_ACPI:
		return EFI_MEMORY_ACPI;
	case VMM_LOAD_NVS:
		return EFI_MEMORY_NVS;
	case VMM_LOAD_UNUSABLE:
		return EFI_MEMORY_UNUSABLE;
	default:
		return EFI_MEMORY_RESERVED;
	}
}

/* What the memory can do, and what the runtime services need of it. */
static uint64_t attributes_of(uint32_t type)
{
	switch (type) {
	case EFI_MEMORY_RUNTIME_CODE:
	case EFI_MEMORY_RUNTIME_DATA:
		return EFI_MEMORY_RAM | EFI_MEMORY_RUNTIME;
	case EFI_MEMORY_MMIO:
		return EFI_MEMORY_UC | EFI_MEMORY_RUNTIME;
	case EFI_MEMORY_RESERVED:
	case EFI_MEMORY_UNUSABLE:
		return 0;
	default:
		return EFI_MEMORY_RAM;
	}
}

static void put(uint8_t *descriptor, uint32_t type, uint64_t base, uint64_t end)
{
	memset(descriptor, 0, EFI_MEMORY_STRIDE);
	vmm__put_le32(descriptor + offsetof(struct efi_memory, type), type);
	vmm__put_le64(descriptor + offsetof(struct efi_memory, physical), base);
	vmm__put_le64(descriptor + offsetof(struct efi_memory, pages), (end - base) / EFI_PAGE);
	vmm__put_le64(descriptor + offsetof(struct efi_memory, attributes), attributes_of(type));
}

/* The end of the piece that begins at map->at, and its type. */
static uint64_t piece(const struct vmm_uefi_map *map, const struct vmm_load_range *r,
		      uint32_t *type)
{
	const uint64_t range_end = r->base + r->size;
	uint64_t end;

	*type = type_of(r);
	if (*type != EFI_MEMORY_CONVENTIONAL)
		return range_end;
	end = areas_end(map, map->at);
	if (end == map->at)
		return next_area(map, map->at, range_end);
	*type = EFI_MEMORY_LOADER_DATA;
	return end < range_end ? end : range_end;
}

int vmm_uefi_map_next(struct vmm_uefi_map *map, uint8_t *descriptor)
{
	const struct vmm_load_range *r;
	uint32_t type;
	uint64_t end;

	if (map->range == map->range_count)
		return -VMM_ENOENT;
	r = &map->ranges[map->range];
	end = piece(map, r, &type);
	put(descriptor, type, map->at, end);
	map->at = end;
	if (end == r->base + r->size) {
		map->range++;
		map->at = map->range < map->range_count ? r[1].base : 0;
	}
	return 0;
}

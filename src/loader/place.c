// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Where things go in guest memory: free RAM is what the map calls RAM, less the areas in use. */
#include "load.h"

/* Tables start above the real-mode vectors and BIOS data, and end where the EBDA may begin. */
#define TABLES_BASE UINT64_C(0x1000)
#define TABLES_END  UINT64_C(0x9f000)

int vmm__load_check_target(const struct vmm__load *load)
{
	const struct vmm_load_target *target = load->target;
	uint64_t end = 0;

	if (!target->ranges || target->range_count == 0 || !target->write)
		return LOAD_FAIL(load, -VMM_EINVAL,
				 "the target has no memory map or no write function");
	if (target->range_count > VMM_LOAD_RANGES_MAX)
		return LOAD_FAIL(load, -VMM_ELIMIT, "%llu memory ranges, at most %llu are possible",
				 ULL(target->range_count), ULL(VMM_LOAD_RANGES_MAX));
	for (uint32_t i = 0; i < target->range_count; i++) {
		const struct vmm_load_range *range = &target->ranges[i];

		if (range->size == 0 || !vmm__range_within(range->base, range->size, VMM__PHYS_END))
			return LOAD_FAIL(
				load, -VMM_EINVAL,
				"memory range at 0x%llx with size 0x%llx is empty or too high",
				ULL(range->base), ULL(range->size));
		if (range->base < end)
			return LOAD_FAIL(
				load, -VMM_EINVAL,
				"memory range at 0x%llx begins before the last one's end, 0x%llx",
				ULL(range->base), ULL(end));
		end = range->base + range->size;
	}
	return 0;
}

/* The next stretch of RAM, [*from, *to), made of ranges that touch; @i walks over the map. */
static bool next_ram(const struct vmm_load_target *target, uint32_t *i, uint64_t *from,
		     uint64_t *to)
{
	const struct vmm_load_range *ranges = target->ranges;

	while (*i < target->range_count && ranges[*i].type != VMM_LOAD_RAM)
		(*i)++;
	if (*i == target->range_count)
		return false;
	*from = *to = ranges[*i].base;
	while (*i < target->range_count && ranges[*i].type == VMM_LOAD_RAM &&
	       ranges[*i].base == *to)
		*to += ranges[(*i)++].size;
	return true;
}

static bool is_ram(const struct vmm_load_target *target, uint64_t base, uint64_t size)
{
	uint64_t from, to;

	for (uint32_t i = 0; next_ram(target, &i, &from, &to);) {
		if (base >= from && vmm__range_within(base - from, size, to - from))
			return true;
	}
	return false;
}

uint64_t vmm__load_ram_from(const struct vmm__load *load, uint64_t base, uint64_t end)
{
	uint64_t from, to;

	for (uint32_t i = 0; next_ram(load->target, &i, &from, &to);) {
		if (base >= from && base < to)
			return (to < end ? to : end) - base;
	}
	return 0;
}

/* The area that shares a byte with [base, base + size), or NULL. */
static const struct vmm_boot_area *conflict(const struct vmm_boot *boot, uint64_t base,
					    uint64_t size)
{
	for (uint32_t i = 0; i < boot->area_count; i++) {
		const struct vmm_boot_area *area = &boot->areas[i];

		if (vmm__ranges_overlap(base, size, area->base, area->size))
			return area;
	}
	return NULL;
}

static int add_area(struct vmm__load *load, uint64_t base, uint64_t size, uint32_t what,
		    uint32_t index)
{
	struct vmm_boot *boot = load->boot;

	if (boot->area_count == VMM_BOOT_AREAS_MAX)
		return LOAD_FAIL(load, -VMM_ELIMIT, "more than %llu segments, modules and tables",
				 ULL(VMM_BOOT_AREAS_MAX));
	boot->areas[boot->area_count++] = (struct vmm_boot_area){base, size, what, index};
	return 0;
}

int vmm__load_reserve(struct vmm__load *load, uint64_t base, uint64_t size, uint32_t what,
		      uint32_t index)
{
	const struct vmm_boot_area *other;

	if (size == 0 || !is_ram(load->target, base, size))
		return LOAD_FAIL(
			load, -VMM_ERANGE,
			"part %llu of the image, %llu bytes at 0x%llx, does not lie in RAM",
			ULL(index), ULL(size), ULL(base));
	other = conflict(load->boot, base, size);
	if (other)
		return LOAD_FAIL(load, -VMM_EFORMAT,
				 "part %llu of the image at 0x%llx overlaps the one at 0x%llx",
				 ULL(index), ULL(base), ULL(other->base));
	return add_area(load, base, size, what, index);
}

/* Lowest free place in [from, to); every step passes an area, so it ends. */
static bool find_up(const struct vmm_boot *boot, const struct vmm__place *place, uint64_t from,
		    uint64_t to, uint64_t *base)
{
	const struct vmm_boot_area *area;
	uint64_t at = vmm__align_up(from, place->align);

	while (at <= to && place->size <= to - at) {
		area = conflict(boot, at, place->size);
		if (!area) {
			*base = at;
			return true;
		}
		at = vmm__align_up(area->base + area->size, place->align);
	}
	return false;
}

/* The highest one: a conflict moves the end down to the area in the way. */
static bool find_down(const struct vmm_boot *boot, const struct vmm__place *place, uint64_t from,
		      uint64_t to, uint64_t *base)
{
	const struct vmm_boot_area *area;
	uint64_t at;

	while (to > from && place->size <= to - from) {
		at = vmm__align_down(to - place->size, place->align);
		if (at < from)
			return false;
		area = conflict(boot, at, place->size);
		if (!area) {
			*base = at;
			return true;
		}
		to = area->base;
	}
	return false;
}

static const char *what_name(uint32_t what)
{
	static const char *const names[] = {
		[VMM_BOOT_AREA_IMAGE] = "the kernel",
		[VMM_BOOT_AREA_MODULE] = "an initrd or module",
		[VMM_BOOT_AREA_CMDLINE] = "the command line",
		[VMM_BOOT_AREA_INFO] = "the boot information",
		[VMM_BOOT_AREA_MEMMAP] = "the memory map",
		[VMM_BOOT_AREA_MODLIST] = "the list of modules",
		[VMM_BOOT_AREA_GDT] = "the descriptor table",
		[VMM_BOOT_AREA_PAGING] = "page tables",
	};

	return names[what];
}

static int placed(struct vmm__load *load, const struct vmm__place *place, bool found, uint64_t base)
{
	if (!found)
		return LOAD_FAIL(load, -VMM_ERANGE,
				 "no RAM for %s: no %llu bytes are free in 0x%llx to 0x%llx",
				 what_name(place->what), ULL(place->size), ULL(place->min),
				 ULL(place->end));
	return add_area(load, base, place->size, place->what, place->index);
}

/* The part of [*from, *to) that the place may be in. */
static void narrow(const struct vmm__place *place, uint64_t *from, uint64_t *to)
{
	if (*from < place->min)
		*from = place->min;
	if (*to > place->end)
		*to = place->end;
}

int vmm__load_place_up(struct vmm__load *load, const struct vmm__place *place, uint64_t *base)
{
	uint64_t from, to;
	bool found = false;

	*base = 0;
	for (uint32_t i = 0; !found && next_ram(load->target, &i, &from, &to);) {
		narrow(place, &from, &to);
		found = find_up(load->boot, place, from, to, base);
	}
	return placed(load, place, found, *base);
}

int vmm__load_place_down(struct vmm__load *load, const struct vmm__place *place, uint64_t *base)
{
	uint64_t from, to;
	bool found = false;

	*base = 0;
	for (uint32_t i = 0; next_ram(load->target, &i, &from, &to);) {
		narrow(place, &from, &to);
		found |= find_down(load->boot, place, from, to, base);
	}
	return placed(load, place, found, *base);
}

int vmm__load_place_table(struct vmm__load *load, uint64_t size, uint64_t align, uint32_t what,
			  uint64_t *base)
{
	struct vmm__place place = {size, align, TABLES_BASE, TABLES_END, what, 0};
	int err = vmm__load_place_up(load, &place, base);

	if (err != -VMM_ERANGE)
		return err;
	place.min = VMM__1MIB;
	place.end = VMM__4GIB;
	return vmm__load_place_up(load, &place, base);
}

uint64_t vmm__load_string_size(const char *text)
{
	uint64_t len = 0;

	if (!text)
		return 0;
	while (text[len])
		len++;
	return len + 1;
}

int vmm__load_place_cmdline(struct vmm__load *load, uint64_t max, uint64_t *base)
{
	uint64_t size = vmm__load_string_size(load->args->cmdline);

	*base = 0;
	if (size == 0)
		return 0;
	if (size - 1 > max)
		return LOAD_FAIL(
			load, -VMM_ELIMIT,
			"the command line has %llu characters, the image takes at most %llu",
			ULL(size - 1), ULL(max));
	return vmm__load_place_table(load, size, 16, VMM_BOOT_AREA_CMDLINE, base);
}

int vmm__load_place_modlist(struct vmm__load *load, uint64_t list_size, uint64_t *base)
{
	const struct vmm_load_args *args = load->args;
	uint64_t size = list_size;

	for (uint32_t i = 0; i < args->module_count; i++)
		size += vmm__load_string_size(args->modules[i].cmdline);
	return vmm__load_place_table(load, size, 16, VMM_BOOT_AREA_MODLIST, base);
}

uint64_t vmm__load_module_base(const struct vmm__load *load, uint32_t index)
{
	const struct vmm_boot *boot = load->boot;

	for (uint32_t i = 0; i < boot->area_count; i++) {
		if (boot->areas[i].what == VMM_BOOT_AREA_MODULE && boot->areas[i].index == index)
			return boot->areas[i].base;
	}
	return 0;
}

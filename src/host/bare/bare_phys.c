// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Free physical memory, as a sorted list of ranges that do not touch one another.
 *
 * A guest's RAM is a few blocks of any size and alignment, so there is little to look through. Each
 * block that is given may need one more range when it comes back; room for that is kept, so giving
 * back cannot fail.
 */
#include "bare_memory.h"
#include "mem.h"

#define RANGES 1024

struct range {
	uint64_t base, end;
};

struct bare_lock vmm__bare_memory_lock;

static struct range ranges[RANGES];
static uint32_t count; /* of ranges */
static uint32_t given; /* blocks that may come back */

static void insert(uint32_t at, uint64_t base, uint64_t end)
{
	memmove(&ranges[at + 1], &ranges[at], (count - at) * sizeof(ranges[0]));
	ranges[at] = (struct range){base, end};
	count++;
}

static void remove_range(uint32_t at)
{
	count--;
	memmove(&ranges[at], &ranges[at + 1], (count - at) * sizeof(ranges[0]));
}

/* Take [base, end), which lies within range @at, out of it. */
static void cut(uint32_t at, uint64_t base, uint64_t end)
{
	struct range *r = &ranges[at];
	const uint64_t tail = r->end;

	if (r->base == base && tail == end) {
		remove_range(at);
	} else if (r->base == base) {
		r->base = end;
	} else {
		r->end = base;
		if (tail != end)
			insert(at + 1, end, tail);
	}
}

void vmm__bare_phys_reserve(uint64_t base, uint64_t end)
{
	for (uint32_t i = count; i-- > 0 && count < RANGES;) {
		const uint64_t from = base > ranges[i].base ? base : ranges[i].base;
		const uint64_t to = end < ranges[i].end ? end : ranges[i].end;

		if (from < to)
			cut(i, from, to);
	}
}

void vmm__bare_phys_give(uint64_t pa, uint64_t size)
{
	const uint64_t end = pa + size;
	uint32_t at = 0;

	while (at < count && ranges[at].base < pa)
		at++;
	const bool joins_last = at > 0 && ranges[at - 1].end == pa;
	const bool joins_next = at < count && ranges[at].base == end;

	if (joins_last && joins_next) {
		ranges[at - 1].end = ranges[at].end;
		remove_range(at);
	} else if (joins_last) {
		ranges[at - 1].end = end;
	} else if (joins_next) {
		ranges[at].base = pa;
	} else {
		insert(at, pa, end);
	}
	given--;
}

void vmm__bare_phys_add(uint64_t base, uint64_t end)
{
	base = vmm__align_up(base, BARE_PAGE);
	end = vmm__align_down(end < BARE_STACKS_VA ? end : BARE_STACKS_VA, BARE_PAGE);
	if (base == 0 || base >= end || count + 2 >= RANGES)
		return;
	/* Firmware's maps may overlap. */
	vmm__bare_phys_reserve(base, end);
	given++;
	vmm__bare_phys_give(base, end - base);
}

bool vmm__bare_phys_take(uint64_t size, uint64_t align, bool low, uint64_t *pa)
{
	size = vmm__align_up(size, BARE_PAGE);
	if (align < BARE_PAGE)
		align = BARE_PAGE;
	if (size == 0 || count + given + 2 > RANGES)
		return false;
	for (uint32_t n = 0; n < count; n++) {
		const uint32_t i = low ? n : count - 1 - n;
		const struct range *r = &ranges[i];
		uint64_t base;

		if (r->end - r->base < size)
			continue;
		base = low ? vmm__align_up(r->base, align) : vmm__align_down(r->end - size, align);
		if (base < r->base || base > r->end - size)
			continue;
		cut(i, base, base + size);
		given++;
		*pa = base;
		return true;
	}
	return false;
}

bool vmm__bare_phys_overlaps(uint64_t base, uint64_t end)
{
	for (uint32_t i = 0; i < count; i++) {
		if (ranges[i].base < end && base < ranges[i].end)
			return true;
	}
	return false;
}

uint64_t vmm__bare_phys_free(void)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum += ranges[i].end - ranges[i].base;
	return sum;
}

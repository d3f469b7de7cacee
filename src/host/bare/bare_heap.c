// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The heap: free blocks in the order of their addresses, each with its length at its head.
 *
 * Who gives a block back tells its size, so blocks in use have no head, and pages are whole pages.
 * It grows by large pages, which it keeps: what has been the host's is never a guest's later.
 */
#include "bare_memory.h"

#define GRAIN UINT64_C(32)

struct block {
	struct block *next;
	uint64_t size;
};

static struct block *first;
static struct vmm_bare_usage use;

static void join(struct block *b)
{
	if (b->next != NULL && bare_address(b) + b->size == bare_address(b->next)) {
		b->size += b->next->size;
		b->next = b->next->next;
	}
}

static void put(uint64_t base, uint64_t size)
{
	struct block *b = (struct block *)(uintptr_t)base, *before = NULL;
	struct block **link = &first;

	while (*link != NULL && *link < b) {
		before = *link;
		link = &before->next;
	}
	*b = (struct block){.next = *link, .size = size};
	*link = b;
	join(b);
	if (before != NULL)
		join(before);
}

static void *take(uint64_t size, uint64_t align)
{
	for (struct block **link = &first; *link != NULL; link = &(*link)->next) {
		struct block *b = *link;
		const uint64_t base = bare_address(b), end = base + b->size;
		const uint64_t at = vmm__align_up(base, align);

		if (at < base || at > end || end - at < size)
			continue;
		*link = b->next;
		if (at + size != end)
			put(at + size, end - at - size);
		if (at != base)
			put(base, at - base);
		return (void *)(uintptr_t)at;
	}
	return NULL;
}

static bool grow(uint64_t size, uint64_t align)
{
	uint64_t pa;

	size = vmm__align_up(size + (align > BARE_LARGE ? align : 0), BARE_LARGE);
	if (!vmm__bare_phys_take(size, BARE_LARGE, true, &pa))
		return false;
	if (!vmm__bare_map_heap(pa, size)) {
		vmm__bare_phys_give(pa, size);
		return false;
	}
	use.heap_room += size;
	put(pa, size);
	vmm__bare_tables_refill(take);
	return true;
}

void *vmm__bare_heap_take(uint64_t size, uint64_t align)
{
	void *ptr;

	if (size > UINT64_MAX / 4 || align > UINT64_MAX / 4)
		return NULL;
	size = size == 0 ? GRAIN : vmm__align_up(size, GRAIN);
	if (align < GRAIN)
		align = GRAIN;
	ptr = take(size, align);
	if (ptr == NULL && grow(size, align))
		ptr = take(size, align);
	if (ptr == NULL)
		return NULL;
	use.heap_bytes += size;
	use.heap_blocks++;
	return ptr;
}

void vmm__bare_heap_give(void *ptr, uint64_t size)
{
	size = size == 0 ? GRAIN : vmm__align_up(size, GRAIN);
	use.heap_bytes -= size;
	use.heap_blocks--;
	put(bare_address(ptr), size);
}

void vmm__bare_heap_usage(struct vmm_bare_usage *usage)
{
	*usage = use;
	usage->phys_free = vmm__bare_phys_free();
}

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Memory of the bare host: physical ranges, the heap, the host's own page tables and windows.
 *
 * Virtual is physical for the image, the heap, boot modules and registers. Stacks lie apart, with
 * nothing mapped around each; so do the windows on what is else mapped nowhere. One lock serves
 * ranges, heap and tables.
 */
#ifndef VMM_BARE_MEMORY_H
#define VMM_BARE_MEMORY_H

#include <stdbool.h>

#include "bare_cpu.h"
#include "pt.h"

#define BARE_PAGE  UINT64_C(4096)
#define BARE_LARGE (UINT64_C(2) << 20)

/* What the tables map to other addresses. */
#define BARE_STACKS_VA  UINT64_C(0x0000700000000000)
#define BARE_STACKS_END UINT64_C(0x0000710000000000)
#define BARE_WINDOWS_VA UINT64_C(0xffff800000000000)

#define BARE_WINDOW_COUNT 16 /* of a CPU */
#define BARE_WINDOW_PAGES 4  /* of address space each; at most 3 are mapped */

extern struct bare_lock vmm__bare_memory_lock;

/* Ranges of free memory: bare_phys.c. Under the lock, but for those called at the start only. */
void vmm__bare_phys_add(uint64_t base, uint64_t end);
void vmm__bare_phys_reserve(uint64_t base, uint64_t end);
/* The highest place that fits, or the lowest. False when there is none. */
bool vmm__bare_phys_take(uint64_t size, uint64_t align, bool low, uint64_t *pa);
void vmm__bare_phys_give(uint64_t pa, uint64_t size);
bool vmm__bare_phys_overlaps(uint64_t base, uint64_t end);
uint64_t vmm__bare_phys_free(void);

/* The heap: bare_heap.c. Not zeroed. Under the lock. */
void *vmm__bare_heap_take(uint64_t size, uint64_t align);
void vmm__bare_heap_give(void *ptr, uint64_t size);
void vmm__bare_heap_usage(struct vmm_bare_usage *usage);

/* Tables: bare_paging.c. */
bool vmm__bare_paging_init(void);
extern uint64_t vmm__bare_root[512]; /* for CR3: below 4 GiB, as all of the image */
/* Under the lock. Rights are VMM__PROT_, memory types VMM__MEM_ of src/mmu. */
int vmm__bare_map(uint64_t va, uint64_t pa, uint64_t len, unsigned prot, unsigned mem);
void vmm__bare_unmap(uint64_t va, uint64_t len);
/* Maps what firmware or boot loader has left in memory where it is, for reading, for good. False
 * where that cannot be. */
bool vmm__bare_show(uint64_t pa, uint64_t len);
/* For the heap's growth: from pages kept ready, which are filled up again afterwards. */
bool vmm__bare_map_heap(uint64_t pa, uint64_t size);
void vmm__bare_tables_refill(void *(*take)(uint64_t size, uint64_t align));
bool vmm__bare_windows_init(struct bare_cpu *cpu, uint32_t index);
void *vmm__bare_window(uint64_t pa, uint32_t len, uint32_t memtype);
void vmm__bare_window_end(void *ptr, uint32_t len);
/* Zeroes memory that is mapped nowhere. */
void vmm__bare_zero(uint64_t pa, uint64_t size);

/* Linker script. */
extern char vmm__bare_text[], vmm__bare_rodata[], vmm__bare_data[], vmm__bare_end[];

static inline uint64_t bare_address(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Entries and levels: what the files of the memory engine share. */
#ifndef VMM_MMU_PT_ENTRY_H
#define VMM_MMU_PT_ENTRY_H

#include "bits.h"
#include "pt.h"

/* Where size counts nothing is copied for speed. */
#if defined(__OPTIMIZE_SIZE__)
#define ALWAYS_INLINE inline
#define UNROLL_8
#else
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define UNROLL_8      _Pragma("GCC unroll 8")
#endif

/*
 * An image says by -DVMM__PT_PLAIN=1 that all its tables are of the kind that processors and nested
 * paging have: then what tells other formats apart is known to the compiler, and vmm__pt_init()
 * gives -VMM_ENOTSUP for those.
 */
#if !defined(VMM__PT_PLAIN)
#define VMM__PT_PLAIN 0
#endif

/* The address of a table stays one value, to which the processor adds the index as it loads. */
#define KEEP(pointer) __asm__("" : "+r"(pointer))

/* Tests see every store: they compile these files with a definition of their own. */
#ifndef VMM__PT_STORED
#define VMM__PT_STORED(slot, value)
#endif

static inline uint64_t entry_get(const uint64_t *slot)
{
	return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

/* What was written before is seen by whoever sees this entry. */
static inline void entry_put(uint64_t *slot, uint64_t v)
{
	__atomic_store_n(slot, v, __ATOMIC_RELEASE);
	VMM__PT_STORED(slot, v);
}

static inline uint64_t entry_swap(uint64_t *slot, uint64_t v)
{
	uint64_t old = __atomic_exchange_n(slot, v, __ATOMIC_ACQ_REL);

	VMM__PT_STORED(slot, v);
	return old;
}

static inline bool entry_swap_if(uint64_t *slot, uint64_t *old, uint64_t v)
{
	if (!__atomic_compare_exchange_n(slot, old, v, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return false;
	VMM__PT_STORED(slot, v);
	return true;
}

static inline void entry_or(uint64_t *slot, uint64_t bits)
{
	uint64_t v = __atomic_or_fetch(slot, bits, __ATOMIC_ACQ_REL);

	(void)v;
	VMM__PT_STORED(slot, v);
}

/*
 * @n entries beginning with @v, each @step more than the one before. The loops to which the cost of
 * large ranges comes down: eight at a time, and no dearer for one.
 */
static inline void entry_fill(uint64_t *slot, uint64_t n, uint64_t v, uint64_t step)
{
	for (; n >= 8; n -= 8) {
		UNROLL_8
		for (unsigned k = 0; k < 8; k++, slot++, v += step) {
			__atomic_store_n(slot, v, __ATOMIC_RELAXED);
			VMM__PT_STORED(slot, v);
		}
	}
	for (; n > 0; n--, slot++, v += step) {
		__atomic_store_n(slot, v, __ATOMIC_RELAXED);
		VMM__PT_STORED(slot, v);
	}
}

/* Any of @bits in any of @n entries. */
static inline bool entry_any(const uint64_t *slot, uint64_t n, uint64_t bits)
{
	uint64_t all = 0;

	for (; n >= 8; n -= 8) {
		UNROLL_8
		for (unsigned k = 0; k < 8; k++, slot++)
			all |= __atomic_load_n(slot, __ATOMIC_RELAXED);
		if (all & bits)
			return true;
	}
	for (; n > 0; n--, slot++)
		all |= __atomic_load_n(slot, __ATOMIC_RELAXED);
	return (all & bits) != 0;
}

/*
 * The hardware's walks that begin from here on see what was stored. DDI 0487J.a D8.2.6: a DSB does
 * that for the processor; x86 needs nothing.
 */
static inline void walker_barrier(void)
{
#if defined(__aarch64__)
	__asm__ volatile("dsb ishst" ::: "memory");
#endif
}

/* What was stored before is seen before all that is stored from here on. */
static inline void store_fence(void)
{
#if !defined( \
	__SANITIZE_THREAD__) /* it knows no fences; every store that this one orders is atomic */
	__atomic_thread_fence(__ATOMIC_RELEASE);
#endif
}

static inline bool is_plain(const struct vmm__pt *pt)
{
	return VMM__PT_PLAIN || pt->plain;
}

static inline bool is_linear(const struct vmm__pt *pt)
{
	return VMM__PT_PLAIN || pt->linear;
}

/* log2 of a table's entries. */
static inline unsigned table_bits(const struct vmm__pt *pt)
{
	return VMM__PT_PLAIN ? 9 : pt->bits;
}

/* Bits that mark an odd size; 0: there are none. */
static inline uint64_t odd_bits(const struct vmm__pt *pt)
{
	return VMM__PT_PLAIN ? 0 : pt->odd;
}

/* log2 of the bytes that an entry of a level covers, and their number less one. */
static inline unsigned level_shift(const struct vmm__pt *pt, unsigned level)
{
	return (VMM__PT_PLAIN ? 12U : pt->shift) + level * table_bits(pt);
}

static inline uint64_t level_mask(const struct vmm__pt *pt, unsigned level)
{
	return BIT(level_shift(pt, level)) - 1;
}

/* Entries of a table. The root's are fewer or more than a full table's. */
static inline uint64_t level_entries(const struct vmm__pt *pt, unsigned level)
{
	return level + 1U == pt->levels ? pt->root_used : BIT(table_bits(pt));
}

static inline uint64_t level_index(const struct vmm__pt *pt, unsigned level, uint64_t ia)
{
	uint64_t i = ia >> level_shift(pt, level);

	return level + 1U == pt->levels ? i : i & (BIT(table_bits(pt)) - 1);
}

static inline bool is_table(const struct vmm__pt *pt, uint64_t e)
{
	return (e & pt->mark) != 0;
}

static inline bool is_present(const struct vmm__pt *pt, uint64_t e)
{
	return (e & pt->present) != 0;
}

/*
 * A table that was unlinked leaves its address behind in an entry without any other bit, which the
 * hardware ignores, until the invalidation is done and the table's page is free.
 */
static inline bool is_unlinked(const struct vmm__pt *pt, uint64_t e)
{
	return e != 0 && !is_present(pt, e);
}

static inline uint64_t addr_encode(const struct vmm__pt *pt, uint64_t pa)
{
	const struct vmm__pt_format *f = pt->format;

	if (VMM__PT_PLAIN)
		return pa & f->addr;
	return (pa & f->addr) | ((pa >> f->high_shift) & f->addr_high);
}

static inline uint64_t addr_decode(const struct vmm__pt *pt, uint64_t e)
{
	const struct vmm__pt_format *f = pt->format;

	if (VMM__PT_PLAIN)
		return e & f->addr;
	return (e & f->addr) | ((e & f->addr_high) << f->high_shift);
}

/*
 * Odd sizes: between one level's and the next's. Such a leaf stands in as many entries as it
 * covers, each the same, and its size in the address field: the lowest 0 bit from the smallest
 * page's up has half its value (48882 2.2.3, table 14). Every entry alone tells where its own part
 * leads, so that they can be changed one by one; accessed and dirty may be noted in any of them
 * (2.2.3.2).
 */
static inline bool is_odd(const struct vmm__pt *pt, uint64_t e)
{
	return odd_bits(pt) != 0 && (e & odd_bits(pt)) == odd_bits(pt);
}

/* Bytes that a leaf found at a level covers, less one. */
static inline uint64_t leaf_mask(const struct vmm__pt *pt, uint64_t e, unsigned level)
{
	uint64_t zeros = ~(e | level_mask(pt, 0));

	return is_odd(pt, e) ? 2 * FIELD_LSB(zeros) - 1 : level_mask(pt, level);
}

static inline uint64_t odd_encode(const struct vmm__pt *pt, uint64_t e, uint64_t mask)
{
	return e | odd_bits(pt) | (mask >> 1 & ~level_mask(pt, 0));
}

/* The leaf of the level's own size that maps what a leaf of a group does at @ia. */
static inline uint64_t odd_decode(const struct vmm__pt *pt, uint64_t e, unsigned level, uint64_t ia)
{
	uint64_t mask = leaf_mask(pt, e, level) & ~level_mask(pt, 0);

	if (!is_odd(pt, e))
		return e;
	return (e & ~(odd_bits(pt) | mask)) | (ia & mask & ~level_mask(pt, level));
}

/* The entries in which an odd leaf stands. */
struct group {
	uint64_t *slot;
	uint64_t n, first, last; /* input addresses */
};

static inline struct group group_of(const struct vmm__pt *pt, const uint64_t *slot, uint64_t e,
				    unsigned level, uint64_t ia)
{
	uint64_t mask = leaf_mask(pt, e, level), before = (ia & mask) >> level_shift(pt, level);

	return (struct group){(uint64_t *)(uintptr_t)(slot - before),
			      (mask >> level_shift(pt, level)) + 1, ia & ~mask, ia | mask};
}

static inline uint64_t group_noted(const struct vmm__pt *pt, struct group g)
{
	uint64_t noted = 0;

	for (uint64_t i = 0; i < g.n; i++)
		noted |= entry_get(g.slot + i);
	return noted & (pt->accessed | pt->dirty_set);
}

static inline uint64_t *table_at(const struct vmm__pt *pt, uint64_t pa)
{
	if (!VMM__PT_PLAIN && pt->ops->virt)
		return pt->ops->virt(pt->ctx, pa);
	return (uint64_t *)(uintptr_t)(pa + pt->offset);
}

/* The table that an entry leads to, or led to before it was unlinked. */
static inline uint64_t *table_of(const struct vmm__pt *pt, uint64_t e)
{
	return table_at(pt, addr_decode(pt, e));
}

/* The table that an entry of a level leads to. */
static inline uint64_t *table_below(const struct vmm__pt *pt, uint64_t e, unsigned level)
{
	if (is_linear(pt))
		return (uint64_t *)(uintptr_t)(e + pt->step[level].down);
	return table_of(pt, e);
}

static inline bool is_dirty(const struct vmm__pt *pt, uint64_t e)
{
	return (e & pt->dirty_mask) == pt->dirty_value || (e & pt->dirty_set);
}

/* Plain tables whose walkers look into caches, and keep nothing of what is not mapped. */
static inline void allow_quick(struct vmm__pt *pt)
{
	if (is_plain(pt) && !pt->ops->clean && !(pt->flags & VMM__PT_INVAL_MAP))
		pt->quick_below = pt->ia_last + 1;
}

/* The entry without its accessed and dirty bits. */
static inline uint64_t entry_clean(const struct vmm__pt *pt, uint64_t e)
{
	if ((e & pt->dirty_mask) == pt->dirty_value)
		e = (e & ~pt->dirty_mask) | pt->dirty_clean;
	return e & ~(pt->dirty_set | pt->accessed);
}

/* The leaf @e of a level, found for @ia. */
void vmm__pt_describe(const struct vmm__pt *pt, uint64_t ia, uint64_t e, unsigned level,
		      struct vmm__pt_leaf *leaf);

#endif

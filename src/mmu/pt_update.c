// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The writers of the memory engine. Every operation has three parts:
 *
 *   plan     walks the range, refuses what cannot be done, and counts the pages that will be needed
 *   commit   changes entries; it cannot fail, because the pages are there
 *   finish   invalidates once, then gives unlinked tables back
 *
 * so that a refused operation has not touched anything. Plan and commit step through the same
 * pieces of the range: in each table a run of entries that lie wholly in it, or one entry that its
 * end cuts.
 */
#include "pt.h"
#include "pt_entry.h"

/* Above all levels: no limit to the size of a leaf that stays whole. */
#define ANY_LEVEL VMM__PT_LEVELS

struct op {
	struct vmm__pt *pt;
	uint64_t first, last;
	uint64_t need; /* pages, from the plan */
	unsigned top;  /* highest level of leaves that lie wholly in the range */

	/* Map: attributes, and output less input address. */
	uint64_t bits, delta;

	/* The others make of each leaf (leaf & keep) | set. Unmap: 0, 0. Split: all, 0. */
	uint64_t keep, set;

	struct vmm__pt_inval inval;
	bool pending;  /* something to invalidate */
	bool unlinked; /* tables to give back after that */
	int error;     /* of an invalidation */
};

static bool is_unmap(const struct op *op)
{
	return op->keep == 0;
}

static bool is_split(const struct op *op)
{
	return op->keep == UINT64_MAX;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Entries from that of @a on, within one table, that lie wholly in [a, last]. */
static uint64_t whole_entries(const struct vmm__pt *pt, unsigned level, uint64_t a, uint64_t last)
{
	uint64_t mask = level_mask(pt, level), n;

	if ((a & mask) != 0 || last - a < mask)
		return 0;
	n = ((last - a) >> level_shift(pt, level)) + (((last - a) & mask) == mask);
	return least(n, level_entries(pt, level) - level_index(pt, level, a));
}

/* Entries of a level that one end of the range, or both, cuts. */
static uint64_t cut_entries(const struct vmm__pt *pt, unsigned level, uint64_t first, uint64_t last)
{
	uint64_t mask = level_mask(pt, level);
	uint64_t head = (first & mask) != 0, tail = (last & mask) != mask;

	if ((first & ~mask) == (last & ~mask))
		return head | tail;
	return head + tail;
}

/*
 * Tables for a range where nothing is yet, from the one table of @level that holds it down: an
 * entry needs a table below it unless it lies wholly in the range and can be a leaf.
 */
static uint64_t tables_for(const struct vmm__pt *pt, unsigned top, unsigned level, uint64_t first,
			   uint64_t last)
{
	uint64_t n = 1;

	for (unsigned l = level; l > 0; l--) {
		unsigned shift = level_shift(pt, l);

		n += l > top ? (last >> shift) - (first >> shift) + 1
			     : cut_entries(pt, l, first, last);
	}
	return n;
}

/* Highest level of leaves that may join these two addresses. */
static unsigned top_for(const struct vmm__pt *pt, uint64_t ia, uint64_t oa)
{
	unsigned l = pt->top;

	while (l > 0 && ((ia ^ oa) & level_mask(pt, l)) != 0)
		l--;
	return l;
}

static int check_range(const struct vmm__pt *pt, uint64_t ia, uint64_t len)
{
	uint64_t last = ia + len - 1;

	if (len == 0)
		return -VMM_EINVAL;
	if (((ia | len) & level_mask(pt, 0)) != 0)
		return -VMM_EALIGN;
	return last < ia || last > pt->ia_last ? -VMM_ERANGE : 0;
}

static int check_output(const struct vmm__pt *pt, uint64_t oa, uint64_t len)
{
	uint64_t last = oa + len - 1;

	if ((oa & level_mask(pt, 0)) != 0)
		return -VMM_EALIGN;
	return last < oa || last > pt->oa_last ? -VMM_ERANGE : 0;
}

/* What the table's flags refuse has no encoding in the table, either. */
static inline int check_prot(const struct vmm__pt *pt, unsigned prot)
{
	return prot < VMM__PROT_COUNT && pt->prot[prot] != 0 ? 0 : -VMM_ENOTSUP;
}

static inline int check_mem(const struct vmm__pt *pt, unsigned mem)
{
	return mem < VMM__MEM_COUNT && pt->mem[mem] != VMM__MEM_NONE ? 0 : -VMM_ENOTSUP;
}

static void clean(const struct vmm__pt *pt, const uint64_t *slot, uint64_t n)
{
	if (pt->ops->clean)
		pt->ops->clean(pt->ctx, slot, (size_t)n * sizeof(*slot));
}

/* Part of the path from the root that all of a range has in common, down to where it is less than
 * one entry. */
struct path {
	uint64_t *table[VMM__PT_LEVELS];
	uint64_t *slot[VMM__PT_LEVELS]; /* the entry that leads to table[l] */
	unsigned level;
};

static void descend(const struct vmm__pt *pt, uint64_t first, uint64_t last, struct path *p)
{
	uint64_t *t = pt->root;
	unsigned l = pt->levels - 1U;

	p->table[l] = t;
	while (l > 0 && (first ^ last) >> level_shift(pt, l) == 0 &&
	       last - first != level_mask(pt, l)) {
		uint64_t *slot = t + level_index(pt, l, first);
		uint64_t e = entry_get(slot);

		if (!is_table(pt, e))
			break;
		l--;
		t = table_of(pt, e);
		p->slot[l] = slot;
		p->table[l] = t;
	}
	p->level = l;
}

/* The table of 4 KiB pages around an address, or NULL. @levels: the table's, known to the compiler
 * if it can be. */
static ALWAYS_INLINE uint64_t *walk_4k(const struct vmm__pt *pt, uint64_t ia, unsigned levels)
{
	uint64_t *t = pt->root, mark = pt->mark, e = entry_get(t + (ia >> (12 + 9 * (levels - 1))));

#pragma GCC unroll 4
	for (unsigned l = levels - 1; l > 0; l--) {
		if (!(e & mark))
			return NULL;
		t = (uint64_t *)(uintptr_t)(e + pt->step[l].down);
		KEEP(t);
		e = l > 1 ? entry_get(t + ((ia >> (12 + 9 * (l - 1))) & 511)) : 0;
	}
	return t;
}

/*
 * Most calls change a few pages in one table that exists, and of the common kind: for them there is
 * nothing to plan. The table, or NULL where any of that is not so, or an argument is wrong. Less
 * than a whole table: that one is better unlinked.
 */
static ALWAYS_INLINE uint64_t *quick_table(const struct vmm__pt *pt, uint64_t ia, uint64_t oa,
					   uint64_t len)
{
	if (ia >= pt->quick_below || ((ia | oa | len) & 0xfff) != 0 || len - 1 >= (511 << 12) ||
	    (ia ^ (ia + len - 1)) >> 21 != 0)
		return NULL;
	return pt->levels == 4 ? walk_4k(pt, ia, 4) : walk_4k(pt, ia, pt->levels);
}

/*
 * From here to finish, what is not found may come back (see pt.h). The entries that follow are
 * stored with release, and so seen no sooner than this.
 */
static void begin_hole(struct vmm__pt *pt)
{
	if (!(pt->seq & 1))
		__atomic_store_n(&pt->seq, pt->seq + 1, __ATOMIC_RELEASE);
}

/* Pages given back before are reused only by stores that come after this one. */
static void end_hole(struct vmm__pt *pt)
{
	if (!(pt->seq & 1))
		return;
	__atomic_store_n(&pt->seq, pt->seq + 1, __ATOMIC_RELEASE);
	store_fence();
}

static int invalidate(const struct vmm__pt *pt, const struct vmm__pt_inval *inval)
{
	walker_barrier();
	return pt->ops->invalidate ? pt->ops->invalidate(pt->ctx, inval) : 0;
}

static void note(struct op *op, uint64_t first, uint64_t last)
{
	op->pending = true;
	op->inval.first = least(op->inval.first, first);
	if (op->inval.last < last)
		op->inval.last = last;
}

static void unlink_table(struct op *op, uint64_t *slot, uint64_t e)
{
	const struct vmm__pt_format *f = op->pt->format;

	begin_hole(op->pt);
	entry_put(slot, e & (f->addr | f->addr_high));
	op->unlinked = true;
	op->inval.tables = true;
}

/* None of eight entries leads to a table, or did before it was unlinked; mixed ones are left to a
 * closer look. */
static bool no_tables(const struct vmm__pt *pt, const uint64_t *slot)
{
	uint64_t any = 0, all = UINT64_MAX;

	UNROLL_8
	for (unsigned k = 0; k < 8; k++) {
		uint64_t e = __atomic_load_n(slot + k, __ATOMIC_RELAXED);

		any |= e;
		all &= e;
	}
	return any == 0 || (!is_table(pt, any) && is_present(pt, all));
}

/* Gives back a table and all below it; nothing but a late reader of software looks at them. */
static void free_table(struct vmm__pt *pt, uint64_t e, unsigned level)
{
	uint64_t *t = table_of(pt, e);

	for (uint64_t i = 0, n = level > 0 ? BIT(table_bits(pt)) : 0, below; i < n; i++) {
		if (i % 8 == 0 && n >= 8 && no_tables(pt, t + i)) {
			i += 7;
			continue;
		}
		below = entry_get(t + i);
		if (is_table(pt, below) || is_unlinked(pt, below))
			free_table(pt, below, level - 1);
	}
	vmm__pt_pool_add(pt, t, addr_decode(pt, e));
}

static void reap(struct vmm__pt *pt, uint64_t *t, unsigned level, uint64_t first, uint64_t last)
{
	for (uint64_t a = first, stop;; a = stop + 1) {
		uint64_t *slot = t + level_index(pt, level, a);
		uint64_t e = entry_get(slot);

		stop = least(last, a | level_mask(pt, level));
		if (is_unlinked(pt, e)) {
			free_table(pt, e, level - 1);
			entry_put(slot, 0);
			clean(pt, slot, 1);
		} else if (level > 1 && is_table(pt, e)) {
			reap(pt, table_below(pt, e, level), level - 1, a, stop);
		}
		if (stop == last)
			return;
	}
}

/* Tables that an earlier invalidation failed for. */
static int finish_stale(struct vmm__pt *pt)
{
	struct vmm__pt_inval all = {0, pt->ia_last, true};
	int r = invalidate(pt, &all);

	if (r != 0)
		return r;
	begin_hole(pt);
	if (pt->levels > 1)
		reap(pt, pt->root, pt->levels - 1U, 0, pt->ia_last);
	end_hole(pt);
	pt->stale = false;
	allow_quick(pt);
	return 0;
}

static void lock(const struct vmm__pt *pt)
{
	if (pt->ops->lock)
		pt->ops->lock(pt->ctx);
}

static int unlock(const struct vmm__pt *pt, int r)
{
	if (pt->ops->unlock)
		pt->ops->unlock(pt->ctx);
	return r;
}

static int reserve(struct vmm__pt *pt, uint64_t need)
{
	if (pt->pool_pages < need && pt->ops->refill)
		pt->ops->refill(pt->ctx, pt, need - pt->pool_pages);
	return pt->pool_pages < need ? -VMM_ENOMEM : 0;
}

static int finish(struct op *op)
{
	struct vmm__pt *pt = op->pt;
	int r = 0;

	if (op->pending)
		r = invalidate(pt, &op->inval);
	else
		walker_barrier();
	if (r != 0) {
		op->error = r;
		if (op->unlinked) {
			pt->stale = true;
			pt->quick_below = 0;
		}
	} else if (op->unlinked) {
		reap(pt, pt->root, pt->levels - 1U, op->first, op->last);
	}
	end_hole(pt);
	return op->error;
}

/* ---- map ---- */

static int plan_map(struct op *op, const uint64_t *t, unsigned level, uint64_t first, uint64_t last)
{
	const struct vmm__pt *pt = op->pt;

	for (uint64_t a = first, stop;; a = stop + 1) {
		const uint64_t *slot = t + level_index(pt, level, a);
		uint64_t n = level <= op->top ? whole_entries(pt, level, a, last) : 0;

		if (n != 0) {
			stop = a + (n << level_shift(pt, level)) - 1;
			if (entry_any(slot, n, UINT64_MAX))
				return -VMM_EEXIST;
		} else {
			uint64_t e = entry_get(slot);
			int r = 0;

			stop = least(last, a | level_mask(pt, level));
			if (e == 0)
				op->need += tables_for(pt, op->top, level - 1, a, stop);
			else if (is_table(pt, e))
				r = plan_map(op, table_below(pt, e, level), level - 1, a, stop);
			else
				r = -VMM_EEXIST;
			if (r != 0)
				return r;
		}
		if (stop == last)
			return 0;
	}
}

/* Leaves of all sizes that both addresses allow, each in as many entries as it covers. */
static void fill_groups(const struct vmm__pt *pt, uint64_t *slot, uint64_t n, unsigned level,
			uint64_t a, uint64_t v)
{
	unsigned shift = level_shift(pt, level);

	for (uint64_t i = 0, run; i < n; i += run) {
		uint64_t step = i << shift, free = (a + step) | addr_decode(pt, v + step);

		run = 1;
		while (run < BIT(table_bits(pt) - 1U) && 2 * run <= n - i &&
		       (free & ((2 * run << shift) - 1)) == 0 &&
		       2 * run << shift <= BIT(pt->odd_largest))
			run *= 2;
		entry_fill(slot + i, run,
			   run > 1 ? odd_encode(pt, v + step, (run << shift) - 1) : v + step, 0);
	}
}

/* Addresses whose high bits stand elsewhere do not carry into them: a run ends there. */
static void fill_leaves(const struct op *op, uint64_t *slot, uint64_t n, unsigned level, uint64_t a)
{
	const struct vmm__pt *pt = op->pt;
	unsigned shift = level_shift(pt, level);
	uint64_t carry = pt->addr + FIELD_LSB(pt->addr);

	for (uint64_t done = 0, run; done < n; done += run) {
		uint64_t oa = a + (done << shift) + op->delta;

		run = least(n - done, (carry - (oa & (carry - 1))) >> shift);
		if (odd_bits(pt) != 0)
			fill_groups(pt, slot + done, run, level, a + (done << shift),
				    addr_encode(pt, oa) | op->bits | pt->leaf[level]);
		else
			entry_fill(slot + done, run,
				   addr_encode(pt, oa) | op->bits | pt->leaf[level], BIT(shift));
	}
}

static void map_table(struct op *op, uint64_t *t, unsigned level, uint64_t first, uint64_t last,
		      bool fresh);

/* The table below is filled before the entry that leads to it appears. */
static void map_below(struct op *op, uint64_t *slot, unsigned level, uint64_t first, uint64_t last,
		      bool fresh)
{
	struct vmm__pt *pt = op->pt;
	uint64_t e = fresh ? 0 : entry_get(slot), pa;
	uint64_t *t;

	if (e != 0) {
		map_table(op, table_below(pt, e, level), level - 1, first, last, false);
		return;
	}
	t = vmm__pt_pool_take(pt, &pa);
	map_table(op, t, level - 1, first, last, true);
	entry_put(slot, addr_encode(pt, pa) | pt->table[level]);
}

/* A fresh table still has in it what it held before. */
static void map_table(struct op *op, uint64_t *t, unsigned level, uint64_t first, uint64_t last,
		      bool fresh)
{
	const struct vmm__pt *pt = op->pt;
	uint64_t from = level_index(pt, level, first), to = level_index(pt, level, last) + 1;

	if (fresh) {
		entry_fill(t, from, 0, 0);
		entry_fill(t + to, BIT(table_bits(pt)) - to, 0, 0);
	}
	for (uint64_t a = first, stop;; a = stop + 1) {
		uint64_t *slot = t + level_index(pt, level, a);
		uint64_t n = level <= op->top ? whole_entries(pt, level, a, last) : 0;

		if (n != 0) {
			stop = a + (n << level_shift(pt, level)) - 1;
			fill_leaves(op, slot, n, level, a);
		} else {
			stop = least(last, a | level_mask(pt, level));
			map_below(op, slot, level, a, stop, fresh);
		}
		if (stop == last)
			break;
	}
	if (fresh)
		clean(pt, t, BIT(table_bits(pt)));
	else
		clean(pt, t + from, to - from);
}

/* Anywhere, in leaves of any size. */
static __attribute__((noinline)) int map_range(struct vmm__pt *pt, uint64_t ia, uint64_t oa,
					       uint64_t len, unsigned prot, unsigned mem)
{
	struct path p;
	int r = check_range(pt, ia, len);

	if (r == 0)
		r = check_output(pt, oa, len);
	if (r == 0)
		r = check_prot(pt, prot);
	if (r == 0)
		r = check_mem(pt, mem);
	if (r == 0 && pt->stale)
		r = finish_stale(pt);
	if (r != 0)
		return r;

	struct op op = {.pt = pt,
			.first = ia,
			.last = ia + len - 1,
			.top = top_for(pt, ia, oa),
			.bits = pt->prot[prot] | pt->mem[mem],
			.delta = oa - ia,
			.inval = {ia, ia + len - 1, false},
			.pending = (pt->flags & VMM__PT_INVAL_MAP) != 0};

	descend(pt, op.first, op.last, &p);
	r = plan_map(&op, p.table[p.level], p.level, op.first, op.last);
	if (r == 0)
		r = reserve(pt, op.need);
	if (r != 0)
		return r;
	map_table(&op, p.table[p.level], p.level, op.first, op.last, false);
	return finish(&op);
}

static __attribute__((noinline)) int map(struct vmm__pt *pt, uint64_t ia, uint64_t oa, uint64_t len,
					 unsigned prot, unsigned mem)
{
	uint64_t *slot = quick_table(pt, ia, oa, len), n = len >> 12;

	if (!slot || (oa | (oa + len - 1)) > pt->oa_last || check_prot(pt, prot) != 0 ||
	    check_mem(pt, mem) != 0)
		return map_range(pt, ia, oa, len, prot, mem);
	slot += (ia >> 12) & 511;
	if (entry_any(slot, n, UINT64_MAX))
		return -VMM_EEXIST;
	entry_fill(slot, n, oa | pt->prot[prot] | pt->mem[mem] | pt->leaf[0], 4096);
	walker_barrier();
	return 0;
}

/* Apart, so that a table without a lock does not pay for it. */
static __attribute__((noinline)) int map_locked(struct vmm__pt *pt, uint64_t ia, uint64_t oa,
						uint64_t len, unsigned prot, unsigned mem)
{
	lock(pt);
	return unlock(pt, map(pt, ia, oa, len, prot, mem));
}

int vmm__pt_map(struct vmm__pt *pt, struct vmm__ia ia, struct vmm__oa oa, uint64_t len,
		unsigned prot, unsigned mem)
{
	if (pt->ops->lock)
		return map_locked(pt, ia.a, oa.a, len, prot, mem);
	return map(pt, ia.a, oa.a, len, prot, mem);
}

uint64_t vmm__pt_bound_map(const struct vmm__pt *pt, struct vmm__ia ia, struct vmm__oa oa,
			   uint64_t len)
{
	if (check_range(pt, ia.a, len) != 0 || check_output(pt, oa.a, len) != 0)
		return 0;
	return tables_for(pt, top_for(pt, ia.a, oa.a), pt->levels - 1U, ia.a, ia.a + len - 1) - 1;
}

/* ---- unmap, protect, split ---- */

/* What becomes of a leaf. Protect keeps what was dirty dirty, even where a protection bit told it.
 */
static uint64_t changed(const struct op *op, uint64_t e)
{
	uint64_t v = (e & op->keep) | op->set;

	return !is_unmap(op) && is_dirty(op->pt, e) ? v | op->pt->dirty_set : v;
}

static bool changes(const struct op *op, uint64_t e)
{
	if (is_unmap(op) || is_split(op))
		return true;
	return entry_clean(op->pt, changed(op, e)) != entry_clean(op->pt, e);
}

/*
 * An odd leaf around @ia has to become leaves of its level's own size: the run of entries from
 * @first to @last cuts it, or it is too large for a split.
 */
static bool cuts_group(const struct op *op, uint64_t e, unsigned level, uint64_t ia, uint64_t first,
		       uint64_t last)
{
	const struct vmm__pt *pt = op->pt;
	uint64_t mask = leaf_mask(pt, e, level);

	if (!is_odd(pt, e) || !changes(op, e))
		return false;
	return is_split(op) ? level == op->top : (ia & ~mask) < first || (ia | mask) > last;
}

/* Whether the odd leaves of a run of entries can stay what they are, or may be changed. */
static int plan_groups(const struct op *op, const uint64_t *slot, uint64_t n, unsigned level,
		       uint64_t a)
{
	const struct vmm__pt *pt = op->pt;
	uint64_t size = level_mask(pt, level) + 1, last = a + n * size - 1;

	for (uint64_t i = 0; i < n && pt->split == VMM__PT_SPLIT_NEVER; i++) {
		if (cuts_group(op, entry_get(slot + i), level, a + i * size, a, last))
			return -VMM_ENOTSUP;
	}
	return 0;
}

static int plan_cuts(struct op *op, const uint64_t *t, unsigned level, uint64_t first,
		     uint64_t last);

static int plan_cut(struct op *op, uint64_t e, unsigned level, uint64_t first, uint64_t last)
{
	const struct vmm__pt *pt = op->pt;

	if (is_table(pt, e))
		return plan_cuts(op, table_below(pt, e, level), level - 1, first, last);
	if (!is_present(pt, e) || !changes(op, e))
		return 0;
	if (pt->split == VMM__PT_SPLIT_NEVER)
		return -VMM_ENOTSUP;
	op->need += tables_for(pt, op->top, level - 1, first, last);
	return 0;
}

static int plan_cuts(struct op *op, const uint64_t *t, unsigned level, uint64_t first,
		     uint64_t last)
{
	const struct vmm__pt *pt = op->pt;

	for (uint64_t a = first, stop;; a = stop + 1) {
		const uint64_t *slot = t + level_index(pt, level, a);
		uint64_t n = level <= op->top ? whole_entries(pt, level, a, last) : 0;
		int r = 0;

		if (n != 0) {
			stop = a + (n << level_shift(pt, level)) - 1;
			if (odd_bits(pt) != 0)
				r = plan_groups(op, slot, n, level, a);
		} else {
			stop = least(last, a | level_mask(pt, level));
			r = plan_cut(op, entry_get(slot), level, a, stop);
		}
		if (r != 0 || stop == last)
			return r;
	}
}

/* The leaf of @level, as the first of the leaves one level below that map the same. */
static uint64_t leaf_below(const struct vmm__pt *pt, uint64_t e, unsigned level)
{
	return (e & ~pt->leaf[level]) | pt->leaf[level - 1];
}

/*
 * A new table of @level in place of a larger leaf, of which @piece maps its first entry: as before
 * outside [first, last], changed within.
 */
static uint64_t build_table(struct op *op, uint64_t piece, unsigned level, uint64_t first,
			    uint64_t last)
{
	struct vmm__pt *pt = op->pt;
	uint64_t step = BIT(level_shift(pt, level)), pa;
	uint64_t *t = vmm__pt_pool_take(pt, &pa);
	uint64_t from = level_index(pt, level, first), to = level_index(pt, level, last) + 1;

	entry_fill(t, from, piece, step);
	entry_fill(t + to, BIT(table_bits(pt)) - to, piece + to * step, step);
	for (uint64_t a = first, stop;; a = stop + 1) {
		uint64_t i = level_index(pt, level, a);
		uint64_t n = level <= op->top ? whole_entries(pt, level, a, last) : 0;
		uint64_t old = piece + i * step;

		if (n != 0) {
			stop = a + (n << level_shift(pt, level)) - 1;
			entry_fill(t + i, n, changed(op, old), is_unmap(op) ? 0 : step);
		} else {
			uint64_t below;

			stop = least(last, a | level_mask(pt, level));
			below = build_table(op, leaf_below(pt, old, level), level - 1, a, stop);
			entry_fill(t + i, 1, addr_encode(pt, below) | pt->table[level], 0);
		}
		if (stop == last)
			break;
	}
	clean(pt, t, BIT(table_bits(pt)));
	return pa;
}

/* What the hardware noted in a leaf after the table that replaces it was made. */
static void inherit(const struct vmm__pt *pt, uint64_t e, unsigned level, uint64_t bits)
{
	uint64_t *t = table_of(pt, e);

	for (uint64_t i = 0; i < BIT(table_bits(pt)); i++) {
		uint64_t below = entry_get(t + i);

		if (level > 0 && is_table(pt, below))
			inherit(pt, below, level - 1, bits);
		else if (is_present(pt, below))
			entry_or(t + i, bits);
	}
	clean(pt, t, BIT(table_bits(pt)));
}

static void split_leaf(struct op *op, uint64_t *slot, uint64_t e, unsigned level, uint64_t first,
		       uint64_t last)
{
	struct vmm__pt *pt = op->pt;
	struct vmm__pt_inval whole = {first & ~level_mask(pt, level), first | level_mask(pt, level),
				      false};
	uint64_t pa = build_table(op, leaf_below(pt, e, level), level - 1, first, last);
	uint64_t new = addr_encode(pt, pa) | pt->table[level], late;

	if (pt->split == VMM__PT_SPLIT_BREAK) {
		int r;

		begin_hole(pt);
		late = entry_swap(slot, 0);
		clean(pt, slot, 1);
		r = invalidate(pt, &whole);
		if (r != 0)
			op->error = r;
		entry_put(slot, new);
	} else {
		late = entry_swap(slot, new);
	}
	clean(pt, slot, 1);
	note(op, whole.first, whole.last);
	if (late != e)
		inherit(pt, new, level - 1,
			(late & pt->accessed) | (is_dirty(pt, late) ? pt->dirty_set : 0));
}

/* What was noted in any entry of a group, until it was replaced, holds for all of it. */
static void break_group(struct op *op, struct group g, uint64_t e, unsigned level)
{
	struct vmm__pt *pt = op->pt;
	uint64_t step = level_mask(pt, level) + 1, noted = 0;
	bool hole = pt->split == VMM__PT_SPLIT_BREAK;

	if (hole)
		begin_hole(pt);
	for (uint64_t i = 0; i < g.n; i++)
		noted |= entry_swap(g.slot + i,
				    hole ? 0 : odd_decode(pt, e, level, g.first + i * step));
	if (hole) {
		struct vmm__pt_inval whole = {g.first, g.last, false};
		int r;

		clean(pt, g.slot, g.n);
		r = invalidate(pt, &whole);
		if (r != 0)
			op->error = r;
	}
	noted &= pt->accessed | pt->dirty_set;
	for (uint64_t i = 0; i < g.n; i++) {
		if (hole)
			entry_put(g.slot + i, odd_decode(pt, e | noted, level, g.first + i * step));
		else
			entry_or(g.slot + i, noted);
	}
	clean(pt, g.slot, g.n);
	note(op, g.first, g.last);
}

static void break_groups(struct op *op, uint64_t *slot, uint64_t n, unsigned level, uint64_t a)
{
	const struct vmm__pt *pt = op->pt;
	uint64_t size = level_mask(pt, level) + 1, last = a + n * size - 1;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t e = entry_get(slot + i), ia = a + i * size;

		if (cuts_group(op, e, level, ia, a, last))
			break_group(op, group_of(pt, slot + i, e, level, ia), e, level);
	}
}

static void unmap_run(struct op *op, uint64_t *slot, uint64_t n, unsigned level)
{
	const struct vmm__pt *pt = op->pt;

	op->pending = true;
	if (level == 0) {
		entry_fill(slot, n, 0, 0);
		return;
	}
	for (uint64_t i = 0; i < n; i++) {
		uint64_t e = entry_get(slot + i);

		if (is_table(pt, e))
			unlink_table(op, slot + i, e);
		else if (e != 0)
			entry_put(slot + i, 0);
	}
}

static void change_table(struct op *op, uint64_t *t, unsigned level, uint64_t first, uint64_t last);

/* Where the hardware writes no bits of its own into them. */
static void protect_plain(struct op *op, uint64_t *slot, uint64_t n)
{
	uint64_t keep = op->keep, set = op->set, present = op->pt->present;

	op->pending = true;
	UNROLL_8
	for (uint64_t i = 0; i < n; i++) {
		uint64_t e = entry_get(slot + i);

		if (e & present)
			entry_put(slot + i, (e & keep) | set);
	}
}

static void protect_run(struct op *op, uint64_t *slot, uint64_t n, unsigned level, uint64_t a)
{
	const struct vmm__pt *pt = op->pt;

	if (level == 0 && !(pt->flags & VMM__PT_AD)) {
		protect_plain(op, slot, n);
		return;
	}
	for (uint64_t i = 0; i < n; i++, a += level_mask(pt, level) + 1) {
		uint64_t e = entry_get(slot + i);

		if (level > 0 && is_table(pt, e)) {
			change_table(op, table_below(pt, e, level), level - 1, a,
				     a | level_mask(pt, level));
		} else if (is_present(pt, e) && changes(op, e)) {
			op->pending = true;
			while (!entry_swap_if(slot + i, &e, changed(op, e)))
				;
		}
	}
}

/*
 * Nothing in a table, outside of these entries, but what hardware ignores. Neighbours first:
 * whoever unmaps pages in order finds one there.
 */
static inline bool rest_is_empty(const struct vmm__pt *pt, const uint64_t *t, uint64_t first,
				 uint64_t last)
{
	uint64_t n = BIT(table_bits(pt));

	if (last + 1 < n && is_present(pt, entry_get(t + last + 1)))
		return false;
	if (first > 0 && is_present(pt, entry_get(t + first - 1)))
		return false;
	return !entry_any(t + last + 1, n - last - 1, pt->present) &&
	       !entry_any(t, first, pt->present);
}

static bool is_empty(const struct vmm__pt *pt, const uint64_t *t, uint64_t first, uint64_t last)
{
	return rest_is_empty(pt, t, first, last) &&
	       !entry_any(t + first, last - first + 1, pt->present);
}

static void change_cut(struct op *op, uint64_t *slot, unsigned level, uint64_t first, uint64_t last)
{
	const struct vmm__pt *pt = op->pt;
	uint64_t e = entry_get(slot);

	if (is_table(pt, e)) {
		uint64_t *t = table_of(pt, e);

		change_table(op, t, level - 1, first, last);
		if (is_unmap(op) && is_empty(pt, t, level_index(pt, level - 1, first),
					     level_index(pt, level - 1, last)))
			unlink_table(op, slot, e);
	} else if (is_present(pt, e) && changes(op, e)) {
		if (is_odd(pt, e)) {
			break_group(op, group_of(pt, slot, e, level, first), e, level);
			e = entry_get(slot);
		}
		split_leaf(op, slot, e, level, first, last);
	}
}

static void change_table(struct op *op, uint64_t *t, unsigned level, uint64_t first, uint64_t last)
{
	const struct vmm__pt *pt = op->pt;
	uint64_t from = level_index(pt, level, first), to = level_index(pt, level, last) + 1;

	for (uint64_t a = first, stop;; a = stop + 1) {
		uint64_t *slot = t + level_index(pt, level, a);
		uint64_t n = level <= op->top ? whole_entries(pt, level, a, last) : 0;

		if (n != 0) {
			stop = a + (n << level_shift(pt, level)) - 1;
			if (odd_bits(pt) != 0)
				break_groups(op, slot, n, level, a);
			if (is_unmap(op))
				unmap_run(op, slot, n, level);
			else if (!is_split(op))
				protect_run(op, slot, n, level, a);
		} else {
			stop = least(last, a | level_mask(pt, level));
			change_cut(op, slot, level, a, stop);
		}
		if (stop == last)
			break;
	}
	clean(pt, t + from, to - from);
}

/* Tables of the path to the range that were left empty go, from the lowest up. */
static void unlink_empty(struct op *op, const struct path *p)
{
	const struct vmm__pt *pt = op->pt;

	for (unsigned l = p->level; l + 1U < pt->levels; l++) {
		if (!is_empty(pt, p->table[l], level_index(pt, l, op->first),
			      level_index(pt, l, op->last)))
			return;
		unlink_table(op, p->slot[l], entry_get(p->slot[l]));
		clean(pt, p->slot[l], 1);
	}
}

static int change(struct op *op)
{
	struct vmm__pt *pt = op->pt;
	struct path p;
	int r = pt->stale ? finish_stale(pt) : 0;

	if (r != 0)
		return r;
	op->inval = (struct vmm__pt_inval){op->first, op->last, false};
	descend(pt, op->first, op->last, &p);
	r = plan_cuts(op, p.table[p.level], p.level, op->first, op->last);
	if (r == 0)
		r = reserve(pt, op->need);
	if (r != 0)
		return r;
	change_table(op, p.table[p.level], p.level, op->first, op->last);
	if (is_unmap(op))
		unlink_empty(op, &p);
	return finish(op);
}

static __attribute__((noinline)) int unmap_range(struct vmm__pt *pt, uint64_t ia, uint64_t len)
{
	struct op op = {.pt = pt, .first = ia, .last = ia + len - 1, .top = ANY_LEVEL};
	int r = check_range(pt, ia, len);

	return r != 0 ? r : change(&op);
}

/* The pages are gone, their table with them. */
static __attribute__((noinline)) int unmap_emptied(struct vmm__pt *pt, uint64_t first,
						   uint64_t last)
{
	struct op op = {.pt = pt,
			.first = first,
			.last = last,
			.inval = {first, last, false},
			.pending = true};
	struct path p;

	descend(pt, first, last, &p);
	unlink_empty(&op, &p);
	return finish(&op);
}

static __attribute__((noinline)) int unmap(struct vmm__pt *pt, uint64_t ia, uint64_t len)
{
	uint64_t *t = quick_table(pt, ia, 0, len), from = (ia >> 12) & 511, n = len >> 12;

	if (!t)
		return unmap_range(pt, ia, len);
	entry_fill(t + from, n, 0, 0);
	if ((from + n == 512 || !is_present(pt, entry_get(t + from + n))) &&
	    rest_is_empty(pt, t, from, from + n - 1))
		return unmap_emptied(pt, ia, ia + len - 1);
	if (!pt->ops->invalidate)
		return 0;
	return invalidate(pt, &(struct vmm__pt_inval){ia, ia + len - 1, false});
}

static __attribute__((noinline)) int unmap_locked(struct vmm__pt *pt, uint64_t ia, uint64_t len)
{
	lock(pt);
	return unlock(pt, unmap(pt, ia, len));
}

int vmm__pt_unmap(struct vmm__pt *pt, struct vmm__ia ia, uint64_t len)
{
	if (pt->ops->lock)
		return unmap_locked(pt, ia.a, len);
	return unmap(pt, ia.a, len);
}

int vmm__pt_destroy(struct vmm__pt *pt)
{
	struct op op = {.pt = pt, .last = pt->ia_last, .top = ANY_LEVEL};

	lock(pt);
	return unlock(pt, change(&op));
}

int vmm__pt_protect(struct vmm__pt *pt, struct vmm__ia ia, uint64_t len, unsigned prot)
{
	struct op op = {.pt = pt, .first = ia.a, .last = ia.a + len - 1, .top = ANY_LEVEL};
	int r = check_range(pt, ia.a, len);

	if (r == 0)
		r = check_prot(pt, prot);
	if (r != 0)
		return r;
	op.keep = ~pt->prot_mask;
	op.set = pt->prot[prot];
	lock(pt);
	return unlock(pt, change(&op));
}

/* Level of the leaves of a size, or one that has none. */
static unsigned level_for(const struct vmm__pt *pt, unsigned leaf_shift)
{
	unsigned l = 0;

	while (l < pt->levels && level_shift(pt, l) != leaf_shift)
		l++;
	return l;
}

int vmm__pt_split(struct vmm__pt *pt, struct vmm__ia ia, uint64_t len, unsigned leaf_shift)
{
	struct op op = {.pt = pt,
			.first = ia.a,
			.last = ia.a + len - 1,
			.top = level_for(pt, leaf_shift),
			.keep = UINT64_MAX};
	int r = check_range(pt, ia.a, len);

	if (r == 0 && op.top > pt->top)
		r = -VMM_EINVAL;
	if (r != 0)
		return r;
	lock(pt);
	return unlock(pt, change(&op));
}

uint64_t vmm__pt_bound_split(const struct vmm__pt *pt, struct vmm__ia ia, uint64_t len,
			     unsigned leaf_shift)
{
	if (check_range(pt, ia.a, len) != 0 || level_for(pt, leaf_shift) > pt->top)
		return 0;
	return tables_for(pt, level_for(pt, leaf_shift), pt->levels - 1U, ia.a, ia.a + len - 1) - 1;
}

/* ---- merge ---- */

struct merge {
	struct op *op;
	unsigned n;
	struct {
		uint64_t *slot;
		uint64_t table; /* the entry that led to the table, and the leaf in its place */
		uint64_t leaf;
	} batch[VMM__PT_MERGE_BATCH];
	struct vmm__pt_inval inval; /* for the batch */
};

/* Accessed and dirty bits of all leaves of a table. */
static uint64_t table_noted(const struct vmm__pt *pt, const uint64_t *t)
{
	uint64_t bits = 0, n = pt->flags & VMM__PT_AD ? BIT(table_bits(pt)) : 0;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t e = entry_get(t + i);

		bits |= (e & pt->accessed) | (is_dirty(pt, e) ? pt->dirty_set : 0);
	}
	return bits;
}

/* The leaf of @level that maps what the table below it does; 0 when there is none. */
static uint64_t merged_leaf(const struct vmm__pt *pt, const uint64_t *t, unsigned level)
{
	uint64_t step = BIT(level_shift(pt, level - 1));
	uint64_t e = entry_clean(pt, odd_decode(pt, entry_get(t), level - 1, 0));

	if (is_table(pt, e) || !is_present(pt, e) ||
	    (addr_decode(pt, e) & level_mask(pt, level)) != 0)
		return 0;
	for (uint64_t i = 1, n = BIT(table_bits(pt)), v = e + step; i < n; i++, v += step) {
		uint64_t other = entry_get(t + i);

		if (other != v && entry_clean(pt, odd_decode(pt, other, level - 1, i * step)) != v)
			return 0;
	}
	return (e & ~pt->leaf[level - 1]) | pt->leaf[level];
}

/*
 * The batch's old tables are read by nobody after this invalidation; what was noted in them until
 * then goes into the leaves. Where it fails the tables come back: they map the same.
 */
static void finish_batch(struct merge *m)
{
	struct op *op = m->op;
	struct vmm__pt *pt = op->pt;
	int r = m->n != 0 ? invalidate(pt, &m->inval) : 0;

	for (unsigned i = 0; i < m->n; i++) {
		uint64_t *slot = m->batch[i].slot, *t = table_of(pt, m->batch[i].table);

		if (r != 0) {
			entry_put(slot, m->batch[i].table);
		} else {
			uint64_t noted = table_noted(pt, t);

			if (pt->split == VMM__PT_SPLIT_BREAK)
				entry_put(slot, m->batch[i].leaf | noted);
			else if (noted & ~m->batch[i].leaf)
				entry_or(slot, noted);
			free_table(pt, m->batch[i].table, 0);
		}
		clean(pt, slot, 1);
	}
	m->n = 0;
	if (r != 0)
		op->error = r;
}

static void merge_entry(struct merge *m, uint64_t *slot, uint64_t e, unsigned level, uint64_t a)
{
	struct vmm__pt *pt = m->op->pt;
	uint64_t leaf = merged_leaf(pt, table_of(pt, e), level), last = a | level_mask(pt, level);

	if (leaf == 0)
		return;
	if (m->n == VMM__PT_MERGE_BATCH)
		finish_batch(m);
	if (m->n == 0)
		m->inval = (struct vmm__pt_inval){a, last, true};
	m->inval.last = last;
	m->batch[m->n].slot = slot;
	m->batch[m->n].table = e;
	m->batch[m->n].leaf = leaf;
	m->n++;
	begin_hole(pt);
	entry_put(slot, pt->split == VMM__PT_SPLIT_BREAK ? 0 : leaf);
	clean(pt, slot, 1);
}

static void merge_table(struct merge *m, uint64_t *t, unsigned level, uint64_t first, uint64_t last)
{
	const struct vmm__pt *pt = m->op->pt;

	for (uint64_t a = first, stop; level > 0 && m->op->error == 0; a = stop + 1) {
		uint64_t *slot = t + level_index(pt, level, a);
		uint64_t e = entry_get(slot);
		bool whole = whole_entries(pt, level, a, last) != 0;

		stop = least(last, a | level_mask(pt, level));
		if (is_table(pt, e)) {
			merge_table(m, table_below(pt, e, level), level - 1, a, stop);
			if (whole && level <= pt->top) {
				if (level > 1)
					finish_batch(m); /* leaves that this one is to be made of */
				merge_entry(m, slot, e, level, a);
			}
		}
		if (stop == last)
			return;
	}
}

int vmm__pt_merge(struct vmm__pt *pt, struct vmm__ia ia, uint64_t len)
{
	struct op op = {.pt = pt, .first = ia.a, .last = ia.a + len - 1};
	struct merge m = {.op = &op};
	int r = check_range(pt, ia.a, len);

	if (r == 0 && pt->split == VMM__PT_SPLIT_NEVER)
		r = -VMM_ENOTSUP;
	if (r != 0)
		return r;
	lock(pt);
	op.error = pt->stale ? finish_stale(pt) : 0;
	merge_table(&m, pt->root, pt->levels - 1U, ia.a, op.last);
	finish_batch(&m);
	walker_barrier();
	end_hole(pt);
	return unlock(pt, op.error);
}

/* ---- harvest ---- */

struct harvest {
	struct op *op;
	unsigned clear;
	void (*tell)(void *ctx, const struct vmm__pt_leaf *leaf);
	void *ctx;
};

static uint64_t harvested(const struct vmm__pt *pt, uint64_t e, unsigned clear)
{
	if (clear & VMM__PT_CLEAR_DIRTY) {
		if (is_dirty(pt, e) && (e & pt->dirty_mask) == pt->dirty_value)
			e = (e & ~pt->dirty_mask) | pt->dirty_clean;
		e &= ~pt->dirty_set;
	}
	return clear & VMM__PT_CLEAR_ACCESSED ? e & ~pt->accessed : e;
}

/* The last address of the leaf. */
static uint64_t harvest_leaf(const struct harvest *h, uint64_t *slot, uint64_t e, unsigned level,
			     uint64_t a)
{
	struct op *op = h->op;
	const struct vmm__pt *pt = op->pt;
	struct group g = group_of(pt, slot, e, level, a);
	struct vmm__pt_leaf leaf;
	uint64_t v, noted = 0;

	for (uint64_t i = 0; i < g.n; i++) {
		e = entry_get(g.slot + i);
		while ((v = harvested(pt, e, h->clear)) != e) {
			if (entry_swap_if(g.slot + i, &e, v)) {
				note(op, g.first, g.last);
				clean(pt, g.slot + i, 1);
				break;
			}
		}
		noted |= e & (pt->accessed | pt->dirty_set);
	}
	vmm__pt_describe(pt, a, e | noted, level, &leaf);
	if (h->tell && (leaf.accessed || leaf.dirty))
		h->tell(h->ctx, &leaf);
	return g.last;
}

static void harvest_table(const struct harvest *h, uint64_t *t, unsigned level, uint64_t first,
			  uint64_t last)
{
	const struct vmm__pt *pt = h->op->pt;

	for (uint64_t a = first, stop;; a = stop + 1) {
		uint64_t *slot = t + level_index(pt, level, a);
		uint64_t e = entry_get(slot);

		stop = least(last, a | level_mask(pt, level));
		if (level > 0 && is_table(pt, e))
			harvest_table(h, table_below(pt, e, level), level - 1, a, stop);
		else if (is_present(pt, e))
			stop = least(last, harvest_leaf(h, slot, e, level, a));
		if (stop == last)
			return;
	}
}

int vmm__pt_harvest(struct vmm__pt *pt, struct vmm__ia ia, uint64_t len, unsigned clear,
		    void (*tell)(void *ctx, const struct vmm__pt_leaf *leaf), void *ctx)
{
	struct op op = {.pt = pt,
			.first = ia.a,
			.last = ia.a + len - 1,
			.inval = {ia.a, ia.a + len - 1, false}};
	struct harvest h = {&op, clear, tell, ctx};
	int r = check_range(pt, ia.a, len);

	if (r == 0 && !(pt->flags & VMM__PT_AD))
		r = -VMM_ENOTSUP;
	if (r != 0)
		return r;
	lock(pt);
	op.error = pt->stale ? finish_stale(pt) : 0;
	if (op.error == 0)
		harvest_table(&h, pt->root, pt->levels - 1U, ia.a, op.last);
	return unlock(pt, finish(&op));
}

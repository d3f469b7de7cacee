// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Tables from init to destroy, their pool, and the readers. The writers' work is in pt_update.c.
 */
#include "pt.h"

#include "amdvi_table.h"
#include "pt_entry.h"

/* How often a reader that a writer disturbed begins again before it says so. */
#define RETRIES 16

/* Levels for a width, and the index bits of the root; 0 when the format has no such width. */
static unsigned levels_for(const struct vmm__pt_format *f, unsigned ia_bits, unsigned *root_bits)
{
	unsigned levels = f->min_levels, width;

	if (ia_bits <= f->shift || ia_bits > f->max_ia)
		return 0;
	width = ia_bits - f->shift;
	while (levels < f->max_levels && width > levels * f->bits + f->concat)
		levels++;
	if (width > levels * f->bits + f->concat)
		return 0;
	if (width > (levels - 1U) * f->bits)
		*root_bits = width - (levels - 1U) * f->bits;
	else
		*root_bits = 0;
	return levels;
}

uint64_t vmm__pt_root_bytes(const struct vmm__pt_format *format, unsigned ia_bits)
{
	unsigned root_bits;

	if (!levels_for(format, ia_bits, &root_bits))
		return 0;
	return UINT64_C(8) << (root_bits > format->bits ? root_bits : format->bits);
}

static inline uint32_t prot_index(const struct vmm__pt *pt, uint64_t e)
{
	return ((uint32_t)(e >> pt->low_shift) & pt->low_mask) |
	       ((uint32_t)(e >> pt->top_shift) & pt->top_mask);
}

static inline uint32_t mem_index(const struct vmm__pt *pt, uint64_t e)
{
	return (uint32_t)(e >> pt->mem_shift) & pt->mem_mask;
}

/* The encodings are written down once, in the format; what decodes them is derived here. */
static void derive_attributes(struct vmm__pt *pt)
{
	const struct vmm__pt_format *f = pt->format;
	/* On Arm a dirty page is told by its protection bits: it decodes as the clean one does. */
	bool dirty_in_prot = pt->dirty_clean != 0;

	pt->low_shift = f->low_shift;
	pt->low_mask = (1U << f->low_bits) - 1;
	pt->top_shift = (uint8_t)(f->top_bits != 0 ? f->top_shift - f->low_bits : 0);
	pt->top_mask = ((1U << f->top_bits) - 1) << f->low_bits;
	pt->mem_shift = f->mem_shift;
	pt->mem_mask = (1U << f->mem_bits) - 1;
	pt->prot_mask = dirty_in_prot ? pt->dirty_mask : 0;
	for (unsigned p = 0; p < VMM__PROT_COUNT; p++) {
		bool refused = pt->flags & VMM__PT_W_XOR_X && p & VMM__PROT_W &&
			       p & (VMM__PROT_X | VMM__PROT_XU);
		uint64_t v = refused ? 0 : f->prot(p, pt->flags);

		pt->prot[p] = v;
		if (v == 0)
			continue;
		pt->prot_mask |= v;
		pt->prot_of[prot_index(pt, v)] = (uint8_t)p;
		if (dirty_in_prot && (v & pt->dirty_mask) == pt->dirty_clean) {
			v = (v & ~pt->dirty_mask) | pt->dirty_value;
			pt->prot_of[prot_index(pt, v)] = (uint8_t)p;
		}
	}
	for (unsigned m = 0; m < VMM__MEM_COUNT; m++) {
		pt->mem[m] = f->mem[m];
		if (f->mem[m] != VMM__MEM_NONE)
			pt->mem_of[mem_index(pt, f->mem[m])] = (uint8_t)m;
	}
}

static void derive_levels(struct vmm__pt *pt, const struct vmm__pt_config *c)
{
	const struct vmm__pt_format *f = pt->format;
	uint64_t fixed = f->leaf | (pt->flags & VMM__PT_AD ? 0 : f->no_ad);

	pt->top = f->top < pt->levels ? f->top : (uint8_t)(pt->levels - 1);
	while (pt->top > 0 && c->leaf_shift != 0 && level_shift(pt, pt->top) > c->leaf_shift)
		pt->top--;
	for (unsigned l = 0; l < pt->levels; l++) {
		uint64_t mark = l > 0 ? FIELD_LSB(f->mark) << l % f->mark_bits : 0;

		pt->table[l] = (f->table + l * f->level_step) | mark;
		pt->step[l].mark = mark;
		pt->step[l].down = pt->offset - pt->table[l];
		pt->leaf[l] = fixed | (l == 0 ? f->leaf_last : f->leaf_upper);
	}
}

static int check_config(const struct vmm__pt_config *c, unsigned *levels, unsigned *root_bits)
{
	if (!c->format || !c->ops || !c->root || c->split > VMM__PT_SPLIT_NEVER)
		return -VMM_EINVAL;
	if (c->flags & VMM__PT_ODD_SIZES && !c->format->odd)
		return -VMM_EINVAL;
	if (c->leaf_shift != 0 && c->leaf_shift < c->format->shift)
		return -VMM_EINVAL;
	*levels = levels_for(c->format, c->ia_bits, root_bits);
	if (*levels == 0 || c->oa_bits <= c->format->shift || c->oa_bits > c->format->max_oa)
		return -VMM_ERANGE;
	if (c->root_pa >> c->oa_bits)
		return -VMM_ERANGE;
	if ((c->root_pa | (uintptr_t)c->root) & (vmm__pt_root_bytes(c->format, c->ia_bits) - 1))
		return -VMM_EALIGN;
	return 0;
}

static uint64_t translate_any(const struct vmm__pt *pt, uint64_t ia);
static uint64_t translate_plain(const struct vmm__pt *pt, uint64_t ia);

static void choose_translate(struct vmm__pt *pt)
{
	const struct vmm__pt_format *f = pt->format;

	pt->translate = translate_any;
	pt->linear = !f->addr_high && !pt->ops->virt;
	pt->plain = pt->linear && !pt->odd && f->shift == 12 && f->bits == 9;
	if (pt->plain)
		pt->translate = pt->levels == 4 ? f->translate_4 : translate_plain;
}

int vmm__pt_init(struct vmm__pt *pt, const struct vmm__pt_config *c)
{
	const struct vmm__pt_format *f = c->format;
	unsigned levels, root_bits;
	int r = check_config(c, &levels, &root_bits);

	if (r != 0)
		return r;
	*pt = (struct vmm__pt){0};
	entry_fill(c->root, vmm__pt_root_bytes(f, c->ia_bits) / 8, 0, 0);
	pt->format = f;
	pt->ops = c->ops;
	pt->ctx = c->ctx;
	pt->root = c->root;
	pt->root_pa = c->root_pa;
	pt->root_used = BIT(root_bits);
	pt->offset = c->offset;
	pt->ia_last = BITS(c->ia_bits - 1, 0);
	pt->oa_last = BITS(c->oa_bits - 1, 0);
	pt->shift = f->shift;
	pt->bits = f->bits;
	pt->levels = (uint8_t)levels;
	pt->flags = c->flags;
	pt->split = c->split == VMM__PT_SPLIT_FORMAT ? f->split : c->split;
	pt->mark = f->mark;
	pt->addr = f->addr;
	pt->present = f->present | (c->flags & VMM__PT_MODE_EXEC ? f->present_mode_exec : 0);
	pt->dirty_value = 1;
	if (c->flags & VMM__PT_AD) {
		pt->accessed = f->accessed;
		pt->dirty_mask = f->dirty_mask;
		pt->dirty_value = f->dirty_value;
		pt->dirty_clean = f->dirty_clean;
		pt->dirty_set = f->dirty_set;
	}
	if (c->flags & VMM__PT_ODD_SIZES) {
		pt->odd = f->odd;
		pt->odd_largest = c->leaf_shift != 0 ? c->leaf_shift : f->max_oa;
	}
	derive_attributes(pt);
	derive_levels(pt, c);
	choose_translate(pt);
	allow_quick(pt);
	return VMM__PT_PLAIN && !pt->plain ? -VMM_ENOTSUP : 0;
}

/* The link is a physical address: a reader that still looks at the page finds nothing there. */
int vmm__pt_pool_add(struct vmm__pt *pt, void *page, uint64_t pa)
{
	uint64_t *p = page;

	if (pa > pt->oa_last)
		return -VMM_ERANGE;
	if ((pa | (uintptr_t)page) & (vmm__pt_page_bytes(pt) - 1) ||
	    addr_decode(pt, addr_encode(pt, pa)) != pa)
		return -VMM_EALIGN;
	if (!page || pa == 0 || table_at(pt, pa) != p)
		return -VMM_EINVAL;
	__atomic_store_n(p, pt->pool_pa, __ATOMIC_RELAXED);
	pt->pool_pa = pa;
	pt->pool_pages++;
	return 0;
}

void *vmm__pt_pool_take(struct vmm__pt *pt, uint64_t *pa)
{
	uint64_t *page;

	if (pt->pool_pages == 0)
		return NULL;
	*pa = pt->pool_pa;
	page = table_at(pt, *pa);
	pt->pool_pa = __atomic_load_n(page, __ATOMIC_RELAXED);
	pt->pool_pages--;
	return page;
}

/* Where a walk for one address ended: a leaf, or an entry that hardware ignores. */
struct position {
	uint64_t entry;
	const uint64_t *slot;
	unsigned level;
};

static void walk(const struct vmm__pt *pt, uint64_t ia, struct position *at)
{
	unsigned l = pt->levels - 1U, shift = level_shift(pt, l);
	const uint64_t *slot = pt->root + (ia >> shift);
	uint64_t e = entry_get(slot);

	while (e & pt->step[l].mark) {
		slot = table_below(pt, e, l);
		l--;
		shift -= table_bits(pt);
		slot += (ia >> shift) & (BIT(table_bits(pt)) - 1);
		e = entry_get(slot);
	}
	at->entry = is_present(pt, e) ? e : 0;
	at->slot = slot;
	at->level = l;
}

/*
 * Every load of an entry acquires, so that the second look at the count comes after them. 0, or why
 * nothing was found; then *at still tells the size of the gap.
 */
static int walk_beside_writer(const struct vmm__pt *pt, uint64_t ia, struct position *at)
{
	for (unsigned i = 0; i < RETRIES; i++) {
		uint32_t seq = __atomic_load_n(&pt->seq, __ATOMIC_ACQUIRE);

		walk(pt, ia, at);
		if (__atomic_load_n(&pt->seq, __ATOMIC_ACQUIRE) != seq)
			continue;
		if (at->entry)
			return 0;
		return seq & 1 ? -VMM_EBUSY : -VMM_ENOENT;
	}
	return -VMM_EBUSY;
}

static __attribute__((noinline)) uint64_t translate_any(const struct vmm__pt *pt, uint64_t ia)
{
	struct position at;
	uint64_t mask;
	int r;

	if (ia > pt->ia_last)
		return VMM__PT_NOTHING;
	r = walk_beside_writer(pt, ia, &at);
	if (r != 0)
		return r == -VMM_EBUSY ? VMM__PT_BUSY : VMM__PT_NOTHING;
	mask = leaf_mask(pt, at.entry, at.level);
	return (addr_decode(pt, at.entry) & ~mask) | (ia & mask);
}

static inline uint64_t translate_large(const struct vmm__pt *pt, uint64_t ia, uint64_t e,
				       uint64_t in, uint32_t seq)
{
	if (!(e & pt->present) || __atomic_load_n(&pt->seq, __ATOMIC_ACQUIRE) != seq)
		return translate_any(pt, ia);
	return (e & pt->addr & ~in) | (ia & in);
}

/*
 * The same for 4 KiB tables of 512 entries whose addresses stand in their place, four levels of
 * them written out. The bits of an entry that leads to a table are known, none but the address
 * differs: step[].down takes them off and goes to virtual addresses in one addition. Members are
 * read into locals first: the loads of entries acquire, after them the compiler would read anew.
 * @own_mark: the mark of level 1 where each level has its own, else 0.
 */
static ALWAYS_INLINE uint64_t translate_4k(const struct vmm__pt *pt, uint64_t ia, uint64_t own_mark)
{
	uint32_t seq = __atomic_load_n(&pt->seq, __ATOMIC_ACQUIRE);
	uint64_t i = ia >> 39, mark = pt->mark, e;
	const uint64_t *t = pt->root;

	if (i >= pt->root_used)
		return translate_any(pt, ia);
	e = entry_get(t + i);
#pragma GCC unroll 3
	for (unsigned l = 3; l > 0; l--) {
		if (!(e & (own_mark ? own_mark << (l - 1) : mark)))
			return translate_large(pt, ia, e, BIT(12 + 9 * l) - 1, seq);
		t = (const uint64_t *)(uintptr_t)(e + pt->step[l].down);
		KEEP(t);
		e = entry_get(t + ((ia >> (3 + 9 * l)) & 511));
	}
	if (!(e & pt->present) || __atomic_load_n(&pt->seq, __ATOMIC_ACQUIRE) != seq)
		return translate_any(pt, ia);
	return (e & pt->addr) | (ia & 0xfff);
}

uint64_t vmm__pt_translate_4(const struct vmm__pt *pt, uint64_t ia)
{
	return translate_4k(pt, ia, 0);
}

uint64_t vmm__pt_translate_4_amdvi(const struct vmm__pt *pt, uint64_t ia)
{
	return translate_4k(pt, ia, FIELD_LSB(AMDVI_IGN) << 1);
}

/* The same with any number of levels: a leaf and its size, or 0 for what needs a closer look. */
static ALWAYS_INLINE uint64_t find_4k(const struct vmm__pt *pt, uint64_t ia, unsigned *size)
{
	uint32_t seq = __atomic_load_n(&pt->seq, __ATOMIC_ACQUIRE);
	const struct vmm__pt_step *step = &pt->step[pt->levels - 1U];
	unsigned shift = 3 + 9U * pt->levels;
	uint64_t e = entry_get(pt->root + (ia >> shift));

	for (; e & step->mark; step--) {
		const uint64_t *t = (const uint64_t *)(uintptr_t)(e + step->down);

		KEEP(t);
		shift -= 9;
		e = entry_get(t + (ia >> shift & 511));
	}
	*size = shift;
	if (!is_present(pt, e) || __atomic_load_n(&pt->seq, __ATOMIC_ACQUIRE) != seq)
		return 0;
	return e;
}

static uint64_t translate_plain(const struct vmm__pt *pt, uint64_t ia)
{
	unsigned shift;
	uint64_t e, in;

	if (ia > pt->ia_last || (e = find_4k(pt, ia, &shift)) == 0)
		return translate_any(pt, ia);
	in = BIT(shift) - 1;
	return (e & pt->addr & ~in) | (ia & in);
}

static ALWAYS_INLINE void describe_leaf(const struct vmm__pt *pt, uint64_t ia, uint64_t e,
					uint64_t pa, uint64_t mask, struct vmm__pt_leaf *leaf)
{
	leaf->ia = ia & ~mask;
	leaf->oa = pa & ~mask;
	leaf->size = mask + 1;
	leaf->prot = pt->prot_of[prot_index(pt, e)];
	leaf->mem = pt->mem_of[mem_index(pt, e)];
	leaf->accessed = (e & pt->accessed) != 0;
	leaf->dirty = is_dirty(pt, e);
}

void vmm__pt_describe(const struct vmm__pt *pt, uint64_t ia, uint64_t e, unsigned level,
		      struct vmm__pt_leaf *leaf)
{
	describe_leaf(pt, ia, e, addr_decode(pt, e), leaf_mask(pt, e, level), leaf);
}

static void describe(const struct vmm__pt *pt, uint64_t ia, const struct position *at,
		     struct vmm__pt_leaf *leaf)
{
	uint64_t e = at->entry;

	if (is_odd(pt, e))
		e |= group_noted(pt, group_of(pt, at->slot, e, at->level, ia));
	vmm__pt_describe(pt, ia, e, at->level, leaf);
}

static __attribute__((noinline)) int lookup_any(const struct vmm__pt *pt, uint64_t ia,
						struct vmm__pt_leaf *leaf)
{
	struct position at;
	int r = walk_beside_writer(pt, ia, &at);

	if (r == 0)
		describe(pt, ia, &at, leaf);
	return r;
}

/* As translate: the common kind of table first, and what is not found at once again. */
int vmm__pt_lookup(const struct vmm__pt *pt, struct vmm__ia ia, struct vmm__pt_leaf *leaf)
{
	uint64_t e;
	unsigned shift;

	if (ia.a > pt->ia_last)
		return -VMM_ERANGE;
	if (!is_plain(pt) || (e = find_4k(pt, ia.a, &shift)) == 0)
		return lookup_any(pt, ia.a, leaf);
	describe_leaf(pt, ia.a, e, e & pt->addr, BIT(shift) - 1, leaf);
	return 0;
}

int vmm__pt_next(const struct vmm__pt *pt, struct vmm__ia ia, struct vmm__ia last,
		 struct vmm__pt_leaf *leaf)
{
	uint64_t a = ia.a, end;
	struct position at;

	if (a > last.a || last.a > pt->ia_last)
		return -VMM_ERANGE;
	for (;;) {
		int r = walk_beside_writer(pt, a, &at);

		if (r == 0)
			describe(pt, a, &at, leaf);
		if (r != -VMM_ENOENT)
			return r;
		end = a | level_mask(pt, at.level);
		if (end >= last.a)
			return -VMM_ENOENT;
		a = end + 1;
	}
}

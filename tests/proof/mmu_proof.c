// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The memory engine for CBMC; prove.py runs it, once for each KIND of operation and range.
 *
 * one_operation: on any table that the engine can have made, with any number of pages in its pool,
 * the result is the model's, and the table is again one that the engine can have made. By induction
 * so is each that comes after it: sequences of any length are covered. two_operations: from an
 * empty table on, without the induction.
 *
 * Two levels. Whatever decides about the way through the engine is enumerated (which entries of the
 * root lead to tables, pages in the pool, the range, how addresses are congruent), so that CBMC
 * sees constants there; pages within tables, their attributes, what was noted in them, the
 * attributes of a mapping and the contents of unused tables are symbolic.
 */
/* Each page leads where it did before the operation or where it shall after it, after each store.
 */
static void stored(void);
#define VMM__PT_STORED(slot, value) stored()

/* One unit, so that each loop has one name. */
#include "pt.c"
#include "pt_format.c"
#include "pt_update.c"

/* Index bits of a table; entries of the root, as many as there are tables. */
#ifndef BITS_PER_LEVEL
#define BITS_PER_LEVEL 2
#endif
/* How many of the large leaves below. */
#ifndef LEAVES
#define LEAVES 4
#endif
#define ROOT     2U
#define WORDS    (1U << BITS_PER_LEVEL)
#define PAGES    (ROOT * WORDS)
#define TABLES   ROOT
#define OA_PAGES (2 * PAGES)
#define BASE     (UINT64_C(1) << 20)

/* Entries as APM2 5.3.3 and 15.25.5 have them. */
#define P    0x1U
#define RW   0x2U
#define US   0x4U
#define PWT  0x8U
#define A    0x20U
#define D    0x40U
#define PS   0x80U
#define NX   (UINT64_C(1) << 63)
#define ADDR UINT64_C(0x000ffffffffff000)

#ifndef SPLIT
#define SPLIT VMM__PT_SPLIT_LIVE
#endif

unsigned char nondet_byte(void);
_Bool nondet_bool(void);
uint64_t nondet_word(void);

/* Objects of their own: CBMC follows a pointer to one of few objects better than one into an array.
 */
static uint64_t root[WORDS], table1[WORDS], table2[WORDS];
static struct vmm__pt pt;
static struct vmm__pt_format format;

static uint64_t *table(unsigned n)
{
	return n == 0 ? root : n == 1 ? table1 : table2;
}

/* Written out, for CBMC to see one expression. */
#if BITS_PER_LEVEL == 2
#define ENTRY(t, i) ((i) == 0 ? (t)[0] : (i) == 1 ? (t)[1] : (i) == 2 ? (t)[2] : (t)[3])
#else
#define ENTRY(t, i) ((i) == 0 ? (t)[0] : (t)[1])
#endif

static uint64_t word(unsigned n, unsigned i)
{
	return n == 1 ? ENTRY(table1, i) : ENTRY(table2, i);
}

static unsigned number(uint64_t pa)
{
	return (unsigned)((pa - BASE) >> 12);
}

/* ---- the effects ---- */

static bool locked;
static bool flushed;

static void *virt(void *ctx, uint64_t pa)
{
	(void)ctx;
	__CPROVER_assert(pa >= BASE && (pa & 0xfff) == 0 && number(pa) <= TABLES,
			 "the address of a table");
	return table(number(pa));
}

static void take_lock(void *ctx)
{
	(void)ctx;
	__CPROVER_assert(!locked, "locked once");
	locked = true;
}

static void drop_lock(void *ctx)
{
	(void)ctx;
	__CPROVER_assert(locked, "unlocked once");
	locked = false;
}

static void clean_cache(void *ctx, const void *p, size_t bytes)
{
	(void)ctx;
	__CPROVER_assert(bytes <= sizeof(root) && __CPROVER_r_ok(p, bytes), "part of a table");
}

static int flush(void *ctx, const struct vmm__pt_inval *inval)
{
	(void)ctx;
	__CPROVER_assert(inval->first <= inval->last && inval->last >> 12 < PAGES,
			 "a range within the table");
	__CPROVER_assert((inval->first & 0xfff) == 0 && (inval->last & 0xfff) == 0xfff,
			 "a range of pages");
	flushed = true;
	return 0;
}

static const struct vmm__pt_ops ops = {.virt = virt,
				       .clean = clean_cache,
				       .invalidate = flush,
				       .lock = take_lock,
				       .unlock = drop_lock};

/* ---- what hardware finds ---- */

struct seen {
	uint64_t entry; /* with the page's own address; 0: not mapped */
	bool large;
};

static struct seen hardware(unsigned page)
{
	uint64_t e = page < WORDS ? root[0] : root[1];

	if (!(e & P))
		return (struct seen){0, false};
	if (e & PS)
		return (struct seen){(e & ~(uint64_t)PS) + ((uint64_t)(page % WORDS) << 12), true};
	e = word(number(e & ADDR), page % WORDS);
	return (struct seen){e & P ? e : 0, false};
}

static uint64_t prot_bits(unsigned prot)
{
	return P | US | (prot & VMM__PROT_W ? RW : 0) | (prot & VMM__PROT_X ? 0 : NX);
}

/* Not readable, or writable and executable: the model refuses it. */
static bool prot_bad(unsigned prot)
{
	return !(prot & VMM__PROT_R) || (prot & VMM__PROT_W && prot & VMM__PROT_X);
}

/* ---- the tables that the engine makes ---- */

static const uint64_t leads = P | RW | US | A | BIT(55);

/* Readable; writable or executable, not both; two memory types; accessed and dirty. */
static bool good_leaf(uint64_t e, bool large)
{
	uint64_t oa = e & ADDR;

	if ((e & ~(ADDR | RW | PWT | A | D | NX)) != (P | US | (large ? PS : 0)))
		return false;
	if ((e & RW) && !(e & NX))
		return false;
	return !(large && oa >> 12 & (WORDS - 1)) && oa >> 12 < OA_PAGES;
}

static uint64_t any_leaf(void)
{
	uint64_t oa = nondet_byte() % OA_PAGES, e = P | US | oa << 12;

	e |= nondet_bool() ? NX | (nondet_bool() ? RW : 0) : 0;
	return e | (nondet_bool() ? PWT : 0) | (nondet_bool() ? A : 0) | (nondet_bool() ? D : 0);
}

/*
 * Large leaves are of these four: CBMC has to see that they are no tables. What else stands in them
 * the engine copies; it looks at accessed and dirty, and whether a protection is the same.
 */
static uint64_t large_leaf(unsigned which)
{
	switch (which) {
	case 0:
		return P | US | PS;
	case 1:
		return P | US | PS | RW | NX | PWT | A | D | (uint64_t)WORDS << 12;
	case 2:
		return P | US | PS | NX | A | (uint64_t)(2 * WORDS) << 12;
	default:
		return P | US | PS | RW | NX | D;
	}
}

/*
 * What holds between operations: an entry of the root is 0, a leaf, or leads to a table that has a
 * leaf. Which table it leads to makes no difference to the engine, which compares no addresses:
 * here entry n leads to table n + 1, and the pool holds those left over, or some of them. @shape:
 * three bits for each entry of the root, 0 absent, 2 table, from 3 on a leaf; then the pages in the
 * pool.
 */
static bool has_shape(unsigned shape)
{
	unsigned used = 0;

	for (unsigned i = 0; i < ROOT; i++) {
		unsigned kind = shape >> 3 * i & 7;

		if (kind == 1 || kind >= 3 + LEAVES)
			return false;
		used += kind == 2;
	}
	return (shape >> 3 * ROOT) + used <= TABLES;
}

#define SHAPES ((TABLES + 1) << 3 * ROOT)

/*
 * What init made of the configuration is that, by numbers of the manual. CBMC proves it and goes on
 * with the constant, which it cannot see by itself: init looks at the root's own address.
 */
#define PIN(member, value)                                       \
	do {                                                     \
		__CPROVER_assert(pt.member == (value), #member); \
		pt.member = (value);                             \
	} while (0)

static void pin_table(void)
{
	PIN(ops, &ops);
	PIN(ctx, NULL);
	PIN(format, &format);
	PIN(translate, translate_any);
	PIN(root, root);
	PIN(root_pa, BASE);
	PIN(root_used, ROOT);
	PIN(ia_last, ((uint64_t)PAGES << 12) - 1);
	PIN(oa_last, (UINT64_C(1) << 40) - 1);
	PIN(flags, VMM__PT_W_XOR_X | VMM__PT_AD);
	PIN(shift, 12);
	PIN(bits, BITS_PER_LEVEL);
	PIN(levels, 2);
	PIN(top, 1);
	PIN(split, SPLIT);
	PIN(linear, false);
	PIN(quick_below, 0);
	PIN(stale, false);
	PIN(seq, 0);
	PIN(mark, BIT(55));
	PIN(step[0].mark, 0);
	PIN(step[1].mark, BIT(55));
	PIN(plain, false);
	PIN(present, P);
	PIN(addr, ADDR);
	PIN(table[1], leads);
	PIN(leaf[0], 0);
	PIN(leaf[1], PS);
	PIN(accessed, A);
	PIN(dirty_mask, D);
	PIN(dirty_value, D);
	PIN(dirty_clean, 0);
	PIN(dirty_set, D);
	PIN(prot_mask, P | RW | US | NX);
	for (unsigned i = 0; i < VMM__PROT_COUNT; i++)
		PIN(prot[i], i > 7 || prot_bad(i) ? 0 : prot_bits(i));
	PIN(odd, 0);
	PIN(pool_pa, 0);
	PIN(pool_pages, 0);
}

static void begin(void)
{
	struct vmm__pt_config c = {.format = &format,
				   .ops = &ops,
				   .root = root,
				   .root_pa = BASE,
				   .ia_bits = 12 + BITS_PER_LEVEL + 1,
				   .oa_bits = 40,
				   .split = SPLIT,
				   .flags = VMM__PT_W_XOR_X | VMM__PT_AD};
	int r;

	format = vmm__pt_npt;
	format.bits = BITS_PER_LEVEL;
	format.top = 1;
	format.min_levels = format.max_levels = 2;
	r = vmm__pt_init(&pt, &c);
	__CPROVER_assert(r == 0, "a table");
	pin_table();
}

static void fill_table(unsigned shape)
{
	unsigned pages = 0;
	int r;

	for (unsigned i = 0; i < ROOT; i++) {
		unsigned kind = shape >> 3 * i & 7;
		uint64_t all = 0, pa = BASE + ((uint64_t)(i + 1) << 12);

		for (unsigned j = 0; j < WORDS; j++) {
			table(i + 1)[j] = kind != 2       ? nondet_word()
					  : nondet_bool() ? any_leaf()
							  : 0;
			all |= table(i + 1)[j];
		}
		if (kind >= 3)
			root[i] = large_leaf(kind - 3);
		if (kind == 2) {
			root[i] = leads | pa;
			__CPROVER_assume(all != 0);
		} else if (pages < shape >> 3 * ROOT) {
			r = vmm__pt_pool_add(&pt, table(i + 1), pa);
			__CPROVER_assert(r == 0, "a page for the pool");
			PIN(pool_pa, pa);
			pages++;
			PIN(pool_pages, pages);
		}
	}
}

/* How often a table stands in the tree and in the pool, together. */
static unsigned uses(unsigned n)
{
	unsigned count = 0;
	uint64_t pa = pt.pool_pa;

	for (unsigned i = 0; i < ROOT; i++)
		count += (root[i] & P) && !(root[i] & PS) && number(root[i] & ADDR) == n;
	for (unsigned i = 0; i < TABLES; i++) {
		if (i < pt.pool_pages) {
			count += number(pa) == n;
			pa = word(number(pa), 0);
		}
	}
	__CPROVER_assert(pt.pool_pages <= TABLES, "no more pages than there are");
	__CPROVER_assert(pt.pool_pages == TABLES || pa == 0, "the pool ends");
	return count;
}

/* Any entry of the root, any of its table. */
static void check_entry(unsigned i, unsigned j)
{
	uint64_t e = i == 0 ? root[0] : root[1], all = 0;

	if (e == 0)
		return;
	if (e & PS) {
		__CPROVER_assert(good_leaf(e, true), "a large leaf as the engine makes it");
		return;
	}
	__CPROVER_assert((e & ~ADDR) == leads && (e & ADDR) > BASE && number(e & ADDR) <= TABLES,
			 "an entry that leads to a table");
	for (unsigned k = 0; k < WORDS; k++)
		all |= word(number(e & ADDR), k);
	__CPROVER_assert(all & P, "no table without a mapping");
	e = word(number(e & ADDR), j);
	__CPROVER_assert(e == 0 || good_leaf(e, false), "a leaf as the engine makes it");
}

/* ---- before and after one operation ---- */

static unsigned page, free_table_number, had_uses;
static struct seen before;
static uint64_t snapshot[TABLES + 1][WORDS], snapshot_pool, snapshot_pages;

/* What the page may show while the operation is under way: what it showed before, or this. */
static uint64_t shall, shall_ignore;
static bool watching;

static void stored(void)
{
	struct seen now;

	if (!watching)
		return;
	now = hardware(page);
	__CPROVER_assert((now.entry & ~shall_ignore) == (before.entry & ~shall_ignore) ||
				 (now.entry & ~shall_ignore) == (shall & ~shall_ignore) ||
				 (now.entry == 0 && pt.split == VMM__PT_SPLIT_BREAK && pt.seq & 1),
			 "a store shows the old mapping, the new one, or a hole that is allowed");
}

static void look(void)
{
	page = nondet_byte();
	free_table_number = nondet_byte();
	__CPROVER_assume(page < PAGES && free_table_number >= 1 && free_table_number <= TABLES);
	flushed = false;
	before = hardware(page);
	shall = before.entry;
	shall_ignore = 0;
	had_uses = uses(free_table_number);
	for (unsigned n = 0; n <= TABLES; n++) {
		for (unsigned i = 0; i < WORDS; i++)
			snapshot[n][i] = table(n)[i];
	}
	snapshot_pool = pt.pool_pa;
	snapshot_pages = pt.pool_pages;
	watching = true;
}

static void check(void)
{
	unsigned i = nondet_byte(), j = nondet_byte();

	watching = false;
	__CPROVER_assume(i < ROOT && j < WORDS);
	check_entry(i, j);
	__CPROVER_assert(uses(free_table_number) == had_uses, "no table lost, none used twice");
	__CPROVER_assert(!(pt.seq & 1) && !pt.stale, "at rest");
	__CPROVER_assert(!locked, "unlocked");
}

static void check_untouched(void)
{
	for (unsigned n = 0; n <= TABLES; n++) {
		for (unsigned i = 0; i < WORDS; i++)
			__CPROVER_assert(table(n)[i] == snapshot[n][i],
					 "refused, it wrote nothing");
	}
	__CPROVER_assert(pt.pool_pa == snapshot_pool && pt.pool_pages == snapshot_pages,
			 "refused, it took nothing");
}

/* Pages of a range, and whether the block of a page lies wholly in it, or partly. */
static bool in(unsigned p, unsigned first, unsigned count)
{
	return p >= first && p - first < count;
}

static bool block_in(unsigned p, unsigned first, unsigned count)
{
	return in(p - p % WORDS, first, count) && in(p - p % WORDS + WORDS - 1, first, count);
}

static bool becomes_large(unsigned p, unsigned first, unsigned count, unsigned oa)
{
	return block_in(p, first, count) && (first ^ oa) % WORDS == 0;
}

static bool block_touches(unsigned p, unsigned first, unsigned count)
{
	return p / WORDS >= first / WORDS && p / WORDS <= (first + count - 1) / WORDS;
}

static bool any_mapped(unsigned first, unsigned count)
{
	bool mapped = false;

	for (unsigned p = first; p < first + count; p++)
		mapped |= hardware(p).entry != 0;
	return mapped;
}

static struct vmm__ia at(unsigned first)
{
	return vmm__ia((uint64_t)first << 12);
}

static unsigned any_prot(void)
{
	return nondet_byte() % 8;
}

static unsigned any_memory(void)
{
	return nondet_byte() % 2;
}

static void map_at(unsigned first, unsigned count, unsigned oa, unsigned prot, unsigned mem)
{
	bool bad = prot_bad(prot), mapped = any_mapped(first, count);
	uint64_t len = (uint64_t)count << 12;
	uint64_t bound = vmm__pt_bound_map(&pt, at(first), vmm__oa((uint64_t)oa << 12), len);
	struct seen now;
	int r;

	if (in(page, first, count) && before.entry == 0)
		shall = prot_bits(prot) | (mem ? PWT : 0) | (uint64_t)(oa + page - first) << 12;
	r = vmm__pt_map(&pt, at(first), vmm__oa((uint64_t)oa << 12), len, prot, mem);
	__CPROVER_assert((r == -VMM_ENOTSUP) == bad, "protection as in the model");
	__CPROVER_assert(bad || (r == -VMM_EEXIST) == mapped, "what is there already");
	__CPROVER_assert(r == 0 || r == -VMM_ENOTSUP || r == -VMM_EEXIST || r == -VMM_ENOMEM,
			 "an error of the model's");
	__CPROVER_assert(r != -VMM_ENOMEM || snapshot_pages < bound, "enough is enough");
	check();
	if (r != 0) {
		check_untouched();
		return;
	}
	now = hardware(page);
	__CPROVER_assert(snapshot_pages - pt.pool_pages <= bound, "no more pages than the bound");
	__CPROVER_assert(now.entry == shall, "mapped as in the model");
	if (in(page, first, count))
		__CPROVER_assert(now.large == becomes_large(page, first, count, oa),
				 "the largest leaf");
	else
		__CPROVER_assert(now.large == before.large, "other leaves as they were");
}

/* Blocks that the range cuts come apart, others stay as they are. */
static bool stays_large(unsigned first, unsigned count)
{
	return before.large && (!block_touches(page, first, count) || block_in(page, first, count));
}

static void unmap_at(unsigned first, unsigned count)
{
	struct seen now;
	int r;

	if (in(page, first, count))
		shall = 0;
	r = vmm__pt_unmap(&pt, at(first), (uint64_t)count << 12);
	__CPROVER_assert(r == 0 || r == -VMM_ENOMEM, "an error of the model's");
	__CPROVER_assert(r == 0 || snapshot_pages < vmm__pt_bound_edges(&pt), "enough is enough");
	check();
	if (r != 0) {
		check_untouched();
		return;
	}
	now = hardware(page);
	__CPROVER_assert(now.entry == shall, "unmapped as in the model");
	__CPROVER_assert(in(page, first, count) || now.large == stays_large(first, count),
			 "leaves of the model's size");
	__CPROVER_assert(before.entry == 0 || !in(page, first, count) || flushed,
			 "an invalidation of what is gone");
}

static void protect_at(unsigned first, unsigned count, unsigned prot)
{
	bool bad = prot_bad(prot), differs;
	struct seen now;
	int r;

	if (in(page, first, count) && before.entry != 0)
		shall = (before.entry & ~(RW | NX)) | (bad ? 0 : prot_bits(prot));
	differs = shall != before.entry;
	r = vmm__pt_protect(&pt, at(first), (uint64_t)count << 12, prot);
	__CPROVER_assert((r == -VMM_ENOTSUP) == bad, "protection as in the model");
	__CPROVER_assert(r == 0 || r == -VMM_ENOTSUP || r == -VMM_ENOMEM,
			 "an error of the model's");
	__CPROVER_assert(r != -VMM_ENOMEM || snapshot_pages < vmm__pt_bound_edges(&pt),
			 "enough is enough");
	check();
	if (r != 0) {
		check_untouched();
		return;
	}
	now = hardware(page);
	__CPROVER_assert(now.entry == shall, "protected as in the model");
	__CPROVER_assert(!differs || now.large == stays_large(first, count),
			 "leaves of the model's size");
	__CPROVER_assert(!differs || flushed, "an invalidation of what changed");
}

static void split_at(unsigned first, unsigned count)
{
	struct seen now;
	int r = vmm__pt_split(&pt, at(first), (uint64_t)count << 12, 12);

	__CPROVER_assert(r == 0 || r == -VMM_ENOMEM, "an error of the model's");
	check();
	if (r != 0) {
		check_untouched();
		return;
	}
	now = hardware(page);
	__CPROVER_assert(now.entry == before.entry, "mapped as before");
	__CPROVER_assert(now.large == (before.large && !block_touches(page, first, count)),
			 "leaves of the model's size");
	__CPROVER_assert(snapshot_pages - pt.pool_pages <=
				 vmm__pt_bound_split(&pt, at(first), (uint64_t)count << 12, 12),
			 "no more pages than the bound");
}

/* The pages of a block are leaves of one kind, in order, from an address that suits. */
static bool mergeable(unsigned p)
{
	struct seen one = hardware(p - p % WORDS);
	bool same = !one.large && one.entry != 0 && (one.entry >> 12 & (WORDS - 1)) == 0;

	for (unsigned k = 1; k < WORDS; k++) {
		uint64_t e = hardware(p - p % WORDS + k).entry;

		same &= e != 0 && (e & ~(uint64_t)(A | D)) ==
					  (one.entry & ~(uint64_t)(A | D)) + ((uint64_t)k << 12);
	}
	return same;
}

static uint64_t noted(unsigned p)
{
	uint64_t bits = 0;

	for (unsigned k = 0; k < WORDS; k++)
		bits |= hardware(p - p % WORDS + k).entry & (A | D);
	return bits;
}

static void merge_at(unsigned first, unsigned count)
{
	bool merges = block_in(page, first, count) && mergeable(page);
	struct seen now;
	int r;

	if (merges)
		shall |= noted(page);
	shall_ignore = A | D;
	r = vmm__pt_merge(&pt, at(first), (uint64_t)count << 12);
	__CPROVER_assert(r == 0, "nothing to refuse");
	check();
	now = hardware(page);
	__CPROVER_assert(now.entry == shall, "mapped as before");
	__CPROVER_assert(now.large == (before.large || merges), "leaves of the model's size");
	__CPROVER_assert(!merges || flushed, "an invalidation of the tables that fell away");
}

static unsigned told;
static uint64_t told_noted;

static void tell(void *ctx, const struct vmm__pt_leaf *leaf)
{
	(void)ctx;
	if (leaf->ia >> 12 <= page && page - (leaf->ia >> 12) < leaf->size >> 12) {
		told++;
		told_noted = (leaf->accessed ? A : 0) | (leaf->dirty ? D : 0);
	}
}

static void harvest_at(unsigned first, unsigned count)
{
	unsigned clear = nondet_byte() % 4;
	uint64_t bits =
		(clear & VMM__PT_CLEAR_ACCESSED ? A : 0) | (clear & VMM__PT_CLEAR_DIRTY ? D : 0);
	bool touches = before.large ? block_touches(page, first, count) : in(page, first, count);
	struct seen now;
	int r;

	if (touches)
		shall &= ~bits;
	told = 0;
	r = vmm__pt_harvest(&pt, at(first), (uint64_t)count << 12, clear, tell, NULL);
	__CPROVER_assert(r == 0, "nothing to refuse");
	check();
	now = hardware(page);
	__CPROVER_assert(now.entry == shall && now.large == before.large, "only noted bits differ");
	__CPROVER_assert(told == (touches && before.entry & (A | D)), "told once");
	__CPROVER_assert(told == 0 || told_noted == (before.entry & (A | D)),
			 "told what was noted");
	__CPROVER_assert(shall == before.entry || flushed, "an invalidation of what was cleared");
}

static void lookup_at(void)
{
	unsigned p = page;
	struct seen now;
	struct vmm__pt_leaf leaf;
	uint64_t oa;
	int r;

	now = hardware(p);
	r = vmm__pt_lookup(&pt, at(p), &leaf);
	oa = vmm__pt_translate(&pt, at(p));
	__CPROVER_assert(r == (now.entry ? 0 : -VMM_ENOENT), "found as by hardware");
	__CPROVER_assert(oa == (now.entry ? now.entry & ADDR : VMM__PT_NOTHING), "translated so");
	if (r != 0)
		return;
	__CPROVER_assert(leaf.size == (now.large ? (uint64_t)WORDS << 12 : 4096) &&
				 leaf.ia == ((uint64_t)p << 12 & ~(leaf.size - 1)),
			 "the leaf around it");
	__CPROVER_assert(leaf.oa == (now.entry & ADDR & ~(leaf.size - 1)), "where it leads");
	__CPROVER_assert(prot_bits(leaf.prot) == (now.entry & (P | US | RW | NX)), "its rights");
	__CPROVER_assert(leaf.mem == (now.entry & PWT ? VMM__MEM_WT : VMM__MEM_WB), "its type");
	__CPROVER_assert(leaf.accessed == !!(now.entry & A) && leaf.dirty == !!(now.entry & D),
			 "what was noted");
}

/* ---- the cases ---- */

enum { MAP, UNMAP, PROTECT, SPLIT_UP, MERGE, HARVEST, LOOKUP };

/* VARIANT: residue of the address that a map leads to; write and execute of a protect. */
static void operate(unsigned first, unsigned count)
{
	look();
	switch (KIND) {
	case MAP:
		map_at(first, count, WORDS + VARIANT, any_prot(), any_memory());
		return;
	case UNMAP:
		unmap_at(first, count);
		return;
	case PROTECT:
		protect_at(first, count, VMM__PROT_R | VARIANT << 1);
		return;
	case SPLIT_UP:
		split_at(first, count);
		return;
	case MERGE:
		merge_at(first, count);
		return;
	case HARVEST:
		harvest_at(first, count);
		return;
	default:
		lookup_at();
		return;
	}
}

/*
 * One of the cases from @from on, before @to. Each ends by itself, so that CBMC follows it with
 * what it knows to be constant, and under few conditions.
 */
static void choose_shape(unsigned from, unsigned to)
{
	unsigned middle = from + (to - from) / 2;

	if (to - from > 1) {
		if (nondet_bool())
			choose_shape(from, middle);
		else
			choose_shape(middle, to);
		return;
	}
	if (has_shape(from)) {
		fill_table(from);
		operate(FIRST, COUNT);
	}
	__CPROVER_assume(0);
}

void one_operation(void)
{
	begin();
	choose_shape(0, SHAPES);
}

/* As PIN: what the first operation has made is proven to be the model's, and then taken from there.
 */
#define PIN_WORD(slot, value)                                          \
	do {                                                           \
		uint64_t wanted = (value);                             \
		__CPROVER_assert((slot) == wanted, "as in the model"); \
		(slot) = wanted;                                       \
	} while (0)

/* An empty table's pool: pages from it in order, the last one added first. */
static void pin_pool(unsigned pages)
{
	PIN(pool_pages, pages);
	PIN(pool_pa, pages == 0 ? 0 : BASE + ((uint64_t)pages << 12));
	PIN(seq, 0);
}

static void pin_mapping(unsigned first, unsigned count, unsigned oa, uint64_t bits, unsigned pages)
{
	unsigned need = 0;

	for (unsigned p = 0; p < PAGES; p += WORDS)
		need += block_touches(p, first, count) && !becomes_large(p, first, count, oa);
	for (unsigned i = 0; i < ROOT; i++) {
		unsigned p = i * WORDS;

		if (need > pages || !block_touches(p, first, count)) {
			PIN_WORD(root[i], 0);
		} else if (becomes_large(p, first, count, oa)) {
			PIN_WORD(root[i], bits | PS | (uint64_t)(oa + p - first) << 12);
		} else {
			PIN_WORD(root[i], leads | (BASE + ((uint64_t)pages << 12)));
			for (unsigned j = 0; j < WORDS; j++)
				PIN_WORD(table(pages)[j],
					 in(p + j, first, count)
						 ? bits | (uint64_t)(oa + p + j - first) << 12
						 : 0);
			need--;
			pages--;
		}
	}
	pin_pool(pages);
}

/* Attributes are any; one of two constants where large leaves come of it. */
static void map_first(unsigned oa, unsigned constant, unsigned pages)
{
	unsigned prot = any_prot(), mem = any_memory();

	__CPROVER_assume(!prot_bad(prot));
	for (unsigned p = 0; p < PAGES; p += WORDS) {
		if (becomes_large(p, FIRST, COUNT, oa)) {
			prot = VMM__PROT_R | (constant ? VMM__PROT_W : VMM__PROT_X);
			mem = constant;
		}
	}
	map_at(FIRST, COUNT, oa, prot, mem);
	pin_mapping(FIRST, COUNT, oa, prot_bits(prot) | (mem ? PWT : 0), pages);
}

/* Nothing is there yet, and nothing comes of it. */
static void change_first(unsigned pages)
{
	if (FIRST_KIND == UNMAP)
		unmap_at(FIRST, COUNT);
	else
		protect_at(FIRST, COUNT, any_prot());
	for (unsigned i = 0; i < ROOT; i++)
		PIN_WORD(root[i], 0);
	pin_pool(pages);
}

static void choose_second(unsigned from, unsigned to)
{
	unsigned middle = from + (to - from) / 2;
	unsigned first = from % PAGES, count = 1 + from / PAGES;

	if (to - from > 1) {
		if (nondet_bool())
			choose_second(from, middle);
		else
			choose_second(middle, to);
		return;
	}
	if (first + count <= PAGES)
		operate(first, count);
	__CPROVER_assume(0);
}

/*
 * An empty table, an operation of FIRST_KIND on FIRST and COUNT, and one of KIND on any range.
 * START: pages in the pool, residue of the address that a mapping leads to, and which constants it
 * has.
 */
void two_operations(void)
{
	unsigned pages = START / WORDS % (TABLES + 1);

	begin();
	fill_table(pages << 3 * ROOT);
	look();
	if (FIRST_KIND == MAP)
		map_first(WORDS + START % WORDS, START / WORDS / (TABLES + 1), pages);
	else
		change_first(pages);
	choose_second(0, PAGES * PAGES);
}

/*
 * What ranges are cut by, at full size: 9 bits, 4 levels, all 64 bits of every argument. A range of
 * which this says that it is good passes no width, and steps through it go forward and end with it.
 */
void arithmetic(void)
{
	static struct vmm__pt big;
	uint64_t ia = nondet_word(), len = nondet_word(), last = ia + len - 1, size, stop, n;
	unsigned level = nondet_byte() % 4;
	int r;

	big.shift = 12;
	big.bits = 9;
	big.levels = 4;
	big.root_used = 512;
	big.ia_last = (UINT64_C(1) << 48) - 1;
	big.oa_last = (UINT64_C(1) << 52) - 1;
	r = check_output(&big, ia, len);
	if (len != 0 && (len & 0xfff) == 0)
		__CPROVER_assert((r == 0) == ((ia & 0xfff) == 0 && ia <= big.oa_last &&
					      len - 1 <= big.oa_last - ia),
				 "output addresses");
	r = check_range(&big, ia, len);
	__CPROVER_assert((r == 0) == (len != 0 && ((ia | len) & 0xfff) == 0 && ia <= big.ia_last &&
				      len - 1 <= big.ia_last - ia),
			 "input addresses");
	if (r != 0)
		return;
	size = UINT64_C(1) << (12 + 9 * level);
	n = whole_entries(&big, level, ia, last);
	__CPROVER_assert(n <= 512 && (n == 0) == ((ia & (size - 1)) != 0 || last - ia < size - 1),
			 "entries wholly in the range");
	stop = n != 0 ? ia + (n << level_shift(&big, level)) - 1
		      : least(last, ia | level_mask(&big, level));
	__CPROVER_assert(stop >= ia && stop <= last, "a step goes forward, and not past the end");
	__CPROVER_assert(level_index(&big, level, stop) ==
				 level_index(&big, level, ia) + (n ? n - 1 : 0),
			 "within one table");
	__CPROVER_assert(level > 0 || n != 0, "pages are never cut");
}

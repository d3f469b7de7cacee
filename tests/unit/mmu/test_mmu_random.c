// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Random operations on tables of full size, one run for each encoding, against a list of intervals.
 *
 *   test-mmu-random [OPERATIONS [ENCODING]]
 *
 * At every store to an entry that hardware can reach, the addresses below it are read by the
 * decoder: each leads where it did before the operation or where it shall after it, or is a hole
 * where one is allowed. Every allocation of every operation is made to fail in turn, and now and
 * then an invalidation.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encodings.h"
#include "stored.h"

#define ARENA_TABLES 3000 /* of 4 KiB; fewer of larger ones */
#define INTERVALS    4096
#define POINTS       12
#define MOST_ENTRIES 8192 /* of a table in the pool, and of the root */
#define MOST_ROOT    (16 * MOST_ENTRIES)
#define PROGRESS     250000
#define MOST_KEPT    64   /* pages that an operation may need */
#define RESCAN       1000 /* operations from one full look at the tables to the next */

struct interval {
	uint64_t first, last; /* input addresses */
	uint64_t oa;
	unsigned prot, mem;
};

struct list {
	unsigned n;
	struct interval at[INTERVALS];
};

/* What the engine knows nothing of: where in the tree each page of the arena stands. */
struct place {
	unsigned known; /* the round of looking in which hardware reached it */
	uint8_t level;
	bool stored;    /* since its entries were looked at */
	uint64_t first; /* input address of entry 0 */
};

static const struct encoding *encoding;
static struct vmm__pt pt;
static struct decoder decoder;
static uint8_t *arena;
static uint64_t arena_pa, page_bytes, page_count, root_bytes;
static struct place places[ARENA_TABLES + 1];
/* Of each page, and the root first: entries that lead to tables, a bit each. */
static uint64_t leading[MOST_ROOT / 64 + ARENA_TABLES * MOST_ENTRIES / 64];
static struct list now, next;
static struct vmm__ia op_first, op_last;
static uint64_t random_state;
static unsigned long checked, holes, starved, stores, failed_invalidations;
static unsigned fail_next, round_of_looking;
static const char *wrong;

static uint64_t next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1d;
}

static uint64_t below(uint64_t end)
{
	return next_random() % end;
}

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", encoding->name, what);
	exit(1);
}

/* ---- the model ---- */

static void copy(struct list *to, const struct list *from)
{
	to->n = from->n;
	memcpy(to->at, from->at, from->n * sizeof(from->at[0]));
}

static const struct interval *find(const struct list *l, uint64_t a)
{
	unsigned low = 0, high = l->n;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (l->at[mid].last < a)
			low = mid + 1;
		else
			high = mid;
	}
	return low < l->n && l->at[low].first <= a ? &l->at[low] : NULL;
}

static void insert(struct list *l, struct interval v)
{
	unsigned i = l->n;

	if (l->n == INTERVALS)
		fail("the model is full");
	for (; i > 0 && l->at[i - 1].first > v.first; i--)
		l->at[i] = l->at[i - 1];
	l->at[i] = v;
	l->n++;
}

static bool overlaps(const struct list *l, uint64_t first, uint64_t last)
{
	for (unsigned i = 0; i < l->n; i++) {
		if (l->at[i].first <= last && l->at[i].last >= first)
			return true;
	}
	return false;
}

/* Takes [first, last] out; with @prot puts it back so protected. */
static void change(struct list *l, uint64_t first, uint64_t last, bool keep, unsigned prot)
{
	static struct list old;

	copy(&old, l);
	l->n = 0;
	for (unsigned i = 0; i < old.n; i++) {
		struct interval v = old.at[i], part = v;

		if (v.last < first || v.first > last) {
			insert(l, v);
			continue;
		}
		if (v.first < first) {
			part.last = first - 1;
			insert(l, part);
		}
		part = v;
		if (v.first < first) {
			part.first = first;
			part.oa += first - v.first;
		}
		if (v.last > last)
			part.last = last;
		part.prot = prot;
		if (keep)
			insert(l, part);
		if (v.last > last) {
			part = v;
			part.first = last + 1;
			part.oa += last + 1 - v.first;
			insert(l, part);
		}
	}
}

static bool agrees(const struct list *l, uint64_t a, const struct decoded *d)
{
	const struct interval *v = find(l, a);

	if (!v)
		return !d->mapped && !d->broken;
	return encoding_agrees(encoding, d, v->prot, v->mem) && d->oa == v->oa + (a - v->first);
}

/* ---- the tables ---- */

static const uint64_t *decoder_table(void *ctx, uint64_t pa)
{
	(void)ctx;
	if (pa < arena_pa + root_bytes || pa >= arena_pa + root_bytes + page_count * page_bytes)
		return NULL;
	return (const uint64_t *)(const void *)(arena + (pa - arena_pa));
}

static unsigned page_of(const uint64_t *slot)
{
	uint64_t offset = (uint64_t)((const uint8_t *)slot - arena);

	return offset < root_bytes ? 0 : 1 + (unsigned)((offset - root_bytes) / page_bytes);
}

static uint64_t *page_at(unsigned i)
{
	return (uint64_t *)(void *)(arena + (i == 0 ? 0 : root_bytes + (i - 1) * page_bytes));
}

static unsigned level_shift(unsigned level)
{
	return decoder.shift + level * decoder.bits;
}

static uint64_t *leading_of(unsigned page)
{
	return leading + (page == 0 ? 0 : MOST_ROOT / 64 + (page - 1) * (MOST_ENTRIES / 64));
}

static void find_tables(unsigned page, unsigned level)
{
	uint64_t entries = (page == 0 ? root_bytes : page_bytes) / 8, pa;
	uint64_t *bits = leading_of(page);
	const uint64_t *t = page_at(page);

	memset(bits, 0, (entries + 63) / 64 * 8);
	for (uint64_t i = 0; i < entries; i++) {
		if (t[i] != 0 && decode_table(&decoder, t[i], level, &pa))
			bits[i / 64] |= UINT64_C(1) << i % 64;
	}
	places[page].stored = false;
}

/* All entries are to be looked at again. */
static void forget_tables(void)
{
	for (uint64_t i = 0; i <= page_count; i++)
		places[i].stored = true;
}

/*
 * Finds the tables that hardware reaches; the decoder's own rules say what leads to one. Entries
 * are decoded again where there was a store.
 */
static unsigned place_table(unsigned page, unsigned level, uint64_t first)
{
	struct place *p = &places[page];
	uint64_t entries = (page == 0 ? root_bytes : page_bytes) / 8;
	unsigned n = page != 0;

	if (p->known == round_of_looking)
		fail("a table is reached twice");
	if (level > 0 && (p->stored || p->level != level))
		find_tables(page, level);
	p->known = round_of_looking;
	p->level = (uint8_t)level;
	p->first = first;
	for (uint64_t w = 0; level > 0 && w < (entries + 63) / 64; w++) {
		for (uint64_t left = leading_of(page)[w]; left != 0; left &= left - 1) {
			uint64_t i = 64 * w + (unsigned)__builtin_ctzll(left), pa;
			const uint64_t *child;

			if (!decode_table(&decoder, page_at(page)[i], level, &pa))
				fail("a table is gone without a store");
			child = decoder_table(NULL, pa);
			if (!child)
				fail("an entry leads out of the arena");
			n += place_table(page_of(child), level - 1,
					 first + (i << level_shift(level)));
		}
	}
	return n;
}

static void look(uint64_t a)
{
	struct decoded d = decode(&decoder, a);

	checked++;
	if (agrees(&now, a, &d) || agrees(&next, a, &d))
		return;
	if (!d.mapped && !d.broken && pt.split == VMM__PT_SPLIT_BREAK && pt.seq & 1)
		holes++;
	else
		wrong = "a store shows neither the old mapping nor the new one";
}

static uint64_t clamp(uint64_t a, uint64_t first, uint64_t last)
{
	return a < first ? first : a > last ? last : a;
}

static void stored(const uint64_t *slot)
{
	unsigned page = page_of(slot);
	struct place *p = &places[page];
	uint64_t first, last;

	p->stored = true;
	stores++;
	if (p->known != round_of_looking)
		return;
	first = p->first + ((uint64_t)(slot - page_at(page)) << level_shift(p->level));
	last = first + ((UINT64_C(1) << level_shift(p->level)) - 1);
	look(first);
	look(last);
	look(clamp(op_first.a, first, last));
	look(clamp(op_last.a, first, last));
	if (p->level > 0) {
		look(clamp(op_first.a - 1, first, last));
		look(clamp(op_last.a + 1, first, last));
		for (unsigned i = 0; i < 4; i++)
			look(first + (next_random() & (last - first)));
	}
}

static int invalidate(void *ctx, const struct vmm__pt_inval *inval)
{
	(void)ctx;
	if (inval->first > inval->last)
		wrong = "an invalidation of a bad range";
	if (fail_next == 0 || --fail_next != 0)
		return 0;
	failed_invalidations++;
	return -VMM_ETIMEOUT;
}

static const struct vmm__pt_ops ops = {.invalidate = invalidate};

#if defined(VMM__PT_PLAIN)
static const bool only_plain = true;
#else
static const bool only_plain;
#endif

/* False: an image whose tables are all plain (VMM__PT_PLAIN) does not have this encoding. */
static bool make_table(uint8_t split)
{
	uint64_t base = UINT64_C(1) << (encoding->oa_bits - 1);
	struct vmm__pt_config c = {.format = encoding->format,
				   .ops = &ops,
				   .ia_bits = encoding->ia_bits,
				   .oa_bits = encoding->oa_bits,
				   .split = split,
				   .flags = encoding->flags};

	root_bytes = vmm__pt_root_bytes(c.format, c.ia_bits);
	page_bytes = UINT64_C(8) << c.format->bits;
	page_count = page_bytes == 4096 ? ARENA_TABLES : ARENA_TABLES / 4;
	free(arena);
	arena = aligned_alloc(root_bytes, (root_bytes + page_count * page_bytes + root_bytes - 1) /
						  root_bytes * root_bytes);
	memset(arena, 0xa5, root_bytes + page_count * page_bytes);
	arena_pa = base;
	c.root = (uint64_t *)(void *)arena;
	c.root_pa = arena_pa;
	c.offset = (uintptr_t)arena - arena_pa;
	int r = vmm__pt_init(&pt, &c);
	if (r == -VMM_ENOTSUP && only_plain)
		return false;
	if (r != 0)
		fail("no table");
	for (uint64_t i = page_count; i > 0; i--) {
		uint8_t *page = (uint8_t *)page_at((unsigned)i);

		if (vmm__pt_pool_add(&pt, page, arena_pa + (uint64_t)(page - arena)) != 0)
			fail("no page");
	}
	decoder = encoding_decoder(encoding, &pt);
	decoder.table = decoder_table;
	now.n = next.n = 0;
	forget_tables();
	return true;
}

/* ---- operations ---- */

enum { MAP, UNMAP, PROTECT, SPLIT, MERGE, HARVEST, KINDS };

struct op {
	unsigned kind;
	uint64_t first, len, oa;
	unsigned which;
};

static uint64_t page_size(void)
{
	return UINT64_C(1) << decoder.shift;
}

/* Addresses gather in few places, so that operations meet, at the edges of blocks of each size. */
static uint64_t pick_address(unsigned bits)
{
	unsigned level = (unsigned)below(pt.levels > 3 ? 4 : pt.levels);
	uint64_t size = UINT64_C(1) << level_shift(level > 2 ? 2 : level);
	uint64_t base = below(3) * ((UINT64_C(1) << (bits - 2)) - 3 * size);
	uint64_t a = base / size * size + below(4) * size;

	if (below(3) == 0)
		a += (below(5) - 2) * page_size();
	return a & (UINT64_MAX >> (64 - bits)) & ~(page_size() - 1);
}

static struct op pick(void)
{
	static const uint8_t weights[] = {MAP,   MAP,     MAP,     MAP,   UNMAP, UNMAP,
					  UNMAP, PROTECT, PROTECT, SPLIT, MERGE, HARVEST};
	struct op op = {.kind = weights[below(sizeof(weights))],
			.first = pick_address(encoding->ia_bits),
			.oa = pick_address(encoding->oa_bits),
			.which = (unsigned)below(4)};
	unsigned level = (unsigned)below(pt.top + 2U);
	uint64_t size = UINT64_C(1) << level_shift(level > pt.top ? 0 : level);

	op.len = (1 + below(level == 0 ? 600 : 3)) * size;
	if (below(4) == 0)
		op.len += below(4) * page_size();
	/* Mostly congruent, so that large leaves are used. */
	if (below(4) != 0) {
		uint64_t mask = (UINT64_C(1) << level_shift(pt.top)) - 1;

		op.oa = (op.oa & ~mask) | (op.first & mask);
	}
	if (op.len - 1 > pt.ia_last - op.first)
		op.len = pt.ia_last - op.first + 1;
	if (op.kind == MAP && op.len - 1 > pt.oa_last - op.oa)
		op.oa = 0;
	return op;
}

/* Large ranges in small leaves would take all pages: cut to what is quick. */
static bool too_large(const struct op *op)
{
	return (op->kind == MAP &&
		vmm__pt_bound_map(&pt, vmm__ia(op->first), vmm__oa(op->oa), op->len) > 12) ||
	       (op->kind == SPLIT && vmm__pt_bound_split(&pt, vmm__ia(op->first), op->len,
							 level_shift(op->which & 1)) > 12);
}

static int run(const struct op *op)
{
	struct vmm__ia ia = vmm__ia(op->first);

	switch (op->kind) {
	case MAP:
		return vmm__pt_map(&pt, ia, vmm__oa(op->oa), op->len, encoding->prot[op->which & 1],
				   encoding->mem[op->which >> 1]);
	case UNMAP:
		return vmm__pt_unmap(&pt, ia, op->len);
	case PROTECT:
		return vmm__pt_protect(&pt, ia, op->len, encoding->prot[op->which & 1]);
	case SPLIT:
		return vmm__pt_split(&pt, ia, op->len, level_shift(op->which & 1));
	case MERGE:
		return vmm__pt_merge(&pt, ia, op->len);
	default:
		return vmm__pt_harvest(&pt, ia, op->len, op->which, NULL, NULL);
	}
}

/* What the model says to it: 0, or the only error it may give. */
static int expect(const struct op *op, struct list *l)
{
	uint64_t last = op->first + op->len - 1;

	switch (op->kind) {
	case MAP:
		if (overlaps(l, op->first, last))
			return -VMM_EEXIST;
		insert(l, (struct interval){op->first, last, op->oa, encoding->prot[op->which & 1],
					    encoding->mem[op->which >> 1]});
		return 0;
	case UNMAP:
		change(l, op->first, last, false, 0);
		return 0;
	case PROTECT:
		change(l, op->first, last, true, encoding->prot[op->which & 1]);
		return 0;
	case HARVEST:
		return encoding->flags & VMM__PT_AD ? 0 : -VMM_ENOTSUP;
	case MERGE:
		return pt.split == VMM__PT_SPLIT_NEVER ? -VMM_ENOTSUP : 0;
	default:
		return (op->which & 1) > pt.top ? -VMM_EINVAL : 0;
	}
}

static void check_points(const struct op *op)
{
	uint64_t at[POINTS] = {op->first, op->first - page_size(), op->first + op->len - 1,
			       op->first + op->len, op->first + op->len / 2};

	for (unsigned i = 5; i < POINTS; i++) {
		const struct interval *v = now.n ? &now.at[below(now.n)] : NULL;

		at[i] = !v      ? pick_address(encoding->ia_bits)
			: i & 1 ? v->first + below(v->last - v->first + 1)
				: v->last;
	}
	for (unsigned i = 0; i < POINTS; i++) {
		uint64_t a = at[i] & pt.ia_last, oa = vmm__pt_translate(&pt, vmm__ia(a));
		struct decoded d = decode(&decoder, a);
		struct vmm__pt_leaf leaf;

		if (!agrees(&now, a, &d))
			fail("hardware finds another mapping than the model");
		if (oa != (d.mapped ? d.oa : VMM__PT_NOTHING))
			fail("translate differs from the decoder");
		if (vmm__pt_lookup(&pt, vmm__ia(a), &leaf) != (d.mapped ? 0 : -VMM_ENOENT))
			fail("lookup differs from the decoder");
		if (d.mapped &&
		    (leaf.size != UINT64_C(1) << d.shift || leaf.oa + (a - leaf.ia) != d.oa))
			fail("lookup gives another leaf");
	}
}

/* One attempt with what is in the pool; false for want of pages. */
static bool attempt(const struct op *op, bool may_starve)
{
	uint64_t pool = pt.pool_pages;
	bool stale = pt.stale, refused = stale && fail_next == 1; /* it fails again first */
	int expected, r;

	copy(&next, &now);
	expected = expect(op, &next);
	if (expected != 0)
		copy(&next, &now);
	op_first = vmm__ia(op->first);
	op_last = vmm__ia(op->first + op->len - 1);
	wrong = NULL;
	stores = 0;
	stored_hook = stored;
	r = run(op);
	stored_hook = NULL;
	if (wrong)
		fail(wrong);
	if (r != 0 && r != -VMM_ETIMEOUT && !stale && stores != 0)
		fail("refused, it wrote to the tables");
	if (r == -VMM_ENOMEM && may_starve) {
		if (pt.pool_pages < pool)
			fail("starved, it took pages");
		check_points(op);
		return false;
	}
	if (r == -VMM_ENOTSUP && pt.split == VMM__PT_SPLIT_NEVER && expected == 0)
		copy(&next, &now); /* it would have to split a leaf in use */
	else if (r == -VMM_ETIMEOUT && refused)
		copy(&next, &now);
	else if (r == -VMM_ETIMEOUT)
		fail_next = 0;
	else if (r != expected)
		fail("another result than the model's");
	copy(&now, &next);
	return true;
}

/* Tables in use and in the pool are all there are; a failed invalidation keeps some for later. */
static void check_tables(void)
{
	unsigned n;

	if (++round_of_looking % RESCAN == 0)
		forget_tables();
	n = place_table(0, decoder.levels - 1, 0);
	if (!pt.stale && n + pt.pool_pages != page_count)
		fail("tables leaked");
	if (pt.seq & 1)
		fail("the sequence count stays odd");
}

/* Leaves @keep pages in the pool. The rest, as one list, is put aside. */
struct pool {
	uint64_t pa, pages;
};

static struct pool hide(uint64_t keep)
{
	uint64_t kept[MOST_KEPT];
	struct pool rest;

	for (uint64_t i = 0; i < keep; i++)
		vmm__pt_pool_take(&pt, &kept[i]);
	rest = (struct pool){pt.pool_pa, pt.pool_pages};
	pt.pool_pa = pt.pool_pages = 0;
	for (uint64_t i = keep; i-- > 0;)
		vmm__pt_pool_add(&pt, arena + (kept[i] - arena_pa), kept[i]);
	return rest;
}

static void unhide(struct pool rest)
{
	static uint64_t left[ARENA_TABLES];
	uint64_t n = 0;

	if (rest.pages == 0)
		return;
	while (pt.pool_pages > 0)
		vmm__pt_pool_take(&pt, &left[n++]);
	pt.pool_pa = rest.pa;
	pt.pool_pages = rest.pages;
	while (n-- > 0)
		vmm__pt_pool_add(&pt, arena + (left[n] - arena_pa), left[n]);
}

/* With 0, 1, 2, … pages in the pool, until they are enough. */
static void perform(const struct op *op)
{
	bool done = false;

	for (uint64_t keep = 0; !done; keep++) {
		struct pool rest = {0, 0};

		if (keep < pt.pool_pages && keep < MOST_KEPT)
			rest = hide(keep);
		done = attempt(op, rest.pages != 0);
		starved += !done;
		unhide(rest);
	}
}

static void report(unsigned long done, unsigned long of, uint8_t split)
{
	static const char *const names[] = {"format's", "live", "break", "never"};

	printf("%-16s %-5s: %lu of %lu operations, %lu looks, %lu holes, %lu refusals for pages, "
	       "%lu failed invalidations\n",
	       encoding->name, names[split], done, of, checked, holes, starved,
	       failed_invalidations);
	fflush(stdout);
}

static unsigned runs;

static void run_encoding(const struct encoding *e, unsigned long operations, uint8_t split)
{
	unsigned long done = 0;

	encoding = e;
	random_state = 0x9e3779b97f4a7c15 ^ (uint64_t)(e - encodings) << 32;
	if (!make_table(split))
		return;
	runs++;
	check_tables();
	checked = holes = starved = failed_invalidations = 0;
	while (done < operations) {
		struct op op = pick();

		/* A model that fills up, or a pool that does, begins anew. */
		if (now.n > 200 || pt.pool_pages < 200) {
			op = (struct op){.kind = UNMAP, .first = 0, .len = pt.ia_last + 1};
			if (op.len == 0) {
				if (vmm__pt_destroy(&pt) != 0)
					fail("destroy");
				now.n = 0;
				forget_tables();
				check_tables();
				continue;
			}
			if (split == VMM__PT_SPLIT_NEVER &&
			    vmm__pt_unmap(&pt, vmm__ia(0), op.len) != 0)
				fail("unmapping all");
			forget_tables();
		} else if (too_large(&op)) {
			continue;
		}
		fail_next = below(50) == 0 ? 1 + (unsigned)below(2) : 0;
		perform(&op);
		fail_next = 0;
		check_tables();
		check_points(&op);
		done++;
		if (done % PROGRESS == 0)
			report(done, operations, split);
	}
	if (vmm__pt_destroy(&pt) != 0 || pt.pool_pages != page_count)
		fail("destroy leaves tables behind");
	if (operations % PROGRESS != 0)
		report(done, operations, split);
}

int main(int argc, char **argv)
{
	unsigned long operations = argc > 1 ? strtoul(argv[1], NULL, 0) : 1500;

	for (unsigned i = 0; i < encoding_count; i++) {
		if (argc > 2 && strcmp(argv[2], encodings[i].name) != 0)
			continue;
		run_encoding(&encodings[i], operations, VMM__PT_SPLIT_LIVE + (uint8_t)(i % 3));
		run_encoding(&encodings[i], operations,
			     VMM__PT_SPLIT_LIVE + (uint8_t)((i + 1) % 3));
	}
	free(arena);
	if (runs == 0)
		fprintf(stderr, "no such encoding\n");
	return runs == 0;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "small.h"

#include <string.h>

#include "stored.h"

void (*stored_hook)(const uint64_t *slot);
static struct small *watched;

static uint64_t *word_of_table(struct small *s, uint64_t pa)
{
	uint64_t i = (pa - s->pa_base) >> s->format.shift;

	if (pa < s->pa_base || i > s->tables || pa & ((UINT64_C(1) << s->format.shift) - 1))
		return NULL;
	return i == 0 ? s->words : s->words + SMALL_PAGES + ((i - 1) << s->format.bits);
}

static void *virt(void *ctx, uint64_t pa)
{
	return word_of_table(ctx, pa);
}

static const uint64_t *decoder_table(void *ctx, uint64_t pa)
{
	struct small *s = ctx;

	return pa == s->pa_base ? NULL : word_of_table(s, pa);
}

static int invalidate(void *ctx, const struct vmm__pt_inval *inval)
{
	struct small *s = ctx;

	if (inval->first > inval->last || inval->last > s->pt.ia_last)
		s->failure = "invalidation of a bad range";
	for (unsigned i = 0; i < s->pages; i++)
		s->flushed[i] |=
			inval->first >> s->format.shift <= i && inval->last >> s->format.shift >= i;
	s->invalidations++;
	if (s->fail_invalidations == 0)
		return 0;
	s->fail_invalidations--;
	return -VMM_ETIMEOUT;
}

static bool same(const struct small *s, const struct decoded *d, const struct small_page *p)
{
	const struct encoding *e = s->encoding;

	if (p->oa == 0)
		return !d->mapped && !d->broken;
	return encoding_agrees(e, d, e->prot[p->which_prot], e->mem[p->which_mem]) &&
	       d->oa == s->oa_base + ((uint64_t)(p->oa - 1) << s->format.shift);
}

/* Each page leads where it did before the operation, or where it shall after it, or is a hole. */
static void stored(const uint64_t *slot)
{
	struct small *s = watched;

	(void)slot;
	if (s->race_store && --s->race_store == 0) {
		struct decoded d = decode(&s->decoder, (uint64_t)s->race_page << s->format.shift);

		if (d.mapped) {
			decode_touch(&s->decoder, &d, d.w);
			s->race_noted = d.w ? 3 : 1;
		}
	}
	for (unsigned i = 0; i < s->pages; i++) {
		struct decoded d = decode(&s->decoder, (uint64_t)i << s->format.shift);

		if (same(s, &d, &s->now[i]) || same(s, &d, &s->next[i]))
			continue;
		if (!d.mapped && !d.broken && s->pt.split == VMM__PT_SPLIT_BREAK && s->pt.seq & 1)
			s->holes++;
		else
			s->failure = "a store shows neither the old mapping nor the new one";
	}
}

bool small_init(struct small *s, const struct encoding *e, const struct small_geometry *g)
{
	struct vmm__pt_config c = {0};

	memset(s, 0, sizeof(*s));
	s->encoding = e;
	s->format = *e->format;
	s->format.bits = g->bits;
	s->format.top = (uint8_t)(g->levels - 1);
	s->format.min_levels = s->format.max_levels = g->levels;
	s->format.concat = g->root_bits > g->bits ? (uint8_t)(g->root_bits - g->bits) : 0;
	s->ops = (struct vmm__pt_ops){.virt = virt, .invalidate = invalidate};
	s->pages = 1U << (g->root_bits + (g->levels - 1U) * g->bits);
	s->tables = g->bits > 2 ? SMALL_TABLES / 2 : SMALL_TABLES;
	s->pa_base = UINT64_C(1) << (e->oa_bits - 1);
	/* Output addresses pass the point where wide formats carry into their high bits. */
	s->oa_base = (UINT64_C(1) << (s->format.shift == 16 ? 48 : e->oa_bits - 2)) -
		     (UINT64_C(24) << s->format.shift);
	c.format = &s->format;
	c.ops = &s->ops;
	c.ctx = s;
	c.root = s->words;
	c.root_pa = s->pa_base;
	c.ia_bits = (uint8_t)(s->format.shift + g->root_bits + (g->levels - 1U) * g->bits);
	c.oa_bits = e->oa_bits;
	c.split = g->split;
	c.flags = e->flags;
	if (s->pages > SMALL_PAGES || g->bits > 3 || vmm__pt_init(&s->pt, &c) != 0)
		return false;
	s->decoder = encoding_decoder(e, &s->pt);
	s->decoder.table = decoder_table;
	s->decoder.ctx = s;
	for (unsigned i = 1; i <= s->tables; i++) {
		uint64_t pa = s->pa_base + ((uint64_t)i << s->format.shift);

		if (vmm__pt_pool_add(&s->pt, virt(s, pa), pa) != 0)
			return false;
	}
	return true;
}

/* ---- the model ---- */

/* First page of the block of a level around a page, and one past it. */
static unsigned block(const struct small *s, unsigned level, unsigned page)
{
	return page >> (level * s->format.bits) << (level * s->format.bits);
}

static unsigned block_end(const struct small *s, unsigned level, unsigned page)
{
	return block(s, level, page) + (1U << (level * s->format.bits));
}

static bool inside(const struct small *s, const struct small_op *op, unsigned level, unsigned page)
{
	return block(s, level, page) >= op->first &&
	       block_end(s, level, page) <= (unsigned)op->first + op->count;
}

static bool outside(const struct small *s, const struct small_op *op, unsigned level, unsigned page)
{
	return block_end(s, level, page) <= op->first ||
	       block(s, level, page) >= (unsigned)op->first + op->count;
}

static bool in_range(const struct small_op *op, unsigned page)
{
	return page >= op->first && page < (unsigned)op->first + op->count;
}

/* log2 of the pages of a leaf, its first page, and one past it. */
static unsigned leaf_bits(const struct small *s, const struct small_page *p)
{
	return (unsigned)p->level * s->format.bits + p->odd;
}

static unsigned leaf_first(const struct small *s, const struct small_page *m, unsigned page)
{
	return page >> leaf_bits(s, &m[page]) << leaf_bits(s, &m[page]);
}

static unsigned leaf_end(const struct small *s, const struct small_page *m, unsigned page)
{
	return leaf_first(s, m, page) + (1U << leaf_bits(s, &m[page]));
}

static bool leaf_outside(const struct small *s, const struct small_op *op,
			 const struct small_page *m, unsigned page)
{
	return leaf_end(s, m, page) <= op->first ||
	       leaf_first(s, m, page) >= (unsigned)op->first + op->count;
}

/* The largest leaf between this level's and the next's that the operation allows. */
static uint8_t model_odd(const struct small *s, const struct small_op *op, unsigned level,
			 unsigned page)
{
	uint8_t odd = 0;

	if (!(s->encoding->flags & VMM__PT_ODD_SIZES))
		return 0;
	for (uint8_t k = 1; k < s->format.bits; k++) {
		unsigned n = 1U << (level * s->format.bits + k), first = page & ~(n - 1U);

		if (first >= op->first && first + n <= (unsigned)op->first + op->count &&
		    ((op->first ^ (op->oa + (s->oa_base >> s->format.shift))) & (n - 1)) == 0)
			odd = k;
	}
	return odd;
}

static int model_map(const struct small *s, const struct small_op *op, struct small_page *m)
{
	unsigned top = s->pt.top;

	for (unsigned p = op->first; p < (unsigned)op->first + op->count; p++) {
		if (m[p].oa)
			return -VMM_EEXIST;
	}
	while ((unsigned)(op->first ^ op->oa) & ((1U << (top * s->format.bits)) - 1))
		top--;
	for (unsigned p = op->first; p < (unsigned)op->first + op->count; p++) {
		unsigned level = top;

		while (!inside(s, op, level, p))
			level--;
		m[p] = (struct small_page){.oa = (uint8_t)(op->oa + p - op->first + 1),
					   .which_prot = op->which & 1,
					   .which_mem = op->which >> 1 & 1,
					   .level = (uint8_t)level,
					   .odd = model_odd(s, op, level, p)};
	}
	return 0;
}

/* Leaves that the range cuts come apart, where @cuts says so: no leaf above @most in the range. */
static int model_cut(const struct small *s, const struct small_op *op, struct small_page *m,
		     unsigned most, bool protect)
{
	for (unsigned p = 0; p < s->pages; p++) {
		unsigned first = leaf_first(s, m, p), end = leaf_end(s, m, p);

		if (!m[p].oa || m[p].odd == 0 || leaf_outside(s, op, m, p) ||
		    (most == SMALL_PAGES && first >= op->first &&
		     end <= (unsigned)op->first + op->count) ||
		    (most != SMALL_PAGES && m[p].level < most) ||
		    (protect && m[p].which_prot == (op->which & 1)))
			continue;
		if (s->pt.split == VMM__PT_SPLIT_NEVER)
			return -VMM_ENOTSUP;
		for (unsigned i = first; i < end; i++)
			m[i].odd = 0;
	}
	for (unsigned p = 0; p < s->pages; p++) {
		unsigned level = m[p].level;

		if (!m[p].oa || outside(s, op, level, p) ||
		    (inside(s, op, level, p) && level <= most) ||
		    (protect && m[p].which_prot == (op->which & 1)))
			continue;
		if (s->pt.split == VMM__PT_SPLIT_NEVER)
			return -VMM_ENOTSUP;
		do
			level--;
		while (!outside(s, op, level, p) && !(inside(s, op, level, p) && level <= most));
		m[p].level = (uint8_t)level;
	}
	return 0;
}

static bool mergeable(const struct small *s, const struct small_page *m, unsigned level, unsigned p)
{
	unsigned first = block(s, level, p);

	if (!m[first].oa || (m[first].oa - 1U) & ((1U << (level * s->format.bits)) - 1))
		return false;
	for (unsigned i = first; i < block_end(s, level, p); i++) {
		if (m[i].level != level - 1 || m[i].oa != m[first].oa + (i - first) ||
		    m[i].which_prot != m[first].which_prot || m[i].which_mem != m[first].which_mem)
			return false;
	}
	return true;
}

static int model_merge(const struct small *s, const struct small_op *op, struct small_page *m)
{
	if (s->pt.split == VMM__PT_SPLIT_NEVER)
		return -VMM_ENOTSUP;
	for (unsigned level = 1; level <= s->pt.top; level++) {
		for (unsigned p = 0; p < s->pages; p = block_end(s, level, p)) {
			uint8_t noted = 0;

			if (!inside(s, op, level, p) || !mergeable(s, m, level, p))
				continue;
			for (unsigned i = p; i < block_end(s, level, p); i++)
				noted |= m[i].noted;
			for (unsigned i = p; i < block_end(s, level, p); i++) {
				m[i].level = (uint8_t)level;
				m[i].odd = 0;
				m[i].noted = noted;
			}
		}
	}
	return 0;
}

static int model_harvest(const struct small *s, const struct small_op *op, struct small_page *m)
{
	if (!(s->encoding->flags & VMM__PT_AD))
		return -VMM_ENOTSUP;
	for (unsigned p = 0; p < s->pages; p++) {
		if (m[p].oa && !leaf_outside(s, op, m, p))
			m[p].noted &= (uint8_t)~op->which;
	}
	return 0;
}

static void model_touch(const struct small *s, const struct small_op *op, struct small_page *m)
{
	const struct small_page *p = &m[op->first];
	bool write = op->which && s->encoding->prot[p->which_prot] & VMM__PROT_W;

	if (!p->oa || !(s->encoding->flags & VMM__PT_AD))
		return;
	for (unsigned i = leaf_first(s, m, op->first), end = leaf_end(s, m, op->first); i < end;
	     i++)
		m[i].noted |= write ? 3 : 1;
}

/* What the operation makes of the pages, and what it returns. */
static int model(const struct small *s, const struct small_op *op, struct small_page *m)
{
	int r;

	switch (op->kind) {
	case SMALL_MAP:
		return model_map(s, op, m);
	case SMALL_UNMAP:
		r = model_cut(s, op, m, SMALL_PAGES, false);
		for (unsigned p = 0; r == 0 && p < s->pages; p++) {
			if (in_range(op, p))
				m[p] = (struct small_page){0};
		}
		return r;
	case SMALL_PROTECT:
		r = model_cut(s, op, m, SMALL_PAGES, true);
		for (unsigned p = 0; r == 0 && p < s->pages; p++) {
			if (in_range(op, p) && m[p].oa)
				m[p].which_prot = op->which & 1;
		}
		return r;
	case SMALL_SPLIT:
		return op->which > s->pt.top ? -VMM_EINVAL : model_cut(s, op, m, op->which, false);
	case SMALL_MERGE:
		return model_merge(s, op, m);
	case SMALL_HARVEST:
		return model_harvest(s, op, m);
	default:
		model_touch(s, op, m);
		return 0;
	}
}

/* The fewest tables that can hold the pages: one for each block with a leaf below its own size. */
static unsigned model_tables(const struct small *s, const struct small_page *m)
{
	unsigned n = 0;

	for (unsigned level = 1; level < s->pt.levels; level++) {
		for (unsigned p = 0; p < s->pages; p = block_end(s, level, p)) {
			bool needed = false;

			for (unsigned i = p; i < block_end(s, level, p); i++)
				needed |= m[i].oa && m[i].level < level;
			n += needed;
		}
	}
	return n;
}

/* ---- running beside it ---- */

static void tell(void *ctx, const struct vmm__pt_leaf *leaf)
{
	struct small *s = ctx;
	unsigned first = (unsigned)(leaf->ia >> s->format.shift);

	for (unsigned i = 0; i < leaf->size >> s->format.shift; i++) {
		if (first + i >= s->pages || s->told[first + i])
			s->told_wrong = true;
		else
			s->told[first + i] = (uint8_t)(leaf->accessed | leaf->dirty << 1);
	}
}

static int run(struct small *s, const struct small_op *op)
{
	unsigned shift = s->format.shift;
	struct vmm__ia ia = vmm__ia((uint64_t)op->first << shift);
	struct vmm__oa oa = vmm__oa(s->oa_base + ((uint64_t)op->oa << shift));
	uint64_t len = (uint64_t)op->count << shift;
	struct decoded d;

	switch (op->kind) {
	case SMALL_MAP:
		return vmm__pt_map(&s->pt, ia, oa, len, s->encoding->prot[op->which & 1],
				   s->encoding->mem[op->which >> 1 & 1]);
	case SMALL_UNMAP:
		return vmm__pt_unmap(&s->pt, ia, len);
	case SMALL_PROTECT:
		return vmm__pt_protect(&s->pt, ia, len, s->encoding->prot[op->which & 1]);
	case SMALL_SPLIT:
		return vmm__pt_split(&s->pt, ia, len, shift + op->which * s->format.bits);
	case SMALL_MERGE:
		return vmm__pt_merge(&s->pt, ia, len);
	case SMALL_HARVEST:
		memset(s->told, 0, sizeof(s->told));
		s->told_wrong = false;
		return vmm__pt_harvest(&s->pt, ia, len, op->which, tell, s);
	default:
		d = decode(&s->decoder, ia.a);
		if (d.mapped && s->encoding->flags & VMM__PT_AD)
			decode_touch(&s->decoder, &d, op->which && d.w);
		return 0;
	}
}

static const char *check_told(const struct small *s, const struct small_op *op,
			      const struct small_page *before)
{
	if (s->told_wrong)
		return "harvest told a leaf twice, or one that is not there";
	for (unsigned p = 0; p < s->pages; p++) {
		bool touched = before[p].oa && !leaf_outside(s, op, before, p);

		if (s->told[p] != (touched ? before[p].noted : 0))
			return "harvest told other leaves than those noted";
	}
	return NULL;
}

static const char *check_page(const struct small *s, unsigned i)
{
	const struct small_page *p = &s->now[i];
	struct vmm__ia ia = vmm__ia(((uint64_t)i << s->format.shift) + 5);
	struct decoded d = decode(&s->decoder, ia.a);
	uint64_t oa = vmm__pt_translate(&s->pt, ia);
	struct vmm__pt_leaf leaf;
	int r = vmm__pt_lookup(&s->pt, ia, &leaf);
	bool ad = s->encoding->flags & VMM__PT_AD;

	if (p->oa == 0) {
		if (d.mapped || d.broken)
			return "the hardware finds what the model has not";
		return r == -VMM_ENOENT && oa == VMM__PT_NOTHING
			       ? NULL
			       : "lookup finds what the model has not";
	}
	d.oa -= 5;
	if (!same(s, &d, p))
		return "the hardware finds another mapping than the model";
	if (d.shift != s->format.shift + leaf_bits(s, p))
		return "the leaf is not of the model's size";
	if (d.uneven)
		return "the entries of one leaf differ";
	if (ad && p->noted != (d.accessed | d.dirty << 1))
		return "accessed and dirty bits differ";
	if (r != 0 || oa != d.oa + 5)
		return "lookup does not find what is mapped";
	if (leaf.size != UINT64_C(1) << d.shift || leaf.ia != (ia.a & ~(leaf.size - 1)) ||
	    leaf.oa != ((d.oa + 5) & ~(leaf.size - 1)))
		return "lookup gives another leaf";
	if (leaf.prot != s->encoding->prot[p->which_prot] ||
	    leaf.mem != s->encoding->mem[p->which_mem])
		return "lookup gives other attributes";
	if (ad && p->noted != (leaf.accessed | leaf.dirty << 1))
		return "lookup gives other accessed and dirty bits";
	return NULL;
}

static const char *check_iteration(const struct small *s)
{
	uint64_t last = ((uint64_t)s->pages << s->format.shift) - 1;
	struct vmm__pt_leaf leaf;
	unsigned i = 0;

	for (uint64_t a = 0; a <= last; a = leaf.ia + leaf.size) {
		int r = vmm__pt_next(&s->pt, vmm__ia(a), vmm__ia(last), &leaf);

		while (i < s->pages && !s->now[i].oa)
			i++;
		if (r != 0)
			return i == s->pages && r == -VMM_ENOENT ? NULL : "next ends too early";
		if (i == s->pages || leaf.ia != (uint64_t)i << s->format.shift)
			return "next gives another leaf";
		i = leaf_end(s, s->now, i);
	}
	return i == s->pages ? NULL : "next skips leaves";
}

static const char *check(const struct small *s)
{
	const char *failure = NULL;

	for (unsigned i = 0; i < s->pages && !failure; i++)
		failure = check_page(s, i);
	if (!failure)
		failure = check_iteration(s);
	if (!failure && s->tables - s->pt.pool_pages != model_tables(s, s->now))
		failure = "tables leaked, or more than the fewest";
	if (!failure && s->pt.seq & 1)
		failure = "the sequence count stays odd";
	return failure;
}

static uint64_t bound(const struct small *s, const struct small_op *op)
{
	unsigned shift = s->format.shift;
	struct vmm__ia ia = vmm__ia((uint64_t)op->first << shift);
	uint64_t len = (uint64_t)op->count << shift;

	switch (op->kind) {
	case SMALL_MAP:
		return vmm__pt_bound_map(&s->pt, ia,
					 vmm__oa(s->oa_base + ((uint64_t)op->oa << shift)), len);
	case SMALL_SPLIT:
		return vmm__pt_bound_split(&s->pt, ia, len, shift + op->which * s->format.bits);
	case SMALL_UNMAP:
	case SMALL_PROTECT:
		return vmm__pt_bound_edges(&s->pt);
	default:
		return 0;
	}
}

/* With few pages it may end with -VMM_ENOMEM, and then nothing at all was written. */
static const char *run_with(struct small *s, const struct small_op *op, bool few, bool *starved)
{
	struct small_page before[SMALL_PAGES];
	uint64_t words[SMALL_WORDS], pool = s->pt.pool_pages;
	int expected, r;

	*starved = false;
	memcpy(before, s->now, sizeof(before));
	memcpy(s->next, s->now, sizeof(s->next));
	if (few)
		memcpy(words, s->words, sizeof(words));
	expected = model(s, op, s->next);
	if (expected != 0)
		memcpy(s->next, s->now, sizeof(s->next));
	s->failure = NULL;
	s->invalidations = 0;
	memset(s->flushed, 0, sizeof(s->flushed));
	watched = s;
	stored_hook = op->kind == SMALL_TOUCH ? NULL : stored;
	r = run(s, op);
	stored_hook = NULL;
	if (few && r == -VMM_ENOMEM) {
		*starved = true;
		return memcmp(words, s->words, sizeof(words)) != 0 || s->pt.pool_pages != pool
			       ? "starved, it changed something"
			       : NULL;
	}
	memcpy(s->now, s->next, sizeof(s->now));
	if (s->failure)
		return s->failure;
	if (r != expected)
		return "another result than the model's";
	if (pool > s->pt.pool_pages && pool - s->pt.pool_pages > bound(s, op))
		return "more pages taken than the bound says";
	for (unsigned i = 0; i < s->pages && op->kind != SMALL_TOUCH; i++) {
		if (before[i].oa && memcmp(&before[i], &s->now[i], sizeof(before[i])) != 0 &&
		    !s->flushed[i])
			return "a page changed that was not invalidated";
	}
	return op->kind == SMALL_HARVEST && r == 0 ? check_told(s, op, before) : NULL;
}

const char *small_run(struct small *s, const struct small_op *op)
{
	bool starved;
	const char *failure = run_with(s, op, false, &starved);

	return failure ? failure : check(s);
}

const char *small_run_raced(struct small *s, const struct small_op *op, unsigned page,
			    unsigned store)
{
	const char *failure;
	bool starved;

	s->race_page = page;
	s->race_store = store;
	s->race_noted = 0;
	failure = run_with(s, op, false, &starved);
	s->race_store = 0;
	for (unsigned i = 0; i < s->pages && !failure; i++) {
		struct decoded d = decode(&s->decoder, (uint64_t)i << s->format.shift);
		uint8_t noted = (uint8_t)(d.accessed | d.dirty << 1);

		if (i == page && s->now[i].oa && s->race_noted & ~noted)
			failure = "what the hardware noted was lost";
		s->now[i].noted = s->now[i].oa ? noted : 0;
	}
	return failure ? failure : check(s);
}

const char *small_run_starved(struct small *s, const struct small_op *op)
{
	const char *failure = NULL;
	bool starved = true;

	for (uint64_t k = 0; starved && !failure; k++) {
		uint64_t hidden[SMALL_TABLES];
		unsigned n = 0;

		while (s->pt.pool_pages > k)
			vmm__pt_pool_take(&s->pt, &hidden[n++]);
		failure = run_with(s, op, n != 0, &starved);
		while (n-- > 0)
			vmm__pt_pool_add(&s->pt, virt(s, hidden[n]), hidden[n]);
		if (!failure)
			failure = check(s);
	}
	return failure;
}

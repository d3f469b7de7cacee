// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Every sequence of three operations at small scope, for every encoding, against the model of
 * small.c.
 *
 *   test-mmu-model           about 10^6 sequences in all, and every allocation made to fail
 *   test-mmu-model --slow    10^6 for each encoding
 *   test-mmu-model --wide N  more than 10^8 for the Nth of two geometries
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "small.h"

#define MOST_OPS   1024
#define RACE_PAGES 4 /* pages 0, 3, 6, 9 */
#define NOTED      0 /* as a step: the list of accessed and dirty bits */

struct list {
	unsigned n;
	struct small_op op[MOST_OPS];
};

static uint64_t sequences;

static void add(struct list *l, unsigned kind, unsigned first, unsigned count, unsigned oa,
		unsigned which)
{
	if (l->n < MOST_OPS)
		l->op[l->n++] = (struct small_op){(uint8_t)kind, (uint8_t)first, (uint8_t)count,
						  (uint8_t)oa, (uint8_t)which};
}

/* Operations on all ranges that begin and end at a multiple of @step pages, or next to one. */
static void list_all(struct list *l, unsigned pages, unsigned step)
{
	l->n = 0;
	for (unsigned first = 0; first < pages; first++) {
		for (unsigned end = first + 1; end <= pages; end++) {
			unsigned n = end - first;

			if (first % step > step / 2 || (end % step > step / 2 && n != 1))
				continue;
			add(l, SMALL_MAP, first, n, first + 16, 0);
			add(l, SMALL_MAP, first, n, first + 15, 3);
			add(l, SMALL_UNMAP, first, n, 0, 0);
			add(l, SMALL_PROTECT, first, n, 0, 1);
			if (first % 4 == 0 && end % 4 == 0) {
				add(l, SMALL_MERGE, first, n, 0, 0);
				add(l, SMALL_PROTECT, first, n, 0, 0);
			}
			if (n <= 2)
				add(l, SMALL_SPLIT, first, n, 0, 0);
			if (n == 8)
				add(l, SMALL_SPLIT, first, n, 0, 1);
		}
		if (first % step == 0) {
			add(l, SMALL_TOUCH, first, 1, 0, 0);
			add(l, SMALL_TOUCH, first, 1, 0, 1);
			add(l, SMALL_HARVEST, first, 1, 0, 1 + first % 3);
		}
	}
}

/* Few mappings, and all that concerns accessed and dirty bits. */
static void list_noted(struct list *l, unsigned pages)
{
	l->n = 0;
	add(l, SMALL_MAP, 0, pages, 16, 0);
	add(l, SMALL_MAP, 3, pages - 5, 19, 0);
	add(l, SMALL_PROTECT, 1, pages - 2, 0, 1);
	add(l, SMALL_PROTECT, 0, 5, 0, 0);
	add(l, SMALL_UNMAP, 2, 4, 0, 0);
	add(l, SMALL_SPLIT, 1, pages - 3, 0, 0);
	add(l, SMALL_MERGE, 0, pages, 0, 0);
	for (unsigned clear = 0; clear < 4; clear++)
		add(l, SMALL_HARVEST, clear, pages - 2 * clear, 0, clear);
	for (unsigned page = 0; page < pages; page += 3) {
		add(l, SMALL_TOUCH, page, 1, 0, 0);
		add(l, SMALL_TOUCH, page, 1, 0, 1);
	}
}

/* Operations picked evenly from the list, @n of them. */
static void thin(struct list *l, unsigned n)
{
	for (unsigned i = 0; i < n && n < l->n; i++)
		l->op[i] = l->op[(uint64_t)i * l->n / n];
	if (n < l->n)
		l->n = n;
}

static void tell(const struct small *s, const struct small_op *done, unsigned n,
		 const char *failure)
{
	static const char *const names[] = {"map",   "unmap",   "protect", "split",
					    "merge", "harvest", "touch"};

	fprintf(stderr, "%s, %u bits x %u levels: %s\n", s->encoding->name, s->format.bits,
		s->pt.levels, failure);
	for (unsigned i = 0; i < n; i++)
		fprintf(stderr, "  %s first %u count %u oa %u which %u\n", names[done[i].kind],
			done[i].first, done[i].count, done[i].oa, done[i].which);
	exit(1);
}

/* A copy's own addresses. */
static void adopt(struct small *s)
{
	s->pt.ctx = s;
	s->pt.ops = &s->ops;
	s->pt.format = &s->format;
	s->pt.root = s->words;
	s->decoder.root = s->words;
	s->decoder.ctx = s;
}

static void explore(const struct small *from, const struct list *l, struct small_op *done,
		    unsigned depth, unsigned most, bool starve)
{
	for (unsigned i = 0; i < l->n; i++) {
		struct small s = *from;
		const char *failure;

		adopt(&s);
		done[depth] = l->op[i];
		failure = starve ? small_run_starved(&s, &l->op[i]) : small_run(&s, &l->op[i]);
		if (failure)
			tell(&s, done, depth + 1, failure);
		if (depth + 1 == most)
			sequences++;
		else
			explore(&s, l, done, depth + 1, most, starve);
	}
}

/* A table in use: an operation while the hardware notes something, at each of its first stores. */
static void race(const struct encoding *e, const struct small_geometry *g)
{
	struct small_op done[3];
	struct small s;
	struct list l;

	if (!(e->flags & VMM__PT_AD) || !small_init(&s, e, g))
		return;
	list_all(&l, s.pages, 4);
	for (unsigned i = 0; i < l.n; i++) {
		static const struct small_op begins[] = {{SMALL_MAP, 0, 16, 16, 0},
							 {SMALL_MAP, 1, 9, 17, 0}};

		for (unsigned k = 0; k < 4 * RACE_PAGES * 8; k++) {
			struct small now = s;
			const char *failure;

			adopt(&now);
			done[0] = begins[k & 1];
			done[0].count = (uint8_t)(k & 1 ? s.pages / 2 + 1 : s.pages);
			done[1] = (struct small_op){SMALL_SPLIT, 0, (uint8_t)s.pages, 0, 0};
			done[2] = l.op[i];
			failure = small_run(&now, &done[0]);
			if (!failure && k & 2)
				failure = small_run(&now, &done[1]);
			if (!failure && l.op[i].kind != SMALL_HARVEST)
				failure = small_run_raced(&now, &l.op[i], k / 4 % RACE_PAGES * 3,
							  k / 4 / RACE_PAGES + 1);
			if (failure)
				tell(&now, done, 3, failure);
			sequences++;
		}
	}
}

static void run(const struct encoding *e, const struct small_geometry *g, unsigned step,
		unsigned ops, unsigned depth, bool starve)
{
	struct small_op done[4];
	struct small s;
	struct list l;
	uint64_t before = sequences;

	if (!small_init(&s, e, g)) {
		fprintf(stderr, "%s: no table\n", e->name);
		exit(1);
	}
	if (step == NOTED)
		list_noted(&l, s.pages);
	else
		list_all(&l, s.pages, step);
	thin(&l, ops);
	explore(&s, &l, done, 0, depth, starve);
	printf("%-16s %u bits x %u levels, root %2u, %s%s: %u operations, %llu sequences\n",
	       e->name, g->bits, g->levels, 1U << g->root_bits,
	       g->split == VMM__PT_SPLIT_LIVE    ? "live"
	       : g->split == VMM__PT_SPLIT_BREAK ? "break"
						 : "never",
	       starve ? ", starved" : "", l.n, (unsigned long long)(sequences - before));
	fflush(stdout);
}

static const struct encoding *find(const char *name)
{
	for (unsigned i = 0; i < encoding_count; i++) {
		if (strcmp(encodings[i].name, name) == 0)
			return &encodings[i];
	}
	fprintf(stderr, "no encoding %s\n", name);
	exit(1);
}

int main(int argc, char **argv)
{
	bool slow = argc > 1 && strcmp(argv[1], "--slow") == 0;
	bool wide = argc > 2 && strcmp(argv[1], "--wide") == 0;
	static const struct small_geometry two_by_two[] = {{2, 2, 2, VMM__PT_SPLIT_LIVE},
							   {2, 2, 2, VMM__PT_SPLIT_BREAK},
							   {2, 2, 2, VMM__PT_SPLIT_NEVER}};
	/* Three levels of two entries below a root of four: two adjoining tables. */
	static const struct small_geometry deep[] = {{1, 3, 2, VMM__PT_SPLIT_BREAK},
						     {1, 3, 2, VMM__PT_SPLIT_LIVE},
						     {1, 4, 1, VMM__PT_SPLIT_LIVE}};
	/* Leaves of sizes between the levels': at 2 bits of twice the size, at 3 of 4 times as
	 * well. */
	static const struct small_geometry odd[] = {{3, 2, 1, VMM__PT_SPLIT_LIVE},
						    {3, 2, 1, VMM__PT_SPLIT_BREAK},
						    {2, 2, 2, VMM__PT_SPLIT_NEVER},
						    {2, 2, 2, VMM__PT_SPLIT_LIVE}};
	unsigned ops = slow ? 100 : 40;

	if (wide) {
		bool first = strcmp(argv[2], "1") == 0;

		run(find(first ? "npt" : "arm-s2-4k"), first ? &two_by_two[0] : &deep[0], 1, 480, 3,
		    false);
		return 0;
	}
	for (unsigned i = 0; i < encoding_count; i++) {
		const struct small_geometry *g = i & 1 ? &deep[i / 2 % 3] : &two_by_two[i / 2 % 3];

		run(&encodings[i], g, 4, ops, 3, false);
		if (encodings[i].flags & VMM__PT_ODD_SIZES) {
			for (unsigned k = 0; k < 4; k++)
				run(&encodings[i], &odd[k], 2, ops, 3, false);
			g = &odd[0];
		}
		if (encodings[i].flags & VMM__PT_AD)
			run(&encodings[i], g, NOTED, MOST_OPS, slow ? 4 : 3, false);
	}
	for (unsigned i = 0; i < 3; i++) {
		race(find("npt"), &two_by_two[i]);
		race(find("arm-s2-4k-ad"), &deep[i]);
		race(find("arm-s1-4k"), &deep[i]);
		race(find("amdvi-odd"), &odd[i]);
	}
	for (unsigned i = 0; i < 3; i++) {
		run(find("ept"), &two_by_two[i], 2, slow ? 1000 : 120, 2, true);
		run(find("arm-s2-4k-ad"), &deep[i], 2, slow ? 1000 : 120, 2, true);
		run(find("amdvi-odd"), &odd[i], 2, slow ? 1000 : 120, 2, true);
	}
	printf("%llu sequences\n", (unsigned long long)sequences);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The memory engine at small scope, beside a model that keeps one record a page: a few index bits,
 * a few levels, every page looked at after every operation and every store.
 */
#ifndef TESTS_MMU_SMALL_H
#define TESTS_MMU_SMALL_H

#include "encodings.h"

#define SMALL_PAGES  16
#define SMALL_TABLES 24
#define SMALL_WORDS  (SMALL_PAGES + SMALL_TABLES * 4)

enum {
	SMALL_MAP,
	SMALL_UNMAP,
	SMALL_PROTECT,
	SMALL_SPLIT,
	SMALL_MERGE,
	SMALL_HARVEST,
	SMALL_TOUCH,
	SMALL_KINDS
};

struct small_op {
	uint8_t kind;
	uint8_t first, count; /* pages */
	uint8_t oa;           /* map: page that the first one leads to, below 48 */
	uint8_t which; /* map, protect: attributes; split: level; harvest: what to clear; touch:
			  write */
};

struct small_page {
	uint8_t oa; /* page + 1; 0: not mapped */
	uint8_t which_prot, which_mem, level;
	uint8_t odd;   /* log2 of the entries that the leaf stands in */
	uint8_t noted; /* 1 accessed, 2 dirty */
};

struct small_geometry {
	uint8_t bits, levels,
		root_bits; /* 1 << (root_bits + (levels - 1) * bits) pages, at most 16 */
	uint8_t split;
};

struct small {
	const struct encoding *encoding;
	struct vmm__pt_format format;
	struct vmm__pt_ops ops;
	struct vmm__pt pt;
	struct decoder decoder;
	unsigned pages, tables;
	uint64_t oa_base, pa_base;
	struct small_page now[SMALL_PAGES];

	/* The operation under way. */
	struct small_page next[SMALL_PAGES];
	bool watching, told_wrong;
	uint8_t told[SMALL_PAGES];
	const char *failure;         /* the first thing that went wrong */
	unsigned fail_invalidations; /* so many of the next ones fail */
	unsigned invalidations, holes;
	bool flushed[SMALL_PAGES]; /* by those of this operation */

	/* The hardware writes through a page after so many stores of the operation; 0: never. */
	unsigned race_store, race_page;
	uint8_t race_noted;

	_Alignas(128) uint64_t words[SMALL_WORDS];
};

/* False when the encoding has no such geometry. */
bool small_init(struct small *s, const struct encoding *e, const struct small_geometry *g);

/* Runs one operation and looks at everything; what went wrong, or NULL. */
const char *small_run(struct small *s, const struct small_op *op);

/*
 * The same while the hardware notes a write through @page, after @store stores: what it noted must
 * not be lost while the page stays mapped. Other pages' accessed and dirty bits are not compared.
 */
const char *small_run_raced(struct small *s, const struct small_op *op, unsigned page,
			    unsigned store);

/* The same with 0, 1, 2… pages in the pool, until it succeeds. */
const char *small_run_starved(struct small *s, const struct small_op *op);

#endif

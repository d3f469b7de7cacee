/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The memory engine: page tables of any format, from one set of operations.
 *
 * A table translates input addresses (guest-physical, I/O virtual, virtual) to output addresses.
 * Its format is data (pt_format.h); the memory for its tables, the mapping between physical and
 * virtual addresses, cache cleaning, invalidation and the lock are the caller's (struct
 * vmm__pt_ops).
 *
 * The rule for concurrency
 *   One writer at a time: map, unmap, protect, harvest, split, merge, destroy and the pool calls.
 * The engine takes ops->lock for each operation; without it the caller keeps writers apart. Any
 * number of readers beside the writer, without locks: translate, lookup and next; and the hardware.
 * Every entry is one aligned 64-bit word, read and written whole. A table is filled before the
 * entry that leads to it is published by a release store; a table that was unlinked goes back to
 * the pool only after the invalidation, and while that happens the sequence count is odd:
 *
 *     seq even       at rest: what a reader does not find is not mapped
 *     seq odd        tables are being unlinked, or an entry is broken before it is made: what a
 *                    reader does not find may be there again in a moment (-VMM_EBUSY: run the guest
 *                    again; never take it for MMIO)
 *     seq changed    a table that the reader stood in may have found a new use: it starts again
 *
 *   Pages of the pool stay readable as long as readers may run: take them out of the pool after
 * that.
 */
#ifndef VMM_MMU_PT_H
#define VMM_MMU_PT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libvmm/types.h"
#include "pt_format.h"

/* Two kinds of addresses that must not be taken for each other. */
struct vmm__ia {
	uint64_t a;
};

struct vmm__oa {
	uint64_t a;
};

static inline struct vmm__ia vmm__ia(uint64_t a)
{
	return (struct vmm__ia){a};
}

static inline struct vmm__oa vmm__oa(uint64_t a)
{
	return (struct vmm__oa){a};
}

/* What must be invalidated: all input addresses from first to last. */
struct vmm__pt_inval {
	uint64_t first, last;
	bool tables; /* entries that lead to tables changed as well: caches of those, too */
};

/* Given by the caller; every member may be NULL. */
struct vmm__pt_ops {
	/* Virtual address of a table by its physical one. NULL: physical + config.offset. */
	void *(*virt)(void *ctx, uint64_t pa);
	/* Write the caches back to memory, for walkers that do not look into them. */
	void (*clean)(void *ctx, const void *p, size_t bytes);
	/*
	 * Invalidate and wait: when it returns 0, no walker and no device uses the old
	 * translations. On failure the tables that were unlinked stay unused until a later call
	 * succeeds.
	 */
	int (*invalidate)(void *ctx, const struct vmm__pt_inval *inval);
	/* Asked, before anything was changed, to add @pages pages to the pool; may do nothing. */
	void (*refill)(void *ctx, struct vmm__pt *pt, uint64_t pages);
	void (*lock)(void *ctx);
	void (*unlock)(void *ctx);
};

/* Flags of a table, fixed at init. */
#define VMM__PT_AD           0x01U /* the hardware keeps accessed and dirty bits: harvest works */
#define VMM__PT_MODE_EXEC    0x02U /* user and supervisor execution told apart (MBEC, FEAT_XNX) */
#define VMM__PT_NO_EXEC_ONLY 0x04U /* the hardware lacks execute-only pages (EPT) */
#define VMM__PT_W_XOR_X      0x08U /* refuse what is both writable and executable */
#define VMM__PT_INVAL_MAP    0x10U /* new mappings need an invalidation (VT-d caching mode) */
#define VMM__PT_ODD_SIZES \
	0x20U /* leaves of all powers of two, where the format has them (AMD-Vi) */

/* How a leaf in use may become a table, or a table a leaf. */
#define VMM__PT_SPLIT_FORMAT 0U /* as the format says */
#define VMM__PT_SPLIT_LIVE   1U /* by one store */
#define VMM__PT_SPLIT_BREAK  2U /* break, invalidate, make */
#define VMM__PT_SPLIT_NEVER  3U /* not at all: what needs it is refused with -VMM_ENOTSUP */

struct vmm__pt_config {
	const struct vmm__pt_format *format;
	const struct vmm__pt_ops *ops;
	void *ctx;          /* handed to the ops */
	uint64_t *root;     /* vmm__pt_root_bytes(), aligned to that; zeroed by init */
	uint64_t root_pa;   /* its physical address */
	uint64_t offset;    /* virtual = physical + offset, modulo 2^64, where ops->virt is NULL */
	uint8_t ia_bits;    /* width of input addresses; with the format it gives the levels */
	uint8_t oa_bits;    /* width of output addresses, and of the tables' own */
	uint8_t leaf_shift; /* log2 of the largest leaf wanted; 0: the largest of the format */
	uint8_t split;      /* VMM__PT_SPLIT_ */
	uint32_t flags;     /* VMM__PT_ */
};

/* A leaf, as lookup and next tell it. */
struct vmm__pt_leaf {
	uint64_t ia, oa; /* of the leaf's first byte */
	uint64_t size;   /* bytes */
	uint8_t prot;    /* VMM__PROT_ */
	uint8_t mem;     /* VMM__MEM_ */
	bool accessed, dirty;
};

/* What translate gives for what it does not find: nothing there; perhaps again in a moment. */
#define VMM__PT_NOTHING UINT64_MAX
#define VMM__PT_BUSY    (UINT64_MAX - 1)

/*
 * Caller's storage; its members are the engine's own. All but seq and the pool are fixed at init.
 * What all walks use stands first: shorter code reaches it.
 */
struct vmm__pt {
	uint64_t (*translate)(const struct vmm__pt *pt, uint64_t ia);
	uint64_t *root;
	uint64_t root_used; /* entries of the root within ia_bits */
	uint64_t present;
	uint64_t addr;
	uint32_t seq;                     /* written by the writer; see above */
	uint8_t shift, bits, levels, top; /* top: highest level with leaves */
	uint64_t mark;                    /* of any level */
	const struct vmm__pt_format *format;
	const struct vmm__pt_ops *ops;
	void *ctx;
	/* As in the format; no entry has @dirty_value where there are no such bits. */
	uint64_t accessed, dirty_mask, dirty_value, dirty_clean, dirty_set;
	uint32_t flags;
	uint8_t split;
	bool linear; /* step[].down serves */
	bool plain;  /* and pages are of 4 KiB, tables of 512 entries, without odd sizes */
	bool stale;  /* an invalidation failed: unlinked tables still wait for one */
	struct vmm__pt_step {
		/*
		 * Entries of this level that lead to tables have it; 0 at level 0. A reader that
		 * stands in a page which became a table of another level goes no further.
		 */
		uint64_t mark;
		/* Added to such an entry, it gives the table's virtual address. */
		uint64_t down;
	} step[VMM__PT_LEVELS];

	uint64_t root_pa, offset;
	uint64_t ia_last, oa_last;
	/* Addresses below it: a change of few pages is nothing but storing entries. 0 while stale.
	 */
	uint64_t quick_below;
	uint64_t table[VMM__PT_LEVELS]; /* bits of an entry of level n that leads to a table */
	uint64_t leaf[VMM__PT_LEVELS];  /* bits of a leaf of level n, beside protection and memory
					   type */
	uint64_t prot[VMM__PROT_COUNT]; /* 0: cannot be had */
	uint64_t mem[VMM__MEM_COUNT];   /* VMM__MEM_NONE: cannot be had */
	uint64_t prot_mask;
	/* What an entry's fields mean: the two of protection side by side, that of memory. */
	uint8_t prot_of[VMM__PT_PROT_INDEX];
	uint8_t mem_of[VMM__PT_MEM_INDEX];
	uint8_t low_shift, top_shift, mem_shift;
	uint32_t low_mask, top_mask, mem_mask;

	uint64_t pool_pa; /* first free page, each leads to the next by its first word; 0: none */
	uint64_t pool_pages;

	uint64_t odd;        /* the format's, if wanted */
	uint8_t odd_largest; /* log2 of the largest of them */
};

/**
 * vmm__pt_root_bytes() - Size of the root, which is also its alignment.
 *
 * Return: Bytes, or 0 when the format has no such width. More than a page where tables adjoin.
 */
uint64_t vmm__pt_root_bytes(const struct vmm__pt_format *format, unsigned ia_bits);

/**
 * vmm__pt_init() - Make an empty table.
 *
 * Return: 0; -VMM_EINVAL for members missing or unfit for the format, -VMM_ERANGE for widths it
 * does not have, -VMM_EALIGN for a root that is not aligned.
 */
int vmm__pt_init(struct vmm__pt *pt, const struct vmm__pt_config *config);

/**
 * vmm__pt_destroy() - Unmap everything; all pages are in the pool afterwards.
 *
 * Return: 0, or what the invalidation gave: then pages are still in use.
 */
int vmm__pt_destroy(struct vmm__pt *pt);

/* Bytes, and alignment, of a page of the pool: one table. */
static inline size_t vmm__pt_page_bytes(const struct vmm__pt *pt)
{
	return (size_t)8 << pt->bits;
}

/**
 * vmm__pt_pool_add() - Give the pool a page.
 *
 * Context: As a writer. It takes no lock, so that ops->refill can call it.
 * Return: 0; -VMM_EALIGN, -VMM_ERANGE for an address beyond oa_bits; -VMM_EINVAL for address 0 or
 * one that the translation does not take to @page.
 */
int vmm__pt_pool_add(struct vmm__pt *pt, void *page, uint64_t pa);

/**
 * vmm__pt_pool_take() - Take a page back out of the pool.
 *
 * Context: As a writer; takes no lock.
 * Return: The page, and its physical address in @pa; NULL when the pool is empty.
 */
void *vmm__pt_pool_take(struct vmm__pt *pt, uint64_t *pa);

/**
 * vmm__pt_bound_map() - Most pages that mapping this range can take from the pool.
 *
 * It is what an empty table takes. Return: Pages; 0 also for what map refuses.
 */
uint64_t vmm__pt_bound_map(const struct vmm__pt *pt, struct vmm__ia ia, struct vmm__oa oa,
			   uint64_t len);

/**
 * vmm__pt_bound_split() - Most pages that splitting this range to leaves of 1 << @leaf_shift can
 * take.
 *
 * Unmap and protect split at the two ends of their range alone: vmm__pt_bound_edges().
 */
uint64_t vmm__pt_bound_split(const struct vmm__pt *pt, struct vmm__ia ia, uint64_t len,
			     unsigned leaf_shift);

static inline uint64_t vmm__pt_bound_edges(const struct vmm__pt *pt)
{
	return 2 * (uint64_t)pt->top;
}

/*
 * The operations. Addresses and lengths are multiples of the smallest page. Errors of all of them:
 *   -VMM_EINVAL   length 0
 *   -VMM_EALIGN   address or length not aligned
 *   -VMM_ERANGE   the range passes ia_bits or oa_bits
 *   -VMM_ENOMEM   the pool has too few pages
 *   -VMM_ENOTSUP  protection or memory type the format cannot express; or a leaf in use would have
 *                 to be split, and may not be
 * and any other code that ops->invalidate gave. After all but the last the range is as it was.
 * After the last it is changed, but hardware may still use what it held before; unless an earlier
 * operation's invalidation had failed and did so again, which ends an operation before it begins.
 */

/**
 * vmm__pt_map() - Map a range with the largest leaves that both addresses, the length and the
 * table's configuration allow.
 *
 * Return: 0; as above; -VMM_EEXIST when part of it is mapped.
 */
int vmm__pt_map(struct vmm__pt *pt, struct vmm__ia ia, struct vmm__oa oa, uint64_t len,
		unsigned prot, unsigned mem);

/**
 * vmm__pt_unmap() - Unmap what is mapped in a range. Tables left empty go back to the pool.
 *
 * Dirty bits go with the mapping: to keep them, take write access away, harvest, then unmap.
 */
int vmm__pt_unmap(struct vmm__pt *pt, struct vmm__ia ia, uint64_t len);

/**
 * vmm__pt_protect() - Change the protection of what is mapped in a range; memory types, accessed
 * and dirty bits stay.
 */
int vmm__pt_protect(struct vmm__pt *pt, struct vmm__ia ia, uint64_t len, unsigned prot);

/**
 * vmm__pt_split() - Leave no leaf larger than 1 << @leaf_shift bytes in a range.
 *
 * Return: 0; as above; -VMM_EINVAL when there is no leaf of that size or below.
 */
int vmm__pt_split(struct vmm__pt *pt, struct vmm__ia ia, uint64_t len, unsigned leaf_shift);

/**
 * vmm__pt_merge() - Put leaves that adjoin and agree together into larger ones, as far as those lie
 * wholly in the range. Accessed and dirty bits add up.
 *
 * One invalidation for every VMM__PT_MERGE_BATCH tables that fall away.
 */
#define VMM__PT_MERGE_BATCH 32
int vmm__pt_merge(struct vmm__pt *pt, struct vmm__ia ia, uint64_t len);

#define VMM__PT_CLEAR_ACCESSED 1U
#define VMM__PT_CLEAR_DIRTY    2U

/**
 * vmm__pt_harvest() - Tell which leaves that touch a range were accessed or written, and clear
 * that.
 * @clear: VMM__PT_CLEAR_ bits.
 * @tell:  Called with every leaf that is accessed or dirty, as it was before the clearing; may be
 * NULL.
 *
 * Return: 0; as above; -VMM_ENOTSUP without VMM__PT_AD.
 */
int vmm__pt_harvest(struct vmm__pt *pt, struct vmm__ia ia, uint64_t len, unsigned clear,
		    void (*tell)(void *ctx, const struct vmm__pt_leaf *leaf), void *ctx);

/**
 * vmm__pt_translate() - Where an address leads: the short way, for the run path.
 *
 * Context: Any; beside a writer.
 * Return: The output address, VMM__PT_NOTHING or VMM__PT_BUSY.
 */
static inline uint64_t vmm__pt_translate(const struct vmm__pt *pt, struct vmm__ia ia)
{
	return pt->translate(pt, ia.a);
}

/**
 * vmm__pt_lookup() - The leaf that maps an address, with all its attributes.
 *
 * Context: Any; beside a writer.
 * Return: 0; -VMM_ENOENT not mapped, -VMM_EBUSY perhaps mapped again in a moment, -VMM_ERANGE.
 */
int vmm__pt_lookup(const struct vmm__pt *pt, struct vmm__ia ia, struct vmm__pt_leaf *leaf);

/**
 * vmm__pt_next() - The first leaf that ends after @ia and begins no later than @last; to go on, ask
 * again from leaf.ia + leaf.size.
 *
 * Context: Any; beside a writer.
 * Return: As vmm__pt_lookup().
 */
int vmm__pt_next(const struct vmm__pt *pt, struct vmm__ia ia, struct vmm__ia last,
		 struct vmm__pt_leaf *leaf);

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Reads page tables as the hardware does, written from the specifications alone: it shares no
 * header with src/mmu and src/hw, and its numbers are those of the manuals. Any number of index
 * bits and levels.
 */
#ifndef TESTS_MMU_DECODE_H
#define TESTS_MMU_DECODE_H

#include <stdbool.h>
#include <stdint.h>

enum decode_family {
	DECODE_NPT, /* and VT-d first stage: every access is a user's */
	DECODE_X86,
	DECODE_EPT,
	DECODE_VTD,
	DECODE_AMDVI,
	DECODE_ARM_S1,
	DECODE_ARM_S2,
};

enum decode_memory { MEMORY_WB, MEMORY_WT, MEMORY_WC, MEMORY_UC };

struct decoder {
	enum decode_family family;
	unsigned shift, bits, levels;
	unsigned top;     /* highest level at which the hardware takes leaves */
	unsigned oa_bits; /* wider addresses are reserved bits set */
	bool mode_exec;   /* MBEC, XNX */
	bool wide;        /* LPA (64 KiB), LPA2 (others) */
	bool hardware_ad; /* Arm: DBM counts, and AF clear is no fault */
	const uint64_t *root;
	const uint64_t *(*table)(void *ctx, uint64_t pa); /* NULL: no table is there */
	void *ctx;
};

struct decoded {
	bool mapped;
	bool uneven; /* the entries of a leaf that is replicated differ by more than what is noted
		      */
	bool broken; /* something the hardware would report: reserved bits, a bad type */
	bool r, w, x, xu, user;
	bool accessed, dirty;
	uint64_t oa;    /* of the byte */
	unsigned shift; /* log2 of the leaf's size */
	enum decode_memory memory;
	const uint64_t *slot; /* where the leaf stands */
};

/* An entry of a level leads to a table, at *@pa. */
bool decode_table(const struct decoder *d, uint64_t e, unsigned level, uint64_t *pa);

/* What the hardware notes when it reads, or writes, through a leaf. */
void decode_touch(const struct decoder *d, const struct decoded *leaf, bool write);

struct decoded decode(const struct decoder *d, uint64_t ia);

#endif

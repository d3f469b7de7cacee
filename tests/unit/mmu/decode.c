// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "decode.h"

#include <stddef.h>

enum kind { ABSENT, TABLE, LEAF, BROKEN };

static bool bit(uint64_t e, unsigned n)
{
	return e >> n & 1;
}

static uint64_t bits(uint64_t e, unsigned hi, unsigned lo)
{
	return e >> lo & (~UINT64_C(0) >> (63 - (hi - lo)));
}

/* A field of an entry that stays where it is. */
static uint64_t at(uint64_t e, unsigned hi, unsigned lo)
{
	return bits(e, hi, lo) << lo;
}

static bool is_arm(const struct decoder *d)
{
	return d->family == DECODE_ARM_S1 || d->family == DECODE_ARM_S2;
}

/* Arm ARM D8.3.1 figures D8-12 to D8-14; the others have bits 51:12 (SDM 29.3.2, VT-d 9.8,
 * 48882 2.2.3). */
static uint64_t address(const struct decoder *d, uint64_t e)
{
	if (!is_arm(d))
		return at(e, 51, 12);
	if (d->wide && d->shift == 16)
		return at(e, 47, 16) | bits(e, 15, 12) << 48;
	if (d->wide)
		return at(e, 49, d->shift) | bits(e, 9, 8) << 50;
	return at(e, 47, d->shift);
}

static enum kind kind_ps(const struct decoder *d, uint64_t e, unsigned level)
{
	if (level == 0)
		return LEAF;
	if (!bit(e, 7))
		return TABLE;
	return level <= d->top ? LEAF : BROKEN;
}

static enum kind kind_arm(const struct decoder *d, uint64_t e, unsigned level)
{
	if (!bit(e, 0))
		return ABSENT;
	if (level == 0)
		return bit(e, 1) ? LEAF : BROKEN;
	if (bit(e, 1))
		return TABLE;
	return level <= d->top ? LEAF : BROKEN;
}

/* 48882 table 15: 0 is a leaf of the level's size, 7 one of odd size, n leads to level n (from 1).
 */
static enum kind kind_amdvi(uint64_t e, unsigned level)
{
	uint64_t next = bits(e, 11, 9);

	if (!bit(e, 0))
		return ABSENT;
	if (next == 0 || next == 7)
		return LEAF;
	return next == level ? TABLE : BROKEN;
}

static enum kind kind_of(const struct decoder *d, uint64_t e, unsigned level)
{
	switch (d->family) {
	case DECODE_NPT:
	case DECODE_X86:
		return bit(e, 0) ? kind_ps(d, e, level) : ABSENT;
	case DECODE_EPT:
		if (bits(e, 2, 0) == 0 && !(d->mode_exec && bit(e, 10)))
			return ABSENT;
		return bits(e, 1, 0) == 2 ? BROKEN : kind_ps(d, e, level);
	case DECODE_VTD:
		return bits(e, 1, 0) == 0 ? ABSENT : kind_ps(d, e, level);
	case DECODE_AMDVI:
		return kind_amdvi(e, level);
	case DECODE_ARM_S1:
	case DECODE_ARM_S2:
		return kind_arm(d, e, level);
	}
	return BROKEN;
}

/* Bits that have to be zero, the address above oa_bits among them. */
static bool reserved(const struct decoder *d, uint64_t e, unsigned level, enum kind k)
{
	uint64_t low = k == LEAF ? (UINT64_C(1) << (d->shift + level * d->bits)) - 1 : 0;

	if (k == LEAF && d->family == DECODE_AMDVI && bits(e, 11, 9) == 7)
		low = 0;
	if (address(d, e) >> d->oa_bits || address(d, e) & low)
		return true;
	switch (d->family) {
	case DECODE_EPT: /* tables 29-2 to 29-6: bits 6:3 of entries that lead to tables */
		return k == TABLE && bits(e, 6, 3) != 0;
	case DECODE_VTD:
		return bit(e, 11);
	case DECODE_AMDVI: /* figures 8 and 9 */
		return bits(e, 58, 52) != 0 || (k == TABLE && bits(e, 60, 59) != 0);
	case DECODE_ARM_S1:
	case DECODE_ARM_S2:
		return !d->wide && bits(e, 50, 48) != 0;
	default:
		return false;
	}
}

static void arm_memory_s1(const struct decoder *d, uint64_t e, struct decoded *r)
{
	/* MAIR is to be 0x0444bbff. */
	r->broken |= bits(e, 4, 2) > 3;
	r->memory = (enum decode_memory)bits(e, 4, 2);
	if (r->memory != MEMORY_UC && !d->wide)
		r->broken |= bits(e, 9, 8) != 3;
}

static void arm_memory_s2(const struct decoder *d, uint64_t e, struct decoded *r)
{
	uint64_t attr = bits(e, 5, 2); /* D8.6.5: MemAttr[3:0] without FWB */

	r->broken |= attr != 15 && attr != 10 && attr != 5 && attr != 1;
	r->memory = attr == 15   ? MEMORY_WB
		    : attr == 10 ? MEMORY_WT
		    : attr == 5  ? MEMORY_WC
				 : MEMORY_UC;
	if (r->memory != MEMORY_UC && !d->wide)
		r->broken |= bits(e, 9, 8) != 3;
}

/* D8.4.1: AP[2:1], PXN, UXN; D8.4.6: with DBM a read-only page is writable and clean. */
static void arm_s1(const struct decoder *d, uint64_t e, struct decoded *r)
{
	bool dbm = d->hardware_ad && bit(e, 51);

	r->r = true;
	r->user = bit(e, 6);
	r->w = !bit(e, 7) || dbm;
	r->x = r->user ? !bit(e, 54) : !bit(e, 53);
	r->dirty = (dbm && !bit(e, 7)) || bit(e, 56);
	arm_memory_s1(d, e, r);
}

/* D8.4.2: S2AP and XN[1:0]. */
static void arm_s2(const struct decoder *d, uint64_t e, struct decoded *r)
{
	bool dbm = d->hardware_ad && bit(e, 51);
	uint64_t xn = bits(e, 54, 53);

	r->r = bit(e, 6);
	r->w = bit(e, 7) || dbm;
	r->x = xn == 0 || xn == 3;
	r->xu = xn == 0 || xn == 1;
	if (!d->mode_exec) {
		r->broken |= bit(e, 53);
		r->xu = false;
	}
	r->dirty = (dbm && bit(e, 7)) || bit(e, 56);
	arm_memory_s2(d, e, r);
}

static void intel_memory(uint64_t e, struct decoded *r)
{
	uint64_t type = bits(e, 5, 3);

	r->broken |= type != 6 && type != 4 && type != 1 && type != 0;
	r->memory = type == 6   ? MEMORY_WB
		    : type == 4 ? MEMORY_WT
		    : type == 1 ? MEMORY_WC
				: MEMORY_UC;
}

static void leaf(const struct decoder *d, uint64_t e, unsigned level, struct decoded *r)
{
	switch (d->family) {
	case DECODE_NPT:
	case DECODE_X86:
		r->r = true;
		r->w = bit(e, 1);
		r->x = !bit(e, 63);
		r->user = d->family == DECODE_X86 && bit(e, 2);
		r->mapped = d->family == DECODE_X86 || bit(e, 2); /* APM2 15.25.5 */
		r->accessed = bit(e, 5);
		r->dirty = bit(e, 6);
		/* Reset value of the PAT: WB, WT, UC-, UC. */
		r->memory = bit(e, 4) ? MEMORY_UC : bit(e, 3) ? MEMORY_WT : MEMORY_WB;
		r->broken |= bit(e, level == 0 ? 7 : 12); /* the PAT bit */
		return;
	case DECODE_EPT:
		r->r = bit(e, 0);
		r->w = bit(e, 1);
		r->x = bit(e, 2);
		r->xu = d->mode_exec && bit(e, 10);
		r->accessed = bit(e, 8);
		r->dirty = bit(e, 9);
		intel_memory(e, r);
		return;
	case DECODE_VTD:
		r->r = bit(e, 0);
		r->w = bit(e, 1);
		r->accessed = bit(e, 8);
		r->dirty = bit(e, 9);
		intel_memory(e, r);
		return;
	case DECODE_AMDVI:
		r->r = bit(e, 61);
		r->w = bit(e, 62);
		r->accessed = bit(e, 5);
		r->dirty = bit(e, 6);
		r->memory = bit(e, 60) ? MEMORY_WB : MEMORY_WC;
		return;
	case DECODE_ARM_S1:
		arm_s1(d, e, r);
		break;
	case DECODE_ARM_S2:
		arm_s2(d, e, r);
		break;
	}
	/* D8.4.5: without the hardware's help an access without AF faults. */
	r->accessed = bit(e, 10);
	r->broken |= !d->hardware_ad && !r->accessed;
}

/* What an entry allows to all below it has to be everything. */
static bool table_restricts(const struct decoder *d, uint64_t e)
{
	switch (d->family) {
	case DECODE_NPT:
	case DECODE_X86:
		return !bit(e, 1) || !bit(e, 2) || bit(e, 63);
	case DECODE_EPT:
		return bits(e, 2, 0) != 7 || !bit(e, 10);
	case DECODE_VTD:
		return bits(e, 1, 0) != 3;
	case DECODE_AMDVI:
		return bits(e, 62, 61) != 3;
	case DECODE_ARM_S1:
	case DECODE_ARM_S2:
		return bits(e, 63, 59) != 0;
	}
	return true;
}

/* 48882 table 14: the lowest 0 among the address bits, from 12 up, gives half the size. */
static unsigned odd_shift(uint64_t e)
{
	unsigned n = 12;

	while (bit(e, n))
		n++;
	return n + 1;
}

/* 48882 2.2.3.2: accessed and dirty are what any of them says. */
static void replicas(uint64_t ia, uint64_t e, unsigned shift, struct decoded *r)
{
	uint64_t mask = (UINT64_C(1) << r->shift) - 1, noted = UINT64_C(3) << 5;
	const uint64_t *first = r->slot - ((ia & mask) >> shift);

	for (uint64_t i = 0; i <= mask >> shift; i++) {
		uint64_t other = __atomic_load_n(first + i, __ATOMIC_ACQUIRE);

		r->uneven |= ((other ^ e) & ~noted) != 0;
		if ((other ^ e) & ~noted)
			continue;
		r->accessed |= bit(other, 5);
		r->dirty |= bit(other, 6);
	}
}

static void found(const struct decoder *d, uint64_t ia, uint64_t e, unsigned level,
		  struct decoded *r)
{
	uint64_t mask;

	r->mapped = true;
	r->shift = d->shift + level * d->bits;
	if (d->family == DECODE_AMDVI && bits(e, 11, 9) == 7)
		r->shift = odd_shift(e);
	mask = (UINT64_C(1) << r->shift) - 1;
	r->oa = (address(d, e) & ~mask) | (ia & mask);
	leaf(d, e, level, r);
	if (r->shift > d->shift + level * d->bits)
		replicas(ia, e, d->shift + level * d->bits, r);
}

struct decoded decode(const struct decoder *d, uint64_t ia)
{
	struct decoded r = {.mapped = false};
	const uint64_t *t = d->root;

	for (unsigned level = d->levels; level-- > 0 && !r.broken;) {
		uint64_t i = ia >> (d->shift + level * d->bits), e;
		enum kind k;

		if (level + 1 != d->levels)
			i &= (UINT64_C(1) << d->bits) - 1;
		e = __atomic_load_n(t + i, __ATOMIC_ACQUIRE);
		k = kind_of(d, e, level);
		if (k == ABSENT)
			return r;
		r.broken |= k == BROKEN || reserved(d, e, level, k);
		if (k == LEAF) {
			r.slot = t + i;
			found(d, ia, e, level, &r);
			return r;
		}
		r.broken |= table_restricts(d, e);
		t = d->table(d->ctx, address(d, e));
		r.broken |= !t;
	}
	return r;
}

bool decode_table(const struct decoder *d, uint64_t e, unsigned level, uint64_t *pa)
{
	*pa = address(d, e);
	return kind_of(d, e, level) == TABLE;
}

void decode_touch(const struct decoder *d, const struct decoded *r, bool write)
{
	uint64_t *slot = (uint64_t *)(uintptr_t)r->slot;
	bool arm = is_arm(d), intel = d->family == DECODE_EPT || d->family == DECODE_VTD;
	uint64_t set = UINT64_C(1) << (arm ? 10 : intel ? 8 : 5);

	if (write && !arm)
		set |= UINT64_C(1) << (intel ? 9 : 6);
	__atomic_fetch_or(slot, set, __ATOMIC_SEQ_CST);
	if (!write || !arm || !bit(*slot, 51))
		return;
	if (d->family == DECODE_ARM_S2)
		__atomic_fetch_or(slot, UINT64_C(1) << 7, __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(slot, ~(UINT64_C(1) << 7), __ATOMIC_SEQ_CST);
}

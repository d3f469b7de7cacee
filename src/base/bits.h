/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Bit masks, register fields, alignment, and range checks that cannot overflow. */
#ifndef VMM_BASE_BITS_H
#define VMM_BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BIT(n)       (UINT64_C(1) << (n))
#define BITS(hi, lo) ((UINT64_MAX >> (63 - (hi))) & (UINT64_MAX << (lo)))

/* The lowest set bit of a mask gives the field's position; works in constant expressions. */
#define FIELD_LSB(mask)        ((mask) & (~(mask) + 1))
#define FIELD_GET(mask, reg)   (((uint64_t)(reg) & (mask)) / FIELD_LSB((uint64_t)(mask)))
#define FIELD_PUT(mask, value) (((uint64_t)(value)*FIELD_LSB((uint64_t)(mask))) & (mask))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline bool vmm__is_pow2(uint64_t v)
{
	return v != 0 && (v & (v - 1)) == 0;
}

/* @align is a power of two. */
static inline bool vmm__is_aligned(uint64_t v, uint64_t align)
{
	return (v & (align - 1)) == 0;
}

static inline uint64_t vmm__align_down(uint64_t v, uint64_t align)
{
	return v & ~(align - 1);
}

/* Gives 0 where rounding up passes 2^64: the caller checks. */
static inline uint64_t vmm__align_up(uint64_t v, uint64_t align)
{
	return (v + align - 1) & ~(align - 1);
}

/* [offset, offset + len) lies within [0, size). An empty range lies within if its offset does. */
static inline bool vmm__range_within(uint64_t offset, uint64_t len, uint64_t size)
{
	return offset <= size && len <= size - offset;
}

/* [a, a + alen) and [b, b + blen) share a byte; neither range passes 2^64. */
static inline bool vmm__ranges_overlap(uint64_t a, uint64_t alen, uint64_t b, uint64_t blen)
{
	return a < b ? b - a < alen : a - b < blen;
}

#endif

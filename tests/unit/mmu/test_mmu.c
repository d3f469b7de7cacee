// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bits.h"
#include "pt.h"

#define TABLES 8
#define BASE   UINT64_C(0x40000000)
#define MIB2   (UINT64_C(1) << 21)
#define R      VMM__PROT_R
#define RW     (VMM__PROT_R | VMM__PROT_W)

static _Alignas(4096) uint64_t words[TABLES + 1][512];
static struct vmm__pt pt;
static unsigned invalidations, cleans, locks;
static int invalidate_result;
static struct vmm__pt_inval last_inval;

static int invalidate(void *ctx, const struct vmm__pt_inval *inval)
{
	(void)ctx;
	invalidations++;
	last_inval = *inval;
	return invalidate_result;
}

static void clean(void *ctx, const void *p, size_t bytes)
{
	(void)ctx;
	assert_in_range((uintptr_t)p - (uintptr_t)words, 0, sizeof(words) - bytes);
	cleans++;
}

static void lock(void *ctx)
{
	(void)ctx;
	assert_int_equal(locks++, 0);
}

static void unlock(void *ctx)
{
	(void)ctx;
	assert_int_equal(locks--, 1);
}

static const struct vmm__pt_ops ops = {
	.invalidate = invalidate, .clean = clean, .lock = lock, .unlock = unlock};

static struct vmm__pt_config config(const struct vmm__pt_format *format)
{
	return (struct vmm__pt_config){.format = format,
				       .ops = &ops,
				       .root = words[0],
				       .root_pa = BASE,
				       .offset = (uintptr_t)words - BASE,
				       .ia_bits = 48,
				       .oa_bits = 48};
}

static void make(const struct vmm__pt_config *c)
{
	assert_int_equal(vmm__pt_init(&pt, c), 0);
	for (unsigned i = 1; i <= TABLES; i++)
		assert_int_equal(vmm__pt_pool_add(&pt, words[i], BASE + i * 4096), 0);
	invalidations = cleans = locks = 0;
	invalidate_result = 0;
}

static void init_refuses(void **state)
{
	struct vmm__pt_config c = config(&vmm__pt_npt);

	(void)state;
	c.ia_bits = 58;
	assert_int_equal(vmm__pt_init(&pt, &c), -VMM_ERANGE);
	c.ia_bits = 48;
	c.oa_bits = 53;
	assert_int_equal(vmm__pt_init(&pt, &c), -VMM_ERANGE);
	c.oa_bits = 48;
	c.root_pa += 8;
	assert_int_equal(vmm__pt_init(&pt, &c), -VMM_EALIGN);
	c.root_pa = BASE;
	c.leaf_shift = 11;
	assert_int_equal(vmm__pt_init(&pt, &c), -VMM_EINVAL);
	c.leaf_shift = 0;
	c.ops = NULL;
	assert_int_equal(vmm__pt_init(&pt, &c), -VMM_EINVAL);
	assert_int_equal(vmm__pt_root_bytes(&vmm__pt_arm_s2_4k, 40), 8192);
	assert_int_equal(vmm__pt_root_bytes(&vmm__pt_arm_s2_4k, 43), 65536);
	assert_int_equal(vmm__pt_root_bytes(&vmm__pt_arm_s2_4k, 44), 4096);
	assert_int_equal(vmm__pt_root_bytes(&vmm__pt_vtd, 58), 0);
}

static void calls_refuse(void **state)
{
	struct vmm__pt_config c = config(&vmm__pt_npt);

	(void)state;
	c.flags = VMM__PT_W_XOR_X;
	make(&c);
	assert_int_equal(vmm__pt_map(&pt, vmm__ia(0), vmm__oa(0), 0, RW, 0), -VMM_EINVAL);
	assert_int_equal(vmm__pt_map(&pt, vmm__ia(1), vmm__oa(0), 4096, RW, 0), -VMM_EALIGN);
	assert_int_equal(vmm__pt_map(&pt, vmm__ia(0), vmm__oa(8), 4096, RW, 0), -VMM_EALIGN);
	assert_int_equal(vmm__pt_map(&pt, vmm__ia(0), vmm__oa(0), 4095, RW, 0), -VMM_EALIGN);
	assert_int_equal(vmm__pt_map(&pt, vmm__ia(UINT64_C(1) << 48), vmm__oa(0), 4096, RW, 0),
			 -VMM_ERANGE);
	assert_int_equal(vmm__pt_map(&pt, vmm__ia(4096), vmm__oa(0), UINT64_MAX - 4095, RW, 0),
			 -VMM_ERANGE);
	assert_int_equal(
		vmm__pt_map(&pt, vmm__ia(0), vmm__oa((UINT64_C(1) << 48) - 4096), 8192, RW, 0),
		-VMM_ERANGE);
	assert_int_equal(vmm__pt_map(&pt, vmm__ia(0), vmm__oa(0), 4096, VMM__PROT_W, 0),
			 -VMM_ENOTSUP);
	assert_int_equal(vmm__pt_map(&pt, vmm__ia(0), vmm__oa(0), 4096, 99, 0), -VMM_ENOTSUP);
	assert_int_equal(vmm__pt_map(&pt, vmm__ia(0), vmm__oa(0), 4096, RW, VMM__MEM_WC),
			 -VMM_ENOTSUP);
	assert_int_equal(vmm__pt_map(&pt, vmm__ia(0), vmm__oa(0), 4096, RW | VMM__PROT_X, 0),
			 -VMM_ENOTSUP);
	assert_int_equal(vmm__pt_harvest(&pt, vmm__ia(0), 4096, 3, NULL, NULL), -VMM_ENOTSUP);
	assert_int_equal(vmm__pt_split(&pt, vmm__ia(0), 4096, 13), -VMM_EINVAL);
	assert_int_equal(pt.pool_pages, TABLES);
	assert_int_equal(locks, 0);
}

/* Its size in entries, and what was cleaned and invalidated. */
static void effects(void **state)
{
	struct vmm__pt_config c = config(&vmm__pt_npt);

	(void)state;
	make(&c);
	assert_int_equal(vmm__pt_map(&pt, vmm__ia(MIB2), vmm__oa(0), 2 * MIB2 + 4096, RW, 0), 0);
	assert_int_equal(pt.pool_pages, TABLES - 3);
	assert_int_equal(vmm__pt_bound_map(&pt, vmm__ia(MIB2), vmm__oa(0), 2 * MIB2 + 4096), 3);
	assert_int_equal(invalidations, 0);
	assert_int_equal(cleans, 4); /* three new tables, and the root's entry */
	assert_int_equal(vmm__pt_unmap(&pt, vmm__ia(MIB2), 4096), 0);
	assert_int_equal(invalidations, 1);
	/* A large leaf came apart: all of it is invalidated. */
	assert_int_equal(last_inval.first, MIB2);
	assert_int_equal(last_inval.last, 2 * MIB2 - 1);
	assert_int_equal(vmm__pt_destroy(&pt), 0);
	assert_int_equal(invalidations, 2);
	assert_true(last_inval.tables);
	assert_int_equal(pt.pool_pages, TABLES);

	c.flags = VMM__PT_INVAL_MAP;
	make(&c);
	assert_int_equal(vmm__pt_map(&pt, vmm__ia(0), vmm__oa(0), 4096, RW, 0), 0);
	assert_int_equal(invalidations, 1);
}

static void a_failed_invalidation_keeps_its_tables(void **state)
{
	struct vmm__pt_config c = config(&vmm__pt_npt);

	(void)state;
	make(&c);
	assert_int_equal(vmm__pt_map(&pt, vmm__ia(0), vmm__oa(0), 4096, RW, 0), 0);
	invalidate_result = -VMM_ETIMEOUT;
	assert_int_equal(vmm__pt_unmap(&pt, vmm__ia(0), 4096), -VMM_ETIMEOUT);
	assert_int_equal(vmm__pt_translate(&pt, vmm__ia(0)), VMM__PT_NOTHING);
	assert_int_equal(pt.pool_pages, TABLES - 3);
	assert_int_equal(vmm__pt_map(&pt, vmm__ia(0), vmm__oa(0), 4096, RW, 0), -VMM_ETIMEOUT);
	invalidate_result = 0;
	assert_int_equal(vmm__pt_map(&pt, vmm__ia(0), vmm__oa(MIB2), 4096, R, 0), 0);
	assert_int_equal(vmm__pt_translate(&pt, vmm__ia(5)), MIB2 + 5);
	assert_int_equal(pt.pool_pages, TABLES - 3);
	assert_int_equal(vmm__pt_destroy(&pt), 0);
	assert_int_equal(pt.pool_pages, TABLES);
}

/*
 * A reader that stands in a page while it becomes a table of another level goes no further: where
 * entries tell their level, what they lead to would be taken from beside the next page.
 */
static void a_table_of_another_level_is_none(void **state)
{
	struct vmm__pt_config c = config(&vmm__pt_amdvi);
	struct vmm__pt_leaf leaf;
	uint64_t *upper, *lower, e;

	(void)state;
	make(&c);
	assert_int_equal(vmm__pt_map(&pt, vmm__ia(0), vmm__oa(MIB2), 4096, RW, VMM__MEM_WB), 0);
	upper = words[(words[0][0] >> 12 & 0xff)];
	lower = words[(upper[0] >> 12 & 0xff)];
	e = lower[0];
	lower[0] = upper[0];
	assert_int_equal(vmm__pt_translate(&pt, vmm__ia(0)), upper[0] & BITS(51, 21));
	assert_int_equal(vmm__pt_lookup(&pt, vmm__ia(0), &leaf), 0);
	assert_int_equal(leaf.size, MIB2);
	assert_int_equal(vmm__pt_next(&pt, vmm__ia(0), vmm__ia(0), &leaf), 0);
	assert_int_equal(leaf.size, MIB2);
	lower[0] = e;
	assert_int_equal(vmm__pt_translate(&pt, vmm__ia(7)), MIB2 + 7);
	assert_int_equal(vmm__pt_destroy(&pt), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_refuses),
		cmocka_unit_test(calls_refuse),
		cmocka_unit_test(effects),
		cmocka_unit_test(a_failed_invalidation_keeps_its_tables),
		cmocka_unit_test(a_table_of_another_level_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

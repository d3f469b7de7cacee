// SPDX-License-Identifier: BSD-2-Clause-Patent
/* From registers to the guest walker, which has its own tests (tests/unit/mmu). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libvmm/mem.h"
#include "x86_walk.h"

static uint64_t tables[4][512];

static int read_tables(void *ctx, uint64_t gpa, void *buf, size_t bytes)
{
	(void)ctx;
	if (gpa > sizeof(tables) - bytes)
		return -VMM_ERANGE;
	memcpy(buf, (const uint8_t *)tables + gpa, bytes);
	return 0;
}

static const struct vmm__guest_memory memory = {read_tables, NULL};

static int walk(const struct vmm_x86_sys *sys, uint64_t gva, uint32_t prot)
{
	uint64_t gpa = 0;
	int r = vmm__x86_walk(sys, &memory, gva, prot, &gpa);

	return r == 0 ? (int)gpa : r;
}

/* 4 levels; the leaf is the last page's, with the entry's low bits in @leaf. */
static struct vmm_x86_sys begin(uint64_t leaf)
{
	struct vmm_x86_sys sys = {0};

	memset(tables, 0, sizeof(tables));
	for (unsigned i = 0; i < 3; i++)
		tables[i][0] = (uint64_t)(i + 1) << 12 | 7;
	tables[3][1] = leaf;
	sys.cr0 = UINT64_C(1) << 31 | 1 << 16 | 1;
	sys.cr4 = 1 << 5;
	sys.efer = 1 << 11 | 1 << 10 | 1 << 8;
	return sys;
}

static void test_rights(void **state)
{
	struct vmm_x86_sys sys = begin(0x5000 | 7);

	(void)state;
	assert_int_equal(walk(&sys, 0x1234, VMM_PROT_READ | VMM_PROT_WRITE | VMM_PROT_EXEC),
			 0x5234);
	sys = begin(0x5000 | 1 | UINT64_C(1) << 63);
	assert_int_equal(walk(&sys, 0x1234, VMM_PROT_READ), 0x5234);
	assert_int_equal(walk(&sys, 0x1234, VMM_PROT_READ | VMM_PROT_WRITE), -VMM_EFAULT);
	assert_int_equal(walk(&sys, 0x1234, VMM_PROT_EXEC), -VMM_EFAULT);
	sys.ss.attr = VMM_X86_SEG_DPL(3);
	assert_int_equal(walk(&sys, 0x1234, VMM_PROT_READ), -VMM_EFAULT);
	/* Of nobody: is it mapped at all. */
	assert_int_equal(walk(&sys, 0x1234, 0), 0x5234);
	assert_int_equal(walk(&sys, 0x2234, 0), -VMM_EFAULT);
}

/* What changes from one instruction to the next is not asked; SMEP is. */
static void test_supervisor(void **state)
{
	struct vmm_x86_sys sys = begin(0x5000 | 7);

	(void)state;
	sys.cr4 |= 1 << 21 | 1 << 20;
	assert_int_equal(walk(&sys, 0x1234, VMM_PROT_READ | VMM_PROT_WRITE), 0x5234);
	assert_int_equal(walk(&sys, 0x1234, VMM_PROT_EXEC), -VMM_EFAULT);
}

static void test_refused(void **state)
{
	struct vmm_x86_sys sys = begin(0x5000 | 7);

	(void)state;
	assert_int_equal(walk(&sys, UINT64_C(1) << 47, 0), -VMM_EFAULT);
	sys.cr3 = sizeof(tables); /* no memory is there */
	assert_int_equal(walk(&sys, 0x1234, 0), -VMM_EFAULT);
	sys.cr0 = 1;
	assert_int_equal(walk(&sys, 0x1234, VMM_PROT_EXEC), 0x1234);
}

/* PAE: the four pointers that the processor holds, not those in memory. */
static void test_pae(void **state)
{
	struct vmm_x86_sys sys = begin(0x5000 | 7);

	(void)state;
	sys.efer = 1 << 11;
	assert_int_equal(walk(&sys, 0x1234, 0), -VMM_EFAULT); /* reserved bits in memory's */
	sys.flags = VMM_X86_SYS_PDPTRS;
	sys.pdptr[0] = 0x2000 | 1;
	assert_int_equal(walk(&sys, 0x1234, VMM_PROT_WRITE), 0x5234);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_supervisor),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_pae),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "guest_walk.h"
#include "pt.h"

#define MEMORY 0x100000u

#define P  0x1u
#define RW 0x2u
#define US 0x4u
#define PS 0x80u
#define NX (UINT64_C(1) << 63)

#define CR0_PG   0x80000000u
#define CR0_WP   0x10000u
#define CR4_PSE  0x10u
#define CR4_PAE  0x20u
#define CR4_LA57 0x1000u
#define CR4_SMEP 0x100000u
#define CR4_SMAP 0x200000u
#define CR4_PKE  0x400000u
#define LMA      0x400u
#define NXE      0x800u
#define AC       0x40000u

static _Alignas(8) uint8_t memory_bytes[MEMORY];
static unsigned reads;
static uint64_t fail_at;

static int read_memory(void *ctx, uint64_t gpa, void *buf, size_t bytes)
{
	(void)ctx;
	reads++;
	assert_true(bytes <= 8 && gpa % bytes == 0);
	if (gpa > MEMORY - bytes || gpa == fail_at)
		return -VMM_ENOENT;
	memcpy(buf, memory_bytes + gpa, bytes);
	return 0;
}

static const struct vmm__guest_memory memory = {read_memory, NULL};

static int setup(void **state)
{
	(void)state;
	memset(memory_bytes, 0, sizeof(memory_bytes));
	fail_at = UINT64_MAX;
	reads = 0;
	return 0;
}

static void put64(uint64_t at, uint64_t v)
{
	memcpy(memory_bytes + at, &v, 8);
}

static void put32(uint64_t at, uint32_t v)
{
	memcpy(memory_bytes + at, &v, 4);
}

/* 4 levels at 0x1000 to 0x4000; @va's own entries. The page is at 0x5000. */
static const uint64_t va = 0x123456789abc;

static void make_4_levels(uint64_t upper, uint64_t leaf)
{
	put64(0x1000 + (va >> 39 & 511) * 8, 0x2000 | P | RW | US);
	put64(0x2000 + (va >> 30 & 511) * 8, 0x3000 | upper);
	put64(0x3000 + (va >> 21 & 511) * 8, 0x4000 | P | RW | US);
	put64(0x4000 + (va >> 12 & 511) * 8, 0x5000 | leaf);
}

static struct vmm__x86_paging long_mode(void)
{
	return (struct vmm__x86_paging){.cr0 = CR0_PG | CR0_WP,
					.cr3 = 0x1000,
					.cr4 = CR4_PAE,
					.efer = LMA | NXE,
					.phys_bits = 46};
}

/* SDM 3A 4.6.1, as the manual puts it: accesses of two modes to addresses of two kinds. */
static bool manual_allows(const struct vmm__x86_paging *p, bool user_address, bool writable,
			  bool nx, unsigned access)
{
	bool user_mode = access & VMM__ACCESS_USER && !(access & VMM__ACCESS_IMPLICIT);

	nx = nx && p->efer & NXE;
	if (!user_mode && access & VMM__ACCESS_FETCH)
		return user_address ? !(p->cr4 & CR4_SMEP) && !nx : !nx;
	if (!user_mode && access & VMM__ACCESS_WRITE) {
		if (user_address && p->cr4 & CR4_SMAP &&
		    (access & VMM__ACCESS_IMPLICIT || !(p->rflags & AC)))
			return false;
		return !(p->cr0 & CR0_WP) || writable;
	}
	if (!user_mode)
		return !(user_address && p->cr4 & CR4_SMAP &&
			 (access & VMM__ACCESS_IMPLICIT || !(p->rflags & AC)));
	if (!user_address)
		return false;
	if (access & VMM__ACCESS_FETCH)
		return !nx;
	return access & VMM__ACCESS_WRITE ? writable : true;
}

static void x86_rights_are_the_manuals(void **state)
{
	static const unsigned accesses[] = {0, VMM__ACCESS_WRITE, VMM__ACCESS_FETCH};
	unsigned allowed = 0, denied = 0;

	(void)state;
	for (unsigned bits = 0; bits < 64; bits++) {
		uint64_t upper =
			P | (bits & 1 ? RW : 0) | (bits & 2 ? US : 0) | (bits & 4 ? NX : 0);
		uint64_t leaf =
			P | (bits & 8 ? RW : 0) | (bits & 16 ? US : 0) | (bits & 32 ? NX : 0);

		make_4_levels(upper, leaf);
		for (unsigned mode = 0; mode < 32 * 3 * 4; mode++) {
			struct vmm__x86_paging p = long_mode();
			unsigned access = accesses[mode / 32 % 3] |
					  (mode / 96 & 1 ? VMM__ACCESS_USER : 0) |
					  (mode / 96 & 2 ? VMM__ACCESS_IMPLICIT : 0);
			struct vmm__guest_page page;
			bool nx = (upper | leaf) & NX, expected;
			int r;

			p.cr0 = CR0_PG | (mode & 1 ? CR0_WP : 0);
			p.cr4 |= (mode & 2 ? CR4_SMEP : 0) | (mode & 4 ? CR4_SMAP : 0);
			p.rflags = mode & 8 ? AC : 0;
			p.efer = LMA | (mode & 16 ? NXE : 0);
			r = vmm__x86_guest_walk(&p, &memory, va, access, &page);
			if (nx && !(p.efer & NXE)) {
				assert_int_equal(r, -VMM_EFAULT); /* a reserved bit */
				assert_int_equal(page.fault & 9, 9);
				continue;
			}
			expected =
				manual_allows(&p, upper & leaf & US, upper & leaf & RW, nx, access);
			assert_int_equal(r, expected ? 0 : -VMM_EFAULT);
			if (expected) {
				assert_int_equal(page.gpa, 0x5000 | (va & 0xfff));
				assert_int_equal(page.shift, 12);
				allowed++;
				continue;
			}
			denied++;
			assert_int_equal(page.fault & 1, 1);
			assert_int_equal(page.fault >> 1 & 1, !!(access & VMM__ACCESS_WRITE));
			assert_int_equal(page.fault >> 2 & 1,
					 !!(access & VMM__ACCESS_USER) &&
						 !(access & VMM__ACCESS_IMPLICIT));
			assert_int_equal(page.fault >> 4 & 1,
					 access & VMM__ACCESS_FETCH &&
						 (p.efer & NXE || p.cr4 & CR4_SMEP));
		}
	}
	assert_true(allowed > 1000 && denied > 1000);
}

static void x86_protection_keys(void **state)
{
	(void)state;
	for (unsigned key = 0; key < 16; key++) {
		for (unsigned i = 0; i < 4 * 3 * 2 * 2 * 2; i++) {
			static const unsigned accesses[] = {0, VMM__ACCESS_WRITE,
							    VMM__ACCESS_FETCH};
			struct vmm__x86_paging p = long_mode();
			unsigned rights = i & 3, kind = accesses[i / 4 % 3];
			bool user_mode = i / 12 & 1, wp = i / 24 & 1, user_page = i / 48 & 1,
			     refused;
			struct vmm__guest_page page;
			int r;

			make_4_levels(P | RW | US,
				      P | RW | (user_page ? US : 0) | (uint64_t)key << 59);
			p.cr4 |= CR4_PKE;
			p.cr0 = CR0_PG | (wp ? CR0_WP : 0);
			p.pkru = rights << (2 * key);
			r = vmm__x86_guest_walk(&p, &memory, va,
						kind | (user_mode ? VMM__ACCESS_USER : 0), &page);
			refused = user_page && kind != VMM__ACCESS_FETCH &&
				  (rights & 1 ||
				   (rights & 2 && kind == VMM__ACCESS_WRITE && (user_mode || wp)));
			if (user_mode && !user_page)
				assert_int_equal(r, -VMM_EFAULT);
			else
				assert_int_equal(r, refused ? -VMM_EFAULT : 0);
			if (r != 0)
				assert_int_equal(page.fault >> 5 & 1, refused);
		}
	}
}

static void expect_x86(const struct vmm__x86_paging *p, uint64_t gva, uint64_t gpa, unsigned shift)
{
	struct vmm__guest_page page;

	assert_int_equal(vmm__x86_guest_walk(p, &memory, gva, 0, &page), 0);
	assert_int_equal(page.gpa, gpa);
	assert_int_equal(page.shift, shift);
}

static void expect_x86_fault(const struct vmm__x86_paging *p, uint64_t gva, uint32_t code)
{
	struct vmm__guest_page page;

	assert_int_equal(vmm__x86_guest_walk(p, &memory, gva, 0, &page), -VMM_EFAULT);
	assert_int_equal(page.fault, code);
}

static void x86_without_paging(void **state)
{
	struct vmm__x86_paging p = {.phys_bits = 40};

	(void)state;
	expect_x86(&p, 0x1fffffff0, 0xfffffff0, 32);
	assert_int_equal(reads, 0);
}

static void x86_32_bit(void **state)
{
	struct vmm__x86_paging p = {.cr0 = CR0_PG, .cr3 = 0x1fff, .phys_bits = 40};

	(void)state;
	put32(0x1000 + 4 * (0xc0403123u >> 22), 0x2000 | P | RW);
	put32(0x2000 + 4 * 3, 0xabcde000 | P);
	expect_x86(&p, 0xc0403123, 0xabcde123, 12);
	expect_x86_fault(&p, 0xc0404000, 0);
	expect_x86_fault(&p, 0x00404000, 0);

	/* Without PSE the bit is ignored; with it the entry maps 4 MiB, its bits 20:13 above 4 GiB.
	 */
	put32(0x1000 + 4 * 4, 0x2000 | P | PS);
	put32(0x2000, 0x7000 | P);
	expect_x86(&p, 0x01000042, 0x7042, 12);
	put32(0x1000 + 4 * 4, 0x00c00000 | 0x1fe000 | P | PS);
	p.cr4 = CR4_PSE;
	expect_x86(&p, 0x01012345, 0xff00c12345, 22);
	p.phys_bits = 36;
	expect_x86_fault(&p, 0x01012345, 9);
	put32(0x1000 + 4 * 4, 0x00c00000 | 0x200000 | P | PS);
	expect_x86_fault(&p, 0x01012345, 9);
}

static void x86_pae(void **state)
{
	struct vmm__x86_paging p = {
		.cr0 = CR0_PG, .cr3 = 0x1020, .cr4 = CR4_PAE, .efer = NXE, .phys_bits = 40};

	(void)state;
	put64(0x1020 + 8 * 2, 0x2000 | P);
	put64(0x2000 + 8 * 5, 0x3000 | P);
	put64(0x3000 + 8 * 7, UINT64_C(0xff12345000) | P | NX);
	put64(0x2000 + 8 * 6, UINT64_C(0xff12200000) | P | PS);
	expect_x86(&p, 0x80a07abc, UINT64_C(0xff12345abc), 12);
	expect_x86(&p, 0x80c23456, UINT64_C(0xff12223456), 21);
	expect_x86_fault(&p, 0x40a07abc, 0);
	put64(0x2000 + 8 * 6, UINT64_C(0xff12202000) | P | PS); /* bit 13 */
	expect_x86_fault(&p, 0x80c23456, 9);
	put64(0x3000 + 8 * 7, UINT64_C(0x10012345000) | P); /* above the width */
	expect_x86_fault(&p, 0x80a07abc, 9);
	put64(0x3000 + 8 * 7, UINT64_C(0x0010000012345000) | P); /* bit 52 */
	expect_x86_fault(&p, 0x80a07abc, 9);
	put64(0x1020 + 8 * 2, 0x2000 | P | RW);
	expect_x86_fault(&p, 0x80a07abc, 9);

	/* What the processor holds counts, not memory. */
	p.pdpte_held = true;
	p.pdpte[2] = 0x2000 | P;
	put64(0x3000 + 8 * 7, 0x9000 | P);
	expect_x86(&p, 0x80a07abc, 0x9abc, 12);
}

static void x86_long_modes(void **state)
{
	struct vmm__x86_paging p = long_mode();
	struct vmm__guest_page page;

	(void)state;
	make_4_levels(P | RW | US, P);
	expect_x86(&p, va, 0x5000 | (va & 0xfff), 12);
	put64(0x3000 + (va >> 21 & 511) * 8, 0x600000 | P | PS);
	expect_x86(&p, va, 0x600000 | (va & 0x1fffff), 21);
	put64(0x2000 + (va >> 30 & 511) * 8, 0x80000000 | P | PS);
	expect_x86(&p, va, 0x80000000 | (va & 0x3fffffff), 30);
	p.no_1g = true;
	expect_x86_fault(&p, va, 9);
	p.no_1g = false;
	put64(0x2000 + (va >> 30 & 511) * 8, 0x80002000 | P | PS);
	expect_x86_fault(&p, va, 9);
	put64(0x1000 + (va >> 39 & 511) * 8, 0x2000 | P | PS);
	expect_x86_fault(&p, va, 9);

	assert_int_equal(vmm__x86_guest_walk(&p, &memory, UINT64_C(1) << 47, 0, &page),
			 -VMM_ERANGE);
	assert_int_equal(vmm__x86_guest_walk(&p, &memory, UINT64_C(0xffff7fffffffffff), 0, &page),
			 -VMM_ERANGE);
	expect_x86_fault(&p, UINT64_C(0xffff800000000000), 0);

	/* 5 levels: the fifth at 0x6000, as bits 56:48 tell. */
	p.cr3 = 0x6000;
	p.cr4 |= CR4_LA57;
	make_4_levels(P | RW | US, P);
	put64(0x3000 + (va >> 21 & 511) * 8, 0x4000 | P);
	put64(0x6000 + 8 * 0x5a, 0x1000 | P);
	expect_x86(&p, UINT64_C(0x5a) << 48 | va, 0x5000 | (va & 0xfff), 12);
	assert_int_equal(vmm__x86_guest_walk(&p, &memory, UINT64_C(1) << 56, 0, &page),
			 -VMM_ERANGE);
}

static void x86_debug_access_and_bad_tables(void **state)
{
	struct vmm__x86_paging p = long_mode();
	struct vmm__guest_page page;

	(void)state;
	make_4_levels(P, P | NX);
	assert_int_equal(vmm__x86_guest_walk(&p, &memory, va, VMM__ACCESS_USER, &page),
			 -VMM_EFAULT);
	assert_int_equal(
		vmm__x86_guest_walk(&p, &memory, va, VMM__ACCESS_USER | VMM__ACCESS_DEBUG, &page),
		0);
	assert_true(!page.user && !page.writable && !page.executable);
	for (uint64_t t = 0x1000, shift = 39; t <= 0x4000; t += 0x1000, shift -= 9) {
		fail_at = t + (va >> shift & 511) * 8;
		assert_int_equal(vmm__x86_guest_walk(&p, &memory, va, 0, &page), -VMM_ENOENT);
	}
	p.cr3 = UINT64_C(1) << 45; /* no memory there */
	assert_int_equal(vmm__x86_guest_walk(&p, &memory, va, 0, &page), -VMM_ENOENT);
	p.phys_bits = 53;
	assert_int_equal(vmm__x86_guest_walk(&p, &memory, va, 0, &page), -VMM_EINVAL);
}

/* ---- Arm ---- */

#define VALID UINT64_C(1)
#define TABLE UINT64_C(2)
#define AP_U  (UINT64_C(1) << 6)
#define AP_RO (UINT64_C(1) << 7)
#define AF    (UINT64_C(1) << 10)
#define DBM   (UINT64_C(1) << 51)
#define PXN   (UINT64_C(1) << 53)
#define UXN   (UINT64_C(1) << 54)
#define HA    (UINT64_C(1) << 39)
#define HD    (UINT64_C(1) << 40)

static struct vmm__arm_paging arm_4k(void)
{
	/* Both halves 48 bits, 4 KiB; 48-bit output. */
	return (struct vmm__arm_paging){.sctlr = 1,
					.tcr = 16 | UINT64_C(16) << 16 | UINT64_C(2) << 30 |
					       UINT64_C(5) << 32,
					.ttbr0 = 0x1000,
					.ttbr1 = 0x1000,
					.mair = VMM__ARM_MAIR,
					.phys_bits = 48};
}

static void make_arm_4k(uint64_t upper, uint64_t leaf)
{
	put64(0x1000 + (va >> 39 & 511) * 8, 0x2000 | VALID | TABLE);
	put64(0x2000 + (va >> 30 & 511) * 8, 0x3000 | VALID | TABLE | upper);
	put64(0x3000 + (va >> 21 & 511) * 8, 0x4000 | VALID | TABLE);
	put64(0x4000 + (va >> 12 & 511) * 8, 0x5000 | leaf);
}

static void expect_arm(const struct vmm__arm_paging *p, uint64_t a, unsigned access, uint64_t gpa,
		       unsigned shift)
{
	struct vmm__guest_page page;

	assert_int_equal(vmm__arm_guest_walk(p, &memory, a, access, &page), 0);
	assert_int_equal(page.gpa, gpa);
	assert_int_equal(page.shift, shift);
}

static void expect_arm_fault(const struct vmm__arm_paging *p, uint64_t a, unsigned access,
			     uint32_t code)
{
	struct vmm__guest_page page;

	assert_int_equal(vmm__arm_guest_walk(p, &memory, a, access, &page), -VMM_EFAULT);
	assert_int_equal(page.fault, code);
}

/* DDI 0487J.a D8.4.1, table of AP[2:1], and the controls that change it. */
static void arm_rights_are_the_manuals(void **state)
{
	static const unsigned accesses[] = {0, VMM__ACCESS_WRITE, VMM__ACCESS_FETCH};

	(void)state;
	for (unsigned bits = 0; bits < 512; bits++) {
		uint64_t leaf = VALID | TABLE | AF | (bits & 1 ? AP_U : 0) |
				(bits & 2 ? AP_RO : 0) | (bits & 4 ? PXN : 0) |
				(bits & 8 ? UXN : 0) | (bits & 16 ? DBM : 0);
		uint64_t upper =
			(bits & 32 ? UINT64_C(1) << 61 : 0) | (bits & 64 ? UINT64_C(1) << 62 : 0) |
			(bits & 128 ? UINT64_C(1) << 59 : 0) | (bits & 256 ? UINT64_C(1) << 60 : 0);

		make_arm_4k(upper, leaf);
		for (unsigned mode = 0; mode < 16 * 6; mode++) {
			struct vmm__arm_paging p = arm_4k();
			unsigned kind = accesses[mode / 16 % 3];
			bool el0 = mode / 48, hd = mode & 1, wxn = mode & 2, pan = mode & 4,
			     hpd = mode & 8;
			bool w1, r0, w0, x1, x0, expected;
			struct vmm__guest_page page;
			int r;

			p.tcr |= (hd ? HA | HD : 0) | (hpd ? UINT64_C(1) << 41 : 0);
			p.sctlr |= wxn ? 1 << 19 : 0;
			p.pan = pan;
			w1 = !(leaf & AP_RO) || (hd && leaf & DBM);
			w1 = w1 && (hpd || !(bits & 64));
			r0 = leaf & AP_U && (hpd || !(bits & 32));
			w0 = r0 && w1;
			x1 = !(leaf & PXN) && (hpd || !(bits & 128)) && !w0 && !(wxn && w1);
			x0 = !(leaf & UXN) && (hpd || !(bits & 256)) && !(wxn && w0);
			if (kind == VMM__ACCESS_FETCH)
				expected = el0 ? x0 : x1;
			else if (el0)
				expected = kind == VMM__ACCESS_WRITE ? w0 : r0;
			else
				expected = !(pan && r0) && (kind == 0 || w1);
			r = vmm__arm_guest_walk(&p, &memory, va,
						kind | (el0 ? VMM__ACCESS_USER : 0), &page);
			assert_int_equal(r, expected ? 0 : -VMM_EFAULT);
			if (!expected)
				assert_int_equal(page.fault, 0x0f); /* permission, level 3 */
		}
	}
}

static void arm_faults(void **state)
{
	struct vmm__arm_paging p = arm_4k();

	(void)state;
	make_arm_4k(0, VALID | TABLE | AF);
	expect_arm(&p, va, 0, 0x5000 | (va & 0xfff), 12);
	expect_arm_fault(&p, va ^ UINT64_C(1) << 46, 0, 0x04);
	expect_arm_fault(&p, va ^ UINT64_C(1) << 38, 0, 0x05);
	expect_arm_fault(&p, va ^ UINT64_C(1) << 29, 0, 0x06);
	expect_arm_fault(&p, va ^ UINT64_C(1) << 20, 0, 0x07);
	expect_arm_fault(&p, va | UINT64_C(1) << 48, 0, 0x04);
	make_arm_4k(0, VALID | AF); /* no page type */
	expect_arm_fault(&p, va, 0, 0x07);
	make_arm_4k(0, VALID | TABLE);
	expect_arm_fault(&p, va, 0, 0x0b);
	p.tcr |= HA;
	expect_arm(&p, va, 0, 0x5000 | (va & 0xfff), 12);
	p.tcr = (p.tcr & ~(UINT64_C(7) << 32)) | UINT64_C(1) << 32; /* 36-bit output */
	make_arm_4k(0, VALID | TABLE | AF | UINT64_C(1) << 36);
	expect_arm_fault(&p, va, 0, 0x03);
	make_arm_4k(UINT64_C(1) << 40, VALID | TABLE | AF);
	expect_arm_fault(&p, va, 0, 0x01);
	p = arm_4k();
	p.tcr |= 1 << 7; /* EPD0 */
	expect_arm_fault(&p, va, 0, 0x04);
	fail_at = 0x3000 + (va >> 21 & 511) * 8;
	p = arm_4k();
	make_arm_4k(0, VALID | TABLE | AF);
	assert_int_equal(vmm__arm_guest_walk(&p, &memory, va, 0, &(struct vmm__guest_page){0}),
			 -VMM_ENOENT);
}

static void arm_halves_tags_and_bytes(void **state)
{
	struct vmm__arm_paging p = arm_4k();
	const uint64_t high = UINT64_C(0xffff) << 48 | va;

	(void)state;
	make_arm_4k(0, VALID | TABLE | AF);
	p.ttbr0 = 0x8000;
	expect_arm(&p, high, 0, 0x5000 | (va & 0xfff), 12);
	expect_arm_fault(&p, high ^ UINT64_C(0x12) << 56, 0, 0x04);
	p.tcr |= UINT64_C(1) << 38; /* TBI1 */
	expect_arm(&p, high ^ UINT64_C(0x12) << 56, 0, 0x5000 | (va & 0xfff), 12);
	p.tcr |= UINT64_C(1) << 52; /* TBID1: not for fetches */
	expect_arm(&p, high ^ UINT64_C(0x12) << 56, 0, 0x5000 | (va & 0xfff), 12);
	expect_arm_fault(&p, high ^ UINT64_C(0x12) << 56, VMM__ACCESS_FETCH, 0x04);

	/* Big-endian tables. */
	for (unsigned t = 0x1000; t < 0x5000; t += 8) {
		uint64_t e;

		memcpy(&e, memory_bytes + t, 8);
		put64(t, __builtin_bswap64(e));
	}
	expect_arm_fault(&p, high, 0, 0x04);
	p.sctlr |= 1 << 25;
	expect_arm(&p, high, 0, 0x5000 | (va & 0xfff), 12);

	p.sctlr = 0;
	expect_arm(&p, 0x123456789, 0, 0x123456789, 48);
	expect_arm_fault(&p, UINT64_C(1) << 48, 0, 0x00);
}

static void arm_blocks_and_granules(void **state)
{
	struct vmm__arm_paging p = arm_4k();

	(void)state;
	/* 39 bits: begins at level 1. A block of 1 GiB there. */
	p.tcr = (p.tcr & ~UINT64_C(63)) | 25;
	put64(0x1000 + 8 * 3, UINT64_C(0x40000000) | VALID | AF);
	expect_arm(&p, 0xc0012345, 0, 0x40012345, 30);
	/* A block at level 0 only with 52-bit addresses. */
	p = arm_4k();
	put64(0x1000 + 8 * 1, VALID | AF);
	expect_arm_fault(&p, UINT64_C(1) << 39, 0, 0x04);
	p.tcr |= UINT64_C(1) << 59;
	expect_arm(&p, UINT64_C(1) << 39 | 0x42, 0, 0x42, 39);
	/* 52 bits with LPA2: level -1; the output's high bits in 9:8. */
	p.phys_bits = 52;
	p.tcr = 12 | UINT64_C(6) << 32 | UINT64_C(1) << 59;
	p.ttbr0 = 0x1000;
	put64(0x1000 + 8 * 15, 0x2000 | VALID | TABLE);
	put64(0x2000 + 8 * 1, 0x3000 | VALID | TABLE);
	put64(0x3000 + 8 * 2, 0x300 | UINT64_C(0x80000000) | VALID | AF);
	expect_arm(&p, UINT64_C(0xf) << 48 | UINT64_C(1) << 39 | UINT64_C(2) << 30 | 5, 0,
		   UINT64_C(3) << 50 | 0x80000005, 30);
	expect_arm_fault(&p, UINT64_C(0xe) << 48, 0, 0x2b);

	/* 64 KiB, 42 bits: levels 2 and 3. */
	p = arm_4k();
	p.tcr = 22 | 1 << 14 | UINT64_C(5) << 32;
	p.ttbr0 = 0x10000;
	put64(0x10000 + 8 * 7, 0x20000 | VALID | TABLE);
	put64(0x20000 + 8 * 9, 0x50000 | VALID | TABLE | AF);
	put64(0x10000 + 8 * 8, 0x20000000 | VALID | AF);
	expect_arm(&p, UINT64_C(7) << 29 | 9 << 16 | 0xabcd, 0, 0x5abcd, 16);
	expect_arm(&p, UINT64_C(8) << 29 | 9 << 16 | 0xabcd, 0, 0x2009abcd, 29);
	/* 16 KiB, 36 bits: levels 2 and 3. */
	p.tcr = 28 | 2 << 14 | UINT64_C(5) << 32;
	p.ttbr0 = 0x4000;
	put64(0x4000 + 8 * 5, 0x8000 | VALID | TABLE);
	put64(0x8000 + 8 * 6, 0xc000 | VALID | TABLE | AF);
	expect_arm(&p, UINT64_C(5) << 25 | 6 << 14 | 0x123, 0, 0xc123, 14);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(x86_rights_are_the_manuals, setup),
		cmocka_unit_test_setup(x86_protection_keys, setup),
		cmocka_unit_test_setup(x86_without_paging, setup),
		cmocka_unit_test_setup(x86_32_bit, setup),
		cmocka_unit_test_setup(x86_pae, setup),
		cmocka_unit_test_setup(x86_long_modes, setup),
		cmocka_unit_test_setup(x86_debug_access_and_bad_tables, setup),
		cmocka_unit_test_setup(arm_rights_are_the_manuals, setup),
		cmocka_unit_test_setup(arm_faults, setup),
		cmocka_unit_test_setup(arm_halves_tags_and_bytes, setup),
		cmocka_unit_test_setup(arm_blocks_and_granules, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The guest walkers over registers and tables of the fuzzer's choice: they end after a bounded
 * number of reads, each within what the address width allows, and what they give fits the width.
 */
#include <string.h>

#include "fuzz.h"
#include "guest_walk.h"

#define HEAD 96u

struct tables {
	const uint8_t *bytes;
	size_t len;
	unsigned reads;
	uint8_t phys_bits;
};

static uint64_t word(const uint8_t *at)
{
	uint64_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

/* Memory repeats the input, so that tables are found wherever an entry leads. */
static int read_tables(void *ctx, uint64_t gpa, void *buf, size_t bytes)
{
	struct tables *t = ctx;

	FUZZ_CHECK(bytes <= 8 && gpa % bytes == 0 && gpa >> t->phys_bits == 0);
	FUZZ_CHECK(++t->reads <= 5);
	if (t->len < 8)
		return -VMM_ENOENT;
	memcpy(buf, t->bytes + gpa / 8 % (t->len / 8) * 8 + gpa % 8, bytes);
	return 0;
}

static void check(const struct vmm__guest_page *page, const struct tables *t, int r)
{
	FUZZ_CHECK(r == 0 || r == -VMM_EFAULT || r == -VMM_ERANGE || r == -VMM_ENOENT);
	if (r == 0)
		FUZZ_CHECK(page->gpa >> t->phys_bits == 0 && page->shift >= 12);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct tables t = {.bytes = data + HEAD, .len = len < HEAD ? 0 : len - HEAD};
	struct vmm__guest_memory memory = {read_tables, &t};
	struct vmm__guest_page page;
	struct vmm__x86_paging x = {0};
	struct vmm__arm_paging a = {0};
	uint64_t address;

	if (len < HEAD)
		return 0;
	address = word(data);
	t.phys_bits = 32 + data[9] % 21;
	x.phys_bits = t.phys_bits;
	x.cr0 = word(data + 16) | UINT64_C(1) << 31;
	x.cr4 = word(data + 24);
	x.efer = word(data + 32);
	x.rflags = word(data + 40);
	x.pkru = (uint32_t)word(data + 48);
	x.cr3 = word(data + 56) & (UINT64_MAX >> (64 - t.phys_bits));
	x.no_1g = data[10] & 1;
	check(&page, &t, vmm__x86_guest_walk(&x, &memory, address, data[8] & 31, &page));
	if (x.efer & 1 << 10) {
		address = x.cr4 & 1 << 12 ? address << 7 : address << 16;
		address = (uint64_t)((int64_t)address >> (x.cr4 & 1 << 12 ? 7 : 16));
		t.reads = 0;
		check(&page, &t, vmm__x86_guest_walk(&x, &memory, address, data[8] & 31, &page));
	}

	a.phys_bits = t.phys_bits;
	a.sctlr = word(data + 64) | 1;
	a.tcr = word(data + 72);
	a.ttbr0 = a.ttbr1 = word(data + 80) & (UINT64_MAX >> (64 - t.phys_bits));
	a.mair = word(data + 88);
	a.pan = data[10] & 2;
	for (unsigned half = 0; half < 2; half++) {
		unsigned unused = (unsigned)(a.tcr >> 16 * half & 63);

		address = half ? word(data) | ~(UINT64_MAX >> unused)
			       : word(data) & (UINT64_MAX >> unused);
		t.reads = 0;
		check(&page, &t, vmm__arm_guest_walk(&a, &memory, address, data[8] & 31, &page));
	}
	return 0;
}

static void put(uint8_t *at, uint64_t v)
{
	memcpy(at, &v, sizeof(v));
}

/* Each mode of paging, over tables whose entries all lead on. */
size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	static const uint64_t cr4[] = {0, 0x10, 0x20, 0x20, 0x1020, 0x700020};
	static const uint64_t efer[] = {0, 0, 0x800, 0xd00, 0xd00, 0xd00};
	static const uint64_t tcr[] = {0x500100010,  0x5c0644016,
				       0x58001801c,  UINT64_C(0x80000060000c000c),
				       0x4500190019, 0x600400c};
	const size_t len = HEAD + 512 * 8;

	if (index >= sizeof(cr4) / sizeof(cr4[0]))
		return 0;
	put(buf, 0x123456789abc);
	buf[8] = (uint8_t)index;
	buf[9] = 16;
	put(buf + 24, cr4[index]);
	put(buf + 32, efer[index]);
	put(buf + 56, 0x1000);
	put(buf + 72, tcr[index]);
	put(buf + 80, 0x10000);
	for (unsigned i = 0; i < 512; i++)
		put(buf + HEAD + i * 8, (uint64_t)(i + 1) << 16 | (i % 7 ? 0x467 : 0x4e5));
	return len;
}

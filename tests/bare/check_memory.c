// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Heap, physical memory, windows, and the tables that the host has made for itself. */
#include "check.h"
#include "libvmm/mem.h"
#include "mem.h"

#define BLOCKS 64

struct block {
	uint8_t *at;
	size_t size, align;
};

static uint32_t seed = 1;

static uint32_t dice(uint32_t sides)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % sides;
}

static bool all_are(const uint8_t *p, size_t len, uint8_t value)
{
	for (size_t i = 0; i < len; i++) {
		if (p[i] != value)
			return false;
	}
	return true;
}

static bool same(const struct vmm_bare_usage *a, const struct vmm_bare_usage *b)
{
	return a->heap_bytes == b->heap_bytes && a->heap_blocks == b->heap_blocks &&
	       a->phys_free + a->heap_room == b->phys_free + b->heap_room;
}

/* Blocks come and go at random; each holds its own number until it goes. */
int check_heap(void)
{
	const struct vmm_host *host = vmm_bare_host();
	static struct block blocks[BLOCKS];
	struct vmm_bare_usage before, after;

	vmm_bare_usage(&before);
	for (uint32_t round = 0; round < 5000; round++) {
		const uint32_t n = dice(BLOCKS);
		struct block *b = &blocks[n];

		if (b->at != NULL) {
			CHECK(all_are(b->at, b->size, (uint8_t)n));
			host->free(NULL, b->at, b->size);
			b->at = NULL;
			continue;
		}
		b->size = dice(4) == 0 ? dice(20000) + 1 : dice(300) + 1;
		b->align = (size_t)1 << dice(13);
		b->at = host->alloc(NULL, b->size, b->align);
		CHECK(b->at != NULL && ((uintptr_t)b->at & (b->align - 1)) == 0);
		CHECK(all_are(b->at, b->size, 0));
		CHECK(host->virt_to_phys(NULL, b->at + b->size - 1) ==
		      host->virt_to_phys(NULL, b->at) + b->size - 1);
		memset(b->at, (int)n, b->size);
	}
	for (uint32_t n = 0; n < BLOCKS; n++) {
		if (blocks[n].at != NULL)
			host->free(NULL, blocks[n].at, blocks[n].size);
		blocks[n].at = NULL;
	}
	vmm_bare_usage(&after);
	CHECK(same(&before, &after));
	CHECK(host->alloc(NULL, SIZE_MAX - 5, 8) == NULL);
	CHECK(host->alloc(NULL, SIZE_MAX / 8, 8) == NULL);
	vmm_bare_usage(&after);
	CHECK(same(&before, &after));
	return 0;
}

int check_phys(void)
{
	const struct vmm_host *host = vmm_bare_host();
	const uint64_t sizes[] = {4096, 2 * MIB, 5 * MIB + 4096, 64 * MIB, 8192};
	const uint64_t aligns[] = {4096, 2 * MIB, 2 * MIB, 64 * MIB, 4096};
	struct vmm_bare_usage before, after;
	uint64_t pa[5];

	vmm_bare_usage(&before);
	for (uint32_t round = 0; round < 20; round++) {
		uint64_t sum = 0;

		for (uint32_t i = 0; i < 5; i++) {
			CHECK(host->phys_alloc(NULL, sizes[i], aligns[i], &pa[i]) == 0);
			CHECK((pa[i] & (aligns[i] - 1)) == 0);
			for (uint32_t j = 0; j < i; j++)
				CHECK(pa[i] >= pa[j] + sizes[j] || pa[j] >= pa[i] + sizes[i]);
			sum += sizes[i];
		}
		vmm_bare_usage(&after);
		CHECK(after.phys_free == before.phys_free - sum);
		for (uint32_t i = 0; i < 5; i++)
			host->phys_free(NULL, pa[(i + round) % 5], sizes[(i + round) % 5]);
		vmm_bare_usage(&after);
		CHECK(same(&before, &after));
	}
	CHECK(host->phys_alloc(NULL, UINT64_C(1) << 50, 4096, &pa[0]) == -VMM_ENOMEM);
	CHECK(host->phys_alloc(NULL, UINT64_MAX, 4096, &pa[0]) == -VMM_ENOMEM);
	CHECK(host->phys_alloc(NULL, 0, 4096, &pa[0]) == -VMM_ENOMEM);
	return 0;
}

/* All memory is taken in pieces that get smaller, down to nothing, and given back. */
int check_exhaustion(void)
{
	static uint64_t taken[900], sizes[900];
	const struct vmm_host *host = vmm_bare_host();
	struct vmm_bare_usage before, after;
	uint64_t pa;
	uint32_t n = 0;

	vmm_bare_usage(&before);
	for (uint64_t size = 256 * MIB; size >= 4096; size /= 2) {
		while (n < 900 && host->phys_alloc(NULL, size, size, &pa) == 0) {
			taken[n] = pa;
			sizes[n++] = size;
		}
	}
	vmm_bare_usage(&after);
	CHECK(n < 900 && after.phys_free == 0);
	CHECK(host->phys_alloc(NULL, 4096, 4096, &pa) == -VMM_ENOMEM);
	CHECK(host->alloc(NULL, 64 * MIB, 4096) == NULL);
	for (uint32_t i = 0; i < n; i += 2)
		host->phys_free(NULL, taken[i], sizes[i]);
	for (uint32_t i = 1; i < n; i += 2)
		host->phys_free(NULL, taken[i], sizes[i]);
	vmm_bare_usage(&after);
	CHECK(same(&before, &after));
	return 0;
}

int check_windows(void)
{
	const struct vmm_host *host = vmm_bare_host();
	const uint64_t size = 5 * MIB;
	uint8_t *w[4];
	uint64_t pa;

	CHECK(host->phys_alloc(NULL, size, 2 * MIB, &pa) == 0);
	CHECK(!look_up((const void *)(uintptr_t)pa).present);
	for (uint32_t i = 0; i < 4; i++) {
		w[i] = host->phys_map(NULL, pa + i * 4096 + 4090, 8192, i % 3);
		CHECK(w[i] != NULL && look_up(w[i]).pa == pa + i * 4096 + 4090);
		CHECK(!look_up(w[i]).executable);
		w[i][8191] = (uint8_t)(i + 1);
	}
	CHECK(w[1][8191 - 4096] == 1 && w[2][8191 - 4096] == 2);
	for (uint32_t i = 4; i-- > 0;)
		host->phys_unmap(NULL, w[i], 8192);
	CHECK(!look_up(w[0]).present && !look_up(w[3] + 8191).present);
	host->phys_free(NULL, pa, size);
	/* Zeroed again, all of it. */
	CHECK(host->phys_alloc(NULL, size, 2 * MIB, &pa) == 0);
	for (uint64_t at = 0; at < size; at += 8192) {
		w[0] = host->phys_map(NULL, pa + at, 8192, VMM_MEMTYPE_WB);
		CHECK(w[0] != NULL && all_are(w[0], 8192, 0));
		host->phys_unmap(NULL, w[0], 8192);
	}
	host->phys_free(NULL, pa, size);
	CHECK(host->phys_map(NULL, pa, VMM_PHYS_WINDOW + 1, VMM_MEMTYPE_WB) == NULL);
	CHECK(host->phys_map(NULL, pa, 0, VMM_MEMTYPE_WB) == NULL);
	CHECK(host->phys_map(NULL, UINT64_MAX - 10, 8, VMM_MEMTYPE_WB) == NULL);
	return 0;
}

/* --- tables: SDM vol. 3A, 4.5 --- */

#define PRESENT  UINT64_C(0x1)
#define WRITABLE UINT64_C(0x2)
#define USER     UINT64_C(0x4)
#define LARGE    UINT64_C(0x80)
#define ADDRESS  UINT64_C(0x000ffffffffff000)
#define NX       (UINT64_C(1) << 63)

struct walk {
	uint64_t leaves, bytes, wrong, others;
};

static const uint64_t *root_table(void)
{
	uint64_t cr3;

	__asm__("mov %%cr3, %0" : "=r"(cr3));
	return (const uint64_t *)(uintptr_t)(cr3 & ADDRESS);
}

struct mapping look_up(const void *address)
{
	const uint64_t va = (uintptr_t)address;
	const uint64_t *table = root_table();
	uint64_t rights = WRITABLE | USER, nx = 0;

	for (uint32_t shift = 39;; shift -= 9) {
		const uint64_t e = table[va >> shift & 511];

		if ((e & PRESENT) == 0)
			return (struct mapping){0};
		rights &= e;
		nx |= e & NX;
		if (shift == 12 || (shift < 39 && (e & LARGE) != 0))
			return (struct mapping){
				.pa = (e & ADDRESS & ~((UINT64_C(1) << shift) - 1)) |
				      (va & ((UINT64_C(1) << shift) - 1)),
				.present = true,
				.writable = (rights & WRITABLE) != 0,
				.executable = nx == 0,
				.user = (rights & USER) != 0,
			};
		table = (const uint64_t *)(uintptr_t)(e & ADDRESS);
	}
}

static void walk_table(struct walk *w, const uint64_t *table, uint32_t shift, uint64_t va)
{
	for (uint64_t i = 0; i < 512; i++) {
		const uint64_t e = table[i], here = va + (i << shift);

		if ((e & PRESENT) == 0)
			continue;
		if (shift > 12 && (shift == 39 || (e & LARGE) == 0)) {
			walk_table(w, (const uint64_t *)(uintptr_t)(e & ADDRESS), shift - 9, here);
			continue;
		}
		w->leaves++;
		w->bytes += UINT64_C(1) << shift;
		if ((e & USER) != 0 || ((e & WRITABLE) != 0 && (e & NX) == 0))
			w->wrong++;
		if (here >> 47 != 0)
			w->others++;
	}
}

/* Nothing is writable and executable, nothing is user mode's, and no window is open. */
int check_tables(void)
{
	const struct vmm_host *host = vmm_bare_host();
	struct vmm_bare_usage usage;
	struct walk w = {0};
	uint8_t here = 0;
	const struct mapping stack = look_up(&here);
	const struct mapping code = look_up((const void *)(uintptr_t)check_tables);
	const struct mapping words = look_up("constant");
	const uint8_t *below = (const uint8_t *)((uintptr_t)&here & ~UINT64_C(0xffff)) - 1;
	uint64_t efer_low, efer_high, cr0;

	walk_table(&w, root_table(), 39, 0);
	vmm_bare_usage(&usage);
	vmm_bare_print("%u leaves, %u KiB mapped, %u KiB of heap, %u KiB free\n",
		       (unsigned)w.leaves, (unsigned)(w.bytes >> 10),
		       (unsigned)(usage.heap_room >> 10), (unsigned)(usage.phys_free >> 10));
	CHECK(w.leaves > 10 && w.wrong == 0 && w.others == 0);
	CHECK(w.bytes < usage.heap_room + 64 * MIB);
	CHECK(stack.present && stack.writable && !stack.executable);
	CHECK(code.present && !code.writable && code.executable);
	CHECK(words.present && !words.writable && !words.executable);
	CHECK(!look_up(NULL).present && !look_up(below).present);
	CHECK(look_up(host->alloc).executable && !look_up(host).writable);
	__asm__("rdmsr" : "=a"(efer_low), "=d"(efer_high) : "c"(0xc0000080));
	__asm__("mov %%cr0, %0" : "=r"(cr0));
	CHECK((efer_low & 0x800) != 0 && (cr0 & 0x10000) != 0); /* NXE, WP */
	return 0;
}

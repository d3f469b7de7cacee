// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Readers beside a writer. The writer maps, splits, merges, protects and unmaps parts of a range
 * and keeps the rest; the readers must always find the rest, and nothing that was never mapped.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pt.h"

#define READERS 3
#define TABLES  64
#define MIB2    (UINT64_C(1) << 21)
#define GIB     (UINT64_C(1) << 30)
#define OA      (UINT64_C(5) << 30)
#define FAR     (UINT64_C(1) << 40) /* a page by itself: its tables were of other levels before */

static struct vmm__pt pt;
static atomic_bool stop;
static atomic_ulong busy, reads;

/* 8 MiB: the even blocks of 2 MiB stay mapped, in whatever leaves; of the odd ones anything may be.
 */
static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static void *read_on(void *arg)
{
	uint64_t state = (uintptr_t)arg;
	struct vmm__pt_leaf leaf;

	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		uint64_t a, oa;
		int r;

		state = state * 6364136223846793005 + 1442695040888963407;
		a = state >> 33 & (4 * MIB2 - 1);
		oa = vmm__pt_translate(&pt, vmm__ia(a));
		atomic_fetch_add_explicit(&reads, 1, memory_order_relaxed);
		if (oa == VMM__PT_BUSY)
			atomic_fetch_add_explicit(&busy, 1, memory_order_relaxed);
		else if (oa == VMM__PT_NOTHING ? !(a & MIB2) : oa != OA + a)
			fail("translate finds a wrong address");
		r = vmm__pt_lookup(&pt, vmm__ia(a), &leaf);
		if (r == -VMM_ENOENT ? !(a & MIB2)
				     : r != -VMM_EBUSY && leaf.oa + (a - leaf.ia) != OA + a)
			fail("lookup finds a wrong leaf");
		oa = vmm__pt_translate(&pt, vmm__ia(FAR));
		if (oa != VMM__PT_BUSY && oa != VMM__PT_NOTHING && oa != OA + FAR)
			fail("translate finds a wrong address far away");
	}
	return NULL;
}

static void expect(int r, int a, int b)
{
	if (r != a && r != b)
		fail("the writer gets a wrong result");
}

static void write_on(unsigned rounds)
{
	uint64_t state = 1;

	for (unsigned i = 0; i < rounds; i++) {
		uint64_t odd, part, length;

		state = state * 6364136223846793005 + 1442695040888963407;
		odd = (state >> 40 & 1 ? 3 : 1) * MIB2;
		part = odd + (state >> 41 & 511) * 4096;
		length = 4096 * (1 + (state >> 50 & 63));
		if (part + length > odd + MIB2)
			length = odd + MIB2 - part;
		if (i % 8 == 0)
			expect(vmm__pt_map(&pt, vmm__ia(FAR), vmm__oa(OA + FAR), 4096, 3, 0), 0, 0);
		if (i % 8 == 3)
			expect(vmm__pt_unmap(&pt, vmm__ia(FAR), 4096), 0, 0);
		switch (state >> 60 & 7) {
		case 0:
			expect(vmm__pt_map(&pt, vmm__ia(odd), vmm__oa(OA + odd), MIB2, 3, 0), 0,
			       -VMM_EEXIST);
			break;
		case 1:
		case 2:
			expect(vmm__pt_map(&pt, vmm__ia(part), vmm__oa(OA + part), length, 3, 0), 0,
			       -VMM_EEXIST);
			break;
		case 3:
			expect(vmm__pt_unmap(&pt, vmm__ia(odd), MIB2), 0, 0);
			break;
		case 4:
			expect(vmm__pt_unmap(&pt, vmm__ia(part), length), 0, 0);
			break;
		case 5:
			expect(vmm__pt_split(&pt, vmm__ia(odd - MIB2), 2 * MIB2, 12), 0, 0);
			break;
		case 6:
			expect(vmm__pt_merge(&pt, vmm__ia(0), 8 * MIB2), 0, 0);
			break;
		default:
			expect(vmm__pt_protect(&pt, vmm__ia(part), length, state >> 59 & 1 ? 3 : 1),
			       0, 0);
		}
	}
}

static void run(const struct vmm__pt_format *format, uint8_t split)
{
	static const struct vmm__pt_ops ops;
	uint8_t *arena = aligned_alloc(4096, (TABLES + 1) * 4096);
	struct vmm__pt_config c = {.format = format,
				   .ops = &ops,
				   .root = (uint64_t *)(void *)arena,
				   .root_pa = GIB,
				   .offset = (uintptr_t)arena - GIB,
				   .ia_bits = 48,
				   .oa_bits = 48,
				   .leaf_shift = 21,
				   .split = split};
	pthread_t readers[READERS];

	if (!arena || vmm__pt_init(&pt, &c) != 0)
		fail("no table");
	for (uint64_t i = 1; i <= TABLES; i++)
		vmm__pt_pool_add(&pt, arena + i * 4096, GIB + i * 4096);
	for (uint64_t a = 0; a < 4 * MIB2; a += 2 * MIB2)
		expect(vmm__pt_map(&pt, vmm__ia(a), vmm__oa(OA + a), MIB2, 3, 0), 0, 0);
	atomic_store(&stop, false);
	atomic_store(&busy, 0);
	atomic_store(&reads, 0);
	for (uintptr_t i = 0; i < READERS; i++) {
		if (pthread_create(&readers[i], NULL, read_on, (void *)(i + 1)) != 0)
			fail("no thread");
	}
	write_on(60000);
	atomic_store(&stop, true);
	for (unsigned i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	printf("%s, %s: %lu reads, %lu busy\n", format->name,
	       split == VMM__PT_SPLIT_LIVE ? "live" : "break", (unsigned long)reads,
	       (unsigned long)busy);
	if (vmm__pt_destroy(&pt) != 0 || pt.pool_pages != TABLES)
		fail("tables leaked");
	free(arena);
}

int main(void)
{
	run(&vmm__pt_npt, VMM__PT_SPLIT_LIVE);
	run(&vmm__pt_arm_s2_4k, VMM__PT_SPLIT_BREAK);
	run(&vmm__pt_arm_s2_4k_lpa2, VMM__PT_SPLIT_LIVE);
	run(&vmm__pt_amdvi, VMM__PT_SPLIT_LIVE);
	return 0;
}

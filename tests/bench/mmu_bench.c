// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * What the memory engine costs. By itself it prints nanoseconds, beside a plain write of as many
 * entries in the same run; tests/bench/mmu_bench.py runs it under callgrind and prints
 * instructions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sys/mman.h>
#include <valgrind/callgrind.h>

#include "pt.h"

#define KIB4 (UINT64_C(1) << 12)
#define MIB2 (UINT64_C(1) << 21)
#define GIB  (UINT64_C(1) << 30)
#define TIB  (UINT64_C(1) << 40)

#define ARENA (UINT64_C(160) << 20)

#define CHECK(what)                                                                \
	do {                                                                       \
		if (!(what)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
			exit(1);                                                   \
		}                                                                  \
	} while (0)

static uint8_t *arena;
static struct vmm__pt pt;
static double write_ns; /* of one entry */
static const char *format_name;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t begin(void)
{
	CALLGRIND_ZERO_STATS;
	return now_ns();
}

/* One figure: under callgrind a dump with its name and count, else a line. */
static void end(uint64_t begun, const char *what, uint64_t count)
{
	uint64_t took = now_ns() - begun;
	char name[128];

	snprintf(name, sizeof(name), "%s/%s/%llu", format_name, what, (unsigned long long)count);
	CALLGRIND_DUMP_STATS_AT(name);
	if (!RUNNING_ON_VALGRIND && !strstr(what, "nothing"))
		printf("%-14s %-34s %8.2f ns (a plain write: %.2f ns)\n", format_name, what,
		       (double)took / (double)count, write_ns);
}

static void measure_write(void)
{
	volatile uint64_t *p = (volatile uint64_t *)(void *)arena;
	uint64_t begun = now_ns();

	for (unsigned k = 0; k < 4; k++) {
		for (uint64_t i = 0; i < 1 << 20; i++)
			p[i] = i;
	}
	write_ns = (double)(now_ns() - begun) / (4 << 20);
}

/* The least that a lock of the host's can be: two calls. */
static void lock_nothing(void *ctx)
{
	(void)ctx;
}

static const struct vmm__pt_ops none, locks = {.lock = lock_nothing, .unlock = lock_nothing};

/* A fresh table; all of the arena but its root is in the pool. */
static void fresh(const struct vmm__pt_format *f, const struct vmm__pt_ops *ops)
{
	uint64_t root = vmm__pt_root_bytes(f, 48), page = UINT64_C(8) << f->bits;
	struct vmm__pt_config c = {.format = f,
				   .ops = ops,
				   .root = (uint64_t *)(void *)arena,
				   .root_pa = GIB,
				   .offset = (uintptr_t)arena - GIB,
				   .ia_bits = 48,
				   .oa_bits = 48,
				   .split = VMM__PT_SPLIT_LIVE};

	CHECK(vmm__pt_init(&pt, &c) == 0);
	/* Lowest address last, so that it is the first to be taken. */
	for (uint64_t at = ARENA - page; at >= root; at -= page)
		CHECK(vmm__pt_pool_add(&pt, arena + at, GIB + at) == 0);
}

/* Calls go through these, to which the empty ones can be put: what the loops themselves cost. */
static int (*map_call)(struct vmm__pt *, struct vmm__ia, struct vmm__oa, uint64_t, unsigned,
		       unsigned) = vmm__pt_map;
static int (*unmap_call)(struct vmm__pt *, struct vmm__ia, uint64_t) = vmm__pt_unmap;

static int (*lookup_call)(const struct vmm__pt *, struct vmm__ia,
			  struct vmm__pt_leaf *) = vmm__pt_lookup;

static int map_nothing(struct vmm__pt *t, struct vmm__ia ia, struct vmm__oa oa, uint64_t len,
		       unsigned prot, unsigned mem)
{
	(void)t, (void)ia, (void)oa, (void)len, (void)prot, (void)mem;
	return 0;
}

static int unmap_nothing(struct vmm__pt *t, struct vmm__ia ia, uint64_t len)
{
	(void)t, (void)ia, (void)len;
	return 0;
}

static uint64_t translate_nothing(const struct vmm__pt *t, uint64_t ia)
{
	(void)t;
	return ia;
}

static void map(uint64_t ia, uint64_t oa, uint64_t len)
{
	CHECK(map_call(&pt, vmm__ia(ia), vmm__oa(oa), len, VMM__PROT_R | VMM__PROT_W,
		       VMM__MEM_WB) == 0);
}

static void unmap(uint64_t ia, uint64_t len)
{
	CHECK(unmap_call(&pt, vmm__ia(ia), len) == 0);
}

/* Leaves of one size in range calls of @piece bytes each. */
static void ranges(const char *size, uint64_t leaf, uint64_t piece, uint64_t total, uint64_t skew)
{
	uint64_t pool = pt.pool_pages, used, begun;
	char what[64];

	snprintf(what, sizeof(what), "map %s, a leaf", size);
	begun = begin();
	for (uint64_t a = 0; a < total; a += piece)
		map(a, a + skew, piece);
	end(begun, what, total / leaf);

	used = pool - pt.pool_pages;
	if (piece == total) {
		uint64_t least = 0;

		for (unsigned l = 1; l < pt.levels; l++) {
			uint64_t covers = UINT64_C(1) << (pt.shift + l * pt.bits);

			if (covers > leaf)
				least += (total + covers - 1) / covers;
		}
		if (!RUNNING_ON_VALGRIND)
			printf("%-14s %-34s %8.3f %% above the least\n", format_name, "table pages",
			       100.0 * (double)(used - least) / (double)least);
	}
	snprintf(what, sizeof(what), "unmap %s, a leaf", size);
	begun = begin();
	for (uint64_t a = 0; a < total; a += piece)
		unmap(a, piece);
	end(begun, what, total / leaf);
	CHECK(pt.pool_pages == pool);
}

static int lookup_nothing(const struct vmm__pt *t, struct vmm__ia ia, struct vmm__pt_leaf *leaf)
{
	(void)t, (void)ia, (void)leaf;
	return 0;
}

static void lookups(const char *what, uint64_t total)
{
	uint64_t sum = 0, n = 1 << 16, a = 0, begun = begin();

	for (uint64_t i = 0; i < n; i++) {
		sum += vmm__pt_translate(&pt, vmm__ia(a & (total - 1)));
		a += 0x9e3779b97f4a7000;
	}
	end(begun, what, n);
	CHECK(sum != 0);
}

static void full_lookups(const char *what, uint64_t total)
{
	uint64_t n = 1 << 16, a = 0, begun = begin();
	struct vmm__pt_leaf leaf = {0};

	for (uint64_t i = 0; i < n; i++) {
		CHECK(lookup_call(&pt, vmm__ia(a & (total - 1)), &leaf) == 0);
		a += 0x9e3779b97f4a7000;
	}
	end(begun, what, n);
}

static void small_pages(void)
{
	uint64_t (*translate)(const struct vmm__pt *, uint64_t);
	uint64_t total = 4 * GIB, begun;

	ranges("4K pages, 4 GiB range", KIB4, total, total, KIB4);
	ranges("4K pages, 1 MiB ranges", KIB4, GIB / 1024, total, KIB4);
	ranges("one 4K page", KIB4, KIB4, GIB, KIB4);
	map_call = map_nothing;
	unmap_call = unmap_nothing;
	ranges("nothing", KIB4, KIB4, GIB, KIB4);
	map_call = vmm__pt_map;
	unmap_call = vmm__pt_unmap;

	map(0, KIB4, total);
	lookups("translate, 4K pages", total);
	translate = pt.translate;
	pt.translate = translate_nothing;
	lookups("translate nothing", total);
	pt.translate = translate;
	full_lookups("lookup with attributes, 4K pages", total);
	lookup_call = lookup_nothing;
	full_lookups("lookup nothing", total);
	lookup_call = vmm__pt_lookup;
	begun = begin();
	CHECK(vmm__pt_protect(&pt, vmm__ia(0), total, VMM__PROT_R) == 0);
	end(begun, "protect 4K pages, a leaf", total / KIB4);
	unmap(0, total);
}

static void large_pages(void)
{
	uint64_t total = 4 * GIB, begun;

	ranges("2M pages, 1 TiB range", MIB2, TIB, TIB, MIB2);
	ranges("2M pages, 1 GiB ranges", MIB2, GIB, TIB, MIB2);
	ranges("1G pages, 64 TiB range", GIB, 64 * TIB, 64 * TIB, 0);
	map(0, 0, total);
	lookups("translate, 1G pages", total);
	begun = begin();
	CHECK(vmm__pt_split(&pt, vmm__ia(0), total, 21) == 0);
	end(begun, "split 1G to 2M, a leaf", total / MIB2);
	begun = begin();
	CHECK(vmm__pt_split(&pt, vmm__ia(0), total, 12) == 0);
	end(begun, "split 2M to 4K, a leaf", total / KIB4);
	begun = begin();
	CHECK(vmm__pt_merge(&pt, vmm__ia(0), total) == 0);
	end(begun, "merge 4K to 1G, a 4K leaf", total / KIB4);
	unmap(0, total);
}

static void linear(void)
{
	static const struct {
		const char *size;
		uint64_t bytes;
	} steps[] = {{"2M pages, 1 TiB", TIB},
		     {"2M pages, 4 TiB", 4 * TIB},
		     {"2M pages, 16 TiB", 16 * TIB}};

	for (unsigned i = 0; i < 3; i++)
		ranges(steps[i].size, MIB2, steps[i].bytes, steps[i].bytes, MIB2);
}

int main(void)
{
	static const struct {
		const char *name;
		const struct vmm__pt_format *format;
	} formats[] = {{"npt", &vmm__pt_npt},
		       {"ept", &vmm__pt_ept},
		       {"arm-s2-4k", &vmm__pt_arm_s2_4k},
		       {"vtd", &vmm__pt_vtd},
		       {"amdvi", &vmm__pt_amdvi}};

	arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(arena != MAP_FAILED);
	memset(arena, 0, ARENA);
	measure_write();
	for (unsigned i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		format_name = formats[i].name;
		fresh(formats[i].format, &none);
		small_pages();
		if (i == 0) {
			large_pages();
			linear();
			fresh(formats[i].format, &locks);
			ranges("4K page by itself, locked", KIB4, KIB4, GIB, KIB4);
		}
	}
	return 0;
}

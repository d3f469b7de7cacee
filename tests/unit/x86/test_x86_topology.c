// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bits.h"
#include "x86_cpuid.h"

#define ROOM 32

static struct vmm_x86_cpuid table[ROOM];
static uint32_t count;

static void add(uint32_t leaf, uint32_t subleaf, uint32_t flags, uint32_t eax, uint32_t ebx,
		uint32_t ecx, uint32_t edx)
{
	table[count++] = (struct vmm_x86_cpuid){leaf, subleaf, flags, eax, ebx, ecx, edx, 0};
}

static const struct vmm_x86_cpuid *at(uint32_t leaf, uint32_t subleaf)
{
	const struct vmm_x86_cpuid *e = vmm__cpuid_find(table, count, leaf, subleaf);

	assert_non_null(e);
	return e;
}

static void make_intel(void)
{
	count = 0;
	add(0, 0, 0, 0xd, 0x756e6547, 0x6c65746e, 0x49656e69);
	add(1, 0, 0, 0x306c3, 0xaabb0800, 0, 0x078bfbff);
	add(4, 0, 1, 0x121, 0x01c0003f, 63, 0);
	add(4, 1, 1, 0x122, 0x01c0003f, 63, 0);
	add(4, 2, 1, 0x143, 0x01c0003f, 1023, 0);
	add(4, 3, 1, 0x163, 0x03c0003f, 16383, 0);
	add(4, 4, 1, 0, 0, 0, 0);
	add(0x80000008, 0, 0, 0x3028, 0, 0, 0);
}

static void make_amd(void)
{
	count = 0;
	add(0, 0, 0, 0x10, 0x68747541, 0x444d4163, 0x69746e65);
	add(1, 0, 0, 0x800f11, 0x12340800, 0, 0x178bfbff);
	add(0x80000001, 0, 0, 0x800f11, 0, 1u << 22, 0);
	add(0x80000008, 0, 0, 0x3028, 0x5000, 0x7001, 0);
	add(0x8000001d, 0, 1, 0x00000121, 0x01c0003f, 63, 0);
	add(0x8000001d, 3, 1, 0x00004163, 0x03c0003f, 0x7fff, 1);
	add(0x8000001d, 4, 1, 0, 0, 0, 0);
	add(0x8000001e, 0, 0, 0, 0, 0, 0);
	add(0x80000026, 0, 1, 1, 2, 3, 4);
}

static void apic_ids_have_fields(void **state)
{
	/* 2 sockets, 3 dies (2 bits), 5 cores (3 bits), 2 threads (1 bit) */
	const struct vmm_x86_topology t = {2, 3, 5, 2, 1};
	uint32_t id, last = 0;

	(void)state;
	for (uint32_t i = 0; i < 60; i++) {
		uint32_t thread = i % 2, core = i / 2 % 5, die = i / 10 % 3, socket = i / 30;

		assert_int_equal(vmm_x86_topology_apic_id(&t, i, &id), 0);
		assert_int_equal(id, socket << 6 | die << 4 | core << 1 | thread);
		assert_true(i == 0 || id > last);
		last = id;
	}
	assert_int_equal(vmm_x86_topology_apic_id(&t, 60, &id), -VMM_ERANGE);
	assert_int_equal(vmm_x86_topology_apic_id(&t, UINT32_MAX, &id), -VMM_ERANGE);
}

static void impossible_topologies(void **state)
{
	static const struct vmm_x86_topology bad[] = {
		{0, 1, 1, 1, 1},
		{1, 0, 1, 1, 1},
		{1, 1, 0, 1, 1},
		{1, 1, 1, 0, 1},
		{UINT32_MAX, 1, 1, 1, 1},
		{1u << 16, 1u << 16, 1, 1, 1},
		{1, 1, 1u << 20, 1u << 20, 1},
		{1u << 8, 1u << 8, 1u << 8, 1u << 8, 1},
	};
	uint32_t id;

	(void)state;
	make_intel();
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(vmm_x86_topology_apic_id(&bad[i], 0, &id), -VMM_EINVAL);
		assert_int_equal(vmm_x86_cpuid_topology(table, &count, ROOM, &bad[i], 0),
				 -VMM_EINVAL);
	}
	assert_int_equal(vmm_x86_topology_apic_id(NULL, 0, &id), -VMM_EINVAL);
}

static void one_processor(void **state)
{
	const struct vmm_x86_topology t = {1, 1, 1, 1, 1};

	(void)state;
	make_intel();
	assert_int_equal(vmm_x86_cpuid_topology(table, &count, ROOM, &t, 0), 0);
	assert_int_equal(at(1, 0)->ebx, 0x00010800);
	assert_int_equal(at(1, 0)->edx, 0x078bfbff & ~(1u << 28));
	assert_int_equal(at(4, 0)->eax, 0x121);
	assert_int_equal(at(4, 3)->eax, 0x163);
	assert_int_equal(at(0xb, 0)->eax, 0);
	assert_int_equal(at(0xb, 0)->ebx, 1);
	assert_int_equal(at(0xb, 0)->ecx, 0x100);
	assert_int_equal(at(0xb, 1)->eax, 0);
	assert_int_equal(at(0xb, 1)->ebx, 1);
	assert_int_equal(at(0xb, 1)->ecx, 0x201);
	assert_int_equal(at(0xb, 2)->ecx, 2);
}

static void intel_with_dies(void **state)
{
	const struct vmm_x86_topology t = {2, 2, 3, 2, 1}; /* bits 1, 1, 2, 1 */
	uint32_t id;

	(void)state;
	make_intel();
	assert_int_equal(vmm_x86_topology_apic_id(&t, 23, &id), 0);
	assert_int_equal(id, 0x1d); /* socket 1, die 1, core 2, thread 1 */
	assert_int_equal(vmm_x86_cpuid_topology(table, &count, ROOM, &t, id), 0);
	assert_int_equal(at(0, 0)->eax, 0x1f);
	assert_int_equal(at(1, 0)->ebx, 0x1d100800);
	assert_true(at(1, 0)->edx & 1u << 28);
	/* L1 and L2 by the 2 threads, L3 by the die's field of 8; 8 core numbers in a package. */
	assert_int_equal(at(4, 0)->eax, 0x121 | 1u << 14 | 7u << 26);
	assert_int_equal(at(4, 2)->eax, 0x143 | 1u << 14 | 7u << 26);
	assert_int_equal(at(4, 3)->eax, 0x163 | 7u << 14 | 7u << 26);
	assert_int_equal(at(4, 4)->eax, 0);
	for (uint32_t leaf = 0xb; leaf <= 0x1f; leaf += 0x14) {
		assert_int_equal(at(leaf, 0)->eax, 1);
		assert_int_equal(at(leaf, 0)->ebx, 2);
		assert_int_equal(at(leaf, 0)->ecx, 0x100);
		assert_int_equal(at(leaf, 0)->edx, 0x1d);
		assert_int_equal(at(leaf, 1)->edx, 0x1d);
	}
	assert_int_equal(at(0xb, 1)->eax, 4);
	assert_int_equal(at(0xb, 1)->ebx, 12);
	assert_int_equal(at(0x1f, 1)->eax, 3);
	assert_int_equal(at(0x1f, 1)->ebx, 6);
	assert_int_equal(at(0x1f, 1)->ecx, 0x201);
	assert_int_equal(at(0x1f, 2)->eax, 4);
	assert_int_equal(at(0x1f, 2)->ebx, 12);
	assert_int_equal(at(0x1f, 2)->ecx, 0x502);
	assert_int_equal(at(0x1f, 3)->ecx, 3);
	assert_int_equal(at(0x80000008, 0)->ecx, 0);
}

static void amd_leaves(void **state)
{
	const struct vmm_x86_topology t = {2, 2, 3, 2, 1};

	(void)state;
	make_amd();
	assert_int_equal(vmm_x86_cpuid_topology(table, &count, ROOM, &t, 0x1d), 0);
	assert_int_equal(at(0, 0)->eax, 0x10);
	assert_int_equal(at(0x80000001, 0)->ecx, 1u << 22 | 2);
	assert_int_equal(at(0x80000008, 0)->ecx, 0x400b);
	assert_int_equal(at(0x8000001d, 0)->eax, 0x121 | 1u << 14);
	assert_int_equal(at(0x8000001d, 3)->eax, 0x163 | 7u << 14);
	assert_int_equal(at(0x8000001e, 0)->eax, 0x1d);
	assert_int_equal(at(0x8000001e, 0)->ebx, 0x10e); /* 2 threads, core 0xe */
	assert_int_equal(at(0x8000001e, 0)->ecx, 0x103); /* 2 nodes, node 3 */
	assert_int_equal(at(0xb, 1)->ebx, 12);
	assert_null(vmm__cpuid_find(table, count, 0x1f, 0));
	assert_null(vmm__cpuid_find(table, count, 0x80000026, 0));
}

static void is_idempotent(void **state)
{
	const struct vmm_x86_topology wide = {4, 2, 8, 2, 1}, narrow = {1, 1, 2, 1, 1};
	struct vmm_x86_cpuid once[ROOM];
	uint32_t first;

	(void)state;
	make_intel();
	assert_int_equal(vmm_x86_cpuid_topology(table, &count, ROOM, &narrow, 1), 0);
	memcpy(once, table, sizeof(once));
	first = count;
	assert_int_equal(vmm_x86_cpuid_topology(table, &count, ROOM, &narrow, 1), 0);
	assert_int_equal(count, first);
	assert_memory_equal(once, table, count * sizeof(once[0]));
	assert_int_equal(vmm_x86_cpuid_topology(table, &count, ROOM, &wide, 1), 0);
	assert_int_equal(vmm_x86_cpuid_topology(table, &count, ROOM, &narrow, 1), 0);
	assert_int_equal(count, first);
	assert_null(vmm__cpuid_find(table, count, 0x1f, 0));
}

static void every_room_too_small(void **state)
{
	const struct vmm_x86_topology t = {2, 2, 3, 2, 1};
	uint32_t need;

	(void)state;
	make_intel();
	assert_int_equal(vmm_x86_cpuid_topology(table, &count, ROOM, &t, 0), 0);
	need = count;
	make_intel();
	for (uint32_t room = count; room < need; room++) {
		make_intel();
		assert_int_equal(vmm_x86_cpuid_topology(table, &count, room, &t, 0), -VMM_ESIZE);
		assert_true(count <= room);
	}
	make_intel();
	assert_int_equal(vmm_x86_cpuid_topology(table, &count, need, &t, 0), 0);
	assert_int_equal(vmm_x86_cpuid_topology(table, &count, need - 1, &t, 0), -VMM_EINVAL);
}

static void clusters_are_modules(void **state)
{
	/* bits: 1 socket, 0 dies, 2 clusters, 1 core, 1 thread */
	const struct vmm_x86_topology t = {2, 1, 2, 2, 3};
	uint32_t id;

	(void)state;
	make_intel();
	assert_int_equal(vmm_x86_topology_apic_id(&t, 23, &id), 0);
	assert_int_equal(id, 1u << 4 | 2 << 2 | 1 << 1 | 1);
	assert_int_equal(vmm_x86_topology_apic_id(&t, 24, &id), -VMM_ERANGE);
	assert_int_equal(vmm_x86_cpuid_topology(table, &count, ROOM, &t, 0x1b), 0);
	assert_int_equal(at(4, 0)->eax >> 14 & 0xfff, 1);
	assert_int_equal(at(4, 2)->eax >> 14 & 0xfff, 3);
	assert_int_equal(at(4, 3)->eax >> 14 & 0xfff, 15);
	assert_int_equal(at(0xb, 1)->eax, 4);
	assert_int_equal(at(0x1f, 1)->eax, 2);
	assert_int_equal(at(0x1f, 1)->ebx, 4);
	assert_int_equal(at(0x1f, 2)->ecx, 0x302);
	assert_int_equal(at(0x1f, 2)->eax, 4);
	assert_int_equal(at(0x1f, 2)->ebx, 12);
	assert_int_equal(at(0x1f, 3)->ecx, 3);
}

static void caches_of_chosen_sizes(void **state)
{
	struct vmm_x86_caches c = {sizeof(c), 48 << 10, 32 << 10, 0, 3 << 20};

	(void)state;
	make_intel();
	add(2, 0, 0, 1, 2, 3, 4);
	assert_int_equal(vmm_x86_cpuid_caches(table, &count, ROOM, &c), 0);
	assert_int_equal(at(2, 0)->eax, 0xff01);
	assert_int_equal(at(4, 0)->eax, 0x121);
	assert_int_equal(at(4, 0)->ebx, 7u << 22 | 63);
	assert_int_equal(at(4, 0)->ecx, 95);
	assert_int_equal(at(4, 1)->eax, 0x122);
	assert_int_equal(at(4, 2)->eax, 0x163);
	assert_int_equal(at(4, 2)->ebx, 15u << 22 | 63);
	assert_int_equal(at(4, 2)->ecx, 3071);
	assert_int_equal(at(4, 3)->eax, 0);
	make_amd();
	add(0x80000005, 0, 0, 0, 0, 0, 0);
	add(0x80000006, 0, 0, 0, 0, 0, 0);
	c.l2 = 512 << 10;
	assert_int_equal(vmm_x86_cpuid_caches(table, &count, ROOM, &c), 0);
	assert_int_equal(at(0x80000005, 0)->ecx, 48u << 24 | 8 << 16 | 1 << 8 | 64);
	assert_int_equal(at(0x80000006, 0)->ecx, 512u << 16 | 6 << 12 | 1 << 8 | 64);
	assert_int_equal(at(0x80000006, 0)->edx, 6u << 18 | 8 << 12 | 1 << 8 | 64);
	assert_int_equal(at(0x8000001d, 3)->ecx, 3071);
	c.l1d = 0;
	assert_int_equal(vmm_x86_cpuid_caches(table, &count, ROOM, &c), -VMM_EINVAL);
	c.l1d = 33000;
	assert_int_equal(vmm_x86_cpuid_caches(table, &count, ROOM, &c), -VMM_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(apic_ids_have_fields),
		cmocka_unit_test(impossible_topologies),
		cmocka_unit_test(one_processor),
		cmocka_unit_test(intel_with_dies),
		cmocka_unit_test(amd_leaves),
		cmocka_unit_test(is_idempotent),
		cmocka_unit_test(every_room_too_small),
		cmocka_unit_test(clusters_are_modules),
		cmocka_unit_test(caches_of_chosen_sizes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

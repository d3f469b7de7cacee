// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * PPTT (ACPI 6.5, 5.2.30): sockets, dies, clusters, cores and threads as a tree, a level that has
 * one of its kind left out, with the caches that CPUID tells of at the same places.
 */
#include "bits.h"
#include "machine_tables.h"

enum { SOCKET, DIE, CLUSTER, CORE, THREAD, LEVELS };

struct tree {
	struct vmm_acpi *b;
	struct vmm__cache cache[CACHES];
	uint32_t cpu[LEVELS];    /* CPUs in one of a level */
	bool there[LEVELS];      /* the level has nodes of its own */
	uint32_t cache_at[4];    /* by a cache's level: the level of nodes that owns it */
	uint32_t parent[LEVELS]; /* the node above, of the path to the CPU at hand */
	uint32_t outer[LEVELS];  /* the nearest cache above it, 0: none */
	uint32_t cache_id;
};

static void plan_tree(struct tree *t, const struct vmm__plan *plan)
{
	const struct vmm_x86_topology *top = &plan->topology;

	t->cpu[THREAD] = 1;
	t->cpu[CORE] = top->threads;
	t->cpu[CLUSTER] = top->cores * t->cpu[CORE];
	t->cpu[DIE] = top->clusters * t->cpu[CLUSTER];
	t->cpu[SOCKET] = top->dies * t->cpu[DIE];
	t->there[SOCKET] = true;
	t->there[DIE] = top->dies > 1;
	t->there[CLUSTER] = top->clusters > 1;
	t->there[CORE] = true;
	t->there[THREAD] = top->threads > 1;
	t->cache_at[1] = CORE;
	t->cache_at[2] = top->clusters > 1 ? CLUSTER : CORE;
	t->cache_at[3] = top->dies > 1 ? DIE : SOCKET;
	vmm__plan_caches(plan, t->cache);
}

/* The caches that a node of @level owns, outermost first; @outer becomes the innermost unified. */
static uint32_t add_caches(struct tree *t, uint32_t level, uint32_t owned[CACHES], uint32_t *outer)
{
	uint32_t count = 0;

	for (uint32_t i = CACHES; i-- > 0;) {
		const struct vmm__cache *c = &t->cache[i];
		struct vmm_acpi_cache cache = {
			.size = sizeof(cache),
			.bytes = c->bytes,
			.line = VMM_X86_CACHE_LINE,
			.ways = (uint8_t)c->ways,
			.sets = c->bytes / c->ways / VMM_X86_CACHE_LINE,
			.attributes = c->attributes,
			.next = *outer,
		};
		uint32_t ref = 0;

		if (c->bytes == 0 || t->cache_at[c->level] != level)
			continue;
		cache.id = ++t->cache_id;
		vmm_acpi_pptt_cache(t->b, &cache, &ref);
		owned[count++] = ref;
		if (c->level > 1)
			*outer = ref;
	}
	return count;
}

static uint32_t node_flags(const struct tree *t, uint32_t level)
{
	const bool leaf = level == THREAD || (level == CORE && !t->there[THREAD]);

	return (level == SOCKET ? VMM_ACPI_PPTT_PACKAGE : 0) |
	       (level == THREAD ? VMM_ACPI_PPTT_THREAD : 0) |
	       (leaf ? VMM_ACPI_PPTT_LEAF | VMM_ACPI_PPTT_UID_VALID : 0);
}

/* The node of @level in which @cpu is the first. */
static void add_node(struct tree *t, uint32_t level, uint32_t cpu)
{
	uint32_t owned[CACHES], ref = 0;
	uint32_t outer = level > SOCKET ? t->outer[level - 1] : 0;
	const uint32_t parent = level > SOCKET ? t->parent[level - 1] : 0;
	const uint32_t flags = node_flags(t, level);
	const uint32_t uid = (flags & VMM_ACPI_PPTT_UID_VALID) ? cpu : cpu / t->cpu[level];

	if (t->there[level]) {
		const uint32_t count = add_caches(t, level, owned, &outer);

		vmm_acpi_pptt_processor(t->b, parent, flags, uid, owned, count, &ref);
	} else {
		ref = parent;
	}
	t->parent[level] = ref;
	t->outer[level] = outer;
}

void vmm__pptt_add(struct vmm_acpi *b, const struct vmm__plan *plan)
{
	struct tree t = {.b = b};

	if (!plan->arm && plan->cpus == 1 && plan->profile->cache_l1d == 0)
		return;
	plan_tree(&t, plan);
	vmm_acpi_pptt_begin(b);
	for (uint32_t cpu = 0; cpu < plan->cpus; cpu++) {
		for (uint32_t level = SOCKET; level < LEVELS; level++) {
			if (cpu % t.cpu[level] == 0)
				add_node(&t, level, cpu);
		}
	}
	vmm_acpi_table_finish(b);
}

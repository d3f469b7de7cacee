// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Caches of chosen sizes in CPUID: leaf 4 (SDM 2A, CPUID), 0x80000005, 0x80000006 and 0x8000001D
 * (APM 3, appendix E.4.4, E.4.5, E.4.13). Who shares them is the topology's matter.
 */
#include "bits.h"
#include "sized.h"
#include "x86_cpuid.h"

#define TYPE_DATA         1
#define TYPE_INSTRUCTION  2
#define TYPE_UNIFIED      3
#define SELF_INITIALIZING BIT(8)

struct cache {
	uint32_t type;
	uint32_t level;
	uint32_t bytes;
	uint32_t ways;
};

static uint32_t sets(const struct cache *c)
{
	return c->bytes / VMM_X86_CACHE_LINE / c->ways;
}

static int put_caches(struct vmm__cpuid *table, uint32_t leaf, const struct cache *cache,
		      uint32_t caches)
{
	uint32_t n = 0;

	vmm__cpuid_drop(table, leaf, leaf);
	for (uint32_t i = 0; i <= caches; i++) {
		struct vmm_x86_cpuid *e;

		if (i < caches && cache[i].bytes == 0)
			continue;
		e = vmm__cpuid_put(table, leaf, n++, VMM_X86_CPUID_SUBLEAF);
		if (!e)
			return -VMM_ESIZE;
		if (i == caches) /* none: the last subleaf is all zeros */
			return 0;
		e->eax = (uint32_t)(cache[i].type | cache[i].level << 5 | SELF_INITIALIZING);
		e->ebx = (VMM_X86_CACHE_LINE - 1) | (cache[i].ways - 1) << 22;
		e->ecx = sets(&cache[i]) - 1;
	}
	return 0;
}

/* E.4.4: KiB, ways, lines per tag, bytes of a line. */
static uint32_t amd_l1(const struct cache *c)
{
	return (uint32_t)(FIELD_PUT(BITS(31, 24), c->bytes >> 10) | c->ways << 16 | 1 << 8 |
			  VMM_X86_CACHE_LINE);
}

/* E.4.5, table of associativities: 6 is 8 ways, 8 is 16. */
static uint32_t amd_outer(const struct cache *c, uint64_t size_field, uint32_t unit)
{
	if (c->bytes == 0)
		return 0;
	return (uint32_t)(FIELD_PUT(size_field, c->bytes / unit) | (c->ways == 8 ? 6u : 8u) << 12 |
			  1 << 8 | VMM_X86_CACHE_LINE);
}

static void fit_amd(struct vmm_x86_cpuid *e, const struct cache *cache)
{
	if (e->leaf == 0x80000005) {
		e->ecx = amd_l1(&cache[0]);
		e->edx = amd_l1(&cache[1]);
	} else if (e->leaf == 0x80000006) {
		e->ecx = amd_outer(&cache[2], BITS(31, 16), 1024);
		e->edx = amd_outer(&cache[3], BITS(31, 18), 512 * 1024);
	}
}

static bool is_size(uint32_t bytes, uint32_t ways)
{
	return bytes % (VMM_X86_CACHE_LINE * ways) == 0;
}

int vmm_x86_cpuid_caches(struct vmm_x86_cpuid *entries, uint32_t *count, uint32_t room,
			 const struct vmm_x86_caches *caches)
{
	struct vmm_x86_caches c;
	struct vmm__cpuid table = {entries, count ? *count : 0, room};
	bool amd;
	int r;

	if (!entries || !count || *count > room || vmm__take_struct(&c, sizeof(c), caches) != 0 ||
	    c.l1d == 0 || !is_size(c.l1d, VMM_X86_L1_WAYS) || !is_size(c.l1i, VMM_X86_L1_WAYS) ||
	    !is_size(c.l2, VMM_X86_L2_WAYS) || !is_size(c.l3, VMM_X86_L3_WAYS))
		return -VMM_EINVAL;

	const struct cache list[] = {
		{TYPE_DATA, 1, c.l1d, VMM_X86_L1_WAYS},
		{TYPE_INSTRUCTION, 1, c.l1i, VMM_X86_L1_WAYS},
		{TYPE_UNIFIED, 2, c.l2, VMM_X86_L2_WAYS},
		{TYPE_UNIFIED, 3, c.l3, VMM_X86_L3_WAYS},
	};

	amd = vmm__cpuid_is_amd(entries, *count);
	for (uint32_t i = 0; i < table.count; i++) {
		if (amd)
			fit_amd(&entries[i], list);
		else if (entries[i].leaf == 2) /* 0xff: leaf 4 tells */
			entries[i].eax = 0xff01,
			entries[i].ebx = entries[i].ecx = entries[i].edx = 0;
	}
	r = amd ? vmm__cpuid_extend_topology(&table, 0x8000001d) : 0;
	if (r == 0)
		r = put_caches(&table, amd ? 0x8000001d : 4, list, ARRAY_SIZE(list));
	*count = table.count;
	return r;
}

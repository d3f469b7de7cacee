// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Sockets, dies, clusters, cores and threads as CPUID tells them.
 *
 *   APIC ID:  | socket | die | cluster | core | thread |     each field as wide as its count needs
 *
 * Everything below follows from the five widths and the counts; the guest's firmware tables are
 * made from the same APIC IDs.
 */
#include "bits.h"
#include "x86_cpuid.h"

/* Bits that number @n things. */
static uint32_t width(uint32_t n)
{
	uint32_t w = 0;

	while ((UINT64_C(1) << w) < n)
		w++;
	return w;
}

struct shape {
	uint32_t threads;         /* per core */
	uint32_t cluster_threads; /* logical processors per cluster */
	uint32_t die_threads;     /* per die */
	uint32_t socket_threads;  /* and per socket */
	uint32_t clusters;        /* per die */
	uint32_t dies;
	uint32_t core_shift; /* APIC ID >> this: the core */
	uint32_t cluster_shift;
	uint32_t die_shift;
	uint32_t socket_shift;
};

/* -VMM_EINVAL where a count is 0 or the fields do not fit into an APIC ID of 32 bits. */
static int shape_of(const struct vmm_x86_topology *t, struct shape *s)
{
	if (!t || t->sockets == 0 || t->dies == 0 || t->cores == 0 || t->threads == 0)
		return -VMM_EINVAL;
	s->clusters = t->clusters == 0 ? 1 : t->clusters;
	if (width(t->sockets) + width(t->dies) + width(s->clusters) + width(t->cores) +
		    width(t->threads) >
	    31)
		return -VMM_EINVAL;
	s->threads = t->threads;
	s->cluster_threads = t->cores * t->threads;
	s->die_threads = s->clusters * s->cluster_threads;
	s->socket_threads = t->dies * s->die_threads;
	s->dies = t->dies;
	s->core_shift = width(t->threads);
	s->cluster_shift = s->core_shift + width(t->cores);
	s->die_shift = s->cluster_shift + width(s->clusters);
	s->socket_shift = s->die_shift + width(t->dies);
	return 0;
}

int vmm_x86_topology_apic_id(const struct vmm_x86_topology *topology, uint32_t index,
			     uint32_t *apic_id)
{
	struct shape s;
	uint32_t socket, rest;

	if (!apic_id || shape_of(topology, &s) != 0)
		return -VMM_EINVAL;
	socket = index / s.socket_threads;
	rest = index % s.socket_threads;
	if (socket >= topology->sockets)
		return -VMM_ERANGE;
	*apic_id = socket << s.socket_shift | rest / s.die_threads << s.die_shift |
		   rest % s.die_threads / s.cluster_threads << s.cluster_shift |
		   rest % s.cluster_threads / s.threads << s.core_shift | rest % s.threads;
	return 0;
}

static uint32_t at_most(uint32_t v, uint32_t limit)
{
	return v < limit ? v : limit;
}

/* @mask of @reg becomes @value. */
static void set_field(uint32_t *reg, uint64_t mask, uint32_t value)
{
	*reg = (uint32_t)((*reg & ~mask) | FIELD_PUT(mask, value));
}

/* SDM 2A, CPUID: leaf 1. Older guests read the package's size here. */
static void fit_leaf_1(struct vmm_x86_cpuid *e, const struct shape *s, uint32_t apic_id)
{
	set_field(&e->ebx, BITS(31, 24), apic_id & 0xff);
	set_field(&e->ebx, BITS(23, 16), at_most(UINT32_C(1) << s->socket_shift, 255));
	set_field(&e->edx, CPUID_1_EDX_HTT, s->socket_threads > 1);
}

/* Leaf 4 (Intel) and 0x8000001D (AMD): who shares a cache (x86.h). */
static void fit_cache(struct vmm_x86_cpuid *e, const struct shape *s, bool intel)
{
	uint32_t level = (uint32_t)FIELD_GET(BITS(7, 5), e->eax);
	uint32_t shift = level >= 3                      ? s->die_shift
			 : level == 2 && s->clusters > 1 ? s->cluster_shift
							 : s->core_shift;

	if (FIELD_GET(BITS(4, 0), e->eax) == 0) /* no more caches */
		return;
	set_field(&e->eax, BITS(25, 14), at_most((UINT32_C(1) << shift) - 1, 0xfff));
	if (intel)
		set_field(&e->eax, BITS(31, 26),
			  at_most((UINT32_C(1) << (s->socket_shift - s->core_shift)) - 1, 0x3f));
}

/* Types of leaves 0xB and 0x1F: SDM 2A, CPUID. */
#define LEVEL_NONE   0
#define LEVEL_THREAD 1
#define LEVEL_CORE   2
#define LEVEL_MODULE 3
#define LEVEL_DIE    5

static int put_level(struct vmm__cpuid *table, uint32_t leaf, uint32_t subleaf, uint32_t type,
		     uint32_t shift, uint32_t processors, uint32_t apic_id)
{
	struct vmm_x86_cpuid *e = vmm__cpuid_put(table, leaf, subleaf, VMM_X86_CPUID_SUBLEAF);

	if (!e)
		return -VMM_ESIZE;
	e->eax = shift;
	e->ebx = processors & 0xffff;
	e->ecx = subleaf | type << 8;
	e->edx = apic_id;
	return 0;
}

/* Leaf 0xB knows threads and cores only: its core level reaches to the package. */
static int put_levels(struct vmm__cpuid *table, uint32_t leaf, const struct shape *s,
		      uint32_t apic_id)
{
	const struct {
		bool there;
		uint32_t type, shift, processors;
	} inner[] = {
		{true, LEVEL_THREAD, s->core_shift, s->threads},
		{leaf == 0x1f, LEVEL_CORE, s->cluster_shift, s->cluster_threads},
		{leaf == 0x1f && s->clusters > 1, LEVEL_MODULE, s->die_shift, s->die_threads},
		{leaf == 0x1f && s->dies > 1, LEVEL_DIE, s->socket_shift, s->socket_threads},
	};
	uint32_t n = 0;
	int r = 0;

	vmm__cpuid_drop(table, leaf, leaf);
	for (uint32_t i = 0; i < ARRAY_SIZE(inner) && r == 0; i++) {
		if (inner[i].there)
			r = put_level(table, leaf, n++, inner[i].type, inner[i].shift,
				      inner[i].processors, apic_id);
	}
	if (r == 0 && leaf == 0xb)
		r = put_level(table, leaf, n++, LEVEL_CORE, s->socket_shift, s->socket_threads,
			      apic_id);
	if (r == 0)
		r = put_level(table, leaf, n, LEVEL_NONE, 0, 0, apic_id);
	return r;
}

/* APM 3, appendix E.4.7 and E.4.15 and the cache leaf between. */
static void fit_amd(struct vmm_x86_cpuid *e, const struct shape *s, uint32_t apic_id)
{
	switch (e->leaf) {
	case 0x80000001: /* CmpLegacy: leaf 1's count is of cores */
		set_field(&e->ecx, BIT(1), s->socket_threads > 1);
		break;
	case 0x80000008: /* ApicIdSize and NC */
		set_field(&e->ecx, BITS(15, 12), at_most(s->socket_shift, 15));
		set_field(&e->ecx, BITS(7, 0), at_most(s->socket_threads - 1, 255));
		break;
	case 0x8000001d:
		fit_cache(e, s, false);
		break;
	case 0x8000001e: /* a node is a die */
		e->eax = apic_id;
		set_field(&e->ebx, BITS(15, 8), at_most(s->threads - 1, 255));
		set_field(&e->ebx, BITS(7, 0), apic_id >> s->core_shift & 0xff);
		set_field(&e->ecx, BITS(10, 8), at_most(s->dies - 1, 7));
		set_field(&e->ecx, BITS(7, 0),
			  (apic_id >> s->socket_shift) * s->dies +
				  ((apic_id >> s->die_shift) &
				   ((UINT32_C(1) << (s->socket_shift - s->die_shift)) - 1)));
		break;
	default:
		break;
	}
}

int vmm__cpuid_extend_topology(struct vmm__cpuid *table, uint32_t leaf)
{
	struct vmm_x86_cpuid *max = vmm__cpuid_put(table, 0x80000000, 0, 0);
	struct vmm_x86_cpuid *features = vmm__cpuid_put(table, 0x80000001, 0, 0);

	if (!max || !features)
		return -VMM_ESIZE;
	if (max->eax < leaf)
		max->eax = leaf;
	features->ecx |= (uint32_t)CPUID_EXT1_ECX_TOPOEXT;
	return 0;
}

/* Threads of AMD's processors are told by leaf 0x8000001E alone: Linux looks at 0xB only if it is
 * there. */
static int extend_amd(struct vmm__cpuid *table, const struct shape *s)
{
	const struct vmm_x86_cpuid *e =
		vmm__cpuid_find(table->entries, table->count, 0x80000001, 0);
	int r;

	if (s->threads == 1 && !(e && (e->ecx & CPUID_EXT1_ECX_TOPOEXT)))
		return 0;
	r = vmm__cpuid_extend_topology(table, 0x8000001e);
	return r == 0 && !vmm__cpuid_put(table, 0x8000001e, 0, 0) ? -VMM_ESIZE : r;
}

int vmm_x86_cpuid_topology(struct vmm_x86_cpuid *entries, uint32_t *count, uint32_t room,
			   const struct vmm_x86_topology *topology, uint32_t apic_id)
{
	struct vmm__cpuid table = {entries, count ? *count : 0, room};
	struct vmm_x86_cpuid *max;
	struct shape s;
	bool intel, amd, levels;
	int r;

	if (!entries || !count || *count > room || shape_of(topology, &s) != 0)
		return -VMM_EINVAL;
	intel = vmm__cpuid_is_intel(entries, *count);
	amd = vmm__cpuid_is_amd(entries, *count);
	r = amd ? extend_amd(&table, &s) : 0;
	for (uint32_t i = 0; i < table.count; i++) {
		struct vmm_x86_cpuid *e = &entries[i];

		if (e->leaf == 1)
			fit_leaf_1(e, &s, apic_id);
		else if (e->leaf == 4 && !amd)
			fit_cache(e, &s, true);
		else if (amd)
			fit_amd(e, &s, apic_id);
	}
	if (r == 0)
		r = put_levels(&table, 0xb, &s, apic_id);
	levels = intel && (s.dies > 1 || s.clusters > 1);
	if (r == 0 && levels)
		r = put_levels(&table, 0x1f, &s, apic_id);
	else
		vmm__cpuid_drop(&table, 0x1f, 0x1f); /* the host's own */
	if (amd)
		vmm__cpuid_drop(&table, 0x80000026, 0x80000026); /* likewise */
	max = r == 0 ? vmm__cpuid_put(&table, 0, 0, 0) : NULL;
	if (max) {
		uint32_t need = levels ? 0x1f : 0xb;

		if (max->eax < need)
			max->eax = need;
	}
	*count = table.count;
	return max ? 0 : -VMM_ESIZE;
}

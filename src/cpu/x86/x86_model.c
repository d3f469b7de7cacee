// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * CPU models: "host" is all that the engine supports; a baseline is the feature set of its
 * x86-64 psABI level (3.1.1) and what a 64-bit kernel cannot do without, alike on every host that
 * has it but for the vendor, whose name decides what SYSENTER and some MSRs do and is kept. To each
 * belong the few things that no program can tell apart but a kernel needs in a virtual machine
 * (x2APIC, TSC deadline, stable TSC), as far as the engine has them, and the paravirtual identity.
 */
#include "bits.h"
#include "format.h"
#include "mem.h"
#include "x86_cpuid.h"

/* Names of the feature bits used here: SDM 2A, CPUID; APM 3, appendix E. */
#define EDX1_BASE                                                                             \
	(BIT(0) /* fpu */ | BIT(2) /* de */ | BIT(3) /* pse */ | BIT(4) /* tsc */ |           \
	 BIT(5) /* msr */ | BIT(6) /* pae */ | BIT(7) /* mce */ | BIT(8) /* cx8 */ |          \
	 BIT(9) /* apic */ | BIT(11) /* sep */ | BIT(12) /* mtrr */ | BIT(13) /* pge */ |     \
	 BIT(14) /* mca */ | BIT(15) /* cmov */ | BIT(16) /* pat */ | BIT(17) /* pse36 */ |   \
	 BIT(19) /* clflush */ | BIT(23) /* mmx */ | BIT(24) /* fxsr */ | BIT(25) /* sse */ | \
	 BIT(26) /* sse2 */)
#define ECX1_V2                                                                               \
	(BIT(0) /* sse3 */ | BIT(9) /* ssse3 */ | BIT(13) /* cx16 */ | BIT(19) /* sse4_1 */ | \
	 BIT(20) /* sse4_2 */ | BIT(23) /* popcnt */)
#define ECX1_V3                                                                              \
	(BIT(12) /* fma */ | BIT(22) /* movbe */ | BIT(26) /* xsave */ | BIT(28) /* avx */ | \
	 BIT(29) /* f16c */)
#define ECX1_ENVIRONMENT (CPUID_1_ECX_X2APIC | CPUID_1_ECX_TSC_DEADLINE | CPUID_1_ECX_HYPERVISOR)
#define EBX7_V3          (BIT(3) /* bmi1 */ | BIT(5) /* avx2 */ | BIT(8) /* bmi2 */)
#define EBX7_V4                                                                    \
	(BIT(16) /* avx512f */ | BIT(17) /* avx512dq */ | BIT(28) /* avx512cd */ | \
	 BIT(30) /* avx512bw */ | BIT(31) /* avx512vl */)
#define EDX81_BASE   (BIT(11) /* syscall */ | BIT(20) /* nx */ | BIT(29) /* lm */)
#define EDX81_SHARED 0x0183f3ffu /* bits that AMD repeats from leaf 1: all below 12 but 10, ... */
#define ECX81_V2     BIT(0)      /* lahf_lm */
#define ECX81_V3     BIT(5)      /* abm: lzcnt */
#define ARAT         BIT(2)      /* leaf 6 EAX: the APIC timer always runs */
#define CONSTANT_TSC BIT(8)      /* leaf 0x80000007 EDX */

#define XCR0_X87_SSE 0x03u
#define XCR0_AVX     0x04u
#define XCR0_AVX512  0xe0u

struct level {
	const char *name;
	uint32_t number;
	uint32_t xcr0;
};

static const struct level levels[] = {
	{"x86-64-v1", 1, 0},
	{"x86-64-v2", 2, 0},
	{"x86-64-v3", 3, XCR0_X87_SSE | XCR0_AVX},
	{"x86-64-v4", 4, XCR0_X87_SSE | XCR0_AVX | XCR0_AVX512},
};

static bool same_text(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static const struct vmm_x86_cpuid *supported(const struct vmm__x86_policy *policy, uint32_t leaf,
					     uint32_t subleaf)
{
	static const struct vmm_x86_cpuid zeros;
	const struct vmm_x86_cpuid *e =
		vmm__cpuid_find(policy->supported, policy->supported_count, leaf, subleaf);

	return e ? e : &zeros;
}

/* Where the table is full the registers go nowhere; the caller looks at table->count at the end. */
static void put(struct vmm__cpuid *table, uint32_t leaf, uint32_t eax, uint32_t ebx, uint32_t ecx,
		uint32_t edx)
{
	struct vmm_x86_cpuid *e = vmm__cpuid_put(table, leaf, 0, 0);

	if (!e)
		return;
	e->eax = eax;
	e->ebx = ebx;
	e->ecx = ecx;
	e->edx = edx;
}

static void put_sub(struct vmm__cpuid *table, uint32_t leaf, uint32_t subleaf, uint32_t eax,
		    uint32_t ebx, uint32_t ecx, uint32_t edx)
{
	struct vmm_x86_cpuid *e = vmm__cpuid_put(table, leaf, subleaf, VMM_X86_CPUID_SUBLEAF);

	if (!e)
		return;
	e->eax = eax;
	e->ebx = ebx;
	e->ecx = ecx;
	e->edx = edx;
}

/*
 * Best fraction within the bound, by continued fractions: Linux multiplies the crystal's kHz with
 * EBX in 32 bits before it divides. The error is mostly below one part in a million, and at its
 * worst, where the rate is a little off a small fraction, 1 / (2 * bound).
 */
void vmm__x86_tsc_ratio(uint32_t tsc_khz, uint32_t apic_khz, uint32_t *eax, uint32_t *ebx)
{
	uint32_t limit = UINT32_MAX / apic_khz;
	uint64_t p0 = 0, q0 = 1, p1 = 1, q1 = 0, num = tsc_khz, den = apic_khz;

	while (den != 0) {
		uint64_t a = num / den, rest = num % den, most = p1 ? (limit - p0) / p1 : a, p, q;

		if (a > most && 2 * most <= a)
			break;
		p = (a < most ? a : most) * p1 + p0;
		q = (a < most ? a : most) * q1 + q0;
		p0 = p1;
		q0 = q1;
		p1 = p;
		q1 = q;
		if (a > most)
			break;
		num = den;
		den = rest;
	}
	*eax = (uint32_t)q1;
	*ebx = (uint32_t)p1;
}

/* Intel's own way to tell frequencies: SDM 3B 19.7.3. KVM's clock goes before it where used. */
static void put_intel_frequencies(struct vmm__cpuid *table, const struct vmm__x86_policy *policy)
{
	struct vmm_x86_cpuid *max = vmm__cpuid_put(table, 0, 0, 0);
	uint32_t mhz = (policy->tsc_khz + 500) / 1000, eax, ebx;

	if (!max || policy->tsc_khz == 0)
		return;
	if (policy->apic_khz != 0 && policy->apic_khz <= UINT32_MAX / 1000) {
		vmm__x86_tsc_ratio(policy->tsc_khz, policy->apic_khz, &eax, &ebx);
		if (eax != 0 && ebx != 0)
			put(table, 0x15, eax, ebx, policy->apic_khz * 1000, 0);
	}
	put(table, 0x16, mhz, mhz, 100, 0);
	if (max->eax < 0x16)
		max->eax = 0x16;
}

static void put_identity(struct vmm__cpuid *table, const struct vmm__x86_policy *policy,
			 uint32_t features)
{
	bool timing = policy->tsc_khz != 0;

	vmm__cpuid_drop(table, CPUID_PV_SIGNATURE, 0x4fffffff);
	put(table, CPUID_PV_SIGNATURE, timing ? CPUID_PV_TIMING : CPUID_PV_FEATURES, 0x4b4d564b,
	    0x564b4d56, 0x0000004d); /* "KVMKVMKVM" */
	put(table, CPUID_PV_FEATURES, features, 0, 0, 0);
	/* The convention that VMware began and KVM's users follow: TSC and APIC timer in kHz. */
	if (timing)
		put(table, CPUID_PV_TIMING, policy->tsc_khz, policy->apic_khz, 0, 0);
}

/*
 * Bits of a feature leaf that only say what the guest does now, and all that is the host's own
 * place in its topology.
 */
static void clean(struct vmm_x86_cpuid *e)
{
	if (e->leaf == 1) {
		e->ebx &= (uint32_t)BITS(15, 0);
		e->ecx &= (uint32_t)~CPUID_1_ECX_OSXSAVE;
	} else if (e->leaf == 7 && e->subleaf == 0) {
		e->ecx &= (uint32_t)~CPUID_7_ECX_OSPKE;
	}
}

static void make_host(struct vmm__cpuid *table, const struct vmm__x86_policy *policy)
{
	for (uint32_t i = 0; i < policy->supported_count && table->count < table->room; i++) {
		table->entries[table->count] = policy->supported[i];
		clean(&table->entries[table->count++]);
	}
	/* Placeholders of a topology that the engine does not know. */
	vmm__cpuid_drop(table, 0xb, 0xb);
	vmm__cpuid_drop(table, 0x1f, 0x1f);
	vmm__cpuid_drop(table, 0x80000026, 0x80000026);
	put_identity(table, policy, policy->pv_features);
}

/* XSAVE's layout is the host's, the set of components the level's: SDM 1, 13.2. */
static void put_xsave(struct vmm__cpuid *table, const struct vmm__x86_policy *policy, uint32_t xcr0)
{
	uint32_t size = 576;

	for (uint32_t i = 2; i < 8; i++) {
		const struct vmm_x86_cpuid *e = supported(policy, 0xd, i);

		if (!(xcr0 >> i & 1))
			continue;
		put_sub(table, 0xd, i, e->eax, e->ebx, 0, 0);
		if (e->ebx + e->eax > size)
			size = e->ebx + e->eax;
	}
	put_sub(table, 0xd, 0, xcr0, size, size, 0);
}

/* A plain hierarchy, the same everywhere: 32 KiB of each kind, 512 KiB, 16 MiB. */
static void put_caches(struct vmm__cpuid *table, bool amd)
{
	if (amd) { /* APM 3, appendix E.4.4 */
		put(table, 0x80000005, 0xff40ff40, 0xff40ff40, 0x20080140, 0x20080140);
		put(table, 0x80000006, 0x42004200, 0x42004200, 0x02006140, 0x00808140);
		return;
	}
	put(table, 2, 0x00feff01, 0, 0, 0); /* descriptors 0xff and 0xfe: see leaves 4 and 0x18 */
	put_sub(table, 4, 0, 0x121, 0x01c0003f, 63, 0);
	put_sub(table, 4, 1, 0x122, 0x01c0003f, 63, 0);
	put_sub(table, 4, 2, 0x143, 0x01c0003f, 1023, 0);
	put_sub(table, 4, 3, 0x163, 0x03c0003f, 16383, 0);
	put_sub(table, 4, 4, 0, 0, 0, 0);
}

static void put_brand(struct vmm__cpuid *table, const char *name)
{
	char text[48] = "libvmm ";
	uint32_t words[12];

	for (uint32_t i = 0; name[i]; i++)
		text[7 + i] = name[i];
	memcpy(words, text, sizeof(words));
	for (uint32_t i = 0; i < 3; i++)
		put(table, 0x80000002 + i, words[4 * i], words[4 * i + 1], words[4 * i + 2],
		    words[4 * i + 3]);
}

static void make_baseline(struct vmm__cpuid *table, const struct vmm__x86_policy *policy,
			  const struct level *level)
{
	const struct vmm_x86_cpuid *vendor = supported(policy, 0, 0);
	bool amd = vmm__cpuid_is_amd(policy->supported, policy->supported_count);
	bool v2 = level->number >= 2, v3 = level->number >= 3, v4 = level->number >= 4;
	uint32_t edx1 = EDX1_BASE;

	put(table, 0, 0xd, vendor->ebx, vendor->ecx, vendor->edx);
	/* Zen and Haswell: recent enough that no kernel looks for the errata of older ones. */
	put(table, 1, amd ? 0x00800f11 : 0x000306c3, 8 << 8 /* CLFLUSH: 64 bytes */,
	    (v2 ? (uint32_t)ECX1_V2 : 0) | (v3 ? (uint32_t)ECX1_V3 : 0) |
		    (supported(policy, 1, 0)->ecx & (uint32_t)ECX1_ENVIRONMENT),
	    edx1);
	put_caches(table, amd);
	put(table, 6, supported(policy, 6, 0)->eax & ARAT, 0, 0, 0);
	put_sub(table, 7, 0, 0, (v3 ? (uint32_t)EBX7_V3 : 0) | (v4 ? (uint32_t)EBX7_V4 : 0), 0, 0);
	if (level->xcr0)
		put_xsave(table, policy, level->xcr0);
	put(table, 0x80000000, 0x80000008, amd ? vendor->ebx : 0, amd ? vendor->ecx : 0,
	    amd ? vendor->edx : 0);
	put(table, 0x80000001, amd ? 0x00800f11 : 0, 0,
	    (v2 ? (uint32_t)ECX81_V2 : 0) | (v3 ? (uint32_t)ECX81_V3 : 0),
	    (uint32_t)EDX81_BASE | (amd ? edx1 & EDX81_SHARED : 0));
	put_brand(table, level->name);
	put(table, 0x80000007, 0, 0, 0, supported(policy, 0x80000007, 0)->edx & CONSTANT_TSC);
	/* Address widths are what the host's paging can do: a smaller one would be a lie. */
	put(table, 0x80000008, supported(policy, 0x80000008, 0)->eax & 0xffff, 0, 0, 0);
	put_identity(table, policy,
		     policy->pv_features & (PV_CLOCKSOURCE | PV_NOP_IO_DELAY | PV_CLOCKSOURCE2 |
					    PV_CLOCKSOURCE_STABLE));
}

static const struct level *find_level(const char *model)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(levels); i++) {
		if (same_text(levels[i].name, model))
			return &levels[i];
	}
	return NULL;
}

int vmm__x86_cpu_model(const struct vmm__x86_policy *policy, const char *model,
		       struct vmm_x86_cpuid *entries, uint32_t *count, struct vmm_error *error)
{
	struct vmm_x86_cpuid *made = policy->scratch;
	struct vmm__cpuid table = {made, 0, VMM__CPUID_MAX};
	const struct level *level = find_level(model);
	uint32_t room = entries ? *count : 0;

	if (level)
		make_baseline(&table, policy, level);
	else if (same_text(model, "host"))
		make_host(&table, policy);
	else
		return vmm__fail(error, -VMM_ENOENT, "vmm_x86_cpu_model", 0,
				 "no CPU model %s: there are host and x86-64-v1 to x86-64-v4",
				 model);
	if (level) {
		int r = vmm__cpuid_check(made, table.count, policy->supported,
					 policy->supported_count, error);
		if (r != 0)
			return r;
	}
	if (vmm__cpuid_is_intel(made, table.count))
		put_intel_frequencies(&table, policy);
	if (table.count == table.room)
		return vmm__fail(error, -VMM_ENOTSUP, "vmm_x86_cpu_model", 0,
				 "the host has more CPUID leaves than a table holds (%u)",
				 table.room);
	*count = table.count;
	if (!entries)
		return 0;
	if (room < table.count)
		return vmm__fail(error, -VMM_ESIZE, "vmm_x86_cpu_model", 0,
				 "%u entries, room for %u", table.count, room);
	memcpy(entries, made, table.count * sizeof(*entries));
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * CPUID tables as every x86 engine uses them: lookup, insertion, and the policy that makes a model
 * out of what an engine supports.
 */
#ifndef VMM_X86_CPUID_H
#define VMM_X86_CPUID_H

#include <stdbool.h>

#include "libvmm/error.h"
#include "libvmm/x86.h"

/* Most entries of a table (vmm_vcpu_x86_set_cpuid()). */
#define VMM__CPUID_MAX 256

/* Bits that the engine adds to what it supports, or that follow the guest's own registers. */
#define CPUID_1_ECX_X2APIC       BIT(21)
#define CPUID_1_ECX_TSC_DEADLINE BIT(24)
#define CPUID_1_ECX_XSAVE        BIT(26)
#define CPUID_1_ECX_OSXSAVE      BIT(27)
#define CPUID_1_ECX_HYPERVISOR   BIT(31)
#define CPUID_1_EDX_HTT          BIT(28)
#define CPUID_7_ECX_OSPKE        BIT(4)
#define CPUID_7_ECX_RDPID        BIT(22)
#define CPUID_EXT1_EDX_RDTSCP    BIT(27)

/* Bits that say how the topology is told, which needs nothing of the processor (APM 3, E.4.1). */
#define CPUID_EXT1_ECX_CMP_LEGACY BIT(1)
#define CPUID_EXT1_ECX_TOPOEXT    BIT(22) /* leaves 0x8000001D and 0x8000001E are there */

/* Linux, Documentation/virt/kvm/x86/cpuid.rst; hypercalls and MSRs of the same folder. */
#define CPUID_PV_SIGNATURE    0x40000000u
#define CPUID_PV_FEATURES     0x40000001u
#define CPUID_PV_TIMING       0x40000010u
#define PV_CLOCKSOURCE        BIT(0)
#define PV_NOP_IO_DELAY       BIT(1)
#define PV_CLOCKSOURCE2       BIT(3)
#define PV_CLOCKSOURCE_STABLE BIT(24)

/* Growing table in storage of the caller's. */
struct vmm__cpuid {
	struct vmm_x86_cpuid *entries;
	uint32_t count;
	uint32_t room;
};

/* What answers CPUID for (@leaf, @subleaf), or NULL: zeros. */
const struct vmm_x86_cpuid *vmm__cpuid_find(const struct vmm_x86_cpuid *entries, uint32_t count,
					    uint32_t leaf, uint32_t subleaf);

/*
 * Entry of its own for (@leaf, @subleaf), a new and empty one if there is none; NULL if there is no
 * room. @flags as in struct vmm_x86_cpuid: with SUBLEAF or without.
 */
struct vmm_x86_cpuid *vmm__cpuid_put(struct vmm__cpuid *table, uint32_t leaf, uint32_t subleaf,
				     uint32_t flags);

/* Remove all entries of leaves @first to @last. */
void vmm__cpuid_drop(struct vmm__cpuid *table, uint32_t first, uint32_t last);

/* AMD: leaf @leaf, 0x8000001D or 0x8000001E, is to be there; -VMM_ESIZE without room. */
int vmm__cpuid_extend_topology(struct vmm__cpuid *table, uint32_t leaf);

bool vmm__cpuid_is_intel(const struct vmm_x86_cpuid *entries, uint32_t count);
bool vmm__cpuid_is_amd(const struct vmm_x86_cpuid *entries, uint32_t count); /* and Hygon */

/* -VMM_ENOTSUP with the first missing feature in @error if @want has one that @have lacks. */
int vmm__cpuid_check(const struct vmm_x86_cpuid *want, uint32_t want_count,
		     const struct vmm_x86_cpuid *have, uint32_t have_count,
		     struct vmm_error *error);

/*
 * What an engine can give.
 * @supported:   CPUID table with all that can be set, x2APIC, TSC deadline and hypervisor bit among
 *               it where the engine has them. Leaves of the paravirtual range are not looked at.
 * @scratch:     Room for VMM__CPUID_MAX entries, where the model is made.
 * @pv_features: EAX of leaf 0x40000001 that the engine implements.
 * @tsc_khz:     The guest's TSC frequency, 0 if not known.
 * @apic_khz:    Frequency that the local APIC's timer divides, 0 if not known.
 */
struct vmm__x86_policy {
	const struct vmm_x86_cpuid *supported;
	struct vmm_x86_cpuid *scratch;
	uint32_t supported_count;
	uint32_t pv_features;
	uint32_t tsc_khz;
	uint32_t apic_khz;
};

/* vmm_x86_cpu_model() for an engine with this policy. */
int vmm__x86_cpu_model(const struct vmm__x86_policy *policy, const char *model,
		       struct vmm_x86_cpuid *entries, uint32_t *count, struct vmm_error *error);

/* EAX and EBX of leaf 0x15 so that @apic_khz * EBX / EAX is @tsc_khz, and the product fits. */
void vmm__x86_tsc_ratio(uint32_t tsc_khz, uint32_t apic_khz, uint32_t *eax, uint32_t *ebx);

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Calling a region without leaving the engine: the part of the bus that the run path has within
 * it, for engines that can call between two entries.
 *
 *   vCPU                               removes the region
 *   ----                               ------------------
 *   calling = the remembered region    not to be found any more
 *   control not GUEST? calling = NULL  control |= FORGET, for every vCPU
 *   call it                            calling is the region? wait
 *   calling = NULL, look at control
 *
 * So no region is looked into that may have gone. Who asks something else of the vCPU, or waits for
 * it, does so in control and then reads calling, too.
 */
#ifndef VMM_CORE_SERVE_H
#define VMM_CORE_SERVE_H

#include "core.h"

_Static_assert(sizeof(struct vmm__hit) == 64, "vmm__hit_of()");

/* Names an access to a port, and one to memory together with its address. */
static inline uint32_t vmm__hit_key(uint32_t port, uint32_t width, bool read)
{
	return port << 16 | width << 4 | read;
}

static inline uint32_t vmm__hit_key_mmio(uint64_t addr, uint32_t width, bool read)
{
	return vmm__hit_key((uint32_t)addr >> 2, width, read) | 2;
}

static inline struct vmm__hit *vmm__hit_of(struct vmm_vcpu *vcpu, uint32_t key)
{
	/* By the lowest bits of the port or register; gcc -Os would shift twice. */
	size_t at = key >> 10 & (VMM__HITS - 1) * sizeof(struct vmm__hit);
	void *hit = (uint8_t *)vcpu->hits + at;

	return hit;
}

/*
 * What is known of an access, with a call of its region noted, if nothing is asked of the vCPU;
 * else NULL. The thread has been stored in runner.
 */
static VMM__INLINE const struct vmm__hit *vmm__call_begin(struct vmm_vcpu *vcpu, uint32_t key)
{
	const struct vmm__hit *hit = vmm__hit_of(vcpu, key);

	if (VMM__UNLIKELY(hit->key != key))
		return NULL;
	atomic_store(&vcpu->calling, hit->region);
	if (VMM__LIKELY(atomic_load(&vcpu->control) == VMM__VCPU_GUEST))
		return hit;
	vmm__call_off(vcpu);
	return NULL;
}

/* The same of an access to memory. */
static VMM__INLINE const struct vmm__hit *vmm__call_begin_mmio(struct vmm_vcpu *vcpu, uint64_t addr,
							       uint32_t width, bool read)
{
	uint32_t key = vmm__hit_key_mmio(addr, width, read);

	return vmm__hit_of(vcpu, key)->addr == addr ? vmm__call_begin(vcpu, key) : NULL;
}

/* The end of a call. True: the vCPU has to go back to the core, before it touches the guest. */
static VMM__INLINE bool vmm__call_end(struct vmm_vcpu *vcpu)
{
	atomic_store(&vcpu->calling, NULL);
	return VMM__UNLIKELY(atomic_load(&vcpu->control) != VMM__VCPU_GUEST) &&
	       vmm__bus_asked(vcpu);
}

#endif

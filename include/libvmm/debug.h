/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/debug.h - Debugging a guest from outside.
 */
#ifndef LIBVMM_DEBUG_H
#define LIBVMM_DEBUG_H

#include "libvmm/vcpu.h"

VMM_BEGIN_DECLS

#define VMM_DEBUG_SINGLE_STEP (UINT32_C(1) << 0) /* an exit after each instruction */
#define VMM_DEBUG_SW_BREAK    (UINT32_C(1) << 1) /* breakpoint instructions (INT3, BRK) exit */

/* struct vmm_breakpoint.kind */
#define VMM_BREAK_EXEC       0
#define VMM_BREAK_WRITE      1
#define VMM_BREAK_READ_WRITE 3

#define VMM_MAX_BREAKPOINTS 4

/** struct vmm_breakpoint - An address breakpoint; @len 1, 2, 4 or 8, and 1 for EXEC. */
struct vmm_breakpoint {
	uint64_t gva;
	uint32_t kind;
	uint32_t len;
};

/**
 * struct vmm_debug_config - What stops a vCPU.
 * @size:  sizeof(struct vmm_debug_config).
 * @flags: VMM_DEBUG_; 0 with no breakpoints switches debugging off.
 * @count: Breakpoints used, at most VMM_CAP_HW_BREAKPOINTS.
 * @reserved: 0.
 * @breakpoints: The first @count are used. The guest's own debug registers do not work meanwhile.
 */
struct vmm_debug_config {
	uint32_t size;
	uint32_t flags;
	uint32_t count;
	uint32_t reserved;
	struct vmm_breakpoint breakpoints[VMM_MAX_BREAKPOINTS];
};

/**
 * vmm_vcpu_debug() - Choose what stops a vCPU with VMM_EXIT_DEBUG.
 * @vcpu:   vCPU of a sealed VM that does not run and has no pending exit.
 * @config: What stops it.
 *
 * Exits are reported before a breakpoint's instruction and after a step or a watched access. To go
 * on over an EXEC breakpoint, step once without it.
 *
 * Context: Any thread, while nobody runs the vCPU.
 * Return: 0, -VMM_EINVAL, -VMM_ENOTSUP, -VMM_ELIMIT, -VMM_ESTATE, -VMM_EBUSY, -VMM_EIO.
 */
VMM_API int vmm_vcpu_debug(struct vmm_vcpu *vcpu, const struct vmm_debug_config *config);

/**
 * vmm_vcpu_translate() - Guest-virtual to guest-physical, by the vCPU's current paging.
 * @vcpu: vCPU of a sealed VM that does not run and has no pending exit.
 * @gva:  Guest-virtual (x86: linear) address.
 * @prot: What is wanted, VMM_PROT_ bits of mem.h; 0: any mapping.
 * @gpa:  Set to the guest-physical address.
 *
 * Has no side effects: accessed and dirty bits stay.
 *
 * Context: Any thread, while nobody runs the vCPU.
 * Return: 0, -VMM_EFAULT (not mapped, or not so), -VMM_ESTATE, -VMM_EBUSY, -VMM_EIO.
 */
VMM_API int vmm_vcpu_translate(struct vmm_vcpu *vcpu, uint64_t gva, uint32_t prot, uint64_t *gpa);

VMM_END_DECLS

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A vCPU's own paging, walked without side effects, for debuggers and emulation. */
#ifndef VMM_X86_WALK_H
#define VMM_X86_WALK_H

#include "guest_walk.h"
#include "libvmm/x86.h"

/*
 * vmm_vcpu_translate() by the registers in @sys. Protection is checked as the processor would at
 * the present privilege level, but for SMAP and protection keys, which change from one instruction
 * to the next. 0, -VMM_EFAULT.
 */
int vmm__x86_walk(const struct vmm_x86_sys *sys, const struct vmm__guest_memory *memory,
		  uint64_t gva, uint32_t prot, uint64_t *gpa);

#endif

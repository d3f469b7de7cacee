/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A vCPU's own paging, walked without side effects, for debuggers and emulation. */
#ifndef VMM_X86_WALK_H
#define VMM_X86_WALK_H

#include <stddef.h>

#include "libvmm/x86.h"

/* What memory the tables lie in: 0, or a negative error. */
struct vmm__x86_walk_memory {
	int (*read)(void *opaque, uint64_t gpa, void *buf, size_t len);
	void *opaque;
};

/*
 * vmm_vcpu_translate() by the registers in @sys. Protection is checked as the processor would at
 * the present privilege level, but for SMAP and protection keys, which change from one instruction
 * to the next. 0, -VMM_EFAULT.
 */
int vmm__x86_walk(const struct vmm_x86_sys *sys, const struct vmm__x86_walk_memory *memory,
		  uint64_t gva, uint32_t prot, uint64_t *gpa);

#endif

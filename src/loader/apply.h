/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The state that an image is entered in, apart from how a vCPU is given it. */
#ifndef VMM_LOADER_APPLY_H
#define VMM_LOADER_APPLY_H

#include "libvmm/loader.h"
#include "libvmm/x86.h"

/* All of @regs. */
void vmm__boot_regs(const struct vmm_boot *boot, struct vmm_x86_regs *regs);

/* All of @sys but apic_base and xcr0. */
void vmm__boot_sys(const struct vmm_boot *boot, struct vmm_x86_sys *sys);

#endif

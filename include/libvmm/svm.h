/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/svm.h - The SVM engine: AMD's virtualisation with nested paging, driven by the library
 * itself.
 *
 * For hosts that own their CPUs (bare metal, firmware, a kernel). The host gives virt_to_phys(),
 * phys_map(), cpu_call(), cpu_kick() and cpu_timer() (host.h) and lets the library run in ring 0
 * with interrupts on. alloc()'s memory is at a constant distance from its physical addresses.
 *
 * On each CPU the host has set CR4.OSFXSR, EFER.NXE and, where the processor has XSAVE,
 * CR4.OSXSAVE. The engine sets EFER.SVME and VM_HSAVE_PA itself, on a CPU that is about to run one
 * of its vCPUs; nobody else uses SVM there.
 */
#ifndef LIBVMM_SVM_H
#define LIBVMM_SVM_H

#include "libvmm/ctx.h"

VMM_BEGIN_DECLS

/** vmm_engine_svm() - The engine, named "svm", for struct vmm_ctx_config. Context: Any. */
VMM_API const struct vmm_engine *vmm_engine_svm(void);

VMM_END_DECLS

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/vmx.h - The VMX engine: Intel's virtualisation with extended page tables, driven by the
 * library itself.
 *
 * For hosts that own their CPUs (bare metal, firmware, a kernel). The host gives virt_to_phys(),
 * phys_map(), cpu_call(), cpu_kick() and cpu_timer() (host.h) and lets the library run in ring 0
 * with interrupts on. alloc()'s memory is at a constant distance from its physical addresses.
 *
 * On each CPU the host has set CR4.OSFXSR, EFER.NXE and, where the processor has XSAVE,
 * CR4.OSXSAVE, has loaded a TSS and an IDT of at least 32 gates, and uses no LDT. The engine sets
 * CR4.VMXE and enters VMX operation itself, on a CPU that is about to run one of its vCPUs, and
 * leaves it when that vCPU goes elsewhere or is destroyed; nobody else uses VMX there. Where
 * firmware has left IA32_FEATURE_CONTROL open, the engine allows VMX in it and locks it.
 */
#ifndef LIBVMM_VMX_H
#define LIBVMM_VMX_H

#include "libvmm/ctx.h"

VMM_BEGIN_DECLS

/** vmm_engine_vmx() - The engine, named "vmx", for struct vmm_ctx_config. Context: Any. */
VMM_API const struct vmm_engine *vmm_engine_vmx(void);

VMM_END_DECLS

#endif

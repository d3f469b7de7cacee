/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Power-on state of a processor, the same on every x86 engine: SDM 3A 10.1.1, table 10-1. */
#ifndef VMM_X86_RESET_H
#define VMM_X86_RESET_H

#include "libvmm/x86.h"

#define X86_APIC_BASE        UINT64_C(0xfee00000)
#define X86_APIC_BASE_BSP    (UINT64_C(1) << 8)
#define X86_APIC_BASE_ENABLE (UINT64_C(1) << 11)

#define X86_MSR_APIC_BASE  0x1bu
#define X86_MSR_TSC        0x10u
#define X86_MSR_TSC_ADJUST 0x3bu

/* @signature: EAX of CPUID leaf 1, which EDX holds. */
void vmm__x86_reset_regs(struct vmm_x86_regs *regs, uint32_t signature);
/* @bsp: the processor that starts; @xsave: the model has XSAVE; @apic: and a local APIC. */
void vmm__x86_reset_sys(struct vmm_x86_sys *sys, uint32_t bsp, uint32_t xsave, uint32_t apic);
void vmm__x86_reset_debug(struct vmm_x86_debug_regs *debug);
/* x87 and SSE as components 0 and 1 of VMM_STATE_X86_XSAVE. */
void vmm__x86_reset_x87(uint8_t x87[VMM_X86_XSAVE_X87_SIZE]);
void vmm__x86_reset_sse(uint8_t sse[VMM_X86_XSAVE_SSE_SIZE]);

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Numbers of model-specific registers: APM2 appendix A, SDM 4; those of KVM's paravirtual clock are
 * Linux's (Documentation/virt/kvm/x86/msr.rst). X86_MSR_TSC, _TSC_ADJUST and _APIC_BASE are in
 * x86_reset.h.
 */
#ifndef VMM_X86_MSR_H
#define VMM_X86_MSR_H

#define X86_MSR_UCODE_LOAD   0x79u
#define X86_MSR_UCODE_REV    0x8bu
#define X86_MSR_MTRR_CAP     0xfeu
#define X86_MSR_SYSENTER_CS  0x174u
#define X86_MSR_SYSENTER_ESP 0x175u
#define X86_MSR_SYSENTER_EIP 0x176u
#define X86_MSR_MCG_CAP      0x179u
#define X86_MSR_MCG_STATUS   0x17au
#define X86_MSR_MISC_ENABLE  0x1a0u
#define X86_MSR_DEBUGCTL     0x1d9u
#define X86_MSR_MTRR_VAR     0x200u /* base and mask of eight ranges */
#define X86_MSR_MTRR_FIX64K  0x250u
#define X86_MSR_MTRR_FIX16K  0x258u /* two */
#define X86_MSR_MTRR_FIX4K   0x268u /* eight */
#define X86_MSR_PAT          0x277u
#define X86_MSR_MTRR_DEF     0x2ffu
#define X86_MSR_EFER         0xc0000080u
#define X86_MSR_STAR         0xc0000081u
#define X86_MSR_LSTAR        0xc0000082u
#define X86_MSR_CSTAR        0xc0000083u
#define X86_MSR_SFMASK       0xc0000084u
#define X86_MSR_FS_BASE      0xc0000100u
#define X86_MSR_GS_BASE      0xc0000101u
#define X86_MSR_KERNEL_GS    0xc0000102u
#define X86_MSR_TSC_AUX      0xc0000103u

/* AMD's own */
#define X86_MSR_SYSCFG      0xc0010010u
#define X86_MSR_HWCR        0xc0010015u
#define X86_MSR_NB_CFG      0xc001001fu
#define X86_MSR_INT_PENDING 0xc0010055u
#define X86_MSR_DC_CFG      0xc0011022u
#define X86_MSR_DE_CFG      0xc0011029u
#define X86_MSR_BU_CFG2     0xc001102au

#define PV_MSR_WALL_OLD 0x11u
#define PV_MSR_TIME_OLD 0x12u
#define PV_MSR_WALL     0x4b564d00u
#define PV_MSR_TIME     0x4b564d01u

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Bits of x86's control, debug and flags registers: AMD64 Architecture Programmer's Manual Volume 2
 * (24593, rev. 3.42), chapters 3 and 13.
 */
#ifndef VMM_HW_X86_REGS_H
#define VMM_HW_X86_REGS_H

#include "bits.h"

#define X86_CR0_PE BIT(0)
#define X86_CR0_EM BIT(2)
#define X86_CR0_TS BIT(3)
#define X86_CR0_ET BIT(4)
#define X86_CR0_WP BIT(16)
#define X86_CR0_AM BIT(18)
#define X86_CR0_NW BIT(29)
#define X86_CR0_CD BIT(30)
#define X86_CR0_PG BIT(31)

#define X86_CR4_DE      BIT(3)
#define X86_CR4_PSE     BIT(4)
#define X86_CR4_PAE     BIT(5)
#define X86_CR4_OSFXSR  BIT(9)
#define X86_CR4_LA57    BIT(12)
#define X86_CR4_PCIDE   BIT(17)
#define X86_CR4_OSXSAVE BIT(18)
#define X86_CR4_SMEP    BIT(20)
#define X86_CR4_SMAP    BIT(21)
#define X86_CR4_PKE     BIT(22)

#define X86_EFER_SCE   BIT(0)
#define X86_EFER_LME   BIT(8)
#define X86_EFER_LMA   BIT(10)
#define X86_EFER_NXE   BIT(11)
#define X86_EFER_FFXSR BIT(14)

#define X86_RFLAGS_TF BIT(8)
#define X86_RFLAGS_IF BIT(9)
#define X86_RFLAGS_RF BIT(16)
#define X86_RFLAGS_VM BIT(17)
#define X86_RFLAGS_AC BIT(18)

#define X86_DR6_BS BIT(14)
#define X86_DR7_GD BIT(13)

#endif

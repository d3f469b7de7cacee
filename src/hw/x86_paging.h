/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * x86 paging structures: AMD64 Architecture Programmer's Manual Volume 2 (24593, rev. 3.42),
 * chapter 5, with names of Intel SDM Volume 3A chapter 4 (253668-083). Nested page tables
 * (APM2 15.25) are the same.
 */
#ifndef VMM_HW_X86_PAGING_H
#define VMM_HW_X86_PAGING_H

#include "bits.h"
#include "x86_regs.h"

/* Entries of PAE, 4-level and 5-level paging: APM2 5.3.3, 5.4.1. */
#define X86_PTE_P     BIT(0)
#define X86_PTE_RW    BIT(1)
#define X86_PTE_US    BIT(2)
#define X86_PTE_PWT   BIT(3)
#define X86_PTE_PCD   BIT(4)
#define X86_PTE_A     BIT(5)
#define X86_PTE_D     BIT(6)
#define X86_PTE_PS    BIT(7)  /* above the last level; in the last it is the PAT bit */
#define X86_PTE_PAT_L BIT(12) /* the PAT bit of large pages */
#define X86_PTE_ADDR  BITS(51, 12)
#define X86_PTE_AVL   BITS(58, 52) /* ignored; in leaves 62:59 are the protection key */
#define X86_PTE_PK    BITS(62, 59)
#define X86_PTE_NX    BIT(63)

/* PAE page-directory pointers: APM2 5.2.3, figure 5-10. */
#define X86_PDPTE_PAE_RESERVED (BITS(63, 52) | BITS(8, 5) | BITS(2, 1))

/* 32-bit paging: APM2 5.2.2; PSE-36 figure 5-9 (address bits 39:32 in 20:13). */
#define X86_PDE32_ADDR       UINT32_C(0xfffff000)
#define X86_PDE32_LARGE_ADDR UINT32_C(0xffc00000)
#define X86_PDE32_LARGE_HIGH UINT32_C(0x001fe000)
#define X86_PDE32_LARGE_RSVD UINT32_C(0x00200000)

/* Page-fault error code: APM2 8.4.2. */
#define X86_PFEC_P   BIT(0)
#define X86_PFEC_RW  BIT(1)
#define X86_PFEC_US  BIT(2)
#define X86_PFEC_RSV BIT(3)
#define X86_PFEC_ID  BIT(4)
#define X86_PFEC_PK  BIT(5)

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Secure Virtual Machine: AMD64 Architecture Programmer's Manual Volume 2 (24593, rev. 3.42),
 * chapter 15 and appendices B (layout of the VMCB) and C (intercept codes).
 */
#ifndef VMM_HW_SVM_H
#define VMM_HW_SVM_H

#include <stddef.h>
#include <stdint.h>

#include "bits.h"

/* --- capabilities: 15.4, 15.30; CPUID in volume 3, appendix E --- */

#define SVM_CPUID_LEAF           0x8000000au
#define SVM_CPUID_81_ECX_SVM     BIT(2)
#define SVM_CPUID_EDX_NP         BIT(0)
#define SVM_CPUID_EDX_NRIPS      BIT(3)
#define SVM_CPUID_EDX_TSC_RATE   BIT(4)
#define SVM_CPUID_EDX_FLUSH      BIT(6) /* FlushByAsid */
#define SVM_CPUID_EDX_ASSISTS    BIT(7)
#define SVM_CPUID_EDX_PAUSE      BIT(10) /* PauseFilter */
#define SVM_CPUID_EDX_PAUSE_NEAR BIT(12) /* PauseFilterThreshold */

#define SVM_MSR_EFER     0xc0000080u
#define SVM_EFER_SVME    BIT(12)
#define SVM_MSR_VM_CR    0xc0010114u
#define SVM_VM_CR_SVMDIS BIT(4)
#define SVM_MSR_HSAVE_PA 0xc0010117u

/* --- intercepts, word by word: appendix B, table B-1 --- */

#define SVM_CR_READ(n)  BIT(n)
#define SVM_CR_WRITE(n) BIT(16 + (n))
#define SVM_DR_ALL      UINT32_C(0xffffffff)

/* 00Ch */
#define SVM_I_INTR     BIT(0)
#define SVM_I_NMI      BIT(1)
#define SVM_I_SMI      BIT(2)
#define SVM_I_INIT     BIT(3)
#define SVM_I_VINTR    BIT(4)
#define SVM_I_RDPMC    BIT(15)
#define SVM_I_CPUID    BIT(18)
#define SVM_I_RSM      BIT(19)
#define SVM_I_IRET     BIT(20)
#define SVM_I_INVD     BIT(22)
#define SVM_I_PAUSE    BIT(23)
#define SVM_I_HLT      BIT(24)
#define SVM_I_INVLPGA  BIT(26)
#define SVM_I_IOIO     BIT(27)
#define SVM_I_MSR      BIT(28)
#define SVM_I_TASK     BIT(29)
#define SVM_I_FERR     BIT(30)
#define SVM_I_SHUTDOWN BIT(31)
/* 010h */
#define SVM_I_VMRUN   BIT(0)
#define SVM_I_VMMCALL BIT(1)
#define SVM_I_VMLOAD  BIT(2)
#define SVM_I_VMSAVE  BIT(3)
#define SVM_I_STGI    BIT(4)
#define SVM_I_CLGI    BIT(5)
#define SVM_I_SKINIT  BIT(6)
#define SVM_I_WBINVD  BIT(9)
#define SVM_I_MONITOR BIT(10)
#define SVM_I_MWAIT   BIT(11)
#define SVM_I_XSETBV  BIT(13)
#define SVM_I_RDPRU   BIT(14)
/* 014h */
#define SVM_I_INVLPGB BIT(0)
#define SVM_I_MCOMMIT BIT(3)
#define SVM_I_TLBSYNC BIT(4)

/* --- fields --- */

#define SVM_TLB_NOTHING 0u /* 05Ch, TLB_CONTROL: 15.16.1 */
#define SVM_TLB_ALL     1u
#define SVM_TLB_ASID    3u /* with FlushByAsid */

/* 060h: virtual interrupts, 15.21 */
#define SVM_V_TPR          BITS(7, 0)
#define SVM_V_IRQ          BIT(8)
#define SVM_V_INTR_PRIO    BITS(19, 16)
#define SVM_V_IGN_TPR      BIT(20)
#define SVM_V_INTR_MASKING BIT(24)

/* 068h */
#define SVM_INT_SHADOW BIT(0)

/* EVENTINJ and EXITINTINFO: 15.20, 15.7.2 */
#define SVM_EVENT_VECTOR    BITS(7, 0)
#define SVM_EVENT_TYPE      BITS(10, 8)
#define SVM_EVENT_INTR      0u
#define SVM_EVENT_NMI       2u
#define SVM_EVENT_EXCEPTION 3u
#define SVM_EVENT_SOFT      4u
#define SVM_EVENT_EV        BIT(11)
#define SVM_EVENT_V         BIT(31)
#define SVM_EVENT_ERROR     BITS(63, 32)

/* EXITINFO1 of IOIO: 15.10.2 */
#define SVM_IO_IN   BIT(0)
#define SVM_IO_STR  BIT(2)
#define SVM_IO_REP  BIT(3)
#define SVM_IO_SIZE BITS(6, 4) /* 1, 2 or 4 bytes, as a bit */
#define SVM_IO_ADDR BITS(9, 7) /* 16, 32 or 64 bits, as a bit */
#define SVM_IO_SEG  BITS(12, 10)
#define SVM_IO_PORT BITS(31, 16)

/* EXITINFO1 of CR and DR accesses with decode assists: 15.8.1 */
#define SVM_CR_IS_MOV BIT(63)
#define SVM_CR_GPR    BITS(3, 0)

/* EXITINFO1 of a nested page fault: 15.25.6 */
#define SVM_NPF_P     BIT(0)
#define SVM_NPF_WRITE BIT(1)
#define SVM_NPF_FETCH BIT(4)
#define SVM_NPF_FINAL BIT(32) /* the guest's own access */
#define SVM_NPF_WALK  BIT(33) /* an access of its page-table walk */

/* --- exit codes: appendix C --- */

#define SVM_EXIT_CR_READ(n)  (UINT64_C(0x00) + (n))
#define SVM_EXIT_CR_WRITE(n) (UINT64_C(0x10) + (n))
#define SVM_EXIT_DR_FIRST    UINT64_C(0x20)
#define SVM_EXIT_DR_LAST     UINT64_C(0x3f)
#define SVM_EXIT_EXCP(n)     (UINT64_C(0x40) + (n))
#define SVM_EXIT_EXCP_LAST   UINT64_C(0x5f)
#define SVM_EXIT_INTR        UINT64_C(0x60)
#define SVM_EXIT_NMI         UINT64_C(0x61)
#define SVM_EXIT_SMI         UINT64_C(0x62)
#define SVM_EXIT_INIT        UINT64_C(0x63)
#define SVM_EXIT_VINTR       UINT64_C(0x64)
#define SVM_EXIT_RDPMC       UINT64_C(0x6f)
#define SVM_EXIT_CPUID       UINT64_C(0x72)
#define SVM_EXIT_RSM         UINT64_C(0x73)
#define SVM_EXIT_IRET        UINT64_C(0x74)
#define SVM_EXIT_INVD        UINT64_C(0x76)
#define SVM_EXIT_PAUSE       UINT64_C(0x77)
#define SVM_EXIT_HLT         UINT64_C(0x78)
#define SVM_EXIT_INVLPGA     UINT64_C(0x7a)
#define SVM_EXIT_IOIO        UINT64_C(0x7b)
#define SVM_EXIT_MSR         UINT64_C(0x7c)
#define SVM_EXIT_TASK        UINT64_C(0x7d)
#define SVM_EXIT_FERR        UINT64_C(0x7e)
#define SVM_EXIT_SHUTDOWN    UINT64_C(0x7f)
#define SVM_EXIT_VMRUN       UINT64_C(0x80)
#define SVM_EXIT_VMMCALL     UINT64_C(0x81)
#define SVM_EXIT_VMLOAD      UINT64_C(0x82)
#define SVM_EXIT_VMSAVE      UINT64_C(0x83)
#define SVM_EXIT_STGI        UINT64_C(0x84)
#define SVM_EXIT_CLGI        UINT64_C(0x85)
#define SVM_EXIT_SKINIT      UINT64_C(0x86)
#define SVM_EXIT_WBINVD      UINT64_C(0x89)
#define SVM_EXIT_MONITOR     UINT64_C(0x8a)
#define SVM_EXIT_MWAIT       UINT64_C(0x8b)
#define SVM_EXIT_XSETBV      UINT64_C(0x8d)
#define SVM_EXIT_RDPRU       UINT64_C(0x8e)
#define SVM_EXIT_NPF         UINT64_C(0x400)
/* -1; QEMU writes the low half only, over what stood above it. */
#define SVM_EXIT_INVALID UINT64_C(0xffffffff)

/* --- segments: attributes are the descriptor's bits 55:52 and 47:40, closed up (15.5.1) --- */

struct svm_segment {
	uint16_t selector;
	uint16_t attr;
	uint32_t limit;
	uint64_t base;
};

#define SVM_SEG_LOW BITS(7, 0)  /* type, S, DPL, P */
#define SVM_SEG_TOP BITS(11, 8) /* AVL, L, D/B, G */
#define SVM_SEG_P   BIT(7)

/* --- the VMCB: appendix B --- */

struct svm_vmcb {
	/* Table B-1: control area. */
	uint32_t intercept_cr;        /* 000h */
	uint32_t intercept_dr;        /* 004h */
	uint32_t intercept_exception; /* 008h */
	uint32_t intercept1;          /* 00Ch */
	uint32_t intercept2;          /* 010h */
	uint32_t intercept3;          /* 014h */
	uint8_t reserved_018[0x3c - 0x18];
	uint16_t pause_threshold; /* 03ch */
	uint16_t pause_count;     /* 03eh */
	uint64_t iopm_pa;         /* 040h */
	uint64_t msrpm_pa;        /* 048h */
	uint64_t tsc_offset;      /* 050h */
	uint32_t asid;            /* 058h */
	uint32_t tlb_control;     /* 05Ch */
	uint64_t vintr;           /* 060h */
	uint64_t shadow;          /* 068h */
	uint64_t exitcode;        /* 070h */
	uint64_t exitinfo1;       /* 078h */
	uint64_t exitinfo2;       /* 080h */
	uint64_t exitintinfo;     /* 088h */
	uint64_t np_enable;       /* 090h */
	uint8_t reserved_098[0xa8 - 0x98];
	uint64_t eventinj; /* 0A8h */
	uint64_t n_cr3;    /* 0B0h */
	uint64_t lbr;      /* 0B8h */
	uint64_t clean;    /* 0C0h */
	uint64_t nrip;     /* 0C8h */
	uint8_t fetched;   /* 0D0h */
	uint8_t insn[15];
	uint8_t reserved_0e0[0x400 - 0xe0];

	/* Table B-2: state save area. */
	struct svm_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr; /* 400h */
	uint8_t reserved_4a0[0x4cb - 0x4a0];
	uint8_t cpl; /* 4CBh */
	uint8_t reserved_4cc[4];
	uint64_t efer; /* 4D0h */
	uint8_t reserved_4d8[0x548 - 0x4d8];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip; /* 548h */
	uint8_t reserved_580[0x5d8 - 0x580];
	uint64_t rsp; /* 5D8h */
	uint64_t cet[3];
	uint64_t rax;                                        /* 5F8h */
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base; /* 600h */
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t cr2; /* 640h */
	uint8_t reserved_648[0x668 - 0x648];
	uint64_t g_pat; /* 668h */
	uint64_t debugctl;
	uint8_t reserved_678[0x1000 - 0x678];
};

_Static_assert(sizeof(struct svm_segment) == 16, "15.5.1");
_Static_assert(sizeof(struct svm_vmcb) == 0x1000, "15.5.1");
_Static_assert(offsetof(struct svm_vmcb, iopm_pa) == 0x40, "B-1");
_Static_assert(offsetof(struct svm_vmcb, exitcode) == 0x70, "B-1");
_Static_assert(offsetof(struct svm_vmcb, eventinj) == 0xa8, "B-1");
_Static_assert(offsetof(struct svm_vmcb, nrip) == 0xc8, "B-1");
_Static_assert(offsetof(struct svm_vmcb, es) == 0x400, "B-2");
_Static_assert(offsetof(struct svm_vmcb, tr) == 0x490, "B-2");
_Static_assert(offsetof(struct svm_vmcb, cpl) == 0x4cb, "B-2");
_Static_assert(offsetof(struct svm_vmcb, efer) == 0x4d0, "B-2");
_Static_assert(offsetof(struct svm_vmcb, cr4) == 0x548, "B-2");
_Static_assert(offsetof(struct svm_vmcb, rip) == 0x578, "B-2");
_Static_assert(offsetof(struct svm_vmcb, rsp) == 0x5d8, "B-2");
_Static_assert(offsetof(struct svm_vmcb, rax) == 0x5f8, "B-2");
_Static_assert(offsetof(struct svm_vmcb, sysenter_eip) == 0x638, "B-2");
_Static_assert(offsetof(struct svm_vmcb, cr2) == 0x640, "B-2");
_Static_assert(offsetof(struct svm_vmcb, g_pat) == 0x668, "B-2");

/* Permission maps: 15.10.1, 15.11. */
#define SVM_IOPM_BYTES  0x3000u /* a bit a port, and what an access at the end reaches into */
#define SVM_MSRPM_BYTES 0x2000u /* two bits an MSR, of three ranges of 2000h MSRs */

#endif

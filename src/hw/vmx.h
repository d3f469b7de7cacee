/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Virtual Machine Extensions: Intel 64 and IA-32 Architectures Software Developer's Manual, volumes
 * 3C and 3D (326019-083, 332831-083), chapters 25 (VMCS), 26 (non-root operation), 27 (entries), 28
 * (exits), 29 (EPT, VPID), and appendices A (capability MSRs), B (field encodings) and C (exit
 * reasons).
 */
#ifndef VMM_HW_VMX_H
#define VMM_HW_VMX_H

#include "bits.h"

#define VMX_CPUID_1_ECX BIT(5)
#define VMX_CR4_VMXE    BIT(13)

/* --- capability MSRs: appendix A --- */

#define VMX_MSR_FEATURE_CONTROL 0x3au
#define VMX_FEATURE_LOCK        BIT(0)
#define VMX_FEATURE_VMXON       BIT(2) /* outside SMX */
#define VMX_MSR_BASIC           0x480u
#define VMX_BASIC_REVISION      BITS(30, 0)
#define VMX_BASIC_SIZE          BITS(44, 32)
#define VMX_BASIC_MEMTYPE       BITS(53, 50) /* 6: write-back */
#define VMX_BASIC_TRUE          BIT(55)
#define VMX_MSR_MISC            0x485u
#define VMX_MISC_TIMER          BITS(4, 0) /* the preemption timer counts by this bit of the TSC */
#define VMX_MISC_LMA            BIT(5)     /* exits store EFER.LMA into the entry controls */
#define VMX_MSR_CR0_FIXED0      0x486u
#define VMX_MSR_CR0_FIXED1      0x487u
#define VMX_MSR_CR4_FIXED0      0x488u
#define VMX_MSR_CR4_FIXED1      0x489u
#define VMX_MSR_PROC2           0x48bu
#define VMX_MSR_EPT_VPID        0x48cu
#define VMX_EPT_WALK_4          BIT(6)
#define VMX_EPT_WB              BIT(14)
#define VMX_EPT_2M              BIT(16)
#define VMX_EPT_1G              BIT(17)
#define VMX_EPT_EXEC_ONLY       BIT(0)
#define VMX_EPT_INVEPT          BIT(20)
#define VMX_EPT_AD              BIT(21)
#define VMX_EPT_INVEPT_ALL      BIT(26)
#define VMX_EPT_INVVPID         BIT(32)
#define VMX_EPT_INVVPID_ALL     BIT(42)
#define VMX_MSR_TRUE_PIN        0x48du
#define VMX_MSR_TRUE_PROC       0x48eu
#define VMX_MSR_TRUE_EXIT       0x48fu
#define VMX_MSR_TRUE_ENTRY      0x490u

/* --- controls: 25.6 to 25.8 --- */

#define VMX_PIN_EXTINT  BIT(0)
#define VMX_PIN_NMI     BIT(3)
#define VMX_PIN_VNMI    BIT(5)
#define VMX_PIN_TIMER   BIT(6)
#define VMX_PIN_DEFAULT UINT32_C(0x16)

#define VMX_PROC_INT_WINDOW  BIT(2)
#define VMX_PROC_TSC_OFFSET  BIT(3)
#define VMX_PROC_HLT         BIT(7)
#define VMX_PROC_INVLPG      BIT(9)
#define VMX_PROC_MWAIT       BIT(10)
#define VMX_PROC_RDPMC       BIT(11)
#define VMX_PROC_RDTSC       BIT(12)
#define VMX_PROC_CR3_LOAD    BIT(15)
#define VMX_PROC_CR3_STORE   BIT(16)
#define VMX_PROC_CR8_LOAD    BIT(19)
#define VMX_PROC_CR8_STORE   BIT(20)
#define VMX_PROC_NMI_WINDOW  BIT(22)
#define VMX_PROC_MOV_DR      BIT(23)
#define VMX_PROC_IO          BIT(24)
#define VMX_PROC_IO_BITMAPS  BIT(25)
#define VMX_PROC_MSR_BITMAPS BIT(28)
#define VMX_PROC_MONITOR     BIT(29)
#define VMX_PROC_PAUSE       BIT(30)
#define VMX_PROC_SECONDARY   BIT(31)
#define VMX_PROC_DEFAULT     UINT32_C(0x04006172) /* with the TRUE MSR */

#define VMX_PROC2_EPT          BIT(1)
#define VMX_PROC2_RDTSCP       BIT(3)
#define VMX_PROC2_VPID         BIT(5)
#define VMX_PROC2_WBINVD       BIT(6)
#define VMX_PROC2_UNRESTRICTED BIT(7)
#define VMX_PROC2_INVPCID      BIT(12)

#define VMX_EXIT_SAVE_DEBUG BIT(2)
#define VMX_EXIT_HOST_64    BIT(9)
#define VMX_EXIT_SAVE_PAT   BIT(18)
#define VMX_EXIT_LOAD_PAT   BIT(19)
#define VMX_EXIT_SAVE_EFER  BIT(20)
#define VMX_EXIT_LOAD_EFER  BIT(21)
#define VMX_EXIT_DEFAULT    UINT32_C(0x36dfb)

#define VMX_ENTRY_LOAD_DEBUG BIT(2)
#define VMX_ENTRY_IA32E      BIT(9)
#define VMX_ENTRY_LOAD_PAT   BIT(14)
#define VMX_ENTRY_LOAD_EFER  BIT(15)
#define VMX_ENTRY_DEFAULT    UINT32_C(0x11fb)

#define VMX_EPTP_WB     UINT64_C(6)
#define VMX_EPTP_WALK_4 (UINT64_C(3) << 3)
#define VMX_EPTP_AD     BIT(6)

/* --- fields: appendix B --- */

#define VMX_VPID               0x0000u
#define VMX_GUEST_ES           0x0800u /* selectors: ES, CS, SS, DS, FS, GS, LDTR, TR, by 2 */
#define VMX_GUEST_CS           0x0802u
#define VMX_HOST_ES            0x0c00u /* the same without LDTR */
#define VMX_HOST_CS            0x0c02u
#define VMX_HOST_SS            0x0c04u
#define VMX_HOST_DS            0x0c06u
#define VMX_HOST_FS            0x0c08u
#define VMX_HOST_GS            0x0c0au
#define VMX_HOST_TR            0x0c0cu
#define VMX_IO_BITMAP_A        0x2000u
#define VMX_IO_BITMAP_B        0x2002u
#define VMX_MSR_BITMAP         0x2004u
#define VMX_TSC_OFFSET         0x2010u
#define VMX_EPTP               0x201au
#define VMX_GPA                0x2400u
#define VMX_LINK               0x2800u
#define VMX_GUEST_DEBUGCTL     0x2802u
#define VMX_GUEST_PAT          0x2804u
#define VMX_GUEST_EFER         0x2806u
#define VMX_GUEST_PDPTE0       0x280au /* four, by 2 */
#define VMX_HOST_PAT           0x2c00u
#define VMX_HOST_EFER          0x2c02u
#define VMX_PIN                0x4000u
#define VMX_PROC               0x4002u
#define VMX_EXCEPTIONS         0x4004u
#define VMX_PF_MASK            0x4006u
#define VMX_PF_MATCH           0x4008u
#define VMX_CR3_TARGETS        0x400au
#define VMX_EXIT               0x400cu
#define VMX_EXIT_STORES        0x400eu
#define VMX_EXIT_LOADS         0x4010u
#define VMX_ENTRY              0x4012u
#define VMX_ENTRY_LOADS        0x4014u
#define VMX_ENTRY_EVENT        0x4016u
#define VMX_ENTRY_ERROR        0x4018u
#define VMX_ENTRY_LEN          0x401au
#define VMX_PROC2              0x401eu
#define VMX_INSN_ERROR         0x4400u
#define VMX_REASON             0x4402u
#define VMX_EXIT_EVENT         0x4404u
#define VMX_EXIT_ERROR         0x4406u
#define VMX_IDT_EVENT          0x4408u
#define VMX_IDT_ERROR          0x440au
#define VMX_EXIT_LEN           0x440cu
#define VMX_GUEST_LIMIT        0x4800u /* ES, CS, SS, DS, FS, GS, LDTR, TR, GDTR, IDTR, by 2 */
#define VMX_GUEST_ACCESS       0x4814u /* ES, CS, SS, DS, FS, GS, LDTR, TR, by 2 */
#define VMX_GUEST_CS_AR        0x4816u
#define VMX_GUEST_SS_AR        0x4818u
#define VMX_GUEST_BLOCKING     0x4824u /* interruptibility */
#define VMX_GUEST_ACTIVITY     0x4826u
#define VMX_GUEST_SYSENTER_CS  0x482au
#define VMX_TIMER              0x482eu
#define VMX_HOST_SYSENTER_CS   0x4c00u
#define VMX_CR0_MASK           0x6000u
#define VMX_CR4_MASK           0x6002u
#define VMX_CR0_SHADOW         0x6004u
#define VMX_CR4_SHADOW         0x6006u
#define VMX_QUALIFICATION      0x6400u
#define VMX_GUEST_CR0          0x6800u
#define VMX_GUEST_CR3          0x6802u
#define VMX_GUEST_CR4          0x6804u
#define VMX_GUEST_BASE         0x6806u /* ES, CS, SS, DS, FS, GS, LDTR, TR, GDTR, IDTR, by 2 */
#define VMX_GUEST_DR7          0x681au
#define VMX_GUEST_RSP          0x681cu
#define VMX_GUEST_RIP          0x681eu
#define VMX_GUEST_RFLAGS       0x6820u
#define VMX_GUEST_PENDING      0x6822u /* debug exceptions */
#define VMX_GUEST_SYSENTER_ESP 0x6824u
#define VMX_GUEST_SYSENTER_EIP 0x6826u
#define VMX_HOST_CR0           0x6c00u
#define VMX_HOST_CR3           0x6c02u
#define VMX_HOST_CR4           0x6c04u
#define VMX_HOST_FS_BASE       0x6c06u
#define VMX_HOST_GS_BASE       0x6c08u
#define VMX_HOST_TR_BASE       0x6c0au
#define VMX_HOST_GDTR          0x6c0cu
#define VMX_HOST_IDTR          0x6c0eu
#define VMX_HOST_SYSENTER_ESP  0x6c10u
#define VMX_HOST_SYSENTER_EIP  0x6c12u
#define VMX_HOST_RSP           0x6c14
#define VMX_HOST_RIP           0x6c16u

/* --- what fields hold --- */

#define VMX_AR_UNUSABLE BIT(16) /* access rights: 25.4.1, table 25-2 */
#define VMX_AR_L        BIT(13)
#define VMX_AR_DB       BIT(14)

#define VMX_ACTIVITY_HLT 1u /* 25.4.2 */

#define VMX_BLOCK_STI    BIT(0) /* 25.4.2, table 25-3 */
#define VMX_BLOCK_MOV_SS BIT(1)
#define VMX_BLOCK_NMI    BIT(3)
#define VMX_PENDING_BS   BIT(14) /* table 25-4 */

/* Events going in, coming out, and in delivery: 25.8.3, 25.9.2, 25.9.3 */
#define VMX_EVENT_VECTOR BITS(7, 0)
#define VMX_EVENT_TYPE   BITS(10, 8)
#define VMX_EVENT_NMI    2u
#define VMX_EVENT_HARD   3u /* hardware exception */
#define VMX_EVENT_EV     BIT(11)
#define VMX_EVENT_IRET   BIT(12) /* NMIs were unblocked by an IRET that failed */
#define VMX_EVENT_V      BIT(31)

/* Qualifications: 28.2.1 */
#define VMX_CR_NUMBER   BITS(3, 0) /* table 28-3 */
#define VMX_CR_TYPE     BITS(5, 4)
#define VMX_CR_MOV_TO   0u
#define VMX_CR_MOV_FROM 1u
#define VMX_CR_CLTS     2u
#define VMX_CR_LMSW     3u
#define VMX_CR_GPR      BITS(11, 8)
#define VMX_CR_LMSW_SRC BITS(31, 16)
#define VMX_DR_NUMBER   BITS(2, 0) /* table 28-4 */
#define VMX_DR_FROM     BIT(4)
#define VMX_IO_SIZE     BITS(2, 0) /* less one; table 28-5 */
#define VMX_IO_IN       BIT(3)
#define VMX_IO_STR      BIT(4)
#define VMX_IO_PORT     BITS(31, 16)
#define VMX_EPT_WRITE   BIT(1) /* table 28-7 */
#define VMX_EPT_IRET    BIT(12)

/* --- exit reasons: appendix C --- */

#define VMX_REASON_EXCEPTION  0u
#define VMX_REASON_EXTINT     1u
#define VMX_REASON_TRIPLE     2u
#define VMX_REASON_INIT       3u
#define VMX_REASON_SIPI       4u
#define VMX_REASON_INT_WINDOW 7u
#define VMX_REASON_NMI_WINDOW 8u
#define VMX_REASON_TASK       9u
#define VMX_REASON_CPUID      10u
#define VMX_REASON_GETSEC     11u
#define VMX_REASON_HLT        12u
#define VMX_REASON_INVD       13u
#define VMX_REASON_RDPMC      15u
#define VMX_REASON_RSM        17u
#define VMX_REASON_VMCALL     18u
#define VMX_REASON_VMCLEAR    19u /* 19 to 27: the instructions of VMX, in alphabetical order */
#define VMX_REASON_VMXON      27u
#define VMX_REASON_CR         28u
#define VMX_REASON_DR         29u
#define VMX_REASON_IO         30u
#define VMX_REASON_RDMSR      31u
#define VMX_REASON_WRMSR      32u
#define VMX_REASON_STATE      33u /* entry failed: guest state */
#define VMX_REASON_MWAIT      36u
#define VMX_REASON_MONITOR    39u
#define VMX_REASON_PAUSE      40u
#define VMX_REASON_MC         41u /* entry failed: machine check */
#define VMX_REASON_EPT        48u
#define VMX_REASON_MISCONFIG  49u
#define VMX_REASON_INVEPT     50u
#define VMX_REASON_TIMER      52u
#define VMX_REASON_INVVPID    53u
#define VMX_REASON_WBINVD     54u
#define VMX_REASON_XSETBV     55u
#define VMX_REASON_SEAMCALL   76u
#define VMX_REASON_TDCALL     77u
#define VMX_REASON_FAILED     BIT(31)

/* INVEPT, INVVPID: 31.3 */
#define VMX_INVEPT_ALL  2u
#define VMX_INVVPID_ALL 2u

#endif

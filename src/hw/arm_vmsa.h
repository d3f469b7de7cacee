/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * VMSAv8-64 translation tables: Arm Architecture Reference Manual for A-profile (DDI 0487J.a), D8.3
 * (descriptor formats) and D8.4 to D8.6 (permissions, access flag and dirty state, memory types).
 * SMMUv3 (IHI 0070F, 3.4) walks the same tables.
 */
#ifndef VMM_HW_ARM_VMSA_H
#define VMM_HW_ARM_VMSA_H

#include "bits.h"

#define ARM_PTE_VALID BIT(0)
#define ARM_PTE_TABLE BIT(1) /* above the last level: a table, else a block */
#define ARM_PTE_PAGE  BIT(1) /* at the last level: must be set */

#define ARM_PTE_ADDR_4K   BITS(47, 12)
#define ARM_PTE_ADDR_16K  BITS(47, 14)
#define ARM_PTE_ADDR_64K  BITS(47, 16)
#define ARM_PTE_ADDR_LPA  BITS(15, 12) /* 64 KiB granule: address bits 51:48 */
#define ARM_PTE_ADDR_LPA2 BITS(9, 8)   /* 4 and 16 KiB with TCR.DS: address bits 51:50 */

#define ARM_PTE_SH       BITS(9, 8) /* leaves, without TCR.DS */
#define ARM_PTE_SH_INNER 3
#define ARM_PTE_AF       BIT(10)
#define ARM_PTE_DBM      BIT(51) /* leaves: hardware may take the page from clean to dirty */
#define ARM_PTE_CONT     BIT(52)
#define ARM_PTE_SW       BITS(58, 55) /* leaves: software's; tables: ignored */

/* Stage 1, two privilege levels. */
#define ARM_S1_ATTR  BITS(4, 2) /* index into MAIR */
#define ARM_S1_NS    BIT(5)
#define ARM_S1_AP_U  BIT(6) /* AP[1]: unprivileged access */
#define ARM_S1_AP_RO BIT(7) /* AP[2] */
#define ARM_S1_NG    BIT(11)
#define ARM_S1_PXN   BIT(53)
#define ARM_S1_UXN   BIT(54)
/* Hierarchical bits of table descriptors. */
#define ARM_S1_APTABLE_NOU BIT(61) /* APTable[0]: no unprivileged access below */
#define ARM_S1_APTABLE_RO  BIT(62) /* APTable[1]: no write below */
#define ARM_S1_PXNTABLE    BIT(59)
#define ARM_S1_UXNTABLE    BIT(60)

/* Stage 2. */
#define ARM_S2_ATTR        BITS(5, 2) /* without FWB */
#define ARM_S2_ATTR_WB     0xf
#define ARM_S2_ATTR_WT     0xa
#define ARM_S2_ATTR_NC     0x5
#define ARM_S2_ATTR_DEVICE 0x1 /* nGnRE */
#define ARM_S2_AP_R        BIT(6)
#define ARM_S2_AP_W        BIT(7)
#define ARM_S2_XN          BITS(54, 53)
#define ARM_S2_XN_NONE     0 /* executable by EL1 and EL0 */
#define ARM_S2_XN_EL1      1 /* FEAT_XNX: by EL0 alone */
#define ARM_S2_XN_ALL      2
#define ARM_S2_XN_EL0      3 /* FEAT_XNX: by EL1 alone */

/* SCTLR_EL1 (D17.2.118). */
#define ARM_SCTLR_M   BIT(0)
#define ARM_SCTLR_WXN BIT(19)
#define ARM_SCTLR_EE  BIT(25)

/* TCR_EL1 (D17.2.131): of the lower half; the upper half's stand ARM_TCR_UPPER places higher but as
 * named. */
#define ARM_TCR_T0SZ    BITS(5, 0)
#define ARM_TCR_EPD0    BIT(7)
#define ARM_TCR_TG0     BITS(15, 14)
#define ARM_TCR_TG0_4K  0
#define ARM_TCR_TG0_64K 1
#define ARM_TCR_TG0_16K 2
#define ARM_TCR_UPPER   16
#define ARM_TCR_TG1     BITS(31, 30)
#define ARM_TCR_TG1_16K 1
#define ARM_TCR_TG1_4K  2
#define ARM_TCR_TG1_64K 3
#define ARM_TCR_IPS     BITS(34, 32)
#define ARM_TCR_TBI0    BIT(37)
#define ARM_TCR_TBI1    BIT(38)
#define ARM_TCR_HA      BIT(39)
#define ARM_TCR_HD      BIT(40)
#define ARM_TCR_HPD0    BIT(41)
#define ARM_TCR_HPD1    BIT(42)
#define ARM_TCR_TBID0   BIT(51)
#define ARM_TCR_TBID1   BIT(52)
#define ARM_TCR_DS      BIT(59)

/* TTBRn_EL1 (D17.2.144): table address; with 52-bit addresses bits 5:2 are address bits 51:48. */
#define ARM_TTBR_BADDR BITS(47, 1)
#define ARM_TTBR_HIGH  BITS(5, 2)

/* Fault status codes (D17.2.37); the level is added. */
#define ARM_FSC_ADDRESS_SIZE         0x00
#define ARM_FSC_TRANSLATION          0x04
#define ARM_FSC_ACCESS_FLAG          0x08
#define ARM_FSC_PERMISSION           0x0c
#define ARM_FSC_ADDRESS_SIZE_MINUS_1 0x29
#define ARM_FSC_TRANSLATION_MINUS_1  0x2b

#endif

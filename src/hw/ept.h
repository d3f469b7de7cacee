/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Extended page tables: Intel SDM Volume 3C (326019-083), 29.3.2, tables 29-1 to 29-7.
 */
#ifndef VMM_HW_EPT_H
#define VMM_HW_EPT_H

#include "bits.h"

#define EPT_R     BIT(0)
#define EPT_W     BIT(1)
#define EPT_X     BIT(2)     /* with mode-based execute control: supervisor execution */
#define EPT_MT    BITS(5, 3) /* leaves */
#define EPT_MT_UC 0
#define EPT_MT_WC 1
#define EPT_MT_WT 4
#define EPT_MT_WP 5
#define EPT_MT_WB 6
#define EPT_IPAT  BIT(6) /* leaves: ignore the guest's PAT */
#define EPT_LEAF  BIT(7) /* above the last level */
#define EPT_A     BIT(8)
#define EPT_D     BIT(9)
#define EPT_XU    BIT(10) /* mode-based execute control: user execution; else ignored */
#define EPT_ADDR  BITS(51, 12)
#define EPT_AVL   BITS(56, 52) /* ignored at every level */

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * AMD I/O page tables, version 1: AMD I/O Virtualization Technology (IOMMU) Specification (48882,
 * rev. 3.08), 2.2.3, figures 8 and 9, tables 14 to 16.
 */
#ifndef VMM_HW_AMDVI_TABLE_H
#define VMM_HW_AMDVI_TABLE_H

#include "bits.h"

#define AMDVI_PR     BIT(0)
#define AMDVI_IGN    BITS(4, 1) /* ignored */
#define AMDVI_A      BIT(5)     /* with host accessed/dirty bits enabled; else ignored */
#define AMDVI_D      BIT(6)
#define AMDVI_NL     BITS(11, 9) /* next level; 0: leaf of this level's size */
#define AMDVI_NL_ODD 7           /* leaf whose size is told by the address field's lowest 0 bit */
#define AMDVI_ADDR   BITS(51, 12)
#define AMDVI_FC     BIT(60) /* leaves: force coherent (snooped) */
#define AMDVI_IR     BIT(61)
#define AMDVI_IW     BIT(62)

#endif

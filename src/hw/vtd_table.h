/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * VT-d second-stage tables: Intel Virtualization Technology for Directed I/O (D51397-016,
 * rev. 4.1), 9.8, second-stage paging entries. First-stage tables (9.7) are those of x86_paging.h.
 */
#ifndef VMM_HW_VTD_TABLE_H
#define VMM_HW_VTD_TABLE_H

#include "bits.h"

#define VTD_SS_R BIT(0)
#define VTD_SS_W BIT(1)
#define VTD_SS_EMT \
	BITS(5, 3) /* leaves; encoded as in EPT, ignored unless the PASID entry's EMTE is set */
#define VTD_SS_LEAF BIT(7) /* above the last level */
#define VTD_SS_A    BIT(8) /* with second-stage accessed/dirty bits enabled; else ignored */
#define VTD_SS_D    BIT(9)
#define VTD_SS_ADDR BITS(51, 12)
#define VTD_SS_AVL  BITS(61, 52) /* ignored */

#endif

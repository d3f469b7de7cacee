/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Formats of page tables, as data: docs/mmu.md has them side by side.
 *
 * Levels count from 0, the one of the smallest pages, up to the root.
 */
#ifndef VMM_MMU_PT_FORMAT_H
#define VMM_MMU_PT_FORMAT_H

#include <stdint.h>

struct vmm__pt;

#define VMM__PT_LEVELS     6
#define VMM__PT_PROT_INDEX 64 /* values of the two protection fields together */
#define VMM__PT_MEM_INDEX  16

/* Protection. Values of the first three are those of the public VMM_PROT_ bits. */
#define VMM__PROT_R  0x01U
#define VMM__PROT_W  0x02U
#define VMM__PROT_X  0x04U /* execute: supervisor's alone where VMM__PT_MODE_EXEC is set */
#define VMM__PROT_XU 0x08U /* execute in user mode, where VMM__PT_MODE_EXEC is set */
#define VMM__PROT_U  0x10U /* stage 1: belongs to user mode, and X means execution there */

#define VMM__PROT_COUNT 32U

/* MAIR_ELx for the stage 1 formats of Arm: write-back, write-through, non-cacheable, Device-nGnRE.
 */
#define VMM__ARM_MAIR UINT64_C(0x0444bbff)

/* Memory types. */
#define VMM__MEM_WB    0U /* write-back */
#define VMM__MEM_WT    1U /* write-through */
#define VMM__MEM_WC    2U /* write-combining; Arm: normal non-cacheable; AMD-Vi: not snooped */
#define VMM__MEM_UC    3U /* uncached; Arm: Device-nGnRE */
#define VMM__MEM_COUNT 4U
/* In a format's list: cannot be had. */
#define VMM__MEM_NONE UINT64_MAX

struct vmm__pt_format {
	const char *name;
	uint8_t shift;      /* log2 of the smallest page */
	uint8_t bits;       /* index bits of a table */
	uint8_t min_levels; /* of the tables' depth */
	uint8_t max_levels;
	uint8_t concat; /* index bits that a root of adjoining tables can have beyond @bits */
	uint8_t top;    /* highest level that may hold leaves */
	uint8_t max_ia; /* address widths */
	uint8_t max_oa;
	uint8_t split; /* VMM__PT_SPLIT_ */

	/* Address field: bits in their place, and bits that stand @high_shift places too low. */
	uint64_t addr, addr_high;
	uint8_t high_shift;
	uint8_t mark_bits; /* of @mark: 1, or one for each level but the root's */

	uint64_t present;           /* with none of these bits set, hardware ignores the entry */
	uint64_t present_mode_exec; /* nor of these, under VMM__PT_MODE_EXEC */
	uint64_t table;             /* set in an entry that leads to a table */
	uint64_t level_step;        /* added to that once for each level */
	/*
	 * Bits that the hardware ignores in entries which lead to tables, and that leaves do not
	 * have. Where entries tell their level (level_step) there is one for each.
	 */
	uint64_t mark;
	uint64_t leaf;       /* set in every leaf */
	uint64_t leaf_last;  /* and at level 0 */
	uint64_t leaf_upper; /* and above */
	uint64_t odd; /* set in leaves of sizes between the levels' (see pt_entry.h); 0: none */

	/*
	 * Bits for a protection under the table's flags, 0 if it cannot be had. They lie in two
	 * fields, of which the first has at most prot_low bits and both together at most six.
	 */
	uint64_t (*prot)(unsigned prot, uint32_t flags);
	uint8_t low_shift, low_bits;
	uint8_t top_shift, top_bits;
	uint64_t mem[VMM__MEM_COUNT];
	uint8_t mem_shift, mem_bits;

	/*
	 * Accessed and dirty bits. Dirty is (entry & mask) == value, or any bit of dirty_set;
	 * cleared, the mask's bits are dirty_clean. Without VMM__PT_AD leaves have the bits of
	 * @no_ad.
	 */
	uint64_t accessed;
	uint64_t dirty_mask, dirty_value, dirty_clean, dirty_set;
	uint64_t no_ad;

	/* Of formats with pages of 4 KiB and tables of 512 entries: translate for four levels. */
	uint64_t (*translate_4)(const struct vmm__pt *pt, uint64_t ia);
};

uint64_t vmm__pt_translate_4(const struct vmm__pt *pt, uint64_t ia);
uint64_t vmm__pt_translate_4_amdvi(const struct vmm__pt *pt, uint64_t ia);

extern const struct vmm__pt_format vmm__pt_ept, vmm__pt_npt, vmm__pt_x86, vmm__pt_vtd,
	vmm__pt_vtd_first, vmm__pt_amdvi;
/* Arm: stage, granule in KiB; _lpa2 with 52-bit addresses. smmu: the same for devices. */
extern const struct vmm__pt_format vmm__pt_arm_s2_4k, vmm__pt_arm_s2_16k, vmm__pt_arm_s2_64k,
	vmm__pt_arm_s2_4k_lpa2, vmm__pt_arm_s2_16k_lpa2, vmm__pt_arm_s1_4k, vmm__pt_arm_s1_16k,
	vmm__pt_arm_s1_64k, vmm__pt_arm_s1_4k_lpa2, vmm__pt_arm_s1_16k_lpa2;
extern const struct vmm__pt_format vmm__pt_smmu_s2_4k, vmm__pt_smmu_s2_16k, vmm__pt_smmu_s2_64k,
	vmm__pt_smmu_s1_4k, vmm__pt_smmu_s1_16k, vmm__pt_smmu_s1_64k;

#endif

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "pt_format.h"

#include <stdbool.h>

#include "amdvi_table.h"
#include "arm_vmsa.h"
#include "bits.h"
#include "ept.h"
#include "pt.h"
#include "vtd_table.h"
#include "x86_paging.h"

/* Bit 55 is ignored in entries that lead to tables by all formats but AMD-Vi's, which reserves it.
 */
#define MARKED .mark = BIT(55), .mark_bits = 1

/* Software's own in Arm leaves: written through this mapping before write access was taken away. */
#define ARM_DIRTY_SW BIT(56)

static uint64_t x86_prot(unsigned prot, uint32_t flags)
{
	(void)flags;
	if (!(prot & VMM__PROT_R) || (prot & VMM__PROT_XU))
		return 0;
	return X86_PTE_P | (prot & VMM__PROT_W ? X86_PTE_RW : 0) |
	       (prot & VMM__PROT_U ? X86_PTE_US : 0) | (prot & VMM__PROT_X ? 0 : X86_PTE_NX);
}

/* APM2 15.25.5: nested walks are user accesses, so that every entry has US. */
static uint64_t npt_prot(unsigned prot, uint32_t flags)
{
	if (prot & VMM__PROT_U)
		return 0;
	return x86_prot(prot | VMM__PROT_U, flags);
}

/* SDM 29.3.3.1: writable without readable is a misconfiguration. */
static uint64_t ept_prot(unsigned prot, uint32_t flags)
{
	bool x = prot & (VMM__PROT_X | VMM__PROT_XU);

	if (prot & VMM__PROT_U || (prot & VMM__PROT_XU && !(flags & VMM__PT_MODE_EXEC)))
		return 0;
	if (!(prot & VMM__PROT_R) && (prot & VMM__PROT_W || !x || flags & VMM__PT_NO_EXEC_ONLY))
		return 0;
	return (prot & VMM__PROT_R ? EPT_R : 0) | (prot & VMM__PROT_W ? EPT_W : 0) |
	       (prot & VMM__PROT_X ? EPT_X : 0) | (prot & VMM__PROT_XU ? EPT_XU : 0);
}

/* Devices: execution is not told from reading. */
static uint64_t vtd_prot(unsigned prot, uint32_t flags)
{
	(void)flags;
	if (prot & ~(VMM__PROT_R | VMM__PROT_W))
		return 0;
	return (prot & VMM__PROT_R ? VTD_SS_R : 0) | (prot & VMM__PROT_W ? VTD_SS_W : 0);
}

static uint64_t amdvi_prot(unsigned prot, uint32_t flags)
{
	(void)flags;
	if (prot & ~(VMM__PROT_R | VMM__PROT_W))
		return 0;
	return (prot & VMM__PROT_R ? AMDVI_IR : 0) | (prot & VMM__PROT_W ? AMDVI_IW : 0);
}

/* With dirty bits, a writable page begins clean: DBM set and not yet writable (D8.4.6). */
static uint64_t arm_s2_prot(unsigned prot, uint32_t flags)
{
	bool both = prot & VMM__PROT_X && (prot & VMM__PROT_XU || !(flags & VMM__PT_MODE_EXEC));
	uint64_t xn = both                  ? ARM_S2_XN_NONE
		      : prot & VMM__PROT_XU ? ARM_S2_XN_EL1
		      : prot & VMM__PROT_X  ? ARM_S2_XN_EL0
					    : ARM_S2_XN_ALL;

	if (!(prot & VMM__PROT_R) || prot & VMM__PROT_U ||
	    (prot & VMM__PROT_XU && !(flags & VMM__PT_MODE_EXEC)))
		return 0;
	return ARM_S2_AP_R | FIELD_PUT(ARM_S2_XN, xn) |
	       (!(prot & VMM__PROT_W) ? 0
		: flags & VMM__PT_AD  ? ARM_PTE_DBM
				      : ARM_S2_AP_W);
}

/*
 * D8.4.1: what user mode may write, privileged mode cannot execute; the two execute permissions are
 * kept apart anyhow.
 */
static uint64_t arm_s1_prot(unsigned prot, uint32_t flags)
{
	bool user = prot & VMM__PROT_U, x = prot & VMM__PROT_X;
	bool clean = prot & VMM__PROT_W && flags & VMM__PT_AD;

	if (!(prot & VMM__PROT_R) || prot & VMM__PROT_XU)
		return 0;
	return (user ? ARM_S1_AP_U : 0) | (prot & VMM__PROT_W && !clean ? 0 : ARM_S1_AP_RO) |
	       (clean ? ARM_PTE_DBM : 0) | (user || !x ? ARM_S1_PXN : 0) |
	       (!user || !x ? ARM_S1_UXN : 0);
}

/* PAT as at reset: WB, WT, UC-, UC in entries 0 to 3; write-combining has none. */
#define X86_ENTRY                                                                                \
	.addr = X86_PTE_ADDR, .present = X86_PTE_P, MARKED,                                      \
	.table = X86_PTE_P | X86_PTE_RW | X86_PTE_US | X86_PTE_A, .leaf_upper = X86_PTE_PS,      \
	.low_shift = 0, .low_bits = 3, .top_shift = 63, .top_bits = 1,                           \
	.mem = {0, X86_PTE_PWT, VMM__MEM_NONE, X86_PTE_PCD | X86_PTE_PWT}, .mem_shift = 3,       \
	.mem_bits = 2, .accessed = X86_PTE_A, .dirty_mask = X86_PTE_D, .dirty_value = X86_PTE_D, \
	.dirty_set = X86_PTE_D, .no_ad = X86_PTE_A | X86_PTE_D, .translate_4 = vmm__pt_translate_4

const struct vmm__pt_format vmm__pt_x86 = {
	.name = "x86",
	.shift = 12,
	.bits = 9,
	.min_levels = 4,
	.max_levels = 5,
	.top = 2,
	.max_ia = 57,
	.max_oa = 52,
	.split = VMM__PT_SPLIT_LIVE,
	X86_ENTRY,
	.prot = x86_prot,
};

const struct vmm__pt_format vmm__pt_npt = {
	.name = "npt",
	.shift = 12,
	.bits = 9,
	.min_levels = 4,
	.max_levels = 5,
	.top = 2,
	.max_ia = 57,
	.max_oa = 52,
	.split = VMM__PT_SPLIT_LIVE,
	X86_ENTRY,
	.prot = npt_prot,
};

/* VT-d 9.7: first-stage tables are those of the processor. */
const struct vmm__pt_format vmm__pt_vtd_first = {
	.name = "vtd-first",
	.shift = 12,
	.bits = 9,
	.min_levels = 4,
	.max_levels = 5,
	.top = 2,
	.max_ia = 57,
	.max_oa = 52,
	.split = VMM__PT_SPLIT_NEVER,
	X86_ENTRY,
	.prot = npt_prot,
};

#define EPT_MEM                                                                    \
	{                                                                          \
		FIELD_PUT(EPT_MT, EPT_MT_WB), FIELD_PUT(EPT_MT, EPT_MT_WT),        \
			FIELD_PUT(EPT_MT, EPT_MT_WC), FIELD_PUT(EPT_MT, EPT_MT_UC) \
	}

const struct vmm__pt_format vmm__pt_ept = {
	.name = "ept",
	.shift = 12,
	.bits = 9,
	.min_levels = 4,
	.max_levels = 5,
	.top = 2,
	.max_ia = 57,
	.max_oa = 52,
	.split = VMM__PT_SPLIT_LIVE,
	.addr = EPT_ADDR,
	.present = EPT_R | EPT_W | EPT_X,
	.present_mode_exec = EPT_XU,
	MARKED,
	.table = EPT_R | EPT_W | EPT_X | EPT_XU | EPT_A,
	.leaf_upper = EPT_LEAF,
	.prot = ept_prot,
	.low_shift = 0,
	.low_bits = 3,
	.top_shift = 10,
	.top_bits = 1,
	.mem = EPT_MEM,
	.mem_shift = 3,
	.mem_bits = 3,
	.accessed = EPT_A,
	.dirty_mask = EPT_D,
	.dirty_value = EPT_D,
	.dirty_set = EPT_D,
	.translate_4 = vmm__pt_translate_4,
};

const struct vmm__pt_format vmm__pt_vtd = {
	.name = "vtd",
	.shift = 12,
	.bits = 9,
	.min_levels = 3,
	.max_levels = 5,
	.top = 2,
	.max_ia = 57,
	.max_oa = 52,
	.split = VMM__PT_SPLIT_NEVER,
	.addr = VTD_SS_ADDR,
	.present = VTD_SS_R | VTD_SS_W,
	MARKED,
	.table = VTD_SS_R | VTD_SS_W | VTD_SS_A,
	.leaf_upper = VTD_SS_LEAF,
	.prot = vtd_prot,
	.low_shift = 0,
	.low_bits = 2,
	.mem = EPT_MEM,
	.mem_shift = 3,
	.mem_bits = 3,
	.accessed = VTD_SS_A,
	.dirty_mask = VTD_SS_D,
	.dirty_value = VTD_SS_D,
	.dirty_set = VTD_SS_D,
	.translate_4 = vmm__pt_translate_4,
};

/* Levels of the specification count from 1: an entry of level n here leads to its level n. */
const struct vmm__pt_format vmm__pt_amdvi = {
	.name = "amdvi",
	.shift = 12,
	.bits = 9,
	.min_levels = 1,
	.max_levels = 6,
	.top = 4,
	.max_ia = 64,
	.max_oa = 52,
	.split = VMM__PT_SPLIT_NEVER,
	.addr = AMDVI_ADDR,
	.present = AMDVI_PR,
	.mark = AMDVI_IGN,
	.mark_bits = 4,
	.table = AMDVI_PR | AMDVI_A | AMDVI_IR | AMDVI_IW,
	.level_step = FIELD_PUT(AMDVI_NL, 1),
	.leaf = AMDVI_PR,
	.odd = FIELD_PUT(AMDVI_NL, AMDVI_NL_ODD),
	.prot = amdvi_prot,
	.top_shift = 61,
	.top_bits = 2,
	.mem = {AMDVI_FC, VMM__MEM_NONE, 0, VMM__MEM_NONE},
	.mem_shift = 60,
	.mem_bits = 1,
	.accessed = AMDVI_A,
	.dirty_mask = AMDVI_D,
	.dirty_value = AMDVI_D,
	.dirty_set = AMDVI_D,
	.translate_4 = vmm__pt_translate_4_amdvi,
};

#define SH_INNER FIELD_PUT(ARM_PTE_SH, ARM_PTE_SH_INNER)

/* Normal memory is inner shareable; with 52-bit addresses TCR says it for all. */
#define ARM_S2_ENTRY(sh)                                                                           \
	MARKED, .present = ARM_PTE_VALID, .table = ARM_PTE_VALID | ARM_PTE_TABLE,                  \
		.leaf = ARM_PTE_VALID, .leaf_last = ARM_PTE_PAGE, .prot = arm_s2_prot,             \
		.low_shift = 6, .low_bits = 2, .top_shift = 51, .top_bits = 4,                     \
		.mem = {FIELD_PUT(ARM_S2_ATTR, ARM_S2_ATTR_WB) | (sh),                             \
			FIELD_PUT(ARM_S2_ATTR, ARM_S2_ATTR_WT) | (sh),                             \
			FIELD_PUT(ARM_S2_ATTR, ARM_S2_ATTR_NC) | (sh),                             \
			FIELD_PUT(ARM_S2_ATTR, ARM_S2_ATTR_DEVICE)},                               \
		.mem_shift = 2, .mem_bits = 4, .accessed = ARM_PTE_AF,                             \
		.dirty_mask = ARM_PTE_DBM | ARM_S2_AP_W, .dirty_value = ARM_PTE_DBM | ARM_S2_AP_W, \
		.dirty_clean = ARM_PTE_DBM, .dirty_set = ARM_DIRTY_SW, .no_ad = ARM_PTE_AF

/* MAIR has to be VMM__ARM_MAIR. */
#define ARM_S1_ENTRY(sh)                                                                    \
	MARKED, .present = ARM_PTE_VALID, .table = ARM_PTE_VALID | ARM_PTE_TABLE,           \
		.leaf = ARM_PTE_VALID, .leaf_last = ARM_PTE_PAGE, .prot = arm_s1_prot,      \
		.low_shift = 6, .low_bits = 2, .top_shift = 51, .top_bits = 4,              \
		.mem = {FIELD_PUT(ARM_S1_ATTR, 0) | (sh), FIELD_PUT(ARM_S1_ATTR, 1) | (sh), \
			FIELD_PUT(ARM_S1_ATTR, 2) | (sh), FIELD_PUT(ARM_S1_ATTR, 3)},       \
		.mem_shift = 2, .mem_bits = 3, .accessed = ARM_PTE_AF,                      \
		.dirty_mask = ARM_PTE_DBM | ARM_S1_AP_RO, .dirty_value = ARM_PTE_DBM,       \
		.dirty_clean = ARM_PTE_DBM | ARM_S1_AP_RO, .dirty_set = ARM_DIRTY_SW,       \
		.no_ad = ARM_PTE_AF

/* D8.2: granules, blocks and starting levels; stage 2 begins with up to 16 adjoining tables. */
#define ARM_4K                                                                                 \
	.shift = 12, .bits = 9, .top = 2, .addr = ARM_PTE_ADDR_4K, .max_ia = 48, .max_oa = 48, \
	.translate_4 = vmm__pt_translate_4
#define ARM_16K \
	.shift = 14, .bits = 11, .top = 1, .addr = ARM_PTE_ADDR_16K, .max_ia = 48, .max_oa = 48
#define ARM_64K                                                                                  \
	.shift = 16, .bits = 13, .top = 1, .addr = ARM_PTE_ADDR_64K, .max_ia = 52, .max_oa = 52, \
	.addr_high = ARM_PTE_ADDR_LPA, .high_shift = 36
/* FEAT_LPA2: address bits 49:48 in their place. Blocks of 512 GiB and 64 GiB as well. */
#define ARM_4K_LPA2                                                                             \
	.shift = 12, .bits = 9, .top = 3, .addr = BITS(49, 12), .addr_high = ARM_PTE_ADDR_LPA2, \
	.high_shift = 42, .max_ia = 52, .max_oa = 52
#define ARM_16K_LPA2                                                                             \
	.shift = 14, .bits = 11, .top = 2, .addr = BITS(49, 14), .addr_high = ARM_PTE_ADDR_LPA2, \
	.high_shift = 42, .max_ia = 52, .max_oa = 52

#define ARM_S2(suffix, text, geometry, most, sh)                                       \
	const struct vmm__pt_format vmm__pt_arm_s2_##suffix = {.name = "arm-s2-" text, \
							       geometry,               \
							       ARM_S2_ENTRY(sh),       \
							       .min_levels = 1,        \
							       .max_levels = most,     \
							       .concat = 4,            \
							       .split = VMM__PT_SPLIT_BREAK}
#define ARM_S1(suffix, text, geometry, most, sh)                                       \
	const struct vmm__pt_format vmm__pt_arm_s1_##suffix = {.name = "arm-s1-" text, \
							       geometry,               \
							       ARM_S1_ENTRY(sh),       \
							       .min_levels = 1,        \
							       .max_levels = most,     \
							       .split = VMM__PT_SPLIT_BREAK}
#define SMMU_S2(suffix, text, geometry, most)                                            \
	const struct vmm__pt_format vmm__pt_smmu_s2_##suffix = {.name = "smmu-s2-" text, \
								geometry,                \
								ARM_S2_ENTRY(SH_INNER),  \
								.min_levels = 1,         \
								.max_levels = most,      \
								.concat = 4,             \
								.split = VMM__PT_SPLIT_NEVER}
#define SMMU_S1(suffix, text, geometry, most)                                            \
	const struct vmm__pt_format vmm__pt_smmu_s1_##suffix = {.name = "smmu-s1-" text, \
								geometry,                \
								ARM_S1_ENTRY(SH_INNER),  \
								.min_levels = 1,         \
								.max_levels = most,      \
								.split = VMM__PT_SPLIT_NEVER}

ARM_S2(4k, "4k", ARM_4K, 4, SH_INNER);
ARM_S2(16k, "16k", ARM_16K, 4, SH_INNER);
ARM_S2(64k, "64k", ARM_64K, 3, SH_INNER);
ARM_S2(4k_lpa2, "4k-lpa2", ARM_4K_LPA2, 5, 0);
ARM_S2(16k_lpa2, "16k-lpa2", ARM_16K_LPA2, 4, 0);
ARM_S1(4k, "4k", ARM_4K, 4, SH_INNER);
ARM_S1(16k, "16k", ARM_16K, 4, SH_INNER);
ARM_S1(64k, "64k", ARM_64K, 3, SH_INNER);
ARM_S1(4k_lpa2, "4k-lpa2", ARM_4K_LPA2, 5, 0);
ARM_S1(16k_lpa2, "16k-lpa2", ARM_16K_LPA2, 4, 0);
SMMU_S2(4k, "4k", ARM_4K, 4);
SMMU_S2(16k, "16k", ARM_16K, 4);
SMMU_S2(64k, "64k", ARM_64K, 3);
SMMU_S1(4k, "4k", ARM_4K, 4);
SMMU_S1(16k, "16k", ARM_16K, 4);
SMMU_S1(64k, "64k", ARM_64K, 3);

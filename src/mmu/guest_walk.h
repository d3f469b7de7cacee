/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The guest's own page tables, walked as its processor would, for instruction fetch, MMIO and
 * debuggers. Nothing is written: accessed and dirty bits stay as they are. Every byte comes through
 * the caller's accessor, which checks the address; what tables hold is trusted with nothing.
 */
#ifndef VMM_MMU_GUEST_WALK_H
#define VMM_MMU_GUEST_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libvmm/types.h"

struct vmm__guest_memory {
	/* 0, or a negative error that ends the walk. Never more than 8 bytes, aligned to their
	 * number. */
	int (*read)(void *ctx, uint64_t gpa, void *buf, size_t bytes);
	void *ctx;
};

/* Kind of access. A plain read is 0. */
#define VMM__ACCESS_WRITE 1U
#define VMM__ACCESS_FETCH 2U
#define VMM__ACCESS_USER  4U
#define VMM__ACCESS_IMPLICIT \
	8U /* x86: descriptor tables, TSS: supervisor whatever the CPL, AC does not help */
#define VMM__ACCESS_DEBUG \
	16U /* of nobody: the mapping alone is asked for, no permission is checked */

struct vmm__guest_page {
	uint64_t gpa;                    /* of the byte asked for */
	uint8_t shift;                   /* log2 of the page's size; 32 or more without paging */
	bool writable, user, executable; /* all levels together; executable by whom @user tells, on
					    Arm by the asker */
	uint8_t attributes;              /* Arm: the byte of MAIR; x86: the PAT index */
	/*
	 * After -VMM_EFAULT: x86 the error code of the page fault; Arm the fault status code (DFSC,
	 * IFSC of ESR_ELx, D17.2.37).
	 */
	uint32_t fault;
};

struct vmm__x86_paging {
	uint64_t cr0, cr3, cr4, efer, rflags;
	uint64_t pdpte[4]; /* PAE: as the processor holds them, if pdpte_held */
	uint32_t pkru;
	uint8_t phys_bits; /* MAXPHYADDR: higher address bits are reserved */
	bool pdpte_held;   /* else they are read at CR3 */
	bool no_1g;        /* the guest's processor has no 1 GiB pages */
};

/**
 * vmm__x86_guest_walk() - Guest-physical address of a linear address, in any paging mode.
 *
 * Checked: present, reserved bits, U/S, R/W with CR0.WP, NX, SMEP, SMAP with RFLAGS.AC, protection
 * keys.
 *
 * Return: 0; -VMM_EFAULT the guest gets a page fault; -VMM_ERANGE the address is not canonical (a
 * general-protection or stack fault); what the accessor gave when a table could not be read.
 */
int vmm__x86_guest_walk(const struct vmm__x86_paging *p, const struct vmm__guest_memory *memory,
			uint64_t gva, unsigned access, struct vmm__guest_page *page);

struct vmm__arm_paging {
	uint64_t sctlr, tcr, ttbr0, ttbr1, mair; /* of EL1 */
	bool pan;                                /* PSTATE.PAN */
	uint8_t phys_bits;                       /* of the guest: narrows TCR_EL1.IPS */
};

/**
 * vmm__arm_guest_walk() - Intermediate-physical address of a virtual one: AArch64, EL1&0, stage 1.
 *
 * Checked: the halves and their widths with tags, EPDn, valid, address size, access flag (unless
 * the hardware sets it), permissions with those of tables, WXN, PAN, dirty-state management.
 *
 * Return: 0; -VMM_EFAULT the guest gets an abort; what the accessor gave when a table could not be
 * read.
 */
int vmm__arm_guest_walk(const struct vmm__arm_paging *p, const struct vmm__guest_memory *memory,
			uint64_t va, unsigned access, struct vmm__guest_page *page);

#endif

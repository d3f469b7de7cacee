/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* How guests of these tests begin: in 64-bit mode, all flat. */
#ifndef TESTS_BARE_LONG_MODE_H
#define TESTS_BARE_LONG_MODE_H

#include "libvmm/x86.h"

/* The first descriptors: none, code, data. */
#define LONG_MODE_GDT 0, UINT64_C(0x00af9b000000ffff), UINT64_C(0x00cf93000000ffff)

/* Where the guest has its descriptors and its page tables. */
#define GDT    0x500
#define TABLES 0x1000

static inline void set_long_mode(struct vmm_x86_sys *sys, uint16_t gdt_bytes)
{
	const struct vmm_x86_segment data = {.limit = UINT32_MAX,
					     .attr = VMM_X86_SEG_TYPE(3) | VMM_X86_SEG_S |
						     VMM_X86_SEG_P | VMM_X86_SEG_G | VMM_X86_SEG_DB,
					     .selector = 0x10};

	sys->ds = sys->es = sys->fs = sys->gs = sys->ss = data;
	sys->cs = data;
	sys->cs.selector = 8;
	sys->cs.attr = VMM_X86_SEG_TYPE(11) | VMM_X86_SEG_S | VMM_X86_SEG_P | VMM_X86_SEG_G |
		       VMM_X86_SEG_L;
	sys->gdt = (struct vmm_x86_table){.base = GDT, .limit = (uint16_t)(gdt_bytes - 1)};
	sys->cr0 = 0x80000011;
	sys->cr3 = TABLES;
	sys->cr4 = 0x620;
	sys->efer = 0x500;
}

#endif

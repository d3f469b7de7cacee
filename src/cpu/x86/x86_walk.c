// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Paging in all its modes: SDM 3A 4.3 (32-bit), 4.4 (PAE), 4.5 (4 and 5 levels); APM 2, 5. */
#include "x86_walk.h"

#include <stdbool.h>

#include "bits.h"
#include "endian.h"
#include "libvmm/mem.h"

#define CR0_WP    BIT(16)
#define CR0_PG    BIT(31)
#define CR4_PSE   BIT(4)
#define CR4_PAE   BIT(5)
#define CR4_LA57  BIT(12)
#define CR4_SMEP  BIT(20)
#define EFER_LMA  BIT(10)
#define EFER_NXE  BIT(11)
#define PTE_P     BIT(0)
#define PTE_RW    BIT(1)
#define PTE_US    BIT(2)
#define PTE_PS    BIT(7)
#define PTE_NX    BIT(63)
#define ADDR_MASK BITS(51, 12)

/* What all levels of a walk together allow. */
struct rights {
	bool write;
	bool user;
	bool exec;
};

static void narrow(struct rights *r, uint64_t entry, bool nx)
{
	r->write &= (entry & PTE_RW) != 0;
	r->user &= (entry & PTE_US) != 0;
	r->exec &= !(nx && (entry & PTE_NX));
}

static bool allowed(const struct vmm_x86_sys *sys, const struct rights *r, uint32_t prot)
{
	bool user = (sys->ss.attr & VMM_X86_SEG_DPL(3)) == VMM_X86_SEG_DPL(3);

	if (prot == 0)
		return true;
	if (user && !r->user)
		return false;
	if ((prot & VMM_PROT_WRITE) && !r->write && (user || (sys->cr0 & CR0_WP)))
		return false;
	if ((prot & VMM_PROT_EXEC) && (!r->exec || (!user && r->user && (sys->cr4 & CR4_SMEP))))
		return false;
	return true;
}

/* 32-bit paging: two levels of 1024 entries of 4 bytes; 4 MiB pages reach above 4 GiB. */
static int walk_32(const struct vmm_x86_sys *sys, const struct vmm__x86_walk_memory *memory,
		   uint32_t gva, struct rights *r, uint64_t *gpa)
{
	uint64_t table = sys->cr3 & BITS(31, 12);

	for (unsigned shift = 22;; shift -= 10) {
		uint8_t raw[4];
		uint64_t entry;

		if (memory->read(memory->opaque, table + 4 * (gva >> shift & 1023), raw, 4) != 0)
			return -VMM_EFAULT;
		entry = vmm__le32(raw);
		if (!(entry & PTE_P))
			return -VMM_EFAULT;
		narrow(r, entry, false);
		if (shift == 22 && (entry & PTE_PS) && (sys->cr4 & CR4_PSE)) {
			*gpa = (entry & BITS(31, 22)) | FIELD_GET(BITS(20, 13), entry) << 32 |
			       (gva & BITS(21, 0));
			return 0;
		}
		table = entry & BITS(31, 12);
		if (shift == 12) {
			*gpa = table | (gva & 0xfff);
			return 0;
		}
	}
}

/* Tables of 512 entries of 8 bytes from the one at @table, whose index begins at bit @shift. */
static int walk_64(const struct vmm_x86_sys *sys, const struct vmm__x86_walk_memory *memory,
		   uint64_t gva, uint64_t table, unsigned shift, struct rights *r, uint64_t *gpa)
{
	bool nx = (sys->efer & EFER_NXE) != 0;

	for (;; shift -= 9) {
		uint8_t raw[8];
		uint64_t entry, offset = BIT(shift) - 1;

		if (memory->read(memory->opaque, table + 8 * (gva >> shift & 511), raw, 8) != 0)
			return -VMM_EFAULT;
		entry = vmm__le64(raw);
		if (!(entry & PTE_P))
			return -VMM_EFAULT;
		narrow(r, entry, nx);
		if (shift == 12 || (shift <= 30 && (entry & PTE_PS))) {
			*gpa = (entry & ADDR_MASK & ~offset) | (gva & offset);
			return 0;
		}
		table = entry & ADDR_MASK;
	}
}

static int walk_pae(const struct vmm_x86_sys *sys, const struct vmm__x86_walk_memory *memory,
		    uint32_t gva, struct rights *r, uint64_t *gpa)
{
	uint64_t entry = sys->pdptr[gva >> 30];
	uint8_t raw[8];

	if (!(sys->flags & VMM_X86_SYS_PDPTRS)) {
		uint64_t at = (sys->cr3 & BITS(31, 5)) + 8 * (gva >> 30);

		if (memory->read(memory->opaque, at, raw, 8) != 0)
			return -VMM_EFAULT;
		entry = vmm__le64(raw);
	}
	if (!(entry & PTE_P))
		return -VMM_EFAULT;
	return walk_64(sys, memory, gva, entry & ADDR_MASK, 21, r, gpa);
}

int vmm__x86_walk(const struct vmm_x86_sys *sys, const struct vmm__x86_walk_memory *memory,
		  uint64_t gva, uint32_t prot, uint64_t *gpa)
{
	struct rights r = {true, true, true};
	uint64_t found;
	int ret;

	if (!(sys->cr0 & CR0_PG)) {
		*gpa = gva & BITS(31, 0);
		return 0;
	}
	if (sys->efer & EFER_LMA) {
		unsigned bits = sys->cr4 & CR4_LA57 ? 57 : 48;
		uint64_t high = gva >> (bits - 1);

		if (high != 0 && high != UINT64_MAX >> (bits - 1)) /* not canonical */
			return -VMM_EFAULT;
		ret = walk_64(sys, memory, gva, sys->cr3 & ADDR_MASK, bits - 9, &r, &found);
	} else if (sys->cr4 & CR4_PAE) {
		ret = walk_pae(sys, memory, (uint32_t)gva, &r, &found);
	} else {
		ret = walk_32(sys, memory, (uint32_t)gva, &r, &found);
	}
	if (ret != 0 || !allowed(sys, &r, prot))
		return -VMM_EFAULT;
	*gpa = found;
	return 0;
}

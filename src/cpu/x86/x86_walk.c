// SPDX-License-Identifier: BSD-2-Clause-Patent
/* From a vCPU's registers to the guest walker of the memory engine. */
#include "x86_walk.h"

#include "bits.h"
#include "libvmm/mem.h"
#include "x86_paging.h"

static bool is_user(const struct vmm_x86_sys *sys)
{
	return (sys->ss.attr & VMM_X86_SEG_DPL(3)) == VMM_X86_SEG_DPL(3);
}

/* The guest's MAXPHYADDR is not among the registers: the most there can be. */
static struct vmm__x86_paging paging(const struct vmm_x86_sys *sys)
{
	struct vmm__x86_paging p = {
		.cr0 = sys->cr0,
		.cr3 = sys->cr3,
		.cr4 = sys->cr4 & ~(uint64_t)(X86_CR4_SMAP | X86_CR4_PKE),
		.efer = sys->efer,
		.phys_bits = 52,
		.pdpte_held = (sys->flags & VMM_X86_SYS_PDPTRS) != 0,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(p.pdpte); i++)
		p.pdpte[i] = sys->pdptr[i];
	return p;
}

int vmm__x86_walk(const struct vmm_x86_sys *sys, const struct vmm__guest_memory *memory,
		  uint64_t gva, uint32_t prot, uint64_t *gpa)
{
	static const struct {
		uint32_t prot;
		unsigned access;
	} kinds[] = {{VMM_PROT_READ, 0},
		     {VMM_PROT_WRITE, VMM__ACCESS_WRITE},
		     {VMM_PROT_EXEC, VMM__ACCESS_FETCH}};
	const struct vmm__x86_paging p = paging(sys);
	unsigned user = is_user(sys) ? VMM__ACCESS_USER : 0;
	struct vmm__guest_page page;
	int r = vmm__x86_guest_walk(&p, memory, gva, VMM__ACCESS_DEBUG, &page);

	for (unsigned i = 0; i < ARRAY_SIZE(kinds) && r == 0; i++) {
		if (prot & kinds[i].prot)
			r = vmm__x86_guest_walk(&p, memory, gva, kinds[i].access | user, &page);
	}
	if (r != 0)
		return -VMM_EFAULT;
	*gpa = page.gpa;
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* SDM 3A chapter 4 and APM2 chapter 5: the modes of paging; SDM 3A 4.6 and APM2 5.6: rights. */
#include "bits.h"
#include "endian.h"
#include "guest_walk.h"
#include "sync.h"
#include "x86_paging.h"

struct walk {
	const struct vmm__x86_paging *p;
	const struct vmm__guest_memory *memory;
	struct vmm__guest_page *page;
	unsigned access;
	uint64_t gva;
	uint64_t leaf;
};

static bool supervisor(const struct walk *w)
{
	return !(w->access & VMM__ACCESS_USER) || w->access & VMM__ACCESS_IMPLICIT;
}

/* APM2 8.4.2: the bit of a fetch is defined only where a fetch can be refused as one. */
static int fault(const struct walk *w, uint64_t code)
{
	const struct vmm__x86_paging *p = w->p;
	bool nx = p->efer & X86_EFER_NXE && (p->cr4 & X86_CR4_PAE || p->efer & X86_EFER_LMA);

	if (w->access & VMM__ACCESS_WRITE)
		code |= X86_PFEC_RW;
	if (!supervisor(w))
		code |= X86_PFEC_US;
	if (w->access & VMM__ACCESS_FETCH && (nx || p->cr4 & X86_CR4_SMEP))
		code |= X86_PFEC_ID;
	w->page->fault = (uint32_t)code;
	return -VMM_EFAULT;
}

static int read_entry(const struct walk *w, uint64_t at, unsigned bytes, uint64_t *entry)
{
	uint8_t raw[8];
	int r = w->memory->read(w->memory->ctx, at, raw, bytes);

	if (r == 0)
		*entry = bytes == 4 ? vmm__le32(raw) : vmm__le64(raw);
	return r;
}

/* SDM 3A 4.6.2: keys guard data on user pages, against the supervisor too. */
static bool key_refuses(const struct walk *w)
{
	const struct vmm__x86_paging *p = w->p;
	uint32_t bits = p->pkru >> (2 * FIELD_GET(X86_PTE_PK, w->leaf));

	if (!(p->efer & X86_EFER_LMA) || !(p->cr4 & X86_CR4_PKE) || !w->page->user ||
	    w->access & VMM__ACCESS_FETCH)
		return false;
	return bits & 1 || (bits & 2 && w->access & VMM__ACCESS_WRITE &&
			    (!supervisor(w) || p->cr0 & X86_CR0_WP));
}

static bool rights_refuse(const struct walk *w)
{
	const struct vmm__guest_page *page = w->page;
	const struct vmm__x86_paging *p = w->p;

	if (w->access & VMM__ACCESS_WRITE && !page->writable &&
	    (!supervisor(w) || p->cr0 & X86_CR0_WP))
		return true;
	if (w->access & VMM__ACCESS_FETCH && !page->executable)
		return true;
	if (!supervisor(w))
		return !page->user;
	if (!page->user)
		return false;
	if (w->access & VMM__ACCESS_FETCH)
		return (p->cr4 & X86_CR4_SMEP) != 0;
	return p->cr4 & X86_CR4_SMAP &&
	       (w->access & VMM__ACCESS_IMPLICIT || !(p->rflags & X86_RFLAGS_AC));
}

/*
 * What a walk ends with: the page that @leaf maps, of 1 << @shift bytes, at @base. @all and @any
 * are the bits of all entries on the way, ANDed and ORed.
 */
static int arrive(struct walk *w, uint64_t leaf, uint64_t all, uint64_t any, uint64_t base,
		  unsigned shift)
{
	bool key;

	w->leaf = leaf;
	w->page->writable = (all & X86_PTE_RW) != 0;
	w->page->user = (all & X86_PTE_US) != 0;
	w->page->executable = !(w->p->efer & X86_EFER_NXE && any & X86_PTE_NX);
	w->page->gpa = base | (w->gva & (BIT(shift) - 1));
	w->page->shift = (uint8_t)shift;
	w->page->attributes =
		(uint8_t)(FIELD_GET(X86_PTE_PWT | X86_PTE_PCD, leaf) |
			  (leaf & (shift == 12 ? X86_PTE_PS : X86_PTE_PAT_L) ? 4 : 0));
	if (w->access & VMM__ACCESS_DEBUG)
		return 0;
	key = key_refuses(w);
	if (key || rights_refuse(w))
		return fault(w, X86_PFEC_P | (key ? X86_PFEC_PK : 0));
	return 0;
}

/* Two levels of 1024 entries of 4 bytes. PSE-36 puts address bits 39:32 into bits 20:13. */
static int walk_32(struct walk *w)
{
	uint64_t wide = BITS(63, w->p->phys_bits), upper, e, high;
	int r = read_entry(w, (w->p->cr3 & BITS(31, 12)) + 4 * (w->gva >> 22), 4, &e);

	if (r != 0)
		return r;
	if (!(e & X86_PTE_P))
		return fault(w, 0);
	if (e & X86_PTE_PS && w->p->cr4 & X86_CR4_PSE) {
		high = FIELD_GET(X86_PDE32_LARGE_HIGH, e) << 32;
		if (e & X86_PDE32_LARGE_RSVD || high & wide)
			return fault(w, X86_PFEC_P | X86_PFEC_RSV);
		return arrive(w, e, e, 0, (e & X86_PDE32_LARGE_ADDR) | high, 22);
	}
	upper = e;
	r = read_entry(w, (e & X86_PDE32_ADDR) + 4 * (w->gva >> 12 & 1023), 4, &e);
	if (r != 0)
		return r;
	if (!(e & X86_PTE_P))
		return fault(w, 0);
	return arrive(w, e, upper & e, 0, e & X86_PDE32_ADDR, 12);
}

/* Bits that must be zero in every entry. */
static uint64_t reserved(const struct vmm__x86_paging *p)
{
	uint64_t bits = p->phys_bits < 52 ? BITS(51, p->phys_bits) : 0;

	if (!(p->efer & X86_EFER_NXE))
		bits |= X86_PTE_NX;
	if (!(p->efer & X86_EFER_LMA))
		bits |= BITS(62, 52);
	return bits;
}

/* And in one with PS that maps 1 << @shift bytes, or may not be there at all. */
static uint64_t reserved_large(const struct vmm__x86_paging *p, unsigned shift)
{
	if (shift > 30 || (shift == 30 && p->no_1g))
		return X86_PTE_PS;
	return shift > 12 ? BITS(shift - 1, 13) : 0;
}

/* Tables of 512 entries of 8 bytes, from the one at @table down. */
static int walk_64(struct walk *w, uint64_t table, unsigned shift)
{
	const struct vmm__guest_memory memory = *w->memory;
	const uint64_t bad = reserved(w->p), gva = w->gva;
	uint64_t all = UINT64_MAX, any = 0, e;

	for (;; shift -= 9) {
		uint8_t raw[8];
		int r = memory.read(memory.ctx, table + (gva >> shift & 511) * 8, raw, 8);

		if (VMM__UNLIKELY(r != 0))
			return r;
		e = vmm__le64(raw);
		if (VMM__UNLIKELY(!(e & X86_PTE_P)))
			return fault(w, 0);
		if (VMM__UNLIKELY(e & bad || (e & X86_PTE_PS && e & reserved_large(w->p, shift))))
			return fault(w, X86_PFEC_P | X86_PFEC_RSV);
		all &= e;
		any |= e;
		if (shift == 12 || e & X86_PTE_PS)
			break;
		table = e & X86_PTE_ADDR;
	}
	return arrive(w, e, all, any, e & X86_PTE_ADDR & ~(BIT(shift) - 1), shift);
}

/* Four entries without rights, which the processor holds since CR3 was written. */
static int walk_pae(struct walk *w)
{
	const struct vmm__x86_paging *p = w->p;
	uint64_t i = w->gva >> 30, e = p->pdpte[i];
	int r = p->pdpte_held ? 0 : read_entry(w, (p->cr3 & BITS(31, 5)) + 8 * i, 8, &e);

	if (r != 0)
		return r;
	if (!(e & X86_PTE_P))
		return fault(w, 0);
	if (e & X86_PDPTE_PAE_RESERVED || (p->phys_bits < 52 && e & BITS(51, p->phys_bits)))
		return fault(w, X86_PFEC_P | X86_PFEC_RSV);
	return walk_64(w, e & X86_PTE_ADDR, 21);
}

static bool canonical(uint64_t gva, unsigned bits)
{
	uint64_t high = gva >> (bits - 1);

	return high == 0 || high == UINT64_MAX >> (bits - 1);
}

int vmm__x86_guest_walk(const struct vmm__x86_paging *p, const struct vmm__guest_memory *memory,
			uint64_t gva, unsigned access, struct vmm__guest_page *page)
{
	unsigned bits = p->cr4 & X86_CR4_LA57 ? 57 : 48;
	struct walk w = {.p = p, .memory = memory, .page = page, .access = access, .gva = gva};

	if (p->phys_bits < 32 || p->phys_bits > 52)
		return -VMM_EINVAL;
	*page = (struct vmm__guest_page){.writable = true, .user = true, .executable = true};
	if (p->cr0 & X86_CR0_PG && p->efer & X86_EFER_LMA) {
		if (!canonical(gva, bits))
			return -VMM_ERANGE;
		return walk_64(&w, p->cr3 & X86_PTE_ADDR, bits - 9);
	}
	w.gva &= UINT32_MAX;
	if (!(p->cr0 & X86_CR0_PG)) {
		page->gpa = w.gva;
		page->shift = 32;
		return 0;
	}
	return p->cr4 & X86_CR4_PAE ? walk_pae(&w) : walk_32(&w);
}

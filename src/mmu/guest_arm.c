// SPDX-License-Identifier: BSD-2-Clause-Patent
/* DDI 0487J.a D8.2 (the walk), D8.3 (descriptors), D8.4 (permissions), D8.5 (access flag, dirty
 * state). */
#include "arm_vmsa.h"
#include "bits.h"
#include "guest_walk.h"

struct walk {
	const struct vmm__arm_paging *p;
	const struct vmm__guest_memory *memory;
	struct vmm__guest_page *page;
	unsigned access;
	uint64_t va;
	unsigned granule; /* log2 */
	unsigned width;   /* of the half's addresses */
	unsigned oa_bits;
	bool wide;                         /* 52-bit addresses in descriptors */
	bool no_tables;                    /* hierarchical permissions off */
	bool read_only, no_user, pxn, uxn; /* from tables */
};

/* Levels are the architecture's: -1 to 3, 3 being that of pages. */
static int fault(const struct walk *w, unsigned code, int level)
{
	if (level >= 0)
		w->page->fault = code + (unsigned)level;
	else
		w->page->fault = code == ARM_FSC_ADDRESS_SIZE ? ARM_FSC_ADDRESS_SIZE_MINUS_1
							      : ARM_FSC_TRANSLATION_MINUS_1;
	return -VMM_EFAULT;
}

static int read_entry(const struct walk *w, uint64_t at, uint64_t *entry)
{
	bool big = w->p->sctlr & ARM_SCTLR_EE;
	uint8_t raw[8];
	int r = w->memory->read(w->memory->ctx, at, raw, sizeof(raw));

	if (r != 0)
		return r;
	*entry = 0;
	for (unsigned i = 0; i < 8; i++)
		*entry |= (uint64_t)raw[i] << 8 * (big ? 7 - i : i);
	return 0;
}

static uint64_t address(const struct walk *w, uint64_t e)
{
	if (w->wide && w->granule == 16)
		return (e & ARM_PTE_ADDR_64K) | FIELD_GET(ARM_PTE_ADDR_LPA, e) << 48;
	if (w->wide)
		return (e & BITS(49, w->granule)) | FIELD_GET(ARM_PTE_ADDR_LPA2, e) << 50;
	return e & BITS(47, w->granule);
}

static unsigned level_shift(const struct walk *w, int level)
{
	return w->granule + (unsigned)(3 - level) * (w->granule - 3);
}

/* D8.3.1: which levels hold blocks. */
static bool block_allowed(const struct walk *w, int level)
{
	int first = w->granule == 12 ? 1 : 2;

	return level >= (w->wide ? first - 1 : first);
}

static bool writes(const struct walk *w, uint64_t e)
{
	bool dirtied = e & ARM_PTE_DBM && w->p->tcr & ARM_TCR_HA && w->p->tcr & ARM_TCR_HD;

	return !w->read_only && (!(e & ARM_S1_AP_RO) || dirtied);
}

/* D8.4.1: what user mode may write, privileged mode does not execute. */
static bool executes(const struct walk *w, uint64_t e)
{
	const struct vmm__guest_page *page = w->page;
	bool wxn = w->p->sctlr & ARM_SCTLR_WXN;

	if (w->access & VMM__ACCESS_USER)
		return !(e & ARM_S1_UXN) && !w->uxn && !(wxn && page->writable && page->user);
	return !(e & ARM_S1_PXN) && !w->pxn && !(page->user && page->writable) &&
	       !(wxn && page->writable);
}

static bool refused(const struct walk *w)
{
	const struct vmm__guest_page *page = w->page;

	if (w->access & VMM__ACCESS_FETCH)
		return !page->executable;
	if (w->access & VMM__ACCESS_USER ? !page->user : page->user && w->p->pan)
		return true;
	return w->access & VMM__ACCESS_WRITE && !page->writable;
}

static int arrive(struct walk *w, uint64_t e, int level)
{
	struct vmm__guest_page *page = w->page;
	unsigned shift = level_shift(w, level);
	uint64_t in = BIT(shift) - 1;

	page->gpa = (address(w, e) & ~in) | (w->va & in);
	if ((page->gpa | address(w, e)) >> w->oa_bits)
		return fault(w, ARM_FSC_ADDRESS_SIZE, level);
	page->shift = (uint8_t)shift;
	page->attributes = (uint8_t)(w->p->mair >> 8 * FIELD_GET(ARM_S1_ATTR, e));
	page->user = e & ARM_S1_AP_U && !w->no_user;
	page->writable = writes(w, e);
	page->executable = executes(w, e);
	if (w->access & VMM__ACCESS_DEBUG)
		return 0;
	if (!(e & ARM_PTE_AF) && !(w->p->tcr & ARM_TCR_HA))
		return fault(w, ARM_FSC_ACCESS_FLAG, level);
	return refused(w) ? fault(w, ARM_FSC_PERMISSION, level) : 0;
}

static void narrow(struct walk *w, uint64_t e)
{
	if (w->no_tables)
		return;
	w->no_user |= (e & ARM_S1_APTABLE_NOU) != 0;
	w->read_only |= (e & ARM_S1_APTABLE_RO) != 0;
	w->pxn |= (e & ARM_S1_PXNTABLE) != 0;
	w->uxn |= (e & ARM_S1_UXNTABLE) != 0;
}

static int descend(struct walk *w, uint64_t table, int level)
{
	uint64_t mask = BIT(w->width) - 1;

	/* The first table's index is what is left of the width; those below have a full one. */
	for (;; level++, mask = BIT(level_shift(w, level - 1)) - 1) {
		uint64_t e;
		int r = read_entry(w, table + 8 * ((w->va & mask) >> level_shift(w, level)), &e);

		if (r != 0)
			return r;
		if (!(e & ARM_PTE_VALID))
			return fault(w, ARM_FSC_TRANSLATION, level);
		if (level == 3)
			return e & ARM_PTE_PAGE ? arrive(w, e, level)
						: fault(w, ARM_FSC_TRANSLATION, level);
		if (!(e & ARM_PTE_TABLE))
			return block_allowed(w, level) ? arrive(w, e, level)
						       : fault(w, ARM_FSC_TRANSLATION, level);
		narrow(w, e);
		table = address(w, e);
		if (table >> w->oa_bits)
			return fault(w, ARM_FSC_ADDRESS_SIZE, level);
	}
}

/* log2 of the granule, 0 for the encodings that are reserved. */
static unsigned granule(uint64_t tcr, bool upper)
{
	if (upper) {
		switch (FIELD_GET(ARM_TCR_TG1, tcr)) {
		case ARM_TCR_TG1_4K:
			return 12;
		case ARM_TCR_TG1_16K:
			return 14;
		case ARM_TCR_TG1_64K:
			return 16;
		}
		return 0;
	}
	switch (FIELD_GET(ARM_TCR_TG0, tcr)) {
	case ARM_TCR_TG0_4K:
		return 12;
	case ARM_TCR_TG0_16K:
		return 14;
	case ARM_TCR_TG0_64K:
		return 16;
	}
	return 0;
}

/* D17.2.131: TCR_EL1.IPS. */
static unsigned oa_bits(const struct vmm__arm_paging *p)
{
	static const uint8_t widths[] = {32, 36, 40, 42, 44, 48, 52, 52};
	unsigned width = widths[FIELD_GET(ARM_TCR_IPS, p->tcr)];

	return width < p->phys_bits ? width : p->phys_bits;
}

/* The bits above the half's width repeat bit 55, but for a tag. */
static bool in_half(const struct walk *w, bool upper)
{
	uint64_t tcr = w->p->tcr;
	bool tagged = tcr & (upper ? ARM_TCR_TBI1 : ARM_TCR_TBI0);
	bool data_only = tcr & (upper ? ARM_TCR_TBID1 : ARM_TCR_TBID0);
	unsigned highest = tagged && !(data_only && w->access & VMM__ACCESS_FETCH) ? 55 : 63;
	uint64_t above = BITS(highest, w->width);

	return (w->va & above) == (upper ? above : 0);
}

static uint64_t first_table(const struct walk *w, uint64_t ttbr, int level)
{
	unsigned index_bits = w->width - level_shift(w, level);
	uint64_t base = ttbr & ARM_TTBR_BADDR;

	/* D8.2.5: the table is aligned to its size, and with 52-bit addresses to 64 bytes at the
	 * least. */
	if (w->oa_bits > 48)
		base = (base & ~ARM_TTBR_HIGH) | FIELD_GET(ARM_TTBR_HIGH, ttbr) << 48;
	return base & ~(BIT(index_bits + 3) - 1);
}

int vmm__arm_guest_walk(const struct vmm__arm_paging *p, const struct vmm__guest_memory *memory,
			uint64_t va, unsigned access, struct vmm__guest_page *page)
{
	bool upper = va >> 55 & 1;
	uint64_t tcr = upper ? p->tcr >> ARM_TCR_UPPER : p->tcr, ttbr = upper ? p->ttbr1 : p->ttbr0;
	struct walk w = {.p = p, .memory = memory, .page = page, .access = access, .va = va};
	uint64_t table;
	unsigned widest;
	int level = 3;

	if (p->phys_bits < 32 || p->phys_bits > 52)
		return -VMM_EINVAL;
	*page = (struct vmm__guest_page){.writable = true, .user = true, .executable = true};
	if (!(p->sctlr & ARM_SCTLR_M)) {
		/* D8.2.10: device memory, or normal without caches for fetches; tags are ignored.
		 */
		page->gpa = va & BITS(55, 0);
		page->shift = p->phys_bits;
		return page->gpa >> p->phys_bits ? fault(&w, ARM_FSC_ADDRESS_SIZE, 0) : 0;
	}
	w.granule = granule(p->tcr, upper);
	w.width = 64 - (unsigned)FIELD_GET(ARM_TCR_T0SZ, tcr);
	w.oa_bits = oa_bits(p);
	w.wide = w.granule == 16 ? w.oa_bits > 48 : (p->tcr & ARM_TCR_DS) != 0;
	w.no_tables = p->tcr & (upper ? ARM_TCR_HPD1 : ARM_TCR_HPD0);
	widest = w.granule == 16 || w.wide ? 52 : 48;
	if (!w.wide && w.oa_bits > 48)
		w.oa_bits = 48;
	if (w.granule == 0 || tcr & ARM_TCR_EPD0 || w.width > widest || w.width < 16 ||
	    !in_half(&w, upper))
		return fault(&w, ARM_FSC_TRANSLATION, 0);
	while (level_shift(&w, level - 1) < w.width)
		level--;
	table = first_table(&w, ttbr, level);
	if (table >> w.oa_bits)
		return fault(&w, ARM_FSC_ADDRESS_SIZE, 0);
	return descend(&w, table, level);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The host's own page tables: nothing both writable and executable, nothing of a guest but in a
 * window.
 *
 * src/mmu keeps the lower half. The upper half is two tables by hand: each CPU has some windows of
 * small pages, whose entries only it writes, and one of a large page, for zeroing.
 */
#include "bare_memory.h"
#include "libvmm/mem.h"
#include "mem.h"
#include "x86_paging.h"

#define HALF         256 /* entries of the upper half */
#define READY        8   /* pages kept for the heap's growth: it takes at most four */
#define CPUS_A_TABLE (512 / (BARE_WINDOW_COUNT * BARE_WINDOW_PAGES))
#define ZERO_VA(cpu) (BARE_WINDOWS_VA + (uint64_t)(HALF + (cpu)) * BARE_LARGE)
#define ENTRY_TABLE  (X86_PTE_P | X86_PTE_RW)
#define ENTRY_MEMORY (X86_PTE_P | X86_PTE_RW | X86_PTE_A | X86_PTE_D | X86_PTE_NX)
#define ENTRY_PAT    BIT(7)

_Alignas(4096) uint64_t vmm__bare_root[512];
static _Alignas(4096) uint64_t window_pdpt[512];
static _Alignas(4096) uint64_t window_pd[512];
static _Alignas(4096) uint8_t ready[READY][4096];
static struct vmm__pt table;

static int invalidate(void *ctx, const struct vmm__pt_inval *inval)
{
	(void)ctx;
	for (uint64_t va = inval->first; va <= inval->last; va += BARE_PAGE)
		bare_invlpg(va);
	return 0;
}

static const struct vmm__pt_ops ops = {.invalidate = invalidate};

void vmm__bare_tables_refill(void *(*take)(uint64_t size, uint64_t align))
{
	while (table.pool_pages < READY) {
		void *page = take(BARE_PAGE, BARE_PAGE);

		if (page == NULL)
			return;
		vmm__pt_pool_add(&table, page, bare_address(page));
	}
}

bool vmm__bare_map_heap(uint64_t pa, uint64_t size)
{
	return vmm__pt_map(&table, vmm__ia(pa), vmm__oa(pa), size, VMM__PROT_R | VMM__PROT_W,
			   VMM__MEM_WB) == 0;
}

int vmm__bare_map(uint64_t va, uint64_t pa, uint64_t len, unsigned prot, unsigned mem)
{
	uint64_t need = vmm__pt_bound_map(&table, vmm__ia(va), vmm__oa(pa), len) + READY;

	while (table.pool_pages < need) {
		void *page = vmm__bare_heap_take(BARE_PAGE, BARE_PAGE);

		if (page == NULL)
			return -VMM_ENOMEM;
		vmm__pt_pool_add(&table, page, bare_address(page));
	}
	return vmm__pt_map(&table, vmm__ia(va), vmm__oa(pa), len, prot, mem);
}

void vmm__bare_unmap(uint64_t va, uint64_t len)
{
	vmm__pt_unmap(&table, vmm__ia(va), len);
}

static bool show_page(uint64_t page)
{
	struct vmm__pt_leaf leaf;

	return vmm__pt_lookup(&table, vmm__ia(page), &leaf) == 0 ||
	       (!vmm__bare_phys_overlaps(page, page + BARE_PAGE) &&
		vmm__bare_map(page, page, BARE_PAGE, VMM__PROT_R, VMM__MEM_WB) == 0);
}

/* At once where all of it is new, else page by page. */
bool vmm__bare_show(uint64_t pa, uint64_t len)
{
	const uint64_t first = vmm__align_down(pa, BARE_PAGE);
	const uint64_t end = vmm__align_up(pa + len, BARE_PAGE);
	struct vmm__pt_leaf leaf;

	if (len == 0 || first == 0 || !vmm__range_within(pa, len, BARE_STACKS_VA))
		return false;
	if (vmm__pt_next(&table, vmm__ia(first), vmm__ia(end - 1), &leaf) == -VMM_ENOENT)
		return !vmm__bare_phys_overlaps(first, end) &&
		       vmm__bare_map(first, first, end - first, VMM__PROT_R, VMM__MEM_WB) == 0;
	for (uint64_t page = first; page < end; page += BARE_PAGE) {
		if (!show_page(page))
			return false;
	}
	return true;
}

static bool map_image(void)
{
	const uint64_t text = bare_address(vmm__bare_text), rodata = bare_address(vmm__bare_rodata);
	const uint64_t data = bare_address(vmm__bare_data), end = bare_address(vmm__bare_end);

	return vmm__bare_map(text, text, rodata - text, VMM__PROT_R | VMM__PROT_X, VMM__MEM_WB) ==
		       0 &&
	       vmm__bare_map(rodata, rodata, data - rodata, VMM__PROT_R, VMM__MEM_WB) == 0 &&
	       vmm__bare_map(data, data, end - data, VMM__PROT_R | VMM__PROT_W, VMM__MEM_WB) == 0;
}

bool vmm__bare_paging_init(void)
{
	const bool gigabyte = (bare_cpuid(0x80000001, 0).edx & BIT(26)) != 0;
	const struct vmm__pt_config config = {
		.format = &vmm__pt_x86,
		.ops = &ops,
		.root = vmm__bare_root,
		.root_pa = bare_address(vmm__bare_root),
		.ia_bits = 47,
		.oa_bits = (uint8_t)bare_cpuid(0x80000008, 0).eax,
		.leaf_shift = gigabyte ? 30 : 21,
		.flags = VMM__PT_W_XOR_X,
	};

	if (vmm__pt_init(&table, &config) != 0)
		return false;
	for (uint32_t i = 0; i < READY; i++)
		vmm__pt_pool_add(&table, ready[i], bare_address(ready[i]));
	vmm__bare_root[HALF] = bare_address(window_pdpt) | ENTRY_TABLE;
	window_pdpt[0] = bare_address(window_pd) | ENTRY_TABLE;

	return map_image();
}

/* --- windows --- */

bool vmm__bare_windows_init(struct bare_cpu *cpu, uint32_t index)
{
	const uint32_t at = index / CPUS_A_TABLE;
	const uint32_t first =
		index % CPUS_A_TABLE * (uint32_t)(BARE_WINDOW_COUNT * BARE_WINDOW_PAGES);

	if (index >= HALF)
		return false;
	if (window_pd[at] == 0) {
		void *page = vmm__bare_heap_take(BARE_PAGE, BARE_PAGE);

		if (page == NULL)
			return false;
		memset(page, 0, BARE_PAGE);
		window_pd[at] = bare_address(page) | ENTRY_TABLE;
	}
	cpu->entries = (uint64_t *)(uintptr_t)(window_pd[at] & X86_PTE_ADDR) + first;
	cpu->window_va = BARE_WINDOWS_VA + at * BARE_LARGE + first * BARE_PAGE;
	return true;
}

static uint64_t memory_type(uint32_t memtype)
{
	switch (memtype) {
	case VMM_MEMTYPE_WB:
		return 0;
	case VMM_MEMTYPE_WC:
		return ENTRY_PAT;
	default:
		return X86_PTE_PCD | X86_PTE_PWT;
	}
}

/*
 * Windows come and go in order, so their number is all there is to keep; what an interrupt opens,
 * it closes before it returns.
 */
void *vmm__bare_window(uint64_t pa, uint32_t len, uint32_t memtype)
{
	struct bare_cpu *cpu = bare_this_cpu();
	const uint64_t first = vmm__align_down(pa, BARE_PAGE);
	const uint64_t bits = ENTRY_MEMORY | memory_type(memtype);
	uint32_t at;

	if (len == 0 || len > VMM_PHYS_WINDOW || cpu->windows == BARE_WINDOW_COUNT ||
	    pa > X86_PTE_ADDR - len)
		return NULL;
	at = cpu->windows++ * BARE_WINDOW_PAGES;
	for (uint64_t page = first, i = at; page < pa + len; page += BARE_PAGE, i++)
		cpu->entries[i] = page | bits;
	return (void *)(uintptr_t)(cpu->window_va + at * BARE_PAGE + (pa - first));
}

void vmm__bare_window_end(void *ptr, uint32_t len)
{
	struct bare_cpu *cpu = bare_this_cpu();
	const uint64_t va = bare_address(ptr);

	for (uint64_t page = vmm__align_down(va, BARE_PAGE); page < va + len; page += BARE_PAGE) {
		cpu->entries[(page - cpu->window_va) / BARE_PAGE] = 0;
		bare_invlpg(page);
	}
	cpu->windows--;
}

void vmm__bare_zero(uint64_t pa, uint64_t size)
{
	const uint64_t index = bare_this_cpu()->id - 1, end = pa + size;
	uint64_t *entry = &window_pd[HALF + index], flags;

	while (pa < end) {
		const uint64_t base = vmm__align_down(pa, BARE_LARGE);
		const uint64_t part = base + BARE_LARGE < end ? base + BARE_LARGE - pa : end - pa;

		flags = bare_irq_save();
		*entry = base | ENTRY_MEMORY | X86_PTE_PS;
		memset((void *)(uintptr_t)(ZERO_VA(index) + (pa - base)), 0, part);
		*entry = 0;
		bare_invlpg(ZERO_VA(index));
		bare_irq_restore(flags);
		pa += part;
	}
}

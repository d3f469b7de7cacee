// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * What a CPU needs in memory to be in the mode it is entered in: a descriptor table whose
 * selectors are those of Linux's 64-bit boot protocol (Documentation/arch/x86/boot.rst, "64-bit
 * boot protocol": __BOOT_CS 0x10, __BOOT_DS 0x18), and page tables for long mode.
 */
#include "load.h"

/* SDM vol. 3A, 3.4.5 and figure 8-4: limit 0xfffff pages, base 0, present, accessed. */
#define DESC_CODE64 UINT64_C(0x00af9b000000ffff)
#define DESC_CODE32 UINT64_C(0x00cf9b000000ffff)
#define DESC_DATA   UINT64_C(0x00cf93000000ffff)
#define DESC_TASK   UINT64_C(0x00008b0000000067) /* busy, base 0, limit 0x67 */

/* In long mode the task descriptor takes two entries (vol. 3A, 8.2.3). */
#define GDT_ENTRIES 6

/* SDM vol. 3A, table 4-15 and on. */
#define PTE_PRESENT BIT(0)
#define PTE_WRITE   BIT(1)
#define PTE_LARGE   BIT(7)

/* One PML4 and one PDPT, then four page directories that map 4 GiB by 2 MiB pages. */
#define PAGING_DIRS  4
#define PAGING_PAGES (2 + PAGING_DIRS)
#define PAGING_LARGE UINT64_C(0x200000)

int vmm__entry_plan(struct vmm__load *load, uint32_t mode)
{
	struct vmm_boot *boot = load->boot;
	int err;

	boot->mode = mode;
	if (mode == VMM_BOOT_REAL16)
		return 0;
	boot->gdt_limit = GDT_ENTRIES * 8 - 1;
	err = vmm__load_place_table(load, GDT_ENTRIES * 8, 16, VMM_BOOT_AREA_GDT, &boot->gdt);
	if (err || mode != VMM_BOOT_LONG64)
		return err;
	return vmm__load_place_table(load, PAGING_PAGES * VMM__4K, VMM__4K, VMM_BOOT_AREA_PAGING,
				     &boot->cr3);
}

static int write_gdt(const struct vmm__load *load)
{
	const struct vmm_boot *boot = load->boot;
	uint8_t gdt[GDT_ENTRIES * 8] = {0};

	vmm__put_le64(gdt + VMM_BOOT_SEL_CODE,
		      boot->mode == VMM_BOOT_LONG64 ? DESC_CODE64 : DESC_CODE32);
	vmm__put_le64(gdt + VMM_BOOT_SEL_DATA, DESC_DATA);
	vmm__put_le64(gdt + VMM_BOOT_SEL_TASK, DESC_TASK);
	return vmm__load_write(load, boot->gdt, gdt, sizeof(gdt));
}

/* @count entries of the table at @table; entry i maps or points to @first + i * @step. */
static int write_entries(const struct vmm__load *load, uint64_t table, unsigned int count,
			 uint64_t first, uint64_t step)
{
	uint8_t chunk[64 * 8];
	unsigned int done = 0, n;
	int err = 0;

	for (; done < count && !err; done += n) {
		n = count - done < 64 ? count - done : 64;
		for (unsigned int i = 0; i < n; i++)
			vmm__put_le64(chunk + i * 8, first + (done + i) * step);
		err = vmm__load_write(load, table + done * 8, chunk, n * 8);
	}
	return err;
}

static int write_paging(const struct vmm__load *load)
{
	const uint64_t pml4 = load->boot->cr3, pdpt = pml4 + VMM__4K, dirs = pdpt + VMM__4K;
	int err;

	err = vmm__load_zero(load, pml4, 2 * VMM__4K);
	if (!err)
		err = write_entries(load, pml4, 1, pdpt | PTE_PRESENT | PTE_WRITE, 0);
	if (!err)
		err = write_entries(load, pdpt, PAGING_DIRS, dirs | PTE_PRESENT | PTE_WRITE,
				    VMM__4K);
	if (!err)
		err = write_entries(load, dirs, PAGING_DIRS * 512,
				    PTE_PRESENT | PTE_WRITE | PTE_LARGE, PAGING_LARGE);
	return err;
}

int vmm__entry_write(const struct vmm__load *load)
{
	int err;

	if (load->boot->mode == VMM_BOOT_REAL16)
		return 0;
	err = write_gdt(load);
	if (!err && load->boot->mode == VMM_BOOT_LONG64)
		err = write_paging(load);
	return err;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Multiboot Specification 0.6.96: an ELF, or any file whose header says where its bytes go
 * (section 3.1.3, the "a.out kludge").
 */
#include "elf_load.h"
#include "mem.h"

/* Section 3.1. */
#define HEADER_SEARCH        8192u
#define HEADER_MAGIC         0x1badb002u
#define HEADER_SIZE          12u
#define HEADER_MODULES_PAGED BIT(0)
#define HEADER_MEMORY        BIT(1)
#define HEADER_REQUIRED      BITS(15, 0) /* a loader that lacks one of them must refuse */
#define HEADER_ADDRESSES     BIT(16)

/* Section 3.1.3. */
#define HEADER_HEADER_ADDR   12
#define HEADER_LOAD_ADDR     16
#define HEADER_LOAD_END      20 /* 0: to the end of the file */
#define HEADER_BSS_END       24 /* 0: no bss */
#define HEADER_ENTRY         28
#define HEADER_ADDRESSES_END 32u

/* Section 3.2. */
#define BOOT_MAGIC 0x2badb002u

/* Section 3.3. */
#define INFO_SIZE       88u
#define INFO_FLAGS      0
#define INFO_HAS_MEMORY BIT(0)
#define INFO_HAS_CMD    BIT(2)
#define INFO_HAS_MODS   BIT(3)
#define INFO_HAS_MMAP   BIT(6)
#define INFO_HAS_NAME   BIT(9)
#define INFO_MEM_LOWER  4 /* KiB from 0 */
#define INFO_MEM_UPPER  8 /* KiB from 1 MiB */
#define INFO_CMDLINE    16
#define INFO_MODS_COUNT 20
#define INFO_MODS_ADDR  24
#define INFO_MMAP_LEN   44
#define INFO_MMAP_ADDR  48
#define INFO_NAME       64

#define MODULE_SIZE 16u /* u32 first byte, last + 1, string, reserved */
#define MMAP_SIZE   24u /* u32 size of what follows, u64 base, length, u32 type */

#define LOADER_NAME "libvmm"

struct multiboot {
	bool is_elf;
	struct vmm__elf elf;
	/* Without ELF: [file, file + load_size) goes to base; after it, up to size, is zeroed. */
	uint64_t file;
	uint64_t base;
	uint64_t load_size;
	uint64_t size;
	uint64_t end;  /* after the image's last byte in memory */
	uint64_t info; /* followed by the loader's name */
	uint64_t cmdline;
	uint64_t mmap;
	uint64_t modlist; /* followed by the modules' command lines */
};

static const uint8_t *find_header(const uint8_t *image, uint64_t len)
{
	const uint64_t end = len < HEADER_SEARCH ? len : HEADER_SEARCH;

	for (uint64_t at = 0; at + HEADER_SIZE <= end; at += 4) {
		const uint32_t magic = vmm__le32(image + at), flags = vmm__le32(image + at + 4);

		if (magic == HEADER_MAGIC && magic + flags + vmm__le32(image + at + 8) == 0)
			return image + at;
	}
	return NULL;
}

bool vmm__multiboot_is(const uint8_t *image, size_t len)
{
	return find_header(image, len) != NULL;
}

static int check_addresses(struct vmm__load *load, struct multiboot *mb, const uint8_t *header)
{
	const uint64_t offset = (uint64_t)(header - (const uint8_t *)load->args->image);
	const uint64_t len = load->args->image_len;
	uint32_t header_addr, load_addr, load_end, bss_end, entry;

	if (!vmm__range_within(offset, HEADER_ADDRESSES_END, len))
		return LOAD_FAIL(load, -VMM_EFORMAT,
				 "cut short within the Multiboot header's addresses");
	header_addr = vmm__le32(header + HEADER_HEADER_ADDR);
	load_addr = vmm__le32(header + HEADER_LOAD_ADDR);
	load_end = vmm__le32(header + HEADER_LOAD_END);
	bss_end = vmm__le32(header + HEADER_BSS_END);
	entry = vmm__le32(header + HEADER_ENTRY);
	if (header_addr < load_addr || header_addr - load_addr > offset)
		return LOAD_FAIL(load, -VMM_EFORMAT,
				 "Multiboot header_addr 0x%llx does not fit load_addr 0x%llx and "
				 "its place, 0x%llx",
				 ULL(header_addr), ULL(load_addr), ULL(offset));
	mb->file = offset - (header_addr - load_addr);
	mb->base = load_addr;
	if (load_end && load_end < load_addr)
		return LOAD_FAIL(load, -VMM_EFORMAT,
				 "Multiboot load_end_addr 0x%llx lies before load_addr 0x%llx",
				 ULL(load_end), ULL(load_addr));
	mb->load_size = load_end ? load_end - load_addr : len - mb->file;
	if (!vmm__range_within(mb->file, mb->load_size, len))
		return LOAD_FAIL(load, -VMM_EFORMAT,
				 "cut short: Multiboot's load_end_addr wants %llu bytes at 0x%llx",
				 ULL(mb->load_size), ULL(mb->file));
	if (bss_end && (bss_end < load_addr || bss_end - load_addr < mb->load_size))
		return LOAD_FAIL(load, -VMM_EFORMAT,
				 "Multiboot bss_end_addr 0x%llx lies within what is loaded",
				 ULL(bss_end));
	mb->size = bss_end ? bss_end - load_addr : mb->load_size;
	if (entry < load_addr || entry - load_addr >= mb->size)
		return LOAD_FAIL(load, -VMM_EFORMAT,
				 "Multiboot entry_addr 0x%llx is not within the image", ULL(entry));
	load->boot->entry = entry;
	return 0;
}

static int check_elf(struct vmm__load *load, struct multiboot *mb)
{
	int err = vmm__elf_load_open(load, &mb->elf);

	if (err)
		return err;
	mb->is_elf = true;
	if (!vmm__elf_entry_paddr(&mb->elf, &load->boot->entry))
		return LOAD_FAIL(load, -VMM_EFORMAT, "the entry 0x%llx lies in no segment",
				 ULL(mb->elf.entry));
	return 0;
}

static int check(struct vmm__load *load, struct multiboot *mb)
{
	const uint8_t *header = find_header(load->args->image, load->args->image_len);
	uint32_t flags;

	if (!header)
		return LOAD_FAIL(load, -VMM_EFORMAT, "no Multiboot header in the first 8 KiB");
	flags = vmm__le32(header + 4);
	if (flags & HEADER_REQUIRED & ~(HEADER_MODULES_PAGED | HEADER_MEMORY))
		return LOAD_FAIL(
			load, -VMM_ENOTSUP,
			"the Multiboot header requires what this loader lacks (flags 0x%llx)",
			ULL(flags));
	return flags & HEADER_ADDRESSES ? check_addresses(load, mb, header) : check_elf(load, mb);
}

static int plan_image(struct vmm__load *load, struct multiboot *mb)
{
	if (mb->is_elf)
		return vmm__elf_load_plan(load, &mb->elf, &mb->end);
	if (mb->size > VMM__4GIB - mb->base)
		return LOAD_FAIL(load, -VMM_ERANGE, "%llu bytes at 0x%llx do not end below 4 GiB",
				 ULL(mb->size), ULL(mb->base));
	mb->end = mb->base + mb->size;
	return vmm__load_reserve(load, mb->base, mb->size, VMM_BOOT_AREA_IMAGE, 0);
}

/* Modules follow the kernel, where a kernel with small first page tables reaches them. */
static int plan_modules(struct vmm__load *load, struct multiboot *mb)
{
	const struct vmm_load_args *args = load->args;
	const uint64_t list_size = (uint64_t)args->module_count * MODULE_SIZE;
	const uint64_t min = mb->end > VMM__1MIB ? mb->end : VMM__1MIB;
	uint64_t base;

	if (args->module_count == 0)
		return 0;
	for (uint32_t i = 0; i < args->module_count; i++) {
		const struct vmm__place place = {args->modules[i].len, VMM__4K, min, VMM__4GIB,
						 VMM_BOOT_AREA_MODULE, i};
		int err = vmm__load_place_up(load, &place, &base);

		if (err)
			return err;
	}
	return vmm__load_place_modlist(load, list_size, &mb->modlist);
}

static int plan(struct vmm__load *load, struct multiboot *mb)
{
	const uint64_t mmap_size = (uint64_t)load->target->range_count * MMAP_SIZE;
	int err = plan_image(load, mb);

	if (!err)
		err = vmm__entry_plan(load, VMM_BOOT_PROT32);
	if (!err)
		err = vmm__load_place_table(load, INFO_SIZE + sizeof(LOADER_NAME), 16,
					    VMM_BOOT_AREA_INFO, &mb->info);
	if (!err)
		err = vmm__load_place_table(load, mmap_size, 16, VMM_BOOT_AREA_MEMMAP, &mb->mmap);
	if (!err)
		err = vmm__load_place_cmdline(load, VMM__4K - 1, &mb->cmdline);
	return err ? err : plan_modules(load, mb);
}

static int write_image(const struct vmm__load *load, const struct multiboot *mb)
{
	const uint8_t *image = load->args->image;
	int err;

	if (mb->is_elf)
		return vmm__elf_load_write(load, &mb->elf);
	err = vmm__load_write(load, mb->base, image + mb->file, mb->load_size);
	return err ? err : vmm__load_zero(load, mb->base + mb->load_size, mb->size - mb->load_size);
}

static int write_modlist(const struct vmm__load *load, const struct multiboot *mb)
{
	const struct vmm_load_args *args = load->args;
	uint64_t string = mb->modlist + (uint64_t)args->module_count * MODULE_SIZE;
	int err = 0;

	for (uint32_t i = 0; i < args->module_count && !err; i++) {
		const struct vmm_load_module *module = &args->modules[i];
		const uint64_t base = vmm__load_module_base(load, i);
		uint8_t entry[MODULE_SIZE] = {0};

		vmm__put_le32(entry, (uint32_t)base);
		vmm__put_le32(entry + 4, (uint32_t)(base + module->len));
		vmm__put_le32(entry + 8, module->cmdline ? (uint32_t)string : 0);
		err = vmm__load_write(load, mb->modlist + i * sizeof(entry), entry, sizeof(entry));
		if (!err)
			err = vmm__load_write_string(load, string, module->cmdline);
		string += vmm__load_string_size(module->cmdline);
	}
	return err;
}

static int write_mmap(const struct vmm__load *load, const struct multiboot *mb)
{
	const struct vmm_load_target *target = load->target;
	int err = 0;

	for (uint32_t i = 0; i < target->range_count && !err; i++) {
		uint8_t entry[MMAP_SIZE];

		vmm__put_le32(entry, MMAP_SIZE - 4);
		vmm__put_le64(entry + 4, target->ranges[i].base);
		vmm__put_le64(entry + 12, target->ranges[i].size);
		vmm__put_le32(entry + 20, target->ranges[i].type);
		err = vmm__load_write(load, mb->mmap + i * sizeof(entry), entry, sizeof(entry));
	}
	return err;
}

static int write_info(const struct vmm__load *load, const struct multiboot *mb)
{
	const uint64_t lower = vmm__load_ram_from(load, 0, VMM__1MIB);
	const uint64_t upper = vmm__load_ram_from(load, VMM__1MIB, VMM__4GIB);
	uint64_t flags = INFO_HAS_MEMORY | INFO_HAS_MMAP | INFO_HAS_NAME;
	uint8_t info[INFO_SIZE + sizeof(LOADER_NAME)] = {0};

	flags |= mb->cmdline ? INFO_HAS_CMD : 0;
	flags |= load->args->module_count ? INFO_HAS_MODS : 0;
	vmm__put_le32(info + INFO_FLAGS, (uint32_t)flags);
	vmm__put_le32(info + INFO_MEM_LOWER, (uint32_t)(lower >> 10));
	vmm__put_le32(info + INFO_MEM_UPPER, (uint32_t)(upper >> 10));
	vmm__put_le32(info + INFO_CMDLINE, (uint32_t)mb->cmdline);
	vmm__put_le32(info + INFO_MODS_COUNT, load->args->module_count);
	vmm__put_le32(info + INFO_MODS_ADDR, (uint32_t)mb->modlist);
	vmm__put_le32(info + INFO_MMAP_LEN, load->target->range_count * MMAP_SIZE);
	vmm__put_le32(info + INFO_MMAP_ADDR, (uint32_t)mb->mmap);
	vmm__put_le32(info + INFO_NAME, (uint32_t)mb->info + INFO_SIZE);
	memcpy(info + INFO_SIZE, LOADER_NAME, sizeof(LOADER_NAME));
	return vmm__load_write(load, mb->info, info, sizeof(info));
}

static int write(const struct vmm__load *load, const struct multiboot *mb)
{
	int err = write_image(load, mb);

	if (!err)
		err = vmm__load_write_modules(load);
	if (!err)
		err = write_modlist(load, mb);
	if (!err)
		err = vmm__load_write_string(load, mb->cmdline, load->args->cmdline);
	if (!err)
		err = write_mmap(load, mb);
	if (!err)
		err = write_info(load, mb);
	return err ? err : vmm__entry_write(load);
}

int vmm__multiboot_load(struct vmm__load *load)
{
	struct multiboot mb = {0};
	int err = check(load, &mb);

	if (!err)
		err = plan(load, &mb);
	if (err)
		return err;
	load->boot->rax = BOOT_MAGIC;
	load->boot->rbx = mb.info;
	return write(load, &mb);
}

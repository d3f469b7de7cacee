// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * PVH: Xen's direct boot ABI (Xen, docs/misc/pvh.pandoc, "x86/HVM direct boot ABI"; structures
 * in xen/include/public/arch-x86/hvm/start_info.h, version 1). The entry is in an ELF note.
 */
#include "elf_load.h"

#define NOTE_NAME         "Xen"
#define NOTE_PHYS32_ENTRY 18u /* xen/include/public/elfnote.h */

#define START_INFO_MAGIC   0x336ec578u
#define START_INFO_VERSION 1u
#define START_INFO_SIZE    56u /* its fields: magic, version, flags, nr_modules, then */
#define START_INFO_MODLIST 16  /* u64 */
#define START_INFO_CMDLINE 24  /* u64 */
#define START_INFO_RSDP    32  /* u64 */
#define START_INFO_MEMMAP  40  /* u64, u32 entries, u32 reserved */

#define MODLIST_ENTRY_SIZE 32u /* u64 address, size, command line, reserved */
#define MEMMAP_ENTRY_SIZE  24u /* u64 address, size, u32 type, reserved */

struct pvh {
	struct vmm__elf elf;
	uint64_t start_info;
	uint64_t cmdline;
	uint64_t memmap;
	uint64_t modlist; /* followed by the modules' command lines */
};

static const char *find_entry(const struct vmm__elf *elf, uint64_t *entry)
{
	struct vmm__elf_note note;
	const char *wrong = vmm__elf_note_find(elf, NOTE_NAME, NOTE_PHYS32_ENTRY, &note);

	if (wrong)
		return wrong;
	if (!note.desc)
		return "ELF without a PVH entry note (XEN_ELFNOTE_PHYS32_ENTRY)";
	/* The note holds an address of the class that the ELF has. */
	if (note.desc_size != 4 && note.desc_size != 8)
		return "the PVH entry note is neither 4 nor 8 bytes";
	*entry = note.desc_size == 4 ? vmm__le32(note.desc) : vmm__le64(note.desc);
	if (!vmm__elf_holds_paddr(elf, *entry))
		return "the PVH entry lies in no segment";
	return NULL;
}

bool vmm__pvh_is(const uint8_t *image, size_t len)
{
	struct vmm__elf elf;
	struct vmm__elf_note note;

	return !vmm__elf_open(&elf, image, len) &&
	       !vmm__elf_note_find(&elf, NOTE_NAME, NOTE_PHYS32_ENTRY, &note) && note.desc;
}

static int check(struct vmm__load *load, struct pvh *pvh)
{
	const char *wrong;
	int err = vmm__elf_load_open(load, &pvh->elf);

	if (err)
		return err;
	wrong = find_entry(&pvh->elf, &load->boot->entry);
	return wrong ? LOAD_FAIL(load, -VMM_EFORMAT, "%s", wrong) : 0;
}

static int plan_modules(struct vmm__load *load, struct pvh *pvh)
{
	const struct vmm_load_args *args = load->args;
	const uint64_t list_size = (uint64_t)args->module_count * MODLIST_ENTRY_SIZE;
	uint64_t base;

	if (args->module_count == 0)
		return 0;
	for (uint32_t i = 0; i < args->module_count; i++) {
		const struct vmm__place place = {
			args->modules[i].len, VMM__4K, VMM__1MIB, VMM__4GIB,
			VMM_BOOT_AREA_MODULE, i};
		int err = vmm__load_place_down(load, &place, &base);

		if (err)
			return err;
	}
	return vmm__load_place_modlist(load, list_size, &pvh->modlist);
}

static int plan(struct vmm__load *load, struct pvh *pvh)
{
	const uint64_t memmap_size = (uint64_t)load->target->range_count * MEMMAP_ENTRY_SIZE;
	uint64_t end;
	int err = vmm__elf_load_plan(load, &pvh->elf, &end);

	if (!err)
		err = vmm__entry_plan(load, VMM_BOOT_PROT32);
	if (!err)
		err = vmm__load_place_table(load, START_INFO_SIZE, 16, VMM_BOOT_AREA_INFO,
					    &pvh->start_info);
	if (!err)
		err = vmm__load_place_table(load, memmap_size, 16, VMM_BOOT_AREA_MEMMAP,
					    &pvh->memmap);
	if (!err)
		err = vmm__load_place_cmdline(load, VMM__4K - 1, &pvh->cmdline);
	return err ? err : plan_modules(load, pvh);
}

static int write_memmap(const struct vmm__load *load, const struct pvh *pvh)
{
	const struct vmm_load_target *target = load->target;
	int err = 0;

	for (uint32_t i = 0; i < target->range_count && !err; i++) {
		uint8_t entry[MEMMAP_ENTRY_SIZE] = {0};

		vmm__put_le64(entry, target->ranges[i].base);
		vmm__put_le64(entry + 8, target->ranges[i].size);
		vmm__put_le32(entry + 16, target->ranges[i].type);
		err = vmm__load_write(load, pvh->memmap + i * sizeof(entry), entry, sizeof(entry));
	}
	return err;
}

static int write_modlist(const struct vmm__load *load, const struct pvh *pvh)
{
	const struct vmm_load_args *args = load->args;
	uint64_t string = pvh->modlist + (uint64_t)args->module_count * MODLIST_ENTRY_SIZE;
	int err = 0;

	for (uint32_t i = 0; i < args->module_count && !err; i++) {
		const struct vmm_load_module *module = &args->modules[i];
		uint8_t entry[MODLIST_ENTRY_SIZE] = {0};

		vmm__put_le64(entry, vmm__load_module_base(load, i));
		vmm__put_le64(entry + 8, module->len);
		vmm__put_le64(entry + 16, module->cmdline ? string : 0);
		err = vmm__load_write(load, pvh->modlist + i * sizeof(entry), entry, sizeof(entry));
		if (!err)
			err = vmm__load_write_string(load, string, module->cmdline);
		string += vmm__load_string_size(module->cmdline);
	}
	return err;
}

static int write_start_info(const struct vmm__load *load, const struct pvh *pvh)
{
	uint8_t info[START_INFO_SIZE] = {0};

	vmm__put_le32(info, START_INFO_MAGIC);
	vmm__put_le32(info + 4, START_INFO_VERSION);
	vmm__put_le32(info + 12, load->args->module_count);
	vmm__put_le64(info + START_INFO_MODLIST, pvh->modlist);
	vmm__put_le64(info + START_INFO_CMDLINE, pvh->cmdline);
	vmm__put_le64(info + START_INFO_RSDP, load->target->rsdp);
	vmm__put_le64(info + START_INFO_MEMMAP, pvh->memmap);
	vmm__put_le32(info + START_INFO_MEMMAP + 8, load->target->range_count);
	return vmm__load_write(load, pvh->start_info, info, sizeof(info));
}

static int write(const struct vmm__load *load, const struct pvh *pvh)
{
	int err = vmm__elf_load_write(load, &pvh->elf);

	if (!err)
		err = vmm__load_write_modules(load);
	if (!err)
		err = write_modlist(load, pvh);
	if (!err)
		err = vmm__load_write_string(load, pvh->cmdline, load->args->cmdline);
	if (!err)
		err = write_memmap(load, pvh);
	if (!err)
		err = write_start_info(load, pvh);
	return err ? err : vmm__entry_write(load);
}

int vmm__pvh_load(struct vmm__load *load)
{
	struct pvh pvh = {0};
	int err = check(load, &pvh);

	if (!err)
		err = plan(load, &pvh);
	if (err)
		return err;
	load->boot->rbx = pvh.start_info;
	return write(load, &pvh);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "elf_load.h"

int vmm__elf_load_open(const struct vmm__load *load, struct vmm__elf *elf)
{
	const char *wrong = vmm__elf_open(elf, load->args->image, load->args->image_len);

	if (wrong)
		return LOAD_FAIL(load, -VMM_EFORMAT, "%s", wrong);
	if (elf->machine != (elf->is64 ? ELF_MACHINE_X86_64 : ELF_MACHINE_386))
		return LOAD_FAIL(load, -VMM_ENOTSUP, "ELF for another machine, 0x%llx",
				 ULL(elf->machine));
	return 0;
}

static int plan_segment(struct vmm__load *load, const struct vmm__elf_segment *segment,
			uint32_t index)
{
	if (segment->paddr >= VMM__4GIB || segment->mem_size > VMM__4GIB - segment->paddr)
		return LOAD_FAIL(load, -VMM_ERANGE,
				 "segment %llu, %llu bytes at 0x%llx, does not end below 4 GiB",
				 ULL(index), ULL(segment->mem_size), ULL(segment->paddr));
	return vmm__load_reserve(load, segment->paddr, segment->mem_size, VMM_BOOT_AREA_IMAGE,
				 index);
}

int vmm__elf_load_plan(struct vmm__load *load, const struct vmm__elf *elf, uint64_t *end)
{
	struct vmm__elf_segment segment;
	uint32_t loaded = 0;
	int err;

	*end = 0;
	for (unsigned int i = 0; i < elf->segment_count; i++) {
		vmm__elf_segment_get(elf, i, &segment);
		if (segment.type != ELF_SEGMENT_LOAD || segment.mem_size == 0)
			continue;
		err = plan_segment(load, &segment, loaded++);
		if (err)
			return err;
		if (segment.paddr + segment.mem_size > *end)
			*end = segment.paddr + segment.mem_size;
	}
	return 0;
}

static int write_segment(const struct vmm__load *load, const struct vmm__elf *elf,
			 const struct vmm__elf_segment *segment)
{
	int err = vmm__load_write(load, segment->paddr, elf->image + segment->offset,
				  segment->file_size);

	return err ? err
		   : vmm__load_zero(load, segment->paddr + segment->file_size,
				    segment->mem_size - segment->file_size);
}

int vmm__elf_load_write(const struct vmm__load *load, const struct vmm__elf *elf)
{
	struct vmm__elf_segment segment;
	int err = 0;

	for (unsigned int i = 0; i < elf->segment_count && !err; i++) {
		vmm__elf_segment_get(elf, i, &segment);
		if (segment.type == ELF_SEGMENT_LOAD)
			err = write_segment(load, elf, &segment);
	}
	return err;
}

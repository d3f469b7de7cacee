// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "elf_libelf.h"

#include <gelf.h>
#include <libelf.h>
#include <string.h>

static bool read_header(struct elf_libelf *lib)
{
	GElf_Ehdr header;
	size_t segments;

	if (elf_kind(lib->handle) != ELF_K_ELF || !gelf_getehdr(lib->handle, &header) ||
	    elf_getphdrnum(lib->handle, &segments) != 0 || segments > UINT16_MAX)
		return false;
	lib->elf.is64 = header.e_ident[EI_CLASS] == ELFCLASS64;
	lib->elf.type = header.e_type;
	lib->elf.machine = header.e_machine;
	lib->elf.entry = header.e_entry;
	lib->elf.segment_count = (uint16_t)segments;
	return true;
}

bool elf_libelf_open(struct elf_libelf *lib, const void *image, uint64_t len)
{
	*lib = (struct elf_libelf){.elf = {.image = image, .len = len}};
	if (elf_version(EV_CURRENT) == EV_NONE)
		return false;
	/* It takes a pointer to non-const, and writes only to foreign byte orders. */
	lib->handle = elf_memory((char *)(uintptr_t)image, len);
	if (!lib->handle)
		return false;
	if (read_header(lib))
		return true;
	elf_libelf_close(lib);
	return false;
}

void elf_libelf_close(struct elf_libelf *lib)
{
	elf_end(lib->handle);
	lib->handle = NULL;
}

bool elf_libelf_segment(const struct elf_libelf *lib, unsigned int index,
			struct vmm__elf_segment *segment)
{
	GElf_Phdr header;

	if (!gelf_getphdr(lib->handle, (int)index, &header))
		return false;
	*segment = (struct vmm__elf_segment){
		.type = header.p_type,
		.flags = header.p_flags,
		.offset = header.p_offset,
		.vaddr = header.p_vaddr,
		.paddr = header.p_paddr,
		.file_size = header.p_filesz,
		.mem_size = header.p_memsz,
		.align = header.p_align,
	};
	return true;
}

static bool find_in_data(Elf_Data *data, const char *name, uint32_t type,
			 struct vmm__elf_note *note)
{
	size_t at = 0, name_at, desc_at;
	GElf_Nhdr header;

	while ((at = gelf_getnote(data, at, &header, &name_at, &desc_at)) > 0) {
		if (header.n_type != type || header.n_namesz != strlen(name) + 1 ||
		    memcmp((const char *)data->d_buf + name_at, name, header.n_namesz) != 0)
			continue;
		note->desc = (const uint8_t *)data->d_buf + desc_at;
		note->desc_size = header.n_descsz;
		return true;
	}
	return false;
}

bool elf_libelf_note(const struct elf_libelf *lib, const char *name, uint32_t type,
		     struct vmm__elf_note *note)
{
	note->desc = NULL;
	for (unsigned int i = 0; i < lib->elf.segment_count; i++) {
		struct vmm__elf_segment segment;
		Elf_Data *data;

		if (!elf_libelf_segment(lib, i, &segment))
			return false;
		if (segment.type != PT_NOTE || segment.file_size == 0)
			continue;
		data = elf_getdata_rawchunk(lib->handle, (int64_t)segment.offset, segment.file_size,
					    segment.align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
		if (!data)
			return false;
		if (find_in_data(data, name, type, note))
			return true;
	}
	return true;
}

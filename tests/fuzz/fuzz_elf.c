// SPDX-License-Identifier: BSD-2-Clause-Patent
/* What the ELF reader accepts, libelf reads in the same way. */
#include <string.h>

#include "elf_libelf.h"
#include "elf_reader.h"
#include "fuzz.h"
#include "images.h"

#define NOTE_NAME "Xen"
#define NOTE_TYPE 18

static int same_segment(const struct vmm__elf_segment *a, const struct vmm__elf_segment *b)
{
	return a->type == b->type && a->flags == b->flags && a->offset == b->offset &&
	       a->vaddr == b->vaddr && a->paddr == b->paddr && a->file_size == b->file_size &&
	       a->mem_size == b->mem_size && a->align == b->align;
}

/* The padding of a segment's last note may be missing; libelf does not find such a note. */
static int is_padded(const struct vmm__elf *elf, const struct vmm__elf_note *note)
{
	const uint64_t desc = (uint64_t)(note->desc - elf->image);

	for (unsigned int i = 0; i < elf->segment_count; i++) {
		struct vmm__elf_segment s;
		uint64_t align;

		vmm__elf_segment_get(elf, i, &s);
		align = s.align == 8 ? 8 : 4;
		if (s.type == ELF_SEGMENT_NOTE && desc >= s.offset &&
		    desc - s.offset <= s.file_size)
			return (desc - s.offset + note->desc_size + align - 1) / align * align <=
			       s.file_size;
	}
	return 0;
}

static void compare_notes(const struct vmm__elf *elf, const struct elf_libelf *lib)
{
	struct vmm__elf_note ours, theirs;

	/* libelf passes over what it cannot read; the reader says so. */
	if (vmm__elf_note_find(elf, NOTE_NAME, NOTE_TYPE, &ours))
		return;
	FUZZ_CHECK(elf_libelf_note(lib, NOTE_NAME, NOTE_TYPE, &theirs));
	if (!ours.desc || !is_padded(elf, &ours)) {
		FUZZ_CHECK(!theirs.desc || ours.desc);
		return;
	}
	FUZZ_CHECK(theirs.desc);
	FUZZ_CHECK(ours.desc_size == theirs.desc_size);
	FUZZ_CHECK(memcmp(ours.desc, theirs.desc, ours.desc_size) == 0);
}

static void compare(const struct vmm__elf *elf, const struct elf_libelf *lib)
{
	FUZZ_CHECK(elf->is64 == lib->elf.is64);
	FUZZ_CHECK(elf->type == lib->elf.type);
	FUZZ_CHECK(elf->machine == lib->elf.machine);
	FUZZ_CHECK(elf->entry == lib->elf.entry);
	FUZZ_CHECK(elf->segment_count == lib->elf.segment_count);
	for (unsigned int i = 0; i < elf->segment_count; i++) {
		struct vmm__elf_segment ours, theirs;

		vmm__elf_segment_get(elf, i, &ours);
		FUZZ_CHECK(elf_libelf_segment(lib, i, &theirs));
		FUZZ_CHECK(same_segment(&ours, &theirs));
	}
	compare_notes(elf, lib);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct vmm__elf elf;
	struct elf_libelf lib;

	if (vmm__elf_open(&elf, data, len))
		return 0;
	FUZZ_CHECK(elf_libelf_open(&lib, data, len));
	compare(&elf, &lib);
	elf_libelf_close(&lib);
	return 0;
}

size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	static struct image image;

	if (index > 3)
		return 0;
	image_elf(&image, index & 1, ELF_WITH_PVH);
	if (index & 2) /* notes padded to 8 bytes */
		image_put32(&image, image_elf_phdr(index & 1, 1) + (index & 1 ? 48 : 28), 8);
	memcpy(buf, image.bytes, image.len);
	return image.len;
}

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * An ELF in memory as libelf (elfutils) reads it. For tests: what elf_reader.h finds must be the
 * same.
 */
#ifndef VMM_LOADER_ELF_LIBELF_H
#define VMM_LOADER_ELF_LIBELF_H

#include "elf_reader.h"

struct elf_libelf {
	void *handle;
	struct vmm__elf elf; /* segments is not filled */
};

/* False if libelf cannot read it. What was opened is closed again. */
bool elf_libelf_open(struct elf_libelf *lib, const void *image, uint64_t len);
void elf_libelf_close(struct elf_libelf *lib);

bool elf_libelf_segment(const struct elf_libelf *lib, unsigned int index,
			struct vmm__elf_segment *segment);

/* The first note of that name and type; note->desc is NULL if there is none. */
bool elf_libelf_note(const struct elf_libelf *lib, const char *name, uint32_t type,
		     struct vmm__elf_note *note);

#endif

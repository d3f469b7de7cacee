/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Reads little-endian ELF32 and ELF64 executables that lie in memory: System V gABI, chapters 4
 * (ELF header) and 5 (program header, note section). It copies nothing and keeps only pointers
 * into the image, every one of which has been checked against the image's end.
 */
#ifndef VMM_LOADER_ELF_READER_H
#define VMM_LOADER_ELF_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_TYPE_EXEC 2u
#define ELF_TYPE_DYN  3u

#define ELF_MACHINE_386     3u
#define ELF_MACHINE_X86_64  62u
#define ELF_MACHINE_AARCH64 183u

#define ELF_SEGMENT_LOAD 1u
#define ELF_SEGMENT_NOTE 4u

struct vmm__elf {
	const uint8_t *image;
	uint64_t len;
	bool is64;
	uint16_t type;
	uint16_t machine;
	uint16_t segment_count;
	uint64_t entry;
	uint64_t segments; /* file offset of the program headers */
};

struct vmm__elf_segment {
	uint32_t type;
	uint32_t flags;
	uint64_t offset;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t file_size;
	uint64_t mem_size;
	uint64_t align;
};

struct vmm__elf_note {
	const uint8_t *desc;
	uint32_t desc_size;
};

/* A NULL that a reader returns is "well formed"; else it is what is wrong, for the user. */

/* Checks the ELF header, and that all header tables and the segments' bytes lie in the file. */
const char *vmm__elf_open(struct vmm__elf *elf, const void *image, uint64_t len);

/* Segment @index of segment_count; it was checked by vmm__elf_open(). */
void vmm__elf_segment_get(const struct vmm__elf *elf, unsigned int index,
			  struct vmm__elf_segment *segment);

/* The first note of that name and type; note->desc is NULL if there is none. */
const char *vmm__elf_note_find(const struct vmm__elf *elf, const char *name, uint32_t type,
			       struct vmm__elf_note *note);

/*
 * Where the entry point lies physically: e_entry is virtual, its segment says by how much they
 * differ. False if no loaded segment holds it.
 */
bool vmm__elf_entry_paddr(const struct vmm__elf *elf, uint64_t *paddr);

/* A loaded segment holds this physical address. */
bool vmm__elf_holds_paddr(const struct vmm__elf *elf, uint64_t paddr);

#endif

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "elf_reader.h"
#include "bits.h"
#include "endian.h"

/* e_ident (gABI 4, "ELF Identification"). */
#define IDENT_MAGIC   0x464c457fu
#define IDENT_CLASS   4
#define IDENT_CLASS32 1
#define IDENT_CLASS64 2
#define IDENT_DATA    5
#define IDENT_LSB     1
#define IDENT_VERSION 6

/* Offsets in the ELF header; those before e_entry are the same in both classes. */
#define EH_TYPE    16
#define EH_MACHINE 18
#define EH_VERSION 20
#define EH_ENTRY   24

#define EH32_PHOFF     28
#define EH32_SHOFF     32
#define EH32_PHENTSIZE 42
#define EH32_SIZE      52
#define PH32_SIZE      32

#define EH64_PHOFF     32
#define EH64_SHOFF     40
#define EH64_PHENTSIZE 54
#define EH64_SIZE      64
#define PH64_SIZE      56

/* From e_phentsize on, the fields stand alike in both: phnum, shentsize, shnum. */
#define PHNUM_FROM     2
#define SHENTSIZE_FROM 4
#define SHNUM_FROM     6

/* e_phnum's value when the number is elsewhere. */
#define PHNUM_EXTENDED 0xffffu

/* Elf32_Nhdr and Elf64_Nhdr: three words, then the name and the descriptor, each padded. */
#define NOTE_HEADER 12u

static uint64_t read_word(const struct vmm__elf *elf, unsigned int offset32, unsigned int offset64)
{
	return elf->is64 ? vmm__le64(elf->image + offset64) : vmm__le32(elf->image + offset32);
}

static const char *read_ident(struct vmm__elf *elf)
{
	const uint8_t *image = elf->image;

	if (elf->len < EH32_SIZE || vmm__le32(image) != IDENT_MAGIC)
		return "not an ELF, or cut short within its header";
	if (image[IDENT_CLASS] != IDENT_CLASS32 && image[IDENT_CLASS] != IDENT_CLASS64)
		return "ELF of neither 32 nor 64 bits";
	elf->is64 = image[IDENT_CLASS] == IDENT_CLASS64;
	if (elf->is64 && elf->len < EH64_SIZE)
		return "ELF cut short within its header";
	if (image[IDENT_DATA] != IDENT_LSB)
		return "ELF that is not little-endian";
	if (image[IDENT_VERSION] != 1 || vmm__le32(image + EH_VERSION) != 1)
		return "ELF of an unknown version";
	return NULL;
}

static const char *read_tables(struct vmm__elf *elf)
{
	const uint8_t *sizes = elf->image + (elf->is64 ? EH64_PHENTSIZE : EH32_PHENTSIZE);
	const uint64_t shoff = read_word(elf, EH32_SHOFF, EH64_SHOFF);
	const uint64_t sections_size =
		(uint64_t)vmm__le16(sizes + SHENTSIZE_FROM) * vmm__le16(sizes + SHNUM_FROM);
	const uint32_t entry_size = elf->is64 ? PH64_SIZE : PH32_SIZE;

	elf->segments = read_word(elf, EH32_PHOFF, EH64_PHOFF);
	elf->segment_count = vmm__le16(sizes + PHNUM_FROM);
	if (elf->segment_count == 0 || elf->segments == 0)
		return "ELF without program headers";
	if (elf->segment_count == PHNUM_EXTENDED)
		return "ELF with too many program headers";
	if (vmm__le16(sizes) != entry_size)
		return "ELF with program headers of an unknown size";
	if (!vmm__range_within(elf->segments, (uint64_t)entry_size * elf->segment_count, elf->len))
		return "ELF cut short: its program headers pass the end of the file";
	if (shoff && sections_size == 0)
		return "ELF with a section header table of unknown size";
	/* Sections are not used, but their table is the last thing in a file. */
	if (shoff && !vmm__range_within(shoff, sections_size, elf->len))
		return "ELF cut short: its section headers pass the end of the file";
	return NULL;
}

static const char *check_segment(const struct vmm__elf *elf, unsigned int index)
{
	const uint64_t top = elf->is64 ? UINT64_MAX : UINT32_MAX;
	struct vmm__elf_segment segment;

	vmm__elf_segment_get(elf, index, &segment);
	if (segment.type != ELF_SEGMENT_LOAD && segment.type != ELF_SEGMENT_NOTE)
		return NULL;
	if (!vmm__range_within(segment.offset, segment.file_size, elf->len))
		return "ELF cut short: a segment passes the end of the file";
	if (segment.type == ELF_SEGMENT_NOTE)
		return NULL;
	if (segment.file_size > segment.mem_size)
		return "ELF segment with more bytes in the file than in memory";
	if (segment.mem_size > top - segment.paddr || segment.mem_size > top - segment.vaddr)
		return "ELF segment that passes the end of the address space";
	return NULL;
}

const char *vmm__elf_open(struct vmm__elf *elf, const void *image, uint64_t len)
{
	const char *wrong;

	*elf = (struct vmm__elf){.image = image, .len = len};
	wrong = read_ident(elf);
	if (wrong)
		return wrong;
	elf->type = vmm__le16(elf->image + EH_TYPE);
	elf->machine = vmm__le16(elf->image + EH_MACHINE);
	elf->entry = read_word(elf, EH_ENTRY, EH_ENTRY);
	if (elf->type != ELF_TYPE_EXEC && elf->type != ELF_TYPE_DYN)
		return "ELF that is not an executable";
	wrong = read_tables(elf);
	for (unsigned int i = 0; i < elf->segment_count && !wrong; i++)
		wrong = check_segment(elf, i);
	return wrong;
}

void vmm__elf_segment_get(const struct vmm__elf *elf, unsigned int index,
			  struct vmm__elf_segment *segment)
{
	const uint8_t *ph =
		elf->image + elf->segments + (size_t)index * (elf->is64 ? PH64_SIZE : PH32_SIZE);

	if (elf->is64) {
		*segment = (struct vmm__elf_segment){
			.type = vmm__le32(ph),
			.flags = vmm__le32(ph + 4),
			.offset = vmm__le64(ph + 8),
			.vaddr = vmm__le64(ph + 16),
			.paddr = vmm__le64(ph + 24),
			.file_size = vmm__le64(ph + 32),
			.mem_size = vmm__le64(ph + 40),
			.align = vmm__le64(ph + 48),
		};
		return;
	}
	*segment = (struct vmm__elf_segment){
		.type = vmm__le32(ph),
		.offset = vmm__le32(ph + 4),
		.vaddr = vmm__le32(ph + 8),
		.paddr = vmm__le32(ph + 12),
		.file_size = vmm__le32(ph + 16),
		.mem_size = vmm__le32(ph + 20),
		.flags = vmm__le32(ph + 24),
		.align = vmm__le32(ph + 28),
	};
}

/* @name with its NUL is the note's name. */
static bool has_name(const uint8_t *bytes, uint32_t size, const char *name)
{
	for (uint32_t i = 0; i < size; i++) {
		if (bytes[i] != (uint8_t)name[i])
			return false;
		if (name[i] == '\0')
			return i + 1 == size;
	}
	return false;
}

/* Sizes are 32-bit numbers, so sums of them in 64 bits do not overflow. */
static const char *find_in_segment(const uint8_t *notes, uint64_t size, uint64_t align,
				   const char *name, uint32_t type, struct vmm__elf_note *note)
{
	uint64_t at = 0;

	while (at < size && size - at >= NOTE_HEADER) {
		const uint8_t *header = notes + at;
		const uint32_t name_size = vmm__le32(header), desc_size = vmm__le32(header + 4);
		const uint64_t desc = at + vmm__align_up(NOTE_HEADER + (uint64_t)name_size, align);

		if (!vmm__range_within(desc, desc_size, size))
			return "ELF note that passes its segment's end";
		if (vmm__le32(header + 8) == type &&
		    has_name(header + NOTE_HEADER, name_size, name)) {
			note->desc = notes + desc;
			note->desc_size = desc_size;
			return NULL;
		}
		at = desc + vmm__align_up(desc_size, align);
	}
	return NULL;
}

const char *vmm__elf_note_find(const struct vmm__elf *elf, const char *name, uint32_t type,
			       struct vmm__elf_note *note)
{
	const char *wrong = NULL;
	uint64_t left = elf->len; /* that they can have if no two share a byte */

	note->desc = NULL;
	for (unsigned int i = 0; i < elf->segment_count && !wrong && !note->desc; i++) {
		struct vmm__elf_segment segment;

		vmm__elf_segment_get(elf, i, &segment);
		/* Both classes use 4-byte padding, unless the segment asks for 8. */
		if (segment.type != ELF_SEGMENT_NOTE)
			continue;
		if (segment.file_size > left)
			return "ELF with segments of notes that overlap";
		left -= segment.file_size;
		wrong = find_in_segment(elf->image + segment.offset, segment.file_size,
					segment.align == 8 ? 8 : 4, name, type, note);
	}
	return wrong;
}

bool vmm__elf_entry_paddr(const struct vmm__elf *elf, uint64_t *paddr)
{
	for (unsigned int i = 0; i < elf->segment_count; i++) {
		struct vmm__elf_segment segment;

		vmm__elf_segment_get(elf, i, &segment);
		if (segment.type == ELF_SEGMENT_LOAD && elf->entry >= segment.vaddr &&
		    elf->entry - segment.vaddr < segment.mem_size) {
			*paddr = segment.paddr + (elf->entry - segment.vaddr);
			return true;
		}
	}
	return false;
}

bool vmm__elf_holds_paddr(const struct vmm__elf *elf, uint64_t paddr)
{
	for (unsigned int i = 0; i < elf->segment_count; i++) {
		struct vmm__elf_segment segment;

		vmm__elf_segment_get(elf, i, &segment);
		if (segment.type == ELF_SEGMENT_LOAD && paddr >= segment.paddr &&
		    paddr - segment.paddr < segment.mem_size)
			return true;
	}
	return false;
}

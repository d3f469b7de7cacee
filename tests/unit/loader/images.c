// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "images.h"

#include <stdio.h>
#include <string.h>

void image_put16(struct image *image, size_t at, uint16_t value)
{
	for (int i = 0; i < 2; i++)
		image->bytes[at + (size_t)i] = (uint8_t)(value >> 8 * i);
}

void image_put32(struct image *image, size_t at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		image->bytes[at + (size_t)i] = (uint8_t)(value >> 8 * i);
}

void image_put64(struct image *image, size_t at, uint64_t value)
{
	image_put32(image, at, (uint32_t)value);
	image_put32(image, at + 4, (uint32_t)(value >> 32));
}

/* Bytes that tell by their value where in the file they stand. */
static void fill(struct image *image, size_t len)
{
	memset(image, 0, sizeof(*image));
	image->len = len;
	for (size_t i = 0; i < len; i++)
		image->bytes[i] = (uint8_t)(i * 7 + (i >> 8));
}

void image_bzimage(struct image *image)
{
	fill(image, BZ_SETUP + BZ_CODE);
	memset(image->bytes + 0x1ef, 0, 0x300 - 0x1ef);
	image->bytes[0x1f1] = BZ_SETUP / 512 - 1;
	image_put32(image, 0x1f4, BZ_CODE / 16);
	image_put16(image, 0x1fe, 0xaa55);
	image->bytes[0x200] = 0xeb;
	image->bytes[0x201] = 0x6a;
	memcpy(image->bytes + 0x202, "HdrS", 4);
	image_put16(image, 0x206, 0x20f);
	image->bytes[0x211] = 1;
	image_put32(image, 0x22c, BZ_INITRDMAX);
	image_put32(image, 0x230, 0x200000);
	image->bytes[0x234] = 1;
	image->bytes[0x235] = 21;
	image_put16(image, 0x236, 3);
	image_put32(image, 0x238, BZ_CMDLINE);
	image_put64(image, 0x258, BZ_PREF);
	image_put32(image, 0x260, BZ_INIT);
}

struct segment {
	uint32_t type, flags, offset, paddr, size, mem, align;
};

static void put_segment32(struct image *image, size_t at, const struct segment *s)
{
	const uint32_t words[] = {s->type,  s->offset, s->paddr ? s->paddr + ELF_VADDR : 0,
				  s->paddr, s->size,   s->mem,
				  s->flags, s->align};

	for (size_t i = 0; i < 8; i++)
		image_put32(image, at + 4 * i, words[i]);
}

static void put_segment64(struct image *image, size_t at, const struct segment *s)
{
	const uint64_t words[] = {s->offset, s->paddr ? s->paddr + ELF_VADDR : 0,
				  s->paddr,  s->size,
				  s->mem,    s->align};

	image_put32(image, at, s->type);
	image_put32(image, at + 4, s->flags);
	for (size_t i = 0; i < 6; i++)
		image_put64(image, at + 8 + 8 * i, words[i]);
}

size_t image_elf_phdr(bool is64, unsigned int index)
{
	return is64 ? 64 + 56 * (size_t)index : 52 + 32 * (size_t)index;
}

static void put_elf_header(struct image *image, bool is64, unsigned int segments)
{
	memset(image->bytes, 0, 0x200);
	memcpy(image->bytes, "\177ELF", 4);
	image->bytes[4] = is64 ? 2 : 1;
	image->bytes[5] = 1;
	image->bytes[6] = 1;
	image_put16(image, 16, 2);
	image_put16(image, 18, is64 ? 62 : 3);
	image_put32(image, 20, 1);
	if (is64) {
		image_put64(image, 24, ELF_ENTRY + ELF_VADDR);
		image_put64(image, 32, image_elf_phdr(is64, 0));
	} else {
		image_put32(image, 24, ELF_ENTRY + ELF_VADDR);
		image_put32(image, 28, (uint32_t)image_elf_phdr(is64, 0));
	}
	image_put16(image, is64 ? 52 : 40, is64 ? 64 : 52);
	image_put16(image, is64 ? 54 : 42, is64 ? 56 : 32);
	image_put16(image, is64 ? 56 : 44, (uint16_t)segments);
}

/* A note of another owner, then Xen's. Returns their size. */
static uint32_t put_notes(struct image *image, bool is64, size_t at)
{
	memset(image->bytes + at, 0, 64);
	image_put32(image, at, 4);
	image_put32(image, at + 4, 5);
	image_put32(image, at + 8, 18);
	memcpy(image->bytes + at + 12, "GNU\0hello", 9);
	at += 24;
	image_put32(image, at, 4);
	image_put32(image, at + 4, is64 ? 8 : 4);
	image_put32(image, at + 8, 18);
	memcpy(image->bytes + at + 12, "Xen", 4);
	image_put32(image, at + 16, ELF_PVH_ENTRY);
	return 24 + 16 + (is64 ? 8 : 4);
}

void image_elf(struct image *image, bool is64, unsigned int with)
{
	struct segment segments[] = {
		{1, 5, ELF_TEXT_OFFSET, ELF_TEXT_PADDR, ELF_TEXT_SIZE, ELF_TEXT_SIZE, 0x1000},
		{4, 4, ELF_NOTE_OFFSET, 0, 0, 0, 4},
		{1, 6, ELF_DATA_OFFSET, ELF_DATA_PADDR, ELF_DATA_SIZE, ELF_DATA_MEM, 0x1000},
		{0x6474e551, 6, 0, 0, 0, 0, 16},
	};

	fill(image, ELF_NOTE_OFFSET + 64);
	put_elf_header(image, is64, 4);
	if (with & ELF_WITH_PVH)
		segments[1].size = segments[1].mem = put_notes(image, is64, ELF_NOTE_OFFSET);
	image->len = ELF_NOTE_OFFSET + segments[1].size;
	if (with & ELF_WITH_MB) {
		image_put32(image, ELF_TEXT_OFFSET, 0x1badb002);
		image_put32(image, ELF_TEXT_OFFSET + 4, 3);
		image_put32(image, ELF_TEXT_OFFSET + 8, 0u - 0x1badb002u - 3u);
	}
	for (unsigned int i = 0; i < 4; i++)
		(is64 ? put_segment64 : put_segment32)(image, image_elf_phdr(is64, i),
						       &segments[i]);
}

void image_multiboot(struct image *image)
{
	const uint32_t words[] = {0x1badb002,
				  0x10003,
				  0u - 0x1badb002u - 0x10003u,
				  MB_LOAD + (MB_HEADER - MB_FILE_START),
				  MB_LOAD,
				  MB_LOAD + MB_LOAD_SIZE,
				  MB_LOAD + MB_SIZE,
				  MB_ENTRY};

	fill(image, MB_FILE_START + MB_LOAD_SIZE);
	for (size_t i = 0; i < 8; i++)
		image_put32(image, MB_HEADER + 4 * i, words[i]);
}

static void put_member(struct image *image, const char *name, const char *contents)
{
	char *at = (char *)image->bytes + image->len;
	const unsigned int name_size = (unsigned int)strlen(name) + 1;
	const unsigned int size = (unsigned int)strlen(contents);
	const unsigned int data = (110 + name_size + 3) & ~3u;

	snprintf(at, 111, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08x%08X", 1, 0100644,
		 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0);
	memcpy(at + 110, name, name_size);
	memcpy(at + data, contents, size);
	image->len += (data + size + 3) & ~3u;
}

void image_initrd(struct image *image)
{
	memset(image, 0, sizeof(*image));
	put_member(image, "bin", "");
	put_member(image, "bin/init", "#!/bin/sh\n");
	put_member(image, "TRAILER!!!", "");
	image->len += 512 - image->len % 512;
	put_member(image, "etc", "second archive");
	put_member(image, "TRAILER!!!", "");
}

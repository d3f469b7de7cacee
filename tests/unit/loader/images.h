/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Small images of every kind, made in memory for the tests and as seeds of the fuzzers. */
#ifndef TESTS_LOADER_IMAGES_H
#define TESTS_LOADER_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No image is larger. */
#define IMAGE_CAP 0x8000u

struct image {
	uint8_t bytes[IMAGE_CAP];
	size_t len;
};

/* Little-endian fields at an offset of an image. */
void image_put16(struct image *image, size_t at, uint16_t value);
void image_put32(struct image *image, size_t at, uint32_t value);
void image_put64(struct image *image, size_t at, uint64_t value);

/* A relocatable 2.15 kernel: setup of 5 sectors, then BZ_CODE bytes of code, for 16 MiB. */
#define BZ_SETUP     (5u * 512u)
#define BZ_CODE      0x1000u
#define BZ_PREF      0x1000000u
#define BZ_INIT      0x400000u
#define BZ_CMDLINE   255u
#define BZ_INITRDMAX 0x7fffffffu
void image_bzimage(struct image *image);

/*
 * An executable with two loaded segments, the second with a bss, one PVH note and one Multiboot
 * header at ELF_TEXT_OFFSET in the file.
 */
#define ELF_TEXT_OFFSET 0x1000u
#define ELF_TEXT_PADDR  0x200000u
#define ELF_TEXT_SIZE   0x800u
#define ELF_DATA_OFFSET 0x1800u
#define ELF_DATA_PADDR  0x300000u
#define ELF_DATA_SIZE   0x200u
#define ELF_DATA_MEM    0x5000u
#define ELF_NOTE_OFFSET 0x1a00u
#define ELF_VADDR       0xc0000000u /* vaddr - paddr */
#define ELF_ENTRY       0x200040u   /* physical */
#define ELF_PVH_ENTRY   0x200080u
#define ELF_WITH_PVH    1u
#define ELF_WITH_MB     2u
void image_elf(struct image *image, bool is64, unsigned int with);

/* File offset of program header @index, of the note's header and of the Multiboot header. */
size_t image_elf_phdr(bool is64, unsigned int index);

/* Not an ELF: header at 0x20 in the file, loaded from 0x10 on. */
#define MB_HEADER     0x20u
#define MB_FILE_START 0x10u
#define MB_LOAD       0x100000u
#define MB_LOAD_SIZE  0x3f0u
#define MB_SIZE       0x1000u /* with its bss */
#define MB_ENTRY      0x100040u
void image_multiboot(struct image *image);

/* Two newc archives, one with a directory and a file, zeros between and after them. */
void image_initrd(struct image *image);

#endif

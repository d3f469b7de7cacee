/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the loaders of all protocols share: one load in progress.
 *
 * A loader works in two phases. While it plans, it checks the image and reserves an area of RAM
 * for each thing it will write; nothing is written. Then it writes, and only the target can fail.
 */
#ifndef VMM_LOADER_LOAD_H
#define VMM_LOADER_LOAD_H

#include <stdbool.h>

#include "bits.h"
#include "endian.h"
#include "format.h"
#include "libvmm/loader.h"

#define VMM__4K   UINT64_C(0x1000)
#define VMM__1MIB UINT64_C(0x100000)
#define VMM__4GIB UINT64_C(0x100000000)

/* Physical addresses have at most 52 bits (SDM vol. 3A, 4.1.4). */
#define VMM__PHYS_END BIT(52)

/* The one way out of a load that fails; numbers are 64-bit ones. */
#define ULL(v)                     ((unsigned long long)(v))
#define LOAD_FAIL(load, code, ...) vmm__fail((load)->error, code, "vmm_image_load", 0, __VA_ARGS__)

struct vmm__load {
	const struct vmm_load_target *target;
	const struct vmm_load_args *args;
	struct vmm_boot *boot;
	struct vmm_error *error;
};

/* Check the memory map; every later address arithmetic relies on it. */
int vmm__load_check_target(const struct vmm__load *load);

/* Reserve exactly [base, base + size), which must be free RAM. */
int vmm__load_reserve(struct vmm__load *load, uint64_t base, uint64_t size, uint32_t what,
		      uint32_t index);

/* What is to be placed: @size bytes at a multiple of @align, all of them in [min, end). */
struct vmm__place {
	uint64_t size;
	uint64_t align;
	uint64_t min;
	uint64_t end;
	uint32_t what;
	uint32_t index;
};

/* Reserve it at the lowest or the highest free address. */
int vmm__load_place_up(struct vmm__load *load, const struct vmm__place *place, uint64_t *base);
int vmm__load_place_down(struct vmm__load *load, const struct vmm__place *place, uint64_t *base);

/* Place a table for the guest: below 640 KiB if there is room, else anywhere below 4 GiB. */
int vmm__load_place_table(struct vmm__load *load, uint64_t size, uint64_t align, uint32_t what,
			  uint64_t *base);

/* Place and name the kernel's command line, *base = 0 if there is none. @max is without the NUL. */
int vmm__load_place_cmdline(struct vmm__load *load, uint64_t max, uint64_t *base);

/* Place a list of modules of @list_size bytes, and after it their command lines. */
int vmm__load_place_modlist(struct vmm__load *load, uint64_t list_size, uint64_t *base);

/* Bytes of RAM without a hole from @base on, at most up to @end. */
uint64_t vmm__load_ram_from(const struct vmm__load *load, uint64_t base, uint64_t end);

int vmm__load_write(const struct vmm__load *load, uint64_t gpa, const void *buf, uint64_t len);
int vmm__load_zero(const struct vmm__load *load, uint64_t gpa, uint64_t len);

/* With its NUL; NULL is written as nothing. */
int vmm__load_write_string(const struct vmm__load *load, uint64_t gpa, const char *text);

/* Bytes of a string with its NUL, 0 for NULL. */
uint64_t vmm__load_string_size(const char *text);

/* The modules' bytes, at the areas that were reserved for them. */
int vmm__load_write_modules(const struct vmm__load *load);

/* Where module @index is. It was placed. */
uint64_t vmm__load_module_base(const struct vmm__load *load, uint32_t index);

/* Descriptor table and page tables of the mode the CPU is entered in (entry.c). */
int vmm__entry_plan(struct vmm__load *load, uint32_t mode);
int vmm__entry_write(const struct vmm__load *load);

/* One loader for each kind of image. */
int vmm__bzimage_load(struct vmm__load *load);
int vmm__pvh_load(struct vmm__load *load);
int vmm__multiboot_load(struct vmm__load *load);
int vmm__flat_load(struct vmm__load *load);

/* Predicates of vmm_image_probe(). */
bool vmm__bzimage_is(const uint8_t *image, size_t len);
bool vmm__pvh_is(const uint8_t *image, size_t len);
bool vmm__multiboot_is(const uint8_t *image, size_t len);

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Guest memory for the loaders' tests: sparse, and strict about what it lets be written. */
#ifndef TESTS_LOADER_GUEST_RAM_H
#define TESTS_LOADER_GUEST_RAM_H

#include "libvmm/loader.h"

/* Everything the tests use lies below this. */
#define GUEST_RAM_END UINT64_C(0x200000000)

struct guest_ram {
	uint8_t *bytes;
	struct vmm_load_target target;
	uint64_t writes;  /* calls so far */
	uint64_t fail_at; /* the call that fails with VMM_EIO, counted from 1; 0: none */
};

/* Two RAM ranges (640 KiB less EBDA, and 1 MiB to 512 MiB) with a reserved one between them. */
void guest_ram_init(struct guest_ram *ram);
void guest_ram_fini(struct guest_ram *ram);

/* Fills all of low memory and the first 64 MiB with 0xa5, so that a missing zero shows. */
void guest_ram_dirty(struct guest_ram *ram);

uint16_t guest_ram16(const struct guest_ram *ram, uint64_t gpa);
uint32_t guest_ram32(const struct guest_ram *ram, uint64_t gpa);
uint64_t guest_ram64(const struct guest_ram *ram, uint64_t gpa);

/* [gpa, gpa + len) lies in one range of type RAM, or in several that touch. */
int guest_ram_holds(const struct vmm_load_target *target, uint64_t gpa, uint64_t len);

#endif

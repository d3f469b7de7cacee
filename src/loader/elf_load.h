/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* An x86 ELF's segments on their way to guest memory; shared by the protocols that use ELF. */
#ifndef VMM_LOADER_ELF_LOAD_H
#define VMM_LOADER_ELF_LOAD_H

#include "elf_reader.h"
#include "load.h"

/* Open the image as an ELF for x86 and say what is wrong with it. */
int vmm__elf_load_open(const struct vmm__load *load, struct vmm__elf *elf);

/* Reserve each loaded segment's memory, all of it below 4 GiB. *end: after the highest one. */
int vmm__elf_load_plan(struct vmm__load *load, const struct vmm__elf *elf, uint64_t *end);

int vmm__elf_load_write(const struct vmm__load *load, const struct vmm__elf *elf);

#endif

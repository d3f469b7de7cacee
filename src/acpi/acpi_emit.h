/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the files of single tables need beyond the public functions. */
#ifndef VMM_ACPI_ACPI_EMIT_H
#define VMM_ACPI_ACPI_EMIT_H

#include <stdbool.h>

#include "acpi_sink.h"
#include "libvmm/acpi.h"

int vmm__acpi_fail(struct vmm_acpi *b, int code);

/* Is the open table of this kind? The error is kept if not. */
bool vmm__acpi_inside(struct vmm_acpi *b, const char *signature);

/* Offset of the end in the open table: what nodes are pointed at with. */
uint32_t vmm__acpi_here(const struct vmm_acpi *b);

/* Ends a node that began at @at: tells its reference, which may be a field of what described it. */
int vmm__acpi_refer(const struct vmm_acpi *b, uint32_t at, uint32_t *ref);

/* Counts one more entry of the open table, in the field of @width bytes at @offset of it. */
void vmm__acpi_count(struct vmm_acpi *b, uint32_t offset, size_t width);

#endif

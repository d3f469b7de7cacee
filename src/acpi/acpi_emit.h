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

#endif

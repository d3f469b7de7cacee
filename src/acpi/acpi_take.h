/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Taking entries off a table that is not trusted: nothing behind its end is ever read. */
#ifndef VMM_ACPI_ACPI_TAKE_H
#define VMM_ACPI_ACPI_TAKE_H

#include <stdbool.h>

#include "endian.h"
#include "libvmm/acpi_read.h"
#include "mem.h"

/* How a kind of table writes its entries, and the fewest bytes of those that are known. */
struct vmm__acpi_form {
	uint8_t type_width; /* bytes of the type, which stands first */
	uint8_t len_at;     /* where the length stands */
	uint8_t len_width;
	uint8_t types;      /* entries of @min */
	const uint8_t *min; /* by type; 0: not known */
};

struct vmm__acpi_entry {
	const uint8_t *p;
	uint32_t len;
	uint32_t type;
	uint32_t at; /* its offset in the cursor's data */
	bool known;
};

/* A table of this signature and at least this long? 0, -VMM_EINVAL, -VMM_EFORMAT. */
int vmm__acpi_expect(const struct vmm_acpi_table *t, const char *signature, uint32_t min);

/* A cursor over the rest of a table from @at on; at its end if there is no rest. */
void vmm__acpi_from(const struct vmm_acpi_table *t, struct vmm_acpi_cursor *c, uint32_t at);

/* The next entry: 0, -VMM_ENOENT, or -VMM_EFORMAT. */
int vmm__acpi_take(struct vmm_acpi_cursor *c, const struct vmm__acpi_form *form,
		   struct vmm__acpi_entry *e);

/* Puts an entry back that turned out to be malformed; -VMM_EFORMAT. */
int vmm__acpi_refuse(struct vmm_acpi_cursor *c, const struct vmm__acpi_entry *e);

/* The field at @at of @width bytes, little-endian; 0 where the table ends before it. */
uint64_t vmm__acpi_field(const struct vmm_acpi_table *t, uint32_t at, uint32_t width);

/* The generic address there, 5.2.3.2. */
struct vmm_acpi_gas vmm__acpi_gas_at(const struct vmm_acpi_table *t, uint32_t at);

#endif

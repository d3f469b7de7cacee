/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#ifndef VMM_MACHINE_TABLES_H
#define VMM_MACHINE_TABLES_H

#include "machine_plan.h"

/*
 * The ACPI tables as they stand from MAP_TABLES on. @len: in: room at @buf (NULL: measure); out:
 * bytes. -VMM_ESIZE with *@len set, -VMM_ELIMIT where they do not fit in the guest.
 */
int vmm__tables_build(const struct vmm__plan *plan, void *buf, size_t *len);

#endif

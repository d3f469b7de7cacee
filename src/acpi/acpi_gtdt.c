// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Generic Timer Description Table. ACPI 6.5, 5.2.25. */
#include "acpi_emit.h"

#define PLATFORM_TIMERS 104 /* where they begin */

int vmm_acpi_gtdt_begin(struct vmm_acpi *b, const struct vmm_acpi_gtdt *g)
{
	if (g == NULL || g->size != sizeof(*g))
		return vmm__acpi_fail(b, VMM_EINVAL);
	vmm_acpi_table_begin(b, "GTDT", 3);
	vmm_acpi_u64(b, g->control_base);
	vmm_acpi_u32(b, 0);
	vmm_acpi_u32(b, g->secure_el1_gsi);
	vmm_acpi_u32(b, g->secure_el1_flags);
	vmm_acpi_u32(b, g->el1_gsi);
	vmm_acpi_u32(b, g->el1_flags);
	vmm_acpi_u32(b, g->virtual_gsi);
	vmm_acpi_u32(b, g->virtual_flags);
	vmm_acpi_u32(b, g->el2_gsi);
	vmm_acpi_u32(b, g->el2_flags);
	vmm_acpi_u64(b, g->read_base);
	vmm_acpi_u32(b, 0); /* number of platform timers, counted below */
	vmm_acpi_u32(b, PLATFORM_TIMERS);
	vmm_acpi_u32(b, g->virtual_el2_gsi);
	return vmm_acpi_u32(b, g->virtual_el2_flags);
}

int vmm_acpi_gtdt_watchdog(struct vmm_acpi *b, uint64_t refresh_base, uint64_t control_base,
			   uint32_t gsi, uint32_t flags)
{
	if (!vmm__acpi_inside(b, "GTDT"))
		return vmm_acpi_error(b);
	vmm__acpi_count(b, 88, 4);
	vmm_acpi_u8(b, 1);
	vmm_acpi_u16(b, 28);
	vmm_acpi_u8(b, 0);
	vmm_acpi_u64(b, refresh_base);
	vmm_acpi_u64(b, control_base);
	vmm_acpi_u32(b, gsi);
	return vmm_acpi_u32(b, flags);
}

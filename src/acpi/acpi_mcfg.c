// SPDX-License-Identifier: BSD-2-Clause-Patent
/* PCI Express memory-mapped configuration space. PCI Firmware Specification 3.3, 4.1.2. */
#include "acpi_emit.h"

int vmm_acpi_mcfg_begin(struct vmm_acpi *b)
{
	vmm_acpi_table_begin(b, "MCFG", 1);
	return vmm_acpi_zeros(b, 8);
}

int vmm_acpi_mcfg_entry(struct vmm_acpi *b, uint64_t base, uint16_t segment, uint8_t first_bus,
			uint8_t last_bus)
{
	if ((base & 0xfffff) != 0 || first_bus > last_bus)
		return vmm__acpi_fail(b, VMM_EINVAL);
	if (!vmm__acpi_inside(b, "MCFG"))
		return vmm_acpi_error(b);
	vmm_acpi_u64(b, base);
	vmm_acpi_u16(b, segment);
	vmm_acpi_u8(b, first_bus);
	vmm_acpi_u8(b, last_bus);
	return vmm_acpi_u32(b, 0);
}

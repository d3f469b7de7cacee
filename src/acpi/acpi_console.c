// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Consoles. Microsoft: Serial Port Console Redirection Table; Debug Port Table 2. */
#include "acpi_emit.h"

#define MAX_PATH 256

/* Bytes of a namespace path with its end; 0 if it is too long or none. */
static uint16_t path_length(const char *path)
{
	if (path == NULL)
		return 0;
	for (uint16_t n = 0; n < MAX_PATH; n++)
		if (path[n] == '\0')
			return (uint16_t)(n + 1);
	return 0;
}

int vmm_acpi_add_spcr(struct vmm_acpi *b, const struct vmm_acpi_spcr *s)
{
	const char *path = s != NULL && s->path != NULL ? s->path : ".";
	uint16_t n = path_length(path);

	if (s == NULL || s->size != sizeof(*s) || n == 0)
		return vmm__acpi_fail(b, VMM_EINVAL);
	vmm_acpi_table_begin(b, "SPCR", 4);
	vmm_acpi_u8(b, s->type);
	vmm_acpi_zeros(b, 3);
	vmm_acpi_address(b, &s->base);
	vmm_acpi_u8(b, s->interrupt_types);
	vmm_acpi_u8(b, s->irq);
	vmm_acpi_u32(b, s->gsi);
	vmm_acpi_u8(b, s->baud);
	vmm_acpi_u8(b, s->parity);
	vmm_acpi_u8(b, s->stop_bits);
	vmm_acpi_u8(b, s->flow);
	vmm_acpi_u8(b, s->terminal);
	vmm_acpi_u8(b, 0); /* language */
	vmm_acpi_u16(b, s->pci_device);
	vmm_acpi_u16(b, s->pci_vendor);
	vmm_acpi_u8(b, s->pci_bus);
	vmm_acpi_u8(b, s->pci_slot);
	vmm_acpi_u8(b, s->pci_function);
	vmm_acpi_u32(b, 0); /* PCI flags */
	vmm_acpi_u8(b, s->pci_segment);
	vmm_acpi_u32(b, s->clock);
	vmm_acpi_u32(b, s->precise_baud);
	vmm_acpi_u16(b, n);
	vmm_acpi_u16(b, 88); /* where the path stands */
	vmm_acpi_bytes(b, path, n);
	return vmm_acpi_table_finish(b);
}

int vmm_acpi_dbg2_begin(struct vmm_acpi *b)
{
	vmm_acpi_table_begin(b, "DBG2", 0);
	vmm_acpi_u32(b, 44); /* where the devices begin */
	return vmm_acpi_u32(b, 0);
}

/* A device of one address: its parts follow the 22 fixed bytes, in the order of their offsets. */
int vmm_acpi_dbg2_serial(struct vmm_acpi *b, uint16_t subtype, const struct vmm_acpi_gas *base,
			 uint32_t len, const char *path)
{
	const uint16_t gas = 22, size = gas + 12, name = size + 4;
	uint16_t n = path_length(path);

	if (base == NULL || n == 0)
		return vmm__acpi_fail(b, VMM_EINVAL);
	if (!vmm__acpi_inside(b, "DBG2"))
		return vmm_acpi_error(b);
	vmm__acpi_count(b, 40, 4);
	vmm_acpi_u8(b, 0); /* revision */
	vmm_acpi_u16(b, (uint16_t)(name + n));
	vmm_acpi_u8(b, 1); /* addresses */
	vmm_acpi_u16(b, n);
	vmm_acpi_u16(b, name);
	vmm_acpi_u16(b, 0); /* OEM data: none */
	vmm_acpi_u16(b, 0);
	vmm_acpi_u16(b, 0x8000); /* serial */
	vmm_acpi_u16(b, subtype);
	vmm_acpi_u16(b, 0);
	vmm_acpi_u16(b, gas);
	vmm_acpi_u16(b, size);
	vmm_acpi_address(b, base);
	vmm_acpi_u32(b, len);
	return vmm_acpi_bytes(b, path, n);
}

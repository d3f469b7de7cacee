// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Virtual I/O Translation Table. ACPI 6.5, 5.2, VIOT; nodes point at each other by offset. */
#include "acpi_emit.h"

int vmm_acpi_viot_begin(struct vmm_acpi *b)
{
	vmm_acpi_table_begin(b, "VIOT", 0);
	vmm_acpi_u16(b, 0);  /* number of nodes, counted below */
	vmm_acpi_u16(b, 48); /* where they begin */
	return vmm_acpi_u64(b, 0);
}

static uint32_t node(struct vmm_acpi *b, uint8_t type, uint16_t len)
{
	uint32_t at = vmm__acpi_here(b);

	if (!vmm__acpi_inside(b, "VIOT"))
		return 0;
	if (at > UINT16_MAX) {
		vmm__acpi_fail(b, VMM_ERANGE);
		return 0;
	}
	vmm_acpi_u8(b, type);
	vmm_acpi_u8(b, 0);
	vmm_acpi_u16(b, len);
	vmm__acpi_count(b, 36, 2);
	return at;
}

int vmm_acpi_viot_pci_iommu(struct vmm_acpi *b, uint16_t segment, uint16_t bdf, uint32_t *ref)
{
	uint32_t at;

	at = node(b, 3, 16);
	vmm_acpi_u16(b, segment);
	vmm_acpi_u16(b, bdf);
	vmm_acpi_u64(b, 0);
	return vmm__acpi_refer(b, at, ref);
}

int vmm_acpi_viot_mmio_iommu(struct vmm_acpi *b, uint64_t base, uint32_t *ref)
{
	uint32_t at;

	at = node(b, 4, 16);
	vmm_acpi_u32(b, 0);
	vmm_acpi_u64(b, base);
	return vmm__acpi_refer(b, at, ref);
}

static bool is_iommu(const struct vmm_acpi *b, uint32_t ref)
{
	return ref >= 48 && ref < vmm__acpi_here(b) && ref <= UINT16_MAX;
}

int vmm_acpi_viot_pci_range(struct vmm_acpi *b, uint32_t endpoint, uint16_t segment,
			    uint16_t first_bdf, uint16_t last_bdf, uint32_t iommu)
{
	if (!is_iommu(b, iommu) || first_bdf > last_bdf)
		return vmm__acpi_fail(b, VMM_EINVAL);
	node(b, 1, 24);
	vmm_acpi_u32(b, endpoint);
	vmm_acpi_u16(b, segment); /* first and last */
	vmm_acpi_u16(b, segment);
	vmm_acpi_u16(b, first_bdf);
	vmm_acpi_u16(b, last_bdf);
	vmm_acpi_u16(b, (uint16_t)iommu);
	return vmm_acpi_zeros(b, 6);
}

int vmm_acpi_viot_mmio(struct vmm_acpi *b, uint32_t endpoint, uint64_t base, uint32_t iommu)
{
	if (!is_iommu(b, iommu))
		return vmm__acpi_fail(b, VMM_EINVAL);
	node(b, 2, 24);
	vmm_acpi_u32(b, endpoint);
	vmm_acpi_u64(b, base);
	vmm_acpi_u16(b, (uint16_t)iommu);
	return vmm_acpi_zeros(b, 6);
}

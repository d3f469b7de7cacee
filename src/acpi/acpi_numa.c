// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Memory nodes: SRAT, SLIT, HMAT. ACPI 6.5, 5.2.16, 5.2.17, 5.2.28. */
#include "acpi_emit.h"

/* -- SRAT ---------------------------------------------------------------------------------------
 */

int vmm_acpi_srat_begin(struct vmm_acpi *b)
{
	vmm_acpi_table_begin(b, "SRAT", 3);
	vmm_acpi_u32(b, 1); /* reserved, must be 1 */
	return vmm_acpi_zeros(b, 8);
}

static void affinity(struct vmm_acpi *b, uint8_t type, uint8_t len)
{
	if (vmm__acpi_inside(b, "SRAT")) {
		vmm_acpi_u8(b, type);
		vmm_acpi_u8(b, len);
	}
}

/* 5.2.16.1: the domain's low byte is apart from the others. */
int vmm_acpi_srat_lapic(struct vmm_acpi *b, uint32_t domain, uint32_t apic_id, uint32_t flags)
{
	if (apic_id > 254)
		return vmm__acpi_fail(b, VMM_EINVAL);
	affinity(b, 0, 16);
	vmm_acpi_u8(b, (uint8_t)domain);
	vmm_acpi_u8(b, (uint8_t)apic_id);
	vmm_acpi_u32(b, flags);
	vmm_acpi_u8(b, 0); /* SAPIC EID */
	vmm_acpi_u8(b, (uint8_t)(domain >> 8));
	vmm_acpi_u16(b, (uint16_t)(domain >> 16));
	return vmm_acpi_u32(b, 0); /* clock domain */
}

int vmm_acpi_srat_memory(struct vmm_acpi *b, uint32_t domain, uint64_t base, uint64_t len,
			 uint32_t flags)
{
	affinity(b, 1, 40);
	vmm_acpi_u32(b, domain);
	vmm_acpi_u16(b, 0);
	vmm_acpi_u64(b, base);
	vmm_acpi_u64(b, len);
	vmm_acpi_u32(b, 0);
	vmm_acpi_u32(b, flags);
	return vmm_acpi_u64(b, 0);
}

int vmm_acpi_srat_x2apic(struct vmm_acpi *b, uint32_t domain, uint32_t apic_id, uint32_t flags)
{
	affinity(b, 2, 24);
	vmm_acpi_u16(b, 0);
	vmm_acpi_u32(b, domain);
	vmm_acpi_u32(b, apic_id);
	vmm_acpi_u32(b, flags);
	vmm_acpi_u32(b, 0); /* clock domain */
	return vmm_acpi_u32(b, 0);
}

int vmm_acpi_srat_gicc(struct vmm_acpi *b, uint32_t domain, uint32_t uid, uint32_t flags)
{
	affinity(b, 3, 18);
	vmm_acpi_u32(b, domain);
	vmm_acpi_u32(b, uid);
	vmm_acpi_u32(b, flags);
	return vmm_acpi_u32(b, 0); /* clock domain */
}

int vmm_acpi_srat_its(struct vmm_acpi *b, uint32_t domain, uint32_t its_id)
{
	affinity(b, 4, 12);
	vmm_acpi_u32(b, domain);
	vmm_acpi_u16(b, 0);
	return vmm_acpi_u32(b, its_id);
}

/* 5.2.16.6: a handle of type 1 is a PCI function. */
int vmm_acpi_srat_pci_initiator(struct vmm_acpi *b, uint32_t domain, uint16_t segment, uint16_t bdf,
				uint32_t flags)
{
	affinity(b, 5, 32);
	vmm_acpi_u8(b, 0);
	vmm_acpi_u8(b, 1);
	vmm_acpi_u32(b, domain);
	vmm_acpi_u16(b, segment);
	vmm_acpi_u16(b, bdf);
	vmm_acpi_zeros(b, 12);
	vmm_acpi_u32(b, flags);
	return vmm_acpi_u32(b, 0);
}

/* -- SLIT ---------------------------------------------------------------------------------------
 */

static bool is_distances(uint32_t nodes, const uint8_t *distances)
{
	for (uint32_t i = 0; i < nodes; i++)
		for (uint32_t j = 0; j < nodes; j++) {
			uint8_t d = distances[i * nodes + j];

			if (i == j ? d != 10 : d <= 10)
				return false;
		}
	return true;
}

int vmm_acpi_add_slit(struct vmm_acpi *b, uint32_t nodes, const uint8_t *distances)
{
	if (nodes == 0 || nodes > 256 || distances == NULL || !is_distances(nodes, distances))
		return vmm__acpi_fail(b, VMM_EINVAL);
	vmm_acpi_table_begin(b, "SLIT", 1);
	vmm_acpi_u64(b, nodes);
	vmm_acpi_bytes(b, distances, (size_t)nodes * nodes);
	return vmm_acpi_table_finish(b);
}

/* -- HMAT ---------------------------------------------------------------------------------------
 */

int vmm_acpi_hmat_begin(struct vmm_acpi *b)
{
	vmm_acpi_table_begin(b, "HMAT", 2);
	return vmm_acpi_zeros(b, 4);
}

static void attribute(struct vmm_acpi *b, uint16_t type, uint32_t len)
{
	if (vmm__acpi_inside(b, "HMAT")) {
		vmm_acpi_u16(b, type);
		vmm_acpi_u16(b, 0);
		vmm_acpi_u32(b, len);
	}
}

int vmm_acpi_hmat_proximity(struct vmm_acpi *b, uint32_t initiator_valid, uint32_t initiator,
			    uint32_t memory)
{
	attribute(b, 0, 40);
	vmm_acpi_u16(b, initiator_valid != 0);
	vmm_acpi_u16(b, 0);
	vmm_acpi_u32(b, initiator);
	vmm_acpi_u32(b, memory);
	return vmm_acpi_zeros(b, 20);
}

static void put_u32s(struct vmm_acpi *b, const uint32_t *v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		vmm_acpi_u32(b, v[i]);
}

/* More nodes than SLIT allows are refused here as well: it keeps the product in 32 bits. */
int vmm_acpi_hmat_add_locality(struct vmm_acpi *b, const struct vmm_acpi_hmat_locality *l)
{
	uint32_t entries;

	if (l == NULL || l->initiator == NULL || l->target == NULL || l->entry == NULL ||
	    l->size != sizeof(*l) || l->data_type > VMM_ACPI_HMAT_WRITE_BANDWIDTH ||
	    l->initiators > 256 || l->targets > 256)
		return vmm__acpi_fail(b, VMM_EINVAL);
	entries = l->initiators * l->targets;
	attribute(b, 1, 32 + 4 * (l->initiators + l->targets) + 2 * entries);
	vmm_acpi_u8(b, l->flags);
	vmm_acpi_u8(b, l->data_type);
	vmm_acpi_u8(b, l->min_transfer);
	vmm_acpi_u8(b, 0);
	vmm_acpi_u32(b, l->initiators);
	vmm_acpi_u32(b, l->targets);
	vmm_acpi_u32(b, 0);
	vmm_acpi_u64(b, l->unit);
	put_u32s(b, l->initiator, l->initiators);
	put_u32s(b, l->target, l->targets);
	for (uint32_t i = 0; i < entries; i++)
		vmm_acpi_u16(b, l->entry[i]);
	return vmm_acpi_error(b);
}

int vmm_acpi_hmat_cache(struct vmm_acpi *b, uint32_t memory, uint64_t len, uint32_t attributes)
{
	attribute(b, 2, 32);
	vmm_acpi_u32(b, memory);
	vmm_acpi_u32(b, 0);
	vmm_acpi_u64(b, len);
	vmm_acpi_u32(b, attributes);
	vmm_acpi_u16(b, 0);
	return vmm_acpi_u16(b, 0); /* SMBIOS handles */
}

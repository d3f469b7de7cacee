// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Multiple APIC Description Table. ACPI 6.5, 5.2.12. */
#include "acpi_emit.h"

#define MADT_REVISION 6

int vmm_acpi_madt_begin(struct vmm_acpi *b, uint32_t lapic_address, uint32_t flags)
{
	vmm_acpi_table_begin(b, "APIC", MADT_REVISION);
	vmm_acpi_u32(b, lapic_address);
	return vmm_acpi_u32(b, flags);
}

static void entry(struct vmm_acpi *b, uint8_t type, uint8_t len)
{
	if (vmm__acpi_inside(b, "APIC")) {
		vmm_acpi_u8(b, type);
		vmm_acpi_u8(b, len);
	}
}

/* 5.2.12.2: 255 is the broadcast, and a UID of one byte is what the entry can hold. */
int vmm_acpi_madt_lapic(struct vmm_acpi *b, uint32_t uid, uint32_t apic_id, uint32_t flags)
{
	if (uid > 255 || apic_id > 254)
		return vmm__acpi_fail(b, VMM_EINVAL);
	entry(b, 0x00, 8);
	vmm_acpi_u8(b, (uint8_t)uid);
	vmm_acpi_u8(b, (uint8_t)apic_id);
	return vmm_acpi_u32(b, flags);
}

int vmm_acpi_madt_x2apic(struct vmm_acpi *b, uint32_t uid, uint32_t apic_id, uint32_t flags)
{
	entry(b, 0x09, 16);
	vmm_acpi_u16(b, 0);
	vmm_acpi_u32(b, apic_id);
	vmm_acpi_u32(b, flags);
	return vmm_acpi_u32(b, uid);
}

int vmm_acpi_madt_ioapic(struct vmm_acpi *b, uint8_t id, uint32_t address, uint32_t gsi)
{
	entry(b, 0x01, 12);
	vmm_acpi_u8(b, id);
	vmm_acpi_u8(b, 0);
	vmm_acpi_u32(b, address);
	return vmm_acpi_u32(b, gsi);
}

int vmm_acpi_madt_override(struct vmm_acpi *b, uint8_t irq, uint32_t gsi, uint16_t flags)
{
	if (irq > 15)
		return vmm__acpi_fail(b, VMM_EINVAL);
	entry(b, 0x02, 10);
	vmm_acpi_u8(b, 0); /* bus: ISA */
	vmm_acpi_u8(b, irq);
	vmm_acpi_u32(b, gsi);
	return vmm_acpi_u16(b, flags);
}

int vmm_acpi_madt_nmi_source(struct vmm_acpi *b, uint32_t gsi, uint16_t flags)
{
	entry(b, 0x03, 8);
	vmm_acpi_u16(b, flags);
	return vmm_acpi_u32(b, gsi);
}

int vmm_acpi_madt_lapic_nmi(struct vmm_acpi *b, uint32_t uid, uint16_t flags, uint8_t lint)
{
	if ((uid > 254 && uid != VMM_ACPI_MADT_ALL_CPUS) || lint > 1)
		return vmm__acpi_fail(b, VMM_EINVAL);
	entry(b, 0x04, 6);
	vmm_acpi_u8(b, (uint8_t)uid);
	vmm_acpi_u16(b, flags);
	return vmm_acpi_u8(b, lint);
}

int vmm_acpi_madt_x2apic_nmi(struct vmm_acpi *b, uint32_t uid, uint16_t flags, uint8_t lint)
{
	if (lint > 1)
		return vmm__acpi_fail(b, VMM_EINVAL);
	entry(b, 0x0a, 12);
	vmm_acpi_u16(b, flags);
	vmm_acpi_u32(b, uid);
	vmm_acpi_u8(b, lint);
	return vmm_acpi_zeros(b, 3);
}

int vmm_acpi_madt_lapic_address(struct vmm_acpi *b, uint64_t address)
{
	entry(b, 0x05, 12);
	vmm_acpi_u16(b, 0);
	return vmm_acpi_u64(b, address);
}

/* -- Arm ----------------------------------------------------------------------------------------
 */

int vmm_acpi_madt_gicc(struct vmm_acpi *b, const struct vmm_acpi_gicc *g)
{
	if (g == NULL || g->size != sizeof(*g))
		return vmm__acpi_fail(b, VMM_EINVAL);
	entry(b, 0x0b, 82);
	vmm_acpi_u16(b, 0);
	vmm_acpi_u32(b, g->interface);
	vmm_acpi_u32(b, g->uid);
	vmm_acpi_u32(b, g->flags);
	vmm_acpi_u32(b, g->parking_version);
	vmm_acpi_u32(b, g->perf_gsi);
	vmm_acpi_u64(b, g->parked_address);
	vmm_acpi_u64(b, g->base);
	vmm_acpi_u64(b, g->gicv);
	vmm_acpi_u64(b, g->gich);
	vmm_acpi_u32(b, g->vgic_gsi);
	vmm_acpi_u64(b, g->gicr);
	vmm_acpi_u64(b, g->mpidr);
	vmm_acpi_u8(b, g->efficiency_class);
	vmm_acpi_u8(b, 0);
	vmm_acpi_u16(b, g->spe_gsi);
	return vmm_acpi_u16(b, g->trbe_gsi);
}

int vmm_acpi_madt_gicd(struct vmm_acpi *b, uint32_t id, uint64_t base, uint8_t version)
{
	if (version < 1 || version > 4)
		return vmm__acpi_fail(b, VMM_EINVAL);
	entry(b, 0x0c, 24);
	vmm_acpi_u16(b, 0);
	vmm_acpi_u32(b, id);
	vmm_acpi_u64(b, base);
	vmm_acpi_u32(b, 0); /* system vector base */
	vmm_acpi_u8(b, version);
	return vmm_acpi_zeros(b, 3);
}

int vmm_acpi_madt_gic_msi(struct vmm_acpi *b, uint32_t id, uint64_t base, uint16_t spi_base,
			  uint16_t spi_count)
{
	entry(b, 0x0d, 24);
	vmm_acpi_u16(b, 0);
	vmm_acpi_u32(b, id);
	vmm_acpi_u64(b, base);
	vmm_acpi_u32(b, spi_count != 0);
	vmm_acpi_u16(b, spi_count);
	return vmm_acpi_u16(b, spi_base);
}

int vmm_acpi_madt_gicr(struct vmm_acpi *b, uint64_t base, uint32_t len)
{
	entry(b, 0x0e, 16);
	vmm_acpi_u16(b, 0);
	vmm_acpi_u64(b, base);
	return vmm_acpi_u32(b, len);
}

int vmm_acpi_madt_its(struct vmm_acpi *b, uint32_t id, uint64_t base)
{
	entry(b, 0x0f, 20);
	vmm_acpi_u16(b, 0);
	vmm_acpi_u32(b, id);
	vmm_acpi_u64(b, base);
	return vmm_acpi_u32(b, 0);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* NVDIMM Firmware Interface Table. ACPI 6.5, 5.2.26. */
#include "acpi_emit.h"

int vmm_acpi_nfit_begin(struct vmm_acpi *b)
{
	vmm_acpi_table_begin(b, "NFIT", 1);
	return vmm_acpi_u32(b, 0);
}

static void structure(struct vmm_acpi *b, uint16_t type, uint16_t len)
{
	if (vmm__acpi_inside(b, "NFIT")) {
		vmm_acpi_u16(b, type);
		vmm_acpi_u16(b, len);
	}
}

int vmm_acpi_nfit_add_range(struct vmm_acpi *b, const struct vmm_acpi_nfit_range *r)
{
	if (r == NULL || r->size != sizeof(*r) || r->index == 0)
		return vmm__acpi_fail(b, VMM_EINVAL);
	structure(b, 0, 64);
	vmm_acpi_u16(b, r->index);
	vmm_acpi_u16(b, r->flags);
	vmm_acpi_u32(b, 0);
	vmm_acpi_u32(b, r->domain);
	vmm_acpi_bytes(b, r->type, sizeof(r->type));
	vmm_acpi_u64(b, r->base);
	vmm_acpi_u64(b, r->len);
	vmm_acpi_u64(b, r->attributes);
	return vmm_acpi_u64(b, 0); /* location cookie: none */
}

int vmm_acpi_nfit_add_map(struct vmm_acpi *b, const struct vmm_acpi_nfit_map *m)
{
	if (m == NULL || m->size != sizeof(*m))
		return vmm__acpi_fail(b, VMM_EINVAL);
	structure(b, 1, 48);
	vmm_acpi_u32(b, m->handle);
	vmm_acpi_u16(b, m->smbios);
	vmm_acpi_u16(b, m->region);
	vmm_acpi_u16(b, m->range);
	vmm_acpi_u16(b, m->control);
	vmm_acpi_u64(b, m->len);
	vmm_acpi_u64(b, m->range_offset);
	vmm_acpi_u64(b, m->dimm_base);
	vmm_acpi_u16(b, 0); /* interleave: none */
	vmm_acpi_u16(b, 1); /* ways */
	vmm_acpi_u16(b, m->flags);
	return vmm_acpi_u16(b, 0);
}

/* 5.2.26.6: without block windows the rest is zero. */
int vmm_acpi_nfit_add_control(struct vmm_acpi *b, const struct vmm_acpi_nfit_control *c)
{
	if (c == NULL || c->size != sizeof(*c) || c->index == 0)
		return vmm__acpi_fail(b, VMM_EINVAL);
	structure(b, 4, 80);
	vmm_acpi_u16(b, c->index);
	vmm_acpi_u16(b, c->vendor);
	vmm_acpi_u16(b, c->device);
	vmm_acpi_u16(b, c->revision);
	vmm_acpi_u16(b, c->subsystem_vendor);
	vmm_acpi_u16(b, c->subsystem_device);
	vmm_acpi_u16(b, c->subsystem_revision);
	vmm_acpi_zeros(b, 6); /* manufacturing data: none */
	vmm_acpi_u32(b, c->serial);
	vmm_acpi_u16(b, c->format);
	return vmm_acpi_zeros(b, 50);
}

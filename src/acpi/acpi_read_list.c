// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Reading lists of processors, memory and timers: MADT, MCFG, SRAT, PPTT, GTDT. */
#include "acpi_take.h"

/* -- MADT, 5.2.12 -------------------------------------------------------------------------------
 */

/* A GICC had 76 bytes in ACPI 5.1, 80 with the efficiency class, 82 with TRBE. */
#define GICC_FIRST 76

static const uint8_t madt_min[] = {
	[VMM_ACPI_MADT_LAPIC] = 8,         [VMM_ACPI_MADT_IOAPIC] = 12,
	[VMM_ACPI_MADT_OVERRIDE] = 10,     [VMM_ACPI_MADT_NMI_SOURCE] = 8,
	[VMM_ACPI_MADT_LAPIC_NMI] = 6,     [VMM_ACPI_MADT_LAPIC_ADDRESS] = 12,
	[VMM_ACPI_MADT_X2APIC] = 16,       [VMM_ACPI_MADT_X2APIC_NMI] = 12,
	[VMM_ACPI_MADT_GICC] = GICC_FIRST, [VMM_ACPI_MADT_GICD] = 24,
	[VMM_ACPI_MADT_GIC_MSI] = 24,      [VMM_ACPI_MADT_GICR] = 16,
	[VMM_ACPI_MADT_ITS] = 20,
};
static const struct vmm__acpi_form madt_form = {1, 1, 1, sizeof(madt_min), madt_min};

int vmm_acpi_read_madt(const struct vmm_acpi_table *t, struct vmm_acpi_cursor *c, uint32_t *address,
		       uint32_t *flags)
{
	int error = vmm__acpi_expect(t, "APIC", 44);

	if (error != 0)
		return error;
	if (address != NULL)
		*address = vmm__le32(t->data + 36);
	if (flags != NULL)
		*flags = vmm__le32(t->data + 40);
	vmm__acpi_from(t, c, 44);
	return 0;
}

static void read_gicc(const uint8_t *p, uint32_t len, struct vmm_acpi_madt_entry *e)
{
	struct vmm_acpi_gicc *g = &e->gicc;

	g->size = sizeof(*g);
	g->interface = vmm__le32(p + 4);
	g->uid = e->uid = vmm__le32(p + 8);
	g->flags = e->flags = vmm__le32(p + 12);
	g->parking_version = vmm__le32(p + 16);
	g->perf_gsi = vmm__le32(p + 20);
	g->parked_address = vmm__le64(p + 24);
	g->base = vmm__le64(p + 32);
	g->gicv = vmm__le64(p + 40);
	g->gich = vmm__le64(p + 48);
	g->vgic_gsi = vmm__le32(p + 56);
	g->gicr = vmm__le64(p + 60);
	g->mpidr = vmm__le64(p + 68);
	if (len >= 80) {
		g->efficiency_class = p[76];
		g->spe_gsi = vmm__le16(p + 78);
	}
	if (len >= 82)
		g->trbe_gsi = vmm__le16(p + 80);
}

static void read_madt_entry(const uint8_t *p, uint32_t len, struct vmm_acpi_madt_entry *e)
{
	switch (e->type) {
	case VMM_ACPI_MADT_LAPIC:
		e->uid = p[2];
		e->id = p[3];
		e->flags = vmm__le32(p + 4);
		break;
	case VMM_ACPI_MADT_IOAPIC:
		e->id = p[2];
		e->address = vmm__le32(p + 4);
		e->gsi = vmm__le32(p + 8);
		break;
	case VMM_ACPI_MADT_OVERRIDE:
		e->irq = p[3];
		e->gsi = vmm__le32(p + 4);
		e->flags = vmm__le16(p + 8);
		break;
	case VMM_ACPI_MADT_NMI_SOURCE:
		e->flags = vmm__le16(p + 2);
		e->gsi = vmm__le32(p + 4);
		break;
	case VMM_ACPI_MADT_LAPIC_NMI:
		e->uid = p[2] == 0xff ? VMM_ACPI_MADT_ALL_CPUS : p[2];
		e->flags = vmm__le16(p + 3);
		e->lint = p[5];
		break;
	case VMM_ACPI_MADT_LAPIC_ADDRESS:
		e->address = vmm__le64(p + 4);
		break;
	case VMM_ACPI_MADT_X2APIC:
		e->id = vmm__le32(p + 4);
		e->flags = vmm__le32(p + 8);
		e->uid = vmm__le32(p + 12);
		break;
	case VMM_ACPI_MADT_X2APIC_NMI:
		e->flags = vmm__le16(p + 2);
		e->uid = vmm__le32(p + 4);
		e->lint = p[8];
		break;
	case VMM_ACPI_MADT_GICC:
		read_gicc(p, len, e);
		break;
	case VMM_ACPI_MADT_GICD:
		e->id = vmm__le32(p + 4);
		e->address = vmm__le64(p + 8);
		e->version = p[20];
		break;
	case VMM_ACPI_MADT_GIC_MSI:
		e->id = vmm__le32(p + 4);
		e->address = vmm__le64(p + 8);
		e->flags = vmm__le32(p + 16);
		e->spi_count = vmm__le16(p + 20);
		e->spi_base = vmm__le16(p + 22);
		break;
	case VMM_ACPI_MADT_GICR:
		e->address = vmm__le64(p + 4);
		e->len = vmm__le32(p + 12);
		break;
	case VMM_ACPI_MADT_ITS:
		e->id = vmm__le32(p + 4);
		e->address = vmm__le64(p + 8);
		break;
	default:
		break;
	}
}

int vmm_acpi_read_madt_next(struct vmm_acpi_cursor *c, struct vmm_acpi_madt_entry *e)
{
	struct vmm__acpi_entry raw;
	int error = e->size == sizeof(*e) ? vmm__acpi_take(c, &madt_form, &raw) : -VMM_EINVAL;

	if (error != 0)
		return error;
	*e = (struct vmm_acpi_madt_entry){.size = sizeof(*e), .type = raw.type};
	read_madt_entry(raw.p, raw.len, e);
	return 0;
}

/* -- MCFG, PCI Firmware 3.3, 4.1.2 --------------------------------------------------------------
 */

int vmm_acpi_read_mcfg(const struct vmm_acpi_table *t, struct vmm_acpi_cursor *c)
{
	int error = vmm__acpi_expect(t, "MCFG", 44);

	if (error == 0)
		vmm__acpi_from(t, c, 44);
	return error;
}

int vmm_acpi_read_mcfg_next(struct vmm_acpi_cursor *c, struct vmm_acpi_mcfg_range *e)
{
	const uint8_t *p = c->data + c->at;

	if (e->size != sizeof(*e))
		return -VMM_EINVAL;
	if (c->at == c->end)
		return -VMM_ENOENT;
	if (c->end - c->at < 16 || p[10] > p[11])
		return -VMM_EFORMAT;
	e->base = vmm__le64(p);
	e->segment = vmm__le16(p + 8);
	e->first_bus = p[10];
	e->last_bus = p[11];
	c->at += 16;
	return 0;
}

/* -- SRAT, 5.2.16 -------------------------------------------------------------------------------
 */

static const uint8_t srat_min[] = {
	[VMM_ACPI_SRAT_LAPIC] = 16, [VMM_ACPI_SRAT_MEMORY] = 40, [VMM_ACPI_SRAT_X2APIC] = 24,
	[VMM_ACPI_SRAT_GICC] = 18,  [VMM_ACPI_SRAT_ITS] = 12,    [VMM_ACPI_SRAT_INITIATOR] = 32,
};
static const struct vmm__acpi_form srat_form = {1, 1, 1, sizeof(srat_min), srat_min};

int vmm_acpi_read_srat(const struct vmm_acpi_table *t, struct vmm_acpi_cursor *c)
{
	int error = vmm__acpi_expect(t, "SRAT", 48);

	if (error == 0)
		vmm__acpi_from(t, c, 48);
	return error;
}

static void read_srat_entry(const uint8_t *p, struct vmm_acpi_srat_entry *e)
{
	switch (e->type) {
	case VMM_ACPI_SRAT_LAPIC:
		e->domain = p[2] | (uint32_t)p[9] << 8 | (uint32_t)vmm__le16(p + 10) << 16;
		e->id = p[3];
		e->flags = vmm__le32(p + 4);
		break;
	case VMM_ACPI_SRAT_MEMORY:
		e->domain = vmm__le32(p + 2);
		e->base = vmm__le64(p + 8);
		e->len = vmm__le64(p + 16);
		e->flags = vmm__le32(p + 28);
		break;
	case VMM_ACPI_SRAT_X2APIC:
		e->domain = vmm__le32(p + 4);
		e->id = vmm__le32(p + 8);
		e->flags = vmm__le32(p + 12);
		break;
	case VMM_ACPI_SRAT_GICC:
		e->domain = vmm__le32(p + 2);
		e->id = vmm__le32(p + 6);
		e->flags = vmm__le32(p + 10);
		break;
	case VMM_ACPI_SRAT_ITS:
		e->domain = vmm__le32(p + 2);
		e->id = vmm__le32(p + 8);
		break;
	case VMM_ACPI_SRAT_INITIATOR:
		e->domain = vmm__le32(p + 4);
		e->id = (uint32_t)vmm__le16(p + 8) << 16 | vmm__le16(p + 10);
		e->flags = vmm__le32(p + 24);
		break;
	default:
		break;
	}
}

int vmm_acpi_read_srat_next(struct vmm_acpi_cursor *c, struct vmm_acpi_srat_entry *e)
{
	struct vmm__acpi_entry raw;
	int error = e->size == sizeof(*e) ? vmm__acpi_take(c, &srat_form, &raw) : -VMM_EINVAL;

	if (error != 0)
		return error;
	*e = (struct vmm_acpi_srat_entry){.size = sizeof(*e), .type = raw.type};
	read_srat_entry(raw.p, e);
	return 0;
}

/* -- PPTT, 5.2.30 -------------------------------------------------------------------------------
 */

/* A cache had 24 bytes before it had an identifier. */
static const uint8_t pptt_min[] = {[VMM_ACPI_PPTT_PROCESSOR] = 20, [VMM_ACPI_PPTT_CACHE] = 24};
static const struct vmm__acpi_form pptt_form = {1, 1, 1, sizeof(pptt_min), pptt_min};

int vmm_acpi_read_pptt(const struct vmm_acpi_table *t, struct vmm_acpi_cursor *c)
{
	int error = vmm__acpi_expect(t, "PPTT", 36);

	if (error == 0)
		vmm__acpi_from(t, c, 36);
	return error;
}

static int read_processor(const uint8_t *p, uint32_t len, struct vmm_acpi_pptt_node *n)
{
	n->flags = vmm__le32(p + 4);
	n->parent = vmm__le32(p + 8);
	n->uid = vmm__le32(p + 12);
	n->caches = vmm__le32(p + 16);
	n->cache_refs = p + 20;
	return n->caches > (len - 20) / 4 ? -VMM_EFORMAT : 0;
}

static void read_cache(const uint8_t *p, uint32_t len, struct vmm_acpi_pptt_node *n)
{
	n->flags = vmm__le32(p + 4);
	n->parent = vmm__le32(p + 8);
	n->bytes = vmm__le32(p + 12);
	n->sets = vmm__le32(p + 16);
	n->ways = p[20];
	n->attributes = p[21];
	n->line = vmm__le16(p + 22);
	n->uid = len >= 28 ? vmm__le32(p + 24) : 0;
}

int vmm_acpi_read_pptt_next(struct vmm_acpi_cursor *c, struct vmm_acpi_pptt_node *n)
{
	struct vmm__acpi_entry raw;
	int error = n->size == sizeof(*n) ? vmm__acpi_take(c, &pptt_form, &raw) : -VMM_EINVAL;

	if (error != 0)
		return error;
	*n = (struct vmm_acpi_pptt_node){.size = sizeof(*n), .type = raw.type, .ref = raw.at};
	if (raw.type == VMM_ACPI_PPTT_PROCESSOR)
		error = read_processor(raw.p, raw.len, n);
	else if (raw.type == VMM_ACPI_PPTT_CACHE)
		read_cache(raw.p, raw.len, n);
	return error != 0 ? vmm__acpi_refuse(c, &raw) : 0;
}

int vmm_acpi_read_pptt_cache(const struct vmm_acpi_pptt_node *n, uint32_t index, uint32_t *ref)
{
	if (index >= n->caches)
		return -VMM_ENOENT;
	*ref = vmm__le32(n->cache_refs + (size_t)4 * index);
	return 0;
}

/* -- GTDT, 5.2.25 -------------------------------------------------------------------------------
 */

static const uint8_t gtdt_min[] = {[VMM_ACPI_GTDT_BLOCK] = 20, [VMM_ACPI_GTDT_WATCHDOG] = 28};
static const struct vmm__acpi_form gtdt_form = {1, 1, 2, sizeof(gtdt_min), gtdt_min};

static uint32_t u32(const struct vmm_acpi_table *t, uint32_t at)
{
	return (uint32_t)vmm__acpi_field(t, at, 4);
}

/* The first 96 bytes are those of ACPI 5.1; the virtual EL2 timer came with 6.3. */
int vmm_acpi_read_gtdt(const struct vmm_acpi_table *t, struct vmm_acpi_gtdt *g,
		       struct vmm_acpi_cursor *c)
{
	int error = vmm__acpi_expect(t, "GTDT", 96);
	bool el2;

	if (error == 0 && g->size != sizeof(*g))
		error = -VMM_EINVAL;
	if (error != 0)
		return error;
	el2 = t->data[8] >= 3;
	*g = (struct vmm_acpi_gtdt){
		.size = sizeof(*g),
		.control_base = vmm__acpi_field(t, 36, 8),
		.secure_el1_gsi = u32(t, 48),
		.secure_el1_flags = u32(t, 52),
		.el1_gsi = u32(t, 56),
		.el1_flags = u32(t, 60),
		.virtual_gsi = u32(t, 64),
		.virtual_flags = u32(t, 68),
		.el2_gsi = u32(t, 72),
		.el2_flags = u32(t, 76),
		.read_base = vmm__acpi_field(t, 80, 8),
		.virtual_el2_gsi = el2 ? u32(t, 96) : 0,
		.virtual_el2_flags = el2 ? u32(t, 100) : 0,
	};
	vmm__acpi_from(t, c, u32(t, 92));
	c->left = u32(t, 88);
	return c->left != 0 && u32(t, 92) < 96 ? -VMM_EFORMAT : 0;
}

int vmm_acpi_read_gtdt_next(struct vmm_acpi_cursor *c, struct vmm_acpi_gtdt_timer *e)
{
	struct vmm__acpi_entry raw;
	int error = e->size == sizeof(*e) ? vmm__acpi_take(c, &gtdt_form, &raw) : -VMM_EINVAL;

	if (error != 0)
		return error;
	*e = (struct vmm_acpi_gtdt_timer){.size = sizeof(*e), .type = raw.type};
	if (raw.type == VMM_ACPI_GTDT_BLOCK) {
		e->base = vmm__le64(raw.p + 4);
		e->timers = vmm__le32(raw.p + 12);
	} else if (raw.type == VMM_ACPI_GTDT_WATCHDOG) {
		e->refresh = vmm__le64(raw.p + 4);
		e->base = vmm__le64(raw.p + 12);
		e->gsi = vmm__le32(raw.p + 20);
		e->flags = vmm__le32(raw.p + 24);
	}
	return 0;
}

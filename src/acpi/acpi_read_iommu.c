// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Reading what describes IOMMUs: DMAR (VT-d 4.1, 8), IVRS (AMD IOMMU 3.08, 5.2), IORT (DEN
 * 0049E.b). */
#include "acpi_take.h"

#include "bits.h"

/* A list inside of an entry, from @at of it on. */
static struct vmm_acpi_cursor inner(const struct vmm__acpi_entry *e, uint32_t at)
{
	return (struct vmm_acpi_cursor){.data = e->p, .end = e->len, .at = at, .left = UINT32_MAX};
}

/* -- DMAR ---------------------------------------------------------------------------------------
 */

static const uint8_t dmar_min[] = {
	[VMM_ACPI_DMAR_DRHD] = 16, [VMM_ACPI_DMAR_RMRR] = 24, [VMM_ACPI_DMAR_ATSR] = 8,
	[VMM_ACPI_DMAR_RHSA] = 20, [VMM_ACPI_DMAR_ANDD] = 8,  [VMM_ACPI_DMAR_SATC] = 8,
};
static const struct vmm__acpi_form dmar_form = {2, 2, 2, sizeof(dmar_min), dmar_min};

int vmm_acpi_read_dmar(const struct vmm_acpi_table *t, struct vmm_acpi_cursor *c,
		       uint32_t *address_bits, uint32_t *flags)
{
	int error = vmm__acpi_expect(t, "DMAR", 48);

	if (error != 0)
		return error;
	if (address_bits != NULL)
		*address_bits = t->data[36] + 1U;
	if (flags != NULL)
		*flags = t->data[37];
	vmm__acpi_from(t, c, 48);
	return 0;
}

static void read_unit(const struct vmm__acpi_entry *raw, struct vmm_acpi_dmar_unit *u)
{
	const uint8_t *p = raw->p;

	switch (raw->type) {
	case VMM_ACPI_DMAR_DRHD:
		u->flags = p[4];
		u->segment = vmm__le16(p + 6);
		u->base = vmm__le64(p + 8);
		u->scopes = inner(raw, 16);
		break;
	case VMM_ACPI_DMAR_RMRR:
		u->segment = vmm__le16(p + 6);
		u->base = vmm__le64(p + 8);
		u->last = vmm__le64(p + 16);
		u->scopes = inner(raw, 24);
		break;
	case VMM_ACPI_DMAR_ATSR:
	case VMM_ACPI_DMAR_SATC:
		u->flags = p[4];
		u->segment = vmm__le16(p + 6);
		u->scopes = inner(raw, 8);
		break;
	case VMM_ACPI_DMAR_RHSA:
		u->base = vmm__le64(p + 8);
		u->domain = vmm__le32(p + 16);
		break;
	case VMM_ACPI_DMAR_ANDD:
		u->device = p[7];
		break;
	default:
		break;
	}
}

int vmm_acpi_read_dmar_next(struct vmm_acpi_cursor *c, struct vmm_acpi_dmar_unit *u)
{
	struct vmm__acpi_entry raw;
	int error = u->size == sizeof(*u) ? vmm__acpi_take(c, &dmar_form, &raw) : -VMM_EINVAL;

	if (error != 0)
		return error;
	*u = (struct vmm_acpi_dmar_unit){.size = sizeof(*u), .type = raw.type};
	read_unit(&raw, u);
	return 0;
}

static const struct vmm__acpi_form scope_form = {1, 1, 1, 0, NULL};

int vmm_acpi_read_scope(struct vmm_acpi_cursor *c, struct vmm_acpi_scope *s)
{
	struct vmm__acpi_entry raw;
	int error = vmm__acpi_take(c, &scope_form, &raw);

	if (error != 0)
		return error;
	if (raw.len < 8 || raw.len % 2 != 0)
		return vmm__acpi_refuse(c, &raw);
	if (raw.len - 6 > sizeof(s->path))
		return -VMM_ELIMIT;
	memset(s, 0, sizeof(*s));
	s->type = (uint8_t)raw.type;
	s->id = raw.p[4];
	s->bus = raw.p[5];
	s->hops = (uint8_t)((raw.len - 6) / 2);
	memcpy(s->path, raw.p + 6, raw.len - 6);
	return 0;
}

/* -- IVRS ---------------------------------------------------------------------------------------
 */

static const uint8_t ivrs_min[] = {
	[VMM_ACPI_IVHD_10] = 24,  [VMM_ACPI_IVHD_11] = 40,     [VMM_ACPI_IVHD_40] = 40,
	[VMM_ACPI_IVMD_ALL] = 32, [VMM_ACPI_IVMD_SELECT] = 32, [VMM_ACPI_IVMD_RANGE] = 32,
};
static const struct vmm__acpi_form ivrs_form = {1, 2, 2, sizeof(ivrs_min), ivrs_min};

int vmm_acpi_read_ivrs(const struct vmm_acpi_table *t, struct vmm_acpi_cursor *c, uint32_t *ivinfo)
{
	int error = vmm__acpi_expect(t, "IVRS", 48);

	if (error != 0)
		return error;
	if (ivinfo != NULL)
		*ivinfo = vmm__le32(t->data + 36);
	vmm__acpi_from(t, c, 48);
	return 0;
}

static void read_ivhd(const struct vmm__acpi_entry *raw, struct vmm_acpi_ivrs_block *b)
{
	const uint8_t *p = raw->p;

	b->cap = vmm__le16(p + 6);
	b->base = vmm__le64(p + 8);
	b->segment = vmm__le16(p + 16);
	b->info = vmm__le16(p + 18);
	b->features = vmm__le32(p + 20);
	b->entries = inner(raw, ivrs_min[raw->type]);
	if (raw->type != VMM_ACPI_IVHD_10) {
		b->efr = vmm__le64(p + 24);
		b->efr2 = vmm__le64(p + 32);
	}
}

int vmm_acpi_read_ivrs_next(struct vmm_acpi_cursor *c, struct vmm_acpi_ivrs_block *b)
{
	struct vmm__acpi_entry raw;
	int error = b->size == sizeof(*b) ? vmm__acpi_take(c, &ivrs_form, &raw) : -VMM_EINVAL;

	if (error != 0)
		return error;
	*b = (struct vmm_acpi_ivrs_block){.size = sizeof(*b), .type = raw.type};
	if (!raw.known)
		return 0;
	b->flags = raw.p[1];
	b->device = vmm__le16(raw.p + 4);
	if (raw.type < VMM_ACPI_IVMD_ALL || raw.type == VMM_ACPI_IVHD_40) {
		read_ivhd(&raw, b);
		return 0;
	}
	b->last = vmm__le16(raw.p + 6);
	b->base = vmm__le64(raw.p + 16);
	b->len = vmm__le64(raw.p + 24);
	return 0;
}

/* 5.2.2.2: up to 3fh an entry has 4 bytes, up to 7fh 8; ACPI devices, f0h, carry their length. */
static uint32_t ivhd_entry_length(const uint8_t *p, uint32_t rest)
{
	if (p[0] < 0x40)
		return 4;
	if (p[0] < 0x80)
		return 8;
	return p[0] == 0xf0 && rest >= 22 ? 22U + p[21] : 0;
}

int vmm_acpi_read_ivhd_entry(struct vmm_acpi_cursor *c, struct vmm_acpi_ivhd_entry *e)
{
	uint32_t rest = c->end - c->at, len;
	const uint8_t *p;

	if (rest == 0)
		return -VMM_ENOENT;
	p = c->data + c->at;
	len = ivhd_entry_length(p, rest);
	if (len == 0 || len > rest)
		return -VMM_EFORMAT;
	*e = (struct vmm_acpi_ivhd_entry){.type = p[0], .device = vmm__le16(p + 1), .data = p[3]};
	if (e->type == VMM_ACPI_IVHD_SPECIAL) {
		e->handle = p[4];
		e->variety = p[7];
	}
	if (len >= 8)
		e->source = vmm__le16(p + 5);
	c->at += len;
	return 0;
}

/* -- IORT ---------------------------------------------------------------------------------------
 */

#define MAP_SIZE 20

static const uint8_t iort_min[] = {
	[VMM_ACPI_IORT_ITS] = 20,   [VMM_ACPI_IORT_NAMED] = 30, [VMM_ACPI_IORT_ROOT_COMPLEX] = 32,
	[VMM_ACPI_IORT_SMMU2] = 76, [VMM_ACPI_IORT_SMMU3] = 60, [VMM_ACPI_IORT_PMCG] = 40,
	[VMM_ACPI_IORT_RMR] = 28,
};
static const struct vmm__acpi_form iort_form = {1, 1, 2, sizeof(iort_min), iort_min};

int vmm_acpi_read_iort(const struct vmm_acpi_table *t, struct vmm_acpi_cursor *c)
{
	int error = vmm__acpi_expect(t, "IORT", 48);
	uint32_t at;

	if (error != 0)
		return error;
	at = vmm__le32(t->data + 40);
	vmm__acpi_from(t, c, at);
	c->left = vmm__le32(t->data + 36);
	return c->left != 0 && at < 48 ? -VMM_EFORMAT : 0;
}

static void read_smmu3(const uint8_t *p, uint32_t len, struct vmm_acpi_smmu3 *s)
{
	*s = (struct vmm_acpi_smmu3){
		.size = sizeof(*s),
		.base = vmm__le64(p + 16),
		.flags = vmm__le32(p + 24),
		.vatos = vmm__le64(p + 32),
		.model = vmm__le32(p + 40),
		.event_gsi = vmm__le32(p + 44),
		.pri_gsi = vmm__le32(p + 48),
		.gerror_gsi = vmm__le32(p + 52),
		.sync_gsi = vmm__le32(p + 56),
		.domain = len >= 68 ? vmm__le32(p + 60) : 0,
		.msi_map = len >= 68 ? vmm__le32(p + 64) : 0,
	};
}

static bool has_end(const uint8_t *p, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		if (p[i] == '\0')
			return true;
	return false;
}

static int read_node(const uint8_t *p, uint32_t len, struct vmm_acpi_iort_node *n)
{
	switch (n->type) {
	case VMM_ACPI_IORT_ITS:
		n->services = vmm__le32(p + 16);
		n->service = p + 20;
		return n->services > (len - 20) / 4 ? -VMM_EFORMAT : 0;
	case VMM_ACPI_IORT_NAMED:
		n->attributes = vmm__le64(p + 20);
		n->limit = p[28];
		n->name = (const char *)p + 29;
		return has_end(p + 29, len - 29) ? 0 : -VMM_EFORMAT;
	case VMM_ACPI_IORT_ROOT_COMPLEX:
		n->attributes = vmm__le64(p + 16);
		n->ats = vmm__le32(p + 24);
		n->segment = vmm__le32(p + 28);
		n->limit = len > 32 ? p[32] : 0;
		return 0;
	case VMM_ACPI_IORT_SMMU3:
		read_smmu3(p, len, &n->smmu3);
		return 0;
	default:
		return 0;
	}
}

/* 3.1: identifier and mappings stand in the header of every node. */
static int read_node_header(const uint8_t *p, uint32_t len, struct vmm_acpi_iort_node *n)
{
	uint32_t at = vmm__le32(p + 12);

	n->id = vmm__le32(p + 4);
	n->maps = vmm__le32(p + 8);
	if (n->maps == 0)
		return 0;
	if (at < 16 || !vmm__range_within(at, (uint64_t)n->maps * MAP_SIZE, len))
		return -VMM_EFORMAT;
	n->map = p + at;
	return 0;
}

int vmm_acpi_read_iort_next(struct vmm_acpi_cursor *c, struct vmm_acpi_iort_node *n)
{
	struct vmm__acpi_entry raw;
	int error = n->size == sizeof(*n) ? vmm__acpi_take(c, &iort_form, &raw) : -VMM_EINVAL;

	if (error != 0)
		return error;
	*n = (struct vmm_acpi_iort_node){.size = sizeof(*n), .type = raw.type, .ref = raw.at};
	if (!raw.known)
		return 0;
	error = read_node_header(raw.p, raw.len, n);
	if (error == 0)
		error = read_node(raw.p, raw.len, n);
	return error != 0 ? vmm__acpi_refuse(c, &raw) : 0;
}

int vmm_acpi_read_iort_map(const struct vmm_acpi_iort_node *n, uint32_t index,
			   struct vmm_acpi_iort_map *map)
{
	const uint8_t *p;

	if (index >= n->maps)
		return -VMM_ENOENT;
	p = n->map + (size_t)index * MAP_SIZE;
	*map = (struct vmm_acpi_iort_map){
		.input = vmm__le32(p),
		.output = vmm__le32(p + 8),
		.ref = vmm__le32(p + 12),
		.flags = vmm__le32(p + 16),
	};
	if ((map->flags & VMM_ACPI_IORT_SINGLE) == 0 && vmm__le32(p + 4) == UINT32_MAX)
		return -VMM_EFORMAT;
	map->count = map->flags & VMM_ACPI_IORT_SINGLE ? 1 : vmm__le32(p + 4) + 1;
	return 0;
}

int vmm_acpi_read_iort_its(const struct vmm_acpi_iort_node *n, uint32_t index, uint32_t *its_id)
{
	if (index >= n->services)
		return -VMM_ENOENT;
	*its_id = vmm__le32(n->service + (size_t)4 * index);
	return 0;
}

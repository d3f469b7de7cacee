// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Finding tables, and taking them apart. ACPI 6.5, 5.2.5 to 5.2.8. */
#include "acpi_take.h"

#include "bits.h"

#define HEADER_SIZE 36
#define RSDP_V1     20
#define RSDP_V2     36

static uint8_t sum(const uint8_t *p, size_t len)
{
	uint8_t s = 0;

	for (size_t i = 0; i < len; i++)
		s = (uint8_t)(s + p[i]);
	return s;
}

static bool is_memory(const struct vmm_acpi_memory *m)
{
	return m != NULL && m->size == sizeof(*m) && m->map != NULL;
}

static const uint8_t *map(const struct vmm_acpi_memory *m, uint64_t pa, size_t len)
{
	return pa <= UINT64_MAX - len ? m->map(m->opaque, pa, len) : NULL;
}

/* -- Tables -------------------------------------------------------------------------------------
 */

int vmm_acpi_read_table(const void *data, size_t len, struct vmm_acpi_table *t)
{
	const uint8_t *p = data;
	uint32_t own;

	if (t->size != sizeof(*t))
		return -VMM_EINVAL;
	if (p == NULL || len < HEADER_SIZE)
		return -VMM_EFORMAT;
	own = vmm__le32(p + 4);
	if (own < HEADER_SIZE || own > len || own > VMM_ACPI_READ_MAX || sum(p, own) != 0)
		return -VMM_EFORMAT;
	t->data = p;
	t->len = own;
	t->pa = 0;
	return 0;
}

/* Length of the table at @pa by its header; 0 if that is not memory. */
static uint32_t length_at(const struct vmm_acpi_memory *m, uint64_t pa, const char *signature)
{
	const uint8_t *p = map(m, pa, HEADER_SIZE);

	if (p == NULL || (signature != NULL && memcmp(p, signature, 4) != 0))
		return 0;
	return vmm__le32(p + 4);
}

static int table_at(const struct vmm_acpi_memory *m, uint64_t pa, struct vmm_acpi_table *t)
{
	const uint8_t *p;
	uint32_t len;
	int error;

	if (map(m, pa, HEADER_SIZE) == NULL)
		return -VMM_EFAULT;
	len = length_at(m, pa, NULL);
	if (len < HEADER_SIZE || len > VMM_ACPI_READ_MAX)
		return -VMM_EFORMAT;
	p = map(m, pa, len);
	if (p == NULL)
		return -VMM_EFAULT;
	error = vmm_acpi_read_table(p, len, t);
	if (error == 0)
		t->pa = pa;
	return error;
}

int vmm_acpi_read_at(const struct vmm_acpi_root *r, uint64_t pa, struct vmm_acpi_table *t)
{
	return table_at(&r->memory, pa, t);
}

static uint64_t entry_of(const struct vmm_acpi_root *r, uint32_t index)
{
	const uint8_t *p = r->entries + (size_t)index * r->width;

	return r->width == 4 ? vmm__le32(p) : vmm__le64(p);
}

int vmm_acpi_read_index(const struct vmm_acpi_root *r, uint32_t index, struct vmm_acpi_table *t)
{
	if (index >= r->count)
		return -VMM_ENOENT;
	return vmm_acpi_read_at(r, entry_of(r, index), t);
}

int vmm_acpi_read_find(const struct vmm_acpi_root *r, const char *signature, uint32_t skip,
		       struct vmm_acpi_table *t)
{
	for (uint32_t i = 0; i < r->count; i++)
		if (length_at(&r->memory, entry_of(r, i), signature) != 0 && skip-- == 0)
			return vmm_acpi_read_at(r, entry_of(r, i), t);
	return -VMM_ENOENT;
}

/* -- RSDP, XSDT, RSDT ---------------------------------------------------------------------------
 */

static bool is_rsdp(const uint8_t *p)
{
	return memcmp(p, "RSD PTR ", 8) == 0 && sum(p, RSDP_V1) == 0;
}

/* 5.2.5.3: from revision 2 on there is more of it, with another checksum, and an XSDT. */
static int root_address(const struct vmm_acpi_memory *m, uint64_t rsdp, uint64_t *pa,
			uint32_t *width)
{
	const uint8_t *p = map(m, rsdp, RSDP_V1);

	if (p == NULL)
		return -VMM_EFAULT;
	if (!is_rsdp(p))
		return -VMM_EFORMAT;
	*pa = vmm__le32(p + 16);
	*width = 4;
	if (p[15] < 2)
		return 0;
	p = map(m, rsdp, RSDP_V2);
	if (p == NULL)
		return -VMM_EFAULT;
	if (sum(p, RSDP_V2) != 0)
		return -VMM_EFORMAT;
	if (vmm__le64(p + 24) != 0) {
		*pa = vmm__le64(p + 24);
		*width = 8;
	}
	return 0;
}

int vmm_acpi_read_open(struct vmm_acpi_root *r, const struct vmm_acpi_memory *memory, uint64_t rsdp)
{
	struct vmm_acpi_table t = {.size = sizeof(t)};
	uint64_t pa = 0;
	int error;

	memset(r, 0, sizeof(*r));
	if (!is_memory(memory))
		return -VMM_EINVAL;
	error = root_address(memory, rsdp, &pa, &r->width);
	if (error == 0)
		error = table_at(memory, pa, &t);
	if (error != 0)
		return error;
	if (memcmp(t.data, r->width == 8 ? "XSDT" : "RSDT", 4) != 0)
		return -VMM_EFORMAT;
	r->memory = *memory;
	r->entries = t.data + HEADER_SIZE;
	r->count = (t.len - HEADER_SIZE) / r->width;
	return 0;
}

int vmm_acpi_read_search(const struct vmm_acpi_memory *memory, uint64_t pa, size_t len,
			 uint64_t *rsdp)
{
	const uint8_t *p;

	if (!is_memory(memory))
		return -VMM_EINVAL;
	if (len > VMM_ACPI_READ_MAX)
		return -VMM_ERANGE;
	p = map(memory, pa, len);
	if (p == NULL)
		return -VMM_EFAULT;
	for (size_t at = (size_t)(vmm__align_up(pa, 16) - pa); vmm__range_within(at, RSDP_V1, len);
	     at += 16)
		if (is_rsdp(p + at)) {
			*rsdp = pa + at;
			return 0;
		}
	return -VMM_ENOENT;
}

/* -- Parts of a table ---------------------------------------------------------------------------
 */

int vmm__acpi_expect(const struct vmm_acpi_table *t, const char *signature, uint32_t min)
{
	if (t->size != sizeof(*t) || t->data == NULL || t->len < HEADER_SIZE ||
	    memcmp(t->data, signature, 4) != 0)
		return -VMM_EINVAL;
	return t->len < min ? -VMM_EFORMAT : 0;
}

void vmm__acpi_from(const struct vmm_acpi_table *t, struct vmm_acpi_cursor *c, uint32_t at)
{
	*c = (struct vmm_acpi_cursor){.data = t->data,
				      .end = t->len,
				      .at = at < t->len ? at : t->len,
				      .left = UINT32_MAX};
}

static uint32_t number(const uint8_t *p, uint8_t width)
{
	return width == 1 ? *p : vmm__le16(p);
}

int vmm__acpi_take(struct vmm_acpi_cursor *c, const struct vmm__acpi_form *form,
		   struct vmm__acpi_entry *e)
{
	uint32_t rest = c->end - c->at;
	uint32_t min = form->len_at + form->len_width;

	if (rest == 0 || c->left == 0)
		return -VMM_ENOENT;
	if (rest < min)
		return -VMM_EFORMAT;
	e->at = c->at;
	e->p = c->data + c->at;
	e->type = number(e->p, form->type_width);
	e->len = number(e->p + form->len_at, form->len_width);
	e->known = e->type < form->types && form->min[e->type] != 0;
	if (e->known && form->min[e->type] > min)
		min = form->min[e->type];
	if (e->len < min || e->len > rest)
		return -VMM_EFORMAT;
	c->at += e->len;
	c->left -= c->left != UINT32_MAX;
	return 0;
}

int vmm__acpi_refuse(struct vmm_acpi_cursor *c, const struct vmm__acpi_entry *e)
{
	c->at = e->at;
	c->left += c->left != UINT32_MAX;
	return -VMM_EFORMAT;
}

uint64_t vmm__acpi_field(const struct vmm_acpi_table *t, uint32_t at, uint32_t width)
{
	uint8_t le[8] = {0};

	if (vmm__range_within(at, width, t->len))
		memcpy(le, t->data + at, width);
	return vmm__le64(le);
}

struct vmm_acpi_gas vmm__acpi_gas_at(const struct vmm_acpi_table *t, uint32_t at)
{
	return (struct vmm_acpi_gas){
		.space = (uint8_t)vmm__acpi_field(t, at, 1),
		.bits = (uint8_t)vmm__acpi_field(t, at + 1, 1),
		.offset = (uint8_t)vmm__acpi_field(t, at + 2, 1),
		.access = (uint8_t)vmm__acpi_field(t, at + 3, 1),
		.address = vmm__acpi_field(t, at + 4, 8),
	};
}

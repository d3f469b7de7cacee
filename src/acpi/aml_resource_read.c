// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Descriptors of a resource template that is not trusted. ACPI 6.5, 6.4. */
#include "libvmm/aml_read.h"

#include "bits.h"
#include "endian.h"
#include "mem.h"

#define END_TAG 0x0f

/* Fewest bytes of a descriptor with its tag and length, and what it is; 0: one not looked into. */
struct form {
	uint8_t kind;
	uint8_t min;
};

static const struct form small_forms[16] = {
	[0x04] = {VMM_AML_RES_IRQ, 3},       [0x05] = {VMM_AML_RES_DMA, 3},
	[0x06] = {VMM_AML_RES_START, 1},     [0x07] = {VMM_AML_RES_FINISH, 1},
	[0x08] = {VMM_AML_RES_IO, 8},        [0x09] = {VMM_AML_RES_IO, 4},
	[0x0a] = {VMM_AML_RES_FIXED_DMA, 6}, [0x0e] = {VMM_AML_RES_VENDOR, 1},
};

static const struct form large_forms[32] = {
	[0x01] = {VMM_AML_RES_MEMORY, 12}, [0x02] = {VMM_AML_RES_REGISTER, 15},
	[0x04] = {VMM_AML_RES_VENDOR, 3},  [0x05] = {VMM_AML_RES_MEMORY, 20},
	[0x06] = {VMM_AML_RES_MEMORY, 12}, [0x07] = {VMM_AML_RES_RANGE, 26},
	[0x08] = {VMM_AML_RES_RANGE, 16},  [0x09] = {VMM_AML_RES_INTERRUPT, 9},
	[0x0a] = {VMM_AML_RES_RANGE, 46},  [0x0b] = {VMM_AML_RES_RANGE, 56},
	[0x0c] = {VMM_AML_RES_GPIO, 23},   [0x0e] = {VMM_AML_RES_SERIAL, 12},
};

static uint64_t number(const uint8_t *p, size_t width)
{
	uint8_t le[8] = {0};

	memcpy(le, p, width);
	return vmm__le64(le);
}

static void read_io(const uint8_t *p, struct vmm_aml_res *res)
{
	bool fixed = res->tag == 0x09;

	res->flags = fixed ? 0 : p[1];
	res->min = vmm__le16(p + (fixed ? 1 : 2));
	res->max = fixed ? res->min : vmm__le16(p + 4);
	res->granularity = fixed ? 0 : p[6];
	res->length = p[fixed ? 3 : 7];
}

/* 6.4.3.1 counts in units of 256 bytes. */
static void read_memory(const uint8_t *p, struct vmm_aml_res *res)
{
	res->flags = p[3];
	if (res->tag == 0x81) {
		res->min = (uint64_t)vmm__le16(p + 4) << 8;
		res->max = (uint64_t)vmm__le16(p + 6) << 8;
		res->granularity = vmm__le16(p + 8);
		res->length = (uint64_t)vmm__le16(p + 10) << 8;
	} else if (res->tag == 0x85) {
		res->min = vmm__le32(p + 4);
		res->max = vmm__le32(p + 8);
		res->granularity = vmm__le32(p + 12);
		res->length = vmm__le32(p + 16);
	} else {
		res->min = res->max = vmm__le32(p + 4);
		res->length = vmm__le32(p + 8);
	}
}

/* 6.4.3.5; the extended one has a revision and a reserved byte in front of its addresses. */
static void read_range(const uint8_t *p, struct vmm_aml_res *res)
{
	size_t width = res->tag == 0x88 ? 2 : res->tag == 0x87 ? 4 : 8;
	const uint8_t *v = p + (res->tag == 0x8b ? 8 : 6);

	res->type = p[3];
	res->flags = p[4];
	res->type_flags = p[5];
	res->granularity = number(v, width);
	res->min = number(v + width, width);
	res->max = number(v + 2 * width, width);
	res->translation = number(v + 3 * width, width);
	res->length = number(v + 4 * width, width);
}

/* False if it ends before what it counts. */
static bool read_one(const uint8_t *p, struct vmm_aml_res *res)
{
	switch (res->kind) {
	case VMM_AML_RES_IRQ:
		res->mask = vmm__le16(p + 1);
		res->flags = res->len > 3 ? p[3] : 1; /* 6.4.2.1: without it, edge and high */
		break;
	case VMM_AML_RES_DMA:
		res->mask = p[1];
		res->flags = p[2];
		break;
	case VMM_AML_RES_IO:
		read_io(p, res);
		break;
	case VMM_AML_RES_MEMORY:
		read_memory(p, res);
		break;
	case VMM_AML_RES_RANGE:
		read_range(p, res);
		break;
	case VMM_AML_RES_INTERRUPT:
		res->flags = p[3];
		res->count = p[4];
		return res->len >= 5 + 4 * res->count;
	case VMM_AML_RES_REGISTER:
		res->type = p[3];
		res->length = p[4];
		res->flags = p[6];
		res->min = vmm__le64(p + 7);
		break;
	case VMM_AML_RES_GPIO:
		res->type = p[4];
		res->flags = vmm__le16(p + 7);
		break;
	case VMM_AML_RES_SERIAL:
		res->type = p[5];
		res->flags = p[6];
		res->type_flags = vmm__le16(p + 7);
		break;
	default:
		break;
	}
	return true;
}

/* Length with the tag; 0 if the template ends within it. */
static uint32_t length_at(const uint8_t *p, size_t left)
{
	uint32_t len;

	if (left == 0)
		return 0;
	if ((p[0] & 0x80) == 0)
		len = 1 + (p[0] & 7U);
	else if (left >= 3)
		len = 3 + (uint32_t)vmm__le16(p + 1);
	else
		return 0;
	return len <= left ? len : 0;
}

static const struct form *form_of(uint8_t lead)
{
	static const struct form other;

	if ((lead & 0x80) == 0)
		return &small_forms[lead >> 3];
	return (lead & 0x7f) < ARRAY_SIZE(large_forms) ? &large_forms[lead & 0x7f] : &other;
}

int vmm_aml_res_next(const uint8_t *data, size_t len, size_t *at, struct vmm_aml_res *res)
{
	const struct form *form;
	const uint8_t *p;
	uint32_t own;

	if (res->size != sizeof(*res))
		return -VMM_EINVAL;
	if (data == NULL || *at > len)
		return -VMM_EFORMAT;
	p = data + *at;
	own = length_at(p, len - *at);
	if (own == 0)
		return -VMM_EFORMAT;
	*res = (struct vmm_aml_res){.size = sizeof(*res), .bytes = p, .len = own};
	res->tag = (p[0] & 0x80) != 0 ? p[0] : (uint32_t)p[0] >> 3;
	if (res->tag == END_TAG)
		return -VMM_ENOENT;
	form = form_of(p[0]);
	res->kind = form->kind != 0 ? form->kind : VMM_AML_RES_OTHER;
	if (own < form->min || !read_one(p, res))
		return -VMM_EFORMAT;
	*at += own;
	return 0;
}

int64_t vmm_aml_res_gsi(const struct vmm_aml_res *res, uint32_t index)
{
	if (res->kind != VMM_AML_RES_INTERRUPT || index >= res->count)
		return -VMM_ENOENT;
	return vmm__le32(res->bytes + 5 + 4 * (size_t)index);
}

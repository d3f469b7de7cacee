// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Resource templates. ACPI 6.5, 6.4: small descriptors have their length in the tag. */
#include "aml_emit.h"

#include "mem.h"

int vmm_aml_resources_begin(struct vmm_aml *a)
{
	if (vmm__aml_term(a, 0x11, FILLS_DATA, 0) == 0)
		vmm__aml_push(a, FRAME_RESOURCES, 0);
	return vmm_aml_error(a);
}

/* A buffer, whose size stands before its bytes. */
static int finish(struct vmm_aml *a, size_t start)
{
	uint8_t size[9];

	return vmm__aml_pop(a, size, vmm__aml_encode_int(size, a->out.len - start));
}

/* An end tag with no checksum, 6.4.2.9, is last. */
int vmm_aml_resources_finish(struct vmm_aml *a)
{
	struct vmm_aml_frame *f = vmm__aml_closing(a, FRAME_RESOURCES);

	if (f == NULL)
		return vmm_aml_error(a);
	vmm__aml_u8(a, 0x79);
	vmm__aml_u8(a, 0);
	return finish(a, f->start);
}

int vmm_aml_field_connect_begin(struct vmm_aml *a)
{
	vmm__aml_term(a, 0x02, FILLS_UNIT, 0);
	vmm__aml_op(a, 0x11);
	vmm__aml_push(a, FRAME_CONNECTION, 0);
	return vmm_aml_error(a);
}

/* One descriptor, and no end tag. */
int vmm_aml_field_connect_finish(struct vmm_aml *a)
{
	struct vmm_aml_frame *f = vmm__aml_closing(a, FRAME_CONNECTION);

	if (f == NULL)
		return vmm_aml_error(a);
	return f->count == 1 ? finish(a, f->start) : vmm__aml_fail(a, VMM_ESTATE);
}

static void u16(struct vmm_aml *a, uint16_t v)
{
	vmm__sink_int(&a->out, v, 2);
}

static void u32(struct vmm_aml *a, uint32_t v)
{
	vmm__sink_int(&a->out, v, 4);
}

/* -- Small descriptors, 6.4.2 -------------------------------------------------------------------
 */

static bool small(struct vmm_aml *a, unsigned tag)
{
	return vmm__aml_term(a, tag, FILLS_RESOURCE, 0) == 0;
}

/* 6.4.2.1: edge is bit 0, low bit 3, shared bit 4, wake bit 5. */
int vmm_aml_res_irq(struct vmm_aml *a, uint16_t mask, uint8_t flags)
{
	if (mask == 0 || (flags & ~0x1eU) != 0)
		return vmm__aml_fail(a, VMM_EINVAL);
	if (small(a, 0x23)) {
		u16(a, mask);
		vmm__aml_u8(a, (flags >> 1 & 1U) | (flags & 0x1cU) << 1);
	}
	return vmm_aml_error(a);
}

int vmm_aml_res_dma(struct vmm_aml *a, uint8_t mask, uint8_t flags)
{
	if (small(a, 0x2a)) {
		vmm__aml_u8(a, mask);
		vmm__aml_u8(a, flags);
	}
	return vmm_aml_error(a);
}

/* Both ends are to be multiples of the alignment, where there is one. */
static bool is_span(uint32_t min, uint32_t max, uint32_t align)
{
	return min <= max && (align == 0 || (min % align == 0 && max % align == 0));
}

int vmm_aml_res_io(struct vmm_aml *a, uint16_t min, uint16_t max, uint8_t align, uint8_t len)
{
	if (!is_span(min, max, align))
		return vmm__aml_fail(a, VMM_EINVAL);
	if (small(a, 0x47)) {
		vmm__aml_u8(a, 0x01);
		u16(a, min);
		u16(a, max);
		vmm__aml_u8(a, align);
		vmm__aml_u8(a, len);
	}
	return vmm_aml_error(a);
}

int vmm_aml_res_fixed_io(struct vmm_aml *a, uint16_t base, uint8_t len)
{
	if (base > 0x3ff)
		return vmm__aml_fail(a, VMM_EINVAL);
	if (small(a, 0x4b)) {
		u16(a, base);
		vmm__aml_u8(a, len);
	}
	return vmm_aml_error(a);
}

int vmm_aml_res_fixed_dma(struct vmm_aml *a, uint16_t line, uint16_t channel, uint8_t width)
{
	if (width > 5)
		return vmm__aml_fail(a, VMM_EINVAL);
	if (small(a, 0x55)) {
		u16(a, line);
		u16(a, channel);
		vmm__aml_u8(a, width);
	}
	return vmm_aml_error(a);
}

int vmm_aml_res_start_dependent(struct vmm_aml *a, uint8_t compatibility, uint8_t performance)
{
	if (compatibility > 2 || performance > 2)
		return vmm__aml_fail(a, VMM_EINVAL);
	if (small(a, 0x31))
		vmm__aml_u8(a, compatibility | (unsigned)performance << 2);
	return vmm_aml_error(a);
}

int vmm_aml_res_end_dependent(struct vmm_aml *a)
{
	return vmm__aml_term(a, 0x38, FILLS_RESOURCE, 0);
}

/* -- Large descriptors, 6.4.3 -------------------------------------------------------------------
 */

static bool large(struct vmm_aml *a, unsigned tag, size_t len)
{
	if (len > 0xffff)
		vmm__aml_fail(a, VMM_ERANGE);
	vmm__aml_term(a, tag, FILLS_RESOURCE, 0);
	u16(a, (uint16_t)len);
	return vmm_aml_error(a) == 0;
}

int vmm_aml_res_vendor(struct vmm_aml *a, const void *data, size_t len)
{
	if (data == NULL && len != 0)
		return vmm__aml_fail(a, VMM_EINVAL);
	if (len <= 7 ? small(a, 0x70 | (unsigned)len) : large(a, 0x84, len))
		vmm__sink_put(&a->out, data, len);
	return vmm_aml_error(a);
}

int vmm_aml_res_memory32(struct vmm_aml *a, uint8_t writable, uint32_t min, uint32_t max,
			 uint32_t align, uint32_t len)
{
	if (!is_span(min, max, align) || writable > 1)
		return vmm__aml_fail(a, VMM_EINVAL);
	if (large(a, 0x85, 17)) {
		vmm__aml_u8(a, writable);
		u32(a, min);
		u32(a, max);
		u32(a, align);
		u32(a, len);
	}
	return vmm_aml_error(a);
}

int vmm_aml_res_memory32_fixed(struct vmm_aml *a, uint8_t writable, uint32_t base, uint32_t len)
{
	if (writable > 1)
		return vmm__aml_fail(a, VMM_EINVAL);
	if (large(a, 0x86, 9)) {
		vmm__aml_u8(a, writable);
		u32(a, base);
		u32(a, len);
	}
	return vmm_aml_error(a);
}

/* 6.4.3.5: what the ends promise about each other when neither can move. */
static bool is_range(const struct vmm_aml_range *r, uint64_t limit)
{
	bool fixed = (r->flags & VMM_AML_RANGE_FIXED) == VMM_AML_RANGE_FIXED;
	bool known = r->type <= VMM_AML_RANGE_BUS || r->type >= 0xc0;

	if (r->size < sizeof(*r) || !known || r->flags > 0x0f || r->reserved != 0)
		return false;
	if (r->granularity > limit || r->max > limit || r->translation > limit || r->len > limit)
		return false;
	if (r->min > r->max)
		return false;
	return !fixed || r->len == 0 || r->len - 1 == r->max - r->min;
}

static void put_range(struct vmm_aml *a, size_t width, const struct vmm_aml_range *r)
{
	vmm__sink_int(&a->out, r->granularity, width);
	vmm__sink_int(&a->out, r->min, width);
	vmm__sink_int(&a->out, r->max, width);
	vmm__sink_int(&a->out, r->translation, width);
	vmm__sink_int(&a->out, r->len, width);
}

/* What all address spaces begin with; @more bytes follow. */
static bool range_begin(struct vmm_aml *a, unsigned tag, size_t width, size_t more,
			const struct vmm_aml_range *r)
{
	if (r == NULL || !is_range(r, UINT64_MAX >> (64 - 8 * width))) {
		vmm__aml_fail(a, VMM_EINVAL);
		return false;
	}
	if (!large(a, tag, 3 + 5 * width + more))
		return false;
	vmm__aml_u8(a, r->type);
	vmm__aml_u8(a, r->flags);
	vmm__aml_u8(a, r->type_flags);
	return true;
}

static int range(struct vmm_aml *a, unsigned tag, size_t width, const struct vmm_aml_range *r)
{
	if (range_begin(a, tag, width, 0, r))
		put_range(a, width, r);
	return vmm_aml_error(a);
}

/* 6.4.3.5.4: a revision and a reserved byte before the addresses, attributes behind them. */
int vmm_aml_res_extended_range(struct vmm_aml *a, const struct vmm_aml_range *r,
			       uint64_t attributes)
{
	if (range_begin(a, 0x8b, 8, 10, r)) {
		vmm__aml_u8(a, 1);
		vmm__aml_u8(a, 0);
		put_range(a, 8, r);
		vmm__sink_int(&a->out, attributes, 8);
	}
	return vmm_aml_error(a);
}

int vmm_aml_res_word_range(struct vmm_aml *a, const struct vmm_aml_range *r)
{
	return range(a, 0x88, 2, r);
}

int vmm_aml_res_dword_range(struct vmm_aml *a, const struct vmm_aml_range *r)
{
	return range(a, 0x87, 4, r);
}

int vmm_aml_res_qword_range(struct vmm_aml *a, const struct vmm_aml_range *r)
{
	return range(a, 0x8a, 8, r);
}

int vmm_aml_res_interrupt(struct vmm_aml *a, uint8_t flags, const uint32_t *gsi, uint32_t count)
{
	if (gsi == NULL || count == 0 || count > 255 || flags > 0x1f)
		return vmm__aml_fail(a, VMM_EINVAL);
	if (large(a, 0x89, 2 + 4 * (size_t)count)) {
		vmm__aml_u8(a, flags);
		vmm__aml_u8(a, count);
		for (unsigned i = 0; i < count; i++)
			u32(a, gsi[i]);
	}
	return vmm_aml_error(a);
}

int vmm_aml_res_register(struct vmm_aml *a, uint8_t space, uint8_t bits, uint8_t offset,
			 uint8_t access, uint64_t address)
{
	if (access > 4)
		return vmm__aml_fail(a, VMM_EINVAL);
	if (large(a, 0x82, 12)) {
		vmm__aml_u8(a, space);
		vmm__aml_u8(a, bits);
		vmm__aml_u8(a, offset);
		vmm__aml_u8(a, access);
		vmm__sink_int(&a->out, address, 8);
	}
	return vmm_aml_error(a);
}

static size_t length_of(const char *text)
{
	size_t n = 0;

	while (text[n] != '\0')
		n++;
	return n;
}

/* 6.4.3.8.1: a fixed part, the pins, the controller's name; offsets count from the tag. */
static void put_gpio(struct vmm_aml *a, uint8_t type, uint8_t flags, uint8_t pull,
		     const char *source, const uint16_t *pin, uint32_t count)
{
	const size_t pins = 23, name = pins + 2 * (size_t)count;
	const size_t end = name + length_of(source) + 1;

	if (!large(a, 0x8c, end - 3))
		return;
	vmm__aml_u8(a, 1); /* revision */
	vmm__aml_u8(a, type);
	u16(a, 1); /* consumer */
	u16(a, flags);
	vmm__aml_u8(a, pull);
	u16(a, 0); /* drive strength */
	u16(a, 0); /* debounce time */
	u16(a, (uint16_t)pins);
	vmm__aml_u8(a, 0); /* index of the source */
	u16(a, (uint16_t)name);
	u16(a, (uint16_t)end); /* vendor data: none */
	u16(a, 0);
	for (uint32_t i = 0; i < count; i++)
		u16(a, pin[i]);
	vmm__sink_put(&a->out, source, end - name);
}

int vmm_aml_res_gpio_int(struct vmm_aml *a, uint8_t flags, uint8_t pull, const char *source,
			 uint16_t pin)
{
	if (source == NULL || flags > 0x1f || pull > 3)
		return vmm__aml_fail(a, VMM_EINVAL);
	put_gpio(a, 0, flags, pull, source, &pin, 1);
	return vmm_aml_error(a);
}

int vmm_aml_res_gpio_io(struct vmm_aml *a, uint8_t use, uint8_t pull, const char *source,
			const uint16_t *pin, uint32_t count)
{
	bool known = (use & ~(VMM_AML_GPIO_PRESERVE | VMM_AML_GPIO_SHARED)) == 0;

	if (source == NULL || pin == NULL || count == 0 || count > 255 || !known || pull > 3)
		return vmm__aml_fail(a, VMM_EINVAL);
	put_gpio(a, 1, use, pull, source, pin, count);
	return vmm_aml_error(a);
}

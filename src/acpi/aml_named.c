// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Namespace modifiers and named objects. ACPI 6.5, 20.2.5.1 and 20.2.5.2. */
#include "aml_emit.h"

int vmm_aml_alias(struct vmm_aml *a, const char *source, const char *alias)
{
	vmm__aml_term(a, 0x06, FILLS_STATEMENT, 0);
	vmm__aml_put_path(a, source);
	vmm__aml_put_path(a, alias);
	return vmm_aml_error(a);
}

/* A term of a path, then operands. */
static int named(struct vmm_aml *a, unsigned op, const char *path, uint64_t owed)
{
	vmm__aml_term(a, op, FILLS_STATEMENT, owed);
	vmm__aml_put_path(a, path);
	return vmm_aml_error(a);
}

int vmm_aml_name(struct vmm_aml *a, const char *path)
{
	return named(a, 0x08, path, OWE1(DATA));
}

/* -- Objects that hold terms --------------------------------------------------------------------
 */

static void open_frame(struct vmm_aml *a, unsigned op, enum frame_kind kind)
{
	vmm__aml_term(a, op, FILLS_STATEMENT, 0);
	vmm__aml_push(a, kind, 0);
}

static int begin(struct vmm_aml *a, unsigned op, enum frame_kind kind, const char *path)
{
	open_frame(a, op, kind);
	vmm__aml_put_path(a, path);
	return vmm_aml_error(a);
}

static int finish(struct vmm_aml *a, enum frame_kind kind)
{
	if (vmm__aml_closing(a, kind) == NULL)
		return vmm_aml_error(a);
	return vmm__aml_pop(a, NULL, 0);
}

/* The root, which only a scope can name, is a path without a segment: 20.2.2, NullName. */
static int begin_root(struct vmm_aml *a)
{
	open_frame(a, 0x10, FRAME_SCOPE);
	vmm__aml_u8(a, '\\');
	vmm__aml_u8(a, 0x00);
	return vmm_aml_error(a);
}

int vmm_aml_scope_begin(struct vmm_aml *a, const char *path)
{
	if (path != NULL && path[0] == '\\' && path[1] == '\0')
		return begin_root(a);
	return begin(a, 0x10, FRAME_SCOPE, path);
}

int vmm_aml_scope_finish(struct vmm_aml *a)
{
	return finish(a, FRAME_SCOPE);
}

int vmm_aml_device_begin(struct vmm_aml *a, const char *path)
{
	return begin(a, EXT(0x82), FRAME_DEVICE, path);
}

int vmm_aml_device_finish(struct vmm_aml *a)
{
	return finish(a, FRAME_DEVICE);
}

int vmm_aml_method_begin(struct vmm_aml *a, const char *path, uint32_t nargs, uint32_t flags)
{
	bool sync_only = (flags & VMM_AML_SERIALIZED) == 0 && flags != 0;

	if (nargs > 7 || (flags & ~0xf8U) != 0 || sync_only)
		return vmm__aml_fail(a, VMM_EINVAL);
	begin(a, 0x14, FRAME_METHOD, path);
	vmm__aml_u8(a, nargs | flags);
	return vmm_aml_error(a);
}

int vmm_aml_method_finish(struct vmm_aml *a)
{
	return finish(a, FRAME_METHOD);
}

int vmm_aml_power_begin(struct vmm_aml *a, const char *path, uint8_t level, uint16_t order)
{
	begin(a, EXT(0x84), FRAME_POWER, path);
	vmm__aml_u8(a, level);
	vmm__sink_int(&a->out, order, 2);
	return vmm_aml_error(a);
}

int vmm_aml_power_finish(struct vmm_aml *a)
{
	return finish(a, FRAME_POWER);
}

int vmm_aml_thermal_begin(struct vmm_aml *a, const char *path)
{
	return begin(a, EXT(0x85), FRAME_THERMAL, path);
}

int vmm_aml_thermal_finish(struct vmm_aml *a)
{
	return finish(a, FRAME_THERMAL);
}

/* -- Simple objects -----------------------------------------------------------------------------
 */

int vmm_aml_mutex(struct vmm_aml *a, const char *path, uint32_t sync)
{
	if (sync > 15)
		return vmm__aml_fail(a, VMM_EINVAL);
	named(a, EXT(0x01), path, 0);
	vmm__aml_u8(a, sync);
	return vmm_aml_error(a);
}

int vmm_aml_event(struct vmm_aml *a, const char *path)
{
	return named(a, EXT(0x02), path, 0);
}

int vmm_aml_external(struct vmm_aml *a, const char *path, uint8_t type, uint8_t nargs)
{
	if (nargs > 7)
		return vmm__aml_fail(a, VMM_EINVAL);
	named(a, 0x15, path, 0);
	vmm__aml_u8(a, type);
	vmm__aml_u8(a, nargs);
	return vmm_aml_error(a);
}

int vmm_aml_region(struct vmm_aml *a, const char *path, uint8_t space)
{
	named(a, EXT(0x80), path, OWE2(VALUE, VALUE));
	vmm__aml_u8(a, space);
	return vmm_aml_error(a);
}

int vmm_aml_data_region(struct vmm_aml *a, const char *path)
{
	return named(a, EXT(0x88), path, OWE3(VALUE, VALUE, VALUE));
}

/* -- Field lists --------------------------------------------------------------------------------
 */

static bool is_field_flags(uint8_t flags)
{
	return (flags & 0x80) == 0 && (flags & 0x60) != 0x60 &&
	       (flags & 0x0f) <= VMM_AML_ACCESS_BUFFER;
}

int vmm_aml_field_begin(struct vmm_aml *a, const char *region, uint8_t flags)
{
	if (!is_field_flags(flags))
		return vmm__aml_fail(a, VMM_EINVAL);
	begin(a, EXT(0x81), FRAME_FIELD, region);
	vmm__aml_u8(a, flags);
	return vmm_aml_error(a);
}

int vmm_aml_index_field_begin(struct vmm_aml *a, const char *index, const char *data, uint8_t flags)
{
	if (!is_field_flags(flags))
		return vmm__aml_fail(a, VMM_EINVAL);
	begin(a, EXT(0x86), FRAME_FIELD, index);
	vmm__aml_put_path(a, data);
	vmm__aml_u8(a, flags);
	return vmm_aml_error(a);
}

int vmm_aml_bank_field_begin(struct vmm_aml *a, const char *region, const char *bank,
			     uint64_t value, uint8_t flags)
{
	if (!is_field_flags(flags))
		return vmm__aml_fail(a, VMM_EINVAL);
	begin(a, EXT(0x87), FRAME_FIELD, region);
	vmm__aml_put_path(a, bank);
	vmm__aml_put_int(a, value);
	vmm__aml_u8(a, flags);
	return vmm_aml_error(a);
}

int vmm_aml_field_finish(struct vmm_aml *a)
{
	return finish(a, FRAME_FIELD);
}

/* Widths are written like package lengths, but do not count themselves. 20.2.5.2. */
static void put_width(struct vmm_aml *a, uint32_t bits)
{
	struct vmm_aml_frame *f = &a->frame[a->depth - 1];
	uint8_t out[4];
	size_t n = vmm__aml_encode_length(out, bits);

	if (n == 0 || bits > UINT32_MAX - f->count) {
		vmm__aml_fail(a, VMM_ERANGE);
		return;
	}
	f->count += bits;
	vmm__sink_put(&a->out, out, n);
}

int vmm_aml_field_unit(struct vmm_aml *a, const char *name, uint32_t bits)
{
	if (bits == 0)
		return vmm__aml_fail(a, VMM_EINVAL);
	if (vmm__aml_admit(a, FILLS_UNIT, 0)) {
		vmm__aml_put_segment(a, name);
		put_width(a, bits);
	}
	return vmm_aml_error(a);
}

int vmm_aml_field_offset(struct vmm_aml *a, uint32_t byte)
{
	uint32_t now;

	if (!vmm__aml_admit(a, FILLS_UNIT, 0))
		return vmm_aml_error(a);
	now = a->frame[a->depth - 1].count;
	if (byte > UINT32_MAX / 8 || byte * 8 < now)
		return vmm__aml_fail(a, VMM_EINVAL);
	if (byte * 8 > now) {
		vmm__aml_u8(a, 0x00);
		put_width(a, byte * 8 - now);
	}
	return vmm_aml_error(a);
}

int vmm_aml_field_access(struct vmm_aml *a, uint8_t access, uint8_t attribute)
{
	if (access > VMM_AML_ACCESS_BUFFER)
		return vmm__aml_fail(a, VMM_EINVAL);
	vmm__aml_term(a, 0x01, FILLS_UNIT, 0);
	vmm__aml_u8(a, access);
	vmm__aml_u8(a, attribute);
	return vmm_aml_error(a);
}

int vmm_aml_field_access_len(struct vmm_aml *a, uint8_t access, uint8_t attribute, uint8_t len)
{
	bool known = attribute == VMM_AML_ATTRIB_BYTES || attribute == VMM_AML_ATTRIB_RAW_BYTES ||
		     attribute == VMM_AML_ATTRIB_RAW_PROCESS;

	if (access > VMM_AML_ACCESS_BUFFER || !known)
		return vmm__aml_fail(a, VMM_EINVAL);
	vmm__aml_term(a, 0x03, FILLS_UNIT, 0);
	vmm__aml_u8(a, access);
	vmm__aml_u8(a, attribute);
	vmm__aml_u8(a, len);
	return vmm_aml_error(a);
}

int vmm_aml_field_connect(struct vmm_aml *a, const char *path)
{
	vmm__aml_term(a, 0x02, FILLS_UNIT, 0);
	vmm__aml_put_path(a, path);
	return vmm_aml_error(a);
}

/* -- Fields of a buffer -------------------------------------------------------------------------
 */

static int create_field(struct vmm_aml *a, unsigned op)
{
	return vmm__aml_term(a, op, FILLS_STATEMENT, OWE3(VALUE, VALUE, PATH));
}

int vmm_aml_create_bit_field(struct vmm_aml *a)
{
	return create_field(a, 0x8d);
}

int vmm_aml_create_byte_field(struct vmm_aml *a)
{
	return create_field(a, 0x8c);
}

int vmm_aml_create_word_field(struct vmm_aml *a)
{
	return create_field(a, 0x8b);
}

int vmm_aml_create_dword_field(struct vmm_aml *a)
{
	return create_field(a, 0x8a);
}

int vmm_aml_create_qword_field(struct vmm_aml *a)
{
	return create_field(a, 0x8f);
}

int vmm_aml_create_field(struct vmm_aml *a)
{
	return vmm__aml_term(a, EXT(0x13), FILLS_STATEMENT, OWE4(VALUE, VALUE, VALUE, PATH));
}

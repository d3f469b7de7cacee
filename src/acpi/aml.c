// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Grammar, frames, names and data. ACPI 6.5, 20.2. */
#include "aml_emit.h"

#include "endian.h"
#include "mem.h"

int vmm_aml_open(struct vmm_aml *a, void *buf, size_t cap)
{
	memset(a, 0, sizeof(*a));
	a->depth = 1;
	return vmm__sink_open(&a->out, buf, cap);
}

int vmm_aml_error(const struct vmm_aml *a)
{
	return vmm__sink_error(&a->out);
}

int vmm_aml_close(struct vmm_aml *a, size_t *len)
{
	if (a->depth != 1 || a->frame[0].owed != 0)
		vmm__aml_fail(a, VMM_ESTATE);
	return vmm__sink_close(&a->out, len);
}

int vmm__aml_fail(struct vmm_aml *a, int code)
{
	return vmm__sink_fail(&a->out, code);
}

/* -- Grammar ------------------------------------------------------------------------------------
 */

static struct vmm_aml_frame *top(struct vmm_aml *a)
{
	return &a->frame[a->depth - 1];
}

bool vmm__aml_inside(const struct vmm_aml *a, enum frame_kind kind)
{
	for (uint32_t i = 0; i < a->depth; i++)
		if (a->frame[i].kind == kind)
			return true;
	return false;
}

static unsigned wanted(const struct vmm_aml_frame *f)
{
	if (f->owed != 0)
		return f->owed & ((1U << SLOT_BITS) - 1);
	switch (f->kind) {
	case FRAME_PACKAGE:
		return SLOT_ELEMENT;
	case FRAME_RESOURCES:
		return SLOT_RESOURCE;
	case FRAME_CONNECTION:
		return f->count == 0 ? SLOT_RESOURCE : SLOT_NONE;
	case FRAME_FIELD:
		return SLOT_UNIT;
	default:
		return SLOT_STATEMENT;
	}
}

static unsigned owed_count(uint64_t owed)
{
	unsigned n = 0;

	for (; owed != 0; owed >>= SLOT_BITS)
		n++;
	return n;
}

bool vmm__aml_admit(struct vmm_aml *a, uint64_t fills, uint64_t owed)
{
	struct vmm_aml_frame *f;
	unsigned slot;

	if (vmm_aml_error(a) != 0)
		return false;
	f = top(a);
	slot = wanted(f);
	if ((fills & BIT(slot)) == 0) {
		vmm__aml_fail(a, VMM_ESTATE);
		return false;
	}
	f->owed >>= SLOT_BITS;
	if (owed != 0 && f->owed > UINT64_MAX >> (SLOT_BITS * owed_count(owed))) {
		vmm__aml_fail(a, VMM_ERANGE);
		return false;
	}
	f->owed = owed != 0 ? f->owed << (SLOT_BITS * owed_count(owed)) | owed : f->owed;
	f->count += slot == SLOT_ELEMENT || slot == SLOT_RESOURCE;
	f->after_if = 0;
	return true;
}

int vmm__aml_term(struct vmm_aml *a, unsigned op, uint64_t fills, uint64_t owed)
{
	if (vmm__aml_admit(a, fills, owed))
		vmm__aml_op(a, op);
	return vmm_aml_error(a);
}

/* -- Frames -------------------------------------------------------------------------------------
 */

void vmm__aml_push(struct vmm_aml *a, enum frame_kind kind, uint64_t owed)
{
	if (vmm_aml_error(a) != 0)
		return;
	if (a->depth == VMM_AML_MAX_DEPTH) {
		vmm__aml_fail(a, VMM_ERANGE);
		return;
	}
	a->depth++;
	*top(a) = (struct vmm_aml_frame){.owed = owed, .start = a->out.len, .kind = (uint8_t)kind};
}

struct vmm_aml_frame *vmm__aml_closing(struct vmm_aml *a, enum frame_kind kind)
{
	struct vmm_aml_frame *f;

	if (vmm_aml_error(a) != 0)
		return NULL;
	f = top(a);
	if (f->kind == kind && f->owed == 0)
		return f;
	vmm__aml_fail(a, VMM_ESTATE);
	return NULL;
}

/* 20.2.4: 6 bits in one byte, else 4 bits and up to three bytes more; 0 if it does not fit. */
size_t vmm__aml_encode_length(uint8_t out[4], uint64_t value)
{
	size_t more = value <= 0x3f ? 0 : value <= 0xfff ? 1 : value <= 0xfffff ? 2 : 3;

	if (value > 0xfffffff)
		return 0;
	out[0] = (uint8_t)(more == 0 ? value : more << 6 | (value & 0xf));
	for (size_t i = 1; i <= more; i++)
		out[i] = (uint8_t)(value >> (8 * i - 4));
	return more + 1;
}

/* A package length counts its own bytes; the fewest that hold the sum are taken. */
static size_t encode_package_length(uint8_t out[4], uint64_t content)
{
	for (size_t n = 1; n <= 4; n++)
		if (vmm__aml_encode_length(out, content + n) == n)
			return n;
	return 0;
}

int vmm__aml_pop(struct vmm_aml *a, const void *head, size_t n)
{
	size_t start = top(a)->start;
	uint8_t out[16];
	size_t len = encode_package_length(out, a->out.len - start + n);

	if (len == 0)
		return vmm__aml_fail(a, VMM_ERANGE);
	if (n != 0)
		memcpy(out + len, head, n);
	vmm__sink_insert(&a->out, start, out, len + n);
	a->depth--;
	return vmm_aml_error(a);
}

/* -- Pieces -------------------------------------------------------------------------------------
 */

void vmm__aml_u8(struct vmm_aml *a, unsigned v)
{
	vmm__sink_put(&a->out, &(uint8_t){(uint8_t)v}, 1);
}

void vmm__aml_op(struct vmm_aml *a, unsigned op)
{
	if (op > 0xff)
		vmm__aml_u8(a, op >> 8);
	vmm__aml_u8(a, op);
}

/* 20.2.3. */
size_t vmm__aml_encode_int(uint8_t out[9], uint64_t value)
{
	size_t width = value <= 0xff ? 1 : value <= 0xffff ? 2 : value <= 0xffffffff ? 4 : 8;
	static const uint8_t prefix[] = {[1] = 0x0a, [2] = 0x0b, [4] = 0x0c, [8] = 0x0e};

	if (value <= 1 || value == UINT64_MAX) {
		out[0] = (uint8_t)value;
		return 1;
	}
	out[0] = prefix[width];
	vmm__put_le64(out + 1, value);
	return 1 + width;
}

void vmm__aml_put_int(struct vmm_aml *a, uint64_t value)
{
	uint8_t out[9];
	size_t n = vmm__aml_encode_int(out, value);

	vmm__sink_put(&a->out, out, n);
}

static bool is_lead(char c)
{
	return (c >= 'A' && c <= 'Z') || c == '_';
}

/* Takes one segment off @path into @out, filled up with '_'; NULL if there is none. 20.2.2. */
static const char *take_segment(char out[4], const char *path)
{
	size_t n = 0;

	if (!is_lead(*path))
		return NULL;
	for (; n < 4 && (is_lead(*path) || (*path >= '0' && *path <= '9')); n++)
		out[n] = *path++;
	for (; n < 4; n++)
		out[n] = '_';
	return path;
}

void vmm__aml_put_segment(struct vmm_aml *a, const char *name)
{
	char seg[4];

	if (name != NULL)
		name = take_segment(seg, name);
	if (name == NULL || *name != '\0')
		vmm__aml_fail(a, VMM_EINVAL);
	else
		vmm__sink_put(&a->out, seg, sizeof(seg));
}

static size_t count_segments(const char *path)
{
	size_t n = 1;

	for (; *path != '\0'; path++)
		n += *path == '.';
	return n;
}

static void put_segments(struct vmm_aml *a, const char *path, size_t n)
{
	char seg[4];

	for (; n > 0; n--) {
		path = take_segment(seg, path);
		if (path == NULL || *path++ != (n > 1 ? '.' : '\0')) {
			vmm__aml_fail(a, VMM_EINVAL);
			return;
		}
		vmm__sink_put(&a->out, seg, sizeof(seg));
	}
}

static const char *put_prefix(struct vmm_aml *a, const char *path)
{
	if (*path == '\\')
		vmm__aml_u8(a, (uint8_t)*path++);
	else
		while (*path == '^')
			vmm__aml_u8(a, (uint8_t)*path++);
	return path;
}

/* 20.2.2: root or parent characters, then one segment, two, or counted ones. */
void vmm__aml_put_path(struct vmm_aml *a, const char *path)
{
	size_t n;

	if (path == NULL) {
		vmm__aml_fail(a, VMM_EINVAL);
		return;
	}
	path = put_prefix(a, path);
	n = count_segments(path);
	if (n > 255)
		vmm__aml_fail(a, VMM_EINVAL);
	if (n == 2)
		vmm__aml_u8(a, 0x2e);
	if (n > 2) {
		vmm__aml_u8(a, 0x2f);
		vmm__aml_u8(a, (unsigned)n);
	}
	put_segments(a, path, n);
}

/* -- Data, 20.2.3 -------------------------------------------------------------------------------
 */

int vmm_aml_int(struct vmm_aml *a, uint64_t value)
{
	if (vmm__aml_admit(a, FILLS_DATA, 0))
		vmm__aml_put_int(a, value);
	return vmm_aml_error(a);
}

int vmm_aml_revision(struct vmm_aml *a)
{
	return vmm__aml_term(a, EXT(0x30), FILLS_DATA, 0);
}

/* Length of a string of ASCII characters; SIZE_MAX if it is none. */
static size_t ascii_length(const char *text)
{
	size_t n = 0;

	if (text == NULL)
		return SIZE_MAX;
	for (; text[n] != '\0'; n++)
		if ((unsigned char)text[n] > 0x7f)
			return SIZE_MAX;
	return n;
}

int vmm_aml_string(struct vmm_aml *a, const char *text)
{
	size_t n = ascii_length(text);

	if (n == SIZE_MAX)
		return vmm__aml_fail(a, VMM_EINVAL);
	if (vmm__aml_admit(a, FILLS_DATA, 0)) {
		vmm__aml_op(a, 0x0d);
		vmm__sink_put(&a->out, text, n + 1);
	}
	return vmm_aml_error(a);
}

/* Opcode, package length and size of a buffer with @init bytes of initialiser. 20.2.5.4. */
static void put_buffer_head(struct vmm_aml *a, size_t len, size_t init)
{
	uint8_t size[9], length[4];
	size_t m = vmm__aml_encode_int(size, len);
	size_t n = init <= 0xfffffff ? encode_package_length(length, m + init) : 0;

	if (n == 0) {
		vmm__aml_fail(a, VMM_ERANGE);
		return;
	}
	vmm__aml_op(a, 0x11);
	vmm__sink_put(&a->out, length, n);
	vmm__sink_put(&a->out, size, m);
}

int vmm_aml_buffer(struct vmm_aml *a, const void *data, size_t len)
{
	size_t init = data != NULL ? len : 0;

	if (!vmm__aml_admit(a, FILLS_DATA, 0))
		return vmm_aml_error(a);
	put_buffer_head(a, len, init);
	if (init != 0)
		vmm__sink_put(&a->out, data, init);
	return vmm_aml_error(a);
}

int vmm_aml_unicode(struct vmm_aml *a, const char *text)
{
	size_t n = ascii_length(text);

	if (n > 0xfffffff)
		return vmm__aml_fail(a, VMM_EINVAL);
	if (!vmm__aml_admit(a, FILLS_DATA, 0))
		return vmm_aml_error(a);
	put_buffer_head(a, 2 * (n + 1), 2 * (n + 1));
	for (size_t i = 0; i <= n; i++)
		vmm__sink_int(&a->out, (unsigned char)text[i], 2);
	return vmm_aml_error(a);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Three letters of 5 bits and four digits of 4, the highest byte first. 19.6, EISAID. */
static bool parse_eisaid(const char *id, uint32_t *value)
{
	uint32_t v = 0;

	if (id == NULL)
		return false;
	for (int i = 0; i < 3; i++) {
		if (id[i] < 'A' || id[i] > 'Z')
			return false;
		v = v << 5 | (uint32_t)(id[i] - 'A' + 1);
	}
	for (int i = 3; i < 7; i++) {
		if (hex_digit(id[i]) < 0)
			return false;
		v = v << 4 | (uint32_t)hex_digit(id[i]);
	}
	*value = v >> 24 | (v >> 8 & 0xff00) | (v << 8 & 0xff0000) | v << 24;
	return id[7] == '\0';
}

int vmm_aml_eisaid(struct vmm_aml *a, const char *id)
{
	uint32_t value;

	if (!parse_eisaid(id, &value))
		return vmm__aml_fail(a, VMM_EINVAL);
	return vmm_aml_int(a, value);
}

/* The first three groups are little-endian numbers, the others bytes in their order. */
static bool parse_uuid(const char *text, uint8_t out[16])
{
	static const uint8_t place[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

	if (text == NULL)
		return false;
	for (unsigned i = 0; i < 16; i++) {
		if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
			return false;
		if (hex_digit(text[0]) < 0 || hex_digit(text[1]) < 0)
			return false;
		out[place[i]] = (uint8_t)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
		text += 2;
	}
	return *text == '\0';
}

int vmm_aml_uuid(struct vmm_aml *a, const char *text)
{
	uint8_t uuid[16];

	if (!parse_uuid(text, uuid))
		return vmm__aml_fail(a, VMM_EINVAL);
	return vmm_aml_buffer(a, uuid, sizeof(uuid));
}

int vmm_aml_package_begin(struct vmm_aml *a)
{
	if (vmm__aml_admit(a, FILLS_DATA, 0)) {
		vmm__aml_op(a, 0x12);
		vmm__aml_push(a, FRAME_PACKAGE, 0);
	}
	return vmm_aml_error(a);
}

/* A package counts its elements in a byte; a VarPackage, 0x13, in an integer. 20.2.5.4. */
int vmm_aml_package_finish(struct vmm_aml *a)
{
	struct vmm_aml_frame *f = vmm__aml_closing(a, FRAME_PACKAGE);
	uint8_t count[9];
	uint8_t *op;

	if (f == NULL)
		return vmm_aml_error(a);
	if (f->count <= 255) {
		count[0] = (uint8_t)f->count;
		return vmm__aml_pop(a, count, 1);
	}
	op = vmm__sink_at(&a->out, f->start - 1, 1);
	if (op != NULL)
		*op = 0x13;
	return vmm__aml_pop(a, count, vmm__aml_encode_int(count, f->count));
}

/* -- Names and places, 20.2.2 and 20.2.6 --------------------------------------------------------
 */

int vmm_aml_path(struct vmm_aml *a, const char *path)
{
	if (vmm__aml_admit(a, FILLS_PATH, 0))
		vmm__aml_put_path(a, path);
	return vmm_aml_error(a);
}

int vmm_aml_call(struct vmm_aml *a, const char *path, uint32_t nargs)
{
	uint64_t owed = 0;

	if (nargs > 7)
		return vmm__aml_fail(a, VMM_EINVAL);
	for (unsigned i = 0; i < nargs; i++)
		owed = owed << SLOT_BITS | SLOT_VALUE;
	if (vmm__aml_admit(a, FILLS_VALUE, owed))
		vmm__aml_put_path(a, path);
	return vmm_aml_error(a);
}

int vmm_aml_null(struct vmm_aml *a)
{
	return vmm__aml_term(a, 0x00, FILLS_NULL, 0);
}

int vmm_aml_local(struct vmm_aml *a, uint32_t n)
{
	if (n > 7)
		return vmm__aml_fail(a, VMM_EINVAL);
	if (!vmm__aml_inside(a, FRAME_METHOD))
		return vmm__aml_fail(a, VMM_ESTATE);
	return vmm__aml_term(a, 0x60 + n, FILLS_PLACE, 0);
}

int vmm_aml_arg(struct vmm_aml *a, uint32_t n)
{
	if (n > 6)
		return vmm__aml_fail(a, VMM_EINVAL);
	if (!vmm__aml_inside(a, FRAME_METHOD))
		return vmm__aml_fail(a, VMM_ESTATE);
	return vmm__aml_term(a, 0x68 + n, FILLS_PLACE, 0);
}

int vmm_aml_debug(struct vmm_aml *a)
{
	return vmm__aml_term(a, EXT(0x31), FILLS_SUPER, 0);
}

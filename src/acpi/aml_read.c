// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Terms one by one, from AML that is not trusted. ACPI 6.5, 20.2.
 *
 * What follows an opcode is told by a text, a letter for each part:
 *
 *	N name                 T value, a term           B W D Q number of 1, 2, 4, 8 bytes
 *	S string               U super name, a term      P package length
 *	L terms to the end     t target, a term or none  E elements to the end
 *	F field list           O data, a term            R bytes to the end
 *
 * A frame is a term of which something is still to come. Each call of next() takes at least one
 * byte or closes a frame, so reading ends. Numbers and names in front belong to the term; behind an
 * operand they are terms of their own.
 */
#include "libvmm/aml_read.h"

#include "bits.h"
#include "endian.h"
#include "mem.h"

#define EXT_PREFIX 0x5b
#define ROOT_CHAR  0x5c
#define UP_CHAR    0x5e
#define DUAL_NAME  0x2e
#define MULTI_NAME 0x2f
#define LNOT       0x92

static const char *const plain_forms[256] = {
	[0x00] = "",       [0x01] = "",    [0x06] = "NN",  [0x08] = "NO",   [0x0a] = "B",
	[0x0b] = "W",      [0x0c] = "D",   [0x0d] = "S",   [0x0e] = "Q",    [0x10] = "PNL",
	[0x11] = "PTR",    [0x12] = "PBE", [0x13] = "PTE", [0x14] = "PNBL", [0x15] = "NBB",
	[0x60] = "",       [0x61] = "",    [0x62] = "",    [0x63] = "",     [0x64] = "",
	[0x65] = "",       [0x66] = "",    [0x67] = "",    [0x68] = "",     [0x69] = "",
	[0x6a] = "",       [0x6b] = "",    [0x6c] = "",    [0x6d] = "",     [0x6e] = "",
	[0x70] = "TU",     [0x71] = "U",   [0x72] = "TTt", [0x73] = "TTt",  [0x74] = "TTt",
	[0x75] = "U",      [0x76] = "U",   [0x77] = "TTt", [0x78] = "TTtt", [0x79] = "TTt",
	[0x7a] = "TTt",    [0x7b] = "TTt", [0x7c] = "TTt", [0x7d] = "TTt",  [0x7e] = "TTt",
	[0x7f] = "TTt",    [0x80] = "Tt",  [0x81] = "Tt",  [0x82] = "Tt",   [0x83] = "T",
	[0x84] = "TTt",    [0x85] = "TTt", [0x86] = "UT",  [0x87] = "U",    [0x88] = "TTt",
	[0x89] = "TBTBTT", [0x8a] = "TTN", [0x8b] = "TTN", [0x8c] = "TTN",  [0x8d] = "TTN",
	[0x8e] = "U",      [0x8f] = "TTN", [0x90] = "TT",  [0x91] = "TT",   [0x92] = "T",
	[0x93] = "TT",     [0x94] = "TT",  [0x95] = "TT",  [0x96] = "Tt",   [0x97] = "Tt",
	[0x98] = "Tt",     [0x99] = "Tt",  [0x9c] = "TTt", [0x9d] = "TU",   [0x9e] = "TTTt",
	[0x9f] = "",       [0xa0] = "PTL", [0xa1] = "PL",  [0xa2] = "PTL",  [0xa3] = "",
	[0xa4] = "T",      [0xa5] = "",    [0xcc] = "",    [0xff] = "",
};

static const char *const extended_forms[256] = {
	[0x01] = "NB",   [0x02] = "N",     [0x12] = "Ut",     [0x13] = "TTTN",   [0x1f] = "TTTTTT",
	[0x20] = "Nt",   [0x21] = "T",     [0x22] = "T",      [0x23] = "UW",     [0x24] = "U",
	[0x25] = "UT",   [0x26] = "U",     [0x27] = "U",      [0x28] = "Tt",     [0x29] = "Tt",
	[0x2a] = "U",    [0x30] = "",      [0x31] = "",       [0x32] = "BDT",    [0x33] = "",
	[0x80] = "NBTT", [0x81] = "PNBF",  [0x82] = "PNL",    [0x83] = "PNBDBL", [0x84] = "PNBWL",
	[0x85] = "PNL",  [0x86] = "PNNBF", [0x87] = "PNNTBF", [0x88] = "NTTT",
};

int vmm_aml_read_open(struct vmm_aml_reader *r, const void *data, size_t len,
		      uint32_t (*args)(void *opaque, const struct vmm_aml_path_ref *name),
		      void *opaque)
{
	if (data == NULL && len != 0)
		return -VMM_EINVAL;
	if (len > INT32_MAX)
		return -VMM_ERANGE;
	r->data = data;
	r->at = 0;
	r->depth = 1;
	r->opaque = opaque;
	r->args = args;
	r->frame[0] = (struct vmm_aml_read_frame){.rest = "L", .end = (uint32_t)len};
	return 0;
}

static struct vmm_aml_read_frame *top(struct vmm_aml_reader *r)
{
	return &r->frame[r->depth - 1];
}

static bool take(struct vmm_aml_reader *r, uint32_t end, uint32_t n, const uint8_t **p)
{
	if (n > end - r->at)
		return false;
	*p = r->data + r->at;
	r->at += n;
	return true;
}

static bool take_number(struct vmm_aml_reader *r, uint32_t end, uint32_t width, uint64_t *v)
{
	const uint8_t *p;

	if (!take(r, end, width, &p))
		return false;
	*v = 0;
	for (uint32_t i = 0; i < width; i++)
		*v |= (uint64_t)p[i] << (8 * i);
	return true;
}

/* -- Names, 20.2.2 ------------------------------------------------------------------------------
 */

static bool is_lead(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_segment(const uint8_t *p)
{
	for (int i = 1; i < 4; i++)
		if (!is_lead(p[i]) && !(p[i] >= '0' && p[i] <= '9'))
			return false;
	return is_lead(p[0]);
}

static bool begins_name(uint8_t c)
{
	return is_lead(c) || c == ROOT_CHAR || c == UP_CHAR || c == DUAL_NAME || c == MULTI_NAME;
}

static void take_prefix(struct vmm_aml_reader *r, uint32_t end, struct vmm_aml_path_ref *name)
{
	if (r->at < end && r->data[r->at] == ROOT_CHAR) {
		name->root = 1;
		r->at++;
		return;
	}
	for (; r->at < end && r->data[r->at] == UP_CHAR && name->parents < 255; r->at++)
		name->parents++;
}

/* The number of segments; what stands in front of them is passed over. */
static bool take_count(struct vmm_aml_reader *r, uint32_t end, uint8_t *count)
{
	const uint8_t *p;

	if (r->at == end)
		return false;
	*count = 1;
	if (r->data[r->at] == 0) {
		*count = 0;
		r->at++;
	} else if (r->data[r->at] == DUAL_NAME) {
		*count = 2;
		r->at++;
	} else if (r->data[r->at] == MULTI_NAME) {
		if (!take(r, end, 2, &p) || p[1] == 0)
			return false;
		*count = p[1];
	}
	return true;
}

static bool take_name(struct vmm_aml_reader *r, uint32_t end, struct vmm_aml_path_ref *name)
{
	memset(name, 0, sizeof(*name));
	take_prefix(r, end, name);
	if (!take_count(r, end, &name->count) ||
	    !take(r, end, 4 * (uint32_t)name->count, &name->segment))
		return false;
	for (uint32_t i = 0; i < name->count; i++)
		if (!is_segment(name->segment + 4 * i))
			return false;
	return true;
}

static bool append(char *buf, size_t cap, size_t *len, char c)
{
	if (*len + 1 >= cap)
		return false;
	buf[(*len)++] = c;
	buf[*len] = '\0';
	return true;
}

static bool append_segment(char *buf, size_t cap, size_t *len, const uint8_t *segment)
{
	size_t n = 4;

	while (n > 1 && segment[n - 1] == '_')
		n--;
	for (size_t i = 0; i < n; i++)
		if (!append(buf, cap, len, (char)segment[i]))
			return false;
	return true;
}

int vmm_aml_path_text(const struct vmm_aml_path_ref *name, char *buf, size_t cap)
{
	size_t len = 0;
	bool room = cap > 0;

	if (room)
		buf[0] = '\0';
	if (name->root)
		room = room && append(buf, cap, &len, '\\');
	for (unsigned i = 0; i < name->parents; i++)
		room = room && append(buf, cap, &len, '^');
	for (unsigned i = 0; i < name->count; i++) {
		room = room && (i == 0 || append(buf, cap, &len, '.'));
		room = room && append_segment(buf, cap, &len, name->segment + 4 * (size_t)i);
	}
	return room ? 0 : -VMM_ESIZE;
}

/* -- Parts of a term ----------------------------------------------------------------------------
 */

/* 20.2.4; without @whole the width of a field, which does not count its own bytes. */
static bool take_length(struct vmm_aml_reader *r, uint32_t end, uint32_t *len)
{
	const uint8_t *p;
	uint32_t more;

	if (!take(r, end, 1, &p))
		return false;
	more = p[0] >> 6;
	*len = more == 0 ? p[0] : p[0] & 0x0fU;
	if (more > 0 && (p[0] & 0x30) != 0)
		return false;
	if (!take(r, end, more, &p))
		return false;
	for (uint32_t i = 0; i < more; i++)
		*len |= (uint32_t)p[i] << (8 * i + 4);
	return true;
}

static bool take_package(struct vmm_aml_reader *r, uint32_t *end, struct vmm_aml_term *term)
{
	uint32_t start = r->at, len;

	if (!take_length(r, *end, &len) || len < r->at - start || len > *end - start)
		return false;
	*end = start + len;
	term->end = *end;
	return true;
}

static bool take_string(struct vmm_aml_reader *r, uint32_t end, struct vmm_aml_term *term)
{
	uint32_t start = r->at;

	while (r->at < end && r->data[r->at] != 0)
		r->at++;
	if (r->at == end)
		return false;
	term->bytes = r->data + start;
	term->len = r->at++ - start;
	return true;
}

static uint32_t width_of(char letter)
{
	return letter == 'B' ? 1 : letter == 'W' ? 2 : letter == 'D' ? 4 : letter == 'Q' ? 8 : 0;
}

/* What stands before the first operand. @form is moved past it, @end to where the term may go. */
static bool take_head(struct vmm_aml_reader *r, const char **form, uint32_t *end,
		      struct vmm_aml_term *term)
{
	uint32_t numbers = 0;

	for (;; (*form)++) {
		bool done;

		if (**form == 'P')
			done = take_package(r, end, term);
		else if (**form == 'N')
			done = take_name(r, *end,
					 term->name.segment == NULL ? &term->name : &term->other);
		else if (**form == 'S')
			done = take_string(r, *end, term);
		else if (width_of(**form) != 0)
			done = take_number(r, *end, width_of(**form), &term->value[numbers++]);
		else
			return true;
		if (!done)
			return false;
	}
}

static int push(struct vmm_aml_reader *r, const char *rest, uint32_t end)
{
	if (*rest == '\0')
		return 0;
	if (r->depth == VMM_AML_READ_DEPTH)
		return -VMM_ELIMIT;
	r->frame[r->depth++] = (struct vmm_aml_read_frame){.rest = rest, .end = end};
	return 0;
}

/* The opcode at hand; LNot in front of a comparison is one with it. */
static bool take_op(struct vmm_aml_reader *r, uint32_t end, struct vmm_aml_term *term,
		    const char **form)
{
	const uint8_t *p;

	if (!take(r, end, 1, &p))
		return false;
	term->op = p[0];
	*form = plain_forms[p[0]];
	if (p[0] == EXT_PREFIX) {
		if (!take(r, end, 1, &p))
			return false;
		term->op = 0x5b00U | p[0];
		*form = extended_forms[p[0]];
	} else if (p[0] == LNOT && r->at < end && p[1] >= 0x93 && p[1] <= 0x95) {
		r->at++;
		term->op = 0x9200U | p[1];
		*form = "TT";
	}
	return *form != NULL;
}

static int read_opcode(struct vmm_aml_reader *r, uint32_t end, struct vmm_aml_term *term)
{
	const char *form;

	if (!take_op(r, end, term, &form) || !take_head(r, &form, &end, term))
		return -VMM_EFORMAT;
	if (term->op == VMM_AML_OP_METHOD)
		term->args = term->value[0] & 7;
	if (term->op == VMM_AML_OP_EXTERNAL)
		term->args = (uint32_t)term->value[1];
	if (term->op == VMM_AML_OP_ONE || term->op == VMM_AML_OP_ONES)
		term->value[0] = term->op == VMM_AML_OP_ONE ? 1 : UINT64_MAX;
	return push(r, form, end);
}

/* A name as a term; where a value is wanted it may be the invocation of a method. */
static int read_path(struct vmm_aml_reader *r, uint32_t end, bool value, struct vmm_aml_term *term)
{
	static const char values[] = "TTTTTTT";
	uint32_t args = VMM_AML_NOT_A_METHOD;

	term->op = VMM_AML_OP_PATH;
	if (!take_name(r, end, &term->name))
		return -VMM_EFORMAT;
	if (value && r->args != NULL)
		args = r->args(r->opaque, &term->name);
	if (args > 7)
		return 0;
	term->op = VMM_AML_OP_CALL;
	term->args = args;
	return push(r, values + 7 - args, end);
}

/* One term in place of @letter. */
static int read_term(struct vmm_aml_reader *r, uint32_t end, char letter, struct vmm_aml_term *term)
{
	uint8_t lead;

	if (r->at == end)
		return -VMM_EFORMAT;
	lead = r->data[r->at];
	if (letter == 't' && lead == 0) {
		term->op = VMM_AML_OP_NULL;
		r->at++;
		return 0;
	}
	if (begins_name(lead))
		return read_path(r, end, letter == 'T' || letter == 'L', term);
	return read_opcode(r, end, term);
}

/* -- Field lists, 20.2.5.2 ----------------------------------------------------------------------
 */

static bool read_access(struct vmm_aml_reader *r, uint32_t end, struct vmm_aml_term *term,
			uint32_t numbers)
{
	term->op = VMM_AML_OP_ACCESS;
	for (uint32_t i = 0; i < numbers; i++)
		if (!take_number(r, end, 1, &term->value[i]))
			return false;
	return true;
}

/* ConnectField: a name, or a buffer, which comes as a term of its own. */
static int read_connect(struct vmm_aml_reader *r, uint32_t end, struct vmm_aml_term *term)
{
	term->op = VMM_AML_OP_CONNECT;
	if (r->at < end && r->data[r->at] == VMM_AML_OP_BUFFER)
		return push(r, "O", end);
	return take_name(r, end, &term->name) ? 0 : -VMM_EFORMAT;
}

static int read_unit(struct vmm_aml_reader *r, uint32_t end, struct vmm_aml_term *term)
{
	uint32_t bits;
	const uint8_t *p;
	uint8_t lead = r->data[r->at];

	if (lead >= 1 && lead <= 3) {
		r->at++;
		if (lead == 2)
			return read_connect(r, end, term);
		return read_access(r, end, term, lead == 1 ? 2 : 3) ? 0 : -VMM_EFORMAT;
	}
	if (lead == 0) {
		r->at++;
		term->op = VMM_AML_OP_SKIP;
	} else {
		if (!take(r, end, 4, &p) || !is_segment(p))
			return -VMM_EFORMAT;
		term->op = VMM_AML_OP_UNIT;
		term->name = (struct vmm_aml_path_ref){.segment = p, .count = 1};
	}
	if (!take_length(r, end, &bits))
		return -VMM_EFORMAT;
	term->value[0] = bits;
	return 0;
}

/* -- Reading ------------------------------------------------------------------------------------
 */

/* Numbers, names and bytes behind an operand. */
static int read_raw(struct vmm_aml_reader *r, uint32_t end, char letter, struct vmm_aml_term *term)
{
	if (letter == 'N') {
		term->op = VMM_AML_OP_PATH;
		return take_name(r, end, &term->name) ? 0 : -VMM_EFORMAT;
	}
	if (letter == 'R') {
		term->op = VMM_AML_OP_BYTES;
		term->len = end - r->at;
		return take(r, end, term->len, &term->bytes) ? 0 : -VMM_EFORMAT;
	}
	term->op = VMM_AML_OP_RAW;
	return take_number(r, end, width_of(letter), &term->value[0]) ? 0 : -VMM_EFORMAT;
}

static bool is_list(char letter)
{
	return letter == 'L' || letter == 'E' || letter == 'F';
}

/* Drops frames that are complete; false at the end of all. */
static bool settle(struct vmm_aml_reader *r)
{
	while (r->depth > 0) {
		struct vmm_aml_read_frame *f = top(r);

		if (is_list(*f->rest) && r->at == f->end)
			f->rest++;
		if (*f->rest != '\0')
			return true;
		r->depth--;
	}
	return false;
}

static int read_any(struct vmm_aml_reader *r, struct vmm_aml_term *term)
{
	struct vmm_aml_read_frame *f = top(r);
	char letter = *f->rest;

	if (!is_list(letter))
		f->rest++;
	if (letter == 'F')
		return read_unit(r, f->end, term);
	if (is_list(letter) || letter == 'T' || letter == 'U' || letter == 't' || letter == 'O')
		return read_term(r, f->end, letter, term);
	return read_raw(r, f->end, letter, term);
}

int vmm_aml_read_next(struct vmm_aml_reader *r, struct vmm_aml_term *term)
{
	struct vmm_aml_read_frame *f;
	const char *rest;
	uint32_t at, depth;
	int error;

	if (term->size != sizeof(*term))
		return -VMM_EINVAL;
	if (!settle(r))
		return -VMM_ENOENT;
	f = top(r);
	rest = f->rest;
	at = r->at;
	depth = r->depth;
	*term = (struct vmm_aml_term){.size = sizeof(*term), .at = at, .depth = depth - 1};
	error = read_any(r, term);
	if (error != 0) {
		f->rest = rest;
		r->at = at;
		r->depth = depth;
	}
	return error;
}

int vmm_aml_read_skip(struct vmm_aml_reader *r, const struct vmm_aml_term *term)
{
	if (term->size != sizeof(*term) || term->end < r->at || r->depth < term->depth + 1)
		return -VMM_EINVAL;
	r->depth = term->depth + 1;
	r->at = term->end;
	return 0;
}

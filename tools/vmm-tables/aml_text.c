// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "aml_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct term_form {
	uint32_t op;
	uint32_t operands;
	const char *name;
};

/* ACPI 6.5, 20.3. Ascending. */
static const struct term_form forms[] = {
	{0x00, 0, "Zero"},
	{0x01, 0, "One"},
	{0x06, 0, "Alias"},
	{0x08, 1, "Name"},
	{0x0a, 0, ""},
	{0x0b, 0, ""},
	{0x0c, 0, ""},
	{0x0d, 0, ""},
	{0x0e, 0, ""},
	{0x10, 0, "Scope"},
	{0x11, 2, "Buffer"},
	{0x12, 0, "Package"},
	{0x13, 1, "Package"},
	{0x14, 0, "Method"},
	{0x15, 0, "External"},
	{0x60, 0, "Local0"},
	{0x61, 0, "Local1"},
	{0x62, 0, "Local2"},
	{0x63, 0, "Local3"},
	{0x64, 0, "Local4"},
	{0x65, 0, "Local5"},
	{0x66, 0, "Local6"},
	{0x67, 0, "Local7"},
	{0x68, 0, "Arg0"},
	{0x69, 0, "Arg1"},
	{0x6a, 0, "Arg2"},
	{0x6b, 0, "Arg3"},
	{0x6c, 0, "Arg4"},
	{0x6d, 0, "Arg5"},
	{0x6e, 0, "Arg6"},
	{0x70, 2, "Store"},
	{0x71, 1, "RefOf"},
	{0x72, 3, "Add"},
	{0x73, 3, "Concatenate"},
	{0x74, 3, "Subtract"},
	{0x75, 1, "Increment"},
	{0x76, 1, "Decrement"},
	{0x77, 3, "Multiply"},
	{0x78, 4, "Divide"},
	{0x79, 3, "ShiftLeft"},
	{0x7a, 3, "ShiftRight"},
	{0x7b, 3, "And"},
	{0x7c, 3, "NAnd"},
	{0x7d, 3, "Or"},
	{0x7e, 3, "NOr"},
	{0x7f, 3, "XOr"},
	{0x80, 2, "Not"},
	{0x81, 2, "FindSetLeftBit"},
	{0x82, 2, "FindSetRightBit"},
	{0x83, 1, "DerefOf"},
	{0x84, 3, "ConcatenateResTemplate"},
	{0x85, 3, "Mod"},
	{0x86, 2, "Notify"},
	{0x87, 1, "SizeOf"},
	{0x88, 3, "Index"},
	{0x89, 6, "Match"},
	{0x8a, 3, "CreateDWordField"},
	{0x8b, 3, "CreateWordField"},
	{0x8c, 3, "CreateByteField"},
	{0x8d, 3, "CreateBitField"},
	{0x8e, 1, "ObjectType"},
	{0x8f, 3, "CreateQWordField"},
	{0x90, 2, "LAnd"},
	{0x91, 2, "LOr"},
	{0x92, 1, "LNot"},
	{0x93, 2, "LEqual"},
	{0x94, 2, "LGreater"},
	{0x95, 2, "LLess"},
	{0x96, 2, "ToBuffer"},
	{0x97, 2, "ToDecimalString"},
	{0x98, 2, "ToHexString"},
	{0x99, 2, "ToInteger"},
	{0x9c, 3, "ToString"},
	{0x9d, 2, "CopyObject"},
	{0x9e, 4, "Mid"},
	{0x9f, 0, "Continue"},
	{0xa0, 1, "If"},
	{0xa1, 0, "Else"},
	{0xa2, 1, "While"},
	{0xa3, 0, "Noop"},
	{0xa4, 1, "Return"},
	{0xa5, 0, "Break"},
	{0xcc, 0, "BreakPoint"},
	{0xff, 0, "Ones"},
	{0x103, 0, ""},
	{0x110, 0, ""},
	{0x111, 0, ""},
	{0x112, 0, "AccessAs"},
	{0x5b01, 0, "Mutex"},
	{0x5b02, 0, "Event"},
	{0x5b12, 2, "CondRefOf"},
	{0x5b13, 4, "CreateField"},
	{0x5b1f, 6, "LoadTable"},
	{0x5b20, 1, "Load"},
	{0x5b21, 1, "Stall"},
	{0x5b22, 1, "Sleep"},
	{0x5b23, 2, "Acquire"},
	{0x5b24, 1, "Signal"},
	{0x5b25, 2, "Wait"},
	{0x5b26, 1, "Reset"},
	{0x5b27, 1, "Release"},
	{0x5b28, 2, "FromBCD"},
	{0x5b29, 2, "ToBCD"},
	{0x5b2a, 1, "Unload"},
	{0x5b30, 0, "Revision"},
	{0x5b31, 0, "Debug"},
	{0x5b32, 1, "Fatal"},
	{0x5b33, 0, "Timer"},
	{0x5b80, 2, "OperationRegion"},
	{0x5b81, 0, "Field"},
	{0x5b82, 0, "Device"},
	{0x5b83, 0, "Processor"},
	{0x5b84, 0, "PowerResource"},
	{0x5b85, 0, "ThermalZone"},
	{0x5b86, 0, "IndexField"},
	{0x5b87, 2, "BankField"},
	{0x5b88, 3, "DataTableRegion"},
	{0x9293, 2, "LNotEqual"},
	{0x9294, 2, "LLessEqual"},
	{0x9295, 2, "LGreaterEqual"},
};

static const struct term_form *form_of(uint32_t op)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (forms[i].op == op)
			return &forms[i];
	return NULL;
}

const char *term_name(uint32_t op)
{
	const struct term_form *form = form_of(op);

	return form != NULL ? form->name : "";
}

uint32_t term_operands(const struct vmm_aml_term *term)
{
	const struct term_form *form = form_of(term->op);

	if (term->op == VMM_AML_OP_CALL)
		return term->args;
	if (term->op == VMM_AML_OP_CONNECT)
		return term->name.count == 0;
	return form != NULL ? form->operands : 0;
}

/* -- The namespace ------------------------------------------------------------------------------
 */

bool names_load(struct names *names, const struct set *set)
{
	uint32_t room = 16;

	*names = (struct names){0};
	for (size_t i = 0; i < set->count; i++)
		if (is_aml(&set->table[i]))
			room += VMM_AML_SPACE_ROOM((uint32_t)set->table[i].len);
	names->objects = calloc(room, sizeof(*names->objects));
	if (names->objects == NULL) {
		fputs("vmm-tables: no memory\n", stderr);
		return false;
	}
	vmm_aml_space_open(&names->space, names->objects, room);
	for (size_t i = 0; i < set->count; i++) {
		const struct table *t = &set->table[i];
		uint32_t list = names->space.lists;

		if (!is_aml(t) || list == VMM_AML_SPACE_LISTS)
			continue;
		names->list[list] = t;
		names->error[list] =
			vmm_aml_space_add(&names->space, t->data + AML_HEADER, t->len - AML_HEADER);
		names->error_at[list] = names->space.error_at + AML_HEADER;
	}
	return true;
}

void names_free(struct names *names)
{
	free(names->objects);
	names->objects = NULL;
}

/* -- Values -------------------------------------------------------------------------------------
 */

/* Text of limited length; what does not fit is dropped. */
struct line {
	char *buf;
	size_t cap;
	size_t len;
};

static void put(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->buf + l->len, l->cap - l->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->len += (size_t)n < l->cap - l->len ? (size_t)n : l->cap - l->len - 1;
}

static bool is_integer(uint32_t op)
{
	return op == VMM_AML_OP_ZERO || op == VMM_AML_OP_ONE || op == VMM_AML_OP_ONES ||
	       (op >= VMM_AML_OP_BYTE && op <= VMM_AML_OP_QWORD && op != VMM_AML_OP_STRING);
}

static bool next(struct vmm_aml_reader *r, struct vmm_aml_term *term)
{
	term->size = sizeof(*term);
	return vmm_aml_read_next(r, term) == 0;
}

/* The data of a Name, or what a method of one statement returns. */
static bool open_value(const struct names *names, uint32_t index, struct vmm_aml_reader *r,
		       struct vmm_aml_view *view, struct vmm_aml_term *term)
{
	if (vmm_aml_space_read(&names->space, index, r, view) != 0 || !next(r, term))
		return false;
	if (term->op == VMM_AML_OP_NAME)
		return next(r, term);
	return term->op == VMM_AML_OP_METHOD && next(r, term) && term->op == VMM_AML_OP_RETURN &&
	       next(r, term);
}

bool integer_of(const struct names *names, uint32_t index, uint64_t *value)
{
	struct vmm_aml_reader r;
	struct vmm_aml_view view;
	struct vmm_aml_term term;

	if (!open_value(names, index, &r, &view, &term) || !is_integer(term.op))
		return false;
	*value = term.value[0];
	return true;
}

/* The bytes of a buffer whose term was read. */
static bool buffer_bytes(struct vmm_aml_reader *r, struct vmm_aml_term *term, uint64_t *size)
{
	if (!next(r, term) || !is_integer(term->op))
		return false;
	*size = term->value[0];
	return next(r, term) && term->op == VMM_AML_OP_BYTES;
}

/* A template that is whole: its end tag is the last thing in it. */
static bool is_template(const uint8_t *data, size_t len)
{
	struct vmm_aml_res res = {.size = sizeof(res)};
	size_t at = 0;
	int err;

	do
		err = vmm_aml_res_next(data, len, &at, &res);
	while (err == 0);
	return err == -VMM_ENOENT && at + res.len == len;
}

bool resources_of(const struct names *names, uint32_t index, const uint8_t **data, size_t *len)
{
	struct vmm_aml_reader r;
	struct vmm_aml_view view;
	struct vmm_aml_term term;
	uint64_t size;
	int64_t named;

	if (!open_value(names, index, &r, &view, &term))
		return false;
	if (term.op == VMM_AML_OP_PATH) {
		named = vmm_aml_space_find(&names->space, view.scope, &term.name);
		if (named < 0 || !open_value(names, (uint32_t)named, &r, &view, &term))
			return false;
	}
	if (term.op != VMM_AML_OP_BUFFER || !buffer_bytes(&r, &term, &size))
		return false;
	*data = term.bytes;
	*len = term.len;
	return is_template(term.bytes, term.len);
}

/* ACPI 6.5, 19.6, EISAID: three letters and four digits in 32 bits. */
static bool eisa_text(uint64_t value, char text[8])
{
	uint32_t v = (uint32_t)(value >> 24 & 0xff) | (uint32_t)(value >> 8 & 0xff00) |
		     (uint32_t)(value << 8 & 0xff0000) | (uint32_t)(value << 24);

	for (int i = 0; i < 3; i++) {
		uint32_t letter = v >> (26 - 5 * i) & 31;

		if (letter == 0 || letter > 26)
			return false;
		text[i] = (char)('A' + letter - 1);
	}
	snprintf(text + 3, 5, "%04X", v & 0xffff);
	return value <= UINT32_MAX && v >> 31 == 0;
}

static bool is_identifier(const char *segment)
{
	return memcmp(segment, "_HID", 4) == 0 || memcmp(segment, "_CID", 4) == 0;
}

static void put_integer(struct line *l, uint64_t value, bool identifier)
{
	char eisa[8];

	if (identifier && eisa_text(value, eisa))
		put(l, "EisaId (\"%s\")", eisa);
	else if (value < 10)
		put(l, "%" PRIu64, value);
	else
		put(l, "0x%" PRIX64, value);
}

static void put_string(struct line *l, const uint8_t *bytes, uint32_t len)
{
	put(l, "\"");
	for (uint32_t i = 0; i < len; i++)
		put(l, bytes[i] >= 0x20 && bytes[i] < 0x7f ? "%c" : "\\x%02X", bytes[i]);
	put(l, "\"");
}

static void put_path(struct line *l, const struct vmm_aml_path_ref *name)
{
	char text[5 * 256 + 256];

	vmm_aml_path_text(name, text, sizeof(text));
	put(l, "%s", text);
}

static void put_uuid(struct line *l, const uint8_t *b)
{
	put(l,
	    "ToUUID (\"%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64
	    "-%02x%02x-%02x%02x%02x%02x%02x%02x\")",
	    number_at(b, 4), number_at(b + 4, 2), number_at(b + 6, 2), b[8], b[9], b[10], b[11],
	    b[12], b[13], b[14], b[15]);
}

/* Version and variant of an RFC 4122 identifier: what 16 bytes rarely have by chance. */
static bool is_uuid(const uint8_t *b, uint64_t size, uint32_t len)
{
	return size == 16 && len == 16 && (b[7] >> 4) >= 1 && (b[7] >> 4) <= 5 && b[8] >> 6 == 2;
}

#define BYTES_SHOWN 24

static void put_bytes(struct line *l, const uint8_t *b, uint64_t size, uint32_t len)
{
	if (is_uuid(b, size, len)) {
		put_uuid(l, b);
		return;
	}
	put(l, "Buffer (%" PRIu64 ") {", size);
	for (uint32_t i = 0; i < len && i < BYTES_SHOWN; i++)
		put(l, " %02X", b[i]);
	put(l, len > BYTES_SHOWN ? " ... }" : " }");
}

void value_text(const struct names *names, uint32_t index, char *buf, size_t cap)
{
	const char *segment = (const char *)names->space.object[index].segment;
	struct line l = {buf, cap, 0};
	struct vmm_aml_reader r;
	struct vmm_aml_view view;
	struct vmm_aml_term term;

	buf[0] = '\0';
	if (!open_value(names, index, &r, &view, &term))
		return;
	if (is_integer(term.op))
		put_integer(&l, term.value[0], is_identifier(segment));
	else if (term.op == VMM_AML_OP_STRING)
		put_string(&l, term.bytes, term.len);
}

/* -- Resources ----------------------------------------------------------------------------------
 */

static const char *range_name(uint32_t type)
{
	return type == 0 ? "Memory" : type == 1 ? "IO" : type == 2 ? "Bus" : "Range";
}

static void put_interrupts(struct line *l, const struct vmm_aml_res *res)
{
	put(l, "Interrupt (%s, %s, %s, %s)", res->flags & 1 ? "consumer" : "producer",
	    res->flags & 2 ? "edge" : "level", res->flags & 4 ? "low" : "high",
	    res->flags & 8 ? "shared" : "exclusive");
	for (uint32_t i = 0; i < res->count; i++)
		put(l, " %" PRId64, vmm_aml_res_gsi(res, i));
}

static void put_mask(struct line *l, const char *name, uint32_t mask)
{
	put(l, "%s", name);
	for (unsigned i = 0; i < 16; i++)
		if (mask >> i & 1)
			put(l, " %u", i);
}

void resource_text(const struct vmm_aml_res *res, char *buf, size_t cap)
{
	struct line l = {buf, cap, 0};
	const char *width = res->tag == 0x88   ? "Word"
			    : res->tag == 0x87 ? "DWord"
			    : res->tag == 0x8a ? "QWord"
					       : "Extended";

	buf[0] = '\0';
	switch (res->kind) {
	case VMM_AML_RES_IRQ:
		put_mask(&l, "IRQ", res->mask);
		break;
	case VMM_AML_RES_DMA:
		put_mask(&l, "DMA", res->mask);
		break;
	case VMM_AML_RES_IO:
		put(&l, "IO 0x%" PRIX64 "-0x%" PRIX64 ", length 0x%" PRIX64, res->min, res->max,
		    res->length);
		break;
	case VMM_AML_RES_MEMORY:
		put(&l, "Memory32%s 0x%" PRIX64 "-0x%" PRIX64 ", length 0x%" PRIX64 ", %s",
		    res->tag == 0x86 ? "Fixed" : "", res->min, res->max, res->length,
		    res->flags & 1 ? "writable" : "read only");
		break;
	case VMM_AML_RES_RANGE:
		put(&l, "%s%s 0x%" PRIX64 "-0x%" PRIX64 ", length 0x%" PRIX64, width,
		    range_name(res->type), res->min, res->max, res->length);
		if (res->translation != 0)
			put(&l, ", translation 0x%" PRIX64, res->translation);
		put(&l, ", %s", res->flags & 1 ? "consumer" : "producer");
		break;
	case VMM_AML_RES_INTERRUPT:
		put_interrupts(&l, res);
		break;
	case VMM_AML_RES_REGISTER:
		put(&l, "Register space 0x%X, %" PRIu64 " bits, address 0x%" PRIX64, res->type,
		    res->length, res->min);
		break;
	case VMM_AML_RES_GPIO:
		put(&l, "%s, flags 0x%X", res->type == 0 ? "GpioInt" : "GpioIo", res->flags);
		break;
	case VMM_AML_RES_SERIAL:
		put(&l, "%s",
		    res->type == 1   ? "I2cSerialBus"
		    : res->type == 2 ? "SpiSerialBus"
		    : res->type == 3 ? "UartSerialBus"
		    : res->type == 4 ? "Csi2Bus"
				     : "SerialBus");
		break;
	default:
		put(&l, "descriptor 0x%02X, %u bytes", res->tag, res->len);
		break;
	}
}

/* -- Terms as text ------------------------------------------------------------------------------
 */

struct text {
	const struct names *names;
	struct vmm_aml_reader reader;
	struct vmm_aml_view view;
	bool identifier; /* an integer here is one */
	bool broken;
};

static void new_line(int indent)
{
	printf("\n%*s", indent, "");
}

static void print_term(struct text *t, int indent);

static void fetch(struct text *t, struct vmm_aml_term *term)
{
	if (t->broken || !next(&t->reader, term)) {
		*term = (struct vmm_aml_term){.op = VMM_AML_OP_NULL};
		if (!t->broken)
			printf(" <not AML at 0x%X>", t->reader.at + AML_HEADER);
		t->broken = true;
	}
}

static void print_resources(const uint8_t *data, size_t len, int indent)
{
	struct vmm_aml_res res = {.size = sizeof(res)};
	char text[512];

	printf("ResourceTemplate");
	for (size_t at = 0; vmm_aml_res_next(data, len, &at, &res) == 0;) {
		resource_text(&res, text, sizeof(text));
		new_line(indent + 4);
		printf("%s", text);
	}
}

/* The line is printed as far as it is known: a size that is no number is rare. */
static void print_buffer(struct text *t, int indent)
{
	char buf[256];
	struct line l = {buf, sizeof(buf), 0};
	struct vmm_aml_term size, bytes;

	fetch(t, &size);
	if (t->broken)
		return;
	if (!is_integer(size.op)) {
		printf("Buffer (computed)");
		for (uint32_t i = term_operands(&size); i > 0; i--)
			print_term(t, indent);
	}
	fetch(t, &bytes);
	if (t->broken)
		return;
	if (bytes.len > 0 && is_template(bytes.bytes, bytes.len)) {
		print_resources(bytes.bytes, bytes.len, indent);
		return;
	}
	put_bytes(&l, bytes.bytes, size.value[0], bytes.len);
	printf("%s", buf);
}

/* Nothing in it takes more than a word or two? */
static bool is_flat(const struct text *t, const struct vmm_aml_term *package)
{
	struct vmm_aml_reader ahead = t->reader;
	struct vmm_aml_term term;
	unsigned elements = 0;

	while (ahead.at < package->end) {
		if (!next(&ahead, &term) || term.op == VMM_AML_OP_PACKAGE ||
		    term.op == VMM_AML_OP_BUFFER || ++elements > 32)
			return false;
	}
	return true;
}

static void print_package(struct text *t, const struct vmm_aml_term *package, int indent)
{
	bool flat = is_flat(t, package);
	bool first = true;

	if (package->op == VMM_AML_OP_VAR_PACKAGE) {
		printf("Package (");
		print_term(t, indent);
		printf(") {");
	} else {
		printf("Package (%" PRIu64 ") {", package->value[0]);
	}
	for (; !t->broken && t->reader.at < package->end; first = false) {
		if (flat)
			printf(first ? " " : ", ");
		else
			new_line(indent + 4);
		print_term(t, indent + 4);
	}
	printf(" }");
}

static void print_operands(struct text *t, uint32_t count, int indent)
{
	printf(" (");
	for (uint32_t i = 0; i < count; i++) {
		printf(i == 0 ? "" : ", ");
		print_term(t, indent + 4);
	}
	printf(")");
}

/* Where the names in a term are seen from; the scope around it is to be put back. */
static void enter_scope(struct text *t, const struct vmm_aml_term *term)
{
	int64_t index = vmm_aml_space_find(&t->names->space, t->view.scope, &term->name);

	if (term->name.count == 0 && term->name.root)
		index = 0;
	if (index >= 0)
		t->view.scope = (uint32_t)index;
}

static void print_list(struct text *t, uint32_t end, int indent)
{
	while (!t->broken && t->reader.at < end) {
		new_line(indent);
		print_term(t, indent);
	}
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void print_named(struct text *t, const struct vmm_aml_term *term, int indent)
{
	static const char *const access[] = {"any", "byte", "word", "dword", "qword", "buffer"};
	static const char *const spaces[] = {"memory",
					     "I/O",
					     "PCI configuration",
					     "embedded controller",
					     "SMBus",
					     "CMOS",
					     "PCI BAR",
					     "IPMI",
					     "GPIO",
					     "serial bus",
					     "PCC",
					     "PRM"};
	char buf[5 * 256 + 256];
	struct line l = {buf, sizeof(buf), 0};
	uint32_t scope = t->view.scope;
	bool block = term->end != 0;

	put_path(&l, &term->name);
	printf("%s %s", term_name(term->op), buf);
	l.len = 0;
	switch (term->op) {
	case VMM_AML_OP_NAME:
		t->identifier =
			is_identifier((const char *)term->name.segment +
				      4 * (term->name.count - (size_t)(term->name.count > 0)));
		printf(" = ");
		print_term(t, indent);
		t->identifier = false;
		return;
	case VMM_AML_OP_ALIAS:
	case VMM_AML_OP_INDEX_FIELD:
	case VMM_AML_OP_BANK_FIELD:
		put_path(&l, &term->other);
		printf(", %s", buf);
		break;
	case VMM_AML_OP_METHOD:
		printf(" (%u argument%s%s)", term->args, plural(term->args),
		       term->value[0] & 8 ? ", serialized" : "");
		break;
	case VMM_AML_OP_REGION:
		if (term->value[0] < sizeof(spaces) / sizeof(spaces[0]))
			printf(", %s", spaces[term->value[0]]);
		else
			printf(", space 0x%" PRIX64, term->value[0]);
		break;
	case VMM_AML_OP_FIELD:
		printf(" (%s access)",
		       access[(term->value[0] & 15) <= 5 ? term->value[0] & 15 : 0]);
		break;
	case VMM_AML_OP_POWER:
		printf(" (level %" PRIu64 ", order %" PRIu64 ")", term->value[0], term->value[1]);
		break;
	case VMM_AML_OP_PROCESSOR:
		printf(" (identifier %" PRIu64 ")", term->value[0]);
		break;
	default:
		break;
	}
	if (term_operands(term) > 0)
		print_operands(t, term_operands(term), indent);
	if (!block)
		return;
	if (term->op != VMM_AML_OP_FIELD && term->op != VMM_AML_OP_INDEX_FIELD)
		enter_scope(t, term);
	print_list(t, term->end, indent + 2);
	t->view.scope = scope;
}

static void print_unit(struct text *t, const struct vmm_aml_term *term, int indent)
{
	char buf[8];

	if (term->op == VMM_AML_OP_SKIP)
		printf("(%" PRIu64 " bit%s)", term->value[0], plural(term->value[0]));
	else if (term->op == VMM_AML_OP_ACCESS)
		printf("AccessAs (0x%" PRIX64 ", 0x%" PRIX64 ")", term->value[0], term->value[1]);
	else if (term->op == VMM_AML_OP_CONNECT) {
		printf("Connection ");
		if (term->name.count == 0)
			print_term(t, indent);
	} else {
		vmm_aml_path_text(&term->name, buf, sizeof(buf));
		printf("%s, %" PRIu64 " bit%s", buf, term->value[0], plural(term->value[0]));
	}
}

static void print_statement(struct text *t, const struct vmm_aml_term *term, int indent)
{
	uint32_t operands = term_operands(term);

	printf("%s", *term_name(term->op) ? term_name(term->op) : "?");
	if (term->op == 0x5b20) {
		char buf[5 * 256 + 256];

		vmm_aml_path_text(&term->name, buf, sizeof(buf));
		printf(" %s", buf);
	}
	if (operands > 0)
		print_operands(t, operands, indent);
	if (term->end != 0)
		print_list(t, term->end, indent + 2);
}

static void print_value(struct text *t, const struct vmm_aml_term *term)
{
	char *buf = malloc(4 * (size_t)term->len + 5 * 256 + 300);
	struct line l = {buf, 4 * (size_t)term->len + 5 * 256 + 300, 0};

	if (buf == NULL)
		return;
	buf[0] = '\0';
	if (term->op == VMM_AML_OP_STRING)
		put_string(&l, term->bytes, term->len);
	else if (term->op == VMM_AML_OP_PATH || term->op == VMM_AML_OP_CALL)
		put_path(&l, &term->name);
	else
		put_integer(&l, term->value[0], t->identifier);
	printf("%s", buf);
	free(buf);
}

static void print_term(struct text *t, int indent)
{
	struct vmm_aml_term term;

	fetch(t, &term);
	if (term.op == VMM_AML_OP_NULL)
		return;
	if (term.op >= VMM_AML_OP_UNIT && term.op <= VMM_AML_OP_CONNECT)
		print_unit(t, &term, indent);
	else if (term.op == VMM_AML_OP_BUFFER)
		print_buffer(t, indent);
	else if (term.op == VMM_AML_OP_PACKAGE || term.op == VMM_AML_OP_VAR_PACKAGE)
		print_package(t, &term, indent);
	else if (is_integer(term.op) || term.op == VMM_AML_OP_STRING || term.op == VMM_AML_OP_RAW ||
		 term.op == VMM_AML_OP_PATH || term.op == VMM_AML_OP_CALL)
		print_value(t, &term);
	else if (term.name.segment != NULL && term.op != 0x5b20)
		print_named(t, &term, indent);
	else
		print_statement(t, &term, indent);
	if (term.op == VMM_AML_OP_CALL)
		print_operands(t, term.args, indent);
}

void print_aml(const struct names *names, uint32_t list, int indent)
{
	struct text t = {.names = names, .view = {.space = &names->space}};
	const struct table *table = names->list[list];

	vmm_aml_space_reader(&t.reader, table->data + AML_HEADER, table->len - AML_HEADER, &t.view);
	while (!t.broken && t.reader.at < table->len - AML_HEADER) {
		printf("%*s", indent, "");
		print_term(&t, indent);
		putchar('\n');
	}
}

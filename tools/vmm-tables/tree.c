// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Tables on the terminal: their fields by name, their entries, their AML. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "aml_text.h"
#include "layout.h"
#include "vmm-tables.h"

#define BYTES_SHOWN 32

/* Part of a table: every access is checked against its end. */
struct part {
	const uint8_t *p;
	size_t len;
};

static void print_ascii(const uint8_t *p, size_t n)
{
	putchar('"');
	for (size_t i = 0; i < n && p[i] != 0; i++)
		putchar(p[i] >= 0x20 && p[i] < 0x7f ? p[i] : '.');
	putchar('"');
}

/* ACPI 6.5, 5.2.3.2. */
static void print_address(const uint8_t *p)
{
	static const char *const spaces[] = {"memory", "I/O", "PCI configuration"};

	if (p[0] < 3)
		printf("%s", spaces[p[0]]);
	else
		printf("space 0x%02X", p[0]);
	printf(" 0x%" PRIX64 ", %u bits, offset %u, access %u", number_at(p + 4, 8), p[1], p[2],
	       p[3]);
}

/* The first three groups are numbers, the others bytes in their order. */
static void print_uuid(const uint8_t *p)
{
	printf("%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%02x%02x-", number_at(p, 4),
	       number_at(p + 4, 2), number_at(p + 6, 2), p[8], p[9]);
	for (int i = 10; i < 16; i++)
		printf("%02x", p[i]);
}

static void print_bytes(struct part part)
{
	for (size_t i = 0; i < part.len && i < BYTES_SHOWN; i++)
		printf(i > 0 ? " %02X" : "%02X", part.p[i]);
	if (part.len > BYTES_SHOWN)
		printf(" ... (%zu bytes)", part.len);
}

/* String number @number of an SMBIOS structure whose formatted part has @formatted bytes. */
static void print_string(struct part s, size_t formatted, uint32_t number)
{
	size_t at = formatted;

	if (number == 0) {
		printf("none");
		return;
	}
	while (--number > 0 && at < s.len) {
		while (at < s.len && s.p[at] != 0)
			at++;
		at++;
	}
	if (at < s.len)
		print_ascii(s.p + at, s.len - at);
	else
		printf("(missing)");
}

static void print_field(const struct field *f, struct part whole, size_t formatted)
{
	const uint8_t *p = whole.p + f->at;

	switch (f->form) {
	case 'g':
		print_address(p);
		break;
	case 'u':
		print_uuid(p);
		break;
	case 's':
		print_ascii(p, f->width);
		break;
	case 'z':
		print_ascii(p, whole.len - f->at);
		break;
	case 't':
		print_string(whole, formatted, *p);
		break;
	case 'd':
		printf("%" PRIu64, number_at(p, f->width));
		break;
	default:
		printf("0x%" PRIX64, number_at(p, f->width));
		break;
	}
}

/*
 * Fields that are there: old revisions of a table end earlier. With an @indent each has a line of
 * its own, without they share one. Where the last one ends.
 */
static size_t print_fields(const struct field *field, uint32_t count, struct part whole,
			   size_t formatted, int indent)
{
	const char *between = ": ";
	size_t end = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct field *f = &field[i];

		if ((size_t)f->at + f->width > formatted)
			continue;
		if (indent > 0)
			printf("%*s%s: ", indent, "", f->name);
		else
			printf("%s%s ", between, f->name);
		print_field(f, whole, formatted);
		if (indent > 0)
			putchar('\n');
		between = ", ";
		end = f->form == 'z' ? whole.len : (size_t)f->at + f->width;
	}
	if (indent == 0)
		putchar('\n');
	return end;
}

/* -- What follows fields ------------------------------------------------------------------------
 */

static void print_words(struct part tail, int indent)
{
	printf("%*s", indent, "");
	for (size_t i = 0; i + 4 <= tail.len && i < 64; i += 4)
		printf(i > 0 ? " 0x%" PRIX64 : "0x%" PRIX64, number_at(tail.p + i, 4));
	printf(tail.len > 64 ? " ... (%zu bytes)\n" : "\n", tail.len);
}

/* VT-d 4.1, 8.3.1: type, length, enumeration, bus, then device and function of each hop. */
static void print_scopes(struct part tail, int indent)
{
	static const char *const types[] = {"?",        "endpoint", "sub-hierarchy",
					    "I/O APIC", "HPET",     "namespace device"};

	for (size_t at = 0; at + 6 <= tail.len; at += tail.p[at + 1]) {
		const uint8_t *s = tail.p + at;

		if (s[1] < 6 || s[1] > tail.len - at)
			return;
		printf("%*sScope: %s, enumeration %u, bus %u", indent, "",
		       types[s[0] < 6 ? s[0] : 0], s[4], s[5]);
		for (size_t i = 6; i + 2 <= s[1]; i += 2)
			printf(", %02x.%u", s[i], s[i + 1]);
		putchar('\n');
	}
}

/* AMD IOMMU 3.08, 5.2.2: the top bits of the type tell the length; 0xf0 has its own. */
static void print_devices(struct part tail, int indent)
{
	for (size_t at = 0; at + 4 <= tail.len;) {
		const uint8_t *d = tail.p + at;
		size_t len = (size_t)4 << (d[0] >> 6);

		if (d[0] == 0xf0)
			len = at + 22 <= tail.len ? 22U + d[21] : tail.len;
		if (len > tail.len - at)
			return;
		printf("%*sDevice: type 0x%02X, 0x%04" PRIX64 ", settings 0x%02X", indent, "", d[0],
		       number_at(d + 1, 2), d[3]);
		if (len == 8)
			printf(", 0x%08" PRIX64, number_at(d + 4, 4));
		putchar('\n');
		at += len;
	}
}

static void print_tail(enum tail kind, struct part tail, int indent)
{
	if (tail.len == 0)
		return;
	switch (kind) {
	case TAIL_U32:
		print_words(tail, indent);
		break;
	case TAIL_SCOPES:
		print_scopes(tail, indent);
		break;
	case TAIL_DEVICES:
		print_devices(tail, indent);
		break;
	default:
		break;
	}
}

/* -- Entries ------------------------------------------------------------------------------------
 */

/* HEST tells no lengths: they follow from the types. ACPI 6.5, 18.3.2. */
static size_t fixed_length(const struct layout *l, uint32_t type)
{
	static const uint8_t hest[] = {0, 0, 20, 0, 0, 0, 48, 44, 56, 64, 92};

	if (l->fixed != 0)
		return l->fixed;
	return type < sizeof(hest) ? hest[type] : 0;
}

static size_t entry_length(const struct layout *l, struct part rest, uint32_t *type)
{
	size_t len;

	*type = 0;
	if (rest.len < (size_t)l->len_at + l->len_width || rest.len < l->type_width)
		return 0;
	if (l->type_width != 0)
		*type = (uint32_t)number_at(rest.p, l->type_width);
	len = l->len_width != 0 ? (size_t)number_at(rest.p + l->len_at, l->len_width)
				: fixed_length(l, *type);
	return len <= rest.len ? len : 0;
}

static void print_entry(const struct layout *l, struct part entry, uint32_t type, size_t at)
{
	const struct entry *e = layout_entry(l, type);
	size_t end;

	if (e == NULL) {
		printf("  [0x%zX] type %u: ", at, type);
		print_bytes(entry);
		putchar('\n');
		return;
	}
	printf("  [0x%zX] %s", at, e->name);
	end = print_fields(e->field, e->fields, entry, entry.len, 0);
	if (end < entry.len)
		print_tail(e->tail, (struct part){entry.p + end, entry.len - end}, 4);
}

static void print_entries(const struct layout *l, const struct table *t, size_t len)
{
	for (size_t at = l->first; at < len;) {
		struct part rest = {t->data + at, len - at};
		uint32_t type;
		size_t n = entry_length(l, rest, &type);

		if (n == 0) {
			printf("  [0x%zX] malformed: ", at);
			print_bytes(rest);
			putchar('\n');
			return;
		}
		print_entry(l, (struct part){rest.p, n}, type, at);
		at += n;
	}
}

/* ACPI 6.5, 5.2.17. */
static void print_distances(const struct table *t, size_t len)
{
	uint64_t nodes = len >= 44 ? number_at(t->data + 36, 8) : 0;

	if (nodes > 256 || nodes * nodes > len - 44)
		return;
	for (size_t i = 0; i < nodes; i++) {
		printf("  ");
		for (size_t j = 0; j < nodes; j++)
			printf(" %3u", t->data[44 + i * nodes + j]);
		putchar('\n');
	}
}

/* -- SMBIOS -------------------------------------------------------------------------------------
 */

/* The end of a structure's strings: two zeros. DSP0134 3.6.0, 6.1.3. */
static size_t structure_end(const uint8_t *p, size_t at, size_t len)
{
	at += p[at + 1];
	while (at + 1 < len && (p[at] != 0 || p[at + 1] != 0))
		at++;
	return at + 2;
}

static void print_structure(struct part s)
{
	const struct entry *e = smbios_entry(s.p[0]);

	printf("  handle 0x%04" PRIX64 ", type %u", number_at(s.p + 2, 2), s.p[0]);
	printf(e != NULL ? ": %s\n" : "\n", e != NULL ? e->name : "");
	if (e != NULL)
		print_fields(e->field, e->fields, s, s.p[1], 4);
}

/* 5.2.2: the structures stand behind the entry point, in the same file. */
static void print_smbios(const struct table *t)
{
	printf("  version %u.%u.%u, entry point at most 0x%" PRIX64 " bytes at 0x%" PRIX64 "\n",
	       t->data[7], t->data[8], t->data[9], number_at(t->data + 12, 4),
	       number_at(t->data + 16, 8));
	for (size_t at = 32; at + 4 <= t->len && t->data[at + 1] >= 4;) {
		size_t end = structure_end(t->data, at, t->len);

		if (end > t->len)
			return;
		print_structure((struct part){t->data + at, end - at});
		if (t->data[at] == 127)
			return;
		at = end;
	}
}

/* -- A table ------------------------------------------------------------------------------------
 */

static void print_header(const struct table *t, const struct layout *l)
{
	printf("%s", t->signature);
	if (l != NULL)
		printf("  %s", l->name);
	if (strcmp(t->name, t->signature) != 0)
		printf("  (%s)", t->name);
	printf("\n  %zu bytes", t->len);
	if (t->gpa != 0)
		printf(" at 0x%" PRIX64, t->gpa);
	if (has_header(t)) {
		printf(", revision %u, OEM ", t->data[8]);
		print_ascii(t->data + 10, 6);
		putchar(' ');
		print_ascii(t->data + 16, 8);
		printf(" %" PRIu64, number_at(t->data + 24, 4));
	}
	putchar('\n');
}

static void print_body(const struct table *t, const struct layout *l)
{
	size_t len = t->len;

	if (has_header(t) && number_at(t->data + 4, 4) < len)
		len = number_at(t->data + 4, 4);
	if (l == NULL) {
		printf("  ");
		print_bytes((struct part){t->data, len});
		putchar('\n');
		return;
	}
	print_fields(l->field, l->fields, (struct part){t->data, len}, len, 2);
	if (l->first != 0 && l->first <= len)
		print_entries(l, t, len);
	if (strcmp(t->signature, "SLIT") == 0)
		print_distances(t, len);
}

static void print_table(const struct names *names, const struct table *t)
{
	const struct layout *l = layout_find(t->signature);

	print_header(t, l);
	if (strcmp(t->signature, "_SM3_") == 0)
		print_smbios(t);
	else if (!is_aml(t))
		print_body(t, l);
	for (uint32_t i = 0; i < names->space.lists; i++)
		if (names->list[i] == t)
			print_aml(names, i, 2);
}

void print_tree(const struct set *set)
{
	struct names names;

	if (!names_load(&names, set))
		return;
	for (size_t i = 0; i < set->count; i++) {
		print_table(&names, &set->table[i]);
		putchar('\n');
	}
	names_free(&names);
}

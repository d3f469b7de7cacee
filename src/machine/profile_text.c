// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * A profile's text: lines of "[section]", "[section 1]" and "key = value". One pass over the bytes,
 * which may be hostile; a mistake is told with its line and column.
 *
 *	text       = { line "\n" }
 *	line       = [ section | assignment ] [ comment ]
 *	section    = "[" word [ digits ] "]"
 *	assignment = word { word | digits } "=" ( bare | quoted )
 *	comment    = "#" ...			after a blank, or first
 *	quoted     = '"' { byte | '\"' | '\\' } '"'
 *
 * Blanks (space, tab, CR) may stand between any two of these.
 */
#include "profile_keys.h"

#include "mem.h"

struct reader {
	struct vmm_profile *profile;
	struct vmm_profile_error *error;
	const char *text;
	size_t len;
	size_t pos;
	size_t line_start;
	uint32_t line;
	const struct vmm__key *section; /* its first key; NULL before the first header */
	uint32_t index;
	uint16_t seen[VMM__PROFILE_SLOTS]; /* line that has set it, by key and index */
	size_t value_len;
	char value[VMM__PROFILE_STRING + 1];
};

/* Bytes of a word that an error's sentence repeats. */
#define WORD_SHOWN 24

/* A word in the text. */
struct word {
	size_t pos;
	size_t len;
	char shown[WORD_SHOWN + 1];
};

/* Blame the byte at @pos. */
static int fail_at(struct reader *r, size_t pos, const char *fmt, ...) VMM__PRINTF(3, 4);
static int fail_at(struct reader *r, size_t pos, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vmm__profile_fail(r->error, -VMM_EFORMAT, r->line, (uint32_t)(pos - r->line_start) + 1, fmt,
			  ap);
	va_end(ap);
	return -VMM_EFORMAT;
}

/* The byte at hand; '\n' where the text ends. */
static char peek(const struct reader *r)
{
	return r->pos < r->len ? r->text[r->pos] : '\n';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

static void skip_blanks(struct reader *r)
{
	while (is_blank(peek(r)))
		r->pos++;
}

/* A key's name may have digits in it; after that of a section stands its number. */
static struct word take_word(struct reader *r, bool digits)
{
	struct word w = {.pos = r->pos};

	while (is_word(peek(r)) || (digits && r->pos > w.pos && is_digit(peek(r))))
		r->pos++;
	w.len = r->pos - w.pos;
	memcpy(w.shown, r->text + w.pos, w.len < WORD_SHOWN ? w.len : WORD_SHOWN);
	return w;
}

static bool word_is(const struct reader *r, const struct word *w, const char *name)
{
	for (size_t i = 0; i < w->len; i++) {
		if (name[i] == '\0' || r->text[w->pos + i] != name[i])
			return false;
	}
	return name[w->len] == '\0';
}

static bool same_section(const struct vmm__key *a, const struct vmm__key *b)
{
	return (a->key >> 8) == (b->key >> 8);
}

/* "word" or "word digits": chooses the section that assignments go to. */
static int take_section(struct reader *r)
{
	struct word w = take_word(r, false);
	size_t digits;
	uint32_t index = 0;

	r->section = NULL;
	if (w.len == 0)
		return fail_at(r, w.pos, "the name of a section is missing: lower-case letters");
	for (uint32_t i = 0; i < vmm__key_count && r->section == NULL; i++) {
		if (word_is(r, &w, vmm__keys[i].section))
			r->section = &vmm__keys[i];
	}
	if (r->section == NULL)
		return fail_at(r, w.pos, "there is no section '%s'", w.shown);
	skip_blanks(r);
	digits = r->pos;
	for (; is_digit(peek(r)) && index < r->section->indices; r->pos++)
		index = index * 10 + (uint32_t)(peek(r) - '0');
	if (r->pos != digits && r->section->indices == 1)
		return fail_at(r, digits, "there is one section '%s', without a number",
			       r->section->section);
	if (index >= r->section->indices)
		return fail_at(r, digits, "sections '%s' are numbered from 0 to %u",
			       r->section->section, r->section->indices - 1U);
	r->index = index;
	skip_blanks(r);
	return 0;
}

/* Nothing but blanks and a comment is left on the line. */
static int expect_end_of_line(struct reader *r)
{
	skip_blanks(r);
	if (peek(r) == '#') {
		while (peek(r) != '\n')
			r->pos++;
	}
	return peek(r) == '\n' ? 0 : fail_at(r, r->pos, "something is left over on this line");
}

static int put_value(struct reader *r, char c)
{
	if ((unsigned char)c < 0x20 || c == 0x7f)
		return fail_at(r, r->pos, "a control character (0x%02x) in a value",
			       (unsigned char)c);
	if (r->value_len == VMM__PROFILE_STRING)
		return fail_at(r, r->pos, "the value is longer than %d bytes", VMM__PROFILE_STRING);
	r->value[r->value_len++] = c;
	r->pos++;
	return 0;
}

static int take_quoted(struct reader *r)
{
	size_t opening = r->pos++;
	int err = 0;

	while (err == 0 && peek(r) != '"') {
		if (peek(r) == '\n')
			return fail_at(r, opening, "this quote is not closed on its line");
		if (peek(r) == '\\') {
			r->pos++;
			if (peek(r) != '"' && peek(r) != '\\')
				return fail_at(r, r->pos - 1,
					       "a backslash in quotes stands before \" or \\ only");
		}
		err = put_value(r, peek(r));
	}
	r->pos++;
	return err;
}

/* Up to the end of the line, or to a '#' after a blank. */
static int take_bare(struct reader *r)
{
	size_t end = r->pos;

	for (size_t i = r->pos; i < r->len && r->text[i] != '\n'; i++) {
		if (r->text[i] == '#' && is_blank(r->text[i - 1]))
			break;
		if (!is_blank(r->text[i]))
			end = i + 1;
	}
	if (end == r->pos || peek(r) == '#')
		return fail_at(r, r->pos, "the value is missing; \"\" is an empty one");
	while (r->pos < end) {
		int err = put_value(r, peek(r) == '\t' ? ' ' : peek(r));
		if (err != 0)
			return err;
	}
	return 0;
}

static int take_value(struct reader *r)
{
	int err;

	r->value_len = 0;
	err = peek(r) == '"' ? take_quoted(r) : take_bare(r);
	if (err == 0)
		r->value[r->value_len] = '\0';
	return err;
}

static bool value_is(const struct reader *r, const char *text)
{
	size_t i = 0;

	while (i < r->value_len && r->value[i] == text[i])
		i++;
	return i == r->value_len && text[i] == '\0';
}

static bool to_boolean(const struct reader *r, uint64_t *value)
{
	if (value_is(r, "yes") || value_is(r, "on") || value_is(r, "true") || value_is(r, "1"))
		*value = 1;
	else if (value_is(r, "no") || value_is(r, "off") || value_is(r, "false") ||
		 value_is(r, "0"))
		*value = 0;
	else
		return false;
	return true;
}

static unsigned digit_of(char c)
{
	if (is_digit(c))
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

/* Shift of a suffix, 0 where it is none. */
static unsigned suffix_of(char c)
{
	switch (c) {
	case 'K':
	case 'k':
		return 10;
	case 'M':
	case 'm':
		return 20;
	case 'G':
	case 'g':
		return 30;
	case 'T':
	case 't':
		return 40;
	default:
		return 0;
	}
}

/* "12", "0x1f", and for sizes "12K", all below 2^64. */
static bool to_number(const struct reader *r, bool suffix, uint64_t *value)
{
	const char *s = r->value;
	unsigned base = s[0] == '0' && s[1] == 'x' ? 16 : 10;
	const char *digits = base == 16 ? s + 2 : s;
	unsigned shift;

	*value = 0;
	for (s = digits; digit_of(*s) < base; s++) {
		unsigned digit = digit_of(*s);
		if (*value > (UINT64_MAX - digit) / base)
			return false;
		*value = *value * base + digit;
	}
	if (s == digits)
		return false;
	shift = suffix ? suffix_of(*s) : 0;
	if (shift != 0) {
		if (*value > UINT64_MAX >> shift)
			return false;
		*value <<= shift;
		s++;
	}
	return *s == '\0';
}

static int set_number(struct reader *r, const struct vmm__key *key, size_t pos)
{
	uint64_t value;

	if (!to_number(r, key->kind == VMM_PROFILE_KIND_SIZE, &value))
		return fail_at(r, pos,
			       key->kind == VMM_PROFILE_KIND_SIZE
				       ? "'%s' wants a number of bytes, such as 512M or 4G"
				       : "'%s' wants a number, such as 12 or 0x1f",
			       key->name);
	switch (vmm_profile_set_number(r->profile, key->key, r->index, value)) {
	case 0:
		return 0;
	case -VMM_EALIGN:
		return fail_at(r, pos, "'%s' is to be a whole number of %s", key->name,
			       key->align == 1024 ? "KiB" : "MiB");
	default:
		return fail_at(r, pos,
			       key->hex ? "'%s' is to be from 0x%llx to 0x%llx"
					: "'%s' is to be from %llu to %llu",
			       key->name, (unsigned long long)key->min,
			       (unsigned long long)key->max);
	}
}

static int set_value(struct reader *r, const struct vmm__key *key, size_t pos)
{
	uint64_t value;

	switch (key->kind) {
	case VMM_PROFILE_KIND_STRING:
		if (vmm_profile_set_string(r->profile, key->key, r->index, r->value) != 0)
			return fail_at(r, pos, "'%s' is longer than %u bytes", key->name,
				       (unsigned)key->max);
		return 0;
	case VMM_PROFILE_KIND_BOOLEAN:
		if (!to_boolean(r, &value))
			return fail_at(r, pos, "'%s' wants yes or no", key->name);
		return vmm_profile_set_number(r->profile, key->key, r->index, value);
	default:
		return set_number(r, key, pos);
	}
}

static const struct vmm__key *find_name(const struct reader *r, const struct word *w)
{
	for (const struct vmm__key *k = r->section;
	     k < vmm__keys + vmm__key_count && same_section(k, r->section); k++) {
		if (word_is(r, w, k->name))
			return k;
	}
	return NULL;
}

/* Its place among all keys and their indices. */
static uint32_t slot_of(const struct vmm__key *key, uint32_t index)
{
	uint32_t slot = index;

	for (const struct vmm__key *k = vmm__keys; k < key; k++)
		slot += k->indices;
	return slot;
}

/* Refuses a key that a line above has set: one of the two is a mistake. */
static int mark_seen(struct reader *r, const struct vmm__key *key, size_t pos)
{
	uint16_t *seen = &r->seen[slot_of(key, r->index)];

	if (*seen != 0)
		return fail_at(r, pos, "'%s' is set already, in line %u", key->name, *seen);
	*seen = (uint16_t)r->line; /* a text has less than 65,536 lines with something in them */
	return 0;
}

/* "word = value" for the section that was chosen. */
static int take_assignment(struct reader *r)
{
	struct word w = take_word(r, true);
	const struct vmm__key *key;
	size_t pos;
	int err;

	if (w.len == 0)
		return fail_at(r, w.pos, "expected a key, a [section] or a # comment");
	if (r->section == NULL)
		return fail_at(r, w.pos, "'%s' stands before the first [section]", w.shown);
	key = find_name(r, &w);
	if (key == NULL)
		return fail_at(r, w.pos, "section '%s' has no key '%s'", r->section->section,
			       w.shown);
	skip_blanks(r);
	if (peek(r) != '=')
		return fail_at(r, r->pos, "expected '=' after '%s'", key->name);
	r->pos++;
	skip_blanks(r);
	pos = r->pos;
	err = mark_seen(r, key, w.pos);
	if (err == 0)
		err = take_value(r);
	if (err == 0)
		err = expect_end_of_line(r);
	return err != 0 ? err : set_value(r, key, pos);
}

static int take_header(struct reader *r)
{
	int err;

	r->pos++;
	skip_blanks(r);
	err = take_section(r);
	if (err != 0)
		return err;
	if (peek(r) != ']')
		return fail_at(r, r->pos, "expected ']' after the section's name");
	r->pos++;
	return expect_end_of_line(r);
}

static int take_line(struct reader *r)
{
	skip_blanks(r);
	if (peek(r) == '\n' || peek(r) == '#')
		return expect_end_of_line(r);
	return peek(r) == '[' ? take_header(r) : take_assignment(r);
}

static void begin(struct reader *r, struct vmm_profile *profile, const char *text, size_t len,
		  struct vmm_profile_error *error)
{
	memset(r, 0, sizeof(*r));
	r->profile = profile;
	r->error = error;
	r->text = text;
	r->len = len;
	r->line = 1;
}

int vmm_profile_parse(struct vmm_profile *profile, const char *text, size_t len,
		      struct vmm_profile_error *error)
{
	struct reader r;

	if (profile == NULL || (text == NULL && len != 0))
		return -VMM_EINVAL;
	begin(&r, profile, text, len, error);
	if (len > VMM_PROFILE_TEXT_MAX)
		return fail_at(&r, 0, "the text is longer than %d bytes", VMM_PROFILE_TEXT_MAX);
	while (r.pos < r.len) {
		int err = take_line(&r);
		if (err != 0)
			return err;
		r.pos++;
		r.line_start = r.pos;
		r.line++;
	}
	return 0;
}

int vmm_profile_set_text(struct vmm_profile *profile, const char *assignment,
			 struct vmm_profile_error *error)
{
	struct reader r;
	size_t len = 0;
	int err;

	if (profile == NULL || assignment == NULL)
		return -VMM_EINVAL;
	while (assignment[len] != '\0' && len < VMM_PROFILE_TEXT_MAX)
		len++;
	begin(&r, profile, assignment, len, error);
	if (assignment[len] != '\0')
		return fail_at(&r, 0, "the text is longer than %d bytes", VMM_PROFILE_TEXT_MAX);
	for (size_t i = 0; i < len; i++) {
		if (assignment[i] == '\n')
			return fail_at(&r, i, "one assignment is one line");
	}
	skip_blanks(&r);
	err = take_section(&r);
	if (err != 0)
		return err;
	if (peek(&r) != '.')
		return fail_at(&r, r.pos, "expected section.key=value");
	r.pos++;
	return take_assignment(&r);
}

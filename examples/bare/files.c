// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "files.h"

#include "libvmm/types.h"
#include "text.h"

/* Linux: Documentation/driver-api/early-userspace/buffer-format.rst. Fields are 8 digits each. */
#define HEAD      110
#define MODE_AT   14
#define SIZE_AT   54
#define NAME_AT   94
#define TYPE_MASK 0170000
#define TYPE_FILE 0100000

/* One entry of an archive. */
struct entry {
	const char *name; /* @name_len bytes, the last of which is 0 */
	const uint8_t *data;
	size_t name_len, len;
	uint32_t mode;
};

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool field(const uint8_t *at, uint32_t *value)
{
	*value = 0;
	for (uint32_t i = 0; i < 8; i++) {
		const int d = digit(at[i]);

		if (d < 0)
			return false;
		*value = *value << 4 | (uint32_t)d;
	}
	return true;
}

static bool within(size_t at, size_t len, size_t whole)
{
	return at <= whole && len <= whole - at;
}

static size_t align_up(size_t at)
{
	return (at + 3) & ~(size_t)3;
}

/* The entry at *@at, which moves on behind it. False where there is none. */
static bool next_entry(const uint8_t *data, size_t len, size_t *at, struct entry *e)
{
	uint32_t size, name_len;
	size_t body;

	if (!within(*at, HEAD, len) || !text_begins((const char *)data + *at, "07070") ||
	    !field(data + *at + MODE_AT, &e->mode) || !field(data + *at + SIZE_AT, &size) ||
	    !field(data + *at + NAME_AT, &name_len))
		return false;
	if (name_len == 0 || !within(*at + HEAD, name_len, len) ||
	    data[*at + HEAD + name_len - 1] != 0)
		return false;
	body = align_up(*at + HEAD + name_len);
	if (!within(body, size, len))
		return false;
	e->name = (const char *)data + *at + HEAD;
	e->name_len = name_len;
	e->data = data + body;
	e->len = size;
	*at = align_up(body + size);
	return true;
}

static bool is_last(const struct entry *e)
{
	return text_same(e->name, "TRAILER!!!");
}

/* What stands behind the last slash, up to a blank or the end. */
static void copy_name(char *to, const char *from)
{
	size_t n = 0;

	for (const char *p = from; *p != '\0' && *p != ' '; p++) {
		if (*p == '/')
			n = 0;
		else if (n < FILE_NAME_MAX - 1)
			to[n++] = *p;
	}
	to[n] = '\0';
}

static int add(struct files *files, const char *name, const uint8_t *data, size_t len)
{
	struct file *f = &files->file[files->count];

	if (files->count == FILES_MAX)
		return -VMM_ELIMIT;
	copy_name(f->name, name);
	f->data = data;
	f->len = len;
	files->count++;
	return 0;
}

static int add_archive(struct files *files, const uint8_t *data, size_t len)
{
	struct entry e;
	size_t at = 0;

	while (next_entry(data, len, &at, &e)) {
		int err = 0;

		if (is_last(&e))
			return 0;
		if ((e.mode & TYPE_MASK) == TYPE_FILE)
			err = add(files, e.name, e.data, e.len);
		if (err != 0)
			return err;
	}
	return -VMM_EFORMAT;
}

size_t files_profile_stem(const char *name)
{
	const size_t len = text_length(name), ending = text_length(PROFILE_ENDING);

	return len > ending && text_same(name + len - ending, PROFILE_ENDING) ? len - ending : 0;
}

int files_add(struct files *files, const void *data, size_t len, const char *words)
{
	struct entry e;
	size_t at = 0;

	while (next_entry(data, len, &at, &e) && !is_last(&e)) {
		char name[FILE_NAME_MAX];

		copy_name(name, e.name);
		if (text_same(name, PROFILE) || files_profile_stem(name) != 0)
			return add_archive(files, data, len);
	}
	return add(files, words, data, len);
}

const struct file *files_find(const struct files *files, const char *name)
{
	char wanted[FILE_NAME_MAX];

	copy_name(wanted, name);
	for (uint32_t i = 0; i < files->count; i++) {
		if (text_same(wanted, files->file[i].name))
			return &files->file[i];
	}
	return NULL;
}

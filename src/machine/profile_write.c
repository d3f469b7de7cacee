// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "profile_keys.h"

#include "format.h"

struct writer {
	char *buf;
	size_t size;
	size_t len; /* of the whole text, also where it found no room */
};

static void put(struct writer *w, char c)
{
	if (w->len + 1 < w->size)
		w->buf[w->len] = c;
	w->len++;
}

static void put_string(struct writer *w, const char *text)
{
	for (; *text != '\0'; text++)
		put(w, *text);
}

static void put_quoted(struct writer *w, const char *text)
{
	put(w, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			put(w, '\\');
		put(w, *text);
	}
	put(w, '"');
}

static void put_size(struct writer *w, uint64_t value)
{
	static const char suffix[] = {'\0', 'K', 'M', 'G', 'T'};
	unsigned i = 0;
	char text[24];

	for (; i + 1 < sizeof(suffix) && value != 0 && value % 1024 == 0; i++)
		value /= 1024;
	vmm__format(text, sizeof(text), "%llu", (unsigned long long)value);
	put_string(w, text);
	if (i > 0)
		put(w, suffix[i]);
}

static void put_value(struct writer *w, const struct vmm_profile *profile,
		      const struct vmm__key *key, uint32_t index)
{
	char text[24];
	uint64_t value;

	if (vmm__key_is_string(key)) {
		put_quoted(w, vmm__profile_string(profile, key, index));
		return;
	}
	value = vmm__profile_number(profile, key, index);
	if (key->kind == VMM_PROFILE_KIND_SIZE) {
		put_size(w, value);
	} else if (key->kind == VMM_PROFILE_KIND_BOOLEAN) {
		put_string(w, value != 0 ? "yes" : "no");
	} else {
		vmm__format(text, sizeof(text), key->hex ? "0x%llx" : "%llu",
			    (unsigned long long)value);
		put_string(w, text);
	}
}

static bool is_default(const struct vmm_profile *profile, const struct vmm__key *key,
		       uint32_t index)
{
	const char *a = key->string;

	if (!vmm__key_is_string(key))
		return vmm__profile_number(profile, key, index) == vmm__key_default(key, index);
	for (const char *b = vmm__profile_string(profile, key, index); *a == *b; a++, b++) {
		if (*a == '\0')
			return true;
	}
	return false;
}

static void put_header(struct writer *w, const struct vmm__key *key, uint32_t index)
{
	char digits[8];

	if (w->len > 0)
		put(w, '\n');
	put(w, '[');
	put_string(w, key->section);
	if (key->indices > 1) {
		vmm__format(digits, sizeof(digits), " %u", index);
		put_string(w, digits);
	}
	put_string(w, "]\n");
}

/* One section, from its first key on, if there is something to say in it. */
static void put_section(struct writer *w, const struct vmm_profile *profile,
			const struct vmm__key *first, uint32_t count, uint32_t index, bool all)
{
	bool begun = false;

	for (const struct vmm__key *key = first; key < first + count; key++) {
		if (!all && is_default(profile, key, index))
			continue;
		if (!begun)
			put_header(w, key, index);
		begun = true;
		put_string(w, key->name);
		put_string(w, " = ");
		put_value(w, profile, key, index);
		put(w, '\n');
	}
}

int vmm_profile_write(const struct vmm_profile *profile, uint32_t flags, char *buf, size_t *len)
{
	struct writer w = {buf, 0, 0};
	uint32_t count;

	if (profile == NULL || len == NULL || (flags & ~VMM_PROFILE_WRITE_ALL) != 0)
		return -VMM_EINVAL;
	w.size = buf != NULL ? *len : 0;
	for (uint32_t i = 0; i < vmm__key_count; i += count) {
		count = 1;
		while (i + count < vmm__key_count &&
		       vmm__keys[i + count].key >> 8 == vmm__keys[i].key >> 8)
			count++;
		for (uint32_t index = 0; index < vmm__keys[i].indices; index++)
			put_section(&w, profile, &vmm__keys[i], count, index, flags != 0);
	}
	if (w.size > 0)
		buf[w.len < w.size ? w.len : w.size - 1] = '\0';
	*len = w.len + 1;
	return buf == NULL || w.len < w.size ? 0 : -VMM_ESIZE;
}

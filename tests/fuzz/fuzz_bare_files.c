// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Boot modules of examples/bare: whatever an archive holds, its files lie within it. */
#include <stdio.h>
#include <string.h>

#include "files.h"
#include "fuzz.h"
#include "libvmm/types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct files files;
	int err;

	files.count = 0;
	err = files_add(&files, data, len, "/boot/module with words");
	FUZZ_CHECK(err == 0 || err == -VMM_EFORMAT || err == -VMM_ELIMIT);
	FUZZ_CHECK(files.count <= FILES_MAX);
	for (uint32_t i = 0; i < files.count; i++) {
		const struct file *f = &files.file[i];

		FUZZ_CHECK(f->data >= data && f->len <= len - (size_t)(f->data - data));
		FUZZ_CHECK(memchr(f->name, '\0', FILE_NAME_MAX) != NULL);
		FUZZ_CHECK(strchr(f->name, '/') == NULL);
		FUZZ_CHECK(files_find(&files, f->name) != NULL);
	}
	return 0;
}

static size_t entry(uint8_t *to, const char *name, uint32_t mode, const char *text)
{
	const size_t name_len = strlen(name) + 1, len = strlen(text);
	size_t at = (size_t)sprintf(
		(char *)to, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1, mode,
		0, 0, 1, 0, (unsigned)len, 0, 0, 0, 0, (unsigned)name_len, 0);

	memcpy(to + at, name, name_len);
	at += name_len;
	while (at % 4 != 0)
		to[at++] = 0;
	memcpy(to + at, text, len);
	at += len;
	while (at % 4 != 0)
		to[at++] = 0;
	return at;
}

/* An archive of a profile and a kernel in a folder; the same without the profile; no archive; the
 * first again, with a profile that has a name. */
size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	static const char *const profiles[] = {"vm/profile", NULL, NULL, "vm/one.profile"};
	static struct files files;
	const char *profile;
	size_t at = 0;

	if (index > 3)
		return 0;
	profile = profiles[index];
	if (index == 2) {
		memcpy(buf, "plain", 5);
		return 5;
	}
	at += entry(buf + at, "vm", 0040755, "");
	at += entry(buf + at, "vm/kernel", 0100644, "bytes");
	if (profile != NULL)
		at += entry(buf + at, profile, 0100644, "[cpu]\ncores = 2\n");
	at += entry(buf + at, "TRAILER!!!", 0, "");
	files.count = 0;
	FUZZ_CHECK(files_add(&files, buf, at, "name") == 0);
	FUZZ_CHECK(files.count == (profile != NULL ? 2 : 1));
	FUZZ_CHECK(strcmp(files.file[0].name, profile != NULL ? "kernel" : "name") == 0);
	FUZZ_CHECK(files.file[0].len == (profile != NULL ? 5 : at));
	FUZZ_CHECK((files_find(&files, "/boot/profile") != NULL) == (index == 0));
	FUZZ_CHECK(profile == NULL ||
		   files_profile_stem(files.file[1].name) == (index == 3 ? 3 : 0));
	return at;
}

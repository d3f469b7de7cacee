/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Files from boot modules: single ones, and those in a cpio archive (newc). */
#ifndef EXAMPLES_BARE_FILES_H
#define EXAMPLES_BARE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILES_MAX     64
#define FILE_NAME_MAX 128

/* What a profile is called: this, or a name with the ending. */
#define PROFILE        "profile"
#define PROFILE_ENDING ".profile"

struct file {
	char name[FILE_NAME_MAX]; /* without a path; what is longer is cut */
	const uint8_t *data;
	size_t len;
};

struct files {
	uint32_t count;
	struct file file[FILES_MAX];
};

/*
 * Add a module: the files of an archive that has a profile in it, else the module itself under
 * the first word of @words. (An initrd is an archive too, and stays whole.) 0, or -VMM_EFORMAT for
 * an archive that is damaged, -VMM_ELIMIT for too many files.
 */
int files_add(struct files *files, const void *data, size_t len, const char *words);

/* The one of that name, whatever path stands before it; NULL if there is none. */
const struct file *files_find(const struct files *files, const char *name);

/* Length of the name before PROFILE_ENDING; 0 if it ends otherwise. */
size_t files_profile_stem(const char *name);

#endif

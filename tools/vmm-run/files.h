/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Files as bytes in memory, and what is loaded from them. */
#ifndef VMM_RUN_FILES_H
#define VMM_RUN_FILES_H

#include <stddef.h>

#include "libvmm/loader.h"
#include "options.h"

/* A file, mapped, so that its bytes are not memory of this process. */
struct file {
	void *bytes;
	size_t len;
};

/* 0, or -1 with errno. An empty file has no bytes. */
int file_open(struct file *file, const char *name);
void file_close(struct file *file);

/* The kernel and initrds of the options; stay open, for a guest that wants to start again. */
struct files {
	struct file kernel;
	struct file initrds[VMM_BOOT_AREAS_MAX];
	uint32_t initrd_count;
};

/* False after saying which file cannot be had. Without a kernel there is nothing to run. */
bool files_open(struct files *files, const struct options *options);
void files_close(struct files *files);

/* Load them. False after saying what is wrong. */
bool files_load(const struct files *files, const struct options *options,
		const struct vmm_load_target *target, struct vmm_boot *boot);

#endif

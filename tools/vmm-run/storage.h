/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A file as storage of vUEFI's variables. */
#ifndef VMM_RUN_STORAGE_H
#define VMM_RUN_STORAGE_H

#include <stdbool.h>

#include "libvmm/uefi.h"

struct storage {
	struct vmm_uefi_storage ops;
	int fd;
};

/*
 * Open it, or make it; nobody else may have it meanwhile. False after saying why not. @storage
 * must stay where it is until it is closed.
 */
bool storage_open(struct storage *storage, const char *name);
void storage_close(struct storage *storage);

#endif

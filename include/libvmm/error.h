/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/error.h - What exactly went wrong.
 *
 * A failing call leaves its detail with the object that it was made on: the context, the VM or the
 * vCPU. The detail stays until the next failing call on that object; successful calls keep it.
 */
#ifndef LIBVMM_ERROR_H
#define LIBVMM_ERROR_H

#include "libvmm/types.h"

VMM_BEGIN_DECLS

/**
 * struct vmm_error - Detail of a failure.
 * @size:       Size of this structure, set by the caller before it is filled.
 * @code:       The code that the call returned (negative), 0 where none has failed yet.
 * @host_error: The host's own error number (errno on Linux), 0 where the host was not asked.
 * @call:       The failing call or host request ("vmm_vm_map", "KVM_CREATE_VM"), NUL-terminated.
 * @text:       A sentence with the values involved, NUL-terminated, cut if too long.
 */
struct vmm_error {
	uint32_t size;
	int32_t code;
	int64_t host_error;
	char call[48];
	char text[192];
};

VMM_END_DECLS

#endif

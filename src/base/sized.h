/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Public structures that begin with their size: a caller's may be older or newer than ours. */
#ifndef VMM_BASE_SIZED_H
#define VMM_BASE_SIZED_H

#include <stddef.h>
#include <stdint.h>

/*
 * Take a structure of the caller's that begins with its size: a smaller one is filled up with
 * zeros, a larger one must be zero where this library knows nothing. 0 or -VMM_EINVAL.
 */
int vmm__take_struct(void *to, size_t size, const void *from);
/* The other way: fill as much of *@to as its size says. 0 or -VMM_EINVAL. */
int vmm__give_struct(void *to, const void *from, size_t size);

#endif

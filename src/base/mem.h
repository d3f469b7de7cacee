/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The only symbols that the freestanding library takes from whoever links it: compilers emit calls
 * to them whatever the flags. tests/freestanding checks that there are no others.
 */
#ifndef VMM_BASE_MEM_H
#define VMM_BASE_MEM_H

#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

#endif

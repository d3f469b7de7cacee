// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The four functions that compilers call: src/base/mem.h. The processor's string instructions do.
 */
#include "mem.h"

#include <stdint.h>

/* By words of 8 bytes, then what is left. */
void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	size_t words = n / 8, rest = n % 8;
	void *to = dst;

	__asm__ volatile("rep movsq; mov %3, %2; rep movsb"
			 : "+D"(to), "+S"(src), "+c"(words)
			 : "r"(rest)
			 : "memory");
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	if ((uintptr_t)dst - (uintptr_t)src >= n)
		return memcpy(dst, src, n);
	uint8_t *to = (uint8_t *)dst + n - 1;
	const uint8_t *from = (const uint8_t *)src + n - 1;

	__asm__ volatile("std; rep movsb; cld" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	const uint64_t word = (uint8_t)c * UINT64_C(0x0101010101010101);
	size_t words = n / 8, rest = n % 8;
	void *to = dst;

	__asm__ volatile("rep stosq; mov %3, %1; rep stosb"
			 : "+D"(to), "+c"(words)
			 : "a"(word), "r"(rest)
			 : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *p = a, *q = b;

	for (size_t i = 0; i < n; i++) {
		if (p[i] != q[i])
			return p[i] < q[i] ? -1 : 1;
	}
	return 0;
}

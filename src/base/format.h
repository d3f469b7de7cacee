/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Bounded text formatting without a libc, and the one way to leave a failure's detail. */
#ifndef VMM_BASE_FORMAT_H
#define VMM_BASE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "libvmm/error.h"

#if defined(__GNUC__)
#define VMM__PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define VMM__PRINTF(f, a)
#endif

/*
 * %s %c %% %d %u %x, and %lld %llu %llx for 64 bits; a width with or without a leading 0. Nothing
 * else: an unknown conversion ends the text. Always terminated if @size is not 0. Returns the
 * length the whole text has, as snprintf() does.
 */
size_t vmm__format(char *buf, size_t size, const char *fmt, ...) VMM__PRINTF(3, 4);
size_t vmm__vformat(char *buf, size_t size, const char *fmt, va_list ap) VMM__PRINTF(3, 0);

/*
 * Fill the detail of a failure and give its code: return vmm__fail(error, -VMM_EIO, "KVM_RUN",
 * errno, ...).
 * @code is negative; @error may be NULL. error->size is left alone.
 */
int vmm__fail(struct vmm_error *error, int code, const char *call, int64_t host_error,
	      const char *fmt, ...) VMM__PRINTF(5, 6);

#endif

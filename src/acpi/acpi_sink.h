/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Writing into the caller's buffer, or only counting: what libvmm/sink.h promises. */
#ifndef VMM_ACPI_SINK_H
#define VMM_ACPI_SINK_H

#include "libvmm/sink.h"

int vmm__sink_open(struct vmm_sink *s, void *buf, size_t cap);

/* Keeps the first error, and returns it. @code is positive. */
int vmm__sink_fail(struct vmm_sink *s, int code);

/* 0, the first error, or -VMM_ESTATE when not open. */
int vmm__sink_error(const struct vmm_sink *s);

/* Ends the run: the error, or the length and whether it had room. */
int vmm__sink_close(struct vmm_sink *s, size_t *len);

/* Each of these does nothing once an error is kept. */
void vmm__sink_put(struct vmm_sink *s, const void *data, size_t n);
void vmm__sink_zeros(struct vmm_sink *s, size_t n);
void vmm__sink_int(struct vmm_sink *s, uint64_t v, size_t width); /* little-endian, 1 to 8 bytes */

/* Counts @n bytes that another builder has put there. */
void vmm__sink_skip(struct vmm_sink *s, size_t n);

/* Moves what was written since @at and puts @n bytes there. */
void vmm__sink_insert(struct vmm_sink *s, size_t at, const void *data, size_t n);

/* Bytes written before, to be patched; NULL when measuring, overflowed or failed. */
uint8_t *vmm__sink_at(struct vmm_sink *s, size_t at, size_t n);

#endif

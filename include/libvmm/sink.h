/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/sink.h - The caller's buffer under every builder of tables (aml.h, acpi.h, smbios.h).
 *
 * A builder writes into a buffer that the caller owns and allocates nothing. Two things are common
 * to all of them:
 *
 * - With a NULL buffer it measures: every call does its checks and counts, nothing is written, and
 *   finishing gives the size that a second, identical run will need.
 * - A buffer that is too small makes finishing fail with -VMM_ESIZE, and gives the same size.
 *
 * Any other error is sticky: the first one is kept, later calls do nothing and return it, and so
 * does finishing. Callers may check each call, or only the last.
 */
#ifndef LIBVMM_SINK_H
#define LIBVMM_SINK_H

#include "libvmm/types.h"

/* In the caller's storage as a part of a builder; its fields belong to the builder. */
struct vmm_sink {
	uint8_t *buf;    /* NULL: measure only */
	size_t cap;      /* bytes at buf */
	size_t len;      /* bytes produced so far, also those that found no room */
	int32_t error;   /* first error, negative; running out of room is not among them */
	uint32_t opened; /* says that the builder was begun and not yet finished */
};

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Loads what a fuzzer made and checks all that vmm_image_load() promises. */
#ifndef TESTS_FUZZ_LOAD_CHECK_H
#define TESTS_FUZZ_LOAD_CHECK_H

#include "libvmm/loader.h"

/* @kind as in vmm_load_args. Two modules for kinds that take them, one for a bzImage. */
void load_check(const uint8_t *data, size_t len, uint32_t kind);

#endif

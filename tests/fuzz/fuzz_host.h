/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A host for what is fuzzed on one thread: a lock that is taken twice ends the program. */
#ifndef TESTS_FUZZ_HOST_H
#define TESTS_FUZZ_HOST_H

#include "libvmm/host.h"

extern const struct vmm_host fuzz_host;

/* What its clocks show. */
extern uint64_t fuzz_now_ns;

#endif

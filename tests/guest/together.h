/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Guests of different modes side by side: 16-bit, 32-bit, PAE and 64-bit. */
#ifndef TESTS_GUEST_TOGETHER_H
#define TESTS_GUEST_TOGETHER_H

#include "guest.h"

/*
 * Their machines exist at the same time: first all on this thread, one exit of each in turn, then
 * each on a thread of its own, so often. As TAP; how many failed.
 */
int run_together(struct vmm_ctx *ctx, const char *engine, uint32_t rounds,
		 bool (*as_expected)(const struct test *test, const char *trace));

#endif

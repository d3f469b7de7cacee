/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The machine under a guest: made, made again with the state of another, taken apart. */
#ifndef TESTS_GUEST_MACHINE_H
#define TESTS_GUEST_MACHINE_H

#include "guest.h"

#define PAGE_SIZE UINT64_C(0x1000)
#define ROM_SIZE  PAGE_SIZE

bool make_machine(struct run *run);
void destroy_machine(struct run *run);

/*
 * Destroy the machine and make one of the same configuration, which has run nothing: @restore puts
 * memory and state into it while it is paused. Then what the embedder had attached is attached
 * again. False: the trace says why.
 */
bool remake_machine(struct run *run, bool (*restore)(struct run *run, void *opaque), void *opaque);

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Given to the compiler before src/mmu's files, so that a test sees each store to a table as it is
 * made. */
#ifndef TESTS_MMU_STORED_H
#define TESTS_MMU_STORED_H

#include <stdint.h>

extern void (*stored_hook)(const uint64_t *slot);

#define VMM__PT_STORED(slot, value)        \
	do {                               \
		if (stored_hook)           \
			stored_hook(slot); \
	} while (0)

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A machine as bytes, that another engine can take up: all state classes of the API, memory, and
 * the place in its trace. The same on every engine; all numbers are little-endian.
 *
 *   magic "VMMSAVE\0", u32 version, u32 position, u64 length of all, u32 cpus, u32 bytes of name,
 *   the test's name; then records, each u32 kind, u32 bytes, and its bytes:
 *
 *   STATE    u32 vCPU or SAVE_VM, u32 class, u32 index, the class's structure
 *   MSR      u32 vCPU, u32 number, u32 flags, u64 value
 *   MAPPING  u32 object (0 RAM, 1 ROM), u32 protection, u64 gpa, u64 bytes, u64 offset
 *   PAGE     u32 object, u64 offset, the page's words as runs (save.c)
 *   TRACE    u32 vCPU, u32 exits, u32 answers, u32 bytes said, what is said, the trace so far
 *   END      nothing
 *
 * The length is a multiple of 8, with zeros behind the end, so that several files can stand one
 * after the other.
 */
#ifndef TESTS_GUEST_SAVE_H
#define TESTS_GUEST_SAVE_H

#include "guest.h"

struct bytes {
	uint8_t *data; /* to be freed */
	size_t len, room;
};

/* The machine stands still, and no exit is pending. False: the trace says why. */
bool save_machine(struct run *run, struct bytes *out);

/* Into a machine made anew (machine.h); the traces become those of the file. */
bool restore_machine(struct run *run, const uint8_t *data, size_t len);

struct save_head {
	char test[32];
	uint32_t position;
	size_t len;
};

/* The beginning of a file of which @room bytes are there. False: there is none. */
bool save_read_head(const uint8_t *data, size_t room, struct save_head *head);

/* Remember which MSRs have values of their own at power-on: what an engine does not have can be
 * left out if it still has that value. */
bool save_note_msrs(struct run *run);

#endif

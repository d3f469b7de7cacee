/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Moving a machine while its guest runs: at an exit its state is saved, the machine is destroyed,
 * and another one, which has run nothing, goes on from that state. The script of the test does not
 * notice.
 *
 * Where another engine goes on, in another program, the script has to come to the same place there:
 * so the test is run there from its beginning up to the same exit, and then its machine is replaced
 * by one with the state from the file.
 */
#ifndef TESTS_GUEST_MOVE_H
#define TESTS_GUEST_MOVE_H

#include "guest.h"

/* A model that KVM and SVM have where tests run, with AVX. */
#define MOVE_MODEL "x86-64-v3"

enum move {
	MOVE_NEVER, /* only count exits */
	MOVE_HERE,  /* to another machine of the same engine, one exit in @rate */
	MOVE_OUT,   /* tell the state at the exits @at, and go on */
	MOVE_IN     /* go on with the state of a file */
};

struct mover {
	enum move how;
	uint64_t seed;
	uint32_t rate;
	const uint32_t *at; /* OUT: ascending; IN: the file's own, one */
	size_t at_count;
	const uint8_t *file;
	size_t len;
	/* Results. */
	uint32_t moves;
	uint32_t exits;
	bool late;   /* it is time, but no exit since then was one to move at */
	bool failed; /* the trace says why */
};

/* The first vCPU is about to run: move, if it is time. True: there is one more exit instead. */
bool move_maybe(struct cpu *cpu);
/* Another vCPU has been paused: wait until the machine has moved. */
void move_wait(struct cpu *cpu);

/* A run over tests, told as TAP. */
struct move_plan {
	enum move how;
	uint64_t seed;
	uint32_t rate;        /* HERE */
	uint32_t count;       /* OUT: exits of each test */
	const uint8_t *files; /* IN: one after the other */
	size_t len;
	bool (*as_expected)(const struct test *test, const char *trace);
	bool (*chosen)(const struct test *test);
};

/* How many tests failed. */
int move_tests(struct vmm_ctx *ctx, const char *engine, const struct move_plan *plan);

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the runner of the guests takes from where it is, beside a few functions of the C library:
 * platform_linux.c, tests/bare/platform_bare.c.
 */
#ifndef TESTS_GUEST_PLATFORM_H
#define TESTS_GUEST_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

struct run;

/* NEEDS_ bits. */
uint32_t platform_has(void);

/* A test's time: vCPUs are kicked when it is over. */
void limit_begin(struct run *run);
void limit_end(void);
bool limit_reached(void);

/* NEEDS_THREADS */
struct task {
	uint64_t thread;
};
bool task_start(struct task *task, void *(*work)(void *), void *argument);
void *task_join(struct task *task);
void nap_us(uint32_t us);

/* NEEDS_EVENTS: events as the API takes them. */
uint64_t event_make(void);
void event_ring(uint64_t event);
uint64_t event_count(uint64_t event); /* since the last look */
void event_close(uint64_t event);

/* A line of output. */
void tell_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What is in use: files, pages of address space, and pages of memory. */
struct usage {
	int64_t files, size, own;
};
void usage_get(struct usage *usage);

#endif

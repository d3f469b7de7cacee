/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A host whose clocks a test sets, and what a device with a timer tells. */
#ifndef TESTS_CLOCK_HOST_H
#define TESTS_CLOCK_HOST_H

#include "dev_host.h"

struct clock_host {
	struct dev_host host;
	uint64_t ns;
	uint64_t wall_ns;
	uint64_t deadline;
	uint32_t level;
	uint32_t rises;
};

static inline uint64_t clock_time(void *opaque)
{
	return ((struct clock_host *)opaque)->ns;
}

static inline uint64_t clock_wall(void *opaque)
{
	return ((struct clock_host *)opaque)->wall_ns;
}

static inline void clock_irq(void *opaque, uint32_t level)
{
	struct clock_host *h = opaque;

	assert_true(level <= 1);
	h->rises += level != 0 && h->level == 0;
	h->level = level;
}

static inline void clock_timer(void *opaque, uint64_t deadline)
{
	((struct clock_host *)opaque)->deadline = deadline;
}

static inline void clock_host_init(struct clock_host *h)
{
	memset(h, 0, sizeof(*h));
	dev_host_init(&h->host);
	h->host.host.opaque = h;
	h->host.host.time_ns = clock_time;
	h->host.host.wall_ns = clock_wall;
	h->ns = 5000000000;
	h->deadline = VMM_FOREVER;
}

#endif

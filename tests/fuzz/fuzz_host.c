// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <stdlib.h>

#include "fuzz_host.h"

uint64_t fuzz_now_ns;

static void *host_alloc(void *opaque, size_t size, size_t align)
{
	(void)opaque;
	(void)align;
	return calloc(1, size);
}

static void host_free(void *opaque, void *ptr, size_t size)
{
	(void)opaque;
	(void)size;
	free(ptr);
}

static void host_wait(void *opaque, const uint32_t *word, uint32_t value, uint64_t timeout_ns)
{
	(void)opaque;
	(void)word;
	(void)value;
	(void)timeout_ns;
	abort();
}

static void host_wake(void *opaque, const uint32_t *word)
{
	(void)opaque;
	(void)word;
}

static uint64_t host_time(void *opaque)
{
	(void)opaque;
	return fuzz_now_ns;
}

const struct vmm_host fuzz_host = {
	.size = sizeof(fuzz_host),
	.alloc = host_alloc,
	.free = host_free,
	.wait = host_wait,
	.wake = host_wake,
	.time_ns = host_time,
	.wall_ns = host_time,
};

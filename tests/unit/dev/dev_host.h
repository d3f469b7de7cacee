/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A host for devices under test: its memory can run out, and its locks must not be taken twice. */
#ifndef TESTS_DEV_HOST_H
#define TESTS_DEV_HOST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libvmm/dev.h"

struct dev_host {
	struct vmm_host host;
	int allocs;
	int fail; /* alloc() has none */
};

static inline void *dev_host_alloc(void *opaque, size_t size, size_t align)
{
	struct dev_host *h = opaque;

	if (h->fail)
		return NULL;
	h->allocs++;
	return memset(aligned_alloc(align, (size + align - 1) / align * align), 0, size);
}

static inline void dev_host_free(void *opaque, void *ptr, size_t size)
{
	struct dev_host *h = opaque;

	h->allocs--;
	memset(ptr, 0xdd, size);
	free(ptr);
}

/* One thread runs these tests: whoever waits would wait for ever. */
static inline void dev_host_wait(void *opaque, const uint32_t *word, uint32_t value, uint64_t ns)
{
	(void)opaque;
	(void)word;
	(void)value;
	(void)ns;
	fail_msg("a lock is taken twice");
}

static inline void dev_host_wake(void *opaque, const uint32_t *word)
{
	(void)opaque;
	(void)word;
}

static inline uint64_t dev_host_time(void *opaque)
{
	(void)opaque;
	return 1234567;
}

static inline void dev_host_init(struct dev_host *h)
{
	memset(h, 0, sizeof(*h));
	h->host.size = sizeof(h->host);
	h->host.opaque = h;
	h->host.alloc = dev_host_alloc;
	h->host.free = dev_host_free;
	h->host.wait = dev_host_wait;
	h->host.wake = dev_host_wake;
	h->host.time_ns = dev_host_time;
}

static inline uint64_t dev_in(const struct vmm_region_ops *ops, void *dev, uint64_t offset,
			      uint32_t width)
{
	uint64_t value = 0x5a5a5a5a5a5a5a5a;

	assert_int_equal(ops->read(dev, NULL, offset, width, &value), 0);
	if (width < 8)
		assert_int_equal(value >> (8 * width), 0);
	return value;
}

static inline void dev_out(const struct vmm_region_ops *ops, void *dev, uint64_t offset,
			   uint32_t width, uint64_t value)
{
	assert_int_equal(ops->write(dev, NULL, offset, width, value), 0);
}

/* Accesses of every kind in a fixed order that looks random. */
static inline uint64_t dev_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1d;
}

static inline void dev_hammer(const struct vmm_region_ops *ops, void *dev, uint64_t len, int times)
{
	uint64_t state = 0x9e3779b97f4a7c15;

	while (times-- > 0) {
		uint32_t width = UINT32_C(1) << (dev_random(&state) % 4);
		uint64_t offset = dev_random(&state) % len;

		if (offset + width > len)
			continue;
		if (dev_random(&state) % 2 != 0)
			dev_out(ops, dev, offset, width,
				dev_random(&state) & (UINT64_MAX >> (64 - 8 * width)));
		else
			dev_in(ops, dev, offset, width);
	}
}

#endif

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Host services of a Linux process: libc and a handful of system calls, no state of its own. */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "libvmm/host.h"
#include "libvmm/linux.h"

/* What a second-level page table entry of x86-64 and of arm64 with 4 KiB granule maps. */
#define LARGE_PAGE (UINT64_C(2) << 20)

static void *host_alloc(void *opaque, size_t size, size_t align)
{
	void *ptr;

	(void)opaque;
	if (posix_memalign(&ptr, align < sizeof(void *) ? sizeof(void *) : align, size) != 0)
		return NULL;
	return memset(ptr, 0, size);
}

static void host_free(void *opaque, void *ptr, size_t size)
{
	(void)opaque;
	(void)size;
	free(ptr);
}

/*
 * Reserve more than is asked for, then give back what sticks out of the aligned part: mmap() itself
 * aligns to pages only. The size was rounded up to pages by the kernel, and so will be munmap()'s.
 */
static void *host_guest_alloc(void *opaque, uint64_t size, uint64_t align)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), room;
	uintptr_t base, start;
	void *ptr;

	(void)opaque;
	if (size >= LARGE_PAGE && align < LARGE_PAGE)
		align = LARGE_PAGE;
	if (align < page)
		align = page;
	if (size == 0 || size > UINT64_MAX - page || align > SIZE_MAX / 2)
		return NULL;
	size = (size + page - 1) & ~(page - 1);
	room = size + align - page;
	if (room < size || room > SIZE_MAX)
		return NULL;
	ptr = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		   -1, 0);
	if (ptr == MAP_FAILED)
		return NULL;
	base = (uintptr_t)ptr;
	start = (base + align - 1) & ~(uintptr_t)(align - 1);
	if (start != base)
		munmap(ptr, start - base);
	if (start + size != base + room)
		munmap((char *)ptr + (start - base + size), base + room - (start + size));
	ptr = (char *)ptr + (start - base);
	/* Advice: a kernel without large pages refuses it, and small ones do. */
	if (size >= LARGE_PAGE)
		madvise(ptr, size, MADV_HUGEPAGE);
	return ptr;
}

static void host_guest_free(void *opaque, void *ptr, uint64_t size)
{
	(void)opaque;
	munmap(ptr, size);
}

static uint64_t host_thread_id(void *opaque)
{
	(void)opaque;
	return (uint64_t)pthread_self();
}

static void host_wait(void *opaque, const uint32_t *word, uint32_t value, uint64_t timeout_ns)
{
	struct timespec limit = {
		.tv_sec = (time_t)(timeout_ns / 1000000000),
		.tv_nsec = (long)(timeout_ns % 1000000000),
	};

	(void)opaque;
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value,
		timeout_ns == VMM_FOREVER ? NULL : &limit, NULL, 0);
}

static void host_wake(void *opaque, const uint32_t *word)
{
	int saved = errno; /* may be called from a signal handler */

	(void)opaque;
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
	errno = saved;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t host_time_ns(void *opaque)
{
	(void)opaque;
	return clock_ns(CLOCK_MONOTONIC);
}

static uint64_t host_wall_ns(void *opaque)
{
	(void)opaque;
	return clock_ns(CLOCK_REALTIME);
}

static int host_entropy(void *opaque, void *buf, size_t len)
{
	char *p = buf;

	(void)opaque;
	while (len > 0) {
		ssize_t got = getrandom(p, len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -VMM_EIO;
		p += got;
		len -= (size_t)got;
	}
	return 0;
}

static int host_event_signal(void *opaque, uint64_t event)
{
	const uint64_t one = 1;

	(void)opaque;
	if (event > INT_MAX)
		return -VMM_EIO;
	for (;;) {
		if (write((int)event, &one, sizeof(one)) == (ssize_t)sizeof(one))
			return 0;
		if (errno == EAGAIN) /* its counter is full: it is signalled */
			return 0;
		if (errno != EINTR)
			return -VMM_EIO;
	}
}

/* One write, so that messages of several threads do not mix. */
static void host_log(void *opaque, uint32_t level, const char *text)
{
	static const char *const names[] = {"", "error", "warning", "info", "debug"};
	char line[512];
	int len;

	(void)opaque;
	len = snprintf(line, sizeof(line), "libvmm: %s: %s\n",
		       level <= VMM_LOG_DEBUG ? names[level] : "", text);
	if (len >= (int)sizeof(line)) {
		len = (int)sizeof(line);
		line[len - 1] = '\n';
	}
	/* Where messages cannot be written nothing can be said about it either. */
	if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0)
		return;
}

const struct vmm_host *vmm_linux_host(void)
{
	static const struct vmm_host host = {
		.size = sizeof(host),
		.alloc = host_alloc,
		.free = host_free,
		.guest_alloc = host_guest_alloc,
		.guest_free = host_guest_free,
		.thread_id = host_thread_id,
		.wait = host_wait,
		.wake = host_wake,
		.time_ns = host_time_ns,
		.wall_ns = host_wall_ns,
		.entropy = host_entropy,
		.event_signal = host_event_signal,
		.log = host_log,
	};

	return &host;
}

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Sleeping locks over the host's wait() and wake(), and a grace period for data that is read much
 * more often than it is changed.
 *
 * All atomics are sequentially consistent, and there are no fences: this is what race detectors
 * understand, and the run path has few of them.
 */
#ifndef VMM_BASE_SYNC_H
#define VMM_BASE_SYNC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "libvmm/host.h"

#if defined(__GNUC__)
#define VMM__LIKELY(x)   __builtin_expect(!!(x), 1)
#define VMM__UNLIKELY(x) __builtin_expect(!!(x), 0)
#define VMM__COLD        __attribute__((noinline, cold))
#define VMM__INLINE      inline __attribute__((always_inline)) /* also where size counts */
#else
#define VMM__LIKELY(x)   (x)
#define VMM__UNLIKELY(x) (x)
#define VMM__COLD
#define VMM__INLINE inline
#endif

/* Bytes that processors fetch together: what different CPUs write is kept this far apart. */
#define VMM__CACHE_LINE 64

_Static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t), "hosts wait on plain words");

static inline void vmm__wait(const struct vmm_host *host, const _Atomic uint32_t *word,
			     uint32_t value, uint64_t timeout_ns)
{
	const void *plain = word;
	host->wait(host->opaque, plain, value, timeout_ns);
}

static inline void vmm__wake(const struct vmm_host *host, const _Atomic uint32_t *word)
{
	const void *plain = word;
	host->wake(host->opaque, plain);
}

static inline uint64_t vmm__thread_id(const struct vmm_host *host)
{
	return host->thread_id(host->opaque);
}

/* Zeroed is unlocked. Not recursive, and not for signal handlers. */
struct vmm__mutex {
	_Atomic uint32_t word; /* 0 free, 1 held, 2 held and somebody may sleep */
};

void vmm__lock(const struct vmm_host *host, struct vmm__mutex *mutex);
void vmm__unlock(const struct vmm_host *host, struct vmm__mutex *mutex);

/*
 * Readers of published snapshots. A reader enters, loads a published pointer, uses what it points
 * to, and leaves; it never waits. A writer publishes another pointer, and then waits with
 * vmm__readers_wait() until nobody can use the old one.
 *
 * A reader counts itself in one of two counters of its slot, the one the epoch names. The writer
 * waits for both to be seen at zero: first for that which is not current (no new readers come to
 * it), then it moves the epoch and waits for the other one. A reader that counts itself after its
 * counter was seen at zero loads the pointer later still, and so finds the new one.
 */
struct vmm__reader_slot {
	_Alignas(VMM__CACHE_LINE) _Atomic uint32_t count[2];
};

struct vmm__readers {
	_Atomic uint32_t epoch;
	struct vmm__mutex lock; /* one writer waits at a time */
	uint32_t slot_count;
	struct vmm__reader_slot *slots; /* any may be used by any thread: it only costs time */
};

static inline _Atomic uint32_t *vmm__readers_enter(struct vmm__readers *readers, uint32_t slot)
{
	_Atomic uint32_t *count = &readers->slots[slot].count[atomic_load(&readers->epoch) & 1];
	atomic_fetch_add(count, 1);
	return count;
}

static inline void vmm__readers_leave(_Atomic uint32_t *count)
{
	atomic_fetch_sub(count, 1);
}

/* Not from within a reader's section. */
void vmm__readers_wait(const struct vmm_host *host, struct vmm__readers *readers);

#endif

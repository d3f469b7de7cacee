/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/host.h - Services that the library takes from where it runs.
 *
 * On Linux vmm_linux_host() (linux.h) gives a filled table. A firmware, kernel or bare-metal
 * embedder fills one itself. The library has no other way out: it calls no libc, keeps no global
 * and no thread-local state, and every object remembers the host it was made with.
 */
#ifndef LIBVMM_HOST_H
#define LIBVMM_HOST_H

#include "libvmm/types.h"

VMM_BEGIN_DECLS

#define VMM_LOG_ERROR 1
#define VMM_LOG_WARN  2
#define VMM_LOG_INFO  3
#define VMM_LOG_DEBUG 4

/* "No time limit" for wait(). */
#define VMM_FOREVER UINT64_MAX

/*
 * struct vmm_host.flags. NO_VECTORS: no code on CPUs that run vCPUs uses x87 or vector registers,
 * the embedder's and interrupt handlers included: an engine need not keep them for anybody. Bus
 * callbacks too are called with the guest's in the CPU, and no other vCPU runs there until they
 * return.
 */
#define VMM_HOST_NO_VECTORS (UINT32_C(1) << 0)

/* Most bytes of one phys_map(). */
#define VMM_PHYS_WINDOW 8192

/**
 * struct vmm_host - Host services.
 * @size:         sizeof(struct vmm_host) of the caller; the table grows at the end only, and what
 * an older caller left out counts as NULL.
 * @flags:        VMM_HOST_.
 * @opaque:       Handed back as the first argument of every call.
 *
 * @alloc:        @size bytes aligned to @align (a power of two), zeroed; NULL when there are none.
 *                Never called on the run path. Required.
 * @free:         Gives back what alloc() gave, with the same size. Required.
 * @guest_alloc:  Guest RAM: @size bytes aligned to @align, zeroed, which may be committed lazily;
 *                NULL when there are none. Absent: vmm_mem_create() gives -VMM_ENOTSUP.
 * @guest_free:   Gives back what guest_alloc() gave.
 * @thread_id:    A number other than 0 that names the calling thread or, where there are no
 * threads, the calling CPU, for as long as it lives. Required.
 * @wait:         Sleeps while *@word equals @value, until wake() on the same word or @timeout_ns
 *                nanoseconds have gone by (VMM_FOREVER: none). May return early for no reason; the
 *                caller looks again. The comparison and falling asleep are one step with respect to
 *                wake(), as with a futex. A host without threads returns after a pause. Required.
 * @wake:         Wakes all that wait on @word. Safe from where vmm_vcpu_kick() is. Looks at the
 *                address only: what stood there may be gone by then. Required.
 * @time_ns:      Monotonic time in nanoseconds. Required.
 * @wall_ns:      Time in nanoseconds since 1970-01-01 UTC. Absent: guests see a clock that starts
 * at 0.
 * @entropy:      Fills @len bytes with unpredictable values; 0 or -VMM_EIO. Absent: no entropy
 *                device and no seed is offered to guests.
 * @event_signal: Signals a host event object, which is an eventfd's file number on Linux; 0 or
 *                -VMM_EIO. Absent: doorbells and event-driven interrupts give -VMM_ENOTSUP.
 * @log:          One message, no newline, NUL-terminated, @level one of VMM_LOG_. May be called
 * from any thread, also under the library's locks, and must not call back. Absent: silent.
 *
 * The rest only a host gives that owns its CPUs (bare metal, firmware, a kernel). Engines that run
 * guests by the hardware's own means (SVM, VMX, EL2) need them, and say so when they are absent.
 * There alloc() gives physically contiguous memory that stays mapped, and thread_id() a number of
 * the CPU, which does not change while the library is being called.
 *
 * @virt_to_phys: Physical address of a byte in memory that alloc() gave.
 * @phys_alloc:   Guest RAM as physical memory: @size bytes, zeroed, physically contiguous, aligned
 *                to @align, and mapped nowhere; its address in *@pa. 0 or -VMM_ENOMEM. Where it is
 *                present, vmm_mem_create() takes it instead of guest_alloc().
 * @phys_free:    Gives back what phys_alloc() gave.
 * @phys_map:     A window on @len bytes (at most VMM_PHYS_WINDOW) of physical memory from @pa,
 *                which may begin anywhere in a page, of memory type VMM_MEMTYPE_ (mem.h). Good on
 *                the calling CPU, and until phys_unmap() there; at least twelve at a time, given
 *                back in reverse order. Never NULL for memory that phys_alloc() gave. Called on
 *                the run path: vmm_vcpu_run() keeps up to eight until it returns.
 * @phys_unmap:   Gives such a window back.
 * @cpu_call:     Runs fn(arg) on the CPU that thread_id() names @cpu, with interrupts off, and
 *                waits for its end; also for the calling CPU itself. 0 or -VMM_ENODEV.
 * @cpu_kick:     Interrupts that CPU, so that it leaves a guest; its handler does nothing else.
 *                Does not wait. May be called anywhere.
 * @cpu_timer:    Interrupts the calling CPU when time_ns() reaches @deadline_ns, or soon if it
 *                has, and from then on again, some 100 us apart, until it is called again or
 *                wait() is: the first may come when the CPU is about to enter a guest.
 *                VMM_FOREVER: not at all. Replaces what was set before.
 * @cpu_lend:     @on 1: the calling CPU's interrupts are a guest's from now on (partition.h). Its
 *                local APIC is the library's to program, its task priority blocks all interrupts,
 *                and the host's way in is the NMI: cpu_kick() and cpu_call() take it, the latter
 *                where they interrupt no lock of the host's own, and wait() and cpu_timer() do
 *                without interrupts. 0: the CPU is the host's again, its APIC as the host needs
 *                it; what was pending there, of whichever vector, is dropped before the CPU is
 *                lent again, and hurts nobody meanwhile. Absent: no dedicated vCPUs.
 * @cpu_timer_mark: When the calling CPU's timer has come due, its handler also sets @bits in
 * *@word, by an atomic OR, as does a wait() that the handler would come too late for. Replaces what
 * was set before there. With @bits 0 the word is no CPU's any more, and no handler uses it on
 * return; called once for each word. Absent: a vCPU that leaves the guest all the time may exceed
 * its slice.
 */
struct vmm_host {
	uint32_t size;
	uint32_t flags;
	void *opaque;
	void *(*alloc)(void *opaque, size_t size, size_t align);
	void (*free)(void *opaque, void *ptr, size_t size);
	void *(*guest_alloc)(void *opaque, uint64_t size, uint64_t align);
	void (*guest_free)(void *opaque, void *ptr, uint64_t size);
	uint64_t (*thread_id)(void *opaque);
	void (*wait)(void *opaque, const uint32_t *word, uint32_t value, uint64_t timeout_ns);
	void (*wake)(void *opaque, const uint32_t *word);
	uint64_t (*time_ns)(void *opaque);
	uint64_t (*wall_ns)(void *opaque);
	int (*entropy)(void *opaque, void *buf, size_t len);
	int (*event_signal)(void *opaque, uint64_t event);
	void (*log)(void *opaque, uint32_t level, const char *text);
	uint64_t (*virt_to_phys)(void *opaque, const void *ptr);
	int (*phys_alloc)(void *opaque, uint64_t size, uint64_t align, uint64_t *pa);
	void (*phys_free)(void *opaque, uint64_t pa, uint64_t size);
	void *(*phys_map)(void *opaque, uint64_t pa, uint32_t len, uint32_t memtype);
	void (*phys_unmap)(void *opaque, void *ptr, uint32_t len);
	int (*cpu_call)(void *opaque, uint64_t cpu, void (*fn)(void *arg), void *arg);
	void (*cpu_kick)(void *opaque, uint64_t cpu);
	void (*cpu_timer)(void *opaque, uint64_t deadline_ns);
	void (*cpu_lend)(void *opaque, uint32_t on);
	void (*cpu_timer_mark)(void *opaque, uint32_t *word, uint32_t bits);
};

VMM_END_DECLS

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The scheduler's objects.
 *
 *   struct vmm_sched
 *     +-- vmm__sched_cpu[]      a queue of those that can run, a queue of those that wait for a
 * time
 *     \-- vmm_sched_vcpu[]      places; they stay where they are, and are used again
 *
 * Locks: vmm_sched.lock (who is in it) > one CPU's lock. Nobody ever holds two CPUs' locks: a vCPU
 * that moves is taken out under one lock (state MOVING), and put in under the other. A vCPU's state
 * and all that is not atomic in it belong to the lock of the CPU that its @cpu names; who has
 * waited for that lock looks at @cpu again.
 *
 * Wake-ups come from anywhere, interrupts included, and take no lock. They set @woken, and the
 * vCPU's bit in a CPU's mailbox, and poke that CPU:
 *
 *   who wakes                          the CPU
 *   ---------                          -------
 *   woken = 1                          poked = 0
 *   its bit in mailbox                 take the mailbox; under the lock of each one's CPU:
 *   poked: 0 to 1?                       asleep: can run.   has a CPU: stays woken, does not sleep
 *     running? preempt it              decide; running = vCPU; its preemption is forgotten
 *     wake the CPU if it sleeps        poked? from the beginning
 *
 * Virtual time: a vCPU's @vtime goes on by the time that it has a CPU, slower with a greater
 * weight. Who has the least runs. One that wakes up is brought up to its CPU's @floor (the least
 * there) less one slice: it may catch up with what it did not use lately, and with no more.
 */
#ifndef VMM_SCHED_OBJECT_H
#define VMM_SCHED_OBJECT_H

#include "bits.h"
#include "libvmm/sched.h"
#include "mem.h"
#include "sched_queue.h"
#include "sync.h"

/* vmm_sched_vcpu.state */
#define SCHED_FREE      0 /* nobody's place */
#define SCHED_STOPPED   1
#define SCHED_BLOCKED   2 /* until it is woken */
#define SCHED_SLEEPING  3 /* until then, or its time: in timers */
#define SCHED_THROTTLED 4 /* until its cap lets it run: in timers */
#define SCHED_READY     5 /* in ready */
#define SCHED_RUNNING   6 /* the CPU's current */
#define SCHED_MOVING    7 /* from one CPU to another: about to be READY */

struct vmm_sched_vcpu {
	struct vmm_sched *sched;
	struct vmm_vcpu *vcpu;
	void *opaque;
	_Atomic uint32_t state; /* written under the lock of @cpu */
	_Atomic uint32_t cpu;   /* changes under the lock of what it is */
	_Atomic uint32_t woken; /* since it was last given out */
	_Atomic uint64_t cpus;  /* where it may run; changed under vmm_sched.lock */

	/* Under the lock of @cpu. */
	uint32_t at;   /* in the queue that it is in */
	uint32_t stop; /* it is to stop when its CPU asks */
	uint32_t weight;
	uint32_t cap; /* percent; 0: none */
	uint64_t vtime;
	uint64_t cap_ns;   /* when its cap lets it run */
	uint64_t ready_ns; /* since when it has been READY */
	struct vmm_sched_stats stats;
};

struct vmm__sched_cpu {
	/* Written by anybody. */
	_Alignas(VMM__CACHE_LINE) _Atomic uint32_t poked; /* there is news; the CPU sleeps on it */
	_Atomic uint32_t kicked;                          /* vmm_sched_kick() */
	_Atomic uint32_t pokers;                          /* who uses @running now */
	_Atomic(struct vmm_vcpu *) running; /* what it was given, or NULL; of the current only */
	_Atomic uint64_t *mailbox;          /* one bit a place */

	/* What others want to know before they take the lock. */
	_Alignas(VMM__CACHE_LINE) _Atomic uint32_t waiting; /* ready.count */
	_Atomic uint64_t head;                              /* the least vtime in ready */

	_Alignas(VMM__CACHE_LINE) struct vmm__mutex lock; /* of all below */
	uint64_t bit;                                     /* in masks of CPUs; never changes */
	struct vmm_sched_vcpu *current;
	struct vmm__sched_queue ready;  /* by vtime */
	struct vmm__sched_queue timers; /* by time */
	uint64_t since_ns;              /* current has been charged until then */
	uint64_t given_ns;              /* it was given the CPU */
	uint64_t until_ns;              /* its slice ends */
	uint64_t floor;
	_Atomic uint64_t thread; /* that asked last; 0: it does not ask */
};

struct vmm_sched {
	const struct vmm_host *host;
	uint32_t kind;
	uint32_t cpu_count;
	uint32_t room; /* places */
	uint64_t slice_ns;
	struct vmm__mutex lock; /* of who is in it */
	uint32_t count;
	_Atomic uint64_t asking;   /* CPUs that ask, one bit each */
	_Atomic uint64_t sleeping; /* of these, CPUs that have nobody to run */
	struct vmm__sched_cpu *cpu;
	struct vmm_sched_vcpu *place;
	void *storage; /* queues and mailboxes */
	size_t storage_bytes;
};

/* There is news for a CPU. From anywhere. */
void vmm__sched_poke(struct vmm_sched *sched, uint32_t cpu);
/* vmm_vcpu_on_wake()'s. */
void vmm__sched_wake(void *place, struct vmm_vcpu *vcpu);
/* Take the lock of a vCPU's CPU. */
struct vmm__sched_cpu *vmm__sched_lock(struct vmm_sched_vcpu *v);
/* It can run, on the CPU whose lock is held. */
void vmm__sched_make_ready(struct vmm_sched_vcpu *v, struct vmm__sched_cpu *cpu, uint64_t now);
/* Out of the queue that it is in, if any. */
void vmm__sched_take_out(struct vmm_sched_vcpu *v, struct vmm__sched_cpu *cpu);
/* The CPU's current has had it until now. */
void vmm__sched_take_off(struct vmm__sched_cpu *cpu, uint64_t now);
/* To there, if it is elsewhere. */
void vmm__sched_move(struct vmm_sched_vcpu *v);

static inline uint64_t vmm__sched_now(const struct vmm_sched *sched)
{
	return sched->host->time_ns(sched->host->opaque);
}

#endif

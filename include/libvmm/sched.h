/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/sched.h - Schedulers: which vCPU runs on which CPU, and for how long.
 *
 * For hosts whose CPUs the embedder owns: bare metal, firmware, a kernel, or threads that stand for
 * CPUs. A scheduler makes no threads and calls nobody back: each CPU asks it in a loop of the
 * embedder's.
 *
 *	for (;;) {
 *		if (vmm_sched_next(sched, cpu, exit, VMM_FOREVER, &place) != 0 || place == NULL)
 *			break;
 *		vm = vmm_sched_opaque(place);
 *		exit = &vm->exit;                  one for each vCPU: it may want an answer
 *		vmm_vcpu_run(vmm_sched_get_vcpu(place), exit);
 *		see to the exit; IDLE, PREEMPTED and PAUSED are the scheduler's
 *	}
 *
 * PARTITION gives each vCPU a CPU of its own, which sleeps while the vCPU is idle. CREDIT shares
 * CPUs: time is given by weight, what a vCPU may use at most is its cap, a slice ends by the timer,
 * and HLT and PAUSE give the CPU away. Time is the host's, from the moment a vCPU is given out to
 * the moment another one is: what the host does for a guest, its exits included, is the guest's own
 * time.
 *
 * Different schedulers share nothing. A CPU asks one of them at a time.
 */
#ifndef LIBVMM_SCHED_H
#define LIBVMM_SCHED_H

#include "libvmm/host.h"
#include "libvmm/vcpu.h"

VMM_BEGIN_DECLS

struct vmm_sched;      /* opaque */
struct vmm_sched_vcpu; /* opaque: a vCPU's place in a scheduler */

/* Kinds. */
#define VMM_SCHED_PARTITION 1 /* a vCPU owns a CPU */
#define VMM_SCHED_CREDIT    2 /* vCPUs share CPUs */

#define VMM_SCHED_CPUS_MAX 64

/**
 * struct vmm_sched_config - What a scheduler is made with.
 * @size:      sizeof(struct vmm_sched_config).
 * @kind:      VMM_SCHED_.
 * @cpus:      CPUs it gives out, 1 to VMM_SCHED_CPUS_MAX; they are numbered from 0.
 * @max_vcpus: Most vCPUs it will have, 1 to 4096.
 * @slice_ns:  CREDIT: how long a vCPU runs while others wait; 0: 5 ms. At least 50 us, at most 1 s.
 * @reserved:  0.
 */
struct vmm_sched_config {
	uint32_t size;
	uint32_t kind;
	uint32_t cpus;
	uint32_t max_vcpus;
	uint64_t slice_ns;
	uint64_t reserved;
};

/**
 * vmm_sched_create() - Make a scheduler.
 * @host:   Host services; must outlive it.
 * @config: What it is made with.
 * @sched:  Set to the scheduler.
 *
 * Context: Any thread; allocates.
 * Return: 0, -VMM_EINVAL, -VMM_ERANGE, -VMM_ENOMEM.
 */
VMM_API int vmm_sched_create(const struct vmm_host *host, const struct vmm_sched_config *config,
			     struct vmm_sched **sched);

/** vmm_sched_destroy() - NULL is allowed. Context: Any thread, while no CPU asks it. Return: 0,
 * -VMM_EBUSY (there are vCPUs in it). */
VMM_API int vmm_sched_destroy(struct vmm_sched *sched);

#define VMM_SCHED_WEIGHT_DEFAULT 256
#define VMM_SCHED_WEIGHT_MAX     65536

/**
 * struct vmm_sched_params - How a vCPU is scheduled.
 * @size:     sizeof(struct vmm_sched_params).
 * @weight:   CREDIT: its part, beside the weights of others; 1 to VMM_SCHED_WEIGHT_MAX; 0:
 *            VMM_SCHED_WEIGHT_DEFAULT.
 * @cap:      CREDIT: most it gets, in percent of one CPU, though it be free; 1 to 99, 0: no limit.
 * @reserved: 0.
 * @cpus:     CPUs it may run on, one bit each; 0: all. PARTITION: it gets the first of them that is
 *            free.
 */
struct vmm_sched_params {
	uint32_t size;
	uint32_t weight;
	uint32_t cap;
	uint32_t reserved;
	uint64_t cpus;
};

/**
 * vmm_sched_add() - Take a vCPU in.
 * @sched:  Scheduler.
 * @vcpu:   vCPU of a sealed VM that nobody runs; CREDIT: of an engine with VMM_CAP_SLICE.
 * @params: NULL: as if all were 0.
 * @opaque: For vmm_sched_opaque().
 * @place:  Set to its place.
 *
 * It is stopped: vmm_sched_start(). Its vmm_vcpu_on_wake() is the scheduler's from now on.
 *
 * Context: Any thread.
 * Return: 0, -VMM_EINVAL, -VMM_ERANGE (no such CPU), -VMM_EBUSY (PARTITION: no CPU is free),
 * -VMM_ELIMIT (too many vCPUs), -VMM_ENOTSUP (engine), -VMM_ESTATE (not sealed).
 */
VMM_API int vmm_sched_add(struct vmm_sched *sched, struct vmm_vcpu *vcpu,
			  const struct vmm_sched_params *params, void *opaque,
			  struct vmm_sched_vcpu **place);

/** vmm_sched_start() - Let it run. Context: Any thread. Return: 0. */
VMM_API int vmm_sched_start(struct vmm_sched_vcpu *place);

/**
 * vmm_sched_stop() - Let it run no more.
 * @place: vCPU's place.
 *
 * On return no CPU has it. A CPU that is inside vmm_vcpu_run() for it is fetched, and waited for
 * until it asks vmm_sched_next() again. Where another thread starts it meanwhile, it is waited for
 * until it is stopped again.
 *
 * Context: Any thread; a CPU may stop the vCPU that it has been given, between runs.
 * Return: 0, -VMM_ETIMEOUT (a CPU has not asked for a minute; it is stopped as soon as it does).
 */
VMM_API int vmm_sched_stop(struct vmm_sched_vcpu *place);

/**
 * vmm_sched_remove() - Stop it, and forget it.
 *
 * Nothing of the scheduler's stays with the vCPU: it has no slice, and nobody is told of its
 * wake-ups.
 *
 * Context: As vmm_sched_stop(). @place is not valid any more.
 * Return: 0, -VMM_ETIMEOUT (then it is still there).
 */
VMM_API int vmm_sched_remove(struct vmm_sched_vcpu *place);

/**
 * vmm_sched_set() - Change how it is scheduled, and where.
 *
 * One that runs where it may not any more leaves that CPU soon.
 *
 * Context: Any thread.
 * Return: 0, -VMM_EINVAL, -VMM_ERANGE, -VMM_EBUSY (PARTITION: no such CPU is free), -VMM_ETIMEOUT
 * (PARTITION, as vmm_sched_stop()).
 */
VMM_API int vmm_sched_set(struct vmm_sched_vcpu *place, const struct vmm_sched_params *params);

/** vmm_sched_get_vcpu() - The vCPU of a place. Context: Any. */
VMM_API struct vmm_vcpu *vmm_sched_get_vcpu(const struct vmm_sched_vcpu *place);

/** vmm_sched_opaque() - What vmm_sched_add() was given. Context: Any. */
VMM_API void *vmm_sched_opaque(const struct vmm_sched_vcpu *place);

/**
 * vmm_sched_next() - Whom this CPU runs now.
 * @sched:    Scheduler.
 * @cpu:      The CPU's number here.
 * @exit:     What the vCPU given out last came back with: IDLE and PAUSED put it to sleep,
 *            PREEMPTED lets others run, with anything else it goes on. NULL: it goes on.
 * @limit_ns: How long to sleep at most while there is nobody to run; VMM_FOREVER: no limit.
 * @place:    Set to the vCPU to run now, or to NULL: vmm_sched_kick(), or the limit.
 *
 * Decides only where there is something to decide. Then its work grows with the number of CPUs and
 * with the logarithm of the number of vCPUs, but for vCPUs that have come to wake up.
 *
 * Context: The CPU or thread that stands for @cpu, which is the same until vmm_sched_leave(); no
 * lock held, not from a callback. Does not allocate. Return: 0, -VMM_ERANGE (no such CPU).
 */
VMM_API int vmm_sched_next(struct vmm_sched *sched, uint32_t cpu, const struct vmm_exit *exit,
			   uint64_t limit_ns, struct vmm_sched_vcpu **place);

/**
 * vmm_sched_kick() - Make a CPU come back from vmm_sched_next() with no vCPU, once.
 *
 * A vCPU that it has been given is fetched, and waits for the next call. Sticky.
 *
 * Context: As vmm_vcpu_kick(); CPUs that do not exist are ignored.
 */
VMM_API void vmm_sched_kick(struct vmm_sched *sched, uint32_t cpu);

/**
 * vmm_sched_leave() - A CPU will not ask again for now.
 *
 * Its vCPUs go to others that they may run on and that do ask; the rest wait until one of these
 * asks, or it asks again.
 *
 * Context: The CPU or thread that stands for @cpu. Return: 0, -VMM_ERANGE.
 */
VMM_API int vmm_sched_leave(struct vmm_sched *sched, uint32_t cpu);

/**
 * struct vmm_sched_stats - What became of a vCPU in its scheduler.
 * @size:       sizeof(struct vmm_sched_stats), set by the caller.
 * @cpu:        CPU that it has, had last, or waits for.
 * @run_ns:     Time it had a CPU.
 * @wait_ns:    Longest that it had to wait for one while it could run.
 * @given:      Times it was given a CPU, other than going on.
 * @preempted:  Times it had to give its CPU away.
 * @yielded:    Times it gave its CPU away by PAUSE.
 * @idled:      Times it was idle (HLT) or paused.
 * @woken:      Times it was woken, by an interrupt, a kick or its own timer.
 * @throttled:  Times its cap kept it from running.
 * @moved:      Times it went to another CPU.
 */
struct vmm_sched_stats {
	uint32_t size;
	uint32_t cpu;
	uint64_t run_ns;
	uint64_t wait_ns;
	uint64_t given;
	uint64_t preempted;
	uint64_t yielded;
	uint64_t idled;
	uint64_t woken;
	uint64_t throttled;
	uint64_t moved;
};

/** vmm_sched_get_stats() - Context: Any thread. Return: 0, -VMM_EINVAL. */
VMM_API int vmm_sched_get_stats(struct vmm_sched_vcpu *place, struct vmm_sched_stats *stats);

VMM_END_DECLS

#endif

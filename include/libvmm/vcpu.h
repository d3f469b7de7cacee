/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/vcpu.h - Virtual CPUs: make, run, kick, complete.
 *
 * A vCPU runs on the thread (or CPU) that calls vmm_vcpu_run(), and at one at a time. The library
 * makes no threads.
 */
#ifndef LIBVMM_VCPU_H
#define LIBVMM_VCPU_H

#include "libvmm/exit.h"
#include "libvmm/vm.h"

VMM_BEGIN_DECLS

struct vmm_vcpu; /* opaque */

/* The vCPU owns the CPU that it runs on (partition.h); engines with VMM_CAP_DEDICATED, and
 * VMM_IRQCHIP_ARCH. */
#define VMM_VCPU_DEDICATED (UINT32_C(1) << 0)

/**
 * struct vmm_vcpu_config - What a vCPU is made with.
 * @size:    sizeof(struct vmm_vcpu_config).
 * @flags:   VMM_VCPU_.
 * @index:   From 0, below the VM's max_vcpus; each at most once.
 * @reserved: 0.
 * @arch_id: x86: APIC ID; Arm: MPIDR affinity.
 * @opaque:  The embedder's, handed back by vmm_vcpu_opaque().
 */
struct vmm_vcpu_config {
	uint32_t size;
	uint32_t flags;
	uint32_t index;
	uint32_t reserved;
	uint64_t arch_id;
	void *opaque;
};

/**
 * vmm_vcpu_create() - Add a vCPU to a VM that is not sealed.
 * @vm:     Machine; it owns the vCPU, which goes with vmm_vm_destroy().
 * @config: What it is made with.
 * @vcpu:   Set to the vCPU.
 *
 * Context: Any thread; allocates.
 * Return: 0, -VMM_EINVAL, -VMM_ERANGE (index or arch_id), -VMM_EEXIST (index or arch_id in use),
 * -VMM_ESTATE (sealed), -VMM_ENOTSUP (flags), -VMM_ELIMIT, -VMM_ENOMEM, -VMM_EIO.
 */
VMM_API int vmm_vcpu_create(struct vmm_vm *vm, const struct vmm_vcpu_config *config,
			    struct vmm_vcpu **vcpu);

/** vmm_vm_vcpu() - A VM's vCPU by index, or NULL. Context: Any. */
VMM_API struct vmm_vcpu *vmm_vm_vcpu(struct vmm_vm *vm, uint32_t index);

/** vmm_vcpu_vm() - The VM of a vCPU. Context: Any. */
VMM_API struct vmm_vm *vmm_vcpu_vm(struct vmm_vcpu *vcpu);

/** vmm_vcpu_index() - Its index. Context: Any. */
VMM_API uint32_t vmm_vcpu_index(const struct vmm_vcpu *vcpu);

/** vmm_vcpu_arch_id() - Its APIC ID or MPIDR affinity. Context: Any. */
VMM_API uint64_t vmm_vcpu_arch_id(const struct vmm_vcpu *vcpu);

/** vmm_vcpu_opaque() - The embedder's pointer of its configuration. Context: Any. */
VMM_API void *vmm_vcpu_opaque(const struct vmm_vcpu *vcpu);

/**
 * vmm_vcpu_run() - Run the guest until there is something the embedder must see.
 * @vcpu: vCPU of a sealed VM; not checked for NULL.
 * @exit: Not checked for NULL. In: where the last exit wanted an answer, that answer (data, and
 * flags for FAIL): hand in the same structure, changed or not. Out: the exit.
 *
 * Accesses that a bus region claims, short holds while memory is remapped, and spurious wake-ups
 * are handled inside. Does not allocate.
 *
 * Context: The caller's own thread or CPU, no lock held, not from a callback.
 * Return: 0 with *@exit filled; -VMM_EBUSY (somebody else runs it, or accesses its state, or this
 * thread is inside a callback of it; in a paused VM accesses are waited for); -VMM_ESTATE (VM not
 * sealed); -VMM_EIO (see vmm_vcpu_error()). After a failure a pending exit is still pending.
 */
VMM_API int vmm_vcpu_run(struct vmm_vcpu *vcpu, struct vmm_exit *exit);

/**
 * vmm_vcpu_complete() - Answer the pending exit without running on.
 * @vcpu: vCPU that does not run and has a pending exit.
 * @exit: As in vmm_vcpu_run(). Out: where the instruction has one more element, that exit;
 * otherwise unchanged.
 *
 * Afterwards the instruction is finished and state can be read and written.
 *
 * Context: Any thread, while nobody runs the vCPU.
 * Return: 0 (nothing is pending any more), -VMM_EPENDING (*@exit is the next element, and is
 * pending), -VMM_ESTATE (nothing was pending), -VMM_EBUSY, -VMM_EIO.
 */
VMM_API int vmm_vcpu_complete(struct vmm_vcpu *vcpu, struct vmm_exit *exit);

/**
 * vmm_vcpu_kick() - Make a vCPU come back.
 * @vcpu: vCPU, running or not.
 *
 * Sticky: a vCPU that is not running returns VMM_EXIT_KICKED from its next vmm_vcpu_run() before it
 * executes anything. Any number of kicks until then are one. A pending exit is completed first.
 *
 * Context: Any thread, under any lock, from signal handlers and interrupts.
 */
VMM_API void vmm_vcpu_kick(struct vmm_vcpu *vcpu);

/**
 * vmm_vcpu_wait() - Sleep after VMM_EXIT_IDLE until there is something to run.
 * @vcpu:        vCPU that does not run.
 * @deadline_ns: The exit's data, or earlier: time on the host's monotonic clock.
 *
 * Ends with an interrupt for the vCPU, a kick, a pause or hold, at the deadline, and perhaps early:
 * run it again.
 *
 * Context: The caller's own thread or CPU, no lock held, not from a callback.
 * Return: 0, -VMM_EBUSY, -VMM_ESTATE (not sealed), -VMM_ENOTSUP (engines that never give IDLE).
 */
VMM_API int vmm_vcpu_wait(struct vmm_vcpu *vcpu, uint64_t deadline_ns);

/*
 * For schedulers (sched.h), and for who wants to be one: when a vCPU gives its CPU back, and when
 * it has something to do again.
 */

/* Flags of vmm_vcpu_set_slice(). */
#define VMM_SLICE_PAUSE                                                           \
	(UINT32_C(1) << 0) /* PAUSE (x86) ends the slice, where the processor can \
			    */

/**
 * vmm_vcpu_set_slice() - Say how long a vCPU may run.
 * @vcpu:        vCPU of an engine with VMM_CAP_SLICE that does not run.
 * @deadline_ns: Time on the host's monotonic clock from which on vmm_vcpu_run() comes back with
 *               VMM_EXIT_PREEMPTED, as soon as the guest has been left; VMM_FOREVER: no limit.
 * @flags:       VMM_SLICE_.
 *
 * It stays until it is set anew, and a vmm_vcpu_preempt() made before is forgotten. What the guest
 * does and how often it is left does not put it off; the embedder's own work does.
 *
 * Context: The thread or CPU that runs the vCPU, between runs.
 * Return: 0, -VMM_EINVAL (flags), -VMM_ENOTSUP, -VMM_ESTATE (not sealed), -VMM_EBUSY.
 */
VMM_API int vmm_vcpu_set_slice(struct vmm_vcpu *vcpu, uint64_t deadline_ns, uint32_t flags);

/**
 * vmm_vcpu_preempt() - As vmm_vcpu_kick(), with VMM_EXIT_PREEMPTED and in the same sticky way.
 *
 * Does not wake a vCPU that nobody runs. Context: As vmm_vcpu_kick().
 */
VMM_API void vmm_vcpu_preempt(struct vmm_vcpu *vcpu);

/**
 * vmm_vcpu_on_wake() - Be told when a vCPU that nobody runs has something to do.
 * @vcpu:   vCPU.
 * @wake:   Called after VMM_EXIT_IDLE when an interrupt, NMI, INIT or start-up has come for it (its
 *          deadline is the caller's matter), after VMM_EXIT_PAUSED when the VM is resumed, and for
 *          vmm_vcpu_kick(). It may also be called for no reason, and by several at once. NULL: not
 *          any more.
 * @opaque: For the callback.
 *
 * What comes before the exit has been given back is told too. The callback may be called on any
 * thread or CPU, under any lock of the library's or a device's, and from signal handlers and
 * interrupts; it neither waits nor allocates, and calls nothing but what allows such callers.
 *
 * Context: Any thread; not from the callback. On return no former callback is under way.
 * Return: 0, -VMM_EINVAL.
 */
VMM_API int vmm_vcpu_on_wake(struct vmm_vcpu *vcpu,
			     void (*wake)(void *opaque, struct vmm_vcpu *vcpu), void *opaque);

/** vmm_vcpu_error() - Detail of the last failure on a vCPU; as vmm_ctx_error(). */
VMM_API int vmm_vcpu_error(struct vmm_vcpu *vcpu, struct vmm_error *error);

/**
 * struct vmm_vcpu_stats - Exits by reason since creation or vmm_vcpu_stats_clear().
 * @size:     sizeof(struct vmm_vcpu_stats), set by the caller.
 * @reserved: 0.
 * @returned: Exits handed to the embedder (heavyweight), by VMM_EXIT_.
 * @handled:  Exits that the library handled and went on from (lightweight), by VMM_EXIT_.
 * @entries:  Times the engine was entered.
 *
 * What an engine below handles by itself (CPUID under KVM, say) is not seen here.
 */
struct vmm_vcpu_stats {
	uint32_t size;
	uint32_t reserved;
	uint64_t returned[VMM_EXIT_REASONS];
	uint64_t handled[VMM_EXIT_REASONS];
	uint64_t entries;
};

/** vmm_vcpu_get_stats() - Context: Any thread; a running vCPU's numbers may lag. Return: 0,
 * -VMM_EINVAL. */
VMM_API int vmm_vcpu_get_stats(struct vmm_vcpu *vcpu, struct vmm_vcpu_stats *stats);

/** vmm_vcpu_stats_clear() - Count from 0 again. Context: Any thread while it does not run. Return:
 * 0, -VMM_EBUSY. */
VMM_API int vmm_vcpu_stats_clear(struct vmm_vcpu *vcpu);

VMM_END_DECLS

#endif

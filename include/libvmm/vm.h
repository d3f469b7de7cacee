/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/vm.h - A virtual machine: configure, seal, run, reset, destroy.
 *
 * Before sealing, the vCPUs are made and the CPU model, filters and interrupt controller are
 * chosen. Sealing checks all of it at once and fixes it. Memory, bus regions and interrupt routes
 * come and go at any time.
 *
 * Lock order, outermost first: VM configuration (map, seal, pause) > a device's own lock >
 * interrupt controller > vCPU. So raising an interrupt and kicking are allowed under a device's
 * lock, mapping memory is not.
 */
#ifndef LIBVMM_VM_H
#define LIBVMM_VM_H

#include "libvmm/ctx.h"

VMM_BEGIN_DECLS

struct vmm_vm; /* opaque */

/* Interrupt controller. */
#define VMM_IRQCHIP_NONE 0 /* the embedder injects, with interrupt-window exits */
#define VMM_IRQCHIP_ARCH                                                                \
	1 /* the architecture's own (x86: local APICs and one IOAPIC at 0xfec00000 with \
	   * 24 pins), by the library: where it runs is the engine's matter */

/* What happens to the guest's clock while the VM is paused. */
#define VMM_CLOCK_RUNS  0 /* TSC and paravirtual clock go on: the guest sees a jump */
#define VMM_CLOCK_STOPS 1 /* both stand still, where the engine has VMM_CAP_TSC_SET and _CLOCK */

/*
 * Flags of struct vmm_vm_config.
 * EXIT_PC:       exits carry pc; costs a host request on KVM.
 * EXIT_INSN_LEN: exits carry insn_len where the engine knows it.
 * EXIT_HLT:      HLT exits although the interrupt controller is ARCH.
 * PIC:           x86, with VMM_IRQCHIP_ARCH: a PC's pair of 8259s as well, at ports 0x20, 0xa0 and
 *                0x4d0 (ELCR), 2 of each. Lines 0 to 15 but 2 are their inputs too, and their
 *                output is LINT0 of the APICs: vCPU 0's is in ExtINT mode from reset on.
 * IPI_DIRECT:    dedicated vCPUs send interrupts to others without exits, once the VM has settled
 *                (partition.h). Where they go is not checked, and may be any CPU of the machine:
 *                for guests that are trusted.
 */
#define VMM_VM_EXIT_PC       (UINT32_C(1) << 0)
#define VMM_VM_EXIT_INSN_LEN (UINT32_C(1) << 1)
#define VMM_VM_EXIT_HLT      (UINT32_C(1) << 2)
#define VMM_VM_PIC           (UINT32_C(1) << 3)
#define VMM_VM_IPI_DIRECT    (UINT32_C(1) << 4)

/**
 * struct vmm_vm_config - What a VM is made with.
 * @size:      sizeof(struct vmm_vm_config).
 * @flags:     VMM_VM_.
 * @engine:    Name of the engine, or NULL for the context's first usable one.
 * @irqchip:   VMM_IRQCHIP_.
 * @max_vcpus: Most vCPUs it will have, at least 1.
 * @clock:     VMM_CLOCK_.
 * @reserved:  0.
 * @engine_config: What the engine itself documents (struct vmm_sim_script for sim), else NULL.
 */
struct vmm_vm_config {
	uint32_t size;
	uint32_t flags;
	const char *engine;
	uint32_t irqchip;
	uint32_t max_vcpus;
	uint32_t clock;
	uint32_t reserved;
	const void *engine_config;
};

/**
 * vmm_vm_create() - Make a VM without memory and vCPUs.
 * @ctx:    Context it belongs to.
 * @config: What it is made with; not needed afterwards.
 * @vm:     Set to the VM on success, to NULL on failure.
 *
 * Context: Any thread; allocates. The detail of a failure is in vmm_ctx_error().
 * Return: 0, -VMM_EINVAL, -VMM_ENOENT (engine), -VMM_ENOTSUP (flag or controller), -VMM_ENODEV,
 * -VMM_EPERM, -VMM_ELIMIT, -VMM_ENOMEM, -VMM_EIO.
 */
VMM_API int vmm_vm_create(struct vmm_ctx *ctx, const struct vmm_vm_config *config,
			  struct vmm_vm **vm);

/**
 * vmm_vm_seal() - Check the whole configuration and fix it.
 * @vm: Machine with at least one vCPU.
 *
 * A CPU model the engine cannot give is refused here, with the first missing feature named in the
 * detail. After a failure the VM is as it was and can be mended and sealed again.
 *
 * Context: Any thread; allocates.
 * Return: 0, -VMM_ESTATE (sealed already, or no vCPU), -VMM_ENOTSUP, -VMM_EINVAL, -VMM_ENOMEM,
 * -VMM_EIO.
 */
VMM_API int vmm_vm_seal(struct vmm_vm *vm);

/**
 * vmm_vm_reset() - Bring all vCPUs and the interrupt controller to their power-on state.
 * @vm: Sealed machine; no vCPU is running.
 *
 * Pending exits, kicks and events are dropped. Memory, bus regions, routes, filters and the CPU
 * model stay. On x86, vCPU 0 waits at the reset vector and the others for a start-up IPI (with
 * VMM_IRQCHIP_NONE every vCPU is runnable).
 *
 * Context: Any thread.
 * Return: 0, -VMM_ESTATE (not sealed), -VMM_EBUSY (a vCPU runs), -VMM_EIO.
 */
VMM_API int vmm_vm_reset(struct vmm_vm *vm);

/**
 * vmm_vm_destroy() - Take a VM apart, with its vCPUs, regions and mappings.
 * @vm: Machine, or NULL.
 *
 * References to memory objects are dropped. Pending exits are discarded.
 *
 * Context: Any thread; nobody else uses the VM, its vCPUs or regions any more.
 * Return: 0, -VMM_EBUSY while a vCPU runs (kick it and wait); then nothing has changed.
 */
VMM_API int vmm_vm_destroy(struct vmm_vm *vm);

/**
 * vmm_vm_pause() - Stop every vCPU at a boundary between instructions.
 * @vm: Sealed machine.
 *
 * When it returns, no vCPU is in the guest, and those that run return VMM_EXIT_PAUSED. Pauses nest:
 * each needs one vmm_vm_resume(). The clock behaves as the configuration says.
 *
 * Context: Any thread but one that is inside vmm_vcpu_run() of this VM (a bus callback, say).
 * Return: 0, -VMM_ESTATE (not sealed, or called from a bus callback), -VMM_EIO.
 */
VMM_API int vmm_vm_pause(struct vmm_vm *vm);

/**
 * vmm_vm_resume() - Undo one vmm_vm_pause().
 * @vm: Paused machine.
 *
 * Context: Any thread.
 * Return: 0, -VMM_ESTATE (not paused), -VMM_EIO.
 */
VMM_API int vmm_vm_resume(struct vmm_vm *vm);

/**
 * vmm_vm_wait_resumed() - Sleep while the VM is paused.
 * @vm:         Machine.
 * @timeout_ns: Limit in nanoseconds, or VMM_FOREVER.
 *
 * For a thread whose vmm_vcpu_run() returned VMM_EXIT_PAUSED.
 *
 * Context: Any thread that may sleep.
 * Return: 0, -VMM_ETIMEOUT.
 */
VMM_API int vmm_vm_wait_resumed(struct vmm_vm *vm, uint64_t timeout_ns);

/**
 * vmm_vm_on_alarm() - Have a callback made when its time has come, by vCPU 0.
 * @vm:     Machine that is not sealed.
 * @alarm:  Called inside vmm_vcpu_run() of vCPU 0, without a lock of the library's and with the
 *          guest left, once for each vmm_vm_set_alarm(). Not from other callbacks. What it may do
 *          is what a bus callback may.
 * @opaque: For the callback.
 *
 * For devices with timers where there are no threads that could wait for them: engines of
 * privileged hosts leave the guest for it, and give it as the deadline of VMM_EXIT_IDLE. Others
 * have no VMM_CAP_ALARM: there a thread of the embedder's waits.
 *
 * Context: Any thread.
 * Return: 0, -VMM_EINVAL, -VMM_ENOTSUP (no VMM_CAP_ALARM), -VMM_ESTATE (sealed).
 */
VMM_API int vmm_vm_on_alarm(struct vmm_vm *vm, void (*alarm)(void *opaque), void *opaque);

/**
 * vmm_vm_set_alarm() - Say when.
 * @vm:          Machine with a callback.
 * @deadline_ns: On the host's monotonic clock; VMM_FOREVER: not at all. Replaces what was set
 *               before. The callback comes then or later, as vCPU 0 is run.
 *
 * Context: Any thread, under any device lock; one call at a time.
 */
VMM_API void vmm_vm_set_alarm(struct vmm_vm *vm, uint64_t deadline_ns);

/** vmm_vm_cap() - As vmm_ctx_cap(), for the VM's engine and configuration. Return: 0, -VMM_EINVAL.
 */
VMM_API int vmm_vm_cap(struct vmm_vm *vm, uint32_t cap, uint64_t *value);

/** vmm_vm_engine() - Name of the VM's engine, a static string. Context: Any. */
VMM_API const char *vmm_vm_engine(struct vmm_vm *vm);

/** vmm_vm_error() - Detail of the last failure on a VM; as vmm_ctx_error(). */
VMM_API int vmm_vm_error(struct vmm_vm *vm, struct vmm_error *error);

VMM_END_DECLS

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/irq.h - Interrupts: lines, messages, injection.
 *
 * With VMM_IRQCHIP_ARCH use lines and messages; the controller does the rest. With VMM_IRQCHIP_NONE
 * the embedder is the controller: it injects into a vCPU, and asks for a window when the guest
 * cannot take an interrupt now.
 */
#ifndef LIBVMM_IRQ_H
#define LIBVMM_IRQ_H

#include "libvmm/vcpu.h"

VMM_BEGIN_DECLS

/**
 * vmm_vm_irq_line() - Drive an interrupt line.
 * @vm:    Machine with VMM_IRQCHIP_ARCH.
 * @gsi:   Global system interrupt; x86: the IOAPIC's pin, 0 to 23, and with VMM_VM_PIC the 8259s'.
 * @level: 1 raised, 0 lowered. An edge is a 1 followed by a 0.
 *
 * Context: Any thread, under any device lock; not from signal handlers.
 * Return: 0, -VMM_ERANGE, -VMM_ENOTSUP (VMM_IRQCHIP_NONE), -VMM_ESTATE (not sealed), -VMM_EIO.
 */
VMM_API int vmm_vm_irq_line(struct vmm_vm *vm, uint32_t gsi, uint32_t level);

/**
 * vmm_vm_msi() - Send a message-signalled interrupt.
 * @vm:        Machine with VMM_IRQCHIP_ARCH.
 * @addr:      Message address, 0xfee..... on x86.
 * @data:      Message data.
 * @device_id: Requester ID of the sender, for controllers that remap; else 0.
 *
 * Context: As vmm_vm_irq_line().
 * Return: 0, -VMM_EINVAL (no interrupt message), -VMM_ENOTSUP, -VMM_ESTATE, -VMM_EIO.
 */
VMM_API int vmm_vm_msi(struct vmm_vm *vm, uint64_t addr, uint32_t data, uint32_t device_id);

struct vmm_irq_event; /* opaque */

/* Flags of struct vmm_irq_event_config. */
#define VMM_IRQ_EVENT_MSI (UINT32_C(1) << 0) /* send addr/data; else pulse or hold gsi */
#define VMM_IRQ_EVENT_RESAMPLE \
	(UINT32_C(1) << 1) /* level: lowered at EOI, and @resample signalled */

/**
 * struct vmm_irq_event_config - An interrupt raised by a host event.
 * @size:      sizeof(struct vmm_irq_event_config).
 * @flags:     VMM_IRQ_EVENT_.
 * @event:     Host event object (Linux: eventfd) which raises it; the caller's, must outlive it.
 * @resample:  Event signalled at the guest's EOI; with RESAMPLE only.
 * @gsi:       Line, without MSI.
 * @device_id: Requester ID, with MSI.
 * @addr:      Message address, with MSI.
 * @data:      Message data, with MSI.
 * @reserved:  0.
 */
struct vmm_irq_event_config {
	uint32_t size;
	uint32_t flags;
	uint64_t event;
	uint64_t resample;
	uint32_t gsi;
	uint32_t device_id;
	uint64_t addr;
	uint32_t data;
	uint32_t reserved;
};

/**
 * vmm_irq_event_attach() - Let a host event raise an interrupt, past the VMM.
 * @vm:     Sealed machine with VMM_IRQCHIP_ARCH.
 * @config: Event and interrupt.
 * @event:  Set to the attachment.
 *
 * Context: Any thread; allocates.
 * Return: 0, -VMM_EINVAL, -VMM_ERANGE, -VMM_EEXIST, -VMM_ENOTSUP (no VMM_CAP_EVENT_IRQ),
 * -VMM_ESTATE, -VMM_ELIMIT, -VMM_ENOMEM, -VMM_EIO.
 */
VMM_API int vmm_irq_event_attach(struct vmm_vm *vm, const struct vmm_irq_event_config *config,
				 struct vmm_irq_event **event);

/** vmm_irq_event_detach() - NULL is allowed. Context: Any thread, not from a callback. */
VMM_API void vmm_irq_event_detach(struct vmm_irq_event *event);

/* What vmm_vcpu_inject() injects. */
#define VMM_INJECT_INTERRUPT 1 /* external interrupt @vector; VMM_IRQCHIP_NONE only */
#define VMM_INJECT_NMI       2 /* x86 NMI; held while NMIs are blocked */
#define VMM_INJECT_EXCEPTION 3 /* exception @vector, with @error_code if VMM_INJECT_F_ERROR */

#define VMM_INJECT_F_ERROR (UINT32_C(1) << 0)

/**
 * vmm_vcpu_inject() - Put an event in front of the guest's next instruction.
 * @vcpu:       vCPU that does not run and has no pending exit.
 * @kind:       VMM_INJECT_.
 * @vector:     Vector, 0 to 255; exceptions 0 to 31.
 * @flags:      VMM_INJECT_F_.
 * @error_code: With F_ERROR.
 *
 * An interrupt needs an open window (IF set, no shadow, nothing else being injected): otherwise
 * -VMM_EBUSY; ask for a window and try again. NMIs from any thread: -VMM_EBUSY is not given for
 * them.
 *
 * Context: The thread that runs the vCPU, between runs; NMI: any thread.
 * Return: 0, -VMM_EINVAL, -VMM_ESTATE (pending exit, not sealed), -VMM_EBUSY, -VMM_ENOTSUP
 * (interrupt with VMM_IRQCHIP_ARCH), -VMM_EIO.
 */
VMM_API int vmm_vcpu_inject(struct vmm_vcpu *vcpu, uint32_t kind, uint32_t vector, uint32_t flags,
			    uint32_t error_code);

/**
 * vmm_vcpu_request_window() - Ask for VMM_EXIT_IRQ_WINDOW when an interrupt can be taken.
 * @vcpu: vCPU of a machine with VMM_IRQCHIP_NONE.
 * @on:   1 ask, 0 withdraw. The exit withdraws it too.
 *
 * Context: The thread that runs the vCPU, between runs.
 * Return: 0, -VMM_EBUSY, -VMM_ENOTSUP.
 */
VMM_API int vmm_vcpu_request_window(struct vmm_vcpu *vcpu, uint32_t on);

VMM_END_DECLS

#endif

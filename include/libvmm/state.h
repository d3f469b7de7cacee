/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/state.h - Reading and writing architectural state.
 *
 * State is the architecture's, not an engine's: what one engine gives, another takes. Each class is
 * one structure of fixed layout, little-endian on every host, whose numbers never change; it can be
 * stored as it is. x86 classes are in x86.h.
 *
 * To save a machine: pause it (with VMM_CLOCK_STOPS time stands still too), complete what is
 * pending (vmm_vcpu_complete()), read all classes and memory; x86: of each vCPU MP first, because
 * an engine may act on an INIT now to be able to tell. To restore: make a machine of the same
 * configuration, seal and pause it, write memory and state, and resume. x86, in this order: the
 * VM's CLOCK, IOAPIC and PIC, then of each vCPU REGS, SYS, XSAVE, DEBUG, TSC, LAPIC, MSRS (with
 * IA32_TSC_DEADLINE), EVENTS, MP. What an engine has not may be left out if it has its value of
 * power-on. Lines that devices hold up, windows asked for, debugging and dirty tracking are the
 * embedder's, to be asked for again.
 */
#ifndef LIBVMM_STATE_H
#define LIBVMM_STATE_H

#include "libvmm/vcpu.h"

VMM_BEGIN_DECLS

/**
 * vmm_vcpu_get_state() - Read one class of a vCPU's state.
 * @vcpu:  vCPU of a sealed VM, not running, without a pending exit.
 * @cls:   VMM_STATE_.
 * @index: What the class says, else 0.
 * @buf:   The class's structure.
 * @size:  Bytes of @buf, exactly the class's size (vmm_vcpu_state_size()).
 *
 * Context: Any thread, while nobody runs the vCPU.
 * Return: 0, -VMM_EINVAL (class), -VMM_ESIZE, -VMM_ENOENT (index), -VMM_ENOTSUP (not on this
 * engine), -VMM_ESTATE (pending exit, not sealed), -VMM_EBUSY, -VMM_EIO.
 */
VMM_API int vmm_vcpu_get_state(struct vmm_vcpu *vcpu, uint32_t cls, uint32_t index, void *buf,
			       size_t size);

/**
 * vmm_vcpu_set_state() - Write one class of a vCPU's state.
 *
 * As vmm_vcpu_get_state(); also -VMM_ERANGE for values the architecture or the engine refuses; then
 * the class is as it was, as far as the engine allows: the detail names what was refused.
 */
VMM_API int vmm_vcpu_set_state(struct vmm_vcpu *vcpu, uint32_t cls, uint32_t index, const void *buf,
			       size_t size);

/**
 * vmm_vcpu_state_size() - Size of a class in bytes.
 * @vcpu:  vCPU.
 * @cls:   VMM_STATE_.
 * @index: As in vmm_vcpu_get_state().
 * @size:  Set to the size; for VMM_STATE_X86_MSRS to that of one element.
 *
 * Context: Any.
 * Return: 0, -VMM_EINVAL, -VMM_ENOENT.
 */
VMM_API int vmm_vcpu_state_size(struct vmm_vcpu *vcpu, uint32_t cls, uint32_t index, size_t *size);

/**
 * vmm_vm_get_state() - Read one class of a VM's state, such as its IOAPIC's.
 *
 * As vmm_vcpu_get_state(), with every vCPU outside the guest or the VM paused.
 */
VMM_API int vmm_vm_get_state(struct vmm_vm *vm, uint32_t cls, uint32_t index, void *buf,
			     size_t size);

/** vmm_vm_set_state() - Write one class of a VM's state; as vmm_vcpu_set_state(). */
VMM_API int vmm_vm_set_state(struct vmm_vm *vm, uint32_t cls, uint32_t index, const void *buf,
			     size_t size);

VMM_END_DECLS

#endif

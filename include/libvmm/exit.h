/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/exit.h - Why a vCPU came back.
 *
 * One structure for every architecture and engine, plain fixed-width fields. Reasons are unique
 * across architectures and are never numbered anew. One exit is one element of at most 8 bytes: REP
 * INSB of 100 bytes is 100 exits, and so is a 16-byte MMIO access two.
 */
#ifndef LIBVMM_EXIT_H
#define LIBVMM_EXIT_H

#include "libvmm/types.h"

VMM_BEGIN_DECLS

/* Need no answer. */
#define VMM_EXIT_NONE   0 /* never returned: the structure has not been filled */
#define VMM_EXIT_KICKED 1 /* vmm_vcpu_kick() */
#define VMM_EXIT_PAUSED 2 /* vmm_vm_pause(): see vmm_vm_wait_resumed() */
#define VMM_EXIT_IDLE                                                            \
	3 /* nothing to run until an interrupt or data = wake deadline, in ns of \
	   * the host's monotonic clock (UINT64_MAX: none): vmm_vcpu_wait(); privileged hosts */
#define VMM_EXIT_PREEMPTED                                                                  \
	4              /* the CPU is wanted back, data = VMM_PREEMPTED_: run when scheduled \
			*/
#define VMM_EXIT_HLT 5 /* HLT or WFI with nothing pending */
#define VMM_EXIT_SHUTDOWN \
	6 /* triple fault, or the architecture's own shut-down: reset or destroy */
#define VMM_EXIT_DEBUG        7 /* single step or breakpoint: addr = pc, data = kind, x86: as DR6 */
#define VMM_EXIT_IRQ_WINDOW   8 /* the guest can take an interrupt: vmm_vcpu_request_window() */
#define VMM_EXIT_ENTRY_FAILED 9 /* the hardware refused the guest's state: hw_code, hw_info */
#define VMM_EXIT_ENGINE_ERROR \
	10                 /* the engine gave up on this instruction: hw_code, hw_info, detail */
#define VMM_EXIT_SYSTEM 11 /* the guest asked for reset or power off by a firmware call: data */
#define VMM_EXIT_BUDGET 12 /* an exit has broken the budget (partition.h): addr = its reason */

/* Want an answer: complete them (vmm_vcpu_complete() or running again). */
#define VMM_EXIT_MMIO      16 /* addr = GPA, width, data if WRITE; answer a read in data */
#define VMM_EXIT_PORT      17 /* addr = port, width, data if WRITE; answer a read in data */
#define VMM_EXIT_MSR       18 /* addr = MSR, width 8; answer a read in data; FAIL gives #GP */
#define VMM_EXIT_CPUID     19 /* addr = leaf, data = subleaf; answer by setting registers */
#define VMM_EXIT_HYPERCALL 20 /* addr = number, data = first argument; answer in data */
#define VMM_EXIT_EXCEPTION 21 /* an intercepted exception: addr = vector, data = error code */

#define VMM_EXIT_REASONS 32 /* one above the highest number that statistics count */

/* Flags. */
#define VMM_EXIT_F_WRITE    (UINT32_C(1) << 0) /* the guest wrote; data holds what */
#define VMM_EXIT_F_PC       (UINT32_C(1) << 1) /* pc is valid */
#define VMM_EXIT_F_INSN_LEN (UINT32_C(1) << 2) /* insn_len is valid */
#define VMM_EXIT_F_MORE \
	(UINT32_C(1) << 3) /* more elements of this instruction are known to follow */
#define VMM_EXIT_F_HW   (UINT32_C(1) << 4) /* hw_code and hw_info are valid */
#define VMM_EXIT_F_FAIL (UINT32_C(1) << 5) /* set by the caller in an answer: the access fails */

/* data of VMM_EXIT_PREEMPTED */
#define VMM_PREEMPTED_ASKED 0 /* vmm_vcpu_preempt() */
#define VMM_PREEMPTED_SLICE 1 /* the slice is over: vmm_vcpu_set_slice() */
#define VMM_PREEMPTED_PAUSE 2 /* the guest waits for another vCPU: VMM_SLICE_PAUSE */

/* data of VMM_EXIT_SYSTEM */
#define VMM_SYSTEM_RESET 1
#define VMM_SYSTEM_OFF   2

/**
 * struct vmm_exit - One exit, 64 bytes.
 * @reason:   VMM_EXIT_.
 * @flags:    VMM_EXIT_F_.
 * @addr:     GPA, port or register, as the reason says.
 * @data:     Value, zero-extended. In: the answer.
 * @width:    Bytes of the element: 1, 2, 4 or 8.
 * @insn_len: Length of the instruction in bytes.
 * @pc:       Program counter of the instruction (x86: RIP, without CS base).
 * @hw_code:  The hardware's or engine's own code, unchanged: KVM's exit reason, SVM's EXITCODE,
 * VMX's exit reason, ESR_EL2.
 * @hw_info:  What stands beside it: KVM's hardware_exit_reason or suberror, EXITINFO1,
 * qualification.
 * @reserved: 0.
 */
struct vmm_exit {
	uint32_t reason;
	uint32_t flags;
	uint64_t addr;
	uint64_t data;
	uint32_t width;
	uint32_t insn_len;
	uint64_t pc;
	uint64_t hw_code;
	uint64_t hw_info;
	uint64_t reserved;
};

/**
 * vmm_exit_name() - Name of a reason, "MMIO" for instance.
 *
 * Context: Any.
 * Return: A static string, NULL for numbers that are not in use.
 */
VMM_API const char *vmm_exit_name(uint32_t reason);

VMM_END_DECLS

#endif

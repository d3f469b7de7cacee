/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * vmm__svm_enter_dedicated(RDI = world, RSI = task priority of the guest), RAX as vmm__svm_enter().
 * The CPU's local APIC is the guest's, in x2APIC mode. Interrupts pass the host by: the priority
 * that lets them in is the APIC's only with IF clear, and in the guest (APM2 15.21.1: without
 * V_INTR_MASKING its own IF masks them).
 */
#define MSR_TPR 0x808

	.text

	.globl vmm__svm_enter_dedicated
	.balign 16
vmm__svm_enter_dedicated:
	pushfq
	push %rsi
	push %rbx	/* for the stack's alignment too */
	cli
	mov $MSR_TPR, %ecx
	mov (%rsi), %eax
	xor %edx, %edx
	wrmsr
	call vmm__svm_enter
	mov %rax, %rbx
	mov $MSR_TPR, %ecx
	rdmsr
	mov 8(%rsp), %rsi
	mov %rax, (%rsi)
	mov $0xff, %eax
	xor %edx, %edx
	wrmsr
	mov %rbx, %rax
	pop %rbx
	pop %rsi
	popfq
	ret

#if defined(__ELF__)
	.section .note.GNU-stack, "", @progbits
#endif

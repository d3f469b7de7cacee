/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * vmm__native_enter_dedicated(RDI, RSI, RDX = arguments of the engine's way into the guest, RCX = task
 * priority of the guest, R8 = that way), RAX as it gives.
 * The CPU's local APIC is the guest's, in x2APIC mode. Interrupts pass the host by: the priority
 * that lets them in is the APIC's only with IF clear, and in the guest, whose own IF masks them.
 */
#define MSR_TPR 0x808

	.text

	.globl vmm__native_enter_dedicated
	.balign 16
vmm__native_enter_dedicated:
	pushfq
	push %rcx
	push %rbx	/* for the stack's alignment too */
	mov %rdx, %r9
	cli
	mov (%rcx), %eax
	mov $MSR_TPR, %ecx
	xor %edx, %edx
	wrmsr
	mov %r9, %rdx
	call *%r8
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
	pop %rcx
	popfq
	ret

#if defined(__ELF__)
	.section .note.GNU-stack, "", @progbits
#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The world switch, and the processor's privileged instructions as functions (System V ABI; for ELF
 * and COFF). APM2 chapter 15.
 *
 * vmm__svm_enter(RDI = world)
 *   In:  interrupts as the host likes, GIF set; vmm__svm_load() has been done on this CPU.
 *   Out: EAX = 1: the guest has run; its general registers are in world and in the VMCB, the rest as
 *        VMSAVE leaves it. EAX = 0: world.request was not 0, and nothing has happened.
 *        All that the ABI keeps is kept; nothing of the guest's is left in a general register; GIF is
 *        set again, so that an interrupt or NMI that ended the guest is taken by the host's own
 *        handler at the STGI.
 *   The request is read with GIF clear: one that comes later is followed by an interrupt, which stays
 *   pending until VMRUN and ends the guest at once (the host's IF is set for that: 15.21.1).
 *   Stack while the guest runs: RDI (world), RFLAGS, R15, R14, R13, R12, RBX, RBP, return address.
 */
#include "svm_world.h"

#define MSR_HSAVE_PA 0xc0010117

	.text

	.globl vmm__svm_enter
	.balign 16
vmm__svm_enter:
	clgi
	cmpl $0, SVM_W_REQUEST(%rdi)
	jne 1f
	push %rbp
	push %rbx
	push %r12
	push %r13
	push %r14
	push %r15
	pushfq
	push %rdi
	mov SVM_W_VMCB(%rdi), %rax
	mov SVM_W_RBX(%rdi), %rbx
	mov SVM_W_RCX(%rdi), %rcx
	mov SVM_W_RDX(%rdi), %rdx
	mov SVM_W_RSI(%rdi), %rsi
	mov SVM_W_RBP(%rdi), %rbp
	mov SVM_W_R8(%rdi), %r8
	mov SVM_W_R9(%rdi), %r9
	mov SVM_W_R10(%rdi), %r10
	mov SVM_W_R11(%rdi), %r11
	mov SVM_W_R12(%rdi), %r12
	mov SVM_W_R13(%rdi), %r13
	mov SVM_W_R14(%rdi), %r14
	mov SVM_W_R15(%rdi), %r15
	mov SVM_W_RDI(%rdi), %rdi
	vmload %rax
	sti
	vmrun %rax
	vmsave %rax
	pop %rax
	mov %rdi, SVM_W_RDI(%rax)
	mov %rax, %rdi
	mov SVM_W_HOST(%rdi), %rax
	vmload %rax
	mov %rbx, SVM_W_RBX(%rdi)
	mov %rcx, SVM_W_RCX(%rdi)
	mov %rdx, SVM_W_RDX(%rdi)
	mov %rsi, SVM_W_RSI(%rdi)
	mov %rbp, SVM_W_RBP(%rdi)
	mov %r8, SVM_W_R8(%rdi)
	mov %r9, SVM_W_R9(%rdi)
	mov %r10, SVM_W_R10(%rdi)
	mov %r11, SVM_W_R11(%rdi)
	mov %r12, SVM_W_R12(%rdi)
	mov %r13, SVM_W_R13(%rdi)
	mov %r14, SVM_W_R14(%rdi)
	mov %r15, SVM_W_R15(%rdi)
	/* What the host does not restore is scrubbed. */
	xor %ecx, %ecx
	xor %edx, %edx
	xor %esi, %esi
	xor %r8d, %r8d
	xor %r9d, %r9d
	xor %r10d, %r10d
	xor %r11d, %r11d
	popfq
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbx
	pop %rbp
	mov $1, %eax
	stgi
	ret
1:	stgi
	xor %eax, %eax
	ret

/*
 * vmm__svm_load(RDI = world), EAX: 1, or 0 where the CPU's VM_HSAVE_PA is another's.
 * The host's FS, GS, TR, LDTR and MSRs of VMSAVE go to world.host_pa, its x87 and vector registers to
 * world.host_fpu if there is one, and the guest's come in, unless world.live says that they are there.
 * XCR0 names all components while they are loaded: what the guest has switched off is still its state.
 */
	.globl vmm__svm_load
	.balign 16
vmm__svm_load:
	mov $MSR_HSAVE_PA, %ecx
	rdmsr
	shl $32, %rdx
	or %rdx, %rax
	cmp SVM_W_HSAVE(%rdi), %rax
	jne 9f
	mov SVM_W_HOST(%rdi), %rax
	vmsave %rax
	cmpl $0, SVM_W_LIVE(%rdi)
	jne 8f
	mov SVM_W_HFPU(%rdi), %rsi
	mov SVM_W_XALL(%rdi), %rax
	test %rax, %rax
	jz 5f
	test %rsi, %rsi
	jz 1f
	mov SVM_W_HXCR0(%rdi), %eax
	mov SVM_W_HXCR0+4(%rdi), %edx
	xsave64 (%rsi)
1:	mov SVM_W_XALL(%rdi), %rax
	mov SVM_W_XALL+4(%rdi), %edx
	xor %ecx, %ecx
	xsetbv
	mov SVM_W_FPU(%rdi), %rsi
	xrstor64 (%rsi)
	cmp SVM_W_XCR0(%rdi), %rax
	je 8f
	mov SVM_W_XCR0(%rdi), %eax
	mov SVM_W_XCR0+4(%rdi), %edx
	xsetbv
8:	mov $1, %eax
	ret
5:	test %rsi, %rsi
	jz 6f
	fxsave64 (%rsi)
6:	mov SVM_W_FPU(%rdi), %rsi
	fxrstor64 (%rsi)
	jmp 8b
9:	xor %eax, %eax
	ret

/*
 * vmm__svm_unload(RDI = world): the same backwards. XSAVE stores what the guest's XCR0 names; the rest
 * has not changed since it was loaded, but for SSE's and PKRU's registers, which are there whatever XCR0
 * says (SDM 1 13.3). Without a world.host_fpu the registers keep what they have.
 */
	.globl vmm__svm_unload
	.balign 16
vmm__svm_unload:
	mov SVM_W_FPU(%rdi), %r8
	mov SVM_W_XALL(%rdi), %rax
	test %rax, %rax
	jz 5f
	mov SVM_W_XCR0(%rdi), %rcx
	mov SVM_W_XALL+4(%rdi), %edx
	not %rcx
	and %rax, %rcx
	test $0x202, %ecx
	jnz 4f
	xsave64 (%r8)
2:	mov SVM_W_HFPU(%rdi), %rsi
	test %rsi, %rsi
	jz 7f
	mov SVM_W_HXCR0(%rdi), %eax
	mov SVM_W_HXCR0+4(%rdi), %edx
	xor %ecx, %ecx
	xsetbv
	xrstor64 (%rsi)
	ret
4:	xor %ecx, %ecx
	xsetbv
	xsave64 (%r8)
	mov SVM_W_XCR0(%rdi), %eax
	mov SVM_W_XCR0+4(%rdi), %edx
	xsetbv
	jmp 2b
5:	fxsave64 (%r8)
	mov SVM_W_HFPU(%rdi), %rsi
	test %rsi, %rsi
	jz 7f
	fxrstor64 (%rsi)
	ret
7:	movl $1, SVM_W_LIVE(%rdi)
	ret

	.globl vmm__svm_rdmsr
vmm__svm_rdmsr:
	mov %edi, %ecx
	rdmsr
	shl $32, %rdx
	or %rdx, %rax
	ret

	.globl vmm__svm_wrmsr
vmm__svm_wrmsr:
	mov %edi, %ecx
	mov %esi, %eax
	mov %rsi, %rdx
	shr $32, %rdx
	wrmsr
	ret

	.globl vmm__svm_xgetbv
vmm__svm_xgetbv:
	xor %ecx, %ecx
	xgetbv
	shl $32, %rdx
	or %rdx, %rax
	ret

	.globl vmm__svm_cr4
vmm__svm_cr4:
	mov %cr4, %rax
	ret

	.globl vmm__svm_rdtsc
vmm__svm_rdtsc:
	rdtsc
	shl $32, %rdx
	or %rdx, %rax
	ret

	.globl vmm__svm_cpuid
vmm__svm_cpuid:
	push %rbx
	mov %rdx, %r8
	mov %edi, %eax
	mov %esi, %ecx
	cpuid
	mov %eax, (%r8)
	mov %ebx, 4(%r8)
	mov %ecx, 8(%r8)
	mov %edx, 12(%r8)
	pop %rbx
	ret

	.globl vmm__svm_get_dr
vmm__svm_get_dr:
	mov %dr0, %rax
	mov %rax, (%rdi)
	mov %dr1, %rax
	mov %rax, 8(%rdi)
	mov %dr2, %rax
	mov %rax, 16(%rdi)
	mov %dr3, %rax
	mov %rax, 24(%rdi)
	ret

	.globl vmm__svm_set_dr
vmm__svm_set_dr:
	mov (%rdi), %rax
	mov %rax, %dr0
	mov 8(%rdi), %rax
	mov %rax, %dr1
	mov 16(%rdi), %rax
	mov %rax, %dr2
	mov 24(%rdi), %rax
	mov %rax, %dr3
	ret

	.globl vmm__svm_machine_check
vmm__svm_machine_check:
	int $18
	ret

#if defined(__ELF__)
	.section .note.GNU-stack, "", @progbits
#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The world switch (System V ABI; for ELF and COFF). APM2 chapter 15.
 *
 * vmm__svm_enter(RDI = world)
 *   In:  interrupts on (or the guest's own), GIF set; vmm__svm_load() has been done on this CPU.
 *   Out: RAX not 0: the guest has run; its general registers are in world and in the VMCB, the rest as
 *        VMSAVE leaves it. RAX = 0: world.request was not 0, and nothing has happened.
 *        All that the ABI keeps is kept; nothing of the guest's is left in a general register; GIF is
 *        set again, so that an interrupt or NMI that ended the guest is taken by the host's own
 *        handler at the STGI.
 *   The request is read with GIF clear: one that comes later is followed by an interrupt, which stays
 *   pending until VMRUN and ends the guest at once (the host's IF is set: 15.21.1).
 *   Stack while the guest runs: RDI (world), R15, R14, R13, R12, RBX, RBP, return address.
 */
#include "svm_world.h"

#define MSR_HSAVE_PA 0xc0010117

	.text

	.globl vmm__svm_enter
	.balign 16
vmm__svm_enter:
	clgi
	cmpl $0, NATIVE_W_REQUEST(%rdi)
	jne 1f
	push %rbp
	push %rbx
	push %r12
	push %r13
	push %r14
	push %r15
	push %rdi
	mov NATIVE_W_OWN(SVM_OWN_VMCB)(%rdi), %rax
	load_guest
	mov NATIVE_W_RDI(%rdi), %rdi
	vmload %rax
	vmrun %rax
	vmsave %rax
	pop %rax
	mov %rdi, NATIVE_W_RDI(%rax)
	mov %rax, %rdi
	mov NATIVE_W_OWN(SVM_OWN_HOST)(%rdi), %rax
	vmload %rax
	save_guest
	scrub_guest
	cld /* QEMU leaves the guest's */
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbx
	pop %rbp
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
	cmp NATIVE_W_OWN(SVM_OWN_HSAVE)(%rdi), %rax
	jne 9f
	mov NATIVE_W_OWN(SVM_OWN_HOST)(%rdi), %rax
	vmsave %rax
	cmpl $0, NATIVE_W_LIVE(%rdi)
	jne 8f
	call vmm__native_load_fpu
8:	mov $1, %eax
	ret
9:	xor %eax, %eax
	ret

#if defined(__ELF__)
	.section .note.GNU-stack, "", @progbits
#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The world switch, and VMX's instructions as functions (System V ABI; for ELF and COFF). SDM 3C
 * chapters 27, 28 and 31.
 *
 * vmm__vmx_enter(RDI = world, RSI = launched, RDX = idts, or NULL)
 *   In:  interrupts on; the VMCS is current, its HOST_RIP is vmm__vmx_exit_point; the guest's vector
 *        registers have been loaded. ESI is 0 where VMCLEAR came after the last entry.
 *   Out: EAX = 1: the guest has run; its general registers are in world and in the block (RAX, CR2),
 *        the rest in the VMCS. EAX = 0: world.request was not 0, and nothing has happened.
 *        EAX = 2: the processor refuses the VMCS. EAX = 3: an NMI has come, see below.
 *        All that the ABI keeps is kept; nothing of the guest's is left in a general register; an
 *        interrupt that ended the guest is taken by the host's own handler at the POPFQ.
 *   The request is read with interrupts off: one that comes later is followed by an interrupt, which
 *   stays pending until the entry and ends the guest at once.
 *   NMIs come in spite of that, and where the host has no other way in, one that comes after the
 *   request was read must not be followed by the entry. So with idts the IDT is idts[0] from before
 *   that until the entry, whose gate turns back with EAX = 3; the host's, idts[1], comes with the exit,
 *   and its limit here.
 *   An NMI that ended the guest, or turned back from it, is the host's; it goes to the host's handler by
 *   INT 2 before anything can end the blocking of others (28.2.3, 28.5: until IRET, which is that
 *   handler's own), since that may be on a stack that each NMI begins anew.
 *   Stack while the guest runs (HOST_RSP): RDI (world), idts, RFLAGS, R15, R14, R13, R12, RBX, RBP, return
 *   address.
 */
#include "vmx_world.h"

#define HOST_RSP   0x6c14
#define REASON     0x4402
#define EXIT_EVENT 0x4404
#define CR4_VMXE (1 << 13)

#define EVENT_TYPE 0x700
#define EVENT_NMI  0x200

/* idts: the limits, which the bases follow. */
#define IDT_OWN  6
#define IDT_HOST 22

	.text

	.globl vmm__vmx_enter
	.balign 16
vmm__vmx_enter:
	push %rbp
	push %rbx
	push %r12
	push %r13
	push %r14
	push %r15
	pushfq
	cli
	push %rdx
	push %rdi
	test %rdx, %rdx
	jz 1f
	lidt IDT_OWN(%rdx)
1:	cmpl $0, NATIVE_W_REQUEST(%rdi)
	jne 4f
	mov $HOST_RSP, %eax
	vmwrite %rsp, %rax
	jbe 3f
	mov NATIVE_W_OWN(VMX_OWN_BLOCK)(%rdi), %rax
	mov VMX_B_CR2(%rax), %rcx
	mov %cr2, %rdx
	cmp %rcx, %rdx
	je 1f
	mov %rcx, %cr2
1:	test %esi, %esi
	mov VMX_B_RAX(%rax), %rax
	load_guest
	mov NATIVE_W_RDI(%rdi), %rdi
	jz 2f
	vmresume
	jmp 3f
2:	vmlaunch
3:	mov $2, %eax
	jmp 5f

	.globl vmm__vmx_exit_point
vmm__vmx_exit_point:
	push %rdi
	mov 8(%rsp), %rdi
	pop NATIVE_W_RDI(%rdi)
	save_guest
	mov NATIVE_W_OWN(VMX_OWN_BLOCK)(%rdi), %rcx
	mov %rax, VMX_B_RAX(%rcx)
	mov %cr2, %rax
	mov %rax, VMX_B_CR2(%rcx)
	mov $REASON, %eax
	vmread %rax, %rdx
	test %edx, %edx	/* 0: an exception or NMI */
	jnz 7f
	mov $EXIT_EVENT, %eax
	vmread %rax, %rdx
	and $EVENT_TYPE, %edx
	cmp $EVENT_NMI, %edx
	jne 7f
	int $2
7:	mov $1, %eax
	jmp 5f
4:	xor %eax, %eax
5:	mov 8(%rsp), %rdx
	test %rdx, %rdx
	jz 6f
	lidt IDT_HOST(%rdx)
6:	pop %rdi
	pop %rdx
	scrub_guest
	popfq
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbx
	pop %rbp
	ret

	.globl vmm__vmx_nmi_gate
vmm__vmx_nmi_gate:
	mov 24(%rsp), %rsp	/* the interrupted one, by no IRET */
	mov 8(%rsp), %rdx
	lidt IDT_HOST(%rdx)
	int $2
	mov $3, %eax
	jmp 5b

/*
 * A CPU in VMX operation is that of the vCPU whose VMCS is current, and has no other active one: who
 * takes it over clears that first, since VMXOFF could spoil it (25.11.1). With interrupts off, so that
 * a call from another CPU comes before or after.
 */
	.globl vmm__vmx_attach
vmm__vmx_attach:
	pushfq
	cli
	mov %cr4, %rax
	test $CR4_VMXE, %eax
	jz 1f
	push %rax
	vmptrst (%rsp)
	cmpq $-1, (%rsp)
	je 2f
	vmclear (%rsp)
2:	vmxoff
	pop %rax
	mov %cr4, %rax
1:	or $CR4_VMXE, %rax
	mov %rax, %cr4
	vmxon NATIVE_W_OWN(VMX_OWN_VMXON)(%rdi)
	jbe 3f
	vmclear NATIVE_W_OWN(VMX_OWN_VMCS)(%rdi)
	jbe 4f
	vmptrld NATIVE_W_OWN(VMX_OWN_VMCS)(%rdi)
	jbe 4f
	mov $1, %eax
	popfq
	ret
4:	vmxoff
3:	and $~CR4_VMXE, %rax
	mov %rax, %cr4
	xor %eax, %eax
	popfq
	ret

/* With interrupts off, too: the call that takes another vCPU away from this CPU ends VMX operation, and
 * VMPTRST is #UD without it. */
	.globl vmm__vmx_is_current
vmm__vmx_is_current:
	pushfq
	cli
	mov %cr4, %rax
	test $CR4_VMXE, %eax
	jz 1f
	push %rax
	vmptrst (%rsp)
	pop %rdx
	xor %eax, %eax
	cmp NATIVE_W_OWN(VMX_OWN_VMCS)(%rdi), %rdx
	sete %al
	popfq
	ret
1:	xor %eax, %eax
	popfq
	ret

	.globl vmm__vmx_detach
vmm__vmx_detach:
	pushfq
	cli
	call vmm__vmx_is_current
	test %eax, %eax
	jz 1f
	vmclear NATIVE_W_OWN(VMX_OWN_VMCS)(%rdi)
	vmxoff
	mov %cr4, %rax
	and $~CR4_VMXE, %rax
	mov %rax, %cr4
1:	popfq
	ret

	.globl vmm__vmx_read
vmm__vmx_read:
	vmread %rdi, %rax
	ret

	.globl vmm__vmx_write
vmm__vmx_write:
	vmwrite %rsi, %rdi
	ret

	.globl vmm__vmx_flush
vmm__vmx_flush:
	push $0
	push $0
	mov $2, %eax
	invept (%rsp), %rax
	invvpid (%rsp), %rax
	add $16, %rsp
	ret

	.globl vmm__vmx_host
vmm__vmx_host:
	mov %cr0, %rax
	mov %rax, (%rdi)
	mov %cr3, %rax
	mov %rax, 8(%rdi)
	mov %cr4, %rax
	mov %rax, 16(%rdi)
	mov %es, 24(%rdi)
	mov %cs, 26(%rdi)
	mov %ss, 28(%rdi)
	mov %ds, 30(%rdi)
	mov %fs, 32(%rdi)
	mov %gs, 34(%rdi)
	str 36(%rdi)
	sgdt 46(%rdi)
	sidt 62(%rdi)
	ret

	.globl vmm__vmx_limits
vmm__vmx_limits:
	lgdt 46(%rdi)
	lidt 62(%rdi)
	ret

	.globl vmm__vmx_cr3
vmm__vmx_cr3:
	mov %cr3, %rax
	ret

	.globl vmm__vmx_dr6
vmm__vmx_dr6:
	mov %dr6, %rax
	ret

	.globl vmm__vmx_set_dr6
vmm__vmx_set_dr6:
	mov %rdi, %dr6
	ret

#if defined(__ELF__)
	.section .note.GNU-stack, "", @progbits
#endif

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Where the firmware or boot loader enters, where other processors start, and where exceptions and
 * interrupts arrive.
 *
 * Both protocols enter in 32-bit protected mode with flat segments, paging and interrupts off:
 *   PVH (Xen: docs/misc/pvh.pandoc)            EBX = hvm_start_info
 *   Multiboot 2 (GNU, version 2.0, 3.3)        EBX = information, EAX = 0x36d76289
 */
#define CR0_PE     1
#define CR0_MP     2
#define CR0_NE     0x20
#define CR0_WP     0x10000
#define CR0_PG     0x80000000
#define CR4_PAE    0x20
#define EFER       0xc0000080
#define EFER_LME   0x100
#define EFER_NXE   0x800

#define SEL_CODE   0x08
#define SEL_DATA   0x10

	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 8, 18			/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.quad vmm__bare_entry

	.section .multiboot, "a", @progbits
	.balign 8
1:	.long 0xe85250d6, 0, 2f - 1b, -(0xe85250d6 + (2f - 1b))
	.word 6, 0			/* modules on page boundaries */
	.long 8
	.word 0, 0			/* no more tags */
	.long 8
2:

	.text
	.code32
	.globl vmm__bare_entry
vmm__bare_entry:
	cld
	movl %eax, %ebp
	movl %ebx, %esi

	/* Long mode and NX: CPUID 0x80000001 (SDM vol. 2A). Both loaders may be met on less. */
	movl $0x80000000, %eax
	cpuid
	cmpl $0x80000001, %eax
	jb unfit
	movl $0x80000001, %eax
	cpuid
	notl %edx
	testl $(1 << 29 | 1 << 20), %edx
	jnz unfit

	/* The first 4 GiB to themselves, in pages of 2 MiB, until C has made real tables. */
	movl $early_pd, %edi
	movl $0x83, %eax
	xorl %edx, %edx
1:	movl %eax, (%edi)
	addl $0x200000, %eax
	addl $8, %edi
	cmpl $early_pd + 4 * 4096, %edi
	jb 1b
	movl $early_pdpt + 3, early_pml4
	movl $early_pd + 0x0003, early_pdpt
	movl $early_pd + 0x1003, early_pdpt + 8
	movl $early_pd + 0x2003, early_pdpt + 16
	movl $early_pd + 0x3003, early_pdpt + 24

	movl $CR4_PAE, %eax
	movl %eax, %cr4
	movl $early_pml4, %eax
	movl %eax, %cr3
	movl $EFER, %ecx
	movl $EFER_LME | EFER_NXE, %eax
	xorl %edx, %edx
	wrmsr
	movl $CR0_PG | CR0_WP | CR0_NE | CR0_MP | CR0_PE, %eax
	movl %eax, %cr0
	lgdt early_gdtr
	ljmp $SEL_CODE, $long_mode

	/* The serial port as the firmware has left it, and no waiting. */
unfit:
	movl $unfit_text, %esi
	movl $0x3f8, %edx
1:	lodsb
	testb %al, %al
	jz 2f
	outb %al, %dx
	jmp 1b
2:	hlt
	jmp 2b

	.code64
long_mode:
	movl $SEL_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	movl $early_stack_end, %esp
	movl %ebp, %edi
	xorl %ebp, %ebp
	call vmm__bare_start
	ud2

/*
 * Other CPUs, in real mode, at the start of the page that this was copied to. Straight to long mode:
 * its tables map the page to itself.
 */
	.code16
	.globl vmm__bare_trampoline
vmm__bare_trampoline:
	cli
	movw %cs, %ax
	movw %ax, %ds
	lgdtl ap_gdtr - vmm__bare_trampoline
	movl $CR4_PAE, %eax
	movl %eax, %cr4
	movl $vmm__bare_root, %eax
	movl %eax, %cr3
	movl $EFER, %ecx
	movl $EFER_LME | EFER_NXE, %eax
	xorl %edx, %edx
	wrmsr
	movl $CR0_PG | CR0_WP | CR0_NE | CR0_MP | CR0_PE, %eax
	movl %eax, %cr0
	ljmpl $SEL_CODE, $ap_entry
	.balign 4
ap_gdtr:
	.word early_gdtr - early_gdt - 1
	.long early_gdt
	.globl vmm__bare_trampoline_end
vmm__bare_trampoline_end:

	.code64
ap_entry:
	movl $SEL_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	xorl %edi, %edi
	xchgq %rdi, vmm__bare_starting
	testq %rdi, %rdi
	jz 1f
	movq 16(%rdi), %rsp		/* main_stack */
	xorl %ebp, %ebp
	call vmm__bare_ap_start
1:	cli
	hlt
	jmp 1b

/* void vmm__bare_switch(uint64_t cr3, void *stack, void (*fn)(void)): never returns. */
	.globl vmm__bare_switch
vmm__bare_switch:
	movq %rdi, %cr3
	movq %rsi, %rsp
	xorl %ebp, %ebp
	call *%rdx
	ud2

/*
 * Exceptions and interrupts. Each stub leaves an error code, if the processor has not, and its
 * number; struct vmm_bare_frame in bare.h is what the stack then holds.
 */
	.macro stub
	.balign 16
	.if n != 8 && (n < 10 || n > 14) && n != 17 && n != 21 && n != 29 && n != 30
	pushq $0
	.endif
	pushq $n
	jmp common
	.set n, n + 1
	.endm

	.balign 16
	.globl vmm__bare_stubs
vmm__bare_stubs:
	.set n, 0
	.rept 32
	stub
	.endr
	.set n, 0xf0
	.rept 17	/* the last, 0x100: an interrupt that is not the host's */
	stub
	.endr

common:
	pushq %rax
	pushq %rcx
	pushq %rdx
	pushq %rbx
	pushq %rbp
	pushq %rsi
	pushq %rdi
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	cld
	movq %rsp, %rdi
	movq %rsp, %rbx
	andq $-16, %rsp
	call vmm__bare_trap
	movq %rbx, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
	popq %rbp
	popq %rbx
	popq %rdx
	popq %rcx
	popq %rax
	addq $16, %rsp
	iretq

	.section .rodata
unfit_text:
	.asciz "bare: cannot start: no 64-bit processor with NX\r\n"
	.balign 8
early_gdt:
	.quad 0
	.quad 0x00af9b000000ffff
	.quad 0x00cf93000000ffff
early_gdtr:
	.word . - early_gdt - 1
	.quad early_gdt

	.bss
	.balign 4096
early_pml4: .skip 4096
early_pdpt: .skip 4096
early_pd: .skip 4 * 4096
	.skip 8192
early_stack_end:

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Reads and writes of memory that is not there: every width, extension, string form, across pages, 16 bytes. */
#include "guest.inc"
start64
	mov $MMIO, %ebp
	movb $0x12, (%rbp)
	movw $0x1234, 2(%rbp)
	movl $0x12345678, 4(%rbp)
	movabs $0x1122334455667788, %rax
	mov %rax, 8(%rbp)
	mov %al, 1(%rbp)
	mov %ah, 1(%rbp)
	mov %ax, 2(%rbp)
	mov %eax, 4(%rbp)
	movq $-2, 16(%rbp)
	mov %eax, 5(%rbp)

	movabs $0xaaaaaaaaaaaaaaaa, %rax
	mov (%rbp), %al
	say64 %rax, "byte: "
	movabs $0xaaaaaaaaaaaaaaaa, %rax
	mov (%rbp), %ax
	say64 %rax, "word: "
	movabs $0xaaaaaaaaaaaaaaaa, %rax
	mov (%rbp), %eax
	say64 %rax, "long: "
	mov (%rbp), %rax
	say64 %rax, "quad: "
	movzbl (%rbp), %eax
	say32 %eax, "movzbl: "
	movzwl (%rbp), %eax
	say32 %eax, "movzwl: "
	movsbq 0x80(%rbp), %rax
	say64 %rax, "movsbq: "
	movslq 0x80(%rbp), %rax
	say64 %rax, "movslq: "
	movabs MMIO, %eax
	say32 %eax, "moffs: "
	cmpb $0, (%rbp)
	testl $1, (%rbp)
	push (%rbp)
	pop %rax
	say64 %rax, "push: "

	/* Across a page: the halves lie in two pages. */
	movabs $0x1122334455667788, %rax
	mov %eax, 0xffe(%rbp)
	mov %rax, 0xffc(%rbp)
	mov 0xffe(%rbp), %eax
	say32 %eax, "long across: "
	mov 0xffc(%rbp), %rax
	say64 %rax, "quad across: "

	/* Half in RAM, whose end is at 2 MiB. */
	movl $0x11223344, 0x1ffffe
	movzwl 0x1ffffe, %eax
	say32 %eax, "RAM's half: "
	mov 0x1ffffe, %eax
	say32 %eax, "both halves: "

	/* 16 bytes. */
	movabs $0x0102030405060708, %rax
	movq %rax, %xmm0
	pinsrw $4, %eax, %xmm0
	movdqu %xmm0, 0x100(%rbp)
	movdqu 0x100(%rbp), %xmm1
	movq %xmm1, %rax
	say64 %rax, "xmm low: "
	psrldq $8, %xmm1
	movq %xmm1, %rax
	say64 %rax, "xmm high: "
	finish
functions
idt_register

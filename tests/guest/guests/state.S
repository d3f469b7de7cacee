/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Known values in every register, which the embedder compares at the HLT, changes and the guest tells again. */
#include "guest.inc"
start64
	mov $0x277, %ecx
	mov $0x00070406, %eax
	mov $0x00070106, %edx
	wrmsr
	mov $0xc0000101, %ecx
	mov $0x77770000, %eax
	xor %edx, %edx
	wrmsr
	mov $0x5000, %eax
	mov %rax, %dr2
	mov %rax, %cr2
	mov $5, %eax
	mov %rax, %cr8
	mov $0x11, %eax
	mov $0x22, %ebx
	mov $0x33, %ecx
	mov $0x44, %edx
	mov $0x55, %esi
	mov $0x66, %edi
	mov $0x77, %ebp
	mov $0x88, %r8d
	mov $0x99, %r9d
	mov $0xaa, %r10d
	mov $0xbb, %r11d
	mov $0xcc, %r12d
	mov $0xdd, %r13d
	mov $0xee, %r14d
	movabs $0xfedcba9876543210, %r15
	stc
	hlt
	mov %rcx, %rbp
	setc %cl
	movzbl %cl, %r13d
	mov %rax, %r12
	say64 %r12, "rax: "
	say64 %rbp, "rcx: "
	say64 %r15, "r15: "
	say32 %r13d, "carry: "
	mov %cr2, %rdx
	say64 %rdx, "cr2: "
	mov %cr8, %rdx
	say64 %rdx, "cr8: "
	mov %dr2, %rdx
	say64 %rdx, "dr2: "
	mov $0xc0000101, %ecx
	rdmsr
	mov %eax, %edx
	say32 %edx, "gs base: "
	mov %gs:8, %rdx
	say64 %rdx, "at gs:8: "
	mov $0x277, %ecx
	rdmsr
	say32 %edx, "pat high: "

	/* State may be looked at and changed between an access's completion and the next run. */
	inb $0x80, %al
	mov %eax, %edx
	say32 %edx, "changed after the port: "
	outb %al, $0x81
	say "not skipped"
	finish 1
	.org 0x400
	say "jumped here"
	/* Two elements. */
	mov $MMIO, %eax
	movdqu (%rax), %xmm0
	movq %xmm0, %rdx
	say64 %rdx, "low: "
	psrldq $8, %xmm0
	movq %xmm0, %rdx
	say64 %rdx, "high: "
	finish
functions
idt_register

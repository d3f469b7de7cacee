/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Port I/O in every width and direction, by immediate and by DX; reads keep the rest of the register. */
#include "guest.inc"
start64
	mov $0x12, %al
	outb %al, $0x80
	mov $0x1234, %ax
	outw %ax, $0x82
	mov $0x12345678, %eax
	outl %eax, $0x84
	mov $0x1000, %edx
	outb %al, %dx
	outw %ax, %dx
	outl %eax, %dx
	mov $0xffff, %edx
	outb %al, %dx

	mov $0xaaaaaaaa, %eax
	inb $0x80, %al
	say32 %eax, "inb: "
	mov $0xaaaaaaaa, %eax
	inw $0x82, %ax
	say32 %eax, "inw: "
	movabs $0xaaaaaaaaaaaaaaaa, %rax
	inl $0x84, %eax
	say64 %rax, "inl: "
	mov $0x1001, %edx
	inb %dx, %al
	mov %eax, %ebp
	inw %dx, %ax
	mov %eax, %r12d
	inl %dx, %eax
	mov %eax, %r13d
	say32 %ebp, "inb dx: "
	say32 %r12d, "inw dx: "
	say32 %r13d, "inl dx: "
	finish
functions
idt_register

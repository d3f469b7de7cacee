/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The registers at the reset vector (SDM 3A table 10-1), then a mess for the next reset to clear. */
#include "guest.inc"
	.set MODE16, 1
	.code16
	.globl _start
_start:
	mov %esp, %edi
	pushf
	pop %bp
	mov $0xfff0, %sp
	movzwl %bp, %ebp
	say32 %edi, "esp: "
	say32 %ebp, "flags: "
	mov %cr0, %edx
	say32 %edx, "cr0: "
	mov %cr2, %edx
	say32 %edx, "cr2: "
	mov %cr3, %edx
	say32 %edx, "cr3: "
	mov %cr4, %edx
	say32 %edx, "cr4: "
	xor %edx, %edx
	mov %es, %dx
	say32 %edx, "es: "
	mov $0x12345000, %eax
	mov %eax, %cr3
	mov %eax, %cr2
	mov %cr4, %eax
	or $0x20, %eax
	mov %eax, %cr4
	mov $0x1234, %ax
	mov %ax, %es
	mov %ax, %fs
	std
	outb %al, $0x80
	finish
functions

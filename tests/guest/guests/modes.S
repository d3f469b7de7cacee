/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * From the reset vector through every mode by the guest's own doing: real, protected, paged with 4 MiB
 * pages, PAE, long, compatibility, and back to real mode.
 */
#include "guest.inc"
#define TABLE 0x20000
start16
	putc 'r'
	lgdt gdtr
	mov %cr0, %eax
	or $1, %eax
	mov %eax, %cr0
	ljmp $CS32, $protected

	.code32
protected:
	call segments
	mov $STACK, %esp
	putc 'p'

	/* SDM 3A 4.3: 4 MiB pages. */
	movl $0x83, TABLE
	mov %cr4, %eax
	or $0x10, %eax
	mov %eax, %cr4
	mov $TABLE, %eax
	mov %eax, %cr3
	mov %cr0, %eax
	or $0x80000000, %eax
	mov %eax, %cr0
	putc '2'
	mov %cr0, %eax
	and $0x7fffffff, %eax
	mov %eax, %cr0

	/* SDM 3A 4.4: PAE. */
	movl $(TABLE + 0x2001), TABLE + 0x1000
	movl $0x83, TABLE + 0x2000
	mov %cr4, %eax
	or $0x20, %eax
	mov %eax, %cr4
	mov $(TABLE + 0x1000), %eax
	mov %eax, %cr3
	mov %cr0, %eax
	or $0x80000000, %eax
	mov %eax, %cr0
	putc '3'
	mov %cr0, %eax
	and $0x7fffffff, %eax
	mov %eax, %cr0

	/* SDM 3A 9.8.5: long mode. */
	movl $(TABLE + 0x4003), TABLE + 0x3000
	movl $(TABLE + 0x2003), TABLE + 0x4000
	mov $(TABLE + 0x3000), %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx
	rdmsr
	or $0x100, %eax
	wrmsr
	mov %cr0, %eax
	or $0x80000000, %eax
	mov %eax, %cr0
	putc 'c'
	ljmp $CS64, $long_mode

	.code64
long_mode:
	mov $1, %eax
	shl $40, %rax
	shr $40, %rax
	add $'3', %al
	outb %al, $DEBUG
	ljmp *far_compatibility

	.code32
compatibility:
	call segments
	putc 'c'
	mov %cr0, %eax
	and $0x7fffffff, %eax
	mov %eax, %cr0
	mov $0xc0000080, %ecx
	rdmsr
	and $0xfffffeff, %eax
	wrmsr
	putc 'p'
	ljmp $0x20, $protected16
segments:
	mov $DS, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	ret

	.code16
protected16:
	mov $0x28, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov %cr0, %eax
	and $0xfffffffe, %eax
	mov %eax, %cr0
	ljmp $0, $real
real:
	xor %ax, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $0xfff0, %sp
	putc 'r'
	putc '\n'
	hlt
	finish

	.balign 8
far_compatibility:
	.long compatibility
	.word CS32
	.balign 8
gdt:	.quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff
	.quad 0x00009b000000ffff, 0x000093000000ffff
gdtr:	.word gdtr - gdt - 1
	.long gdt

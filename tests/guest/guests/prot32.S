/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* 32-bit protected mode without paging: flat segments, HLT, an exception, an MMIO access with paging off. */
#include "guest.inc"
start32
	mov %cr0, %eax
	and $0x80000001, %eax
	say32 %eax, "cr0 PG, PE: "
	mov %cs, %eax
	say32 %eax, "cs: "
	gate32 6, invalid
	ud2
back:
	hlt
	mov MMIO + 0x10, %eax
	say32 %eax, "mmio: "
	movl %ebx, MMIO + 0x14
	finish
invalid:
	say "invalid opcode"
	movl $back, (%esp)
	iret
functions
idt_register

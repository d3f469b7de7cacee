/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* 16-bit real mode, from the reset vector: HLT, a software interrupt, segments, data above 64 KiB. */
#include "guest.inc"
start16
	say "real mode"
	smsw %ax
	and $1, %eax
	say32 %eax, "protection enabled: "
	hlt
	say "after hlt"

	movw $interrupt, 4 * 0x21
	movw $0, 4 * 0x21 + 2
	int $0x21

	mov $0x2000, %ax
	mov %ax, %es
	movl $0x600df00d, %es:0x10
	mov $0x2001, %ax
	mov %ax, %es
	mov %es:0, %eax
	say32 %eax, "at 2001:0000: "
	finish

interrupt:
	say "int 0x21"
	iret
functions

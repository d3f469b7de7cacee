/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Does what the embedder asks: reads or writes a long where it says, until it says no more. */
#include "guest.inc"
start64
1:	inl $0xf8, %eax		/* address, 0: end; bit 0: write */
	test %eax, %eax
	jz 3f
	test $1, %al
	jnz 2f
	mov (%rax), %edx
	say32 %edx, "read "
	jmp 1b
2:	mov $0x5a5a5a5a, %edx
	mov %edx, -1(%rax)
	say "written"
	jmp 1b
3:	finish
functions
idt_register

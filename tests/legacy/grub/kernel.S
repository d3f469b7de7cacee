/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A kernel that GRUB loads from the diskette, by Multiboot 1 (specification 0.6.96): 32-bit protected
 * mode, EBX = the loader's information. */
	.set MAGIC, 0x1badb002
	.set FLAGS, 0x2 /* memory's sizes are wanted */

	.section .multiboot, "a", @progbits
	.long MAGIC, FLAGS, -(MAGIC + FLAGS)

	.text
	.globl _start
_start:
	mov $stack_end, %esp
	push %ebx
	push %eax
	call kernel
	ud2

	.bss
	.balign 16
	.skip 4096
stack_end:

	.section .note.GNU-stack, "", @progbits

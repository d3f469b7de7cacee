/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Entry of the small guest, by PVH: 32-bit protected mode, EBX = hvm_start_info. */
	.section .note.pvh, "a", @note
	.long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long _start

	.text
	.globl _start
_start:
	mov $stack_end, %esp
	mov 24(%ebx), %eax /* the command line's address */
	push %eax
	call small
	ud2

	.globl triple_fault
triple_fault:
	lidt no_idt
	ud2

	.balign 4
no_idt:	.word 0
	.long 0

	.bss
	.balign 16
	.skip 4096
stack_end:

	.section .note.GNU-stack, "", @progbits

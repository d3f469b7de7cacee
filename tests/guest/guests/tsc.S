/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The time-stamp counter: monotonic, set by the embedder at the first HLT, set by the guest. */
#include "guest.inc"
.macro read register
	rdtsc
	shl $32, %rdx
	lea (%rax,%rdx), \register
.endm
start64
	read %r12
	read %r13
	cmp %r12, %r13
	seta %dl
	movzbl %dl, %edx
	say32 %edx, "goes forward: "
	hlt
	read %rdx
	shr $44, %rdx
	say64 %rdx, "as set, in 2^44: "
	mov $0x10, %ecx
	xor %eax, %eax
	mov $0x30000, %edx
	wrmsr
	read %rdx
	shr $44, %rdx
	say64 %rdx, "as written, in 2^44: "
	hlt
	finish
functions
idt_register

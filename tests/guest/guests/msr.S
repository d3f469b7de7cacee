/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* MSRs: answered and refused by the embedder, denied by the filter, known to nobody, left to the engine. */
#include "guest.inc"
#define MINE 0xc0de0000
start64
	gate64 13, protection
	mov $MINE, %ecx
	rdmsr
	mov %eax, %r12d
	mov %edx, %r13d
	say32 %r12d, "low: "
	say32 %r13d, "high: "
	mov $(MINE + 1), %ecx
	mov $0x89abcdef, %eax
	mov $0x01234567, %edx
	wrmsr
	mov $(MINE + 2), %ecx
	rdmsr
	mov $(MINE + 3), %ecx
	wrmsr
	say "denied by the filter:"
	mov $0x277, %ecx
	rdmsr
	wrmsr
	say "in no run:"
	mov $(MINE + 0x100), %ecx
	rdmsr
	wrmsr
	say "left to the engine:"
	mov $0xc0000102, %ecx
	mov $0x5555, %eax
	xor %edx, %edx
	wrmsr
	xor %eax, %eax
	rdmsr
	say32 %eax, "kernel gs base: "
	finish
protection:
	mov %rcx, %r8
	mov %rax, %r9
	mov (%rsp), %r10d
	say32 %r10d, "#GP, error code "
	mov %r8, %rcx
	mov %r9, %rax
	add $8, %rsp
	addq $2, (%rsp)
	iretq
functions
idt_register

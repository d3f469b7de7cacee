/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* 64-bit long mode: wide registers, a page at a high linear address, MMIO above 4 GiB, SYSCALL and back. */
#include "guest.inc"
#define TABLES 0x10000
start64
	mov $0xc0000080, %ecx
	rdmsr
	and $0x500, %eax
	say32 %eax, "efer LMA, LME: "
	movabs $0x123456789abcdef0, %r15
	say64 %r15, "r15: "

	/* 0xffff800000000000 -> SCRATCH, and the GiB after that from GPA 0x1200000000 on. */
	movq $(TABLES + 3), PML4 + 8 * 256
	movq $(TABLES + 0x1003), TABLES
	movq $(TABLES + 0x2003), TABLES + 0x1000
	movq $(SCRATCH + 3), TABLES + 0x2000
	movq $(TABLES + 0x3003), TABLES + 8
	movabs $0x1200000083, %rax
	mov %rax, TABLES + 0x3000
	movabs $0xffff800000000000, %r14
	movabs $0x0f1e2d3c4b5a6978, %rax
	mov %rax, 8(%r14)
	mov SCRATCH + 8, %rax
	say64 %rax, "through the mapping: "
	mov $0x40000000, %eax
	mov 0x20(%r14,%rax), %rax
	say64 %rax, "above 4 GiB: "

	/* SYSCALL to a kernel entry at the same privilege's segments (SDM 3A 5.8.8). */
	mov $0xc0000080, %ecx
	rdmsr
	or $1, %eax
	wrmsr
	mov $0xc0000081, %ecx
	xor %eax, %eax
	mov $CS64, %edx
	wrmsr
	mov $0xc0000082, %ecx
	mov $entry, %eax
	xor %edx, %edx
	wrmsr
	syscall
back:
	say "not reached"
	finish 1
entry:
	mov $back, %eax
	cmp %rax, %rcx
	jne back
	say "syscall"
	hlt
	finish
functions
idt_register

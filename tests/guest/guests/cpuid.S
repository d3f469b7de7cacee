/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What CPUID says, as far as it is the same everywhere: the paravirtual identity and what the embedder chose. */
#include "guest.inc"
start64
	mov $0x40000000, %eax
	cpuid
	mov %ebx, text
	mov %ecx, text + 4
	mov %edx, text + 8
	mov $text, %esi
	call puts
	putc '\n'
	mov $1, %eax
	cpuid
	mov %ebx, %r12d
	mov %ecx, %r13d
	mov %edx, %r14d
	shr $24, %r12d
	say32 %r12d, "apic id: "
	and $0x80000000, %r13d
	say32 %r13d, "hypervisor bit: "
	and $0x06000001, %r14d
	say32 %r14d, "SSE2, SSE, FPU: "
	mov $0x80000001, %eax
	cpuid
	and $0x20000000, %edx
	say32 %edx, "long mode: "
	/* Leaves the embedder put in. */
	mov $0x4fff0000, %eax
	mov $1, %ecx
	cpuid
	mov %eax, %r12d
	mov %ebx, %r13d
	mov %ecx, %r14d
	mov %edx, %r15d
	say32 %r12d, "own leaf eax: "
	say32 %r13d, "own leaf ebx: "
	say32 %r14d, "own leaf ecx: "
	say32 %r15d, "own leaf edx: "
	finish
	.balign 4
text:	.zero 16
functions
idt_register

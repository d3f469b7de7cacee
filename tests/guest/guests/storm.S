/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Does one thing over and over and counts at SCRATCH how often; which one, the embedder has written behind
 * that. There is no end to it.
 */
#include "guest.inc"
#include "apic.inc"
#define COUNT SCRATCH
#define KIND SCRATCH + 8
#define LAST SCRATCH + 16
#define WHO SCRATCH + 20
#define LEAST SCRATCH + 24
#define VECTOR 0x40

.macro forever what:vararg
1:	\what
	incq COUNT
	jmp 1b
.endm

start64
	gate64 VECTOR, interrupt
	register LAPIC_SVR, 0x1ff
	mov KIND, %eax
	jmp *kinds(, %rax, 8)

work:	forever nop
ports:	forever outb %al, $0x80
mmio:	mov $MMIO, %edx
	forever mov %eax, (%rdx)
cpuids:
1:	xor %eax, %eax
	cpuid
	incq COUNT
	jmp 1b
calls:	mov $100, %edx
1:	mov %edx, %eax
	vmmcall
	incq COUNT
	jmp 1b
	/* Halted until a timer of 20 us. */
halts:	register LAPIC_DIVIDE, 0xb
	register LAPIC_TIMER, 0x20000 | VECTOR
	register LAPIC_INITIAL, 20000
1:	sti
	hlt
	incq COUNT
	jmp 1b
	/* To itself. */
ipis:	sti
	mov $LAPIC_ICR, %edx
	forever movl $0x40000 | VECTOR, (%rdx)
pauses:	forever pause
	/* A register that the library has itself. */
registers:
	mov $LAPIC_SVR, %edx
	forever mov (%rdx), %eax	/* How long it takes at least from the other vCPU's PAUSE until here. RBP tells the two apart. */
switches:
	movl $-1, LEAST
1:	mov %ebp, WHO
	rdtsc
	mov %eax, LAST
	pause
	rdtsc
	cmp %ebp, WHO
	je 1b
	sub LAST, %eax
	cmp LEAST, %eax
	jae 1b
	mov %eax, LEAST
	jmp 1b

interrupt:
	push %rdi
	register LAPIC_EOI, 0
	pop %rdi
	iretq

	.balign 8
kinds:	.quad work, ports, mmio, cpuids, calls, halts, ipis, pauses, registers, switches
functions
idt_register

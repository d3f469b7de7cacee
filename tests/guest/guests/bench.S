/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What exits cost: the least of 1000 differences of the time-stamp counter around one instruction, less
 * that around none. Under QEMU's -icount the counter counts instructions.
 */
#include "guest.inc"

#define ROUNDS 1000
#define APIC 0xfee00000
#define FRESH 0x40000000 /* ROUNDS pages of memory */

/* RDI and R8 to R12 belong to the measurement. @keep takes a difference in the place of the one kept so far. */
.macro measure_by first, keep, prepare, instruction, text:vararg
	mov $ROUNDS, %r12d
	mov $\first, %r11
1:	\prepare
	rdtsc
	shl $32, %rdx
	or %rdx, %rax
	mov %rax, %r8
	xor %eax, %eax
	xor %edx, %edx
	mov %r9d, %eax
	\instruction
	rdtsc
	shl $32, %rdx
	or %rdx, %rax
	sub %r8, %rax
	cmp %r11, %rax
	\keep %rax, %r11
	dec %r12d
	jnz 1b
	sub %r10, %r11
	mov %r11d, %ebx
	puts_ \text
	call decimal
	putc '\n'
.endm

.macro measure prepare, instruction, text:vararg
	measure_by -1, cmovb, "\prepare", "\instruction", \text
.endm

start64
	/* VMCALL on Intel's processors */
	xor %eax, %eax
	cpuid
	cmp $0x756e6547, %ebx
	jne 1f
	movb $0xc1, hypercall + 2(%rip)
1:
	xor %r10d, %r10d
	xor %r9d, %r9d
	measure nop, "", "with the loop: "
	mov %r11, %r10
	mov $100, %r9d
	measure nop, "hypercall: vmmcall", "hypercall: "
	mov $1, %r9d
	measure nop, cpuid, "cpuid: "
	measure nop, "outb %al, $0x70", "port write in the library: "
	measure nop, "inb $0x70, %al", "port read in the library: "
	measure nop, "outb %al, $0x80", "port write to the embedder: "
	mov $MMIO, %edi
	measure nop, "mov %eax, (%rdi)", "mmio write in the library: "
	measure nop, "mov (%rdi), %eax", "mmio read in the library: "
	mov $APIC, %edi
	measure nop, "mov 0x20(%rdi), %eax", "local APIC read: "
	measure nop, "mov %eax, 0x80(%rdi)", "local APIC write: "
	/* Memory that nobody has touched: the most, not the least. */
	mov $FRESH - 4096, %edi
	measure_by 0, cmova, "add $4096, %rdi", "mov %eax, (%rdi)", "most for the first write to a page: "
	finish

/* EBX in decimal. */
decimal:
	mov %ebx, %eax
	mov $10, %ebx
	xor %ecx, %ecx
1:	xor %edx, %edx
	div %ebx
	add $'0', %edx
	push %rdx
	inc %ecx
	test %eax, %eax
	jnz 1b
2:	pop %rax
	outb %al, $DEBUG
	dec %ecx
	jnz 2b
	ret
functions
idt_register

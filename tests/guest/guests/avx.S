/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* AVX by XSETBV; the embedder looks at the upper halves and changes one at the first HLT. */
#include "guest.inc"
start64
	mov %cr4, %rax
	or $(1 << 18), %eax
	mov %rax, %cr4
	xor %ecx, %ecx
	xor %edx, %edx
	mov $7, %eax
	xsetbv
	xgetbv
	say32 %eax, "xcr0: "
	movabs $0x1111222233334444, %rax
	mov %rax, SCRATCH
	mov %rax, SCRATCH + 24
	vmovdqu SCRATCH, %ymm3
	hlt
	vmovdqu %ymm3, SCRATCH + 32
	mov SCRATCH + 32, %rdx
	say64 %rdx, "ymm3 0: "
	mov SCRATCH + 48, %rdx
	say64 %rdx, "ymm3 2: "
	mov SCRATCH + 56, %rdx
	say64 %rdx, "ymm3 3: "
	finish
functions
idt_register

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* x87, SSE and MXCSR state, which the embedder looks at and changes at the first HLT. */
#include "guest.inc"
start64
	fninit
	fldpi
	fld1
	movabs $0x0123456789abcdef, %rax
	movq %rax, %xmm0
	movq %rax, %xmm15
	pslldq $8, %xmm15
	movl $0x3f80, SCRATCH
	ldmxcsr SCRATCH
	addsd %xmm0, %xmm0
	movq %rax, %xmm1
	hlt
	movq %xmm0, %rdx
	say64 %rdx, "xmm0: "
	movq %xmm1, %rdx
	say64 %rdx, "xmm1: "
	psrldq $8, %xmm15
	movq %xmm15, %rdx
	say64 %rdx, "xmm15 high: "
	stmxcsr SCRATCH
	mov SCRATCH, %edx
	say32 %edx, "mxcsr: "
	fistpl SCRATCH
	mov SCRATCH, %edx
	say32 %edx, "st0: "
	fstpt SCRATCH
	mov SCRATCH, %rdx
	say64 %rdx, "st1: "
	finish
functions
idt_register

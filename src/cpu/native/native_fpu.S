/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The guest's x87 and vector registers in, and out again (System V ABI; for ELF and COFF). */
#include "native_world.h"

	.text

/*
 * vmm__native_load_fpu(RDI = world): the host's x87 and vector registers go to world.host_fpu if there is
 * one, and the guest's come in, unless world.live says that they are there. XCR0 names all components
 * while they are loaded: what the guest has switched off is still its state.
 */
	.globl vmm__native_load_fpu
	.balign 16
vmm__native_load_fpu:
	cmpl $0, NATIVE_W_LIVE(%rdi)
	jne 8f
	mov NATIVE_W_HFPU(%rdi), %rsi
	mov NATIVE_W_XALL(%rdi), %rax
	test %rax, %rax
	jz 5f
	test %rsi, %rsi
	jz 1f
	mov NATIVE_W_HXCR0(%rdi), %eax
	mov NATIVE_W_HXCR0+4(%rdi), %edx
	xsave64 (%rsi)
1:	mov NATIVE_W_XALL(%rdi), %eax
	mov NATIVE_W_XALL+4(%rdi), %edx
	xor %ecx, %ecx
	xsetbv
	mov NATIVE_W_FPU(%rdi), %rsi
	xrstor64 (%rsi)
	mov NATIVE_W_XALL(%rdi), %rax
	cmp NATIVE_W_XCR0(%rdi), %rax
	je 8f
	mov NATIVE_W_XCR0(%rdi), %eax
	mov NATIVE_W_XCR0+4(%rdi), %edx
	xsetbv
8:	ret
5:	test %rsi, %rsi
	jz 6f
	fxsave64 (%rsi)
6:	mov NATIVE_W_FPU(%rdi), %rsi
	fxrstor64 (%rsi)
	ret

/*
 * vmm__native_unload_fpu(RDI = world): the same backwards. XSAVE stores what the guest's XCR0 names; the
 * rest has not changed since it was loaded, but for SSE's and PKRU's registers, which are there
 * whatever XCR0 says (SDM 1 13.3). Without a world.host_fpu the registers keep what they have.
 */
	.globl vmm__native_unload_fpu
	.balign 16
vmm__native_unload_fpu:
	mov NATIVE_W_FPU(%rdi), %r8
	mov NATIVE_W_XALL(%rdi), %rax
	test %rax, %rax
	jz 5f
	mov NATIVE_W_XCR0(%rdi), %rcx
	mov NATIVE_W_XALL+4(%rdi), %edx
	not %rcx
	and %rax, %rcx
	test $0x202, %ecx
	jnz 4f
	xsave64 (%r8)
2:	mov NATIVE_W_HFPU(%rdi), %rsi
	test %rsi, %rsi
	jz 7f
	mov NATIVE_W_HXCR0(%rdi), %eax
	mov NATIVE_W_HXCR0+4(%rdi), %edx
	xor %ecx, %ecx
	xsetbv
	xrstor64 (%rsi)
	ret
4:	xor %ecx, %ecx
	xsetbv
	xsave64 (%r8)
	mov NATIVE_W_XCR0(%rdi), %eax
	mov NATIVE_W_XCR0+4(%rdi), %edx
	xsetbv
	jmp 2b
5:	fxsave64 (%r8)
	mov NATIVE_W_HFPU(%rdi), %rsi
	test %rsi, %rsi
	jz 7f
	fxrstor64 (%rsi)
	ret
7:	movl $1, NATIVE_W_LIVE(%rdi)
	ret

#if defined(__ELF__)
	.section .note.GNU-stack, "", @progbits
#endif

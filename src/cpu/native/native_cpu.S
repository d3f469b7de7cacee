/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The processor's privileged instructions as functions (System V ABI; for ELF and COFF). */
	.text

	.globl vmm__native_rdmsr
vmm__native_rdmsr:
	mov %edi, %ecx
	rdmsr
	shl $32, %rdx
	or %rdx, %rax
	ret

	.globl vmm__native_wrmsr
vmm__native_wrmsr:
	mov %edi, %ecx
	mov %esi, %eax
	mov %rsi, %rdx
	shr $32, %rdx
	wrmsr
	ret

	.globl vmm__native_xgetbv
vmm__native_xgetbv:
	xor %ecx, %ecx
	xgetbv
	shl $32, %rdx
	or %rdx, %rax
	ret

	.globl vmm__native_cr4
vmm__native_cr4:
	mov %cr4, %rax
	ret

	.globl vmm__native_rdtsc
vmm__native_rdtsc:
	rdtsc
	shl $32, %rdx
	or %rdx, %rax
	ret

	.globl vmm__native_cpuid
vmm__native_cpuid:
	push %rbx
	mov %rdx, %r8
	mov %edi, %eax
	mov %esi, %ecx
	cpuid
	mov %eax, (%r8)
	mov %ebx, 4(%r8)
	mov %ecx, 8(%r8)
	mov %edx, 12(%r8)
	pop %rbx
	ret

	.globl vmm__native_get_dr
vmm__native_get_dr:
	mov %dr0, %rax
	mov %rax, (%rdi)
	mov %dr1, %rax
	mov %rax, 8(%rdi)
	mov %dr2, %rax
	mov %rax, 16(%rdi)
	mov %dr3, %rax
	mov %rax, 24(%rdi)
	ret

	.globl vmm__native_set_dr
vmm__native_set_dr:
	mov (%rdi), %rax
	mov %rax, %dr0
	mov 8(%rdi), %rax
	mov %rax, %dr1
	mov 16(%rdi), %rax
	mov %rax, %dr2
	mov 24(%rdi), %rax
	mov %rax, %dr3
	ret

	.globl vmm__native_machine_check
vmm__native_machine_check:
	int $18
	ret

/* vmm__native_send_ipi(RDI = ICR). Not ordered by itself with stores before it (SDM 3A 11.12.3). */
	.globl vmm__native_send_ipi
vmm__native_send_ipi:
	mfence
	lfence
	mov $0x830, %ecx
	mov %edi, %eax
	mov %rdi, %rdx
	shr $32, %rdx
	wrmsr
	ret

#if defined(__ELF__)
	.section .note.GNU-stack, "", @progbits
#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What C and the world switches share: the layout of struct vmm__native_world, and the processor's
 * privileged instructions as functions (native_cpu.S). C has none of its own, so that a test can
 * put another processor here.
 */
#ifndef VMM_NATIVE_WORLD_H
#define VMM_NATIVE_WORLD_H

#define NATIVE_W_RBX     0
#define NATIVE_W_RCX     8
#define NATIVE_W_RDX     16
#define NATIVE_W_RSI     24
#define NATIVE_W_RDI     32
#define NATIVE_W_RBP     40
#define NATIVE_W_R8      48
#define NATIVE_W_R9      56
#define NATIVE_W_R10     64
#define NATIVE_W_R11     72
#define NATIVE_W_R12     80
#define NATIVE_W_R13     88
#define NATIVE_W_R14     96
#define NATIVE_W_R15     104
#define NATIVE_W_OWN(n)  (112 + 8 * (n))
#define NATIVE_W_REQUEST 136
#define NATIVE_W_XALL    144
#define NATIVE_W_XCR0    152
#define NATIVE_W_HXCR0   160
#define NATIVE_W_FPU     168
#define NATIVE_W_HFPU    176
#define NATIVE_W_LIVE    184

#ifdef __ASSEMBLER__

/* The guest's general registers but RAX, RSP and RDI, from the world at RDI, and back. Flags stay.
 */
/* clang-format off */
	.macro load_guest
	mov NATIVE_W_RBX(%rdi), %rbx
	mov NATIVE_W_RCX(%rdi), %rcx
	mov NATIVE_W_RDX(%rdi), %rdx
	mov NATIVE_W_RSI(%rdi), %rsi
	mov NATIVE_W_RBP(%rdi), %rbp
	mov NATIVE_W_R8(%rdi), %r8
	mov NATIVE_W_R9(%rdi), %r9
	mov NATIVE_W_R10(%rdi), %r10
	mov NATIVE_W_R11(%rdi), %r11
	mov NATIVE_W_R12(%rdi), %r12
	mov NATIVE_W_R13(%rdi), %r13
	mov NATIVE_W_R14(%rdi), %r14
	mov NATIVE_W_R15(%rdi), %r15
	.endm
	.macro save_guest
	mov %rbx, NATIVE_W_RBX(%rdi)
	mov %rcx, NATIVE_W_RCX(%rdi)
	mov %rdx, NATIVE_W_RDX(%rdi)
	mov %rsi, NATIVE_W_RSI(%rdi)
	mov %rbp, NATIVE_W_RBP(%rdi)
	mov %r8, NATIVE_W_R8(%rdi)
	mov %r9, NATIVE_W_R9(%rdi)
	mov %r10, NATIVE_W_R10(%rdi)
	mov %r11, NATIVE_W_R11(%rdi)
	mov %r12, NATIVE_W_R12(%rdi)
	mov %r13, NATIVE_W_R13(%rdi)
	mov %r14, NATIVE_W_R14(%rdi)
	mov %r15, NATIVE_W_R15(%rdi)
	.endm
/* Nothing of the guest's is left in those of them that the host does not restore. */
	.macro scrub_guest
	xor %ecx, %ecx
	xor %edx, %edx
	xor %esi, %esi
	xor %r8d, %r8d
	xor %r9d, %r9d
	xor %r10d, %r10d
	xor %r11d, %r11d
	.endm
/* clang-format on */

#else

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* The functions follow the System V ABI on every target. */
#if defined(__x86_64__)
#define VMM__SYSV __attribute__((sysv_abi))
#else
#define VMM__SYSV
#endif

/* A vCPU as a world switch sees it. */
struct vmm__native_world {
	/* The guest's, while it is out; RAX, RSP, RIP and RFLAGS are in its block. */
	uint64_t rbx, rcx, rdx, rsi, rdi, rbp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;

	uint64_t own[3]; /* the engine's: its pages' physical addresses */

	_Atomic uint32_t request; /* the guest is not entered unless it is 0 */
	uint32_t reserved;

	/* XSAVE: components that are switched (0: FXSAVE serves), the guest's XCR0, the host's. */
	uint64_t xall;
	uint64_t xcr0;
	uint64_t host_xcr0;
	void *fpu;
	void *host_fpu; /* NULL: the host has no use for these registers */
	uint32_t live;  /* then: 1, they hold what fpu does, on the CPU that is ready for this world
			 */
	uint32_t reserved1;
};

_Static_assert(offsetof(struct vmm__native_world, rbx) == NATIVE_W_RBX, "assembly");
_Static_assert(offsetof(struct vmm__native_world, rbp) == NATIVE_W_RBP, "assembly");
_Static_assert(offsetof(struct vmm__native_world, r8) == NATIVE_W_R8, "assembly");
_Static_assert(offsetof(struct vmm__native_world, r15) == NATIVE_W_R15, "assembly");
_Static_assert(offsetof(struct vmm__native_world, own) == NATIVE_W_OWN(0), "assembly");
_Static_assert(offsetof(struct vmm__native_world, request) == NATIVE_W_REQUEST, "assembly");
_Static_assert(offsetof(struct vmm__native_world, xall) == NATIVE_W_XALL, "assembly");
_Static_assert(offsetof(struct vmm__native_world, xcr0) == NATIVE_W_XCR0, "assembly");
_Static_assert(offsetof(struct vmm__native_world, host_xcr0) == NATIVE_W_HXCR0, "assembly");
_Static_assert(offsetof(struct vmm__native_world, fpu) == NATIVE_W_FPU, "assembly");
_Static_assert(offsetof(struct vmm__native_world, host_fpu) == NATIVE_W_HFPU, "assembly");
_Static_assert(offsetof(struct vmm__native_world, live) == NATIVE_W_LIVE, "assembly");

/* The guest's x87 and vector registers in, and out again. */
VMM__SYSV void vmm__native_load_fpu(struct vmm__native_world *world);
VMM__SYSV void vmm__native_unload_fpu(struct vmm__native_world *world);

/* Of a dedicated vCPU, by the engine's @way(world, a, b), with the guest's task priority. */
VMM__SYSV uint64_t vmm__native_enter_dedicated(struct vmm__native_world *world, uint64_t a,
					       const void *b, uint64_t *tpr, void (*way)(void));

VMM__SYSV uint64_t vmm__native_rdmsr(uint32_t msr);
VMM__SYSV void vmm__native_wrmsr(uint32_t msr, uint64_t value);
VMM__SYSV uint64_t vmm__native_xgetbv(void);
VMM__SYSV uint64_t vmm__native_cr4(void);
VMM__SYSV uint64_t vmm__native_rdtsc(void);
VMM__SYSV void vmm__native_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);
/* DR0 to DR3; DR7 of the host is that without breakpoints after each exit. */
VMM__SYSV void vmm__native_get_dr(uint64_t dr[4]);
VMM__SYSV void vmm__native_set_dr(const uint64_t dr[4]);
/* To the x2APIC. */
VMM__SYSV void vmm__native_send_ipi(uint64_t icr);
/* The host's own machine-check handler. */
VMM__SYSV void vmm__native_machine_check(void);

#endif
#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What C and svm_world.S share: the layout of struct vmm__svm_world, and the processor's privileged
 * instructions as functions. C has none of its own, so that a test can put another processor here.
 */
#ifndef VMM_SVM_WORLD_H
#define VMM_SVM_WORLD_H

#define SVM_W_RBX     0
#define SVM_W_RCX     8
#define SVM_W_RDX     16
#define SVM_W_RSI     24
#define SVM_W_RDI     32
#define SVM_W_RBP     40
#define SVM_W_R8      48
#define SVM_W_R9      56
#define SVM_W_R10     64
#define SVM_W_R11     72
#define SVM_W_R12     80
#define SVM_W_R13     88
#define SVM_W_R14     96
#define SVM_W_R15     104
#define SVM_W_VMCB    112
#define SVM_W_HOST    120
#define SVM_W_HSAVE   128
#define SVM_W_REQUEST 136
#define SVM_W_XALL    144
#define SVM_W_XCR0    152
#define SVM_W_HXCR0   160
#define SVM_W_FPU     168
#define SVM_W_HFPU    176
#define SVM_W_LIVE    184

#ifndef __ASSEMBLER__

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* The functions follow the System V ABI on every target. */
#if defined(__x86_64__)
#define VMM__SYSV __attribute__((sysv_abi))
#else
#define VMM__SYSV
#endif

/* A vCPU as the world switch sees it. */
struct vmm__svm_world {
	/* The guest's, while it is out; RAX, RSP, RIP and RFLAGS are in the VMCB. */
	uint64_t rbx, rcx, rdx, rsi, rdi, rbp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;

	/* Physical addresses: guest's VMCB, page for the host's VMSAVE, VM_HSAVE_PA. */
	uint64_t vmcb_pa;
	uint64_t host_pa;
	uint64_t hsave_pa;

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

_Static_assert(offsetof(struct vmm__svm_world, rbx) == SVM_W_RBX, "svm_world.S");
_Static_assert(offsetof(struct vmm__svm_world, rbp) == SVM_W_RBP, "svm_world.S");
_Static_assert(offsetof(struct vmm__svm_world, r8) == SVM_W_R8, "svm_world.S");
_Static_assert(offsetof(struct vmm__svm_world, r15) == SVM_W_R15, "svm_world.S");
_Static_assert(offsetof(struct vmm__svm_world, vmcb_pa) == SVM_W_VMCB, "svm_world.S");
_Static_assert(offsetof(struct vmm__svm_world, host_pa) == SVM_W_HOST, "svm_world.S");
_Static_assert(offsetof(struct vmm__svm_world, hsave_pa) == SVM_W_HSAVE, "svm_world.S");
_Static_assert(offsetof(struct vmm__svm_world, request) == SVM_W_REQUEST, "svm_world.S");
_Static_assert(offsetof(struct vmm__svm_world, xall) == SVM_W_XALL, "svm_world.S");
_Static_assert(offsetof(struct vmm__svm_world, xcr0) == SVM_W_XCR0, "svm_world.S");
_Static_assert(offsetof(struct vmm__svm_world, host_xcr0) == SVM_W_HXCR0, "svm_world.S");
_Static_assert(offsetof(struct vmm__svm_world, fpu) == SVM_W_FPU, "svm_world.S");
_Static_assert(offsetof(struct vmm__svm_world, host_fpu) == SVM_W_HFPU, "svm_world.S");
_Static_assert(offsetof(struct vmm__svm_world, live) == SVM_W_LIVE, "svm_world.S");

/* 1: the guest has run, and why it stopped is in the VMCB; 0: there is a request. */
VMM__SYSV int vmm__svm_enter(struct vmm__svm_world *world);
/* Make the CPU the guest's but for what the VMCB holds. 0: VM_HSAVE_PA is not the world's, and
 * nothing has been done. */
VMM__SYSV int vmm__svm_load(struct vmm__svm_world *world);
/* Make it the host's again. */
VMM__SYSV void vmm__svm_unload(struct vmm__svm_world *world);

VMM__SYSV uint64_t vmm__svm_rdmsr(uint32_t msr);
VMM__SYSV void vmm__svm_wrmsr(uint32_t msr, uint64_t value);
VMM__SYSV uint64_t vmm__svm_xgetbv(void);
VMM__SYSV uint64_t vmm__svm_cr4(void);
VMM__SYSV uint64_t vmm__svm_rdtsc(void);
VMM__SYSV void vmm__svm_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);
/* DR0 to DR3; DR7 of the host is that without breakpoints after each exit. */
VMM__SYSV void vmm__svm_get_dr(uint64_t dr[4]);
VMM__SYSV void vmm__svm_set_dr(const uint64_t dr[4]);
/* The host's own machine-check handler. */
VMM__SYSV void vmm__svm_machine_check(void);

#endif
#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The VMX engine's own part; all that is not the VMCS is src/cpu/native's. SDM is Intel's manual,
 * of src/hw/vmx.h.
 *
 * The block is a copy. What the shared code always finds in it (RIP, RSP, RFLAGS, CPL, EFER, CS's
 * attributes, shadow) is read after each exit that is not served between two entries, and written
 * before the next; the rest is read when it is first asked for (regs()), and written only if it was
 * asked for to be changed. RAX and CR2 are the block's alone; so are the MSRs of system calls,
 * which are in the CPU from load to unload, and whose writes are intercepted, but for
 * KERNEL_GS_BASE's.
 *
 * CPUs. Nothing is kept per CPU: a CPU in VMX operation is that of the vCPU whose VMCS is current,
 * and no other VMCS is active there. A vCPU that finds another's takes the CPU over; one that was
 * active elsewhere has itself cleared there first, by a call. In both cases it begins with an empty
 * TLB, so one VPID serves all.
 */
#ifndef VMM_VMX_ENGINE_H
#define VMM_VMX_ENGINE_H

#include "native.h"
#include "vmx.h"
#include "vmx_world.h"

#define VMX_ONE_VPID 1u

/* STAR, LSTAR, CSTAR, SFMASK, KERNEL_GS_BASE: as they follow each other in the block. */
#define VMX_MSRS 5u

/* 32 gates of two each. */
#define VMX_IDT_WORDS 64u

struct vmm__vmx_vcpu {
	struct vmm__native_vcpu native;
	uint64_t at; /* the CPU where the VMCS is, or may be, active; 0: none */
	bool made;   /* the VMCS has all that does not change */
	bool launched;
	bool held;  /* the block has the rest of the registers */
	bool dirty; /* and they are to be written */
	bool window, traps_dr, traps_pause;
	uint32_t exceptions;   /* that leave the guest; written with what is dirty */
	uint32_t pin;          /* pin-based controls */
	uint32_t proc;         /* processor controls, as they stand in the VMCS */
	uint32_t entry;        /* entry controls, the same */
	uint64_t tsc_offset;   /* the same */
	struct vmm_error lost; /* why regs() has not filled the block */
	uint64_t deadline;     /* of the preemption timer, by the CPU's TSC; UINT64_MAX: none */
	uint32_t timer_shift;
	uint64_t pending; /* debug exceptions, when the guest was at pending_rip */
	uint64_t pending_rip;
	uint64_t host_cr3, host_fs, host_gs; /* as they stand in the VMCS */
	uint64_t host_msr[VMX_MSRS];
	struct vmm__vmx_host host;
	/* Of a dedicated vCPU: the IDT on its way into the guest, and the host's. */
	struct vmm__vmx_table idts[2];
	uint64_t idt[VMX_IDT_WORDS];
};

static inline struct vmm__vmx_vcpu *vmm__vmx(struct vmm__native_vcpu *v)
{
	return (struct vmm__vmx_vcpu *)(void *)v;
}

/* vmx_caps.c: what the processor's capability MSRs allow. */
#define VMX_CONTROL_PIN   0u
#define VMX_CONTROL_PROC  1u
#define VMX_CONTROL_PROC2 2u
#define VMX_CONTROL_EXIT  3u
#define VMX_CONTROL_ENTRY 4u
/* This engine can run on this processor. */
int vmm__vmx_check_caps(struct vmm_error *error);
/* What must be 1 of a control. */
uint32_t vmm__vmx_forced(uint32_t which);
/* A VMCS's control to begin with: what is needed, what is of use, and what must be. */
uint32_t vmm__vmx_control(uint32_t which);
/* The preemption timer counts by this bit of the TSC; UINT32_MAX: there is none. */
uint32_t vmm__vmx_timer_shift(void);

/* vmx_control.c: between the block and the VMCS. */
/* Make the VMCS current on this CPU. */
int vmm__vmx_bring(struct vmm__native_vcpu *v, struct vmm_error *error);
/* What is always in the block. */
void vmm__vmx_fetch(struct vmm__native_vcpu *v);
/* And what else tells the guest's mode, where nothing was interrupted in its delivery. */
void vmm__vmx_fetch_mode(struct vmm__native_vcpu *v);
/* All that is to be known before an entry. */
void vmm__vmx_store(struct vmm__native_vcpu *v);
void vmm__vmx_regs(struct vmm__native_vcpu *v, bool change);
void vmm__vmx_vcpu_fini(struct vmm__native_vcpu *v);
void vmm__vmx_vcpu_reset(struct vmm__native_vcpu *v);
void vmm__vmx_pass_msr(struct vmm__native_vm *vm, uint32_t msr, uint32_t access);
void vmm__vmx_want_window(struct vmm__native_vcpu *v, bool on);
void vmm__vmx_watch_nmi(struct vmm__native_vcpu *v);
void vmm__vmx_trap_dr(struct vmm__native_vcpu *v, bool on);
void vmm__vmx_trap_bp(struct vmm__native_vcpu *v, bool on);
void vmm__vmx_trap_pause(struct vmm__native_vcpu *v, bool on);

void vmm__vmx_dedicate(struct vmm__native_vcpu *v);

/* vmx_run.c */
int vmm__vmx_stay(struct vmm__native_vcpu *v, struct vmm_exit *exit, struct vmm_error *error);
bool vmm__vmx_set_timer(struct vmm__native_vcpu *v);
bool vmm__vmx_is_here(const struct vmm__native_vcpu *v);
int vmm__vmx_run(void *vcpu, struct vmm_exit *exit, struct vmm_error *error);

/* vmx_exit.c: exits that the run loop does not handle itself, as those of native_exit.c. */
int vmm__vmx_handle(struct vmm__native_vcpu *v, struct vmm_exit *exit);
/* Of the exit that has come: VMM_PARTITION_ */
uint32_t vmm__vmx_reason(const struct vmm__native_vcpu *v);
/* The processor has refused the VMCS, or what is in it. */
int vmm__vmx_handle_failure(struct vmm__native_vcpu *v, struct vmm_exit *exit);

/* vmx_check.c: the field of the current VMCS that an entry stumbles over, or NULL. */
const char *vmm__vmx_check(void);

#endif

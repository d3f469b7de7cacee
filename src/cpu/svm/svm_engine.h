/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The SVM engine's objects. APM2 is the AMD64 Architecture Programmer's Manual, volume 2, of
 * src/hw/svm.h.
 *
 * Where a vCPU's state is: RAX, RSP, RIP, RFLAGS, segments, control registers and what VMSAVE knows
 * in its VMCB; other general registers in world; x87, SSE and XSAVE state in world.fpu; the rest in
 * struct vmm__svm_vcpu. DR0 to DR3 are in the CPU only while the vCPU uses them (dr_live).
 *
 * CPUs. Nothing is kept per CPU: a CPU's VM_HSAVE_PA tells which vCPU it was made ready for last,
 * since each has a page of its own for that. A vCPU that finds another's address there, or has been
 * elsewhere, makes the CPU ready and begins with an empty TLB; so one ASID serves all.
 *
 * Requests (world.request) are what others want of a vCPU. They are made by one atomic OR, after
 * which on_cpu is read; the vCPU stores on_cpu and then reads requests, with GIF clear: so either
 * it sees the request or is seen, and the interrupt that is sent then ends the guest
 * (svm_world.S).
 */
#ifndef VMM_SVM_ENGINE_H
#define VMM_SVM_ENGINE_H

#include <stdbool.h>

#include "bits.h"
#include "engine.h"
#include "format.h"
#include "irqchip.h"
#include "mem.h"
#include "pt.h"
#include "svm.h"
#include "svm_world.h"
#include "sync.h"
#include "x86_cpuid.h"
#include "x86_emulate.h"

#define SVM_ASID 1u

#define X86_CR4_OSXSAVE BIT(18)

#define X86_RFLAGS_TF BIT(8)
#define X86_RFLAGS_IF BIT(9)

/* world.request */
#define SVM_REQ_KICK  (UINT32_C(1) << 0) /* run() shall come back */
#define SVM_REQ_FLUSH (UINT32_C(1) << 1) /* the VM's nested tables have changed */
#define SVM_REQ_EVENT (UINT32_C(1) << 2) /* look at events before the next entry */

/* What is wanted of a pending exit's answer. */
#define SVM_ANSWER_NONE    0u
#define SVM_ANSWER_PORT    1u /* a value for RAX's low bytes */
#define SVM_ANSWER_RDMSR   2u
#define SVM_ANSWER_WRMSR   3u
#define SVM_ANSWER_EMULATE 4u /* what the emulator asked for */

/* Vectors: APM2 8.2. */
#define SVM_DB 1u
#define SVM_BP 3u
#define SVM_UD 6u
#define SVM_DF 8u
#define SVM_GP 13u
#define SVM_PF 14u
#define SVM_AC 17u
#define SVM_MC 18u

struct vmm__svm_slot {
	uint64_t gpa, len; /* len 0: free */
	uint32_t prot, dirty;
};

struct vmm__svm_vm {
	const struct vmm__services *services;
	const struct vmm_host *host;
	uint32_t irqchip;
	uint32_t flags;
	uint32_t max_vcpus;
	uint32_t tsc_khz;
	uint32_t features; /* EDX of SVM_CPUID_LEAF */
	uint32_t gpa_bits;
	uint64_t xall; /* XSAVE components that guests can have; 0 without XSAVE */
	size_t fpu_bytes;

	struct vmm__pt pt;
	uint64_t *pt_root;
	struct vmm__svm_slot *slots; /* under the core's lock */
	uint32_t slot_room;
	struct vmm__svm_vcpu *vcpus; /* chained by next; under the core's lock */
	bool quiet;                  /* no vCPU is in the guest while tables change */

	struct vmm__svm_vcpu **by_index;
	struct vmm__irqchip chip; /* VMM_IRQCHIP_ARCH */
	struct vmm__lapic **lapics;

	uint8_t *iopm, *msrpm;
	struct vmm_x86_filter *filters; /* of MSRs */
	uint32_t filter_count;

	/* Paravirtual clock: nanoseconds at TSC value 0 of the guest, modulo 2^64; see svm_clock.c.
	 */
	uint64_t clock_base;
	uint64_t tsc_zero;   /* the CPUs' TSC when the VM was made or reset */
	uint64_t stopped_ns; /* since guest time was stopped */
	uint64_t stopped_tsc;
};

/* CPUID's table in the order of leaves, found by leaf in one step. */
#define SVM_CPUID_BASIC    32u /* 0 and on */
#define SVM_CPUID_PV       32u /* 0x40000000 and on */
#define SVM_CPUID_EXTENDED 64u /* 0x80000000 and on */

/* Lengths of instructions that were intercepted, where the processor tells none. */
#define SVM_LENGTHS 16u

struct svm_length {
	uint64_t key, cr3; /* UINT64_MAX: nothing known, no CR3 is that */
	uint64_t len;
};

struct vmm__svm_vcpu {
	struct vmm__svm_world world; /* first: the world switch knows its place */

	/* The run path's; belong to who runs the vCPU. */
	struct svm_vmcb *vmcb;
	struct vmm__svm_vm *vm;
	_Atomic uint64_t on_cpu; /* 0, or the CPU it is on: in the guest or close to it */
	uint32_t answer;         /* SVM_ANSWER_ */
	uint32_t width;          /* of it */
	uint32_t mp;             /* VMM_X86_MP_ */
	uint64_t cpu;            /* that it was on last */
	uint64_t answer_msr;     /* MSR of a pending exit */

	/* Events: what the next entry injects, as EVENTINJ; 0: nothing. */
	uint64_t inject;
	uint64_t payload; /* CR2 or DR6 of an exception that is pending with it */
	bool has_payload;
	bool nmi_masked; /* until IRET */
	bool nmi_iret;   /* the IRET at nmi_iret_rip is to end that */
	bool nmi_step;   /* TF is set for that */
	bool window;     /* VMM_EXIT_IRQ_WINDOW is asked for */
	bool dr_live;    /* DR0 to DR3 are in the CPU */
	bool triple_fault;
	uint64_t nmi_iret_rip;
	_Atomic uint32_t nmis; /* pending */

	uint64_t dr[4];
	uint64_t apic_base;
	uint64_t tsc_adjust;
	uint64_t tsc_aux, host_tsc_aux; /* the CPU's, while host_tsc_aux is the host's */
	uint64_t misc_enable, debugctl;
	uint64_t mtrr_def, mtrr_fixed[11], mtrr_var[16];
	uint64_t pv_time, pv_wall; /* MSRs as written */
	uint32_t sipi_vector;
	_Atomic uint32_t waiting; /* 1: sleeps on world.request */
	struct vmm__lapic lapic;  /* VMM_IRQCHIP_ARCH */
	uint64_t timer_ns;        /* deadline that the CPU's timer was set to for it */
	struct vmm__x86_emulator emulator;
	struct svm_length lengths[SVM_LENGTHS];

	/* Debugging from outside: svm_debug.c. */
	bool stepping, watching;
	bool step_done; /* by emulation: VMM_EXIT_DEBUG is due */
	bool guest_tf;  /* the guest's own, while @stepping has set it */
	uint64_t guest_dr7, watched[VMM_MAX_BREAKPOINTS];

	struct vmm__svm_vcpu *next;
	uint32_t index;
	uint32_t apic_id;
	bool has_xsave;    /* by its CPUID */
	uint8_t phys_bits; /* of its addresses, the same */
	bool has_tsc_aux;  /* RDTSCP or RDPID, the same */

	struct vmm_x86_cpuid *cpuid;
	uint32_t cpuid_count;
	/* Places in cpuid, plus one; 0: none. */
	/* Entries that answer a whole leaf, but for leaf 1's OSXSAVE. */
	const struct vmm_x86_cpuid *quick[SVM_CPUID_BASIC];
	uint16_t basic[SVM_CPUID_BASIC], pv[SVM_CPUID_PV], extended[SVM_CPUID_EXTENDED];

	void *hsave, *host_save; /* pages behind world.hsave_pa and host_pa */
};

static inline void *vmm__svm_alloc(const struct vmm__svm_vm *vm, size_t size, size_t align)
{
	return vm->host->alloc(vm->host->opaque, size, align);
}

static inline void vmm__svm_free(const struct vmm__svm_vm *vm, void *ptr, size_t size)
{
	if (ptr)
		vm->host->free(vm->host->opaque, ptr, size);
}

static inline uint64_t vmm__svm_phys(const struct vmm__svm_vm *vm, const void *ptr)
{
	return vm->host->virt_to_phys(vm->host->opaque, ptr);
}

static inline uint64_t vmm__svm_event(uint32_t type, uint32_t vector)
{
	return SVM_EVENT_V | FIELD_PUT(SVM_EVENT_TYPE, type) | vector;
}

/* Where the length of the instruction at RIP is kept. */
static inline struct svm_length *vmm__svm_length(struct vmm__svm_vcpu *v)
{
	return &v->lengths[v->vmcb->rip % SVM_LENGTHS];
}

/* By what it is known: another instruction at the same place has another exit. Of those whose
 * lengths are kept no two codes are the same modulo SVM_LENGTHS, so the sum tells them apart. */
static inline uint64_t vmm__svm_length_key(const struct svm_vmcb *vmcb, uint64_t code)
{
	return vmcb->rip + vmcb->cs.base + code;
}

/* svm_vcpu.c */
/* One more NMI; more than one being served and one waiting are one (APM2 8.2.3). */
void vmm__svm_add_nmi(struct vmm__svm_vcpu *v);
int vmm__svm_vcpu_create(void *vm, const struct vmm_vcpu_config *config, void **vcpu,
			 struct vmm_error *error);
void vmm__svm_vcpu_destroy(void *vcpu);
int vmm__svm_vcpu_seal(void *vcpu, const struct vmm_x86_cpuid *cpuid, uint32_t count,
		       struct vmm_error *error);
int vmm__svm_vcpu_reset(void *vcpu, struct vmm_error *error);
int vmm__svm_inject(void *vcpu, uint32_t kind, uint32_t vector, uint32_t flags, uint32_t error_code,
		    struct vmm_error *error);
int vmm__svm_request_window(void *vcpu, uint32_t on, struct vmm_error *error);
int vmm__svm_translate(void *vcpu, uint64_t gva, uint32_t prot, uint64_t *gpa,
		       struct vmm_error *error);
void vmm__svm_request(struct vmm__svm_vcpu *v, uint32_t request);
void vmm__svm_wait(void *vcpu, uint64_t deadline_ns);
/* What INIT does, and a start-up IPI after it. */
void vmm__svm_init_ipi(struct vmm__svm_vcpu *v);
void vmm__svm_start_up(struct vmm__svm_vcpu *v, uint32_t vector);
void vmm__svm_kick(void *vcpu);

/* Linux, Documentation/virt/kvm/x86/hypercalls.rst: none of KVM's is offered by CPUID. */
#define KVM_ENOSYS 1000
#define KVM_EPERM  1

/* A hypercall: its number is in RAX, which takes the answer. */
static inline void vmm__svm_do_hypercall(struct vmm__svm_vcpu *v)
{
	v->vmcb->rax = v->vmcb->cpl != 0 ? (uint64_t)-KVM_EPERM : (uint64_t)-KVM_ENOSYS;
}

/* svm_run.c */
int vmm__svm_run(void *vcpu, struct vmm_exit *exit, struct vmm_error *error);
int vmm__svm_complete(void *vcpu, struct vmm_exit *exit, struct vmm_error *error);

/* svm_event.c: what is delivered to the guest. */
/* Raise an exception. A second one while the first is on its way makes a double fault, or the end.
 */
void vmm__svm_raise(struct vmm__svm_vcpu *v, uint32_t vector, bool has_error, uint32_t error);
static inline void vmm__svm_raise_ud(struct vmm__svm_vcpu *v)
{
	vmm__svm_raise(v, SVM_UD, false, 0);
}
static inline void vmm__svm_raise_gp(struct vmm__svm_vcpu *v)
{
	vmm__svm_raise(v, SVM_GP, true, 0);
}
/* Keep what the last exit interrupted, to be delivered again. */
void vmm__svm_take_back(struct vmm__svm_vcpu *v);
/* Decide what the next entry delivers. True: *@exit is to be given instead. */
bool vmm__svm_deliver(struct vmm__svm_vcpu *v, struct vmm_exit *exit);
/* An interrupt could be taken now. */
bool vmm__svm_window_open(const struct vmm__svm_vcpu *v);

/* svm_irq.c: the controller of VMM_IRQCHIP_ARCH. */
int vmm__svm_irq_init(struct vmm__svm_vm *vm, struct vmm_error *error);
void vmm__svm_irq_fini(struct vmm__svm_vm *vm);
int vmm__svm_irq_line(void *vm, uint32_t gsi, uint32_t level);
int vmm__svm_msi(void *vm, uint64_t addr, uint32_t data, uint32_t device_id);
void vmm__svm_pic_access(void *vm, uint32_t port, uint32_t write, uint8_t *value);
struct vmm__lapic_now vmm__svm_now(const struct vmm__svm_vcpu *v);
/* Take what other CPUs have sent; the interrupt to be delivered next is vmm__lapic_next()'s. */
void vmm__svm_irq_look(struct vmm__svm_vcpu *v);
/* True: the vCPU has nothing to run; *@exit says until when. */
bool vmm__svm_irq_idle(struct vmm__svm_vcpu *v, struct vmm_exit *exit);
/* An access to one of its pages; false: it is not. */
bool vmm__svm_irq_access(struct vmm__svm_vcpu *v, const struct vmm__x86_element *element,
			 uint64_t *data);
static inline bool vmm__svm_has_irqchip(const struct vmm__svm_vcpu *v)
{
	return v->vm->irqchip == VMM_IRQCHIP_ARCH;
}

/* svm_emulate.c */
void vmm__svm_emulate_init(struct vmm__svm_vcpu *v);
/* The instruction that the guest was left for; as vmm__svm_handle(). @port_width: of a string
 * instruction on a port, 0 for memory. */
int vmm__svm_emulate(struct vmm__svm_vcpu *v, uint64_t gpa, bool write, uint32_t port_width,
		     struct vmm_exit *exit);
/* Go on with the answer in *@exit: 0 with the next element, or SVM_AGAIN. */
int vmm__svm_emulate_on(struct vmm__svm_vcpu *v, struct vmm_exit *exit);
/* The instruction at RIP. */
int vmm__svm_decode(struct vmm__svm_vcpu *v, struct vmm__x86_insn *insn);
uint64_t *vmm__svm_gpr(struct vmm__svm_vcpu *v, uint32_t number);

/* svm_exit.c: exits that the run loop does not handle itself. */
#define SVM_AGAIN 2 /* handled: go on */
int vmm__svm_handle(struct vmm__svm_vcpu *v, struct vmm_exit *exit, struct vmm_error *error);
/* CR8, wherever it is. */
uint64_t vmm__svm_cr8(const struct vmm__svm_vcpu *v);
void vmm__svm_set_cr8(struct vmm__svm_vcpu *v, uint64_t cr8);
/* The end of an instruction that RIP has been moved past. */
void vmm__svm_end_insn(struct vmm__svm_vcpu *v, bool traps);
/* Move past an instruction of @len bytes that has been carried out. */
void vmm__svm_skip(struct vmm__svm_vcpu *v, uint64_t len);
/* Length of the instruction that was intercepted; @known without a prefix. */
uint64_t vmm__svm_insn_len(struct vmm__svm_vcpu *v, uint64_t known);

/* svm_cpuid.c */
int vmm__svm_cpu_model(const struct vmm_host *host, const char *model,
		       struct vmm_x86_cpuid *entries, uint32_t *count, struct vmm_error *error);
int vmm__svm_seal_cpuid(struct vmm__svm_vcpu *v, const struct vmm_x86_cpuid *cpuid, uint32_t count,
			struct vmm_error *error);
int vmm__svm_get_cpuid(void *vcpu, struct vmm_x86_cpuid *entries, uint32_t *count);
/* Do what CPUID does, but for RIP. */
void vmm__svm_do_cpuid(struct vmm__svm_vcpu *v);
/* A leaf of the vCPU's table; zeros where there is none. */
struct vmm_x86_cpuid vmm__svm_leaf(const struct vmm__svm_vcpu *v, uint32_t leaf, uint32_t subleaf);
/* Place of an XSAVE component above 1 in the standard format; false where there is none. */
bool vmm__svm_xsave_component(const struct vmm__svm_vcpu *v, uint32_t component, uint32_t *offset,
			      uint32_t *size);
uint64_t vmm__svm_xcr0_all(void);
uint32_t vmm__svm_gpa_bits(void);
uint32_t vmm__svm_calibrate(const struct vmm_host *host);

/* svm_memory.c */
int vmm__svm_memory_init(struct vmm__svm_vm *vm, struct vmm_error *error);
void vmm__svm_memory_fini(struct vmm__svm_vm *vm);
int vmm__svm_mem_set(void *vm, uint32_t number, const struct vmm__slot *slot, uint32_t quiet,
		     struct vmm_error *error);
/* Write what the guest itself may write; elsewhere -VMM_EFAULT. @len: at most a page. */
int vmm__svm_write_guest(const struct vmm__svm_vm *vm, uint64_t gpa, const void *buf, size_t len);
int vmm__svm_mem_dirty(void *vm, uint32_t number, uint64_t *bitmap, size_t words,
		       struct vmm_error *error);

/* svm_debug.c */
int vmm__svm_debug(void *vcpu, const struct vmm_debug_config *config, struct vmm_error *error);
/* #DB was intercepted: true if it is the debugger's, with *@exit. */
bool vmm__svm_debug_trap(struct vmm__svm_vcpu *v, struct vmm_exit *exit);
bool vmm__svm_debug_due(struct vmm__svm_vcpu *v, struct vmm_exit *exit);
/* The guest's MOV to or from a debug register while breakpoints use them. */
int vmm__svm_debug_access(struct vmm__svm_vcpu *v, uint32_t number, bool write);

/* svm_msr.c */
int vmm__svm_filter(struct vmm__svm_vm *vm, const struct vmm_x86_filter *msrs, uint32_t count,
		    const struct vmm_x86_filter *ports, uint32_t port_count,
		    struct vmm_error *error);
int vmm__svm_msr_list(void *vm, uint32_t *list, uint32_t *count, struct vmm_error *error);
/* 0, or -VMM_ENOENT: no such register, or not such a value. @by_host: for saving and restoring. */
int vmm__svm_get_msr(struct vmm__svm_vcpu *v, uint32_t index, bool by_host, uint64_t *value);
int vmm__svm_set_msr(struct vmm__svm_vcpu *v, uint32_t index, bool by_host, uint64_t value);
void vmm__svm_reset_msrs(struct vmm__svm_vcpu *v);
/* RDMSR or WRMSR was intercepted; as vmm__svm_handle(). */
int vmm__svm_handle_msr(struct vmm__svm_vcpu *v, struct vmm_exit *exit);
/* The answer to one that the embedder was asked for. */
void vmm__svm_answer_msr(struct vmm__svm_vcpu *v, const struct vmm_exit *exit);
/* EFER's bits that the vCPU has; LMA among them. */
uint64_t vmm__svm_efer_bits(const struct vmm__svm_vcpu *v);
bool vmm__svm_xcr0_valid(const struct vmm__svm_vcpu *v, uint64_t xcr0);

/* svm_clock.c */
uint64_t vmm__svm_tsc(const struct vmm__svm_vcpu *v);
void vmm__svm_set_tsc(struct vmm__svm_vcpu *v, uint64_t value);
void vmm__svm_write_wall(struct vmm__svm_vcpu *v);
void vmm__svm_write_time(struct vmm__svm_vcpu *v);
uint64_t vmm__svm_clock_ns(struct vmm__svm_vm *vm);
void vmm__svm_set_clock(struct vmm__svm_vm *vm, uint64_t ns);
int vmm__svm_clock_stop(void *vm, uint32_t stop, struct vmm_error *error);

/* svm_state.c */
struct vmm_x86_segment vmm__svm_from_segment(const struct svm_segment *s);
int vmm__svm_state_size(void *vcpu, uint32_t cls, uint32_t index, size_t *size);
int vmm__svm_get_state(void *vcpu, uint32_t cls, uint32_t index, void *buf, size_t size,
		       struct vmm_error *error);
int vmm__svm_set_state(void *vcpu, uint32_t cls, uint32_t index, const void *buf, size_t size,
		       struct vmm_error *error);
int vmm__svm_vm_get_state(void *vm, uint32_t cls, uint32_t index, void *buf, size_t size,
			  struct vmm_error *error);
int vmm__svm_vm_set_state(void *vm, uint32_t cls, uint32_t index, const void *buf, size_t size,
			  struct vmm_error *error);
/* x87, SSE and the rest as at power-on. */
void vmm__svm_reset_fpu(struct vmm__svm_vcpu *v);

#endif

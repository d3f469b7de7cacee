/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the engines that own the processor share: all but the processor's own control block and the
 * way into the guest. An engine embeds the structs here as the first members of its own, gives a
 * struct vmm__native_ops, and points its struct vmm_engine at the functions here.
 *
 * The block. What is shared sees the registers of a vCPU that is out of the guest in one layout,
 * that of AMD's VMCB (src/hw/svm.h): the save area, and of the control area shadow, tsc_offset,
 * tlb_control, eventinj, exitintinfo, nrip, exitcode and exitinfo1 (which are only told to the
 * embedder). SVM's processors fill it by themselves; for others it is a copy, which the engine
 * brings up to date before it calls, and looks through for changes before it enters the guest.
 * APM2 is the AMD64 Architecture Programmer's Manual, volume 2.
 *
 * Where a vCPU's state is: RAX, RSP, RIP, RFLAGS, segments, control registers, and MSRs for system
 * calls in the block; other general registers in world; x87, SSE and XSAVE state in world.fpu; the
 * rest in struct vmm__native_vcpu. DR0 to DR3 are in the CPU only while the vCPU uses them
 * (dr_live).
 *
 * Requests (world.request) are what others want of a vCPU. They are made by one atomic OR, after
 * which on_cpu is read; the vCPU stores on_cpu and then reads requests, with interrupts held back:
 * so either it sees the request or is seen, and the interrupt that is sent then ends the guest.
 */
#ifndef VMM_NATIVE_H
#define VMM_NATIVE_H

#include <stdbool.h>

#include "bits.h"
#include "engine.h"
#include "format.h"
#include "irqchip.h"
#include "mem.h"
#include "native_partition.h"
#include "native_world.h"
#include "pt.h"
#include "serve.h"
#include "svm.h"
#include "sync.h"
#include "x86_cpuid.h"
#include "x86_emulate.h"
#include "x86_regs.h"

#define NATIVE_PAGES 3

/* A vCPU that has not left the guest by then never will; meanwhile it is kicked again and again. */
#define NATIVE_LEAVE_NS  UINT64_C(60000000000)
#define NATIVE_REKICK_NS UINT64_C(100000)

/* XSTATE_BV in an XSAVE area: SDM 1 13.4.2. */
#define NATIVE_XSAVE_BV 512u

/* world.request */
#define NATIVE_REQ_KICK  (UINT32_C(1) << 0) /* run() shall come back */
#define NATIVE_REQ_FLUSH (UINT32_C(1) << 1) /* the VM's nested tables have changed */
#define NATIVE_REQ_EVENT (UINT32_C(1) << 2) /* look at events before the next entry */

/* Who is to be told of a request for a vCPU that does not run. */
#define NATIVE_WAIT_SLEEPS (UINT32_C(1) << 0) /* who sleeps on world.request */
#define NATIVE_WAIT_IDLE   (UINT32_C(1) << 1) /* the core: VMM_EXIT_IDLE has been given */

/* What is wanted of a pending exit's answer. */
#define NATIVE_ANSWER_NONE    0u
#define NATIVE_ANSWER_PORT    1u /* a value for RAX's low bytes */
#define NATIVE_ANSWER_RDMSR   2u
#define NATIVE_ANSWER_WRMSR   3u
#define NATIVE_ANSWER_EMULATE 4u /* what the emulator asked for */

/* Vectors: APM2 8.2. */
#define NATIVE_DB 1u
#define NATIVE_BP 3u
#define NATIVE_UD 6u
#define NATIVE_DF 8u
#define NATIVE_GP 13u
#define NATIVE_PF 14u
#define NATIVE_AC 17u
#define NATIVE_MC 18u

struct vmm__native_slot {
	uint64_t gpa, len; /* len 0: free */
	uint32_t prot, dirty;
};

struct vmm__native_vm;
struct vmm__native_vcpu;

/* What an engine brings. */
struct vmm__native_ops {
	size_t vm_bytes, vcpu_bytes; /* of its objects, which begin with those of this file */
	size_t msrpm_bytes;
	uint32_t pages; /* that its vCPUs need, with the block */
	uint64_t efer;  /* bits of EFER that stand in the block and are not the guest's */

	/* Called once the shared parts have been made: features, gpa_bits, and the nested tables'
	 * format, ia_bits, leaf_shift and flags in *@paging. */
	void (*vm_init)(struct vmm__native_vm *vm, struct vmm__pt_config *paging);
	/* NULL, or what is to be done before its pages are given back. */
	void (*vcpu_fini)(struct vmm__native_vcpu *v);
	/* The block, and what stands beside it, as for a vCPU that never ran. */
	void (*vcpu_reset)(struct vmm__native_vcpu *v);
	/* Let the guest have an MSR itself; all others are intercepted. @access: VMM_FILTER_ */
	void (*pass_msr)(struct vmm__native_vm *vm, uint32_t msr, uint32_t access);

	/* Registers of the block are about to be looked at, or changed, that is others than RAX,
	 * RSP, RIP, RFLAGS, CPL, EFER, CS's attributes and shadow, which are always there. */
	void (*regs)(struct vmm__native_vcpu *v, bool change);

	/* --- what makes the guest leave, from the next entry on --- */
	/* As soon as it could take an interrupt. */
	void (*want_window)(struct vmm__native_vcpu *v, bool on);
	/* nmi_masked has been set or cleared: be told of its end. */
	void (*watch_nmi)(struct vmm__native_vcpu *v);
	/* MOV to and from debug registers. */
	void (*trap_dr)(struct vmm__native_vcpu *v, bool on);
	/* #BP, before it is delivered. */
	void (*trap_bp)(struct vmm__native_vcpu *v, bool on);
	/* A dedicated vCPU, after vcpu_reset() and when it settles: its partition says how. */
	void (*dedicate)(struct vmm__native_vcpu *v);
	/* A dedicated vCPU goes into the guest once: NATIVE_AGAIN, or as run(). */
	int (*stay)(struct vmm__native_vcpu *v, struct vmm_exit *exit, struct vmm_error *error);
	/* The calling CPU is ready for this vCPU: entering will not call
	 * vmm__native_timer_here(). */
	bool (*is_here)(const struct vmm__native_vcpu *v);
	/* timer_ns is when the guest is to leave, by a timer of the processor's own; false: it has
	 * none, and the host's serves. NULL: the same. */
	bool (*set_timer)(struct vmm__native_vcpu *v);
	/* PAUSE. */
	void (*trap_pause)(struct vmm__native_vcpu *v, bool on);
};

struct vmm__native_vm {
	const struct vmm__native_ops *ops;
	const struct vmm__services *services;
	const struct vmm_host *host;
	uint32_t irqchip;
	uint32_t flags;
	uint32_t max_vcpus;
	uint32_t tsc_khz;
	uint32_t features; /* as EDX of SVM_CPUID_LEAF: what the block holds after an exit */
	uint32_t gpa_bits;
	uint32_t va_bits; /* the processor's: 48 or 57 */
	uint64_t xall;    /* XSAVE components that guests can have; 0 without XSAVE */
	size_t fpu_bytes;

	uint64_t *pt_root;
	struct vmm__native_slot *slots; /* under the core's lock */
	uint32_t slot_room;
	struct vmm__native_vcpu *vcpus; /* chained by next; under the core's lock */
	_Atomic uint32_t changes;       /* to slots, that have begun or ended: odd in one */
	bool quiet;                     /* no vCPU is in the guest while tables change */

	struct vmm__native_vcpu **by_index;
	struct vmm__lapic **lapics;
	_Atomic uint64_t alarm_ns; /* when vCPU 0 comes back for the core */

	uint8_t *iopm, *msrpm;
	uint8_t *partition_msrpm[2];    /* of dedicated vCPUs: those that start, and have settled */
	struct vmm_x86_filter *filters; /* of MSRs */
	uint32_t filter_count;

	/* Paravirtual clock: nanoseconds at TSC value 0 of the guest, modulo 2^64; see
	 * native_clock.c.
	 */
	uint64_t clock_base;
	uint64_t tsc_zero; /* the CPUs' TSC when the VM was made or reset */
	bool stopped;      /* guest time, at the next two */
	uint64_t stopped_ns;
	uint64_t stopped_tsc;

	struct vmm__pt pt;
	struct vmm__irqchip chip; /* VMM_IRQCHIP_ARCH */
};

/* CPUID's table in the order of leaves, found by leaf in one step. */
#define NATIVE_CPUID_BASIC    32u /* 0 and on */
#define NATIVE_CPUID_PV       32u /* 0x40000000 and on */
#define NATIVE_CPUID_EXTENDED 64u /* 0x80000000 and on */

/* Lengths of instructions that were intercepted, where the processor tells none. */
#define NATIVE_LENGTHS 16u

struct native_length {
	uint64_t key, cr3; /* UINT64_MAX: nothing known, no CR3 is that */
	uint64_t len;
};

/*
 * A vCPU that is in run() keeps windows on pages of the guest that it has read: native_view.c. They
 * are as good as its TLB: whoever changes nested tables asks for FLUSH and then waits until it is
 * off its CPU, and it looks for FLUSH when on_cpu has been stored, before it reads through one.
 */
#define NATIVE_VIEWS 8u

struct native_view {
	uint64_t gpa; /* of the page */
	uint8_t *at;
};

/* What was read through views on the way to an instruction: entries of the guest's page tables, and
 * then its bytes. */
#define NATIVE_STEPS 5u

struct native_trace {
	const uint64_t *step[NATIVE_STEPS];
	uint64_t entry[NATIVE_STEPS];
	uint32_t steps;
	bool open;           /* to be added to */
	const uint8_t *code; /* VMM__X86_INSN_MAX bytes; NULL: it does not lead there */
};

/*
 * An instruction of 64-bit code that was emulated. It is the same again if it stands at the same
 * place in the same mode, all entries that lead there are what they were, and its bytes: then
 * walking, fetching and decoding would have the same result. All of that is read again each time,
 * so neither changed code nor changed tables go unnoticed.
 */
#define NATIVE_SITES   4u
#define NATIVE_NO_SITE BIT(63) /* its RIP: not canonical */

struct native_site {
	uint64_t rip, cr0, cr3, cr4, efer;
	uint16_t cs_attr;
	uint8_t cpl;
	bool moves;           /* vmm__x86_is_move() */
	uint32_t changes;     /* of nested tables, when there was nothing at gpa */
	uint64_t linear, gpa; /* pages: where its operand was */
	uint64_t bytes[2];    /* the first 8 bytes, and the last 8 of VMM__X86_INSN_MAX */
	struct native_trace trace;
	struct vmm__x86_insn insn;
};

struct vmm__native_vcpu {
	/* The run path's; belong to who runs the vCPU. First, since shorter code reaches them. */
	struct svm_vmcb *vmcb; /* the block */
	struct vmm__native_vm *vm;
	_Atomic uint64_t on_cpu; /* 0, or the CPU it is on: in the guest or close to it */
	uint32_t answer;         /* NATIVE_ANSWER_ */
	uint32_t width;          /* of it */
	uint32_t mp;             /* VMM_X86_MP_ */
	uint32_t io_key;         /* what of an exit tells a port that is known */
	uint64_t cpu;            /* that it was on last */
	struct vmm_vcpu *core;   /* the core's, from sealing on: others read it */

	/* Events: what the next entry injects, as EVENTINJ, until it has succeeded; 0: nothing. */
	uint64_t inject;
	uint64_t payload; /* CR2 or DR6 of an exception that is pending with it */
	bool has_payload;
	bool nmi_masked; /* until IRET */
	bool nmi_iret;   /* the IRET at nmi_iret_rip is to end that */
	bool nmi_step;   /* TF is set for that */
	bool window;     /* VMM_EXIT_IRQ_WINDOW is asked for */
	bool dr_live;    /* DR0 to DR3 are in the CPU */
	bool triple_fault;
	bool dedicated;
	_Atomic uint32_t nmis; /* pending */

	struct vmm__native_world world;

	uint64_t nmi_iret_rip;
	/* Debugging from outside: native_debug.c. */
	bool stepping, watching;
	bool step_done;    /* by emulation: VMM_EXIT_DEBUG is due */
	bool guest_tf;     /* the guest's own, while @stepping has set it */
	bool has_xsave;    /* by its CPUID */
	bool has_tsc_aux;  /* RDTSCP or RDPID, the same */
	uint8_t phys_bits; /* of its addresses, the same */
	bool pdptes_held;  /* see below */

	uint64_t dr[4];
	/* PAE's directory pointers, if the processor does not read them from memory when it needs
	 * them: as the block's rest. */
	uint64_t pdptes[4];
	uint64_t apic_base;
	uint64_t tsc_adjust;
	uint64_t tsc_aux, host_tsc_aux; /* the CPU's, while host_tsc_aux is the host's */
	uint64_t misc_enable, debugctl;
	uint64_t mtrr_def, mtrr_fixed[11], mtrr_var[16];
	uint64_t pv_time, pv_wall; /* MSRs as written */
	uint32_t sipi_vector;
	_Atomic uint32_t waiting; /* NATIVE_WAIT_ */
	struct vmm__lapic lapic;  /* VMM_IRQCHIP_ARCH */
	uint64_t timer_ns;        /* deadline that the CPU's timer was set to for it; 0: unknown */
	uint64_t slice_ns;        /* VMM_EXIT_PREEMPTED from then on; VMM_FOREVER: none */
	bool pause_trapped;
	bool marked; /* some CPU's timer has world.request to mark */
	struct vmm__x86_emulator emulator;
	struct native_length lengths[NATIVE_LENGTHS];

	/* While it is in run(), else both are 0. */
	uint32_t view_room, view_count;
	struct native_view views[NATIVE_VIEWS];
	struct native_trace trace; /* of what is being read */
	struct native_site sites[NATIVE_SITES];
	struct vmm_exit given; /* by vmm__native_emulate_known() */
	int result;            /* its own */

	uint64_t guest_dr7, watched[VMM_MAX_BREAKPOINTS];

	/* The engine's, by number; the first is the block. Their physical addresses are in
	 * world.own. */
	void *page[NATIVE_PAGES];

	struct vmm__native_vcpu *next;
	uint32_t index;
	uint32_t apic_id;

	struct vmm_x86_cpuid *cpuid;
	uint32_t cpuid_count;
	/* Entries that answer a whole leaf, but for leaf 1's OSXSAVE. */
	const struct vmm_x86_cpuid *quick[NATIVE_CPUID_BASIC];
	/* Places in cpuid, plus one; 0: none. */
	uint16_t basic[NATIVE_CPUID_BASIC], pv[NATIVE_CPUID_PV], extended[NATIVE_CPUID_EXTENDED];

	/* By VMM_PARTITION_, since it was reset; written by who runs it. */
	_Atomic uint64_t exits[VMM_PARTITION_REASONS];

	struct native_partition partition; /* if it is dedicated */
};

static inline void *vmm__native_alloc(const struct vmm__native_vm *vm, size_t size, size_t align)
{
	return vm->host->alloc(vm->host->opaque, size, align);
}

static inline void vmm__native_free(const struct vmm__native_vm *vm, void *ptr, size_t size)
{
	if (ptr)
		vm->host->free(vm->host->opaque, ptr, size);
}

static inline uint64_t vmm__native_phys(const struct vmm__native_vm *vm, const void *ptr)
{
	return vm->host->virt_to_phys(vm->host->opaque, ptr);
}

static inline void vmm__native_regs(struct vmm__native_vcpu *v, bool change)
{
	v->vm->ops->regs(v, change);
}

static inline uint64_t vmm__native_event(uint32_t type, uint32_t vector)
{
	return SVM_EVENT_V | FIELD_PUT(SVM_EVENT_TYPE, type) | vector;
}

/* The CPU that it is on, from where it can only be interrupted; 0 also while it calls the bus: it
 * looks at its requests when the call has ended. */
static inline uint64_t vmm__native_on_cpu(const struct vmm__native_vcpu *v)
{
	uint64_t cpu = atomic_load(&v->on_cpu);

	return cpu != 0 && atomic_load(&v->core->calling) == NULL ? cpu : 0;
}

/* Where the length of the instruction at RIP is kept. */
static inline struct native_length *vmm__native_length(struct vmm__native_vcpu *v)
{
	return &v->lengths[v->vmcb->rip % NATIVE_LENGTHS];
}

/* By what it is known: another instruction at the same place has another exit. Of those whose
 * lengths are kept no two codes are the same modulo NATIVE_LENGTHS, so the sum tells them apart. */
static inline uint64_t vmm__native_length_key(const struct svm_vmcb *vmcb, uint64_t code)
{
	return vmcb->rip + vmcb->cs.base + code;
}

/* native_vm.c */
/* What of the host is missing for any engine here. */
int vmm__native_check_services(const struct vmm_host *host, const char *engine,
			       struct vmm_error *error);
int vmm__native_check_host(struct vmm_error *error);
uint64_t vmm__native_cap(const struct vmm_host *host, uint32_t gpa_bits, uint32_t cap);
int vmm__native_vm_create(const struct vmm__native_ops *ops, const struct vmm__services *services,
			  const struct vmm_vm_config *config, void **out, struct vmm_error *error);
void vmm__native_vm_destroy(void *vm);
int vmm__native_vm_cap(void *vm, uint32_t cap, uint64_t *value);
int vmm__native_vm_reset(void *vm, struct vmm_error *error);

/* native_vcpu.c */
/* Take back what was about to be delivered and has not been. */
void vmm__native_unstage(struct vmm__native_vcpu *v);
/* One more NMI; more than one being served and one waiting are one (APM2 8.2.3). */
void vmm__native_add_nmi(struct vmm__native_vcpu *v);
int vmm__native_vcpu_create(void *vm, const struct vmm_vcpu_config *config, void **vcpu,
			    struct vmm_error *error);
void vmm__native_vcpu_destroy(void *vcpu);
int vmm__native_vcpu_seal(void *vcpu, const struct vmm_x86_cpuid *cpuid, uint32_t count,
			  struct vmm_error *error);
int vmm__native_vcpu_reset(void *vcpu, struct vmm_error *error);
int vmm__native_inject(void *vcpu, uint32_t kind, uint32_t vector, uint32_t flags,
		       uint32_t error_code, struct vmm_error *error);
int vmm__native_request_window(void *vcpu, uint32_t on, struct vmm_error *error);
int vmm__native_translate(void *vcpu, uint64_t gva, uint32_t prot, uint64_t *gpa,
			  struct vmm_error *error);
void vmm__native_request(struct vmm__native_vcpu *v, uint32_t request);
/* Requests that have nothing to do with the guest's own events. True: come back from run(). */
bool vmm__native_serve_requests(struct vmm__native_vcpu *v);
void vmm__native_wait(void *vcpu, uint64_t deadline_ns);
/* What INIT does, and a start-up IPI after it. */
void vmm__native_init_ipi(struct vmm__native_vcpu *v);
void vmm__native_start_up(struct vmm__native_vcpu *v, uint32_t vector);
void vmm__native_kick(void *vcpu);
int vmm__native_slice(void *vcpu, uint64_t deadline_ns, uint32_t flags);

/* Linux, Documentation/virt/kvm/x86/hypercalls.rst: none of KVM's is offered by CPUID. */
#define KVM_ENOSYS 1000
#define KVM_EPERM  1

/* A hypercall: its number is in RAX, which takes the answer. */
static inline void vmm__native_do_hypercall(struct vmm__native_vcpu *v)
{
	v->vmcb->rax = v->vmcb->cpl != 0 ? (uint64_t)-KVM_EPERM : (uint64_t)-KVM_ENOSYS;
}

/* native_event.c: what is delivered to the guest. */
/* Raise an exception. A second one while the first is on its way makes a double fault, or the end.
 */
void vmm__native_raise(struct vmm__native_vcpu *v, uint32_t vector, bool has_error, uint32_t error);
static inline void vmm__native_raise_ud(struct vmm__native_vcpu *v)
{
	vmm__native_raise(v, NATIVE_UD, false, 0);
}
static inline void vmm__native_raise_gp(struct vmm__native_vcpu *v)
{
	vmm__native_raise(v, NATIVE_GP, true, 0);
}
/* Keep what the last exit interrupted, to be delivered again. */
void vmm__native_take_back(struct vmm__native_vcpu *v);
/* Decide what the next entry delivers. True: *@exit is to be given instead. */
bool vmm__native_deliver(struct vmm__native_vcpu *v, struct vmm_exit *exit);
/* An interrupt could be taken now. */
bool vmm__native_window_open(const struct vmm__native_vcpu *v);

/* native_irq.c: the controller of VMM_IRQCHIP_ARCH. */
int vmm__native_irq_init(struct vmm__native_vm *vm, struct vmm_error *error);
void vmm__native_irq_fini(struct vmm__native_vm *vm);
int vmm__native_irq_line(void *vm, uint32_t gsi, uint32_t level);
int vmm__native_msi(void *vm, uint64_t addr, uint32_t data, uint32_t device_id);
void vmm__native_alarm(void *vm, uint64_t deadline_ns);
void vmm__native_pic_access(void *vm, uint32_t port, uint32_t write, uint8_t *value);
struct vmm__lapic_now vmm__native_now(const struct vmm__native_vcpu *v);
/* Take what other CPUs have sent; the interrupt to be delivered next is vmm__lapic_next()'s. Gives
 * the time at which to look again. */
uint64_t vmm__native_irq_look(struct vmm__native_vcpu *v, const struct vmm__lapic_now *now);
/* Make state of what has come since the vCPU ran, for who reads it. */
void vmm__native_irq_settle(struct vmm__native_vcpu *v);
/* True: the vCPU has nothing to run, until that time if it has halted; with *@exit. */
bool vmm__native_irq_idle(struct vmm__native_vcpu *v, uint64_t deadline, struct vmm_exit *exit);
/* VMM_EXIT_IDLE is being given: requests from now on, and those there are, are told to the core. */
void vmm__native_tell_idle(struct vmm__native_vcpu *v);
/* An interrupt at @deadline at the latest, which ends the guest. It makes a request, too: it may
 * come while the host does something for the guest. */
void vmm__native_set_timer(struct vmm__native_vcpu *v, uint64_t deadline);
/* The same for this CPU, which another vCPU or none has had. */
void vmm__native_timer_here(struct vmm__native_vcpu *v);
/* An access to one of its pages; false: it is not. */
bool vmm__native_irq_access(struct vmm__native_vcpu *v, const struct vmm__x86_element *element,
			    uint64_t *data);
static inline bool vmm__native_has_irqchip(const struct vmm__native_vcpu *v)
{
	return v->vm->irqchip == VMM_IRQCHIP_ARCH;
}

/* native_emulate.c */
void vmm__native_emulate_init(struct vmm__native_vcpu *v);
/* The instruction that the guest was left for; as those of native_exit.c. @port_width: of a string
 * instruction on a port, 0 for memory. */
int vmm__native_emulate(struct vmm__native_vcpu *v, uint64_t gpa, bool write, uint32_t port_width,
			struct vmm_exit *exit);
/*
 * The same without leaving, where the instruction is known: on_cpu is stored, and vector registers
 * are the guest's. NATIVE_UNKNOWN: nothing has happened. Else as vmm__native_emulate(), with the
 * exit in v->given.
 */
#define NATIVE_UNKNOWN 4
int vmm__native_emulate_known(struct vmm__native_vcpu *v, uint64_t gpa, bool write);
/* Go on with the answer in *@exit: 0 with the next element, or NATIVE_AGAIN. */
int vmm__native_emulate_on(struct vmm__native_vcpu *v, bool running, struct vmm_exit *exit);
/* PAE's directory pointers; false: this is not its paging, or they cannot be read. */
bool vmm__native_pdptes(struct vmm__native_vcpu *v, uint64_t pdptes[4]);
/* The instruction at RIP. */
int vmm__native_decode(struct vmm__native_vcpu *v, struct vmm__x86_insn *insn);
uint64_t *vmm__native_gpr(struct vmm__native_vcpu *v, uint32_t number);

/* native_exit.c: exits, as far as they are the same everywhere. Those that give an int: 0 with
 * *@exit, or NATIVE_AGAIN. */
#define NATIVE_AGAIN 2 /* handled: go on */
void vmm__native_fill(struct vmm__native_vcpu *v, struct vmm_exit *exit, uint32_t reason);
/* The answer to a pending exit, but for NATIVE_ANSWER_EMULATE. */
void vmm__native_take_answer(struct vmm__native_vcpu *v, const struct vmm_exit *exit);
int vmm__native_complete(void *vcpu, struct vmm_exit *exit, struct vmm_error *error);
int vmm__native_give_error(struct vmm__native_vcpu *v, struct vmm_exit *exit);
int vmm__native_handle_hlt(struct vmm__native_vcpu *v, struct vmm_exit *exit);
int vmm__native_handle_xsetbv(struct vmm__native_vcpu *v);
/* A port access that cannot be given by the short way: string, single-stepped, or with its place
 * wanted. @info: as EXITINFO1 has it; @next: RIP after it, but for string instructions. */
int vmm__native_handle_port(struct vmm__native_vcpu *v, uint64_t info, uint64_t next,
			    struct vmm_exit *exit);
int vmm__native_handle_dr(struct vmm__native_vcpu *v, uint32_t number, bool write);
/* The slice is over. */
int vmm__native_handle_pause(struct vmm__native_vcpu *v, struct vmm_exit *exit);
int vmm__native_handle_exception(struct vmm__native_vcpu *v, uint32_t vector,
				 struct vmm_exit *exit);
/* MOV to or from CR8, of @len bytes. */
int vmm__native_handle_cr8(struct vmm__native_vcpu *v, bool write, uint32_t gpr, uint64_t len);
/* An access that the nested tables refused. NATIVE_AGAIN with *@stale: they allow it by now, so
 * that the TLB is to be emptied. */
int vmm__native_handle_fault(struct vmm__native_vcpu *v, uint64_t gpa, bool write, bool *stale,
			     struct vmm_exit *exit);
/* CR8, wherever it is. */
uint64_t vmm__native_cr8(const struct vmm__native_vcpu *v);
void vmm__native_set_cr8(struct vmm__native_vcpu *v, uint64_t cr8);
/* The end of an instruction that RIP has been moved past. */
void vmm__native_end_insn(struct vmm__native_vcpu *v, bool traps);
/* Move past an instruction of @len bytes that has been carried out. */
void vmm__native_skip(struct vmm__native_vcpu *v, uint64_t len);
int vmm__native_skip_and_go_on(struct vmm__native_vcpu *v, uint64_t known);
/* Length of the instruction that was intercepted; @known without a prefix. */
uint64_t vmm__native_insn_len(struct vmm__native_vcpu *v, uint64_t known);

/* The hardware has left the guest. @reason: VMM_PARTITION_ */
static inline void vmm__native_count(struct vmm__native_vcpu *v, uint32_t reason)
{
	atomic_fetch_add_explicit(&v->exits[reason], 1, memory_order_relaxed);
}

/* In run(): the answer to what it gave before. NATIVE_AGAIN, or 0 with the next element. */
static VMM__INLINE int vmm__native_resume(struct vmm__native_vcpu *v, struct vmm_exit *exit)
{
	if (v->answer == NATIVE_ANSWER_NONE)
		return NATIVE_AGAIN;
	if (v->answer == NATIVE_ANSWER_EMULATE)
		return vmm__native_emulate_on(v, true, exit);
	vmm__native_take_answer(v, exit);
	return NATIVE_AGAIN;
}

/* In run(), before each entry: NATIVE_AGAIN to go on, or what it returns. */
static VMM__INLINE int vmm__native_prepare(struct vmm__native_vcpu *v, struct vmm_exit *exit)
{
	if (VMM__LIKELY((atomic_load(&v->world.request) | v->mp) == 0))
		return NATIVE_AGAIN;
	if (vmm__native_serve_requests(v))
		return VMM__INTERRUPTED;
	return vmm__native_deliver(v, exit) ? 0 : NATIVE_AGAIN;
}

/* native_partition.c: dedicated vCPUs. */
int vmm__native_partition_create(struct vmm__native_vcpu *v, struct vmm_error *error);
/* Its CPU, if it has one, is the host's again. */
void vmm__native_partition_leave(struct vmm__native_vcpu *v);
/* CPUID, and later control block and local APIC, once they are as any vCPU's. */
void vmm__native_partition_seal(struct vmm__native_vcpu *v);
void vmm__native_partition_reset(struct vmm__native_vcpu *v);
void vmm__native_partition_filter(struct vmm__native_vm *vm);
/* MSRs of the local APIC that are intercepted. */
int vmm__native_partition_get_msr(struct vmm__native_vcpu *v, uint32_t index, uint64_t *value);
int vmm__native_partition_set_msr(struct vmm__native_vcpu *v, uint32_t index, uint64_t value);
void vmm__native_partition_post(void *vm, uint32_t index, uint32_t vector);
int vmm__native_run_dedicated(void *vcpu, struct vmm_exit *exit, struct vmm_error *error);
/* Before each entry: this CPU is the vCPU's, now if it has none. */
int vmm__native_partition_enter(struct vmm__native_vcpu *v, struct vmm_error *error);
/* After each exit of one. @reason: VMM_PARTITION_ */
void vmm__native_partition_count(struct vmm__native_vcpu *v, uint32_t reason);
int vmm__native_settle(void *vm, struct vmm_error *error);
void vmm__native_partition_exits(void *vcpu, struct vmm_partition_exits *exits);
void vmm__native_exit_budget(void *vcpu, const struct vmm_exit_budget *budget);

/* native_cpuid.c */
int vmm__native_cpu_model(const struct vmm_host *host, const char *model,
			  struct vmm_x86_cpuid *entries, uint32_t *count, struct vmm_error *error);
int vmm__native_get_cpuid(void *vcpu, struct vmm_x86_cpuid *entries, uint32_t *count);
/* Do what CPUID does, but for RIP. */
void vmm__native_do_cpuid(struct vmm__native_vcpu *v);
/* A leaf of the vCPU's table; zeros where there is none. */
struct vmm_x86_cpuid vmm__native_leaf(const struct vmm__native_vcpu *v, uint32_t leaf,
				      uint32_t subleaf);
/* Place of an XSAVE component above 1 in the standard format; false where there is none. */
bool vmm__native_xsave_component(const struct vmm__native_vcpu *v, uint32_t component,
				 uint32_t *offset, uint32_t *size);
uint64_t vmm__native_xcr0_all(void);
/* Of addresses, where nested tables take @most. */
uint32_t vmm__native_gpa_bits(uint32_t most);
uint32_t vmm__native_calibrate(const struct vmm_host *host);

/* native_memory.c */
int vmm__native_memory_init(struct vmm__native_vm *vm, struct vmm__pt_config *config,
			    struct vmm_error *error);
void vmm__native_memory_fini(struct vmm__native_vm *vm);
int vmm__native_mem_set(void *vm, uint32_t number, const struct vmm__slot *slot, uint32_t quiet,
			struct vmm_error *error);
/* Write what the guest itself may write; elsewhere -VMM_EFAULT. @len: at most a page. */
int vmm__native_write_guest(const struct vmm__native_vm *vm, uint64_t gpa, const void *buf,
			    size_t len);
int vmm__native_mem_dirty(void *vm, uint32_t number, uint64_t *bitmap, size_t words,
			  struct vmm_error *error);

/* native_view.c */
/* Guest memory as the guest has it: 0; -VMM_EFAULT: there is none. Not across a page. @ctx: the
 * vCPU. */
int vmm__native_read_guest(void *ctx, uint64_t gpa, void *buf, size_t len);
/* Give all windows back, and forget what was seen there. */
void vmm__native_close_views(struct vmm__native_vcpu *v);

/* native_debug.c */
int vmm__native_debug(void *vcpu, const struct vmm_debug_config *config, struct vmm_error *error);
/* #DB was intercepted: true if it is the debugger's, with *@exit. */
bool vmm__native_debug_trap(struct vmm__native_vcpu *v, struct vmm_exit *exit);
/* #BP was intercepted: nobody but the debugger wants that. */
void vmm__native_debug_break(struct vmm__native_vcpu *v, struct vmm_exit *exit);
bool vmm__native_debug_due(struct vmm__native_vcpu *v, struct vmm_exit *exit);
/* The guest's MOV to or from a debug register while breakpoints use them. */
int vmm__native_debug_access(struct vmm__native_vcpu *v, uint32_t number, bool write);

/* native_msr.c */
int vmm__native_vm_seal(void *vm, const struct vmm_x86_filter *msrs, uint32_t count,
			const struct vmm_x86_filter *ports, uint32_t port_count,
			struct vmm_error *error);
/* What the filters say of an access: VMM_FILTER_. */
uint32_t vmm__native_filter_action(const struct vmm__native_vm *vm, uint32_t msr, uint32_t access);
int vmm__native_msr_list(void *vm, uint32_t *list, uint32_t *count, struct vmm_error *error);
/* 0, or -VMM_ENOENT: no such register, or not such a value. @by_host: for saving and restoring. */
int vmm__native_get_msr(struct vmm__native_vcpu *v, uint32_t index, bool by_host, uint64_t *value);
int vmm__native_set_msr(struct vmm__native_vcpu *v, uint32_t index, bool by_host, uint64_t value);
void vmm__native_reset_msrs(struct vmm__native_vcpu *v);
/* RDMSR or WRMSR was intercepted; as those of native_exit.c. */
int vmm__native_handle_msr(struct vmm__native_vcpu *v, bool write, struct vmm_exit *exit);
/* The answer to one that the embedder was asked for. */
void vmm__native_answer_msr(struct vmm__native_vcpu *v, const struct vmm_exit *exit);
/* EFER's bits that the vCPU has; LMA among them. */
uint64_t vmm__native_efer_bits(const struct vmm__native_vcpu *v);
bool vmm__native_xcr0_valid(const struct vmm__native_vcpu *v, uint64_t xcr0);

/* native_clock.c */
uint64_t vmm__native_tsc(const struct vmm__native_vcpu *v);
void vmm__native_set_tsc(struct vmm__native_vcpu *v, uint64_t value);
void vmm__native_write_wall(struct vmm__native_vcpu *v);
void vmm__native_write_time(struct vmm__native_vcpu *v);
uint64_t vmm__native_clock_ns(struct vmm__native_vm *vm);
void vmm__native_set_clock(struct vmm__native_vm *vm, uint64_t ns);
int vmm__native_clock_stop(void *vm, uint32_t stop, struct vmm_error *error);

/* native_state.c */
struct vmm_x86_segment vmm__native_from_segment(const struct svm_segment *s);
int vmm__native_state_size(void *vcpu, uint32_t cls, uint32_t index, size_t *size);
int vmm__native_get_state(void *vcpu, uint32_t cls, uint32_t index, void *buf, size_t size,
			  struct vmm_error *error);
int vmm__native_set_state(void *vcpu, uint32_t cls, uint32_t index, const void *buf, size_t size,
			  struct vmm_error *error);
int vmm__native_vm_get_state(void *vm, uint32_t cls, uint32_t index, void *buf, size_t size,
			     struct vmm_error *error);
int vmm__native_vm_set_state(void *vm, uint32_t cls, uint32_t index, const void *buf, size_t size,
			     struct vmm_error *error);
/* x87, SSE and the rest as at power-on. */
void vmm__native_reset_fpu(struct vmm__native_vcpu *v);

/* What may become of an exit between two entries. Neither is a code of the processors': SVM's last
 * are -4 to -1. */
#define NATIVE_SERVED  (UINT64_MAX - 17)
#define NATIVE_OFFERED (UINT64_MAX - 18) /* to the bus, which did not serve it */

/*
 * A callback may be called with the guest's registers in the CPU, if nothing of the host's is
 * missing that it could use, and its access needs no more than that. on_cpu stays, though who waits
 * for the vCPU to be out of the guest does not wait for callbacks: it looks at calling, too.
 */
static inline bool vmm__native_calls_in_place(const struct vmm__native_vcpu *v)
{
	return (v->vm->host->flags & VMM_HOST_NO_VECTORS) && !(v->vm->flags & VMM_VM_EXIT_PC) &&
	       !v->stepping && (v->tsc_aux == v->host_tsc_aux || !v->has_tsc_aux);
}
uint64_t vmm__native_refuse_port(struct vmm_vcpu *core, int r);
/* A port by its key, if it is known: SERVED, OFFERED, or @otherwise, and nothing has happened. RIP
 * is left to the engine. */
static VMM__INLINE uint64_t vmm__native_call_port(struct vmm__native_vcpu *v, struct svm_vmcb *vmcb,
						  uint32_t key, uint64_t otherwise)
{
	struct vmm_vcpu *core = v->core;
	const struct vmm__hit *hit = vmm__call_begin(core, key);
	int r;

	if (VMM__UNLIKELY(!hit))
		return otherwise;
	if (key & 1) {
		uint64_t got = 0;

		r = hit->read(hit->opaque, core, hit->offset, hit->width, &got);
		if (VMM__UNLIKELY(r != 0))
			return vmm__native_refuse_port(core, r);
		vmcb->rax = (vmcb->rax & hit->kept) | (got & hit->mask);
	} else {
		r = hit->write(hit->opaque, core, hit->offset, hit->width, vmcb->rax & hit->mask);
		if (VMM__UNLIKELY(r != 0))
			return vmm__native_refuse_port(core, r);
	}
	if (vmm__call_end(core))
		atomic_fetch_or(&v->world.request, NATIVE_REQ_KICK);
	vmm__count(&core->handled[VMM_EXIT_PORT]);
	vmm__native_count(v, VMM_PARTITION_PORT);
	return NATIVE_SERVED;
}

/* Of the engines' tables, what is the same in all. */
#define NATIVE_ENGINE                                                                             \
	.arch = VMM_ARCH_X86_64, .x86_cpu_model = vmm__native_cpu_model,                          \
	.vm_destroy = vmm__native_vm_destroy, .vm_cap = vmm__native_vm_cap,                       \
	.vm_seal = vmm__native_vm_seal, .vm_reset = vmm__native_vm_reset,                         \
	.vm_clock_stop = vmm__native_clock_stop, .mem_set = vmm__native_mem_set,                  \
	.mem_dirty = vmm__native_mem_dirty, .irq_line = vmm__native_irq_line,                     \
	.msi = vmm__native_msi, .pic_access = vmm__native_pic_access, .alarm = vmm__native_alarm, \
	.vm_get_state = vmm__native_vm_get_state, .vm_set_state = vmm__native_vm_set_state,       \
	.x86_msr_list = vmm__native_msr_list, .vcpu_create = vmm__native_vcpu_create,             \
	.vcpu_destroy = vmm__native_vcpu_destroy, .vcpu_seal = vmm__native_vcpu_seal,             \
	.x86_get_cpuid = vmm__native_get_cpuid, .vcpu_reset = vmm__native_vcpu_reset,             \
	.run_dedicated = vmm__native_run_dedicated, .settle = vmm__native_settle,                 \
	.exit_budget = vmm__native_exit_budget, .partition_exits = vmm__native_partition_exits,   \
	.complete = vmm__native_complete, .kick = vmm__native_kick, .wait = vmm__native_wait,     \
	.slice = vmm__native_slice, .inject = vmm__native_inject,                                 \
	.request_window = vmm__native_request_window, .state_size = vmm__native_state_size

/* Those that look at registers of the block, where it always has them. */
#define NATIVE_REGISTERS                                                        \
	.get_state = vmm__native_get_state, .set_state = vmm__native_set_state, \
	.debug = vmm__native_debug, .translate = vmm__native_translate

#endif

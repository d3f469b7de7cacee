// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The SVM engine on a processor made of C: the functions of svm_world.S and native_cpu.S are
 * defined here instead. What the guest does is a list of exits; the fake host's memory is physical
 * at its own addresses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fake_amd.h"
#include "fake_host.h"
#include "fake_owner.h"
#include "libvmm/svm.h"
#include "svm_engine.h"

#define RAM UINT64_C(0x200000)

/* --- the processor --- */

/* Fills the VMCB as an exit does. */
typedef void step(struct svm_vmcb *vmcb, struct vmm__native_world *world);

static struct {
	uint64_t efer, hsave, vm_cr, cr4;
	uint32_t svm_ecx, features; /* CPUID: 0x80000001 ECX, SVM_CPUID_LEAF EDX */
	step *const *steps;
	uint64_t eventinj; /* of the last entry */
	uint64_t tsc;
} cpu;

static void power_on(void)
{
	memset(&cpu, 0, sizeof(cpu));
	cpu.efer = BIT(11);
	cpu.cr4 = BIT(9);
	cpu.svm_ecx = (uint32_t)SVM_CPUID_81_ECX_SVM;
	cpu.features = (uint32_t)SVM_CPUID_EDX_NP;
}

int vmm__svm_load(struct vmm__native_world *world)
{
	assert_true(cpu.efer & SVM_EFER_SVME || cpu.hsave != world->own[SVM_OWN_HSAVE]);
	return cpu.hsave == world->own[SVM_OWN_HSAVE];
}

uint64_t vmm__svm_enter(struct vmm__native_world *world)
{
	struct svm_vmcb *vmcb = (struct svm_vmcb *)(uintptr_t)world->own[SVM_OWN_VMCB];

	if (atomic_load(&world->request) != 0)
		return 0;
	assert_int_equal(vmcb->asid, SVM_ASID);
	assert_true(vmcb->efer & SVM_EFER_SVME);
	cpu.eventinj = vmcb->eventinj;
	vmcb->exitintinfo = vmcb->exitinfo1 = vmcb->exitinfo2 = 0;
	(*cpu.steps++)(vmcb, world);
	return 1;
}

uint64_t vmm__native_rdmsr(uint32_t msr)
{
	return msr == SVM_MSR_EFER ? cpu.efer : msr == SVM_MSR_VM_CR ? cpu.vm_cr : cpu.hsave;
}

void vmm__native_wrmsr(uint32_t msr, uint64_t value)
{
	if (msr == SVM_MSR_EFER)
		cpu.efer = value;
	else if (msr == SVM_MSR_HSAVE_PA)
		cpu.hsave = value;
}

uint64_t vmm__native_cr4(void)
{
	return cpu.cr4;
}

uint64_t vmm__native_rdtsc(void)
{
	return cpu.tsc += 1000;
}

void vmm__native_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	(void)subleaf;
	fake_amd_cpuid(leaf, cpu.svm_ecx, cpu.features, out);
}

/* --- the host --- */

static struct fake_host fake;

/* Without what only a host that owns its CPUs gives, if not @owner. */
static struct vmm_ctx *make_ctx(bool owner)
{
	const struct vmm_engine *engines[] = {vmm_engine_svm()};
	const struct vmm_ctx_config config = {
		.size = sizeof(config), .host = &fake.host, .engines = engines, .engine_count = 1};
	struct vmm_ctx *ctx = NULL;

	fake_host_init(&fake);
	if (owner)
		fake_owner_init(&fake.host);
	assert_int_equal(vmm_ctx_create(&config, &ctx, NULL), 0);
	return ctx;
}

struct guest {
	struct vmm_ctx *ctx;
	struct vmm_vm *vm;
	struct vmm_mem *ram;
	struct vmm_vcpu *vcpu;
};

static int try_guest(struct guest *g)
{
	const struct vmm_vm_config config = {.size = sizeof(config), .max_vcpus = 1};
	const struct vmm_vcpu_config vcpu = {.size = sizeof(vcpu)};
	int r = vmm_vm_create(g->ctx, &config, &g->vm);

	if (r == 0)
		r = vmm_mem_create(g->ctx, RAM, &g->ram);
	if (r == 0)
		r = vmm_vm_map(g->vm, 0, g->ram, 0, RAM, VMM_PROT_RWX);
	if (r == 0)
		r = vmm_vcpu_create(g->vm, &vcpu, &g->vcpu);
	return r == 0 ? vmm_vm_seal(g->vm) : r;
}

static void end_guest(struct guest *g)
{
	vmm_vm_destroy(g->vm);
	vmm_mem_unref(g->ram);
	g->vm = NULL;
	g->ram = NULL;
}

static void end_all(struct guest *g)
{
	end_guest(g);
	assert_int_equal(vmm_ctx_destroy(g->ctx), 0);
	assert_int_equal(atomic_load(&fake.blocks), 0);
}

static struct guest begin(void)
{
	struct guest g = {0};

	power_on();
	g.ctx = make_ctx(true);
	assert_int_equal(try_guest(&g), 0);
	return g;
}

/* --- tests --- */

static void refuses(bool owner, int code, const char *word)
{
	struct vmm_error error = {.size = sizeof(error)};
	struct vmm_ctx *ctx = make_ctx(owner);

	assert_int_equal(vmm_ctx_engine_probe(ctx, "svm"), code);
	assert_int_equal(vmm_ctx_error(ctx, &error), 0);
	assert_non_null(strstr(error.text, word));
	vmm_ctx_destroy(ctx);
}

static void what_is_missing_is_told(void **state)
{
	(void)state;
	power_on();
	refuses(false, -VMM_ENODEV, "virt_to_phys");
	cpu.svm_ecx = 0;
	refuses(true, -VMM_ENODEV, "no SVM");
	power_on();
	cpu.features = 0;
	refuses(true, -VMM_ENOTSUP, "nested paging");
	power_on();
	cpu.vm_cr = SVM_VM_CR_SVMDIS;
	refuses(true, -VMM_EPERM, "SVMDIS");
	power_on();
	cpu.cr4 = 0;
	refuses(true, -VMM_ENOTSUP, "OSFXSR");
	power_on();
	cpu.efer = 0;
	refuses(true, -VMM_ENOTSUP, "NXE");
}

static void ask_cpuid(struct svm_vmcb *vmcb, struct vmm__native_world *world)
{
	(void)world;
	vmcb->exitcode = SVM_EXIT_CPUID;
	vmcb->rax = 0x40000000;
	vmcb->rip = 0x100;
}

static void write_port(struct svm_vmcb *vmcb, struct vmm__native_world *world)
{
	assert_int_equal(world->rbx, 0x4b4d564b); /* KVMK */
	assert_int_equal(vmcb->rip, 0x102);
	vmcb->exitcode = SVM_EXIT_IOIO;
	vmcb->exitinfo1 = UINT64_C(0x80) << 16 | 1 << 4;
	vmcb->exitinfo2 = 0x104;
	vmcb->rax = 0x1234;
}

static void read_port(struct svm_vmcb *vmcb, struct vmm__native_world *world)
{
	(void)world;
	assert_int_equal(vmcb->rip, 0x104);
	vmcb->exitcode = SVM_EXIT_IOIO;
	vmcb->exitinfo1 = UINT64_C(0x81) << 16 | 2 << 4 | SVM_IO_IN;
	vmcb->exitinfo2 = 0x105;
	vmcb->rax = 0xaaaabbbb;
}

static void write_bad_msr(struct svm_vmcb *vmcb, struct vmm__native_world *world)
{
	assert_int_equal(vmcb->rax, 0xaaaa5678);
	vmcb->exitcode = SVM_EXIT_MSR;
	vmcb->exitinfo1 = 1;
	world->rcx = SVM_MSR_HSAVE_PA;
}

/* #GP(0) has come for that, and RIP has not moved. */
static void halt(struct svm_vmcb *vmcb, struct vmm__native_world *world)
{
	(void)world;
	assert_int_equal(cpu.eventinj,
			 vmm__native_event(SVM_EVENT_EXCEPTION, NATIVE_GP) | SVM_EVENT_EV);
	assert_int_equal(vmcb->rip, 0x105);
	vmcb->exitcode = SVM_EXIT_HLT;
}

static void interrupted(struct svm_vmcb *vmcb, struct vmm__native_world *world)
{
	(void)world;
	vmcb->exitcode = SVM_EXIT_INTR;
	vmcb->exitintinfo = vmm__native_event(SVM_EVENT_INTR, 0x31);
}

static void again(struct svm_vmcb *vmcb, struct vmm__native_world *world)
{
	(void)world;
	assert_int_equal(cpu.eventinj, vmm__native_event(SVM_EVENT_INTR, 0x31));
	vmcb->exitcode = SVM_EXIT_SHUTDOWN;
}

static void invalid(struct svm_vmcb *vmcb, struct vmm__native_world *world)
{
	(void)world;
	vmcb->exitcode = UINT32_MAX; /* as QEMU has it */
}

static void exits_become_the_embedders(void **state)
{
	static step *const steps[] = {ask_cpuid, write_port,  read_port, write_bad_msr,
				      halt,      interrupted, again,     invalid};
	struct guest g = begin();
	struct vmm_exit exit = {0};

	(void)state;
	cpu.steps = steps;
	assert_int_equal(vmm_vcpu_run(g.vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_PORT);
	assert_true(exit.addr == 0x80 && exit.width == 1 && exit.data == 0x34);
	assert_true(exit.flags & VMM_EXIT_F_WRITE);
	assert_int_equal(vmm_vcpu_run(g.vcpu, &exit), 0);
	assert_true(exit.reason == VMM_EXIT_PORT && exit.addr == 0x81 && exit.width == 2);
	exit.data = 0x12345678;
	assert_int_equal(vmm_vcpu_run(g.vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_HLT);
	assert_int_equal(vmm_vcpu_run(g.vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_SHUTDOWN);
	assert_int_equal(vmm_vcpu_run(g.vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_ENTRY_FAILED);
	assert_true(cpu.efer & SVM_EFER_SVME);
	end_all(&g);
}

static void inject_interrupt(struct guest *g, uint32_t vector)
{
	const struct vmm_x86_regs regs = {.rflags = 0x202};

	assert_int_equal(vmm_vcpu_set_state(g->vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)),
			 0);
	assert_int_equal(vmm_vcpu_inject(g->vcpu, VMM_INJECT_INTERRUPT, vector, 0, 0), 0);
}

/* A refused entry leaves nothing behind that could be believed. */
static void refuse(struct svm_vmcb *vmcb, struct vmm__native_world *world)
{
	(void)world;
	assert_int_equal(cpu.eventinj, vmm__native_event(SVM_EVENT_INTR, 0x31));
	vmcb->exitcode = UINT64_MAX;
	vmcb->eventinj &= ~SVM_EVENT_V;
	vmcb->exitintinfo = vmm__native_event(SVM_EVENT_INTR, 0x32);
}

static void no_event(struct svm_vmcb *vmcb, struct vmm__native_world *world)
{
	(void)world;
	assert_int_equal(cpu.eventinj, 0);
	vmcb->exitcode = SVM_EXIT_SHUTDOWN;
}

static void a_refused_entry_keeps_its_event(void **state)
{
	static step *const steps[] = {refuse, again, no_event};
	struct guest g = begin();
	struct vmm_x86_events events;
	struct vmm_exit exit = {0};

	(void)state;
	cpu.steps = steps;
	inject_interrupt(&g, 0x31);
	assert_int_equal(vmm_vcpu_run(g.vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_ENTRY_FAILED);
	assert_int_equal(
		vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_EVENTS, 0, &events, sizeof(events)), 0);
	assert_int_equal(events.interrupt.vector, 0x31);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(vmm_vcpu_run(g.vcpu, &exit), 0);
		assert_int_equal(exit.reason, VMM_EXIT_SHUTDOWN);
	}
	end_all(&g);
}

/* Its first word to another: the exception is delivered, as by a processor (SDM 3C 33.7.1.1). */
static void misalign(struct svm_vmcb *vmcb, struct vmm__native_world *world)
{
	(void)world;
	assert_int_equal(cpu.eventinj, vmm__native_event(SVM_EVENT_INTR, 0x31));
	vmcb->exitcode = SVM_EXIT_EXCP(NATIVE_AC);
	vmcb->exitintinfo = vmm__native_event(SVM_EVENT_INTR, 0x31);
}

static void see_ac(struct svm_vmcb *vmcb, struct vmm__native_world *world)
{
	(void)world;
	assert_int_equal(cpu.eventinj,
			 vmm__native_event(SVM_EVENT_EXCEPTION, NATIVE_AC) | SVM_EVENT_EV);
	vmcb->exitcode = SVM_EXIT_SHUTDOWN;
}

static void an_exception_in_delivery_takes_its_place(void **state)
{
	static step *const steps[] = {misalign, see_ac, no_event};
	struct guest g = begin();
	struct vmm_exit exit = {0};

	(void)state;
	cpu.steps = steps;
	inject_interrupt(&g, 0x31);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(vmm_vcpu_run(g.vcpu, &exit), 0);
		assert_int_equal(exit.reason, VMM_EXIT_SHUTDOWN);
	}
	end_all(&g);
}

static void hit_int3(struct svm_vmcb *vmcb, struct vmm__native_world *world)
{
	(void)world;
	assert_true(vmcb->intercept_exception & BIT(NATIVE_BP));
	vmcb->exitcode = SVM_EXIT_EXCP(NATIVE_BP);
}

static void miss_int3(struct svm_vmcb *vmcb, struct vmm__native_world *world)
{
	(void)world;
	assert_false(vmcb->intercept_exception & BIT(NATIVE_BP));
	vmcb->exitcode = SVM_EXIT_HLT;
}

static void breakpoints_are_the_debuggers(void **state)
{
	static step *const steps[] = {hit_int3, miss_int3};
	struct vmm_debug_config debug = {.size = sizeof(debug), .flags = VMM_DEBUG_SW_BREAK};
	struct guest g = begin();
	struct vmm_exit exit = {0};
	struct vmm_x86_regs regs;

	(void)state;
	cpu.steps = steps;
	assert_int_equal(vmm_vcpu_debug(g.vcpu, &debug), 0);
	assert_int_equal(vmm_vcpu_run(g.vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_DEBUG);
	assert_int_equal(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)), 0);
	assert_true(exit.addr == regs.rip && exit.data == 0);
	debug.flags = 0;
	assert_int_equal(vmm_vcpu_debug(g.vcpu, &debug), 0);
	assert_int_equal(vmm_vcpu_run(g.vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_HLT);
	end_all(&g);
}

static int set_sys(struct guest *g, const struct vmm_x86_sys *sys)
{
	return vmm_vcpu_set_state(g->vcpu, VMM_STATE_X86_SYS, 0, sys, sizeof(*sys));
}

static void out_string(struct svm_vmcb *vmcb, struct vmm__native_world *world)
{
	(void)world;
	vmcb->exitcode = SVM_EXIT_IOIO;
	vmcb->exitinfo1 = UINT64_C(0x80) << 16 | 1 << 4 | SVM_IO_STR;
}

/* complete() ends one repetition: state can be saved then, and what is left is run later. */
static void repetitions_are_completed_one_by_one(void **state)
{
	static step *const steps[] = {out_string};
	static const uint8_t rep_outsb[] = {0xf3, 0x6e, 'a', 'b', 'c'};
	struct guest g = begin();
	struct vmm_exit exit = {0};
	struct vmm_x86_regs regs;
	struct vmm_x86_sys sys;

	(void)state;
	cpu.steps = steps;
	assert_int_equal(vmm_vm_write(g.vm, 0x1000, rep_outsb, sizeof(rep_outsb)), 0);
	assert_int_equal(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)), 0);
	sys.cs.base = 0;
	assert_int_equal(set_sys(&g, &sys), 0);
	regs = (struct vmm_x86_regs){
		.rip = 0x1000, .rcx = 3, .rdx = 0x80, .rsi = 0x1002, .rflags = 2};
	assert_int_equal(vmm_vcpu_set_state(g.vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)), 0);
	assert_int_equal(vmm_vcpu_run(g.vcpu, &exit), 0);
	assert_true(exit.reason == VMM_EXIT_PORT && exit.addr == 0x80 && exit.data == 'a');
	assert_int_equal(vmm_vcpu_complete(g.vcpu, &exit), 0);
	assert_int_equal(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)), 0);
	assert_true(regs.rip == 0x1000 && regs.rcx == 2 && regs.rsi == 0x1003);
	end_all(&g);
}

static void kicks_come_before_the_guest(void **state)
{
	struct guest g = begin();
	struct vmm_exit exit = {0};

	(void)state;
	cpu.steps = NULL; /* the guest is not entered */
	vmm_vcpu_kick(g.vcpu);
	assert_int_equal(vmm_vcpu_run(g.vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_KICKED);
	end_all(&g);
}

static void sleep_there(struct svm_vmcb *vmcb, struct vmm__native_world *world)
{
	(void)world;
	vmcb->exitcode = SVM_EXIT_HLT;
	vmcb->nrip = vmcb->rip + 1;
}

static void count_alarm(void *opaque)
{
	(*(uint32_t *)opaque)++;
}

/* An alarm whose time has come while its vCPU slept is not lost by a reset. */
static void an_alarm_outlives_a_reset(void **state)
{
	static step *const steps[] = {sleep_there, sleep_there};
	const struct vmm_vm_config config = {
		.size = sizeof(config), .max_vcpus = 1, .irqchip = VMM_IRQCHIP_ARCH};
	const struct vmm_vcpu_config about = {.size = sizeof(about)};
	struct guest g = {0};
	struct vmm_exit exit = {0};
	uint32_t alarms = 0;

	(void)state;
	power_on();
	g.ctx = make_ctx(true);
	assert_int_equal(vmm_vm_create(g.ctx, &config, &g.vm), 0);
	assert_int_equal(vmm_vcpu_create(g.vm, &about, &g.vcpu), 0);
	assert_int_equal(vmm_vm_on_alarm(g.vm, count_alarm, &alarms), 0);
	assert_int_equal(vmm_vm_seal(g.vm), 0);
	cpu.steps = steps;
	cpu.features |= (uint32_t)SVM_CPUID_EDX_NRIPS;
	assert_int_equal(vmm_vcpu_run(g.vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_IDLE);
	vmm_vm_set_alarm(g.vm, 1);
	assert_int_equal(vmm_vcpu_run(g.vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_IDLE);
	assert_int_equal(alarms, 0);
	assert_int_equal(vmm_vm_reset(g.vm), 0);
	assert_int_equal(vmm_vcpu_run(g.vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_IDLE);
	assert_int_equal(alarms, 1);
	end_all(&g);
}

static void impossible_states_are_refused(void **state)
{
	struct guest g = begin();
	struct vmm_x86_sys good, s;

	(void)state;
	assert_int_equal(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_SYS, 0, &good, sizeof(good)), 0);
	assert_int_equal(good.cs.base, 0xffff0000);
	assert_int_equal(set_sys(&g, &good), 0);
#define REFUSED(change) \
	s = good;       \
	change;         \
	assert_int_equal(set_sys(&g, &s), -VMM_ERANGE)
	REFUSED(s.cr0 |= BIT(32));
	REFUSED(s.cr0 = BIT(31));
	REFUSED(s.cr0 = BIT(29) | 1);
	REFUSED(s.cr4 = BIT(40));
	REFUSED(s.efer = SVM_EFER_SVME);
	REFUSED(s.efer = BIT(10));
	REFUSED(s.cr8 = 16);
	REFUSED(s.xcr0 = 1);
	REFUSED(s.cr3 = BIT(63));
#undef REFUSED
	end_all(&g);
}

static void states_come_back(void **state)
{
	struct vmm_x86_events events = {0}, seen;
	struct vmm_x86_msr msr = {.index = 0x277, .value = UINT64_C(0x0606060606060606)};
	struct guest g = begin();

	(void)state;
	events.exception = (struct vmm_x86_event){
		.state = VMM_X86_EVENT_PENDING,
		.flags = VMM_X86_EVENT_F_ERROR | VMM_X86_EVENT_F_PAYLOAD,
		.vector = 14,
		.error_code = 2,
		.payload = 0x5000,
	};
	events.nmi_pending = 1;
	events.nmi_masked = 1;
	assert_int_equal(
		vmm_vcpu_set_state(g.vcpu, VMM_STATE_X86_EVENTS, 0, &events, sizeof(events)), 0);
	assert_int_equal(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_EVENTS, 0, &seen, sizeof(seen)),
			 0);
	assert_memory_equal(&events, &seen, sizeof(seen));
	assert_int_equal(vmm_vcpu_set_state(g.vcpu, VMM_STATE_X86_MSRS, 0, &msr, sizeof(msr)), 0);
	msr.value = 2; /* no memory type */
	assert_int_equal(vmm_vcpu_set_state(g.vcpu, VMM_STATE_X86_MSRS, 0, &msr, sizeof(msr)),
			 -VMM_ERANGE);
	msr.value = 0;
	assert_int_equal(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_MSRS, 0, &msr, sizeof(msr)), 0);
	assert_int_equal(msr.value, UINT64_C(0x0606060606060606));
	end_all(&g);
}

static void see_nmi(struct svm_vmcb *vmcb, struct vmm__native_world *world)
{
	assert_int_equal(cpu.eventinj, 0x80000202);
	assert_true(vmcb->intercept1 & SVM_I_IRET);
	(void)world;
	vmcb->exitcode = SVM_EXIT_HLT;
}

/* As VMX tells it, and KVM on VMX: an NMI in delivery masks the next one by itself. */
static void an_nmi_that_comes_masks_the_next(void **state)
{
	static step *const steps[] = {see_nmi};
	const struct vmm_x86_events events = {.nmi_injected = 1, .nmi_pending = 1};
	struct guest g = begin();
	struct vmm_exit exit;

	(void)state;
	assert_int_equal(
		vmm_vcpu_set_state(g.vcpu, VMM_STATE_X86_EVENTS, 0, &events, sizeof(events)), 0);
	cpu.steps = steps;
	assert_int_equal(vmm_vcpu_run(g.vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_HLT);
	end_all(&g);
}

static uint64_t tsc_of(struct vmm_vcpu *vcpu)
{
	struct vmm_x86_tsc tsc;

	assert_int_equal(vmm_vcpu_get_state(vcpu, VMM_STATE_X86_TSC, 0, &tsc, sizeof(tsc)), 0);
	return tsc.value;
}

static uint64_t clock_of(struct vmm_vm *vm)
{
	struct vmm_x86_clock clock;

	assert_int_equal(vmm_vm_get_state(vm, VMM_STATE_X86_CLOCK, 0, &clock, sizeof(clock)), 0);
	return clock.ns;
}

/* vCPUs that are saved and restored one after the other have the same time, however long it takes.
 */
static void time_waits_for_who_restores_it(void **state)
{
	const struct vmm_vm_config config = {
		.size = sizeof(config), .max_vcpus = 2, .clock = VMM_CLOCK_STOPS};
	const struct vmm_x86_tsc tsc = {.value = BIT(40)};
	const struct vmm_x86_clock clock = {.ns = BIT(30)};
	struct vmm_vcpu *vcpus[2];
	struct guest g = begin();
	uint64_t first;

	(void)state;
	vmm_vm_destroy(g.vm);
	assert_int_equal(vmm_vm_create(g.ctx, &config, &g.vm), 0);
	for (uint32_t i = 0; i < 2; i++) {
		struct vmm_vcpu_config vcpu = {.size = sizeof(vcpu), .index = i, .arch_id = i};

		assert_int_equal(vmm_vcpu_create(g.vm, &vcpu, &vcpus[i]), 0);
	}
	assert_int_equal(vmm_vm_seal(g.vm), 0);
	assert_int_equal(vmm_vm_pause(g.vm), 0);
	assert_int_equal(tsc_of(vcpus[0]), tsc_of(vcpus[1]));
	assert_int_equal(clock_of(g.vm), clock_of(g.vm));
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(
			vmm_vcpu_set_state(vcpus[i], VMM_STATE_X86_TSC, 0, &tsc, sizeof(tsc)), 0);
	assert_int_equal(vmm_vm_set_state(g.vm, VMM_STATE_X86_CLOCK, 0, &clock, sizeof(clock)), 0);
	cpu.tsc += BIT(50);
	assert_int_equal(tsc_of(vcpus[0]), tsc.value);
	assert_int_equal(clock_of(g.vm), clock.ns);
	assert_int_equal(vmm_vm_resume(g.vm), 0);
	first = tsc_of(vcpus[0]);
	assert_in_range(first, tsc.value, tsc.value + BIT(20));
	assert_in_range(tsc_of(vcpus[1]), first, first + 10000);
	assert_in_range(clock_of(g.vm), clock.ns, clock.ns + BIT(20));
	assert_int_equal(vmm_vm_pause(g.vm), 0);
	cpu.tsc += BIT(50);
	assert_int_equal(vmm_vm_reset(g.vm), 0);
	cpu.tsc += BIT(50);
	assert_int_equal(tsc_of(vcpus[0]), 0);
	assert_int_equal(tsc_of(vcpus[1]), 0);
	assert_int_equal(clock_of(g.vm), 0);
	assert_int_equal(vmm_vm_resume(g.vm), 0);
	assert_in_range(tsc_of(vcpus[0]), 0, BIT(20));
	end_all(&g);
}

static void allocations_fail_in_turn(void **state)
{
	struct guest g = {0};
	int r = -VMM_ENOMEM;

	(void)state;
	power_on();
	g.ctx = make_ctx(true);
	for (int64_t n = 1; r != 0; n++) {
		int64_t blocks = atomic_load(&fake.blocks);

		assert_true(n < 200);
		atomic_store(&fake.fail_at, atomic_load(&fake.calls) + n);
		r = try_guest(&g);
		assert_true(r == 0 || r == -VMM_ENOMEM);
		end_guest(&g);
		assert_int_equal(atomic_load(&fake.blocks), blocks);
	}
	end_all(&g);
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(what_is_missing_is_told),
		cmocka_unit_test(exits_become_the_embedders),
		cmocka_unit_test(a_refused_entry_keeps_its_event),
		cmocka_unit_test(an_exception_in_delivery_takes_its_place),
		cmocka_unit_test(breakpoints_are_the_debuggers),
		cmocka_unit_test(repetitions_are_completed_one_by_one),
		cmocka_unit_test(kicks_come_before_the_guest),
		cmocka_unit_test(an_alarm_outlives_a_reset),
		cmocka_unit_test(impossible_states_are_refused),
		cmocka_unit_test(states_come_back),
		cmocka_unit_test(an_nmi_that_comes_masks_the_next),
		cmocka_unit_test(time_waits_for_who_restores_it),
		cmocka_unit_test(allocations_fail_in_turn),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}

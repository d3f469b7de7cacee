// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The VMX engine on processors made of C: the functions of vmx_world.S and native_cpu.S are defined
 * here instead. A VMCS is an array of fields, and each CPU has a current one; what the guest does
 * is a list of exits. The fake host's memory is physical at its own addresses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fake_host.h"
#include "fake_owner.h"
#include "libvmm/vmx.h"
#include "vmx_engine.h"
#include "x86_msr.h"

#define RAM UINT64_C(0x200000)

/* --- the processors --- */

#define CPUS   2u
#define VMCSES 3u
#define FIELDS 0x6d00u
#define NOBODY UINT64_MAX

struct vmcs {
	uint64_t pa; /* 0: free */
	uint64_t active_on;
	bool launched;
	uint64_t field[FIELDS];
};

/* What comes of an entry: VMX_RAN or VMX_FAILED. */
typedef int step(struct vmcs *vmcs);

static struct vmcs all_vmcs[VMCSES];
static uint64_t current[CPUS + 1]; /* address, or NOBODY out of VMX operation */
static uint64_t here;              /* the CPU that executes */
static step *const *steps;
static uint64_t tsc, timer_set;
static uint64_t system_calls[4]; /* STAR, LSTAR, CSTAR, FMASK */
static uint32_t features;        /* CPUID 1 ECX */
static uint32_t invpcid;         /* CPUID 7 EBX */
static uint64_t host_cr0;
static bool lends; /* the host: CPUs */

/* Of the capability MSRs: 0x480 to 0x490, and IA32_FEATURE_CONTROL. */
static uint64_t caps[0x11], feature_control;

static uint64_t allow(uint32_t must, uint32_t may)
{
	return (uint64_t)may << 32 | must;
}

static void power_on(void)
{
	memset(all_vmcs, 0, sizeof(all_vmcs));
	for (uint32_t i = 0; i <= CPUS; i++)
		current[i] = NOBODY;
	here = 1;
	memset(system_calls, 0, sizeof(system_calls));
	features = BIT(5);
	invpcid = 0;
	host_cr0 = 0x80010033;
	lends = false;
	feature_control = VMX_FEATURE_LOCK | VMX_FEATURE_VMXON;
	memset(caps, 0, sizeof(caps));
	caps[0] = VMX_BASIC_TRUE | UINT64_C(6) << 50 | 4096ull << 32 | 0x11;
	caps[VMX_MSR_MISC - VMX_MSR_BASIC] = 5;
	caps[VMX_MSR_CR0_FIXED0 - VMX_MSR_BASIC] = 0x80000021;
	caps[VMX_MSR_CR0_FIXED1 - VMX_MSR_BASIC] = UINT32_MAX;
	caps[VMX_MSR_CR4_FIXED0 - VMX_MSR_BASIC] = 0x2000;
	caps[VMX_MSR_CR4_FIXED1 - VMX_MSR_BASIC] = 0x3727ff;
	caps[VMX_MSR_EPT_VPID - VMX_MSR_BASIC] = UINT64_C(0xf0106334141);
	caps[VMX_MSR_PROC2 - VMX_MSR_BASIC] = allow(0, UINT32_MAX);
	caps[VMX_MSR_TRUE_PIN - VMX_MSR_BASIC] = allow(0x16, 0x7f);
	caps[VMX_MSR_TRUE_PROC - VMX_MSR_BASIC] = allow(0x04006172, 0xfff9fffe);
	caps[VMX_MSR_TRUE_EXIT - VMX_MSR_BASIC] = allow(0x36dfb, UINT32_MAX);
	caps[VMX_MSR_TRUE_ENTRY - VMX_MSR_BASIC] = allow(0x11fb, 0x3ffff);
}

static struct vmcs *vmcs_at(uint64_t pa)
{
	struct vmcs *free = NULL;

	for (uint32_t i = 0; i < VMCSES; i++) {
		if (all_vmcs[i].pa == pa)
			return &all_vmcs[i];
		if (all_vmcs[i].pa == 0)
			free = &all_vmcs[i];
	}
	assert_non_null(free);
	free->pa = pa;
	return free;
}

static struct vmcs *vmcs_here(void)
{
	assert_int_not_equal(current[here], NOBODY);
	return vmcs_at(current[here]);
}

static void clear(uint64_t pa)
{
	struct vmcs *v = vmcs_at(pa);

	assert_true(v->active_on == 0 || v->active_on == here);
	v->active_on = 0;
	v->launched = false;
}

int vmm__vmx_attach(struct vmm__native_world *world)
{
	uint64_t pa = world->own[VMX_OWN_VMCS];
	uint32_t revision;

	memcpy(&revision, (const void *)(uintptr_t)pa, sizeof(revision));
	assert_int_equal(revision, 0x11);
	if (current[here] != NOBODY)
		clear(current[here]);
	clear(pa);
	vmcs_at(pa)->active_on = here;
	current[here] = pa;
	return 1;
}

void vmm__vmx_detach(struct vmm__native_world *world)
{
	if (!vmm__vmx_is_current(world))
		return;
	clear(current[here]);
	current[here] = NOBODY;
}

int vmm__vmx_is_current(const struct vmm__native_world *world)
{
	return current[here] == world->own[VMX_OWN_VMCS];
}

uint64_t vmm__vmx_read(uint64_t field)
{
	assert_true(field < FIELDS);
	return vmcs_here()->field[field];
}

void vmm__vmx_write(uint64_t field, uint64_t value)
{
	assert_true(field < FIELDS);
	vmcs_here()->field[field] = value;
}

static const uint32_t control_fields[5] = {VMX_PIN, VMX_PROC, VMX_PROC2, VMX_EXIT, VMX_ENTRY};
static const uint32_t control_msrs[5] = {VMX_MSR_TRUE_PIN, VMX_MSR_TRUE_PROC, VMX_MSR_PROC2,
					 VMX_MSR_TRUE_EXIT, VMX_MSR_TRUE_ENTRY};

/* 27.2.1, 27.3.1.1: what this processor says about controls and control registers. */
static void check_entry(const struct vmcs *v)
{
	uint64_t fixed0 = caps[VMX_MSR_CR0_FIXED0 - VMX_MSR_BASIC] & ~UINT64_C(0x80000001);

	for (uint32_t i = 0; i < 5; i++) {
		uint64_t allowed = caps[control_msrs[i] - VMX_MSR_BASIC];
		uint32_t value = (uint32_t)v->field[control_fields[i]];

		assert_int_equal(value & (uint32_t)allowed, (uint32_t)allowed);
		assert_int_equal(value & ~(uint32_t)(allowed >> 32), 0);
	}
	assert_int_equal(v->field[VMX_GUEST_CR0] & fixed0, fixed0);
	assert_int_equal(v->field[VMX_GUEST_CR4] & caps[VMX_MSR_CR4_FIXED0 - VMX_MSR_BASIC],
			 caps[VMX_MSR_CR4_FIXED0 - VMX_MSR_BASIC]);
}

int vmm__vmx_enter(struct vmm__native_world *world, uint64_t launched,
		   const struct vmm__vmx_table idts[2])
{
	struct vmcs *v = vmcs_here();
	int r;

	assert_null(idts);

	if (atomic_load(&world->request) != 0)
		return VMX_REQUEST;
	assert_int_equal(v->pa, world->own[VMX_OWN_VMCS]);
	assert_int_equal(v->active_on, here);
	assert_int_equal(v->launched, launched);
	check_entry(v);
	r = (*steps++)(v);
	v->launched = v->launched || (r == VMX_RAN && !(v->field[VMX_REASON] & VMX_REASON_FAILED));
	return r;
}

void vmm__vmx_nmi_gate(void)
{
}

uint64_t vmm__native_enter_dedicated(struct vmm__native_world *world, uint64_t a, const void *b,
				     uint64_t *tpr, void (*way)(void))
{
	(void)world;
	(void)a;
	(void)b;
	(void)tpr;
	(void)way;
	fail();
	return 0;
}

void vmm__vmx_exit_point(void)
{
}

void vmm__vmx_flush(void)
{
}

void vmm__vmx_host(struct vmm__vmx_host *host)
{
	static const uint8_t gdt[64];

	*host = (struct vmm__vmx_host){
		.cr0 = host_cr0, .cs = 8, .tr = 16, .gdt = {.base = (uintptr_t)gdt}};
}

uint64_t vmm__vmx_cr3(void)
{
	return 0;
}

uint64_t vmm__vmx_dr6(void)
{
	return 0;
}

void vmm__vmx_set_dr6(uint64_t value)
{
	(void)value;
}

void vmm__vmx_limits(const struct vmm__vmx_host *host)
{
	(void)host;
}

uint64_t vmm__native_rdmsr(uint32_t msr)
{
	if (msr == VMX_MSR_FEATURE_CONTROL)
		return feature_control;
	if (msr == X86_MSR_EFER)
		return BIT(11);
	if (msr >= X86_MSR_STAR && msr <= X86_MSR_SFMASK)
		return system_calls[msr - X86_MSR_STAR];
	return msr >= VMX_MSR_BASIC && msr <= VMX_MSR_TRUE_ENTRY ? caps[msr - VMX_MSR_BASIC] : 0;
}

/* What is no value is #GP, and here that is the host's. */
void vmm__native_wrmsr(uint32_t msr, uint64_t value)
{
	if (msr == VMX_MSR_FEATURE_CONTROL)
		feature_control = value;
	if (msr == X86_MSR_LSTAR || msr == X86_MSR_CSTAR || msr == X86_MSR_KERNEL_GS)
		assert_int_equal((int64_t)(value << 16) >> 16, value);
	if (msr == X86_MSR_SFMASK)
		assert_int_equal(value >> 32, 0);
	if (msr >= X86_MSR_STAR && msr <= X86_MSR_SFMASK)
		system_calls[msr - X86_MSR_STAR] = value;
}

uint64_t vmm__native_cr4(void)
{
	return BIT(9) | (features & BIT(26) ? BIT(18) : 0);
}

uint64_t vmm__native_rdtsc(void)
{
	return tsc += 1000;
}

void vmm__native_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	memset(out, 0, 4 * sizeof(*out));
	switch (leaf) {
	case 0:
		memcpy(out, (uint32_t[]){13, 0x756e6547, 0x6c65746e, 0x49656e69}, 16);
		break;
	case 1:
		memcpy(out, (uint32_t[]){0x000506e3, 0, features, 0x078bfbff}, 16);
		break;
	case 7:
		out[1] = invpcid;
		break;
	case 0xd:
		memcpy(out, subleaf == 0 ? (uint32_t[]){7, 832, 832, 0} : (uint32_t[]){256, 576},
		       subleaf == 0 ? 16 : 8);
		break;
	case 0x80000000:
		out[0] = 0x80000008;
		break;
	case 0x80000001:
		out[3] = (uint32_t)(BIT(11) | BIT(20) | BIT(29));
		break;
	case 0x80000008:
		out[0] = 48 << 8 | 48;
		break;
	}
}

/* --- the host --- */

static struct fake_host fake;

static uint64_t this_cpu(void *opaque)
{
	(void)opaque;
	return here;
}

static int call(void *opaque, uint64_t id, void (*fn)(void *arg), void *arg)
{
	uint64_t from = here;

	(void)opaque;
	here = id;
	fn(arg);
	here = from;
	return 0;
}

static void set_timer(void *opaque, uint64_t deadline)
{
	(void)opaque;
	timer_set = deadline;
}

static void lend(void *opaque, uint32_t on)
{
	(void)opaque;
	(void)on;
}

static char logged[256];

static void keep_log(void *opaque, uint32_t level, const char *text)
{
	(void)opaque;
	(void)level;
	strncpy(logged, text, sizeof(logged) - 1);
}

static struct vmm_ctx *make_ctx(bool owner)
{
	const struct vmm_engine *engines[] = {vmm_engine_vmx()};
	const struct vmm_ctx_config config = {
		.size = sizeof(config), .host = &fake.host, .engines = engines, .engine_count = 1};
	struct vmm_ctx *ctx = NULL;

	fake_host_init(&fake);
	if (owner)
		fake_owner_init(&fake.host);
	fake.host.thread_id = this_cpu;
	fake.host.cpu_call = owner ? call : NULL;
	fake.host.cpu_timer = owner ? set_timer : NULL;
	fake.host.cpu_lend = lends ? lend : NULL;
	fake.host.log = keep_log;
	assert_int_equal(vmm_ctx_create(&config, &ctx, NULL), 0);
	return ctx;
}

struct guest {
	struct vmm_ctx *ctx;
	struct vmm_vm *vm;
	struct vmm_mem *ram;
	struct vmm_vcpu *vcpu[2];
};

static struct guest begin(uint32_t vcpus)
{
	const struct vmm_vm_config config = {.size = sizeof(config), .max_vcpus = vcpus};
	struct guest g = {.ctx = make_ctx(true)};

	assert_int_equal(vmm_vm_create(g.ctx, &config, &g.vm), 0);
	assert_int_equal(vmm_mem_create(g.ctx, RAM, &g.ram), 0);
	assert_int_equal(vmm_vm_map(g.vm, 0, g.ram, 0, RAM, VMM_PROT_RWX), 0);
	for (uint32_t i = 0; i < vcpus; i++) {
		const struct vmm_vcpu_config vcpu = {
			.size = sizeof(vcpu), .index = i, .arch_id = i};

		assert_int_equal(vmm_vcpu_create(g.vm, &vcpu, &g.vcpu[i]), 0);
	}
	assert_int_equal(vmm_vm_seal(g.vm), 0);
	return g;
}

/* Nothing stays active in memory that is given back. */
static void end(struct guest *g)
{
	vmm_vm_destroy(g->vm);
	vmm_mem_unref(g->ram);
	for (uint32_t i = 0; i < VMCSES; i++)
		assert_int_equal(all_vmcs[i].active_on, 0);
	assert_int_equal(vmm_ctx_destroy(g->ctx), 0);
	assert_int_equal(atomic_load(&fake.blocks), 0);
}

/* --- exits --- */

static int halt(struct vmcs *v)
{
	v->field[VMX_REASON] = VMX_REASON_HLT;
	v->field[VMX_EXIT_LEN] = 1;
	return VMX_RAN;
}

static void run(struct guest *g, uint32_t vcpu, uint64_t cpu)
{
	static step *const halts[] = {halt};
	struct vmm_exit exit;

	here = cpu;
	steps = halts;
	assert_int_equal(vmm_vcpu_run(g->vcpu[vcpu], &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_HLT);
}

/* --- tests --- */

static void refuses(bool owner, int code, const char *word)
{
	struct vmm_error error = {.size = sizeof(error)};
	struct vmm_ctx *ctx = make_ctx(owner);

	assert_int_equal(vmm_ctx_engine_probe(ctx, "vmx"), code);
	assert_int_equal(vmm_ctx_error(ctx, &error), 0);
	assert_non_null(strstr(error.text, word));
	vmm_ctx_destroy(ctx);
}

static int probe(void)
{
	struct vmm_ctx *ctx = make_ctx(true);
	int r = vmm_ctx_engine_probe(ctx, "vmx");

	vmm_ctx_destroy(ctx);
	return r;
}

static void what_is_missing_is_told(void **state)
{
	(void)state;
	power_on();
	refuses(false, -VMM_ENODEV, "virt_to_phys");
	features = 0;
	refuses(true, -VMM_ENODEV, "no VMX");
	power_on();
	feature_control = VMX_FEATURE_LOCK;
	refuses(true, -VMM_EPERM, "IA32_FEATURE_CONTROL");
	power_on();
	caps[0] &= ~VMX_BASIC_TRUE;
	refuses(true, -VMM_ENOTSUP, "first kind");
	power_on();
	invpcid = BIT(10);
	assert_int_equal(probe(), 0);
	caps[VMX_MSR_PROC2 - VMX_MSR_BASIC] &= ~(VMX_PROC2_INVPCID << 32);
	refuses(true, -VMM_ENOTSUP, "CPUID shows");
	power_on();
	host_cr0 = 0x80000013;
	refuses(true, -VMM_ENOTSUP, "CR0.NE");
	power_on();
	caps[VMX_MSR_EPT_VPID - VMX_MSR_BASIC] &= ~BIT(16);
	refuses(true, -VMM_ENOTSUP, "lack 0x10000");
	power_on();
	caps[VMX_MSR_CR0_FIXED0 - VMX_MSR_BASIC] |= 0x10000;
	refuses(true, -VMM_ENOTSUP, "fixes bits");
	power_on();
	caps[VMX_MSR_CR4_FIXED0 - VMX_MSR_BASIC] |= 0x40;
	refuses(true, -VMM_ENOTSUP, "fixes bits");
}

/* Firmware that has left IA32_FEATURE_CONTROL open: it is locked with VMX. */
static void vmx_is_allowed_where_it_is_open(void **state)
{
	struct guest g;

	(void)state;
	power_on();
	feature_control = 0;
	g = begin(1);
	run(&g, 0, 1);
	assert_int_equal(feature_control, VMX_FEATURE_LOCK | VMX_FEATURE_VMXON);
	end(&g);
}

/* On a CPU where firmware has locked VMX out there is no way to the registers: an error, and
 * nothing is lost. */
static void registers_out_of_reach_are_an_error(void **state)
{
	const struct vmm_debug_config debug = {.size = sizeof(debug),
					       .flags = VMM_DEBUG_SINGLE_STEP};
	struct guest g;
	struct vmm_x86_sys sys, again;
	struct vmm_exit exit;
	uint64_t gpa;

	(void)state;
	power_on();
	g = begin(1);
	assert_int_equal(vmm_vcpu_get_state(g.vcpu[0], VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)), 0);
	sys.fs.base = 0x1234000;
	assert_int_equal(vmm_vcpu_set_state(g.vcpu[0], VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)), 0);
	run(&g, 0, 1);
	here = 2;
	feature_control = VMX_FEATURE_LOCK;
	assert_int_equal(vmm_vcpu_get_state(g.vcpu[0], VMM_STATE_X86_SYS, 0, &again, sizeof(again)),
			 -VMM_EIO);
	again = sys;
	again.gs.base = 0x5678000;
	assert_int_equal(vmm_vcpu_set_state(g.vcpu[0], VMM_STATE_X86_SYS, 0, &again, sizeof(again)),
			 -VMM_EIO);
	assert_int_equal(vmm_vcpu_translate(g.vcpu[0], 0, VMM_PROT_READ, &gpa), -VMM_EIO);
	assert_int_equal(vmm_vcpu_debug(g.vcpu[0], &debug), -VMM_EIO);
	assert_int_equal(vmm_vcpu_run(g.vcpu[0], &exit), -VMM_EIO);
	feature_control |= VMX_FEATURE_VMXON;
	assert_int_equal(vmm_vcpu_get_state(g.vcpu[0], VMM_STATE_X86_SYS, 0, &again, sizeof(again)),
			 0);
	assert_memory_equal(&again, &sys, sizeof(sys));
	run(&g, 0, 2);
	end(&g);
}

/* The guest has loaded others than its memory holds by now. */
static int load_pdptes(struct vmcs *v)
{
	assert_int_equal(v->field[VMX_GUEST_PDPTE0], 0x2001);
	assert_int_equal(v->field[VMX_GUEST_PDPTE0 + 2], 0x3001);
	v->field[VMX_GUEST_PDPTE0] = 0x5001;
	return halt(v);
}

static int keep_pdptes(struct vmcs *v)
{
	assert_int_equal(v->field[VMX_GUEST_DR7], 0x401);
	assert_int_equal(v->field[VMX_GUEST_PDPTE0], 0x5001);
	return halt(v);
}

static int take_pdptes(struct vmcs *v)
{
	assert_int_equal(v->field[VMX_GUEST_PDPTE0], 0x6001);
	return halt(v);
}

static int read_pdptes(struct vmcs *v)
{
	assert_int_equal(v->field[VMX_GUEST_PDPTE0], 0x2001);
	return halt(v);
}

/* SDM 3A 4.4.1: PAE's directory pointers are registers, and not what memory holds. */
static void directory_pointers_are_registers(void **state)
{
	static step *const all[] = {load_pdptes, keep_pdptes, take_pdptes, read_pdptes};
	const uint64_t tables[4] = {0x2001, 0x3001, 0, 0};
	const struct vmm_x86_debug_regs debug = {.dr6 = 0xffff0ff0, .dr7 = 0x401};
	struct vmm_x86_sys sys;
	struct vmm_exit exit;
	struct guest g;

	(void)state;
	power_on();
	g = begin(1);
	steps = all;
	assert_int_equal(vmm_vm_write(g.vm, 0x1000, tables, sizeof(tables)), 0);
	assert_int_equal(vmm_vcpu_get_state(g.vcpu[0], VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)), 0);
	sys.cr0 = 0x80000011;
	sys.cr3 = 0x1000;
	sys.cr4 = 0x20;
	assert_int_equal(vmm_vcpu_set_state(g.vcpu[0], VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)), 0);
	assert_int_equal(vmm_vcpu_run(g.vcpu[0], &exit), 0);
	assert_int_equal(
		vmm_vcpu_set_state(g.vcpu[0], VMM_STATE_X86_DEBUG, 0, &debug, sizeof(debug)), 0);
	assert_int_equal(vmm_vcpu_run(g.vcpu[0], &exit), 0);
	assert_int_equal(vmm_vcpu_get_state(g.vcpu[0], VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)), 0);
	assert_int_equal(sys.flags, VMM_X86_SYS_PDPTRS);
	assert_int_equal(sys.pdptr[0], 0x5001);
	sys.pdptr[0] = 0x6001;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			vmm_vcpu_set_state(g.vcpu[0], VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)), 0);
		assert_int_equal(vmm_vcpu_run(g.vcpu[0], &exit), 0);
		sys.flags = 0;
	}
	end(&g);
}

static void runs_or_refuses(bool runs)
{
	struct guest g;

	assert_int_equal(probe(), runs ? 0 : -VMM_ENOTSUP);
	if (!runs)
		return;
	g = begin(1);
	run(&g, 0, 1);
	end(&g);
}

/* By appendix A's bits: without which the engine does not run, and which it lets be 1. */
static const struct {
	uint32_t needs, bears;
} wanted[5] = {
	{UINT32_C(0x29), UINT32_C(0x7f)},     {UINT32_C(0xf2d80c8c), UINT32_C(0xb6186dfa)},
	{UINT32_C(0xe2), UINT32_C(0x10ea)},   {UINT32_C(0x3c0204), UINT32_C(0x3f6fff)},
	{UINT32_C(0xc204), UINT32_C(0xd1ff)},
};

static void each_bit_of_each_control_counts(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		for (uint32_t bit = 0; bit < 32; bit++) {
			uint64_t *msr, mask = BIT(bit);

			power_on();
			msr = &caps[control_msrs[i] - VMX_MSR_BASIC];
			if (!(*msr & mask)) { /* it cannot be 1 */
				*msr &= ~(mask << 32);
				runs_or_refuses(!(wanted[i].needs & mask));
			}
			power_on();
			*msr |= mask | mask << 32; /* it must be */
			runs_or_refuses((wanted[i].bears & mask) != 0);
		}
	}
}

/* Any other set of fixed bits: the guest has them, and sees what it wrote. */
static void fixed_bits_are_there_and_not_seen(void **state)
{
	static const uint64_t sets[][2] = {{0x80000021, 0x2000}, {0x20, 0}, {0, 0x2000}, {0x21, 0}};
	struct vmm_x86_sys sys;
	struct guest g;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		power_on();
		caps[VMX_MSR_CR0_FIXED0 - VMX_MSR_BASIC] = sets[i][0];
		caps[VMX_MSR_CR4_FIXED0 - VMX_MSR_BASIC] = sets[i][1];
		g = begin(1);
		run(&g, 0, 1);
		assert_int_equal(
			vmm_vcpu_get_state(g.vcpu[0], VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)), 0);
		assert_int_equal(sys.cr4 & 0x2000, 0);
		assert_int_equal(sys.cr0, 0x60000010);
		end(&g);
	}
}

/* The fake processors assert that no VMCS is active twice, nor resumed that was not launched. */
static void a_vmcs_moves_by_being_cleared(void **state)
{
	struct guest g;

	(void)state;
	power_on();
	g = begin(2);
	run(&g, 0, 1);
	run(&g, 0, 1);
	run(&g, 0, 2); /* to another CPU */
	assert_int_equal(current[1], NOBODY);
	run(&g, 1, 2); /* two on one */
	run(&g, 0, 2);
	run(&g, 0, 1); /* from one that is another's by now */
	run(&g, 1, 2);
	run(&g, 1, 1);
	run(&g, 0, 2);
	here = 1;
	assert_int_equal(vmm_vm_reset(g.vm), 0); /* the memory is written again */
	run(&g, 0, 1);
	here = 2;
	end(&g);
}

/* Registers are read where the vCPU is not: it comes. */
static void state_is_read_from_another_cpu(void **state)
{
	struct vmm_x86_sys sys;
	struct guest g;

	(void)state;
	power_on();
	g = begin(1);
	run(&g, 0, 1);
	vmcs_here()->field[VMX_GUEST_CR3] = 0x5000;
	here = 2;
	assert_int_equal(vmm_vcpu_get_state(g.vcpu[0], VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)), 0);
	assert_int_equal(sys.cr3, 0x5000);
	run(&g, 0, 1);
	end(&g);
}

/* A MOV to AL from where there is no memory; the guest has changed its segments since it began. */
static int read_nothing(struct vmcs *v)
{
	v->field[VMX_GUEST_BASE + 2] = 0;            /* CS */
	v->field[VMX_GUEST_BASE + 6] = RAM + 0x1000; /* DS */
	v->field[VMX_GUEST_RIP] = 0x1000;
	v->field[VMX_REASON] = VMX_REASON_EPT;
	v->field[VMX_QUALIFICATION] = 1;
	v->field[VMX_GPA] = RAM + 0x1234;
	return VMX_RAN;
}

static void emulation_sees_the_registers_of_the_exit(void **state)
{
	static const uint8_t code[3] = {0xa0, 0x34, 0x02};
	static step *const reads[] = {read_nothing};
	struct vmm_exit exit;
	struct guest g;

	(void)state;
	power_on();
	g = begin(1);
	assert_int_equal(vmm_vm_write(g.vm, 0x1000, code, sizeof(code)), 0);
	steps = reads;
	assert_int_equal(vmm_vcpu_run(g.vcpu[0], &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_MMIO);
	assert_int_equal(exit.addr, RAM + 0x1234);
	end(&g);
}

/* --- MSRs that the host writes for the guest --- */

static int write_msr(struct vmcs *v)
{
	v->field[VMX_REASON] = VMX_REASON_WRMSR;
	v->field[VMX_EXIT_LEN] = 2;
	return VMX_RAN;
}

static uint64_t event_seen;

static int see_event(struct vmcs *v)
{
	event_seen = v->field[VMX_ENTRY_EVENT];
	v->field[VMX_ENTRY_EVENT] = 0;
	return halt(v);
}

/* The value that the CPU has for the guest, or UINT64_MAX if it got #GP. */
static uint64_t written(struct guest *g, uint32_t msr, uint64_t value)
{
	static step *const writes[] = {write_msr, see_event};
	struct vmm_x86_msr out = {.index = msr};
	struct vmm_x86_regs regs;
	struct vmm_exit exit;

	assert_int_equal(vmm_vcpu_get_state(g->vcpu[0], VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)),
			 0);
	regs.rcx = msr;
	regs.rax = value & UINT32_MAX;
	regs.rdx = value >> 32;
	assert_int_equal(vmm_vcpu_set_state(g->vcpu[0], VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)),
			 0);
	steps = writes;
	assert_int_equal(vmm_vcpu_run(g->vcpu[0], &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_HLT);
	if ((event_seen & 0x800000ff) == 0x8000000d)
		return UINT64_MAX;
	assert_int_equal(vmm_vcpu_get_state(g->vcpu[0], VMM_STATE_X86_MSRS, 0, &out, sizeof(out)),
			 0);
	return out.value;
}

static void no_value_of_a_guest_faults_in_the_host(void **state)
{
	const uint64_t wide = UINT64_C(0x0001000000000000);
	struct vmm_x86_msr msr = {X86_MSR_KERNEL_GS, 0, wide};
	struct guest g;

	(void)state;
	power_on();
	g = begin(1);
	assert_int_equal(written(&g, X86_MSR_LSTAR, wide - 1 - (wide >> 1)), wide / 2 - 1);
	assert_int_equal(written(&g, X86_MSR_LSTAR, wide), UINT64_MAX);
	assert_int_equal(written(&g, X86_MSR_CSTAR, wide / 2), UINT64_MAX);
	assert_int_equal(written(&g, X86_MSR_SFMASK, UINT32_MAX), UINT32_MAX);
	assert_int_equal(written(&g, X86_MSR_SFMASK, BIT(32)), UINT64_MAX);
	assert_int_equal(vmm_vcpu_set_state(g.vcpu[0], VMM_STATE_X86_MSRS, 0, &msr, sizeof(msr)),
			 -VMM_ERANGE);
	end(&g);
}

/* --- events, CR0 --- */

static uint64_t windows;

static int see_windows(struct vmcs *v)
{
	windows = v->field[VMX_PROC] & (VMX_PROC_INT_WINDOW | VMX_PROC_NMI_WINDOW);
	return halt(v);
}

/* Not at once, which would be for ever. */
static void nmis_wait_for_the_instruction_after_sti(void **state)
{
	static step *const sees[] = {see_windows};
	const struct vmm_x86_events events = {.shadow = VMM_X86_SHADOW_STI, .nmi_pending = 1};
	struct vmm_x86_regs regs;
	struct vmm_exit exit;
	struct guest g;

	(void)state;
	for (uint32_t on = 0; on < 2; on++) {
		power_on();
		g = begin(1);
		vmm_vcpu_get_state(g.vcpu[0], VMM_STATE_X86_REGS, 0, &regs, sizeof(regs));
		regs.rflags = on ? 0x202 : 2;
		vmm_vcpu_set_state(g.vcpu[0], VMM_STATE_X86_REGS, 0, &regs, sizeof(regs));
		assert_int_equal(vmm_vcpu_set_state(g.vcpu[0], VMM_STATE_X86_EVENTS, 0, &events,
						    sizeof(events)),
				 0);
		steps = sees;
		assert_int_equal(vmm_vcpu_run(g.vcpu[0], &exit), 0);
		assert_int_equal(windows, on ? VMX_PROC_INT_WINDOW : VMX_PROC_NMI_WINDOW);
		end(&g);
	}
}

static int write_cr0(struct vmcs *v)
{
	v->field[VMX_REASON] = VMX_REASON_CR;
	v->field[VMX_QUALIFICATION] = 0; /* from RAX */
	v->field[VMX_EXIT_LEN] = 3;
	return VMX_RAN;
}

/* Out of 64-bit mode a register's upper half is not written. */
static void cr0_is_as_wide_as_the_mode(void **state)
{
	static step *const writes[] = {write_cr0, see_event};
	struct vmm_x86_regs regs;
	struct vmm_x86_sys sys;
	struct vmm_exit exit;
	struct guest g;

	(void)state;
	power_on();
	g = begin(1);
	vmm_vcpu_get_state(g.vcpu[0], VMM_STATE_X86_REGS, 0, &regs, sizeof(regs));
	regs.rax = BIT(40) | 0x10;
	vmm_vcpu_set_state(g.vcpu[0], VMM_STATE_X86_REGS, 0, &regs, sizeof(regs));
	steps = writes;
	assert_int_equal(vmm_vcpu_run(g.vcpu[0], &exit), 0);
	assert_int_equal(event_seen, 0);
	vmm_vcpu_get_state(g.vcpu[0], VMM_STATE_X86_SYS, 0, &sys, sizeof(sys));
	assert_int_equal(sys.cr0, 0x10);
	end(&g);
}

/* A table that names components which the processor lacks, and one over the area's header. */
static void xsave_is_as_the_processor_has_it(void **state)
{
	static const struct vmm_x86_cpuid table[] = {
		{.leaf = 1, .ecx = (uint32_t)BIT(26)},
		{.leaf = 0xd, .flags = VMM_X86_CPUID_SUBLEAF, .eax = 0x207},
		{.leaf = 0xd, .subleaf = 2, .flags = VMM_X86_CPUID_SUBLEAF, .eax = 256, .ebx = 512},
		{.leaf = 0xd, .subleaf = 9, .flags = VMM_X86_CPUID_SUBLEAF, .eax = 8, .ebx = 832},
	};
	const struct vmm_vm_config config = {.size = sizeof(config), .max_vcpus = 1};
	const struct vmm_vcpu_config vcpu = {.size = sizeof(vcpu)};
	struct vmm_x86_sys sys;
	struct guest g = {0};
	uint8_t bytes[256] = {0};

	(void)state;
	power_on();
	features |= (uint32_t)BIT(26);
	g.ctx = make_ctx(true);
	assert_int_equal(vmm_vm_create(g.ctx, &config, &g.vm), 0);
	assert_int_equal(vmm_vcpu_create(g.vm, &vcpu, &g.vcpu[0]), 0);
	assert_int_equal(vmm_vcpu_x86_set_cpuid(g.vcpu[0], table, ARRAY_SIZE(table)), 0);
	assert_int_equal(vmm_vm_seal(g.vm), 0);
	assert_int_equal(vmm_vcpu_get_state(g.vcpu[0], VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)), 0);
	sys.xcr0 = 7;
	assert_int_equal(vmm_vcpu_set_state(g.vcpu[0], VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)), 0);
	sys.xcr0 = 0x207;
	assert_int_equal(vmm_vcpu_set_state(g.vcpu[0], VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)),
			 -VMM_ERANGE);
	assert_int_equal(vmm_vcpu_set_state(g.vcpu[0], VMM_STATE_X86_XSAVE, 2, bytes, 256),
			 -VMM_ENOENT);
	assert_int_equal(vmm_vcpu_set_state(g.vcpu[0], VMM_STATE_X86_XSAVE, 9, bytes, 8),
			 -VMM_ENOENT);
	end(&g);
}

/* --- entry checks --- */

static const struct {
	uint32_t field;
	uint64_t value;
	const char *name;
} wrong[] = {
	{VMX_PIN, 0, "pin-based controls"},
	{VMX_PIN, UINT32_MAX, "pin-based controls"},
	{VMX_PROC, 0, "processor-based controls"},
	{VMX_EXIT, 0, "exit controls"},
	{VMX_ENTRY, UINT32_MAX, "entry controls"},
	{VMX_VPID, 0, "VPID"},
	{VMX_EPTP, 0x1000, "EPTP"},
	{VMX_IO_BITMAP_B, 0x1010, "bitmaps' addresses"},
	{VMX_HOST_FS_BASE, UINT64_C(1) << 60, "host's FS, GS or TR base"},
	{VMX_HOST_CS, 0, "host's CS or TR"},
	{VMX_HOST_SS, 3, "host's selectors"},
	{VMX_GUEST_CR0, 0x80000030, "CR0"}, /* PG without PE */
	{VMX_GUEST_CR0, 0x10, "CR0"},       /* without NE */
	{VMX_GUEST_CR4, 0, "CR4"},
	{VMX_GUEST_CR4, 0x1002000, "CR4"},
	{VMX_GUEST_CR4, 0x22000, "CR4"}, /* PCIDE */
	{VMX_GUEST_CR3, UINT64_C(1) << 52, "CR3"},
	{VMX_GUEST_DR7, UINT64_C(1) << 32, "DR7"},
	{VMX_GUEST_SYSENTER_ESP, UINT64_C(1) << 57, "IA32_SYSENTER_ESP"},
	{VMX_GUEST_EFER, 0x400, "IA32_EFER"},
	{VMX_GUEST_CS_AR, 0x10000, "CS"},
	{VMX_GUEST_CS_AR, 0x13, "CS"},      /* not present */
	{VMX_GUEST_ACCESS, 0xf93, "ES"},    /* bits 11 to 8 */
	{VMX_GUEST_SS_AR, 0x91, "SS"},      /* read only */
	{VMX_GUEST_ACCESS + 6, 0x92, "DS"}, /* not accessed */
	{VMX_GUEST_LIMIT + 8, 0x1fffff, "FS"},
	{VMX_GUEST_ACCESS + 14, 0x10000, "TR"},
	{VMX_GUEST_ACCESS + 14, 0x89, "TR"},
	{VMX_GUEST_RFLAGS, 0, "RFLAGS"},
	{VMX_GUEST_RFLAGS, 0x2a, "RFLAGS"},
	{VMX_GUEST_RFLAGS, 0x20002, "virtual-8086"},
	{VMX_ENTRY_EVENT, 0x80000020, "RFLAGS"}, /* an interrupt with IF clear */
	{VMX_GUEST_ACTIVITY, 2, "activity state"},
	{VMX_GUEST_BLOCKING, 1, "interruptibility"},
	{VMX_GUEST_BLOCKING, 3, "interruptibility"},
	{VMX_LINK, 0, "link pointer"},
};

static uint32_t failing;

static int fail_state(struct vmcs *v)
{
	v->field[wrong[failing].field] = wrong[failing].value;
	v->field[VMX_REASON] = VMX_REASON_FAILED | VMX_REASON_STATE;
	return VMX_RAN;
}

static void entries_that_fail_tell_the_field(void **state)
{
	static step *const fails[] = {fail_state};
	struct vmm_exit exit;
	struct guest g;

	(void)state;
	for (failing = 0; failing < ARRAY_SIZE(wrong); failing++) {
		power_on();
		g = begin(1);
		run(&g, 0, 1);
		assert_null(vmm__vmx_check());
		steps = fails;
		assert_int_equal(vmm_vcpu_run(g.vcpu[0], &exit), 0);
		assert_int_equal(exit.reason, VMM_EXIT_ENTRY_FAILED);
		if (!strstr(logged, wrong[failing].name))
			fail_msg("%u: %s, not %s", failing, logged, wrong[failing].name);
		end(&g);
	}
}

static int refuse(struct vmcs *v)
{
	v->field[VMX_INSN_ERROR] = 7;
	v->field[VMX_VPID] = 0;
	return VMX_FAILED;
}

static void entries_that_are_refused_tell_the_control(void **state)
{
	static step *const refuses_[] = {refuse};
	struct vmm_exit exit;
	struct guest g;

	(void)state;
	power_on();
	g = begin(1);
	steps = refuses_;
	assert_int_equal(vmm_vcpu_run(g.vcpu[0], &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_ENTRY_FAILED);
	assert_int_equal(exit.hw_info, 7);
	assert_non_null(strstr(logged, "VPID"));
	end(&g);
}

/* The event is delivered once there is an entry, which is still the first one. */
static void an_entry_that_fails_changes_nothing(void **state)
{
	static step *const fails[] = {fail_state, see_event};
	struct vmm_x86_sys sys;
	struct vmm_exit exit;
	struct guest g;

	(void)state;
	power_on();
	g = begin(1);
	failing = 0;
	assert_int_equal(vmm_vcpu_inject(g.vcpu[0], VMM_INJECT_NMI, 0, 0, 0), 0);
	steps = fails;
	assert_int_equal(vmm_vcpu_run(g.vcpu[0], &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_ENTRY_FAILED);
	vmcs_here()->field[VMX_PIN] = 0x7f;
	event_seen = 0;
	assert_int_equal(vmm_vcpu_get_state(g.vcpu[0], VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)), 0);
	assert_int_equal(vmm_vcpu_run(g.vcpu[0], &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_HLT);
	assert_int_equal(event_seen, 0x80000202);
	end(&g);
}

/* --- the timer --- */

static uint64_t timer_seen;

static int see_timer(struct vmcs *v)
{
	timer_seen = v->field[VMX_TIMER];
	return halt(v);
}

static int expire(struct vmcs *v)
{
	v->field[VMX_REASON] = VMX_REASON_TIMER;
	return VMX_RAN;
}

static void slices_end_by_the_processors_timer(void **state)
{
	static step *const halts[] = {see_timer}, *const expires[] = {expire, halt};
	struct vmm_exit exit;
	struct guest g;
	uint64_t now;

	(void)state;
	for (int has = 0; has < 2; has++) {
		power_on();
		if (!has)
			caps[VMX_MSR_TRUE_PIN - VMX_MSR_BASIC] &= ~(VMX_PIN_TIMER << 32);
		g = begin(1);
		timer_set = 0;
		now = fake.host.time_ns(fake.host.opaque);
		assert_int_equal(vmm_vcpu_set_slice(g.vcpu[0], now + UINT64_C(1000000000), 0), 0);
		steps = halts;
		assert_int_equal(vmm_vcpu_run(g.vcpu[0], &exit), 0);
		assert_int_equal(timer_set == 0, has);
		if (has) {
			assert_in_range(timer_seen, 1, UINT32_MAX - 1);
			steps = expires; /* too early: it goes on */
			assert_int_equal(vmm_vcpu_run(g.vcpu[0], &exit), 0);
			assert_int_equal(exit.reason, VMM_EXIT_HLT);
		}
		assert_int_equal(vmm_vcpu_set_slice(g.vcpu[0], now, 0), 0);
		assert_int_equal(vmm_vcpu_run(g.vcpu[0], &exit), 0);
		assert_int_equal(exit.reason, VMM_EXIT_PREEMPTED);
		end(&g);
	}
}

static uint64_t pause_seen;

static int see_pause(struct vmcs *v)
{
	pause_seen = v->field[VMX_PROC] & VMX_PROC_PAUSE;
	return halt(v);
}

static void a_reset_ends_the_slice_and_its_trap(void **state)
{
	static step *const sees[] = {see_pause, see_pause};
	struct vmm_exit exit;
	struct guest g;

	(void)state;
	power_on();
	g = begin(1);
	assert_int_equal(vmm_vcpu_set_slice(g.vcpu[0], VMM_FOREVER, VMM_SLICE_PAUSE), 0);
	steps = sees;
	assert_int_equal(vmm_vcpu_run(g.vcpu[0], &exit), 0);
	assert_int_not_equal(pause_seen, 0);
	assert_int_equal(vmm_vm_reset(g.vm), 0);
	assert_int_equal(vmm_vcpu_run(g.vcpu[0], &exit), 0);
	assert_int_equal(pause_seen, 0);
	end(&g);
}

/* They are there where the host lends CPUs, whether the engine is asked or a VM. */
static void dedicated_vcpus_are_told_of(void **state)
{
	uint64_t of_engine, of_vm;
	struct guest g;

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		power_on();
		lends = i == 1;
		g = begin(1);
		assert_int_equal(vmm_ctx_cap(g.ctx, "vmx", VMM_CAP_DEDICATED, &of_engine), 0);
		assert_int_equal(vmm_vm_cap(g.vm, VMM_CAP_DEDICATED, &of_vm), 0);
		assert_true(of_engine == i && of_vm == i);
		end(&g);
	}
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(what_is_missing_is_told),
		cmocka_unit_test(vmx_is_allowed_where_it_is_open),
		cmocka_unit_test(registers_out_of_reach_are_an_error),
		cmocka_unit_test(directory_pointers_are_registers),
		cmocka_unit_test(each_bit_of_each_control_counts),
		cmocka_unit_test(fixed_bits_are_there_and_not_seen),
		cmocka_unit_test(a_vmcs_moves_by_being_cleared),
		cmocka_unit_test(state_is_read_from_another_cpu),
		cmocka_unit_test(emulation_sees_the_registers_of_the_exit),
		cmocka_unit_test(no_value_of_a_guest_faults_in_the_host),
		cmocka_unit_test(xsave_is_as_the_processor_has_it),
		cmocka_unit_test(nmis_wait_for_the_instruction_after_sti),
		cmocka_unit_test(cr0_is_as_wide_as_the_mode),
		cmocka_unit_test(entries_that_fail_tell_the_field),
		cmocka_unit_test(entries_that_are_refused_tell_the_control),
		cmocka_unit_test(an_entry_that_fails_changes_nothing),
		cmocka_unit_test(slices_end_by_the_processors_timer),
		cmocka_unit_test(a_reset_ends_the_slice_and_its_trap),
		cmocka_unit_test(dedicated_vcpus_are_told_of),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}

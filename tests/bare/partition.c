// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Dedicated vCPUs: guests that own their CPUs, watched from CPU 1. Each case is a
 * word of the command line, or all of them run; rounds=N says how many neighbours come and go, and
 * stride=N which values of ICR they try: one in N.
 *
 * CPU 1 looks on, 2 and 3 run the partition; beside neighbours it has 2 alone, and they 3 and 4.
 * APIC IDs are one less.
 */
#include "bits.h"
#include "engine_here.h"
#include "libvmm/ctx.h"
#include "libvmm/debug.h"
#include "libvmm/x86.h"
#include "mem.h"
#include "partition_vm.h"

static uint32_t rounds = 24, stride = 83;
static bool vmx; /* and not SVM: other words of the hardware, and CPUID always exits */

/* --- cases --- */

/* 1,000 interrupts of its own timer, and a second of idling: no exit. */
static int case_ticks(struct partition *p)
{
	struct vmm_partition_exits before;

	CHECK(make(p, 2, 1, 0, VMM_VCPU_DEDICATED) == 0);
	CHECK(start(p, (uint64_t[]){ORDER_TICKS}) == 0 && reaches(p, STATE_READY));
	CHECK(exits(p, 0).settled == 0);
	CHECK(vmm_vm_settle(p->vm) == 0 && exits(p, 0).settled == 1);
	before = exits(p, 0);
	CHECK(budget(p, 0, 0, 0) == 0);
	go(p);
	CHECK(reaches(p, STATE_DONE));
	pause_ns(1000 * MS);
	CHECK(control(p, 0).ticks > ROUNDS && control(p, 0).others == 0);
	CHECK(since(p, 0, &before) == 0 && atomic_load(&p->runner[0].budgets) == 0);
	return 0;
}

/* What stands at the place where it was stopped. */
static int inspect(struct partition *p, uint64_t *rip)
{
	struct vmm_vcpu *vcpu = p->runner[0].vcpu;
	struct vmm_x86_regs regs;
	struct vmm_x86_sys sys;
	uint8_t code[8], none[8] = {0};
	uint64_t gpa;

	CHECK(vmm_vcpu_get_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)) == 0);
	CHECK(vmm_vcpu_get_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)) == 0);
	CHECK((regs.rflags & 0x200) == 0 && regs.rip > ENTRY && regs.rip < 0x20000);
	CHECK(sys.cr3 == 0x1000 && sys.cs.selector == 8);
	CHECK(vmm_vcpu_translate(vcpu, regs.rip, VMM_PROT_EXEC, &gpa) == 0 && gpa == regs.rip);
	CHECK(vmm_vm_read(p->vm, gpa, code, sizeof(code)) == 0);
	CHECK(memcmp(code, none, sizeof(code)) != 0);
	*rip = regs.rip;
	return 0;
}

static bool tells(struct partition *p, uint64_t token)
{
	const uint64_t end = now() + LONG_NS;

	while (control(p, 0).sum != token && now() < end)
		pause_ns(MS / 10);
	return control(p, 0).sum == token;
}

/* It stands still for a millisecond, and goes on with what its memory then holds. */
static int stop_and_go(struct partition *p, uint64_t token, bool halted)
{
	struct runner *r = &p->runner[0];
	uint64_t rip, again, n;

	CHECK(halt(r) && inspect(p, &rip) == 0);
	n = control(p, 0).rounds;
	pause_ns(MS);
	CHECK(control(p, 0).rounds == n);
	CHECK(inspect(p, &again) == 0 && again == rip);
	tell(p, 0, offsetof(struct control, next), token, 8);
	CHECK(resume(r));
	if (halted) /* the host's NMI ends a HLT, once */
		CHECK(halt(r) && resume(r));
	CHECK(tells(p, token));
	return 0;
}

/* With interrupts off, in each way, it is stopped, looked at, and goes on; nothing else makes it
 * leave. */
static int spin(struct partition *p, uint32_t how)
{
	struct vmm_partition_exits before, after;
	uint64_t n;

	CHECK(make(p, 2, 1, 0, VMM_VCPU_DEDICATED) == 0);
	CHECK(start(p, (uint64_t[]){ORDER(ORDER_SPIN, how)}) == 0 && reaches(p, STATE_READY));
	go(p);
	CHECK(how == SPIN_HLT || gets_on(p, 0));
	pause_ns(10 * MS);
	CHECK(vmm_vm_settle(p->vm) == 0 && exits(p, 0).settled == 1);
	before = exits(p, 0);
	for (uint32_t i = 0; i < 10; i++)
		CHECK(stop_and_go(p, i + 100, how == SPIN_HLT) == 0);
	after = exits(p, 0);
	n = after.by[VMM_PARTITION_HOST] - before.by[VMM_PARTITION_HOST];
	CHECK(n > 0 && n == after.total - before.total);
	stop(p);
	unmake(p);
	return 0;
}

static int case_spin(struct partition *p)
{
	for (uint32_t how = 0; how < SPINS; how++)
		CHECK(spin(p, how) == 0);
	return 0;
}

#define NMIS 200

static _Atomic uint32_t nmis_seen, nmis_open, nmis_nested;

/* In the handler of an NMI no other comes. */
static int see_nmi(struct vmm_bare_frame *frame)
{
	if (frame->vector != 2)
		return 0;
	atomic_fetch_add(&nmis_seen, 1);
	if (atomic_fetch_add(&nmis_open, 1) != 0)
		atomic_fetch_add(&nmis_nested, 1);
	for (uint32_t i = 0; i < 100; i++)
		__asm__ volatile("pause");
	atomic_fetch_sub(&nmis_open, 1);
	return 1;
}

/* To CPU 2, with interrupts in between if it takes them, and time for the guest: SDM 3A 11.12.9. */
static void send_nmis(void *arg)
{
	const struct vmm_host *host = vmm_bare_host();

	(void)arg;
	for (uint32_t i = 0; i < NMIS; i++) {
		host->cpu_kick(host->opaque, 2);
		__asm__ volatile("wrmsr" : : "c"(0x830), "a"(0x4400), "d"(1) : "memory");
		for (uint32_t n = 0; n < i % 16 * 100; n++)
			__asm__ volatile("pause");
	}
}

static int storm(struct partition *p, uint32_t vcpu_flags)
{
	struct vmm_partition_exits before;

	CHECK(make(p, 2, 1, 0, vcpu_flags) == 0);
	CHECK(start(p, (uint64_t[]){ORDER_SPIN}) == 0 && reaches(p, STATE_READY));
	go(p);
	CHECK(gets_on(p, 0));
	before = exits(p, 0);
	atomic_store(&nmis_seen, 0);
	vmm_bare_trap_hook(see_nmi);
	CHECK(vmm_bare_run(3, send_nmis, NULL) == 0);
	send_nmis(NULL);
	CHECK(vmm_bare_join(3) == 0);
	CHECK(gets_on(p, control(p, 0).rounds));
	vmm_bare_trap_hook(NULL);
	CHECK(atomic_load(&nmis_seen) != 0 && since(p, 0, &before) != 0);
	CHECK(atomic_load(&nmis_nested) == 0);
	stop(p);
	unmake(p);
	return 0;
}

/* The host's NMIs from two CPUs as fast as they can: each finds the stack of the one before free.
 */
static int case_nmis(struct partition *p)
{
	CHECK(storm(p, 0) == 0);
	return storm(p, VMM_VCPU_DEDICATED);
}

/* 1,000 IPIs each way: each sender's are its only exits, and with "direct" there are none. */
static int exchange(struct partition *p, uint32_t flags)
{
	const bool direct = (flags & VMM_VM_IPI_DIRECT) != 0;
	struct vmm_partition_exits before[2];

	CHECK(make(p, 2, 2, flags, VMM_VCPU_DEDICATED) == 0);
	CHECK(start(p, (uint64_t[]){ORDER_SEND, ORDER_ANSWER}) == 0 && reaches(p, STATE_READY));
	CHECK(vmm_vm_settle(p->vm) == 0);
	for (uint32_t i = 0; i < 2; i++) {
		before[i] = exits(p, i);
		CHECK(budget(p, i, 0, direct ? 0 : 1 << VMM_PARTITION_IPI) == 0);
	}
	go(p);
	CHECK(reaches(p, STATE_DONE));
	for (uint32_t i = 0; i < 2; i++) {
		const uint64_t sent = control(p, i).sent;

		CHECK(sent == ROUNDS && control(p, i).ipis == ROUNDS);
		CHECK(since(p, i, &before[i]) == (direct ? 0 : sent));
		CHECK(exits(p, i).by[VMM_PARTITION_IPI] - before[i].by[VMM_PARTITION_IPI] ==
		      (direct ? 0 : sent));
		CHECK(atomic_load(&p->runner[i].budgets) == 0);
	}
	return 0;
}

static int case_checked(struct partition *p)
{
	return exchange(p, 0);
}

static int case_direct(struct partition *p)
{
	return exchange(p, VMM_VM_IPI_DIRECT);
}

static int case_events(struct partition *p)
{
	CHECK(make(p, 2, 1, 0, VMM_VCPU_DEDICATED) == 0);
	CHECK(start(p, (uint64_t[]){ORDER_EVENTS}) == 0 && reaches(p, STATE_DONE));
	CHECK(control(p, 0).wrong == 0 && control(p, 0).nmis == 1);
	return 0;
}

/* Ten exits are paid for; the eleventh is told. */
static int case_budget(struct partition *p)
{
	struct runner *r = &p->runner[0];
	struct vmm_partition_exits before;
	uint64_t n;

	CHECK(make(p, 2, 1, 0, VMM_VCPU_DEDICATED) == 0);
	CHECK(start(p, (uint64_t[]){ORDER_PORTS}) == 0);
	CHECK(gets_on(p, 100) && halt(r));
	before = exits(p, 0);
	CHECK(budget(p, 0, 10, 1 << VMM_PARTITION_HOST) == 0);
	n = control(p, 0).rounds;
	CHECK(resume(r) && gets_on(p, n + 10)); /* the eleventh has not ended yet, or has */
	CHECK(gets_on(p, n + 100));
	CHECK(halt(r) && atomic_load(&r->budgets) == 1);
	CHECK(r->broken.addr == VMM_PARTITION_PORT && r->broken.hw_code == (vmx ? 30 : 0x7b));
	CHECK((r->broken.flags & VMM_EXIT_F_PC) != 0 && r->broken.pc > ENTRY);
	CHECK(exits(p, 0).by[VMM_PARTITION_PORT] - before.by[VMM_PARTITION_PORT] >= 100);
	CHECK(resume(r));
	return 0;
}

/* What breaks a budget of none, and what the processor says of it: APM2 and SDM 3D, appendix C. */
static const struct {
	uint32_t deed, reason, svm, vmx;
} breaking[] = {
	{DEED_CPUID, VMM_PARTITION_CPUID, 0x72, 10},
	{DEED_PORT, VMM_PARTITION_PORT, 0x7b, 30},
	{DEED_MEMORY, VMM_PARTITION_MEMORY, 0x400, 48},
	{DEED_ICR, VMM_PARTITION_IPI, 0x7c, 32},
	{DEED_MSR, VMM_PARTITION_MSR, 0x7c, 31},
	{DEED_HYPERCALL, VMM_PARTITION_HYPERCALL, 0x81, 18},
	{DEED_EXCEPTION, VMM_PARTITION_EXCEPTION, 0x41, 0},
	{DEED_REGISTER, VMM_PARTITION_REGISTER, 0x8d, 55},
	{DEED_INSTRUCTION, VMM_PARTITION_INSTRUCTION, 0x89, 54},
};

static bool does(struct partition *p, uint32_t deed)
{
	const uint64_t n = control(p, 0).rounds;

	tell(p, 0, offsetof(struct control, deed), deed, 4);
	tell(p, 0, offsetof(struct control, go), n + 1, 4);
	return gets_on(p, n);
}

/* The event of a broken budget has come, or does. */
static bool is_told(struct runner *r, uint32_t count)
{
	const uint64_t end = now() + LONG_NS;

	while (atomic_load(&r->budgets) != count && now() < end)
		pause_ns(MS / 10);
	return atomic_load(&r->budgets) == count;
}

/* One exit: excused; within a budget of one; breaking one of none, once. */
static int break_budget(struct partition *p, uint32_t deed, uint32_t reason, uint32_t code)
{
	struct runner *r = &p->runner[0];
	const uint32_t told = atomic_load(&r->budgets);
	const struct vmm_partition_exits before = exits(p, 0);

	CHECK(budget(p, 0, 0, UINT32_C(1) << reason) == 0 && does(p, deed));
	CHECK(budget(p, 0, 1, 0) == 0 && does(p, deed));
	CHECK(atomic_load(&r->budgets) == told);
	CHECK(budget(p, 0, 0, ~(UINT32_C(1) << reason)) == 0 && does(p, deed));
	CHECK(is_told(r, told + 1));
	CHECK(r->broken.addr == reason && r->broken.hw_code == code && r->broken.pc > ENTRY);
	CHECK(r->broken.flags == (VMM_EXIT_F_PC | VMM_EXIT_F_HW));
	CHECK(does(p, deed) && atomic_load(&r->budgets) == told + 1);
	CHECK(exits(p, 0).by[reason] - before.by[reason] == 4);
	CHECK(exits(p, 0).total - before.total == 4);
	return 0;
}

/* The host's own NMI counts as well; a triple fault is told as ever, and then the budget. */
static int break_from_outside(struct partition *p)
{
	struct runner *r = &p->runner[0];
	const uint32_t told = atomic_load(&r->budgets);

	CHECK(budget(p, 0, 0, 0) == 0 && halt(r) && resume(r) && is_told(r, told + 1));
	CHECK(r->broken.addr == VMM_PARTITION_HOST && r->broken.hw_code == (vmx ? 0 : 0x61));
	CHECK(budget(p, 0, 0, 0) == 0);
	tell(p, 0, offsetof(struct control, deed), DEED_SHUTDOWN, 4);
	tell(p, 0, offsetof(struct control, go), control(p, 0).rounds + 1, 4);
	CHECK(stops(r) && r->rc == 0 && r->exit.reason == VMM_EXIT_SHUTDOWN);
	CHECK(atomic_load(&r->budgets) == told + 1);
	CHECK(resume(r) && is_told(r, told + 2));
	CHECK(r->broken.addr == VMM_PARTITION_SHUTDOWN && r->broken.hw_code == (vmx ? 2 : 0x7f));
	return 0;
}

static int case_budgets(struct partition *p)
{
	struct runner *r = &p->runner[0];

	CHECK(make(p, 2, 1, 0, VMM_VCPU_DEDICATED) == 0);
	CHECK(start(p, (uint64_t[]){ORDER_DEEDS}) == 0 && reaches(p, STATE_READY));
	CHECK(budget(p, 0, 0, 0) == 0 && does(p, DEED_FREE));
	for (size_t i = 0; i < ARRAY_SIZE(breaking); i++)
		CHECK(break_budget(p, breaking[i].deed, breaking[i].reason,
				   vmx ? breaking[i].vmx : breaking[i].svm) == 0);
	CHECK(vmm_vm_settle(p->vm) == 0);
	CHECK(budget(p, 0, 0, vmx ? UINT32_C(1) << VMM_PARTITION_CPUID : 0) == 0);
	CHECK(does(p, DEED_CPUID) && does(p, DEED_FREE));
	CHECK(atomic_load(&r->budgets) == ARRAY_SIZE(breaking));
	CHECK(vmm_vcpu_exit_budget(r->vcpu, NULL) == 0 && does(p, DEED_PORT));
	CHECK(atomic_load(&r->budgets) == ARRAY_SIZE(breaking));
	return break_from_outside(p);
}

/* What must not be. */
static int case_refused(struct partition *p)
{
	struct runner *r = &p->runner[0];

	CHECK(make(p, 2, 1, VMM_VM_IPI_DIRECT, VMM_VCPU_DEDICATED) == 0);
	r->cpu = 3; /* whose APIC ID is another */
	CHECK(start(p, (uint64_t[]){ORDER_SPIN}) == 0);
	while (atomic_load(&r->stopped) == 0)
		pause_ns(MS);
	CHECK(r->rc == -VMM_EINVAL);
	return 0;
}

static int case_neighbours(struct partition *p)
{
	return neighbours(p, rounds, stride);
}

/* The CPUs are the host's again, and nothing comes late. */
static int case_after(struct partition *p)
{
	const uint64_t start_ns = now();
	uint32_t word = 0;

	(void)p;
	for (uint32_t i = 0; i < 20; i++)
		vmm_bare_host()->wait(NULL, &word, 0, 5 * MS);
	CHECK(now() - start_ns > 20 * MS);
	return 0;
}

static const struct {
	const char *name;
	int (*fn)(struct partition *p);
} cases[] = {
	{"ticks", case_ticks},     {"spin", case_spin},       {"checked", case_checked},
	{"direct", case_direct},   {"events", case_events},   {"budget", case_budget},
	{"budgets", case_budgets}, {"refused", case_refused}, {"neighbours", case_neighbours},
	{"after", case_after},     {"nmis", case_nmis},
};

static bool any_named(const char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (has_word(line, cases[i].name))
			return true;
	}
	return false;
}

static void on_cpu(void *arg)
{
	*(int *)arg = case_after(NULL);
}

/* CPUs that were a guest's wait and wake as any other. */
static int late(void)
{
	int failed = 0;

	for (uint64_t cpu = 2; cpu <= vmm_bare_cpus(); cpu++) {
		int r = 1;

		if (vmm_bare_run(cpu, on_cpu, &r) != 0 || vmm_bare_join(cpu) != 0)
			r = 1;
		failed += r != 0;
	}
	return failed;
}

int vmm_bare_main(const struct vmm_bare_boot *boot)
{
	const struct vmm_engine *engines[] = ENGINES;
	const struct vmm_ctx_config config = {.size = sizeof(config),
					      .host = vmm_bare_host(),
					      .engines = engines,
					      .engine_count = 2};
	struct vmm_error error = {.size = sizeof(error)};
	bool all = !any_named(boot->cmdline);
	struct vmm_bare_usage before, after;
	int failed = 0;

	read_number(boot->cmdline, "rounds=", &rounds);
	read_number(boot->cmdline, "stride=", &stride);
	vmm_bare_usage(&before);
	if (vmm_ctx_create(&config, &ctx, &error) != 0) {
		vmm_bare_print("not ok: %s: %s\n", error.call, error.text);
		return 1;
	}
	vmx = engine_here(ctx)[0] == 'v';
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		static struct partition p;
		int r;

		if (!all && !has_word(boot->cmdline, cases[i].name))
			continue;
		r = cases[i].fn(&p);
		if (p.vm) {
			stop(&p);
			unmake(&p);
		}
		vmm_bare_print("%s: %s\n", r == 0 ? "ok" : "not ok", cases[i].name);
		failed += r != 0;
	}
	vmm_ctx_destroy(ctx);
	failed += late();
	vmm_bare_usage(&after);
	vmm_bare_print("left over: %llu bytes\n%d failed\n",
		       (unsigned long long)(after.heap_bytes - before.heap_bytes), failed);
	return failed != 0;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * VMs that share one CPU under the credit scheduler, on the SVM engine: what one of them gets
 * beside others that do their worst (tests/guest/guests/storm.S). Parts are told by what the guests
 * have counted, beside what the same guest counts alone in the same time. "bench" on the command
 * line measures a switch between two vCPUs instead.
 */
#include <stdlib.h>
#include <string.h>

#include "bare.h"
#include "guest.h"
#include "libvmm/sched.h"
#include "libvmm/svm.h"
#include "machine.h"

#define MS  UINT64_C(1000000)
#define SEC UINT64_C(1000000000)

#define MOST 4

/* As storm.S has them. */
static const char *const kinds[] = {"work",  "ports", "MMIO",   "CPUID",         "hypercalls",
				    "halts", "IPIs",  "PAUSEs", "APIC registers"};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))
#define WORK  0

struct guest {
	struct run run;
	struct vmm_sched_vcpu *place;
	uint32_t kind;
};

static struct vmm_ctx *ctx;
static struct vmm_sched *sched;
static struct guest guests[MOST];
static int failed;

static uint64_t now(void)
{
	return vmm_bare_host()->time_ns(NULL);
}

static void die(const char *what)
{
	vmm_bare_print("not ok: %s\n", what);
	vmm_bare_end(1);
}

static void add(uint32_t index, uint32_t kind, const struct vmm_sched_params *params)
{
	static const struct test test = {.name = "storm",
					 .image = "storm",
					 .mode = MODE_LONG64,
					 .irqchip = VMM_IRQCHIP_ARCH};
	struct guest *g = &guests[index];

	*g = (struct guest){.run = {.test = &test, .ctx = ctx, .engine = "svm"}, .kind = kind};
	if (!make_machine(&g->run) ||
	    vmm_vm_write(g->run.vm, SCRATCH + 8, &g->kind, sizeof(g->kind)) != 0 ||
	    vmm_sched_add(sched, g->run.cpu[0].vcpu, params, g, &g->place) != 0)
		die("a guest cannot be made");
}

static void drop(uint32_t index)
{
	struct guest *g = &guests[index];

	if (vmm_sched_remove(g->place) != 0)
		die("vmm_sched_remove()");
	destroy_machine(&g->run);
	free(g->run.cpu[0].trace.text);
	g->place = NULL;
}

static uint64_t count_of(uint32_t index)
{
	uint64_t count = 0;

	if (vmm_vm_read(guests[index].run.vm, SCRATCH, &count, sizeof(count)) != 0)
		die("vmm_vm_read()");
	return count;
}

static struct vmm_sched_stats stats_of(uint32_t index)
{
	struct vmm_sched_stats stats = {.size = sizeof(stats)};

	vmm_sched_get_stats(guests[index].place, &stats);
	return stats;
}

/* This CPU runs who is in the scheduler. */
static void run_for(uint64_t ns)
{
	const uint64_t end = now() + ns;
	const struct vmm_exit *exit = NULL;
	struct vmm_sched_vcpu *place;

	for (uint32_t i = 0; i < MOST; i++) {
		if (guests[i].place != NULL)
			vmm_sched_start(guests[i].place);
	}
	while (now() < end) {
		struct guest *g;

		if (vmm_sched_next(sched, 0, exit, MS, &place) != 0)
			die("vmm_sched_next()");
		exit = NULL;
		if (place == NULL)
			continue;
		g = vmm_sched_opaque(place);
		if (vmm_vcpu_run(vmm_sched_get_vcpu(place), &g->run.cpu[0].exit) != 0)
			die("vmm_vcpu_run()");
		exit = &g->run.cpu[0].exit;
		if (exit->reason > VMM_EXIT_PREEMPTED && exit->reason != VMM_EXIT_PORT &&
		    exit->reason != VMM_EXIT_MMIO)
			die(vmm_exit_name(exit->reason));
	}
	vmm_sched_leave(sched, 0);
}

/* How much of what it was due a guest has got, in hundredths of a percent; @least: in percent. */
static void tell(const char *what, uint64_t got, uint64_t due, uint32_t least, uint32_t most)
{
	const uint64_t part = got * 10000 / due;
	const bool well = part >= least * 100 && part <= most * 100;

	vmm_bare_print("%s: %s: %u.%02u %%\n", well ? "ok" : "not ok", what, (unsigned)(part / 100),
		       (unsigned)(part % 100));
	failed += !well;
}

static uint64_t alone(void)
{
	uint64_t count;

	add(0, WORK, NULL);
	run_for(SEC);
	count = count_of(0);
	drop(0);
	return count;
}

static void fair(uint64_t second)
{
	add(0, WORK, NULL);
	add(1, WORK, NULL);
	run_for(SEC);
	tell("one of two", count_of(0), second / 2, 95, 105);
	tell("the other", count_of(1), second / 2, 95, 105);
	drop(0);
	drop(1);
}

static void weighted(uint64_t second)
{
	const struct vmm_sched_params heavy = {.size = sizeof(heavy), .weight = 768};
	const struct vmm_sched_params capped = {.size = sizeof(capped), .cap = 10};

	add(0, WORK, &heavy);
	add(1, WORK, NULL);
	add(2, WORK, &capped);
	run_for(SEC);
	tell("three parts of four, beside a cap", count_of(0), second * 9 / 10 * 3 / 4, 95, 105);
	tell("one part of four", count_of(1), second * 9 / 10 / 4, 95, 105);
	tell("a cap of 10 percent", count_of(2), second / 10, 95, 105);
	drop(0);
	drop(1);
	drop(2);
}

static void storm(uint64_t second, uint32_t kind)
{
	struct vmm_sched_stats stats;

	add(0, WORK, NULL);
	add(1, kind, NULL);
	run_for(SEC);
	tell(kinds[kind], count_of(0), second / 2, 95, 200);
	stats = stats_of(0);
	vmm_bare_print("   %u times in a second beside it; given %u times, waited %u us at most\n",
		       (unsigned)count_of(1), (unsigned)stats.given,
		       (unsigned)(stats.wait_ns / 1000));
	drop(0);
	drop(1);
}

/* --- what a switch costs, in ticks of the TSC --- */

#define SWITCHES 9 /* of storm.S */

static uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* The second vCPU does what the first does. */
static void make_switchers(struct run *run)
{
	const uint32_t kind = SWITCHES;
	struct vmm_x86_regs regs;
	struct vmm_x86_sys sys;

	if (!make_machine(run) || vmm_vm_write(run->vm, SCRATCH + 8, &kind, sizeof(kind)) != 0 ||
	    vmm_vcpu_get_state(run->cpu[0].vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)) != 0 ||
	    vmm_vcpu_get_state(run->cpu[0].vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)) != 0)
		die("the guest cannot be made");
	regs.rbp = 1;
	if (vmm_vcpu_set_state(run->cpu[1].vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)) != 0 ||
	    vmm_vcpu_set_state(run->cpu[1].vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)) != 0)
		die("the second vCPU cannot be set");
}

static void bench(void)
{
	static const struct test test = {
		.name = "storm", .image = "storm", .mode = MODE_LONG64, .cpus = 2};
	struct run run = {.test = &test, .ctx = ctx, .engine = "svm"};
	struct vmm_sched_vcpu *place[2], *now_on = NULL, *before;
	const struct vmm_exit *exit = NULL;
	uint64_t least = UINT64_MAX;
	uint32_t guest = 0;

	make_switchers(&run);
	for (uint32_t i = 0; i < 2; i++) {
		if (vmm_sched_add(sched, run.cpu[i].vcpu, NULL, &run.cpu[i], &place[i]) != 0)
			die("vmm_sched_add()");
		vmm_sched_start(place[i]);
	}
	for (uint32_t round = 0; round < 2000; round++) {
		const uint64_t from = rdtsc();
		struct cpu *cpu;
		uint64_t took;

		before = now_on;
		vmm_sched_next(sched, 0, exit, MS, &now_on);
		took = rdtsc() - from;
		if (now_on != before && before != NULL && took < least)
			least = took;
		cpu = vmm_sched_opaque(now_on);
		vmm_vcpu_run(cpu->vcpu, &cpu->exit);
		exit = &cpu->exit;
	}
	vmm_vm_read(run.vm, SCRATCH + 24, &guest, sizeof(guest));
	vmm_bare_print("sched: the scheduler's part of a switch: %u\n", (unsigned)least);
	vmm_bare_print("sched: from one guest's PAUSE to the other guest: %u\n", (unsigned)guest);
	vmm_sched_leave(sched, 0);
	vmm_sched_remove(place[0]);
	vmm_sched_remove(place[1]);
	destroy_machine(&run);
	free(run.cpu[0].trace.text);
}

int vmm_bare_main(const struct vmm_bare_boot *boot)
{
	const struct vmm_engine *engines[] = {vmm_engine_svm()};
	const struct vmm_ctx_config config = {.size = sizeof(config),
					      .host = vmm_bare_host(),
					      .engines = engines,
					      .engine_count = 1};
	const struct vmm_sched_config sched_config = {.size = sizeof(sched_config),
						      .kind = VMM_SCHED_CREDIT,
						      .cpus = 1,
						      .max_vcpus = MOST};
	struct vmm_bare_usage before, after;
	uint64_t second;

	vmm_bare_usage(&before);
	if (vmm_ctx_create(&config, &ctx, NULL) != 0 ||
	    vmm_sched_create(vmm_bare_host(), &sched_config, &sched) != 0)
		die("nothing can be made");
	if (strcmp(boot->cmdline, "bench") == 0) {
		bench();
		return 0;
	}
	second = alone();
	vmm_bare_print("alone: %llu\n", (unsigned long long)second);
	fair(second);
	weighted(second);
	for (uint32_t kind = 1; kind < KINDS; kind++)
		storm(second, kind);
	vmm_sched_destroy(sched);
	vmm_ctx_destroy(ctx);
	vmm_bare_usage(&after);
	vmm_bare_print("left over: %llu bytes\n",
		       (unsigned long long)(after.heap_bytes - before.heap_bytes));
	return failed != 0;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Schedulers over the sim engine, on CPUs with clocks of their own: a clock goes on by a
 * microsecond each time that it is read, and where a guest waits. One thread stands for all CPUs,
 * the one whose clock is furthest behind first, so that everything happens the same way each time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include "fake_host.h"
#include "libvmm/sched.h"

#define US  UINT64_C(1000)
#define MS  UINT64_C(1000000)
#define SEC UINT64_C(1000000000)

#define CPUS  8
#define VCPUS 256

/* What a guest does, besides what its script says. */
struct guest {
	struct vmm_sched_vcpu *place;
	struct vmm_exit exit;
	uint64_t sleep_ns; /* of an IDLE exit: until then from now; 0: for good */
	uint64_t cost_ns;  /* of any other exit, to the host */
	uint64_t ran_ns;   /* what it had of its CPUs */
	uint32_t stops;    /* exits that are its embedder's */
	uint32_t last_cpu;
};

struct world {
	struct fake_host fake;
	struct vmm_ctx *ctx;
	struct vmm_vm *vm;
	struct vmm_sched *sched;
	uint64_t clock[CPUS];
	bool gone[CPUS];
	uint32_t cpus, cpu; /* how many, and which one is meant */
	struct guest guest[VCPUS];
};

static struct world world;

static uint64_t world_time(void *opaque)
{
	(void)opaque;
	return world.clock[world.cpu] += US;
}

static uint64_t world_thread(void *opaque)
{
	(void)opaque;
	return world.cpu + 1;
}

static void world_wait(void *opaque, const uint32_t *word, uint32_t value, uint64_t timeout_ns)
{
	(void)opaque;
	if (*word == value)
		world.clock[world.cpu] += timeout_ns < 100 * US ? timeout_ns : 100 * US;
}

static void make(uint32_t kind, uint32_t cpus, uint32_t vcpus, const struct vmm_sim_script *scripts)
{
	const struct vmm_sched_config config = {
		.size = sizeof(config), .kind = kind, .cpus = cpus, .max_vcpus = vcpus};
	const struct vmm_engine *engines[] = {vmm_engine_sim()};
	const struct vmm_ctx_config ctx = {.size = sizeof(ctx),
					   .host = &world.fake.host,
					   .engines = engines,
					   .engine_count = 1};

	memset(&world, 0, sizeof(world));
	fake_host_init(&world.fake);
	world.fake.host.time_ns = world_time;
	world.fake.host.thread_id = world_thread;
	world.fake.host.wait = world_wait;
	world.cpus = cpus;
	assert_int_equal(vmm_ctx_create(&ctx, &world.ctx, NULL), 0);
	world.vm = fake_vm(world.ctx, vcpus, VMM_IRQCHIP_NONE, scripts);
	assert_int_equal(vmm_vm_seal(world.vm), 0);
	assert_int_equal(vmm_sched_create(&world.fake.host, &config, &world.sched), 0);
}

static void add(uint32_t index, uint32_t weight, uint32_t cap, uint64_t cpus)
{
	const struct vmm_sched_params params = {
		.size = sizeof(params), .weight = weight, .cap = cap, .cpus = cpus};
	struct guest *g = &world.guest[index];

	assert_int_equal(
		vmm_sched_add(world.sched, vmm_vm_vcpu(world.vm, index), &params, g, &g->place), 0);
	assert_int_equal(vmm_sched_start(g->place), 0);
}

static uint64_t run_ns(uint32_t index)
{
	struct vmm_sched_stats stats = {.size = sizeof(stats)};

	assert_int_equal(vmm_sched_get_stats(world.guest[index].place, &stats), 0);
	return stats.run_ns;
}

static void end(void)
{
	for (world.cpu = 0; world.cpu < world.cpus; world.cpu++)
		assert_int_equal(vmm_sched_leave(world.sched, world.cpu), 0);
	world.cpu = 0;
	for (uint32_t i = 0; i < VCPUS; i++) {
		if (world.guest[i].place != NULL)
			assert_int_equal(vmm_sched_remove(world.guest[i].place), 0);
	}
	assert_int_equal(vmm_sched_destroy(world.sched), 0);
	fake_end(&world.fake, world.ctx, world.vm);
}

/* The CPU that is furthest behind. */
static uint32_t furthest_behind(void)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < world.cpus; i++) {
		if (world.gone[best] || (!world.gone[i] && world.clock[i] < world.clock[best]))
			best = i;
	}
	return best;
}

/* One step of a CPU. */
static void step(void)
{
	static const struct vmm_exit *last[CPUS];
	struct vmm_sched_vcpu *place;
	struct guest *g;
	uint64_t from;

	world.cpu = furthest_behind();
	from = world.clock[world.cpu];
	if (from < 10 * US)
		last[world.cpu] = NULL;
	assert_int_equal(vmm_sched_next(world.sched, world.cpu, last[world.cpu], 100 * US, &place),
			 0);
	last[world.cpu] = NULL;
	if (place == NULL)
		return;
	g = vmm_sched_opaque(place);
	from = world.clock[world.cpu];
	last[world.cpu] = &g->exit;
	g->last_cpu = world.cpu;
	assert_int_equal(vmm_vcpu_run(vmm_sched_get_vcpu(place), &g->exit), 0);
	if (g->exit.reason == VMM_EXIT_IDLE)
		g->exit.data =
			g->sleep_ns != 0 ? world.clock[world.cpu] + g->sleep_ns : VMM_FOREVER;
	else if (g->exit.reason != VMM_EXIT_PREEMPTED && g->exit.reason != VMM_EXIT_PAUSED) {
		world.clock[world.cpu] += g->cost_ns;
		g->stops++;
	}
	g->ran_ns += world.clock[world.cpu] - from;
}

static void run_for(uint64_t ns)
{
	const uint64_t until = world.clock[furthest_behind()] + ns;

	while (world.clock[furthest_behind()] < until)
		step();
}

static void assert_near(uint64_t ns, uint64_t want)
{
	assert_in_range(ns, want - want / 20, want + want / 20);
}

/* --- guests --- */

static const struct vmm_sim_step hog[] = {
	{.op = VMM_SIM_SPIN, .count = 1000},
	{.op = VMM_SIM_JUMP, .target = 0},
};

#define HOG FAKE_SCRIPT(hog)

/* --- tests --- */

static void test_fair(void **state)
{
	const struct vmm_sim_script scripts[] = {HOG, HOG, HOG};

	(void)state;
	make(VMM_SCHED_CREDIT, 1, 3, scripts);
	for (uint32_t i = 0; i < 3; i++)
		add(i, 0, 0, 0);
	run_for(SEC);
	for (uint32_t i = 0; i < 3; i++)
		assert_near(world.guest[i].ran_ns, SEC / 3);
	end();
}

static void test_weights(void **state)
{
	const struct vmm_sim_script scripts[] = {HOG, HOG, HOG};

	(void)state;
	make(VMM_SCHED_CREDIT, 1, 3, scripts);
	add(0, 100, 0, 0);
	add(1, 300, 0, 0);
	add(2, 600, 0, 0);
	run_for(SEC);
	assert_near(world.guest[0].ran_ns, SEC / 10);
	assert_near(world.guest[1].ran_ns, SEC / 10 * 3);
	assert_near(world.guest[2].ran_ns, SEC / 10 * 6);
	end();
}

/* Three that share two CPUs move between them, so that each has two thirds of one. */
static void test_fair_on_two(void **state)
{
	const struct vmm_sim_script scripts[] = {HOG, HOG, HOG};

	(void)state;
	make(VMM_SCHED_CREDIT, 2, 3, scripts);
	for (uint32_t i = 0; i < 3; i++)
		add(i, 0, 0, 0);
	run_for(SEC);
	for (uint32_t i = 0; i < 3; i++)
		assert_near(world.guest[i].ran_ns, SEC / 3 * 2);
	end();
}

static void test_cap(void **state)
{
	const struct vmm_sim_script scripts[] = {HOG, HOG};

	(void)state;
	make(VMM_SCHED_CREDIT, 1, 2, scripts);
	add(0, 0, 20, 0);
	add(1, 0, 0, 0);
	run_for(SEC);
	assert_near(world.guest[0].ran_ns, SEC / 5);
	assert_near(run_ns(0), SEC / 5);
	assert_near(world.guest[1].ran_ns, SEC / 5 * 4);
	assert_int_equal(vmm_sched_stop(world.guest[1].place), 0);
	world.guest[0].ran_ns = 0;
	run_for(SEC);
	assert_near(world.guest[0].ran_ns, SEC / 5);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fair),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_fair_on_two),
		cmocka_unit_test(test_cap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

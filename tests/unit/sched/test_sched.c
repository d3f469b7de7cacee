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

#define CPUS  VMM_SCHED_CPUS_MAX
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
	const struct vmm_exit *last[CPUS]; /* what the vCPU came back with that it was given */
	uint32_t cpus, cpu;                /* how many, and which one is meant */
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

static struct vmm_sched_stats stats_of(uint32_t index)
{
	struct vmm_sched_stats stats = {.size = sizeof(stats)};

	assert_int_equal(vmm_sched_get_stats(world.guest[index].place, &stats), 0);
	return stats;
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
	const struct vmm_exit **last = &world.last[furthest_behind()];
	struct vmm_sched_vcpu *place;
	struct guest *g;
	uint64_t from;

	world.cpu = furthest_behind();
	assert_int_equal(vmm_sched_next(world.sched, world.cpu, *last, 100 * US, &place), 0);
	*last = NULL;
	if (place == NULL)
		return;
	g = vmm_sched_opaque(place);
	from = world.clock[world.cpu];
	*last = &g->exit;
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
	assert_near(stats_of(0).run_ns, SEC / 5);
	assert_near(world.guest[1].ran_ns, SEC / 5 * 4);
	assert_int_equal(vmm_sched_stop(world.guest[1].place), 0);
	world.guest[0].ran_ns = 0;
	run_for(SEC);
	assert_near(world.guest[0].ran_ns, SEC / 5);
	end();
}

/* Storms. A guest that comes back all the time pays for it itself. */
static const struct vmm_sim_step ports[] = {
	{.op = VMM_SIM_EXIT, .exit = {.reason = VMM_EXIT_PORT, .width = 1}},
	{.op = VMM_SIM_JUMP, .target = 0},
};
static const struct vmm_sim_step halts[] = {
	{.op = VMM_SIM_SPIN, .count = 5},
	{.op = VMM_SIM_EXIT, .exit = {.reason = VMM_EXIT_IDLE}},
	{.op = VMM_SIM_JUMP, .target = 0},
};
static const struct vmm_sim_step pauses[] = {
	{.op = VMM_SIM_SPIN, .count = 5},
	{.op = VMM_SIM_EXIT, .exit = {.reason = VMM_EXIT_PREEMPTED, .data = VMM_PREEMPTED_PAUSE}},
	{.op = VMM_SIM_JUMP, .target = 0},
};

static void check_storm(const struct vmm_sim_script *storm, uint64_t sleep_ns, uint64_t cost_ns)
{
	const struct vmm_sim_script scripts[] = {HOG, *storm};

	make(VMM_SCHED_CREDIT, 1, 2, scripts);
	world.guest[1].sleep_ns = sleep_ns;
	world.guest[1].cost_ns = cost_ns;
	add(0, 0, 0, 0);
	add(1, 0, 0, 0);
	run_for(SEC);
	assert_true(world.guest[0].ran_ns >= SEC / 2 / 100 * 95);
	assert_true(stats_of(1).given > 50);
	end();
}

static void test_storms(void **state)
{
	const struct vmm_sim_script port = FAKE_SCRIPT(ports), halt = FAKE_SCRIPT(halts),
				    pause = FAKE_SCRIPT(pauses);

	(void)state;
	check_storm(&port, 0, 2 * US);
	check_storm(&port, 0, 500 * US);
	check_storm(&halt, 1, 0);
	check_storm(&halt, 20 * US, 0);
	check_storm(&halt, 3 * MS, 0);
	check_storm(&pause, 0, 0);
}

/* One that works a tenth of the time has the CPU as soon as it is owed it, and all it wants. */
static void test_wake_soon(void **state)
{
	static const struct vmm_sim_step light[] = {
		{.op = VMM_SIM_SPIN, .count = 200},
		{.op = VMM_SIM_EXIT, .exit = {.reason = VMM_EXIT_IDLE}},
		{.op = VMM_SIM_JUMP, .target = 0},
	};
	const struct vmm_sim_script scripts[] = {HOG, HOG, FAKE_SCRIPT(light)};

	(void)state;
	make(VMM_SCHED_CREDIT, 1, 3, scripts);
	world.guest[2].sleep_ns = 2 * MS;
	add(2, 0, 0, 0);
	run_for(MS);
	add(0, 0, 0, 0);
	add(1, 0, 0, 0);
	run_for(SEC);
	/* A slice of each other at first, when nobody is behind; then it hardly waits. */
	assert_true(stats_of(2).wait_ns < 11 * MS);
	assert_in_range(stats_of(2).idled, 420, 460);
	assert_in_range(stats_of(2).woken, stats_of(2).idled - 1, stats_of(2).idled);
	assert_near(world.guest[0].ran_ns, world.guest[1].ran_ns);
	end();
}

/* Sleeps for good; a kick, an NMI, a resumed VM, and what came before it slept wake it. */
static void test_wakes(void **state)
{
	static const struct vmm_sim_step idle[] = {
		{.op = VMM_SIM_EXIT, .exit = {.reason = VMM_EXIT_IDLE}},
		{.op = VMM_SIM_JUMP, .target = 0},
	};
	const struct vmm_sim_script scripts[] = {FAKE_SCRIPT(idle)};
	struct guest *g = &world.guest[0];

	(void)state;
	make(VMM_SCHED_CREDIT, 1, 1, scripts);
	add(0, 0, 0, 0);
	run_for(MS);
	assert_int_equal(stats_of(0).idled, 1);

	vmm_vcpu_kick(vmm_vm_vcpu(world.vm, 0));
	run_for(MS);
	assert_int_equal(g->stops, 1); /* KICKED */
	assert_int_equal(stats_of(0).idled, 2);

	assert_int_equal(vmm_vcpu_inject(vmm_vm_vcpu(world.vm, 0), VMM_INJECT_NMI, 2, 0, 0), 0);
	run_for(MS);
	assert_int_equal(stats_of(0).idled, 3);

	assert_int_equal(vmm_vm_pause(world.vm), 0);
	assert_int_equal(vmm_vcpu_inject(vmm_vm_vcpu(world.vm, 0), VMM_INJECT_NMI, 2, 0, 0), 0);
	run_for(MS);
	assert_int_equal(g->exit.reason, VMM_EXIT_PAUSED);
	assert_int_equal(stats_of(0).idled, 4);
	assert_int_equal(vmm_vm_resume(world.vm), 0);
	run_for(MS);
	assert_int_equal(g->exit.reason, VMM_EXIT_IDLE);
	assert_int_equal(stats_of(0).idled, 5);

	/* Between the exit and the call that tells of it. */
	vmm_vcpu_kick(vmm_vm_vcpu(world.vm, 0));
	while (g->exit.reason != VMM_EXIT_IDLE || g->stops != 2)
		step();
	vmm_vcpu_kick(vmm_vm_vcpu(world.vm, 0));
	run_for(MS);
	assert_int_equal(g->stops, 3);
	end();
}

/* One that is stopped runs no more, wherever it was; removed, its place is another's. */
static void test_stop(void **state)
{
	const struct vmm_sim_script scripts[] = {HOG, HOG, FAKE_SCRIPT(halts)};

	(void)state;
	make(VMM_SCHED_CREDIT, 1, 3, scripts);
	world.guest[2].sleep_ns = 2 * MS;
	for (uint32_t i = 0; i < 3; i++)
		add(i, 0, 0, 0);
	run_for(100 * MS);
	for (uint32_t i = 0; i < 3; i++) {
		uint64_t ran;

		assert_int_equal(vmm_sched_stop(world.guest[i].place), 0);
		assert_int_equal(vmm_sched_stop(world.guest[i].place), 0);
		ran = world.guest[i].ran_ns;
		vmm_vcpu_kick(vmm_vm_vcpu(world.vm, i));
		run_for(50 * MS);
		assert_int_equal(world.guest[i].ran_ns, ran);
		assert_int_equal(vmm_sched_start(world.guest[i].place), 0);
		run_for(50 * MS);
		assert_true(world.guest[i].ran_ns > ran);
	}
	assert_int_equal(vmm_sched_destroy(world.sched), -VMM_EBUSY);
	assert_int_equal(vmm_sched_remove(world.guest[1].place), 0);
	add(1, 0, 0, 0);
	world.guest[0].ran_ns = world.guest[1].ran_ns = 0;
	run_for(SEC);
	assert_near(world.guest[0].ran_ns, world.guest[1].ran_ns);
	end();
}

/* A CPU that does other things leaves its vCPUs to others; who may run nowhere else waits. */
static void test_leave(void **state)
{
	const struct vmm_sim_script scripts[] = {HOG, HOG, HOG};
	struct vmm_sched_vcpu *place;

	(void)state;
	make(VMM_SCHED_CREDIT, 2, 3, scripts);
	add(0, 0, 0, 0);
	add(1, 0, 0, 2);
	add(2, 0, 0, 0);
	run_for(100 * MS);
	world.cpu = 1;
	assert_int_equal(vmm_sched_leave(world.sched, 1), 0);
	world.gone[1] = true;
	for (uint32_t i = 0; i < 3; i++)
		world.guest[i].ran_ns = 0;
	run_for(SEC);
	assert_near(world.guest[0].ran_ns, SEC / 2);
	assert_near(world.guest[2].ran_ns, SEC / 2);
	assert_int_equal(world.guest[1].ran_ns, 0);
	world.gone[1] = false;
	world.clock[1] = world.clock[0];
	run_for(100 * MS);
	assert_true(world.guest[1].ran_ns > 30 * MS);

	/* Kicked, a CPU comes back with nobody, once. */
	world.cpu = 0;
	vmm_sched_kick(world.sched, 0);
	assert_int_equal(vmm_sched_next(world.sched, 0, NULL, VMM_FOREVER, &place), 0);
	assert_null(place);
	assert_int_equal(vmm_sched_next(world.sched, 0, NULL, VMM_FOREVER, &place), 0);
	assert_non_null(place);
	vmm_sched_kick(world.sched, 2);
	assert_int_equal(vmm_sched_next(world.sched, 2, NULL, VMM_FOREVER, &place), -VMM_ERANGE);
	assert_int_equal(vmm_sched_leave(world.sched, 2), -VMM_ERANGE);
	end();
}

/* Sent from CPU to CPU all the time, in each state. */
static void test_moves(void **state)
{
	const struct vmm_sim_script scripts[] = {HOG, FAKE_SCRIPT(halts), FAKE_SCRIPT(ports), HOG};
	struct vmm_sched_params params = {.size = sizeof(params)};

	(void)state;
	make(VMM_SCHED_CREDIT, 3, 4, scripts);
	world.guest[1].sleep_ns = MS;
	world.guest[2].cost_ns = 10 * US;
	for (uint32_t i = 0; i < 4; i++)
		add(i, 0, i == 3 ? 10 : 0, 0);
	run_for(10 * MS);
	for (uint32_t round = 0; round < 3000; round++) {
		const uint32_t i = round % 4, cpu = round / 4 % 3;

		params.cpus = UINT64_C(1) << cpu;
		params.cap = i == 3 ? 10 : 0;
		assert_int_equal(vmm_sched_set(world.guest[i].place, &params), 0);
		for (uint32_t n = 0; n < round % 7; n++)
			step();
	}
	run_for(100 * MS);
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(world.guest[i].last_cpu, stats_of(i).cpu);
		assert_int_equal(stats_of(i).cpu, 2999 / 4 % 3);
		assert_true(stats_of(i).moved > 100);
	}
	params.cpus = 8;
	assert_int_equal(vmm_sched_set(world.guest[0].place, &params), -VMM_ERANGE);
	params.cpus = 0;
	params.cap = 100;
	assert_int_equal(vmm_sched_set(world.guest[0].place, &params), -VMM_EINVAL);
	end();
}

/* Each has a CPU of its own, and no slices. */
static void test_partition(void **state)
{
	const struct vmm_sim_script scripts[] = {FAKE_SCRIPT(ports), FAKE_SCRIPT(halts), HOG, HOG};
	struct vmm_sched_params params = {.size = sizeof(params)};
	struct vmm_sched_vcpu *none;

	(void)state;
	make(VMM_SCHED_PARTITION, 3, 4, scripts);
	world.guest[0].cost_ns = world.guest[1].sleep_ns = 10 * US;
	add(0, 0, 0, 0);
	add(1, 0, 0, 4);
	params.cpus = 5;
	assert_int_equal(vmm_sched_add(world.sched, vmm_vm_vcpu(world.vm, 3), &params, NULL, &none),
			 -VMM_EBUSY);
	params.weight = 1;
	assert_int_equal(vmm_sched_add(world.sched, vmm_vm_vcpu(world.vm, 3), &params, NULL, &none),
			 -VMM_EINVAL);
	params.weight = 0;
	params.cpus = 1;
	assert_int_equal(vmm_sched_set(world.guest[1].place, &params), -VMM_EBUSY);
	run_for(100 * MS);
	assert_int_equal(world.guest[0].last_cpu, 0);
	assert_int_equal(world.guest[1].last_cpu, 2);
	params.cpus = 2;
	assert_int_equal(vmm_sched_set(world.guest[1].place, &params), 0);
	run_for(100 * MS);
	assert_int_equal(world.guest[1].last_cpu, 1);
	assert_int_equal(stats_of(0).preempted + stats_of(1).preempted, 0);
	assert_true(stats_of(1).idled > 1000);
	end();
}

/* What a scheduler refuses, and each allocation failing in turn. */
static void test_contracts(void **state)
{
	struct vmm_sched_config config = {
		.size = sizeof(config), .kind = VMM_SCHED_CREDIT, .cpus = 64, .max_vcpus = 1};
	const struct vmm_sched_config good = config;
	struct vmm_sched_stats stats = {0};
	const struct vmm_sim_script scripts[] = {HOG, HOG};
	struct vmm_sched_vcpu *place;
	struct vmm_sched *sched;
	struct fake_host fake;

	(void)state;
	fake_host_init(&fake);
	for (int64_t n = 1; n <= 4; n++) {
		atomic_store(&fake.calls, 0);
		atomic_store(&fake.fail_at, n);
		assert_int_equal(vmm_sched_create(&fake.host, &config, &sched), -VMM_ENOMEM);
		assert_null(sched);
		assert_int_equal(atomic_load(&fake.blocks), 0);
	}
	atomic_store(&fake.fail_at, 0);
	config.kind = 3;
	assert_int_equal(vmm_sched_create(&fake.host, &config, &sched), -VMM_EINVAL);
	config = good;
	config.cpus = 65;
	assert_int_equal(vmm_sched_create(&fake.host, &config, &sched), -VMM_ERANGE);
	config.cpus = 0;
	assert_int_equal(vmm_sched_create(&fake.host, &config, &sched), -VMM_ERANGE);
	config = good;
	config.max_vcpus = 4097;
	assert_int_equal(vmm_sched_create(&fake.host, &config, &sched), -VMM_ERANGE);
	config = good;
	config.slice_ns = 2 * SEC;
	assert_int_equal(vmm_sched_create(&fake.host, &config, &sched), -VMM_ERANGE);
	config = good;
	config.reserved = 1;
	assert_int_equal(vmm_sched_create(&fake.host, &config, &sched), -VMM_EINVAL);
	assert_int_equal(vmm_sched_create(&fake.host, NULL, &sched), -VMM_EINVAL);
	assert_int_equal(vmm_sched_create(NULL, &good, &sched), -VMM_EINVAL);
	assert_int_equal(vmm_sched_destroy(NULL), 0);

	make(VMM_SCHED_CREDIT, 64, 2, scripts);
	add(0, 0, 0, 0);
	assert_int_equal(vmm_sched_get_stats(world.guest[0].place, &stats), -VMM_EINVAL);
	assert_int_equal(vmm_sched_get_stats(world.guest[0].place, NULL), -VMM_EINVAL);
	assert_ptr_equal(vmm_sched_get_vcpu(world.guest[0].place), vmm_vm_vcpu(world.vm, 0));
	assert_int_equal(vmm_sched_add(world.sched, NULL, NULL, NULL, &place), -VMM_EINVAL);
	add(1, 0, 0, 0);
	assert_int_equal(vmm_sched_add(world.sched, vmm_vm_vcpu(world.vm, 1), NULL, NULL, &place),
			 -VMM_ELIMIT);
	end();
}

/* Many vCPUs on few CPUs, with all that can happen to them; everyone has his part in the end. */
static void test_many(void **state)
{
	static struct vmm_sim_script scripts[200];
	struct vmm_sched_params params = {.size = sizeof(params)};
	const struct vmm_sim_script some[] = {HOG, FAKE_SCRIPT(ports), FAKE_SCRIPT(pauses)};
	uint64_t seed = 1, least = UINT64_MAX, most = 0;

	(void)state;
	for (uint32_t i = 0; i < 200; i++)
		scripts[i] = some[i % 3];
	make(VMM_SCHED_CREDIT, 4, 200, scripts);
	for (uint32_t i = 0; i < 200; i++) {
		world.guest[i].cost_ns = 5 * US;
		add(i, 0, 0, 0);
	}
	for (uint32_t round = 0; round < 20000; round++) {
		struct vmm_sched_vcpu *place;

		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		place = world.guest[(seed >> 40) % 200].place;
		params.cpus = (seed >> 50 & 15) != 0 ? seed >> 50 & 15 : 0;
		switch (seed >> 60) {
		case 0:
			assert_int_equal(vmm_sched_set(place, &params), 0);
			break;
		case 1:
		case 2:
			assert_int_equal(vmm_sched_start(place), 0);
			break;
		case 3:
			vmm_vcpu_kick(vmm_sched_get_vcpu(place));
			break;
		default:
			step();
		}
	}
	params.cpus = 0;
	for (uint32_t i = 0; i < 200; i++) {
		assert_int_equal(vmm_sched_set(world.guest[i].place, &params), 0);
		world.guest[i].ran_ns = 0;
	}
	run_for(10 * SEC);
	for (uint32_t i = 0; i < 200; i++) {
		const uint64_t ran = world.guest[i].ran_ns;

		/* Who gives his CPU away has less. */
		assert_true(ran > 0);
		if (i % 3 == 2)
			continue;
		least = ran < least ? ran : least;
		most = ran > most ? ran : most;
	}
	assert_true(least >= most / 100 * 95);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fair),        cmocka_unit_test(test_weights),
		cmocka_unit_test(test_fair_on_two), cmocka_unit_test(test_cap),
		cmocka_unit_test(test_storms),      cmocka_unit_test(test_wake_soon),
		cmocka_unit_test(test_wakes),       cmocka_unit_test(test_stop),
		cmocka_unit_test(test_leave),       cmocka_unit_test(test_moves),
		cmocka_unit_test(test_partition),   cmocka_unit_test(test_contracts),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Schedulers on threads that stand for CPUs, while another one kicks, moves, stops, removes, pauses
 * and puts back all that they run. VMM_TEST_ROUNDS: how often.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_host.h"
#include "libvmm/sched.h"

#define CPUS  3
#define VCPUS 8

struct guest {
	struct vmm_vcpu *vcpu;
	struct vmm_sched_vcpu *place;
	struct vmm_exit exit;
	_Atomic uint32_t inside; /* CPUs that run it */
	_Atomic uint64_t runs;
};

struct cpu {
	pthread_t thread;
	uint32_t number;
	_Atomic uint32_t left;
};

static struct fake_host fake;
static struct vmm_ctx *ctx;
static struct vmm_vm *vm;
static struct vmm_sched *sched;
static struct guest guests[VCPUS];
static struct cpu cpus[CPUS];
static _Atomic uint32_t over;
static _Atomic uint32_t away; /* one more than the CPU that stays away when it has left */

static const struct vmm_sim_step hog[] = {
	{.op = VMM_SIM_SPIN, .count = 100},
	{.op = VMM_SIM_JUMP, .target = 0},
};
static const struct vmm_sim_step waiter[] = {
	{.op = VMM_SIM_WAIT},
	{.op = VMM_SIM_JUMP, .target = 0},
};
static const struct vmm_sim_step idler[] = {
	{.op = VMM_SIM_SPIN, .count = 20},
	{.op = VMM_SIM_EXIT, .exit = {.reason = VMM_EXIT_IDLE, .data = VMM_FOREVER}},
	{.op = VMM_SIM_JUMP, .target = 0},
};
static const struct vmm_sim_step ports[] = {
	{.op = VMM_SIM_EXIT, .exit = {.reason = VMM_EXIT_PORT, .width = 1}},
	{.op = VMM_SIM_JUMP, .target = 0},
};

static void run_one(struct guest *g)
{
	assert_int_equal(atomic_fetch_add(&g->inside, 1), 0);
	assert_int_equal(vmm_vcpu_run(g->vcpu, &g->exit), 0);
	atomic_fetch_sub(&g->inside, 1);
	atomic_fetch_add(&g->runs, 1);
}

/* Leaves now and then, and comes back. */
static void *cpu_loop(void *arg)
{
	struct cpu *cpu = arg;
	struct vmm_sched_vcpu *place;
	const struct vmm_exit *exit = NULL;

	while (atomic_load(&over) == 0) {
		assert_int_equal(vmm_sched_next(sched, cpu->number, exit, VMM_FOREVER, &place), 0);
		exit = NULL;
		if (place == NULL) {
			assert_int_equal(vmm_sched_leave(sched, cpu->number), 0);
			atomic_fetch_add(&cpu->left, 1);
			while (atomic_load(&away) == cpu->number + 1)
				usleep(50);
			continue;
		}
		struct guest *g = vmm_sched_opaque(place);

		run_one(g);
		exit = &g->exit;
	}
	vmm_sched_leave(sched, cpu->number);
	return NULL;
}

static void make(uint32_t kind)
{
	const struct vmm_sim_script scripts[VCPUS] = {
		FAKE_SCRIPT(hog),    FAKE_SCRIPT(idler), FAKE_SCRIPT(ports), FAKE_SCRIPT(waiter),
		FAKE_SCRIPT(waiter), FAKE_SCRIPT(idler), FAKE_SCRIPT(hog),   FAKE_SCRIPT(idler)};
	const struct vmm_sched_config config = {.size = sizeof(config),
						.kind = kind,
						.cpus = CPUS,
						.max_vcpus = VCPUS,
						.slice_ns = 200000};

	ctx = fake_ctx(&fake, NULL);
	vm = fake_vm(ctx, VCPUS, VMM_IRQCHIP_NONE, scripts);
	assert_int_equal(vmm_vm_seal(vm), 0);
	assert_int_equal(vmm_sched_create(&fake.host, &config, &sched), 0);
	atomic_store(&over, 0);
	for (uint32_t i = 0; i < VCPUS; i++)
		guests[i] = (struct guest){.vcpu = vmm_vm_vcpu(vm, i)};
}

static void add(uint32_t i)
{
	assert_int_equal(vmm_sched_add(sched, guests[i].vcpu, NULL, &guests[i], &guests[i].place),
			 0);
	assert_int_equal(vmm_sched_start(guests[i].place), 0);
}

static void start_cpus(void)
{
	for (uint32_t i = 0; i < CPUS; i++) {
		cpus[i] = (struct cpu){.number = i};
		assert_int_equal(pthread_create(&cpus[i].thread, NULL, cpu_loop, &cpus[i]), 0);
	}
}

static void end(uint32_t vcpus)
{
	for (uint32_t i = 0; i < vcpus; i++)
		assert_int_equal(vmm_sched_remove(guests[i].place), 0);
	atomic_store(&over, 1);
	for (uint32_t i = 0; i < CPUS; i++) {
		vmm_sched_kick(sched, i);
		pthread_join(cpus[i].thread, NULL);
	}
	assert_int_equal(vmm_sched_destroy(sched), 0);
	fake_end(&fake, ctx, vm);
}

static uint32_t rounds(uint32_t usual)
{
	const char *text = getenv("VMM_TEST_ROUNDS");

	return text != NULL ? (uint32_t)strtoul(text, NULL, 0) : usual;
}

/* It has run once more than before. A wake-up that is lost never ends this. */
static void await_run(struct guest *g, uint64_t before)
{
	static const uint32_t word;

	while (atomic_load(&g->runs) == before)
		fake.host.wait(&fake, &word, 0, 20000);
}

/* Each of its kicks brings an idle vCPU back. */
static void test_no_wake_is_lost(void **state)
{
	(void)state;
	make(VMM_SCHED_CREDIT);
	for (uint32_t i = 0; i < VCPUS; i++)
		add(i);
	start_cpus();
	for (uint32_t n = rounds(3000); n != 0; n--) {
		struct guest *g = &guests[1 + n % 2 * 4 + n % 3 / 2 * 2];
		const uint64_t before = atomic_load(&g->runs);

		if (n % 5 == 0)
			vmm_vcpu_inject(g->vcpu, VMM_INJECT_NMI, 2, 0, 0);
		else
			vmm_vcpu_kick(g->vcpu);
		if (n % 5 != 0)
			await_run(g, before);
	}
	end(VCPUS);
}

/* A CPU goes away while somebody it might run is woken: another one runs that. */
static void test_no_wake_goes_to_who_leaves(void **state)
{
	(void)state;
	make(VMM_SCHED_CREDIT);
	for (uint32_t i = 0; i < VCPUS; i++)
		add(i);
	start_cpus();
	for (uint32_t n = rounds(1000); n != 0; n--) {
		struct guest *g = &guests[1 + n % 2 * 4];
		const uint64_t before = atomic_load(&g->runs);

		atomic_store(&away, 1 + n % CPUS);
		vmm_sched_kick(sched, n % CPUS);
		vmm_vcpu_kick(g->vcpu);
		await_run(g, before);
		atomic_store(&away, 0);
	}
	end(VCPUS);
}

static void do_something(uint64_t dice)
{
	struct vmm_sched_params params = {.size = sizeof(params)};
	struct vmm_sched_stats stats = {.size = sizeof(stats)};
	const uint32_t i = (uint32_t)(dice % VCPUS), cpu = (uint32_t)(dice / VCPUS % CPUS);
	struct guest *g = &guests[i];

	switch (dice / 1024 % 8) {
	case 0:
		params.cpus = (dice >> 30) % 8;
		params.cap = (dice >> 40) % 2 * 50;
		params.weight = 1 + (uint32_t)(dice >> 50);
		assert_int_equal(vmm_sched_set(g->place, &params), 0);
		break;
	case 1:
		assert_int_equal(vmm_sched_stop(g->place), 0);
		assert_int_equal(atomic_load(&g->inside), 0);
		assert_int_equal(vmm_sched_start(g->place), 0);
		break;
	case 2:
		assert_int_equal(vmm_sched_remove(g->place), 0);
		assert_int_equal(atomic_load(&g->inside), 0);
		add(i);
		break;
	case 3:
		assert_int_equal(vmm_vm_pause(vm), 0);
		assert_int_equal(vmm_vm_resume(vm), 0);
		break;
	case 4:
		vmm_sched_kick(sched, cpu);
		break;
	case 5:
		assert_int_equal(vmm_sched_get_stats(g->place, &stats), 0);
		break;
	default:
		vmm_vcpu_kick(g->vcpu);
	}
}

static void test_everything_at_once(void **state)
{
	struct vmm_sched_params params = {.size = sizeof(params)};
	uint64_t dice = 7;

	(void)state;
	make(VMM_SCHED_CREDIT);
	for (uint32_t i = 0; i < VCPUS; i++)
		add(i);
	start_cpus();
	for (uint32_t n = rounds(3000); n != 0; n--) {
		dice = dice * UINT64_C(6364136223846793005) + 1442695040888963407;
		do_something(dice >> 8);
	}
	/* All of them still run. */
	for (uint32_t i = 0; i < VCPUS; i++) {
		const uint64_t before = atomic_load(&guests[i].runs);

		assert_int_equal(vmm_sched_set(guests[i].place, &params), 0);
		vmm_vcpu_kick(guests[i].vcpu);
		await_run(&guests[i], before);
	}
	end(VCPUS);
}

static void test_partition(void **state)
{
	(void)state;
	make(VMM_SCHED_PARTITION);
	for (uint32_t i = 0; i < CPUS; i++)
		add(i + 3);
	for (uint32_t i = 0; i < CPUS; i++)
		guests[i] = guests[i + 3];
	start_cpus();
	for (uint32_t n = rounds(3000); n != 0; n--) {
		struct guest *g = &guests[3 + n % CPUS];
		const uint64_t before = atomic_load(&g->runs);

		vmm_vcpu_kick(g->vcpu);
		await_run(g, before);
	}
	end(CPUS);
}

static const struct vmm_sim_script *script_of(uint32_t n)
{
	static const struct vmm_sim_script scripts[] = {FAKE_SCRIPT(hog), FAKE_SCRIPT(idler),
							FAKE_SCRIPT(ports)};

	return &scripts[n % (sizeof(scripts) / sizeof(scripts[0]))];
}

/* VMs come to their end while their CPUs are kicked: nothing of one is touched afterwards. */
static void test_lives(uint32_t kind)
{
	make(kind);
	start_cpus();
	for (uint32_t n = rounds(1000); n != 0; n--) {
		struct vmm_vm *mine = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, script_of(n));
		const struct vmm_sched_params params = {.size = sizeof(params),
							.cpus = 1u << n / 3 % CPUS};
		struct guest *g = &guests[n % VCPUS];

		*g = (struct guest){.vcpu = vmm_vm_vcpu(mine, 0)};
		assert_int_equal(vmm_vm_seal(mine), 0);
		assert_int_equal(vmm_sched_add(sched, g->vcpu, &params, g, &g->place), 0);
		assert_int_equal(vmm_sched_start(g->place), 0);
		if (n % 2 == 0) {
			vmm_vcpu_kick(g->vcpu);
			await_run(g, 0);
		}
		assert_int_equal(vmm_sched_remove(g->place), 0);
		assert_int_equal(vmm_vm_destroy(mine), 0);
		vmm_sched_kick(sched, n / 3 % CPUS);
	}
	end(0);
}

static void test_lives_shared(void **state)
{
	(void)state;
	test_lives(VMM_SCHED_CREDIT);
}

static void test_lives_apart(void **state)
{
	(void)state;
	test_lives(VMM_SCHED_PARTITION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_wake_is_lost),
		cmocka_unit_test(test_no_wake_goes_to_who_leaves),
		cmocka_unit_test(test_everything_at_once),
		cmocka_unit_test(test_partition),
		cmocka_unit_test(test_lives_apart),
		cmocka_unit_test(test_lives_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

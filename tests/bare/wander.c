// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "wander.h"

#include "bare.h"
#include "guest.h"
#include "libvmm/sched.h"
#include "sync.h"

#define CPUS     2
#define SLICE_NS 50000

/* One call of vmm_vcpu_run() by a guest's script. */
struct trip {
	struct vmm_vcpu *vcpu;
	struct vmm_exit *exit;
	int rc;
	_Atomic uint32_t done;
};

static struct vmm_sched *sched;
static _Atomic uint32_t over;
static _Atomic uint64_t moves;

/* To the other CPU after each slice. */
static void send_on(struct vmm_sched_vcpu *place, uint32_t cpu)
{
	const struct vmm_sched_params params = {.size = sizeof(params), .cpus = 2u >> cpu};

	vmm_sched_set(place, &params);
}

static void cpu_loop(void *arg)
{
	const uint32_t cpu = (uint32_t)(uintptr_t)arg;
	const struct vmm_exit *exit = NULL;
	struct vmm_sched_vcpu *place;

	while (atomic_load(&over) == 0 &&
	       vmm_sched_next(sched, cpu, exit, VMM_FOREVER, &place) == 0) {
		struct trip *trip;

		exit = NULL;
		if (place == NULL)
			continue;
		trip = vmm_sched_opaque(place);
		trip->rc = vmm_vcpu_run(trip->vcpu, trip->exit);
		if (trip->rc == 0 && (trip->exit->reason == VMM_EXIT_PREEMPTED ||
				      trip->exit->reason == VMM_EXIT_IDLE)) {
			exit = trip->exit;
			if (exit->reason == VMM_EXIT_PREEMPTED)
				send_on(place, cpu);
			continue;
		}
		vmm_sched_stop(place);
		atomic_store(&trip->done, 1);
		vmm__wake(vmm_bare_host(), &trip->done);
	}
	vmm_sched_leave(sched, cpu);
}

static int run_wandering(struct vmm_vcpu *vcpu, struct vmm_exit *exit)
{
	struct trip trip = {.vcpu = vcpu, .exit = exit};
	struct vmm_sched_stats stats = {.size = sizeof(stats)};
	struct vmm_sched_vcpu *place;
	int rc = vmm_sched_add(sched, vcpu, NULL, &trip, &place);

	if (rc == 0)
		rc = vmm_sched_start(place);
	while (rc == 0 && atomic_load(&trip.done) == 0)
		vmm__wait(vmm_bare_host(), &trip.done, 0, VMM_FOREVER);
	if (rc == 0)
		rc = vmm_sched_get_stats(place, &stats);
	if (rc == 0)
		rc = vmm_sched_remove(place);
	atomic_fetch_add(&moves, stats.moved);
	return rc == 0 ? trip.rc : rc;
}

void wander_begin(void)
{
	const struct vmm_sched_config config = {.size = sizeof(config),
						.kind = VMM_SCHED_CREDIT,
						.cpus = CPUS,
						.max_vcpus = 8,
						.slice_ns = SLICE_NS};

	if (vmm_bare_cpus() <= CPUS || vmm_sched_create(vmm_bare_host(), &config, &sched) != 0) {
		vmm_bare_print("not ok: no CPUs to wander on\n");
		vmm_bare_end(1);
	}
	for (uint32_t i = 0; i < CPUS; i++)
		vmm_bare_run(vmm_bare_cpus() - i, cpu_loop, (void *)(uintptr_t)i);
	guest_enter = run_wandering;
}

void wander_end(void)
{
	guest_enter = vmm_vcpu_run;
	atomic_store(&over, 1);
	for (uint32_t i = 0; i < CPUS; i++) {
		vmm_sched_kick(sched, i);
		vmm_bare_join(vmm_bare_cpus() - i);
	}
	vmm_sched_destroy(sched);
	vmm_bare_print("%u times to another CPU\n", (unsigned)atomic_load(&moves));
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "cpus.h"

#define FIRST UINT64_C(1) /* the monitor's CPU, in a mask */

static uint32_t cpu_count(void)
{
	return vmm_bare_cpus() < VMM_SCHED_CPUS_MAX ? vmm_bare_cpus() : VMM_SCHED_CPUS_MAX;
}

/* --- turns --- */

/* One that has come to an end runs no more, and the monitor sees to its VM. Once it has stopped,
 * that may have been started anew. */
static void end(struct runner *r)
{
	struct vmm_sched *monitors = r->vm->all->partition;
	uint32_t nobody = 0;

	if (r->err != 0 || r->result.reason != VMM_MACHINE_ABSENT)
		atomic_compare_exchange_strong(&r->vm->ended, &nobody, r->index + 1);
	vmm_sched_stop(r->place);
	vmm_sched_kick(monitors, 0);
}

/* What the scheduler is to know of how it went. */
static const struct vmm_exit *run(struct runner *r)
{
	r->cpu = (uint32_t)vmm_bare_host()->thread_id(NULL);
	r->result.size = sizeof(r->result);
	r->err = vmm_machine_run_vcpu(r->vm->machine, r->index, &r->result);
	if (r->err == 0 && r->result.reason == VMM_MACHINE_YIELD)
		return &r->result.exit;
	if (r->err != 0 || r->result.reason != VMM_MACHINE_KICKED)
		end(r);
	return NULL;
}

/* Until it is kicked: the CPU has changed its owner. */
static void serve_one(struct vmm_sched *sched, uint32_t cpu)
{
	const struct vmm_exit *exit = NULL;
	struct vmm_sched_vcpu *place;

	while (vmm_sched_next(sched, cpu, exit, VMM_FOREVER, &place) == 0 && place != NULL)
		exit = run(vmm_sched_opaque(place));
	vmm_sched_leave(sched, cpu);
}

static void serve(void *arg)
{
	struct vms *vms = arg;
	const uint32_t cpu = (uint32_t)vmm_bare_host()->thread_id(NULL) - 1;

	while (!atomic_load(&vms->over)) {
		const bool owned = (atomic_load(&vms->owned) >> cpu & 1) != 0;

		serve_one(owned ? vms->partition : vms->credit, cpu);
	}
}

void cpus_rest(struct vms *vms, uint64_t ns)
{
	struct vmm_sched_vcpu *place;

	vmm_sched_next(vms->partition, 0, vms->exit, ns, &place);
	vms->exit = NULL;
	if (place == NULL)
		return;
	vmm_vcpu_set_slice(vmm_sched_get_vcpu(place), vmm_bare_host()->time_ns(NULL) + ns, 0);
	vms->exit = run(vmm_sched_opaque(place));
}

/* --- schedulers --- */

static int make(uint32_t kind, uint32_t vcpus, struct vmm_sched **sched)
{
	const struct vmm_sched_config config = {
		.size = sizeof(config), .kind = kind, .cpus = cpu_count(), .max_vcpus = vcpus};
	const int err = vmm_sched_create(vmm_bare_host(), &config, sched);

	if (err == 0)
		return 0;
	vmm_bare_print("bare: scheduler: %s\n", vmm_strerror(err));
	return STATUS_WRONG;
}

int cpus_init(struct vms *vms)
{
	int err = make(VMM_SCHED_PARTITION, cpu_count(), &vms->partition);

	if (err == 0)
		err = make(VMM_SCHED_CREDIT, VMS_MAX * VCPUS_MAX, &vms->credit);
	for (uint32_t cpu = 2; err == 0 && cpu <= cpu_count(); cpu++)
		vmm_bare_run(cpu, serve, vms);
	return err;
}

/* From whom they have asked so far, to whom they are to ask now. */
static void turn_to(struct vms *vms, struct vmm_sched *before, uint64_t cpus, uint64_t owned)
{
	atomic_store(&vms->owned, owned);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		if ((cpus >> cpu & 1) != 0)
			vmm_sched_kick(before, cpu);
	}
}

void cpus_fini(struct vms *vms)
{
	const uint64_t all = UINT64_MAX;

	if (vms->credit != NULL) {
		atomic_store(&vms->over, true);
		turn_to(vms, vms->credit, all, 0);
		for (uint32_t cpu = 2; cpu <= cpu_count(); cpu++)
			vmm_bare_join(cpu);
	}
	vmm_sched_destroy(vms->credit);
	vmm_sched_destroy(vms->partition);
}

/* --- whose a CPU is --- */

static uint32_t count(uint64_t cpus)
{
	uint32_t n = 0;

	for (; cpus != 0; cpus &= cpus - 1)
		n++;
	return n;
}

/* Those that are neither owned nor the monitor's. */
static uint64_t shared_cpus(const struct vms *vms)
{
	return UINT64_MAX >> (64 - cpu_count()) & ~FIRST & ~atomic_load(&vms->owned);
}

static bool somebody_shares(const struct vms *vms)
{
	for (uint32_t i = 0; i < vms->count; i++) {
		if (vms->vm[i].shares)
			return true;
	}
	return false;
}

static bool wants_to_share(const struct vm *vm)
{
	uint64_t shared = 0;

	vmm_profile_get_number(vm->profile, VMM_PROFILE_CPU_SHARED, 0, &shared);
	return shared != 0;
}

static int share(struct vm *vm)
{
	vm->shares = shared_cpus(vm->all) != 0;
	if (vm->shares)
		return 0;
	vmm_bare_print("bare: %s: of this machine's %u CPUs none is left to be shared: end another "
		       "VM\n",
		       vm->name, vmm_bare_cpus());
	return STATUS_WRONG;
}

/* The first ones that are free; one is left where VMs share CPUs. */
static int own(struct vm *vm)
{
	struct vms *vms = vm->all;
	const uint64_t spare = shared_cpus(vms);
	const uint64_t more = vms->single && (atomic_load(&vms->owned) & FIRST) == 0 ? FIRST : 0;
	const uint32_t kept = somebody_shares(vms) ? 1 : 0;
	uint64_t left = spare, mine = 0;

	if (count(spare) + count(more) < vm->vcpus + kept) {
		vmm_bare_print("bare: %s: it has %u CPUs, and %u of this machine's %u are free for "
			       "it: end another VM, give this one fewer, or let it share them "
			       "(cpu.shared)\n",
			       vm->name, vm->vcpus, count(spare) + count(more) - kept,
			       vmm_bare_cpus());
		return STATUS_WRONG;
	}
	for (uint32_t i = 0; i < vm->vcpus; i++) {
		const uint64_t cpu = left != 0 ? left & (0 - left) : more;

		vm->runners[i].cpus = cpu;
		left &= ~cpu;
		mine |= cpu;
	}
	turn_to(vms, vms->credit, mine, atomic_load(&vms->owned) | mine);
	return 0;
}

int cpus_reserve(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpus; i++)
		vm->runners[i] = (struct runner){.vm = vm, .index = i};
	return wants_to_share(vm) ? share(vm) : own(vm);
}

void cpus_release(struct vm *vm)
{
	struct vms *vms = vm->all;
	uint64_t mine = 0;

	for (uint32_t i = 0; i < vm->vcpus; i++) {
		mine |= vm->runners[i].cpus;
		vm->runners[i].cpus = 0;
	}
	vm->shares = false;
	turn_to(vms, vms->partition, mine, atomic_load(&vms->owned) & ~mine);
}

/* --- running --- */

static int add(struct runner *r)
{
	struct vms *vms = r->vm->all;
	struct vmm_vcpu *vcpu = vmm_vm_vcpu(vmm_machine_vm(r->vm->machine), r->index);
	struct vmm_sched_params params = {.size = sizeof(params), .cpus = r->cpus};
	uint64_t weight = 0, cap = 0;

	if (!r->vm->shares)
		return vmm_sched_add(vms->partition, vcpu, &params, r, &r->place);
	vmm_profile_get_number(r->vm->profile, VMM_PROFILE_CPU_WEIGHT, 0, &weight);
	vmm_profile_get_number(r->vm->profile, VMM_PROFILE_CPU_CAP, 0, &cap);
	params.weight = (uint32_t)weight;
	params.cap = (uint32_t)cap;
	params.cpus = UINT64_MAX >> (64 - cpu_count()) & ~FIRST;
	return vmm_sched_add(vms->credit, vcpu, &params, r, &r->place);
}

int cpus_run(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpus; i++) {
		const int err = add(&vm->runners[i]);

		if (err != 0) {
			vmm_bare_print("bare: %s: CPU %u cannot be scheduled: %s\n", vm->name, i,
				       vmm_strerror(err));
			cpus_stop(vm);
			return STATUS_WRONG;
		}
	}
	for (uint32_t i = 0; i < vm->vcpus; i++)
		vmm_sched_start(vm->runners[i].place);
	return 0;
}

int cpus_stop(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpus; i++) {
		struct runner *r = &vm->runners[i];
		const int err = r->place != NULL ? vmm_sched_remove(r->place) : 0;

		if (err != 0)
			return err;
		r->place = NULL;
	}
	return 0;
}

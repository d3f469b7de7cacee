// SPDX-License-Identifier: BSD-2-Clause-Patent
// Things done many times over, against a vCPU that runs.
#include <inttypes.h>

#include "guest.h"
#include "platform.h"
#include "scripts.h"

#define PAGE  UINT64_C(0x1000)
#define PAGES 64 /* that the guest works in; as many after them come and go */
#define HALF  (PAGES * PAGE)
#define STOP  UINT64_C(0x80000)

/* --- half of a region comes and goes while a vCPU works in the other half --- */

struct watch {
	uint64_t seen[PAGES]; /* the page's counter after the last harvest */
	uint64_t owed; /* changed since a harvest without standing in it: must be in the next */
	uint32_t lost;
};

static uint32_t bits_in(uint64_t word)
{
	uint32_t bits = 0;
	for (; word; word &= word - 1)
		bits++;
	return bits;
}

/*
 * A write between two harvests stands in the second one; one between the harvest and the look at
 * the counters stands in the next.
 */
static bool look(struct run *run, struct watch *watch)
{
	uint64_t dirty;
	if (!must(run, "vmm_vm_dirty_harvest",
		  vmm_vm_dirty_harvest(run->vm, SCRATCH, HALF, &dirty, 1)))
		return false;
	watch->lost += bits_in(watch->owed & ~dirty);
	watch->owed = 0;
	for (uint64_t page = 0; page < PAGES; page++) {
		uint64_t count = 0;
		if (!must(run, "vmm_vm_read",
			  vmm_vm_read(run->vm, SCRATCH + page * PAGE, &count, sizeof(count))))
			return false;
		if (count != watch->seen[page] && !(dirty >> page & 1))
			watch->owed |= UINT64_C(1) << page;
		watch->seen[page] = count;
	}
	return true;
}

static void stop_guest(struct run *run, uint64_t gpa)
{
	static const uint32_t stop = 1;
	must(run, "vmm_vm_write", vmm_vm_write(run->vm, gpa, &stop, sizeof(stop)));
}

/* What was written before tracking began is owed by nobody. */
static bool begin_watch(struct run *run, struct watch *watch)
{
	if (!must(run, "vmm_vm_dirty_start", vmm_vm_dirty_start(run->vm, SCRATCH, HALF)))
		return false;
	for (uint64_t page = 0; page < PAGES; page++)
		if (!must(run, "vmm_vm_read",
			  vmm_vm_read(run->vm, SCRATCH + page * PAGE, &watch->seen[page],
				      sizeof(watch->seen[page]))))
			return false;
	return true;
}

static bool unmap_and_map(struct run *run, struct watch *watch)
{
	const uint64_t gpa = SCRATCH + HALF;
	if (!begin_watch(run, watch))
		return false;
	for (uint32_t round = 0; round < run->rounds; round++) {
		if (!must(run, "vmm_vm_unmap", vmm_vm_unmap(run->vm, gpa, HALF)) ||
		    !must(run, "vmm_vm_map",
			  vmm_vm_map(run->vm, gpa, run->ram, gpa, HALF, VMM_PROT_RWX)) ||
		    !look(run, watch))
			return false;
	}
	return true;
}

static void *work(void *opaque)
{
	struct cpu *cpu = opaque;
	return next(cpu) == NEXT_END ? NULL : cpu;
}

void script_split(struct run *run)
{
	struct watch watch = {0};
	struct task thread;
	void *disturbed;
	if (!task_start(&thread, work, &run->cpu[0]))
		return;
	bool done = unmap_and_map(run, &watch);
	uint64_t before = watch.seen[0];
	look(run, &watch);
	while (watch.seen[0] == before && look(run, &watch))
		nap_us(1000);
	stop_guest(run, STOP);
	disturbed = task_join(&thread);
	look(run, &watch);
	look(run, &watch);
	note(run, "rounds: %s; exits of the guest: %s; dirty pages lost: %" PRIu32,
	     done ? "all" : "not all", disturbed ? "some" : "none", watch.lost + !!watch.owed);
}

/* --- kicks against runs --- */

static void *kick(void *opaque)
{
	struct run *run = opaque;
	while (!atomic_load(&run->ended)) {
		vmm_vcpu_kick(run->cpu[0].vcpu);
		nap_us(100);
	}
	return NULL;
}

/* The guest comes back each time, and none but kicks bring it. */
void script_kicks(struct run *run)
{
	struct task thread;
	struct vmm_vcpu *vcpu = run->cpu[0].vcpu;
	struct vmm_exit *exit = &run->cpu[0].exit;
	uint32_t kicked = 0, other = 0;
	if (!play_until(run, VMM_EXIT_PORT, 0x80) || !task_start(&thread, kick, run))
		return;
	while (kicked < run->rounds && !other) {
		if (vmm_vcpu_run(vcpu, exit) || exit->reason != VMM_EXIT_KICKED)
			other++;
		else
			kicked++;
	}
	atomic_store(&run->ended, true);
	task_join(&thread);
	note(run, "kicks: %s", kicked == run->rounds ? "all" : "not all");
}

/* --- lives of VMs --- */

static bool live(struct run *run)
{
	struct vmm_vm_config config = {
		.size = sizeof(config),
		.engine = run->engine,
		.irqchip = VMM_IRQCHIP_NONE,
		.max_vcpus = 2,
	};
	struct vmm_vm *vm = NULL;
	struct vmm_mem *mem = NULL;
	bool ok = must(run, "vmm_vm_create", vmm_vm_create(run->ctx, &config, &vm)) &&
		  must(run, "vmm_mem_create", vmm_mem_create(run->ctx, RAM_SIZE, &mem)) &&
		  must(run, "vmm_vm_map", vmm_vm_map(vm, 0, mem, 0, RAM_SIZE, VMM_PROT_RWX));
	for (uint32_t i = 0; ok && i < 2; i++) {
		struct vmm_vcpu_config vcpu_config = {
			.size = sizeof(vcpu_config), .index = i, .arch_id = i};
		struct vmm_vcpu *vcpu;
		ok = must(run, "vmm_vcpu_create", vmm_vcpu_create(vm, &vcpu_config, &vcpu));
	}
	static const unsigned char halt = 0xf4;
	struct vmm_x86_sys sys;
	struct vmm_x86_regs regs = {.rip = 0x1000, .rflags = 2};
	struct vmm_exit exit = {0};
	ok = ok && must(run, "vmm_vm_seal", vmm_vm_seal(vm)) &&
	     must(run, "vmm_vm_write", vmm_vm_write(vm, 0x1000, &halt, sizeof(halt)));
	struct vmm_vcpu *vcpu = ok ? vmm_vm_vcpu(vm, 0) : NULL;
	ok = ok && vmm_vcpu_get_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)) == 0;
	sys.cs.base = sys.cs.selector = 0;
	ok = ok && vmm_vcpu_set_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)) == 0 &&
	     vmm_vcpu_set_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)) == 0 &&
	     vmm_vcpu_run(vcpu, &exit) == 0 && exit.reason == VMM_EXIT_HLT;
	ok = must(run, "vmm_vm_destroy", vmm_vm_destroy(vm)) && ok;
	vmm_mem_unref(mem);
	return ok;
}

void script_lifetimes(struct run *run)
{
	struct usage before, after;
	/* The first ones find room for what is made once: the allocator's arenas, stdio's buffers.
	 */
	bool ok = true;
	for (uint32_t i = 0; ok && i < 10; i++)
		ok = live(run);
	usage_get(&before);
	for (uint32_t i = 0; ok && i < run->rounds; i++)
		ok = live(run);
	usage_get(&after);
	note(run,
	     "lives: %s; growth in files %" PRId64 ", address space %" PRId64 " pages, memory %s",
	     ok ? "all" : "not all", after.files - before.files, after.size - before.size,
	     after.own - before.own <= 8 ? "none" : "some");
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
// Things done many times over, against a vCPU that runs.
#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "guest.h"
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
	watch->lost += (uint32_t)__builtin_popcountll(watch->owed & ~dirty);
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

static bool unmap_and_map(struct run *run, struct watch *watch)
{
	const uint64_t gpa = SCRATCH + HALF;
	if (!must(run, "vmm_vm_dirty_start", vmm_vm_dirty_start(run->vm, SCRATCH, HALF)))
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
	pthread_t thread;
	void *disturbed;
	if (pthread_create(&thread, NULL, work, &run->cpu[0]))
		return;
	bool done = unmap_and_map(run, &watch);
	uint64_t before = watch.seen[0];
	look(run, &watch);
	while (watch.seen[0] == before && look(run, &watch))
		usleep(1000);
	stop_guest(run, STOP);
	pthread_join(thread, &disturbed);
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
		usleep(100);
	}
	return NULL;
}

/* The guest comes back each time, and none but kicks bring it. */
void script_kicks(struct run *run)
{
	pthread_t thread;
	struct vmm_vcpu *vcpu = run->cpu[0].vcpu;
	struct vmm_exit *exit = &run->cpu[0].exit;
	uint32_t kicked = 0, other = 0;
	if (!play_until(run, VMM_EXIT_PORT, 0x80) || pthread_create(&thread, NULL, kick, run))
		return;
	while (kicked < run->rounds && !other) {
		if (vmm_vcpu_run(vcpu, exit) || exit->reason != VMM_EXIT_KICKED)
			other++;
		else
			kicked++;
	}
	atomic_store(&run->ended, true);
	pthread_join(thread, NULL);
	note(run, "kicks: %s", kicked == run->rounds ? "all" : "not all");
}

/* --- lives of VMs --- */

static uint32_t open_files(void)
{
	uint32_t count = 0;
	DIR *directory = opendir("/proc/self/fd");
	while (directory && readdir(directory))
		count++;
	closedir(directory);
	return count;
}

/* Pages of address space, and of them in memory and the process's own. */
static void memory_use(long *size, long *own)
{
	long resident = 0, shared = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (!file || fscanf(file, "%ld %ld %ld", size, &resident, &shared) != 3)
		*size = -1;
	*own = resident - shared;
	fclose(file);
}

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
	long size_before, size_after, own_before, own_after;
	/* The first ones find room for what is made once: the allocator's arenas, stdio's buffers.
	 */
	bool ok = true;
	for (uint32_t i = 0; ok && i < 10; i++)
		ok = live(run);
	uint32_t files_before = open_files();
	memory_use(&size_before, &own_before);
	for (uint32_t i = 0; ok && i < run->rounds; i++)
		ok = live(run);
	memory_use(&size_after, &own_after);
	note(run, "lives: %s; growth in files %" PRId32 ", address space %ld pages, memory %s",
	     ok ? "all" : "not all", (int32_t)(open_files() - files_before),
	     size_after - size_before, own_after - own_before <= 8 ? "none" : "some");
}

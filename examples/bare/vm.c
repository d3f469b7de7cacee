// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "vm.h"

#include "cpus.h"
#include "libvmm/loader.h"
#include "libvmm/partition.h"
#include "text.h"

static int say(const struct vm *vm, const char *what, const struct vmm_error *error)
{
	vmm_bare_print("bare: %s: %s: %s\n", vm->name, what,
		       error->text[0] != '\0' ? error->text : vmm_strerror(error->code));
	return STATUS_WRONG;
}

static int machine_failed(const struct vm *vm, const char *what)
{
	struct vmm_error error = {.size = sizeof(error)};

	vmm_machine_error(vm->machine, &error);
	return say(vm, what, &error);
}

/* --- its machine --- */

/* How often the hardware has left the guest. */
static uint64_t vm_exits(const struct vm *vm)
{
	struct vmm_partition_exits exits = {.size = sizeof(exits)};
	uint64_t all = 0;

	for (uint32_t i = 0; i < vm->vcpus; i++) {
		if (vmm_vcpu_partition_exits(vmm_vm_vcpu(vmm_machine_vm(vm->machine), i), &exits) ==
		    0)
			all += exits.total;
	}
	return all;
}

static void guest_output(void *opaque, uint32_t console, const uint8_t *data, uint32_t len)
{
	struct vm *vm = opaque;

	if (console != 0)
		return;
	if (vm->first_ns == 0) {
		vm->first_ns = vmm_bare_host()->time_ns(NULL);
		vm->first_exits = vm_exits(vm);
	}
	console_write(&vm->console, data, len);
}

static int too_little_memory(const struct vm *vm)
{
	struct vmm_bare_usage usage;

	vmm_bare_usage(&usage);
	vmm_bare_print("bare: %s: %u MiB are free: end another VM, or give this one less "
		       "(memory.size)\n",
		       vm->name, (uint32_t)(usage.phys_free >> 20));
	return STATUS_WRONG;
}

static bool has_bios(const struct vm *vm)
{
	const char *firmware = "";

	vmm_profile_get_string(vm->profile, VMM_PROFILE_BOOT_FIRMWARE, 0, &firmware);
	return text_same(firmware, "bios");
}

/* A BIOS has a diskette in the place of an initrd (docs/legacy.md). */
static int add_diskette(struct vm *vm)
{
	const struct vmm_error too_long = {.code = -VMM_ERANGE};

	if (!has_bios(vm) || vm->initrd == NULL)
		return 0;
	if (vm->initrd->len > UINT32_MAX)
		return say(vm, "diskette", &too_long);
	if (vmm_machine_fw_cfg_file(vm->machine, "floppyimg/0", vm->initrd->data,
				    (uint32_t)vm->initrd->len) != 0)
		return machine_failed(vm, "diskette");
	return 0;
}

static int make_machine(struct vm *vm)
{
	struct vmm_error error = {.size = sizeof(error)};
	const struct vmm_machine_config config = {.size = sizeof(config),
						  .profile = vm->profile,
						  .opaque = vm,
						  .flags = VMM_MACHINE_SEE_IDLE,
						  .clock = VMM_CLOCK_STOPS,
						  .console_write = guest_output};

	if (vmm_machine_create(vm->all->ctx, &config, &vm->machine, &error) != 0) {
		say(vm, "machine", &error);
		return error.code == -VMM_ENOMEM ? too_little_memory(vm) : STATUS_WRONG;
	}
	if (add_diskette(vm) != 0)
		return STATUS_WRONG;
	if (vmm_machine_seal(vm->machine) != 0)
		return machine_failed(vm, "machine");
	if (vmm_machine_vcpus(vm->machine) > VCPUS_MAX) {
		vmm_bare_print("bare: %s: it has %u CPUs, %u are possible\n", vm->name,
			       vmm_machine_vcpus(vm->machine), VCPUS_MAX);
		return STATUS_WRONG;
	}
	vm->vcpus = vmm_machine_vcpus(vm->machine);
	return 0;
}

static int load_bios(struct vm *vm)
{
	if (vmm_machine_load_bios(vm->machine, vm->kernel->data, vm->kernel->len) != 0)
		return machine_failed(vm, "BIOS");
	return 0;
}

static int load_guest(struct vm *vm)
{
	struct vmm_load_target target = {.size = sizeof(target)};
	struct vmm_load_args args = {.size = sizeof(args)};
	struct vmm_boot boot = {.size = sizeof(boot)};
	struct vmm_load_module module = {0};
	struct vmm_error error = {.size = sizeof(error)};
	struct vmm_vcpu *first = vmm_vm_vcpu(vmm_machine_vm(vm->machine), 0);

	if (has_bios(vm))
		return load_bios(vm);
	args.image = vm->kernel->data;
	args.image_len = vm->kernel->len;
	vmm_profile_get_string(vm->profile, VMM_PROFILE_BOOT_CMDLINE, 0, &args.cmdline);
	if (vm->initrd != NULL) {
		module.data = vm->initrd->data;
		module.len = vm->initrd->len;
		args.modules = &module;
		args.module_count = 1;
	}
	if (vmm_machine_load_target(vm->machine, &target) != 0 ||
	    vmm_image_load(&target, &args, &boot, &error) != 0)
		return say(vm, "kernel", &error);
	if (vmm_boot_apply(&boot, first) != 0) {
		vmm_vcpu_error(first, &error);
		return say(vm, "first CPU", &error);
	}
	return 0;
}

/* --- its life --- */

/* None of its vCPUs runs. */
static void take_apart(struct vm *vm)
{
	vmm_machine_destroy(vm->machine);
	cpus_release(vm);
	vm->machine = NULL;
	vm->state = VM_OFF;
}

static int run(struct vm *vm)
{
	int err;

	atomic_store(&vm->ended, 0);
	err = cpus_run(vm);
	if (err != 0)
		return err;
	vm->state = VM_RUNS;
	vm->starts++;
	return 0;
}

int vm_start(struct vm *vm)
{
	int err;

	if (vm->state == VM_DEAD)
		take_apart(vm);
	vm->start_ns = vmm_bare_host()->time_ns(NULL);
	vm->first_ns = 0;
	err = make_machine(vm);
	if (err == 0)
		err = load_guest(vm);
	if (err == 0)
		err = cpus_reserve(vm);
	if (err == 0)
		err = run(vm);
	if (err != 0)
		take_apart(vm);
	return err;
}

/* @err: what a function of its VM has given. */
static int tell(const struct vm *vm, const char *what, int err)
{
	struct vmm_error error = {.size = sizeof(error)};

	if (err == 0)
		return 0;
	vmm_vm_error(vmm_machine_vm(vm->machine), &error);
	return say(vm, what, &error);
}

int vm_pause(struct vm *vm)
{
	const int err = tell(vm, "pause", vmm_vm_pause(vmm_machine_vm(vm->machine)));

	if (err == 0)
		vm->state = VM_PAUSED;
	return err;
}

int vm_resume(struct vm *vm)
{
	const int err = tell(vm, "resume", vmm_vm_resume(vmm_machine_vm(vm->machine)));

	if (err == 0)
		vm->state = VM_RUNS;
	return err;
}

int vm_settle(struct vm *vm)
{
	return tell(vm, "settle", vmm_vm_settle(vmm_machine_vm(vm->machine)));
}

/* A CPU that cannot be fetched for a minute is a defect of the engine; then its VM stays. */
static int stand_still(struct vm *vm)
{
	if (cpus_stop(vm) == 0)
		return 0;
	vmm_bare_print("bare: %s: a CPU does not come back from it\n", vm->name);
	return STATUS_WRONG;
}

int vm_kill(struct vm *vm)
{
	if (vm->state == VM_OFF)
		return 0;
	if (stand_still(vm) != 0)
		return STATUS_WRONG;
	take_apart(vm);
	return 0;
}

/* One whose vCPU cannot go on is kept. */
static void die(struct vm *vm)
{
	vm->status = STATUS_DIED;
	vm->state = VM_DEAD;
	vmm_bare_print("bare: %s is kept as it is: 'inspect %s' shows it, 'start %s' begins anew\n",
		       vm->name, vm->name, vm->name);
}

static void tell_culprit(const struct vm *vm, const struct runner *r)
{
	struct vmm_error error = {.size = sizeof(error)};
	const char *name = vmm_exit_name(r->result.exit.reason);

	if (r->err != 0) {
		vmm_vcpu_error(vmm_vm_vcpu(vmm_machine_vm(vm->machine), r->index), &error);
		say(vm, "the guest", &error);
	} else {
		vmm_bare_print("bare: %s: CPU %u stopped for good: %s, hardware code %llx\n",
			       vm->name, r->index, name != NULL ? name : "unknown exit",
			       (unsigned long long)r->result.exit.hw_code);
	}
}

static void reset(struct vm *vm)
{
	if (vmm_machine_reset(vm->machine) != 0) {
		machine_failed(vm, "reset");
		die(vm);
	} else if (load_guest(vm) != 0 || run(vm) != 0) {
		die(vm);
	}
}

bool vm_look(struct vm *vm)
{
	const uint32_t ended = atomic_load(&vm->ended);
	const struct vmm_machine_run *result;
	const struct runner *r;

	if (vm->state != VM_RUNS || ended == 0 || stand_still(vm) != 0)
		return false;
	r = &vm->runners[ended - 1];
	result = &r->result;
	if (r->err == 0 && result->reason == VMM_MACHINE_RESET) {
		reset(vm);
		return vm->state == VM_DEAD;
	}
	console_end_line();
	vm->status = 0;
	if (r->err != 0 || result->reason == VMM_MACHINE_EXIT) {
		tell_culprit(vm, r);
		die(vm);
		return true;
	}
	switch (result->reason) {
	case VMM_MACHINE_OFF:
		vmm_bare_print("bare: %s has switched itself off\n", vm->name);
		take_apart(vm);
		break;
	case VMM_MACHINE_DEBUG_EXIT:
		vm->status = (int)(result->status >> 1 & 0x7f);
		vmm_bare_print("bare: %s has ended with status %d\n", vm->name, vm->status);
		take_apart(vm);
		break;
	case VMM_MACHINE_SLEEP:
		vmm_bare_print("bare: %s sleeps, and nothing here wakes it\n", vm->name);
		die(vm);
		break;
	default:
		vmm_bare_print("bare: %s: CPU %u has shut down\n", vm->name, result->vcpu);
		die(vm);
	}
	return true;
}

bool vm_is_partition(const struct vm *vm)
{
	uint64_t dedicated = 0;

	vmm_profile_get_number(vm->profile, VMM_PROFILE_CPU_DEDICATED, 0, &dedicated);
	return dedicated != 0;
}

const char *vm_state_name(const struct vm *vm)
{
	static const char *const names[] = {"off", "runs", "paused", "dead"};

	return names[vm->state];
}

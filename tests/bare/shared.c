// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * VMs of one profile that share all CPUs of the machine under a scheduler: "vms=2 credit" or
 * "partition" on the command line. Profile, kernel and initrd are boot modules, as for
 * examples/bare. Each line of a guest's console is told with its number.
 */
#include "bare.h"
#include "files.h"
#include "libvmm/libvmm.h"
#include "libvmm/loader.h"
#include "libvmm/sched.h"
#include "libvmm/svm.h"
#include "mem.h"
#include "sync.h"

#define VMS   4
#define VCPUS 8
#define LINE  256

struct vm;

struct place {
	struct vm *vm;
	uint32_t index;
	struct vmm_sched_vcpu *sched;
	struct vmm_machine_run run;
};

struct vm {
	uint32_t number;
	uint32_t vcpus;
	struct vmm_machine *machine;
	struct place place[VCPUS];
	_Atomic uint32_t running; /* vCPUs that have not come to the end */
	char line[LINE];
	uint32_t len;
};

static struct files files;
static struct vmm_profile *profile;
static struct vmm_ctx *ctx;
static struct vmm_sched *sched;
static struct vm vms[VMS];
static uint32_t vm_count = 1;
static _Atomic uint32_t vms_running;

static void must(int err, const char *what)
{
	if (err == 0)
		return;
	vmm_bare_print("not ok: %s: %s\n", what, vmm_strerror(err));
	vmm_bare_end(1);
}

static bool has_word(const char *line, const char *word)
{
	for (const char *at = line; *at != '\0'; at++) {
		size_t n = 0;

		while (word[n] != '\0' && at[n] == word[n])
			n++;
		if (word[n] == '\0' && (at[n] == ' ' || at[n] == '\0') &&
		    (at == line || at[-1] == ' '))
			return true;
	}
	return false;
}

/* --- making them --- */

static void guest_output(void *opaque, uint32_t console, const uint8_t *data, uint32_t len)
{
	struct vm *vm = opaque;

	(void)console;
	for (uint32_t i = 0; i < len; i++) {
		if (data[i] >= ' ' && vm->len < LINE - 1)
			vm->line[vm->len++] = (char)data[i];
		if (data[i] != '\n' && vm->len < LINE - 1)
			continue;
		vm->line[vm->len] = '\0';
		vmm_bare_print("%u: %s\n", vm->number, vm->line);
		vm->len = 0;
	}
}

static void read_modules(const struct vmm_bare_boot *boot)
{
	struct vmm_profile_error error = {.size = sizeof(error)};
	void *storage = vmm_bare_host()->alloc(NULL, vmm_profile_size(), 16);
	const struct file *text;

	for (uint32_t i = 0; i < boot->module_count; i++)
		must(files_add(&files, boot->modules[i].data, (size_t)boot->modules[i].len,
			       boot->modules[i].cmdline),
		     "boot module");
	text = files_find(&files, PROFILE);
	must(storage != NULL && text != NULL ? 0 : -VMM_ENOENT, PROFILE);
	must(vmm_profile_init(storage, vmm_profile_size(), &profile), PROFILE);
	must(vmm_profile_parse(profile, (const char *)text->data, text->len, &error), PROFILE);
}

static const struct file *named(uint32_t key)
{
	const struct file *f;
	const char *name = "";

	vmm_profile_get_string(profile, key, 0, &name);
	f = files_find(&files, name);
	must(f != NULL ? 0 : -VMM_ENOENT, name);
	return f;
}

static void load(struct vm *vm)
{
	const struct file *kernel = named(VMM_PROFILE_BOOT_KERNEL),
			  *initrd = named(VMM_PROFILE_BOOT_INITRD);
	const struct vmm_load_module module = {.data = initrd->data, .len = initrd->len};
	struct vmm_load_target target = {.size = sizeof(target)};
	struct vmm_load_args args = {.size = sizeof(args),
				     .image = kernel->data,
				     .image_len = kernel->len,
				     .modules = &module,
				     .module_count = 1};
	struct vmm_boot boot = {.size = sizeof(boot)};
	struct vmm_error error = {.size = sizeof(error)};

	vmm_profile_get_string(profile, VMM_PROFILE_BOOT_CMDLINE, 0, &args.cmdline);
	must(vmm_machine_load_target(vm->machine, &target), "load target");
	must(vmm_image_load(&target, &args, &boot, &error), error.text);
	must(vmm_boot_apply(&boot, vmm_vm_vcpu(vmm_machine_vm(vm->machine), 0)), "first CPU");
}

static void make_vm(uint32_t number)
{
	struct vm *vm = &vms[number];
	const struct vmm_machine_config config = {.size = sizeof(config),
						  .flags = VMM_MACHINE_SEE_IDLE,
						  .profile = profile,
						  .opaque = vm,
						  .console_write = guest_output};
	struct vmm_error error = {.size = sizeof(error)};

	vm->number = number;
	must(vmm_machine_create(ctx, &config, &vm->machine, &error), error.text);
	must(vmm_machine_seal(vm->machine), "vmm_machine_seal");
	vm->vcpus = vmm_machine_vcpus(vm->machine);
	must(vm->vcpus <= VCPUS ? 0 : -VMM_ERANGE, "too many vCPUs");
	load(vm);
	atomic_store(&vm->running, vm->vcpus);
	for (uint32_t i = 0; i < vm->vcpus; i++) {
		struct place *p = &vm->place[i];

		*p = (struct place){.vm = vm, .index = i};
		must(vmm_sched_add(sched, vmm_vm_vcpu(vmm_machine_vm(vm->machine), i), NULL, p,
				   &p->sched),
		     "vmm_sched_add");
	}
}

/* --- running them --- */

/* The vCPU has come to its end, and with the last one all CPUs have. */
static void ended(struct place *p, int err)
{
	must(err, "vmm_machine_run_vcpu");
	if (p->run.reason != VMM_MACHINE_OFF)
		vmm_bare_print("not ok: VM %u, vCPU %u: reason %u, exit %u\n", p->vm->number,
			       p->index, p->run.reason, p->run.exit.reason);
	vmm_sched_stop(p->sched);
	if (atomic_fetch_sub(&p->vm->running, 1) != 1)
		return;
	vmm_bare_print("VM %u is off\n", p->vm->number);
	if (atomic_fetch_sub(&vms_running, 1) != 1)
		return;
	for (uint32_t cpu = 0; cpu < vmm_bare_cpus(); cpu++)
		vmm_sched_kick(sched, cpu);
}

static void cpu_loop(void *arg)
{
	const uint32_t cpu = (uint32_t)(uintptr_t)arg;
	const struct vmm_exit *exit = NULL;
	struct vmm_sched_vcpu *sv;

	while (vmm_sched_next(sched, cpu, exit, VMM_FOREVER, &sv) == 0 && sv != NULL) {
		struct place *p = vmm_sched_opaque(sv);
		int err;

		exit = NULL;
		p->run.size = sizeof(p->run);
		err = vmm_machine_run_vcpu(p->vm->machine, p->index, &p->run);
		if (err == 0 && p->run.reason == VMM_MACHINE_YIELD)
			exit = &p->run.exit;
		else if (err != 0 || p->run.reason != VMM_MACHINE_KICKED)
			ended(p, err);
	}
	vmm_sched_leave(sched, cpu);
}

static void run_all(void)
{
	atomic_store(&vms_running, vm_count);
	for (uint32_t i = 0; i < vm_count; i++) {
		for (uint32_t k = 0; k < vms[i].vcpus; k++)
			vmm_sched_start(vms[i].place[k].sched);
	}
	for (uint32_t cpu = 1; cpu < vmm_bare_cpus(); cpu++)
		vmm_bare_run(cpu + 1, cpu_loop, (void *)(uintptr_t)cpu);
	cpu_loop(NULL);
	for (uint32_t cpu = 1; cpu < vmm_bare_cpus(); cpu++)
		vmm_bare_join(cpu + 1);
}

static void take_apart(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpus; i++) {
		struct vmm_sched_stats s = {.size = sizeof(s)};

		vmm_sched_get_stats(vm->place[i].sched, &s);
		vmm_bare_print("VM %u, vCPU %u: %u ms, given %u, preempted %u, yielded %u, "
			       "idle %u, moved %u, waited %u us at most\n",
			       vm->number, i, (uint32_t)(s.run_ns / 1000000), (uint32_t)s.given,
			       (uint32_t)s.preempted, (uint32_t)s.yielded, (uint32_t)s.idled,
			       (uint32_t)s.moved, (uint32_t)(s.wait_ns / 1000));
		must(vmm_sched_remove(vm->place[i].sched), "vmm_sched_remove");
	}
	must(vmm_machine_destroy(vm->machine), "vmm_machine_destroy");
}

int vmm_bare_main(const struct vmm_bare_boot *boot)
{
	const struct vmm_engine *engines[] = {vmm_engine_svm()};
	const struct vmm_ctx_config config = {.size = sizeof(config),
					      .host = vmm_bare_host(),
					      .engines = engines,
					      .engine_count = 1};
	const struct vmm_sched_config sched_config = {.size = sizeof(sched_config),
						      .kind = has_word(boot->cmdline, "partition")
								      ? VMM_SCHED_PARTITION
								      : VMM_SCHED_CREDIT,
						      .cpus = vmm_bare_cpus(),
						      .max_vcpus = VMS * VCPUS};
	struct vmm_bare_usage before, after;

	for (uint32_t n = 2; n <= VMS; n++) {
		const char word[] = {'v', 'm', 's', '=', (char)('0' + n), '\0'};

		if (has_word(boot->cmdline, word))
			vm_count = n;
	}
	vmm_bare_usage(&before);
	read_modules(boot);
	must(vmm_ctx_create(&config, &ctx, NULL), "vmm_ctx_create");
	must(vmm_sched_create(vmm_bare_host(), &sched_config, &sched), "vmm_sched_create");
	for (uint32_t i = 0; i < vm_count; i++)
		make_vm(i);
	run_all();
	for (uint32_t i = 0; i < vm_count; i++)
		take_apart(&vms[i]);
	must(vmm_sched_destroy(sched), "vmm_sched_destroy");
	must(vmm_ctx_destroy(ctx), "vmm_ctx_destroy");
	vmm_bare_host()->free(NULL, profile, vmm_profile_size());
	vmm_bare_usage(&after);
	vmm_bare_print("left over: %llu bytes\n",
		       (unsigned long long)(after.heap_bytes - before.heap_bytes));
	return 0;
}

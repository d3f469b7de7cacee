// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "vm.h"

#include "libvmm/loader.h"
#include "libvmm/svm.h"
#include "libvmm/vmx.h"
#include "text.h"

#define STATUS_WRONG 2 /* something is missing, or cannot be had */
#define STATUS_DIED  3 /* the guest */

static int say(const struct vm *vm, const char *what, const struct vmm_error *error)
{
	vmm_bare_print("bare: %s: %s: %s\n", vm->name, what,
		       error->text[0] != '\0' ? error->text : vmm_strerror(error->code));
	return STATUS_WRONG;
}

/* --- what it was given --- */

static int read_modules(struct vms *vms, const struct vmm_bare_boot *boot)
{
	for (uint32_t i = 0; i < boot->module_count; i++) {
		const struct vmm_bare_module *m = &boot->modules[i];
		const int err = files_add(&vms->files, m->data, (size_t)m->len, m->cmdline);

		if (err != 0) {
			vmm_bare_print("bare: module %u: %s\n", i, vmm_strerror(err));
			return STATUS_WRONG;
		}
	}
	return 0;
}

static int wrong_profile(const char *where, const struct vmm_profile_error *error)
{
	vmm_bare_print("bare: %s, line %u, column %u: %s\n", where, error->line, error->column,
		       error->text);
	return STATUS_WRONG;
}

/* Words "section.key=value" of the image's own command line; behind " -- " is the kernel's. */
static int read_words(struct vm *vm, const char *p)
{
	struct vmm_profile_error error = {.size = sizeof(error)};
	char word[256];

	while (*p != '\0') {
		size_t n = 0;

		while (*p == ' ')
			p++;
		if (text_begins(p, "-- "))
			return vmm_profile_set_string(vm->profile, VMM_PROFILE_BOOT_CMDLINE, 0,
						      p + 3) == 0
				       ? 0
				       : STATUS_WRONG;
		while (p[n] != '\0' && p[n] != ' ')
			n++;
		text_copy(word, sizeof(word), p, n);
		p += n;
		if (n != 0 && vmm_profile_set_text(vm->profile, word, &error) != 0)
			return wrong_profile("command line", &error);
	}
	return 0;
}

/* The file that a key names; where it names none, NULL with *@err 0. */
static const struct file *named_file(const struct vm *vm, uint32_t key, int *err)
{
	const struct file *f = NULL;
	const char *name = "";

	*err = 0;
	vmm_profile_get_string(vm->profile, key, 0, &name);
	if (*name == '\0')
		return NULL;
	f = files_find(&vm->all->files, name);
	if (f == NULL) {
		vmm_bare_print("bare: %s: %s: no such file among the boot modules\n", vm->name,
			       name);
		*err = STATUS_WRONG;
	}
	return f;
}

/* Where the profile names no kernel, the first file that is one. */
static int find_files(struct vm *vm)
{
	const struct files *files = &vm->all->files;
	int err;

	vm->kernel = named_file(vm, VMM_PROFILE_BOOT_KERNEL, &err);
	if (err != 0)
		return err;
	for (uint32_t i = 0; vm->kernel == NULL && i < files->count; i++) {
		const struct file *f = &files->file[i];

		if (vmm_image_probe(f->data, f->len) != VMM_IMAGE_UNKNOWN)
			vm->kernel = f;
	}
	if (vm->kernel == NULL) {
		vmm_bare_print("bare: %s: no kernel: give one as a boot module, or an archive with "
			       "a profile that names it\n",
			       vm->name);
		return STATUS_WRONG;
	}
	vm->initrd = named_file(vm, VMM_PROFILE_BOOT_INITRD, &err);
	return err;
}

/* @file: its profile, NULL for an empty one. */
static int add_vm(struct vms *vms, const struct file *file, const char *name, size_t len,
		  const char *words)
{
	struct vmm_profile_error error = {.size = sizeof(error)};
	const struct vmm_host *host = vmm_bare_host();
	struct vm *vm = &vms->vm[vms->count];
	void *storage;
	int err;

	if (vms->count == VMS_MAX) {
		vmm_bare_print("bare: there are more than %u profiles\n", VMS_MAX);
		return STATUS_WRONG;
	}
	storage = host->alloc(NULL, vmm_profile_size(), 16);
	if (storage == NULL || vmm_profile_init(storage, vmm_profile_size(), &vm->profile) != 0) {
		vmm_bare_print("bare: no memory for the profile\n");
		return STATUS_WRONG;
	}
	vms->count++;
	vm->all = vms;
	text_copy(vm->name, sizeof(vm->name), name, len);
	if (file != NULL &&
	    vmm_profile_parse(vm->profile, (const char *)file->data, file->len, &error) != 0)
		return wrong_profile(file->name, &error);
	err = read_words(vm, words);
	return err == 0 ? find_files(vm) : err;
}

/* Several profiles, each named after its VM, or one, which need not be there at all. */
static int add_vms(struct vms *vms, const char *words)
{
	for (uint32_t i = 0; i < vms->files.count; i++) {
		const struct file *f = &vms->files.file[i];
		const size_t stem = files_profile_stem(f->name);
		const int err = stem != 0 ? add_vm(vms, f, f->name, stem, words) : 0;

		if (err != 0)
			return err;
	}
	if (vms->count != 0)
		return 0;
	vms->share = true;
	return add_vm(vms, files_find(&vms->files, PROFILE), "vm", 2, words);
}

int vms_init(struct vms *vms, const struct vmm_bare_boot *boot)
{
	static const struct vmm_engine *engines[2];
	struct vmm_error error = {.size = sizeof(error)};
	const struct vmm_ctx_config config = {.size = sizeof(config),
					      .host = vmm_bare_host(),
					      .engines = engines,
					      .engine_count = 2};
	int err = read_modules(vms, boot);

	if (err == 0)
		err = add_vms(vms, boot->cmdline);
	if (err != 0)
		return err;
	engines[0] = vmm_engine_svm();
	engines[1] = vmm_engine_vmx();
	if (vmm_ctx_create(&config, &vms->ctx, &error) != 0) {
		vmm_bare_print("bare: libvmm: %s\n", error.text);
		return STATUS_WRONG;
	}
	return 0;
}

void vms_fini(struct vms *vms)
{
	if (vms->ctx != NULL)
		vmm_ctx_destroy(vms->ctx);
	for (uint32_t i = 0; i < vms->count; i++)
		vmm_bare_host()->free(NULL, vms->vm[i].profile, vmm_profile_size());
}

struct vm *vms_find(struct vms *vms, const char *name)
{
	for (uint32_t i = 0; i < vms->count; i++) {
		if (text_same(vms->vm[i].name, name))
			return &vms->vm[i];
	}
	return NULL;
}

/* --- its machine --- */

static void guest_output(void *opaque, uint32_t console, const uint8_t *data, uint32_t len)
{
	struct vm *vm = opaque;

	if (console != 0)
		return;
	if (vm->first_ns == 0)
		vm->first_ns = vmm_bare_host()->time_ns(NULL);
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
	if (!has_bios(vm) || vm->initrd == NULL)
		return 0;
	return vmm_machine_fw_cfg_file(vm->machine, "floppyimg/0", vm->initrd->data,
				       (uint32_t)vm->initrd->len);
}

static int make_machine(struct vm *vm)
{
	struct vmm_error error = {.size = sizeof(error)};
	const struct vmm_machine_config config = {.size = sizeof(config),
						  .profile = vm->profile,
						  .opaque = vm,
						  .clock = VMM_CLOCK_STOPS,
						  .console_write = guest_output};

	if (vmm_machine_create(vm->all->ctx, &config, &vm->machine, &error) != 0) {
		say(vm, "machine", &error);
		return error.code == -VMM_ENOMEM ? too_little_memory(vm) : STATUS_WRONG;
	}
	if (add_diskette(vm) != 0 || vmm_machine_seal(vm->machine) != 0) {
		vmm_machine_error(vm->machine, &error);
		return say(vm, "machine", &error);
	}
	vm->vcpus = vmm_machine_vcpus(vm->machine);
	return 0;
}

static int load_bios(struct vm *vm)
{
	struct vmm_error error = {.size = sizeof(error)};

	if (vmm_machine_load_bios(vm->machine, vm->kernel->data, vm->kernel->len) == 0)
		return 0;
	vmm_machine_error(vm->machine, &error);
	return say(vm, "BIOS", &error);
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

/* --- CPUs --- */

static uint64_t cpu_count(void)
{
	const uint64_t cpus = vmm_bare_cpus();

	return cpus < CPUS_MAX ? cpus : CPUS_MAX - 1;
}

/* One that is nobody's, the first after all others; 0: none. */
static uint64_t free_cpu(const struct vms *vms)
{
	for (uint64_t cpu = 2; cpu <= cpu_count(); cpu++) {
		if (vms->cpu[cpu] == NULL)
			return cpu;
	}
	return vms->share && vms->cpu[1] == NULL ? 1 : 0;
}

static void give_cpus(struct vm *vm)
{
	for (uint64_t cpu = 1; cpu <= cpu_count(); cpu++) {
		if (vm->all->cpu[cpu] == vm)
			vm->all->cpu[cpu] = NULL;
	}
}

static int take_cpus(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpus; i++) {
		const uint64_t cpu = i < VCPUS_MAX ? free_cpu(vm->all) : 0;

		if (cpu == 0) {
			give_cpus(vm);
			vmm_bare_print("bare: %s: it has %u CPUs, and %u of this machine's %u are "
				       "free for it: end another VM, or give it fewer\n",
				       vm->name, vm->vcpus, i, (uint32_t)cpu_count());
			return STATUS_WRONG;
		}
		vm->all->cpu[cpu] = vm;
		vm->runners[i] = (struct runner){.vm = vm, .index = i, .cpu = cpu};
	}
	return 0;
}

/* --- running --- */

static void run_vcpu(void *arg)
{
	struct runner *r = arg;
	struct vm *vm = r->vm;
	const void *event = &vm->all->event;

	do {
		r->result.size = sizeof(r->result);
		r->err = vmm_machine_run_vcpu(vm->machine, r->index, &r->result);
	} while (r->err == 0 && r->result.reason == VMM_MACHINE_KICKED &&
		 atomic_load(&vm->ending) == 0);
	/* One that cannot go on is the end of all. */
	if (r->err != 0 || r->result.reason == VMM_MACHINE_EXIT) {
		atomic_store(&vm->ending, 1);
		vmm_machine_kick(vm->machine);
	}
	atomic_fetch_sub(&vm->running, 1);
	atomic_fetch_add(&vm->all->event, 1);
	vmm_bare_host()->wake(NULL, event);
}

static void run_all(struct vm *vm)
{
	atomic_store(&vm->ending, 0);
	atomic_store(&vm->running, vm->vcpus);
	vm->state = VM_RUNS;
	vm->starts++;
	for (uint32_t i = 0; i < vm->vcpus; i++) {
		struct runner *r = &vm->runners[i];

		if (r->cpu == 1)
			vm->all->here = r;
		else
			vmm_bare_run(r->cpu, run_vcpu, r);
	}
}

static void join_all(const struct vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpus; i++) {
		if (vm->runners[i].cpu != 1)
			vmm_bare_join(vm->runners[i].cpu);
	}
}

void vms_rest(struct vms *vms, uint64_t ns)
{
	struct runner *here = vms->here;
	const void *event = &vms->event;

	vms->here = NULL;
	if (here != NULL)
		run_vcpu(here);
	else
		vmm_bare_host()->wait(NULL, event, atomic_load(&vms->event), ns);
}

/* --- its life --- */

static void take_apart(struct vm *vm)
{
	give_cpus(vm);
	vmm_machine_destroy(vm->machine);
	vm->machine = NULL;
	vm->state = VM_OFF;
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
		err = take_cpus(vm);
	if (err == 0)
		run_all(vm);
	else
		take_apart(vm);
	return err;
}

int vm_pause(struct vm *vm)
{
	struct vmm_error error = {.size = sizeof(error)};

	if (vmm_vm_pause(vmm_machine_vm(vm->machine)) != 0) {
		vmm_vm_error(vmm_machine_vm(vm->machine), &error);
		return say(vm, "pause", &error);
	}
	vm->state = VM_PAUSED;
	return 0;
}

int vm_resume(struct vm *vm)
{
	struct vmm_error error = {.size = sizeof(error)};

	if (vmm_vm_resume(vmm_machine_vm(vm->machine)) != 0) {
		vmm_vm_error(vmm_machine_vm(vm->machine), &error);
		return say(vm, "resume", &error);
	}
	vm->state = VM_RUNS;
	return 0;
}

void vm_kill(struct vm *vm)
{
	if (vm->state == VM_OFF)
		return;
	atomic_store(&vm->ending, 1);
	vmm_machine_kick(vm->machine);
	if (vm->state == VM_PAUSED)
		vm_resume(vm);
	if (vm->state != VM_DEAD)
		join_all(vm);
	take_apart(vm);
}

/* One whose vCPU cannot go on is kept. */
static void die(struct vm *vm)
{
	vm->status = STATUS_DIED;
	vm->state = VM_DEAD;
	give_cpus(vm);
	vmm_bare_print("bare: %s is kept as it is: 'inspect %s' shows it, 'start %s' begins anew\n",
		       vm->name, vm->name, vm->name);
}

/* The one that has ended the others, if there is one. */
static const struct runner *culprit(const struct vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpus; i++) {
		const struct runner *r = &vm->runners[i];

		if (r->err != 0 || r->result.reason == VMM_MACHINE_EXIT)
			return r;
	}
	return NULL;
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
	struct vmm_error error = {.size = sizeof(error)};

	if (vmm_machine_reset(vm->machine) != 0) {
		vmm_machine_error(vm->machine, &error);
		say(vm, "reset", &error);
		die(vm);
	} else if (load_guest(vm) != 0) {
		die(vm);
	} else {
		run_all(vm);
	}
}

bool vm_look(struct vm *vm)
{
	const struct vmm_machine_run *result = &vm->runners[0].result;
	const struct runner *r;

	if (vm->state != VM_RUNS || atomic_load(&vm->running) != 0)
		return false;
	join_all(vm);
	r = culprit(vm);
	if (r == NULL && result->reason == VMM_MACHINE_RESET) {
		reset(vm);
		return vm->state == VM_DEAD;
	}
	console_end_line();
	vm->status = 0;
	if (r != NULL) {
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
	default:
		vmm_bare_print("bare: %s: CPU %u has shut down\n", vm->name, result->vcpu);
		die(vm);
	}
	return true;
}

const char *vm_state_name(const struct vm *vm)
{
	static const char *const names[] = {"off", "runs", "paused", "dead"};

	return names[vm->state];
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * A hypervisor in an image: it owns the machine, takes a profile, a kernel and an initrd as boot
 * modules, runs the VM that the profile describes, each vCPU on a CPU of its own, and switches the
 * machine off when the guest does. docs/bare.md tells how to start it.
 */
#include "bare.h"
#include "files.h"
#include "libvmm/libvmm.h"
#include "libvmm/loader.h"
#include "libvmm/machine.h"
#include "libvmm/svm.h"
#include "mem.h"
#include "sync.h"

#define STATUS_WRONG 2 /* something is missing, or cannot be had */
#define STATUS_DIED  3 /* the guest */

#define VCPUS_MAX 64

/* Between two looks at the serial port. */
#define TYPING_NS UINT64_C(10000000)

struct runner {
	struct hypervisor *hv;
	uint32_t index;
	int err;
	struct vmm_machine_run result;
};

struct hypervisor {
	const struct vmm_bare_boot *boot;
	struct files files;
	struct vmm_profile *profile;
	const struct file *kernel, *initrd; /* initrd: may be NULL */
	struct vmm_ctx *ctx;
	struct vmm_machine *machine;
	struct runner runners[VCPUS_MAX];
	_Atomic uint32_t stopped; /* the guest has */
	uint64_t start_ns;        /* before it was loaded */
	uint64_t first_ns;        /* when it first wrote to its console; 0: not yet */
};

static struct hypervisor hypervisor;

static int say(const char *what, const struct vmm_error *error)
{
	vmm_bare_print("bare: %s: %s\n", what,
		       error->text[0] != '\0' ? error->text : vmm_strerror(error->code));
	return STATUS_WRONG;
}

/* --- what it was given --- */

static int read_modules(struct hypervisor *hv)
{
	for (uint32_t i = 0; i < hv->boot->module_count; i++) {
		const struct vmm_bare_module *m = &hv->boot->modules[i];
		int err = files_add(&hv->files, m->data, (size_t)m->len, m->cmdline);

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
static int read_words(struct hypervisor *hv)
{
	struct vmm_profile_error error = {.size = sizeof(error)};
	const char *p = hv->boot->cmdline;
	char word[256];

	while (*p != '\0') {
		size_t n = 0;

		while (*p == ' ')
			p++;
		if (p[0] == '-' && p[1] == '-' && p[2] == ' ')
			return vmm_profile_set_string(hv->profile, VMM_PROFILE_BOOT_CMDLINE, 0,
						      p + 3) == 0
				       ? 0
				       : STATUS_WRONG;
		for (; *p != '\0' && *p != ' '; p++) {
			if (n < sizeof(word) - 1)
				word[n++] = *p;
		}
		word[n] = '\0';
		if (n != 0 && vmm_profile_set_text(hv->profile, word, &error) != 0)
			return wrong_profile("command line", &error);
	}
	return 0;
}

static int read_profile(struct hypervisor *hv)
{
	struct vmm_profile_error error = {.size = sizeof(error)};
	const struct vmm_host *host = vmm_bare_host();
	const struct file *f = files_find(&hv->files, "profile");
	void *storage = host->alloc(NULL, vmm_profile_size(), 16);

	if (storage == NULL || vmm_profile_init(storage, vmm_profile_size(), &hv->profile) != 0) {
		vmm_bare_print("bare: no memory for the profile\n");
		return STATUS_WRONG;
	}
	if (f != NULL && vmm_profile_parse(hv->profile, (const char *)f->data, f->len, &error) != 0)
		return wrong_profile("profile", &error);
	return read_words(hv);
}

/* The file that a key names; where it names none, NULL with *@err 0. */
static const struct file *named_file(struct hypervisor *hv, uint32_t key, int *err)
{
	const struct file *f = NULL;
	const char *name = "";

	*err = 0;
	vmm_profile_get_string(hv->profile, key, 0, &name);
	if (*name == '\0')
		return NULL;
	f = files_find(&hv->files, name);
	if (f == NULL) {
		vmm_bare_print("bare: %s: no such file among the boot modules\n", name);
		*err = STATUS_WRONG;
	}
	return f;
}

/* Where the profile names no kernel, the first file that is one. */
static int find_files(struct hypervisor *hv)
{
	int err;

	hv->kernel = named_file(hv, VMM_PROFILE_BOOT_KERNEL, &err);
	if (err != 0)
		return err;
	for (uint32_t i = 0; hv->kernel == NULL && i < hv->files.count; i++) {
		const struct file *f = &hv->files.file[i];

		if (vmm_image_probe(f->data, f->len) != VMM_IMAGE_UNKNOWN)
			hv->kernel = f;
	}
	if (hv->kernel == NULL) {
		vmm_bare_print("bare: no kernel: give one as a boot module, or an archive with a "
			       "profile that names it\n");
		return STATUS_WRONG;
	}
	hv->initrd = named_file(hv, VMM_PROFILE_BOOT_INITRD, &err);
	return err;
}

/* --- the machine --- */

static void guest_output(void *opaque, uint32_t console, const uint8_t *data, uint32_t len)
{
	struct hypervisor *hv = opaque;

	if (console != 0)
		return;
	if (hv->first_ns == 0)
		hv->first_ns = vmm_bare_host()->time_ns(NULL);
	vmm_bare_write(data, len);
}

static int make_machine(struct hypervisor *hv)
{
	static const struct vmm_engine *engines[1];
	struct vmm_error error = {.size = sizeof(error)};
	struct vmm_ctx_config ctx = {.size = sizeof(ctx),
				     .host = vmm_bare_host(),
				     .engines = engines,
				     .engine_count = 1};
	const struct vmm_machine_config config = {.size = sizeof(config),
						  .profile = hv->profile,
						  .opaque = hv,
						  .console_write = guest_output};

	engines[0] = vmm_engine_svm();
	if (vmm_ctx_create(&ctx, &hv->ctx, &error) != 0)
		return say("libvmm", &error);
	if (vmm_machine_create(hv->ctx, &config, &hv->machine, &error) != 0)
		return say("machine", &error);
	if (vmm_machine_vcpus(hv->machine) > vmm_bare_cpus() ||
	    vmm_machine_vcpus(hv->machine) > VCPUS_MAX) {
		vmm_bare_print("bare: the profile has %u CPUs, and this machine has %u\n",
			       vmm_machine_vcpus(hv->machine), vmm_bare_cpus());
		return STATUS_WRONG;
	}
	if (vmm_machine_seal(hv->machine) != 0) {
		vmm_machine_error(hv->machine, &error);
		return say("machine", &error);
	}
	return 0;
}

static int load_guest(struct hypervisor *hv)
{
	struct vmm_load_target target = {.size = sizeof(target)};
	struct vmm_load_args args = {.size = sizeof(args)};
	struct vmm_boot boot = {.size = sizeof(boot)};
	struct vmm_load_module module = {0};
	struct vmm_error error = {.size = sizeof(error)};
	struct vmm_vcpu *first = vmm_vm_vcpu(vmm_machine_vm(hv->machine), 0);
	args.image = hv->kernel->data;
	args.image_len = hv->kernel->len;
	vmm_profile_get_string(hv->profile, VMM_PROFILE_BOOT_CMDLINE, 0, &args.cmdline);
	if (hv->initrd != NULL) {
		module.data = hv->initrd->data;
		module.len = hv->initrd->len;
		args.modules = &module;
		args.module_count = 1;
	}
	if (vmm_machine_load_target(hv->machine, &target) != 0 ||
	    vmm_image_load(&target, &args, &boot, &error) != 0)
		return say("kernel", &error);
	if (vmm_boot_apply(&boot, first) != 0) {
		vmm_vcpu_error(first, &error);
		return say("first CPU", &error);
	}
	return 0;
}

/* --- running --- */

/* One that cannot go on is the end of all. */
static _Noreturn void end_guest(const struct runner *r)
{
	struct vmm_error error = {.size = sizeof(error)};
	const char *name = vmm_exit_name(r->result.exit.reason);

	if (r->err != 0) {
		vmm_vcpu_error(vmm_vm_vcpu(vmm_machine_vm(r->hv->machine), r->index), &error);
		say("guest", &error);
	} else {
		vmm_bare_print(
			"bare: CPU %u of the guest stopped for good: %s, hardware code %llx\n",
			r->index, name != NULL ? name : "unknown exit",
			(unsigned long long)r->result.exit.hw_code);
	}
	vmm_bare_end(STATUS_DIED);
}

static void run_vcpu(void *arg)
{
	struct runner *r = arg;

	do {
		r->result.size = sizeof(r->result);
		r->err = vmm_machine_run_vcpu(r->hv->machine, r->index, &r->result);
	} while (r->err == 0 && r->result.reason == VMM_MACHINE_KICKED);
	if (r->err != 0 || r->result.reason == VMM_MACHINE_EXIT)
		end_guest(r);
}

/* What is typed at the machine goes to the guest. */
static void type(void *arg)
{
	struct hypervisor *hv = arg;

	while (atomic_load(&hv->stopped) == 0) {
		const int typed = vmm_bare_read();
		const uint8_t c = (uint8_t)typed;
		uint32_t taken = 1;

		if (typed < 0)
			vmm__wait(vmm_bare_host(), &hv->stopped, 0, TYPING_NS);
		else
			vmm_machine_console_input(hv->machine, 0, &c, 1, &taken);
	}
}

/* A CPU that no vCPU needs, if there is one, looks after the keyboard. */
static void run_all(struct hypervisor *hv)
{
	const uint32_t count = vmm_machine_vcpus(hv->machine);

	atomic_store(&hv->stopped, 0);
	vmm_bare_run(count + 1, type, hv);

	for (uint32_t i = 0; i < count; i++)
		hv->runners[i] = (struct runner){.hv = hv, .index = i};
	for (uint32_t i = 1; i < count; i++)
		vmm_bare_run(i + 1, run_vcpu, &hv->runners[i]);
	run_vcpu(&hv->runners[0]);
	for (uint32_t i = 1; i < count; i++)
		vmm_bare_join(i + 1);
	atomic_store(&hv->stopped, 1);
	vmm__wake(vmm_bare_host(), &hv->stopped);
	vmm_bare_join(count + 1);
}

/* -1: to be started again. */
static int status_of(const struct vmm_machine_run *run)
{
	switch (run->reason) {
	case VMM_MACHINE_OFF:
		return 0;
	case VMM_MACHINE_RESET:
		return -1;
	case VMM_MACHINE_DEBUG_EXIT:
		return (int)(run->status >> 1 & 0x7f);
	default:
		vmm_bare_print("bare: CPU %u of the guest has shut down\n", run->vcpu);
		return STATUS_DIED;
	}
}

static int run_guest(struct hypervisor *hv)
{
	for (;;) {
		struct vmm_error error = {.size = sizeof(error)};
		int status = load_guest(hv);

		if (status != 0)
			return status;
		run_all(hv);
		status = status_of(&hv->runners[0].result);
		if (status >= 0)
			return status;
		if (vmm_machine_reset(hv->machine) != 0) {
			vmm_machine_error(hv->machine, &error);
			return say("reset", &error);
		}
	}
}

/* With a clock that counts instructions this is their number (docs/bare.md). */
static void tell_times(const struct hypervisor *hv)
{
	const uint64_t now = vmm_bare_host()->time_ns(NULL);

	if (hv->first_ns != 0)
		vmm_bare_print(
			"bare: the guest's first word came after %llu us, its end after %llu us\n",
			(unsigned long long)(hv->first_ns - hv->start_ns) / 1000,
			(unsigned long long)(now - hv->start_ns) / 1000);
}

int vmm_bare_main(const struct vmm_bare_boot *boot)
{
	struct hypervisor *hv = &hypervisor;
	struct vmm_bare_usage before, after;
	int status;

	hv->boot = boot;
	vmm_bare_usage(&before);
	status = read_modules(hv);
	if (status == 0)
		status = read_profile(hv);
	if (status == 0)
		status = find_files(hv);
	hv->start_ns = vmm_bare_host()->time_ns(NULL);
	if (status == 0)
		status = make_machine(hv);
	if (status == 0)
		status = run_guest(hv);
	tell_times(hv);
	vmm_machine_destroy(hv->machine);
	if (hv->ctx != NULL)
		vmm_ctx_destroy(hv->ctx);
	if (hv->profile != NULL)
		vmm_bare_host()->free(NULL, hv->profile, vmm_profile_size());
	vmm_bare_usage(&after);
	if (after.heap_bytes != before.heap_bytes)
		vmm_bare_print("bare: %llu bytes were not given back\n",
			       (unsigned long long)(after.heap_bytes - before.heap_bytes));
	return status;
}

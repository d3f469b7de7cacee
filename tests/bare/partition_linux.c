// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Debian's kernel in a partition: each vCPU has the CPU of its own APIC ID, so that there is nobody
 * beside. partition/load.c marks a window, whose exits are told by reason.
 */
#include "bare.h"
#include "bits.h"
#include "engine_here.h"
#include "files.h"
#include "libvmm/libvmm.h"
#include "libvmm/loader.h"
#include "libvmm/machine.h"
#include "mem.h"
#include "partition/marks.h"
#include "sync.h"

#define VCPUS_MAX 4
#define NAMES                                                                                    \
	{                                                                                        \
		"host", "ICR", "MSR", "CPUID", "port", "memory", "hypercall", "exception",       \
			"register", "instruction", "interrupt", "shutdown", "other", "13", "14", \
			"15"                                                                     \
	}

struct runner {
	uint32_t index;
	int rc;
	struct vmm_machine_run result;
};

static struct {
	struct files files;
	struct vmm_profile *profile;
	struct vmm_ctx *ctx;
	struct vmm_machine *machine;
	struct runner runner[VCPUS_MAX];
	struct vmm_partition_exits begin[VCPUS_MAX], end[VCPUS_MAX];
	uint64_t begin_ns, end_ns;
	uint32_t ends;   /* marks, each an exit of the first CPU */
	uint32_t broken; /* budgets */
} all;

static int say(const char *what, int rc, const struct vmm_error *error)
{
	vmm_bare_print("not ok: %s: %s: %s\n", what, vmm_errname(rc), error->text);
	return 2;
}

/* --- windows --- */

static void read_all(struct vmm_partition_exits *exits)
{
	for (uint32_t i = 0; i < vmm_machine_vcpus(all.machine); i++) {
		exits[i].size = sizeof(exits[i]);
		vmm_vcpu_partition_exits(vmm_vm_vcpu(vmm_machine_vm(all.machine), i), &exits[i]);
	}
}

/* No exit but those of marks, and of checked IPIs: the first CPU makes the marks. */
static void set_budgets(bool on)
{
	const struct vmm_exit_budget budget = {.size = sizeof(budget),
					       .excused = 1 << VMM_PARTITION_IPI |
							  1 << VMM_PARTITION_PORT};

	for (uint32_t i = 0; i < vmm_machine_vcpus(all.machine); i++)
		vmm_vcpu_exit_budget(vmm_vm_vcpu(vmm_machine_vm(all.machine), i),
				     on ? &budget : NULL);
}

static void tell_window(void)
{
	static const char *const names[VMM_PARTITION_REASONS] = NAMES;

	for (uint32_t i = 0; i < vmm_machine_vcpus(all.machine); i++) {
		const uint64_t marks = i == 0 ? all.ends : 0;

		vmm_bare_print("window: CPU %u: %llu exits", i,
			       (unsigned long long)(all.end[i].total - all.begin[i].total - marks));
		for (uint32_t n = 0; n < VMM_PARTITION_REASONS; n++) {
			const uint64_t count = all.end[i].by[n] - all.begin[i].by[n] -
					       (n == VMM_PARTITION_PORT ? marks : 0);

			if (count != 0)
				vmm_bare_print(", %s %llu", names[n], (unsigned long long)count);
		}
		vmm_bare_print("\n");
	}
	vmm_bare_print("window: %llu ms\n",
		       (unsigned long long)(all.end_ns - all.begin_ns) / 1000000);
}

static uint64_t icr_exits(void)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < vmm_machine_vcpus(all.machine); i++)
		sum += all.end[i].by[VMM_PARTITION_IPI] - all.begin[i].by[VMM_PARTITION_IPI];
	return sum;
}

static int marked(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		  uint64_t value)
{
	(void)opaque;
	(void)vcpu;
	(void)width;
	if (offset == PORT_COUNT - PORT_MARK) {
		tell_window();
		vmm_bare_print("window: ICR: %llu exits, %llu written\n",
			       (unsigned long long)icr_exits(), (unsigned long long)value);
		return 0;
	}
	switch (value) {
	case MARK_SETTLE:
		return vmm_vm_settle(vmm_machine_vm(all.machine));
	case MARK_BEGIN:
		all.ends = 0;
		read_all(all.begin);
		all.begin_ns = vmm_bare_host()->time_ns(NULL);
		set_budgets(true);
		return 0;
	default:
		set_budgets(false);
		all.ends++;
		read_all(all.end);
		all.end_ns = vmm_bare_host()->time_ns(NULL);
		return 0;
	}
}

static int add_marks(void)
{
	static const struct vmm_region_ops ops = {.size = sizeof(ops), .write = marked};
	struct vmm_region *region;

	return vmm_region_add(vmm_machine_vm(all.machine), VMM_SPACE_PORT, PORT_MARK, 8, &ops, NULL,
			      &region);
}

/* --- the machine --- */

static void output(void *opaque, uint32_t console, const uint8_t *data, uint32_t len)
{
	(void)opaque;
	if (console == 0)
		vmm_bare_write(data, len);
}

static int make(const struct vmm_bare_boot *boot)
{
	const struct vmm_engine *engines[] = ENGINES;
	struct vmm_profile_error profile_error = {.size = sizeof(profile_error)};
	struct vmm_error error = {.size = sizeof(error)};
	const struct vmm_ctx_config ctx = {.size = sizeof(ctx),
					   .host = vmm_bare_host(),
					   .engines = engines,
					   .engine_count = ARRAY_SIZE(engines)};
	void *storage = vmm_bare_host()->alloc(NULL, vmm_profile_size(), 16);
	const struct file *text;
	int rc;

	for (uint32_t i = 0; i < boot->module_count; i++)
		files_add(&all.files, boot->modules[i].data, (size_t)boot->modules[i].len,
			  boot->modules[i].cmdline);
	text = files_find(&all.files, PROFILE);
	if (!text || !storage || vmm_profile_init(storage, vmm_profile_size(), &all.profile) != 0) {
		vmm_bare_print("not ok: no profile\n");
		return 2;
	}
	rc = vmm_profile_parse(all.profile, (const char *)text->data, text->len, &profile_error);
	if (rc != 0) {
		vmm_bare_print("not ok: profile, line %u: %s\n", profile_error.line,
			       profile_error.text);
		return 2;
	}
	rc = vmm_ctx_create(&ctx, &all.ctx, &error);
	if (rc != 0)
		return say("context", rc, &error);
	const struct vmm_machine_config config = {
		.size = sizeof(config), .profile = all.profile, .console_write = output};
	rc = vmm_machine_create(all.ctx, &config, &all.machine, &error);
	if (rc != 0)
		return say("machine", rc, &error);
	rc = add_marks();
	if (rc == 0)
		rc = vmm_machine_seal(all.machine);
	if (rc != 0) {
		vmm_machine_error(all.machine, &error);
		return say("sealing", rc, &error);
	}
	return vmm_machine_vcpus(all.machine) <= VCPUS_MAX ? 0 : 2;
}

static int load(void)
{
	const struct file *kernel = files_find(&all.files, "vmlinuz"),
			  *initrd = files_find(&all.files, "guest.img");
	struct vmm_load_target target = {.size = sizeof(target)};
	struct vmm_load_args args = {.size = sizeof(args), .module_count = 1};
	struct vmm_boot boot = {.size = sizeof(boot)};
	struct vmm_load_module module = {0};
	struct vmm_error error = {.size = sizeof(error)};
	int rc;

	if (!kernel || !initrd) {
		vmm_bare_print("not ok: no kernel\n");
		return 2;
	}
	args.image = kernel->data;
	args.image_len = kernel->len;
	module.data = initrd->data;
	module.len = initrd->len;
	args.modules = &module;
	vmm_profile_get_string(all.profile, VMM_PROFILE_BOOT_CMDLINE, 0, &args.cmdline);
	rc = vmm_machine_load_target(all.machine, &target);
	if (rc == 0)
		rc = vmm_image_load(&target, &args, &boot, &error);
	if (rc == 0)
		rc = vmm_boot_apply(&boot, vmm_vm_vcpu(vmm_machine_vm(all.machine), 0));
	return rc == 0 ? 0 : say("kernel", rc, &error);
}

/* --- running --- */

static void run(void *arg)
{
	struct runner *r = arg;

	for (;;) {
		r->result.size = sizeof(r->result);
		r->rc = vmm_machine_run_vcpu(all.machine, r->index, &r->result);
		if (r->rc == 0 && r->result.reason == VMM_MACHINE_KICKED)
			continue;
		if (r->rc != 0 || r->result.reason != VMM_MACHINE_EXIT ||
		    r->result.exit.reason != VMM_EXIT_BUDGET)
			break;
		vmm_bare_print("budget: CPU %u: reason %llu, code 0x%llx, 0x%llx at 0x%llx\n",
			       r->index, (unsigned long long)r->result.exit.addr,
			       (unsigned long long)r->result.exit.hw_code,
			       (unsigned long long)r->result.exit.hw_info,
			       (unsigned long long)r->result.exit.pc);
		all.broken++;
	}
	if (r->rc != 0) {
		struct vmm_error error = {.size = sizeof(error)};

		vmm_vcpu_error(vmm_vm_vcpu(vmm_machine_vm(all.machine), r->index), &error);
		say("vCPU", r->rc, &error);
		vmm_bare_end(3);
	}
}

int vmm_bare_main(const struct vmm_bare_boot *boot)
{
	struct vmm_bare_usage before, after;
	int rc;

	vmm_bare_usage(&before);
	rc = make(boot);
	if (rc == 0)
		rc = load();
	if (rc != 0)
		return rc;
	for (uint32_t i = 0; i < vmm_machine_vcpus(all.machine); i++)
		all.runner[i].index = i;
	for (uint32_t i = 1; i < vmm_machine_vcpus(all.machine); i++)
		vmm_bare_run(i + 1, run, &all.runner[i]);
	run(&all.runner[0]);
	for (uint32_t i = 1; i < vmm_machine_vcpus(all.machine); i++)
		vmm_bare_join(i + 1);
	if (all.end_ns != 0)
		tell_window();
	rc = all.runner[0].result.reason == VMM_MACHINE_OFF ? 0 : 3;
	vmm_machine_destroy(all.machine);
	vmm_ctx_destroy(all.ctx);
	vmm_bare_host()->free(NULL, all.profile, vmm_profile_size());
	vmm_bare_usage(&after);
	vmm_bare_print("%u budgets broken, %llu bytes left over\n", all.broken,
		       (unsigned long long)(after.heap_bytes - before.heap_bytes));
	return rc;
}

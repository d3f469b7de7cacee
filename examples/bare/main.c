// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * A hypervisor in an image: it owns the machine, takes profiles, kernels and initrds as boot
 * modules, and runs the VMs that the profiles describe under a small monitor. docs/bare.md tells
 * how to start and how to use it.
 */
#include "monitor.h"
#include "text.h"

/* Commands to begin with, a line each. */
#define COMMANDS "commands"

static struct vms vms;
static struct monitor monitor;

static void do_commands(struct monitor *m, const struct file *f)
{
	for (size_t at = 0; at < f->len && !m->quit; at++) {
		char line[MONITOR_LINE];
		size_t len = 0;

		while (at + len < f->len && f->data[at + len] != '\n')
			len++;
		if (len < sizeof(line)) {
			text_copy(line, sizeof(line), (const char *)f->data + at, len);
			monitor_command(m, line);
		} else {
			vmm_bare_print("bare: " COMMANDS ": a line is too long\n");
		}
		at += len;
	}
}

/* With a clock that counts instructions this is their number (docs/bare.md). */
static void tell_times(const struct vm *vm)
{
	const uint64_t now = vmm_bare_host()->time_ns(NULL);

	if (vm->first_ns == 0)
		return;
	vmm_bare_print("bare: the guest's first word came after %llu us, its end after %llu us\n",
		       (unsigned long long)(vm->first_ns - vm->start_ns) / 1000,
		       (unsigned long long)(now - vm->start_ns) / 1000);
	vmm_bare_print("bare: before its first word the hardware left the guest %llu times\n",
		       (unsigned long long)vm->first_exits);
}

/* One VM that the image is for: it ends with it. */
static int run_one(struct monitor *m)
{
	struct vm *vm = m->vms->vm;
	int status;

	m->only = vm;
	monitor_switch(m, vm);
	status = vm_start(vm);
	if (status != 0)
		return status;
	monitor_run(m);
	tell_times(vm);
	return vm->status;
}

static int run_many(struct monitor *m)
{
	const struct file *commands = files_find(&m->vms->files, COMMANDS);

	vmm_bare_print("bare: %u VMs; 'help' lists the commands\n", m->vms->count);
	if (commands != NULL)
		do_commands(m, commands);
	monitor_run(m);
	return 0;
}

int vmm_bare_main(const struct vmm_bare_boot *boot)
{
	struct vmm_bare_usage before, after;
	int status;

	vmm_bare_usage(&before);
	monitor.vms = &vms;
	status = vms_init(&vms, boot);
	if (status == 0)
		status = vms.single ? run_one(&monitor) : run_many(&monitor);
	for (uint32_t i = 0; i < vms.count; i++)
		vm_kill(&vms.vm[i]);
	vms_fini(&vms);
	vmm_bare_usage(&after);
	if (after.heap_bytes != before.heap_bytes ||
	    after.phys_free + after.heap_room != before.phys_free + before.heap_room)
		vmm_bare_print(
			"bare: memory was not given back: %llu bytes of the heap are in use, "
			"%llu were\n",
			(unsigned long long)after.heap_bytes,
			(unsigned long long)before.heap_bytes);
	return status;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The commands of the monitor. */
#include "monitor.h"
#include "text.h"

#define MIB (UINT64_C(1) << 20)

#define WIDTH 12 /* of a column */

/* One that wants a VM has its name as its only word. */
struct command {
	const char *name;
	const char *help;
	void (*fn)(struct monitor *m);
	void (*fn_vm)(struct monitor *m, struct vm *vm);
};

static void help(struct monitor *m);

static void column(const char *text)
{
	vmm_bare_print("%s", text);
	for (size_t n = text_length(text); n < WIDTH; n++)
		vmm_bare_print(" ");
}

/* --- of all --- */

static void list_one(const struct vm *vm)
{
	uint64_t memory = 0;

	vmm_profile_get_number(vm->profile, VMM_PROFILE_MEMORY_SIZE, 0, &memory);
	column(vm->name);
	column(vm_state_name(vm));
	vmm_bare_print("%6u MiB  %6u  %8llu", (uint32_t)(memory / MIB), vm->starts,
		       (unsigned long long)(vm->console.written - vm->console.seen));
	for (uint64_t cpu = 1; cpu < CPUS_MAX; cpu++) {
		if (vm->all->cpu[cpu] == vm)
			vmm_bare_print("  %u", (uint32_t)cpu);
	}
	vmm_bare_print("\n");
}

static void list(struct monitor *m)
{
	struct vmm_bare_usage usage;

	vmm_bare_usage(&usage);
	column("VM");
	column("state");
	vmm_bare_print("    memory  starts  unseen B  on CPUs\n");
	for (uint32_t i = 0; i < m->vms->count; i++)
		list_one(&m->vms->vm[i]);
	vmm_bare_print("%u MiB are free, %llu bytes of the heap are in use, of %u CPUs the first "
		       "is the monitor's\n",
		       (uint32_t)(usage.phys_free / MIB), (unsigned long long)usage.heap_bytes,
		       vmm_bare_cpus());
}

static void quit(struct monitor *m)
{
	m->quit = true;
}

/* --- of one --- */

static bool is_alive(const struct vm *vm)
{
	const bool alive = vm->state == VM_RUNS || vm->state == VM_PAUSED;

	if (!alive)
		vmm_bare_print("bare: %s is %s: start it first\n", vm->name, vm_state_name(vm));
	return alive;
}

static bool is_there(const struct vm *vm)
{
	if (vm->state == VM_OFF)
		vmm_bare_print("bare: %s is off: there is nothing to see\n", vm->name);
	return vm->state != VM_OFF;
}

static void start(struct monitor *m, struct vm *vm)
{
	(void)m;
	if (vm->state == VM_RUNS || vm->state == VM_PAUSED)
		vmm_bare_print("bare: %s has been started already\n", vm->name);
	else if (vm_start(vm) == 0)
		vmm_bare_print("bare: %s runs\n", vm->name);
}

static void stop(struct monitor *m, struct vm *vm)
{
	(void)m;
	if (!is_alive(vm))
		return;
	if (vmm_machine_power_button(vm->machine) == 0)
		vmm_bare_print("bare: %s has been asked to switch itself off; 'kill %s' does not "
			       "ask\n",
			       vm->name, vm->name);
	else
		vmm_bare_print("bare: %s has no power button (power.button): 'kill %s' ends it\n",
			       vm->name, vm->name);
}

static void kill(struct monitor *m, struct vm *vm)
{
	(void)m;
	vm_kill(vm);
	vmm_bare_print("bare: %s is off\n", vm->name);
}

static void restart(struct monitor *m, struct vm *vm)
{
	vm_kill(vm);
	start(m, vm);
}

static void pause(struct monitor *m, struct vm *vm)
{
	(void)m;
	if (!is_alive(vm))
		return;
	if (vm->state == VM_PAUSED)
		vmm_bare_print("bare: %s is paused already\n", vm->name);
	else if (vm_pause(vm) == 0)
		vmm_bare_print("bare: %s is paused\n", vm->name);
}

static void resume(struct monitor *m, struct vm *vm)
{
	(void)m;
	if (!is_alive(vm))
		return;
	if (vm->state == VM_RUNS)
		vmm_bare_print("bare: %s is not paused\n", vm->name);
	else if (vm_resume(vm) == 0)
		vmm_bare_print("bare: %s runs\n", vm->name);
}

static void inspect(struct monitor *m, struct vm *vm)
{
	(void)m;
	if (is_there(vm))
		inspect_vm(vm);
}

static void exits(struct monitor *m, struct vm *vm)
{
	(void)m;
	if (is_there(vm))
		inspect_exits(vm);
}

static const struct command commands[] = {
	{"help", "this", help, NULL},
	{"list", "VMs, what they do and where", list, NULL},
	{"console", "the serial line is this VM's", NULL, monitor_switch},
	{"start", "make it of its profile, and run it", NULL, start},
	{"stop", "press its power button", NULL, stop},
	{"kill", "end it at once; what it had is free again", NULL, kill},
	{"restart", "kill and start", NULL, restart},
	{"pause", "its vCPUs and its clock stand still", NULL, pause},
	{"resume", "they go on", NULL, resume},
	{"inspect", "registers, where each vCPU is, memory map", NULL, inspect},
	{"exits", "what its vCPUs have come out for", NULL, exits},
	{"quit", "end all VMs, and switch the machine off", quit, NULL},
	{NULL, NULL, NULL, NULL},
};

static void help(struct monitor *m)
{
	(void)m;
	for (const struct command *c = commands; c->name != NULL; c++) {
		vmm_bare_print("  %s%s", c->name, c->fn_vm != NULL ? " VM" : "   ");
		for (size_t n = text_length(c->name); n < WIDTH; n++)
			vmm_bare_print(" ");
		vmm_bare_print("%s\n", c->help);
	}
	vmm_bare_print("  " MONITOR_ESCAPE_KEY
		       "            between the monitor and the console that was in front last\n");
}

static void unknown_vm(const struct monitor *m, const char *command, const char *name)
{
	if (*name == '\0')
		vmm_bare_print("bare: %s which VM? There is", command);
	else
		vmm_bare_print("bare: no VM is called '%s': there is", name);
	for (uint32_t i = 0; i < m->vms->count; i++)
		vmm_bare_print(" %s", m->vms->vm[i].name);
	vmm_bare_print("\n");
}

static void do_command(struct monitor *m, const struct command *c, const char *name)
{
	struct vm *vm;

	if (c->fn != NULL) {
		c->fn(m);
		return;
	}
	vm = *name == '\0' && m->vms->count == 1 ? m->vms->vm : vms_find(m->vms, name);
	if (vm != NULL)
		c->fn_vm(m, vm);
	else
		unknown_vm(m, c->name, name);
}

void monitor_command(struct monitor *m, char *line)
{
	const char *word = text_word(&line);
	const char *name = text_word(&line);

	if (*word == '\0' || *word == '#')
		return;
	for (const struct command *c = commands; c->name != NULL; c++) {
		if (text_same(c->name, word)) {
			do_command(m, c, name);
			return;
		}
	}
	vmm_bare_print("bare: '%s' is no command: 'help' lists them\n", word);
}

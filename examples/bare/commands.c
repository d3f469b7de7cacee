// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The commands of the monitor. */
#include "monitor.h"
#include "text.h"

#define MIB (UINT64_C(1) << 20)

#define WIDTH 12 /* of a column */

/* One that wants a VM has its name as its only word. */
struct command {
	const char *name;
	const char *help; /* in a line */
	const char *more; /* what else there is to know; may be NULL */
	void (*fn)(struct monitor *m, const char *word);
	void (*fn_vm)(struct monitor *m, struct vm *vm);
};

static void help(struct monitor *m, const char *word);

static void column(const char *text)
{
	vmm_bare_print("%s", text);
	for (size_t n = text_length(text); n < WIDTH; n++)
		vmm_bare_print(" ");
}

/* --- of all --- */

/* Time that the scheduler has given it. */
static uint64_t run_ns(const struct vm *vm)
{
	uint64_t ns = 0;

	for (uint32_t i = 0; i < vm->vcpus; i++) {
		struct vmm_sched_stats stats = {.size = sizeof(stats)};

		if (vm->runners[i].place != NULL)
			vmm_sched_get_stats(vm->runners[i].place, &stats);
		ns += stats.run_ns;
	}
	return ns;
}

static void list_one(const struct vm *vm)
{
	uint64_t memory = 0;

	vmm_profile_get_number(vm->profile, VMM_PROFILE_MEMORY_SIZE, 0, &memory);
	column(vm->name);
	column(vm_state_name(vm));
	vmm_bare_print("%6u MiB  %6u  %8llu", (uint32_t)(memory / MIB), vm->starts,
		       (unsigned long long)(vm->console.written - vm->console.seen));
	if (vm->state == VM_RUNS || vm->state == VM_PAUSED) {
		vmm_bare_print("  %8llu", (unsigned long long)(run_ns(vm) / 1000000));
		for (uint32_t i = 0; i < vm->vcpus; i++)
			vmm_bare_print(" %2u", vm->runners[i].cpu);
	}
	vmm_bare_print("\n");
}

static void list(struct monitor *m, const char *word)
{
	struct vmm_bare_usage usage;

	(void)word;
	vmm_bare_usage(&usage);
	column("VM");
	column("state");
	vmm_bare_print("    memory  starts  unseen B    CPU ms on CPUs\n");
	for (uint32_t i = 0; i < m->vms->count; i++)
		list_one(&m->vms->vm[i]);
	vmm_bare_print("%u MiB are free, %llu bytes of the heap are in use, of %u CPUs the first "
		       "is the monitor's\n",
		       (uint32_t)(usage.phys_free / MIB), (unsigned long long)usage.heap_bytes,
		       vmm_bare_cpus());
}

static void quit(struct monitor *m, const char *word)
{
	(void)word;
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
	if (vm_kill(vm) == 0)
		vmm_bare_print("bare: %s is off\n", vm->name);
}

static void restart(struct monitor *m, struct vm *vm)
{
	if (vm_kill(vm) == 0)
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

static void settle(struct monitor *m, struct vm *vm)
{
	(void)m;
	if (!is_alive(vm))
		return;
	if (!vm_is_partition(vm))
		vmm_bare_print("bare: %s has no CPUs that are dedicated (cpu.dedicated)\n",
			       vm->name);
	else if (vm_settle(vm) == 0)
		vmm_bare_print("bare: %s has settled\n", vm->name);
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
	{"help", "this, or more of one command: help COMMAND", NULL, help, NULL},
	{"list", "VMs, what they do and where",
	 "  state     off, runs, paused, or dead: it cannot go on, and is kept to be inspected\n"
	 "  memory    of its profile; it is taken while the VM is not off\n"
	 "  starts    how often it was started, its own resets included\n"
	 "  unseen B  bytes of its console that nobody has seen\n"
	 "  CPU ms    time its CPUs have had, since it started last\n"
	 "  on CPUs   where each of them runs, or ran last\n",
	 list, NULL},
	{"console", "the serial line is this VM's",
	 "  What was not seen of its console is shown, the last 8 KiB of it. What is typed is the\n"
	 "  VM's, but for " MONITOR_ESCAPE_KEY ", which brings the monitor back.\n",
	 NULL, monitor_switch},
	{"start", "make it of its profile, and run it",
	 "  It owns as many CPUs as it has, or shares those that nobody owns (cpu.shared). One "
	 "that\n"
	 "  is dead is taken apart first.\n",
	 NULL, start},
	{"stop", "press its power button",
	 "  The guest may take its time, or not listen: kill does not ask it.\n", NULL, stop},
	{"kill", "end it at once; what it had is free again", NULL, NULL, kill},
	{"restart", "kill and start", NULL, NULL, restart},
	{"pause", "its vCPUs and its clock stand still",
	 "  Whatever they do: a CPU that is dedicated is fetched by NMI.\n", NULL, pause},
	{"resume", "they go on", NULL, NULL, resume},
	{"settle", "leave a partition to itself, once it has started",
	 "  For a VM with cpu.dedicated. From here on it has the processor's own CPUID, with\n"
	 "  cpu.ipi=direct also its own interrupts between its CPUs, and its work makes no exits.\n"
	 "  When it starts again it is to be settled again.\n",
	 NULL, settle},
	{"inspect", "registers, where each vCPU is, memory map",
	 "  One that runs is paused for it.\n", NULL, inspect},
	{"exits", "what its vCPUs have come out for",
	 "  First why the hardware left the guest, whoever saw to it; then, of those that needed\n"
	 "  it, how often a device did and how often who runs the vCPU.\n",
	 NULL, exits},
	{"quit", "end all VMs, and switch the machine off", NULL, quit, NULL},
	{NULL, NULL, NULL, NULL, NULL},
};

static const struct command *find(const char *name)
{
	for (const struct command *c = commands; c->name != NULL; c++) {
		if (text_same(c->name, name))
			return c;
	}
	vmm_bare_print("bare: '%s' is no command: 'help' lists them\n", name);
	return NULL;
}

static void help_line(const struct command *c)
{
	vmm_bare_print("  %s%s", c->name, c->fn_vm != NULL ? " VM" : "   ");
	for (size_t n = text_length(c->name); n < WIDTH; n++)
		vmm_bare_print(" ");
	vmm_bare_print("%s\n", c->help);
}

static void help(struct monitor *m, const char *word)
{
	const struct command *c = *word != '\0' ? find(word) : NULL;

	(void)m;
	if (c != NULL) {
		help_line(c);
		vmm_bare_print("%s", c->more != NULL ? c->more : "");
	}
	if (*word != '\0')
		return;
	for (c = commands; c->name != NULL; c++)
		help_line(c);
	vmm_bare_print(
		"  " MONITOR_ESCAPE_KEY "         from a console to the monitor, and back\n"
		"  Ctrl-U         forget what was typed in this line\n"
		"With one VM its name may be left out. A line that begins with # is skipped.\n");
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

static void do_command(struct monitor *m, const struct command *c, const char *word)
{
	struct vm *vm;

	if (c->fn != NULL) {
		c->fn(m, word);
		return;
	}
	vm = *word == '\0' && m->vms->count == 1 ? m->vms->vm : vms_find(m->vms, word);
	if (vm != NULL)
		c->fn_vm(m, vm);
	else
		unknown_vm(m, c->name, word);
}

void monitor_command(struct monitor *m, char *line)
{
	const char *name = text_word(&line);
	const char *word = text_word(&line);
	const struct command *c;

	if (*name == '\0' || *name == '#')
		return;
	c = find(name);
	if (c == NULL)
		return;
	if (*text_word(&line) != '\0')
		vmm_bare_print("bare: %s has one word at most\n", name);
	else
		do_command(m, c, word);
}

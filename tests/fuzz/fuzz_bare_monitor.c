// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The monitor of examples/bare: whatever is typed and whatever VMs do meanwhile, its line stays a
 * line, no VM is asked for what its state does not allow, and a guest is given what was typed while
 * its console was in front, and nothing else.
 *
 * Input: bytes that are typed, but for those from EVENT on, which are events.
 */
#include <stdarg.h>
#include <string.h>

#include "cpus.h"
#include "fuzz.h"
#include "monitor.h"
#include "text.h"

#define VMS 3

/* What else happens; its low bits are a VM and an amount. */
#define EVENT       0xc0
#define EVENT_END   0x00 /* it has come to an end */
#define EVENT_WRITE 0x10 /* it writes to its console */
#define EVENT_DIE   0x30
#define EVENT_KIND  0x30

static const uint8_t *input;
static size_t left;
static struct vms vms;
static struct monitor monitor;

/* Beside each VM: whether it has come to an end. */
static struct {
	bool ended, dead;
} beside[VMS];
/* The key that a guest is to be given now; -1: none. */
static int expected;

static size_t number(const struct vm *vm)
{
	FUZZ_CHECK(vm >= vms.vm && vm < vms.vm + VMS);
	return (size_t)(vm - vms.vm);
}

static bool alive(const struct vm *vm)
{
	return vm->state == VM_RUNS || vm->state == VM_PAUSED;
}

/* --- the bare host --- */

void vmm_bare_print(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	FUZZ_CHECK(vsnprintf(text, sizeof(text), fmt, ap) < (int)sizeof(text));
	va_end(ap);
	for (const char *c = text; *c != '\0'; c++)
		FUZZ_CHECK((*c >= ' ' && *c < 0x7f) || *c == '\n' || *c == '\r' || *c == '\b');
}

void vmm_bare_write(const void *buf, size_t len)
{
	FUZZ_CHECK(buf != NULL && len <= CONSOLE_BYTES);
}

uint32_t vmm_bare_cpus(void)
{
	return 4;
}

void vmm_bare_usage(struct vmm_bare_usage *usage)
{
	*usage = (struct vmm_bare_usage){0};
}

static void check_line(void)
{
	FUZZ_CHECK(monitor.len < MONITOR_LINE && strlen(monitor.line) == monitor.len);
	for (uint32_t i = 0; i < monitor.len; i++)
		FUZZ_CHECK(monitor.line[i] >= ' ');
}

int vmm_bare_read(void)
{
	const struct vm *vm = monitor.front;

	check_line();
	FUZZ_CHECK(expected < 0);
	if (left == 0 || *input >= EVENT)
		return -1;
	if (vm != NULL && vm->machine != NULL && *input != MONITOR_ESCAPE)
		expected = *input;
	left--;
	return *input++;
}

/* --- VMs --- */

static struct vmm_machine *a_machine(void)
{
	return (struct vmm_machine *)(void *)&vms;
}

int vmm_machine_console_input(struct vmm_machine *machine, uint32_t console, const uint8_t *data,
			      uint32_t len, uint32_t *taken)
{
	FUZZ_CHECK(machine != NULL && console == 0 && len == 1 && *data == expected);
	expected = -1;
	*taken = left % 2;
	return 0;
}

int vmm_machine_power_button(struct vmm_machine *machine)
{
	FUZZ_CHECK(machine != NULL);
	return left % 2 == 0 ? 0 : -VMM_ENOTSUP;
}

int vm_start(struct vm *vm)
{
	FUZZ_CHECK(!alive(vm));
	if (left % 5 == 0)
		return STATUS_WRONG;
	vm->state = VM_RUNS;
	vm->machine = a_machine();
	return 0;
}

static void take_apart(struct vm *vm)
{
	vm->state = VM_OFF;
	vm->machine = NULL;
	memset(&beside[number(vm)], 0, sizeof(beside[0]));
}

int vm_kill(struct vm *vm)
{
	take_apart(vm);
	return 0;
}

int vm_pause(struct vm *vm)
{
	FUZZ_CHECK(vm->state == VM_RUNS);
	vm->state = VM_PAUSED;
	return 0;
}

int vm_resume(struct vm *vm)
{
	FUZZ_CHECK(vm->state == VM_PAUSED);
	vm->state = VM_RUNS;
	return 0;
}

int vm_settle(struct vm *vm)
{
	FUZZ_CHECK(alive(vm) && vm_is_partition(vm));
	return 0;
}

bool vm_is_partition(const struct vm *vm)
{
	return number(vm) == 0;
}

bool vm_look(struct vm *vm)
{
	const size_t n = number(vm);

	if (vm->state != VM_RUNS || !beside[n].ended)
		return false;
	beside[n].ended = false;
	console_end_line();
	if (beside[n].dead)
		vm->state = VM_DEAD;
	else
		take_apart(vm);
	return true;
}

const char *vm_state_name(const struct vm *vm)
{
	FUZZ_CHECK(vm->state <= VM_DEAD);
	return "state";
}

struct vm *vms_find(struct vms *all, const char *name)
{
	for (uint32_t i = 0; i < all->count; i++) {
		if (text_same(all->vm[i].name, name))
			return &all->vm[i];
	}
	return NULL;
}

void inspect_vm(struct vm *vm)
{
	FUZZ_CHECK(vm->machine != NULL);
}

void inspect_exits(struct vm *vm)
{
	FUZZ_CHECK(vm->machine != NULL);
}

/* An event, while nothing is typed. */
void cpus_rest(struct vms *all, uint64_t ns)
{
	static const uint8_t text[] = "a line\r\n";
	const uint8_t event = left != 0 ? *input : 0;
	struct vm *vm = &all->vm[event % VMS];

	FUZZ_CHECK(ns != 0);
	if (left == 0) {
		monitor.quit = true;
		return;
	}
	input++;
	left--;
	if (vm->machine == NULL)
		return;
	if ((event & EVENT_KIND) == EVENT_WRITE)
		console_write(&vm->console, text, event & 7);
	else
		beside[number(vm)].ended = true;
	beside[number(vm)].dead = (event & EVENT_KIND) == EVENT_DIE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const names[VMS] = {"a", "other", "c-3"};
	static _Alignas(16) uint8_t storage[0x8000];
	struct vmm_profile *profile;

	FUZZ_CHECK(vmm_profile_init(storage, sizeof(storage), &profile) == 0);
	memset(&vms, 0, sizeof(vms));
	memset(&monitor, 0, sizeof(monitor));
	memset(beside, 0, sizeof(beside));
	expected = -1;
	console_switch(NULL);
	vms.count = VMS;
	for (uint32_t i = 0; i < VMS; i++) {
		vms.vm[i].all = &vms;
		vms.vm[i].profile = profile;
		text_copy(vms.vm[i].name, VM_NAME_MAX, names[i], strlen(names[i]));
	}
	monitor.vms = &vms;
	input = data;
	left = len < FUZZ_SEED_CAP ? len : FUZZ_SEED_CAP;
	monitor_run(&monitor);
	return 0;
}

size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	static const char *const seeds[] = {
		"help\rhelp stop\rlist\rstart a\rsettle a\rpause a\rinspect a\rexits a\rresume "
		"a\rstop a\r"
		"restart a\rkill a\r",
		"start other\rconsole other\rtyped \x1b[A for "
		"it\r\xc1\xd2\xd5\x1d\x1dmore"
		"\x1dlist\r\xc1start c-3\rconsole c-3\r\xf2\rstart c-3\rkill c-3\r",
		"start\rstart nobody\rkill a a\r# no command\r  list  "
		"\r\x1b[24;80Rlist\r\x15\x7f\x08x\x08"
		"quit\r",
		"start a\rstart other\rconsole a\rx\x1d\rconsole other\rsettle "
		"other\ry\xd3\xd4\xc0"
		"\xc1list\r",
	};

	/* A line that is too long, for the monitor and for a guest. */
	if (index == sizeof(seeds) / sizeof(seeds[0])) {
		memset(buf, 'x', 3000);
		memcpy(buf + 500, "\x15start a\rconsole a\r", 20);
		return 3000;
	}
	if (index > sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	memcpy(buf, seeds[index], strlen(seeds[index]));
	return strlen(seeds[index]);
}

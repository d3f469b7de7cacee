// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "monitor.h"

#include "cpus.h"

#define PROMPT "bare> "

/* Between two looks at the keyboard: a serial port keeps 16 characters, which take 1.4 ms. */
#define TYPING_NS 1000000

#define KEY_BACKSPACE 0x08
#define KEY_KILL      0x15 /* Ctrl-U */
#define KEY_ESC       0x1b
#define KEY_DELETE    0x7f

/* Sequences that keys without a character send (ECMA-48, 5.4 and 8.3.143): ESC [ or ESC O,
 * and up to a final byte. */
#define SEQUENCE_NONE   0
#define SEQUENCE_BEGUN  1 /* ESC */
#define SEQUENCE_INSIDE 2

static bool is_over(const struct monitor *m)
{
	const struct vm *vm = m->only;

	return m->quit || (vm != NULL && vm->state != VM_RUNS && vm->state != VM_PAUSED);
}

static void prompt(const struct monitor *m)
{
	if (m->front == NULL && !is_over(m))
		console_prompt(PROMPT, m->line);
}

void monitor_switch(struct monitor *m, struct vm *vm)
{
	if (vm == m->front)
		return;
	if (m->front != NULL)
		m->last = m->front;
	m->front = vm;
	console_switch(NULL);
	if (vm != NULL) {
		vmm_bare_print("bare: console of %s; " MONITOR_ESCAPE_KEY
			       " brings the monitor back\n",
			       vm->name);
		console_switch(&vm->console);
	}
}

static void end_line(struct monitor *m)
{
	console_end_line();
	monitor_command(m, m->line);
	m->len = 0;
	m->line[0] = '\0';
	prompt(m);
}

static void rub_out(struct monitor *m)
{
	if (m->len == 0)
		return;
	m->line[--m->len] = '\0';
	vmm_bare_print("\b \b");
}

/* They mean nothing here. */
static bool in_sequence(struct monitor *m, char c)
{
	const uint32_t was = m->sequence;
	const bool inside = was == SEQUENCE_INSIDE && c >= ' ';

	if (c == KEY_ESC)
		m->sequence = SEQUENCE_BEGUN;
	else if ((was == SEQUENCE_BEGUN && (c == '[' || c == 'O')) || (inside && c < '@'))
		m->sequence = SEQUENCE_INSIDE;
	else
		m->sequence = SEQUENCE_NONE;
	return inside || m->sequence != SEQUENCE_NONE;
}

static void type_here(struct monitor *m, char c)
{
	if (in_sequence(m, c))
		return;
	if (c == '\r' || c == '\n') {
		end_line(m);
	} else if (c == KEY_BACKSPACE || c == KEY_DELETE) {
		rub_out(m);
	} else if (c == KEY_KILL) {
		while (m->len != 0)
			rub_out(m);
	} else if (c >= ' ' && m->len < MONITOR_LINE - 1) {
		m->line[m->len++] = c;
		m->line[m->len] = '\0';
		vmm_bare_print("%c", c);
	}
}

/* A serial port keeps 1 KiB of what the guest has not read; more than that is lost, as on any
 * line. */
static void type(struct monitor *m, uint8_t c)
{
	uint32_t taken;

	if (c == MONITOR_ESCAPE) {
		monitor_switch(m, m->front == NULL ? m->last : NULL);
		prompt(m);
	} else if (m->front == NULL) {
		type_here(m, (char)c);
	} else if (m->front->machine != NULL) {
		vmm_machine_console_input(m->front->machine, 0, &c, 1, &taken);
	}
}

static void look(struct monitor *m)
{
	bool said = false;

	for (uint32_t i = 0; i < m->vms->count; i++) {
		struct vm *vm = &m->vms->vm[i];

		if (!vm_look(vm))
			continue;
		said = true;
		if (vm == m->front)
			monitor_switch(m, NULL);
	}
	if (said)
		prompt(m);
}

void monitor_run(struct monitor *m)
{
	prompt(m);
	while (!is_over(m)) {
		const int typed = vmm_bare_read();

		if (typed >= 0)
			type(m, (uint8_t)typed);
		else
			cpus_rest(m->vms, TYPING_NS);
		look(m);
	}
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
// The machine under each small guest, and the trace of what the embedder sees.
#include "guest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "move.h"
#include "platform.h"
#include "save.h"

#define PORT_DEBUG 0xe9
#define PORT_END   0xf4

#define MOST_EXITS 1000 /* in a trace */

/* --- traces --- */

void trace_text(struct trace *trace, const char *text, size_t len)
{
	if (trace->len + len + 1 > trace->room) {
		trace->room = 2 * (trace->len + len) + 512;
		trace->text = realloc(trace->text, trace->room);
		if (!trace->text)
			abort();
	}
	memcpy(trace->text + trace->len, text, len);
	trace->len += len;
	trace->text[trace->len] = '\0';
}

static void trace_vadd(struct trace *trace, const char *format, va_list arguments)
{
	char line[512];
	int len = vsnprintf(line, sizeof(line) - 1, format, arguments);
	if (len < 0)
		return;
	if ((size_t)len > sizeof(line) - 2)
		len = (int)sizeof(line) - 2;
	line[len++] = '\n';
	trace_text(trace, line, (size_t)len);
}

__attribute__((format(printf, 2, 3))) static void trace_add(struct trace *trace, const char *format,
							    ...)
{
	va_list arguments;
	va_start(arguments, format);
	trace_vadd(trace, format, arguments);
	va_end(arguments);
}

void note(struct run *run, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	trace_vadd(&run->cpu[0].trace, format, arguments);
	va_end(arguments);
}

void outcome(struct run *run, const char *what, int rc)
{
	note(run, "%s: %s", what, vmm_errname(rc));
}

bool must(struct run *run, const char *what, int rc)
{
	if (rc == 0)
		return true;
	struct vmm_error error = {.size = sizeof(error)};
	if (run->vm)
		vmm_vm_error(run->vm, &error);
	else
		vmm_ctx_error(run->ctx, &error);
	note(run, "%s failed: %s; last detail: %s: %s", what, vmm_errname(rc), error.call,
	     error.text);
	return false;
}

/* --- exits --- */

uint64_t answer(uint32_t n)
{
	return UINT64_C(0x8877665544332211) + n * UINT64_C(0x0101010101010101);
}

static uint64_t of_width(uint64_t value, uint32_t width)
{
	return width < 8 ? value & ((UINT64_C(1) << (8 * width)) - 1) : value;
}

static void trace_access(struct cpu *cpu, const char *name)
{
	struct vmm_exit *exit = &cpu->exit;
	if (exit->flags & VMM_EXIT_F_WRITE) {
		trace_add(&cpu->trace, "%s write %" PRIu32 " at 0x%" PRIx64 " = 0x%" PRIx64, name,
			  exit->width, exit->addr, exit->data);
	} else {
		exit->data = of_width(answer(cpu->run->answers++), exit->width);
		trace_add(&cpu->trace, "%s read %" PRIu32 " at 0x%" PRIx64 " -> 0x%" PRIx64, name,
			  exit->width, exit->addr, exit->data);
	}
}

static void trace_exit(struct cpu *cpu)
{
	struct vmm_exit *exit = &cpu->exit;
	const char *name = vmm_exit_name(exit->reason);
	if (exit->reason == VMM_EXIT_PORT && exit->addr == PORT_ORDER)
		return;
	switch (exit->reason) {
	case VMM_EXIT_MMIO:
	case VMM_EXIT_PORT:
	case VMM_EXIT_MSR:
		trace_access(cpu, name);
		break;
	case VMM_EXIT_DEBUG:
		/* BS, B0-B3, and BD; the bits that are always 1 differ from engine to engine. */
		trace_add(&cpu->trace, "DEBUG at 0x%" PRIx64 ", dr6 0x%" PRIx64, exit->addr,
			  exit->data & 0x600f);
		break;
	case VMM_EXIT_ENTRY_FAILED:
	case VMM_EXIT_ENGINE_ERROR:
		trace_add(&cpu->trace, "%s 0x%" PRIx64 " 0x%" PRIx64, name, exit->hw_code,
			  exit->hw_info);
		break;
	default:
		trace_add(&cpu->trace, "%s", name ? name : "an exit without a name");
	}
}

/* Whether the exit was the guest's talk. */
static bool debug_port(struct cpu *cpu)
{
	const struct vmm_exit *exit = &cpu->exit;
	if (exit->reason != VMM_EXIT_PORT || exit->addr != PORT_DEBUG ||
	    !(exit->flags & VMM_EXIT_F_WRITE))
		return false;
	if (exit->data == '\n' || cpu->said_len == sizeof(cpu->said) - 1) {
		trace_add(&cpu->trace, "guest: %.*s", (int)cpu->said_len, cpu->said);
		cpu->said_len = 0;
	}
	if (exit->data != '\n')
		cpu->said[cpu->said_len++] = (char)exit->data;
	return true;
}

/* What next() does not give: the guest's talk, and waits. */
#define NEXT_MORE 0x102

static uint32_t fail(struct cpu *cpu, int rc)
{
	struct vmm_error error = {.size = sizeof(error)};
	vmm_vcpu_error(cpu->vcpu, &error);
	trace_add(&cpu->trace, "vmm_vcpu_run failed: %s; %s: %s", vmm_errname(rc), error.call,
		  error.text);
	return NEXT_FAILED;
}

int (*guest_enter)(struct vmm_vcpu *vcpu, struct vmm_exit *exit) = vmm_vcpu_run;

/* One exit; what is neither talk nor a wait is written to the trace. */
static uint32_t next_or_more(struct cpu *cpu)
{
	struct vmm_exit *exit = &cpu->exit;
	struct run *run = cpu->run;
	int rc = move_maybe(cpu) ? 0 : guest_enter(cpu->vcpu, exit);
	if (run->mover && run->mover->failed)
		return NEXT_FAILED;
	if (rc)
		return fail(cpu, rc);
	if (exit->reason == VMM_EXIT_KICKED && limit_reached()) {
		trace_add(&cpu->trace, "time is up");
		return NEXT_FAILED;
	}
	if (exit->reason == VMM_EXIT_KICKED && atomic_load(&run->ended))
		return NEXT_END;
	if (exit->reason == VMM_EXIT_IDLE) { /* some engines wait by themselves */
		vmm_vcpu_wait(cpu->vcpu, exit->data);
		return NEXT_MORE;
	}
	if (exit->reason == VMM_EXIT_PAUSED && run->mover) {
		move_wait(cpu);
		return NEXT_MORE;
	}
	if (exit->reason == VMM_EXIT_IRQ_WINDOW)
		run->attached.window = false;
	run->position += cpu->index == 0;
	if (debug_port(cpu))
		return NEXT_MORE;
	if (++cpu->exits > MOST_EXITS) {
		trace_add(&cpu->trace, "too many exits");
		return NEXT_FAILED;
	}
	if (exit->reason == VMM_EXIT_PORT && exit->addr == PORT_END) {
		trace_add(&cpu->trace, "end %" PRIu64, exit->data);
		return NEXT_END;
	}
	trace_exit(cpu);
	return exit->reason;
}

uint32_t next(struct cpu *cpu)
{
	uint32_t reason;
	do {
		reason = next_or_more(cpu);
	} while (reason == NEXT_MORE);
	return reason;
}

static bool over(uint32_t reason)
{
	return reason == NEXT_END || reason == NEXT_FAILED || reason == VMM_EXIT_SHUTDOWN ||
	       reason == VMM_EXIT_ENTRY_FAILED || reason == VMM_EXIT_ENGINE_ERROR;
}

bool turn(struct run *run)
{
	return !over(next_or_more(&run->cpu[0]));
}

void play(struct run *run)
{
	while (!over(next(&run->cpu[0])))
		;
}

bool play_until(struct run *run, uint32_t reason, uint64_t addr)
{
	for (;;) {
		uint32_t got = next(&run->cpu[0]);
		if (got == reason && (reason < VMM_EXIT_MMIO || run->cpu[0].exit.addr == addr))
			return true;
		if (over(got))
			return false;
	}
}

/* --- a test --- */

/* Whether the engine can do what the test needs. */
static bool capable(struct run *run)
{
	for (size_t i = 0; i < sizeof(run->test->cap) / sizeof(run->test->cap[0]); i++) {
		uint64_t value = 1;
		if (run->test->cap[i])
			vmm_ctx_cap(run->ctx, run->engine, run->test->cap[i], &value);
		if (!value)
			return false;
	}
	if (run->test->needs & ~platform_has())
		return false;
	uint64_t xcr0 = 0;
	vmm_ctx_cap(run->ctx, run->engine, VMM_CAP_XCR0, &xcr0);
	return (xcr0 & run->test->xcr0) == run->test->xcr0;
}

/* The whole trace of a test: the vCPUs' one after the other. Freed by the caller. */
static char *collect(struct run *run)
{
	struct trace all = {0};
	for (uint32_t i = 0; i < MAX_CPUS; i++) {
		struct cpu *cpu = &run->cpu[i];
		if (i && cpu->vcpu)
			trace_add(&all, "vCPU %" PRIu32 ":", i);
		char *rest = cpu->trace.text;
		for (char *line = rest ? strtok_r(rest, "\n", &rest) : NULL; line;
		     line = strtok_r(NULL, "\n", &rest))
			trace_add(&all, "%s", line);
		if (cpu->said_len)
			trace_add(&all, "guest, unfinished: %.*s", (int)cpu->said_len, cpu->said);
		free(cpu->trace.text);
	}
	return all.text;
}

static void play_test(struct run *run)
{
	if (run->test->script)
		run->test->script(run);
	else
		play(run);
	if (run->mover)
		run->mover->exits = run->position;
}

bool begin_test(struct run *run)
{
	return make_machine(run) && (!run->mover || save_note_msrs(run));
}

char *end_test(struct run *run)
{
	destroy_machine(run);
	return collect(run);
}

char *run_test(struct vmm_ctx *ctx, const char *engine, const struct test *test, uint32_t rounds,
	       struct mover *mover, bool *skipped)
{
	struct run run = {
		.test = test,
		.ctx = ctx,
		.engine = engine,
		.rounds = rounds,
		.mover = mover,
		.model = mover ? MOVE_MODEL : NULL,
	};
	*skipped = !capable(&run);
	if (*skipped)
		return NULL;
	limit_begin(&run);
	if (begin_test(&run))
		play_test(&run);
	limit_end();
	return end_test(&run);
}

const struct test *find_test(const char *name)
{
	for (size_t i = 0; i < test_count; i++)
		if (!strcmp(tests[i].name, name))
			return &tests[i];
	return NULL;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
// Moving machines between engines while their guests run.
#include "move.h"

#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "platform.h"
#include "save.h"

/* Knuth, MMIX: the upper bits are the good ones. */
static uint32_t random_below(uint64_t *seed, uint32_t end)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((*seed >> 32) % end);
}

/* --- at an exit --- */

static bool is_time(struct run *run)
{
	struct mover *m = run->mover;
	switch (m->how) {
	case MOVE_HERE:
		return random_below(&m->seed, m->rate) == 0;
	case MOVE_OUT:
		return m->moves < m->at_count && run->position >= m->at[m->moves];
	case MOVE_IN:
		return m->moves == 0 && run->position == m->at[0];
	default:
		return false;
	}
}

/* A step that completing the exit would make is owed to nobody else. */
static bool steps(const struct run *run)
{
	return (run->attached.debug.flags & VMM_DEBUG_SINGLE_STEP) &&
	       run->cpu[0].exit.reason >= VMM_EXIT_MMIO;
}

static void stop_others(struct run *run)
{
	uint32_t others = run->test->cpus > 1 ? run->test->cpus - 1 : 0;
	atomic_store(&run->moving, true);
	must(run, "vmm_vm_pause", vmm_vm_pause(run->vm));
	while (atomic_load(&run->parked) < others)
		nap_us(100);
}

static void start_others(struct run *run)
{
	atomic_store(&run->moving, false);
	while (atomic_load(&run->parked) != 0)
		nap_us(100);
}

void move_wait(struct cpu *cpu)
{
	struct run *run = cpu->run;
	if (!atomic_load(&run->moving))
		return;
	atomic_fetch_add(&run->parked, 1);
	while (atomic_load(&run->moving))
		nap_us(100);
	atomic_fetch_sub(&run->parked, 1);
}

static bool restore(struct run *run, void *opaque)
{
	const struct bytes *file = opaque;
	return restore_machine(run, file->data, file->len);
}

/* As many zeros as there are at @at, as "zNN"; a byte by itself, as "NN". How many it was. */
static size_t put_text(char *out, const struct bytes *file, size_t at, size_t end)
{
	static const char digits[] = "0123456789abcdef";
	size_t zeros = 0;
	while (at + zeros < end && file->data[at + zeros] == 0)
		zeros++;
	size_t value = zeros > 1 ? zeros : file->data[at];
	if (zeros > 1)
		*out++ = 'z';
	*out++ = digits[value >> 4];
	*out++ = digits[value & 15];
	*out = '\0';
	return zeros > 1 ? zeros : 1;
}

/* A line of all platforms is less than 256 bytes long. */
#define LINE_BYTES 120

/* Lines of text, which the runner of the machines collects. */
static void tell(const struct bytes *file)
{
	for (size_t from = 0, to; from < file->len; from = to) {
		char line[8 + 2 * LINE_BYTES] = "@save ";
		to = file->len - from < LINE_BYTES ? file->len : from + LINE_BYTES;
		for (size_t at = from; at < to;)
			at += put_text(line + strlen(line), file, at, to);
		tell_line("%s", line);
	}
}

static void move(struct run *run)
{
	struct mover *m = run->mover;
	struct bytes saved = {0}, file = {.data = (uint8_t *)(uintptr_t)m->file, .len = m->len};
	bool ok = true;
	stop_others(run);
	if (m->how != MOVE_IN)
		ok = save_machine(run, &saved);
	if (ok && m->how == MOVE_OUT) {
		tell(&saved);
		must(run, "vmm_vm_resume", vmm_vm_resume(run->vm));
	} else if (ok) {
		ok = remake_machine(run, restore, m->how == MOVE_IN ? &file : &saved);
	}
	free(saved.data);
	m->moves++;
	/* The one before may have been late itself. */
	m->late = m->how == MOVE_OUT && is_time(run);
	m->failed = !ok;
	start_others(run);
}

bool move_maybe(struct cpu *cpu)
{
	struct run *run = cpu->run;
	if (cpu->index != 0 || !run->mover || run->mover->how == MOVE_NEVER || run->mover->failed ||
	    !is_time(run))
		return false;
	run->mover->late = true;
	if (steps(run))
		return false;
	/* What comes in had no exit pending, though the one that it replaces may: another engine
	 * may stop within a repeated string instruction. */
	if (run->mover->how != MOVE_IN && cpu->exit.reason >= VMM_EXIT_MMIO &&
	    vmm_vcpu_complete(cpu->vcpu, &cpu->exit) == -VMM_EPENDING)
		return true;
	/* Nothing is pending any more. */
	cpu->exit.reason = VMM_EXIT_NONE;
	move(run);
	return false;
}

/* --- many tests --- */

static size_t number; /* of the last result */

/* As often as was asked for. Who leaves is content where no exit was left at which it could. */
static bool has_moved(const struct mover *m)
{
	return m->how == MOVE_HERE || m->moves == m->at_count ||
	       (m->how == MOVE_OUT && m->late && m->moves != 0);
}

static bool one(struct vmm_ctx *ctx, const char *engine, const struct move_plan *plan,
		const struct test *test, struct mover *mover)
{
	bool skipped, well;
	char *trace = run_test(ctx, engine, test, 1, mover, &skipped);
	well = skipped || (plan->as_expected(test, trace ? trace : "") && has_moved(mover));
	free(trace);
	tell_line("%s %u - %s # %u of %u exits%s", well ? "ok" : "not ok", (unsigned)++number,
		  test->name, (unsigned)mover->moves, (unsigned)mover->exits,
		  skipped ? " # SKIP" : "");
	return well;
}

static int read_in(struct vmm_ctx *ctx, const char *engine, const struct move_plan *plan)
{
	int failed = 0;
	struct save_head head;
	for (size_t at = 0; at < plan->len; at += head.len) {
		const uint8_t *file = plan->files + at;
		const struct test *test;
		if (!save_read_head(file, plan->len - at, &head) ||
		    !(test = find_test(head.test))) {
			tell_line("not ok %u - the file at %u", (unsigned)++number, (unsigned)at);
			return failed + 1;
		}
		if (!plan->chosen(test))
			continue;
		struct mover mover = {.how = MOVE_IN,
				      .at = &head.position,
				      .at_count = 1,
				      .file = file,
				      .len = head.len};
		failed += !one(ctx, engine, plan, test, &mover);
	}
	return failed;
}

/* @count different ones of @exits, ascending; fewer where there are not so many. */
static size_t choose(uint64_t *seed, uint32_t exits, uint32_t count, uint32_t *at)
{
	size_t n = 0;
	for (uint32_t i = 0; i < exits && n < count; i++)
		if (random_below(seed, exits - i) < count - n)
			at[n++] = i;
	return n;
}

#define MOST_OUT 64

static bool tell_out(struct vmm_ctx *ctx, const char *engine, const struct move_plan *plan,
		     const struct test *test, uint64_t *seed)
{
	uint32_t at[MOST_OUT];
	struct mover counter = {.how = MOVE_NEVER};
	struct mover mover = {.how = MOVE_OUT, .at = at};
	bool skipped;
	free(run_test(ctx, engine, test, 1, &counter, &skipped));
	mover.at_count =
		choose(seed, counter.exits, plan->count < MOST_OUT ? plan->count : MOST_OUT, at);
	return one(ctx, engine, plan, test, &mover);
}

int move_tests(struct vmm_ctx *ctx, const char *engine, const struct move_plan *plan)
{
	uint64_t seed = plan->seed;
	int failed = 0;
	number = 0;
	tell_line("# seed %u", (unsigned)plan->seed);
	if (plan->how == MOVE_IN)
		failed = read_in(ctx, engine, plan);
	for (size_t i = 0; plan->how != MOVE_IN && i < test_count; i++) {
		struct mover mover = {.how = plan->how, .rate = plan->rate, .seed = seed + i};
		if (!plan->chosen(&tests[i]))
			continue;
		if (tests[i].stays)
			tell_line("ok %u - %s # SKIP %s", (unsigned)++number, tests[i].name,
				  tests[i].stays);
		else if (plan->how == MOVE_HERE)
			failed += !one(ctx, engine, plan, &tests[i], &mover);
		else
			failed += !tell_out(ctx, engine, plan, &tests[i], &seed);
	}
	tell_line("1..%u", (unsigned)number);
	return failed;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The small guests of tests/guest on the SVM engine, as TAP. The command line names tests, or
 * nothing for all, "-NAME" leaves one out; "show" shows the traces instead of comparing them,
 * "rounds=N" is for those that do a thing many times over. Machines move while their guests run by
 * "move=N", one exit in N, "save=N", N exits of each, and "restore", from the boot module; "seed=N"
 * chooses which. "together": guests of four modes side by side, on as many CPUs. "wander": vCPUs go
 * from CPU to CPU all the time.
 */
#include <stdlib.h>
#include <string.h>

#include "asked.h"
#include "engine_here.h"
#include "guest.h"
#include "move.h"
#include "platform.h"
#include "platform_bare.h"
#include "together.h"
#include "wander.h"

#define ROUNDS 100

/* expect/, each with a licence line first. */
extern const struct image traces[];
extern const size_t trace_count;

static bool show;
static uint32_t rounds = ROUNDS;

/* Some test is named on the command line. */
static bool any_named(const char *line)
{
	for (size_t i = 0; i < test_count; i++) {
		if (has_word(line, tests[i].name))
			return true;
	}
	return false;
}

static bool as_expected(const struct test *test, const char *trace)
{
	for (size_t i = 0; i < trace_count; i++) {
		const char *want = (const char *)traces[i].data;
		size_t left = traces[i].size, n = 0;

		if (strcmp(traces[i].name, test->name) != 0)
			continue;
		while (left != 0 && *want != '\n') {
			want++;
			left--;
		}
		want++;
		left--;
		while (n < left && trace[n] && trace[n] == want[n])
			n++;
		return n == left && !trace[n];
	}
	return false;
}

static void show_trace(const char *trace)
{
	vmm_bare_print("#   ");
	for (; *trace; trace++) {
		vmm_bare_print("%c", *trace);
		if (*trace == '\n' && trace[1])
			vmm_bare_print("#   ");
	}
}

static bool run_one(struct vmm_ctx *ctx, size_t number, const struct test *test)
{
	bool skipped, well;
	char *trace = run_test(ctx, engine_here(ctx), test, rounds, NULL, &skipped);
	const char *text = trace ? trace : "";

	well = skipped || show || as_expected(test, text);
	if (!skipped && (!well || show))
		show_trace(text);
	vmm_bare_print("%s %u - %s%s\n", well ? "ok" : "not ok", (unsigned)number, test->name,
		       skipped ? " # SKIP" : "");
	free(trace);
	return well;
}

static const char *cmdline;

static bool is_left_out(const struct test *test)
{
	char word[32] = "-";
	size_t len = strlen(test->name) + 1;

	if (len < sizeof(word))
		memcpy(word + 1, test->name, len);
	return has_word(cmdline, word);
}

/* Not "busy" for vCPUs that change CPUs: it wants one to be in vmm_vcpu_run() all the time. */
static bool is_chosen(const struct test *test)
{
	if (has_word(cmdline, "wander") && strcmp(test->name, "busy") == 0)
		return false;
	return !is_left_out(test) && (!any_named(cmdline) || has_word(cmdline, test->name));
}

static bool is_expected(const struct test *test, const char *trace)
{
	bool well = as_expected(test, trace);

	if (!well)
		show_trace(trace);
	return well;
}

/* Whether machines are to move, and how. */
static bool read_plan(const struct vmm_bare_boot *boot, struct move_plan *plan)
{
	uint32_t seed = 1;

	read_number(boot->cmdline, "seed=", &seed);
	*plan = (struct move_plan){.seed = seed, .as_expected = is_expected, .chosen = is_chosen};
	if (read_number(boot->cmdline, "move=", &plan->rate) && plan->rate != 0) {
		plan->how = MOVE_HERE;
	} else if (read_number(boot->cmdline, "save=", &plan->count)) {
		plan->how = MOVE_OUT;
	} else if (has_word(boot->cmdline, "restore") && boot->module_count != 0) {
		plan->how = MOVE_IN;
		plan->files = boot->modules[0].data;
		plan->len = boot->modules[0].len;
	}
	return plan->how != MOVE_NEVER;
}

static int run_all(struct vmm_ctx *ctx)
{
	size_t number = 0;
	int failed = 0;

	for (size_t i = 0; i < test_count; i++) {
		if (is_chosen(&tests[i]))
			failed += !run_one(ctx, ++number, &tests[i]);
	}
	vmm_bare_print("1..%u\n", (unsigned)number);
	return failed;
}

static int run_wandering(struct vmm_ctx *ctx)
{
	int failed;

	wander_begin();
	failed = run_all(ctx);
	wander_end();
	return failed;
}

int vmm_bare_main(const struct vmm_bare_boot *boot)
{
	const struct vmm_engine *engines[] = ENGINES;
	const struct vmm_ctx_config config = {
		.size = sizeof(config),
		.host = platform_host(),
		.engines = engines,
		.engine_count = 2,
	};
	struct vmm_error error = {.size = sizeof(error)};
	struct move_plan plan;
	struct vmm_ctx *ctx;
	int failed;

	cmdline = boot->cmdline;
	show = has_word(cmdline, "show");
	read_number(cmdline, "rounds=", &rounds);
	if (vmm_ctx_create(&config, &ctx, &error) != 0) {
		vmm_bare_print("not ok: %s: %s\n", error.call, error.text);
		return 1;
	}
	if (has_word(cmdline, "together"))
		failed = run_together(ctx, engine_here(ctx), rounds, is_expected);
	else if (read_plan(boot, &plan))
		failed = move_tests(ctx, engine_here(ctx), &plan);
	else if (has_word(cmdline, "wander"))
		failed = run_wandering(ctx);
	else
		failed = run_all(ctx);
	vmm_ctx_destroy(ctx);
	vmm_bare_print("%d failed\n", failed);
	return failed != 0;
}

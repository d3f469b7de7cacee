// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The small guests of tests/guest on the SVM engine, as TAP. The command line names tests, or
 * nothing for all; "show" shows the traces instead of comparing them, "rounds=N" is for those that
 * do a thing many times over.
 */
#include <stdlib.h>
#include <string.h>

#include "bare.h"
#include "guest.h"
#include "libvmm/svm.h"

#define ROUNDS 100

/* expect/, each with a licence line first. */
extern const struct image traces[];
extern const size_t trace_count;

static bool show;
static uint32_t rounds = ROUNDS;

static bool starts_with(const char *text, const char *start)
{
	while (*start && *text == *start) {
		text++;
		start++;
	}
	return !*start;
}

/* Whether the blank-separated list has the word. */
static bool has_word(const char *list, const char *word)
{
	for (const char *at = list; *at; at++) {
		const char *a = at, *b = word;

		while (*b && *a == *b) {
			a++;
			b++;
		}
		if (!*b && (*a == ' ' || !*a) && (at == list || at[-1] == ' '))
			return true;
	}
	return false;
}

static void read_options(const char *line)
{
	for (const char *at = line; *at; at++) {
		if (at != line && at[-1] != ' ')
			continue;
		if (starts_with(at, "rounds=")) {
			rounds = 0;
			for (at += 7; *at >= '0' && *at <= '9'; at++)
				rounds = 10 * rounds + (uint32_t)(*at - '0');
		}
		if (!*at)
			break;
	}
	show = has_word(line, "show");
}

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
	char *trace = run_test(ctx, "svm", test, rounds, &skipped);
	const char *text = trace ? trace : "";

	well = skipped || show || as_expected(test, text);
	if (!skipped && (!well || show))
		show_trace(text);
	vmm_bare_print("%s %u - %s%s\n", well ? "ok" : "not ok", (unsigned)number, test->name,
		       skipped ? " # SKIP" : "");
	free(trace);
	return well;
}

int vmm_bare_main(const struct vmm_bare_boot *boot)
{
	const struct vmm_engine *engines[] = {vmm_engine_svm()};
	const struct vmm_ctx_config config = {
		.size = sizeof(config),
		.host = vmm_bare_host(),
		.engines = engines,
		.engine_count = 1,
	};
	struct vmm_error error = {.size = sizeof(error)};
	bool all = !any_named(boot->cmdline);
	struct vmm_ctx *ctx;
	size_t number = 0;
	int failed = 0;

	read_options(boot->cmdline);
	if (vmm_ctx_create(&config, &ctx, &error) != 0) {
		vmm_bare_print("not ok: %s: %s\n", error.call, error.text);
		return 1;
	}
	for (size_t i = 0; i < test_count; i++) {
		if (all || has_word(boot->cmdline, tests[i].name))
			failed += !run_one(ctx, ++number, &tests[i]);
	}
	vmm_ctx_destroy(ctx);
	vmm_bare_print("1..%u\n%d failed\n", (unsigned)number, failed);
	return failed != 0;
}

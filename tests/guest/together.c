// SPDX-License-Identifier: BSD-2-Clause-Patent
// Guests of different modes side by side.
#include "together.h"

#include <stdlib.h>
#include <string.h>

#include "platform.h"

#define GUESTS 4

static const char *const names[GUESTS] = {"real", "prot32", "pae32", "long64"};

struct group {
	struct run *runs; /* GUESTS of them */
	uint32_t rounds;
	bool (*as_expected)(const struct test *test, const char *trace);
	struct vmm_ctx *ctx;
	const char *engine;
	uint32_t good[GUESTS]; /* rounds with the trace expected */
};

static bool begin(struct group *g, uint32_t i)
{
	struct run *run = &g->runs[i];
	memset(run, 0, sizeof(*run));
	run->test = find_test(names[i]);
	run->ctx = g->ctx;
	run->engine = g->engine;
	return begin_test(run);
}

static void finish(struct group *g, uint32_t i)
{
	char *trace = end_test(&g->runs[i]);
	g->good[i] += g->as_expected(g->runs[i].test, trace ? trace : "");
	free(trace);
}

static void in_turn(struct group *g)
{
	bool goes_on[GUESTS];
	uint32_t left = 0;
	for (uint32_t i = 0; i < GUESTS; i++) {
		goes_on[i] = begin(g, i);
		left += goes_on[i];
	}
	while (left != 0) {
		for (uint32_t i = 0; i < GUESTS; i++) {
			if (goes_on[i] && !turn(&g->runs[i])) {
				goes_on[i] = false;
				left--;
			}
		}
	}
	for (uint32_t i = 0; i < GUESTS; i++)
		finish(g, i);
}

struct member {
	struct group *group;
	uint32_t index;
};

static void *alone(void *opaque)
{
	struct member *m = opaque;
	for (uint32_t round = 0; round < m->group->rounds; round++) {
		if (begin(m->group, m->index))
			while (turn(&m->group->runs[m->index]))
				;
		finish(m->group, m->index);
	}
	return NULL;
}

static void at_once(struct group *g)
{
	struct member members[GUESTS];
	struct task tasks[GUESTS];
	bool started[GUESTS] = {false};
	for (uint32_t i = 0; i < GUESTS; i++)
		members[i] = (struct member){g, i};
	for (uint32_t i = 1; i < GUESTS; i++)
		started[i] = task_start(&tasks[i], alone, &members[i]);
	alone(&members[0]);
	for (uint32_t i = 1; i < GUESTS; i++)
		if (started[i])
			task_join(&tasks[i]);
}

static int tell(struct group *g, const char *how, uint32_t *number)
{
	int failed = 0;
	for (uint32_t i = 0; i < GUESTS; i++) {
		bool well = g->good[i] == g->rounds;
		tell_line("%s %u - %s %s # %u of %u", well ? "ok" : "not ok", (unsigned)++*number,
			  names[i], how, (unsigned)g->good[i], (unsigned)g->rounds);
		failed += !well;
		g->good[i] = 0;
	}
	return failed;
}

int run_together(struct vmm_ctx *ctx, const char *engine, uint32_t rounds,
		 bool (*as_expected)(const struct test *test, const char *trace))
{
	struct group g = {.ctx = ctx,
			  .engine = engine,
			  .rounds = rounds,
			  .as_expected = as_expected,
			  .runs = realloc(NULL, GUESTS * sizeof(struct run))};
	uint32_t number = 0;
	int failed;
	if (!g.runs)
		abort();
	for (uint32_t round = 0; round < rounds; round++)
		in_turn(&g);
	failed = tell(&g, "in turn", &number);
	at_once(&g);
	failed += tell(&g, "at once", &number);
	tell_line("1..%u", (unsigned)number);
	free(g.runs);
	return failed;
}

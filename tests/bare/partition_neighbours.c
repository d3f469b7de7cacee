// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * A partition does checked work; beside it, on a CPU of its own, machines come and go that do what
 * they should not. Whatever they do, the work goes on with no exit and no interrupt that it has not
 * asked for, and its sums are the right ones.
 */
#include "bits.h"
#include "libvmm/vcpu.h"
#include "partition_vm.h"

#define DEDICATED VMM_VCPU_DEDICATED
#define AGAIN     3 /* starts of a neighbour that ends itself */

static const struct deed {
	const char *name;
	uint32_t order, vcpu_flags;
	uint32_t vcpus;
} kinds[] = {
	{"ICR, dedicated", ORDER_ICR_X2, DEDICATED, 1},
	{"triple fault, dedicated", ORDER_PANIC, DEDICATED, 1},
	{"ICR, x2APIC", ORDER_ICR_X2, 0, 1},
	{"exceptions without end, dedicated", ORDER_LOOP, DEDICATED, 1},
	{"ICR, xAPIC", ORDER_ICR_X, 0, 1},
	{"reset, dedicated", ORDER_RESET, DEDICATED, 1},
	{"exits, dedicated", ORDER_STORM, DEDICATED, 1},
	{"exits", ORDER_STORM, 0, 1},
	{"interrupts off, dedicated", ORDER_SPIN, DEDICATED, 1},
	{"interrupts left pending, dedicated", ORDER_PEND, DEDICATED, 1},
	{"ticks after that, dedicated", ORDER_TICKS, DEDICATED, 1},
	{"ICR to each other, dedicated", ORDER_ICR_X2, DEDICATED, 2},
};

struct tally {
	uint64_t starts, anew, sent[ARRAY_SIZE(kinds)];
};

static int send_icr(struct partition *n, struct tally *tally, size_t kind)
{
	const struct runner *r = &n->runner[0];

	CHECK(reaches(n, STATE_DONE) && control(n, 0).wrong == 0);
	tally->sent[kind] += control(n, 0).sent;
	tally->anew += r->anew;
	return 0;
}

static int end_itself(struct partition *n, struct tally *tally, uint64_t order)
{
	struct runner *r = &n->runner[0];

	for (uint32_t i = 0;; i++) {
		CHECK(stops(r) && r->rc == 0);
		CHECK(r->exit.reason ==
		      ((uint32_t)order == ORDER_PANIC ? VMM_EXIT_SHUTDOWN : VMM_EXIT_PORT));
		if (i == AGAIN)
			return 0;
		stop(n);
		CHECK(vmm_vm_reset(n->vm) == 0);
		CHECK(start(n, &order) == 0);
		tally->starts++;
	}
}

/* What the CPU's last guest has left behind is not for it, and does not keep its own out. */
static int tick(struct partition *n)
{
	const uint64_t end = now() + LONG_NS;

	CHECK(reaches(n, STATE_READY));
	go(n);
	while (control(n, 0).ticks < 10 && now() < end)
		pause_ns(MS / 10);
	CHECK(control(n, 0).ticks >= 10);
	CHECK(control(n, 0).fault == 0 && control(n, 0).others == 0);
	return 0;
}

/* INIT, start-up, NMI and all vectors from two sides, wherever the other is just then. */
static int bother_each_other(struct partition *n, struct tally *tally, uint64_t order)
{
	for (uint32_t i = 0; i < n->count; i++)
		n->runner[i].restless = true;
	CHECK(start(n, (uint64_t[]){order, order}) == 0);
	pause_ns(50 * MS);
	for (uint32_t i = 0; i < n->count; i++) {
		CHECK(n->runner[i].rc == 0);
		tally->anew += n->runner[i].anew;
	}
	return 0;
}

static int live(struct partition *n, struct tally *tally, uint32_t round, uint32_t stride)
{
	const size_t kind = round % ARRAY_SIZE(kinds);
	const uint32_t what = kinds[kind].order;
	const uint32_t turn = round / (uint32_t)ARRAY_SIZE(kinds);
	const uint64_t order =
		ORDER(what, what == ORDER_SPIN ? turn % SPINS : ICR(turn % stride, stride));

	tally->starts++;
	if (n->count == 2)
		return bother_each_other(n, tally, order);
	CHECK(start(n, &order) == 0);
	if (what == ORDER_ICR_X2 || what == ORDER_ICR_X)
		return send_icr(n, tally, kind);
	if (what == ORDER_PANIC || what == ORDER_RESET)
		return end_itself(n, tally, order);
	if (what == ORDER_TICKS)
		return tick(n);
	CHECK(what != ORDER_PEND || reaches(n, STATE_DONE));
	go(n);
	pause_ns(2 * MS);
	return 0;
}

static int bother(struct tally *tally, uint32_t round, uint32_t stride)
{
	static struct partition neighbour;
	const struct deed *kind = &kinds[round % ARRAY_SIZE(kinds)];
	int r;

	CHECK(make(&neighbour, NEIGHBOUR, kind->vcpus, 0, kind->vcpu_flags) == 0);
	r = live(&neighbour, tally, round, stride);
	stop(&neighbour);
	unmake(&neighbour);
	if (r != 0)
		vmm_bare_print("# neighbour %u: %s\n", round, kind->name);
	return r;
}

static uint64_t sum_after(uint64_t rounds)
{
	uint64_t x = WORK_SEED;

	for (uint64_t i = 0; i < rounds * WORK_WORDS; i++)
		x = work_next(x);
	return x;
}

static int untouched(struct partition *p, const struct vmm_partition_exits *before)
{
	const struct control c = control(p, 0);

	CHECK(c.wrong == 0 && c.fault == 0 && c.others == 0 && c.nmis == 0);
	CHECK(since(p, 0, before) == 0 && atomic_load(&p->runner[0].budgets) == 0);
	CHECK(gets_on(p, c.rounds));
	return 0;
}

static void tell_tally(const struct tally *t, uint32_t rounds, const struct control *work)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (t->sent[i] != 0)
			vmm_bare_print("%s: %u values sent\n", kinds[i].name, (unsigned)t->sent[i]);
	}
	vmm_bare_print("%u neighbours, started %u times, %u by an INIT of their own\n", rounds,
		       (unsigned)t->starts, (unsigned)t->anew);
	vmm_bare_print("%u rounds of work, %u ticks\n", (unsigned)work->rounds,
		       (unsigned)work->ticks);
}

int neighbours(struct partition *p, uint32_t rounds, uint32_t stride)
{
	struct vmm_partition_exits before;
	struct tally tally = {0};
	struct control c;

	CHECK(make(p, 2, 1, 0, DEDICATED) == 0);
	CHECK(start(p, (uint64_t[]){ORDER_WORK}) == 0 && reaches(p, STATE_READY));
	CHECK(vmm_vm_settle(p->vm) == 0);
	before = exits(p, 0);
	CHECK(budget(p, 0, 0, 0) == 0);
	go(p);
	for (uint32_t i = 0; i < rounds; i++)
		CHECK(bother(&tally, i, stride) == 0 && untouched(p, &before) == 0);
	tell(p, 0, offsetof(struct control, go), 0, 4);
	CHECK(reaches(p, STATE_DONE));
	c = control(p, 0);
	CHECK(c.sum == sum_after(c.rounds) && since(p, 0, &before) == 0);
	tell_tally(&tally, rounds, &c);
	return 0;
}

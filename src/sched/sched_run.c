// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Who runs where: what a CPU does when it asks, and what wakes vCPUs. */
#include "sched_object.h"

/* Parts of a slice: what one that wakes up leaves to the one that runs; by how much it must be
 * behind to have it at once. */
#define LEAST_PART  8
#define BEHIND_PART 4

/* Slices that one may be ahead of or behind those on the CPU that it moves to. */
#define MOVED_SLICES 8

static inline uint64_t bit(uint32_t n)
{
	return UINT64_C(1) << n;
}

/* --- locks, queues --- */

struct vmm__sched_cpu *vmm__sched_lock(struct vmm_sched_vcpu *v)
{
	for (;;) {
		uint32_t number = atomic_load(&v->cpu);
		struct vmm__sched_cpu *cpu = &v->sched->cpu[number];

		vmm__lock(v->sched->host, &cpu->lock);
		if (atomic_load(&v->cpu) == number)
			return cpu;
		vmm__unlock(v->sched->host, &cpu->lock);
	}
}

static uint32_t number_of(const struct vmm__sched_cpu *cpu, const struct vmm_sched *sched)
{
	return (uint32_t)(cpu - sched->cpu);
}

static void set_state(struct vmm_sched_vcpu *v, uint32_t state)
{
	atomic_store_explicit(&v->state, state, memory_order_release);
}

static uint32_t state_of(const struct vmm_sched_vcpu *v)
{
	return atomic_load_explicit(&v->state, memory_order_acquire);
}

/* Tell others what waits here. */
static inline void publish(struct vmm__sched_cpu *cpu)
{
	if (cpu->ready.count != 0)
		atomic_store_explicit(&cpu->head, cpu->ready.node[0].key, memory_order_relaxed);
	atomic_store(&cpu->waiting, cpu->ready.count);
}

void vmm__sched_take_out(struct vmm_sched_vcpu *v, struct vmm__sched_cpu *cpu)
{
	switch (state_of(v)) {
	case SCHED_READY:
		vmm__sched_remove(&cpu->ready, v);
		publish(cpu);
		break;
	case SCHED_SLEEPING:
	case SCHED_THROTTLED:
		vmm__sched_remove(&cpu->timers, v);
		break;
	default:
		break;
	}
}

static void sleep_until(struct vmm_sched_vcpu *v, struct vmm__sched_cpu *cpu, uint32_t state,
			uint64_t ns)
{
	set_state(v, state);
	vmm__sched_push(&cpu->timers, v, ns);
}

void vmm__sched_make_ready(struct vmm_sched_vcpu *v, struct vmm__sched_cpu *cpu, uint64_t now)
{
	if (v->cap != 0 && v->cap_ns > now) {
		v->stats.throttled++;
		sleep_until(v, cpu, SCHED_THROTTLED, v->cap_ns);
		return;
	}
	v->ready_ns = now;
	set_state(v, SCHED_READY);
	vmm__sched_push(&cpu->ready, v, v->vtime);
	publish(cpu);
}

/* One that has slept has not saved up more than a slice. */
static void wake_up(struct vmm_sched_vcpu *v, struct vmm__sched_cpu *cpu, uint64_t now)
{
	const uint64_t least = cpu->floor - v->sched->slice_ns;

	atomic_store(&v->woken, 0);
	v->stats.woken++;
	if (vmm__sched_before(v->vtime, least))
		v->vtime = least;
	vmm__sched_make_ready(v, cpu, now);
}

/* --- from one CPU to another --- */

/* The bits of a word from @first on, then those below. */
static uint32_t first_bit(uint64_t mask)
{
	uint32_t n = 0;

	for (uint32_t half = 32; half != 0; half /= 2) {
		if ((mask & ((UINT64_C(1) << half) - 1)) == 0) {
			mask >>= half;
			n += half;
		}
	}
	return n;
}

/* Where it should run: a CPU that sleeps, its own, one that asks, or any that it may run on. */
static uint32_t place_for(struct vmm_sched_vcpu *v)
{
	struct vmm_sched *s = v->sched;
	const uint64_t may = atomic_load(&v->cpus);
	const uint64_t asking = atomic_load(&s->asking) & may;
	const uint64_t sleeping = atomic_load(&s->sleeping) & may;
	const uint32_t home = atomic_load(&v->cpu);

	if ((sleeping & bit(home)) != 0)
		return home;
	if (sleeping != 0)
		return first_bit(sleeping);
	if ((asking & bit(home)) != 0 || (asking == 0 && (may & bit(home)) != 0))
		return home;
	return first_bit(asking != 0 ? asking : may);
}

/* Put in what has been taken out elsewhere. */
static void arrive(struct vmm_sched_vcpu *v)
{
	struct vmm__sched_cpu *cpu = vmm__sched_lock(v);
	const uint64_t far = MOVED_SLICES * v->sched->slice_ns;

	if (vmm__sched_before(v->vtime, cpu->floor - far))
		v->vtime = cpu->floor - far;
	if (vmm__sched_before(cpu->floor + far, v->vtime))
		v->vtime = cpu->floor + far;
	if (v->stop) {
		set_state(v, SCHED_STOPPED);
		vmm__wake(v->sched->host, &v->state);
	} else {
		vmm__sched_make_ready(v, cpu, vmm__sched_now(v->sched));
	}
	vmm__unlock(v->sched->host, &cpu->lock);
}

/* Under the lock of the CPU it is on, in none of its queues; arrive() follows without a lock. */
static void depart(struct vmm_sched_vcpu *v, uint32_t to)
{
	v->stats.moved += to != atomic_load(&v->cpu);
	set_state(v, SCHED_MOVING);
	atomic_store(&v->cpu, to);
}

void vmm__sched_move(struct vmm_sched_vcpu *v)
{
	struct vmm__sched_cpu *cpu = vmm__sched_lock(v);
	const uint32_t state = state_of(v), to = place_for(v);
	const uint32_t from = number_of(cpu, v->sched);
	bool goes = false;

	if (state == SCHED_BLOCKED || state == SCHED_STOPPED) {
		atomic_store(&v->cpu, to);
	} else if (state != SCHED_RUNNING && state != SCHED_MOVING && to != from) {
		vmm__sched_take_out(v, cpu);
		depart(v, to);
		goes = true;
	}
	vmm__unlock(v->sched->host, &cpu->lock);
	if (goes)
		arrive(v);
	vmm__sched_poke(v->sched, state == SCHED_RUNNING ? from : to);
}

/* --- news --- */

void vmm__sched_poke(struct vmm_sched *s, uint32_t number)
{
	struct vmm__sched_cpu *cpu = &s->cpu[number];
	struct vmm_vcpu *running;

	if (atomic_exchange(&cpu->poked, 1) != 0)
		return;
	/* Counted, so that nobody destroys it meanwhile. */
	atomic_fetch_add(&cpu->pokers, 1);
	running = atomic_load(&cpu->running);
	if (running != NULL)
		vmm_vcpu_preempt(running);
	atomic_fetch_sub(&cpu->pokers, 1);
	vmm__wake(s->host, &cpu->poked);
}

/* It has left, and another one could do what it was told to. */
static bool has_left(const struct vmm_sched_vcpu *v, uint32_t number)
{
	const uint64_t asking = atomic_load(&v->sched->asking) & atomic_load(&v->cpus);

	return asking != 0 && (asking & bit(number)) == 0;
}

void vmm__sched_wake(void *place, struct vmm_vcpu *vcpu)
{
	struct vmm_sched_vcpu *v = place;
	struct vmm_sched *s = v->sched;
	const uint32_t index = (uint32_t)(v - s->place);
	uint32_t to;

	(void)vcpu;
	atomic_store(&v->woken, 1);
	do {
		to = place_for(v);
		atomic_fetch_or(&s->cpu[to].mailbox[index / 64], bit(index % 64));
		vmm__sched_poke(s, to);
	} while (has_left(v, to));
}

/* One of the mailbox. Its own CPU sees to one that has a CPU. */
static void serve_wake(struct vmm_sched_vcpu *v, uint32_t here)
{
	struct vmm__sched_cpu *cpu = vmm__sched_lock(v);
	const uint32_t home = number_of(cpu, v->sched), state = state_of(v);
	const bool slept = state == SCHED_BLOCKED || state == SCHED_SLEEPING;
	bool goes = false;

	if (slept) {
		vmm__sched_take_out(v, cpu);
		goes = home != here && (atomic_load(&v->cpus) & bit(here)) != 0;
		if (goes) {
			atomic_store(&v->woken, 0);
			v->stats.woken++;
			depart(v, here);
		} else {
			wake_up(v, cpu, vmm__sched_now(v->sched));
		}
	}
	vmm__unlock(v->sched->host, &cpu->lock);
	if (goes)
		arrive(v);
	else if (slept && home != here)
		vmm__sched_poke(v->sched, home);
}

static void read_mailbox(struct vmm_sched *s, struct vmm__sched_cpu *cpu)
{
	const uint32_t words = (s->room + 63) / 64;

	for (uint32_t w = 0; w < words; w++) {
		uint64_t bits = atomic_load(&cpu->mailbox[w]);

		if (bits == 0)
			continue;
		for (bits = atomic_exchange(&cpu->mailbox[w], 0); bits != 0; bits &= bits - 1)
			serve_wake(&s->place[64 * w + first_bit(bits)], number_of(cpu, s));
	}
}

/* --- accounts --- */

/* Weights are powers of time's unit, 2^16 for the default's. */
static uint64_t by_weight(uint64_t ns, uint32_t weight)
{
	const uint64_t most = UINT64_C(1) << 38;

	return (ns < most ? ns : most) * ((VMM_SCHED_WEIGHT_DEFAULT << 16) / weight) >> 16;
}

/* Charge the current with the time since it was last. */
static inline void charge(struct vmm_sched *s, struct vmm__sched_cpu *cpu, uint64_t now)
{
	struct vmm_sched_vcpu *v = cpu->current;
	const uint64_t ns = now - cpu->since_ns;

	cpu->since_ns = now;
	v->stats.run_ns += ns;
	v->vtime += v->weight == VMM_SCHED_WEIGHT_DEFAULT ? ns : by_weight(ns, v->weight);
	if (VMM__UNLIKELY(v->cap != 0)) {
		/* What it did not use is worth no more than a slice. */
		const uint64_t since = now - ns - s->slice_ns;

		if (vmm__sched_before(v->cap_ns, since))
			v->cap_ns = since;
		v->cap_ns += ns * 100 / v->cap;
	}
}

/* The CPU has its current no more. Before others can see that: who removes it then waits for those
 * that found it in @running, and for nobody else. */
static inline void let_go(struct vmm__sched_cpu *cpu)
{
	atomic_store(&cpu->running, NULL);
	cpu->current = NULL;
}

void vmm__sched_take_off(struct vmm__sched_cpu *cpu, uint64_t now)
{
	charge(cpu->current->sched, cpu, now);
	let_go(cpu);
}

/* --- decisions, under the CPU's lock --- */

/* The current has nothing to run. False: it has been woken since. */
static bool put_to_sleep(struct vmm__sched_cpu *cpu, const struct vmm_exit *exit, uint64_t now)
{
	struct vmm_sched_vcpu *v = cpu->current;

	v->stats.idled++;
	if (atomic_exchange(&v->woken, 0) != 0 ||
	    (exit->reason == VMM_EXIT_IDLE && exit->data <= now))
		return false;
	let_go(cpu);
	if (exit->reason == VMM_EXIT_IDLE && exit->data != VMM_FOREVER)
		sleep_until(v, cpu, SCHED_SLEEPING, exit->data);
	else
		set_state(v, SCHED_BLOCKED);
	return true;
}

/* PAUSE: behind the next one. */
static void yield(struct vmm__sched_cpu *cpu)
{
	struct vmm_sched_vcpu *v = cpu->current;

	v->stats.yielded++;
	if (cpu->ready.count != 0 && vmm__sched_before(v->vtime, cpu->ready.node[0].key + 1))
		v->vtime = cpu->ready.node[0].key + 1;
}

/*
 * What the current came back with. Afterwards it is still current, and could go on, or it is in a
 * queue, or it is what is returned: it goes to another CPU, or stops there.
 */
static struct vmm_sched_vcpu *take_back(struct vmm_sched *s, struct vmm__sched_cpu *cpu,
					const struct vmm_exit *exit, uint64_t now)
{
	struct vmm_sched_vcpu *v = cpu->current;

	charge(s, cpu, now);
	if (VMM__UNLIKELY(v->stop != 0 ||
			  (atomic_load_explicit(&v->cpus, memory_order_relaxed) & cpu->bit) == 0)) {
		let_go(cpu);
		depart(v, place_for(v));
		return v;
	}
	if (exit != NULL) {
		if (exit->reason == VMM_EXIT_IDLE || exit->reason == VMM_EXIT_PAUSED) {
			if (put_to_sleep(cpu, exit, now))
				return NULL;
		} else if (exit->reason == VMM_EXIT_PREEMPTED) {
			if (exit->data == VMM_PREEMPTED_PAUSE)
				yield(cpu);
		}
	}
	if (VMM__UNLIKELY(v->cap != 0 && v->cap_ns > now)) {
		let_go(cpu);
		vmm__sched_make_ready(v, cpu, now);
	}
	return NULL;
}

static void wake_sleepers(struct vmm__sched_cpu *cpu, uint64_t now)
{
	while (cpu->timers.count != 0 && cpu->timers.node[0].key <= now) {
		struct vmm_sched_vcpu *v = cpu->timers.node[0].vcpu;

		vmm__sched_remove(&cpu->timers, v);
		wake_up(v, cpu, now);
	}
}

/* The current goes on: its slice is not over, and who waits is not so far behind that it has it at
 * once; then what is left to it is short. */
static bool goes_on(struct vmm_sched *s, struct vmm__sched_cpu *cpu, const struct vmm_exit *exit,
		    uint64_t now)
{
	const uint64_t least = cpu->given_ns + s->slice_ns / LEAST_PART;
	const uint64_t vtime = cpu->current->vtime;

	if (cpu->ready.count == 0)
		return true;
	if (!vmm__sched_before(cpu->ready.node[0].key, vtime))
		return true;
	if (now >= cpu->until_ns || (exit != NULL && exit->reason == VMM_EXIT_PREEMPTED &&
				     exit->data == VMM_PREEMPTED_PAUSE))
		return false;
	if (!vmm__sched_before(cpu->ready.node[0].key + s->slice_ns / BEHIND_PART, vtime))
		return true;
	if (now >= least)
		return false;
	if (cpu->until_ns > least)
		cpu->until_ns = least;
	return true;
}

/* Until when who has been chosen may run. */
static uint64_t end_of_slice(struct vmm_sched *s, struct vmm__sched_cpu *cpu, uint64_t now)
{
	const struct vmm_sched_vcpu *v = cpu->current;
	uint64_t ns = s->slice_ns;

	if (v->cap != 0) {
		ns = ns * v->cap / 100;
		if (ns < s->slice_ns / LEAST_PART)
			ns = s->slice_ns / LEAST_PART;
	}
	return now + ns;
}

/* Choose among those that are here. NULL: there is nobody. */
static struct vmm_sched_vcpu *choose(struct vmm_sched *s, struct vmm__sched_cpu *cpu,
				     const struct vmm_exit *exit, uint64_t now)
{
	struct vmm_sched_vcpu *v = cpu->current;

	if (v != NULL && goes_on(s, cpu, exit, now)) {
		if (now >= cpu->until_ns)
			cpu->until_ns = end_of_slice(s, cpu, now);
		return v;
	}
	if (v != NULL) { /* then somebody waits */
		v->stats.preempted++;
		v->ready_ns = now;
		let_go(cpu);
		set_state(v, SCHED_READY);
		v = vmm__sched_swap(&cpu->ready, v, v->vtime);
	} else if (cpu->ready.count != 0) {
		v = cpu->ready.node[0].vcpu;
		vmm__sched_remove(&cpu->ready, v);
	} else {
		return NULL;
	}
	publish(cpu);
	set_state(v, SCHED_RUNNING);
	if (vmm__sched_before(cpu->floor, v->vtime))
		cpu->floor = v->vtime;
	if (now - v->ready_ns > v->stats.wait_ns)
		v->stats.wait_ns = now - v->ready_ns;
	v->stats.given++;
	cpu->current = v;
	cpu->since_ns = cpu->given_ns = now;
	cpu->until_ns = end_of_slice(s, cpu, now);
	return v;
}

/* --- from other CPUs' queues --- */

/* The least of those that wait there and may run here. */
static struct vmm_sched_vcpu *find_for(struct vmm__sched_cpu *from, uint32_t here)
{
	const struct vmm__sched_node *best = NULL;

	for (uint32_t i = 0; i < from->ready.count; i++) {
		const struct vmm__sched_node *node = &from->ready.node[i];

		if ((atomic_load(&node->vcpu->cpus) & bit(here)) != 0 &&
		    (best == NULL || vmm__sched_before(node->key, best->key)))
			best = node;
	}
	return best != NULL ? best->vcpu : NULL;
}

/* Fetch one that waits elsewhere; with @before, only if its virtual time is before that. */
static bool fetch(struct vmm_sched *s, uint32_t here, const uint64_t *before)
{
	for (uint32_t i = 1; i < s->cpu_count; i++) {
		struct vmm__sched_cpu *from = &s->cpu[(here + i) % s->cpu_count];
		struct vmm_sched_vcpu *v;

		if (atomic_load(&from->waiting) == 0 ||
		    (before != NULL && !vmm__sched_before(atomic_load(&from->head), *before)))
			continue;
		vmm__lock(s->host, &from->lock);
		v = find_for(from, here);
		if (v != NULL && before != NULL && !vmm__sched_before(v->vtime, *before))
			v = NULL;
		if (v != NULL) {
			vmm__sched_take_out(v, from);
			depart(v, here);
		}
		vmm__unlock(s->host, &from->lock);
		if (v != NULL) {
			arrive(v);
			return true;
		}
	}
	return false;
}

/* A slice is over: one that waits elsewhere may be further behind than all here. */
static void balance(struct vmm_sched *s, struct vmm__sched_cpu *cpu, const struct vmm_exit *exit)
{
	uint64_t before;

	if (s->cpu_count == 1 || cpu->current == NULL || exit == NULL ||
	    exit->reason != VMM_EXIT_PREEMPTED || exit->data != VMM_PREEMPTED_SLICE)
		return;
	/* The current has not been charged yet, with a slice or so; and is to be ahead by one. */
	before = cpu->current->vtime;
	fetch(s, number_of(cpu, s), &before);
}

/* --- what a CPU asks --- */

/* What has been decided under the lock. */
struct plan {
	struct vmm_sched_vcpu *gone;   /* goes elsewhere */
	struct vmm_sched_vcpu *chosen; /* NULL: sleep */
	uint64_t until;
	uint64_t offered; /* CPUs on which who waits here may run */
	uint32_t flags;
};

static void decide(struct vmm_sched *s, struct vmm__sched_cpu *cpu, const struct vmm_exit *exit,
		   bool back, struct plan *plan)
{
	uint64_t now;

	vmm__lock(s->host, &cpu->lock);
	now = vmm__sched_now(s);
	plan->gone = back && cpu->current != NULL ? take_back(s, cpu, exit, now) : NULL;
	wake_sleepers(cpu, now);
	plan->chosen = choose(s, cpu, exit, now);
	plan->until = plan->chosen != NULL ? cpu->until_ns : VMM_FOREVER;
	if (cpu->timers.count != 0 && cpu->timers.node[0].key < plan->until)
		plan->until = cpu->timers.node[0].key;
	plan->flags = 0;
	plan->offered = 0;
	if (cpu->ready.count != 0) {
		plan->flags = VMM_SLICE_PAUSE;
		plan->offered = atomic_load(&cpu->ready.node[0].vcpu->cpus);
	}
	vmm__unlock(s->host, &cpu->lock);
}

/* Who waits here might run on a CPU that sleeps. */
static void offer(struct vmm_sched *s, uint64_t cpus)
{
	cpus &= atomic_load(&s->sleeping);
	if (cpus != 0)
		vmm__sched_poke(s, first_bit(cpus));
}

/* Give out what has been chosen; false: there is news, and it is to be decided anew. */
static bool give_out(struct vmm_sched *s, struct vmm__sched_cpu *cpu, const struct plan *plan)
{
	struct vmm_sched_vcpu *v = plan->chosen;

	if (atomic_load(&cpu->running) != v->vcpu) { /* it did not have the CPU before */
		atomic_store(&v->woken, 0);
		atomic_store(&cpu->running, v->vcpu);
	}
	if (s->kind == VMM_SCHED_CREDIT)
		vmm_vcpu_set_slice(v->vcpu, plan->until, plan->flags);
	if (plan->offered != 0)
		offer(s, plan->offered);
	return atomic_load(&cpu->poked) == 0;
}

/* There is nobody to run here. What others have put into their queues before they saw that this CPU
 * sleeps is fetched; for the rest they poke it. */
static void sleep(struct vmm_sched *s, struct vmm__sched_cpu *cpu, uint64_t until, uint64_t end)
{
	const uint32_t number = number_of(cpu, s);
	uint64_t now, ns = VMM_FOREVER;

	atomic_fetch_or(&s->sleeping, cpu->bit);
	if (!fetch(s, number, NULL)) {
		until = until < end ? until : end;
		if (until != VMM_FOREVER) {
			now = vmm__sched_now(s);
			ns = until > now ? until - now : 0;
		}
		if (ns != 0)
			vmm__wait(s->host, &cpu->poked, 0, ns);
	}
	atomic_fetch_and(&s->sleeping, ~cpu->bit);
}

/* Out of the current's hands; it waits here for the CPU to ask again, or for another to fetch it.
 */
static void put_down(struct vmm_sched *s, struct vmm__sched_cpu *cpu, const struct vmm_exit *exit)
{
	struct vmm_sched_vcpu *v = cpu->current, *gone = NULL;

	if (v == NULL)
		return;
	vmm__lock(s->host, &cpu->lock);
	const uint64_t now = vmm__sched_now(s);
	gone = take_back(s, cpu, exit, now);
	if (cpu->current != NULL) {
		let_go(cpu);
		vmm__sched_make_ready(v, cpu, now);
	}
	vmm__unlock(s->host, &cpu->lock);
	if (gone != NULL)
		arrive(gone);
}

/* One after the other of a CPU that does not ask to another one, where there is one. */
static bool send_away(struct vmm_sched *s, struct vmm__sched_cpu *cpu)
{
	struct vmm_sched_vcpu *v = NULL;
	const uint64_t asking = atomic_load(&s->asking);
	struct vmm__sched_queue *queues[] = {&cpu->ready, &cpu->timers};

	if ((asking & cpu->bit) != 0)
		return false;
	vmm__lock(s->host, &cpu->lock);
	for (uint32_t q = 0; q < 2 && v == NULL; q++) {
		for (uint32_t i = 0; i < queues[q]->count && v == NULL; i++) {
			if ((atomic_load(&queues[q]->node[i].vcpu->cpus) & asking) != 0)
				v = queues[q]->node[i].vcpu;
		}
	}
	if (v != NULL) {
		vmm__sched_take_out(v, cpu);
		depart(v, place_for(v));
	}
	vmm__unlock(s->host, &cpu->lock);
	if (v == NULL)
		return false;
	arrive(v);
	vmm__sched_poke(s, atomic_load(&v->cpu));
	return true;
}

/* Whom a CPU that does not ask would have to run, or to wake. */
static void send_all_away(struct vmm_sched *s, struct vmm__sched_cpu *cpu)
{
	read_mailbox(s, cpu);
	while (send_away(s, cpu))
		;
}

static VMM__COLD void begin(struct vmm_sched *s, struct vmm__sched_cpu *cpu)
{
	atomic_store(&cpu->thread, vmm__thread_id(s->host));
	atomic_fetch_or(&s->asking, cpu->bit);
	/* Those that nobody was there for. */
	for (uint32_t i = 0; i < s->cpu_count; i++) {
		if ((atomic_load(&s->asking) & bit(i)) == 0)
			send_all_away(s, &s->cpu[i]);
	}
}

static struct vmm_sched_vcpu *next(struct vmm_sched *s, struct vmm__sched_cpu *cpu,
				   const struct vmm_exit *exit, uint64_t limit_ns)
{
	uint64_t end = VMM_FOREVER;
	struct plan plan;
	bool back = true;

	if (VMM__UNLIKELY(atomic_load_explicit(&cpu->thread, memory_order_relaxed) == 0))
		begin(s, cpu);
	for (;;) {
		if (atomic_load_explicit(&cpu->poked, memory_order_relaxed) != 0) {
			atomic_store(&cpu->poked, 0);
			read_mailbox(s, cpu);
		}
		if (atomic_load_explicit(&cpu->kicked, memory_order_relaxed) != 0 &&
		    atomic_exchange(&cpu->kicked, 0) != 0) {
			put_down(s, cpu, back ? exit : NULL);
			return NULL;
		}
		if (back)
			balance(s, cpu, exit);
		decide(s, cpu, exit, back, &plan);
		if (VMM__UNLIKELY(plan.gone != NULL)) {
			arrive(plan.gone);
			vmm__sched_poke(s, atomic_load(&plan.gone->cpu));
		}
		back = false;
		exit = NULL;
		if (plan.chosen != NULL) {
			if (give_out(s, cpu, &plan))
				return plan.chosen;
			continue;
		}
		if (end == VMM_FOREVER && limit_ns != VMM_FOREVER)
			end = vmm__sched_now(s) + limit_ns;
		else if (end != VMM_FOREVER && vmm__sched_now(s) >= end)
			return NULL;
		sleep(s, cpu, plan.until, end);
	}
}

/* KICKED and all that is the embedder's: nothing to decide, unless there is news. */
static inline bool is_ours(const struct vmm_exit *exit)
{
	return exit != NULL && exit->reason >= VMM_EXIT_PAUSED &&
	       exit->reason <= VMM_EXIT_PREEMPTED;
}

int vmm_sched_next(struct vmm_sched *sched, uint32_t number, const struct vmm_exit *exit,
		   uint64_t limit_ns, struct vmm_sched_vcpu **place)
{
	struct vmm__sched_cpu *cpu;

	if (number >= sched->cpu_count)
		return -VMM_ERANGE;
	cpu = &sched->cpu[number];
	if (cpu->current != NULL && !is_ours(exit) && atomic_load(&cpu->poked) == 0)
		*place = cpu->current;
	else
		*place = next(sched, cpu, exit, limit_ns);
	return 0;
}

void vmm_sched_kick(struct vmm_sched *sched, uint32_t number)
{
	if (number >= sched->cpu_count)
		return;
	atomic_store(&sched->cpu[number].kicked, 1);
	vmm__sched_poke(sched, number);
}

int vmm_sched_leave(struct vmm_sched *sched, uint32_t number)
{
	struct vmm__sched_cpu *cpu;

	if (number >= sched->cpu_count)
		return -VMM_ERANGE;
	cpu = &sched->cpu[number];
	/* Who writes to the mailbox after it was read below sees it: vmm__sched_wake(). */
	atomic_fetch_and(&sched->asking, ~cpu->bit);
	atomic_store(&cpu->thread, 0);
	put_down(sched, cpu, NULL);
	send_all_away(sched, cpu);
	return 0;
}

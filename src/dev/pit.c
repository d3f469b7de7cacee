// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * 8254 interval timer, after Intel's data sheet (231164-005, September 1993), and the port beside
 * it on PCs (port B, 0x61: Intel 82371AB, 4.2.6).
 *
 * Nothing counts. A counter knows the clock at which it was loaded, and what it and its output are
 * follows from the time: its element ("CE") has been decremented once for each clock since then at
 * which it was allowed to. What is written takes effect at the next clock, as on the chip.
 *
 * Only the rise of counter 0's output is waited for. A fall is told just before the rise that
 * follows it, and rises that nobody came for in time are told as one.
 */
#include "bits.h"
#include "libvmm/dev.h"
#include "mem.h"
#include "sized.h"
#include "sync.h"

#define SECOND UINT64_C(1000000000)

/* Rises of a periodic output are told no more often than this. */
#define SHORTEST_NS UINT64_C(100000)

/* "Control Word Format" */
#define CW_COUNTER  0xc0u
#define CW_RW       0x30u
#define CW_MODE     0x0eu
#define CW_BCD      0x01u
#define BACK_COUNT  0x20u /* read-back: 0 latches */
#define BACK_STATUS 0x10u

#define RW_LATCH 0
#define RW_LOW   1
#define RW_HIGH  2
#define RW_BOTH  3

#define STATUS_OUT  0x80u
#define STATUS_NULL 0x40u

#define PORT_B_GATE    0x01u
#define PORT_B_WRITTEN 0x0fu
#define PORT_B_REFRESH 0x10u
#define PORT_B_OUT     0x20u

/* Refresh of a PC/AT's memory, which counter 1 timed: programs wait by this bit. */
#define REFRESH_NS 15085

#define NEVER UINT64_MAX

struct vmm_pit {
	const struct vmm_host *host;
	struct vmm_pit_config config;
	struct vmm__mutex lock; /* for all below */
	uint64_t zero_ns;       /* clock 0 */
	uint64_t deadline_ns;   /* as last told */
	uint32_t level;         /* likewise, of counter 0's output */
	uint64_t seen;          /* clocks up to which its rises are told */
	uint8_t port_b;
	struct vmm_pit_counter counter[3];
};

/* --- time --- */

static uint64_t clocks_of(uint64_t ns)
{
	return ns / SECOND * VMM_PIT_HZ + ns % SECOND * VMM_PIT_HZ / SECOND;
}

/* The first nanosecond at which so many have gone by. */
static uint64_t ns_of(uint64_t clocks)
{
	return clocks / VMM_PIT_HZ * SECOND +
	       (clocks % VMM_PIT_HZ * SECOND + VMM_PIT_HZ - 1) / VMM_PIT_HZ;
}

static uint64_t now_ns(const struct vmm_pit *p)
{
	return p->host->time_ns(p->host->opaque) - p->zero_ns;
}

/* --- a counter --- */

static bool is_periodic(const struct vmm_pit_counter *c)
{
	return c->mode == 2 || c->mode == 3;
}

/* Those whose gate starts them. */
static bool is_triggered(const struct vmm_pit_counter *c)
{
	return c->mode == 1 || c->mode == 5;
}

/* What 0 stands for. */
static uint32_t modulus(const struct vmm_pit_counter *c)
{
	return c->bcd ? 10000 : 0x10000;
}

static uint32_t from_bcd(uint32_t v)
{
	return (v & 15) + (v >> 4 & 15) * 10 + (v >> 8 & 15) * 100 + (v >> 12 & 15) * 1000;
}

static uint32_t to_bcd(uint32_t v)
{
	return v % 10 | v / 10 % 10 << 4 | v / 100 % 10 << 8 | v / 1000 % 10 << 12;
}

static uint32_t initial(const struct vmm_pit_counter *c, uint32_t written)
{
	uint32_t count = c->bcd ? from_bcd(written) : written;

	/* "Mode Definitions": the least count of modes 2 and 3 is 2. */
	if (count == 0 || count > modulus(c))
		return modulus(c);
	return is_periodic(c) && count < 2 ? 2 : count;
}

/* Clocks of the high part of mode 3's period. */
static uint32_t high_part(uint32_t count)
{
	return (count + 1) / 2;
}

static uint64_t elapsed(const struct vmm_pit_counter *c, uint64_t clock)
{
	if (c->paused)
		return c->held;
	return clock > c->start ? clock - c->start : 0;
}

/* A new count of a periodic mode: "loaded at the end of the current cycle", of mode 3 "at the end
 * of the current half-cycle". Then the former half is followed by its opposite. */
static uint64_t switch_clock(const struct vmm_pit_counter *c, uint64_t clock)
{
	uint64_t e = elapsed(c, clock), phase = e % c->count;
	uint32_t high = high_part(c->count);

	if (c->mode == 3 && phase < high)
		return clock + high - phase;
	return clock + c->count - phase;
}

static void load(struct vmm_pit_counter *c, uint64_t at)
{
	c->count = c->next;
	c->start = at;
	c->held = 0;
	c->loaded = 1;
	c->waiting = 0;
}

/* A count that waits is loaded by then; NEVER: sometime, without the gate. */
static bool is_due(const struct vmm_pit_counter *c, uint64_t clock)
{
	return c->waiting && !is_triggered(c) && !c->paused && clock >= c->switch_at;
}

static void settle(struct vmm_pit_counter *c, uint64_t clock)
{
	uint64_t at = c->switch_at;
	bool to_low;

	if (!is_due(c, clock))
		return;
	to_low = c->loaded && c->mode == 3 && (at - c->start) % c->count == high_part(c->count);
	load(c, at);
	if (to_low)
		c->start -= high_part(c->count);
}

static uint32_t element(const struct vmm_pit_counter *c, uint64_t clock)
{
	uint64_t e = elapsed(c, clock);
	uint32_t phase;

	if (!c->loaded)
		return c->residue;
	if (!is_periodic(c))
		return (uint32_t)((c->count + modulus(c) - e % modulus(c)) % modulus(c));
	phase = (uint32_t)(e % c->count);
	if (c->mode == 2)
		return c->count - phase;
	if (phase >= high_part(c->count))
		phase -= high_part(c->count);
	return (c->count & ~1u) - 2 * phase;
}

static bool output(const struct vmm_pit_counter *c, uint64_t clock)
{
	uint64_t e = elapsed(c, clock);

	if (!c->loaded || clock < c->start)
		return c->mode != 0;
	switch (c->mode) {
	case 0:
	case 1:
		return e >= c->count;
	case 2:
		return c->paused || e % c->count != c->count - 1;
	case 3:
		return c->paused || e % c->count < high_part(c->count);
	default:
		return e != c->count;
	}
}

/* The clock of the first rise after @clock. */
static uint64_t next_rise(const struct vmm_pit_counter *c, uint64_t clock)
{
	uint64_t e = elapsed(c, clock), end;

	if (!c->loaded || c->paused)
		return NEVER;
	if (is_periodic(c))
		return clock < c->start ? c->start + c->count : clock + c->count - e % c->count;
	end = c->start + c->count + (c->mode >= 4 ? 1 : 0);
	return clock < end ? end : NEVER;
}

/* --- counter 0 and its line --- */

static void tell(struct vmm_pit *p, uint32_t level)
{
	if (p->level == level)
		return;
	p->level = level;
	p->config.irq(p->config.opaque, level);
}

static void set_timer(struct vmm_pit *p, uint64_t ns)
{
	const struct vmm_pit_counter *c = &p->counter[0];
	uint64_t rise = next_rise(c, p->seen), deadline = NEVER;

	if (is_due(c, NEVER) && c->switch_at < rise)
		rise = c->switch_at;
	if (rise != NEVER)
		deadline = ns_of(rise);
	if (is_periodic(c) && deadline < ns + SHORTEST_NS)
		deadline = ns + SHORTEST_NS;
	if (deadline != NEVER)
		deadline += p->zero_ns;
	if (deadline == p->deadline_ns)
		return;
	p->deadline_ns = deadline;
	p->config.timer(p->config.opaque, deadline);
}

/* Bring everything up to now. */
static void update(struct vmm_pit *p, uint64_t ns)
{
	struct vmm_pit_counter *c = &p->counter[0];
	uint64_t clock = clocks_of(ns), seen = p->seen;
	bool rose = false;

	if (clock < seen) /* processors' clocks may differ by a little */
		clock = seen;
	if (is_due(c, clock)) {
		rose = next_rise(c, seen) <= c->switch_at;
		seen = c->switch_at > seen ? c->switch_at : seen;
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(p->counter); i++)
		settle(&p->counter[i], clock);
	if (rose || next_rise(c, seen) <= clock) {
		tell(p, 0);
		tell(p, 1);
	}
	p->seen = clock;
	/* Falls of periodic outputs are told late; all others as they are. */
	if (!is_periodic(c) || output(c, clock))
		tell(p, output(c, clock));
	set_timer(p, ns);
}

/* --- ports --- */

static void write_control(struct vmm_pit_counter *c, uint8_t word, uint64_t clock)
{
	c->residue = element(c, clock);
	c->rw = (uint8_t)FIELD_GET(CW_RW, word);
	c->mode = (uint8_t)FIELD_GET(CW_MODE, word);
	if (c->mode > 5)
		c->mode -= 4;
	c->bcd = word & CW_BCD;
	c->loaded = 0;
	c->waiting = 0;
	c->programmed = 0;
	c->high_next = 0;
	c->read_high = 0;
	c->count_latched = 0;
	c->status_latched = 0;
	c->paused = !c->gate && !is_triggered(c);
	c->held = 0;
}

/* The whole count is there. */
static void new_count(struct vmm_pit_counter *c, uint32_t written, uint64_t clock)
{
	/* One that is loaded at the next clock has not begun. */
	bool runs = c->loaded && is_periodic(c) && !c->paused && clock >= c->start;

	c->next = initial(c, written);
	c->programmed = 1;
	c->waiting = 1;
	c->switch_at = runs ? switch_clock(c, clock) : clock + 1;
	if (is_triggered(c) || runs)
		return;
	/* Modes 0 and 4 load it at the next clock whatever the gate; 2 and 3 when the gate allows.
	 */
	if (c->mode == 0 || c->mode == 4) {
		load(c, clock + 1);
		c->paused = !c->gate;
	} else if (c->gate) {
		load(c, clock + 1);
	}
}

static void write_count(struct vmm_pit_counter *c, uint8_t value, uint64_t clock)
{
	if (c->rw == RW_LATCH) /* never programmed */
		return;
	if (c->rw == RW_LOW) {
		new_count(c, value, clock);
	} else if (c->rw == RW_HIGH) {
		new_count(c, (uint32_t)value << 8, clock);
	} else if (!c->high_next) {
		c->low = value;
		c->high_next = 1;
		/* "Mode 0": the first byte disables counting, OUT is set low. */
		if (c->mode == 0) {
			c->residue = element(c, clock);
			c->loaded = 0;
			c->waiting = 0;
		}
	} else {
		c->high_next = 0;
		new_count(c, (uint32_t)value << 8 | c->low, clock);
	}
}

static uint32_t visible(const struct vmm_pit_counter *c, uint64_t clock)
{
	uint32_t count = element(c, clock);

	return c->bcd ? to_bcd(count) : count & 0xffff;
}

/* "Counter Latch Command": one that was not read stays. */
static void latch_count(struct vmm_pit_counter *c, uint64_t clock)
{
	if (c->count_latched)
		return;
	c->latch = (uint16_t)visible(c, clock);
	c->count_latched = 1;
}

static void latch_status(struct vmm_pit_counter *c, uint64_t clock)
{
	bool null = !c->programmed || c->waiting || clock < c->start;

	if (c->status_latched)
		return;
	c->status = (uint8_t)((output(c, clock) ? STATUS_OUT : 0) | (null ? STATUS_NULL : 0) |
			      FIELD_PUT(CW_RW, c->rw) | FIELD_PUT(CW_MODE, c->mode) | c->bcd);
	c->status_latched = 1;
}

static void read_back(struct vmm_pit *p, uint8_t word, uint64_t clock)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(p->counter); i++) {
		if (!(word >> (i + 1) & 1))
			continue;
		if (!(word & BACK_COUNT))
			latch_count(&p->counter[i], clock);
		if (!(word & BACK_STATUS))
			latch_status(&p->counter[i], clock);
	}
}

static void write_port(struct vmm_pit *p, uint64_t port, uint8_t value, uint64_t clock)
{
	uint32_t index = (uint32_t)FIELD_GET(CW_COUNTER, value);

	if (port < 3)
		write_count(&p->counter[port], value, clock);
	else if (index == 3)
		read_back(p, value, clock);
	else if ((value & CW_RW) == 0)
		latch_count(&p->counter[index], clock);
	else
		write_control(&p->counter[index], value, clock);
}

static uint8_t read_port(struct vmm_pit *p, uint64_t port, uint64_t clock)
{
	struct vmm_pit_counter *c = &p->counter[port % 3];
	uint32_t count;
	bool high;

	if (port > 2) /* the control word cannot be read */
		return 0xff;
	if (c->status_latched) {
		c->status_latched = 0;
		return c->status;
	}
	count = c->count_latched ? c->latch : visible(c, clock);
	high = c->rw == RW_HIGH || (c->rw == RW_BOTH && c->read_high);
	if (c->rw == RW_BOTH)
		c->read_high = !c->read_high;
	if (c->rw != RW_BOTH || high)
		c->count_latched = 0;
	return (uint8_t)(high ? count >> 8 : count);
}

static int pit_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		    uint64_t *value)
{
	struct vmm_pit *p = opaque;
	uint64_t ns;

	(void)vcpu;
	*value = 0;
	vmm__lock(p->host, &p->lock);
	ns = now_ns(p);
	update(p, ns);
	for (uint32_t i = 0; i < width; i++)
		*value |= (uint64_t)read_port(p, offset + i, clocks_of(ns)) << 8 * i;
	vmm__unlock(p->host, &p->lock);
	return 0;
}

static int pit_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		     uint64_t value)
{
	struct vmm_pit *p = opaque;
	uint64_t ns;

	(void)vcpu;
	vmm__lock(p->host, &p->lock);
	ns = now_ns(p);
	for (uint32_t i = 0; i < width; i++) {
		update(p, ns);
		write_port(p, offset + i, (uint8_t)(value >> 8 * i), clocks_of(ns));
	}
	update(p, ns);
	vmm__unlock(p->host, &p->lock);
	return 0;
}

/* "Gate": stops modes 0 and 4; stops 2 and 3, and starts them over; starts 1 and 5. */
static void set_gate(struct vmm_pit_counter *c, bool gate, uint64_t clock)
{
	bool rises = gate && !c->gate;

	if (c->gate == gate)
		return;
	if (!gate && !is_triggered(c)) {
		c->held = elapsed(c, clock);
		c->paused = 1;
	}
	c->gate = gate;
	if (!rises)
		return;
	c->paused = 0;
	if (c->mode == 0 || c->mode == 4) {
		c->start = clock - c->held;
	} else if (c->programmed) {
		c->next = c->waiting ? c->next : c->count;
		/* A one-shot that is triggered again stays low. */
		load(c, !output(c, clock) && c->mode == 1 ? clock : clock + 1);
	}
}

static int port_b_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		       uint64_t *value)
{
	struct vmm_pit *p = opaque;
	uint64_t ns;

	(void)vcpu;
	(void)offset;
	(void)width;
	vmm__lock(p->host, &p->lock);
	ns = now_ns(p);
	update(p, ns);
	*value = p->port_b | (ns / REFRESH_NS % 2 != 0 ? PORT_B_REFRESH : 0) |
		 (output(&p->counter[2], clocks_of(ns)) ? PORT_B_OUT : 0);
	vmm__unlock(p->host, &p->lock);
	return 0;
}

static int port_b_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
			uint64_t value)
{
	struct vmm_pit *p = opaque;
	uint64_t ns;

	(void)vcpu;
	(void)offset;
	(void)width;
	vmm__lock(p->host, &p->lock);
	ns = now_ns(p);
	update(p, ns);
	p->port_b = value & PORT_B_WRITTEN;
	set_gate(&p->counter[2], value & PORT_B_GATE, clocks_of(ns));
	vmm__unlock(p->host, &p->lock);
	return 0;
}

const struct vmm_region_ops *vmm_pit_ops(void)
{
	static const struct vmm_region_ops ops = {
		.size = sizeof(ops), .read = pit_read, .write = pit_write};

	return &ops;
}

const struct vmm_region_ops *vmm_pit_port_b_ops(void)
{
	static const struct vmm_region_ops ops = {
		.size = sizeof(ops), .read = port_b_read, .write = port_b_write};

	return &ops;
}

void vmm_pit_tick(struct vmm_pit *pit)
{
	vmm__lock(pit->host, &pit->lock);
	update(pit, now_ns(pit));
	vmm__unlock(pit->host, &pit->lock);
}

/* --- life --- */

/* The data sheet leaves open what they are before they are programmed: they stand still. */
static void power_on(struct vmm_pit *p)
{
	memset(p->counter, 0, sizeof(p->counter));
	for (uint32_t i = 0; i < ARRAY_SIZE(p->counter); i++) {
		p->counter[i].mode = 3;
		p->counter[i].gate = i < 2;
		p->counter[i].count = 0x10000;
	}
	p->port_b = 0;
	p->level = 1; /* nobody is told: it has risen before */
}

void vmm_pit_reset(struct vmm_pit *pit)
{
	vmm__lock(pit->host, &pit->lock);
	power_on(pit);
	update(pit, now_ns(pit));
	vmm__unlock(pit->host, &pit->lock);
}

int vmm_pit_create(const struct vmm_host *host, const struct vmm_pit_config *config,
		   struct vmm_pit **pit)
{
	struct vmm_pit_config c;
	struct vmm_pit *p;

	*pit = NULL;
	if (vmm__take_struct(&c, sizeof(c), config) != 0 || c.flags != 0 || c.irq == NULL ||
	    c.timer == NULL)
		return -VMM_EINVAL;
	p = host->alloc(host->opaque, sizeof(*p), _Alignof(struct vmm_pit));
	if (p == NULL)
		return -VMM_ENOMEM;
	p->host = host;
	p->config = c;
	/* Longer ago than the longest count. */
	p->zero_ns = host->time_ns(host->opaque) - SECOND;
	p->deadline_ns = VMM_FOREVER;
	power_on(p);
	*pit = p;
	return 0;
}

void vmm_pit_destroy(struct vmm_pit *pit)
{
	if (pit != NULL)
		pit->host->free(pit->host->opaque, pit, sizeof(*pit));
}

/* --- saved state: clocks are told from the moment of saving on --- */

/* What cannot be told from @e clocks that have been counted: without whole rounds. */
static uint64_t shortened(const struct vmm_pit_counter *c, uint64_t e)
{
	uint64_t once = c->count + modulus(c); /* a strobe comes once */

	if (is_periodic(c))
		return e % c->count;
	return e > once ? once + (e - c->count) % modulus(c) : e;
}

static void make_relative(struct vmm_pit_counter *c, uint64_t clock)
{
	bool turns = is_due(c, NEVER);

	c->held = shortened(c, c->held);
	if (clock > c->start)
		c->start = clock - shortened(c, clock - c->start);
	c->start -= clock;
	c->switch_at = turns ? c->switch_at - clock : 0;
}

int vmm_pit_get_state(struct vmm_pit *pit, struct vmm_pit_state *state)
{
	if (state == NULL || state->size != sizeof(*state))
		return -VMM_EINVAL;
	vmm__lock(pit->host, &pit->lock);
	update(pit, now_ns(pit));
	state->version = VMM_PIT_STATE_VERSION;
	state->port_b = pit->port_b;
	state->level = pit->level;
	memcpy(state->counter, pit->counter, sizeof(state->counter));
	for (uint32_t i = 0; i < ARRAY_SIZE(state->counter); i++)
		make_relative(&state->counter[i], pit->seen);
	vmm__unlock(pit->host, &pit->lock);
	return 0;
}

/* Clocks may be this far from the moment: 100 years. */
#define FAR (UINT64_C(100) * 366 * 86400 * VMM_PIT_HZ)

static bool is_near(uint64_t relative)
{
	return relative + FAR <= 2 * FAR;
}

static bool is_sane(const struct vmm_pit_counter *c)
{
	uint32_t least = is_periodic(c) ? 2 : 1;

	/* A count that is not loaded may be that of another mode before. */
	return c->mode <= 5 && c->rw <= RW_BOTH && c->count >= (c->loaded ? least : 1) &&
	       c->count <= 0x10000 && (!c->waiting || (c->next >= least && c->next <= 0x10000)) &&
	       c->residue <= 0x10000 && is_near(c->start) && is_near(c->switch_at) &&
	       c->held <= FAR &&
	       (c->bcd | c->gate | c->loaded | c->waiting | c->programmed | c->paused |
		c->high_next | c->read_high | c->count_latched | c->status_latched) <= 1;
}

/* Clock 0 is put so that all of them are positive. */
int vmm_pit_set_state(struct vmm_pit *pit, const struct vmm_pit_state *state)
{
	uint64_t ns;

	if (state == NULL || state->size != sizeof(*state) ||
	    state->version != VMM_PIT_STATE_VERSION)
		return -VMM_EINVAL;
	for (uint32_t i = 0; i < ARRAY_SIZE(state->counter); i++) {
		if (!is_sane(&state->counter[i]))
			return -VMM_ERANGE;
	}
	vmm__lock(pit->host, &pit->lock);
	ns = pit->host->time_ns(pit->host->opaque);
	pit->zero_ns = ns - ns_of(2 * FAR);
	pit->seen = clocks_of(ns_of(2 * FAR));
	memcpy(pit->counter, state->counter, sizeof(pit->counter));
	for (uint32_t i = 0; i < ARRAY_SIZE(pit->counter); i++) {
		pit->counter[i].start += pit->seen;
		pit->counter[i].switch_at += pit->seen;
	}
	pit->port_b = state->port_b & PORT_B_WRITTEN;
	update(pit, ns_of(2 * FAR));
	vmm__unlock(pit->host, &pit->lock);
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The 8254 against its data sheet: each mode, clock by clock, and the line of counter 0. */
#include "clock_host.h"

struct bench {
	struct clock_host clock;
	struct vmm_pit *pit;
	uint64_t zero; /* ns */
};

static void setup(struct bench *b)
{
	const struct vmm_pit_config config = {.size = sizeof(config),
					      .opaque = &b->clock,
					      .irq = clock_irq,
					      .timer = clock_timer};

	clock_host_init(&b->clock);
	assert_int_equal(vmm_pit_create(&b->clock.host.host, &config, &b->pit), 0);
	b->clock.level = 1; /* it has risen before anybody looked */
	b->zero = b->clock.ns;
}

static void finish(struct bench *b)
{
	vmm_pit_destroy(b->pit);
	assert_int_equal(b->clock.host.allocs, 0);
}

/* To the middle of the clock so many after the start. */
static void at(struct bench *b, uint64_t clock)
{
	b->clock.ns = b->zero + (clock * 2 + 1) * 1000000000 / VMM_PIT_HZ / 2;
}

static void out(struct bench *b, uint64_t port, uint8_t value)
{
	dev_out(vmm_pit_ops(), b->pit, port, 1, value);
}

static uint32_t in(struct bench *b, uint64_t port)
{
	return (uint32_t)dev_in(vmm_pit_ops(), b->pit, port, 1);
}

static void gate(struct bench *b, uint32_t on)
{
	dev_out(vmm_pit_port_b_ops(), b->pit, 0, 1, on);
}

/* Control word and count, low byte first. */
static void program(struct bench *b, uint32_t counter, uint32_t mode, uint32_t count, uint32_t bcd)
{
	out(b, 3, (uint8_t)(counter << 6 | 0x30 | mode << 1 | bcd));
	out(b, counter, (uint8_t)count);
	out(b, counter, (uint8_t)(count >> 8));
}

static uint32_t count(struct bench *b, uint32_t counter)
{
	uint32_t low;

	out(b, 3, (uint8_t)(counter << 6));
	low = in(b, counter);
	return low | in(b, counter) << 8;
}

static uint32_t status(struct bench *b, uint32_t counter)
{
	out(b, 3, (uint8_t)(0xe0 | 2u << counter));
	return in(b, counter);
}

static uint32_t level(struct bench *b, uint32_t counter)
{
	return status(b, counter) >> 7;
}

/* Whether OUT is as the picture says, clock by clock from the one after the count was written. */
static void looks(struct bench *b, uint32_t counter, uint64_t from, const char *picture)
{
	for (uint64_t i = 0; picture[i] != '\0'; i++) {
		at(b, from + i);
		if (level(b, counter) != (picture[i] == '-'))
			fail_msg("clock %u of '%s'", (unsigned)i, picture);
	}
}

static void mode_0(void **state)
{
	struct bench b;

	(void)state;
	setup(&b);
	at(&b, 0);
	gate(&b, 1);
	program(&b, 2, 0, 4, 0);
	assert_int_equal(status(&b, 2), 0x70); /* low, not yet loaded, both bytes, mode 0 */
	at(&b, 1);
	assert_int_equal(status(&b, 2), 0x30);
	assert_int_equal(count(&b, 2), 4);
	looks(&b, 2, 1, "____-----");
	at(&b, 5);
	assert_int_equal(count(&b, 2), 0);
	at(&b, 6);
	assert_int_equal(count(&b, 2), 0xffff); /* counts on */
	/* The gate stops it and does not move OUT. */
	program(&b, 2, 0, 4, 0);
	at(&b, 8);
	gate(&b, 0);
	looks(&b, 2, 8, "_______");
	assert_int_equal(count(&b, 2), 3);
	at(&b, 20);
	gate(&b, 1);
	looks(&b, 2, 20, "___---");
	/* The first byte of a new count stops it, OUT goes low; loaded with the second one. */
	at(&b, 30);
	out(&b, 2, 3);
	looks(&b, 2, 30, "__________");
	out(&b, 2, 0);
	looks(&b, 2, 40, "___-");
	/* Counts written while the gate is off are loaded. */
	finish(&b);
	setup(&b);
	at(&b, 0);
	program(&b, 2, 0, 7, 0);
	at(&b, 5);
	assert_int_equal(count(&b, 2), 7);
	gate(&b, 1);
	at(&b, 8);
	assert_int_equal(count(&b, 2), 4);
	finish(&b);
}

static void mode_1(void **state)
{
	struct bench b;

	(void)state;
	setup(&b);
	at(&b, 0);
	program(&b, 2, 1, 3, 0);
	looks(&b, 2, 0, "------");
	at(&b, 10);
	gate(&b, 1);
	looks(&b, 2, 10, "-___---");
	/* The gate's fall does nothing; it can be triggered again within the pulse. */
	at(&b, 20);
	gate(&b, 0);
	gate(&b, 1);
	at(&b, 22);
	gate(&b, 0);
	gate(&b, 1);
	looks(&b, 2, 22, "___---");
	/* A new count is for the next trigger. */
	at(&b, 30);
	gate(&b, 0);
	gate(&b, 1);
	out(&b, 2, 5);
	out(&b, 2, 0);
	looks(&b, 2, 30, "-___---");
	at(&b, 40);
	gate(&b, 0);
	gate(&b, 1);
	looks(&b, 2, 40, "-_____--");
	finish(&b);
}

static void mode_2(void **state)
{
	struct bench b;

	(void)state;
	setup(&b);
	at(&b, 0);
	gate(&b, 1);
	program(&b, 2, 2, 3, 0);
	looks(&b, 2, 0, "---_--_--_");
	at(&b, 1);
	assert_int_equal(count(&b, 2), 3);
	at(&b, 3);
	assert_int_equal(count(&b, 2), 1);
	/* A new count follows the current cycle. */
	at(&b, 11);
	out(&b, 2, 5);
	out(&b, 2, 0);
	assert_int_equal(status(&b, 2) & 0x40, 0x40);
	looks(&b, 2, 11, "-_----_----_");
	assert_int_equal(status(&b, 2) & 0x40, 0);
	/* The gate sets OUT at once; its rise starts over. */
	at(&b, 32);
	assert_int_equal(level(&b, 2), 0);
	gate(&b, 0);
	looks(&b, 2, 32, "-------");
	at(&b, 40);
	gate(&b, 1);
	looks(&b, 2, 40, "-----_----_");
	/* 6 is the same mode; programmed without a gate it waits. */
	gate(&b, 0);
	at(&b, 60);
	program(&b, 2, 6, 2, 0);
	looks(&b, 2, 60, "-----");
	at(&b, 70);
	gate(&b, 1);
	looks(&b, 2, 70, "--_-_");
	finish(&b);
}

static void mode_3(void **state)
{
	struct bench b;

	(void)state;
	setup(&b);
	at(&b, 0);
	gate(&b, 1);
	program(&b, 2, 3, 4, 0);
	looks(&b, 2, 0, "---__--__--");
	at(&b, 1);
	assert_int_equal(count(&b, 2), 4);
	at(&b, 2);
	assert_int_equal(count(&b, 2), 2);
	at(&b, 3);
	assert_int_equal(count(&b, 2), 4);
	/* Odd: high for one clock more; an even number is counted. */
	at(&b, 20);
	program(&b, 2, 7, 5, 0);
	looks(&b, 2, 20, "----__---__");
	at(&b, 21);
	assert_int_equal(count(&b, 2), 4);
	at(&b, 23);
	assert_int_equal(count(&b, 2), 0);
	at(&b, 24);
	assert_int_equal(count(&b, 2), 4);
	/* A new count follows the half-cycle: the high one, then the low one. */
	at(&b, 40);
	program(&b, 2, 3, 6, 0);
	at(&b, 42);
	out(&b, 2, 4);
	out(&b, 2, 0);
	looks(&b, 2, 41, "---__--__");
	at(&b, 60);
	program(&b, 2, 3, 6, 0);
	at(&b, 65);
	out(&b, 2, 4);
	out(&b, 2, 0);
	looks(&b, 2, 61, "---___--__");
	at(&b, 80);
	gate(&b, 0);
	looks(&b, 2, 80, "-----");
	at(&b, 90);
	gate(&b, 1);
	looks(&b, 2, 90, "---__--");
	finish(&b);
}

static void modes_4_and_5(void **state)
{
	struct bench b;

	(void)state;
	setup(&b);
	at(&b, 0);
	gate(&b, 1);
	program(&b, 2, 4, 3, 0);
	looks(&b, 2, 0, "----_-----");
	/* The gate stops it; a new count starts over. */
	at(&b, 20);
	program(&b, 2, 4, 3, 0);
	at(&b, 22);
	gate(&b, 0);
	looks(&b, 2, 22, "------");
	gate(&b, 1);
	at(&b, 29);
	out(&b, 2, 2);
	out(&b, 2, 0);
	looks(&b, 2, 29, "---_---");
	/* Mode 5 by the gate. */
	gate(&b, 0);
	at(&b, 40);
	program(&b, 2, 5, 3, 0);
	looks(&b, 2, 40, "--------");
	at(&b, 50);
	gate(&b, 1);
	looks(&b, 2, 50, "----_----");
	at(&b, 60);
	gate(&b, 0);
	gate(&b, 1);
	at(&b, 62);
	gate(&b, 0);
	gate(&b, 1);
	looks(&b, 2, 62, "----_--");
	finish(&b);
}

static void reading(void **state)
{
	struct bench b;

	(void)state;
	setup(&b);
	at(&b, 0);
	gate(&b, 1);
	/* BCD: 0 is 10,000. */
	program(&b, 2, 2, 0x0000, 1);
	at(&b, 1);
	assert_int_equal(count(&b, 2), 0x0000);
	at(&b, 2);
	assert_int_equal(count(&b, 2), 0x9999);
	at(&b, 9);
	assert_int_equal(count(&b, 2), 0x9992);
	/* Binary: 0 is 65,536. */
	at(&b, 10);
	program(&b, 2, 2, 0, 0);
	at(&b, 12);
	assert_int_equal(count(&b, 2), 0xffff);
	/* A latched count stays until it is read, whatever is latched after it. */
	at(&b, 20);
	out(&b, 3, 0x80);
	at(&b, 30);
	out(&b, 3, 0x80);
	assert_int_equal(in(&b, 2) | in(&b, 2) << 8, 0x10000 - 9);
	assert_int_equal(in(&b, 2) | in(&b, 2) << 8, 0x10000 - 19); /* as it counts */
	/* Read-back of several; status before count. */
	at(&b, 40);
	program(&b, 1, 2, 100, 0);
	at(&b, 50);
	out(&b, 3, 0xcc);
	at(&b, 60);
	assert_int_equal(in(&b, 1), 0xb4);
	assert_int_equal(in(&b, 2), 0xb4);
	assert_int_equal(in(&b, 1) | in(&b, 1) << 8, 100 - 9);
	assert_int_equal(in(&b, 2) | in(&b, 2) << 8, 0x10000 - 39);
	/* One byte at a time. */
	out(&b, 3, 0x54); /* counter 1, low byte, mode 2 */
	out(&b, 1, 0x40);
	at(&b, 61);
	assert_int_equal(in(&b, 1), 0x40);
	assert_int_equal(in(&b, 1), 0x40);
	out(&b, 3, 0x64); /* high byte */
	out(&b, 1, 0x40);
	at(&b, 62);
	assert_int_equal(in(&b, 1), 0x40);
	at(&b, 63);
	assert_int_equal(in(&b, 1), 0x3f);
	assert_int_equal(in(&b, 3), 0xff);
	finish(&b);
}

static void line(void **state)
{
	struct bench b;

	(void)state;
	setup(&b);
	at(&b, 0);
	program(&b, 0, 2, 11932, 0); /* 100 Hz */
	assert_int_equal(b.clock.rises, 0);
	/* Rises when the first period is over, and at no other time. */
	for (uint32_t i = 1; i <= 10; i++) {
		b.clock.ns = b.clock.deadline - 1;
		vmm_pit_tick(b.pit);
		assert_int_equal(b.clock.rises, i - 1);
		b.clock.ns = b.clock.deadline;
		vmm_pit_tick(b.pit);
		assert_int_equal(b.clock.rises, i);
		assert_int_equal(b.clock.level, 1);
	}
	/* Ten periods that nobody came for are one. */
	b.clock.ns += 100000000;
	vmm_pit_tick(b.pit);
	assert_int_equal(b.clock.rises, 11);
	assert_true(b.clock.deadline > b.clock.ns && b.clock.deadline <= b.clock.ns + 10000000);
	/* A read brings it up to now as well. */
	b.clock.ns = b.clock.deadline;
	in(&b, 0);
	assert_int_equal(b.clock.rises, 12);
	/* Short periods are told every 100 us. */
	program(&b, 0, 2, 2, 0);
	b.clock.rises = 0;
	for (int i = 0; i < 10; i++) {
		assert_true(b.clock.deadline >= b.clock.ns + 100000);
		b.clock.ns = b.clock.deadline;
		vmm_pit_tick(b.pit);
	}
	assert_int_equal(b.clock.rises, 10);
	/* One shot: low until it is over, then nothing more; short ones too. */
	b.zero = b.clock.ns;
	at(&b, 0);
	program(&b, 0, 0, 10, 0);
	assert_int_equal(b.clock.level, 0);
	assert_true(b.clock.deadline < b.clock.ns + 20000);
	b.clock.ns = b.clock.deadline;
	b.clock.rises = 0;
	vmm_pit_tick(b.pit);
	assert_int_equal(b.clock.rises, 1);
	assert_int_equal(b.clock.deadline, VMM_FOREVER);
	/* Square wave: its periods. */
	program(&b, 0, 3, 0, 0);
	b.clock.rises = 0;
	b.clock.ns += 1000000000;
	vmm_pit_tick(b.pit);
	assert_int_equal(b.clock.rises, 1);
	vmm_pit_reset(b.pit);
	assert_int_equal(b.clock.deadline, VMM_FOREVER);
	finish(&b);
}

/* Two counts within a clock: the second one takes the place of the first, which is not loaded yet.
 */
static void counts_in_one_clock(void **state)
{
	struct bench b;

	(void)state;
	setup(&b);
	at(&b, 0);
	gate(&b, 1);
	program(&b, 2, 2, 5, 0);
	out(&b, 2, 3);
	out(&b, 2, 0);
	looks(&b, 2, 1, "--_--_--_");
	at(&b, 20);
	program(&b, 2, 3, 5, 0);
	out(&b, 2, 4);
	out(&b, 2, 0);
	looks(&b, 2, 21, "--__--__");
	finish(&b);
}

static void port_b(void **state)
{
	struct bench b;
	uint32_t changes = 0, last = 0;

	(void)state;
	setup(&b);
	at(&b, 0);
	gate(&b, 3);
	program(&b, 2, 3, 100, 0);
	at(&b, 20);
	assert_int_equal(dev_in(vmm_pit_port_b_ops(), b.pit, 0, 1) & 0x2f, 0x23);
	at(&b, 70);
	assert_int_equal(dev_in(vmm_pit_port_b_ops(), b.pit, 0, 1) & 0x2f, 0x03);
	for (int i = 0; i < 1000; i++) {
		uint32_t now;

		b.clock.ns += 1000;
		now = dev_in(vmm_pit_port_b_ops(), b.pit, 0, 1) & 0x10;
		changes += now != last;
		last = now;
	}
	assert_in_range(changes, 65, 68); /* every 15 us */
	finish(&b);
}

static void saved(void **state)
{
	struct vmm_pit_state kept = {.size = sizeof(kept)};
	struct bench a, b;

	(void)state;
	setup(&a);
	at(&a, 0);
	gate(&a, 1);
	program(&a, 0, 2, 1000, 0);
	program(&a, 2, 3, 10, 0);
	at(&a, 37);
	out(&a, 2, 20); /* half a count */
	assert_int_equal(vmm_pit_get_state(a.pit, &kept), 0);
	setup(&b);
	b.clock.ns = 77;
	assert_int_equal(vmm_pit_set_state(b.pit, &kept), 0);
	b.zero = b.clock.ns - UINT64_C(37) * 1000000000 / VMM_PIT_HZ; /* saved in clock 37 */
	for (uint64_t clock = 40; clock < 100; clock++) {
		at(&a, clock);
		at(&b, clock);
		if (clock == 50) {
			out(&a, 2, 0);
			out(&b, 2, 0);
		}
		assert_int_equal(status(&a, 2), status(&b, 2));
		assert_in_range(count(&a, 0) - count(&b, 0) + 1, 0, 2);
	}
	assert_true(b.clock.deadline > b.clock.ns && b.clock.deadline < b.clock.ns + 1000000);
	/* Refused: a state of another size or version, and what cannot be. */
	kept.version++;
	assert_int_equal(vmm_pit_set_state(b.pit, &kept), -VMM_EINVAL);
	kept.version--;
	kept.size--;
	assert_int_equal(vmm_pit_set_state(b.pit, &kept), -VMM_EINVAL);
	assert_int_equal(vmm_pit_get_state(b.pit, &kept), -VMM_EINVAL);
	kept.size++;
	kept.counter[1].mode = 6;
	assert_int_equal(vmm_pit_set_state(b.pit, &kept), -VMM_ERANGE);
	kept.counter[1].mode = 2;
	kept.counter[1].count = 0;
	assert_int_equal(vmm_pit_set_state(b.pit, &kept), -VMM_ERANGE);
	kept.counter[1].count = 2;
	kept.counter[0].start = UINT64_C(1) << 62;
	assert_int_equal(vmm_pit_set_state(b.pit, &kept), -VMM_ERANGE);
	finish(&a);
	finish(&b);
}

/* Processors' clocks may differ by a little: a rise is told once all the same. */
static void time_goes_back(void **state)
{
	struct bench b;

	(void)state;
	for (uint32_t mode = 0; mode < 5; mode += 2) {
		setup(&b);
		at(&b, 0);
		program(&b, 0, mode, 1000, 0);
		b.clock.rises = 0;
		for (int i = 0; i < 3; i++) {
			b.clock.ns = b.zero + 1001 * UINT64_C(1000000000) / VMM_PIT_HZ + 1000;
			vmm_pit_tick(b.pit);
			b.clock.ns -= 3000;
			vmm_pit_tick(b.pit);
		}
		assert_int_equal(b.clock.rises, 1);
		finish(&b);
	}
}

static uint64_t clock_that_steps(void *opaque)
{
	return ((struct clock_host *)opaque)->ns += 2000;
}

/* A rise that has been told is not told again by who goes on from there. */
static void saved_as_it_rises(void **state)
{
	struct vmm_pit_state kept = {.size = sizeof(kept)};
	struct bench a, b;

	(void)state;
	for (uint64_t before = 0; before < 6000; before += 500) {
		setup(&a);
		setup(&b);
		at(&a, 0);
		program(&a, 0, 2, 1000, 0);
		a.clock.host.host.time_ns = clock_that_steps;
		at(&a, 1001);
		a.clock.ns -= before;
		assert_int_equal(vmm_pit_get_state(a.pit, &kept), 0);
		assert_int_equal(vmm_pit_set_state(b.pit, &kept), 0);
		assert_true(a.clock.rises == 0 || b.clock.deadline > b.clock.ns + 800000);
		finish(&a);
		finish(&b);
	}
}

/* The count of a mode that is over may be less than the next mode can have. */
static void saved_between_modes(void **state)
{
	struct vmm_pit_state kept = {.size = sizeof(kept)};
	struct bench b;

	(void)state;
	setup(&b);
	at(&b, 0);
	program(&b, 0, 0, 1, 0);
	out(&b, 3, 0x34);
	assert_int_equal(vmm_pit_get_state(b.pit, &kept), 0);
	assert_int_equal(vmm_pit_set_state(b.pit, &kept), 0);
	kept.counter[0].loaded = 1;
	assert_int_equal(vmm_pit_set_state(b.pit, &kept), -VMM_ERANGE);
	finish(&b);
}

static void life(void **state)
{
	struct vmm_pit_config config = {.size = sizeof(config), .irq = clock_irq};
	struct clock_host h;
	struct vmm_pit *pit;

	(void)state;
	clock_host_init(&h);
	assert_int_equal(vmm_pit_create(&h.host.host, &config, &pit), -VMM_EINVAL);
	config.timer = clock_timer;
	config.opaque = &h;
	h.host.fail = 1;
	h.host.host.opaque = &h; /* dev_host is its first member */
	assert_int_equal(vmm_pit_create(&h.host.host, &config, &pit), -VMM_ENOMEM);
	h.host.fail = 0;
	assert_int_equal(vmm_pit_create(&h.host.host, &config, &pit), 0);
	dev_hammer(vmm_pit_ops(), pit, VMM_PIT_PORTS, 20000);
	vmm_pit_destroy(pit);
	vmm_pit_destroy(NULL);
	assert_int_equal(h.host.allocs, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mode_0),
		cmocka_unit_test(mode_1),
		cmocka_unit_test(mode_2),
		cmocka_unit_test(mode_3),
		cmocka_unit_test(modes_4_and_5),
		cmocka_unit_test(reading),
		cmocka_unit_test(line),
		cmocka_unit_test(port_b),
		cmocka_unit_test(saved),
		cmocka_unit_test(life),
		cmocka_unit_test(counts_in_one_clock),
		cmocka_unit_test(saved_between_modes),
		cmocka_unit_test(saved_as_it_rises),
		cmocka_unit_test(time_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

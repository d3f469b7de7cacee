// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The MC146818 against its data sheet: calendar, formats, updates, and its three interrupts. */
#include "clock_host.h"

#define SECOND UINT64_C(1000000000)

/* 2026-11-21 12:34:56 UTC, a Saturday. */
#define SOME_TIME UINT64_C(1795264496)

struct bench {
	struct clock_host clock;
	struct vmm_rtc *rtc;
};

static void setup(struct bench *b, uint64_t wall_ns)
{
	const struct vmm_rtc_config config = {.size = sizeof(config),
					      .opaque = &b->clock,
					      .irq = clock_irq,
					      .timer = clock_timer};

	clock_host_init(&b->clock);
	b->clock.wall_ns = wall_ns;
	assert_int_equal(vmm_rtc_create(&b->clock.host.host, &config, &b->rtc), 0);
}

static void finish(struct bench *b)
{
	vmm_rtc_destroy(b->rtc);
	assert_int_equal(b->clock.host.allocs, 0);
}

static uint32_t get(struct bench *b, uint8_t index)
{
	dev_out(vmm_rtc_ops(), b->rtc, 0, 1, index);
	return (uint32_t)dev_in(vmm_rtc_ops(), b->rtc, 1, 1);
}

static void put(struct bench *b, uint8_t index, uint32_t value)
{
	dev_out(vmm_rtc_ops(), b->rtc, 0, 1, index);
	dev_out(vmm_rtc_ops(), b->rtc, 1, 1, value);
}

/* Century, year, month, day, day of the week; hour, minute, second. */
static void reads(struct bench *b, uint64_t date, uint64_t time)
{
	static const uint8_t regs[] = {50, 9, 8, 7, 6};
	static const uint8_t times[] = {4, 2, 0};
	uint64_t d = 0, t = 0;

	for (size_t i = 0; i < sizeof(regs); i++)
		d = d << 8 | get(b, regs[i]);
	for (size_t i = 0; i < sizeof(times); i++)
		t = t << 8 | get(b, times[i]);
	assert_int_equal(d, date);
	assert_int_equal(t, time);
}

/* To a moment of the clock that began at a whole second. */
static void pass(struct bench *b, uint64_t ns)
{
	b->clock.ns += ns;
	vmm_rtc_tick(b->rtc);
}

static void formats(void **state)
{
	struct bench b;

	(void)state;
	setup(&b, SOME_TIME * SECOND);
	assert_int_equal(get(&b, 13), 0x80);
	assert_int_equal(get(&b, 10), 0x26);
	assert_int_equal(get(&b, 11), 0x02);
	reads(&b, 0x2026112107, 0x123456);
	put(&b, 11, 0x06);
	reads(&b, 0x141a0b1507, 0x0c2238);
	put(&b, 11, 0x00); /* 12 hours */
	reads(&b, 0x2026112107, 0x923456);
	pass(&b, 12 * 3600 * SECOND);
	reads(&b, 0x2026112201, 0x123456); /* Sunday, after midnight */
	pass(&b, 3600 * SECOND);
	assert_int_equal(get(&b, 4), 0x01);
	put(&b, 11, 0x04);
	pass(&b, 14 * 3600 * SECOND);
	assert_int_equal(get(&b, 4), 0x83);
	finish(&b);
}

static void calendar(void **state)
{
	/* Seconds since 1970 one second before; date after. */
	static const struct {
		uint64_t before;
		uint64_t date;
	} steps[] = {
		{0 - UINT64_C(1), 0x1970010105},
		{951782399, 0x2000022903},
		{951868799, 0x2000030104},
		{4107542399, 0x2100030102},
		{1798761599, 0x2027010106},
		{1709164799, 0x2024022905},
		{UINT64_C(13574563199), 0x2400022903},
	};
	struct bench b;

	(void)state;
	for (size_t i = 1; i < sizeof(steps) / sizeof(steps[0]); i++) {
		setup(&b, steps[i].before * SECOND);
		pass(&b, SECOND);
		reads(&b, steps[i].date, 0);
		finish(&b);
	}
	setup(&b, 0);
	reads(&b, steps[0].date, 0);
	/* Set to the last second of all. */
	put(&b, 11, 0x82);
	put(&b, 50, 0x99);
	put(&b, 9, 0x99);
	put(&b, 8, 0x12);
	put(&b, 7, 0x31);
	put(&b, 4, 0x23);
	put(&b, 2, 0x59);
	put(&b, 0, 0x59);
	put(&b, 11, 0x02);
	reads(&b, 0x9999123106, 0x235959);
	pass(&b, SECOND);
	reads(&b, 0x0000010107, 0);
	finish(&b);
}

static void setting(void **state)
{
	struct bench b;

	(void)state;
	setup(&b, SOME_TIME * SECOND);
	/* SET inhibits updates; the bytes are the guest's meanwhile. */
	put(&b, 11, 0x82);
	pass(&b, 10 * SECOND);
	reads(&b, 0x2026112107, 0x123456);
	put(&b, 0, 0x61);
	assert_int_equal(get(&b, 0), 0x61);
	put(&b, 0, 0x10);
	put(&b, 7, 0x31); /* November has none: the 30th */
	put(&b, 11, 0x02);
	reads(&b, 0x2026113002, 0x123410);
	/* The second goes on where it was. */
	pass(&b, SECOND);
	assert_int_equal(get(&b, 0), 0x11);
	/* One register at a time while it runs. */
	put(&b, 4, 0x05);
	put(&b, 9, 0x30);
	reads(&b, 0x2030113007, 0x053411);
	/* The divider's reset: the next update comes after half a second. */
	put(&b, 10, 0x76);
	pass(&b, 5 * SECOND + 1);
	assert_int_equal(get(&b, 0), 0x11);
	put(&b, 10, 0x26);
	pass(&b, SECOND / 2 - 1);
	assert_int_equal(get(&b, 0), 0x11);
	pass(&b, 1);
	assert_int_equal(get(&b, 0), 0x12);
	/* Registers C and D cannot be written; memory can, and the index has 7 bits. */
	put(&b, 12, 0xff);
	put(&b, 13, 0);
	assert_int_equal(get(&b, 12) & 0x40, 0x40);
	assert_int_equal(get(&b, 13), 0x80);
	put(&b, 0xff, 0x5a);
	assert_int_equal(get(&b, 127), 0x5a);
	assert_int_equal(vmm_rtc_store(b.rtc, 64, 0x33), 0);
	assert_int_equal(get(&b, 64), 0x33);
	assert_int_equal(vmm_rtc_store(b.rtc, 13, 0), -VMM_ERANGE);
	assert_int_equal(vmm_rtc_store(b.rtc, 128, 0), -VMM_ERANGE);
	assert_int_equal(vmm_rtc_store(b.rtc, 64, 256), -VMM_ERANGE);
	finish(&b);
}

static void updates(void **state)
{
	struct bench b;

	(void)state;
	setup(&b, SOME_TIME * SECOND);
	/* UIP from 2,228 us before the seconds change. */
	pass(&b, SECOND - 2229000);
	assert_int_equal(get(&b, 10), 0x26);
	pass(&b, 1000);
	assert_int_equal(get(&b, 10), 0xa6);
	assert_int_equal(get(&b, 12) & 0x10, 0);
	pass(&b, 2227999);
	assert_int_equal(get(&b, 10), 0xa6);
	pass(&b, 1);
	assert_int_equal(get(&b, 10), 0x26);
	assert_int_equal(get(&b, 0), 0x57);
	assert_int_equal(get(&b, 12) & 0x90, 0x10); /* a flag without an interrupt */
	assert_int_equal(get(&b, 12), 0);
	assert_int_equal(b.clock.deadline, VMM_FOREVER);
	/* UIE: an interrupt each second, once each has been seen. */
	put(&b, 11, 0x12);
	assert_int_equal(b.clock.deadline, b.clock.ns + SECOND);
	b.clock.ns = b.clock.deadline;
	vmm_rtc_tick(b.rtc);
	assert_int_equal(b.clock.level, 1);
	assert_int_equal(b.clock.deadline, VMM_FOREVER);
	pass(&b, 7 * SECOND);
	assert_int_equal(b.clock.rises, 1);
	assert_int_equal(get(&b, 12) & 0xb0, 0x90);
	assert_int_equal(b.clock.level, 0);
	assert_int_equal(b.clock.deadline, b.clock.ns + SECOND);
	/* SET clears UIE. */
	put(&b, 11, 0x92);
	assert_int_equal(get(&b, 11), 0x82);
	assert_int_equal(b.clock.deadline, VMM_FOREVER);
	finish(&b);
}

static void periods(void **state)
{
	static const uint32_t hertz[16] = {0,   256, 128, 8192, 4096, 2048, 1024, 512,
					   256, 128, 64,  32,   16,   8,    4,    2};
	struct bench b;

	(void)state;
	for (uint32_t rate = 1; rate < 16; rate++) {
		uint64_t end;

		setup(&b, SOME_TIME * SECOND);
		put(&b, 10, 0x20 | rate);
		get(&b, 12);
		put(&b, 11, 0x42);
		end = b.clock.ns + 2 * SECOND;
		while (b.clock.deadline <= end) {
			b.clock.ns = b.clock.deadline;
			vmm_rtc_tick(b.rtc);
			assert_int_equal(b.clock.level, 1);
			assert_int_equal(get(&b, 12) & 0xc0, 0xc0);
		}
		assert_int_equal(b.clock.rises, 2 * hertz[rate]);
		finish(&b);
	}
	setup(&b, SOME_TIME * SECOND);
	put(&b, 10, 0x20);
	put(&b, 11, 0x42);
	assert_int_equal(b.clock.deadline, VMM_FOREVER);
	/* Many that nobody came for are one. */
	put(&b, 10, 0x23);
	pass(&b, 100 * SECOND);
	assert_int_equal(b.clock.rises, 1);
	get(&b, 12);
	pass(&b, 0);
	assert_int_equal(b.clock.rises, 1);
	/* Neither SET nor time being set stops it. */
	put(&b, 11, 0xc2);
	b.clock.ns = b.clock.deadline;
	vmm_rtc_tick(b.rtc);
	assert_int_equal(b.clock.rises, 2);
	/* RESET does. */
	vmm_rtc_reset(b.rtc);
	assert_int_equal(b.clock.level, 0);
	assert_int_equal(b.clock.deadline, VMM_FOREVER);
	assert_int_equal(get(&b, 11), 0x82);
	finish(&b);
}

static void alarms(void **state)
{
	struct bench b;

	(void)state;
	setup(&b, SOME_TIME * SECOND); /* 12:34:56 */
	get(&b, 12);
	put(&b, 1, 0x05);
	put(&b, 3, 0x35);
	put(&b, 5, 0x12);
	put(&b, 11, 0x22);
	assert_int_equal(b.clock.deadline, b.clock.ns + 9 * SECOND);
	b.clock.ns = b.clock.deadline;
	vmm_rtc_tick(b.rtc);
	assert_int_equal(get(&b, 12) & 0xa0, 0xa0);
	assert_int_equal(b.clock.deadline, b.clock.ns + 86400 * SECOND);
	/* Any hour, any minute, any second. */
	put(&b, 5, 0xff);
	assert_int_equal(b.clock.deadline, b.clock.ns + 3600 * SECOND);
	put(&b, 3, 0xc0);
	assert_int_equal(b.clock.deadline, b.clock.ns + 60 * SECOND);
	put(&b, 1, 0xff);
	assert_int_equal(b.clock.deadline, b.clock.ns + SECOND);
	/* Never, and of an hour in the other format. */
	put(&b, 1, 0x61);
	assert_int_equal(b.clock.deadline, VMM_FOREVER);
	put(&b, 1, 0x00);
	put(&b, 3, 0x00);
	put(&b, 5, 0x81);
	assert_int_equal(b.clock.deadline, VMM_FOREVER);
	put(&b, 11, 0x20);
	assert_int_equal(b.clock.deadline, b.clock.ns + (25 * 60 - 5) * SECOND);
	/* Long passed by without anybody: still seen. */
	get(&b, 12);
	pass(&b, 3 * 86400 * SECOND);
	assert_int_equal(get(&b, 12) & 0xa0, 0xa0);
	finish(&b);
}

static void saved(void **state)
{
	struct vmm_rtc_state kept = {.size = sizeof(kept)};
	struct bench a, b;

	(void)state;
	setup(&a, SOME_TIME * SECOND);
	put(&a, 80, 0x77);
	put(&a, 11, 0x12);
	pass(&a, SECOND / 4);
	assert_int_equal(vmm_rtc_get_state(a.rtc, &kept), 0);
	setup(&b, 0);
	pass(&b, 12345);
	assert_int_equal(vmm_rtc_set_state(b.rtc, &kept), 0);
	assert_int_equal(get(&b, 80), 0x77);
	reads(&b, 0x2026112107, 0x123456);
	assert_int_equal(b.clock.deadline, b.clock.ns + 3 * SECOND / 4);
	b.clock.ns = b.clock.deadline;
	vmm_rtc_tick(b.rtc);
	assert_int_equal(b.clock.level, 1);
	assert_int_equal(vmm_rtc_get_state(b.rtc, &kept), 0);
	assert_int_equal(vmm_rtc_set_state(a.rtc, &kept), 0);
	assert_int_equal(a.clock.level, 1);
	kept.fraction = 1000000000;
	assert_int_equal(vmm_rtc_set_state(a.rtc, &kept), -VMM_ERANGE);
	kept.fraction = 0;
	kept.seconds = UINT64_MAX;
	assert_int_equal(vmm_rtc_set_state(a.rtc, &kept), -VMM_ERANGE);
	kept.version = 9;
	assert_int_equal(vmm_rtc_set_state(a.rtc, &kept), -VMM_EINVAL);
	finish(&a);
	finish(&b);
}

static uint64_t clock_that_steps(void *opaque)
{
	return ((struct clock_host *)opaque)->ns += 100;
}

/* A second that ends while a register is being written is no other than those around it. */
static void time_goes_on_meanwhile(void **state)
{
	struct bench b;

	(void)state;
	for (uint64_t before = 0; before < 2000; before += 50) {
		setup(&b, SOME_TIME * SECOND);
		b.clock.host.host.time_ns = clock_that_steps;
		b.clock.ns += SECOND - before;
		put(&b, 11, 0x12);
		b.clock.ns += SECOND / 2;
		assert_int_equal(get(&b, 12) & 0x10, 0x10);
		finish(&b);
	}
}

/* Processors' clocks may differ by a little: that is not 584 years. */
static void time_goes_back(void **state)
{
	struct bench b;

	(void)state;
	setup(&b, SOME_TIME * SECOND);
	b.clock.ns -= 10;
	reads(&b, UINT64_C(0x2026112107), 0x123456);
	put(&b, 0, 0x10);
	b.clock.ns -= 10;
	reads(&b, UINT64_C(0x2026112107), 0x123410);
	b.clock.ns += SECOND + 20;
	reads(&b, UINT64_C(0x2026112107), 0x123411);
	finish(&b);
}

static void life(void **state)
{
	struct vmm_rtc_config config = {.size = sizeof(config), .timer = clock_timer};
	struct clock_host h;
	struct vmm_rtc *rtc;

	(void)state;
	clock_host_init(&h);
	h.host.host.wall_ns = NULL;
	assert_int_equal(vmm_rtc_create(&h.host.host, &config, &rtc), -VMM_EINVAL);
	config.irq = clock_irq;
	config.opaque = &h;
	h.host.fail = 1;
	assert_int_equal(vmm_rtc_create(&h.host.host, &config, &rtc), -VMM_ENOMEM);
	h.host.fail = 0;
	assert_int_equal(vmm_rtc_create(&h.host.host, &config, &rtc), 0);
	dev_hammer(vmm_rtc_ops(), rtc, VMM_RTC_PORTS, 20000);
	vmm_rtc_destroy(rtc);
	vmm_rtc_destroy(NULL);
	assert_int_equal(h.host.allocs, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats),
		cmocka_unit_test(calendar),
		cmocka_unit_test(setting),
		cmocka_unit_test(updates),
		cmocka_unit_test(periods),
		cmocka_unit_test(alarms),
		cmocka_unit_test(saved),
		cmocka_unit_test(life),
		cmocka_unit_test(time_goes_on_meanwhile),
		cmocka_unit_test(time_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

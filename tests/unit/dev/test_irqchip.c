// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Local APICs and IOAPIC, against what the SDM says of them; and posting from other threads. */
#include <pthread.h>
#include <string.h>

#include "dev_host.h"
#include "irqchip.h"

#define CPUS 4
#define KHZ  2000000u

#define MSR(reg) (0x800u + (reg))
#define TPR      0x08
#define PPR      0x0a
#define EOI      0x0b
#define LDR      0x0d
#define SVR      0x0f
#define ESR      0x28
#define ICR      0x30
#define TIMER    0x32
#define ERROR    0x37
#define INITIAL  0x38
#define CURRENT  0x39
#define DIVIDE   0x3e
#define SELF     0x3f

struct machine {
	struct dev_host host;
	struct vmm__irqchip chip;
	struct vmm__lapic lapic[CPUS];
	struct vmm__lapic *table[CPUS];
	struct vmm__lapic_now now;
	_Atomic uint32_t kicks[CPUS];
};

static void kick(void *opaque, uint32_t index)
{
	struct machine *m = opaque;

	atomic_fetch_add(&m->kicks[index], 1);
}

static bool wr(struct machine *m, uint32_t cpu, uint32_t reg, uint64_t value)
{
	return vmm__lapic_write_msr(&m->lapic[cpu], &m->now, MSR(reg), value, 40);
}

static uint64_t rd(struct machine *m, uint32_t cpu, uint32_t reg)
{
	uint64_t value;

	assert_true(vmm__lapic_read_msr(&m->lapic[cpu], &m->now, MSR(reg), &value));
	return value;
}

static void page_wr(struct machine *m, uint32_t cpu, uint32_t reg, uint32_t value)
{
	vmm__lapic_write(&m->lapic[cpu], &m->now, reg * 16, 4, value);
}

static uint32_t page_rd(struct machine *m, uint32_t cpu, uint32_t reg)
{
	uint64_t value;

	vmm__lapic_read(&m->lapic[cpu], &m->now, reg * 16, 4, &value);
	return (uint32_t)value;
}

static bool set_base(struct machine *m, uint32_t cpu, uint64_t value)
{
	return vmm__lapic_write_msr(&m->lapic[cpu], &m->now, 0x1b, value, 40);
}

/* What comes next, taken; -1: nothing. */
static int take(struct machine *m, uint32_t cpu)
{
	struct vmm__lapic *l = &m->lapic[cpu];
	int vector;

	if (vmm__lapic_news(l))
		vmm__lapic_update(l);
	vector = vmm__lapic_next(l);
	vmm__lapic_take(l);
	return vector;
}

static void start(struct machine *m, bool x2)
{
	memset(m, 0, sizeof(*m));
	dev_host_init(&m->host);
	vmm__irqchip_init(&m->chip, &m->host.host, m->table, CPUS, kick, m);
	m->now.ns = 1000;
	for (uint32_t i = 0; i < CPUS; i++) {
		assert_true(vmm__lapic_init(&m->lapic[i], &m->chip, i, i, KHZ));
		if (x2)
			assert_true(set_base(m, i, 0xfee00c00 | (i == 0 ? 0x100 : 0)));
		if (x2)
			assert_true(wr(m, i, SVR, 0x1ff));
		else
			page_wr(m, i, SVR, 0x1ff);
	}
	assert_false(vmm__lapic_init(&m->lapic[0], &m->chip, 9, 9, KHZ));
}

static void priorities(void **state)
{
	struct machine m;

	(void)state;
	start(&m, true);
	wr(&m, 0, SELF, 0x41);
	wr(&m, 0, SELF, 0x52);
	wr(&m, 0, SELF, 0x53);
	assert_int_equal(take(&m, 0), 0x53);
	assert_int_equal(take(&m, 0), -1); /* 0x52 is of the same class */
	assert_int_equal(rd(&m, 0, PPR), 0x50);
	wr(&m, 0, SELF, 0x61);
	assert_int_equal(take(&m, 0), 0x61);
	assert_int_equal(rd(&m, 0, PPR), 0x60);
	wr(&m, 0, EOI, 0);
	assert_int_equal(take(&m, 0), -1);
	wr(&m, 0, EOI, 0);
	assert_int_equal(take(&m, 0), 0x52);
	wr(&m, 0, EOI, 0);
	wr(&m, 0, TPR, 0x48);
	assert_int_equal(rd(&m, 0, PPR), 0x48);
	assert_int_equal(take(&m, 0), -1);
	vmm__lapic_set_cr8(&m.lapic[0], 3);
	assert_int_equal(rd(&m, 0, TPR), 0x30);
	assert_int_equal(take(&m, 0), 0x41);
	vmm__lapic_untake(&m.lapic[0], 0x41);
	assert_int_equal(rd(&m, 0, PPR), 0x30);
	assert_int_equal(take(&m, 0), 0x41);
}

static void modes(void **state)
{
	struct machine m;
	uint64_t value;

	(void)state;
	start(&m, false);
	assert_int_equal(vmm__lapic_page(&m.lapic[1]), 0xfee00000);
	assert_int_equal(page_rd(&m, 3, 2), 3u << 24);
	assert_int_equal(page_rd(&m, 3, 3), 0x50014);
	assert_false(vmm__lapic_read_msr(&m.lapic[0], &m.now, MSR(2), &value));
	assert_false(set_base(&m, 1, 0xfee00400)); /* EXTD alone */
	assert_false(set_base(&m, 1, 0xfee00a00)); /* a reserved bit */
	assert_false(set_base(&m, 1, UINT64_C(1) << 40 | 0x800));
	assert_true(set_base(&m, 1, 0xfee00c00));
	assert_int_equal(vmm__lapic_page(&m.lapic[1]), UINT64_MAX);
	assert_int_equal(rd(&m, 1, 2), 1);
	assert_int_equal(rd(&m, 1, LDR), 2);
	assert_false(set_base(&m, 1, 0xfee00800)); /* back to xAPIC */
	assert_true(set_base(&m, 1, 0xfee00000));
	assert_false(set_base(&m, 1, 0xfee00c00)); /* at once to x2APIC */
	assert_true(set_base(&m, 1, 0x12345800));
	assert_int_equal(vmm__lapic_page(&m.lapic[1]), 0x12345000);
	assert_int_equal(page_rd(&m, 1, SVR), 0xff); /* it was off: everything is as after reset */
	assert_int_equal(page_rd(&m, 1, TIMER), 0x10000);
}

/* 11.12.1.2: what is reserved, missing or not for that direction is #GP. */
static void faults(void **state)
{
	struct machine m;
	uint64_t value;

	(void)state;
	start(&m, true);
	for (uint32_t reg = 0; reg < 0x100; reg++) {
		static const uint32_t readable[] = {0x02, 0x03, 0x08, 0x0a, 0x0d, 0x0f,
						    0x28, 0x30, 0x32, 0x33, 0x34, 0x35,
						    0x36, 0x37, 0x38, 0x39, 0x3e};
		static const uint32_t writable[] = {0x08, 0x0b, 0x0f, 0x28, 0x30, 0x32, 0x33,
						    0x34, 0x35, 0x36, 0x37, 0x38, 0x3e, 0x3f};
		bool r = reg >= 0x10 && reg < 0x28, w = false;

		for (size_t i = 0; i < sizeof(readable) / sizeof(readable[0]); i++)
			r |= readable[i] == reg;
		for (size_t i = 0; i < sizeof(writable) / sizeof(writable[0]); i++)
			w |= writable[i] == reg;
		assert_int_equal(vmm__lapic_read_msr(&m.lapic[0], &m.now, MSR(reg), &value), r);
		assert_int_equal(wr(&m, 0, reg, 0), w);
		if (w && reg != ICR)
			assert_false(wr(&m, 0, reg, UINT64_C(1) << 32));
	}
	assert_false(wr(&m, 0, EOI, 1));
	assert_false(wr(&m, 0, ESR, 1));
	assert_false(wr(&m, 0, TPR, 0x100));
	assert_false(wr(&m, 0, ICR, 0x2000));
	assert_false(wr(&m, 0, SELF, 0x100));
}

static void errors(void **state)
{
	struct machine m;

	(void)state;
	start(&m, true);
	wr(&m, 0, ERROR, 0x77);
	wr(&m, 0, ICR, 0x0000000f | (uint64_t)1 << 32);
	assert_int_equal(take(&m, 0), 0x77);
	assert_int_equal(rd(&m, 0, ESR), 0);
	wr(&m, 0, ESR, 0);
	assert_int_equal(rd(&m, 0, ESR), 0x20);
	wr(&m, 0, ESR, 0);
	assert_int_equal(rd(&m, 0, ESR), 0);
	assert_int_equal(take(&m, 1), -1);
}

static void expect(struct machine *m, int a, int b, int c, int d)
{
	assert_int_equal(take(m, 0), a);
	assert_int_equal(take(m, 1), b);
	assert_int_equal(take(m, 2), c);
	assert_int_equal(take(m, 3), d);
	for (uint32_t i = 0; i < CPUS; i++) {
		for (int n = 0; n < 8; n++) {
			if (vmm__lapic_is_x2(&m->lapic[i]))
				wr(m, i, EOI, 0);
			else
				page_wr(m, i, EOI, 0);
		}
	}
}

static void destinations(void **state)
{
	struct machine m;

	(void)state;
	start(&m, true);
	wr(&m, 0, ICR, UINT64_C(2) << 32 | 0x31);
	assert_int_equal(atomic_load(&m.kicks[2]), 1);
	expect(&m, -1, -1, 0x31, -1);
	wr(&m, 0, ICR, 0x40000 | 0x32);
	assert_int_equal(atomic_load(&m.kicks[0]), 0);
	expect(&m, 0x32, -1, -1, -1);
	wr(&m, 1, ICR, 0x80000 | 0x33);
	expect(&m, 0x33, 0x33, 0x33, 0x33);
	wr(&m, 1, ICR, 0xc0000 | 0x34);
	expect(&m, 0x34, -1, 0x34, 0x34);
	wr(&m, 1, ICR, UINT64_C(0xffffffff) << 32 | 0x35);
	expect(&m, 0x35, 0x35, 0x35, 0x35);
	wr(&m, 1, ICR, UINT64_C(0x0000000a) << 32 | 0x800 | 0x36); /* cluster 0, 1 and 3 */
	expect(&m, -1, 0x36, -1, 0x36);
	wr(&m, 1, ICR, UINT64_C(0x0001000a) << 32 | 0x800 | 0x37); /* cluster 1 */
	expect(&m, -1, -1, -1, -1);
	/* Lowest priority: one of them, and the same one each time. */
	for (int n = 0; n < 2; n++) {
		wr(&m, 1, ICR, UINT64_C(0xc) << 32 | 0x800 | 0x100 | 0x38);
		expect(&m, -1, -1, 0x38, -1);
		wr(&m, 1, ICR, UINT64_C(0xc) << 32 | 0x800 | 0x100 | 0x39);
		expect(&m, -1, -1, -1, 0x39);
	}
	/* Disabled by software: no vectors, but events. */
	wr(&m, 2, SVR, 0xff);
	wr(&m, 1, ICR, UINT64_C(2) << 32 | 0x3a);
	wr(&m, 1, ICR, UINT64_C(2) << 32 | 0x400);
	expect(&m, -1, -1, -1, -1);
	assert_int_equal(vmm__lapic_events(&m.lapic[2]), VMM__EVENT_NMI);
}

static void xapic_destinations(void **state)
{
	struct machine m;

	(void)state;
	start(&m, false);
	for (uint32_t i = 0; i < CPUS; i++)
		page_wr(&m, i, LDR, 1u << (24 + i));
	page_wr(&m, 0, 0x31, 6u << 24);
	page_wr(&m, 0, ICR, 0x800 | 0x41);
	expect(&m, -1, 0x41, 0x41, -1);
	page_wr(&m, 0, 0x31, 0xffu << 24);
	page_wr(&m, 0, ICR, 0x42);
	expect(&m, 0x42, 0x42, 0x42, 0x42);
	for (uint32_t i = 0; i < CPUS; i++) { /* clusters of two */
		page_wr(&m, i, 0x0e, 0);
		page_wr(&m, i, LDR, (i / 2) << 28 | (1u << (24 + i % 2)));
	}
	page_wr(&m, 0, 0x31, 0x13u << 24);
	page_wr(&m, 0, ICR, 0x800 | 0x43);
	expect(&m, -1, -1, 0x43, 0x43);
	/* Only aligned words are registers. */
	vmm__lapic_write(&m.lapic[0], &m.now, TPR * 16, 1, 0x50);
	vmm__lapic_write(&m.lapic[0], &m.now, TPR * 16 + 4, 4, 0x50);
	vmm__lapic_write(&m.lapic[0], &m.now, 0xff8, 8, 0x50);
	assert_int_equal(page_rd(&m, 0, TPR), 0);
}

static void start_up(void **state)
{
	struct machine m;

	(void)state;
	start(&m, true);
	wr(&m, 0, ICR, UINT64_C(1) << 32 | 0x612);  /* forgotten by INIT */
	wr(&m, 0, ICR, UINT64_C(1) << 32 | 0xc500); /* INIT, level */
	wr(&m, 0, ICR, UINT64_C(1) << 32 | 0x8500); /* its end */
	wr(&m, 0, ICR, UINT64_C(1) << 32 | 0x69a);  /* SIPI */
	wr(&m, 0, ICR, UINT64_C(1) << 32 | 0x69b);  /* the second one */
	assert_true(vmm__lapic_news(&m.lapic[1]));
	assert_int_equal(vmm__lapic_events(&m.lapic[1]), VMM__EVENT_INIT | VMM__EVENT_SIPI | 0x9a);
	wr(&m, 1, TPR, 0x20);
	vmm__lapic_reset_by_init(&m.lapic[1]);
	assert_int_equal(rd(&m, 1, TPR), 0); /* and it still is an x2APIC */
	assert_int_equal(rd(&m, 1, LDR), 2);
	assert_int_equal(vmm__lapic_events(&m.lapic[1]), 0);
}

static void timer(void **state)
{
	struct machine m;
	uint64_t value;

	(void)state;
	start(&m, true);
	wr(&m, 0, DIVIDE, 0xb); /* by 1 */
	wr(&m, 0, TIMER, 0x51);
	wr(&m, 0, INITIAL, 1000000);
	assert_int_equal(vmm__lapic_deadline(&m.lapic[0], &m.now), 1001000);
	m.now.ns += 400000;
	assert_int_equal(rd(&m, 0, CURRENT), 600000);
	wr(&m, 0, DIVIDE, 0x3); /* by 16: what is left takes 16 times as long */
	assert_int_equal(rd(&m, 0, CURRENT), 600000);
	assert_int_equal(vmm__lapic_deadline(&m.lapic[0], &m.now), 401000 + 9600000);
	m.now.ns = 401000 + 9599999;
	vmm__lapic_tick(&m.lapic[0], &m.now);
	assert_int_equal(take(&m, 0), -1);
	m.now.ns++;
	vmm__lapic_tick(&m.lapic[0], &m.now);
	assert_int_equal(take(&m, 0), 0x51);
	wr(&m, 0, EOI, 0);
	assert_int_equal(rd(&m, 0, CURRENT), 0);
	assert_int_equal(vmm__lapic_deadline(&m.lapic[0], &m.now), VMM_FOREVER);

	wr(&m, 0, DIVIDE, 0xb);
	wr(&m, 0, TIMER, 0x20052); /* periodic */
	m.now.ns = 5000000;
	wr(&m, 0, INITIAL, 200000);
	m.now.ns = 5000000 + 3 * 200000 + 50000; /* three are one */
	vmm__lapic_tick(&m.lapic[0], &m.now);
	assert_int_equal(take(&m, 0), 0x52);
	assert_int_equal(take(&m, 0), -1);
	wr(&m, 0, EOI, 0);
	assert_int_equal(rd(&m, 0, CURRENT), 150000);
	assert_int_equal(vmm__lapic_deadline(&m.lapic[0], &m.now), 5800000);
	wr(&m, 0, TIMER, 0x30052); /* masked: nobody need wake up */
	assert_int_equal(vmm__lapic_deadline(&m.lapic[0], &m.now), VMM_FOREVER);
	m.now.ns = 5850000;
	assert_int_equal(rd(&m, 0, CURRENT), 150000);
	wr(&m, 0, TIMER, 0x20052);
	assert_int_equal(take(&m, 0), -1);
	wr(&m, 0, INITIAL, 1); /* too short to be had */
	m.now.ns += 2;
	vmm__lapic_tick(&m.lapic[0], &m.now);
	assert_true(vmm__lapic_deadline(&m.lapic[0], &m.now) >= m.now.ns + 50000);
	assert_int_equal(take(&m, 0), 0x52);
	wr(&m, 0, EOI, 0);

	wr(&m, 0, TIMER, 0x40053); /* TSC deadline */
	assert_int_equal(rd(&m, 0, CURRENT), 0);
	assert_int_equal(vmm__lapic_deadline(&m.lapic[0], &m.now), VMM_FOREVER);
	m.now.tsc = 1000;
	assert_true(vmm__lapic_write_msr(&m.lapic[0], &m.now, 0x6e0, 1000 + 2 * 4000, 40));
	assert_int_equal(vmm__lapic_deadline(&m.lapic[0], &m.now), m.now.ns + 4000);
	wr(&m, 0, INITIAL, 5);
	assert_int_equal(rd(&m, 0, INITIAL), 0);
	m.now.tsc += 8000;
	vmm__lapic_tick(&m.lapic[0], &m.now);
	assert_int_equal(take(&m, 0), 0x53);
	assert_true(vmm__lapic_read_msr(&m.lapic[0], &m.now, 0x6e0, &value));
	assert_int_equal(value, 0);
	vmm__lapic_write_msr(&m.lapic[0], &m.now, 0x6e0, UINT64_MAX, 40);
	assert_true(vmm__lapic_deadline(&m.lapic[0], &m.now) > m.now.ns + UINT64_C(1000000000));

	/* Half a nanosecond is left: it is not the time yet. */
	vmm__lapic_write_msr(&m.lapic[0], &m.now, 0x6e0, m.now.tsc + 1, 40);
	assert_int_equal(vmm__lapic_deadline(&m.lapic[0], &m.now), m.now.ns + 1);
	wr(&m, 0, TIMER, 0x60053); /* reserved: no deadline any more */
	assert_true(vmm__lapic_read_msr(&m.lapic[0], &m.now, 0x6e0, &value));
	assert_int_equal(value, 0);
	wr(&m, 0, INITIAL, 100000);
	wr(&m, 0, TIMER, 0x40053); /* and no count in the deadline's mode */
	assert_int_equal(rd(&m, 0, CURRENT), 0);
}

static void red(struct machine *m, uint32_t pin, uint64_t value)
{
	vmm__ioapic_write(&m->chip, 0, 4, 0x10 + 2 * pin + 1);
	vmm__ioapic_write(&m->chip, 0x10, 4, value >> 32);
	vmm__ioapic_write(&m->chip, 0, 4, 0x10 + 2 * pin);
	vmm__ioapic_write(&m->chip, 0x10, 4, value & UINT32_MAX);
}

static uint32_t red_low(struct machine *m, uint32_t pin)
{
	uint64_t value;

	vmm__ioapic_write(&m->chip, 0, 4, 0x10 + 2 * pin);
	vmm__ioapic_read(&m->chip, 0x10, 4, &value);
	return (uint32_t)value;
}

static void ioapic(void **state)
{
	struct machine m;
	uint64_t value;

	(void)state;
	start(&m, true);
	vmm__ioapic_write(&m.chip, 0, 4, 1);
	vmm__ioapic_read(&m.chip, 0x10, 4, &value);
	assert_int_equal(value, 0x170011);
	assert_int_equal(red_low(&m, 4), 0x10000);

	vmm__irqchip_line(&m.chip, 4, 1); /* masked: an edge is lost */
	red(&m, 4, UINT64_C(1) << 56 | 0x61);
	assert_int_equal(take(&m, 1), -1);
	vmm__irqchip_line(&m.chip, 4, 1); /* no edge */
	assert_int_equal(take(&m, 1), -1);
	vmm__irqchip_line(&m.chip, 4, 0);
	vmm__irqchip_line(&m.chip, 4, 1);
	assert_int_equal(take(&m, 1), 0x61);
	wr(&m, 1, EOI, 0);
	assert_int_equal(take(&m, 1), -1);

	vmm__irqchip_line(&m.chip, 9, 1); /* masked: a level waits */
	red(&m, 9, UINT64_C(2) << 56 | 0x8000 | 0x71);
	assert_int_equal(red_low(&m, 9), 0xc071);
	assert_int_equal(take(&m, 2), 0x71);
	assert_int_equal(rd(&m, 2, 0x18 + 3), 1u << (0x71 % 32)); /* TMR */
	vmm__irqchip_line(&m.chip, 9, 1);
	assert_int_equal(take(&m, 2), -1); /* remote IRR */
	wr(&m, 2, EOI, 0);                 /* and it still is raised */
	assert_int_equal(take(&m, 2), 0x71);
	vmm__irqchip_line(&m.chip, 9, 0);
	wr(&m, 2, EOI, 0);
	assert_int_equal(take(&m, 2), -1);
	assert_int_equal(red_low(&m, 9), 0x8071);

	vmm__irqchip_line(&m.chip, 9, 1);
	assert_int_equal(red_low(&m, 9), 0xc071);
	red(&m, 9, UINT64_C(2) << 56 | 0x10071); /* to edge: remote IRR goes */
	assert_int_equal(red_low(&m, 9), 0x10071);
	vmm__irqchip_line(&m.chip, 24, 1);

	vmm__irqchip_line(&m.chip, 7, 1);
	red(&m, 7, UINT64_C(9) << 56 | 0x8072); /* nobody takes it, so that nobody will end it */
	assert_int_equal(red_low(&m, 7), 0x8072);
	red(&m, 7, UINT64_C(1) << 56 | 0x8072);
	assert_int_equal(take(&m, 1), 0x72);
	assert_int_equal(red_low(&m, 7), 0xc072);

	for (uint32_t select = 0; select < 0x100; select++) {
		vmm__ioapic_write(&m.chip, 0, 4, select);
		vmm__ioapic_read(&m.chip, 0x10, 4, &value);
		assert_true(select <= 2 || (select >= 0x10 && select < 0x40) || value == 0);
	}
}

static void messages(void **state)
{
	struct machine m;

	(void)state;
	start(&m, true);
	vmm__irqchip_msi(&m.chip, 0xfee03000, 0x81);
	expect(&m, -1, -1, -1, 0x81);
	vmm__irqchip_msi(&m.chip, 0xfee03004, 0x4082); /* logical: bits 0 and 1 of cluster 0 */
	expect(&m, 0x82, 0x82, -1, -1);
	vmm__irqchip_msi(&m.chip, 0xfee0300c, 0x4084); /* one of them */
	assert_int_equal((take(&m, 0) == 0x84) + (take(&m, 1) == 0x84), 1);
	vmm__irqchip_msi(&m.chip, UINT64_C(0x100) << 32 | 0xfee03000, 0x83); /* ID 0x103 */
	expect(&m, -1, -1, -1, -1);
	vmm__irqchip_msi(&m.chip, 0xfee03000, 0x8084); /* a level that falls */
	vmm__irqchip_msi(&m.chip, 0xfee03000, 5);      /* no vector */
	vmm__irqchip_msi(&m.chip, 0xfee03000, 0x785);  /* ExtINT */
	expect(&m, -1, -1, -1, -1);
}

static void saved(void **state)
{
	struct vmm_x86_ioapic io, io2;
	struct vmm_x86_lapic regs, regs2;
	struct machine a, b;

	(void)state;
	start(&a, true);
	start(&b, true);
	wr(&a, 1, TPR, 0x33);
	wr(&a, 1, SELF, 0x91);
	assert_int_equal(take(&a, 1), 0x91);
	wr(&a, 1, SELF, 0xa2);
	wr(&a, 1, SELF, 0x25);
	wr(&a, 1, TIMER, 0x20044);
	wr(&a, 1, INITIAL, 3000000);
	wr(&a, 1, ICR, 8); /* no such vector */
	a.now.ns += 1000000;
	red(&a, 3, UINT64_C(1) << 56 | 0x8055);
	vmm__irqchip_line(&a.chip, 3, 1);
	vmm__lapic_get(&a.lapic[1], &a.now, &regs);
	vmm__lapic_set(&b.lapic[1], &b.now, &regs);
	vmm__lapic_get(&b.lapic[1], &b.now, &regs2);
	assert_memory_equal(&regs, &regs2, sizeof(regs));
	assert_int_equal(rd(&b, 1, ESR), 0);
	wr(&b, 1, ESR, 0);
	assert_int_equal(rd(&b, 1, ESR), 0x20);
	vmm__ioapic_get(&a.chip, &io);
	assert_true(vmm__ioapic_set(&b.chip, &io));
	vmm__ioapic_get(&b.chip, &io2);
	assert_memory_equal(&io, &io2, sizeof(io));
	/* An edge waits for no EOI, whatever is said of it. */
	io.redirection[5] = 0x4000 | 0xa3;
	assert_true(vmm__ioapic_set(&b.chip, &io));
	vmm__ioapic_get(&b.chip, &io2);
	assert_int_equal(io2.redirection[5], 0xa3);
	io.base = 0;
	assert_false(vmm__ioapic_set(&b.chip, &io));
	assert_int_equal(take(&b, 1), 0xa2);
	assert_false(vmm__lapic_restore_base(&b.lapic[1], 0xfee00400, 40));
	assert_false(vmm__lapic_restore_base(&b.lapic[1], UINT64_MAX, 40));
	assert_true(vmm__lapic_restore_base(&b.lapic[1], 0xfee00800, 40));
}

/* --- what other threads post is never lost --- */

#define ROUNDS 20000

static struct machine shared;

static void *post(void *arg)
{
	uint32_t cpu = *(uint32_t *)arg;

	for (uint32_t n = 0; n < ROUNDS; n++) {
		uint32_t word = (0x40 + cpu) / 32, bit = 1u << (0x40 + cpu) % 32;

		wr(&shared, cpu, ICR, 0x40 + cpu);
		while (atomic_load(&shared.lapic[0].irr[word]) & bit)
			;
	}
	return NULL;
}

static void threads(void **state)
{
	uint32_t taken[3] = {0}, number[3] = {1, 2, 3};
	pthread_t thread[3];

	(void)state;
	start(&shared, true);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, post, &number[i]), 0);
	while (taken[0] + taken[1] + taken[2] < 3 * ROUNDS) {
		int vector = take(&shared, 0);

		if (vector < 0)
			continue;
		assert_in_range(vector, 0x41, 0x43);
		taken[vector - 0x41]++;
		wr(&shared, 0, EOI, 0);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(take(&shared, 0), -1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(taken[i], ROUNDS);
}

/* Another CPU switches its APIC off and on: one of lowest priority finds one of the others. */
static void *flap(void *arg)
{
	(void)arg;
	for (uint32_t n = 0; n < 20 * ROUNDS; n++)
		wr(&shared, 1, SVR, n & 1 ? 0x1ff : 0xff);
	return NULL;
}

static void lowest_finds_one(void **state)
{
	const struct vmm__message to_all = {.destination = UINT32_MAX,
					    .x2 = true,
					    .vector = 0x43,
					    /* the last of four */ .mode = VMM__DELIVER_LOWEST};
	pthread_t thread;

	(void)state;
	start(&shared, true);
	assert_int_equal(pthread_create(&thread, NULL, flap, NULL), 0);
	for (uint32_t n = 0; n < 20 * ROUNDS; n++)
		assert_true(vmm__irqchip_send(&shared.chip, NULL, &to_all));
	pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(priorities),
		cmocka_unit_test(modes),
		cmocka_unit_test(faults),
		cmocka_unit_test(errors),
		cmocka_unit_test(destinations),
		cmocka_unit_test(xapic_destinations),
		cmocka_unit_test(start_up),
		cmocka_unit_test(timer),
		cmocka_unit_test(ioapic),
		cmocka_unit_test(messages),
		cmocka_unit_test(saved),
		cmocka_unit_test(threads),
		cmocka_unit_test(lowest_finds_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

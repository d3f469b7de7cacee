// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The pair of 8259s against the data sheet, and its way to a processor through LINT0. */
#include "dev_host.h"
#include "irqchip.h"

struct pair {
	struct dev_host host;
	struct vmm__pic pic;
	uint32_t level;
};

static void intr(void *opaque, uint32_t level)
{
	struct pair *p = opaque;

	assert_int_not_equal(level, p->level);
	p->level = level;
}

static void out(struct pair *p, uint32_t port, uint8_t value)
{
	vmm__pic_write(&p->pic, port, value);
}

static uint8_t in(struct pair *p, uint32_t port)
{
	return vmm__pic_read(&p->pic, port);
}

/* As a PC's firmware does: vectors from 0x08 and 0x70. */
static void setup(struct pair *p, uint8_t icw4)
{
	memset(p, 0, sizeof(*p));
	dev_host_init(&p->host);
	vmm__pic_init(&p->pic, &p->host.host, intr, p);
	out(p, 0x20, 0x11);
	out(p, 0x21, 0x08);
	out(p, 0x21, 0x04);
	out(p, 0x21, icw4);
	out(p, 0xa0, 0x11);
	out(p, 0xa1, 0x70);
	out(p, 0xa1, 0x02);
	out(p, 0xa1, icw4 & 0x03);
}

static void raise(struct pair *p, uint32_t pin)
{
	vmm__pic_line(&p->pic, pin, 1);
}

static void drop(struct pair *p, uint32_t pin)
{
	vmm__pic_line(&p->pic, pin, 0);
}

static void pulse(struct pair *p, uint32_t pin)
{
	raise(p, pin);
	drop(p, pin);
}

/* -1: nothing is asked for. */
static int ack(struct pair *p)
{
	return p->level ? vmm__pic_acknowledge(&p->pic) : -1;
}

static uint8_t isr(struct pair *p, uint32_t port)
{
	out(p, port, 0x0b);
	return in(p, port);
}

static uint8_t irr(struct pair *p, uint32_t port)
{
	out(p, port, 0x0a);
	return in(p, port);
}

static void initialization(void **state)
{
	struct pair p;

	(void)state;
	setup(&p, 0x01);
	pulse(&p, 3);
	out(&p, 0x21, 0x40);
	assert_int_equal(in(&p, 0x21), 0x40);
	assert_int_equal(ack(&p), 0x0b);
	out(&p, 0x20, 0xc2); /* lowest is 2 */
	out(&p, 0x20, 0x0b);
	/* ICW1 forgets requests by edges, mask, order and what is read. */
	pulse(&p, 5);
	assert_int_equal(p.level, 0);
	raise(&p, 4);
	out(&p, 0x20, 0x11);
	assert_int_equal(p.level, 0);
	out(&p, 0x21, 0x27); /* the low bits are not the guest's */
	out(&p, 0x21, 0x04);
	out(&p, 0x21, 0x01);
	assert_int_equal(in(&p, 0x21), 0);
	assert_int_equal(in(&p, 0x20), 0); /* IRR */
	raise(&p, 4);                      /* stays up: no edge */
	assert_int_equal(p.level, 0);
	drop(&p, 4);
	raise(&p, 4);
	assert_int_equal(ack(&p), 0x24);
	/* Without ICW4 the third word is the last one, with SNGL the second. */
	out(&p, 0x20, 0x10);
	out(&p, 0x21, 0x30);
	out(&p, 0x21, 0x04);
	out(&p, 0x21, 0xaa);
	assert_int_equal(in(&p, 0x21), 0xaa);
	out(&p, 0x20, 0x12);
	out(&p, 0x21, 0x30);
	out(&p, 0x21, 0x55);
	assert_int_equal(in(&p, 0x21), 0x55);
}

static void priorities(void **state)
{
	struct pair p;

	(void)state;
	setup(&p, 0x01);
	pulse(&p, 5);
	pulse(&p, 3);
	assert_int_equal(irr(&p, 0x20), 0x28);
	assert_int_equal(ack(&p), 0x0b);
	assert_int_equal(ack(&p), -1);
	assert_int_equal(isr(&p, 0x20), 0x08);
	pulse(&p, 1);
	assert_int_equal(ack(&p), 0x09);
	out(&p, 0x20, 0x20); /* ends 1, then 3 */
	assert_int_equal(isr(&p, 0x20), 0x08);
	assert_int_equal(ack(&p), -1);
	out(&p, 0x20, 0x63); /* by its level */
	assert_int_equal(ack(&p), 0x0d);
	out(&p, 0x20, 0x60); /* not in service */
	assert_int_equal(isr(&p, 0x20), 0x20);
	out(&p, 0x20, 0x20);
	out(&p, 0x20, 0x20); /* nothing is */
	/* Masked, and then not. */
	out(&p, 0x21, 0x02);
	pulse(&p, 1);
	assert_int_equal(ack(&p), -1);
	out(&p, 0x21, 0x00);
	assert_int_equal(ack(&p), 0x09);
}

static void cascade(void **state)
{
	struct pair p;

	(void)state;
	setup(&p, 0x01);
	pulse(&p, 12);
	pulse(&p, 3);
	assert_int_equal(ack(&p), 0x74); /* 2 comes before 3 */
	assert_int_equal(isr(&p, 0x20), 0x04);
	assert_int_equal(isr(&p, 0xa0), 0x10);
	pulse(&p, 8); /* fully nested: waits for the first chip */
	assert_int_equal(ack(&p), -1);
	out(&p, 0xa0, 0x20);
	out(&p, 0x20, 0x20);
	assert_int_equal(ack(&p), 0x70);
	out(&p, 0xa0, 0x20);
	out(&p, 0x20, 0x20);
	assert_int_equal(ack(&p), 0x0b);
	out(&p, 0x20, 0x20);
	/* Special fully nested: it does not wait. */
	setup(&p, 0x11);
	pulse(&p, 12);
	assert_int_equal(ack(&p), 0x74);
	pulse(&p, 8);
	assert_int_equal(ack(&p), 0x70);
	raise(&p, 2); /* is the second chip's */
	assert_int_equal(ack(&p), -1);
}

static void rotation(void **state)
{
	struct pair p;

	(void)state;
	setup(&p, 0x01);
	out(&p, 0x20, 0xc4); /* lowest is 4, so 5 the highest */
	pulse(&p, 4);
	pulse(&p, 0);
	pulse(&p, 6);
	assert_int_equal(ack(&p), 0x0e);
	out(&p, 0x20, 0xa0); /* rotate: 6 becomes the lowest */
	assert_int_equal(ack(&p), 0x08);
	out(&p, 0x20, 0xe0); /* by level: 0 becomes the lowest */
	pulse(&p, 0);
	assert_int_equal(ack(&p), 0x0c);
	out(&p, 0x20, 0x64);
	assert_int_equal(ack(&p), 0x08);
	out(&p, 0x20, 0x40); /* no operation */
	assert_int_equal(isr(&p, 0x20), 0x01);
}

static void automatic_end(void **state)
{
	struct pair p;

	(void)state;
	setup(&p, 0x03);
	pulse(&p, 5);
	assert_int_equal(ack(&p), 0x0d);
	assert_int_equal(isr(&p, 0x20), 0);
	pulse(&p, 9);
	pulse(&p, 14);
	assert_int_equal(ack(&p), 0x71);
	assert_int_equal(ack(&p), 0x76);
	out(&p, 0x20, 0x80); /* and rotate */
	pulse(&p, 1);
	pulse(&p, 3);
	assert_int_equal(ack(&p), 0x09);
	pulse(&p, 1);
	assert_int_equal(ack(&p), 0x0b);
	assert_int_equal(ack(&p), 0x09);
	out(&p, 0x20, 0x00); /* and no more: 2 is still the highest */
	pulse(&p, 1);
	pulse(&p, 4);
	assert_int_equal(ack(&p), 0x0c);
	pulse(&p, 4);
	assert_int_equal(ack(&p), 0x0c);
	assert_int_equal(ack(&p), 0x09);
}

static void special_mask(void **state)
{
	struct pair p;

	(void)state;
	setup(&p, 0x01);
	pulse(&p, 1);
	assert_int_equal(ack(&p), 0x09);
	pulse(&p, 6);
	assert_int_equal(ack(&p), -1);
	out(&p, 0x21, 0x02);
	assert_int_equal(ack(&p), -1);
	out(&p, 0x20, 0x68); /* ESMM and SMM */
	assert_int_equal(ack(&p), 0x0e);
	out(&p, 0x20, 0x20); /* ends 6; the masked one is not seen */
	out(&p, 0x20, 0x20);
	assert_int_equal(isr(&p, 0x20), 0x02);
	out(&p, 0x20, 0x48); /* off */
	pulse(&p, 6);
	assert_int_equal(ack(&p), -1);
	out(&p, 0x20, 0x20);
	assert_int_equal(isr(&p, 0x20), 0);
	assert_int_equal(ack(&p), 0x0e);
}

static void polling(void **state)
{
	struct pair p;

	(void)state;
	setup(&p, 0x01);
	out(&p, 0x20, 0x0c);
	assert_int_equal(in(&p, 0x20), 0);
	pulse(&p, 6);
	pulse(&p, 4);
	out(&p, 0x20, 0x0c);
	assert_int_equal(in(&p, 0x20), 0x84);
	assert_int_equal(isr(&p, 0x20), 0x10); /* it was an INTA */
	assert_int_equal(p.level, 0);
	pulse(&p, 10);
	out(&p, 0xa0, 0x0c);
	assert_int_equal(in(&p, 0xa1), 0x82); /* at either port */
	assert_int_equal(isr(&p, 0xa0), 0x04);
}

static void spurious(void **state)
{
	struct pair p;

	(void)state;
	setup(&p, 0x01);
	pulse(&p, 3);
	out(&p, 0x21, 0x08); /* masked between INTR and INTA */
	assert_int_equal(vmm__pic_acknowledge(&p.pic), 0x0f);
	assert_int_equal(isr(&p, 0x20), 0);
	out(&p, 0x21, 0x00);
	assert_int_equal(ack(&p), 0x0b);
	out(&p, 0x20, 0x20);
	/* A level of the second chip that goes before INTA: 15, and the first has 2 in service. */
	out(&p, 0x4d1, 0x08);
	raise(&p, 11);
	assert_int_equal(p.level, 1);
	drop(&p, 11);
	assert_int_equal(p.level, 1);
	assert_int_equal(ack(&p), 0x77);
	assert_int_equal(isr(&p, 0xa0), 0);
	assert_int_equal(isr(&p, 0x20), 0x04);
	out(&p, 0x20, 0x20);
	assert_int_equal(ack(&p), -1);
}

static void levels(void **state)
{
	struct pair p;

	(void)state;
	setup(&p, 0x01);
	out(&p, 0x4d0, 0xff);
	out(&p, 0x4d1, 0xff);
	assert_int_equal(in(&p, 0x4d0), 0xf8);
	assert_int_equal(in(&p, 0x4d1), 0xde);
	raise(&p, 5);
	assert_int_equal(ack(&p), 0x0d);
	out(&p, 0x20, 0x20);
	assert_int_equal(ack(&p), 0x0d); /* still there */
	drop(&p, 5);
	out(&p, 0x20, 0x20);
	assert_int_equal(ack(&p), -1);
	/* Outlives ICW1, as a level does. */
	raise(&p, 5);
	out(&p, 0x20, 0x11);
	out(&p, 0x21, 0x08);
	out(&p, 0x21, 0x04);
	out(&p, 0x21, 0x01);
	assert_int_equal(ack(&p), 0x0d);
	assert_int_equal(in(&p, 0x22), 0xff); /* not its port */
}

static void saved(void **state)
{
	struct vmm_x86_pic kept;
	struct pair p, q;

	(void)state;
	setup(&p, 0x01);
	pulse(&p, 9);
	pulse(&p, 6);
	assert_int_equal(ack(&p), 0x71);
	pulse(&p, 10);
	vmm__pic_get(&p.pic, &kept);
	setup(&q, 0x03);
	vmm__pic_set(&q.pic, &kept);
	for (int i = 0; i < 2; i++) {
		struct pair *x = i == 0 ? &p : &q;

		assert_int_equal(ack(x), -1);
		out(x, 0xa0, 0x20);
		out(x, 0x20, 0x20);
		assert_int_equal(ack(x), 0x72);
		out(x, 0xa0, 0x20);
		out(x, 0x20, 0x20);
		assert_int_equal(ack(x), 0x0e);
	}
	/* Nonsense is made sense. */
	memset(&kept, 0xff, sizeof(kept));
	vmm__pic_set(&q.pic, &kept);
	vmm__pic_get(&q.pic, &kept);
	assert_int_equal(kept.chip[0].priority, 7);
	assert_int_equal(kept.chip[0].elcr, 0xf8);
	assert_int_equal(kept.chip[1].base, 0xf8);
	assert_int_equal(kept.chip[1].awaits, 3);
	vmm__pic_reset(&q.pic);
	assert_int_equal(q.level, 0);
}

/* --- to the processor --- */

struct machine {
	struct dev_host host;
	struct vmm__irqchip chip;
	struct vmm__lapic lapic[2];
	struct vmm__lapic *table[2];
	struct vmm__lapic_now now;
	uint32_t kicks[2];
};

static void kick(void *opaque, uint32_t index)
{
	struct machine *m = opaque;

	m->kicks[index]++;
}

static int take(struct machine *m, uint32_t cpu)
{
	if (vmm__lapic_news(&m->lapic[cpu]))
		vmm__lapic_update(&m->lapic[cpu]);
	return vmm__lapic_take(&m->lapic[cpu]);
}

static void wire(void **state)
{
	static const uint8_t words[4] = {0x11, 0x08, 0x04, 0x01};
	struct machine m = {0};

	(void)state;
	dev_host_init(&m.host);
	vmm__irqchip_init(&m.chip, &m.host.host, m.table, 2, kick, &m);
	vmm__irqchip_add_pic(&m.chip);
	vmm__lapic_init(&m.lapic[0], &m.chip, 0, 0, 1000000);
	vmm__lapic_init(&m.lapic[1], &m.chip, 1, 1, 1000000);
	for (uint32_t i = 0; i < 4; i++)
		vmm__pic_write(&m.chip.pic, i == 0 ? 0x20 : 0x21, words[i]);
	/* From reset on the first processor has them, and the other one not. */
	vmm__irqchip_line(&m.chip, 0, 1);
	assert_int_equal(m.kicks[0], 1);
	assert_int_equal(m.kicks[1], 0);
	assert_int_equal(take(&m, 1), -1);
	assert_int_equal(vmm__lapic_next(&m.lapic[0]), -1);
	vmm__lapic_update(&m.lapic[0]);
	assert_int_equal(vmm__lapic_next(&m.lapic[0]), VMM__LAPIC_EXTINT);
	/* Above every priority, and not in service anywhere in the APIC. */
	vmm__lapic_set_cr8(&m.lapic[0], 15);
	assert_int_equal(take(&m, 0), 8);
	assert_int_equal(take(&m, 0), -1);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(m.lapic[0].isr[i], 0);
	vmm__lapic_set_cr8(&m.lapic[0], 0);
	/* Masked at the APIC: waits there. */
	vmm__lapic_write(&m.lapic[0], &m.now, 0x350, 4, 0x10700);
	vmm__pic_write(&m.chip.pic, 0x20, 0x20);
	vmm__irqchip_line(&m.chip, 1, 1);
	assert_int_equal(take(&m, 0), -1);
	/* The other processor takes it over, with its APIC enabled and LINT0 set up. */
	vmm__lapic_write(&m.lapic[1], &m.now, 0xf0, 4, 0x1ff);
	vmm__lapic_write(&m.lapic[1], &m.now, 0x350, 4, 0x700);
	assert_int_equal(take(&m, 1), 9);
	vmm__pic_write(&m.chip.pic, 0x20, 0x20);
	/* Other modes of LINT0 do not let it through. */
	vmm__lapic_write(&m.lapic[1], &m.now, 0x350, 4, 0x30);
	vmm__irqchip_line(&m.chip, 3, 1);
	assert_int_equal(take(&m, 1), -1);
	/* Without an APIC, the pin is INTR. */
	assert_true(vmm__lapic_write_msr(&m.lapic[0], &m.now, 0x1b, 0xfee00100, 40));
	assert_int_equal(take(&m, 0), 11);
	vmm__pic_write(&m.chip.pic, 0x20, 0x20);
	vmm__irqchip_line(&m.chip, 4, 1);
	vmm__irqchip_reset(&m.chip);
	assert_int_equal(take(&m, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(initialization), cmocka_unit_test(priorities),
		cmocka_unit_test(cascade),        cmocka_unit_test(rotation),
		cmocka_unit_test(automatic_end),  cmocka_unit_test(special_mask),
		cmocka_unit_test(polling),        cmocka_unit_test(spurious),
		cmocka_unit_test(levels),         cmocka_unit_test(saved),
		cmocka_unit_test(wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

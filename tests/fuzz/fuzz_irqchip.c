// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * What guests, devices and time can do to the interrupt controllers. Operations of a byte each
 * (what, and which of three CPUs), then what they need. The rules of priority are worked out once
 * more from the registers after each one, so that no interrupt is lost and none comes too early.
 */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "fuzz_host.h"
#include "irqchip.h"

#define CPUS 3

static struct vmm__irqchip chip;
static struct vmm__lapic lapics[CPUS];
static struct vmm__lapic *table[CPUS];
static struct vmm__lapic_now now;
static bool ever_off; /* an APIC that takes nothing has been seen, but for the start */

static void kick(void *opaque, uint32_t index)
{
	(void)opaque;
	FUZZ_CHECK(index < CPUS);
	FUZZ_CHECK(vmm__lapic_news(&lapics[index]));
}

static int highest(const uint32_t *words)
{
	for (int bit = 255; bit >= 0; bit--) {
		if (words[bit / 32] >> (bit % 32) & 1)
			return bit;
	}
	return -1;
}

/* The registers say what comes next. */
static void check(struct vmm__lapic *l)
{
	uint64_t base = atomic_load(&l->base);
	struct vmm_x86_lapic regs;
	uint32_t ppr, tpr;
	int isr, irr, next;

	if (vmm__lapic_news(l))
		vmm__lapic_update(l);
	vmm__lapic_get(l, &now, &regs);
	isr = highest(&regs.reg[0x10]);
	irr = highest(&regs.reg[0x20]);
	tpr = regs.reg[8];
	ppr = (int)(tpr >> 4) >= isr / 16 || isr < 0 ? tpr : (uint32_t)isr & 0xf0;
	FUZZ_CHECK(regs.reg[0xa] == ppr);
	next = (base & 0x800) != 0 && irr >= 0 && irr / 16 > (int)(ppr >> 4) ? irr : -1;
	if (chip.has_pic && chip.pic.level != 0 &&
	    (!(base & 0x800) || (regs.reg[0x35] & 0x10700) == 0x700))
		next = VMM__LAPIC_EXTINT;
	FUZZ_CHECK(vmm__lapic_next(l) == next);
	FUZZ_CHECK((base & 0xc00) != 0x400 && vmm__lapic_cr8(l) == tpr >> 4);
	FUZZ_CHECK(vmm__lapic_page(l) == UINT64_MAX || (vmm__lapic_page(l) & 0xfff) == 0);
	FUZZ_CHECK(regs.reg[0x39] <= regs.reg[0x38]);
	ever_off |= !(base & 0x800) || !(regs.reg[0xf] & 0x100);
}

static void deliver(struct vmm__lapic *l)
{
	int vector = vmm__lapic_next(l);
	uint32_t bit = UINT32_C(1) << (vector & 31);

	if (vector == VMM__LAPIC_EXTINT)
		FUZZ_CHECK((vmm__lapic_take(l) & ~0xff) == 0);
	else
		vmm__lapic_take(l);
	if (vector < 0 || vector == VMM__LAPIC_EXTINT)
		return;
	FUZZ_CHECK(vector >= 16 && (l->isr[vector / 32] & bit) != 0);
	if (now.ns & 1)
		vmm__lapic_untake(l, (uint32_t)vector);
}

static void act_events(struct vmm__lapic *l)
{
	uint32_t events = vmm__lapic_events(l);

	FUZZ_CHECK((events & ~0x7ffu) == 0);
	if (events & VMM__EVENT_INIT)
		vmm__lapic_reset_by_init(l);
	if (events & VMM__EVENT_NMI && now.ns & 2)
		vmm__lapic_post_events(l, VMM__EVENT_NMI);
}

static void tick(struct vmm__lapic *l, uint64_t by)
{
	now.ns += by & UINT32_MAX;
	now.tsc += 2 * (by & UINT32_MAX);
	vmm__lapic_tick(l, &now);
	FUZZ_CHECK(vmm__lapic_deadline(l, &now) > now.ns);
}

static void restore(struct vmm__lapic *l, struct fuzz_input *in)
{
	struct vmm_x86_lapic regs;

	for (size_t i = 0; i < sizeof(regs.reg) / sizeof(regs.reg[0]); i++)
		regs.reg[i] = (uint32_t)fuzz_take(in, 1) * 0x01010101u;
	vmm__lapic_set(l, &now, &regs);
}

static void restore_ioapic(struct fuzz_input *in)
{
	struct vmm_x86_ioapic io = {.base = VMM__IOAPIC_BASE + (fuzz_take(in, 1) >> 7)};

	io.select = (uint32_t)fuzz_take(in, 1);
	io.irr = (uint32_t)fuzz_take(in, 4);
	for (size_t i = 0; i < sizeof(io.redirection) / sizeof(io.redirection[0]); i++)
		io.redirection[i] = fuzz_take(in, 1) * UINT64_C(0x0101010101010101);
	if (vmm__ioapic_set(&chip, &io))
		ever_off = true; /* lines that are up are to be told anew */
}

static void restore_pic(struct fuzz_input *in)
{
	struct vmm_x86_pic pic;

	for (size_t i = 0; i < sizeof(pic); i++)
		((uint8_t *)&pic)[i] = (uint8_t)fuzz_take(in, 1);
	vmm__pic_set(&chip.pic, &pic);
}

/* What concerns no vCPU; the 8259s only where there are some. */
static void operate_chip(struct fuzz_input *in, uint8_t what)
{
	static const uint16_t ports[] = {0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1};
	uint32_t port = ports[what % 6];

	if (what == 15)
		restore_ioapic(in);
	else if (what == 14)
		vmm__lapic_restore_base(&lapics[1], fuzz_take(in, 6) << 8, 40);
	else if (!chip.has_pic)
		;
	else if (what == 13)
		restore_pic(in);
	else if (what == 12)
		vmm__pic_read(&chip.pic, ports[fuzz_take(in, 1) % 6]);
	else
		vmm__pic_write(&chip.pic, port, (uint8_t)fuzz_take(in, 1));
}

static void operate(struct fuzz_input *in)
{
	uint8_t what = (uint8_t)fuzz_take(in, 1);
	struct vmm__lapic *l = &lapics[(what >> 4) % CPUS];
	uint64_t value;
	uint32_t reg;

	if (what >> 4 == 0xf) {
		operate_chip(in, what & 0xf);
		return;
	}
	switch (what & 0xf) {
	case 0:
		reg = 0x800 + (uint32_t)fuzz_take(in, 1);
		vmm__lapic_write_msr(l, &now, reg, fuzz_take(in, 8), 40);
		break;
	case 1:
		reg = 0x800 + (uint32_t)fuzz_take(in, 1);
		vmm__lapic_read_msr(l, &now, reg, &value);
		break;
	case 2:
		reg = (uint32_t)fuzz_take(in, 2) & 0xfff;
		vmm__lapic_write(l, &now, reg, 1u << (reg & 3), fuzz_take(in, 4));
		break;
	case 3:
		reg = (uint32_t)fuzz_take(in, 1) * 16;
		vmm__lapic_write(l, &now, reg, 4, fuzz_take(in, 4));
		break;
	case 4:
		reg = (uint32_t)fuzz_take(in, 2);
		vmm__lapic_read(l, &now, reg & 0xfff, 1u << (reg >> 14), &value);
		break;
	case 5:
		vmm__lapic_write_msr(l, &now, 0x1b, 0xfee00000 | fuzz_take(in, 2) << 8, 40);
		break;
	case 6:
		vmm__lapic_write_msr(l, &now, 0x6e0, fuzz_take(in, 8), 40);
		break;
	case 7:
		vmm__lapic_set_cr8(l, fuzz_take(in, 1));
		break;
	case 8:
	case 9:
		deliver(l);
		break;
	case 10:
		act_events(l);
		break;
	case 11:
		tick(l, fuzz_take(in, 4));
		break;
	case 12:
		value = fuzz_take(in, 1);
		vmm__irqchip_line(&chip, (uint32_t)value & 0x1f, (uint32_t)value >> 7);
		break;
	case 13:
		value = fuzz_take(in, 2);
		vmm__irqchip_msi(&chip, 0xfee00000 | (value & 0xff) << 12 | (value >> 8 & 4),
				 (uint32_t)fuzz_take(in, 2));
		break;
	case 14:
		reg = (uint32_t)fuzz_take(in, 1);
		vmm__ioapic_write(&chip, 0, 4, reg);
		vmm__ioapic_write(&chip, 0x10, 1u << (reg & 3), fuzz_take(in, 4));
		vmm__ioapic_read(&chip, 0x10, 1u << (reg & 3), &value);
		break;
	default:
		restore(l, in);
		break;
	}
}

/* Whether an interrupt to a physical destination has found all of them willing all the time. */
static bool all_wanted(uint64_t destination)
{
	return !ever_off && (destination == 0 || destination == 0x11 || destination == 0x22);
}

static void check_ioapic(void)
{
	struct vmm_x86_ioapic io;

	vmm__ioapic_get(&chip, &io);
	for (int i = 0; i < VMM__IOAPIC_PINS; i++) {
		bool waits = (io.redirection[i] & 0x4000) != 0;

		FUZZ_CHECK(!waits || (io.redirection[i] & 0x8000) != 0);
		/* A level that somebody takes is on its way; all do, if all are enabled. */
		if (io.irr >> i & 1 && (io.redirection[i] & 0x18f00) == 0x8000 &&
		    (io.redirection[i] & 0xff) >= 16 && all_wanted(io.redirection[i] >> 56))
			FUZZ_CHECK(waits);
	}
	FUZZ_CHECK(vmm__ioapic_set(&chip, &io));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input in = {data, len};

	vmm__irqchip_init(&chip, &fuzz_host, table, CPUS, kick, NULL);
	if (len & 2)
		vmm__irqchip_add_pic(&chip);
	now.ns = now.tsc = 1;
	ever_off = false;
	for (uint32_t i = 0; i < CPUS; i++)
		FUZZ_CHECK(vmm__lapic_init(&lapics[i], &chip, i, i * 0x11, 2000000));
	for (uint32_t i = 0; i < CPUS && len % 2 != 0; i++)
		vmm__lapic_write(&lapics[i], &now, 0xf0, 4, 0x1ff);
	while (in.len > 0) {
		operate(&in);
		for (uint32_t i = 0; i < CPUS; i++)
			check(&lapics[i]);
		check_ioapic();
	}
	return 0;
}

size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	/* x2APIC, an IPI, a timer; xAPIC, logical, a level that is raised, taken and ended. */
	static const uint8_t x2[] = {
		0x05, 0x0c, 0,    0x15, 0x0c, 0, 0x00, 0x0f, 0xff, 1, 0,    0,    0,    0, 0, 0,
		0x10, 0x0f, 0xff, 1,    0,    0, 0,    0,    0,    0, 0,    0x30, 0x41, 0, 0, 0,
		0x11, 0,    0,    0,    0x18, 0, 0x32, 0x51, 0,    2, 0,    0,    0,    0, 0, 0,
		0,    0x38, 0,    0x10, 0,    0, 0,    0,    0,    0, 0x0b, 0,    0x20, 0, 0, 0x08};
	static const uint8_t x1[] = {0x03, 0x0f, 0xff, 1,    0,    0,    0x0e, 0x15, 0,    0,
				     0,    0,    0x0e, 0x14, 0x61, 0x80, 0,    0,    0x0c, 0x82,
				     0x08, 0x03, 0x0b, 0,    0,    0,    0,    0x0c, 0x02, 0x08};

	/* 8259s, as the input's length asks for them: programmed, line 3 raised, taken, ended. */
	static const uint8_t pic[] = {0xf0, 0x11, 0xf1, 0x20, 0xf1, 0x04, 0xf1, 0x01, 0xf1,
				      0x00, 0x0c, 0x83, 0x08, 0xf0, 0x20, 0x0c, 0x03, 0x08};
	static const struct {
		const uint8_t *bytes;
		size_t len;
	} seeds[] = {{x2, sizeof(x2)}, {x1, sizeof(x1)}, {pic, sizeof(pic)}};

	if (index >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	memcpy(buf, seeds[index].bytes, seeds[index].len);
	return seeds[index].len;
}

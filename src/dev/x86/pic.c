// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Two 8259As. The names of words are those of the data sheet: ICW1 to ICW4, OCW1 to OCW3. */
#include "pic.h"
#include "mem.h"

#define PORT_FIRST  0x20u
#define PORT_SECOND 0xa0u
#define PORT_ELCR   0x4d0u

#define ICW1        0x10u /* of a write with A0 = 0 */
#define ICW1_SINGLE 0x02u
#define ICW1_ICW4   0x01u
#define ICW4_NESTED 0x10u
#define ICW4_AEOI   0x02u

#define OCW3        0x08u
#define OCW3_ESMM   0x40u
#define OCW3_SMM    0x20u
#define OCW3_POLL   0x04u
#define OCW3_RR     0x02u
#define OCW3_RIS    0x01u
#define OCW2_ROTATE 0x80u
#define OCW2_LEVEL  0x40u /* specific */
#define OCW2_EOI    0x20u

#define POLL_REQUEST 0x80u

/* The command word that a write with A0 = 1 is. */
#define AWAIT_OCW1 0
#define AWAIT_ICW2 1
#define AWAIT_ICW3 2
#define AWAIT_ICW4 3

/* 82371AB 4.2.5.9: 0, 1, 2, 8 and 13 are edges always. */
static const uint8_t elcr_bits[2] = {0xf8, 0xde};

#define NONE -1

/* The set bit of the highest priority, which @c.priority has, or NONE. */
static int first_of(const struct vmm_x86_pic_chip *c, uint32_t bits)
{
	for (uint32_t i = 0; i < 8; i++) {
		uint32_t pin = (c->priority + i) & 7;

		if (bits >> pin & 1)
			return (int)pin;
	}
	return NONE;
}

static uint32_t rank(const struct vmm_x86_pic_chip *c, int pin)
{
	return ((uint32_t)pin - c->priority) & 7;
}

/* What the chip asks for: a request above all that is in service. */
static int requested(const struct vmm__pic *pic, uint32_t index)
{
	const struct vmm_x86_pic_chip *c = &pic->chip[index];
	int request = first_of(c, c->irr & ~(uint32_t)c->imr);
	uint32_t busy = c->isr;
	int served;

	/* "Special Mask Mode": what is masked holds nothing back. */
	if (c->special_mask)
		busy &= ~(uint32_t)c->imr;
	/* "Special Fully Nested Mode": the second chip may go on asking. */
	if (c->nested && index == 0)
		busy &= ~(1u << VMM__PIC_CASCADE);
	served = first_of(c, busy);
	if (request == NONE || (served != NONE && rank(c, request) >= rank(c, served)))
		return NONE;
	return request;
}

/* After every change. The second chip's request is latched by the first, as an edge is. */
static void update(struct vmm__pic *pic)
{
	uint32_t level;

	if (requested(pic, 1) != NONE)
		pic->chip[0].irr |= 1u << VMM__PIC_CASCADE;
	level = requested(pic, 0) != NONE;
	if (level == pic->level)
		return;
	pic->level = level;
	pic->intr(pic->opaque, level);
}

static void serve(struct vmm_x86_pic_chip *c, int pin)
{
	uint8_t bit = (uint8_t)(1u << pin);

	if (!(c->elcr & bit))
		c->irr &= (uint8_t)~bit;
	if (!c->auto_eoi)
		c->isr |= bit;
	else if (c->rotate)
		c->priority = (uint8_t)((pin + 1) & 7);
}

/* The vector a chip gives; 7 where the request has gone. */
static uint8_t acknowledge(struct vmm__pic *pic, uint32_t index)
{
	int pin = requested(pic, index);

	if (pin == NONE)
		return pic->chip[index].base | 7;
	serve(&pic->chip[index], pin);
	if (index == 0 && pin == VMM__PIC_CASCADE)
		return acknowledge(pic, 1);
	return (uint8_t)(pic->chip[index].base | (uint32_t)pin);
}

uint8_t vmm__pic_acknowledge(struct vmm__pic *pic)
{
	uint8_t vector;

	vmm__lock(pic->host, &pic->lock);
	vector = acknowledge(pic, 0);
	update(pic);
	vmm__unlock(pic->host, &pic->lock);
	return vector;
}

void vmm__pic_line(struct vmm__pic *pic, uint32_t pin, uint32_t level)
{
	struct vmm_x86_pic_chip *c = &pic->chip[pin / 8 & 1];
	uint8_t bit = (uint8_t)(1u << pin % 8);

	if (pin >= VMM__PIC_PINS || pin == VMM__PIC_CASCADE)
		return;
	vmm__lock(pic->host, &pic->lock);
	if (level != 0 && ((c->elcr & bit) || !(c->lines & bit)))
		c->irr |= bit;
	if (level == 0 && (c->elcr & bit))
		c->irr &= (uint8_t)~bit;
	c->lines = (uint8_t)(level != 0 ? c->lines | bit : c->lines & ~bit);
	update(pic);
	vmm__unlock(pic->host, &pic->lock);
}

/* --- command words --- */

/* "Initialization Command Words 1 and 2", a to f. */
static void begin(struct vmm_x86_pic_chip *c, uint8_t icw1)
{
	c->irr = c->lines & c->elcr;
	c->imr = 0;
	c->isr = 0;
	c->priority = 0;
	c->read_isr = 0;
	c->poll = 0;
	c->special_mask = 0;
	c->rotate = 0;
	c->auto_eoi = 0;
	c->nested = 0;
	c->single = (icw1 & ICW1_SINGLE) != 0;
	c->wants_icw4 = (icw1 & ICW1_ICW4) != 0;
	c->awaits = AWAIT_ICW2;
}

static void end_of_interrupt(struct vmm_x86_pic_chip *c, uint8_t ocw2)
{
	/* "End of Interrupt": in special mask mode what is masked does not count. */
	uint32_t busy = c->special_mask ? c->isr & ~(uint32_t)c->imr : c->isr;
	int pin = ocw2 & OCW2_LEVEL ? ocw2 & 7 : first_of(c, busy);

	if (pin == NONE)
		return;
	c->isr &= (uint8_t) ~(1u << pin);
	if (ocw2 & OCW2_ROTATE)
		c->priority = (uint8_t)((pin + 1) & 7);
}

static void write_ocw2(struct vmm_x86_pic_chip *c, uint8_t value)
{
	switch (value & (OCW2_ROTATE | OCW2_LEVEL | OCW2_EOI)) {
	case 0:
	case OCW2_ROTATE: /* in automatic EOI mode, off and on */
		c->rotate = (value & OCW2_ROTATE) != 0;
		break;
	case OCW2_LEVEL: /* no operation */
		break;
	case OCW2_ROTATE | OCW2_LEVEL:
		c->priority = (value + 1) & 7;
		break;
	default:
		end_of_interrupt(c, value);
		break;
	}
}

static void write_ocw3(struct vmm_x86_pic_chip *c, uint8_t value)
{
	if (value & OCW3_POLL)
		c->poll = 1;
	if (value & OCW3_RR)
		c->read_isr = value & OCW3_RIS;
	if (value & OCW3_ESMM)
		c->special_mask = (value & OCW3_SMM) != 0;
}

static void write_command(struct vmm_x86_pic_chip *c, uint8_t value)
{
	if (value & ICW1)
		begin(c, value);
	else if (value & OCW3)
		write_ocw3(c, value);
	else
		write_ocw2(c, value);
}

/* ICW3 would say what is wired to what, which is so already. */
static void write_data(struct vmm_x86_pic_chip *c, uint8_t value)
{
	switch (c->awaits) {
	case AWAIT_OCW1:
		c->imr = value;
		return;
	case AWAIT_ICW2:
		c->base = value & 0xf8;
		c->awaits = AWAIT_ICW3;
		if (!c->single)
			return;
		break;
	case AWAIT_ICW4:
		c->nested = (value & ICW4_NESTED) != 0;
		c->auto_eoi = (value & ICW4_AEOI) != 0;
		c->awaits = AWAIT_OCW1;
		return;
	}
	c->awaits = c->wants_icw4 ? AWAIT_ICW4 : AWAIT_OCW1;
}

/* "Poll Command": the next read is an INTA that tells the level. */
static uint8_t poll(struct vmm__pic *pic, uint32_t index)
{
	struct vmm_x86_pic_chip *c = &pic->chip[index];
	int pin = requested(pic, index);

	c->poll = 0;
	if (pin == NONE)
		return 0;
	serve(c, pin);
	return (uint8_t)(POLL_REQUEST | (uint32_t)pin);
}

static uint8_t read_chip(struct vmm__pic *pic, uint32_t index, uint32_t a0)
{
	struct vmm_x86_pic_chip *c = &pic->chip[index];

	if (c->poll)
		return poll(pic, index);
	if (a0 != 0)
		return c->imr;
	return c->read_isr ? c->isr : c->irr;
}

uint8_t vmm__pic_read(struct vmm__pic *pic, uint32_t port)
{
	uint8_t value = 0xff;

	vmm__lock(pic->host, &pic->lock);
	if ((port & ~1u) == PORT_ELCR)
		value = pic->chip[port & 1].elcr;
	else if ((port & ~1u) == PORT_FIRST || (port & ~1u) == PORT_SECOND)
		value = read_chip(pic, (port & ~1u) == PORT_SECOND, port & 1);
	update(pic);
	vmm__unlock(pic->host, &pic->lock);
	return value;
}

/* A level counts as long as it is there, an edge has come or not. */
static void write_elcr(struct vmm_x86_pic_chip *c, uint8_t value)
{
	c->elcr = value;
	c->irr = (uint8_t)((c->irr & ~value) | (c->lines & value));
}

void vmm__pic_write(struct vmm__pic *pic, uint32_t port, uint8_t value)
{
	struct vmm_x86_pic_chip *c = &pic->chip[(port & ~1u) == PORT_SECOND];

	vmm__lock(pic->host, &pic->lock);
	if ((port & ~1u) == PORT_ELCR)
		write_elcr(&pic->chip[port & 1], value & elcr_bits[port & 1]);
	else if (port == PORT_FIRST || port == PORT_SECOND)
		write_command(c, value);
	else if (port == PORT_FIRST + 1 || port == PORT_SECOND + 1)
		write_data(c, value);
	update(pic);
	vmm__unlock(pic->host, &pic->lock);
}

/* --- life --- */

void vmm__pic_reset(struct vmm__pic *pic)
{
	vmm__lock(pic->host, &pic->lock);
	memset(pic->chip, 0, sizeof(pic->chip));
	update(pic);
	vmm__unlock(pic->host, &pic->lock);
}

void vmm__pic_init(struct vmm__pic *pic, const struct vmm_host *host,
		   void (*intr)(void *opaque, uint32_t level), void *opaque)
{
	pic->host = host;
	pic->intr = intr;
	pic->opaque = opaque;
	vmm__pic_reset(pic);
}

void vmm__pic_get(struct vmm__pic *pic, struct vmm_x86_pic *state)
{
	vmm__lock(pic->host, &pic->lock);
	memcpy(state->chip, pic->chip, sizeof(state->chip));
	vmm__unlock(pic->host, &pic->lock);
}

static struct vmm_x86_pic_chip sane(const struct vmm_x86_pic_chip *in, uint32_t index)
{
	struct vmm_x86_pic_chip c = *in;

	c.priority &= 7;
	c.base &= 0xf8;
	c.elcr &= elcr_bits[index];
	c.awaits &= 3;
	return c;
}

void vmm__pic_set(struct vmm__pic *pic, const struct vmm_x86_pic *state)
{
	vmm__lock(pic->host, &pic->lock);
	for (uint32_t i = 0; i < 2; i++)
		pic->chip[i] = sane(&state->chip[i], i);
	update(pic);
	vmm__unlock(pic->host, &pic->lock);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * IOAPIC, after the data sheet of Intel's 82093AA (May 1996); its section numbers stand at the
 * registers. Its version is 0x11, as KVM's: without a register for EOIs. Polarity is not looked at:
 * a line's level is whether it asserts its interrupt.
 */
#include "bits.h"
#include "irqchip.h"
#include "mem.h"

/* 3.1 */
#define IOREGSEL 0x00
#define IOWIN    0x10

/* 3.2 */
#define REG_ID          0x00
#define REG_VERSION     0x01
#define REG_ARBITRATION 0x02
#define REG_REDIRECTION 0x10

#define VERSION    (0x11u | (VMM__IOAPIC_PINS - 1) << 16)
#define ID_BITS    0x0f000000u
#define ID_DEFAULT 0

/* 3.2.4 */
#define RED_VECTOR     BITS(7, 0)
#define RED_MODE       BITS(10, 8)
#define RED_LOGICAL    BIT(11)
#define RED_STATUS     BIT(12)
#define RED_REMOTE_IRR BIT(14)
#define RED_LEVEL      BIT(15)
#define RED_MASKED     BIT(16)
#define RED_DEST       BITS(63, 56)
#define RED_READ_ONLY  (RED_STATUS | RED_REMOTE_IRR)
#define RED_BITS       (BITS(16, 0) | RED_DEST)

void vmm__irqchip_reset(struct vmm__irqchip *chip)
{
	struct vmm__ioapic *io = &chip->ioapic;

	vmm__lock(chip->host, &io->lock);
	io->id = ID_DEFAULT;
	io->select = 0;
	io->lines = 0;
	for (uint32_t i = 0; i < VMM__IOAPIC_PINS; i++)
		io->redirection[i] = RED_MASKED;
	vmm__unlock(chip->host, &io->lock);
	if (chip->has_pic)
		vmm__pic_reset(&chip->pic);
}

/* Send a pin's interrupt unless it is masked, or waits for its EOI. */
static void deliver(struct vmm__irqchip *chip, uint32_t pin)
{
	uint64_t *red = &chip->ioapic.redirection[pin];
	const struct vmm__message message = {
		.destination = (uint32_t)FIELD_GET(RED_DEST, *red),
		.vector = (uint32_t)FIELD_GET(RED_VECTOR, *red),
		.mode = (uint32_t)FIELD_GET(RED_MODE, *red),
		.logical = (*red & RED_LOGICAL) != 0,
		.level = (*red & RED_LEVEL) != 0,
	};

	if (*red & (RED_MASKED | RED_REMOTE_IRR))
		return;
	/* Set when an APIC has accepted the level: nobody else will end it (3.2.4). An EOI
	 * that comes at once waits for the lock. */
	if (vmm__irqchip_send(chip, NULL, &message) && message.level)
		*red |= RED_REMOTE_IRR;
}

static bool is_level(const struct vmm__ioapic *io, uint32_t pin)
{
	return (io->redirection[pin] & RED_LEVEL) != 0;
}

static bool is_raised(const struct vmm__ioapic *io, uint32_t pin)
{
	return (io->lines >> pin & 1) != 0;
}

void vmm__irqchip_line(struct vmm__irqchip *chip, uint32_t pin, uint32_t level)
{
	struct vmm__ioapic *io = &chip->ioapic;
	bool rises;

	if (pin >= VMM__IOAPIC_PINS)
		return;
	if (chip->has_pic)
		vmm__pic_line(&chip->pic, pin, level);
	vmm__lock(chip->host, &io->lock);
	rises = level != 0 && !is_raised(io, pin);
	if (level != 0)
		io->lines |= UINT32_C(1) << pin;
	else
		io->lines &= ~(UINT32_C(1) << pin);
	/* An edge that comes while the pin is masked is lost (3.2.4). */
	if (rises || (level != 0 && is_level(io, pin)))
		deliver(chip, pin);
	vmm__unlock(chip->host, &io->lock);
}

void vmm__ioapic_eoi(struct vmm__irqchip *chip, uint32_t vector)
{
	struct vmm__ioapic *io = &chip->ioapic;

	vmm__lock(chip->host, &io->lock);
	for (uint32_t pin = 0; pin < VMM__IOAPIC_PINS; pin++) {
		if (!is_level(io, pin) || FIELD_GET(RED_VECTOR, io->redirection[pin]) != vector)
			continue;
		io->redirection[pin] &= ~RED_REMOTE_IRR;
		if (is_raised(io, pin))
			deliver(chip, pin);
	}
	vmm__unlock(chip->host, &io->lock);
}

static uint32_t read_window(const struct vmm__ioapic *io)
{
	uint32_t entry = (io->select - REG_REDIRECTION) / 2;

	switch (io->select) {
	case REG_ID:
	case REG_ARBITRATION:
		return io->id;
	case REG_VERSION:
		return VERSION;
	}
	if (io->select < REG_REDIRECTION || entry >= VMM__IOAPIC_PINS)
		return 0;
	return (uint32_t)(io->redirection[entry] >> (io->select % 2 != 0 ? 32 : 0));
}

static void write_redirection(struct vmm__irqchip *chip, uint32_t pin, bool high, uint32_t value)
{
	struct vmm__ioapic *io = &chip->ioapic;
	uint64_t *red = &io->redirection[pin];
	uint64_t written = high ? (uint64_t)value << 32 : value;
	uint64_t half = high ? BITS(63, 32) : BITS(31, 0);
	uint64_t bits = half & RED_BITS & ~RED_READ_ONLY;

	*red = (*red & ~bits) | (written & bits);
	/* Systems that lack an EOI register switch to edge and back to be rid of it. */
	if (!is_level(io, pin))
		*red &= ~RED_REMOTE_IRR;
	else if (is_raised(io, pin))
		deliver(chip, pin);
}

static void write_window(struct vmm__irqchip *chip, uint32_t value)
{
	struct vmm__ioapic *io = &chip->ioapic;
	uint32_t entry = (io->select - REG_REDIRECTION) / 2;

	if (io->select == REG_ID)
		io->id = value & ID_BITS;
	else if (io->select >= REG_REDIRECTION && entry < VMM__IOAPIC_PINS)
		write_redirection(chip, entry, io->select % 2 != 0, value);
}

void vmm__ioapic_read(struct vmm__irqchip *chip, uint32_t offset, uint32_t width, uint64_t *value)
{
	struct vmm__ioapic *io = &chip->ioapic;

	*value = 0;
	vmm__lock(chip->host, &io->lock);
	if ((offset & 0xff) == IOREGSEL)
		*value = io->select;
	else if ((offset & 0xff) == IOWIN)
		*value = read_window(io);
	vmm__unlock(chip->host, &io->lock);
	*value &= UINT64_MAX >> (64 - 8 * width);
}

void vmm__ioapic_write(struct vmm__irqchip *chip, uint32_t offset, uint32_t width, uint64_t value)
{
	struct vmm__ioapic *io = &chip->ioapic;
	uint32_t v = (uint32_t)(value & UINT64_MAX >> (64 - 8 * width));

	vmm__lock(chip->host, &io->lock);
	if ((offset & 0xff) == IOREGSEL)
		io->select = v & 0xff;
	else if ((offset & 0xff) == IOWIN)
		write_window(chip, v);
	vmm__unlock(chip->host, &io->lock);
}

void vmm__ioapic_get(struct vmm__irqchip *chip, struct vmm_x86_ioapic *state)
{
	struct vmm__ioapic *io = &chip->ioapic;

	memset(state, 0, sizeof(*state));
	vmm__lock(chip->host, &io->lock);
	state->base = VMM__IOAPIC_BASE;
	state->id = io->id >> 24;
	state->select = io->select;
	state->irr = io->lines;
	memcpy(state->redirection, io->redirection, sizeof(state->redirection));
	vmm__unlock(chip->host, &io->lock);
}

bool vmm__ioapic_set(struct vmm__irqchip *chip, const struct vmm_x86_ioapic *state)
{
	struct vmm__ioapic *io = &chip->ioapic;

	if (state->base != VMM__IOAPIC_BASE)
		return false;
	vmm__lock(chip->host, &io->lock);
	io->id = state->id << 24 & ID_BITS;
	io->select = state->select & 0xff;
	io->lines = state->irr & (uint32_t)BITS(VMM__IOAPIC_PINS - 1, 0);
	for (uint32_t i = 0; i < VMM__IOAPIC_PINS; i++) {
		io->redirection[i] = state->redirection[i] & RED_BITS;
		if (!is_level(io, i)) /* whose EOI would not end it */
			io->redirection[i] &= ~RED_REMOTE_IRR;
	}
	vmm__unlock(chip->host, &io->lock);
	return true;
}

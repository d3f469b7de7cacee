// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The way of an interrupt to the APICs it is for (SDM 3A 11.6, 11.12.10). */
#include "irqchip.h"
#include "bits.h"
#include "mem.h"

#define SVR_ENABLE 0x100u

/* ICR (figure 11-12). */
#define ICR_VECTOR    0xffu
#define ICR_MODE      BITS(10, 8)
#define ICR_LOGICAL   BIT(11)
#define ICR_LEVEL     BIT(14)
#define ICR_TRIGGER   BIT(15)
#define ICR_SHORTHAND BITS(19, 18)

#define TO_SELF   1
#define TO_ALL    2
#define TO_OTHERS 3

#define ESR_SEND_ILLEGAL 0x20u

void vmm__irqchip_init(struct vmm__irqchip *chip, const struct vmm_host *host,
		       struct vmm__lapic **lapics, uint32_t room,
		       void (*kick)(void *opaque, uint32_t index), void *opaque)
{
	memset(chip, 0, sizeof(*chip));
	chip->host = host;
	chip->lapics = lapics;
	chip->room = room;
	chip->kick = kick;
	chip->opaque = opaque;
	vmm__irqchip_reset(chip);
}

static void notify(struct vmm__lapic *lapic, const struct vmm__lapic *from)
{
	atomic_store(&lapic->news, 1);
	if (lapic != from)
		lapic->chip->kick(lapic->chip->opaque, lapic->index);
}

/* --- the 8259s --- */

static void pic_changed(void *opaque, uint32_t level)
{
	struct vmm__irqchip *chip = opaque;

	atomic_store(&chip->pic_level, level);
	for (uint32_t i = 0; i < chip->lapic_count; i++) {
		if (atomic_load(&chip->lapics[i]->takes_pic))
			notify(chip->lapics[i], NULL);
	}
}

void vmm__irqchip_add_pic(struct vmm__irqchip *chip)
{
	chip->has_pic = true;
	vmm__pic_init(&chip->pic, chip->host, pic_changed, chip);
}

/* --- events --- */

uint32_t vmm__lapic_events(struct vmm__lapic *lapic)
{
	return atomic_exchange(&lapic->events, 0);
}

void vmm__lapic_post_events(struct vmm__lapic *lapic, uint32_t events)
{
	atomic_fetch_or(&lapic->events, events);
	atomic_store(&lapic->news, 1);
}

/* 11.4.7.3, 9.4.3: INIT forgets a start-up that came before it, and of several that follow it the
 * first one counts. */
static uint32_t add_event(uint32_t events, const struct vmm__message *message)
{
	switch (message->mode) {
	case VMM__DELIVER_NMI:
		return events | VMM__EVENT_NMI;
	case VMM__DELIVER_INIT:
		return (events & VMM__EVENT_NMI) | VMM__EVENT_INIT;
	default:
		if (events & VMM__EVENT_SIPI)
			return events;
		return events | VMM__EVENT_SIPI | message->vector;
	}
}

static void accept_event(struct vmm__lapic *lapic, const struct vmm__message *message)
{
	uint32_t old = atomic_load(&lapic->events);

	while (!atomic_compare_exchange_weak(&lapic->events, &old, add_event(old, message)))
		;
}

/* --- one APIC --- */

static void request(struct vmm__lapic *lapic, const struct vmm__message *message)
{
	uint32_t word = message->vector / 32;
	uint32_t bit = UINT32_C(1) << message->vector % 32;

	/* Before the request, which makes it count (11.8.4). */
	if (message->level)
		atomic_fetch_or(&lapic->tmr[word], bit);
	else
		atomic_fetch_and(&lapic->tmr[word], ~bit);
	atomic_fetch_or(&lapic->irr[word], bit);
}

static bool takes_interrupts(const struct vmm__lapic *lapic)
{
	return vmm__lapic_is_on(lapic) &&
	       (lapic->direct || (atomic_load(&lapic->svr) & SVR_ENABLE) != 0);
}

bool vmm__lapic_accept(struct vmm__lapic *lapic, const struct vmm__lapic *from,
		       const struct vmm__message *message)
{
	switch (message->mode) {
	case VMM__DELIVER_FIXED:
	case VMM__DELIVER_LOWEST:
		/* 11.5.2: vectors below 16 are illegal */
		if (message->vector < 16 || !takes_interrupts(lapic))
			return false;
		if (lapic->direct) { /* its EOI is not seen: a level counts when it rises */
			lapic->chip->post(lapic->chip->opaque, lapic->index, message->vector);
			return false;
		}
		request(lapic, message);
		break;
	case VMM__DELIVER_NMI:
	case VMM__DELIVER_INIT:
	case VMM__DELIVER_SIPI:
		accept_event(lapic, message);
		break;
	default: /* there is no SMM, and the 8259s are at LINT0, not behind the IOAPIC */
		return false;
	}
	notify(lapic, from);
	return true;
}

/* --- destinations --- */

static bool is_broadcast(const struct vmm__lapic *target, const struct vmm__lapic *from,
			 const struct vmm__message *message)
{
	if (message->x2)
		return message->destination == UINT32_MAX;
	/* To an x2APIC 255 of a message is an ID like others; of an IPI it cannot be. */
	return message->destination == 0xff && (from != NULL || !vmm__lapic_is_x2(target));
}

/* 11.6.2.2, 11.12.10.2 */
static bool is_in_group(const struct vmm__lapic *target, uint32_t destination)
{
	uint32_t ldr = atomic_load(&target->ldr);

	if (vmm__lapic_is_x2(target))
		return ldr >> 16 == destination >> 16 && (ldr & destination & 0xffff) != 0;
	ldr >>= 24;
	if (destination > 0xff)
		return false;
	if (atomic_load(&target->dfr) >> 28 == 0xf)
		return (ldr & destination) != 0;
	return ldr >> 4 == destination >> 4 && (ldr & destination & 0xf) != 0;
}

static bool is_meant(const struct vmm__lapic *target, const struct vmm__lapic *from,
		     const struct vmm__message *message)
{
	uint32_t id = vmm__lapic_is_x2(target) ? target->id : target->id & 0xff;

	if (!vmm__lapic_is_on(target))
		return false;
	if (is_broadcast(target, from, message))
		return true;
	return message->logical ? is_in_group(target, message->destination)
				: id == message->destination;
}

/* To the first that takes it, of those behind the first @skip. False: nobody was asked. */
static bool offer(struct vmm__irqchip *chip, struct vmm__lapic *from,
		  const struct vmm__message *message, uint32_t skip, bool *taken)
{
	for (uint32_t i = 0; i < chip->lapic_count; i++) {
		struct vmm__lapic *target = chip->lapics[i];

		if (!takes_interrupts(target) || !is_meant(target, from, message) || skip-- != 0)
			continue;
		skip = 0;
		*taken = vmm__lapic_accept(target, from, message);
		if (*taken || target->direct)
			return true;
	}
	return false;
}

/*
 * Any of them may be chosen; spread by vector, so that one vector stays with one of them. Others
 * may switch their APICs off meanwhile: then any one is.
 */
static bool send_to_one(struct vmm__irqchip *chip, struct vmm__lapic *from,
			const struct vmm__message *message)
{
	uint32_t count = 0;
	bool taken = false;

	for (uint32_t i = 0; i < chip->lapic_count; i++)
		count += takes_interrupts(chip->lapics[i]) &&
			 is_meant(chip->lapics[i], from, message);
	if (count != 0 && !offer(chip, from, message, message->vector % count, &taken))
		offer(chip, from, message, 0, &taken);
	return taken;
}

bool vmm__irqchip_send(struct vmm__irqchip *chip, struct vmm__lapic *from,
		       const struct vmm__message *message)
{
	bool taken = false;

	if (message->mode == VMM__DELIVER_LOWEST)
		return send_to_one(chip, from, message);
	for (uint32_t i = 0; i < chip->lapic_count; i++) {
		if (is_meant(chip->lapics[i], from, message))
			taken |= vmm__lapic_accept(chip->lapics[i], from, message);
	}
	return taken;
}

/* --- IPIs --- */

static void send_by_shorthand(struct vmm__lapic *from, const struct vmm__message *message,
			      uint32_t shorthand)
{
	struct vmm__irqchip *chip = from->chip;

	if (shorthand == TO_SELF) {
		vmm__lapic_accept(from, from, message);
		return;
	}
	for (uint32_t i = 0; i < chip->lapic_count; i++) {
		struct vmm__lapic *target = chip->lapics[i];

		if (vmm__lapic_is_on(target) && (target != from || shorthand == TO_ALL))
			vmm__lapic_accept(target, from, message);
	}
}

void vmm__lapic_send_ipi(struct vmm__lapic *lapic)
{
	uint32_t icr = lapic->icr;
	uint32_t shorthand = (uint32_t)FIELD_GET(ICR_SHORTHAND, icr);
	bool x2 = vmm__lapic_is_x2(lapic);
	const struct vmm__message message = {
		.destination = x2 ? lapic->icr_high : lapic->icr_high >> 24,
		.vector = icr & ICR_VECTOR,
		.mode = (uint32_t)FIELD_GET(ICR_MODE, icr),
		.logical = (icr & ICR_LOGICAL) != 0,
		.x2 = x2,
	};
	bool plain = message.mode <= VMM__DELIVER_LOWEST;

	/* The end of an INIT by level, which nothing has waited for since the Pentium 4 (11.6.1) */
	if (message.mode == VMM__DELIVER_INIT && icr & ICR_TRIGGER && !(icr & ICR_LEVEL))
		return;
	if (plain && message.vector < 16)
		vmm__lapic_error(lapic, ESR_SEND_ILLEGAL);
	else if (shorthand != 0)
		send_by_shorthand(lapic, &message, shorthand);
	else
		vmm__irqchip_send(lapic->chip, lapic, &message);
}

/* --- messages (11.11) --- */

void vmm__irqchip_msi(struct vmm__irqchip *chip, uint64_t addr, uint32_t data)
{
	struct vmm__message message = {
		.destination = (uint32_t)FIELD_GET(BITS(19, 12), addr) |
			       ((uint32_t)(addr >> 32) & 0xffffff00),
		.vector = data & 0xff,
		.mode = (uint32_t)FIELD_GET(BITS(10, 8), data),
		.logical = (addr & BIT(2)) != 0,
		.level = (data & BIT(15)) != 0,
	};

	/* A level that falls is no interrupt. */
	if (message.level && !(data & BIT(14)))
		return;
	/* The redirection hint: one of those that are named (11.11.1). */
	if (message.mode == VMM__DELIVER_FIXED && addr & BIT(3))
		message.mode = VMM__DELIVER_LOWEST;
	vmm__irqchip_send(chip, NULL, &message);
}

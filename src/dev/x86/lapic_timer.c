// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The APIC's timer (SDM 3A 11.5.4). It counts at 1 GHz before it is divided, as KVM's does: a count
 * is a nanosecond. Nothing runs while it counts: what it reads is worked out from when it expires.
 */
#include "bits.h"
#include "irqchip.h"

/* Bits 18:17 of the timer's entry. */
#define MODE          (UINT32_C(3) << 17)
#define MODE_PERIODIC (UINT32_C(1) << 17)
#define MODE_DEADLINE (UINT32_C(2) << 17)

/* A periodic timer below this would leave no time for the guest itself. */
#define SHORTEST_PERIOD_NS UINT64_C(100000)

static bool means_deadline(uint32_t lvt)
{
	return (lvt & MODE) == MODE_DEADLINE;
}

bool vmm__timer_is_deadline(const struct vmm__lapic *lapic)
{
	return means_deadline(lapic->lvt[VMM__LVT_TIMER]);
}

static bool is_periodic(const struct vmm__lapic *l)
{
	return (l->lvt[VMM__LVT_TIMER] & MODE) == MODE_PERIODIC;
}

/* Figure 11-10: 000 divides by 2, 110 by 128, 111 by 1. */
static uint32_t divide_shift(const struct vmm__lapic *l)
{
	uint32_t code = (l->divide & 3) | (l->divide & 8) >> 1;

	return (code + 1) & 7;
}

static uint64_t period(const struct vmm__lapic *l)
{
	uint64_t ns = (uint64_t)l->initial_count << divide_shift(l);

	return ns < SHORTEST_PERIOD_NS ? SHORTEST_PERIOD_NS : ns;
}

static void start(struct vmm__lapic *l, const struct vmm__lapic_now *now, uint32_t count)
{
	l->expiry_ns = count == 0 ? 0 : now->ns + ((uint64_t)count << divide_shift(l));
}

uint32_t vmm__timer_current(const struct vmm__lapic *lapic, const struct vmm__lapic_now *now)
{
	uint64_t left = 0;

	if (lapic->expiry_ns == 0)
		return 0;
	if (now->ns < lapic->expiry_ns)
		left = lapic->expiry_ns - now->ns;
	else if (is_periodic(lapic))
		left = period(lapic) - (now->ns - lapic->expiry_ns) % period(lapic);
	left >>= divide_shift(lapic);
	return left > lapic->initial_count ? lapic->initial_count : (uint32_t)left;
}

/* 11.5.4.1: a change to or from the deadline's mode disarms it. */
void vmm__timer_set_mode(struct vmm__lapic *lapic, uint32_t old)
{
	if (means_deadline(old) == vmm__timer_is_deadline(lapic))
		return;
	lapic->expiry_ns = 0;
	lapic->initial_count = 0;
	lapic->deadline_tsc = 0;
}

void vmm__timer_set_count(struct vmm__lapic *lapic, const struct vmm__lapic_now *now,
			  uint32_t count)
{
	if (vmm__timer_is_deadline(lapic))
		return;
	lapic->initial_count = count;
	start(lapic, now, count);
}

void vmm__timer_set_divide(struct vmm__lapic *lapic, const struct vmm__lapic_now *now,
			   uint32_t divide)
{
	uint32_t current = vmm__timer_current(lapic, now);

	vmm__lapic_tick(lapic, now);
	lapic->divide = divide & 0xb;
	if (lapic->expiry_ns != 0)
		start(lapic, now, current == 0 ? 1 : current);
}

void vmm__timer_resume(struct vmm__lapic *lapic, const struct vmm__lapic_now *now, uint32_t current)
{
	lapic->expiry_ns = 0;
	if (vmm__timer_is_deadline(lapic) || lapic->initial_count == 0)
		return;
	if (current == 0 && is_periodic(lapic))
		current = lapic->initial_count;
	start(lapic, now, current > lapic->initial_count ? lapic->initial_count : current);
}

/* Rounded up, so that the time has come when they have gone by. No product passes 64 bits, and no
 * division is of more. */
static uint64_t tsc_to_ns(uint64_t ticks, uint32_t khz)
{
	uint64_t ms = khz != 0 ? ticks / khz : UINT64_MAX;

	if (ms > UINT64_MAX / 2000000)
		return UINT64_MAX;
	return ms * 1000000 + (ticks % khz * 1000000 + khz - 1) / khz;
}

uint64_t vmm__lapic_deadline(const struct vmm__lapic *lapic, const struct vmm__lapic_now *now)
{
	uint64_t ns;

	/* What is masked expires unseen: nobody need wake up for it. */
	if (lapic->lvt[VMM__LVT_TIMER] & VMM__LVT_MASKED)
		return VMM_FOREVER;
	if (!vmm__timer_is_deadline(lapic))
		return lapic->expiry_ns != 0 ? lapic->expiry_ns : VMM_FOREVER;
	if (lapic->deadline_tsc == 0)
		return VMM_FOREVER;
	if (now->tsc >= lapic->deadline_tsc)
		return now->ns;
	ns = tsc_to_ns(lapic->deadline_tsc - now->tsc, lapic->tsc_khz);
	return ns > VMM_FOREVER - now->ns ? VMM_FOREVER : now->ns + ns;
}

/* Whether it has expired; what comes next has been set up. */
static bool expire(struct vmm__lapic *l, const struct vmm__lapic_now *now)
{
	if (vmm__timer_is_deadline(l)) {
		if (l->deadline_tsc == 0 || now->tsc < l->deadline_tsc)
			return false;
		l->deadline_tsc = 0;
		return true;
	}
	if (l->expiry_ns == 0 || now->ns < l->expiry_ns)
		return false;
	if (is_periodic(l))
		l->expiry_ns += ((now->ns - l->expiry_ns) / period(l) + 1) * period(l);
	else
		l->expiry_ns = 0;
	return true;
}

void vmm__lapic_tick(struct vmm__lapic *lapic, const struct vmm__lapic_now *now)
{
	if (!expire(lapic, now))
		return;
	vmm__lapic_raise(lapic, VMM__LVT_TIMER);
	vmm__lapic_update(lapic);
}

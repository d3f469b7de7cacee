/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Local APICs and an IOAPIC, for engines that bring no controller of their own (VMM_IRQCHIP_ARCH).
 * Internal; this is the manual for who writes such an engine.
 *
 *   storage   one struct vmm__irqchip a VM, one struct vmm__lapic a vCPU, the engine's own
 *   making    vmm__irqchip_init(), then for each vCPU vmm__lapic_init(); vmm__irqchip_reset() and
 *             vmm__lapic_reset() at power-on
 *   entering  vmm__lapic_news() is one load. If it says so: vmm__lapic_events() for NMI, INIT and
 *             start-up, and vmm__lapic_update(). Then vmm__lapic_next() says whether there is an
 *             interrupt to be delivered; vmm__lapic_take() gives its vector, when it is handed to
 *             the processor.
 *   exits     registers by vmm__lapic_read() and _write() (the page at vmm__lapic_page(), and
 *             MSRs), CR8 by vmm__lapic_set_cr8(); the IOAPIC's page by vmm__ioapic_read(), _write()
 *   time      vmm__lapic_deadline() says when to call vmm__lapic_tick() next
 *   8259s     vmm__irqchip_add_pic() before the vCPUs are made; their ports by vmm__pic_read() and
 *             _write()
 *
 * Who may call what
 *   Functions of struct vmm__lapic are the owner's: whoever runs the vCPU, or accesses its state
 *   while nobody does. What other CPUs do to a vCPU goes through three fields alone: they set bits
 *   in irr and tmr, add to events, and then store 1 to news and call kick(). The owner stores 0 to
 *   news first and looks at irr and events afterwards, so that nothing is left unseen.
 *   vmm__irqchip_line() and vmm__irqchip_msi() may be called from anywhere; the IOAPIC has a lock
 *   of its own, under which nothing waits.
 *
 * Sources: Intel SDM 3A, chapter 11 ("APIC"), AMD APM 2, chapter 16, and the 82093AA's data sheet
 * (IOAPIC). The version and the number of LVT entries are those of KVM's controller, and so is what
 * the IOAPIC can do, since a guest that has looked keeps what it saw when it moves between engines.
 */
#ifndef VMM_DEV_IRQCHIP_H
#define VMM_DEV_IRQCHIP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libvmm/host.h"
#include "libvmm/x86.h"
#include "pic.h"
#include "sync.h"

#define VMM__IOAPIC_PINS 24
#define VMM__IOAPIC_BASE UINT64_C(0xfec00000)
#define VMM__LAPIC_BASE  UINT64_C(0xfee00000)

/* Registers by number: offset in the page / 16, or MSR - 0x800. */
#define VMM__LAPIC_MSR_FIRST  0x800u
#define VMM__LAPIC_MSR_LAST   0x8ffu
#define VMM__MSR_APIC_BASE    0x1bu
#define VMM__MSR_TSC_DEADLINE 0x6e0u
#define VMM__APIC_BASE_BSP    UINT64_C(0x100)
#define VMM__APIC_BASE_EXTD   UINT64_C(0x400)
#define VMM__APIC_BASE_EN     UINT64_C(0x800)

/* vmm__lapic_events(): the start-up vector stands in the low byte. */
#define VMM__EVENT_SIPI (UINT32_C(1) << 8)
#define VMM__EVENT_INIT (UINT32_C(1) << 9)
#define VMM__EVENT_NMI  (UINT32_C(1) << 10)

struct vmm__irqchip;

/* The time, as a vCPU's timer needs it. */
struct vmm__lapic_now {
	uint64_t ns;  /* the host's monotonic clock */
	uint64_t tsc; /* the guest's */
};

struct vmm__lapic {
	/* Written by anyone. */
	_Alignas(VMM__CACHE_LINE) _Atomic uint32_t news;
	_Atomic uint32_t events;
	_Atomic uint32_t irr[8];
	_Atomic uint32_t tmr[8];

	/* Written by the owner; read by those who look for a destination. */
	_Alignas(VMM__CACHE_LINE) _Atomic uint32_t ldr;
	_Atomic uint32_t dfr;
	_Atomic uint32_t svr;
	_Atomic uint32_t takes_pic; /* the 8259s' output goes through to the processor */
	_Atomic uint64_t base;      /* IA32_APIC_BASE */

	/* The owner's. */
	struct vmm__irqchip *chip;
	uint32_t index;
	uint32_t id;
	bool direct;  /* before it runs: only events and destinations are looked after here */
	int32_t next; /* vmm__lapic_next() */
	uint32_t tpr;
	uint32_t isr[8];
	uint32_t esr;        /* as the guest reads it */
	uint32_t esr_latent; /* since it was last written */
	uint32_t icr, icr_high;
	uint32_t lvt[6]; /* from 0x320 on: timer, thermal, performance, LINT0, LINT1, error */
	uint32_t initial_count;
	uint32_t divide;
	uint32_t tsc_khz;
	uint64_t expiry_ns;    /* of the counting modes; 0: stopped */
	uint64_t deadline_tsc; /* IA32_TSC_DEADLINE; 0: none */
};

struct vmm__ioapic {
	struct vmm__mutex lock; /* of all below */
	uint32_t id;
	uint32_t select;
	uint32_t lines; /* levels by pin */
	uint64_t redirection[VMM__IOAPIC_PINS];
};

struct vmm__irqchip {
	const struct vmm_host *host;
	/* The vCPU has news: let it look. Called by anyone, under any lock; not for what a vCPU
	 * sends itself. */
	void (*kick)(void *opaque, uint32_t index);
	/* To a vCPU whose lapic is @direct, an interrupt by the processor's own means. The same
	 * holds for it. */
	void (*post)(void *opaque, uint32_t index, uint32_t vector);
	void *opaque;
	uint32_t room;
	uint32_t lapic_count;       /* those that vmm__lapic_init() has added */
	struct vmm__lapic **lapics; /* ascending by creation; fixed once the VM is sealed */
	struct vmm__ioapic ioapic;
	bool has_pic;
	_Atomic uint32_t pic_level; /* the 8259s' output */
	struct vmm__pic pic;
};

/* @lapics: room for so many pointers, the engine's. */
void vmm__irqchip_init(struct vmm__irqchip *chip, const struct vmm_host *host,
		       struct vmm__lapic **lapics, uint32_t room,
		       void (*kick)(void *opaque, uint32_t index), void *opaque);
/* A pair of 8259s as well, on lines 0 to 15, whose output is at LINT0 of all APICs: "virtual wire
 * mode" (MP Specification 1.4, 3.6.2.2). The first APIC's LINT0 is ExtINT from reset on, as KVM's
 * is, for guests that do not know of APICs. */
void vmm__irqchip_add_pic(struct vmm__irqchip *chip);
/* IOAPIC and 8259s as at power-on. */
void vmm__irqchip_reset(struct vmm__irqchip *chip);

/* Give a vCPU its APIC, before anything runs. False: there is no room. */
bool vmm__lapic_init(struct vmm__lapic *lapic, struct vmm__irqchip *chip, uint32_t index,
		     uint32_t apic_id, uint32_t tsc_khz);
/* As at power-on; IA32_APIC_BASE too, with the BSP's bit for index 0. */
void vmm__lapic_reset(struct vmm__lapic *lapic);
/* What INIT does: IA32_APIC_BASE, ID and what has been posted as an event stay (SDM 3A 11.4.7.3).
 */
void vmm__lapic_reset_by_init(struct vmm__lapic *lapic);

/* --- the way into the guest --- */

static inline bool vmm__lapic_news(const struct vmm__lapic *lapic)
{
	return atomic_load_explicit(&lapic->news, memory_order_acquire) != 0;
}

/* Work out once more what is to be delivered. After vmm__lapic_news(), and within this library
 * after every change. */
void vmm__lapic_update(struct vmm__lapic *lapic);

/* In the place of a vector: that of the 8259s, which they give when it is taken. They come first,
 * and do not know of priorities. */
#define VMM__LAPIC_EXTINT 0x100

/* Vector above the processor's priority, VMM__LAPIC_EXTINT, or -1. */
static inline int vmm__lapic_next(const struct vmm__lapic *lapic)
{
	return lapic->next;
}

/* The next one is being delivered: from IRR to ISR, or INTA to the 8259s. Its vector, or -1. */
int vmm__lapic_take(struct vmm__lapic *lapic);
/* The opposite, for one that was taken and could not be delivered after all; not for an ExtINT. */
void vmm__lapic_untake(struct vmm__lapic *lapic, uint32_t vector);

/* VMM__EVENT_ bits since the last call. INIT comes before a start-up. */
uint32_t vmm__lapic_events(struct vmm__lapic *lapic);
/* Put some back, of a vCPU that cannot take them now: an NMI while NMIs are blocked. */
void vmm__lapic_post_events(struct vmm__lapic *lapic, uint32_t events);

/* --- registers --- */

/* The page of the registers, or UINT64_MAX while there is none. */
static inline uint64_t vmm__lapic_page(const struct vmm__lapic *lapic)
{
	uint64_t base = atomic_load_explicit(&lapic->base, memory_order_relaxed);
	uint64_t mode = base & (VMM__APIC_BASE_EN | VMM__APIC_BASE_EXTD);

	return mode == VMM__APIC_BASE_EN ? base & ~UINT64_C(0xfff) : UINT64_MAX;
}

/* Reading there wants to know the time: the timer's current count. */
static inline bool vmm__lapic_counts(uint32_t offset)
{
	return offset / 16 == 0x39;
}

/* An access of @width bytes at @offset of the page. What has no meaning reads 0 and is not written.
 * @now is not looked at where a read does not want it. */
void vmm__lapic_read(struct vmm__lapic *lapic, const struct vmm__lapic_now *now, uint32_t offset,
		     uint32_t width, uint64_t *value);
void vmm__lapic_write(struct vmm__lapic *lapic, const struct vmm__lapic_now *now, uint32_t offset,
		      uint32_t width, uint64_t value);

/* IA32_APIC_BASE, IA32_TSC_DEADLINE and the x2APIC's. False: #GP. @phys_bits: the guest's. */
bool vmm__lapic_read_msr(struct vmm__lapic *lapic, const struct vmm__lapic_now *now, uint32_t msr,
			 uint64_t *value);
bool vmm__lapic_write_msr(struct vmm__lapic *lapic, const struct vmm__lapic_now *now, uint32_t msr,
			  uint64_t value, uint32_t phys_bits);

/* CR8 is the upper half of the task priority. */
static inline uint64_t vmm__lapic_cr8(const struct vmm__lapic *lapic)
{
	return lapic->tpr >> 4;
}
void vmm__lapic_set_cr8(struct vmm__lapic *lapic, uint64_t cr8);

/* --- time --- */

/* When the timer next expires, on the host's clock; VMM_FOREVER: it does not. */
uint64_t vmm__lapic_deadline(const struct vmm__lapic *lapic, const struct vmm__lapic_now *now);
/* Let it expire if it is time. */
void vmm__lapic_tick(struct vmm__lapic *lapic, const struct vmm__lapic_now *now);

/* --- interrupts from outside --- */

/* A pin's level; a change may send an interrupt. @pin is below VMM__IOAPIC_PINS. */
void vmm__irqchip_line(struct vmm__irqchip *chip, uint32_t pin, uint32_t level);
/* A message to 0xfee.....; the destination's bits above 7 stand in the address's upper half. */
void vmm__irqchip_msi(struct vmm__irqchip *chip, uint64_t addr, uint32_t data);
void vmm__ioapic_read(struct vmm__irqchip *chip, uint32_t offset, uint32_t width, uint64_t *value);
void vmm__ioapic_write(struct vmm__irqchip *chip, uint32_t offset, uint32_t width, uint64_t value);

/* --- saved state --- */

/* Of a vCPU that does not run. Saved IA32_APIC_BASE is set first, by vmm__lapic_restore_base(). */
void vmm__lapic_get(const struct vmm__lapic *lapic, const struct vmm__lapic_now *now,
		    struct vmm_x86_lapic *state);
void vmm__lapic_set(struct vmm__lapic *lapic, const struct vmm__lapic_now *now,
		    const struct vmm_x86_lapic *state);
/* IA32_APIC_BASE without the rules for guests on the way from one mode to another. False: there is
 * no such value. */
bool vmm__lapic_restore_base(struct vmm__lapic *lapic, uint64_t base, uint32_t phys_bits);
void vmm__ioapic_get(struct vmm__irqchip *chip, struct vmm_x86_ioapic *state);
/* False: the base is not where it always is. */
bool vmm__ioapic_set(struct vmm__irqchip *chip, const struct vmm_x86_ioapic *state);

/* --- between the files of this directory --- */

/* An interrupt on its way. */
struct vmm__message {
	uint32_t destination;
	uint32_t vector;
	uint32_t mode; /* VMM__DELIVER_ */
	bool logical;
	bool level;
	bool x2; /* the sender's destinations have 32 bits */
};

#define VMM__DELIVER_FIXED  0
#define VMM__DELIVER_LOWEST 1
#define VMM__DELIVER_SMI    2
#define VMM__DELIVER_NMI    4
#define VMM__DELIVER_INIT   5
#define VMM__DELIVER_SIPI   6
#define VMM__DELIVER_EXTINT 7

/* To all that it names. @from: the sender, or NULL. False: nobody takes it. */
bool vmm__irqchip_send(struct vmm__irqchip *chip, struct vmm__lapic *from,
		       const struct vmm__message *message);
/* To one. False: it does not take it. */
bool vmm__lapic_accept(struct vmm__lapic *lapic, const struct vmm__lapic *from,
		       const struct vmm__message *message);
/* ICR's low half has been written. */
void vmm__lapic_send_ipi(struct vmm__lapic *lapic);
void vmm__ioapic_eoi(struct vmm__irqchip *chip, uint32_t vector);
/* One of the lvt[] raises its interrupt. */
void vmm__lapic_raise(struct vmm__lapic *lapic, uint32_t entry);
void vmm__lapic_error(struct vmm__lapic *lapic, uint32_t error);

#define VMM__LVT_TIMER  0
#define VMM__LVT_ERROR  5
#define VMM__LVT_MASKED (UINT32_C(1) << 16)

/* --- timer registers: lapic_timer.c --- */

void vmm__timer_set_mode(struct vmm__lapic *lapic, uint32_t old);
void vmm__timer_set_count(struct vmm__lapic *lapic, const struct vmm__lapic_now *now,
			  uint32_t count);
void vmm__timer_set_divide(struct vmm__lapic *lapic, const struct vmm__lapic_now *now,
			   uint32_t divide);
uint32_t vmm__timer_current(const struct vmm__lapic *lapic, const struct vmm__lapic_now *now);
/* Go on counting from @current, as saved. */
void vmm__timer_resume(struct vmm__lapic *lapic, const struct vmm__lapic_now *now,
		       uint32_t current);
bool vmm__timer_is_deadline(const struct vmm__lapic *lapic);

static inline bool vmm__lapic_is_x2(const struct vmm__lapic *lapic)
{
	return (atomic_load_explicit(&lapic->base, memory_order_relaxed) & VMM__APIC_BASE_EXTD) !=
	       0;
}

static inline bool vmm__lapic_is_on(const struct vmm__lapic *lapic)
{
	return (atomic_load_explicit(&lapic->base, memory_order_relaxed) & VMM__APIC_BASE_EN) != 0;
}

#endif

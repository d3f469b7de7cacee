// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * A local APIC's registers and priorities. Section numbers are those of the Intel SDM, volume 3A;
 * the AMD APM's chapter 16 says the same where nothing else is said.
 */
#include "bits.h"
#include "irqchip.h"
#include "mem.h"

/* Register numbers: offset in the page / 16, or MSR - 0x800 (table 11-1, table 11-6). */
#define REG_ID       0x02
#define REG_VERSION  0x03
#define REG_TPR      0x08
#define REG_PPR      0x0a
#define REG_EOI      0x0b
#define REG_LDR      0x0d
#define REG_DFR      0x0e
#define REG_SVR      0x0f
#define REG_ISR      0x10
#define REG_TMR      0x18
#define REG_IRR      0x20
#define REG_ESR      0x28
#define REG_LATENT   0x29 /* of the saved state only: x86.h */
#define REG_ICR      0x30
#define REG_ICR_HIGH 0x31
#define REG_LVT      0x32
#define REG_LVT_LAST 0x37
#define REG_INITIAL  0x38
#define REG_CURRENT  0x39
#define REG_DIVIDE   0x3e
#define REG_SELF     0x3f
#define REG_END      0x40

/* 11.4.8: an integrated APIC with six LVT entries. */
#define VERSION 0x00050014u

/* 11.9 */
#define SVR_ENABLE BIT(8)

/* 11.5.3 */
#define ESR_SEND_ILLEGAL 0x20u
#define ESR_BITS         0xffu

/* Bits that can be written, by entry of lvt[] (figure 11-8). */
static const uint32_t lvt_bits[6] = {
	0x000700ff, /* timer: vector, mask, mode */
	0x000107ff, /* thermal sensor: vector, delivery mode, mask */
	0x000107ff, /* performance counters */
	0x0001a7ff, /* LINT0: and polarity, trigger mode */
	0x0001a7ff, /* LINT1 */
	0x000100ff, /* error: vector, mask */
};

/* In x2APIC mode a write of others is #GP (11.12.1.2). */
#define LVT_LINT0  3
#define LVT_WIRED  (VMM__LVT_MASKED | 0x700u)
#define LVT_EXTINT 0x700u

#define SVR_BITS 0x3ffu
#define TPR_BITS 0xffu

/* Figure 11-12, but for what is read-only. */
#define ICR_BITS 0x000ccfffu

static int highest(const uint32_t bits[8])
{
	for (int i = 7; i >= 0; i--) {
		if (bits[i] != 0)
			return 32 * i + 31 - __builtin_clz(bits[i]);
	}
	return -1;
}

static int highest_request(const struct vmm__lapic *l)
{
	for (int i = 7; i >= 0; i--) {
		uint32_t bits = atomic_load(&l->irr[i]);

		if (bits != 0)
			return 32 * i + 31 - __builtin_clz(bits);
	}
	return -1;
}

/* 11.8.3.1 */
static uint32_t priority(const struct vmm__lapic *l)
{
	int in_service = highest(l->isr);
	uint32_t isrv = in_service < 0 ? 0 : (uint32_t)in_service & 0xf0;

	return (l->tpr & 0xf0) >= isrv ? l->tpr : isrv;
}

/* 11.5.1: LINT0 in ExtINT mode; without an APIC the pin is the processor's INTR. */
static bool is_pic_wired(const struct vmm__lapic *l)
{
	return !vmm__lapic_is_on(l) || (l->lvt[LVT_LINT0] & LVT_WIRED) == LVT_EXTINT;
}

/* Says so before it looks: who raises the output looks afterwards who takes it. */
static bool has_extint(struct vmm__lapic *l)
{
	if (!l->chip->has_pic)
		return false;
	atomic_store(&l->takes_pic, is_pic_wired(l));
	return atomic_load(&l->takes_pic) != 0 && atomic_load(&l->chip->pic_level) != 0;
}

void vmm__lapic_update(struct vmm__lapic *lapic)
{
	int request;

	atomic_store(&lapic->news, 0);
	request = vmm__lapic_is_on(lapic) ? highest_request(lapic) : -1;
	lapic->next = -1;
	if (has_extint(lapic))
		lapic->next = VMM__LAPIC_EXTINT;
	else if (request >= 0 && ((uint32_t)request & 0xf0) > (priority(lapic) & 0xf0))
		lapic->next = request;
	/* Events have not been looked at. */
	if (atomic_load(&lapic->events) != 0)
		atomic_store(&lapic->news, 1);
}

int vmm__lapic_take(struct vmm__lapic *lapic)
{
	int vector = lapic->next;
	uint32_t word = (uint32_t)vector / 32, bit = UINT32_C(1) << (uint32_t)vector % 32;

	if (vector < 0)
		return -1;
	if (vector == VMM__LAPIC_EXTINT) {
		vector = vmm__pic_acknowledge(&lapic->chip->pic);
	} else {
		lapic->isr[word] |= bit;
		atomic_fetch_and(&lapic->irr[word], ~bit);
	}
	vmm__lapic_update(lapic);
	return vector;
}

void vmm__lapic_untake(struct vmm__lapic *lapic, uint32_t vector)
{
	vector &= 0xff;
	lapic->isr[vector / 32] &= ~(UINT32_C(1) << vector % 32);
	atomic_fetch_or(&lapic->irr[vector / 32], UINT32_C(1) << vector % 32);
	vmm__lapic_update(lapic);
}

/* 11.8.5 */
static void end_of_interrupt(struct vmm__lapic *l)
{
	int vector = highest(l->isr);
	uint32_t word, bit;

	if (vector < 0)
		return;
	word = (uint32_t)vector / 32;
	bit = UINT32_C(1) << (uint32_t)vector % 32;
	l->isr[word] &= ~bit;
	if (atomic_load(&l->tmr[word]) & bit)
		vmm__ioapic_eoi(l->chip, (uint32_t)vector);
}

void vmm__lapic_set_cr8(struct vmm__lapic *lapic, uint64_t cr8)
{
	lapic->tpr = (uint32_t)(cr8 & 0xf) << 4;
	vmm__lapic_update(lapic);
}

/* --- interrupts of its own --- */

void vmm__lapic_raise(struct vmm__lapic *lapic, uint32_t entry)
{
	uint32_t lvt = lapic->lvt[entry];

	if (lvt & VMM__LVT_MASKED)
		return;
	vmm__lapic_accept(lapic, lapic, &(struct vmm__message){.vector = lvt & 0xff});
}

void vmm__lapic_error(struct vmm__lapic *lapic, uint32_t error)
{
	bool first = (lapic->esr_latent & error) == 0;

	lapic->esr_latent |= error;
	if (first)
		vmm__lapic_raise(lapic, VMM__LVT_ERROR);
}

/* --- registers --- */

static uint32_t read_register(const struct vmm__lapic *l, const struct vmm__lapic_now *now,
			      uint32_t reg)
{
	switch (reg) {
	case REG_ID:
		return vmm__lapic_is_x2(l) ? l->id : l->id << 24;
	case REG_VERSION:
		return VERSION;
	case REG_TPR:
		return l->tpr;
	case REG_PPR:
		return priority(l);
	case REG_LDR:
		return atomic_load(&l->ldr);
	case REG_DFR:
		return atomic_load(&l->dfr);
	case REG_SVR:
		return atomic_load(&l->svr);
	case REG_ESR:
		return l->esr;
	case REG_ICR:
		return l->icr;
	case REG_ICR_HIGH:
		return l->icr_high;
	case REG_INITIAL:
		return vmm__timer_is_deadline(l) ? 0 : l->initial_count;
	case REG_CURRENT:
		return vmm__timer_current(l, now);
	case REG_DIVIDE:
		return l->divide;
	}
	if (reg >= REG_ISR && reg < REG_TMR)
		return l->isr[reg - REG_ISR];
	if (reg >= REG_TMR && reg < REG_IRR)
		return atomic_load(&l->tmr[reg - REG_TMR]);
	if (reg >= REG_IRR && reg < REG_ESR)
		return atomic_load(&l->irr[reg - REG_IRR]);
	if (reg >= REG_LVT && reg <= REG_LVT_LAST)
		return l->lvt[reg - REG_LVT];
	return 0;
}

/* 11.4.7.2: without the enable bit all entries are masked, and stay so. */
static void write_svr(struct vmm__lapic *l, uint32_t value)
{
	atomic_store(&l->svr, value & SVR_BITS);
	for (uint32_t i = 0; i < ARRAY_SIZE(l->lvt) && !(value & SVR_ENABLE); i++)
		l->lvt[i] |= VMM__LVT_MASKED;
}

static void write_lvt(struct vmm__lapic *l, const struct vmm__lapic_now *now, uint32_t entry,
		      uint32_t value)
{
	uint32_t old = l->lvt[entry];

	if (entry == VMM__LVT_TIMER)
		vmm__lapic_tick(l, now);
	if (!(atomic_load(&l->svr) & SVR_ENABLE))
		value |= VMM__LVT_MASKED;
	l->lvt[entry] = value & lvt_bits[entry];
	if (entry == VMM__LVT_TIMER)
		vmm__timer_set_mode(l, old);
}

/* Of those that both modes have. What is read-only is not among them. */
static void write_register(struct vmm__lapic *l, const struct vmm__lapic_now *now, uint32_t reg,
			   uint32_t value)
{
	switch (reg) {
	case REG_TPR:
		l->tpr = value & TPR_BITS;
		break;
	case REG_EOI:
		end_of_interrupt(l);
		break;
	case REG_SVR:
		write_svr(l, value);
		break;
	case REG_ESR: /* 11.5.3: a write shows what has come since the last one */
		l->esr = l->esr_latent;
		l->esr_latent = 0;
		break;
	case REG_INITIAL:
		vmm__timer_set_count(l, now, value);
		break;
	case REG_DIVIDE:
		vmm__timer_set_divide(l, now, value);
		break;
	default:
		if (reg >= REG_LVT && reg <= REG_LVT_LAST)
			write_lvt(l, now, reg - REG_LVT, value);
		break;
	}
}

/* --- the page of xAPIC mode (11.4.1): aligned 32-bit accesses, the rest undefined --- */

void vmm__lapic_read(struct vmm__lapic *lapic, const struct vmm__lapic_now *now, uint32_t offset,
		     uint32_t width, uint64_t *value)
{
	uint32_t byte = offset & 0xf;

	*value = 0;
	if (offset / 16 >= REG_END || width > 4 || byte + width > 4)
		return;
	*value = (uint64_t)read_register(lapic, now, offset / 16) >> (8 * byte);
	*value &= UINT64_MAX >> (64 - 8 * width);
}

void vmm__lapic_write(struct vmm__lapic *lapic, const struct vmm__lapic_now *now, uint32_t offset,
		      uint32_t width, uint64_t value)
{
	uint32_t v = (uint32_t)value;

	if (offset / 16 >= REG_END || width != 4 || (offset & 0xf) != 0)
		return;
	switch (offset / 16) {
	case REG_LDR:
		atomic_store(&lapic->ldr, v & 0xff000000);
		break;
	case REG_DFR: /* 11.6.2.2: the lower bits are ones */
		atomic_store(&lapic->dfr, v | 0x0fffffff);
		break;
	case REG_ICR_HIGH:
		lapic->icr_high = v & 0xff000000;
		break;
	case REG_ICR:
		lapic->icr = v & ICR_BITS;
		vmm__lapic_send_ipi(lapic);
		break;
	case REG_SELF:
		break;
	default:
		write_register(lapic, now, offset / 16, v);
		break;
	}
	vmm__lapic_update(lapic);
}

/* --- MSRs --- */

static uint64_t base_bits(uint32_t phys_bits)
{
	/* Without CPUID 0x80000008 there are 36 (SDM 3A 4.1.4). */
	uint64_t page = BITS((phys_bits > 12 && phys_bits < 64 ? phys_bits : 36) - 1, 12);

	return page | VMM__APIC_BASE_BSP | VMM__APIC_BASE_EXTD | VMM__APIC_BASE_EN;
}

static uint32_t x2_ldr(const struct vmm__lapic *l) /* 11.12.10.2 */
{
	return (l->id >> 4) << 16 | UINT32_C(1) << (l->id & 0xf);
}

static void reset_registers(struct vmm__lapic *l)
{
	for (uint32_t i = 0; i < 8; i++) {
		atomic_store(&l->irr[i], 0);
		atomic_store(&l->tmr[i], 0);
		l->isr[i] = 0;
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(l->lvt); i++)
		l->lvt[i] = VMM__LVT_MASKED;
	if (l->chip->has_pic && l->index == 0)
		l->lvt[LVT_LINT0] = LVT_EXTINT;
	atomic_store(&l->ldr, vmm__lapic_is_x2(l) ? x2_ldr(l) : 0);
	atomic_store(&l->dfr, UINT32_MAX);
	atomic_store(&l->svr, 0xff);
	l->tpr = 0;
	l->esr = l->esr_latent = 0;
	l->icr = l->icr_high = 0;
	l->initial_count = 0;
	l->divide = 0;
	l->expiry_ns = 0;
	l->deadline_tsc = 0;
	vmm__lapic_update(l);
}

/* 11.12.5, figure 11-27: the ways from one mode to another. */
static bool may_change_mode(uint64_t from, uint64_t to)
{
	uint64_t both = VMM__APIC_BASE_EN | VMM__APIC_BASE_EXTD;

	from &= both;
	to &= both;
	if (to == VMM__APIC_BASE_EXTD)
		return false;
	if (to == both)
		return from != 0;
	return !(from == both && to == VMM__APIC_BASE_EN);
}

static void set_base(struct vmm__lapic *l, uint64_t value)
{
	uint64_t changed = atomic_load(&l->base) ^ value;

	atomic_store(&l->base, value);
	if (changed & VMM__APIC_BASE_EN && !(value & VMM__APIC_BASE_EN))
		reset_registers(l);
	if (changed & VMM__APIC_BASE_EXTD && value & VMM__APIC_BASE_EXTD)
		atomic_store(&l->ldr, x2_ldr(l));
	vmm__lapic_update(l);
}

bool vmm__lapic_restore_base(struct vmm__lapic *lapic, uint64_t base, uint32_t phys_bits)
{
	uint64_t both = VMM__APIC_BASE_EN | VMM__APIC_BASE_EXTD;

	if ((base & ~base_bits(phys_bits)) != 0 || (base & both) == VMM__APIC_BASE_EXTD)
		return false;
	set_base(lapic, base);
	return true;
}

static bool write_base(struct vmm__lapic *l, uint64_t value, uint32_t phys_bits)
{
	uint64_t old = atomic_load(&l->base);

	if ((value & ~base_bits(phys_bits)) != 0 || !may_change_mode(old, value))
		return false;
	set_base(l, value);
	return true;
}

/* Figure 11-28. Bit 12 has nothing to say there, and is dropped, as KVM does. */
#define X2_ICR_BITS UINT64_C(0xffffffff000cdfff)

static bool write_x2_icr(struct vmm__lapic *l, uint64_t value)
{
	if (value & ~X2_ICR_BITS)
		return false;
	l->icr = (uint32_t)value & ICR_BITS;
	l->icr_high = (uint32_t)(value >> 32);
	vmm__lapic_send_ipi(l);
	return true;
}

/* 11.12.11 */
static bool write_self_ipi(struct vmm__lapic *l, uint64_t value)
{
	if (value > 0xff)
		return false;
	if (value < 16)
		vmm__lapic_error(l, ESR_SEND_ILLEGAL);
	else
		vmm__lapic_accept(l, l, &(struct vmm__message){.vector = (uint32_t)value});
	return true;
}

/* Bits that may be written to a register in x2APIC mode; 0: none but zero itself. */
static uint64_t x2_bits(uint32_t reg)
{
	switch (reg) {
	case REG_TPR:
		return TPR_BITS;
	case REG_SVR:
		return SVR_BITS;
	case REG_INITIAL:
		return UINT32_MAX;
	case REG_DIVIDE:
		return 0xb;
	default:
		return reg >= REG_LVT && reg <= REG_LVT_LAST ? lvt_bits[reg - REG_LVT] | 0x5000 : 0;
	}
}

static bool is_x2_writable(uint32_t reg)
{
	return reg == REG_TPR || reg == REG_EOI || reg == REG_SVR || reg == REG_ESR ||
	       (reg >= REG_LVT && reg <= REG_INITIAL) || reg == REG_DIVIDE;
}

static bool is_x2_readable(uint32_t reg)
{
	return reg == REG_ID || reg == REG_VERSION || reg == REG_TPR || reg == REG_PPR ||
	       reg == REG_LDR || (reg >= REG_SVR && reg <= REG_ESR) || reg == REG_ICR ||
	       (reg >= REG_LVT && reg <= REG_CURRENT) || reg == REG_DIVIDE;
}

static bool write_x2(struct vmm__lapic *l, const struct vmm__lapic_now *now, uint32_t reg,
		     uint64_t value)
{
	if (reg == REG_ICR)
		return write_x2_icr(l, value);
	if (reg == REG_SELF)
		return write_self_ipi(l, value);
	if (!is_x2_writable(reg) || (value & ~x2_bits(reg)) != 0)
		return false;
	write_register(l, now, reg, (uint32_t)value);
	return true;
}

bool vmm__lapic_read_msr(struct vmm__lapic *lapic, const struct vmm__lapic_now *now, uint32_t msr,
			 uint64_t *value)
{
	uint32_t reg = msr - VMM__LAPIC_MSR_FIRST;

	*value = 0;
	if (msr == VMM__MSR_APIC_BASE) {
		*value = atomic_load(&lapic->base);
		return true;
	}
	if (msr == VMM__MSR_TSC_DEADLINE) {
		vmm__lapic_tick(lapic, now);
		*value = lapic->deadline_tsc;
		return true;
	}
	if (!vmm__lapic_is_x2(lapic) || !is_x2_readable(reg))
		return false;
	*value = read_register(lapic, now, reg);
	if (reg == REG_ICR)
		*value |= (uint64_t)lapic->icr_high << 32;
	return true;
}

bool vmm__lapic_write_msr(struct vmm__lapic *lapic, const struct vmm__lapic_now *now, uint32_t msr,
			  uint64_t value, uint32_t phys_bits)
{
	bool good = true;

	if (msr == VMM__MSR_APIC_BASE)
		return write_base(lapic, value, phys_bits);
	if (msr == VMM__MSR_TSC_DEADLINE) {
		/* 11.5.4.1: in the other modes it reads as 0 and writes are ignored */
		if (vmm__timer_is_deadline(lapic))
			lapic->deadline_tsc = value;
		vmm__lapic_tick(lapic, now);
	} else {
		good = vmm__lapic_is_x2(lapic) &&
		       write_x2(lapic, now, msr - VMM__LAPIC_MSR_FIRST, value);
	}
	vmm__lapic_update(lapic);
	return good;
}

/* --- life --- */

bool vmm__lapic_init(struct vmm__lapic *lapic, struct vmm__irqchip *chip, uint32_t index,
		     uint32_t apic_id, uint32_t tsc_khz)
{
	if (chip->lapic_count == chip->room)
		return false;
	memset(lapic, 0, sizeof(*lapic));
	lapic->chip = chip;
	lapic->index = index;
	lapic->id = apic_id;
	lapic->tsc_khz = tsc_khz;
	chip->lapics[chip->lapic_count++] = lapic;
	vmm__lapic_reset(lapic);
	return true;
}

void vmm__lapic_reset(struct vmm__lapic *lapic)
{
	uint64_t bsp = lapic->index == 0 ? VMM__APIC_BASE_BSP : 0;

	atomic_store(&lapic->base, VMM__LAPIC_BASE | VMM__APIC_BASE_EN | bsp);
	atomic_store(&lapic->events, 0);
	reset_registers(lapic);
}

void vmm__lapic_reset_by_init(struct vmm__lapic *lapic)
{
	reset_registers(lapic);
}

/* --- saved state: all registers by their number --- */

void vmm__lapic_get(const struct vmm__lapic *lapic, const struct vmm__lapic_now *now,
		    struct vmm_x86_lapic *state)
{
	for (uint32_t reg = 0; reg < REG_END; reg++)
		state->reg[reg] = read_register(lapic, now, reg);
	state->reg[REG_LATENT] = lapic->esr_latent;
}

void vmm__lapic_set(struct vmm__lapic *lapic, const struct vmm__lapic_now *now,
		    const struct vmm_x86_lapic *state)
{
	lapic->tpr = state->reg[REG_TPR] & TPR_BITS;
	if (!vmm__lapic_is_x2(lapic))
		atomic_store(&lapic->ldr, state->reg[REG_LDR] & 0xff000000);
	atomic_store(&lapic->dfr, state->reg[REG_DFR] | 0x0fffffff);
	atomic_store(&lapic->svr, state->reg[REG_SVR] & SVR_BITS);
	for (uint32_t i = 0; i < 8; i++) {
		lapic->isr[i] = state->reg[REG_ISR + i];
		atomic_store(&lapic->tmr[i], state->reg[REG_TMR + i]);
		atomic_store(&lapic->irr[i], state->reg[REG_IRR + i]);
	}
	lapic->esr = state->reg[REG_ESR];
	lapic->esr_latent = state->reg[REG_LATENT] & ESR_BITS;
	lapic->icr = state->reg[REG_ICR] & ICR_BITS;
	lapic->icr_high = state->reg[REG_ICR_HIGH];
	for (uint32_t i = 0; i < ARRAY_SIZE(lapic->lvt); i++)
		lapic->lvt[i] = state->reg[REG_LVT + i] & lvt_bits[i];
	lapic->initial_count = state->reg[REG_INITIAL];
	lapic->divide = state->reg[REG_DIVIDE] & 0xb;
	lapic->deadline_tsc = 0;
	vmm__timer_resume(lapic, now, state->reg[REG_CURRENT]);
	vmm__lapic_update(lapic);
}

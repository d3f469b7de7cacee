// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * A guest that owns its CPUs: it programs their local APICs itself, and tells by memory alone what
 * it does. RSP says which CPU runs.
 */
#include "control.h"

typedef uint64_t u64;
typedef uint32_t u32;

#define VECTOR_TICK 0x40
#define VECTOR_IPI  0x51
#define VECTOR_SELF 0xf3

#define APIC_BASE 0x1b
#define X2_ID     0x802
#define X2_EOI    0x80b
#define X2_SVR    0x80f
#define X2_ICR    0x830
#define X2_TIMER  0x832
#define X2_LINT1  0x836
#define X2_ERROR  0x837
#define X2_COUNT  0x838
#define X2_DIVIDE 0x83e
#define X2_SELF   0x83f

#define PERIODIC (1u << 17)
#define MASKED   (1u << 16)
#define TICK     100000 /* of a clock of 1 GHz in QEMU: 100 us */

extern const char empty_idtr[10];

void guest_main(u64 cpu, u64 order);
void guest_interrupt(u64 vector);

static u64 rdmsr(u32 msr)
{
	u32 low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (u64)high << 32 | low;
}

static void wrmsr(u32 msr, u64 value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static volatile struct control *control_of(u64 cpu)
{
	return (volatile struct control *)CONTROL + cpu;
}

/* Stacks are 16 KiB, from 0x80000 up. */
static volatile struct control *mine(void)
{
	u64 sp;

	__asm__("mov %%rsp, %0" : "=r"(sp));
	return control_of((sp - 0x80000) >> 14);
}

void guest_interrupt(u64 vector)
{
	volatile struct control *c = mine();

	if (vector == 2) {
		c->nmis++;
		return;
	}
	if (vector < 32) {
		c->fault = (u32)vector + 1;
		for (;;)
			__asm__ volatile("cli; hlt");
	}
	if (vector == VECTOR_TICK)
		c->ticks++;
	else if (vector == VECTOR_IPI || vector == VECTOR_SELF)
		c->ipis++;
	else
		c->others++;
	wrmsr(X2_EOI, 0);
}

static void idle(void)
{
	__asm__ volatile("sti; hlt" : : : "memory");
}

static void send(volatile struct control *c, u64 icr)
{
	c->sent++;
	wrmsr(X2_ICR, icr);
}

static void ready(volatile struct control *c)
{
	c->state = STATE_READY;
	while (!c->go)
		__asm__ volatile("pause");
}

static void ticks(volatile struct control *c)
{
	ready(c);
	wrmsr(X2_DIVIDE, 0xb);
	wrmsr(X2_TIMER, PERIODIC | VECTOR_TICK);
	wrmsr(X2_COUNT, TICK);
	while (c->ticks < ROUNDS)
		idle();
	c->state = STATE_DONE; /* and goes on ticking */
	for (;;)
		idle();
}

static void spin(volatile struct control *c)
{
	ready(c);
	__asm__ volatile("cli");
	for (;;)
		c->rounds++;
}

static void send_all(volatile struct control *c)
{
	ready(c);
	for (u32 i = 1; i <= ROUNDS; i++) {
		send(c, c->next << 32 | VECTOR_IPI);
		while (c->ipis < i)
			__asm__ volatile("sti; pause; cli");
	}
	c->state = STATE_DONE;
}

static void answer(volatile struct control *c)
{
	u64 answered = 0;

	ready(c);
	while (answered < ROUNDS) {
		__asm__ volatile("cli");
		if (c->ipis == answered) {
			idle();
			continue;
		}
		__asm__ volatile("sti");
		answered++;
		send(c, c->next << 32 | VECTOR_IPI);
	}
	c->state = STATE_DONE;
}

#define WORDS 4096
#define AREA  ((volatile u64 *)0x200000)

/* What is written is found again, and every interrupt arrives that was asked for, no other. */
static void work(volatile struct control *c)
{
	u64 state = 88172645463325252;

	ready(c);
	wrmsr(X2_DIVIDE, 0xb);
	wrmsr(X2_TIMER, PERIODIC | VECTOR_TICK);
	wrmsr(X2_COUNT, TICK);
	__asm__ volatile("sti");
	for (;;) {
		u64 start = state, before = c->ipis;

		for (u32 i = 0; i < WORDS; i++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			AREA[i] = state;
		}
		state = start;
		for (u32 i = 0; i < WORDS; i++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			c->wrong += AREA[i] != state;
		}
		wrmsr(X2_SELF, VECTOR_SELF);
		while (c->ipis == before)
			__asm__ volatile("pause");
		c->wrong += c->ipis != before + 1 || c->others != 0 || c->nmis != 0;
		c->rounds++;
	}
}

/* Vector, delivery mode, destination mode, level, trigger mode and shorthand: SDM 3A figure 11-28.
 */
static void every_icr(volatile struct control *c)
{
	static const u64 destinations[] = {0, 1, 2, 3, 0xff, 0xffffffff, 0x0000000f, 0x0001ffff};

	for (u64 i = 0; i < 512; i++, c->argument++) {
		u64 n = c->argument, low = n & 0xfff;

		low |= (n >> 12 & 3) << 14 | (n >> 14 & 3) << 18;
		send(c, destinations[n >> 16 & 7] << 32 | low);
	}
	c->state = STATE_DONE;
}

static void events(volatile struct control *c)
{
	u64 self = rdmsr(X2_ID), base = rdmsr(APIC_BASE);

	send(c, self << 32 | 0x400); /* NMI */
	while (c->nmis == 0)
		__asm__ volatile("pause");
	send(c, self << 32 | 0x200); /* SMI: there is none */
	wrmsr(X2_LINT1, 0x400);      /* NMI */
	c->wrong += (rdmsr(X2_LINT1) & MASKED) == 0;
	wrmsr(X2_ERROR, 0x55);
	c->wrong += rdmsr(X2_ERROR) != 0x55;
	wrmsr(APIC_BASE, base);
	c->wrong += (base & 0xd00) != 0xd00 && (base & 0xd00) != 0xc00;
	c->wrong += c->nmis != 1;
	c->state = STATE_DONE;
}

static void ports(volatile struct control *c)
{
	for (;;) {
		__asm__ volatile("out %%al, $0x80" : : "a"(0));
		c->rounds++;
	}
}

void guest_main(u64 cpu, u64 order)
{
	volatile struct control *c = control_of(cpu);

	wrmsr(X2_SVR, 0x1ff);
	switch (order) {
	case ORDER_TICKS:
		ticks(c);
		break;
	case ORDER_SPIN:
		spin(c);
		break;
	case ORDER_SEND:
		send_all(c);
		break;
	case ORDER_ANSWER:
		answer(c);
		break;
	case ORDER_WORK:
		work(c);
		break;
	case ORDER_ICR:
		__asm__ volatile("sti");
		every_icr(c);
		break;
	case ORDER_PANIC:
		__asm__ volatile("lidt %0; ud2" : : "m"(empty_idtr));
		break;
	case ORDER_LOOP:
		__asm__ volatile("cli; 1: jmp 1b");
		break;
	case ORDER_EVENTS:
		events(c);
		break;
	case ORDER_PORTS:
		ports(c);
		break;
	}
}

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
#define SPURIOUS    0xff

#define APIC_BASE 0x1b
#define X2_ID     0x802
#define X2_TPR    0x808
#define X2_EOI    0x80b
#define X2_SVR    0x80f
#define X2_ICR    0x830
#define X2_TIMER  0x832
#define X2_LINT1  0x836
#define X2_ERROR  0x837
#define X2_COUNT  0x838
#define X2_DIVIDE 0x83e
#define X2_SELF   0x83f

#define RFLAGS_TF 0x100

#define PERIODIC (1u << 17)
#define MASKED   (1u << 16)
#define TICK     100000 /* of a clock of 1 GHz in QEMU: 100 us */

#define BASE_X2     (1u << 10)
#define BASE_ENABLE (1u << 11)

/* The same in memory. */
#define X_EOI      0xfee000b0u
#define X_SVR      0xfee000f0u
#define X_ICR      0xfee00300u
#define X_ICR_HIGH 0xfee00310u

extern const char empty_idtr[10];

/* What an exception has interrupted; behind an error code, where there is one. */
struct frame {
	u64 rip, cs, rflags, rsp, ss;
};

void guest_main(u64 cpu, u64 order);
u64 guest_interrupt(u64 vector, u64 *stack);

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

static void write_apic(u32 address, u32 value)
{
	*(volatile u32 *)(u64)address = value;
}

static void interrupt(volatile struct control *c, u64 vector)
{
	if (vector == VECTOR_TICK)
		c->ticks++;
	else if (vector == VECTOR_IPI || vector == VECTOR_SELF)
		c->ipis++;
	else
		c->others++;
	if (c->keeps)
		return;
	if (c->in_memory)
		write_apic(X_EOI, 0);
	else
		wrmsr(X2_EOI, 0);
}

/* Of spinning: what it is told meanwhile, it tells. */
static void turn(volatile struct control *c)
{
	c->sum = c->next;
	c->rounds++;
}

static void nmi(volatile struct control *c)
{
	c->nmis++;
	while (c->stays)
		turn(c);
}

#define DB 1
#define UD 6
#define GP 13

/* Gives the number of bytes to drop from the stack: those below the frame. */
u64 guest_interrupt(u64 vector, u64 *stack)
{
	volatile struct control *c = mine();

	if (vector == 2) {
		nmi(c);
	} else if (vector == GP && c->trying) { /* WRMSR has two bytes */
		((struct frame *)(stack + 1))->rip += 2;
		c->refused++;
		return 16;
	} else if (vector == DB && c->any) {
		((struct frame *)stack)->rflags &= ~(u64)RFLAGS_TF;
	} else if (vector < 32 && !c->any) {
		c->fault = (u32)vector + 1;
		for (;;)
			__asm__ volatile("cli; hlt");
	} else if (vector == UD && c->any) {
		turn(c);
	} else {
		interrupt(c, vector);
	}
	return 8;
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

static void start_ticking(void)
{
	wrmsr(X2_DIVIDE, 0xb);
	wrmsr(X2_TIMER, PERIODIC | VECTOR_TICK);
	wrmsr(X2_COUNT, TICK);
}

static void ticks(volatile struct control *c)
{
	ready(c);
	start_ticking();
	while (c->ticks < ROUNDS)
		idle();
	c->state = STATE_DONE; /* and goes on ticking */
	for (;;)
		idle();
}

/* Its handler comes back to it. */
static void fault_again(volatile struct control *c)
{
	c->any = 1;
	__asm__ volatile("ud2");
}

static void spin(volatile struct control *c, u32 how)
{
	ready(c);
	__asm__ volatile("cli");
	switch (how) {
	case SPIN_HLT:
		for (;; turn(c))
			__asm__ volatile("hlt");
	case SPIN_NMI:
		c->stays = 1;
		send(c, rdmsr(X2_ID) << 32 | 0x400);
		break;
	case SPIN_NO_APIC:
		wrmsr(X2_SVR, 0xff);
		break;
	case SPIN_FAULT:
		fault_again(c);
		break;
	case SPIN_SHADOW:
		for (;; turn(c))
			__asm__ volatile("mov %%ss, %%eax; .rept 64; mov %%eax, %%ss; .endr"
					 :
					 :
					 : "eax");
	}
	for (;;)
		turn(c);
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

#define AREA ((volatile u64 *)0x200000)

/* What is written is found again, and every interrupt arrives that was asked for, no other. */
static void work(volatile struct control *c)
{
	u64 state = WORK_SEED;

	ready(c);
	start_ticking();
	__asm__ volatile("sti");
	while (c->go) {
		u64 start = state, before = c->ipis;

		for (u32 i = 0; i < WORK_WORDS; i++) {
			state = work_next(state);
			AREA[i] = state;
		}
		state = start;
		for (u32 i = 0; i < WORK_WORDS; i++) {
			state = work_next(state);
			c->wrong += AREA[i] != state;
		}
		wrmsr(X2_SELF, VECTOR_SELF);
		while (c->ipis == before)
			__asm__ volatile("pause");
		c->wrong += c->ipis != before + 1 || c->others != 0 || c->nmis != 0;
		c->sum = state;
		c->rounds++;
	}
	c->state = STATE_DONE;
}

static u32 intel; /* and not AMD: hypercalls are VMCALL */

static void find_vendor(void)
{
	u32 eax = 0, ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	intel = ebx == 0x756e6547;
}

/* Bochs 2.7 does not end an interrupt of this vector: docs/testing.md. */
static int never_ends(u64 vector)
{
	return intel && vector == SPURIOUS;
}

/* With interrupts off, so that #GP is nobody's interrupt. */
static void try_icr(volatile struct control *c, u64 icr)
{
	if (c->in_memory) {
		write_apic(X_ICR_HIGH, (u32)(icr >> 32) << 24);
		write_apic(X_ICR, (u32)icr);
		return;
	}
	c->trying = 1;
	wrmsr(X2_ICR, icr);
	c->trying = 0;
}

/* One reserved bit after the other: SDM 3A 10.12.9. */
static void try_reserved(volatile struct control *c, u64 icr)
{
	static const unsigned char reserved[] = {13, 16, 17, 20, 21, 22, 23, 24,
						 25, 26, 27, 28, 29, 30, 31};
	const u64 before = c->refused;

	try_icr(c, icr | 1u << reserved[c->sent / 16 % sizeof(reserved)]);
	c->wrong += c->refused == before;
}

static void enable_apic(volatile struct control *c, int in_memory)
{
	const u64 base = rdmsr(APIC_BASE);

	if (in_memory)
		write_apic(X_SVR, 0x100 | SPURIOUS);
	else if (!(base & BASE_X2))
		wrmsr(APIC_BASE, base | BASE_X2);
	if (!in_memory)
		wrmsr(X2_SVR, 0x100 | SPURIOUS);
	c->in_memory = (u32)in_memory;
}

/*
 * Fields of ICR: SDM 3A figures 11-12 and 11-28. Each value goes out once, and some with a
 * reserved bit before. An INIT of its own starts it anew: what it has sent is in memory.
 */
static void every_icr(volatile struct control *c, u64 first, u64 stride)
{
	static const u64 destinations[] = {0, 1, 2, 3, 4, 0x0f, 0xff, 0xffffffff};
	static const u64 clusters[] = {0x1, 0x2, 0x4, 0x8, 0xf, 0x1ffff, 0xffff, 0xffffffff};
	u64 n;

	find_vendor();
	c->any = 1;
	c->trying = 0;
	while ((n = first + c->sent * stride) < ICR_VALUES) {
		const u64 *to = n >> 11 & 1 && !c->in_memory ? clusters : destinations;
		u64 icr = (n & 0xfff) | (n >> 12 & 3) << 14 | (n >> 14 & 3) << 18;

		icr |= to[n >> 16 & 7] << 32;
		c->sent++;
		if (never_ends(n & 0xff))
			continue;
		if (c->sent % 16 == 0 && !c->in_memory)
			try_reserved(c, icr);
		try_icr(c, icr);
		if (c->sent % 16 == 0)
			__asm__ volatile("sti; nop; nop; cli");
	}
	c->state = STATE_DONE;
}

/* It does not move, and does not change its mode. */
static void try_base(volatile struct control *c, u64 base)
{
	const u64 before = c->refused;

	c->trying = 1;
	wrmsr(APIC_BASE, base);
	c->trying = 0;
	c->wrong += c->refused != before + 1;
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
	try_base(c, base & ~(u64)BASE_X2);
	try_base(c, base & ~(u64)(BASE_X2 | BASE_ENABLE));
	try_base(c, base + 0x1000);
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

/* --- deeds --- */

static void panic(void)
{
	__asm__ volatile("lidt %0; ud2" : : "m"(empty_idtr));
}

static void be_free(volatile struct control *c)
{
	const u64 before = c->ticks, tpr = rdmsr(X2_TPR);
	u64 cr3;

	__asm__ volatile("mov %%cr3, %0; mov %0, %%cr3; invlpg 0x200000" : "=r"(cr3) : : "memory");
	__asm__ volatile("rdtsc; pause; mov %%cr8, %%rax; mov %%rax, %%cr8" : : : "eax", "edx");
	wrmsr(X2_TPR, tpr);
	wrmsr(X2_SELF, VECTOR_SELF);
	wrmsr(X2_DIVIDE, 0xb);
	wrmsr(X2_TIMER, VECTOR_TICK);
	wrmsr(X2_COUNT, TICK);
	while (c->ticks == before) {
		__asm__ volatile("sti; hlt; cli" : : : "memory");
	}
}

static void ask_cpuid(void)
{
	__asm__ volatile("cpuid" : : "a"(0), "c"(0) : "ebx", "edx", "memory");
}

static void write_xcr0(void)
{
	u64 cr4;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | 1u << 18));
	__asm__ volatile("xgetbv; xsetbv" : : "c"(0) : "eax", "edx");
}

static void single_step(void)
{
	__asm__ volatile("pushf; orl $0x100, (%%rsp); popf; nop" : : : "cc", "memory");
}

static void do_deed(volatile struct control *c, u32 deed)
{
	switch (deed) {
	case DEED_FREE:
		be_free(c);
		break;
	case DEED_CPUID:
		ask_cpuid();
		break;
	case DEED_PORT:
		__asm__ volatile("out %%al, $0x80" : : "a"(0));
		break;
	case DEED_MEMORY:
		(void)*(volatile u64 *)RAM_BYTES;
		break;
	case DEED_ICR: /* to itself, by shorthand */
		send(c, 1u << 18 | VECTOR_IPI);
		break;
	case DEED_MSR:
		(void)rdmsr(APIC_BASE);
		break;
	case DEED_HYPERCALL:
		if (intel)
			__asm__ volatile("vmcall" : : "a"(1000) : "memory");
		else
			__asm__ volatile("vmmcall" : : "a"(1000) : "memory");
		break;
	case DEED_EXCEPTION:
		single_step();
		break;
	case DEED_REGISTER:
		write_xcr0();
		break;
	case DEED_INSTRUCTION:
		__asm__ volatile("wbinvd" : : : "memory");
		break;
	case DEED_SHUTDOWN:
		panic();
		break;
	}
}

static void deeds(volatile struct control *c)
{
	find_vendor();
	c->any = 1;
	c->state = STATE_READY;
	for (;;) {
		while (c->rounds == c->go)
			__asm__ volatile("pause");
		do_deed(c, c->deed);
		c->rounds++;
	}
}

/* The highest stays in service, and keeps the others out. */
static void pend(volatile struct control *c)
{
	find_vendor();
	c->any = 1;
	c->keeps = 1;
	__asm__ volatile("cli");
	for (u32 vector = 16; vector < 256; vector++) {
		if (!never_ends(vector))
			wrmsr(X2_SELF, vector);
	}
	__asm__ volatile("sti");
	c->state = STATE_DONE;
	for (;;)
		turn(c);
}

static void storm(volatile struct control *c)
{
	find_vendor();
	c->any = 1;
	for (;; c->rounds++)
		do_deed(c, (u32)(c->rounds % DEED_SHUTDOWN));
}

static void run(volatile struct control *c, u32 what, u32 argument)
{
	switch (what) {
	case ORDER_TICKS:
		ticks(c);
		break;
	case ORDER_SPIN:
		spin(c, argument);
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
	case ORDER_ICR_X2:
	case ORDER_ICR_X:
		every_icr(c, argument & 0xffff, argument >> 16);
		break;
	case ORDER_PANIC:
		panic();
		break;
	case ORDER_LOOP:
		fault_again(c);
		break;
	case ORDER_EVENTS:
		events(c);
		break;
	case ORDER_PORTS:
		ports(c);
		break;
	case ORDER_DEEDS:
		deeds(c);
		break;
	case ORDER_STORM:
		storm(c);
		break;
	case ORDER_PEND:
		pend(c);
		break;
	case ORDER_RESET:
		__asm__ volatile("out %%al, %%dx" : : "a"(6), "d"(PORT_RESET));
		break;
	}
}

void guest_main(u64 cpu, u64 order)
{
	volatile struct control *c = control_of(cpu);

	enable_apic(c, (u32)order == ORDER_ICR_X);
	run(c, (u32)order, (u32)(order >> 32));
}

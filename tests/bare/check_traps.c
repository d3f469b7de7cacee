// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Exceptions: those that a hook mends, and those that end in a dump. */
#include "check.h"

struct __attribute__((packed)) table_register {
	uint16_t limit;
	uint64_t base;
};

static volatile struct vmm_bare_frame seen;
static uint64_t seen_cr2;

/* Goes on behind the instruction, whose length RBX has. NMI and #BP have left it behind already. */
static int pass_over(struct vmm_bare_frame *frame)
{
	seen = *frame;
	__asm__("mov %%cr2, %0" : "=r"(seen_cr2));
	if (frame->vector != 2 && frame->vector != 3) /* the others are faults */
		frame->rip += frame->rbx;
	return 1;
}

/* With RCX, and no more of a result than what the hook sees. */
#define TRY(instruction, rcx)                                          \
	__asm__ volatile("mov $2f - 1f, %%ebx\n1: " instruction "\n2:" \
			 :                                             \
			 : "c"((uint64_t)(rcx))                        \
			 : "rax", "rbx", "rdx", "cc", "memory")

/* To the CPU it runs on: SDM vol. 3A, 10.6.1 and 10.12.9. */
static void send_nmi(void)
{
	uint32_t low, high, id;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0x1b));
	if ((low & 0x400) != 0) {
		__asm__ volatile("rdmsr" : "=a"(id), "=d"(high) : "c"(0x802));
		__asm__ volatile("wrmsr" : : "c"(0x830), "a"(0x4400), "d"(id) : "memory");
	} else {
		volatile uint32_t *apic = (volatile uint32_t *)(uintptr_t)(low & 0xfffff000);

		apic[0x310 / 4] = apic[0x20 / 4];
		apic[0x300 / 4] = 0x4400;
	}
}

int check_traps(void)
{
	static const uint8_t constant = 5;
	uint8_t *const text = (uint8_t *)(uintptr_t)check_traps;
	uint8_t *const rodata = (uint8_t *)(uintptr_t)&constant;

	vmm_bare_trap_hook(pass_over);
	TRY("ud2", 0);
	CHECK(seen.vector == 6 && seen.cs == 8);
	TRY("int3", 0);
	CHECK(seen.vector == 3);
	TRY("div %%ecx", 0);
	CHECK(seen.vector == 0);
	TRY("movb $1, (%%rcx)", (uintptr_t)text);
	CHECK(seen.vector == 14 && seen.error == 3 && seen_cr2 == (uintptr_t)text);
	TRY("movb $1, (%%rcx)", (uintptr_t)rodata);
	CHECK(seen.vector == 14 && seen.error == 3 && *(volatile uint8_t *)rodata == 5);
	TRY("movb (%%rcx), %%al", 8);
	CHECK(seen.vector == 14 && seen.error == 0 && seen_cr2 == 8);
	TRY("movb (%%rcx), %%al", UINT64_C(1) << 60);
	CHECK(seen.vector == 13);
	TRY("rdmsr", 0x12345678);
	CHECK(seen.vector == 13);
	TRY("movw %%cx, %%es", 0x80);
	CHECK(seen.vector == 13 && seen.error == 0x80);
	seen.vector = 0;
	TRY("int $0x80", 0); /* nobody's, like a guest's that comes late */
	CHECK(seen.vector == 0);
	send_nmi();
	for (uint32_t i = 0; i < 1000000 && seen.vector == 0; i++)
		;
	CHECK(seen.vector == 2);
	vmm_bare_trap_hook(NULL);
	return 0;
}

int die_undefined(void)
{
	__asm__ volatile("ud2" : : "a"(0x1234abcd), "S"(UINT64_C(0xfedcba9876543210)));
	return 1;
}

static __attribute__((noinline)) uint32_t deeper(volatile uint8_t *above)
{
	volatile uint8_t room[3000];

	room[0] = (uint8_t)(above[0] + 1);
	return room[0] == 255 && above == NULL ? 0 : deeper(room) + room[0];
}

int die_stack(void)
{
	volatile uint8_t zero = 0;

	return (int)deeper(&zero);
}

/* The stack of exceptions is taken away: the next one becomes a double fault, which has its own. */
int die_double(void)
{
	struct table_register gdt;
	uint64_t tss;
	const uint8_t *d;

	__asm__ volatile("sgdt %0" : "=m"(gdt));
	d = (const uint8_t *)(uintptr_t)gdt.base + 0x18;
	tss = (uint64_t)d[2] | (uint64_t)d[3] << 8 | (uint64_t)d[4] << 16 | (uint64_t)d[7] << 24;
	for (uint32_t ist = 2; ist <= 2; ist++) {
		volatile uint32_t *entry =
			(volatile uint32_t *)(uintptr_t)(tss + 36 + 8 * (ist - 1));

		entry[0] = 0x1000;
		entry[1] = 0;
	}
	__asm__ volatile("ud2");
	return 1;
}

int die_nmi(void)
{
	send_nmi();
	for (;;)
		__asm__ volatile("pause");
}

int die_write_text(void)
{
	*(volatile uint8_t *)(uintptr_t)die_write_text = 0xc3;
	return 1;
}

int die_execute_data(void)
{
	static volatile uint8_t code[] = {0xc3};

	((void (*)(void))(uintptr_t)code)();
	return 1;
}

int die_null(void)
{
	volatile int *nowhere = NULL;

	__asm__("" : "+r"(nowhere));
	return *nowhere;
}

static void undefined(void *arg)
{
	(void)arg;
	__asm__ volatile("ud2");
}

/* On another CPU, while the first prints. */
int die_elsewhere(void)
{
	CHECK(vmm_bare_run(vmm_bare_cpus(), undefined, NULL) == 0);
	for (uint32_t i = 0;; i++)
		vmm_bare_print("still here %u\n", i);
}

int die_off(void)
{
	vmm_bare_power_off();
}

int die_reset(void)
{
	vmm_bare_reset();
}

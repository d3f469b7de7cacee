// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * A guest of one page for the monitor of examples/bare: its command line is the word for what it
 * does. It runs on the first CPU with interrupts off, and polls.
 */
#include <stdbool.h>
#include <stdint.h>

/* docs/profile.md, The x86 machine */
#define COM1_DATA  0x3f8
#define COM1_LINE  0x3fd
#define LINE_READY 0x01
#define POWER      0x600
#define POWER_OFF  0x34 /* to the sleep control register: S5, and do it */
#define EVENT_OFF  0x01 /* the power button */

_Noreturn void triple_fault(void);
_Noreturn void small(const char *word);

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void say(const char *text)
{
	while (*text != '\0')
		out8(COM1_DATA, (uint8_t)*text++);
}

static bool same(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static _Noreturn void spin(void)
{
	for (;;)
		__asm__ volatile("");
}

static _Noreturn void off(void)
{
	out8(POWER + 4, POWER_OFF);
	spin();
}

static _Noreturn void reset(void)
{
	out8(POWER + 6, 1);
	spin();
}

/* Says again what is typed, until the power button is pressed. */
static _Noreturn void echo(void)
{
	while ((in32(POWER) & EVENT_OFF) == 0) {
		const char c = (in8(COM1_LINE) & LINE_READY) != 0 ? (char)in8(COM1_DATA) : '\0';

		if (c == '!')
			reset();
		if (c == '\r')
			say("\r\n");
		else if (c != '\0')
			out8(COM1_DATA, (uint8_t)c);
	}
	say("small: off\r\n");
	off();
}

static _Noreturn void flood(void)
{
	for (;;)
		say("flood\r\n");
}

/* Keys of the monitor, what a terminal answers to, and an end; it never reads. */
static _Noreturn void keys(void)
{
	say("\x1d\x1dkill one\r\n\x1b[6n\x1b]0;kill one\r\x07\x15quit\r\nkeys: said\r\n");
	spin();
}

_Noreturn void small(const char *word)
{
	say("small: ");
	say(word);
	say("\r\n");
	if (same(word, "echo"))
		echo();
	if (same(word, "flood"))
		flood();
	if (same(word, "keys"))
		keys();
	if (same(word, "triple"))
		triple_fault();
	if (same(word, "reset"))
		reset();
	spin();
}

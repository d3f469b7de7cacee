// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * What GRUB loads from the diskette: says what it was told, whether its module came whole, and ends
 * the machine by the debug exit. Offsets are those of the Multiboot Specification 0.6.96, 3.3.
 */
#include <stdint.h>

#define LOADER 0x2badb002u

#define INFO_LOWER        1 /* KiB, words from here on */
#define INFO_UPPER        2
#define INFO_COMMAND_LINE 4
#define INFO_MODULES      5
#define INFO_MODULE       6
#define INFO_MAP_LEN      11
#define INFO_MAP          12

#define MODULE_START 0
#define MODULE_END   1

#define COM1       0x3f8
#define DEBUG_EXIT 0xf4

_Noreturn void kernel(uint32_t magic, const uint32_t *info);

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void say(const char *text)
{
	while (*text != '\0')
		out8(COM1, (uint8_t)*text++);
}

static void say_number(const char *what, uint32_t number)
{
	char digits[11];
	char *at = digits + sizeof(digits);

	*--at = '\0';
	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	say(what);
	say(at);
	say("\r\n");
}

static const uint32_t *words(uint32_t address)
{
	return (const uint32_t *)(uintptr_t)address;
}

/* Each entry has its length before it, which it does not count. */
static uint32_t map_entries(const uint32_t *info)
{
	const uint32_t end = info[INFO_MAP] + info[INFO_MAP_LEN];
	uint32_t count = 0;

	for (uint32_t at = info[INFO_MAP]; at < end; at += *words(at) + 4)
		count++;
	return count;
}

/* The module's words count up from 0. */
static uint32_t good_words(const uint32_t *module)
{
	const uint32_t *word = words(module[MODULE_START]);
	uint32_t good = 0;

	while (word + good < words(module[MODULE_END]) && word[good] == good)
		good++;
	return good;
}

_Noreturn void kernel(uint32_t magic, const uint32_t *info)
{
	say("\r\nkernel: ");
	say(magic == LOADER ? (const char *)words(info[INFO_COMMAND_LINE]) : "not by Multiboot");
	say("\r\n");
	say_number("kernel: lower KiB ", info[INFO_LOWER]);
	say_number("kernel: upper KiB ", info[INFO_UPPER]);
	say_number("kernel: ranges ", map_entries(info));
	say_number("kernel: modules ", info[INFO_MODULES]);
	say_number("kernel: good words ", good_words(words(info[INFO_MODULE])));
	out8(DEBUG_EXIT, 16);
	for (;;)
		__asm__ volatile("hlt");
}

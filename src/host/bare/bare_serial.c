// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The first serial port of a PC, a 16550: polled, with a bound on each wait. */
#include <stdarg.h>

#include "bare_host.h"
#include "format.h"

#define COM1 0x3f8

/* Registers: PC16550D data sheet, table II. */
#define DATA (COM1 + 0)
#define IER  (COM1 + 1)
#define FCR  (COM1 + 2)
#define LCR  (COM1 + 3)
#define MCR  (COM1 + 4)
#define LSR  (COM1 + 5)

#define LSR_DATA  0x01
#define LSR_EMPTY 0x20

/* Reads of a register until a character must be gone: a microsecond each on a real port. */
#define SEND_TRIES 100000

static struct bare_lock lock;

void vmm__bare_serial_init(void)
{
	bare_out8(IER, 0);
	bare_out8(LCR, 0x80);
	bare_out8(DATA, 1); /* 115200 baud */
	bare_out8(IER, 0);
	bare_out8(LCR, 3); /* 8 bits, no parity */
	bare_out8(FCR, 7);
	bare_out8(MCR, 3);
}

static void send(uint8_t c)
{
	for (uint32_t i = 0; i < SEND_TRIES && (bare_in8(LSR) & LSR_EMPTY) == 0; i++)
		;
	bare_out8(DATA, c);
}

/* Whoever ends the image has stopped all others, one of which may have the lock. */
static void send_all(const uint8_t *p, size_t len, bool text)
{
	const bool alone = atomic_load(&vmm__bare_ending) != 0;
	const uint64_t flags = alone ? bare_irq_save() : bare_lock(&lock);

	for (size_t i = 0; i < len; i++) {
		if (text && p[i] == '\n')
			send('\r');
		send(p[i]);
	}
	if (alone)
		bare_irq_restore(flags);
	else
		bare_unlock(&lock, flags);
}

void vmm_bare_write(const void *buf, size_t len)
{
	send_all(buf, len, false);
}

int vmm_bare_read(void)
{
	return (bare_in8(LSR) & LSR_DATA) != 0 ? bare_in8(DATA) : -1;
}

void vmm_bare_print(const char *fmt, ...)
{
	char text[256];
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	len = vmm__vformat(text, sizeof(text), fmt, ap);
	va_end(ap);
	send_all((const uint8_t *)text, len < sizeof(text) ? len : sizeof(text) - 1, true);
}

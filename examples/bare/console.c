// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "console.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "bare.h"

/*
 * Held while bytes go out, so that a guest that floods its console waits for the line and for
 * whoever else wants it: in the order of coming, or the monitor might wait for ever.
 */
static struct {
	_Atomic uint32_t next, served;
} lock;

/* Under the lock. */
static struct console *front;
static bool line_begun; /* by a guest, or the monitor's prompt */

static void take(void)
{
	const uint32_t mine = atomic_fetch_add(&lock.next, 1);

	while (atomic_load(&lock.served) != mine)
		__builtin_ia32_pause();
}

static void give(void)
{
	atomic_fetch_add(&lock.served, 1);
}

static void send(const uint8_t *data, uint32_t len)
{
	if (len == 0)
		return;
	vmm_bare_write(data, len);
	line_begun = data[len - 1] != '\n';
}

static void end_line(void)
{
	if (line_begun)
		send((const uint8_t *)"\r\n", 2);
}

void console_write(struct console *c, const uint8_t *data, uint32_t len)
{
	take();
	if (c == front) {
		send(data, len);
	} else {
		for (uint32_t i = 0; i < len; i++)
			c->kept[c->written++ % CONSOLE_BYTES] = data[i];
	}
	give();
}

static void send_kept(struct console *c)
{
	if (c->written - c->seen > CONSOLE_BYTES) {
		vmm_bare_print("bare: %llu bytes before these were not kept\n",
			       (unsigned long long)(c->written - c->seen - CONSOLE_BYTES));
		c->seen = c->written - CONSOLE_BYTES;
	}
	while (c->seen != c->written) {
		const uint32_t from = (uint32_t)(c->seen % CONSOLE_BYTES);
		const uint64_t rest = c->written - c->seen;
		const uint32_t len =
			rest < CONSOLE_BYTES - from ? (uint32_t)rest : CONSOLE_BYTES - from;

		send(c->kept + from, len);
		c->seen += len;
	}
}

void console_switch(struct console *console)
{
	take();
	end_line();
	front = console;
	if (console != NULL)
		send_kept(console);
	give();
}

void console_end_line(void)
{
	take();
	end_line();
	give();
}

void console_prompt(const char *prompt, const char *typed)
{
	take();
	vmm_bare_print("\r%s%s", prompt, typed);
	line_begun = true;
	give();
}

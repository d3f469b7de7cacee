/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The machine's serial line between the monitor and the consoles of VMs. One is in front and has
 * the line to itself; of the others the last CONSOLE_BYTES that nobody has seen are kept.
 */
#ifndef EXAMPLES_BARE_CONSOLE_H
#define EXAMPLES_BARE_CONSOLE_H

#include <stdint.h>

#define CONSOLE_BYTES 8192

/* Zeroed is empty. */
struct console {
	uint64_t written; /* bytes so far */
	uint64_t seen;    /* of these */
	uint8_t kept[CONSOLE_BYTES];
};

/* A guest has sent something. On any CPU. */
void console_write(struct console *console, const uint8_t *data, uint32_t len);

/* Brings one to the front, with what has not been seen; NULL: the monitor. */
void console_switch(struct console *console);

/* Begins the monitor's line. */
void console_prompt(const char *prompt, const char *typed);

/* Ends the line that a guest or the prompt has begun: before the monitor says something. */
void console_end_line(void);

#endif

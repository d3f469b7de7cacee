/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The guest's serial console on this terminal. The terminal comes back as it was whatever happens:
 * a guard process holds its settings and restores them when this process dies, by any signal.
 */
#ifndef VMM_RUN_CONSOLE_H
#define VMM_RUN_CONSOLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <termios.h>

struct console_ops {
	/* Takes up to @len bytes typed for the guest; returns how many it took. */
	size_t (*input)(void *opaque, const uint8_t *buf, size_t len);
	/* Ctrl-A and then @key was typed. */
	void (*command)(void *opaque, char key);
};

struct console {
	const struct console_ops *ops;
	void *opaque;
	bool raw; /* the terminal is in raw mode */
	struct termios saved;
	pid_t guard;
	int guard_fd; /* its end closing tells the guard that this process is gone */
	int stop_fd;  /* eventfd that ends the input thread */
	pthread_t thread;
	bool started;
};

/*
 * Put the terminal into raw mode if standard input and output are one, and make the guard. To be
 * called before any thread is made. Returns 0, or -1 with errno.
 */
int console_open(struct console *c, const struct console_ops *ops, void *opaque);

/* Start reading standard input. Returns 0, or -1 with errno. */
int console_start(struct console *c);

/* Stop reading, and give the terminal back. May be called more than once. */
void console_close(struct console *c);

/* Write all of it to standard output; waits for who reads it. */
void console_write(const void *buf, size_t len);

/* From now on what finds no room is lost, and nobody waits. For signal handlers too. */
void console_mute(void);

#endif

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "console.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ESCAPE = 0x01 /* Ctrl-A */, RETRY_MS = 5, ROOM_MS = 100 };

/* Waits for the end of the process that made it; a byte means that the terminal has been given
 * back. */
static _Noreturn void guard_main(int fd, const struct termios *saved)
{
	sigset_t all;
	char byte;
	ssize_t n;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all,
		    NULL); /* a blocked SIGTTOU lets a background process set the terminal */
	setpgid(0, 0);
	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		tcsetattr(STDIN_FILENO, TCSANOW, saved);
	_exit(0);
}

static int guard_start(struct console *c)
{
	int fds[2];

	if (pipe(fds) != 0)
		return -1;
	c->guard = fork();
	if (c->guard < 0) {
		close(fds[0]);
		close(fds[1]);
		return -1;
	}
	if (c->guard == 0) {
		close(fds[1]);
		guard_main(fds[0], &c->saved);
	}
	close(fds[0]);
	c->guard_fd = fds[1];
	return 0;
}

int console_open(struct console *c, const struct console_ops *ops, void *opaque)
{
	struct termios raw;

	*c = (struct console){.ops = ops, .opaque = opaque, .guard_fd = -1, .stop_fd = -1};
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return 0;
	if (tcgetattr(STDIN_FILENO, &c->saved) != 0 || guard_start(c) != 0)
		return -1;
	raw = c->saved;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) != 0) {
		int e = errno;
		console_close(c);
		errno = e;
		return -1;
	}
	c->raw = true;
	return 0;
}

/* Bytes for the guest that it has not taken. */
struct held {
	uint8_t bytes[4096];
	size_t len;
};

/* What is typed beyond that is lost, as on any serial line; of other input no more is read. */
static void hold(struct held *h, uint8_t byte)
{
	if (h->len < sizeof(h->bytes))
		h->bytes[h->len++] = byte;
}

/* As many as the guest has room for. */
static void deliver(struct console *c, struct held *h)
{
	const size_t taken = h->len > 0 ? c->ops->input(c->opaque, h->bytes, h->len) : 0;

	h->len -= taken;
	memmove(h->bytes, h->bytes + taken, h->len);
}

/* A command comes after what was typed before it, but does not wait until the guest has read that.
 */
static void take(struct console *c, struct held *h, uint8_t byte, bool *escaped)
{
	const bool command = *escaped && byte != ESCAPE; /* twice: the guest's own */

	*escaped = c->raw && byte == ESCAPE && !*escaped;
	if (command) {
		deliver(c, h);
		c->ops->command(c->opaque, (char)byte);
	} else if (!*escaped) {
		hold(h, byte);
	}
}

/* The end of the input is not the end of the guest. */
static void *input_main(void *arg)
{
	struct console *c = arg;
	struct pollfd fds[2] = {
		{.events = POLLIN},
		{.fd = c->stop_fd, .events = POLLIN},
	};
	struct held held = {.len = 0};
	bool escaped = false, ended = false;

	while (!ended || held.len > 0) {
		uint8_t buf[256];
		ssize_t n;

		fds[0].fd = ended || (!c->raw && held.len > 0) ? -1 : STDIN_FILENO;
		fds[0].revents = 0;
		if (poll(fds, 2, held.len > 0 ? RETRY_MS : -1) < 0 && errno != EINTR)
			return NULL;
		if (fds[1].revents != 0)
			return NULL;
		if (fds[0].revents != 0) {
			n = read(STDIN_FILENO, buf, sizeof(buf));
			ended = n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
			for (ssize_t i = 0; i < n; i++)
				take(c, &held, buf[i], &escaped);
		}
		deliver(c, &held);
	}
	return NULL;
}

int console_start(struct console *c)
{
	sigset_t all, old;
	int e;

	c->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (c->stop_fd < 0)
		return -1;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	e = pthread_create(&c->thread, NULL, input_main, c);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (e != 0) {
		errno = e;
		return -1;
	}
	c->started = true;
	return 0;
}

void console_close(struct console *c)
{
	if (c->started) {
		uint64_t one = 1;
		ssize_t ignored = write(c->stop_fd, &one, sizeof(one));

		(void)ignored; /* an eventfd's first write cannot fail */
		pthread_join(c->thread, NULL);
		c->started = false;
	}
	if (c->stop_fd >= 0)
		close(c->stop_fd);
	c->stop_fd = -1;
	if (c->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &c->saved);
	c->raw = false;
	if (c->guard > 0) {
		ssize_t ignored = write(c->guard_fd, "q", 1);

		(void)ignored; /* if it fails the guard sees the end and restores once more */
		close(c->guard_fd);
		waitpid(c->guard, NULL, 0);
		c->guard = 0;
		c->guard_fd = -1;
	}
}

static atomic_bool muted;

void console_mute(void)
{
	atomic_store(&muted, true);
}

/* Whoever reads may take his time, until everything is to end. */
static bool wait_for_room(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

	while (poll(&out, 1, ROOM_MS) <= 0) {
		if (atomic_load(&muted))
			return false;
	}
	return true;
}

void console_write(const void *buf, size_t len)
{
	const char *p = buf;

	while (len > 0 && wait_for_room()) {
		/* As much as does not block. */
		ssize_t n = write(STDOUT_FILENO, p, len < PIPE_BUF ? len : PIPE_BUF);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return; /* nobody looks any more: the guest runs on */
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
}

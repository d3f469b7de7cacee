// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "console.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ESCAPE = 0x01 /* Ctrl-A */, RETRY_MS = 5 };

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

/* Hand bytes over, waiting while the guest's input queue is full. False when told to stop. */
static bool deliver(struct console *c, const uint8_t *buf, size_t len)
{
	while (len > 0) {
		size_t n = c->ops->input(c->opaque, buf, len);
		struct pollfd stop = {.fd = c->stop_fd, .events = POLLIN};

		buf += n;
		len -= n;
		if (len > 0 && poll(&stop, 1, RETRY_MS) > 0)
			return false;
	}
	return true;
}

static bool feed(struct console *c, const uint8_t *buf, size_t len, bool *escaped)
{
	size_t start = 0;

	if (!c->raw)
		return deliver(c, buf, len);
	for (size_t i = 0; i < len; i++) {
		if (*escaped) {
			*escaped = false;
			start = i + 1;
			if (buf[i] == ESCAPE)
				start = i; /* twice: the guest's own */
			else
				c->ops->command(c->opaque, (char)buf[i]);
		} else if (buf[i] == ESCAPE) {
			if (!deliver(c, buf + start, i - start))
				return false;
			*escaped = true;
			start = i + 1;
		}
	}
	return start >= len || deliver(c, buf + start, len - start);
}

static void *input_main(void *arg)
{
	struct console *c = arg;
	struct pollfd fds[2] = {
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = c->stop_fd, .events = POLLIN},
	};
	bool escaped = false;

	for (;;) {
		uint8_t buf[256];
		ssize_t n;

		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return NULL;
		}
		if (fds[1].revents != 0)
			return NULL;
		n = read(STDIN_FILENO, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || !feed(c, buf, (size_t)n, &escaped))
			return NULL; /* the end of the input is not the end of the guest */
	}
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

void console_write(const void *buf, size_t len)
{
	const char *p = buf;

	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, p, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

			poll(&out, 1, -1);
			continue;
		}
		if (n < 0 && errno != EINTR)
			return; /* nobody looks any more: the guest runs on */
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
}

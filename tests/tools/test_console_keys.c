// SPDX-License-Identifier: BSD-2-Clause-Patent
/* vmm-run's side of the console: each case in a process of its own, whose terminal or pipe it is.
 */
#include <fcntl.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "console.h"

#define SECONDS 30
#define MANY    20000 /* more than any queue between them holds */

/* A guest that takes up to so many bytes at a time. */
struct guest {
	size_t takes;
	uint8_t got[MANY];
	size_t count;
	char key;
	sem_t news;
};

static size_t input(void *opaque, const uint8_t *buf, size_t len)
{
	struct guest *g = opaque;
	const size_t n = len < g->takes ? len : g->takes;

	if (g->count + n > sizeof(g->got))
		_exit(3);
	memcpy(g->got + g->count, buf, n);
	g->count += n;
	if (n > 0)
		sem_post(&g->news);
	return n;
}

static void command(void *opaque, char key)
{
	struct guest *g = opaque;

	g->key = key;
	sem_post(&g->news);
}

static void wait_for_news(struct guest *g)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += SECONDS;
	if (sem_timedwait(&g->news, &end) != 0)
		_exit(4);
}

/* Runs @child, whose standard input and output is @fd, beside @parent, which writes to @other. */
static void run_beside(int fd, int other, void (*child)(void), void (*parent)(int fd))
{
	int status;
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		close(other);
		dup2(fd, STDIN_FILENO);
		dup2(fd, STDOUT_FILENO);
		child();
		_exit(0);
	}
	close(fd);
	parent(other);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void start(struct console *c, struct guest *g, size_t takes)
{
	static const struct console_ops ops = {input, command};

	*g = (struct guest){.takes = takes};
	sem_init(&g->news, 0, 0);
	if (console_open(c, &ops, g) != 0 || console_start(c) != 0)
		_exit(2);
}

static void open_terminal(int *terminal, int *other)
{
	*other = posix_openpt(O_RDWR | O_NOCTTY);
	assert_true(*other >= 0 && grantpt(*other) == 0 && unlockpt(*other) == 0);
	*terminal = open(ptsname(*other), O_RDWR | O_NOCTTY);
	assert_true(*terminal >= 0);
}

static void write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		const ssize_t n = write(fd, text, len);

		assert_true(n > 0);
		text += n;
		len -= (size_t)n;
	}
}

/* --- a guest that never reads --- */

static struct console console;
static struct guest guest;

static void deaf(void)
{
	start(&console, &guest, 0);
	if (!console.raw || write(STDOUT_FILENO, "!", 1) != 1)
		_exit(5);
	wait_for_news(&guest);
	console_close(&console);
	if (guest.key != 'x')
		_exit(6);
}

static void type_much(int fd)
{
	static char text[MANY];
	char byte;

	/* The terminal is raw from then on. */
	assert_int_equal(read(fd, &byte, 1), 1);
	memset(text, 'a', sizeof(text));
	write_all(fd, text, sizeof(text));
	write_all(fd, "\x01x", 2);
}

static void a_key_is_seen_though_the_guest_does_not_read(void **state)
{
	int terminal, other;

	(void)state;
	open_terminal(&terminal, &other);
	run_beside(terminal, other, deaf, type_much);
	close(other);
}

/* --- Ctrl-A, in and between writes --- */

static void listens(void)
{
	static const char wanted[] = "one\x01two";

	start(&console, &guest, 2);
	if (write(STDOUT_FILENO, "!", 1) != 1)
		_exit(5);
	while (guest.count < sizeof(wanted) - 1 || guest.key != 'h')
		wait_for_news(&guest);
	console_close(&console);
	if (guest.count != sizeof(wanted) - 1 || memcmp(guest.got, wanted, guest.count) != 0)
		_exit(6);
}

static void type_keys(int fd)
{
	char byte;

	assert_int_equal(read(fd, &byte, 1), 1);
	write_all(fd, "on", 2);
	write_all(fd, "e\x01", 2);
	write_all(fd, "\x01t\x01hwo", 6);
}

static void keys_are_taken_out(void **state)
{
	int terminal, other;

	(void)state;
	open_terminal(&terminal, &other);
	run_beside(terminal, other, listens, type_keys);
	close(other);
}

/* --- a pipe: Ctrl-A is a byte like others, and none is lost --- */

static void reads_slowly(void)
{
	start(&console, &guest, 7);
	if (console.raw)
		_exit(5);
	while (guest.count < MANY)
		wait_for_news(&guest);
	console_close(&console);
	for (size_t i = 0; i < MANY; i++) {
		if (guest.got[i] != (uint8_t)(i % 251))
			_exit(6);
	}
}

static void write_much(int fd)
{
	static char text[MANY];

	for (size_t i = 0; i < MANY; i++)
		text[i] = (char)(i % 251);
	write_all(fd, text, sizeof(text));
	close(fd);
}

static void a_pipe_loses_nothing(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	run_beside(fds[0], fds[1], reads_slowly, write_much);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_seen_though_the_guest_does_not_read),
		cmocka_unit_test(keys_are_taken_out),
		cmocka_unit_test(a_pipe_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

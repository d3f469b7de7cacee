// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The terminal comes back as it was, whatever the end of the process that put it into raw mode. */
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "console.h"

enum { TRIES = 1000, TRY_US = 5000 };

static size_t input(void *opaque, const uint8_t *buf, size_t len)
{
	(void)opaque;
	console_write(buf, len);
	return len;
}

static void command(void *opaque, char key)
{
	(void)opaque;
	console_write(&key, 1);
}

static const struct console_ops ops = {input, command};

/* The process that has the terminal, in raw mode until it ends. SIGUSR1 is its orderly end. */
static _Noreturn void child(void)
{
	static struct console console;
	sigset_t end;
	int number;

	sigemptyset(&end);
	sigaddset(&end, SIGUSR1);
	sigprocmask(SIG_BLOCK, &end, NULL);
	if (console_open(&console, &ops, NULL) != 0 || console_start(&console) != 0)
		_exit(1);
	console_write("ready", 5);
	sigwait(&end, &number);
	console_close(&console);
	_exit(0);
}

static bool is_cooked(int master)
{
	struct termios t;

	assert_int_equal(tcgetattr(master, &t), 0);
	return (t.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG) &&
	       (t.c_oflag & OPOST) != 0;
}

static void expect_text(int master, const char *text)
{
	char buf[64];
	size_t got = 0;

	while (got < strlen(text)) {
		ssize_t n = read(master, buf + got, sizeof(buf) - got);

		assert_true(n > 0);
		got += (size_t)n;
	}
	assert_memory_equal(buf, text, strlen(text));
}

/*
 * The session's leader, as a shell is: if the leader died the kernel would take the terminal away
 * from everybody. Tells who has the terminal, and how that ended, through @report; stays until the
 * terminal is closed.
 */
static _Noreturn void leader(int report)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		child();
	if (write(report, &pid, sizeof(pid)) != sizeof(pid) || waitpid(pid, &status, 0) != pid ||
	    write(report, &status, sizeof(status)) != sizeof(status))
		_exit(1);
	for (;;)
		pause();
}

/* End a process that has the terminal by a signal (0: an orderly end), and wait for the terminal.
 */
static void end_by(int end)
{
	int master, status, report[2];
	pid_t first, pid;

	assert_int_equal(pipe(report), 0);
	first = forkpty(&master, NULL, NULL, NULL);
	assert_true(first >= 0);
	if (first == 0)
		leader(report[1]);
	assert_int_equal(read(report[0], &pid, sizeof(pid)), sizeof(pid));
	expect_text(master, "ready");
	assert_false(is_cooked(master));
	assert_int_equal(write(master, "a\x01\x01\x01k\x03", 6), 6);
	expect_text(master, "a\x01k\x03"); /* raw: Ctrl-C is the guest's */
	assert_int_equal(kill(pid, end == 0 ? SIGUSR1 : end), 0);
	assert_int_equal(read(report[0], &status, sizeof(status)), sizeof(status));
	assert_true(end == 0 ? WIFEXITED(status) && WEXITSTATUS(status) == 0
			     : WIFSIGNALED(status) && WTERMSIG(status) == end);
	for (int i = 0; i < TRIES && !is_cooked(master); i++)
		usleep(TRY_US);
	assert_true(is_cooked(master));
	close(master); /* ends the leader by SIGHUP */
	assert_int_equal(waitpid(first, NULL, 0), first);
	close(report[0]);
	close(report[1]);
}

static void orderly(void **state)
{
	(void)state;
	end_by(0);
}

static void killed(void **state)
{
	(void)state;
	end_by(SIGKILL);
}

static void crashed(void **state)
{
	(void)state;
	end_by(SIGABRT);
	end_by(SIGTERM);
}

static void *write_much(void *opaque)
{
	static char much[1 << 20];

	console_write(much, sizeof(much));
	return opaque;
}

/* A guest's output waits for who reads it, but not when everything is to end. */
static void nobody_reads(void **state)
{
	int saved = dup(STDOUT_FILENO), fds[2];
	pthread_t thread;
	char byte;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(dup2(fds[1], STDOUT_FILENO), STDOUT_FILENO);
	close(fds[1]);
	assert_int_equal(pthread_create(&thread, NULL, write_much, NULL), 0);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	console_mute();
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
	close(saved);
	close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orderly),
		cmocka_unit_test(killed),
		cmocka_unit_test(crashed),
		cmocka_unit_test(nobody_reads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

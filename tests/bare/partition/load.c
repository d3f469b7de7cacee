// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * A load for Linux in a partition: partition-load WHAT SECONDS. It marks the beginning and the end
 * of a window to the hypervisor by ports, and writes nothing in between.
 *
 *   load    ticks, forks, programs, page faults, and with two CPUs interrupts between them, a fixed
 *           number of each; then nothing for SECONDS
 *   count   the same, with the kernel's own writes of ICR counted by its tracing: the window is
 *           begun and ended where none was made meanwhile
 */
#include <fcntl.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "marks.h"

#define TICKS    100
#define FORKS    50
#define PROGRAMS 20
#define FAULTS   16384
#define FLUSHES  200
#define SWITCHES 200
#define MOVES    100
#define BARRIERS 100

#define TRACING "/sys/kernel/tracing"

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void mark(unsigned value)
{
	outl(value, PORT_MARK);
}

static void run_on(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		die("sched_setaffinity");
}

static void rest(long ms)
{
	const struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

static void ticks(void)
{
	for (int i = 0; i < TICKS; i++)
		rest(5);
}

/* The child is a copy, or a program: its loader asks CPUID. */
static void forks(int count, const char *program)
{
	for (int i = 0; i < count; i++) {
		pid_t pid = fork();
		int status;

		if (pid < 0)
			die("fork");
		if (pid == 0) {
			if (program)
				execl(program, program, "exit", (char *)NULL);
			_exit(program ? 1 : 0);
		}
		if (waitpid(pid, &status, 0) != pid || status != 0)
			die("waitpid");
	}
}

static void faults(void)
{
	size_t len = (size_t)FAULTS * 4096;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	madvise(p, len, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < len; i += 4096)
		p[i] = 1;
	munmap(p, len);
}

struct other {
	int ask[2], answer[2];
	volatile int end;
	char *page;
};

/* On the other CPU: answers, and has the page in its TLB. */
static void *serve(void *arg)
{
	struct other *o = arg;
	char c;

	run_on(1);
	while (read(o->ask[0], &c, 1) == 1 && c != 'e') {
		c = o->page[0];
		if (write(o->answer[1], &c, 1) != 1)
			die("write");
	}
	return NULL;
}

static void *spin(void *arg)
{
	struct other *o = arg;

	run_on(1);
	while (!o->end)
		(void)*(volatile char *)o->page;
	return NULL;
}

/* Wake-ups, TLB shootdowns, moves and barriers between two CPUs. */
static void interrupts(void)
{
	struct other o = {0};
	pthread_t thread;
	char c = 'a';

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		return;
	o.page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (o.page == MAP_FAILED || pipe(o.ask) != 0 || pipe(o.answer) != 0)
		die("pipe");
	o.page[0] = 1;
	run_on(0);
	pthread_create(&thread, NULL, serve, &o);
	for (int i = 0; i < SWITCHES; i++) {
		if (write(o.ask[1], &c, 1) != 1 || read(o.answer[0], &c, 1) != 1)
			die("pipe");
		c = 'a';
	}
	c = 'e';
	if (write(o.ask[1], &c, 1) != 1)
		die("write");
	pthread_join(thread, NULL);
	pthread_create(&thread, NULL, spin, &o);
	for (int i = 0; i < FLUSHES; i++) {
		mprotect(o.page, 4096, PROT_READ);
		mprotect(o.page, 4096, PROT_READ | PROT_WRITE);
		o.page[0] = 1;
	}
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
	for (int i = 0; i < BARRIERS; i++)
		syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
	o.end = 1;
	pthread_join(thread, NULL);
	for (int i = 0; i < MOVES; i++)
		run_on((unsigned)i & 1);
	run_on(0);
	munmap(o.page, 4096);
}

static void load(const char *self)
{
	ticks();
	forks(FORKS, NULL);
	forks(PROGRAMS, self);
	faults();
	interrupts();
}

/* --- ICR writes, as the kernel's tracing counts them --- */

static int put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_TRUNC);
	int r = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;

	if (fd >= 0)
		close(fd);
	return r;
}

static void start_counting(void)
{
	if (mount("tracing", TRACING, "tracefs", 0, NULL) != 0)
		die("tracefs");
	if (put(TRACING "/events/msr/write_msr/trigger", "hist:keys=msr if msr == 0x830") != 0)
		die("tracing");
}

static unsigned long counted(void)
{
	static char text[65536];
	int fd = open(TRACING "/events/msr/write_msr/hist", O_RDONLY);
	ssize_t n = 0, got;
	char *hits;

	while (fd >= 0 && (got = read(fd, text + n, sizeof(text) - 1 - (size_t)n)) > 0)
		n += got;
	if (fd >= 0)
		close(fd);
	text[n] = '\0';
	hits = strstr(text, "Hits:");
	if (!hits)
		die("hist");
	return strtoul(hits + 5, NULL, 10);
}

/* A mark between two equal readings. */
static unsigned long mark_still(unsigned value)
{
	for (int i = 0; i < 100; i++) {
		unsigned long before, after;

		rest(100);
		before = counted();
		mark(value);
		after = counted();
		if (before == after)
			return before;
	}
	fprintf(stderr, "the other CPU is never still\n");
	exit(1);
}

int main(int argc, char **argv)
{
	const int counting = argc > 1 && strcmp(argv[1], "count") == 0;
	const long seconds = argc > 2 ? atol(argv[2]) : 0;
	unsigned long first = 0, last;

	if (argc > 1 && strcmp(argv[1], "exit") == 0)
		return 0;
	if (iopl(3) != 0)
		die("iopl");
	run_on(0);
	if (counting)
		start_counting();
	rest(500);
	mark(MARK_SETTLE);
	rest(500);
	if (counting)
		first = mark_still(MARK_BEGIN);
	else
		mark(MARK_BEGIN);
	load("/proc/self/exe");
	rest(1000 * seconds);
	if (!counting) {
		mark(MARK_END);
		return 0;
	}
	last = mark_still(MARK_END);
	outl((unsigned)(last - first), PORT_COUNT);
	printf("guest: ICR written %lu times\n", last - first);
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* What the runner of the guests takes from where it is: here, the bare host. */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bare.h"
#include "guest.h"
#include "platform.h"
#include "platform_bare.h"

/* --- the C library, as far as the runner uses it --- */

struct text {
	char *at;
	size_t room, len;
};

static void put(struct text *t, char c)
{
	if (t->len + 1 < t->room)
		t->at[t->len] = c;
	t->len++;
}

static void put_text(struct text *t, const char *s, int most)
{
	for (int i = 0; s[i] && (most < 0 || i < most); i++)
		put(t, s[i]);
}

static void put_number(struct text *t, unsigned long value, unsigned base, int width, char pad)
{
	char digits[24];
	int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	for (int i = n; i < width; i++)
		put(t, pad);
	while (n > 0)
		put(t, digits[--n]);
}

/* %s %c %d %u %x, l and z, a width, and .* for text. */
int vsnprintf(char *buf, size_t size, const char *format, va_list ap)
{
	struct text t = {buf, size, 0};

	for (const char *f = format; *f; f++) {
		int width = 0, most = -1, is_long = 0;
		char pad = ' ';
		long value;

		if (*f != '%') {
			put(&t, *f);
			continue;
		}
		f++;
		if (*f == '0')
			pad = '0';
		for (; *f >= '0' && *f <= '9'; f++)
			width = 10 * width + (*f - '0');
		if (f[0] == '.' && f[1] == '*') {
			most = va_arg(ap, int);
			f += 2;
		}
		for (; *f == 'l' || *f == 'z'; f++)
			is_long = 1;
		switch (*f) {
		case 's':
			put_text(&t, va_arg(ap, const char *), most);
			break;
		case 'c':
			put(&t, (char)va_arg(ap, int));
			break;
		case 'd':
			value = is_long ? va_arg(ap, long) : va_arg(ap, int);
			if (value < 0)
				put(&t, '-');
			put_number(&t, (unsigned long)(value < 0 ? -value : value), 10, width, pad);
			break;
		case 'u':
		case 'x':
			put_number(&t, is_long ? va_arg(ap, unsigned long) : va_arg(ap, unsigned),
				   *f == 'x' ? 16 : 10, width, pad);
			break;
		default:
			put(&t, *f);
		}
	}
	if (size != 0)
		buf[t.len < size ? t.len : size - 1] = '\0';
	return (int)t.len;
}

/* The size stands before the block. */
#define HEAD 16

void *realloc(void *old, size_t size)
{
	const struct vmm_host *host = vmm_bare_host();
	char *new = host->alloc(host->opaque, size + HEAD, HEAD);
	size_t had = old ? *(size_t *)(void *)((char *)old - HEAD) : 0;

	if (!new)
		return NULL;
	*(size_t *)(void *)new = size;
	if (old)
		memcpy(new + HEAD, old, had < size ? had : size);
	free(old);
	return new + HEAD;
}

void free(void *old)
{
	const struct vmm_host *host = vmm_bare_host();

	if (old)
		host->free(host->opaque, (char *)old - HEAD,
			   *(size_t *)(void *)((char *)old - HEAD) + HEAD);
}

void abort(void)
{
	vmm_bare_end(1);
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

size_t strlen(const char *text)
{
	size_t len = 0;

	while (text[len])
		len++;
	return len;
}

static int is_one_of(char c, const char *set)
{
	for (; *set; set++) {
		if (c == *set)
			return 1;
	}
	return 0;
}

char *strtok_r(char *text, const char *set, char **rest)
{
	char *at = text ? text : *rest, *end;

	while (*at && is_one_of(*at, set))
		at++;
	for (end = at; *end && !is_one_of(*end, set);)
		end++;
	*rest = *end ? end + 1 : end;
	*end = '\0';
	return end == at ? NULL : at;
}

/* --- the platform --- */

uint32_t platform_has(void)
{
	return NEEDS_EVENTS | (vmm_bare_cpus() > 1 ? NEEDS_THREADS : 0);
}

void limit_begin(struct run *run)
{
	(void)run;
}

void limit_end(void)
{
}

bool limit_reached(void)
{
	return false;
}

/* A task has a CPU to itself. */
#define TASKS 8

struct work {
	void *(*work)(void *);
	void *argument;
	void *result;
};

static struct work works[TASKS];

static void do_task(void *arg)
{
	struct work *w = arg;

	w->result = w->work(w->argument);
}

bool task_start(struct task *task, void *(*work)(void *), void *argument)
{
	for (uint64_t cpu = 2; cpu <= vmm_bare_cpus() && cpu < TASKS; cpu++) {
		struct work w = {work, argument, NULL};

		if (works[cpu].work)
			continue;
		works[cpu] = w;
		task->thread = cpu;
		return vmm_bare_run(cpu, do_task, &works[cpu]) == 0;
	}
	return false;
}

void *task_join(struct task *task)
{
	vmm_bare_join(task->thread);
	works[task->thread].work = NULL;
	return works[task->thread].result;
}

void nap_us(uint32_t us)
{
	static const uint32_t word;
	const struct vmm_host *host = vmm_bare_host();

	host->wait(host->opaque, &word, 0, (uint64_t)us * 1000);
}

/* Events are counters, which the host that the tests have rings by platform_host()'s
 * event_signal(). */
#define EVENTS 4

static struct {
	_Atomic uint64_t rings;
	bool used;
} events[EVENTS];

uint64_t event_make(void)
{
	uint64_t event = 0;

	while (event < EVENTS - 1 && events[event].used)
		event++;
	events[event].used = true;
	atomic_store(&events[event].rings, 0);
	return event;
}

void event_ring(uint64_t event)
{
	atomic_fetch_add(&events[event].rings, 1);
}

uint64_t event_count(uint64_t event)
{
	return atomic_exchange(&events[event].rings, 0);
}

void event_close(uint64_t event)
{
	events[event].used = false;
}

static int signal_event(void *opaque, uint64_t event)
{
	(void)opaque;
	event_ring(event);
	return 0;
}

const struct vmm_host *platform_host(void)
{
	static struct vmm_host host;

	host = *vmm_bare_host();
	host.event_signal = signal_event;
	return &host;
}

void tell_line(const char *format, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	vmm_bare_print("%s\n", line);
}

void usage_get(struct usage *usage)
{
	struct vmm_bare_usage bare;

	vmm_bare_usage(&bare);
	*usage = (struct usage){0, (int64_t)(bare.heap_blocks), (int64_t)(bare.heap_bytes / 4096)};
}

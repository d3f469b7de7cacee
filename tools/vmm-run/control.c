// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libvmm/dev.h"
#include "libvmm/machine.h"

/* Words of a command, "memory plug 256M 1", and one that is too many. */
#define WORDS 5
#define LINE  256

struct command {
	const char *name; /* its first words */
	int words;        /* how many those are */
	int least;        /* arguments, at least and at most */
	int most;
	int (*run)(struct control *c, char **arg);
	const char *usage;
};

/* What has been said already. */
#define SAID 1

/* From 0 to 2^64 - 1, up to *@end. False after saying that it is none. */
static bool digits(const struct control *c, const char *text, unsigned long long *value, char **end)
{
	errno = 0;
	*value = strtoull(text, end, 0);
	if (*text >= '0' && *text <= '9' && errno == 0)
		return true;
	fprintf(stderr, "vmm-run: control: '%s' is no number%s", text, c->eol);
	return false;
}

static bool wrong(const struct control *c, const char *text)
{
	fprintf(stderr, "vmm-run: control: '%s' is too large, or more than a number%s", text,
		c->eol);
	return false;
}

static bool number(const struct control *c, const char *text, uint32_t *value)
{
	unsigned long long n;
	char *end;

	if (!text)
		return true; /* left out: the default stays */
	if (!digits(c, text, &n, &end))
		return false;
	if (*end != '\0' || n > UINT32_MAX)
		return wrong(c, text);
	*value = (uint32_t)n;
	return true;
}

/* With a suffix M or G. */
static bool size(const struct control *c, const char *text, unsigned long long *value)
{
	unsigned shift = 0;
	char *end;

	if (!digits(c, text, value, &end))
		return false;
	if (*end == 'M' || *end == 'G')
		shift = *end++ == 'M' ? 20 : 30;
	if (*end != '\0' || *value > ULLONG_MAX >> shift)
		return wrong(c, text);
	*value <<= shift;
	return true;
}

static int cpu_plug(struct control *c, char **arg)
{
	uint32_t vcpu = 0;
	int err;

	if (!number(c, arg[0], &vcpu))
		return SAID;
	err = vmm_machine_cpu_plug(c->machine, vcpu);
	if (err == 0)
		c->plugged(c->opaque, vcpu);
	return err;
}

static int cpu_unplug(struct control *c, char **arg)
{
	uint32_t vcpu = 0;

	return number(c, arg[0], &vcpu) ? vmm_machine_cpu_unplug(c->machine, vcpu) : SAID;
}

static int memory_plug(struct control *c, char **arg)
{
	unsigned long long len;
	uint32_t slot, node = 0;
	int err;

	if (!size(c, arg[0], &len) || !number(c, arg[1], &node))
		return SAID;
	err = vmm_machine_memory_plug(c->machine, len, node, &slot);
	if (err == 0)
		fprintf(stderr, "vmm-run: control: memory is in slot %u%s", slot, c->eol);
	return err;
}

static int memory_unplug(struct control *c, char **arg)
{
	uint32_t slot = 0;

	return number(c, arg[0], &slot) ? vmm_machine_memory_unplug(c->machine, slot) : SAID;
}

/* A function without registers: PCI Code and ID Assignment 1.11, class 0xff, unclassified. */
static uint32_t pci_read(void *opaque, uint32_t reg, uint32_t width)
{
	static const uint8_t header[] = {0x36, 0x1b, 0x05, 0x00, 0, 0, 0, 0, 0, 0, 0, 0xff};
	uint32_t value = 0;

	(void)opaque;
	for (uint32_t i = 0; i < width; i++) {
		if (reg + i < sizeof(header))
			value |= (uint32_t)header[reg + i] << (8 * i);
	}
	return value;
}

static void pci_write(void *opaque, uint32_t reg, uint32_t width, uint32_t value)
{
	(void)opaque;
	(void)reg;
	(void)width;
	(void)value;
}

static int pci_plug(struct control *c, char **arg)
{
	static const struct vmm_pci_function_ops ops = {
		.size = sizeof(ops), .read = pci_read, .write = pci_write};
	uint32_t device = 0;

	return number(c, arg[0], &device) ? vmm_machine_pci_plug(c->machine, device, &ops, NULL)
					  : SAID;
}

static int pci_unplug(struct control *c, char **arg)
{
	uint32_t device = 0;

	return number(c, arg[0], &device) ? vmm_machine_pci_unplug(c->machine, device) : SAID;
}

static int button_power(struct control *c, char **arg)
{
	(void)arg;
	return vmm_machine_power_button(c->machine);
}

static int button_sleep(struct control *c, char **arg)
{
	(void)arg;
	return vmm_machine_sleep_button(c->machine);
}

#define CELSIUS_0   2732
#define CELSIUS_MAX 1000

static int temperature(struct control *c, char **arg)
{
	uint32_t degrees = 0;

	if (!number(c, arg[0], &degrees))
		return SAID;
	if (degrees > CELSIUS_MAX) {
		wrong(c, arg[0]);
		return SAID;
	}
	return vmm_machine_set_temperature(c->machine, CELSIUS_0 + 10 * degrees);
}

/*
 * A corrected error of memory, of which nothing more is known: a generic error status block (ACPI
 * 6.5, 18.3.2.7.1) with one entry, a memory error section (UEFI 2.10, N.2.5) without valid fields.
 */
static int error_corrected(struct control *c, char **arg)
{
	static const uint8_t memory_error[16] = {0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f, 0xde, 0x4e,
						 0xb8, 0x63, 0x3e, 0x83, 0xed, 0x7c, 0x83, 0xb1};
	uint8_t block[20 + 72 + 80] = {
		[0] = 0x10 | 0x02, /* one entry, and it is corrected */
		[12] = 72 + 80,    /* bytes of the entries */
		[16] = 2,          /* corrected */
		[20 + 16] = 2,     [20 + 20] = 0x00, [20 + 21] = 0x03, /* revision of the entry */
		[20 + 24] = 80,                                        /* bytes of the section */
	};

	(void)arg;
	memcpy(block + 20, memory_error, sizeof(memory_error));
	return vmm_machine_report_error(c->machine, block, sizeof(block));
}

static int wake(struct control *c, char **arg)
{
	(void)arg;
	c->wake(c->opaque);
	return 0;
}

static int end(struct control *c, char **arg)
{
	(void)arg;
	c->end(c->opaque);
	return 0;
}

static const struct command commands[] = {
	{"cpu plug", 2, 1, 1, cpu_plug, "NUMBER"},
	{"cpu unplug", 2, 1, 1, cpu_unplug, "NUMBER"},
	{"memory plug", 2, 1, 2, memory_plug, "SIZE [NODE]"},
	{"memory unplug", 2, 1, 1, memory_unplug, "SLOT"},
	{"pci plug", 2, 1, 1, pci_plug, "DEVICE"},
	{"pci unplug", 2, 1, 1, pci_unplug, "DEVICE"},
	{"button power", 2, 0, 0, button_power, ""},
	{"button sleep", 2, 0, 0, button_sleep, ""},
	{"temperature", 1, 1, 1, temperature, "DEGREES"},
	{"error", 1, 0, 0, error_corrected, ""},
	{"wake", 1, 0, 0, wake, ""},
	{"end", 1, 0, 0, end, ""},
};

static bool is_command(const struct command *cmd, char *const *word, int words)
{
	char name[LINE];

	if (words < cmd->words)
		return false;
	snprintf(name, sizeof(name), cmd->words == 2 ? "%s %s" : "%s", word[0],
		 cmd->words == 2 ? word[1] : "");
	return strcmp(name, cmd->name) == 0;
}

static void obey(struct control *c, const struct command *cmd, char **arg, int args)
{
	struct vmm_error error = {.size = sizeof(error)};
	int err;

	if (args < cmd->least || args > cmd->most) {
		fprintf(stderr, "vmm-run: control: wanted: %s %s%s", cmd->name, cmd->usage, c->eol);
		return;
	}
	err = cmd->run(c, arg);
	if (err == 0 || err == SAID)
		return;
	vmm_machine_error(c->machine, &error);
	fprintf(stderr, "vmm-run: control: %s: %s%s", cmd->name,
		error.code == err ? error.text : vmm_strerror(err), c->eol);
}

static void take_line(struct control *c, char *line)
{
	char *word[WORDS + 1] = {NULL}, *rest = NULL;
	int words = 0;

	for (char *w = strtok_r(line, " \t\r", &rest); w && words < WORDS;
	     w = strtok_r(NULL, " \t\r", &rest))
		word[words++] = w;
	if (words == 0)
		return;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *cmd = &commands[i];

		if (is_command(cmd, word, words)) {
			obey(c, cmd, word + cmd->words, words - cmd->words);
			return;
		}
	}
	fprintf(stderr, "vmm-run: control: '%s' is none of:%s", word[0], c->eol);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(stderr, "  %s %s%s", commands[i].name, commands[i].usage, c->eol);
}

/* Takes the whole lines off @buf; what is left of one stays. Returns how much that is. *@passing:
 * inside a line that is longer than any command, of which nothing is done. */
static size_t take_lines(struct control *c, char *buf, size_t len, bool *passing)
{
	char *begin = buf, *newline;

	while ((newline = memchr(begin, '\n', len)) != NULL) {
		*newline = '\0';
		if (!*passing)
			take_line(c, begin);
		*passing = false;
		len -= (size_t)(newline + 1 - begin);
		begin = newline + 1;
	}
	if (len >= LINE && !*passing)
		fprintf(stderr, "vmm-run: control: a line is too long%s", c->eol);
	*passing = *passing || len >= LINE;
	if (*passing)
		return 0;
	memmove(buf, begin, len);
	return len;
}

static void *control_main(void *arg)
{
	struct control *c = arg;
	struct pollfd fds[2] = {
		{.fd = c->fd, .events = POLLIN},
		{.fd = c->stop_fd, .events = POLLIN},
	};
	char buf[2 * LINE];
	bool passing = false;
	size_t len = 0;

	for (;;) {
		ssize_t n;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return NULL;
		if (fds[1].revents != 0)
			return NULL;
		n = read(c->fd, buf + len, LINE);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return NULL;
		len = take_lines(c, buf, len + (size_t)n, &passing);
	}
}

/* For writing too, so that the last writer's end is not the end. */
static int open_pipe(struct control *c)
{
	struct stat st;

	c->made = mkfifo(c->path, 0600) == 0;
	if (!c->made && errno != EEXIST)
		return -1;
	c->fd = open(c->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (c->fd < 0 || fstat(c->fd, &st) != 0)
		return -1;
	if (S_ISFIFO(st.st_mode))
		return 0;
	close(c->fd);
	c->fd = -1;
	errno = EEXIST;
	return -1;
}

int control_start(struct control *c)
{
	sigset_t all, old;
	int e;

	c->fd = c->stop_fd = -1;
	if (!c->path)
		return 0;
	if (open_pipe(c) != 0)
		return -1;
	c->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (c->stop_fd < 0)
		return -1;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	e = pthread_create(&c->thread, NULL, control_main, c);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = e;
	c->started = e == 0;
	return e == 0 ? 0 : -1;
}

void control_stop(struct control *c)
{
	const uint64_t one = 1;

	if (c->started && write(c->stop_fd, &one, sizeof(one)) == (ssize_t)sizeof(one))
		pthread_join(c->thread, NULL);
	c->started = false;
	if (!c->path)
		return;
	if (c->stop_fd >= 0)
		close(c->stop_fd);
	if (c->fd >= 0)
		close(c->fd);
	if (c->made)
		unlink(c->path);
	c->path = NULL;
}

void control_tell(const struct control *c, const struct vmm_machine_hotplug *what)
{
	static const char *const kinds[] = {"?", "CPU", "memory slot", "PCI device"};
	const char *kind = what->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[what->kind] : "?";

	if (!c->path)
		return;
	if (what->what == VMM_HOTPLUG_EJECTED)
		fprintf(stderr, "vmm-run: %s %u was ejected%s", kind, what->slot, c->eol);
	else
		fprintf(stderr, "vmm-run: %s %u: event 0x%x ended with status 0x%x%s", kind,
			what->slot, what->event, what->status, c->eol);
}

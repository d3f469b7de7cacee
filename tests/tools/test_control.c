// SPDX-License-Identifier: BSD-2-Clause-Patent
/* vmm-run's control pipe: what a line comes to. The machine is this file's. */
#include <fcntl.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "control.h"
#include "libvmm/dev.h"
#include "libvmm/machine.h"

#define SECONDS 30

/* What the machine was told, in words. */
static char told[4096];

static int tell(const char *fmt, ...)
{
	const size_t len = strlen(told);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(told + len, sizeof(told) - len, fmt, ap);
	va_end(ap);
	return 0;
}

int vmm_machine_cpu_plug(struct vmm_machine *machine, uint32_t vcpu)
{
	(void)machine;
	return tell("cpu plug %u;", vcpu);
}

int vmm_machine_cpu_unplug(struct vmm_machine *machine, uint32_t vcpu)
{
	(void)machine;
	return tell("cpu unplug %u;", vcpu);
}

int vmm_machine_memory_plug(struct vmm_machine *machine, uint64_t len, uint32_t node,
			    uint32_t *slot)
{
	(void)machine;
	*slot = 0;
	return tell("memory plug %llx on %u;", (unsigned long long)len, node);
}

int vmm_machine_memory_unplug(struct vmm_machine *machine, uint32_t slot)
{
	(void)machine;
	return tell("memory unplug %u;", slot);
}

int vmm_machine_pci_plug(struct vmm_machine *machine, uint32_t device,
			 const struct vmm_pci_function_ops *ops, void *opaque)
{
	(void)machine;
	(void)opaque;
	assert_non_null(ops);
	return tell("pci plug %u;", device);
}

int vmm_machine_pci_unplug(struct vmm_machine *machine, uint32_t device)
{
	(void)machine;
	return tell("pci unplug %u;", device);
}

int vmm_machine_power_button(struct vmm_machine *machine)
{
	(void)machine;
	return tell("power;");
}

int vmm_machine_sleep_button(struct vmm_machine *machine)
{
	(void)machine;
	return -VMM_ENOTSUP;
}

int vmm_machine_set_temperature(struct vmm_machine *machine, uint32_t tenths)
{
	(void)machine;
	return tell("temperature %u;", tenths);
}

int vmm_machine_report_error(struct vmm_machine *machine, const void *block, size_t len)
{
	(void)machine;
	(void)block;
	return tell("error %zu;", len);
}

int vmm_machine_error(struct vmm_machine *machine, struct vmm_error *error)
{
	(void)machine;
	(void)error;
	return 0;
}

static void plugged(void *opaque, unsigned vcpu)
{
	(void)opaque;
	tell("there is %u;", vcpu);
}

static void wake(void *opaque)
{
	(void)opaque;
	tell("wake;");
}

static void end(void *opaque)
{
	sem_post(opaque);
}

/* Writes @lines to the pipe, and an end; what the machine was told of it is @wanted. */
static void check(const char *lines, const char *wanted)
{
	char folder[] = "/tmp/vmm-control-XXXXXX", path[sizeof(folder) + 8];
	struct timespec until;
	sem_t ended;
	struct control c = {.path = path,
			    .eol = "\n",
			    .plugged = plugged,
			    .wake = wake,
			    .end = end,
			    .opaque = &ended};
	int fd;

	told[0] = '\0';
	sem_init(&ended, 0, 0);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/pipe", folder);
	assert_int_equal(control_start(&c), 0);
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, lines, strlen(lines)), (ssize_t)strlen(lines));
	assert_int_equal(write(fd, "end\n", 4), 4);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += SECONDS;
	assert_int_equal(sem_timedwait(&ended, &until), 0);
	close(fd);
	control_stop(&c);
	assert_int_equal(rmdir(folder), 0);
	assert_string_equal(told, wanted);
}

static void commands(void **state)
{
	(void)state;
	check("cpu plug 1\ncpu  unplug\t0x2\r\nmemory plug 128M\nmemory plug 1G 3\nmemory unplug "
	      "0\n",
	      "cpu plug 1;there is 1;cpu unplug 2;memory plug 8000000 on 0;"
	      "memory plug 40000000 on 3;memory unplug 0;");
	check("pci plug 1\npci unplug 1\nbutton power\nbutton sleep\ntemperature "
	      "70\nerror\nwake\n\n",
	      "pci plug 1;pci unplug 1;power;temperature 3432;error 172;wake;");
}

static void nothing_is_done_of_what_is_wrong(void **state)
{
	(void)state;
	check("cpu plug\ncpu plug x\ncpu plug -1\ncpu plug 4294967297\ncpu plug 1x\ncpu plug 1 2\n"
	      "cpu\nplug\ncpu plugs 1\n",
	      "");
	check("memory plug 17179869185G\nmemory plug 18446744073709551616\nmemory plug -1M\n"
	      "memory plug M\nmemory plug 128K\nmemory plug 128MM\nmemory plug 128M y\n"
	      "memory plug 128M 4294967296\nmemory plug 128M 0 end\n",
	      "");
	check("temperature 4294967295\ntemperature -1\ntemperature 1001\n", "");
}

/* Its end is no command, however it is cut. */
static void a_line_that_is_too_long(void **state)
{
	char lines[1200];

	(void)state;
	for (size_t len = 200; len < 1000; len += 7) {
		memset(lines, 'x', len);
		snprintf(lines + len, sizeof(lines) - len, " \nwake\n");
		check(lines, "wake;");
	}
	memset(lines, 'x', 256);
	snprintf(lines + 256, sizeof(lines) - 256, "button power\nwake\n");
	check(lines, "wake;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands),
		cmocka_unit_test(nothing_is_done_of_what_is_wrong),
		cmocka_unit_test(a_line_that_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

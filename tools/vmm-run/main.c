// SPDX-License-Identifier: BSD-2-Clause-Patent
/* vmm-run: one virtual machine, from a profile, on this terminal. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console.h"
#include "control.h"
#include "files.h"
#include "libvmm/libvmm.h"
#include "libvmm/linux.h"
#include "libvmm/machine.h"
#include "options.h"
#include "report.h"
#include "storage.h"

#define PROBE_MS     2000
#define THREAD_STACK (256 << 10)

struct runner {
	struct run *run;
	uint32_t index;
	pthread_t thread;
	sem_t come; /* its CPU may be there now, or everything ends */
	struct vmm_machine_run result;
	bool failed; /* what was wrong has been said */
};

struct run {
	struct options options;
	struct files files;
	struct storage storage;
	struct vmm_ctx *ctx;
	struct vmm_machine *machine;
	struct console console;
	struct control control;
	sem_t wake;           /* of a guest that sleeps */
	atomic_bool asleep;   /* it does */
	atomic_bool standing; /* no vCPU runs any more */
	struct runner *runners;
};

/* Set by Ctrl-A x, a signal, or a vCPU that failed: all come back. A handler has no other way. */
static atomic_bool ending;
static struct run *_Atomic running;

/* Fetch the runners of CPUs that are not there. */
static void wake_absent(struct run *run)
{
	for (uint32_t i = 0; i < vmm_machine_vcpus(run->machine); i++)
		sem_post(&run->runners[i].come);
}

static void end_all(void)
{
	struct run *run = atomic_load(&running);

	atomic_store(&ending, true);
	console_mute();
	if (!run)
		return;
	vmm_machine_kick(run->machine);
	wake_absent(run);
	sem_post(&run->wake);
}

static void on_signal(int number)
{
	(void)number;
	end_all();
}

/* The end of a line on the terminal as it is now. */
static const char *eol(const struct run *run)
{
	return run->console.raw ? "\r\n" : "\n";
}

static void say(const struct run *run, const char *what, const struct vmm_error *error)
{
	fprintf(stderr, "vmm-run: %s: %s%s", what,
		error->text[0] ? error->text : vmm_strerror(error->code), eol(run));
}

static int machine_failed(const struct run *run, const char *what)
{
	struct vmm_error error = {.size = sizeof(error)};

	vmm_machine_error(run->machine, &error);
	say(run, what, &error);
	return STATUS_FAILED;
}

static int find_engine(struct run *run)
{
	struct vmm_error error = {.size = sizeof(error)};
	int err = vmm_linux_ctx_create(&run->ctx, &error);

	if (err != 0) {
		say(run, "libvmm", &error);
		return STATUS_FAILED;
	}
	if (!run->options.engine)
		run->options.engine = "kvm";
	if (strcmp(run->options.engine, "kvm") == 0)
		err = vmm_linux_kvm_probe(run->ctx, PROBE_MS);
	else
		err = vmm_ctx_engine_probe(run->ctx, run->options.engine);
	if (err == 0)
		return -1;
	vmm_ctx_error(run->ctx, &error);
	say(run, run->options.engine, &error);
	return STATUS_NO_ENGINE;
}

/* --- The console --- */

static void guest_output(void *opaque, uint32_t console, const uint8_t *data, uint32_t len)
{
	(void)opaque;
	if (console == 0)
		console_write(data, len);
}

static size_t typed(void *opaque, const uint8_t *buf, size_t len)
{
	struct run *run = opaque;
	uint32_t taken = 0;

	if (vmm_machine_console_input(run->machine, 0, buf, (uint32_t)len, &taken) != 0)
		return len; /* there is no port to type at */
	return taken;
}

/* ACPI 6.5, 4.8.2.2.1.2: one press wakes, or is told to the guest that is awake, and wakes it from
 * no later sleep. */
static void press_button(struct run *run)
{
	if (atomic_load(&run->asleep))
		sem_post(&run->wake);
	else
		vmm_machine_power_button(run->machine);
}

static void key_command(void *opaque, char key)
{
	struct run *run = opaque;

	switch (key) {
	case 'x':
		end_all();
		break;
	case 'p':
		press_button(run);
		break;
	case 's':
		report_stats(run->machine, eol(run));
		break;
	default:
		fprintf(stderr, "Ctrl-A x: end; p: power button; s: statistics; Ctrl-A: itself%s",
			eol(run));
		break;
	}
}

static const struct console_ops console_ops = {typed, key_command};

/* --- Control --- */

static void cpu_plugged(void *opaque, unsigned vcpu)
{
	struct run *run = opaque;

	sem_post(&run->runners[vcpu].come);
}

static void wake_guest(void *opaque)
{
	sem_post(&((struct run *)opaque)->wake);
}

static void end_guest(void *opaque)
{
	(void)opaque;
	end_all();
}

static void hotplug_told(void *opaque, const struct vmm_machine_hotplug *what)
{
	control_tell(&((struct run *)opaque)->control, what);
}

static int start_control(struct run *run)
{
	run->control = (struct control){
		.machine = run->machine,
		.path = run->options.control,
		.eol = eol(run),
		.plugged = cpu_plugged,
		.wake = wake_guest,
		.end = end_guest,
		.opaque = run,
	};
	if (control_start(&run->control) == 0)
		return -1;
	fprintf(stderr, "vmm-run: %s: %s%s", run->options.control, strerror(errno), eol(run));
	return STATUS_FAILED;
}

/* --- Making and starting --- */

static bool has_bios(const struct run *run)
{
	const char *firmware;

	vmm_profile_get_string(run->options.profile, VMM_PROFILE_BOOT_FIRMWARE, 0, &firmware);
	return strcmp(firmware, "bios") == 0;
}

/* What is an initial RAM disk elsewhere is a diskette to a BIOS: by this name SeaBIOS takes it. */
static int add_diskette(struct run *run)
{
	const struct file *image = &run->files.initrds[0];
	const struct vmm_error too_long = {.code = -VMM_ERANGE};

	if (!has_bios(run) || run->files.initrd_count == 0)
		return -1;
	if (image->len > UINT32_MAX) {
		say(run, "diskette", &too_long);
		return STATUS_FAILED;
	}
	if (vmm_machine_fw_cfg_file(run->machine, "floppyimg/0", image->bytes,
				    (uint32_t)image->len) != 0)
		return machine_failed(run, "diskette");
	return -1;
}

static int make_machine(struct run *run)
{
	const struct vmm_machine_config config = {
		.size = sizeof(config),
		.profile = run->options.profile,
		.engine = run->options.engine,
		.opaque = run,
		.console_write = guest_output,
		.hotplug = hotplug_told,
		.variables = run->options.variables ? &run->storage.ops : NULL,
	};
	struct vmm_error error = {.size = sizeof(error)};

	if (vmm_machine_create(run->ctx, &config, &run->machine, &error) != 0) {
		say(run, "machine", &error);
		return STATUS_FAILED;
	}
	if (add_diskette(run) != -1)
		return STATUS_FAILED;
	if (vmm_machine_seal(run->machine) != 0)
		return machine_failed(run, "machine");
	run->runners = calloc(vmm_machine_vcpus(run->machine), sizeof(*run->runners));
	if (!run->runners)
		return STATUS_FAILED;
	sem_init(&run->wake, 0, 0);
	for (uint32_t i = 0; i < vmm_machine_vcpus(run->machine); i++)
		sem_init(&run->runners[i].come, 0, 0);
	return -1;
}

static int load_bios(struct run *run)
{
	const struct file *image = &run->files.kernel;

	if (vmm_machine_load_bios(run->machine, image->bytes, image->len) != 0)
		return machine_failed(run, "BIOS");
	return -1;
}

static int load_guest(struct run *run)
{
	struct vmm_load_target target = {.size = sizeof(target)};
	struct vmm_boot boot = {.size = sizeof(boot)};
	struct vmm_vcpu *first = vmm_vm_vcpu(vmm_machine_vm(run->machine), 0);
	struct vmm_error error = {.size = sizeof(error)};

	if (has_bios(run))
		return load_bios(run);
	if (vmm_machine_load_target(run->machine, &target) != 0 ||
	    !files_load(&run->files, &run->options, &target, &boot))
		return STATUS_FAILED;
	if (vmm_boot_apply(&boot, first) == 0)
		return -1;
	vmm_vcpu_error(first, &error);
	say(run, "first CPU", &error);
	return STATUS_FAILED;
}

/* --- Running --- */

static void run_failed(struct runner *r)
{
	struct vmm_error error = {.size = sizeof(error)};

	vmm_vcpu_error(vmm_vm_vcpu(vmm_machine_vm(r->run->machine), r->index), &error);
	say(r->run, "CPU", &error);
	r->failed = true;
	end_all();
}

static void unexpected_exit(struct runner *r)
{
	const struct vmm_exit *exit = &r->result.exit;
	const char *name = vmm_exit_name(exit->reason);

	fprintf(stderr, "vmm-run: CPU %u stopped for good: %s, hardware code %#llx%s", r->index,
		name ? name : "unknown exit", (unsigned long long)exit->hw_code, eol(r->run));
	end_all();
}

/* Until the machine stops, or everything is to end. */
static void *run_vcpu(void *arg)
{
	struct runner *r = arg;

	for (;;) {
		r->result.size = sizeof(r->result);
		if (atomic_load(&ending))
			return NULL;
		if (vmm_machine_run_vcpu(r->run->machine, r->index, &r->result) != 0) {
			run_failed(r);
			return NULL;
		}
		switch (r->result.reason) {
		case VMM_MACHINE_EXIT:
			unexpected_exit(r);
			return NULL;
		case VMM_MACHINE_KICKED:
			break;
		case VMM_MACHINE_ABSENT:
			sem_wait(&r->come); /* interrupted: looks again */
			break;
		default:
			wake_absent(r->run);
			return NULL;
		}
	}
}

/* Of the devices, while vCPUs run. */
static void *run_timers(void *arg)
{
	struct run *run = arg;

	while (!atomic_load(&run->standing) && vmm_machine_run_timers(run->machine) == 0)
		;
	return NULL;
}

static void join(struct run *run, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		pthread_join(run->runners[i].thread, NULL);
}

static int run_vcpus(struct run *run)
{
	const uint32_t count = vmm_machine_vcpus(run->machine);

	for (uint32_t i = 0; i < count; i++) {
		struct runner *r = &run->runners[i];
		int e;

		r->run = run;
		r->index = i;
		r->failed = false;
		r->result = (struct vmm_machine_run){.size = sizeof(r->result)};
		e = pthread_create(&r->thread, NULL, run_vcpu, r);
		if (e != 0) {
			fprintf(stderr, "vmm-run: thread of CPU %u: %s%s", i, strerror(e),
				eol(run));
			end_all();
			join(run, i);
			return STATUS_FAILED;
		}
	}
	join(run, count);
	return -1;
}

static int run_once(struct run *run)
{
	pthread_t timers;
	int status, e;

	atomic_store(&run->standing, false);
	e = pthread_create(&timers, NULL, run_timers, run);
	if (e != 0) {
		fprintf(stderr, "vmm-run: thread of timers: %s%s", strerror(e), eol(run));
		return STATUS_FAILED;
	}
	status = run_vcpus(run);
	atomic_store(&run->standing, true);
	vmm_machine_kick(run->machine);
	pthread_join(timers, NULL);
	return status;
}

/* What one of the runners came back with says how it ended. */
enum { START_AGAIN = -1, ASLEEP = -2 };

static int status_of(struct run *run)
{
	for (uint32_t i = 0; i < vmm_machine_vcpus(run->machine); i++) {
		const struct runner *r = &run->runners[i];

		if (r->failed)
			return STATUS_FAILED;
		switch (r->result.reason) {
		case VMM_MACHINE_OFF:
			return STATUS_OFF;
		case VMM_MACHINE_RESET:
			return run->options.no_reboot ? STATUS_OFF : START_AGAIN;
		case VMM_MACHINE_SLEEP:
			return ASLEEP;
		case VMM_MACHINE_DEBUG_EXIT:
			return (int)(r->result.status & 0xff);
		case VMM_MACHINE_TRIPLE_FAULT:
			fprintf(stderr, "vmm-run: CPU %u stopped for good: triple fault%s",
				r->result.vcpu, eol(run));
			return STATUS_GUEST_DIED;
		case VMM_MACHINE_EXIT:
			return STATUS_GUEST_DIED;
		default:
			break;
		}
	}
	return STATUS_ENDED;
}

static int wake_machine(struct run *run)
{
	return vmm_machine_wake(run->machine) == 0 ? -1 : machine_failed(run, "wake");
}

/* From its start, or from where it fell asleep, to its end or sleep. */
static int run_on(struct run *run)
{
	int status = run_once(run);

	while (status == -1 && (status = status_of(run)) == ASLEEP) {
		atomic_store(&run->asleep, true);
		fprintf(stderr, "vmm-run: the guest sleeps; Ctrl-A p or 'wake' wakes it%s",
			eol(run));
		while (!atomic_load(&ending) && sem_wait(&run->wake) != 0)
			;
		atomic_store(&run->asleep, false);
		if (atomic_load(&ending))
			return STATUS_ENDED;
		status = wake_machine(run);
		if (status == -1)
			status = run_once(run);
	}
	return status;
}

static int run_guest(struct run *run)
{
	for (;;) {
		int status = load_guest(run);

		if (status == -1)
			status = run_on(run);
		if (status != START_AGAIN)
			return status;
		if (vmm_machine_reset(run->machine) != 0)
			return machine_failed(run, "reset");
	}
}

static int run_on_terminal(struct run *run)
{
	const struct sigaction action = {.sa_handler = on_signal};
	int status;

	if (console_open(&run->console, &console_ops, run) != 0) {
		fprintf(stderr, "vmm-run: terminal: %s\n", strerror(errno));
		return STATUS_FAILED;
	}
	status = find_engine(run);
	if (status == -1)
		status = make_machine(run);
	if (status == -1) {
		atomic_store(&running, run);
		sigaction(SIGINT, &action, NULL);
		sigaction(SIGTERM, &action, NULL);
		sigaction(SIGHUP, &action, NULL);
		status = start_control(run);
		if (status == -1)
			status = console_start(&run->console) != 0 ? STATUS_FAILED : run_guest(run);
		control_stop(&run->control);
		atomic_store(&running, NULL);
	}
	console_close(&run->console);
	if (run->options.stats && run->machine)
		report_stats(run->machine, "\n");
	return status;
}

static int probe(struct run *run)
{
	const int status = find_engine(run);

	if (status == -1)
		printf("%s runs guests here\n", run->options.engine);
	return status == -1 ? 0 : status;
}

static int dry_run(struct run *run)
{
	const char *kernel;

	vmm_profile_get_string(run->options.profile, VMM_PROFILE_BOOT_KERNEL, 0, &kernel);
	if (*kernel != '\0' && !files_open(&run->files, &run->options))
		return STATUS_FAILED;
	return report_plan(&run->options, &run->files) ? 0 : STATUS_FAILED;
}

static int act(struct run *run)
{
	if (run->options.tables && !report_dump_tables(&run->options))
		return STATUS_FAILED;
	if (run->options.probe)
		return probe(run);
	if (run->options.dry_run)
		return dry_run(run);
	if (!files_open(&run->files, &run->options))
		return STATUS_FAILED;
	if (run->options.variables && !storage_open(&run->storage, run->options.variables))
		return STATUS_FAILED;
	return run_on_terminal(run);
}

/*
 * The default of 8 MiB is room for a huge page, and the first touch of a stack would take one: 2
 * MiB for a thread that needs some KiB.
 */
static void keep_stacks_small(void)
{
	pthread_attr_t attr;

	if (pthread_attr_init(&attr) != 0)
		return;
	if (pthread_attr_setstacksize(&attr, THREAD_STACK) == 0)
		pthread_setattr_default_np(&attr);
	pthread_attr_destroy(&attr);
}

int main(int argc, char **argv)
{
	static struct run run = {.storage.fd = -1};
	int status = options_read(&run.options, argc, argv);

	keep_stacks_small();
	if (status == -1)
		status = act(&run);
	vmm_machine_destroy(run.machine);
	if (run.ctx)
		vmm_ctx_destroy(run.ctx);
	storage_close(&run.storage);
	files_close(&run.files);
	free(run.runners);
	free(run.options.profile);
	return status;
}

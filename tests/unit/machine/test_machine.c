// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The machine on the sim engine: what it is made of, how it stops, what the guest's accesses reach.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_host.h"
#include "libvmm/loader.h"

#define STEPS_MAX 32

struct fixture {
	struct fake_host fake;
	struct vmm_ctx *ctx;
	struct vmm_profile *profile;
	struct vmm_machine_config config;
	struct vmm_machine *m;
	struct vmm_sim_step steps[2][STEPS_MAX];
	struct vmm_sim_script scripts[2];
	char output[64];
	uint32_t output_len;
	uint32_t output_console;
	uint32_t rooms;
	uint32_t plugs;
};

static void console_write(void *opaque, uint32_t console, const uint8_t *data, uint32_t len)
{
	struct fixture *f = opaque;

	f->output_console = console;
	for (uint32_t i = 0; i < len && f->output_len + 1 < sizeof(f->output); i++)
		f->output[f->output_len++] = (char)data[i];
}

static void console_room(void *opaque, uint32_t console)
{
	struct fixture *f = opaque;

	assert_int_equal(console, 0);
	f->rooms++;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	f->ctx = fake_ctx(&f->fake, NULL);
	f->profile = malloc(vmm_profile_size());
	assert_int_equal(vmm_profile_init(f->profile, vmm_profile_size(), &f->profile), 0);
	assert_int_equal(vmm_profile_set_text(f->profile, "memory.size = 4M", NULL), 0);
	f->config = (struct vmm_machine_config){
		.size = sizeof(f->config),
		.profile = f->profile,
		.engine_config = f->scripts,
		.opaque = f,
		.console_write = console_write,
		.console_room = console_room,
	};
	for (int i = 0; i < 2; i++)
		f->scripts[i] = (struct vmm_sim_script){sizeof(f->scripts[i]), 0, f->steps[i]};
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(vmm_machine_destroy(f->m), 0);
	fake_end(&f->fake, f->ctx, NULL);
	free(f->profile);
	free(f);
	return 0;
}

static void set(struct fixture *f, const char *assignment)
{
	assert_int_equal(vmm_profile_set_text(f->profile, assignment, NULL), 0);
}

static void create(struct fixture *f)
{
	struct vmm_error e = {.size = sizeof(e)};

	if (vmm_machine_create(f->ctx, &f->config, &f->m, &e) != 0)
		fail_msg("%s: %s", e.call, e.text);
}

static void create_and_seal(struct fixture *f)
{
	create(f);
	assert_int_equal(vmm_machine_seal(f->m), 0);
}

static struct vmm_sim_step *step(struct fixture *f, uint32_t vcpu)
{
	assert_true(f->scripts[vcpu].count < STEPS_MAX);
	return &f->steps[vcpu][f->scripts[vcpu].count++];
}

static void step_out(struct fixture *f, uint16_t port, uint32_t width, uint64_t data)
{
	*step(f, 0) = (struct vmm_sim_step){.op = VMM_SIM_EXIT,
					    .exit = {.reason = VMM_EXIT_PORT,
						     .flags = VMM_EXIT_F_WRITE,
						     .addr = port,
						     .width = width,
						     .data = data}};
}

static void step_in(struct fixture *f, uint16_t port, uint32_t width, uint64_t expect)
{
	*step(f, 0) = (struct vmm_sim_step){
		.op = VMM_SIM_EXIT,
		.flags = VMM_SIM_CHECK,
		.exit = {.reason = VMM_EXIT_PORT, .addr = port, .width = width},
		.expect = expect};
}

static void step_read(struct fixture *f, uint64_t gpa, uint32_t width, uint64_t expect)
{
	*step(f, 0) = (struct vmm_sim_step){.op = VMM_SIM_READ,
					    .flags = VMM_SIM_CHECK,
					    .exit = {.addr = gpa, .width = width},
					    .expect = expect};
}

static void step_reason(struct fixture *f, uint32_t vcpu, uint32_t reason)
{
	*step(f, vcpu) =
		(struct vmm_sim_step){.op = VMM_SIM_EXIT, .exit = {.reason = reason, .data = 2}};
}

static struct vmm_machine_run run(struct fixture *f, uint32_t vcpu)
{
	struct vmm_machine_run r = {.size = sizeof(r)};
	struct vmm_error e = {.size = sizeof(e)};

	if (vmm_machine_run_vcpu(f->m, vcpu, &r) != 0) {
		vmm_vcpu_error(vmm_vm_vcpu(vmm_machine_vm(f->m), vcpu), &e);
		fail_msg("%s: %s", e.call, e.text);
	}
	return r;
}

static void every_part_is_there(void **state)
{
	struct fixture *f = *state;

	set(f, "cpu.sockets=2");
	set(f, "cpu.cores=3");
	set(f, "debug-exit.enable=1");
	set(f, "fw-cfg.enable=1");
	set(f, "serial 3.enable=1");
	f->config.engine_config = NULL;
	create(f);
	assert_int_equal(vmm_machine_vcpus(f->m), 6);
	assert_int_equal(vmm_vcpu_arch_id(vmm_vm_vcpu(vmm_machine_vm(f->m), 2)), 2);
	assert_int_equal(vmm_vcpu_arch_id(vmm_vm_vcpu(vmm_machine_vm(f->m), 3)), 4);
	assert_null(vmm_vm_vcpu(vmm_machine_vm(f->m), 6));
	assert_memory_equal(vmm_machine_profile(f->m), f->profile, vmm_profile_size());
}

static void allocations_fail_in_turn(void **state)
{
	struct fixture *f = *state;
	int64_t blocks = f->fake.blocks;
	int err = -VMM_ENOMEM;
	int tries = 0;

	set(f, "fw-cfg.enable=1");
	set(f, "debug-exit.enable=1");
	set(f, "legacy.pit=1");
	set(f, "legacy.rtc=1");
	set(f, "legacy.i8042=1");
	for (; err != 0; tries++) {
		struct vmm_error e = {.size = sizeof(e)};

		f->fake.calls = 0;
		f->fake.fail_at = tries + 1;
		err = vmm_machine_create(f->ctx, &f->config, &f->m, &e);
		f->fake.fail_at = 0;
		assert_true(err == 0 || err == -VMM_ENOMEM);
		if (err != 0) {
			assert_null(f->m);
			assert_int_equal(e.code, err);
			assert_true(e.text[0] != '\0');
			assert_int_equal(f->fake.blocks, blocks);
		}
	}
	assert_true(tries > 10);
}

static void what_is_wrong_is_told(void **state)
{
	struct fixture *f = *state;
	struct vmm_error e = {.size = sizeof(e)};

	set(f, "cpu.model=pdp-11");
	assert_true(vmm_machine_create(f->ctx, &f->config, &f->m, &e) < 0);
	assert_string_equal(e.call, "vmm_x86_cpu_model");
	set(f, "cpu.model=host");
	set(f, "serial 1.enable=1");
	set(f, "serial 1.irq=4");
	assert_int_equal(vmm_machine_create(f->ctx, &f->config, &f->m, &e), -VMM_EEXIST);
	assert_string_equal(e.text, "'serial 1' and 'serial 0' both want interrupt 4");
	set(f, "serial 1.enable=0");
	f->config.engine = "none";
	assert_int_equal(vmm_machine_create(f->ctx, &f->config, &f->m, &e), -VMM_ENOENT);
	assert_int_equal(e.code, -VMM_ENOENT);
	f->config.engine = "sim";
	f->config.flags = 4;
	assert_int_equal(vmm_machine_create(f->ctx, &f->config, &f->m, &e), -VMM_EINVAL);
	f->config.flags = 0;
	f->config.profile = NULL;
	assert_int_equal(vmm_machine_create(f->ctx, &f->config, &f->m, NULL), -VMM_EINVAL);
}

static void tables_stand_in_memory(void **state)
{
	struct fixture *f = *state;
	struct vmm_machine_table tables[VMM_MACHINE_TABLES_MAX];
	uint32_t count;
	size_t len = 0;
	uint8_t *planned;
	uint8_t *found;

	assert_int_equal(vmm_machine_plan_tables(f->profile, NULL, &len, NULL, NULL), 0);
	planned = malloc(len);
	found = malloc(len);
	assert_int_equal(vmm_machine_plan_tables(f->profile, planned, &len, tables, &count), 0);
	assert_int_equal(count, 6);
	assert_string_equal(tables[0].signature, "RSDP");
	assert_int_equal(tables[0].gpa, 0xe0000);
	for (uint32_t i = 0; i < count; i++) {
		uint8_t sum = 0;

		assert_true(tables[i].offset + tables[i].len <= len);
		for (uint32_t j = 0; j < tables[i].len; j++)
			sum = (uint8_t)(sum + planned[tables[i].offset + j]);
		assert_int_equal(sum, 0);
	}
	create_and_seal(f);
	assert_int_equal(vmm_vm_read(vmm_machine_vm(f->m), 0xe0000, found, len), 0);
	assert_memory_equal(found, planned, len);
	assert_int_equal(vmm_vm_fill(vmm_machine_vm(f->m), 0xe0000, 0xff, len), 0);
	assert_int_equal(vmm_machine_reset(f->m), 0);
	assert_int_equal(vmm_vm_read(vmm_machine_vm(f->m), 0xe0000, found, len), 0);
	assert_memory_equal(found, planned, len);
	len--;
	assert_int_equal(vmm_machine_plan_tables(f->profile, planned, &len, NULL, NULL),
			 -VMM_ESIZE);
	free(planned);
	free(found);
}

/* What stands at F000:FFF0 writes the reset register, if there is one. */
static void real_mode_can_restart(void **state)
{
	static const uint8_t code[] = {0xba, 0x06, 0x06, 0xb0, 0x01, 0xee, 0xf4, 0xeb, 0xfd};
	static const uint8_t nothing[sizeof(code)];
	struct fixture *f = *state;
	uint8_t found[sizeof(code)];

	create_and_seal(f);
	assert_int_equal(vmm_vm_read(vmm_machine_vm(f->m), 0xffff0, found, sizeof(found)), 0);
	assert_memory_equal(found, code, sizeof(code));
	assert_int_equal(vmm_machine_destroy(f->m), 0);
	set(f, "power.reset = no");
	create_and_seal(f);
	assert_int_equal(vmm_vm_read(vmm_machine_vm(f->m), 0xffff0, found, sizeof(found)), 0);
	assert_memory_equal(found, nothing, sizeof(nothing));
}

static void loading(void **state)
{
	struct fixture *f = *state;
	struct vmm_load_target t = {.size = sizeof(t)};
	uint8_t byte = 0x55;

	set(f, "memory.size=4G");
	create(f);
	assert_int_equal(vmm_machine_load_target(f->m, &t), 0);
	assert_int_equal(t.rsdp, 0xe0000);
	assert_int_equal(t.range_count, 5);
	assert_int_equal(t.ranges[1].type, VMM_LOAD_ACPI);
	assert_int_equal(t.ranges[2].base + t.ranges[2].size, 0xc0000000);
	assert_int_equal(t.ranges[3].type, VMM_LOAD_RESERVED);
	assert_int_equal(t.ranges[4].base, UINT64_C(1) << 32);
	assert_int_equal(t.ranges[4].size, UINT64_C(1) << 30);
	assert_int_equal(t.write(t.opaque, 0x1000, &byte, 1), 0);
	assert_int_equal(t.zero(t.opaque, 0x1000, 1), 0); /* taken for zero */
	assert_int_equal(t.write(t.opaque, 0xd0000000, &byte, 1), -VMM_EFAULT);
	assert_int_equal(vmm_machine_load_target(f->m, &t), 0);
	assert_int_equal(t.zero(t.opaque, 0x1000, 1), 0);
	assert_int_equal(vmm_vm_read(vmm_machine_vm(f->m), 0x1000, &byte, 1), 0);
	assert_int_equal(byte, 0);
}

static void stops(struct fixture *f, uint32_t reason, uint32_t status)
{
	struct vmm_machine_run r;

	set(f, "debug-exit.enable=1");
	set(f, "cpu.cores=2");
	create_and_seal(f);
	r = run(f, 0);
	assert_int_equal(r.reason, reason);
	assert_int_equal(r.status, status);
	/* Every vCPU is told, again and again, until the machine is reset. */
	r = run(f, 1);
	assert_int_equal(r.reason, reason);
	assert_int_equal(r.status, status);
	assert_int_equal(run(f, 0).reason, reason);
	assert_int_equal(vmm_machine_reset(f->m), 0);
	r = run(f, 1);
	assert_int_equal(r.reason, VMM_MACHINE_EXIT);
	assert_int_equal(r.exit.reason, VMM_EXIT_HLT);
}

static void switched_off(void **state)
{
	struct fixture *f = *state;

	step_out(f, 0x604, 1, 5 << 2 | 0x20);
	stops(f, VMM_MACHINE_OFF, 0);
}

static void wants_a_reset(void **state)
{
	struct fixture *f = *state;

	step_out(f, 0x606, 1, 1);
	stops(f, VMM_MACHINE_RESET, 0);
}

static void debug_exits(void **state)
{
	struct fixture *f = *state;

	step_out(f, 0xf4, 4, 0x80000001);
	stops(f, VMM_MACHINE_DEBUG_EXIT, 3);
}

static void triple_faults(void **state)
{
	struct fixture *f = *state;

	step_reason(f, 0, VMM_EXIT_SHUTDOWN);
	stops(f, VMM_MACHINE_TRIPLE_FAULT, 0);
}

static void firmware_calls_off(void **state)
{
	struct fixture *f = *state;

	step_reason(f, 0, VMM_EXIT_SYSTEM); /* data 2: off */
	stops(f, VMM_MACHINE_OFF, 0);
}

static void what_is_not_there_floats(void **state)
{
	struct fixture *f = *state;

	step_in(f, 0x80, 1, 0xff);
	step_in(f, 0xcf9, 1, 0xff);
	step_out(f, 0x80, 1, 0);
	step_read(f, 0xd0000000, 8, UINT64_MAX);
	step_read(f, 0xe0000000, 4, 0x00081b36); /* the host bridge in the ECAM */
	step_in(f, 0xf4, 1, 0xff);               /* not in the profile */
	step_reason(f, 0, VMM_EXIT_IDLE);
	create_and_seal(f);
	assert_int_equal(run(f, 0).exit.reason, VMM_EXIT_IDLE);
}

static void what_is_not_there_can_be_seen(void **state)
{
	struct fixture *f = *state;
	struct vmm_machine_run r;

	step_in(f, 0x80, 1, 0x12);
	step_reason(f, 0, VMM_EXIT_IDLE);
	f->config.flags = VMM_MACHINE_SEE_UNCLAIMED;
	create_and_seal(f);
	r = run(f, 0);
	assert_int_equal(r.reason, VMM_MACHINE_EXIT);
	assert_int_equal(r.exit.reason, VMM_EXIT_PORT);
	assert_int_equal(r.exit.addr, 0x80);
	r.exit.data = 0x12;
	assert_int_equal(vmm_machine_run_vcpu(f->m, 0, &r), 0);
	assert_int_equal(r.exit.reason, VMM_EXIT_IDLE);
}

static void plug_told(void *opaque, const struct vmm_machine_hotplug *what)
{
	struct fixture *f = opaque;

	f->plugs = f->plugs << 16 | what->kind << 12 | what->slot << 8 | what->what;
}

static void cpus_come_and_go(void **state)
{
	struct fixture *f = *state;

	step_out(f, 0x640, 4, 1); /* select CPU 1 */
	step_out(f, 0x644, 4, 8); /* and eject it */
	step_reason(f, 0, VMM_EXIT_IDLE);
	step_reason(f, 1, VMM_EXIT_IDLE);
	set(f, "cpu.cores=2");
	set(f, "cpu.hotplug=yes");
	set(f, "cpu.present=1");
	f->config.hotplug = plug_told;
	create(f);
	assert_int_equal(vmm_machine_cpu_plug(f->m, 1), -VMM_ESTATE);
	assert_int_equal(vmm_machine_seal(f->m), 0);
	assert_int_equal(run(f, 1).reason, VMM_MACHINE_ABSENT);
	assert_int_equal(vmm_machine_cpu_plug(f->m, 0), -VMM_EEXIST);
	assert_int_equal(vmm_machine_cpu_plug(f->m, 2), -VMM_ENOENT);
	assert_int_equal(vmm_machine_cpu_unplug(f->m, 1), -VMM_ENOENT);
	assert_int_equal(vmm_machine_cpu_plug(f->m, 1), 0);
	assert_int_equal(vmm_machine_cpu_unplug(f->m, 0), -VMM_ENOTSUP);
	assert_int_equal(vmm_machine_cpu_unplug(f->m, 1), 0);
	assert_int_equal(run(f, 0).exit.reason, VMM_EXIT_IDLE);
	assert_int_equal(f->plugs, VMM_HOTPLUG_CPU << 12 | 1 << 8 | VMM_HOTPLUG_EJECTED);
	assert_int_equal(run(f, 1).reason, VMM_MACHINE_ABSENT);
	assert_int_equal(vmm_machine_memory_plug(f->m, 1 << 27, 0, &f->rooms), -VMM_ENOTSUP);
	assert_int_equal(vmm_machine_pci_unplug(f->m, 1), -VMM_ENOTSUP);
	assert_int_equal(vmm_machine_wake(f->m), -VMM_ESTATE);
}

/* It ends what it has begun before it is not there any more. */
static void ejected_amid_an_exit(void **state)
{
	struct fixture *f = *state;
	struct vmm_machine_run r = {.size = sizeof(r)};

	step_out(f, 0x640, 4, 1);
	step_out(f, 0x644, 4, 8);
	step_reason(f, 0, VMM_EXIT_IDLE);
	*step(f, 1) =
		(struct vmm_sim_step){.op = VMM_SIM_EXIT,
				      .flags = VMM_SIM_CHECK,
				      .exit = {.reason = VMM_EXIT_PORT, .addr = 0x2222, .width = 1},
				      .expect = 7};
	set(f, "cpu.cores=2");
	set(f, "cpu.hotplug=yes");
	f->config.flags = VMM_MACHINE_SEE_UNCLAIMED;
	create_and_seal(f);
	assert_int_equal(vmm_machine_run_vcpu(f->m, 1, &r), 0);
	assert_int_equal(r.exit.reason, VMM_EXIT_PORT);
	assert_int_equal(run(f, 0).exit.reason, VMM_EXIT_IDLE);
	r.exit.data = 7;
	assert_int_equal(vmm_machine_run_vcpu(f->m, 1, &r), 0);
	assert_int_equal(r.reason, VMM_MACHINE_KICKED);
	assert_int_equal(vmm_machine_run_vcpu(f->m, 1, &r), 0);
	assert_int_equal(r.reason, VMM_MACHINE_ABSENT);
}

#define BLOCK (UINT64_C(128) << 20)

static void memory_comes_and_goes(void **state)
{
	const uint64_t base = UINT64_C(1) << 32;
	struct fixture *f = *state;
	uint8_t byte = 7;
	uint32_t slot;

	step_out(f, 0x680, 4, 0);
	step_out(f, 0x684, 4, 8); /* eject slot 0 */
	step_reason(f, 0, VMM_EXIT_IDLE);
	set(f, "memory.slots=2");
	set(f, "memory.hotplug=384M");
	f->config.hotplug = plug_told;
	create_and_seal(f);
	assert_int_equal(vmm_machine_memory_plug(f->m, BLOCK - 1, 0, &slot), -VMM_EALIGN);
	assert_int_equal(vmm_machine_memory_plug(f->m, BLOCK, 1, &slot), -VMM_ERANGE);
	assert_int_equal(vmm_machine_memory_plug(f->m, 4 * BLOCK, 0, &slot), -VMM_ERANGE);
	assert_int_equal(vmm_vm_write(vmm_machine_vm(f->m), base, &byte, 1), -VMM_EFAULT);
	assert_int_equal(vmm_machine_memory_plug(f->m, BLOCK, 0, &slot), 0);
	assert_int_equal(slot, 0);
	assert_int_equal(vmm_vm_write(vmm_machine_vm(f->m), base, &byte, 1), 0);
	assert_int_equal(vmm_machine_memory_plug(f->m, BLOCK, 0, &slot), 0);
	assert_int_equal(slot, 1);
	assert_int_equal(vmm_machine_memory_plug(f->m, BLOCK, 0, &slot), -VMM_ENOENT);
	assert_int_equal(vmm_machine_memory_unplug(f->m, 0), 0);
	assert_int_equal(run(f, 0).exit.reason, VMM_EXIT_IDLE);
	assert_int_equal(f->plugs, VMM_HOTPLUG_MEMORY << 12 | VMM_HOTPLUG_EJECTED);
	assert_int_equal(vmm_vm_write(vmm_machine_vm(f->m), base, &byte, 1), -VMM_EFAULT);
	assert_int_equal(vmm_vm_write(vmm_machine_vm(f->m), base + BLOCK, &byte, 1), 0);
	/* The hole that is left takes one block, but not two. */
	assert_int_equal(vmm_machine_memory_plug(f->m, 2 * BLOCK, 0, &slot), -VMM_ERANGE);
	assert_int_equal(vmm_machine_memory_plug(f->m, BLOCK, 0, &slot), 0);
	assert_int_equal(slot, 0);
	assert_int_equal(vmm_vm_write(vmm_machine_vm(f->m), base, &byte, 1), 0);
}

/* What cannot be unmapped is not gone, and nothing else is plugged in its place. */
static void memory_that_stays(void **state)
{
	struct fixture *f = *state;
	uint32_t slot;

	step_out(f, 0x680, 4, 0);
	step_out(f, 0x684, 4, 8);
	step_reason(f, 0, VMM_EXIT_IDLE);
	set(f, "memory.slots=2");
	set(f, "memory.hotplug=384M");
	f->config.hotplug = plug_told;
	create_and_seal(f);
	assert_int_equal(vmm_machine_memory_plug(f->m, BLOCK, 0, &slot), 0);
	f->fake.calls = 0;
	f->fake.fail_at = 1;
	assert_int_equal(run(f, 0).exit.reason, VMM_EXIT_IDLE);
	f->fake.fail_at = 0;
	assert_int_equal(f->plugs, 0);
	assert_int_equal(vmm_machine_memory_plug(f->m, BLOCK, 0, &slot), 0);
	assert_int_equal(slot, 1);
}

/* An error is told of, and another only when the guest has read it. */
static void errors_are_reported(void **state)
{
	static const uint8_t block[20] = {0x12}, ack[8] = {1};
	struct fixture *f = *state;
	struct vmm_machine_range r[VMM_MACHINE_RANGES_MAX];
	uint32_t count = VMM_MACHINE_RANGES_MAX;
	uint8_t found[20];
	uint64_t page = 0;

	set(f, "ras.enable=yes");
	create_and_seal(f);
	assert_int_equal(vmm_machine_plan_ranges(f->profile, r, &count), 0);
	for (uint32_t i = 0; i < count; i++) {
		if (strcmp(r[i].name, "errors") == 0)
			page = r[i].base;
	}
	assert_int_not_equal(page, 0);
	assert_int_equal(vmm_machine_report_error(f->m, block, sizeof(block)), 0);
	assert_int_equal(vmm_vm_read(vmm_machine_vm(f->m), page + 16, found, sizeof(found)), 0);
	assert_memory_equal(found, block, sizeof(block));
	assert_int_equal(vmm_machine_report_error(f->m, block, sizeof(block)), -VMM_EBUSY);
	assert_int_equal(vmm_vm_write(vmm_machine_vm(f->m), page + 8, ack, sizeof(ack)), 0);
	assert_int_equal(vmm_machine_report_error(f->m, block, 4096), -VMM_EINVAL);
	assert_int_equal(vmm_machine_report_error(f->m, block, sizeof(block)), 0);
	assert_int_equal(vmm_machine_new_generation(f->m, block), -VMM_ENOTSUP);
	assert_int_equal(vmm_machine_set_temperature(f->m, 3000), -VMM_ENOTSUP);
}

static void sleeping(void **state)
{
	struct fixture *f = *state;
	struct vmm_machine_run r;

	step_out(f, 0x604, 1, 1 << 2 | 0x20);
	step_in(f, 0x605, 1, 0x80);           /* awake */
	step_out(f, 0x604, 1, 3 << 2 | 0x20); /* not in the profile */
	step_reason(f, 0, VMM_EXIT_IDLE);
	set(f, "power.standby=yes");
	create_and_seal(f);
	r = run(f, 0);
	assert_int_equal(r.reason, VMM_MACHINE_SLEEP);
	assert_int_equal(r.status, 1);
	assert_int_equal(vmm_machine_wake(f->m), 0);
	assert_int_equal(run(f, 0).exit.reason, VMM_EXIT_IDLE);
}

static uint64_t find_table(struct fixture *f, const char *signature)
{
	struct vmm_machine_table tables[VMM_MACHINE_TABLES_MAX];
	uint32_t count = 0;
	size_t len = 0;
	void *built;

	assert_int_equal(vmm_machine_plan_tables(f->profile, NULL, &len, NULL, NULL), 0);
	built = malloc(len);
	assert_int_equal(vmm_machine_plan_tables(f->profile, built, &len, tables, &count), 0);
	free(built);
	for (uint32_t i = 0; i < count; i++) {
		if (strcmp(tables[i].signature, signature) == 0)
			return tables[i].gpa;
	}
	fail_msg("no %s", signature);
	return 0;
}

/* From S3 the guest begins at its vector, and no device has a line up from before. */
static void waking_from_s3(void **state)
{
	static const uint8_t vector[4] = {0x34, 0x12, 0x01, 0},
			     interrupt[4] = {0x53, 0xff, 0, 0xf0};
	struct fixture *f = *state;
	struct vmm_x86_regs regs;
	struct vmm_x86_sys sys;
	struct vmm_vcpu *first;
	struct vmm_vm *vm;

	step_in(f, 0x600, 4, 0); /* no event */
	step_in(f, 0x3ff, 1, 0);
	step_out(f, 0x3ff, 1, 0x5a);
	step_out(f, 0x604, 1, 3 << 2 | 0x20);
	set(f, "power.suspend=yes");
	create_and_seal(f);
	vm = vmm_machine_vm(f->m);
	first = vmm_vm_vcpu(vm, 0);
	assert_int_equal(run(f, 0).status, 3);
	assert_int_equal(vmm_vm_write(vm, 12, interrupt, 4), 0); /* what a BIOS leaves there */
	assert_int_equal(vmm_vm_write(vm, find_table(f, "FACS") + 12, vector, 4), 0);
	assert_int_equal(vmm_machine_power_button(f->m), 0);
	assert_int_equal(vmm_machine_wake(f->m), 0);
	assert_int_equal(vmm_vcpu_get_state(first, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)), 0);
	assert_int_equal(vmm_vcpu_get_state(first, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)), 0);
	assert_int_equal(sys.cs.base + regs.rip, 0x11234);
	assert_int_equal(run(f, 0).status, 3);
}

/* Everything fits at the most CPUs there can be, and stands outside of what RAM is left. */
static void tables_of_the_largest(void **state)
{
	struct fixture *f = *state;
	size_t len = 0, smbios = 0;
	uint64_t gpa;

	set(f, "cpu.sockets=512");
	set(f, "cpu.cores=2");
	set(f, "cpu.hotplug=yes");
	set(f, "cpu.cstates=3");
	set(f, "cpu.pstates=16");
	set(f, "cpu.cppc=yes");
	set(f, "cache.l1d=32K");
	set(f, "cache.l1i=32K");
	set(f, "cache.l2=1M");
	set(f, "cache.l3=32M");
	set(f, "memory.nodes=32");
	set(f, "memory.slots=64");
	set(f, "memory.hotplug=64G");
	set(f, "pci.slots=31");
	assert_int_equal(vmm_profile_check(f->profile, NULL), -VMM_ERANGE); /* 4 MiB */
	set(f, "memory.size=64G");
	assert_int_equal(vmm_machine_plan_tables(f->profile, NULL, &len, NULL, NULL), 0);
	assert_int_equal(vmm_machine_plan_smbios(f->profile, NULL, &smbios, &gpa), 0);
	assert_true(len > 0x20000 && smbios > 0x10000);
	assert_true(gpa > 0x100000);
	set(f, "machine.arch=arm64");
	assert_int_equal(vmm_machine_plan_tables(f->profile, NULL, &len, NULL, NULL), -VMM_EINVAL);
	set(f, "cpu.hotplug=no");
	assert_int_equal(vmm_machine_plan_tables(f->profile, NULL, &len, NULL, NULL), 0);
}

static void consoles(void **state)
{
	struct fixture *f = *state;
	uint8_t data[2048] = "xyz";
	uint32_t taken;

	step_out(f, 0x3f8, 1, 'h');
	step_out(f, 0x3f8, 1, 'i');
	step_out(f, 0x2f8, 1, '!');
	step_in(f, 0x3fd, 1, 0x61);
	step_in(f, 0x3f8, 1, 'x');
	step_out(f, 0x3f9, 1, 1); /* an interrupt is raised */
	set(f, "serial 1.enable=yes");
	create_and_seal(f);
	assert_int_equal(vmm_machine_console_input(f->m, 0, data, 3, &taken), 0);
	assert_int_equal(taken, 3);
	assert_int_equal(vmm_machine_console_input(f->m, 2, data, 3, &taken), -VMM_ENOENT);
	assert_int_equal(vmm_machine_console_input(f->m, 4, data, 3, &taken), -VMM_ENOENT);
	assert_int_equal(run(f, 0).exit.reason, VMM_EXIT_HLT);
	assert_string_equal(f->output, "hi!");
	assert_int_equal(f->output_console, 1);
	assert_int_equal(vmm_machine_console_input(f->m, 0, data, sizeof(data), &taken), 0);
	assert_true(taken < sizeof(data));
	assert_int_equal(vmm_machine_reset(f->m), 0);
	assert_int_equal(f->rooms, 1);
}

static void the_power_button(void **state)
{
	struct fixture *f = *state;

	step_in(f, 0x600, 4, 1);
	step_in(f, 0x600, 4, 0);
	create(f);
	assert_int_equal(vmm_machine_power_button(f->m), -VMM_ESTATE);
	assert_int_equal(vmm_machine_seal(f->m), 0);
	assert_int_equal(vmm_machine_power_button(f->m), 0);
	assert_int_equal(run(f, 0).exit.reason, VMM_EXIT_HLT);
	assert_int_equal(vmm_machine_destroy(f->m), 0);
	set(f, "power.button=no");
	create_and_seal(f);
	assert_int_equal(vmm_machine_power_button(f->m), -VMM_ENOTSUP);
}

static void power_that_is_not_ordered(void **state)
{
	struct fixture *f = *state;

	step_out(f, 0x604, 1, 5 << 2 | 0x20);
	step_out(f, 0x606, 1, 1);
	set(f, "power.off=no");
	set(f, "power.reset=no");
	create_and_seal(f);
	assert_int_equal(run(f, 0).exit.reason, VMM_EXIT_HLT);
}

static void fw_cfg_files(void **state)
{
	struct fixture *f = *state;
	struct vmm_error e = {.size = sizeof(e)};

	create(f);
	assert_int_equal(vmm_machine_fw_cfg_file(f->m, "opt/a", "A", 1), -VMM_ENOTSUP);
	assert_int_equal(vmm_machine_error(f->m, &e), 0);
	assert_string_equal(e.text, "the profile has fw-cfg.enable = no");
	assert_int_equal(vmm_machine_destroy(f->m), 0);
	set(f, "fw-cfg.enable=yes");
	step_out(f, 0x510, 2, 0x20);
	step_in(f, 0x511, 1, 'A');
	step_out(f, 0x514, 4, 0);
	step_out(f, 0x518, 4, 0x00100000); /* a request at 0x1000 */
	create(f);
	assert_int_equal(vmm_machine_fw_cfg_file(f->m, "opt/a", "ABC", 3), 0);
	assert_int_equal(vmm_machine_fw_cfg_file(f->m, "opt/a", "A", 1), -VMM_EEXIST);
	assert_int_equal(vmm_machine_seal(f->m), 0);
	assert_int_equal(vmm_machine_fw_cfg_file(f->m, "opt/b", "A", 1), -VMM_ESTATE);

	const uint8_t request[16] = {[3] = 2, [7] = 2, [14] = 0x20}; /* read 2 to 0x2000 */
	uint8_t got[4];

	assert_int_equal(vmm_vm_write(vmm_machine_vm(f->m), 0x1000, request, 16), 0);
	assert_int_equal(run(f, 0).exit.reason, VMM_EXIT_HLT);
	assert_int_equal(vmm_vm_read(vmm_machine_vm(f->m), 0x2000, got, 2), 0);
	assert_memory_equal(got, "BC", 2);
	assert_int_equal(vmm_vm_read(vmm_machine_vm(f->m), 0x1000, got, 4), 0);
	assert_memory_equal(got, "\0\0\0\0", 4);
}

/* A profile with all of them. */
static void order_legacy(struct fixture *f)
{
	set(f, "legacy.pic=yes");
	set(f, "legacy.pit=yes");
	set(f, "legacy.rtc=yes");
	set(f, "legacy.i8042=yes");
}

static void legacy_parts(void **state)
{
	struct fixture *f = *state;

	set(f, "memory.size=80M");
	order_legacy(f);
	step_out(f, 0x70, 1, 0x34); /* what is above 16 MiB, in 64 KiB */
	step_in(f, 0x71, 1, 0);
	step_out(f, 0x70, 1, 0x35);
	step_in(f, 0x71, 1, 4);
	step_out(f, 0x43, 1, 0xb0);
	step_out(f, 0x43, 1, 0xe8); /* status of counter 2: low, nothing counted */
	step_in(f, 0x42, 1, 0x70);
	step_in(f, 0x61, 1, 0);
	step_out(f, 0x64, 1, 0xaa);
	step_in(f, 0x60, 1, 0x55);
	step_out(f, 0x64, 1, 0xfe);
	create_and_seal(f);
	assert_non_null(vmm_machine_pit(f->m));
	assert_non_null(vmm_machine_rtc(f->m));
	assert_non_null(vmm_machine_i8042(f->m));
	/* The refresh bit toggles with the time. */
	f->steps[0][7].flags = 0;
	assert_int_equal(run(f, 0).reason, VMM_MACHINE_RESET);
	assert_int_equal(vmm_machine_reset(f->m), 0);
	/* Kicked before. */
	vmm_machine_kick(f->m);
	assert_int_equal(vmm_machine_run_timers(f->m), 0);
}

static void *keep_time(void *opaque)
{
	return (void *)(intptr_t)vmm_machine_run_timers(((struct fixture *)opaque)->m);
}

/* A thread that waits for nothing wakes up when a guest wants something, and when it is kicked. */
static void timers(void **state)
{
	const struct {
		uint16_t port;
		uint8_t value;
	} program[] = {{0x43, 0x34}, {0x40, 0xa9}, {0x40, 0x04}}; /* 1,000 Hz */
	struct fixture *f = *state;
	pthread_t thread;
	void *result;

	create_and_seal(f);
	assert_int_equal(vmm_machine_run_timers(f->m), -VMM_ENOTSUP);
	assert_int_equal(vmm_machine_destroy(f->m), 0);
	order_legacy(f);
	create_and_seal(f);
	assert_int_equal(pthread_create(&thread, NULL, keep_time, f), 0);
	for (size_t i = 0; i < sizeof(program) / sizeof(program[0]); i++) {
		uint64_t value = program[i].value;

		assert_int_equal(vmm_vm_dispatch(vmm_machine_vm(f->m), VMM_SPACE_PORT,
						 program[i].port, 1, 1, &value),
				 0);
	}
	usleep(20000);
	vmm_machine_kick(f->m);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_null(result);
}

static void a_bios(void **state)
{
	const size_t len = 0x40000;
	struct fixture *f = *state;
	uint8_t *image = malloc(len), got[2];
	struct vmm_vm *vm;

	memset(image, 0x5a, len);
	image[len - 1] = 0xc3;
	create(f);
	assert_int_equal(vmm_machine_load_bios(f->m, image, len), -VMM_ENOTSUP);
	assert_int_equal(vmm_machine_destroy(f->m), 0);
	set(f, "boot.firmware=bios");
	set(f, "fw-cfg.enable=yes");
	create(f);
	/* Told of memory and of the tables, which are not in its place. */
	assert_int_equal(vmm_machine_fw_cfg_file(f->m, "etc/e820", "", 1), -VMM_EEXIST);
	assert_int_equal(vmm_machine_fw_cfg_file(f->m, "etc/acpi/rsdp", "", 1), -VMM_EEXIST);
	assert_int_equal(vmm_machine_fw_cfg_file(f->m, "etc/sercon-port", "", 1), -VMM_EEXIST);
	vm = vmm_machine_vm(f->m);
	assert_int_equal(vmm_vm_read(vm, 0xe0000, got, 2), 0);
	assert_int_equal(got[0], 0);
	assert_int_equal(vmm_machine_load_bios(f->m, NULL, len), -VMM_EINVAL);
	assert_int_equal(vmm_machine_load_bios(f->m, image, 0), -VMM_EINVAL);
	assert_int_equal(vmm_machine_load_bios(f->m, image, 0x1000), -VMM_EINVAL);
	assert_int_equal(vmm_machine_load_bios(f->m, image, 0x110000), -VMM_EINVAL);
	assert_int_equal(vmm_machine_load_bios(f->m, image, len), 0);
	assert_int_equal(vmm_machine_load_bios(f->m, image, 0x10000), -VMM_ESTATE);
	assert_int_equal(vmm_machine_seal(f->m), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(vmm_vm_read(vm, 0xffffffff, got, 1), 0);
		assert_int_equal(got[0], 0xc3);
		assert_int_equal(vmm_vm_read(vm, 0xfffff, got, 1), 0);
		assert_int_equal(got[0], 0xc3);
		assert_int_equal(vmm_vm_read(vm, 0xdffff, got, 2), 0);
		assert_memory_equal(got, "\0\x5a", 2);
		assert_int_equal(vmm_machine_reset(f->m), 0);
		assert_int_equal(vmm_vm_fill(vm, 0xe0000, 0, 0x20000), 0);
		assert_int_equal(vmm_machine_load_bios(f->m, image, len), 0);
	}
	assert_int_equal(vmm_vm_read(vm, 0xfffc0000, got, 1), 0);
	assert_int_equal(vmm_vm_read(vm, 0xfffbffff, got, 1), -VMM_EFAULT);
	free(image);
}

static void a_bios_switches_off(void **state)
{
	struct fixture *f = *state;

	set(f, "boot.firmware=bios");
	step_in(f, 0x620, 2, 0);
	step_out(f, 0x620, 2, 5 << 10);           /* not yet */
	step_out(f, 0x620, 2, 1 << 13 | 3 << 10); /* S3 */
	step_out(f, 0x620, 1, 0x20);
	step_out(f, 0x620, 2, 1 << 13 | 5 << 10);
	stops(f, VMM_MACHINE_OFF, 0);
}

static void a_bios_switches_off_by_apm(void **state)
{
	struct fixture *f = *state;

	set(f, "boot.firmware=bios");
	step_out(f, 0x620, 2, 1 << 13);
	stops(f, VMM_MACHINE_OFF, 0);
}

static void a_bios_may_not_switch_off(void **state)
{
	struct fixture *f = *state;

	set(f, "boot.firmware=bios");
	set(f, "power.off=no");
	step_out(f, 0x620, 2, 1 << 13);
	step_in(f, 0x620, 2, 0xffff);
	step_reason(f, 0, VMM_EXIT_HLT);
	create_and_seal(f);
	assert_int_equal(run(f, 0).exit.reason, VMM_EXIT_HLT);
}

static void a_bios_resets(void **state)
{
	struct fixture *f = *state;

	set(f, "boot.firmware=bios");
	step_out(f, 0xcf9, 1, 2);
	step_in(f, 0xcf9, 1, 0);
	step_out(f, 0xcf9, 1, 6);
	stops(f, VMM_MACHINE_RESET, 0);
}

static void *run_the_other(void *opaque)
{
	struct fixture *f = opaque;
	struct vmm_machine_run r = {.size = sizeof(r)};
	uintptr_t reason = 0;

	if (vmm_machine_run_vcpu(f->m, 1, &r) == 0)
		reason = r.reason;
	return (void *)reason;
}

static void others_are_fetched(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;
	void *reason;

	*step(f, 1) = (struct vmm_sim_step){.op = VMM_SIM_WAIT};
	step_out(f, 0x604, 1, 5 << 2 | 0x20);
	set(f, "cpu.threads=2");
	create_and_seal(f);
	assert_int_equal(pthread_create(&thread, NULL, run_the_other, f), 0);
	assert_int_equal(run(f, 0).reason, VMM_MACHINE_OFF);
	assert_int_equal(pthread_join(thread, &reason), 0);
	assert_int_equal((uintptr_t)reason, VMM_MACHINE_OFF);
}

/* Also of a machine that is paused, and stays so. */
static void the_paused_are_fetched(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;
	void *reason;

	set(f, "cpu.threads=2");
	create_and_seal(f);
	assert_int_equal(vmm_vm_pause(vmm_machine_vm(f->m)), 0);
	assert_int_equal(pthread_create(&thread, NULL, run_the_other, f), 0);
	usleep(20000);
	vmm_machine_kick(f->m);
	assert_int_equal(pthread_join(thread, &reason), 0);
	assert_int_equal((uintptr_t)reason, VMM_MACHINE_KICKED);
	assert_int_equal(vmm_vm_resume(vmm_machine_vm(f->m)), 0);
}

static void kicks_are_told(void **state)
{
	struct fixture *f = *state;
	struct vmm_machine_run r = {.size = sizeof(r)};

	set(f, "cpu.threads=2");
	create(f);
	assert_int_equal(vmm_machine_run_vcpu(f->m, 0, &r), -VMM_ESTATE);
	assert_int_equal(vmm_machine_seal(f->m), 0);
	assert_int_equal(vmm_machine_seal(f->m), -VMM_ESTATE);
	vmm_machine_kick(f->m);
	assert_int_equal(run(f, 0).reason, VMM_MACHINE_KICKED);
	assert_int_equal(run(f, 1).reason, VMM_MACHINE_KICKED);
	assert_int_equal(run(f, 1).reason, VMM_MACHINE_EXIT);
	assert_int_equal(vmm_machine_run_vcpu(f->m, 2, &r), -VMM_ENOENT);
	r.size = 8;
	assert_int_equal(vmm_machine_run_vcpu(f->m, 0, &r), -VMM_EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_part_is_there),
		TEST(legacy_parts),
		TEST(timers),
		TEST(a_bios),
		TEST(a_bios_switches_off),
		TEST(a_bios_switches_off_by_apm),
		TEST(a_bios_may_not_switch_off),
		TEST(a_bios_resets),
		TEST(allocations_fail_in_turn),
		TEST(what_is_wrong_is_told),
		TEST(tables_stand_in_memory),
		TEST(real_mode_can_restart),
		TEST(loading),
		TEST(switched_off),
		TEST(wants_a_reset),
		TEST(debug_exits),
		TEST(triple_faults),
		TEST(firmware_calls_off),
		TEST(what_is_not_there_floats),
		TEST(what_is_not_there_can_be_seen),
		TEST(cpus_come_and_go),
		TEST(ejected_amid_an_exit),
		TEST(memory_comes_and_goes),
		TEST(memory_that_stays),
		TEST(errors_are_reported),
		TEST(sleeping),
		TEST(waking_from_s3),
		TEST(tables_of_the_largest),
		TEST(consoles),
		TEST(the_power_button),
		TEST(power_that_is_not_ordered),
		TEST(fw_cfg_files),
		TEST(others_are_fetched),
		TEST(the_paused_are_fetched),
		TEST(kicks_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

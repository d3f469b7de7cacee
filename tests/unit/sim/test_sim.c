// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fake_host.h"

static int run(struct vmm_vm *vm, struct vmm_exit *exit)
{
	return vmm_vcpu_run(vmm_vm_vcpu(vm, 0), exit);
}

static void senseless_steps_are_refused(void **state)
{
	const struct vmm_sim_step bad[] = {
		{.op = 0},
		{.op = 9},
		{.op = VMM_SIM_EXIT, .exit = {.reason = VMM_EXIT_NONE}},
		{.op = VMM_SIM_EXIT, .exit = {.reason = VMM_EXIT_KICKED}},
		{.op = VMM_SIM_EXIT, .exit = {.reason = 13}},
		{.op = VMM_SIM_EXIT, .exit = {.reason = UINT32_MAX}},
		{.op = VMM_SIM_EXIT, .exit = {.reason = VMM_EXIT_PORT, .width = 3}},
		{.op = VMM_SIM_READ, .exit = {.width = 0}},
		{.op = VMM_SIM_WRITE, .exit = {.width = 16}},
		{.op = VMM_SIM_JUMP, .target = 1},
		{.op = VMM_SIM_FAIL, .expect = 0},
		{.op = VMM_SIM_FAIL, .expect = UINT64_MAX},
	};
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct vmm_sim_script script = {sizeof(script), 1, &bad[i]};
		const struct vmm_vm_config config = {
			.size = sizeof(config), .max_vcpus = 1, .engine_config = &script};
		const struct vmm_vcpu_config vc = {.size = sizeof(vc)};
		struct vmm_vcpu *vcpu;
		struct vmm_vm *vm;

		assert_int_equal(vmm_vm_create(ctx, &config, &vm), 0);
		assert_int_equal(vmm_vcpu_create(vm, &vc, &vcpu), -VMM_EINVAL);
		assert_null(vcpu);
		assert_int_equal(vmm_vm_destroy(vm), 0);
	}
	fake_end(&fake, ctx, NULL);
}

static void a_script_of_an_unknown_size(void **state)
{
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	const struct vmm_sim_script script = {4, 0, NULL};
	const struct vmm_vm_config config = {
		.size = sizeof(config), .max_vcpus = 1, .engine_config = &script};
	struct vmm_vm *vm;

	(void)state;
	assert_int_equal(vmm_vm_create(ctx, &config, &vm), -VMM_EINVAL);
	fake_end(&fake, ctx, NULL);
}

static void loops_nest(void **state)
{
	const struct vmm_sim_step steps[] = {
		fake_exit(VMM_EXIT_PREEMPTED),
		{.op = VMM_SIM_JUMP, .target = 0, .count = 2},
		fake_exit(VMM_EXIT_IDLE),
		{.op = VMM_SIM_JUMP, .target = 0, .count = 1},
	};
	const uint32_t want[] = {
		VMM_EXIT_PREEMPTED, VMM_EXIT_PREEMPTED, VMM_EXIT_PREEMPTED, VMM_EXIT_IDLE,
		VMM_EXIT_PREEMPTED, VMM_EXIT_PREEMPTED, VMM_EXIT_PREEMPTED, VMM_EXIT_IDLE,
		VMM_EXIT_HLT,       VMM_EXIT_HLT,
	};
	const struct vmm_sim_script script = FAKE_SCRIPT(steps);
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, &script);
	struct vmm_exit exit;

	(void)state;
	assert_int_equal(vmm_vm_seal(vm), 0);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
			assert_int_equal(run(vm, &exit), 0);
			assert_int_equal(exit.reason, want[i]);
		}
		assert_int_equal(vmm_vm_reset(vm), 0); /* from the start again */
	}
	fake_end(&fake, ctx, vm);
}

static void memory_and_protection(void **state)
{
	const struct vmm_sim_step steps[] = {
		{.op = VMM_SIM_READ,
		 .flags = VMM_SIM_CHECK,
		 .exit = {.addr = 0x1004, .width = 4},
		 .expect = 0x77}, /* differs: fails once */
		{.op = VMM_SIM_WRITE, .exit = {.addr = 0x2000, .width = 2, .data = 0xabcd}},
		{.op = VMM_SIM_READ,
		 .flags = VMM_SIM_CHECK,
		 .exit = {.addr = 0x3ffc, .width = 8},
		 .expect = 6}, /* half of it is not memory */
	};
	const struct vmm_sim_script script = FAKE_SCRIPT(steps);
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, &script);
	struct vmm_error error = {.size = sizeof(error)};
	struct vmm_mem *mem;
	struct vmm_exit exit;

	(void)state;
	assert_int_equal(vmm_mem_create(ctx, 0x3000, &mem), 0);
	assert_int_equal(vmm_vm_map(vm, 0x1000, mem, 0, 0x3000, VMM_PROT_RWX), 0);
	assert_int_equal(vmm_vm_protect(vm, 0x2000, 0x1000, VMM_PROT_READ | VMM_PROT_EXEC), 0);
	vmm_mem_unref(mem);
	assert_int_equal(vmm_vm_seal(vm), 0);
	assert_int_equal(run(vm, &exit), -VMM_EINVAL);
	assert_int_equal(vmm_vcpu_error(vmm_vm_vcpu(vm, 0), &error), 0);
	assert_string_equal(error.text, "step 0: read 0x0 at 0x1004, expected 0x77");
	assert_int_equal(run(vm, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_MMIO);
	assert_int_equal(exit.flags, VMM_EXIT_F_WRITE);
	assert_int_equal(exit.data, 0xabcd);
	assert_int_equal(run(vm, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_MMIO);
	assert_int_equal(exit.width, 8);
	exit.data = 6;
	assert_int_equal(run(vm, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_HLT);
	fake_end(&fake, ctx, vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(senseless_steps_are_refused),
		cmocka_unit_test(a_script_of_an_unknown_size),
		cmocka_unit_test(loops_nest),
		cmocka_unit_test(memory_and_protection),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

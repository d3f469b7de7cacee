// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fake_host.h"

static void exits_in_order(void **state)
{
	const struct vmm_sim_step steps[] = {
		fake_out(VMM_EXIT_PORT, 0x80, 1, 0x12),
		fake_in(VMM_EXIT_PORT, 0x60, 2, 0xbeef),
		fake_exit(VMM_EXIT_IDLE),
		fake_exit(VMM_EXIT_PREEMPTED),
		{.op = VMM_SIM_SPURIOUS},
		fake_exit(VMM_EXIT_SHUTDOWN),
	};
	const struct vmm_sim_script script = FAKE_SCRIPT(steps);
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, &script);
	struct vmm_vcpu *vcpu = vmm_vm_vcpu(vm, 0);
	struct vmm_vcpu_stats stats = {.size = sizeof(stats)};
	struct vmm_exit exit;

	(void)state;
	memset(&exit, 0xff, sizeof(exit));
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), -VMM_ESTATE);
	assert_int_equal(vmm_vm_seal(vm), 0);
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_PORT);
	assert_int_equal(exit.flags, VMM_EXIT_F_WRITE);
	assert_int_equal(exit.data, 0x12);
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_PORT);
	exit.data = 0xbeef;
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_IDLE);
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_PREEMPTED);
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_SHUTDOWN);
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_HLT);

	assert_int_equal(vmm_vcpu_get_stats(vcpu, &stats), 0);
	assert_int_equal(stats.returned[VMM_EXIT_PORT], 2);
	assert_int_equal(stats.entries, 7); /* one of them for the spurious return */
	fake_end(&fake, ctx, vm);
}

static void kick_is_sticky(void **state)
{
	const struct vmm_sim_step steps[] = {fake_in(VMM_EXIT_PORT, 0x60, 1, 7),
					     fake_exit(VMM_EXIT_HLT)};
	const struct vmm_sim_script script = FAKE_SCRIPT(steps);
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, &script);
	struct vmm_vcpu *vcpu = vmm_vm_vcpu(vm, 0);
	struct vmm_exit exit;
	struct vmm_x86_regs regs;

	(void)state;
	assert_int_equal(vmm_vm_seal(vm), 0);
	vmm_vcpu_kick(vcpu);
	vmm_vcpu_kick(vcpu);
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_KICKED);
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_PORT);
	/* A kick completes what is pending: the state can be read afterwards. */
	assert_int_equal(vmm_vcpu_get_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)),
			 -VMM_ESTATE);
	vmm_vcpu_kick(vcpu);
	exit.data = 7;
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_KICKED);
	assert_int_equal(vmm_vcpu_get_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)), 0);
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_HLT);
	fake_end(&fake, ctx, vm);
}

struct device {
	uint64_t last;
	uint32_t calls;
};

static int device_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		       uint64_t *value)
{
	struct device *d = opaque;

	(void)vcpu;
	(void)width;
	d->calls++;
	*value = 0x1100 + offset;
	return 0;
}

static int device_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
			uint64_t value)
{
	struct device *d = opaque;

	(void)vcpu;
	(void)width;
	d->calls++;
	d->last = value;
	return offset == 3 ? -VMM_ENOENT : 0;
}

static const struct vmm_region_ops device_ops = {
	.size = sizeof(device_ops), .read = device_read, .write = device_write};

static void bus_serves_exits(void **state)
{
	const struct vmm_sim_step steps[] = {
		fake_out(VMM_EXIT_PORT, 0x70, 1, 0x55),
		fake_in(VMM_EXIT_PORT, 0x71, 1, 0x01),
		fake_out(VMM_EXIT_PORT, 0x73, 1, 0x66),
		fake_in(VMM_EXIT_PORT, 0x73, 2, 0x9),
		fake_exit(VMM_EXIT_HLT),
	};
	const struct vmm_sim_script script = FAKE_SCRIPT(steps);
	struct device device = {0};
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, &script);
	struct vmm_vcpu *vcpu = vmm_vm_vcpu(vm, 0);
	struct vmm_vcpu_stats stats = {.size = sizeof(stats)};
	struct vmm_region *region;
	struct vmm_exit exit;

	(void)state;
	assert_int_equal(vmm_vm_seal(vm), 0);
	assert_int_equal(vmm_region_add(vm, VMM_SPACE_PORT, 0x70, 4, &device_ops, &device, &region),
			 0);
	/* The first two are served; the third is handed back by the device. */
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_PORT);
	assert_int_equal(exit.addr, 0x73);
	assert_int_equal(device.calls, 3);
	assert_int_equal(device.last, 0x66);
	/* The fourth passes the region's end. */
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_PORT);
	assert_int_equal(device.calls, 3);
	exit.data = 9;
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_HLT);
	assert_int_equal(vmm_vcpu_get_stats(vcpu, &stats), 0);
	assert_int_equal(stats.handled[VMM_EXIT_PORT], 2);
	assert_int_equal(stats.returned[VMM_EXIT_PORT], 2);
	assert_int_equal(stats.entries, 5);
	vmm_region_remove(region);
	fake_end(&fake, ctx, vm);
}

static void guest_memory(void **state)
{
	const struct vmm_sim_step steps[] = {
		{.op = VMM_SIM_WRITE, .exit = {.addr = 0x1ffe, .width = 4, .data = 0x11223344}},
		{.op = VMM_SIM_READ,
		 .flags = VMM_SIM_CHECK,
		 .exit = {.addr = 0x1ffe, .width = 4},
		 .expect = 0x11223344},
		{.op = VMM_SIM_WRITE, .exit = {.addr = 0x9000, .width = 8, .data = 1}},
	};
	const struct vmm_sim_script script = FAKE_SCRIPT(steps);
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, &script);
	struct vmm_mapping mapping = {.size = sizeof(mapping)};
	struct vmm_mem *mem;
	struct vmm_exit exit;
	uint64_t dirty[1];
	uint32_t value = 0;

	(void)state;
	assert_int_equal(vmm_mem_create(ctx, 0x8000, &mem), 0);
	assert_int_equal(vmm_vm_map(vm, 0x0, mem, 0, 0x2000, VMM_PROT_RWX), 0);
	assert_int_equal(vmm_vm_map(vm, 0x2000, mem, 0x2000, 0x6000, VMM_PROT_RWX), 0);
	assert_int_equal(vmm_vm_find_mapping(vm, 0, &mapping), 0);
	assert_int_equal(mapping.len, 0x8000);
	vmm_mem_unref(mem);
	assert_int_equal(vmm_vm_dirty_start(vm, 0x1000, 0x4000), 0);
	assert_int_equal(vmm_vm_seal(vm), 0);
	assert_int_equal(vmm_vcpu_run(vmm_vm_vcpu(vm, 0), &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_MMIO);
	assert_int_equal(vmm_vm_read(vm, 0x1ffe, &value, 4), 0);
	assert_int_equal(value, 0x11223344);
	assert_int_equal(vmm_vm_fill(vm, 0x4fff, 1, 1), 0);
	assert_int_equal(vmm_vm_dirty_harvest(vm, 0x1000, 0x4000, dirty, 1), 0);
	assert_int_equal(dirty[0], 0xb);
	assert_int_equal(vmm_vm_read(vm, 0x7fff, &value, 2), -VMM_EFAULT);
	fake_end(&fake, ctx, vm);
}

/* One instruction of three elements: each is an exit, and completing gives the next one. */
static void elements_by_completion(void **state)
{
	struct vmm_sim_step steps[] = {
		fake_in(VMM_EXIT_PORT, 0x1f0, 2, 1),
		fake_in(VMM_EXIT_PORT, 0x1f0, 2, 2),
		fake_in(VMM_EXIT_PORT, 0x1f0, 2, 3),
		fake_exit(VMM_EXIT_HLT),
	};
	const struct vmm_sim_script script = FAKE_SCRIPT(steps);
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, &script);
	struct vmm_vcpu *vcpu = vmm_vm_vcpu(vm, 0);
	struct vmm_vcpu_stats stats = {.size = sizeof(stats)};
	struct vmm_exit exit;

	(void)state;
	steps[0].exit.flags = steps[1].exit.flags = VMM_EXIT_F_MORE;
	assert_int_equal(vmm_vm_seal(vm), 0);
	assert_int_equal(vmm_vcpu_complete(vcpu, &exit), -VMM_ESTATE);
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	exit.data = 1;
	assert_int_equal(vmm_vcpu_complete(vcpu, &exit), -VMM_EPENDING);
	assert_int_equal(exit.reason, VMM_EXIT_PORT);
	/* A kick does not lose an element either: it is given first, and the kick stays. */
	exit.data = 2;
	vmm_vcpu_kick(vcpu);
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_PORT);
	exit.data = 3;
	assert_int_equal(vmm_vcpu_complete(vcpu, &exit), 0);
	assert_int_equal(vmm_vcpu_complete(vcpu, &exit), -VMM_ESTATE);
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_KICKED);
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_HLT);
	assert_int_equal(vmm_vcpu_get_stats(vcpu, &stats), 0);
	assert_int_equal(stats.returned[VMM_EXIT_PORT], 3);
	assert_int_equal(stats.entries, 2);
	assert_int_equal(vmm_vcpu_stats_clear(vcpu), 0);
	assert_int_equal(vmm_vcpu_get_stats(vcpu, &stats), 0);
	assert_int_equal(stats.entries, 0);
	fake_end(&fake, ctx, vm);
}

/* What fails leaves the exit pending, to be answered again. */
static void failures_keep_the_exit(void **state)
{
	const struct vmm_sim_step steps[] = {
		fake_in(VMM_EXIT_MSR, 0x10, 8, 5),
		{.op = VMM_SIM_FAIL, .expect = VMM_EIO},
		fake_exit(VMM_EXIT_HLT),
	};
	const struct vmm_sim_script script = FAKE_SCRIPT(steps);
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, &script);
	struct vmm_vcpu *vcpu = vmm_vm_vcpu(vm, 0);
	struct vmm_error error = {.size = sizeof(error)};
	struct vmm_exit exit;

	(void)state;
	assert_int_equal(vmm_vm_seal(vm), 0);
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	exit.data = 4;
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), -VMM_EINVAL);
	assert_int_equal(vmm_vcpu_error(vcpu, &error), 0);
	assert_int_equal(error.code, -VMM_EINVAL);
	assert_string_equal(error.text, "step 0: the answer is 0x4, expected 0x5");
	assert_int_equal(vmm_vcpu_complete(vcpu, &exit), -VMM_EINVAL);
	exit.data = 5;
	assert_int_equal(vmm_vcpu_complete(vcpu, &exit), 0);
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), -VMM_EIO);
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_HLT);
	fake_end(&fake, ctx, vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exits_in_order),         cmocka_unit_test(kick_is_sticky),
		cmocka_unit_test(bus_serves_exits),       cmocka_unit_test(guest_memory),
		cmocka_unit_test(elements_by_completion), cmocka_unit_test(failures_keep_the_exit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

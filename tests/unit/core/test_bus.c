// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fake_host.h"

/* A device that remembers, and may do something to the bus from its callback. */
struct device {
	struct vmm_ctx *ctx;
	struct vmm_vm *vm;
	struct vmm_region *region;
	struct vmm_vcpu *vcpu; /* of the last call */
	uint64_t last;
	uint32_t reads, writes, released;
	int (*hook)(struct device *d);
};

static int device_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		       uint64_t *value)
{
	struct device *d = opaque;

	(void)width;
	d->reads++;
	d->vcpu = vcpu;
	*value = 0xa1b2c3d4e5f60000 + offset;
	return d->hook != NULL ? d->hook(d) : 0;
}

static int device_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
			uint64_t value)
{
	struct device *d = opaque;

	(void)offset;
	(void)width;
	d->writes++;
	d->vcpu = vcpu;
	d->last = value;
	return d->hook != NULL ? d->hook(d) : 0;
}

static void device_released(void *opaque)
{
	struct device *d = opaque;

	d->released++;
}

static const struct vmm_region_ops ops = {.size = sizeof(ops),
					  .read = device_read,
					  .write = device_write,
					  .released = device_released};

static int add(struct vmm_vm *vm, uint32_t space, uint64_t base, uint64_t len, struct device *d)
{
	d->vm = vm;
	return vmm_region_add(vm, space, base, len, &ops, d, &d->region);
}

static void regions(void **state)
{
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, NULL);
	struct device d[5] = {0};
	uint64_t v = 0;

	(void)state;
	assert_int_equal(add(vm, 2, 0, 1, &d[0]), -VMM_EINVAL);
	assert_int_equal(add(vm, VMM_SPACE_MMIO, 0, 0, &d[0]), -VMM_EINVAL);
	assert_int_equal(add(vm, VMM_SPACE_PORT, 0xffff, 2, &d[0]), -VMM_ERANGE);
	assert_int_equal(add(vm, VMM_SPACE_MMIO, UINT64_MAX, 2, &d[0]), -VMM_ERANGE);
	assert_int_equal(add(vm, VMM_SPACE_MMIO, 0x1000, 0x100, &d[0]), 0);
	assert_int_equal(add(vm, VMM_SPACE_MMIO, 0x10ff, 1, &d[1]), -VMM_EEXIST);
	assert_null(d[1].region);
	assert_int_equal(add(vm, VMM_SPACE_MMIO, 0xfff, 2, &d[1]), -VMM_EEXIST);
	assert_int_equal(add(vm, VMM_SPACE_MMIO, 0x1100, 0x10, &d[1]), 0);
	assert_int_equal(add(vm, VMM_SPACE_MMIO, 0, 0x1000, &d[2]), 0);
	assert_int_equal(add(vm, VMM_SPACE_PORT, 0x1000, 4, &d[3]), 0);
	assert_int_equal(add(vm, VMM_SPACE_MMIO, UINT64_MAX, 1, &d[4]), 0);

	assert_int_equal(vmm_vm_dispatch(vm, 0, 0x1010, 2, 0, &v), 0);
	assert_int_equal(v, 0x0010); /* cut to the width */
	assert_int_equal(vmm_vm_dispatch(vm, 0, 0x1008, 8, 0, &v), 0);
	assert_true(v == 0xa1b2c3d4e5f60008);
	v = 0x1234567890;
	assert_int_equal(vmm_vm_dispatch(vm, 0, 0x1100, 4, 1, &v), 0);
	assert_true(d[1].last == 0x34567890);
	assert_null(d[1].vcpu);
	assert_int_equal(vmm_vm_dispatch(vm, 1, 0x1002, 2, 0, &v), 0);
	assert_int_equal(d[3].reads, 1);
	assert_int_equal(vmm_vm_dispatch(vm, 1, 0x1003, 2, 0, &v), -VMM_ENOENT);
	assert_int_equal(vmm_vm_dispatch(vm, 0, 0x10fe, 4, 0, &v), -VMM_ENOENT);
	assert_int_equal(vmm_vm_dispatch(vm, 0, 0x1110, 1, 0, &v), -VMM_ENOENT);
	assert_int_equal(vmm_vm_dispatch(vm, 0, UINT64_MAX, 1, 0, &v), 0);
	assert_int_equal(vmm_vm_dispatch(vm, 0, UINT64_MAX, 2, 0, &v), -VMM_ENOENT);
	assert_int_equal(vmm_vm_dispatch(vm, 0, 0x1000, 3, 0, &v), -VMM_EINVAL);
	assert_int_equal(vmm_vm_dispatch(vm, 0, 0x1000, 0, 0, &v), -VMM_EINVAL);
	assert_int_equal(vmm_vm_dispatch(vm, 0, 0x1000, 16, 0, &v), -VMM_EINVAL);

	vmm_region_remove(d[0].region);
	assert_int_equal(d[0].released, 1);
	assert_int_equal(vmm_vm_dispatch(vm, 0, 0x1010, 2, 0, &v), -VMM_ENOENT);
	assert_int_equal(add(vm, VMM_SPACE_MMIO, 0x1000, 0x100, &d[0]), 0);
	vmm_region_remove(NULL);
	fake_end(&fake, ctx, vm);
	assert_int_equal(d[0].released, 2);
	assert_int_equal(d[2].released, 1); /* with the VM */
}

/* Removal allocates nothing, so it cannot fail. */
static void removal_without_memory(void **state)
{
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, NULL);
	struct device d[40] = {0};

	(void)state;
	for (uint32_t i = 0; i < 40; i++)
		assert_int_equal(add(vm, VMM_SPACE_PORT, i * 8, 8, &d[i]), 0);
	int64_t calls = fake.calls;
	for (uint32_t i = 0; i < 40; i++)
		vmm_region_remove(d[(i * 7) % 40].region);
	assert_int_equal(fake.calls, calls);
	for (uint32_t i = 0; i < 40; i++)
		assert_int_equal(d[i].released, 1);
	fake_end(&fake, ctx, vm);
}

static int remove_self(struct device *d)
{
	vmm_region_remove(d->region);
	assert_int_equal(d->released, 0); /* not before this call has ended */
	return 0;
}

static int use_the_library(struct device *d)
{
	struct vmm_exit exit;
	struct vmm_x86_regs regs;
	struct vmm_vcpu *vcpu = vmm_vm_vcpu(d->vm, 0);
	struct vmm_mem *mem;
	uint32_t word = 5;

	assert_int_equal(vmm_vcpu_run(vcpu, &exit), -VMM_EBUSY);
	assert_int_equal(vmm_vcpu_complete(vcpu, &exit), -VMM_EBUSY);
	assert_int_equal(vmm_vcpu_get_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)),
			 -VMM_EBUSY);
	assert_int_equal(vmm_vm_pause(d->vm), -VMM_ESTATE);
	assert_int_equal(vmm_vm_reset(d->vm), -VMM_EBUSY);
	assert_int_equal(vmm_vm_destroy(d->vm), -VMM_EBUSY);
	/* Memory may be changed, in ways that hold the vCPUs too. */
	assert_int_equal(vmm_mem_create(d->ctx, 0x4000, &mem), 0);
	assert_int_equal(vmm_vm_map(d->vm, 0, mem, 0, 0x4000, VMM_PROT_RWX), 0);
	vmm_mem_unref(mem);
	assert_int_equal(vmm_vm_unmap(d->vm, 0x1000, 0x1000), 0);
	assert_int_equal(vmm_vm_write(d->vm, 0x2000, &word, 4), 0);
	vmm_vcpu_kick(vcpu);
	return 0;
}

static void callbacks_change_things(void **state)
{
	const struct vmm_sim_step steps[] = {
		fake_out(VMM_EXIT_MMIO, 0x10000, 4, 1),
		fake_in(VMM_EXIT_MMIO, 0x10000, 4, 0xe5f60000),
		fake_exit(VMM_EXIT_HLT),
	};
	const struct vmm_sim_script script = FAKE_SCRIPT(steps);
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, &script);
	struct vmm_vcpu *vcpu = vmm_vm_vcpu(vm, 0);
	struct device d = {.hook = use_the_library};
	struct vmm_exit exit;
	uint32_t word = 0;

	(void)state;
	d.ctx = ctx;
	assert_int_equal(vmm_vm_seal(vm), 0);
	assert_int_equal(add(vm, VMM_SPACE_MMIO, 0x10000, 0x100, &d), 0);
	/* The callback's kick is seen once its access is finished. */
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_KICKED);
	assert_ptr_equal(d.vcpu, vcpu);
	assert_int_equal(vmm_vm_read(vm, 0x2000, &word, 4), 0);
	assert_int_equal(word, 5);
	/* The region removes itself, and still answers as the script expects. */
	d.hook = remove_self;
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_HLT);
	assert_int_equal(d.released, 1);
	/* The same without a vCPU. */
	assert_int_equal(add(vm, VMM_SPACE_PORT, 0x10, 1, &d), 0);
	d.released = 0;
	uint64_t v;
	assert_int_equal(vmm_vm_dispatch(vm, VMM_SPACE_PORT, 0x10, 1, 0, &v), 0);
	assert_int_equal(d.released, 1);
	fake_end(&fake, ctx, vm);
}

static int refuse(struct device *d)
{
	return d->writes > 1 ? -VMM_ENOENT : -VMM_EIO;
}

static void callbacks_that_fail(void **state)
{
	const struct vmm_sim_step steps[] = {
		fake_out(VMM_EXIT_MMIO, 0x10000, 4, 1),
		fake_out(VMM_EXIT_MMIO, 0x10000, 4, 2),
	};
	const struct vmm_sim_script script = FAKE_SCRIPT(steps);
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, &script);
	struct vmm_vcpu *vcpu = vmm_vm_vcpu(vm, 0);
	struct vmm_error error = {.size = sizeof(error)};
	struct device d = {.hook = refuse};
	struct vmm_exit exit;

	(void)state;
	assert_int_equal(vmm_vm_seal(vm), 0);
	assert_int_equal(add(vm, VMM_SPACE_MMIO, 0x10000, 0x100, &d), 0);
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), -VMM_EIO);
	assert_int_equal(vmm_vcpu_error(vcpu, &error), 0);
	assert_string_equal(error.text,
			    "MMIO of 4 bytes at 0x10000: the bus callback gave VMM_EIO");
	assert_int_equal(vmm_vcpu_complete(vcpu, &exit), 0); /* it was pending */
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);      /* handed back */
	assert_int_equal(exit.reason, VMM_EXIT_MMIO);
	assert_int_equal(exit.data, 2);
	fake_end(&fake, ctx, vm);
}

static void doorbells(void **state)
{
	const struct vmm_sim_step steps[] = {
		fake_out(VMM_EXIT_MMIO, 0x5000, 4, 7),
		fake_out(VMM_EXIT_MMIO, 0x5000, 4, 8),
		fake_out(VMM_EXIT_MMIO, 0x5000, 2, 7),
		fake_in(VMM_EXIT_MMIO, 0x5000, 4, 0xe5f65000),
		fake_exit(VMM_EXIT_HLT),
	};
	const struct vmm_sim_script script = FAKE_SCRIPT(steps);
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, &script);
	struct vmm_vcpu *vcpu = vmm_vm_vcpu(vm, 0);
	struct vmm_doorbell_config c = {.size = sizeof(c),
					.space = VMM_SPACE_MMIO,
					.addr = 0x5000,
					.width = 4,
					.flags = VMM_DOORBELL_MATCH,
					.data = 7,
					.event = 70};
	struct vmm_doorbell *bell, *other;
	struct device d = {0};
	struct vmm_exit exit;

	(void)state;
	assert_int_equal(vmm_vm_seal(vm), 0);
	assert_int_equal(add(vm, VMM_SPACE_MMIO, 0, 0x10000, &d), 0);
	assert_int_equal(vmm_doorbell_add(vm, &c, &bell), 0);
	assert_int_equal(vmm_doorbell_add(vm, &c, &other), -VMM_EEXIST);
	c.data = 8;
	c.event = 80;
	assert_int_equal(vmm_doorbell_add(vm, &c, &other), 0);
	c.flags = 0;
	struct vmm_doorbell *third;
	assert_int_equal(vmm_doorbell_add(vm, &c, &third), -VMM_EEXIST);
	c.width = 0;
	assert_int_equal(vmm_doorbell_add(vm, &c, &third), -VMM_EEXIST);
	c.space = VMM_SPACE_PORT;
	assert_int_equal(vmm_doorbell_add(vm, &c, &third), -VMM_EINVAL); /* width 0 */
	c = (struct vmm_doorbell_config){.size = sizeof(c), .width = 1, .flags = 1, .data = 256};
	assert_int_equal(vmm_doorbell_add(vm, &c, &third), -VMM_EINVAL);

	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_HLT);
	assert_int_equal(fake.signals, 2);
	assert_int_equal(fake.last_event, 80);
	assert_int_equal(d.writes, 1); /* the one of another width */
	assert_int_equal(d.reads, 1);
	vmm_doorbell_remove(bell);
	vmm_doorbell_remove(NULL);
	fake_end(&fake, ctx, vm); /* with the other one */
}

static void denied_ports(void **state)
{
	const struct vmm_sim_step steps[] = {
		fake_in(VMM_EXIT_PORT, 0x80, 1, 0xff),       /* denied */
		fake_in(VMM_EXIT_PORT, 0x7e, 4, 0xffffffff), /* one of its ports is */
		fake_out(VMM_EXIT_PORT, 0x80, 1, 5),         /* only reads are */
		fake_in(VMM_EXIT_PORT, 0x81, 1, 0),          /* allowed again by a later run */
		fake_exit(VMM_EXIT_HLT),
	};
	const struct vmm_sim_script script = FAKE_SCRIPT(steps);
	const struct vmm_x86_filter runs[] = {
		{0x80, 2, VMM_FILTER_READ, VMM_FILTER_DENY},
		{0x81, 1, VMM_FILTER_READ, VMM_FILTER_EXIT},
	};
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, &script);
	struct vmm_vcpu *vcpu = vmm_vm_vcpu(vm, 0);
	struct vmm_exit exit;

	(void)state;
	assert_int_equal(vmm_vm_x86_filter_ports(vm, runs, 2), 0);
	assert_int_equal(vmm_vm_seal(vm), 0);
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_PORT);
	assert_int_equal(exit.addr, 0x80);
	assert_int_equal(exit.flags, VMM_EXIT_F_WRITE);
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_PORT);
	assert_int_equal(exit.addr, 0x81);
	exit.data = 0;
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_HLT);
	fake_end(&fake, ctx, vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(regions),
		cmocka_unit_test(removal_without_memory),
		cmocka_unit_test(callbacks_change_things),
		cmocka_unit_test(callbacks_that_fail),
		cmocka_unit_test(doorbells),
		cmocka_unit_test(denied_ports),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

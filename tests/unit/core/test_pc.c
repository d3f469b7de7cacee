// SPDX-License-Identifier: BSD-2-Clause-Patent
/* What the core does for PCs' parts: the alarm, and the ports of an engine's 8259s. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core.h"
#include "fake_host.h"

/* The engine under test: sim, with an alarm and 8259s that only remember. */
static struct {
	uint64_t deadline;
	uint32_t alarms;
	uint32_t port[16];
	uint32_t written[16];
	uint32_t accesses;
} engine;

static void e_alarm(void *vm, uint64_t deadline_ns)
{
	(void)vm;
	engine.deadline = deadline_ns;
	engine.alarms++;
}

static void e_pic_access(void *vm, uint32_t port, uint32_t write, uint8_t *value)
{
	(void)vm;
	assert_true(engine.accesses < 16);
	engine.port[engine.accesses] = port;
	engine.written[engine.accesses++] = write ? *value : UINT32_MAX;
	if (!write)
		*value = (uint8_t)port;
}

struct test {
	struct fake_host fake;
	struct vmm_engine engine;
	struct vmm_ctx *ctx;
	struct vmm_vm *vm;
	uint32_t calls;
	uint64_t next; /* what the callback sets */
};

static void start(struct test *t)
{
	memset(&engine, 0, sizeof(engine));
	memset(t, 0, sizeof(*t));
	t->engine = *vmm_engine_sim();
	t->engine.alarm = e_alarm;
	t->engine.pic_access = e_pic_access;
	t->ctx = fake_ctx(&t->fake, &t->engine);
}

static void on_alarm(void *opaque)
{
	struct test *t = opaque;
	struct vmm_vcpu *first = vmm_vm_vcpu(t->vm, 0);

	/* Out of the guest, as in a bus callback. */
	assert_true(atomic_load(&first->calling) == &t->vm->bus.none);
	assert_int_equal(vmm_vm_pause(t->vm), -VMM_ESTATE);
	t->calls++;
	if (t->next != 0)
		vmm_vm_set_alarm(t->vm, t->next);
}

static void alarms(void **state)
{
	const struct vmm_sim_step steps[] = {
		{.op = VMM_SIM_SPURIOUS}, {.op = VMM_SIM_SPURIOUS}, fake_exit(VMM_EXIT_HLT),
		{.op = VMM_SIM_SPURIOUS}, fake_exit(VMM_EXIT_HLT),  {.op = VMM_SIM_SPURIOUS},
		fake_exit(VMM_EXIT_HLT),
	};
	const struct vmm_sim_script scripts[] = {FAKE_SCRIPT(steps), FAKE_SCRIPT(steps)};
	struct vmm_exit exit = {0};
	struct test t;

	(void)state;
	start(&t);
	t.vm = fake_vm(t.ctx, 2, VMM_IRQCHIP_ARCH, scripts);
	assert_int_equal(vmm_vm_on_alarm(NULL, on_alarm, &t), -VMM_EINVAL);
	assert_int_equal(vmm_vm_on_alarm(t.vm, NULL, &t), -VMM_EINVAL);
	vmm_vm_set_alarm(t.vm, 0); /* there is nobody to be called */
	assert_int_equal(engine.alarms, 0);
	assert_int_equal(vmm_vm_on_alarm(t.vm, on_alarm, &t), 0);
	assert_int_equal(vmm_vm_seal(t.vm), 0);
	assert_int_equal(vmm_vm_on_alarm(t.vm, on_alarm, &t), -VMM_ESTATE);
	/* Due: once, and on vCPU 0. */
	vmm_vm_set_alarm(t.vm, 1);
	assert_int_equal(engine.deadline, 1);
	assert_int_equal(vmm_vcpu_run(vmm_vm_vcpu(t.vm, 1), &exit), 0);
	assert_int_equal(t.calls, 0);
	assert_int_equal(vmm_vcpu_run(vmm_vm_vcpu(t.vm, 0), &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_HLT);
	assert_int_equal(t.calls, 1);
	/* Not yet due; what the callback sets is the next one. */
	vmm_vm_set_alarm(t.vm, VMM_FOREVER - 1);
	assert_int_equal(vmm_vcpu_run(vmm_vm_vcpu(t.vm, 0), &exit), 0);
	assert_int_equal(t.calls, 1);
	t.next = 5;
	vmm_vm_set_alarm(t.vm, 2);
	assert_int_equal(vmm_vcpu_run(vmm_vm_vcpu(t.vm, 0), &exit), 0);
	assert_int_equal(t.calls, 2);
	assert_int_equal(engine.deadline, 5);
	fake_end(&t.fake, t.ctx, t.vm);
	/* An engine without. */
	start(&t);
	t.engine.alarm = NULL;
	t.vm = fake_vm(t.ctx, 1, VMM_IRQCHIP_ARCH, NULL);
	assert_int_equal(vmm_vm_on_alarm(t.vm, on_alarm, &t), -VMM_ENOTSUP);
	fake_end(&t.fake, t.ctx, t.vm);
}

static void ports(void **state)
{
	struct vmm_vm_config config = {.size = sizeof(config), .flags = VMM_VM_PIC, .max_vcpus = 1};
	uint64_t value = 0x2211;
	struct test t;

	(void)state;
	start(&t);
	assert_int_equal(vmm_vm_create(t.ctx, &config, &t.vm), -VMM_EINVAL);
	config.irqchip = VMM_IRQCHIP_ARCH;
	assert_int_equal(vmm_vm_create(t.ctx, &config, &t.vm), 0);
	assert_int_equal(vmm_vm_dispatch(t.vm, VMM_SPACE_PORT, 0xa1, 1, 1, &value), 0);
	assert_int_equal(vmm_vm_dispatch(t.vm, VMM_SPACE_PORT, 0x20, 2, 1, &value), 0);
	assert_int_equal(vmm_vm_dispatch(t.vm, VMM_SPACE_PORT, 0x4d0, 2, 0, &value), 0);
	assert_int_equal(value, 0xd1d0);
	assert_int_equal(vmm_vm_dispatch(t.vm, VMM_SPACE_PORT, 0x22, 1, 0, &value), -VMM_ENOENT);
	assert_int_equal(engine.accesses, 5);
	assert_int_equal(engine.port[0], 0xa1);
	assert_int_equal(engine.port[2], 0x21);
	assert_int_equal(engine.written[2], 0x22);
	fake_end(&t.fake, t.ctx, t.vm);
	/* No memory for one of them: nothing is left. */
	start(&t);
	t.fake.fail_at = t.fake.calls + 1;
	for (int64_t i = 2; vmm_vm_create(t.ctx, &config, &t.vm) != 0; i++) {
		assert_null(t.vm);
		t.fake.calls = 0;
		t.fake.fail_at = i;
	}
	t.fake.fail_at = 0;
	fake_end(&t.fake, t.ctx, t.vm);
	/* An engine that serves them itself, and one without. */
	start(&t);
	t.engine.pic_access = NULL;
	assert_int_equal(vmm_vm_create(t.ctx, &config, &t.vm), 0);
	assert_int_equal(vmm_vm_dispatch(t.vm, VMM_SPACE_PORT, 0x20, 1, 0, &value), -VMM_ENOENT);
	fake_end(&t.fake, t.ctx, t.vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(alarms), cmocka_unit_test(ports)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* One life of a VM in which everything is used, with each allocation and each engine call made to
 * fail in turn; and a thousand lives. Whatever fails, nothing is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine.h"
#include "fake_host.h"

/* --- an engine whose n-th call fails --- */

static struct {
	struct vmm_engine engine;
	uint32_t calls;
	uint32_t fail_at;
	uint32_t vms, vcpus, events, bells; /* alive */
} e;

static bool fails(void)
{
	return ++e.calls == e.fail_at;
}

static int e_vm_create(const struct vmm__services *services, const struct vmm_vm_config *config,
		       void **vm, struct vmm_error *error)
{
	int r = fails() ? -VMM_EIO : vmm_engine_sim()->vm_create(services, config, vm, error);

	e.vms += r == 0;
	return r;
}

static void e_vm_destroy(void *vm)
{
	assert_int_equal(e.vcpus, 0); /* after all its vCPUs */
	e.vms--;
	vmm_engine_sim()->vm_destroy(vm);
}

static int e_vm_cap(void *vm, uint32_t cap, uint64_t *value)
{
	return fails() ? -VMM_EIO : vmm_engine_sim()->vm_cap(vm, cap, value);
}

static int e_vm_seal(void *vm, const struct vmm_x86_filter *msrs, uint32_t msr_count,
		     const struct vmm_x86_filter *ports, uint32_t port_count,
		     struct vmm_error *error)
{
	return fails() ? -VMM_EIO
		       : vmm_engine_sim()->vm_seal(vm, msrs, msr_count, ports, port_count, error);
}

static int e_vm_reset(void *vm, struct vmm_error *error)
{
	return fails() ? -VMM_EIO : vmm_engine_sim()->vm_reset(vm, error);
}

static int e_clock_stop(void *vm, uint32_t stop, struct vmm_error *error)
{
	(void)vm;
	(void)stop;
	(void)error;
	return fails() ? -VMM_EIO : 0;
}

static int e_mem_set(void *vm, uint32_t number, const struct vmm__slot *slot, uint32_t quiet,
		     struct vmm_error *error)
{
	return fails() ? -VMM_EIO : vmm_engine_sim()->mem_set(vm, number, slot, quiet, error);
}

static int e_mem_dirty(void *vm, uint32_t number, uint64_t *bitmap, size_t words,
		       struct vmm_error *error)
{
	return fails() ? -VMM_EIO : vmm_engine_sim()->mem_dirty(vm, number, bitmap, words, error);
}

static int e_event_attach(void *vm, const struct vmm_irq_event_config *config, void **event,
			  struct vmm_error *error)
{
	(void)vm;
	(void)config;
	(void)error;
	if (fails())
		return -VMM_ELIMIT;
	*event = &e;
	e.events++;
	return 0;
}

static void e_event_detach(void *vm, void *event)
{
	(void)vm;
	assert_ptr_equal(event, &e);
	e.events--;
}

static int e_doorbell_add(void *vm, const struct vmm_doorbell_config *config,
			  struct vmm_error *error)
{
	(void)vm;
	(void)error;
	if (fails())
		return -VMM_ELIMIT;
	if (config->space == VMM_SPACE_PORT)
		return -VMM_ENOTSUP; /* then the bus rings it */
	e.bells++;
	return 0;
}

static void e_doorbell_remove(void *vm, const struct vmm_doorbell_config *config)
{
	(void)vm;
	assert_int_equal(config->space, VMM_SPACE_MMIO);
	e.bells--;
}

static int e_vcpu_create(void *vm, const struct vmm_vcpu_config *config, void **vcpu,
			 struct vmm_error *error)
{
	int r = fails() ? -VMM_EIO : vmm_engine_sim()->vcpu_create(vm, config, vcpu, error);

	e.vcpus += r == 0;
	return r;
}

static void e_vcpu_destroy(void *vcpu)
{
	e.vcpus--;
	vmm_engine_sim()->vcpu_destroy(vcpu);
}

static int e_vcpu_seal(void *vcpu, const struct vmm_x86_cpuid *cpuid, uint32_t count,
		       struct vmm_error *error)
{
	return fails() ? -VMM_EIO : vmm_engine_sim()->vcpu_seal(vcpu, cpuid, count, error);
}

static int e_vcpu_reset(void *vcpu, struct vmm_error *error)
{
	return fails() ? -VMM_EIO : vmm_engine_sim()->vcpu_reset(vcpu, error);
}

static int e_run(void *vcpu, struct vmm_exit *exit, struct vmm_error *error)
{
	return fails() ? -VMM_EIO : vmm_engine_sim()->run(vcpu, exit, error);
}

static const struct vmm_engine *failing_engine(void)
{
	memset(&e, 0, sizeof(e));
	e.engine = *vmm_engine_sim();
	e.engine.vm_create = e_vm_create;
	e.engine.vm_destroy = e_vm_destroy;
	e.engine.vm_cap = e_vm_cap;
	e.engine.vm_seal = e_vm_seal;
	e.engine.vm_reset = e_vm_reset;
	e.engine.vm_clock_stop = e_clock_stop;
	e.engine.mem_set = e_mem_set;
	e.engine.mem_dirty = e_mem_dirty;
	e.engine.event_attach = e_event_attach;
	e.engine.event_detach = e_event_detach;
	e.engine.doorbell_add = e_doorbell_add;
	e.engine.doorbell_remove = e_doorbell_remove;
	e.engine.vcpu_create = e_vcpu_create;
	e.engine.vcpu_destroy = e_vcpu_destroy;
	e.engine.vcpu_seal = e_vcpu_seal;
	e.engine.vcpu_reset = e_vcpu_reset;
	e.engine.run = e_run;
	return &e.engine;
}

/* --- one life --- */

#define PAGE 0x1000

static uint32_t regions_released, mem_released;

static void region_released(void *opaque)
{
	(void)opaque;
	regions_released++;
}

static void memory_released(void *opaque, void *base, uint64_t len)
{
	(void)opaque;
	(void)base;
	assert_int_equal(len, 4 * PAGE);
	mem_released++;
}

static const struct vmm_region_ops region_ops = {.size = sizeof(region_ops),
						 .released = region_released};

/* What is made stays until the VM goes, in part taken away before. Gives the first failure. */
#define TRY(call)                 \
	do {                      \
		r = (call);       \
		if (r != 0)       \
			return r; \
	} while (0)

static int configure(struct vmm_vm *vm)
{
	const struct vmm_x86_filter runs[] = {{0x80, 1, VMM_FILTER_READ, VMM_FILTER_DENY}};
	const struct vmm_x86_cpuid leaves[] = {{.leaf = 0}, {.leaf = 1}};
	struct vmm_vcpu *vcpu;
	int r;

	for (uint32_t i = 0; i < 2; i++) {
		const struct vmm_vcpu_config config = {
			.size = sizeof(config), .index = i, .arch_id = i};

		TRY(vmm_vcpu_create(vm, &config, &vcpu));
		TRY(vmm_vcpu_x86_set_cpuid(vcpu, leaves, 2));
	}
	TRY(vmm_vm_x86_filter_msrs(vm, runs, 1));
	TRY(vmm_vm_x86_filter_msrs(vm, runs, 1));
	TRY(vmm_vm_x86_filter_ports(vm, runs, 1));
	return vmm_vm_seal(vm);
}

static int use_memory(struct vmm_ctx *ctx, struct vmm_vm *vm)
{
	static _Alignas(PAGE) uint8_t pages[4 * PAGE];
	struct vmm_mem *mem, *host;
	uint64_t bits[1];
	int r;

	TRY(vmm_mem_create(ctx, 16 * PAGE, &mem));
	r = vmm_vm_map(vm, 0, mem, 0, 16 * PAGE, VMM_PROT_RWX);
	vmm_mem_unref(mem);
	if (r != 0)
		return r;
	TRY(vmm_mem_create_host(ctx, pages, sizeof(pages), memory_released, NULL, &host));
	r = vmm_vm_map(vm, 0x100000, host, 0, 4 * PAGE, VMM_PROT_READ | VMM_PROT_EXEC);
	vmm_mem_unref(host);
	if (r != 0)
		return r;
	TRY(vmm_vm_dirty_start(vm, 2 * PAGE, 8 * PAGE));
	TRY(vmm_vm_unmap(vm, 4 * PAGE, PAGE));
	TRY(vmm_vm_protect(vm, 5 * PAGE, 2 * PAGE, VMM_PROT_READ | VMM_PROT_EXEC));
	TRY(vmm_vm_fill(vm, 6 * PAGE, 1, 1));
	TRY(vmm_vm_dirty_harvest(vm, 5 * PAGE, 4 * PAGE, bits, 1));
	return vmm_vm_dirty_stop(vm, 8 * PAGE, 2 * PAGE);
}

static int use_bus(struct vmm_vm *vm)
{
	struct vmm_doorbell_config bell = {.size = sizeof(bell), .addr = 0x200000, .width = 4};
	struct vmm_irq_event_config event = {.size = sizeof(event), .event = 3, .gsi = 4};
	struct vmm_irq_event *attached, *other;
	struct vmm_region *region;
	struct vmm_doorbell *b;
	int r;

	for (uint64_t i = 0; i < 3; i++)
		TRY(vmm_region_add(vm, VMM_SPACE_MMIO, 0x300000 + i * PAGE, PAGE, &region_ops, NULL,
				   &region));
	vmm_region_remove(region);
	TRY(vmm_doorbell_add(vm, &bell, &b));
	bell.space = VMM_SPACE_PORT;
	bell.addr = 0x70;
	TRY(vmm_doorbell_add(vm, &bell, &b));
	vmm_doorbell_remove(b);
	TRY(vmm_irq_event_attach(vm, &event, &attached));
	assert_int_equal(vmm_irq_event_attach(vm, &event, &other), -VMM_EEXIST);
	event.event = 4;
	TRY(vmm_irq_event_attach(vm, &event, &other));
	vmm_irq_event_detach(attached);
	return 0;
}

static int live(struct vmm_ctx *ctx)
{
	const struct vmm_vm_config config = {.size = sizeof(config),
					     .irqchip = VMM_IRQCHIP_ARCH,
					     .max_vcpus = 3,
					     .clock = VMM_CLOCK_STOPS};
	struct vmm_exit exit;
	struct vmm_vm *vm;
	int r;

	TRY(vmm_vm_create(ctx, &config, &vm));
	r = configure(vm);
	if (r == 0)
		r = use_memory(ctx, vm);
	if (r == 0)
		r = use_bus(vm);
	if (r == 0)
		r = vmm_vcpu_run(vmm_vm_vcpu(vm, 0), &exit);
	if (r == 0)
		r = vmm_vm_pause(vm);
	if (r == 0)
		r = vmm_vm_resume(vm);
	if (r == 0)
		r = vmm_vm_reset(vm);
	assert_int_equal(vmm_vm_destroy(vm), 0);
	return r;
}

static void nothing_is_left(const struct fake_host *fake, int64_t blocks)
{
	assert_int_equal(fake->blocks, blocks);
	assert_int_equal(e.vms + e.vcpus + e.events + e.bells, 0);
	assert_int_equal(fake->logged, 0);
}

static void every_allocation_fails(void **state)
{
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, failing_engine());
	struct vmm_error error = {.size = sizeof(error)};
	int64_t blocks = fake.blocks;
	int64_t n = 0;
	int r;

	(void)state;
	do {
		fake.fail_at = fake.calls + ++n;
		r = live(ctx);
		if (r != 0)
			assert_int_equal(r, -VMM_ENOMEM);
		nothing_is_left(&fake, blocks);
	} while (r != 0);
	assert_true(n > 30); /* it has not stopped at the first */
	fake_end(&fake, ctx, NULL);
}

static void every_engine_call_fails(void **state)
{
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, failing_engine());
	int64_t blocks = fake.blocks;
	uint32_t n = 0;
	int r;

	(void)state;
	do {
		e.calls = 0;
		e.fail_at = ++n;
		r = live(ctx);
		nothing_is_left(&fake, blocks);
	} while (e.calls >= e.fail_at);
	assert_int_equal(r, 0);
	assert_true(n > 30);
	fake_end(&fake, ctx, NULL);
}

static void a_thousand_lives(void **state)
{
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, failing_engine());
	int64_t blocks = fake.blocks;

	(void)state;
	regions_released = mem_released = 0;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(live(ctx), 0);
		nothing_is_left(&fake, blocks);
	}
	assert_int_equal(regions_released, 3000);
	assert_int_equal(mem_released, 1000);
	fake_end(&fake, ctx, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_fails),
		cmocka_unit_test(every_engine_call_fails),
		cmocka_unit_test(a_thousand_lives),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

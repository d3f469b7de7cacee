// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Calls in the wrong order, out of range, with structures of other sizes: each with its code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fake_host.h"

static void contexts(void **state)
{
	const struct vmm_engine *engines[2] = {vmm_engine_sim(), NULL};
	struct fake_host fake;
	struct vmm_host host;
	struct vmm_ctx_config config = {
		.size = sizeof(config), .host = &host, .engines = engines, .engine_count = 1};
	struct vmm_error error = {.size = sizeof(error)};
	struct vmm_ctx *ctx = (void *)1;
	uint64_t value = 7;

	(void)state;
	fake_host_init(&fake);
	host = fake.host;
	assert_int_equal(vmm_ctx_create(NULL, &ctx, &error), -VMM_EINVAL);
	assert_null(ctx);
	assert_int_equal(error.code, -VMM_EINVAL);
	assert_int_equal(vmm_ctx_create(&config, NULL, NULL), -VMM_EINVAL);
	config.engine_count = 2;
	assert_int_equal(vmm_ctx_create(&config, &ctx, &error), -VMM_EINVAL);
	assert_string_equal(error.text, "engine 1 is NULL");
	config.engine_count = 0;
	assert_int_equal(vmm_ctx_create(&config, &ctx, &error), -VMM_EINVAL);
	config.engine_count = 1;
	host.wake = NULL;
	assert_int_equal(vmm_ctx_create(&config, &ctx, &error), -VMM_EINVAL);
	assert_string_equal(error.text, "the host has no wake()");
	host = fake.host;
	fake.fail_at = 1;
	assert_int_equal(vmm_ctx_create(&config, &ctx, &error), -VMM_ENOMEM);
	/* An older caller's host ends before its optional services. */
	host.size = offsetof(struct vmm_host, wall_ns);
	assert_int_equal(vmm_ctx_create(&config, &ctx, NULL), 0);
	assert_null(vmm_ctx_host(ctx)->event_signal);

	assert_string_equal(vmm_ctx_engine_name(ctx, 0), "sim");
	assert_null(vmm_ctx_engine_name(ctx, 1));
	assert_int_equal(vmm_ctx_engine_probe(ctx, NULL), 0);
	assert_int_equal(vmm_ctx_engine_probe(ctx, "sim"), 0);
	assert_int_equal(vmm_ctx_engine_probe(ctx, "si"), -VMM_ENOENT);
	assert_int_equal(vmm_ctx_error(ctx, &error), 0);
	assert_string_equal(error.text, "there is no engine \"si\"");
	assert_int_equal(vmm_ctx_cap(ctx, NULL, VMM_CAP_ARCH, &value), 0);
	assert_int_equal(value, VMM_ARCH_X86_64);
	assert_int_equal(vmm_ctx_cap(ctx, NULL, 9999, &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(vmm_ctx_destroy(ctx), 0);
	assert_int_equal(fake.blocks, 0);
}

static void structures_of_other_sizes(void **state)
{
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct {
		struct vmm_vm_config config;
		uint64_t beyond;
	} newer = {{.size = sizeof(newer), .max_vcpus = 1}, 0};
	/* An older one knew nothing of clocks and engines' own configuration. */
	struct vmm_vm_config older = {.size = offsetof(struct vmm_vm_config, clock),
				      .max_vcpus = 1,
				      .clock = 99,
				      .reserved = 99};
	struct {
		struct vmm_error error;
		uint64_t beyond;
	} detail = {{.size = sizeof(detail)}, 5};
	struct vmm_vm *vm;

	(void)state;
	assert_int_equal(vmm_vm_create(ctx, &older, &vm), 0);
	assert_int_equal(vmm_vm_destroy(vm), 0);
	assert_int_equal(vmm_vm_create(ctx, &newer.config, &vm), 0);
	assert_int_equal(vmm_vm_destroy(vm), 0);
	newer.beyond = 1; /* asks for what this library does not know */
	assert_int_equal(vmm_vm_create(ctx, &newer.config, &vm), -VMM_EINVAL);
	assert_null(vm);
	older.size = 4;
	assert_int_equal(vmm_vm_create(ctx, &older, &vm), -VMM_EINVAL);

	assert_int_equal(vmm_ctx_error(ctx, &detail.error), 0);
	assert_int_equal(detail.error.size, sizeof(detail));
	assert_int_equal(detail.error.code, -VMM_EINVAL);
	assert_int_equal(detail.beyond, 0);
	memset(&detail, 0x55, sizeof(detail));
	detail.error.size = offsetof(struct vmm_error, text);
	assert_int_equal(vmm_ctx_error(ctx, &detail.error), 0);
	assert_string_equal(detail.error.call, "vmm_vm_create");
	assert_int_equal(detail.error.text[0], 0x55);
	detail.error.size = 0;
	assert_int_equal(vmm_ctx_error(ctx, &detail.error), -VMM_EINVAL);
	fake_end(&fake, ctx, NULL);
}

static void order_of_calls(void **state)
{
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	const struct vmm_vm_config config = {
		.size = sizeof(config), .irqchip = VMM_IRQCHIP_ARCH, .max_vcpus = 2};
	struct vmm_vcpu_config vc = {.size = sizeof(vc)};
	const struct vmm_x86_cpuid leaf = {.leaf = 0};
	const struct vmm_x86_filter run = {0x10, 1, VMM_FILTER_READ, VMM_FILTER_EXIT};
	struct vmm_x86_regs regs;
	struct vmm_exit exit;
	struct vmm_vcpu *vcpu, *other;
	struct vmm_vm *vm;
	struct vmm_x86_cpuid got[2];
	uint32_t count = 2;

	(void)state;
	assert_int_equal(vmm_vm_create(ctx, &config, &vm), 0);
	assert_int_equal(vmm_ctx_destroy(ctx), -VMM_EBUSY);
	assert_int_equal(vmm_vm_seal(vm), -VMM_ESTATE); /* no vCPU */
	assert_int_equal(vmm_vm_reset(vm), -VMM_ESTATE);
	assert_int_equal(vmm_vm_pause(vm), -VMM_ESTATE);
	assert_int_equal(vmm_vm_resume(vm), -VMM_ESTATE);
	vc.index = 2;
	assert_int_equal(vmm_vcpu_create(vm, &vc, &vcpu), -VMM_ERANGE);
	vc.index = 0;
	vc.arch_id = UINT32_MAX;
	assert_int_equal(vmm_vcpu_create(vm, &vc, &vcpu), -VMM_ERANGE);
	vc.arch_id = 5;
	vc.opaque = &vc;
	assert_int_equal(vmm_vcpu_create(vm, &vc, &vcpu), 0);
	assert_ptr_equal(vmm_vcpu_opaque(vcpu), &vc);
	assert_ptr_equal(vmm_vcpu_vm(vcpu), vm);
	assert_int_equal(vmm_vcpu_arch_id(vcpu), 5);
	assert_ptr_equal(vmm_vm_vcpu(vm, 0), vcpu);
	assert_null(vmm_vm_vcpu(vm, 1));
	assert_null(vmm_vm_vcpu(vm, 2));
	assert_int_equal(vmm_vcpu_create(vm, &vc, &other), -VMM_EEXIST);
	vc.index = 1; /* the same arch_id */
	assert_int_equal(vmm_vcpu_create(vm, &vc, &other), -VMM_EEXIST);

	assert_int_equal(vmm_vcpu_get_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)),
			 -VMM_ESTATE);
	assert_int_equal(vmm_vcpu_inject(vcpu, VMM_INJECT_NMI, 0, 0, 0), -VMM_ESTATE);
	assert_int_equal(vmm_vm_irq_line(vm, 1, 1), -VMM_ESTATE);
	assert_int_equal(vmm_vcpu_complete(vcpu, &exit), -VMM_ESTATE);
	assert_int_equal(vmm_vcpu_x86_set_cpuid(vcpu, &leaf, 257), -VMM_ELIMIT);
	assert_int_equal(vmm_vcpu_x86_set_cpuid(vcpu, &leaf, 1), 0);
	assert_int_equal(vmm_vm_x86_filter_msrs(vm, &run, 1), 0);

	assert_int_equal(vmm_vm_seal(vm), 0);
	assert_int_equal(vmm_vm_seal(vm), -VMM_ESTATE);
	vc.arch_id = 6;
	assert_int_equal(vmm_vcpu_create(vm, &vc, &other), -VMM_ESTATE);
	assert_int_equal(vmm_vcpu_x86_set_cpuid(vcpu, &leaf, 1), -VMM_ESTATE);
	assert_int_equal(vmm_vcpu_x86_get_cpuid(vcpu, got, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(vmm_vm_x86_filter_msrs(vm, &run, 1), -VMM_ESTATE);
	assert_int_equal(vmm_vm_x86_filter_ports(vm, NULL, 0), -VMM_ESTATE);
	assert_int_equal(vmm_vm_reset(vm), 0);

	assert_int_equal(vmm_vm_irq_line(vm, 24, 1), -VMM_ERANGE);
	assert_int_equal(vmm_vm_irq_line(vm, 23, 1), 0);
	assert_int_equal(vmm_vm_msi(vm, 0xfee01000, 0x41, 0), 0);
	assert_int_equal(vmm_vm_msi(vm, 0xfec01000, 0x41, 0), -VMM_EINVAL);
	assert_int_equal(vmm_vcpu_inject(vcpu, VMM_INJECT_INTERRUPT, 32, 0, 0), -VMM_ENOTSUP);
	assert_int_equal(vmm_vcpu_request_window(vcpu, 1), -VMM_ENOTSUP);
	fake_end(&fake, ctx, vm);
}

static void bad_configurations(void **state)
{
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	const struct {
		struct vmm_vm_config config;
		int code;
	} cases[] = {
		{{.size = 40, .max_vcpus = 0}, -VMM_EINVAL},
		{{.size = 40, .max_vcpus = 1, .flags = 0x80000000}, -VMM_EINVAL},
		{{.size = 40, .max_vcpus = 1, .irqchip = 2}, -VMM_EINVAL},
		{{.size = 40, .max_vcpus = 1, .clock = 2}, -VMM_EINVAL},
		{{.size = 40, .max_vcpus = 1, .reserved = 1}, -VMM_EINVAL},
		{{.size = 40, .max_vcpus = 1, .engine = "kvm"}, -VMM_ENOENT},
		{{.size = 40, .max_vcpus = UINT32_MAX}, -VMM_ELIMIT},
	};
	struct vmm_vm *vm;

	(void)state;
	assert_int_equal(sizeof(struct vmm_vm_config), 40);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(vmm_vm_create(ctx, &cases[i].config, &vm), cases[i].code);
		assert_null(vm);
	}
	fake_end(&fake, ctx, NULL);
}

static void filters(void **state)
{
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, NULL);
	struct vmm_x86_filter f[65] = {{0xffffffff, 1, VMM_FILTER_READ, VMM_FILTER_DENY}};

	(void)state;
	assert_int_equal(vmm_vm_x86_filter_msrs(vm, f, 1), 0);
	assert_int_equal(vmm_vm_x86_filter_msrs(vm, f, 65), -VMM_ELIMIT);
	assert_int_equal(vmm_vm_x86_filter_msrs(vm, f, 2), -VMM_EINVAL);
	assert_int_equal(vmm_vm_x86_filter_ports(vm, f, 1), -VMM_ERANGE);
	f[0].count = 2;
	assert_int_equal(vmm_vm_x86_filter_msrs(vm, f, 1), -VMM_ERANGE);
	f[0] = (struct vmm_x86_filter){0, 1, 4, VMM_FILTER_DENY};
	assert_int_equal(vmm_vm_x86_filter_msrs(vm, f, 1), -VMM_EINVAL);
	f[0] = (struct vmm_x86_filter){0, 1, VMM_FILTER_READ, VMM_FILTER_ALLOW};
	assert_int_equal(vmm_vm_x86_filter_ports(vm, f, 1), -VMM_ENOTSUP); /* no pass-through */
	assert_int_equal(vmm_vm_x86_filter_msrs(vm, NULL, 0), 0);
	fake_end(&fake, ctx, vm);
}

static void vcpu_state(void **state)
{
	const struct vmm_sim_step steps[] = {
		fake_in(VMM_EXIT_PORT, 0x60, 1, 0),
		fake_exit(VMM_EXIT_HLT),
	};
	const struct vmm_sim_script script = FAKE_SCRIPT(steps);
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, &script);
	struct vmm_vcpu *vcpu = vmm_vm_vcpu(vm, 0);
	struct vmm_x86_regs regs;
	struct vmm_x86_msr msrs[2] = {{.index = 0x277}, {.index = 0xc0000082}};
	struct vmm_x86_ioapic ioapic;
	struct vmm_x86_clock clock = {5};
	struct vmm_exit exit;
	uint64_t gpa;
	size_t size = 0;

	(void)state;
	assert_int_equal(vmm_vm_get_state(vm, VMM_STATE_X86_CLOCK, 0, &clock, sizeof(clock)),
			 -VMM_ESTATE);
	assert_int_equal(vmm_vm_seal(vm), 0);
	assert_int_equal(vmm_vcpu_state_size(vcpu, VMM_STATE_X86_REGS, 0, &size), 0);
	assert_int_equal(size, sizeof(regs));
	assert_int_equal(vmm_vcpu_state_size(vcpu, VMM_STATE_X86_REGS, 1, &size), -VMM_ENOENT);
	assert_int_equal(vmm_vcpu_state_size(vcpu, 0x42, 0, &size), -VMM_EINVAL);
	assert_int_equal(vmm_vcpu_get_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)), 0);
	assert_int_equal(regs.rip, 0xfff0);
	regs.rax = 42;
	assert_int_equal(vmm_vcpu_set_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)), 0);
	regs.rax = 0;
	assert_int_equal(vmm_vcpu_get_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)), 0);
	assert_int_equal(regs.rax, 42);
	assert_int_equal(vmm_vcpu_get_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, 8), -VMM_ESIZE);
	assert_int_equal(vmm_vcpu_get_state(vcpu, 0x42, 0, &regs, sizeof(regs)), -VMM_EINVAL);
	assert_int_equal(vmm_vcpu_get_state(vcpu, VMM_STATE_X86_MSRS, 0, msrs, 31), -VMM_ESIZE);
	assert_int_equal(vmm_vcpu_get_state(vcpu, VMM_STATE_X86_MSRS, 0, msrs, sizeof(msrs)), 0);
	assert_int_equal(msrs[0].value, 0x0007040600070406);
	msrs[1].index = 0x9999;
	assert_int_equal(vmm_vcpu_set_state(vcpu, VMM_STATE_X86_MSRS, 0, msrs, sizeof(msrs)),
			 -VMM_ENOENT);
	assert_int_equal(vmm_vm_set_state(vm, VMM_STATE_X86_CLOCK, 0, &clock, sizeof(clock)), 0);
	assert_int_equal(vmm_vm_get_state(vm, VMM_STATE_X86_IOAPIC, 0, &ioapic, sizeof(ioapic)),
			 -VMM_EINVAL);

	/* A pending exit: nothing can be looked at. */
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(vmm_vcpu_get_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)),
			 -VMM_ESTATE);
	assert_int_equal(vmm_vcpu_set_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)),
			 -VMM_ESTATE);
	assert_int_equal(vmm_vcpu_inject(vcpu, VMM_INJECT_EXCEPTION, 13, 0, 0), -VMM_ESTATE);
	assert_int_equal(vmm_vcpu_translate(vcpu, 0, 0, &gpa), -VMM_ESTATE);
	assert_int_equal(vmm_vcpu_inject(vcpu, VMM_INJECT_NMI, 2, 0, 0), 0);
	/* Reset discards it. */
	assert_int_equal(vmm_vm_reset(vm), 0);
	assert_int_equal(vmm_vcpu_complete(vcpu, &exit), -VMM_ESTATE);
	assert_int_equal(vmm_vcpu_get_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)), 0);
	assert_int_equal(regs.rax, 0);
	assert_int_equal(vmm_vcpu_translate(vcpu, 0x1000, 0, &gpa), -VMM_EFAULT);
	fake_end(&fake, ctx, vm);
}

static void injection_and_windows(void **state)
{
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, NULL);
	struct vmm_vcpu *vcpu = vmm_vm_vcpu(vm, 0);
	struct vmm_x86_regs regs;
	struct vmm_exit exit;

	(void)state;
	assert_int_equal(vmm_vm_seal(vm), 0);
	assert_int_equal(vmm_vcpu_inject(vcpu, 0, 32, 0, 0), -VMM_EINVAL);
	assert_int_equal(vmm_vcpu_inject(vcpu, VMM_INJECT_INTERRUPT, 256, 0, 0), -VMM_EINVAL);
	assert_int_equal(vmm_vcpu_inject(vcpu, VMM_INJECT_EXCEPTION, 32, 0, 0), -VMM_EINVAL);
	assert_int_equal(vmm_vcpu_inject(vcpu, VMM_INJECT_INTERRUPT, 32, 0, 0), -VMM_EBUSY);
	assert_int_equal(vmm_vcpu_request_window(vcpu, 1), 0);
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_HLT); /* IF is clear */
	assert_int_equal(vmm_vcpu_get_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)), 0);
	regs.rflags |= 0x200;
	assert_int_equal(vmm_vcpu_set_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)), 0);
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_IRQ_WINDOW);
	assert_int_equal(vmm_vcpu_inject(vcpu, VMM_INJECT_INTERRUPT, 32, 0, 0), 0);
	assert_int_equal(vmm_vcpu_inject(vcpu, VMM_INJECT_INTERRUPT, 33, 0, 0), -VMM_EBUSY);
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_HLT);
	assert_int_equal(vmm_vm_irq_line(vm, 1, 1), -VMM_ENOTSUP);
	fake_end(&fake, ctx, vm);
}

static void breakpoints(void **state)
{
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, NULL);
	struct vmm_vcpu *vcpu = vmm_vm_vcpu(vm, 0);
	struct vmm_debug_config config = {.size = sizeof(config)};

	(void)state;
	assert_int_equal(vmm_vcpu_debug(vcpu, &config), -VMM_ESTATE);
	assert_int_equal(vmm_vm_seal(vm), 0);
	assert_int_equal(vmm_vcpu_debug(vcpu, &config), 0);
	config.flags = 4;
	assert_int_equal(vmm_vcpu_debug(vcpu, &config), -VMM_EINVAL);
	config.flags = VMM_DEBUG_SINGLE_STEP | VMM_DEBUG_SW_BREAK;
	config.count = 5;
	assert_int_equal(vmm_vcpu_debug(vcpu, &config), -VMM_ELIMIT);
	config.count = 1;
	config.breakpoints[0] = (struct vmm_breakpoint){0x1001, VMM_BREAK_WRITE, 2};
	assert_int_equal(vmm_vcpu_debug(vcpu, &config), -VMM_EINVAL); /* not aligned */
	config.breakpoints[0] = (struct vmm_breakpoint){0x1000, 2, 1};
	assert_int_equal(vmm_vcpu_debug(vcpu, &config), -VMM_EINVAL);
	config.breakpoints[0] = (struct vmm_breakpoint){0x1001, VMM_BREAK_EXEC, 1};
	assert_int_equal(vmm_vcpu_debug(vcpu, &config), 0);
	fake_end(&fake, ctx, vm);
}

static void sealing_again_after_failure(void **state)
{
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 2, VMM_IRQCHIP_NONE, NULL);
	const struct vmm_x86_cpuid leaf = {.leaf = 0};
	struct vmm_error error = {.size = sizeof(error)};
	struct vmm_exit exit;

	(void)state;
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(vmm_vcpu_x86_set_cpuid(vmm_vm_vcpu(vm, i), &leaf, 1), 0);
	fake.fail_at = fake.calls + 2; /* the second vCPU's table in the engine */
	assert_int_equal(vmm_vm_seal(vm), -VMM_ENOMEM);
	assert_int_equal(vmm_vm_error(vm, &error), 0);
	assert_int_equal(error.code, -VMM_ENOMEM);
	assert_int_equal(vmm_vcpu_run(vmm_vm_vcpu(vm, 0), &exit), -VMM_ESTATE);
	assert_int_equal(vmm_vm_seal(vm), 0);
	assert_int_equal(vmm_vcpu_run(vmm_vm_vcpu(vm, 0), &exit), 0);
	fake_end(&fake, ctx, vm);
}

static void memory_objects(void **state)
{
	static _Alignas(4096) uint8_t page[4096];
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, NULL);
	const struct vmm_extent runs[] = {{0x100000, 0x1000}, {0x300000, 0x2000}};
	const struct vmm_extent wraps = {UINT64_MAX - 0xfff, 0x2000};
	const struct vmm_extent odd = {0x800, 0x1000};
	struct vmm_mem *mem;

	(void)state;
	assert_int_equal(vmm_mem_create(ctx, 0, &mem), -VMM_EINVAL);
	assert_int_equal(vmm_mem_create(ctx, 0x1001, &mem), -VMM_EALIGN);
	assert_null(mem);
	assert_int_equal(vmm_mem_create_host(ctx, page + 1, 4096, NULL, NULL, &mem), -VMM_EALIGN);
	assert_int_equal(vmm_mem_create_host(ctx, NULL, 4096, NULL, NULL, &mem), -VMM_EINVAL);
	assert_int_equal(vmm_mem_create_host(ctx, page, 4096, NULL, NULL, &mem), 0);
	assert_int_equal(vmm_vm_map(vm, 0, mem, 0, 0x1000, VMM_PROT_RWX), 0);
	assert_int_equal(vmm_vm_write(vm, 0xfff, "x", 1), 0);
	assert_int_equal(page[4095], 'x');
	vmm_mem_unref(mem);
	assert_int_equal(vmm_mem_create_phys(ctx, &wraps, 1, 0, &mem), -VMM_ERANGE);
	assert_int_equal(vmm_mem_create_phys(ctx, &odd, 1, 0, &mem), -VMM_EALIGN);
	assert_int_equal(vmm_mem_create_phys(ctx, runs, 2, 3, &mem), -VMM_EINVAL);
	assert_int_equal(vmm_mem_create_phys(ctx, runs, 0, 0, &mem), -VMM_EINVAL);
	assert_int_equal(vmm_mem_create_phys(ctx, runs, 2, VMM_MEMTYPE_UC, &mem), 0);
	assert_int_equal(vmm_mem_size(mem), 0x3000);
	assert_int_equal(vmm_vm_map(vm, 0x1000, mem, 0, 0x1000, VMM_PROT_RWX), -VMM_ENOTSUP);
	vmm_mem_unref(mem);
	vmm_mem_unref(NULL);
	fake_end(&fake, ctx, vm);
}

/* Of an engine that has none. */
static void partitions(void **state)
{
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	const struct vmm_vm_config config = {.size = sizeof(config), .max_vcpus = 2};
	struct vmm_vcpu_config vc = {.size = sizeof(vc), .flags = VMM_VCPU_DEDICATED};
	struct vmm_partition_exits exits = {.size = sizeof(exits)};
	const struct vmm_exit_budget budget = {.size = sizeof(budget)};
	struct vmm_vcpu *vcpu;
	struct vmm_vm *vm;

	(void)state;
	assert_int_equal(vmm_vm_create(ctx, &config, &vm), 0);
	assert_int_equal(vmm_vcpu_create(vm, &vc, &vcpu), -VMM_ENOTSUP);
	vc.flags = VMM_VCPU_DEDICATED << 1;
	assert_int_equal(vmm_vcpu_create(vm, &vc, &vcpu), -VMM_EINVAL);
	vc.flags = 0;
	assert_int_equal(vmm_vcpu_create(vm, &vc, &vcpu), 0);
	assert_int_equal(vmm_vm_settle(vm), -VMM_ESTATE);
	assert_int_equal(vmm_vm_settle(NULL), -VMM_EINVAL);
	assert_int_equal(vmm_vm_seal(vm), 0);
	assert_int_equal(vmm_vm_settle(vm), 0);
	assert_int_equal(vmm_vcpu_partition_exits(vcpu, &exits), -VMM_ENOTSUP);
	assert_int_equal(vmm_vcpu_partition_exits(vcpu, NULL), -VMM_EINVAL);
	assert_int_equal(vmm_vcpu_exit_budget(vcpu, &budget), -VMM_ENOTSUP);
	assert_int_equal(vmm_vcpu_exit_budget(NULL, &budget), -VMM_EINVAL);
	fake_end(&fake, ctx, vm);
}

static void names_of_exits(void **state)
{
	(void)state;
	assert_string_equal(vmm_exit_name(VMM_EXIT_MMIO), "MMIO");
	assert_string_equal(vmm_exit_name(VMM_EXIT_EXCEPTION), "EXCEPTION");
	assert_null(vmm_exit_name(13));
	assert_null(vmm_exit_name(UINT32_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contexts),
		cmocka_unit_test(structures_of_other_sizes),
		cmocka_unit_test(order_of_calls),
		cmocka_unit_test(bad_configurations),
		cmocka_unit_test(filters),
		cmocka_unit_test(vcpu_state),
		cmocka_unit_test(injection_and_windows),
		cmocka_unit_test(breakpoints),
		cmocka_unit_test(sealing_again_after_failure),
		cmocka_unit_test(memory_objects),
		cmocka_unit_test(partitions),
		cmocka_unit_test(names_of_exits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

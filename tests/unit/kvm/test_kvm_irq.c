// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Interrupts, filters, memory slots, debugging, kicks: what needs a guest that runs. */
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "kvm_guest.h"

/* Real-mode vector @v is handled at @to. */
static void set_vector(struct guest *g, uint32_t v, uint16_t to)
{
	const uint16_t entry[2] = {to, 0};

	assert_ok(vmm_vm_write(g->vm, 4 * v, entry, sizeof(entry)));
}

static const uint8_t handler[] = {0xb0, 0x99, 0xe6, 0x80, 0xcf}; /* mov al, 0x99; out 0x80; iret */

static void injection_with_windows(void **state)
{
	static const uint8_t code[] = {
		0xe6, 0x10, /* out 0x10, al: interrupts off */
		0xfb, 0x90, /* sti; nop */
		0xeb, 0xfe, /* jmp $ */
	};
	struct vmm_exit e = {0};
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_NONE, 0, 1);
	guest_load(&g, code, sizeof(code));
	assert_ok(vmm_vm_write(g.vm, 0x1800, handler, sizeof(handler)));
	set_vector(&g, 0x33, 0x1800);
	guest_run(&g, &e, VMM_EXIT_PORT);
	assert_ok(vmm_vcpu_complete(g.vcpu, &e));
	assert_int_equal(vmm_vcpu_inject(g.vcpu, VMM_INJECT_INTERRUPT, 0x33, 0, 0), -VMM_EBUSY);
	assert_ok(vmm_vcpu_request_window(g.vcpu, 1));
	guest_run(&g, &e, VMM_EXIT_IRQ_WINDOW);
	assert_ok(vmm_vcpu_inject(g.vcpu, VMM_INJECT_INTERRUPT, 0x33, 0, 0));
	assert_int_equal(vmm_vcpu_inject(g.vcpu, VMM_INJECT_INTERRUPT, 0x33, 0, 0), -VMM_EBUSY);
	guest_run(&g, &e, VMM_EXIT_PORT);
	assert_int_equal(e.addr, 0x80);
	assert_int_equal(e.data, 0x99);
	guest_destroy(&g);
}

static void nmi_and_exception(void **state)
{
	static const uint8_t code[] = {0xeb, 0xfe};
	struct vmm_exit e = {0};
	struct guest g;

	(void)state;
	for (uint32_t irqchip = VMM_IRQCHIP_NONE; irqchip <= VMM_IRQCHIP_ARCH; irqchip++) {
		guest_create(&g, irqchip, 0, 1);
		guest_load(&g, code, sizeof(code));
		assert_ok(vmm_vm_write(g.vm, 0x1800, handler, sizeof(handler)));
		set_vector(&g, 2, 0x1800);
		set_vector(&g, 6, 0x1800);
		assert_ok(vmm_vcpu_inject(g.vcpu, VMM_INJECT_NMI, 0, 0, 0));
		guest_run(&g, &e, VMM_EXIT_PORT);
		assert_int_equal(e.addr, 0x80);
		assert_ok(vmm_vcpu_complete(g.vcpu, &e));
		assert_ok(vmm_vcpu_inject(g.vcpu, VMM_INJECT_EXCEPTION, 6, 0, 0));
		guest_run(&g, &e, VMM_EXIT_PORT);
		assert_int_equal(e.data, 0x99);
		guest_destroy(&g);
	}
}

/* The local APIC on, by its state. */
static void enable_apic(struct guest *g)
{
	struct vmm_x86_lapic lapic;

	assert_ok(vmm_vcpu_get_state(g->vcpu, VMM_STATE_X86_LAPIC, 0, &lapic, sizeof(lapic)));
	lapic.reg[0xf] = 0x1ff;
	assert_ok(vmm_vcpu_set_state(g->vcpu, VMM_STATE_X86_LAPIC, 0, &lapic, sizeof(lapic)));
}

static void set_pin(struct guest *g, int pin, uint64_t entry)
{
	struct vmm_x86_ioapic io;

	assert_ok(vmm_vm_get_state(g->vm, VMM_STATE_X86_IOAPIC, 0, &io, sizeof(io)));
	io.redirection[pin] = entry;
	assert_ok(vmm_vm_set_state(g->vm, VMM_STATE_X86_IOAPIC, 0, &io, sizeof(io)));
}

/* Handler of a controller's interrupt: tell, EOI at 0xfee000b0, return. */
static const uint8_t apic_handler[] = {
	0xb0, 0x77, 0xe6, 0x80,                   /* mov al, 0x77; out 0x80, al */
	0x66, 0x31, 0xc0,                         /* xor eax, eax */
	0x67, 0x66, 0xa3, 0xb0, 0x00, 0xe0, 0xfe, /* mov [0xfee000b0], eax */
	0xcf,
};

static void start_apic_guest(struct guest *g)
{
	static const uint8_t code[] = {0xfb, 0xf4, 0xeb, 0xfd}; /* sti; 1: hlt; jmp 1b */
	struct vmm_x86_sys sys;

	guest_create(g, VMM_IRQCHIP_ARCH, 0, 1);
	guest_load(g, code, sizeof(code));
	sys = guest_sys(g);
	sys.ds.limit = UINT32_MAX;
	sys.ds.attr |= VMM_X86_SEG_G;
	guest_set_sys(g, &sys);
	assert_ok(vmm_vm_write(g->vm, 0x1800, apic_handler, sizeof(apic_handler)));
	set_vector(g, 0x41, 0x1800);
	enable_apic(g);
}

static void expect_interrupt(struct guest *g)
{
	struct vmm_exit e = {0};

	guest_run(g, &e, VMM_EXIT_PORT);
	assert_int_equal(e.addr, 0x80);
	assert_int_equal(e.data, 0x77);
	assert_ok(vmm_vcpu_complete(g->vcpu, &e));
}

static void lines_messages_and_events(void **state)
{
	const uint64_t one = 1;
	struct vmm_irq_event *event = NULL, *second = NULL;
	struct vmm_irq_event_config config = {.size = sizeof(config)};
	struct vmm_exit e = {0};
	struct guest g;
	int fd, fd2;

	(void)state;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fd2 = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	start_apic_guest(&g);
	set_pin(&g, 5, 0x41); /* edge, fixed, to APIC 0 */
	assert_ok(vmm_vm_irq_line(g.vm, 5, 1));
	assert_ok(vmm_vm_irq_line(g.vm, 5, 0));
	expect_interrupt(&g);
	assert_ok(vmm_vm_msi(g.vm, 0xfee00000, 0x41, 0));
	expect_interrupt(&g);

	config.flags = VMM_IRQ_EVENT_MSI;
	config.event = (uint64_t)fd;
	config.addr = 0xfee00000;
	config.data = 0x41;
	assert_ok(vmm_irq_event_attach(g.vm, &config, &event));
	assert_int_equal(vmm_irq_event_attach(g.vm, &config, &second), -VMM_EEXIST);
	assert_int_equal(write(fd, &one, 8), 8);
	expect_interrupt(&g);
	vmm_irq_event_detach(event);

	config.flags = 0;
	config.gsi = 5;
	assert_ok(vmm_irq_event_attach(g.vm, &config, &event));
	assert_int_equal(write(fd, &one, 8), 8);
	expect_interrupt(&g);
	vmm_irq_event_detach(event);

	/* Level: held until the guest's EOI, which is signalled. */
	set_pin(&g, 6, 0x8041);
	config.flags = VMM_IRQ_EVENT_RESAMPLE;
	config.gsi = 6;
	config.resample = (uint64_t)fd2;
	assert_ok(vmm_irq_event_attach(g.vm, &config, &event));
	assert_int_equal(write(fd, &one, 8), 8);
	expect_interrupt(&g);
	assert_ok(vmm_vm_msi(g.vm, 0xfee00000, 0x41, 0)); /* so that it passes the EOI */
	guest_run(&g, &e, VMM_EXIT_PORT);
	{
		uint64_t count = 0;
		assert_int_equal(read(fd2, &count, 8), 8);
		assert_true(count >= 1);
	}
	vmm_irq_event_detach(event);
	guest_destroy(&g);
	close(fd);
	close(fd2);
}

static void doorbells(void **state)
{
	static const uint8_t code[] = {
		0xb0, 0x01, 0xe6, 0x30, /* out 0x30, 1: does not ring */
		0xb0, 0x02, 0xe6, 0x30, /* out 0x30, 2: rings */
		0xf4,
	};
	struct vmm_doorbell_config config = {
		.size = sizeof(config),
		.space = VMM_SPACE_PORT,
		.addr = 0x30,
		.width = 1,
		.flags = VMM_DOORBELL_MATCH,
		.data = 2,
	};
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct vmm_doorbell *bell, *other;
	struct vmm_exit e = {0};
	uint64_t count = 0;
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_NONE, 0, 1);
	guest_load(&g, code, sizeof(code));
	config.event = (uint64_t)fd;
	assert_ok(vmm_doorbell_add(g.vm, &config, &bell));
	assert_int_equal(vmm_doorbell_add(g.vm, &config, &other), -VMM_EEXIST);
	guest_run(&g, &e, VMM_EXIT_PORT);
	assert_int_equal(e.data, 1);
	guest_run(&g, &e, VMM_EXIT_HLT);
	assert_int_equal(read(fd, &count, 8), 8);
	assert_int_equal(count, 1);
	vmm_doorbell_remove(bell);
	guest_load(&g, code + 4, sizeof(code) - 4);
	guest_run(&g, &e, VMM_EXIT_PORT);
	assert_int_equal(e.data, 2);
	guest_destroy(&g);
	close(fd);
}

static void msr_filter(void **state)
{
	static const uint8_t code[] = {
		0x66, 0xb9, 0x77, 0x02, 0x00, 0x00, /* mov ecx, 0x277 (PAT) */
		0x0f, 0x32,                         /* rdmsr: exit */
		0x0f, 0x30,                         /* wrmsr: allowed */
		0x66, 0xb9, 0x00, 0x00, 0x00, 0x40, /* mov ecx, 0x40000000 */
		0x0f, 0x32,                         /* rdmsr: exit, and fails */
		0xf4,
	};
	const struct vmm_x86_filter filters[] = {
		{.first = 0x40000000, .count = 0x100, .access = 3, .action = VMM_FILTER_EXIT},
		{.first = 0x174, .count = 3, .access = 3, .action = VMM_FILTER_DENY},
		{.first = 0x270, .count = 0x10, .access = 1, .action = VMM_FILTER_DENY},
		{.first = 0x277, .count = 1, .access = 1, .action = VMM_FILTER_EXIT},
	};
	static const uint8_t gp[] = {0xb0, 0x0d, 0xe6, 0x81, 0xf4}; /* mov al, 13; out 0x81; hlt */
	static const uint8_t denied[] = {0x66, 0xb9, 0x74, 0x01, 0, 0, 0x0f, 0x32, 0xf4};
	struct vmm_exit e = {0};
	struct guest g;

	(void)state;
	guest_configure(&g, VMM_IRQCHIP_NONE, 0, 1);
	assert_ok(vmm_vm_x86_filter_msrs(g.vm, filters, 4));
	guest_seal(&g);
	guest_load(&g, code, sizeof(code));
	assert_ok(vmm_vm_write(g.vm, 0x1800, gp, sizeof(gp)));
	set_vector(&g, 13, 0x1800);
	guest_run(&g, &e, VMM_EXIT_MSR);
	assert_int_equal(e.addr, 0x277);
	assert_int_equal(e.width, 8);
	assert_false(e.flags & VMM_EXIT_F_WRITE);
	e.data = 0x0005040600070406; /* what wrmsr then writes */
	guest_run(&g, &e, VMM_EXIT_MSR);
	assert_int_equal(e.addr, 0x40000000);
	e.flags |= VMM_EXIT_F_FAIL;
	guest_run(&g, &e, VMM_EXIT_PORT);
	assert_int_equal(e.addr, 0x81);
	guest_run(&g, &e, VMM_EXIT_HLT);

	guest_load(&g, denied, sizeof(denied));
	guest_run(&g, &e, VMM_EXIT_PORT);
	assert_int_equal(e.data, 13);
	guest_destroy(&g);

	guest_configure(&g, VMM_IRQCHIP_NONE, 0, 1);
	{
		struct vmm_x86_filter x2apic = {0x800, 1, 3, VMM_FILTER_EXIT};

		assert_ok(vmm_vm_x86_filter_msrs(g.vm, &x2apic, 1));
		assert_int_equal(vmm_vm_seal(g.vm), -VMM_ENOTSUP);
		assert_ok(vmm_vm_x86_filter_msrs(g.vm, NULL, 0));
		guest_seal(&g);
	}
	guest_destroy(&g);
}

static void readonly_and_dirty(void **state)
{
	static const uint8_t code[] = {
		0xc6, 0x06, 0x00, 0x30, 0x11, /* mov byte [0x3000], 0x11 */
		0xc6, 0x06, 0x00, 0x40, 0x22, /* mov byte [0x4000], 0x22 */
		0xf4,
	};
	struct vmm_exit e = {0};
	uint64_t dirty = 0;
	uint8_t byte = 0;
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_NONE, 0, 1);
	guest_load(&g, code, sizeof(code));
	assert_ok(vmm_vm_dirty_start(g.vm, 0, 0x10000));
	assert_ok(vmm_vm_protect(g.vm, 0x4000, 0x1000, VMM_PROT_READ | VMM_PROT_EXEC));
	guest_run(&g, &e, VMM_EXIT_MMIO);
	assert_int_equal(e.addr, 0x4000);
	assert_int_equal(e.data, 0x22);
	assert_true(e.flags & VMM_EXIT_F_WRITE);
	guest_run(&g, &e, VMM_EXIT_HLT);
	assert_ok(vmm_vm_read(g.vm, 0x4000, &byte, 1));
	assert_int_equal(byte, 0);
	assert_ok(vmm_vm_dirty_harvest(g.vm, 0, 0x10000, &dirty, 1));
	assert_int_equal(dirty & 0x18, 0x08); /* it may count its reads of others as writes */
	assert_ok(vmm_vm_protect(g.vm, 0x4000, 0x1000, VMM_PROT_RWX));
	guest_load(&g, code, sizeof(code));
	guest_run(&g, &e, VMM_EXIT_HLT);
	assert_ok(vmm_vm_dirty_harvest(g.vm, 0, 0x10000, &dirty, 1));
	assert_int_equal(dirty & 0x1a, 0x1a); /* the code was written anew */
	guest_destroy(&g);
}

static const uint8_t debugged[] = {
	0x90, 0x90, 0xcc,             /* nop; nop; int3 */
	0xc6, 0x06, 0x00, 0x30, 0x55, /* mov byte [0x3000], 0x55 */
	0xe4, 0x10, 0x90, 0xf4,       /* in al, 0x10; nop; hlt */
};

static void start_debugged(struct guest *g, const struct vmm_debug_config *d, uint16_t skip)
{
	struct vmm_x86_regs regs;

	guest_create(g, VMM_IRQCHIP_NONE, 0, 1);
	guest_load(g, debugged, sizeof(debugged));
	regs = guest_regs(g);
	regs.rip += skip;
	guest_set_regs(g, &regs);
	assert_ok(vmm_vcpu_debug(g->vcpu, d));
}

static void single_steps(void **state)
{
	struct vmm_debug_config d = {.size = sizeof(d), .flags = VMM_DEBUG_SINGLE_STEP};
	struct vmm_exit e = {0};
	struct guest g;

	(void)state;
	start_debugged(&g, &d, 0);
	for (uint32_t i = 1; i <= 2; i++) {
		guest_run(&g, &e, VMM_EXIT_DEBUG);
		assert_int_equal(e.addr, GUEST_CODE + i);
		assert_true(e.data & 1u << 14); /* DR6.BS */
	}
	guest_destroy(&g);

	/* A step over an access ends when it has been answered, also without running. */
	start_debugged(&g, &d, 8);
	guest_run(&g, &e, VMM_EXIT_PORT);
	e.data = 0x66;
	assert_ok(vmm_vcpu_complete(g.vcpu, &e));
	assert_int_equal(guest_regs(&g).rip, GUEST_CODE + 10);
	assert_int_equal(guest_regs(&g).rax, 0x66);
	guest_run(&g, &e, VMM_EXIT_DEBUG);
	assert_in_range(e.addr, GUEST_CODE + 10, GUEST_CODE + 11);
	guest_destroy(&g);
}

static void software_breakpoints(void **state)
{
	struct vmm_debug_config d = {.size = sizeof(d), .flags = VMM_DEBUG_SW_BREAK};
	struct vmm_exit e = {0};
	struct guest g;

	(void)state;
	/* QEMU's SVM takes INT3 for INT n, whose interception is another one. */
	if (getenv("LIBVMM_QEMU_SVM"))
		skip();
	start_debugged(&g, &d, 0);
	guest_run(&g, &e, VMM_EXIT_DEBUG);
	assert_int_equal(e.addr, GUEST_CODE + 2);
	assert_int_equal(e.hw_info, 3);
	guest_destroy(&g);
}

static void hardware_breakpoints(void **state)
{
	struct vmm_debug_config d = {
		.size = sizeof(d),
		.count = 2,
		.breakpoints = {{0x3000, VMM_BREAK_WRITE, 1}, {GUEST_CODE + 8, VMM_BREAK_EXEC, 1}},
	};
	struct vmm_exit e = {0};
	struct guest g;

	(void)state;
	start_debugged(&g, &d, 3);
	guest_run(&g, &e, VMM_EXIT_DEBUG);
	assert_int_equal(e.addr, GUEST_CODE + 8);
	assert_true(e.data & 1);
	guest_run(&g, &e, VMM_EXIT_DEBUG);
	assert_int_equal(e.addr, GUEST_CODE + 8);
	assert_true(e.data & 2);
	d.count = 0;
	assert_ok(vmm_vcpu_debug(g.vcpu, &d));
	guest_run(&g, &e, VMM_EXIT_PORT);
	guest_destroy(&g);
}

/* A kick from another thread at every moment of a run: none is lost, or this never ends. */
struct kicking {
	struct guest *g;
	volatile uint32_t *round;
};

static void *kick_thread(void *arg)
{
	struct kicking *k = arg;

	for (uint32_t seen = 0; seen < 300;) {
		uint32_t now = __atomic_load_n(k->round, __ATOMIC_SEQ_CST);

		if (now == seen)
			continue;
		seen = now;
		for (volatile uint32_t spin = 0; spin < (seen * 37) % 4000; spin++)
			;
		vmm_vcpu_kick(k->g->vcpu);
	}
	return NULL;
}

static void kicks_are_never_lost(void **state)
{
	static const uint8_t code[] = {0xeb, 0xfe};
	volatile uint32_t round = 0;
	struct vmm_exit e = {0};
	struct kicking k;
	pthread_t thread;
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_NONE, 0, 1);
	guest_load(&g, code, sizeof(code));
	k = (struct kicking){&g, &round};
	assert_int_equal(pthread_create(&thread, NULL, kick_thread, &k), 0);
	for (uint32_t i = 1; i <= 300; i++) {
		__atomic_store_n(&round, i, __ATOMIC_SEQ_CST);
		guest_run(&g, &e, VMM_EXIT_KICKED);
	}
	pthread_join(thread, NULL);
	guest_destroy(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(injection_with_windows),
		cmocka_unit_test(nmi_and_exception),
		cmocka_unit_test(lines_messages_and_events),
		cmocka_unit_test(doorbells),
		cmocka_unit_test(msr_filter),
		cmocka_unit_test(readonly_and_dirty),
		cmocka_unit_test(single_steps),
		cmocka_unit_test(software_breakpoints),
		cmocka_unit_test(hardware_breakpoints),
		cmocka_unit_test(kicks_are_never_lost),
	};

	guest_need_kvm();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

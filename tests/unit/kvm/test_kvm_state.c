// SPDX-License-Identifier: BSD-2-Clause-Patent
/* State by class: what is written is read back, is seen by the guest, and is gone after a reset. */
#include "kvm_guest.h"

static void fill_bytes(void *buf, size_t len, uint8_t seed)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = (uint8_t)(seed + 7 * i);
}

static void general_registers(void **state)
{
	struct vmm_x86_regs in, out;
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_NONE, 0, 1);
	fill_bytes(&in, sizeof(in), 3);
	in.rflags = 0x202;
	guest_set_regs(&g, &in);
	out = guest_regs(&g);
	assert_memory_equal(&in, &out, sizeof(in));
	guest_destroy(&g);
}

static void power_on_state(void **state)
{
	struct vmm_x86_cpuid table[256];
	struct vmm_x86_debug_regs debug;
	uint8_t x87[VMM_X86_XSAVE_X87_SIZE];
	uint32_t count = 256, signature = 0;
	struct vmm_x86_regs regs;
	struct vmm_x86_sys sys;
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_ARCH, 0, 2);
	assert_ok(vmm_vcpu_x86_get_cpuid(g.vcpu, table, &count));
	for (uint32_t i = 0; i < count; i++) {
		if (table[i].leaf == 1)
			signature = table[i].eax;
	}
	regs = guest_regs(&g);
	assert_int_equal(regs.rip, 0xfff0);
	assert_int_equal(regs.rdx, signature);
	assert_int_equal(regs.rflags, 2);
	sys = guest_sys(&g);
	assert_int_equal(sys.cr0, 0x60000010);
	assert_int_equal(sys.cs.base, 0xffff0000);
	assert_int_equal(sys.cs.selector, 0xf000);
	assert_int_equal(sys.cs.limit, 0xffff);
	assert_int_equal(sys.apic_base, 0xfee00900);
	assert_int_equal(sys.xcr0, 1);
	assert_int_equal(sys.efer, 0);
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_DEBUG, 0, &debug, sizeof(debug)));
	assert_int_equal(debug.dr6, 0xffff0ff0);
	assert_int_equal(debug.dr7, 0x400);
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_XSAVE, 0, x87, sizeof(x87)));
	assert_int_equal(x87[0] | x87[1] << 8, 0x40);
	g.vcpu = vmm_vm_vcpu(g.vm, 1);
	assert_int_equal(guest_sys(&g).apic_base, 0xfee00800);
	guest_destroy(&g);
}

/* Flat 64-bit mode with tables at 0x10000: a 2 MiB page at 0. */
static void enter_64bit(struct guest *g)
{
	const struct vmm_x86_segment flat = {
		.limit = UINT32_MAX,
		.attr = 0xc093,
		.selector = 16,
	};
	const uint64_t pml4 = 0x11003, pdpt = 0x12003, pd = 0x83;
	struct vmm_x86_sys sys = guest_sys(g);

	assert_ok(vmm_vm_write(g->vm, 0x10000, &pml4, 8));
	assert_ok(vmm_vm_write(g->vm, 0x11000, &pdpt, 8));
	assert_ok(vmm_vm_write(g->vm, 0x12000, &pd, 8));
	sys.ds = sys.es = sys.fs = sys.gs = sys.ss = flat;
	sys.cs = flat;
	sys.cs.attr = 0xa09b;
	sys.cs.selector = 8;
	sys.cr0 = 0x80000033;
	sys.cr3 = 0x10000;
	sys.cr4 = 0x620;
	sys.efer = 0x500;
	guest_set_sys(g, &sys);
}

static void system_registers(void **state)
{
	static const uint8_t code[] = {
		0x48, 0xb8, 1,    2, 3, 4, 5, 6, 7, 8, /* mov rax, 0x0807060504030201 */
		0x0f, 0x20, 0xdb,                      /* mov rbx, cr3 */
		0xf4,
	};
	struct vmm_x86_sys in, out;
	struct vmm_exit e = {0};
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_NONE, 0, 1);
	guest_load(&g, code, sizeof(code));
	enter_64bit(&g);
	in = guest_sys(&g);
	in.fs.base = 0x123456789abc;
	in.gs.base = 0xffff800000001000;
	in.gdt.base = 0x5000;
	in.gdt.limit = 0x7f;
	in.idt.base = 0x6000;
	in.idt.limit = 0xfff;
	in.cr2 = 0xdeadbeef000;
	in.cr8 = 5;
	in.tr.selector = 0x40;
	in.tr.base = 0x7000;
	guest_set_sys(&g, &in);
	out = guest_sys(&g);
	assert_int_equal(out.cs.attr, 0xa09b);
	assert_int_equal(out.fs.base, in.fs.base);
	assert_int_equal(out.gs.base, in.gs.base);
	assert_int_equal(out.gdt.base, 0x5000);
	assert_int_equal(out.gdt.limit, 0x7f);
	assert_int_equal(out.idt.base, 0x6000);
	assert_int_equal(out.cr2, in.cr2);
	assert_int_equal(out.cr8, 5);
	assert_int_equal(out.tr.selector, 0x40);
	assert_int_equal(out.tr.base, 0x7000);
	guest_run(&g, &e, VMM_EXIT_HLT);
	assert_int_equal(guest_regs(&g).rax, 0x0807060504030201);
	assert_int_equal(guest_regs(&g).rbx, 0x10000);
	assert_int_equal(guest_sys(&g).cr8, 5);
	/* LMA without paging is no state of a processor; the class stays as it was. */
	in = guest_sys(&g);
	in.cr4 = 0;
	assert_int_equal(vmm_vcpu_set_state(g.vcpu, VMM_STATE_X86_SYS, 0, &in, sizeof(in)),
			 -VMM_ERANGE);
	assert_int_equal(guest_sys(&g).cr4, 0x620);
	guest_destroy(&g);
}

static void debug_registers(void **state)
{
	struct vmm_x86_debug_regs out, in = {
					       .dr = {0x1000, 0x2000, 0x3000, 0x4000},
					       .dr6 = 0xffff0ff1,
					       .dr7 = 0x455,
				       };
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_NONE, 0, 1);
	assert_ok(vmm_vcpu_set_state(g.vcpu, VMM_STATE_X86_DEBUG, 0, &in, sizeof(in)));
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_DEBUG, 0, &out, sizeof(out)));
	assert_memory_equal(&in, &out, sizeof(in));
	in.dr7 = UINT64_MAX;
	assert_int_equal(vmm_vcpu_set_state(g.vcpu, VMM_STATE_X86_DEBUG, 0, &in, sizeof(in)),
			 -VMM_ERANGE);
	guest_destroy(&g);
}

static void xsave_by_component(void **state)
{
	uint8_t in[2048], out[2048];
	uint64_t xcr0 = 0;
	unsigned tried = 0;
	struct guest g;
	size_t size;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_NONE, 0, 1);
	assert_ok(vmm_vm_cap(g.vm, VMM_CAP_XCR0, &xcr0));
	for (uint32_t i = 0; i < 63; i++) {
		int r = vmm_vcpu_state_size(g.vcpu, VMM_STATE_X86_XSAVE, i, &size);

		assert_int_equal(r, i < 2 || (xcr0 >> i & 1) ? 0 : -VMM_ENOENT);
		if (r != 0)
			continue;
		assert_true(size <= sizeof(in));
		if (i == 1 || i == 2) { /* any bits will do, but MXCSR and its mask */
			fill_bytes(in, size, (uint8_t)i);
			if (i == 1) {
				memset(in, 0, 8);
				in[1] = 0x1f;
				assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_XSAVE, 1, out,
							     size));
				memcpy(in + 4, out + 4, 4);
			}
			assert_ok(vmm_vcpu_set_state(g.vcpu, VMM_STATE_X86_XSAVE, i, in, size));
			assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_XSAVE, i, out, size));
			assert_memory_equal(in, out, size);
			tried++;
		}
	}
	assert_true(tried >= 1);
	assert_int_equal(vmm_vcpu_state_size(g.vcpu, VMM_STATE_X86_XSAVE, UINT32_MAX, &size),
			 -VMM_ENOENT);
	/* What was written to component 1 has survived that to component 2. */
	fill_bytes(in, 264, 1);
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_XSAVE, 1, out, 264));
	assert_memory_equal(in + 8, out + 8, 256);
	assert_ok(vmm_vm_reset(g.vm));
	memset(in, 0, sizeof(in));
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_XSAVE, 1, out, 264));
	assert_memory_equal(in, out + 8, 256);
	guest_destroy(&g);
}

static void msrs(void **state)
{
	struct vmm_x86_msr m[3] = {{.index = 0x174, .value = 0x10},               /* SYSENTER_CS */
				   {.index = 0x277, .value = 0x0606060606060606}, /* PAT */
				   {.index = 0xc0000081, .value = 0x1234567800000000}}; /* STAR */
	struct vmm_x86_msr none = {.index = 0x4b564dff};
	uint32_t list[512], count = 512;
	struct guest g;
	bool found = false;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_NONE, 0, 1);
	assert_ok(vmm_vcpu_set_state(g.vcpu, VMM_STATE_X86_MSRS, 0, m, sizeof(m)));
	memset(&m[0].value, 0, 8);
	memset(&m[2].value, 0, 8);
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_MSRS, 0, m, sizeof(m)));
	assert_int_equal(m[0].value, 0x10);
	assert_int_equal(m[1].value, 0x0606060606060606);
	assert_int_equal(m[2].value, 0x1234567800000000);
	assert_int_equal(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_MSRS, 0, &none, sizeof(none)),
			 -VMM_ENOENT);
	assert_int_equal(vmm_vcpu_set_state(g.vcpu, VMM_STATE_X86_MSRS, 0, &none, sizeof(none)),
			 -VMM_ERANGE);
	assert_int_equal(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_MSRS, 0, m, 17), -VMM_ESIZE);
	assert_ok(vmm_vm_x86_msr_list(g.vm, list, &count));
	for (uint32_t i = 0; i < count; i++) {
		struct vmm_x86_msr one = {.index = list[i]};

		assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_MSRS, 0, &one, sizeof(one)));
		found |= list[i] == 0xc0000081;
		assert_int_not_equal(list[i], 0x10);
	}
	assert_true(found);
	count = 1;
	assert_int_equal(vmm_vm_x86_msr_list(g.vm, list, &count), -VMM_ESIZE);
	assert_ok(vmm_vm_reset(g.vm));
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_MSRS, 0, m, sizeof(m)));
	assert_int_equal(m[0].value, 0);
	assert_int_equal(m[1].value, 0x0007040600070406);
	guest_destroy(&g);
}

static void events(void **state)
{
	struct vmm_x86_events out,
		in = {
			.exception = {.state = VMM_X86_EVENT_PENDING,
				      .flags = VMM_X86_EVENT_F_ERROR | VMM_X86_EVENT_F_PAYLOAD,
				      .vector = 14,
				      .error_code = 2,
				      .payload = 0x123000},
			.shadow = VMM_X86_SHADOW_STI,
			.nmi_masked = 1,
		};
	struct vmm_x86_events interrupt = {
		.interrupt = {.state = VMM_X86_EVENT_INJECTED, .vector = 0x41},
	};
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_ARCH, 0, 1);
	assert_ok(vmm_vcpu_set_state(g.vcpu, VMM_STATE_X86_EVENTS, 0, &in, sizeof(in)));
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_EVENTS, 0, &out, sizeof(out)));
	out.shadow &= VMM_X86_SHADOW_STI; /* SVM does not tell one shadow from the other */
	assert_memory_equal(&in, &out, sizeof(in));
	assert_ok(
		vmm_vcpu_set_state(g.vcpu, VMM_STATE_X86_EVENTS, 0, &interrupt, sizeof(interrupt)));
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_EVENTS, 0, &out, sizeof(out)));
	assert_memory_equal(&interrupt, &out, sizeof(out));
	in.exception.vector = 40;
	assert_int_equal(vmm_vcpu_set_state(g.vcpu, VMM_STATE_X86_EVENTS, 0, &in, sizeof(in)),
			 -VMM_ERANGE);
	assert_ok(vmm_vm_reset(g.vm));
	memset(&in, 0, sizeof(in));
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_EVENTS, 0, &out, sizeof(out)));
	assert_memory_equal(&in, &out, sizeof(out));
	guest_destroy(&g);
}

static void lapic_and_ioapic(void **state)
{
	struct vmm_x86_ioapic io, io2;
	struct vmm_x86_lapic lapic;
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_ARCH, 0, 2);
	g.vcpu = vmm_vm_vcpu(g.vm, 1);
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_LAPIC, 0, &lapic, sizeof(lapic)));
	assert_int_equal(lapic.reg[2], 1u << 24);
	lapic.reg[8] = 0x20;       /* TPR */
	lapic.reg[0xf] = 0x1ff;    /* spurious vector, enabled */
	lapic.reg[0x32] = 0x100ec; /* timer LVT */
	assert_ok(vmm_vcpu_set_state(g.vcpu, VMM_STATE_X86_LAPIC, 0, &lapic, sizeof(lapic)));
	memset(&lapic, 0, sizeof(lapic));
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_LAPIC, 0, &lapic, sizeof(lapic)));
	assert_int_equal(lapic.reg[8], 0x20);
	assert_int_equal(lapic.reg[0xf], 0x1ff);
	assert_int_equal(lapic.reg[0x32], 0x100ec);

	assert_ok(vmm_vm_get_state(g.vm, VMM_STATE_X86_IOAPIC, 0, &io, sizeof(io)));
	assert_int_equal(io.base, 0xfec00000);
	for (int i = 0; i < 24; i++)
		assert_int_equal(io.redirection[i], 1u << 16);
	io.redirection[5] = 0x0100000000008031;
	io.select = 0x10;
	assert_ok(vmm_vm_set_state(g.vm, VMM_STATE_X86_IOAPIC, 0, &io, sizeof(io)));
	assert_ok(vmm_vm_get_state(g.vm, VMM_STATE_X86_IOAPIC, 0, &io2, sizeof(io2)));
	assert_memory_equal(&io, &io2, sizeof(io));
	assert_int_equal(vmm_vm_get_state(g.vm, VMM_STATE_X86_IOAPIC, 0, &io, 8), -VMM_ESIZE);
	assert_int_equal(vmm_vm_get_state(g.vm, 0x1ff, 0, &io, 8), -VMM_EINVAL);

	assert_ok(vmm_vm_reset(g.vm));
	assert_ok(vmm_vm_get_state(g.vm, VMM_STATE_X86_IOAPIC, 0, &io, sizeof(io)));
	assert_int_equal(io.redirection[5], 1u << 16);
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_LAPIC, 0, &lapic, sizeof(lapic)));
	assert_int_equal(lapic.reg[0xf], 0xff);
	guest_destroy(&g);

	guest_create(&g, VMM_IRQCHIP_NONE, 0, 1);
	assert_int_equal(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_LAPIC, 0, &lapic, sizeof(lapic)),
			 -VMM_ENOTSUP);
	assert_int_equal(vmm_vm_get_state(g.vm, VMM_STATE_X86_IOAPIC, 0, &io, sizeof(io)),
			 -VMM_ENOTSUP);
	guest_destroy(&g);
}

static void multiprocessor_state(void **state)
{
	static const uint32_t states[] = {VMM_X86_MP_RUNNABLE, VMM_X86_MP_HALTED,
					  VMM_X86_MP_WAIT_SIPI};
	struct vmm_x86_mp mp = {0};
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_ARCH, 0, 2);
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_MP, 0, &mp, sizeof(mp)));
	assert_int_equal(mp.state, VMM_X86_MP_RUNNABLE);
	g.vcpu = vmm_vm_vcpu(g.vm, 1);
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_MP, 0, &mp, sizeof(mp)));
	assert_int_equal(mp.state, VMM_X86_MP_WAIT_SIPI);
	for (unsigned i = 0; i < 3; i++) {
		mp.state = states[i];
		mp.sipi_vector = 0;
		assert_ok(vmm_vcpu_set_state(g.vcpu, VMM_STATE_X86_MP, 0, &mp, sizeof(mp)));
		mp.state = 77;
		assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_MP, 0, &mp, sizeof(mp)));
		assert_int_equal(mp.state, states[i]);
	}
	mp.state = 5;
	assert_int_equal(vmm_vcpu_set_state(g.vcpu, VMM_STATE_X86_MP, 0, &mp, sizeof(mp)),
			 -VMM_ERANGE);
	guest_destroy(&g);
}

/* The guest reads what the class says. */
static void tsc(void **state)
{
	static const uint8_t code[] = {0x0f, 0x31, 0xf4}; /* rdtsc; hlt */
	struct vmm_x86_tsc in = {.value = UINT64_C(1) << 40}, out;
	struct vmm_exit e = {0};
	uint64_t khz = 0, seen;
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_NONE, 0, 1);
	guest_load(&g, code, sizeof(code));
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_TSC, 0, &out, sizeof(out)));
	assert_ok(vmm_ctx_cap(g.ctx, "kvm", VMM_CAP_TSC_KHZ, &khz));
	assert_int_equal(out.khz, khz);
	assert_true(khz != 0 && out.value < khz * 1000 * 60); /* began at 0 */
	in.khz = out.khz;
	assert_ok(vmm_vcpu_set_state(g.vcpu, VMM_STATE_X86_TSC, 0, &in, sizeof(in)));
	guest_run(&g, &e, VMM_EXIT_HLT);
	seen = guest_regs(&g).rdx << 32 | guest_regs(&g).rax;
	assert_in_range(seen, in.value, in.value + khz * 1000 * 60);
	guest_destroy(&g);
}

/* Guest time stands still while the VM is paused, if that was asked for. */
static void paused_clock_stops(void **state)
{
	const struct vmm_host *host = vmm_linux_host();
	struct vmm_x86_clock clock0, clock1;
	struct vmm_x86_tsc tsc0, tsc1;
	uint64_t start, gone;
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_ARCH, 0, 2);
	assert_ok(vmm_vm_pause(g.vm));
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_TSC, 0, &tsc0, sizeof(tsc0)));
	assert_ok(vmm_vm_get_state(g.vm, VMM_STATE_X86_CLOCK, 0, &clock0, sizeof(clock0)));
	start = host->time_ns(NULL);
	while ((gone = host->time_ns(NULL) - start) < 2000000000)
		host->wait(NULL, &(uint32_t){0}, 0, 2000000000 - gone);
	assert_ok(vmm_vm_resume(g.vm));
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_TSC, 0, &tsc1, sizeof(tsc1)));
	assert_ok(vmm_vm_get_state(g.vm, VMM_STATE_X86_CLOCK, 0, &clock1, sizeof(clock1)));
	/* Read after the pause and after the resumption, either may be the later in guest time. */
	assert_true((int64_t)(clock1.ns - clock0.ns) < 1500000000);
	assert_true((int64_t)(tsc1.value - tsc0.value) / (int64_t)tsc1.khz < 1500);
	clock0.ns = UINT64_C(1) << 45;
	assert_ok(vmm_vm_set_state(g.vm, VMM_STATE_X86_CLOCK, 0, &clock0, sizeof(clock0)));
	assert_ok(vmm_vm_get_state(g.vm, VMM_STATE_X86_CLOCK, 0, &clock1, sizeof(clock1)));
	assert_in_range(clock1.ns, clock0.ns, clock0.ns + UINT64_C(60000000000));
	guest_destroy(&g);
}

/* What is read during a pause is of its moment, and what is written goes on from its end. */
static void paused_time_is_set(void **state)
{
	struct vmm_x86_clock clock = {.ns = UINT64_C(1) << 44}, clock1;
	struct vmm_x86_tsc tsc = {.value = UINT64_C(1) << 50}, tsc0, tsc1;
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_ARCH, 0, 2);
	assert_ok(vmm_vm_pause(g.vm));
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_TSC, 0, &tsc0, sizeof(tsc0)));
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_TSC, 0, &tsc1, sizeof(tsc1)));
	assert_int_equal(tsc0.value, tsc1.value);
	assert_ok(vmm_vcpu_set_state(g.vcpu, VMM_STATE_X86_TSC, 0, &tsc, sizeof(tsc)));
	assert_ok(vmm_vm_set_state(g.vm, VMM_STATE_X86_CLOCK, 0, &clock, sizeof(clock)));
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_TSC, 0, &tsc1, sizeof(tsc1)));
	assert_int_equal(tsc1.value, tsc.value);
	assert_ok(vmm_vm_resume(g.vm));
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_TSC, 0, &tsc1, sizeof(tsc1)));
	assert_in_range(tsc1.value, tsc.value, tsc.value + UINT64_C(60000) * tsc1.khz);
	assert_ok(vmm_vm_get_state(g.vm, VMM_STATE_X86_CLOCK, 0, &clock1, sizeof(clock1)));
	assert_in_range(clock1.ns, clock.ns, clock.ns + UINT64_C(60000000000));
	guest_destroy(&g);
}

/* All vCPUs count from the same moment, whenever each is reset: Linux calls its clocks unstable
 * otherwise. */
static void reset_time_is_one(void **state)
{
	struct vmm_x86_clock clock;
	struct vmm_x86_tsc tsc;
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_ARCH, 0, 2);
	for (unsigned resets = 0; resets < 2; resets++) {
		struct vmm_x86_tsc other;

		assert_ok(vmm_vm_pause(g.vm));
		assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_TSC, 0, &tsc, sizeof(tsc)));
		assert_ok(vmm_vcpu_get_state(vmm_vm_vcpu(g.vm, 1), VMM_STATE_X86_TSC, 0, &other,
					     sizeof(other)));
		assert_int_equal(tsc.value, other.value);
		assert_in_range(tsc.value, 1, UINT64_C(60000) * tsc.khz);
		assert_ok(vmm_vm_resume(g.vm));
		assert_ok(vmm_vm_reset(g.vm));
	}
	assert_ok(vmm_vm_pause(g.vm));
	assert_ok(vmm_vm_reset(g.vm));
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_TSC, 0, &tsc, sizeof(tsc)));
	assert_ok(vmm_vm_get_state(g.vm, VMM_STATE_X86_CLOCK, 0, &clock, sizeof(clock)));
	assert_int_equal(tsc.value, 0);
	assert_int_equal(clock.ns, 0);
	assert_ok(vmm_vm_resume(g.vm));
	assert_ok(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_TSC, 0, &tsc, sizeof(tsc)));
	assert_in_range(tsc.value, 1, UINT64_C(60000) * tsc.khz);
	guest_destroy(&g);
}

static void translate(void **state)
{
	uint64_t gpa = 0, value;
	struct vmm_x86_sys sys;
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_NONE, 0, 1);
	assert_ok(vmm_vcpu_translate(g.vcpu, 0x12345, VMM_PROT_RWX, &gpa)); /* no paging */
	assert_int_equal(gpa, 0x12345);
	enter_64bit(&g);
	assert_ok(vmm_vcpu_translate(g.vcpu, 0x1fffff, VMM_PROT_RWX, &gpa));
	assert_int_equal(gpa, 0x1fffff);
	assert_int_equal(vmm_vcpu_translate(g.vcpu, 0x200000, 0, &gpa), -VMM_EFAULT);
	assert_int_equal(vmm_vcpu_translate(g.vcpu, UINT64_C(1) << 47, 0, &gpa), -VMM_EFAULT);
	/* A second table: 4 KiB pages, read-only and no-execute. */
	value = 0x13003;
	assert_ok(vmm_vm_write(g.vm, 0x12008, &value, 8));
	value = 0x8000000000005001;
	assert_ok(vmm_vm_write(g.vm, 0x13010, &value, 8));
	sys = guest_sys(&g);
	sys.efer |= 0x800; /* NXE */
	guest_set_sys(&g, &sys);
	assert_ok(vmm_vcpu_translate(g.vcpu, 0x202abc, VMM_PROT_READ, &gpa));
	assert_int_equal(gpa, 0x5abc);
	assert_int_equal(vmm_vcpu_translate(g.vcpu, 0x202abc, VMM_PROT_EXEC, &gpa), -VMM_EFAULT);
	assert_ok(vmm_vcpu_translate(g.vcpu, 0x202abc, VMM_PROT_WRITE, &gpa)); /* WP is 0 */
	sys.cr0 |= 0x10000;
	guest_set_sys(&g, &sys);
	assert_int_equal(vmm_vcpu_translate(g.vcpu, 0x202abc, VMM_PROT_WRITE, &gpa), -VMM_EFAULT);
	guest_destroy(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(general_registers),
		cmocka_unit_test(power_on_state),
		cmocka_unit_test(system_registers),
		cmocka_unit_test(debug_registers),
		cmocka_unit_test(xsave_by_component),
		cmocka_unit_test(msrs),
		cmocka_unit_test(events),
		cmocka_unit_test(lapic_and_ioapic),
		cmocka_unit_test(multiprocessor_state),
		cmocka_unit_test(tsc),
		cmocka_unit_test(paused_clock_stops),
		cmocka_unit_test(paused_time_is_set),
		cmocka_unit_test(reset_time_is_one),
		cmocka_unit_test(translate),
	};

	guest_need_kvm();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Exits of small guests in real mode, on whatever KVM there is. */
#include "kvm_guest.h"

static void port_in_all_widths(void **state)
{
	static const uint8_t code[] = {
		0xba, 0x34, 0x12,       /* mov dx, 0x1234 */
		0xb0, 0xa5, 0xee,       /* mov al, 0xa5; out dx, al */
		0xb8, 0x5a, 0xc3, 0xef, /* mov ax, 0xc35a; out dx, ax */
		0x66, 0xb8, 0x78, 0x56,
		0x34, 0x12, 0x66, 0xef, /* mov eax, 0x12345678; out dx, eax */
		0xec, 0xed, 0x66, 0xed, /* in al, dx; in ax, dx; in eax, dx */
		0xf4,                   /* hlt */
	};
	static const struct {
		uint32_t width;
		uint64_t data;
	} writes[] = {{1, 0xa5}, {2, 0xc35a}, {4, 0x12345678}};
	struct vmm_exit e = {0};
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_NONE, 0, 1);
	guest_load(&g, code, sizeof(code));
	for (unsigned i = 0; i < 3; i++) {
		guest_run(&g, &e, VMM_EXIT_PORT);
		assert_int_equal(e.flags, VMM_EXIT_F_WRITE);
		assert_int_equal(e.addr, 0x1234);
		assert_int_equal(e.width, writes[i].width);
		assert_int_equal(e.data, writes[i].data);
	}
	for (unsigned i = 0; i < 3; i++) {
		guest_run(&g, &e, VMM_EXIT_PORT);
		assert_int_equal(e.flags, 0);
		assert_int_equal(e.width, 1u << i);
		e.data = UINT64_C(0x1122334455667788);
	}
	guest_run(&g, &e, VMM_EXIT_HLT);
	assert_int_equal(guest_regs(&g).rax, 0x55667788);
	guest_destroy(&g);
}

static void answers_can_fail(void **state)
{
	static const uint8_t code[] = {0xe4, 0x10, 0xf4}; /* in al, 0x10; hlt */
	struct vmm_exit e = {0};
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_NONE, 0, 1);
	guest_load(&g, code, sizeof(code));
	guest_run(&g, &e, VMM_EXIT_PORT);
	e.flags |= VMM_EXIT_F_FAIL;
	guest_run(&g, &e, VMM_EXIT_HLT);
	assert_int_equal(guest_regs(&g).rax, 0xff);
	guest_destroy(&g);
}

/* One element an exit, whatever KVM hands over at a time; memory as the guest must see it. */
static void string_ports(void **state)
{
	static const uint8_t code[] = {
		0xfc,                         /* cld */
		0xba, 0x10, 0x00,             /* mov dx, 0x10 */
		0xbe, 0x00, 0x20, 0xb9, 5, 0, /* mov si, 0x2000; mov cx, 5 */
		0xf3, 0x6e,                   /* rep outsb */
		0xbf, 0x00, 0x30, 0xb9, 3, 0, /* mov di, 0x3000; mov cx, 3 */
		0xf3, 0x6d,                   /* rep insw */
		0xf4,
	};
	struct vmm_exit e = {0};
	uint16_t words[3];
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_NONE, 0, 1);
	guest_load(&g, code, sizeof(code));
	assert_ok(vmm_vm_write(g.vm, 0x2000, "abcde", 5));
	for (unsigned i = 0; i < 5; i++) {
		guest_run(&g, &e, VMM_EXIT_PORT);
		assert_int_equal(e.width, 1);
		assert_int_equal(e.data, 'a' + i);
		assert_true(e.flags & VMM_EXIT_F_WRITE);
	}
	for (unsigned i = 0; i < 3; i++) {
		guest_run(&g, &e, VMM_EXIT_PORT);
		assert_int_equal(e.width, 2);
		assert_false(e.flags & VMM_EXIT_F_WRITE);
		e.data = 0x1100 + i;
	}
	guest_run(&g, &e, VMM_EXIT_HLT);
	assert_ok(vmm_vm_read(g.vm, 0x3000, words, sizeof(words)));
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(words[i], 0x1100 + i);
	assert_int_equal(guest_regs(&g).rcx, 0);
	assert_int_equal(guest_regs(&g).rdi, 0x3006);
	guest_destroy(&g);
}

static void complete_without_running(void **state)
{
	static const uint8_t code[] = {
		0xba, 0x10, 0x00, 0xbf, 0x00, 0x30, 0xb9, 3, 0, 0xf3, 0x6c, /* rep insb of 3 */
		0xe4, 0x20, 0xf4,                                           /* in al, 0x20 */
	};
	struct vmm_x86_regs regs;
	struct vmm_exit e = {0};
	struct guest g;
	int r;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_NONE, 0, 1);
	guest_load(&g, code, sizeof(code));
	guest_run(&g, &e, VMM_EXIT_PORT);
	assert_int_equal(vmm_vcpu_get_state(g.vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)),
			 -VMM_ESTATE);
	/* All that KVM has handed over of the string are elements of one instruction. */
	e.data = 'x';
	for (unsigned n = 1; (r = vmm_vcpu_complete(g.vcpu, &e)) == -VMM_EPENDING; n++) {
		assert_true(n < 3);
		e.data = 'x' + n;
	}
	assert_int_equal(r, 0);
	while (guest_regs(&g).rcx != 0) {
		guest_run(&g, &e, VMM_EXIT_PORT);
		e.data = 'x' + 3 - guest_regs(&g).rcx;
	}
	guest_run(&g, &e, VMM_EXIT_PORT);
	assert_int_equal(e.addr, 0x20);
	e.data = 0x77;
	assert_int_equal(vmm_vcpu_complete(g.vcpu, &e), 0);
	regs = guest_regs(&g);
	assert_int_equal(regs.rax & 0xff, 0x77);
	assert_int_equal(regs.rip, GUEST_CODE + 13);
	assert_int_equal(vmm_vcpu_complete(g.vcpu, &e), -VMM_ESTATE);
	guest_run(&g, &e, VMM_EXIT_HLT);
	guest_destroy(&g);
}

static void mmio_in_all_widths(void **state)
{
	static const uint8_t code[] = {
		0x67, 0xa0, 0x00, 0x00, 0x20, 0x00,             /* mov al, [0x200000] */
		0x67, 0xa1, 0x04, 0x00, 0x20, 0x00,             /* mov ax, [0x200004] */
		0x67, 0x66, 0xa1, 0x08, 0x00, 0x20, 0x00,       /* mov eax, [0x200008] */
		0x67, 0xa2, 0x10, 0x00, 0x20, 0x00,             /* mov [0x200010], al */
		0x67, 0x66, 0xa3, 0x14, 0x00, 0x20, 0x00, 0xf4, /* mov [0x200014], eax; hlt */
	};
	struct vmm_x86_sys sys;
	struct vmm_exit e = {0};
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_NONE, 0, 1);
	guest_load(&g, code, sizeof(code));
	sys = guest_sys(&g);
	sys.ds.limit = UINT32_MAX; /* "unreal" mode */
	sys.ds.attr |= VMM_X86_SEG_G;
	guest_set_sys(&g, &sys);
	for (unsigned i = 0; i < 3; i++) {
		guest_run(&g, &e, VMM_EXIT_MMIO);
		assert_int_equal(e.addr, 0x200000 + 4 * i);
		assert_int_equal(e.width, 1u << i);
		assert_int_equal(e.flags, 0);
		e.data = UINT64_C(0xcafef00d);
	}
	guest_run(&g, &e, VMM_EXIT_MMIO);
	assert_int_equal(e.addr, 0x200010);
	assert_int_equal(e.data, 0x0d);
	assert_true(e.flags & VMM_EXIT_F_WRITE);
	guest_run(&g, &e, VMM_EXIT_MMIO);
	assert_int_equal(e.addr, 0x200014);
	assert_int_equal(e.data, 0xcafef00d);
	assert_int_equal(e.width, 4);
	guest_run(&g, &e, VMM_EXIT_HLT);
	guest_destroy(&g);
}

static void triple_fault_shuts_down(void **state)
{
	static const uint8_t code[] = {
		0x0f, 0x01, 0x1e, 0x00, 0x20, /* lidt [0x2000]: zeros */
		0xcc,                         /* int3 */
	};
	struct vmm_exit e = {0};
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_NONE, 0, 1);
	guest_load(&g, code, sizeof(code));
	guest_run(&g, &e, VMM_EXIT_SHUTDOWN);
	assert_ok(vmm_vm_reset(g.vm));
	assert_int_equal(guest_regs(&g).rip, 0xfff0);
	assert_int_equal(guest_sys(&g).cs.base, 0xffff0000);
	assert_int_equal(guest_sys(&g).idt.limit, 0xffff);
	guest_destroy(&g);
}

static void kick_before_and_while_running(void **state)
{
	static const uint8_t code[] = {0xeb, 0xfe}; /* jmp $ */
	struct vmm_exit e = {0};
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_NONE, 0, 1);
	guest_load(&g, code, sizeof(code));
	vmm_vcpu_kick(g.vcpu);
	vmm_vcpu_kick(g.vcpu);
	guest_run(&g, &e, VMM_EXIT_KICKED);
	assert_int_equal(guest_regs(&g).rip, GUEST_CODE);
	guest_destroy(&g);
}

static void exits_carry_pc(void **state)
{
	static const uint8_t code[] = {0x90, 0xe4, 0x10, 0xf4}; /* nop; in al, 0x10; hlt */
	struct vmm_exit e = {0};
	struct guest g;

	(void)state;
	guest_create(&g, VMM_IRQCHIP_NONE, VMM_VM_EXIT_PC, 1);
	guest_load(&g, code, sizeof(code));
	guest_run(&g, &e, VMM_EXIT_PORT);
	assert_true(e.flags & VMM_EXIT_F_PC);
	assert_int_equal(e.pc, GUEST_CODE + 1);
	guest_run(&g, &e, VMM_EXIT_HLT);
	guest_destroy(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(port_in_all_widths),
		cmocka_unit_test(answers_can_fail),
		cmocka_unit_test(string_ports),
		cmocka_unit_test(complete_without_running),
		cmocka_unit_test(mmio_in_all_widths),
		cmocka_unit_test(triple_fault_shuts_down),
		cmocka_unit_test(kick_before_and_while_running),
		cmocka_unit_test(exits_carry_pc),
	};

	guest_need_kvm();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

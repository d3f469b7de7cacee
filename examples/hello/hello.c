// SPDX-License-Identifier: BSD-2-Clause-Patent
// The smallest use of libvmm: a guest in real mode says hello through port 0xe9 and halts.
#include <stdio.h>

#include <libvmm/libvmm.h>
#include <libvmm/linux.h>
#include <libvmm/x86.h>

static const unsigned char guest[] = "\xbe\x0d\x10" /*    mov  $text, %si  */
				     "\xac"         /* 1: lodsb            */
				     "\x84\xc0"     /*    test %al, %al    */
				     "\x74\x04"     /*    jz   2f          */
				     "\xe6\xe9"     /*    out  %al, $0xe9  */
				     "\xeb\xf7"     /*    jmp  1b          */
				     "\xf4"         /* 2: hlt              */
				     "hello from the guest\n";

#define TRY(call)                                                           \
	do {                                                                \
		int rc_ = (call);                                           \
		if (rc_) {                                                  \
			fprintf(stderr, #call ": %s\n", vmm_strerror(rc_)); \
			return 1;                                           \
		}                                                           \
	} while (0)

int main(void)
{
	struct vmm_ctx *ctx;
	struct vmm_vm *vm;
	struct vmm_mem *ram;
	struct vmm_vcpu *vcpu;
	struct vmm_x86_sys sys;
	struct vmm_exit exit = {0};
	struct vmm_x86_regs regs = {.rip = 0x1000, .rflags = 2};
	struct vmm_vm_config config = {.size = sizeof(config), .engine = "kvm", .max_vcpus = 1};
	struct vmm_vcpu_config first = {.size = sizeof(first)};

	TRY(vmm_linux_ctx_create(&ctx, NULL));
	TRY(vmm_vm_create(ctx, &config, &vm));
	TRY(vmm_vcpu_create(vm, &first, &vcpu));
	TRY(vmm_mem_create(ctx, 0x10000, &ram));
	TRY(vmm_vm_map(vm, 0, ram, 0, 0x10000, VMM_PROT_RWX));
	TRY(vmm_vm_write(vm, 0x1000, guest, sizeof(guest)));
	TRY(vmm_vm_seal(vm));
	TRY(vmm_vcpu_get_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)));
	sys.cs.base = sys.cs.selector = 0; /* at reset: 0xffff0000 */
	TRY(vmm_vcpu_set_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)));
	TRY(vmm_vcpu_set_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)));
	do {
		TRY(vmm_vcpu_run(vcpu, &exit));
		if (exit.reason == VMM_EXIT_PORT && exit.addr == 0xe9)
			putchar((int)exit.data);
	} while (exit.reason == VMM_EXIT_PORT);
	vmm_vm_destroy(vm);
	vmm_mem_unref(ram);
	vmm_ctx_destroy(ctx);
	return exit.reason != VMM_EXIT_HLT;
}

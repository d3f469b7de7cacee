// SPDX-License-Identifier: BSD-2-Clause-Patent
/* A guest of a few instructions on the SVM engine: the shortest way through all of it. */
#include "bare.h"

#include "libvmm/mem.h"
#include "libvmm/svm.h"
#include "libvmm/x86.h"

#define RAM_SIZE UINT64_C(0x200000)

/* Real mode at 0x1000. */
static const uint8_t code[] = {
	0xb0, 0x5a,       /* mov al, 0x5a */
	0xe6, 0x80,       /* out 0x80, al */
	0x66, 0x31, 0xc0, /* xor eax, eax */
	0x0f, 0xa2,       /* cpuid */
	0x66, 0x89, 0xd8, /* mov eax, ebx */
	0xba, 0x00, 0x01, /* mov dx, 0x100 */
	0x66, 0xef,       /* out dx, eax */
	0xed,             /* in ax, dx */
	0x66, 0xef,       /* out dx, eax */
	0xf4,             /* hlt */
	0x0f, 0x01, 0xd9, /* vmmcall */
	0x66, 0xef,       /* out dx, eax */
	0xf4,             /* hlt */
};

static int report(struct vmm_ctx *ctx, struct vmm_vm *vm, struct vmm_vcpu *vcpu, const char *what,
		  int rc)
{
	struct vmm_error error = {.size = sizeof(error)};

	if (vcpu)
		vmm_vcpu_error(vcpu, &error);
	else if (vm)
		vmm_vm_error(vm, &error);
	else if (ctx)
		vmm_ctx_error(ctx, &error);
	vmm_bare_print("not ok: %s: %s: %s: %s\n", what, vmm_errname(rc), error.call, error.text);
	return 1;
}

static int run(struct vmm_vcpu *vcpu)
{
	struct vmm_exit exit = {0};

	for (int halts = 0; halts < 2;) {
		int rc = vmm_vcpu_run(vcpu, &exit);

		if (rc != 0)
			return report(NULL, NULL, vcpu, "vmm_vcpu_run", rc);
		vmm_bare_print("%s 0x%llx %u %s0x%llx\n", vmm_exit_name(exit.reason),
			       (unsigned long long)exit.addr, exit.width,
			       exit.flags & VMM_EXIT_F_WRITE ? "= " : "",
			       (unsigned long long)exit.data);
		if (exit.reason == VMM_EXIT_PORT)
			exit.data = exit.flags & VMM_EXIT_F_WRITE ? 0 : 0x1234;
		else if (exit.reason != VMM_EXIT_HLT)
			return 1;
		halts += exit.reason == VMM_EXIT_HLT;
	}
	return 0;
}

int vmm_bare_main(const struct vmm_bare_boot *boot)
{
	const struct vmm_engine *engines[] = {vmm_engine_svm()};
	const struct vmm_ctx_config ctx_config = {
		.size = sizeof(ctx_config),
		.host = vmm_bare_host(),
		.engines = engines,
		.engine_count = 1,
	};
	const struct vmm_vm_config vm_config = {.size = sizeof(vm_config), .max_vcpus = 1};
	const struct vmm_vcpu_config vcpu_config = {.size = sizeof(vcpu_config)};
	struct vmm_error error = {.size = sizeof(error)};
	struct vmm_bare_usage before, after;
	struct vmm_vcpu *vcpu = NULL;
	struct vmm_ctx *ctx = NULL;
	struct vmm_mem *ram = NULL;
	struct vmm_vm *vm = NULL;
	struct vmm_x86_regs regs = {.rip = 0x1000, .rflags = 2};
	struct vmm_x86_sys sys;
	int rc;

	(void)boot;
	vmm_bare_usage(&before);
	rc = vmm_ctx_create(&ctx_config, &ctx, &error);
	if (rc == 0)
		rc = vmm_vm_create(ctx, &vm_config, &vm);
	if (rc == 0)
		rc = vmm_mem_create(ctx, RAM_SIZE, &ram);
	if (rc == 0)
		rc = vmm_vm_map(vm, 0, ram, 0, RAM_SIZE, VMM_PROT_RWX);
	if (rc == 0)
		rc = vmm_vm_write(vm, 0x1000, code, sizeof(code));
	if (rc == 0)
		rc = vmm_vcpu_create(vm, &vcpu_config, &vcpu);
	if (rc == 0)
		rc = vmm_vm_seal(vm);
	if (rc == 0)
		rc = vmm_vcpu_get_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys));
	if (rc != 0)
		return report(ctx, vm, NULL, "making the machine", rc);
	sys.cs.base = sys.cs.selector = 0;
	rc = vmm_vcpu_set_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys));
	if (rc == 0)
		rc = vmm_vcpu_set_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs));
	if (rc != 0)
		return report(ctx, vm, vcpu, "setting registers", rc);
	rc = run(vcpu);
	vmm_vm_destroy(vm);
	vmm_mem_unref(ram);
	vmm_ctx_destroy(ctx);
	vmm_bare_usage(&after);
	vmm_bare_print("left over: %llu bytes, %llu blocks\n",
		       (unsigned long long)(after.heap_bytes - before.heap_bytes),
		       (unsigned long long)(after.heap_blocks - before.heap_blocks));
	return rc;
}

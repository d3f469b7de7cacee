// SPDX-License-Identifier: BSD-2-Clause-Patent
/* A guest of a few instructions on the SVM engine: the shortest way through all of it. */
#include "bare.h"
#include "engine_here.h"

#include "libvmm/mem.h"
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

/* Real mode at 0, where nothing told from nothing known: CPUID; the paravirtual clock, asked for in
 * memory that only can be read; TSC_AUX; a breakpoint, with an exit before it is reached. */
static const uint8_t code_at_0[] = {
	0x0f, 0xa2,                         /* cpuid */
	0x66, 0xb9, 0x01, 0x4d, 0x56, 0x4b, /* mov ecx, 0x4b564d01 */
	0x66, 0xb8, 0x01, 0x00, 0x10, 0x00, /* mov eax, READ_ONLY | 1 */
	0x66, 0x31, 0xd2,                   /* xor edx, edx */
	0x0f, 0x30,                         /* wrmsr */
	0x66, 0xb9, 0x00, 0x4d, 0x56, 0x4b, /* mov ecx, 0x4b564d00 */
	0x66, 0xb8, 0x00, 0x00, 0x10, 0x00, /* mov eax, READ_ONLY */
	0x0f, 0x30,                         /* wrmsr */
	0x66, 0xb9, 0x03, 0x01, 0x00, 0xc0, /* mov ecx, 0xc0000103 */
	0x66, 0xb8, 0x78, 0x56, 0x00, 0x00, /* mov eax, 0x5678 */
	0x0f, 0x30,                         /* wrmsr */
	0xe6, 0x80,                         /* out 0x80, al */
	0x0f, 0x01, 0xf9,                   /* rdtscp */
	0x66, 0x89, 0xc8,                   /* mov eax, ecx */
	0xba, 0x00, 0x01,                   /* mov dx, 0x100 */
	0x66, 0xef,                         /* out dx, eax */
	0x66, 0xb8, 0x50, 0x00, 0x00, 0x00, /* mov eax, offset of nop */
	0x0f, 0x23, 0xc0,                   /* mov dr0, eax */
	0x66, 0xb8, 0x02, 0x00, 0x00, 0x00, /* mov eax, 2 */
	0x0f, 0x23, 0xf8,                   /* mov dr7, eax */
	0xe6, 0x81,                         /* out 0x81, al */
	0x90,                               /* nop */
	0xf4,                               /* hlt */
};

#define READ_ONLY UINT64_C(0x100000)
#define IDT       0x800
#define DB        0x900

static const uint8_t idt[] = {0, 0, 0, 0, 0x00, 0x09, 0, 0};

static const uint8_t on_db[] = {
	0xb0, 0xdb, /* mov al, 0xdb */
	0xe6, 0x82, /* out 0x82, al */
	0xf4,       /* hlt */
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

static int run(struct vmm_vcpu *vcpu, int times)
{
	struct vmm_exit exit = {0};

	for (int halts = 0; halts < times;) {
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

static int run_at_0(struct vmm_vm *vm, struct vmm_vcpu *vcpu, struct vmm_x86_sys *sys)
{
	const struct vmm_x86_regs regs = {.rflags = 2, .rsp = 0x7000};
	uint8_t seen[32];
	int rc = vmm_vm_write(vm, 0, code_at_0, sizeof(code_at_0));

	if (rc == 0)
		rc = vmm_vm_write(vm, IDT, idt, sizeof(idt));
	if (rc == 0)
		rc = vmm_vm_write(vm, DB, on_db, sizeof(on_db));
	if (rc == 0)
		rc = vmm_vm_protect(vm, READ_ONLY, 4096, VMM_PROT_READ);
	sys->idt.base = IDT;
	if (rc == 0)
		rc = vmm_vcpu_set_state(vcpu, VMM_STATE_X86_SYS, 0, sys, sizeof(*sys));
	if (rc == 0)
		rc = vmm_vcpu_set_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs));
	if (rc != 0)
		return report(NULL, vm, vcpu, "the second guest", rc);
	rc = run(vcpu, 1);
	if (rc == 0)
		rc = vmm_vm_read(vm, READ_ONLY, seen, sizeof(seen));
	for (uint32_t i = 0; rc == 0 && i < sizeof(seen); i++)
		rc = seen[i];
	if (rc != 0)
		vmm_bare_print("not ok: memory that cannot be written\n");
	return rc;
}

int vmm_bare_main(const struct vmm_bare_boot *boot)
{
	const struct vmm_engine *engines[] = ENGINES;
	const struct vmm_ctx_config ctx_config = {
		.size = sizeof(ctx_config),
		.host = vmm_bare_host(),
		.engines = engines,
		.engine_count = 2,
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
	rc = run(vcpu, 2);
	if (rc == 0)
		rc = run_at_0(vm, vcpu, &sys);
	vmm_vm_destroy(vm);
	vmm_mem_unref(ram);
	vmm_ctx_destroy(ctx);
	vmm_bare_usage(&after);
	vmm_bare_print("left over: %llu bytes, %llu blocks\n",
		       (unsigned long long)(after.heap_bytes - before.heap_bytes),
		       (unsigned long long)(after.heap_blocks - before.heap_blocks));
	return rc;
}

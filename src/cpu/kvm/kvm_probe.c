// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Is this KVM fit for operating systems? A guest of two pages does, in 64-bit mode, what a kernel
 * does early, and says so by a port write for each step.
 */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "core.h"
#include "libvmm/libvmm.h"
#include "libvmm/linux.h"
#include "libvmm/x86.h"

/*
 *	Page 0x1000: code. Its tables are at 0x2000 to 0x4fff; scratch memory at 0x5000.
 *	RDI = 0x5000 on entry; each step ends with OUT to port 0x7f of its number.
 */
static const uint8_t code[] = {
	0xb0, 0x01, 0xe6, 0x7f,                /*	mov al, 1; out 0x7f, al: 64-bit mode */
	0x31, 0xc0, 0x31, 0xc9, 0x0f, 0xa2,    /*	xor eax, eax; xor ecx, ecx; cpuid */
	0xb0, 0x02, 0xe6, 0x7f,                /*	2: CPUID */
	0xb9, 0x80, 0x00, 0x00, 0xc0,          /*	mov ecx, EFER */
	0x0f, 0x32,                            /*	rdmsr */
	0xf6, 0xc4, 0x04,                      /*	test ah, LMA >> 8 */
	0x75, 0x01, 0xf4,                      /*	jnz 1f; hlt; 1: */
	0xb0, 0x03, 0xe6, 0x7f,                /*	3: RDMSR */
	0x0f, 0x57, 0xc0,                      /*	xorps xmm0, xmm0 */
	0x0f, 0x29, 0x07,                      /*	movaps [rdi], xmm0 */
	0xb0, 0x04, 0xe6, 0x7f,                /*	4: SSE */
	0x31, 0xc0, 0x31, 0xd2,                /*	xor eax, eax; xor edx, edx */
	0x48, 0xc7, 0xc3, 0x01, 0,    0,    0, /*	mov rbx, 1 */
	0x48, 0xc7, 0xc1, 0x02, 0,    0,    0, /*	mov rcx, 2 */
	0xf0, 0x48, 0x0f, 0xc7, 0x0f,          /*	lock cmpxchg16b [rdi] */
	0x48, 0x83, 0x3f, 0x01,                /*	cmp qword [rdi], 1 */
	0x74, 0x01, 0xf4,                      /*	je 1f; hlt; 1: */
	0xb0, 0x05, 0xe6, 0x7f,                /*	5: CMPXCHG16B */
	0x48, 0x89, 0xfe,                      /*	mov rsi, rdi */
	0xba, 0x7e, 0x00, 0x00, 0x00,          /*	mov edx, 0x7e */
	0xb9, 0x03, 0x00, 0x00, 0x00,          /*	mov ecx, 3 */
	0xfc, 0xf3, 0x6e,                      /*	cld; rep outsb */
	0xb0, 0x06, 0xe6, 0x7f,                /*	6: string I/O */
	0xf4, 0xeb, 0xfd,                      /*	1: hlt; jmp 1b */
};

static const char *const steps[] = {
	"entering 64-bit mode", "CPUID", "RDMSR", "SSE", "CMPXCHG16B", "string I/O",
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

struct probe {
	struct vmm_vm *vm;
	struct vmm_vcpu *vcpu;
	struct vmm_mem *mem;
	uint32_t done;    /* steps the guest has told of */
	uint32_t strings; /* elements of the string */
	int ran;          /* what the last vmm_vcpu_run() gave */
	uint32_t last;    /* reason of the last exit */
};

static int put64(struct vmm_vm *vm, uint64_t gpa, uint64_t value)
{
	return vmm_vm_write(vm, gpa, &value, sizeof(value));
}

/* Present, writable; the last one a page of 2 MiB at 0. SDM 3A 4.5. */
static int write_guest(struct vmm_vm *vm)
{
	int r = vmm_vm_write(vm, 0x1000, code, sizeof(code));

	if (r == 0)
		r = put64(vm, 0x2000, 0x3003);
	if (r == 0)
		r = put64(vm, 0x3000, 0x4003);
	if (r == 0)
		r = put64(vm, 0x4000, 0x83);
	return r;
}

static int set_registers(struct vmm_vcpu *vcpu)
{
	struct vmm_x86_regs regs = {.rip = 0x1000, .rdi = 0x5000, .rsp = 0x6000, .rflags = 2};
	struct vmm_x86_segment flat = {
		.limit = UINT32_MAX,
		.attr = VMM_X86_SEG_TYPE(3) | VMM_X86_SEG_S | VMM_X86_SEG_P | VMM_X86_SEG_G |
			VMM_X86_SEG_DB,
		.selector = 16,
	};
	struct vmm_x86_sys sys;
	int r = vmm_vcpu_get_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys));

	if (r != 0)
		return r;
	sys.ds = sys.es = sys.fs = sys.gs = sys.ss = flat;
	sys.cs = flat;
	sys.cs.selector = 8;
	sys.cs.attr = VMM_X86_SEG_TYPE(11) | VMM_X86_SEG_S | VMM_X86_SEG_P | VMM_X86_SEG_G |
		      VMM_X86_SEG_L;
	sys.cr0 = 0x80000033; /* PG, NE, ET, MP, PE */
	sys.cr3 = 0x2000;
	sys.cr4 = 0x620;  /* PAE, OSFXSR, OSXMMEXCPT */
	sys.efer = 0x500; /* LME, LMA */
	r = vmm_vcpu_set_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys));
	return r == 0 ? vmm_vcpu_set_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)) : r;
}

static void *run_guest(void *arg)
{
	struct probe *p = arg;
	struct vmm_exit exit = {0};

	do {
		p->ran = vmm_vcpu_run(p->vcpu, &exit);
		p->last = p->ran == 0 ? exit.reason : VMM_EXIT_NONE;
		if (p->last != VMM_EXIT_PORT)
			break;
		if (exit.addr == 0x7f && exit.data == p->done + 1)
			p->done++;
		if (exit.addr == 0x7e)
			p->strings++;
	} while (p->done < STEPS);
	return NULL;
}

static int build(struct vmm_ctx *ctx, struct probe *p)
{
	const struct vmm_vm_config config = {
		.size = sizeof(config),
		.engine = "kvm",
		.max_vcpus = 1,
	};
	const struct vmm_vcpu_config vcpu_config = {.size = sizeof(vcpu_config)};
	int r = vmm_vm_create(ctx, &config, &p->vm);

	if (r == 0)
		r = vmm_mem_create(ctx, 0x10000, &p->mem);
	if (r == 0)
		r = vmm_vm_map(p->vm, 0, p->mem, 0, 0x10000, VMM_PROT_RWX);
	if (r == 0)
		r = write_guest(p->vm);
	if (r == 0)
		r = vmm_vcpu_create(p->vm, &vcpu_config, &p->vcpu);
	if (r == 0)
		r = vmm_vm_seal(p->vm);
	return r == 0 ? set_registers(p->vcpu) : r;
}

/* The thread runs only what a kick ends. */
static int run_limited(struct probe *p, uint32_t timeout_ms)
{
	struct timespec until;
	pthread_t thread;
	int timed_out;

	if (pthread_create(&thread, NULL, run_guest, p) != 0)
		return -VMM_ELIMIT;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	timed_out = pthread_timedjoin_np(thread, NULL, &until) != 0;
	if (timed_out) {
		vmm_vcpu_kick(p->vcpu);
		pthread_join(thread, NULL);
	}
	return timed_out && p->done < STEPS ? -VMM_ETIMEOUT : 0;
}

static int judge(struct vmm_ctx *ctx, const struct probe *p, int r)
{
	const char *call = "vmm_linux_kvm_probe";
	const char *step = steps[p->done < STEPS ? p->done : STEPS - 1];
	struct vmm_error error = {.size = sizeof(error)};

	if (r == 0 && p->ran != 0) {
		vmm_vcpu_error(p->vcpu, &error);
		return vmm__ctx_fail(ctx, p->ran, call, "%s: %s", error.call, error.text);
	}
	if (r == -VMM_ETIMEOUT)
		return vmm__ctx_fail(ctx, r, call, "this KVM hangs at %s", step);
	if (r == 0 && p->done < STEPS)
		return vmm__ctx_fail(ctx, -VMM_ENOTSUP, call, "this KVM is unfit: %s ended in %s",
				     step, vmm_exit_name(p->last));
	if (r == 0 && p->strings != 3)
		return vmm__ctx_fail(ctx, -VMM_ENOTSUP, call,
				     "this KVM is unfit: REP OUTSB of 3 bytes gave %u", p->strings);
	return r == 0 ? 0 : vmm__ctx_fail(ctx, r, call, "the probe's thread cannot be made");
}

/* A failure on the VM or vCPU is told by the context, since they go. */
static int tell(struct vmm_ctx *ctx, const struct probe *p, int r)
{
	struct vmm_error error = {.size = sizeof(error)};

	if (!p->vm) /* vmm_vm_create() has told it */
		return r;
	if (p->vcpu)
		vmm_vcpu_error(p->vcpu, &error);
	if (error.code != r)
		vmm_vm_error(p->vm, &error);
	if (error.code != r)
		return r;
	return vmm__ctx_fail(ctx, r, "vmm_linux_kvm_probe", "%s: %s", error.call, error.text);
}

int vmm_linux_kvm_probe(struct vmm_ctx *ctx, uint32_t timeout_ms)
{
	struct probe p = {0};
	int r;

	if (!ctx)
		return -VMM_EINVAL;
	r = vmm_ctx_engine_probe(ctx, "kvm");
	if (r != 0)
		return r;
	r = build(ctx, &p);
	r = r == 0 ? judge(ctx, &p, run_limited(&p, timeout_ms)) : tell(ctx, &p, r);
	vmm_vm_destroy(p.vm);
	vmm_mem_unref(p.mem);
	return r;
}

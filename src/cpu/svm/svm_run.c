// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Entering the guest. vmm__svm_run() is measured: CPUID and hypercalls are served between two
 * entries, with the guest's vector registers in the CPU, by code that uses none, and so are ports
 * of the bus where the host's callbacks use none either (VMM_HOST_NO_VECTORS); another port exit
 * goes straight through. Everything else is handled when the CPU is the host's again (svm_exit.c).
 */
#include "svm_engine.h"
#include "x86_msr.h"

/* What of a port exit is in a key of vmm__hit_key(), or must not be there. */
#define IO_KEY ((uint32_t)(SVM_IO_PORT | SVM_IO_SIZE | SVM_IO_STR | SVM_IO_IN))

/* Beside the processor's own codes, of which the last are -4 to -1. */
#define NO_ENTRY (UINT64_MAX - 16)
#define EMULATED (UINT64_MAX - 19) /* with what that gave in given and result */

/* This CPU was not made ready for this vCPU, or the vCPU has been elsewhere since. */
static VMM__COLD int make_ready(struct vmm__native_vcpu *v, uint64_t cpu, struct vmm_error *error)
{
	uint64_t efer = vmm__native_rdmsr(SVM_MSR_EFER);

	if (!(efer & SVM_EFER_SVME)) {
		if (vmm__native_rdmsr(SVM_MSR_VM_CR) & SVM_VM_CR_SVMDIS)
			return vmm__fail(error, -VMM_EIO, "VM_CR", 0,
					 "SVM is switched off on CPU %llu",
					 (unsigned long long)cpu);
		vmm__native_wrmsr(SVM_MSR_EFER, efer | SVM_EFER_SVME);
	}
	vmm__native_wrmsr(SVM_MSR_HSAVE_PA, v->world.own[SVM_OWN_HSAVE]);
	if (v->world.xall != 0)
		v->world.host_xcr0 = vmm__native_xgetbv();
	v->vmcb->tlb_control = SVM_TLB_ALL;
	v->world.live = 0;
	v->host_tsc_aux = v->has_tsc_aux ? vmm__native_rdmsr(X86_MSR_TSC_AUX) : 0;
	v->cpu = cpu;
	atomic_store(&v->core->runner, cpu);
	if (v->timer_ns != VMM_FOREVER)
		vmm__native_timer_here(v);
	return 0;
}

bool vmm__svm_is_here(const struct vmm__native_vcpu *v)
{
	const struct vmm_host *host = v->vm->host;

	return host->thread_id(host->opaque) == v->cpu &&
	       vmm__native_rdmsr(SVM_MSR_HSAVE_PA) == v->world.own[SVM_OWN_HSAVE];
}

/* Take the CPU; unload() gives it back. */
static VMM__INLINE int load(struct vmm__native_vcpu *v, struct vmm_error *error)
{
	const struct vmm_host *host = v->vm->host;
	uint64_t cpu = host->thread_id(host->opaque);
	int r = 0;

	if (VMM__UNLIKELY(cpu != v->cpu))
		r = make_ready(v, cpu, error);
	while (VMM__UNLIKELY(r == 0 && !vmm__svm_load(&v->world)))
		r = make_ready(v, cpu, error);
	if (VMM__UNLIKELY(r != 0))
		return r;
	if (VMM__UNLIKELY(v->dr_live | v->watching))
		vmm__native_set_dr(v->watching ? v->watched : v->dr);
	if (VMM__UNLIKELY(v->stepping)) {
		v->guest_tf = (v->vmcb->rflags & X86_RFLAGS_TF) != 0;
		v->vmcb->rflags |= X86_RFLAGS_TF;
	}
	if (VMM__UNLIKELY(v->tsc_aux != v->host_tsc_aux && v->has_tsc_aux))
		vmm__native_wrmsr(X86_MSR_TSC_AUX, v->tsc_aux);
	atomic_store(&v->on_cpu, cpu);
	return 0;
}

static VMM__INLINE void unload(struct vmm__native_vcpu *v)
{
	atomic_store_explicit(&v->on_cpu, 0, memory_order_release);
	vmm__native_unload_fpu(&v->world);
	if (VMM__UNLIKELY(v->tsc_aux != v->host_tsc_aux && v->has_tsc_aux))
		vmm__native_wrmsr(X86_MSR_TSC_AUX, v->host_tsc_aux);
	if (VMM__UNLIKELY(v->dr_live)) {
		vmm__native_get_dr(v->dr);
		if ((v->vmcb->dr7 & 0xff) == 0) {
			v->dr_live = false;
			v->vmcb->intercept_dr = SVM_DR_ALL;
		}
	}
	if (VMM__UNLIKELY(v->stepping && !v->guest_tf))
		v->vmcb->rflags &= ~X86_RFLAGS_TF;
}

int vmm__svm_take_cpu(struct vmm__native_vcpu *v, struct vmm_error *error)
{
	return load(v, error);
}

void vmm__svm_give_cpu(struct vmm__native_vcpu *v)
{
	unload(v);
}

/* Past an intercepted instruction whose length is known; false where it needs more than that. */
static VMM__INLINE bool skip(struct vmm__native_vcpu *v, uint64_t code)
{
	struct svm_vmcb *vmcb = v->vmcb;
	const struct native_length *known = vmm__native_length(v);
	uint64_t next = vmcb->nrip;

	if (next == 0) { /* the processor does not tell: no NRIPS */
		if (VMM__UNLIKELY(known->key != vmm__native_length_key(vmcb, code) ||
				  known->cr3 != vmcb->cr3))
			return false;
		next = vmcb->rip + known->len;
	}
	if (VMM__UNLIKELY(vmcb->rflags & X86_RFLAGS_TF))
		return false;
	vmcb->rip = next;
	vmcb->shadow = 0;
	return true;
}

/* Most leaves are answered by what stands in the table. */
static VMM__INLINE void do_cpuid(struct vmm__native_vcpu *v)
{
	uint32_t leaf = (uint32_t)v->vmcb->rax;
	const struct vmm_x86_cpuid *e = leaf < NATIVE_CPUID_BASIC ? v->quick[leaf] : NULL;

	if (VMM__UNLIKELY(!e)) {
		vmm__native_do_cpuid(v);
		return;
	}
	v->vmcb->rax = e->eax;
	v->world.rbx = e->ebx;
	v->world.rcx = e->ecx;
	v->world.rdx = e->edx;
	if (leaf == 1 && (v->vmcb->cr4 & X86_CR4_OSXSAVE))
		v->world.rcx |= CPUID_1_ECX_OSXSAVE;
}

/* A port exit, EXITINFO1 in part: its code, or what became of it. */
static VMM__INLINE uint64_t serve_port(struct vmm__native_vcpu *v, struct svm_vmcb *vmcb,
				       uint32_t info)
{
	uint64_t code;

	if (VMM__UNLIKELY(vmcb->rflags & X86_RFLAGS_TF))
		return SVM_EXIT_IOIO;
	code = vmm__native_call_port(v, vmcb, info, SVM_EXIT_IOIO);
	if (VMM__LIKELY(code == NATIVE_SERVED)) {
		vmcb->rip = vmcb->exitinfo2;
		vmcb->shadow = 0;
	}
	return code;
}

/* The same of an access to memory that is not there. */
static VMM__COLD uint64_t serve_fault(struct vmm__native_vcpu *v, struct svm_vmcb *vmcb)
{
	int r = NATIVE_UNKNOWN;

	if (v->io_key & SVM_IO_SIZE)
		r = vmm__native_emulate_known(v, vmcb->exitinfo2,
					      (vmcb->exitinfo1 & SVM_NPF_WRITE) != 0);
	if (r == NATIVE_UNKNOWN)
		return SVM_EXIT_NPF;
	vmm__native_count(v, VMM_PARTITION_MEMORY);
	v->result = r;
	return r == NATIVE_AGAIN ? NATIVE_SERVED : EMULATED;
}

/* Until there is an exit that is not served here: its code, or NO_ENTRY for a request. */
static __attribute__((noinline)) uint64_t run_guest(struct vmm__native_vcpu *v)
{
	struct svm_vmcb *vmcb = v->vmcb;
	/* No access is known without a size. */
	v->io_key = vmm__native_calls_in_place(v) ? IO_KEY : IO_KEY & (uint32_t)~SVM_IO_SIZE;

	if (VMM__UNLIKELY(!vmm__svm_enter(&v->world)))
		return NO_ENTRY;
	vmm__svm_entered(v);
	do {
		uint64_t code = vmcb->exitcode;

		if (code == SVM_EXIT_IOIO) {
			code = serve_port(v, vmcb, (uint32_t)vmcb->exitinfo1 & v->io_key);
		} else if (code == SVM_EXIT_CPUID && skip(v, SVM_EXIT_CPUID)) {
			do_cpuid(v);
			vmm__native_count(v, VMM_PARTITION_CPUID);
			code = NATIVE_SERVED;
		} else if (code == SVM_EXIT_VMMCALL && skip(v, SVM_EXIT_VMMCALL)) {
			vmm__native_do_hypercall(v);
			vmm__native_count(v, VMM_PARTITION_HYPERCALL);
			code = NATIVE_SERVED;
		} else if (code == SVM_EXIT_NPF) {
			code = serve_fault(v, vmcb);
		}
		if (code != NATIVE_SERVED)
			return code;
	} while (VMM__LIKELY(vmm__svm_enter(&v->world)));
	return NO_ENTRY;
}

/* A port, in one element. */
static VMM__INLINE bool give_port(struct vmm__native_vcpu *v, struct vmm_exit *exit)
{
	struct svm_vmcb *vmcb = v->vmcb;
	uint64_t info = vmcb->exitinfo1;
	uint32_t width = (uint32_t)FIELD_GET(SVM_IO_SIZE, info);

	if (VMM__UNLIKELY((info & SVM_IO_STR) || v->stepping ||
			  ((vmcb->rflags & X86_RFLAGS_TF) | (v->vm->flags & VMM_VM_EXIT_PC)) != 0))
		return false;
	vmcb->rip = vmcb->exitinfo2;
	vmcb->shadow = 0;
	exit->reason = VMM_EXIT_PORT;
	exit->addr = FIELD_GET(SVM_IO_PORT, info);
	exit->width = width;
	if (info & SVM_IO_IN) {
		exit->flags = 0;
		exit->data = 0;
		v->answer = NATIVE_ANSWER_PORT;
		v->width = width;
	} else {
		exit->flags = VMM_EXIT_F_WRITE;
		exit->data = vmcb->rax & (UINT32_MAX >> (32 - 8 * width));
	}
	return true;
}

static VMM__INLINE int run(struct vmm__native_vcpu *v, struct vmm_exit *exit,
			   struct vmm_error *error)
{
	uint64_t code;
	int r;

	r = vmm__native_resume(v, exit);
	if (VMM__UNLIKELY(r != NATIVE_AGAIN))
		return r;
	do {
		r = vmm__native_prepare(v, exit);
		if (VMM__UNLIKELY(r != NATIVE_AGAIN))
			return r;
		r = load(v, error);
		if (VMM__UNLIKELY(r != 0)) {
			vmm__native_unstage(v);
			return r;
		}
		code = run_guest(v);
		unload(v);
		if (VMM__LIKELY(code == SVM_EXIT_IOIO && give_port(v, exit))) {
			vmm__native_count(v, VMM_PARTITION_PORT);
			return 0;
		}
		if (code == NATIVE_OFFERED) {
			vmm__native_count(v, VMM_PARTITION_PORT);
			give_port(v, exit);
			return VMM__OFFERED;
		}
		if (code == EMULATED) {
			*exit = v->given;
			return v->result;
		}
		if (code == NO_ENTRY)
			vmm__native_unstage(v);
		else
			vmm__native_count(v, vmm__svm_reason(v));
		r = code == NO_ENTRY ? NATIVE_AGAIN : vmm__svm_handle(v, exit, error);
	} while (r == NATIVE_AGAIN);
	return r;
}

int vmm__svm_run(void *vcpu, struct vmm_exit *exit, struct vmm_error *error)
{
	struct vmm__native_vcpu *v = vcpu;
	int r;

	v->view_room = NATIVE_VIEWS;
	r = run(v, exit, error);
	v->view_room = 0;
	if (VMM__UNLIKELY(v->view_count != 0))
		vmm__native_close_views(v);
	return r;
}

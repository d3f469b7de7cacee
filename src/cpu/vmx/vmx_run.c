// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Entering the guest. CPUID and hypercalls are served between two entries, from what the VMCS tells
 * field by field, and so are ports and memory of the bus and the local APIC, where the host's
 * callbacks can be called there; everything else is handled when the CPU is the host's again
 * (vmx_exit.c).
 */
#include "vmx_engine.h"
#include "x86_msr.h"
#include "x86_paging.h"

#define NO_ENTRY UINT64_MAX
#define FAILED   (UINT64_MAX - 1)
#define EMULATED (UINT64_MAX - 2) /* with what that gave in given and result */

#define TIMER_MOST_NS UINT64_C(1000000000000)

static uint32_t msr_of(uint32_t i)
{
	return i < VMX_MSRS - 1 ? X86_MSR_STAR + i : X86_MSR_KERNEL_GS;
}

/* This CPU was not made ready for this vCPU, or the vCPU has been elsewhere since. */
static VMM__COLD int make_ready(struct vmm__native_vcpu *v, uint64_t cpu, struct vmm_error *error)
{
	struct vmm__vmx_vcpu *x = vmm__vmx(v);
	int r = vmm__vmx_bring(v, error);

	if (r != 0)
		return r;
	if (v->world.xall != 0)
		v->world.host_xcr0 = vmm__native_xgetbv();
	v->world.live = 0;
	v->host_tsc_aux = v->has_tsc_aux ? vmm__native_rdmsr(X86_MSR_TSC_AUX) : 0;
	for (uint32_t i = 0; i < VMX_MSRS; i++)
		x->host_msr[i] = vmm__native_rdmsr(msr_of(i));
	v->cpu = cpu;
	atomic_store(&v->core->runner, cpu);
	if (v->timer_ns != VMM_FOREVER && x->timer_shift == UINT32_MAX)
		vmm__native_timer_here(v);
	return 0;
}

bool vmm__vmx_is_here(const struct vmm__native_vcpu *v)
{
	const struct vmm_host *host = v->vm->host;
	uint64_t cpu = host->thread_id(host->opaque);
	const struct vmm__vmx_vcpu *x = (const struct vmm__vmx_vcpu *)(const void *)v;

	return cpu == v->cpu && cpu == x->at && vmm__vmx_is_current(&v->world);
}

/* The same moment by the TSC, which all CPUs have in common. */
bool vmm__vmx_set_timer(struct vmm__native_vcpu *v)
{
	struct vmm__vmx_vcpu *x = vmm__vmx(v);
	const struct vmm_host *host = v->vm->host;
	uint64_t now = host->time_ns(host->opaque), left;

	if (x->timer_shift == UINT32_MAX)
		return false;
	left = v->timer_ns > now ? v->timer_ns - now : 0;
	if (left > TIMER_MOST_NS) /* it comes early, and is set again */
		left = TIMER_MOST_NS;
	x->deadline = v->timer_ns == VMM_FOREVER
			      ? UINT64_MAX
			      : vmm__native_rdtsc() + left / 1000000 * v->vm->tsc_khz +
					left % 1000000 * v->vm->tsc_khz / 1000000 + 1;
	return true;
}

/* An entry starts the preemption timer from here (26.5.1); one that is too far away comes early. */
static VMM__INLINE void arm(const struct vmm__vmx_vcpu *x)
{
	uint64_t now, left;

	if (VMM__UNLIKELY(x->timer_shift == UINT32_MAX))
		return;
	now = vmm__native_rdtsc();
	left = x->deadline > now ? ((x->deadline - now) >> x->timer_shift) + 1 : 0;
	vmm__vmx_write(VMX_TIMER, left < UINT32_MAX ? left : UINT32_MAX);
}

/* Of the host's registers that exits bring back, those that differ from thread to thread. */
static void write_changed_host(struct vmm__vmx_vcpu *x)
{
	uint64_t cr3 = vmm__vmx_cr3(), fs = vmm__native_rdmsr(X86_MSR_FS_BASE),
		 gs = vmm__native_rdmsr(X86_MSR_GS_BASE);

	if (cr3 != x->host_cr3)
		vmm__vmx_write(VMX_HOST_CR3, cr3);
	if (fs != x->host_fs)
		vmm__vmx_write(VMX_HOST_FS_BASE, fs);
	if (gs != x->host_gs)
		vmm__vmx_write(VMX_HOST_GS_BASE, gs);
	x->host_cr3 = cr3;
	x->host_fs = fs;
	x->host_gs = gs;
}

static void load_debug(struct vmm__native_vcpu *v)
{
	vmm__native_set_dr(v->watching ? v->watched : v->dr);
	vmm__vmx_set_dr6(v->vmcb->dr6);
}

/* Take the CPU; unload() gives it back. */
static int load(struct vmm__native_vcpu *v, struct vmm_error *error)
{
	struct vmm__vmx_vcpu *x = vmm__vmx(v);
	const struct vmm_host *host = v->vm->host;
	uint64_t cpu = host->thread_id(host->opaque);
	const uint64_t *msr = &v->vmcb->star;
	int r = 0;

	if (VMM__UNLIKELY(cpu != v->cpu || cpu != x->at || !x->made ||
			  !vmm__vmx_is_current(&v->world)))
		r = make_ready(v, cpu, error);
	if (VMM__UNLIKELY(r != 0))
		return r;
	write_changed_host(x);
	if (VMM__UNLIKELY(v->dr_live | v->watching))
		load_debug(v);
	if (VMM__UNLIKELY(v->stepping)) {
		v->guest_tf = (v->vmcb->rflags & X86_RFLAGS_TF) != 0;
		v->vmcb->rflags |= X86_RFLAGS_TF;
	}
	vmm__vmx_store(v);
	arm(x);
	x->host_msr[VMX_MSRS - 1] = vmm__native_rdmsr(X86_MSR_KERNEL_GS);
	for (uint32_t i = 0; i < VMX_MSRS; i++) {
		if (msr[i] != x->host_msr[i])
			vmm__native_wrmsr(msr_of(i), msr[i]);
	}
	if (VMM__UNLIKELY(v->tsc_aux != v->host_tsc_aux && v->has_tsc_aux))
		vmm__native_wrmsr(X86_MSR_TSC_AUX, v->tsc_aux);
	vmm__native_load_fpu(&v->world);
	atomic_store(&v->on_cpu, cpu);
	return 0;
}

static void unload_debug(struct vmm__native_vcpu *v)
{
	vmm__native_get_dr(v->dr);
	v->vmcb->dr6 = vmm__vmx_dr6();
	if ((vmm__vmx_read(VMX_GUEST_DR7) & 0xff) == 0) {
		v->dr_live = false;
		vmm__vmx_trap_dr(v, true);
	}
}

static void unload(struct vmm__native_vcpu *v)
{
	struct vmm__vmx_vcpu *x = vmm__vmx(v);
	uint64_t *msr = &v->vmcb->star;

	atomic_store_explicit(&v->on_cpu, 0, memory_order_release);
	vmm__native_unload_fpu(&v->world);
	msr[VMX_MSRS - 1] = vmm__native_rdmsr(X86_MSR_KERNEL_GS);
	for (uint32_t i = 0; i < VMX_MSRS; i++) {
		if (msr[i] != x->host_msr[i])
			vmm__native_wrmsr(msr_of(i), x->host_msr[i]);
	}
	if (VMM__UNLIKELY(v->tsc_aux != v->host_tsc_aux && v->has_tsc_aux))
		vmm__native_wrmsr(X86_MSR_TSC_AUX, v->host_tsc_aux);
	vmm__vmx_limits(&x->host);
	if (VMM__UNLIKELY(v->dr_live))
		unload_debug(v);
	vmm__vmx_fetch(v);
	if (VMM__UNLIKELY(v->stepping && !v->guest_tf))
		v->vmcb->rflags &= ~X86_RFLAGS_TF;
}

/* What is behind an intercepted instruction; false where going there needs more than go_to(). */
static VMM__INLINE bool find_next(uint64_t *next)
{
	uint64_t rip = vmm__vmx_read(VMX_GUEST_RIP);

	*next = rip + vmm__vmx_read(VMX_EXIT_LEN);
	return !((vmm__vmx_read(VMX_GUEST_RFLAGS) & X86_RFLAGS_TF) || (rip ^ *next) >> 32 != 0);
}

static VMM__INLINE void go_to(uint64_t next)
{
	uint64_t blocking;

	vmm__vmx_write(VMX_GUEST_RIP, next);
	blocking = vmm__vmx_read(VMX_GUEST_BLOCKING);
	if (VMM__UNLIKELY(blocking & (VMX_BLOCK_STI | VMX_BLOCK_MOV_SS)))
		vmm__vmx_write(VMX_GUEST_BLOCKING, blocking & VMX_BLOCK_NMI);
}

static VMM__INLINE bool skip(void)
{
	uint64_t next;

	if (VMM__UNLIKELY(!find_next(&next)))
		return false;
	go_to(next);
	return true;
}

static VMM__INLINE void do_cpuid(struct vmm__native_vcpu *v)
{
	uint32_t leaf = (uint32_t)v->vmcb->rax;
	const struct vmm_x86_cpuid *e = leaf < NATIVE_CPUID_BASIC ? v->quick[leaf] : NULL;

	if (VMM__UNLIKELY(!e || leaf == 1)) {
		v->vmcb->cr4 = vmm__vmx_read(VMX_GUEST_CR4);
		vmm__native_do_cpuid(v);
		return;
	}
	v->vmcb->rax = e->eax;
	v->world.rbx = e->ebx;
	v->world.rcx = e->ecx;
	v->world.rdx = e->edx;
}

static VMM__INLINE void do_hypercall(struct vmm__native_vcpu *v)
{
	v->vmcb->cpl = (uint8_t)(vmm__vmx_read(VMX_GUEST_SS_AR) >> 5 & 3);
	vmm__native_do_hypercall(v);
}

/* An exit for a port: its reason, or what became of it. */
static uint64_t serve_port(struct vmm__native_vcpu *v)
{
	uint64_t q = vmm__vmx_read(VMX_QUALIFICATION), next, code;
	uint32_t key = vmm__hit_key((uint32_t)FIELD_GET(VMX_IO_PORT, q),
				    (uint32_t)FIELD_GET(VMX_IO_SIZE, q) + 1, (q & VMX_IO_IN) != 0);

	/* What is not known is not to cost much. */
	if (VMM__UNLIKELY((q & VMX_IO_STR) || vmm__hit_of(v->core, key)->key != key ||
			  !find_next(&next)))
		return VMX_REASON_IO;
	code = vmm__native_call_port(v, v->vmcb, key, VMX_REASON_IO);
	if (VMM__LIKELY(code == NATIVE_SERVED))
		go_to(next);
	return code;
}

/* The same of an access to memory that is not there. An event that it has interrupted is delivered
 * again on the long way. */
static uint64_t serve_fault(struct vmm__native_vcpu *v)
{
	uint64_t q = vmm__vmx_read(VMX_QUALIFICATION);
	int r;

	if ((q & VMX_EPT_IRET) || (vmm__vmx_read(VMX_IDT_EVENT) & VMX_EVENT_V))
		return VMX_REASON_EPT;
	vmm__vmx_fetch_mode(v);
	r = vmm__native_emulate_known(v, vmm__vmx_read(VMX_GPA), (q & VMX_EPT_WRITE) != 0);
	if (r == NATIVE_UNKNOWN)
		return VMX_REASON_EPT;
	vmm__vmx_store(v);
	vmm__native_count(v, VMM_PARTITION_MEMORY);
	v->result = r;
	return r == NATIVE_AGAIN ? NATIVE_SERVED : EMULATED;
}

/* Until there is an exit that is not served here: its reason, NO_ENTRY for a request, FAILED. */
static VMM__INLINE uint64_t run_guest(struct vmm__native_vcpu *v)
{
	struct vmm__vmx_vcpu *x = vmm__vmx(v);
	const bool in_place = vmm__native_calls_in_place(v);
	int r;

	while (VMM__LIKELY((r = vmm__vmx_enter(&v->world, x->launched, NULL)) == VMX_RAN)) {
		uint64_t reason = vmm__vmx_read(VMX_REASON);

		/* It has not been launched, nor the event delivered: 27.8. */
		if (VMM__UNLIKELY(reason & VMX_REASON_FAILED))
			return reason;
		x->launched = true;
		v->inject = v->vmcb->eventinj = 0;
		if (reason == VMX_REASON_CPUID && skip()) {
			do_cpuid(v);
			vmm__native_count(v, VMM_PARTITION_CPUID);
		} else if (reason == VMX_REASON_VMCALL && skip()) {
			do_hypercall(v);
			vmm__native_count(v, VMM_PARTITION_HYPERCALL);
		} else {
			if (in_place && reason == VMX_REASON_IO)
				reason = serve_port(v);
			else if (in_place && reason == VMX_REASON_EPT)
				reason = serve_fault(v);
			if (reason != NATIVE_SERVED)
				return reason;
		}
		if (x->deadline != UINT64_MAX)
			arm(x);
	}
	return r == VMX_REQUEST ? NO_ENTRY : FAILED;
}

static void unstage(struct vmm__native_vcpu *v)
{
	if (v->vmcb->eventinj & SVM_EVENT_V)
		vmm__vmx_write(VMX_ENTRY_EVENT, 0);
	vmm__native_unstage(v);
}

/* Of an exit, or what came instead of one. */
static int handle(struct vmm__native_vcpu *v, uint64_t reason, struct vmm_exit *exit)
{
	if (reason == NO_ENTRY) {
		unstage(v);
		return NATIVE_AGAIN;
	}
	if (reason == EMULATED) {
		*exit = v->given;
		return v->result;
	}
	v->vmcb->exitcode = reason == FAILED ? 0 : reason;
	if (reason == FAILED || (reason & VMX_REASON_FAILED))
		return vmm__vmx_handle_failure(v, exit);
	if (v->dedicated)
		vmm__native_partition_count(v, vmm__vmx_reason(v));
	else
		vmm__native_count(v, vmm__vmx_reason(v));
	return vmm__vmx_handle(v, exit);
}

static int go_on(struct vmm__native_vcpu *v, struct vmm_exit *exit, struct vmm_error *error)
{
	uint64_t reason;
	int r = load(v, error);

	if (r != 0) {
		vmm__native_unstage(v);
		return r;
	}
	reason = run_guest(v);
	unload(v);
	if (reason == NATIVE_OFFERED)
		return handle(v, VMX_REASON_IO, exit) == 0 ? VMM__OFFERED : NATIVE_AGAIN;
	return handle(v, reason, exit);
}

int vmm__vmx_stay(struct vmm__native_vcpu *v, struct vmm_exit *exit, struct vmm_error *error)
{
	struct vmm__vmx_vcpu *x = vmm__vmx(v);
	/* First, while the CPU's interrupts are the host's: a call that ends VMX operation there
	 * for another vCPU comes as an NMI later. */
	int r = vmm__vmx_bring(v, error);
	uint64_t entered, reason;

	if (r == 0)
		r = vmm__native_partition_enter(v, error);
	if (r == 0)
		r = load(v, error);
	if (r != 0) {
		vmm__native_unstage(v);
		return r;
	}
	entered = vmm__native_enter_dedicated(&v->world, x->launched, x->idts, &v->partition.tpr,
					      (void (*)(void))vmm__vmx_enter);
	reason = entered == VMX_FAILED ? FAILED : NO_ENTRY;
	if (entered == VMX_RAN)
		reason = vmm__vmx_read(VMX_REASON);
	if (entered == VMX_RAN && !(reason & VMX_REASON_FAILED)) {
		x->launched = true;
		v->inject = v->vmcb->eventinj = 0;
	}
	unload(v);
	return handle(v, reason, exit);
}

/* What is delivered may need registers. */
static int prepare(struct vmm__native_vcpu *v, struct vmm_exit *exit, struct vmm_error *error)
{
	int r = 0;

	if (VMM__UNLIKELY((atomic_load(&v->world.request) | v->mp) != 0))
		r = vmm__vmx_bring(v, error);
	return VMM__UNLIKELY(r != 0) ? r : vmm__native_prepare(v, exit);
}

int vmm__vmx_run(void *vcpu, struct vmm_exit *exit, struct vmm_error *error)
{
	struct vmm__native_vcpu *v = vcpu;
	int r;

	v->view_room = NATIVE_VIEWS;
	r = vmm__native_resume(v, exit);
	while (r == NATIVE_AGAIN) {
		r = prepare(v, exit, error);
		if (VMM__LIKELY(r == NATIVE_AGAIN))
			r = go_on(v, exit, error);
	}
	v->view_room = 0;
	if (v->view_count != 0)
		vmm__native_close_views(v);
	return r;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* vCPUs: their life, requests, injection, address translation. */
#include "svm_engine.h"
#include "x86_reset.h"
#include "x86_walk.h"

#define PAGE 4096u

/* XSAVE wants 64 bytes (SDM 1 13.4). */
#define FPU_ALIGN 64u

void vmm__svm_request(struct vmm__svm_vcpu *v, uint32_t request)
{
	const struct vmm_host *host = v->vm->host;
	uint64_t cpu;

	atomic_fetch_or(&v->world.request, request);
	cpu = atomic_load(&v->on_cpu);
	if (cpu != 0)
		host->cpu_kick(host->opaque, cpu);
	else if (atomic_load(&v->waiting))
		vmm__wake(host, &v->world.request);
}

/* Whoever requests something after waiting has been stored wakes; before, the word is not 0. */
void vmm__svm_wait(void *vcpu, uint64_t deadline_ns)
{
	struct vmm__svm_vcpu *v = vcpu;
	const struct vmm_host *host = v->vm->host;
	uint64_t now = host->time_ns(host->opaque);

	atomic_store(&v->waiting, 1);
	if (deadline_ns == VMM_FOREVER)
		vmm__wait(host, &v->world.request, 0, VMM_FOREVER);
	else if (deadline_ns > now)
		vmm__wait(host, &v->world.request, 0, deadline_ns - now);
	atomic_store(&v->waiting, 0);
}

void vmm__svm_kick(void *vcpu)
{
	vmm__svm_request(vcpu, SVM_REQ_KICK);
}

void vmm__svm_vcpu_destroy(void *vcpu)
{
	struct vmm__svm_vcpu *v = vcpu;
	struct vmm__svm_vm *vm = v->vm;

	for (struct vmm__svm_vcpu **link = &vm->vcpus; *link; link = &(*link)->next) {
		if (*link == v) {
			*link = v->next;
			break;
		}
	}
	if (vm->by_index[v->index] == v)
		vm->by_index[v->index] = NULL;
	vmm__svm_free(vm, v->vmcb, PAGE);
	vmm__svm_free(vm, v->hsave, PAGE);
	vmm__svm_free(vm, v->host_save, PAGE);
	vmm__svm_free(vm, v->world.fpu, vm->fpu_bytes);
	vmm__svm_free(vm, v->world.host_fpu, vm->fpu_bytes);
	vmm__svm_free(vm, v->cpuid, VMM__CPUID_MAX * sizeof(*v->cpuid));
	vmm__svm_free(vm, v, sizeof(*v));
}

static int allocate(struct vmm__svm_vcpu *v, struct vmm_error *error)
{
	struct vmm__svm_vm *vm = v->vm;
	bool uses_vectors = !(vm->host->flags & VMM_HOST_NO_VECTORS);

	v->vmcb = vmm__svm_alloc(vm, PAGE, PAGE);
	v->hsave = vmm__svm_alloc(vm, PAGE, PAGE);
	v->host_save = vmm__svm_alloc(vm, PAGE, PAGE);
	v->world.fpu = vmm__svm_alloc(vm, vm->fpu_bytes, FPU_ALIGN);
	if (uses_vectors)
		v->world.host_fpu = vmm__svm_alloc(vm, vm->fpu_bytes, FPU_ALIGN);
	v->cpuid = vmm__svm_alloc(vm, VMM__CPUID_MAX * sizeof(*v->cpuid), sizeof(uint64_t));
	if (!v->vmcb || !v->hsave || !v->host_save || !v->world.fpu ||
	    (uses_vectors && !v->world.host_fpu) || !v->cpuid)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_vcpu_create", 0, "no memory");
	v->world.vmcb_pa = vmm__svm_phys(vm, v->vmcb);
	v->world.hsave_pa = vmm__svm_phys(vm, v->hsave);
	v->world.host_pa = vmm__svm_phys(vm, v->host_save);
	v->world.xall = vm->xall;
	return 0;
}

/* What is intercepted never depends on the guest, but for windows, IRET and debug registers. */
static void fill_control(struct vmm__svm_vcpu *v)
{
	struct svm_vmcb *vmcb = v->vmcb;
	const struct vmm__svm_vm *vm = v->vm;

	memset(vmcb, 0, sizeof(*vmcb));
	/* QEMU aborts when a guest writes CR8 itself. */
	vmcb->intercept_cr = (uint32_t)(SVM_CR_READ(8) | SVM_CR_WRITE(8));
	vmcb->intercept_dr = SVM_DR_ALL;
	vmcb->intercept_exception = (uint32_t)(BIT(SVM_DB) | BIT(SVM_AC) | BIT(SVM_MC));
	vmcb->intercept1 =
		(uint32_t)(SVM_I_INTR | SVM_I_NMI | SVM_I_SMI | SVM_I_INIT | SVM_I_RDPMC |
			   SVM_I_CPUID | SVM_I_RSM | SVM_I_INVD | SVM_I_HLT | SVM_I_INVLPGA |
			   SVM_I_IOIO | SVM_I_MSR | SVM_I_FERR | SVM_I_SHUTDOWN);
	vmcb->intercept2 = (uint32_t)(SVM_I_VMRUN | SVM_I_VMMCALL | SVM_I_VMLOAD | SVM_I_VMSAVE |
				      SVM_I_STGI | SVM_I_CLGI | SVM_I_SKINIT | SVM_I_WBINVD |
				      SVM_I_MONITOR | SVM_I_MWAIT | SVM_I_XSETBV | SVM_I_RDPRU);
	vmcb->intercept3 = (uint32_t)(SVM_I_INVLPGB | SVM_I_MCOMMIT | SVM_I_TLBSYNC);
	vmcb->iopm_pa = vmm__svm_phys(vm, vm->iopm);
	vmcb->msrpm_pa = vmm__svm_phys(vm, vm->msrpm);
	vmcb->asid = SVM_ASID;
	vmcb->vintr = SVM_V_INTR_MASKING;
	vmcb->np_enable = 1;
	vmcb->n_cr3 = vm->pt.root_pa;
}

int vmm__svm_vcpu_create(void *opaque, const struct vmm_vcpu_config *config, void **out,
			 struct vmm_error *error)
{
	struct vmm__svm_vm *vm = opaque;
	struct vmm__svm_vcpu *v;
	int r;

	if (config->arch_id > UINT32_MAX)
		return vmm__fail(error, -VMM_ERANGE, "vmm_vcpu_create", 0, "APIC ID 0x%llx",
				 (unsigned long long)config->arch_id);
	v = vmm__svm_alloc(vm, sizeof(*v), VMM__CACHE_LINE);
	if (!v)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_vcpu_create", 0, "no memory");
	v->vm = vm;
	v->index = config->index;
	v->apic_id = (uint32_t)config->arch_id;
	r = allocate(v, error);
	if (r != 0) {
		vmm__svm_vcpu_destroy(v);
		return r;
	}
	vmm__svm_emulate_init(v);
	if (!vmm__lapic_init(&v->lapic, &vm->chip, v->index, v->apic_id, vm->tsc_khz)) {
		vmm__svm_vcpu_destroy(v);
		return vmm__fail(error, -VMM_ELIMIT, "vmm_vcpu_create", 0, "no more local APICs");
	}
	vm->by_index[v->index] = v;
	v->next = vm->vcpus;
	vm->vcpus = v;
	*out = v;
	return 0;
}

int vmm__svm_vcpu_seal(void *vcpu, const struct vmm_x86_cpuid *cpuid, uint32_t count,
		       struct vmm_error *error)
{
	return vmm__svm_seal_cpuid(vcpu, cpuid, count, error);
}

static int set(struct vmm__svm_vcpu *v, uint32_t cls, const void *buf, size_t size,
	       struct vmm_error *error)
{
	return vmm__svm_set_state(v, cls, 0, buf, size, error);
}

/* SDM 3A 10.1.1, table 10-1: what INIT leaves alone are memory types, x87, SSE, and MSRs. */
static int set_initial(struct vmm__svm_vcpu *v, struct vmm_error *error)
{
	struct vmm_x86_debug_regs debug;
	struct vmm_x86_regs regs;
	struct vmm_x86_sys sys;
	int r;

	vmm__x86_reset_regs(&regs, vmm__svm_leaf(v, 1, 0).eax);
	vmm__x86_reset_sys(&sys, v->index == 0, v->has_xsave, 1);
	if (vmm__svm_has_irqchip(v))
		sys.apic_base = atomic_load(&v->lapic.base);
	vmm__x86_reset_debug(&debug);
	r = set(v, VMM_STATE_X86_SYS, &sys, sizeof(sys), error);
	if (r == 0)
		r = set(v, VMM_STATE_X86_REGS, &regs, sizeof(regs), error);
	return r == 0 ? set(v, VMM_STATE_X86_DEBUG, &debug, sizeof(debug), error) : r;
}

static void forget_events(struct vmm__svm_vcpu *v)
{
	v->answer = SVM_ANSWER_NONE;
	v->inject = 0;
	v->has_payload = v->nmi_masked = v->nmi_iret = v->nmi_step = false;
	v->window = v->triple_fault = false;
	atomic_store(&v->nmis, 0);
}

void vmm__svm_init_ipi(struct vmm__svm_vcpu *v)
{
	struct vmm_error ignored;

	forget_events(v);
	vmm__lapic_reset_by_init(&v->lapic);
	set_initial(v, &ignored);
	v->vmcb->shadow = 0;
	v->mp = atomic_load(&v->lapic.base) & VMM__APIC_BASE_BSP ? VMM_X86_MP_RUNNABLE
								 : VMM_X86_MP_WAIT_SIPI;
}

void vmm__svm_start_up(struct vmm__svm_vcpu *v, uint32_t vector)
{
	v->vmcb->cs.selector = (uint16_t)(vector << 8);
	v->vmcb->cs.base = (uint64_t)vector << 12;
	v->vmcb->rip = 0;
	v->mp = VMM_X86_MP_RUNNABLE;
}

int vmm__svm_vcpu_reset(void *vcpu, struct vmm_error *error)
{
	struct vmm__svm_vcpu *v = vcpu;
	const struct vmm_x86_tsc tsc = {0};
	struct vmm_x86_mp mp = {0};
	int r;

	forget_events(v);
	v->stepping = v->watching = v->step_done = false;
	atomic_store(&v->world.request, SVM_REQ_FLUSH | SVM_REQ_EVENT);
	v->timer_ns = VMM_FOREVER;
	memset(v->lengths, 0xff, sizeof(v->lengths));
	fill_control(v);
	vmm__lapic_reset(&v->lapic);
	vmm__svm_reset_msrs(v);
	vmm__svm_reset_fpu(v);
	if (v->vm->irqchip == VMM_IRQCHIP_ARCH && v->index != 0)
		mp.state = VMM_X86_MP_WAIT_SIPI;
	r = set_initial(v, error);
	if (r == 0)
		r = set(v, VMM_STATE_X86_TSC, &tsc, sizeof(tsc), error);
	v->vmcb->tsc_offset = 0 - v->vm->tsc_zero; /* the same on all */
	if (r == 0)
		r = set(v, VMM_STATE_X86_MP, &mp, sizeof(mp), error);
	return r;
}

static int inject_exception(struct vmm__svm_vcpu *v, uint32_t vector, uint32_t flags,
			    uint32_t error_code, struct vmm_error *error)
{
	if (v->inject != 0)
		return vmm__fail(error, -VMM_EBUSY, "vmm_vcpu_inject", 0,
				 "another event is being delivered");
	vmm__svm_raise(v, vector, (flags & VMM_INJECT_F_ERROR) != 0, error_code);
	return 0;
}

void vmm__svm_add_nmi(struct vmm__svm_vcpu *v)
{
	if (atomic_load(&v->nmis) < 2)
		atomic_fetch_add(&v->nmis, 1);
}

int vmm__svm_inject(void *vcpu, uint32_t kind, uint32_t vector, uint32_t flags, uint32_t error_code,
		    struct vmm_error *error)
{
	struct vmm__svm_vcpu *v = vcpu;

	switch (kind) {
	case VMM_INJECT_NMI:
		vmm__svm_add_nmi(v);
		vmm__svm_request(v, SVM_REQ_EVENT);
		return 0;
	case VMM_INJECT_INTERRUPT:
		if (!vmm__svm_window_open(v))
			return vmm__fail(error, -VMM_EBUSY, "vmm_vcpu_inject", 0,
					 "the guest cannot take an interrupt now");
		v->inject = vmm__svm_event(SVM_EVENT_INTR, vector);
		vmm__svm_request(v, SVM_REQ_EVENT);
		return 0;
	default:
		return inject_exception(v, vector, flags, error_code, error);
	}
}

int vmm__svm_request_window(void *vcpu, uint32_t on, struct vmm_error *error)
{
	struct vmm__svm_vcpu *v = vcpu;

	(void)error;
	v->window = on != 0;
	vmm__svm_request(v, SVM_REQ_EVENT);
	return 0;
}

static int read_guest(void *opaque, uint64_t gpa, void *buf, size_t len)
{
	const struct vmm__services *services = opaque;

	return services->read(services->core, gpa, buf, len);
}

int vmm__svm_translate(void *vcpu, uint64_t gva, uint32_t prot, uint64_t *gpa,
		       struct vmm_error *error)
{
	struct vmm__svm_vcpu *v = vcpu;
	union {
		const struct vmm__services *in;
		void *out;
	} services = {v->vm->services};
	const struct vmm__guest_memory memory = {read_guest, services.out};
	struct vmm_x86_sys sys;
	int r = vmm__svm_get_state(v, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys), error);

	if (r == 0)
		r = vmm__x86_walk(&sys, &memory, gva, prot, gpa);
	if (r != 0)
		return vmm__fail(error, r, "vmm_vcpu_translate", 0, "0x%llx is not mapped so",
				 (unsigned long long)gva);
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* vCPUs: their life, requests, injection, address translation. */
#include "native.h"
#include "x86_reset.h"
#include "x86_walk.h"

#define PAGE 4096u

/* XSAVE wants 64 bytes (SDM 1 13.4). */
#define FPU_ALIGN 64u

static VMM__COLD void tell(struct vmm__native_vcpu *v, uint32_t waiting)
{
	const struct vmm__services *services = v->vm->services;

	if (waiting & NATIVE_WAIT_SLEEPS)
		vmm__wake(v->vm->host, &v->world.request);
	if (waiting & NATIVE_WAIT_IDLE)
		services->awake(services->core, v->index);
}

void vmm__native_request(struct vmm__native_vcpu *v, uint32_t request)
{
	const struct vmm_host *host = v->vm->host;
	uint32_t waiting;
	uint64_t cpu;

	atomic_fetch_or(&v->world.request, request);
	cpu = vmm__native_on_cpu(v);
	if (cpu != 0)
		host->cpu_kick(host->opaque, cpu);
	else if ((waiting = atomic_load(&v->waiting)) != 0)
		tell(v, waiting);
}

void vmm__native_tell_idle(struct vmm__native_vcpu *v)
{
	atomic_store(&v->waiting, NATIVE_WAIT_IDLE);
	if (atomic_load(&v->world.request) != 0)
		tell(v, NATIVE_WAIT_IDLE);
}

bool vmm__native_serve_requests(struct vmm__native_vcpu *v)
{
	uint32_t seen = atomic_load(&v->world.request);

	if (seen & NATIVE_REQ_FLUSH) {
		v->vmcb->tlb_control = SVM_TLB_ALL;
		atomic_fetch_and(&v->world.request, ~NATIVE_REQ_FLUSH);
		vmm__native_close_views(v);
	}
	if (!(seen & NATIVE_REQ_KICK))
		return false;
	atomic_fetch_and(&v->world.request, ~NATIVE_REQ_KICK);
	return true;
}

/* The next entry looks at the time, sets the timer, and so on. */
int vmm__native_slice(void *vcpu, uint64_t deadline_ns, uint32_t flags)
{
	struct vmm__native_vcpu *v = vcpu;
	const bool pause = (flags & VMM_SLICE_PAUSE) != 0;

	v->slice_ns = deadline_ns;
	v->timer_ns = 0;
	if (pause != v->pause_trapped) {
		v->pause_trapped = pause;
		v->vm->ops->trap_pause(v, pause);
	}
	atomic_fetch_or(&v->world.request, NATIVE_REQ_EVENT);
	return 0;
}

/* Whoever requests something after waiting has been stored wakes; before, the word is not 0. */
void vmm__native_wait(void *vcpu, uint64_t deadline_ns)
{
	struct vmm__native_vcpu *v = vcpu;
	const struct vmm_host *host = v->vm->host;
	uint64_t now = host->time_ns(host->opaque);

	atomic_fetch_or(&v->waiting, NATIVE_WAIT_SLEEPS);
	if (deadline_ns == VMM_FOREVER)
		vmm__wait(host, &v->world.request, 0, VMM_FOREVER);
	else if (deadline_ns > now)
		vmm__wait(host, &v->world.request, 0, deadline_ns - now);
	atomic_fetch_and(&v->waiting, ~NATIVE_WAIT_SLEEPS);
}

void vmm__native_kick(void *vcpu)
{
	vmm__native_request(vcpu, NATIVE_REQ_KICK);
}

void vmm__native_vcpu_destroy(void *vcpu)
{
	struct vmm__native_vcpu *v = vcpu;
	struct vmm__native_vm *vm = v->vm;
	void *word = &v->world.request;

	for (struct vmm__native_vcpu **link = &vm->vcpus; *link; link = &(*link)->next) {
		if (*link == v) {
			*link = v->next;
			break;
		}
	}
	if (v->marked)
		vm->host->cpu_timer_mark(vm->host->opaque, word, 0);
	if (vm->by_index[v->index] == v)
		vm->by_index[v->index] = NULL;
	vmm__native_partition_leave(v);
	if (vm->ops->vcpu_fini)
		vm->ops->vcpu_fini(v);
	for (uint32_t i = 0; i < NATIVE_PAGES; i++)
		vmm__native_free(vm, v->page[i], PAGE);
	vmm__native_free(vm, v->world.fpu, vm->fpu_bytes);
	vmm__native_free(vm, v->world.host_fpu, vm->fpu_bytes);
	vmm__native_free(vm, v->cpuid, VMM__CPUID_MAX * sizeof(*v->cpuid));
	vmm__native_free(vm, v, vm->ops->vcpu_bytes);
}

static int allocate(struct vmm__native_vcpu *v, struct vmm_error *error)
{
	struct vmm__native_vm *vm = v->vm;
	bool uses_vectors = !(vm->host->flags & VMM_HOST_NO_VECTORS), ok = true;

	for (uint32_t i = 0; i < vm->ops->pages; i++) {
		v->page[i] = vmm__native_alloc(vm, PAGE, PAGE);
		ok = ok && v->page[i];
		v->world.own[i] = ok ? vmm__native_phys(vm, v->page[i]) : 0;
	}
	v->vmcb = v->page[0];
	v->world.fpu = vmm__native_alloc(vm, vm->fpu_bytes, FPU_ALIGN);
	if (uses_vectors)
		v->world.host_fpu = vmm__native_alloc(vm, vm->fpu_bytes, FPU_ALIGN);
	v->cpuid = vmm__native_alloc(vm, VMM__CPUID_MAX * sizeof(*v->cpuid), sizeof(uint64_t));
	if (!ok || !v->world.fpu || (uses_vectors && !v->world.host_fpu) || !v->cpuid)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_vcpu_create", 0, "no memory");
	v->world.xall = vm->xall;
	return 0;
}

int vmm__native_vcpu_create(void *opaque, const struct vmm_vcpu_config *config, void **out,
			    struct vmm_error *error)
{
	struct vmm__native_vm *vm = opaque;
	struct vmm__native_vcpu *v;
	int r;

	if (config->arch_id > UINT32_MAX)
		return vmm__fail(error, -VMM_ERANGE, "vmm_vcpu_create", 0, "APIC ID 0x%llx",
				 (unsigned long long)config->arch_id);
	v = vmm__native_alloc(vm, vm->ops->vcpu_bytes, VMM__CACHE_LINE);
	if (!v)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_vcpu_create", 0, "no memory");
	v->vm = vm;
	v->index = config->index;
	v->apic_id = (uint32_t)config->arch_id;
	r = allocate(v, error);
	if (r != 0) {
		vmm__native_vcpu_destroy(v);
		return r;
	}
	vmm__native_emulate_init(v);
	if (!vmm__lapic_init(&v->lapic, &vm->chip, v->index, v->apic_id, vm->tsc_khz)) {
		vmm__native_vcpu_destroy(v);
		return vmm__fail(error, -VMM_ELIMIT, "vmm_vcpu_create", 0, "no more local APICs");
	}
	v->dedicated = (config->flags & VMM_VCPU_DEDICATED) != 0;
	if (v->dedicated) {
		r = vmm__native_partition_create(v, error);
		if (r != 0) {
			vm->chip.lapic_count--;
			vmm__native_vcpu_destroy(v);
			return r;
		}
	}
	vm->by_index[v->index] = v;
	v->next = vm->vcpus;
	vm->vcpus = v;
	*out = v;
	return 0;
}

static int set(struct vmm__native_vcpu *v, uint32_t cls, const void *buf, size_t size,
	       struct vmm_error *error)
{
	return vmm__native_set_state(v, cls, 0, buf, size, error);
}

/* SDM 3A 10.1.1, table 10-1: what INIT leaves alone are memory types, x87, SSE, and MSRs. */
static int set_initial(struct vmm__native_vcpu *v, struct vmm_error *error)
{
	struct vmm_x86_debug_regs debug;
	struct vmm_x86_regs regs;
	struct vmm_x86_sys sys;
	int r;

	vmm__x86_reset_regs(&regs, vmm__native_leaf(v, 1, 0).eax);
	vmm__x86_reset_sys(&sys, v->index == 0, v->has_xsave, 1);
	if (vmm__native_has_irqchip(v))
		sys.apic_base = atomic_load(&v->lapic.base);
	vmm__x86_reset_debug(&debug);
	r = set(v, VMM_STATE_X86_SYS, &sys, sizeof(sys), error);
	if (r == 0)
		r = set(v, VMM_STATE_X86_REGS, &regs, sizeof(regs), error);
	return r == 0 ? set(v, VMM_STATE_X86_DEBUG, &debug, sizeof(debug), error) : r;
}

static void forget_events(struct vmm__native_vcpu *v)
{
	v->answer = NATIVE_ANSWER_NONE;
	v->inject = 0;
	v->has_payload = v->nmi_masked = v->nmi_iret = v->nmi_step = false;
	v->window = v->triple_fault = false;
	atomic_store(&v->nmis, 0);
}

void vmm__native_init_ipi(struct vmm__native_vcpu *v)
{
	struct vmm_error ignored;

	forget_events(v);
	vmm__native_partition_leave(v);
	vmm__lapic_reset_by_init(&v->lapic);
	set_initial(v, &ignored);
	v->vmcb->shadow = 0;
	v->mp = atomic_load(&v->lapic.base) & VMM__APIC_BASE_BSP ? VMM_X86_MP_RUNNABLE
								 : VMM_X86_MP_WAIT_SIPI;
}

void vmm__native_start_up(struct vmm__native_vcpu *v, uint32_t vector)
{
	vmm__native_regs(v, true);
	v->vmcb->cs.selector = (uint16_t)(vector << 8);
	v->vmcb->cs.base = (uint64_t)vector << 12;
	v->vmcb->rip = 0;
	v->mp = VMM_X86_MP_RUNNABLE;
}

int vmm__native_vcpu_reset(void *vcpu, struct vmm_error *error)
{
	struct vmm__native_vcpu *v = vcpu;
	const struct vmm_x86_tsc tsc = {0};
	struct vmm_x86_mp mp = {0};
	int r;

	forget_events(v);
	v->stepping = v->watching = v->step_done = false;
	/* A kick stays: it may be that of an alarm, which is the VM's. */
	atomic_fetch_or(&v->world.request, NATIVE_REQ_FLUSH | NATIVE_REQ_EVENT);
	v->timer_ns = v->slice_ns = VMM_FOREVER;
	v->pause_trapped = false;
	atomic_store(&v->waiting, 0);
	memset(v->lengths, 0xff, sizeof(v->lengths));
	vmm__native_close_views(v);
	memset(v->vmcb, 0, sizeof(*v->vmcb));
	v->vm->ops->vcpu_reset(v);
	vmm__lapic_reset(&v->lapic);
	for (uint32_t i = 0; i < VMM_PARTITION_REASONS; i++)
		atomic_store(&v->exits[i], 0);
	if (v->dedicated)
		vmm__native_partition_reset(v);
	vmm__native_reset_msrs(v);
	vmm__native_reset_fpu(v);
	if (v->vm->irqchip == VMM_IRQCHIP_ARCH && v->index != 0)
		mp.state = VMM_X86_MP_WAIT_SIPI;
	r = set_initial(v, error);
	if (r == 0)
		r = set(v, VMM_STATE_X86_TSC, &tsc, sizeof(tsc), error);
	/* The same on all; a timer by TSC deadline knows of no offset. */
	v->vmcb->tsc_offset = v->dedicated ? 0 : 0 - v->vm->tsc_zero;
	if (r == 0)
		r = set(v, VMM_STATE_X86_MP, &mp, sizeof(mp), error);
	return r;
}

static int inject_exception(struct vmm__native_vcpu *v, uint32_t vector, uint32_t flags,
			    uint32_t error_code, struct vmm_error *error)
{
	if (v->inject != 0)
		return vmm__fail(error, -VMM_EBUSY, "vmm_vcpu_inject", 0,
				 "another event is being delivered");
	vmm__native_raise(v, vector, (flags & VMM_INJECT_F_ERROR) != 0, error_code);
	return 0;
}

void vmm__native_add_nmi(struct vmm__native_vcpu *v)
{
	if (atomic_load(&v->nmis) < 2)
		atomic_fetch_add(&v->nmis, 1);
}

int vmm__native_inject(void *vcpu, uint32_t kind, uint32_t vector, uint32_t flags,
		       uint32_t error_code, struct vmm_error *error)
{
	struct vmm__native_vcpu *v = vcpu;

	switch (kind) {
	case VMM_INJECT_NMI:
		vmm__native_add_nmi(v);
		vmm__native_request(v, NATIVE_REQ_EVENT);
		return 0;
	case VMM_INJECT_INTERRUPT:
		if (!vmm__native_window_open(v))
			return vmm__fail(error, -VMM_EBUSY, "vmm_vcpu_inject", 0,
					 "the guest cannot take an interrupt now");
		v->inject = vmm__native_event(SVM_EVENT_INTR, vector);
		vmm__native_request(v, NATIVE_REQ_EVENT);
		return 0;
	default:
		return inject_exception(v, vector, flags, error_code, error);
	}
}

int vmm__native_request_window(void *vcpu, uint32_t on, struct vmm_error *error)
{
	struct vmm__native_vcpu *v = vcpu;

	(void)error;
	v->window = on != 0;
	vmm__native_request(v, NATIVE_REQ_EVENT);
	return 0;
}

static int read_guest(void *opaque, uint64_t gpa, void *buf, size_t len)
{
	const struct vmm__services *services = opaque;

	return services->read(services->core, gpa, buf, len);
}

int vmm__native_translate(void *vcpu, uint64_t gva, uint32_t prot, uint64_t *gpa,
			  struct vmm_error *error)
{
	struct vmm__native_vcpu *v = vcpu;
	union {
		const struct vmm__services *in;
		void *out;
	} services = {v->vm->services};
	const struct vmm__guest_memory memory = {read_guest, services.out};
	struct vmm_x86_sys sys;
	int r = vmm__native_get_state(v, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys), error);

	if (r == 0)
		r = vmm__x86_walk(&sys, &memory, gva, prot, gpa);
	if (r != 0)
		return vmm__fail(error, r, "vmm_vcpu_translate", 0, "0x%llx is not mapped so",
				 (unsigned long long)gva);
	return 0;
}

void vmm__native_unstage(struct vmm__native_vcpu *v)
{
	v->vmcb->eventinj = 0;
	if (v->inject != 0)
		vmm__native_request(v, NATIVE_REQ_EVENT);
}

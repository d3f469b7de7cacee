// SPDX-License-Identifier: BSD-2-Clause-Patent
/* vCPUs: their life, injection, debugging, address translation. */
#include "kvm.h"
#include "x86_reset.h"
#include "x86_walk.h"

#include <sys/mman.h>
#include <unistd.h>

#define RFLAGS_IF BIT(9)

void vmm__kvm_vcpu_destroy(void *vcpu)
{
	struct vmm__kvm_vcpu *v = vcpu;
	struct vmm__kvm_vm *vm = v->vm;

	for (struct vmm__kvm_vcpu **link = &vm->vcpus; *link; link = &(*link)->next) {
		if (*link == v) {
			*link = v->next;
			break;
		}
	}
	if (v->run)
		munmap(v->run, vm->run_size);
	if (v->fd >= 0)
		close(v->fd);
	vmm__kvm_free(vm, v->cpuid, VMM__KVM_CPUID_MAX * sizeof(*v->cpuid));
	vmm__kvm_free(vm, v->reset_msrs, v->reset_msrs_size);
	vmm__kvm_free(vm, v->xsave, vm->xsave_size);
	vmm__kvm_free(vm, v, sizeof(*v));
}

/* KVM takes the first one for the one that starts unless told before there is any. */
static void choose_bsp(struct vmm__kvm_vm *vm, const struct vmm_vcpu_config *config)
{
	if (config->index == 0 && !vm->vcpus && config->arch_id != 0)
		ioctl(vm->fd, KVM_SET_BOOT_CPU_ID, (unsigned long)config->arch_id);
}

static int setup(struct vmm__kvm_vcpu *v, struct vmm_error *error)
{
	struct vmm__kvm_vm *vm = v->vm;
	void *run;
	int khz;

	v->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)v->apic_id);
	if (v->fd < 0) {
		if (errno == EINVAL || errno == EEXIST)
			return vmm__fail(error, errno == EINVAL ? -VMM_ERANGE : -VMM_EEXIST,
					 "KVM_CREATE_VCPU", errno, "APIC ID %u", v->apic_id);
		return vmm__kvm_fail(error, "KVM_CREATE_VCPU");
	}
	run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	if (run == MAP_FAILED)
		return vmm__kvm_fail(error, "mmap of a vCPU");
	v->run = run;
	v->cpuid = vmm__kvm_alloc(vm, VMM__KVM_CPUID_MAX * sizeof(*v->cpuid));
	v->xsave = vmm__kvm_alloc(vm, vm->xsave_size);
	if (!v->cpuid || !v->xsave)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_vcpu_create", 0, "no memory");
	khz = ioctl(v->fd, KVM_GET_TSC_KHZ, 0);
	v->host_khz = khz > 0 ? (uint32_t)khz : 0;
	v->always = vm->flags & VMM_VM_EXIT_PC ? KVM__SLOW : NULL;
	v->answer = v->always;
	if (v->always)
		v->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
	return 0;
}

int vmm__kvm_vcpu_create(void *opaque, const struct vmm_vcpu_config *config, void **out,
			 struct vmm_error *error)
{
	struct vmm__kvm_vm *vm = opaque;
	struct vmm__kvm_vcpu *v;
	int r;

	if (config->arch_id > UINT32_MAX)
		return vmm__fail(error, -VMM_ERANGE, "vmm_vcpu_create", 0, "APIC ID 0x%llx",
				 (unsigned long long)config->arch_id);
	v = vmm__kvm_alloc(vm, sizeof(*v));
	if (!v)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_vcpu_create", 0, "no memory");
	choose_bsp(vm, config);
	v->vm = vm;
	v->fd = -1;
	v->index = config->index;
	v->apic_id = (uint32_t)config->arch_id;
	r = setup(v, error);
	if (r != 0) {
		vmm__kvm_vcpu_destroy(v);
		return r;
	}
	v->next = vm->vcpus;
	vm->vcpus = v;
	*out = v;
	return 0;
}

int vmm__kvm_vcpu_seal(void *vcpu, const struct vmm_x86_cpuid *cpuid, uint32_t count,
		       struct vmm_error *error)
{
	struct vmm__kvm_vcpu *v = vcpu;
	int r = vmm__kvm_seal_cpuid(v, cpuid, count, error);

	return r == 0 ? vmm__kvm_find_msrs(v, error) : r;
}

/* The first reset comes before the guest has run: KVM's own values are those of power-on. */
static int keep_power_on(struct vmm__kvm_vcpu *v, struct vmm_error *error)
{
	struct vmm__kvm_vm *vm = v->vm;
	size_t size = sizeof(struct kvm_msrs) + vm->msr_count * sizeof(struct kvm_msr_entry);

	if (v->reset_msrs)
		return 0;
	v->reset_msrs = vmm__kvm_alloc(vm, size);
	v->reset_msrs_size = size;
	if (!v->reset_msrs)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_vm_seal", 0, "no memory for MSRs");
	for (uint32_t i = 0; i < vm->msr_count; i++) {
		uint64_t value;

		if (vmm__kvm_get_msr(v, vm->msrs[i], &value) == 0)
			v->reset_msrs->entries[v->reset_msrs->nmsrs++] =
				(struct kvm_msr_entry){.index = vm->msrs[i], .data = value};
	}
	if (vm->irqchip == VMM_IRQCHIP_ARCH && ioctl(v->fd, KVM_GET_LAPIC, &v->reset_lapic) != 0)
		return vmm__kvm_fail(error, "KVM_GET_LAPIC");
	return 0;
}

/* KVM stops at the first one it refuses, which is one that only it writes: go on behind it. */
static void reset_msrs(struct vmm__kvm_vcpu *v)
{
	for (uint32_t i = 0; i < v->reset_msrs->nmsrs; i++)
		vmm__kvm_set_msr(v, v->reset_msrs->entries[i].index,
				 v->reset_msrs->entries[i].data);
}

static int reset_apic(struct vmm__kvm_vcpu *v, struct vmm_error *error)
{
	if (v->vm->irqchip != VMM_IRQCHIP_ARCH)
		return 0;
	if (ioctl(v->fd, KVM_SET_LAPIC, &v->reset_lapic) != 0)
		return vmm__kvm_fail(error, "KVM_SET_LAPIC");
	return 0;
}

static int set(struct vmm__kvm_vcpu *v, uint32_t cls, const void *buf, size_t size,
	       struct vmm_error *error)
{
	return vmm__kvm_set_state(v, cls, 0, buf, size, error);
}

static int reset_state(struct vmm__kvm_vcpu *v, struct vmm_error *error)
{
	bool arch = v->vm->irqchip == VMM_IRQCHIP_ARCH;
	const struct vmm_x86_events events = {0};
	struct vmm_x86_mp mp = {0};
	struct vmm_x86_debug_regs debug;
	struct vmm_x86_regs regs;
	struct vmm_x86_sys sys;
	int r;

	vmm__x86_reset_regs(&regs, vmm__kvm_signature(v));
	vmm__x86_reset_sys(&sys, v->index == 0, v->has_xsave, 1);
	vmm__x86_reset_debug(&debug);
	if (arch && v->index != 0)
		mp.state = VMM_X86_MP_WAIT_SIPI;
	/* SMM is left first, since it decides what the rest may be; the wait for a start-up IPI
	 * begins last. */
	r = set(v, VMM_STATE_X86_EVENTS, &events, sizeof(events), error);
	if (r == 0)
		r = set(v, VMM_STATE_X86_SYS, &sys, sizeof(sys), error);
	if (r == 0)
		r = set(v, VMM_STATE_X86_REGS, &regs, sizeof(regs), error);
	if (r == 0)
		r = set(v, VMM_STATE_X86_DEBUG, &debug, sizeof(debug), error);
	if (r == 0)
		r = vmm__kvm_reset_xsave(v, error);
	if (r == 0)
		r = reset_apic(v, error);
	if (r == 0)
		r = vmm__kvm_reset_tsc(v, error);
	if (r == 0)
		r = set(v, VMM_STATE_X86_MP, &mp, sizeof(mp), error);
	return r;
}

int vmm__kvm_vcpu_reset(void *vcpu, struct vmm_error *error)
{
	const struct vmm_debug_config off = {.size = sizeof(off)};
	struct vmm__kvm_vcpu *v = vcpu;
	int r;

	vmm__kvm_discard(v);
	atomic_store(&v->nmis, 0);
	v->run->request_interrupt_window = 0;
	r = keep_power_on(v, error);
	if (r != 0)
		return r;
	reset_msrs(v);
	r = vmm__kvm_debug(v, &off, error);
	return r == 0 ? reset_state(v, error) : r;
}

/* SDM 3A 6.8.1: IF, no shadow; and nothing else on its way. */
static int window_is_open(struct vmm__kvm_vcpu *v, bool *open, struct vmm_error *error)
{
	struct kvm_vcpu_events events;
	struct kvm_regs regs;

	if (ioctl(v->fd, KVM_GET_REGS, &regs) != 0)
		return vmm__kvm_fail(error, "KVM_GET_REGS");
	if (ioctl(v->fd, KVM_GET_VCPU_EVENTS, &events) != 0)
		return vmm__kvm_fail(error, "KVM_GET_VCPU_EVENTS");
	*open = (regs.rflags & RFLAGS_IF) && !events.interrupt.shadow &&
		!events.interrupt.injected && !events.exception.injected &&
		!events.exception.pending && !events.nmi.injected;
	return 0;
}

static int inject_interrupt(struct vmm__kvm_vcpu *v, uint32_t vector, struct vmm_error *error)
{
	struct kvm_interrupt irq = {.irq = vector};
	bool open = false;
	int r = window_is_open(v, &open, error);

	if (r != 0)
		return r;
	if (!open)
		return vmm__fail(error, -VMM_EBUSY, "vmm_vcpu_inject", 0,
				 "the guest cannot take an interrupt now");
	if (ioctl(v->fd, KVM_INTERRUPT, &irq) != 0)
		return vmm__kvm_fail(error, "KVM_INTERRUPT");
	return 0;
}

static int inject_exception(struct vmm__kvm_vcpu *v, uint32_t vector, uint32_t flags,
			    uint32_t error_code, struct vmm_error *error)
{
	struct kvm_vcpu_events events;

	if (ioctl(v->fd, KVM_GET_VCPU_EVENTS, &events) != 0)
		return vmm__kvm_fail(error, "KVM_GET_VCPU_EVENTS");
	if (events.exception.injected || events.exception.pending || events.nmi.injected ||
	    events.interrupt.injected)
		return vmm__fail(error, -VMM_EBUSY, "vmm_vcpu_inject", 0,
				 "another event is being delivered");
	events.flags &= KVM_VCPUEVENT_VALID_PAYLOAD;
	events.exception_has_payload = 0;
	events.exception.injected = 1;
	events.exception.nr = (uint8_t)vector;
	events.exception.has_error_code = (flags & VMM_INJECT_F_ERROR) != 0;
	events.exception.error_code = error_code;
	if (ioctl(v->fd, KVM_SET_VCPU_EVENTS, &events) != 0)
		return vmm__kvm_fail(error, "KVM_SET_VCPU_EVENTS");
	return 0;
}

int vmm__kvm_inject(void *vcpu, uint32_t kind, uint32_t vector, uint32_t flags, uint32_t error_code,
		    struct vmm_error *error)
{
	struct vmm__kvm_vcpu *v = vcpu;

	switch (kind) {
	case VMM_INJECT_NMI:
		/* KVM_NMI would wait until the vCPU comes back: its own thread does it. */
		atomic_fetch_add(&v->nmis, 1);
		vmm__kvm_kick(v);
		return 0;
	case VMM_INJECT_INTERRUPT:
		return inject_interrupt(v, vector, error);
	default:
		return inject_exception(v, vector, flags, error_code, error);
	}
}

int vmm__kvm_request_window(void *vcpu, uint32_t on, struct vmm_error *error)
{
	struct vmm__kvm_vcpu *v = vcpu;

	(void)error;
	v->run->request_interrupt_window = on != 0;
	return 0;
}

/* DR7's fields for breakpoint @i (SDM 3B 18.2.4): local and global enable, R/W, LEN. */
static uint64_t dr7_bits(uint32_t i, const struct vmm_breakpoint *b)
{
	static const uint8_t len_code[9] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};
	uint64_t field = b->kind | (uint64_t)len_code[b->len] << 2;

	return UINT64_C(2) << (2 * i) | field << (16 + 4 * i);
}

int vmm__kvm_debug(void *vcpu, const struct vmm_debug_config *config, struct vmm_error *error)
{
	struct vmm__kvm_vcpu *v = vcpu;
	struct kvm_guest_debug debug = {0};

	if (config->flags & VMM_DEBUG_SINGLE_STEP)
		debug.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP;
	if (config->flags & VMM_DEBUG_SW_BREAK)
		debug.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
	if (config->count != 0)
		debug.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
	debug.arch.debugreg[7] = 0x400;
	for (uint32_t i = 0; i < config->count; i++) {
		debug.arch.debugreg[i] = config->breakpoints[i].gva;
		debug.arch.debugreg[7] |= dr7_bits(i, &config->breakpoints[i]);
	}
	if (ioctl(v->fd, KVM_SET_GUEST_DEBUG, &debug) == 0)
		return 0;
	if (errno == EBUSY)
		return vmm__fail(error, -VMM_EBUSY, "KVM_SET_GUEST_DEBUG", errno,
				 "an exception waits for delivery");
	return vmm__kvm_fail(error, "KVM_SET_GUEST_DEBUG");
}

static int read_guest(void *opaque, uint64_t gpa, void *buf, size_t len)
{
	const struct vmm__services *services = ((struct vmm__kvm_vm *)opaque)->services;

	return services->read(services->core, gpa, buf, len);
}

int vmm__kvm_translate(void *vcpu, uint64_t gva, uint32_t prot, uint64_t *gpa,
		       struct vmm_error *error)
{
	struct vmm__kvm_vcpu *v = vcpu;
	const struct vmm__guest_memory memory = {read_guest, v->vm};
	struct vmm_x86_sys sys;
	int r = vmm__kvm_get_state(v, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys), error);

	if (r != 0)
		return r;
	r = vmm__x86_walk(&sys, &memory, gva, prot, gpa);
	if (r != 0)
		return vmm__fail(error, r, "vmm_vcpu_translate", 0, "0x%llx is not mapped so",
				 (unsigned long long)gva);
	return 0;
}

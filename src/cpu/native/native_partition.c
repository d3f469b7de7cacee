// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Dedicated vCPUs (docs/partition.md): what does not depend on the processor's virtualisation; the
 * way into the guest is the engine's. Such a vCPU keeps the CPU that it is first run on. The CPU's
 * local APIC is the guest's, in x2APIC mode: interrupts are not intercepted and the APIC's MSRs
 * pass through, but for those by which a guest could reach other CPUs. The host takes part by NMI.
 *
 * src/dev/x86 still knows the vCPU: it finds destinations among the VM's vCPUs and keeps INIT,
 * start-up and NMI for it. Interrupts for it are sent on as IPIs (vmm__native_partition_post()), so
 * that a guest's checked IPI costs the sender one exit and the receiver none.
 */
#include "native.h"

/* x2APIC registers as MSRs: SDM 3A table 11-6, APM2 16.11; ICR is NATIVE_X2_ICR. */
#define X2_FIRST    0x800u
#define X2_TPR      0x808u
#define X2_EOI      0x80bu
#define X2_SVR      0x80fu
#define X2_ESR      0x828u
#define X2_TIMER    0x832u
#define X2_LVT_LAST 0x837u
#define X2_INITIAL  0x838u
#define X2_DIVIDE   0x83eu
#define X2_SELF     0x83fu
#define X2_ID       0x802u
#define X2_LDR      0x80du
#define X2_LAST     0x83fu

#define SVR_AT_RESET 0xffu
#define LVT_MASKED   BIT(16)
#define LVT_MODE     BITS(10, 8)
#define LVT_BITS     UINT64_C(0x1a7ff)

#define CPUID_7_EBX_TSC_ADJUST BIT(1)

/* --- the CPU --- */

static bool has_x2apic(void)
{
	return (vmm__native_rdmsr(VMM__MSR_APIC_BASE) & VMM__APIC_BASE_EXTD) != 0;
}

static bool has_deadline(void)
{
	uint32_t r[4];

	vmm__native_cpuid(1, 0, r);
	return (r[2] & CPUID_1_ECX_TSC_DEADLINE) != 0;
}

/* The APIC as after INIT; its priority is kept apart. */
static void reset_apic(struct vmm__native_vcpu *v)
{
	vmm__native_wrmsr(X2_SVR, SVR_AT_RESET);
	vmm__native_wrmsr(X2_DIVIDE, 0);
	vmm__native_wrmsr(X2_ESR, 0);
	v->partition.tpr = 0;
}

/* Keep this CPU. */
static int settle_on(struct vmm__native_vcpu *v, uint64_t cpu, struct vmm_error *error)
{
	const struct vmm_host *host = v->vm->host;
	uint32_t id;

	if (!has_x2apic())
		return vmm__fail(error, -VMM_ENOTSUP, "vmm_vcpu_run", 0,
				 "CPU %llu's local APIC is not in x2APIC mode",
				 (unsigned long long)cpu);
	id = (uint32_t)vmm__native_rdmsr(X2_ID);
	if ((v->vm->flags & VMM_VM_IPI_DIRECT) && id != v->apic_id)
		return vmm__fail(error, -VMM_EINVAL, "vmm_vcpu_run", 0,
				 "VMM_VM_IPI_DIRECT: APIC ID %u is run on the CPU of %u",
				 v->apic_id, id);
	host->cpu_lend(host->opaque, 1);
	reset_apic(v);
	v->partition.cpu = cpu;
	atomic_store(&v->partition.apic_id, id);
	return 0;
}

static void leave_here(void *arg)
{
	struct vmm__native_vcpu *v = arg;

	v->vm->host->cpu_lend(v->vm->host->opaque, 0);
}

void vmm__native_partition_leave(struct vmm__native_vcpu *v)
{
	const struct vmm_host *host = v->vm->host;

	if (v->partition.cpu == 0)
		return;
	atomic_store(&v->partition.apic_id, NATIVE_NO_APIC);
	host->cpu_call(host->opaque, v->partition.cpu, leave_here, v);
	v->partition.cpu = 0;
}

/* Any CPU, any context. A vCPU without a CPU has no APIC that could keep it. */
void vmm__native_partition_post(void *opaque, uint32_t index, uint32_t vector)
{
	struct vmm__native_vm *vm = opaque;
	uint32_t id = atomic_load(&vm->by_index[index]->partition.apic_id);

	if (id != NATIVE_NO_APIC)
		vmm__native_send_ipi((uint64_t)id << 32 | vector);
}

/* --- making --- */

int vmm__native_partition_create(struct vmm__native_vcpu *v, struct vmm_error *error)
{
	struct vmm__native_vm *vm = v->vm;

	if (!vm->host->cpu_lend)
		return vmm__fail(error, -VMM_ENOTSUP, "vmm_vcpu_create", 0,
				 "dedicated vCPUs: the host has no cpu_lend()");
	if (vm->irqchip != VMM_IRQCHIP_ARCH || vm->chip.has_pic)
		return vmm__fail(error, -VMM_ENOTSUP, "vmm_vcpu_create", 0,
				 "dedicated vCPUs need VMM_IRQCHIP_ARCH, without 8259s");
	if (!has_x2apic())
		return vmm__fail(error, -VMM_ENOTSUP, "vmm_vcpu_create", 0,
				 "dedicated vCPUs: the local APIC is not in x2APIC mode");
	for (uint32_t i = 0; i < 2; i++) {
		if (!vm->partition_msrpm[i])
			vm->partition_msrpm[i] = vmm__native_alloc(vm, vm->ops->msrpm_bytes, 4096);
		if (!vm->partition_msrpm[i])
			return vmm__fail(error, -VMM_ENOMEM, "vmm_vcpu_create", 0, "no memory");
	}
	v->lapic.direct = true;
	atomic_init(&v->partition.apic_id, NATIVE_NO_APIC);
	return 0;
}

/* The timer is the processor's, and so is what it can do. Linux looks at TSC_ADJUST when it idles.
 */
void vmm__native_partition_seal(struct vmm__native_vcpu *v)
{
	for (uint32_t i = 0; i < v->cpuid_count; i++) {
		struct vmm_x86_cpuid *e = &v->cpuid[i];

		if (e->leaf == 1 && !has_deadline())
			e->ecx &= (uint32_t)~CPUID_1_ECX_TSC_DEADLINE;
		else if (e->leaf == 7 && e->subleaf == 0)
			e->ebx &= (uint32_t)~CPUID_7_EBX_TSC_ADJUST;
	}
}

static void pass(struct vmm__native_vm *vm, uint32_t msr, uint32_t access)
{
	if (vmm__native_filter_action(vm, msr, access) == VMM_FILTER_ALLOW)
		vm->ops->pass_msr(vm, msr, access);
}

/*
 * All registers can be read but the ID's, which are the VM's. Entries of the local vector table but
 * the timer's could be set to NMI, SMI or INIT; ICR reaches other CPUs.
 */
static void pass_apic(struct vmm__native_vm *vm, bool settled)
{
	static const uint32_t written[] = {X2_TPR,   X2_EOI,     X2_SVR,    X2_ESR,
					   X2_TIMER, X2_INITIAL, X2_DIVIDE, X2_SELF};

	for (uint32_t msr = X2_FIRST; msr <= X2_LAST; msr++) {
		if (msr != X2_ID && msr != X2_LDR)
			pass(vm, msr, VMM_FILTER_READ);
	}
	for (size_t i = 0; i < ARRAY_SIZE(written); i++)
		pass(vm, written[i], VMM_FILTER_WRITE);
	if (has_deadline()) {
		pass(vm, VMM__MSR_TSC_DEADLINE, VMM_FILTER_READ);
		pass(vm, VMM__MSR_TSC_DEADLINE, VMM_FILTER_WRITE);
	}
	if (settled && (vm->flags & VMM_VM_IPI_DIRECT))
		pass(vm, NATIVE_X2_ICR, VMM_FILTER_WRITE);
}

/* The map that other vCPUs have, twice: for one that starts, and for one that has settled. */
void vmm__native_partition_filter(struct vmm__native_vm *vm)
{
	uint8_t *shared = vm->msrpm;

	for (uint32_t i = 0; i < 2 && vm->partition_msrpm[i]; i++) {
		memcpy(vm->partition_msrpm[i], shared, vm->ops->msrpm_bytes);
		vm->msrpm = vm->partition_msrpm[i];
		pass_apic(vm, i == 1);
	}
	vm->msrpm = shared;
}

void vmm__native_partition_reset(struct vmm__native_vcpu *v)
{
	struct native_partition *p = &v->partition;

	vmm__native_partition_leave(v);
	vmm__lapic_restore_base(&v->lapic, atomic_load(&v->lapic.base) | VMM__APIC_BASE_EXTD,
				v->phys_bits);
	atomic_store(&p->settle, 0);
	atomic_store(&p->settled, 0);
	atomic_store(&p->budget_on, 0);
	p->broken = false;
	p->own_cpuid = false;
	p->msrpm = v->vm->partition_msrpm[0];
	v->vm->ops->dedicate(v);
}

/* --- MSRs that are intercepted --- */

int vmm__native_partition_get_msr(struct vmm__native_vcpu *v, uint32_t index, uint64_t *value)
{
	struct vmm__lapic_now now = {0};

	if (index != VMM__MSR_APIC_BASE && index != X2_ID && index != X2_LDR)
		return -VMM_ENOENT;
	return vmm__lapic_read_msr(&v->lapic, &now, index, value) ? 0 : -VMM_ENOENT;
}

/* Another delivery mode than "fixed" would be the host's NMI, or worse: such an entry is masked. */
static int set_lvt(uint32_t index, uint64_t value)
{
	if (value & ~LVT_BITS)
		return -VMM_ENOENT;
	if (value & LVT_MODE)
		value = (value & ~LVT_MODE) | LVT_MASKED;
	vmm__native_wrmsr(index, value);
	return 0;
}

/* Of the guest itself, on its CPU. */
int vmm__native_partition_set_msr(struct vmm__native_vcpu *v, uint32_t index, uint64_t value)
{
	struct vmm__lapic_now now = {0};

	if (index == VMM__MSR_APIC_BASE)
		return value == atomic_load(&v->lapic.base) ? 0 : -VMM_ENOENT;
	if (index > X2_TIMER && index <= X2_LVT_LAST)
		return set_lvt(index, value);
	if (index != NATIVE_X2_ICR ||
	    !vmm__lapic_write_msr(&v->lapic, &now, index, value, v->phys_bits))
		return -VMM_ENOENT;
	vmm__native_request(v, NATIVE_REQ_EVENT);
	return 0;
}

/* --- settling --- */

static void apply_settled(struct vmm__native_vcpu *v)
{
	struct native_partition *p = &v->partition;

	p->own_cpuid = atomic_load(&p->apic_id) == v->apic_id;
	p->msrpm = v->vm->partition_msrpm[1];
	v->vm->ops->dedicate(v);
	atomic_store(&p->settled, 1);
}

static bool is_settled(const struct vmm__native_vcpu *v)
{
	return atomic_load(&v->partition.settled) &&
	       !(atomic_load(&v->world.request) & NATIVE_REQ_FLUSH);
}

/* A vCPU that is in the guest is brought out once, by a flush that it does not need. One that has
 * settled just before is waited for as well: its exit is not to come later. */
static int await_settled(struct vmm__native_vcpu *v)
{
	const struct vmm_host *host = v->vm->host;
	uint64_t start = host->time_ns(host->opaque);

	while (atomic_load(&v->partition.running) && !is_settled(v)) {
		if (host->time_ns(host->opaque) - start > NATIVE_LEAVE_NS)
			return -VMM_ETIMEOUT;
		if (!atomic_load(&v->partition.settled))
			vmm__native_request(v, NATIVE_REQ_FLUSH);
		vmm__wait(host, &v->world.request, NATIVE_REQ_FLUSH, NATIVE_REKICK_NS);
	}
	return 0;
}

int vmm__native_settle(void *opaque, struct vmm_error *error)
{
	struct vmm__native_vm *vm = opaque;
	int r = 0;

	for (uint32_t i = 0; i < vm->max_vcpus; i++) {
		if (vm->by_index[i])
			atomic_store(&vm->by_index[i]->partition.settle, 1);
	}
	for (uint32_t i = 0; i < vm->max_vcpus && r == 0; i++) {
		if (vm->by_index[i] && vm->by_index[i]->dedicated)
			r = await_settled(vm->by_index[i]);
	}
	return r == 0 ? 0 : vmm__fail(error, r, "vmm_vm_settle", 0, "a vCPU does not leave");
}

/* --- counting --- */

static void spend(struct vmm__native_vcpu *v, uint32_t reason)
{
	struct native_partition *p = &v->partition;
	uint64_t left = atomic_load(&p->budget_left);

	if (atomic_load(&p->budget_excused) >> reason & 1)
		return;
	while (left != 0) { /* it may be replaced meanwhile */
		if (atomic_compare_exchange_weak(&p->budget_left, &left, left - 1))
			return;
	}
	atomic_store(&p->budget_on, 0);
	p->broken = true;
	p->broken_reason = reason;
	p->broken_code = v->vmcb->exitcode;
	p->broken_info = v->vmcb->exitinfo1;
	p->broken_pc = v->vmcb->rip;
}

void vmm__native_partition_count(struct vmm__native_vcpu *v, uint32_t reason)
{
	vmm__native_count(v, reason);
	if (atomic_load(&v->partition.budget_on))
		spend(v, reason);
}

/* The budget is spent: *@exit is to be given. */
static bool is_due(struct vmm__native_vcpu *v, struct vmm_exit *exit)
{
	struct native_partition *p = &v->partition;

	if (!p->broken)
		return false;
	p->broken = false;
	*exit = (struct vmm_exit){
		.reason = VMM_EXIT_BUDGET,
		.flags = VMM_EXIT_F_PC | VMM_EXIT_F_HW,
		.addr = p->broken_reason,
		.pc = p->broken_pc,
		.hw_code = p->broken_code,
		.hw_info = p->broken_info,
	};
	return true;
}

void vmm__native_partition_exits(void *vcpu, struct vmm_partition_exits *exits)
{
	struct vmm__native_vcpu *v = vcpu;

	exits->settled = atomic_load(&v->partition.settled);
	for (uint32_t i = 0; i < VMM_PARTITION_REASONS; i++)
		exits->by[i] = atomic_load(&v->exits[i]);
}

void vmm__native_exit_budget(void *vcpu, const struct vmm_exit_budget *budget)
{
	struct native_partition *p = &((struct vmm__native_vcpu *)vcpu)->partition;

	atomic_store(&p->budget_on, 0);
	if (!budget)
		return;
	atomic_store(&p->budget_left, budget->exits);
	atomic_store(&p->budget_excused, budget->excused);
	atomic_store(&p->budget_on, 1);
}

/* --- running --- */

int vmm__native_partition_enter(struct vmm__native_vcpu *v, struct vmm_error *error)
{
	const struct vmm_host *host = v->vm->host;
	uint64_t cpu = host->thread_id(host->opaque);
	int r = 0;

	if (v->partition.cpu == 0)
		r = settle_on(v, cpu, error);
	else if (v->partition.cpu != cpu)
		r = vmm__fail(error, -VMM_ESTATE, "vmm_vcpu_run", 0,
			      "a dedicated vCPU: it is CPU %llu's until it is reset",
			      (unsigned long long)v->partition.cpu);
	if (r == 0 && atomic_load(&v->partition.settle) != atomic_load(&v->partition.settled))
		apply_settled(v);
	return r;
}

static int run(struct vmm__native_vcpu *v, struct vmm_exit *exit, struct vmm_error *error)
{
	int r;

	do {
		if (is_due(v, exit))
			return 0;
		r = vmm__native_prepare(v, exit);
		if (r == NATIVE_AGAIN)
			r = v->vm->ops->stay(v, exit, error);
	} while (r == NATIVE_AGAIN);
	return r;
}

int vmm__native_run_dedicated(void *vcpu, struct vmm_exit *exit, struct vmm_error *error)
{
	struct vmm__native_vcpu *v = vcpu;
	int r;

	if (vmm__native_complete(v, exit, error) != 0)
		return 0;
	atomic_store(&v->partition.running, 1);
	r = run(v, exit, error);
	atomic_store(&v->partition.running, 0);
	return r;
}

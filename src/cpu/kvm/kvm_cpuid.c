// SPDX-License-Identifier: BSD-2-Clause-Patent
/* What KVM can give as CPUID (api.rst 4.46), and giving it. Policy is in src/cpu/x86. */
#include "kvm.h"
#include "x86_cpuid.h"

#include <cpuid.h>
#include <fcntl.h>
#include <unistd.h>

_Static_assert(VMM__KVM_CPUID_MAX == VMM__CPUID_MAX, "one bound for tables");

/* KVM's local APIC timer counts nanoseconds. */
#define APIC_KHZ 1000000

/* Everything a model is made from. About 20 KiB: on the heap. */
struct material {
	struct vmm__x86_policy policy;
	struct vmm_x86_cpuid supported[VMM__KVM_CPUID_MAX];
	struct vmm_x86_cpuid scratch[VMM__KVM_CPUID_MAX];
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[VMM__KVM_CPUID_MAX];
	} kvm;
};

static void *take(const struct vmm_host *host)
{
	return host->alloc(host->opaque, sizeof(struct material), 16);
}

static void give(const struct vmm_host *host, struct material *m)
{
	host->free(host->opaque, m, sizeof(*m));
}

/* Bits of leaf 1 that KVM has but does not list among the supported. */
static void add_unlisted(struct vmm_x86_cpuid *leaf1, int kvm_fd)
{
	leaf1->ecx |= CPUID_1_ECX_HYPERVISOR;
	if (ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_IRQCHIP) > 0)
		leaf1->ecx |= CPUID_1_ECX_X2APIC;
	if (ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0)
		leaf1->ecx |= CPUID_1_ECX_TSC_DEADLINE;
}

/* KVM lists the processor's brand (leaves 0x80000002 to 0x80000004) without its text. */
static void add_brand(struct vmm_x86_cpuid *e)
{
	if (e->leaf >= 0x80000002 && e->leaf <= 0x80000004 && e->eax == 0)
		__cpuid(e->leaf, e->eax, e->ebx, e->ecx, e->edx);
}

static int gather(struct material *m, int kvm_fd, uint32_t tsc_khz, struct vmm_error *error)
{
	m->kvm.head.nent = VMM__KVM_CPUID_MAX;
	if (ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, &m->kvm) != 0)
		return vmm__kvm_fail(error, "KVM_GET_SUPPORTED_CPUID");
	for (uint32_t i = 0; i < m->kvm.head.nent && i < VMM__KVM_CPUID_MAX; i++) {
		const struct kvm_cpuid_entry2 *e = &m->kvm.entries[i];
		struct vmm_x86_cpuid *to = &m->supported[i];

		*to = (struct vmm_x86_cpuid){
			.leaf = e->function,
			.subleaf = e->index,
			.flags = e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX ? VMM_X86_CPUID_SUBLEAF
									    : 0,
			.eax = e->eax,
			.ebx = e->ebx,
			.ecx = e->ecx,
			.edx = e->edx,
		};
		if (e->function == 1)
			add_unlisted(to, kvm_fd);
		add_brand(to);
		if (e->function == CPUID_PV_FEATURES)
			m->policy.pv_features = e->eax;
	}
	m->policy.supported = m->supported;
	m->policy.supported_count = m->kvm.head.nent;
	m->policy.scratch = m->scratch;
	m->policy.tsc_khz = tsc_khz;
	m->policy.apic_khz = APIC_KHZ;
	return 0;
}

/* The rate that a vCPU will have; KVM tells it for a VM's vCPU only (api.rst 4.56). */
uint32_t vmm__kvm_default_tsc_khz(int kvm_fd)
{
	int vm = ioctl(kvm_fd, KVM_CREATE_VM, 0), vcpu, khz = 0;

	if (vm < 0)
		return 0;
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu >= 0) {
		khz = ioctl(vcpu, KVM_GET_TSC_KHZ, 0);
		close(vcpu);
	}
	close(vm);
	return khz > 0 ? (uint32_t)khz : 0;
}

int vmm__kvm_cpu_model(const struct vmm_host *host, const char *model,
		       struct vmm_x86_cpuid *entries, uint32_t *count, struct vmm_error *error)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC), r;
	struct material *m;

	if (fd < 0)
		return vmm__kvm_fail(error, "open /dev/kvm");
	m = take(host);
	if (!m) {
		close(fd);
		return vmm__fail(error, -VMM_ENOMEM, "vmm_x86_cpu_model", 0, "no memory");
	}
	r = gather(m, fd, vmm__kvm_default_tsc_khz(fd), error);
	if (r == 0)
		r = vmm__x86_cpu_model(&m->policy, model, entries, count, error);
	give(host, m);
	close(fd);
	return r;
}

/* Copy of a leaf of what is supported, zeros where there is none. */
static struct vmm_x86_cpuid supported_leaf(const struct vmm_host *host, int kvm_fd, uint32_t leaf)
{
	struct material *m = take(host);
	const struct vmm_x86_cpuid *e = NULL;
	struct vmm_x86_cpuid found = {0};
	struct vmm_error ignored;

	if (!m)
		return found;
	if (gather(m, kvm_fd, 0, &ignored) == 0)
		e = vmm__cpuid_find(m->supported, m->policy.supported_count, leaf, 0);
	if (e)
		found = *e;
	give(host, m);
	return found;
}

uint64_t vmm__kvm_xcr0(const struct vmm_host *host, int kvm_fd)
{
	struct vmm_x86_cpuid e = supported_leaf(host, kvm_fd, 0xd);

	return (uint64_t)e.edx << 32 | e.eax;
}

/* GuestPhysAddrSize where it differs from the processor's own (APM 3, appendix E.4.7). */
uint32_t vmm__kvm_gpa_bits(const struct vmm_host *host, int kvm_fd)
{
	struct vmm_x86_cpuid e = supported_leaf(host, kvm_fd, 0x80000008);
	uint32_t guest = e.eax >> 16 & 0xff;

	return guest ? guest : e.eax & 0xff;
}

/* Model "host" at the vCPU's place, all vCPUs being cores of one socket. */
static int default_cpuid(struct vmm__kvm_vcpu *v, struct material *m, struct vmm_x86_cpuid *entries,
			 uint32_t *count, struct vmm_error *error)
{
	const struct vmm_x86_topology topology = {1, 1, v->vm->max_vcpus, 1, 1};
	int r = vmm__x86_cpu_model(&m->policy, "host", entries, count, error);

	if (r == 0)
		r = vmm_x86_cpuid_topology(entries, count, VMM__KVM_CPUID_MAX, &topology,
					   v->apic_id);
	return r;
}

static int set_cpuid(struct vmm__kvm_vcpu *v, struct material *m, struct vmm_error *error)
{
	m->kvm.head.nent = v->cpuid_count;
	m->kvm.head.padding = 0;
	memset(m->kvm.entries, 0, sizeof(m->kvm.entries));
	for (uint32_t i = 0; i < v->cpuid_count; i++) {
		const struct vmm_x86_cpuid *e = &v->cpuid[i];

		m->kvm.entries[i] = (struct kvm_cpuid_entry2){
			.function = e->leaf,
			.index = e->subleaf,
			.flags = e->flags & VMM_X86_CPUID_SUBLEAF ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX
								  : 0,
			.eax = e->eax,
			.ebx = e->ebx,
			.ecx = e->ecx,
			.edx = e->edx,
		};
	}
	if (ioctl(v->fd, KVM_SET_CPUID2, &m->kvm) != 0)
		return vmm__kvm_fail(error, "KVM_SET_CPUID2");
	return 0;
}

static int seal(struct vmm__kvm_vcpu *v, struct material *m, const struct vmm_x86_cpuid *cpuid,
		uint32_t count, struct vmm_error *error)
{
	int khz = ioctl(v->fd, KVM_GET_TSC_KHZ, 0);
	const struct vmm_x86_cpuid *leaf1;
	int r = gather(m, v->vm->kvm_fd, khz > 0 ? (uint32_t)khz : 0, error);

	if (r != 0)
		return r;
	v->cpuid_count = VMM__KVM_CPUID_MAX;
	if (cpuid) {
		v->cpuid_count = count;
		memcpy(v->cpuid, cpuid, count * sizeof(*cpuid));
	} else {
		r = default_cpuid(v, m, v->cpuid, &v->cpuid_count, error);
	}
	if (r == 0)
		r = vmm__cpuid_check(v->cpuid, v->cpuid_count, m->supported,
				     m->policy.supported_count, error);
	if (r == 0)
		r = set_cpuid(v, m, error);
	leaf1 = vmm__cpuid_find(v->cpuid, v->cpuid_count, 1, 0);
	v->has_xsave = leaf1 && (leaf1->ecx & CPUID_1_ECX_XSAVE) != 0;
	return r;
}

int vmm__kvm_seal_cpuid(struct vmm__kvm_vcpu *v, const struct vmm_x86_cpuid *cpuid, uint32_t count,
			struct vmm_error *error)
{
	const struct vmm_host *host = v->vm->services->host;
	struct material *m = take(host);
	int r;

	if (!m)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_vm_seal", 0, "no memory for CPUID");
	r = seal(v, m, cpuid, count, error);
	give(host, m);
	return r;
}

/* By the vCPU's own model: a component it does not have is none of its state. */
bool vmm__kvm_xsave_component(const struct vmm__kvm_vcpu *v, uint32_t component, uint32_t *offset,
			      uint32_t *size)
{
	const struct vmm_x86_cpuid *all = vmm__cpuid_find(v->cpuid, v->cpuid_count, 0xd, 0);
	const struct vmm_x86_cpuid *e = vmm__cpuid_find(v->cpuid, v->cpuid_count, 0xd, component);
	uint64_t xcr0 = all ? (uint64_t)all->edx << 32 | all->eax : 0;

	if (!v->has_xsave || !e || !(xcr0 >> component & 1) || e->eax == 0)
		return false;
	*offset = e->ebx;
	*size = e->eax;
	return true;
}

uint32_t vmm__kvm_signature(const struct vmm__kvm_vcpu *v)
{
	const struct vmm_x86_cpuid *leaf1 = vmm__cpuid_find(v->cpuid, v->cpuid_count, 1, 0);

	return leaf1 ? leaf1->eax : 0;
}

int vmm__kvm_get_cpuid(void *vcpu, struct vmm_x86_cpuid *entries, uint32_t *count)
{
	struct vmm__kvm_vcpu *v = vcpu;
	uint32_t room = entries ? *count : 0;

	*count = v->cpuid_count;
	if (!entries)
		return 0;
	if (room < v->cpuid_count)
		return -VMM_ESIZE;
	memcpy(entries, v->cpuid, v->cpuid_count * sizeof(*entries));
	return 0;
}

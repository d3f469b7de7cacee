// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * What CPUID answers. A guest gets what the processor has and the engine can virtualise; the policy
 * of models is src/cpu/x86's. Bits that follow the guest's own registers are filled in when it
 * asks.
 */
#include "native.h"
#include "x86_paging.h"

/* The paravirtual features: pvclock.h of Linux's KVM ABI (Documentation/virt/kvm/x86/cpuid.rst). */
#define PV_FEATURES (PV_CLOCKSOURCE | PV_NOP_IO_DELAY | PV_CLOCKSOURCE2 | PV_CLOCKSOURCE_STABLE)

/* x87, SSE, AVX, AVX-512, PKRU: states that XRSTOR alone brings back (SDM 1 13.1). */
#define XCR0_KNOWN (BITS(2, 0) | BITS(7, 5) | BIT(9))

/*
 * Features that work in a guest because the processor does them by itself or the engine does; names
 * are in src/cpu/x86/x86_cpuid.c. Leaves that are not here are not shown, but for topology and
 * caches.
 */
struct shown {
	uint32_t leaf, subleaf;
	uint32_t eax, ebx, ecx, edx;
};

#define ALL UINT32_MAX

/* Bytes of an XSAVE area before the components from 2 on: SDM 1 13.4.2. */
#define XSAVE_LEGACY 576u

static const struct shown shown[] = {
	{0x00000000, 0, ALL, ALL, ALL, ALL},
	{0x00000001, 0, ALL, 0x0000ffff, 0x76da3203, 0x078bfbff},
	{0x00000002, 0, ALL, ALL, ALL, ALL},
	{0x00000006, 0, 0x00000004, 0, 0, 0},
	{0x00000007, 0, 0, 0xf1bf07ab, 0x1a405f4e, 0x00004010},
	{0x80000000, 0, ALL, ALL, ALL, ALL},
	{0x80000001, 0, ALL, ALL, 0x006109f3, 0xefd3fbff},
	{0x80000002, 0, ALL, ALL, ALL, ALL},
	{0x80000003, 0, ALL, ALL, ALL, ALL},
	{0x80000004, 0, ALL, ALL, ALL, ALL},
	{0x80000005, 0, ALL, ALL, ALL, ALL},
	{0x80000006, 0, ALL, ALL, ALL, ALL},
	{0x80000007, 0, 0, 0, 0, 0x00000100},
	{0x80000008, 0, 0x0000ffff, 0x00000205, 0, 0},
	{0x80000019, 0, ALL, ALL, 0, 0},
	{0x8000001a, 0, ALL, 0, 0, 0},
	{0x80000021, 0, 0x00000044, 0, 0, 0},
};

#define CPUID_80000007_CONSTANT_TSC 0x100u /* EDX */

/* The local APIC's timer counts nanoseconds. */
#define APIC_KHZ 1000000u

/* The highest leaves that are shown. */
#define MAX_BASIC    0x0du
#define MAX_EXTENDED 0x80000021u

/* What a model is made from: on the heap. */
struct material {
	struct vmm__x86_policy policy;
	struct vmm_x86_cpuid supported[VMM__CPUID_MAX];
	struct vmm_x86_cpuid scratch[VMM__CPUID_MAX];
};

uint64_t vmm__native_xcr0_all(void)
{
	uint32_t r[4];

	vmm__native_cpuid(1, 0, r);
	if (!(r[2] & CPUID_1_ECX_XSAVE))
		return 0;
	vmm__native_cpuid(0xd, 0, r);
	return ((uint64_t)r[3] << 32 | r[0]) & XCR0_KNOWN;
}

/* The processor may have fewer than the tables take. */
uint32_t vmm__native_gpa_bits(uint32_t most)
{
	uint32_t r[4];

	vmm__native_cpuid(0x80000008, 0, r);
	return (r[0] & 0xff) < most ? r[0] & 0xff : most;
}

static void put(struct vmm__cpuid *table, uint32_t leaf, uint32_t subleaf, uint32_t flags,
		const uint32_t r[4])
{
	struct vmm_x86_cpuid *e = vmm__cpuid_put(table, leaf, subleaf, flags);

	if (!e)
		return;
	e->eax = r[0];
	e->ebx = r[1];
	e->ecx = r[2];
	e->edx = r[3];
}

static void add_shown(struct vmm__cpuid *table, const struct shown *s, uint32_t max)
{
	uint32_t r[4];

	if (s->leaf > max)
		return;
	vmm__native_cpuid(s->leaf, s->subleaf, r);
	r[0] &= s->eax;
	r[1] &= s->ebx;
	r[2] &= s->ecx;
	r[3] &= s->edx;
	switch (s->leaf) {
	case 0:
		r[0] = r[0] < MAX_BASIC ? r[0] : MAX_BASIC;
		break;
	case 1:
		r[2] |= (uint32_t)(CPUID_1_ECX_HYPERVISOR | CPUID_1_ECX_X2APIC |
				   CPUID_1_ECX_TSC_DEADLINE);
		break;
	case 0x80000000:
		r[0] = r[0] < MAX_EXTENDED ? r[0] : MAX_EXTENDED;
		break;
	case 0x80000007:
		/*
		 * The host owns its CPUs, and neither changes their rate nor stops them: what the
		 * paravirtual clock calls stable is so for the TSC itself.
		 */
		r[3] |= CPUID_80000007_CONSTANT_TSC;
		break;
	}
	put(table, s->leaf, s->subleaf, s->leaf == 7 ? VMM_X86_CPUID_SUBLEAF : 0, r);
}

/* Leaf 0xD: SDM 1 13.2. Only what XCR0 names; no supervisor states. */
static void add_xsave(struct vmm__cpuid *table)
{
	uint64_t xall = vmm__native_xcr0_all();
	uint32_t r[4], size = XSAVE_LEGACY;

	if (xall == 0)
		return;
	for (uint32_t i = 2; i < 63; i++) {
		if (!(xall >> i & 1))
			continue;
		vmm__native_cpuid(0xd, i, r);
		if (r[0] + r[1] > size)
			size = r[0] + r[1];
		r[2] &= 2; /* aligned in the compacted format; not a supervisor's */
		r[3] = 0;
		put(table, 0xd, i, VMM_X86_CPUID_SUBLEAF, r);
	}
	vmm__native_cpuid(0xd, 1, r);
	put(table, 0xd, 1, VMM_X86_CPUID_SUBLEAF, (uint32_t[]){r[0] & 7, 0, 0, 0});
	put(table, 0xd, 0, VMM_X86_CPUID_SUBLEAF,
	    (uint32_t[]){(uint32_t)xall, size, size, (uint32_t)(xall >> 32)});
}

/* Caches of AMD's processors: leaf 0x8000001D, one subleaf each until the type is 0. */
static void add_caches(struct vmm__cpuid *table, uint32_t max)
{
	uint32_t r[4];

	for (uint32_t i = 0; max >= 0x8000001d && i < 8; i++) {
		vmm__native_cpuid(0x8000001d, i, r);
		if ((r[0] & 31) == 0)
			break;
		put(table, 0x8000001d, i, VMM_X86_CPUID_SUBLEAF, r);
	}
}

static void gather(struct material *m, uint32_t tsc_khz)
{
	struct vmm__cpuid table = {m->supported, 0, VMM__CPUID_MAX};
	uint32_t basic[4], extended[4];

	vmm__native_cpuid(0, 0, basic);
	vmm__native_cpuid(0x80000000, 0, extended);
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		add_shown(&table, &shown[i], shown[i].leaf < 0x80000000 ? basic[0] : extended[0]);
	add_xsave(&table);
	add_caches(&table, extended[0]);
	m->policy = (struct vmm__x86_policy){
		.supported = m->supported,
		.supported_count = table.count,
		.scratch = m->scratch,
		.pv_features = (uint32_t)PV_FEATURES,
		.tsc_khz = tsc_khz,
		.apic_khz = APIC_KHZ,
	};
}

int vmm__native_cpu_model(const struct vmm_host *host, const char *model,
			  struct vmm_x86_cpuid *entries, uint32_t *count, struct vmm_error *error)
{
	struct material *m = host->alloc(host->opaque, sizeof(*m), 16);
	int r;

	if (!m)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_x86_cpu_model", 0, "no memory");
	gather(m, vmm__native_calibrate(host));
	r = vmm__x86_cpu_model(&m->policy, model, entries, count, error);
	host->free(host->opaque, m, sizeof(*m));
	return r;
}

static int default_cpuid(struct vmm__native_vcpu *v, struct material *m, struct vmm_error *error)
{
	const struct vmm_x86_topology topology = {1, 1, v->vm->max_vcpus, 1, 1};
	int r;

	v->cpuid_count = VMM__CPUID_MAX;
	r = vmm__x86_cpu_model(&m->policy, "host", v->cpuid, &v->cpuid_count, error);
	if (r == 0)
		r = vmm_x86_cpuid_topology(v->cpuid, &v->cpuid_count, VMM__CPUID_MAX, &topology,
					   v->apic_id);
	return r;
}

/* The place of a leaf's index, or NULL. */
static uint16_t *index_of(struct vmm__native_vcpu *v, uint32_t leaf)
{
	if (leaf < NATIVE_CPUID_BASIC)
		return &v->basic[leaf];
	if (leaf - 0x80000000 < NATIVE_CPUID_EXTENDED)
		return &v->extended[leaf - 0x80000000];
	if (leaf - 0x40000000 < NATIVE_CPUID_PV)
		return &v->pv[leaf - 0x40000000];
	return NULL;
}

static void index_leaves(struct vmm__native_vcpu *v)
{
	memset(v->basic, 0, sizeof(v->basic));
	memset(v->pv, 0, sizeof(v->pv));
	memset(v->extended, 0, sizeof(v->extended));
	for (uint32_t i = v->cpuid_count; i-- > 0;) {
		uint16_t *place = index_of(v, v->cpuid[i].leaf);

		if (place)
			*place = (uint16_t)(i + 1);
	}
	for (uint32_t i = 0; i < NATIVE_CPUID_BASIC; i++) {
		const struct vmm_x86_cpuid *e = v->basic[i] ? &v->cpuid[v->basic[i] - 1] : NULL;

		v->quick[i] =
			e && !(e->flags & VMM_X86_CPUID_SUBLEAF) && i != 7 && i != 0xd ? e : NULL;
	}
}

static int seal(struct vmm__native_vcpu *v, struct material *m, const struct vmm_x86_cpuid *cpuid,
		uint32_t count, struct vmm_error *error)
{
	uint32_t bits;
	int r = 0;

	gather(m, v->vm->tsc_khz);
	if (cpuid) {
		v->cpuid_count = count;
		memcpy(v->cpuid, cpuid, count * sizeof(*cpuid));
	} else {
		r = default_cpuid(v, m, error);
	}
	if (r == 0)
		r = vmm__cpuid_check(v->cpuid, v->cpuid_count, m->supported,
				     m->policy.supported_count, error);
	if (r != 0)
		return r;
	index_leaves(v);
	v->has_xsave = (vmm__native_leaf(v, 1, 0).ecx & CPUID_1_ECX_XSAVE) != 0;
	bits = vmm__native_leaf(v, 0x80000008, 0).eax & 0xff;
	v->phys_bits = (uint8_t)(bits >= 32 && bits <= 52 ? bits : 36);
	v->has_tsc_aux = (vmm__native_leaf(v, 0x80000001, 0).edx & CPUID_EXT1_EDX_RDTSCP) != 0 ||
			 (vmm__native_leaf(v, 7, 0).ecx & CPUID_7_ECX_RDPID) != 0;
	return 0;
}

int vmm__native_vcpu_seal(void *vcpu, const struct vmm_x86_cpuid *cpuid, uint32_t count,
			  struct vmm_error *error)
{
	struct vmm__native_vcpu *v = vcpu;
	struct material *m = vmm__native_alloc(v->vm, sizeof(*m), 16);
	int r;

	if (!m)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_vm_seal", 0, "no memory for CPUID");
	v->core = vmm__vcpu(v->vm->services->core, v->index);
	r = seal(v, m, cpuid, count, error);
	if (r == 0 && v->dedicated)
		vmm__native_partition_seal(v);
	vmm__native_free(v->vm, m, sizeof(*m));
	return r;
}

int vmm__native_get_cpuid(void *vcpu, struct vmm_x86_cpuid *entries, uint32_t *count)
{
	struct vmm__native_vcpu *v = vcpu;
	uint32_t room = entries ? *count : 0;

	*count = v->cpuid_count;
	if (!entries)
		return 0;
	if (room < v->cpuid_count)
		return -VMM_ESIZE;
	memcpy(entries, v->cpuid, v->cpuid_count * sizeof(*entries));
	return 0;
}

struct vmm_x86_cpuid vmm__native_leaf(const struct vmm__native_vcpu *v, uint32_t leaf,
				      uint32_t subleaf)
{
	const struct vmm_x86_cpuid *e = vmm__cpuid_find(v->cpuid, v->cpuid_count, leaf, subleaf);

	return e ? *e : (struct vmm_x86_cpuid){0};
}

bool vmm__native_xsave_component(const struct vmm__native_vcpu *v, uint32_t component,
				 uint32_t *offset, uint32_t *size)
{
	struct vmm_x86_cpuid all = vmm__native_leaf(v, 0xd, 0);
	struct vmm_x86_cpuid e = vmm__native_leaf(v, 0xd, component);
	uint64_t xcr0 = ((uint64_t)all.edx << 32 | all.eax) & v->world.xall;

	if (!v->has_xsave || component < 2 || component > 62 || !(xcr0 >> component & 1) ||
	    e.eax == 0 || e.ebx < XSAVE_LEGACY ||
	    !vmm__range_within(e.ebx, e.eax, v->vm->fpu_bytes))
		return false;
	*offset = e.ebx;
	*size = e.eax;
	return true;
}

/* Size of an XSAVE area for the components enabled now. */
static uint32_t xsave_size(const struct vmm__native_vcpu *v)
{
	uint32_t size = XSAVE_LEGACY, offset, length;

	for (uint32_t i = 2; i < 63; i++) {
		if ((v->world.xcr0 >> i & 1) &&
		    vmm__native_xsave_component(v, i, &offset, &length) && offset + length > size)
			size = offset + length;
	}
	return size;
}

/* The same in the compacted format, which XSAVEC makes: SDM 1 13.4.3. */
static uint32_t compacted_size(const struct vmm__native_vcpu *v)
{
	uint32_t size = XSAVE_LEGACY;

	for (uint32_t i = 2; i < 63; i++) {
		struct vmm_x86_cpuid e = vmm__native_leaf(v, 0xd, i);

		if (!(v->world.xcr0 >> i & 1))
			continue;
		size = e.ecx & 2 ? (size + 63) & ~63u : size;
		size += e.eax;
	}
	return size;
}

/* The entry that answers; @e is the first one of the leaf. */
static const struct vmm_x86_cpuid *subleaf_of(const struct vmm__native_vcpu *v,
					      const struct vmm_x86_cpuid *e, uint32_t subleaf)
{
	if (!(e->flags & VMM_X86_CPUID_SUBLEAF) || e->subleaf == subleaf)
		return e;
	return vmm__cpuid_find(v->cpuid, v->cpuid_count, e->leaf, subleaf);
}

void vmm__native_do_cpuid(struct vmm__native_vcpu *v)
{
	struct svm_vmcb *vmcb = v->vmcb;
	uint32_t leaf = (uint32_t)vmcb->rax, subleaf = (uint32_t)v->world.rcx;
	const uint16_t *place = index_of(v, leaf);
	const struct vmm_x86_cpuid *e = NULL;

	if (VMM__UNLIKELY(!place))
		e = vmm__cpuid_find(v->cpuid, v->cpuid_count, leaf, subleaf);
	else if (*place != 0)
		e = subleaf_of(v, &v->cpuid[*place - 1], subleaf);
	if (!e) {
		vmcb->rax = v->world.rbx = v->world.rcx = v->world.rdx = 0;
		return;
	}
	vmcb->rax = e->eax;
	v->world.rbx = e->ebx;
	v->world.rcx = e->ecx;
	v->world.rdx = e->edx;
	if (leaf == 1 && (vmcb->cr4 & X86_CR4_OSXSAVE))
		v->world.rcx |= CPUID_1_ECX_OSXSAVE;
	else if (leaf == 7 && subleaf == 0 && (vmcb->cr4 & X86_CR4_PKE))
		v->world.rcx |= CPUID_7_ECX_OSPKE;
	else if (leaf == 0xd && subleaf == 0)
		v->world.rbx = xsave_size(v);
	else if (leaf == 0xd && subleaf == 1 && (e->eax & 2))
		v->world.rbx = compacted_size(v);
}

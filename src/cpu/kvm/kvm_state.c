// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * State by class, between the library's encoding (x86.h) and KVM's. Each class is one or two
 * requests; what KVM refuses leaves the class as it was, unless two are needed.
 */
#include "kvm.h"
#include "x86_reset.h"

#include <stddef.h>
#include <x86intrin.h>

/* Words of struct kvm_xsave: legacy area, then the header (SDM 1, 13.4). */
#define XSAVE_HEADER 512

/* EINVAL from a setter: the values are refused. */
static int refused(struct vmm_error *error, const char *call, const char *what)
{
	if (errno != EINVAL)
		return vmm__kvm_fail(error, call);
	return vmm__fail(error, -VMM_ERANGE, call, errno, "KVM refuses %s", what);
}

/* --- general registers --- */

/* clang-format 14 does not come to rest on a list of macro calls. */
/* clang-format off */
#define REGS(X) \
	X(rax) X(rbx) X(rcx) X(rdx) X(rsi) X(rdi) X(rsp) X(rbp) \
	X(r8) X(r9) X(r10) X(r11) X(r12) X(r13) X(r14) X(r15) X(rip) X(rflags)
/* clang-format on */

static int get_regs(struct vmm__kvm_vcpu *v, struct vmm_x86_regs *out, struct vmm_error *error)
{
	struct kvm_regs regs;

	if (ioctl(v->fd, KVM_GET_REGS, &regs) != 0)
		return vmm__kvm_fail(error, "KVM_GET_REGS");
#define COPY(r) out->r = regs.r;
	REGS(COPY)
#undef COPY
	return 0;
}

static int set_regs(struct vmm__kvm_vcpu *v, const struct vmm_x86_regs *in, struct vmm_error *error)
{
	struct kvm_regs regs;

#define COPY(r) regs.r = in->r;
	REGS(COPY)
#undef COPY
	if (ioctl(v->fd, KVM_SET_REGS, &regs) != 0)
		return refused(error, "KVM_SET_REGS", "the general registers");
	return 0;
}

/* --- segments and system registers --- */

static struct vmm_x86_segment from_kvm_segment(const struct kvm_segment *s)
{
	return (struct vmm_x86_segment){
		.base = s->base,
		.limit = s->limit,
		.attr = VMM_X86_SEG_TYPE(s->type) | VMM_X86_SEG_DPL(s->dpl) |
			(s->s ? VMM_X86_SEG_S : 0) | (s->present ? VMM_X86_SEG_P : 0) |
			(s->avl ? VMM_X86_SEG_AVL : 0) | (s->l ? VMM_X86_SEG_L : 0) |
			(s->db ? VMM_X86_SEG_DB : 0) | (s->g ? VMM_X86_SEG_G : 0) |
			(s->unusable ? VMM_X86_SEG_UNUSABLE : 0),
		.selector = s->selector,
	};
}

static struct kvm_segment to_kvm_segment(const struct vmm_x86_segment *s)
{
	return (struct kvm_segment){
		.base = s->base,
		.limit = s->limit,
		.selector = s->selector,
		.type = s->attr & 15,
		.present = (s->attr & VMM_X86_SEG_P) != 0,
		.dpl = (uint8_t)(s->attr >> 5 & 3),
		.db = (s->attr & VMM_X86_SEG_DB) != 0,
		.s = (s->attr & VMM_X86_SEG_S) != 0,
		.l = (s->attr & VMM_X86_SEG_L) != 0,
		.g = (s->attr & VMM_X86_SEG_G) != 0,
		.avl = (s->attr & VMM_X86_SEG_AVL) != 0,
		.unusable = (s->attr & VMM_X86_SEG_UNUSABLE) != 0,
	};
}

#define SEGMENTS(X) X(cs) X(ds) X(es) X(fs) X(gs) X(ss) X(tr) X(ldt)
#define CONTROL(X)  X(cr0) X(cr2) X(cr3) X(cr4) X(cr8) X(efer) X(apic_base)

static int get_xcr0(struct vmm__kvm_vcpu *v, uint64_t *xcr0, struct vmm_error *error)
{
	struct kvm_xcrs xcrs;

	*xcr0 = 0;
	if (!v->has_xsave)
		return 0;
	if (ioctl(v->fd, KVM_GET_XCRS, &xcrs) != 0)
		return vmm__kvm_fail(error, "KVM_GET_XCRS");
	for (uint32_t i = 0; i < xcrs.nr_xcrs && i < KVM_MAX_XCRS; i++) {
		if (xcrs.xcrs[i].xcr == 0)
			*xcr0 = xcrs.xcrs[i].value;
	}
	return 0;
}

static int set_xcr0(struct vmm__kvm_vcpu *v, uint64_t xcr0, struct vmm_error *error)
{
	struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs = {{.xcr = 0, .value = xcr0}}};

	if (!v->has_xsave)
		return xcr0 == 0 ? 0
				 : vmm__fail(error, -VMM_ERANGE, "vmm_vcpu_set_state", 0,
					     "XCR0 is 0x%llx, the CPU model has no XSAVE",
					     (unsigned long long)xcr0);
	if (ioctl(v->fd, KVM_SET_XCRS, &xcrs) != 0)
		return refused(error, "KVM_SET_XCRS", "XCR0");
	return 0;
}

static int get_sys(struct vmm__kvm_vcpu *v, struct vmm_x86_sys *out, struct vmm_error *error)
{
	struct kvm_sregs2 sregs;

	memset(out, 0, sizeof(*out));
	if (ioctl(v->fd, KVM_GET_SREGS2, &sregs) != 0)
		return vmm__kvm_fail(error, "KVM_GET_SREGS2");
#define COPY(s) out->s = from_kvm_segment(&sregs.s);
	SEGMENTS(COPY)
#undef COPY
#define COPY(c) out->c = sregs.c;
	CONTROL(COPY)
#undef COPY
	out->gdt.base = sregs.gdt.base;
	out->gdt.limit = sregs.gdt.limit;
	out->idt.base = sregs.idt.base;
	out->idt.limit = sregs.idt.limit;
	if (sregs.flags & KVM_SREGS2_FLAGS_PDPTRS_VALID) {
		out->flags = VMM_X86_SYS_PDPTRS;
		for (int i = 0; i < 4; i++)
			out->pdptr[i] = sregs.pdptrs[i];
	}
	return get_xcr0(v, &out->xcr0, error);
}

static int set_sys(struct vmm__kvm_vcpu *v, const struct vmm_x86_sys *in, struct vmm_error *error)
{
	struct kvm_sregs2 sregs = {0};

	if (in->flags & ~VMM_X86_SYS_PDPTRS)
		return vmm__fail(error, -VMM_ERANGE, "vmm_vcpu_set_state", 0, "flags 0x%llx",
				 (unsigned long long)in->flags);
#define COPY(s) sregs.s = to_kvm_segment(&in->s);
	SEGMENTS(COPY)
#undef COPY
#define COPY(c) sregs.c = in->c;
	CONTROL(COPY)
#undef COPY
	sregs.gdt.base = in->gdt.base;
	sregs.gdt.limit = in->gdt.limit;
	sregs.idt.base = in->idt.base;
	sregs.idt.limit = in->idt.limit;
	if (in->flags & VMM_X86_SYS_PDPTRS) {
		sregs.flags = KVM_SREGS2_FLAGS_PDPTRS_VALID;
		for (int i = 0; i < 4; i++)
			sregs.pdptrs[i] = in->pdptr[i];
	}
	if (ioctl(v->fd, KVM_SET_SREGS2, &sregs) != 0)
		return refused(error, "KVM_SET_SREGS2", "the segments or control registers");
	v->run->cr8 = in->cr8; /* taken over at entry where there is no APIC in the kernel */
	return set_xcr0(v, in->xcr0, error);
}

/* --- debug registers --- */

static int get_debug(struct vmm__kvm_vcpu *v, struct vmm_x86_debug_regs *out,
		     struct vmm_error *error)
{
	struct kvm_debugregs regs;

	if (ioctl(v->fd, KVM_GET_DEBUGREGS, &regs) != 0)
		return vmm__kvm_fail(error, "KVM_GET_DEBUGREGS");
	for (int i = 0; i < 4; i++)
		out->dr[i] = regs.db[i];
	out->dr6 = regs.dr6;
	out->dr7 = regs.dr7;
	return 0;
}

static int set_debug(struct vmm__kvm_vcpu *v, const struct vmm_x86_debug_regs *in,
		     struct vmm_error *error)
{
	struct kvm_debugregs regs = {.dr6 = in->dr6, .dr7 = in->dr7};

	for (int i = 0; i < 4; i++)
		regs.db[i] = in->dr[i];
	if (ioctl(v->fd, KVM_SET_DEBUGREGS, &regs) != 0)
		return refused(error, "KVM_SET_DEBUGREGS", "DR6 or DR7");
	return 0;
}

/* --- XSAVE by component --- */

/* Where a component's bytes stand in the standard format; up to two runs. */
struct place {
	uint32_t offset[2];
	uint32_t len[2];
};

static int place_of(struct vmm__kvm_vcpu *v, uint32_t component, struct place *p)
{
	uint32_t offset, size;

	memset(p, 0, sizeof(*p));
	if (component == 0) {
		*p = (struct place){{0, 32}, {24, 128}};
		return 0;
	}
	if (component == 1) {
		*p = (struct place){{24, 160}, {8, 256}};
		return 0;
	}
	if (component >= 63 || !vmm__kvm_xsave_component(v, component, &offset, &size) ||
	    !vmm__range_within(offset, size, v->vm->xsave_size))
		return -VMM_ENOENT;
	p->offset[0] = offset;
	p->len[0] = size;
	return 0;
}

static int read_xsave(struct vmm__kvm_vcpu *v, struct vmm_error *error)
{
	if (ioctl(v->fd, KVM_GET_XSAVE2, v->xsave) != 0)
		return vmm__kvm_fail(error, "KVM_GET_XSAVE2");
	return 0;
}

static int write_xsave(struct vmm__kvm_vcpu *v, struct vmm_error *error)
{
	if (ioctl(v->fd, KVM_SET_XSAVE, v->xsave) != 0)
		return refused(error, "KVM_SET_XSAVE", "the XSAVE area");
	return 0;
}

static int get_xsave(struct vmm__kvm_vcpu *v, uint32_t component, uint8_t *out,
		     struct vmm_error *error)
{
	struct place p;
	int r = place_of(v, component, &p);

	if (r == 0)
		r = read_xsave(v, error);
	if (r != 0)
		return r;
	memcpy(out, (uint8_t *)v->xsave + p.offset[0], p.len[0]);
	memcpy(out + p.len[0], (uint8_t *)v->xsave + p.offset[1], p.len[1]);
	return 0;
}

/* XSTATE_BV says which components are not in their initial state. */
static void mark_used(struct vmm__kvm_vcpu *v, uint64_t components)
{
	uint64_t used;

	memcpy(&used, (uint8_t *)v->xsave + XSAVE_HEADER, sizeof(used));
	used |= components;
	memcpy((uint8_t *)v->xsave + XSAVE_HEADER, &used, sizeof(used));
}

static void put_xsave(struct vmm__kvm_vcpu *v, const struct place *p, const uint8_t *in)
{
	memcpy((uint8_t *)v->xsave + p->offset[0], in, p->len[0]);
	memcpy((uint8_t *)v->xsave + p->offset[1], in + p->len[0], p->len[1]);
}

static int set_xsave(struct vmm__kvm_vcpu *v, uint32_t component, const uint8_t *in,
		     struct vmm_error *error)
{
	struct place p;
	int r = place_of(v, component, &p);

	if (r == 0)
		r = read_xsave(v, error);
	if (r != 0)
		return r;
	put_xsave(v, &p, in);
	mark_used(v, BIT(component));
	return write_xsave(v, error);
}

int vmm__kvm_reset_xsave(struct vmm__kvm_vcpu *v, struct vmm_error *error)
{
	uint8_t x87[VMM_X86_XSAVE_X87_SIZE], sse[VMM_X86_XSAVE_SSE_SIZE];
	struct place p0, p1;

	vmm__x86_reset_x87(x87);
	vmm__x86_reset_sse(sse);
	place_of(v, 0, &p0);
	place_of(v, 1, &p1);
	memset(v->xsave, 0, v->vm->xsave_size);
	put_xsave(v, &p0, x87);
	put_xsave(v, &p1, sse);
	mark_used(v, 3);
	return write_xsave(v, error);
}

/* --- MSRs --- */

static int get_msrs(struct vmm__kvm_vcpu *v, struct vmm_x86_msr *msrs, size_t count,
		    struct vmm_error *error)
{
	for (size_t i = 0; i < count; i++) {
		if (vmm__kvm_get_msr(v, msrs[i].index, &msrs[i].value) != 0)
			return vmm__fail(error, -VMM_ENOENT, "KVM_GET_MSRS", 0,
					 "no MSR 0x%x on this vCPU", msrs[i].index);
	}
	return 0;
}

static int set_msrs(struct vmm__kvm_vcpu *v, const struct vmm_x86_msr *msrs, size_t count,
		    struct vmm_error *error)
{
	for (size_t i = 0; i < count; i++) {
		if (vmm__kvm_set_msr(v, msrs[i].index, msrs[i].value) != 0)
			return vmm__fail(error, -VMM_ERANGE, "KVM_SET_MSRS", 0,
					 "KVM refuses 0x%llx for MSR 0x%x",
					 (unsigned long long)msrs[i].value, msrs[i].index);
	}
	return 0;
}

/* --- events --- */

static void get_exception(const struct kvm_vcpu_events *k, struct vmm_x86_event *out)
{
	if (!k->exception.injected && !k->exception.pending)
		return;
	out->state = k->exception.injected ? VMM_X86_EVENT_INJECTED : VMM_X86_EVENT_PENDING;
	out->vector = k->exception.nr;
	if (k->exception.has_error_code) {
		out->flags |= VMM_X86_EVENT_F_ERROR;
		out->error_code = k->exception.error_code;
	}
	if (k->exception_has_payload) {
		out->flags |= VMM_X86_EVENT_F_PAYLOAD;
		out->payload = k->exception_payload;
	}
}

static int get_events(struct vmm__kvm_vcpu *v, struct vmm_x86_events *out, struct vmm_error *error)
{
	struct kvm_vcpu_events k;

	vmm__kvm_flush_nmis(v);
	if (ioctl(v->fd, KVM_GET_VCPU_EVENTS, &k) != 0)
		return vmm__kvm_fail(error, "KVM_GET_VCPU_EVENTS");
	memset(out, 0, sizeof(*out));
	get_exception(&k, &out->exception);
	if (k.interrupt.injected) {
		out->interrupt.state = VMM_X86_EVENT_INJECTED;
		out->interrupt.vector = k.interrupt.nr;
		out->interrupt.flags = k.interrupt.soft ? VMM_X86_EVENT_F_SOFT : 0;
	}
	out->shadow = (k.interrupt.shadow & KVM_X86_SHADOW_INT_STI ? VMM_X86_SHADOW_STI : 0) |
		      (k.interrupt.shadow & KVM_X86_SHADOW_INT_MOV_SS ? VMM_X86_SHADOW_MOV_SS : 0);
	out->nmi_pending = k.nmi.pending;
	out->nmi_injected = k.nmi.injected;
	out->nmi_masked = k.nmi.masked;
	out->smm = k.smi.smm;
	out->smi_pending = k.smi.pending;
	out->init_latched = k.smi.latched_init;
	if (k.flags & KVM_VCPUEVENT_VALID_TRIPLE_FAULT)
		out->triple_fault = k.triple_fault.pending;
	return 0;
}

static void set_exception(const struct vmm_x86_event *in, struct kvm_vcpu_events *k)
{
	k->exception.injected = in->state == VMM_X86_EVENT_INJECTED;
	k->exception.pending = in->state == VMM_X86_EVENT_PENDING;
	if (in->state == VMM_X86_EVENT_NONE)
		return;
	k->exception.nr = (uint8_t)in->vector;
	k->exception.has_error_code = (in->flags & VMM_X86_EVENT_F_ERROR) != 0;
	k->exception.error_code = in->error_code;
	k->exception_has_payload = (in->flags & VMM_X86_EVENT_F_PAYLOAD) != 0;
	k->exception_payload = in->payload;
}

static int check_events(const struct vmm__kvm_vcpu *v, const struct vmm_x86_events *in,
			struct vmm_error *error)
{
	const char *what = NULL;

	if (in->exception.state > VMM_X86_EVENT_INJECTED || in->exception.vector > 31)
		what = "an exception of that state or vector";
	else if (in->interrupt.state == VMM_X86_EVENT_PENDING ||
		 in->interrupt.state > VMM_X86_EVENT_INJECTED || in->interrupt.vector > 255)
		what = "an interrupt of that state or vector";
	else if (in->exception.state == VMM_X86_EVENT_INJECTED &&
		 (in->exception.flags & VMM_X86_EVENT_F_PAYLOAD))
		what = "a payload of an exception whose delivery has begun";
	else if (in->triple_fault && !v->vm->has_triple_fault)
		what = "a pending triple fault";
	else if (in->smm && v->vm->irqchip != VMM_IRQCHIP_ARCH)
		what = "system management mode without a controller";
	return what ? vmm__fail(error, -VMM_ERANGE, "vmm_vcpu_set_state", 0, "KVM does not take %s",
				what)
		    : 0;
}

static int set_events(struct vmm__kvm_vcpu *v, const struct vmm_x86_events *in,
		      struct vmm_error *error)
{
	struct kvm_vcpu_events k = {
		.flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW |
			 KVM_VCPUEVENT_VALID_SMM | KVM_VCPUEVENT_VALID_PAYLOAD,
	};
	int r = check_events(v, in, error);

	if (r != 0)
		return r;
	atomic_store(&v->nmis, 0);
	set_exception(&in->exception, &k);
	k.interrupt.injected = in->interrupt.state == VMM_X86_EVENT_INJECTED;
	k.interrupt.nr = (uint8_t)in->interrupt.vector;
	k.interrupt.soft = (in->interrupt.flags & VMM_X86_EVENT_F_SOFT) != 0;
	if (in->shadow & VMM_X86_SHADOW_STI)
		k.interrupt.shadow |= KVM_X86_SHADOW_INT_STI;
	if (in->shadow & VMM_X86_SHADOW_MOV_SS)
		k.interrupt.shadow |= KVM_X86_SHADOW_INT_MOV_SS;
	k.nmi.pending = (uint8_t)in->nmi_pending;
	k.nmi.injected = in->nmi_injected != 0;
	k.nmi.masked = in->nmi_masked != 0;
	k.smi.smm = in->smm != 0;
	k.smi.pending = in->smi_pending != 0;
	k.smi.latched_init = in->init_latched != 0;
	if (v->vm->has_triple_fault) {
		k.flags |= KVM_VCPUEVENT_VALID_TRIPLE_FAULT;
		k.triple_fault.pending = in->triple_fault != 0;
	}
	if (ioctl(v->fd, KVM_SET_VCPU_EVENTS, &k) != 0)
		return refused(error, "KVM_SET_VCPU_EVENTS", "the events");
	return 0;
}

/* --- local APIC --- */

static int need_irqchip(const struct vmm__kvm_vm *vm, struct vmm_error *error)
{
	if (vm->irqchip == VMM_IRQCHIP_ARCH)
		return 0;
	return vmm__fail(error, -VMM_ENOTSUP, "state", 0, "the VM has no interrupt controller");
}

#define LAPIC_TIMER   0x32 /* SDM 3A 11.5.4: the mode in bits 18 and 17, 0 for one-shot */
#define LAPIC_INITIAL 0x38
#define LAPIC_LATENT  0x29
#define LAPIC_CURRENT 0x39

static bool timer_has_expired(const uint32_t *reg)
{
	return (reg[LAPIC_TIMER] & BITS(18, 17)) == 0 && reg[LAPIC_INITIAL] != 0 &&
	       reg[LAPIC_CURRENT] == 0;
}

static int read_lapic(struct vmm__kvm_vcpu *v, struct vmm_x86_lapic *out, struct vmm_error *error)
{
	struct kvm_lapic_state k;

	if (ioctl(v->fd, KVM_GET_LAPIC, &k) != 0)
		return vmm__kvm_fail(error, "KVM_GET_LAPIC");
	for (size_t i = 0; i < ARRAY_SIZE(out->reg); i++)
		memcpy(&out->reg[i], k.regs + 16 * i, sizeof(out->reg[i]));
	return 0;
}

/* A timer that expires while its vCPU is not in KVM_RUN stands in no register until it is again. */
static int get_lapic(struct vmm__kvm_vcpu *v, struct vmm_x86_lapic *out, struct vmm_error *error)
{
	int r = need_irqchip(v->vm, error);

	if (r == 0)
		r = read_lapic(v, out, error);
	if (r != 0 || !timer_has_expired(out->reg))
		return r;
	vmm__kvm_take_timer(v);
	return read_lapic(v, out, error);
}

static int set_lapic(struct vmm__kvm_vcpu *v, const struct vmm_x86_lapic *in,
		     struct vmm_error *error)
{
	struct kvm_lapic_state k = {0};
	int r = need_irqchip(v->vm, error);

	if (r != 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(in->reg); i++)
		if (i != LAPIC_LATENT) /* KVM would keep it as it is, and give it back */
			memcpy(k.regs + 16 * i, &in->reg[i], sizeof(in->reg[i]));
	/* Of one that has expired KVM would raise the interrupt again. */
	if (timer_has_expired(in->reg))
		memset(k.regs + 16 * LAPIC_INITIAL, 0, sizeof(in->reg[0]));
	if (ioctl(v->fd, KVM_SET_LAPIC, &k) != 0)
		return refused(error, "KVM_SET_LAPIC", "the local APIC's registers");
	return 0;
}

/* --- multiprocessor state --- */

static int get_mp(struct vmm__kvm_vcpu *v, struct vmm_x86_mp *out, struct vmm_error *error)
{
	struct kvm_vcpu_events events;
	struct kvm_mp_state mp;

	memset(out, 0, sizeof(*out));
	if (ioctl(v->fd, KVM_GET_MP_STATE, &mp) != 0)
		return vmm__kvm_fail(error, "KVM_GET_MP_STATE");
	switch (mp.mp_state) {
	case KVM_MP_STATE_UNINITIALIZED:
	case KVM_MP_STATE_INIT_RECEIVED:
		out->state = VMM_X86_MP_WAIT_SIPI;
		return 0;
	case KVM_MP_STATE_HALTED:
		out->state = VMM_X86_MP_HALTED;
		return 0;
	case KVM_MP_STATE_SIPI_RECEIVED:
		if (ioctl(v->fd, KVM_GET_VCPU_EVENTS, &events) != 0)
			return vmm__kvm_fail(error, "KVM_GET_VCPU_EVENTS");
		out->state = VMM_X86_MP_SIPI;
		out->sipi_vector = events.sipi_vector;
		return 0;
	default:
		out->state = VMM_X86_MP_RUNNABLE;
		return 0;
	}
}

/* The vector of a start-up IPI, or an INIT that is to be acted on at the next entry. */
static int set_mp_event(struct vmm__kvm_vcpu *v, const struct vmm_x86_mp *in,
			struct vmm_error *error)
{
	struct kvm_vcpu_events k;

	if (ioctl(v->fd, KVM_GET_VCPU_EVENTS, &k) != 0)
		return vmm__kvm_fail(error, "KVM_GET_VCPU_EVENTS");
	k.flags = KVM_VCPUEVENT_VALID_PAYLOAD;
	if (in->state == VMM_X86_MP_SIPI) {
		k.flags |= KVM_VCPUEVENT_VALID_SIPI_VECTOR;
		k.sipi_vector = in->sipi_vector;
	} else {
		k.flags |= KVM_VCPUEVENT_VALID_SMM;
		k.smi.latched_init = 1;
	}
	if (ioctl(v->fd, KVM_SET_VCPU_EVENTS, &k) != 0)
		return refused(error, "KVM_SET_VCPU_EVENTS", "the start-up IPI");
	return 0;
}

static int set_mp(struct vmm__kvm_vcpu *v, const struct vmm_x86_mp *in, struct vmm_error *error)
{
	static const uint32_t states[] = {
		[VMM_X86_MP_RUNNABLE] = KVM_MP_STATE_RUNNABLE,
		[VMM_X86_MP_WAIT_SIPI] = KVM_MP_STATE_INIT_RECEIVED,
		[VMM_X86_MP_INIT] = KVM_MP_STATE_RUNNABLE,
		[VMM_X86_MP_HALTED] = KVM_MP_STATE_HALTED,
		[VMM_X86_MP_SIPI] = KVM_MP_STATE_SIPI_RECEIVED,
	};
	struct kvm_mp_state mp;
	int r;

	if (in->state >= ARRAY_SIZE(states) || in->sipi_vector > 255)
		return vmm__fail(error, -VMM_ERANGE, "vmm_vcpu_set_state", 0,
				 "multiprocessor state %u, vector %u", in->state, in->sipi_vector);
	/* Without APICs KVM knows one state only. */
	if (v->vm->irqchip != VMM_IRQCHIP_ARCH && in->state != VMM_X86_MP_RUNNABLE)
		return vmm__fail(error, -VMM_ERANGE, "vmm_vcpu_set_state", 0,
				 "without a controller every vCPU is runnable");
	mp.mp_state = states[in->state];
	if (ioctl(v->fd, KVM_SET_MP_STATE, &mp) != 0)
		return refused(error, "KVM_SET_MP_STATE", "the multiprocessor state");
	r = 0;
	if (in->state == VMM_X86_MP_SIPI || in->state == VMM_X86_MP_INIT)
		r = set_mp_event(v, in, error);
	return r;
}

/* --- TSC --- */

/*
 * A vCPU's TSC is the host's, scaled, plus an offset (Documentation/virt/kvm/devices/vcpu.rst,
 * 4.1). It is read and written by that offset: KVM takes a write within a second of the expected
 * value for an attempt to synchronise, and ignores it. While guest time is stopped
 * (vmm_vm_pause()), the host's value is that of the stop, so that vCPUs which are saved or restored
 * one after the other have the same time.
 */
static int get_offset(struct vmm__kvm_vcpu *v, uint64_t *offset, struct vmm_error *error)
{
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)offset,
	};

	if (ioctl(v->fd, KVM_GET_DEVICE_ATTR, &attr) != 0)
		return vmm__kvm_fail(error, "KVM_VCPU_TSC_OFFSET");
	return 0;
}

static int set_offset(struct vmm__kvm_vcpu *v, uint64_t offset, struct vmm_error *error)
{
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&offset,
	};

	if (ioctl(v->fd, KVM_SET_DEVICE_ATTR, &attr) != 0)
		return vmm__kvm_fail(error, "KVM_VCPU_TSC_OFFSET");
	return 0;
}

/* Ticks of the guest's TSC in so many of the host's. */
static uint64_t scale(struct vmm__kvm_vcpu *v, uint64_t ticks)
{
	int khz = ioctl(v->fd, KVM_GET_TSC_KHZ, 0);

	if (khz <= 0 || v->host_khz == 0 || (uint32_t)khz == v->host_khz)
		return ticks;
	return ticks / v->host_khz * (uint32_t)khz +
	       ticks % v->host_khz * (uint32_t)khz / v->host_khz;
}

static uint64_t without_offset(struct vmm__kvm_vcpu *v)
{
	return scale(v, v->vm->stopped ? v->vm->stopped_tsc : __rdtsc());
}

static int get_tsc(struct vmm__kvm_vcpu *v, struct vmm_x86_tsc *out, struct vmm_error *error)
{
	int khz = ioctl(v->fd, KVM_GET_TSC_KHZ, 0);
	uint64_t offset;
	int r;

	memset(out, 0, sizeof(*out));
	if (khz < 0)
		return vmm__kvm_fail(error, "KVM_GET_TSC_KHZ");
	r = get_offset(v, &offset, error);
	if (r != 0)
		return r;
	out->khz = (uint32_t)khz;
	out->value = without_offset(v) + offset;
	/* A model without it reads as 0. */
	if (vmm__kvm_get_msr(v, X86_MSR_TSC_ADJUST, &out->adjust) != 0)
		out->adjust = 0;
	return 0;
}

static int set_adjust(struct vmm__kvm_vcpu *v, uint64_t value, struct vmm_error *error)
{
	uint64_t now;

	/* A model without it has nothing to set. */
	if (vmm__kvm_get_msr(v, X86_MSR_TSC_ADJUST, &now) == 0 && now != value &&
	    vmm__kvm_set_msr(v, X86_MSR_TSC_ADJUST, value) != 0)
		return vmm__fail(error, -VMM_ERANGE, "KVM_SET_MSRS", 0,
				 "KVM refuses IA32_TSC_ADJUST");
	return 0;
}

/*
 * All vCPUs count from the same moment, whenever each is reset. KVM tells the guest that its
 * paravirtual clock is alike on all vCPUs only while their offsets are
 * (Documentation/virt/kvm/x86/timekeeping.rst, 4.4).
 */
int vmm__kvm_reset_tsc(struct vmm__kvm_vcpu *v, struct vmm_error *error)
{
	int r = set_adjust(v, 0, error);

	return r == 0 ? set_offset(v, 0 - scale(v, v->vm->tsc_zero), error) : r;
}

static int set_khz(struct vmm__kvm_vcpu *v, uint32_t khz, struct vmm_error *error)
{
	int now = ioctl(v->fd, KVM_GET_TSC_KHZ, 0);

	if (khz == 0 || now == (int)khz)
		return 0;
	if (ioctl(v->fd, KVM_SET_TSC_KHZ, (unsigned long)khz) != 0)
		return vmm__fail(error, -VMM_ERANGE, "KVM_SET_TSC_KHZ", errno,
				 "%u kHz; the host's TSC has %d, and cannot be scaled so", khz,
				 now);
	return 0;
}

static int set_tsc(struct vmm__kvm_vcpu *v, const struct vmm_x86_tsc *in, struct vmm_error *error)
{
	int r;

	if (in->reserved != 0)
		return vmm__fail(error, -VMM_ERANGE, "vmm_vcpu_set_state", 0, "reserved is not 0");
	r = set_khz(v, in->khz, error);
	if (r != 0)
		return r;
	r = set_adjust(v, in->adjust, error);
	return r == 0 ? set_offset(v, in->value - without_offset(v), error) : r;
}

/* --- the classes together --- */

int vmm__kvm_state_size(void *vcpu, uint32_t cls, uint32_t index, size_t *size)
{
	struct place p;
	int r;

	if (cls != VMM_STATE_X86_XSAVE && index != 0)
		return cls >= VMM_STATE_X86_REGS && cls <= VMM_STATE_X86_TSC ? -VMM_ENOENT
									     : -VMM_EINVAL;
	switch (cls) {
	case VMM_STATE_X86_REGS:
		*size = sizeof(struct vmm_x86_regs);
		return 0;
	case VMM_STATE_X86_SYS:
		*size = sizeof(struct vmm_x86_sys);
		return 0;
	case VMM_STATE_X86_DEBUG:
		*size = sizeof(struct vmm_x86_debug_regs);
		return 0;
	case VMM_STATE_X86_XSAVE:
		r = place_of(vcpu, index, &p);
		if (r == 0)
			*size = p.len[0] + p.len[1];
		return r;
	case VMM_STATE_X86_MSRS:
		*size = sizeof(struct vmm_x86_msr);
		return 0;
	case VMM_STATE_X86_EVENTS:
		*size = sizeof(struct vmm_x86_events);
		return 0;
	case VMM_STATE_X86_LAPIC:
		*size = sizeof(struct vmm_x86_lapic);
		return 0;
	case VMM_STATE_X86_MP:
		*size = sizeof(struct vmm_x86_mp);
		return 0;
	case VMM_STATE_X86_TSC:
		*size = sizeof(struct vmm_x86_tsc);
		return 0;
	default:
		return -VMM_EINVAL;
	}
}

int vmm__kvm_get_state(void *vcpu, uint32_t cls, uint32_t index, void *buf, size_t size,
		       struct vmm_error *error)
{
	switch (cls) {
	case VMM_STATE_X86_REGS:
		return get_regs(vcpu, buf, error);
	case VMM_STATE_X86_SYS:
		return get_sys(vcpu, buf, error);
	case VMM_STATE_X86_DEBUG:
		return get_debug(vcpu, buf, error);
	case VMM_STATE_X86_XSAVE:
		return get_xsave(vcpu, index, buf, error);
	case VMM_STATE_X86_MSRS:
		return get_msrs(vcpu, buf, size / sizeof(struct vmm_x86_msr), error);
	case VMM_STATE_X86_EVENTS:
		return get_events(vcpu, buf, error);
	case VMM_STATE_X86_LAPIC:
		return get_lapic(vcpu, buf, error);
	case VMM_STATE_X86_MP:
		return get_mp(vcpu, buf, error);
	case VMM_STATE_X86_TSC:
		return get_tsc(vcpu, buf, error);
	default:
		return -VMM_EINVAL;
	}
}

int vmm__kvm_set_state(void *vcpu, uint32_t cls, uint32_t index, const void *buf, size_t size,
		       struct vmm_error *error)
{
	switch (cls) {
	case VMM_STATE_X86_REGS:
		return set_regs(vcpu, buf, error);
	case VMM_STATE_X86_SYS:
		return set_sys(vcpu, buf, error);
	case VMM_STATE_X86_DEBUG:
		return set_debug(vcpu, buf, error);
	case VMM_STATE_X86_XSAVE:
		return set_xsave(vcpu, index, buf, error);
	case VMM_STATE_X86_MSRS:
		return set_msrs(vcpu, buf, size / sizeof(struct vmm_x86_msr), error);
	case VMM_STATE_X86_EVENTS:
		return set_events(vcpu, buf, error);
	case VMM_STATE_X86_LAPIC:
		return set_lapic(vcpu, buf, error);
	case VMM_STATE_X86_MP:
		return set_mp(vcpu, buf, error);
	case VMM_STATE_X86_TSC:
		return set_tsc(vcpu, buf, error);
	default:
		return -VMM_EINVAL;
	}
}

/* --- the VM's classes --- */

static int get_ioapic(struct vmm__kvm_vm *vm, struct vmm_x86_ioapic *out, struct vmm_error *error)
{
	struct kvm_irqchip chip = {.chip_id = KVM_IRQCHIP_IOAPIC};
	int r = need_irqchip(vm, error);

	if (r != 0)
		return r;
	if (ioctl(vm->fd, KVM_GET_IRQCHIP, &chip) != 0)
		return vmm__kvm_fail(error, "KVM_GET_IRQCHIP");
	memset(out, 0, sizeof(*out));
	out->base = chip.chip.ioapic.base_address;
	out->id = chip.chip.ioapic.id;
	out->select = chip.chip.ioapic.ioregsel;
	out->irr = chip.chip.ioapic.irr;
	for (int i = 0; i < KVM_PINS; i++)
		out->redirection[i] = chip.chip.ioapic.redirtbl[i].bits;
	return 0;
}

static int set_ioapic(struct vmm__kvm_vm *vm, const struct vmm_x86_ioapic *in,
		      struct vmm_error *error)
{
	struct kvm_irqchip chip = {.chip_id = KVM_IRQCHIP_IOAPIC};
	int r = need_irqchip(vm, error);

	if (r != 0)
		return r;
	chip.chip.ioapic.base_address = in->base;
	chip.chip.ioapic.id = in->id;
	chip.chip.ioapic.ioregsel = in->select;
	chip.chip.ioapic.irr = in->irr;
	for (int i = 0; i < KVM_PINS; i++)
		chip.chip.ioapic.redirtbl[i].bits = in->redirection[i];
	if (ioctl(vm->fd, KVM_SET_IRQCHIP, &chip) != 0)
		return refused(error, "KVM_SET_IRQCHIP", "the IOAPIC's registers");
	return 0;
}

static int need_pic(const struct vmm__kvm_vm *vm, struct vmm_error *error)
{
	if (vm->flags & VMM_VM_PIC)
		return 0;
	return vmm__fail(error, -VMM_ENOTSUP, "state", 0, "the VM has no 8259s");
}

static int get_pic(struct vmm__kvm_vm *vm, struct vmm_x86_pic *out, struct vmm_error *error)
{
	int r = need_pic(vm, error);

	for (uint32_t i = 0; i < 2 && r == 0; i++) {
		struct kvm_irqchip chip = {.chip_id = KVM_IRQCHIP_PIC_MASTER + i};
		const struct kvm_pic_state *k = &chip.chip.pic;

		if (ioctl(vm->fd, KVM_GET_IRQCHIP, &chip) != 0)
			return vmm__kvm_fail(error, "KVM_GET_IRQCHIP");
		out->chip[i] = (struct vmm_x86_pic_chip){
			.lines = k->last_irr,
			.irr = k->irr,
			.imr = k->imr,
			.isr = k->isr,
			.priority = k->priority_add,
			.base = k->irq_base,
			.read_isr = k->read_reg_select,
			.poll = k->poll,
			.special_mask = k->special_mask,
			.awaits = k->init_state,
			.auto_eoi = k->auto_eoi,
			.rotate = k->rotate_on_auto_eoi,
			.nested = k->special_fully_nested_mode,
			.wants_icw4 = k->init4,
			.elcr = k->elcr,
		};
	}
	return r;
}

static int set_pic(struct vmm__kvm_vm *vm, const struct vmm_x86_pic *in, struct vmm_error *error)
{
	static const uint8_t elcr_bits[2] = {0xf8, 0xde};
	int r = need_pic(vm, error);

	for (uint32_t i = 0; i < 2 && r == 0; i++) {
		const struct vmm_x86_pic_chip *c = &in->chip[i];
		struct kvm_irqchip chip = {.chip_id = KVM_IRQCHIP_PIC_MASTER + i};

		chip.chip.pic = (struct kvm_pic_state){
			.last_irr = c->lines,
			.irr = c->irr,
			.imr = c->imr,
			.isr = c->isr,
			.priority_add = c->priority & 7,
			.irq_base = c->base & 0xf8,
			.read_reg_select = c->read_isr,
			.poll = c->poll,
			.special_mask = c->special_mask,
			.init_state = c->awaits & 3,
			.auto_eoi = c->auto_eoi,
			.rotate_on_auto_eoi = c->rotate,
			.special_fully_nested_mode = c->nested,
			.init4 = c->wants_icw4,
			.elcr = c->elcr & elcr_bits[i],
			.elcr_mask = elcr_bits[i],
		};
		if (ioctl(vm->fd, KVM_SET_IRQCHIP, &chip) != 0)
			return refused(error, "KVM_SET_IRQCHIP", "the 8259s' registers");
	}
	return r;
}

static int get_clock(struct vmm__kvm_vm *vm, uint64_t *ns, struct vmm_error *error)
{
	struct kvm_clock_data clock = {0};

	if (vm->stopped) {
		*ns = vm->stopped_clock;
		return 0;
	}
	if (ioctl(vm->fd, KVM_GET_CLOCK, &clock) != 0)
		return vmm__kvm_fail(error, "KVM_GET_CLOCK");
	*ns = clock.clock;
	return 0;
}

static int set_clock(struct vmm__kvm_vm *vm, uint64_t ns, struct vmm_error *error)
{
	struct kvm_clock_data clock = {.clock = ns};

	vm->stopped_clock = ns;
	if (ioctl(vm->fd, KVM_SET_CLOCK, &clock) != 0)
		return refused(error, "KVM_SET_CLOCK", "the clock");
	return 0;
}

static int check_vm_class(uint32_t cls, uint32_t index, size_t size, struct vmm_error *error)
{
	size_t want = cls == VMM_STATE_X86_IOAPIC  ? sizeof(struct vmm_x86_ioapic)
		      : cls == VMM_STATE_X86_CLOCK ? sizeof(struct vmm_x86_clock)
		      : cls == VMM_STATE_X86_PIC   ? sizeof(struct vmm_x86_pic)
						   : 0;

	if (want == 0)
		return vmm__fail(error, -VMM_EINVAL, "state", 0, "VMs have no class 0x%x", cls);
	if (index != 0)
		return vmm__fail(error, -VMM_ENOENT, "state", 0, "index %u", index);
	if (size != want)
		return vmm__fail(error, -VMM_ESIZE, "state", 0, "%u bytes given, class has %u",
				 (unsigned)size, (unsigned)want);
	return 0;
}

int vmm__kvm_vm_get_state(void *vm, uint32_t cls, uint32_t index, void *buf, size_t size,
			  struct vmm_error *error)
{
	int r = check_vm_class(cls, index, size, error);

	if (r != 0)
		return r;
	if (cls == VMM_STATE_X86_IOAPIC)
		return get_ioapic(vm, buf, error);
	if (cls == VMM_STATE_X86_PIC)
		return get_pic(vm, buf, error);
	return get_clock(vm, &((struct vmm_x86_clock *)buf)->ns, error);
}

int vmm__kvm_vm_set_state(void *vm, uint32_t cls, uint32_t index, const void *buf, size_t size,
			  struct vmm_error *error)
{
	int r = check_vm_class(cls, index, size, error);

	if (r != 0)
		return r;
	if (cls == VMM_STATE_X86_IOAPIC)
		return set_ioapic(vm, buf, error);
	if (cls == VMM_STATE_X86_PIC)
		return set_pic(vm, buf, error);
	return set_clock(vm, ((const struct vmm_x86_clock *)buf)->ns, error);
}

/* --- stopping guest time --- */

/* Taking what has gone by meanwhile off the offset lets a TSC go on where it stood, alike on all
 * vCPUs. */
static int shift_tsc(struct vmm__kvm_vcpu *v, uint64_t ticks, struct vmm_error *error)
{
	uint64_t offset;
	int r = get_offset(v, &offset, error);

	return r == 0 ? set_offset(v, offset - ticks, error) : r;
}

int vmm__kvm_clock_stop(void *opaque, uint32_t stop, struct vmm_error *error)
{
	struct vmm__kvm_vm *vm = opaque;
	uint64_t gone;
	int r = 0;

	if (stop) {
		vm->stopped_tsc = __rdtsc();
		r = get_clock(vm, &vm->stopped_clock, error);
		vm->stopped = r == 0;
		return r;
	}
	gone = __rdtsc() - vm->stopped_tsc;
	vm->stopped = false;
	for (struct vmm__kvm_vcpu *v = vm->vcpus; v && r == 0; v = v->next)
		r = shift_tsc(v, scale(v, gone), error);
	return r == 0 ? set_clock(vm, vm->stopped_clock, error) : r;
}

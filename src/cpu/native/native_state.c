// SPDX-License-Identifier: BSD-2-Clause-Patent
/* State by class, between the library's encoding (x86.h) and the block. */
#include "native.h"

#include "endian.h"
#include "x86_paging.h"
#include "x86_reset.h"

/* Of PAE's directory pointers, which cannot be loaded with them: SDM 3A table 4-8. */
#define PDPTR_RESERVED (BITS(2, 1) | BITS(8, 5))

/* CR4's bits that no register of this engine's guests has. */
#define CR4_RESERVED (BITS(63, 24) | BIT(15) | BIT(13) | BIT(14) | BIT(19))

static int refuse(struct vmm_error *error, const char *what)
{
	return vmm__fail(error, -VMM_ERANGE, "vmm_vcpu_set_state", 0, "the engine does not take %s",
			 what);
}

/* --- general registers --- */

/* clang-format off */
#define IN_WORLD(X) X(rbx) X(rcx) X(rdx) X(rsi) X(rdi) X(rbp) \
	X(r8) X(r9) X(r10) X(r11) X(r12) X(r13) X(r14) X(r15)
#define IN_VMCB(X) X(rax) X(rsp) X(rip) X(rflags)
/* clang-format on */

static void get_regs(const struct vmm__native_vcpu *v, struct vmm_x86_regs *out)
{
#define COPY(r) out->r = v->world.r;
	IN_WORLD(COPY)
#undef COPY
#define COPY(r) out->r = v->vmcb->r;
	IN_VMCB(COPY)
#undef COPY
}

static void set_regs(struct vmm__native_vcpu *v, const struct vmm_x86_regs *in)
{
#define COPY(r) v->world.r = in->r;
	IN_WORLD(COPY)
#undef COPY
#define COPY(r) v->vmcb->r = in->r;
	IN_VMCB(COPY)
#undef COPY
	v->vmcb->rflags |= 2;
}

/* --- segments and system registers --- */

struct vmm_x86_segment vmm__native_from_segment(const struct svm_segment *s)
{
	return (struct vmm_x86_segment){
		.base = s->base,
		.limit = s->limit,
		.attr = (uint32_t)((s->attr & SVM_SEG_LOW) | (s->attr & SVM_SEG_TOP) << 4) |
			(s->attr & SVM_SEG_P ? 0 : VMM_X86_SEG_UNUSABLE),
		.selector = s->selector,
	};
}

/* The block has no bit for what is not usable: it is not present. */
static struct svm_segment to_svm(const struct vmm_x86_segment *s)
{
	uint64_t attr = (s->attr & SVM_SEG_LOW) | (s->attr >> 4 & SVM_SEG_TOP);

	if (s->attr & VMM_X86_SEG_UNUSABLE)
		attr &= ~SVM_SEG_P;
	return (struct svm_segment){s->selector, (uint16_t)attr, s->limit, s->base};
}

/* Where each stands, in the library's encoding and in the block. */
struct segment_place {
	uint16_t sys, block;
};

#define PLACE(name, in_block)                                                           \
	{                                                                               \
		offsetof(struct vmm_x86_sys, name), offsetof(struct svm_vmcb, in_block) \
	}

static const struct segment_place segments[] = {
	PLACE(cs, cs), PLACE(ds, ds), PLACE(es, es), PLACE(fs, fs),
	PLACE(gs, gs), PLACE(ss, ss), PLACE(tr, tr), PLACE(ldt, ldtr),
};

static void get_segments(const struct svm_vmcb *vmcb, struct vmm_x86_sys *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(segments); i++) {
		const void *from = (const uint8_t *)vmcb + segments[i].block;
		void *to = (uint8_t *)out + segments[i].sys;

		*(struct vmm_x86_segment *)to = vmm__native_from_segment(from);
	}
}

static void set_segments(struct svm_vmcb *vmcb, const struct vmm_x86_sys *in)
{
	for (size_t i = 0; i < ARRAY_SIZE(segments); i++) {
		const void *from = (const uint8_t *)in + segments[i].sys;
		void *to = (uint8_t *)vmcb + segments[i].block;

		*(struct svm_segment *)to = to_svm(from);
	}
}

static void get_pdptrs(struct vmm__native_vcpu *v, struct vmm_x86_sys *out)
{
	if (!vmm__native_pdptes(v, out->pdptr))
		return;
	out->flags = VMM_X86_SYS_PDPTRS;
	for (uint32_t i = 0; i < 4; i++)
		out->pdptr[i] &= ~PDPTR_RESERVED;
}

static void get_sys(struct vmm__native_vcpu *v, struct vmm_x86_sys *out)
{
	const struct svm_vmcb *vmcb = v->vmcb;

	vmm__native_regs(v, false);
	memset(out, 0, sizeof(*out));
	get_segments(vmcb, out);
	out->ss.attr = (out->ss.attr & ~VMM_X86_SEG_DPL(3)) | VMM_X86_SEG_DPL(vmcb->cpl);
	out->gdt = (struct vmm_x86_table){vmcb->gdtr.base, (uint16_t)vmcb->gdtr.limit, {0}};
	out->idt = (struct vmm_x86_table){vmcb->idtr.base, (uint16_t)vmcb->idtr.limit, {0}};
	out->cr0 = vmcb->cr0;
	out->cr2 = vmcb->cr2;
	out->cr3 = vmcb->cr3;
	out->cr4 = vmcb->cr4;
	out->cr8 = vmm__native_cr8(v);
	out->efer = vmcb->efer & ~v->vm->ops->efer;
	out->apic_base = vmm__native_has_irqchip(v) ? atomic_load(&v->lapic.base) : v->apic_base;
	out->xcr0 = v->has_xsave ? v->world.xcr0 : 0;
	get_pdptrs(v, out);
}

/* APM2 15.5.1, the conditions under which VMRUN fails; not every emulator looks. */
static const char *bad_sys(const struct vmm__native_vcpu *v, const struct vmm_x86_sys *in)
{
	bool paging = (in->cr0 & X86_CR0_PG) != 0, pae = (in->cr4 & X86_CR4_PAE) != 0;
	bool lme = (in->efer & X86_EFER_LME) != 0, lma = (in->efer & X86_EFER_LMA) != 0;

	if ((in->cr0 & BITS(63, 32)) || (paging && !(in->cr0 & X86_CR0_PE)) ||
	    ((in->cr0 & X86_CR0_NW) && !(in->cr0 & X86_CR0_CD)))
		return "CR0";
	if (in->cr4 & CR4_RESERVED)
		return "CR4";
	if (in->efer & ~vmm__native_efer_bits(v))
		return "EFER";
	if (lma != (lme && paging) || (lma && !pae))
		return "EFER.LMA";
	if (lma && (in->cs.attr & VMM_X86_SEG_L) && (in->cs.attr & VMM_X86_SEG_DB))
		return "CS";
	if ((in->cr3 & BITS(63, 52)) || in->cr8 > 15)
		return "CR3 or CR8";
	if (v->has_xsave ? !vmm__native_xcr0_valid(v, in->xcr0) : in->xcr0 != 0)
		return "XCR0";
	if (in->flags & ~VMM_X86_SYS_PDPTRS)
		return "flags";
	return NULL;
}

static int set_sys(struct vmm__native_vcpu *v, const struct vmm_x86_sys *in,
		   struct vmm_error *error)
{
	struct svm_vmcb *vmcb = v->vmcb;
	const char *bad = bad_sys(v, in);

	if (!bad && vmm__native_has_irqchip(v) &&
	    !vmm__lapic_restore_base(&v->lapic, in->apic_base, v->phys_bits))
		bad = "IA32_APIC_BASE";
	if (bad)
		return refuse(error, bad);
	vmm__native_regs(v, true);
	set_segments(vmcb, in);
	vmcb->cpl = (uint8_t)(in->ss.attr >> 5 & 3);
	vmcb->gdtr = (struct svm_segment){.limit = in->gdt.limit, .base = in->gdt.base};
	vmcb->idtr = (struct svm_segment){.limit = in->idt.limit, .base = in->idt.base};
	vmcb->cr0 = in->cr0 | X86_CR0_ET;
	vmcb->cr2 = in->cr2;
	vmcb->cr3 = in->cr3;
	vmcb->cr4 = in->cr4;
	vmcb->efer = in->efer | v->vm->ops->efer;
	v->apic_base = in->apic_base;
	vmm__native_set_cr8(v, in->cr8);
	v->world.xcr0 = v->has_xsave ? in->xcr0 : 1;
	v->world.live = 0;
	v->pdptes_held = false;
	/* Translations by the old registers may not be used any more. */
	vmm__native_request(v, NATIVE_REQ_FLUSH);
	return 0;
}

/* --- debug registers --- */

static void get_debug(struct vmm__native_vcpu *v, struct vmm_x86_debug_regs *out)
{
	vmm__native_regs(v, false);
	memcpy(out->dr, v->dr, sizeof(out->dr));
	out->dr6 = v->vmcb->dr6;
	out->dr7 = v->watching ? v->guest_dr7 : v->vmcb->dr7;
}

static int set_debug(struct vmm__native_vcpu *v, const struct vmm_x86_debug_regs *in,
		     struct vmm_error *error)
{
	if ((in->dr6 | in->dr7) & BITS(63, 32))
		return refuse(error, "DR6 or DR7");
	memcpy(v->dr, in->dr, sizeof(v->dr));
	vmm__native_regs(v, true);
	v->vmcb->dr6 = in->dr6;
	v->guest_dr7 = in->dr7;
	if (v->watching)
		return 0;
	v->vmcb->dr7 = in->dr7;
	v->dr_live = (in->dr7 & 0xff) != 0;
	v->vm->ops->trap_dr(v, !v->dr_live);
	return 0;
}

/* --- XSAVE by component --- */

/* Where a component's bytes stand in the standard format; up to two runs. */
struct place {
	uint32_t offset[2];
	uint32_t len[2];
};

static int place_of(const struct vmm__native_vcpu *v, uint32_t component, struct place *p)
{
	uint32_t offset, size;

	*p = (struct place){{0}, {0}};
	if (component == 0) {
		*p = (struct place){{0, 32}, {24, 128}};
		return 0;
	}
	if (component == 1) {
		*p = (struct place){{24, 160}, {8, 256}};
		return 0;
	}
	if (!vmm__native_xsave_component(v, component, &offset, &size))
		return -VMM_ENOENT;
	p->offset[0] = offset;
	p->len[0] = size;
	return 0;
}

static bool in_use(const struct vmm__native_vcpu *v, uint32_t component)
{
	const uint8_t *area = v->world.fpu;

	return v->world.xall == 0 || (vmm__le64(area + NATIVE_XSAVE_BV) >> component & 1);
}

static void mark_used(struct vmm__native_vcpu *v, uint64_t components)
{
	uint8_t *area = v->world.fpu;

	if (v->world.xall != 0)
		vmm__put_le64(area + NATIVE_XSAVE_BV,
			      vmm__le64(area + NATIVE_XSAVE_BV) | components);
}

/* What a component that XSAVE has left out holds. MXCSR is stored whatever XSTATE_BV says. */
static void put_initial(const struct vmm__native_vcpu *v, uint32_t component, uint8_t *out,
			uint32_t len)
{
	const uint8_t *area = v->world.fpu;

	memset(out, 0, len);
	if (component == 0)
		vmm__put_le16(out, 0x37f); /* FNINIT's */
	else if (component == 1)
		memcpy(out, area + 24, 8);
}

static int get_xsave(const struct vmm__native_vcpu *v, uint32_t component, uint8_t *out)
{
	const uint8_t *area = v->world.fpu;
	struct place p;
	int r = place_of(v, component, &p);

	if (r != 0)
		return r;
	if (!in_use(v, component)) {
		put_initial(v, component, out, p.len[0] + p.len[1]);
		return 0;
	}
	memcpy(out, area + p.offset[0], p.len[0]);
	memcpy(out + p.len[0], area + p.offset[1], p.len[1]);
	return 0;
}

/* Bits of MXCSR that are none make XRSTOR fault (SDM 1 10.2.3). */
static bool bad_mxcsr(const struct vmm__native_vcpu *v, const uint8_t *sse)
{
	const uint8_t *area = v->world.fpu;
	uint32_t mask = vmm__le32(area + 28);

	return (vmm__le32(sse) & ~(mask ? mask : 0xffbf)) != 0;
}

static int set_xsave(struct vmm__native_vcpu *v, uint32_t component, const uint8_t *in,
		     struct vmm_error *error)
{
	uint8_t *area = v->world.fpu;
	struct place p;
	int r = place_of(v, component, &p);

	if (r != 0)
		return r;
	if (component == 1 && bad_mxcsr(v, in))
		return refuse(error, "MXCSR");
	memcpy(area + p.offset[0], in, component == 1 ? 4 : p.len[0]); /* the mask is no state */
	memcpy(area + p.offset[1], in + p.len[0], p.len[1]);
	mark_used(v, BIT(component));
	v->world.live = 0;
	return 0;
}

void vmm__native_reset_fpu(struct vmm__native_vcpu *v)
{
	uint8_t x87[VMM_X86_XSAVE_X87_SIZE], sse[VMM_X86_XSAVE_SSE_SIZE];
	uint8_t *area = v->world.fpu;
	struct vmm_error ignored;

	vmm__x86_reset_x87(x87);
	vmm__x86_reset_sse(sse);
	memset(area, 0, v->vm->fpu_bytes);
	v->world.live = 0;
	set_xsave(v, 0, x87, &ignored);
	set_xsave(v, 1, sse, &ignored);
}

/* --- MSRs --- */

static int get_msrs(struct vmm__native_vcpu *v, struct vmm_x86_msr *msrs, size_t count,
		    struct vmm_error *error)
{
	vmm__native_regs(v, false);
	for (size_t i = 0; i < count; i++) {
		if (vmm__native_get_msr(v, msrs[i].index, true, &msrs[i].value) != 0)
			return vmm__fail(error, -VMM_ENOENT, "vmm_vcpu_get_state", 0,
					 "no MSR 0x%x on this vCPU", msrs[i].index);
	}
	return 0;
}

static int set_msrs(struct vmm__native_vcpu *v, const struct vmm_x86_msr *msrs, size_t count,
		    struct vmm_error *error)
{
	vmm__native_regs(v, true);
	for (size_t i = 0; i < count; i++) {
		if (vmm__native_set_msr(v, msrs[i].index, true, msrs[i].value) != 0)
			return vmm__fail(error, -VMM_ERANGE, "vmm_vcpu_set_state", 0,
					 "0x%llx for MSR 0x%x is refused",
					 (unsigned long long)msrs[i].value, msrs[i].index);
	}
	return 0;
}

/* --- events --- */

static void get_events(struct vmm__native_vcpu *v, struct vmm_x86_events *out)
{
	uint32_t type = (uint32_t)FIELD_GET(SVM_EVENT_TYPE, v->inject);
	struct vmm_x86_event *e = type == SVM_EVENT_EXCEPTION ? &out->exception : &out->interrupt;

	memset(out, 0, sizeof(*out));
	if (v->inject != 0 && type == SVM_EVENT_NMI) {
		out->nmi_injected = 1;
	} else if (v->inject != 0) {
		e->state = v->has_payload ? VMM_X86_EVENT_PENDING : VMM_X86_EVENT_INJECTED;
		e->vector = (uint32_t)FIELD_GET(SVM_EVENT_VECTOR, v->inject);
		if (v->inject & SVM_EVENT_EV) {
			e->flags |= VMM_X86_EVENT_F_ERROR;
			e->error_code = (uint32_t)FIELD_GET(SVM_EVENT_ERROR, v->inject);
		}
		if (v->has_payload) {
			e->flags |= VMM_X86_EVENT_F_PAYLOAD;
			e->payload = v->payload;
		}
	}
	/* The block does not tell one shadow from the other. */
	out->shadow = v->vmcb->shadow & SVM_INT_SHADOW ? VMM_X86_SHADOW_STI : 0;
	out->nmi_pending = atomic_load(&v->nmis);
	out->nmi_masked = v->nmi_masked;
	out->triple_fault = v->triple_fault;
}

static const char *bad_events(const struct vmm_x86_events *in)
{
	if (in->exception.state > VMM_X86_EVENT_INJECTED || in->exception.vector > 31)
		return "an exception of that state or vector";
	if (in->interrupt.state == VMM_X86_EVENT_PENDING ||
	    in->interrupt.state > VMM_X86_EVENT_INJECTED || in->interrupt.vector > 255)
		return "an interrupt of that state or vector";
	if ((in->exception.state != 0) + (in->interrupt.state != 0) + (in->nmi_injected != 0) > 1)
		return "two events in delivery";
	if (in->exception.state == VMM_X86_EVENT_INJECTED &&
	    (in->exception.flags & VMM_X86_EVENT_F_PAYLOAD))
		return "a payload of an exception whose delivery has begun";
	if (in->smm || in->smi_pending || in->init_latched)
		return "system management mode";
	return NULL;
}

static int set_events(struct vmm__native_vcpu *v, const struct vmm_x86_events *in,
		      struct vmm_error *error)
{
	const char *bad = bad_events(in);

	if (bad)
		return refuse(error, bad);
	v->inject = 0;
	v->has_payload = false;
	if (in->exception.state != VMM_X86_EVENT_NONE) {
		v->inject = vmm__native_event(SVM_EVENT_EXCEPTION, in->exception.vector);
		if (in->exception.flags & VMM_X86_EVENT_F_ERROR)
			v->inject |=
				SVM_EVENT_EV | FIELD_PUT(SVM_EVENT_ERROR, in->exception.error_code);
		v->has_payload = (in->exception.flags & VMM_X86_EVENT_F_PAYLOAD) != 0;
		v->payload = in->exception.payload;
	} else if (in->interrupt.state != VMM_X86_EVENT_NONE) {
		/* A software interrupt is an instruction that has not ended: it is run again. */
		if (!(in->interrupt.flags & VMM_X86_EVENT_F_SOFT))
			v->inject = vmm__native_event(SVM_EVENT_INTR, in->interrupt.vector);
	} else if (in->nmi_injected) {
		v->inject = vmm__native_event(SVM_EVENT_NMI, 2);
	}
	v->vmcb->shadow = in->shadow != 0;
	atomic_store(&v->nmis, in->nmi_pending);
	/* One in delivery masks others; VMX only says so once it has been delivered. */
	v->nmi_masked = (in->nmi_masked | in->nmi_injected) != 0;
	v->nmi_iret = false;
	v->vm->ops->watch_nmi(v);
	v->triple_fault = in->triple_fault != 0;
	vmm__native_request(v, NATIVE_REQ_EVENT);
	return 0;
}

/* --- multiprocessor state, TSC --- */

static int set_mp(struct vmm__native_vcpu *v, const struct vmm_x86_mp *in, struct vmm_error *error)
{
	if (in->state > VMM_X86_MP_SIPI || in->sipi_vector > 255)
		return refuse(error, "that multiprocessor state");
	if (v->vm->irqchip != VMM_IRQCHIP_ARCH && in->state != VMM_X86_MP_RUNNABLE)
		return refuse(error, "a vCPU that waits, without a controller");
	v->mp = in->state;
	v->sipi_vector = in->sipi_vector;
	vmm__native_request(v, NATIVE_REQ_EVENT);
	return 0;
}

/* Two measurements of one TSC differ by less than this part of it. */
#define KHZ_TOLERANCE 1000u

static int set_tsc(struct vmm__native_vcpu *v, const struct vmm_x86_tsc *in,
		   struct vmm_error *error)
{
	uint32_t own = v->vm->tsc_khz, apart = in->khz > own ? in->khz - own : own - in->khz;

	if (in->reserved != 0 || (in->khz != 0 && apart > own / KHZ_TOLERANCE))
		return refuse(error, "another TSC frequency than its own");
	v->tsc_adjust = in->adjust;
	vmm__native_set_tsc(v, in->value);
	return 0;
}

/* --- the classes together --- */

int vmm__native_state_size(void *vcpu, uint32_t cls, uint32_t index, size_t *size)
{
	static const size_t sizes[] = {
		[VMM_STATE_X86_REGS - VMM_STATE_X86_REGS] = sizeof(struct vmm_x86_regs),
		[VMM_STATE_X86_SYS - VMM_STATE_X86_REGS] = sizeof(struct vmm_x86_sys),
		[VMM_STATE_X86_DEBUG - VMM_STATE_X86_REGS] = sizeof(struct vmm_x86_debug_regs),
		[VMM_STATE_X86_XSAVE - VMM_STATE_X86_REGS] = 0,
		[VMM_STATE_X86_MSRS - VMM_STATE_X86_REGS] = sizeof(struct vmm_x86_msr),
		[VMM_STATE_X86_EVENTS - VMM_STATE_X86_REGS] = sizeof(struct vmm_x86_events),
		[VMM_STATE_X86_LAPIC - VMM_STATE_X86_REGS] = sizeof(struct vmm_x86_lapic),
		[VMM_STATE_X86_MP - VMM_STATE_X86_REGS] = sizeof(struct vmm_x86_mp),
		[VMM_STATE_X86_TSC - VMM_STATE_X86_REGS] = sizeof(struct vmm_x86_tsc),
	};
	struct place p;
	int r;

	if (cls < VMM_STATE_X86_REGS || cls > VMM_STATE_X86_TSC)
		return -VMM_EINVAL;
	if (cls == VMM_STATE_X86_XSAVE) {
		r = place_of(vcpu, index, &p);
		if (r == 0)
			*size = p.len[0] + p.len[1];
		return r;
	}
	if (index != 0)
		return -VMM_ENOENT;
	*size = sizes[cls - VMM_STATE_X86_REGS];
	return 0;
}

static int need_irqchip(const struct vmm__native_vm *vm, struct vmm_error *error)
{
	if (vm->irqchip == VMM_IRQCHIP_ARCH)
		return 0;
	return vmm__fail(error, -VMM_ENOTSUP, "state", 0, "the VM has no interrupt controller");
}

static int get_lapic(struct vmm__native_vcpu *v, struct vmm_x86_lapic *out, struct vmm_error *error)
{
	struct vmm__lapic_now now = vmm__native_now(v);
	int r = need_irqchip(v->vm, error);

	if (r == 0)
		vmm__lapic_get(&v->lapic, &now, out);
	return r;
}

static int set_lapic(struct vmm__native_vcpu *v, const struct vmm_x86_lapic *in,
		     struct vmm_error *error)
{
	struct vmm__lapic_now now = vmm__native_now(v);
	int r = need_irqchip(v->vm, error);

	if (r != 0)
		return r;
	vmm__lapic_set(&v->lapic, &now, in);
	vmm__native_request(v, NATIVE_REQ_EVENT);
	return 0;
}

int vmm__native_get_state(void *vcpu, uint32_t cls, uint32_t index, void *buf, size_t size,
			  struct vmm_error *error)
{
	struct vmm__native_vcpu *v = vcpu;

	if (cls == VMM_STATE_X86_MP || cls == VMM_STATE_X86_LAPIC || cls == VMM_STATE_X86_EVENTS)
		vmm__native_irq_settle(v);
	switch (cls) {
	case VMM_STATE_X86_REGS:
		get_regs(v, buf);
		return 0;
	case VMM_STATE_X86_SYS:
		get_sys(v, buf);
		return 0;
	case VMM_STATE_X86_DEBUG:
		get_debug(v, buf);
		return 0;
	case VMM_STATE_X86_XSAVE:
		return get_xsave(v, index, buf);
	case VMM_STATE_X86_MSRS:
		return get_msrs(v, buf, size / sizeof(struct vmm_x86_msr), error);
	case VMM_STATE_X86_EVENTS:
		get_events(v, buf);
		return 0;
	case VMM_STATE_X86_LAPIC:
		return get_lapic(v, buf, error);
	case VMM_STATE_X86_MP:
		*(struct vmm_x86_mp *)buf = (struct vmm_x86_mp){v->mp, v->sipi_vector};
		return 0;
	case VMM_STATE_X86_TSC:
		*(struct vmm_x86_tsc *)buf =
			(struct vmm_x86_tsc){vmm__native_tsc(v), v->tsc_adjust, v->vm->tsc_khz, 0};
		return 0;
	default:
		return -VMM_EINVAL;
	}
}

int vmm__native_set_state(void *vcpu, uint32_t cls, uint32_t index, const void *buf, size_t size,
			  struct vmm_error *error)
{
	struct vmm__native_vcpu *v = vcpu;

	switch (cls) {
	case VMM_STATE_X86_REGS:
		set_regs(v, buf);
		return 0;
	case VMM_STATE_X86_SYS:
		return set_sys(v, buf, error);
	case VMM_STATE_X86_DEBUG:
		return set_debug(v, buf, error);
	case VMM_STATE_X86_XSAVE:
		return set_xsave(v, index, buf, error);
	case VMM_STATE_X86_MSRS:
		return set_msrs(v, buf, size / sizeof(struct vmm_x86_msr), error);
	case VMM_STATE_X86_EVENTS:
		return set_events(v, buf, error);
	case VMM_STATE_X86_LAPIC:
		return set_lapic(v, buf, error);
	case VMM_STATE_X86_MP:
		return set_mp(v, buf, error);
	case VMM_STATE_X86_TSC:
		return set_tsc(v, buf, error);
	default:
		return -VMM_EINVAL;
	}
}

/* --- the VM's classes --- */

static int need_pic(const struct vmm__native_vm *vm, struct vmm_error *error)
{
	if (vm->chip.has_pic)
		return 0;
	return vmm__fail(error, -VMM_ENOTSUP, "state", 0, "the VM has no 8259s");
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

int vmm__native_vm_get_state(void *opaque, uint32_t cls, uint32_t index, void *buf, size_t size,
			     struct vmm_error *error)
{
	struct vmm__native_vm *vm = opaque;
	int r = check_vm_class(cls, index, size, error);

	if (r == 0 && cls == VMM_STATE_X86_IOAPIC)
		r = need_irqchip(vm, error);
	if (r == 0 && cls == VMM_STATE_X86_PIC)
		r = need_pic(vm, error);
	if (r != 0)
		return r;
	if (cls == VMM_STATE_X86_IOAPIC)
		vmm__ioapic_get(&vm->chip, buf);
	else if (cls == VMM_STATE_X86_PIC)
		vmm__pic_get(&vm->chip.pic, buf);
	else
		((struct vmm_x86_clock *)buf)->ns = vmm__native_clock_ns(vm);
	return 0;
}

int vmm__native_vm_set_state(void *opaque, uint32_t cls, uint32_t index, const void *buf,
			     size_t size, struct vmm_error *error)
{
	struct vmm__native_vm *vm = opaque;
	int r = check_vm_class(cls, index, size, error);

	if (r == 0 && cls == VMM_STATE_X86_IOAPIC)
		r = need_irqchip(vm, error);
	if (r == 0 && cls == VMM_STATE_X86_PIC)
		r = need_pic(vm, error);
	if (r != 0)
		return r;
	if (cls == VMM_STATE_X86_PIC) {
		vmm__pic_set(&vm->chip.pic, buf);
		return 0;
	}
	if (cls == VMM_STATE_X86_IOAPIC)
		return vmm__ioapic_set(&vm->chip, buf) ? 0 : refuse(error, "the IOAPIC's base");
	vmm__native_set_clock(vm, ((const struct vmm_x86_clock *)buf)->ns);
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Between the block and the VMCS, and what makes a guest leave. */
#include "vmx_engine.h"

#include "endian.h"
#include "x86_msr.h"
#include "x86_paging.h"

/* The guest's own bits of CR0: PE, MP, EM, TS, ET, WP, AM, PG. The rest is fixed, or is the host's
 * (caching), or does not exist: the guest has what it wrote, and no more. */
#define CR0_MASK (~UINT64_C(0x8005001f))
/* Of CR4, what it cannot have: VMXE, what its CPUID never shows (LA57, CET), and what does not
 * exist. */
#define CR4_MASK (BITS(63, 23) | BITS(15, 12) | BIT(19))

/* What always leaves the guest. */
#define EXCEPTIONS ((uint32_t)(BIT(NATIVE_DB) | BIT(NATIVE_AC) | BIT(NATIVE_MC)))

/* SVM's attributes are closed up: src/hw/svm.h. */
#define SEG_S   BIT(4)
#define SEG_DPL BITS(6, 5)

/* --- segments: in the order of the VMCS --- */

static struct svm_segment *segment(struct svm_vmcb *vmcb, uint32_t i)
{
	struct svm_segment *const all[8] = {&vmcb->es, &vmcb->cs, &vmcb->ss,   &vmcb->ds,
					    &vmcb->fs, &vmcb->gs, &vmcb->ldtr, &vmcb->tr};

	return all[i];
}

#define SEG_SS   2u
#define SEG_LDTR 6u
#define SEGMENTS 8u

/* 25.4.1: a segment that is not usable is not present in the block. */
static uint16_t from_access(uint64_t ar)
{
	uint64_t attr = (ar & SVM_SEG_LOW) | (ar >> 4 & SVM_SEG_TOP);

	return (uint16_t)(ar & VMX_AR_UNUSABLE ? attr & ~SVM_SEG_P : attr);
}

/* 27.3.1.2: what is loaded has been accessed. */
static uint64_t to_access(uint64_t attr, uint32_t i)
{
	uint64_t ar = (attr & SVM_SEG_LOW) | (attr & SVM_SEG_TOP) << 4;

	if (!(attr & SVM_SEG_P))
		return ar | VMX_AR_UNUSABLE;
	return i != SEG_LDTR && (attr & SEG_S) ? ar | 1 : ar;
}

static void read_segment(struct svm_vmcb *vmcb, uint32_t i)
{
	*segment(vmcb, i) = (struct svm_segment){
		.selector = (uint16_t)vmm__vmx_read(VMX_GUEST_ES + 2 * i),
		.attr = from_access(vmm__vmx_read(VMX_GUEST_ACCESS + 2 * i)),
		.limit = (uint32_t)vmm__vmx_read(VMX_GUEST_LIMIT + 2 * i),
		.base = vmm__vmx_read(VMX_GUEST_BASE + 2 * i),
	};
}

static void write_segment(struct svm_vmcb *vmcb, uint32_t i)
{
	const struct svm_segment *s = segment(vmcb, i);
	uint64_t ar = to_access(s->attr, i);

	if (i == SEG_SS)
		ar = (ar & ~SEG_DPL) | FIELD_PUT(SEG_DPL, vmcb->cpl);
	vmm__vmx_write(VMX_GUEST_ES + 2 * i, s->selector);
	vmm__vmx_write(VMX_GUEST_ACCESS + 2 * i, ar);
	vmm__vmx_write(VMX_GUEST_LIMIT + 2 * i, s->limit);
	vmm__vmx_write(VMX_GUEST_BASE + 2 * i, s->base);
}

/* --- from the VMCS --- */

void vmm__vmx_fetch(struct vmm__native_vcpu *v)
{
	struct vmm__vmx_vcpu *x = vmm__vmx(v);
	struct svm_vmcb *vmcb = v->vmcb;
	uint64_t blocking = vmm__vmx_read(VMX_GUEST_BLOCKING);

	vmcb->rip = vmm__vmx_read(VMX_GUEST_RIP);
	vmcb->rsp = vmm__vmx_read(VMX_GUEST_RSP);
	vmcb->rflags = vmm__vmx_read(VMX_GUEST_RFLAGS);
	vmcb->efer = vmm__vmx_read(VMX_GUEST_EFER);
	vmcb->cs.attr = from_access(vmm__vmx_read(VMX_GUEST_CS_AR));
	vmcb->cpl = (uint8_t)FIELD_GET(SEG_DPL, vmm__vmx_read(VMX_GUEST_SS_AR));
	vmcb->shadow = blocking & (VMX_BLOCK_STI | VMX_BLOCK_MOV_SS) ? SVM_INT_SHADOW : 0;
	v->nmi_masked = (blocking & VMX_BLOCK_NMI) != 0;
	x->pending = vmm__vmx_read(VMX_GUEST_PENDING);
	x->pending_rip = vmcb->rip;
}

static void read_cr(struct svm_vmcb *vmcb)
{
	vmcb->cr0 = (vmm__vmx_read(VMX_GUEST_CR0) & ~CR0_MASK) |
		    (vmm__vmx_read(VMX_CR0_SHADOW) & CR0_MASK);
	vmcb->cr3 = vmm__vmx_read(VMX_GUEST_CR3);
	vmcb->cr4 = (vmm__vmx_read(VMX_GUEST_CR4) & ~CR4_MASK) |
		    (vmm__vmx_read(VMX_CR4_SHADOW) & CR4_MASK);
}

void vmm__vmx_fetch_mode(struct vmm__native_vcpu *v)
{
	vmm__vmx_fetch(v);
	read_cr(v->vmcb);
	v->vmcb->exitintinfo = 0;
}

static void read_rest(struct svm_vmcb *vmcb)
{
	for (uint32_t i = 0; i < SEGMENTS; i++)
		read_segment(vmcb, i);
	vmcb->gdtr.limit = (uint32_t)vmm__vmx_read(VMX_GUEST_LIMIT + 16);
	vmcb->gdtr.base = vmm__vmx_read(VMX_GUEST_BASE + 16);
	vmcb->idtr.limit = (uint32_t)vmm__vmx_read(VMX_GUEST_LIMIT + 18);
	vmcb->idtr.base = vmm__vmx_read(VMX_GUEST_BASE + 18);
	read_cr(vmcb);
	vmcb->dr7 = vmm__vmx_read(VMX_GUEST_DR7);
	vmcb->g_pat = vmm__vmx_read(VMX_GUEST_PAT);
	vmcb->sysenter_cs = vmm__vmx_read(VMX_GUEST_SYSENTER_CS);
	vmcb->sysenter_esp = vmm__vmx_read(VMX_GUEST_SYSENTER_ESP);
	vmcb->sysenter_eip = vmm__vmx_read(VMX_GUEST_SYSENTER_EIP);
}

void vmm__vmx_regs(struct vmm__native_vcpu *v, bool change)
{
	struct vmm__vmx_vcpu *x = vmm__vmx(v);

	if (!x->held) {
		if (vmm__vmx_bring(v, &x->lost) != 0)
			return;
		read_rest(v->vmcb);
		for (uint32_t i = 0; i < 4; i++)
			v->pdptes[i] = vmm__vmx_read(VMX_GUEST_PDPTE0 + 2 * i);
		x->held = v->pdptes_held = true;
	}
	x->dirty = x->dirty || change;
}

/* --- to the VMCS --- */

static void set_entry(struct vmm__vmx_vcpu *x, bool long_mode)
{
	uint32_t entry = long_mode ? x->entry | (uint32_t)VMX_ENTRY_IA32E
				   : x->entry & (uint32_t)~VMX_ENTRY_IA32E;

	x->entry = entry;
	vmm__vmx_write(VMX_ENTRY, entry);
}

/*
 * PAE's directory pointers are registers, which the guest's own changes of CR0, CR3 and CR4 fill
 * from memory (SDM 3A 4.4.1), and an entry from here (27.3.2.4). What an entry would refuse
 * (27.3.1.6) is left out.
 */
static void write_pdptes(struct vmm__native_vcpu *v)
{
	uint64_t pdptes[4];

	if (!vmm__native_pdptes(v, pdptes))
		return;
	for (uint32_t i = 0; i < 4; i++)
		vmm__vmx_write(VMX_GUEST_PDPTE0 + 2 * i, pdptes[i] & ~X86_PDPTE_PAE_RESERVED);
}

static void write_rest(struct vmm__native_vcpu *v)
{
	struct svm_vmcb *vmcb = v->vmcb;
	uint64_t fixed = vmm__native_rdmsr(VMX_MSR_CR0_FIXED0) & ~(X86_CR0_PE | X86_CR0_PG);

	for (uint32_t i = 0; i < SEGMENTS; i++)
		write_segment(vmcb, i);
	vmm__vmx_write(VMX_GUEST_LIMIT + 16, vmcb->gdtr.limit);
	vmm__vmx_write(VMX_GUEST_BASE + 16, vmcb->gdtr.base);
	vmm__vmx_write(VMX_GUEST_LIMIT + 18, vmcb->idtr.limit);
	vmm__vmx_write(VMX_GUEST_BASE + 18, vmcb->idtr.base);
	vmm__vmx_write(VMX_GUEST_CR0, (vmcb->cr0 & ~(X86_CR0_NW | X86_CR0_CD)) | fixed);
	vmm__vmx_write(VMX_CR0_SHADOW, vmcb->cr0);
	vmm__vmx_write(VMX_GUEST_CR3, vmcb->cr3);
	vmm__vmx_write(VMX_GUEST_CR4, vmcb->cr4 | vmm__native_rdmsr(VMX_MSR_CR4_FIXED0));
	vmm__vmx_write(VMX_CR4_SHADOW, vmcb->cr4);
	vmm__vmx_write(VMX_GUEST_EFER, vmcb->efer);
	vmm__vmx_write(VMX_GUEST_DR7, vmcb->dr7 & UINT32_MAX);
	vmm__vmx_write(VMX_GUEST_PAT, vmcb->g_pat);
	vmm__vmx_write(VMX_GUEST_SYSENTER_CS, vmcb->sysenter_cs & UINT32_MAX);
	vmm__vmx_write(VMX_GUEST_SYSENTER_ESP, vmcb->sysenter_esp);
	vmm__vmx_write(VMX_GUEST_SYSENTER_EIP, vmcb->sysenter_eip);
	vmm__vmx_write(VMX_EXCEPTIONS, vmm__vmx(v)->exceptions);
	write_pdptes(v);
}

/* Hardware exceptions with an error code, in protected mode: 27.2.1.3. */
static bool has_error(uint32_t vector)
{
	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

static bool protected_mode(const struct vmm__vmx_vcpu *x)
{
	uint64_t cr0 = x->held ? x->native.vmcb->cr0 : vmm__vmx_read(VMX_GUEST_CR0);

	return (cr0 & X86_CR0_PE) != 0;
}

static void write_event(struct vmm__vmx_vcpu *x, uint64_t event)
{
	uint32_t type = (uint32_t)FIELD_GET(SVM_EVENT_TYPE, event);
	uint32_t vector = (uint32_t)FIELD_GET(SVM_EVENT_VECTOR, event);
	uint64_t info = VMX_EVENT_V | FIELD_PUT(VMX_EVENT_TYPE, type) | vector;

	if (type == VMX_EVENT_HARD && has_error(vector) && protected_mode(x)) {
		info |= VMX_EVENT_EV;
		vmm__vmx_write(VMX_ENTRY_ERROR, event & SVM_EVENT_EV
							? FIELD_GET(SVM_EVENT_ERROR, event) & 0xffff
							: 0);
	}
	vmm__vmx_write(VMX_ENTRY_EVENT, info);
}

/* 27.3.1.5: an NMI is not injected while they are blocked; its delivery blocks them. A single step
 * that was held back by a shadow is pending. */
static void write_blocking(struct vmm__vmx_vcpu *x, uint64_t event)
{
	const struct svm_vmcb *vmcb = x->native.vmcb;
	bool nmi = event != 0 && FIELD_GET(SVM_EVENT_TYPE, event) == SVM_EVENT_NMI;
	bool shadow = (vmcb->shadow & SVM_INT_SHADOW) != 0;
	uint64_t pending = x->pending_rip == vmcb->rip ? x->pending : 0;
	uint64_t blocking = shadow && (vmcb->rflags & X86_RFLAGS_IF) ? VMX_BLOCK_STI
			    : shadow                                 ? VMX_BLOCK_MOV_SS
								     : 0;

	if (x->native.nmi_masked && !nmi)
		blocking |= VMX_BLOCK_NMI;
	if (shadow && (vmcb->rflags & X86_RFLAGS_TF))
		pending |= VMX_PENDING_BS;
	else if (shadow)
		pending &= ~VMX_PENDING_BS;
	vmm__vmx_write(VMX_GUEST_BLOCKING, blocking);
	vmm__vmx_write(VMX_GUEST_PENDING, pending);
}

/* After STI an NMI is not injected, but a processor may call its window open (26.2): the guest
 * would leave again and again without an instruction. That for interrupts opens after it. */
static uint32_t nmi_window(const struct svm_vmcb *vmcb)
{
	bool sti = (vmcb->shadow & SVM_INT_SHADOW) && (vmcb->rflags & X86_RFLAGS_IF);
	bool delivers = (vmcb->eventinj & SVM_EVENT_V) != 0; /* which ends it: 27.7.1 */

	return (uint32_t)(sti && !delivers ? VMX_PROC_INT_WINDOW : VMX_PROC_NMI_WINDOW);
}

static void write_controls(struct vmm__vmx_vcpu *x)
{
	const struct vmm__native_vcpu *v = &x->native;
	uint32_t windows = (uint32_t)(VMX_PROC_INT_WINDOW | VMX_PROC_NMI_WINDOW | VMX_PROC_MOV_DR |
				      VMX_PROC_PAUSE);
	uint32_t proc = x->proc & ~windows;

	if (x->window)
		proc |= (uint32_t)VMX_PROC_INT_WINDOW;
	if (atomic_load(&v->nmis) != 0)
		proc |= nmi_window(v->vmcb);
	if (x->traps_dr)
		proc |= (uint32_t)VMX_PROC_MOV_DR;
	if (x->traps_pause)
		proc |= (uint32_t)VMX_PROC_PAUSE;
	if (proc != x->proc) {
		x->proc = proc;
		vmm__vmx_write(VMX_PROC, proc);
	}
	if (v->vmcb->tsc_offset != x->tsc_offset) {
		x->tsc_offset = v->vmcb->tsc_offset;
		vmm__vmx_write(VMX_TSC_OFFSET, x->tsc_offset);
	}
}

void vmm__vmx_store(struct vmm__native_vcpu *v)
{
	struct vmm__vmx_vcpu *x = vmm__vmx(v);
	struct svm_vmcb *vmcb = v->vmcb;

	if (x->dirty) {
		write_rest(v);
		set_entry(x, (vmcb->efer & X86_EFER_LMA) != 0);
	}
	vmm__vmx_write(VMX_GUEST_RIP, vmcb->rip);
	vmm__vmx_write(VMX_GUEST_RSP, vmcb->rsp);
	vmm__vmx_write(VMX_GUEST_RFLAGS, vmcb->rflags);
	write_blocking(x, vmcb->eventinj);
	if (vmcb->eventinj & SVM_EVENT_V)
		write_event(x, vmcb->eventinj);
	/* A dedicated vCPU halts by itself, until it is told something else. */
	if (v->dedicated && (x->dirty || vmcb->eventinj != 0))
		vmm__vmx_write(VMX_GUEST_ACTIVITY, 0);
	write_controls(x);
	if (vmcb->tlb_control != SVM_TLB_NOTHING)
		vmm__vmx_flush();
	vmcb->tlb_control = SVM_TLB_NOTHING;
	x->held = x->dirty = false;
}

/* --- the VMCS on a CPU --- */

/* All that never changes. */
static void make(struct vmm__vmx_vcpu *x)
{
	const struct vmm__native_vm *vm = x->native.vm;
	const uint8_t *msrpm = x->native.dedicated ? x->native.partition.msrpm : vm->msrpm;
	uint64_t iopm = vmm__native_phys(vm, vm->iopm);
	const uint64_t fields[][2] = {
		{VMX_PIN, x->pin},
		{VMX_PROC, x->proc},
		{VMX_PROC2, vmm__vmx_control(VMX_CONTROL_PROC2)},
		{VMX_EXIT, vmm__vmx_control(VMX_CONTROL_EXIT)},
		{VMX_IO_BITMAP_A, iopm},
		{VMX_IO_BITMAP_B, iopm + 4096},
		{VMX_MSR_BITMAP, vmm__native_phys(vm, msrpm)},
		{VMX_EPTP, vm->pt.root_pa | VMX_EPTP_WB | VMX_EPTP_WALK_4 | VMX_EPTP_AD},
		{VMX_VPID, VMX_ONE_VPID},
		{VMX_TSC_OFFSET, x->tsc_offset},
		{VMX_CR0_MASK, CR0_MASK},
		{VMX_CR4_MASK, CR4_MASK},
		{VMX_LINK, UINT64_MAX},
		{VMX_PF_MASK, 0},
		{VMX_PF_MATCH, 0},
		{VMX_CR3_TARGETS, 0},
		{VMX_EXIT_STORES, 0},
		{VMX_EXIT_LOADS, 0},
		{VMX_ENTRY_LOADS, 0},
		{VMX_ENTRY_EVENT, 0},
		{VMX_GUEST_DEBUGCTL, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		vmm__vmx_write(fields[i][0], fields[i][1]);
	if (!x->launched) /* a dedicated vCPU that settles may have halted */
		vmm__vmx_write(VMX_GUEST_ACTIVITY, 0);
	x->made = true;
}

/* Base of a system segment in 64-bit mode: SDM 3A 7.2.3. */
static uint64_t tss_base(const struct vmm__vmx_host *h)
{
	const uint8_t *d = (const uint8_t *)(uintptr_t)h->gdt.base + (h->tr & ~7u);

	return vmm__le16(d + 2) | (uint64_t)d[4] << 16 | (uint64_t)d[7] << 24 |
	       (uint64_t)vmm__le32(d + 8) << 32;
}

/*
 * On the way into a dedicated vCPU an NMI has its own gate, which turns back to the host; the
 * others are the host's, at whose IDT's base the exit points the CPU again (vmx_world.S).
 */
static void write_idt(struct vmm__vmx_vcpu *x)
{
	uintptr_t nmi = (uintptr_t)vmm__vmx_nmi_gate;

	x->idts[0] =
		(struct vmm__vmx_table){.base = (uintptr_t)x->idt, .limit = sizeof(x->idt) - 1};
	x->idts[1] = x->host.idt;
	memcpy(x->idt, (const void *)(uintptr_t)x->host.idt.base, sizeof(x->idt));
	/* SDM 3A 6.14.1: a 64-bit interrupt gate, on the stack that it comes on. */
	x->idt[4] = (nmi & 0xffff) | (uint64_t)x->host.cs << 16 | UINT64_C(0x8e00) << 32 |
		    (nmi >> 16 & 0xffff) << 48;
	x->idt[5] = nmi >> 32;
}

/* What an exit makes of the CPU: 25.5. */
static void write_host(struct vmm__vmx_vcpu *x)
{
	struct vmm__vmx_host *h = &x->host;

	vmm__vmx_host(h);
	x->host_cr3 = h->cr3;
	x->host_fs = vmm__native_rdmsr(X86_MSR_FS_BASE);
	x->host_gs = vmm__native_rdmsr(X86_MSR_GS_BASE);
	const uint64_t fields[][2] = {
		{VMX_HOST_CR0, h->cr0},
		{VMX_HOST_CR3, h->cr3},
		{VMX_HOST_CR4, h->cr4},
		{VMX_HOST_ES, h->es & ~7u},
		{VMX_HOST_CS, h->cs},
		{VMX_HOST_SS, h->ss},
		{VMX_HOST_DS, h->ds & ~7u},
		{VMX_HOST_FS, h->fs & ~7u},
		{VMX_HOST_GS, h->gs & ~7u},
		{VMX_HOST_TR, h->tr},
		{VMX_HOST_FS_BASE, x->host_fs},
		{VMX_HOST_GS_BASE, x->host_gs},
		{VMX_HOST_TR_BASE, tss_base(h)},
		{VMX_HOST_GDTR, h->gdt.base},
		{VMX_HOST_IDTR, h->idt.base},
		{VMX_HOST_SYSENTER_CS, vmm__native_rdmsr(X86_MSR_SYSENTER_CS)},
		{VMX_HOST_SYSENTER_ESP, vmm__native_rdmsr(X86_MSR_SYSENTER_ESP)},
		{VMX_HOST_SYSENTER_EIP, vmm__native_rdmsr(X86_MSR_SYSENTER_EIP)},
		{VMX_HOST_PAT, vmm__native_rdmsr(X86_MSR_PAT)},
		{VMX_HOST_EFER, vmm__native_rdmsr(X86_MSR_EFER)},
		{VMX_HOST_RIP, (uintptr_t)vmm__vmx_exit_point},
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		vmm__vmx_write(fields[i][0], fields[i][1]);
}

static void leave(void *arg)
{
	struct vmm__native_vcpu *v = arg;

	vmm__vmx_detach(&v->world);
}

static bool allow_vmx(void)
{
	uint64_t control_ = vmm__native_rdmsr(VMX_MSR_FEATURE_CONTROL);

	if (!(control_ & VMX_FEATURE_LOCK)) {
		control_ |= VMX_FEATURE_LOCK | VMX_FEATURE_VMXON;
		vmm__native_wrmsr(VMX_MSR_FEATURE_CONTROL, control_);
	}
	return (control_ & VMX_FEATURE_VMXON) != 0;
}

int vmm__vmx_bring(struct vmm__native_vcpu *v, struct vmm_error *error)
{
	struct vmm__vmx_vcpu *x = vmm__vmx(v);
	const struct vmm_host *host = v->vm->host;
	uint64_t cpu = host->thread_id(host->opaque);

	if (x->at == cpu && vmm__vmx_is_current(&v->world)) {
		if (!x->made)
			make(x);
		return 0;
	}
	if (x->at != 0 && x->at != cpu)
		host->cpu_call(host->opaque, x->at, leave, v);
	x->at = 0;
	x->launched = false;
	if (!allow_vmx() || !vmm__vmx_attach(&v->world))
		return vmm__fail(error, -VMM_EIO, "VMXON", 0, "VMX cannot be used on CPU %llu",
				 (unsigned long long)cpu);
	x->at = cpu;
	v->vmcb->tlb_control = SVM_TLB_ALL;
	write_host(x);
	if (v->dedicated)
		write_idt(x);
	if (!x->made)
		make(x);
	return 0;
}

void vmm__vmx_vcpu_fini(struct vmm__native_vcpu *v)
{
	const struct vmm_host *host = v->vm->host;
	struct vmm__vmx_vcpu *x = vmm__vmx(v);

	if (x->at != 0)
		host->cpu_call(host->opaque, x->at, leave, v);
	x->at = 0;
}

void vmm__vmx_vcpu_reset(struct vmm__native_vcpu *v)
{
	struct vmm__vmx_vcpu *x = vmm__vmx(v);
	uint32_t revision = (uint32_t)(vmm__native_rdmsr(VMX_MSR_BASIC) & VMX_BASIC_REVISION);

	vmm__vmx_vcpu_fini(v);
	v->world.own[VMX_OWN_BLOCK] = (uintptr_t)v->vmcb;
	memcpy(v->page[VMX_OWN_VMCS], &revision, sizeof(revision));
	memcpy(v->page[VMX_OWN_VMXON], &revision, sizeof(revision));
	x->made = x->window = x->traps_pause = false;
	x->traps_dr = x->held = x->dirty = true;
	x->exceptions = EXCEPTIONS;
	x->pending = x->tsc_offset = 0;
	x->deadline = UINT64_MAX;
	x->timer_shift = vmm__vmx_timer_shift();
	x->pin = vmm__vmx_control(VMX_CONTROL_PIN);
	x->proc = vmm__vmx_control(VMX_CONTROL_PROC) | (uint32_t)VMX_PROC_MOV_DR;
	x->entry = vmm__vmx_control(VMX_CONTROL_ENTRY);
}

/* --- what makes the guest leave --- */

/* Interrupts, HLT and the task priority are the guest's, and no timer of the host's runs. */
void vmm__vmx_dedicate(struct vmm__native_vcpu *v)
{
	struct vmm__vmx_vcpu *x = vmm__vmx(v);
	const uint32_t proc = (uint32_t)(VMX_PROC_HLT | VMX_PROC_CR8_LOAD | VMX_PROC_CR8_STORE);

	x->pin &= (uint32_t) ~(VMX_PIN_EXTINT | VMX_PIN_TIMER);
	x->pin |= vmm__vmx_forced(VMX_CONTROL_PIN);
	x->proc = (x->proc & ~proc) | vmm__vmx_forced(VMX_CONTROL_PROC);
	x->timer_shift = UINT32_MAX;
	x->made = false;
}

/* 25.6.9: a bit each, of four ranges. Writes to the MSRs of system calls are seen. */
void vmm__vmx_pass_msr(struct vmm__native_vm *vm, uint32_t msr, uint32_t access)
{
	uint32_t at = (msr & 0x1fff) / 8 + (msr < 0x2000 ? 0 : 1024);

	if (access == VMM_FILTER_WRITE) {
		if (msr >= X86_MSR_STAR && msr <= X86_MSR_SFMASK)
			return;
		at += 2048;
	}
	vm->msrpm[at] &= (uint8_t) ~(1u << (msr % 8));
}

void vmm__vmx_want_window(struct vmm__native_vcpu *v, bool on)
{
	vmm__vmx(v)->window = on;
}

/* Virtual NMIs: the processor keeps count of the blocking. */
void vmm__vmx_watch_nmi(struct vmm__native_vcpu *v)
{
	(void)v;
}

void vmm__vmx_trap_dr(struct vmm__native_vcpu *v, bool on)
{
	vmm__vmx(v)->traps_dr = on;
}

void vmm__vmx_trap_bp(struct vmm__native_vcpu *v, bool on)
{
	vmm__vmx(v)->exceptions = EXCEPTIONS | (on ? (uint32_t)BIT(NATIVE_BP) : 0);
}

void vmm__vmx_trap_pause(struct vmm__native_vcpu *v, bool on)
{
	vmm__vmx(v)->traps_pause = on;
}

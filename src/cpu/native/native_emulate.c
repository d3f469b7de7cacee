// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Between an exit and the emulator of src/cpu/x86: MMIO, strings on ports, instruction lengths. */
#include "native.h"

#include "endian.h"
#include "x86_paging.h"
#include "x86_reset.h"

#define PAGE      UINT64_C(4096)
#define XMM_FIRST 160u /* of an XSAVE area: SDM 1, table 10-2 */

/* Of a repeated instruction that are carried out before the guest goes on by itself. */
#define ROUNDS 64u

uint64_t *vmm__native_gpr(struct vmm__native_vcpu *v, uint32_t number)
{
	struct vmm__native_world *w = &v->world;
	uint64_t *const all[16] = {&v->vmcb->rax, &w->rcx, &w->rdx, &w->rbx, &v->vmcb->rsp, &w->rbp,
				   &w->rsi,       &w->rdi, &w->r8,  &w->r9,  &w->r10,       &w->r11,
				   &w->r12,       &w->r13, &w->r14, &w->r15};

	return all[number & 15];
}

/* --- what the emulator asks for --- */

static int write_memory(void *ctx, uint64_t gpa, const void *buf, size_t len)
{
	return vmm__native_write_guest(((struct vmm__native_vcpu *)ctx)->vm, gpa, buf, len);
}

static void get_segment(void *ctx, unsigned segment, struct vmm_x86_segment *out)
{
	const struct svm_vmcb *vmcb = ((struct vmm__native_vcpu *)ctx)->vmcb;
	const struct svm_segment *const all[6] = {&vmcb->es, &vmcb->cs, &vmcb->ss,
						  &vmcb->ds, &vmcb->fs, &vmcb->gs};

	*out = vmm__native_from_segment(all[segment]);
}

static uint8_t *xmm(struct vmm__native_vcpu *v, unsigned reg)
{
	return (uint8_t *)v->world.fpu + XMM_FIRST + 16 * reg;
}

/* The upper half of a YMM register, or NULL. */
static uint8_t *ymm_high(struct vmm__native_vcpu *v, unsigned reg)
{
	uint32_t offset, size;

	if (!vmm__native_xsave_component(v, 2, &offset, &size) || size < 16 * 16)
		return NULL;
	return (uint8_t *)v->world.fpu + offset + 16 * reg;
}

/* XSAVE leaves out what is in its initial state: make the bytes say so. */
static void materialise(struct vmm__native_vcpu *v, unsigned component)
{
	uint8_t *area = v->world.fpu;
	uint64_t in_use = vmm__le64(area + NATIVE_XSAVE_BV);
	uint32_t offset, size;

	if (v->world.xall == 0 || (in_use >> component & 1))
		return;
	if (component == 1)
		memset(area + XMM_FIRST, 0, 256);
	else if (vmm__native_xsave_component(v, component, &offset, &size))
		memset(area + offset, 0, size);
	vmm__put_le64(area + NATIVE_XSAVE_BV, in_use | BIT(component));
}

static void get_vector(void *ctx, unsigned reg, void *buf, size_t len)
{
	struct vmm__native_vcpu *v = ctx;
	const uint8_t *high = ymm_high(v, reg);

	materialise(v, 1);
	materialise(v, 2);
	memcpy(buf, xmm(v, reg), 16);
	if (len > 16 && high)
		memcpy((uint8_t *)buf + 16, high, 16);
}

static void set_vector(void *ctx, unsigned reg, const void *buf, size_t len, bool vex)
{
	struct vmm__native_vcpu *v = ctx;
	uint8_t *high = ymm_high(v, reg);

	materialise(v, 1);
	materialise(v, 2);
	memcpy(xmm(v, reg), buf, 16);
	v->world.live = 0;
	if (!high)
		return;
	if (len > 16)
		memcpy(high, (const uint8_t *)buf + 16, 16);
	else if (vex)
		memset(high, 0, 16);
}

static const struct vmm__x86_emulator_ops ops = {
	.read = vmm__native_read_guest,
	.write = write_memory,
	.segment = get_segment,
	.get_vector = get_vector,
	.set_vector = set_vector,
};

void vmm__native_emulate_init(struct vmm__native_vcpu *v)
{
	struct vmm__x86_emulator *e = &v->emulator;

	e->ops = &ops;
	e->ctx = v;
	for (uint32_t i = 0; i < 16; i++)
		e->gpr[i] = vmm__native_gpr(v, i);
	e->rip = &v->vmcb->rip;
	e->rflags = &v->vmcb->rflags;
	e->tables = (struct vmm__guest_memory){vmm__native_read_guest, v};
}

/* --- the guest's mode --- */

static uint32_t pkru(struct vmm__native_vcpu *v)
{
	const uint8_t *area = v->world.fpu;
	uint32_t offset, size;

	if (!(v->vmcb->cr4 & X86_CR4_PKE) || !vmm__native_xsave_component(v, 9, &offset, &size) ||
	    !(vmm__le64(area + NATIVE_XSAVE_BV) >> 9 & 1))
		return 0;
	return vmm__le32(area + offset);
}

/*
 * PAE's directory pointers are read where the processor reads them: 15.25.10. QEMU sets the
 * accessed bit there, which is reserved.
 */
bool vmm__native_pdptes(struct vmm__native_vcpu *v, uint64_t pdptes[4])
{
	const struct svm_vmcb *vmcb = v->vmcb;

	if (!(vmcb->cr0 & X86_CR0_PG) || !(vmcb->cr4 & X86_CR4_PAE) || (vmcb->efer & X86_EFER_LMA))
		return false;
	if (v->pdptes_held) {
		memcpy(pdptes, v->pdptes, sizeof(v->pdptes));
		return true;
	}
	if (vmm__native_read_guest(v, vmcb->cr3 & BITS(31, 5), pdptes, sizeof(v->pdptes)) != 0)
		return false;
	for (uint32_t i = 0; i < 4; i++)
		pdptes[i] &= ~X86_PTE_A;
	return true;
}

static void find_paging(struct vmm__native_vcpu *v, struct vmm__x86_paging *p)
{
	const struct svm_vmcb *vmcb = v->vmcb;
	*p = (struct vmm__x86_paging){
		.cr0 = vmcb->cr0,
		.cr3 = vmcb->cr3,
		.cr4 = vmcb->cr4,
		.efer = vmcb->efer,
		.rflags = vmcb->rflags,
		.pkru = pkru(v),
		.phys_bits = v->phys_bits,
	};
	p->pdpte_held = vmm__native_pdptes(v, p->pdpte);
}

static uint8_t code_size(const struct svm_vmcb *vmcb)
{
	struct vmm_x86_segment cs = vmm__native_from_segment(&vmcb->cs);

	if (!(vmcb->cr0 & 1) || (vmcb->rflags & X86_RFLAGS_VM))
		return VMM__X86_CODE_16;
	if ((vmcb->efer & X86_EFER_LMA) && (cs.attr & VMM_X86_SEG_L))
		return VMM__X86_CODE_64;
	return cs.attr & VMM_X86_SEG_DB ? VMM__X86_CODE_32 : VMM__X86_CODE_16;
}

/* --- carrying it out --- */

static void give_element(struct vmm__native_vcpu *v, struct vmm_exit *exit)
{
	const struct vmm__x86_element *element = &v->emulator.element;

	*exit = (struct vmm_exit){
		.reason = element->port ? VMM_EXIT_PORT : VMM_EXIT_MMIO,
		.flags = VMM_EXIT_F_HW | VMM_EXIT_F_PC | (element->write ? VMM_EXIT_F_WRITE : 0) |
			 (element->more ? VMM_EXIT_F_MORE : 0),
		.addr = element->addr,
		.data = element->data,
		.width = element->width,
		.pc = v->vmcb->rip,
		.hw_code = v->vmcb->exitcode,
		.hw_info = v->vmcb->exitinfo1,
	};
	v->answer = NATIVE_ANSWER_EMULATE;
}

static int give_up(struct vmm__native_vcpu *v, struct vmm_exit *exit)
{
	const struct vmm__services *s = v->vm->services;
	const struct vmm__x86_emulator *e = &v->emulator;
	char text[160];

	*exit = (struct vmm_exit){
		.reason = VMM_EXIT_ENGINE_ERROR,
		.flags = VMM_EXIT_F_HW | VMM_EXIT_F_PC,
		.pc = v->vmcb->rip,
		.hw_code = v->vmcb->exitcode,
		.hw_info = v->vmcb->exitinfo1,
	};
	vmm__format(text, sizeof(text),
		    "vCPU %u: no emulation at 0x%llx of %02x %02x %02x %02x %02x %02x, for 0x%llx",
		    v->index, (unsigned long long)v->vmcb->rip, e->bytes[0], e->bytes[1],
		    e->bytes[2], e->bytes[3], e->bytes[4], e->bytes[5],
		    (unsigned long long)e->fault_gpa);
	s->log(s->core, VMM_LOG_WARN, text);
	return 0;
}

static void raise_fault(struct vmm__native_vcpu *v)
{
	const struct vmm__x86_fault *fault = &v->emulator.fault;

	if (fault->vector == NATIVE_PF)
		v->vmcb->cr2 = fault->address;
	vmm__native_raise(v, fault->vector, fault->has_error, fault->error_code);
}

/* As far as it goes without the embedder; if not @running, without callbacks, and to the end of one
 * repetition. @r is what the emulator gave. */
static int go_on(struct vmm__native_vcpu *v, int r, bool running, struct vmm_exit *exit)
{
	struct vmm__x86_emulator *e = &v->emulator;
	bool traps = (e->paging.rflags & X86_RFLAGS_TF) != 0;
	unsigned rounds = 0;

	for (;;) {
		uint64_t data = 0;

		if (r == VMM__X86_ELEMENT) {
			if (!vmm__native_irq_access(v, &e->element, &data)) {
				give_element(v, exit);
				r = running ? vmm__bus_offer(v->core, exit) : 0;
				if (!running || r != 0)
					return r;
				v->answer = NATIVE_ANSWER_NONE;
				data = exit->data;
			}
			r = vmm__x86_emulate_answer(e, data);
			continue;
		}
		if (r != VMM__X86_DONE)
			break;
		vmm__native_end_insn(v, traps);
		if (!e->again || !running || ++rounds == ROUNDS ||
		    atomic_load(&v->world.request) != 0)
			return NATIVE_AGAIN;
		r = vmm__x86_emulate_again(e);
	}
	if (r == VMM__X86_RETRY)
		return NATIVE_AGAIN;
	if (r != VMM__X86_FAULT)
		return give_up(v, exit);
	raise_fault(v);
	return NATIVE_AGAIN;
}

static void ask(struct vmm__native_vcpu *v, uint64_t gpa, bool write)
{
	struct vmm__x86_emulator *e = &v->emulator;

	e->fault_gpa = gpa;
	e->fault_write = write;
	e->cpl = v->vmcb->cpl;
	e->port_width = 0;
}

static struct native_site *site_of(struct vmm__native_vcpu *v)
{
	return &v->sites[v->vmcb->rip % NATIVE_SITES];
}

static uint64_t load64(const uint8_t *at)
{
	uint64_t v;

	__builtin_memcpy(&v, at, sizeof(v));
	return v;
}

/* Another emulation of this instruction may be spared the way there. */
static void note_site(struct vmm__native_vcpu *v)
{
	const struct vmm__x86_emulator *e = &v->emulator;
	const struct svm_vmcb *vmcb = v->vmcb;
	const uint8_t *bytes = e->decoded_bytes;
	uint32_t changes = atomic_load(&v->vm->changes);

	if (e->code != VMM__X86_CODE_64 || e->decoded == 0 || e->insn.op == VMM__X86_VMOV ||
	    (changes & 1) != 0 || e->fault_gpa / PAGE != e->walked_gpa ||
	    vmm__pt_translate(&v->vm->pt, vmm__ia(e->fault_gpa)) != VMM__PT_NOTHING)
		return;
	*site_of(v) = (struct native_site){
		.rip = vmcb->rip,
		.cr0 = vmcb->cr0,
		.cr3 = vmcb->cr3,
		.cr4 = vmcb->cr4,
		.efer = vmcb->efer,
		.cs_attr = vmcb->cs.attr,
		.cpl = vmcb->cpl,
		.moves = vmm__x86_is_move(&e->insn),
		.changes = changes,
		.linear = e->walked_linear,
		.gpa = e->walked_gpa,
		.bytes = {load64(bytes), load64(bytes + VMM__X86_INSN_MAX - 8)},
		.trace = v->trace,
		.insn = e->insn,
	};
}

int vmm__native_emulate(struct vmm__native_vcpu *v, uint64_t gpa, bool write, uint32_t port_width,
			struct vmm_exit *exit)
{
	struct vmm__x86_emulator *e = &v->emulator;
	int r;

	vmm__native_regs(v, false);
	find_paging(v, &e->paging);
	e->xcr0 = v->has_xsave ? v->world.xcr0 : 0;
	ask(v, gpa, write);
	e->code = code_size(v->vmcb);
	e->port_width = (uint8_t)port_width;
	e->count = 0;
	if (v->vm->features & SVM_CPUID_EDX_ASSISTS) {
		e->count = v->vmcb->fetched & 15;
		memcpy(e->bytes, v->vmcb->insn, sizeof(e->bytes));
	}
	v->trace.steps = 0;
	v->trace.open = true;
	v->trace.code = NULL;
	r = vmm__x86_emulate(e);
	v->trace.open = false;
	if (r == VMM__X86_ELEMENT && v->trace.code)
		note_site(v);
	return go_on(v, r, true, exit);
}

/* The same place in the same mode. */
static VMM__INLINE bool is_at(const struct native_site *site, const struct svm_vmcb *vmcb)
{
	uint64_t differ = site->rip ^ vmcb->rip;

	differ |= site->cr3 ^ vmcb->cr3;
	differ |= site->cr0 ^ vmcb->cr0;
	differ |= site->cr4 ^ vmcb->cr4;
	differ |= site->efer ^ vmcb->efer;
	differ |= (uint64_t)(site->cs_attr ^ vmcb->cs.attr) | (site->cpl ^ vmcb->cpl);
	return differ == 0;
}

/* The same instruction there. */
static VMM__INLINE bool leads_there(const struct native_site *site)
{
	const struct native_trace *t = &site->trace;
	uint64_t differ = load64(t->code) ^ site->bytes[0];

	differ |= load64(t->code + VMM__X86_INSN_MAX - 8) ^ site->bytes[1];
	for (uint32_t i = 0; i < t->steps; i++)
		differ |= __atomic_load_n(t->step[i], __ATOMIC_RELAXED) ^ t->entry[i];
	return differ == 0;
}

/* The access is to the same page, where there still is no memory. */
static VMM__INLINE bool is_missing(const struct vmm__native_vcpu *v, const struct native_site *site,
				   uint64_t gpa)
{
	return gpa / PAGE == site->gpa && atomic_load(&v->vm->changes) == site->changes;
}

/* Nothing but the access is to be done. */
static VMM__INLINE bool is_plain(const struct vmm__native_vcpu *v)
{
	const struct svm_vmcb *vmcb = v->vmcb;

	return ((vmcb->exitintinfo & SVM_EVENT_V) | v->nmi_iret | (vmcb->rflags & X86_RFLAGS_TF) |
		(vmcb->cr4 & X86_CR4_PKE)) == 0;
}

static VMM__COLD int emulate_site(struct vmm__native_vcpu *v, const struct native_site *site)
{
	struct vmm__x86_emulator *e = &v->emulator;
	const struct svm_vmcb *vmcb = v->vmcb;

	e->paging = (struct vmm__x86_paging){
		.cr0 = vmcb->cr0,
		.cr3 = vmcb->cr3,
		.cr4 = vmcb->cr4,
		.efer = vmcb->efer,
		.rflags = vmcb->rflags,
		.phys_bits = v->phys_bits,
	};
	e->code = VMM__X86_CODE_64;
	e->walked_cr3 = vmcb->cr3;
	e->walked_linear = site->linear;
	e->walked_gpa = site->gpa;
	return vmm__x86_emulate_decoded(e, &site->insn);
}

/* Let the bus do it, with what was remembered of it; false: nothing was. A request that came
 * meanwhile ends run() after the instruction. */
static VMM__INLINE bool call_known(struct vmm__native_vcpu *v, uint64_t *data, int *r)
{
	const struct vmm__x86_element *element = &v->emulator.element;
	struct vmm_vcpu *core = v->core;
	const struct vmm__hit *hit =
		vmm__call_begin_mmio(core, element->addr, element->width, !element->write);

	if (VMM__UNLIKELY(!hit))
		return false;
	*r = element->write ? hit->write(hit->opaque, core, hit->offset, hit->width, element->data)
			    : hit->read(hit->opaque, core, hit->offset, hit->width, data);
	if (vmm__call_end(core))
		atomic_fetch_or(&v->world.request, NATIVE_REQ_KICK);
	if (VMM__UNLIKELY(*r != 0)) {
		core->offered = *r < 0 ? *r : -VMM_EINVAL;
		*r = VMM__OFFERED;
	} else {
		vmm__count(&core->handled[VMM_EXIT_MMIO]);
	}
	return true;
}

static VMM__COLD int offer(struct vmm__native_vcpu *v, uint64_t *data)
{
	int r;

	give_element(v, &v->given);
	r = vmm__bus_offer(v->core, &v->given);
	*data = v->given.data;
	return r;
}

/* The answer will come from outside: all is to be as if there were no short way. That gives the
 * same element: a move that is aligned, in the page that was walked and missing there, has no other
 * (move() in x86_emulate.c), and a callback cannot change registers. */
static VMM__COLD int leave_move(struct vmm__native_vcpu *v, const struct native_site *site,
				uint64_t data)
{
	emulate_site(v, site);
	give_element(v, &v->given);
	if (!v->emulator.element.write)
		v->given.data = data;
	return VMM__OFFERED;
}

static VMM__INLINE int emulate_move(struct vmm__native_vcpu *v, const struct native_site *site)
{
	uint64_t data = 0;
	int r = 0;

	if (!vmm__native_irq_access(v, &v->emulator.element, &data) && !call_known(v, &data, &r))
		r = offer(v, &data);
	if (VMM__UNLIKELY(r != 0))
		return leave_move(v, site, data);
	v->answer = NATIVE_ANSWER_NONE;
	vmm__x86_moved(&v->emulator, &site->insn, data);
	v->vmcb->shadow = 0;
	return NATIVE_AGAIN;
}

int vmm__native_emulate_known(struct vmm__native_vcpu *v, uint64_t gpa, bool write)
{
	const struct native_site *site = site_of(v);
	int r;

	/* FLUSH among the requests: what was seen may have gone. */
	if (!is_at(site, v->vmcb) || atomic_load(&v->world.request) != 0 ||
	    !is_missing(v, site, gpa) || !is_plain(v) || !leads_there(site))
		return NATIVE_UNKNOWN;
	ask(v, gpa, write);
	if (VMM__LIKELY(site->moves && vmm__x86_move(&v->emulator, &site->insn, site->linear)))
		return emulate_move(v, site);
	r = emulate_site(v, site);
	if (r != VMM__X86_ELEMENT && r != VMM__X86_DONE)
		return NATIVE_UNKNOWN;
	return go_on(v, r, true, &v->given);
}

int vmm__native_emulate_on(struct vmm__native_vcpu *v, bool running, struct vmm_exit *exit)
{
	uint64_t data = exit->flags & VMM_EXIT_F_FAIL ? UINT64_MAX : exit->data;

	v->answer = NATIVE_ANSWER_NONE;
	return go_on(v, vmm__x86_emulate_answer(&v->emulator, data), running, exit);
}

/* --- lengths --- */

static size_t fetch(struct vmm__native_vcpu *v, uint8_t *bytes, size_t room)
{
	const struct vmm__guest_memory memory = {vmm__native_read_guest, v};
	const struct svm_vmcb *vmcb = v->vmcb;
	unsigned access = VMM__ACCESS_FETCH | (vmcb->cpl == 3 ? VMM__ACCESS_USER : 0);
	bool wide = code_size(vmcb) == VMM__X86_CODE_64;
	struct vmm__x86_paging paging;
	size_t count = 0;

	find_paging(v, &paging);
	while (count < room) {
		uint64_t linear = vmcb->rip + count + (wide ? 0 : vmcb->cs.base);
		size_t now = 4096 - (linear & 4095);
		struct vmm__guest_page page;

		now = now < room - count ? now : room - count;
		if (vmm__x86_guest_walk(&paging, &memory, linear, access, &page) != 0 ||
		    vmm__native_read_guest(v, page.gpa, bytes + count, now) != 0)
			break;
		count += now;
	}
	return count;
}

int vmm__native_decode(struct vmm__native_vcpu *v, struct vmm__x86_insn *insn)
{
	uint8_t bytes[VMM__X86_INSN_MAX];
	size_t count;

	vmm__native_regs(v, false);
	count = fetch(v, bytes, sizeof(bytes));

	return vmm__x86_decode(insn, bytes, count, code_size(v->vmcb));
}

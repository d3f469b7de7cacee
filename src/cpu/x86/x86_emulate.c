// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * An instruction is: up to two operands read from memory (span 0 and 1), one written (span 2), and
 * registers. begin() decodes and finds the spans; proceed() moves them one after the other, with
 * compute() between reads and write, and commit() at the end. What cannot be had at once is an
 * element; its answer continues at the same place.
 *
 * SDM: Intel's manual, volume 1 for addresses and flags, volume 2 for instructions.
 */
#include "x86_emulate.h"
#include "bits.h"
#include "endian.h"
#include "mem.h"
#include "sync.h"
#include "x86_emulate_alu.h"
#include "x86_paging.h"

#define X86_XCR0_AVX BITS(2, 1) /* SSE and AVX state */

/* Vectors: SDM 3A, table 6-1. */
#define UD 6u
#define NM 7u
#define SS 12u
#define GP 13u
#define PF 14u
#define AC 17u

#define PAGE 4096u

/* How often the guest may come back with an instruction that needs no emulation. */
#define MAX_RETRIES 8u

#define RAX 0u
#define RCX 1u
#define RDX 2u
#define RBX 3u
#define RSP 4u
#define RSI 6u
#define RDI 7u

/* Spans. */
#define FIRST  0u
#define SECOND 1u
#define STORE  2u

static uint64_t mask_of(unsigned bytes)
{
	return UINT64_MAX >> (64 - 8 * bytes);
}

static int fault(struct vmm__x86_emulator *e, unsigned vector, uint32_t error_code)
{
	e->fault.vector = (uint8_t)vector;
	e->fault.error_code = error_code;
	/* Real mode pushes none. */
	e->fault.has_error = vector >= 10 && (e->paging.cr0 & X86_CR0_PE);
	return VMM__X86_FAULT;
}

static bool is_long(const struct vmm__x86_emulator *e)
{
	return e->code == VMM__X86_CODE_64;
}

/* --- registers --- */

static uint64_t get_gpr(const struct vmm__x86_emulator *e, unsigned reg, unsigned bytes)
{
	return *e->gpr[reg] & mask_of(bytes);
}

/* 4 bytes clear the upper half: SDM 1, 3.4.1.1. */
static void set_gpr(struct vmm__x86_emulator *e, unsigned reg, unsigned bytes, uint64_t value)
{
	uint64_t mask = bytes == 4 ? UINT64_MAX : mask_of(bytes);

	*e->gpr[reg] = (*e->gpr[reg] & ~mask) | (value & mask_of(bytes));
}

static uint64_t get_register(const struct vmm__x86_emulator *e, const struct vmm__x86_operand *o,
			     unsigned bytes)
{
	if (o->kind == VMM__X86_GPR_HIGH)
		return *e->gpr[o->reg] >> 8 & 0xff;
	return get_gpr(e, o->reg, bytes);
}

static void set_register(struct vmm__x86_emulator *e, const struct vmm__x86_operand *o,
			 unsigned bytes, uint64_t value)
{
	if (o->kind == VMM__X86_GPR_HIGH)
		*e->gpr[o->reg] = (*e->gpr[o->reg] & ~UINT64_C(0xff00)) | (value & 0xff) << 8;
	else
		set_gpr(e, o->reg, bytes, value);
}

/* --- addresses --- */

/* Offset in its segment that ModRM and SIB name, @rsp_more added to RSP. */
static uint64_t effective_of(const struct vmm__x86_emulator *e, const struct vmm__x86_insn *insn,
			     unsigned rsp_more)
{
	uint64_t at = insn->disp;

	if (insn->base < 16)
		at += *e->gpr[insn->base] + (insn->base == RSP ? rsp_more : 0);
	else if (insn->base == VMM__X86_RIP)
		at += *e->rip + insn->length;
	if (insn->index < 16)
		at += *e->gpr[insn->index] << insn->scale;
	return at & mask_of(insn->address_size);
}

static uint64_t effective(const struct vmm__x86_emulator *e, unsigned rsp_more)
{
	return effective_of(e, &e->insn, rsp_more);
}

static int segment_fault(struct vmm__x86_emulator *e, unsigned segment)
{
	return fault(e, segment == VMM__X86_SS ? SS : GP, 0);
}

/* Segment limits and types, outside 64-bit code: SDM 3A 5.3, 5.5. */
static bool segment_allows(const struct vmm__x86_emulator *e, const struct vmm_x86_segment *s,
			   uint64_t offset, unsigned bytes, unsigned access)
{
	unsigned type = s->attr & 15;
	bool protected = (e->paging.cr0 & X86_CR0_PE) && !(e->paging.rflags & X86_RFLAGS_VM);
	uint64_t last = offset + bytes - 1;

	if (s->attr & VMM_X86_SEG_UNUSABLE)
		return false;
	if (!protected)
		return last <= s->limit;
	if (access & VMM__ACCESS_WRITE ? (type & 10) != 2 : (type & 10) == 8)
		return false;
	if ((type & 12) == 4) /* expands down */
		return offset > s->limit &&
		       last <= (s->attr & VMM_X86_SEG_DB ? UINT32_MAX : UINT16_MAX);
	return last <= s->limit;
}

static int linear(struct vmm__x86_emulator *e, unsigned segment, uint64_t offset, unsigned bytes,
		  unsigned access, uint64_t *out)
{
	struct vmm_x86_segment s;

	if (VMM__LIKELY(is_long(e) && segment < VMM__X86_FS)) {
		*out = offset;
		return 0;
	}
	e->ops->segment(e->ctx, segment, &s);
	*out = s.base + offset;
	if (is_long(e))
		return 0;
	*out &= UINT32_MAX;
	return segment_allows(e, &s, offset, bytes, access) ? 0 : segment_fault(e, segment);
}

/* Guest-physical address of one linear one. */
static int translate(struct vmm__x86_emulator *e, unsigned segment, uint64_t at, unsigned access,
		     uint64_t *gpa)
{
	struct vmm__guest_page page;
	int r;

	if (e->cpl == 3)
		access |= VMM__ACCESS_USER;
	r = vmm__x86_guest_walk(&e->paging, &e->tables, at, access, &page);
	if (VMM__LIKELY(r == 0)) {
		*gpa = page.gpa;
		return 0;
	}
	if (r == -VMM_ERANGE)
		return segment_fault(e, segment);
	if (r != -VMM_EFAULT)
		return r;
	e->fault.address = at;
	return fault(e, PF, page.fault);
}

/* What the alignment of an operand at @at raises, or 0. */
static int check_alignment(struct vmm__x86_emulator *e, unsigned bytes)
{
	if (e->insn.flags & VMM__X86_F_ALIGN || (e->insn.op == VMM__X86_CMPXCHG8B && bytes == 16))
		return fault(e, GP, 0);
	if (e->cpl == 3 && bytes <= 8 && e->paging.cr0 & X86_CR0_AM &&
	    e->paging.rflags & X86_RFLAGS_AC)
		return fault(e, AC, 0);
	return 0;
}

/*
 * The processor has walked to @at, with these rights, just now: the byte within the page and the
 * kind of access are those of the fault, and either the instruction is the one that faulted, or @at
 * led there when it was last walked from. If the guest has changed both code and tables since the
 * fault this is still a translation that the processor had, for an access that it allowed.
 */
static bool is_translated(const struct vmm__x86_emulator *e, uint64_t at, unsigned access)
{
	if ((at ^ e->fault_gpa) & (PAGE - 1) || (!e->fault_write && access & VMM__ACCESS_WRITE))
		return false;
	return e->known || (at / PAGE == e->walked_linear && e->paging.cr3 == e->walked_cr3 &&
			    e->fault_gpa / PAGE == e->walked_gpa);
}

/*
 * Where the @bytes at @offset of @segment are in guest-physical memory. @only: no other operand is
 * in memory, so that it may be what the processor has translated already.
 */
static int find(struct vmm__x86_emulator *e, struct vmm__x86_span *span, unsigned segment,
		uint64_t offset, unsigned bytes, unsigned access, bool only)
{
	unsigned room;
	uint64_t at;
	int r = linear(e, segment, offset, bytes, access, &at);

	if (VMM__UNLIKELY(at & (bytes - 1)) && r == 0)
		r = check_alignment(e, bytes);
	if (VMM__UNLIKELY(r != 0))
		return r;
	room = PAGE - (unsigned)(at & (PAGE - 1));
	span->bytes = (uint8_t)bytes;
	span->first = (uint8_t)(bytes < room ? bytes : room);
	if (only && bytes <= room && is_translated(e, at, access)) {
		span->gpa[0] = e->fault_gpa;
		return 0;
	}
	r = translate(e, segment, at, access, &span->gpa[0]);
	if (only && r == 0) {
		e->walked_cr3 = e->paging.cr3;
		e->walked_linear = at / PAGE;
		e->walked_gpa = span->gpa[0] / PAGE;
	}
	if (VMM__LIKELY(r != 0 || bytes <= room))
		return r;
	at += room;
	return translate(e, segment, is_long(e) ? at : at & UINT32_MAX, access, &span->gpa[1]);
}

/* --- what is to be moved --- */

static bool is_string(const struct vmm__x86_insn *insn)
{
	return insn->op >= VMM__X86_MOVS && insn->op <= VMM__X86_OUTS;
}

static bool repeats(const struct vmm__x86_insn *insn)
{
	return is_string(insn) && insn->flags & (VMM__X86_F_REP | VMM__X86_F_REPNE);
}

static void port_span(const struct vmm__x86_emulator *e, struct vmm__x86_span *span)
{
	span->bytes = e->insn.size;
	span->first = 0;
	span->gpa[1] = get_gpr(e, RDX, 2);
}

static int plan_string(struct vmm__x86_emulator *e)
{
	const struct vmm__x86_insn *insn = &e->insn;
	uint64_t si = get_gpr(e, RSI, insn->address_size);
	uint64_t di = get_gpr(e, RDI, insn->address_size);
	unsigned bytes = insn->size;
	int r = 0;

	if (insn->op == VMM__X86_INS)
		port_span(e, &e->span[FIRST]);
	if (insn->op == VMM__X86_OUTS)
		port_span(e, &e->span[STORE]);
	if (insn->op == VMM__X86_MOVS || insn->op == VMM__X86_LODS || insn->op == VMM__X86_CMPS ||
	    insn->op == VMM__X86_OUTS)
		r = find(e, &e->span[FIRST], insn->segment, si, bytes, 0, false);
	if (r != 0)
		return r;
	switch (insn->op) {
	case VMM__X86_MOVS:
	case VMM__X86_STOS:
	case VMM__X86_INS:
		return find(e, &e->span[STORE], VMM__X86_ES, di, bytes, VMM__ACCESS_WRITE, false);
	case VMM__X86_CMPS:
		return find(e, &e->span[SECOND], VMM__X86_ES, di, bytes, 0, false);
	case VMM__X86_SCAS:
		return find(e, &e->span[FIRST], VMM__X86_ES, di, bytes, 0, false);
	default:
		return 0;
	}
}

/* Bytes of the stack pointer that count: SDM 1, 6.2.3. */
static unsigned stack_width(const struct vmm__x86_emulator *e)
{
	struct vmm_x86_segment ss;

	if (is_long(e))
		return 8;
	e->ops->segment(e->ctx, VMM__X86_SS, &ss);
	return ss.attr & VMM_X86_SEG_DB ? 4 : 2;
}

static int plan_stack(struct vmm__x86_emulator *e)
{
	const struct vmm__x86_insn *insn = &e->insn;
	unsigned bytes = insn->size, width = stack_width(e);
	uint64_t sp = *e->gpr[RSP];
	int r;

	if (insn->op == VMM__X86_POP) {
		/* SDM 2B, POP: an address that uses RSP is that after the pop. */
		r = find(e, &e->span[FIRST], VMM__X86_SS, sp & mask_of(width), bytes, 0, false);
		return r ? r
			 : find(e, &e->span[STORE], insn->segment, effective(e, bytes), bytes,
				VMM__ACCESS_WRITE, false);
	}
	r = find(e, &e->span[FIRST], insn->segment, effective(e, 0), bytes, 0, false);
	if (r != 0 || insn->op == VMM__X86_JMP)
		return r;
	return find(e, &e->span[STORE], VMM__X86_SS, (sp - bytes) & mask_of(width), bytes,
		    VMM__ACCESS_WRITE, false);
}

/* A bit's number in a register reaches beyond the operand: SDM 2A, BT. */
static uint64_t bit_offset(const struct vmm__x86_emulator *e)
{
	const struct vmm__x86_insn *insn = &e->insn;
	unsigned bits = 8 * insn->size;
	uint64_t number = *e->gpr[insn->src.reg] << (64 - bits);
	int64_t offset = (int64_t)number >> (64 - bits);

	return (uint64_t)(offset >> 3) & ~(uint64_t)(insn->size - 1u);
}

static int plan_operand(struct vmm__x86_emulator *e)
{
	const struct vmm__x86_insn *insn = &e->insn;
	bool to = insn->dst.kind == VMM__X86_MEM;
	bool stores = to && insn->op != VMM__X86_CMP && insn->op != VMM__X86_TEST &&
		      insn->op != VMM__X86_BT;
	bool loads = !to || !(insn->op >= VMM__X86_MOV && insn->op <= VMM__X86_VMOV);
	struct vmm__x86_span *span = &e->span[loads ? FIRST : STORE];
	uint64_t offset = effective(e, 0);
	int r;

	if (insn->op >= VMM__X86_BT && insn->op <= VMM__X86_BTC && insn->src.kind == VMM__X86_GPR)
		offset = (offset + bit_offset(e)) & mask_of(insn->address_size);
	r = find(e, span, insn->segment, offset, insn->mem_size, stores ? VMM__ACCESS_WRITE : 0,
		 true);
	if (loads && stores)
		e->span[STORE] = *span;
	return r;
}

/* SDM 2A, tables 2-21 and 2-25: what an SSE or AVX move raises before it looks at memory. */
static int check_vector(struct vmm__x86_emulator *e)
{
	const struct vmm__x86_paging *p = &e->paging;
	bool allowed;

	if (e->insn.flags & VMM__X86_F_VEX)
		allowed = p->cr0 & X86_CR0_PE && !(p->rflags & X86_RFLAGS_VM) &&
			  p->cr4 & X86_CR4_OSXSAVE && (e->xcr0 & X86_XCR0_AVX) == X86_XCR0_AVX;
	else
		allowed = !(p->cr0 & X86_CR0_EM) && p->cr4 & X86_CR4_OSFXSR;
	if (!allowed)
		return fault(e, UD, 0);
	return p->cr0 & X86_CR0_TS ? fault(e, NM, 0) : 0;
}

static int plan(struct vmm__x86_emulator *e)
{
	unsigned op = e->insn.op;
	int r;

	if (is_string(&e->insn))
		return plan_string(e);
	if (op >= VMM__X86_PUSH && op <= VMM__X86_JMP)
		return plan_stack(e);
	if (op == VMM__X86_VMOV) {
		r = check_vector(e);
		if (r != 0)
			return r;
		/* What is not loaded becomes zero. */
		memset(e->in[0], 0, sizeof(e->in[0]));
	}
	return plan_operand(e);
}

/* --- what it does --- */

static uint64_t swap_bytes(uint64_t value, unsigned bytes)
{
	uint64_t r = 0;

	for (; bytes > 0; bytes--, value >>= 8)
		r = r << 8 | (value & 0xff);
	return r;
}

static uint64_t sign_extend(uint64_t value, unsigned bytes)
{
	unsigned unused = 64 - 8 * bytes;

	return (uint64_t)((int64_t)(value << unused) >> unused);
}

/* An operand of the general instructions. */
static uint64_t value_of(const struct vmm__x86_emulator *e, const struct vmm__x86_operand *o)
{
	struct vmm_x86_segment s;

	switch (o->kind) {
	case VMM__X86_MEM:
		return vmm__le64(e->in[0]) & mask_of(e->insn.mem_size);
	case VMM__X86_IMM:
		return e->insn.imm;
	case VMM__X86_SEG:
		e->ops->segment(e->ctx, o->reg, &s);
		return s.selector;
	default:
		return get_register(e, o, e->insn.size);
	}
}

static void exchange_if_equal(struct vmm__x86_emulator *e)
{
	unsigned bytes = e->insn.size;
	uint64_t old = vmm__le64(e->in[0]) & mask_of(bytes);

	vmm__x86_alu(VMM__X86_CMP, get_gpr(e, RAX, bytes), old, bytes, &e->flags);
	e->extra = old;
	e->result = e->flags & X86_FLAG_ZF ? value_of(e, &e->insn.src) : old;
}

/* CMPXCHG8B, 16B: ZF only. */
static void exchange_pair_if_equal(struct vmm__x86_emulator *e)
{
	unsigned half = e->insn.mem_size / 2u;
	const uint8_t *in = e->in[0];

	memcpy(e->out, in, 16);
	if (((vmm__le64(in) ^ *e->gpr[RAX]) & mask_of(half)) != 0 ||
	    ((vmm__le64(in + half) ^ *e->gpr[RDX]) & mask_of(half)) != 0) {
		e->flags &= ~X86_FLAG_ZF;
		return;
	}
	e->flags |= X86_FLAG_ZF;
	vmm__put_le64(e->out, *e->gpr[RBX]);
	vmm__put_le64(e->out + half, *e->gpr[RCX]);
}

static uint64_t next_rip(const struct vmm__x86_emulator *e)
{
	uint64_t next = *e->rip + e->insn.length;

	return is_long(e) ? next : next & UINT32_MAX;
}

static bool is_canonical(const struct vmm__x86_emulator *e, uint64_t at)
{
	uint64_t high = at >> (e->paging.cr4 & X86_CR4_LA57 ? 56 : 47);

	return high == 0 || high == UINT64_MAX >> (e->paging.cr4 & X86_CR4_LA57 ? 56 : 47);
}

/* All that is read is there: make what is written. */
static int compute(struct vmm__x86_emulator *e)
{
	const struct vmm__x86_insn *insn = &e->insn;
	unsigned bytes = insn->size;
	uint64_t in = vmm__le64(e->in[0]);

	switch (insn->op) {
	case VMM__X86_MOV:
		e->result = value_of(e, &insn->src);
		break;
	case VMM__X86_MOVZX:
		e->result = in & mask_of(insn->mem_size);
		break;
	case VMM__X86_MOVSX:
		e->result = sign_extend(in, insn->mem_size);
		break;
	case VMM__X86_MOVBE:
		e->result = swap_bytes(value_of(e, &insn->src), bytes);
		break;
	case VMM__X86_XCHG:
		e->extra = value_of(e, &insn->dst);
		e->result = value_of(e, &insn->src);
		break;
	case VMM__X86_XADD:
		e->extra = value_of(e, &insn->dst);
		e->result = vmm__x86_alu(VMM__X86_ADD, e->extra, value_of(e, &insn->src), bytes,
					 &e->flags);
		break;
	case VMM__X86_CMPXCHG:
		exchange_if_equal(e);
		break;
	case VMM__X86_CMPXCHG8B:
		exchange_pair_if_equal(e);
		return 0;
	case VMM__X86_VMOV:
		if (insn->dst.kind == VMM__X86_MEM)
			e->ops->get_vector(e->ctx, insn->src.reg, e->out, bytes);
		return 0;
	case VMM__X86_STOS:
		e->result = *e->gpr[RAX];
		break;
	case VMM__X86_CMPS:
		vmm__x86_alu(VMM__X86_CMP, in, vmm__le64(e->in[1]), bytes, &e->flags);
		break;
	case VMM__X86_SCAS:
		vmm__x86_alu(VMM__X86_CMP, *e->gpr[RAX], in, bytes, &e->flags);
		break;
	case VMM__X86_CALL:
	case VMM__X86_JMP:
		e->extra = in & mask_of(bytes);
		if (is_long(e) && !is_canonical(e, e->extra))
			return fault(e, GP, 0);
		e->result = next_rip(e);
		break;
	case VMM__X86_LODS:
	case VMM__X86_MOVS:
	case VMM__X86_INS:
	case VMM__X86_OUTS:
	case VMM__X86_PUSH:
	case VMM__X86_POP:
		e->result = in;
		break;
	default:
		e->result = vmm__x86_alu(insn->op, value_of(e, &insn->dst), value_of(e, &insn->src),
					 bytes, &e->flags);
	}
	vmm__put_le64(e->out, e->result);
	return 0;
}

static void commit_string(struct vmm__x86_emulator *e)
{
	const struct vmm__x86_insn *insn = &e->insn;
	unsigned width = insn->address_size;
	uint64_t step = e->flags & X86_FLAG_DF ? 0 - (uint64_t)insn->size : insn->size;
	bool source = insn->op == VMM__X86_MOVS || insn->op == VMM__X86_CMPS ||
		      insn->op == VMM__X86_LODS || insn->op == VMM__X86_OUTS;

	if (insn->op == VMM__X86_LODS)
		set_gpr(e, RAX, insn->size, e->result);
	if (source)
		set_gpr(e, RSI, width, *e->gpr[RSI] + step);
	if (insn->op != VMM__X86_LODS && insn->op != VMM__X86_OUTS)
		set_gpr(e, RDI, width, *e->gpr[RDI] + step);
	if (!repeats(insn))
		return;
	set_gpr(e, RCX, width, *e->gpr[RCX] - 1);
	e->again = get_gpr(e, RCX, width) != 0;
	if (insn->op == VMM__X86_CMPS || insn->op == VMM__X86_SCAS)
		e->again &= !(e->flags & X86_FLAG_ZF) == !(insn->flags & VMM__X86_F_REP);
}

/* A second register, or the stack pointer. RIP after it. */
static uint64_t commit_extra(struct vmm__x86_emulator *e, uint64_t rip)
{
	const struct vmm__x86_insn *insn = &e->insn;
	unsigned half = insn->mem_size / 2u;

	switch (insn->op) {
	case VMM__X86_XCHG:
	case VMM__X86_XADD:
		set_register(e, &insn->src, insn->size, e->extra);
		break;
	case VMM__X86_CMPXCHG:
		if (!(e->flags & X86_FLAG_ZF))
			set_gpr(e, RAX, insn->size, e->extra);
		break;
	case VMM__X86_CMPXCHG8B:
		if (!(e->flags & X86_FLAG_ZF)) {
			set_gpr(e, RAX, half, vmm__le64(e->in[0]));
			set_gpr(e, RDX, half, vmm__le64(e->in[0] + half));
		}
		break;
	case VMM__X86_POP:
		set_gpr(e, RSP, stack_width(e), *e->gpr[RSP] + insn->size);
		break;
	case VMM__X86_PUSH:
	case VMM__X86_CALL:
		set_gpr(e, RSP, stack_width(e), *e->gpr[RSP] - insn->size);
		break;
	default:
		break;
	}
	return insn->op == VMM__X86_CALL || insn->op == VMM__X86_JMP ? e->extra : rip;
}

static int commit(struct vmm__x86_emulator *e)
{
	const struct vmm__x86_insn *insn = &e->insn;
	uint64_t rip = next_rip(e);

	if (insn->dst.kind == VMM__X86_GPR || insn->dst.kind == VMM__X86_GPR_HIGH) {
		if (insn->op != VMM__X86_CMP)
			set_register(e, &insn->dst, insn->size, e->result);
	} else if (insn->dst.kind == VMM__X86_VECTOR) {
		e->ops->set_vector(e->ctx, insn->dst.reg, e->in[0], insn->size,
				   insn->flags & VMM__X86_F_VEX);
	}
	if (is_string(insn))
		commit_string(e);
	else if (insn->op >= VMM__X86_PUSH || insn->op <= VMM__X86_CMPXCHG8B)
		rip = commit_extra(e, rip);
	if (!e->again)
		*e->rip = rip;
	*e->rflags = e->flags;
	e->retries = 0;
	return VMM__X86_DONE;
}

/* --- moving --- */

/*
 * Nothing here needs emulation. If the guest comes back with the same it does: memory is touched in
 * a way that is not known here.
 */
static int retry(struct vmm__x86_emulator *e)
{
	if (e->retry_rip != *e->rip)
		e->retries = 0;
	e->retry_rip = *e->rip;
	return e->retries++ < MAX_RETRIES ? VMM__X86_RETRY : -VMM_ENOTSUP;
}

/* The guest was left because there is nothing here, for such an access. */
static bool is_missing(const struct vmm__x86_emulator *e, uint64_t gpa, bool write)
{
	return !e->port_width && write == e->fault_write && (gpa ^ e->fault_gpa) < PAGE;
}

static int give_element(struct vmm__x86_emulator *e, uint64_t addr, const uint8_t *data,
			unsigned left, bool write, bool port)
{
	unsigned width = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;

	e->element.addr = addr;
	e->element.data = write ? vmm__le64(data) & mask_of(width) : 0;
	e->element.width = (uint8_t)width;
	e->element.write = write;
	e->element.port = port;
	e->element.more = e->moved + width < e->span[e->step].bytes;
	e->touched = true;
	return VMM__X86_ELEMENT;
}

/* To be done by the processor, where the memory is there. */
static bool is_atomic(const struct vmm__x86_emulator *e)
{
	return (e->insn.flags & VMM__X86_F_LOCK || e->insn.op == VMM__X86_XCHG) && !e->touched;
}

/* Move the rest of the span that is in work. */
static int move(struct vmm__x86_emulator *e)
{
	const struct vmm__x86_span *span = &e->span[e->step];
	bool write = e->step == STORE;
	uint8_t *data = write ? e->out : e->in[e->step];

	while (e->moved < span->bytes) {
		bool second = e->moved >= span->first;
		unsigned left = (second ? span->bytes : span->first) - (unsigned)e->moved;
		uint64_t gpa =
			second ? span->gpa[1] + e->moved - span->first : span->gpa[0] + e->moved;
		uint8_t *at = data + e->moved;
		int r;

		if (span->first == 0 || is_missing(e, gpa, write))
			return give_element(e, gpa, at, left, write, span->first == 0);
		if (write && is_atomic(e))
			return retry(e);
		r = write ? e->ops->write(e->ctx, gpa, at, left)
			  : e->ops->read(e->ctx, gpa, at, left);
		if (r == -VMM_EFAULT)
			return give_element(e, gpa, at, left, write, false);
		if (r != 0)
			return r;
		e->moved = (uint8_t)(e->moved + left);
	}
	return 0;
}

/* Go on with the span that is in work, to the end or to the next element. */
static int proceed(struct vmm__x86_emulator *e)
{
	int r;

	for (; e->step < STORE; e->step++, e->moved = 0) {
		r = e->moved < e->span[e->step].bytes ? move(e) : 0;
		if (r != 0)
			return r;
	}
	if (e->moved == 0) {
		r = compute(e);
		if (r != 0)
			return r;
	}
	r = e->moved < e->span[STORE].bytes ? move(e) : 0;
	return r != 0 ? r : commit(e);
}

/* --- the instruction --- */

/* More bytes of it: to the end of the page, or as many as it can have. */
static int fetch(struct vmm__x86_emulator *e)
{
	unsigned room = VMM__X86_INSN_MAX - e->count, in_page;
	uint64_t at = *e->rip + e->count, gpa;
	struct vmm_x86_segment cs;
	int r;

	if (!is_long(e)) {
		e->ops->segment(e->ctx, VMM__X86_CS, &cs);
		at &= UINT32_MAX;
		if (at > cs.limit)
			return fault(e, GP, 0);
		if (cs.limit - at < room)
			room = (unsigned)(cs.limit - at) + 1;
		at = (at + cs.base) & UINT32_MAX;
	}
	in_page = PAGE - (unsigned)(at & (PAGE - 1));
	if (in_page < room)
		room = in_page;
	r = translate(e, VMM__X86_CS, at, VMM__ACCESS_FETCH, &gpa);
	if (r != 0)
		return r;
	r = e->ops->read(e->ctx, gpa, e->bytes + e->count, room);
	if (r != 0)
		return r == -VMM_EFAULT ? -VMM_ENOTSUP : r;
	e->count = (uint8_t)(e->count + room);
	return 0;
}

/* The same bytes as last time have the same meaning. */
static bool is_decoded(const struct vmm__x86_emulator *e)
{
	return e->count == e->decoded && e->code == e->decoded_code &&
	       vmm__le64(e->bytes) == vmm__le64(e->decoded_bytes) &&
	       vmm__le64(e->bytes + 7) == vmm__le64(e->decoded_bytes + 7);
}

static int decode(struct vmm__x86_emulator *e)
{
	int r = e->count == 0 ? fetch(e) : 0;

	if (r != 0 || is_decoded(e))
		return r;
	e->decoded = 0;
	/* More than once: the second page of an instruction, or the end of a segment. */
	while ((r = vmm__x86_decode(&e->insn, e->bytes, e->count, e->code)) == -VMM_ESIZE) {
		r = fetch(e);
		if (r != 0)
			return r;
	}
	if (r != 0)
		return fault(e, r == -VMM_EFORMAT ? UD : GP, 0);
	if (e->count == VMM__X86_INSN_MAX) {
		e->decoded = e->count;
		e->decoded_code = e->code;
		memcpy(e->decoded_bytes, e->bytes, VMM__X86_INSN_MAX);
	}
	return 0;
}

/* What was decoded is what the guest was left for, as far as can be seen; else as retry(). */
static int check_kind(struct vmm__x86_emulator *e)
{
	const struct vmm__x86_insn *insn = &e->insn;
	bool port = insn->op == VMM__X86_INS || insn->op == VMM__X86_OUTS;

	if (e->port_width)
		return port && insn->size == e->port_width ? 0 : retry(e);
	if (port || (insn->op == VMM__X86_OTHER && insn->flags & VMM__X86_F_MEM) ||
	    (insn->op == VMM__X86_VMOV && e->ops->get_vector == NULL))
		return -VMM_ENOTSUP;
	if (is_string(insn))
		return 0;
	return insn->mem_size != 0 && insn->op <= VMM__X86_JMP ? 0 : retry(e);
}

static int start(struct vmm__x86_emulator *e)
{
	int r;

	e->again = false;
	e->touched = false;
	e->moved = 0;
	e->flags = *e->rflags & ~X86_RFLAGS_RF;
	for (unsigned i = 0; i < ARRAY_SIZE(e->span); i++)
		e->span[i].bytes = 0;
	if (VMM__UNLIKELY(repeats(&e->insn) && get_gpr(e, RCX, e->insn.address_size) == 0)) {
		*e->rip = next_rip(e);
		*e->rflags = e->flags;
		return VMM__X86_DONE;
	}
	r = plan(e);
	if (r != 0)
		return r;
	e->step = e->span[FIRST].bytes != 0 ? FIRST : STORE;
	return proceed(e);
}

int vmm__x86_emulate(struct vmm__x86_emulator *e)
{
	int r;

	e->known = e->count != 0 && !e->port_width;
	r = decode(e);
	if (r == 0)
		r = check_kind(e);
	return r != 0 ? r : start(e);
}

int vmm__x86_emulate_decoded(struct vmm__x86_emulator *e, const struct vmm__x86_insn *insn)
{
	int r;

	e->known = false;
	e->decoded = 0;
	e->insn = *insn;
	r = check_kind(e);
	return r != 0 ? r : start(e);
}

int vmm__x86_emulate_again(struct vmm__x86_emulator *e)
{
	/* Memory may have come there meanwhile. */
	e->fault_gpa = UINT64_MAX;
	return start(e);
}

int vmm__x86_emulate_answer(struct vmm__x86_emulator *e, uint64_t data)
{
	uint8_t raw[8];

	if (!e->element.write) {
		vmm__put_le64(raw, data);
		memcpy(e->in[e->step] + e->moved, raw, e->element.width);
	}
	e->moved = (uint8_t)(e->moved + e->element.width);
	return proceed(e);
}

/* --- moves --- */

bool vmm__x86_is_move(const struct vmm__x86_insn *insn)
{
	const unsigned harmless = VMM__X86_F_MODRM | VMM__X86_F_MEM | VMM__X86_F_OPSIZE;
	bool loads = insn->src.kind == VMM__X86_MEM && insn->dst.kind == VMM__X86_GPR;
	bool stores = insn->dst.kind == VMM__X86_MEM &&
		      (insn->src.kind == VMM__X86_GPR || insn->src.kind == VMM__X86_IMM);

	return (insn->flags & ~harmless) == 0 && insn->segment < VMM__X86_FS &&
	       insn->address_size == 8 &&
	       ((insn->op == VMM__X86_MOV && (loads || stores)) ||
		(insn->op == VMM__X86_MOVZX && loads));
}

bool vmm__x86_move(struct vmm__x86_emulator *e, const struct vmm__x86_insn *insn, uint64_t linear)
{
	bool write = insn->dst.kind == VMM__X86_MEM;
	unsigned width = insn->mem_size;
	uint64_t at = effective_of(e, insn, 0);

	if (at / PAGE != linear || ((at ^ e->fault_gpa) & (PAGE - 1)) != 0 ||
	    (at & (width - 1)) != 0 || write != e->fault_write)
		return false;
	e->element = (struct vmm__x86_element){
		.addr = e->fault_gpa, .width = (uint8_t)width, .write = write};
	if (write)
		e->element.data = insn->src.kind == VMM__X86_IMM ? insn->imm & mask_of(width)
								 : get_gpr(e, insn->src.reg, width);
	return true;
}

void vmm__x86_moved(struct vmm__x86_emulator *e, const struct vmm__x86_insn *insn, uint64_t data)
{
	if (insn->dst.kind == VMM__X86_GPR)
		set_gpr(e, insn->dst.reg, insn->size, data & mask_of(insn->mem_size));
	*e->rip += insn->length;
	*e->rflags &= ~X86_RFLAGS_RF;
	e->retries = 0;
}

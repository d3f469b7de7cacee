// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * One pass from left to right: prefixes, opcode, ModRM with SIB and displacement, immediate. Two
 * tables of one word an opcode say what follows and what it means; groups (an opcode whose meaning
 * stands in ModRM.reg) are resolved by group().
 */
#include "x86_decode.h"
#include "bits.h"
#include "endian.h"
#include "mem.h"

/* More meanings of a table's op, none of which leaves this file. */
enum {
	INVALID = VMM__X86_OPS,
	BAD64,  /* as VMM__X86_OTHER, but invalid in 64-bit code */
	PREFIX, /* 26 2E 36 3E 64 65 66 67 F0 F2 F3 */
	ESCAPE, /* 0F 38, 0F 3A, 62, C4, C5 */
	GROUP1, /* 80-83 */
	GROUP1A,
	GROUP2, /* shifts */
	GROUP3, /* F6, F7 */
	GROUP4, /* FE */
	GROUP5, /* FF */
	GROUP7, /* 0F 01 */
	GROUP8, /* 0F BA */
	GROUP9, /* 0F C7 */
	GROUP11 /* C6, C7 */
};

/* Operands, and from FORM_M on: that there is a ModRM byte. E: ModRM.rm, G: ModRM.reg. */
enum {
	FORM_NONE,
	FORM_MOFFS_LOAD,
	FORM_MOFFS_STORE,
	FORM_STRING,
	FORM_IO, /* DX or immediate, and the accumulator */
	FORM_M,
	FORM_E,
	FORM_EG,
	FORM_GE,
	FORM_EI,
	FORM_ES,    /* E and a segment register */
	FORM_VECTOR /* as row of vector_moves[] */
};

/* Immediates. */
enum {
	IMM_NONE,
	IMM_B,
	IMM_W,
	IMM_Z,  /* 2 or 4 by operand size */
	IMM_V,  /* 2, 4 or 8 */
	IMM_WB, /* ENTER */
	IMM_FAR,
	IMM_JZ, /* 4 in 64-bit code, whatever prefixes say */
	IMM_D
};

#define ENTRY(op, form, imm) ((uint16_t)((op) | (form) << 7 | (imm) << 11))
#define BYTE_OP              0x8000u
#define ENTRY_OP(e)          ((e)&0x7fu)
#define ENTRY_FORM(e)        ((e) >> 7 & 15u)
#define ENTRY_IMM(e)         ((e) >> 11 & 15u)

#define X4(e)  e, e, e, e
#define X8(e)  X4(e), X4(e)
#define X16(e) X8(e), X8(e)

#define PLAIN            ENTRY(VMM__X86_OTHER, FORM_NONE, IMM_NONE)
#define WITH(imm)        ENTRY(VMM__X86_OTHER, FORM_NONE, IMM_##imm)
#define RM               ENTRY(VMM__X86_OTHER, FORM_M, IMM_NONE)
#define RM_I(imm)        ENTRY(VMM__X86_OTHER, FORM_M, IMM_##imm)
#define BAD              ENTRY(INVALID, FORM_NONE, IMM_NONE)
#define OLD(imm)         ENTRY(BAD64, FORM_NONE, IMM_##imm)
#define PRE              ENTRY(PREFIX, FORM_NONE, IMM_NONE)
#define ESC              ENTRY(ESCAPE, FORM_NONE, IMM_NONE)
#define V(op, form)      ENTRY(VMM__X86_##op, FORM_##form, IMM_NONE)
#define BV(op, form)     (V(op, form) | BYTE_OP), V(op, form) /* of bytes, and of the operand size */
#define G(n, form, imm)  ENTRY(GROUP##n, FORM_##form, IMM_##imm)
#define GB(n, form, imm) (ENTRY(GROUP##n, FORM_##form, IMM_##imm) | BYTE_OP)
#define IO(op, imm)                                           \
	(ENTRY(VMM__X86_##op, FORM_IO, IMM_##imm) | BYTE_OP), \
		ENTRY(VMM__X86_##op, FORM_IO, IMM_##imm)
/* An opcode's first six; accumulator and immediate need no memory. */
#define ALU(op) BV(op, EG), BV(op, GE), WITH(B), WITH(Z)

/* clang-format off */
static const uint16_t one_byte[256] = {
	/* 00 */ ALU(ADD), OLD(NONE), OLD(NONE), ALU(OR), OLD(NONE), ESC,
	/* 10 */ ALU(ADC), OLD(NONE), OLD(NONE), ALU(SBB), OLD(NONE), OLD(NONE),
	/* 20 */ ALU(AND), PRE, OLD(NONE), ALU(SUB), PRE, OLD(NONE),
	/* 30 */ ALU(XOR), PRE, OLD(NONE), ALU(CMP), PRE, OLD(NONE),
	/* 40 */ X16(PLAIN),
	/* 50 */ X16(PLAIN),
	/* 60 */ OLD(NONE), OLD(NONE), ESC, V(MOVSX, GE), PRE, PRE, PRE, PRE,
	/* 68 */ WITH(Z), RM_I(Z), WITH(B), RM_I(B), BV(INS, STRING), BV(OUTS, STRING),
	/* 70 */ X16(WITH(B)),
	/* 80 */ GB(1, EI, B), G(1, EI, Z), GB(1, EI, B), G(1, EI, B),
	/* 84 */ BV(TEST, EG), BV(XCHG, EG), BV(MOV, EG), BV(MOV, GE),
	/* 8C */ V(MOV, ES), RM, RM, G(1A, E, NONE),
	/* 90 */ X8(PLAIN), PLAIN, PLAIN, OLD(FAR), PLAIN, X4(PLAIN),
	/* A0 */ BV(MOV, MOFFS_LOAD), BV(MOV, MOFFS_STORE), BV(MOVS, STRING), BV(CMPS, STRING),
	/* A8 */ WITH(B), WITH(Z), BV(STOS, STRING), BV(LODS, STRING), BV(SCAS, STRING),
	/* B0 */ X8(WITH(B)), X8(WITH(V)),
	/* C0 */ GB(2, EI, B), G(2, EI, B), WITH(W), PLAIN, ESC, ESC, GB(11, EI, B), G(11, EI, Z),
	/* C8 */ WITH(WB), PLAIN, WITH(W), PLAIN, PLAIN, WITH(B), OLD(NONE), PLAIN,
	/* D0 */ GB(2, E, NONE), G(2, E, NONE), GB(2, E, NONE), G(2, E, NONE),
	/* D4 */ OLD(B), OLD(B), OLD(NONE), PLAIN, X8(RM),
	/* E0 */ X4(WITH(B)), IO(IN, B), IO(OUT, B),
	/* E8 */ WITH(JZ), WITH(JZ), OLD(FAR), WITH(B), IO(IN, NONE), IO(OUT, NONE),
	/* F0 */ PRE, PLAIN, PRE, PRE, PLAIN, PLAIN, GB(3, E, NONE), G(3, E, NONE),
	/* F8 */ X4(PLAIN), PLAIN, PLAIN, GB(4, E, NONE), G(5, E, NONE)};

static const uint16_t two_byte[256] = {
	/* 00 */ RM, G(7, M, NONE), RM, RM, BAD, PLAIN, V(CLTS, NONE), PLAIN,
	/* 08 */ PLAIN, PLAIN, BAD, PLAIN, BAD, RM, PLAIN, RM_I(B),
	/* 10 */ V(VMOV, VECTOR), V(VMOV, VECTOR), RM, RM, X4(RM),
	/* 18 */ X8(RM),
	/* 20 */ V(MOV_CR, GE), V(MOV_DR, GE), V(MOV_CR, EG), V(MOV_DR, EG), X4(BAD),
	/* 28 */ V(VMOV, VECTOR), V(VMOV, VECTOR), RM, V(VMOV, VECTOR), X4(RM),
	/* 30 */ X4(PLAIN), PLAIN, PLAIN, BAD, PLAIN, ESC, BAD, ESC, BAD, X4(BAD),
	/* 40 */ X16(RM),
	/* 50 */ X16(RM),
	/* 60 */ X8(RM), X4(RM), RM, RM, V(VMOV, VECTOR), V(VMOV, VECTOR),
	/* 70 */ X4(RM_I(B)), RM, RM, RM, PLAIN,
	/* 78 */ RM, RM, BAD, BAD, RM, RM, V(VMOV, VECTOR), V(VMOV, VECTOR),
	/* 80 */ X16(WITH(JZ)),
	/* 90 */ X16(RM),
	/* A0 */ PLAIN, PLAIN, PLAIN, V(BT, EG), RM_I(B), RM, RM, RM,
	/* A8 */ PLAIN, PLAIN, PLAIN, V(BTS, EG), RM_I(B), RM, RM, RM,
	/* B0 */ BV(CMPXCHG, EG), RM, V(BTR, EG), RM, RM, V(MOVZX, GE), V(MOVZX, GE),
	/* B8 */ RM, RM, G(8, EI, B), V(BTC, EG), RM, RM, V(MOVSX, GE), V(MOVSX, GE),
	/* C0 */ BV(XADD, EG), RM_I(B), V(MOV, EG), RM_I(B), RM_I(B), RM_I(B), G(9, E, NONE),
	/* C8 */ X8(PLAIN),
	/* D0 */ X4(RM), RM, RM, V(VMOV, VECTOR), RM, X8(RM),
	/* E0 */ X4(RM), RM, RM, RM, V(VMOV, VECTOR), X8(RM),
	/* F0 */ V(VMOV, VECTOR), RM, RM, RM, X4(RM), X8(RM)};
/* clang-format on */

/*
 * Moves between memory and a vector register, by mandatory prefix (0 none, 1 66, 2 F3, 3 F2: as
 * VEX.pp). Moves of MMX registers are not among them.
 */
#define MOVE_STORE 1u
#define MOVE_ALIGN 2u
#define MOVE_4     4u  /* 4 bytes; otherwise: */
#define MOVE_8     8u  /* 8 bytes; otherwise the whole register */
#define MOVE_W     16u /* 4, with REX.W or VEX.W 8 */
#define MOVE_L0    32u /* VEX.L is 0 */

static const struct {
	uint8_t opcode; /* of map 1; 2A is of map 2 */
	uint8_t prefix;
	uint8_t flags;
} vector_moves[] = {
	{0x10, 0, 0},      /* MOVUPS */
	{0x10, 1, 0},      /* MOVUPD */
	{0x10, 2, MOVE_4}, /* MOVSS */
	{0x10, 3, MOVE_8}, /* MOVSD */
	{0x11, 0, MOVE_STORE},
	{0x11, 1, MOVE_STORE},
	{0x11, 2, MOVE_STORE | MOVE_4},
	{0x11, 3, MOVE_STORE | MOVE_8},
	{0x28, 0, MOVE_ALIGN}, /* MOVAPS */
	{0x28, 1, MOVE_ALIGN}, /* MOVAPD */
	{0x29, 0, MOVE_STORE | MOVE_ALIGN},
	{0x29, 1, MOVE_STORE | MOVE_ALIGN},
	{0x2a, 1, MOVE_ALIGN},                    /* MOVNTDQA */
	{0x2b, 0, MOVE_STORE | MOVE_ALIGN},       /* MOVNTPS */
	{0x2b, 1, MOVE_STORE | MOVE_ALIGN},       /* MOVNTPD */
	{0x6e, 1, MOVE_W | MOVE_L0},              /* MOVD, MOVQ */
	{0x6f, 1, MOVE_ALIGN},                    /* MOVDQA */
	{0x6f, 2, 0},                             /* MOVDQU */
	{0x7e, 1, MOVE_STORE | MOVE_W | MOVE_L0}, /* MOVD, MOVQ */
	{0x7e, 2, MOVE_8 | MOVE_L0},              /* MOVQ */
	{0x7f, 1, MOVE_STORE | MOVE_ALIGN},
	{0x7f, 2, MOVE_STORE},
	{0xd6, 1, MOVE_STORE | MOVE_8 | MOVE_L0}, /* MOVQ */
	{0xe7, 1, MOVE_STORE | MOVE_ALIGN},       /* MOVNTDQ */
	{0xf0, 3, 0},                             /* LDDQU */
};

/* 16-bit addressing, by ModRM.rm: SDM 2A, table 2-1. */
static const uint8_t base16[8] = {3, 3, 5, 5, 6, 7, 5, 3};
static const uint8_t index16[4] = {6, 7, 6, 7};

#define REX_W 8u
#define REX_R 4u
#define REX_X 2u
#define REX_B 1u
#define REX   0x40u /* there is one, which makes SPL to DIL of AH to BH */

struct decoder {
	struct vmm__x86_insn *insn;
	const uint8_t *start;
	const uint8_t *at;
	const uint8_t *end;
	size_t count; /* bytes given */
	uint8_t code;
	uint8_t rex;    /* W, R, X, B, from wherever they come */
	uint8_t vector; /* bytes of a VEX operand: 16 or 32 */
	bool evex;
	bool third; /* VEX.vvvv names a register */
};

/* There are not enough bytes: of the caller's, or of what an instruction may have. */
static int ran_out(const struct decoder *d)
{
	return d->count < VMM__X86_INSN_MAX ? -VMM_ESIZE : -VMM_ERANGE;
}

static bool has(const struct decoder *d, size_t bytes)
{
	return (size_t)(d->end - d->at) >= bytes;
}

/* Bytes of a little-endian number, sign-extended. */
static uint64_t number(const uint8_t *at, unsigned bytes)
{
	switch (bytes) {
	case 1:
		return (uint64_t)(int8_t)at[0];
	case 2:
		return (uint64_t)(int16_t)vmm__le16(at);
	case 4:
		return (uint64_t)(int32_t)vmm__le32(at);
	default:
		return vmm__le64(at);
	}
}

/* One legacy prefix. Of F2 and F3 the last one counts, of segments too. */
static void prefix(struct decoder *d, uint8_t byte)
{
	struct vmm__x86_insn *insn = d->insn;

	switch (byte) {
	case 0x66:
		insn->flags |= VMM__X86_F_OPSIZE;
		break;
	case 0x67:
		insn->address_size = d->code == VMM__X86_CODE_32 ? 2 : 4;
		break;
	case 0xf0:
		insn->flags |= VMM__X86_F_LOCK;
		break;
	case 0xf2:
	case 0xf3:
		insn->flags &= (uint8_t) ~(VMM__X86_F_REP | VMM__X86_F_REPNE);
		insn->flags |= byte == 0xf2 ? VMM__X86_F_REPNE : VMM__X86_F_REP;
		break;
	case 0x64:
	case 0x65:
		insn->segment = byte - 0x60;
		break;
	default:
		/* 26, 2E, 36, 3E: ES to DS have no meaning in 64-bit code. */
		if (d->code != VMM__X86_CODE_64)
			insn->segment = byte >> 3 & 3;
	}
}

/* Prefixes until an opcode; its byte is the last one taken. */
static int prefixes(struct decoder *d, uint16_t *entry)
{
	struct vmm__x86_insn *insn = d->insn;

	for (;;) {
		if (!has(d, 1))
			return ran_out(d);
		uint8_t byte = *d->at++;
		*entry = one_byte[byte];
		if (d->code == VMM__X86_CODE_64 && (byte & 0xf0) == REX) {
			d->rex = byte;
		} else if (ENTRY_OP(*entry) == PREFIX) {
			d->rex = 0; /* only what stands before the opcode counts */
			prefix(d, byte);
		} else {
			insn->opcode = byte;
			return 0;
		}
	}
}

static unsigned mandatory_prefix(const struct vmm__x86_insn *insn)
{
	if (insn->flags & (VMM__X86_F_REP | VMM__X86_F_REPNE))
		return insn->flags & VMM__X86_F_REP ? 2 : 3;
	return insn->flags & VMM__X86_F_OPSIZE ? 1 : 0;
}

/* What a VEX-like prefix says of a mandatory one goes where a real one would have gone. */
static void take_pp(struct vmm__x86_insn *insn, uint8_t byte)
{
	static const uint8_t flags[4] = {0, VMM__X86_F_OPSIZE, VMM__X86_F_REP, VMM__X86_F_REPNE};

	insn->flags |= VMM__X86_F_VEX | flags[byte & 3];
}

/*
 * VEX, EVEX or XOP: @payload bytes after the first one, then the opcode. Sets map, REX bits,
 * length of vectors. SDM 2A 2.3.5, 2.7; APM 3, 1.8.
 */
static int vex(struct decoder *d, unsigned payload)
{
	struct vmm__x86_insn *insn = d->insn;
	const uint8_t *p = d->at;

	if (!has(d, payload + 1))
		return ran_out(d);
	if (d->rex ||
	    insn->flags & (VMM__X86_F_LOCK | VMM__X86_F_OPSIZE | VMM__X86_F_REP | VMM__X86_F_REPNE))
		return -VMM_EFORMAT;
	d->at += payload + 1;
	if (payload == 1) {
		insn->map = 1;
		d->rex = (uint8_t)((unsigned)~p[0] >> 5 & REX_R);
	} else {
		insn->map = p[0] & (payload == 3 ? 7 : 31);
		d->rex = (uint8_t)(((unsigned)~p[0] >> 5 & 7) | (p[1] >> 4 & REX_W));
	}
	insn->opcode = p[payload];
	take_pp(insn, p[payload > 1]);
	d->vector = p[payload > 1] & 4 ? 32 : 16;
	d->third = (p[payload > 1] & 0x78) != 0x78;
	if (d->code != VMM__X86_CODE_64)
		d->rex = 0;
	if (payload == 3) {
		d->evex = true;
		/* A bit that is 0, one that is 1. */
		if ((p[0] & 8) || !(p[1] & 4))
			return -VMM_EFORMAT;
	}
	return 0;
}

/* What follows the opcode of a VEX-like instruction. */
static int vex_entry(const struct decoder *d, uint16_t *entry)
{
	const struct vmm__x86_insn *insn = d->insn;

	switch (insn->map) {
	case 1:
		*entry = two_byte[insn->opcode];
		if (insn->opcode == 0x77)
			return d->evex ? -VMM_EFORMAT : 0;
		/* Of what else has a ModRM byte only these have an immediate. */
		if (d->evex || ENTRY_OP(*entry) != VMM__X86_VMOV)
			*entry = (insn->opcode & 0xfc) == 0x70 ||
						 (insn->opcode >= 0xc2 && insn->opcode <= 0xc6 &&
						  insn->opcode != 0xc3)
					 ? RM_I(B)
					 : RM;
		return 0;
	case 2:
		*entry = !d->evex && insn->opcode == 0x2a ? V(VMOV, VECTOR) : RM;
		return 0;
	case 3:
	case 8:
		*entry = RM_I(B);
		return 0;
	case 5:
	case 6:
	case 9:
		*entry = RM;
		return d->evex == (insn->map != 9) ? 0 : -VMM_EFORMAT;
	case 10:
		*entry = RM_I(D);
		return 0;
	default:
		return -VMM_EFORMAT;
	}
}

/* 0F 38 and 0F 3A. */
static int three_byte(struct decoder *d, uint16_t *entry)
{
	struct vmm__x86_insn *insn = d->insn;

	if (!has(d, 1))
		return ran_out(d);
	insn->map = insn->opcode == 0x38 ? 2 : 3;
	insn->opcode = *d->at++;
	*entry = insn->map == 2 ? RM : RM_I(B);
	if (insn->map == 3)
		return 0;
	if ((insn->opcode & 0xfe) == 0xf0 && mandatory_prefix(insn) < 2)
		*entry = insn->opcode & 1 ? V(MOVBE, EG) : V(MOVBE, GE);
	else if (insn->opcode == 0x2a)
		*entry = V(VMOV, VECTOR);
	return 0;
}

/*
 * The byte after C4, C5, 62 or 8F tells a VEX-like prefix from LES, LDS, BOUND and POP: no form of
 * those with a register is there outside 64-bit code, and POP has a ModRM.reg of 0.
 */
static int escape(struct decoder *d, uint16_t *entry)
{
	struct vmm__x86_insn *insn = d->insn;
	int r;

	if (!has(d, 1))
		return ran_out(d);
	if (insn->opcode == 0x0f) {
		insn->map = 1;
		insn->opcode = *d->at++;
		*entry = two_byte[insn->opcode];
		return ENTRY_OP(*entry) == ESCAPE ? three_byte(d, entry) : 0;
	}
	if (insn->opcode == 0x8f) {
		if ((*d->at & 31) < 8)
			return 0;
		r = vex(d, 2);
		return r ? r : insn->map > 10 ? -VMM_EFORMAT : vex_entry(d, entry);
	}
	*entry = RM;
	if (d->code != VMM__X86_CODE_64 && *d->at < 0xc0)
		return 0;
	r = vex(d, insn->opcode == 0x62 ? 3 : insn->opcode == 0xc4 ? 2 : 1);
	return r ? r : insn->map > 7 ? -VMM_EFORMAT : vex_entry(d, entry);
}

static int displacement(struct decoder *d, unsigned bytes)
{
	if (bytes == 0)
		return 0;
	if (!has(d, bytes))
		return ran_out(d);
	d->insn->disp = number(d->at, bytes);
	d->at += bytes;
	return 0;
}

static int address16(struct decoder *d)
{
	struct vmm__x86_insn *insn = d->insn;
	unsigned mod = insn->modrm >> 6, rm = insn->modrm & 7;

	insn->base = base16[rm];
	if (rm < 4)
		insn->index = index16[rm];
	if (mod == 0 && rm == 6) {
		insn->base = VMM__X86_NO_REG;
		mod = 2;
	}
	return displacement(d, mod);
}

static int address32(struct decoder *d)
{
	struct vmm__x86_insn *insn = d->insn;
	unsigned mod = insn->modrm >> 6, base = insn->modrm & 7;
	bool sib = base == 4;

	if (sib) {
		if (!has(d, 1))
			return ran_out(d);
		uint8_t byte = *d->at++;
		uint8_t index = (uint8_t)((byte >> 3 & 7) | (d->rex & REX_X) << 2);

		base = byte & 7;
		if (index != 4) {
			insn->index = index;
			insn->scale = byte >> 6;
		}
	}
	insn->base = (uint8_t)(base | (d->rex & REX_B) << 3);
	if (mod == 0 && base == 5) {
		insn->base = d->code == VMM__X86_CODE_64 && !sib ? VMM__X86_RIP : VMM__X86_NO_REG;
		return displacement(d, 4);
	}
	return displacement(d, mod == 2 ? 4 : mod);
}

/* ModRM, SIB, displacement. @op: moves of control and debug registers have no memory form. */
static int modrm(struct decoder *d, unsigned op)
{
	struct vmm__x86_insn *insn = d->insn;
	int r;

	if (!has(d, 1))
		return ran_out(d);
	insn->modrm = *d->at++;
	insn->flags |= VMM__X86_F_MODRM;
	if (insn->modrm >= 0xc0 || op == VMM__X86_MOV_CR || op == VMM__X86_MOV_DR)
		return 0;
	insn->flags |= VMM__X86_F_MEM;
	r = insn->address_size == 2 ? address16(d) : address32(d);
	/* BP and SP are of the stack segment unless a prefix says otherwise: SDM 1, 3.7.4. */
	if (insn->segment == VMM__X86_NO_REG && (insn->base == 4 || insn->base == 5))
		insn->segment = VMM__X86_SS;
	return r;
}

static unsigned reg_field(const struct decoder *d)
{
	return (d->insn->modrm >> 3 & 7u) | (d->rex & REX_R) << 1;
}

static struct vmm__x86_operand gpr(const struct decoder *d, unsigned reg, unsigned size)
{
	if (size == 1 && !d->rex && reg >= 4)
		return (struct vmm__x86_operand){VMM__X86_GPR_HIGH, (uint8_t)(reg - 4)};
	return (struct vmm__x86_operand){VMM__X86_GPR, (uint8_t)reg};
}

/* ModRM.rm: memory, or a register of @size. */
static struct vmm__x86_operand rm_operand(const struct decoder *d, unsigned size)
{
	if (d->insn->flags & VMM__X86_F_MEM)
		return (struct vmm__x86_operand){VMM__X86_MEM, 0};
	return gpr(d, (d->insn->modrm & 7u) | (d->rex & REX_B) << 3, size);
}

/*
 * A group's member by ModRM.reg; INVALID if there is none. May change what immediate follows and
 * what operand size there is.
 */
static unsigned group(struct decoder *d, unsigned op, unsigned *form, unsigned *imm)
{
	struct vmm__x86_insn *insn = d->insn;
	unsigned reg = insn->modrm >> 3 & 7;
	bool memory = insn->flags & VMM__X86_F_MEM;

	switch (op) {
	case GROUP1:
		if (insn->opcode == 0x82 && d->code == VMM__X86_CODE_64)
			return INVALID;
		return VMM__X86_ADD + reg;
	case GROUP1A:
		return reg == 0 ? VMM__X86_POP : INVALID;
	case GROUP2:
		return VMM__X86_ROL + reg;
	case GROUP3:
		if (reg < 2) {
			*form = FORM_EI;
			*imm = insn->opcode & 1 ? IMM_Z : IMM_B;
			return VMM__X86_TEST;
		}
		return reg == 2 ? VMM__X86_NOT : reg == 3 ? VMM__X86_NEG : VMM__X86_OTHER;
	case GROUP4:
		return reg < 2 ? VMM__X86_INC + reg : INVALID;
	case GROUP5: {
		static const uint8_t ops[8] = {VMM__X86_INC,   VMM__X86_DEC, VMM__X86_CALL,
					       VMM__X86_OTHER, VMM__X86_JMP, VMM__X86_OTHER,
					       VMM__X86_PUSH,  INVALID};

		return (reg == 3 || reg == 5) && !memory ? INVALID : ops[reg];
	}
	case GROUP7:
		*form = FORM_E;
		if (reg == 4)
			return VMM__X86_SMSW;
		return reg == 6 ? VMM__X86_LMSW : VMM__X86_OTHER;
	case GROUP8:
		return reg >= 4 ? VMM__X86_BT + reg - 4 : INVALID;
	case GROUP9:
		return reg == 1 && memory ? VMM__X86_CMPXCHG8B : VMM__X86_OTHER;
	default: /* GROUP11; /7 are XABORT and XBEGIN */
		if (reg == 0)
			return VMM__X86_MOV;
		return insn->modrm == 0xf8 ? VMM__X86_OTHER : INVALID;
	}
}

/* VMM__X86_VMOV: a row of vector_moves[], or something else with the same opcode. */
static int vector_move(struct decoder *d)
{
	struct vmm__x86_insn *insn = d->insn;
	const struct vmm__x86_operand memory = {VMM__X86_MEM, 0};
	const struct vmm__x86_operand vector = {VMM__X86_VECTOR, (uint8_t)reg_field(d)};
	unsigned pp = mandatory_prefix(insn);

	insn->op = VMM__X86_OTHER;
	if (!(insn->flags & VMM__X86_F_MEM))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(vector_moves); i++) {
		unsigned flags = vector_moves[i].flags;

		if (vector_moves[i].opcode != insn->opcode || vector_moves[i].prefix != pp)
			continue;
		if (d->third || (d->vector == 32 && flags & MOVE_L0))
			return -VMM_EFORMAT;
		insn->op = VMM__X86_VMOV;
		insn->size = d->vector;
		insn->mem_size = d->vector;
		if (flags & (MOVE_4 | MOVE_8 | MOVE_W))
			insn->mem_size =
				flags & MOVE_8 || (flags & MOVE_W && d->rex & REX_W) ? 8 : 4;
		if (flags & MOVE_ALIGN)
			insn->flags |= VMM__X86_F_ALIGN;
		insn->dst = flags & MOVE_STORE ? memory : vector;
		insn->src = flags & MOVE_STORE ? vector : memory;
	}
	return 0;
}

static void operands(struct decoder *d, unsigned form)
{
	struct vmm__x86_insn *insn = d->insn;
	const struct vmm__x86_operand accumulator = {VMM__X86_GPR, 0};
	unsigned size = insn->size, rm_size = size;

	switch (form) {
	case FORM_MOFFS_LOAD:
		insn->dst = accumulator;
		insn->src.kind = VMM__X86_MEM;
		break;
	case FORM_MOFFS_STORE:
		insn->dst.kind = VMM__X86_MEM;
		insn->src = accumulator;
		break;
	case FORM_EG:
		insn->dst = rm_operand(d, size);
		insn->src = gpr(d, reg_field(d), size);
		break;
	case FORM_GE:
		if (insn->op == VMM__X86_MOVZX || insn->op == VMM__X86_MOVSX) {
			/* 63: MOVSXD */
			rm_size = insn->map == 0 ? (size == 2 ? 2 : 4) : insn->opcode & 1 ? 2 : 1;
		}
		insn->dst = gpr(d, reg_field(d), size);
		insn->src = rm_operand(d, rm_size);
		break;
	case FORM_E:
		insn->dst = rm_operand(d, size);
		break;
	case FORM_EI:
		insn->dst = rm_operand(d, size);
		insn->src.kind = VMM__X86_IMM;
		break;
	case FORM_ES:
		rm_size = insn->flags & VMM__X86_F_MEM ? 2 : size;
		insn->dst = rm_operand(d, rm_size);
		insn->src.kind = VMM__X86_SEG;
		insn->src.reg = insn->modrm >> 3 & 7;
		break;
	default:
		break;
	}
	if (insn->flags & VMM__X86_F_MEM)
		insn->mem_size = (uint8_t)rm_size;
}

/* What is particular to some instructions. */
static int details(struct decoder *d)
{
	struct vmm__x86_insn *insn = d->insn;
	bool long_code = d->code == VMM__X86_CODE_64;
	bool memory = insn->flags & VMM__X86_F_MEM;

	switch (insn->op) {
	case VMM__X86_ROL:
	case VMM__X86_ROR:
	case VMM__X86_RCL:
	case VMM__X86_RCR:
	case VMM__X86_SHL:
	case VMM__X86_SHR:
	case VMM__X86_SAL:
	case VMM__X86_SAR:
		if (insn->opcode >= 0xd2) {
			insn->src = (struct vmm__x86_operand){VMM__X86_GPR, 1};
		} else if (insn->opcode >= 0xd0) {
			insn->src.kind = VMM__X86_IMM;
			insn->imm = 1;
		}
		break;
	case VMM__X86_PUSH:
	case VMM__X86_POP:
		if (long_code && insn->size == 4)
			insn->size = 8;
		if (memory)
			insn->mem_size = insn->size;
		break;
	case VMM__X86_CALL:
	case VMM__X86_JMP:
		if (long_code)
			insn->size = 8;
		if (memory)
			insn->mem_size = insn->size;
		break;
	case VMM__X86_CMPXCHG8B:
		insn->mem_size = insn->size == 8 ? 16 : 8;
		break;
	case VMM__X86_SMSW:
	case VMM__X86_LMSW:
		if (memory)
			insn->mem_size = 2;
		break;
	case VMM__X86_IN:
	case VMM__X86_OUT:
		if (insn->size == 8)
			insn->size = 4;
		break;
	case VMM__X86_INS:
	case VMM__X86_OUTS:
		if (insn->size == 8)
			insn->size = 4;
		insn->mem_size = insn->size;
		break;
	case VMM__X86_MOVS:
	case VMM__X86_CMPS:
	case VMM__X86_STOS:
	case VMM__X86_LODS:
	case VMM__X86_SCAS:
		insn->mem_size = insn->size;
		break;
	case VMM__X86_MOV:
		if (insn->src.kind == VMM__X86_SEG && insn->src.reg > VMM__X86_GS)
			return -VMM_EFORMAT;
		/* MOVNTI, of 4 or 8 bytes */
		if (insn->map == 1) {
			if (!memory || mandatory_prefix(insn) != 0)
				return -VMM_EFORMAT;
			insn->size = insn->mem_size = insn->size == 8 ? 8 : 4;
		}
		break;
	case VMM__X86_MOVBE:
		return memory ? 0 : -VMM_EFORMAT;
	case VMM__X86_MOVSX:
		/* 63 is ARPL outside 64-bit code. */
		if (insn->map == 0 && !long_code)
			insn->op = VMM__X86_OTHER;
		break;
	case VMM__X86_MOV_CR:
	case VMM__X86_MOV_DR: {
		bool to = insn->opcode & 2;
		struct vmm__x86_operand *special = to ? &insn->dst : &insn->src;

		insn->size = long_code ? 8 : 4;
		*(to ? &insn->src : &insn->dst) = (struct vmm__x86_operand){
			VMM__X86_GPR, (uint8_t)((insn->modrm & 7) | (d->rex & REX_B) << 3)};
		special->kind = insn->op == VMM__X86_MOV_CR ? VMM__X86_CR : VMM__X86_DR;
		special->reg = (uint8_t)reg_field(d);
		if (insn->op == VMM__X86_MOV_DR)
			return special->reg < 8 ? 0 : -VMM_EFORMAT;
		/* 0, 2, 3, 4, 8 */
		return special->reg < 16 && (0x11du >> special->reg & 1) ? 0 : -VMM_EFORMAT;
	}
	default:
		break;
	}
	return 0;
}

/* LOCK goes with what reads and then writes memory: SDM 2A, LOCK. */
static bool lockable(const struct vmm__x86_insn *insn)
{
	unsigned op = insn->op;

	if (insn->dst.kind != VMM__X86_MEM)
		return false;
	return (op >= VMM__X86_ADD && op < VMM__X86_CMP) ||
	       (op > VMM__X86_BT && op <= VMM__X86_CMPXCHG8B && op != VMM__X86_TEST);
}

static unsigned operand_size(const struct decoder *d)
{
	bool other = d->insn->flags & VMM__X86_F_OPSIZE;

	if (d->rex & REX_W)
		return 8;
	return other == (d->code == VMM__X86_CODE_16) ? 4 : 2;
}

static unsigned imm_bytes(const struct decoder *d, unsigned imm)
{
	unsigned size = operand_size(d);

	switch (imm) {
	case IMM_NONE:
		return 0;
	case IMM_B:
		return 1;
	case IMM_W:
		return 2;
	case IMM_Z:
		return size == 8 ? 4 : size;
	case IMM_V:
		return size;
	case IMM_WB:
		return 3;
	case IMM_FAR:
		return size + 2;
	case IMM_JZ:
		return d->code == VMM__X86_CODE_64 ? 4 : size;
	default:
		return 4;
	}
}

static int immediate(struct decoder *d, unsigned bytes)
{
	struct vmm__x86_insn *insn = d->insn;

	if (!has(d, bytes))
		return ran_out(d);
	insn->imm_size = (uint8_t)bytes;
	insn->imm = bytes == 3   ? vmm__le16(d->at) | (uint64_t)d->at[2] << 16
		    : bytes == 6 ? vmm__le32(d->at) | (uint64_t)vmm__le16(d->at + 4) << 32
				 : number(d->at, bytes);
	d->at += bytes;
	return 0;
}

/* All after the opcode. */
static int rest(struct decoder *d, uint16_t entry)
{
	struct vmm__x86_insn *insn = d->insn;
	unsigned op = ENTRY_OP(entry), form = ENTRY_FORM(entry), imm = ENTRY_IMM(entry);
	int r = 0;

	if (form >= FORM_M) {
		r = modrm(d, op);
	} else if (form == FORM_MOFFS_LOAD || form == FORM_MOFFS_STORE) {
		insn->flags |= VMM__X86_F_MEM;
		r = displacement(d, insn->address_size);
	}
	if (r != 0)
		return r;
	if (insn->segment == VMM__X86_NO_REG)
		insn->segment = VMM__X86_DS;
	insn->size = entry & BYTE_OP ? 1 : (uint8_t)operand_size(d);
	if (op >= INVALID) {
		if (op == BAD64)
			op = d->code == VMM__X86_CODE_64 ? INVALID : VMM__X86_OTHER;
		else if (op > ESCAPE)
			op = group(d, op, &form, &imm);
		if (op == INVALID)
			return -VMM_EFORMAT;
	}
	insn->op = (uint8_t)op;
	/* EXTRQ, INSERTQ: APM 4. */
	if (insn->map == 1 && insn->opcode == 0x78 && !(insn->flags & VMM__X86_F_VEX) &&
	    mandatory_prefix(insn) & 1)
		imm = IMM_W;
	if (imm != IMM_NONE)
		r = immediate(d, imm_bytes(d, imm));
	if (r != 0)
		return r;
	insn->length = (uint8_t)((size_t)(d->at - d->start));
	if (op == VMM__X86_OTHER)
		return insn->flags & VMM__X86_F_LOCK ? -VMM_EFORMAT : 0;
	if (form == FORM_VECTOR) {
		r = vector_move(d);
	} else {
		operands(d, form);
		r = details(d);
	}
	if (r == 0 && insn->flags & VMM__X86_F_LOCK && !lockable(insn))
		r = -VMM_EFORMAT;
	return r;
}

int vmm__x86_decode(struct vmm__x86_insn *insn, const uint8_t *bytes, size_t count, unsigned code)
{
	struct decoder d = {
		.insn = insn, .start = bytes, .at = bytes, .count = count, .code = (uint8_t)code};
	uint16_t entry;
	int r;

	memset(insn, 0, sizeof(*insn));
	d.end = bytes + (count < VMM__X86_INSN_MAX ? count : VMM__X86_INSN_MAX);
	d.vector = 16;
	insn->address_size = (uint8_t)code;
	insn->segment = VMM__X86_NO_REG;
	insn->base = VMM__X86_NO_REG;
	insn->index = VMM__X86_NO_REG;

	r = prefixes(&d, &entry);
	if (r == 0 && (ENTRY_OP(entry) == ESCAPE || ENTRY_OP(entry) == GROUP1A))
		r = escape(&d, &entry);
	if (r != 0)
		return r;
	return rest(&d, entry);
}

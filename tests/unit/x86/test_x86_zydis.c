// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The decoder against Zydis, over generated instructions: VMM_TEST_ROUNDS of them, valid or not.
 *
 * What Zydis takes must have the same length, and every part that both name must be the same. What
 * Zydis refuses may pass only as VMM__X86_OTHER, of which no more than the shape is promised.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <Zydis/Zydis.h>

#include "x86_decode.h"

#define INPUT 24 /* more than an instruction */

static uint64_t random_state = 0x9e3779b97f4a7c15;

/* xorshift64* */
static uint64_t next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1d;
}

/* From the upper bits, which are the better ones. */
static unsigned below(unsigned end)
{
	return (unsigned)((next_random() >> 32) % end);
}

static const uint8_t legacy_prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
					  0x66, 0x67, 0xf0, 0xf2, 0xf3};

/* Opcodes whose operands are described, each with its map; they come more often. */
static const uint8_t known[][2] = {
	{0, 0x00}, {0, 0x09}, {0, 0x13}, {0, 0x22}, {0, 0x38}, {0, 0x63}, {0, 0x6c}, {0, 0x6f},
	{0, 0x80}, {0, 0x81}, {0, 0x83}, {0, 0x84}, {0, 0x85}, {0, 0x86}, {0, 0x87}, {0, 0x88},
	{0, 0x89}, {0, 0x8a}, {0, 0x8b}, {0, 0x8c}, {0, 0x8e}, {0, 0x8f}, {0, 0xa0}, {0, 0xa1},
	{0, 0xa2}, {0, 0xa3}, {0, 0xa4}, {0, 0xa5}, {0, 0xa6}, {0, 0xa7}, {0, 0xaa}, {0, 0xab},
	{0, 0xac}, {0, 0xad}, {0, 0xae}, {0, 0xaf}, {0, 0xc0}, {0, 0xc1}, {0, 0xc6}, {0, 0xc7},
	{0, 0xd0}, {0, 0xd1}, {0, 0xd2}, {0, 0xd3}, {0, 0xe4}, {0, 0xe5}, {0, 0xee}, {0, 0xef},
	{0, 0xf6}, {0, 0xf7}, {0, 0xfe}, {0, 0xff}, {1, 0x01}, {1, 0x06}, {1, 0x10}, {1, 0x11},
	{1, 0x20}, {1, 0x21}, {1, 0x22}, {1, 0x23}, {1, 0x28}, {1, 0x29}, {1, 0x2b}, {1, 0x6e},
	{1, 0x6f}, {1, 0x7e}, {1, 0x7f}, {1, 0xa3}, {1, 0xab}, {1, 0xb0}, {1, 0xb1}, {1, 0xb3},
	{1, 0xb6}, {1, 0xb7}, {1, 0xba}, {1, 0xbb}, {1, 0xbe}, {1, 0xbf}, {1, 0xc0}, {1, 0xc1},
	{1, 0xc3}, {1, 0xc7}, {1, 0xd6}, {1, 0xe7}, {1, 0xf0}, {2, 0x2a}, {2, 0xf0}, {2, 0xf1}};

static void generate(uint8_t *bytes)
{
	unsigned at = 0, map = below(8), count = below(4) ? below(3) : below(6);

	for (unsigned i = 0; i < INPUT; i++)
		bytes[i] = (uint8_t)(next_random() >> 40);
	while (count-- > 0)
		bytes[at++] = legacy_prefixes[below(sizeof(legacy_prefixes))];
	if (below(3) == 0)
		bytes[at++] = (uint8_t)(0x40 | below(16));
	if (below(200) == 0)
		while (at < 14)
			bytes[at++] = legacy_prefixes[below(sizeof(legacy_prefixes))];
	if (below(2) == 0) {
		unsigned i = below(sizeof(known) / sizeof(known[0]));

		if (known[i][0] != 0)
			bytes[at++] = 0x0f;
		if (known[i][0] == 2)
			bytes[at++] = 0x38;
		bytes[at] = known[i][1];
		return;
	}
	switch (map) {
	case 1:
	case 2:
		bytes[at] = 0x0f;
		break;
	case 3:
		bytes[at++] = 0x0f;
		bytes[at] = below(2) ? 0x38 : 0x3a;
		break;
	case 4:
		bytes[at] = 0xc5;
		if (below(2))
			bytes[at + 1] |= 0xf8;
		break;
	case 5:
		bytes[at] = 0xc4;
		bytes[at + 1] = (uint8_t)((bytes[at + 1] & 0xe0) | below(5));
		if (below(2))
			bytes[at + 1] |= 0xe0;
		if (below(2))
			bytes[at + 2] |= 0x78;
		break;
	case 6:
		bytes[at] = 0x62;
		bytes[at + 1] = (uint8_t)((bytes[at + 1] & 0xf0) | below(8));
		bytes[at + 2] |= 4;
		if (below(2))
			bytes[at + 1] |= 0xf0;
		break;
	case 7:
		bytes[at] = 0x8f;
		break;
	default:
		break;
	}
}

static const struct {
	ZydisMnemonic mnemonic;
	uint8_t op;
} names[] = {
	{ZYDIS_MNEMONIC_ADD, VMM__X86_ADD},
	{ZYDIS_MNEMONIC_OR, VMM__X86_OR},
	{ZYDIS_MNEMONIC_ADC, VMM__X86_ADC},
	{ZYDIS_MNEMONIC_SBB, VMM__X86_SBB},
	{ZYDIS_MNEMONIC_AND, VMM__X86_AND},
	{ZYDIS_MNEMONIC_SUB, VMM__X86_SUB},
	{ZYDIS_MNEMONIC_XOR, VMM__X86_XOR},
	{ZYDIS_MNEMONIC_CMP, VMM__X86_CMP},
	{ZYDIS_MNEMONIC_ROL, VMM__X86_ROL},
	{ZYDIS_MNEMONIC_ROR, VMM__X86_ROR},
	{ZYDIS_MNEMONIC_RCL, VMM__X86_RCL},
	{ZYDIS_MNEMONIC_RCR, VMM__X86_RCR},
	{ZYDIS_MNEMONIC_SHL, VMM__X86_SHL},
	{ZYDIS_MNEMONIC_SHR, VMM__X86_SHR},
	{ZYDIS_MNEMONIC_SAR, VMM__X86_SAR},
	{ZYDIS_MNEMONIC_BT, VMM__X86_BT},
	{ZYDIS_MNEMONIC_BTS, VMM__X86_BTS},
	{ZYDIS_MNEMONIC_BTR, VMM__X86_BTR},
	{ZYDIS_MNEMONIC_BTC, VMM__X86_BTC},
	{ZYDIS_MNEMONIC_TEST, VMM__X86_TEST},
	{ZYDIS_MNEMONIC_NOT, VMM__X86_NOT},
	{ZYDIS_MNEMONIC_NEG, VMM__X86_NEG},
	{ZYDIS_MNEMONIC_INC, VMM__X86_INC},
	{ZYDIS_MNEMONIC_DEC, VMM__X86_DEC},
	{ZYDIS_MNEMONIC_XCHG, VMM__X86_XCHG},
	{ZYDIS_MNEMONIC_XADD, VMM__X86_XADD},
	{ZYDIS_MNEMONIC_CMPXCHG, VMM__X86_CMPXCHG},
	{ZYDIS_MNEMONIC_CMPXCHG8B, VMM__X86_CMPXCHG8B},
	{ZYDIS_MNEMONIC_CMPXCHG16B, VMM__X86_CMPXCHG8B},
	{ZYDIS_MNEMONIC_MOV, VMM__X86_MOV},
	{ZYDIS_MNEMONIC_MOVNTI, VMM__X86_MOV},
	{ZYDIS_MNEMONIC_MOVZX, VMM__X86_MOVZX},
	{ZYDIS_MNEMONIC_MOVSX, VMM__X86_MOVSX},
	{ZYDIS_MNEMONIC_MOVSXD, VMM__X86_MOVSX},
	{ZYDIS_MNEMONIC_MOVBE, VMM__X86_MOVBE},
	{ZYDIS_MNEMONIC_MOVUPS, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_MOVUPD, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_MOVSS, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_MOVAPS, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_MOVAPD, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_MOVNTDQA, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_MOVNTPS, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_MOVNTPD, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_MOVD, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_MOVQ, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_MOVDQA, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_MOVDQU, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_MOVNTDQ, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_LDDQU, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_VMOVUPS, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_VMOVUPD, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_VMOVSS, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_VMOVSD, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_VMOVAPS, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_VMOVAPD, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_VMOVNTDQA, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_VMOVNTPS, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_VMOVNTPD, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_VMOVD, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_VMOVQ, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_VMOVDQA, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_VMOVDQU, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_VMOVNTDQ, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_VLDDQU, VMM__X86_VMOV},
	{ZYDIS_MNEMONIC_PUSH, VMM__X86_PUSH},
	{ZYDIS_MNEMONIC_POP, VMM__X86_POP},
	{ZYDIS_MNEMONIC_CALL, VMM__X86_CALL},
	{ZYDIS_MNEMONIC_JMP, VMM__X86_JMP},
	{ZYDIS_MNEMONIC_MOVSB, VMM__X86_MOVS},
	{ZYDIS_MNEMONIC_MOVSW, VMM__X86_MOVS},
	{ZYDIS_MNEMONIC_MOVSD, VMM__X86_MOVS},
	{ZYDIS_MNEMONIC_MOVSQ, VMM__X86_MOVS},
	{ZYDIS_MNEMONIC_CMPSB, VMM__X86_CMPS},
	{ZYDIS_MNEMONIC_CMPSW, VMM__X86_CMPS},
	{ZYDIS_MNEMONIC_CMPSD, VMM__X86_CMPS},
	{ZYDIS_MNEMONIC_CMPSQ, VMM__X86_CMPS},
	{ZYDIS_MNEMONIC_STOSB, VMM__X86_STOS},
	{ZYDIS_MNEMONIC_STOSW, VMM__X86_STOS},
	{ZYDIS_MNEMONIC_STOSD, VMM__X86_STOS},
	{ZYDIS_MNEMONIC_STOSQ, VMM__X86_STOS},
	{ZYDIS_MNEMONIC_LODSB, VMM__X86_LODS},
	{ZYDIS_MNEMONIC_LODSW, VMM__X86_LODS},
	{ZYDIS_MNEMONIC_LODSD, VMM__X86_LODS},
	{ZYDIS_MNEMONIC_LODSQ, VMM__X86_LODS},
	{ZYDIS_MNEMONIC_SCASB, VMM__X86_SCAS},
	{ZYDIS_MNEMONIC_SCASW, VMM__X86_SCAS},
	{ZYDIS_MNEMONIC_SCASD, VMM__X86_SCAS},
	{ZYDIS_MNEMONIC_SCASQ, VMM__X86_SCAS},
	{ZYDIS_MNEMONIC_INSB, VMM__X86_INS},
	{ZYDIS_MNEMONIC_INSW, VMM__X86_INS},
	{ZYDIS_MNEMONIC_INSD, VMM__X86_INS},
	{ZYDIS_MNEMONIC_OUTSB, VMM__X86_OUTS},
	{ZYDIS_MNEMONIC_OUTSW, VMM__X86_OUTS},
	{ZYDIS_MNEMONIC_OUTSD, VMM__X86_OUTS},
	{ZYDIS_MNEMONIC_IN, VMM__X86_IN},
	{ZYDIS_MNEMONIC_OUT, VMM__X86_OUT},
	{ZYDIS_MNEMONIC_CLTS, VMM__X86_CLTS},
	{ZYDIS_MNEMONIC_SMSW, VMM__X86_SMSW},
	{ZYDIS_MNEMONIC_LMSW, VMM__X86_LMSW},
};

static uint8_t op_of[ZYDIS_MNEMONIC_MAX_VALUE + 1];

static const ZydisDecodedOperand *memory_operand(const ZydisDecodedInstruction *z,
						 const ZydisDecodedOperand *operands)
{
	for (unsigned i = 0; i < z->operand_count; i++)
		if (operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    operands[i].visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
			return &operands[i];
	return NULL;
}

static unsigned register_number(ZydisRegister r)
{
	if (r == ZYDIS_REGISTER_NONE)
		return VMM__X86_NO_REG;
	if (r == ZYDIS_REGISTER_RIP || r == ZYDIS_REGISTER_EIP)
		return VMM__X86_RIP;
	return (unsigned)ZydisRegisterGetId(r);
}

static const uint8_t high_bytes[4] = {ZYDIS_REGISTER_AH, ZYDIS_REGISTER_CH, ZYDIS_REGISTER_DH,
				      ZYDIS_REGISTER_BH};

static const char *compare_operand(const struct vmm__x86_insn *insn,
				   const struct vmm__x86_operand *ours,
				   const ZydisDecodedOperand *theirs)
{
	ZydisRegister reg = theirs->reg.value;

	switch (ours->kind) {
	case VMM__X86_MEM:
		if (theirs->type != ZYDIS_OPERAND_TYPE_MEMORY)
			return "memory operand";
		/* MOVSXD of 16 bits reads 16: SDM 2B. */
		if (insn->op == VMM__X86_MOVSX && insn->map == 0 && insn->size == 2)
			return insn->mem_size == 2 ? NULL : "MOVSXD";
		return theirs->size == insn->mem_size * 8u ? NULL : "memory operand's size";
	case VMM__X86_IMM:
		if (insn->imm_size == 0) /* shifts by 1 */
			return NULL;
		if (theirs->type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
			return "immediate operand";
		return NULL;
	case VMM__X86_GPR_HIGH:
		return reg == high_bytes[ours->reg] ? NULL : "high byte";
	case VMM__X86_GPR:
		if (theirs->type != ZYDIS_OPERAND_TYPE_REGISTER)
			return "register operand";
		for (unsigned i = 0; i < 4; i++)
			if (reg == high_bytes[i])
				return "not a high byte";
		return register_number(reg) ==
				       (reg >= ZYDIS_REGISTER_SPL && reg <= ZYDIS_REGISTER_R15B
						? ours->reg + 4u
						: ours->reg)
			       ? NULL
			       : "register";
	case VMM__X86_SEG:
	case VMM__X86_CR:
	case VMM__X86_DR:
	case VMM__X86_VECTOR:
		return (unsigned)ZydisRegisterGetId(reg) == ours->reg ? NULL : "special register";
	default:
		return NULL;
	}
}

static const char *compare_memory(const struct vmm__x86_insn *insn, unsigned code,
				  const ZydisDecodedInstruction *z,
				  const ZydisDecodedOperand *operands)
{
	const ZydisDecodedOperand *m = memory_operand(z, operands);
	uint64_t mask =
		insn->address_size == 8 ? UINT64_MAX : (UINT64_C(1) << insn->address_size * 8) - 1;
	unsigned segment;

	if (!m)
		return z->meta.isa_ext == ZYDIS_ISA_EXT_INVALID ? "memory" : NULL;
	if (!(insn->flags & VMM__X86_F_MEM))
		return insn->op == VMM__X86_OTHER ? NULL : "no memory";
	if (m->mem.type != ZYDIS_MEMOP_TYPE_MEM)
		return NULL;
	/* It does not take NOTRACK for the DS prefix that it is too. */
	if (z->attributes & ZYDIS_ATTRIB_HAS_NOTRACK)
		return NULL;
	/* Zydis 4.0 takes R13D for the base where SIB and ModRM.mod say that there is none. */
	if (m->mem.base == ZYDIS_REGISTER_R13D && insn->modrm >> 6 == 0)
		return NULL;
	if (z->encoding != ZYDIS_INSTRUCTION_ENCODING_EVEX &&
	    ((uint64_t)m->mem.disp.value & mask) != (insn->disp & mask))
		return "displacement";
	if (register_number(m->mem.base) != insn->base)
		return "base";
	if (register_number(m->mem.index) != insn->index)
		return "index";
	if (insn->index != VMM__X86_NO_REG && m->mem.scale != 1u << insn->scale)
		return "scale";
	segment = (unsigned)ZydisRegisterGetId(m->mem.segment);
	/* All but FS and GS are the same in 64-bit code. */
	if (code == VMM__X86_CODE_64 && segment < 4 && insn->segment < 4)
		return NULL;
	return segment == insn->segment ? NULL : "segment";
}

static const char *compare(const struct vmm__x86_insn *insn, unsigned code,
			   const ZydisDecodedInstruction *z, const ZydisDecodedOperand *operands)
{
	unsigned op = op_of[z->mnemonic];
	const char *what;

	/* Two of SSE2 have the name of a string instruction. */
	if (z->mnemonic == ZYDIS_MNEMONIC_MOVSD && z->opcode_map == ZYDIS_OPCODE_MAP_0F)
		op = VMM__X86_VMOV;
	if (z->mnemonic == ZYDIS_MNEMONIC_CMPSD && z->opcode_map == ZYDIS_OPCODE_MAP_0F)
		op = VMM__X86_OTHER;
	if (z->mnemonic == ZYDIS_MNEMONIC_MOV && operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER) {
		ZydisRegisterClass c = ZydisRegisterGetClass(operands[0].reg.value);
		ZydisRegisterClass d = ZydisRegisterGetClass(operands[1].reg.value);

		if (operands[1].type != ZYDIS_OPERAND_TYPE_REGISTER)
			d = ZYDIS_REGCLASS_INVALID;
		if (c == ZYDIS_REGCLASS_CONTROL || d == ZYDIS_REGCLASS_CONTROL)
			op = VMM__X86_MOV_CR;
		if (c == ZYDIS_REGCLASS_DEBUG || d == ZYDIS_REGCLASS_DEBUG)
			op = VMM__X86_MOV_DR;
	}
	if (z->length != insn->length)
		return "length";
	if (memory_operand(z, operands) && z->address_width != insn->address_size * 8u)
		return "address size";
	if (insn->op == VMM__X86_OTHER) {
		/* Forms without memory, or of segment registers, need no operands. */
		if (op != 0 && memory_operand(z, operands) &&
		    z->encoding != ZYDIS_INSTRUCTION_ENCODING_EVEX &&
		    !(z->mnemonic == ZYDIS_MNEMONIC_MOV && insn->opcode == 0x8e) &&
		    !((op == VMM__X86_CALL || op == VMM__X86_JMP) &&
		      z->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR) &&
		    ZydisRegisterGetClass(operands[0].reg.value) != ZYDIS_REGCLASS_MMX &&
		    ZydisRegisterGetClass(operands[1].reg.value) != ZYDIS_REGCLASS_MMX)
			return "not known";
		return compare_memory(insn, code, z, operands);
	}
	if (op != (insn->op == VMM__X86_SAL ? VMM__X86_SHL : insn->op))
		return "name";
	if (insn->imm_size != 0 &&
	    (z->raw.imm[0].size != insn->imm_size * 8u ||
	     (z->raw.imm[0].is_signed ? (uint64_t)z->raw.imm[0].value.s != insn->imm
				      : ((z->raw.imm[0].value.u ^ insn->imm) &
					 (UINT64_MAX >> (64 - insn->imm_size * 8))) != 0)))
		return "immediate";
	what = compare_memory(insn, code, z, operands);
	if (what == NULL)
		what = compare_operand(insn, &insn->dst, &operands[0]);
	if (what == NULL)
		what = compare_operand(insn, &insn->src, &operands[1]);
	return what;
}

static unsigned long valid, refused, failures;

static void complain(const char *what, unsigned code, const uint8_t *bytes,
		     const struct vmm__x86_insn *insn, int r)
{
	fprintf(stderr, "%u-bit code, %s:", code * 8, what);
	for (unsigned i = 0; i < 15; i++)
		fprintf(stderr, " %02x", bytes[i]);
	fprintf(stderr, " (decode %d, length %u, op %u)\n", r, insn->length, insn->op);
	failures++;
}

static void check(const ZydisDecoder *decoder, unsigned code, const uint8_t *bytes)
{
	ZydisDecodedInstruction z;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	struct vmm__x86_insn insn, again;
	ZyanStatus status = ZydisDecoderDecodeFull(decoder, bytes, INPUT, &z, operands);
	int r = vmm__x86_decode(&insn, bytes, INPUT, code);
	const char *what = NULL;

	/* Instructions that were withdrawn: without them these are NOPs, or invalid. */
	if (ZYAN_SUCCESS(status) &&
	    (z.meta.isa_ext == ZYDIS_ISA_EXT_MPX || z.mnemonic == ZYDIS_MNEMONIC_JKZD ||
	     z.mnemonic == ZYDIS_MNEMONIC_JKNZD || z.encoding == ZYDIS_INSTRUCTION_ENCODING_MVEX))
		return;
	if (ZYAN_SUCCESS(status)) {
		valid++;
		if (r != 0)
			what = "refused";
		else
			what = compare(&insn, code, &z, operands);
	} else {
		refused++;
		if (status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG && r != -VMM_ERANGE &&
		    r != -VMM_EFORMAT)
			what = "not too long";
		else if (r == 0 && insn.op != VMM__X86_OTHER)
			what = "taken";
	}
	if (what != NULL)
		complain(what, code, bytes, &insn, r);
	/* Whatever is cut off is asked for; nothing after the end matters. */
	if (r == 0) {
		for (unsigned cut = 0; cut < insn.length; cut++)
			if (vmm__x86_decode(&again, bytes, cut, code) != -VMM_ESIZE)
				complain("cut", code, bytes, &insn, r);
		if (vmm__x86_decode(&again, bytes, insn.length, code) != 0 ||
		    memcmp(&insn, &again, sizeof(insn)) != 0)
			complain("exact", code, bytes, &insn, r);
	}
}

int main(void)
{
	const char *rounds_text = getenv("VMM_TEST_ROUNDS");
	unsigned long rounds = rounds_text ? strtoul(rounds_text, NULL, 0) : 200000;
	static const unsigned codes[] = {VMM__X86_CODE_64, VMM__X86_CODE_32, VMM__X86_CODE_16};
	ZydisDecoder decoders[3];
	uint8_t bytes[INPUT];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		op_of[names[i].mnemonic] = names[i].op;
	ZydisDecoderInit(&decoders[0], ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	ZydisDecoderInit(&decoders[1], ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
	ZydisDecoderInit(&decoders[2], ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
	for (unsigned long i = 0; i < rounds && failures < 40; i++) {
		unsigned which = below(4);

		which = which == 3 ? 0 : which;
		generate(bytes);
		check(&decoders[which], codes[which], bytes);
	}
	printf("%lu instructions: %lu valid, %lu invalid, %lu differences\n", valid + refused,
	       valid, refused, failures);
	return failures == 0 ? 0 : 1;
}

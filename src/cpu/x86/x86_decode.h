/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Instruction decoder: the length of every x86 instruction in 16-, 32- and 64-bit code, and the
 * operands of those that x86_emulate.h knows. Bytes come from the guest: nothing is believed.
 *
 * Intel SDM volume 2, chapter 2 (formats), appendix A (opcode maps); AMD APM volume 3, chapter 1
 * and appendix A (3DNow!, XOP). Where the two vendors differ (an operand-size prefix on near
 * branches in 64-bit code), as Intel does.
 *
 * Checked: that prefixes, opcode and form are valid for instructions with an id. Those that are
 * VMM__X86_OTHER have the right length if the processor knows them at all.
 */
#ifndef VMM_X86_DECODE_H
#define VMM_X86_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libvmm/types.h"

/* No instruction is longer (SDM 2A 2.3.11). */
#define VMM__X86_INSN_MAX 15u

/* Kind of code: the default size of addresses in bytes. Real and virtual-8086 mode are 16. */
#define VMM__X86_CODE_16 2u
#define VMM__X86_CODE_32 4u
#define VMM__X86_CODE_64 8u

/* What an instruction does. ADD to CMP and ROL to SAR are in the order of ModRM.reg. */
enum {
	VMM__X86_OTHER, /* valid as far as is known: length, prefixes, memory operand, immediate */
	VMM__X86_ADD,
	VMM__X86_OR,
	VMM__X86_ADC,
	VMM__X86_SBB,
	VMM__X86_AND,
	VMM__X86_SUB,
	VMM__X86_XOR,
	VMM__X86_CMP,
	VMM__X86_ROL,
	VMM__X86_ROR,
	VMM__X86_RCL,
	VMM__X86_RCR,
	VMM__X86_SHL,
	VMM__X86_SHR,
	VMM__X86_SAL, /* the same as SHL */
	VMM__X86_SAR,
	VMM__X86_BT,
	VMM__X86_BTS,
	VMM__X86_BTR,
	VMM__X86_BTC,
	VMM__X86_TEST,
	VMM__X86_NOT,
	VMM__X86_NEG,
	VMM__X86_INC,
	VMM__X86_DEC,
	VMM__X86_XCHG,
	VMM__X86_XADD,
	VMM__X86_CMPXCHG,
	VMM__X86_CMPXCHG8B, /* 16B if @mem_size is 16 */
	VMM__X86_MOV,       /* MOVNTI too */
	VMM__X86_MOVZX,
	VMM__X86_MOVSX, /* MOVSXD too */
	VMM__X86_MOVBE,
	VMM__X86_VMOV, /* a vector register and memory: @mem_size bytes, zeros above when loaded */
	VMM__X86_PUSH,
	VMM__X86_POP,
	VMM__X86_CALL, /* near, by operand */
	VMM__X86_JMP,
	VMM__X86_MOVS, /* the string instructions: no operands named */
	VMM__X86_CMPS,
	VMM__X86_STOS,
	VMM__X86_LODS,
	VMM__X86_SCAS,
	VMM__X86_INS,
	VMM__X86_OUTS,
	VMM__X86_IN, /* port: the other operand, an immediate or DX */
	VMM__X86_OUT,
	VMM__X86_CLTS,
	VMM__X86_SMSW,
	VMM__X86_LMSW,
	VMM__X86_MOV_CR, /* one operand CR or DR, the other GPR; size 4 or 8 */
	VMM__X86_MOV_DR,
	VMM__X86_OPS
};

/* Operands. */
enum {
	VMM__X86_NONE,
	VMM__X86_GPR,      /* 0 RAX, 1 RCX, 2 RDX, 3 RBX, 4 RSP, 5 RBP, 6 RSI, 7 RDI, 8 to 15 */
	VMM__X86_GPR_HIGH, /* 0 AH, 1 CH, 2 DH, 3 BH */
	VMM__X86_MEM,
	VMM__X86_IMM,
	VMM__X86_SEG, /* 0 ES, 1 CS, 2 SS, 3 DS, 4 FS, 5 GS */
	VMM__X86_CR,
	VMM__X86_DR,
	VMM__X86_VECTOR,
};

#define VMM__X86_ES 0u
#define VMM__X86_CS 1u
#define VMM__X86_SS 2u
#define VMM__X86_DS 3u
#define VMM__X86_FS 4u
#define VMM__X86_GS 5u

/* Registers of an address that are not general ones. */
#define VMM__X86_RIP    16u
#define VMM__X86_NO_REG 17u

/* Prefixes and shape. */
#define VMM__X86_F_LOCK   1u
#define VMM__X86_F_REP    2u   /* F3, the last of F2 and F3 */
#define VMM__X86_F_REPNE  4u   /* F2 */
#define VMM__X86_F_OPSIZE 8u   /* 66 */
#define VMM__X86_F_MODRM  16u  /* @modrm is there */
#define VMM__X86_F_MEM    32u  /* and names memory; or a moffs: @base to @disp are valid */
#define VMM__X86_F_VEX    64u  /* VEX, EVEX or XOP */
#define VMM__X86_F_ALIGN  128u /* VMOV: memory not aligned to @mem_size is a #GP */

/* Opcode maps: 0 one byte, 1 0F, 2 0F 38, 3 0F 3A; XOP 8 to 10. */

struct vmm__x86_operand {
	uint8_t kind; /* VMM__X86_NONE to VMM__X86_VECTOR */
	uint8_t reg;
};

struct vmm__x86_insn {
	uint64_t imm;  /* sign-extended to 64 bits if it is not as wide as the operand */
	uint64_t disp; /* sign-extended; of EVEX not scaled; the whole address of a moffs */
	struct vmm__x86_operand dst, src;
	uint8_t op;       /* VMM__X86_OTHER and on */
	uint8_t length;   /* bytes, 1 to 15 */
	uint8_t flags;    /* VMM__X86_F_ */
	uint8_t size;     /* operand size: 1, 2, 4, 8; vectors 16 or 32 */
	uint8_t mem_size; /* bytes of the memory operand of what has an id; 0 if there is none */
	uint8_t address_size; /* 2, 4, 8 */
	uint8_t imm_size;     /* bytes in the instruction, 0 if there is none */
	uint8_t map, opcode, modrm;
	uint8_t segment; /* VMM__X86_ES..: of the memory operand, and of the source of strings */
	uint8_t base, index, scale; /* registers or VMM__X86_NO_REG, base also VMM__X86_RIP; log2 */
};

/**
 * vmm__x86_decode() - Decode one instruction.
 * @insn:  Filled; only @flags and @op mean something after a failure.
 * @bytes: What stands at the instruction pointer.
 * @count: How many bytes there are; those after the fifteenth are not looked at.
 * @code:  VMM__X86_CODE_16, _32 or _64.
 *
 * Return: 0; -VMM_ESIZE: it goes on after @count bytes; -VMM_EFORMAT: invalid, the guest gets #UD;
 * -VMM_ERANGE: longer than 15 bytes, the guest gets #GP(0).
 */
int vmm__x86_decode(struct vmm__x86_insn *insn, const uint8_t *bytes, size_t count, unsigned code);

#endif

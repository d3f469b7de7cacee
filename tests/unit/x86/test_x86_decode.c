// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The decoder's parts, by instructions written down with their meaning, and its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "x86_decode.h"

#define NO VMM__X86_NO_REG

static struct vmm__x86_insn insn;

#define DECODE(code, ...)                                       \
	(memset(&insn, 0xa5, sizeof(insn)),                     \
	 vmm__x86_decode(&insn, (const uint8_t[]){__VA_ARGS__}, \
			 sizeof((const uint8_t[]){__VA_ARGS__}), code))

static void is_operand(const struct vmm__x86_operand *o, unsigned kind, unsigned reg)
{
	assert_int_equal(o->kind, kind);
	assert_int_equal(o->reg, reg);
}

static void is_address(unsigned segment, unsigned base, unsigned index, unsigned scale,
		       uint64_t disp)
{
	assert_true(insn.flags & VMM__X86_F_MEM);
	assert_int_equal(insn.segment, segment);
	assert_int_equal(insn.base, base);
	assert_int_equal(insn.index, index);
	assert_int_equal(insn.scale, scale);
	assert_int_equal(insn.disp, disp);
}

static void addresses(void **state)
{
	(void)state;
	/* mov %ecx, 8(%rax) */
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0x89, 0x48, 0x08), 0);
	assert_int_equal(insn.op, VMM__X86_MOV);
	assert_int_equal(insn.length, 3);
	assert_int_equal(insn.size, 4);
	assert_int_equal(insn.mem_size, 4);
	is_operand(&insn.dst, VMM__X86_MEM, 0);
	is_operand(&insn.src, VMM__X86_GPR, 1);
	is_address(VMM__X86_DS, 0, NO, 0, 8);
	/* mov -8(%rbp,%r12,4), %r9 */
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0x4e, 0x8b, 0x4c, 0xa5, 0xf8), 0);
	is_operand(&insn.dst, VMM__X86_GPR, 9);
	assert_int_equal(insn.size, 8);
	is_address(VMM__X86_SS, 5, 12, 2, UINT64_C(-8));
	/* mov %al, 0x10(%rip) */
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0x88, 0x05, 0x10, 0, 0, 0), 0);
	is_address(VMM__X86_DS, VMM__X86_RIP, NO, 0, 16);
	/* The same in 32-bit code has no base. */
	assert_int_equal(DECODE(VMM__X86_CODE_32, 0x88, 0x05, 0x10, 0, 0, 0), 0);
	is_address(VMM__X86_DS, NO, NO, 0, 16);
	/* mov %gs:0x1000(,%r13,8), %ah's REX twin, spl */
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0x65, 0x42, 0x8a, 0x24, 0xed, 0x00, 0x10, 0, 0),
			 0);
	is_operand(&insn.dst, VMM__X86_GPR, 4);
	is_address(VMM__X86_GS, NO, 13, 3, 0x1000);
	/* 16 bits: mov %ah, -2(%bp,%si) */
	assert_int_equal(DECODE(VMM__X86_CODE_16, 0x88, 0x62, 0xfe), 0);
	is_operand(&insn.src, VMM__X86_GPR_HIGH, 0);
	is_address(VMM__X86_SS, 5, 6, 0, UINT64_C(-2));
	/* mov %es:0x1234, %ax */
	assert_int_equal(DECODE(VMM__X86_CODE_16, 0x26, 0xa1, 0x34, 0x12), 0);
	is_address(VMM__X86_ES, NO, NO, 0, 0x1234);
	assert_int_equal(insn.size, 2);
	/* movabs %eax, 0x1122334455667788 */
	assert_int_equal(
		DECODE(VMM__X86_CODE_64, 0xa3, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11), 0);
	is_address(VMM__X86_DS, NO, NO, 0, UINT64_C(0x1122334455667788));
	assert_int_equal(insn.length, 9);
}

static void immediates(void **state)
{
	(void)state;
	/* movq $-1, (%rdi) */
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0x48, 0xc7, 0x07, 0xff, 0xff, 0xff, 0xff), 0);
	assert_int_equal(insn.imm, UINT64_MAX);
	assert_int_equal(insn.imm_size, 4);
	/* testw $0x8001, (%rdi): of 16 bits by prefix */
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0x66, 0xf7, 0x07, 0x01, 0x80), 0);
	assert_int_equal(insn.op, VMM__X86_TEST);
	assert_int_equal(insn.size, 2);
	assert_int_equal(insn.length, 5);
	/* not has none */
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0xf7, 0x17), 0);
	assert_int_equal(insn.op, VMM__X86_NOT);
	assert_int_equal(insn.imm_size, 0);
	/* movabs $..., %rax; shll (%rax); extrq $1, $2, %xmm0 */
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8), 0);
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0xd1, 0x20), 0);
	is_operand(&insn.src, VMM__X86_IMM, 0);
	assert_int_equal(insn.imm, 1);
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0x66, 0x0f, 0x78, 0xc0, 1, 2), 0);
	assert_int_equal(insn.length, 6);
	/* enter $0x1234, $5; ljmp *; femms; pfadd */
	assert_int_equal(DECODE(VMM__X86_CODE_32, 0xc8, 0x34, 0x12, 5), 0);
	assert_int_equal(insn.imm, 0x51234);
	assert_int_equal(DECODE(VMM__X86_CODE_32, 0xea, 1, 2, 3, 4, 5, 6), 0);
	assert_int_equal(insn.imm, UINT64_C(0x060504030201));
	assert_int_equal(DECODE(VMM__X86_CODE_32, 0x0f, 0x0f, 0xc1, 0x9e), 0);
	assert_int_equal(insn.length, 4);
}

static void vectors(void **state)
{
	(void)state;
	/* vmovdqu (%rax), %ymm9 */
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0xc5, 0x7e, 0x6f, 0x08), 0);
	assert_int_equal(insn.op, VMM__X86_VMOV);
	assert_int_equal(insn.mem_size, 32);
	is_operand(&insn.dst, VMM__X86_VECTOR, 9);
	assert_false(insn.flags & VMM__X86_F_ALIGN);
	/* movdqa %xmm1, (%rax) must be aligned; with a fourth register in VEX it is nothing */
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0x66, 0x0f, 0x7f, 0x08), 0);
	assert_true(insn.flags & VMM__X86_F_ALIGN);
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0xc5, 0x79, 0x7f, 0x08), 0);
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0xc5, 0x71, 0x7f, 0x08), -VMM_EFORMAT);
	/* movd, movq by REX.W */
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0x66, 0x0f, 0x6e, 0x00), 0);
	assert_int_equal(insn.mem_size, 4);
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0x66, 0x48, 0x0f, 0x6e, 0x00), 0);
	assert_int_equal(insn.mem_size, 8);
	/* evex: vmovdqu32 (%rax), %zmm16 has a length, les a meaning in 32-bit code only */
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0x62, 0xe1, 0x7e, 0x48, 0x6f, 0x00), 0);
	assert_int_equal(insn.length, 6);
	assert_int_equal(insn.op, VMM__X86_OTHER);
	assert_int_equal(DECODE(VMM__X86_CODE_32, 0xc4, 0x00), 0);
	assert_int_equal(insn.length, 2);
	/* XOP: bextr with 4 bytes */
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0x8f, 0xea, 0x78, 0x10, 0xc0, 1, 2, 3, 4), 0);
	assert_int_equal(insn.length, 9);
}

static void invalid(void **state)
{
	(void)state;
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0x06), -VMM_EFORMAT);
	assert_int_equal(DECODE(VMM__X86_CODE_32, 0x06), 0);
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0xf0, 0x89, 0x08), -VMM_EFORMAT);
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0xf0, 0x01, 0x08), 0);
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0xf0, 0x01, 0xc8), -VMM_EFORMAT);
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0xf0, 0x39, 0x08), -VMM_EFORMAT);
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0x0f, 0xba, 0x18, 0), -VMM_EFORMAT);
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0x0f, 0x20, 0xc8), -VMM_EFORMAT);
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0x66, 0xc5, 0xf8, 0x28, 0x00), -VMM_EFORMAT);
	/* A REX prefix that is not the last one is none. */
	assert_int_equal(DECODE(VMM__X86_CODE_64, 0x48, 0x66, 0x89, 0x08), 0);
	assert_int_equal(insn.size, 2);
}

static void lengths(void **state)
{
	uint8_t bytes[32];

	(void)state;
	memset(bytes, 0x66, sizeof(bytes));
	bytes[13] = 0x89;
	bytes[14] = 0x08;
	assert_int_equal(vmm__x86_decode(&insn, bytes, sizeof(bytes), VMM__X86_CODE_64), 0);
	assert_int_equal(insn.length, 15);
	for (size_t count = 0; count < 15; count++)
		assert_int_equal(vmm__x86_decode(&insn, bytes, count, VMM__X86_CODE_64),
				 -VMM_ESIZE);
	bytes[14] = 0x48;
	assert_int_equal(vmm__x86_decode(&insn, bytes, sizeof(bytes), VMM__X86_CODE_64),
			 -VMM_ERANGE);
	assert_int_equal(vmm__x86_decode(&insn, bytes, 15, VMM__X86_CODE_64), -VMM_ERANGE);
	memset(bytes, 0x66, sizeof(bytes));
	assert_int_equal(vmm__x86_decode(&insn, bytes, sizeof(bytes), VMM__X86_CODE_16),
			 -VMM_ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses), cmocka_unit_test(immediates),
		cmocka_unit_test(vectors),   cmocka_unit_test(invalid),
		cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The instruction decoder over any bytes: it reads none after the end, agrees with itself however
 * much of the instruction is there, and gives operands that exist.
 */
#include <string.h>

#include "fuzz.h"
#include "x86_decode.h"

static void check_operand(const struct vmm__x86_insn *insn, const struct vmm__x86_operand *o)
{
	FUZZ_CHECK(o->kind <= VMM__X86_VECTOR);
	FUZZ_CHECK(o->reg < (o->kind == VMM__X86_GPR_HIGH ? 4 : o->kind == VMM__X86_SEG ? 6 : 16));
	if (o->kind == VMM__X86_MEM)
		FUZZ_CHECK((insn->flags & VMM__X86_F_MEM) && insn->mem_size > 0);
}

static void check(const uint8_t *data, size_t len, unsigned code)
{
	struct vmm__x86_insn insn, exact;
	int r = vmm__x86_decode(&insn, data, len, code);

	FUZZ_CHECK(r == 0 || r == -VMM_ESIZE || r == -VMM_EFORMAT || r == -VMM_ERANGE);
	FUZZ_CHECK(r != -VMM_ESIZE || len < VMM__X86_INSN_MAX);
	if (r != 0)
		return;
	FUZZ_CHECK(insn.length > 0 && insn.length <= VMM__X86_INSN_MAX && insn.length <= len);
	FUZZ_CHECK(insn.op < VMM__X86_OPS && insn.segment <= VMM__X86_GS);
	FUZZ_CHECK(insn.base <= VMM__X86_NO_REG && insn.scale < 4);
	FUZZ_CHECK(insn.index < 16 || insn.index == VMM__X86_NO_REG);
	FUZZ_CHECK(insn.mem_size <= 32 && insn.size <= 32);
	FUZZ_CHECK(insn.address_size == 2 || insn.address_size == 4 || insn.address_size == 8);
	check_operand(&insn, &insn.dst);
	check_operand(&insn, &insn.src);
	FUZZ_CHECK(vmm__x86_decode(&exact, data, insn.length, code) == 0);
	FUZZ_CHECK(memcmp(&insn, &exact, sizeof(insn)) == 0);
	FUZZ_CHECK(vmm__x86_decode(&exact, data, insn.length - 1u, code) == -VMM_ESIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	check(data, len, VMM__X86_CODE_16);
	check(data, len, VMM__X86_CODE_32);
	check(data, len, VMM__X86_CODE_64);
	return 0;
}

size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	static const uint8_t seeds[][15] = {
		{0x89, 0x48, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		{0x66, 0x42, 0x8b, 0x84, 0xa5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
		{0xf0, 0x48, 0x0f, 0xc7, 0x08, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
		{0xf3, 0x48, 0xa5, 0x0f, 0x38, 0xf0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
		{0x0f, 0x38, 0xf0, 0x41, 0x10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
		{0x0f, 0x3a, 0x0f, 0x41, 0x10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
		{0xc5, 0xfe, 0x6f, 0x08, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
		{0xc4, 0xe2, 0x7d, 0x2a, 0x00, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
		{0x62, 0xe1, 0x7e, 0x48, 0x6f, 0x00, 1, 2, 3, 4, 5, 6, 7, 8, 9},
		{0x8f, 0xea, 0x78, 0x10, 0xc0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
		{0xf7, 0x04, 0x25, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
	};

	if (index >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	memcpy(buf, seeds[index], sizeof(seeds[index]));
	return sizeof(seeds[index]);
}

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Integer arithmetic with the flags of the processor: SDM 1, 3.4.3.1, and volume 2. */
#ifndef VMM_X86_EMULATE_ALU_H
#define VMM_X86_EMULATE_ALU_H

#include <stdint.h>

#define X86_FLAG_CF UINT64_C(0x001)
#define X86_FLAG_PF UINT64_C(0x004)
#define X86_FLAG_AF UINT64_C(0x010)
#define X86_FLAG_ZF UINT64_C(0x040)
#define X86_FLAG_SF UINT64_C(0x080)
#define X86_FLAG_DF UINT64_C(0x400)
#define X86_FLAG_OF UINT64_C(0x800)

/*
 * @op, VMM__X86_ADD to _DEC, of @a, the destination, and @b, on operands of 1, 2, 4 or 8 bytes. The
 * result is zero-extended; CMP, TEST and BT give one that nobody stores. Of BT to BTC @b is the
 * number of a bit, of shifts a count, both of any size. *@flags: RFLAGS before and after; flags
 * that the architecture leaves undefined are cleared by logic, and left alone elsewhere.
 */
uint64_t vmm__x86_alu(unsigned op, uint64_t a, uint64_t b, unsigned bytes, uint64_t *flags);

#endif

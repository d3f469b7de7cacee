// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "x86_emulate_alu.h"
#include "bits.h"
#include "x86_decode.h"

#define LOGIC_FLAGS (X86_FLAG_CF | X86_FLAG_OF | ARITH_FLAGS)
#define ARITH_FLAGS (X86_FLAG_PF | X86_FLAG_AF | X86_FLAG_ZF | X86_FLAG_SF)

struct alu {
	uint64_t flags;
	uint64_t mask;
	unsigned bits;
};

static void set_flag(struct alu *u, uint64_t flag, uint64_t on)
{
	u->flags = on & 1 ? u->flags | flag : u->flags & ~flag;
}

/* Sign, zero, and parity of the lowest byte. */
static void set_result(struct alu *u, uint64_t r)
{
	uint64_t p = r ^ r >> 4;

	p ^= p >> 2;
	set_flag(u, X86_FLAG_PF, ~(p ^ p >> 1));
	set_flag(u, X86_FLAG_ZF, r == 0);
	set_flag(u, X86_FLAG_SF, r >> (u->bits - 1));
}

static uint64_t add(struct alu *u, uint64_t a, uint64_t b, uint64_t carry)
{
	uint64_t r = (a + b + carry) & u->mask, top = u->bits - 1;

	set_result(u, r);
	set_flag(u, X86_FLAG_AF, (a ^ b ^ r) >> 4);
	set_flag(u, X86_FLAG_CF, ((a & b) | ((a | b) & ~r)) >> top);
	set_flag(u, X86_FLAG_OF, ((a ^ r) & (b ^ r)) >> top);
	return r;
}

static uint64_t sub(struct alu *u, uint64_t a, uint64_t b, uint64_t borrow)
{
	uint64_t r = (a - b - borrow) & u->mask, top = u->bits - 1;

	set_result(u, r);
	set_flag(u, X86_FLAG_AF, (a ^ b ^ r) >> 4);
	set_flag(u, X86_FLAG_CF, ((~a & b) | (~(a ^ b) & r)) >> top);
	set_flag(u, X86_FLAG_OF, ((a ^ b) & (a ^ r)) >> top);
	return r;
}

static uint64_t logic(struct alu *u, uint64_t r)
{
	u->flags &= ~LOGIC_FLAGS;
	set_result(u, r);
	return r;
}

/* Counts are of 5 bits, or 6 for 64-bit operands; a count of 0 changes no flag. */
static uint64_t shift(struct alu *u, unsigned op, uint64_t a, unsigned count)
{
	unsigned top = u->bits - 1;
	/* All bits that leave an operand of 8 or 16 bits are gone after 63 as well. */
	int64_t wide = (int64_t)(a << (64 - u->bits)) >> (64 - u->bits);
	uint64_t r, carry;

	switch (op) {
	case VMM__X86_SHR:
		r = a >> count;
		carry = a >> (count - 1);
		set_flag(u, X86_FLAG_OF, a >> top);
		break;
	case VMM__X86_SAR:
		r = (uint64_t)(wide >> count) & u->mask;
		carry = (uint64_t)(wide >> (count - 1));
		set_flag(u, X86_FLAG_OF, 0);
		break;
	default:
		r = a << count & u->mask;
		carry = count > u->bits ? 0 : a >> (u->bits - count);
		set_flag(u, X86_FLAG_OF, r >> top ^ carry);
	}
	set_flag(u, X86_FLAG_CF, carry);
	set_result(u, r);
	return r;
}

static uint64_t rotate_left(const struct alu *u, uint64_t a, unsigned count)
{
	return count == 0 ? a : (a << count | a >> (u->bits - count)) & u->mask;
}

static uint64_t rotate(struct alu *u, unsigned op, uint64_t a, unsigned count)
{
	unsigned top = u->bits - 1, n = count % u->bits;
	uint64_t r = rotate_left(u, a, op == VMM__X86_ROL ? n : (u->bits - n) % u->bits);

	if (op == VMM__X86_ROL) {
		set_flag(u, X86_FLAG_CF, r);
		set_flag(u, X86_FLAG_OF, r >> top ^ r);
	} else {
		set_flag(u, X86_FLAG_CF, r >> top);
		set_flag(u, X86_FLAG_OF, r >> top ^ r >> (top - 1));
	}
	return r;
}

/* Through the carry: one bit more than the operand has. At most 63 steps. */
static uint64_t rotate_carry(struct alu *u, unsigned op, uint64_t a, unsigned count)
{
	unsigned top = u->bits - 1;
	uint64_t carry = u->flags & X86_FLAG_CF;

	for (count %= u->bits + 1; count > 0; count--) {
		uint64_t out = op == VMM__X86_RCL ? a >> top & 1 : a & 1;

		a = op == VMM__X86_RCL ? (a << 1 | carry) & u->mask : a >> 1 | carry << top;
		carry = out;
	}
	set_flag(u, X86_FLAG_CF, carry);
	set_flag(u, X86_FLAG_OF, op == VMM__X86_RCL ? a >> top ^ carry : a >> top ^ a >> (top - 1));
	return a;
}

static uint64_t bit(struct alu *u, unsigned op, uint64_t a, uint64_t number)
{
	uint64_t one = BIT(number & (u->bits - 1));

	set_flag(u, X86_FLAG_CF, (a & one) != 0);
	switch (op) {
	case VMM__X86_BTS:
		return a | one;
	case VMM__X86_BTR:
		return a & ~one;
	case VMM__X86_BTC:
		return a ^ one;
	default:
		return a;
	}
}

static uint64_t keep_carry(struct alu *u, uint64_t carry, uint64_t r)
{
	set_flag(u, X86_FLAG_CF, carry);
	return r;
}

static uint64_t compute(struct alu *u, unsigned op, uint64_t a, uint64_t b)
{
	uint64_t carry = u->flags & X86_FLAG_CF;
	unsigned count = (unsigned)b & (u->bits == 64 ? 63 : 31);

	switch (op) {
	case VMM__X86_ADD:
		return add(u, a, b, 0);
	case VMM__X86_ADC:
		return add(u, a, b, carry);
	case VMM__X86_SBB:
		return sub(u, a, b, carry);
	case VMM__X86_SUB:
	case VMM__X86_CMP:
		return sub(u, a, b, 0);
	case VMM__X86_OR:
		return logic(u, a | b);
	case VMM__X86_AND:
	case VMM__X86_TEST:
		return logic(u, a & b);
	case VMM__X86_XOR:
		return logic(u, a ^ b);
	case VMM__X86_NOT:
		return ~a & u->mask;
	case VMM__X86_NEG:
		return sub(u, 0, a, 0);
	case VMM__X86_INC:
		return keep_carry(u, carry, add(u, a, 1, 0));
	case VMM__X86_DEC:
		return keep_carry(u, carry, sub(u, a, 1, 0));
	case VMM__X86_ROL:
	case VMM__X86_ROR:
		return count == 0 ? a : rotate(u, op, a, count);
	case VMM__X86_RCL:
	case VMM__X86_RCR:
		return count == 0 ? a : rotate_carry(u, op, a, count);
	case VMM__X86_SHL:
	case VMM__X86_SAL:
	case VMM__X86_SHR:
	case VMM__X86_SAR:
		return count == 0 ? a : shift(u, op, a, count);
	default:
		return bit(u, op, a, b);
	}
}

uint64_t vmm__x86_alu(unsigned op, uint64_t a, uint64_t b, unsigned bytes, uint64_t *flags)
{
	struct alu u = {.flags = *flags, .mask = UINT64_MAX >> (64 - 8 * bytes), .bits = 8 * bytes};
	uint64_t r = compute(&u, op, a & u.mask,
			     op >= VMM__X86_BT && op <= VMM__X86_BTC ? b : b & u.mask);

	*flags = u.flags;
	return r;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The emulator against the processor that the test runs on: VMM_TEST_ROUNDS random instructions in
 * 64-bit code, with random registers, flags and memory, each carried out by both. Memory is there
 * for the emulator or not, by page; what is not comes in elements.
 */
#include <cpuid.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "x86_emulate.h"

#define PAGE  4096u
#define BYTES (2 * PAGE)

struct machine {
	uint64_t gpr[16];
	uint64_t rflags;
	uint64_t target; /* where the code goes on when it is done; of CALL and JMP */
	uint8_t vector[16][32];
};

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1d;
}

static unsigned below(unsigned end)
{
	return (unsigned)((next_random() >> 32) % end);
}

static uint64_t random_value(void)
{
	static const uint64_t edges[] = {0,
					 1,
					 0x7f,
					 0x80,
					 0xff,
					 0x7fff,
					 0x8000,
					 0x7fffffff,
					 0x80000000,
					 INT64_MAX,
					 UINT64_C(1) << 63,
					 UINT64_MAX};

	return below(3) ? next_random() : edges[below(sizeof(edges) / sizeof(edges[0]))];
}

/* --- the processor --- */

struct machine *native_state;
uint64_t native_rsp, native_code, native_avx;
void native_run(void);
void native_back(void);

/*
 * native_run() takes registers from *native_state and jumps to native_code; the code there jumps to
 * native_back(), which puts them back and returns. All with the stack of the machine.
 */
__asm__(".text\n"
	".globl native_run, native_back\n"
	".set GPR, 0\n"
	".set FLAGS, 128\n"
	".set VECTOR, 144\n"
	"native_run:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rsp, native_rsp(%rip)\n"
	"	mov native_state(%rip), %rax\n"
	"	cmpq $0, native_avx(%rip)\n"
	"	je 1f\n"
	".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	vmovups VECTOR + 32 * \\n(%rax), %ymm\\n\n"
	".endr\n"
	"	jmp 2f\n"
	"1:\n"
	".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	movups VECTOR + 32 * \\n(%rax), %xmm\\n\n"
	".endr\n"
	"2:	push FLAGS(%rax)\n"
	"	popf\n"
	"	mov 8(%rax), %rcx\n"
	"	mov 16(%rax), %rdx\n"
	"	mov 24(%rax), %rbx\n"
	"	mov 32(%rax), %rsp\n"
	"	mov 40(%rax), %rbp\n"
	"	mov 48(%rax), %rsi\n"
	"	mov 56(%rax), %rdi\n"
	".irp n, 8,9,10,11,12,13,14,15\n"
	"	mov 8 * \\n(%rax), %r\\n\n"
	".endr\n"
	"	mov (%rax), %rax\n"
	"	jmp *native_code(%rip)\n"
	"native_back:\n"
	"	mov %rsp, 3f(%rip)\n"
	"	mov native_rsp(%rip), %rsp\n"
	"	pushf\n"
	"	push %rax\n"
	"	mov native_state(%rip), %rax\n"
	"	pop (%rax)\n"
	"	pop FLAGS(%rax)\n"
	"	cld\n"
	"	mov %rcx, 8(%rax)\n"
	"	mov %rdx, 16(%rax)\n"
	"	mov %rbx, 24(%rax)\n"
	"	mov 3f(%rip), %rcx\n"
	"	mov %rcx, 32(%rax)\n"
	"	mov %rbp, 40(%rax)\n"
	"	mov %rsi, 48(%rax)\n"
	"	mov %rdi, 56(%rax)\n"
	".irp n, 8,9,10,11,12,13,14,15\n"
	"	mov %r\\n, 8 * \\n(%rax)\n"
	".endr\n"
	"	cmpq $0, native_avx(%rip)\n"
	"	je 1f\n"
	".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	vmovups %ymm\\n, VECTOR + 32 * \\n(%rax)\n"
	".endr\n"
	"	vzeroupper\n"
	"	jmp 2f\n"
	"1:\n"
	".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	movups %xmm\\n, VECTOR + 32 * \\n(%rax)\n"
	".endr\n"
	"2:	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n"
	".bss\n"
	"3:	.quad 0\n"
	".text\n");

/* --- the emulator --- */

static uint8_t *memory;  /* what both work on, one after the other; below 4 GiB */
static uint8_t *code;    /* an instruction, and the jump back */
static uint8_t *missing; /* what the emulator sees through elements: a bit a page */

static unsigned long elements;

static int access_memory(uint64_t gpa, void *buf, size_t len, bool write)
{
	uint8_t *at = (uint8_t *)(uintptr_t)gpa;
	uint64_t base = (uint64_t)(uintptr_t)memory;

	if (gpa >= base && gpa < base + BYTES) {
		if (*missing >> ((gpa - base) / PAGE) & 1)
			return -VMM_EFAULT;
	} else if (at < code || at >= code + PAGE) {
		return -VMM_EIO;
	}
	memcpy(write ? at : (uint8_t *)buf, write ? (uint8_t *)buf : at, len);
	return 0;
}

static int read_memory(void *ctx, uint64_t gpa, void *buf, size_t len)
{
	(void)ctx;
	return access_memory(gpa, buf, len, false);
}

static int write_memory(void *ctx, uint64_t gpa, const void *buf, size_t len)
{
	uint8_t copy[32];

	(void)ctx;
	memcpy(copy, buf, len);
	return access_memory(gpa, copy, len, true);
}

static void get_segment(void *ctx, unsigned segment, struct vmm_x86_segment *out)
{
	uint16_t selector;

	(void)ctx;
	memset(out, 0, sizeof(*out));
	switch (segment) {
	case VMM__X86_ES:
		__asm__("mov %%es, %0" : "=r"(selector));
		break;
	case VMM__X86_CS:
		__asm__("mov %%cs, %0" : "=r"(selector));
		break;
	case VMM__X86_SS:
		__asm__("mov %%ss, %0" : "=r"(selector));
		break;
	default:
		__asm__("mov %%ds, %0" : "=r"(selector));
		break;
	}
	out->selector = selector;
}

static void get_vector(void *ctx, unsigned reg, void *buf, size_t len)
{
	memcpy(buf, ((struct machine *)ctx)->vector[reg], len);
}

static void set_vector(void *ctx, unsigned reg, const void *buf, size_t len, bool vex)
{
	uint8_t *to = ((struct machine *)ctx)->vector[reg];

	if (vex)
		memset(to, 0, 32);
	memcpy(to, buf, len);
}

static const struct vmm__x86_emulator_ops ops = {read_memory, write_memory, get_segment, get_vector,
						 set_vector};

static int emulate(struct machine *m, unsigned len, uint64_t *rip)
{
	static struct vmm__x86_emulator e;
	unsigned rounds = 0;
	int r;

	memset(&e, 0xa5, sizeof(e));
	e.ops = &ops;
	e.ctx = m;
	e.paging = (struct vmm__x86_paging){
		.cr0 = 1, .cr4 = 1 << 9 | 1 << 18, .efer = 1 << 10, .phys_bits = 40};
	e.xcr0 = 7;
	for (unsigned i = 0; i < 16; i++)
		e.gpr[i] = &m->gpr[i];
	*rip = (uint64_t)(uintptr_t)code;
	e.rip = rip;
	e.rflags = &m->rflags;
	e.fault_gpa = UINT64_MAX;
	e.fault_write = 0;
	e.code = VMM__X86_CODE_64;
	e.cpl = 3;
	e.port_width = 0;
	e.count = 0;
	e.retries = 0;
	(void)len;
	r = vmm__x86_emulate(&e);
	for (;;) {
		while (r == VMM__X86_ELEMENT && rounds++ < 100) {
			void *at = (void *)(uintptr_t)e.element.addr;
			uint64_t data = next_random();

			elements++;
			if (e.element.write)
				memcpy(at, &e.element.data, e.element.width);
			else
				memcpy(&data, at, e.element.width);
			r = vmm__x86_emulate_answer(&e, data);
		}
		if (r != VMM__X86_DONE || !e.again)
			return r;
		r = vmm__x86_emulate_again(&e);
	}
}

/* --- instructions --- */

#define LOCKABLE 1u
#define WIDE     2u /* has forms of 2, 4, 8 bytes by prefix */
#define VECTOR   4u
#define STRING   8u
#define STACK    16u
#define BITS_REG 32u
#define NO_OF    64u  /* shifts: OF is defined for a count of 1 only, AF never */
#define NO_AF    128u /* AF undefined */

static const struct shape {
	uint8_t bytes[4];
	uint8_t count;
	int8_t digit; /* ModRM.reg, or -1: any register */
	uint8_t imm;  /* 1: a byte; 4: 2 or 4 by operand size */
	uint8_t flags;
} shapes[] = {
#define ALU8(n)                                                                             \
	{{8 * n}, 1, -1, 0, n < 7 ? LOCKABLE : 0}, {{8 * n + 1}, 1, -1, 0, (n < 7) | WIDE}, \
		{{8 * n + 2}, 1, -1, 0, 0}, {{8 * n + 3}, 1, -1, 0, WIDE},                  \
		{{0x80}, 1, n, 1, n < 7 ? LOCKABLE : 0}, {{0x81}, 1, n, 4, (n < 7) | WIDE}, \
	{                                                                                   \
		{0x83}, 1, n, 1, (n < 7) | WIDE                                             \
	}
	ALU8(0),
	ALU8(1),
	ALU8(2),
	ALU8(3),
	ALU8(4),
	ALU8(5),
	ALU8(6),
	ALU8(7),
#define SHIFTS(n)                                                                            \
	{{0xc0}, 1, n, 1, NO_OF}, {{0xc1}, 1, n, 1, NO_OF | WIDE}, {{0xd0}, 1, n, 0, NO_AF}, \
		{{0xd1}, 1, n, 0, NO_AF | WIDE}, {{0xd2}, 1, n, 0, NO_OF},                   \
	{                                                                                    \
		{0xd3}, 1, n, 0, NO_OF | WIDE                                                \
	}
	SHIFTS(0),
	SHIFTS(1),
	SHIFTS(2),
	SHIFTS(3),
	SHIFTS(4),
	SHIFTS(5),
	SHIFTS(6),
	SHIFTS(7),
	{{0x84}, 1, -1, 0, 0},
	{{0x85}, 1, -1, 0, WIDE},
	{{0xf6}, 1, 0, 1, 0},
	{{0xf7}, 1, 0, 4, WIDE},
	{{0xf6}, 1, 2, 0, LOCKABLE},
	{{0xf7}, 1, 2, 0, LOCKABLE | WIDE},
	{{0xf6}, 1, 3, 0, LOCKABLE},
	{{0xf7}, 1, 3, 0, LOCKABLE | WIDE},
	{{0xfe}, 1, 0, 0, LOCKABLE},
	{{0xff}, 1, 0, 0, LOCKABLE | WIDE},
	{{0xfe}, 1, 1, 0, LOCKABLE},
	{{0xff}, 1, 1, 0, LOCKABLE | WIDE},
	{{0x86}, 1, -1, 0, LOCKABLE},
	{{0x87}, 1, -1, 0, LOCKABLE | WIDE},
	{{0x88}, 1, -1, 0, 0},
	{{0x89}, 1, -1, 0, WIDE},
	{{0x8a}, 1, -1, 0, 0},
	{{0x8b}, 1, -1, 0, WIDE},
	{{0x8c}, 1, 3, 0, WIDE},
	{{0xc6}, 1, 0, 1, 0},
	{{0xc7}, 1, 0, 4, WIDE},
	{{0x63}, 1, -1, 0, 0},
	{{0x0f, 0xb6}, 2, -1, 0, WIDE},
	{{0x0f, 0xb7}, 2, -1, 0, WIDE},
	{{0x0f, 0xbe}, 2, -1, 0, WIDE},
	{{0x0f, 0xbf}, 2, -1, 0, WIDE},
	{{0x0f, 0xc3}, 2, -1, 0, 0},
	{{0x0f, 0x38, 0xf0}, 3, -1, 0, WIDE},
	{{0x0f, 0x38, 0xf1}, 3, -1, 0, WIDE},
	{{0x0f, 0xb0}, 2, -1, 0, LOCKABLE},
	{{0x0f, 0xb1}, 2, -1, 0, LOCKABLE | WIDE},
	{{0x0f, 0xc0}, 2, -1, 0, LOCKABLE},
	{{0x0f, 0xc1}, 2, -1, 0, LOCKABLE | WIDE},
	{{0x0f, 0xc7}, 2, 1, 0, LOCKABLE},
	{{0x0f, 0xba}, 2, 4, 1, WIDE},
	{{0x0f, 0xba}, 2, 5, 1, LOCKABLE | WIDE},
	{{0x0f, 0xba}, 2, 6, 1, LOCKABLE | WIDE},
	{{0x0f, 0xba}, 2, 7, 1, LOCKABLE | WIDE},
	{{0x0f, 0xa3}, 2, -1, 0, BITS_REG | WIDE},
	{{0x0f, 0xab}, 2, -1, 0, LOCKABLE | BITS_REG | WIDE},
	{{0x0f, 0xb3}, 2, -1, 0, LOCKABLE | BITS_REG | WIDE},
	{{0x0f, 0xbb}, 2, -1, 0, LOCKABLE | BITS_REG | WIDE},
	{{0xa4}, 1, 0, 0, STRING},
	{{0xa5}, 1, 0, 0, STRING | WIDE},
	{{0xa6}, 1, 0, 0, STRING},
	{{0xa7}, 1, 0, 0, STRING | WIDE},
	{{0xaa}, 1, 0, 0, STRING},
	{{0xab}, 1, 0, 0, STRING | WIDE},
	{{0xac}, 1, 0, 0, STRING},
	{{0xad}, 1, 0, 0, STRING | WIDE},
	{{0xae}, 1, 0, 0, STRING},
	{{0xaf}, 1, 0, 0, STRING | WIDE},
	{{0xff}, 1, 2, 0, STACK},
	{{0xff}, 1, 4, 0, STACK},
	{{0xff}, 1, 6, 0, STACK},
	{{0x8f}, 1, 0, 0, STACK},
	{{0x0f, 0x10}, 2, -1, 0, VECTOR},
	{{0x66, 0x0f, 0x10}, 3, -1, 0, VECTOR},
	{{0xf3, 0x0f, 0x10}, 3, -1, 0, VECTOR},
	{{0xf2, 0x0f, 0x10}, 3, -1, 0, VECTOR},
	{{0x0f, 0x11}, 2, -1, 0, VECTOR},
	{{0xf3, 0x0f, 0x11}, 3, -1, 0, VECTOR},
	{{0xf2, 0x0f, 0x11}, 3, -1, 0, VECTOR},
	{{0x66, 0x0f, 0x6e}, 3, -1, 0, VECTOR},
	{{0x66, 0x0f, 0x7e}, 3, -1, 0, VECTOR},
	{{0xf3, 0x0f, 0x7e}, 3, -1, 0, VECTOR},
	{{0xf3, 0x0f, 0x6f}, 3, -1, 0, VECTOR},
	{{0xf3, 0x0f, 0x7f}, 3, -1, 0, VECTOR},
	{{0x66, 0x0f, 0xd6}, 3, -1, 0, VECTOR},
	{{0xf2, 0x0f, 0xf0}, 3, -1, 0, VECTOR},
	{{0xc5, 0xfe, 0x6f}, 3, -1, 0, VECTOR},
	{{0xc5, 0xfe, 0x7f}, 3, -1, 0, VECTOR},
	{{0xc5, 0xfa, 0x6f}, 3, -1, 0, VECTOR},
	{{0xc5, 0xfc, 0x10}, 3, -1, 0, VECTOR},
	{{0xc5, 0x7d, 0x11}, 3, -1, 0, VECTOR},
	{{0xc5, 0xfa, 0x10}, 3, -1, 0, VECTOR},
	{{0xc5, 0xf9, 0x6e}, 3, -1, 0, VECTOR},
};

/* The address of a whole operand, its bytes within memory and often across its middle. */
static uint64_t operand_address(void)
{
	uint64_t base = (uint64_t)(uintptr_t)memory;

	if (below(3) == 0)
		return base + PAGE - below(34);
	return base + 512 + below(BYTES - 1024);
}

/* ModRM, SIB and displacement for @address, through registers that are set so. */
static unsigned put_address(uint8_t *at, unsigned reg, uint64_t address, struct machine *m,
			    unsigned taken, uint8_t *rex)
{
	unsigned len = 0, base, index = 4, scale = below(4);
	int32_t disp = below(2) ? (int8_t)next_random() : (int32_t)next_random();

	do
		base = below(16);
	while (taken >> base & 1);
	if (below(2)) {
		do
			index = below(16);
		while (index == 4 || index == base || taken >> index & 1);
		m->gpr[index] = next_random();
	}
	m->gpr[base] =
		address - (uint64_t)(int64_t)disp - (index == 4 ? 0 : m->gpr[index] << scale);
	*rex |= (uint8_t)((base & 8) >> 3 | (index != 4 ? (index & 8) >> 2 : 0));
	bool small = disp == (int8_t)disp, sib = index != 4 || (base & 7) == 4;
	at[len++] = (uint8_t)((small ? 0x40 : 0x80) | (reg & 7) << 3 | (sib ? 4 : (base & 7)));
	if (sib)
		at[len++] = (uint8_t)(scale << 6 | (index & 7) << 3 | (base & 7));
	memcpy(at + len, &disp, small ? 1 : 4);
	return len + (small ? 1 : 4);
}

struct test {
	struct machine m;
	uint64_t undefined; /* flags */
	unsigned len;
};

static void make(struct test *t, const struct shape *s)
{
	uint8_t *at = code, tail[16], rex = 0;
	unsigned tail_len = 0, reg = s->digit < 0 ? below(16) : (unsigned)s->digit, opcode = 0;
	bool word = s->flags & WIDE && below(4) == 0, wide = s->flags & WIDE && below(3) == 0;
	uint64_t address = operand_address();
	unsigned taken = 1 << 4 | 1 << reg;

	memset(t, 0, sizeof(*t));
	for (unsigned i = 0; i < 16; i++)
		t->m.gpr[i] = random_value();
	for (unsigned i = 0; i < sizeof(t->m.vector); i++)
		((uint8_t *)t->m.vector)[i] = (uint8_t)next_random();
	t->m.rflags = 0x202 | (next_random() & 0x8d5) | (below(4) == 0 ? 0x400 : 0);
	t->m.gpr[4] = (uint64_t)(uintptr_t)memory + 256;
	if (!native_avx)
		for (unsigned i = 0; i < 16; i++)
			memset(t->m.vector[i] + 16, 0, 16);

	if (s->flags & NO_OF)
		t->undefined = 0x810;
	if (s->flags & NO_AF)
		t->undefined = 0x10;
	/* CMPXCHG8B and 16B have wide forms, of vectors MOVD and MOVQ, others too: ignored. */
	if (s->bytes[0] == 0x0f && (s->bytes[1] == 0xc7 || s->bytes[1] == 0xc3))
		wide = below(2);
	if (s->bytes[0] == 0x63)
		wide = true;
	if (s->bytes[0] == 0x0f && s->bytes[1] == 0xc7 && wide)
		address &= ~UINT64_C(15);
	if (s->bytes[1] == 0xba || s->flags & BITS_REG)
		t->undefined = 0x894;
	if (s->bytes[0] == 0x0f && s->bytes[1] == 0xc7)
		taken |= 1 << 0 | 1 << 2;
	if (s->bytes[0] == 0x0f && (s->bytes[1] & 0xfe) == 0xb0)
		taken |= 1;
	if (s->bytes[0] == 0xd2 || s->bytes[0] == 0xd3)
		taken |= 2;
	if (s->flags & STRING) {
		uint64_t count = below(6);

		t->m.gpr[1] = count;
		t->m.gpr[6] = operand_address();
		t->m.gpr[7] = operand_address();
	}
	if (s->flags & BITS_REG)
		t->m.gpr[reg] = (uint64_t)((int16_t)next_random() / 8) +
				(word || wide ? 0 : next_random() << 32);

	if (below(2) == 0 && s->flags & LOCKABLE &&
	    !(s->digit < 0 && s->count == 1 && s->bytes[0] & 2 && s->bytes[0] < 0x40))
		*at++ = 0xf0;
	if (word)
		*at++ = 0x66;
	if (s->flags & STRING && below(2))
		*at++ = below(2) ? 0xf2 : 0xf3;
	if (s->flags & STRING) {
		reg = 0;
	} else {
		tail_len = put_address(tail, reg, address, &t->m, taken, &rex);
		rex |= (uint8_t)((reg & 8) >> 1);
	}
	if (s->bytes[0] == 0xc5) {
		/* VEX: with a register of its own, and no REX. */
		tail_len = 0;
		t->m.gpr[0] = address;
		tail[tail_len++] = (uint8_t)((reg & 7) << 3);
		rex = 0;
		wide = false;
	}
	if (wide)
		rex |= 8;
	while (s->flags & VECTOR && opcode < s->count && s->bytes[0] != 0xc5 &&
	       s->bytes[opcode] != 0x0f)
		*at++ = s->bytes[opcode++];
	if (rex || (s->bytes[0] != 0xc5 && below(4) == 0))
		*at++ = 0x40 | rex;
	memcpy(at, s->bytes + opcode, s->count - opcode);
	at += s->count - opcode;
	memcpy(at, tail, tail_len);
	at += tail_len;
	if (s->imm == 1)
		*at++ = (uint8_t)next_random();
	if (s->imm == 4) {
		uint64_t imm = random_value();

		memcpy(at, &imm, 4);
		at += word && !wide ? 2 : 4;
	}
	if (s->imm == 1 && (s->bytes[0] & 0xfe) == 0xc0 && below(2))
		at[-1] = (uint8_t)next_random() & 0x3f;
	t->len = (unsigned)(at - code);
	/* jmp *0(%rip) */
	memcpy(at, (const uint8_t[]){0xff, 0x25, 0, 0, 0, 0}, 6);
	uint64_t back = (uint64_t)(uintptr_t)native_back;
	memcpy(at + 6, &back, 8);
	for (unsigned i = 0; i < BYTES; i++)
		memory[i] = (uint8_t)next_random();
	/* Half of the comparisons are to succeed. */
	if (s->bytes[0] == 0x0f && s->bytes[1] == 0xc7 && below(2)) {
		memcpy(&t->m.gpr[0], (void *)(uintptr_t)address, 8);
		memcpy(&t->m.gpr[2], (void *)(uintptr_t)(address + (wide ? 8 : 4)), 8);
	}
	if (s->bytes[0] == 0x0f && (s->bytes[1] & 0xfe) == 0xb0 && below(2))
		memcpy(&t->m.gpr[0], (void *)(uintptr_t)address, 8);
	if (s->flags & STRING && below(2))
		memset(memory, 0x42, BYTES);
	if (s->bytes[0] == 0xff && (s->digit == 2 || s->digit == 4))
		memcpy((void *)(uintptr_t)address, &back, 8);
}

static void show(const char *what, const struct test *t, const struct machine *cpu,
		 const struct machine *emulated, int r)
{
	fprintf(stderr, "%s (%d):", what, r);
	for (unsigned i = 0; i < t->len; i++)
		fprintf(stderr, " %02x", code[i]);
	fprintf(stderr,
		"\n  flags 0x%" PRIx64 ", processor 0x%" PRIx64 ", emulator 0x%" PRIx64 "\n",
		t->m.rflags, cpu->rflags, emulated->rflags);
	for (unsigned i = 0; i < 16; i++)
		if (cpu->gpr[i] != emulated->gpr[i])
			fprintf(stderr,
				"  register %u: 0x%" PRIx64 ", processor 0x%" PRIx64
				", emulator 0x%" PRIx64 "\n",
				i, t->m.gpr[i], cpu->gpr[i], emulated->gpr[i]);
}

static unsigned long failures, atomic_retries;

static void check(const struct shape *s)
{
	static uint8_t before[BYTES], after[BYTES];
	static struct test t;
	static struct machine cpu, emulated;
	uint64_t rip, next;
	uint8_t pages = (uint8_t)below(4);
	int r;

	make(&t, s);
	memcpy(before, memory, BYTES);
	cpu = emulated = t.m;
	native_state = &cpu;
	native_code = (uint64_t)(uintptr_t)code;
	native_run();
	memcpy(after, memory, BYTES);
	memcpy(memory, before, BYTES);
	missing = &pages;
	r = emulate(&emulated, t.len, &rip);
	next = s->bytes[0] == 0xff && (s->digit == 2 || s->digit == 4)
		       ? (uint64_t)(uintptr_t)native_back
		       : (uint64_t)(uintptr_t)code + t.len;
	if (r == VMM__X86_RETRY &&
	    (code[0] == 0xf0 || s->bytes[0] == 0x86 || s->bytes[0] == 0x87) &&
	    memcmp(memory, before, BYTES) == 0 && memcmp(&emulated, &t.m, sizeof(t.m)) == 0) {
		atomic_retries++;
		return;
	}
	if (r != VMM__X86_DONE || rip != next ||
	    memcmp(cpu.gpr, emulated.gpr, sizeof(cpu.gpr)) != 0 ||
	    ((cpu.rflags ^ emulated.rflags) & ~t.undefined) != 0 ||
	    memcmp(cpu.vector, emulated.vector, sizeof(cpu.vector)) != 0 ||
	    memcmp(memory, after, BYTES) != 0) {
		failures++;
		show(r != VMM__X86_DONE                  ? "result"
		     : rip != next                       ? "RIP"
		     : memcmp(memory, after, BYTES) != 0 ? "memory"
							 : "registers",
		     &t, &cpu, &emulated, r);
	}
}

int main(void)
{
	const char *rounds_text = getenv("VMM_TEST_ROUNDS");
	unsigned long rounds = rounds_text ? strtoul(rounds_text, NULL, 0) : 100000;
	unsigned count = sizeof(shapes) / sizeof(shapes[0]);

	memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT,
		      -1, 0);
	code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (memory == MAP_FAILED || code == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	unsigned eax, ebx, ecx = 0, edx;
	__get_cpuid(1, &eax, &ebx, &ecx, &edx);
	bool has_movbe = ecx >> 22 & 1;
	native_avx = __builtin_cpu_supports("avx") != 0;
	for (unsigned long i = 0; i < rounds && failures < 20; i++) {
		const struct shape *s = &shapes[i % count];

		if (!native_avx && s->bytes[0] == 0xc5)
			continue;
		if (s->bytes[1] == 0x38 && !has_movbe)
			continue;
		check(s);
	}
	printf("%lu instructions, %lu elements, %lu left to the processor, %lu differences\n",
	       rounds, elements, atomic_retries, failures);
	return failures == 0 ? 0 : 1;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The emulator with registers, modes, tables, code and answers of the fuzzer's choice: the work for
 * an instruction is bounded, elements are well formed, and registers change at its end only.
 */
#include <string.h>

#include "fuzz.h"
#include "x86_emulate.h"

#define HEAD 224u

struct guest {
	const uint8_t *bytes;
	size_t len;
	unsigned reads;
	uint64_t gpr[16], rip, rflags;
	uint8_t kind;
};

static uint64_t word(const uint8_t *at)
{
	uint64_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

/* Memory repeats the input; every fourth page is not there. */
static int read_guest(void *ctx, uint64_t gpa, void *buf, size_t len)
{
	struct guest *g = ctx;

	FUZZ_CHECK(len > 0 && len <= 32 && gpa % 4096 + len <= 4096);
	FUZZ_CHECK(++g->reads <= 200);
	if (g->kind & 1 && gpa >> 12 & 3)
		return -VMM_EFAULT;
	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = g->bytes[(gpa + i) % g->len];
	return 0;
}

static int read_table(void *ctx, uint64_t gpa, void *buf, size_t len)
{
	struct guest *g = ctx;

	FUZZ_CHECK(len <= 8 && gpa % len == 0);
	FUZZ_CHECK(++g->reads <= 200);
	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = g->bytes[(gpa + i) % g->len];
	return 0;
}

static int write_guest(void *ctx, uint64_t gpa, const void *buf, size_t len)
{
	struct guest *g = ctx;

	(void)buf;
	FUZZ_CHECK(len > 0 && len <= 32 && gpa % 4096 + len <= 4096);
	FUZZ_CHECK(++g->reads <= 200);
	return g->kind & 2 ? -VMM_EFAULT : 0;
}

static void get_segment(void *ctx, unsigned segment, struct vmm_x86_segment *out)
{
	const struct guest *g = ctx;

	FUZZ_CHECK(segment <= VMM__X86_GS);
	memset(out, 0, sizeof(*out));
	out->base = word(g->bytes + 16 * segment) & (g->kind & 4 ? UINT64_MAX : 0xffff);
	out->limit = g->kind & 8 ? UINT32_MAX : (uint32_t)word(g->bytes + 16 * segment + 8);
	out->attr = g->kind & 16 ? 0xc093 : (uint32_t)word(g->bytes + 16 * segment + 4) & 0x1ffff;
}

static void get_vector(void *ctx, unsigned reg, void *buf, size_t len)
{
	(void)ctx;
	FUZZ_CHECK(reg < 16 && (len == 16 || len == 32));
	memset(buf, (int)reg, len);
}

static void set_vector(void *ctx, unsigned reg, const void *buf, size_t len, bool vex)
{
	(void)ctx;
	(void)buf;
	FUZZ_CHECK(reg < 16 && (len == 16 || (len == 32 && vex)));
}

static void check_element(const struct vmm__x86_emulator *e)
{
	const struct vmm__x86_element *x = &e->element;

	FUZZ_CHECK(x->width == 1 || x->width == 2 || x->width == 4 || x->width == 8);
	FUZZ_CHECK(x->port ? x->addr <= UINT16_MAX : x->addr % 4096 + x->width <= 4096);
	FUZZ_CHECK(x->width == 8 || x->data >> (8 * x->width) == 0);
	FUZZ_CHECK(!x->port || e->port_width == x->width);
}

static void check(struct vmm__x86_emulator *e, struct guest *g)
{
	const struct guest before = *g;
	unsigned elements = 0;
	int r = vmm__x86_emulate(e);

	for (unsigned repetitions = 0;; repetitions++) {
		while (r == VMM__X86_ELEMENT) {
			check_element(e);
			FUZZ_CHECK(++elements <= 40 * (repetitions + 1));
			if (repetitions == 0)
				FUZZ_CHECK(memcmp(g->gpr, before.gpr, sizeof(g->gpr)) == 0 &&
					   g->rip == before.rip && g->rflags == before.rflags);
			r = vmm__x86_emulate_answer(e, word(g->bytes + elements % 8));
		}
		if (r != VMM__X86_DONE || !e->again || repetitions == 4)
			break;
		g->reads = 0;
		r = vmm__x86_emulate_again(e);
	}
	FUZZ_CHECK((r >= VMM__X86_DONE && r <= VMM__X86_RETRY) || r == -VMM_ENOTSUP);
	if (r != VMM__X86_DONE && !e->again && elements == 0)
		FUZZ_CHECK(memcmp(g->gpr, before.gpr, sizeof(g->gpr)) == 0 || g->rip == before.rip);
	if (r == VMM__X86_FAULT)
		FUZZ_CHECK(e->fault.vector < 32);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t codes[4] = {VMM__X86_CODE_16, VMM__X86_CODE_32, VMM__X86_CODE_64,
					 VMM__X86_CODE_64};
	static const struct vmm__x86_emulator_ops ops = {read_guest, write_guest, get_segment,
							 get_vector, set_vector};
	struct vmm__x86_emulator e;
	struct guest g;

	if (len < HEAD)
		return 0;
	memset(&e, 0, sizeof(e));
	memset(&g, 0, sizeof(g));
	g.bytes = data;
	g.len = len;
	g.kind = data[0];
	memcpy(g.gpr, data + 96, sizeof(g.gpr));
	g.rip = word(data + 16);
	g.rflags = word(data + 24);
	for (unsigned i = 0; i < 16; i++) {
		/* Small ones are more likely to be addresses of something. */
		if (data[2] >> (i % 8) & 1)
			g.gpr[i] &= 0xffff;
		e.gpr[i] = &g.gpr[i];
	}
	e.ops = &ops;
	e.ctx = &g;
	e.rip = &g.rip;
	e.rflags = &g.rflags;
	e.tables = (struct vmm__guest_memory){read_table, &g};
	e.code = codes[data[1] & 3];
	e.cpl = data[1] >> 2 & 3;
	e.paging = (struct vmm__x86_paging){.cr0 = word(data + 32),
					    .cr3 = word(data + 40) & 0xffffffffff,
					    .cr4 = word(data + 48),
					    .efer = e.code == VMM__X86_CODE_64 ? 0xd00 : 0x100,
					    .rflags = g.rflags,
					    .phys_bits = 40};
	if (data[1] & 16)
		e.paging.cr0 &= ~(UINT64_C(1) << 31);
	e.xcr0 = data[3];
	e.fault_gpa = word(data + 56);
	e.fault_write = data[4] & 1;
	e.port_width = data[1] & 32 ? 1 + (data[4] >> 6 & 1) : 0;
	e.count = data[1] & 64 ? data[4] >> 1 & 15 : 0;
	memcpy(e.bytes, data + 64, sizeof(e.bytes));
	check(&e, &g);
	return 0;
}

size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	static const uint8_t code[][6] = {
		{0x89, 0x48, 0x08},
		{0x48, 0x8b, 0x08},
		{0xf0, 0x48, 0x0f, 0xc7, 0x08},
		{0xf3, 0x48, 0xa5},
		{0xf2, 0xae},
		{0xf3, 0x6d},
		{0xc5, 0xfe, 0x6f, 0x08},
		{0x66, 0x0f, 0x7f, 0x08},
		{0xff, 0x10},
		{0x8f, 0x00},
		{0x0f, 0xbb, 0x08},
		{0xd3, 0x10},
	};
	unsigned mode = index % 3;

	if (index >= 3 * sizeof(code) / sizeof(code[0]))
		return 0;
	/* Given by the processor or fetched, without paging. */
	buf[0] = 0xfc;
	buf[1] =
		(uint8_t)(mode | 16 | (index & 1 ? 64 : 0) | (code[index / 3][1] == 0x6d ? 32 : 0));
	buf[2] = 0xff;
	buf[3] = 7;
	buf[4] = 1 | 15 << 1;
	buf[16] = 64; /* RIP: the same bytes */
	buf[49] = 2 | 4;
	memcpy(buf + 64, code[index / 3], sizeof(code[0]));
	for (unsigned i = 0; i < 128; i++)
		buf[96 + i] = (uint8_t)(i * 37);
	return 1024;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * What an MMIO access of a paged 64-bit guest costs in the emulator: both page walks of four
 * levels, fetch, decoding, the element and its answer; and decoding alone. By itself it prints
 * nanoseconds; mmu_bench.py runs it under callgrind and prints instructions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <valgrind/callgrind.h>

#include "x86_emulate.h"

#define ROUNDS 10000u
#define RAM    0x10000u
#define CODE   0x8000u
#define MMIO   UINT64_C(0xd0000000)

static uint8_t ram[RAM];
static uint64_t gpr[16], rip, rflags;
static struct vmm__x86_emulator e;

static int read_ram(void *ctx, uint64_t gpa, void *buf, size_t len)
{
	(void)ctx;
	if (gpa >= RAM || len > RAM - gpa)
		return -VMM_EFAULT;
	memcpy(buf, ram + gpa, len);
	return 0;
}

static int write_ram(void *ctx, uint64_t gpa, const void *buf, size_t len)
{
	(void)ctx;
	if (gpa >= RAM || len > RAM - gpa)
		return -VMM_EFAULT;
	memcpy(ram + gpa, buf, len);
	return 0;
}

static void get_segment(void *ctx, unsigned segment, struct vmm_x86_segment *out)
{
	(void)ctx;
	(void)segment;
	memset(out, 0, sizeof(*out));
}

static const struct vmm__x86_emulator_ops ops = {
	.read = read_ram, .write = write_ram, .segment = get_segment};

static void entry(uint64_t at, uint64_t value)
{
	memcpy(ram + at, &value, sizeof(value));
}

/* Linear 0 is RAM by one table, linear 2 MiB is MMIO by another one. */
static void setup(void)
{
	entry(0x1000, 0x2007);
	entry(0x2000, 0x3007);
	entry(0x3000, 0x4007);
	entry(0x3008, 0x5007);
	for (uint64_t i = 0; i < 16; i++)
		entry(0x4000 + 8 * i, i << 12 | 7);
	entry(0x5000, MMIO | 7);
	for (unsigned i = 0; i < 16; i++)
		e.gpr[i] = &gpr[i];
	e.ops = &ops;
	e.rip = &rip;
	e.rflags = &rflags;
	e.tables.read = read_ram;
	e.paging = (struct vmm__x86_paging){.cr0 = UINT64_C(0x80010001),
					    .cr3 = 0x1000,
					    .cr4 = 0x220,
					    .efer = 0xd01,
					    .phys_bits = 40};
	e.code = VMM__X86_CODE_64;
	e.fault_gpa = MMIO + 8;
	gpr[0] = 0x200000;
	rflags = 2;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void end(uint64_t begun, const char *what)
{
	uint64_t took = now_ns() - begun;
	char name[128];

	snprintf(name, sizeof(name), "x86/%s/%u", what, ROUNDS);
	CALLGRIND_DUMP_STATS_AT(name);
	if (!RUNNING_ON_VALGRIND)
		printf("%-14s %-34s %8.2f ns\n", "x86", what, (double)took / ROUNDS);
}

static void measure_decode(const char *what, const uint8_t *bytes, size_t len)
{
	struct vmm__x86_insn insn;
	uint64_t begun = now_ns();

	CALLGRIND_ZERO_STATS;
	for (unsigned i = 0; i < ROUNDS; i++)
		if (vmm__x86_decode(&insn, bytes, len, VMM__X86_CODE_64) != 0)
			exit(1);
	end(begun, what);
}

static void measure(const char *what, const uint8_t *bytes, size_t len, bool write, bool given)
{
	uint64_t begun = now_ns();

	memcpy(ram + CODE, bytes, len);
	e.fault_write = write;
	CALLGRIND_ZERO_STATS;
	for (unsigned i = 0; i < ROUNDS; i++) {
		rip = CODE;
		e.count = 0;
		if (given) {
			e.count = 15;
			memcpy(e.bytes, ram + CODE, 15);
		}
		if (vmm__x86_emulate(&e) != VMM__X86_ELEMENT || e.element.addr != MMIO + 8 ||
		    e.element.write != write || vmm__x86_emulate_answer(&e, i) != VMM__X86_DONE)
			exit(1);
	}
	end(begun, what);
}

int main(void)
{
	static const uint8_t store[15] = {0x89, 0x48, 0x08}, load[15] = {0x48, 0x8b, 0x48, 0x08};

	setup();
	measure_decode("decode mov", load, sizeof(load));
	measure("MMIO write", store, sizeof(store), true, false);
	measure("MMIO read", load, sizeof(load), false, false);
	measure("MMIO write, bytes given", store, sizeof(store), true, true);
	measure("MMIO read, bytes given", load, sizeof(load), false, true);
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Faults, elements, segments, repetition: what test_x86_native.c cannot see on the processor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bits.h"
#include "endian.h"
#include "x86_emulate.h"
#include "x86_paging.h"

/*
 * A machine of 64 KiB. Linear addresses from 1 GiB on are mapped by tables at 0x1000 to 0x4fff:
 * page i to i * 4096, but for those that tests change; code is at page 8. MMIO is at 0xd0000000.
 */
#define RAM    0x10000u
#define LINEAR UINT64_C(0x40000000)
#define MMIO   UINT64_C(0xd0000000)
#define CODE   0x8000u

static uint8_t ram[RAM];
static struct vmm__x86_emulator e;
static uint64_t gpr[16], rip, rflags;
static struct vmm_x86_segment segments[6];
static unsigned reads, writes; /* by the emulator, of RAM */
static bool arrived;           /* there is memory at MMIO now, which keeps nothing */

static int read_ram(void *ctx, uint64_t gpa, void *buf, size_t len)
{
	(void)ctx;
	if (gpa >= RAM || len > RAM - gpa)
		return -VMM_EFAULT;
	memcpy(buf, ram + gpa, len);
	reads++;
	return 0;
}

static int write_ram(void *ctx, uint64_t gpa, const void *buf, size_t len)
{
	(void)ctx;
	if (arrived && gpa >= MMIO)
		return 0;
	if (gpa >= RAM || len > RAM - gpa)
		return -VMM_EFAULT;
	memcpy(ram + gpa, buf, len);
	writes++;
	return 0;
}

static void get_segment(void *ctx, unsigned segment, struct vmm_x86_segment *out)
{
	(void)ctx;
	*out = segments[segment];
}

static uint8_t vector[16][32];

static void get_vector(void *ctx, unsigned reg, void *buf, size_t len)
{
	(void)ctx;
	memcpy(buf, vector[reg], len);
}

static void set_vector(void *ctx, unsigned reg, const void *buf, size_t len, bool vex)
{
	(void)ctx;
	if (vex)
		memset(vector[reg], 0, 32);
	memcpy(vector[reg], buf, len);
}

static const struct vmm__x86_emulator_ops ops = {read_ram, write_ram, get_segment, get_vector,
						 set_vector};

static void map(unsigned page, uint64_t entry)
{
	vmm__put_le64(ram + 0x4000 + 8 * page, entry);
}

/* Page 16 is MMIO, page 17 the one after it; 18 is not there, 19 not to be written. */
static int setup(void **state)
{
	(void)state;
	memset(ram, 0, sizeof(ram));
	memset(&e, 0, sizeof(e));
	memset(gpr, 0, sizeof(gpr));
	memset(segments, 0, sizeof(segments));
	vmm__put_le64(ram + 0x1000, 0x2000 | 7);
	vmm__put_le64(ram + 0x2000 + 8, 0x3000 | 7);
	vmm__put_le64(ram + 0x3000, 0x4000 | 7);
	for (unsigned i = 0; i < 16; i++)
		map(i, i * 0x1000 | 7);
	map(16, MMIO | 7);
	map(17, (MMIO + 0x5000) | 7);
	map(19, MMIO | 5);
	reads = writes = 0;
	arrived = false;
	e.ops = &ops;
	for (unsigned i = 0; i < 16; i++)
		e.gpr[i] = &gpr[i];
	e.rip = &rip;
	e.rflags = &rflags;
	e.tables.read = read_ram;
	e.paging = (struct vmm__x86_paging){.cr0 = X86_CR0_PG | X86_CR0_WP | 1,
					    .cr3 = 0x1000,
					    .cr4 = X86_CR4_PAE | BIT(9) | BIT(18),
					    .efer = X86_EFER_LMA | X86_EFER_NXE,
					    .phys_bits = 40};
	e.xcr0 = 7;
	e.code = VMM__X86_CODE_64;
	e.fault_gpa = MMIO;
	e.fault_write = 1;
	rip = LINEAR + CODE;
	rflags = 2;
	return 0;
}

/* Without paging, outside 64-bit code. */
static void flat(unsigned code)
{
	e.paging = (struct vmm__x86_paging){.cr0 = 1, .phys_bits = 40};
	e.code = (uint8_t)code;
	rip = CODE;
	for (unsigned i = 0; i < 6; i++)
		segments[i] = (struct vmm_x86_segment){
			.limit = UINT32_MAX,
			.attr = VMM_X86_SEG_TYPE(3) | VMM_X86_SEG_S | VMM_X86_SEG_P |
				(code == VMM__X86_CODE_32 ? VMM_X86_SEG_DB : 0)};
}

static int run(const uint8_t *bytes, size_t len)
{
	memcpy(ram + CODE, bytes, len);
	rip = e.code == VMM__X86_CODE_64 ? LINEAR + CODE : CODE;
	e.count = 0;
	return vmm__x86_emulate(&e);
}

#define RUN(...) run((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void is_element(bool write, uint64_t addr, unsigned width, uint64_t data)
{
	assert_int_equal(e.element.write, write);
	assert_int_equal(e.element.addr, addr);
	assert_int_equal(e.element.width, width);
	if (write)
		assert_int_equal(e.element.data, data);
}

static void is_fault(unsigned vector_, unsigned code, uint64_t address)
{
	assert_int_equal(e.fault.vector, vector_);
	if (e.fault.has_error)
		assert_int_equal(e.fault.error_code, code);
	if (vector_ == 14)
		assert_int_equal(e.fault.address, address);
}

static void one_element(void **state)
{
	(void)state;
	gpr[0] = LINEAR + 0x10000;
	gpr[1] = UINT64_C(0x1122334455667788);
	/* mov %ecx, 8(%rax) */
	assert_int_equal(RUN(0x89, 0x48, 0x08), VMM__X86_ELEMENT);
	is_element(true, MMIO + 8, 4, 0x55667788);
	assert_false(e.element.more);
	assert_int_equal(rip, LINEAR + CODE);
	assert_int_equal(vmm__x86_emulate_answer(&e, 0), VMM__X86_DONE);
	assert_int_equal(rip, LINEAR + CODE + 3);
	/* movzwl (%rax), %ecx */
	e.fault_write = 0;
	assert_int_equal(RUN(0x0f, 0xb7, 0x08), VMM__X86_ELEMENT);
	is_element(false, MMIO, 2, 0);
	assert_int_equal(vmm__x86_emulate_answer(&e, UINT64_MAX), VMM__X86_DONE);
	assert_int_equal(gpr[1], 0xffff);
}

static void across_pages(void **state)
{
	(void)state;
	/* The first three bytes in one page, the others in another place. */
	gpr[0] = LINEAR + 0x10ffd;
	gpr[1] = UINT64_C(0x1122334455667788);
	assert_int_equal(RUN(0x48, 0x89, 0x08), VMM__X86_ELEMENT);
	is_element(true, MMIO + 0xffd, 2, 0x7788);
	assert_true(e.element.more);
	assert_int_equal(vmm__x86_emulate_answer(&e, 0), VMM__X86_ELEMENT);
	is_element(true, MMIO + 0xfff, 1, 0x66);
	assert_int_equal(vmm__x86_emulate_answer(&e, 0), VMM__X86_ELEMENT);
	is_element(true, MMIO + 0x5000, 4, 0x22334455);
	assert_int_equal(vmm__x86_emulate_answer(&e, 0), VMM__X86_ELEMENT);
	is_element(true, MMIO + 0x5004, 1, 0x11);
	assert_false(e.element.more);
	assert_int_equal(vmm__x86_emulate_answer(&e, 0), VMM__X86_DONE);

	/* The second page is not there: a fault, and no element before it. */
	gpr[0] = LINEAR + 0x11ffd;
	e.fault_gpa = MMIO + 0x5000;
	assert_int_equal(RUN(0x48, 0x89, 0x08), VMM__X86_FAULT);
	is_fault(14, 2, LINEAR + 0x12000);

	/* Read, changed and written back, half of it in RAM. */
	gpr[0] = LINEAR + 0xfffe;
	vmm__put_le16(ram + 0xfffe, 0xffff);
	assert_int_equal(RUN(0x83, 0x00, 0x01), VMM__X86_ELEMENT); /* addl $1, (%rax) */
	is_element(false, MMIO, 2, 0);
	assert_int_equal(vmm__x86_emulate_answer(&e, 0x1233), VMM__X86_ELEMENT);
	is_element(true, MMIO, 2, 0x1234);
	assert_int_equal(vmm__le16(ram + 0xfffe), 0);
	assert_int_equal(vmm__x86_emulate_answer(&e, 0), VMM__X86_DONE);
	assert_int_equal(writes, 1);
}

static void nothing_is_read_twice(void **state)
{
	(void)state;
	/* movsq from RAM to MMIO; what changes after the element does not matter. */
	gpr[6] = LINEAR + 0x9000;
	gpr[7] = LINEAR + 0x10000;
	vmm__put_le64(ram + 0x9000, 42);
	assert_int_equal(RUN(0x48, 0xa5), VMM__X86_ELEMENT);
	is_element(true, MMIO, 8, 42);
	vmm__put_le64(ram + 0x9000, 43);
	memset(ram + CODE, 0x90, 16);
	memset(ram + 0x4000, 0, 0x1000);
	unsigned seen = reads;
	assert_int_equal(vmm__x86_emulate_answer(&e, 0), VMM__X86_DONE);
	assert_int_equal(reads, seen);
	assert_int_equal(gpr[6], LINEAR + 0x9008);
	assert_int_equal(gpr[7], LINEAR + 0x10008);
	assert_int_equal(rip, LINEAR + CODE + 2);
}

static void repetition(void **state)
{
	(void)state;
	gpr[0] = 0x55;
	gpr[1] = 2;
	gpr[7] = LINEAR + 0x10000;
	assert_int_equal(RUN(0xf3, 0xaa), VMM__X86_ELEMENT); /* rep stosb */
	assert_int_equal(vmm__x86_emulate_answer(&e, 0), VMM__X86_DONE);
	assert_true(e.again);
	assert_int_equal(gpr[1], 1);
	assert_int_equal(rip, LINEAR + CODE);
	assert_int_equal(vmm__x86_emulate_again(&e), VMM__X86_ELEMENT);
	is_element(true, MMIO + 1, 1, 0x55);
	assert_int_equal(vmm__x86_emulate_answer(&e, 0), VMM__X86_DONE);
	assert_false(e.again);
	assert_int_equal(rip, LINEAR + CODE + 2);
	/* Memory that comes between two repetitions is memory. */
	gpr[1] = 2;
	gpr[7] = LINEAR + 0x10000;
	assert_int_equal(RUN(0xf3, 0xaa), VMM__X86_ELEMENT);
	assert_int_equal(vmm__x86_emulate_answer(&e, 0), VMM__X86_DONE);
	arrived = true;
	assert_int_equal(vmm__x86_emulate_again(&e), VMM__X86_DONE);
	arrived = false;
	/* None left: nothing happens but the next instruction. */
	assert_int_equal(RUN(0xf3, 0xaa), VMM__X86_DONE);
	assert_int_equal(rip, LINEAR + CODE + 2);
	assert_int_equal(gpr[7], LINEAR + 0x10002);
	/* repne scasb ends where it finds */
	gpr[1] = 10;
	e.fault_write = 0;
	assert_int_equal(RUN(0xf2, 0xae), VMM__X86_ELEMENT);
	assert_int_equal(vmm__x86_emulate_answer(&e, 0x54), VMM__X86_DONE);
	assert_true(e.again);
	assert_int_equal(vmm__x86_emulate_again(&e), VMM__X86_ELEMENT);
	assert_int_equal(vmm__x86_emulate_answer(&e, 0x55), VMM__X86_DONE);
	assert_false(e.again);
	assert_int_equal(gpr[1], 8);
}

static void faults(void **state)
{
	(void)state;
	/* Not there, by a user's read: 4; not to be written: 3. */
	gpr[0] = LINEAR + 0x12000;
	e.cpl = 3;
	assert_int_equal(RUN(0x8b, 0x08), VMM__X86_FAULT);
	is_fault(14, 4, LINEAR + 0x12000);
	e.cpl = 0;
	gpr[0] = LINEAR + 0x13000;
	assert_int_equal(RUN(0x89, 0x08), VMM__X86_FAULT);
	is_fault(14, 3, LINEAR + 0x13000);
	/* A test of such a page is a read; or-ing into it is not, and reads nothing first. */
	e.fault_write = 0;
	assert_int_equal(RUN(0x85, 0x08), VMM__X86_ELEMENT);
	assert_int_equal(RUN(0x09, 0x08), VMM__X86_FAULT);
	is_fault(14, 3, LINEAR + 0x13000);
	/* Not canonical: #GP, by the stack's registers #SS. */
	gpr[0] = UINT64_C(1) << 60;
	assert_int_equal(RUN(0x8b, 0x08), VMM__X86_FAULT);
	is_fault(13, 0, 0);
	gpr[5] = UINT64_C(1) << 60;
	assert_int_equal(RUN(0x8b, 0x4d, 0), VMM__X86_FAULT);
	is_fault(12, 0, 0);
	/* Alignment: of users who ask for it, and of vectors. */
	gpr[0] = LINEAR + 0x10001;
	assert_int_equal(RUN(0x66, 0x0f, 0x6f, 0x00), VMM__X86_FAULT);
	is_fault(13, 0, 0);
	e.cpl = 3;
	e.paging.cr0 |= BIT(18);
	e.paging.rflags = X86_RFLAGS_AC;
	assert_int_equal(RUN(0x8b, 0x08), VMM__X86_FAULT);
	is_fault(17, 0, 0);
	e.cpl = 0;
	assert_int_equal(RUN(0x8b, 0x08), VMM__X86_ELEMENT);
	/* No SSE, or not now. */
	gpr[0] = LINEAR + 0x10000;
	e.paging.cr0 |= BIT(3);
	assert_int_equal(RUN(0x0f, 0x10, 0x00), VMM__X86_FAULT);
	is_fault(7, 0, 0);
	e.paging.cr4 &= ~(uint64_t)BIT(9);
	assert_int_equal(RUN(0x0f, 0x10, 0x00), VMM__X86_FAULT);
	is_fault(6, 0, 0);
	/* Invalid, and too long. */
	assert_int_equal(RUN(0xf0, 0x89, 0x08), VMM__X86_FAULT);
	is_fault(6, 0, 0);
	memset(ram + CODE, 0x66, 16);
	e.count = 0;
	assert_int_equal(vmm__x86_emulate(&e), VMM__X86_FAULT);
	is_fault(13, 0, 0);
	/* No register has changed. */
	assert_int_equal(rip, LINEAR + CODE);
	assert_int_equal(rflags, 2);
	assert_int_equal(writes, 0);
}

static void fetches(void **state)
{
	(void)state;
	gpr[0] = LINEAR + 0x10000;
	/* mov %ecx, 0x100(%rax), across a page that is elsewhere in memory. */
	map(9, 0xb000 | 7);
	rip = LINEAR + 0x8ffd;
	memcpy(ram + 0x8ffd, (const uint8_t[]){0x89, 0x88, 0x00}, 3);
	memcpy(ram + 0xb000, (const uint8_t[]){0x01, 0x00, 0x00}, 3);
	assert_int_equal(vmm__x86_emulate(&e), VMM__X86_ELEMENT);
	is_element(true, MMIO + 0x100, 4, 0);
	/* The second page is not executable: the fault is at its beginning. */
	map(9, 0xb000 | 7 | X86_PTE_NX);
	e.count = 0;
	assert_int_equal(vmm__x86_emulate(&e), VMM__X86_FAULT);
	is_fault(14, 0x11, LINEAR + 0x9000);
	/* But not needed for a short instruction. */
	memcpy(ram + 0x8ffd, (const uint8_t[]){0x89, 0x48, 0x08}, 3);
	e.count = 0;
	assert_int_equal(vmm__x86_emulate(&e), VMM__X86_ELEMENT);
	/* Bytes that the processor gave are not read again, and the address is known. */
	memset(ram + 0x8ffd, 0x90, 3);
	memcpy(e.bytes, (const uint8_t[]){0x89, 0x48, 0x08}, 3);
	e.count = 3;
	e.fault_gpa = MMIO + 0x7008;
	reads = 0;
	assert_int_equal(vmm__x86_emulate(&e), VMM__X86_ELEMENT);
	is_element(true, MMIO + 0x7008, 4, 0);
	assert_int_equal(reads, 0);
	/* From MMIO nothing can be fetched. */
	rip = LINEAR + 0x10000;
	e.count = 0;
	assert_int_equal(vmm__x86_emulate(&e), -VMM_ENOTSUP);
}

static void other_code(void **state)
{
	(void)state;
	gpr[0] = LINEAR + 0x9000;
	/* No memory: whatever faulted is gone. Atomic, on memory that is there: the same. */
	assert_int_equal(RUN(0x90), VMM__X86_RETRY);
	assert_int_equal(RUN(0x01, 0xc8), VMM__X86_RETRY);
	assert_int_equal(RUN(0xf0, 0x01, 0x08), VMM__X86_RETRY);
	assert_int_equal(RUN(0x87, 0x08), VMM__X86_RETRY);
	assert_int_equal(writes, 0);
	/* A string instruction on a port is not what a page fault came from, nor the other way. */
	assert_int_equal(RUN(0x6c), -VMM_ENOTSUP);
	e.port_width = 1;
	assert_int_equal(RUN(0x88, 0x08), VMM__X86_RETRY);
	assert_int_equal(RUN(0x6d), VMM__X86_RETRY);
	e.port_width = 0;
	/* Not without end: here PUSH, with its stack where nothing is. */
	int r = VMM__X86_RETRY;
	for (unsigned i = 0; i < 20 && r == VMM__X86_RETRY; i++)
		r = RUN(0x50);
	assert_int_equal(r, -VMM_ENOTSUP);
	/* What is not known: fxsave (%rax), and its bytes. */
	assert_int_equal(RUN(0x0f, 0xae, 0x00), -VMM_ENOTSUP);
	assert_int_equal(e.count, 15);
	assert_memory_equal(e.bytes, ((const uint8_t[]){0x0f, 0xae, 0x00}), 3);
}

/* What is spared the second time is only what is the same. */
static void kept(void **state)
{
	(void)state;
	gpr[0] = LINEAR + 0x10000;
	e.fault_gpa = MMIO + 8;
	assert_int_equal(RUN(0x89, 0x48, 0x08), VMM__X86_ELEMENT);
	/* The walk is: the page is not looked at again. */
	map(16, (MMIO + 0x1000) | 7);
	assert_int_equal(RUN(0x89, 0x48, 0x08), VMM__X86_ELEMENT);
	is_element(true, MMIO + 8, 4, 0);
	/* But for another place, page, or kind of access. */
	assert_int_equal(RUN(0x89, 0x48, 0x0c), VMM__X86_ELEMENT);
	is_element(true, MMIO + 0x100c, 4, 0);
	map(16, (MMIO + 0x2000) | 7);
	assert_int_equal(RUN(0x89, 0x48, 0x08), VMM__X86_ELEMENT);
	is_element(true, MMIO + 0x2008, 4, 0);
	e.fault_gpa = MMIO + 0x2008;
	e.fault_write = 0;
	map(16, (MMIO + 0x2000) | 5);
	assert_int_equal(RUN(0x89, 0x48, 0x08), VMM__X86_FAULT);
	is_fault(14, 3, LINEAR + 0x10008);
	/* And for other tables. */
	e.fault_write = 1;
	memcpy(ram + 0xc000, ram + 0x1000, 0x1000);
	vmm__put_le64(ram + 0xc000, 0xd000 | 7);
	vmm__put_le64(ram + 0xd000 + 8, 0xe000 | 7);
	vmm__put_le64(ram + 0xe000, 0xf000 | 7);
	memcpy(ram + 0xf000, ram + 0x4000, 0x1000);
	vmm__put_le64(ram + 0xf000 + 8 * 16, (MMIO + 0x3000) | 7);
	e.paging.cr3 = 0xc000;
	assert_int_equal(RUN(0x89, 0x48, 0x08), VMM__X86_ELEMENT);
	is_element(true, MMIO + 0x3008, 4, 0);

	/* movabs: the last of its bytes differ. */
	assert_int_equal(RUN(0xa3, 0x08, 0x00, 0x01, 0x40, 0, 0, 0, 0), VMM__X86_ELEMENT);
	assert_int_equal(RUN(0xa3, 0x08, 0x00, 0x01, 0x40, 0, 0, 0, 0x10), VMM__X86_FAULT);
	/* mov (%rax), %rcx is dec %eax in other code. */
	e.fault_write = 0;
	assert_int_equal(RUN(0x48, 0x8b, 0x08), VMM__X86_ELEMENT);
	flat(VMM__X86_CODE_32);
	assert_int_equal(RUN(0x48, 0x8b, 0x08), VMM__X86_RETRY);
}

static void stack(void **state)
{
	(void)state;
	/* pop 8(%rsp): with RSP as it is afterwards */
	gpr[4] = LINEAR + 0x9000;
	vmm__put_le64(ram + 0x9000, 77);
	assert_int_equal(RUN(0x8f, 0x44, 0x24, 0x08), VMM__X86_DONE);
	assert_int_equal(gpr[4], LINEAR + 0x9008);
	assert_int_equal(vmm__le64(ram + 0x9010), 77);
	/* call *(%rax): nothing is pushed where the target is not canonical */
	gpr[0] = LINEAR + 0x9100;
	vmm__put_le64(ram + 0x9100, UINT64_C(1) << 50);
	writes = 0;
	assert_int_equal(RUN(0xff, 0x10), VMM__X86_FAULT);
	is_fault(13, 0, 0);
	assert_int_equal(writes, 0);
	vmm__put_le64(ram + 0x9100, 0x1234);
	assert_int_equal(RUN(0xff, 0x10), VMM__X86_DONE);
	assert_int_equal(rip, 0x1234);
	assert_int_equal(vmm__le64(ram + 0x9000), LINEAR + CODE + 2);
}

static void ports(void **state)
{
	(void)state;
	gpr[2] = 0xabc00123;
	gpr[6] = LINEAR + 0x9000;
	gpr[7] = LINEAR + 0x9100;
	gpr[1] = 2;
	vmm__put_le32(ram + 0x9000, 0x11223344);
	e.port_width = 4;
	assert_int_equal(RUN(0x6f), VMM__X86_ELEMENT); /* outsl */
	assert_true(e.element.port);
	is_element(true, 0x123, 4, 0x11223344);
	assert_int_equal(vmm__x86_emulate_answer(&e, 0), VMM__X86_DONE);
	assert_int_equal(gpr[6], LINEAR + 0x9004);
	e.port_width = 2;
	assert_int_equal(RUN(0xf3, 0x66, 0x6d), VMM__X86_ELEMENT); /* rep insw */
	is_element(false, 0x123, 2, 0);
	assert_int_equal(vmm__x86_emulate_answer(&e, 0xbeef), VMM__X86_DONE);
	assert_true(e.again);
	assert_int_equal(vmm__le16(ram + 0x9100), 0xbeef);
	/* The memory is checked before the port is read. */
	gpr[7] = LINEAR + 0x12000;
	assert_int_equal(vmm__x86_emulate_again(&e), VMM__X86_FAULT);
	is_fault(14, 2, LINEAR + 0x12000);
}

static void segments_32(void **state)
{
	(void)state;
	flat(VMM__X86_CODE_32);
	e.fault_gpa = 0x20000;
	segments[VMM__X86_DS].base = 0x10000;
	gpr[0] = 0x10000;
	gpr[1] = 7;
	assert_int_equal(RUN(0x89, 0x08), VMM__X86_ELEMENT);
	is_element(true, 0x20000, 4, 7);
	segments[VMM__X86_DS].limit = 0x10003;
	assert_int_equal(RUN(0x89, 0x08), VMM__X86_ELEMENT);
	segments[VMM__X86_DS].limit = 0x10002;
	assert_int_equal(RUN(0x89, 0x08), VMM__X86_FAULT);
	is_fault(13, 0, 0);
	/* Down: only above the limit. */
	segments[VMM__X86_DS].attr |= VMM_X86_SEG_TYPE(4);
	assert_int_equal(RUN(0x89, 0x08), VMM__X86_FAULT);
	segments[VMM__X86_DS].limit = 0xffff;
	assert_int_equal(RUN(0x89, 0x08), VMM__X86_ELEMENT);
	/* Read-only, code that cannot be read, none. */
	segments[VMM__X86_DS].limit = UINT32_MAX;
	segments[VMM__X86_DS].attr &= ~VMM_X86_SEG_TYPE(6);
	assert_int_equal(RUN(0x89, 0x08), VMM__X86_FAULT);
	e.fault_write = 0;
	assert_int_equal(RUN(0x8b, 0x08), VMM__X86_ELEMENT);
	segments[VMM__X86_DS].attr |= VMM_X86_SEG_TYPE(8);
	assert_int_equal(RUN(0x8b, 0x08), VMM__X86_FAULT);
	segments[VMM__X86_SS].attr |= VMM_X86_SEG_UNUSABLE;
	assert_int_equal(RUN(0x36, 0x8b, 0x08), VMM__X86_FAULT);
	is_fault(12, 0, 0);
	/* The end of the code segment cuts the fetch. */
	segments[VMM__X86_CS].limit = CODE;
	assert_int_equal(RUN(0x8b, 0x08), VMM__X86_FAULT);
	is_fault(13, 0, 0);
}

static void real_mode(void **state)
{
	(void)state;
	flat(VMM__X86_CODE_16);
	e.paging.cr0 = 0;
	e.fault_gpa = 0xb8000;
	segments[VMM__X86_ES].base = 0xb8000;
	segments[VMM__X86_ES].limit = 0xffff;
	gpr[3] = 0xabcd0010;
	gpr[7] = 0xfff8;
	gpr[0] = 0x1234;
	/* mov %ax, %es:(%bx,%di): the offset wraps at 64 KiB */
	assert_int_equal(RUN(0x26, 0x89, 0x01), VMM__X86_ELEMENT);
	is_element(true, 0xb8008, 2, 0x1234);
	/* A word at 0xffff does not: #GP without an error code. */
	gpr[3] = 7;
	assert_int_equal(RUN(0x26, 0x89, 0x01), VMM__X86_FAULT);
	is_fault(13, 0, 0);
	assert_false(e.fault.has_error);
	/* rep stosw with 16-bit registers, whose upper halves stay */
	gpr[7] = 0xaaaa0000;
	gpr[1] = 0xbbbb0001;
	assert_int_equal(RUN(0xf3, 0xab), VMM__X86_ELEMENT);
	assert_int_equal(vmm__x86_emulate_answer(&e, 0), VMM__X86_DONE);
	assert_int_equal(gpr[7], 0xaaaa0002);
	assert_int_equal(gpr[1], 0xbbbb0000);
	assert_false(e.again);
	/* push %es:(0): from MMIO to the stack of 16 bits */
	gpr[4] = 0x12340002;
	e.fault_write = 0;
	assert_int_equal(RUN(0x26, 0xff, 0x36, 0, 0), VMM__X86_ELEMENT);
	assert_int_equal(vmm__x86_emulate_answer(&e, 0x5678), VMM__X86_DONE);
	assert_int_equal(gpr[4], 0x12340000);
	assert_int_equal(vmm__le16(ram), 0x5678);
}

static void vectors(void **state)
{
	(void)state;
	gpr[0] = LINEAR + 0x10000;
	e.fault_write = 0;
	memset(vector, 0xee, sizeof(vector));
	/* vmovdqu (%rax), %ymm1: four elements */
	assert_int_equal(RUN(0xc5, 0xfe, 0x6f, 0x08), VMM__X86_ELEMENT);
	for (unsigned i = 0; i < 4; i++) {
		is_element(false, MMIO + 8 * i, 8, 0);
		assert_int_equal(e.element.more, i < 3);
		assert_int_equal(vmm__x86_emulate_answer(&e, i),
				 i < 3 ? VMM__X86_ELEMENT : VMM__X86_DONE);
	}
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(vmm__le64(vector[1] + 8 * i), i);
	/* Without XCR0's bit there is no AVX; engines may have no vectors at all. */
	e.xcr0 = 3;
	assert_int_equal(RUN(0xc5, 0xfe, 0x6f, 0x08), VMM__X86_FAULT);
	is_fault(6, 0, 0);
	struct vmm__x86_emulator_ops few = ops;
	few.get_vector = NULL;
	e.ops = &few;
	assert_int_equal(RUN(0x0f, 0x10, 0x08), -VMM_ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_element, setup),
		cmocka_unit_test_setup(across_pages, setup),
		cmocka_unit_test_setup(nothing_is_read_twice, setup),
		cmocka_unit_test_setup(repetition, setup),
		cmocka_unit_test_setup(faults, setup),
		cmocka_unit_test_setup(fetches, setup),
		cmocka_unit_test_setup(other_code, setup),
		cmocka_unit_test_setup(kept, setup),
		cmocka_unit_test_setup(stack, setup),
		cmocka_unit_test_setup(ports, setup),
		cmocka_unit_test_setup(segments_32, setup),
		cmocka_unit_test_setup(real_mode, setup),
		cmocka_unit_test_setup(vectors, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

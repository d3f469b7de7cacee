// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * A guest that does what it can to reach what is not its own: one image, entered in long mode by
 * start.S, which reads from a port what to do and tells by another how it went. It has RAM_BYTES of
 * memory from 0 on, and page tables for 4 GiB one to one in 2 MiB pages, which it may change.
 *
 * A case ends with 0 where all went as it does on a processor without a hypervisor, with 1 where it
 * did not; or the guest dies, which is its own affair.
 */
#include "cases.h"

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t u64;
typedef uint32_t u32;

/* start.S: where an exception goes, and what it was; NONE: none came. */
#define NONE 0xffu
extern volatile u64 resume_rip, resume_rsp;
extern volatile u32 vector;

/* The exception that an instruction raises. */
#define TRY(insn, ...)                                                                        \
	({                                                                                    \
		vector = NONE;                                                                \
		__asm__ volatile("movq $.Lend%=, resume_rip\n\t"                              \
				 "movq %%rsp, resume_rsp\n\t" insn "\n.Lend%=:" __VA_ARGS__); \
		vector;                                                                       \
	})

#define EXPECT(cond)                               \
	do {                                       \
		if (!(cond))                       \
			return say(#cond, vector); \
	} while (0)

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static u32 in32(uint16_t port)
{
	u32 value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static int say(const char *what, u32 number)
{
	for (; *what; what++)
		out8(PORT_SAY, (uint8_t)*what);
	out8(PORT_SAY, ' ');
	for (int shift = 28; shift >= 0; shift -= 4)
		out8(PORT_SAY, (uint8_t) "0123456789abcdef"[number >> shift & 15]);
	out8(PORT_SAY, '\n');
	return 1;
}

static u64 state;

/* xorshift64* without the star; never 0. */
static u64 dice(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static u32 rdmsr(u32 msr, u64 *value)
{
	u32 low = 0, high = 0;
	u32 got = TRY("rdmsr", : "=a"(low), "=d"(high) : "c"(msr), "a"(0), "d"(0) : "memory");

	*value = (u64)high << 32 | low;
	return got;
}

static u32 wrmsr(u32 msr, u64 value)
{
	return TRY("wrmsr", : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static bool intel; /* and not AMD: hypercalls are VMCALL */

static void find_vendor(void)
{
	u32 eax = 0, ebx, ecx, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
	intel = ebx == 0x756e6547;
}

/* --- what belongs to SVM --- */

static int do_svm(void)
{
	u64 efer, value;

	EXPECT(rdmsr(0xc0000080, &efer) == NONE);
	EXPECT((efer & 0x1000) == 0);
	EXPECT(wrmsr(0xc0000080, efer | 0x1000) == 13);
	EXPECT(wrmsr(0xc0010117, 0x100000) == 13); /* VM_HSAVE_PA */
	EXPECT(rdmsr(0xc0010117, &value) == 13);
	wrmsr(0xc0010114, 0); /* VM_CR: may be ignored */
	EXPECT(TRY("vmrun %%rax", : : "a"(0x100000) : "memory") == 6);
	EXPECT(TRY("vmload %%rax", : : "a"(0x100000) : "memory") == 6);
	EXPECT(TRY("vmsave %%rax", : : "a"(0x100000) : "memory") == 6);
	EXPECT(TRY("stgi", : : : "memory") == 6);
	EXPECT(TRY("clgi", : : : "memory") == 6);
	EXPECT(TRY("invlpga %%rax, %%ecx", : : "a"(0x1000), "c"(0) : "memory") == 6);
	EXPECT(TRY("skinit %%eax", : : "a"(0x10000) : "memory") == 6);
	EXPECT(TRY("rsm", : : : "memory") == 6);
	EXPECT(TRY("monitor", : : "a"(0x8000), "c"(0), "d"(0) : "memory") == 6);
	EXPECT(TRY("mwait", : : "a"(0), "c"(0) : "memory") == 6);
	EXPECT(TRY("vmcall", : : "a"(0) : "memory") == (intel ? NONE : 6));
	EXPECT(TRY("vmmcall", : : "a"(0) : "memory") == (intel ? 6 : NONE));
	EXPECT(TRY(".byte 0x0f, 0x37", : : "a"(0) : "memory") == 6); /* GETSEC */
	EXPECT(TRY(".byte 0x0f, 0x01, 0xc4", : : : "memory") == 6);  /* VMXOFF */
	EXPECT(TRY("wbinvd", : : : "memory") == NONE);
	EXPECT(TRY("invd", : : : "memory") == NONE);
	return 0;
}

/* --- what belongs to VMX; not for QEMU, which decodes its instructions as others --- */

#define REGION UINT64_C(0x110000)

/* Memory that begins as the processor's control structures do, and the instructions on it. */
static int try_region(u32 revision)
{
	volatile u32 *words = (volatile u32 *)REGION;
	static volatile u64 pointer = REGION;
	u64 value = 0;

	for (u32 i = 0; i < 1024; i++)
		words[i] = i == 0 ? revision : (u32)dice();
	EXPECT(TRY("vmxon (%0)", : : "r"(&pointer) : "memory") == 6);
	EXPECT(TRY("vmclear (%0)", : : "r"(&pointer) : "memory") == 6);
	EXPECT(TRY("vmptrld (%0)", : : "r"(&pointer) : "memory") == 6);
	EXPECT(TRY("vmptrst (%0)", : : "r"(&value) : "memory") == 6);
	EXPECT(value == 0);
	EXPECT(TRY("vmlaunch", : : : "memory") == 6);
	EXPECT(TRY("vmresume", : : : "memory") == 6);
	EXPECT(TRY("vmxoff", : : : "memory") == 6);
	return 0;
}

/* Fields of all widths and kinds: SDM 3D, appendix B. */
static int try_fields(void)
{
	for (u64 field = 0; field < 0x8000; field += field % 0x2000 < 0x30 ? 1 : 0x7d0) {
		u64 value = dice();

		EXPECT(TRY("vmwrite %0, %1", : : "r"(value), "r"(field) : "memory") == 6);
		EXPECT(TRY("vmread %1, %0", : "+r"(value) : "r"(field) : "memory") == 6);
	}
	return 0;
}

static int do_vmx(void)
{
	static volatile u64 descriptor[2];
	u64 value;
	int r = 0;

	for (u32 msr = 0x480; msr < 0x4a0; msr++) {
		EXPECT(rdmsr(msr, &value) == 13);
		EXPECT(wrmsr(msr, dice()) == 13);
	}
	/* IA32_FEATURE_CONTROL: not there, or locked without VMX. */
	EXPECT(rdmsr(0x3a, &value) == 13 || (value & 5) == 1);
	EXPECT(wrmsr(0x3a, 5) == 13);
	__asm__ volatile("mov %%cr4, %0" : "=r"(value));
	EXPECT((value & 0x2000) == 0);
	for (u32 revision = 0; revision < 64; revision++)
		r |= try_region(revision);
	for (u32 i = 0; i < 64; i++)
		r |= try_region((u32)dice());
	r |= try_fields();
	for (u64 type = 0; type < 4; type++) {
		EXPECT(TRY("invept (%0), %1", : : "r"(descriptor), "r"(type) : "memory") == 6);
		EXPECT(TRY("invvpid (%0), %1", : : "r"(descriptor), "r"(type) : "memory") == 6);
		EXPECT(TRY(".byte 0x0f, 0x01, 0xd4", : : "a"(type), "c"(type) : "memory") == 6);
	}
	return r;
}

/* --- what VMX holds fast for itself, and a guest must not notice --- */

/* A value that is taken reads back as it was written, but for bits that are always @ones. */
#define TRY_CONTROL(reg, value, ones)                                            \
	({                                                                       \
		u64 wanted_ = (value), got_ = 0;                                 \
		u32 taken_ = TRY("mov %0, %%" reg, : : "r"(wanted_) : "memory"); \
		__asm__ volatile("mov %%" reg ", %0" : "=r"(got_));              \
		taken_ == 13 || (taken_ == NONE && got_ == (wanted_ | (ones)));  \
	})

static int try_xcr0(void)
{
	for (u32 i = 0; i < 1024; i++) {
		u64 value = i < 512 ? i : dice(), got;
		u32 high = 0, low = 0;
		u32 taken = TRY("xsetbv",
				:
				: "c"(0), "a"((u32)value), "d"((u32)(value >> 32))
				: "memory");

		EXPECT(taken == NONE || taken == 13);
		if (taken == 13)
			continue;
		__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
		got = (u64)high << 32 | low;
		EXPECT(got == value);
	}
	return TRY("xsetbv", : : "c"(0), "a"(3), "d"(0) : "memory") != NONE;
}

static int do_fixed_bits(void)
{
	u64 cr0, cr4;
	int r = 0;

	__asm__ volatile("mov %%cr0, %0; mov %%cr4, %1" : "=r"(cr0), "=r"(cr4));
	for (u32 i = 0; i < 2000; i++) {
		u64 bits = dice() & 0x6005003e;

		EXPECT(TRY_CONTROL("cr0", 0x80000001 | bits, 0x10));
		EXPECT(TRY("mov %0, %%cr0", : : "r"(bits | 1) : "memory") == 13 || !(bits >> 29));
		EXPECT(TRY("mov %0, %%cr0", : : "r"(cr0) : "memory") == NONE);
	}
	for (u32 bit = 0; bit < 64; bit++) {
		if (bit != 12) /* LA57 */
			EXPECT(TRY_CONTROL("cr4", cr4 ^ UINT64_C(1) << bit, 0));
		EXPECT(TRY("mov %0, %%cr4", : : "r"(cr4) : "memory") == NONE);
	}
	EXPECT(TRY("mov %0, %%cr4", : : "r"(cr4 | 0x2000) : "memory") == 13);
	EXPECT(TRY("mov %0, %%cr4", : : "r"(cr4 | 0x4000) : "memory") == 13);
	if (TRY("mov %0, %%cr4", : : "r"(cr4 | 0x40000) : "memory") == NONE)
		r = try_xcr0();
	return r;
}

static u32 hypercall(u64 *rax)
{
	return intel ? TRY("vmcall",
			   : "+a"(*rax)
			   : "b"(dice()), "c"(dice()), "d"(dice()), "S"(dice()), "D"(dice())
			   : "memory")
		     : TRY("vmmcall",
			   : "+a"(*rax)
			   : "b"(dice()), "c"(dice()), "d"(dice()), "S"(dice()), "D"(dice())
			   : "memory");
}

static int do_hypercalls(void)
{
	for (u32 i = 0; i < 20000; i++) {
		u64 answer = i < 10000 ? i : dice();

		EXPECT(hypercall(&answer) == NONE);
		EXPECT(answer >= (u64)-4095); /* all fail: none is offered */
	}
	return 0;
}

/* --- MSRs --- */

static bool spared(u32 msr)
{
	/* EFER and the segment bases of our own; EFER is tried apart. */
	return msr == 0xc0000080 || msr == 0xc0000100 || msr == 0xc0000101;
}

/* Those of the paravirtual clock make the hypervisor write to memory: not where this code is. */
static u64 tame(u32 msr, u64 value)
{
	bool clock = msr == 0x11 || msr == 0x12 || (msr >> 8) == 0x4b564d;

	return clock ? value | 0x100000 : value;
}

static int try_msrs(u32 first, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		u64 value;
		u32 got = rdmsr(first + i, &value);

		EXPECT(got == NONE || got == 13);
		if (spared(first + i))
			continue;
		got = wrmsr(first + i, tame(first + i, dice()));
		EXPECT(got == NONE || got == 13);
		got = wrmsr(first + i, tame(first + i, dice() & 0xfff));
		EXPECT(got == NONE || got == 13);
		got = wrmsr(first + i, tame(first + i, dice() & 0x1fffff));
		EXPECT(got == NONE || got == 13);
		if (rdmsr(first + i, &value) == NONE)
			EXPECT(wrmsr(first + i, value) == NONE || vector == 13);
	}
	return 0;
}

static int do_msrs(void)
{
	int r = try_msrs(0, 0x2000);

	r |= try_msrs(0x40000000, 0x200);
	r |= try_msrs(0x4b564d00, 0x100);
	r |= try_msrs(0xc0000000, 0x2000);
	r |= try_msrs(0xc0010000, 0x2000);
	r |= try_msrs(0xfffffff0, 0x10);
	for (u32 i = 0; i < 2000; i++) {
		u32 got = wrmsr((u32)dice(), dice());

		EXPECT(got == NONE || got == 13);
	}
	return r;
}

/* What is never allowed, of registers that are. */
static int do_bad_values(void)
{
	u64 efer, value;

	EXPECT(rdmsr(0xc0000080, &efer) == NONE);
	EXPECT(wrmsr(0xc0000080, efer & ~UINT64_C(0x100)) == 13); /* LME under paging */
	EXPECT(wrmsr(0xc0000080, efer | UINT64_C(1) << 63) == 13);
	EXPECT(wrmsr(0xc0000080, efer | 2) == 13);
	EXPECT(rdmsr(0x277, &value) == NONE);
	EXPECT(wrmsr(0x277, (value & ~UINT64_C(0xff)) | 2) == 13); /* no such memory type */
	EXPECT(wrmsr(0x277, value | UINT64_C(8) << 56) == 13);
	EXPECT(TRY("xsetbv", : : "c"(0), "a"(0), "d"(0) : "memory") != NONE);
	EXPECT(TRY("xsetbv", : : "c"(0), "a"(5), "d"(0) : "memory") != NONE);
	EXPECT(TRY("xsetbv", : : "c"(7), "a"(1), "d"(0) : "memory") != NONE);
	EXPECT(TRY("xsetbv", : : "c"(0), "a"(1), "d"(0x80000000) : "memory") != NONE);
	EXPECT(TRY("rdpmc", : : "c"((u32)dice()) : "memory", "rax", "rdx") == 13);
	return 0;
}

/* --- control and debug registers: most values are the end --- */

static int do_controls(void)
{
	for (u32 i = 0; i < 200; i++) {
		u64 value = dice();

		switch (dice() % 7) {
		case 0: /* without what this code stands on */
			TRY("mov %0, %%cr4", : : "r"((value & 0x7fffff) | 0x20) : "memory");
			break;
		case 1:
			TRY("mov %0, %%cr4", : : "r"(value) : "memory");
			break;
		case 2:
			TRY("mov %0, %%cr0",
			    :
			    : "r"((value & ~UINT64_C(0xffffffff)) | 0x80000011)
			    : "memory");
			break;
		case 3:
			TRY("mov %0, %%cr0", : : "r"((value & 0x7fffffff) | 0x80000011) : "memory");
			break;
		case 4:
			TRY("mov %0, %%dr7", : : "r"(value & 0xffff) : "memory");
			break;
		case 5:
			TRY("mov %0, %%dr6", : : "r"(value) : "memory");
			break;
		default:
			TRY("mov %0, %%cr8", : : "r"(value % 20) : "memory");
			break;
		}
	}
	return 0;
}

static int do_cr8(void)
{
	u64 value;

	for (u64 i = 0; i < 16; i++) {
		EXPECT(TRY("mov %0, %%cr8", : : "r"(i) : "memory") == NONE);
		EXPECT(TRY("mov %%cr8, %0", : "=r"(value) : : "memory") == NONE);
		EXPECT(value == i);
	}
	EXPECT(TRY("mov %0, %%cr8", : : "r"(UINT64_C(16)) : "memory") == 13);
	EXPECT(TRY("mov %0, %%cr8", : : "r"(UINT64_MAX) : "memory") == 13);
	TRY("mov %0, %%cr8", : : "r"(UINT64_C(0)) : "memory");
	return 0;
}

/* One value that can be fatal each time. */
static int do_wild_cr0(void)
{
	TRY("mov %0, %%cr0", : : "r"(dice()) : "memory");
	TRY("mov %0, %%cr0", : : "r"(dice() & 0xffffffff) : "memory");
	return 0;
}

static int do_wild_cr3(void)
{
	TRY("mov %0, %%cr3", : : "r"(dice() & UINT64_C(0xfffffff000)) : "memory");
	return 0;
}

static int do_wild_efer(void)
{
	wrmsr(0xc0000080, dice());
	wrmsr(0xc0000080, dice() & 0xd01);
	return 0;
}

/* --- memory --- */

/* A window of 2 MiB at 1 GiB through the page tables, for any guest-physical address. */
#define WINDOW UINT64_C(0x40000000)
#define PD_1   ((volatile u64 *)0x4000)

static volatile u32 *look_at(u64 gpa)
{
	PD_1[0] = (gpa & ~UINT64_C(0x1fffff)) | 0x83;
	__asm__ volatile("invlpg (%0)" : : "r"(WINDOW) : "memory");
	return (volatile u32 *)(WINDOW + (gpa & 0x1fffff));
}

/* The pages that the port names are the hypervisor's, or nobody's: none of them is memory here. */
static int do_pages(void)
{
	u32 page;

	while ((page = in32(PORT_ORDER)) != 0) {
		volatile u32 *at = look_at((u64)page << 12);
		u32 value = 0;

		TRY("movl (%1), %0", : "=r"(value) : "r"(at + 3) : "memory");
		EXPECT(vector != NONE || value == MMIO_ANSWER);
		TRY("movl %0, (%1)", : : "r"(0x12345678), "r"(at + 3) : "memory");
		TRY("movl (%1), %0", : "=r"(value) : "r"(at + 3) : "memory");
		EXPECT(vector != NONE || value == MMIO_ANSWER);
	}
	return 0;
}

/* Instructions there; it may end here. */
static int do_fetch(void)
{
	volatile u32 *at = look_at((u64)in32(PORT_ORDER) << 12);

	TRY("call *%0", : : "r"(at) : "memory");
	return 0;
}

/* Page tables of its own in memory that is not there. */
static int do_tables(void)
{
	u64 page = in32(PORT_ORDER);

	PD_1[1] = page << 12 | 3; /* as a table of 4 KiB pages */
	__asm__ volatile("mov %%cr3, %%rax; mov %%rax, %%cr3" : : : "rax", "memory");
	TRY("movl (%0), %%eax", : : "r"(WINDOW + 0x200000) : "rax", "memory");
	TRY("movl %%eax, (%0)", : : "r"(WINDOW + 0x200000) : "memory");
	TRY("mov %0, %%cr3", : : "r"(page << 12) : "memory");
	TRY("nop", : : : "memory");
	return 0;
}

/* All of its own memory is there, can be written and executed. */
static int do_own(void)
{
	for (u64 gpa = 0x100000; gpa < RAM_BYTES; gpa += 4096) {
		volatile uint8_t *at = (volatile uint8_t *)gpa;

		at[0] = 0xc3; /* RET */
		EXPECT(TRY("call *%0", : : "r"(at) : "memory") == NONE);
		EXPECT(at[0] == 0xc3);
		at[0] = 0;
	}
	return 0;
}

/* --- ports --- */

static int do_ports(void)
{
	for (u32 port = 0; port < 0x10000; port++) {
		if (port >= PORT_FIRST && port <= PORT_LAST)
			continue;
		__asm__ volatile("inb %%dx, %%al; outb %%al, %%dx" : : "d"(port) : "rax");
		if (port < PORT_FIRST - 3 || port > PORT_LAST)
			__asm__ volatile("inw %%dx, %%ax; outw %%ax, %%dx; inl %%dx, %%eax;"
					 "outl %%eax, %%dx"
					 :
					 : "d"(port)
					 : "rax");
	}
	return 0;
}

/* Strings that cross pages and leave memory. */
static int do_port_strings(void)
{
	u64 at = RAM_BYTES - 6, count = 8;

	TRY("rep insb", : "+D"(at), "+c"(count) : "d"(0x300) : "memory");
	at = 0x100ffd;
	count = 4;
	EXPECT(TRY("rep insl", : "+D"(at), "+c"(count) : "d"(0x300) : "memory") == NONE);
	EXPECT(count == 0 && at == 0x10100d);
	at = 0x100ffd;
	count = 4;
	EXPECT(TRY("rep outsl", : "+S"(at), "+c"(count) : "d"(0x300) : "memory") == NONE);
	EXPECT(count == 0 && at == 0x10100d);
	at = UINT64_C(0x7fffffffffff);
	count = 4;
	EXPECT(TRY("rep outsw", : "+S"(at), "+c"(count) : "d"(0x300) : "memory") != NONE);
	at = UINT64_C(0x8000000000000000);
	EXPECT(TRY("outsb", : "+S"(at) : "d"(0x300) : "memory") != NONE);
	return 0;
}

/* --- memory-mapped devices --- */

static int do_mmio(void)
{
	u64 value = 0;

	EXPECT(TRY("movq (%1), %0", : "=r"(value) : "r"(DEVICE) : "memory") == NONE);
	EXPECT((u32)value == MMIO_ANSWER);
	/* Over the end of memory, both ways. */
	TRY("movq (%1), %0", : "=r"(value) : "r"(RAM_BYTES - 4) : "memory");
	TRY("movq %0, (%1)", : : "r"(value), "r"(RAM_BYTES - 3) : "memory");
	/* Over pages that lie elsewhere. */
	TRY("movq (%1), %0", : "=r"(value) : "r"(DEVICE + 0xffd) : "memory");
	TRY("movq %0, (%1)", : : "r"(value), "r"(DEVICE + 0x1ffffd) : "memory");
	TRY("lock addl $1, (%0)", : : "r"(DEVICE + 0xffe) : "memory");
	TRY("xchg %%rax, (%0)", : : "r"(DEVICE + 8) : "rax", "memory");
	TRY("fninit; fldl (%0)", : : "r"(DEVICE) : "memory");
	TRY("fxsave (%0)", : : "r"(DEVICE) : "memory");
	TRY("cmpxchg16b (%0)", : : "r"(DEVICE) : "rax", "rdx", "memory");
	TRY("lgdt (%0)", : : "r"(DEVICE) : "memory");
	return 0;
}

/* The instruction changes under the hypervisor's eyes: another CPU could do so; here the bytes of a
 * random instruction are put before each access. */
static int do_wild_mmio(void)
{
	for (u32 i = 0; i < 300; i++) {
		u64 words[2] = {dice(), dice()};

		for (u32 n = 0; n < 16; n++)
			((volatile uint8_t *)0x9f000)[n] = ((uint8_t *)words)[n];
		((volatile uint8_t *)0x9f000)[0] =
			(uint8_t) "\x8a\x8b\x88\x89\x0f\x01\x84\xa4\xa6\xff\xf7"
				  "\xd8\x66\xf0\x48\xc7"[i % 16];
		TRY("push %%rbp; call *%0; pop %%rbp",
		    :
		    : "r"(UINT64_C(0x9f000)), "a"(DEVICE), "b"(DEVICE + 8), "c"(1), "d"(0x300),
		      "S"(DEVICE + 16), "D"(DEVICE + 24)
		    : "memory", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15");
	}
	return 0;
}

/* --- code that is not what it was --- */

#define MOVED_LINEAR (WINDOW + 0x400000) /* of which PD_1[2] tells */
#define MOVED_PD     PD_1[2]
#define MOVED_TABLE  0x9a000ul
#define OTHER_TABLE  0x9b000ul

/* mov disp32(%rdi), %eax; ret */
static void put_load(u64 at, u32 offset)
{
	volatile uint8_t *code = (volatile uint8_t *)at;

	code[0] = 0x8b;
	code[1] = 0x87;
	*(volatile u32 *)(at + 2) = offset;
	code[6] = 0xc3;
}

static u32 load(u64 code, u64 device)
{
	u32 got;

	__asm__ volatile("call *%1" : "=a"(got) : "r"(code), "D"(device) : "memory");
	return got;
}

/* As often as it takes for all that can be known of it to be known. */
static bool loads(u64 code, u64 device, u32 offset)
{
	for (u32 i = 0; i < 3; i++) {
		if (load(code, device) != BUS_ANSWER(offset))
			return false;
	}
	return true;
}

static void command(u32 what)
{
	*(volatile u32 *)(BUS + BUS_COMMAND) = what;
}

static void map_linear(volatile u64 *entry, u64 value)
{
	*entry = value;
	__asm__ volatile("invlpg (%0)" : : "r"(MOVED_LINEAR) : "memory");
	__asm__ volatile("invlpg (%0)" : : "r"(MOVED_LINEAR + 0x1000) : "memory");
}

/* The same place holds another instruction, each time in another way. */
static int do_moved_code(void)
{
	volatile u64 *table = (volatile u64 *)MOVED_TABLE, *other = (volatile u64 *)OTHER_TABLE;

	for (u32 i = 0; i < 20; i++) { /* it is written */
		put_load(MOVED, 8 * i);
		EXPECT(loads(MOVED, BUS, 8 * i));
	}
	put_load(MOVED, 0x10);
	put_load(MOVED_TO, 0x20);
	map_linear(&MOVED_PD, MOVED_TABLE | 3);
	other[0] = MOVED_TO | 3;
	for (u32 i = 0; i < 4; i++) { /* its page is another: by the last table, by the one above */
		map_linear(&table[0], MOVED | 3);
		EXPECT(loads(MOVED_LINEAR, BUS, 0x10));
		map_linear(&table[0], MOVED_TO | 3);
		EXPECT(loads(MOVED_LINEAR, BUS, 0x20));
		map_linear(&table[0], MOVED | 3);
		EXPECT(loads(MOVED_LINEAR, BUS, 0x10));
		map_linear(&MOVED_PD, OTHER_TABLE | 3);
		EXPECT(loads(MOVED_LINEAR, BUS, 0x20));
		map_linear(&MOVED_PD, MOVED_TABLE | 3);
	}
	for (u32 i = 0; i < 4; i++) { /* its operand's page is another */
		map_linear(&table[1], BUS | 3);
		EXPECT(loads(MOVED, MOVED_LINEAR + 0x1000, 0x10));
		map_linear(&table[1], (BUS + 0x1000) | 3);
		EXPECT(loads(MOVED, MOVED_LINEAR + 0x1000, 0x1010));
	}
	for (u32 i = 0; i < 4; i++) { /* its memory is other memory */
		EXPECT(loads(MOVED, BUS, 0x10));
		command(COMMAND_MOVE);
		EXPECT(loads(MOVED, BUS, 0x20));
		command(COMMAND_BACK);
	}
	*(volatile u32 *)(MOVED_TO + 0x10) = 0x600d;
	for (u32 i = 0; i < 4; i++) { /* there is memory where the device was */
		EXPECT(loads(MOVED, BUS, 0x10));
		command(COMMAND_COVER);
		EXPECT(load(MOVED, BUS) == 0x600d);
		command(COMMAND_BARE);
	}
	EXPECT(loads(MOVED, BUS, 0x10));
	return 0;
}

/* --- what never ends by itself --- */

static int do_no_idt(void)
{
	static const struct __attribute__((packed)) {
		uint16_t limit;
		u64 base;
	} none = {0, 0};

	__asm__ volatile("lidt %0; ud2" : : "m"(none));
	return 1;
}

/* A handler that faults, over and over: no exit of its own accord. */
static int do_fault_loop(void)
{
	__asm__ volatile("movq $1f, resume_rip; movq %%rsp, resume_rsp; 1: ud2" : : : "memory");
	return 1;
}

/* #DB whose delivery writes to what is watched (the stack): APM2 15.12.2 names the endless loop. */
static int do_debug_loop(void)
{
	u64 stack;

	__asm__ volatile("mov %%rsp, %0" : "=r"(stack));
	__asm__ volatile("mov %0, %%dr0" : : "r"((stack & ~UINT64_C(15)) - 40));
	__asm__ volatile("movq $1f, resume_rip; movq %%rsp, resume_rsp; 1:\n\t"
			 "mov %0, %%dr7; push %0; ud2"
			 :
			 : "r"(UINT64_C(0x000d0003))
			 : "memory");
	return 1;
}

static int do_spin(void)
{
	__asm__ volatile("cli; 1: jmp 1b");
	return 1;
}

static int do_halt(void)
{
	__asm__ volatile("cli; hlt");
	return 0;
}

/* A stack that is not there: the fault becomes double, then the end. */
static int do_no_stack(void)
{
	__asm__ volatile("movabs $0x8000000000000000, %rsp; ud2");
	return 1;
}

/* The task register and tables of segments, at random. */
static int do_wild_segments(void)
{
	for (u32 i = 0; i < 100; i++) {
		u32 selector = (u32)dice() & 0xffff;

		switch (dice() % 5) {
		case 0:
			TRY("mov %0, %%ds", : : "r"(selector) : "memory");
			break;
		case 1:
			TRY("mov %0, %%gs", : : "r"(selector) : "memory");
			break;
		case 2:
			TRY("ltr %w0", : : "r"(selector) : "memory");
			break;
		case 3:
			TRY("lldt %w0", : : "r"(selector) : "memory");
			break;
		default:
			TRY("wrgsbase %0", : : "r"(dice()) : "memory");
			break;
		}
	}
	return 0;
}

/* Any bytes at all as instructions. */
static int do_wild_code(void)
{
	for (u32 i = 0; i < 200; i++) {
		for (u32 n = 0; n < 24; n += 8)
			*(volatile u64 *)(UINT64_C(0x9f000) + n) = dice();
		TRY("push %%rbp; call *%0; pop %%rbp",
		    :
		    : "r"(UINT64_C(0x9f000)), "a"(dice()), "b"(dice()), "c"(dice() & 3),
		      "d"(dice() & 0xff00), "S"(dice() & 0x1fffff), "D"(0x180000)
		    : "memory", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15");
	}
	return 0;
}

static int (*const cases[])(void) = {
	[CASE_SVM] = do_svm,
	[CASE_VMX] = do_vmx,
	[CASE_FIXED_BITS] = do_fixed_bits,
	[CASE_HYPERCALLS] = do_hypercalls,
	[CASE_MSRS] = do_msrs,
	[CASE_BAD_VALUES] = do_bad_values,
	[CASE_CONTROLS] = do_controls,
	[CASE_CR8] = do_cr8,
	[CASE_WILD_CR0] = do_wild_cr0,
	[CASE_WILD_CR3] = do_wild_cr3,
	[CASE_WILD_EFER] = do_wild_efer,
	[CASE_PAGES] = do_pages,
	[CASE_FETCH] = do_fetch,
	[CASE_TABLES] = do_tables,
	[CASE_OWN] = do_own,
	[CASE_PORTS] = do_ports,
	[CASE_PORT_STRINGS] = do_port_strings,
	[CASE_MMIO] = do_mmio,
	[CASE_WILD_MMIO] = do_wild_mmio,
	[CASE_NO_IDT] = do_no_idt,
	[CASE_FAULT_LOOP] = do_fault_loop,
	[CASE_DEBUG_LOOP] = do_debug_loop,
	[CASE_SPIN] = do_spin,
	[CASE_HALT] = do_halt,
	[CASE_NO_STACK] = do_no_stack,
	[CASE_WILD_SEGMENTS] = do_wild_segments,
	[CASE_WILD_CODE] = do_wild_code,
	[CASE_MOVED_CODE] = do_moved_code,
};

void guest_main(void)
{
	u32 what = in32(PORT_ORDER);

	find_vendor();
	state = UINT64_C(0x9e3779b97f4a7c15) ^ in32(PORT_ORDER);
	out8(PORT_END, what < CASES ? (uint8_t)cases[what]() : 1);
	for (;;)
		__asm__ volatile("cli; hlt");
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
// The embedder's part in the tests of processor state, MSRs, CPUID and debugging.
#include <inttypes.h>
#include <string.h>

#include "guest.h"
#include "scripts.h"

static bool get(struct run *run, uint32_t cls, uint32_t index, void *buf, size_t size)
{
	return must(run, "vmm_vcpu_get_state",
		    vmm_vcpu_get_state(run->cpu[0].vcpu, cls, index, buf, size));
}

static bool set(struct run *run, uint32_t cls, uint32_t index, const void *buf, size_t size)
{
	return must(run, "vmm_vcpu_set_state",
		    vmm_vcpu_set_state(run->cpu[0].vcpu, cls, index, buf, size));
}

/* --- CPUID --- */

void configure_cpuid(struct run *run)
{
	struct vmm_x86_cpuid entries[256];
	uint32_t count = 255;
	if (!must(run, "vmm_x86_cpu_model",
		  vmm_x86_cpu_model(run->ctx, run->engine, run->model ? run->model : "host",
				    entries, &count)))
		return;
	for (uint32_t i = 0; i < count; i++)
		if (entries[i].leaf == 1)
			entries[i].ebx = (entries[i].ebx & 0x00ffffff) | UINT32_C(0x2a) << 24;
	/* Beyond the paravirtual leaves and of no standard's. */
	entries[count++] = (struct vmm_x86_cpuid){
		.leaf = 0x4fff0000,
		.subleaf = 1,
		.flags = VMM_X86_CPUID_SUBLEAF,
		.eax = 0x11111111,
		.ebx = 0x22222222,
		.ecx = 0x33333333,
		.edx = 0x44444444,
	};
	must(run, "vmm_vcpu_x86_set_cpuid",
	     vmm_vcpu_x86_set_cpuid(run->cpu[0].vcpu, entries, count));
}

/* --- MSRs --- */

#define MSR_MINE UINT32_C(0xc0de0000)
#define MSR_PAT  UINT32_C(0x277)

void configure_msr(struct run *run)
{
	static const struct vmm_x86_filter filters[] = {
		{MSR_MINE, 16, VMM_FILTER_READ | VMM_FILTER_WRITE, VMM_FILTER_EXIT},
		{MSR_PAT, 1, VMM_FILTER_READ | VMM_FILTER_WRITE, VMM_FILTER_DENY},
	};
	must(run, "vmm_vm_x86_filter_msrs",
	     vmm_vm_x86_filter_msrs(run->vm, filters, sizeof(filters) / sizeof(filters[0])));
}

void script_msr(struct run *run)
{
	struct vmm_exit *exit = &run->cpu[0].exit;
	while (next(&run->cpu[0]) == VMM_EXIT_MSR) {
		if (exit->addr == MSR_MINE + 2 || exit->addr == MSR_MINE + 3) {
			exit->flags |= VMM_EXIT_F_FAIL;
			note(run, "refused");
		}
	}
}

/* --- life --- */

void script_reset(struct run *run)
{
	if (!play_until(run, VMM_EXIT_PORT, 0x80))
		return;
	/* With the exit pending, and after the guest has made a mess. */
	if (!must(run, "vmm_vm_reset", vmm_vm_reset(run->vm)))
		return;
	play(run);
}

void script_triple(struct run *run)
{
	play(run);
	outcome(run, "vmm_vm_reset", vmm_vm_reset(run->vm));
	if (enter_mode(run, run->test->mode))
		play(run);
}

/* --- XSAVE components --- */

struct sse {
	uint32_t mxcsr;
	uint32_t mxcsr_mask;
	uint64_t xmm[16][2];
};
_Static_assert(sizeof(struct sse) <= VMM_X86_XSAVE_SSE_SIZE, "SSE component");

/* SDM 1 table 10-2, closed up: FCW at 0, FSW at 2; ST0 from 24 on, 16 bytes each. */
#define X87_FCW 0
#define X87_ST0 24

void script_sse(struct run *run)
{
	unsigned char x87[VMM_X86_XSAVE_X87_SIZE];
	unsigned char sse_bytes[VMM_X86_XSAVE_SSE_SIZE];
	if (!play_until(run, VMM_EXIT_HLT, 0) ||
	    !get(run, VMM_STATE_X86_XSAVE, 0, x87, sizeof(x87)) ||
	    !get(run, VMM_STATE_X86_XSAVE, 1, sse_bytes, sizeof(sse_bytes)))
		return;
	struct sse sse;
	memcpy(&sse, sse_bytes, sizeof(sse));
	note(run, "fcw 0x%x, mxcsr 0x%" PRIx32, x87[X87_FCW] | (unsigned)x87[X87_FCW + 1] << 8,
	     sse.mxcsr);
	note(run, "xmm0 0x%" PRIx64 ", xmm1 0x%" PRIx64 ", xmm15 0x%" PRIx64 " 0x%" PRIx64,
	     sse.xmm[0][0], sse.xmm[1][0], sse.xmm[15][1], sse.xmm[15][0]);
	/* ST0 is 1.0: significand 1 << 63, exponent 0x3fff. Make it 8.0. */
	note(run, "st0 exponent 0x%x", x87[X87_ST0 + 8] | (unsigned)x87[X87_ST0 + 9] << 8);
	x87[X87_ST0 + 8] = 0x02;
	x87[X87_ST0 + 9] = 0x40;
	sse.xmm[0][0] = UINT64_C(0x1234);
	sse.xmm[15][1] = UINT64_C(0x5678);
	sse.mxcsr = 0x1f80;
	memcpy(sse_bytes, &sse, sizeof(sse));
	if (set(run, VMM_STATE_X86_XSAVE, 0, x87, sizeof(x87)) &&
	    set(run, VMM_STATE_X86_XSAVE, 1, sse_bytes, sizeof(sse_bytes)))
		play(run);
}

void script_avx(struct run *run)
{
	uint64_t ymm_high[16][2];
	if (!play_until(run, VMM_EXIT_HLT, 0) ||
	    !get(run, VMM_STATE_X86_XSAVE, 2, ymm_high, sizeof(ymm_high)))
		return;
	note(run, "ymm3 high 0x%" PRIx64 " 0x%" PRIx64, ymm_high[3][1], ymm_high[3][0]);
	ymm_high[3][0] = UINT64_C(0x9999);
	if (set(run, VMM_STATE_X86_XSAVE, 2, ymm_high, sizeof(ymm_high)))
		play(run);
}

/* --- time --- */

void script_tsc(struct run *run)
{
	struct vmm_x86_tsc tsc;
	if (!play_until(run, VMM_EXIT_HLT, 0) || !get(run, VMM_STATE_X86_TSC, 0, &tsc, sizeof(tsc)))
		return;
	note(run, "frequency %s", tsc.khz ? "known" : "not known");
	tsc.value = UINT64_C(0x200) << 44;
	tsc.khz = 0;
	if (!set(run, VMM_STATE_X86_TSC, 0, &tsc, sizeof(tsc)) ||
	    !play_until(run, VMM_EXIT_HLT, 0) || !get(run, VMM_STATE_X86_TSC, 0, &tsc, sizeof(tsc)))
		return;
	note(run, "as the guest wrote, in 2^44: 0x%" PRIx64, tsc.value >> 44);
	play(run);
}

/* --- all classes --- */

static void note_known_state(struct run *run)
{
	struct vmm_x86_regs r;
	struct vmm_x86_sys s;
	struct vmm_x86_debug_regs d;
	struct vmm_x86_msr msr[2] = {{.index = 0x277}, {.index = 0xc0000101}};
	struct vmm_x86_mp mp;
	if (!get(run, VMM_STATE_X86_REGS, 0, &r, sizeof(r)) ||
	    !get(run, VMM_STATE_X86_SYS, 0, &s, sizeof(s)) ||
	    !get(run, VMM_STATE_X86_DEBUG, 0, &d, sizeof(d)) ||
	    !get(run, VMM_STATE_X86_MSRS, 0, msr, sizeof(msr)) ||
	    !get(run, VMM_STATE_X86_MP, 0, &mp, sizeof(mp)))
		return;
	note(run,
	     "rax-rbp %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64
	     " %" PRIx64,
	     r.rax, r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rbp);
	note(run,
	     "r8-r15 %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64
	     " %" PRIx64 " %" PRIx64,
	     r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15);
	note(run, "rsp %" PRIx64 " rflags %" PRIx64, r.rsp, r.rflags & 0xcff);
	note(run, "cs %x base %" PRIx64 " limit %" PRIx32 " attr %" PRIx32, (unsigned)s.cs.selector,
	     s.cs.base, s.cs.limit, s.cs.attr);
	note(run, "gs %x base %" PRIx64 " limit %" PRIx32 " attr %" PRIx32, (unsigned)s.gs.selector,
	     s.gs.base, s.gs.limit, s.gs.attr);
	note(run, "cr0 %" PRIx64 " cr2 %" PRIx64 " cr3 %" PRIx64 " cr4 %" PRIx64 " cr8 %" PRIx64,
	     s.cr0, s.cr2, s.cr3, s.cr4, s.cr8);
	note(run, "efer %" PRIx64 " gdt %" PRIx64 " %x idt %" PRIx64 " %x tr %x", s.efer,
	     s.gdt.base, (unsigned)s.gdt.limit, s.idt.base, (unsigned)s.idt.limit,
	     (unsigned)s.tr.selector);
	note(run, "dr2 %" PRIx64 ", pat %" PRIx64 ", gs base %" PRIx64, d.dr[2], msr[0].value,
	     msr[1].value);
	note(run, "mp state %" PRIu32, mp.state);
}

/* What is read can be written, and reads the same again. */
static void round_trip(struct run *run, const char *name, uint32_t cls, uint32_t index)
{
	unsigned char before[4096], after[4096];
	size_t size;
	memset(before, 0xa5, sizeof(before));
	memset(after, 0x5a, sizeof(after));
	if (!must(run, "vmm_vcpu_state_size",
		  vmm_vcpu_state_size(run->cpu[0].vcpu, cls, index, &size)) ||
	    size > sizeof(before) || !get(run, cls, index, before, size) ||
	    !set(run, cls, index, before, size) || !get(run, cls, index, after, size))
		return;
	note(run, "%s: %s", name, memcmp(before, after, size) ? "differs" : "round trip");
}

static void refuse_bad_calls(struct run *run)
{
	struct vmm_vcpu *vcpu = run->cpu[0].vcpu;
	struct vmm_x86_regs regs;
	struct vmm_x86_lapic lapic;
	unsigned char byte;
	outcome(run, "too small", vmm_vcpu_get_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, 8));
	outcome(run, "no such class", vmm_vcpu_get_state(vcpu, 0x9999, 0, &regs, sizeof(regs)));
	outcome(run, "no such component",
		vmm_vcpu_get_state(vcpu, VMM_STATE_X86_XSAVE, 63, &byte, 1));
	outcome(run, "no local APIC",
		vmm_vcpu_get_state(vcpu, VMM_STATE_X86_LAPIC, 0, &lapic, sizeof(lapic)));
}

static void round_trip_msrs(struct run *run)
{
	uint32_t list[512];
	uint32_t count = sizeof(list) / sizeof(list[0]);
	if (!must(run, "vmm_vm_x86_msr_list", vmm_vm_x86_msr_list(run->vm, list, &count)))
		return;
	uint32_t bad = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct vmm_x86_msr msr = {.index = list[i]};
		struct vmm_vcpu *vcpu = run->cpu[0].vcpu;
		if (vmm_vcpu_get_state(vcpu, VMM_STATE_X86_MSRS, 0, &msr, sizeof(msr)) ||
		    vmm_vcpu_set_state(vcpu, VMM_STATE_X86_MSRS, 0, &msr, sizeof(msr))) {
			note(run, "MSR 0x%" PRIx32 ": no round trip", list[i]);
			bad++;
		}
	}
	note(run, "MSRs listed: %s, without a round trip: %" PRIu32, count ? "some" : "none", bad);
}

static void change_state(struct run *run)
{
	struct vmm_x86_regs r;
	struct vmm_x86_sys s;
	struct vmm_x86_debug_regs d;
	struct vmm_x86_msr pat = {.index = 0x277, .value = UINT64_C(0x0007040600070406)};
	uint64_t mark = UINT64_C(0xabcdef);
	if (!get(run, VMM_STATE_X86_REGS, 0, &r, sizeof(r)) ||
	    !get(run, VMM_STATE_X86_SYS, 0, &s, sizeof(s)) ||
	    !get(run, VMM_STATE_X86_DEBUG, 0, &d, sizeof(d)))
		return;
	r.rax = UINT64_C(0x1111222233334444);
	r.rcx = UINT64_C(0x5555666677778888);
	r.r15 = UINT64_C(0x9999aaaabbbbcccc);
	r.rflags &= ~UINT64_C(1);
	s.cr2 = UINT64_C(0x6000);
	s.cr8 = 3;
	s.gs.base = SCRATCH + 0x40;
	d.dr[2] = UINT64_C(0x7000);
	must(run, "vmm_vm_write", vmm_vm_write(run->vm, SCRATCH + 0x48, &mark, sizeof(mark)));
	set(run, VMM_STATE_X86_REGS, 0, &r, sizeof(r));
	set(run, VMM_STATE_X86_SYS, 0, &s, sizeof(s));
	set(run, VMM_STATE_X86_DEBUG, 0, &d, sizeof(d));
	set(run, VMM_STATE_X86_MSRS, 0, &pat, sizeof(pat));
}

/* Complete the pending exit, with all its elements. */
static void complete(struct run *run)
{
	struct cpu *cpu = &run->cpu[0];
	int rc = vmm_vcpu_complete(cpu->vcpu, &cpu->exit);
	while (rc == -VMM_EPENDING) {
		cpu->exit.data = answer(run->answers++);
		note(run, "next element: %" PRIu32 " at 0x%" PRIx64 " -> 0x%" PRIx64,
		     cpu->exit.width, cpu->exit.addr, cpu->exit.data);
		rc = vmm_vcpu_complete(cpu->vcpu, &cpu->exit);
	}
	outcome(run, "vmm_vcpu_complete", rc);
}

void script_state(struct run *run)
{
	struct vmm_x86_regs r;
	struct cpu *cpu = &run->cpu[0];
	if (!play_until(run, VMM_EXIT_HLT, 0))
		return;
	outcome(run, "nothing to complete", vmm_vcpu_complete(cpu->vcpu, &cpu->exit));
	note_known_state(run);
	round_trip(run, "REGS", VMM_STATE_X86_REGS, 0);
	round_trip(run, "SYS", VMM_STATE_X86_SYS, 0);
	round_trip(run, "DEBUG", VMM_STATE_X86_DEBUG, 0);
	round_trip(run, "XSAVE 0", VMM_STATE_X86_XSAVE, 0);
	round_trip(run, "XSAVE 1", VMM_STATE_X86_XSAVE, 1);
	round_trip(run, "EVENTS", VMM_STATE_X86_EVENTS, 0);
	round_trip(run, "MP", VMM_STATE_X86_MP, 0);
	round_trip_msrs(run);
	refuse_bad_calls(run);
	change_state(run);

	if (!play_until(run, VMM_EXIT_PORT, 0x80))
		return;
	outcome(run, "get while pending",
		vmm_vcpu_get_state(cpu->vcpu, VMM_STATE_X86_REGS, 0, &r, sizeof(r)));
	outcome(run, "set while pending",
		vmm_vcpu_set_state(cpu->vcpu, VMM_STATE_X86_REGS, 0, &r, sizeof(r)));
	complete(run);
	if (!get(run, VMM_STATE_X86_REGS, 0, &r, sizeof(r)))
		return;
	note(run, "al 0x%" PRIx64, r.rax & 0xff);
	r.rax = 0x4242;
	set(run, VMM_STATE_X86_REGS, 0, &r, sizeof(r));

	if (!play_until(run, VMM_EXIT_PORT, 0x81))
		return;
	complete(run);
	if (!get(run, VMM_STATE_X86_REGS, 0, &r, sizeof(r)))
		return;
	r.rip = 0x8400;
	set(run, VMM_STATE_X86_REGS, 0, &r, sizeof(r));
	if (!play_until(run, VMM_EXIT_MMIO, MMIO_BASE))
		return;
	complete(run);
	play(run);
}

/* --- debugging --- */

static bool debug(struct run *run, const struct vmm_debug_config *config)
{
	return must(run, "vmm_vcpu_debug", debug_vcpu(run, config));
}

void script_debug(struct run *run)
{
	const struct vmm_debug_config off = {.size = sizeof(off)};
	const struct vmm_debug_config step = {.size = sizeof(step), .flags = VMM_DEBUG_SINGLE_STEP};
	struct vmm_debug_config hard = {
		.size = sizeof(hard),
		.count = 2,
		.breakpoints = {{.gva = 0x8160, .kind = VMM_BREAK_EXEC, .len = 1},
				{.gva = SCRATCH, .kind = VMM_BREAK_WRITE, .len = 4}},
	};
	if (!play_until(run, VMM_EXIT_PORT, 0x80))
		return;
	outcome(run, "vmm_vcpu_debug while pending", vmm_vcpu_debug(run->cpu[0].vcpu, &step));
	outcome(run, "vmm_vcpu_complete", vmm_vcpu_complete(run->cpu[0].vcpu, &run->cpu[0].exit));
	if (!debug(run, &step))
		return;
	note(run, "steps:");
	if (!play_until(run, VMM_EXIT_PORT, 0x81) || next(&run->cpu[0]) != VMM_EXIT_DEBUG)
		return;
	note(run, "address breakpoints:");
	if (!debug(run, &hard) || !play_until(run, VMM_EXIT_DEBUG, 0))
		return;
	hard.breakpoints[0] = hard.breakpoints[1];
	hard.count = 1;
	if (!debug(run, &hard) || !play_until(run, VMM_EXIT_DEBUG, 0))
		return;
	if (!play_until(run, VMM_EXIT_PORT, 0x83))
		return;
	outcome(run, "vmm_vcpu_complete", vmm_vcpu_complete(run->cpu[0].vcpu, &run->cpu[0].exit));
	if (debug(run, &off))
		play(run);
}

void script_breakpoint(struct run *run)
{
	const struct vmm_debug_config off = {.size = sizeof(off)};
	const struct vmm_debug_config on = {.size = sizeof(on), .flags = VMM_DEBUG_SW_BREAK};
	struct cpu *cpu = &run->cpu[0];
	struct vmm_x86_regs r;
	if (!play_until(run, VMM_EXIT_PORT, 0x80))
		return;
	outcome(run, "vmm_vcpu_complete", vmm_vcpu_complete(cpu->vcpu, &cpu->exit));
	if (!debug(run, &on) || !play_until(run, VMM_EXIT_DEBUG, 0) ||
	    !get(run, VMM_STATE_X86_REGS, 0, &r, sizeof(r)))
		return;
	note(run, "rip 0x%" PRIx64, r.rip);
	r.rip++;
	if (!set(run, VMM_STATE_X86_REGS, 0, &r, sizeof(r)) ||
	    !play_until(run, VMM_EXIT_PORT, 0x81))
		return;
	outcome(run, "vmm_vcpu_complete", vmm_vcpu_complete(cpu->vcpu, &cpu->exit));
	if (debug(run, &off))
		play(run);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "x86_reset.h"

#include "endian.h"
#include "mem.h"

void vmm__x86_reset_regs(struct vmm_x86_regs *regs, uint32_t signature)
{
	memset(regs, 0, sizeof(*regs));
	regs->rdx = signature;
	regs->rip = 0xfff0;
	regs->rflags = 2;
}

static struct vmm_x86_segment segment(uint16_t selector, uint64_t base, uint32_t attr)
{
	return (struct vmm_x86_segment){
		.base = base,
		.limit = 0xffff,
		.attr = attr | VMM_X86_SEG_P,
		.selector = selector,
	};
}

void vmm__x86_reset_sys(struct vmm_x86_sys *sys, uint32_t bsp, uint32_t xsave, uint32_t apic)
{
	/* Type 3: data, read/write, accessed; 11: code, or a busy 32-bit TSS; 2: LDT. */
	struct vmm_x86_segment data = segment(0, 0, VMM_X86_SEG_S | VMM_X86_SEG_TYPE(3));

	memset(sys, 0, sizeof(*sys));
	sys->cs = segment(0xf000, 0xffff0000, VMM_X86_SEG_S | VMM_X86_SEG_TYPE(11));
	sys->ds = sys->es = sys->fs = sys->gs = sys->ss = data;
	sys->tr = segment(0, 0, VMM_X86_SEG_TYPE(11));
	sys->ldt = segment(0, 0, VMM_X86_SEG_TYPE(2));
	sys->gdt.limit = sys->idt.limit = 0xffff;
	sys->cr0 = 0x60000010; /* CD, NW, ET */
	sys->xcr0 = xsave ? 1 : 0;
	if (apic)
		sys->apic_base =
			X86_APIC_BASE | X86_APIC_BASE_ENABLE | (bsp ? X86_APIC_BASE_BSP : 0);
}

void vmm__x86_reset_debug(struct vmm_x86_debug_regs *debug)
{
	memset(debug, 0, sizeof(*debug));
	debug->dr6 = 0xffff0ff0;
	debug->dr7 = 0x400;
}

void vmm__x86_reset_x87(uint8_t x87[VMM_X86_XSAVE_X87_SIZE])
{
	memset(x87, 0, VMM_X86_XSAVE_X87_SIZE);
	vmm__put_le16(x87, 0x40); /* FCW */
	x87[4] = 0xff;            /* FTW 0x5555 in its abridged form: nothing is empty */
}

void vmm__x86_reset_sse(uint8_t sse[VMM_X86_XSAVE_SSE_SIZE])
{
	memset(sse, 0, VMM_X86_XSAVE_SSE_SIZE);
	vmm__put_le32(sse, 0x1f80); /* MXCSR */
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * What an entry looks at, field by field (SDM 3C 27.2 and 27.3), as far as this engine's guests can
 * get it wrong: where the processor only says that something is, this says what.
 */
#include "vmx_engine.h"
#include "x86_paging.h"

#define RFLAGS_BAD (BITS(63, 22) | BIT(15) | BIT(5) | BIT(3))

/* Access rights: 25.4.1 */
#define AR_TYPE BITS(3, 0)
#define AR_S    BIT(4)
#define AR_P    BIT(7)
#define AR_ZERO (BITS(31, 17) | BITS(11, 8))
#define AR_G    BIT(15)

static bool canonical(uint64_t va)
{
	return (uint64_t)((int64_t)(va << 16) >> 16) == va ||
	       (uint64_t)((int64_t)(va << 7) >> 7) == va;
}

/* A.3 to A.5: the low half must be set, what is not in the high half must be clear. */
static bool control_bad(uint32_t field, uint32_t msr)
{
	uint64_t allowed = vmm__native_rdmsr(msr), value = vmm__vmx_read(field);

	return (allowed & UINT32_MAX & ~value) != 0 || (value & ~(allowed >> 32)) != 0;
}

/* 27.2.1 */
static const char *check_controls(void)
{
	if (control_bad(VMX_PIN, VMX_MSR_TRUE_PIN))
		return "pin-based controls";
	if (control_bad(VMX_PROC, VMX_MSR_TRUE_PROC))
		return "processor-based controls";
	if (control_bad(VMX_PROC2, VMX_MSR_PROC2))
		return "secondary controls";
	if (control_bad(VMX_EXIT, VMX_MSR_TRUE_EXIT))
		return "exit controls";
	if (control_bad(VMX_ENTRY, VMX_MSR_TRUE_ENTRY))
		return "entry controls";
	if (vmm__vmx_read(VMX_VPID) == 0)
		return "VPID";
	if ((vmm__vmx_read(VMX_EPTP) & 7) != VMX_EPTP_WB)
		return "EPTP";
	if ((vmm__vmx_read(VMX_IO_BITMAP_A) | vmm__vmx_read(VMX_IO_BITMAP_B) |
	     vmm__vmx_read(VMX_MSR_BITMAP)) &
	    0xfff)
		return "bitmaps' addresses";
	return NULL;
}

/* 27.2.2, 27.2.3 */
static const char *check_host(void)
{
	if (!canonical(vmm__vmx_read(VMX_HOST_FS_BASE)) ||
	    !canonical(vmm__vmx_read(VMX_HOST_GS_BASE)) ||
	    !canonical(vmm__vmx_read(VMX_HOST_TR_BASE)))
		return "host's FS, GS or TR base";
	if (vmm__vmx_read(VMX_HOST_CS) == 0 || vmm__vmx_read(VMX_HOST_TR) == 0)
		return "host's CS or TR";
	if ((vmm__vmx_read(VMX_HOST_CS) | vmm__vmx_read(VMX_HOST_SS) | vmm__vmx_read(VMX_HOST_TR)) &
	    7)
		return "host's selectors";
	return NULL;
}

/* 27.3.1.1 */
static const char *check_registers(void)
{
	uint64_t cr0 = vmm__vmx_read(VMX_GUEST_CR0), cr4 = vmm__vmx_read(VMX_GUEST_CR4);
	uint64_t efer = vmm__vmx_read(VMX_GUEST_EFER);
	uint64_t fixed0 = vmm__native_rdmsr(VMX_MSR_CR0_FIXED0) & ~(X86_CR0_PE | X86_CR0_PG);
	bool ia32e = (vmm__vmx_read(VMX_ENTRY) & VMX_ENTRY_IA32E) != 0;
	bool paging = (cr0 & X86_CR0_PG) != 0;

	if ((fixed0 & ~cr0) || (cr0 & ~vmm__native_rdmsr(VMX_MSR_CR0_FIXED1)) ||
	    (paging && !(cr0 & X86_CR0_PE)))
		return "CR0";
	if ((vmm__native_rdmsr(VMX_MSR_CR4_FIXED0) & ~cr4) ||
	    (cr4 & ~vmm__native_rdmsr(VMX_MSR_CR4_FIXED1)) || (!ia32e && (cr4 & X86_CR4_PCIDE)))
		return "CR4";
	if (ia32e && (!paging || !(cr4 & X86_CR4_PAE)))
		return "IA-32e mode without paging";
	if (vmm__vmx_read(VMX_GUEST_CR3) & BITS(63, 52))
		return "CR3";
	if (vmm__vmx_read(VMX_GUEST_DR7) >> 32 != 0)
		return "DR7";
	if (!canonical(vmm__vmx_read(VMX_GUEST_SYSENTER_ESP)) ||
	    !canonical(vmm__vmx_read(VMX_GUEST_SYSENTER_EIP)))
		return "IA32_SYSENTER_ESP or _EIP";
	if (((efer & X86_EFER_LMA) != 0) != ia32e ||
	    (paging && ((efer & X86_EFER_LME) != 0) != ia32e))
		return "IA32_EFER";
	return NULL;
}

/* 27.3.1.2: any limit with its granularity, and rights that do not exist. */
static bool rights_bad(uint64_t ar, uint64_t limit)
{
	return (ar & AR_ZERO) || !(ar & AR_P) || ((limit & 0xfff) != 0xfff && (ar & AR_G)) ||
	       (limit >> 20 != 0 && !(ar & AR_G));
}

static const char *check_v86(void)
{
	for (uint32_t i = 0; i < 6; i++) {
		if (vmm__vmx_read(VMX_GUEST_BASE + 2 * i) != vmm__vmx_read(VMX_GUEST_ES + 2 * i)
								     << 4 ||
		    vmm__vmx_read(VMX_GUEST_LIMIT + 2 * i) != 0xffff ||
		    vmm__vmx_read(VMX_GUEST_ACCESS + 2 * i) != 0xf3)
			return "a segment in virtual-8086 mode";
	}
	return NULL;
}

static const char *check_segments(void)
{
	static const char *const names[8] = {"ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR"};
	uint64_t cs = vmm__vmx_read(VMX_GUEST_CS_AR);

	if (vmm__vmx_read(VMX_GUEST_RFLAGS) & X86_RFLAGS_VM)
		return check_v86();
	if (cs & VMX_AR_UNUSABLE)
		return "CS";
	if ((vmm__vmx_read(VMX_ENTRY) & VMX_ENTRY_IA32E) && (cs & VMX_AR_L) && (cs & VMX_AR_DB))
		return "CS";
	for (uint32_t i = 0; i < 8; i++) {
		uint64_t ar = vmm__vmx_read(VMX_GUEST_ACCESS + 2 * i);
		uint32_t type = (uint32_t)FIELD_GET(AR_TYPE, ar);
		bool system = i >= 6;

		if (i == 7 && (ar & VMX_AR_UNUSABLE))
			return "TR";
		if (ar & VMX_AR_UNUSABLE)
			continue;
		if (rights_bad(ar, vmm__vmx_read(VMX_GUEST_LIMIT + 2 * i)) ||
		    ((ar & AR_S) == 0) != system)
			return names[i];
		if ((i < 6 && !(type & 1)) || (i == 2 && type != 3 && type != 7) ||
		    (i == 6 && type != 2) || (i == 7 && type != 3 && type != 11))
			return names[i];
	}
	return NULL;
}

/* 27.3.1.4, 27.3.1.5 */
static const char *check_rest(void)
{
	uint64_t rflags = vmm__vmx_read(VMX_GUEST_RFLAGS);
	uint64_t blocking = vmm__vmx_read(VMX_GUEST_BLOCKING);
	uint64_t event = vmm__vmx_read(VMX_ENTRY_EVENT);
	uint64_t shadow = blocking & (VMX_BLOCK_STI | VMX_BLOCK_MOV_SS);
	bool interrupt = (event & VMX_EVENT_V) && FIELD_GET(VMX_EVENT_TYPE, event) == 0;
	bool nmi = (event & VMX_EVENT_V) && FIELD_GET(VMX_EVENT_TYPE, event) == VMX_EVENT_NMI;

	if ((rflags & RFLAGS_BAD) || !(rflags & 2) || (interrupt && !(rflags & X86_RFLAGS_IF)))
		return "RFLAGS";
	if (vmm__vmx_read(VMX_GUEST_ACTIVITY) > VMX_ACTIVITY_HLT)
		return "activity state";
	if (shadow == (VMX_BLOCK_STI | VMX_BLOCK_MOV_SS) ||
	    ((blocking & VMX_BLOCK_STI) && !(rflags & X86_RFLAGS_IF)) || (interrupt && shadow) ||
	    (nmi && (blocking & (VMX_BLOCK_MOV_SS | VMX_BLOCK_NMI))))
		return "interruptibility";
	if (shadow && ((rflags & X86_RFLAGS_TF) != 0) !=
			      ((vmm__vmx_read(VMX_GUEST_PENDING) & VMX_PENDING_BS) != 0))
		return "pending debug exceptions";
	if (vmm__vmx_read(VMX_LINK) != UINT64_MAX)
		return "link pointer";
	return NULL;
}

const char *vmm__vmx_check(void)
{
	const char *(*const checks[])(void) = {check_controls, check_host, check_registers,
					       check_segments, check_rest};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		const char *field = checks[i]();

		if (field)
			return field;
	}
	return NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What C and vmx_world.S share. */
#ifndef VMM_VMX_WORLD_H
#define VMM_VMX_WORLD_H

#include "native_world.h"

/* The block's virtual address; physical ones of the VMCS and of the VMXON region. */
#define VMX_OWN_BLOCK 0
#define VMX_OWN_VMCS  1
#define VMX_OWN_VMXON 2

/* Of the block: RAX and CR2 are not in the VMCS. */
#define VMX_B_RAX 0x5f8
#define VMX_B_CR2 0x640

#ifndef __ASSEMBLER__

/* What vmm__vmx_host() tells. */
struct vmm__vmx_table {
	uint16_t pad[3], limit;
	uint64_t base;
};
struct vmm__vmx_host {
	uint64_t cr0, cr3, cr4;
	uint16_t es, cs, ss, ds, fs, gs, tr, pad;
	struct vmm__vmx_table gdt, idt;
};
_Static_assert(sizeof(struct vmm__vmx_host) == 72, "vmx_world.S");

/* VMX_RAN: the guest has run, and why it stopped is in the VMCS. VMX_REQUEST: there is a request.
 * VMX_FAILED: VMLAUNCH or VMRESUME has failed. VMX_NMI: one has come on the way, and is the host's;
 * nothing has happened. */
#define VMX_REQUEST 0
#define VMX_RAN     1
#define VMX_FAILED  2
#define VMX_NMI     3
VMM__SYSV int vmm__vmx_enter(struct vmm__native_world *world, uint64_t launched,
			     const struct vmm__vmx_table idts[2]);
/* Where NMIs go on the way, by idts[0]. */
VMM__SYSV void vmm__vmx_nmi_gate(void);
/* Where exits go. */
VMM__SYSV void vmm__vmx_exit_point(void);

/* Make the CPU the world's: out of VMX operation for whom it was before, if anybody, and into it.
 * 0: it refuses. */
VMM__SYSV int vmm__vmx_attach(struct vmm__native_world *world);
/* Out of VMX operation, if the CPU is the world's. */
VMM__SYSV void vmm__vmx_detach(struct vmm__native_world *world);
/* The CPU is the world's. */
VMM__SYSV int vmm__vmx_is_current(const struct vmm__native_world *world);

VMM__SYSV uint64_t vmm__vmx_read(uint64_t field);
VMM__SYSV void vmm__vmx_write(uint64_t field, uint64_t value);
/* INVEPT and INVVPID, all contexts. */
VMM__SYSV void vmm__vmx_flush(void);
VMM__SYSV void vmm__vmx_host(struct vmm__vmx_host *host);
VMM__SYSV uint64_t vmm__vmx_cr3(void);
VMM__SYSV uint64_t vmm__vmx_dr6(void);
VMM__SYSV void vmm__vmx_set_dr6(uint64_t value);
/* Give GDTR and IDTR the limits that exits take from them (28.5.2). */
VMM__SYSV void vmm__vmx_limits(const struct vmm__vmx_host *host);

#endif
#endif

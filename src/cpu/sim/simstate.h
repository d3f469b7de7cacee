/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* State of simulated vCPUs and VMs: kept and given back, and seen by no instruction. */
#ifndef VMM_SIM_SIMSTATE_H
#define VMM_SIM_SIMSTATE_H

#include "libvmm/x86.h"

#define VMM__SIM_TSC_KHZ 1000000
#define VMM__SIM_MSRS    10

struct vmm__sim_state {
	uint32_t index;
	uint32_t apic_id;
	struct vmm_x86_regs regs;
	struct vmm_x86_sys sys;
	struct vmm_x86_debug_regs debug;
	uint8_t x87[VMM_X86_XSAVE_X87_SIZE];
	uint8_t sse[VMM_X86_XSAVE_SSE_SIZE];
	struct vmm_x86_events events;
	struct vmm_x86_lapic lapic;
	struct vmm_x86_mp mp;
	struct vmm_x86_tsc tsc;
	uint64_t msr[VMM__SIM_MSRS];
};

struct vmm__sim_vm_state {
	struct vmm_x86_ioapic ioapic;
	struct vmm_x86_pic pic;
	struct vmm_x86_clock clock;
};

void vmm__sim_reset(struct vmm__sim_state *state, uint32_t index, uint32_t apic_id);
void vmm__sim_vm_reset(struct vmm__sim_vm_state *state);

/* As the engine's entries of the same names; class, index and size of a vCPU's have been checked.
 */
int vmm__sim_state_size(uint32_t cls, uint32_t index, size_t *size);
int vmm__sim_get(struct vmm__sim_state *state, uint32_t cls, uint32_t index, void *buf, size_t size,
		 struct vmm_error *error);
int vmm__sim_set(struct vmm__sim_state *state, uint32_t cls, uint32_t index, const void *buf,
		 size_t size, struct vmm_error *error);
int vmm__sim_vm_get(struct vmm__sim_vm_state *state, uint32_t irqchip, uint32_t cls, uint32_t index,
		    void *buf, size_t size, struct vmm_error *error);
int vmm__sim_vm_set(struct vmm__sim_vm_state *state, uint32_t irqchip, uint32_t cls, uint32_t index,
		    const void *buf, size_t size, struct vmm_error *error);
int vmm__sim_msr_list(uint32_t *list, uint32_t *count);

#endif

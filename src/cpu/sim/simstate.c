// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "simstate.h"

#include "bits.h"
#include "format.h"
#include "libvmm/irq.h"
#include "mem.h"
#include "x86_reset.h"

/* SDM 4, table 2-2. */
static const uint32_t msr_numbers[VMM__SIM_MSRS] = {
	0x10,       /* IA32_TIME_STAMP_COUNTER */
	0x174,      /* IA32_SYSENTER_CS */
	0x175,      /* IA32_SYSENTER_ESP */
	0x176,      /* IA32_SYSENTER_EIP */
	0x277,      /* IA32_PAT */
	0xc0000081, /* IA32_STAR */
	0xc0000082, /* IA32_LSTAR */
	0xc0000083, /* IA32_CSTAR */
	0xc0000084, /* IA32_FMASK */
	0xc0000102, /* IA32_KERNEL_GS_BASE */
};

/* Index of IA32_PAT, and its value after power-on: SDM 3A 12.12.4. */
#define MSR_PAT         4
#define PAT_AFTER_RESET UINT64_C(0x0007040600070406)

/* Family 6, as the processors of SDM 3A table 10-1 that have no other. */
#define SIGNATURE 0x600

void vmm__sim_reset(struct vmm__sim_state *state, uint32_t index, uint32_t apic_id)
{
	memset(state, 0, sizeof(*state));
	state->index = index;
	state->apic_id = apic_id;
	vmm__x86_reset_regs(&state->regs, SIGNATURE);
	vmm__x86_reset_sys(&state->sys, index == 0, 1, 1);
	vmm__x86_reset_debug(&state->debug);
	vmm__x86_reset_x87(state->x87);
	vmm__x86_reset_sse(state->sse);
	state->lapic.reg[2] = apic_id << 24;
	state->lapic.reg[3] = 0x00050014; /* version, highest entry of the vector table */
	state->mp.state = index == 0 ? VMM_X86_MP_RUNNABLE : VMM_X86_MP_WAIT_SIPI;
	state->tsc.khz = VMM__SIM_TSC_KHZ;
	state->msr[MSR_PAT] = PAT_AFTER_RESET;
}

void vmm__sim_vm_reset(struct vmm__sim_vm_state *state)
{
	memset(state, 0, sizeof(*state));
	state->ioapic.base = 0xfec00000;
	for (size_t i = 0; i < ARRAY_SIZE(state->ioapic.redirection); i++)
		state->ioapic.redirection[i] = BIT(16); /* masked: 82093AA 3.2.4 */
}

/* The classes that are one structure each. */
static const struct {
	uint32_t cls;
	uint32_t index;
	size_t offset;
	size_t size;
} classes[] = {
#define CLASS(cls, index, field)                                    \
	{                                                           \
		cls, index, offsetof(struct vmm__sim_state, field), \
			sizeof(((struct vmm__sim_state *)0)->field) \
	}
	CLASS(VMM_STATE_X86_REGS, 0, regs),   CLASS(VMM_STATE_X86_SYS, 0, sys),
	CLASS(VMM_STATE_X86_DEBUG, 0, debug), CLASS(VMM_STATE_X86_XSAVE, 0, x87),
	CLASS(VMM_STATE_X86_XSAVE, 1, sse),   CLASS(VMM_STATE_X86_EVENTS, 0, events),
	CLASS(VMM_STATE_X86_LAPIC, 0, lapic), CLASS(VMM_STATE_X86_MP, 0, mp),
	CLASS(VMM_STATE_X86_TSC, 0, tsc),
#undef CLASS
};

/* Number of a class in the table, or its size. */
static size_t find_class(uint32_t cls, uint32_t index)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(classes) && (classes[i].cls != cls || classes[i].index != index))
		i++;
	return i;
}

int vmm__sim_state_size(uint32_t cls, uint32_t index, size_t *size)
{
	if (cls < VMM_STATE_X86_REGS || cls > VMM_STATE_X86_TSC)
		return -VMM_EINVAL;
	if (cls == VMM_STATE_X86_MSRS) {
		*size = sizeof(struct vmm_x86_msr);
		return index == 0 ? 0 : -VMM_ENOENT;
	}
	size_t i = find_class(cls, index);
	if (i == ARRAY_SIZE(classes))
		return -VMM_ENOENT;
	*size = classes[i].size;
	return 0;
}

static uint64_t *find_msr(struct vmm__sim_state *state, uint32_t number)
{
	for (size_t i = 0; i < VMM__SIM_MSRS; i++) {
		if (msr_numbers[i] == number)
			return &state->msr[i];
	}
	return NULL;
}

static int no_msr(struct vmm_error *error, uint32_t number)
{
	return vmm__fail(error, -VMM_ENOENT, "sim", 0, "there is no MSR 0x%x", number);
}

static int get_msrs(struct vmm__sim_state *state, struct vmm_x86_msr *msrs, size_t count,
		    struct vmm_error *error)
{
	for (size_t i = 0; i < count; i++) {
		const uint64_t *value = find_msr(state, msrs[i].index);

		if (value == NULL)
			return no_msr(error, msrs[i].index);
		msrs[i].value = *value;
	}
	return 0;
}

static int set_msrs(struct vmm__sim_state *state, const struct vmm_x86_msr *msrs, size_t count,
		    struct vmm_error *error)
{
	for (size_t i = 0; i < count; i++) {
		if (find_msr(state, msrs[i].index) == NULL)
			return no_msr(error, msrs[i].index);
	}
	for (size_t i = 0; i < count; i++)
		*find_msr(state, msrs[i].index) = msrs[i].value;
	return 0;
}

int vmm__sim_get(struct vmm__sim_state *state, uint32_t cls, uint32_t index, void *buf, size_t size,
		 struct vmm_error *error)
{
	if (cls == VMM_STATE_X86_MSRS)
		return get_msrs(state, buf, size / sizeof(struct vmm_x86_msr), error);
	memcpy(buf, (const uint8_t *)state + classes[find_class(cls, index)].offset, size);
	return 0;
}

/* What no processor can hold. */
static const char *refuse(uint32_t cls, const void *buf)
{
	if (cls == VMM_STATE_X86_MP) {
		struct vmm_x86_mp mp;

		memcpy(&mp, buf, sizeof(mp));
		if (mp.state > VMM_X86_MP_SIPI)
			return "multiprocessor state";
	}
	if (cls == VMM_STATE_X86_TSC) {
		struct vmm_x86_tsc tsc;

		memcpy(&tsc, buf, sizeof(tsc));
		if (tsc.khz != 0 && tsc.khz != VMM__SIM_TSC_KHZ)
			return "TSC frequency";
	}
	if (cls == VMM_STATE_X86_SYS) {
		struct vmm_x86_sys sys;

		memcpy(&sys, buf, sizeof(sys));
		if (sys.cr8 > 15)
			return "CR8";
	}
	return NULL;
}

int vmm__sim_set(struct vmm__sim_state *state, uint32_t cls, uint32_t index, const void *buf,
		 size_t size, struct vmm_error *error)
{
	if (cls == VMM_STATE_X86_MSRS)
		return set_msrs(state, buf, size / sizeof(struct vmm_x86_msr), error);
	const char *refused = refuse(cls, buf);
	if (refused != NULL)
		return vmm__fail(error, -VMM_ERANGE, "sim", 0, "no processor has this %s", refused);
	memcpy((uint8_t *)state + classes[find_class(cls, index)].offset, buf, size);
	state->tsc.khz = VMM__SIM_TSC_KHZ;
	return 0;
}

static int find_vm_class(struct vmm__sim_vm_state *state, uint32_t irqchip, uint32_t cls,
			 uint32_t index, size_t size, void **at, struct vmm_error *error)
{
	size_t want;

	if (cls == VMM_STATE_X86_IOAPIC && irqchip == VMM_IRQCHIP_ARCH) {
		*at = &state->ioapic;
		want = sizeof(state->ioapic);
	} else if (cls == VMM_STATE_X86_PIC && irqchip == VMM_IRQCHIP_ARCH) {
		*at = &state->pic;
		want = sizeof(state->pic);
	} else if (cls == VMM_STATE_X86_CLOCK) {
		*at = &state->clock;
		want = sizeof(state->clock);
	} else {
		return vmm__fail(error, -VMM_EINVAL, "sim", 0, "no class 0x%x of VMs", cls);
	}
	if (index != 0)
		return vmm__fail(error, -VMM_ENOENT, "sim", 0, "class 0x%x, index %u", cls, index);
	if (size != want)
		return vmm__fail(error, -VMM_ESIZE, "sim", 0, "class 0x%x has %llu bytes", cls,
				 (unsigned long long)want);
	return 0;
}

int vmm__sim_vm_get(struct vmm__sim_vm_state *state, uint32_t irqchip, uint32_t cls, uint32_t index,
		    void *buf, size_t size, struct vmm_error *error)
{
	void *at = NULL;
	int r = find_vm_class(state, irqchip, cls, index, size, &at, error);

	if (r == 0)
		memcpy(buf, at, size);
	return r;
}

int vmm__sim_vm_set(struct vmm__sim_vm_state *state, uint32_t irqchip, uint32_t cls, uint32_t index,
		    const void *buf, size_t size, struct vmm_error *error)
{
	void *at = NULL;
	int r = find_vm_class(state, irqchip, cls, index, size, &at, error);

	if (r == 0)
		memcpy(at, buf, size);
	return r;
}

int vmm__sim_msr_list(uint32_t *list, uint32_t *count)
{
	uint32_t room = *count;

	*count = VMM__SIM_MSRS;
	if (list == NULL)
		return 0;
	if (room < VMM__SIM_MSRS)
		return -VMM_ESIZE;
	memcpy(list, msr_numbers, sizeof(msr_numbers));
	return 0;
}

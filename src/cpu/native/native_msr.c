// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Model-specific registers. A guest sees those that Linux's KVM has for a processor of the same
 * CPUID, as far as anything follows from them; others, and those of SVM and VMX, are #GP. Registers
 * that the block holds and whose values can do no harm are the guest's own (APM2 15.11).
 */
#include "native.h"
#include "x86_msr.h"
#include "x86_paging.h"
#include "x86_reset.h"

#define UCODE_REV     (UINT64_C(0x01000065) << 32)
#define DE_CFG_LFENCE UINT64_C(2) /* LFENCE is serialising: APM3, LFENCE */

/* Eight variable ranges, the fixed ones, write-combining: APM2 7.7.3. */
#define MTRR_CAP UINT64_C(0x508)

uint64_t vmm__native_efer_bits(const struct vmm__native_vcpu *v)
{
	uint32_t edx = vmm__native_leaf(v, 0x80000001, 0).edx;

	return (edx & BIT(11) ? X86_EFER_SCE : 0) | (edx & BIT(20) ? X86_EFER_NXE : 0) |
	       (edx & BIT(25) ? X86_EFER_FFXSR : 0) |
	       (edx & BIT(29) ? X86_EFER_LME | X86_EFER_LMA : 0);
}

/* SDM 1 13.3: x87 always, AVX with SSE, AVX-512 whole and with AVX. The table may name more than
 * the processor has, which XSETBV would refuse the host. */
bool vmm__native_xcr0_valid(const struct vmm__native_vcpu *v, uint64_t xcr0)
{
	struct vmm_x86_cpuid e = vmm__native_leaf(v, 0xd, 0);
	uint64_t all = ((uint64_t)e.edx << 32 | e.eax) & v->world.xall, avx512 = xcr0 & BITS(7, 5);

	return v->has_xsave && !(xcr0 & ~all) && (xcr0 & 1) &&
	       (!(xcr0 & BIT(2)) || (xcr0 & BIT(1))) &&
	       (avx512 == 0 || (avx512 == BITS(7, 5) && (xcr0 & BIT(2))));
}

/* As WRMSR looks at it (SDM 2D): by the processor's own width, whatever CR4.LA57 says. What it
 * refuses would fault where the host writes it for the guest. */
static bool canonical(const struct vmm__native_vcpu *v, uint64_t va)
{
	uint32_t unused = 64 - v->vm->va_bits;

	return (uint64_t)((int64_t)(va << unused) >> unused) == va;
}

static int set_efer(struct vmm__native_vcpu *v, uint64_t value)
{
	struct svm_vmcb *vmcb = v->vmcb;

	if (value & ~vmm__native_efer_bits(v))
		return -VMM_ENOENT;
	if ((vmcb->cr0 & X86_CR0_PG) && ((value ^ vmcb->efer) & X86_EFER_LME))
		return -VMM_ENOENT;
	vmcb->efer = (value & ~X86_EFER_LMA) | (vmcb->efer & X86_EFER_LMA) | v->vm->ops->efer;
	return 0;
}

/* Where an MSR's value is, for those that are a word and no more; and what must be clear in it. */
struct plain {
	uint64_t *word;
	bool canonical;
	uint64_t reserved;
};

static uint64_t *mtrr_word(struct vmm__native_vcpu *v, uint32_t index)
{
	if (index >= X86_MSR_MTRR_VAR && index < X86_MSR_MTRR_VAR + 16)
		return &v->mtrr_var[index - X86_MSR_MTRR_VAR];
	switch (index) {
	case X86_MSR_MTRR_DEF:
		return &v->mtrr_def;
	case X86_MSR_MTRR_FIX64K:
		return &v->mtrr_fixed[0];
	case X86_MSR_MTRR_FIX16K:
	case X86_MSR_MTRR_FIX16K + 1:
		return &v->mtrr_fixed[1 + index - X86_MSR_MTRR_FIX16K];
	default:
		return index >= X86_MSR_MTRR_FIX4K && index < X86_MSR_MTRR_FIX4K + 8
			       ? &v->mtrr_fixed[3 + index - X86_MSR_MTRR_FIX4K]
			       : NULL;
	}
}

static struct plain plain(struct vmm__native_vcpu *v, uint32_t index)
{
	struct svm_vmcb *vmcb = v->vmcb;

	switch (index) {
	case X86_MSR_SYSENTER_CS:
		return (struct plain){&vmcb->sysenter_cs, false, 0};
	case X86_MSR_SYSENTER_ESP:
		return (struct plain){&vmcb->sysenter_esp, true, 0};
	case X86_MSR_SYSENTER_EIP:
		return (struct plain){&vmcb->sysenter_eip, true, 0};
	case X86_MSR_STAR:
		return (struct plain){&vmcb->star, false, 0};
	case X86_MSR_LSTAR:
		return (struct plain){&vmcb->lstar, true, 0};
	case X86_MSR_CSTAR:
		return (struct plain){&vmcb->cstar, true, 0};
	case X86_MSR_SFMASK:
		return (struct plain){&vmcb->sfmask, false, BITS(63, 32)};
	case X86_MSR_FS_BASE:
		return (struct plain){&vmcb->fs.base, true, 0};
	case X86_MSR_GS_BASE:
		return (struct plain){&vmcb->gs.base, true, 0};
	case X86_MSR_KERNEL_GS:
		return (struct plain){&vmcb->kernel_gs_base, true, 0};
	case X86_MSR_TSC_AUX:
		return (struct plain){&v->tsc_aux, false, BITS(63, 32)};
	case X86_MSR_MISC_ENABLE:
		return (struct plain){&v->misc_enable, false, 0};
	case X86_MSR_DEBUGCTL:
		return (struct plain){&v->debugctl, false, ~UINT64_C(3)};
	default:
		return (struct plain){mtrr_word(v, index), false, 0};
	}
}

/* Eight types of 0, 1, 4, 5, 6 or 7: APM2 7.8.1. */
static bool pat_valid(uint64_t pat)
{
	for (int i = 0; i < 8; i++, pat >>= 8) {
		uint64_t type = pat & 0xff;

		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}

static bool is_apic(const struct vmm__native_vcpu *v, uint32_t index)
{
	return vmm__native_has_irqchip(v) &&
	       (index == VMM__MSR_APIC_BASE || index == VMM__MSR_TSC_DEADLINE ||
		(index >= VMM__LAPIC_MSR_FIRST && index <= VMM__LAPIC_MSR_LAST));
}

static int set_apic(struct vmm__native_vcpu *v, uint32_t index, uint64_t value)
{
	struct vmm__lapic_now now = vmm__native_now(v);

	if (v->dedicated)
		return vmm__native_partition_set_msr(v, index, value);
	if (!vmm__lapic_write_msr(&v->lapic, &now, index, value, v->phys_bits))
		return -VMM_ENOENT;
	vmm__native_request(v, NATIVE_REQ_EVENT);
	return 0;
}

int vmm__native_get_msr(struct vmm__native_vcpu *v, uint32_t index, bool by_host, uint64_t *value)
{
	const uint64_t *word = plain(v, index).word;

	if (word) {
		*value = *word;
		return 0;
	}
	if (is_apic(v, index)) {
		struct vmm__lapic_now now = vmm__native_now(v);

		if (v->dedicated)
			return vmm__native_partition_get_msr(v, index, value);
		return vmm__lapic_read_msr(&v->lapic, &now, index, value) ? 0 : -VMM_ENOENT;
	}
	switch (index) {
	case X86_MSR_TSC:
		*value = vmm__native_tsc(v);
		return 0;
	case X86_MSR_TSC_ADJUST:
		*value = v->tsc_adjust;
		return 0;
	case X86_MSR_APIC_BASE:
		*value = v->apic_base;
		return 0;
	case X86_MSR_EFER:
		*value = v->vmcb->efer & ~v->vm->ops->efer;
		return 0;
	case X86_MSR_PAT:
		*value = v->vmcb->g_pat;
		return 0;
	case X86_MSR_MTRR_CAP:
		*value = MTRR_CAP;
		return 0;
	case X86_MSR_UCODE_REV:
		*value = UCODE_REV;
		return 0;
	case X86_MSR_DE_CFG:
		*value = DE_CFG_LFENCE;
		return 0;
	case X86_MSR_MCG_CAP: /* no banks */
	case X86_MSR_MCG_STATUS:
	case X86_MSR_SYSCFG:
	case X86_MSR_HWCR:
	case X86_MSR_NB_CFG:
	case X86_MSR_DC_CFG:
	case X86_MSR_BU_CFG2:
	case X86_MSR_INT_PENDING:
		*value = 0;
		return 0;
	case PV_MSR_TIME:
	case PV_MSR_TIME_OLD:
		*value = v->pv_time;
		return 0;
	case PV_MSR_WALL:
	case PV_MSR_WALL_OLD:
		*value = v->pv_wall;
		return 0;
	default:
		(void)by_host;
		return -VMM_ENOENT;
	}
}

static void set_tsc(struct vmm__native_vcpu *v, bool by_host, uint64_t value)
{
	if (!by_host)
		v->tsc_adjust += value - vmm__native_tsc(v);
	vmm__native_set_tsc(v, value);
}

static void set_tsc_adjust(struct vmm__native_vcpu *v, bool by_host, uint64_t value)
{
	if (!by_host) {
		v->vmcb->tsc_offset += value - v->tsc_adjust;
		vmm__native_write_time(v);
	}
	v->tsc_adjust = value;
}

static int set_pv_time(struct vmm__native_vcpu *v, uint64_t value)
{
	if (value & 2)
		return -VMM_ENOENT;
	v->pv_time = value;
	vmm__native_write_time(v);
	return 0;
}

static int set_apic_base(struct vmm__native_vcpu *v, uint64_t value)
{
	if (value & (BITS(63, 52) | BITS(7, 0) | BIT(9)))
		return -VMM_ENOENT;
	v->apic_base = value;
	return 0;
}

int vmm__native_set_msr(struct vmm__native_vcpu *v, uint32_t index, bool by_host, uint64_t value)
{
	struct plain p = plain(v, index);

	if (p.word) {
		if ((value & p.reserved) || (p.canonical && !canonical(v, value)))
			return -VMM_ENOENT;
		*p.word = value;
		return 0;
	}
	if (is_apic(v, index))
		return set_apic(v, index, value);
	switch (index) {
	case X86_MSR_TSC:
		set_tsc(v, by_host, value);
		return 0;
	case X86_MSR_TSC_ADJUST:
		set_tsc_adjust(v, by_host, value);
		return 0;
	case X86_MSR_APIC_BASE:
		return set_apic_base(v, value);
	case X86_MSR_EFER:
		return set_efer(v, value);
	case X86_MSR_PAT:
		if (!pat_valid(value))
			return -VMM_ENOENT;
		v->vmcb->g_pat = value;
		return 0;
	case X86_MSR_UCODE_REV: /* an update is no business of a guest's, and harmless */
	case X86_MSR_UCODE_LOAD:
	case X86_MSR_DE_CFG:
	case X86_MSR_MCG_STATUS:
	case X86_MSR_HWCR:
	case X86_MSR_NB_CFG:
	case X86_MSR_DC_CFG:
	case X86_MSR_BU_CFG2:
		return 0;
	case PV_MSR_TIME:
	case PV_MSR_TIME_OLD:
		return set_pv_time(v, value);
	case PV_MSR_WALL:
	case PV_MSR_WALL_OLD:
		v->pv_wall = value;
		if (!by_host && value != 0)
			vmm__native_write_wall(v);
		return 0;
	default:
		return -VMM_ENOENT;
	}
}

/* APM2 14.1.3 */
void vmm__native_reset_msrs(struct vmm__native_vcpu *v)
{
	struct svm_vmcb *vmcb = v->vmcb;

	vmcb->star = vmcb->lstar = vmcb->cstar = vmcb->sfmask = vmcb->kernel_gs_base = 0;
	vmcb->sysenter_cs = vmcb->sysenter_esp = vmcb->sysenter_eip = 0;
	vmcb->g_pat = UINT64_C(0x0007040600070406);
	v->tsc_aux = v->misc_enable = v->debugctl = 0;
	v->mtrr_def = 0;
	memset(v->mtrr_fixed, 0, sizeof(v->mtrr_fixed));
	memset(v->mtrr_var, 0, sizeof(v->mtrr_var));
	v->pv_time = v->pv_wall = 0;
}

int vmm__native_msr_list(void *opaque, uint32_t *list, uint32_t *count, struct vmm_error *error)
{
	static const uint32_t all[] = {
		X86_MSR_SYSENTER_CS,  X86_MSR_SYSENTER_ESP,
		X86_MSR_SYSENTER_EIP, X86_MSR_STAR,
		X86_MSR_LSTAR,        X86_MSR_CSTAR,
		X86_MSR_SFMASK,       X86_MSR_KERNEL_GS,
		X86_MSR_TSC_AUX,      X86_MSR_PAT,
		X86_MSR_MISC_ENABLE,  X86_MSR_DEBUGCTL,
		X86_MSR_MTRR_DEF,     X86_MSR_MTRR_FIX64K,
		X86_MSR_MTRR_FIX16K,  X86_MSR_MTRR_FIX16K + 1,
		PV_MSR_TIME,          PV_MSR_WALL,
	};
	const struct vmm__native_vm *vm = opaque;
	uint32_t room = list ? *count : 0, n = 0;
	bool timer = vm->irqchip == VMM_IRQCHIP_ARCH;

	*count = ARRAY_SIZE(all) + 8 + 16 + timer;
	if (!list)
		return 0;
	if (room < *count)
		return vmm__fail(error, -VMM_ESIZE, "vmm_vm_x86_msr_list", 0,
				 "%u MSRs, room for %u", *count, room);
	for (uint32_t i = 0; i < ARRAY_SIZE(all); i++)
		list[n++] = all[i];
	for (uint32_t i = 0; i < 8; i++)
		list[n++] = X86_MSR_MTRR_FIX4K + i;
	for (uint32_t i = 0; i < 16; i++)
		list[n++] = X86_MSR_MTRR_VAR + i;
	if (timer)
		list[n] = VMM__MSR_TSC_DEADLINE;
	return 0;
}

/* --- filters and permission maps --- */

uint32_t vmm__native_filter_action(const struct vmm__native_vm *vm, uint32_t msr, uint32_t access)
{
	for (uint32_t i = vm->filter_count; i-- > 0;) { /* the later wins */
		const struct vmm_x86_filter *f = &vm->filters[i];

		if ((f->access & access) && msr >= f->first && msr - f->first < f->count)
			return f->action;
	}
	return VMM_FILTER_ALLOW;
}

static void pass_msr(struct vmm__native_vm *vm, uint32_t msr)
{
	if (vmm__native_filter_action(vm, msr, VMM_FILTER_READ) == VMM_FILTER_ALLOW)
		vm->ops->pass_msr(vm, msr, VMM_FILTER_READ);
	if (vmm__native_filter_action(vm, msr, VMM_FILTER_WRITE) == VMM_FILTER_ALLOW)
		vm->ops->pass_msr(vm, msr, VMM_FILTER_WRITE);
}

/* Ports whose accesses of both kinds are all allowed; the map does not tell them apart. */
static void pass_ports(struct vmm__native_vm *vm, const struct vmm_x86_filter *ports,
		       uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t port = ports[i].first; port - ports[i].first < ports[i].count;
		     port++) {
			uint8_t bit = (uint8_t)(1u << (port % 8));

			if (ports[i].action == VMM_FILTER_ALLOW &&
			    ports[i].access == (VMM_FILTER_READ | VMM_FILTER_WRITE))
				vm->iopm[port / 8] &= (uint8_t)~bit;
			else
				vm->iopm[port / 8] |= bit;
		}
	}
}

int vmm__native_vm_seal(void *opaque, const struct vmm_x86_filter *msrs, uint32_t count,
			const struct vmm_x86_filter *ports, uint32_t port_count,
			struct vmm_error *error)
{
	static const uint32_t passed[] = {
		X86_MSR_SYSENTER_CS, X86_MSR_SYSENTER_ESP, X86_MSR_SYSENTER_EIP, X86_MSR_STAR,
		X86_MSR_LSTAR,       X86_MSR_CSTAR,        X86_MSR_SFMASK,       X86_MSR_FS_BASE,
		X86_MSR_GS_BASE,     X86_MSR_KERNEL_GS,
	};
	struct vmm__native_vm *vm = opaque;

	vmm__native_free(vm, vm->filters, vm->filter_count * sizeof(*msrs));
	vm->filters = NULL;
	vm->filter_count = 0;
	if (count != 0) {
		vm->filters = vmm__native_alloc(vm, count * sizeof(*msrs), sizeof(uint64_t));
		if (!vm->filters)
			return vmm__fail(error, -VMM_ENOMEM, "vmm_vm_seal", 0,
					 "no memory for filters");
		memcpy(vm->filters, msrs, count * sizeof(*msrs));
		vm->filter_count = count;
	}
	memset(vm->msrpm, 0xff, vm->ops->msrpm_bytes);
	memset(vm->iopm, 0xff, SVM_IOPM_BYTES);
	for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
		pass_msr(vm, passed[i]);
	pass_ports(vm, ports, port_count);
	vmm__native_partition_filter(vm);
	return 0;
}

/* --- exits --- */

static void put_value(struct vmm__native_vcpu *v, uint64_t value)
{
	v->vmcb->rax = value & UINT32_MAX;
	v->world.rdx = value >> 32;
}

static uint64_t written_value(const struct vmm__native_vcpu *v)
{
	return v->world.rdx << 32 | (v->vmcb->rax & UINT32_MAX);
}

static int give(struct vmm__native_vcpu *v, struct vmm_exit *exit, uint32_t index, bool write)
{
	*exit = (struct vmm_exit){
		.reason = VMM_EXIT_MSR,
		.flags = (write ? VMM_EXIT_F_WRITE : 0) | VMM_EXIT_F_PC | VMM_EXIT_F_HW,
		.addr = index,
		.width = 8,
		.data = write ? written_value(v) : 0,
		.pc = v->vmcb->rip,
		.hw_code = v->vmcb->exitcode,
		.hw_info = v->vmcb->exitinfo1,
	};
	v->answer = write ? NATIVE_ANSWER_WRMSR : NATIVE_ANSWER_RDMSR;
	return 0;
}

int vmm__native_handle_msr(struct vmm__native_vcpu *v, bool write, struct vmm_exit *exit)
{
	uint32_t index = (uint32_t)v->world.rcx;
	uint32_t action =
		vmm__native_filter_action(v->vm, index, write ? VMM_FILTER_WRITE : VMM_FILTER_READ);
	uint64_t value = 0;
	int r = -VMM_ENOENT;

	if (action == VMM_FILTER_EXIT)
		return give(v, exit, index, write);
	if (!is_apic(v, index))
		vmm__native_regs(v, write);
	if (action == VMM_FILTER_ALLOW)
		r = write ? vmm__native_set_msr(v, index, false, written_value(v))
			  : vmm__native_get_msr(v, index, false, &value);
	if (r != 0) {
		vmm__native_raise_gp(v);
		return NATIVE_AGAIN;
	}
	if (!write)
		put_value(v, value);
	vmm__native_skip(v, vmm__native_insn_len(v, 2));
	return NATIVE_AGAIN;
}

void vmm__native_answer_msr(struct vmm__native_vcpu *v, const struct vmm_exit *exit)
{
	if (exit->flags & VMM_EXIT_F_FAIL) {
		vmm__native_raise_gp(v);
		return;
	}
	if (v->answer == NATIVE_ANSWER_RDMSR)
		put_value(v, exit->data);
	vmm__native_skip(v, vmm__native_insn_len(v, 2));
}

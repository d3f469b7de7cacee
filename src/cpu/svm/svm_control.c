// SPDX-License-Identifier: BSD-2-Clause-Patent
/* What makes a guest leave: the VMCB's control area and the permission maps. */
#include "svm_engine.h"

/* What is intercepted never depends on the guest, but for windows, IRET and debug registers. */
void vmm__svm_vcpu_reset(struct vmm__native_vcpu *v)
{
	struct svm_vmcb *vmcb = v->vmcb;
	const struct vmm__native_vm *vm = v->vm;

	/* QEMU aborts when a guest writes CR8 itself. */
	vmcb->intercept_cr = (uint32_t)(SVM_CR_READ(8) | SVM_CR_WRITE(8));
	vmcb->intercept_dr = SVM_DR_ALL;
	vmcb->intercept_exception = (uint32_t)(BIT(NATIVE_DB) | BIT(NATIVE_AC) | BIT(NATIVE_MC));
	vmcb->intercept1 =
		(uint32_t)(SVM_I_INTR | SVM_I_NMI | SVM_I_SMI | SVM_I_INIT | SVM_I_RDPMC |
			   SVM_I_CPUID | SVM_I_RSM | SVM_I_INVD | SVM_I_HLT | SVM_I_INVLPGA |
			   SVM_I_IOIO | SVM_I_MSR | SVM_I_FERR | SVM_I_SHUTDOWN);
	vmcb->intercept2 = (uint32_t)(SVM_I_VMRUN | SVM_I_VMMCALL | SVM_I_VMLOAD | SVM_I_VMSAVE |
				      SVM_I_STGI | SVM_I_CLGI | SVM_I_SKINIT | SVM_I_WBINVD |
				      SVM_I_MONITOR | SVM_I_MWAIT | SVM_I_XSETBV | SVM_I_RDPRU);
	vmcb->intercept3 = (uint32_t)(SVM_I_INVLPGB | SVM_I_MCOMMIT | SVM_I_TLBSYNC);
	vmcb->iopm_pa = vmm__native_phys(vm, vm->iopm);
	vmcb->msrpm_pa = vmm__native_phys(vm, vm->msrpm);
	vmcb->asid = SVM_ASID;
	vmcb->vintr = SVM_V_INTR_MASKING;
	vmcb->np_enable = 1;
	vmcb->n_cr3 = vm->pt.root_pa;
}

/* Two bits each, for reads and writes: APM2 15.11. */
void vmm__svm_pass_msr(struct vmm__native_vm *vm, uint32_t msr, uint32_t access)
{
	uint32_t range = msr < 0x2000 ? 0 : msr < 0xc0002000 ? 1 : 2;
	uint32_t bit = 0x2000 * range + (msr & 0x1fff);

	vm->msrpm[bit / 4] &=
		(uint8_t) ~(1u << (2 * (bit % 4) + (access == VMM_FILTER_WRITE ? 1 : 0)));
}

/* An exit as soon as the guest could take an interrupt: APM2 15.21.4. */
void vmm__svm_want_window(struct vmm__native_vcpu *v, bool on)
{
	if (on) {
		v->vmcb->vintr |= SVM_V_IRQ | SVM_V_INTR_PRIO | SVM_V_IGN_TPR;
		v->vmcb->intercept1 |= (uint32_t)SVM_I_VINTR;
	} else {
		v->vmcb->vintr &= ~(SVM_V_IRQ | SVM_V_INTR_PRIO | SVM_V_IGN_TPR);
		v->vmcb->intercept1 &= (uint32_t)~SVM_I_VINTR;
	}
}

/* There is no virtual NMI: the IRET that ends blocking is intercepted. */
void vmm__svm_watch_nmi(struct vmm__native_vcpu *v)
{
	if (v->nmi_masked)
		v->vmcb->intercept1 |= (uint32_t)SVM_I_IRET;
	else
		v->vmcb->intercept1 &= (uint32_t)~SVM_I_IRET;
}

void vmm__svm_trap_dr(struct vmm__native_vcpu *v, bool on)
{
	v->vmcb->intercept_dr = on ? SVM_DR_ALL : 0;
}

void vmm__svm_trap_bp(struct vmm__native_vcpu *v, bool on)
{
	v->vmcb->intercept_exception &= (uint32_t)~BIT(NATIVE_BP);
	if (on)
		v->vmcb->intercept_exception |= (uint32_t)BIT(NATIVE_BP);
}

/* A filter lets so many PAUSEs pass that follow each other within so many cycles: APM2 15.14.4. */
#define PAUSE_COUNT     3000
#define PAUSE_THRESHOLD 128

void vmm__svm_trap_pause(struct vmm__native_vcpu *v, bool on)
{
	const uint32_t features = v->vm->features;

	if (!on) {
		v->vmcb->intercept1 &= (uint32_t)~SVM_I_PAUSE;
		return;
	}
	v->vmcb->intercept1 |= (uint32_t)SVM_I_PAUSE;
	if (features & SVM_CPUID_EDX_PAUSE)
		v->vmcb->pause_count = PAUSE_COUNT;
	if (features & SVM_CPUID_EDX_PAUSE_NEAR)
		v->vmcb->pause_threshold = PAUSE_THRESHOLD;
}

/* They are always there. */
void vmm__svm_regs(struct vmm__native_vcpu *v, bool change)
{
	(void)v;
	(void)change;
}

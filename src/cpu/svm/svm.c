// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The engine: whether it can be used, and what is SVM in a VM. */
#include "libvmm/svm.h"
#include "svm_engine.h"
#include "x86_paging.h"

static int check_processor(struct vmm_error *error)
{
	uint32_t r[4], features;

	vmm__native_cpuid(0x80000000, 0, r);
	if (r[0] < SVM_CPUID_LEAF)
		return vmm__fail(error, -VMM_ENODEV, "CPUID", 0, "the processor has no SVM");
	vmm__native_cpuid(0x80000001, 0, r);
	if (!(r[2] & SVM_CPUID_81_ECX_SVM))
		return vmm__fail(error, -VMM_ENODEV, "CPUID", 0,
				 "the processor has no SVM, or it is not shown to this machine");
	vmm__native_cpuid(SVM_CPUID_LEAF, 0, r);
	features = r[3];
	if (!(features & SVM_CPUID_EDX_NP))
		return vmm__fail(error, -VMM_ENOTSUP, "CPUID", 0,
				 "the processor has SVM without nested paging");
	if (r[1] <= SVM_ASID)
		return vmm__fail(error, -VMM_ENOTSUP, "CPUID", 0, "the processor has %u ASIDs",
				 r[1]);
	if (!(vmm__native_rdmsr(SVM_MSR_EFER) & SVM_EFER_SVME) &&
	    (vmm__native_rdmsr(SVM_MSR_VM_CR) & SVM_VM_CR_SVMDIS))
		return vmm__fail(error, -VMM_EPERM, "VM_CR", 0,
				 "firmware has switched SVM off (VM_CR.SVMDIS)");
	return 0;
}

static int probe(const struct vmm_host *host, struct vmm_error *error)
{
	int r = vmm__native_check_services(host, "vmm_engine_svm", error);

	if (r == 0)
		r = check_processor(error);
	return r == 0 ? vmm__native_check_host(error) : r;
}

static bool la57(void)
{
	return (vmm__native_cr4() & X86_CR4_LA57) != 0;
}

/* A nested table of four levels takes 48 bits. */
static uint32_t gpa_bits(void)
{
	return vmm__native_gpa_bits(la57() ? 52 : 48);
}

static int cap(const struct vmm_host *host, uint32_t cap_, uint64_t *value, struct vmm_error *error)
{
	(void)error;
	*value = vmm__native_cap(host, gpa_bits(), cap_);
	return 0;
}

/* The nested tables' format is that of the host's own paging: APM2 15.25. */
static void vm_init(struct vmm__native_vm *vm, struct vmm__pt_config *paging)
{
	uint32_t leaf[4];

	vmm__native_cpuid(SVM_CPUID_LEAF, 0, leaf);
	vm->features = leaf[3];
	vm->gpa_bits = gpa_bits();
	vmm__native_cpuid(0x80000001, 0, leaf);
	paging->format = &vmm__pt_npt;
	paging->ia_bits = la57() ? 57 : 48;
	paging->leaf_shift = leaf[3] & BIT(26) ? 30 : 21;
	paging->flags = VMM__PT_AD;
}

static int vm_create(const struct vmm__services *services, const struct vmm_vm_config *config,
		     void **out, struct vmm_error *error)
{
	static const struct vmm__native_ops ops = {
		.vm_bytes = sizeof(struct vmm__native_vm),
		.vcpu_bytes = sizeof(struct vmm__native_vcpu),
		.msrpm_bytes = SVM_MSRPM_BYTES,
		.pages = 3,
		.efer = SVM_EFER_SVME,
		.vm_init = vm_init,
		.vcpu_reset = vmm__svm_vcpu_reset,
		.regs = vmm__svm_regs,
		.pass_msr = vmm__svm_pass_msr,
		.want_window = vmm__svm_want_window,
		.watch_nmi = vmm__svm_watch_nmi,
		.trap_dr = vmm__svm_trap_dr,
		.trap_bp = vmm__svm_trap_bp,
		.dedicate = vmm__svm_dedicate,
		.stay = vmm__svm_stay,
		.is_here = vmm__svm_is_here,
		.trap_pause = vmm__svm_trap_pause,
	};

	return vmm__native_vm_create(&ops, services, config, out, error);
}

const struct vmm_engine *vmm_engine_svm(void)
{
	static const struct vmm_engine engine = {
		.name = "svm",
		NATIVE_ENGINE,
		NATIVE_REGISTERS,
		.probe = probe,
		.cap = cap,
		.vm_create = vm_create,
		.run = vmm__svm_run,
	};

	return &engine;
}

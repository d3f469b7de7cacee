// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The engine: whether it can be used, what it can do, and VMs. */
#include "libvmm/svm.h"
#include "svm_engine.h"
#include "x86_paging.h"

#define CR4_OSFXSR BIT(9)

/* The first service that a host which owns its CPUs gives and @host lacks, or NULL. */
static const char *missing_service(const struct vmm_host *host)
{
	if (!host->virt_to_phys)
		return "virt_to_phys";
	if (!host->phys_map || !host->phys_unmap)
		return "phys_map";
	if (!host->cpu_call)
		return "cpu_call";
	if (!host->cpu_kick)
		return "cpu_kick";
	if (!host->cpu_timer)
		return "cpu_timer";
	return NULL;
}

static int check_processor(struct vmm_error *error)
{
	uint32_t r[4], features;

	vmm__svm_cpuid(0x80000000, 0, r);
	if (r[0] < SVM_CPUID_LEAF)
		return vmm__fail(error, -VMM_ENODEV, "CPUID", 0, "the processor has no SVM");
	vmm__svm_cpuid(0x80000001, 0, r);
	if (!(r[2] & SVM_CPUID_81_ECX_SVM))
		return vmm__fail(error, -VMM_ENODEV, "CPUID", 0,
				 "the processor has no SVM, or it is not shown to this machine");
	vmm__svm_cpuid(SVM_CPUID_LEAF, 0, r);
	features = r[3];
	if (!(features & SVM_CPUID_EDX_NP))
		return vmm__fail(error, -VMM_ENOTSUP, "CPUID", 0,
				 "the processor has SVM without nested paging");
	if (r[1] <= SVM_ASID)
		return vmm__fail(error, -VMM_ENOTSUP, "CPUID", 0, "the processor has %u ASIDs",
				 r[1]);
	if (!(vmm__svm_rdmsr(SVM_MSR_EFER) & SVM_EFER_SVME) &&
	    (vmm__svm_rdmsr(SVM_MSR_VM_CR) & SVM_VM_CR_SVMDIS))
		return vmm__fail(error, -VMM_EPERM, "VM_CR", 0,
				 "firmware has switched SVM off (VM_CR.SVMDIS)");
	return 0;
}

static int check_host(struct vmm_error *error)
{
	uint64_t cr4 = vmm__svm_cr4();
	uint32_t r[4];

	vmm__svm_cpuid(1, 0, r);
	if (!(cr4 & CR4_OSFXSR))
		return vmm__fail(error, -VMM_ENOTSUP, "CR4", 0, "the host has CR4.OSFXSR clear");
	if ((r[2] & CPUID_1_ECX_XSAVE) && !(cr4 & X86_CR4_OSXSAVE))
		return vmm__fail(error, -VMM_ENOTSUP, "CR4", 0, "the host has CR4.OSXSAVE clear");
	if (!(vmm__svm_rdmsr(SVM_MSR_EFER) & BIT(11)))
		return vmm__fail(error, -VMM_ENOTSUP, "EFER", 0, "the host has EFER.NXE clear");
	return 0;
}

static int probe(const struct vmm_host *host, struct vmm_error *error)
{
	const char *missing = missing_service(host);
	int r;

	if (missing)
		return vmm__fail(error, -VMM_ENODEV, "vmm_engine_svm", 0,
				 "the host does not own its CPUs: it has no %s()", missing);
	r = check_processor(error);
	return r == 0 ? check_host(error) : r;
}

static uint64_t query(const struct vmm_host *host, const struct vmm__svm_vm *vm, uint32_t cap)
{
	switch (cap) {
	case VMM_CAP_ARCH:
		return VMM_ARCH_X86_64;
	case VMM_CAP_MAX_VCPUS:
		return 256;
	case VMM_CAP_MAX_MAPPINGS:
		return 4096;
	case VMM_CAP_PAGE_SIZE:
		return 4096;
	case VMM_CAP_PROT_READONLY:
	case VMM_CAP_PROT_EXEC:
	case VMM_CAP_MEM_PHYS:
	case VMM_CAP_IRQCHIP_ARCH:
	case VMM_CAP_IRQCHIP_NONE:
	case VMM_CAP_MSI:
	case VMM_CAP_DIRTY:
	case VMM_CAP_MSR_FILTER:
	case VMM_CAP_PORT_DIRECT:
	case VMM_CAP_TSC_SET:
	case VMM_CAP_EXIT_PC:
	case VMM_CAP_SINGLE_STEP:
	case VMM_CAP_CLOCK:
	case VMM_CAP_PIC:
		return 1;
	case VMM_CAP_HW_BREAKPOINTS:
		return VMM_MAX_BREAKPOINTS;
	case VMM_CAP_TSC_KHZ:
		return vm ? vm->tsc_khz : vmm__svm_calibrate(host);
	case VMM_CAP_XCR0:
		return vmm__svm_xcr0_all();
	case VMM_CAP_GPA_BITS:
		return vmm__svm_gpa_bits();
	default:
		return 0;
	}
}

static int cap(const struct vmm_host *host, uint32_t cap_, uint64_t *value, struct vmm_error *error)
{
	(void)error;
	*value = query(host, NULL, cap_);
	return 0;
}

static int vm_cap(void *opaque, uint32_t cap_, uint64_t *value)
{
	struct vmm__svm_vm *vm = opaque;

	*value = query(vm->host, vm, cap_);
	return 0;
}

static void vm_destroy(void *opaque)
{
	struct vmm__svm_vm *vm = opaque;

	vmm__svm_memory_fini(vm);
	vmm__svm_irq_fini(vm);
	vmm__svm_free(vm, vm->iopm, SVM_IOPM_BYTES);
	vmm__svm_free(vm, vm->msrpm, SVM_MSRPM_BYTES);
	vmm__svm_free(vm, vm->filters, vm->filter_count * sizeof(*vm->filters));
	vmm__svm_free(vm, vm, sizeof(*vm));
}

/* Bytes of the XSAVE area with all that guests can have: APM3, appendix E.4.13. */
static void find_xsave(struct vmm__svm_vm *vm)
{
	uint32_t r[4];

	vm->xall = vmm__svm_xcr0_all();
	vm->fpu_bytes = 4096;
	if (vm->xall == 0)
		return;
	vmm__svm_cpuid(0xd, 0, r);
	vm->fpu_bytes = r[2] > 4096 ? r[2] : 4096;
}

static int setup_vm(struct vmm__svm_vm *vm, struct vmm_error *error)
{
	uint32_t leaf[4];
	int r;

	vmm__svm_cpuid(SVM_CPUID_LEAF, 0, leaf);
	vm->features = leaf[3];
	vm->gpa_bits = vmm__svm_gpa_bits();
	vm->tsc_khz = vmm__svm_calibrate(vm->host);
	vm->tsc_zero = vmm__svm_rdtsc();
	find_xsave(vm);
	vm->iopm = vmm__svm_alloc(vm, SVM_IOPM_BYTES, 4096);
	vm->msrpm = vmm__svm_alloc(vm, SVM_MSRPM_BYTES, 4096);
	if (!vm->iopm || !vm->msrpm)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_vm_create", 0, "no memory");
	vmm__svm_set_clock(vm, 0);
	r = vmm__svm_irq_init(vm, error);
	return r == 0 ? vmm__svm_memory_init(vm, error) : r;
}

static int vm_create(const struct vmm__services *services, const struct vmm_vm_config *config,
		     void **out, struct vmm_error *error)
{
	const struct vmm_host *host = services->host;
	struct vmm__svm_vm *vm;
	int r;

	if (config->engine_config)
		return vmm__fail(error, -VMM_EINVAL, "vmm_vm_create", 0,
				 "SVM takes no engine_config");
	vm = host->alloc(host->opaque, sizeof(*vm), 16);
	if (!vm)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_vm_create", 0, "no memory");
	vm->services = services;
	vm->host = host;
	vm->irqchip = config->irqchip;
	vm->flags = config->flags;
	vm->max_vcpus = config->max_vcpus;
	r = setup_vm(vm, error);
	if (r != 0) {
		vm_destroy(vm);
		return r;
	}
	*out = vm;
	return 0;
}

static int vm_seal(void *opaque, const struct vmm_x86_filter *msrs, uint32_t msr_count,
		   const struct vmm_x86_filter *ports, uint32_t port_count, struct vmm_error *error)
{
	return vmm__svm_filter(opaque, msrs, msr_count, ports, port_count, error);
}

static int vm_reset(void *opaque, struct vmm_error *error)
{
	struct vmm__svm_vm *vm = opaque;

	(void)error;
	vmm__irqchip_reset(&vm->chip);
	vm->tsc_zero = vmm__svm_rdtsc();
	vmm__svm_set_clock(vm, 0);
	return 0;
}

const struct vmm_engine *vmm_engine_svm(void)
{
	static const struct vmm_engine engine = {
		.name = "svm",
		.arch = VMM_ARCH_X86_64,
		.probe = probe,
		.cap = cap,
		.x86_cpu_model = vmm__svm_cpu_model,
		.vm_create = vm_create,
		.vm_destroy = vm_destroy,
		.vm_cap = vm_cap,
		.vm_seal = vm_seal,
		.vm_reset = vm_reset,
		.vm_clock_stop = vmm__svm_clock_stop,
		.mem_set = vmm__svm_mem_set,
		.mem_dirty = vmm__svm_mem_dirty,
		.irq_line = vmm__svm_irq_line,
		.msi = vmm__svm_msi,
		.pic_access = vmm__svm_pic_access,
		.vm_get_state = vmm__svm_vm_get_state,
		.vm_set_state = vmm__svm_vm_set_state,
		.x86_msr_list = vmm__svm_msr_list,
		.vcpu_create = vmm__svm_vcpu_create,
		.vcpu_destroy = vmm__svm_vcpu_destroy,
		.vcpu_seal = vmm__svm_vcpu_seal,
		.x86_get_cpuid = vmm__svm_get_cpuid,
		.vcpu_reset = vmm__svm_vcpu_reset,
		.run = vmm__svm_run,
		.complete = vmm__svm_complete,
		.kick = vmm__svm_kick,
		.wait = vmm__svm_wait,
		.inject = vmm__svm_inject,
		.request_window = vmm__svm_request_window,
		.state_size = vmm__svm_state_size,
		.get_state = vmm__svm_get_state,
		.set_state = vmm__svm_set_state,
		.debug = vmm__svm_debug,
		.translate = vmm__svm_translate,
	};

	return &engine;
}

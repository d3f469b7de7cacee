// SPDX-License-Identifier: BSD-2-Clause-Patent
/* What engines ask of the host, what they can do, and VMs. */
#include "native.h"
#include "x86_msr.h"

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

int vmm__native_check_services(const struct vmm_host *host, const char *engine,
			       struct vmm_error *error)
{
	const char *missing = missing_service(host);

	if (!missing)
		return 0;
	return vmm__fail(error, -VMM_ENODEV, engine, 0,
			 "the host does not own its CPUs: it has no %s()", missing);
}

int vmm__native_check_host(struct vmm_error *error)
{
	uint64_t cr4 = vmm__native_cr4();
	uint32_t r[4];

	vmm__native_cpuid(1, 0, r);
	if (!(cr4 & X86_CR4_OSFXSR))
		return vmm__fail(error, -VMM_ENOTSUP, "CR4", 0, "the host has CR4.OSFXSR clear");
	if ((r[2] & CPUID_1_ECX_XSAVE) && !(cr4 & X86_CR4_OSXSAVE))
		return vmm__fail(error, -VMM_ENOTSUP, "CR4", 0, "the host has CR4.OSXSAVE clear");
	if (!(vmm__native_rdmsr(X86_MSR_EFER) & BIT(11)))
		return vmm__fail(error, -VMM_ENOTSUP, "EFER", 0, "the host has EFER.NXE clear");
	return 0;
}

uint64_t vmm__native_cap(const struct vmm_host *host, uint32_t gpa_bits, uint32_t cap)
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
	case VMM_CAP_SW_BREAKPOINTS:
	case VMM_CAP_CLOCK:
	case VMM_CAP_SLICE:
	case VMM_CAP_PIC:
	case VMM_CAP_ALARM:
		return 1;
	case VMM_CAP_HW_BREAKPOINTS:
		return VMM_MAX_BREAKPOINTS;
	case VMM_CAP_TSC_KHZ:
		return vmm__native_calibrate(host);
	case VMM_CAP_XCR0:
		return vmm__native_xcr0_all();
	case VMM_CAP_GPA_BITS:
		return gpa_bits;
	case VMM_CAP_DEDICATED:
		return host->cpu_lend != NULL;
	default:
		return 0;
	}
}

int vmm__native_vm_cap(void *opaque, uint32_t cap, uint64_t *value)
{
	struct vmm__native_vm *vm = opaque;

	if (cap == VMM_CAP_TSC_KHZ)
		*value = vm->tsc_khz;
	else
		*value = vmm__native_cap(vm->host, vm->gpa_bits, cap);
	return 0;
}

void vmm__native_vm_destroy(void *opaque)
{
	struct vmm__native_vm *vm = opaque;

	vmm__native_memory_fini(vm);
	vmm__native_irq_fini(vm);
	vmm__native_free(vm, vm->iopm, SVM_IOPM_BYTES);
	vmm__native_free(vm, vm->msrpm, vm->ops->msrpm_bytes);
	for (uint32_t i = 0; i < 2; i++)
		vmm__native_free(vm, vm->partition_msrpm[i], vm->ops->msrpm_bytes);
	vmm__native_free(vm, vm->filters, vm->filter_count * sizeof(*vm->filters));
	vmm__native_free(vm, vm, vm->ops->vm_bytes);
}

/* Bytes of the XSAVE area with all that guests can have: APM3, appendix E.4.13. */
static void find_xsave(struct vmm__native_vm *vm)
{
	uint32_t r[4];

	vm->xall = vmm__native_xcr0_all();
	vm->fpu_bytes = 4096;
	if (vm->xall == 0)
		return;
	vmm__native_cpuid(0xd, 0, r);
	vm->fpu_bytes = r[2] > 4096 ? r[2] : 4096;
}

static uint32_t va_bits(void)
{
	uint32_t r[4];

	vmm__native_cpuid(0x80000008, 0, r);
	return (r[0] >> 8 & 0xff) == 57 ? 57 : 48;
}

static int setup_vm(struct vmm__native_vm *vm, struct vmm_error *error)
{
	struct vmm__pt_config paging = {0};
	int r;

	vm->ops->vm_init(vm, &paging);
	vm->tsc_khz = vmm__native_calibrate(vm->host);
	vm->tsc_zero = vmm__native_rdtsc();
	vm->va_bits = va_bits();
	find_xsave(vm);
	vm->iopm = vmm__native_alloc(vm, SVM_IOPM_BYTES, 4096);
	vm->msrpm = vmm__native_alloc(vm, vm->ops->msrpm_bytes, 4096);
	if (!vm->iopm || !vm->msrpm)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_vm_create", 0, "no memory");
	vmm__native_set_clock(vm, 0);
	r = vmm__native_irq_init(vm, error);
	return r == 0 ? vmm__native_memory_init(vm, &paging, error) : r;
}

int vmm__native_vm_create(const struct vmm__native_ops *ops, const struct vmm__services *services,
			  const struct vmm_vm_config *config, void **out, struct vmm_error *error)
{
	const struct vmm_host *host = services->host;
	struct vmm__native_vm *vm;
	int r;

	if (config->engine_config)
		return vmm__fail(error, -VMM_EINVAL, "vmm_vm_create", 0,
				 "the engine takes no engine_config");
	vm = host->alloc(host->opaque, ops->vm_bytes, 16);
	if (!vm)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_vm_create", 0, "no memory");
	vm->ops = ops;
	vm->services = services;
	vm->host = host;
	vm->irqchip = config->irqchip;
	vm->flags = config->flags;
	vm->max_vcpus = config->max_vcpus;
	atomic_store(&vm->alarm_ns, VMM_FOREVER);
	r = setup_vm(vm, error);
	if (r != 0) {
		vmm__native_vm_destroy(vm);
		return r;
	}
	*out = vm;
	return 0;
}

int vmm__native_vm_reset(void *opaque, struct vmm_error *error)
{
	struct vmm__native_vm *vm = opaque;

	(void)error;
	vmm__irqchip_reset(&vm->chip);
	vm->tsc_zero = vm->stopped ? vm->stopped_tsc : vmm__native_rdtsc();
	vmm__native_set_clock(vm, 0);
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The engine: what KVM there is, what it can do, and VMs. */
#include "kvm.h"
#include "libvmm/linux.h"
#include "x86_reset.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

static int code_of(int err)
{
	switch (err) {
	case EPERM:
	case EACCES:
		return -VMM_EPERM;
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return -VMM_ENODEV;
	case ENOMEM:
		return -VMM_ENOMEM;
	case EMFILE:
	case ENFILE:
	case ENOSPC:
	case E2BIG:
		return -VMM_ELIMIT;
	default:
		return -VMM_EIO;
	}
}

int vmm__kvm_fail(struct vmm_error *error, const char *call)
{
	int err = errno;

	return vmm__fail(error, code_of(err), call, err, "%s", strerror(err));
}

static int open_kvm(struct vmm_error *error, int *fd)
{
	*fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (*fd >= 0)
		return 0;
	switch (errno) {
	case ENOENT:
		return vmm__fail(error, -VMM_ENODEV, "open /dev/kvm", errno,
				 "/dev/kvm is missing: no hardware virtualisation here, or the "
				 "modules kvm and kvm_intel or kvm_amd are not loaded");
	case EACCES:
	case EPERM:
		return vmm__fail(error, -VMM_EPERM, "open /dev/kvm", errno,
				 "this user may not open /dev/kvm: join the group that owns it");
	default:
		return vmm__kvm_fail(error, "open /dev/kvm");
	}
}

static int extension(int fd, int cap)
{
	int r = ioctl(fd, KVM_CHECK_EXTENSION, cap);

	return r > 0 ? r : 0;
}

/* Without these nothing runs. Linux 6.1 has them all. */
static int check_needs(int fd, struct vmm_error *error)
{
	static const struct {
		int cap;
		const char *name;
	} needs[] = {
		{KVM_CAP_USER_MEMORY, "USER_MEMORY"},
		{KVM_CAP_IMMEDIATE_EXIT, "IMMEDIATE_EXIT"},
		{KVM_CAP_EXT_CPUID, "EXT_CPUID"},
		{KVM_CAP_SREGS2, "SREGS2"},
		{KVM_CAP_XSAVE2, "XSAVE2"},
		{KVM_CAP_DEBUGREGS, "DEBUGREGS"},
		{KVM_CAP_VCPU_EVENTS, "VCPU_EVENTS"},
		{KVM_CAP_EXCEPTION_PAYLOAD, "EXCEPTION_PAYLOAD"},
		{KVM_CAP_MP_STATE, "MP_STATE"},
		{KVM_CAP_GET_TSC_KHZ, "GET_TSC_KHZ"},
	};
	int version = ioctl(fd, KVM_GET_API_VERSION, 0);

	if (version != KVM_API_VERSION)
		return vmm__fail(error, -VMM_ENOTSUP, "KVM_GET_API_VERSION", 0,
				 "KVM's API version is %d, not %d", version, KVM_API_VERSION);
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		if (!extension(fd, needs[i].cap))
			return vmm__fail(error, -VMM_ENOTSUP, "KVM_CHECK_EXTENSION", 0,
					 "this KVM has no KVM_CAP_%s", needs[i].name);
	}
	return 0;
}

static int probe(const struct vmm_host *host, struct vmm_error *error)
{
	int fd, r = open_kvm(error, &fd);

	(void)host;
	if (r != 0)
		return r;
	r = check_needs(fd, error);
	close(fd);
	return r;
}

/* Can the kernel's controller be had: APICs, IOAPIC, routes and messages. */
static bool has_irqchip(int fd)
{
	return extension(fd, KVM_CAP_IRQCHIP) && extension(fd, KVM_CAP_IRQ_ROUTING) &&
	       extension(fd, KVM_CAP_SIGNAL_MSI);
}

static bool has_clock(int fd)
{
	return extension(fd, KVM_CAP_ADJUST_CLOCK) != 0;
}

static uint64_t max_vcpus(int fd)
{
	int most = extension(fd, KVM_CAP_MAX_VCPUS);

	return most ? (uint64_t)most : 4; /* api.rst 4.7 */
}

/* KVM keeps three internal slots out of KVM_CAP_NR_MEMSLOTS itself. */
static uint64_t max_mappings(int fd)
{
	int most = extension(fd, KVM_CAP_NR_MEMSLOTS);

	return most ? (uint64_t)most : 32;
}

static uint64_t query(const struct vmm_host *host, int fd, uint32_t cap)
{
	switch (cap) {
	case VMM_CAP_ARCH:
		return VMM_ARCH_X86_64;
	case VMM_CAP_MAX_VCPUS:
		return max_vcpus(fd);
	case VMM_CAP_MAX_MAPPINGS:
		return max_mappings(fd);
	case VMM_CAP_PAGE_SIZE:
		return 4096;
	case VMM_CAP_PROT_READONLY:
		return extension(fd, KVM_CAP_READONLY_MEM) != 0;
	case VMM_CAP_IRQCHIP_ARCH:
	case VMM_CAP_MSI:
	case VMM_CAP_PIC:
		return has_irqchip(fd);
	case VMM_CAP_EVENT_IRQ:
		return has_irqchip(fd) && extension(fd, KVM_CAP_IRQFD);
	case VMM_CAP_EVENT_DOORBELL:
		return extension(fd, KVM_CAP_IOEVENTFD) != 0;
	case VMM_CAP_IRQCHIP_NONE:
	case VMM_CAP_DIRTY:
	case VMM_CAP_TSC_SET:
	case VMM_CAP_EXIT_PC:
		return 1;
	case VMM_CAP_MSR_FILTER:
		return extension(fd, KVM_CAP_X86_MSR_FILTER) &&
		       extension(fd, KVM_CAP_X86_USER_SPACE_MSR);
	case VMM_CAP_SINGLE_STEP:
	case VMM_CAP_SW_BREAKPOINTS:
		return extension(fd, KVM_CAP_SET_GUEST_DEBUG) != 0;
	case VMM_CAP_HW_BREAKPOINTS:
		return extension(fd, KVM_CAP_SET_GUEST_DEBUG) ? VMM_MAX_BREAKPOINTS : 0;
	case VMM_CAP_TSC_SCALE:
		return extension(fd, KVM_CAP_TSC_CONTROL) != 0;
	case VMM_CAP_TSC_KHZ:
		return vmm__kvm_default_tsc_khz(fd);
	case VMM_CAP_XCR0:
		return vmm__kvm_xcr0(host, fd);
	case VMM_CAP_GPA_BITS:
		return vmm__kvm_gpa_bits(host, fd);
	case VMM_CAP_CLOCK:
		return has_clock(fd);
	default:
		return 0;
	}
}

static int cap(const struct vmm_host *host, uint32_t cap_, uint64_t *value, struct vmm_error *error)
{
	int fd, r = open_kvm(error, &fd);

	if (r != 0)
		return r;
	*value = query(host, fd, cap_);
	close(fd);
	return 0;
}

static int vm_cap(void *opaque, uint32_t cap_, uint64_t *value)
{
	struct vmm__kvm_vm *vm = opaque;

	*value = query(vm->services->host, vm->kvm_fd, cap_);
	return 0;
}

static void do_nothing(int signal)
{
	(void)signal;
}

/* See vmm_engine_kvm(): whoever uses the signal keeps its handler. */
static int prepare_signal(struct vmm_error *error)
{
	struct sigaction act;

	if (sigaction(SIGRTMAX - 1, NULL, &act) != 0)
		return vmm__kvm_fail(error, "sigaction");
	if (act.sa_flags & SA_SIGINFO || act.sa_handler != SIG_DFL)
		return 0;
	memset(&act, 0, sizeof(act));
	act.sa_handler = do_nothing;
	act.sa_flags = SA_RESTART;
	sigemptyset(&act.sa_mask);
	if (sigaction(SIGRTMAX - 1, &act, NULL) != 0)
		return vmm__kvm_fail(error, "sigaction");
	return 0;
}

/*
 * Four pages that Intel's KVM needs where the processor cannot run real mode by itself (api.rst
 * 4.36, 4.78): below the IOAPIC's neighbourhood, in the hole that no machine fills with memory.
 */
#define KVM_IDENTITY_MAP UINT64_C(0xfeffc000)
#define KVM_TSS          0xfeffd000UL

static int place_internals(struct vmm__kvm_vm *vm, struct vmm_error *error)
{
	uint64_t identity = KVM_IDENTITY_MAP;

	if (extension(vm->kvm_fd, KVM_CAP_SET_IDENTITY_MAP_ADDR) &&
	    ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity) != 0)
		return vmm__kvm_fail(error, "KVM_SET_IDENTITY_MAP_ADDR");
	if (extension(vm->kvm_fd, KVM_CAP_SET_TSS_ADDR) &&
	    ioctl(vm->fd, KVM_SET_TSS_ADDR, KVM_TSS) != 0)
		return vmm__kvm_fail(error, "KVM_SET_TSS_ADDR");
	return 0;
}

static int enable_events(struct vmm__kvm_vm *vm, struct vmm_error *error)
{
	struct kvm_enable_cap payload = {.cap = KVM_CAP_EXCEPTION_PAYLOAD, .args = {1}};
	struct kvm_enable_cap triple = {.cap = KVM_CAP_X86_TRIPLE_FAULT_EVENT, .args = {1}};

	if (ioctl(vm->fd, KVM_ENABLE_CAP, &payload) != 0)
		return vmm__kvm_fail(error, "KVM_CAP_EXCEPTION_PAYLOAD");
	vm->has_triple_fault = extension(vm->kvm_fd, KVM_CAP_X86_TRIPLE_FAULT_EVENT) &&
			       ioctl(vm->fd, KVM_ENABLE_CAP, &triple) == 0;
	return 0;
}

static void vm_destroy(void *opaque)
{
	struct vmm__kvm_vm *vm = opaque;

	vmm__kvm_free(vm, vm->slots, vm->slot_room * sizeof(*vm->slots));
	vmm__kvm_free_routes(vm);
	vmm__kvm_free(vm, vm->msrs, vm->msr_room * sizeof(*vm->msrs));
	vmm__kvm_free(vm, vm->filters, vm->filter_count * sizeof(*vm->filters));
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->kvm_fd >= 0)
		close(vm->kvm_fd);
	vmm__kvm_free(vm, vm, sizeof(*vm));
}

/* KVM_CREATE_VM is interrupted by signals on some kernels (mmu_notifier_register). */
static int create_fd(struct vmm__kvm_vm *vm, struct vmm_error *error)
{
	for (int tries = 0; tries < 100; tries++) {
		vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, 0);
		if (vm->fd >= 0)
			return 0;
		if (errno != EINTR)
			break;
	}
	return vmm__kvm_fail(error, "KVM_CREATE_VM");
}

static int setup_vm(struct vmm__kvm_vm *vm, struct vmm_error *error)
{
	int size, r = open_kvm(error, &vm->kvm_fd);

	if (r == 0)
		r = check_needs(vm->kvm_fd, error);
	if (r == 0)
		r = prepare_signal(error);
	if (r == 0)
		r = create_fd(vm, error);
	if (r != 0)
		return r;
	size = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (size < (int)sizeof(struct kvm_run))
		return vmm__kvm_fail(error, "KVM_GET_VCPU_MMAP_SIZE");
	vm->run_size = (size_t)size;
	size = extension(vm->fd, KVM_CAP_XSAVE2);
	vm->xsave_size =
		size < (int)sizeof(struct kvm_xsave) ? sizeof(struct kvm_xsave) : (size_t)size;
	r = place_internals(vm, error);
	if (r == 0)
		r = enable_events(vm, error);
	if (r == 0 && vm->irqchip == VMM_IRQCHIP_ARCH)
		r = vmm__kvm_irqchip_create(vm, error);
	return r;
}

static int vm_create(const struct vmm__services *services, const struct vmm_vm_config *config,
		     void **out, struct vmm_error *error)
{
	const struct vmm_host *host = services->host;
	struct vmm__kvm_vm *vm;
	int r;

	if ((config->flags & VMM_VM_EXIT_HLT) && config->irqchip == VMM_IRQCHIP_ARCH)
		return vmm__fail(error, -VMM_ENOTSUP, "vmm_vm_create", 0,
				 "KVM's own controller handles HLT: VMM_VM_EXIT_HLT needs "
				 "VMM_IRQCHIP_NONE");
	if (config->engine_config)
		return vmm__fail(error, -VMM_EINVAL, "vmm_vm_create", 0,
				 "KVM takes no engine_config");
	vm = host->alloc(host->opaque, sizeof(*vm), 16);
	if (!vm)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_vm_create", 0, "no memory");
	vm->services = services;
	vm->kvm_fd = vm->fd = -1;
	vm->tsc_zero = __rdtsc();
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
	struct vmm__kvm_vm *vm = opaque;

	(void)ports;
	(void)port_count;
	/* Once set a filter stays: an empty one undoes that of a sealing that failed later. */
	if (msr_count == 0 && vm->filter_count == 0)
		return 0;
	return vmm__kvm_filter(vm, msrs, msr_count, error);
}

static int vm_reset(void *opaque, struct vmm_error *error)
{
	struct vmm__kvm_vm *vm = opaque;
	struct kvm_clock_data clock = {0};
	int r = vm->irqchip == VMM_IRQCHIP_ARCH ? vmm__kvm_irqchip_reset(vm, error) : 0;

	if (r != 0)
		return r;
	if (ioctl(vm->fd, KVM_SET_CLOCK, &clock) != 0)
		return vmm__kvm_fail(error, "KVM_SET_CLOCK");
	vm->stopped_clock = 0;
	vm->tsc_zero = vm->stopped ? vm->stopped_tsc : __rdtsc();
	return 0;
}

const struct vmm_engine *vmm_engine_kvm(void)
{
	static const struct vmm_engine engine = {
		.name = "kvm",
		.arch = VMM_ARCH_X86_64,
		.probe = probe,
		.cap = cap,
		.x86_cpu_model = vmm__kvm_cpu_model,
		.vm_create = vm_create,
		.vm_destroy = vm_destroy,
		.vm_cap = vm_cap,
		.vm_seal = vm_seal,
		.vm_reset = vm_reset,
		.vm_clock_stop = vmm__kvm_clock_stop,
		.mem_set = vmm__kvm_mem_set,
		.mem_dirty = vmm__kvm_mem_dirty,
		.irq_line = vmm__kvm_irq_line,
		.msi = vmm__kvm_msi,
		.event_attach = vmm__kvm_event_attach,
		.event_detach = vmm__kvm_event_detach,
		.doorbell_add = vmm__kvm_doorbell_add,
		.doorbell_remove = vmm__kvm_doorbell_remove,
		.vm_get_state = vmm__kvm_vm_get_state,
		.vm_set_state = vmm__kvm_vm_set_state,
		.x86_msr_list = vmm__kvm_msr_list,
		.vcpu_create = vmm__kvm_vcpu_create,
		.vcpu_destroy = vmm__kvm_vcpu_destroy,
		.vcpu_seal = vmm__kvm_vcpu_seal,
		.x86_get_cpuid = vmm__kvm_get_cpuid,
		.vcpu_reset = vmm__kvm_vcpu_reset,
		.run = vmm__kvm_run,
		.complete = vmm__kvm_complete,
		.kick = vmm__kvm_kick,
		.inject = vmm__kvm_inject,
		.request_window = vmm__kvm_request_window,
		.state_size = vmm__kvm_state_size,
		.get_state = vmm__kvm_get_state,
		.set_state = vmm__kvm_set_state,
		.debug = vmm__kvm_debug,
		.translate = vmm__kvm_translate,
	};

	return &engine;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "core.h"

#define KNOWN_FLAGS \
	(VMM_VM_EXIT_PC | VMM_VM_EXIT_INSN_LEN | VMM_VM_EXIT_HLT | VMM_VM_PIC | VMM_VM_IPI_DIRECT)

static int service_read(struct vmm_vm *vm, uint64_t gpa, void *buf, size_t len)
{
	return vmm_vm_read(vm, gpa, buf, len);
}

static int service_write(struct vmm_vm *vm, uint64_t gpa, const void *buf, size_t len)
{
	return vmm_vm_write(vm, gpa, buf, len);
}

static void service_log(struct vmm_vm *vm, uint32_t level, const char *text)
{
	vmm__log(vm->ctx, level, "%s: %s", vm->engine->name, text);
}

static void service_awake(struct vmm_vm *vm, uint32_t index)
{
	struct vmm_vcpu *vcpu = vmm__vcpu(vm, index);

	if (vcpu != NULL)
		vmm__vcpu_awake(vcpu);
}

static int query(struct vmm_vm *vm, uint32_t cap, uint64_t *value)
{
	*value = 0;
	return vm->engine->vm_cap(vm->backend, cap, value);
}

static int check_config(struct vmm_ctx *ctx, const struct vmm_vm_config *config)
{
	const char *call = "vmm_vm_create";

	if ((config->flags & ~KNOWN_FLAGS) != 0 || config->reserved != 0)
		return vmm__ctx_fail(ctx, -VMM_EINVAL, call, "unknown flags 0x%x", config->flags);
	if (config->irqchip > VMM_IRQCHIP_ARCH || config->clock > VMM_CLOCK_STOPS)
		return vmm__ctx_fail(ctx, -VMM_EINVAL, call, "irqchip %u, clock %u",
				     config->irqchip, config->clock);
	if ((config->flags & VMM_VM_PIC) != 0 && config->irqchip != VMM_IRQCHIP_ARCH)
		return vmm__ctx_fail(ctx, -VMM_EINVAL, call, "VMM_VM_PIC without VMM_IRQCHIP_ARCH");
	if (config->max_vcpus == 0)
		return vmm__ctx_fail(ctx, -VMM_EINVAL, call, "max_vcpus is 0");
	return 0;
}

/* What is asked for and the engine on this host lacks. */
static int check_caps(struct vmm_ctx *ctx, const struct vmm_engine *engine,
		      const struct vmm_vm_config *config)
{
	const struct {
		bool asked;
		uint32_t cap;
		const char *what;
	} needs[] = {
		{config->irqchip == VMM_IRQCHIP_NONE, VMM_CAP_IRQCHIP_NONE, "VMM_IRQCHIP_NONE"},
		{config->irqchip == VMM_IRQCHIP_ARCH, VMM_CAP_IRQCHIP_ARCH, "VMM_IRQCHIP_ARCH"},
		{(config->flags & VMM_VM_EXIT_PC) != 0, VMM_CAP_EXIT_PC, "VMM_VM_EXIT_PC"},
		{(config->flags & VMM_VM_EXIT_INSN_LEN) != 0, VMM_CAP_EXIT_INSN_LEN,
		 "VMM_VM_EXIT_INSN_LEN"},
		{(config->flags & VMM_VM_PIC) != 0, VMM_CAP_PIC, "VMM_VM_PIC"},
	};
	struct vmm_error error;
	uint64_t value = 0;

	vmm__error_init(&error);
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		value = 0;
		if (needs[i].asked &&
		    (engine->cap(&ctx->host, needs[i].cap, &value, &error) != 0 || value == 0))
			return vmm__ctx_fail(ctx, -VMM_ENOTSUP, "vmm_vm_create",
					     "engine %s has no %s", engine->name, needs[i].what);
	}
	value = 0;
	if (engine->cap(&ctx->host, VMM_CAP_MAX_VCPUS, &value, &error) != 0 ||
	    config->max_vcpus > value)
		return vmm__ctx_fail(ctx, -VMM_ELIMIT, "vmm_vm_create",
				     "%u vCPUs wanted, engine %s can have %llu", config->max_vcpus,
				     engine->name, (unsigned long long)value);
	return 0;
}

static size_t reader_slots(const struct vmm_vm *vm)
{
	return VMM__SHARED_READERS + (size_t)vm->max_vcpus;
}

static int alloc_parts(struct vmm_vm *vm)
{
	size_t slots = reader_slots(vm);

	vm->vcpus = vmm__alloc(vm->ctx, vm->max_vcpus * sizeof(*vm->vcpus), sizeof(void *));
	vm->readers.slots = vmm__alloc(vm->ctx, slots * sizeof(*vm->readers.slots),
				       _Alignof(struct vmm__reader_slot));
	vm->readers.slot_count = (uint32_t)slots;
	if (vm->vcpus == NULL || vm->readers.slots == NULL || vmm__bus_init(vm) != 0 ||
	    vmm__view_init(vm) != 0)
		return vmm__ctx_fail(vm->ctx, -VMM_ENOMEM, "vmm_vm_create",
				     "no memory for a VM of %u vCPUs", vm->max_vcpus);
	return 0;
}

/* Whatever there is of a VM whose vCPUs and engine part are gone. */
static void free_vm(struct vmm_vm *vm)
{
	struct vmm_ctx *ctx = vm->ctx;

	vmm__bus_fini(vm);
	vmm__view_fini(vm);
	vmm__free(ctx, vm->msrs, vm->msr_count * sizeof(*vm->msrs));
	vmm__free(ctx, vm->ports, vm->port_count * sizeof(*vm->ports));
	vmm__free(ctx, vm->readers.slots, reader_slots(vm) * sizeof(*vm->readers.slots));
	vmm__free(ctx, vm->vcpus, vm->max_vcpus * sizeof(*vm->vcpus));
	vmm__free(ctx, vm, sizeof(*vm));
	atomic_fetch_sub(&ctx->users, 1);
}

/* What the core itself has to know of the engine. */
static int learn_limits(struct vmm_vm *vm)
{
	uint64_t page = 0;

	if (query(vm, VMM_CAP_PAGE_SIZE, &page) != 0 || query(vm, VMM_CAP_ARCH, &vm->arch) != 0 ||
	    query(vm, VMM_CAP_GPA_BITS, &vm->gpa_bits) != 0 ||
	    query(vm, VMM_CAP_MAX_MAPPINGS, &vm->max_mappings) != 0 || page < VMM__MEM_PAGE ||
	    !vmm__is_pow2(page))
		return vmm__ctx_fail(vm->ctx, -VMM_EBUG, "vmm_vm_create",
				     "engine %s does not know its own limits", vm->engine->name);
	while (UINT64_C(1) << vm->page_shift < page)
		vm->page_shift++;
	return 0;
}

static int create_backend(struct vmm_vm *vm, const struct vmm_vm_config *config)
{
	struct vmm_error error;

	vm->services = (struct vmm__services){
		.host = vm->host,
		.core = vm,
		.read = service_read,
		.write = service_write,
		.log = service_log,
		.awake = service_awake,
	};
	vmm__error_init(&error);
	int r = vm->engine->vm_create(&vm->services, config, &vm->backend, &error);
	if (r == 0)
		return 0;
	vm->backend = NULL;
	if (error.code != r)
		vmm__fail(&error, r, "vmm_vm_create", 0, "engine %s", vm->engine->name);
	return vmm__keep(vm->ctx, &vm->ctx->detail, &error);
}

int vmm_vm_create(struct vmm_ctx *ctx, const struct vmm_vm_config *user_config, struct vmm_vm **out)
{
	const struct vmm_engine *engine;
	struct vmm_vm_config config;

	if (ctx == NULL || out == NULL)
		return -VMM_EINVAL;
	*out = NULL;
	if (vmm__take_struct(&config, sizeof(config), user_config) != 0)
		return vmm__ctx_fail(ctx, -VMM_EINVAL, "vmm_vm_create",
				     "no configuration, or one of a size unknown here");
	int r = check_config(ctx, &config);
	if (r == 0)
		r = vmm__ctx_engine(ctx, config.engine, "vmm_vm_create", &engine);
	if (r == 0)
		r = check_caps(ctx, engine, &config);
	if (r != 0)
		return r;

	struct vmm_vm *vm = vmm__alloc(ctx, sizeof(*vm), _Alignof(struct vmm_vm));
	if (vm == NULL)
		return vmm__ctx_fail(ctx, -VMM_ENOMEM, "vmm_vm_create", "no memory for the VM");
	atomic_fetch_add(&ctx->users, 1);
	vm->ctx = ctx;
	vm->host = &ctx->host;
	vm->engine = engine;
	vm->flags = config.flags;
	vm->irqchip = config.irqchip;
	vm->max_vcpus = config.max_vcpus;
	vm->clock = config.clock;
	atomic_store(&vm->alarm_ns, VMM_FOREVER);
	vmm__error_init(&vm->detail.last);
	r = alloc_parts(vm);
	if (r == 0)
		r = create_backend(vm, &config);
	if (r == 0)
		r = learn_limits(vm);
	if (r == 0)
		r = vmm__pic_add_ports(vm);
	if (r != 0) {
		if (vm->backend != NULL)
			engine->vm_destroy(vm->backend);
		free_vm(vm);
		return r;
	}
	*out = vm;
	return 0;
}

/* Under vm->lock. */
static int seal_vcpus(struct vmm_vm *vm, struct vmm_error *error)
{
	for (uint32_t i = 0; i < vm->max_vcpus; i++) {
		struct vmm_vcpu *vcpu = vmm__vcpu(vm, i);
		int r;

		if (vcpu == NULL)
			continue;
		r = vm->engine->vcpu_seal(vcpu->backend, vcpu->cpuid, vcpu->cpuid_count, error);
		if (r == 0)
			r = vm->engine->vcpu_reset(vcpu->backend, error);
		if (r != 0)
			return r;
	}
	return 0;
}

static int seal(struct vmm_vm *vm)
{
	const char *call = "vmm_vm_seal";
	struct vmm_error error;

	if (atomic_load(&vm->sealed))
		return vmm__vm_fail(vm, -VMM_ESTATE, call, "the VM is sealed already");
	if (vm->vcpu_count == 0)
		return vmm__vm_fail(vm, -VMM_ESTATE, call, "the VM has no vCPU");
	vmm__error_init(&error);
	int r = vm->engine->vm_seal(vm->backend, vm->msrs, vm->msr_count, vm->ports, vm->port_count,
				    &error);
	if (r == 0)
		r = seal_vcpus(vm, &error);
	if (r != 0)
		return vmm__vm_pass(vm, r, call, &error);
	vmm__window_update(vm);
	atomic_store(&vm->sealed, 1);
	for (uint32_t i = 0; i < vm->max_vcpus; i++) {
		struct vmm_vcpu *vcpu = vmm__vcpu(vm, i);

		if (vcpu != NULL)
			atomic_fetch_and(&vcpu->control, ~VMM__REQ_UNSEALED);
	}
	return 0;
}

int vmm_vm_seal(struct vmm_vm *vm)
{
	if (vm == NULL)
		return -VMM_EINVAL;
	vmm__lock(vm->host, &vm->lock);
	int r = seal(vm);
	vmm__unlock(vm->host, &vm->lock);
	return r;
}

/* Under vm->lock, with all vCPUs taken. */
static int reset(struct vmm_vm *vm)
{
	struct vmm_error error;

	vmm__error_init(&error);
	int r = vm->engine->vm_reset(vm->backend, &error);
	for (uint32_t i = 0; i < vm->max_vcpus && r == 0; i++) {
		struct vmm_vcpu *vcpu = vmm__vcpu(vm, i);

		if (vcpu == NULL)
			continue;
		r = vm->engine->vcpu_reset(vcpu->backend, &error);
		vcpu->last_reason = VMM_EXIT_NONE;
		atomic_fetch_and(&vcpu->control, ~(VMM__REQ_KICK | VMM__REQ_PREEMPT));
	}
	return r == 0 ? 0 : vmm__vm_pass(vm, r, "vmm_vm_reset", &error);
}

int vmm_vm_reset(struct vmm_vm *vm)
{
	const char *call = "vmm_vm_reset";
	int r;

	if (vm == NULL)
		return -VMM_EINVAL;
	vmm__lock(vm->host, &vm->lock);
	if (!atomic_load(&vm->sealed)) {
		r = vmm__vm_fail(vm, -VMM_ESTATE, call, "the VM is not sealed");
	} else if (vmm__vcpus_take(vm) != 0) {
		r = vmm__vm_fail(vm, -VMM_EBUSY, call, "a vCPU runs");
	} else {
		r = reset(vm);
		vmm__vcpus_give(vm);
	}
	vmm__unlock(vm->host, &vm->lock);
	return r;
}

/* The vCPUs stay taken: nobody gets in any more. */
int vmm_vm_destroy(struct vmm_vm *vm)
{
	if (vm == NULL)
		return 0;
	vmm__lock(vm->host, &vm->lock);
	int r = vmm__vcpus_take(vm);
	vmm__unlock(vm->host, &vm->lock);
	if (r != 0)
		return vmm__vm_fail(vm, r, "vmm_vm_destroy", "a vCPU runs: kick it and wait");

	vmm__events_fini(vm);
	vmm__bus_release(vm);
	for (uint32_t i = 0; i < vm->max_vcpus; i++)
		vmm__vcpu_free(vmm__vcpu(vm, i));
	vm->engine->vm_destroy(vm->backend);
	free_vm(vm);
	return 0;
}

int vmm_vm_cap(struct vmm_vm *vm, uint32_t cap, uint64_t *value)
{
	if (vm == NULL || value == NULL)
		return -VMM_EINVAL;
	return query(vm, cap, value);
}

const char *vmm_vm_engine(struct vmm_vm *vm)
{
	return vm->engine->name;
}

int vmm_vm_error(struct vmm_vm *vm, struct vmm_error *error)
{
	return vm == NULL ? -VMM_EINVAL : vmm__detail_get(vm->ctx, &vm->detail, error);
}

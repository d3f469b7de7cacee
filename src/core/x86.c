// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The part of an x86 configuration that is chosen before sealing: CPUID tables, MSR and port
 * filters. The engine sees all of it at once when sealing.
 */
#include "core.h"

#define PORTS UINT64_C(0x10000)

/* Replace the array *@old of *@old_count elements by a copy of @from. Under vm->lock. */
static int replace(struct vmm_vm *vm, void **old, uint32_t *old_count, const void *from,
		   uint32_t count, size_t element)
{
	void *copy = NULL;

	if (count != 0) {
		copy = vmm__alloc(vm->ctx, count * element, sizeof(uint64_t));
		if (copy == NULL)
			return -VMM_ENOMEM;
		memcpy(copy, from, count * element);
	}
	vmm__free(vm->ctx, *old, *old_count * element);
	*old = copy;
	*old_count = count;
	return 0;
}

int vmm_vcpu_x86_set_cpuid(struct vmm_vcpu *vcpu, const struct vmm_x86_cpuid *entries,
			   uint32_t count)
{
	const char *call = "vmm_vcpu_x86_set_cpuid";
	int r;

	if (vcpu == NULL || entries == NULL || count == 0)
		return -VMM_EINVAL;
	struct vmm_vm *vm = vcpu->vm;
	if (count > VMM__MAX_CPUID)
		return vmm__vcpu_fail(vcpu, -VMM_ELIMIT, call, "%u entries, at most %u", count,
				      VMM__MAX_CPUID);
	for (uint32_t i = 0; i < count; i++) {
		if ((entries[i].flags & ~VMM_X86_CPUID_SUBLEAF) != 0 || entries[i].reserved != 0)
			return vmm__vcpu_fail(vcpu, -VMM_EINVAL, call, "entry %u has flags 0x%x", i,
					      entries[i].flags);
	}
	vmm__lock(vm->host, &vm->lock);
	if (atomic_load(&vm->sealed)) {
		r = vmm__vcpu_fail(vcpu, -VMM_ESTATE, call, "the VM is sealed");
	} else {
		void *table = vcpu->cpuid;

		r = replace(vm, &table, &vcpu->cpuid_count, entries, count, sizeof(*entries));
		vcpu->cpuid = table;
		if (r != 0)
			vmm__vcpu_fail(vcpu, r, call, "no memory for %u entries", count);
	}
	vmm__unlock(vm->host, &vm->lock);
	return r;
}

/* Under vm->lock. Before sealing: what has been set, which may be nothing. */
static int get_cpuid(struct vmm_vcpu *vcpu, struct vmm_x86_cpuid *entries, uint32_t *count)
{
	const struct vmm_engine *engine = vcpu->vm->engine;

	if (atomic_load(&vcpu->vm->sealed) && engine->x86_get_cpuid != NULL)
		return engine->x86_get_cpuid(vcpu->backend, entries, count);
	uint32_t room = entries == NULL ? 0 : *count;
	*count = vcpu->cpuid_count;
	if (entries == NULL)
		return 0;
	if (room < vcpu->cpuid_count)
		return -VMM_ESIZE;
	if (vcpu->cpuid_count != 0)
		memcpy(entries, vcpu->cpuid, vcpu->cpuid_count * sizeof(*entries));
	return 0;
}

int vmm_vcpu_x86_get_cpuid(struct vmm_vcpu *vcpu, struct vmm_x86_cpuid *entries, uint32_t *count)
{
	if (vcpu == NULL || count == NULL)
		return -VMM_EINVAL;
	struct vmm_vm *vm = vcpu->vm;
	vmm__lock(vm->host, &vm->lock);
	int r = get_cpuid(vcpu, entries, count);
	vmm__unlock(vm->host, &vm->lock);
	return r == 0 ? 0
		      : vmm__vcpu_fail(vcpu, r, "vmm_vcpu_x86_get_cpuid",
				       "the table has %u entries", *count);
}

static int check_filters(struct vmm_vm *vm, const char *call, const struct vmm_x86_filter *filters,
			 uint32_t count, uint64_t end)
{
	if (count > VMM__MAX_FILTERS)
		return vmm__vm_fail(vm, -VMM_ELIMIT, call, "%u runs, at most %u", count,
				    VMM__MAX_FILTERS);
	if (count != 0 && filters == NULL)
		return vmm__vm_fail(vm, -VMM_EINVAL, call, "no runs");
	for (uint32_t i = 0; i < count; i++) {
		const struct vmm_x86_filter *f = &filters[i];

		if (f->count == 0 || f->access == 0 ||
		    (f->access & ~(VMM_FILTER_READ | VMM_FILTER_WRITE)) != 0 ||
		    f->action > VMM_FILTER_DENY)
			return vmm__vm_fail(vm, -VMM_EINVAL, call,
					    "run %u: count %u, access 0x%x, action %u", i, f->count,
					    f->access, f->action);
		if (!vmm__range_within(f->first, f->count, end))
			return vmm__vm_fail(vm, -VMM_ERANGE, call, "run %u: 0x%x and %u more", i,
					    f->first, f->count - 1);
	}
	return 0;
}

/* Whether any run has an action that is not @free, the one which needs no capability. */
static bool needs_cap(const struct vmm_x86_filter *filters, uint32_t count, bool ports)
{
	for (uint32_t i = 0; i < count; i++) {
		bool allow = filters[i].action == VMM_FILTER_ALLOW;

		if (ports ? allow : !allow)
			return true;
	}
	return false;
}

static int filter(struct vmm_vm *vm, const char *call, const struct vmm_x86_filter *filters,
		  uint32_t count, bool ports)
{
	uint64_t able = 0;
	int r = check_filters(vm, call, filters, count, ports ? PORTS : UINT64_C(1) << 32);

	if (r != 0)
		return r;
	if (needs_cap(filters, count, ports) &&
	    (vmm_vm_cap(vm, ports ? VMM_CAP_PORT_DIRECT : VMM_CAP_MSR_FILTER, &able) != 0 || !able))
		return vmm__vm_fail(vm, -VMM_ENOTSUP, call, "engine %s cannot", vm->engine->name);
	vmm__lock(vm->host, &vm->lock);
	if (atomic_load(&vm->sealed)) {
		r = vmm__vm_fail(vm, -VMM_ESTATE, call, "the VM is sealed");
	} else {
		void *table = ports ? vm->ports : vm->msrs;

		r = replace(vm, &table, ports ? &vm->port_count : &vm->msr_count, filters, count,
			    sizeof(*filters));
		if (ports)
			vm->ports = table;
		else
			vm->msrs = table;
		if (r != 0)
			vmm__vm_fail(vm, r, call, "no memory for %u runs", count);
	}
	vmm__unlock(vm->host, &vm->lock);
	return r;
}

int vmm_vm_x86_filter_msrs(struct vmm_vm *vm, const struct vmm_x86_filter *filters, uint32_t count)
{
	return vm == NULL ? -VMM_EINVAL
			  : filter(vm, "vmm_vm_x86_filter_msrs", filters, count, false);
}

int vmm_vm_x86_filter_ports(struct vmm_vm *vm, const struct vmm_x86_filter *filters, uint32_t count)
{
	return vm == NULL ? -VMM_EINVAL
			  : filter(vm, "vmm_vm_x86_filter_ports", filters, count, true);
}

static uint32_t port_action(const struct vmm_vm *vm, uint64_t port, uint32_t access)
{
	for (uint32_t i = vm->port_count; i-- > 0;) { /* the later wins */
		const struct vmm_x86_filter *f = &vm->ports[i];

		if ((f->access & access) && port >= f->first && port - f->first < f->count)
			return f->action;
	}
	return VMM_FILTER_EXIT;
}

bool vmm__port_denied(const struct vmm_vm *vm, uint64_t port, uint32_t width, uint32_t access)
{
	for (uint32_t i = 0; i < width; i++) {
		if (port_action(vm, port + i, access) == VMM_FILTER_DENY)
			return true;
	}
	return false;
}

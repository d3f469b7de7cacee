// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "core.h"

#define PORTS UINT64_C(0x10000)

struct vmm_doorbell *vmm__bell_find(const struct vmm__bus_view *view, uint32_t space, uint64_t addr,
				    uint32_t width, uint64_t value)
{
	for (size_t i = 0; i < view->bell_count; i++) {
		const struct vmm_doorbell_config *c = &view->bells[i]->config;

		if (c->addr == addr && c->space == space && (c->width == 0 || c->width == width) &&
		    (!(c->flags & VMM_DOORBELL_MATCH) || c->data == value))
			return view->bells[i];
	}
	return NULL;
}

/* A write can ring both. */
static bool conflict(const struct vmm_doorbell_config *a, const struct vmm_doorbell_config *b)
{
	if (a->space != b->space || a->addr != b->addr)
		return false;
	if (a->width == 0 || b->width == 0)
		return true;
	return a->width == b->width &&
	       (!(a->flags & b->flags & VMM_DOORBELL_MATCH) || a->data == b->data);
}

static int check_config(struct vmm_vm *vm, const char *call,
			const struct vmm_doorbell_config *config)
{
	bool match = (config->flags & VMM_DOORBELL_MATCH) != 0;
	bool port = config->space == VMM_SPACE_PORT;
	uint32_t widest = port ? 4 : 8;

	if (config->space > VMM_SPACE_PORT || (config->flags & ~VMM_DOORBELL_MATCH) != 0 ||
	    config->width > widest || (config->width == 0 && (match || port)) ||
	    (config->width != 0 && !vmm__is_pow2(config->width)))
		return vmm__vm_fail(vm, -VMM_EINVAL, call, "space %u, width %u, flags 0x%x",
				    config->space, config->width, config->flags);
	if (match && config->width < 8 && config->data >> (8 * config->width) != 0)
		return vmm__vm_fail(vm, -VMM_EINVAL, call, "data 0x%llx in %u bytes",
				    (unsigned long long)config->data, config->width);
	if (!vmm__range_within(config->addr, config->width, port ? PORTS : UINT64_MAX))
		return vmm__vm_fail(vm, -VMM_EINVAL, call, "address 0x%llx",
				    (unsigned long long)config->addr);
	if (vm->host->event_signal == NULL)
		return vmm__vm_fail(vm, -VMM_ENOTSUP, call, "the host has no events");
	return 0;
}

/* Under vm->lock: let the engine ring it, if it can. */
static int offer(struct vmm_vm *vm, const char *call, struct vmm_doorbell *bell)
{
	struct vmm_error error;

	if (vm->engine->doorbell_add == NULL)
		return 0;
	vmm__error_init(&error);
	int r = vm->engine->doorbell_add(vm->backend, &bell->config, &error);
	bell->by_engine = r == 0;
	return r == 0 || r == -VMM_ENOTSUP ? 0 : vmm__vm_pass(vm, r, call, &error);
}

/* Under vm->lock. */
static int insert(struct vmm_vm *vm, const char *call, struct vmm_doorbell *bell)
{
	const struct vmm__bus_edit edit = {.add_bell = bell};
	int r = 0;

	vmm__lock(vm->host, &vm->bus.lock);
	const struct vmm__bus_view *view = atomic_load(&vm->bus.view);
	for (size_t i = 0; i < view->bell_count && r == 0; i++) {
		if (conflict(&view->bells[i]->config, &bell->config))
			r = vmm__vm_fail(vm, -VMM_EEXIST, call, "there is one at 0x%llx",
					 (unsigned long long)bell->config.addr);
	}
	if (r == 0)
		r = offer(vm, call, bell);
	if (r == 0 && vmm__bus_change(vm, &edit) != 0) {
		if (bell->by_engine)
			vm->engine->doorbell_remove(vm->backend, &bell->config);
		r = vmm__vm_fail(vm, -VMM_ENOMEM, call, "no memory for the bus");
	}
	vmm__unlock(vm->host, &vm->bus.lock);
	return r;
}

int vmm_doorbell_add(struct vmm_vm *vm, const struct vmm_doorbell_config *config,
		     struct vmm_doorbell **out)
{
	const char *call = "vmm_doorbell_add";
	struct vmm_doorbell_config own;

	if (vm == NULL || out == NULL)
		return -VMM_EINVAL;
	*out = NULL;
	if (vmm__take_struct(&own, sizeof(own), config) != 0)
		return vmm__vm_fail(vm, -VMM_EINVAL, call,
				    "no configuration, or one of a size unknown here");
	int r = check_config(vm, call, &own);
	if (r != 0)
		return r;
	struct vmm_doorbell *bell =
		vmm__alloc(vm->ctx, sizeof(*bell), _Alignof(struct vmm_doorbell));
	if (bell == NULL)
		return vmm__vm_fail(vm, -VMM_ENOMEM, call, "no memory for the doorbell");
	bell->vm = vm;
	bell->config = own;
	vmm__lock(vm->host, &vm->lock);
	r = insert(vm, call, bell);
	vmm__unlock(vm->host, &vm->lock);
	if (r == 0)
		*out = bell;
	else
		vmm__free(vm->ctx, bell, sizeof(*bell));
	return r;
}

void vmm__bell_release(struct vmm_doorbell *bell)
{
	struct vmm_vm *vm = bell->vm;

	vmm__lock(vm->host, &vm->lock);
	if (bell->by_engine)
		vm->engine->doorbell_remove(vm->backend, &bell->config);
	vmm__unlock(vm->host, &vm->lock);
	vmm__free(vm->ctx, bell, sizeof(*bell));
}

void vmm_doorbell_remove(struct vmm_doorbell *bell)
{
	if (bell == NULL)
		return;
	struct vmm_vm *vm = bell->vm;
	const struct vmm__bus_edit edit = {.drop_bell = bell};
	vmm__lock(vm->host, &vm->bus.lock);
	vmm__bus_change(vm, &edit);
	vmm__unlock(vm->host, &vm->bus.lock);
	vmm__bell_release(bell);
}

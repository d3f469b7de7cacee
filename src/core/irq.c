// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "core.h"

/* Pins of the one IOAPIC that VMM_IRQCHIP_ARCH is on x86 (82093AA). */
#define X86_LINES 24

/* x86 interrupt messages go to 0xfee00000-0xfeefffff (SDM 3A 11.11.1); what stands above bit 31 is
 * the high part of an extended destination. */
#define X86_MSI_BASE UINT64_C(0xfee00000)
#define X86_MSI_MASK UINT64_C(0xfff00000)

static int check_controller(struct vmm_vm *vm, const char *call)
{
	if (vm->irqchip != VMM_IRQCHIP_ARCH)
		return vmm__vm_fail(vm, -VMM_ENOTSUP, call, "the VM has no interrupt controller");
	if (!atomic_load(&vm->sealed))
		return vmm__vm_fail(vm, -VMM_ESTATE, call, "the VM is not sealed");
	return 0;
}

static int check_line(struct vmm_vm *vm, const char *call, uint32_t gsi)
{
	if (vm->arch == VMM_ARCH_X86_64 && gsi >= X86_LINES)
		return vmm__vm_fail(vm, -VMM_ERANGE, call, "gsi %u, there are %u", gsi, X86_LINES);
	return 0;
}

static int check_message(struct vmm_vm *vm, const char *call, uint64_t addr)
{
	if (vm->arch == VMM_ARCH_X86_64 && (addr & X86_MSI_MASK) != X86_MSI_BASE)
		return vmm__vm_fail(vm, -VMM_EINVAL, call, "0x%llx is no interrupt message address",
				    (unsigned long long)addr);
	return 0;
}

int vmm_vm_irq_line(struct vmm_vm *vm, uint32_t gsi, uint32_t level)
{
	const char *call = "vmm_vm_irq_line";

	if (vm == NULL)
		return -VMM_EINVAL;
	int r = check_controller(vm, call);
	if (r == 0)
		r = check_line(vm, call, gsi);
	if (r != 0)
		return r;
	r = vm->engine->irq_line == NULL ? -VMM_ENOTSUP
					 : vm->engine->irq_line(vm->backend, gsi, level != 0);
	return r == 0 ? 0 : vmm__vm_fail(vm, r, call, "gsi %u to %u", gsi, level);
}

int vmm_vm_msi(struct vmm_vm *vm, uint64_t addr, uint32_t data, uint32_t device_id)
{
	const char *call = "vmm_vm_msi";

	if (vm == NULL)
		return -VMM_EINVAL;
	int r = check_controller(vm, call);
	if (r == 0)
		r = check_message(vm, call, addr);
	if (r != 0)
		return r;
	r = vm->engine->msi == NULL ? -VMM_ENOTSUP
				    : vm->engine->msi(vm->backend, addr, data, device_id);
	return r == 0 ? 0
		      : vmm__vm_fail(vm, r, call, "message 0x%llx, 0x%x", (unsigned long long)addr,
				     data);
}

/* --- ports of VMM_VM_PIC --- */

/* They are a byte wide: wider accesses are several, as on ISA. */
static int pic_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		    uint64_t *value)
{
	struct vmm__pic_ports *p = opaque;

	(void)vcpu;
	*value = 0;
	for (uint32_t i = 0; i < width; i++) {
		uint8_t byte = 0;

		p->vm->engine->pic_access(p->vm->backend, p->base + (uint32_t)offset + i, 0, &byte);
		*value |= (uint64_t)byte << 8 * i;
	}
	return 0;
}

static int pic_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		     uint64_t value)
{
	struct vmm__pic_ports *p = opaque;

	(void)vcpu;
	for (uint32_t i = 0; i < width; i++) {
		uint8_t byte = (uint8_t)(value >> 8 * i);

		p->vm->engine->pic_access(p->vm->backend, p->base + (uint32_t)offset + i, 1, &byte);
	}
	return 0;
}

int vmm__pic_add_ports(struct vmm_vm *vm)
{
	static const uint16_t bases[] = {0x20, 0xa0, 0x4d0};
	static const struct vmm_region_ops ops = {
		.size = sizeof(ops), .read = pic_read, .write = pic_write};
	struct vmm_region *region;
	int r = 0;

	if ((vm->flags & VMM_VM_PIC) == 0 || vm->engine->pic_access == NULL)
		return 0;
	for (uint32_t i = 0; i < ARRAY_SIZE(vm->pic_ports) && r == 0; i++) {
		vm->pic_ports[i] = (struct vmm__pic_ports){vm, bases[i]};
		r = vmm_region_add(vm, VMM_SPACE_PORT, bases[i], 2, &ops, &vm->pic_ports[i],
				   &region);
	}
	if (r == 0)
		return 0;
	vmm__bus_release(vm);
	return vmm__ctx_fail(vm->ctx, r, "vmm_vm_create", "no memory for the 8259s' ports");
}

static int check_event(struct vmm_vm *vm, const char *call,
		       const struct vmm_irq_event_config *config)
{
	uint32_t known = VMM_IRQ_EVENT_MSI | VMM_IRQ_EVENT_RESAMPLE;

	if ((config->flags & ~known) != 0 || config->flags == known || config->reserved != 0)
		return vmm__vm_fail(vm, -VMM_EINVAL, call, "flags 0x%x", config->flags);
	int r = check_controller(vm, call);
	if (r != 0)
		return r;
	if (vm->engine->event_attach == NULL)
		return vmm__vm_fail(vm, -VMM_ENOTSUP, call, "engine %s takes no events",
				    vm->engine->name);
	return config->flags & VMM_IRQ_EVENT_MSI ? check_message(vm, call, config->addr)
						 : check_line(vm, call, config->gsi);
}

/* Under vm->lock. */
static int attach(struct vmm_vm *vm, const char *call, const struct vmm_irq_event_config *config,
		  struct vmm_irq_event **out)
{
	struct vmm_error error;

	for (struct vmm_irq_event *e = vm->events; e != NULL; e = e->next) {
		if (e->event == config->event)
			return vmm__vm_fail(vm, -VMM_EEXIST, call, "event %llu is attached already",
					    (unsigned long long)config->event);
	}
	struct vmm_irq_event *event =
		vmm__alloc(vm->ctx, sizeof(*event), _Alignof(struct vmm_irq_event));
	if (event == NULL)
		return vmm__vm_fail(vm, -VMM_ENOMEM, call, "no memory for the attachment");
	vmm__error_init(&error);
	int r = vm->engine->event_attach(vm->backend, config, &event->backend, &error);
	if (r != 0) {
		vmm__free(vm->ctx, event, sizeof(*event));
		return vmm__vm_pass(vm, r, call, &error);
	}
	event->vm = vm;
	event->event = config->event;
	event->next = vm->events;
	vm->events = event;
	*out = event;
	return 0;
}

int vmm_irq_event_attach(struct vmm_vm *vm, const struct vmm_irq_event_config *user_config,
			 struct vmm_irq_event **out)
{
	const char *call = "vmm_irq_event_attach";
	struct vmm_irq_event_config config;

	if (vm == NULL || out == NULL)
		return -VMM_EINVAL;
	*out = NULL;
	if (vmm__take_struct(&config, sizeof(config), user_config) != 0)
		return vmm__vm_fail(vm, -VMM_EINVAL, call,
				    "no configuration, or one of a size unknown here");
	int r = check_event(vm, call, &config);
	if (r != 0)
		return r;
	vmm__lock(vm->host, &vm->lock);
	r = attach(vm, call, &config, out);
	vmm__unlock(vm->host, &vm->lock);
	return r;
}

void vmm_irq_event_detach(struct vmm_irq_event *event)
{
	if (event == NULL)
		return;
	struct vmm_vm *vm = event->vm;
	vmm__lock(vm->host, &vm->lock);
	for (struct vmm_irq_event **link = &vm->events; *link != NULL; link = &(*link)->next) {
		if (*link == event) {
			*link = event->next;
			break;
		}
	}
	vm->engine->event_detach(vm->backend, event->backend);
	vmm__unlock(vm->host, &vm->lock);
	vmm__free(vm->ctx, event, sizeof(*event));
}

void vmm__events_fini(struct vmm_vm *vm)
{
	while (vm->events != NULL)
		vmm_irq_event_detach(vm->events);
}

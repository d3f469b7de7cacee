// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The interrupt controller in the kernel: local APICs and one IOAPIC. KVM makes a pair of 8259s
 * with them (api.rst 4.24), which stay out of the way unless the VM has VMM_VM_PIC: nothing is
 * routed to them.
 */
#include "kvm.h"

static size_t routing_size(uint32_t entries)
{
	return sizeof(struct kvm_irq_routing) + entries * sizeof(struct kvm_irq_routing_entry);
}

static int set_routes(struct vmm__kvm_vm *vm, struct vmm_error *error)
{
	if (ioctl(vm->fd, KVM_SET_GSI_ROUTING, vm->routes) != 0)
		return vmm__kvm_fail(error, "KVM_SET_GSI_ROUTING");
	return 0;
}

static void add_pin(struct kvm_irq_routing *routes, uint32_t gsi, uint32_t chip, uint32_t pin)
{
	routes->entries[routes->nr++] = (struct kvm_irq_routing_entry){
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = {.irqchip = chip, .pin = pin},
	};
}

static int route_pins(struct vmm__kvm_vm *vm, struct vmm_error *error)
{
	bool pic = (vm->flags & VMM_VM_PIC) != 0;

	vm->route_room = KVM_PINS + KVM_PIC_PINS + 8;
	vm->routes = vmm__kvm_alloc(vm, routing_size(vm->route_room));
	if (!vm->routes)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_vm_create", 0, "no memory for routes");
	for (uint32_t i = 0; i < KVM_PINS; i++)
		add_pin(vm->routes, i, KVM_IRQCHIP_IOAPIC, i);
	for (uint32_t i = 0; i < KVM_PIC_PINS && pic; i++) {
		/* 2 is that of the second chip */
		if (i != 2)
			add_pin(vm->routes, i,
				i < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE, i % 8);
	}
	vm->pin_routes = vm->routes->nr;
	return set_routes(vm, error);
}

void vmm__kvm_free_routes(struct vmm__kvm_vm *vm)
{
	vmm__kvm_free(vm, vm->routes, routing_size(vm->route_room));
}

/* 32-bit APIC IDs in messages and in the saved register, and 255 as an ID like others (7.8). */
static void use_x2apic_ids(struct vmm__kvm_vm *vm)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X2APIC_API,
		.args = {KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK},
	};

	/* Without it IDs end at 254, which KVM checks itself. */
	ioctl(vm->fd, KVM_ENABLE_CAP, &cap);
}

int vmm__kvm_irqchip_create(struct vmm__kvm_vm *vm, struct vmm_error *error)
{
	if (ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0) != 0)
		return vmm__kvm_fail(error, "KVM_CREATE_IRQCHIP");
	use_x2apic_ids(vm);
	for (uint32_t i = 0; i < ARRAY_SIZE(vm->reset_chip); i++) {
		vm->reset_chip[i].chip_id = i;
		if (ioctl(vm->fd, KVM_GET_IRQCHIP, &vm->reset_chip[i]) != 0)
			return vmm__kvm_fail(error, "KVM_GET_IRQCHIP");
	}
	return route_pins(vm, error);
}

int vmm__kvm_irqchip_reset(struct vmm__kvm_vm *vm, struct vmm_error *error)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(vm->reset_chip); i++) {
		if (ioctl(vm->fd, KVM_SET_IRQCHIP, &vm->reset_chip[i]) != 0)
			return vmm__kvm_fail(error, "KVM_SET_IRQCHIP");
	}
	return 0;
}

int vmm__kvm_irq_line(void *opaque, uint32_t gsi, uint32_t level)
{
	struct vmm__kvm_vm *vm = opaque;
	struct kvm_irq_level line = {.irq = gsi, .level = level};

	return ioctl(vm->fd, KVM_IRQ_LINE, &line) == 0 ? 0 : -VMM_EIO;
}

int vmm__kvm_msi(void *opaque, uint64_t addr, uint32_t data, uint32_t device_id)
{
	struct vmm__kvm_vm *vm = opaque;
	struct kvm_msi msi = {
		.address_lo = (uint32_t)addr,
		.address_hi = (uint32_t)(addr >> 32),
		.data = data,
	};

	(void)device_id; /* there is no remapping */
	/* 0 where no APIC took it, as on a bus. */
	return ioctl(vm->fd, KVM_SIGNAL_MSI, &msi) >= 0 ? 0 : -VMM_EIO;
}

/* Lowest number above the pins that no route has. */
static uint32_t free_gsi(const struct vmm__kvm_vm *vm)
{
	const struct kvm_irq_routing *routes = vm->routes;
	uint32_t gsi = KVM_PINS, i = vm->pin_routes;

	while (i < routes->nr) {
		if (routes->entries[i].gsi == gsi) {
			gsi++;
			i = vm->pin_routes;
		} else {
			i++;
		}
	}
	return gsi;
}

static int grow_routes(struct vmm__kvm_vm *vm, struct vmm_error *error)
{
	struct kvm_irq_routing *more;
	uint32_t room = vm->route_room * 2;

	if (vm->routes->nr < vm->route_room)
		return 0;
	more = vmm__kvm_alloc(vm, routing_size(room));
	if (!more)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_irq_event_attach", 0,
				 "no memory for %u routes", room);
	memcpy(more, vm->routes, routing_size(vm->routes->nr));
	vmm__kvm_free(vm, vm->routes, routing_size(vm->route_room));
	vm->routes = more;
	vm->route_room = room;
	return 0;
}

static void drop_route(struct vmm__kvm_vm *vm, uint32_t gsi)
{
	struct kvm_irq_routing *routes = vm->routes;
	struct vmm_error ignored;

	for (uint32_t i = vm->pin_routes; i < routes->nr; i++) {
		if (routes->entries[i].gsi == gsi) {
			routes->entries[i] = routes->entries[--routes->nr];
			break;
		}
	}
	/* A route more than needed harms nobody, should KVM refuse. */
	set_routes(vm, &ignored);
}

static int add_route(struct vmm__kvm_vm *vm, const struct vmm_irq_event_config *config,
		     uint32_t *gsi, struct vmm_error *error)
{
	int r = grow_routes(vm, error);

	if (r != 0)
		return r;
	*gsi = free_gsi(vm);
	vm->routes->entries[vm->routes->nr++] = (struct kvm_irq_routing_entry){
		.gsi = *gsi,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi = {.address_lo = (uint32_t)config->addr,
			  .address_hi = (uint32_t)(config->addr >> 32),
			  .data = config->data},
	};
	r = set_routes(vm, error);
	if (r != 0)
		vm->routes->nr--;
	return r;
}

static int fd_of(uint64_t event, struct vmm_error *error)
{
	if (event > INT32_MAX)
		return vmm__fail(error, -VMM_EINVAL, "KVM_IRQFD", 0,
				 "%llu is no eventfd's file number", (unsigned long long)event);
	return 0;
}

int vmm__kvm_event_attach(void *opaque, const struct vmm_irq_event_config *config, void **event,
			  struct vmm_error *error)
{
	bool resample = (config->flags & VMM_IRQ_EVENT_RESAMPLE) != 0;
	struct vmm__kvm_vm *vm = opaque;
	struct vmm__kvm_event *e;
	int r = fd_of(config->event, error);

	if (r == 0 && resample)
		r = fd_of(config->resample, error);
	if (r != 0)
		return r;
	e = vmm__kvm_alloc(vm, sizeof(*e));
	if (!e)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_irq_event_attach", 0, "no memory");
	e->is_msi = (config->flags & VMM_IRQ_EVENT_MSI) != 0;
	e->irqfd.fd = (uint32_t)config->event;
	e->irqfd.gsi = config->gsi;
	if (resample) {
		e->irqfd.flags = KVM_IRQFD_FLAG_RESAMPLE;
		e->irqfd.resamplefd = (uint32_t)config->resample;
	}
	if (e->is_msi)
		r = add_route(vm, config, &e->irqfd.gsi, error);
	if (r == 0 && ioctl(vm->fd, KVM_IRQFD, &e->irqfd) != 0) {
		r = errno == EBUSY
			    ? vmm__fail(error, -VMM_EEXIST, "KVM_IRQFD", errno,
					"eventfd %u raises an interrupt already", e->irqfd.fd)
			    : vmm__kvm_fail(error, "KVM_IRQFD");
		if (e->is_msi)
			drop_route(vm, e->irqfd.gsi);
	}
	if (r != 0)
		vmm__kvm_free(vm, e, sizeof(*e));
	else
		*event = e;
	return r;
}

void vmm__kvm_event_detach(void *opaque, void *event)
{
	struct vmm__kvm_vm *vm = opaque;
	struct vmm__kvm_event *e = event;

	e->irqfd.flags = KVM_IRQFD_FLAG_DEASSIGN;
	ioctl(vm->fd, KVM_IRQFD, &e->irqfd);
	if (e->is_msi)
		drop_route(vm, e->irqfd.gsi);
	vmm__kvm_free(vm, e, sizeof(*e));
}

static struct kvm_ioeventfd doorbell(const struct vmm_doorbell_config *config)
{
	return (struct kvm_ioeventfd){
		.datamatch = config->data,
		.addr = config->addr,
		.len = config->width,
		.fd = (int32_t)config->event,
		.flags =
			(config->space == VMM_SPACE_PORT ? (uint32_t)KVM_IOEVENTFD_FLAG_PIO : 0) |
			(config->flags & VMM_DOORBELL_MATCH ? (uint32_t)KVM_IOEVENTFD_FLAG_DATAMATCH
							    : 0),
	};
}

int vmm__kvm_doorbell_add(void *opaque, const struct vmm_doorbell_config *config,
			  struct vmm_error *error)
{
	struct vmm__kvm_vm *vm = opaque;
	struct kvm_ioeventfd bell = doorbell(config);
	int r = fd_of(config->event, error);

	if (r != 0)
		return r;
	if (ioctl(vm->fd, KVM_IOEVENTFD, &bell) != 0)
		return errno == EEXIST ? vmm__fail(error, -VMM_EEXIST, "KVM_IOEVENTFD", errno,
						   "there is one at 0x%llx",
						   (unsigned long long)config->addr)
				       : vmm__kvm_fail(error, "KVM_IOEVENTFD");
	return 0;
}

void vmm__kvm_doorbell_remove(void *opaque, const struct vmm_doorbell_config *config)
{
	struct vmm__kvm_vm *vm = opaque;
	struct kvm_ioeventfd bell = doorbell(config);

	bell.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
	ioctl(vm->fd, KVM_IOEVENTFD, &bell);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The interrupt controller of VMM_IRQCHIP_ARCH: src/dev/x86 between the vCPUs of a VM. */
#include "native.h"

#define PAGE UINT64_C(0x1000)

static void kick(void *opaque, uint32_t index)
{
	struct vmm__native_vm *vm = opaque;

	if (vm->by_index[index])
		vmm__native_request(vm->by_index[index], NATIVE_REQ_EVENT);
}

int vmm__native_irq_init(struct vmm__native_vm *vm, struct vmm_error *error)
{
	vm->by_index = vmm__native_alloc(vm, vm->max_vcpus * sizeof(*vm->by_index), sizeof(void *));
	vm->lapics = vmm__native_alloc(vm, vm->max_vcpus * sizeof(*vm->lapics), sizeof(void *));
	if (!vm->by_index || !vm->lapics)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_vm_create", 0, "no memory");
	vmm__irqchip_init(&vm->chip, vm->host, vm->lapics, vm->max_vcpus, kick, vm);
	vm->chip.post = vmm__native_partition_post;
	if (vm->flags & VMM_VM_PIC)
		vmm__irqchip_add_pic(&vm->chip);
	return 0;
}

void vmm__native_irq_fini(struct vmm__native_vm *vm)
{
	vmm__native_free(vm, vm->by_index, vm->max_vcpus * sizeof(*vm->by_index));
	vmm__native_free(vm, vm->lapics, vm->max_vcpus * sizeof(*vm->lapics));
}

int vmm__native_irq_line(void *opaque, uint32_t gsi, uint32_t level)
{
	struct vmm__native_vm *vm = opaque;

	vmm__irqchip_line(&vm->chip, gsi, level);
	return 0;
}

int vmm__native_msi(void *opaque, uint64_t addr, uint32_t data, uint32_t device_id)
{
	struct vmm__native_vm *vm = opaque;

	(void)device_id;
	vmm__irqchip_msi(&vm->chip, addr, data);
	return 0;
}

void vmm__native_pic_access(void *opaque, uint32_t port, uint32_t write, uint8_t *value)
{
	struct vmm__native_vm *vm = opaque;

	if (write)
		vmm__pic_write(&vm->chip.pic, port, *value);
	else
		*value = vmm__pic_read(&vm->chip.pic, port);
}

struct vmm__lapic_now vmm__native_now(const struct vmm__native_vcpu *v)
{
	const struct vmm_host *host = v->vm->host;

	return (struct vmm__lapic_now){host->time_ns(host->opaque), vmm__native_tsc(v)};
}

/* INIT comes before a start-up, which only a vCPU that waits for one takes. */
static void take_events(struct vmm__native_vcpu *v)
{
	uint32_t events = vmm__lapic_events(&v->lapic);

	if (events & VMM__EVENT_NMI)
		vmm__native_add_nmi(v);
	if (events & VMM__EVENT_INIT)
		vmm__native_init_ipi(v);
	if ((events & VMM__EVENT_SIPI) && v->mp == VMM_X86_MP_WAIT_SIPI)
		vmm__native_start_up(v, events & 0xff);
}

void vmm__native_alarm(void *opaque, uint64_t deadline_ns)
{
	struct vmm__native_vm *vm = opaque;

	atomic_store(&vm->alarm_ns, deadline_ns);
	kick(vm, 0);
}

static uint64_t alarm_of(const struct vmm__native_vcpu *v)
{
	return v->index == 0 ? atomic_load(&v->vm->alarm_ns) : VMM_FOREVER;
}

/* When there next is something to do that nobody else will tell. */
static uint64_t due(const struct vmm__native_vcpu *v, const struct vmm__lapic_now *now)
{
	uint64_t timer = vmm__lapic_deadline(&v->lapic, now), alarm = alarm_of(v);

	return timer < alarm ? timer : alarm;
}

void vmm__native_timer_here(struct vmm__native_vcpu *v)
{
	const struct vmm_host *host = v->vm->host;
	void *word = &v->world.request;

	if (host->cpu_timer_mark) {
		v->marked = true;
		host->cpu_timer_mark(host->opaque, word, NATIVE_REQ_EVENT);
	}
	host->cpu_timer(host->opaque, v->timer_ns);
}

void vmm__native_set_timer(struct vmm__native_vcpu *v, uint64_t deadline)
{
	const bool unknown = v->timer_ns == 0;

	if (deadline == v->timer_ns)
		return;
	v->timer_ns = deadline;
	if (v->vm->ops->set_timer && v->vm->ops->set_timer(v))
		return;
	if (!unknown || v->vm->ops->is_here(v))
		vmm__native_timer_here(v);
}

static void take_news(struct vmm__native_vcpu *v, const struct vmm__lapic_now *now)
{
	if (vmm__lapic_deadline(&v->lapic, now) <= now->ns)
		vmm__lapic_tick(&v->lapic, now);
	if (vmm__lapic_news(&v->lapic)) {
		take_events(v);
		vmm__lapic_update(&v->lapic);
	}
}

void vmm__native_irq_settle(struct vmm__native_vcpu *v)
{
	const struct vmm__lapic_now now = vmm__native_now(v);

	if (vmm__native_has_irqchip(v))
		take_news(v, &now);
}

uint64_t vmm__native_irq_look(struct vmm__native_vcpu *v, const struct vmm__lapic_now *now)
{
	uint64_t alarm = alarm_of(v);

	take_news(v, now);
	/* Once: the core sets the next one. */
	if (alarm <= now->ns &&
	    atomic_compare_exchange_strong(&v->vm->alarm_ns, &alarm, VMM_FOREVER))
		vmm__native_request(v, NATIVE_REQ_KICK);
	return due(v, now);
}

/* What wakes a vCPU from HLT: SDM 2A, HLT. */
static bool wakes(const struct vmm__native_vcpu *v)
{
	return v->inject != 0 || v->triple_fault ||
	       (atomic_load(&v->nmis) != 0 && !v->nmi_masked) ||
	       (vmm__lapic_next(&v->lapic) >= 0 && (v->vmcb->rflags & X86_RFLAGS_IF));
}

bool vmm__native_irq_idle(struct vmm__native_vcpu *v, uint64_t deadline, struct vmm_exit *exit)
{
	if (atomic_load(&v->waiting) != 0)
		atomic_store(&v->waiting, 0);
	if (v->mp == VMM_X86_MP_SIPI)
		vmm__native_start_up(v, v->sipi_vector);
	if (v->mp == VMM_X86_MP_INIT)
		vmm__native_init_ipi(v);
	if (v->mp == VMM_X86_MP_HALTED && wakes(v))
		v->mp = VMM_X86_MP_RUNNABLE;
	if (v->mp == VMM_X86_MP_RUNNABLE)
		return false;
	*exit = (struct vmm_exit){
		.reason = VMM_EXIT_IDLE,
		.data = v->mp == VMM_X86_MP_HALTED ? deadline : alarm_of(v),
	};
	v->timer_ns = VMM_FOREVER; /* who waits may set the CPU's timer */
	vmm__native_tell_idle(v);
	return true;
}

/* Nothing follows from a write: no interrupt, no event, no other time. */
static bool is_quiet(const struct vmm__native_vcpu *v, const struct vmm__lapic_now *now)
{
	return vmm__lapic_next(&v->lapic) < 0 && !vmm__lapic_news(&v->lapic) &&
	       due(v, now) == v->timer_ns;
}

static bool access_lapic(struct vmm__native_vcpu *v, const struct vmm__x86_element *element,
			 uint64_t *data)
{
	uint32_t offset = (uint32_t)(element->addr & (PAGE - 1));
	struct vmm__lapic_now now = {0};

	if (element->write || vmm__lapic_counts(offset))
		now = vmm__native_now(v);
	if (!element->write) {
		vmm__lapic_read(&v->lapic, &now, offset, element->width, data);
		return true;
	}
	vmm__lapic_write(&v->lapic, &now, offset, element->width, element->data);
	if (!is_quiet(v, &now)) /* nobody has to be told: the vCPU looks before it enters */
		atomic_fetch_or(&v->world.request, NATIVE_REQ_EVENT);
	return true;
}

bool vmm__native_irq_access(struct vmm__native_vcpu *v, const struct vmm__x86_element *element,
			    uint64_t *data)
{
	uint64_t page = element->addr & ~(PAGE - 1);
	uint32_t offset = (uint32_t)(element->addr & (PAGE - 1));

	if (element->port || v->vm->irqchip != VMM_IRQCHIP_ARCH)
		return false;
	if (page == vmm__lapic_page(&v->lapic))
		return access_lapic(v, element, data);
	if (page != VMM__IOAPIC_BASE)
		return false;
	if (!element->write) {
		vmm__ioapic_read(&v->vm->chip, offset, element->width, data);
		return true;
	}
	vmm__ioapic_write(&v->vm->chip, offset, element->width, element->data);
	atomic_fetch_or(&v->world.request, NATIVE_REQ_EVENT);
	return true;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Plugging and unplugging while the machine runs, and the other events of its Generic Event Device.
 * vCPUs for all CPUs are made before sealing, since engines take none afterwards: one that is not
 * there is not run, and waits for a start-up IPI once it is.
 */
#include "bits.h"
#include "endian.h"
#include "machine_object.h"
#include "machine_tables.h"
#include "mem.h"

/* Linux takes memory in blocks of at least this size (its sections on x86-64). */
#define MEMORY_UNIT UINT64_C(0x8000000)

static int is_sealed(struct vmm_machine *m, const char *call)
{
	if (atomic_load(&m->sealed) != 0)
		return 0;
	return vmm__machine_fail(m, -VMM_ESTATE, call, "the machine is not sealed");
}

static int slot_failed(struct vmm_machine *m, int err, const char *call, uint32_t slot)
{
	const char *why = err == -VMM_ENOENT    ? "is empty, or there is none"
			  : err == -VMM_EEXIST  ? "is full"
			  : err == -VMM_ENOTSUP ? "cannot be unplugged"
						: vmm_strerror(err);

	return err == 0 ? 0 : vmm__machine_fail(m, err, call, "slot %u: %s", slot, why);
}

static void tell(struct vmm_machine *m, uint32_t kind, uint32_t slot, uint32_t what, uint32_t event,
		 uint32_t status)
{
	const struct vmm_machine_hotplug h = {
		.size = sizeof(h),
		.kind = kind,
		.slot = slot,
		.what = what,
		.event = event,
		.status = status,
	};

	if (m->config.hotplug != NULL)
		m->config.hotplug(m->config.opaque, &h);
}

/* --- CPUs: slots are numbers of CPUs --- */

static void cpu_event(void *opaque)
{
	vmm_power_notify(((struct vmm_machine *)opaque)->power, VMM_POWER_EVENT_CPU);
}

static void cpu_ejected(void *opaque, uint32_t slot)
{
	struct vmm_machine *m = opaque;
	const uint32_t index = vmm__plan_vcpu_of_cpu(&m->plan, slot);

	vmm_vcpu_kick(vmm_vm_vcpu(m->vm, index));
	tell(m, VMM_HOTPLUG_CPU, index, VMM_HOTPLUG_EJECTED, 0, 0);
}

static void cpu_ost(void *opaque, uint32_t slot, uint32_t event, uint32_t status)
{
	struct vmm_machine *m = opaque;

	tell(m, VMM_HOTPLUG_CPU, vmm__plan_vcpu_of_cpu(&m->plan, slot), VMM_HOTPLUG_STATUS, event,
	     status);
}

bool vmm__machine_cpu_present(struct vmm_machine *m, uint32_t index)
{
	struct vmm_slot what = {.size = sizeof(what)};

	return m->cpu_slots == NULL ||
	       vmm_slots_get(m->cpu_slots, vmm__plan_cpu_of_vcpu(&m->plan, index), &what) == 0;
}

int vmm_machine_cpu_plug(struct vmm_machine *machine, uint32_t vcpu)
{
	const struct vmm_slot what = {.size = sizeof(what)};
	const char *call = "vmm_machine_cpu_plug";
	int err = is_sealed(machine, call);

	if (err != 0)
		return err;
	if (machine->cpu_slots == NULL)
		return vmm__machine_fail(machine, -VMM_ENOTSUP, call,
					 "the profile has cpu.hotplug = no");
	if (vcpu >= machine->plan.cpus)
		return slot_failed(machine, -VMM_ENOENT, call, vcpu);
	err = vmm_slots_insert(machine->cpu_slots, vmm__plan_cpu_of_vcpu(&machine->plan, vcpu),
			       &what);
	return slot_failed(machine, err, call, vcpu);
}

int vmm_machine_cpu_unplug(struct vmm_machine *machine, uint32_t vcpu)
{
	const char *call = "vmm_machine_cpu_unplug";
	int err = is_sealed(machine, call);

	if (err != 0)
		return err;
	if (machine->cpu_slots == NULL)
		return vmm__machine_fail(machine, -VMM_ENOTSUP, call,
					 "the profile has cpu.hotplug = no");
	if (vcpu >= machine->plan.cpus)
		return slot_failed(machine, -VMM_ENOENT, call, vcpu);
	err = vmm_slots_remove(machine->cpu_slots, vmm__plan_cpu_of_vcpu(&machine->plan, vcpu));
	return slot_failed(machine, err, call, vcpu);
}

static int fill_cpus(struct vmm_machine *m)
{
	int err = 0;

	for (uint32_t i = 0; i < m->plan.cpus && err == 0; i++) {
		const struct vmm_slot what = {
			.size = sizeof(what),
			.flags = VMM_SLOT_F_QUIET |
				 (i == m->profile.cpu_boot ? VMM_SLOT_F_FIXED : 0),
		};

		if (vmm__plan_cpu_present(&m->plan, i))
			err = vmm_slots_insert(m->cpu_slots, i, &what);
	}
	return err;
}

/* --- Memory --- */

static void memory_event(void *opaque)
{
	vmm_power_notify(((struct vmm_machine *)opaque)->power, VMM_POWER_EVENT_MEMORY);
}

/* From the guest's own thread, in a callback of the bus: there memory may be unmapped. */
static void memory_ejected(void *opaque, uint32_t slot)
{
	struct vmm_machine *m = opaque;
	struct vmm__span *span = &m->plugged[slot];

	if (vmm_vm_unmap(m->vm, span->base, span->len) != 0)
		return; /* it is not gone, and its place is taken */
	vmm__lock(m->host, &m->plug_lock);
	*span = (struct vmm__span){0, 0};
	vmm__unlock(m->host, &m->plug_lock);
	tell(m, VMM_HOTPLUG_MEMORY, slot, VMM_HOTPLUG_EJECTED, 0, 0);
}

static void memory_ost(void *opaque, uint32_t slot, uint32_t event, uint32_t status)
{
	tell(opaque, VMM_HOTPLUG_MEMORY, slot, VMM_HOTPLUG_STATUS, event, status);
}

/* The first address of the region that is free for @len bytes, at or after which no plugged memory
 * of lower address ends; 0: none. */
static uint64_t free_place(const struct vmm_machine *m, uint64_t len)
{
	const struct vmm__span *room = &m->plan.memory_hotplug;
	uint64_t at = room->base;

	if (len > room->len)
		return 0;
	for (uint32_t i = 0; i < m->profile.memory_slots; i++) {
		const struct vmm__span *s = &m->plugged[i];

		if (s->len > 0 && vmm__ranges_overlap(at, len, s->base, s->len)) {
			at = s->base + s->len;
			i = UINT32_MAX; /* look at all of them again */
		}
	}
	return vmm__range_within(at - room->base, len, room->len) ? at : 0;
}

/* Takes a slot and a place in the region; -VMM_ENOENT or -VMM_ERANGE. */
static int reserve(struct vmm_machine *m, uint64_t len, uint32_t *slot)
{
	uint64_t at;
	int err = 0;

	vmm__lock(m->host, &m->plug_lock);
	for (*slot = 0; *slot < m->profile.memory_slots; ++*slot) {
		if (m->plugged[*slot].len == 0)
			break;
	}
	at = free_place(m, len);
	if (*slot == m->profile.memory_slots)
		err = -VMM_ENOENT;
	else if (at == 0)
		err = -VMM_ERANGE;
	else
		m->plugged[*slot] = (struct vmm__span){at, len};
	vmm__unlock(m->host, &m->plug_lock);
	return err;
}

static void release(struct vmm_machine *m, uint32_t slot)
{
	vmm__lock(m->host, &m->plug_lock);
	m->plugged[slot] = (struct vmm__span){0, 0};
	vmm__unlock(m->host, &m->plug_lock);
}

static int map_and_insert(struct vmm_machine *m, uint32_t slot, uint32_t node)
{
	const struct vmm__span span = m->plugged[slot];
	const struct vmm_slot what = {
		.size = sizeof(what), .node = node, .base = span.base, .len = span.len};
	int err = vmm__machine_map_ram(m, span.base, span.len);

	if (err != 0)
		return err;
	err = vmm_slots_insert(m->memory_slots, slot, &what);
	if (err != 0)
		vmm_vm_unmap(m->vm, span.base, span.len);
	return slot_failed(m, err, "vmm_machine_memory_plug", slot);
}

int vmm_machine_memory_plug(struct vmm_machine *machine, uint64_t len, uint32_t node,
			    uint32_t *slot)
{
	const char *call = "vmm_machine_memory_plug";
	int err = is_sealed(machine, call);

	if (err != 0)
		return err;
	if (machine->memory_slots == NULL)
		return vmm__machine_fail(machine, -VMM_ENOTSUP, call,
					 "the profile has no memory.slots");
	if (len == 0 || !vmm__is_aligned(len, MEMORY_UNIT) || slot == NULL)
		return vmm__machine_fail(machine, -VMM_EALIGN, call,
					 "memory is plugged in multiples of 128 MiB");
	if (node >= machine->plan.nodes)
		return vmm__machine_fail(machine, -VMM_ERANGE, call, "there is no NUMA node %u",
					 node);
	err = reserve(machine, len, slot);
	if (err != 0)
		return vmm__machine_fail(machine, err, call, "no %s is free",
					 err == -VMM_ENOENT ? "slot" : "range of memory.hotplug");
	err = map_and_insert(machine, *slot, node);
	if (err != 0)
		release(machine, *slot);
	return err;
}

int vmm_machine_memory_unplug(struct vmm_machine *machine, uint32_t slot)
{
	const char *call = "vmm_machine_memory_unplug";
	int err = is_sealed(machine, call);

	if (err != 0)
		return err;
	if (machine->memory_slots == NULL)
		return vmm__machine_fail(machine, -VMM_ENOTSUP, call,
					 "the profile has no memory.slots");
	return slot_failed(machine, vmm_slots_remove(machine->memory_slots, slot), call, slot);
}

/* --- PCI: slot 0 of the device is device 1 of the bus --- */

static void pci_event(void *opaque)
{
	vmm_power_notify(((struct vmm_machine *)opaque)->power, VMM_POWER_EVENT_PCI);
}

static void pci_ejected(void *opaque, uint32_t slot)
{
	struct vmm_machine *m = opaque;

	vmm_pci_root_detach(m->pci_root, (slot + 1) << 3);
	tell(m, VMM_HOTPLUG_PCI, slot + 1, VMM_HOTPLUG_EJECTED, 0, 0);
}

int vmm_machine_pci_plug(struct vmm_machine *machine, uint32_t device,
			 const struct vmm_pci_function_ops *ops, void *opaque)
{
	const struct vmm_slot what = {.size = sizeof(what)};
	const char *call = "vmm_machine_pci_plug";
	int err = is_sealed(machine, call);

	if (err != 0)
		return err;
	if (machine->pci_slots == NULL)
		return vmm__machine_fail(machine, -VMM_ENOTSUP, call,
					 "the profile has no pci.slots");
	if (device == 0 || device > machine->profile.pci_slots)
		return slot_failed(machine, -VMM_ENOENT, call, device);
	err = vmm_pci_root_attach(machine->pci_root, device << 3, ops, opaque);
	if (err == 0) {
		err = vmm_slots_insert(machine->pci_slots, device - 1, &what);
		if (err != 0)
			vmm_pci_root_detach(machine->pci_root, device << 3);
	}
	return slot_failed(machine, err, call, device);
}

int vmm_machine_pci_unplug(struct vmm_machine *machine, uint32_t device)
{
	const char *call = "vmm_machine_pci_unplug";
	int err = is_sealed(machine, call);

	if (err != 0)
		return err;
	if (machine->pci_slots == NULL)
		return vmm__machine_fail(machine, -VMM_ENOTSUP, call,
					 "the profile has no pci.slots");
	if (device == 0 || device > machine->profile.pci_slots)
		return slot_failed(machine, -VMM_ENOENT, call, device);
	return slot_failed(machine, vmm_slots_remove(machine->pci_slots, device - 1), call, device);
}

/* --- Other events --- */

int vmm_machine_sleep_button(struct vmm_machine *machine)
{
	if (!machine->profile.power_sleep_button)
		return -VMM_ENOTSUP;
	if (atomic_load(&machine->sealed) == 0)
		return -VMM_ESTATE;
	vmm_power_notify(machine->power, VMM_POWER_EVENT_SLEEP);
	return 0;
}

int vmm_machine_set_temperature(struct vmm_machine *machine, uint32_t tenths)
{
	if (!machine->profile.thermal_enable)
		return -VMM_ENOTSUP;
	vmm_power_set_temperature(machine->power, tenths);
	if (atomic_load(&machine->sealed) != 0)
		vmm_power_notify(machine->power, VMM_POWER_EVENT_THERMAL);
	return 0;
}

/* The guest says with ACK that it has read the record before (ACPI 6.5, 18.3.2.8). */
int vmm_machine_report_error(struct vmm_machine *machine, const void *block, size_t len)
{
	const char *call = "vmm_machine_report_error";
	const uint64_t at = machine->plan.errors;
	uint8_t ack[8], busy[8] = {0};
	int err = is_sealed(machine, call);

	if (err != 0)
		return err;
	if (!machine->profile.ras_enable)
		return vmm__machine_fail(machine, -VMM_ENOTSUP, call,
					 "the profile has ras.enable = no");
	if (block == NULL || len == 0 || len > ERRORS_LEN)
		return vmm__machine_fail(machine, -VMM_EINVAL, call,
					 "an error status block has 1 to %d bytes", ERRORS_LEN);
	err = vmm_vm_read(machine->vm, at + ERRORS_ACK, ack, sizeof(ack));
	if (err == 0 && (vmm__le64(ack) & 1) == 0)
		return vmm__machine_fail(machine, -VMM_EBUSY, call,
					 "the guest has not yet read the record before");
	if (err == 0)
		err = vmm_vm_write(machine->vm, at + ERRORS_ACK, busy, sizeof(busy));
	if (err == 0)
		err = vmm_vm_write(machine->vm, at + ERRORS_BLOCK, block, len);
	if (err != 0)
		return vmm__machine_vm_failed(machine, err, call);
	vmm_power_notify(machine->power, VMM_POWER_EVENT_ERROR);
	return 0;
}

/* A GUID in memory has its first three fields little-endian (UEFI 2.10, appendix A). */
static void store_guid(uint8_t *to, const uint8_t *from)
{
	static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

	for (uint32_t i = 0; i < sizeof(order); i++)
		to[i] = from[order[i]];
}

static int write_generation(struct vmm_machine *m, const uint8_t guid[16])
{
	uint8_t stored[16];

	store_guid(stored, guid);
	return vmm_vm_write(m->vm, m->plan.generation, stored, sizeof(stored));
}

int vmm_machine_new_generation(struct vmm_machine *machine, const uint8_t guid[16])
{
	int err;

	if (!machine->profile.vmgenid_enable)
		return -VMM_ENOTSUP;
	err = write_generation(machine, guid);
	if (err != 0)
		return vmm__machine_vm_failed(machine, err, "vmm_machine_new_generation");
	if (atomic_load(&machine->sealed) != 0)
		vmm_power_notify(machine->power, VMM_POWER_EVENT_GENERATION);
	return 0;
}

/* What stands in the two pages when the guest starts. */
int vmm__machine_write_pages(struct vmm_machine *m)
{
	uint8_t errors[ERRORS_BLOCK] = {0}, guid[16];
	int err = 0;

	if (m->plan.errors != 0) {
		vmm__put_le64(errors + ERRORS_ADDRESS, m->plan.errors + ERRORS_BLOCK);
		vmm__put_le64(errors + ERRORS_ACK, 1);
		err = vmm_vm_fill(m->vm, m->plan.errors, 0, 4096);
		if (err == 0)
			err = vmm_vm_write(m->vm, m->plan.errors, errors, sizeof(errors));
	}
	if (err == 0 && m->plan.generation != 0) {
		vmm__plan_guid(m->profile.vmgenid_guid, guid);
		err = write_generation(m, guid);
	}
	return err == 0 ? 0 : vmm__machine_vm_failed(m, err, "vmm_vm_write");
}

/* --- Their devices --- */

static int add_slots(struct vmm_machine *m, const struct vmm_slots_config *config, uint32_t offset,
		     struct vmm_slots **slots)
{
	int err = vmm_slots_create(m->host, config, slots);

	if (err != 0)
		return vmm__machine_fail(m, err, "vmm_machine_create", "no memory for a device");
	return vmm__machine_add_region(m, m->plan.reg_space, m->plan.reg_base + offset,
				       VMM_SLOTS_LEN, vmm_slots_ops(), *slots);
}

#define ROOM_TEMPERATURE 2982 /* 25 degrees Celsius */

int vmm__machine_add_hotplug(struct vmm_machine *m)
{
	const struct vmm_slots_config cpus = {
		.size = sizeof(cpus),
		.count = m->plan.cpus,
		.opaque = m,
		.event = cpu_event,
		.eject = cpu_ejected,
		.ost = cpu_ost,
	};
	const struct vmm_slots_config memory = {
		.size = sizeof(memory),
		.count = (uint32_t)m->profile.memory_slots,
		.opaque = m,
		.event = memory_event,
		.eject = memory_ejected,
		.ost = memory_ost,
	};
	const struct vmm_slots_config pci = {
		.size = sizeof(pci),
		.count = (uint32_t)m->profile.pci_slots,
		.opaque = m,
		.event = pci_event,
		.eject = pci_ejected,
	};
	int err = 0;

	if (m->profile.cpu_hotplug) {
		err = add_slots(m, &cpus, REG_CPU_SLOTS, &m->cpu_slots);
		if (err == 0)
			err = fill_cpus(m);
	}
	if (err == 0 && m->plan.memory_hotplug.len > 0)
		err = add_slots(m, &memory, REG_MEMORY_SLOTS, &m->memory_slots);
	if (err == 0 && m->plan.pci_buses > 0 && m->profile.pci_slots > 0)
		err = add_slots(m, &pci, REG_PCI_SLOTS, &m->pci_slots);
	if (err == 0 && m->profile.thermal_enable)
		vmm_power_set_temperature(m->power, ROOM_TEMPERATURE);
	return err;
}

/* The tables that a reset writes tell of the CPUs that there are now. */
void vmm__machine_reset_hotplug(struct vmm_machine *m)
{
	if (m->cpu_slots != NULL) {
		for (uint32_t i = 0; i < m->plan.cpus; i++) {
			struct vmm_slot what = {.size = sizeof(what)};

			vmm__plan_set_present(&m->plan, i,
					      vmm_slots_get(m->cpu_slots, i, &what) == 0);
		}
		vmm_slots_reset(m->cpu_slots);
	}
	if (m->memory_slots != NULL)
		vmm_slots_reset(m->memory_slots);
	if (m->pci_slots != NULL)
		vmm_slots_reset(m->pci_slots);
}

void vmm__machine_destroy_hotplug(struct vmm_machine *m)
{
	vmm_slots_destroy(m->cpu_slots);
	vmm_slots_destroy(m->memory_slots);
	vmm_slots_destroy(m->pci_slots);
}

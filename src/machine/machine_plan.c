// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "machine_plan.h"

#include "bits.h"
#include "format.h"
#include "libvmm/bus.h"
#include "libvmm/dev.h"
#include "libvmm/uefi.h"
#include "mem.h"
#include "profile_keys.h"

struct list {
	struct vmm_machine_range range[VMM__PLAN_RANGES];
	uint32_t count;
};

static bool before(const struct vmm_machine_range *a, const struct vmm_machine_range *b)
{
	return a->space != b->space ? a->space < b->space : a->base < b->base;
}

/* Keeps the list in order. */
static void add(struct list *l, uint32_t space, uint32_t kind, uint64_t base, uint64_t len,
		uint32_t irq, const char *name)
{
	struct vmm_machine_range r = {base, len, space, kind, irq, 0, ""};
	uint32_t i = l->count++;

	vmm__format(r.name, sizeof(r.name), "%s", name);
	for (; i > 0 && before(&r, &l->range[i - 1]); i--)
		l->range[i] = l->range[i - 1];
	l->range[i] = r;
}

static void add_memory(struct list *l, uint32_t kind, uint64_t base, uint64_t len, const char *name)
{
	add(l, VMM_SPACE_MMIO, kind, base, len, VMM_MACHINE_NO_IRQ, name);
}

/* Firmware's: reserved memory to an E820, with a type of its own in a UEFI memory map. */
static void add_uefi(struct list *l, uint32_t type, uint64_t base, uint64_t len, const char *name)
{
	add_memory(l, VMM_RANGE_RESERVED, base, len, name);
	for (uint32_t i = 0; i < l->count; i++) {
		if (l->range[i].base == base)
			l->range[i].uefi = type;
	}
}

static void add_ports(struct list *l, uint32_t base, uint32_t len, uint32_t irq, const char *name)
{
	add(l, VMM_SPACE_PORT, VMM_RANGE_DEVICE, base, len, irq, name);
}

static void list_memory(struct list *l, const struct vmm__plan *plan)
{
	add_memory(l, VMM_RANGE_RAM, 0, MAP_CONVENTIONAL_END, "RAM");
	add_memory(l, VMM_RANGE_ACPI, MAP_TABLES, MAP_TABLES_LEN, "ACPI tables");
	if (plan->uefi != 0) {
		add_memory(l, VMM_RANGE_RAM, MAP_EXTENDED, plan->uefi - MAP_EXTENDED, "RAM");
		add_uefi(l, VMM_UEFI_RUNTIME_CODE, plan->uefi, VMM_UEFI_RUNTIME_LEN,
			 "vUEFI runtime");
		add_uefi(l, VMM_UEFI_RUNTIME_DATA, plan->uefi + VMM_UEFI_RUNTIME_LEN,
			 MAP_UEFI_LEN - VMM_UEFI_RUNTIME_LEN, "vUEFI tables");
	} else if (plan->low_ram > MAP_EXTENDED) {
		add_memory(l, VMM_RANGE_RAM, MAP_EXTENDED, plan->low_ram - MAP_EXTENDED, "RAM");
	}
	if (plan->high_ram > 0)
		add_memory(l, VMM_RANGE_RAM, MAP_HIGH_RAM, plan->high_ram, "RAM");
	add_memory(l, VMM_RANGE_DEVICE, MAP_IOAPIC, MAP_IOAPIC_LEN, "IOAPIC");
	add_memory(l, VMM_RANGE_DEVICE, MAP_LAPIC, MAP_LAPIC_LEN, "local APICs");
	if (plan->pci_buses > 0) {
		add_memory(l, VMM_RANGE_WINDOW, MAP_PCI_WINDOW, MAP_PCI_WINDOW_LEN, "PCI memory");
		add_memory(l, VMM_RANGE_RESERVED, MAP_ECAM, plan->pci_buses * VMM_ECAM_BUS_LEN,
			   "PCI ECAM");
	}
}

static void list_ports(struct list *l, const struct vmm__plan *plan)
{
	for (uint32_t i = 0; i < SERIAL_PORTS; i++) {
		char name[16];

		vmm__format(name, sizeof(name), "serial %u", i);
		if (plan->serial[i].enable)
			add_ports(l, plan->serial[i].port, VMM_UART_PORTS, plan->serial[i].irq,
				  name);
	}
	if (plan->debug_exit != 0)
		add_ports(l, plan->debug_exit, VMM_DEBUG_EXIT_PORTS, VMM_MACHINE_NO_IRQ,
			  "debug-exit");
	if (plan->fw_cfg)
		add_ports(l, PORT_FW_CFG, VMM_FW_CFG_PORTS, VMM_MACHINE_NO_IRQ, "fw-cfg");
	if (vmm__plan_has_power(plan))
		add_ports(l, PORT_POWER, VMM_POWER_LEN,
			  plan->power_button ? IRQ_POWER : VMM_MACHINE_NO_IRQ, "power");
	if (plan->uefi != 0)
		add_ports(l, PORT_UEFI, VMM_UEFI_DOORBELL_LEN, VMM_MACHINE_NO_IRQ, "vUEFI");
	if (plan->pci_buses == 0)
		return;
	add_ports(l, PORT_PCI_CONFIG, VMM_PCI_ROOT_PORTS, VMM_MACHINE_NO_IRQ, "PCI configuration");
	add(l, VMM_SPACE_PORT, VMM_RANGE_WINDOW, PORT_PCI_WINDOW, PORT_END - PORT_PCI_WINDOW,
	    VMM_MACHINE_NO_IRQ, "PCI ports");
}

static int fail(struct vmm_profile_error *error, int code, const char *fmt, ...) VMM__PRINTF(3, 4);
static int fail(struct vmm_profile_error *error, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vmm__profile_fail(error, code, 0, 0, fmt, ap);
	va_end(ap);
	return code;
}

/* Ports can be chosen, so they can meet; memory is where this file puts it. */
static int check_ports(const struct list *l, struct vmm_profile_error *error)
{
	for (uint32_t i = 1; i < l->count; i++) {
		const struct vmm_machine_range *a = &l->range[i - 1];
		const struct vmm_machine_range *b = &l->range[i];

		if (vmm__ranges_overlap(a->base, a->len, b->base, b->len))
			return fail(error, -VMM_EEXIST, "'%s' and '%s' both want port 0x%llx",
				    a->name, b->name, (unsigned long long)b->base);
	}
	return 0;
}

static int check_irqs(const struct list *l, struct vmm_profile_error *error)
{
	for (uint32_t i = 0; i < l->count; i++) {
		for (uint32_t j = i + 1; j < l->count; j++) {
			if (l->range[i].irq != VMM_MACHINE_NO_IRQ &&
			    l->range[i].irq == l->range[j].irq)
				return fail(error, -VMM_EEXIST,
					    "'%s' and '%s' both want interrupt %u",
					    l->range[i].name, l->range[j].name, l->range[i].irq);
		}
	}
	return 0;
}

static void read_memory(const struct vmm_profile *p, struct vmm__plan *plan)
{
	plan->ram_size = p->memory_size;
	plan->low_ram = plan->ram_size < MAP_LOW_RAM_END ? plan->ram_size : MAP_LOW_RAM_END;
	plan->high_ram = plan->ram_size - plan->low_ram;
}

/* A profile's strings end within their fields. */
static bool is_word(const char *string, const char *word)
{
	while (*string != '\0' && *string == *word) {
		string++;
		word++;
	}
	return *string == *word;
}

static int read_firmware(const struct vmm_profile *p, struct vmm__plan *plan,
			 struct vmm_profile_error *error)
{
	if (is_word(p->firmware, "none"))
		return 0;
	if (!is_word(p->firmware, "vuefi"))
		return fail(error, -VMM_EINVAL, "boot.firmware is none or vuefi, not '%s'",
			    p->firmware);
	if (plan->low_ram < MAP_EXTENDED + 2 * MAP_UEFI_LEN)
		return fail(error, -VMM_ERANGE, "vUEFI wants a memory.size of 2M or more");
	plan->uefi = plan->low_ram - MAP_UEFI_LEN;
	return 0;
}

static int read_cpus(const struct vmm_profile *p, struct vmm__plan *plan,
		     struct vmm_profile_error *error)
{
	uint64_t sockets = p->cpu_sockets;
	uint64_t dies = p->cpu_dies;
	uint64_t cores = p->cpu_cores;
	uint64_t threads = p->cpu_threads;
	uint64_t cpus = sockets * dies * cores * threads; /* each is at most 1024 */

	if (cpus > VMM__PROFILE_CPUS)
		return fail(error, -VMM_ERANGE,
			    "cpu.sockets x dies x cores x threads is %llu, and %d is the most",
			    (unsigned long long)cpus, VMM__PROFILE_CPUS);
	plan->topology.sockets = (uint32_t)sockets;
	plan->topology.dies = (uint32_t)dies;
	plan->topology.cores = (uint32_t)cores;
	plan->topology.threads = (uint32_t)threads;
	plan->cpus = (uint32_t)cpus;
	return 0;
}

static void read_devices(const struct vmm_profile *p, struct vmm__plan *plan)
{
	for (uint32_t i = 0; i < SERIAL_PORTS; i++) {
		plan->serial[i].enable = p->serial_enable[i] != 0;
		plan->serial[i].port = (uint32_t)p->serial_port[i];
		plan->serial[i].irq = (uint32_t)p->serial_irq[i];
	}
	if (p->pci_enable != 0)
		plan->pci_buses = (uint32_t)p->pci_buses;
	if (p->debug_exit_enable != 0)
		plan->debug_exit = (uint32_t)p->debug_exit_port;
	plan->fw_cfg = p->fw_cfg_enable != 0;
	plan->power_off = p->power_off != 0;
	plan->power_reset = p->power_reset != 0;
	plan->power_button = p->power_button != 0;
}

int vmm__plan_make(const struct vmm_profile *profile, struct vmm__plan *plan,
		   struct vmm_profile_error *error)
{
	struct list ports;
	int err;

	memset(plan, 0, sizeof(*plan));
	ports.count = 0;
	read_memory(profile, plan);
	read_devices(profile, plan);
	err = read_firmware(profile, plan, error);
	if (err == 0)
		err = read_cpus(profile, plan, error);
	if (err != 0)
		return err;
	list_ports(&ports, plan);
	err = check_ports(&ports, error);
	return err != 0 ? err : check_irqs(&ports, error);
}

int vmm_profile_check(const struct vmm_profile *profile, struct vmm_profile_error *error)
{
	struct vmm__plan plan;

	return vmm__plan_make(profile, &plan, error);
}

int vmm_machine_plan_ranges(const struct vmm_profile *profile, struct vmm_machine_range *ranges,
			    uint32_t *count)
{
	struct vmm__plan plan;
	struct list all;
	uint32_t room = *count;
	int err = vmm__plan_make(profile, &plan, NULL);

	if (err != 0)
		return err;
	all.count = 0;
	list_memory(&all, &plan);
	list_ports(&all, &plan);
	*count = all.count;
	if (ranges == NULL)
		return 0;
	if (room < all.count)
		return -VMM_ESIZE;
	memcpy(ranges, all.range, all.count * sizeof(all.range[0]));
	return 0;
}

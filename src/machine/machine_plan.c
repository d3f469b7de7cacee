// SPDX-License-Identifier: BSD-2-Clause-Patent
/* From a profile to the plan of a machine, and the map of addresses that follows from it. */
#include "machine_plan.h"

#include "bits.h"
#include "libvmm/bus.h"
#include "libvmm/dev.h"
#include "libvmm/uefi.h"
#include "mem.h"

#define KIB  UINT64_C(0x400)
#define PAGE UINT64_C(0x1000)
#define GIB  UINT64_C(0x40000000)

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
	if (len > 0)
		add(l, VMM_SPACE_MMIO, kind, base, len, VMM_MACHINE_NO_IRQ, name);
}

static void add_device(struct list *l, uint64_t base, uint64_t len, uint32_t irq, const char *name)
{
	add(l, VMM_SPACE_MMIO, VMM_RANGE_DEVICE, base, len, irq, name);
}

static void add_ports(struct list *l, uint32_t base, uint32_t len, uint32_t irq, const char *name)
{
	add(l, VMM_SPACE_PORT, VMM_RANGE_DEVICE, base, len, irq, name);
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

/* --- The map --- */

static void list_x86_low(struct list *l, const struct vmm__plan *plan)
{
	add_memory(l, VMM_RANGE_RAM, 0, MAP_CONVENTIONAL_END, "RAM");
	if (plan->bios)
		add_memory(l, VMM_RANGE_RESERVED, MAP_TABLES, MAP_TABLES_LEN, "BIOS");
	else
		add_memory(l, VMM_RANGE_ACPI, MAP_TABLES, MAP_TABLES_LEN, "ACPI tables");
	if (plan->bios)
		add_memory(l, VMM_RANGE_RESERVED, MAP_HIGH_RAM - MAP_BIOS_MAX, MAP_BIOS_MAX,
			   "BIOS");
	add_device(l, MAP_IOAPIC, MAP_IOAPIC_LEN, VMM_MACHINE_NO_IRQ, "IOAPIC");
	add_device(l, MAP_LAPIC, MAP_LAPIC_LEN, VMM_MACHINE_NO_IRQ, "local APICs");
	if (plan->profile->tpm_enable)
		add_device(l, MAP_TPM, MAP_TPM_LEN, VMM_MACHINE_NO_IRQ, "TPM");
}

static void list_arm_devices(struct list *l, const struct vmm__plan *plan)
{
	add_device(l, ARM_GICD, ARM_GICD_LEN, VMM_MACHINE_NO_IRQ, "GIC distributor");
	if (plan->profile->arm_its)
		add_device(l, ARM_ITS, ARM_ITS_LEN, VMM_MACHINE_NO_IRQ, "GIC ITS");
	add_device(l, ARM_GICR, ARM_GICR_LEN, VMM_MACHINE_NO_IRQ, "GIC redistributors");
	if (plan->cpus * ARM_GICR_CPU > ARM_GICR_LEN)
		add_device(l, ARM_GICR_HIGH, ARM_GICR_HIGH_LEN, VMM_MACHINE_NO_IRQ,
			   "GIC redistributors");
	if (plan->profile->serial_enable[0])
		add_device(l, ARM_UART, ARM_UART_LEN, ARM_IRQ_UART, "serial 0");
	add_device(l, ARM_RTC, ARM_RTC_LEN, ARM_IRQ_RTC, "RTC");
	if (plan->profile->fw_cfg_enable)
		add_device(l, ARM_FW_CFG, ARM_FW_CFG_LEN, VMM_MACHINE_NO_IRQ, "fw-cfg");
	if (plan->profile->tpm_enable)
		add_device(l, ARM_TPM, MAP_TPM_LEN, VMM_MACHINE_NO_IRQ, "TPM");
}

/* RAM from @base on, without what is kept for firmware at its end. */
static void list_ram(struct list *l, const struct vmm__plan *plan)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(plan->ram); i++) {
		struct vmm__span s = plan->ram[i];

		if (!plan->arm && s.base == 0) {
			s.base = MAP_EXTENDED;
			s.len = s.len > MAP_EXTENDED ? s.len - MAP_EXTENDED : 0;
		}
		if (i == 0 && s.len > 0)
			s.len = plan->low_end - s.base;
		add_memory(l, VMM_RANGE_RAM, s.base, s.len, "RAM");
	}
	if (plan->uefi != 0) {
		add_uefi(l, VMM_UEFI_RUNTIME_CODE, plan->uefi, VMM_UEFI_RUNTIME_LEN,
			 "vUEFI runtime");
		add_uefi(l, VMM_UEFI_RUNTIME_DATA, plan->uefi + VMM_UEFI_RUNTIME_LEN,
			 MAP_UEFI_LEN - VMM_UEFI_RUNTIME_LEN, "vUEFI tables");
	}
	add_memory(l, VMM_RANGE_ACPI, plan->firmware.base, plan->firmware.len, "ACPI tables");
	if (plan->generation != 0)
		add_memory(l, VMM_RANGE_RESERVED, plan->generation, PAGE, "generation");
	if (plan->errors != 0)
		add_memory(l, VMM_RANGE_RESERVED, plan->errors, PAGE, "errors");
}

static void list_memory(struct list *l, const struct vmm__plan *plan)
{
	if (plan->arm)
		list_arm_devices(l, plan);
	else
		list_x86_low(l, plan);
	list_ram(l, plan);
	add_memory(l, VMM_RANGE_HOTPLUG, plan->memory_hotplug.base, plan->memory_hotplug.len,
		   "hot-plugged memory");
	if (plan->pci_buses == 0)
		return;
	add_memory(l, VMM_RANGE_WINDOW, plan->pci_low.base, plan->pci_low.len, "PCI memory");
	add_memory(l, VMM_RANGE_WINDOW, plan->pci_high.base, plan->pci_high.len, "PCI memory");
	add_memory(l, VMM_RANGE_RESERVED, plan->ecam, plan->pci_buses * VMM_ECAM_BUS_LEN,
		   "PCI ECAM");
	if (plan->arm)
		add_memory(l, VMM_RANGE_WINDOW, ARM_PCI_PORTS, PORT_END, "PCI ports");
}

static void list_registers(struct list *l, const struct vmm__plan *plan)
{
	const struct vmm_profile *p = plan->profile;
	const uint32_t irq = plan->events != 0 ? plan->ged_gsi : VMM_MACHINE_NO_IRQ;

	if (vmm__plan_has_power(plan))
		add(l, plan->reg_space, VMM_RANGE_DEVICE, plan->reg_base + REG_POWER, VMM_POWER_LEN,
		    irq, "power");
	if (p->cpu_hotplug)
		add(l, plan->reg_space, VMM_RANGE_DEVICE, plan->reg_base + REG_CPU_SLOTS,
		    VMM_SLOTS_LEN, VMM_MACHINE_NO_IRQ, "CPU slots");
	if (plan->memory_hotplug.len > 0)
		add(l, plan->reg_space, VMM_RANGE_DEVICE, plan->reg_base + REG_MEMORY_SLOTS,
		    VMM_SLOTS_LEN, VMM_MACHINE_NO_IRQ, "memory slots");
	if (plan->pci_buses > 0 && p->pci_slots > 0)
		add(l, plan->reg_space, VMM_RANGE_DEVICE, plan->reg_base + REG_PCI_SLOTS,
		    VMM_SLOTS_LEN, VMM_MACHINE_NO_IRQ, "PCI slots");
}

static void list_legacy(struct list *l, const struct vmm_profile *p)
{
	if (p->legacy_pic) {
		add_ports(l, PORT_PIC, 2, VMM_MACHINE_NO_IRQ, "8259");
		add_ports(l, PORT_PIC_SECOND, 2, VMM_MACHINE_NO_IRQ, "second 8259");
		add_ports(l, PORT_ELCR, 2, VMM_MACHINE_NO_IRQ, "ELCR");
	}
	if (p->legacy_pit) {
		add_ports(l, PORT_PIT, VMM_PIT_PORTS, IRQ_PIT, "8254");
		add_ports(l, PORT_B, VMM_PIT_PORT_B_PORTS, VMM_MACHINE_NO_IRQ, "port B");
	}
	if (p->legacy_rtc)
		add_ports(l, PORT_RTC, VMM_RTC_PORTS, IRQ_RTC, "RTC");
	if (p->legacy_i8042) {
		add_ports(l, PORT_I8042_DATA, VMM_I8042_PORTS, IRQ_KEYBOARD, "keyboard");
		add_ports(l, PORT_I8042_COMMAND, VMM_I8042_PORTS, IRQ_MOUSE, "keyboard command");
		add_ports(l, PORT_A, VMM_I8042_PORT_A_PORTS, VMM_MACHINE_NO_IRQ, "port A");
	}
}

static void list_ports(struct list *l, const struct vmm__plan *plan)
{
	const struct vmm_profile *p = plan->profile;

	for (uint32_t i = 0; i < VMM__PROFILE_SERIALS; i++) {
		char name[16];

		vmm__format(name, sizeof(name), "serial %u", i);
		if (p->serial_enable[i])
			add_ports(l, (uint32_t)p->serial_port[i], VMM_UART_PORTS,
				  (uint32_t)p->serial_irq[i], name);
	}
	list_legacy(l, p);
	if (plan->debug_exit != 0)
		add_ports(l, plan->debug_exit, VMM_DEBUG_EXIT_PORTS, VMM_MACHINE_NO_IRQ,
			  "debug-exit");
	if (p->fw_cfg_enable)
		add_ports(l, PORT_FW_CFG, VMM_FW_CFG_PORTS, VMM_MACHINE_NO_IRQ, "fw-cfg");
	if (plan->uefi != 0)
		add_ports(l, PORT_UEFI, VMM_UEFI_DOORBELL_LEN, VMM_MACHINE_NO_IRQ, "vUEFI");
	if (vmm__plan_has_bios_power(plan))
		add_ports(l, PORT_BIOS_POWER, BIOS_POWER_LEN, VMM_MACHINE_NO_IRQ, "BIOS power");
	if (plan->pci_buses == 0)
		return;
	add_ports(l, PORT_PCI_CONFIG, VMM_PCI_ROOT_PORTS, VMM_MACHINE_NO_IRQ, "PCI configuration");
	add(l, VMM_SPACE_PORT, VMM_RANGE_WINDOW, PORT_PCI_WINDOW, PORT_END - PORT_PCI_WINDOW,
	    VMM_MACHINE_NO_IRQ, "PCI ports");
}

static void list_devices(struct list *l, const struct vmm__plan *plan)
{
	list_registers(l, plan);
	if (!plan->arm)
		list_ports(l, plan);
}

/* Ports can be chosen, so they can meet; memory is where this file puts it. */
static int check_ports(const struct list *l, struct vmm_profile_error *error)
{
	for (uint32_t i = 1; i < l->count; i++) {
		const struct vmm_machine_range *a = &l->range[i - 1];
		const struct vmm_machine_range *b = &l->range[i];

		if (a->space == b->space && vmm__ranges_overlap(a->base, a->len, b->base, b->len))
			return vmm__profile_refuse(error, -VMM_EEXIST,
						   "'%s' and '%s' both want port 0x%llx", a->name,
						   b->name, (unsigned long long)b->base);
	}
	return 0;
}

static int check_irqs(const struct list *l, const struct vmm__plan *plan,
		      struct vmm_profile_error *error)
{
	for (uint32_t i = 0; i < l->count; i++) {
		if (plan->pci_buses > 0 && l->range[i].irq - plan->pci_gsi < 4)
			return vmm__profile_refuse(
				error, -VMM_EEXIST,
				"'%s' wants interrupt %u, which is of the PCI bus",
				l->range[i].name, l->range[i].irq);
		for (uint32_t j = i + 1; j < l->count; j++) {
			if (l->range[i].irq != VMM_MACHINE_NO_IRQ &&
			    l->range[i].irq == l->range[j].irq)
				return vmm__profile_refuse(
					error, -VMM_EEXIST, "'%s' and '%s' both want interrupt %u",
					l->range[i].name, l->range[j].name, l->range[i].irq);
		}
	}
	return 0;
}

/* --- From the profile --- */

static int read_cpus(struct vmm__plan *plan, struct vmm_profile_error *error)
{
	const struct vmm_profile *p = plan->profile;
	uint64_t cpus = p->cpu_sockets * p->cpu_dies * p->cpu_clusters * p->cpu_cores *
			p->cpu_threads; /* each is at most 1024 */
	uint64_t present;

	if (cpus > VMM__PROFILE_CPUS)
		return vmm__profile_refuse(
			error, -VMM_ERANGE,
			"cpu.sockets x dies x clusters x cores x threads is %llu, and %d is the "
			"most",
			(unsigned long long)cpus, VMM__PROFILE_CPUS);
	plan->topology = (struct vmm_x86_topology){
		.sockets = (uint32_t)p->cpu_sockets,
		.dies = (uint32_t)p->cpu_dies,
		.cores = (uint32_t)p->cpu_cores,
		.threads = (uint32_t)p->cpu_threads,
		.clusters = (uint32_t)p->cpu_clusters,
	};
	plan->cpus = (uint32_t)cpus;
	present = p->cpu_present == 0 ? cpus : p->cpu_present;
	if (present > cpus)
		return vmm__profile_refuse(error, -VMM_ERANGE, "cpu.present is %llu of %llu CPUs",
					   (unsigned long long)present, (unsigned long long)cpus);
	if (present < cpus && !p->cpu_hotplug)
		return vmm__profile_refuse(error, -VMM_ERANGE,
					   "cpu.present without cpu.hotplug leaves CPUs unusable");
	if (p->cpu_hotplug && plan->arm)
		return vmm__profile_refuse(error, -VMM_EINVAL, "cpu.hotplug is not for arm64");
	if (p->cpu_boot >= present)
		return vmm__profile_refuse(
			error, -VMM_ERANGE, "cpu.boot is CPU %llu, and %llu are there",
			(unsigned long long)p->cpu_boot, (unsigned long long)present);
	if (p->cpu_dedicated && p->cpu_shared)
		return vmm__profile_refuse(error, -VMM_ERANGE,
					   "cpu.dedicated and cpu.shared exclude each other");
	for (uint32_t i = 0; i < present; i++)
		vmm__plan_set_present(plan, i, true);
	return 0;
}

/* Whole lines of 64 bytes in the ways that x86.h says; the tables tell the same of arm64. */
static int check_caches(const struct vmm_profile *p, struct vmm_profile_error *error)
{
	if (p->cache_l1d != 0 || (p->cache_l1i | p->cache_l2 | p->cache_l3) == 0)
		return 0;
	return vmm__profile_refuse(error, -VMM_ERANGE, "caches without cache.l1d");
}

static void read_events(struct vmm__plan *plan)
{
	const struct vmm_profile *p = plan->profile;

	plan->events = (p->power_button ? VMM_POWER_EVENT_BUTTON : 0) |
		       (p->power_sleep_button ? VMM_POWER_EVENT_SLEEP : 0) |
		       (p->cpu_hotplug ? VMM_POWER_EVENT_CPU : 0) |
		       (p->memory_slots ? VMM_POWER_EVENT_MEMORY : 0) |
		       (plan->pci_buses && p->pci_slots ? VMM_POWER_EVENT_PCI : 0) |
		       (p->thermal_enable ? VMM_POWER_EVENT_THERMAL : 0) |
		       (p->ras_enable ? VMM_POWER_EVENT_ERROR : 0) |
		       (p->vmgenid_enable ? VMM_POWER_EVENT_GENERATION : 0);
}

/*
 * Bytes that hold the tables whatever they are: measured at 1,024 CPUs, with as much again. What
 * does not fit is found when they are built.
 */
#define TABLES_BASE   (28 * KIB)
#define TABLES_CPU    768
#define TABLES_SLOT   256
#define SMBIOS_BASE   (8 * KIB)
#define SMBIOS_SOCKET 512
#define SMBIOS_SLOT   128
#define SMBIOS_MODULE 128
#define FIRMWARE_UNIT (64 * KIB)

static void size_firmware(struct vmm__plan *plan)
{
	const struct vmm_profile *p = plan->profile;
	const uint64_t slots = p->memory_slots + (plan->pci_buses ? p->pci_slots : 0);

	plan->tables.len = TABLES_BASE + plan->cpus * TABLES_CPU + slots * TABLES_SLOT +
			   plan->nodes * plan->nodes * 8;
	if (p->smbios_enable)
		plan->smbios.len = SMBIOS_BASE + p->cpu_sockets * SMBIOS_SOCKET +
				   slots * SMBIOS_SLOT +
				   plan->nodes * VMM__NODE_MODULES * SMBIOS_MODULE;
}

/* Takes @len bytes from the end of what is left of the first part of RAM; 0 where there are none.
 */
static uint64_t take_ram(struct vmm__plan *plan, uint64_t len, uint64_t align)
{
	const uint64_t lowest = (plan->arm ? plan->ram[0].base : MAP_EXTENDED) + FIRMWARE_UNIT;

	if (plan->low_end < lowest + len + align)
		return 0;
	plan->low_end = vmm__align_down(plan->low_end - len, align);
	return plan->low_end;
}

/* Pages by which something is told. Not below 1 MiB: Linux keeps drivers from what is reserved
 * there. */
static bool place_pages(struct vmm__plan *plan)
{
	const struct vmm_profile *p = plan->profile;

	if (p->vmgenid_enable)
		plan->generation = take_ram(plan, PAGE, PAGE);
	if (p->ras_enable || p->ras_bert)
		plan->errors = take_ram(plan, PAGE, PAGE);
	return (plan->generation != 0) == (p->vmgenid_enable != 0) &&
	       (plan->errors != 0) == (p->ras_enable || p->ras_bert);
}

static bool place_tables(struct vmm__plan *plan)
{
	const uint64_t tables = vmm__align_up(plan->tables.len, 64);
	const uint64_t end = plan->low_end;

	if (!plan->arm && !plan->bios && plan->tables.len <= MAP_SMBIOS - MAP_TABLES &&
	    plan->smbios.len <= MAP_RESTART - MAP_SMBIOS) {
		plan->tables = (struct vmm__span){MAP_TABLES, MAP_SMBIOS - MAP_TABLES};
		if (plan->smbios.len > 0)
			plan->smbios = (struct vmm__span){MAP_SMBIOS, MAP_RESTART - MAP_SMBIOS};
		return true;
	}
	plan->firmware.base = take_ram(plan, tables + plan->smbios.len, FIRMWARE_UNIT);
	plan->firmware.len = end - plan->firmware.base;
	plan->tables.base = plan->firmware.base;
	plan->smbios.base = plan->firmware.base + tables;
	return plan->firmware.base != 0;
}

static bool place_uefi(struct vmm__plan *plan)
{
	if (plan->profile->firmware[0] != 'v')
		return true;
	plan->uefi = take_ram(plan, MAP_UEFI_LEN, MAP_UEFI_LEN);
	/* UEFI 2.10, 4.6: in memory that is not reclaimed. That of large machines stays where it
	 * is. */
	if (plan->smbios.base == MAP_SMBIOS)
		plan->smbios = (struct vmm__span){plan->uefi + MAP_UEFI_SMBIOS,
						  MAP_UEFI_LEN - MAP_UEFI_SMBIOS};
	return plan->uefi != 0;
}

static int place_firmware(struct vmm__plan *plan, struct vmm_profile_error *error)
{
	plan->low_end = plan->ram[0].base + plan->ram[0].len;
	if (plan->arm && plan->profile->firmware[0] == 'v')
		return vmm__profile_refuse(error, -VMM_EINVAL,
					   "boot.firmware = vuefi is not for arm64 yet");
	if (plan->arm && plan->bios)
		return vmm__profile_refuse(error, -VMM_EINVAL,
					   "boot.firmware = bios is not for arm64");
	if (!place_pages(plan) || !place_tables(plan))
		return vmm__profile_refuse(error, -VMM_ERANGE,
					   "memory.size has no room for tables of %u CPUs",
					   plan->cpus);
	if (!place_uefi(plan))
		return vmm__profile_refuse(error, -VMM_ERANGE,
					   "vUEFI wants a memory.size of 2M or more");
	return 0;
}

/* What is plugged later comes after RAM, the functions of the PCI bus after that. */
static int place_high(struct vmm__plan *plan, uint64_t end, struct vmm_profile_error *error)
{
	const struct vmm_profile *p = plan->profile;
	const uint64_t align = p->pci_window < 32 * GIB ? GIB : 32 * GIB;

	if ((p->memory_slots == 0) != (p->memory_hotplug == 0))
		return vmm__profile_refuse(error, -VMM_ERANGE,
					   "memory.slots and memory.hotplug go together");
	if (p->memory_hotplug > 0) {
		plan->memory_hotplug.base = vmm__align_up(end, GIB);
		plan->memory_hotplug.len = p->memory_hotplug;
		end = plan->memory_hotplug.base + plan->memory_hotplug.len;
	}
	if (plan->pci_buses > 0 && p->pci_window > 0)
		plan->pci_high = (struct vmm__span){vmm__align_up(end, align), p->pci_window};
	return 0;
}

static int plan_x86(struct vmm__plan *plan, struct vmm_profile_error *error)
{
	const struct vmm_profile *p = plan->profile;
	const uint64_t low = p->memory_size < MAP_LOW_RAM_END ? p->memory_size : MAP_LOW_RAM_END;

	plan->ram[0] = (struct vmm__span){0, low};
	plan->ram[1] = (struct vmm__span){MAP_HIGH_RAM, p->memory_size - low};
	plan->pci_low = (struct vmm__span){MAP_PCI_WINDOW, MAP_PCI_WINDOW_LEN};
	plan->ecam = MAP_ECAM;
	plan->pci_gsi = IRQ_PCI;
	plan->reg_space = VMM_SPACE_PORT;
	plan->reg_base = PORT_REGISTERS;
	plan->ged_gsi = IRQ_GED;
	if (p->debug_exit_enable)
		plan->debug_exit = (uint32_t)p->debug_exit_port;
	return place_high(plan, MAP_HIGH_RAM + plan->ram[1].len, error);
}

static int plan_arm(struct vmm__plan *plan, struct vmm_profile_error *error)
{
	const struct vmm_profile *p = plan->profile;
	const uint64_t end = ARM_RAM + p->memory_size;
	int err;

	if (p->memory_size > ARM_RAM_MAX)
		return vmm__profile_refuse(error, -VMM_ERANGE,
					   "memory.size of an arm64 machine is at most 255 GiB");
	plan->ram[0] = (struct vmm__span){ARM_RAM, p->memory_size};
	plan->pci_low = (struct vmm__span){ARM_PCI_WINDOW, ARM_PCI_WINDOW_LEN};
	plan->ecam = ARM_ECAM;
	plan->pci_gsi = ARM_IRQ_PCI;
	plan->reg_space = VMM_SPACE_MMIO;
	plan->reg_base = ARM_REGISTERS;
	plan->ged_gsi = ARM_IRQ_GED;
	err = place_high(plan, end, error);
	if (err == 0 && plan->memory_hotplug.base + plan->memory_hotplug.len > ARM_GICR_HIGH)
		return vmm__profile_refuse(error, -VMM_ERANGE,
					   "RAM and memory.hotplug pass 256 GiB on arm64");
	if (plan->pci_high.len > 0)
		plan->pci_high.base = ARM_PCI_HIGH;
	return err;
}

/* A list and a plan are too large for one frame of firmware's stack, which is probed from 4 KiB on:
 * each is in a function of its own. */
#define OWN_FRAME __attribute__((noinline))

static OWN_FRAME int check_devices(const struct vmm__plan *plan, struct vmm_profile_error *error)
{
	struct list devices;
	int err;

	devices.count = 0;
	list_devices(&devices, plan);
	err = check_ports(&devices, error);
	return err != 0 ? err : check_irqs(&devices, plan, error);
}

int vmm__plan_make(const struct vmm_profile *profile, struct vmm__plan *plan,
		   struct vmm_profile_error *error)
{
	int err;

	memset(plan, 0, sizeof(*plan));
	plan->profile = profile;
	err = vmm__plan_words(profile, error);
	if (err != 0)
		return err;
	plan->arm = profile->arch[0] == 'a';
	plan->bios = profile->firmware[0] == 'b';
	plan->pci_buses = profile->pci_enable ? (uint32_t)profile->pci_buses : 0;
	read_events(plan);
	err = check_caches(profile, error);
	if (err == 0)
		err = read_cpus(plan, error);
	if (err == 0)
		err = vmm__plan_nodes(plan, error);
	if (err != 0)
		return err;
	size_firmware(plan);
	err = plan->arm ? plan_arm(plan, error) : plan_x86(plan, error);
	if (err == 0)
		err = place_firmware(plan, error);
	if (err != 0)
		return err;
	return check_devices(plan, error);
}

/* MPIDR as QEMU's "virt" gives it out: 16 CPUs in an affinity level 0. */
uint64_t vmm__plan_cpu_id(const struct vmm__plan *plan, uint32_t cpu)
{
	uint32_t apic_id = 0;

	if (plan->arm)
		return (cpu / 16) << 8 | cpu % 16;
	vmm_x86_topology_apic_id(&plan->topology, cpu, &apic_id);
	return apic_id;
}

uint32_t vmm__plan_node_ram(const struct vmm__plan *plan, uint32_t node, struct vmm__span part[2])
{
	uint64_t skip = 0, left = plan->node_memory[node];
	uint32_t count = 0;

	for (uint32_t n = 0; n < node; n++)
		skip += plan->node_memory[n];
	for (uint32_t i = 0; i < ARRAY_SIZE(plan->ram) && left > 0; i++) {
		const struct vmm__span *ram = &plan->ram[i];
		uint64_t len = skip < ram->len ? ram->len - skip : 0;

		if (len > left)
			len = left;
		if (len > 0)
			part[count++] = (struct vmm__span){ram->base + skip, len};
		skip -= skip < ram->len ? skip : ram->len;
		left -= len;
	}
	return count;
}

int vmm_profile_check(const struct vmm_profile *profile, struct vmm_profile_error *error)
{
	struct vmm__plan plan;

	return vmm__plan_make(profile, &plan, error);
}

static OWN_FRAME int give_ranges(const struct vmm__plan *plan, struct vmm_machine_range *ranges,
				 uint32_t *count)
{
	struct list all;
	uint32_t room = *count;

	all.count = 0;
	list_memory(&all, plan);
	list_devices(&all, plan);
	*count = all.count;
	if (ranges == NULL)
		return 0;
	if (room < all.count)
		return -VMM_ESIZE;
	memcpy(ranges, all.range, all.count * sizeof(all.range[0]));
	return 0;
}

int vmm_machine_plan_ranges(const struct vmm_profile *profile, struct vmm_machine_range *ranges,
			    uint32_t *count)
{
	struct vmm__plan plan;
	int err = vmm__plan_make(profile, &plan, NULL);

	return err == 0 ? give_ranges(&plan, ranges, count) : err;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The namespace of a machine: devices that are there from the start. Sections of ACPI 6.5. */
#include "format.h"
#include "libvmm/bus.h"
#include "libvmm/dev.h"
#include "libvmm/uefi.h"
#include "machine_tables.h"

#define DSDT_REVISION 2 /* integers have 64 bits */

void vmm__name_int(struct vmm_aml *a, const char *name, uint64_t value)
{
	vmm_aml_name(a, name);
	vmm_aml_int(a, value);
}

static void name_string(struct vmm_aml *a, const char *name, const char *text)
{
	vmm_aml_name(a, name);
	vmm_aml_string(a, text);
}

static void name_eisaid(struct vmm_aml *a, const char *name, const char *id)
{
	vmm_aml_name(a, name);
	vmm_aml_eisaid(a, id);
}

void vmm__device_begin(struct vmm_aml *a, const char *name, const char *hid, uint32_t uid)
{
	vmm_aml_device_begin(a, name);
	name_string(a, "_HID", hid);
	vmm__name_int(a, "_UID", uid);
}

void vmm__device_eisa_begin(struct vmm_aml *a, const char *name, const char *hid, uint32_t uid)
{
	vmm_aml_device_begin(a, name);
	name_eisaid(a, "_HID", hid);
	vmm__name_int(a, "_UID", uid);
}

void vmm__crs_begin(struct vmm_aml *a)
{
	vmm_aml_name(a, "_CRS");
	vmm_aml_resources_begin(a);
}

void vmm__crs_irq(struct vmm_aml *a, uint8_t flags, uint32_t gsi)
{
	vmm_aml_res_interrupt(a, VMM_AML_INT_CONSUMER | flags, &gsi, 1);
}

void vmm__region(struct vmm_aml *a, const struct vmm__plan *plan, const char *name, uint32_t offset,
		 uint32_t len)
{
	vmm_aml_region(a, name,
		       plan->reg_space == VMM_SPACE_PORT ? VMM_AML_SPACE_IO : VMM_AML_SPACE_MEMORY);
	vmm_aml_int(a, plan->reg_base + offset);
	vmm_aml_int(a, len);
}

static void crs_ports(struct vmm_aml *a, uint32_t port, uint32_t len)
{
	vmm_aml_res_io(a, (uint16_t)port, (uint16_t)port, 1, (uint8_t)len);
}

/* 7.3: a device that can be told to sleep, and remembers that it was. */
static void add_device_states(struct vmm_aml *a)
{
	static const struct {
		const char *name;
		uint32_t state;
	} method[] = {{"_PS0", 0}, {"_PS3", 3}};

	vmm__name_int(a, "PSTA", 0);
	for (uint32_t i = 0; i < 2; i++) {
		vmm_aml_method_begin(a, method[i].name, 0, VMM_AML_SERIALIZED);
		vmm_aml_store(a);
		vmm_aml_int(a, method[i].state);
		vmm_aml_path(a, "PSTA");
		vmm_aml_method_finish(a);
	}
	vmm_aml_method_begin(a, "_PSC", 0, 0);
	vmm_aml_return(a);
	vmm_aml_path(a, "PSTA");
	vmm_aml_method_finish(a);
}

/* A 16550: PNP0501. */
static void add_serials(struct vmm_aml *a, const struct vmm__plan *plan)
{
	const struct vmm_profile *p = plan->profile;

	for (uint32_t i = 0; i < VMM__PROFILE_SERIALS; i++) {
		char name[5];

		if (!p->serial_enable[i])
			continue;
		vmm__format(name, sizeof(name), "COM%u", i);
		vmm__device_eisa_begin(a, name, "PNP0501", i);
		vmm__crs_begin(a);
		crs_ports(a, (uint32_t)p->serial_port[i], VMM_UART_PORTS);
		vmm__crs_irq(a, VMM_AML_INT_EDGE, (uint32_t)p->serial_irq[i]);
		vmm_aml_resources_finish(a);
		if (p->power_devices)
			add_device_states(a);
		vmm_aml_device_finish(a);
	}
}

static void legacy_begin(struct vmm_aml *a, const char *name, const char *hid, uint32_t port,
			 uint32_t len)
{
	vmm__device_eisa_begin(a, name, hid, 0);
	vmm__crs_begin(a);
	if (len > 0)
		crs_ports(a, port, len);
}

static void legacy_finish(struct vmm_aml *a)
{
	vmm_aml_resources_finish(a);
	vmm_aml_device_finish(a);
}

/* Identifiers are those of Microsoft's list of PNP devices; interrupts are those of ISA, whose GSIs
 * have the same numbers. */
static void add_legacy(struct vmm_aml *a, const struct vmm_profile *p)
{
	if (p->legacy_pic) {
		legacy_begin(a, "PIC0", "PNP0000", PORT_PIC, 2);
		crs_ports(a, PORT_PIC_SECOND, 2);
		crs_ports(a, PORT_ELCR, 2);
		legacy_finish(a);
	}
	if (p->legacy_pit) {
		legacy_begin(a, "TMR0", "PNP0100", PORT_PIT, VMM_PIT_PORTS);
		vmm__crs_irq(a, VMM_AML_INT_EDGE, IRQ_PIT);
		legacy_finish(a);
		legacy_begin(a, "SPKR", "PNP0800", PORT_B, VMM_PIT_PORT_B_PORTS);
		legacy_finish(a);
	}
	if (p->legacy_rtc) {
		legacy_begin(a, "RTC0", "PNP0B00", PORT_RTC, VMM_RTC_PORTS);
		vmm__crs_irq(a, VMM_AML_INT_EDGE, IRQ_RTC);
		legacy_finish(a);
	}
	if (p->legacy_i8042) {
		legacy_begin(a, "KBD0", "PNP0303", PORT_I8042_DATA, VMM_I8042_PORTS);
		crs_ports(a, PORT_I8042_COMMAND, VMM_I8042_PORTS);
		vmm__crs_irq(a, VMM_AML_INT_EDGE, IRQ_KEYBOARD);
		legacy_finish(a);
		legacy_begin(a, "MOU0", "PNP0F13", 0, 0);
		vmm__crs_irq(a, VMM_AML_INT_EDGE, IRQ_MOUSE);
		legacy_finish(a);
	}
}

/* Linux binds its driver by this identifier (drivers/firmware/qemu_fw_cfg). */
static void add_fw_cfg(struct vmm_aml *a)
{
	vmm__device_begin(a, "FWCF", "QEMU0002", 0);
	vmm__crs_begin(a);
	crs_ports(a, PORT_FW_CFG, VMM_FW_CFG_PORTS);
	vmm_aml_resources_finish(a);
	vmm_aml_device_finish(a);
}

/* PNP0C02: what is taken and belongs to no device; PCI Firmware 3.3, 4.1.2 wants the ECAM here. */
static void add_reserved(struct vmm_aml *a, const struct vmm__plan *plan)
{
	const struct vmm_profile *p = plan->profile;

	vmm__device_eisa_begin(a, "MRES", "PNP0C02", 0);
	vmm__crs_begin(a);
	if (plan->pci_buses > 0)
		vmm_aml_res_memory32_fixed(a, 1, (uint32_t)plan->ecam,
					   plan->pci_buses * (uint32_t)VMM_ECAM_BUS_LEN);
	if (vmm__plan_has_power(plan))
		crs_ports(a, PORT_REGISTERS + REG_POWER, VMM_POWER_LEN);
	if (p->cpu_hotplug)
		crs_ports(a, PORT_REGISTERS + REG_CPU_SLOTS, VMM_SLOTS_LEN);
	if (plan->memory_hotplug.len > 0)
		crs_ports(a, PORT_REGISTERS + REG_MEMORY_SLOTS, VMM_SLOTS_LEN);
	if (plan->pci_buses > 0 && p->pci_slots > 0)
		crs_ports(a, PORT_REGISTERS + REG_PCI_SLOTS, VMM_SLOTS_LEN);
	if (plan->debug_exit != 0)
		crs_ports(a, plan->debug_exit, VMM_DEBUG_EXIT_PORTS);
	if (plan->uefi != 0)
		crs_ports(a, PORT_UEFI, VMM_UEFI_DOORBELL_LEN);
	vmm_aml_resources_finish(a);
	vmm_aml_device_finish(a);
}

/* 4.8.3.1.2: buttons as devices. */
static void add_buttons(struct vmm_aml *a, const struct vmm__plan *plan)
{
	if (plan->profile->power_button) {
		vmm__device_eisa_begin(a, "PWRB", "PNP0C0C", 0);
		vmm_aml_device_finish(a);
	}
	if (plan->profile->power_sleep_button) {
		vmm__device_eisa_begin(a, "SLPB", "PNP0C0E", 0);
		vmm_aml_device_finish(a);
	}
}

#define CELSIUS_0 2732 /* tenths of a kelvin */

/* 11.4: a temperature, and the one at which to switch off. */
static void add_thermal(struct vmm_aml *a, const struct vmm__plan *plan)
{
	vmm__region(a, plan, "TREG", REG_POWER + VMM_POWER_TEMPERATURE, 4);
	vmm_aml_field_begin(a, "TREG", VMM_AML_ACCESS_DWORD | VMM_AML_UPDATE_ZEROS);
	vmm_aml_field_unit(a, "TTMP", 32);
	vmm_aml_field_finish(a);
	vmm_aml_thermal_begin(a, "TZ00");
	vmm_aml_method_begin(a, "_TMP", 0, VMM_AML_SERIALIZED);
	vmm_aml_return(a);
	vmm_aml_path(a, "TTMP");
	vmm_aml_method_finish(a);
	vmm__name_int(a, "_CRT", CELSIUS_0 + 10 * plan->profile->thermal_critical);
	vmm__name_int(a, "_TZP", 0);
	vmm_aml_thermal_finish(a);
}

/* TCG ACPI 1.4, 8: the device of TPM2. */
static void add_tpm(struct vmm_aml *a, const struct vmm__plan *plan)
{
	vmm__device_begin(a, "TPM0", "MSFT0101", 0);
	vmm__crs_begin(a);
	vmm_aml_res_memory32_fixed(a, 1, (uint32_t)(plan->arm ? ARM_TPM : MAP_TPM),
				   (uint32_t)MAP_TPM_LEN);
	vmm_aml_resources_finish(a);
	vmm_aml_device_finish(a);
}

/* 18.3.2.7.2: the device by which a hardware error is told. */
static void add_error_device(struct vmm_aml *a)
{
	vmm__device_eisa_begin(a, "ERRD", "PNP0C33", 0);
	vmm_aml_device_finish(a);
}

/* --- Who tells of events --- */

/* If (Local0 & @event) { Notify (@object, @value) } */
static void tell(struct vmm_aml *a, const struct vmm__plan *plan, uint32_t event,
		 const char *object, uint32_t value)
{
	if ((plan->events & event) == 0)
		return;
	vmm_aml_if_begin(a);
	vmm_aml_and(a);
	vmm_aml_local(a, 0);
	vmm_aml_int(a, event);
	vmm_aml_null(a);
	vmm_aml_notify(a);
	vmm_aml_path(a, object);
	vmm_aml_int(a, value);
	vmm_aml_if_finish(a);
}

/* If (Local0 & @event) { @method () } */
static void scan(struct vmm_aml *a, const struct vmm__plan *plan, uint32_t event,
		 const char *method)
{
	if ((plan->events & event) == 0)
		return;
	vmm_aml_if_begin(a);
	vmm_aml_and(a);
	vmm_aml_local(a, 0);
	vmm_aml_int(a, event);
	vmm_aml_null(a);
	vmm_aml_call(a, method, 0);
	vmm_aml_if_finish(a);
}

/* 5.6.9: the device of all events. What Notify's values mean: 5.6.6. */
static void add_ged(struct vmm_aml *a, const struct vmm__plan *plan)
{
	vmm__device_begin(a, "GED_", "ACPI0013", 0);
	vmm__crs_begin(a);
	vmm__crs_irq(a, 0, plan->ged_gsi);
	vmm_aml_resources_finish(a);
	vmm__region(a, plan, "EREG", REG_POWER + VMM_POWER_EVENTS, 4);
	vmm_aml_field_begin(a, "EREG", VMM_AML_ACCESS_DWORD | VMM_AML_UPDATE_ZEROS);
	vmm_aml_field_unit(a, "EVNT", 32);
	vmm_aml_field_finish(a);
	vmm_aml_method_begin(a, "_EVT", 1, VMM_AML_SERIALIZED);
	vmm_aml_store(a);
	vmm_aml_path(a, "EVNT");
	vmm_aml_local(a, 0);
	tell(a, plan, VMM_POWER_EVENT_BUTTON, "PWRB", 0x80);
	tell(a, plan, VMM_POWER_EVENT_SLEEP, "SLPB", 0x80);
	tell(a, plan, VMM_POWER_EVENT_THERMAL, "TZ00", 0x80);
	tell(a, plan, VMM_POWER_EVENT_ERROR, "ERRD", 0x80);
	tell(a, plan, VMM_POWER_EVENT_GENERATION, "VGEN", 0x80);
	scan(a, plan, VMM_POWER_EVENT_CPU, "CSCN");
	scan(a, plan, VMM_POWER_EVENT_MEMORY, "MSCN");
	scan(a, plan, VMM_POWER_EVENT_PCI, "\\_SB.PCI0.PSCN");
	vmm_aml_method_finish(a);
	vmm_aml_device_finish(a);
}

/* --- The PCI bus --- */

static void pci_window(struct vmm_aml *a, uint8_t type, uint8_t type_flags, struct vmm__span span,
		       uint64_t translation)
{
	struct vmm_aml_range r = {
		.size = sizeof(r),
		.type = type,
		.flags = VMM_AML_RANGE_FIXED,
		.type_flags = type_flags,
		.min = span.base,
		.max = span.base + span.len - 1,
		.len = span.len,
		.translation = translation,
	};

	if (span.len == 0)
		return;
	if (span.base > UINT32_MAX || translation > UINT32_MAX)
		vmm_aml_res_qword_range(a, &r);
	else if (type == VMM_AML_RANGE_MEMORY || translation != 0)
		vmm_aml_res_dword_range(a, &r);
	else
		vmm_aml_res_word_range(a, &r);
}

/* The I/O ports of an x86 machine are its own; those of arm64 are addresses. */
static void pci_windows(struct vmm_aml *a, const struct vmm__plan *plan)
{
	const struct vmm__span buses = {0, plan->pci_buses};
	const struct vmm__span ports = {PORT_PCI_WINDOW, PORT_END - PORT_PCI_WINDOW};
	const struct vmm__span arm_ports = {0, PORT_END};

	vmm__crs_begin(a);
	pci_window(a, VMM_AML_RANGE_BUS, 0, buses, 0);
	if (plan->arm) {
		pci_window(a, VMM_AML_RANGE_IO, VMM_AML_IO_ENTIRE | VMM_AML_IO_IS_MEMORY, arm_ports,
			   ARM_PCI_PORTS);
	} else {
		crs_ports(a, PORT_PCI_CONFIG, VMM_PCI_ROOT_PORTS);
		pci_window(a, VMM_AML_RANGE_IO, VMM_AML_IO_ENTIRE, ports, 0);
	}
	pci_window(a, VMM_AML_RANGE_MEMORY, VMM_AML_MEMORY_WRITABLE, plan->pci_low, 0);
	pci_window(a, VMM_AML_RANGE_MEMORY, VMM_AML_MEMORY_WRITABLE, plan->pci_high, 0);
	vmm_aml_resources_finish(a);
}

/* CreateDWordField (Arg3, @offset, @name) */
static void osc_dword(struct vmm_aml *a, uint32_t offset, const char *name)
{
	vmm_aml_create_dword_field(a);
	vmm_aml_arg(a, 3);
	vmm_aml_int(a, offset);
	vmm_aml_path(a, name);
}

/* CDW1 |= @bit */
static void osc_tell(struct vmm_aml *a, uint32_t bit)
{
	vmm_aml_or(a);
	vmm_aml_path(a, "CDW1");
	vmm_aml_int(a, bit);
	vmm_aml_path(a, "CDW1");
}

/* If (CDW3 & ~@allowed) { CDW3 &= @allowed; CDW1 |= 0x10 } */
static void osc_mask(struct vmm_aml *a, uint32_t allowed)
{
	vmm_aml_if_begin(a);
	vmm_aml_and(a);
	vmm_aml_path(a, "CDW3");
	vmm_aml_int(a, (uint32_t)~allowed);
	vmm_aml_null(a);
	vmm_aml_and(a);
	vmm_aml_path(a, "CDW3");
	vmm_aml_int(a, allowed);
	vmm_aml_path(a, "CDW3");
	osc_tell(a, 0x10);
	vmm_aml_if_finish(a);
}

#define OSC_ALL  0
#define OSC_PCI  "33db4d5b-1ff7-401c-9657-7441c03dd766"
#define OSC_ROOT "0811b06e-4a27-44f9-8d60-3cbbc22e7b48"

/*
 * 6.2.11 and PCI Firmware 3.3, 4.5: the operating system may have all it asks for, since nobody
 * else wants it, but for what is not in @allowed of CDW3. CDW1 bit 2: unrecognised UUID; bit 3:
 * unrecognised revision; bit 4: something was masked.
 */
static void add_osc(struct vmm_aml *a, const char *uuid, uint32_t allowed)
{
	vmm_aml_method_begin(a, "_OSC", 4, VMM_AML_SERIALIZED);
	osc_dword(a, 0, "CDW1");
	vmm_aml_if_begin(a);
	vmm_aml_lequal(a);
	vmm_aml_arg(a, 0);
	vmm_aml_uuid(a, uuid);
	vmm_aml_if_begin(a);
	vmm_aml_lnot_equal(a);
	vmm_aml_arg(a, 1);
	vmm_aml_int(a, 1);
	osc_tell(a, 0x08);
	vmm_aml_if_finish(a);
	if (allowed != OSC_ALL) {
		osc_dword(a, 8, "CDW3");
		osc_mask(a, allowed);
	}
	vmm_aml_if_finish(a);
	vmm_aml_else_begin(a);
	osc_tell(a, 0x04);
	vmm_aml_else_finish(a);
	vmm_aml_return(a);
	vmm_aml_arg(a, 3);
	vmm_aml_method_finish(a);
}

/* 6.2.13: the pins of a device go to the next four interrupts, one further for each device. */
static void add_prt(struct vmm_aml *a, uint32_t gsi)
{
	vmm_aml_name(a, "_PRT");
	vmm_aml_package_begin(a);
	for (uint32_t device = 1; device < 32; device++) {
		for (uint32_t pin = 0; pin < 4; pin++)
			vmm_aml_prt_entry(a, device, pin, gsi + (device + pin) % 4);
	}
	vmm_aml_package_finish(a);
}

/* PCI Firmware 3.3, 4.5.1: bits 0 and 1 of the control field are native hot plug, which slots of
 * ACPI take the place of; the others are power events, AER, the capability structure, LTR. */
#define PCI_CONTROL_WITHOUT_HOTPLUG 0x3c

/* PCI Firmware 3.3, 4.1 and 4.2.1. */
static void add_pci(struct vmm_aml *a, const struct vmm__plan *plan)
{
	vmm_aml_device_begin(a, "PCI0");
	name_eisaid(a, "_HID", "PNP0A08");
	name_eisaid(a, "_CID", "PNP0A03");
	vmm__name_int(a, "_UID", 0);
	vmm__name_int(a, "_SEG", 0);
	vmm__name_int(a, "_BBN", 0);
	if (plan->arm)
		vmm__name_int(a, "_CCA", 1);
	if (plan->nodes > 1)
		vmm__name_int(a, "_PXM", 0);
	pci_windows(a, plan);
	add_prt(a, plan->pci_gsi);
	add_osc(a, OSC_PCI, plan->profile->pci_slots ? PCI_CONTROL_WITHOUT_HOTPLUG : OSC_ALL);
	if (plan->profile->pci_slots)
		vmm__hotplug_pci_add(a, plan);
	vmm_aml_device_finish(a);
}

/* --- Sleep --- */

/* 7.4.2: the type that the sleep control register wants for a state. */
static void add_sleep_state(struct vmm_aml *a, const char *name, uint32_t type)
{
	vmm_aml_name(a, name);
	vmm_aml_package_begin(a);
	vmm_aml_int(a, type);
	vmm_aml_int(a, 0);
	vmm_aml_int(a, 0);
	vmm_aml_int(a, 0);
	vmm_aml_package_finish(a);
}

static void add_sleep_states(struct vmm_aml *a, const struct vmm_profile *p)
{
	if (p->power_s1 || p->power_s3 || p->power_s4)
		add_sleep_state(a, "\\_S0", 0);
	if (p->power_s1)
		add_sleep_state(a, "\\_S1", 1);
	if (p->power_s3)
		add_sleep_state(a, "\\_S3", 3);
	if (p->power_s4)
		add_sleep_state(a, "\\_S4", 4);
	if (p->power_off)
		add_sleep_state(a, "\\_S5", VMM_POWER_S5);
}

static void add_x86_devices(struct vmm_aml *a, const struct vmm__plan *plan)
{
	add_serials(a, plan);
	add_legacy(a, plan->profile);
	if (plan->profile->fw_cfg_enable)
		add_fw_cfg(a);
	add_reserved(a, plan);
}

void vmm__dsdt_add(struct vmm_acpi *b, const struct vmm__plan *plan)
{
	const struct vmm_profile *p = plan->profile;
	struct vmm_aml a;

	vmm_acpi_aml_begin(b, "DSDT", DSDT_REVISION, &a);
	vmm_aml_scope_begin(&a, "\\_SB");
	if (p->cpu_cppc || p->ras_enable)
		add_osc(&a, OSC_ROOT, OSC_ALL);
	vmm__cpus_add(&a, plan);
	if (plan->arm)
		vmm__arm_devices_add(&a, plan);
	else
		add_x86_devices(&a, plan);
	if (plan->pci_buses > 0)
		add_pci(&a, plan);
	vmm__hotplug_add(&a, plan);
	if (p->thermal_enable)
		add_thermal(&a, plan);
	if (p->tpm_enable)
		add_tpm(&a, plan);
	if (p->ras_enable)
		add_error_device(&a);
	if (p->vmgenid_enable)
		vmm_aml_vmgenid(&a, "VGEN", "LVMM0001", plan->generation);
	add_buttons(&a, plan);
	if (plan->events != 0)
		add_ged(&a, plan);
	vmm_aml_scope_finish(&a);
	if (!plan->arm)
		add_sleep_states(&a, p);
	vmm_acpi_aml_finish(b, &a);
}

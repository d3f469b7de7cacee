// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The machine's devices: which there are, where, and what becomes of what they tell. */
#include "libvmm/irq.h"
#include "machine_object.h"

/* --- What devices tell --- */

/* The line exists and the machine is sealed before a guest can make it change. */
static void serial_irq(void *opaque, uint32_t level)
{
	struct vmm__console *c = opaque;

	vmm_vm_irq_line(c->machine->vm, (uint32_t)c->machine->profile.serial_irq[c->index], level);
}

static void serial_output(void *opaque, const uint8_t *data, uint32_t len)
{
	struct vmm__console *c = opaque;
	const struct vmm_machine_config *config = &c->machine->config;

	if (config->console_write != NULL)
		config->console_write(config->opaque, c->index, data, len);
}

static void serial_room(void *opaque)
{
	struct vmm__console *c = opaque;
	const struct vmm_machine_config *config = &c->machine->config;

	if (config->console_room != NULL)
		config->console_room(config->opaque, c->index);
}

static void power_irq(void *opaque, uint32_t level)
{
	struct vmm_machine *m = opaque;

	if (m->plan.events != 0)
		vmm_vm_irq_line(m->vm, m->plan.ged_gsi, level);
}

/* A register that the tables do not tell of does nothing. */
static void power_event(void *opaque, uint32_t what)
{
	struct vmm_machine *m = opaque;

	if (what == VMM_SYSTEM_OFF && m->profile.power_off)
		vmm__machine_stop(m, VMM_MACHINE_OFF, 0, 0);
	else if (what == VMM_SYSTEM_RESET && m->profile.power_reset)
		vmm__machine_stop(m, VMM_MACHINE_RESET, 0, 0);
}

/* S4 is off to the machine: who switches it on again has what the guest has saved. */
static void power_sleep(void *opaque, uint32_t state)
{
	struct vmm_machine *m = opaque;

	if (state == 1 && m->profile.power_s1)
		vmm__machine_stop(m, VMM_MACHINE_SLEEP, 0, state);
	else if (state == 3 && m->profile.power_s3)
		vmm__machine_stop(m, VMM_MACHINE_SLEEP, 0, state);
	else if (state == 4 && m->profile.power_s4)
		vmm__machine_stop(m, VMM_MACHINE_OFF, 0, state);
}

static void debug_exited(void *opaque, uint32_t status)
{
	vmm__machine_stop(opaque, VMM_MACHINE_DEBUG_EXIT, 0, status);
}

static int fw_cfg_read(void *opaque, uint64_t gpa, void *buf, size_t len)
{
	struct vmm_machine *m = opaque;

	return vmm_vm_read(m->vm, gpa, buf, len);
}

static int fw_cfg_write(void *opaque, uint64_t gpa, const void *buf, size_t len)
{
	struct vmm_machine *m = opaque;

	return vmm_vm_write(m->vm, gpa, buf, len);
}

/* --- Which there are --- */

int vmm__machine_add_region(struct vmm_machine *m, uint32_t space, uint64_t base, uint64_t len,
			    const struct vmm_region_ops *ops, void *device)
{
	struct vmm_region *region;
	int err = vmm_region_add(m->vm, space, base, len, ops, device, &region);

	return err == 0 ? 0 : vmm__machine_vm_failed(m, err, "vmm_region_add");
}

static int no_memory(struct vmm_machine *m, int err)
{
	return vmm__machine_fail(m, err, "vmm_machine_create", "no memory for a device");
}

static int add_serial(struct vmm_machine *m, uint32_t index)
{
	struct vmm__console *c = &m->console[index];
	struct vmm_uart_config config = {
		.size = sizeof(config),
		.opaque = c,
		.irq = serial_irq,
		.output = serial_output,
		.input_room = serial_room,
	};
	int err;

	c->machine = m;
	c->index = index;
	err = vmm_uart_create(m->host, &config, &c->uart);
	if (err != 0)
		return no_memory(m, err);
	return vmm__machine_add_region(m, VMM_SPACE_PORT, m->profile.serial_port[index],
				       VMM_UART_PORTS, vmm_uart_ops(), c->uart);
}

static int add_power(struct vmm_machine *m)
{
	struct vmm_power_config config = {.size = sizeof(config),
					  .opaque = m,
					  .irq = power_irq,
					  .event = power_event,
					  .sleep = power_sleep};
	int err = vmm_power_create(m->host, &config, &m->power);

	if (err != 0)
		return no_memory(m, err);
	return vmm__machine_add_region(m, VMM_SPACE_PORT, PORT_REGISTERS + REG_POWER, VMM_POWER_LEN,
				       vmm_power_ops(), m->power);
}

static int add_debug_exit(struct vmm_machine *m)
{
	struct vmm_debug_exit_config config = {
		.size = sizeof(config), .opaque = m, .exit = debug_exited};
	int err = vmm_debug_exit_create(m->host, &config, &m->debug_exit);

	if (err != 0)
		return no_memory(m, err);
	return vmm__machine_add_region(m, VMM_SPACE_PORT, m->plan.debug_exit, VMM_DEBUG_EXIT_PORTS,
				       vmm_debug_exit_ops(), m->debug_exit);
}

static int add_fw_cfg(struct vmm_machine *m)
{
	struct vmm_fw_cfg_config config = {
		.size = sizeof(config), .opaque = m, .read = fw_cfg_read, .write = fw_cfg_write};
	int err = vmm_fw_cfg_create(m->host, &config, &m->fw_cfg);

	if (err != 0)
		return no_memory(m, err);
	return vmm__machine_add_region(m, VMM_SPACE_PORT, PORT_FW_CFG, VMM_FW_CFG_PORTS,
				       vmm_fw_cfg_ops(), m->fw_cfg);
}

static void pci_reset(void *opaque)
{
	vmm__machine_stop(opaque, VMM_MACHINE_RESET, 0, 0);
}

/* A BIOS resets the machine as a PC; others have the register that the tables tell of. */
static int add_pci_root(struct vmm_machine *m)
{
	struct vmm_pci_root_config config = {
		.size = sizeof(config), .opaque = m, .reset = m->plan.bios ? pci_reset : NULL};
	int err = vmm_pci_root_create(m->host, &config, &m->pci_root);

	if (err != 0)
		return no_memory(m, err);
	err = vmm__machine_add_region(m, VMM_SPACE_MMIO, MAP_ECAM,
				      m->plan.pci_buses * VMM_ECAM_BUS_LEN, vmm_pci_root_ecam_ops(),
				      m->pci_root);
	if (err != 0)
		return err;
	return vmm__machine_add_region(m, VMM_SPACE_PORT, PORT_PCI_CONFIG, VMM_PCI_ROOT_PORTS,
				       vmm_pci_root_port_ops(), m->pci_root);
}

int vmm__machine_add_devices(struct vmm_machine *m)
{
	int err = 0;

	for (uint32_t i = 0; i < VMM__PROFILE_SERIALS && err == 0; i++) {
		if (m->profile.serial_enable[i])
			err = add_serial(m, i);
	}
	if (err == 0 && vmm__plan_has_power(&m->plan))
		err = add_power(m);
	if (err == 0 && m->plan.debug_exit != 0)
		err = add_debug_exit(m);
	if (err == 0 && m->profile.fw_cfg_enable)
		err = add_fw_cfg(m);
	if (err == 0 && m->plan.pci_buses > 0)
		err = add_pci_root(m);
	if (err == 0)
		err = vmm__machine_add_legacy(m);
	if (err == 0 && m->plan.uefi != 0)
		err = vmm__machine_add_uefi(m);
	return err;
}

void vmm__machine_reset_devices(struct vmm_machine *m)
{
	for (uint32_t i = 0; i < VMM__PROFILE_SERIALS; i++) {
		if (m->console[i].uart != NULL)
			vmm_uart_reset(m->console[i].uart);
	}
	if (m->power != NULL)
		vmm_power_reset(m->power);
	if (m->fw_cfg != NULL)
		vmm_fw_cfg_reset(m->fw_cfg);
	if (m->pci_root != NULL)
		vmm_pci_root_reset(m->pci_root);
	vmm__machine_reset_legacy(m);
	if (m->uefi != NULL)
		vmm_uefi_reset(m->uefi);
}

void vmm__machine_destroy_devices(struct vmm_machine *m)
{
	for (uint32_t i = 0; i < VMM__PROFILE_SERIALS; i++)
		vmm_uart_destroy(m->console[i].uart);
	vmm_power_destroy(m->power);
	vmm_debug_exit_destroy(m->debug_exit);
	vmm_fw_cfg_destroy(m->fw_cfg);
	vmm_pci_root_destroy(m->pci_root);
	vmm__machine_destroy_legacy(m);
	vmm_uefi_destroy(m->uefi);
	vmm_uefi_vars_destroy(m->variables);
}

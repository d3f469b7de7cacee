// SPDX-License-Identifier: BSD-2-Clause-Patent
/* vUEFI in a machine: its image in the last part of low RAM, and the device behind it. */
#include "libvmm/uefi.h"
#include "machine_object.h"
#include "mem.h"

#define SEED_LEN 32

static int uefi_read(void *opaque, uint64_t gpa, void *buf, size_t len)
{
	struct vmm_machine *m = opaque;

	return vmm_vm_read(m->vm, gpa, buf, len);
}

static int uefi_write(void *opaque, uint64_t gpa, const void *buf, size_t len)
{
	struct vmm_machine *m = opaque;

	return vmm_vm_write(m->vm, gpa, buf, len);
}

static void uefi_event(void *opaque, uint32_t what)
{
	vmm__machine_stop(opaque, what == VMM_SYSTEM_OFF ? VMM_MACHINE_OFF : VMM_MACHINE_RESET, 0,
			  0);
}

/* A guest whose host has no entropy gets no seed. */
static uint32_t make_seed(struct vmm_machine *m, uint8_t *seed)
{
	if (m->host->entropy == NULL || m->host->entropy(m->host->opaque, seed, SEED_LEN) != 0)
		return 0;
	return SEED_LEN;
}

static int build(struct vmm_machine *m, void *buf, struct vmm_uefi_image *image)
{
	uint8_t seed[SEED_LEN];
	struct vmm_uefi_image_config config = {
		.size = sizeof(config),
		.arch = VMM_UEFI_X86_64,
		.gpa = m->plan.uefi,
		.doorbell = PORT_UEFI,
		.rsdp = m->plan.tables.base,
		.smbios = m->plan.smbios.base,
		.room = MAP_UEFI_LEN - MAP_UEFI_SMBIOS,
		.seed_len = make_seed(m, seed),
		.version = vmm_version(),
	};
	int err;

	config.seed = config.seed_len > 0 ? seed : NULL;
	err = vmm_uefi_image_build(&config, buf, MAP_UEFI_LEN, image);
	memset(seed, 0, sizeof(seed));
	if (err == 0 && image->room > m->plan.uefi + MAP_UEFI_SMBIOS)
		err = -VMM_EBUG;
	return err == 0 ? 0
			: vmm__machine_fail(m, err, "vmm_uefi_image_build",
					    "the image of vUEFI cannot be built: %s",
					    vmm_strerror(err));
}

int vmm__machine_write_uefi(struct vmm_machine *m)
{
	struct vmm_uefi_image image = {.size = sizeof(image)};
	void *buf = m->host->alloc(m->host->opaque, MAP_UEFI_LEN, VMM_UEFI_ALIGN);
	int err;

	if (buf == NULL)
		return vmm__machine_fail(m, -VMM_ENOMEM, "vmm_machine_create",
					 "no memory for the image of vUEFI");
	err = build(m, buf, &image);
	if (err == 0) {
		m->uefi_system = image.system;
		err = vmm_vm_write(m->vm, m->plan.uefi, buf, MAP_UEFI_LEN);
		if (err != 0)
			err = vmm__machine_vm_failed(m, err, "vmm_vm_write");
	}
	m->host->free(m->host->opaque, buf, MAP_UEFI_LEN);
	return err;
}

/* The mailbox is where the image has it, which does not depend on what the image is made with. */
static int find_mailbox(struct vmm_machine *m, uint64_t *mailbox)
{
	struct vmm_uefi_image image = {.size = sizeof(image)};
	const struct vmm_uefi_image_config config = {
		.size = sizeof(config), .arch = VMM_UEFI_X86_64, .gpa = m->plan.uefi};
	int err = vmm_uefi_image_build(&config, NULL, 0, &image);

	*mailbox = image.mailbox;
	return err == 0 ? 0
			: vmm__machine_fail(m, err, "vmm_uefi_image_build", "vUEFI: %s",
					    vmm_strerror(err));
}

static int open_variables(struct vmm_machine *m)
{
	int err = vmm_uefi_vars_create(m->host, m->config.variables, &m->variables);

	return err == 0 ? 0
			: vmm__machine_fail(m, err, "vmm_uefi_vars_create",
					    "the storage of vUEFI's variables: %s",
					    vmm_strerror(err));
}

static int add_device(struct vmm_machine *m, uint64_t mailbox)
{
	const struct vmm_uefi_config config = {
		.size = sizeof(config),
		.mailbox = mailbox,
		.vars = m->variables,
		.opaque = m,
		.read = uefi_read,
		.write = uefi_write,
		.event = uefi_event,
	};
	int err = vmm_uefi_create(m->host, &config, &m->uefi);

	if (err != 0)
		return vmm__machine_fail(m, err, "vmm_uefi_create", "vUEFI's device: %s",
					 vmm_strerror(err));
	return vmm__machine_add_region(m, VMM_SPACE_PORT, PORT_UEFI, VMM_UEFI_DOORBELL_LEN,
				       vmm_uefi_ops(), m->uefi);
}

int vmm__machine_add_uefi(struct vmm_machine *m)
{
	uint64_t mailbox = 0;
	int err = find_mailbox(m, &mailbox);

	if (err == 0)
		err = open_variables(m);
	return err == 0 ? add_device(m, mailbox) : err;
}

struct vmm_uefi_vars *vmm_machine_variables(struct vmm_machine *machine)
{
	return machine->variables;
}

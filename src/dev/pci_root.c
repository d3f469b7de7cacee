// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The configuration space of a PCI Express root bus on which there is the host bridge and nothing
 * else, reached by ECAM and by two ports (PCI Local Bus 3.0, 3.2.2.3.2, "mechanism #1"). Linux on
 * x86 wants the ports before it has read the tables that tell of the ECAM.
 */
#include "bits.h"
#include "libvmm/dev.h"
#include "sized.h"
#include "sync.h"

/* Ports, from the first one. */
#define PORT_ADDRESS 0 /* 4 bytes */
#define PORT_DATA    4 /* 4 bytes */

/* CONFIG_ADDRESS */
#define ADDRESS_ENABLE   BIT(31)
#define ADDRESS_FUNCTION BITS(23, 8) /* bus, device, function */
#define ADDRESS_REGISTER BITS(7, 2)

/* An ECAM offset (PCI Express Base 5.0, 7.2.2). */
#define ECAM_FUNCTION BITS(27, 12)
#define ECAM_REGISTER BITS(11, 0)

struct vmm_pci_root {
	const struct vmm_host *host;
	_Atomic uint32_t address;
};

/* The host bridge's header, type 0 (PCI Local Bus 3.0, 6.1); what follows is 0. */
static const uint8_t host_bridge[] = {
	0x36, 0x1b, 0x08, 0x00, /* vendor and device: a PCI Express host bridge without registers */
	0x00, 0x00, 0x00, 0x00, /* command, status */
	0x00, 0x00, 0x00, 0x06, /* revision; class: host bridge */
};

/* A function that is not there answers with all ones (PCI Express Base 5.0, 2.3.2). */
static uint64_t read_config(uint64_t function, uint64_t reg, uint32_t width)
{
	uint64_t value = 0;

	if (function != 0)
		return UINT64_MAX >> (64 - 8 * width);
	for (uint32_t i = 0; i < width; i++) {
		if (reg + i < sizeof(host_bridge))
			value |= (uint64_t)host_bridge[reg + i] << (8 * i);
	}
	return value;
}

static int ecam_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		     uint64_t *value)
{
	(void)opaque;
	(void)vcpu;
	*value = read_config(FIELD_GET(ECAM_FUNCTION, offset), FIELD_GET(ECAM_REGISTER, offset),
			     width);
	return 0;
}

/* The bridge has no register that can be written. */
static int ecam_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		      uint64_t value)
{
	(void)opaque;
	(void)vcpu;
	(void)offset;
	(void)width;
	(void)value;
	return 0;
}

/* Only whole 32-bit accesses reach CONFIG_ADDRESS; others pass it by. */
static int port_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		     uint64_t *value)
{
	struct vmm_pci_root *root = opaque;
	uint32_t address = atomic_load(&root->address);

	(void)vcpu;
	if (offset == PORT_ADDRESS && width == 4)
		*value = address;
	else if (offset >= PORT_DATA && (address & ADDRESS_ENABLE) != 0)
		*value = read_config(FIELD_GET(ADDRESS_FUNCTION, address),
				     (address & ADDRESS_REGISTER) + (offset - PORT_DATA), width);
	else
		*value = UINT64_MAX >> (64 - 8 * width);
	return 0;
}

static int port_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		      uint64_t value)
{
	struct vmm_pci_root *root = opaque;

	(void)vcpu;
	if (offset == PORT_ADDRESS && width == 4)
		atomic_store(&root->address, (uint32_t)value);
	return 0;
}

static const struct vmm_region_ops ecam_ops = {
	.size = sizeof(ecam_ops), .read = ecam_read, .write = ecam_write};

static const struct vmm_region_ops port_ops = {
	.size = sizeof(port_ops), .read = port_read, .write = port_write};

const struct vmm_region_ops *vmm_pci_root_ecam_ops(void)
{
	return &ecam_ops;
}

const struct vmm_region_ops *vmm_pci_root_port_ops(void)
{
	return &port_ops;
}

void vmm_pci_root_reset(struct vmm_pci_root *root)
{
	atomic_store(&root->address, 0);
}

int vmm_pci_root_create(const struct vmm_host *host, const struct vmm_pci_root_config *config,
			struct vmm_pci_root **root)
{
	struct vmm_pci_root_config taken;
	struct vmm_pci_root *r;

	if (vmm__take_struct(&taken, sizeof(taken), config) != 0 || taken.flags != 0)
		return -VMM_EINVAL;
	r = host->alloc(host->opaque, sizeof(*r), _Alignof(struct vmm_pci_root));
	if (r == NULL)
		return -VMM_ENOMEM;
	r->host = host;
	*root = r;
	return 0;
}

void vmm_pci_root_destroy(struct vmm_pci_root *root)
{
	if (root != NULL)
		root->host->free(root->host->opaque, root, sizeof(*root));
}

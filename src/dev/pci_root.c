// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The configuration space of a PCI Express root bus, with the host bridge and what is attached,
 * reached by ECAM and by two ports (PCI Local Bus 3.0, 3.2.2.3.2, "mechanism #1"). Linux on
 * x86 wants the ports before it has read the tables that tell of the ECAM. Among them is the reset
 * control register of PCs' chipsets (Intel ICH10, 319973, 13.7.5).
 */
#include "bits.h"
#include "libvmm/dev.h"
#include "sized.h"
#include "sync.h"

/* Ports, from the first one. */
#define PORT_ADDRESS 0 /* 4 bytes */
#define PORT_RESET   1 /* of which this is none unless the access is 1 byte */
#define PORT_DATA    4 /* 4 bytes */

/* CONFIG_ADDRESS */
#define ADDRESS_ENABLE   BIT(31)
#define ADDRESS_FUNCTION BITS(23, 8) /* bus, device, function */
#define ADDRESS_REGISTER BITS(7, 2)

/* Reset control: bit 1 chooses between two kinds, which are one here. */
#define RESET_CPU BIT(2)

/* An ECAM offset (PCI Express Base 5.0, 7.2.2). */
#define ECAM_FUNCTION BITS(27, 12)
#define ECAM_REGISTER BITS(11, 0)

#define CONFIG_LEN 4096
#define FUNCTIONS  256 /* of bus 0; behind no bridge there is another */

struct function {
	const struct vmm_pci_function_ops *ops; /* NULL: it is not there */
	void *opaque;
};

struct vmm_pci_root {
	const struct vmm_host *host;
	struct vmm_pci_root_config config;
	_Atomic uint32_t address;
	struct vmm__mutex lock; /* for the functions, also while one is called */
	struct function function[FUNCTIONS];
};

/* The host bridge's header, type 0 (PCI Local Bus 3.0, 6.1); what follows is 0. */
static const uint8_t host_bridge[] = {
	0x36, 0x1b, 0x08, 0x00, /* vendor and device: a PCI Express host bridge without registers */
	0x00, 0x00, 0x00, 0x00, /* command, status */
	0x00, 0x00, 0x00, 0x06, /* revision; class: host bridge */
};

static uint64_t all_ones(uint32_t width)
{
	return UINT64_MAX >> (64 - 8 * width);
}

static uint64_t read_bridge(uint64_t reg, uint32_t width)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < width; i++) {
		if (reg + i < sizeof(host_bridge))
			value |= (uint64_t)host_bridge[reg + i] << (8 * i);
	}
	return value;
}

/* What does not lie within 4 bytes is no access to configuration space (PCI Express Base 5.0,
 * 2.2.7); a function that is not there answers with all ones (2.3.2). */
static uint64_t read_config(struct vmm_pci_root *root, uint64_t function, uint64_t reg,
			    uint32_t width)
{
	uint64_t value = all_ones(width);

	if ((reg & 3) + width > 4 || reg >= CONFIG_LEN)
		return value;
	if (function == 0)
		return read_bridge(reg, width);
	if (function >= FUNCTIONS)
		return value;
	vmm__lock(root->host, &root->lock);
	if (root->function[function].ops != NULL)
		value &= root->function[function].ops->read(root->function[function].opaque,
							    (uint32_t)reg, width);
	vmm__unlock(root->host, &root->lock);
	return value;
}

/* The bridge has no register that can be written. */
static void write_config(struct vmm_pci_root *root, uint64_t function, uint64_t reg, uint32_t width,
			 uint64_t value)
{
	if ((reg & 3) + width > 4 || reg >= CONFIG_LEN || function >= FUNCTIONS)
		return;
	vmm__lock(root->host, &root->lock);
	if (root->function[function].ops != NULL)
		root->function[function].ops->write(root->function[function].opaque, (uint32_t)reg,
						    width, (uint32_t)value);
	vmm__unlock(root->host, &root->lock);
}

/* 8 bytes are two accesses, to this bus as to a real one. */
static int ecam_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		     uint64_t *value)
{
	const uint64_t function = FIELD_GET(ECAM_FUNCTION, offset);
	const uint64_t reg = FIELD_GET(ECAM_REGISTER, offset);

	(void)vcpu;
	if (width == 8 && vmm__is_aligned(reg, 4))
		*value = read_config(opaque, function, reg, 4) |
			 read_config(opaque, function, reg + 4, 4) << 32;
	else
		*value = read_config(opaque, function, reg, width);
	return 0;
}

static int ecam_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		      uint64_t value)
{
	const uint64_t function = FIELD_GET(ECAM_FUNCTION, offset);
	const uint64_t reg = FIELD_GET(ECAM_REGISTER, offset);

	(void)vcpu;
	if (width == 8 && vmm__is_aligned(reg, 4)) {
		write_config(opaque, function, reg, 4, value);
		write_config(opaque, function, reg + 4, 4, value >> 32);
	} else {
		write_config(opaque, function, reg, width, value);
	}
	return 0;
}

/* No bit of it lasts: a reset clears the one that asks for it. */
static bool is_reset_control(const struct vmm_pci_root *root, uint64_t offset, uint32_t width)
{
	return offset == PORT_RESET && width == 1 && root->config.reset != NULL;
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
	else if (is_reset_control(root, offset, width))
		*value = 0;
	else if (offset >= PORT_DATA && (address & ADDRESS_ENABLE) != 0)
		*value = read_config(root, FIELD_GET(ADDRESS_FUNCTION, address),
				     (address & ADDRESS_REGISTER) + (offset - PORT_DATA), width);
	else
		*value = all_ones(width);
	return 0;
}

static int port_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		      uint64_t value)
{
	struct vmm_pci_root *root = opaque;
	uint32_t address = atomic_load(&root->address);

	(void)vcpu;
	if (offset == PORT_ADDRESS && width == 4)
		atomic_store(&root->address, (uint32_t)value);
	else if (is_reset_control(root, offset, width) && (value & RESET_CPU) != 0)
		root->config.reset(root->config.opaque);
	else if (offset >= PORT_DATA && (address & ADDRESS_ENABLE) != 0)
		write_config(root, FIELD_GET(ADDRESS_FUNCTION, address),
			     (address & ADDRESS_REGISTER) + (offset - PORT_DATA), width, value);
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

int vmm_pci_root_attach(struct vmm_pci_root *root, uint32_t function,
			const struct vmm_pci_function_ops *function_ops, void *opaque)
{
	int err = 0;

	if (function_ops == NULL || function_ops->size < sizeof(*function_ops) ||
	    function_ops->flags != 0 || function_ops->read == NULL || function_ops->write == NULL)
		return -VMM_EINVAL;
	if (function == 0 || function >= FUNCTIONS)
		return -VMM_ERANGE;
	vmm__lock(root->host, &root->lock);
	if (root->function[function].ops != NULL)
		err = -VMM_EEXIST;
	else
		root->function[function] = (struct function){function_ops, opaque};
	vmm__unlock(root->host, &root->lock);
	return err;
}

int vmm_pci_root_detach(struct vmm_pci_root *root, uint32_t function)
{
	int err = 0;

	if (function >= FUNCTIONS)
		return -VMM_ENOENT;
	vmm__lock(root->host, &root->lock);
	if (root->function[function].ops == NULL)
		err = -VMM_ENOENT;
	root->function[function] = (struct function){NULL, NULL};
	vmm__unlock(root->host, &root->lock);
	return err;
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
	r->config = taken;
	*root = r;
	return 0;
}

void vmm_pci_root_destroy(struct vmm_pci_root *root)
{
	if (root != NULL)
		root->host->free(root->host->opaque, root, sizeof(*root));
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "libvmm/dev.h"

/* A function that is not there answers with all ones (PCI Express Base 5.0, 2.3.2). */
static int empty_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		      uint64_t *value)
{
	(void)opaque;
	(void)vcpu;
	(void)offset;
	*value = UINT64_MAX >> (64 - 8 * width);
	return 0;
}

static int empty_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		       uint64_t value)
{
	(void)opaque;
	(void)vcpu;
	(void)offset;
	(void)width;
	(void)value;
	return 0;
}

static const struct vmm_region_ops ops = {
	.size = sizeof(ops), .read = empty_read, .write = empty_write};

const struct vmm_region_ops *vmm_ecam_empty_ops(void)
{
	return &ops;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "libvmm/dev.h"
#include "sized.h"

struct vmm_debug_exit {
	const struct vmm_host *host;
	struct vmm_debug_exit_config config;
};

static int debug_exit_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
			   uint64_t *value)
{
	(void)opaque;
	(void)vcpu;
	(void)offset;
	(void)width;
	*value = 0;
	return 0;
}

static int debug_exit_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
			    uint64_t value)
{
	struct vmm_debug_exit *d = opaque;

	(void)vcpu;
	(void)offset;
	(void)width;
	d->config.exit(d->config.opaque, (uint32_t)value << 1 | 1);
	return 0;
}

static const struct vmm_region_ops ops = {
	.size = sizeof(ops), .read = debug_exit_read, .write = debug_exit_write};

const struct vmm_region_ops *vmm_debug_exit_ops(void)
{
	return &ops;
}

int vmm_debug_exit_create(const struct vmm_host *host, const struct vmm_debug_exit_config *config,
			  struct vmm_debug_exit **debug_exit)
{
	struct vmm_debug_exit_config taken;
	struct vmm_debug_exit *d;

	if (vmm__take_struct(&taken, sizeof(taken), config) != 0 || taken.flags != 0 ||
	    taken.exit == NULL)
		return -VMM_EINVAL;
	d = host->alloc(host->opaque, sizeof(*d), _Alignof(struct vmm_debug_exit));
	if (d == NULL)
		return -VMM_ENOMEM;
	d->host = host;
	d->config = taken;
	*debug_exit = d;
	return 0;
}

void vmm_debug_exit_destroy(struct vmm_debug_exit *debug_exit)
{
	if (debug_exit != NULL)
		debug_exit->host->free(debug_exit->host->opaque, debug_exit, sizeof(*debug_exit));
}

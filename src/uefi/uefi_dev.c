// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The device behind the runtime services. The guest may write to the mailbox at any time, so its
 * parts are copied, each once, and only the copies are looked at; the copies are this device's, and
 * one call at a time has them.
 */
#include "endian.h"
#include "libvmm/exit.h"
#include "libvmm/uefi.h"
#include "mem.h"
#include "sized.h"
#include "sync.h"
#include "uefi_clock.h"
#include "uefi_runtime.h"

struct vmm_uefi {
	const struct vmm_host *host;
	struct vmm_uefi_config config;
	struct vmm__mutex lock; /* for all below */
	struct vmm__uefi_clock clock;
	struct uefi_mailbox box; /* the copy */
};

/* --- The mailbox --- */

static int fetch(struct vmm_uefi *u, size_t offset, size_t len)
{
	return u->config.read(u->config.opaque, u->config.mailbox + offset,
			      (uint8_t *)&u->box + offset, len);
}

static int store(struct vmm_uefi *u, size_t offset, size_t len)
{
	return u->config.write(u->config.opaque, u->config.mailbox + offset,
			       (uint8_t *)&u->box + offset, len);
}

#define DATA offsetof(struct uefi_mailbox, data)
#define HEAD offsetof(struct uefi_mailbox, name)

/* --- Time --- */

static uint64_t get_time(struct vmm_uefi *u)
{
	const struct efi_time_capabilities capabilities = {.resolution = 1, .accuracy = 50000000};
	struct efi_time time;
	const uint64_t status = vmm__uefi_clock_get(&u->clock, u->host, &time);

	if (status != EFI_SUCCESS)
		return status;
	memcpy(u->box.data, &time, sizeof(time));
	memcpy(u->box.data + sizeof(time), &capabilities, sizeof(capabilities));
	return store(u, DATA, sizeof(time) + sizeof(capabilities)) == 0 ? EFI_SUCCESS
									: EFI_DEVICE_ERROR;
}

static uint64_t set_time(struct vmm_uefi *u)
{
	struct efi_time time;

	if (fetch(u, DATA, sizeof(time)) != 0)
		return EFI_DEVICE_ERROR;
	memcpy(&time, u->box.data, sizeof(time));
	return vmm__uefi_clock_set(&u->clock, u->host, &time);
}

/* --- Calls --- */

static uint64_t serve(struct vmm_uefi *u)
{
	switch (u->box.op) {
	case UEFI_OP_GET_TIME:
		return get_time(u);
	case UEFI_OP_SET_TIME:
		return set_time(u);
	default:
		return EFI_UNSUPPORTED;
	}
}

/* A mailbox that cannot be reached is the embedder's mistake, and the guest hears nothing. */
static void answer(struct vmm_uefi *u)
{
	vmm__lock(u->host, &u->lock);
	if (fetch(u, 0, HEAD) == 0) {
		u->box.status = serve(u);
		store(u, 0, HEAD);
	}
	vmm__unlock(u->host, &u->lock);
}

static void reset(struct vmm_uefi *u, uint32_t type)
{
	u->config.event(u->config.opaque,
			type == EFI_RESET_SHUTDOWN ? VMM_SYSTEM_OFF : VMM_SYSTEM_RESET);
}

static int uefi_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		     uint64_t *value)
{
	(void)opaque;
	(void)vcpu;
	(void)offset;
	(void)width;
	*value = 0;
	return 0;
}

static int uefi_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		      uint64_t value)
{
	(void)vcpu;
	if (offset != 0 || width != 4)
		return 0;
	if (value == UEFI_RING)
		answer(opaque);
	else if (value >= UEFI_RING_RESET && value <= UEFI_RING_RESET + EFI_RESET_PLATFORM)
		reset(opaque, (uint32_t)value - UEFI_RING_RESET);
	return 0;
}

static const struct vmm_region_ops ops = {
	.size = sizeof(ops), .read = uefi_read, .write = uefi_write};

const struct vmm_region_ops *vmm_uefi_ops(void)
{
	return &ops;
}

int vmm_uefi_create(const struct vmm_host *host, const struct vmm_uefi_config *config,
		    struct vmm_uefi **uefi)
{
	struct vmm_uefi_config taken;
	struct vmm_uefi *u;

	if (host == NULL || uefi == NULL || vmm__take_struct(&taken, sizeof(taken), config) != 0 ||
	    taken.flags != 0 || taken.read == NULL || taken.write == NULL || taken.event == NULL)
		return -VMM_EINVAL;
	u = host->alloc(host->opaque, sizeof(*u), _Alignof(struct vmm_uefi));
	if (u == NULL)
		return -VMM_ENOMEM;
	u->host = host;
	u->config = taken;
	vmm__uefi_clock_init(&u->clock);
	*uefi = u;
	return 0;
}

void vmm_uefi_destroy(struct vmm_uefi *uefi)
{
	if (uefi != NULL)
		uefi->host->free(uefi->host->opaque, uefi, sizeof(*uefi));
}

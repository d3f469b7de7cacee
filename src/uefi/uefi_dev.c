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
#include "uefi_guid.h"
#include "uefi_runtime.h"
#include "uefi_vars.h"

struct vmm_uefi {
	const struct vmm_host *host;
	struct vmm_uefi_config config;
	struct vmm_uefi_vars *own_vars; /* NULL: they are the embedder's */
	struct vmm__mutex lock;         /* for all below; taken before that of the variables */
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

/* The name in the mailbox, copied; false where it is none. */
static bool fetch_name(struct vmm_uefi *u, struct vmm__uefi_name *name)
{
	const uint32_t len = u->box.name_len;

	if (len < 2 || len > UEFI_NAME_MAX || len % 2 != 0 || fetch(u, HEAD, len) != 0)
		return false;
	*name = (struct vmm__uefi_name){u->box.guid, u->box.name, len};
	for (uint32_t i = 0; i < len / 2; i++) {
		if ((u->box.name[i] == 0) != (i == len / 2 - 1))
			return false;
	}
	return true;
}

/* --- Variables --- */

static uint64_t get_variable(struct vmm_uefi *u)
{
	struct vmm__uefi_name name;
	uint64_t status;

	if (!fetch_name(u, &name) || name.len == 2)
		return EFI_INVALID_PARAMETER;
	if (u->box.data_len > UEFI_DATA_MAX)
		u->box.data_len = UEFI_DATA_MAX;
	status = vmm__uefi_vars_get(u->config.vars, VMM__UEFI_GUEST, &name, &u->box.attributes,
				    u->box.data, &u->box.data_len);
	if (status == EFI_SUCCESS && store(u, DATA, u->box.data_len) != 0)
		return EFI_DEVICE_ERROR;
	return status;
}

static uint64_t get_next_name(struct vmm_uefi *u)
{
	struct vmm__uefi_name name;
	uint64_t status;

	if (!fetch_name(u, &name))
		return EFI_INVALID_PARAMETER;
	status = vmm__uefi_vars_next(u->config.vars, VMM__UEFI_GUEST, &name, u->box.guid,
				     u->box.name, &u->box.name_len);
	if (status == EFI_SUCCESS && store(u, HEAD, u->box.name_len) != 0)
		return EFI_DEVICE_ERROR;
	return status;
}

static uint64_t set_variable(struct vmm_uefi *u)
{
	struct vmm__uefi_name name;

	if (!fetch_name(u, &name) || u->box.data_len > UEFI_DATA_MAX)
		return EFI_INVALID_PARAMETER;
	if (u->box.data_len > 0 && fetch(u, DATA, u->box.data_len) != 0)
		return EFI_DEVICE_ERROR;
	return vmm__uefi_vars_set(u->config.vars, VMM__UEFI_GUEST, &name, u->box.attributes,
				  u->box.data, u->box.data_len);
}

static uint64_t query_variable(struct vmm_uefi *u)
{
	/* 8.2.4: of a guest's variables only; others are not there for it. */
	if ((u->box.attributes & EFI_VARIABLE_RUNTIME) == 0)
		return EFI_INVALID_PARAMETER;
	return vmm__uefi_vars_query(u->config.vars, u->box.attributes, u->box.value);
}

/* --- What this device keeps as variables that the guest does not see --- */

static const uint8_t own_guid[] = VMM__GUID_LIBVMM;
static const uint16_t name_count[] = {'C', 'o', 'u', 'n', 't', 0};
static const uint16_t name_clock[] = {'C', 'l', 'o', 'c', 'k', 0};

static bool load_own(struct vmm_uefi *u, const uint16_t *name, void *data, uint32_t len)
{
	uint32_t found = len;

	return vmm_uefi_vars_get(u->config.vars, own_guid, name, NULL, data, &found) == 0 &&
	       found == len;
}

static bool save_own(struct vmm_uefi *u, const uint16_t *name, const void *data, uint32_t len)
{
	return vmm_uefi_vars_set(u->config.vars, own_guid, name,
				 VMM_UEFI_VAR_NON_VOLATILE | VMM_UEFI_VAR_BOOT, data, len) == 0;
}

/* --- Monotonic count: 8.5.2. Its high part grows with every start and every call. --- */

static bool count_up(struct vmm_uefi *u, uint32_t *count)
{
	uint8_t data[4] = {0};

	load_own(u, name_count, data, sizeof(data));
	*count = vmm__le32(data) + 1;
	vmm__put_le32(data, *count);
	return save_own(u, name_count, data, sizeof(data));
}

static uint64_t next_count(struct vmm_uefi *u)
{
	uint32_t count;

	if (!count_up(u, &count))
		return EFI_DEVICE_ERROR;
	u->box.value[0] = count;
	return EFI_SUCCESS;
}

/* --- Time --- */

/* Offset, 8 bytes; timezone, 2; daylight, 1. */
#define CLOCK_LEN 11

static void load_clock(struct vmm_uefi *u)
{
	uint8_t data[CLOCK_LEN];

	vmm__uefi_clock_init(&u->clock);
	if (!load_own(u, name_clock, data, sizeof(data)))
		return;
	u->clock.offset_ns = (int64_t)vmm__le64(data);
	u->clock.timezone = (int16_t)vmm__le16(data + 8);
	u->clock.daylight = data[10];
}

static bool save_clock(struct vmm_uefi *u, const struct vmm__uefi_clock *clock)
{
	uint8_t data[CLOCK_LEN];

	vmm__put_le64(data, (uint64_t)clock->offset_ns);
	vmm__put_le16(data + 8, (uint16_t)clock->timezone);
	data[10] = clock->daylight;
	return save_own(u, name_clock, data, sizeof(data));
}

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
	struct vmm__uefi_clock clock;
	struct efi_time time;
	uint64_t status;

	if (fetch(u, DATA, sizeof(time)) != 0)
		return EFI_DEVICE_ERROR;
	memcpy(&time, u->box.data, sizeof(time));
	status = vmm__uefi_clock_set(&clock, u->host, &time);
	if (status != EFI_SUCCESS)
		return status;
	if (!save_clock(u, &clock))
		return EFI_DEVICE_ERROR;
	u->clock = clock;
	return EFI_SUCCESS;
}

/* --- Calls --- */

static uint64_t serve(struct vmm_uefi *u)
{
	switch (u->box.op) {
	case UEFI_OP_GET_TIME:
		return get_time(u);
	case UEFI_OP_SET_TIME:
		return set_time(u);
	case UEFI_OP_GET_VARIABLE:
		return get_variable(u);
	case UEFI_OP_GET_NEXT_NAME:
		return get_next_name(u);
	case UEFI_OP_SET_VARIABLE:
		return set_variable(u);
	case UEFI_OP_QUERY_VARIABLE:
		return query_variable(u);
	case UEFI_OP_NEXT_COUNT:
		return next_count(u);
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

/* A count that cannot be kept is no reason not to start: the guest hears of it when it asks. */
void vmm_uefi_reset(struct vmm_uefi *uefi)
{
	uint32_t count;

	vmm__lock(uefi->host, &uefi->lock);
	count_up(uefi, &count);
	vmm__unlock(uefi->host, &uefi->lock);
}

int vmm_uefi_create(const struct vmm_host *host, const struct vmm_uefi_config *config,
		    struct vmm_uefi **uefi)
{
	struct vmm_uefi_config taken;
	struct vmm_uefi *u;
	int err = 0;

	if (host == NULL || uefi == NULL || vmm__take_struct(&taken, sizeof(taken), config) != 0 ||
	    taken.flags != 0 || taken.read == NULL || taken.write == NULL || taken.event == NULL)
		return -VMM_EINVAL;
	u = host->alloc(host->opaque, sizeof(*u), _Alignof(struct vmm_uefi));
	if (u == NULL)
		return -VMM_ENOMEM;
	u->host = host;
	u->config = taken;
	if (taken.vars == NULL) {
		err = vmm_uefi_vars_create(host, NULL, &u->own_vars);
		u->config.vars = u->own_vars;
	}
	if (err != 0) {
		vmm_uefi_destroy(u);
		return err;
	}
	load_clock(u);
	vmm_uefi_reset(u);
	*uefi = u;
	return 0;
}

void vmm_uefi_destroy(struct vmm_uefi *uefi)
{
	if (uefi == NULL)
		return;
	vmm_uefi_vars_destroy(uefi->own_vars);
	uefi->host->free(uefi->host->opaque, uefi, sizeof(*uefi));
}

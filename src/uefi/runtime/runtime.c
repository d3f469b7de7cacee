// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The runtime services, as the guest runs them (UEFI 2.10, chapter 8): position-independent, in the
 * region that uefi_runtime.h describes and with no other memory than that and the caller's.
 *
 * They copy the caller's arguments into the mailbox, ring, and copy the answer out: only here are
 * the caller's addresses known, and the VMM needs to look at nothing but the mailbox. One call at a
 * time: a second one, of another processor or of a kernel that panics in the middle of the first,
 * gets EFI_NOT_READY. ResetSystem() takes no part in that.
 */
#include <stddef.h>

#include "uefi_crc.h"
#include "uefi_runtime.h"

#if defined(__x86_64__)
#define EFIAPI __attribute__((ms_abi))
#else
#define EFIAPI
#endif

typedef uint64_t efi_status;

/* Where the linker's script puts them. */
extern struct uefi_runtime_data vmm_uefi_data __attribute__((visibility("hidden")));
extern struct uefi_mailbox vmm_uefi_mailbox __attribute__((visibility("hidden")));

/* --- What differs between the processors --- */

#if defined(__x86_64__)
static void ring(uint32_t value)
{
	const uint16_t port = (uint16_t)vmm_uefi_data.doorbell;

	__asm__ volatile("outl %0, %1" : : "a"(value), "d"(port) : "memory");
}

static void copy(void *to, const void *from, uint64_t len)
{
	__asm__ volatile("cld; rep movsb" : "+D"(to), "+S"(from), "+c"(len) : : "memory");
}

static void stand_still(void)
{
	__asm__ volatile("hlt" : : : "memory");
}

static const int doorbell_is_address = 0;
#elif defined(__aarch64__)
/* What was written to the mailbox comes before the ring, what is read from it after. */
static void ring(uint32_t value)
{
	__asm__ volatile("dsb sy\n\tstr %w0, [%1]\n\tdsb sy"
			 :
			 : "r"(value), "r"(vmm_uefi_data.doorbell)
			 : "memory");
}

static void copy(void *to, const void *from, uint64_t len)
{
	volatile uint8_t *out = to;
	const uint8_t *in = from;

	for (uint64_t i = 0; i < len; i++)
		out[i] = in[i];
}

static void stand_still(void)
{
	__asm__ volatile("wfi" : : : "memory");
}

static const int doorbell_is_address = 1;
#else
#error "no runtime services for this processor"
#endif

/* --- The mailbox --- */

static int take(void)
{
	return __atomic_exchange_n(&vmm_uefi_data.busy, 1, __ATOMIC_ACQUIRE) == 0;
}

static efi_status give(efi_status status)
{
	__atomic_store_n(&vmm_uefi_data.busy, 0, __ATOMIC_RELEASE);
	return status;
}

static efi_status ask(uint32_t op)
{
	vmm_uefi_mailbox.op = op;
	ring(UEFI_RING);
	return vmm_uefi_mailbox.status;
}

/* Bytes of a name with its NUL; 0 if there is none in @max bytes. */
static uint32_t name_bytes(const uint16_t *name, uint64_t max)
{
	for (uint32_t i = 0; i < UEFI_NAME_MAX / 2 && 2 * (uint64_t)i + 2 <= max; i++) {
		if (name[i] == 0)
			return 2 * i + 2;
	}
	return 0;
}

static void put_name(const uint16_t *name, uint32_t len, const uint8_t *guid)
{
	vmm_uefi_mailbox.name_len = len;
	copy(vmm_uefi_mailbox.name, name, len);
	copy(vmm_uefi_mailbox.guid, guid, sizeof(vmm_uefi_mailbox.guid));
}

/* --- Variables: 8.2 --- */

EFIAPI efi_status vmm_uefi_get_variable(const uint16_t *name, const uint8_t *guid,
					uint32_t *attributes, uint64_t *size, void *data);
EFIAPI efi_status vmm_uefi_get_variable(const uint16_t *name, const uint8_t *guid,
					uint32_t *attributes, uint64_t *size, void *data)
{
	efi_status status;
	uint64_t room;
	uint32_t len;

	if (name == NULL || guid == NULL || size == NULL || (data == NULL && *size != 0))
		return EFI_INVALID_PARAMETER;
	len = name_bytes(name, UEFI_NAME_MAX);
	if (len == 0)
		return EFI_NOT_FOUND;
	if (!take())
		return EFI_NOT_READY;
	room = *size < UEFI_DATA_MAX ? *size : UEFI_DATA_MAX;
	put_name(name, len, guid);
	vmm_uefi_mailbox.data_len = (uint32_t)room;
	status = ask(UEFI_OP_GET_VARIABLE);
	if (status == EFI_SUCCESS || status == EFI_BUFFER_TOO_SMALL) {
		const uint32_t found = vmm_uefi_mailbox.data_len;

		if (attributes != NULL)
			*attributes = vmm_uefi_mailbox.attributes;
		if (status == EFI_SUCCESS && found <= room)
			copy(data, vmm_uefi_mailbox.data, found);
		*size = found;
	}
	return give(status);
}

EFIAPI efi_status vmm_uefi_get_next_name(uint64_t *size, uint16_t *name, uint8_t *guid);
EFIAPI efi_status vmm_uefi_get_next_name(uint64_t *size, uint16_t *name, uint8_t *guid)
{
	efi_status status;
	uint32_t len;

	if (size == NULL || name == NULL || guid == NULL)
		return EFI_INVALID_PARAMETER;
	len = name_bytes(name, *size);
	if (len == 0)
		return EFI_INVALID_PARAMETER;
	if (!take())
		return EFI_NOT_READY;
	put_name(name, len, guid);
	status = ask(UEFI_OP_GET_NEXT_NAME);
	if (status == EFI_SUCCESS) {
		const uint32_t found = vmm_uefi_mailbox.name_len;

		if (found > *size || found > UEFI_NAME_MAX) {
			status = EFI_BUFFER_TOO_SMALL;
		} else {
			copy(name, vmm_uefi_mailbox.name, found);
			copy(guid, vmm_uefi_mailbox.guid, sizeof(vmm_uefi_mailbox.guid));
		}
		*size = found;
	}
	return give(status);
}

EFIAPI efi_status vmm_uefi_set_variable(const uint16_t *name, const uint8_t *guid,
					uint32_t attributes, uint64_t size, const void *data);
EFIAPI efi_status vmm_uefi_set_variable(const uint16_t *name, const uint8_t *guid,
					uint32_t attributes, uint64_t size, const void *data)
{
	uint32_t len;

	if (name == NULL || guid == NULL || (data == NULL && size != 0))
		return EFI_INVALID_PARAMETER;
	len = name_bytes(name, UEFI_NAME_MAX);
	if (len == 0 || size > UEFI_DATA_MAX)
		return EFI_INVALID_PARAMETER;
	if (!take())
		return EFI_NOT_READY;
	put_name(name, len, guid);
	vmm_uefi_mailbox.attributes = attributes;
	vmm_uefi_mailbox.data_len = (uint32_t)size;
	copy(vmm_uefi_mailbox.data, data, size);
	return give(ask(UEFI_OP_SET_VARIABLE));
}

EFIAPI efi_status vmm_uefi_query_variable(uint32_t attributes, uint64_t *storage, uint64_t *left,
					  uint64_t *largest);
EFIAPI efi_status vmm_uefi_query_variable(uint32_t attributes, uint64_t *storage, uint64_t *left,
					  uint64_t *largest)
{
	efi_status status;

	if (storage == NULL || left == NULL || largest == NULL)
		return EFI_INVALID_PARAMETER;
	if (!take())
		return EFI_NOT_READY;
	vmm_uefi_mailbox.attributes = attributes;
	status = ask(UEFI_OP_QUERY_VARIABLE);
	if (status == EFI_SUCCESS) {
		*storage = vmm_uefi_mailbox.value[0];
		*left = vmm_uefi_mailbox.value[1];
		*largest = vmm_uefi_mailbox.value[2];
	}
	return give(status);
}

/* --- Time: 8.3. Nothing wakes this machine. --- */

EFIAPI efi_status vmm_uefi_get_time(struct efi_time *time,
				    struct efi_time_capabilities *capabilities);
EFIAPI efi_status vmm_uefi_get_time(struct efi_time *time,
				    struct efi_time_capabilities *capabilities)
{
	efi_status status;

	if (time == NULL)
		return EFI_INVALID_PARAMETER;
	if (!take())
		return EFI_NOT_READY;
	status = ask(UEFI_OP_GET_TIME);
	if (status == EFI_SUCCESS) {
		copy(time, vmm_uefi_mailbox.data, sizeof(*time));
		if (capabilities != NULL)
			copy(capabilities, vmm_uefi_mailbox.data + sizeof(*time),
			     sizeof(*capabilities));
	}
	return give(status);
}

EFIAPI efi_status vmm_uefi_set_time(const struct efi_time *time);
EFIAPI efi_status vmm_uefi_set_time(const struct efi_time *time)
{
	if (time == NULL)
		return EFI_INVALID_PARAMETER;
	if (!take())
		return EFI_NOT_READY;
	copy(vmm_uefi_mailbox.data, time, sizeof(*time));
	return give(ask(UEFI_OP_SET_TIME));
}

/* Wake-up times and capsules: 8.3.3, 8.3.4, 8.5.3. The table of properties tells so too. */
EFIAPI efi_status vmm_uefi_unsupported(void);
EFIAPI efi_status vmm_uefi_unsupported(void)
{
	return EFI_UNSUPPORTED;
}

/* --- The rest --- */

/* 8.5.2 */
EFIAPI efi_status vmm_uefi_next_count(uint32_t *high);
EFIAPI efi_status vmm_uefi_next_count(uint32_t *high)
{
	efi_status status;

	if (high == NULL)
		return EFI_INVALID_PARAMETER;
	if (!take())
		return EFI_NOT_READY;
	status = ask(UEFI_OP_NEXT_COUNT);
	if (status == EFI_SUCCESS)
		*high = (uint32_t)vmm_uefi_mailbox.value[0];
	return give(status);
}

/* 8.5.1: does not return. */
EFIAPI void vmm_uefi_reset(uint32_t type);
EFIAPI void vmm_uefi_reset(uint32_t type)
{
	ring(UEFI_RING_RESET + (type <= EFI_RESET_PLATFORM ? type : EFI_RESET_COLD));
	for (;;)
		stand_still();
}

/* --- Virtual addresses: 8.4 --- */

struct map {
	const uint8_t *at;
	uint64_t size;
	uint64_t stride;
};

/* The virtual address that the map gives to [address, address + len); 0 if it gives none. */
static uint64_t virtual_of(const struct map *map, uint64_t address, uint64_t len)
{
	for (uint64_t i = 0; i + map->stride <= map->size; i += map->stride) {
		struct efi_memory d;

		copy(&d, map->at + i, sizeof(d));
		if ((d.attributes & EFI_MEMORY_RUNTIME) == 0 || address < d.physical)
			continue;
		if (address - d.physical < d.pages * EFI_PAGE &&
		    d.pages * EFI_PAGE - (address - d.physical) >= len)
			return d.virtual + (address - d.physical);
	}
	return 0;
}

static void seal(struct efi_header *header)
{
	header->crc32 = 0;
	header->crc32 = vmm__uefi_crc32(header, header->header_size);
}

/* Our addresses are physical ones, and all but the doorbell move by the same distance. */
static void remap(uint64_t distance)
{
	struct uefi_runtime_data *d = &vmm_uefi_data;

	for (int i = 0; i < EFI_SERVICES; i++)
		d->runtime.service[i] += distance;
	d->system.vendor += distance;
	d->system.runtime += distance;
	d->system.tables += distance;
	seal(&d->runtime.header);
	seal(&d->system.header);
	d->remapped = 1;
}

static efi_status take_map(const struct map *map)
{
	struct uefi_runtime_data *d = &vmm_uefi_data;
	const uint64_t base = virtual_of(map, d->base, UEFI_RUNTIME_LEN);

	if (base == 0)
		return EFI_NO_MAPPING;
	if (doorbell_is_address) {
		const uint64_t doorbell = virtual_of(map, d->doorbell, 4);

		if (doorbell == 0)
			return EFI_NO_MAPPING;
		d->doorbell = doorbell;
	}
	remap(base - d->base);
	return EFI_SUCCESS;
}

EFIAPI efi_status vmm_uefi_set_virtual(uint64_t size, uint64_t stride, uint32_t version,
				       const void *descriptors);
EFIAPI efi_status vmm_uefi_set_virtual(uint64_t size, uint64_t stride, uint32_t version,
				       const void *descriptors)
{
	const struct map map = {descriptors, size, stride};
	efi_status status = EFI_UNSUPPORTED;

	if (descriptors == NULL || version != EFI_MEMORY_VERSION ||
	    stride < sizeof(struct efi_memory))
		return EFI_INVALID_PARAMETER;
	if (!take())
		return EFI_NOT_READY;
	if (!vmm_uefi_data.remapped)
		status = take_map(&map);
	return give(status);
}

/* Only firmware calls it, and only during SetVirtualAddressMap(): there is none but ours. */
EFIAPI efi_status vmm_uefi_convert_pointer(uint64_t disposition, void **address);
EFIAPI efi_status vmm_uefi_convert_pointer(uint64_t disposition, void **address)
{
	(void)disposition;
	return address == NULL ? EFI_INVALID_PARAMETER : EFI_UNSUPPORTED;
}

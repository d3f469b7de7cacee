// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Storage that holds anything at all. It is opened as variables' storage, walked through, changed
 * and opened again; whatever was taken for a variable must be one, and a change must be there.
 */
#include <string.h>

#include "fuzz.h"
#include "libvmm/uefi.h"
#include "uefi_store.h"
#include "uefi_table.h"

#define BANK  VMM__UEFI_BANK_MIN
#define ATTRS (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOT | EFI_VARIABLE_RUNTIME)

static uint8_t disk[2 * BANK];
static uint64_t buffer[4][BANK / 8];

static int disk_read(void *opaque, uint64_t offset, void *buf, size_t len)
{
	(void)opaque;
	FUZZ_CHECK(offset <= sizeof(disk) && len <= sizeof(disk) - offset);
	memcpy(buf, disk + offset, len);
	return 0;
}

static int disk_write(void *opaque, uint64_t offset, const void *buf, size_t len)
{
	(void)opaque;
	FUZZ_CHECK(offset <= sizeof(disk) && len <= sizeof(disk) - offset);
	memcpy(disk + offset, buf, len);
	return 0;
}

static int disk_flush(void *opaque)
{
	(void)opaque;
	return 0;
}

static const struct vmm_uefi_storage storage = {
	sizeof(storage), 0, NULL, sizeof(disk), disk_read, disk_write, disk_flush};

static int open_store(struct vmm__uefi_store *s, int buffers)
{
	return vmm__uefi_store_open(s, &storage, BANK, (uint8_t *)buffer[buffers],
				    (uint8_t *)buffer[buffers + 1]);
}

static uint32_t walk(const struct vmm__uefi_store *s)
{
	uint32_t count = 0;

	for (uint32_t at = 0; (at = vmm__uefi_store_next(s, at)) != 0; count++) {
		const struct vmm__uefi_value v = vmm__uefi_store_at(s, at);
		const uint8_t *end = s->image + s->used;

		FUZZ_CHECK((const uint8_t *)v.name.name + v.name.len <= end);
		FUZZ_CHECK(v.len > 0 && v.data >= s->image && v.data + v.len <= end);
		FUZZ_CHECK(v.name.len >= 4 && v.name.name[v.name.len / 2 - 1] == 0);
		FUZZ_CHECK(vmm__uefi_store_find(s, &v.name) == at);
	}
	FUZZ_CHECK(s->used <= BANK && s->live <= s->used);
	return count;
}

static const uint8_t guid[16] = {1};
static const uint16_t text[] = {'f', 0};
static const struct vmm__uefi_name name = {guid, text, sizeof(text)};

size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	struct vmm__uefi_store s;

	if (index > 2)
		return 0;
	memset(disk, 0, sizeof(disk));
	FUZZ_CHECK(open_store(&s, 0) == 0);
	for (uint32_t i = 0; i < 30 * index; i++) {
		uint16_t n[] = {(uint16_t)('a' + i % 7), 0};
		const struct vmm__uefi_name some = {guid, n, sizeof(n)};

		FUZZ_CHECK(vmm__uefi_store_set(&s, &some, ATTRS, 0, disk, 10 * i) == 0);
		if (i % 5 == 0)
			FUZZ_CHECK(vmm__uefi_store_delete(&s, &some) == 0);
	}
	memcpy(buf, disk, sizeof(disk));
	return index == 0 ? 64 : sizeof(disk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct vmm__uefi_store s, again;
	uint32_t count;
	int err;

	memset(disk, 0, sizeof(disk));
	memcpy(disk, data, len < sizeof(disk) ? len : sizeof(disk));
	err = open_store(&s, 0);
	FUZZ_CHECK(err == 0 || err == -VMM_EFORMAT);
	if (err != 0)
		return 0;
	count = walk(&s);
	if (vmm__uefi_store_find(&s, &name) == 0) {
		err = vmm__uefi_store_set(&s, &name, ATTRS, 0, data,
					  len < 100 ? (uint32_t)len : 100);
		count += err == 0 && len > 0;
	} else {
		err = vmm__uefi_store_delete(&s, &name);
		count -= err == 0;
	}
	FUZZ_CHECK(err == 0 || err == -VMM_ELIMIT);
	FUZZ_CHECK(walk(&s) == count);
	FUZZ_CHECK(open_store(&again, 2) == 0);
	FUZZ_CHECK(walk(&again) == count);
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The rules of variables: what firmware may do with them, and what a guest may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_host.h"
#include "libvmm/uefi.h"
#include "uefi_table.h"
#include "uefi_vars.h"

#define NV  1u
#define BS  2u
#define RT  4u
#define ALL (NV | BS | RT)

static const uint8_t guid[16] = {1};
static uint8_t disk[16384];
static struct fake_host fake;
static struct vmm_uefi_vars *vars;

static int disk_read(void *opaque, uint64_t offset, void *buf, size_t len)
{
	(void)opaque;
	memcpy(buf, disk + offset, len);
	return 0;
}

static int disk_write(void *opaque, uint64_t offset, const void *buf, size_t len)
{
	(void)opaque;
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

static int setup(void **state)
{
	(void)state;
	memset(disk, 0, sizeof(disk));
	fake_host_init(&fake);
	assert_int_equal(vmm_uefi_vars_create(&fake.host, &storage, &vars), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vmm_uefi_vars_destroy(vars);
	assert_int_equal(fake.blocks, 0);
	return 0;
}

static uint32_t name_len(const uint16_t *text)
{
	uint32_t len = 2;

	while (*text++ != 0)
		len += 2;
	return len;
}

static uint64_t guest_set(const uint16_t *text, uint32_t attributes, const char *data)
{
	const struct vmm__uefi_name name = {guid, text, name_len(text)};

	return vmm__uefi_vars_set(vars, VMM__UEFI_GUEST, &name, attributes, data,
				  (uint32_t)strlen(data));
}

static uint64_t guest_get(const uint16_t *text, char *data)
{
	const struct vmm__uefi_name name = {guid, text, name_len(text)};
	uint32_t attributes, len = 63;
	uint64_t status = vmm__uefi_vars_get(vars, VMM__UEFI_GUEST, &name, &attributes, data, &len);

	if (status == EFI_SUCCESS)
		data[len] = '\0';
	return status;
}

static void expect(const uint16_t *text, const char *data)
{
	char found[64];

	assert_true(guest_get(text, found) == EFI_SUCCESS);
	assert_string_equal(found, data);
}

static void attributes(void **state)
{
	static const struct {
		uint32_t attributes;
		uint64_t status;
	} cases[] = {
		{ALL, EFI_SUCCESS},
		{ALL | 0x40, EFI_SUCCESS},
		{0x100 | ALL, EFI_INVALID_PARAMETER},
		{0x80000000 | ALL, EFI_INVALID_PARAMETER},
		{NV | RT, EFI_INVALID_PARAMETER},
		{BS | RT, EFI_INVALID_PARAMETER}, /* a guest makes no volatile one */
		{NV | BS, EFI_INVALID_PARAMETER}, /* nor one that it does not see */
		{BS, EFI_INVALID_PARAMETER},
		{ALL | 0x08, EFI_UNSUPPORTED},
		{ALL | 0x10, EFI_UNSUPPORTED},
		{ALL | 0x20, EFI_UNSUPPORTED},
		{ALL | 0x80, EFI_UNSUPPORTED},
		{ALL | 0x10 | 0x20, EFI_UNSUPPORTED},
		{0, EFI_NOT_FOUND}, /* deletes */
		{NV, EFI_NOT_FOUND},
	};
	char data[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(guest_set(u"new", cases[i].attributes, "x") == cases[i].status);
		assert_true((guest_get(u"new", data) == EFI_SUCCESS) ==
			    (cases[i].status == EFI_SUCCESS));
		if (cases[i].status == EFI_SUCCESS)
			assert_true(guest_set(u"new", ALL, "") == EFI_SUCCESS);
	}
}

static void changes(void **state)
{
	(void)state;
	assert_true(guest_set(u"a", ALL, "one") == EFI_SUCCESS);
	assert_true(guest_set(u"a", ALL, "two, longer") == EFI_SUCCESS);
	expect(u"a", "two, longer");
	assert_true(guest_set(u"a", ALL | 0x40, "; more") == EFI_SUCCESS);
	expect(u"a", "two, longer; more");
	assert_true(guest_set(u"a", ALL | 0x40, "") == EFI_SUCCESS);
	expect(u"a", "two, longer; more");
	assert_true(guest_set(u"b", ALL | 0x40, "") == EFI_NOT_FOUND);
	assert_true(guest_set(u"a", BS | RT, "x") == EFI_INVALID_PARAMETER);
	expect(u"a", "two, longer; more");
	/* Whatever the attributes, without data it goes. */
	assert_true(guest_set(u"a", BS | RT, "") == EFI_SUCCESS);
	assert_true(guest_set(u"a", ALL, "") == EFI_NOT_FOUND);
	assert_true(guest_set(u"", ALL, "x") == EFI_INVALID_PARAMETER);
}

/* What firmware makes for itself, the guest neither sees nor takes. */
static void hidden(void **state)
{
	char data[64];

	(void)state;
	assert_int_equal(vmm_uefi_vars_set(vars, guid, u"own", NV | BS, "secret", 6), 0);
	assert_true(guest_get(u"own", data) == EFI_NOT_FOUND);
	assert_true(guest_set(u"own", ALL, "x") == EFI_INVALID_PARAMETER);
	assert_true(guest_set(u"own", NV | BS, "x") == EFI_INVALID_PARAMETER);
	assert_true(guest_set(u"own", ALL, "") == EFI_NOT_FOUND);
	uint32_t len = sizeof(data), seen;
	assert_int_equal(vmm_uefi_vars_get(vars, guid, u"own", &seen, data, &len), 0);
	assert_int_equal(len, 6);
	assert_int_equal(seen, NV | BS);
}

static void volatile_ones(void **state)
{
	(void)state;
	assert_int_equal(vmm_uefi_vars_set(vars, guid, u"v", BS | RT, "value", 5), 0);
	expect(u"v", "value");
	assert_true(guest_set(u"v", BS | RT, "x") == EFI_WRITE_PROTECTED);
	assert_true(guest_set(u"v", ALL, "x") == EFI_WRITE_PROTECTED);
	assert_true(guest_set(u"v", BS | RT, "") == EFI_WRITE_PROTECTED);
	expect(u"v", "value");
	vmm_uefi_vars_destroy(vars);
	assert_int_equal(vmm_uefi_vars_create(&fake.host, &storage, &vars), 0);
	char data[64];
	assert_true(guest_get(u"v", data) == EFI_NOT_FOUND);
}

static void kept(void **state)
{
	struct vmm_uefi_vars_info info = {.size = sizeof(info)}, again = info;

	(void)state;
	assert_true(guest_set(u"k", ALL, "kept") == EFI_SUCCESS);
	assert_int_equal(vmm_uefi_vars_get_info(vars, &info), 0);
	assert_int_equal(info.is_kept, 1);
	vmm_uefi_vars_destroy(vars);
	assert_int_equal(vmm_uefi_vars_create(&fake.host, &storage, &vars), 0);
	expect(u"k", "kept");
	assert_int_equal(vmm_uefi_vars_get_info(vars, &again), 0);
	assert_int_equal(again.left, info.left);
	vmm_uefi_vars_destroy(vars);
	/* Without storage nothing is kept, and that is said. */
	assert_int_equal(vmm_uefi_vars_create(&fake.host, NULL, &vars), 0);
	assert_int_equal(vmm_uefi_vars_get_info(vars, &info), 0);
	assert_int_equal(info.is_kept, 0);
}

static void walk(void **state)
{
	uint16_t name[VMM_UEFI_NAME_MAX / 2] = {0};
	uint8_t owner[16] = {0};
	uint32_t count = 0;
	int err;

	(void)state;
	assert_true(guest_set(u"one", ALL, "1") == EFI_SUCCESS);
	assert_true(guest_set(u"two", ALL, "2") == EFI_SUCCESS);
	assert_true(guest_set(u"one", ALL, "1 again") == EFI_SUCCESS);
	assert_int_equal(vmm_uefi_vars_set(vars, guid, u"own", NV | BS, "x", 1), 0);
	while ((err = vmm_uefi_vars_next(vars, owner, name)) == 0)
		count++;
	assert_int_equal(err, -VMM_ENOENT);
	assert_int_equal(count, 6);
	name[0] = 'x';
	assert_int_equal(vmm_uefi_vars_next(vars, owner, name), -VMM_EINVAL);
	/* A guest does not see what is firmware's. */
	const struct vmm__uefi_name two = {guid, u"two", 8};
	uint32_t len = 0;
	assert_true(vmm__uefi_vars_next(vars, VMM__UEFI_GUEST, &two, owner, name, &len) ==
		    EFI_SUCCESS);
	assert_memory_equal(name, u"one", 8);
	const struct vmm__uefi_name one = {guid, u"one", 8};
	assert_true(vmm__uefi_vars_next(vars, VMM__UEFI_GUEST, &one, owner, name, &len) ==
		    EFI_SUCCESS);
	assert_memory_equal(name, u"SecureBoot", 22);
}

static void full(void **state)
{
	static const char data[1000] = {1};
	uint16_t name[] = u"n0";
	uint64_t value[3], left = 0;
	int err = 0;

	(void)state;
	for (; err == 0; name[1]++) {
		assert_true(vmm__uefi_vars_query(vars, ALL, value) == EFI_SUCCESS);
		left = value[1];
		err = vmm_uefi_vars_set(vars, guid, name, ALL, data, sizeof(data));
	}
	assert_int_equal(err, -VMM_ELIMIT);
	assert_true(left < sizeof(data) + VMM__UEFI_RECORD_OVERHEAD);
	assert_int_equal(vmm_uefi_vars_set(vars, guid, u"n0", ALL, NULL, 0), 0);
	assert_int_equal(vmm_uefi_vars_set(vars, guid, u"n0", ALL, data, sizeof(data)), 0);
	assert_true(vmm__uefi_vars_query(vars, NV, value) == EFI_INVALID_PARAMETER);
	assert_true(vmm__uefi_vars_query(vars, ALL | 0x20, value) == EFI_UNSUPPORTED);
}

static void create_refused(void **state)
{
	struct vmm_uefi_storage s = storage;
	struct vmm_uefi_vars *v;

	(void)state;
	s.len = 8191;
	assert_int_equal(vmm_uefi_vars_create(&fake.host, &s, &v), -VMM_ESIZE);
	s = storage;
	s.flush = NULL;
	assert_int_equal(vmm_uefi_vars_create(&fake.host, &s, &v), -VMM_EINVAL);
	memset(disk, 0xaa, sizeof(disk));
	assert_int_equal(vmm_uefi_vars_create(&fake.host, &storage, &v), -VMM_EFORMAT);
	assert_null(v);
	for (int64_t n = 1; n <= 5; n++) {
		fake.fail_at = fake.calls + n;
		assert_int_equal(vmm_uefi_vars_create(&fake.host, NULL, &v), -VMM_ENOMEM);
	}
	fake.fail_at = 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(attributes), TEST(changes), TEST(hidden), TEST(volatile_ones),
		TEST(kept),       TEST(walk),    TEST(full),   TEST(create_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

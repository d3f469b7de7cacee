// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The image for both architectures, the memory map against one by the page, and the clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "endian.h"
#include "libvmm/uefi.h"
#include "uefi_clock.h"
#include "uefi_code.h"
#include "uefi_runtime.h"

#define GPA UINT64_C(0x7ff00000)

static uint8_t buf[0x50000];

static struct vmm_uefi_image_config config_of(uint32_t arch)
{
	return (struct vmm_uefi_image_config){
		.size = sizeof(struct vmm_uefi_image_config),
		.arch = arch,
		.gpa = GPA,
		.doorbell = 0x608,
		.rsdp = 0xe0000,
		.smbios = 0xf0000,
		.seed = "0123456789abcdef0123456789abcdef",
		.seed_len = 32,
		.room = 0x1234,
		.tpm_log = "event log",
		.tpm_log_len = 9,
		.tpm_log_format = 2,
		.version = 0x00010203,
	};
}

/* By the definition, a bit at a time. */
static uint32_t crc32_of(const uint8_t *p, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < 8 * len; i++) {
		crc ^= (uint32_t)(p[i / 8] >> (i % 8) & 1);
		crc = crc >> 1 ^ (UINT32_C(0xedb88320) & -(crc & 1));
	}
	return ~crc;
}

static void check_header(const uint8_t *table, uint64_t signature, uint32_t len)
{
	uint8_t copy[256];

	assert_int_equal(vmm__le64(table), signature);
	assert_int_equal(vmm__le32(table + 8), 2 << 16 | 100);
	assert_int_equal(vmm__le32(table + 12), len);
	memcpy(copy, table, len);
	memset(copy + 16, 0, 4);
	assert_int_equal(vmm__le32(table + 16), crc32_of(copy, len));
}

/* A configuration table by the first four bytes of its GUID; 0: it is not there. */
static uint64_t find_table(const uint8_t *system, uint32_t guid)
{
	const uint8_t *list = buf + (vmm__le64(system + 112) - GPA);

	for (uint64_t i = 0; i < vmm__le64(system + 104); i++) {
		if (vmm__le32(list + i * 24) == guid)
			return vmm__le64(list + i * 24 + 16);
	}
	return 0;
}

static void check_services(const uint8_t *runtime, uint32_t code_len)
{
	check_header(runtime, UINT64_C(0x56524553544e5552), 136);
	for (int i = 0; i < 14; i++) {
		uint64_t service = vmm__le64(runtime + 24 + i * 8);

		assert_true(service >= GPA + 64 && service < GPA + code_len);
		assert_int_equal(service % 4, 0);
	}
}

static void check_tables(const uint8_t *system, uint64_t len)
{
	const uint8_t *p;

	assert_int_equal(find_table(system, 0x8868e871), 0xe0000);
	assert_int_equal(find_table(system, 0xf2fd1544), 0xf0000);
	p = buf + (find_table(system, 0xb122a263) - GPA); /* ESRT */
	assert_int_equal(vmm__le32(p), 1);
	assert_int_equal(vmm__le32(p + 36), 0x00010203);
	p = buf + (find_table(system, 0xeb66918a) - GPA); /* runtime properties */
	assert_int_equal(vmm__le32(p), 8 << 16 | 1);
	assert_int_equal(vmm__le32(p + 4), 0x26f3);
	p = buf + (find_table(system, 0x1ce1e5bc) - GPA);
	assert_int_equal(vmm__le32(p), 32);
	assert_memory_equal(p + 4, "0123456789abcdef", 16);
	p = buf + (find_table(system, 0xb7799cb0) - GPA);
	assert_int_equal(vmm__le32(p), 9);
	assert_int_equal(p[8], 2);
	assert_memory_equal(p + 9, "event log", 9);
	p = buf + (find_table(system, 0x1e2ed096) - GPA);
	assert_int_equal(vmm__le64(p), 1);
	/* The memory attributes cover every byte of the image, once, and in order. */
	p = buf + (find_table(system, 0xdcfa911d) - GPA);
	uint64_t at = GPA;
	for (uint32_t i = 0; i < vmm__le32(p + 4); i++) {
		const uint8_t *d = p + 16 + i * vmm__le32(p + 8);

		assert_int_equal(vmm__le64(d + 8), at);
		at += vmm__le64(d + 24) * 4096;
	}
	assert_int_equal(at, GPA + len);
}

static void image_of(uint32_t arch, uint32_t code_len)
{
	const struct vmm_uefi_image_config config = config_of(arch);
	struct vmm_uefi_image image = {.size = sizeof(image)}, again = image;

	if (code_len == 0) { /* there was no compiler for it */
		assert_int_equal(vmm_uefi_image_build(&config, NULL, 0, &image), -VMM_ENOTSUP);
		return;
	}
	assert_int_equal(vmm_uefi_image_build(&config, NULL, 0, &image), 0);
	assert_int_equal(image.len, 0x30000);
	assert_int_equal(image.tables, 8);
	memset(buf, 0xee, sizeof(buf));
	assert_int_equal(vmm_uefi_image_build(&config, buf, image.len - 1, &again), -VMM_ESIZE);
	assert_int_equal(again.len, image.len);
	assert_int_equal(buf[0], 0xee);
	assert_int_equal(vmm_uefi_image_build(&config, buf, image.len, &again), 0);
	assert_memory_equal(&image, &again, sizeof(image));
	assert_int_equal(buf[image.len], 0xee);
	assert_true(image.room % 16 == 0 && image.room - GPA + config.room <= image.len);
	/* The room is the caller's; what is behind it is not left as it was. */
	const uint8_t *room = buf + (image.room - GPA), *behind = room + config.room;
	for (uint32_t i = 0; i < config.room; i++)
		assert_int_equal(room[i], 0xee);
	for (; behind < buf + image.len; behind++)
		assert_int_equal(*behind, 0);
	const uint8_t *system = buf + (image.system - GPA);
	check_header(system, UINT64_C(0x5453595320494249), 120);
	assert_int_equal(image.mailbox, GPA + UEFI_MAILBOX_OFFSET);
	assert_memory_equal(buf + (vmm__le64(system + 24) - GPA), u"libvmm", 14);
	check_services(buf + (vmm__le64(system + 88) - GPA), code_len);
	check_tables(system, image.len);
}

static void images(void **state)
{
	(void)state;
	image_of(VMM_UEFI_X86_64, vmm__uefi_code_x86_64_len);
	image_of(VMM_UEFI_AARCH64, vmm__uefi_code_aarch64_len);
}

static void nothing_given(void **state)
{
	struct vmm_uefi_image_config config = {
		.size = sizeof(config), .arch = VMM_UEFI_X86_64, .gpa = GPA};
	struct vmm_uefi_image image = {.size = sizeof(image)};

	(void)state;
	if (vmm__uefi_code_x86_64_len == 0)
		skip();
	assert_int_equal(vmm_uefi_image_build(&config, buf, sizeof(buf), &image), 0);
	assert_int_equal(image.tables, 3);
	assert_int_equal(image.room, 0);
}

static void refused(void **state)
{
	struct vmm_uefi_image image = {.size = sizeof(image)};
	struct vmm_uefi_image_config c;

	(void)state;
#define REFUSED(code, field, value)                                                       \
	do {                                                                              \
		c = config_of(VMM_UEFI_X86_64);                                           \
		c.field = (value);                                                        \
		assert_int_equal(vmm_uefi_image_build(&c, NULL, 0, &image), -VMM_##code); \
	} while (0)
	REFUSED(EINVAL, arch, 0);
	REFUSED(EINVAL, arch, 3);
	REFUSED(EINVAL, reserved, 1);
	REFUSED(EINVAL, seed, NULL);
	REFUSED(EINVAL, tpm_log, NULL);
	REFUSED(EINVAL, tpm_log_format, 3);
	REFUSED(EALIGN, gpa, 0x8000);
	REFUSED(ERANGE, seed_len, 513);
	REFUSED(ERANGE, room, UINT32_MAX);
	REFUSED(ERANGE, tpm_log_len, UINT32_MAX);
	REFUSED(ERANGE, doorbell, 0xfffd);
	if (vmm__uefi_code_x86_64_len != 0) {
		REFUSED(ERANGE, gpa, UINT64_C(0xffff0000));
		REFUSED(ERANGE, gpa, UINT64_C(0xffffffffffff0000));
	}
	assert_int_equal(vmm_uefi_image_build(NULL, NULL, 0, &image), -VMM_EINVAL);
}

/* --- Memory map --- */

#define PAGES 256

static uint32_t random_state = 1;

static uint32_t next_random(uint32_t end)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % end;
}

static const uint8_t type_of[] = {[VMM_LOAD_RAM] = 7,
				  [VMM_LOAD_RESERVED] = 0,
				  [VMM_LOAD_ACPI] = 9,
				  [VMM_LOAD_NVS] = 10,
				  [VMM_LOAD_UNUSABLE] = 8};

static uint32_t random_ranges(struct vmm_load_range *r, uint8_t *page)
{
	uint32_t count = 0, at = 0;

	while (count < 20) {
		uint32_t from = at + next_random(3) * next_random(5), len = 1 + next_random(30);
		uint32_t type = 1 + next_random(5);

		if (from + len > PAGES)
			break;
		r[count] = (struct vmm_load_range){from * 4096, len * 4096, type, 0};
		if (type == VMM_LOAD_RESERVED && next_random(2) == 0)
			r[count].uefi = 5 + next_random(2);
		memset(page + from, r[count].uefi ? (int)r[count].uefi : type_of[type], len);
		count++;
		at = from + len;
	}
	return count;
}

/* Only RAM becomes the loader's. */
static uint32_t random_areas(struct vmm_boot_area *a, uint8_t *page)
{
	uint32_t count = next_random(8);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t base = next_random(PAGES * 4096 - 0x8000), len = 1 + next_random(0x8000);

		a[i] = (struct vmm_boot_area){base, len, VMM_BOOT_AREA_MODULE, i};
		for (uint32_t p = base / 4096; p <= (base + len - 1) / 4096; p++) {
			if (page[p] == 7)
				page[p] = 2;
		}
	}
	return count;
}

static void memory_maps(void **state)
{
	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct vmm_load_range ranges[20];
		struct vmm_boot_area areas[8];
		uint8_t page[PAGES], d[VMM_UEFI_DESCRIPTOR_LEN];
		struct vmm_uefi_map map;
		uint64_t end = 0;
		uint32_t n = 0;

		memset(page, 0xff, sizeof(page));
		const uint32_t range_count = random_ranges(ranges, page);
		const uint32_t area_count = random_areas(areas, page);
		assert_int_equal(vmm_uefi_map_begin(&map, ranges, range_count, areas, area_count),
				 0);
		for (; vmm_uefi_map_next(&map, d) == 0; n++) {
			const uint64_t base = vmm__le64(d + 8), count = vmm__le64(d + 24);
			const uint32_t type = vmm__le32(d);
			const bool runtime = (vmm__le64(d + 32) & EFI_MEMORY_RUNTIME) != 0;

			assert_true(base >= end && count > 0);
			assert_true(runtime == (type == 5 || type == 6));
			end = base + count * 4096;
			for (uint64_t p = base / 4096; p < end / 4096; p++) {
				assert_int_equal(page[p], type);
				page[p] = 0xff;
			}
		}
		assert_true(n <= range_count + 2 * area_count);
		for (int p = 0; p < PAGES; p++)
			assert_int_equal(page[p], 0xff);
		assert_int_equal(vmm_uefi_map_next(&map, d), -VMM_ENOENT);
	}
}

static void maps_refused(void **state)
{
	struct vmm_load_range r = {0x1000, 0x1000, VMM_LOAD_RAM, 0};
	struct vmm_uefi_map map;

	(void)state;
	assert_int_equal(vmm_uefi_map_begin(&map, NULL, 1, NULL, 0), -VMM_EINVAL);
	assert_int_equal(vmm_uefi_map_begin(&map, &r, 1, NULL, 1), -VMM_EINVAL);
	r.base = 0x1001;
	assert_int_equal(vmm_uefi_map_begin(&map, &r, 1, NULL, 0), -VMM_EALIGN);
	r.base = UINT64_C(0xfffffffffffff000);
	r.size = 0x2000;
	assert_int_equal(vmm_uefi_map_begin(&map, &r, 1, NULL, 0), -VMM_EINVAL);
	r = (struct vmm_load_range){0x1000, 0, VMM_LOAD_RAM, 0};
	assert_int_equal(vmm_uefi_map_begin(&map, &r, 1, NULL, 0), -VMM_EINVAL);
	r = (struct vmm_load_range){0x1000, 0x1000, VMM_LOAD_RAM, 15};
	assert_int_equal(vmm_uefi_map_begin(&map, &r, 1, NULL, 0), -VMM_EINVAL);
}

/* --- Clock --- */

static uint64_t now;

static uint64_t wall_ns(void *opaque)
{
	(void)opaque;
	return now;
}

static void clock_against_libc(void **state)
{
	const struct vmm_host host = {.wall_ns = wall_ns};
	struct vmm__uefi_clock clock;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		/* Every day from 1970 to 2243. */
		const int64_t s = (int64_t)i * 86400 + next_random(86400);
		const time_t t = s;
		struct efi_time e;
		struct tm tm;

		now = (uint64_t)s * 1000000000 + 123456789;
		gmtime_r(&t, &tm);
		vmm__uefi_clock_init(&clock);
		assert_true(vmm__uefi_clock_get(&clock, &host, &e) == EFI_SUCCESS);
		assert_true(e.year == tm.tm_year + 1900 && e.month == tm.tm_mon + 1 &&
			    e.day == tm.tm_mday && e.hour == tm.tm_hour && e.minute == tm.tm_min &&
			    e.second == tm.tm_sec && e.nanosecond == 123456789);
		/* Setting what it shows moves nothing, at any other time too. */
		struct vmm__uefi_clock set;
		assert_true(vmm__uefi_clock_set(&set, &host, &e) == EFI_SUCCESS);
		assert_int_equal(set.offset_ns, 0);
	}
}

static void clock_before_1970(void **state)
{
	const struct vmm_host host = {.wall_ns = wall_ns}, none = {.size = sizeof(none)};
	struct efi_time e = {.year = 1900, .month = 2, .day = 28, .hour = 23, .timezone = 120};
	struct vmm__uefi_clock clock;
	struct efi_time seen;

	(void)state;
	now = UINT64_C(1800000000) * 1000000000;
	assert_true(vmm__uefi_clock_set(&clock, &host, &e) == EFI_SUCCESS);
	now += UINT64_C(3600) * 1000000000;
	assert_true(vmm__uefi_clock_get(&clock, &host, &seen) == EFI_SUCCESS);
	assert_true(seen.year == 1900 && seen.month == 3 && seen.day == 1 && seen.hour == 0 &&
		    seen.timezone == 120);
	e.day = 29; /* 1900 was no leap year */
	assert_true(vmm__uefi_clock_set(&clock, &host, &e) == EFI_INVALID_PARAMETER);
	e.year = 2000;
	assert_true(vmm__uefi_clock_set(&clock, &host, &e) == EFI_SUCCESS);
	assert_true(vmm__uefi_clock_set(&clock, &none, &e) == EFI_UNSUPPORTED);
	assert_true(vmm__uefi_clock_get(&clock, &none, &e) == EFI_UNSUPPORTED);
	/* An offset out of a store that somebody has made up. */
	clock.offset_ns = INT64_MAX;
	assert_true(vmm__uefi_clock_get(&clock, &host, &seen) == EFI_DEVICE_ERROR);
	clock.offset_ns = INT64_MIN;
	assert_true(vmm__uefi_clock_get(&clock, &host, &seen) == EFI_SUCCESS);
	assert_int_equal(seen.year, 1734);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(images),
		cmocka_unit_test(nothing_given),
		cmocka_unit_test(refused),
		cmocka_unit_test(memory_maps),
		cmocka_unit_test(maps_refused),
		cmocka_unit_test(clock_against_libc),
		cmocka_unit_test(clock_before_1970),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

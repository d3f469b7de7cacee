// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "fixture.h"

#include <string.h>

static int setup(void **state)
{
	struct fixture *f;

	fixture_setup(state);
	f = *state;
	image_multiboot(&f->kernel);
	f->args.module_count = 2;
	return 0;
}

static void loads_by_address_fields(void **state)
{
	struct fixture *f = *state;

	guest_ram_dirty(&f->ram);
	assert_int_equal(vmm_image_probe(f->kernel.bytes, f->kernel.len), VMM_IMAGE_MULTIBOOT);
	assert_int_equal(fixture_load(f), 0);
	assert_int_equal(f->boot.mode, VMM_BOOT_PROT32);
	assert_int_equal(f->boot.entry, MB_ENTRY);
	assert_int_equal(f->boot.rax, 0x2badb002);
	assert_memory_equal(f->ram.bytes + MB_LOAD, f->kernel.bytes + MB_FILE_START, MB_LOAD_SIZE);
	for (uint32_t i = MB_LOAD_SIZE; i < MB_SIZE; i++)
		assert_int_equal(f->ram.bytes[MB_LOAD + i], 0);
	fixture_areas_apart(f);
}

static void information_is_complete(void **state)
{
	struct fixture *f = *state;
	uint32_t info, list, map;

	guest_ram_dirty(&f->ram);
	assert_int_equal(fixture_load(f), 0);
	info = (uint32_t)f->boot.rbx;
	assert_int_equal(guest_ram32(&f->ram, info), 0x24d);
	assert_int_equal(guest_ram32(&f->ram, info + 4), 0x9f000 >> 10);
	assert_int_equal(guest_ram32(&f->ram, info + 8), 0x1ff00000 >> 10);
	assert_string_equal((char *)f->ram.bytes + guest_ram32(&f->ram, info + 16),
			    f->args.cmdline);
	assert_int_equal(guest_ram32(&f->ram, info + 20), 2);
	assert_string_equal((char *)f->ram.bytes + guest_ram32(&f->ram, info + 64), "libvmm");
	list = guest_ram32(&f->ram, info + 24);
	for (uint32_t i = 0; i < 2; i++, list += 16) {
		const uint32_t base = guest_ram32(&f->ram, list);

		assert_int_equal(base & 0xfff, 0);
		assert_true(base >= MB_LOAD + MB_SIZE);
		assert_int_equal(guest_ram32(&f->ram, list + 4), base + f->modules[i].len);
		assert_memory_equal(f->ram.bytes + base, f->modules[i].data, f->modules[i].len);
		assert_int_equal(guest_ram32(&f->ram, list + 12), 0);
	}
	assert_int_equal(guest_ram32(&f->ram, list - 32 + 8), 0);
	assert_string_equal((char *)f->ram.bytes + guest_ram32(&f->ram, list - 16 + 8),
			    "second module");
	assert_int_equal(guest_ram32(&f->ram, info + 44), 72);
	map = guest_ram32(&f->ram, info + 48);
	for (uint32_t i = 0; i < 3; i++, map += 24) {
		assert_int_equal(guest_ram32(&f->ram, map), 20);
		assert_int_equal(guest_ram64(&f->ram, map + 4), f->ram.target.ranges[i].base);
		assert_int_equal(guest_ram64(&f->ram, map + 12), f->ram.target.ranges[i].size);
		assert_int_equal(guest_ram32(&f->ram, map + 20), f->ram.target.ranges[i].type);
	}
}

static void flags_tell_what_is_there(void **state)
{
	struct fixture *f = *state;

	f->args.cmdline = NULL;
	f->args.module_count = 0;
	assert_int_equal(fixture_load(f), 0);
	assert_int_equal(guest_ram32(&f->ram, f->boot.rbx), 0x241);
}

static void loads_elf_at_physical_entry(void **state)
{
	struct fixture *f = *state;

	for (int is64 = 0; is64 < 2; is64++) {
		image_elf(&f->kernel, is64, ELF_WITH_MB);
		assert_int_equal(fixture_load(f), 0);
		assert_int_equal(f->boot.kind, VMM_IMAGE_MULTIBOOT);
		assert_int_equal(f->boot.entry, ELF_ENTRY);
		assert_memory_equal(f->ram.bytes + ELF_TEXT_PADDR,
				    f->kernel.bytes + ELF_TEXT_OFFSET, ELF_TEXT_SIZE);
		fixture_areas_apart(f);
	}
	/* An entry outside of all segments. */
	image_put64(&f->kernel, 24, 0x1000);
	fixture_refused(f, VMM_EFORMAT);
}

static void end_addresses_may_be_0(void **state)
{
	struct fixture *f = *state;

	image_put32(&f->kernel, MB_HEADER + 20, 0);
	image_put32(&f->kernel, MB_HEADER + 24, 0);
	assert_int_equal(fixture_load(f), 0);
	assert_int_equal(fixture_area(f, VMM_BOOT_AREA_IMAGE, 0)->size,
			 f->kernel.len - MB_FILE_START);
}

static void every_cut_is_refused(void **state)
{
	struct fixture *f = *state;

	fixture_cuts_refused(f);
	image_elf(&f->kernel, false, ELF_WITH_MB);
	fixture_cuts_refused(f);
}

static void each_failing_write_is_reported(void **state)
{
	fixture_writes_fail(*state);
}

static void names_what_is_wrong(void **state)
{
	struct fixture *f = *state;
	const struct {
		size_t at;
		uint32_t value;
		int code;
	} cases[] = {
		{12, MB_LOAD - 1, VMM_EFORMAT},    /* header before load_addr */
		{12, MB_LOAD + 0x21, VMM_EFORMAT}, /* load starts before the file */
		{16, MB_LOAD + 0x11, VMM_EFORMAT},
		{20, MB_LOAD - 1, VMM_EFORMAT}, /* load_end */
		{20, MB_LOAD + MB_LOAD_SIZE + 1, VMM_EFORMAT},
		{20, 0xffffffff, VMM_EFORMAT},
		{24, MB_LOAD + MB_LOAD_SIZE - 1, VMM_EFORMAT}, /* bss_end */
		{24, 1, VMM_EFORMAT},
		{24, 0xffffffff, VMM_ERANGE},
		{28, MB_LOAD - 1, VMM_EFORMAT}, /* entry */
		{28, MB_LOAD + MB_SIZE, VMM_EFORMAT},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		image_multiboot(&f->kernel);
		image_put32(&f->kernel, MB_HEADER + cases[i].at, cases[i].value);
		fixture_refused(f, cases[i].code);
	}
	/* header_addr - load_addr is right, modulo 2^32. */
	image_multiboot(&f->kernel);
	image_put32(&f->kernel, MB_HEADER + 12, 0);
	image_put32(&f->kernel, MB_HEADER + 16, 0u - (MB_HEADER - MB_FILE_START));
	image_put32(&f->kernel, MB_HEADER + 20, 0);
	image_put32(&f->kernel, MB_HEADER + 24, 0);
	image_put32(&f->kernel, MB_HEADER + 28, 0xfffffff8);
	fixture_refused(f, VMM_EFORMAT);
	image_multiboot(&f->kernel);
	image_put32(&f->kernel, MB_HEADER + 4, 0x10004);
	image_put32(&f->kernel, MB_HEADER + 8, 0u - 0x1badb002u - 0x10004u);
	fixture_refused(f, VMM_ENOTSUP);
	image_put32(&f->kernel, MB_HEADER + 8, 0);
	fixture_refused(f, VMM_EFORMAT);
}

static void image_stays_below_4_gib(void **state)
{
	static const struct vmm_load_range map = {0, 0x140000000, VMM_LOAD_RAM, 0};
	const uint32_t base = 0u - MB_LOAD_SIZE;
	struct fixture *f = *state;

	f->ram.target.ranges = &map;
	f->ram.target.range_count = 1;
	f->args.module_count = 0;
	for (uint32_t i = 0; i < 2; i++) {
		image_put32(&f->kernel, MB_HEADER + 12, base + i + (MB_HEADER - MB_FILE_START));
		image_put32(&f->kernel, MB_HEADER + 16, base + i);
		image_put32(&f->kernel, MB_HEADER + 20, 0);
		image_put32(&f->kernel, MB_HEADER + 24, 0);
		image_put32(&f->kernel, MB_HEADER + 28, base + 0x40);
		if (i == 0)
			assert_int_equal(fixture_load(f), 0);
		else
			fixture_refused(f, VMM_ERANGE);
	}
}

static void header_is_searched_in_8_kib(void **state)
{
	struct fixture *f = *state;
	struct image moved = {.len = 8192};

	memcpy(moved.bytes + 8192 - 12, f->kernel.bytes + MB_HEADER, 12);
	assert_int_equal(vmm_image_probe(moved.bytes, moved.len), VMM_IMAGE_MULTIBOOT);
	assert_int_equal(vmm_image_probe(moved.bytes, moved.len - 1), VMM_IMAGE_UNKNOWN);
	memset(&moved, 0, sizeof(moved));
	memcpy(moved.bytes + 8192 - 8, f->kernel.bytes + MB_HEADER, 12);
	assert_int_equal(vmm_image_probe(moved.bytes, 9000), VMM_IMAGE_UNKNOWN);
}

static void too_many_modules(void **state)
{
	struct vmm_load_module many[VMM_BOOT_AREAS_MAX + 1];
	struct fixture *f = *state;

	for (size_t i = 0; i <= VMM_BOOT_AREAS_MAX; i++)
		many[i] = f->modules[1];
	f->args.modules = many;
	f->args.module_count = VMM_BOOT_AREAS_MAX - 6;
	assert_int_equal(fixture_load(f), 0);
	fixture_areas_apart(f);
	f->args.module_count = VMM_BOOT_AREAS_MAX - 5;
	fixture_refused(f, VMM_ELIMIT);
	f->args.module_count = VMM_BOOT_AREAS_MAX + 1;
	fixture_refused(f, VMM_ELIMIT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(loads_by_address_fields),
		TEST(information_is_complete),
		TEST(flags_tell_what_is_there),
		TEST(loads_elf_at_physical_entry),
		TEST(end_addresses_may_be_0),
		TEST(every_cut_is_refused),
		TEST(each_failing_write_is_reported),
		TEST(names_what_is_wrong),
		TEST(image_stays_below_4_gib),
		TEST(header_is_searched_in_8_kib),
		TEST(too_many_modules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

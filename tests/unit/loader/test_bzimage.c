// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
	struct fixture *f;

	fixture_setup(state);
	f = *state;
	image_bzimage(&f->kernel);
	f->args.module_count = 1;
	return 0;
}

static void enters_at_64_bit_entry(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(vmm_image_probe(f->kernel.bytes, f->kernel.len), VMM_IMAGE_BZIMAGE);
	assert_int_equal(fixture_load(f), 0);
	assert_int_equal(f->boot.kind, VMM_IMAGE_BZIMAGE);
	assert_int_equal(f->boot.mode, VMM_BOOT_LONG64);
	assert_int_equal(f->boot.entry, BZ_PREF + 0x200);
	assert_int_equal(f->boot.rsi, fixture_area(f, VMM_BOOT_AREA_INFO, 0)->base);
	assert_memory_equal(f->ram.bytes + BZ_PREF, f->kernel.bytes + BZ_SETUP, BZ_CODE);
	assert_int_equal(fixture_area(f, VMM_BOOT_AREA_IMAGE, 0)->size, BZ_INIT);
}

static void boot_params_are_complete(void **state)
{
	struct fixture *f = *state;
	uint64_t bp;

	guest_ram_dirty(&f->ram);
	f->ram.target.rsdp = 0xe0000;
	assert_int_equal(fixture_load(f), 0);
	bp = f->boot.rsi;
	assert_memory_equal(f->ram.bytes + bp + 0x202, "HdrS", 4);
	assert_int_equal(f->ram.bytes[bp + 0x210], 0xff);
	assert_int_equal(guest_ram32(&f->ram, bp + 0x214), BZ_PREF);
	assert_int_equal(guest_ram32(&f->ram, bp + 0x218),
			 fixture_area(f, VMM_BOOT_AREA_MODULE, 0)->base);
	assert_int_equal(guest_ram32(&f->ram, bp + 0x21c), f->initrd.len);
	assert_int_equal(guest_ram32(&f->ram, bp + 0x228),
			 fixture_area(f, VMM_BOOT_AREA_CMDLINE, 0)->base);
	assert_int_equal(guest_ram64(&f->ram, bp + 0x70), 0xe0000);
	assert_int_equal(f->ram.bytes[bp + 0x1e8], 3);
	for (uint32_t i = 0; i < 3; i++) {
		const struct vmm_load_range *r = &f->ram.target.ranges[i];

		assert_int_equal(guest_ram64(&f->ram, bp + 0x2d0 + 20 * i), r->base);
		assert_int_equal(guest_ram64(&f->ram, bp + 0x2d8 + 20 * i), r->size);
		assert_int_equal(guest_ram32(&f->ram, bp + 0x2e0 + 20 * i), r->type);
	}
	/* Nothing of what lay there before is left, sentinel (0x1ef) included. */
	assert_int_equal(f->ram.bytes[bp + 0x1ef], 0);
	assert_int_equal(guest_ram64(&f->ram, bp), 0);
	assert_int_equal(guest_ram64(&f->ram, bp + 0x290), 0);
	assert_int_equal(guest_ram64(&f->ram, bp + 0xff8), 0);
	assert_string_equal((char *)f->ram.bytes + guest_ram32(&f->ram, bp + 0x228),
			    f->args.cmdline);
}

static void without_cmdline_and_initrd(void **state)
{
	struct fixture *f = *state;

	f->args.cmdline = NULL;
	f->args.module_count = 0;
	assert_int_equal(fixture_load(f), 0);
	assert_int_equal(guest_ram32(&f->ram, f->boot.rsi + 0x218), 0);
	assert_int_equal(guest_ram32(&f->ram, f->boot.rsi + 0x21c), 0);
	assert_int_equal(guest_ram32(&f->ram, f->boot.rsi + 0x228), 0);
}

static void page_tables_map_4_gib(void **state)
{
	struct fixture *f = *state;
	const uint64_t probes[] = {0, 0x1fffff, 0x12345678, 0xffffffff};
	uint64_t table, entry;

	guest_ram_dirty(&f->ram);
	assert_int_equal(fixture_load(f), 0);
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		table = guest_ram64(&f->ram, f->boot.cr3);
		assert_int_equal(table & 3, 3);
		entry = guest_ram64(&f->ram, (table & ~UINT64_C(0xfff)) + (probes[i] >> 30) * 8);
		assert_int_equal(entry & 0x83, 3);
		entry = guest_ram64(&f->ram,
				    (entry & ~UINT64_C(0xfff)) + (probes[i] >> 21 & 511) * 8);
		assert_int_equal(entry & 0xfff, 0x83);
		assert_int_equal(entry & ~UINT64_C(0xfff), probes[i] & ~UINT64_C(0x1fffff));
	}
	assert_int_equal(guest_ram64(&f->ram, f->boot.cr3 + 8), 0);
	assert_int_equal(guest_ram64(&f->ram, f->boot.cr3 + 0x1000 + 32), 0);
	/* Code is 64-bit, data is writable, the task busy. */
	assert_int_equal(guest_ram64(&f->ram, f->boot.gdt + 0x10), 0x00af9b000000ffff);
	assert_int_equal(guest_ram64(&f->ram, f->boot.gdt + 0x18), 0x00cf93000000ffff);
	assert_int_equal(f->boot.gdt_limit, 47);
}

static void initrd_honours_initrd_addr_max(void **state)
{
	struct fixture *f = *state;
	const struct vmm_boot_area *module;

	image_put32(&f->kernel, 0x22c, 0xffffff);
	assert_int_equal(fixture_load(f), 0);
	module = fixture_area(f, VMM_BOOT_AREA_MODULE, 0);
	assert_true(module->base + module->size <= 0x1000000);
	assert_int_equal(module->base & 0xfff, 0);
	assert_memory_equal(f->ram.bytes + module->base, f->initrd.bytes, f->initrd.len);
}

static void initrd_above_4_gib(void **state)
{
	static const struct vmm_load_range map[] = {
		{0, 0x9f000, VMM_LOAD_RAM, 0},
		{0x100000, 0x1300000, VMM_LOAD_RAM, 0},
		{0x100000000, 0x10000000, VMM_LOAD_RAM, 0},
	};
	struct fixture *f = *state;
	const struct vmm_boot_area *module;

	f->ram.target.ranges = map;
	image_put32(&f->kernel, 0x22c, 0x1fffff);
	f->modules[0].len = 0x200000;
	f->modules[0].data = calloc(1, f->modules[0].len);
	assert_int_equal(fixture_load(f), 0);
	module = fixture_area(f, VMM_BOOT_AREA_MODULE, 0);
	assert_true(module->base >= 0x100000000);
	assert_int_equal(guest_ram32(&f->ram, f->boot.rsi + 0x218), (uint32_t)module->base);
	assert_int_equal(guest_ram32(&f->ram, f->boot.rsi + 0xc0), module->base >> 32);
	/* Without XLF_CAN_BE_LOADED_ABOVE_4G there is no place. */
	image_put16(&f->kernel, 0x236, 1);
	fixture_refused(f, VMM_ERANGE);
	free((void *)(uintptr_t)f->modules[0].data);
}

/* Its bytes are not looked at: a target that keeps small writes only. */
static int write_small(void *opaque, uint64_t gpa, const void *buf, size_t len)
{
	struct guest_ram *ram = opaque;

	if (len < 0x100000)
		memcpy(ram->bytes + gpa, buf, len);
	return 0;
}

static void initrd_of_more_than_4_gib(void **state)
{
	static const struct vmm_load_range map[] = {
		{0, 0x40000000, VMM_LOAD_RAM, 0},
		{0x100000000, 0x180000000, VMM_LOAD_RAM, 0},
	};
	struct fixture *f = *state;

	f->ram.target.ranges = map;
	f->ram.target.range_count = 2;
	f->ram.target.write = write_small;
	f->modules[0].len = 0x123456789;
	assert_int_equal(fixture_load(f), 0);
	assert_int_equal(guest_ram32(&f->ram, f->boot.rsi + 0x21c), 0x23456789);
	assert_int_equal(guest_ram32(&f->ram, f->boot.rsi + 0xc4), 1);
}

static void kernel_stays_below_4_gib(void **state)
{
	static const struct vmm_load_range map = {0, 0x140000000, VMM_LOAD_RAM, 0};
	struct fixture *f = *state;

	f->ram.target.ranges = &map;
	f->ram.target.range_count = 1;
	image_put64(&f->kernel, 0x258, 0x100000000 - BZ_INIT);
	assert_int_equal(fixture_load(f), 0);
	f->kernel.bytes[0x234] = 0;
	assert_int_equal(fixture_load(f), 0);
	image_put64(&f->kernel, 0x258, 0x100000000 - BZ_INIT + 0x1000);
	fixture_refused(f, VMM_ERANGE);
	f->kernel.bytes[0x234] = 1;
	fixture_refused(f, VMM_ERANGE);
}

static void relocatable_kernel_moves_up(void **state)
{
	static const struct vmm_load_range map[] = {
		{0, 0x9f000, VMM_LOAD_RAM, 0},
		{0x100000, 0xf80000, VMM_LOAD_RAM, 0},
		{0x1100000, 0x10000000, VMM_LOAD_RAM, 0},
	};
	struct fixture *f = *state;

	f->ram.target.ranges = map;
	assert_int_equal(fixture_load(f), 0);
	assert_int_equal(f->boot.entry, 0x1200000 + 0x200);
	assert_int_equal(guest_ram32(&f->ram, f->boot.rsi + 0x214), 0x1200000);
	f->kernel.bytes[0x234] = 0;
	fixture_refused(f, VMM_ERANGE);
}

static void every_cut_is_refused(void **state)
{
	fixture_cuts_refused(*state);
}

static void names_what_is_wrong(void **state)
{
	struct fixture *f = *state;
	const struct {
		size_t at;
		uint32_t value;
		int code;
	} cases[] = {
		{0x206, 0x020b, VMM_ENOTSUP},     /* protocol 2.11 */
		{0x236, 0x0002, VMM_ENOTSUP},     /* no XLF_KERNEL_64 */
		{0x211, 0x0000, VMM_EFORMAT},     /* not loaded high */
		{0x1f4, 0x00000000, VMM_EFORMAT}, /* syssize */
		{0x1f4, 0xffffffff, VMM_EFORMAT},
		{0x200, 0x486410eb, VMM_EFORMAT}, /* header too short */
		{0x230, 0x00000000, VMM_EFORMAT}, /* alignment */
		{0x230, 0x00300000, VMM_EFORMAT},
		{0x230, 0x80000000, VMM_EFORMAT},
		{0x258, 0x00000000, VMM_EFORMAT}, /* pref_address */
		{0x25c, 0xffffffff, VMM_EFORMAT},
		{0x258, 0xffffffff, VMM_ERANGE},
		{0x260, 0xffffffff, VMM_ERANGE}, /* init_size */
		{0x238, 0x00000003, VMM_ELIMIT}, /* cmdline_size */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		image_bzimage(&f->kernel);
		if (cases[i].at == 0x200) {
			f->kernel.bytes[0x201] = 0x10;
		} else if (cases[i].at == 0x206 || cases[i].at == 0x236) {
			image_put16(&f->kernel, cases[i].at, (uint16_t)cases[i].value);
		} else if (cases[i].at == 0x211) {
			f->kernel.bytes[0x211] = 0;
		} else {
			image_put32(&f->kernel, cases[i].at, cases[i].value);
		}
		fixture_refused(f, cases[i].code);
	}
}

static void refuses_wrong_modules(void **state)
{
	struct fixture *f = *state;

	f->args.module_count = 2;
	fixture_refused(f, VMM_ENOTSUP);
	f->args.module_count = 1;
	f->modules[0].cmdline = "x";
	fixture_refused(f, VMM_ENOTSUP);
	f->modules[0].cmdline = NULL;
	f->modules[0].len = 0;
	fixture_refused(f, VMM_EINVAL);
	f->modules[0].len = (size_t)1 << 40;
	fixture_refused(f, VMM_ERANGE);
	f->modules[0].len = SIZE_MAX;
	fixture_refused(f, VMM_ERANGE);
	f->args.modules = NULL;
	fixture_refused(f, VMM_EINVAL);
}

static void each_failing_write_is_reported(void **state)
{
	fixture_writes_fail(*state);
}

static void areas_are_ram_and_apart(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fixture_load(f), 0);
	fixture_areas_apart(f);
}

/* Not part of the tree: VMM_TEST_KERNEL names one. */
static void real_kernel(void **state)
{
	struct fixture *f = *state;
	const char *path = getenv("VMM_TEST_KERNEL");
	FILE *file = path ? fopen(path, "rb") : NULL;
	const size_t cap = 64 << 20;
	uint8_t *bytes;
	size_t len, code;

	if (!file)
		skip();
	bytes = malloc(cap);
	len = fread(bytes, 1, cap, file);
	fclose(file);
	code = (bytes[0x1f1] + 1u) * 512;
	f->args.image = bytes;
	f->args.image_len = len;
	assert_int_equal(vmm_image_load(&f->ram.target, &f->args, &f->boot, &f->error), 0);
	assert_int_equal(f->boot.kind, VMM_IMAGE_BZIMAGE);
	fixture_areas_apart(f);
	assert_memory_equal(f->ram.bytes + f->boot.entry, bytes + code + 0x200, 0x100000);
	/* Signatures may follow the kernel, which ends at syssize. */
	for (size_t cut = 1; cut < len - 0x1000; cut += len / 997) {
		f->args.image_len = cut;
		f->ram.writes = 0;
		assert_int_equal(vmm_image_load(&f->ram.target, &f->args, &f->boot, &f->error),
				 -VMM_EFORMAT);
		assert_int_equal(f->ram.writes, 0);
	}
	free(bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(enters_at_64_bit_entry),
		TEST(boot_params_are_complete),
		TEST(without_cmdline_and_initrd),
		TEST(page_tables_map_4_gib),
		TEST(initrd_honours_initrd_addr_max),
		TEST(initrd_above_4_gib),
		TEST(initrd_of_more_than_4_gib),
		TEST(kernel_stays_below_4_gib),
		TEST(relocatable_kernel_moves_up),
		TEST(every_cut_is_refused),
		TEST(names_what_is_wrong),
		TEST(refuses_wrong_modules),
		TEST(each_failing_write_is_reported),
		TEST(areas_are_ram_and_apart),
		TEST(real_kernel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest_ram.h"
#include "images.h"

struct fixture {
	struct guest_ram ram;
	struct image kernel;
	struct image initrd;
	struct vmm_load_module module;
	struct vmm_load_args args;
	struct vmm_boot boot;
	struct vmm_error error;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	guest_ram_init(&f->ram);
	image_bzimage(&f->kernel);
	image_initrd(&f->initrd);
	f->module = (struct vmm_load_module){f->initrd.bytes, f->initrd.len, NULL};
	f->args = (struct vmm_load_args){
		.size = sizeof(f->args),
		.image = f->kernel.bytes,
		.image_len = f->kernel.len,
		.cmdline = "console=ttyS0 quiet",
		.modules = &f->module,
		.module_count = 1,
	};
	f->boot.size = sizeof(f->boot);
	f->error.size = sizeof(f->error);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	guest_ram_fini(&f->ram);
	free(f);
	return 0;
}

static int load(struct fixture *f)
{
	return vmm_image_load(&f->ram.target, &f->args, &f->boot, &f->error);
}

static const struct vmm_boot_area *area(const struct fixture *f, uint32_t what)
{
	for (uint32_t i = 0; i < f->boot.area_count; i++) {
		if (f->boot.areas[i].what == what)
			return &f->boot.areas[i];
	}
	fail_msg("no area of sort %u", what);
	return NULL;
}

static void refused(struct fixture *f, int code)
{
	f->ram.writes = 0;
	f->error.code = 0;
	f->error.text[0] = '\0';
	assert_int_equal(load(f), -code);
	assert_int_equal(f->error.code, -code);
	assert_string_not_equal(f->error.text, "");
	assert_int_equal(f->ram.writes, 0);
}

static void enters_at_64_bit_entry(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(vmm_image_probe(f->kernel.bytes, f->kernel.len), VMM_IMAGE_BZIMAGE);
	assert_int_equal(load(f), 0);
	assert_int_equal(f->boot.kind, VMM_IMAGE_BZIMAGE);
	assert_int_equal(f->boot.mode, VMM_BOOT_LONG64);
	assert_int_equal(f->boot.entry, BZ_PREF + 0x200);
	assert_int_equal(f->boot.rsi, area(f, VMM_BOOT_AREA_INFO)->base);
	assert_memory_equal(f->ram.bytes + BZ_PREF, f->kernel.bytes + BZ_SETUP, BZ_CODE);
	assert_int_equal(area(f, VMM_BOOT_AREA_IMAGE)->size, BZ_INIT);
}

static void boot_params_are_complete(void **state)
{
	struct fixture *f = *state;
	uint64_t bp;

	guest_ram_dirty(&f->ram);
	f->ram.target.rsdp = 0xe0000;
	assert_int_equal(load(f), 0);
	bp = f->boot.rsi;
	assert_memory_equal(f->ram.bytes + bp + 0x202, "HdrS", 4);
	assert_int_equal(f->ram.bytes[bp + 0x210], 0xff);
	assert_int_equal(guest_ram32(&f->ram, bp + 0x214), BZ_PREF);
	assert_int_equal(guest_ram32(&f->ram, bp + 0x218), area(f, VMM_BOOT_AREA_MODULE)->base);
	assert_int_equal(guest_ram32(&f->ram, bp + 0x21c), f->initrd.len);
	assert_int_equal(guest_ram32(&f->ram, bp + 0x228), area(f, VMM_BOOT_AREA_CMDLINE)->base);
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
	assert_int_equal(load(f), 0);
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
	assert_int_equal(load(f), 0);
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
	assert_int_equal(load(f), 0);
	module = area(f, VMM_BOOT_AREA_MODULE);
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
	f->module.len = 0x200000;
	f->module.data = calloc(1, f->module.len);
	assert_int_equal(load(f), 0);
	module = area(f, VMM_BOOT_AREA_MODULE);
	assert_true(module->base >= 0x100000000);
	assert_int_equal(guest_ram32(&f->ram, f->boot.rsi + 0x218), (uint32_t)module->base);
	assert_int_equal(guest_ram32(&f->ram, f->boot.rsi + 0xc0), module->base >> 32);
	/* Without XLF_CAN_BE_LOADED_ABOVE_4G there is no place. */
	image_put16(&f->kernel, 0x236, 1);
	refused(f, VMM_ERANGE);
	free((void *)(uintptr_t)f->module.data);
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
	assert_int_equal(load(f), 0);
	assert_int_equal(f->boot.entry, 0x1200000 + 0x200);
	assert_int_equal(guest_ram32(&f->ram, f->boot.rsi + 0x214), 0x1200000);
	f->kernel.bytes[0x234] = 0;
	refused(f, VMM_ERANGE);
}

static void every_cut_is_refused(void **state)
{
	struct fixture *f = *state;

	for (size_t len = 1; len < f->kernel.len; len++) {
		f->args.image_len = len;
		refused(f, VMM_EFORMAT);
	}
	f->args.image_len = 0;
	refused(f, VMM_EINVAL);
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
		refused(f, cases[i].code);
	}
}

static void refuses_wrong_modules(void **state)
{
	struct fixture *f = *state;
	const struct vmm_load_module two[2] = {f->module, f->module};

	f->args.modules = two;
	f->args.module_count = 2;
	refused(f, VMM_ENOTSUP);
	f->args.modules = &f->module;
	f->args.module_count = 1;
	f->module.cmdline = "x";
	refused(f, VMM_ENOTSUP);
	f->module.cmdline = NULL;
	f->module.len = 0;
	refused(f, VMM_EINVAL);
	f->module.len = (size_t)1 << 40;
	refused(f, VMM_ERANGE);
	f->module.len = SIZE_MAX;
	refused(f, VMM_ERANGE);
	f->args.modules = NULL;
	refused(f, VMM_EINVAL);
}

static void each_failing_write_is_reported(void **state)
{
	struct fixture *f = *state;
	uint64_t writes;

	assert_int_equal(load(f), 0);
	writes = f->ram.writes;
	for (f->ram.fail_at = 1; f->ram.fail_at <= writes; f->ram.fail_at++) {
		f->ram.writes = 0;
		assert_int_equal(load(f), -VMM_EIO);
		assert_int_equal(f->ram.writes, f->ram.fail_at);
		assert_string_not_equal(f->error.text, "");
	}
}

static void areas_are_ram_and_apart(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(load(f), 0);
	for (uint32_t i = 0; i < f->boot.area_count; i++) {
		const struct vmm_boot_area *a = &f->boot.areas[i];

		assert_true(guest_ram_holds(&f->ram.target, a->base, a->size));
		assert_true(a->base >= 0x1000);
		for (uint32_t j = 0; j < i; j++)
			assert_true(a->base + a->size <= f->boot.areas[j].base ||
				    f->boot.areas[j].base + f->boot.areas[j].size <= a->base);
	}
}

static void real_kernel(void **state)
{
	struct fixture *f = *state;
	const char *path = getenv("VMM_TEST_KERNEL");
	FILE *file = path ? fopen(path, "rb") : NULL;
	uint8_t *bytes;
	size_t len, setup_size;

	if (!file)
		skip();
	bytes = malloc(64 << 20);
	len = fread(bytes, 1, 64 << 20, file);
	fclose(file);
	f->args.image = bytes;
	f->args.image_len = len;
	assert_int_equal(load(f), 0);
	assert_int_equal(f->boot.kind, VMM_IMAGE_BZIMAGE);
	setup_size = (bytes[0x1f1] + 1u) * 512;
	assert_memory_equal(f->ram.bytes + f->boot.entry, bytes + setup_size + 0x200, 0x100000);
	for (size_t cut = 0; cut < len - 0x1000; cut += len / 997) {
		f->args.image_len = cut;
		refused(f, cut ? VMM_EFORMAT : VMM_EINVAL);
	}
	free(bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(enters_at_64_bit_entry),
		TEST(boot_params_are_complete),
		TEST(without_cmdline_and_initrd),
		TEST(page_tables_map_4_gib),
		TEST(initrd_honours_initrd_addr_max),
		TEST(initrd_above_4_gib),
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

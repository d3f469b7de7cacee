// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Arguments, memory maps, flat binaries, probing, initrds. */
#include "fixture.h"

#include <string.h>

static void flat(struct fixture *f, uint32_t mode, uint64_t base, uint64_t entry)
{
	memset(f->kernel.bytes, 0xf4, 64);
	f->kernel.len = 64;
	f->args.kind = VMM_IMAGE_FLAT;
	f->args.cmdline = NULL;
	f->args.flat_mode = mode;
	f->args.flat_base = base;
	f->args.flat_entry = entry;
}

static void flat_in_every_mode(void **state)
{
	struct fixture *f = *state;

	flat(f, VMM_BOOT_REAL16, 0x7c00, 0x7c02);
	assert_int_equal(fixture_load(f), 0);
	assert_int_equal(f->boot.mode, VMM_BOOT_REAL16);
	assert_int_equal(f->boot.entry, 0x7c02);
	assert_int_equal(f->boot.area_count, 1);
	assert_memory_equal(f->ram.bytes + 0x7c00, f->kernel.bytes, 64);

	/* Where tables would go otherwise: they make room. */
	flat(f, VMM_BOOT_PROT32, 0x1000, 0x1000);
	assert_int_equal(fixture_load(f), 0);
	assert_int_equal(f->boot.gdt, 0x1040);
	assert_int_equal(f->boot.cr3, 0);

	flat(f, VMM_BOOT_LONG64, 0x200000, 0x200010);
	assert_int_equal(fixture_load(f), 0);
	assert_int_equal(f->boot.entry, 0x200010);
	assert_true(f->boot.cr3 != 0);
	fixture_areas_apart(f);
	fixture_writes_fail(f);
}

static void flat_arguments(void **state)
{
	struct fixture *f = *state;

	flat(f, 0, 0x7c00, 0x7c00);
	fixture_refused(f, VMM_EINVAL);
	flat(f, 4, 0x7c00, 0x7c00);
	fixture_refused(f, VMM_EINVAL);
	flat(f, VMM_BOOT_PROT32, 0x7c00, 0x7bff);
	fixture_refused(f, VMM_EINVAL);
	flat(f, VMM_BOOT_PROT32, 0x7c00, 0x7c40);
	fixture_refused(f, VMM_EINVAL);
	flat(f, VMM_BOOT_PROT32, UINT64_MAX - 10, UINT64_MAX);
	fixture_refused(f, VMM_ERANGE);
	flat(f, VMM_BOOT_REAL16, 0x100000, 0x100000);
	fixture_refused(f, VMM_ERANGE);
	flat(f, VMM_BOOT_PROT32, 0xa0000, 0xa0000);
	fixture_refused(f, VMM_ERANGE);
	flat(f, VMM_BOOT_PROT32, 0x9efff, 0x9efff);
	fixture_refused(f, VMM_ERANGE);
	flat(f, VMM_BOOT_PROT32, 0x7c00, 0x7c00);
	f->args.cmdline = "x";
	fixture_refused(f, VMM_ENOTSUP);
}

static void flat_entry_stays_below_4_gib(void **state)
{
	static const struct vmm_load_range map = {0, 0x140000000, VMM_LOAD_RAM, 0};
	struct fixture *f = *state;

	f->ram.target.ranges = &map;
	f->ram.target.range_count = 1;
	flat(f, VMM_BOOT_LONG64, 0xfffffff0, 0xffffffff);
	assert_int_equal(fixture_load(f), 0);
	flat(f, VMM_BOOT_LONG64, 0xfffffff0, 0x100000000);
	fixture_refused(f, VMM_ERANGE);
}

static void memory_maps(void **state)
{
	struct fixture *f = *state;
	struct vmm_load_range ranges[VMM_LOAD_RANGES_MAX + 1];

	f->ram.target.ranges = ranges;
	flat(f, VMM_BOOT_PROT32, 0x10000, 0x10000);
	f->ram.target.range_count = 0;
	fixture_refused(f, VMM_EINVAL);
	f->ram.target.range_count = 2;
	ranges[0] = (struct vmm_load_range){0, 0x10010, VMM_LOAD_RAM, 0};
	ranges[1] = (struct vmm_load_range){0x1000f, 0x10000, VMM_LOAD_RAM, 0};
	fixture_refused(f, VMM_EINVAL);
	ranges[1].base = 0x10011;
	fixture_refused(f, VMM_ERANGE);
	/* Ranges that touch hold an image that spans them. */
	ranges[1].base = 0x10010;
	assert_int_equal(fixture_load(f), 0);
	ranges[1].type = VMM_LOAD_RESERVED;
	fixture_refused(f, VMM_ERANGE);
	ranges[1].size = 0;
	fixture_refused(f, VMM_EINVAL);
	ranges[1].size = UINT64_MAX;
	fixture_refused(f, VMM_EINVAL);
	ranges[1].base = UINT64_MAX;
	ranges[1].size = 1;
	fixture_refused(f, VMM_EINVAL);

	for (uint32_t i = 0; i <= VMM_LOAD_RANGES_MAX; i++)
		ranges[i] = (struct vmm_load_range){i * 0x2000, 0x1000, VMM_LOAD_RAM, 0};
	f->ram.target.range_count = VMM_LOAD_RANGES_MAX;
	assert_int_equal(fixture_load(f), 0);
	f->ram.target.range_count++;
	fixture_refused(f, VMM_ELIMIT);
}

static void without_low_memory(void **state)
{
	static const struct vmm_load_range map[] = {{0x100000, 0x4000000, VMM_LOAD_RAM, 0}};
	struct fixture *f = *state;

	f->ram.target.ranges = map;
	f->ram.target.range_count = 1;
	image_bzimage(&f->kernel);
	assert_int_equal(fixture_load(f), 0);
	fixture_areas_apart(f);
}

/* From a machine that is too small up: each refusal names what there is no room for. */
static void every_amount_of_memory(void **state)
{
	struct vmm_load_range map[] = {{0, 0, VMM_LOAD_RAM, 0}};
	struct fixture *f = *state;
	uint32_t loaded = 0;

	f->ram.target.ranges = map;
	f->ram.target.range_count = 1;
	image_elf(&f->kernel, true, ELF_WITH_PVH);
	f->args.module_count = 2;
	for (map[0].size = 0x1000; map[0].size < 0x400000; map[0].size += 0x1000) {
		if (loaded || map[0].size >= 0x305000) {
			assert_int_equal(fixture_load(f), 0);
			fixture_areas_apart(f);
			loaded++;
		} else {
			fixture_refused(f, VMM_ERANGE);
		}
	}
	assert_true(loaded > 0);
}

static void zeros_without_zero_function(void **state)
{
	struct fixture *f = *state;

	guest_ram_dirty(&f->ram);
	f->ram.target.zero = NULL;
	image_elf(&f->kernel, false, ELF_WITH_PVH);
	assert_int_equal(fixture_load(f), 0);
	for (uint32_t i = ELF_DATA_SIZE; i < ELF_DATA_MEM; i++)
		assert_int_equal(f->ram.bytes[ELF_DATA_PADDR + i], 0);
	assert_int_equal(f->ram.bytes[ELF_DATA_PADDR + ELF_DATA_MEM], 0xa5);
}

/* Structures of older callers are shorter, those of newer ones are zero at their end. */
static void structure_sizes(void **state)
{
	struct fixture *f = *state;
	struct {
		struct vmm_load_args args;
		uint64_t more;
	} newer;

	flat(f, VMM_BOOT_PROT32, 0x10000, 0x10000);
	f->args.size = 4;
	fixture_refused(f, VMM_EINVAL);
	f->args.size = sizeof(f->args);
	f->ram.target.size = 0;
	fixture_refused(f, VMM_EINVAL);
	f->ram.target.size = offsetof(struct vmm_load_target, zero);
	assert_int_equal(fixture_load(f), 0);
	f->boot.size = 0;
	assert_int_equal(fixture_load(f), -VMM_EINVAL);
	f->boot.size = offsetof(struct vmm_boot, areas);
	f->boot.areas[0].size = 42;
	assert_int_equal(fixture_load(f), 0);
	assert_int_equal(f->boot.entry, 0x10000);
	assert_int_equal(f->boot.areas[0].size, 42);
	f->error.size = offsetof(struct vmm_error, text);
	f->args.flat_mode = 0;
	assert_int_equal(fixture_load(f), -VMM_EINVAL);
	assert_int_equal(f->error.code, -VMM_EINVAL);
	assert_string_equal(f->error.text, "");
	f->error.size = sizeof(f->error);

	flat(f, VMM_BOOT_PROT32, 0x10000, 0x10000);
	assert_int_equal(fixture_load(f), 0);
	newer.args = f->args;
	newer.args.size = sizeof(newer);
	newer.more = 0;
	assert_int_equal(vmm_image_load(&f->ram.target, &newer.args, &f->boot, NULL), 0);
	newer.more = 1;
	assert_int_equal(vmm_image_load(&f->ram.target, &newer.args, &f->boot, NULL), -VMM_EINVAL);
	assert_int_equal(vmm_image_load(NULL, &f->args, &f->boot, NULL), -VMM_EINVAL);
	assert_int_equal(vmm_image_load(&f->ram.target, NULL, &f->boot, NULL), -VMM_EINVAL);
	assert_int_equal(vmm_image_load(&f->ram.target, &f->args, NULL, NULL), -VMM_EINVAL);
}

static void refuses_what_it_does_not_know(void **state)
{
	struct fixture *f = *state;

	memcpy(f->kernel.bytes, "\x1f\x8b\x08", 3);
	f->kernel.len = 100;
	assert_int_equal(vmm_image_probe(f->kernel.bytes, 100), VMM_IMAGE_GZIP);
	fixture_refused(f, VMM_ENOTSUP);
	f->kernel.bytes[0] = 0;
	assert_int_equal(vmm_image_probe(f->kernel.bytes, 100), VMM_IMAGE_UNKNOWN);
	fixture_refused(f, VMM_EFORMAT);
	f->args.kind = 99;
	fixture_refused(f, VMM_EINVAL);
	assert_int_equal(vmm_image_probe(NULL, 0), VMM_IMAGE_UNKNOWN);
	assert_string_equal(vmm_image_kind_name(VMM_IMAGE_PVH), "PVH");
	assert_string_equal(vmm_image_kind_name(VMM_IMAGE_FLAT), "flat binary");
	assert_string_equal(vmm_image_kind_name(UINT32_MAX), "unknown");
}

static int check_initrd(struct fixture *f)
{
	f->error.text[0] = '\0';
	return vmm_initrd_check(f->initrd.bytes, f->initrd.len, &f->error);
}

static void initrds(void **state)
{
	struct fixture *f = *state;
	const size_t len = f->initrd.len;

	assert_int_equal(check_initrd(f), 0);
	/* A packed archive after the others. */
	memcpy(f->initrd.bytes + len, "\x28\xb5\x2f\xfd", 4);
	f->initrd.len += 4;
	assert_int_equal(check_initrd(f), 0);
	f->initrd.bytes[len] = 'x';
	assert_int_equal(check_initrd(f), -VMM_EFORMAT);
	/* The first member's name size, then its size. */
	f->initrd.len = len;
	memset(f->initrd.bytes + 6 + 8 * 11, 'f', 8);
	assert_int_equal(check_initrd(f), -VMM_EFORMAT);
	image_initrd(&f->initrd);
	memset(f->initrd.bytes + 6 + 8 * 6, 'F', 8);
	assert_int_equal(check_initrd(f), -VMM_EFORMAT);
	image_initrd(&f->initrd);
	/* The last member of all gets contents. */
	memset(f->initrd.bytes + len - 124 + 6 + 8 * 6, '1', 8);
	assert_int_equal(check_initrd(f), -VMM_EFORMAT);
	image_initrd(&f->initrd);
	f->initrd.bytes[20] = 'g';
	assert_int_equal(check_initrd(f), -VMM_EFORMAT);
	assert_string_not_equal(f->error.text, "");
	assert_int_equal(vmm_initrd_check(NULL, 0, NULL), -VMM_EFORMAT);
}

static void every_cut_of_an_initrd(void **state)
{
	struct fixture *f = *state;
	const size_t len = f->initrd.len;
	unsigned int good = 0;

	for (f->initrd.len = 0; f->initrd.len < len; f->initrd.len++) {
		if (check_initrd(f) == 0) {
			/* Between its two archives there is nothing to miss. */
			assert_true(f->initrd.len > 300 && f->initrd.len <= 512);
			good++;
		} else {
			assert_string_not_equal(f->error.text, "");
		}
	}
	assert_true(good > 0 && good < 256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(flat_in_every_mode),
		FIXTURE_TEST(flat_arguments),
		FIXTURE_TEST(flat_entry_stays_below_4_gib),
		FIXTURE_TEST(memory_maps),
		FIXTURE_TEST(without_low_memory),
		FIXTURE_TEST(every_amount_of_memory),
		FIXTURE_TEST(zeros_without_zero_function),
		FIXTURE_TEST(structure_sizes),
		FIXTURE_TEST(refuses_what_it_does_not_know),
		FIXTURE_TEST(initrds),
		FIXTURE_TEST(every_cut_of_an_initrd),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

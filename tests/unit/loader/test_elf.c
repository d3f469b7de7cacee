// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The ELF reader, and what the PVH loader makes of an ELF. */
#include "fixture.h"

#include <string.h>

#include "elf_reader.h"

/* Offsets of a program header's fields, by class: [0] ELF32, [1] ELF64. */
static const size_t ph_offset[] = {4, 8}, ph_vaddr[] = {8, 16}, ph_paddr[] = {12, 24},
		    ph_filesz[] = {16, 32}, ph_memsz[] = {20, 40};

enum { TEXT, NOTE, DATA };

static void put_word(struct image *image, bool is64, size_t at, uint64_t value)
{
	if (is64)
		image_put64(image, at, value);
	else
		image_put32(image, at, (uint32_t)value);
}

static size_t field(bool is64, unsigned int segment, const size_t *offsets)
{
	return image_elf_phdr(is64, segment) + offsets[is64];
}

static void reads_both_classes(void **state)
{
	struct fixture *f = *state;

	for (int is64 = 0; is64 < 2; is64++) {
		struct vmm__elf elf;
		struct vmm__elf_segment s;
		uint64_t entry;

		image_elf(&f->kernel, is64, ELF_WITH_PVH);
		assert_null(vmm__elf_open(&elf, f->kernel.bytes, f->kernel.len));
		assert_int_equal(elf.is64, is64);
		assert_int_equal(elf.machine, is64 ? ELF_MACHINE_X86_64 : ELF_MACHINE_386);
		assert_int_equal(elf.segment_count, 4);
		assert_int_equal(elf.entry, ELF_ENTRY + ELF_VADDR);
		assert_true(vmm__elf_entry_paddr(&elf, &entry));
		assert_int_equal(entry, ELF_ENTRY);
		vmm__elf_segment_get(&elf, DATA, &s);
		assert_int_equal(s.type, ELF_SEGMENT_LOAD);
		assert_int_equal(s.flags, 6);
		assert_int_equal(s.offset, ELF_DATA_OFFSET);
		assert_int_equal(s.paddr, ELF_DATA_PADDR);
		assert_int_equal(s.vaddr, ELF_DATA_PADDR + ELF_VADDR);
		assert_int_equal(s.file_size, ELF_DATA_SIZE);
		assert_int_equal(s.mem_size, ELF_DATA_MEM);
		assert_int_equal(s.align, 0x1000);
		assert_true(vmm__elf_holds_paddr(&elf, ELF_DATA_PADDR + ELF_DATA_MEM - 1));
		assert_false(vmm__elf_holds_paddr(&elf, ELF_DATA_PADDR + ELF_DATA_MEM));
	}
}

static void finds_notes_by_name_and_type(void **state)
{
	struct fixture *f = *state;
	struct vmm__elf elf;
	struct vmm__elf_note note;

	image_elf(&f->kernel, true, ELF_WITH_PVH);
	assert_null(vmm__elf_open(&elf, f->kernel.bytes, f->kernel.len));
	assert_null(vmm__elf_note_find(&elf, "GNU", 18, &note));
	assert_int_equal(note.desc_size, 5);
	assert_memory_equal(note.desc, "hello", 5);
	assert_null(vmm__elf_note_find(&elf, "Xen", 18, &note));
	assert_int_equal(note.desc_size, 8);
	assert_null(vmm__elf_note_find(&elf, "Xen", 17, &note));
	assert_null(note.desc);
	assert_null(vmm__elf_note_find(&elf, "Xe", 18, &note));
	assert_null(note.desc);
	assert_null(vmm__elf_note_find(&elf, "XenX", 18, &note));
	assert_null(note.desc);
}

static void notes_padded_to_8(void **state)
{
	struct fixture *f = *state;
	struct vmm__elf elf;
	struct vmm__elf_note note;

	image_elf(&f->kernel, true, ELF_WITH_PVH);
	/* The first note, of 17 bytes, now ends at 24; its name starts at 12, its rest at 16. */
	image_put64(&f->kernel, image_elf_phdr(true, NOTE) + 48, 8);
	assert_null(vmm__elf_open(&elf, f->kernel.bytes, f->kernel.len));
	assert_null(vmm__elf_note_find(&elf, "Xen", 18, &note));
	assert_non_null(note.desc);
	assert_int_equal(note.desc - f->kernel.bytes, ELF_NOTE_OFFSET + 24 + 16);
}

static void pvh_enters_at_its_note(void **state)
{
	struct fixture *f = *state;

	for (int is64 = 0; is64 < 2; is64++) {
		image_elf(&f->kernel, is64, ELF_WITH_PVH | ELF_WITH_MB);
		assert_int_equal(vmm_image_probe(f->kernel.bytes, f->kernel.len), VMM_IMAGE_PVH);
		guest_ram_dirty(&f->ram);
		assert_int_equal(fixture_load(f), 0);
		assert_int_equal(f->boot.kind, VMM_IMAGE_PVH);
		assert_int_equal(f->boot.mode, VMM_BOOT_PROT32);
		assert_int_equal(f->boot.entry, ELF_PVH_ENTRY);
		assert_int_equal(f->boot.cr3, 0);
		assert_int_equal(guest_ram64(&f->ram, f->boot.gdt + 0x10), 0x00cf9b000000ffff);
		assert_memory_equal(f->ram.bytes + ELF_TEXT_PADDR,
				    f->kernel.bytes + ELF_TEXT_OFFSET, ELF_TEXT_SIZE);
		assert_memory_equal(f->ram.bytes + ELF_DATA_PADDR,
				    f->kernel.bytes + ELF_DATA_OFFSET, ELF_DATA_SIZE);
		for (uint32_t i = ELF_DATA_SIZE; i < ELF_DATA_MEM; i++)
			assert_int_equal(f->ram.bytes[ELF_DATA_PADDR + i], 0);
		assert_int_equal(f->ram.bytes[ELF_DATA_PADDR + ELF_DATA_MEM], 0xa5);
		fixture_areas_apart(f);
	}
}

static void start_info_is_complete(void **state)
{
	struct fixture *f = *state;
	uint64_t info, list, map, base;

	image_elf(&f->kernel, true, ELF_WITH_PVH);
	f->args.module_count = 2;
	f->ram.target.rsdp = 0xe0010;
	guest_ram_dirty(&f->ram);
	assert_int_equal(fixture_load(f), 0);
	info = f->boot.rbx;
	assert_int_equal(info, fixture_area(f, VMM_BOOT_AREA_INFO, 0)->base);
	assert_int_equal(guest_ram32(&f->ram, info), 0x336ec578);
	assert_int_equal(guest_ram32(&f->ram, info + 4), 1);
	assert_int_equal(guest_ram32(&f->ram, info + 8), 0);
	assert_int_equal(guest_ram32(&f->ram, info + 12), 2);
	list = guest_ram64(&f->ram, info + 16);
	assert_string_equal((char *)f->ram.bytes + guest_ram64(&f->ram, info + 24),
			    f->args.cmdline);
	assert_int_equal(guest_ram64(&f->ram, info + 32), 0xe0010);
	map = guest_ram64(&f->ram, info + 40);
	assert_int_equal(guest_ram32(&f->ram, info + 48), 3);
	assert_int_equal(guest_ram32(&f->ram, info + 52), 0);

	for (uint32_t i = 0; i < 3; i++, map += 24) {
		assert_int_equal(guest_ram64(&f->ram, map), f->ram.target.ranges[i].base);
		assert_int_equal(guest_ram64(&f->ram, map + 8), f->ram.target.ranges[i].size);
		assert_int_equal(guest_ram32(&f->ram, map + 16), f->ram.target.ranges[i].type);
		assert_int_equal(guest_ram32(&f->ram, map + 20), 0);
	}
	for (uint32_t i = 0; i < 2; i++, list += 32) {
		base = guest_ram64(&f->ram, list);
		assert_int_equal(base, fixture_area(f, VMM_BOOT_AREA_MODULE, i)->base);
		assert_int_equal(guest_ram64(&f->ram, list + 8), f->modules[i].len);
		assert_memory_equal(f->ram.bytes + base, f->modules[i].data, f->modules[i].len);
		assert_int_equal(guest_ram64(&f->ram, list + 24), 0);
	}
	assert_int_equal(guest_ram64(&f->ram, list - 64 + 16), 0);
	assert_string_equal((char *)f->ram.bytes + guest_ram64(&f->ram, list - 32 + 16),
			    "second module");
}

static void every_cut_is_refused(void **state)
{
	struct fixture *f = *state;

	for (int is64 = 0; is64 < 2; is64++) {
		image_elf(&f->kernel, is64, ELF_WITH_PVH);
		fixture_cuts_refused(f);
	}
}

static void each_failing_write_is_reported(void **state)
{
	struct fixture *f = *state;

	image_elf(&f->kernel, true, ELF_WITH_PVH);
	f->args.module_count = 2;
	fixture_writes_fail(f);
}

/* One word of the image changed at a time. */
static void names_what_is_wrong(void **state)
{
	struct fixture *f = *state;
	const uint64_t far[] = {0xffffff00, UINT64_MAX - 0xff};

	for (int is64 = 0; is64 < 2; is64++) {
		const struct {
			size_t at;
			uint64_t value;
			int code;
		} cases[] = {
			{field(is64, TEXT, ph_offset), ELF_NOTE_OFFSET, VMM_EFORMAT},
			{field(is64, TEXT, ph_offset), far[is64], VMM_EFORMAT},
			{field(is64, TEXT, ph_filesz), ELF_TEXT_SIZE + 1, VMM_EFORMAT},
			{field(is64, TEXT, ph_filesz), far[is64], VMM_EFORMAT},
			{field(is64, TEXT, ph_paddr), far[is64], VMM_EFORMAT},
			{field(is64, TEXT, ph_vaddr), far[is64], VMM_EFORMAT},
			{field(is64, TEXT, ph_paddr), ELF_DATA_PADDR, VMM_EFORMAT},
			{field(is64, DATA, ph_paddr), ELF_TEXT_PADDR - ELF_DATA_MEM + 1,
			 VMM_EFORMAT},
			{field(is64, DATA, ph_paddr), 0x9e000, VMM_ERANGE},
			{field(is64, DATA, ph_paddr), 0xa0000, VMM_ERANGE},
			{field(is64, DATA, ph_memsz), 0x30000000, VMM_ERANGE},
			{field(is64, DATA, ph_memsz), far[is64], VMM_EFORMAT},
			{field(is64, NOTE, ph_offset), far[is64], VMM_EFORMAT},
			{field(is64, NOTE, ph_filesz), far[is64], VMM_EFORMAT},
			{ELF_NOTE_OFFSET + 24 + 16, ELF_TEXT_PADDR - 1, VMM_EFORMAT},
			{is64 ? 32 : 28, far[is64], VMM_EFORMAT}, /* e_phoff */
		};

		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			image_elf(&f->kernel, is64, ELF_WITH_PVH);
			put_word(&f->kernel, is64, cases[i].at, cases[i].value);
			fixture_refused(f, cases[i].code);
		}
	}
}

/* By the reader itself: what uses it would trip over something else. */
static void reader_refuses_segments_that_wrap(void **state)
{
	const uint64_t far[] = {0xffffff00, UINT64_MAX - 0xff};
	struct fixture *f = *state;
	struct vmm__elf elf;

	for (int is64 = 0; is64 < 2; is64++) {
		image_elf(&f->kernel, is64, 0);
		put_word(&f->kernel, is64, field(is64, DATA, ph_paddr), far[is64]);
		assert_non_null(vmm__elf_open(&elf, f->kernel.bytes, f->kernel.len));
		image_elf(&f->kernel, is64, 0);
		put_word(&f->kernel, is64, field(is64, DATA, ph_vaddr), far[is64]);
		assert_non_null(vmm__elf_open(&elf, f->kernel.bytes, f->kernel.len));
	}
}

/* One byte of the ELF header changed at a time. */
static void refuses_foreign_elfs(void **state)
{
	const struct {
		size_t at;
		uint8_t value;
		int code;
	} cases[] = {
		{4, 3, VMM_EFORMAT},   /* class */
		{5, 2, VMM_EFORMAT},   /* big-endian */
		{6, 0, VMM_EFORMAT},   /* version */
		{20, 2, VMM_EFORMAT},  /* version */
		{16, 1, VMM_EFORMAT},  /* relocatable */
		{16, 4, VMM_EFORMAT},  /* core */
		{18, 40, VMM_ENOTSUP}, /* Arm */
		{54, 55, VMM_EFORMAT}, /* e_phentsize */
		{56, 0, VMM_EFORMAT},  /* e_phnum */
		{57, 2, VMM_EFORMAT},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		image_elf(&f->kernel, true, ELF_WITH_PVH);
		f->kernel.bytes[cases[i].at] = cases[i].value;
		fixture_refused(f, cases[i].code);
	}
	image_elf(&f->kernel, true, ELF_WITH_PVH);
	image_put16(&f->kernel, 56, 0xffff);
	fixture_refused(f, VMM_EFORMAT);
	image_elf(&f->kernel, true, 0);
	fixture_refused(f, VMM_ENOTSUP);
	assert_int_equal(vmm_image_probe(f->kernel.bytes, f->kernel.len), VMM_IMAGE_ELF);
	f->args.kind = VMM_IMAGE_PVH;
	fixture_refused(f, VMM_EFORMAT);
	/* Two sections of 64 bytes, the second one past the end. */
	image_elf(&f->kernel, true, ELF_WITH_PVH);
	image_put64(&f->kernel, 40, f->kernel.len - 127);
	image_put16(&f->kernel, 58, 64);
	image_put16(&f->kernel, 60, 2);
	fixture_refused(f, VMM_EFORMAT);
}

static void bad_notes(void **state)
{
	const struct {
		size_t at;
		uint32_t value;
	} cases[] = {
		{0, 0xffffffff},               /* name size of the first note */
		{4, 0xffffffff},               /* descriptor size */
		{4, 0x7fffffff}, {24 + 4, 16}, /* the entry's size passes the segment's end */
		{24 + 4, 2},                   /* is neither a 32-bit nor a 64-bit number */
		{24 + 20, 1},                  /* the entry's upper half */
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		image_elf(&f->kernel, true, ELF_WITH_PVH);
		image_put32(&f->kernel, ELF_NOTE_OFFSET + cases[i].at, cases[i].value);
		f->args.kind = VMM_IMAGE_PVH;
		fixture_refused(f, VMM_EFORMAT);
	}
}

/* The name with its NUL is the whole name; the descriptor lies within the segment. */
static void notes_that_almost_fit(void **state)
{
	struct fixture *f = *state;
	struct vmm__elf elf;
	struct vmm__elf_note note;

	image_elf(&f->kernel, true, ELF_WITH_PVH);
	image_put32(&f->kernel, ELF_NOTE_OFFSET + 24, 8);
	image_put32(&f->kernel, ELF_NOTE_OFFSET + 28, 4);
	assert_null(vmm__elf_open(&elf, f->kernel.bytes, f->kernel.len));
	assert_null(vmm__elf_note_find(&elf, "Xen", 18, &note));
	assert_null(note.desc);

	image_elf(&f->kernel, true, ELF_WITH_PVH);
	f->kernel.len -= 4;
	image_put64(&f->kernel, field(true, NOTE, ph_filesz), 24 + 16 + 4);
	assert_null(vmm__elf_open(&elf, f->kernel.bytes, f->kernel.len));
	assert_non_null(vmm__elf_note_find(&elf, "Xen", 18, &note));
	assert_null(note.desc);
}

/* There may be 65,534 segments: each of them as long as the file would be looked through. */
static void notes_do_not_overlap(void **state)
{
	struct fixture *f = *state;
	const size_t from = 0x2000, len = 0x4000;
	struct vmm__elf elf;
	struct vmm__elf_note note;

	image_elf(&f->kernel, true, ELF_WITH_PVH);
	assert_true(f->kernel.len <= from && from + len <= sizeof(f->kernel.bytes));
	memset(f->kernel.bytes + f->kernel.len, 0, from + len - f->kernel.len);
	f->kernel.len = from + len;
	for (unsigned int i = NOTE; i <= DATA; i++) {
		image_put32(&f->kernel, image_elf_phdr(true, i), ELF_SEGMENT_NOTE);
		image_put64(&f->kernel, field(true, i, ph_offset), from);
		image_put64(&f->kernel, field(true, i, ph_filesz), len);
	}
	assert_null(vmm__elf_open(&elf, f->kernel.bytes, f->kernel.len));
	assert_non_null(vmm__elf_note_find(&elf, "Xen", 18, &note));
	image_put64(&f->kernel, field(true, DATA, ph_filesz), from);
	assert_null(vmm__elf_note_find(&elf, "Xen", 18, &note));
}

static void segments_stay_below_4_gib(void **state)
{
	static const struct vmm_load_range map = {0, 0x140000000, VMM_LOAD_RAM, 0};
	struct fixture *f = *state;

	f->ram.target.ranges = &map;
	f->ram.target.range_count = 1;
	image_elf(&f->kernel, true, ELF_WITH_PVH);
	image_put64(&f->kernel, field(true, DATA, ph_paddr), 0x100000000 - ELF_DATA_MEM);
	assert_int_equal(fixture_load(f), 0);
	image_put64(&f->kernel, field(true, DATA, ph_paddr), 0x100000000 - ELF_DATA_MEM + 1);
	fixture_refused(f, VMM_ERANGE);
	image_put64(&f->kernel, field(true, DATA, ph_paddr), 0x100000000);
	fixture_refused(f, VMM_ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(reads_both_classes),
		FIXTURE_TEST(finds_notes_by_name_and_type),
		FIXTURE_TEST(notes_padded_to_8),
		FIXTURE_TEST(notes_do_not_overlap),
		FIXTURE_TEST(pvh_enters_at_its_note),
		FIXTURE_TEST(start_info_is_complete),
		FIXTURE_TEST(every_cut_is_refused),
		FIXTURE_TEST(each_failing_write_is_reported),
		FIXTURE_TEST(names_what_is_wrong),
		FIXTURE_TEST(reader_refuses_segments_that_wrap),
		FIXTURE_TEST(refuses_foreign_elfs),
		FIXTURE_TEST(bad_notes),
		FIXTURE_TEST(notes_that_almost_fit),
		FIXTURE_TEST(segments_stay_below_4_gib),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * What the boot loader told: memory map, modules, command line, ACPI's root.
 *
 * Runs while the first 4 GiB are mapped to themselves, and copies all it needs: nothing that was
 * told is looked at again but the modules.
 */
#include "bare_host.h"
#include "endian.h"
#include "mem.h"

#define MULTIBOOT2_MAGIC 0x36d76289u
#define PVH_MAGIC        0x336ec578u
#define LOW_END          UINT64_C(0x100000)
#define BASE_MEMORY_END  0xa0000
#define EARLY_END        (UINT64_C(1) << 32)
#define TEXT_MAX         4096
#define MAP_MAX          512
#define RAM              1

/* Multiboot 2, 3.6: types of tags. */
#define TAG_END      0
#define TAG_CMDLINE  1
#define TAG_MODULE   3
#define TAG_MEMORY   6
#define TAG_RSDP_OLD 14
#define TAG_RSDP     15

struct vmm_bare_boot vmm__bare_boot;
uint64_t vmm__bare_low_page;

static char text[TEXT_MAX];  /* of all command lines */
static size_t text_used = 1; /* the first is empty */
/* A copy of the RSDP that Multiboot has put into its information. */
static _Alignas(16) uint8_t rsdp_copy[36];

/* Bytes that can be read now; NULL for what cannot. */
static const uint8_t *early(uint64_t pa, uint64_t len)
{
	return pa != 0 && vmm__range_within(pa, len, EARLY_END) ? (const uint8_t *)(uintptr_t)pa
								: NULL;
}

/* What does not fit is cut. */
static const char *copy_text(const uint8_t *from, uint64_t room)
{
	char *to = text + text_used;

	if (from == NULL)
		return text;
	for (uint64_t i = 0; i < room && from[i] != 0 && text_used < TEXT_MAX - 1; i++)
		text[text_used++] = (char)from[i];
	if (text_used < TEXT_MAX - 1)
		text_used++;
	return to;
}

static void add_module(uint64_t base, uint64_t len, const char *cmdline)
{
	struct vmm_bare_boot *b = &vmm__bare_boot;

	if (b->module_count == VMM_BARE_MODULES_MAX || len == 0 || base > UINT64_MAX - len)
		return;
	b->modules[b->module_count++] = (struct vmm_bare_module){
		.data = (const void *)(uintptr_t)base, .len = len, .cmdline = cmdline};
}

/* Below 1 MiB it is left alone, but for the page that other CPUs are started in. */
static void add_memory(uint64_t base, uint64_t len, uint32_t type)
{
	const uint64_t end = base + len;

	if (type != RAM || base > UINT64_MAX - len)
		return;
	if (end > LOW_END)
		vmm__bare_phys_add(base < LOW_END ? LOW_END : base, end);
	else if (end <= BASE_MEMORY_END && end >= base + 2 * BARE_PAGE)
		vmm__bare_low_page = vmm__align_down(end, BARE_PAGE) - BARE_PAGE;
}

/* Xen: public/arch-x86/hvm/start_info.h. */
static bool read_pvh(uint32_t info)
{
	const uint8_t *s = early(info, 56);

	if (s == NULL || vmm__le32(s) != PVH_MAGIC || vmm__le32(s + 4) < 1)
		return false;
	const uint32_t modules = vmm__le32(s + 12), ranges = vmm__le32(s + 48);
	const uint8_t *m = early(vmm__le64(s + 16), (uint64_t)modules * 32);
	const uint8_t *r = early(vmm__le64(s + 40), (uint64_t)ranges * 24);
	const uint64_t line = vmm__le64(s + 24);

	vmm__bare_boot.cmdline = copy_text(early(line, 1), EARLY_END - line);
	vmm__bare_boot.rsdp = vmm__le64(s + 32);
	for (uint32_t i = 0; r != NULL && i < ranges && i < MAP_MAX; i++, r += 24)
		add_memory(vmm__le64(r), vmm__le64(r + 8), vmm__le32(r + 16));
	for (uint32_t i = 0; m != NULL && i < modules; i++, m += 32) {
		const uint64_t words = vmm__le64(m + 16);

		add_module(vmm__le64(m), vmm__le64(m + 8),
			   copy_text(early(words, 1), EARLY_END - words));
	}
	return true;
}

static void read_memory_tag(const uint8_t *tag, uint32_t size)
{
	const uint32_t step = size >= 16 ? vmm__le32(tag + 8) : 0;

	if (step < 24)
		return;
	for (uint32_t at = 16; at <= size - step && size >= step; at += step)
		add_memory(vmm__le64(tag + at), vmm__le64(tag + at + 8), vmm__le32(tag + at + 16));
}

static void read_tag(const uint8_t *tag, uint32_t size)
{
	switch (vmm__le32(tag)) {
	case TAG_CMDLINE:
		vmm__bare_boot.cmdline = copy_text(tag + 8, size - 8);
		break;
	case TAG_MODULE:
		if (size >= 16 && vmm__le32(tag + 12) > vmm__le32(tag + 8))
			add_module(vmm__le32(tag + 8), vmm__le32(tag + 12) - vmm__le32(tag + 8),
				   copy_text(tag + 16, size - 16));
		break;
	case TAG_MEMORY:
		read_memory_tag(tag, size);
		break;
	case TAG_RSDP_OLD:
	case TAG_RSDP:
		memcpy(rsdp_copy, tag + 8,
		       size - 8 < sizeof(rsdp_copy) ? size - 8 : sizeof(rsdp_copy));
		vmm__bare_boot.rsdp = bare_address(rsdp_copy);
		break;
	default:
		break;
	}
}

static bool read_multiboot(uint32_t info)
{
	const uint8_t *s = early(info, 8);
	const uint32_t total = s != NULL ? vmm__le32(s) : 0;

	if (early(info, total) == NULL)
		return false;
	for (uint64_t at = 8; at + 8 <= total;) {
		const uint32_t size = vmm__le32(s + at + 4);

		if (vmm__le32(s + at) == TAG_END || size < 8 || size > total - at)
			break;
		read_tag(s + at, size);
		at = vmm__align_up(at + size, 8);
	}
	return true;
}

bool vmm__bare_boot_read(uint32_t magic, uint32_t info)
{
	struct vmm_bare_boot *b = &vmm__bare_boot;

	b->cmdline = text;
	if (!(magic == MULTIBOOT2_MAGIC ? read_multiboot(info) : read_pvh(info)))
		return false;
	vmm__bare_phys_reserve(vmm__align_down(bare_address(vmm__bare_text), BARE_LARGE),
			       bare_address(vmm__bare_end));
	for (uint32_t i = 0; i < b->module_count; i++) {
		const uint64_t base = bare_address(b->modules[i].data);

		vmm__bare_phys_reserve(vmm__align_down(base, BARE_PAGE),
				       vmm__align_up(base + b->modules[i].len, BARE_PAGE));
	}
	return true;
}

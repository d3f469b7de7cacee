// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * What a boot loader tells the bare host by Multiboot 2. The bytes lie at an address that is both
 * virtual and physical, at the end of what can be read. (PVH's lead to others, by address.)
 */
#include <string.h>
#include <sys/mman.h>

#include "bare_host.h"
#include "fuzz.h"

#define MAGIC 0x36d76289u
#define PLACE UINT64_C(0x10000000)
#define ROOM  UINT64_C(0x10000)

char vmm__bare_text[1], vmm__bare_rodata[1], vmm__bare_data[1], vmm__bare_end[1];

static uint64_t added, reserved;

void vmm__bare_phys_add(uint64_t base, uint64_t end)
{
	FUZZ_CHECK(base >= 0x100000 && base <= end);
	added++;
}

void vmm__bare_phys_reserve(uint64_t base, uint64_t end)
{
	(void)base;
	(void)end;
	reserved++;
}

static uint8_t *place(void)
{
	static uint8_t *at;

	if (at == NULL) {
		at = mmap((void *)(uintptr_t)PLACE, ROOM, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		FUZZ_CHECK(at == (void *)(uintptr_t)PLACE);
	}
	return at;
}

static bool read_info(const uint8_t *data, size_t len)
{
	const uint64_t at = (PLACE + ROOM - len) & ~UINT64_C(7);

	memset(place(), 0, ROOM);
	memcpy((void *)(uintptr_t)at, data, len);
	if (len >= 4) { /* told to be as long as it is */
		const uint32_t total = (uint32_t)len;

		memcpy((void *)(uintptr_t)at, &total, 4);
	}
	memset(&vmm__bare_boot, 0, sizeof(vmm__bare_boot));
	return vmm__bare_boot_read(MAGIC, (uint32_t)at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct vmm_bare_boot *b = &vmm__bare_boot;

	if (len < 8 || len > ROOM || !read_info(data, len))
		return 0;
	FUZZ_CHECK(b->cmdline != NULL && strlen(b->cmdline) < 4096);
	FUZZ_CHECK(b->module_count <= VMM_BARE_MODULES_MAX);
	for (uint32_t i = 0; i < b->module_count; i++)
		FUZZ_CHECK(b->modules[i].len != 0 && strlen(b->modules[i].cmdline) < 4096);
	return 0;
}

static size_t tag(uint8_t *to, uint32_t type, const void *body, uint32_t len)
{
	const uint32_t head[2] = {type, len + 8};

	memcpy(to, head, 8);
	memcpy(to + 8, body, len);
	return (8 + len + 7) & ~(size_t)7;
}

size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	static const uint32_t map[] = {24, 0,        0, 0,          0x9fc00, 0, 1,
				       0,  0x100000, 0, 0x1ff00000, 0,       1, 0};
	static const uint32_t module[] = {0x800000, 0x900000, 0x656d616e, 0x6e692000, 0};
	size_t at = 8;

	if (index > 0)
		return 0;
	at += tag(buf + at, 1, "image with words", 17);
	at += tag(buf + at, 6, map, sizeof(map));
	at += tag(buf + at, 3, module, sizeof(module));
	at += tag(buf + at, 14, "RSD PTR 123456789012", 20);
	at += tag(buf + at, 0, "", 0);
	added = 0;
	FUZZ_CHECK(read_info(buf, at));
	FUZZ_CHECK(strcmp(vmm__bare_boot.cmdline, "image with words") == 0);
	FUZZ_CHECK(vmm__bare_boot.module_count == 1 && added == 1);
	FUZZ_CHECK(vmm__bare_boot.modules[0].len == 0x100000);
	FUZZ_CHECK(strcmp(vmm__bare_boot.modules[0].cmdline, "name") == 0);
	FUZZ_CHECK(vmm__bare_boot.rsdp != 0 && vmm__bare_low_page == 0x9e000);
	return at;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "load_check.h"

#include "fuzz.h"
#include "guest_ram.h"

/* 16 MiB of RAM in two parts, so that a kernel for 16 MiB must move, and a hole; 1 GiB above. */
static const struct vmm_load_range map[] = {
	{0, 0x9f000, VMM_LOAD_RAM, 0},
	{0x9f000, 0x61000, VMM_LOAD_RESERVED, 0},
	{0x100000, 0x700000, VMM_LOAD_RAM, 0},
	{0x800000, 0x800000, VMM_LOAD_RAM, 0},
	{0x1000000, 0x1000, VMM_LOAD_ACPI, 0},
	{0x1001000, 0x1000000, VMM_LOAD_RAM, 0},
	{0x100000000, 0x40000000, VMM_LOAD_RAM, 0},
};

/* More than any image needs: it has at most 64 areas. */
#define WRITES_MAX 512u

struct guest {
	struct vmm_load_target target;
	const struct vmm_boot *boot;
	unsigned int writes;
	struct {
		uint64_t gpa;
		uint64_t len;
	} write[WRITES_MAX];
};

static int within_area(const struct vmm_boot *boot, uint64_t gpa, uint64_t len)
{
	for (uint32_t i = 0; i < boot->area_count; i++) {
		const struct vmm_boot_area *area = &boot->areas[i];

		if (gpa >= area->base && gpa - area->base <= area->size &&
		    len <= area->size - (gpa - area->base))
			return 1;
	}
	return 0;
}

static void note_write(struct guest *guest, uint64_t gpa, uint64_t len)
{
	FUZZ_CHECK(guest->writes < WRITES_MAX);
	FUZZ_CHECK(len > 0);
	FUZZ_CHECK(guest_ram_holds(&guest->target, gpa, len));
	guest->write[guest->writes].gpa = gpa;
	guest->write[guest->writes++].len = len;
}

/* Looks at the bytes, for a sanitizer to see where they come from. */
static int write(void *opaque, uint64_t gpa, const void *buf, size_t len)
{
	static volatile uint8_t sum;
	const uint8_t *bytes = buf;

	note_write(opaque, gpa, len);
	sum = (uint8_t)(sum + bytes[0] + bytes[len / 2] + bytes[len - 1]);
	return 0;
}

static int zero(void *opaque, uint64_t gpa, uint64_t len)
{
	note_write(opaque, gpa, len);
	return 0;
}

static void check_failure(const struct guest *guest, int code, const struct vmm_error *error)
{
	FUZZ_CHECK(code == -VMM_EFORMAT || code == -VMM_ENOTSUP || code == -VMM_ERANGE ||
		   code == -VMM_ELIMIT);
	FUZZ_CHECK(error->code == code);
	FUZZ_CHECK(error->text[0] != '\0');
	FUZZ_CHECK(guest->writes == 0);
}

static void check_success(const struct guest *guest)
{
	const struct vmm_boot *boot = guest->boot;
	const struct vmm_boot_area *areas = boot->areas;
	int entered = 0;

	FUZZ_CHECK(boot->area_count <= VMM_BOOT_AREAS_MAX);
	for (uint32_t i = 0; i < boot->area_count; i++) {
		FUZZ_CHECK(areas[i].size > 0);
		FUZZ_CHECK(guest_ram_holds(&guest->target, areas[i].base, areas[i].size));
		if (areas[i].what == VMM_BOOT_AREA_IMAGE && boot->entry >= areas[i].base &&
		    boot->entry - areas[i].base < areas[i].size)
			entered = 1;
		for (uint32_t j = 0; j < i; j++)
			FUZZ_CHECK(areas[i].base + areas[i].size <= areas[j].base ||
				   areas[j].base + areas[j].size <= areas[i].base);
	}
	for (unsigned int i = 0; i < guest->writes; i++)
		FUZZ_CHECK(within_area(boot, guest->write[i].gpa, guest->write[i].len));
	FUZZ_CHECK(entered);
	FUZZ_CHECK(boot->gdt != 0);
}

void load_check(const uint8_t *data, size_t len, uint32_t kind)
{
	static const char initrd[5000] = "070701";
	const struct vmm_load_module modules[] = {
		{initrd, sizeof(initrd), NULL},
		{initrd, 7, "second"},
	};
	struct vmm_boot boot = {.size = sizeof(boot)};
	struct guest guest = {
		.target =
			{
				.size = sizeof(guest.target),
				.range_count = sizeof(map) / sizeof(map[0]),
				.ranges = map,
				.opaque = &guest,
				.write = write,
				.zero = zero,
			},
		.boot = &boot,
	};
	const struct vmm_load_args args = {
		.size = sizeof(args),
		.kind = kind,
		.image = data,
		.image_len = len,
		.cmdline = "console=ttyS0",
		.modules = modules,
		.module_count = kind == VMM_IMAGE_BZIMAGE ? 1 : 2,
	};
	struct vmm_error error = {.size = sizeof(error)};
	int err;

	if (len == 0)
		return;
	vmm_image_probe(data, len);
	err = vmm_image_load(&guest.target, &args, &boot, &error);
	if (err)
		check_failure(&guest, err, &error);
	else
		check_success(&guest);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * What making tables costs: under callgrind a dump for each figure, named tables/WHAT/BYTES. The
 * default machine is measured with vUEFI and without it; the larger ones have 256 devices besides,
 * with a range of memory and an interrupt each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/callgrind.h>

#include "libvmm/acpi.h"
#include "libvmm/machine.h"
#include "libvmm/uefi.h"

#define DEVICES 256

/* What a set has besides ACPI's and SMBIOS's tables. */
#define WITH_DEVICES 1u
#define WITH_UEFI    2u

static uint8_t buffer[8 << 20];

static void check(int err, const char *what)
{
	if (err == 0)
		return;
	fprintf(stderr, "%s: %s\n", what, vmm_errname(err));
	exit(1);
}

static void add_device(struct vmm_aml *a, uint32_t i)
{
	const uint32_t gsi = 32 + i;
	char name[5];

	snprintf(name, sizeof(name), "D%03X", i);
	vmm_aml_device_begin(a, name);
	vmm_aml_name(a, "_HID");
	vmm_aml_string(a, "LNRO0005");
	vmm_aml_name(a, "_UID");
	vmm_aml_int(a, i);
	vmm_aml_name(a, "_CRS");
	vmm_aml_resources_begin(a);
	vmm_aml_res_memory32_fixed(a, 1, 0xd0000000 + i * 0x200, 0x200);
	vmm_aml_res_interrupt(a, VMM_AML_INT_CONSUMER | VMM_AML_INT_EDGE, &gsi, 1);
	vmm_aml_resources_finish(a);
	vmm_aml_device_finish(a);
}

/* A set of its own: what an embedder adds to a machine's. */
static size_t build_devices(void)
{
	static struct vmm_acpi b;
	static struct vmm_aml a;
	size_t len = 0;

	vmm_acpi_open(&b, buffer, sizeof(buffer), 0, NULL);
	vmm_acpi_aml_begin(&b, "SSDT", 2, &a);
	vmm_aml_scope_begin(&a, "\\_SB");
	for (uint32_t i = 0; i < DEVICES; i++)
		add_device(&a, i);
	vmm_aml_scope_finish(&a);
	vmm_acpi_aml_finish(&b, &a);
	check(vmm_acpi_close(&b, &len), "devices");
	return len;
}

static size_t build_machine(const struct vmm_profile *p)
{
	size_t tables = sizeof(buffer), smbios = sizeof(buffer);

	check(vmm_machine_plan_tables(p, buffer, &tables, NULL, NULL), "tables");
	check(vmm_machine_plan_smbios(p, buffer, &smbios, NULL), "SMBIOS");
	return tables + smbios;
}

/* System table, configuration tables and runtime code. */
static size_t build_uefi(void)
{
	static const uint8_t seed[32];
	struct vmm_uefi_image image = {.size = sizeof(image)};
	const struct vmm_uefi_image_config config = {
		.size = sizeof(config),
		.arch = VMM_UEFI_X86_64,
		.gpa = 0x1f000000,
		.doorbell = 0x630,
		.rsdp = 0xe0000,
		.smbios = 0x1f021000,
		.room = 0x1f000, /* as the machine has it */
		.seed = seed,
		.seed_len = sizeof(seed),
		.version = vmm_version(),
	};

	check(vmm_uefi_image_build(&config, buffer, sizeof(buffer), &image), "vUEFI");
	return (size_t)image.len;
}

static void measure(const char *what, const char *text, uint32_t with)
{
	void *storage = malloc(vmm_profile_size());
	struct vmm_profile *p = NULL;
	char name[128];
	size_t bytes;

	check(vmm_profile_init(storage, vmm_profile_size(), &p), "profile");
	check(vmm_profile_parse(p, text, strlen(text), NULL), text);
	CALLGRIND_ZERO_STATS;
	bytes = build_machine(p);
	if (with & WITH_DEVICES)
		bytes += build_devices();
	if (with & WITH_UEFI)
		bytes += build_uefi();
	snprintf(name, sizeof(name), "tables/%s/%zu", what, bytes);
	CALLGRIND_DUMP_STATS_AT(name);
	free(storage);
}

int main(void)
{
	measure("default machine", "", WITH_UEFI);
	measure("its ACPI and SMBIOS", "", 0);
	measure("64 CPUs", "[cpu]\ncores=64\n", WITH_DEVICES);
	measure("256 CPUs", "[cpu]\nsockets=4\ncores=64\n", WITH_DEVICES);
	measure("1024 CPUs", "[cpu]\nsockets=16\ncores=64\n", WITH_DEVICES);
	measure("1024 CPUs that can be plugged", "[cpu]\nsockets=16\ncores=64\nhotplug=yes\n",
		WITH_DEVICES);
	return 0;
}

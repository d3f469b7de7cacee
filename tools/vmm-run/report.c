// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libvmm/bus.h"
#include "libvmm/uefi.h"

struct tables {
	uint8_t *bytes;
	size_t len;
	struct vmm_machine_table list[VMM_MACHINE_TABLES_MAX];
	uint32_t count;
};

static bool failed(const char *what, int err)
{
	fprintf(stderr, "vmm-run: %s: %s\n", what, vmm_strerror(err));
	return false;
}

static bool check_profile(const struct options *options)
{
	struct vmm_profile_error error = {.size = sizeof(error)};

	if (vmm_profile_check(options->profile, &error) == 0)
		return true;
	fprintf(stderr, "vmm-run: profile: %s\n", error.text);
	return false;
}

/* tables->bytes is to be freed. */
static bool make_tables(const struct options *options, struct tables *tables)
{
	int err;

	*tables = (struct tables){0};
	if (!check_profile(options))
		return false;
	err = vmm_machine_plan_tables(options->profile, NULL, &tables->len, NULL, NULL);
	if (err == 0) {
		tables->bytes = malloc(tables->len);
		err = tables->bytes
			      ? vmm_machine_plan_tables(options->profile, tables->bytes,
							&tables->len, tables->list, &tables->count)
			      : -VMM_ENOMEM;
	}
	if (err == 0)
		return true;
	free(tables->bytes);
	return failed("tables", err);
}

static int write_nothing(void *opaque, uint64_t gpa, const void *buf, size_t len)
{
	(void)opaque;
	(void)gpa;
	(void)buf;
	(void)len;
	return 0;
}

static int zero_nothing(void *opaque, uint64_t gpa, uint64_t len)
{
	return write_nothing(opaque, gpa, NULL, len);
}

static const char *area_name(uint32_t what)
{
	static const char *const names[] = {
		[VMM_BOOT_AREA_IMAGE] = "kernel",      [VMM_BOOT_AREA_MODULE] = "initrd",
		[VMM_BOOT_AREA_CMDLINE] = "cmdline",   [VMM_BOOT_AREA_INFO] = "boot information",
		[VMM_BOOT_AREA_MEMMAP] = "memory map", [VMM_BOOT_AREA_MODLIST] = "module list",
		[VMM_BOOT_AREA_GDT] = "descriptors",   [VMM_BOOT_AREA_PAGING] = "page tables",
	};

	return names[what];
}

static void print_line(uint64_t base, uint64_t len, const char *name)
{
	printf("  0x%012" PRIx64 " 0x%012" PRIx64 "  %s\n", base, base + len - 1, name);
}

/* Where everything would be loaded to, by loading it nowhere. */
static bool print_places(const struct options *options, const struct files *files,
			 const struct vmm_machine_range *ranges, uint32_t count, uint64_t rsdp)
{
	struct vmm_load_range map[VMM_MACHINE_RANGES_MAX];
	struct vmm_load_target target = {
		.size = sizeof(target),
		.ranges = map,
		.rsdp = rsdp,
		.write = write_nothing,
		.zero = zero_nothing,
	};
	struct vmm_boot boot = {.size = sizeof(boot)};

	for (uint32_t i = 0; i < count; i++) {
		if (ranges[i].space == VMM_SPACE_MMIO && ranges[i].kind <= VMM_RANGE_NVS)
			map[target.range_count++] = (struct vmm_load_range){
				ranges[i].base, ranges[i].len, ranges[i].kind, ranges[i].uefi};
		if (ranges[i].uefi == VMM_UEFI_RUNTIME_CODE)
			target.uefi_system = ranges[i].base;
	}
	if (!files_load(files, options, &target, &boot))
		return false;
	printf("loaded: %s, entered at %#" PRIx64 "\n", vmm_image_kind_name(boot.kind), boot.entry);
	for (uint32_t i = 0; i < boot.area_count; i++)
		print_line(boot.areas[i].base, boot.areas[i].size, area_name(boot.areas[i].what));
	return true;
}

static void print_ranges(const struct vmm_machine_range *ranges, uint32_t count, uint32_t space,
			 const char *title)
{
	puts(title);
	for (uint32_t i = 0; i < count; i++) {
		if (ranges[i].space == space)
			print_line(ranges[i].base, ranges[i].len, ranges[i].name);
	}
}

bool report_plan(const struct options *options, const struct files *files)
{
	struct vmm_machine_range ranges[VMM_MACHINE_RANGES_MAX];
	uint32_t count = VMM_MACHINE_RANGES_MAX;
	struct tables tables;
	bool done = true;
	int err;

	if (!make_tables(options, &tables))
		return false;
	err = vmm_machine_plan_ranges(options->profile, ranges, &count);
	if (err != 0) {
		free(tables.bytes);
		return failed("memory map", err);
	}
	print_ranges(ranges, count, VMM_SPACE_MMIO, "memory:");
	print_ranges(ranges, count, VMM_SPACE_PORT, "ports:");
	puts("tables:");
	for (uint32_t i = 0; i < tables.count; i++)
		print_line(tables.list[i].gpa, tables.list[i].len, tables.list[i].signature);
	if (files->kernel.bytes)
		done = print_places(options, files, ranges, count, tables.list[0].gpa);
	free(tables.bytes);
	return done;
}

static bool dump_table(const char *folder, const struct tables *tables, uint32_t i)
{
	const struct vmm_machine_table *table = &tables->list[i];
	char name[4096];
	FILE *file;
	bool done;

	if (snprintf(name, sizeof(name), "%s/%s.dat", folder, table->signature) >=
	    (int)sizeof(name)) {
		errno = ENAMETOOLONG;
		perror("vmm-run: --dump-tables");
		return false;
	}
	file = fopen(name, "wb");
	done = file && fwrite(tables->bytes + table->offset, 1, table->len, file) == table->len;
	if (file && fclose(file) != 0)
		done = false;
	if (!done)
		fprintf(stderr, "vmm-run: %s: %s\n", name, strerror(errno));
	return done;
}

bool report_dump_tables(const struct options *options)
{
	struct tables tables;
	bool done = true;

	if (!make_tables(options, &tables))
		return false;
	for (uint32_t i = 0; i < tables.count && done; i++)
		done = dump_table(options->tables, &tables, i);
	free(tables.bytes);
	return done;
}

void report_stats(struct vmm_machine *machine, const char *eol)
{
	for (uint32_t i = 0; i < vmm_machine_vcpus(machine); i++) {
		struct vmm_vcpu_stats stats = {.size = sizeof(stats)};

		vmm_vcpu_get_stats(vmm_vm_vcpu(vmm_machine_vm(machine), i), &stats);
		fprintf(stderr, "cpu %u: %" PRIu64 " entries%s", i, stats.entries, eol);
		for (uint32_t reason = 0; reason < VMM_EXIT_REASONS; reason++) {
			if (stats.handled[reason] || stats.returned[reason])
				fprintf(stderr,
					"  %-14s %10" PRIu64 " handled by libvmm %10" PRIu64
					" handed over%s",
					vmm_exit_name(reason), stats.handled[reason],
					stats.returned[reason], eol);
		}
	}
}

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#ifndef VMM_MACHINE_TABLES_H
#define VMM_MACHINE_TABLES_H

#include "libvmm/acpi_objects.h"
#include "machine_plan.h"

/*
 * The ACPI tables as they stand from plan->tables on, and the SMBIOS structures from plan->smbios
 * on. @len: in: room at @buf (NULL: measure); out: bytes. -VMM_ESIZE with *@len set, -VMM_ELIMIT
 * where they do not fit in the guest.
 */
int vmm__tables_build(const struct vmm__plan *plan, void *buf, size_t *len);
int vmm__smbios_build(const struct vmm__plan *plan, void *buf, size_t *len);

/* Parts of the tables, each in a file of its own. The builders keep the first error. */
void vmm__dsdt_add(struct vmm_acpi *b, const struct vmm__plan *plan);
void vmm__cpus_add(struct vmm_aml *a, const struct vmm__plan *plan);
void vmm__hotplug_add(struct vmm_aml *a, const struct vmm__plan *plan);
void vmm__hotplug_pci_add(struct vmm_aml *a, const struct vmm__plan *plan);
void vmm__numa_add(struct vmm_acpi *b, const struct vmm__plan *plan);
void vmm__pptt_add(struct vmm_acpi *b, const struct vmm__plan *plan);
void vmm__arm_madt_add(struct vmm_acpi *b, const struct vmm__plan *plan);
void vmm__arm_tables_add(struct vmm_acpi *b, const struct vmm__plan *plan);
void vmm__arm_devices_add(struct vmm_aml *a, const struct vmm__plan *plan);

/* Offsets in the page with the error status block (MAP_ERRORS). */
#define ERRORS_ADDRESS  0    /* 8 bytes: where the block is */
#define ERRORS_ACK      8    /* 8 bytes: 1 when the guest has read it */
#define ERRORS_BLOCK    16   /* the block */
#define ERRORS_LEN      2032 /* of the block */
#define ERRORS_BOOT     2048 /* block of errors before the boot */
#define ERRORS_BOOT_LEN 2048

/* Sizes of a cache as the tables tell it; those of x86.h for arm64 too. */
struct vmm__cache {
	uint32_t level;
	uint32_t bytes; /* 0: there is none */
	uint32_t ways;
	uint8_t attributes; /* VMM_ACPI_CACHE_ */
};

/* First-level data and instruction, second, third. */
#define CACHES 4
void vmm__plan_caches(const struct vmm__plan *plan, struct vmm__cache cache[CACHES]);

/* The entry of a CPU of x86 in its own _MAT: that of the MADT, enabled. */
#define MADT_ENTRY_MAX 16
size_t vmm__madt_entry(const struct vmm__plan *plan, uint32_t cpu, uint8_t entry[MADT_ENTRY_MAX]);

/* Terms that come often. */
void vmm__name_int(struct vmm_aml *a, const char *name, uint64_t value);
void vmm__device_begin(struct vmm_aml *a, const char *name, const char *hid, uint32_t uid);
void vmm__device_eisa_begin(struct vmm_aml *a, const char *name, const char *hid, uint32_t uid);
void vmm__crs_begin(struct vmm_aml *a);
void vmm__crs_irq(struct vmm_aml *a, uint8_t flags, uint32_t gsi);
/* Names of processor devices: C000 to C3FF; of memory devices M000 on; of slots S00 on. */
void vmm__cpu_name(char name[5], uint32_t cpu);

/* Where a register is, for a table. */
struct vmm_acpi_gas vmm__register(const struct vmm__plan *plan, uint32_t offset, uint8_t bits);
/* OperationRegion over @len of the registers, from @offset on. */
void vmm__region(struct vmm_aml *a, const struct vmm__plan *plan, const char *name, uint32_t offset,
		 uint32_t len);

#endif

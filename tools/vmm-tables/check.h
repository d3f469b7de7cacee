/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the parts of the check share. */
#ifndef VMM_TABLES_CHECK_H
#define VMM_TABLES_CHECK_H

#include "aml_text.h"
#include "libvmm/acpi_read.h"
#include "vmm-tables.h"

/* A processor of the MADT. */
struct cpu {
	uint32_t uid;
	uint32_t apic_id; /* all ones on Arm */
	bool usable;      /* enabled, or can be */
	bool in_srat;
	bool in_pptt;
	bool in_names;
};

#define CPUS_MAX 8192

/* A range of addresses that a device uses, or hands on to those below it. */
struct claim {
	uint32_t device; /* object */
	bool io;
	bool window;
	bool reserves; /* a device that only keeps others away, PNP0C01 and PNP0C02 */
	uint64_t base;
	uint64_t last;
};

#define CLAIMS_MAX 4096

struct check {
	const struct set *set;
	struct names names;
	struct cpu *cpu;
	uint32_t cpus;
	struct claim *claim;
	uint32_t claims;
	unsigned found;
};

/* Prints a finding. */
void found(struct check *c, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The table of this signature, if it is there with a right length and checksum. */
bool checked_table(const struct check *c, const char *signature, struct vmm_acpi_table *t);

/* Processors, nodes and caches: MADT, SRAT, SLIT, PPTT. */
void check_cpus(struct check *c);

/* What is in the namespace, by itself and against other tables. */
void check_names(struct check *c);

/* _CRS of all devices, and what other tables say of addresses. */
void check_resources(struct check *c);

/* The full path of an object, in a buffer that lasts until the next call but one. */
const char *path_of(const struct check *c, uint32_t index);

/* The object @segment in @device, or -1. */
int64_t child_of(const struct check *c, uint32_t device, const char *segment);

#endif

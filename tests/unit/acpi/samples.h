/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Sets of tables that the tests build again and again: at every size, for iasl, for acpiexec. */
#ifndef TEST_ACPI_SAMPLES_H
#define TEST_ACPI_SAMPLES_H

#include "libvmm/acpi.h"
#include "libvmm/smbios.h"

struct sample {
	const char *name;
	void (*build)(struct vmm_acpi *b);
};

extern const struct sample samples[];
extern const size_t sample_count;

/* Every AML term there is. */
void sample_terms(struct vmm_aml *a);

/* Every resource descriptor, in an open template. */
void sample_resources(struct vmm_aml *a);

/* Opens, builds, closes; the result of vmm_acpi_close(). */
int sample_build(const struct sample *s, void *buf, size_t cap, uint64_t gpa, size_t *len);

/* A machine of 2 sockets with every type of SMBIOS structure. */
int sample_smbios(void *buf, size_t cap, uint64_t gpa, size_t *len);

#endif

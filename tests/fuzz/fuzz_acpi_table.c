// SPDX-License-Identifier: BSD-2-Clause-Patent
/* One table with a right length and checksum, read to its end by the reader of its signature. */
#include <string.h>

#include "fuzz.h"
#include "libvmm/acpi_read.h"
#include "samples.h"

#define GPA 0

static volatile uint8_t sunk;

/* Looks at every byte, so that a sanitizer sees one that is not there. */
static void look(const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		sunk ^= p[i];
}

/* No list has more entries than its table has bytes. */
static int is_bounded(const struct vmm_acpi_table *t, uint32_t entries)
{
	FUZZ_CHECK(entries <= t->len);
	return 1;
}

#define FOR_EACH(next, cursor, entry) \
	for (uint32_t n_ = 0; is_bounded(t, n_) && (next)(cursor, entry) == 0; n_++)

static void read_fadt(const struct vmm_acpi_table *t)
{
	struct vmm_acpi_fadt fadt = {.size = sizeof(fadt)};
	uint64_t dsdt, facs;

	if (vmm_acpi_read_fadt(t, &fadt, &dsdt, &facs) == 0)
		FUZZ_CHECK(fadt.size == sizeof(fadt));
}

static void read_spcr(const struct vmm_acpi_table *t)
{
	struct vmm_acpi_spcr spcr = {.size = sizeof(spcr)};

	if (vmm_acpi_read_spcr(t, &spcr) == 0 && spcr.path != NULL)
		look(spcr.path, strlen(spcr.path) + 1);
}

static void read_slit(const struct vmm_acpi_table *t)
{
	const uint8_t *distance;
	uint32_t nodes;

	if (vmm_acpi_read_slit(t, &nodes, &distance) == 0)
		look(distance, (size_t)nodes * nodes);
}

static void read_madt(const struct vmm_acpi_table *t)
{
	struct vmm_acpi_madt_entry e = {.size = sizeof(e)};
	struct vmm_acpi_cursor c;

	if (vmm_acpi_read_madt(t, &c, NULL, NULL) == 0)
		FOR_EACH(vmm_acpi_read_madt_next, &c, &e)
	look(&e, sizeof(e));
}

static void read_mcfg(const struct vmm_acpi_table *t)
{
	struct vmm_acpi_mcfg_range e = {.size = sizeof(e)};
	struct vmm_acpi_cursor c;

	if (vmm_acpi_read_mcfg(t, &c) == 0)
		FOR_EACH(vmm_acpi_read_mcfg_next, &c, &e)
	FUZZ_CHECK(e.first_bus <= e.last_bus);
}

static void read_srat(const struct vmm_acpi_table *t)
{
	struct vmm_acpi_srat_entry e = {.size = sizeof(e)};
	struct vmm_acpi_cursor c;

	if (vmm_acpi_read_srat(t, &c) == 0)
		FOR_EACH(vmm_acpi_read_srat_next, &c, &e)
	look(&e, sizeof(e));
}

static void read_pptt(const struct vmm_acpi_table *t)
{
	struct vmm_acpi_pptt_node e = {.size = sizeof(e)};
	struct vmm_acpi_cursor c;
	uint32_t ref;

	if (vmm_acpi_read_pptt(t, &c) == 0)
		FOR_EACH(vmm_acpi_read_pptt_next, &c, &e)
	for (uint32_t i = 0; vmm_acpi_read_pptt_cache(&e, i, &ref) == 0; i++)
		FUZZ_CHECK(i < t->len);
}

static void read_gtdt(const struct vmm_acpi_table *t)
{
	struct vmm_acpi_gtdt_timer e = {.size = sizeof(e)};
	struct vmm_acpi_gtdt gtdt = {.size = sizeof(gtdt)};
	struct vmm_acpi_cursor c;

	if (vmm_acpi_read_gtdt(t, &gtdt, &c) == 0)
		FOR_EACH(vmm_acpi_read_gtdt_next, &c, &e)
	look(&e, sizeof(e));
}

static void read_dmar(const struct vmm_acpi_table *t)
{
	struct vmm_acpi_dmar_unit e = {.size = sizeof(e)};
	struct vmm_acpi_cursor c;
	struct vmm_acpi_scope s;

	if (vmm_acpi_read_dmar(t, &c, NULL, NULL) == 0)
		FOR_EACH(vmm_acpi_read_dmar_next, &c, &e)
	while (vmm_acpi_read_scope(&e.scopes, &s) == 0)
		FUZZ_CHECK(s.hops >= 1 && s.hops <= 8);
}

static void read_ivrs(const struct vmm_acpi_table *t)
{
	struct vmm_acpi_ivrs_block e = {.size = sizeof(e)};
	struct vmm_acpi_ivhd_entry d;
	struct vmm_acpi_cursor c;

	if (vmm_acpi_read_ivrs(t, &c, NULL) == 0)
		FOR_EACH(vmm_acpi_read_ivrs_next, &c, &e)
	while (vmm_acpi_read_ivhd_entry(&e.entries, &d) == 0)
		look(&d, sizeof(d));
}

static void read_iort(const struct vmm_acpi_table *t)
{
	struct vmm_acpi_iort_node e = {.size = sizeof(e)};
	struct vmm_acpi_iort_map map;
	struct vmm_acpi_cursor c;
	uint32_t its;

	if (vmm_acpi_read_iort(t, &c) != 0)
		return;
	FOR_EACH(vmm_acpi_read_iort_next, &c, &e)
	{
		for (uint32_t i = 0; vmm_acpi_read_iort_map(&e, i, &map) == 0; i++)
			FUZZ_CHECK(i < t->len && map.count != 0);
		for (uint32_t i = 0; vmm_acpi_read_iort_its(&e, i, &its) == 0; i++)
			FUZZ_CHECK(i < t->len);
		if (e.name != NULL)
			look(e.name, strlen(e.name) + 1);
	}
}

/* Every reader must refuse the tables of the others. */
static void read_all(const struct vmm_acpi_table *t)
{
	read_fadt(t);
	read_spcr(t);
	read_slit(t);
	read_madt(t);
	read_mcfg(t);
	read_srat(t);
	read_pptt(t);
	read_gtdt(t);
	read_dmar(t);
	read_ivrs(t);
	read_iort(t);
}

/* Length and checksum are made right: they would stop nearly every input at the door. */
static void seal(uint8_t *p, size_t len)
{
	for (int i = 0; i < 4; i++)
		p[4 + i] = (uint8_t)(len >> (8 * i));
	p[9] = 0;
	for (size_t i = 0; i < len; i++)
		if (i != 9)
			p[9] = (uint8_t)(p[9] - p[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct vmm_acpi_table t = {.size = sizeof(t)};
	uint8_t *copy;

	if (vmm_acpi_read_table(data, len, &t) == 0)
		read_all(&t);
	if (len < 36)
		return 0;
	copy = malloc(len);
	FUZZ_CHECK(copy != NULL);
	memcpy(copy, data, len);
	seal(copy, len);
	FUZZ_CHECK(vmm_acpi_read_table(copy, len, &t) == 0);
	read_all(&t);
	free(copy);
	return 0;
}

static uint8_t blob[FUZZ_SEED_CAP];
static size_t blob_len;

static const void *map(void *opaque, uint64_t pa, size_t len)
{
	(void)opaque;
	return pa <= blob_len && len <= blob_len - pa ? blob + pa : NULL;
}

/* Table number @index over all samples. */
size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	static const struct vmm_acpi_memory memory = {.size = sizeof(memory), .map = map};
	struct vmm_acpi_table t = {.size = sizeof(t)};
	struct vmm_acpi_root r;

	for (size_t i = 0; i < sample_count; i++) {
		FUZZ_CHECK(sample_build(&samples[i], blob, sizeof(blob), GPA, &blob_len) == 0);
		FUZZ_CHECK(vmm_acpi_read_open(&r, &memory, GPA) == 0);
		if (index < r.count) {
			FUZZ_CHECK(vmm_acpi_read_index(&r, index, &t) == 0);
			memcpy(buf, t.data, t.len);
			return t.len;
		}
		index -= r.count;
	}
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* What is wrong with a set of tables, as far as it can be told without executing AML. */
#include "check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libvmm/error.h"

void found(struct check *c, const char *where, const char *fmt, ...)
{
	va_list ap;

	c->found++;
	printf("%s: ", where);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

bool checked_table(const struct check *c, const char *signature, struct vmm_acpi_table *t)
{
	const struct table *table = set_find(c->set, signature, NULL);

	t->size = sizeof(*t);
	return table != NULL && vmm_acpi_read_table(table->data, table->len, t) == 0;
}

static uint8_t sum(const uint8_t *p, size_t len)
{
	uint8_t s = 0;

	while (len-- > 0)
		s = (uint8_t)(s + p[len]);
	return s;
}

/* -- Each table by itself -----------------------------------------------------------------------
 */

/* ACPI 6.5, 5.2.5.3. */
static void check_rsdp(struct check *c, const struct table *t)
{
	if (sum(t->data, 20) != 0)
		found(c, t->name, "wrong checksum of the first 20 bytes");
	if (t->data[15] >= 2 && (t->len < 36 || sum(t->data, 36) != 0))
		found(c, t->name, "wrong checksum of the 36 bytes");
}

/* ACPI 6.5, 5.2.6. */
static void check_header(struct check *c, const struct table *t)
{
	uint64_t len = number_at(t->data + 4, 4);

	if (len != t->len)
		found(c, t->name, "its length says %" PRIu64 " bytes, and there are %zu", len,
		      t->len);
	if (len >= 36 && len <= t->len && sum(t->data, (size_t)len) != 0)
		found(c, t->name, "wrong checksum");
}

/* DSP0134 3.6.0, 5.2.2. */
static void check_smbios(struct check *c, const struct table *t)
{
	if (t->data[6] < 24 || t->data[6] > t->len || sum(t->data, t->data[6]) != 0)
		found(c, t->name, "wrong checksum of the entry point");
}

static void check_each(struct check *c)
{
	for (size_t i = 0; i < c->set->count; i++) {
		const struct table *t = &c->set->table[i];

		if (strcmp(t->signature, "RSDP") == 0)
			check_rsdp(c, t);
		else if (strcmp(t->signature, "_SM3_") == 0)
			check_smbios(c, t);
		else if (has_header(t))
			check_header(c, t);
	}
}

/* -- Lists --------------------------------------------------------------------------------------
 */

/* Reads a list to its end: what its reader says there. */
#define READ_LIST(opened, cursor, next, type)    \
	do {                                     \
		type e_ = {.size = sizeof(e_)};  \
		err = (opened);                  \
		while (err == 0)                 \
			err = next(cursor, &e_); \
	} while (0)

static void check_lists(struct check *c)
{
	static const char *const signatures[] = {"APIC", "SRAT", "PPTT", "MCFG",
						 "GTDT", "DMAR", "IVRS", "IORT"};
	struct vmm_acpi_gtdt gtdt = {.size = sizeof(gtdt)};

	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
		struct vmm_acpi_table t;
		struct vmm_acpi_cursor cursor = {0}, *p = &cursor;
		int err = -VMM_ENOENT;

		if (!checked_table(c, signatures[i], &t))
			continue;
		if (i == 0)
			READ_LIST(vmm_acpi_read_madt(&t, p, NULL, NULL), p, vmm_acpi_read_madt_next,
				  struct vmm_acpi_madt_entry);
		else if (i == 1)
			READ_LIST(vmm_acpi_read_srat(&t, p), p, vmm_acpi_read_srat_next,
				  struct vmm_acpi_srat_entry);
		else if (i == 2)
			READ_LIST(vmm_acpi_read_pptt(&t, p), p, vmm_acpi_read_pptt_next,
				  struct vmm_acpi_pptt_node);
		else if (i == 3)
			READ_LIST(vmm_acpi_read_mcfg(&t, p), p, vmm_acpi_read_mcfg_next,
				  struct vmm_acpi_mcfg_range);
		else if (i == 4)
			READ_LIST(vmm_acpi_read_gtdt(&t, &gtdt, p), p, vmm_acpi_read_gtdt_next,
				  struct vmm_acpi_gtdt_timer);
		else if (i == 5)
			READ_LIST(vmm_acpi_read_dmar(&t, p, NULL, NULL), p, vmm_acpi_read_dmar_next,
				  struct vmm_acpi_dmar_unit);
		else if (i == 6)
			READ_LIST(vmm_acpi_read_ivrs(&t, p, NULL), p, vmm_acpi_read_ivrs_next,
				  struct vmm_acpi_ivrs_block);
		else
			READ_LIST(vmm_acpi_read_iort(&t, p), p, vmm_acpi_read_iort_next,
				  struct vmm_acpi_iort_node);
		if (err != -VMM_ENOENT)
			found(c, signatures[i], "malformed at 0x%X", cursor.at);
	}
}

/* -- Pointers -----------------------------------------------------------------------------------
 */

static bool points_at_table(const struct check *c, uint64_t gpa, const char *signature)
{
	for (size_t i = 0; i < c->set->count; i++) {
		const struct table *t = &c->set->table[i];

		if (t->gpa == gpa && (signature == NULL || strcmp(t->signature, signature) == 0))
			return true;
	}
	return false;
}

/* ACPI 6.5, 5.2.8: only where it is known at which address a table stands. */
static void check_pointers(struct check *c)
{
	const struct table *xsdt = set_find(c->set, "XSDT", NULL);
	const struct table *fadt = set_find(c->set, "FACP", NULL);

	if (xsdt == NULL || xsdt->gpa == 0)
		return;
	for (size_t at = 36; at + 8 <= xsdt->len; at += 8)
		if (!points_at_table(c, number_at(xsdt->data + at, 8), NULL))
			found(c, xsdt->name, "nothing is at 0x%" PRIX64,
			      number_at(xsdt->data + at, 8));
	if (fadt != NULL && fadt->len >= 148 &&
	    !points_at_table(c, number_at(fadt->data + 140, 8), "DSDT"))
		found(c, fadt->name, "it points at no DSDT");
}

/* ACPI 6.5, 5.2.9 and 4.8.3.6, 4.8.3.7. */
static void check_fadt(struct check *c)
{
	struct vmm_acpi_fadt f = {.size = sizeof(f)};
	struct vmm_acpi_table t;
	uint64_t dsdt = 0, facs = 0;
	bool reduced;

	if (!checked_table(c, "FACP", &t) || vmm_acpi_read_fadt(&t, &f, &dsdt, &facs) != 0)
		return;
	reduced = (f.flags & VMM_ACPI_FADT_HW_REDUCED) != 0;
	if ((f.flags & VMM_ACPI_FADT_RESET_REG) != 0 && f.reset.address == 0)
		found(c, "FACP", "it tells of a reset register that has no address");
	if (!reduced && f.pm1a_cnt.address == 0)
		found(c, "FACP", "no PM1a control block, and it is not hardware-reduced");
	/* A PM1 control block is ignored there, and may serve what is older. */
	if (reduced && (f.pm1a_evt.address != 0 || f.sci_int != 0))
		found(c, "FACP", "fixed hardware on a hardware-reduced machine");
	if ((f.sleep_control.address == 0) != (f.sleep_status.address == 0))
		found(c, "FACP", "sleep control and sleep status registers are only good together");
}

/* PCI Firmware 3.3, 4.1.2. */
static void check_mcfg(struct check *c)
{
	struct vmm_acpi_mcfg_range e = {.size = sizeof(e)}, other = {.size = sizeof(other)};
	struct vmm_acpi_cursor all, rest;
	struct vmm_acpi_table t;

	if (!checked_table(c, "MCFG", &t) || vmm_acpi_read_mcfg(&t, &all) != 0)
		return;
	while (vmm_acpi_read_mcfg_next(&all, &e) == 0) {
		if (e.base % 0x100000 != 0)
			found(c, "MCFG", "base 0x%" PRIX64 " is not a multiple of 1 MiB", e.base);
		rest = all;
		while (vmm_acpi_read_mcfg_next(&rest, &other) == 0)
			if (e.segment == other.segment && e.first_bus <= other.last_bus &&
			    other.first_bus <= e.last_bus)
				found(c, "MCFG", "segment %u has bus %u twice", e.segment,
				      e.first_bus > other.first_bus ? e.first_bus
								    : other.first_bus);
	}
}

/* -- All ----------------------------------------------------------------------------------------
 */

const char *path_of(const struct check *c, uint32_t index)
{
	static char text[2][5 * VMM_AML_READ_DEPTH + 8];
	static unsigned turn;
	char *buf = text[turn++ % 2];

	if (vmm_aml_space_path(&c->names.space, index, buf, sizeof(text[0])) != 0)
		strcpy(buf, "?");
	return buf;
}

int64_t child_of(const struct check *c, uint32_t device, const char *segment)
{
	int64_t index = vmm_aml_space_child(&c->names.space, device, segment);

	return index >= 0 && (c->names.objects[index].flags & VMM_AML_OBJECT_MISSING) == 0 ? index
											   : -1;
}

unsigned check_set(const struct set *set)
{
	struct check c = {.set = set};

	c.cpu = calloc(CPUS_MAX, sizeof(*c.cpu));
	c.claim = calloc(CLAIMS_MAX, sizeof(*c.claim));
	if (c.cpu == NULL || c.claim == NULL || !names_load(&c.names, set)) {
		fputs("vmm-tables: no memory\n", stderr);
		free(c.cpu);
		free(c.claim);
		return 1;
	}
	check_each(&c);
	check_lists(&c);
	check_pointers(&c);
	check_fadt(&c);
	check_mcfg(&c);
	check_cpus(&c);
	check_names(&c);
	check_resources(&c);
	names_free(&c.names);
	free(c.cpu);
	free(c.claim);
	return c.found;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Tables as files, and as the hexadecimal text of acpidump. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "vmm-tables.h"

/* The number of this table among those of its signature, from 1; 0 if it is the only one. */
static unsigned instance_of(const struct set *set, const struct table *table)
{
	unsigned number = 1;
	bool alone = true;

	for (size_t i = 0; i < set->count; i++) {
		const struct table *t = &set->table[i];

		if (t == table || strcmp(t->signature, table->signature) != 0)
			continue;
		alone = false;
		number += t < table;
	}
	return alone ? 0 : number;
}

/* "APIC.dat"; AML, which iasl takes by its ending, "DSDT.aml"; several ones "SSDT2.aml". */
static void file_name(const struct set *set, const struct table *t, char *buf, size_t cap)
{
	const char *ending = is_aml(t) ? "aml" : "dat";
	unsigned instance = instance_of(set, t);

	if (strcmp(t->signature, "_SM3_") == 0)
		snprintf(buf, cap, "SMBIOS.dat");
	else if (instance == 0)
		snprintf(buf, cap, "%s.%s", t->signature, ending);
	else
		snprintf(buf, cap, "%s%u.%s", t->signature, instance, ending);
}

static bool write_file(const char *path, const struct table *t)
{
	FILE *file = fopen(path, "wb");
	bool done = file != NULL && fwrite(t->data, 1, t->len, file) == t->len;

	if (file != NULL && fclose(file) != 0)
		done = false;
	if (!done)
		fprintf(stderr, "vmm-tables: %s: %s\n", path, strerror(errno));
	return done;
}

bool write_files(const struct set *set, const char *folder)
{
	if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
		fprintf(stderr, "vmm-tables: %s: %s\n", folder, strerror(errno));
		return false;
	}
	for (size_t i = 0; i < set->count; i++) {
		const struct table *t = &set->table[i];
		char name[32], path[4096];

		file_name(set, t, name, sizeof(name));
		snprintf(path, sizeof(path), "%s/%s", folder, name);
		if (!write_file(path, t))
			return false;
	}
	return true;
}

static void print_line(const uint8_t *data, size_t at, size_t n)
{
	printf("    %04zX:", at);
	for (size_t i = 0; i < 16; i++) {
		if (i < n)
			printf(" %02X", data[at + i]);
		else
			printf("   ");
	}
	printf("  ");
	for (size_t i = 0; i < n; i++)
		putchar(data[at + i] >= 0x20 && data[at + i] < 0x7f ? data[at + i] : '.');
	putchar('\n');
}

void print_hex(const struct set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct table *t = &set->table[i];

		printf("%s @ 0x%016" PRIX64 "\n", t->signature, t->gpa);
		for (size_t at = 0; at < t->len; at += 16)
			print_line(t->data, at, t->len - at < 16 ? t->len - at : 16);
		putchar('\n');
	}
}

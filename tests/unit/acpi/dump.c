// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * dump DIR: every table of every sample as a file, DIR/sample-number-SIGN.dat, for check-iasl.py,
 * and the SMBIOS sample, DIR/smbios.bin, for check-dmidecode.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "samples.h"

#define GPA 0x100000

static uint64_t le(const uint8_t *p, int n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

static void write_file(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "wb");

	if (f == NULL || fwrite(data, len, 1, f) != 1 || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

static void dump(const char *dir, const char *name, unsigned number, const uint8_t *table)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s-%u-%.4s.dat", dir, name, number, (const char *)table);
	write_file(path, table, le(table + 4, 4));
}

/* At guest-physical 0, as dmidecode keeps its dumps. */
static int dump_smbios(const char *dir, void *blob, size_t cap)
{
	char path[4096];
	size_t len = 0;
	int error = sample_smbios(blob, cap, 0, &len);

	snprintf(path, sizeof(path), "%s/smbios.bin", dir);
	if (error == 0)
		write_file(path, blob, len);
	return error;
}

static const uint8_t *at(const uint8_t *blob, uint64_t gpa)
{
	return blob + (gpa - GPA);
}

static void dump_set(const char *dir, const char *name, const uint8_t *blob)
{
	const uint8_t *xsdt = at(blob, le(blob + 24, 8));
	unsigned number = 0;

	dump(dir, name, number++, xsdt);
	for (uint64_t i = 36; i < le(xsdt + 4, 4); i += 8) {
		const uint8_t *table = at(blob, le(xsdt + i, 8));

		dump(dir, name, number++, table);
		if (memcmp(table, "FACP", 4) != 0)
			continue;
		dump(dir, name, number++, at(blob, le(table + 140, 8)));
		if (le(table + 36, 4) != 0)
			dump(dir, name, number++, at(blob, le(table + 36, 4)));
	}
}

int main(int argc, char **argv)
{
	static uint8_t blob[1 << 24];

	for (size_t i = 0; argc == 2 && i < sample_count; i++) {
		size_t len = 0;
		int error = sample_build(&samples[i], blob, sizeof(blob), GPA, &len);

		if (error != 0) {
			fprintf(stderr, "%s: %s\n", samples[i].name, vmm_errname(error));
			return 1;
		}
		dump_set(argv[1], samples[i].name, blob);
	}
	return argc == 2 ? dump_smbios(argv[1], blob, sizeof(blob)) : 2;
}

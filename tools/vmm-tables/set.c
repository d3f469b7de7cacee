// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "set.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "libvmm/acpi_read.h"
#include "libvmm/error.h"
#include "libvmm/machine.h"

#define HEADER 36

uint64_t number_at(const uint8_t *p, size_t width)
{
	uint64_t v = 0;

	while (width-- > 0)
		v = v << 8 | p[width];
	return v;
}

bool has_header(const struct table *t)
{
	return t->len >= HEADER && strlen(t->signature) == 4 && strcmp(t->signature, "RSDP") != 0 &&
	       strcmp(t->signature, "FACS") != 0;
}

bool is_aml(const struct table *t)
{
	return has_header(t) &&
	       (strcmp(t->signature, "DSDT") == 0 || strcmp(t->signature, "SSDT") == 0 ||
		strcmp(t->signature, "PSDT") == 0);
}

const struct table *set_find(const struct set *set, const char *signature,
			     const struct table *after)
{
	for (size_t i = after != NULL ? (size_t)(after - set->table) + 1 : 0; i < set->count; i++)
		if (strcmp(set->table[i].signature, signature) == 0)
			return &set->table[i];
	return NULL;
}

static bool no_memory(void)
{
	fputs("vmm-tables: no memory\n", stderr);
	return false;
}

/* A new table at the end of the set, empty; NULL after saying that there is no memory. */
static struct table *append(struct set *set)
{
	struct table *grown = realloc(set->table, (set->count + 1) * sizeof(*grown));

	if (grown == NULL) {
		no_memory();
		return NULL;
	}
	set->table = grown;
	memset(&grown[set->count], 0, sizeof(*grown));
	return &grown[set->count++];
}

void set_free(struct set *set)
{
	for (size_t i = 0; i < set->count; i++)
		free(set->table[i].file);
	free(set->table);
	free(set->blob);
	*set = (struct set){0};
}

/* -- Of a profile -------------------------------------------------------------------------------
 */

static bool add_made(struct set *set, const struct vmm_machine_table *made)
{
	struct table *t = append(set);

	if (t == NULL)
		return false;
	snprintf(t->name, sizeof(t->name), "%s", made->signature);
	snprintf(t->signature, sizeof(t->signature), "%s", made->signature);
	t->data = set->blob + made->offset;
	t->len = made->len;
	t->gpa = made->gpa;
	return true;
}

/* A profile may ask for none. */
static bool add_smbios(struct set *set, const struct vmm_profile *profile)
{
	uint64_t gpa = 0;
	struct table *t;
	size_t len = 0;
	int err = vmm_machine_plan_smbios(profile, NULL, &len, NULL);

	if (err == -VMM_ENOENT)
		return true;
	t = append(set);
	if (t == NULL)
		return false;
	t->file = malloc(len);
	if (t->file == NULL)
		return no_memory();
	err = err != 0 ? err : vmm_machine_plan_smbios(profile, t->file, &len, &gpa);
	if (err != 0) {
		fprintf(stderr, "vmm-tables: SMBIOS: %s\n", vmm_strerror(err));
		return false;
	}
	t->data = t->file;
	t->len = len;
	t->gpa = gpa;
	strcpy(t->name, "SMBIOS");
	strcpy(t->signature, "_SM3_");
	return true;
}

bool set_from_profile(struct set *set, const struct vmm_profile *profile)
{
	struct vmm_machine_table made[VMM_MACHINE_TABLES_MAX];
	struct vmm_profile_error error = {.size = sizeof(error)};
	uint32_t count = 0;
	size_t len = 0;
	int err;

	if (vmm_profile_check(profile, &error) != 0) {
		fprintf(stderr, "vmm-tables: profile: %s\n", error.text);
		return false;
	}
	err = vmm_machine_plan_tables(profile, NULL, &len, NULL, NULL);
	if (err == 0) {
		set->blob = malloc(len);
		if (set->blob == NULL)
			return no_memory();
		err = vmm_machine_plan_tables(profile, set->blob, &len, made, &count);
	}
	if (err != 0) {
		fprintf(stderr, "vmm-tables: profile: %s\n", vmm_strerror(err));
		return false;
	}
	for (uint32_t i = 0; i < count; i++)
		if (!add_made(set, &made[i]))
			return false;
	return add_smbios(set, profile);
}

/* -- Of files -----------------------------------------------------------------------------------
 */

static bool failed(const char *path, const char *why)
{
	fprintf(stderr, "vmm-tables: %s: %s\n", path, why);
	return false;
}

/* What a file is, by its first bytes. */
static bool name_signature(struct table *t)
{
	if (t->len >= 20 && memcmp(t->data, "RSD PTR ", 8) == 0) {
		strcpy(t->signature, "RSDP");
		return true;
	}
	if (t->len >= 24 && memcmp(t->data, "_SM3_", 5) == 0) {
		strcpy(t->signature, "_SM3_");
		return true;
	}
	if (t->len < HEADER)
		return false;
	for (int i = 0; i < 4; i++) {
		char c = (char)t->data[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	memcpy(t->signature, t->data, 4);
	return true;
}

/* All of a file; NULL with errno, EFBIG for one that is longer than any table. */
static uint8_t *read_all(FILE *file, size_t *len)
{
	uint8_t *bytes = malloc(VMM_ACPI_READ_MAX + 1);
	uint8_t *shrunk;

	if (bytes == NULL)
		return NULL;
	*len = fread(bytes, 1, VMM_ACPI_READ_MAX + 1, file);
	if (*len > VMM_ACPI_READ_MAX)
		errno = EFBIG;
	if (*len > VMM_ACPI_READ_MAX || ferror(file)) {
		free(bytes);
		return NULL;
	}
	shrunk = realloc(bytes, *len + 1);
	return shrunk != NULL ? shrunk : bytes;
}

static bool add_one(struct set *set, const char *path)
{
	FILE *file = fopen(path, "rb");
	struct table *t;

	if (file == NULL)
		return failed(path, strerror(errno));
	t = append(set);
	if (t != NULL) {
		t->file = read_all(file, &t->len);
		t->data = t->file;
	}
	if (t != NULL && t->file == NULL)
		failed(path, strerror(errno));
	fclose(file);
	if (t == NULL || t->file == NULL)
		return false;
	snprintf(t->name, sizeof(t->name), "%s",
		 strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path);
	return name_signature(t) ? true : failed(path, "this is not an ACPI or SMBIOS table");
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool set_add_file(struct set *set, const char *path)
{
	struct dirent **entries;
	bool good = true;
	int count;

	if (!is_directory(path))
		return add_one(set, path);
	count = scandir(path, &entries, NULL, alphasort);
	if (count < 0)
		return failed(path, strerror(errno));
	for (int i = 0; i < count; i++) {
		char inner[4096];
		int n = snprintf(inner, sizeof(inner), "%s/%s", path, entries[i]->d_name);

		if (good && n < (int)sizeof(inner) && !is_directory(inner))
			good = add_one(set, inner);
		free(entries[i]);
	}
	free(entries);
	return good;
}

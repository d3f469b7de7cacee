/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The tables that are looked at: made of a profile, or read from files. */
#ifndef VMM_TABLES_SET_H
#define VMM_TABLES_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libvmm/profile.h"

struct table {
	char name[80];     /* what messages call it: a file's name, or its signature */
	char signature[8]; /* "RSDP" and "_SM3_" for what has no header of 36 bytes */
	const uint8_t *data;
	size_t len;    /* of the file; its own length may be another one */
	uint64_t gpa;  /* 0: not known */
	uint8_t *file; /* to be freed */
};

struct set {
	struct table *table;
	size_t count;
	uint8_t *blob; /* of a profile: all tables, as they stand in memory */
};

/* Each is false after saying what is wrong. */
bool set_from_profile(struct set *set, const struct vmm_profile *profile);
bool set_add_file(struct set *set, const char *path); /* or all files of a directory */
void set_free(struct set *set);

/* The first table of this signature from @from on; NULL if there is none. */
const struct table *set_find(const struct set *set, const char *signature,
			     const struct table *after);

bool is_aml(const struct table *table);

/* A header of 36 bytes and that length? */
bool has_header(const struct table *table);

/* Little-endian number of at most 8 bytes. */
uint64_t number_at(const uint8_t *p, size_t width);

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the fields of tables are, as data. */
#ifndef VMM_TABLES_LAYOUT_H
#define VMM_TABLES_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

struct field {
	const char *name;
	uint16_t at;
	uint8_t width;
	char form; /* x hexadecimal, d decimal, s text, z text to its end, g generic address, u UUID
		    */
};

/* What follows the fields of an entry to its end. */
enum tail {
	TAIL_BYTES,
	TAIL_U32,
	TAIL_SCOPES,  /* VT-d 4.1, 8.3.1 */
	TAIL_DEVICES, /* AMD IOMMU 3.08, 5.2.2 */
	TAIL_STRINGS, /* SMBIOS */
};

struct entry {
	uint32_t type;
	const char *name;
	const struct field *field;
	uint32_t fields;
	enum tail tail;
};

/* A table: fields behind the header, then entries. */
struct layout {
	const char *signature;
	const char *name;
	const struct field *field;
	uint32_t fields;
	uint32_t first;     /* where the entries begin; 0 for none */
	uint8_t type_width; /* of an entry's type; 0: all of type 0, @fixed bytes long */
	uint8_t len_at;
	uint8_t len_width; /* 0: @fixed bytes long */
	uint8_t fixed;
	const struct entry *entry;
	uint32_t entries;
};

/* NULL for a table that is not known. */
const struct layout *layout_find(const char *signature);
const struct entry *layout_entry(const struct layout *layout, uint32_t type);

/* SMBIOS structures, DSP0134 3.6.0; NULL for a type that is not known. */
const struct entry *smbios_entry(uint32_t type);

#endif

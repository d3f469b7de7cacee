/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* AML as text, and the namespace of a set of tables. */
#ifndef VMM_TABLES_AML_TEXT_H
#define VMM_TABLES_AML_TEXT_H

#include "libvmm/aml_read.h"
#include "set.h"

#define AML_HEADER 36

/* The namespace of all AML tables of a set; those that are not AML to their end are named in @bad.
 */
struct names {
	struct vmm_aml_space space;
	struct vmm_aml_object *objects;                /* to be freed */
	const struct table *list[VMM_AML_SPACE_LISTS]; /* which table a list of the space is */
	int error[VMM_AML_SPACE_LISTS];
	uint32_t error_at[VMM_AML_SPACE_LISTS];
};

bool names_load(struct names *names, const struct set *set);
void names_free(struct names *names);

/* Prints the terms of list number @list, from column @indent on. */
void print_aml(const struct names *names, uint32_t list, int indent);

/* An object's value on one line, such as its hardware identifier; empty if it has none that is
 * simple. */
void value_text(const struct names *names, uint32_t index, char *buf, size_t cap);

/* The value of Name (index, integer), or of a method that only returns one. */
bool integer_of(const struct names *names, uint32_t index, uint64_t *value);

/* The template of Name (index, ResourceTemplate), or of a method that only returns one. */
bool resources_of(const struct names *names, uint32_t index, const uint8_t **data, size_t *len);

/* One descriptor on one line. */
void resource_text(const struct vmm_aml_res *res, char *buf, size_t cap);

/* A term's name: "Device". */
const char *term_name(uint32_t op);

/* Terms that follow it and belong to it, before a list of any length. */
uint32_t term_operands(const struct vmm_aml_term *term);

#endif

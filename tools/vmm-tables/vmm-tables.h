/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the subcommands of vmm-tables do. */
#ifndef VMM_TABLES_H
#define VMM_TABLES_H

#include "set.h"

/* Writes one file a table into @folder, made if it is not there; false after saying why not. */
bool write_files(const struct set *set, const char *folder);

/* Tables in hexadecimal, as acpidump prints them and acpixtract(1) reads them. */
void print_hex(const struct set *set);

/* Tables, their fields, and what the namespace holds. */
void print_tree(const struct set *set);

/* The namespace as a picture for dot(1); false after saying why not. */
bool print_dot(const struct set *set);

/* Looks for what is wrong and prints it: how many findings. */
unsigned check_set(const struct set *set);

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What images of tests share: a check that ends a function, and words of the command line. */
#ifndef TESTS_BARE_ASKED_H
#define TESTS_BARE_ASKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bare.h"

/* Ends the function, with 1, where it does not hold. */
#define CHECK(cond)                                                                       \
	do {                                                                              \
		if (!(cond)) {                                                            \
			vmm_bare_print("not ok: %s:%d: %s\n", __FILE__, __LINE__, #cond); \
			return 1;                                                         \
		}                                                                         \
	} while (0)

/* What follows @word where that stands at the beginning of a word of @line, or is all of it. NULL:
 * it is nowhere. */
static inline const char *find_word(const char *line, const char *word, bool all)
{
	for (const char *at = line; *at; at++) {
		const char *a = at, *b = word;

		if (at != line && at[-1] != ' ')
			continue;
		for (; *b && *a == *b; a++)
			b++;
		if (!*b && (!all || *a == ' ' || !*a))
			return a;
	}
	return NULL;
}

static inline bool has_word(const char *line, const char *word)
{
	return find_word(line, word, true) != NULL;
}

/* The number behind a word such as "rounds="; false: it is not there. */
static inline bool read_number(const char *line, const char *word, uint32_t *value)
{
	const char *at = find_word(line, word, false);

	if (!at)
		return false;
	*value = 0;
	for (; *at >= '0' && *at <= '9'; at++)
		*value = 10 * *value + (uint32_t)(*at - '0');
	return true;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Strings without a libc: names, and words of a line. */
#ifndef EXAMPLES_BARE_TEXT_H
#define EXAMPLES_BARE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

bool text_same(const char *a, const char *b);
bool text_begins(const char *text, const char *with);
size_t text_length(const char *text);

/* Copies what there is room for; always terminated. */
void text_copy(char *to, size_t room, const char *from, size_t len);

/* Cuts the first word off *@line, which is changed and moves on; "" if there is none. */
char *text_word(char **line);

#endif

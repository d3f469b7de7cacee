// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "text.h"

bool text_same(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

bool text_begins(const char *text, const char *with)
{
	while (*with != '\0' && *text == *with) {
		text++;
		with++;
	}
	return *with == '\0';
}

size_t text_length(const char *text)
{
	size_t len = 0;

	while (text[len] != '\0')
		len++;
	return len;
}

void text_copy(char *to, size_t room, const char *from, size_t len)
{
	size_t n = 0;

	for (; n < len && n < room - 1; n++)
		to[n] = from[n];
	to[n] = '\0';
}

char *text_word(char **line)
{
	char *p = *line, *word;

	while (*p == ' ')
		p++;
	word = p;
	while (*p != ' ' && *p != '\0')
		p++;
	*line = p;
	if (*p == ' ') {
		*p = '\0';
		*line = p + 1;
	}
	return word;
}

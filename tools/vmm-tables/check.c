// SPDX-License-Identifier: BSD-2-Clause-Patent
/* What is wrong with a set of tables, as far as it can be told without executing AML. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "aml_text.h"
#include "libvmm/error.h"
#include "vmm-tables.h"

struct check {
	const struct set *set;
	struct names names;
	unsigned found;
};

static void found(struct check *c, const struct table *t, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void found(struct check *c, const struct table *t, const char *fmt, ...)
{
	va_list ap;

	c->found++;
	printf("%s: ", t->name);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static uint8_t sum(const uint8_t *p, size_t len)
{
	uint8_t s = 0;

	while (len-- > 0)
		s = (uint8_t)(s + p[len]);
	return s;
}

/* -- Each table by itself -----------------------------------------------------------------------
 */

/* ACPI 6.5, 5.2.5.3. */
static void check_rsdp(struct check *c, const struct table *t)
{
	if (sum(t->data, 20) != 0)
		found(c, t, "wrong checksum of the first 20 bytes");
	if (t->data[15] >= 2 && (t->len < 36 || sum(t->data, 36) != 0))
		found(c, t, "wrong checksum of the 36 bytes");
}

/* ACPI 6.5, 5.2.6. */
static void check_header(struct check *c, const struct table *t)
{
	uint64_t len = number_at(t->data + 4, 4);

	if (len != t->len)
		found(c, t, "its length says %" PRIu64 " bytes, and there are %zu", len, t->len);
	if (len >= 36 && len <= t->len && sum(t->data, (size_t)len) != 0)
		found(c, t, "wrong checksum");
}

static void check_tables(struct check *c)
{
	for (size_t i = 0; i < c->set->count; i++) {
		const struct table *t = &c->set->table[i];

		if (strcmp(t->signature, "RSDP") == 0)
			check_rsdp(c, t);
		else if (has_header(t))
			check_header(c, t);
	}
}

static void check_aml(struct check *c)
{
	for (uint32_t i = 0; i < c->names.space.lists; i++)
		if (c->names.error[i] != 0)
			found(c, c->names.list[i], "not AML at 0x%X: %s", c->names.error_at[i],
			      vmm_strerror(c->names.error[i]));
}

unsigned check_set(const struct set *set)
{
	struct check c = {.set = set};

	if (!names_load(&c.names, set))
		return 1;
	check_tables(&c);
	check_aml(&c);
	names_free(&c.names);
	return c.found;
}

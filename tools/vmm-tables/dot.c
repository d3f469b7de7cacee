// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The namespace as a picture: a box for what holds objects, with its simple ones in it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "aml_text.h"
#include "vmm-tables.h"

/* What has a box of its own. */
static bool is_box(const struct vmm_aml_object *o)
{
	return o->op == 0 || o->op == VMM_AML_OP_DEVICE || o->op == VMM_AML_OP_PROCESSOR ||
	       o->op == VMM_AML_OP_POWER || o->op == VMM_AML_OP_THERMAL;
}

/* What Graphviz reads something into, in a label of this kind. */
static void print_quoted(const char *text)
{
	for (; *text != '\0'; text++) {
		if (strchr("\"\\{}<>|", *text) != NULL)
			putchar('\\');
		putchar(*text);
	}
}

/* The root and what is there by itself is drawn only if it holds something. */
static bool holds_something(const struct names *names, uint32_t index)
{
	for (uint32_t i = 1; i < names->space.count; i++)
		if (names->space.object[i].parent == index)
			return true;
	return false;
}

static bool is_drawn(const struct names *names, uint32_t index)
{
	const struct vmm_aml_object *o = &names->space.object[index];

	return is_box(o) && (o->op != 0 || index == 0 || holds_something(names, index));
}

static void segment_text(const struct vmm_aml_object *o, char buf[5])
{
	const struct vmm_aml_path_ref name = {.segment = o->segment, .count = 1};

	vmm_aml_path_text(&name, buf, 5);
}

static void print_member(const struct names *names, uint32_t index)
{
	const struct vmm_aml_object *o = &names->space.object[index];
	char segment[5], value[128];

	segment_text(o, segment);
	value_text(names, index, value, sizeof(value));
	printf("|");
	if (o->op == VMM_AML_OP_METHOD)
		printf("%s (%u)", segment, o->args);
	else if (value[0] != '\0') {
		printf("%s = ", segment);
		print_quoted(value);
	} else {
		printf("%s: %s", segment, o->op == VMM_AML_OP_UNIT ? "field" : term_name(o->op));
	}
}

static void print_box(const struct names *names, uint32_t index)
{
	const struct vmm_aml_object *o = &names->space.object[index];
	char segment[5] = "\\";

	if (index != 0)
		segment_text(o, segment);
	printf("\tn%" PRIu32 " [label=\"{%s ", index, o->op != 0 ? term_name(o->op) : "");
	print_quoted(segment);
	for (uint32_t i = 1; i < names->space.count; i++)
		if (names->space.object[i].parent == index && !is_box(&names->space.object[i]))
			print_member(names, i);
	printf("}\"];\n");
	if (index != 0)
		printf("\tn%" PRIu32 " -> n%" PRIu32 ";\n", o->parent, index);
}

bool print_dot(const struct set *set)
{
	struct names names;

	if (!names_load(&names, set))
		return false;
	puts("digraph namespace {\n\trankdir=LR;\n\tnode [shape=record, fontname=monospace];");
	for (uint32_t i = 0; i < names.space.count; i++)
		if (is_drawn(&names, i))
			print_box(&names, i);
	puts("}");
	names_free(&names);
	return true;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The namespace: AML that is whole, names that lead somewhere, devices that can be told apart. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "libvmm/error.h"

#define COND_REF_OF 0x5b12

static void check_aml(struct check *c)
{
	for (uint32_t i = 0; i < c->names.space.lists; i++)
		if (c->names.error[i] != 0)
			found(c, c->names.list[i]->name, "not AML at 0x%X: %s",
			      c->names.error_at[i], vmm_strerror(c->names.error[i]));
}

static void check_definitions(struct check *c)
{
	for (uint32_t i = 1; i < c->names.space.count; i++) {
		const struct vmm_aml_object *o = &c->names.objects[i];

		if ((o->flags & VMM_AML_OBJECT_AGAIN) != 0 &&
		    (o->flags & VMM_AML_OBJECT_CONDITIONAL) == 0)
			found(c, path_of(c, i), "defined more than once");
		if ((o->flags & VMM_AML_OBJECT_MISSING) != 0 && o->op == 0 &&
		    set_find(c->set, "DSDT", NULL) != NULL)
			found(c, path_of(c, i), "a scope is opened there, and nothing defines it");
	}
}

/* -- References ---------------------------------------------------------------------------------
 */

/* Names that methods make while they run; a name that ends so may be one of theirs. */
struct made {
	uint8_t (*segment)[4];
	size_t count;
	size_t cap;
};

static void add_made(struct made *m, const struct vmm_aml_path_ref *name)
{
	if (name->count == 0)
		return;
	if (m->count == m->cap) {
		size_t cap = m->cap != 0 ? 2 * m->cap : 64;
		void *grown = realloc(m->segment, cap * sizeof(*m->segment));

		if (grown == NULL)
			return;
		m->segment = grown;
		m->cap = cap;
	}
	memcpy(m->segment[m->count++], name->segment + 4 * ((size_t)name->count - 1), 4);
}

static bool is_made(const struct made *m, const struct vmm_aml_path_ref *name)
{
	for (uint32_t i = 0; i < name->count; i++)
		for (size_t k = 0; k < m->count; k++)
			if (memcmp(m->segment[k], name->segment + 4 * (size_t)i, 4) == 0)
				return true;
	return false;
}

/* A walk through a list with the scope of each term: a stack of what has been entered. */
struct walk {
	struct check *check;
	struct made *made;
	bool collect; /* only what methods make */
	struct vmm_aml_reader reader;
	struct vmm_aml_view view;
	struct {
		uint32_t end;
		uint32_t scope;
		bool method;
	} stack[VMM_AML_READ_DEPTH + 1];
	uint32_t depth;
	bool tentative; /* what follows is only looked for */
	uint32_t list;
};

static bool in_method(const struct walk *w)
{
	for (uint32_t i = 0; i < w->depth; i++)
		if (w->stack[i].method)
			return true;
	return false;
}

static bool opens_scope(uint32_t op)
{
	return op == VMM_AML_OP_SCOPE || op == VMM_AML_OP_DEVICE || op == VMM_AML_OP_PROCESSOR ||
	       op == VMM_AML_OP_POWER || op == VMM_AML_OP_THERMAL || op == VMM_AML_OP_METHOD;
}

static void enter(struct walk *w, const struct vmm_aml_term *t)
{
	int64_t index = vmm_aml_space_find(&w->check->names.space, w->view.scope, &t->name);

	if (t->name.count == 0 && t->name.root)
		index = 0;
	w->stack[w->depth].end = t->end;
	w->stack[w->depth].scope = w->view.scope;
	w->stack[w->depth++].method = t->op == VMM_AML_OP_METHOD;
	if (index >= 0)
		w->view.scope = (uint32_t)index;
}

static void check_reference(struct walk *w, const struct vmm_aml_path_ref *name, uint32_t at)
{
	char text[5 * 256 + 256];

	if (name->count == 0 || is_made(w->made, name) ||
	    vmm_aml_space_find(&w->check->names.space, w->view.scope, name) >= 0)
		return;
	vmm_aml_path_text(name, text, sizeof(text));
	found(w->check, w->check->names.list[w->list]->name, "at 0x%X: nothing is called %s",
	      at + AML_HEADER, text);
}

/* What makes an object by a name in front, when it is executed. */
static bool makes_object(uint32_t op)
{
	return op == VMM_AML_OP_NAME || op == VMM_AML_OP_MUTEX || op == VMM_AML_OP_EVENT ||
	       op == VMM_AML_OP_REGION || op == VMM_AML_OP_DATA_REGION || op == VMM_AML_OP_UNIT ||
	       op == VMM_AML_OP_DEVICE || op == VMM_AML_OP_METHOD;
}

static bool is_create_field(uint32_t op)
{
	return (op >= 0x8a && op <= 0x8d) || op == 0x8f || op == 0x5b13;
}

/* @creating: it stands in the operands of a CreateField, whose last path is a new name. */
static void look_at(struct walk *w, const struct vmm_aml_term *t, bool creating)
{
	bool path = t->op == VMM_AML_OP_PATH || t->op == VMM_AML_OP_CALL;

	if (w->collect) {
		if ((in_method(w) && makes_object(t->op)) || (path && creating))
			add_made(w->made, &t->name);
	} else if ((path && !w->tentative) || t->op == VMM_AML_OP_FIELD ||
		   t->op == VMM_AML_OP_ALIAS) {
		check_reference(w, &t->name, t->at);
	}
	w->tentative = t->op == COND_REF_OF;
}

static void walk_list(struct walk *w)
{
	struct vmm_aml_term t = {.size = sizeof(t)};
	uint32_t create_depth = UINT32_MAX;

	for (;;) {
		while (w->depth > 0 && w->reader.at >= w->stack[w->depth - 1].end)
			w->view.scope = w->stack[--w->depth].scope;
		if (vmm_aml_read_next(&w->reader, &t) != 0)
			return;
		if (create_depth != UINT32_MAX && t.depth <= create_depth)
			create_depth = UINT32_MAX;
		look_at(w, &t, create_depth != UINT32_MAX);
		if (is_create_field(t.op))
			create_depth = t.depth;
		if (opens_scope(t.op))
			enter(w, &t);
	}
}

static void walk_all(struct check *c, struct made *made, bool collect)
{
	for (uint32_t i = 0; i < c->names.space.lists; i++) {
		const struct table *t = c->names.list[i];
		struct walk w = {.check = c, .made = made, .collect = collect, .list = i};

		w.view.space = &c->names.space;
		if (c->names.error[i] == 0 &&
		    vmm_aml_space_reader(&w.reader, t->data + AML_HEADER, t->len - AML_HEADER,
					 &w.view) == 0)
			walk_list(&w);
	}
}

static void check_references(struct check *c)
{
	struct made made = {0};

	if (set_find(c->set, "DSDT", NULL) == NULL)
		return;
	walk_all(c, &made, true);
	walk_all(c, &made, false);
	free(made.segment);
}

/* -- Identifiers --------------------------------------------------------------------------------
 */

/* ACPI 6.5, 6.1.5 and 6.1.12: devices with the same _HID differ in their _UID. */
struct identity {
	char text[160];
	uint32_t device;
};

static int compare(const void *a, const void *b)
{
	const struct identity *x = a, *y = b;
	int by_text = strcmp(x->text, y->text);

	return by_text != 0 ? by_text : x->device < y->device ? -1 : x->device > y->device;
}

static bool identify(const struct check *c, uint32_t index, struct identity *id)
{
	int64_t hid = child_of(c, index, "_HID"), uid = child_of(c, index, "_UID");
	char hid_text[64] = "", uid_text[64] = "";

	if (hid >= 0)
		value_text(&c->names, (uint32_t)hid, hid_text, sizeof(hid_text));
	if (uid >= 0)
		value_text(&c->names, (uint32_t)uid, uid_text, sizeof(uid_text));
	if (uid >= 0 && uid_text[0] == '\0')
		return false; /* told by a method only */
	strcpy(id->text, hid_text);
	strcat(id->text, " _UID ");
	strcat(id->text, uid_text[0] != '\0' ? uid_text : "none");
	id->device = index;
	return hid_text[0] != '\0';
}

static void check_identities(struct check *c)
{
	struct identity *id = calloc(c->names.space.count, sizeof(*id));
	size_t count = 0;

	for (uint32_t i = 0; id != NULL && i < c->names.space.count; i++)
		if (c->names.objects[i].op == VMM_AML_OP_DEVICE && identify(c, i, &id[count]))
			count++;
	if (count > 1)
		qsort(id, count, sizeof(*id), compare);
	for (size_t i = 1; i < count; i++)
		if (strcmp(id[i - 1].text, id[i].text) == 0)
			found(c, path_of(c, id[i].device), "the same as %s: _HID %s",
			      path_of(c, id[i - 1].device), id[i].text);
	free(id);
}

void check_names(struct check *c)
{
	check_aml(c);
	check_definitions(c);
	check_references(c);
	check_identities(c);
}

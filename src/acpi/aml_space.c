// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The namespace that lists of terms lead to. ACPI 6.5, 5.3.
 *
 * Objects are found by (parent, segment), mixed into 64 bits that differ for different objects. The
 * tree over them is a digital one: at depth d the branch is told by bit d. So whatever names a
 * hostile table has, it is never deeper than 64.
 */
#include "libvmm/aml_read.h"

#include "bits.h"
#include "endian.h"
#include "mem.h"

#define ROOT 0
#define NONE UINT32_MAX

/* -- Objects ------------------------------------------------------------------------------------
 */

/* Odd factors and shifts to the right can be undone, so no two keys meet. */
static uint64_t mix(uint32_t parent, const uint8_t *segment)
{
	uint64_t v = (uint64_t)parent << 32 | vmm__le32(segment);

	v *= 0x9e3779b97f4a7c15;
	v ^= v >> 32;
	return v * 0xd6e8feb86659fd93;
}

/* The object, or the branch on which it would hang. */
static uint32_t search(const struct vmm_aml_space *s, uint32_t parent, const uint8_t *segment,
		       uint32_t *last, uint32_t *side)
{
	uint64_t key = mix(parent, segment);
	uint32_t at = ROOT;

	for (unsigned bit = 0; at != NONE; bit++) {
		const struct vmm_aml_object *o = &s->object[at];

		if (at != ROOT && o->parent == parent && memcmp(o->segment, segment, 4) == 0)
			return at;
		*last = at;
		*side = bit == 0 ? 0 : (uint32_t)(key >> (64 - bit)) & 1;
		at = o->branch[*side];
	}
	return NONE;
}

static int make(struct vmm_aml_space *s, uint32_t parent, const uint8_t *segment, uint32_t *index)
{
	uint32_t last = ROOT, side = 0;
	struct vmm_aml_object *o;

	*index = search(s, parent, segment, &last, &side);
	if (*index != NONE)
		return 0;
	if (s->count == s->cap)
		return -VMM_ESIZE;
	*index = s->count++;
	s->object[last].branch[side] = *index;
	o = &s->object[*index];
	memset(o, 0, sizeof(*o));
	memcpy(o->segment, segment, 4);
	o->parent = parent;
	o->branch[0] = o->branch[1] = NONE;
	o->flags = VMM_AML_OBJECT_MISSING;
	return 0;
}

int vmm_aml_space_open(struct vmm_aml_space *s, struct vmm_aml_object *objects, uint32_t cap)
{
	static const char own[][5] = {"_GPE", "_PR_", "_SB_", "_SI_", "_TZ_",
				      "_GL_", "_OS_", "_OSI", "_REV"};
	uint32_t index;

	memset(s, 0, sizeof(*s));
	if (objects == NULL || cap < 16)
		return -VMM_ESIZE;
	s->object = objects;
	s->cap = cap;
	s->count = 1;
	memset(&objects[0], 0, sizeof(objects[0]));
	memcpy(objects[0].segment, "\\___", 4);
	objects[0].branch[0] = objects[0].branch[1] = NONE;
	for (uint32_t i = 0; i < ARRAY_SIZE(own); i++) {
		make(s, ROOT, (const uint8_t *)own[i], &index);
		objects[index].flags = 0;
		objects[index].args = memcmp(own[i], "_OSI", 4) == 0 ? 1 : VMM_AML_NOT_A_METHOD;
	}
	return 0;
}

/* -- Names --------------------------------------------------------------------------------------
 */

/* Where the first segment of a name is looked for; NONE above the root. */
static uint32_t base_of(const struct vmm_aml_space *s, uint32_t scope,
			const struct vmm_aml_path_ref *name)
{
	if (name->root)
		return ROOT;
	for (uint32_t i = 0; i < name->parents; i++) {
		if (scope == ROOT)
			return NONE;
		scope = s->object[scope].parent;
	}
	return scope;
}

static uint32_t walk(const struct vmm_aml_space *s, uint32_t at,
		     const struct vmm_aml_path_ref *name)
{
	uint32_t last, side;

	for (uint32_t i = 0; i < name->count && at != NONE; i++)
		at = search(s, at, name->segment + 4 * (size_t)i, &last, &side);
	return at;
}

int64_t vmm_aml_space_find(const struct vmm_aml_space *s, uint32_t scope,
			   const struct vmm_aml_path_ref *name)
{
	bool upwards = name->count == 1 && !name->root && name->parents == 0;
	uint32_t base, found;

	if (scope >= s->count)
		return -VMM_ENOENT;
	base = base_of(s, scope, name);
	found = walk(s, base, name);
	while (upwards && found == NONE && base != ROOT) {
		base = s->object[base].parent;
		found = walk(s, base, name);
	}
	return found == NONE ? -VMM_ENOENT : (int64_t)found;
}

int64_t vmm_aml_space_child(const struct vmm_aml_space *s, uint32_t parent, const char *segment)
{
	uint32_t last, side, found;

	if (parent >= s->count)
		return -VMM_ENOENT;
	found = search(s, parent, (const uint8_t *)segment, &last, &side);
	return found == NONE ? -VMM_ENOENT : (int64_t)found;
}

int vmm_aml_space_path(const struct vmm_aml_space *s, uint32_t index, char *buf, size_t cap)
{
	uint8_t segments[4 * VMM_AML_READ_DEPTH];
	struct vmm_aml_path_ref name = {.root = 1};
	uint32_t first = VMM_AML_READ_DEPTH;

	if (index >= s->count)
		return -VMM_ENOENT;
	for (uint32_t i = index; i != ROOT; i = s->object[i].parent) {
		if (first == 0)
			return -VMM_ESIZE;
		memcpy(segments + 4 * (size_t)--first, s->object[i].segment, 4);
	}
	name.segment = segments + 4 * (size_t)first;
	name.count = (uint8_t)(VMM_AML_READ_DEPTH - first);
	return vmm_aml_path_text(&name, buf, cap);
}

/* -- What a list defines ------------------------------------------------------------------------
 */

/* A walk through one list: what encloses the terms of each depth. */
struct pass {
	struct vmm_aml_space *space;
	struct vmm_aml_reader reader;
	struct vmm_aml_view view;
	struct vmm_aml_term term;
	uint32_t scope[VMM_AML_READ_DEPTH + 1];
	uint8_t flags[VMM_AML_READ_DEPTH + 1];
};

static uint32_t args_of(void *opaque, const struct vmm_aml_path_ref *name)
{
	const struct vmm_aml_view *view = opaque;
	int64_t index = vmm_aml_space_find(view->space, view->scope, name);
	const struct vmm_aml_object *o;

	if (index < 0)
		return VMM_AML_NOT_A_METHOD;
	o = &view->space->object[index];
	return o->op == VMM_AML_OP_METHOD || o->op == VMM_AML_OP_EXTERNAL || o->op == 0
		       ? o->args
		       : VMM_AML_NOT_A_METHOD;
}

/* The object of a name, made with all that leads to it. */
static int declare(struct pass *p, const struct vmm_aml_path_ref *name, uint32_t *index)
{
	uint32_t at = base_of(p->space, p->view.scope, name);
	int error = at == NONE ? -VMM_EFORMAT : 0;

	for (uint32_t i = 0; i < name->count && error == 0; i++)
		error = make(p->space, at, name->segment + 4 * (size_t)i, &at);
	*index = at;
	return error;
}

static int define(struct pass *p, const struct vmm_aml_path_ref *name, uint32_t *index)
{
	int error = declare(p, name, index);
	struct vmm_aml_object *o;

	if (error != 0)
		return error;
	o = &p->space->object[*index];
	if ((o->flags & VMM_AML_OBJECT_MISSING) == 0) {
		o->flags |= VMM_AML_OBJECT_AGAIN;
		return 0;
	}
	o->op = p->term.op;
	o->at = p->term.at;
	o->list = (uint8_t)(p->space->lists - 1);
	o->args = p->term.op == VMM_AML_OP_METHOD ? (uint8_t)p->term.args : VMM_AML_NOT_A_METHOD;
	o->flags = p->flags[p->term.depth];
	return 0;
}

/* An external object is missing until it is defined; what it says of its arguments counts. */
static int declare_external(struct pass *p)
{
	bool method = p->term.value[0] == 8;
	struct vmm_aml_object *o;
	uint32_t index;
	int error = declare(p, &p->term.name, &index);

	if (error != 0)
		return error;
	o = &p->space->object[index];
	if ((o->flags & VMM_AML_OBJECT_MISSING) != 0 && o->op == 0) {
		o->op = VMM_AML_OP_EXTERNAL;
		o->args = method ? (uint8_t)(p->term.args & 7) : VMM_AML_NOT_A_METHOD;
		o->at = p->term.at;
		o->list = (uint8_t)(p->space->lists - 1);
	}
	return 0;
}

static bool holds_objects(uint32_t op)
{
	return op == VMM_AML_OP_DEVICE || op == VMM_AML_OP_PROCESSOR || op == VMM_AML_OP_POWER ||
	       op == VMM_AML_OP_THERMAL;
}

static bool is_conditional(uint32_t op)
{
	return op == 0xa0 || op == 0xa1 || op == 0xa2;
}

/* What @term defines, if it does; @inner is where what stands in it is. */
static int enter(struct pass *p, uint32_t *inner)
{
	uint32_t index = *inner;
	int error = 0;

	switch (p->term.op) {
	case VMM_AML_OP_SCOPE:
		error = p->term.name.count == 0 && p->term.name.root
				? 0
				: declare(p, &p->term.name, inner);
		if (p->term.name.count == 0 && p->term.name.root)
			*inner = ROOT;
		return error;
	case VMM_AML_OP_ALIAS:
		return define(p, &p->term.other, &index);
	case VMM_AML_OP_EXTERNAL:
		return declare_external(p);
	case VMM_AML_OP_METHOD:
		error = define(p, &p->term.name, &index);
		vmm_aml_read_skip(&p->reader, &p->term);
		return error;
	case VMM_AML_OP_NAME:
	case VMM_AML_OP_MUTEX:
	case VMM_AML_OP_EVENT:
	case VMM_AML_OP_REGION:
	case VMM_AML_OP_DATA_REGION:
	case VMM_AML_OP_UNIT:
		return define(p, &p->term.name, &index);
	default:
		if (!holds_objects(p->term.op))
			return 0;
		return define(p, &p->term.name, inner);
	}
}

static int add_term(struct pass *p)
{
	uint32_t depth = p->term.depth, inner = p->scope[depth];
	int error = enter(p, &inner);

	p->scope[depth + 1] = inner;
	p->flags[depth + 1] = p->flags[depth];
	if (is_conditional(p->term.op))
		p->flags[depth + 1] |= VMM_AML_OBJECT_CONDITIONAL;
	return error;
}

static int add_list(struct pass *p)
{
	int error;

	p->term.size = sizeof(p->term);
	p->scope[0] = ROOT;
	for (;;) {
		error = vmm_aml_read_next(&p->reader, &p->term);
		if (error != 0)
			break;
		p->view.scope = p->scope[p->term.depth];
		error = add_term(p);
		if (error != 0)
			break;
		p->view.scope = p->scope[p->term.depth + 1];
	}
	p->space->error_at = p->reader.at;
	return error == -VMM_ENOENT ? 0 : error;
}

int vmm_aml_space_add(struct vmm_aml_space *s, const void *data, size_t len)
{
	struct pass p;
	int error;

	if (s->lists == VMM_AML_SPACE_LISTS)
		return -VMM_ELIMIT;
	memset(&p, 0, sizeof(p));
	p.space = s;
	p.view.space = s;
	error = vmm_aml_space_reader(&p.reader, data, len, &p.view);
	if (error != 0)
		return error;
	s->list[s->lists].data = data;
	s->list[s->lists++].len = (uint32_t)len;
	return add_list(&p);
}

/* -- Reading with a namespace -------------------------------------------------------------------
 */

int vmm_aml_space_reader(struct vmm_aml_reader *r, const void *data, size_t len,
			 struct vmm_aml_view *view)
{
	return vmm_aml_read_open(r, data, len, args_of, view);
}

int vmm_aml_space_read(const struct vmm_aml_space *s, uint32_t index, struct vmm_aml_reader *r,
		       struct vmm_aml_view *view)
{
	const struct vmm_aml_object *o;
	int error;

	if (index >= s->count || s->object[index].op == 0)
		return -VMM_ENOENT;
	o = &s->object[index];
	*view = (struct vmm_aml_view){.space = s, .scope = index};
	if (o->op != VMM_AML_OP_METHOD && !holds_objects(o->op))
		view->scope = o->parent;
	error = vmm_aml_space_reader(r, s->list[o->list].data, s->list[o->list].len, view);
	if (error != 0)
		return error;
	r->at = o->at;
	if (o->op == VMM_AML_OP_UNIT)
		r->frame[0].rest = "F";
	return 0;
}

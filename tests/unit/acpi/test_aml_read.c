// SPDX-License-Identifier: BSD-2-Clause-Patent
/* What was built is read back, term by term, by name, and as resources; what is not AML is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libvmm/aml_read.h"
#include "samples.h"

/* -- Terms --------------------------------------------------------------------------------------
 */

struct list {
	struct vmm_aml a;
	struct vmm_aml_reader r;
	uint8_t buf[16384];
	size_t len;
};

static struct vmm_aml *start(struct list *l)
{
	assert_int_equal(vmm_aml_open(&l->a, l->buf, sizeof(l->buf)), 0);
	return &l->a;
}

static void turn(struct list *l)
{
	assert_int_equal(vmm_aml_close(&l->a, &l->len), 0);
	assert_int_equal(vmm_aml_read_open(&l->r, l->buf, l->len, NULL, NULL), 0);
}

static struct vmm_aml_term expect(struct list *l, uint32_t op, uint32_t depth)
{
	struct vmm_aml_term t = {.size = sizeof(t)};

	assert_int_equal(vmm_aml_read_next(&l->r, &t), 0);
	assert_int_equal(t.op, op);
	assert_int_equal(t.depth, depth);
	return t;
}

static void expect_end(struct list *l)
{
	struct vmm_aml_term t = {.size = sizeof(t)};

	assert_int_equal(vmm_aml_read_next(&l->r, &t), -VMM_ENOENT);
}

static void terms_come_in_order(void **state)
{
	static struct list l;
	struct vmm_aml *a = start(&l);
	struct vmm_aml_term t;
	char text[64];

	(void)state;
	vmm_aml_device_begin(a, "\\_SB.PCI0.S1");
	vmm_aml_name(a, "_HID");
	vmm_aml_string(a, "ACPI0007");
	vmm_aml_method_begin(a, "_STA", 2, VMM_AML_SERIALIZED);
	vmm_aml_return(a);
	vmm_aml_or(a);
	vmm_aml_int(a, 0x1234);
	vmm_aml_arg(a, 1);
	vmm_aml_null(a);
	vmm_aml_method_finish(a);
	vmm_aml_device_finish(a);
	turn(&l);
	t = expect(&l, VMM_AML_OP_DEVICE, 0);
	assert_int_equal(t.end, l.len);
	assert_int_equal(vmm_aml_path_text(&t.name, text, sizeof(text)), 0);
	assert_string_equal(text, "\\_SB.PCI0.S1");
	t = expect(&l, VMM_AML_OP_NAME, 1);
	assert_memory_equal(t.name.segment, "_HID", 4);
	t = expect(&l, VMM_AML_OP_STRING, 2);
	assert_int_equal(t.len, 8);
	assert_memory_equal(t.bytes, "ACPI0007", 8);
	t = expect(&l, VMM_AML_OP_METHOD, 1);
	assert_int_equal(t.args, 2);
	assert_int_equal(t.value[0], 2 | VMM_AML_SERIALIZED);
	expect(&l, VMM_AML_OP_RETURN, 2);
	expect(&l, 0x7d, 3);
	t = expect(&l, VMM_AML_OP_WORD, 4);
	assert_int_equal(t.value[0], 0x1234);
	expect(&l, 0x69, 4);
	expect(&l, VMM_AML_OP_NULL, 4);
	expect_end(&l);
}

static void lists_of_units(void **state)
{
	static struct list l;
	struct vmm_aml *a = start(&l);
	struct vmm_aml_term t;

	(void)state;
	vmm_aml_index_field_begin(a, "IDX", "DAT", VMM_AML_ACCESS_BYTE);
	vmm_aml_field_unit(a, "ONE", 300);
	vmm_aml_field_offset(a, 64);
	vmm_aml_field_access(a, VMM_AML_ACCESS_WORD, 5);
	vmm_aml_field_finish(a);
	turn(&l);
	t = expect(&l, VMM_AML_OP_INDEX_FIELD, 0);
	assert_memory_equal(t.name.segment, "IDX_", 4);
	assert_memory_equal(t.other.segment, "DAT_", 4);
	assert_int_equal(t.value[0], VMM_AML_ACCESS_BYTE);
	assert_int_equal(expect(&l, VMM_AML_OP_UNIT, 1).value[0], 300);
	assert_int_equal(expect(&l, VMM_AML_OP_SKIP, 1).value[0], 64 * 8 - 300);
	t = expect(&l, VMM_AML_OP_ACCESS, 1);
	assert_int_equal(t.value[0], VMM_AML_ACCESS_WORD);
	assert_int_equal(t.value[1], 5);
	expect_end(&l);
}

static void skipping(void **state)
{
	static struct list l;
	struct vmm_aml *a = start(&l);
	struct vmm_aml_term t;

	(void)state;
	vmm_aml_name(a, "PKG");
	vmm_aml_package_begin(a);
	vmm_aml_int(a, 1);
	vmm_aml_path(a, "NAME");
	vmm_aml_package_finish(a);
	vmm_aml_mutex(a, "MTX", 3);
	turn(&l);
	t = expect(&l, VMM_AML_OP_NAME, 0);
	assert_int_equal(vmm_aml_read_skip(&l.r, &t), -VMM_EINVAL);
	t = expect(&l, VMM_AML_OP_PACKAGE, 1);
	assert_int_equal(t.value[0], 2);
	assert_int_equal(vmm_aml_read_skip(&l.r, &t), 0);
	t = expect(&l, VMM_AML_OP_MUTEX, 0);
	assert_int_equal(t.value[0], 3);
	expect_end(&l);
}

static void what_is_not_aml(void **state)
{
	static const struct {
		uint8_t len;
		uint8_t bytes[8];
	} bad[] = {
		{1, {0x08}},                         /* Name without a name */
		{4, {0x08, 'A', 'B', 'C'}},          /* a segment of three */
		{5, {0x08, 'a', 'B', 'C', 'D'}},     /* lower case */
		{2, {0x0b, 1}},                      /* half a word */
		{3, {0x0d, 'a', 'b'}},               /* a string without an end */
		{2, {0x10, 0x3f}},                   /* a package longer than the list */
		{2, {0xa1, 0x00}},                   /* one shorter than its own length */
		{5, {0x11, 0x44, 0x01, 0x0a, 9}},    /* a length of bytes that are not there */
		{1, {0x02}},                         /* no such opcode */
		{2, {0x5b, 0x00}},                   /* nor this */
		{3, {0x2f, 0x00, 'A'}},              /* a name of no segments */
		{1, {0x70}},                         /* an operand that is owed */
		{6, {0xa0, 0x03, 0x5c, 0x2e, 1, 1}}, /* a name cut by its package */
	};
	struct vmm_aml_term t = {.size = sizeof(t)};
	struct vmm_aml_reader r;
	int err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(vmm_aml_read_open(&r, bad[i].bytes, bad[i].len, NULL, NULL), 0);
		do
			err = vmm_aml_read_next(&r, &t);
		while (err == 0);
		assert_int_equal(err, -VMM_EFORMAT);
		assert_int_equal(vmm_aml_read_next(&r, &t), -VMM_EFORMAT);
	}
	t.size = 1;
	assert_int_equal(vmm_aml_read_next(&r, &t), -VMM_EINVAL);
	assert_int_equal(vmm_aml_read_open(&r, NULL, 1, NULL, NULL), -VMM_EINVAL);
	assert_int_equal(vmm_aml_read_open(&r, "", (size_t)1 << 31, NULL, NULL), -VMM_ERANGE);
}

static void too_deep(void **state)
{
	uint8_t bytes[VMM_AML_READ_DEPTH + 8];
	struct vmm_aml_term t = {.size = sizeof(t)};
	struct vmm_aml_reader r;
	unsigned terms = 0;
	int err;

	(void)state;
	memset(bytes, 0x92, sizeof(bytes)); /* LNot (LNot (... */
	assert_int_equal(vmm_aml_read_open(&r, bytes, sizeof(bytes), NULL, NULL), 0);
	while ((err = vmm_aml_read_next(&r, &t)) == 0)
		terms++;
	assert_int_equal(err, -VMM_ELIMIT);
	assert_int_equal(terms, VMM_AML_READ_DEPTH - 1);
}

/* -- The namespace ------------------------------------------------------------------------------
 */

#define ROOM 512

struct space {
	struct vmm_aml_space s;
	struct vmm_aml_object objects[ROOM];
};

static int64_t find(struct space *p, uint32_t scope, const char *path)
{
	static struct list l;
	struct vmm_aml *a = start(&l);
	struct vmm_aml_term t;

	vmm_aml_store(a);
	vmm_aml_path(a, path);
	vmm_aml_debug(a);
	turn(&l);
	expect(&l, 0x70, 0);
	t = expect(&l, VMM_AML_OP_PATH, 1);
	return vmm_aml_space_find(&p->s, scope, &t.name);
}

static uint32_t found(struct space *p, uint32_t scope, const char *path)
{
	int64_t index = find(p, scope, path);

	assert_true(index >= 0);
	return (uint32_t)index;
}

static void samples_in_a_space(void **state)
{
	static struct list l;
	static struct space p;
	struct vmm_aml *a = start(&l);
	struct vmm_aml_object *o;
	uint32_t term;
	char text[64];

	(void)state;
	sample_terms(a);
	turn(&l);
	assert_int_equal(vmm_aml_space_open(&p.s, p.objects, ROOM), 0);
	assert_int_equal(vmm_aml_space_add(&p.s, l.buf, l.len), 0);
	term = found(&p, 0, "\\_SB.TERM");
	assert_int_equal(p.objects[term].op, VMM_AML_OP_DEVICE);
	assert_int_equal(found(&p, found(&p, 0, "\\_SB.TERM.PWR"), "ROOT"), found(&p, 0, "ROOT"));
	assert_int_equal(found(&p, found(&p, 0, "\\_SB.TERM.OPER"), "^LATE"),
			 found(&p, term, "LATE"));
	assert_int_equal(find(&p, 0, "LATE"), -VMM_ENOENT);
	assert_int_equal(find(&p, term, "^^^LATE"), -VMM_ENOENT);
	assert_int_equal(vmm_aml_space_child(&p.s, term, "FLD1"), found(&p, term, "FLD1"));
	o = &p.objects[found(&p, term, "OPER")];
	assert_int_equal(o->op, VMM_AML_OP_METHOD);
	assert_int_equal(o->args, 2);
	assert_int_equal(o->flags, 0);
	assert_int_equal(p.objects[found(&p, term, "XFL0")].op, VMM_AML_OP_UNIT);
	assert_int_equal(vmm_aml_space_path(&p.s, found(&p, term, "PWR._ON"), text, sizeof(text)),
			 0);
	assert_string_equal(text, "\\_SB.TERM.PWR._ON");
	assert_int_equal(vmm_aml_space_path(&p.s, term, text, 6), -VMM_ESIZE);
	assert_int_equal(vmm_aml_space_path(&p.s, p.s.count, text, 6), -VMM_ENOENT);
}

/* A call is told from a name by the namespace alone. */
static void calls_take_their_values(void **state)
{
	static struct list l;
	static struct space p;
	struct vmm_aml *a = start(&l);
	struct vmm_aml_term t = {.size = sizeof(t)};
	struct vmm_aml_view view;

	(void)state;
	vmm_aml_method_begin(a, "USER", 0, 0);
	vmm_aml_return(a);
	vmm_aml_call(a, "TWO", 2);
	vmm_aml_int(a, 5);
	vmm_aml_path(a, "NAME");
	vmm_aml_method_finish(a);
	vmm_aml_method_begin(a, "TWO", 2, 0);
	vmm_aml_method_finish(a);
	vmm_aml_name(a, "NAME");
	vmm_aml_int(a, 1);
	vmm_aml_external(a, "EXT", VMM_AML_TYPE_METHOD, 3);
	turn(&l);
	assert_int_equal(vmm_aml_space_open(&p.s, p.objects, ROOM), 0);
	assert_int_equal(vmm_aml_space_add(&p.s, l.buf, l.len), 0);
	assert_int_equal(p.objects[found(&p, 0, "EXT")].args, 3);
	assert_int_equal(p.objects[found(&p, 0, "EXT")].flags, VMM_AML_OBJECT_MISSING);
	assert_int_equal(vmm_aml_space_read(&p.s, found(&p, 0, "USER"), &l.r, &view), 0);
	expect(&l, VMM_AML_OP_METHOD, 0);
	expect(&l, VMM_AML_OP_RETURN, 1);
	assert_int_equal(expect(&l, VMM_AML_OP_CALL, 2).args, 2);
	expect(&l, VMM_AML_OP_BYTE, 3);
	expect(&l, VMM_AML_OP_PATH, 3);
	assert_int_equal(vmm_aml_space_read(&p.s, 0, &l.r, &view), -VMM_ENOENT);
}

static void twice_and_conditional(void **state)
{
	static struct list l;
	static struct space p;
	struct vmm_aml *a = start(&l);

	(void)state;
	vmm_aml_name(a, "NAME");
	vmm_aml_int(a, 1);
	vmm_aml_if_begin(a);
	vmm_aml_int(a, 0);
	vmm_aml_event(a, "EVT");
	vmm_aml_if_finish(a);
	vmm_aml_event(a, "NAME");
	vmm_aml_scope_begin(a, "\\_SB.GONE");
	vmm_aml_scope_finish(a);
	turn(&l);
	assert_int_equal(vmm_aml_space_open(&p.s, p.objects, ROOM), 0);
	assert_int_equal(vmm_aml_space_add(&p.s, l.buf, l.len), 0);
	assert_int_equal(p.objects[found(&p, 0, "NAME")].flags, VMM_AML_OBJECT_AGAIN);
	assert_int_equal(p.objects[found(&p, 0, "NAME")].op, VMM_AML_OP_NAME);
	assert_int_equal(p.objects[found(&p, 0, "EVT")].flags, VMM_AML_OBJECT_CONDITIONAL);
	assert_int_equal(p.objects[found(&p, 0, "\\_SB.GONE")].flags, VMM_AML_OBJECT_MISSING);
}

static void no_room_for_objects(void **state)
{
	static struct list l;
	static struct space p;
	struct vmm_aml *a = start(&l);
	uint32_t all;

	(void)state;
	sample_terms(a);
	turn(&l);
	assert_int_equal(vmm_aml_space_open(&p.s, p.objects, 15), -VMM_ESIZE);
	assert_int_equal(vmm_aml_space_open(&p.s, p.objects, ROOM), 0);
	assert_int_equal(vmm_aml_space_add(&p.s, l.buf, l.len), 0);
	all = p.s.count;
	for (uint32_t cap = 16; cap < all; cap++) {
		memset(p.objects, 0x5a, sizeof(p.objects));
		assert_int_equal(vmm_aml_space_open(&p.s, p.objects, cap), 0);
		assert_int_equal(vmm_aml_space_add(&p.s, l.buf, l.len), -VMM_ESIZE);
		assert_int_equal(((uint8_t *)&p.objects[cap])[0], 0x5a);
	}
	assert_int_equal(vmm_aml_space_open(&p.s, p.objects, ROOM), 0);
	for (int i = 0; i < VMM_AML_SPACE_LISTS; i++)
		assert_int_equal(vmm_aml_space_add(&p.s, "", 0), 0);
	assert_int_equal(vmm_aml_space_add(&p.s, "", 0), -VMM_ELIMIT);
}

/* -- Resources ----------------------------------------------------------------------------------
 */

static void resources_as_built(void **state)
{
	static struct list l;
	struct vmm_aml *a = start(&l);
	struct vmm_aml_res r = {.size = sizeof(r)};
	struct vmm_aml_term t;
	uint32_t kinds = 0, count = 0;
	size_t at = 0;

	(void)state;
	vmm_aml_name(a, "_CRS");
	vmm_aml_resources_begin(a);
	sample_resources(a);
	vmm_aml_resources_finish(a);
	turn(&l);
	expect(&l, VMM_AML_OP_NAME, 0);
	expect(&l, VMM_AML_OP_BUFFER, 1);
	expect(&l, VMM_AML_OP_WORD, 2);
	t = expect(&l, VMM_AML_OP_BYTES, 2);
	while (vmm_aml_res_next(t.bytes, t.len, &at, &r) == 0) {
		kinds |= UINT32_C(1) << r.kind;
		count++;
		if (r.kind == VMM_AML_RES_IO && r.tag == 8 && count < 5)
			assert_true(r.min == 0x3f8 && r.max == 0x3f8 && r.length == 8);
		if (r.tag == 0x86)
			assert_true(r.min == 0xfed00000 && r.max == r.min && r.length == 0x400);
		if (r.tag == 0x85)
			assert_true(r.min == 0x80000000 && r.max == 0x8ffff000 &&
				    r.granularity == 0x1000 && r.length == 0x2000);
		if (r.tag == 0x8a && r.type == VMM_AML_RANGE_MEMORY)
			assert_true(r.min == 1ULL << 40 && r.length == 1ULL << 38 &&
				    r.max == r.min + r.length - 1);
		if (r.kind == VMM_AML_RES_INTERRUPT && r.count == 3)
			assert_int_equal(vmm_aml_res_gsi(&r, 2), 0x12345678);
		if (r.kind == VMM_AML_RES_INTERRUPT)
			assert_int_equal(vmm_aml_res_gsi(&r, r.count), -VMM_ENOENT);
		if (r.kind == VMM_AML_RES_REGISTER)
			assert_true(r.type == 0 && r.min == 0xfeed0000 && r.length == 32);
	}
	assert_int_equal(vmm_aml_res_next(t.bytes, t.len, &at, &r), -VMM_ENOENT);
	assert_int_equal(at + r.len, t.len);
	assert_int_equal(count, 31);
	for (uint32_t kind = 1; kind <= VMM_AML_RES_SERIAL; kind++)
		assert_true(kinds >> kind & 1);
	for (size_t cut = 0; cut < t.len - 1; cut++) {
		int err;

		at = 0;
		do
			err = vmm_aml_res_next(t.bytes, cut, &at, &r);
		while (err == 0);
		assert_int_equal(err, -VMM_EFORMAT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terms_come_in_order),
		cmocka_unit_test(lists_of_units),
		cmocka_unit_test(skipping),
		cmocka_unit_test(what_is_not_aml),
		cmocka_unit_test(too_deep),
		cmocka_unit_test(samples_in_a_space),
		cmocka_unit_test(calls_take_their_values),
		cmocka_unit_test(twice_and_conditional),
		cmocka_unit_test(no_room_for_objects),
		cmocka_unit_test(resources_as_built),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "samples.h"

/* A builder over room of its own, and what it must have made at the end. */
struct run {
	struct vmm_aml a;
	uint8_t buf[1024];
};

static struct vmm_aml *start(struct run *r)
{
	assert_int_equal(vmm_aml_open(&r->a, r->buf, sizeof(r->buf)), 0);
	return &r->a;
}

static void expect(struct run *r, const void *bytes, size_t n)
{
	size_t len = 0;

	assert_int_equal(vmm_aml_close(&r->a, &len), 0);
	assert_int_equal(len, n);
	assert_memory_equal(r->buf, bytes, n);
}

#define EXPECT(r, ...) expect(r, (const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

/* -- Encodings ----------------------------------------------------------------------------------
 */

static void integers_are_shortest(void **state)
{
	static const struct {
		uint64_t value;
		uint8_t n;
		uint8_t bytes[9];
	} cases[] = {
		{0, 1, {0x00}},
		{1, 1, {0x01}},
		{2, 2, {0x0a, 2}},
		{0xff, 2, {0x0a, 0xff}},
		{0x100, 3, {0x0b, 0, 1}},
		{0xffff, 3, {0x0b, 0xff, 0xff}},
		{0x10000, 5, {0x0c, 0, 0, 1, 0}},
		{0xffffffff, 5, {0x0c, 0xff, 0xff, 0xff, 0xff}},
		{0x100000000, 9, {0x0e, 0, 0, 0, 0, 1, 0, 0, 0}},
		{UINT64_MAX, 1, {0xff}},
	};
	struct run r;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t want[16] = {0x08, 'X', '_', '_', '_'};
		struct vmm_aml *a = start(&r);

		vmm_aml_name(a, "X");
		vmm_aml_int(a, cases[i].value);
		memcpy(want + 5, cases[i].bytes, cases[i].n);
		expect(&r, want, 5U + cases[i].n);
	}
}

static void paths(void **state)
{
	struct run r;
	struct vmm_aml *a = start(&r);

	(void)state;
	vmm_aml_event(a, "A");
	vmm_aml_event(a, "\\AB.CDEF");
	vmm_aml_event(a, "^^_X1.Y.Z2");
	EXPECT(&r, 0x5b, 0x02, 'A', '_', '_', '_', 0x5b, 0x02, '\\', 0x2e, 'A', 'B', '_', '_', 'C',
	       'D', 'E', 'F', 0x5b, 0x02, '^', '^', 0x2f, 3, '_', 'X', '1', '_', 'Y', '_', '_', '_',
	       'Z', '2', '_', '_');
}

static void malformed_paths(void **state)
{
	static const char *const bad[] = {
		"",   "a", "1A",   "ABCDE", "A.",  ".A",   "A..B",
		"\\", "^", "\\^A", "A^",    "A B", "A.bb", NULL,
	};
	struct run r;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct vmm_aml *a = start(&r);

		assert_int_equal(vmm_aml_event(a, bad[i]), -VMM_EINVAL);
		assert_int_equal(vmm_aml_close(a, NULL), -VMM_EINVAL);
	}
}

static void path_of_255_segments(void **state)
{
	char path[2 * 256];
	struct run r;

	(void)state;
	for (int n = 255; n <= 256; n++) {
		struct vmm_aml *a;

		for (int i = 0; i < 2 * n; i += 2)
			memcpy(path + i, "A.", 2);
		path[2 * n - 1] = '\0';
		a = start(&r);
		vmm_aml_open(a, NULL, 0);
		assert_int_equal(vmm_aml_event(a, path), n == 255 ? 0 : -VMM_EINVAL);
	}
}

static void identifiers(void **state)
{
	struct run r;
	struct vmm_aml *a = start(&r);

	(void)state;
	vmm_aml_name(a, "_HID");
	vmm_aml_eisaid(a, "PNP0A08");
	vmm_aml_name(a, "U");
	vmm_aml_uuid(a, "00112233-4455-6677-8899-aAbBcCdDeEfF");
	EXPECT(&r, 0x08, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x0a, 0x08, 0x08, 'U', '_', '_', '_',
	       0x11, 0x13, 0x0a, 0x10, 0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99,
	       0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff);
}

static void malformed_identifiers(void **state)
{
	static const char *const eisa[] = {NULL,       "",        "PNP",     "PNP0A0",
					   "PNP0A088", "pnp0A08", "PN00A08", "PNP0A0G"};
	static const char *const uuid[] = {NULL,
					   "",
					   "0011223344556677-8899-aabbccddeeff",
					   "00112233-4455-6677-8899-aabbccddeef",
					   "00112233-4455-6677-8899-aabbccddeefff",
					   "00112233-4455-6677-8899-aabbccddeefg"};
	struct run r;

	(void)state;
	for (size_t i = 0; i < sizeof(eisa) / sizeof(eisa[0]); i++) {
		start(&r);
		vmm_aml_name(&r.a, "_HID");
		assert_int_equal(vmm_aml_eisaid(&r.a, eisa[i]), -VMM_EINVAL);
	}
	for (size_t i = 0; i < sizeof(uuid) / sizeof(uuid[0]); i++) {
		start(&r);
		vmm_aml_name(&r.a, "U");
		assert_int_equal(vmm_aml_uuid(&r.a, uuid[i]), -VMM_EINVAL);
	}
}

/* 20.2.4: a package length takes another byte at 63, 4,095, 1,048,575. */
static void package_lengths_are_shortest(void **state)
{
	static const struct {
		size_t zeros; /* bytes of a buffer's data */
		size_t total; /* of the whole term */
		uint8_t head[6];
	} cases[] = {
		{60, 64, {0x11, 0x3f, 0x0a, 60}},
		{61, 66, {0x11, 0x41, 0x04, 0x0a, 61}},
		{4090, 4096, {0x11, 0x4f, 0xff, 0x0b, 0xfa, 0x0f}},
		{4091, 4098, {0x11, 0x81, 0x00, 0x01, 0x0b, 0xfb}},
	};
	static uint8_t data[5000], buf[6000];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vmm_aml a;
		size_t len;

		vmm_aml_open(&a, buf, sizeof(buf));
		vmm_aml_name(&a, "B");
		vmm_aml_buffer(&a, data, cases[i].zeros);
		assert_int_equal(vmm_aml_close(&a, &len), 0);
		assert_int_equal(len, 5 + cases[i].total);
		assert_memory_equal(buf + 5, cases[i].head, 4);
	}
}

static void package_length_has_a_limit(void **state)
{
	struct vmm_aml a;
	static const uint8_t byte;

	(void)state;
	vmm_aml_open(&a, NULL, 0);
	vmm_aml_name(&a, "B");
	assert_int_equal(vmm_aml_buffer(&a, &byte, 0xfffffff), -VMM_ERANGE);
	vmm_aml_open(&a, NULL, 0);
	vmm_aml_name(&a, "B");
	assert_int_equal(vmm_aml_buffer(&a, &byte, SIZE_MAX), -VMM_ERANGE);
	vmm_aml_open(&a, NULL, 0);
	vmm_aml_device_begin(&a, "D");
	for (int i = 0; i < 2; i++) {
		vmm_aml_name(&a, "B");
		assert_int_equal(vmm_aml_buffer(&a, &byte, 0x9000000), 0);
	}
	assert_int_equal(vmm_aml_device_finish(&a), -VMM_ERANGE);
}

static void big_packages_count_in_an_integer(void **state)
{
	struct run r;
	struct vmm_aml *a;

	(void)state;
	for (int n = 255; n <= 256; n++) {
		a = start(&r);
		vmm_aml_name(a, "P");
		vmm_aml_package_begin(a);
		for (int i = 0; i < n; i++)
			vmm_aml_int(a, 0);
		vmm_aml_package_finish(a);
		assert_int_equal(vmm_aml_close(a, NULL), 0);
		assert_int_equal(r.buf[5], n == 255 ? 0x12 : 0x13);
		if (n == 255)
			assert_int_equal(r.buf[8], 255);
		else
			assert_memory_equal(r.buf + 8, ((uint8_t[]){0x0b, 0x00, 0x01}), 3);
	}
}

static void fields(void **state)
{
	struct run r;
	struct vmm_aml *a = start(&r);

	(void)state;
	vmm_aml_field_begin(a, "R", VMM_AML_ACCESS_DWORD | VMM_AML_UPDATE_ONES);
	vmm_aml_field_unit(a, "A", 8);
	vmm_aml_field_offset(a, 1);
	vmm_aml_field_offset(a, 16);
	vmm_aml_field_unit(a, "B", 64);
	vmm_aml_field_finish(a);
	EXPECT(&r, 0x5b, 0x81, 0x14, 'R', '_', '_', '_', 0x23, 'A', '_', '_', '_', 8, 0x00, 0x48,
	       0x07, 'B', '_', '_', '_', 0x40, 0x04);
	a = start(&r);
	vmm_aml_field_begin(a, "R", 0);
	vmm_aml_field_unit(a, "A", 9);
	assert_int_equal(vmm_aml_field_offset(a, 1), -VMM_EINVAL);
}

/* 6.4.2.1, 6.4.3.6, 6.4.3.8.1: each flag in its place, each length to the byte. */
static void resources(void **state)
{
	static const uint32_t gsi[] = {0x12345678, 9};
	struct run r;
	struct vmm_aml *a = start(&r);

	(void)state;
	vmm_aml_name(a, "R");
	vmm_aml_resources_begin(a);
	vmm_aml_res_irq(a, 0x1234, VMM_AML_INT_LOW);
	vmm_aml_res_irq(a, 0x1234, VMM_AML_INT_EDGE | VMM_AML_INT_SHARED | VMM_AML_INT_WAKE);
	vmm_aml_res_interrupt(a, VMM_AML_INT_CONSUMER | VMM_AML_INT_WAKE, gsi, 2);
	vmm_aml_res_gpio_int(a, VMM_AML_GPIO_BOTH | VMM_AML_GPIO_WAKE, 2, "AB", 0x1234);
	vmm_aml_res_vendor(a, "1234567", 7);
	vmm_aml_res_vendor(a, "12345678", 8);
	vmm_aml_resources_finish(a);
	EXPECT(&r, 0x08, 'R', '_', '_', '_', 0x11, 0x4a, 0x04, 0x0a,
	       0x46,                                                     /* 70 bytes of resources */
	       0x23, 0x34, 0x12, 0x08, 0x23, 0x34, 0x12, 0x31,           /* two IRQs */
	       0x89, 10, 0, 0x11, 2, 0x78, 0x56, 0x34, 0x12, 9, 0, 0, 0, /* interrupt */
	       0x8c, 25, 0, 1, 0, 1, 0, 0x14, 0, 2, 0, 0, 0, 0, 23, 0, 0, 25, 0, 28, 0, 0,
	       0,                                                                /* GPIO */
	       0x34, 0x12, 'A', 'B', 0, 0x77, '1', '2', '3', '4', '5', '6', '7', /* vendor, short */
	       0x84, 8, 0, '1', '2', '3', '4', '5', '6', '7', '8', 0x79, 0);
}

static void lengths_of_resources_have_limits(void **state)
{
	static const uint8_t data[0x10000];
	struct vmm_aml a;

	(void)state;
	for (size_t len = 0xffff; len <= 0x10000; len++) {
		vmm_aml_open(&a, NULL, 0);
		vmm_aml_name(&a, "R");
		vmm_aml_resources_begin(&a);
		assert_int_equal(vmm_aml_res_vendor(&a, data, len),
				 len == 0xffff ? 0 : -VMM_ERANGE);
	}
}

static void external_and_operators(void **state)
{
	struct run r;
	struct vmm_aml *a = start(&r);

	(void)state;
	vmm_aml_external(a, "M", VMM_AML_TYPE_METHOD, 2);
	vmm_aml_if_begin(a);
	vmm_aml_lless_equal(a);
	vmm_aml_int(a, 1);
	vmm_aml_int(a, 2);
	vmm_aml_call(a, "M", 2);
	vmm_aml_int(a, 0);
	vmm_aml_and(a);
	vmm_aml_int(a, 3);
	vmm_aml_int(a, 1);
	vmm_aml_null(a);
	vmm_aml_if_finish(a);
	EXPECT(&r, 0x15, 'M', '_', '_', '_', 8, 2, 0xa0, 0x10, 0x92, 0x94, 1, 0x0a, 2, 'M', '_',
	       '_', '_', 0, 0x7b, 0x0a, 3, 1, 0);
}

/*
 * Opcodes of 20.3, Table 20.2, and the operands each takes: Value, Super, Target, Path. A value
 * that nothing else accepts is an integer; a super that is no target's null, the debug object.
 */
static void opcodes_and_operands(void **state)
{
	static const struct {
		int (*term)(struct vmm_aml *);
		uint8_t op[2];
		char operands[5];
	} cases[] = {
		{vmm_aml_noop, {0xa3}, ""},
		{vmm_aml_breakpoint, {0xcc}, ""},
		{vmm_aml_notify, {0x86}, "SV"},
		{vmm_aml_release, {0x5b, 0x27}, "S"},
		{vmm_aml_reset, {0x5b, 0x26}, "S"},
		{vmm_aml_signal, {0x5b, 0x24}, "S"},
		{vmm_aml_sleep, {0x5b, 0x22}, "V"},
		{vmm_aml_stall, {0x5b, 0x21}, "V"},
		{vmm_aml_wait, {0x5b, 0x25}, "SV"},
		{vmm_aml_store, {0x70}, "VS"},
		{vmm_aml_copy, {0x9d}, "VS"},
		{vmm_aml_add, {0x72}, "VVT"},
		{vmm_aml_subtract, {0x74}, "VVT"},
		{vmm_aml_multiply, {0x77}, "VVT"},
		{vmm_aml_divide, {0x78}, "VVTT"},
		{vmm_aml_mod, {0x85}, "VVT"},
		{vmm_aml_shift_left, {0x79}, "VVT"},
		{vmm_aml_shift_right, {0x7a}, "VVT"},
		{vmm_aml_and, {0x7b}, "VVT"},
		{vmm_aml_nand, {0x7c}, "VVT"},
		{vmm_aml_or, {0x7d}, "VVT"},
		{vmm_aml_nor, {0x7e}, "VVT"},
		{vmm_aml_xor, {0x7f}, "VVT"},
		{vmm_aml_not, {0x80}, "VT"},
		{vmm_aml_find_set_left_bit, {0x81}, "VT"},
		{vmm_aml_find_set_right_bit, {0x82}, "VT"},
		{vmm_aml_increment, {0x75}, "S"},
		{vmm_aml_decrement, {0x76}, "S"},
		{vmm_aml_land, {0x90}, "VV"},
		{vmm_aml_lor, {0x91}, "VV"},
		{vmm_aml_lnot, {0x92}, "V"},
		{vmm_aml_lequal, {0x93}, "VV"},
		{vmm_aml_lnot_equal, {0x92, 0x93}, "VV"},
		{vmm_aml_lless, {0x95}, "VV"},
		{vmm_aml_lless_equal, {0x92, 0x94}, "VV"},
		{vmm_aml_lgreater, {0x94}, "VV"},
		{vmm_aml_lgreater_equal, {0x92, 0x95}, "VV"},
		{vmm_aml_concat, {0x73}, "VVT"},
		{vmm_aml_concat_res, {0x84}, "VVT"},
		{vmm_aml_mid, {0x9e}, "VVVT"},
		{vmm_aml_index, {0x88}, "VVT"},
		{vmm_aml_ref_of, {0x71}, "S"},
		{vmm_aml_cond_ref_of, {0x5b, 0x12}, "ST"},
		{vmm_aml_deref_of, {0x83}, "V"},
		{vmm_aml_size_of, {0x87}, "S"},
		{vmm_aml_object_type, {0x8e}, "S"},
		{vmm_aml_to_buffer, {0x96}, "VT"},
		{vmm_aml_to_integer, {0x99}, "VT"},
		{vmm_aml_to_string, {0x9c}, "VVT"},
		{vmm_aml_to_decimal_string, {0x97}, "VT"},
		{vmm_aml_to_hex_string, {0x98}, "VT"},
		{vmm_aml_from_bcd, {0x5b, 0x28}, "VT"},
		{vmm_aml_to_bcd, {0x5b, 0x29}, "VT"},
		{vmm_aml_timer, {0x5b, 0x33}, ""},
		{vmm_aml_create_bit_field, {0x8d}, "VVP"},
		{vmm_aml_create_byte_field, {0x8c}, "VVP"},
		{vmm_aml_create_word_field, {0x8b}, "VVP"},
		{vmm_aml_create_dword_field, {0x8a}, "VVP"},
		{vmm_aml_create_qword_field, {0x8f}, "VVP"},
		{vmm_aml_create_field, {0x5b, 0x13}, "VVVP"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run r;
		struct vmm_aml *a = start(&r);
		size_t op = cases[i].op[1] != 0 ? 2 : 1, len, want = op;

		assert_int_equal(cases[i].term(a), 0);
		for (const char *o = cases[i].operands; *o != '\0'; o++) {
			struct vmm_aml wrong = *a;

			assert_int_equal(vmm_aml_noop(&wrong), -VMM_ESTATE);
			wrong = *a;
			assert_int_equal(vmm_aml_null(&wrong), *o == 'T' ? 0 : -VMM_ESTATE);
			wrong = *a;
			assert_int_equal(vmm_aml_int(&wrong, 1), *o == 'V' ? 0 : -VMM_ESTATE);
			wrong = *a;
			assert_int_equal(vmm_aml_debug(&wrong),
					 *o == 'S' || *o == 'T' ? 0 : -VMM_ESTATE);
			assert_int_equal(vmm_aml_path(a, "X"), 0);
			want += 4;
		}
		assert_int_equal(vmm_aml_close(a, &len), 0);
		assert_int_equal(len, want);
		assert_memory_equal(r.buf, cases[i].op, op);
	}
}

/* -- Misuse -------------------------------------------------------------------------------------
 */

typedef void (*misuse)(struct vmm_aml *a);

#define MISUSE(name, ...)                            \
	static void misuse_##name(struct vmm_aml *a) \
	{                                            \
		__VA_ARGS__                          \
	}

MISUSE(value_as_statement, vmm_aml_int(a, 1);)
MISUSE(name_as_statement, vmm_aml_path(a, "A");)
MISUSE(statement_as_value, vmm_aml_name(a, "A"); vmm_aml_noop(a);)
MISUSE(operator_as_data, vmm_aml_name(a, "A"); vmm_aml_timer(a);)
MISUSE(path_as_data, vmm_aml_name(a, "A"); vmm_aml_path(a, "B");)
MISUSE(store_into_a_constant, vmm_aml_store(a); vmm_aml_int(a, 1); vmm_aml_int(a, 1);)
MISUSE(null_as_a_value, vmm_aml_store(a); vmm_aml_null(a);)
MISUSE(null_as_a_super, vmm_aml_increment(a); vmm_aml_null(a);)
MISUSE(debug_as_a_value, vmm_aml_store(a); vmm_aml_debug(a);)
MISUSE(operands_owed, vmm_aml_store(a); vmm_aml_int(a, 1);)
MISUSE(data_owed, vmm_aml_name(a, "A");)
MISUSE(local_outside, vmm_aml_store(a); vmm_aml_local(a, 0);)
MISUSE(arg_outside, vmm_aml_store(a); vmm_aml_arg(a, 0);)
MISUSE(return_outside, vmm_aml_return(a);)
MISUSE(break_outside, vmm_aml_break(a);)
MISUSE(continue_outside, vmm_aml_continue(a);)
MISUSE(else_first, vmm_aml_else_begin(a);)
MISUSE(else_late, vmm_aml_if_begin(a); vmm_aml_int(a, 1); vmm_aml_if_finish(a); vmm_aml_noop(a);
       vmm_aml_else_begin(a);)
MISUSE(if_without_predicate, vmm_aml_if_begin(a); vmm_aml_if_finish(a);)
MISUSE(left_open, vmm_aml_device_begin(a, "D");)
MISUSE(finished_twice, vmm_aml_device_begin(a, "D"); vmm_aml_device_finish(a);
       vmm_aml_device_finish(a);)
MISUSE(finished_as_another, vmm_aml_device_begin(a, "D"); vmm_aml_scope_finish(a);)
MISUSE(finished_at_root, vmm_aml_package_finish(a);)
MISUSE(finished_owing, vmm_aml_device_begin(a, "D"); vmm_aml_name(a, "A");
       vmm_aml_device_finish(a);)
MISUSE(expression_in_package, vmm_aml_name(a, "A"); vmm_aml_package_begin(a); vmm_aml_timer(a);)
MISUSE(device_in_package, vmm_aml_name(a, "A"); vmm_aml_package_begin(a);
       vmm_aml_device_begin(a, "D");)
MISUSE(int_in_resources, vmm_aml_name(a, "A"); vmm_aml_resources_begin(a); vmm_aml_int(a, 1);)
MISUSE(resource_outside, vmm_aml_res_io(a, 0, 0, 0, 1);)
MISUSE(unit_outside, vmm_aml_field_unit(a, "A", 1);)
MISUSE(offset_outside, vmm_aml_field_offset(a, 1);)
MISUSE(device_in_field, vmm_aml_field_begin(a, "R", 0); vmm_aml_device_begin(a, "D");)
MISUSE(field_named_by_a_value, vmm_aml_create_byte_field(a); vmm_aml_path(a, "B");
       vmm_aml_int(a, 0); vmm_aml_int(a, 0);)
MISUSE(relation_as_a_value, vmm_aml_store(a); vmm_aml_relation(a, 1);)
MISUSE(value_as_a_relation, vmm_aml_store(a); vmm_aml_match(a); vmm_aml_path(a, "P");
       vmm_aml_int(a, 1);)
MISUSE(connection_without_one, vmm_aml_field_begin(a, "R", 0); vmm_aml_field_connect_begin(a);
       vmm_aml_field_connect_finish(a);)
MISUSE(connection_of_two, vmm_aml_field_begin(a, "R", 0); vmm_aml_field_connect_begin(a);
       vmm_aml_res_irq(a, 2, 0); vmm_aml_res_irq(a, 2, 0);)
MISUSE(connection_outside, vmm_aml_field_connect(a, "C");)
MISUSE(connection_ended_as_resources, vmm_aml_field_begin(a, "R", 0);
       vmm_aml_field_connect_begin(a); vmm_aml_res_irq(a, 2, 0); vmm_aml_resources_finish(a);)
MISUSE(access_outside, vmm_aml_field_access_len(a, 5, VMM_AML_ATTRIB_BYTES, 1);)
MISUSE(serial_outside, vmm_aml_res_i2c(a, 0, 1, 0, 1, "C");)
MISUSE(dependent_outside, vmm_aml_res_end_dependent(a);)

static void misuse_is_refused(void **state)
{
	static const misuse cases[] = {
		misuse_value_as_statement,
		misuse_name_as_statement,
		misuse_statement_as_value,
		misuse_operator_as_data,
		misuse_path_as_data,
		misuse_store_into_a_constant,
		misuse_null_as_a_value,
		misuse_null_as_a_super,
		misuse_debug_as_a_value,
		misuse_operands_owed,
		misuse_data_owed,
		misuse_local_outside,
		misuse_arg_outside,
		misuse_return_outside,
		misuse_break_outside,
		misuse_continue_outside,
		misuse_else_first,
		misuse_else_late,
		misuse_if_without_predicate,
		misuse_left_open,
		misuse_finished_twice,
		misuse_finished_as_another,
		misuse_finished_at_root,
		misuse_finished_owing,
		misuse_expression_in_package,
		misuse_device_in_package,
		misuse_int_in_resources,
		misuse_resource_outside,
		misuse_unit_outside,
		misuse_offset_outside,
		misuse_device_in_field,
		misuse_field_named_by_a_value,
		misuse_relation_as_a_value,
		misuse_value_as_a_relation,
		misuse_connection_without_one,
		misuse_connection_of_two,
		misuse_connection_outside,
		misuse_connection_ended_as_resources,
		misuse_access_outside,
		misuse_serial_outside,
		misuse_dependent_outside,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run r;
		size_t len = 77;

		cases[i](start(&r));
		if (vmm_aml_close(&r.a, &len) != -VMM_ESTATE || len != 77)
			fail_msg("misuse %zu was let through", i);
	}
}

MISUSE(gpio_use, vmm_aml_name(a, "A"); vmm_aml_resources_begin(a);
       vmm_aml_res_gpio_io(a, 4, 0, "A", &(uint16_t){0}, 1);)
MISUSE(gpio_count, vmm_aml_name(a, "A"); vmm_aml_resources_begin(a);
       vmm_aml_res_gpio_io(a, 0, 0, "A", &(uint16_t){0}, 0);)
MISUSE(gpio_pull, vmm_aml_name(a, "A"); vmm_aml_resources_begin(a);
       vmm_aml_res_gpio_int(a, 0, 4, "A", 0);)
MISUSE(dma_width, vmm_aml_name(a, "A"); vmm_aml_resources_begin(a);
       vmm_aml_res_fixed_dma(a, 0, 0, 6);)
MISUSE(io_alignment, vmm_aml_name(a, "A"); vmm_aml_resources_begin(a);
       vmm_aml_res_io(a, 2, 2, 4, 1);)
MISUSE(nargs, vmm_aml_method_begin(a, "M", 8, 0);)
MISUSE(method_flags, vmm_aml_method_begin(a, "M", 0, 0x100);)
MISUSE(sync_of_a_plain_method, vmm_aml_method_begin(a, "M", 0, VMM_AML_SYNC_LEVEL(1));)
MISUSE(call_nargs, vmm_aml_call(a, "M", 8);)
MISUSE(sync, vmm_aml_mutex(a, "M", 16);)
MISUSE(field_flags, vmm_aml_field_begin(a, "R", 0x60);)
MISUSE(field_access, vmm_aml_field_begin(a, "R", 0x06);)
MISUSE(unit_path, vmm_aml_field_begin(a, "R", 0); vmm_aml_field_unit(a, "A.B", 1);)
MISUSE(unit_bits, vmm_aml_field_begin(a, "R", 0); vmm_aml_field_unit(a, "A", 0);)
MISUSE(string, vmm_aml_name(a, "A"); vmm_aml_string(a, "\xc3\xa9");)
MISUSE(no_string, vmm_aml_name(a, "A"); vmm_aml_string(a, NULL);)
MISUSE(local, vmm_aml_method_begin(a, "M", 0, 0); vmm_aml_return(a); vmm_aml_local(a, 8);)
MISUSE(arg, vmm_aml_method_begin(a, "M", 0, 0); vmm_aml_return(a); vmm_aml_arg(a, 7);)
MISUSE(relation, vmm_aml_store(a); vmm_aml_match(a); vmm_aml_path(a, "P"); vmm_aml_relation(a, 6);)
MISUSE(bank_flags, vmm_aml_bank_field_begin(a, "R", "B", 0, 0x06);)
MISUSE(access_length, vmm_aml_field_begin(a, "R", 0);
       vmm_aml_field_access_len(a, 5, VMM_AML_ATTRIB_WORD, 1);)
MISUSE(dependent, vmm_aml_name(a, "A"); vmm_aml_resources_begin(a);
       vmm_aml_res_start_dependent(a, 3, 0);)
MISUSE(i2c_address, vmm_aml_name(a, "A"); vmm_aml_resources_begin(a);
       vmm_aml_res_i2c(a, 0, 0x80, 0, 1, "C");)
MISUSE(i2c_source, vmm_aml_name(a, "A"); vmm_aml_resources_begin(a);
       vmm_aml_res_i2c(a, 0, 1, 0, 1, NULL);)
MISUSE(i2c_flags, vmm_aml_name(a, "A"); vmm_aml_resources_begin(a);
       vmm_aml_res_i2c(a, 2, 1, 0, 1, "C");)
MISUSE(spi_size, vmm_aml_name(a, "A"); vmm_aml_resources_begin(a); struct vmm_aml_spi spi = {0};
       vmm_aml_res_spi(a, &spi, "C");)
MISUSE(spi_phase, vmm_aml_name(a, "A"); vmm_aml_resources_begin(a);
       struct vmm_aml_spi spi = {.size = sizeof(spi), .phase = 2}; vmm_aml_res_spi(a, &spi, "C");)
MISUSE(uart_bits, vmm_aml_name(a, "A"); vmm_aml_resources_begin(a);
       struct vmm_aml_uart uart = {.size = sizeof(uart), .data_bits = 4};
       vmm_aml_res_uart(a, &uart, "C");)
MISUSE(uart_lines, vmm_aml_name(a, "A"); vmm_aml_resources_begin(a);
       struct vmm_aml_uart uart = {.size = sizeof(uart), .data_bits = 8, .lines = 1};
       vmm_aml_res_uart(a, &uart, "C");)
MISUSE(no_extended, vmm_aml_name(a, "A"); vmm_aml_resources_begin(a);
       vmm_aml_res_extended_range(a, NULL, 0);)

static void arguments_are_checked(void **state)
{
	static const misuse cases[] = {
		misuse_gpio_use,      misuse_gpio_count,
		misuse_gpio_pull,     misuse_dma_width,
		misuse_io_alignment,  misuse_nargs,
		misuse_method_flags,  misuse_sync_of_a_plain_method,
		misuse_call_nargs,    misuse_sync,
		misuse_field_flags,   misuse_field_access,
		misuse_unit_path,     misuse_unit_bits,
		misuse_string,        misuse_no_string,
		misuse_local,         misuse_arg,
		misuse_relation,      misuse_bank_flags,
		misuse_access_length, misuse_dependent,
		misuse_i2c_address,   misuse_i2c_source,
		misuse_i2c_flags,     misuse_spi_size,
		misuse_spi_phase,     misuse_uart_bits,
		misuse_uart_lines,    misuse_no_extended,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run r;

		cases[i](start(&r));
		if (vmm_aml_close(&r.a, NULL) != -VMM_EINVAL)
			fail_msg("argument %zu was let through", i);
	}
}

static void ranges_are_checked(void **state)
{
	static const struct vmm_aml_range good = {.size = sizeof(good),
						  .flags = VMM_AML_RANGE_FIXED,
						  .min = 0x1000,
						  .max = 0x1fff,
						  .len = 0x1000};
	struct vmm_aml_range bad[8];
	struct run r;

	(void)state;
	for (size_t i = 0; i < 8; i++)
		bad[i] = good;
	bad[0].size--;
	bad[1].type = 3;
	bad[2].flags = 0x10;
	bad[3].reserved = 1;
	bad[4].min = 0x2000;
	bad[5].len = 0x2000;
	bad[6].translation = 0x10000;
	bad[7].granularity = 0x10000;
	for (size_t i = 0; i < 8; i++) {
		start(&r);
		vmm_aml_name(&r.a, "_CRS");
		vmm_aml_resources_begin(&r.a);
		assert_int_equal(vmm_aml_res_word_range(&r.a, &good), 0);
		assert_int_equal(vmm_aml_res_word_range(&r.a, &bad[i]), -VMM_EINVAL);
	}
}

static void depth_and_debts_have_limits(void **state)
{
	struct vmm_aml a;
	int i;

	(void)state;
	vmm_aml_open(&a, NULL, 0);
	for (i = 1; i < VMM_AML_MAX_DEPTH; i++)
		assert_int_equal(vmm_aml_device_begin(&a, "D"), 0);
	assert_int_equal(vmm_aml_device_begin(&a, "D"), -VMM_ERANGE);
	vmm_aml_open(&a, NULL, 0);
	for (i = 0; vmm_aml_add(&a) == 0; i++)
		assert_true(i < 64);
	assert_true(i >= 8);
	assert_int_equal(vmm_aml_error(&a), -VMM_ERANGE);
}

static void first_error_stays(void **state)
{
	struct run r;
	struct vmm_aml *a = start(&r);

	(void)state;
	vmm_aml_event(a, "bad");
	assert_int_equal(vmm_aml_noop(a), -VMM_EINVAL);
	assert_int_equal(vmm_aml_else_begin(a), -VMM_EINVAL);
	assert_int_equal(vmm_aml_error(a), -VMM_EINVAL);
	assert_int_equal(vmm_aml_close(a, NULL), -VMM_EINVAL);
}

static void only_an_open_builder_builds(void **state)
{
	struct vmm_aml a;

	(void)state;
	memset(&a, 0, sizeof(a));
	assert_int_equal(vmm_aml_noop(&a), -VMM_ESTATE);
	assert_int_equal(vmm_aml_close(&a, NULL), -VMM_ESTATE);
	assert_int_equal(vmm_aml_open(&a, NULL, 1), -VMM_EINVAL);
	assert_int_equal(vmm_aml_open(&a, NULL, 0), 0);
	assert_int_equal(vmm_aml_close(&a, NULL), 0);
	assert_int_equal(vmm_aml_noop(&a), -VMM_ESTATE);
	assert_int_equal(vmm_aml_close(&a, NULL), -VMM_ESTATE);
}

/* Every size too small says so and writes nothing beyond; the measured size is enough. */
static void every_size_from_nothing(void **state)
{
	struct vmm_aml a;
	size_t need, len;
	uint8_t *whole;

	(void)state;
	vmm_aml_open(&a, NULL, 0);
	sample_terms(&a);
	assert_int_equal(vmm_aml_close(&a, &need), 0);
	whole = malloc(need);
	for (size_t cap = 0; cap <= need; cap++) {
		uint8_t *buf = malloc(cap + 1); /* not NULL at 0; what lies behind is guarded */

		buf[cap] = 0xa5;
		vmm_aml_open(&a, buf, cap);
		sample_terms(&a);
		len = 0;
		assert_int_equal(vmm_aml_close(&a, &len), cap < need ? -VMM_ESIZE : 0);
		assert_int_equal(len, need);
		assert_int_equal(buf[cap], 0xa5);
		if (cap == need)
			memcpy(whole, buf, need);
		free(buf);
	}
	assert_int_equal(whole[0], 0x10);
	free(whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_shortest),
		cmocka_unit_test(paths),
		cmocka_unit_test(malformed_paths),
		cmocka_unit_test(path_of_255_segments),
		cmocka_unit_test(identifiers),
		cmocka_unit_test(malformed_identifiers),
		cmocka_unit_test(package_lengths_are_shortest),
		cmocka_unit_test(package_length_has_a_limit),
		cmocka_unit_test(big_packages_count_in_an_integer),
		cmocka_unit_test(fields),
		cmocka_unit_test(resources),
		cmocka_unit_test(lengths_of_resources_have_limits),
		cmocka_unit_test(external_and_operators),
		cmocka_unit_test(opcodes_and_operands),
		cmocka_unit_test(misuse_is_refused),
		cmocka_unit_test(arguments_are_checked),
		cmocka_unit_test(ranges_are_checked),
		cmocka_unit_test(depth_and_debts_have_limits),
		cmocka_unit_test(first_error_stays),
		cmocka_unit_test(only_an_open_builder_builds),
		cmocka_unit_test(every_size_from_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

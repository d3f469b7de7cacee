// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The input is a list of calls on the AML builder, in any order and with any argument. Whatever it
 * says, a run that only measures, one with room and one without agree; and what was built without
 * an error has package lengths that nest.
 */
#include <string.h>

#include "fuzz.h"
#include "libvmm/aml.h"

#define CAP 4096

struct script {
	const uint8_t *p;
	size_t left;
};

static uint8_t next(struct script *s)
{
	if (s->left == 0)
		return 0;
	s->left--;
	return *s->p++;
}

typedef int (*plain)(struct vmm_aml *);

static const plain plain_calls[] = {
	vmm_aml_revision,
	vmm_aml_package_begin,
	vmm_aml_package_finish,
	vmm_aml_null,
	vmm_aml_debug,
	vmm_aml_scope_finish,
	vmm_aml_device_finish,
	vmm_aml_method_finish,
	vmm_aml_power_finish,
	vmm_aml_thermal_finish,
	vmm_aml_field_finish,
	vmm_aml_create_bit_field,
	vmm_aml_create_field,
	vmm_aml_create_qword_field,
	vmm_aml_if_begin,
	vmm_aml_if_finish,
	vmm_aml_else_begin,
	vmm_aml_else_finish,
	vmm_aml_while_begin,
	vmm_aml_while_finish,
	vmm_aml_break,
	vmm_aml_continue,
	vmm_aml_return,
	vmm_aml_noop,
	vmm_aml_notify,
	vmm_aml_release,
	vmm_aml_wait,
	vmm_aml_store,
	vmm_aml_add,
	vmm_aml_divide,
	vmm_aml_not,
	vmm_aml_increment,
	vmm_aml_lequal,
	vmm_aml_lnot_equal,
	vmm_aml_lnot,
	vmm_aml_mid,
	vmm_aml_index,
	vmm_aml_ref_of,
	vmm_aml_cond_ref_of,
	vmm_aml_deref_of,
	vmm_aml_size_of,
	vmm_aml_timer,
	vmm_aml_resources_begin,
	vmm_aml_resources_finish,
	vmm_aml_match,
	vmm_aml_load_table,
	vmm_aml_field_connect_begin,
	vmm_aml_field_connect_finish,
	vmm_aml_res_end_dependent,
};

#define PLAIN_CALLS (sizeof(plain_calls) / sizeof(plain_calls[0]))

static const char *path(struct script *s)
{
	static const char *const paths[] = {"A", "AB.C", "\\_SB.PCI0.DEV0", "^X", "\\", "bad", ""};

	return paths[next(s) % (sizeof(paths) / sizeof(paths[0]))];
}

static uint64_t number(struct script *s)
{
	uint64_t v = 0;

	for (unsigned n = next(s) % 9; n > 0; n--)
		v = v << 8 | next(s);
	return v;
}

static int call_resource(struct vmm_aml *a, struct script *s)
{
	static const uint32_t gsi[255];
	const struct vmm_aml_range range = {
		.size = sizeof(range),
		.type = next(s),
		.flags = next(s),
		.min = number(s),
		.max = number(s),
		.len = number(s),
	};

	const struct vmm_aml_spi spi = {.size = sizeof(spi), .hz = range.type, .phase = next(s)};
	const struct vmm_aml_uart uart = {
		.size = sizeof(uart), .data_bits = next(s), .lines = next(s)};

	switch (next(s) % 13) {
	case 8:
		return vmm_aml_res_i2c(a, next(s), (uint16_t)number(s), next(s), 1, path(s));
	case 9:
		return vmm_aml_res_spi(a, &spi, path(s));
	case 10:
		return vmm_aml_res_uart(a, &uart, path(s));
	case 11:
		return vmm_aml_res_extended_range(a, &range, number(s));
	case 12:
		return vmm_aml_res_start_dependent(a, next(s), next(s));
	case 0:
		return vmm_aml_res_irq(a, (uint16_t)number(s), next(s));
	case 1:
		return vmm_aml_res_io(a, (uint16_t)number(s), (uint16_t)number(s), next(s),
				      next(s));
	case 2:
		return vmm_aml_res_vendor(a, gsi, next(s));
	case 3:
		return vmm_aml_res_memory32_fixed(a, next(s), (uint32_t)number(s), next(s));
	case 4:
		return vmm_aml_res_word_range(a, &range);
	case 5:
		return vmm_aml_res_qword_range(a, &range);
	case 6:
		return vmm_aml_res_interrupt(a, next(s), gsi, next(s));
	default:
		return vmm_aml_res_gpio_int(a, next(s), next(s), path(s), next(s));
	}
}

static int call(struct vmm_aml *a, struct script *s)
{
	unsigned which = next(s), given;
	const char *name;

	if (which < PLAIN_CALLS)
		return plain_calls[which](a);
	if (which >= 224)
		return vmm_aml_int(a, number(s));
	switch ((which - PLAIN_CALLS) % 25) {
	case 20:
		return vmm_aml_relation(a, next(s));
	case 21:
		name = path(s);
		return vmm_aml_bank_field_begin(a, name, path(s), number(s), next(s));
	case 22:
		given = next(s);
		return vmm_aml_field_access_len(a, (uint8_t)given, next(s), next(s));
	case 23:
		return vmm_aml_field_connect(a, path(s));
	case 24:
		return vmm_aml_load(a, path(s));
	case 0:
		return vmm_aml_string(a, path(s));
	case 1:
		given = next(s) % 2;
		return vmm_aml_buffer(a, given ? s->p : NULL, s->left < 8 ? s->left : 8);
	case 2:
		return vmm_aml_eisaid(a, next(s) % 4 ? "PNP0A08" : path(s));
	case 3:
		return vmm_aml_path(a, path(s));
	case 4:
		return vmm_aml_call(a, path(s), next(s) % 9);
	case 5:
		return vmm_aml_local(a, next(s) % 9);
	case 6:
		return vmm_aml_arg(a, next(s) % 8);
	case 7:
		return vmm_aml_name(a, path(s));
	case 8:
		return vmm_aml_scope_begin(a, path(s));
	case 9:
		return vmm_aml_device_begin(a, path(s));
	case 10:
		return vmm_aml_method_begin(a, path(s), next(s) % 9, next(s));
	case 11:
		return vmm_aml_power_begin(a, path(s), next(s), next(s));
	case 12:
		return vmm_aml_mutex(a, path(s), next(s) % 20);
	case 13:
		return vmm_aml_region(a, path(s), next(s));
	case 14:
		return vmm_aml_field_begin(a, path(s), next(s));
	case 15:
		name = path(s);
		return vmm_aml_field_unit(a, name, (uint32_t)number(s));
	case 16:
		return vmm_aml_field_offset(a, (uint32_t)number(s));
	case 17:
		return vmm_aml_alias(a, path(s), path(s));
	case 18:
		return vmm_aml_acquire(a, path(s), (uint16_t)number(s));
	default:
		return call_resource(a, s);
	}
}

static int build(const uint8_t *data, size_t len, uint8_t *buf, size_t cap, size_t *need)
{
	struct script s = {data, len};
	struct vmm_aml a;
	int first;

	vmm_aml_open(&a, buf, cap);
	while (s.left > 0) {
		first = vmm_aml_error(&a);
		FUZZ_CHECK(call(&a, &s) == vmm_aml_error(&a));
		FUZZ_CHECK(first == 0 || first == vmm_aml_error(&a));
	}
	return vmm_aml_close(&a, need);
}

/* The package length at @p counts from itself and stays within @end. 20.2.4. */
static void check_package(const uint8_t *p, const uint8_t *end)
{
	unsigned more;
	size_t len;

	FUZZ_CHECK(p < end);
	more = *p >> 6;
	FUZZ_CHECK(p + more < end);
	len = more == 0 ? *p : *p & 0x0fU;
	for (unsigned i = 1; i <= more; i++)
		len |= (size_t)p[i] << (8 * i - 4);
	FUZZ_CHECK(len > more && len <= (size_t)(end - p));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t buf[CAP + 1];
	size_t need = 0, again = 0, half;
	int error = build(data, len, NULL, 0, &need);

	FUZZ_CHECK(error == 0 || error == -VMM_EINVAL || error == -VMM_ESTATE ||
		   error == -VMM_ERANGE);
	buf[CAP] = 0x5a;
	FUZZ_CHECK(build(data, len, buf, CAP, &again) ==
		   (error == 0 && need > CAP ? -VMM_ESIZE : error));
	FUZZ_CHECK(buf[CAP] == 0x5a);
	if (error != 0)
		return 0;
	FUZZ_CHECK(again == need);
	if (need > 0 && need <= CAP && (buf[0] == 0x10 || buf[0] == 0x14 || buf[0] == 0xa0))
		check_package(buf + 1, buf + need);
	half = need / 2 < CAP ? need / 2 : CAP;
	buf[half] = 0x5a;
	FUZZ_CHECK(build(data, len, buf, half, &again) == (need > half ? -VMM_ESIZE : 0));
	FUZZ_CHECK(again == need && buf[half] == 0x5a);
	return 0;
}

/* Device (A) { Method (A) { Return (Local0 + 5) } Name (A, Package () { 5 }) } and resources. */
size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	enum { BASE = PLAIN_CALLS, INT = 224 };
	static const uint8_t seeds[][32] = {
		{BASE + 9, 0, BASE + 10, 0,        0, 0, 22,  28, BASE + 5, 0, INT, 1,
		 5,        3, 7,         BASE + 7, 0, 1, INT, 1,  5,        2, 6},
		{BASE + 7, 0, 42, BASE + 19, 0, 0, 1, 1, 1, 1, 1, 1, 6, 1, 1, 43},
		{14, INT,       1, 1, 23,        15, 16, 23, 17, BASE + 8,
		 4,  BASE + 14, 0, 0, BASE + 15, 0,  1,  8,  10, 5},
	};

	if (index >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	memcpy(buf, seeds[index], sizeof(seeds[index]));
	return sizeof(seeds[index]);
}

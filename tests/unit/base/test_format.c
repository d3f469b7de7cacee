// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "format.h"

#define SAME(...)                                                        \
	do {                                                             \
		char ours[128], theirs[128];                             \
		size_t n = vmm__format(ours, sizeof(ours), __VA_ARGS__); \
		int m = snprintf(theirs, sizeof(theirs), __VA_ARGS__);   \
		assert_string_equal(ours, theirs);                       \
		assert_int_equal(n, m);                                  \
	} while (0)

static void agrees_with_snprintf(void **state)
{
	(void)state;
	SAME("plain");
	SAME("%s and %c, %%", "text", 'x');
	SAME("%d %d %d %d", 0, -1, INT_MIN, INT_MAX);
	SAME("%u %x %08x %4u|%04u", UINT_MAX, 0xbeefU, 0xbeefU, 7U, 7U);
	SAME("%lld %llu %llx %016llx", LLONG_MIN, ULLONG_MAX, 0x123456789abcdefULL, 0xfULL);
	SAME("%6d|%06d", -42, -42);
}

static void cuts_and_terminates(void **state)
{
	char buf[8];

	(void)state;
	for (size_t size = 0; size <= sizeof(buf); size++) {
		memset(buf, '#', sizeof(buf));
		assert_int_equal(vmm__format(buf, size, "%s", "0123456789"), 10);
		if (size > 0) {
			assert_int_equal(buf[size - 1], '\0');
			assert_memory_equal(buf, "0123456789", size - 1);
		}
		if (size < sizeof(buf))
			assert_int_equal(buf[size], '#');
	}
}

static void fail_fills_the_detail(void **state)
{
	struct vmm_error e = {.size = sizeof(e)};

	(void)state;
	assert_int_equal(vmm__fail(&e, -VMM_EIO, "KVM_RUN", 14, "vcpu %u", 3U), -VMM_EIO);
	assert_int_equal(e.size, sizeof(e));
	assert_int_equal(e.code, -VMM_EIO);
	assert_int_equal(e.host_error, 14);
	assert_string_equal(e.call, "KVM_RUN");
	assert_string_equal(e.text, "vcpu 3");
	assert_int_equal(vmm__fail(NULL, -VMM_EIO, "x", 0, "y"), -VMM_EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_snprintf),
		cmocka_unit_test(cuts_and_terminates),
		cmocka_unit_test(fail_fills_the_detail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libvmm/types.h"

static void every_code_has_name_and_text(void **state)
{
	(void)state;
#define CHECK(name, number, text)                             \
	assert_string_equal(vmm_strerror(-VMM_##name), text); \
	assert_string_equal(vmm_strerror(VMM_##name), text);  \
	assert_string_equal(vmm_errname(-VMM_##name), "VMM_" #name);
	VMM_ERRORS(CHECK)
#undef CHECK
}

static void numbers_outside_the_list(void **state)
{
	(void)state;
	assert_string_equal(vmm_strerror(0), "success");
	assert_string_equal(vmm_errname(0), "VMM_OK");
	assert_string_equal(vmm_strerror(INT_MIN), "unknown error");
	assert_string_equal(vmm_strerror(INT_MAX), "unknown error");
	assert_string_equal(vmm_errname(-9999), "VMM_E?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_name_and_text),
		cmocka_unit_test(numbers_outside_the_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "endian.h"
#include "samples.h"

#define GPA 0xf0000

/* The structure at @p ends behind the two zeros after its formatted part and strings. */
static const uint8_t *behind(const uint8_t *p, const uint8_t *end)
{
	p += p[1];
	while (p + 1 < end && (p[0] != 0 || p[1] != 0))
		p++;
	assert_true(p + 1 < end);
	return p + 2;
}

/* Types, lengths of their formatted parts (DSP0134 3.6.0, chapter 7), and how often they occur. */
static void structures_follow_one_another(void **state)
{
	static const struct {
		uint8_t type, len, times;
	} expected[] = {{0, 26, 1},  {1, 27, 1},  {2, 15, 1}, {3, 22, 1},  {4, 50, 2},
			{7, 27, 2},  {9, 19, 1},  {11, 5, 1}, {16, 23, 1}, {17, 92, 2},
			{19, 31, 2}, {32, 11, 1}, {127, 4, 1}};
	static uint8_t blob[4096];
	uint8_t times[256] = {0}, lens[256] = {0}, sum = 0;
	const uint8_t *p = blob + 32, *end;
	size_t len;
	uint16_t handle = 0;

	(void)state;
	assert_int_equal(sample_smbios(blob, sizeof(blob), GPA, &len), 0);
	assert_memory_equal(blob, "_SM3_", 5);
	for (int i = 0; i < 24; i++)
		sum = (uint8_t)(sum + blob[i]);
	assert_int_equal(sum, 0);
	assert_int_equal(vmm__le32(blob + 12), len - 32);
	assert_int_equal(vmm__le64(blob + 16), GPA + 32);
	for (end = blob + len; p < end; p = behind(p, end)) {
		assert_int_equal(vmm__le16(p + 2), handle++);
		times[p[0]]++;
		lens[p[0]] = p[1];
	}
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_int_equal(times[expected[i].type], expected[i].times);
		assert_int_equal(lens[expected[i].type], expected[i].len);
	}
}

static void every_size_from_nothing(void **state)
{
	size_t need, len;

	(void)state;
	assert_int_equal(sample_smbios(NULL, 0, GPA, &need), 0);
	for (size_t cap = 0; cap <= need; cap++) {
		uint8_t *buf = malloc(cap + 1);

		buf[cap] = 0xa5;
		len = 0;
		assert_int_equal(sample_smbios(buf, cap, GPA, &len), cap < need ? -VMM_ESIZE : 0);
		assert_int_equal(len, need);
		assert_int_equal(buf[cap], 0xa5);
		free(buf);
	}
}

static void misuse_is_refused(void **state)
{
	static char long_text[257];
	static const char *const one[] = {"x"}, *const none[] = {""},
				 *const too_long[] = {long_text};
	struct vmm_smbios_board board = {.size = sizeof(board), .chassis = 1};
	struct vmm_smbios_memory memory = {.size = sizeof(memory), .bytes = 1};
	struct vmm_smbios_processor cpu = {.size = sizeof(cpu)};
	struct vmm_smbios b;
	uint16_t handle;

	(void)state;
	memset(long_text, 'x', 256);
	memset(&b, 0, sizeof(b));
	assert_int_equal(vmm_smbios_add_boot(&b, NULL), -VMM_ESTATE);
	assert_int_equal(vmm_smbios_close(&b, NULL), -VMM_ESTATE);
	assert_int_equal(vmm_smbios_open(&b, NULL, 0, 8), -VMM_EALIGN);
	assert_int_equal(vmm_smbios_open(&b, NULL, 1, 0), -VMM_EINVAL);
#define FRESH() vmm_smbios_open(&b, NULL, 0, 0)
	FRESH();
	assert_int_equal(vmm_smbios_add_strings(&b, one, 1, &handle), 0);
	assert_int_equal(handle, 0);
	assert_int_equal(vmm_smbios_add_board(&b, &board, NULL), -VMM_EINVAL);
	FRESH();
	assert_int_equal(vmm_smbios_add_strings(&b, none, 1, NULL), -VMM_EINVAL);
	FRESH();
	assert_int_equal(vmm_smbios_add_strings(&b, too_long, 1, NULL), -VMM_EINVAL);
	long_text[255] = '\0';
	FRESH();
	assert_int_equal(vmm_smbios_add_strings(&b, too_long, 1, NULL), 0);
	assert_int_equal(vmm_smbios_add_memory(&b, &memory, NULL), -VMM_EINVAL);
	FRESH();
	assert_int_equal(vmm_smbios_add_processor(&b, &cpu, NULL), -VMM_EINVAL);
	FRESH();
	assert_int_equal(vmm_smbios_add_mapped(&b, 0, 0, 0, 1, NULL), -VMM_EINVAL);
	vmm_smbios_open(&b, NULL, 0, UINT64_MAX - 15);
	assert_int_equal(vmm_smbios_close(&b, NULL), -VMM_ERANGE);
	assert_int_equal(vmm_smbios_close(&b, NULL), -VMM_ESTATE);
	FRESH();
	for (int i = 0; i < 0xff00; i++)
		assert_int_equal(vmm_smbios_add_boot(&b, NULL), 0);
	assert_int_equal(vmm_smbios_add_boot(&b, NULL), -VMM_ELIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structures_follow_one_another),
		cmocka_unit_test(every_size_from_nothing),
		cmocka_unit_test(misuse_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

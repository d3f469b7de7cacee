// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "libvmm/loader.h"

#define PLAIN 100000u

struct packed {
	uint8_t plain[PLAIN];
	uint8_t gz[2 * PLAIN];
	size_t gz_len;
	uint8_t out[PLAIN + 1];
	struct vmm_error error;
};

static size_t pack(const uint8_t *plain, size_t len, uint8_t *gz, size_t room)
{
	z_stream z = {0};

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (uint8_t *)(uintptr_t)plain;
	z.avail_in = (uInt)len;
	z.next_out = gz;
	z.avail_out = (uInt)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

static int setup(void **state)
{
	struct packed *p = calloc(1, sizeof(*p));

	for (uint32_t i = 0; i < PLAIN; i++)
		p->plain[i] = (uint8_t)((i * 2654435761u) >> 29);
	p->gz_len = pack(p->plain, PLAIN, p->gz, sizeof(p->gz));
	p->error.size = sizeof(p->error);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static int gunzip(struct packed *p, size_t room, size_t *size)
{
	*size = room;
	p->error.text[0] = '\0';
	return vmm_gunzip(p->gz, p->gz_len, p->out, size, &p->error);
}

static void unpacks(void **state)
{
	struct packed *p = *state;
	size_t size = SIZE_MAX;

	assert_int_equal(vmm_gunzip(p->gz, p->gz_len, NULL, &size, NULL), 0);
	assert_int_equal(size, PLAIN);
	assert_int_equal(gunzip(p, PLAIN, &size), 0);
	assert_int_equal(size, PLAIN);
	assert_memory_equal(p->out, p->plain, PLAIN);
	assert_int_equal(gunzip(p, PLAIN + 1, &size), 0);
	assert_int_equal(size, PLAIN);
}

static void never_more_than_there_is_room_for(void **state)
{
	struct packed *p = *state;
	size_t size;

	for (size_t room = 0; room < PLAIN; room += room < 10 ? 1 : 9973) {
		p->out[room] = 0x5a;
		assert_int_equal(gunzip(p, room, &size), -VMM_ESIZE);
		assert_int_equal(size, room);
		assert_int_equal(p->out[room], 0x5a);
		assert_string_not_equal(p->error.text, "");
		assert_int_equal(vmm_gunzip(p->gz, p->gz_len, NULL, &size, NULL), -VMM_ESIZE);
	}
	assert_int_equal(gunzip(p, PLAIN - 1, &size), -VMM_ESIZE);
}

static void every_cut_is_seen(void **state)
{
	struct packed *p = *state;
	const size_t len = p->gz_len;
	size_t size;

	for (p->gz_len = 0; p->gz_len < len;
	     p->gz_len += p->gz_len < 64 || len - p->gz_len < 64 ? 1 : 61) {
		assert_int_equal(gunzip(p, PLAIN, &size), -VMM_EFORMAT);
		assert_string_not_equal(p->error.text, "");
	}
}

static void damage_is_seen(void **state)
{
	struct packed *p = *state;
	size_t size;

	for (size_t at = 0; at < p->gz_len; at += 1 + at / 8) {
		/* Bytes 3 to 9 say when and where it was packed; flags may ask for more header. */
		if (at >= 3 && at < 10)
			continue;
		p->gz[at] ^= 0x10;
		assert_true(gunzip(p, PLAIN, &size) < 0);
		p->gz[at] ^= 0x10;
	}
	p->gz[p->gz_len - 8] ^= 1; /* the CRC, then the length */
	assert_int_equal(gunzip(p, PLAIN, &size), -VMM_EFORMAT);
	p->gz[p->gz_len - 8] ^= 1;
	p->gz[p->gz_len - 4] ^= 1;
	assert_int_equal(gunzip(p, PLAIN, &size), -VMM_EFORMAT);
}

static void members_and_padding(void **state)
{
	struct packed *p = *state;
	size_t size;

	p->gz_len = pack(p->plain, 1000, p->gz, sizeof(p->gz));
	p->gz_len += pack(p->plain + 1000, 500, p->gz + p->gz_len, sizeof(p->gz) - p->gz_len);
	assert_int_equal(gunzip(p, PLAIN, &size), 0);
	assert_int_equal(size, 1500);
	assert_memory_equal(p->out, p->plain, 1500);
	memset(p->gz + p->gz_len, 0, 512);
	p->gz_len += 512;
	assert_int_equal(gunzip(p, PLAIN, &size), 0);
	p->gz[p->gz_len - 1] = 'x';
	assert_int_equal(gunzip(p, PLAIN, &size), -VMM_EFORMAT);
}

static void arguments(void **state)
{
	struct packed *p = *state;
	size_t size = PLAIN;

	assert_int_equal(vmm_gunzip(NULL, 10, p->out, &size, NULL), -VMM_EINVAL);
	assert_int_equal(vmm_gunzip(p->gz, 10, p->out, NULL, NULL), -VMM_EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unpacks),
		TEST(never_more_than_there_is_room_for),
		TEST(every_cut_is_seen),
		TEST(damage_is_seen),
		TEST(members_and_padding),
		TEST(arguments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

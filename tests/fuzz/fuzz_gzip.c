// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <string.h>
#include <zlib.h>

#include "fuzz.h"
#include "images.h"
#include "libvmm/loader.h"

#define CAP 0x8000u

/* Counting and unpacking agree, and nothing is written past the room given. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct vmm_error error = {.size = sizeof(error)};
	size_t counted = CAP, unpacked = CAP;
	uint8_t *out = malloc(CAP);
	int err;

	FUZZ_CHECK(out);
	err = vmm_gunzip(data, len, NULL, &counted, &error);
	FUZZ_CHECK(err == 0 || err == -VMM_EFORMAT || err == -VMM_ESIZE);
	FUZZ_CHECK(err == error.code && (err == 0 || error.text[0] != '\0'));
	FUZZ_CHECK(vmm_gunzip(data, len, out, &unpacked, NULL) == err);
	FUZZ_CHECK(counted == unpacked && (err == 0 || counted == CAP));
	free(out);
	return 0;
}

static size_t pack(const struct image *image, uint8_t *buf, size_t room)
{
	z_stream z = {0};

	FUZZ_CHECK(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK);
	z.next_in = (uint8_t *)(uintptr_t)image->bytes;
	z.avail_in = (uInt)image->len;
	z.next_out = buf;
	z.avail_out = (uInt)room;
	FUZZ_CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	static struct image image;
	size_t len;

	if (index > 1)
		return 0;
	image_initrd(&image);
	len = pack(&image, buf, FUZZ_SEED_CAP);
	if (index == 1) /* a second member, then padding */
		len += pack(&image, buf + len, FUZZ_SEED_CAP - len) + 16;
	return len;
}

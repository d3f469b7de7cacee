// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <string.h>

#include "fuzz.h"
#include "images.h"
#include "libvmm/loader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct vmm_error error = {.size = sizeof(error)};
	const int err = vmm_initrd_check(data, len, &error);

	FUZZ_CHECK(err == 0 || err == -VMM_EFORMAT);
	FUZZ_CHECK(err == error.code);
	FUZZ_CHECK(err == 0 || error.text[0] != '\0');
	return 0;
}

size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	static struct image image;

	if (index > 0)
		return 0;
	image_initrd(&image);
	memcpy(buf, image.bytes, image.len);
	return image.len;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <string.h>

#include "fuzz.h"
#include "images.h"
#include "load_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	load_check(data, len, VMM_IMAGE_BZIMAGE);
	return 0;
}

size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	static struct image image;

	if (index > 1)
		return 0;
	image_bzimage(&image);
	if (index == 1) {
		image.bytes[0x234] = 0; /* not relocatable, for 2 MiB */
		image_put64(&image, 0x258, 0x200000);
	}
	memcpy(buf, image.bytes, image.len);
	return image.len;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <string.h>

#include "fuzz.h"
#include "images.h"
#include "load_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	load_check(data, len, VMM_IMAGE_MULTIBOOT);
	return 0;
}

size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	static struct image image;

	if (index == 0)
		image_multiboot(&image);
	else if (index <= 2)
		image_elf(&image, index == 2, ELF_WITH_MB);
	else
		return 0;
	memcpy(buf, image.bytes, image.len);
	return image.len;
}

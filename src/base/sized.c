// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "sized.h"

#include "libvmm/types.h"
#include "mem.h"

/* What all sized structures have room for at least: the size and what stands beside it. */
#define MIN_STRUCT 8

int vmm__take_struct(void *to, size_t size, const void *from)
{
	const uint8_t *bytes = from;
	uint32_t given;

	if (from == NULL)
		return -VMM_EINVAL;
	memcpy(&given, from, sizeof(given));
	if (given < MIN_STRUCT)
		return -VMM_EINVAL;
	for (size_t i = size; i < given; i++) {
		if (bytes[i] != 0)
			return -VMM_EINVAL;
	}
	memset(to, 0, size);
	memcpy(to, from, given < size ? given : size);
	return 0;
}

int vmm__give_struct(void *to, const void *from, size_t size)
{
	uint8_t *out = to;
	const uint8_t *in = from;
	uint32_t given;

	if (to == NULL)
		return -VMM_EINVAL;
	memcpy(&given, to, sizeof(given));
	if (given < MIN_STRUCT)
		return -VMM_EINVAL;
	size_t common = given < size ? given : size;
	memcpy(out + sizeof(given), in + sizeof(given), common - sizeof(given));
	memset(out + common, 0, given - common);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* CRC-32 as of UEFI 2.10, 4.2 (IEEE 802.3: reflected, polynomial 0x04c11db7), four bits a step. */
#ifndef VMM_UEFI_CRC_H
#define VMM_UEFI_CRC_H

#include <stdint.h>

#define UEFI_CRC_START UINT32_MAX

/* From UEFI_CRC_START, over any number of parts; the result is the complement of the last. */
static inline uint32_t vmm__uefi_crc(uint32_t crc, const void *bytes, uint64_t len)
{
	static const uint32_t step[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
		0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	const uint8_t *p = bytes;

	for (uint64_t i = 0; i < len; i++) {
		crc ^= p[i];
		crc = crc >> 4 ^ step[crc & 15];
		crc = crc >> 4 ^ step[crc & 15];
	}
	return crc;
}

static inline uint32_t vmm__uefi_crc32(const void *bytes, uint64_t len)
{
	return ~vmm__uefi_crc(UEFI_CRC_START, bytes, len);
}

#endif

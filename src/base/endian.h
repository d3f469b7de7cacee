/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Little-endian loads and stores at any alignment, the same on every compiler and byte order. */
#ifndef VMM_BASE_ENDIAN_H
#define VMM_BASE_ENDIAN_H

#include <stdint.h>

static inline uint16_t vmm__le16(const void *p)
{
	const uint8_t *b = p;
	return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t vmm__le32(const void *p)
{
	const uint8_t *b = p;
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t vmm__le64(const void *p)
{
	const uint8_t *b = p;
	return (uint64_t)vmm__le32(b) | (uint64_t)vmm__le32(b + 4) << 32;
}

static inline void vmm__put_le16(void *p, uint16_t v)
{
	uint8_t *b = p;
	b[0] = (uint8_t)v;
	b[1] = (uint8_t)(v >> 8);
}

static inline void vmm__put_le32(void *p, uint32_t v)
{
	vmm__put_le16(p, (uint16_t)v);
	vmm__put_le16((uint8_t *)p + 2, (uint16_t)(v >> 16));
}

static inline void vmm__put_le64(void *p, uint64_t v)
{
	vmm__put_le32(p, (uint32_t)v);
	vmm__put_le32((uint8_t *)p + 4, (uint32_t)(v >> 32));
}

#endif

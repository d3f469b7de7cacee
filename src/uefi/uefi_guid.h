/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Globally unique identifiers, as they stand in memory: UEFI 2.10, appendix A. */
#ifndef VMM_UEFI_GUID_H
#define VMM_UEFI_GUID_H

#define VMM__GUID(a, b, c, d0, d1, d2, d3, d4, d5, d6, d7)                                         \
	{                                                                                          \
		(a) & 0xff, (a) >> 8 & 0xff, (a) >> 16 & 0xff, (a) >> 24 & 0xff, (b)&0xff,         \
			(b) >> 8 & 0xff, (c)&0xff, (c) >> 8 & 0xff, d0, d1, d2, d3, d4, d5, d6, d7 \
	}

/* Ours: this firmware in its resource table, and variables that only it sees. */
#define VMM__GUID_LIBVMM \
	VMM__GUID(0x3f7e1a52, 0x8c04, 0x4d3b, 0x92, 0x6a, 0x6c, 0x69, 0x62, 0x76, 0x6d, 0x6d)

#endif

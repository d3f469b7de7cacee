/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Layout of Linux's x86 boot protocol, version 2.15: Documentation/arch/x86/boot.rst ("The
 * Real-Mode Kernel Header") and zero-page.rst. Offsets are the same in the image's first
 * sectors and in boot_params.
 */
#ifndef VMM_LOADER_LINUX_BOOT_H
#define VMM_LOADER_LINUX_BOOT_H

#define BZ_SECTOR           512u
#define BZ_SETUP_SECTS      0x1f1 /* u8; 0 means 4 */
#define BZ_SYSSIZE          0x1f4 /* u32; protected-mode code, in units of 16 bytes */
#define BZ_BOOT_FLAG        0x1fe /* u16 */
#define BZ_BOOT_FLAG_MAGIC  0xaa55u
#define BZ_JUMP             0x201 /* u8; the header ends here + 1 + value */
#define BZ_HEADER           0x202 /* u32 "HdrS" */
#define BZ_HEADER_MAGIC     0x53726448u
#define BZ_VERSION          0x206 /* u16; major << 8 | minor */
#define BZ_VERSION_2_12     0x020cu
#define BZ_TYPE_OF_LOADER   0x210 /* u8 */
#define BZ_LOADER_OTHER     0xffu
#define BZ_LOADFLAGS        0x211 /* u8 */
#define BZ_LOADED_HIGH      0x01u
#define BZ_CODE32_START     0x214 /* u32 */
#define BZ_RAMDISK_IMAGE    0x218 /* u32 */
#define BZ_RAMDISK_SIZE     0x21c /* u32 */
#define BZ_CMD_LINE_PTR     0x228 /* u32 */
#define BZ_INITRD_ADDR_MAX  0x22c /* u32; the highest address of an initrd's byte */
#define BZ_KERNEL_ALIGNMENT 0x230 /* u32 */
#define BZ_RELOCATABLE      0x234 /* u8 */
#define BZ_XLOADFLAGS       0x236 /* u16 */
#define BZ_XLF_KERNEL_64    0x0001u
#define BZ_XLF_ABOVE_4G     0x0002u
#define BZ_CMDLINE_SIZE     0x238 /* u32; without the NUL */
#define BZ_PREF_ADDRESS     0x258 /* u64 */
#define BZ_INIT_SIZE        0x260 /* u32 */
#define BZ_HEADER_MIN_END   0x264 /* the last field that a 2.12 header must have ends here */
#define BZ_HEADER_MAX_END   0x290 /* boot_params has other fields from here on */

#define BZ_ENTRY64 0x200u /* from the start of the protected-mode code */

/* boot_params only. */
#define BP_SIZE              0x1000u
#define BP_ACPI_RSDP_ADDR    0x070 /* u64; read since 2.14 */
#define BP_EXT_RAMDISK_IMAGE 0x0c0 /* u32; upper halves of the header's fields */
#define BP_EXT_RAMDISK_SIZE  0x0c4 /* u32 */
#define BP_EFI_SIGNATURE     0x1c0 /* u32 "EL64"; struct efi_info from here to 0x1df */
#define BP_EFI_SIGNATURE_64  0x34364c45u
#define BP_EFI_SYSTEM        0x1c4 /* u32 */
#define BP_EFI_MAP_STRIDE    0x1c8 /* u32; bytes of a descriptor */
#define BP_EFI_MAP_VERSION   0x1cc /* u32 */
#define BP_EFI_MAP           0x1d0 /* u32 */
#define BP_EFI_MAP_SIZE      0x1d4 /* u32 */
#define BP_EFI_SYSTEM_HIGH   0x1d8 /* u32 */
#define BP_EFI_MAP_HIGH      0x1dc /* u32 */
#define BP_E820_ENTRIES      0x1e8 /* u8 */
#define BP_SECURE_BOOT       0x1ec /* u8; what the kernel's EFI stub would have found out */
#define BP_SECURE_BOOT_OFF   2
#define BP_E820_TABLE        0x2d0
#define BP_E820_ENTRY_SIZE   20u /* u64 address, u64 size, u32 type */
#define BP_E820_ENTRIES_MAX  128u

#endif

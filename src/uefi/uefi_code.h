/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The runtime code of src/uefi/runtime, as the build has linked it; 0 bytes where it could not. */
#ifndef VMM_UEFI_CODE_H
#define VMM_UEFI_CODE_H

#include <stdint.h>

extern const uint8_t vmm__uefi_code_x86_64[];
extern const uint32_t vmm__uefi_code_x86_64_len;
extern const uint8_t vmm__uefi_code_aarch64[];
extern const uint32_t vmm__uefi_code_aarch64_len;

#endif

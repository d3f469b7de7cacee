/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The guest's clock: the host's, and how far the guest has moved it. UEFI 2.10, 8.3. */
#ifndef VMM_UEFI_CLOCK_H
#define VMM_UEFI_CLOCK_H

#include "libvmm/host.h"
#include "uefi_table.h"

struct vmm__uefi_clock {
	int64_t offset_ns; /* local time less the host's UTC */
	int16_t timezone;
	uint8_t daylight;
};

/* The host's time, in no zone. */
void vmm__uefi_clock_init(struct vmm__uefi_clock *clock);

/* Both give what the guest is told: EFI_SUCCESS, EFI_UNSUPPORTED (no clock), and set also
 * EFI_INVALID_PARAMETER. */
uint64_t vmm__uefi_clock_get(const struct vmm__uefi_clock *clock, const struct vmm_host *host,
			     struct efi_time *time);
uint64_t vmm__uefi_clock_set(struct vmm__uefi_clock *clock, const struct vmm_host *host,
			     const struct efi_time *time);

#endif

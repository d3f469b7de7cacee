/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Variables by the rules of UEFI 2.10, 8.2: what firmware may do with them, and what a guest may.
 */
#ifndef VMM_UEFI_VARS_H
#define VMM_UEFI_VARS_H

#include "uefi_store.h"

/* Who asks. A guest does so after ExitBootServices() would have been called. */
#define VMM__UEFI_FIRMWARE 0u
#define VMM__UEFI_GUEST    1u

/*
 * All give an EFI_ status. Names are well-formed; an empty one is 2 bytes long.
 */

/* @value's parts are copied: to @data as much as there is room for. */
uint64_t vmm__uefi_vars_get(struct vmm_uefi_vars *vars, uint32_t who,
			    const struct vmm__uefi_name *name, uint32_t *attributes, void *data,
			    uint32_t *len);
uint64_t vmm__uefi_vars_set(struct vmm_uefi_vars *vars, uint32_t who,
			    const struct vmm__uefi_name *name, uint32_t attributes,
			    const void *data, uint32_t len);
/* The next one's name is copied to @guid and @text; @len: its bytes. */
uint64_t vmm__uefi_vars_next(struct vmm_uefi_vars *vars, uint32_t who,
			     const struct vmm__uefi_name *name, void *guid, void *text,
			     uint32_t *len);
/* Bytes for variables of such attributes: in all, left, of one at most. */
uint64_t vmm__uefi_vars_query(struct vmm_uefi_vars *vars, uint32_t attributes, uint64_t value[3]);

#endif

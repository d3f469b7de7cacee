/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Where variables are kept: a log of records in storage that may lose power at any byte. */
#ifndef VMM_UEFI_STORE_H
#define VMM_UEFI_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "libvmm/uefi.h"

/* A bank's bytes: at least, at most. The most bounds what a hostile image can make us do. */
#define VMM__UEFI_BANK_MIN 4096u
#define VMM__UEFI_BANK_MAX 0x40000u

struct vmm__uefi_store {
	struct vmm_uefi_storage storage; /* without functions: volatile */
	uint8_t *image;                  /* the bank in force, as it is in storage */
	uint8_t *spare;                  /* the next one is made here */
	uint32_t bank_len;
	uint32_t bank;     /* 0 or 1, which of the two is in force */
	uint32_t used;     /* bytes of it */
	uint32_t live;     /* bytes of its records that still count */
	uint64_t sequence; /* of the bank */
	bool untidy;       /* what follows its records in storage may be anything */
	bool in_doubt;     /* the other bank's header may have been written */
};

/* Name and owner of a variable. */
struct vmm__uefi_name {
	const void *guid;     /* 16 bytes */
	const uint16_t *name; /* any alignment will do */
	uint32_t len;         /* bytes, with the NUL */
};

/* A variable as it stands in the store: good until the next change. */
struct vmm__uefi_value {
	struct vmm__uefi_name name;
	uint32_t attributes;
	uint32_t len;
	const uint8_t *data;
};

/* Bytes of a bank in storage of @len bytes; 0: too small. */
uint32_t vmm__uefi_bank_len(uint64_t len);

/*
 * Open a store in two buffers of @bank_len bytes. @storage NULL: volatile, and empty. Storage that
 * is all zeros is made a store. 0, -VMM_EFORMAT (it holds something else), -VMM_EIO.
 */
int vmm__uefi_store_open(struct vmm__uefi_store *store, const struct vmm_uefi_storage *storage,
			 uint32_t bank_len, uint8_t *image, uint8_t *spare);

/* Where a variable is; 0: nowhere. */
uint32_t vmm__uefi_store_find(const struct vmm__uefi_store *store,
			      const struct vmm__uefi_name *name);
/* The first variable behind @at (0: of all); 0: there is none. */
uint32_t vmm__uefi_store_next(const struct vmm__uefi_store *store, uint32_t at);
struct vmm__uefi_value vmm__uefi_store_at(const struct vmm__uefi_store *store, uint32_t at);

/*
 * Give a variable a value, which is @keep bytes of the one it has and then @len of @data. 0,
 * -VMM_ELIMIT (no room), -VMM_EIO; after a failure it has the old value, but storage may have
 * either.
 */
int vmm__uefi_store_set(struct vmm__uefi_store *store, const struct vmm__uefi_name *name,
			uint32_t attributes, uint32_t keep, const void *data, uint32_t len);
/* Delete one that is there. As vmm__uefi_store_set(), but there is always room. */
int vmm__uefi_store_delete(struct vmm__uefi_store *store, const struct vmm__uefi_name *name);

/* Bytes for records, and how many are free or can be made so. */
uint32_t vmm__uefi_store_capacity(const struct vmm__uefi_store *store);
uint32_t vmm__uefi_store_left(const struct vmm__uefi_store *store);

/* Bytes that a record takes beside name and data, at most. */
#define VMM__UEFI_RECORD_OVERHEAD 48u

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the runtime code, which runs in the guest, and the library share: where things are in the
 * runtime region, and the mailbox. All numbers are little-endian.
 *
 *	0x00000  code, from src/uefi/runtime; its head tells where the services begin
 *	0x10000  struct uefi_runtime_data: the tables that an operating system finds, and our state
 *	0x11000  struct uefi_mailbox
 *	0x20000  end
 *
 * 64 KiB apart, so that a kernel with pages of that size can protect code and data differently.
 * Code and data have one memory descriptor, because the code finds its data by their distance.
 */
#ifndef VMM_UEFI_RUNTIME_H
#define VMM_UEFI_RUNTIME_H

#include "uefi_table.h"

#define UEFI_GRANULE        0x10000u
#define UEFI_DATA_OFFSET    0x10000u
#define UEFI_MAILBOX_OFFSET 0x11000u
#define UEFI_RUNTIME_LEN    0x20000u

/* Head of the code: 4 bytes "vRT1", 4 bytes length, then the offset of each service, 4 bytes. */
#define UEFI_HEAD_MAGIC    0x31545276u
#define UEFI_HEAD_LEN      4u
#define UEFI_HEAD_SERVICES 8u

#define UEFI_CONFIG_TABLES 8

struct uefi_runtime_data {
	struct efi_system_table system;
	struct efi_runtime_table runtime;
	struct efi_config_table tables[UEFI_CONFIG_TABLES];
	uint16_t vendor[8];
	uint64_t doorbell; /* x86: a port. Else an address, in the guest's mapping. */
	uint64_t base;     /* physical, of the region */
	uint32_t busy;     /* 1: a service is being rendered */
	uint32_t remapped; /* 1: SetVirtualAddressMap() was called */
};

/*
 * The mailbox. The runtime code fills in what a service needs and writes UEFI_RING to the doorbell;
 * when that instruction has ended the answer is there. A reset needs no mailbox, so that it works
 * whoever has it.
 */
#define UEFI_RING       1u
#define UEFI_RING_RESET 0x100u /* + type of reset */

#define UEFI_OP_GET_TIME       1u /* data: struct efi_time, struct efi_time_capabilities */
#define UEFI_OP_SET_TIME       2u /* data: struct efi_time */
#define UEFI_OP_GET_VARIABLE   3u
#define UEFI_OP_GET_NEXT_NAME  4u
#define UEFI_OP_SET_VARIABLE   5u
#define UEFI_OP_QUERY_VARIABLE 6u /* value: storage size, what is left, largest variable */
#define UEFI_OP_NEXT_COUNT     7u /* value[0] */

/* Most bytes of a name with its NUL, and of a variable's data. */
#define UEFI_NAME_MAX 1024u
#define UEFI_DATA_MAX 32768u

struct uefi_mailbox {
	uint32_t op;
	uint32_t attributes;
	uint64_t status;
	uint32_t name_len; /* bytes, with the NUL */
	uint32_t data_len; /* GET_VARIABLE, in: the caller's room */
	uint8_t guid[16];
	uint64_t value[3];
	uint16_t name[UEFI_NAME_MAX / 2];
	uint8_t data[UEFI_DATA_MAX];
};

_Static_assert(sizeof(struct uefi_runtime_data) <= UEFI_MAILBOX_OFFSET - UEFI_DATA_OFFSET, "data");
_Static_assert(sizeof(struct uefi_mailbox) <= UEFI_RUNTIME_LEN - UEFI_MAILBOX_OFFSET, "mailbox");

#endif

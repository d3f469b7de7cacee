/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * UEFI Specification 2.10: tables, memory descriptors and the numbers of its runtime services.
 * Shared with the runtime code, which runs in the guest: nothing but fixed-width fields in here.
 */
#ifndef VMM_HW_UEFI_TABLE_H
#define VMM_HW_UEFI_TABLE_H

#include <stdint.h>

#define EFI_PAGE UINT64_C(0x1000)

/* Appendix D: status codes. */
#define EFI_ERROR(n)          (UINT64_C(0x8000000000000000) | (n))
#define EFI_SUCCESS           UINT64_C(0)
#define EFI_INVALID_PARAMETER EFI_ERROR(2)
#define EFI_UNSUPPORTED       EFI_ERROR(3)
#define EFI_BUFFER_TOO_SMALL  EFI_ERROR(5)
#define EFI_NOT_READY         EFI_ERROR(6)
#define EFI_DEVICE_ERROR      EFI_ERROR(7)
#define EFI_WRITE_PROTECTED   EFI_ERROR(8)
#define EFI_OUT_OF_RESOURCES  EFI_ERROR(9)
#define EFI_NOT_FOUND         EFI_ERROR(14)
#define EFI_NO_MAPPING        EFI_ERROR(17)

/* 4.2: header of a table. The CRC is over header_size bytes, its own field counted as 0. */
struct efi_header {
	uint64_t signature;
	uint32_t revision;
	uint32_t header_size;
	uint32_t crc32;
	uint32_t reserved;
};
_Static_assert(sizeof(struct efi_header) == 24, "4.2");

/* 4.3.1 */
#define EFI_SYSTEM_SIGNATURE UINT64_C(0x5453595320494249) /* "IBI SYST" */
#define EFI_SYSTEM_REVISION  ((2u << 16) | 100u)

struct efi_system_table {
	struct efi_header header;
	uint64_t vendor; /* CHAR16 * */
	uint32_t firmware_revision;
	uint32_t pad;
	uint64_t console[6]; /* handles and protocols of input, output, errors */
	uint64_t runtime;
	uint64_t boot;
	uint64_t table_count;
	uint64_t tables; /* struct efi_config_table * */
};
_Static_assert(sizeof(struct efi_system_table) == 120, "4.3.1");

/* 4.6.1 */
struct efi_config_table {
	uint8_t guid[16];
	uint64_t table;
};
_Static_assert(sizeof(struct efi_config_table) == 24, "4.6.1");

/* 4.5.1: the services, in the order of the table. */
#define EFI_RUNTIME_SIGNATURE UINT64_C(0x56524553544e5552) /* "RUNTSERV" */

#define EFI_SERVICE_GET_TIME        0
#define EFI_SERVICE_SET_TIME        1
#define EFI_SERVICE_GET_WAKEUP      2
#define EFI_SERVICE_SET_WAKEUP      3
#define EFI_SERVICE_SET_VIRTUAL     4
#define EFI_SERVICE_CONVERT_POINTER 5
#define EFI_SERVICE_GET_VARIABLE    6
#define EFI_SERVICE_GET_NEXT_NAME   7
#define EFI_SERVICE_SET_VARIABLE    8
#define EFI_SERVICE_NEXT_COUNT      9
#define EFI_SERVICE_RESET           10
#define EFI_SERVICE_UPDATE_CAPSULE  11
#define EFI_SERVICE_QUERY_CAPSULE   12
#define EFI_SERVICE_QUERY_VARIABLE  13
#define EFI_SERVICES                14

struct efi_runtime_table {
	struct efi_header header;
	uint64_t service[EFI_SERVICES];
};
_Static_assert(sizeof(struct efi_runtime_table) == 136, "4.5.1");

/* 7.2.3, with the table 7.10 of types. */
#define EFI_MEMORY_RESERVED     0u
#define EFI_MEMORY_LOADER_DATA  2u
#define EFI_MEMORY_RUNTIME_CODE 5u
#define EFI_MEMORY_RUNTIME_DATA 6u
#define EFI_MEMORY_CONVENTIONAL 7u
#define EFI_MEMORY_UNUSABLE     8u
#define EFI_MEMORY_ACPI         9u
#define EFI_MEMORY_NVS          10u
#define EFI_MEMORY_MMIO         11u
#define EFI_MEMORY_TYPES        15u

#define EFI_MEMORY_UC      UINT64_C(0x1)
#define EFI_MEMORY_RAM     UINT64_C(0xf) /* UC, WC, WT, WB */
#define EFI_MEMORY_XP      UINT64_C(0x4000)
#define EFI_MEMORY_RO      UINT64_C(0x20000)
#define EFI_MEMORY_RUNTIME UINT64_C(0x8000000000000000)

#define EFI_MEMORY_VERSION 1u

struct efi_memory {
	uint32_t type;
	uint32_t pad;
	uint64_t physical;
	uint64_t virtual;
	uint64_t pages;
	uint64_t attributes;
};
_Static_assert(sizeof(struct efi_memory) == 40, "7.2.3");

/* A descriptor takes more than its structure, so that nobody takes the one for the other. */
#define EFI_MEMORY_STRIDE 48u

/* 8.2: attributes of variables. */
#define EFI_VARIABLE_NON_VOLATILE 0x01u
#define EFI_VARIABLE_BOOT         0x02u
#define EFI_VARIABLE_RUNTIME      0x04u
#define EFI_VARIABLE_ERROR_RECORD 0x08u
#define EFI_VARIABLE_AUTH         0x10u /* deprecated */
#define EFI_VARIABLE_TIMED_AUTH   0x20u
#define EFI_VARIABLE_APPEND       0x40u
#define EFI_VARIABLE_ENHANCED     0x80u
#define EFI_VARIABLE_ALL          0xffu

/* 8.3 */
#define EFI_TIMEZONE_UNSPECIFIED 0x7ff

struct efi_time {
	uint16_t year; /* 1900 to 9999 */
	uint8_t month;
	uint8_t day;
	uint8_t hour;
	uint8_t minute;
	uint8_t second;
	uint8_t pad1;
	uint32_t nanosecond;
	int16_t timezone; /* minutes, -1440 to 1440, local time = UTC - timezone */
	uint8_t daylight;
	uint8_t pad2;
};
_Static_assert(sizeof(struct efi_time) == 16, "8.3");

struct efi_time_capabilities {
	uint32_t resolution; /* Hz */
	uint32_t accuracy;   /* 1e-6 parts per million */
	uint8_t sets_to_zero;
	uint8_t pad[3];
};
_Static_assert(sizeof(struct efi_time_capabilities) == 12, "8.3.1");

/* 8.5.1 */
#define EFI_RESET_COLD     0u
#define EFI_RESET_WARM     1u
#define EFI_RESET_SHUTDOWN 2u
#define EFI_RESET_PLATFORM 3u

/* 4.6.2: which services are there after ExitBootServices(). A bit for each, in this table's order.
 */
#define EFI_RT_GET_TIME       0x0001u
#define EFI_RT_SET_TIME       0x0002u
#define EFI_RT_GET_VARIABLE   0x0010u
#define EFI_RT_GET_NEXT_NAME  0x0020u
#define EFI_RT_SET_VARIABLE   0x0040u
#define EFI_RT_SET_VIRTUAL    0x0080u
#define EFI_RT_NEXT_COUNT     0x0200u
#define EFI_RT_RESET          0x0400u
#define EFI_RT_QUERY_VARIABLE 0x2000u

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the hostile guest and its hypervisor agree on. */
#ifndef TESTS_HOSTILE_CASES_H
#define TESTS_HOSTILE_CASES_H

#define RAM_BYTES   0x200000ul
#define MMIO_ANSWER 0xc0dedeadu
#define DEVICE      0xd0000000ul

/* Two pages of a device that answers within the library: by the offset. */
#define BUS            0xd4000000ul
#define BUS_BYTES      0x2000ul
#define BUS_ANSWER(at) (0x51000000u + (at))
/* A write there changes the guest's memory before it ends. */
#define BUS_COMMAND   0x1ff8u
#define COMMAND_MOVE  1u /* MOVED shows what MOVED_TO does */
#define COMMAND_BACK  2u
#define COMMAND_COVER 3u /* MOVED_TO shows at BUS, above the device */
#define COMMAND_BARE  4u
#define MOVED         0x9c000ul
#define MOVED_TO      0x9d000ul

/* Ports that mean something. */
#define PORT_FIRST 0xe8
#define PORT_SAY   0xe9
#define PORT_END   0xf4
#define PORT_ORDER 0xf8
#define PORT_LAST  0xfb

enum {
	CASE_SVM,
	CASE_VMX,
	CASE_FIXED_BITS,
	CASE_HYPERCALLS,
	CASE_MSRS,
	CASE_BAD_VALUES,
	CASE_CONTROLS,
	CASE_CR8,
	CASE_WILD_CR0,
	CASE_WILD_CR3,
	CASE_WILD_EFER,
	CASE_PAGES,
	CASE_FETCH,
	CASE_TABLES,
	CASE_OWN,
	CASE_PORTS,
	CASE_PORT_STRINGS,
	CASE_MMIO,
	CASE_WILD_MMIO,
	CASE_NO_IDT,
	CASE_FAULT_LOOP,
	CASE_DEBUG_LOOP,
	CASE_SPIN,
	CASE_HALT,
	CASE_NO_STACK,
	CASE_WILD_SEGMENTS,
	CASE_WILD_CODE,
	CASE_MOVED_CODE,
	CASES,
};

#endif

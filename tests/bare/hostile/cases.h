/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the hostile guest and its hypervisor agree on. */
#ifndef TESTS_HOSTILE_CASES_H
#define TESTS_HOSTILE_CASES_H

#define RAM_BYTES   0x200000ul
#define MMIO_ANSWER 0xc0dedeadu

/* Ports that mean something. */
#define PORT_FIRST 0xe8
#define PORT_SAY   0xe9
#define PORT_END   0xf4
#define PORT_ORDER 0xf8
#define PORT_LAST  0xfb

enum {
	CASE_SVM,
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
	CASES,
};

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Checks of the bare host, chosen by words on the command line: check.c lists them. */
#ifndef TESTS_BARE_CHECK_H
#define TESTS_BARE_CHECK_H

#include <stdatomic.h>
#include <stdbool.h>

#include "asked.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* What is at an address, as the tables in use have it. */
struct mapping {
	uint64_t pa;
	bool present, writable, executable, user;
};

/* 0, or 1 after saying what is wrong. */
int check_heap(void);
int check_phys(void);
int check_exhaustion(void);
int check_windows(void);
int check_tables(void);
int check_time(void);
int check_timer(void);
int check_cpus(void);
int check_calls(void);
int check_sleep(void);
int check_traps(void);
int check_acpi(void);

struct mapping look_up(const void *address);

/* These end the image by an exception, or end the machine. */
int die_undefined(void);
int die_stack(void);
int die_double(void);
int die_nmi(void);
int die_write_text(void);
int die_execute_data(void);
int die_null(void);
int die_elsewhere(void);
int die_off(void);
int die_reset(void);

#endif

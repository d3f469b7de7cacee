/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What a dedicated vCPU has beside what all have: native_partition.c. */
#ifndef VMM_NATIVE_PARTITION_H
#define VMM_NATIVE_PARTITION_H

#include <stdatomic.h>
#include <stdbool.h>

#include "libvmm/partition.h"

#define NATIVE_NO_APIC UINT32_MAX

/* x2APIC register as MSR: SDM 3A table 11-6, APM2 16.11. */
#define NATIVE_X2_ICR 0x830u

struct native_partition {
	uint64_t cpu; /* that it keeps; 0: none yet. Who runs it, or resets it, writes */
	/* Of that CPU's APIC, or NATIVE_NO_APIC: where interrupts for it are sent. */
	_Atomic uint32_t apic_id;
	_Atomic uint32_t settle;  /* asked for */
	_Atomic uint32_t settled; /* done */
	_Atomic uint32_t running; /* in its run() */
	uint64_t tpr;             /* the guest's task priority while the host runs */

	_Atomic uint32_t budget_on, budget_excused;
	_Atomic uint64_t budget_left;
	bool own_cpuid;       /* CPUID is the processor's */
	const uint8_t *msrpm; /* that it has now */
	bool broken;          /* VMM_EXIT_BUDGET is due: */
	uint32_t broken_reason;
	uint64_t broken_code, broken_info, broken_pc;
};

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What partition.c and its guest tell each other: memory alone, which costs no exit. */
#ifndef TESTS_BARE_PARTITION_CONTROL_H
#define TESTS_BARE_PARTITION_CONTROL_H

#include <stdint.h>

#define RAM_BYTES UINT64_C(0x400000)
#define CONTROL   0x6000 /* a struct control for each CPU */
#define CPUS      4

/* What a CPU does. */
#define ORDER_TICKS  1  /* 1,000 of its timer's interrupts, then idle */
#define ORDER_SPIN   2  /* with interrupts off */
#define ORDER_SEND   3  /* 1,000 IPIs to the next CPU, each answered */
#define ORDER_ANSWER 4  /* to IPIs, by IPIs */
#define ORDER_WORK   5  /* checked work: memory, ticks, IPIs to itself */
#define ORDER_ICR    6  /* every value of ICR that there is, from @argument on */
#define ORDER_PANIC  7  /* a triple fault */
#define ORDER_LOOP   8  /* an exception that faults again and again */
#define ORDER_EVENTS 9  /* NMI to itself; SMI; LVT entries of other modes; APIC_BASE */
#define ORDER_PORTS  10 /* a port, again and again */

#define STATE_READY 1 /* it has started, and waits for @go */
#define STATE_DONE  2

#define ROUNDS 1000

struct control {
	uint32_t state;
	uint32_t go;
	uint32_t fault;                     /* an exception that should not have been; plus 1 */
	uint32_t wrong;                     /* checks that have failed */
	uint64_t ticks, ipis, nmis, others; /* interrupts taken */
	uint64_t sent;                      /* writes of ICR */
	uint64_t rounds;                    /* of work or spinning */
	uint64_t argument;                  /* host to guest */
	uint64_t next;                      /* APIC ID of the next CPU; host to guest */
};

_Static_assert(sizeof(struct control) == 80, "partition.c and guest.c");

#endif

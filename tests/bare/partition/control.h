/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What partition.c and its guest tell each other: memory alone, which costs no exit. */
#ifndef TESTS_BARE_PARTITION_CONTROL_H
#define TESTS_BARE_PARTITION_CONTROL_H

#include <stdint.h>

#define RAM_BYTES UINT64_C(0x400000)
#define CONTROL   0x6000 /* a struct control for each CPU */
#define CPUS      4

/* What a CPU does, with the argument of some of them in the upper half. */
#define ORDER(what, argument) ((uint64_t)(argument) << 32 | (what))
#define ORDER_TICKS           1 /* 1,000 of its timer's interrupts, then idle */
#define ORDER_SPIN            2 /* with interrupts off: SPIN_ */
#define ORDER_SEND            3 /* 1,000 IPIs to the next CPU, each answered */
#define ORDER_ANSWER          4 /* to IPIs, by IPIs */
#define ORDER_WORK            5 /* checked work: memory, ticks, IPIs to itself; until @go is 0 again */
#define ORDER_ICR_X2          6  /* one value of ICR in so many, see ICR() */
#define ORDER_ICR_X           7  /* the same, with the APIC in memory */
#define ORDER_PANIC           8  /* a triple fault */
#define ORDER_LOOP            9  /* an exception that its handler does not mend */
#define ORDER_EVENTS          10 /* NMI to itself; SMI; LVT entries of other modes; APIC_BASE */
#define ORDER_PORTS           11 /* a port, again and again */
#define ORDER_DEEDS           12 /* the DEED_ that @deed says, as often as @go has grown */
#define ORDER_STORM           13 /* all deeds but the last, by turns */
#define ORDER_RESET           14 /* by PORT_RESET */
#define ORDER_PEND            15 /* every interrupt to itself, and ends none */

#define SPIN_LOOP    0
#define SPIN_HLT     1
#define SPIN_NMI     2 /* in the handler of an NMI */
#define SPIN_FAULT   3 /* as ORDER_LOOP */
#define SPIN_SHADOW  4 /* loads of SS, each of which shuts out interrupts for an instruction */
#define SPIN_NO_APIC 5 /* its own APIC is switched off */
#define SPINS        6

/* What may leave the guest, and what must not. */
#define DEED_FREE        0 /* HLT, PAUSE, RDTSC, INVLPG, CR3, CR8, and what is free of the APIC */
#define DEED_CPUID       1
#define DEED_PORT        2
#define DEED_MEMORY      3 /* a read behind RAM */
#define DEED_ICR         4
#define DEED_MSR         5
#define DEED_HYPERCALL   6
#define DEED_EXCEPTION   7
#define DEED_REGISTER    8
#define DEED_INSTRUCTION 9
#define DEED_SHUTDOWN    10

#define PORT_RESET 0xcf9
#define PORT_INIT  0x81 /* what stands at the reset vector */

/*
 * A value of ICR that is tried: vector, delivery mode and destination mode in bits 11:0, level and
 * trigger mode in 13:12, shorthand in 15:14, and which of eight destinations in 18:16.
 */
#define ICR_VALUES (1u << 19)

/* The argument of ORDER_ICR_: one in @stride of all values, from @first on. */
#define ICR(first, stride) ((uint32_t)(stride) << 16 | (uint32_t)(first))

/* The work: xorshift64, its numbers written and found again. */
#define WORK_SEED  UINT64_C(88172645463325252)
#define WORK_WORDS 4096

static inline uint64_t work_next(uint64_t x)
{
	x ^= x << 13;
	x ^= x >> 7;
	return x ^ x << 17;
}

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
	uint64_t refused;                   /* of them; #GP */
	uint64_t rounds;                    /* of work, deeds or spinning */
	uint64_t sum;                       /* work_next() after @rounds; spinning: @next */
	uint64_t next;      /* APIC ID of the next CPU, or anything; host to guest */
	uint32_t deed;      /* host to guest */
	uint32_t any;       /* interrupts and exceptions may be any */
	uint32_t trying;    /* #GP may be, and ends the instruction */
	uint32_t in_memory; /* the APIC is there */
	uint32_t stays;     /* in the handler of NMI */
	uint32_t keeps;     /* interrupts in service */
};

_Static_assert(sizeof(struct control) == 112, "partition.c and guest.c");

#endif

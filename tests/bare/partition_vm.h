/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Partitions under test, and their neighbours: partition_vm.c. */
#ifndef TESTS_BARE_PARTITION_VM_H
#define TESTS_BARE_PARTITION_VM_H

#include <stdatomic.h>
#include <stdbool.h>

#include "asked.h"
#include "guest.h"
#include "libvmm/partition.h"
#include "libvmm/vm.h"
#include "partition/control.h"

#define ENTRY     0x8000
#define MS        UINT64_C(1000000)
#define LONG_NS   (30000 * MS)
#define NEIGHBOUR 3 /* its first CPU, where the partition beside it has one */

struct runner {
	struct partition *part;
	struct vmm_vcpu *vcpu;
	uint64_t cpu, order;
	uint32_t anew; /* how often it was begun anew, after an INIT of its own */
	bool restless; /* nothing that it does ends it */
	int rc;
	struct vmm_exit exit;     /* the last one */
	struct vmm_exit broken;   /* the last of VMM_EXIT_BUDGET */
	_Atomic uint32_t stopped; /* has come back, and waits for @go_on or the end */
	_Atomic uint32_t go_on;
	_Atomic uint32_t budgets;
};

struct partition {
	struct vmm_vm *vm;
	struct vmm_mem *ram;
	uint32_t count;
	struct runner runner[CPUS];
	_Atomic uint32_t end;
};

extern struct vmm_ctx *ctx;

/* On CPUs from @first on, with the APIC IDs that those have. @vcpu_flags: VMM_VCPU_. */
int make(struct partition *p, uint64_t first, uint32_t count, uint32_t flags, uint32_t vcpu_flags);
void unmake(struct partition *p);

/* From the beginning, with an ORDER_ for each CPU. */
int start(struct partition *p, const uint64_t *orders);
void stop(struct partition *p);

struct control control(struct partition *p, uint32_t index);
void tell(struct partition *p, uint32_t index, size_t offset, uint64_t value, size_t len);
void go(struct partition *p);

uint64_t now(void);
void pause_ns(uint64_t ns);

/* All its CPUs come to that state, at some time; or it does more than so many rounds. */
bool reaches(struct partition *p, uint32_t state);
bool gets_on(struct partition *p, uint64_t rounds);

/* It stops by itself. */
bool stops(struct runner *r);
/* Kick it until it has come back; it then waits. */
bool halt(struct runner *r);
bool resume(struct runner *r);

struct vmm_partition_exits exits(struct partition *p, uint32_t index);
/* Number of exits since @from, told by reason. */
uint64_t since(struct partition *p, uint32_t index, const struct vmm_partition_exits *from);
int budget(struct partition *p, uint32_t index, uint64_t count, uint32_t excused);

/* partition_neighbours.c: so many come and go beside @p, which is made here; those that send every
 * value of ICR send one in @stride. */
int neighbours(struct partition *p, uint32_t rounds, uint32_t stride);

#endif

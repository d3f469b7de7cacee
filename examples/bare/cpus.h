/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * CPUs, and the schedulers (sched.h) that they ask whom to run: partition for CPUs that a VM owns,
 * credit for all others, which VMs with cpu.shared take turns on. The first is the monitor's, which
 * looks after the keyboard between two turns; a VM owns it only where the image is for that one
 * and it needs it.
 */
#ifndef EXAMPLES_BARE_CPUS_H
#define EXAMPLES_BARE_CPUS_H

#include "vm.h"

/* 0, or a status that is not 0. */
int cpus_init(struct vms *vms);
/* No VM has a CPU. */
void cpus_fini(struct vms *vms);

/* The first CPU's turn: until a vCPU has come to its end, or for @ns. */
void cpus_rest(struct vms *vms, uint64_t ns);

/* Before a machine first runs: CPUs that are its own, or one at least that can be shared. The same
 * error as cpus_init(). */
int cpus_reserve(struct vm *vm);
/* The machine is not there any more, and its CPUs are shared again. */
void cpus_release(struct vm *vm);

/* Has all vCPUs of a VM run from now on; the same error as cpus_init(). */
int cpus_run(struct vm *vm);
/* On return none of them runs; -VMM_ETIMEOUT: one cannot be fetched. */
int cpus_stop(struct vm *vm);

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * VMs: each made of a profile when it starts, and taken apart when it has ended, so that its memory
 * is there for others.
 *
 * All but running vCPUs and console output happens on the first CPU. What goes wrong is said on the
 * console, by the function that has met it.
 */
#ifndef EXAMPLES_BARE_VM_H
#define EXAMPLES_BARE_VM_H

#include <stdatomic.h>
#include <stdbool.h>

#include "bare.h"
#include "console.h"
#include "files.h"
#include "libvmm/libvmm.h"
#include "libvmm/machine.h"
#include "libvmm/sched.h"

#define VMS_MAX     16
#define VCPUS_MAX   64
#define VM_NAME_MAX 32

/* What an image that cannot do what it shall ends with. */
#define STATUS_WRONG 2 /* something is missing, or cannot be had */
#define STATUS_DIED  3 /* the guest */

/* What a VM does. */
#define VM_OFF    0 /* nothing of it is there but its profile */
#define VM_RUNS   1
#define VM_PAUSED 2
#define VM_DEAD   3 /* it cannot go on, and is kept to be inspected */

/* A vCPU, as the scheduler knows it. */
struct runner {
	struct vm *vm;
	struct vmm_sched_vcpu *place; /* NULL: none */
	uint64_t cpus;                /* the one it owns, bit 0 for the first; 0: none */
	uint32_t index;
	uint32_t cpu; /* the one it ran on last; 0: none yet */
	int err;      /* of running it */
	struct vmm_machine_run result;
};

struct vm {
	struct vms *all;
	char name[VM_NAME_MAX];
	struct vmm_profile *profile;
	const struct file *kernel, *initrd; /* initrd: may be NULL */
	uint32_t state;                     /* VM_ */
	uint32_t starts;
	int status;                  /* what its last life ended with, as an image's status */
	struct vmm_machine *machine; /* NULL: VM_OFF */
	uint32_t vcpus;
	bool shares;            /* it is there, and its CPUs are shared */
	_Atomic uint32_t ended; /* one more than the index of the first vCPU that has */
	uint64_t start_ns;      /* before its machine was made */
	uint64_t first_ns;      /* when it first wrote to its console; 0: not yet */
	uint64_t first_exits;   /* of its vCPUs until then */
	struct console console;
	struct runner runners[VCPUS_MAX];
};

struct vms {
	struct files files;
	struct vmm_ctx *ctx;
	struct vmm_sched *partition, *credit; /* CPU n of bare.h is their n - 1 */
	_Atomic uint64_t owned;      /* CPUs that ask the first of them, bit 0 for the first */
	_Atomic bool over;           /* nobody asks any more */
	const struct vmm_exit *exit; /* what the first CPU's last vCPU came back with */
	bool single;                 /* the image is for one VM, which may have the first CPU too */
	uint32_t count;
	struct vm vm[VMS_MAX];
};

/* Takes boot modules apart, and makes a VM of each profile. 0, or a status that is not 0. */
int vms_init(struct vms *vms, const struct vmm_bare_boot *boot);
/* Every VM is off. */
void vms_fini(struct vms *vms);

struct vm *vms_find(struct vms *vms, const char *name);

/* Each of these gives 0, or what the image should end with. */
int vm_start(struct vm *vm);
int vm_pause(struct vm *vm);
int vm_resume(struct vm *vm);
/* Has the partition left to itself (partition.h). */
int vm_settle(struct vm *vm);
/* Ends it, whatever it does, and takes it apart. */
int vm_kill(struct vm *vm);
/* If it has ended: starts it again if it wants that, else says why it has, and leaves it off or
 * dead. True: it has said something. */
bool vm_look(struct vm *vm);

/* Its CPUs are dedicated. */
bool vm_is_partition(const struct vm *vm);
const char *vm_state_name(const struct vm *vm);

#endif

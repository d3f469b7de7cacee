/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * VMs: each made of a profile when it starts, run with each vCPU on a CPU of its own, and taken
 * apart when it has ended, so that its memory is there for others.
 *
 * All but console output happens on the first CPU. What goes wrong is said on the console, by the
 * function that has met it.
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

#define VMS_MAX     16
#define VCPUS_MAX   64
#define CPUS_MAX    256
#define VM_NAME_MAX 32

/* What a VM does. */
#define VM_OFF    0 /* nothing of it is there but its profile */
#define VM_RUNS   1
#define VM_PAUSED 2
#define VM_DEAD   3 /* it cannot go on, and is kept to be inspected */

struct vm;

/* A vCPU on its CPU. */
struct runner {
	struct vm *vm;
	uint32_t index;
	int err;
	uint64_t cpu;
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
	_Atomic uint32_t running; /* runners that have not come back */
	_Atomic uint32_t ending;  /* they shall */
	uint64_t start_ns;        /* before its machine was made */
	uint64_t first_ns;        /* when it first wrote to its console; 0: not yet */
	struct console console;
	struct runner runners[VCPUS_MAX];
};

struct vms {
	struct files files;
	struct vmm_ctx *ctx;
	bool share;               /* a vCPU may have the first CPU, while the monitor waits */
	struct runner *here;      /* it does */
	struct vm *cpu[CPUS_MAX]; /* whose a CPU is, by number */
	_Atomic uint32_t event;   /* changes when a runner has come back */
	uint32_t count;
	struct vm vm[VMS_MAX];
};

/* Takes boot modules apart, and makes a VM of each profile. 0, or a status that is not 0. */
int vms_init(struct vms *vms, const struct vmm_bare_boot *boot);
/* Every VM is off. */
void vms_fini(struct vms *vms);

struct vm *vms_find(struct vms *vms, const char *name);

/* Sleeps until a runner has come back, or for @ns; where a vCPU has this CPU it runs meanwhile. */
void vms_rest(struct vms *vms, uint64_t ns);

/* Each of these gives 0, or what the image should end with. */
int vm_start(struct vm *vm);
int vm_pause(struct vm *vm);
int vm_resume(struct vm *vm);
/* Ends it, whatever it does, and takes it apart. */
void vm_kill(struct vm *vm);
/* If it has ended: starts it again if it wants that, else says why it has, and leaves it off or
 * dead. True: it has said something. */
bool vm_look(struct vm *vm);

const char *vm_state_name(const struct vm *vm);

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What vmm-run was asked for on its command line; the machine itself is in the profile. */
#ifndef VMM_RUN_OPTIONS_H
#define VMM_RUN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "libvmm/loader.h"
#include "libvmm/profile.h"

/* Exit statuses; odd numbers are the guest's own (vmm-run.1). */
enum {
	STATUS_OFF = 0,
	STATUS_USAGE = 2,
	STATUS_FAILED = 4,
	STATUS_NO_ENGINE = 6,
	STATUS_GUEST_DIED = 8,
	STATUS_ENDED = 10,
};

struct options {
	struct vmm_profile *profile;
	const char *initrds[VMM_BOOT_AREAS_MAX]; /* beyond the one in the profile, which is first */
	uint32_t initrd_count;
	const char *engine;    /* NULL: the first that is usable */
	const char *tables;    /* directory to write them to, or NULL */
	const char *variables; /* file that vUEFI's are kept in, or NULL */
	const char *control;   /* named pipe that takes commands, or NULL */
	bool flat;
	uint32_t flat_mode;
	uint64_t flat_base;
	uint64_t flat_entry;
	bool no_reboot;
	bool dry_run;
	bool stats;
	bool probe;
};

/*
 * Read the command line. Returns -1 to go on, or the exit status: what there was to say has been
 * said. What @options points to lasts as long as the program.
 */
int options_read(struct options *options, int argc, char **argv);

#endif

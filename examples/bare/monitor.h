/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Who looks after the VMs and the keyboard: an endless loop on the first CPU, and its commands. */
#ifndef EXAMPLES_BARE_MONITOR_H
#define EXAMPLES_BARE_MONITOR_H

#include "vm.h"

#define MONITOR_LINE 128

/* What brings the monitor to the front, and back the console that was there: Ctrl-]. */
#define MONITOR_ESCAPE     0x1d
#define MONITOR_ESCAPE_KEY "Ctrl-]"

struct monitor {
	struct vms *vms;
	struct vm *only;  /* the one that the image is for; NULL: it is for several */
	struct vm *front; /* whose console has the line; NULL: the monitor */
	struct vm *last;  /* the one that had it before; may be NULL */
	bool quit;
	uint32_t sequence; /* of a key that has no character */
	uint32_t len;
	char line[MONITOR_LINE]; /* typed so far */
};

/* Until it is told to quit, or until its only VM has ended. */
void monitor_run(struct monitor *m);

/* Gives a VM's console the line; NULL: the monitor takes it. */
void monitor_switch(struct monitor *m, struct vm *vm);

/* commands.c: does what a line says, which is changed. */
void monitor_command(struct monitor *m, char *line);

/* inspect.c: tell on the console. The VM is not off. */
void inspect_vm(struct vm *vm);
void inspect_exits(struct vm *vm);

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The running machine's control: a named pipe that takes one command a line, as from
 * "echo cpu plug 1 >vm.control". What came of it is said on standard error.
 */
#ifndef VMM_RUN_CONTROL_H
#define VMM_RUN_CONTROL_H

#include <pthread.h>
#include <stdbool.h>

struct vmm_machine;
struct vmm_machine_hotplug;

struct control {
	struct vmm_machine *machine;
	const char *path; /* NULL: there is none */
	const char *eol;
	void (*plugged)(void *opaque, unsigned vcpu); /* a CPU has come: run it */
	void (*wake)(void *opaque);
	void (*end)(void *opaque);
	void *opaque;
	int fd;
	int stop_fd; /* eventfd that ends the thread */
	bool made;   /* the pipe is ours to remove */
	bool started;
	pthread_t thread;
};

/*
 * Open the pipe, made if it is not there, and start to read it. What stands above @fd is set
 * already. Returns 0, or -1 with errno.
 */
int control_start(struct control *c);
void control_stop(struct control *c);

/* Say what has become of something that was plugged. */
void control_tell(const struct control *c, const struct vmm_machine_hotplug *what);

#endif

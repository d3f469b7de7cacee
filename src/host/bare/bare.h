/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The bare host: an image that owns the machine it was started on (docs/bare.md).
 *
 * An image defines vmm_bare_main(), and is linked with the bare host and the layers of libvmm it
 * uses, by bare.ld. It is no part of libvmm's shared library.
 */
#ifndef VMM_BARE_H
#define VMM_BARE_H

#include <stddef.h>
#include <stdint.h>

#include "libvmm/host.h"

/* What was loaded beside the image, mapped for reading as long as the image runs. */
struct vmm_bare_module {
	const void *data;
	uint64_t len;
	const char *cmdline; /* never NULL */
};

#define VMM_BARE_MODULES_MAX 32

/* What the boot loader told. */
struct vmm_bare_boot {
	const char *cmdline; /* never NULL */
	uint64_t rsdp;       /* 0: unknown */
	uint32_t module_count;
	uint32_t reserved;
	struct vmm_bare_module modules[VMM_BARE_MODULES_MAX];
};

/* How much memory is in use: the same again after what was made has been destroyed. */
struct vmm_bare_usage {
	uint64_t heap_bytes;  /* given by alloc() */
	uint64_t heap_blocks; /* number of them */
	uint64_t heap_room;   /* bytes that the heap has taken from physical memory, for good */
	uint64_t phys_free;   /* bytes that are nobody's */
};

/* The image's own beginning, on the first CPU; what it returns is handed to vmm_bare_end(). */
int vmm_bare_main(const struct vmm_bare_boot *boot);

/* Host services, all but guest_alloc(), wall_ns(), entropy() and event_signal(). */
const struct vmm_host *vmm_bare_host(void);

void vmm_bare_usage(struct vmm_bare_usage *usage);

/* Writes to the serial console. "\n" goes out as "\r\n". */
void vmm_bare_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void vmm_bare_write(const void *buf, size_t len);
/* The next character that was typed; -1 for none. */
int vmm_bare_read(void);

/* Statuses of the host's own; an image's should be others. */
#define VMM_BARE_STATUS_TRAP  100 /* an exception */
#define VMM_BARE_STATUS_START 101 /* the machine lacks something */

/*
 * The end of the image: tells the status on the console, ends QEMU by its debug-exit device if
 * there is one, and else stops the machine.
 */
_Noreturn void vmm_bare_end(int status);

#endif

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

/* What an exception has interrupted, as it stands on the stack. */
struct vmm_bare_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

struct vmm_acpi_root; /* libvmm/acpi_read.h */

/* The image's own beginning, on the first CPU; what it returns is handed to vmm_bare_end(). */
int vmm_bare_main(const struct vmm_bare_boot *boot);

/* Host services, all but guest_alloc(), wall_ns(), entropy() and event_signal(). */
const struct vmm_host *vmm_bare_host(void);

void vmm_bare_usage(struct vmm_bare_usage *usage);

/*
 * Processors are numbered from 1, as thread_id() has them; vmm_bare_main() runs on the first.
 * vmm_bare_run() starts fn(arg) on another: 0, -VMM_ENODEV, -VMM_EBUSY (it has not come to the end
 * of what it was started with). vmm_bare_join() waits for that end: 0, -VMM_ENODEV.
 */
uint32_t vmm_bare_cpus(void);
int vmm_bare_run(uint64_t cpu, void (*fn)(void *arg), void *arg);
int vmm_bare_join(uint64_t cpu);

/* The machine's ACPI tables; NULL if there are none. */
const struct vmm_acpi_root *vmm_bare_acpi(void);

/*
 * Has exceptions, and NMIs, shown to @hook first, on a stack of their own and with interrupts off.
 * If it returns 1, what was interrupted goes on with what the frame then holds; if 0, the image
 * ends with a dump. NULL: no hook.
 */
void vmm_bare_trap_hook(int (*hook)(struct vmm_bare_frame *frame));

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
 * there is one, and else switches the machine off.
 */
_Noreturn void vmm_bare_end(int status);
_Noreturn void vmm_bare_power_off(void);
_Noreturn void vmm_bare_reset(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the files of the bare host do for one another, beside memory (bare_memory.h). */
#ifndef VMM_BARE_HOST_H
#define VMM_BARE_HOST_H

#include <stdbool.h>

#include "bare_memory.h"

#define BARE_CPUS_MAX 256

/* By index; thread_id() is one more. */
extern struct bare_cpu *vmm__bare_cpus[BARE_CPUS_MAX];
extern uint32_t vmm__bare_cpu_count;

/* bare_boot.c: copies what the boot loader told, and makes the list of free memory. False: nothing
 * of it can be believed. */
bool vmm__bare_boot_read(uint32_t magic, uint32_t info);
extern struct vmm_bare_boot vmm__bare_boot;

/* bare_serial.c */
void vmm__bare_serial_init(void);

/* bare_trap.c: tables of descriptors, and what comes through them. */
void vmm__bare_tables_load(struct bare_cpu *cpu);
void vmm__bare_trap(struct bare_frame *frame);

/* bare_apic.c */
bool vmm__bare_apic_init(struct bare_cpu *cpu);
void vmm__bare_apic_end(void);
void vmm__bare_apic_send(const struct bare_cpu *cpu, uint32_t vector);
/* Sets the timer to the earlier of the two deadlines of this CPU. Interrupts are off. */
void vmm__bare_timer_set(struct bare_cpu *cpu);

/* bare_time.c */
bool vmm__bare_time_init(void);
uint64_t vmm__bare_time_ns(void);
uint64_t vmm__bare_tsc_of(uint64_t ns);
extern uint64_t vmm__bare_tsc_hz;

/* bare_entry.S */
_Noreturn void vmm__bare_switch(uint64_t cr3, uint64_t stack, void (*fn)(void));
extern char vmm__bare_stubs[];

#endif

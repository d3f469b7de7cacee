/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the files of the bare host do for one another, beside memory (bare_memory.h). */
#ifndef VMM_BARE_HOST_H
#define VMM_BARE_HOST_H

#include <stdbool.h>

#include "bare_memory.h"

#define BARE_CPUS_MAX 256

/* By index; thread_id() is one more. Only those that have arrived are counted. */
extern struct bare_cpu *vmm__bare_cpus[BARE_CPUS_MAX];
extern _Atomic uint32_t vmm__bare_cpu_count;
/* The CPU that ends the image, or 0. */
extern _Atomic uint32_t vmm__bare_ending;
/* Who is being started. */
extern struct bare_cpu *_Atomic vmm__bare_starting;

/* bare_start.c */
struct bare_cpu *vmm__bare_cpu_make(uint32_t index);
void vmm__bare_cpu_init(struct bare_cpu *cpu);

/* bare_smp.c */
void vmm__bare_smp_start(void);
_Noreturn void vmm__bare_ap_start(struct bare_cpu *cpu);
int vmm__bare_call(uint64_t id, void (*fn)(void *arg), void *arg);
/* Comes back on the first CPU that calls it; any other halts. */
void vmm__bare_stop_others(void);
_Noreturn void vmm__bare_halt(void);

/* bare_acpi.c. False: there are no tables. */
bool vmm__bare_acpi_init(void);
/* APIC identifiers of the processors that can be used. Gives their number. */
uint32_t vmm__bare_acpi_cpus(uint32_t *apic_ids, uint32_t room);

/* bare_boot.c: copies what the boot loader told, and makes the list of free memory. False: nothing
 * of it can be believed. */
bool vmm__bare_boot_read(uint32_t magic, uint32_t info);
extern struct vmm_bare_boot vmm__bare_boot;
/* A page of memory below 640 KiB, or 0. */
extern uint64_t vmm__bare_low_page;

/* bare_serial.c */
void vmm__bare_serial_init(void);

/* bare_trap.c: tables of descriptors, and what comes through them. */
void vmm__bare_tables_load(struct bare_cpu *cpu);
void vmm__bare_drain(void);
void vmm__bare_trap(struct vmm_bare_frame *frame);

/* bare_apic.c */
bool vmm__bare_apic_init(struct bare_cpu *cpu);
void vmm__bare_apic_end(void);
void vmm__bare_apic_send(const struct bare_cpu *cpu, uint32_t vector);
/* Registers as the host needs them, of one that is switched on. */
void vmm__bare_apic_program(void);
/* Everything it could raise by itself is silent, and so is what others send it. */
void vmm__bare_apic_silence(void);
/* Nothing is in service any more. */
void vmm__bare_apic_finish(void);
void vmm__bare_apic_drain(void);
bool vmm__bare_apic_serves(uint32_t vector);
/* Sets the timer to the earlier of the two deadlines of this CPU, but not before @earliest.
 * Interrupts are off. */
void vmm__bare_timer_set(struct bare_cpu *cpu, uint64_t earliest);
/* The timer has come due: see cpu_timer_mark(). */
void vmm__bare_mark(struct bare_cpu *cpu);

/* bare_lend.c */
void vmm__bare_lend(struct bare_cpu *cpu);
void vmm__bare_take_back(struct bare_cpu *cpu);
/* Interrupts another CPU, by an NMI if it is lent. */
void vmm__bare_interrupt(struct bare_cpu *cpu, uint32_t vector);
/* An NMI: true if it may have been for that. */
bool vmm__bare_nmi(struct bare_cpu *cpu);

/* bare_time.c */
bool vmm__bare_time_init(void);
uint64_t vmm__bare_time_ns(void);
uint64_t vmm__bare_tsc_of(uint64_t ns);
extern uint64_t vmm__bare_tsc_hz;

/* bare_entry.S */
_Noreturn void vmm__bare_switch(uint64_t cr3, uint64_t stack, void (*fn)(void));
extern char vmm__bare_stubs[], vmm__bare_trampoline[], vmm__bare_trampoline_end[];

#endif

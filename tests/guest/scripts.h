/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the embedder does in each test that needs more than play(). */
#ifndef TESTS_GUEST_SCRIPTS_H
#define TESTS_GUEST_SCRIPTS_H

struct run;

void configure_cpuid(struct run *run);
void configure_msr(struct run *run);
void script_msr(struct run *run);
void script_reset(struct run *run);
void script_triple(struct run *run);
void script_sse(struct run *run);
void script_avx(struct run *run);
void script_tsc(struct run *run);
void script_state(struct run *run);
void script_debug(struct run *run);
void script_breakpoint(struct run *run);

void script_inject(struct run *run);
void script_irq(struct run *run);
void script_pic(struct run *run);
void script_smp(struct run *run);
void script_kick(struct run *run);
void script_pause(struct run *run);
void script_busy(struct run *run);

void script_dirty(struct run *run);
void script_translate(struct run *run);
void script_readonly(struct run *run);
void script_remap(struct run *run);
void script_bus(struct run *run);
void script_doorbell(struct run *run);
void script_uefi(struct run *run);

void script_split(struct run *run);
void script_lifetimes(struct run *run);
void script_kicks(struct run *run);

#endif

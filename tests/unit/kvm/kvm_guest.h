/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A small VM on KVM for tests: one vCPU or more, 1 MiB of memory at 0, code in real mode at 0x1000.
 */
#ifndef KVM_GUEST_H
#define KVM_GUEST_H

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libvmm/libvmm.h"
#include "libvmm/linux.h"
#include "libvmm/x86.h"

#define GUEST_RAM  0x100000u
#define GUEST_CODE 0x1000u

struct guest {
	struct vmm_ctx *ctx;
	struct vmm_vm *vm;
	struct vmm_vcpu *vcpu; /* the first */
	struct vmm_mem *ram;
};

/* What meson takes for skipped. */
#define SKIPPED 77

/* Exits the program as skipped where KVM cannot be used. */
void guest_need_kvm(void);
void guest_create(struct guest *g, uint32_t irqchip, uint32_t flags, uint32_t vcpus);
/* Up to sealing; guest_create() does both. */
void guest_configure(struct guest *g, uint32_t irqchip, uint32_t flags, uint32_t vcpus);
void guest_seal(struct guest *g);
/* Code at GUEST_CODE, registers so that the first vCPU starts there in real mode. */
void guest_load(struct guest *g, const void *code, size_t len);
/* Run the first vCPU and look at the reason. */
void guest_run(struct guest *g, struct vmm_exit *exit, uint32_t reason);
void guest_destroy(struct guest *g);

struct vmm_x86_regs guest_regs(struct guest *g);
void guest_set_regs(struct guest *g, const struct vmm_x86_regs *regs);
struct vmm_x86_sys guest_sys(struct guest *g);
void guest_set_sys(struct guest *g, const struct vmm_x86_sys *sys);

#define assert_ok(expr) assert_int_equal((expr), 0)

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A host for tests: pthreads and futexes, every allocation counted, the n-th made to fail. */
#ifndef TESTS_CORE_FAKE_HOST_H
#define TESTS_CORE_FAKE_HOST_H

#include <stdatomic.h>
#include <stdint.h>

#include "libvmm/libvmm.h"
#include "libvmm/x86.h"

struct fake_host {
	struct vmm_host host;   /* what the library gets */
	_Atomic int64_t blocks; /* allocations of both kinds that are alive */
	_Atomic int64_t bytes;
	_Atomic int64_t calls;    /* allocations asked for */
	_Atomic int64_t fail_at;  /* this call (from 1) fails; 0: none */
	_Atomic uint32_t signals; /* event_signal() calls */
	_Atomic uint64_t last_event;
	_Atomic uint32_t logged; /* messages at VMM_LOG_ERROR and below */
};

void fake_host_init(struct fake_host *fake);

/* A context over @fake with the sim engine, or with @engine where that is given. */
struct vmm_ctx *fake_ctx(struct fake_host *fake, const struct vmm_engine *engine);

/* A VM of @vcpus vCPUs that play @scripts (NULL: halt), not sealed. */
struct vmm_vm *fake_vm(struct vmm_ctx *ctx, uint32_t vcpus, uint32_t irqchip,
		       const struct vmm_sim_script *scripts);

/* Steps and scripts. */
#define FAKE_SCRIPT(steps)                                                                     \
	{                                                                                      \
		sizeof(struct vmm_sim_script), (uint32_t)(sizeof(steps) / sizeof((steps)[0])), \
			steps                                                                  \
	}
struct vmm_sim_step fake_exit(uint32_t reason);
struct vmm_sim_step fake_in(uint32_t reason, uint64_t addr, uint32_t width, uint64_t expect);
struct vmm_sim_step fake_out(uint32_t reason, uint64_t addr, uint32_t width, uint64_t data);

/* Destroy both and check that nothing is left. */
void fake_end(struct fake_host *fake, struct vmm_ctx *ctx, struct vmm_vm *vm);

#endif

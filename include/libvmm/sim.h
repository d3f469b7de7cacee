/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/sim.h - The sim engine: scripted exits, no hardware.
 *
 * Pure C, on any host. For an embedder's and a binding's own tests: every contract of the API
 * holds, with the order and completion of exits checked, and idle, preemption and spurious returns
 * wherever the script says so. Memory can be mapped, and steps can touch it; there are no
 * instructions.
 */
#ifndef LIBVMM_SIM_H
#define LIBVMM_SIM_H

#include "libvmm/ctx.h"
#include "libvmm/exit.h"

VMM_BEGIN_DECLS

/** vmm_engine_sim() - The engine, named "sim", for struct vmm_ctx_config. Context: Any. */
VMM_API const struct vmm_engine *vmm_engine_sim(void);

/* struct vmm_sim_step.op */
#define VMM_SIM_EXIT 1 /* exit with @exit; a wanted answer is compared with @expect if CHECK */
#define VMM_SIM_WRITE                                                                     \
	2 /* guest writes @exit.width bytes of @exit.data at GPA @exit.addr: memory if it \
	   * is mapped and writable (which marks it dirty), else an MMIO exit */
#define VMM_SIM_READ     3 /* guest reads; the value is compared with @expect if CHECK */
#define VMM_SIM_SPURIOUS 4 /* the engine comes back for no reason: the library goes in again */
#define VMM_SIM_WAIT     5 /* stay in the guest until kicked or held, then go on */
#define VMM_SIM_SPIN     6 /* stay in the guest @count rounds, looking for kicks */
#define VMM_SIM_JUMP     7 /* go on at step @target, @count times (0: for ever) */
#define VMM_SIM_FAIL     8 /* the engine's run fails with code @expect (an error number) */

#define VMM_SIM_CHECK (UINT32_C(1) << 0)

/** struct vmm_sim_step - One step of a vCPU's script. */
struct vmm_sim_step {
	uint32_t op;
	uint32_t flags;
	struct vmm_exit exit;
	uint64_t expect;
	uint32_t target;
	uint32_t count;
};

/**
 * struct vmm_sim_script - Script of one vCPU; engine_config of struct vmm_vm_config points to an
 * array of max_vcpus of them.
 * @size:  sizeof(struct vmm_sim_script).
 * @count: Steps. After the last one the vCPU gives VMM_EXIT_HLT for ever.
 * @steps: Steps; must outlive the VM.
 *
 * Steps that make no sense make vmm_vcpu_create() fail with -VMM_EINVAL. An answer that differs
 * from what a CHECK step expects makes the call that hands it in fail with -VMM_EINVAL, the step
 * and both values in the detail; the exit stays pending. A read of memory that differs fails once,
 * and the script goes on behind it.
 */
struct vmm_sim_script {
	uint32_t size;
	uint32_t count;
	const struct vmm_sim_step *steps;
};

VMM_END_DECLS

#endif

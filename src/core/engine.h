/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The contract between the core and its engines, both directions. Internal: it may change with any
 * commit.
 *
 * The core owns every contract that is the same everywhere: states and their order, one runner per
 * vCPU, stickiness of kicks, holds and pauses, the bus, intervals of memory and what to do when a
 * change fails half-way, statistics. An engine does what only it can: enter the guest, decode why
 * it left, move state.
 *
 * Rules for engines:
 *  - No engine is called with arguments the core has not checked against the public documentation.
 *  - vm and vcpu below are the engine's own, as its create functions gave them.
 *  - @error is where the detail of a failure goes (vmm__fail() of format.h); never NULL.
 *  - Calls on one vCPU never overlap, but for kick() and inject() of an NMI. Calls on one VM are
 * made under the core's configuration lock, but for irq_line(), msi(), which may overlap with
 * everything.
 *  - Nothing allocates in run(), complete(), kick(), irq_line(), msi(), inject().
 *  - An entry that is NULL means -VMM_ENOTSUP, unless it says otherwise.
 */
#ifndef VMM_CORE_ENGINE_H
#define VMM_CORE_ENGINE_H

#include "libvmm/bus.h"
#include "libvmm/debug.h"
#include "libvmm/irq.h"
#include "libvmm/mem.h"
#include "libvmm/partition.h"
#include "libvmm/state.h"
#include "libvmm/x86.h"

/* Positive result of run(): the guest was left with nothing to tell, because of kick() or for no
 * reason. */
#define VMM__INTERRUPTED 1

/* The same: as 0, but the exit has been offered to the bus (serve.h). */
#define VMM__OFFERED 3

/*
 * What the core does for an engine. Handed over at vm_create() and valid until vm_destroy();
 * @core is the first argument of each.
 */
struct vmm__services {
	const struct vmm_host *host;
	struct vmm_vm *core;
	/* Guest memory, as vmm_vm_read() and vmm_vm_write(); for emulation and table walks. */
	int (*read)(struct vmm_vm *core, uint64_t gpa, void *buf, size_t len);
	int (*write)(struct vmm_vm *core, uint64_t gpa, const void *buf, size_t len);
	void (*log)(struct vmm_vm *core, uint32_t level, const char *text);
	/* A vCPU that has given VMM_EXIT_IDLE and is not running has something to do. From anywhere
	 * that kick() may be called from. May be called once too often, never too seldom: what
	 * comes while IDLE is being given counts. */
	void (*awake)(struct vmm_vm *core, uint32_t index);
};

/*
 * One mapping as the engine sees it. The core numbers slots from 0, below VMM_CAP_MAX_MAPPINGS, and
 * uses the numbers of removed ones again.
 */
struct vmm__slot {
	uint64_t gpa;
	uint64_t len;
	uint32_t prot;  /* VMM_PROT_ */
	uint32_t dirty; /* 1: writes are tracked */
	/* Host memory, or NULL where it is physical. */
	void *hva;
	/* Physical extents from an offset on; engines with VMM_CAP_MEM_PHYS. */
	const struct vmm_extent *extents;
	uint32_t extent_count;
	uint32_t memtype;
	uint64_t extent_offset;
};

struct vmm_engine {
	const char *name;
	uint32_t arch; /* VMM_ARCH_ */

	/* --- the engine on this host; no VM --- */

	int (*probe)(const struct vmm_host *host, struct vmm_error *error);
	/* The core has set *@value to 0. Only after a good probe(). */
	int (*cap)(const struct vmm_host *host, uint32_t cap, uint64_t *value,
		   struct vmm_error *error);
	/* x86: vmm_x86_cpu_model(), by the policy that all x86 engines share (src/cpu/x86). */
	int (*x86_cpu_model)(const struct vmm_host *host, const char *model,
			     struct vmm_x86_cpuid *entries, uint32_t *count,
			     struct vmm_error *error);

	/* --- a VM --- */

	int (*vm_create)(const struct vmm__services *services, const struct vmm_vm_config *config,
			 void **vm, struct vmm_error *error);
	/* After all its vCPUs. */
	void (*vm_destroy)(void *vm);
	int (*vm_cap)(void *vm, uint32_t cap, uint64_t *value);
	/*
	 * Fix the VM's part of the configuration; vcpu_seal() follows for each vCPU. May be called
	 * again after any of them has failed. Port filters are the core's matter, but for
	 * VMM_FILTER_ALLOW.
	 */
	int (*vm_seal)(void *vm, const struct vmm_x86_filter *msrs, uint32_t msr_count,
		       const struct vmm_x86_filter *ports, uint32_t port_count,
		       struct vmm_error *error);
	/* Interrupt controller and clock to power-on; vcpu_reset() follows for each vCPU. */
	int (*vm_reset)(void *vm, struct vmm_error *error);
	/* Stop (1) or restart (0) guest time, while no vCPU is in the guest. NULL: time runs on. */
	int (*vm_clock_stop)(void *vm, uint32_t stop, struct vmm_error *error);

	/*
	 * Make slot @number what @slot says, or remove it (@slot NULL). No vCPU is in the guest if
	 * @quiet. A slot's place and length are only changed by removing it first. Without @quiet:
	 * on return no vCPU uses the old one any more. On failure the slot is as it was.
	 */
	int (*mem_set)(void *vm, uint32_t number, const struct vmm__slot *slot, uint32_t quiet,
		       struct vmm_error *error);
	/* Fetch and clear a tracked slot's dirty bits: OR them into @bitmap, one bit a page. */
	int (*mem_dirty)(void *vm, uint32_t number, uint64_t *bitmap, size_t words,
			 struct vmm_error *error);

	int (*irq_line)(void *vm, uint32_t gsi, uint32_t level);
	int (*msi)(void *vm, uint64_t addr, uint32_t data, uint32_t device_id);
	/* A byte of one of the ports of VMM_VM_PIC; as irq_line(). NULL: no access leaves run(). */
	void (*pic_access)(void *vm, uint32_t port, uint32_t write, uint8_t *value);
	/*
	 * vmm_vm_set_alarm(): vCPU 0's run() gives VMM__INTERRUPTED when the host's time_ns() has
	 * reached @deadline_ns, whatever the guest does; until then it is the deadline of its
	 * VMM_EXIT_IDLE at the latest. As irq_line().
	 */
	void (*alarm)(void *vm, uint64_t deadline_ns);
	int (*event_attach)(void *vm, const struct vmm_irq_event_config *config, void **event,
			    struct vmm_error *error);
	void (*event_detach)(void *vm, void *event);
	/* NULL, or -VMM_ENOTSUP for this one: the bus rings it. */
	int (*doorbell_add)(void *vm, const struct vmm_doorbell_config *config,
			    struct vmm_error *error);
	void (*doorbell_remove)(void *vm, const struct vmm_doorbell_config *config);

	int (*vm_get_state)(void *vm, uint32_t cls, uint32_t index, void *buf, size_t size,
			    struct vmm_error *error);
	int (*vm_set_state)(void *vm, uint32_t cls, uint32_t index, const void *buf, size_t size,
			    struct vmm_error *error);
	int (*x86_msr_list)(void *vm, uint32_t *list, uint32_t *count, struct vmm_error *error);

	/* --- a vCPU --- */

	int (*vcpu_create)(void *vm, const struct vmm_vcpu_config *config, void **vcpu,
			   struct vmm_error *error);
	void (*vcpu_destroy)(void *vcpu);
	/* @cpuid NULL: model "host" with the vCPU's APIC ID. Refuses what the engine cannot give,
	 * by name. */
	int (*vcpu_seal)(void *vcpu, const struct vmm_x86_cpuid *cpuid, uint32_t count,
			 struct vmm_error *error);
	int (*x86_get_cpuid)(void *vcpu, struct vmm_x86_cpuid *entries, uint32_t *count);
	/* Power-on state; what was pending is dropped. Also called by vmm_vm_seal(), once. */
	int (*vcpu_reset)(void *vcpu, struct vmm_error *error);

	/*
	 * Enter the guest until something happens. If the last exit that run() or complete() gave
	 * is pending (reason VMM_EXIT_MMIO and above, and not completed since), *@exit holds its
	 * answer and it is completed first. *@exit has been zeroed by nobody: the engine fills
	 * every field it gives a meaning and clears flags; reason is below VMM_EXIT_REASONS.
	 * Returns 0 with *@exit, VMM__INTERRUPTED (a pending exit has been completed), or a
	 * negative code with the detail in @error (a pending exit still is).
	 */
	int (*run)(void *vcpu, struct vmm_exit *exit, struct vmm_error *error);
	/* The same for a dedicated vCPU, which stays on its CPU between calls. NULL: there are
	 * none, and none of the three below. */
	int (*run_dedicated)(void *vcpu, struct vmm_exit *exit, struct vmm_error *error);
	/* vmm_vm_settle(); may overlap with everything. */
	int (*settle)(void *vm, struct vmm_error *error);
	/* Fill @exits, but for size and total; may overlap with everything, as may the next. */
	void (*partition_exits)(void *vcpu, struct vmm_partition_exits *exits);
	void (*exit_budget)(void *vcpu, const struct vmm_exit_budget *budget);
	/* vmm_vcpu_complete(): 0, -VMM_EPENDING with *@exit, or another code; does not run the
	 * guest. */
	int (*complete)(void *vcpu, struct vmm_exit *exit, struct vmm_error *error);
	/*
	 * From any thread, signal handler or interrupt, at any time: a run() that is under way, or
	 * else the next one, gives VMM__INTERRUPTED soon. The core has stored why, with sequential
	 * consistency, before it calls.
	 */
	void (*kick)(void *vcpu);

	/*
	 * Sleep until a run() would have something to do, kick() is called, or the host's time_ns()
	 * reaches @deadline_ns; may come back early. For engines that give VMM_EXIT_IDLE.
	 */
	void (*wait)(void *vcpu, uint64_t deadline_ns);

	/* vmm_vcpu_set_slice(), for engines with VMM_CAP_SLICE. Not while the vCPU runs. */
	int (*slice)(void *vcpu, uint64_t deadline_ns, uint32_t flags);

	int (*inject)(void *vcpu, uint32_t kind, uint32_t vector, uint32_t flags,
		      uint32_t error_code, struct vmm_error *error);
	int (*request_window)(void *vcpu, uint32_t on, struct vmm_error *error);

	int (*state_size)(void *vcpu, uint32_t cls, uint32_t index, size_t *size);
	int (*get_state)(void *vcpu, uint32_t cls, uint32_t index, void *buf, size_t size,
			 struct vmm_error *error);
	int (*set_state)(void *vcpu, uint32_t cls, uint32_t index, const void *buf, size_t size,
			 struct vmm_error *error);
	int (*debug)(void *vcpu, const struct vmm_debug_config *config, struct vmm_error *error);
	int (*translate)(void *vcpu, uint64_t gva, uint32_t prot, uint64_t *gpa,
			 struct vmm_error *error);
};

#endif

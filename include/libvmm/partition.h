/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/partition.h - Partitions: vCPUs that own their CPUs, and the exits they still make.
 *
 * A vCPU made with VMM_VCPU_DEDICATED (vcpu.h) keeps the CPU it is first run on until it is reset
 * or destroyed, or gets an INIT. Interrupts, the local APIC's timer and HLT are the processor's
 * own there, and the host comes in by NMI alone, which the guest cannot block. docs/partition.md
 * says what a guest sees.
 *
 * A partition starts as any VM does, with exits for what it looks at. When it says that it has
 * started, or is seen to have, the embedder calls vmm_vm_settle(); from then on the guest's own
 * work leaves no trace here, which counters prove and a budget asserts.
 */
#ifndef LIBVMM_PARTITION_H
#define LIBVMM_PARTITION_H

#include "libvmm/vcpu.h"

VMM_BEGIN_DECLS

/*
 * Why the hardware left the guest: of a dedicated vCPU, and of any other, which has its interrupts
 * from the host and waits there. Numbers are ABI.
 */
#define VMM_PARTITION_HOST        0  /* the host's NMI: kicks, stops, changes of memory */
#define VMM_PARTITION_IPI         1  /* the guest sent an interrupt to another vCPU (ICR) */
#define VMM_PARTITION_MSR         2  /* any other model-specific register */
#define VMM_PARTITION_CPUID       3  /* CPUID; on SVM until the partition has settled */
#define VMM_PARTITION_PORT        4  /* a port that is emulated */
#define VMM_PARTITION_MEMORY      5  /* guest-physical memory that is not there, or not so */
#define VMM_PARTITION_HYPERCALL   6  /* VMMCALL or VMCALL */
#define VMM_PARTITION_EXCEPTION   7  /* #DB, #AC or #MC */
#define VMM_PARTITION_REGISTER    8  /* a control or debug register, XSETBV */
#define VMM_PARTITION_INSTRUCTION 9  /* another instruction that is not the guest's to execute */
#define VMM_PARTITION_INTERRUPT   10 /* one that is not the guest's: the host's, SMI, INIT */
#define VMM_PARTITION_SHUTDOWN    11 /* a triple fault */
#define VMM_PARTITION_OTHER       12
#define VMM_PARTITION_HLT         13 /* HLT; not of a dedicated vCPU */
#define VMM_PARTITION_WINDOW      14 /* the guest can take an interrupt that waits; the same */
#define VMM_PARTITION_REASONS     16 /* one above the highest number that is counted */

/**
 * struct vmm_partition_exits - Exits of a vCPU since it was reset.
 * @size:     sizeof(struct vmm_partition_exits), set by the caller.
 * @settled:  1: the partition has settled, and the vCPU runs so.
 * @total:    All of them.
 * @by:       By VMM_PARTITION_.
 *
 * Every time the hardware leaves the guest counts, whoever handles it.
 */
struct vmm_partition_exits {
	uint32_t size;
	uint32_t settled;
	uint64_t total;
	uint64_t by[VMM_PARTITION_REASONS];
};

/** vmm_partition_exit_name() - Name of a reason, "CPUID" for instance; NULL for numbers that are
 * not in use. Context: Any. */
VMM_API const char *vmm_partition_exit_name(uint32_t reason);

/**
 * vmm_vcpu_partition_exits() - Read the counters.
 * @vcpu:  vCPU, dedicated or not.
 * @exits: Filled.
 *
 * Does not disturb the guest. vmm_vcpu_get_stats() has what came of them: exits that a bus or the
 * embedder saw.
 *
 * Context: Any thread; a running vCPU's numbers may lag.
 * Return: 0, -VMM_EINVAL, -VMM_ENOTSUP (an engine that does not see them, such as KVM).
 */
VMM_API int vmm_vcpu_partition_exits(struct vmm_vcpu *vcpu, struct vmm_partition_exits *exits);

/**
 * vmm_vm_settle() - The partition has started: leave it to itself.
 * @vm: Sealed machine; calling it again, or with no dedicated vCPU, does nothing.
 *
 * From here on CPUID is the processor's own where the vCPU's APIC ID is that of its CPU (on SVM; it
 * always exits on VMX), and with VMM_VM_IPI_DIRECT interrupts to other vCPUs are sent without
 * exits. On return every vCPU that runs does so; others when they are next run. A reset undoes it.
 *
 * Context: Any thread, also from a bus callback of the VM; waits until running vCPUs have left the
 * guest once.
 * Return: 0, -VMM_EINVAL, -VMM_ESTATE (not sealed), -VMM_ETIMEOUT.
 */
VMM_API int vmm_vm_settle(struct vmm_vm *vm);

/**
 * struct vmm_exit_budget - How many exits a dedicated vCPU may make.
 * @size:    sizeof(struct vmm_exit_budget).
 * @excused: Exits that do not count: a mask of 1 << VMM_PARTITION_.
 * @exits:   Number of others that it may make, 0 for none.
 */
struct vmm_exit_budget {
	uint32_t size;
	uint32_t excused;
	uint64_t exits;
};

/**
 * vmm_vcpu_exit_budget() - Assert that a vCPU makes no more than so many exits from now on.
 * @vcpu:   Dedicated vCPU, running or not.
 * @budget: The budget, or NULL for none any more.
 *
 * The first exit that breaks it is handled as ever, and then vmm_vcpu_run() gives VMM_EXIT_BUDGET,
 * once: addr is its VMM_PARTITION_ reason, pc where it was, hw_code and hw_info what the hardware
 * said. There is no budget any more then.
 *
 * Context: Any thread.
 * Return: 0, -VMM_EINVAL, -VMM_ENOTSUP (not dedicated).
 */
VMM_API int vmm_vcpu_exit_budget(struct vmm_vcpu *vcpu, const struct vmm_exit_budget *budget);

VMM_END_DECLS

#endif

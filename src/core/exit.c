// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "libvmm/exit.h"
#include "bits.h"

_Static_assert(sizeof(struct vmm_exit) == 64, "ABI");

static const char *const names[] = {
	[VMM_EXIT_NONE] = "NONE",
	[VMM_EXIT_KICKED] = "KICKED",
	[VMM_EXIT_PAUSED] = "PAUSED",
	[VMM_EXIT_IDLE] = "IDLE",
	[VMM_EXIT_PREEMPTED] = "PREEMPTED",
	[VMM_EXIT_HLT] = "HLT",
	[VMM_EXIT_SHUTDOWN] = "SHUTDOWN",
	[VMM_EXIT_DEBUG] = "DEBUG",
	[VMM_EXIT_IRQ_WINDOW] = "IRQ_WINDOW",
	[VMM_EXIT_ENTRY_FAILED] = "ENTRY_FAILED",
	[VMM_EXIT_ENGINE_ERROR] = "ENGINE_ERROR",
	[VMM_EXIT_SYSTEM] = "SYSTEM",
	[VMM_EXIT_BUDGET] = "BUDGET",
	[VMM_EXIT_MMIO] = "MMIO",
	[VMM_EXIT_PORT] = "PORT",
	[VMM_EXIT_MSR] = "MSR",
	[VMM_EXIT_CPUID] = "CPUID",
	[VMM_EXIT_HYPERCALL] = "HYPERCALL",
	[VMM_EXIT_EXCEPTION] = "EXCEPTION",
};

const char *vmm_exit_name(uint32_t reason)
{
	return reason < ARRAY_SIZE(names) ? names[reason] : NULL;
}

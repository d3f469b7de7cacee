// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "guest.h"
#include "scripts.h"

const struct test tests[] = {
	/* Modes */
	{.name = "real", .image = "real", .mode = MODE_RESET},
	{.name = "prot32", .image = "prot32", .mode = MODE_PROT32},
	{.name = "pae32", .image = "pae32", .mode = MODE_PAE32},
	{.name = "long64", .image = "long64", .mode = MODE_LONG64},
	{.name = "modes", .image = "modes", .mode = MODE_RESET},
	{.name = "reset", .image = "reset", .mode = MODE_RESET, .script = script_reset},

	/* Accesses */
	{.name = "port", .image = "port", .mode = MODE_LONG64},
	{.name = "port_string", .image = "port_string", .mode = MODE_LONG64},
	{.name = "mmio", .image = "mmio", .mode = MODE_LONG64},
	{.name = "mmio_string", .image = "mmio_string", .mode = MODE_LONG64},
	{.name = "mmio_rmw", .image = "mmio_rmw", .mode = MODE_LONG64},
	{.name = "msr",
	 .image = "msr",
	 .mode = MODE_LONG64,
	 .cap = {VMM_CAP_MSR_FILTER},
	 .configure = configure_msr,
	 .script = script_msr},
	{.name = "bus", .image = "doorbell", .mode = MODE_LONG64, .script = script_bus},
	{.name = "doorbell", .image = "doorbell", .mode = MODE_LONG64, .script = script_doorbell},

	/* Processor */
	{.name = "triple", .image = "triple", .mode = MODE_LONG64, .script = script_triple},
	{.name = "exceptions", .image = "exceptions", .mode = MODE_LONG64},
	{.name = "cpuid", .image = "cpuid", .mode = MODE_LONG64, .configure = configure_cpuid},
	{.name = "sse", .image = "sse", .mode = MODE_LONG64, .script = script_sse},
	{.name = "avx", .image = "avx", .mode = MODE_LONG64, .xcr0 = 7, .script = script_avx},
	{.name = "tsc",
	 .image = "tsc",
	 .mode = MODE_LONG64,
	 .cap = {VMM_CAP_TSC_SET},
	 .script = script_tsc},
	{.name = "state", .image = "state", .mode = MODE_LONG64, .script = script_state},
	{.name = "debug",
	 .image = "debug",
	 .mode = MODE_LONG64,
	 .cap = {VMM_CAP_SINGLE_STEP, VMM_CAP_HW_BREAKPOINTS},
	 .script = script_debug},
	{.name = "breakpoint",
	 .image = "breakpoint",
	 .mode = MODE_LONG64,
	 .cap = {VMM_CAP_SW_BREAKPOINTS},
	 .script = script_breakpoint},
	{.name = "translate", .image = "prot32", .mode = MODE_LONG64, .script = script_translate},

	/* Interrupts and threads */
	{.name = "inject", .image = "inject", .mode = MODE_LONG64, .script = script_inject},
	{.name = "irq",
	 .image = "irq",
	 .mode = MODE_LONG64,
	 .irqchip = VMM_IRQCHIP_ARCH,
	 .cap = {VMM_CAP_IRQCHIP_ARCH, VMM_CAP_EVENT_IRQ},
	 .script = script_irq},
	{.name = "smp",
	 .image = "smp",
	 .mode = MODE_LONG64,
	 .irqchip = VMM_IRQCHIP_ARCH,
	 .cpus = 2,
	 .cap = {VMM_CAP_IRQCHIP_ARCH},
	 .script = script_smp},
	{.name = "kick", .image = "spin", .mode = MODE_LONG64, .script = script_kick},
	{.name = "pause", .image = "spin", .mode = MODE_LONG64, .script = script_pause},
	{.name = "busy", .image = "spin", .mode = MODE_LONG64, .script = script_busy},

	/* Memory */
	{.name = "dirty",
	 .image = "dirty",
	 .mode = MODE_LONG64,
	 .cap = {VMM_CAP_DIRTY},
	 .script = script_dirty},
	{.name = "readonly",
	 .image = "memory",
	 .mode = MODE_LONG64,
	 .cap = {VMM_CAP_PROT_READONLY},
	 .script = script_readonly},
	{.name = "remap", .image = "memory", .mode = MODE_LONG64, .script = script_remap},

	/* Many times over (--rounds) */
	{.name = "split",
	 .image = "work",
	 .mode = MODE_LONG64,
	 .cap = {VMM_CAP_DIRTY},
	 .script = script_split},
	{.name = "kicks", .image = "spin", .mode = MODE_LONG64, .script = script_kicks},
	{.name = "lifetimes", .image = "real", .mode = MODE_RESET, .script = script_lifetimes},
};
const size_t test_count = sizeof(tests) / sizeof(tests[0]);

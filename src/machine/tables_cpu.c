// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Processor devices (ACPI 6.5, 8.4), named by their unique identifiers, which the MADT has too, and
 * their power and performance states. States are the same for all: the first device has them, the
 * others are its aliases.
 */
#include "format.h"
#include "libvmm/dev.h"
#include "machine_tables.h"

void vmm__cpu_name(char name[5], uint32_t cpu)
{
	vmm__format(name, 5, "C%c%c%c", "0123456789ABCDEF"[cpu >> 8 & 15],
		    "0123456789ABCDEF"[cpu >> 4 & 15], "0123456789ABCDEF"[cpu & 15]);
}

/* 8.4.1.1, and for what MWAIT is given: SDM 2B, MWAIT; 0x20 for C3. C1 is HLT where there is none.
 */
static void add_cstates(struct vmm_aml *a, uint32_t count)
{
	static const uint32_t latency[] = {1, 50, 200};
	struct vmm_aml_cstate state[3] = {{0}};

	for (uint32_t i = 0; i < count; i++) {
		state[i].size = sizeof(state[i]);
		state[i].type = i + 1;
		state[i].latency = latency[i];
		state[i].milliwatts = 1000 >> (2 * i);
		state[i].reg.space = VMM_ACPI_SPACE_FIXED;
		if (count == 1)
			continue;
		state[i].reg.bits = 1;   /* vendor: Intel */
		state[i].reg.offset = 2; /* class: native C-state instruction */
		state[i].reg.address = (uint64_t)i << 4;
	}
	vmm_aml_cst(a, state, count);
}

#define DEFAULT_MHZ 2000

static uint32_t nominal_mhz(const struct vmm__plan *plan)
{
	return plan->profile->cpu_mhz ? (uint32_t)plan->profile->cpu_mhz : DEFAULT_MHZ;
}

/* 8.4.5: states of even steps; one register for all CPUs, who share them (_PSD, 0xfc: any CPU). */
static void add_pstates(struct vmm_aml *a, const struct vmm__plan *plan)
{
	const struct vmm_acpi_gas reg = vmm__register(plan, REG_POWER + VMM_POWER_PERFORMANCE, 32);
	const uint32_t count = (uint32_t)plan->profile->cpu_pstates;

	vmm_aml_pct(a, &reg, &reg);
	vmm_aml_name(a, "_PSS");
	vmm_aml_package_begin(a);
	for (uint32_t i = 0; i < count; i++) {
		const struct vmm_aml_pstate state = {
			.size = sizeof(state),
			.mhz = nominal_mhz(plan) * (count - i) / count,
			.milliwatts = 1000 * (count - i),
			.latency = 1,
			.master_latency = 1,
			.control = i,
			.status = i,
		};

		vmm_aml_pss_entry(a, &state);
	}
	vmm_aml_package_finish(a);
	vmm__name_int(a, "_PPC", 0);
	vmm_aml_name(a, "_PSD");
	vmm_aml_package_begin(a);
	vmm_aml_package_begin(a);
	vmm_aml_int(a, 5);
	vmm_aml_int(a, 0);
	vmm_aml_int(a, 0);
	vmm_aml_int(a, 0xfc);
	vmm_aml_int(a, plan->cpus);
	vmm_aml_package_finish(a);
	vmm_aml_package_finish(a);
}

#define CPPC_NOMINAL 100
#define CPPC_LOWEST  10

/* 8.4.6.1. A counter of time stands for both, delivered and reference: nothing slows a CPU down. */
static void add_cppc(struct vmm_aml *a, const struct vmm__plan *plan)
{
	const struct vmm_acpi_gas desired =
		vmm__register(plan, REG_POWER + VMM_POWER_PERFORMANCE, 32);
	const struct vmm_acpi_gas counter = vmm__register(plan, REG_POWER + VMM_POWER_COUNTER, 32);
	const struct vmm_acpi_gas limited = vmm__register(plan, REG_POWER + VMM_POWER_LIMITED, 32);
	const struct vmm_aml_cpc_entry entry[VMM_AML_CPC_ENTRIES] = {
		[VMM_AML_CPC_HIGHEST] = {.value = CPPC_NOMINAL},
		[VMM_AML_CPC_NOMINAL] = {.value = CPPC_NOMINAL},
		[VMM_AML_CPC_LOWEST_NONLINEAR] = {.value = CPPC_LOWEST},
		[VMM_AML_CPC_LOWEST] = {.value = CPPC_LOWEST},
		[VMM_AML_CPC_DESIRED] = {.reg = desired},
		[VMM_AML_CPC_WRAP] = {.value = UINT32_MAX / 1000000},
		[VMM_AML_CPC_REFERENCE] = {.reg = counter},
		[VMM_AML_CPC_DELIVERED] = {.reg = counter},
		[VMM_AML_CPC_LIMITED] = {.reg = limited},
		[VMM_AML_CPC_REFERENCE_PERF] = {.value = CPPC_NOMINAL},
		[VMM_AML_CPC_LOWEST_MHZ] = {.value =
						    nominal_mhz(plan) * CPPC_LOWEST / CPPC_NOMINAL},
		[VMM_AML_CPC_NOMINAL_MHZ] = {.value = nominal_mhz(plan)},
	};

	vmm_aml_cpc(a, entry);
}

static void alias(struct vmm_aml *a, const char *name)
{
	char source[12];

	vmm__format(source, sizeof(source), "^C000.%s", name);
	vmm_aml_alias(a, source, name);
}

static void add_states(struct vmm_aml *a, const struct vmm__plan *plan)
{
	const struct vmm_profile *p = plan->profile;

	if (p->cpu_cstates)
		add_cstates(a, (uint32_t)p->cpu_cstates);
	if (p->cpu_pstates)
		add_pstates(a, plan);
	if (p->cpu_cppc)
		add_cppc(a, plan);
}

static void alias_states(struct vmm_aml *a, const struct vmm_profile *p)
{
	if (p->cpu_cstates)
		alias(a, "_CST");
	if (p->cpu_pstates) {
		alias(a, "_PCT");
		alias(a, "_PSS");
		alias(a, "_PPC");
		alias(a, "_PSD");
	}
	if (p->cpu_cppc)
		alias(a, "_CPC");
}

/* 6.2.10, 6.3: its entry of the MADT, whether it is there, and how it goes. */
static void add_hotplug(struct vmm_aml *a, const struct vmm__plan *plan, uint32_t cpu)
{
	uint8_t entry[MADT_ENTRY_MAX];
	const size_t len = vmm__madt_entry(plan, cpu, entry);

	vmm_aml_name(a, "_MAT");
	vmm_aml_buffer(a, entry, len);
	vmm_aml_method_begin(a, "_STA", 0, 0);
	vmm_aml_return(a);
	vmm_aml_call(a, "CGET", 1);
	vmm_aml_int(a, cpu);
	vmm_aml_method_finish(a);
	vmm_aml_method_begin(a, "_OST", 3, 0);
	vmm_aml_call(a, "COST", 3);
	vmm_aml_int(a, cpu);
	vmm_aml_arg(a, 0);
	vmm_aml_arg(a, 1);
	vmm_aml_method_finish(a);
	if (cpu == plan->profile->cpu_boot)
		return;
	vmm_aml_method_begin(a, "_EJ0", 1, 0);
	vmm_aml_call(a, "CEJT", 1);
	vmm_aml_int(a, cpu);
	vmm_aml_method_finish(a);
}

void vmm__cpus_add(struct vmm_aml *a, const struct vmm__plan *plan)
{
	for (uint32_t i = 0; i < plan->cpus; i++) {
		char name[5];

		vmm__cpu_name(name, i);
		vmm__device_begin(a, name, "ACPI0007", i);
		if (plan->nodes > 1)
			vmm__name_int(a, "_PXM", plan->cpu_node[i]);
		if (plan->profile->cpu_hotplug)
			add_hotplug(a, plan, i);
		if (i == 0)
			add_states(a, plan);
		else
			alias_states(a, plan->profile);
		vmm_aml_device_finish(a);
	}
}

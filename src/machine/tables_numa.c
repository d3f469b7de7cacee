// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Which CPUs and memory are near to each other: SRAT, SLIT and HMAT (ACPI 6.5, 5.2.16, 5.2.17,
 * 5.2.28). */
#include "machine_tables.h"

static void add_cpu(struct vmm_acpi *b, const struct vmm__plan *plan, uint32_t cpu)
{
	const uint32_t id = (uint32_t)vmm__plan_cpu_id(plan, cpu);

	if (plan->arm)
		vmm_acpi_srat_gicc(b, plan->cpu_node[cpu], cpu, VMM_ACPI_SRAT_ENABLED);
	else if (id < 255)
		vmm_acpi_srat_lapic(b, plan->cpu_node[cpu], id, VMM_ACPI_SRAT_ENABLED);
	else
		vmm_acpi_srat_x2apic(b, plan->cpu_node[cpu], id, VMM_ACPI_SRAT_ENABLED);
}

static void add_srat(struct vmm_acpi *b, const struct vmm__plan *plan)
{
	vmm_acpi_srat_begin(b);
	for (uint32_t i = 0; i < plan->cpus; i++)
		add_cpu(b, plan, i);
	for (uint32_t n = 0; n < plan->nodes; n++) {
		struct vmm__span part[2];
		const uint32_t parts = vmm__plan_node_ram(plan, n, part);

		for (uint32_t i = 0; i < parts; i++)
			vmm_acpi_srat_memory(b, n, part[i].base, part[i].len,
					     VMM_ACPI_SRAT_ENABLED);
	}
	/* Until a memory device says by _PXM where it is. */
	if (plan->memory_hotplug.len > 0)
		vmm_acpi_srat_memory(b, plan->nodes - 1, plan->memory_hotplug.base,
				     plan->memory_hotplug.len,
				     VMM_ACPI_SRAT_ENABLED | VMM_ACPI_SRAT_HOT_PLUG);
	if (plan->arm && plan->profile->arm_its)
		vmm_acpi_srat_its(b, 0, 0);
	vmm_acpi_table_finish(b);
}

static bool has_cpus(const struct vmm__plan *plan, uint32_t node)
{
	for (uint32_t i = 0; i < plan->cpus; i++) {
		if (plan->cpu_node[i] == node)
			return true;
	}
	return false;
}

#define ENTRY_MAX         0xfffe /* 0xffff: cannot be reached */
#define UNREACHABLE       255
#define PICOSECONDS_IN_NS 1000
#define BANDWIDTH_UNIT    100 /* MB/s of an entry */

static uint16_t entry(uint64_t value)
{
	return value == 0 ? 1 : value < ENTRY_MAX ? (uint16_t)value : ENTRY_MAX;
}

/*
 * What an initiator gets of a memory: the profile says what the memory's own CPUs get, others as
 * much worse as they are further away than 10.
 */
static uint16_t figure(const struct vmm__plan *plan, uint8_t type, uint32_t from, uint32_t to)
{
	const uint32_t distance = plan->distance[from * plan->nodes + to];
	const uint64_t latency = plan->profile->numa_latency[to];
	const uint64_t bandwidth = plan->profile->numa_bandwidth[to];

	if (distance == UNREACHABLE)
		return UINT16_MAX;
	if (type == VMM_ACPI_HMAT_ACCESS_LATENCY)
		return latency == 0 ? 0 : entry(latency * distance / 10);
	return bandwidth == 0 ? 0 : entry(bandwidth * 10 / distance / BANDWIDTH_UNIT);
}

static void add_locality(struct vmm_acpi *b, const struct vmm__plan *plan, uint8_t type,
			 uint64_t unit)
{
	uint16_t entries[VMM__PROFILE_NODES * VMM__PROFILE_NODES];
	uint32_t initiator[VMM__PROFILE_NODES], target[VMM__PROFILE_NODES];
	struct vmm_acpi_hmat_locality l = {
		.size = sizeof(l),
		.data_type = type,
		.initiator = initiator,
		.target = target,
		.targets = plan->nodes,
		.unit = unit,
		.entry = entries,
	};

	for (uint32_t n = 0; n < plan->nodes; n++) {
		target[n] = n;
		if (!has_cpus(plan, n))
			continue;
		for (uint32_t to = 0; to < plan->nodes; to++)
			entries[l.initiators * plan->nodes + to] = figure(plan, type, n, to);
		initiator[l.initiators++] = n;
	}
	vmm_acpi_hmat_add_locality(b, &l);
}

static bool any(const uint64_t *value, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (value[i] != 0)
			return true;
	}
	return false;
}

static void add_hmat(struct vmm_acpi *b, const struct vmm__plan *plan)
{
	const bool latency = any(plan->profile->numa_latency, plan->nodes);
	const bool bandwidth = any(plan->profile->numa_bandwidth, plan->nodes);

	if (!latency && !bandwidth)
		return;
	vmm_acpi_hmat_begin(b);
	for (uint32_t n = 0; n < plan->nodes; n++)
		vmm_acpi_hmat_proximity(b, has_cpus(plan, n), n, n);
	if (latency)
		add_locality(b, plan, VMM_ACPI_HMAT_ACCESS_LATENCY, PICOSECONDS_IN_NS);
	if (bandwidth)
		add_locality(b, plan, VMM_ACPI_HMAT_ACCESS_BANDWIDTH, BANDWIDTH_UNIT);
	vmm_acpi_table_finish(b);
}

void vmm__numa_add(struct vmm_acpi *b, const struct vmm__plan *plan)
{
	if (plan->nodes > 1 || plan->memory_hotplug.len > 0)
		add_srat(b, plan);
	if (plan->nodes > 1) {
		vmm_acpi_add_slit(b, plan->nodes, plan->distance);
		add_hmat(b, plan);
	}
}

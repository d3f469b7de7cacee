// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Processors, nodes and caches are told of by several tables, which have to agree. */
#include <inttypes.h>
#include <string.h>

#include "check.h"

#define NO_APIC_ID UINT32_MAX

static struct cpu *by_uid(struct check *c, uint32_t uid)
{
	for (uint32_t i = 0; i < c->cpus; i++)
		if (c->cpu[i].uid == uid)
			return &c->cpu[i];
	return NULL;
}

static struct cpu *by_apic_id(struct check *c, uint32_t apic_id)
{
	for (uint32_t i = 0; i < c->cpus; i++)
		if (c->cpu[i].apic_id == apic_id)
			return &c->cpu[i];
	return NULL;
}

/* -- MADT, ACPI 6.5, 5.2.12 ---------------------------------------------------------------------
 */

static void add_cpu(struct check *c, uint32_t uid, uint32_t apic_id, bool usable)
{
	/* Firmware lists sockets that are empty with identifiers that say nothing. */
	if (usable && by_uid(c, uid) != NULL)
		found(c, "APIC", "processor %u is there twice", uid);
	if (usable && apic_id != NO_APIC_ID && by_apic_id(c, apic_id) != NULL)
		found(c, "APIC", "APIC identifier %u is there twice", apic_id);
	if (usable && c->cpus < CPUS_MAX)
		c->cpu[c->cpus++] = (struct cpu){.uid = uid, .apic_id = apic_id, .usable = true};
}

static void read_madt(struct check *c)
{
	struct vmm_acpi_madt_entry e = {.size = sizeof(e)};
	struct vmm_acpi_cursor cursor;
	struct vmm_acpi_table t;

	if (!checked_table(c, "APIC", &t) || vmm_acpi_read_madt(&t, &cursor, NULL, NULL) != 0)
		return;
	while (vmm_acpi_read_madt_next(&cursor, &e) == 0) {
		if (e.type == VMM_ACPI_MADT_LAPIC || e.type == VMM_ACPI_MADT_X2APIC)
			add_cpu(c, e.uid, e.id, (e.flags & 3) != 0);
		if (e.type == VMM_ACPI_MADT_GICC)
			add_cpu(c, e.uid, NO_APIC_ID,
				(e.flags &
				 (VMM_ACPI_GICC_ENABLED | VMM_ACPI_GICC_ONLINE_CAPABLE)) != 0);
	}
}

/* -- SRAT and SLIT, 5.2.16 and 5.2.17 -----------------------------------------------------------
 */

static void check_srat_cpu(struct check *c, struct cpu *cpu, const char *what, uint32_t id)
{
	if (cpu == NULL) {
		found(c, "SRAT", "%s %u is not in the MADT", what, id);
		return;
	}
	if (cpu->in_srat)
		found(c, "SRAT", "%s %u is there twice", what, id);
	cpu->in_srat = true;
}

static void check_domain(struct check *c, const struct vmm_acpi_srat_entry *e)
{
	const uint8_t *distance;
	struct vmm_acpi_table t;
	uint32_t nodes;

	if (checked_table(c, "SLIT", &t) && vmm_acpi_read_slit(&t, &nodes, &distance) == 0 &&
	    e->domain >= nodes)
		found(c, "SRAT", "node %u has no distances in the SLIT", e->domain);
}

static void check_memory(struct check *c, const struct vmm_acpi_srat_entry *e,
			 struct vmm_acpi_cursor rest)
{
	struct vmm_acpi_srat_entry other = {.size = sizeof(other)};

	while (vmm_acpi_read_srat_next(&rest, &other) == 0)
		if (other.type == VMM_ACPI_SRAT_MEMORY && (other.flags & 1) != 0 &&
		    other.len != 0 && other.base <= e->base + (e->len - 1) &&
		    e->base <= other.base + (other.len - 1))
			found(c, "SRAT", "memory at 0x%" PRIX64 " and at 0x%" PRIX64 " overlap",
			      e->base, other.base);
}

static void check_srat_entry(struct check *c, const struct vmm_acpi_srat_entry *e,
			     const struct vmm_acpi_cursor *rest)
{
	switch (e->type) {
	case VMM_ACPI_SRAT_LAPIC:
	case VMM_ACPI_SRAT_X2APIC:
		check_srat_cpu(c, by_apic_id(c, e->id), "APIC identifier", e->id);
		break;
	case VMM_ACPI_SRAT_GICC:
		check_srat_cpu(c, by_uid(c, e->id), "processor", e->id);
		break;
	case VMM_ACPI_SRAT_MEMORY:
		if (e->len != 0)
			check_memory(c, e, *rest);
		break;
	default:
		break;
	}
	check_domain(c, e);
}

static void check_srat(struct check *c)
{
	struct vmm_acpi_srat_entry e = {.size = sizeof(e)};
	struct vmm_acpi_cursor cursor;
	struct vmm_acpi_table t;

	if (!checked_table(c, "SRAT", &t) || vmm_acpi_read_srat(&t, &cursor) != 0)
		return;
	while (vmm_acpi_read_srat_next(&cursor, &e) == 0)
		if ((e.flags & 1) != 0) /* enabled; the entries of an ITS have no flags */
			check_srat_entry(c, &e, &cursor);
	for (uint32_t i = 0; i < c->cpus; i++)
		if (!c->cpu[i].in_srat)
			found(c, "SRAT", "processor %u has no node", c->cpu[i].uid);
}

static void check_slit(struct check *c)
{
	const uint8_t *distance;
	struct vmm_acpi_table t;
	uint32_t nodes;

	if (!checked_table(c, "SLIT", &t) || vmm_acpi_read_slit(&t, &nodes, &distance) != 0)
		return;
	for (uint32_t i = 0; i < nodes; i++)
		for (uint32_t j = 0; j < nodes; j++) {
			uint8_t d = distance[(size_t)i * nodes + j];

			if (i == j ? d != 10 : d <= 10)
				found(c, "SLIT", "distance %u from node %u to node %u", d, i, j);
		}
}

/* -- PPTT, 5.2.30 -------------------------------------------------------------------------------
 */

/* The node at this offset is of this type? */
static bool is_node(const struct vmm_acpi_table *t, uint32_t ref, uint32_t type)
{
	struct vmm_acpi_pptt_node n = {.size = sizeof(n)};
	struct vmm_acpi_cursor cursor;

	if (ref < 36 || ref + 2 > t->len || t->data[ref] != type ||
	    vmm_acpi_read_pptt(t, &cursor) != 0)
		return false;
	cursor.at = ref;
	return vmm_acpi_read_pptt_next(&cursor, &n) == 0;
}

static void check_leaf(struct check *c, uint32_t uid)
{
	struct cpu *cpu = by_uid(c, uid);

	if (cpu == NULL)
		found(c, "PPTT", "processor %u is not in the MADT", uid);
	else if (cpu->in_pptt)
		found(c, "PPTT", "processor %u is there twice", uid);
	else
		cpu->in_pptt = true;
}

static void check_node(struct check *c, const struct vmm_acpi_table *t,
		       const struct vmm_acpi_pptt_node *n)
{
	uint32_t ref;

	/* Parents before children, as all builders have them: so there is no circle. */
	if (n->parent != 0 && (!is_node(t, n->parent, n->type) ||
			       (n->type == VMM_ACPI_PPTT_PROCESSOR && n->parent >= n->ref)))
		found(c, "PPTT", "the node at 0x%X points at 0x%X, where no such node is", n->ref,
		      n->parent);
	for (uint32_t i = 0; vmm_acpi_read_pptt_cache(n, i, &ref) == 0; i++)
		if (!is_node(t, ref, VMM_ACPI_PPTT_CACHE))
			found(c, "PPTT", "the node at 0x%X points at 0x%X, where no cache is",
			      n->ref, ref);
	if (n->type == VMM_ACPI_PPTT_PROCESSOR && (n->flags & VMM_ACPI_PPTT_LEAF) != 0 &&
	    (n->flags & VMM_ACPI_PPTT_UID_VALID) != 0)
		check_leaf(c, n->uid);
}

static void check_pptt(struct check *c)
{
	struct vmm_acpi_pptt_node n = {.size = sizeof(n)};
	struct vmm_acpi_cursor cursor;
	struct vmm_acpi_table t;

	if (!checked_table(c, "PPTT", &t) || vmm_acpi_read_pptt(&t, &cursor) != 0)
		return;
	while (vmm_acpi_read_pptt_next(&cursor, &n) == 0)
		check_node(c, &t, &n);
	for (uint32_t i = 0; i < c->cpus; i++)
		if (!c->cpu[i].in_pptt)
			found(c, "PPTT", "processor %u is not there", c->cpu[i].uid);
}

/* -- The namespace, 8.4 -------------------------------------------------------------------------
 */

static bool is_processor(const struct check *c, uint32_t index)
{
	const struct vmm_aml_object *o = &c->names.objects[index];
	int64_t hid = o->op == VMM_AML_OP_DEVICE ? child_of(c, index, "_HID") : -1;
	char text[32] = "";

	if (hid >= 0)
		value_text(&c->names, (uint32_t)hid, text, sizeof(text));
	return strcmp(text, "\"ACPI0007\"") == 0;
}

static bool uid_of(const struct check *c, uint32_t index, uint64_t *uid)
{
	int64_t object = child_of(c, index, "_UID");

	return object >= 0 && integer_of(&c->names, (uint32_t)object, uid);
}

static void check_processors(struct check *c)
{
	uint32_t devices = 0;

	for (uint32_t i = 0; i < c->names.space.count; i++) {
		struct cpu *cpu;
		uint64_t uid;

		if (!is_processor(c, i))
			continue;
		devices++;
		if (!uid_of(c, i, &uid))
			continue;
		cpu = uid <= UINT32_MAX ? by_uid(c, (uint32_t)uid) : NULL;
		if (cpu != NULL)
			cpu->in_names = true;
		else if (c->cpus > 0)
			found(c, path_of(c, i), "processor %" PRIu64 " is not in the MADT", uid);
	}
	for (uint32_t i = 0; devices > 0 && i < c->cpus; i++)
		if (!c->cpu[i].in_names)
			found(c, "APIC", "processor %u is no device of the namespace",
			      c->cpu[i].uid);
}

void check_cpus(struct check *c)
{
	read_madt(c);
	check_srat(c);
	check_slit(c);
	check_pptt(c);
	check_processors(c);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* I/O Remapping Table. Arm DEN 0049E.b, 3. */
#include "acpi_emit.h"

#define NODE_HEADER 16
#define MAP_SIZE    20
#define MAX_MAPS    1024 /* a node's length has 16 bits */

int vmm_acpi_iort_begin(struct vmm_acpi *b)
{
	vmm_acpi_table_begin(b, "IORT", 3);
	vmm_acpi_u32(b, 0);  /* number of nodes, counted below */
	vmm_acpi_u32(b, 48); /* where they begin */
	return vmm_acpi_u32(b, 0);
}

static uint32_t node(struct vmm_acpi *b, uint8_t type, uint8_t revision, uint32_t body,
		     uint32_t maps)
{
	uint32_t at = vmm__acpi_here(b);

	if (!vmm__acpi_inside(b, "IORT"))
		return 0;
	vmm_acpi_u8(b, type);
	vmm_acpi_u16(b, (uint16_t)(NODE_HEADER + body + MAP_SIZE * maps));
	vmm_acpi_u8(b, revision);
	vmm_acpi_u32(b, b->entries); /* identifier, unique in the table */
	vmm_acpi_u32(b, maps);
	vmm_acpi_u32(b, maps != 0 ? NODE_HEADER + body : 0);
	vmm__acpi_count(b, 36, 4);
	return at;
}

static bool are_maps(const struct vmm_acpi *b, const struct vmm_acpi_iort_map *map, uint32_t maps)
{
	if (maps > MAX_MAPS || (maps != 0 && map == NULL))
		return false;
	for (uint32_t i = 0; i < maps; i++) {
		bool single = (map[i].flags & VMM_ACPI_IORT_SINGLE) != 0;

		if ((map[i].count == 0 && !single) || map[i].ref >= vmm__acpi_here(b))
			return false;
	}
	return true;
}

/* 3.1.1, Table 4: the number of identifiers is stored less one. */
static void put_maps(struct vmm_acpi *b, const struct vmm_acpi_iort_map *map, uint32_t maps)
{
	for (uint32_t i = 0; i < maps; i++) {
		vmm_acpi_u32(b, map[i].input);
		vmm_acpi_u32(b, map[i].flags & VMM_ACPI_IORT_SINGLE ? 0 : map[i].count - 1);
		vmm_acpi_u32(b, map[i].output);
		vmm_acpi_u32(b, map[i].ref);
		vmm_acpi_u32(b, map[i].flags);
	}
}

int vmm_acpi_iort_its(struct vmm_acpi *b, const uint32_t *its_id, uint32_t count, uint32_t *ref)
{
	uint32_t at;

	if (its_id == NULL || count == 0 || count > MAX_MAPS)
		return vmm__acpi_fail(b, VMM_EINVAL);
	at = node(b, 0, 1, 4 + 4 * count, 0);
	vmm_acpi_u32(b, count);
	for (uint32_t i = 0; i < count; i++)
		vmm_acpi_u32(b, its_id[i]);
	return vmm__acpi_refer(b, at, ref);
}

int vmm_acpi_iort_root_complex(struct vmm_acpi *b, uint32_t segment, uint64_t attributes,
			       uint32_t ats, uint8_t limit, const struct vmm_acpi_iort_map *map,
			       uint32_t maps, uint32_t *ref)
{
	uint32_t at;

	if (limit > 64 || !are_maps(b, map, maps))
		return vmm__acpi_fail(b, VMM_EINVAL);
	at = node(b, 2, 3, 20, maps);
	vmm_acpi_u64(b, attributes);
	vmm_acpi_u32(b, ats);
	vmm_acpi_u32(b, segment);
	vmm_acpi_u8(b, limit);
	vmm_acpi_zeros(b, 3);
	put_maps(b, map, maps);
	return vmm__acpi_refer(b, at, ref);
}

int vmm_acpi_iort_smmu3(struct vmm_acpi *b, const struct vmm_acpi_smmu3 *s,
			const struct vmm_acpi_iort_map *map, uint32_t maps, uint32_t *ref)
{
	uint32_t at;

	if (s == NULL || s->size != sizeof(*s) || !are_maps(b, map, maps))
		return vmm__acpi_fail(b, VMM_EINVAL);
	at = node(b, 4, 4, 52, maps);
	vmm_acpi_u64(b, s->base);
	vmm_acpi_u32(b, s->flags);
	vmm_acpi_u32(b, 0);
	vmm_acpi_u64(b, s->vatos);
	vmm_acpi_u32(b, s->model);
	vmm_acpi_u32(b, s->event_gsi);
	vmm_acpi_u32(b, s->pri_gsi);
	vmm_acpi_u32(b, s->gerror_gsi);
	vmm_acpi_u32(b, s->sync_gsi);
	vmm_acpi_u32(b, s->domain);
	vmm_acpi_u32(b, s->msi_map);
	put_maps(b, map, maps);
	return vmm__acpi_refer(b, at, ref);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* SMBIOS structures of a profile (DSP0134 3.6, section 7): what the guest may show its user. */
#include "format.h"
#include "libvmm/smbios.h"
#include "machine_tables.h"
#include "mem.h"

#define TEXT 32

static void add_system(struct vmm_smbios *b, const struct vmm_profile *p)
{
	const struct vmm_smbios_bios bios = {
		.size = sizeof(bios),
		.major = 1,
		.vendor = p->smbios_bios_vendor,
		.version = p->smbios_bios_version,
		.date = p->smbios_bios_date,
	};
	struct vmm_smbios_system system = {
		.size = sizeof(system),
		.wake_up = 6,
		.manufacturer = p->smbios_manufacturer,
		.product = p->smbios_product,
		.version = p->smbios_version,
		.serial = p->smbios_serial,
		.sku = p->smbios_sku,
		.family = p->smbios_family,
	};
	const struct vmm_smbios_chassis chassis = {
		.size = sizeof(chassis),
		.type = 1,
		.manufacturer = p->smbios_manufacturer,
		.version = p->smbios_version,
		.serial = p->smbios_serial,
		.asset = p->smbios_asset,
		.sku = p->smbios_sku,
	};
	struct vmm_smbios_board board = {
		.size = sizeof(board),
		.features = 1,
		.type = 10,
		.manufacturer = p->smbios_manufacturer,
		.product = p->smbios_product,
		.version = p->smbios_version,
		.serial = p->smbios_serial,
		.asset = p->smbios_asset,
		.location = p->name,
	};

	vmm__plan_guid(p->smbios_uuid, system.uuid);
	vmm_smbios_add_bios(b, &bios, NULL);
	vmm_smbios_add_system(b, &system, NULL);
	vmm_smbios_add_chassis(b, &chassis, &board.chassis);
	vmm_smbios_add_board(b, &board, NULL);
}

/* 7.8.5 */
static uint8_t associativity(uint32_t ways)
{
	return ways == 8 ? 7 : 8;
}

/* Handles of a processor's caches, by level from 1 on. */
static void add_caches(struct vmm_smbios *b, const struct vmm__plan *plan, uint16_t handle[4])
{
	static const char *const names[] = {"", "L1", "L2", "L3"};
	const struct vmm_x86_topology *t = &plan->topology;
	struct vmm__cache cache[CACHES];
	uint64_t bytes[4] = {0};
	uint32_t ways[4] = {0};
	uint32_t count[4];

	count[1] = t->dies * t->clusters * t->cores;
	count[2] = t->clusters > 1 ? t->dies * t->clusters : t->dies * t->cores;
	count[3] = t->dies;
	vmm__plan_caches(plan, cache);
	for (uint32_t i = 0; i < CACHES; i++) {
		bytes[cache[i].level] += cache[i].bytes;
		ways[cache[i].level] = cache[i].ways;
	}
	for (uint32_t level = 1; level < 4; level++) {
		const struct vmm_smbios_cache c = {
			.size = sizeof(c),
			.kib = (uint32_t)(bytes[level] * count[level] >> 10),
			.level = (uint8_t)level,
			.mode = 1,
			.type = level == 1 ? 1 : 5, /* other: data and instructions apart */
			.associativity = associativity(ways[level]),
			.ecc = 5,
			.socket = names[level],
		};

		handle[level] = VMM_SMBIOS_NO_HANDLE;
		if (bytes[level] != 0)
			vmm_smbios_add_cache(b, &c, &handle[level]);
	}
}

static uint32_t present_in_socket(const struct vmm__plan *plan, uint32_t socket, uint32_t cpus)
{
	uint32_t present = 0;

	for (uint32_t i = 0; i < cpus; i++)
		present += vmm__plan_cpu_present(plan, socket * cpus + i);
	return present;
}

static void add_processors(struct vmm_smbios *b, const struct vmm__plan *plan)
{
	const struct vmm_x86_topology *t = &plan->topology;
	const uint32_t cores = t->dies * t->clusters * t->cores;

	for (uint32_t s = 0; s < t->sockets; s++) {
		const uint32_t threads = present_in_socket(plan, s, cores * t->threads);
		char name[TEXT];
		uint16_t cache[4];
		struct vmm_smbios_processor cpu = {
			.size = sizeof(cpu),
			.family = plan->arm ? 0x101 : 1,
			.type = 3,
			.status = threads > 0 ? 0x41 : 0x44, /* enabled; idle */
			.upgrade = 1,
			.max_speed = (uint16_t)plan->profile->cpu_mhz,
			.speed = (uint16_t)plan->profile->cpu_mhz,
			.cores = (uint16_t)cores,
			.cores_enabled = (uint16_t)((threads + t->threads - 1) / t->threads),
			.threads = (uint16_t)(cores * t->threads),
			.threads_enabled = (uint16_t)threads,
			.socket = name,
			.manufacturer = plan->profile->smbios_manufacturer,
			.version = plan->profile->cpu_model,
		};

		vmm__format(name, sizeof(name), "CPU %u", s);
		add_caches(b, plan, cache);
		cpu.l1 = cache[1];
		cpu.l2 = cache[2];
		cpu.l3 = cache[3];
		vmm_smbios_add_processor(b, &cpu, NULL);
	}
}

static void add_slots(struct vmm_smbios *b, const struct vmm__plan *plan)
{
	const uint32_t slots = plan->pci_buses > 0 ? (uint32_t)plan->profile->pci_slots : 0;

	for (uint32_t i = 1; i <= slots; i++) {
		char name[TEXT];
		const struct vmm_smbios_slot slot = {
			.size = sizeof(slot),
			.type = 0xa5,
			.width = 8,
			.usage = 3,
			.length = 1,
			.id = (uint16_t)i,
			.devfn = (uint8_t)(i << 3),
			.characteristics2 = 2,
			.designation = name,
		};

		vmm__format(name, sizeof(name), "PCI %u", i);
		vmm_smbios_add_slot(b, &slot, NULL);
	}
}

static void add_oem_strings(struct vmm_smbios *b, const struct vmm_profile *p)
{
	const char *text[VMM__PROFILE_OEM];
	uint32_t count = 0;

	for (; count < VMM__PROFILE_OEM && p->oem_string[count][0] != '\0'; count++)
		text[count] = p->oem_string[count];
	if (count > 0)
		vmm_smbios_add_strings(b, text, count, NULL);
}

#define MIB UINT64_C(0x100000)

/* A module of @bytes, none if 0. */
static void add_module(struct vmm_smbios *b, const struct vmm_profile *p, uint16_t array,
		       uint32_t number, const char *bank, uint64_t bytes)
{
	char locator[TEXT];
	const struct vmm_smbios_memory m = {
		.size = sizeof(m),
		.array = array,
		.width = bytes ? 64 : 0xffff,
		.bytes = bytes,
		.form = 9,
		.type = bytes ? 7 : 2,
		.detail = 2,
		.locator = locator,
		.bank = bank,
		.manufacturer = bytes ? p->smbios_manufacturer : NULL,
	};

	vmm__format(locator, sizeof(locator), "DIMM %u", number);
	vmm_smbios_add_memory(b, &m, NULL);
}

/* Bytes of each of a node's modules but the last, which has the rest. */
static uint64_t module_size(const struct vmm__plan *plan, uint32_t node)
{
	const uint64_t largest = plan->profile->smbios_dimm;
	const uint64_t least =
		(plan->node_memory[node] / MIB + VMM__NODE_MODULES - 1) / VMM__NODE_MODULES * MIB;

	return least > largest ? least : largest;
}

static uint32_t modules_of(const struct vmm__plan *plan, uint32_t node)
{
	const uint64_t size = module_size(plan, node);

	return (uint32_t)((plan->node_memory[node] + size - 1) / size);
}

static void add_memory(struct vmm_smbios *b, const struct vmm__plan *plan)
{
	const struct vmm_profile *p = plan->profile;
	struct vmm_smbios_memory_array array = {
		.size = sizeof(array),
		.location = 3,
		.use = 3,
		.ecc = 6,
		.max = p->memory_size + p->memory_hotplug,
		.devices = (uint16_t)p->memory_slots,
	};
	uint16_t handle = 0;
	uint32_t number = 0;
	char bank[TEXT];

	for (uint32_t n = 0; n < plan->nodes; n++)
		array.devices = (uint16_t)(array.devices + modules_of(plan, n));
	vmm_smbios_add_memory_array(b, &array, &handle);
	for (uint32_t n = 0; n < plan->nodes; n++) {
		const uint64_t size = module_size(plan, n);

		vmm__format(bank, sizeof(bank), "NODE %u", n);
		for (uint64_t left = plan->node_memory[n]; left > 0;) {
			const uint64_t bytes = left < size ? left : size;

			add_module(b, p, handle, number++, bank, bytes);
			left -= bytes;
		}
	}
	for (uint32_t i = 0; i < p->memory_slots; i++)
		add_module(b, p, handle, number++, "HOT PLUG", 0);
	for (uint32_t i = 0; i < 2; i++) {
		if (plan->ram[i].len > 0)
			vmm_smbios_add_mapped(b, plan->ram[i].base, plan->ram[i].len, handle, 1,
					      NULL);
	}
}

int vmm__smbios_build(const struct vmm__plan *plan, void *buf, size_t *len)
{
	struct vmm_smbios b;
	int err;

	vmm_smbios_open(&b, buf, buf != NULL ? *len : 0, plan->smbios.base);
	add_system(&b, plan->profile);
	add_processors(&b, plan);
	add_slots(&b, plan);
	add_oem_strings(&b, plan->profile);
	add_memory(&b, plan);
	vmm_smbios_add_boot(&b, NULL);
	err = vmm_smbios_close(&b, len);
	return err == 0 && *len > plan->smbios.len ? -VMM_ELIMIT : err;
}

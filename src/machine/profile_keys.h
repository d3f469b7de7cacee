/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The table of keys, and how a profile is stored. */
#ifndef VMM_MACHINE_PROFILE_KEYS_H
#define VMM_MACHINE_PROFILE_KEYS_H

#include <stdbool.h>

#include "format.h"
#include "libvmm/profile.h"

#define VMM__PROFILE_DEFAULTS 4    /* indices that may have a default of their own */
#define VMM__PROFILE_STRING   2047 /* most bytes of any string */
#define VMM__PROFILE_CPUS     1024 /* most CPUs in all */
#define VMM__PROFILE_NODES    32
#define VMM__PROFILE_PLUGS    64 /* most slots of memory */
#define VMM__PROFILE_SERIALS  4
#define VMM__PROFILE_OEM      16
#define VMM__PROFILE_SLOTS    512 /* more than keys and indices in all: test_profile.c counts */

/*
 * Copied and compared as it is: it holds no pointer, and no padding. A field is one value, or an
 * array of them by index; a string is an array of bytes, or of such arrays.
 */
struct vmm_profile {
	uint64_t cpu_sockets, cpu_dies, cpu_clusters, cpu_cores, cpu_threads;
	uint64_t cpu_boot, cpu_present, cpu_hotplug, cpu_mhz, cpu_cstates, cpu_pstates, cpu_cppc;
	uint64_t cpu_dedicated, cpu_shared, cpu_weight, cpu_cap;
	uint64_t cache_l1d, cache_l1i, cache_l2, cache_l3;
	uint64_t memory_size, memory_nodes, memory_slots, memory_hotplug;
	uint64_t numa_memory[VMM__PROFILE_NODES];
	uint64_t numa_latency[VMM__PROFILE_NODES];
	uint64_t numa_bandwidth[VMM__PROFILE_NODES];
	uint64_t serial_enable[VMM__PROFILE_SERIALS];
	uint64_t serial_port[VMM__PROFILE_SERIALS];
	uint64_t serial_irq[VMM__PROFILE_SERIALS];
	uint64_t pci_enable, pci_buses, pci_window, pci_slots;
	uint64_t power_off, power_reset, power_button, power_sleep_button;
	uint64_t power_s1, power_s3, power_s4, power_devices;
	uint64_t thermal_enable, thermal_critical;
	uint64_t ras_enable, ras_bert;
	uint64_t acpi_spcr, acpi_dbg2, acpi_waet;
	uint64_t bgrt_image, bgrt_x, bgrt_y;
	uint64_t tpm_enable, vmgenid_enable;
	uint64_t smbios_enable, smbios_dimm;
	uint64_t legacy_pic, legacy_pit, legacy_rtc, legacy_i8042;
	uint64_t debug_exit_enable, debug_exit_port, fw_cfg_enable;
	uint64_t arm_its;
	char name[64];
	char arch[16];
	char cpu_model[64];
	char cpu_ipi[16];
	char kernel[1024];
	char initrd[1024];
	char cmdline[VMM__PROFILE_STRING + 1];
	char numa_cpus[VMM__PROFILE_NODES][128];
	char numa_distances[VMM__PROFILE_NODES][128];
	char firmware[16];
	char tpm_interface[16];
	char vmgenid_guid[40];
	char smbios_manufacturer[64];
	char smbios_product[64];
	char smbios_version[64];
	char smbios_serial[64];
	char smbios_uuid[40];
	char smbios_sku[64];
	char smbios_family[64];
	char smbios_asset[64];
	char smbios_bios_vendor[64];
	char smbios_bios_version[64];
	char smbios_bios_date[16];
	char oem_string[VMM__PROFILE_OEM][128];
	char arm_psci[8];
};

struct vmm__key {
	uint32_t key;
	uint8_t kind;
	uint8_t indices;
	bool hex;       /* the writer writes it in base 16 */
	uint16_t place; /* of its field in the profile */
	uint64_t min;
	uint64_t max;
	uint64_t align; /* of a size */
	const char *section;
	const char *name;
	const char *help;
	uint64_t number[VMM__PROFILE_DEFAULTS]; /* defaults; of more indices, the first for all */
	const char *string;
};

/* Keys of a section stand together. */
extern const struct vmm__key vmm__keys[];
extern const uint32_t vmm__key_count;

static inline bool vmm__key_is_string(const struct vmm__key *key)
{
	return key->kind == VMM_PROFILE_KIND_STRING;
}

static inline uint64_t vmm__key_default(const struct vmm__key *key, uint32_t index)
{
	return key->number[key->indices <= VMM__PROFILE_DEFAULTS ? index : 0];
}

/* The value as it stands, of an index that the key has. */
uint64_t vmm__profile_number(const struct vmm_profile *profile, const struct vmm__key *key,
			     uint32_t index);
const char *vmm__profile_string(const struct vmm_profile *profile, const struct vmm__key *key,
				uint32_t index);

/* Fill @error, which may be NULL, and give @code. */
int vmm__profile_fail(struct vmm_profile_error *error, int code, uint32_t line, uint32_t column,
		      const char *fmt, va_list ap) VMM__PRINTF(5, 0);

#endif

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "profile_keys.h"

#include "bits.h"
#include "mem.h"
#include "sized.h"

#define KIB UINT64_C(0x400)
#define MIB UINT64_C(0x100000)

#define FIELD(field) ((struct vmm_profile *)0)->field
#define COUNT(field) (sizeof(FIELD(field)) / sizeof(uint64_t))

/* clang-format off */
#define STRING(id, sec, nam, field, text, what) \
	{.key = (id), .kind = VMM_PROFILE_KIND_STRING, .indices = 1, .place = offsetof(struct vmm_profile, field), \
	 .max = sizeof(FIELD(field)) - 1, .section = (sec), .name = (nam), .string = (text), .help = (what)}
#define STRINGS(id, sec, nam, field, what) \
	{.key = (id), .kind = VMM_PROFILE_KIND_STRING, .indices = ARRAY_SIZE(FIELD(field)), .place = offsetof(struct vmm_profile, field), \
	 .max = sizeof(FIELD(field)[0]) - 1, .section = (sec), .name = (nam), .string = "", .help = (what)}
#define VALUE(id, sec, nam, field, knd, lo, hi, base16, unit, what, ...) \
	{.key = (id), .kind = VMM_PROFILE_KIND_##knd, .indices = COUNT(field), .place = offsetof(struct vmm_profile, field), \
	 .hex = (base16), .min = (lo), .max = (hi), .align = (unit), .section = (sec), .name = (nam), .help = (what), .number = {__VA_ARGS__}}
#define NUMBER(id, sec, nam, field, lo, hi, def, what) VALUE(id, sec, nam, field, NUMBER, lo, hi, false, 1, what, def)
#define SIZE(id, sec, nam, field, lo, hi, unit, def, what) VALUE(id, sec, nam, field, SIZE, lo, hi, false, unit, what, def)
#define BOOLEAN(id, sec, nam, field, def, what) VALUE(id, sec, nam, field, BOOLEAN, 0, 1, false, 1, what, def)

const struct vmm__key vmm__keys[] = {
	STRING(VMM_PROFILE_NAME, "machine", "name", name, "", "name of the machine"),
	STRING(VMM_PROFILE_ARCH, "machine", "arch", arch, "x86", "x86 or arm64"),

	STRING(VMM_PROFILE_CPU_MODEL, "cpu", "model", cpu_model, "host", "CPU model: host, or x86-64-v1 to x86-64-v4"),
	NUMBER(VMM_PROFILE_CPU_SOCKETS, "cpu", "sockets", cpu_sockets, 1, VMM__PROFILE_CPUS, 1, "sockets"),
	NUMBER(VMM_PROFILE_CPU_DIES, "cpu", "dies", cpu_dies, 1, VMM__PROFILE_CPUS, 1, "dies in each socket"),
	NUMBER(VMM_PROFILE_CPU_CLUSTERS, "cpu", "clusters", cpu_clusters, 1, VMM__PROFILE_CPUS, 1, "clusters in each die"),
	NUMBER(VMM_PROFILE_CPU_CORES, "cpu", "cores", cpu_cores, 1, VMM__PROFILE_CPUS, 1, "cores in each cluster"),
	NUMBER(VMM_PROFILE_CPU_THREADS, "cpu", "threads", cpu_threads, 1, VMM__PROFILE_CPUS, 1, "threads in each core"),
	NUMBER(VMM_PROFILE_CPU_BOOT, "cpu", "boot", cpu_boot, 0, VMM__PROFILE_CPUS - 1, 0, "number of the CPU that starts"),
	NUMBER(VMM_PROFILE_CPU_PRESENT, "cpu", "present", cpu_present, 0, VMM__PROFILE_CPUS, 0, "CPUs that are there at power-on, 0: all"),
	BOOLEAN(VMM_PROFILE_CPU_HOTPLUG, "cpu", "hotplug", cpu_hotplug, 0, "CPUs can be plugged and unplugged"),
	NUMBER(VMM_PROFILE_CPU_MHZ, "cpu", "mhz", cpu_mhz, 0, 100000, 0, "nominal frequency to tell, 0: not told"),
	NUMBER(VMM_PROFILE_CPU_CSTATES, "cpu", "cstates", cpu_cstates, 0, 3, 0, "power states in _CST, C1 on"),
	NUMBER(VMM_PROFILE_CPU_PSTATES, "cpu", "pstates", cpu_pstates, 0, 16, 0, "performance states in _PSS"),
	BOOLEAN(VMM_PROFILE_CPU_CPPC, "cpu", "cppc", cpu_cppc, 0, "collaborative performance control, _CPC"),
	BOOLEAN(VMM_PROFILE_CPU_DEDICATED, "cpu", "dedicated", cpu_dedicated, 0, "CPUs of its own, with no exits: a partition"),
	STRING(VMM_PROFILE_CPU_IPI, "cpu", "ipi", cpu_ipi, "checked", "interrupts between a partition's CPUs: checked or direct"),
	BOOLEAN(VMM_PROFILE_CPU_SHARED, "cpu", "shared", cpu_shared, 0, "its CPUs take turns with other machines' on those of the host"),
	NUMBER(VMM_PROFILE_CPU_WEIGHT, "cpu", "weight", cpu_weight, 1, 65536, 256, "of each shared CPU: its part of the time, beside the weights of others"),
	NUMBER(VMM_PROFILE_CPU_CAP, "cpu", "cap", cpu_cap, 0, 99, 0, "of each shared CPU: most that it gets, in percent of one; 0: all"),

	SIZE(VMM_PROFILE_CACHE_L1D, "cache", "l1d", cache_l1d, 0, MIB, KIB, 0, "data cache of each core; 0: all caches as the processor has them"),
	SIZE(VMM_PROFILE_CACHE_L1I, "cache", "l1i", cache_l1i, 0, MIB, KIB, 0, "instruction cache of each core"),
	SIZE(VMM_PROFILE_CACHE_L2, "cache", "l2", cache_l2, 0, 1024 * MIB, KIB, 0, "second-level cache of each cluster"),
	SIZE(VMM_PROFILE_CACHE_L3, "cache", "l3", cache_l3, 0, 1024 * MIB, KIB, 0, "third-level cache of each die"),

	SIZE(VMM_PROFILE_MEMORY_SIZE, "memory", "size", memory_size, MIB, MIB << 26, MIB, 512 * MIB, "RAM in whole MiB"),
	NUMBER(VMM_PROFILE_MEMORY_NODES, "memory", "nodes", memory_nodes, 1, VMM__PROFILE_NODES, 1, "NUMA nodes"),
	NUMBER(VMM_PROFILE_MEMORY_SLOTS, "memory", "slots", memory_slots, 0, VMM__PROFILE_PLUGS, 0, "slots for memory plugged later"),
	SIZE(VMM_PROFILE_MEMORY_HOTPLUG, "memory", "hotplug", memory_hotplug, 0, MIB << 26, MIB, 0, "addresses kept for it"),

	SIZE(VMM_PROFILE_NUMA_MEMORY, "numa", "memory", numa_memory, 0, MIB << 26, MIB, 0, "RAM of the node, 0: an even share"),
	STRINGS(VMM_PROFILE_NUMA_CPUS, "numa", "cpus", numa_cpus, "its CPUs: 0-3,8; empty: an even share"),
	STRINGS(VMM_PROFILE_NUMA_DISTANCES, "numa", "distances", numa_distances, "from it to each node: 10 20; empty: 10 to itself, 20 elsewhere"),
	NUMBER(VMM_PROFILE_NUMA_LATENCY, "numa", "latency", numa_latency, 0, 60000, 0, "of its memory from itself, ns; 0: not told"),
	NUMBER(VMM_PROFILE_NUMA_BANDWIDTH, "numa", "bandwidth", numa_bandwidth, 0, 6000000, 0, "of its memory from itself, MB/s; 0: not told"),

	STRING(VMM_PROFILE_BOOT_KERNEL, "boot", "kernel", kernel, "", "kernel image"),
	STRING(VMM_PROFILE_BOOT_INITRD, "boot", "initrd", initrd, "", "initial RAM disk"),
	STRING(VMM_PROFILE_BOOT_CMDLINE, "boot", "cmdline", cmdline, "", "kernel's command line"),
	STRING(VMM_PROFILE_BOOT_FIRMWARE, "boot", "firmware", firmware, "none", "what the guest finds of firmware: none, vuefi, or bios: boot.kernel is its image"),

	VALUE(VMM_PROFILE_SERIAL_ENABLE, "serial", "enable", serial_enable, BOOLEAN, 0, 1, false, 1, "16550 serial port", 1, 0, 0, 0),
	VALUE(VMM_PROFILE_SERIAL_PORT, "serial", "port", serial_port, NUMBER, 0x100, 0xff8, true, 1, "first of its 8 I/O ports", 0x3f8, 0x2f8, 0x3e8, 0x2e8),
	VALUE(VMM_PROFILE_SERIAL_IRQ, "serial", "irq", serial_irq, NUMBER, 1, 23, false, 1, "its pin of the IOAPIC", 4, 3, 5, 7),

	BOOLEAN(VMM_PROFILE_PCI_ENABLE, "pci", "enable", pci_enable, 1, "PCI Express host bridge with ECAM"),
	NUMBER(VMM_PROFILE_PCI_BUSES, "pci", "buses", pci_buses, 1, 256, 1, "bus numbers that its ECAM covers"),
	SIZE(VMM_PROFILE_PCI_WINDOW, "pci", "window", pci_window, 0, MIB << 26, MIB, 32 * 1024 * MIB, "addresses above 4 GiB for its functions, 0: none"),
	NUMBER(VMM_PROFILE_PCI_SLOTS, "pci", "slots", pci_slots, 0, 31, 0, "slots of bus 0, from device 1 on, that can be plugged"),

	BOOLEAN(VMM_PROFILE_LEGACY_PIC, "legacy", "pic", legacy_pic, 0, "pair of 8259 interrupt controllers"),
	BOOLEAN(VMM_PROFILE_LEGACY_PIT, "legacy", "pit", legacy_pit, 0, "8254 interval timer"),
	BOOLEAN(VMM_PROFILE_LEGACY_RTC, "legacy", "rtc", legacy_rtc, 0, "MC146818 real-time clock"),
	BOOLEAN(VMM_PROFILE_LEGACY_I8042, "legacy", "i8042", legacy_i8042, 0, "keyboard controller, keyboard and mouse"),

	BOOLEAN(VMM_PROFILE_POWER_OFF, "power", "off", power_off, 1, "ACPI soft off (S5)"),
	BOOLEAN(VMM_PROFILE_POWER_RESET, "power", "reset", power_reset, 1, "ACPI reset register"),
	BOOLEAN(VMM_PROFILE_POWER_BUTTON, "power", "button", power_button, 1, "ACPI power button"),
	BOOLEAN(VMM_PROFILE_POWER_SLEEP_BUTTON, "power", "sleep-button", power_sleep_button, 0, "ACPI sleep button"),
	BOOLEAN(VMM_PROFILE_POWER_S1, "power", "standby", power_s1, 0, "ACPI sleep state S1"),
	BOOLEAN(VMM_PROFILE_POWER_S3, "power", "suspend", power_s3, 0, "ACPI sleep state S3"),
	BOOLEAN(VMM_PROFILE_POWER_S4, "power", "hibernate", power_s4, 0, "ACPI sleep state S4"),
	BOOLEAN(VMM_PROFILE_POWER_DEVICES, "power", "devices", power_devices, 0, "power states D0 and D3 of devices"),

	BOOLEAN(VMM_PROFILE_THERMAL_ENABLE, "thermal", "enable", thermal_enable, 0, "ACPI thermal zone"),
	NUMBER(VMM_PROFILE_THERMAL_CRITICAL, "thermal", "critical", thermal_critical, 30, 200, 95, "its critical temperature, degrees Celsius"),

	BOOLEAN(VMM_PROFILE_RAS_ENABLE, "ras", "enable", ras_enable, 0, "hardware errors told by APEI: HEST with a GHES"),
	BOOLEAN(VMM_PROFILE_RAS_BERT, "ras", "bert", ras_bert, 0, "record of errors before the boot: BERT"),

	BOOLEAN(VMM_PROFILE_ACPI_SPCR, "acpi", "spcr", acpi_spcr, 0, "SPCR: the first serial port is the console"),
	BOOLEAN(VMM_PROFILE_ACPI_DBG2, "acpi", "dbg2", acpi_dbg2, 0, "DBG2: the last serial port is for a debugger"),
	BOOLEAN(VMM_PROFILE_ACPI_WAET, "acpi", "waet", acpi_waet, 0, "WAET: timers need no workarounds"),

	VALUE(VMM_PROFILE_BGRT_IMAGE, "bgrt", "image", bgrt_image, NUMBER, 0, (UINT64_C(1) << 52) - 1, true, 1, "BGRT: address of a boot picture the embedder put there, 0: none", 0),
	NUMBER(VMM_PROFILE_BGRT_X, "bgrt", "x", bgrt_x, 0, UINT32_MAX, 0, "its place on the screen"),
	NUMBER(VMM_PROFILE_BGRT_Y, "bgrt", "y", bgrt_y, 0, UINT32_MAX, 0, "its place on the screen"),

	BOOLEAN(VMM_PROFILE_TPM_ENABLE, "tpm", "enable", tpm_enable, 0, "TPM 2.0 of the embedder's at 0xfed40000"),
	STRING(VMM_PROFILE_TPM_INTERFACE, "tpm", "interface", tpm_interface, "crb", "crb or tis"),

	BOOLEAN(VMM_PROFILE_VMGENID_ENABLE, "vmgenid", "enable", vmgenid_enable, 0, "generation identifier, for a guest that is copied"),
	STRING(VMM_PROFILE_VMGENID_GUID, "vmgenid", "guid", vmgenid_guid, "", "its first value; empty: zeros"),

	BOOLEAN(VMM_PROFILE_SMBIOS_ENABLE, "smbios", "enable", smbios_enable, 1, "SMBIOS structures"),
	STRING(VMM_PROFILE_SMBIOS_MANUFACTURER, "smbios", "manufacturer", smbios_manufacturer, "libvmm", "of the machine"),
	STRING(VMM_PROFILE_SMBIOS_PRODUCT, "smbios", "product", smbios_product, "virtual machine", "name of the product"),
	STRING(VMM_PROFILE_SMBIOS_VERSION, "smbios", "version", smbios_version, "", "its version"),
	STRING(VMM_PROFILE_SMBIOS_SERIAL, "smbios", "serial", smbios_serial, "", "its serial number"),
	STRING(VMM_PROFILE_SMBIOS_UUID, "smbios", "uuid", smbios_uuid, "", "its identifier; empty: none"),
	STRING(VMM_PROFILE_SMBIOS_SKU, "smbios", "sku", smbios_sku, "", "its stock-keeping unit"),
	STRING(VMM_PROFILE_SMBIOS_FAMILY, "smbios", "family", smbios_family, "", "its family"),
	STRING(VMM_PROFILE_SMBIOS_ASSET, "smbios", "asset", smbios_asset, "", "asset tag of its enclosure"),
	STRING(VMM_PROFILE_SMBIOS_BIOS_VENDOR, "smbios", "bios-vendor", smbios_bios_vendor, "libvmm", "who made the firmware"),
	STRING(VMM_PROFILE_SMBIOS_BIOS_VERSION, "smbios", "bios-version", smbios_bios_version, "1.0", "its version"),
	STRING(VMM_PROFILE_SMBIOS_BIOS_DATE, "smbios", "bios-date", smbios_bios_date, "01/01/2026", "its date, mm/dd/yyyy"),
	SIZE(VMM_PROFILE_SMBIOS_DIMM, "smbios", "dimm", smbios_dimm, 1024 * MIB, MIB << 20, MIB, 16 * 1024 * MIB, "size of the largest memory module"),

	STRINGS(VMM_PROFILE_OEM_STRING_TEXT, "oem-string", "text", oem_string, "SMBIOS OEM string, in order up to the first empty one"),

	BOOLEAN(VMM_PROFILE_DEBUG_EXIT_ENABLE, "debug-exit", "enable", debug_exit_enable, 0, "port by which a guest ends the run with a status"),
	VALUE(VMM_PROFILE_DEBUG_EXIT_PORT, "debug-exit", "port", debug_exit_port, NUMBER, 0x80, 0xffc, true, 1, "first of its 4 I/O ports", 0xf4),

	BOOLEAN(VMM_PROFILE_FW_CFG_ENABLE, "fw-cfg", "enable", fw_cfg_enable, 0, "QEMU's firmware configuration device"),

	BOOLEAN(VMM_PROFILE_ARM_ITS, "arm", "its", arm_its, 1, "interrupt translation service of the GIC"),
	STRING(VMM_PROFILE_ARM_PSCI, "arm", "psci", arm_psci, "hvc", "conduit of PSCI: hvc or smc"),
};
/* clang-format on */

const uint32_t vmm__key_count = ARRAY_SIZE(vmm__keys);

static const struct vmm__key *find_key(uint32_t key, uint32_t index)
{
	for (uint32_t i = 0; i < vmm__key_count; i++) {
		if (vmm__keys[i].key == key)
			return index < vmm__keys[i].indices ? &vmm__keys[i] : NULL;
	}
	return NULL;
}

static char *string_place(struct vmm_profile *profile, const struct vmm__key *key, uint32_t index)
{
	return (char *)profile + key->place + index * (key->max + 1);
}

static uint64_t *number_place(struct vmm_profile *profile, const struct vmm__key *key,
			      uint32_t index)
{
	return (uint64_t *)(void *)((char *)profile + key->place) + index;
}

const char *vmm__profile_string(const struct vmm_profile *profile, const struct vmm__key *key,
				uint32_t index)
{
	return (const char *)profile + key->place + index * (key->max + 1);
}

uint64_t vmm__profile_number(const struct vmm_profile *profile, const struct vmm__key *key,
			     uint32_t index)
{
	return ((const uint64_t *)(const void *)((const char *)profile + key->place))[index];
}

size_t vmm_profile_size(void)
{
	return sizeof(struct vmm_profile);
}

static void copy_string(char *to, const char *from, size_t len)
{
	memcpy(to, from, len);
	to[len] = '\0';
}

static size_t length(const char *text)
{
	size_t len = 0;

	while (text[len] != '\0')
		len++;
	return len;
}

int vmm_profile_init(void *storage, size_t size, struct vmm_profile **profile)
{
	struct vmm_profile *p = storage;

	if (storage == NULL || profile == NULL)
		return -VMM_EINVAL;
	if (!vmm__is_aligned((uintptr_t)storage, 8))
		return -VMM_EALIGN;
	if (size < sizeof(*p))
		return -VMM_ESIZE;
	memset(p, 0, sizeof(*p));
	for (uint32_t i = 0; i < vmm__key_count; i++) {
		const struct vmm__key *key = &vmm__keys[i];

		for (uint32_t index = 0; index < key->indices; index++) {
			if (vmm__key_is_string(key))
				copy_string(string_place(p, key, index), key->string,
					    length(key->string));
			else
				*number_place(p, key, index) = vmm__key_default(key, index);
		}
	}
	*profile = p;
	return 0;
}

void vmm_profile_copy(struct vmm_profile *to, const struct vmm_profile *from)
{
	memcpy(to, from, sizeof(*to));
}

int vmm_profile_key_at(uint32_t position, struct vmm_profile_key *info)
{
	if (position >= vmm__key_count)
		return -VMM_ENOENT;

	const struct vmm__key *key = &vmm__keys[position];
	struct vmm_profile_key found = {
		.key = key->key,
		.kind = key->kind,
		.indices = key->indices,
		.min = key->min,
		.max = key->max,
		.section = key->section,
		.name = key->name,
		.help = key->help,
	};
	return vmm__give_struct(info, &found, sizeof(found));
}

int vmm__profile_fail(struct vmm_profile_error *error, int code, uint32_t line, uint32_t column,
		      const char *fmt, va_list ap)
{
	struct vmm_profile_error e = {.code = code, .line = line, .column = column};

	vmm__vformat(e.text, sizeof(e.text), fmt, ap);
	vmm__give_struct(error, &e, sizeof(e));
	return code;
}

int vmm_profile_set_number(struct vmm_profile *profile, uint32_t key, uint32_t index,
			   uint64_t value)
{
	const struct vmm__key *k = find_key(key, index);

	if (k == NULL)
		return -VMM_ENOENT;
	if (vmm__key_is_string(k))
		return -VMM_EINVAL;
	if (value < k->min || value > k->max)
		return -VMM_ERANGE;
	if (k->kind == VMM_PROFILE_KIND_SIZE && !vmm__is_aligned(value, k->align))
		return -VMM_EALIGN;
	*number_place(profile, k, index) = value;
	return 0;
}

int vmm_profile_get_number(const struct vmm_profile *profile, uint32_t key, uint32_t index,
			   uint64_t *value)
{
	const struct vmm__key *k = find_key(key, index);

	if (k == NULL)
		return -VMM_ENOENT;
	if (vmm__key_is_string(k) || value == NULL)
		return -VMM_EINVAL;
	*value = vmm__profile_number(profile, k, index);
	return 0;
}

int vmm_profile_set_string(struct vmm_profile *profile, uint32_t key, uint32_t index,
			   const char *text)
{
	const struct vmm__key *k = find_key(key, index);
	size_t len = 0;

	if (k == NULL)
		return -VMM_ENOENT;
	if (!vmm__key_is_string(k) || text == NULL)
		return -VMM_EINVAL;
	for (; text[len] != '\0'; len++) {
		if (len == k->max)
			return -VMM_ERANGE;
		if ((unsigned char)text[len] < 0x20 || text[len] == 0x7f)
			return -VMM_EINVAL;
	}
	copy_string(string_place(profile, k, index), text, len);
	return 0;
}

int vmm_profile_get_string(const struct vmm_profile *profile, uint32_t key, uint32_t index,
			   const char **text)
{
	const struct vmm__key *k = find_key(key, index);

	if (k == NULL)
		return -VMM_ENOENT;
	if (!vmm__key_is_string(k) || text == NULL)
		return -VMM_EINVAL;
	*text = vmm__profile_string(profile, k, index);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/profile.h - The order for a machine: what it is to have, before there is one.
 *
 * A profile is a set of values under fixed keys. It is built by calls, read from text, or both: the
 * keys are the same, VMM_PROFILE_CPU_CORES is "cores" in section "cpu". Every key has a default, so
 * an empty profile is a machine. docs/profile.md lists the keys with their defaults and limits.
 *
 *	[cpu]
 *	cores = 2		# a comment
 *	[memory]
 *	size = 512M
 *	[boot]
 *	cmdline = "console=ttyS0 quiet"
 *
 * A profile lives in the caller's storage, holds nothing else, and is forgotten by freeing that
 * storage. All functions: any context, one thread at a time for each profile, nothing allocated.
 */
#ifndef LIBVMM_PROFILE_H
#define LIBVMM_PROFILE_H

#include "libvmm/types.h"

VMM_BEGIN_DECLS

struct vmm_profile; /* opaque */

/* Keys. Those of one section share their upper byte. Numbers are never changed or used again. */
#define VMM_PROFILE_NAME                0x0101 /* string: machine.name */
#define VMM_PROFILE_ARCH                0x0102 /* string: machine.arch, "x86" or "arm64" */
#define VMM_PROFILE_CPU_MODEL           0x0201 /* string: cpu.model, see vmm_x86_cpu_model() */
#define VMM_PROFILE_CPU_SOCKETS         0x0202 /* number: cpu.sockets */
#define VMM_PROFILE_CPU_DIES            0x0203 /* number: cpu.dies, in a socket */
#define VMM_PROFILE_CPU_CORES           0x0204 /* number: cpu.cores, in a cluster */
#define VMM_PROFILE_CPU_THREADS         0x0205 /* number: cpu.threads, in a core */
#define VMM_PROFILE_CPU_CLUSTERS        0x0206 /* number: cpu.clusters, in a die */
#define VMM_PROFILE_CPU_BOOT            0x0207 /* number: cpu.boot, the CPU that starts */
#define VMM_PROFILE_CPU_PRESENT         0x0208 /* number: cpu.present, at power-on; 0: all */
#define VMM_PROFILE_CPU_HOTPLUG         0x0209 /* boolean: cpu.hotplug */
#define VMM_PROFILE_CPU_MHZ             0x020a /* number: cpu.mhz */
#define VMM_PROFILE_CPU_CSTATES         0x020b /* number: cpu.cstates, 0 to 3 */
#define VMM_PROFILE_CPU_PSTATES         0x020c /* number: cpu.pstates, 0 to 16 */
#define VMM_PROFILE_CPU_CPPC            0x020d /* boolean: cpu.cppc */
#define VMM_PROFILE_CPU_DEDICATED       0x020e /* boolean: cpu.dedicated, a partition */
#define VMM_PROFILE_CPU_IPI             0x020f /* string: cpu.ipi, "checked" or "direct" */
#define VMM_PROFILE_CPU_SHARED          0x0210 /* boolean: cpu.shared, see docs/sched.md */
#define VMM_PROFILE_CPU_WEIGHT          0x0211 /* number: cpu.weight, as in sched.h */
#define VMM_PROFILE_CPU_CAP             0x0212 /* number: cpu.cap, percent; 0: none */
#define VMM_PROFILE_MEMORY_SIZE         0x0301 /* size: memory.size, bytes, whole MiB */
#define VMM_PROFILE_MEMORY_NODES        0x0302 /* number: memory.nodes, 1 to 32 */
#define VMM_PROFILE_MEMORY_SLOTS        0x0303 /* number: memory.slots, 0 to 64 */
#define VMM_PROFILE_MEMORY_HOTPLUG      0x0304 /* size: memory.hotplug, whole MiB */
#define VMM_PROFILE_BOOT_KERNEL         0x0401 /* string: boot.kernel, as the embedder takes it */
#define VMM_PROFILE_BOOT_INITRD         0x0402 /* string: boot.initrd */
#define VMM_PROFILE_BOOT_CMDLINE        0x0403 /* string: boot.cmdline */
#define VMM_PROFILE_BOOT_FIRMWARE       0x0404 /* string: boot.firmware, "none", "vuefi", "bios" */
#define VMM_PROFILE_SERIAL_ENABLE       0x0501 /* boolean: serial.enable; index 0 to 3 */
#define VMM_PROFILE_SERIAL_PORT         0x0502 /* number: serial.port, the first of 8 */
#define VMM_PROFILE_SERIAL_IRQ          0x0503 /* number: serial.irq, a pin of the IOAPIC */
#define VMM_PROFILE_PCI_ENABLE          0x0601 /* boolean: pci.enable */
#define VMM_PROFILE_PCI_BUSES           0x0602 /* number: pci.buses, 1 to 256 */
#define VMM_PROFILE_PCI_WINDOW          0x0603 /* size: pci.window, above 4 GiB, whole MiB */
#define VMM_PROFILE_PCI_SLOTS           0x0604 /* number: pci.slots, 0 to 31 */
#define VMM_PROFILE_POWER_OFF           0x0701 /* boolean: power.off, ACPI's S5 */
#define VMM_PROFILE_POWER_RESET         0x0702 /* boolean: power.reset, ACPI's reset register */
#define VMM_PROFILE_POWER_BUTTON        0x0703 /* boolean: power.button */
#define VMM_PROFILE_POWER_S1            0x0704 /* boolean: power.standby, ACPI's S1 */
#define VMM_PROFILE_POWER_S3            0x0705 /* boolean: power.suspend, ACPI's S3 */
#define VMM_PROFILE_POWER_S4            0x0706 /* boolean: power.hibernate, ACPI's S4 */
#define VMM_PROFILE_POWER_SLEEP_BUTTON  0x0707 /* boolean: power.sleep-button */
#define VMM_PROFILE_POWER_DEVICES       0x0708 /* boolean: power.devices, D3 */
#define VMM_PROFILE_DEBUG_EXIT_ENABLE   0x0801 /* boolean: debug-exit.enable */
#define VMM_PROFILE_DEBUG_EXIT_PORT     0x0802 /* number: debug-exit.port, the first of 4 */
#define VMM_PROFILE_FW_CFG_ENABLE       0x0901 /* boolean: fw-cfg.enable */
#define VMM_PROFILE_CACHE_L1D           0x1001 /* size: cache.l1d, whole KiB, as all caches */
#define VMM_PROFILE_CACHE_L1I           0x1002 /* size: cache.l1i */
#define VMM_PROFILE_CACHE_L2            0x1003 /* size: cache.l2 */
#define VMM_PROFILE_CACHE_L3            0x1004 /* size: cache.l3 */
#define VMM_PROFILE_NUMA_MEMORY         0x1101 /* size: numa.memory, whole MiB; index 0 to 31 */
#define VMM_PROFILE_NUMA_CPUS           0x1102 /* string: numa.cpus, "0-3,8" */
#define VMM_PROFILE_NUMA_DISTANCES      0x1103 /* string: numa.distances, "10 20" */
#define VMM_PROFILE_NUMA_LATENCY        0x1104 /* number: numa.latency, nanoseconds */
#define VMM_PROFILE_NUMA_BANDWIDTH      0x1105 /* number: numa.bandwidth, MB/s */
#define VMM_PROFILE_ACPI_SPCR           0x1201 /* boolean: acpi.spcr */
#define VMM_PROFILE_ACPI_DBG2           0x1202 /* boolean: acpi.dbg2 */
#define VMM_PROFILE_ACPI_WAET           0x1203 /* boolean: acpi.waet */
#define VMM_PROFILE_VMGENID_ENABLE      0x1301 /* boolean: vmgenid.enable */
#define VMM_PROFILE_VMGENID_GUID        0x1302 /* string: vmgenid.guid */
#define VMM_PROFILE_TPM_ENABLE          0x1401 /* boolean: tpm.enable */
#define VMM_PROFILE_TPM_INTERFACE       0x1402 /* string: tpm.interface, "crb" or "tis" */
#define VMM_PROFILE_THERMAL_ENABLE      0x1501 /* boolean: thermal.enable */
#define VMM_PROFILE_THERMAL_CRITICAL    0x1502 /* number: thermal.critical, degrees Celsius */
#define VMM_PROFILE_RAS_ENABLE          0x1601 /* boolean: ras.enable */
#define VMM_PROFILE_RAS_BERT            0x1602 /* boolean: ras.bert */
#define VMM_PROFILE_BGRT_IMAGE          0x1701 /* number: bgrt.image, its address */
#define VMM_PROFILE_BGRT_X              0x1702 /* number: bgrt.x */
#define VMM_PROFILE_BGRT_Y              0x1703 /* number: bgrt.y */
#define VMM_PROFILE_SMBIOS_ENABLE       0x1801 /* boolean: smbios.enable */
#define VMM_PROFILE_SMBIOS_MANUFACTURER 0x1802 /* string: smbios.manufacturer */
#define VMM_PROFILE_SMBIOS_PRODUCT      0x1803 /* string: smbios.product */
#define VMM_PROFILE_SMBIOS_VERSION      0x1804 /* string: smbios.version */
#define VMM_PROFILE_SMBIOS_SERIAL       0x1805 /* string: smbios.serial */
#define VMM_PROFILE_SMBIOS_UUID         0x1806 /* string: smbios.uuid */
#define VMM_PROFILE_SMBIOS_SKU          0x1807 /* string: smbios.sku */
#define VMM_PROFILE_SMBIOS_FAMILY       0x1808 /* string: smbios.family */
#define VMM_PROFILE_SMBIOS_ASSET        0x1809 /* string: smbios.asset */
#define VMM_PROFILE_SMBIOS_BIOS_VENDOR  0x180a /* string: smbios.bios-vendor */
#define VMM_PROFILE_SMBIOS_BIOS_VERSION 0x180b /* string: smbios.bios-version */
#define VMM_PROFILE_SMBIOS_BIOS_DATE    0x180c /* string: smbios.bios-date */
#define VMM_PROFILE_SMBIOS_DIMM         0x180d /* size: smbios.dimm, whole MiB */
#define VMM_PROFILE_OEM_STRING_TEXT     0x1901 /* string: oem-string.text; index 0 to 15 */
#define VMM_PROFILE_LEGACY_PIC          0x1b01 /* boolean: legacy.pic */
#define VMM_PROFILE_LEGACY_PIT          0x1b02 /* boolean: legacy.pit */
#define VMM_PROFILE_LEGACY_RTC          0x1b03 /* boolean: legacy.rtc */
#define VMM_PROFILE_LEGACY_I8042        0x1b04 /* boolean: legacy.i8042 */
#define VMM_PROFILE_ARM_ITS             0x1a01 /* boolean: arm.its */
#define VMM_PROFILE_ARM_PSCI            0x1a02 /* string: arm.psci, "hvc" or "smc" */

/* Kinds of value. */
#define VMM_PROFILE_KIND_STRING  1
#define VMM_PROFILE_KIND_NUMBER  2
#define VMM_PROFILE_KIND_SIZE    3 /* a number of bytes; K, M, G, T in text are powers of 1024 */
#define VMM_PROFILE_KIND_BOOLEAN 4 /* 0 or 1; "yes" or "no", "on" or "off", "true" or "false" */

/**
 * struct vmm_profile_key - What there is to know of a key.
 * @size:     sizeof(struct vmm_profile_key), set by the caller.
 * @key:      VMM_PROFILE_.
 * @kind:     VMM_PROFILE_KIND_.
 * @indices:  How many times the section may stand; 1 if it has no number.
 * @min:      Smallest value; string: 0.
 * @max:      Greatest value; string: most bytes.
 * @section:  Name of the section, static.
 * @name:     Name in the section, static.
 * @help:     What it is, in a few words, static.
 */
struct vmm_profile_key {
	uint32_t size;
	uint32_t key;
	uint32_t kind;
	uint32_t indices;
	uint64_t min;
	uint64_t max;
	const char *section;
	const char *name;
	const char *help;
};

/**
 * struct vmm_profile_error - What is wrong with a profile, and where.
 * @size:   sizeof(struct vmm_profile_error), set by the caller.
 * @code:   The code that the call returned (negative), 0 where it did not fail.
 * @line:   Line in the text from 1; 0 where no place in the text is to blame.
 * @column: Byte in the line from 1; 0 as @line.
 * @text:   A sentence, NUL-terminated, without line and column.
 */
struct vmm_profile_error {
	uint32_t size;
	int32_t code;
	uint32_t line;
	uint32_t column;
	char text[192];
};

/** vmm_profile_size() - Bytes of storage that a profile needs. Context: Any. */
VMM_API size_t vmm_profile_size(void);

/**
 * vmm_profile_init() - Make a profile with every key at its default.
 * @storage: Where it lives, aligned to 8 bytes.
 * @size:    Bytes there, at least vmm_profile_size().
 * @profile: Set to the profile.
 *
 * Return: 0, -VMM_EINVAL (NULL), -VMM_EALIGN, -VMM_ESIZE.
 */
VMM_API int vmm_profile_init(void *storage, size_t size, struct vmm_profile **profile);

/** vmm_profile_copy() - Make @to, a profile, equal to @from. */
VMM_API void vmm_profile_copy(struct vmm_profile *to, const struct vmm_profile *from);

/**
 * vmm_profile_key_at() - Walk through the keys.
 * @position: From 0.
 * @info:     Filled.
 *
 * Return: 0, -VMM_ENOENT past the last one, -VMM_EINVAL (size).
 */
VMM_API int vmm_profile_key_at(uint32_t position, struct vmm_profile_key *info);

/**
 * vmm_profile_set_number() - Give a number, size or boolean.
 * @profile: Profile.
 * @key:     VMM_PROFILE_ of such a kind.
 * @index:   Which section, 0 where there is one.
 * @value:   Value.
 *
 * Return: 0, -VMM_ENOENT (key or index), -VMM_EINVAL (it is a string), -VMM_ERANGE (see
 * vmm_profile_key_at() for the limits), -VMM_EALIGN (a size that is not whole MiB, or KiB
 * where it is that of a cache).
 */
VMM_API int vmm_profile_set_number(struct vmm_profile *profile, uint32_t key, uint32_t index,
				   uint64_t value);

/** vmm_profile_get_number() - Ask for one. Return: 0, -VMM_ENOENT, -VMM_EINVAL. */
VMM_API int vmm_profile_get_number(const struct vmm_profile *profile, uint32_t key, uint32_t index,
				   uint64_t *value);

/**
 * vmm_profile_set_string() - Give a string.
 * @profile: Profile.
 * @key:     VMM_PROFILE_ of that kind.
 * @index:   Which section, 0 where there is one.
 * @text:    Copied; no bytes below 0x20 and no 0x7f. Empty is as if it were not given.
 *
 * Return: 0, -VMM_ENOENT (key or index), -VMM_EINVAL (not a string key, or such bytes),
 * -VMM_ERANGE (too long).
 */
VMM_API int vmm_profile_set_string(struct vmm_profile *profile, uint32_t key, uint32_t index,
				   const char *text);

/**
 * vmm_profile_get_string() - Ask for one.
 *
 * *@text stays with the profile and good until the key is set again; never NULL on success.
 *
 * Return: 0, -VMM_ENOENT, -VMM_EINVAL.
 */
VMM_API int vmm_profile_get_string(const struct vmm_profile *profile, uint32_t key, uint32_t index,
				   const char **text);

/**
 * vmm_profile_set_text() - Give a value as one line of text, as from a command line.
 * @profile:    Profile.
 * @assignment: "cpu.cores=4" or "serial 1.enable = yes", with or without spaces.
 * @error:      Filled on failure, column counted in @assignment; may be NULL.
 *
 * Return: 0, -VMM_EFORMAT; the profile is then as it was.
 */
VMM_API int vmm_profile_set_text(struct vmm_profile *profile, const char *assignment,
				 struct vmm_profile_error *error);

/* Most bytes of text that vmm_profile_parse() takes. */
#define VMM_PROFILE_TEXT_MAX 65536

/**
 * vmm_profile_parse() - Read a profile's text.
 * @profile: Profile; keys that the text does not name stay as they are.
 * @text:    Text, not necessarily terminated.
 * @len:     Its bytes.
 * @error:   Filled on failure; may be NULL.
 *
 * After a failure the profile has the values of the lines before the one that is wrong.
 *
 * Return: 0, -VMM_EFORMAT (malformed, unknown or repeated key, value not allowed, longer than
 * VMM_PROFILE_TEXT_MAX), -VMM_EINVAL.
 */
VMM_API int vmm_profile_parse(struct vmm_profile *profile, const char *text, size_t len,
			      struct vmm_profile_error *error);

/* Flags of vmm_profile_write(). */
#define VMM_PROFILE_WRITE_ALL (UINT32_C(1) << 0) /* also what is at its default */

/**
 * vmm_profile_write() - Write a profile as text, which parsed again gives the same profile.
 * @profile: Profile.
 * @flags:   VMM_PROFILE_WRITE_.
 * @buf:     Filled, NUL-terminated; NULL to ask for the length.
 * @len:     In: bytes at @buf. Out: bytes of the text with its NUL.
 *
 * Return: 0, -VMM_ESIZE (with *@len set), -VMM_EINVAL.
 */
VMM_API int vmm_profile_write(const struct vmm_profile *profile, uint32_t flags, char *buf,
			      size_t *len);

/**
 * vmm_profile_check() - See whether the values go together.
 * @profile: Profile.
 * @error:   Filled on failure, with the keys named; may be NULL.
 *
 * The number of CPUs, ports and interrupts used twice, lists and words in strings, the shares of
 * NUMA nodes. vmm_machine_create() does it too.
 *
 * Return: 0, -VMM_ERANGE (too many CPUs, numbers that do not go together), -VMM_EEXIST (a port, an
 * interrupt or a CPU used twice), -VMM_EINVAL (a string that is none of its words, no list of
 * numbers or no identifier).
 */
VMM_API int vmm_profile_check(const struct vmm_profile *profile, struct vmm_profile_error *error);

VMM_END_DECLS

#endif

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "profile_keys.h"

#include "bits.h"
#include "mem.h"
#include "sized.h"

#define MIB UINT64_C(0x100000)

/* clang-format off */
#define STRING(id, field, sec, nam, text, what) \
	{.key = (id), .kind = VMM_PROFILE_KIND_STRING, .indices = 1, .place = offsetof(struct vmm_profile, field), \
	 .max = sizeof(((struct vmm_profile *)0)->field) - 1, .section = (sec), .name = (nam), .string = (text), .help = (what)}
#define VALUE(id, slot, knd, lo, hi, sec, nam, def, what) \
	{.key = (id), .kind = VMM_PROFILE_KIND_##knd, .indices = 1, .place = (slot), .min = (lo), .max = (hi), \
	 .section = (sec), .name = (nam), .number = {(def)}, .help = (what)}
#define SERIAL(id, slot, knd, lo, hi, base16, nam, d0, d1, d2, d3, what) \
	{.key = (id), .kind = VMM_PROFILE_KIND_##knd, .indices = 4, .hex = (base16), .place = (slot), .min = (lo), .max = (hi), \
	 .section = "serial", .name = (nam), .number = {(d0), (d1), (d2), (d3)}, .help = (what)}

const struct vmm__key vmm__keys[] = {
	STRING(VMM_PROFILE_NAME, name, "machine", "name", "", "name of the machine"),
	STRING(VMM_PROFILE_CPU_MODEL, cpu_model, "cpu", "model", "host", "CPU model: host, or x86-64-v1 to x86-64-v4"),
	VALUE(VMM_PROFILE_CPU_SOCKETS, 0, NUMBER, 1, VMM__PROFILE_CPUS, "cpu", "sockets", 1, "sockets"),
	VALUE(VMM_PROFILE_CPU_DIES, 1, NUMBER, 1, VMM__PROFILE_CPUS, "cpu", "dies", 1, "dies in each socket"),
	VALUE(VMM_PROFILE_CPU_CORES, 2, NUMBER, 1, VMM__PROFILE_CPUS, "cpu", "cores", 1, "cores in each die"),
	VALUE(VMM_PROFILE_CPU_THREADS, 3, NUMBER, 1, VMM__PROFILE_CPUS, "cpu", "threads", 1, "threads in each core"),
	VALUE(VMM_PROFILE_MEMORY_SIZE, 4, SIZE, MIB, MIB << 26, "memory", "size", 512 * MIB, "RAM in whole MiB"),
	STRING(VMM_PROFILE_BOOT_KERNEL, kernel, "boot", "kernel", "", "kernel image"),
	STRING(VMM_PROFILE_BOOT_INITRD, initrd, "boot", "initrd", "", "initial RAM disk"),
	STRING(VMM_PROFILE_BOOT_CMDLINE, cmdline, "boot", "cmdline", "", "kernel's command line"),
	SERIAL(VMM_PROFILE_SERIAL_ENABLE, 8, BOOLEAN, 0, 1, false, "enable", 1, 0, 0, 0, "16550 serial port"),
	SERIAL(VMM_PROFILE_SERIAL_PORT, 12, NUMBER, 0x100, 0xff8, true, "port", 0x3f8, 0x2f8, 0x3e8, 0x2e8, "first of its 8 I/O ports"),
	SERIAL(VMM_PROFILE_SERIAL_IRQ, 16, NUMBER, 1, 23, false, "irq", 4, 3, 5, 7, "its pin of the IOAPIC"),
	VALUE(VMM_PROFILE_PCI_ENABLE, 20, BOOLEAN, 0, 1, "pci", "enable", 1, "PCI Express host bridge with ECAM"),
	VALUE(VMM_PROFILE_PCI_BUSES, 21, NUMBER, 1, 256, "pci", "buses", 1, "bus numbers that its ECAM covers"),
	VALUE(VMM_PROFILE_POWER_OFF, 22, BOOLEAN, 0, 1, "power", "off", 1, "ACPI soft off (S5)"),
	VALUE(VMM_PROFILE_POWER_RESET, 23, BOOLEAN, 0, 1, "power", "reset", 1, "ACPI reset register"),
	VALUE(VMM_PROFILE_POWER_BUTTON, 24, BOOLEAN, 0, 1, "power", "button", 1, "ACPI power button"),
	VALUE(VMM_PROFILE_DEBUG_EXIT_ENABLE, 25, BOOLEAN, 0, 1, "debug-exit", "enable", 0, "port by which a guest ends the run with a status"),
	{.key = VMM_PROFILE_DEBUG_EXIT_PORT, .kind = VMM_PROFILE_KIND_NUMBER, .indices = 1, .hex = true, .place = 26, .min = 0x80, .max = 0xffc,
	 .section = "debug-exit", .name = "port", .number = {0xf4}, .help = "first of its 4 I/O ports"},
	VALUE(VMM_PROFILE_FW_CFG_ENABLE, 27, BOOLEAN, 0, 1, "fw-cfg", "enable", 0, "QEMU's firmware configuration device"),
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

static char *string_place(struct vmm_profile *profile, const struct vmm__key *key)
{
	return (char *)profile + key->place;
}

const char *vmm__profile_string(const struct vmm_profile *profile, const struct vmm__key *key)
{
	return (const char *)profile + key->place;
}

uint64_t vmm__profile_number(const struct vmm_profile *profile, uint32_t key, uint32_t index)
{
	return profile->number[find_key(key, index)->place + index];
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

		if (vmm__key_is_string(key))
			copy_string(string_place(p, key), key->string, length(key->string));
		else
			memcpy(&p->number[key->place], key->number,
			       key->indices * sizeof(key->number[0]));
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
	if (k->kind == VMM_PROFILE_KIND_SIZE && !vmm__is_aligned(value, MIB))
		return -VMM_EALIGN;
	profile->number[k->place + index] = value;
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
	*value = profile->number[k->place + index];
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
	copy_string(string_place(profile, k), text, len);
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
	*text = vmm__profile_string(profile, k);
	return 0;
}

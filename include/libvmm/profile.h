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
#define VMM_PROFILE_NAME              0x0101 /* string: machine.name */
#define VMM_PROFILE_CPU_MODEL         0x0201 /* string: cpu.model, see vmm_x86_cpu_model() */
#define VMM_PROFILE_CPU_SOCKETS       0x0202 /* number: cpu.sockets */
#define VMM_PROFILE_CPU_DIES          0x0203 /* number: cpu.dies, in a socket */
#define VMM_PROFILE_CPU_CORES         0x0204 /* number: cpu.cores, in a die */
#define VMM_PROFILE_CPU_THREADS       0x0205 /* number: cpu.threads, in a core */
#define VMM_PROFILE_MEMORY_SIZE       0x0301 /* size: memory.size, bytes, whole MiB */
#define VMM_PROFILE_BOOT_KERNEL       0x0401 /* string: boot.kernel, as the embedder takes it */
#define VMM_PROFILE_BOOT_INITRD       0x0402 /* string: boot.initrd */
#define VMM_PROFILE_BOOT_CMDLINE      0x0403 /* string: boot.cmdline */
#define VMM_PROFILE_SERIAL_ENABLE     0x0501 /* boolean: serial.enable; index 0 to 3 */
#define VMM_PROFILE_SERIAL_PORT       0x0502 /* number: serial.port, the first of 8 */
#define VMM_PROFILE_SERIAL_IRQ        0x0503 /* number: serial.irq, a pin of the IOAPIC */
#define VMM_PROFILE_PCI_ENABLE        0x0601 /* boolean: pci.enable */
#define VMM_PROFILE_PCI_BUSES         0x0602 /* number: pci.buses, 1 to 256 */
#define VMM_PROFILE_POWER_OFF         0x0701 /* boolean: power.off, ACPI's S5 */
#define VMM_PROFILE_POWER_RESET       0x0702 /* boolean: power.reset, ACPI's reset register */
#define VMM_PROFILE_POWER_BUTTON      0x0703 /* boolean: power.button */
#define VMM_PROFILE_DEBUG_EXIT_ENABLE 0x0801 /* boolean: debug-exit.enable */
#define VMM_PROFILE_DEBUG_EXIT_PORT   0x0802 /* number: debug-exit.port, the first of 4 */
#define VMM_PROFILE_FW_CFG_ENABLE     0x0901 /* boolean: fw-cfg.enable */

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
 * vmm_profile_key_at() for the limits), -VMM_EALIGN (a size that is not whole MiB).
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
 * The number of CPUs, ports and interrupts used twice. vmm_machine_create() does it too.
 *
 * Return: 0, -VMM_ERANGE (too many CPUs), -VMM_EEXIST (a port or an interrupt used twice).
 */
VMM_API int vmm_profile_check(const struct vmm_profile *profile, struct vmm_profile_error *error);

VMM_END_DECLS

#endif

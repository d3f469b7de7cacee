/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/uefi.h - vUEFI: what an operating system finds of UEFI once its loader has gone.
 *
 * System table, configuration tables, memory map, and runtime services with variables, a clock and
 * reset. There are no boot services: the guest is entered as if ExitBootServices() had been called.
 *
 *	vmm_uefi_image_build()		tables and runtime code, into the caller's buffer
 *	vmm_uefi_map_begin(), _next()	the memory map
 *	vmm_uefi_vars_create()		variables, in storage of the embedder's or in memory
 *	vmm_uefi_create()		the device that the runtime code calls
 *
 * The first two need no VM, allocate nothing, and can be used by themselves. vmm_machine_create()
 * does all of it for a profile with boot.firmware = vuefi. docs/uefi.md tells how it works.
 *
 * Sections are those of the UEFI Specification, 2.10.
 */
#ifndef LIBVMM_UEFI_H
#define LIBVMM_UEFI_H

#include "libvmm/bus.h"
#include "libvmm/host.h"
#include "libvmm/loader.h"

VMM_BEGIN_DECLS

/* --- Tables and runtime code --- */

/* Whose runtime code. */
#define VMM_UEFI_X86_64  1u
#define VMM_UEFI_AARCH64 2u

/* The image's address is a multiple of this, and so are its parts and its length. */
#define VMM_UEFI_ALIGN 0x10000u

/* Its first part: code and tables of the runtime services, EfiRuntimeServicesCode (5). */
#define VMM_UEFI_RUNTIME_LEN 0x20000u

/* Memory types (7.2) of the two parts, for struct vmm_load_range. */
#define VMM_UEFI_RUNTIME_CODE 5u
#define VMM_UEFI_RUNTIME_DATA 6u

/**
 * struct vmm_uefi_image_config - What the image is made with.
 * @size:     sizeof(struct vmm_uefi_image_config).
 * @arch:     VMM_UEFI_X86_64 or another.
 * @gpa:      Where the guest will find it, a multiple of VMM_UEFI_ALIGN and below 4 GiB.
 * @doorbell: By what the runtime code calls the VMM: a port (x86: 4 ports from it on), or the
 *            guest-physical address of 4 bytes that the memory map has in a runtime range of type
 *            EfiMemoryMappedIO (11).
 * @rsdp:     ACPI's root pointer, 0 for none.
 * @smbios:   SMBIOS's 64-bit entry point, 0 for none. It may lie in @room.
 * @room:     Bytes that the caller wants behind the tables, in runtime memory, for its own.
 * @seed:     Unpredictable bytes for the guest; NULL for none.
 * @seed_len: How many, at most 512.
 * @version:  Of the firmware, as its resource table (23.4) tells it; VMM_VERSION_ for instance.
 * @tpm_log:  The TPM's event log, NULL for none.
 * @tpm_log_len: Its bytes.
 * @tpm_log_format: 1: TCG 1.2; 2: crypto-agile.
 */
struct vmm_uefi_image_config {
	uint32_t size;
	uint32_t arch;
	uint64_t gpa;
	uint64_t doorbell;
	uint64_t rsdp;
	uint64_t smbios;
	const void *seed;
	uint32_t seed_len;
	uint32_t room;
	const void *tpm_log;
	uint32_t tpm_log_len;
	uint32_t tpm_log_format;
	uint32_t version;
	uint32_t reserved;
};

/**
 * struct vmm_uefi_image - What was built.
 * @size:    sizeof(struct vmm_uefi_image), set by the caller.
 * @tables:  Number of configuration tables.
 * @len:     Bytes of the image, a multiple of VMM_UEFI_ALIGN: the first VMM_UEFI_RUNTIME_LEN
 *           EfiRuntimeServicesCode, the rest EfiRuntimeServicesData. Both are reserved memory to
 *           E820.
 * @system:  Guest-physical address of the system table.
 * @mailbox: Of the mailbox, for vmm_uefi_create().
 * @room:    Of the room asked for, a multiple of 16; 0 for none.
 */
struct vmm_uefi_image {
	uint32_t size;
	uint32_t tables;
	uint64_t len;
	uint64_t system;
	uint64_t mailbox;
	uint64_t room;
};

/**
 * vmm_uefi_image_build() - Build the tables and the runtime code.
 * @config: What with.
 * @buf:    Filled with the image; NULL to measure.
 * @cap:    Bytes at @buf; 0 when measuring.
 * @image:  Filled, also with -VMM_ESIZE.
 *
 * Every byte of the image is written, but for those of the room. It has to be written anew into the
 * guest's memory whenever the guest starts, because the runtime code changes it.
 *
 * Context: Any; allocates nothing.
 * Return: 0, -VMM_EINVAL, -VMM_EALIGN, -VMM_ERANGE, -VMM_ESIZE, -VMM_ENOTSUP (the library was built
 * without runtime code for @arch).
 */
VMM_API int vmm_uefi_image_build(const struct vmm_uefi_image_config *config, void *buf, size_t cap,
				 struct vmm_uefi_image *image);

/* --- The memory map: 7.2.3 --- */

/* Bytes of a descriptor, and its version. */
#define VMM_UEFI_DESCRIPTOR_LEN     48u
#define VMM_UEFI_DESCRIPTOR_VERSION 1u

/* In the caller's storage; its fields belong to the functions below. */
struct vmm_uefi_map {
	const struct vmm_load_range *ranges;
	const struct vmm_boot_area *areas;
	uint32_t range_count;
	uint32_t area_count;
	uint32_t range; /* the one at hand */
	uint32_t reserved;
	uint64_t at; /* next byte of it */
};

/**
 * vmm_uefi_map_begin() - Start to list the memory map that says the same as an E820.
 * @map:         Walk.
 * @ranges:      Guest memory, as for vmm_image_load(); stays the caller's, as @areas. Bounds are
 *               multiples of 4 KiB.
 * @range_count: How many.
 * @areas:       What a loader has put there, EfiLoaderData; what else of RAM there is, is
 *               EfiConventionalMemory. May be NULL.
 * @area_count:  How many.
 *
 * Return: 0, -VMM_EINVAL, -VMM_EALIGN.
 */
VMM_API int vmm_uefi_map_begin(struct vmm_uefi_map *map, const struct vmm_load_range *ranges,
			       uint32_t range_count, const struct vmm_boot_area *areas,
			       uint32_t area_count);

/**
 * vmm_uefi_map_next() - The next descriptor.
 * @map:        Walk.
 * @descriptor: VMM_UEFI_DESCRIPTOR_LEN bytes, filled.
 *
 * There are at most @range_count + 2 * @area_count.
 *
 * Return: 0, -VMM_ENOENT after the last one.
 */
VMM_API int vmm_uefi_map_next(struct vmm_uefi_map *map, uint8_t *descriptor);

/* --- Variables: 8.2 --- */

/**
 * struct vmm_uefi_storage - Where variables are kept when the machine is off.
 * @size:     sizeof(struct vmm_uefi_storage).
 * @reserved: 0.
 * @opaque:   For the functions.
 * @len:      Its bytes: 8 KiB or more; more than 512 KiB are not used. Half of it holds variables.
 * @read:     Copies @len bytes from @offset.
 * @write:    Copies @len bytes to @offset. Until the next flush they may arrive in any order, in
 *            part, or not at all.
 * @flush:    Comes back when all that was written will be there after the power has been cut.
 *
 * All return 0 or a negative error code. They are called by whoever makes or changes variables, the
 * thread of a vCPU for instance, one at a time, under a lock; they may sleep. Storage that is all
 * zeros is new.
 */
struct vmm_uefi_storage {
	uint32_t size;
	uint32_t reserved;
	void *opaque;
	uint64_t len;
	int (*read)(void *opaque, uint64_t offset, void *buf, size_t len);
	int (*write)(void *opaque, uint64_t offset, const void *buf, size_t len);
	int (*flush)(void *opaque);
};

struct vmm_uefi_vars; /* opaque */

/* Most bytes of a variable's name, with its NUL, and of its data. */
#define VMM_UEFI_NAME_MAX 1024u
#define VMM_UEFI_DATA_MAX 32768u

/* Attributes. Those of authenticated variables and of error records are refused. */
#define VMM_UEFI_VAR_NON_VOLATILE 0x01u
#define VMM_UEFI_VAR_BOOT         0x02u
#define VMM_UEFI_VAR_RUNTIME      0x04u /* with BOOT: the guest sees it */
#define VMM_UEFI_VAR_APPEND       0x40u /* of a call: to what is there */

/**
 * vmm_uefi_vars_create() - Make a set of variables.
 * @host:    Host services; must outlive it.
 * @storage: Where non-volatile ones are kept; copied, what its functions use must outlive the set.
 *           NULL: in memory only, so they go with the set, and a warning is logged.
 * @vars:    Set to it.
 *
 * The set begins with what storage holds, and the volatile variables SecureBoot (0), SetupMode (1)
 * and OsIndicationsSupported (0). What does not make sense in storage is not taken; a value is
 * either there as it was last set, or as it was before, whenever the power was cut.
 *
 * Context: Any thread; allocates as much as it uses of storage, 128 KiB without.
 * Return: 0, -VMM_EINVAL, -VMM_ESIZE (storage too small), -VMM_EFORMAT (it is neither empty nor
 * holds variables), -VMM_EIO, -VMM_ENOMEM.
 */
VMM_API int vmm_uefi_vars_create(const struct vmm_host *host,
				 const struct vmm_uefi_storage *storage,
				 struct vmm_uefi_vars **vars);
/** vmm_uefi_vars_destroy() - NULL is allowed. */
VMM_API void vmm_uefi_vars_destroy(struct vmm_uefi_vars *vars);

/**
 * struct vmm_uefi_vars_info - What there is to know of a set.
 * @size:     sizeof(struct vmm_uefi_vars_info), set by the caller.
 * @is_kept:  1: non-volatile variables are in storage; 0: in memory only.
 * @capacity: Bytes for non-volatile variables, their names and 48 bytes each.
 * @left:     How many of them are free.
 */
struct vmm_uefi_vars_info {
	uint32_t size;
	uint32_t is_kept;
	uint64_t capacity;
	uint64_t left;
};

/** vmm_uefi_vars_get_info() - Context: Any thread. Return: 0, -VMM_EINVAL. */
VMM_API int vmm_uefi_vars_get_info(struct vmm_uefi_vars *vars, struct vmm_uefi_vars_info *info);

/**
 * vmm_uefi_vars_get() - Read a variable, as firmware may.
 * @vars:       Set.
 * @guid:       Owner, 16 bytes as they stand in memory (appendix A).
 * @name:       Name, NUL-terminated.
 * @attributes: Set to VMM_UEFI_VAR_; may be NULL.
 * @data:       Filled.
 * @len:        In: room at @data. Out: bytes of the variable, also with -VMM_ESIZE.
 *
 * Context: Any thread.
 * Return: 0, -VMM_EINVAL, -VMM_ENOENT, -VMM_ESIZE.
 */
VMM_API int vmm_uefi_vars_get(struct vmm_uefi_vars *vars, const uint8_t *guid, const uint16_t *name,
			      uint32_t *attributes, void *data, uint32_t *len);

/**
 * vmm_uefi_vars_set() - Set or delete a variable, as firmware may.
 * @vars:       Set.
 * @guid:       Owner.
 * @name:       Name, NUL-terminated, not empty.
 * @attributes: VMM_UEFI_VAR_, those that it has if it is there; without BOOT it is deleted.
 * @data:       Its value.
 * @len:        Bytes; 0: it is deleted, unless APPEND is set.
 *
 * Context: Any thread; waits for storage.
 * Return: 0, -VMM_EINVAL, -VMM_ENOENT (nothing to delete), -VMM_ENOTSUP (such attributes),
 * -VMM_ELIMIT (no room), -VMM_EIO; after a failure the old value stands, but with -VMM_EIO the
 * new one may be found when storage is next opened.
 */
VMM_API int vmm_uefi_vars_set(struct vmm_uefi_vars *vars, const uint8_t *guid, const uint16_t *name,
			      uint32_t attributes, const void *data, uint32_t len);

/**
 * vmm_uefi_vars_next() - Walk through the variables.
 * @vars: Set.
 * @guid: 16 bytes. In: owner of the last one. Out: of the next one.
 * @name: Room for VMM_UEFI_NAME_MAX bytes. In: name of the last one, empty to begin. Out: of the
 *        next one.
 *
 * Context: Any thread.
 * Return: 0, -VMM_ENOENT (that was the last one), -VMM_EINVAL (there is no such variable).
 */
VMM_API int vmm_uefi_vars_next(struct vmm_uefi_vars *vars, uint8_t *guid, uint16_t *name);

/* --- The device behind the runtime services --- */

/* Its region: the doorbell. */
#define VMM_UEFI_DOORBELL_LEN 4

struct vmm_uefi; /* opaque */

/**
 * struct vmm_uefi_config - What the device is made with.
 * @size:    sizeof(struct vmm_uefi_config).
 * @flags:   0.
 * @mailbox: Guest-physical address of the mailbox, as in struct vmm_uefi_image. The device reads
 *           and writes there and nowhere else.
 * @vars:    Variables; stay the caller's, must outlive the device. NULL: a set of the device's own
 *           in memory.
 * @opaque:  For the callbacks.
 * @read:    Copies @len bytes out of guest memory: 0 or negative. Required.
 * @write:   Copies @len bytes into guest memory: 0 or negative. Required.
 * @event:   The guest asked for VMM_SYSTEM_OFF or VMM_SYSTEM_RESET (exit.h). Required.
 *
 * The clock is the host's, plus what the guest has set, which is kept with the variables; a host
 * without wall_ns() has none, and the guest gets EFI_UNSUPPORTED. The high part of the monotonic
 * count is kept with them too.
 */
struct vmm_uefi_config {
	uint32_t size;
	uint32_t flags;
	uint64_t mailbox;
	struct vmm_uefi_vars *vars;
	void *opaque;
	int (*read)(void *opaque, uint64_t gpa, void *buf, size_t len);
	int (*write)(void *opaque, uint64_t gpa, const void *buf, size_t len);
	void (*event)(void *opaque, uint32_t what);
};

/**
 * vmm_uefi_create() - Make the device.
 * @host:   Host services; must outlive the device.
 * @config: What with; not needed afterwards.
 * @uefi:   Set to the device.
 *
 * Context: Any thread; allocates.
 * Return: 0, -VMM_EINVAL, -VMM_ENOMEM.
 */
VMM_API int vmm_uefi_create(const struct vmm_host *host, const struct vmm_uefi_config *config,
			    struct vmm_uefi **uefi);
/** vmm_uefi_destroy() - NULL is allowed. After its region is gone. */
VMM_API void vmm_uefi_destroy(struct vmm_uefi *uefi);
/** vmm_uefi_reset() - The machine starts again: the monotonic count goes on. May wait for storage.
 */
VMM_API void vmm_uefi_reset(struct vmm_uefi *uefi);
/** vmm_uefi_ops() - Callbacks of its region, VMM_UEFI_DOORBELL_LEN long. */
VMM_API const struct vmm_region_ops *vmm_uefi_ops(void);

VMM_END_DECLS

#endif

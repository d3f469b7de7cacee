/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/smbios.h - Building SMBIOS 3 structures into guest memory.
 *
 * One blob of the caller's at one guest-physical address: the 64-bit entry point ("_SM3_") at its
 * beginning, the structures from byte 32 on, the end marker (type 127) by itself:
 *
 *	vmm_smbios_open(b, buf, cap, gpa);
 *	vmm_smbios_add_system(b, &system, NULL);
 *	vmm_smbios_close(b, &len);
 *
 * With a NULL buffer it measures (see sink.h). Handles are given out in order and received through
 * @handle, which may be NULL; a structure that names another one's is made after it. Text that is
 * NULL or empty is left out; it is cut at nothing, and must not be longer than 255 bytes.
 *
 * Every function returns 0, or a negative error, the first of which stays: -VMM_EINVAL (a struct of
 * another size, text too long, a handle that was not given out), -VMM_ESTATE (not open),
 *-VMM_ELIMIT (no handles left). Running out of room is reported by vmm_smbios_close() alone.
 *Nothing is allocated; any context; one thread at a time.
 *
 * Sections are those of DMTF DSP0134, 3.6.0.
 */
#ifndef LIBVMM_SMBIOS_H
#define LIBVMM_SMBIOS_H

#include "libvmm/sink.h"

VMM_BEGIN_DECLS

/* No handle: there is no such structure (caches, errors). */
#define VMM_SMBIOS_NO_HANDLE 0xffff

/* In the caller's storage; its fields belong to the builder. */
struct vmm_smbios {
	struct vmm_sink out;
	uint64_t gpa;
	size_t start;         /* of the open structure */
	const char *text[16]; /* its strings */
	uint32_t texts;
	uint32_t handles; /* given out */
};

/**
 * vmm_smbios_open() - Start the structures of one machine.
 * @b:   Builder; whatever it held is dropped.
 * @buf: Where they go; must outlive the builder. NULL to measure.
 * @cap: Bytes at @buf; 0 when measuring.
 * @gpa: Guest-physical address at which the guest will find @buf, a multiple of 16; that of the
 *       entry point. A guest that searches it needs it between 0xf0000 and 0xfffff.
 *
 * Return: 0, -VMM_EINVAL, -VMM_EALIGN.
 */
VMM_API int vmm_smbios_open(struct vmm_smbios *b, void *buf, size_t cap, uint64_t gpa);

/**
 * vmm_smbios_close() - Write the end marker and the entry point. 5.2.2.
 * @b:   Builder; must be opened again before further use.
 * @len: Receives the bytes of the blob, also with -VMM_ESIZE; untouched by other errors. May be
 * NULL.
 *
 * Return: 0, -VMM_ESIZE, -VMM_ESTATE, -VMM_ERANGE (it passes 4 GiB in length, or the end of the
 * address space), or the first error.
 */
VMM_API int vmm_smbios_close(struct vmm_smbios *b, size_t *len);

/** vmm_smbios_error() - The first error so far; -VMM_ESTATE when not open. */
VMM_API int vmm_smbios_error(const struct vmm_smbios *b);

/* BIOS information, type 0, 7.1; made for a virtual machine with UEFI. */
struct vmm_smbios_bios {
	uint32_t size; /* of this struct */
	uint8_t major; /* of the firmware's release */
	uint8_t minor;
	uint16_t reserved; /* zero */
	const char *vendor;
	const char *version;
	const char *date; /* mm/dd/yyyy */
};

VMM_API int vmm_smbios_add_bios(struct vmm_smbios *b, const struct vmm_smbios_bios *bios,
				uint16_t *handle);

/* System, type 1, 7.2. */
struct vmm_smbios_system {
	uint32_t size;    /* of this struct */
	uint32_t wake_up; /* 6: power switch */
	const char *manufacturer;
	const char *product;
	const char *version;
	const char *serial;
	const char *sku;
	const char *family;
	uint8_t uuid[16]; /* in the order in which it is written; stored as 7.2.1 says */
};

VMM_API int vmm_smbios_add_system(struct vmm_smbios *b, const struct vmm_smbios_system *system,
				  uint16_t *handle);

/* Baseboard, type 2, 7.3. */
struct vmm_smbios_board {
	uint32_t size;    /* of this struct */
	uint16_t chassis; /* handle */
	uint8_t features; /* 1: hosting board */
	uint8_t type;     /* 10: motherboard */
	const char *manufacturer;
	const char *product;
	const char *version;
	const char *serial;
	const char *asset;
	const char *location;
};

VMM_API int vmm_smbios_add_board(struct vmm_smbios *b, const struct vmm_smbios_board *board,
				 uint16_t *handle);

/* Enclosure, type 3, 7.4; its states are told to be safe. */
struct vmm_smbios_chassis {
	uint32_t size; /* of this struct */
	uint32_t type; /* 1: other */
	const char *manufacturer;
	const char *version;
	const char *serial;
	const char *asset;
	const char *sku;
};

VMM_API int vmm_smbios_add_chassis(struct vmm_smbios *b, const struct vmm_smbios_chassis *chassis,
				   uint16_t *handle);

/* Processor, type 4, 7.5: one for each socket. */
struct vmm_smbios_processor {
	uint32_t size;   /* of this struct */
	uint16_t family; /* 1: other; 0x101: Armv8 */
	uint8_t type;    /* 3: central processor */
	uint8_t status;  /* 0x41: populated, enabled */
	uint8_t upgrade; /* 1: other */
	uint8_t voltage; /* tenths of a volt with bit 7; 0: not known */
	uint16_t characteristics;
	uint16_t external_clock; /* MHz; 0: not known, as the next two */
	uint16_t max_speed;
	uint16_t speed;
	uint16_t cores;
	uint16_t cores_enabled;
	uint16_t threads;
	uint16_t threads_enabled;
	uint16_t l1; /* handles, or VMM_SMBIOS_NO_HANDLE */
	uint16_t l2;
	uint16_t l3;
	uint16_t reserved; /* zero */
	uint64_t id;       /* CPUID leaf 1: EAX, EDX << 32; MIDR */
	const char *socket;
	const char *manufacturer;
	const char *version;
	const char *serial;
	const char *asset;
	const char *part;
};

VMM_API int vmm_smbios_add_processor(struct vmm_smbios *b,
				     const struct vmm_smbios_processor *processor,
				     uint16_t *handle);

/* Cache, type 7, 7.8. */
struct vmm_smbios_cache {
	uint32_t size;         /* of this struct */
	uint32_t kib;          /* its size */
	uint8_t level;         /* 1 to 8 */
	uint8_t mode;          /* 0 write through, 1 write back, 3 unknown */
	uint8_t type;          /* 3 instruction, 4 data, 5 unified */
	uint8_t associativity; /* as in 7.8.5: 7 is 8 ways */
	uint8_t ecc;           /* 5: single-bit */
	uint8_t reserved[3];   /* zero */
	const char *socket;
};

VMM_API int vmm_smbios_add_cache(struct vmm_smbios *b, const struct vmm_smbios_cache *cache,
				 uint16_t *handle);

/* System slot, type 9, 7.10. */
struct vmm_smbios_slot {
	uint32_t size; /* of this struct */
	uint8_t type;  /* 0xa5: PCI Express */
	uint8_t width; /* 8: x1, 10: x4, 13: x16 */
	uint8_t usage; /* 3: available, 4: in use */
	uint8_t length;
	uint16_t id;
	uint16_t segment;
	uint8_t bus;
	uint8_t devfn;
	uint8_t characteristics1;
	uint8_t characteristics2; /* 2: hot plug */
	const char *designation;
};

VMM_API int vmm_smbios_add_slot(struct vmm_smbios *b, const struct vmm_smbios_slot *slot,
				uint16_t *handle);

/** vmm_smbios_add_strings() - OEM strings, type 11, 7.12: @count from 1 to 16, none empty. */
VMM_API int vmm_smbios_add_strings(struct vmm_smbios *b, const char *const *text, uint32_t count,
				   uint16_t *handle);

/* Physical memory array, type 16, 7.17. */
struct vmm_smbios_memory_array {
	uint32_t size;    /* of this struct */
	uint8_t location; /* 1: other, 3: motherboard */
	uint8_t use;      /* 3: system memory */
	uint8_t ecc;      /* 3: none, 6: multi-bit */
	uint8_t reserved; /* zero */
	uint64_t max;     /* bytes, a multiple of 1 KiB */
	uint16_t devices;
	uint16_t reserved2[3]; /* zero */
};

VMM_API int vmm_smbios_add_memory_array(struct vmm_smbios *b,
					const struct vmm_smbios_memory_array *array,
					uint16_t *handle);

/* Memory device, type 17, 7.18. */
struct vmm_smbios_memory {
	uint32_t size;      /* of this struct */
	uint16_t array;     /* handle */
	uint16_t width;     /* bits, 0xffff: unknown */
	uint64_t bytes;     /* a multiple of 1 MiB, or 0 for an empty socket */
	uint8_t form;       /* 9: DIMM */
	uint8_t type;       /* 7: RAM, 0x1a: DDR4 */
	uint16_t detail;    /* 2: other; 0x80: synchronous */
	uint16_t speed;     /* MT/s, 0: unknown */
	uint8_t ranks;      /* 0: unknown */
	uint8_t persistent; /* 1: an NVDIMM */
	const char *locator;
	const char *bank;
	const char *manufacturer;
	const char *serial;
	const char *asset;
	const char *part;
};

VMM_API int vmm_smbios_add_memory(struct vmm_smbios *b, const struct vmm_smbios_memory *memory,
				  uint16_t *handle);

/**
 * vmm_smbios_add_mapped() - Memory array mapped address, type 19, 7.20.
 * @base:  First byte, a multiple of 1 KiB.
 * @len:   Bytes, a multiple of 1 KiB, more than 0.
 * @array: Handle of the array.
 * @ways:  Devices in a row, 1 or more.
 */
VMM_API int vmm_smbios_add_mapped(struct vmm_smbios *b, uint64_t base, uint64_t len, uint16_t array,
				  uint8_t ways, uint16_t *handle);

/** vmm_smbios_add_boot() - System boot information, type 32, 7.33: no errors. */
VMM_API int vmm_smbios_add_boot(struct vmm_smbios *b, uint16_t *handle);

VMM_END_DECLS

#endif

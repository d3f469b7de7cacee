/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/acpi_read.h - Reading ACPI tables, of a real machine or of one's own making.
 *
 * What a hypervisor that owns a machine must know of it, without an interpreter of AML. Tables are
 * not trusted: each length, offset and count is checked against the bytes that are there, and no
 * loop is longer than a table. Nothing is allocated or changed; results point into the tables or
 * are copies.
 *
 *	vmm_acpi_read_open(&r, &mem, rsdp);
 *	t.size = sizeof(t);
 *	if (vmm_acpi_read_find(&r, "APIC", 0, &t) == 0 && vmm_acpi_read_madt(&t, &c) == 0)
 *		for (e.size = sizeof(e); (err = vmm_acpi_read_madt_next(&c, &e)) == 0;)
 *			...
 *
 * A list is read with a cursor; each call gives one entry, -VMM_ENOENT after the last, and
 * -VMM_EFORMAT where the list is malformed (the cursor then stays there). Entries of a type that is
 * not known here come with their type, and every other field zero. Structs that are filled begin
 * with their size, set by the caller.
 *
 * Every function may also return -VMM_EINVAL for a struct of another size, or for a table that has
 * another signature. Any context; sections are those of ACPI 6.5 where nothing else is named.
 */
#ifndef LIBVMM_ACPI_READ_H
#define LIBVMM_ACPI_READ_H

#include "libvmm/acpi.h"

VMM_BEGIN_DECLS

/* No table is longer. */
#define VMM_ACPI_READ_MAX (UINT32_C(16) << 20)

/* How physical memory is reached. */
struct vmm_acpi_memory {
	uint32_t size;     /* of this struct */
	uint32_t reserved; /* zero */
	void *opaque;
	/* @len bytes at @pa, readable as long as anything read from them is used; NULL if they
	 * are not memory. Aligned as the caller likes. */
	const void *(*map)(void *opaque, uint64_t pa, size_t len);
};

/* Where the tables of a machine are listed; its fields belong to the reader. */
struct vmm_acpi_root {
	struct vmm_acpi_memory memory; /* copied */
	const uint8_t *entries;
	uint32_t count;
	uint32_t width; /* bytes of an entry: 4 in an RSDT, 8 in an XSDT */
};

/* A table that is all there, with a right checksum. */
struct vmm_acpi_table {
	uint32_t size; /* of this struct */
	uint32_t len;
	const uint8_t *data; /* with its header */
	uint64_t pa;
};

/* A place in a list of a table. */
struct vmm_acpi_cursor {
	const uint8_t *data;
	uint32_t end;
	uint32_t at;
	uint32_t left; /* entries, if the table counts them; else all ones */
	uint32_t reserved;
};

/**
 * vmm_acpi_read_open() - Find the list of tables from the RSDP, 5.2.5.3.
 * @r:      Receives it.
 * @memory: How to reach memory, copied.
 * @rsdp:   Its physical address, from the firmware (UEFI: configuration table).
 *
 * Return: 0, -VMM_EFAULT (not memory), -VMM_EFORMAT (no RSDP, XSDT or RSDT there, or damaged).
 */
VMM_API int vmm_acpi_read_open(struct vmm_acpi_root *r, const struct vmm_acpi_memory *memory,
			       uint64_t rsdp);

/**
 * vmm_acpi_read_search() - Search an RSDP in an area, on 16 bytes. 5.2.5.1.
 * @memory: How to reach memory.
 * @pa:     Area: the first KiB of the EBDA, then 0xe0000 to 0xfffff.
 * @len:    Bytes of it, at most VMM_ACPI_READ_MAX.
 * @rsdp:   Receives the address.
 *
 * Return: 0, -VMM_ENOENT, -VMM_EFAULT, -VMM_ERANGE (@len).
 */
VMM_API int vmm_acpi_read_search(const struct vmm_acpi_memory *memory, uint64_t pa, size_t len,
				 uint64_t *rsdp);

/**
 * vmm_acpi_read_at() - A table by its address, such as the DSDT.
 *
 * Return: 0, -VMM_EFAULT, -VMM_EFORMAT (length or checksum).
 */
VMM_API int vmm_acpi_read_at(const struct vmm_acpi_root *r, uint64_t pa, struct vmm_acpi_table *t);

/**
 * vmm_acpi_read_index() - Table number @index of the list.
 *
 * Return: 0, -VMM_ENOENT (behind the last), -VMM_EFAULT, -VMM_EFORMAT.
 */
VMM_API int vmm_acpi_read_index(const struct vmm_acpi_root *r, uint32_t index,
				struct vmm_acpi_table *t);

/**
 * vmm_acpi_read_find() - The table of @signature, passing over @skip others of it.
 *
 * Damaged tables of other kinds are passed over.
 *
 * Return: 0, -VMM_ENOENT, -VMM_EFAULT, -VMM_EFORMAT.
 */
VMM_API int vmm_acpi_read_find(const struct vmm_acpi_root *r, const char *signature, uint32_t skip,
			       struct vmm_acpi_table *t);

/**
 * vmm_acpi_read_table() - A table that is at hand, checked as the others.
 * @data: First byte of it, @len bytes readable.
 *
 * Return: 0, -VMM_EFORMAT.
 */
VMM_API int vmm_acpi_read_table(const void *data, size_t len, struct vmm_acpi_table *t);

/* -- Fixed tables -------------------------------------------------------------------------------
 */

/**
 * vmm_acpi_read_fadt() - FADT of any revision; what an old one lacks is zero. 5.2.9.
 * @dsdt: Receives the DSDT's address, 0 for none. May be NULL, as @facs.
 * @facs: Receives the FACS's address.
 *
 * Blocks that only have an address of 32 bits come as I/O ports.
 */
VMM_API int vmm_acpi_read_fadt(const struct vmm_acpi_table *t, struct vmm_acpi_fadt *fadt,
			       uint64_t *dsdt, uint64_t *facs);

/** vmm_acpi_read_spcr() - The console; @path points into the table, if it is well formed. */
VMM_API int vmm_acpi_read_spcr(const struct vmm_acpi_table *t, struct vmm_acpi_spcr *spcr);

/**
 * vmm_acpi_read_slit() - Number of nodes; @distance receives a row of that many bytes for each.
 */
VMM_API int vmm_acpi_read_slit(const struct vmm_acpi_table *t, uint32_t *nodes,
			       const uint8_t **distance);

/* -- MADT, 5.2.12 -------------------------------------------------------------------------------
 */

/* Types of entries. */
#define VMM_ACPI_MADT_LAPIC         0x00
#define VMM_ACPI_MADT_IOAPIC        0x01
#define VMM_ACPI_MADT_OVERRIDE      0x02
#define VMM_ACPI_MADT_NMI_SOURCE    0x03
#define VMM_ACPI_MADT_LAPIC_NMI     0x04
#define VMM_ACPI_MADT_LAPIC_ADDRESS 0x05
#define VMM_ACPI_MADT_X2APIC        0x09
#define VMM_ACPI_MADT_X2APIC_NMI    0x0a
#define VMM_ACPI_MADT_GICC          0x0b
#define VMM_ACPI_MADT_GICD          0x0c
#define VMM_ACPI_MADT_GIC_MSI       0x0d
#define VMM_ACPI_MADT_GICR          0x0e
#define VMM_ACPI_MADT_ITS           0x0f

struct vmm_acpi_madt_entry {
	uint32_t size;     /* of this struct */
	uint32_t type;     /* VMM_ACPI_MADT_ */
	uint32_t id;       /* of the APIC, IOAPIC, GICD, frame or ITS */
	uint32_t uid;      /* of a processor; VMM_ACPI_MADT_ALL_CPUS for an NMI of all of them */
	uint32_t flags;    /* as the entry has them */
	uint32_t gsi;      /* base of an IOAPIC; of an override or NMI source */
	uint32_t irq;      /* of an override */
	uint32_t lint;     /* of a local NMI */
	uint32_t len;      /* of a GICR region */
	uint32_t version;  /* of a GICD */
	uint32_t spi_base; /* of an MSI frame */
	uint32_t spi_count;
	uint64_t address;
	struct vmm_acpi_gicc gicc; /* of a GICC; @uid and @flags too stand above */
};

/** vmm_acpi_read_madt() - Its entries, and what stands before them. @address, @flags may be NULL.
 */
VMM_API int vmm_acpi_read_madt(const struct vmm_acpi_table *t, struct vmm_acpi_cursor *c,
			       uint32_t *address, uint32_t *flags);
VMM_API int vmm_acpi_read_madt_next(struct vmm_acpi_cursor *c, struct vmm_acpi_madt_entry *e);

/* -- MCFG ---------------------------------------------------------------------------------------
 */

struct vmm_acpi_mcfg_range {
	uint32_t size; /* of this struct */
	uint16_t segment;
	uint8_t first_bus;
	uint8_t last_bus;
	uint64_t base; /* of bus 0 */
};

VMM_API int vmm_acpi_read_mcfg(const struct vmm_acpi_table *t, struct vmm_acpi_cursor *c);
VMM_API int vmm_acpi_read_mcfg_next(struct vmm_acpi_cursor *c, struct vmm_acpi_mcfg_range *e);

/* -- SRAT, 5.2.16 -------------------------------------------------------------------------------
 */

#define VMM_ACPI_SRAT_LAPIC     0
#define VMM_ACPI_SRAT_MEMORY    1
#define VMM_ACPI_SRAT_X2APIC    2
#define VMM_ACPI_SRAT_GICC      3
#define VMM_ACPI_SRAT_ITS       4
#define VMM_ACPI_SRAT_INITIATOR 5

struct vmm_acpi_srat_entry {
	uint32_t size; /* of this struct */
	uint32_t type; /* VMM_ACPI_SRAT_ */
	uint32_t domain;
	uint32_t id; /* APIC identifier, ACPI UID or ITS identifier; segment << 16 | function */
	uint32_t flags;
	uint32_t reserved;
	uint64_t base; /* of memory */
	uint64_t len;
};

VMM_API int vmm_acpi_read_srat(const struct vmm_acpi_table *t, struct vmm_acpi_cursor *c);
VMM_API int vmm_acpi_read_srat_next(struct vmm_acpi_cursor *c, struct vmm_acpi_srat_entry *e);

/* -- PPTT, 5.2.30 -------------------------------------------------------------------------------
 */

#define VMM_ACPI_PPTT_PROCESSOR 0
#define VMM_ACPI_PPTT_CACHE     1

struct vmm_acpi_pptt_node {
	uint32_t size;   /* of this struct */
	uint32_t type;   /* VMM_ACPI_PPTT_PROCESSOR or _CACHE */
	uint32_t ref;    /* its own, which others point with */
	uint32_t parent; /* of a processor; of a cache, the next level; 0 for none */
	uint32_t flags;  /* VMM_ACPI_PPTT_; of a cache: which fields are valid, 5.2.30.2 */
	uint32_t uid;    /* of a processor; identifier of a cache */
	uint32_t caches; /* number of private resources */
	uint32_t bytes;  /* of a cache, as what follows */
	uint32_t sets;
	uint16_t line;
	uint8_t ways;
	uint8_t attributes;        /* VMM_ACPI_CACHE_ */
	const uint8_t *cache_refs; /* into the table: see vmm_acpi_read_pptt_cache() */
};

VMM_API int vmm_acpi_read_pptt(const struct vmm_acpi_table *t, struct vmm_acpi_cursor *c);
VMM_API int vmm_acpi_read_pptt_next(struct vmm_acpi_cursor *c, struct vmm_acpi_pptt_node *n);

/** vmm_acpi_read_pptt_cache() - What private resource @index points at; -VMM_ENOENT behind the
 * last. */
VMM_API int vmm_acpi_read_pptt_cache(const struct vmm_acpi_pptt_node *n, uint32_t index,
				     uint32_t *ref);

/* -- GTDT, 5.2.25 -------------------------------------------------------------------------------
 */

#define VMM_ACPI_GTDT_BLOCK    0
#define VMM_ACPI_GTDT_WATCHDOG 1

struct vmm_acpi_gtdt_timer {
	uint32_t size;    /* of this struct */
	uint32_t type;    /* VMM_ACPI_GTDT_ */
	uint64_t base;    /* of a watchdog: the control frame; of a block: CntCtlBase */
	uint64_t refresh; /* of a watchdog */
	uint32_t gsi;     /* of a watchdog */
	uint32_t flags;
	uint32_t timers; /* of a block */
	uint32_t reserved;
};

VMM_API int vmm_acpi_read_gtdt(const struct vmm_acpi_table *t, struct vmm_acpi_gtdt *gtdt,
			       struct vmm_acpi_cursor *c);
VMM_API int vmm_acpi_read_gtdt_next(struct vmm_acpi_cursor *c, struct vmm_acpi_gtdt_timer *e);

/* -- DMAR, VT-d 4.1, chapter 8 ------------------------------------------------------------------
 */

#define VMM_ACPI_DMAR_DRHD 0
#define VMM_ACPI_DMAR_RMRR 1
#define VMM_ACPI_DMAR_ATSR 2
#define VMM_ACPI_DMAR_RHSA 3
#define VMM_ACPI_DMAR_ANDD 4
#define VMM_ACPI_DMAR_SATC 5

struct vmm_acpi_dmar_unit {
	uint32_t size; /* of this struct */
	uint32_t type; /* VMM_ACPI_DMAR_ */
	uint32_t flags;
	uint32_t segment;
	uint64_t base;
	uint64_t last;   /* of an RMRR */
	uint32_t domain; /* of an RHSA */
	uint32_t device; /* of an ANDD: its number */
	struct vmm_acpi_cursor scopes;
};

/** vmm_acpi_read_dmar() - @address_bits and @flags may be NULL. */
VMM_API int vmm_acpi_read_dmar(const struct vmm_acpi_table *t, struct vmm_acpi_cursor *c,
			       uint32_t *address_bits, uint32_t *flags);
VMM_API int vmm_acpi_read_dmar_next(struct vmm_acpi_cursor *c, struct vmm_acpi_dmar_unit *u);

/** vmm_acpi_read_scope() - The next device of a unit's @scopes; -VMM_ELIMIT for more than 8 hops.
 */
VMM_API int vmm_acpi_read_scope(struct vmm_acpi_cursor *c, struct vmm_acpi_scope *s);

/* -- IVRS, AMD IOMMU 3.08, 5.2 ------------------------------------------------------------------
 */

#define VMM_ACPI_IVHD_10     0x10
#define VMM_ACPI_IVHD_11     0x11
#define VMM_ACPI_IVHD_40     0x40
#define VMM_ACPI_IVMD_ALL    0x20
#define VMM_ACPI_IVMD_SELECT 0x21
#define VMM_ACPI_IVMD_RANGE  0x22

struct vmm_acpi_ivrs_block {
	uint32_t size; /* of this struct */
	uint32_t type; /* VMM_ACPI_IVHD_ or VMM_ACPI_IVMD_ */
	uint32_t flags;
	uint32_t device; /* the IOMMU's own; of an IVMD: the first it is for */
	uint32_t last;   /* of an IVMD */
	uint32_t cap;
	uint32_t segment;
	uint32_t info;
	uint64_t base;
	uint64_t len; /* of an IVMD */
	uint64_t efr;
	uint64_t efr2;
	uint32_t features;
	uint32_t reserved;
	struct vmm_acpi_cursor entries; /* of an IVHD */
};

VMM_API int vmm_acpi_read_ivrs(const struct vmm_acpi_table *t, struct vmm_acpi_cursor *c,
			       uint32_t *ivinfo);
VMM_API int vmm_acpi_read_ivrs_next(struct vmm_acpi_cursor *c, struct vmm_acpi_ivrs_block *b);

/** vmm_acpi_read_ivhd_entry() - The next entry of an IVHD's @entries. */
VMM_API int vmm_acpi_read_ivhd_entry(struct vmm_acpi_cursor *c, struct vmm_acpi_ivhd_entry *e);

/* -- IORT, DEN 0049E.b --------------------------------------------------------------------------
 */

#define VMM_ACPI_IORT_ITS          0
#define VMM_ACPI_IORT_NAMED        1
#define VMM_ACPI_IORT_ROOT_COMPLEX 2
#define VMM_ACPI_IORT_SMMU2        3
#define VMM_ACPI_IORT_SMMU3        4
#define VMM_ACPI_IORT_PMCG         5
#define VMM_ACPI_IORT_RMR          6

struct vmm_acpi_iort_node {
	uint32_t size; /* of this struct */
	uint32_t type; /* VMM_ACPI_IORT_ */
	uint32_t ref;  /* its own, which mappings point with */
	uint32_t id;
	uint32_t maps;
	uint32_t services;   /* of an ITS group: their number */
	uint64_t attributes; /* memory access of a root complex or named component */
	uint32_t ats;
	uint32_t segment;
	uint32_t limit;
	uint32_t reserved;
	const char *name;   /* of a named component */
	const uint8_t *map; /* into the table: see the functions below */
	const uint8_t *service;
	struct vmm_acpi_smmu3 smmu3; /* of an SMMUv3 */
};

VMM_API int vmm_acpi_read_iort(const struct vmm_acpi_table *t, struct vmm_acpi_cursor *c);
VMM_API int vmm_acpi_read_iort_next(struct vmm_acpi_cursor *c, struct vmm_acpi_iort_node *n);

/** vmm_acpi_read_iort_map() - Mapping @index of a node; -VMM_ENOENT behind the last. */
VMM_API int vmm_acpi_read_iort_map(const struct vmm_acpi_iort_node *n, uint32_t index,
				   struct vmm_acpi_iort_map *map);

/** vmm_acpi_read_iort_its() - Service @index of an ITS group; -VMM_ENOENT behind the last. */
VMM_API int vmm_acpi_read_iort_its(const struct vmm_acpi_iort_node *n, uint32_t index,
				   uint32_t *its_id);

VMM_END_DECLS

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/acpi.h - Building ACPI tables into guest memory.
 *
 * All tables of a machine go into one blob of the caller's, which stands at one guest-physical
 * address. The RSDP is at its very beginning, the XSDT at its end; between them the tables, each on
 * 16 bytes (the FACS on 64), in the order in which they are made:
 *
 *	vmm_acpi_open(b, buf, cap, gpa, NULL);
 *	vmm_acpi_aml_begin(b, "DSDT", 2, a);	// terms with a, see aml.h
 *	vmm_acpi_aml_finish(b, a);
 *	vmm_acpi_add_fadt(b, &fadt);
 *	vmm_acpi_madt_begin(b, 0xfee00000, 0);
 *	vmm_acpi_madt_lapic(b, 0, 0, VMM_ACPI_MADT_ENABLED);
 *	vmm_acpi_table_finish(b);
 *	vmm_acpi_close(b, &len);
 *
 * Pointers (FADT to DSDT and FACS, XSDT to all others, RSDP to XSDT) and checksums are filled in by
 * the builder, so the order of the tables is free. With a NULL buffer it measures (see sink.h).
 *
 * Every function returns 0, or a negative error, the first of which stays: -VMM_EINVAL (argument
 * that cannot be encoded), -VMM_ESTATE (not allowed now: no builder or table open, another table
 * open, an entry of another table), -VMM_ERANGE (table too long), -VMM_ELIMIT (more tables than
 * VMM_ACPI_MAX_TABLES), -VMM_EEXIST (a second DSDT, FACS or FADT). Running out of room is reported
 * by vmm_acpi_close() alone. Nothing is allocated; any context; one thread at a time.
 *
 * Sections are those of ACPI 6.5 where nothing else is named.
 */
#ifndef LIBVMM_ACPI_H
#define LIBVMM_ACPI_H

#include "libvmm/aml.h"
#include "libvmm/sink.h"

VMM_BEGIN_DECLS

#define VMM_ACPI_MAX_TABLES 64

/* Who made the tables, 5.2.6; text is filled up with spaces, unused bytes with zeros. */
struct vmm_acpi_ids {
	uint32_t size; /* of this struct */
	uint32_t oem_revision;
	uint32_t creator_revision;
	char creator_id[4];
	char oem_id[6];
	char oem_table_id[8];
	uint8_t reserved[2]; /* zero */
};

/* In the caller's storage; its fields belong to the builder. */
struct vmm_acpi {
	struct vmm_sink out;
	uint64_t gpa;
	struct vmm_acpi_ids ids;
	uint32_t state;   /* nothing open, a table, or AML in a table */
	uint32_t open_at; /* offset of the open table */
	uint32_t dsdt;    /* offsets, 0 if there is none */
	uint32_t facs;
	uint32_t fadt;
	uint32_t tables;
	uint32_t table[VMM_ACPI_MAX_TABLES]; /* offsets of what the XSDT lists */
	char open_signature[4];
	uint32_t entries; /* of the open table, for those that count them */
	uint32_t rsdt;    /* whether there is to be one, then its offset */
};

/**
 * vmm_acpi_open() - Start the set of tables of one machine.
 * @b:   Builder; whatever it held is dropped.
 * @buf: Where the tables go; must outlive the builder. NULL to measure.
 * @cap: Bytes at @buf; 0 when measuring.
 * @gpa: Guest-physical address at which the guest will find @buf, a multiple of 64; the RSDP's.
 * @ids: Who made them, copied; NULL for the library's own.
 *
 * A guest that searches for the RSDP itself (legacy BIOS, 5.2.5.1) needs it between 0xe0000 and
 * 0xfffff: the first 36 bytes of the blob may be copied there.
 *
 * Return: 0, -VMM_EINVAL, -VMM_EALIGN.
 */
VMM_API int vmm_acpi_open(struct vmm_acpi *b, void *buf, size_t cap, uint64_t gpa,
			  const struct vmm_acpi_ids *ids);

/**
 * vmm_acpi_want_rsdt() - Have an RSDT too, before the XSDT, with the same tables.
 * @b: Builder, between open and close.
 *
 * For what knows ACPI 1.0 only, as boot loaders under a BIOS do: 5.2.7. All tables must then stand
 * below 4 GiB, or vmm_acpi_close() gives -VMM_ERANGE.
 *
 * Return: 0, or an error as described at the top.
 */
VMM_API int vmm_acpi_want_rsdt(struct vmm_acpi *b);

/**
 * vmm_acpi_close() - Write XSDT and RSDP, and finish the set.
 * @b:   Builder; must be opened again before further use.
 * @len: Receives the bytes of the blob, also with -VMM_ESIZE; untouched by other errors. May be
 * NULL.
 *
 * Return: 0, -VMM_ESIZE (the buffer was too small; its contents are undefined), -VMM_ESTATE (not
 * open, or a table is), -VMM_ENOENT (a FADT without a DSDT or the reverse, a FACS without a FADT),
 * -VMM_ERANGE (the blob passes 4 GiB in length, or the end of the address space, or stands too high
 * for its RSDT), or the first error.
 */
VMM_API int vmm_acpi_close(struct vmm_acpi *b, size_t *len);

/**
 * vmm_acpi_error() - The first error so far.
 * @b: Builder.
 *
 * Return: 0, the error, or -VMM_ESTATE when @b is not open.
 */
VMM_API int vmm_acpi_error(const struct vmm_acpi *b);

/* -- Any table ----------------------------------------------------------------------------------
 */

/**
 * vmm_acpi_table_begin() - Start a table with its header, 5.2.6.
 * @b:         Builder, with no table open.
 * @signature: Four characters.
 * @revision:  Of the table's layout.
 *
 * Its body follows, by the functions of its kind below or by the plain ones. A FADT of one's own
 * has to have 276 bytes, since pointers are filled in; finishing gives -VMM_EINVAL otherwise.
 */
VMM_API int vmm_acpi_table_begin(struct vmm_acpi *b, const char *signature, uint8_t revision);

/** vmm_acpi_table_finish() - Fill in the length and the checksum of the open table. */
VMM_API int vmm_acpi_table_finish(struct vmm_acpi *b);

/* The body of the open table, little-endian. */
VMM_API int vmm_acpi_u8(struct vmm_acpi *b, uint8_t v);
VMM_API int vmm_acpi_u16(struct vmm_acpi *b, uint16_t v);
VMM_API int vmm_acpi_u32(struct vmm_acpi *b, uint32_t v);
VMM_API int vmm_acpi_u64(struct vmm_acpi *b, uint64_t v);
VMM_API int vmm_acpi_bytes(struct vmm_acpi *b, const void *data, size_t len);
VMM_API int vmm_acpi_zeros(struct vmm_acpi *b, size_t len);

/* A generic address, 5.2.3.2. */
struct vmm_acpi_gas {
	uint8_t space; /* VMM_ACPI_SPACE_ */
	uint8_t bits;
	uint8_t offset;
	uint8_t access;      /* VMM_ACPI_ACCESS_ */
	uint8_t reserved[4]; /* zero */
	uint64_t address;
};

#define VMM_ACPI_SPACE_MEMORY     0x00
#define VMM_ACPI_SPACE_IO         0x01
#define VMM_ACPI_SPACE_PCI_CONFIG 0x02
#define VMM_ACPI_SPACE_EC         0x03
#define VMM_ACPI_SPACE_PCC        0x0a
#define VMM_ACPI_SPACE_FIXED      0x7f

#define VMM_ACPI_ACCESS_ANY   0
#define VMM_ACPI_ACCESS_BYTE  1
#define VMM_ACPI_ACCESS_WORD  2
#define VMM_ACPI_ACCESS_DWORD 3
#define VMM_ACPI_ACCESS_QWORD 4

/** vmm_acpi_address() - A generic address in the body of the open table; zeros if @gas is NULL. */
VMM_API int vmm_acpi_address(struct vmm_acpi *b, const struct vmm_acpi_gas *gas);

/**
 * vmm_acpi_aml_begin() - Start a table whose body is AML, 5.2.11.
 * @b:         Builder, with no table open.
 * @signature: "DSDT" or "SSDT".
 * @revision:  2 for integers of 64 bits.
 * @a:         AML builder, opened by this call on the room that is left; not to be closed by the
 *             caller.
 */
VMM_API int vmm_acpi_aml_begin(struct vmm_acpi *b, const char *signature, uint8_t revision,
			       struct vmm_aml *a);

/** vmm_acpi_aml_finish() - Take over what @a built, with its error if it has one. */
VMM_API int vmm_acpi_aml_finish(struct vmm_acpi *b, struct vmm_aml *a);

/* -- FADT and FACS ------------------------------------------------------------------------------
 */

/* Preferred_PM_Profile, 5.2.9. */
#define VMM_ACPI_PM_UNSPECIFIED       0
#define VMM_ACPI_PM_DESKTOP           1
#define VMM_ACPI_PM_MOBILE            2
#define VMM_ACPI_PM_WORKSTATION       3
#define VMM_ACPI_PM_ENTERPRISE_SERVER 4
#define VMM_ACPI_PM_SOHO_SERVER       5
#define VMM_ACPI_PM_APPLIANCE         6
#define VMM_ACPI_PM_PERFORMANCE       7
#define VMM_ACPI_PM_TABLET            8

/* Fixed feature flags, 5.2.9, Table 5.10. */
#define VMM_ACPI_FADT_WBINVD          0x000001
#define VMM_ACPI_FADT_WBINVD_FLUSH    0x000002
#define VMM_ACPI_FADT_PROC_C1         0x000004
#define VMM_ACPI_FADT_P_LVL2_UP       0x000008
#define VMM_ACPI_FADT_PWR_BUTTON      0x000010 /* no fixed power button */
#define VMM_ACPI_FADT_SLP_BUTTON      0x000020 /* no fixed sleep button */
#define VMM_ACPI_FADT_FIX_RTC         0x000040
#define VMM_ACPI_FADT_RTC_S4          0x000080
#define VMM_ACPI_FADT_TMR_VAL_EXT     0x000100
#define VMM_ACPI_FADT_DCK_CAP         0x000200
#define VMM_ACPI_FADT_RESET_REG       0x000400
#define VMM_ACPI_FADT_SEALED_CASE     0x000800
#define VMM_ACPI_FADT_HEADLESS        0x001000
#define VMM_ACPI_FADT_CPU_SW_SLP      0x002000
#define VMM_ACPI_FADT_PCI_EXP_WAK     0x004000
#define VMM_ACPI_FADT_PLATFORM_CLOCK  0x008000
#define VMM_ACPI_FADT_S4_RTC_STS      0x010000
#define VMM_ACPI_FADT_REMOTE_POWER_ON 0x020000
#define VMM_ACPI_FADT_APIC_CLUSTER    0x040000
#define VMM_ACPI_FADT_APIC_PHYSICAL   0x080000
#define VMM_ACPI_FADT_HW_REDUCED      0x100000
#define VMM_ACPI_FADT_LOW_POWER_S0    0x200000

/* IA-PC boot architecture flags, 5.2.9.3. */
#define VMM_ACPI_IAPC_LEGACY_DEVICES 0x01
#define VMM_ACPI_IAPC_8042           0x02
#define VMM_ACPI_IAPC_NO_VGA         0x04
#define VMM_ACPI_IAPC_NO_MSI         0x08
#define VMM_ACPI_IAPC_NO_ASPM        0x10
#define VMM_ACPI_IAPC_NO_CMOS_RTC    0x20

/* Arm boot architecture flags, 5.2.9.4. */
#define VMM_ACPI_ARM_PSCI     0x01
#define VMM_ACPI_ARM_PSCI_HVC 0x02

/*
 * Fixed ACPI Description Table, 5.2.9, revision 6.5. The pointers to DSDT and FACS are the
 * builder's, and so are the old 32-bit blocks: those of the generic addresses in I/O space.
 */
struct vmm_acpi_fadt {
	uint32_t size;      /* of this struct */
	uint32_t flags;     /* VMM_ACPI_FADT_ bits */
	uint8_t pm_profile; /* VMM_ACPI_PM_ */
	uint8_t reset_value;
	uint16_t iapc_boot_arch;
	uint16_t arm_boot_arch;
	uint16_t reserved; /* zero */
	struct vmm_acpi_gas reset;
	struct vmm_acpi_gas sleep_control; /* hardware-reduced only, 4.8.3.7 */
	struct vmm_acpi_gas sleep_status;
	uint8_t hypervisor_id[8]; /* "Hypervisor Vendor Identity" */

	/* What follows is zero on a hardware-reduced machine, 4.1, but for pm1a_cnt and
	 * pm1_cnt_len: systems ignore them there, and boot loaders and BIOSes may switch off by
	 * them. */
	uint16_t sci_int;
	uint8_t acpi_enable;
	uint8_t acpi_disable;
	uint32_t smi_cmd;
	uint8_t s4bios_req;
	uint8_t pstate_cnt;
	uint8_t cst_cnt;
	uint8_t pm1_evt_len; /* bytes, as all lengths of blocks */
	uint8_t pm1_cnt_len;
	uint8_t pm2_cnt_len;
	uint8_t pm_tmr_len;
	uint8_t gpe0_len;
	uint8_t gpe1_len;
	uint8_t gpe1_base;
	uint16_t p_lvl2_lat; /* microseconds; more than 100: no C2 */
	uint16_t p_lvl3_lat; /* microseconds; more than 1000: no C3 */
	uint16_t flush_size;
	uint16_t flush_stride;
	uint8_t duty_offset;
	uint8_t duty_width;
	uint8_t day_alarm;
	uint8_t month_alarm;
	uint8_t century;
	uint8_t reserved2[9]; /* zero */
	struct vmm_acpi_gas pm1a_evt;
	struct vmm_acpi_gas pm1b_evt;
	struct vmm_acpi_gas pm1a_cnt;
	struct vmm_acpi_gas pm1b_cnt;
	struct vmm_acpi_gas pm2_cnt;
	struct vmm_acpi_gas pm_tmr;
	struct vmm_acpi_gas gpe0;
	struct vmm_acpi_gas gpe1;
};

/**
 * vmm_acpi_add_fadt() - The whole FADT.
 * @b:    Builder, with no table open.
 * @fadt: What it says.
 *
 * Return: as all; -VMM_EINVAL also for fixed hardware together with VMM_ACPI_FADT_HW_REDUCED, a
 * reset register without VMM_ACPI_FADT_RESET_REG, or the reverse.
 */
VMM_API int vmm_acpi_add_fadt(struct vmm_acpi *b, const struct vmm_acpi_fadt *fadt);

/** vmm_acpi_add_facs() - Firmware ACPI Control Structure, 5.2.10, with @hardware_signature. */
VMM_API int vmm_acpi_add_facs(struct vmm_acpi *b, uint32_t hardware_signature);

/* -- MADT ---------------------------------------------------------------------------------------
 */

#define VMM_ACPI_MADT_PCAT_COMPAT 0x01 /* of the table: there are 8259s too, 5.2.12 */

/* Of a local APIC, local x2APIC, 5.2.12.2: */
#define VMM_ACPI_MADT_ENABLED        0x01
#define VMM_ACPI_MADT_ONLINE_CAPABLE 0x02 /* not yet enabled, can be hot-plugged */

/* MPS INTI flags, 5.2.12.5; 0 is what the bus does by itself. */
#define VMM_ACPI_MADT_ACTIVE_HIGH 0x01
#define VMM_ACPI_MADT_ACTIVE_LOW  0x03
#define VMM_ACPI_MADT_EDGE        0x04
#define VMM_ACPI_MADT_LEVEL       0x0c

#define VMM_ACPI_MADT_ALL_CPUS 0xffffffff

/** vmm_acpi_madt_begin() - Multiple APIC Description Table; entries follow. 5.2.12. */
VMM_API int vmm_acpi_madt_begin(struct vmm_acpi *b, uint32_t lapic_address, uint32_t flags);

/** vmm_acpi_madt_lapic() - A processor whose APIC identifier is below 255. 5.2.12.2. */
VMM_API int vmm_acpi_madt_lapic(struct vmm_acpi *b, uint32_t uid, uint32_t apic_id, uint32_t flags);

/** vmm_acpi_madt_x2apic() - A processor by its x2APIC identifier. 5.2.12.12. */
VMM_API int vmm_acpi_madt_x2apic(struct vmm_acpi *b, uint32_t uid, uint32_t apic_id,
				 uint32_t flags);

/** vmm_acpi_madt_ioapic() - An I/O APIC whose first input is @gsi. 5.2.12.3. */
VMM_API int vmm_acpi_madt_ioapic(struct vmm_acpi *b, uint8_t id, uint32_t address, uint32_t gsi);

/** vmm_acpi_madt_override() - ISA interrupt @irq arrives as @gsi; @flags are MPS INTI. 5.2.12.5. */
VMM_API int vmm_acpi_madt_override(struct vmm_acpi *b, uint8_t irq, uint32_t gsi, uint16_t flags);

/** vmm_acpi_madt_nmi_source() - An I/O APIC input that is an NMI. 5.2.12.6. */
VMM_API int vmm_acpi_madt_nmi_source(struct vmm_acpi *b, uint32_t gsi, uint16_t flags);

/** vmm_acpi_madt_lapic_nmi() - NMI on local input @lint of @uid or
 * VMM_ACPI_MADT_ALL_CPUS. 5.2.12.7. */
VMM_API int vmm_acpi_madt_lapic_nmi(struct vmm_acpi *b, uint32_t uid, uint16_t flags, uint8_t lint);

/** vmm_acpi_madt_x2apic_nmi() - The same for identifiers that a byte does not hold. 5.2.12.13. */
VMM_API int vmm_acpi_madt_x2apic_nmi(struct vmm_acpi *b, uint32_t uid, uint16_t flags,
				     uint8_t lint);

/** vmm_acpi_madt_lapic_address() - 64-bit address of the local APICs. 5.2.12.8. */
VMM_API int vmm_acpi_madt_lapic_address(struct vmm_acpi *b, uint64_t address);

/* Of a GIC CPU interface, 5.2.12.14. */
#define VMM_ACPI_GICC_ENABLED        0x01
#define VMM_ACPI_GICC_PERF_EDGE      0x02
#define VMM_ACPI_GICC_VGIC_EDGE      0x04
#define VMM_ACPI_GICC_ONLINE_CAPABLE 0x08

/* GIC CPU interface, 5.2.12.14. */
struct vmm_acpi_gicc {
	uint32_t size;      /* of this struct */
	uint32_t interface; /* CPU interface number */
	uint32_t uid;
	uint32_t flags; /* VMM_ACPI_GICC_ bits */
	uint32_t parking_version;
	uint32_t perf_gsi;
	uint64_t parked_address;
	uint64_t base;
	uint64_t gicv;
	uint64_t gich;
	uint64_t gicr;
	uint64_t mpidr; /* affinity fields only */
	uint32_t vgic_gsi;
	uint16_t spe_gsi;
	uint16_t trbe_gsi;
	uint8_t efficiency_class;
	uint8_t reserved[7]; /* zero */
};

/** vmm_acpi_madt_gicc() - A processor's GIC CPU interface. 5.2.12.14. */
VMM_API int vmm_acpi_madt_gicc(struct vmm_acpi *b, const struct vmm_acpi_gicc *gicc);

/** vmm_acpi_madt_gicd() - The GIC distributor; @version 1 to 4. 5.2.12.15. */
VMM_API int vmm_acpi_madt_gicd(struct vmm_acpi *b, uint32_t id, uint64_t base, uint8_t version);

/** vmm_acpi_madt_gic_msi() - A GICv2m frame; SPIs from its own register if @spi_count is
 * 0. 5.2.12.16. */
VMM_API int vmm_acpi_madt_gic_msi(struct vmm_acpi *b, uint32_t id, uint64_t base, uint16_t spi_base,
				  uint16_t spi_count);

/** vmm_acpi_madt_gicr() - A region of GIC redistributors. 5.2.12.17. */
VMM_API int vmm_acpi_madt_gicr(struct vmm_acpi *b, uint64_t base, uint32_t len);

/** vmm_acpi_madt_its() - A GIC Interrupt Translation Service. 5.2.12.18. */
VMM_API int vmm_acpi_madt_its(struct vmm_acpi *b, uint32_t id, uint64_t base);

/* -- MCFG ---------------------------------------------------------------------------------------
 */

/** vmm_acpi_mcfg_begin() - PCI memory-mapped configuration; entries follow. PCI
 * Firmware 3.3, 4.1.2. */
VMM_API int vmm_acpi_mcfg_begin(struct vmm_acpi *b);

/**
 * vmm_acpi_mcfg_entry() - The configuration space of one range of buses. PCI Firmware 3.3, 4.1.2.
 * @base: Where bus 0 of the segment is or would be, a multiple of 1 MiB.
 */
VMM_API int vmm_acpi_mcfg_entry(struct vmm_acpi *b, uint64_t base, uint16_t segment,
				uint8_t first_bus, uint8_t last_bus);

/* -- SRAT, SLIT, HMAT: memory nodes --------------------------------------------------------------
 */

#define VMM_ACPI_SRAT_ENABLED      0x01
#define VMM_ACPI_SRAT_HOT_PLUG     0x02 /* memory only */
#define VMM_ACPI_SRAT_NON_VOLATILE 0x04 /* memory only */

/** vmm_acpi_srat_begin() - System Resource Affinity Table; entries follow. 5.2.16. */
VMM_API int vmm_acpi_srat_begin(struct vmm_acpi *b);

/** vmm_acpi_srat_lapic() - A processor by its APIC identifier, below 255. 5.2.16.1. */
VMM_API int vmm_acpi_srat_lapic(struct vmm_acpi *b, uint32_t domain, uint32_t apic_id,
				uint32_t flags);

/** vmm_acpi_srat_memory() - A range of memory. 5.2.16.2. */
VMM_API int vmm_acpi_srat_memory(struct vmm_acpi *b, uint32_t domain, uint64_t base, uint64_t len,
				 uint32_t flags);

/** vmm_acpi_srat_x2apic() - A processor by its x2APIC identifier. 5.2.16.3. */
VMM_API int vmm_acpi_srat_x2apic(struct vmm_acpi *b, uint32_t domain, uint32_t apic_id,
				 uint32_t flags);

/** vmm_acpi_srat_gicc() - An Arm processor by its ACPI identifier. 5.2.16.4. */
VMM_API int vmm_acpi_srat_gicc(struct vmm_acpi *b, uint32_t domain, uint32_t uid, uint32_t flags);

/** vmm_acpi_srat_its() - A GIC interrupt translation service. 5.2.16.5. */
VMM_API int vmm_acpi_srat_its(struct vmm_acpi *b, uint32_t domain, uint32_t its_id);

/** vmm_acpi_srat_pci_initiator() - A PCI function as a generic initiator. 5.2.16.6. */
VMM_API int vmm_acpi_srat_pci_initiator(struct vmm_acpi *b, uint32_t domain, uint16_t segment,
					uint16_t bdf, uint32_t flags);

/**
 * vmm_acpi_add_slit() - System Locality Information Table, 5.2.17.
 * @nodes:     Number of nodes, 1 to 256.
 * @distances: @nodes rows of @nodes bytes: 10 on the diagonal, more than 10 elsewhere, 255 for
 *             what cannot be reached.
 */
VMM_API int vmm_acpi_add_slit(struct vmm_acpi *b, uint32_t nodes, const uint8_t *distances);

/** vmm_acpi_hmat_begin() - Heterogeneous Memory Attribute Table; structures follow. 5.2.28. */
VMM_API int vmm_acpi_hmat_begin(struct vmm_acpi *b);

/**
 * vmm_acpi_hmat_proximity() - Memory node @memory, and the node it hangs on. 5.2.28.3.
 * @initiator_valid: 0 if @initiator is not known.
 */
VMM_API int vmm_acpi_hmat_proximity(struct vmm_acpi *b, uint32_t initiator_valid,
				    uint32_t initiator, uint32_t memory);

/* Data types of latency and bandwidth, 5.2.28.4. */
#define VMM_ACPI_HMAT_ACCESS_LATENCY   0
#define VMM_ACPI_HMAT_READ_LATENCY     1
#define VMM_ACPI_HMAT_WRITE_LATENCY    2
#define VMM_ACPI_HMAT_ACCESS_BANDWIDTH 3
#define VMM_ACPI_HMAT_READ_BANDWIDTH   4
#define VMM_ACPI_HMAT_WRITE_BANDWIDTH  5

/* System locality latency and bandwidth, 5.2.28.4. */
struct vmm_acpi_hmat_locality {
	uint32_t size;        /* of this struct */
	uint8_t flags;        /* memory hierarchy: 0 memory, 1 to 3 its side caches */
	uint8_t data_type;    /* VMM_ACPI_HMAT_ */
	uint8_t min_transfer; /* bytes, as a power of two; 0 for no minimum */
	uint8_t reserved;     /* zero */
	uint32_t initiators;  /* number of each */
	uint32_t targets;
	const uint32_t *initiator; /* their nodes */
	const uint32_t *target;
	uint64_t unit;         /* of an entry: picoseconds, or MB/s */
	const uint16_t *entry; /* a row for each initiator; 0xffff: cannot be reached */
};

/** vmm_acpi_hmat_add_locality() - Latency or bandwidth between nodes. 5.2.28.4. */
VMM_API int vmm_acpi_hmat_add_locality(struct vmm_acpi *b, const struct vmm_acpi_hmat_locality *l);

/** vmm_acpi_hmat_cache() - The cache beside memory node @memory; @attributes as in the
 * table. 5.2.28.5. */
VMM_API int vmm_acpi_hmat_cache(struct vmm_acpi *b, uint32_t memory, uint64_t len,
				uint32_t attributes);

/* -- PPTT: processors and caches -----------------------------------------------------------------
 */

#define VMM_ACPI_PPTT_PACKAGE   0x01 /* a physical package */
#define VMM_ACPI_PPTT_UID_VALID 0x02
#define VMM_ACPI_PPTT_THREAD    0x04
#define VMM_ACPI_PPTT_LEAF      0x08
#define VMM_ACPI_PPTT_IDENTICAL 0x10 /* all children of this node are alike */

/** vmm_acpi_pptt_begin() - Processor Properties Topology Table; nodes follow. 5.2.30. */
VMM_API int vmm_acpi_pptt_begin(struct vmm_acpi *b);

/**
 * vmm_acpi_pptt_processor() - A processor, or a group of them. 5.2.30.1.
 * @parent:  Its parent, as received by @ref; 0 for none.
 * @flags:   VMM_ACPI_PPTT_ bits.
 * @uid:     ACPI identifier.
 * @caches:  @count caches private to it, as received by their @ref.
 * @count:   0 to 58.
 * @ref:     Receives what others point at it with. May be NULL.
 */
VMM_API int vmm_acpi_pptt_processor(struct vmm_acpi *b, uint32_t parent, uint32_t flags,
				    uint32_t uid, const uint32_t *caches, uint32_t count,
				    uint32_t *ref);

/* Attributes of a cache, 5.2.30.2. */
#define VMM_ACPI_CACHE_READ_ALLOCATE       0x00
#define VMM_ACPI_CACHE_WRITE_ALLOCATE      0x01
#define VMM_ACPI_CACHE_READ_WRITE_ALLOCATE 0x02
#define VMM_ACPI_CACHE_DATA                0x00
#define VMM_ACPI_CACHE_INSTRUCTION         0x04
#define VMM_ACPI_CACHE_UNIFIED             0x08
#define VMM_ACPI_CACHE_WRITE_BACK          0x00
#define VMM_ACPI_CACHE_WRITE_THROUGH       0x10

/* A cache, 5.2.30.2; every field is told to be valid. */
struct vmm_acpi_cache {
	uint32_t size; /* of this struct */
	uint32_t bytes;
	uint32_t sets;
	uint32_t id;   /* unique in the table */
	uint16_t line; /* bytes */
	uint8_t ways;
	uint8_t attributes; /* VMM_ACPI_CACHE_ */
	uint32_t next;      /* the next level's @ref, 0 for none */
};

/** vmm_acpi_pptt_cache() - A cache; @ref as for a processor. 5.2.30.2. */
VMM_API int vmm_acpi_pptt_cache(struct vmm_acpi *b, const struct vmm_acpi_cache *cache,
				uint32_t *ref);

/* -- Arm: GTDT, IORT -----------------------------------------------------------------------------
 */

#define VMM_ACPI_TIMER_EDGE      0x01
#define VMM_ACPI_TIMER_LOW       0x02
#define VMM_ACPI_TIMER_ALWAYS_ON 0x04

/* Generic Timer Description Table, 5.2.25: interrupts of the timers and their VMM_ACPI_TIMER_ bits.
 */
struct vmm_acpi_gtdt {
	uint32_t size; /* of this struct */
	uint32_t secure_el1_gsi;
	uint32_t secure_el1_flags;
	uint32_t el1_gsi;
	uint32_t el1_flags;
	uint32_t virtual_gsi;
	uint32_t virtual_flags;
	uint32_t el2_gsi;
	uint32_t el2_flags;
	uint32_t virtual_el2_gsi; /* 0 for none */
	uint32_t virtual_el2_flags;
	uint32_t reserved;     /* zero */
	uint64_t control_base; /* CNTControlBase; all ones for none */
	uint64_t read_base;    /* CNTReadBase; all ones for none */
};

/** vmm_acpi_gtdt_begin() - GTDT; platform timers may follow. 5.2.25. */
VMM_API int vmm_acpi_gtdt_begin(struct vmm_acpi *b, const struct vmm_acpi_gtdt *gtdt);

/** vmm_acpi_gtdt_watchdog() - An SBSA generic watchdog. 5.2.25.2. */
VMM_API int vmm_acpi_gtdt_watchdog(struct vmm_acpi *b, uint64_t refresh_base, uint64_t control_base,
				   uint32_t gsi, uint32_t flags);

/* A mapping of stream or device identifiers; Arm DEN 0049E.e, 3.1. */
struct vmm_acpi_iort_map {
	uint32_t input;
	uint32_t count; /* identifiers, at least 1; ignored for a single mapping */
	uint32_t output;
	uint32_t ref;   /* the node that takes them */
	uint32_t flags; /* VMM_ACPI_IORT_ */
};

#define VMM_ACPI_IORT_SINGLE 0x01

/** vmm_acpi_iort_begin() - I/O Remapping Table; nodes follow. DEN 0049E.e, 3. */
VMM_API int vmm_acpi_iort_begin(struct vmm_acpi *b);

/** vmm_acpi_iort_its() - A group of @count interrupt translation services. DEN 0049E.e, 3.1.1. */
VMM_API int vmm_acpi_iort_its(struct vmm_acpi *b, const uint32_t *its_id, uint32_t count,
			      uint32_t *ref);

/**
 * vmm_acpi_iort_root_complex() - A PCI root complex. DEN 0049E.e, 3.1.1.5.
 * @attributes: Memory access: bits 0 to 31 cache coherency (1: fully coherent), then as the table
 *              has them. Coherent with CPM and DACS: 0x03000000_00000001.
 * @ats:        ATS attribute.
 * @limit:      Bits of address that devices can make, up to 64.
 */
VMM_API int vmm_acpi_iort_root_complex(struct vmm_acpi *b, uint32_t segment, uint64_t attributes,
				       uint32_t ats, uint8_t limit,
				       const struct vmm_acpi_iort_map *map, uint32_t maps,
				       uint32_t *ref);

/* SMMUv3, DEN 0049E.e, 3.1.1.2. */
struct vmm_acpi_smmu3 {
	uint32_t size;  /* of this struct */
	uint32_t flags; /* 1: COHACC override; 8: proximity domain valid */
	uint64_t base;
	uint64_t vatos;     /* 0 for none */
	uint32_t model;     /* 0: generic */
	uint32_t event_gsi; /* 0 for none, as the three after */
	uint32_t pri_gsi;
	uint32_t gerror_gsi;
	uint32_t sync_gsi;
	uint32_t domain;
	uint32_t msi_map;  /* index of the mapping for its own MSIs */
	uint32_t reserved; /* zero */
};

/** vmm_acpi_iort_smmu3() - An SMMUv3. DEN 0049E.e, 3.1.1.2. */
VMM_API int vmm_acpi_iort_smmu3(struct vmm_acpi *b, const struct vmm_acpi_smmu3 *smmu,
				const struct vmm_acpi_iort_map *map, uint32_t maps, uint32_t *ref);

/* -- IOMMUs of x86, and paravirtual ones ----------------------------------------------------------
 */

/* The path to a device from @bus on: device and function of each bridge, and of itself. */
struct vmm_acpi_scope {
	uint8_t type; /* 1 endpoint, 2 sub-hierarchy, 3 IOAPIC, 4 HPET, 5 namespace device */
	uint8_t id;   /* enumeration: of the IOAPIC, HPET or namespace device */
	uint8_t bus;
	uint8_t hops;     /* 1 to 8 */
	uint8_t path[16]; /* device, function, device, function ... */
};

#define VMM_ACPI_DMAR_INTR_REMAP     0x01
#define VMM_ACPI_DMAR_X2APIC_OPT_OUT 0x02
#define VMM_ACPI_DMAR_DMA_OPT_IN     0x04

/** vmm_acpi_dmar_begin() - DMA Remapping Table; @address_bits of the host. VT-d 4.1, 8.1. */
VMM_API int vmm_acpi_dmar_begin(struct vmm_acpi *b, uint8_t address_bits, uint8_t flags);

/** vmm_acpi_dmar_drhd() - A remapping unit; @flags 1: all that no other unit names. VT-d 4.1, 8.3.
 */
VMM_API int vmm_acpi_dmar_drhd(struct vmm_acpi *b, uint8_t flags, uint16_t segment, uint64_t base,
			       const struct vmm_acpi_scope *scope, uint32_t scopes);

/** vmm_acpi_dmar_rmrr() - Memory that devices use without remapping; @last inclusive.
 * VT-d 4.1, 8.4. */
VMM_API int vmm_acpi_dmar_rmrr(struct vmm_acpi *b, uint16_t segment, uint64_t base, uint64_t last,
			       const struct vmm_acpi_scope *scope, uint32_t scopes);

/** vmm_acpi_dmar_atsr() - Root ports with ATS; @flags 1: all of the segment. VT-d 4.1, 8.5. */
VMM_API int vmm_acpi_dmar_atsr(struct vmm_acpi *b, uint8_t flags, uint16_t segment,
			       const struct vmm_acpi_scope *scope, uint32_t scopes);

/** vmm_acpi_dmar_rhsa() - The memory node of a remapping unit. VT-d 4.1, 8.6. */
VMM_API int vmm_acpi_dmar_rhsa(struct vmm_acpi *b, uint64_t base, uint32_t domain);

/** vmm_acpi_ivrs_begin() - I/O Virtualization Reporting; @ivinfo as in the table. AMD
 * IOMMU 3.08, 5.2.1. */
VMM_API int vmm_acpi_ivrs_begin(struct vmm_acpi *b, uint32_t ivinfo);

/* What an IOMMU serves; AMD IOMMU 3.08, 5.2.2.1 to 5.2.2.3. */
#define VMM_ACPI_IVHD_ALL         0x01
#define VMM_ACPI_IVHD_SELECT      0x02
#define VMM_ACPI_IVHD_RANGE_START 0x03
#define VMM_ACPI_IVHD_RANGE_END   0x04
#define VMM_ACPI_IVHD_ALIAS       0x42
#define VMM_ACPI_IVHD_ALIAS_START 0x43
#define VMM_ACPI_IVHD_SPECIAL     0x48

#define VMM_ACPI_IVHD_IOAPIC 1 /* varieties of a special device */
#define VMM_ACPI_IVHD_HPET   2

struct vmm_acpi_ivhd_entry {
	uint8_t type;    /* VMM_ACPI_IVHD_ */
	uint8_t data;    /* DTE setting */
	uint16_t device; /* requester identifier; 0 for ALL and SPECIAL */
	uint16_t source; /* whose identifier it uses: ALIAS and SPECIAL */
	uint8_t handle;  /* SPECIAL: the IOAPIC's or HPET's identifier */
	uint8_t variety; /* SPECIAL */
};

/* I/O Virtualization Hardware Definition, types 10h, 11h and 40h; AMD IOMMU 3.08, 5.2.2. */
struct vmm_acpi_ivhd {
	uint32_t size; /* of this struct */
	uint8_t type;  /* 0x10, 0x11 or 0x40 */
	uint8_t flags;
	uint16_t device; /* the IOMMU's own requester identifier */
	uint16_t cap;    /* offset of its capability */
	uint16_t segment;
	uint16_t info;
	uint16_t reserved; /* zero */
	uint32_t features; /* type 10h: feature reporting; others: attributes */
	uint32_t entries;  /* number of entries */
	uint64_t base;
	uint64_t efr; /* not in type 10h, as the next */
	uint64_t efr2;
	const struct vmm_acpi_ivhd_entry *entry;
};

/** vmm_acpi_ivrs_ivhd() - An IOMMU and what it serves. AMD IOMMU 3.08, 5.2.2. */
VMM_API int vmm_acpi_ivrs_ivhd(struct vmm_acpi *b, const struct vmm_acpi_ivhd *ivhd);

/**
 * vmm_acpi_ivrs_ivmd() - Memory that devices use in a given way. AMD IOMMU 3.08, 5.2.3.
 * @type:  0x20 all devices, 0x21 @first, 0x22 @first to @last.
 * @flags: Bit 0 unity, 1 read, 2 write, 3 exclusion.
 */
VMM_API int vmm_acpi_ivrs_ivmd(struct vmm_acpi *b, uint8_t type, uint8_t flags, uint16_t first,
			       uint16_t last, uint64_t base, uint64_t len);

/** vmm_acpi_viot_begin() - Virtual I/O Translation Table; nodes follow. 5.2, VIOT. */
VMM_API int vmm_acpi_viot_begin(struct vmm_acpi *b);

/** vmm_acpi_viot_pci_iommu() - A virtio-iommu on PCI; @ref receives what endpoints name. 5.2, VIOT.
 */
VMM_API int vmm_acpi_viot_pci_iommu(struct vmm_acpi *b, uint16_t segment, uint16_t bdf,
				    uint32_t *ref);

/** vmm_acpi_viot_mmio_iommu() - A virtio-iommu on MMIO. 5.2, VIOT. */
VMM_API int vmm_acpi_viot_mmio_iommu(struct vmm_acpi *b, uint64_t base, uint32_t *ref);

/** vmm_acpi_viot_pci_range() - PCI functions behind @iommu, the first with identifier
 * @endpoint. 5.2, VIOT. */
VMM_API int vmm_acpi_viot_pci_range(struct vmm_acpi *b, uint32_t endpoint, uint16_t segment,
				    uint16_t first_bdf, uint16_t last_bdf, uint32_t iommu);

/** vmm_acpi_viot_mmio() - A device on MMIO behind @iommu. 5.2, VIOT. */
VMM_API int vmm_acpi_viot_mmio(struct vmm_acpi *b, uint32_t endpoint, uint64_t base,
			       uint32_t iommu);

/* -- Consoles: SPCR, DBG2 ------------------------------------------------------------------------
 */

/* Subtypes of a serial port; Microsoft, Debug Port Table 2, Table 3. */
#define VMM_ACPI_SERIAL_16550     0x0000
#define VMM_ACPI_SERIAL_PL011     0x0003
#define VMM_ACPI_SERIAL_SBSA      0x000e
#define VMM_ACPI_SERIAL_16550_GAS 0x0012 /* with the parameters of the address structure */

/* Serial Port Console Redirection, revision 4; Microsoft, SPCR. */
struct vmm_acpi_spcr {
	uint32_t size;           /* of this struct */
	uint8_t type;            /* VMM_ACPI_SERIAL_ */
	uint8_t interrupt_types; /* bit 0: 8259, 1: IOAPIC, 3: GIC */
	uint8_t irq;             /* of the 8259 */
	uint8_t baud;            /* 0 as it is, 3: 9600, 4: 19200, 6: 57600, 7: 115200 */
	uint32_t gsi;
	uint8_t parity; /* 0: none */
	uint8_t stop_bits;
	uint8_t flow;        /* bit 0 DCD, 1 RTS/CTS, 2 XON/XOFF */
	uint8_t terminal;    /* 0 VT100, 1 VT100+, 2 VT-UTF8, 3 ANSI */
	uint16_t pci_device; /* all ones if it is not on PCI, as the next */
	uint16_t pci_vendor;
	uint8_t pci_bus;
	uint8_t pci_slot;
	uint8_t pci_function;
	uint8_t pci_segment;
	struct vmm_acpi_gas base;
	uint32_t clock;        /* of the UART in Hz, 0 if not known */
	uint32_t precise_baud; /* 0: what @baud says */
	const char *path;      /* of its object in the namespace; NULL for none */
};

/** vmm_acpi_add_spcr() - The console. Microsoft, SPCR, revision 4. */
VMM_API int vmm_acpi_add_spcr(struct vmm_acpi *b, const struct vmm_acpi_spcr *spcr);

/** vmm_acpi_dbg2_begin() - Debug Port Table 2; devices follow. Microsoft, DBG2. */
VMM_API int vmm_acpi_dbg2_begin(struct vmm_acpi *b);

/** vmm_acpi_dbg2_serial() - A serial port, and @path of its object in the namespace. Microsoft,
 * DBG2. */
VMM_API int vmm_acpi_dbg2_serial(struct vmm_acpi *b, uint16_t subtype,
				 const struct vmm_acpi_gas *base, uint32_t len, const char *path);

/* -- Small ones ----------------------------------------------------------------------------------
 */

/** vmm_acpi_add_hpet() - Event timer block @id at @base. IA-PC HPET 1.0a, 3.2.4. */
VMM_API int vmm_acpi_add_hpet(struct vmm_acpi *b, uint32_t id, uint64_t base, uint8_t number,
			      uint16_t min_tick, uint8_t protection);

#define VMM_ACPI_WAET_RTC_GOOD      0x01
#define VMM_ACPI_WAET_PM_TIMER_GOOD 0x02 /* one read is enough */

/** vmm_acpi_add_waet() - Windows emulated devices; VMM_ACPI_WAET_ bits. Microsoft, WAET 1.0. */
VMM_API int vmm_acpi_add_waet(struct vmm_acpi *b, uint32_t flags);

/** vmm_acpi_add_bgrt() - A boot picture: BMP @image on the screen at (@x, @y). 5.2.23. */
VMM_API int vmm_acpi_add_bgrt(struct vmm_acpi *b, uint8_t status, uint64_t image, uint32_t x,
			      uint32_t y);

#define VMM_ACPI_TPM2_TIS 6 /* memory mapped, TIS 1.3 */
#define VMM_ACPI_TPM2_CRB 7

/**
 * vmm_acpi_add_tpm2() - A TPM 2.0; TCG ACPI 1.4, 8.
 * @platform_class: 0 client, 1 server.
 * @control_area:   Its address, 0 for TIS.
 * @method:         VMM_ACPI_TPM2_.
 * @log_len:        Bytes of the event log's area at @log, 0 for none.
 */
VMM_API int vmm_acpi_add_tpm2(struct vmm_acpi *b, uint16_t platform_class, uint64_t control_area,
			      uint32_t method, uint32_t log_len, uint64_t log);

/* -- RAS: HEST, BERT, EINJ, ERST ------------------------------------------------------------------
 */

/** vmm_acpi_hest_begin() - Hardware Error Source Table; sources follow. 18.3.2. */
VMM_API int vmm_acpi_hest_begin(struct vmm_acpi *b);

/* How a source tells of an error; types of 18.3.2.9. */
#define VMM_ACPI_NOTIFY_POLLED   0
#define VMM_ACPI_NOTIFY_EXTERNAL 1
#define VMM_ACPI_NOTIFY_SCI      3
#define VMM_ACPI_NOTIFY_NMI      4
#define VMM_ACPI_NOTIFY_GPIO     7
#define VMM_ACPI_NOTIFY_SEA      8
#define VMM_ACPI_NOTIFY_SEI      9
#define VMM_ACPI_NOTIFY_GSIV     10

/* Generic hardware error source, version 2; 18.3.2.7, 18.3.2.8. */
struct vmm_acpi_ghes {
	uint32_t size; /* of this struct */
	uint16_t id;
	uint16_t related;  /* another source's @id; 0xffff for none */
	uint32_t records;  /* to allocate before */
	uint32_t sections; /* in a record, at most */
	uint32_t raw_len;
	uint32_t status_len;        /* bytes of the error status block */
	uint32_t poll;              /* milliseconds between polls */
	uint32_t vector;            /* GSI, or what the notification needs */
	uint8_t notify;             /* VMM_ACPI_NOTIFY_ */
	uint8_t reserved[7];        /* zero */
	struct vmm_acpi_gas status; /* where the address of the status block is found */
	struct vmm_acpi_gas ack;
	uint64_t ack_preserve;
	uint64_t ack_write;
};

/** vmm_acpi_hest_ghes() - A GHESv2. 18.3.2.8. */
VMM_API int vmm_acpi_hest_ghes(struct vmm_acpi *b, const struct vmm_acpi_ghes *ghes);

/** vmm_acpi_add_bert() - Boot errors: a status block of @len bytes at @region. 18.3.1. */
VMM_API int vmm_acpi_add_bert(struct vmm_acpi *b, uint32_t len, uint64_t region);

/* An instruction of EINJ or ERST; 18.6.2, 18.5.1.2. */
struct vmm_acpi_ras_entry {
	uint32_t size; /* of this struct */
	uint8_t action;
	uint8_t instruction; /* 0 read, 1 read and compare, 2 write, 3 write @value, 4 no-op ... */
	uint8_t flags;       /* 1: preserve what is outside of @mask */
	uint8_t reserved;    /* zero */
	struct vmm_acpi_gas reg;
	uint64_t value;
	uint64_t mask;
};

/** vmm_acpi_einj_begin() - Error injection; instructions follow. 18.6.1. */
VMM_API int vmm_acpi_einj_begin(struct vmm_acpi *b);
/** vmm_acpi_einj_entry() - An instruction of EINJ. 18.6.2. */
VMM_API int vmm_acpi_einj_entry(struct vmm_acpi *b, const struct vmm_acpi_ras_entry *entry);
/** vmm_acpi_erst_begin() - Error record serialization; instructions follow. 18.5.1. */
VMM_API int vmm_acpi_erst_begin(struct vmm_acpi *b);
/** vmm_acpi_erst_entry() - An instruction of ERST. 18.5.1.2. */
VMM_API int vmm_acpi_erst_entry(struct vmm_acpi *b, const struct vmm_acpi_ras_entry *entry);

/* -- NFIT: non-volatile memory --------------------------------------------------------------------
 */

/** vmm_acpi_nfit_begin() - NVDIMM Firmware Interface Table; structures follow. 5.2.26. */
VMM_API int vmm_acpi_nfit_begin(struct vmm_acpi *b);

/* A range of persistent memory, 5.2.26.2. */
struct vmm_acpi_nfit_range {
	uint32_t size;  /* of this struct */
	uint16_t index; /* from 1 */
	uint16_t flags; /* 1: only for hot add; 2: domain is valid */
	uint32_t domain;
	uint32_t reserved; /* zero */
	uint64_t base;
	uint64_t len;
	uint64_t attributes; /* EFI memory attributes */
	uint8_t type[16]; /* UUID as it is stored: of persistent memory, of a volatile disk ... */
};

/** vmm_acpi_nfit_add_range() - A range of system addresses. 5.2.26.2. */
VMM_API int vmm_acpi_nfit_add_range(struct vmm_acpi *b, const struct vmm_acpi_nfit_range *range);

/* Where a DIMM lies in a range, 5.2.26.3; not interleaved. */
struct vmm_acpi_nfit_map {
	uint32_t size;   /* of this struct */
	uint32_t handle; /* of the DIMM's object in the namespace, _ADR */
	uint16_t smbios; /* handle of its type 17 */
	uint16_t region;
	uint16_t range;   /* index of the range, 0 for none */
	uint16_t control; /* index of the control region */
	uint64_t len;
	uint64_t range_offset;
	uint64_t dimm_base;
	uint16_t flags;
	uint16_t reserved[3]; /* zero */
};

/** vmm_acpi_nfit_add_map() - A DIMM's part of a range. 5.2.26.3. */
VMM_API int vmm_acpi_nfit_add_map(struct vmm_acpi *b, const struct vmm_acpi_nfit_map *map);

/* A DIMM that has no block windows, 5.2.26.6. */
struct vmm_acpi_nfit_control {
	uint32_t size;  /* of this struct */
	uint16_t index; /* from 1 */
	uint16_t vendor;
	uint16_t device;
	uint16_t revision;
	uint16_t subsystem_vendor;
	uint16_t subsystem_device;
	uint16_t subsystem_revision;
	uint16_t format; /* region format interface code: 0x301 byte addressable, no label area */
	uint32_t serial;
};

/** vmm_acpi_nfit_add_control() - A control region. 5.2.26.6. */
VMM_API int vmm_acpi_nfit_add_control(struct vmm_acpi *b,
				      const struct vmm_acpi_nfit_control *control);

VMM_END_DECLS

#endif

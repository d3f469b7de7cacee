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
	uint32_t reserved;
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
 * vmm_acpi_close() - Write XSDT and RSDP, and finish the set.
 * @b:   Builder; must be opened again before further use.
 * @len: Receives the bytes of the blob, also with -VMM_ESIZE; untouched by other errors. May be
 * NULL.
 *
 * Return: 0, -VMM_ESIZE (the buffer was too small; its contents are undefined), -VMM_ESTATE (not
 * open, or a table is), -VMM_ENOENT (a FADT without a DSDT), -VMM_ERANGE (the blob passes the end
 * of the address space, or 4 GiB with a FACS, whose address has 32 bits), or the first error.
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
 * Its body follows, by the functions of its kind below or by the plain ones.
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

	/* What follows is zero on a hardware-reduced machine, 4.1. */
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

VMM_END_DECLS

#endif

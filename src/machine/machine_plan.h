/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Where everything is in a machine, and the plan that a profile leads to. */
#ifndef VMM_MACHINE_PLAN_H
#define VMM_MACHINE_PLAN_H

#include <stdbool.h>

#include "libvmm/machine.h"
#include "libvmm/x86.h"
#include "profile_keys.h"

/*
 * Guest-physical space of the x86 machine. RAM up to LOW_RAM_END, the rest from 4 GiB on; between
 * them what has to be in reach of 32 bits. The tables stand where BIOSes kept theirs, so that a
 * kernel which is not told finds the root pointers: ACPI's on 16 bytes from 0xe0000 to 0xfffff
 * (ACPI 6.5, 5.2.5.1), SMBIOS's from 0xf0000 to 0xfffff (DSP0134, 5.2.2). Where there are too many
 * CPUs for that, the root pointers alone stand there and the tables at the end of low RAM.
 */
#define MAP_CONVENTIONAL_END UINT64_C(0xa0000)
#define MAP_TABLES           UINT64_C(0xe0000)
#define MAP_TABLES_LEN       UINT64_C(0x20000)
#define MAP_SMBIOS           UINT64_C(0xf0000)
#define MAP_RESTART          UINT64_C(0xffff0) /* the last 16 bytes of that */
#define MAP_EXTENDED         UINT64_C(0x100000)
#define MAP_UEFI_LEN         UINT64_C(0x40000) /* vUEFI, at the end of low RAM */
#define MAP_UEFI_SMBIOS      UINT64_C(0x21000) /* in it, behind its tables: SMBIOS's */
#define MAP_LOW_RAM_END      UINT64_C(0xc0000000)
#define MAP_PCI_WINDOW       UINT64_C(0xc0000000)
#define MAP_PCI_WINDOW_LEN   UINT64_C(0x20000000)
#define MAP_ECAM             UINT64_C(0xe0000000)
#define MAP_IOAPIC           UINT64_C(0xfec00000)
#define MAP_IOAPIC_LEN       UINT64_C(0x1000)
#define MAP_TPM              UINT64_C(0xfed40000) /* TCG PC Client PTP 1.05, 6.5.2 */
#define MAP_TPM_LEN          UINT64_C(0x5000)
#define MAP_LAPIC            UINT64_C(0xfee00000)
#define MAP_LAPIC_LEN        UINT64_C(0x100000) /* messages are written anywhere in it */
#define MAP_BIOS_MAX         UINT64_C(0x100000) /* the end of the first 4 GiB, for a BIOS */
#define MAP_HIGH_RAM         UINT64_C(0x100000000)

/* Ports. Registers that the tables tell of: from PORT_REGISTERS on, REG_LEN in all. */
#define PORT_PIC           0x20
#define PORT_PIT           0x40
#define PORT_I8042_DATA    0x60
#define PORT_B             0x61
#define PORT_I8042_COMMAND 0x64
#define PORT_RTC           0x70
#define PORT_A             0x92
#define PORT_PIC_SECOND    0xa0
#define PORT_ELCR          0x4d0
#define PORT_FW_CFG        0x510
#define PORT_REGISTERS     0x600
#define PORT_BIOS_POWER    0x620
#define PORT_UEFI          0x630
#define PORT_PCI_CONFIG    0xcf8
#define PORT_PCI_WINDOW    0x1000
#define PORT_END           0x10000

#define BIOS_POWER_LEN 2

#define REG_POWER        0x00
#define REG_CPU_SLOTS    0x40
#define REG_MEMORY_SLOTS 0x80
#define REG_PCI_SLOTS    0xc0
#define REG_LEN          0x100

#define IRQ_PIT      0
#define IRQ_KEYBOARD 1
#define IRQ_RTC      8
#define IRQ_GED      9
#define IRQ_MOUSE    12
#define IRQ_PCI      16 /* INTA# of device 0; four of them */

/* The arm64 machine: the addresses of QEMU's "virt" (its hw/arm/virt.c), where firmware expects
 * them. Interrupts are GSIs: SPI + 32. */
#define ARM_GICD           UINT64_C(0x08000000)
#define ARM_GICD_LEN       UINT64_C(0x10000)
#define ARM_ITS            UINT64_C(0x08080000)
#define ARM_ITS_LEN        UINT64_C(0x20000)
#define ARM_GICR           UINT64_C(0x080a0000)
#define ARM_GICR_LEN       UINT64_C(0x00f60000)
#define ARM_GICR_CPU       UINT64_C(0x20000) /* of each CPU */
#define ARM_UART           UINT64_C(0x09000000)
#define ARM_UART_LEN       UINT64_C(0x1000)
#define ARM_RTC            UINT64_C(0x09010000)
#define ARM_RTC_LEN        UINT64_C(0x1000)
#define ARM_FW_CFG         UINT64_C(0x09020000)
#define ARM_FW_CFG_LEN     UINT64_C(0x18)
#define ARM_REGISTERS      UINT64_C(0x09080000) /* QEMU: its generic event device */
#define ARM_TPM            UINT64_C(0x0c000000) /* QEMU: platform bus */
#define ARM_PCI_WINDOW     UINT64_C(0x10000000)
#define ARM_PCI_WINDOW_LEN UINT64_C(0x2eff0000)
#define ARM_PCI_PORTS      UINT64_C(0x3eff0000)
#define ARM_RAM            UINT64_C(0x40000000)
#define ARM_RAM_MAX        (UINT64_C(255) << 30)
#define ARM_GICR_HIGH      UINT64_C(0x4000000000)
#define ARM_GICR_HIGH_LEN  UINT64_C(0x4000000)
#define ARM_ECAM           UINT64_C(0x4010000000)
#define ARM_PCI_HIGH       UINT64_C(0x8000000000)

#define ARM_IRQ_UART 33
#define ARM_IRQ_RTC  34
#define ARM_IRQ_PCI  35
#define ARM_IRQ_GED  41

/* Memory modules of a node are at most this many: then they are larger. */
#define VMM__NODE_MODULES 32

/* Ranges of the map: at most 17 of memory, 22 of ports. */
#define VMM__PLAN_RANGES 40

/* "No CPU", "no node" */
#define VMM__PLAN_NONE UINT32_MAX

struct vmm__span {
	uint64_t base;
	uint64_t len;
};

/* A profile's values, as the machine needs them. What is not here is taken as the profile has it.
 */
struct vmm__plan {
	const struct vmm_profile *profile;
	bool arm;
	struct vmm__span ram[2]; /* the second may be empty */
	struct vmm__span tables; /* where the ACPI tables are, and how long they may be */
	struct vmm__span smbios;
	struct vmm__span firmware;       /* in RAM, kept for both; empty: they are below 1 MiB */
	uint64_t low_end;                /* what is left of the first part of RAM ends here */
	struct vmm__span memory_hotplug; /* empty: memory cannot be plugged */
	bool bios;                       /* what is below 1 MiB is its */
	uint64_t uefi;                   /* where vUEFI is, below that; 0: not there */
	uint64_t generation;             /* page, 0: none */
	uint64_t errors;                 /* likewise */

	uint32_t pci_buses; /* 0: no PCI */
	uint64_t ecam;
	struct vmm__span pci_low;  /* windows for functions */
	struct vmm__span pci_high; /* empty: none */
	uint32_t pci_gsi;          /* INTA# of device 0; four of them */

	uint32_t reg_space; /* VMM_SPACE_ of the registers */
	uint64_t reg_base;
	uint32_t ged_gsi;
	uint32_t events;     /* VMM_POWER_EVENT_ that the machine can have */
	uint32_t debug_exit; /* port, 0: none */

	struct vmm_x86_topology topology;
	uint32_t cpus;
	uint8_t present[VMM__PROFILE_CPUS / 8]; /* bits: CPUs that are there */
	uint32_t nodes;
	uint64_t node_memory[VMM__PROFILE_NODES];
	uint8_t distance[VMM__PROFILE_NODES * VMM__PROFILE_NODES]; /* rows of @nodes */
	uint8_t cpu_node[VMM__PROFILE_CPUS];
};

static inline bool vmm__plan_has_power(const struct vmm__plan *plan)
{
	const struct vmm_profile *p = plan->profile;

	return plan->events != 0 || p->power_off || p->power_reset || p->power_s1 || p->power_s3 ||
	       p->power_s4 || p->cpu_pstates || p->cpu_cppc;
}

/* A register by which a BIOS switches off. */
static inline bool vmm__plan_has_bios_power(const struct vmm__plan *plan)
{
	return plan->bios && plan->profile->power_off;
}

static inline bool vmm__plan_cpu_present(const struct vmm__plan *plan, uint32_t cpu)
{
	return (plan->present[cpu / 8] >> cpu % 8 & 1) != 0;
}

static inline void vmm__plan_set_present(struct vmm__plan *plan, uint32_t cpu, bool present)
{
	const uint32_t bit = UINT32_C(1) << cpu % 8;

	plan->present[cpu / 8] =
		(uint8_t)(present ? plan->present[cpu / 8] | bit : plan->present[cpu / 8] & ~bit);
}

/* CPUs are numbered by their place in the topology; the machine's first vCPU is the one that
 * starts, the others follow in order. */
static inline uint32_t vmm__plan_cpu_of_vcpu(const struct vmm__plan *plan, uint32_t index)
{
	const uint32_t boot = (uint32_t)plan->profile->cpu_boot;

	return index == 0 ? boot : index <= boot ? index - 1 : index;
}

static inline uint32_t vmm__plan_vcpu_of_cpu(const struct vmm__plan *plan, uint32_t cpu)
{
	const uint32_t boot = (uint32_t)plan->profile->cpu_boot;

	return cpu == boot ? 0 : cpu < boot ? cpu + 1 : cpu;
}

/* A CPU's identifier in hardware: its APIC ID, or MPIDR. */
uint64_t vmm__plan_cpu_id(const struct vmm__plan *plan, uint32_t cpu);

/*
 * Parts of a node's memory, in order of address: one, or two about the hole. Returns how many.
 */
uint32_t vmm__plan_node_ram(const struct vmm__plan *plan, uint32_t node, struct vmm__span part[2]);

/* Check a profile and read it; the error is filled as by vmm_profile_check(). */
int vmm__plan_make(const struct vmm_profile *profile, struct vmm__plan *plan,
		   struct vmm_profile_error *error);

/* profile_check.c: what of that is about strings and numbers alone. */
int vmm__profile_refuse(struct vmm_profile_error *error, int code, const char *fmt, ...)
	VMM__PRINTF(3, 4);
int vmm__plan_words(const struct vmm_profile *p, struct vmm_profile_error *error);
int vmm__plan_nodes(struct vmm__plan *plan, struct vmm_profile_error *error);

/* "aabbccdd-eeff-gghh-iijj-kkllmmnnoopp" in the order in which it is written; zeros if empty. */
bool vmm__plan_guid(const char *text, uint8_t guid[16]);

#endif

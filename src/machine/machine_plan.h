/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Where everything is in the x86 machine, and the plan that a profile leads to. */
#ifndef VMM_MACHINE_PLAN_H
#define VMM_MACHINE_PLAN_H

#include <stdbool.h>

#include "libvmm/machine.h"
#include "libvmm/x86.h"

/*
 * Guest-physical space. RAM up to LOW_RAM_END, the rest from 4 GiB on; between them what has to be
 * in reach of 32 bits. The tables stand where BIOSes kept theirs, so that a kernel which is not
 * told finds the root pointer (ACPI 6.5, 5.2.5.1: on 16 bytes from 0xe0000 to 0xfffff).
 */
#define MAP_CONVENTIONAL_END UINT64_C(0xa0000)
#define MAP_TABLES           UINT64_C(0xe0000)
#define MAP_TABLES_LEN       UINT64_C(0x20000)
#define MAP_RESTART          UINT64_C(0xffff0) /* the last 16 bytes of that */
#define MAP_EXTENDED         UINT64_C(0x100000)
#define MAP_UEFI_LEN         UINT64_C(0x40000) /* vUEFI, at the end of low RAM */
#define MAP_LOW_RAM_END      UINT64_C(0xc0000000)
#define MAP_PCI_WINDOW       UINT64_C(0xc0000000)
#define MAP_PCI_WINDOW_LEN   UINT64_C(0x20000000)
#define MAP_ECAM             UINT64_C(0xe0000000)
#define MAP_IOAPIC           UINT64_C(0xfec00000)
#define MAP_IOAPIC_LEN       UINT64_C(0x1000)
#define MAP_LAPIC            UINT64_C(0xfee00000)
#define MAP_LAPIC_LEN        UINT64_C(0x100000) /* messages are written anywhere in it */
#define MAP_HIGH_RAM         UINT64_C(0x100000000)

/* Ports. */
#define PORT_FW_CFG     0x510
#define PORT_POWER      0x600
#define PORT_UEFI       0x608
#define PORT_PCI_CONFIG 0xcf8
#define PORT_PCI_WINDOW 0x1000
#define PORT_END        0x10000

#define IRQ_POWER 9

#define SERIAL_PORTS 4

/* Ranges of the map: at most 10 of memory, 10 of ports. */
#define VMM__PLAN_RANGES 20

/* A profile's values, as the machine needs them. */
struct vmm__plan {
	uint64_t ram_size;
	uint64_t low_ram;  /* bytes from 0 on, the part for the tables among them */
	uint64_t high_ram; /* bytes from MAP_HIGH_RAM on */
	uint64_t uefi;     /* where vUEFI is, in the last part of low RAM; 0: not there */
	struct vmm_x86_topology topology;
	uint32_t cpus;
	uint32_t pci_buses;  /* 0: no PCI */
	uint32_t debug_exit; /* port, 0: none */
	bool fw_cfg;
	bool power_off;
	bool power_reset;
	bool power_button;
	struct {
		bool enable;
		uint32_t port;
		uint32_t irq;
	} serial[SERIAL_PORTS];
};

static inline bool vmm__plan_has_power(const struct vmm__plan *plan)
{
	return plan->power_off || plan->power_reset || plan->power_button;
}

/* Check a profile and read it; the error is filled as by vmm_profile_check(). */
int vmm__plan_make(const struct vmm_profile *profile, struct vmm__plan *plan,
		   struct vmm_profile_error *error);

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/acpi_objects.h - Objects of the namespace that take several terms.
 *
 * They are made of the terms of aml.h, may stand where a data, an element or a statement may, as
 * each says, and fail as those do.
 */
#ifndef LIBVMM_ACPI_OBJECTS_H
#define LIBVMM_ACPI_OBJECTS_H

#include "libvmm/acpi.h"

VMM_BEGIN_DECLS

/** vmm_aml_register() - A data: a resource template of one generic register. ACPI 6.5, 6.4.3.7. */
VMM_API int vmm_aml_register(struct vmm_aml *a, const struct vmm_acpi_gas *reg);

/**
 * vmm_aml_prt_entry() - An element of _PRT: where a pin goes. ACPI 6.5, 6.2.13.
 * @device: Device number on the bus, 0 to 31; all its functions.
 * @pin:    0 to 3, INTA# to INTD#.
 * @gsi:    Global system interrupt.
 */
VMM_API int vmm_aml_prt_entry(struct vmm_aml *a, uint32_t device, uint32_t pin, uint32_t gsi);

/** vmm_aml_pct() - A statement: _PCT, control and status of performance. ACPI 6.5, 8.4.5.1. */
VMM_API int vmm_aml_pct(struct vmm_aml *a, const struct vmm_acpi_gas *control,
			const struct vmm_acpi_gas *status);

/* A performance state, ACPI 6.5, 8.4.5.2. */
struct vmm_aml_pstate {
	uint32_t size; /* of this struct */
	uint32_t mhz;
	uint32_t milliwatts;
	uint32_t latency;        /* microseconds in which the CPU does not run */
	uint32_t master_latency; /* and in which bus masters do not reach memory */
	uint32_t control;        /* value to write */
	uint32_t status;         /* value to read afterwards */
	uint32_t reserved;       /* zero */
};

/** vmm_aml_pss_entry() - An element of _PSS, whose states stand from fast to slow. */
VMM_API int vmm_aml_pss_entry(struct vmm_aml *a, const struct vmm_aml_pstate *state);

/* A power state of a processor, ACPI 6.5, 8.4.1.1. */
struct vmm_aml_cstate {
	uint32_t size;    /* of this struct */
	uint32_t type;    /* 1 to 3: C1 to C3 */
	uint32_t latency; /* microseconds to leave it */
	uint32_t milliwatts;
	struct vmm_acpi_gas reg; /* how it is entered: space 0x7f for an instruction */
};

/** vmm_aml_cst() - A statement: _CST of @count states, 1 to 255. */
VMM_API int vmm_aml_cst(struct vmm_aml *a, const struct vmm_aml_cstate *state, uint32_t count);

/* An entry of _CPC, ACPI 6.5, 8.4.6.1: a register, or a number if its @bits are 0. */
struct vmm_aml_cpc_entry {
	struct vmm_acpi_gas reg;
	uint64_t value;
};

/* Places of the entries, ACPI 6.5, Table 8.13; the two before them are the builder's. */
#define VMM_AML_CPC_HIGHEST          0
#define VMM_AML_CPC_NOMINAL          1
#define VMM_AML_CPC_LOWEST_NONLINEAR 2
#define VMM_AML_CPC_LOWEST           3
#define VMM_AML_CPC_GUARANTEED       4
#define VMM_AML_CPC_DESIRED          5
#define VMM_AML_CPC_MINIMUM          6
#define VMM_AML_CPC_MAXIMUM          7
#define VMM_AML_CPC_REDUCTION        8
#define VMM_AML_CPC_WINDOW           9
#define VMM_AML_CPC_WRAP             10
#define VMM_AML_CPC_REFERENCE        11
#define VMM_AML_CPC_DELIVERED        12
#define VMM_AML_CPC_LIMITED          13
#define VMM_AML_CPC_ENABLE           14
#define VMM_AML_CPC_AUTONOMOUS       15
#define VMM_AML_CPC_ACTIVITY         16
#define VMM_AML_CPC_PREFERENCE       17
#define VMM_AML_CPC_REFERENCE_PERF   18
#define VMM_AML_CPC_LOWEST_MHZ       19
#define VMM_AML_CPC_NOMINAL_MHZ      20
#define VMM_AML_CPC_ENTRIES          21

/** vmm_aml_cpc() - A statement: _CPC, revision 3, of VMM_AML_CPC_ENTRIES entries. */
VMM_API int vmm_aml_cpc(struct vmm_aml *a, const struct vmm_aml_cpc_entry *entry);

/**
 * vmm_aml_vmgenid() - A statement: the device that tells a guest that it was copied.
 * @name: Of the device, one segment.
 * @hid:  Hardware identifier, the embedder's own.
 * @gpa:  Guest-physical address of the 16 bytes that change; in memory that the guest leaves alone.
 *
 * Microsoft, Virtual Machine Generation ID. Follow a change with Notify (@name, 0x80).
 */
VMM_API int vmm_aml_vmgenid(struct vmm_aml *a, const char *name, const char *hid, uint64_t gpa);

VMM_END_DECLS

#endif

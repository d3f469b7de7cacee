// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * What serves hot plug in the namespace (ACPI 6.5, 6.3), over the registers of dev.h's slots. CPUs,
 * memory and PCI have the same objects under another first letter:
 *
 *	CREG, CSEL, CSTS ...	registers
 *	CLCK			mutex over the selection
 *	CGET (slot)		what _STA says
 *	CEJT (slot)		what _EJ0 does
 *	COST (slot, event, status)
 *	CNTF (slot, value)	Notify (the slot's device, value)
 *	CSCN ()			tells of all slots with an event
 */
#include "bits.h"
#include "format.h"
#include "libvmm/dev.h"
#include "machine_tables.h"

#define NOTIFY_DEVICE_CHECK  1 /* 5.6.6 */
#define NOTIFY_EJECT_REQUEST 3
#define PRESENT              0x0f /* _STA, 6.3.7 */

struct set {
	struct vmm_aml *a;
	char letter;
	char name[5];
};

/* The name of one of the set's objects; good until the next. */
static const char *of(struct set *s, const char *name)
{
	vmm__format(s->name, sizeof(s->name), "%c%s", s->letter, name);
	return s->name;
}

static void store_int(struct set *s, uint64_t value, const char *name)
{
	vmm_aml_store(s->a);
	vmm_aml_int(s->a, value);
	vmm_aml_path(s->a, of(s, name));
}

static void store_arg(struct set *s, uint32_t arg, const char *name)
{
	vmm_aml_store(s->a);
	vmm_aml_arg(s->a, arg);
	vmm_aml_path(s->a, of(s, name));
}

static void store_to_local(struct set *s, const char *name, uint32_t local)
{
	vmm_aml_store(s->a);
	vmm_aml_path(s->a, of(s, name));
	vmm_aml_local(s->a, local);
}

static void acquire(struct set *s)
{
	vmm_aml_acquire(s->a, of(s, "LCK"), VMM_AML_WAIT_FOREVER);
}

static void release(struct set *s)
{
	vmm_aml_release(s->a);
	vmm_aml_path(s->a, of(s, "LCK"));
}

static void add_registers(struct set *s, const struct vmm__plan *plan, uint32_t offset)
{
	static const char *const names[] = {"SEL", "STS", "OEV", "OSS", "NXT",
					    "NOD", "BAL", "BAH", "LNL", "LNH"};

	vmm__region(s->a, plan, of(s, "REG"), offset, VMM_SLOTS_LEN);
	vmm_aml_field_begin(s->a, of(s, "REG"), VMM_AML_ACCESS_DWORD | VMM_AML_UPDATE_ZEROS);
	for (uint32_t i = 0; i < ARRAY_SIZE(names); i++)
		vmm_aml_field_unit(s->a, of(s, names[i]), 32);
	vmm_aml_field_finish(s->a);
	vmm_aml_mutex(s->a, of(s, "LCK"), 0);
}

static void add_get(struct set *s)
{
	struct vmm_aml *a = s->a;

	vmm_aml_method_begin(a, of(s, "GET"), 1, VMM_AML_SERIALIZED);
	acquire(s);
	store_arg(s, 0, "SEL");
	vmm_aml_store(a);
	vmm_aml_int(a, 0);
	vmm_aml_local(a, 0);
	vmm_aml_if_begin(a);
	vmm_aml_and(a);
	vmm_aml_path(a, of(s, "STS"));
	vmm_aml_int(a, VMM_SLOT_PRESENT);
	vmm_aml_null(a);
	vmm_aml_store(a);
	vmm_aml_int(a, PRESENT);
	vmm_aml_local(a, 0);
	vmm_aml_if_finish(a);
	release(s);
	vmm_aml_return(a);
	vmm_aml_local(a, 0);
	vmm_aml_method_finish(a);
}

static void add_eject(struct set *s)
{
	vmm_aml_method_begin(s->a, of(s, "EJT"), 1, VMM_AML_SERIALIZED);
	acquire(s);
	store_arg(s, 0, "SEL");
	store_int(s, VMM_SLOT_EJECT, "STS");
	release(s);
	vmm_aml_method_finish(s->a);
}

static void add_ost(struct set *s)
{
	vmm_aml_method_begin(s->a, of(s, "OST"), 3, VMM_AML_SERIALIZED);
	acquire(s);
	store_arg(s, 0, "SEL");
	store_arg(s, 1, "OEV");
	store_arg(s, 2, "OSS");
	release(s);
	vmm_aml_method_finish(s->a);
}

/* If (Local1 & @event) { xNTF (Local0, @value) } */
static void tell(struct set *s, uint32_t event, uint32_t value)
{
	struct vmm_aml *a = s->a;

	vmm_aml_if_begin(a);
	vmm_aml_and(a);
	vmm_aml_local(a, 1);
	vmm_aml_int(a, event);
	vmm_aml_null(a);
	vmm_aml_call(a, of(s, "NTF"), 2);
	vmm_aml_local(a, 0);
	vmm_aml_int(a, value);
	vmm_aml_if_finish(a);
}

/* Events are cleared before they are told of: what comes meanwhile is seen in the next round. */
static void add_scan(struct set *s)
{
	struct vmm_aml *a = s->a;

	vmm_aml_method_begin(a, of(s, "SCN"), 0, VMM_AML_SERIALIZED);
	acquire(s);
	store_to_local(s, "NXT", 0);
	vmm_aml_while_begin(a);
	vmm_aml_lnot_equal(a);
	vmm_aml_local(a, 0);
	vmm_aml_int(a, UINT32_MAX);
	vmm_aml_store(a);
	vmm_aml_local(a, 0);
	vmm_aml_path(a, of(s, "SEL"));
	vmm_aml_and(a);
	vmm_aml_path(a, of(s, "STS"));
	vmm_aml_int(a, VMM_SLOT_INSERTED | VMM_SLOT_REMOVE);
	vmm_aml_local(a, 1);
	vmm_aml_store(a);
	vmm_aml_local(a, 1);
	vmm_aml_path(a, of(s, "STS"));
	tell(s, VMM_SLOT_INSERTED, NOTIFY_DEVICE_CHECK);
	tell(s, VMM_SLOT_REMOVE, NOTIFY_EJECT_REQUEST);
	store_to_local(s, "NXT", 0);
	vmm_aml_while_finish(a);
	release(s);
	vmm_aml_method_finish(a);
}

/* If (Arg0 == @slot) { Notify (@device, Arg1) } */
static void notify_slot(struct vmm_aml *a, uint32_t slot, const char *device)
{
	vmm_aml_if_begin(a);
	vmm_aml_lequal(a);
	vmm_aml_arg(a, 0);
	vmm_aml_int(a, slot);
	vmm_aml_notify(a);
	vmm_aml_path(a, device);
	vmm_aml_arg(a, 1);
	vmm_aml_if_finish(a);
}

static void add_notify(struct set *s, uint32_t slots, void (*name)(char name[5], uint32_t slot))
{
	vmm_aml_method_begin(s->a, of(s, "NTF"), 2, 0);
	for (uint32_t i = 0; i < slots; i++) {
		char device[5];

		name(device, i);
		notify_slot(s->a, i, device);
	}
	vmm_aml_method_finish(s->a);
}

static void add_set(struct set *s, const struct vmm__plan *plan, uint32_t offset)
{
	add_registers(s, plan, offset);
	add_get(s);
	add_eject(s);
	add_ost(s);
	add_scan(s);
}

/* _STA, _EJ0 and _OST of a slot's device. */
static void add_slot_methods(struct set *s, uint32_t slot)
{
	struct vmm_aml *a = s->a;

	vmm_aml_method_begin(a, "_STA", 0, 0);
	vmm_aml_return(a);
	vmm_aml_call(a, of(s, "GET"), 1);
	vmm_aml_int(a, slot);
	vmm_aml_method_finish(a);
	vmm_aml_method_begin(a, "_EJ0", 1, 0);
	vmm_aml_call(a, of(s, "EJT"), 1);
	vmm_aml_int(a, slot);
	vmm_aml_method_finish(a);
	vmm_aml_method_begin(a, "_OST", 3, 0);
	vmm_aml_call(a, of(s, "OST"), 3);
	vmm_aml_int(a, slot);
	vmm_aml_arg(a, 0);
	vmm_aml_arg(a, 1);
	vmm_aml_method_finish(a);
}

/* --- Memory --- */

static void memory_name(char name[5], uint32_t slot)
{
	vmm__format(name, 5, "M%c%c%c", '0', "0123456789ABCDEF"[slot >> 4 & 15],
		    "0123456789ABCDEF"[slot & 15]);
}

/* Offsets in a QWord range, 6.4.3.5.1. */
#define RANGE_MIN 14
#define RANGE_MAX 22
#define RANGE_LEN 38

static void buffer_field(struct vmm_aml *a, uint32_t offset, const char *name)
{
	vmm_aml_create_qword_field(a);
	vmm_aml_path(a, "RBUF");
	vmm_aml_int(a, offset);
	vmm_aml_path(a, name);
}

/* @name = @high << 32 | @low */
static void join(struct set *s, const char *high, const char *low, const char *name)
{
	struct vmm_aml *a = s->a;

	vmm_aml_or(a);
	vmm_aml_shift_left(a);
	vmm_aml_path(a, of(s, high));
	vmm_aml_int(a, 32);
	vmm_aml_null(a);
	vmm_aml_path(a, of(s, low));
	vmm_aml_path(a, name);
}

/* MCRS (slot): its addresses, as a resource template. */
static void add_memory_crs(struct set *s)
{
	struct vmm_aml *a = s->a;
	const struct vmm_aml_range range = {
		.size = sizeof(range),
		.type = VMM_AML_RANGE_MEMORY,
		.flags = VMM_AML_RANGE_FIXED,
		.type_flags = VMM_AML_MEMORY_WRITABLE | VMM_AML_MEMORY_CACHEABLE,
		.max = 1,
		.len = 2,
	};

	vmm_aml_method_begin(a, "MCRS", 1, VMM_AML_SERIALIZED);
	vmm_aml_name(a, "RBUF");
	vmm_aml_resources_begin(a);
	vmm_aml_res_qword_range(a, &range);
	vmm_aml_resources_finish(a);
	buffer_field(a, RANGE_MIN, "RMIN");
	buffer_field(a, RANGE_MAX, "RMAX");
	buffer_field(a, RANGE_LEN, "RLEN");
	acquire(s);
	store_arg(s, 0, "SEL");
	join(s, "BAH", "BAL", "RMIN");
	join(s, "LNH", "LNL", "RLEN");
	release(s);
	vmm_aml_subtract(a);
	vmm_aml_add(a);
	vmm_aml_path(a, "RMIN");
	vmm_aml_path(a, "RLEN");
	vmm_aml_null(a);
	vmm_aml_int(a, 1);
	vmm_aml_path(a, "RMAX");
	vmm_aml_return(a);
	vmm_aml_path(a, "RBUF");
	vmm_aml_method_finish(a);
}

/* MPXM (slot): its node. */
static void add_memory_pxm(struct set *s)
{
	struct vmm_aml *a = s->a;

	vmm_aml_method_begin(a, "MPXM", 1, VMM_AML_SERIALIZED);
	acquire(s);
	store_arg(s, 0, "SEL");
	store_to_local(s, "NOD", 0);
	release(s);
	vmm_aml_return(a);
	vmm_aml_local(a, 0);
	vmm_aml_method_finish(a);
}

static void return_of(struct vmm_aml *a, const char *name, const char *method, uint32_t slot)
{
	vmm_aml_method_begin(a, name, 0, 0);
	vmm_aml_return(a);
	vmm_aml_call(a, method, 1);
	vmm_aml_int(a, slot);
	vmm_aml_method_finish(a);
}

/* 9.11: memory devices. */
static void add_memory(struct vmm_aml *a, const struct vmm__plan *plan)
{
	const uint32_t slots = (uint32_t)plan->profile->memory_slots;
	struct set s = {.a = a, .letter = 'M'};

	add_set(&s, plan, REG_MEMORY_SLOTS);
	add_memory_crs(&s);
	add_memory_pxm(&s);
	for (uint32_t i = 0; i < slots; i++) {
		char name[5];

		memory_name(name, i);
		vmm__device_eisa_begin(a, name, "PNP0C80", i);
		return_of(a, "_CRS", "MCRS", i);
		return_of(a, "_PXM", "MPXM", i);
		add_slot_methods(&s, i);
		vmm_aml_device_finish(a);
	}
	add_notify(&s, slots, memory_name);
}

/* --- CPUs and PCI --- */

void vmm__hotplug_add(struct vmm_aml *a, const struct vmm__plan *plan)
{
	struct set s = {.a = a, .letter = 'C'};

	if (plan->profile->cpu_hotplug) {
		add_set(&s, plan, REG_CPU_SLOTS);
		add_notify(&s, plan->cpus, vmm__cpu_name);
	}
	if (plan->memory_hotplug.len > 0)
		add_memory(a, plan);
}

/* Slot 0 is device 1: device 0 is the host bridge. */
static void pci_name(char name[5], uint32_t slot)
{
	vmm__format(name, 5, "S%c%c_", "01"[(slot + 1) >> 4 & 1],
		    "0123456789ABCDEF"[(slot + 1) & 15]);
}

/* In the scope of the bus. A slot's _STA would hide what is in it from enumeration: without one its
 * functions are looked for. */
void vmm__hotplug_pci_add(struct vmm_aml *a, const struct vmm__plan *plan)
{
	const uint32_t slots = (uint32_t)plan->profile->pci_slots;
	struct set s = {.a = a, .letter = 'P'};

	add_set(&s, plan, REG_PCI_SLOTS);
	for (uint32_t i = 0; i < slots; i++) {
		char name[5];

		pci_name(name, i);
		vmm_aml_device_begin(a, name);
		vmm__name_int(a, "_ADR", (uint64_t)(i + 1) << 16);
		vmm__name_int(a, "_SUN", i + 1);
		vmm_aml_method_begin(a, "_EJ0", 1, 0);
		vmm_aml_call(a, of(&s, "EJT"), 1);
		vmm_aml_int(a, i);
		vmm_aml_method_finish(a);
		vmm_aml_device_finish(a);
	}
	add_notify(&s, slots, pci_name);
}

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/machine.h - A whole machine, made from a profile.
 *
 * Memory map, processors, devices and the ACPI tables that describe them. It is made of the public
 * API alone: what vmm_machine_vm() gives is an ordinary VM, to which an embedder may add regions,
 * filters and mappings of its own.
 *
 *	vmm_machine_create()		VM, RAM, vCPUs, devices, tables
 *	vmm_machine_load_target()	for vmm_image_load() of loader.h
 *	vmm_machine_seal()
 *	set vCPU 0 to the kernel's entry; the others wait for it to start them
 *	vmm_machine_run_vcpu()		in a thread for each vCPU, until it tells an event
 *	vmm_machine_reset()		after VMM_MACHINE_RESET; then load and set vCPU 0 again
 *	vmm_machine_destroy()
 *
 * The x86 machine, addresses in docs/profile.md: hardware-reduced ACPI, local APICs and IOAPIC, PCI
 * Express with ECAM and an empty bus, 16550s, sleep, reset and power-button registers; PIC, PIT,
 * RTC and keyboard controller for profiles that ask for them (legacy.).
 */
#ifndef LIBVMM_MACHINE_H
#define LIBVMM_MACHINE_H

#include "libvmm/profile.h"
#include "libvmm/vcpu.h"

VMM_BEGIN_DECLS

struct vmm_machine;          /* opaque */
struct vmm_load_target;      /* loader.h */
struct vmm_pci_function_ops; /* dev.h */
struct vmm_uefi_storage;     /* uefi.h */
struct vmm_uefi_vars;

/* --- Its plan: what a profile comes to, without a VM --- */

/* What a range is. The first four are numbered as in an ACPI memory map (ACPI 6.5, 15.3). */
#define VMM_RANGE_RAM      1
#define VMM_RANGE_RESERVED 2
#define VMM_RANGE_ACPI     3 /* RAM that holds the ACPI tables */
#define VMM_RANGE_NVS      4
#define VMM_RANGE_DEVICE   16 /* registers */
#define VMM_RANGE_WINDOW   17 /* free for the functions of the PCI bus */
#define VMM_RANGE_HOTPLUG  18 /* kept for memory that is plugged later */

/* A machine's ranges are never more than this. */
#define VMM_MACHINE_RANGES_MAX 64

/* "No interrupt" */
#define VMM_MACHINE_NO_IRQ UINT32_MAX

/**
 * struct vmm_machine_range - Part of the address map.
 * @base:  First address.
 * @len:   Number of addresses.
 * @space: VMM_SPACE_MMIO (also for memory) or VMM_SPACE_PORT of bus.h.
 * @kind:  VMM_RANGE_.
 * @irq:   Interrupt line of the device, or VMM_MACHINE_NO_IRQ.
 * @uefi:  As in struct vmm_load_range.
 * @name:  What it is: "RAM", "serial 0", "IOAPIC". NUL-terminated.
 */
struct vmm_machine_range {
	uint64_t base;
	uint64_t len;
	uint32_t space;
	uint32_t kind;
	uint32_t irq;
	uint32_t uefi;
	char name[24];
};

/**
 * vmm_machine_plan_ranges() - The address map that a profile leads to.
 * @profile: Profile.
 * @ranges:  Filled, memory before ports, each ascending, without overlap; NULL to ask for the
 * count.
 * @count:   In: room. Out: how many there are.
 *
 * Context: Any; allocates nothing.
 * Return: 0, -VMM_ESIZE (with *@count set), and what vmm_profile_check() gives.
 */
VMM_API int vmm_machine_plan_ranges(const struct vmm_profile *profile,
				    struct vmm_machine_range *ranges, uint32_t *count);

#define VMM_MACHINE_TABLES_MAX 32

/**
 * struct vmm_machine_table - One of the ACPI tables.
 * @gpa:       Where the guest finds it.
 * @offset:    Where it stands in the buffer of vmm_machine_plan_tables().
 * @len:       Bytes.
 * @signature: "FACP" for instance; "RSDP" for the root pointer. NUL-terminated.
 */
struct vmm_machine_table {
	uint64_t gpa;
	uint32_t offset;
	uint32_t len;
	char signature[8];
};

/**
 * vmm_machine_plan_tables() - The ACPI tables that a profile leads to.
 * @profile: Profile.
 * @buf:     Filled with all of them, as they stand in guest memory from the first's gpa on; NULL
 *           to ask for the length.
 * @len:     In: bytes at @buf. Out: bytes of all tables.
 * @tables:  Room for VMM_MACHINE_TABLES_MAX, filled if @buf is given; the root pointer is the
 *           first. May be NULL.
 * @count:   Set to the number of tables; may be NULL.
 *
 * Context: Any; allocates nothing.
 * Return: 0, -VMM_ESIZE (with *@len set), -VMM_ELIMIT (more than there is room for in the guest),
 * and what vmm_profile_check() gives.
 */
VMM_API int vmm_machine_plan_tables(const struct vmm_profile *profile, void *buf, size_t *len,
				    struct vmm_machine_table *tables, uint32_t *count);

/**
 * vmm_machine_plan_smbios() - The SMBIOS structures that a profile leads to.
 * @profile: Profile.
 * @buf:     Filled, the entry point first; NULL to ask for the length.
 * @len:     In: bytes at @buf. Out: bytes of all structures.
 * @gpa:     Set to where the guest finds them; may be NULL.
 *
 * Context: Any; allocates nothing.
 * Return: 0, -VMM_ESIZE (with *@len set), -VMM_ENOENT (smbios.enable is no), -VMM_ELIMIT (more than
 * there is room for in the guest), and what vmm_profile_check() gives.
 */
VMM_API int vmm_machine_plan_smbios(const struct vmm_profile *profile, void *buf, size_t *len,
				    uint64_t *gpa);

/* --- The machine --- */

/* Flags of struct vmm_machine_config. */
#define VMM_MACHINE_SEE_UNCLAIMED \
	(UINT32_C(1) << 0) /* hand over accesses to ports and addresses where nothing is */

#define VMM_MACHINE_SEE_IDLE                                                                      \
	(UINT32_C(1) << 1) /* come back with VMM_MACHINE_YIELD where else the CPU would wait, for \
			    * schedulers (sched.h) */

/* What can be plugged and unplugged. */
#define VMM_HOTPLUG_CPU    1 /* @slot: index of the vCPU */
#define VMM_HOTPLUG_MEMORY 2 /* @slot: as vmm_machine_memory_plug() gave it */
#define VMM_HOTPLUG_PCI    3 /* @slot: number of the device on bus 0 */

/* What there is to tell of it. */
#define VMM_HOTPLUG_EJECTED 1 /* the guest has let go of it, and it is gone */
#define VMM_HOTPLUG_STATUS  2 /* how the guest fared: @event and @status */

/**
 * struct vmm_machine_hotplug - Something has become of a CPU, memory or a PCI function.
 * @size:   sizeof(struct vmm_machine_hotplug).
 * @kind:   VMM_HOTPLUG_CPU and so on.
 * @slot:   Which.
 * @what:   VMM_HOTPLUG_EJECTED or _STATUS.
 * @event:  STATUS: of what, the first argument of _OST (ACPI 6.5, 6.3.5): 1 it was plugged, 3 it is
 *          to be unplugged, 0x103 it was ejected.
 * @status: STATUS: 0 done, 0x80 and on: not done, and why.
 */
struct vmm_machine_hotplug {
	uint32_t size;
	uint32_t kind;
	uint32_t slot;
	uint32_t what;
	uint32_t event;
	uint32_t status;
};

/**
 * struct vmm_machine_config - What a machine is made with.
 * @size:          sizeof(struct vmm_machine_config).
 * @flags:         VMM_MACHINE_.
 * @profile:       What it is to be; copied.
 * @engine:        Name of the engine, or NULL for the context's first usable one.
 * @engine_config: As in struct vmm_vm_config.
 * @vm_flags:      VMM_VM_ flags of struct vmm_vm_config.
 * @clock:         VMM_CLOCK_.
 * @opaque:        For the callbacks.
 * @console_write: The guest has sent @len bytes over serial port @console. From the thread of the
 *                 vCPU; no lock is held. NULL: dropped.
 * @variables:     Storage for vUEFI's variables (uefi.h); NULL: they end with the machine. What its
 *                 functions use must outlive the machine.
 * @console_room:  vmm_machine_console_input() had to refuse bytes, and now there is room again.
 *                 From the thread of a vCPU; no lock is held. May be NULL.
 * @hotplug:       Something has become of what was plugged. From the thread of a vCPU; no lock is
 *                 held. May be NULL.
 */
struct vmm_machine_config {
	uint32_t size;
	uint32_t flags;
	const struct vmm_profile *profile;
	const char *engine;
	const void *engine_config;
	uint32_t vm_flags;
	uint32_t clock;
	void *opaque;
	void (*console_write)(void *opaque, uint32_t console, const uint8_t *data, uint32_t len);
	void (*console_room)(void *opaque, uint32_t console);
	const struct vmm_uefi_storage *variables;
	void (*hotplug)(void *opaque, const struct vmm_machine_hotplug *what);
};

/**
 * vmm_machine_create() - Make a machine: VM, RAM, vCPUs, devices, tables.
 * @ctx:     Context.
 * @config:  What it is made with; not needed afterwards.
 * @machine: Set to the machine on success, to NULL on failure.
 * @error:   Filled on failure, since there is no object to ask; may be NULL.
 *
 * Context: Any thread; allocates.
 * Return: 0, -VMM_EINVAL, what vmm_profile_check() gives, -VMM_ENOENT (CPU model), -VMM_ELIMIT
 * (the tables are too large), and what vmm_vm_create(), vmm_mem_create(), vmm_vm_map(),
 * vmm_vcpu_create() and vmm_x86_cpu_model() give.
 */
VMM_API int vmm_machine_create(struct vmm_ctx *ctx, const struct vmm_machine_config *config,
			       struct vmm_machine **machine, struct vmm_error *error);

/**
 * vmm_machine_destroy() - Take a machine apart, with its VM.
 * @machine: Machine, or NULL.
 *
 * Context: Any thread; nobody else uses it any more.
 * Return: 0, -VMM_EBUSY while a vCPU runs; then nothing has changed.
 */
VMM_API int vmm_machine_destroy(struct vmm_machine *machine);

/** vmm_machine_vm() - Its VM. Owned by the machine. Context: Any. */
VMM_API struct vmm_vm *vmm_machine_vm(struct vmm_machine *machine);

/** vmm_machine_vcpus() - Number of its vCPUs; they are indexed from 0. Context: Any. */
VMM_API uint32_t vmm_machine_vcpus(struct vmm_machine *machine);

/** vmm_machine_profile() - Its profile, read-only. Context: Any. */
VMM_API const struct vmm_profile *vmm_machine_profile(struct vmm_machine *machine);

/** vmm_machine_variables() - vUEFI's variables, owned by the machine; NULL without. Context: Any.
 */
VMM_API struct vmm_uefi_vars *vmm_machine_variables(struct vmm_machine *machine);

/** vmm_machine_error() - Detail of the last failure on a machine; as vmm_ctx_error(). */
VMM_API int vmm_machine_error(struct vmm_machine *machine, struct vmm_error *error);

/**
 * vmm_machine_load_target() - The machine's memory, as a loader wants it.
 * @machine: Machine.
 * @target:  Filled: memory map, ACPI's root pointer, functions that write to the guest. Good as
 *           long as the machine. Its size is set by the caller.
 *
 * Ask for one for each load: the first, before anything has run, takes memory that it was not told
 * to write for zero, as it is.
 *
 * Context: Any thread, one at a time.
 * Return: 0, -VMM_EINVAL (size).
 */
VMM_API int vmm_machine_load_target(struct vmm_machine *machine, struct vmm_load_target *target);

/**
 * vmm_machine_fw_cfg_file() - Offer a file over fw_cfg.
 * @machine: Machine that is not sealed, with fw-cfg.enable.
 * @name:    Its name, 1 to 55 bytes: "opt/org.example/key".
 * @data:    Its bytes; stay the caller's, must outlive the machine.
 * @len:     How many.
 *
 * Context: Any thread.
 * Return: 0, -VMM_EINVAL, -VMM_EEXIST, -VMM_ELIMIT, -VMM_ENOTSUP (the profile has no fw_cfg),
 * -VMM_ESTATE.
 */
VMM_API int vmm_machine_fw_cfg_file(struct vmm_machine *machine, const char *name, const void *data,
				    uint32_t len);

/**
 * vmm_machine_load_bios() - Load a BIOS in the place of a kernel.
 * @machine: Machine with boot.firmware = bios; no vCPU is running.
 * @data:    Its image, whose last 16 bytes are at the reset vector.
 * @len:     Bytes, whole 64 KiB, at most 1 MiB; always the same.
 *
 * It stands read-only at the end of the first 4 GiB, and its last 128 KiB in RAM below 1 MiB. vCPU
 * 0 starts it as it is after vmm_machine_seal() and vmm_machine_reset(), after which it is to be
 * loaded anew. With fw-cfg.enable it is told of memory (etc/e820) and of the ACPI tables
 * (etc/table-loader); with legacy.rtc also of memory in the way of the first PCs.
 *
 * Context: Any thread; allocates.
 * Return: 0, -VMM_ENOTSUP, -VMM_EINVAL, -VMM_ESTATE (another length), -VMM_ENOMEM.
 */
VMM_API int vmm_machine_load_bios(struct vmm_machine *machine, const void *data, size_t len);

/** vmm_machine_pit() - Its interval timer (dev.h), or NULL: for its state. Context: Any. */
VMM_API struct vmm_pit *vmm_machine_pit(struct vmm_machine *machine);
/** vmm_machine_rtc() - Its clock. Context: Any. */
VMM_API struct vmm_rtc *vmm_machine_rtc(struct vmm_machine *machine);
/** vmm_machine_i8042() - Its keyboard controller, to type and to point. Context: Any. */
VMM_API struct vmm_i8042 *vmm_machine_i8042(struct vmm_machine *machine);

/**
 * vmm_machine_seal() - Fix the machine; from here on it can run.
 *
 * Context: Any thread; allocates.
 * Return: As vmm_vm_seal().
 */
VMM_API int vmm_machine_seal(struct vmm_machine *machine);

/**
 * vmm_machine_reset() - Bring processors, devices and tables to their power-on state.
 * @machine: Sealed machine; no vCPU is running.
 *
 * The event that stopped it is forgotten. The rest of RAM stays: load what is to run again, and set
 * vCPU 0's registers.
 *
 * Context: Any thread.
 * Return: As vmm_vm_reset().
 */
VMM_API int vmm_machine_reset(struct vmm_machine *machine);

/* What vmm_machine_run_vcpu() came back with. From OFF on they are the machine's: every vCPU is
 * fetched and tells the same, until vmm_machine_reset(). */
#define VMM_MACHINE_KICKED       1 /* vmm_vcpu_kick() or vmm_machine_kick() */
#define VMM_MACHINE_EXIT         2 /* an exit that is the embedder's: see it, and run again */
#define VMM_MACHINE_OFF          3 /* the guest has switched the machine off */
#define VMM_MACHINE_RESET        4 /* the guest wants a reset */
#define VMM_MACHINE_DEBUG_EXIT   5 /* the guest wrote to the debug-exit port: see @status */
#define VMM_MACHINE_TRIPLE_FAULT 6 /* a vCPU has shut down */
#define VMM_MACHINE_SLEEP        7 /* the guest sleeps: see @status, and vmm_machine_wake() */
#define VMM_MACHINE_ABSENT       8 /* not the machine's: this vCPU is not there, or not any more */
#define VMM_MACHINE_YIELD \
	9 /* not the machine's: its CPU is free; the exit tells why: IDLE, PREEMPTED, PAUSED */

/**
 * struct vmm_machine_run - Result of running.
 * @size:   sizeof(struct vmm_machine_run), set by the caller.
 * @reason: VMM_MACHINE_KICKED and so on.
 * @vcpu:   TRIPLE_FAULT: index of the vCPU that has shut down. Else 0.
 * @status: DEBUG_EXIT: (value << 1) | 1, as QEMU's isa-debug-exit gives to exit(). SLEEP: 1 for
 *          S1, 3 for S3. OFF: 4 if the guest went into S4, else 0.
 * @exit:   EXIT: the exit, and in: its answer, as for vmm_vcpu_run(). YIELD: for vmm_sched_next().
 */
struct vmm_machine_run {
	uint32_t size;
	uint32_t reason;
	uint32_t vcpu;
	uint32_t status;
	struct vmm_exit exit;
};

/**
 * vmm_machine_run_vcpu() - Run a vCPU until there is something the embedder must see.
 * @machine: Sealed machine.
 * @index:   Index of the vCPU.
 * @run:     In: where the last result was an exit, its answer: hand in the same structure. Out: the
 *           result.
 *
 * Accesses to ports and addresses where nothing is read as all ones and are dropped when written,
 * unless VMM_MACHINE_SEE_UNCLAIMED is set. While the guest is idle or the VM is paused it waits,
 * unless VMM_MACHINE_SEE_IDLE is set.
 *
 * Context: The vCPU's own thread or CPU, no lock held, not from a callback.
 * Return: 0, -VMM_EINVAL, -VMM_ENOENT (index), and what vmm_vcpu_run() gives, whose detail is in
 * vmm_vcpu_error().
 */
VMM_API int vmm_machine_run_vcpu(struct vmm_machine *machine, uint32_t index,
				 struct vmm_machine_run *run);

/**
 * vmm_machine_run_timers() - Call the machine's devices when their time has come.
 * @machine: Sealed machine with legacy.pit or legacy.rtc.
 *
 * Needed with engines whose vCPUs do not do it themselves (VMM_CAP_ALARM): give it a thread beside
 * those of the vCPUs. It comes back for vmm_machine_kick(), also for one made before, and so when
 * the machine stops.
 *
 * Context: A thread of its own that may sleep.
 * Return: 0, -VMM_ENOTSUP (there is nothing to be done).
 */
VMM_API int vmm_machine_run_timers(struct vmm_machine *machine);

/** vmm_machine_kick() - vmm_vcpu_kick() for every vCPU; ends vmm_machine_run_timers(). Context: As
 * vmm_vcpu_kick(). */
VMM_API void vmm_machine_kick(struct vmm_machine *machine);

/**
 * vmm_machine_console_input() - Bytes for the guest from the other end of a serial line.
 * @machine: Sealed machine.
 * @console: Number of the serial port, 0 to 3.
 * @data:    Bytes.
 * @len:     How many.
 * @taken:   Set to how many of them the port has taken, 0 to @len; console_room() tells when to
 *           offer the rest.
 *
 * Context: Any thread; not from console_write() of the same port.
 * Return: 0, -VMM_ENOENT (no such port).
 */
VMM_API int vmm_machine_console_input(struct vmm_machine *machine, uint32_t console,
				      const uint8_t *data, uint32_t len, uint32_t *taken);

/**
 * vmm_machine_power_button() - Press the power button.
 * @machine: Sealed machine.
 *
 * Context: Any thread.
 * Return: 0, -VMM_ENOTSUP (the profile has none), -VMM_ESTATE (not sealed).
 */
VMM_API int vmm_machine_power_button(struct vmm_machine *machine);

/**
 * vmm_machine_wake() - Wake a guest that sleeps.
 * @machine: Machine that has stopped with VMM_MACHINE_SLEEP; no vCPU is running.
 *
 * The event is forgotten, and every vCPU can run on from where it was. If the guest has left a
 * waking vector in S3, processors, interrupt controllers and devices are as at power-on instead,
 * and the first vCPU starts there.
 *
 * Context: Any thread; allocates.
 * Return: 0, -VMM_ESTATE (it does not sleep), -VMM_EFORMAT (waking vector), -VMM_ENOMEM, and
 * what vmm_vm_reset() gives.
 */
VMM_API int vmm_machine_wake(struct vmm_machine *machine);

/* --- Events, and what is plugged while the machine runs --- */

/** vmm_machine_sleep_button() - As vmm_machine_power_button(). */
VMM_API int vmm_machine_sleep_button(struct vmm_machine *machine);

/**
 * vmm_machine_set_temperature() - Change what the thermal zone measures; at first 25 degrees.
 * @machine: Machine with thermal.enable.
 * @tenths:  Tenths of a kelvin: 2732 is 0 degrees Celsius.
 *
 * Context: Any thread. Return: 0, -VMM_ENOTSUP.
 */
VMM_API int vmm_machine_set_temperature(struct vmm_machine *machine, uint32_t tenths);

/**
 * vmm_machine_report_error() - Tell the guest of a hardware error.
 * @machine: Sealed machine with ras.enable.
 * @block:   Generic error status block with its entries (ACPI 6.5, 18.3.2.7.1); copied.
 * @len:     Its bytes, at most 2,032.
 *
 * Context: Any thread, one at a time.
 * Return: 0, -VMM_EBUSY (the guest has not yet read the one before), -VMM_EINVAL, -VMM_ENOTSUP,
 * -VMM_ESTATE.
 */
VMM_API int vmm_machine_report_error(struct vmm_machine *machine, const void *block, size_t len);

/**
 * vmm_machine_new_generation() - Tell the guest that it is a copy.
 * @machine: Machine with vmgenid.enable.
 * @guid:    Its new identifier, 16 bytes in the order in which it is written.
 *
 * Context: Any thread. Return: 0, -VMM_ENOTSUP.
 */
VMM_API int vmm_machine_new_generation(struct vmm_machine *machine, const uint8_t guid[16]);

/**
 * vmm_machine_cpu_plug() - Put a CPU in.
 * @machine: Sealed machine with cpu.hotplug.
 * @vcpu:    Index of a vCPU that is absent.
 *
 * vmm_machine_run_vcpu() can be called for it from now on; the guest starts it.
 *
 * Context: Any thread.
 * Return: 0, -VMM_ENOTSUP, -VMM_ENOENT, -VMM_EEXIST (it is there), -VMM_ESTATE.
 */
VMM_API int vmm_machine_cpu_plug(struct vmm_machine *machine, uint32_t vcpu);

/**
 * vmm_machine_cpu_unplug() - Ask the guest to give up a CPU.
 *
 * When it has, its run comes back with VMM_MACHINE_ABSENT, and hotplug() is told.
 *
 * Context: Any thread.
 * Return: 0, -VMM_ENOTSUP (no hot plug, or the CPU that starts), -VMM_ENOENT (it is not there),
 * -VMM_ESTATE.
 */
VMM_API int vmm_machine_cpu_unplug(struct vmm_machine *machine, uint32_t vcpu);

/**
 * vmm_machine_memory_plug() - Put memory in.
 * @machine: Sealed machine with memory.slots.
 * @len:     Bytes, a multiple of 128 MiB.
 * @node:    Its NUMA node.
 * @slot:    Set to the slot it is in.
 *
 * Context: Any thread but not a callback of the bus; allocates.
 * Return: 0, -VMM_ENOTSUP, -VMM_EALIGN, -VMM_ERANGE (node; no such range of memory.hotplug is
 * free), -VMM_ENOENT (no slot is free), -VMM_ESTATE, and what vmm_mem_create() and vmm_vm_map()
 * give.
 */
VMM_API int vmm_machine_memory_plug(struct vmm_machine *machine, uint64_t len, uint32_t node,
				    uint32_t *slot);

/** vmm_machine_memory_unplug() - Ask the guest to give up memory. As vmm_machine_cpu_unplug(). */
VMM_API int vmm_machine_memory_unplug(struct vmm_machine *machine, uint32_t slot);

/**
 * vmm_machine_pci_plug() - Put a function into a slot of the PCI bus.
 * @machine: Sealed machine with pci.slots.
 * @device:  Its number on bus 0, from 1 to pci.slots.
 * @ops:     Its configuration space (dev.h); outlives it, as @opaque does.
 * @opaque:  For the callbacks.
 *
 * Context: Any thread.
 * Return: 0, -VMM_ENOTSUP, -VMM_ENOENT, -VMM_EEXIST, -VMM_EINVAL, -VMM_ESTATE.
 */
VMM_API int vmm_machine_pci_plug(struct vmm_machine *machine, uint32_t device,
				 const struct vmm_pci_function_ops *ops, void *opaque);

/** vmm_machine_pci_unplug() - Ask the guest to give it up. As vmm_machine_cpu_unplug(). */
VMM_API int vmm_machine_pci_unplug(struct vmm_machine *machine, uint32_t device);

VMM_END_DECLS

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#ifndef VMM_MACHINE_OBJECT_H
#define VMM_MACHINE_OBJECT_H

#include <stdatomic.h>

#include "libvmm/dev.h"
#include "libvmm/loader.h"
#include "libvmm/mem.h"
#include "libvmm/uefi.h"
#include "machine_plan.h"
#include "profile_keys.h"
#include "sync.h"

/* One of the serial ports. */
struct vmm__console {
	struct vmm_machine *machine;
	uint32_t index;
	struct vmm_uart *uart; /* NULL: the machine does not have it */
};

/* What a BIOS is told by fw_cfg, and how long it is (0: not yet loaded). */
struct vmm__bios {
	uint64_t len;
	uint32_t e820_count;
	uint8_t e820[20 * VMM__PLAN_RANGES];
	uint8_t rsdp[36];
	uint8_t loader[128];
	uint8_t console[8];
};

struct vmm_machine {
	struct vmm_ctx *ctx;
	const struct vmm_host *host;
	struct vmm_machine_config
		config; /* its pointers to profile, engine and variables are not used again */
	struct vmm_profile profile;
	struct vmm__plan plan;
	struct vmm_vm *vm;
	struct vmm__console console[VMM__PROFILE_SERIALS];
	struct vmm_power *power;
	struct vmm_debug_exit *debug_exit;
	struct vmm_fw_cfg *fw_cfg;
	struct vmm_pci_root *pci_root;
	struct vmm_uefi_vars *variables;
	struct vmm_slots *cpu_slots; /* NULL: the machine has none, as the next two */
	struct vmm_slots *memory_slots;
	struct vmm_slots *pci_slots;
	struct vmm__mutex plug_lock;
	struct vmm__span plugged[VMM__PROFILE_PLUGS]; /* under plug_lock; by slot, empty: none */
	struct vmm_pit *pit; /* NULL: the machine has none, as the next two */
	struct vmm_rtc *rtc;
	struct vmm_i8042 *i8042;
	struct vmm__bios bios;
	bool has_alarm; /* vCPU 0 comes back for timers; else vmm_machine_run_timers() waits */
	struct vmm__mutex timer_lock;
	uint64_t timer_ns[2];        /* under timer_lock; the PIT's and the RTC's next deadline */
	_Atomic uint32_t timer_word; /* changes with them */
	_Atomic uint32_t timer_end;  /* vmm_machine_run_timers() is to come back */
	struct vmm_uefi *uefi;
	uint64_t uefi_system; /* address of the system table, 0: no vUEFI */
	uint32_t load_range_count;
	struct vmm_load_range load_range[VMM__PLAN_RANGES];
	bool loaded; /* a load target was asked for: memory may have been written */
	_Atomic uint32_t sealed;
	/* What has stopped the machine (event.c), 0 while nothing has. */
	_Atomic uint64_t event;
	struct vmm__mutex error_lock;
	struct vmm_error error; /* under error_lock */
};

/* Keep a failure's detail, and give its code: of our own, or that of the object which failed. */
int vmm__machine_fail(struct vmm_machine *m, int code, const char *call, const char *fmt, ...)
	VMM__PRINTF(4, 5);
int vmm__machine_ctx_failed(struct vmm_machine *m, int code, const char *call);
int vmm__machine_vm_failed(struct vmm_machine *m, int code, const char *call);

/* The devices of the plan, with their regions in the VM. */
int vmm__machine_add_devices(struct vmm_machine *m);
void vmm__machine_reset_devices(struct vmm_machine *m);
/* After the VM has gone. */
void vmm__machine_destroy_devices(struct vmm_machine *m);

/* A device's region in the VM. */
int vmm__machine_add_region(struct vmm_machine *m, uint32_t space, uint64_t base, uint64_t len,
			    const struct vmm_region_ops *ops, void *device);

/* vUEFI (machine_uefi.c): its device, and what it has in memory when the guest starts. */
int vmm__machine_add_uefi(struct vmm_machine *m);
int vmm__machine_write_uefi(struct vmm_machine *m);

/* Hot plug (machine_hotplug.c): slots, and the pages by which errors and generations are told. */
int vmm__machine_add_hotplug(struct vmm_machine *m);
void vmm__machine_reset_hotplug(struct vmm_machine *m);
void vmm__machine_destroy_hotplug(struct vmm_machine *m);
int vmm__machine_write_pages(struct vmm_machine *m);
bool vmm__machine_cpu_present(struct vmm_machine *m, uint32_t index);

/* Legacy devices and the BIOS (machine_legacy.c). */
int vmm__machine_add_legacy(struct vmm_machine *m);
void vmm__machine_reset_legacy(struct vmm_machine *m);
void vmm__machine_destroy_legacy(struct vmm_machine *m);
void vmm__machine_end_timers(struct vmm_machine *m);
/* After the tables are there, and the map. */
int vmm__machine_tell_bios(struct vmm_machine *m);

int vmm__machine_map_ram(struct vmm_machine *m, uint64_t gpa, uint64_t len);

/* Stop the machine for a reason (VMM_MACHINE_OFF and on): the first one counts. */
void vmm__machine_stop(struct vmm_machine *m, uint32_t reason, uint32_t vcpu, uint32_t status);

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/dev.h - Emulated devices, one by one.
 *
 * For those who put a machine together themselves; machine.h does it for everybody else. A device
 * knows nothing of a VM: it serves a bus region, and raises interrupts and tells events through
 * callbacks.
 *
 *	vmm_uart_create(host, &config, &uart);
 *	vmm_region_add(vm, VMM_SPACE_PORT, 0x3f8, 8, vmm_uart_ops(), uart, &region);
 *
 * Take the region away before the device. Every device locks itself: all functions but create and
 * destroy may be called from any thread, and from all vCPUs at once. Callbacks named irq are made
 * with the device locked and must not call it back; all others without a lock.
 */
#ifndef LIBVMM_DEV_H
#define LIBVMM_DEV_H

#include "libvmm/bus.h"

VMM_BEGIN_DECLS

/* --- 16550A UART: 8 ports --- */

#define VMM_UART_PORTS 8

struct vmm_uart; /* opaque */

/**
 * struct vmm_uart_config - What a UART is made with.
 * @size:       sizeof(struct vmm_uart_config).
 * @flags:      0.
 * @opaque:     For the callbacks.
 * @irq:        The interrupt line is now @level; told when it changes. Required.
 * @output:     Bytes sent. From the vCPU's thread. NULL: dropped.
 * @input_room: vmm_uart_input() refused bytes, and now takes some again. May be NULL.
 *
 * Sending takes no time: what is slow is @output. Baud rate and parity are kept and mean nothing.
 */
struct vmm_uart_config {
	uint32_t size;
	uint32_t flags;
	void *opaque;
	void (*irq)(void *opaque, uint32_t level);
	void (*output)(void *opaque, const uint8_t *data, uint32_t len);
	void (*input_room)(void *opaque);
};

/** vmm_uart_create() - Context: Any thread; allocates. Return: 0, -VMM_EINVAL, -VMM_ENOMEM. */
VMM_API int vmm_uart_create(const struct vmm_host *host, const struct vmm_uart_config *config,
			    struct vmm_uart **uart);
/** vmm_uart_destroy() - NULL is allowed. */
VMM_API void vmm_uart_destroy(struct vmm_uart *uart);
/** vmm_uart_reset() - Registers to their power-on state; input that waits is dropped. */
VMM_API void vmm_uart_reset(struct vmm_uart *uart);
/** vmm_uart_ops() - Callbacks of its region, VMM_UART_PORTS long, with the UART as opaque. */
VMM_API const struct vmm_region_ops *vmm_uart_ops(void);
/** vmm_uart_input() - Offer received bytes. Return: how many were taken, 0 to @len. */
VMM_API uint32_t vmm_uart_input(struct vmm_uart *uart, const uint8_t *data, uint32_t len);

/* --- Power: events, sleep and reset registers --- */

/*
 * 32 addresses, ports or MMIO. ACPI 6.5, 4.8.3.7 (sleep), 4.8.3.6 (reset), 5.6.9 (Generic Event
 * Device). The line is raised, level-triggered, while an event is pending.
 */
#define VMM_POWER_LEN          32
#define VMM_POWER_EVENTS       0  /* 4 bytes, events pending; reading clears them */
#define VMM_POWER_SLEEP        4  /* 1 byte, sleep control register */
#define VMM_POWER_SLEEP_STATUS 5  /* 1 byte, sleep status register */
#define VMM_POWER_RESET        6  /* 1 byte, reset register: VMM_POWER_RESET_VALUE */
#define VMM_POWER_TEMPERATURE  8  /* 4 bytes, read-only, tenths of a kelvin */
#define VMM_POWER_PERFORMANCE  12 /* 4 bytes, the performance asked for; reads as written */
#define VMM_POWER_COUNTER      16 /* 4 bytes, read-only, microseconds that have passed */
#define VMM_POWER_LIMITED      20 /* 4 bytes, reads as 0: performance is not limited */

#define VMM_POWER_EVENT_BUTTON     (UINT32_C(1) << 0)
#define VMM_POWER_EVENT_SLEEP      (UINT32_C(1) << 1) /* sleep button */
#define VMM_POWER_EVENT_CPU        (UINT32_C(1) << 2) /* a slot of CPUs has an event */
#define VMM_POWER_EVENT_MEMORY     (UINT32_C(1) << 3)
#define VMM_POWER_EVENT_PCI        (UINT32_C(1) << 4)
#define VMM_POWER_EVENT_THERMAL    (UINT32_C(1) << 5) /* the temperature has changed */
#define VMM_POWER_EVENT_ERROR      (UINT32_C(1) << 6) /* a hardware error is recorded */
#define VMM_POWER_EVENT_GENERATION (UINT32_C(1) << 7) /* the generation identifier has changed */
#define VMM_POWER_RESET_VALUE      1
#define VMM_POWER_S5               5 /* sleep type of soft off, and so on down to S1 */

struct vmm_power; /* opaque */

/**
 * struct vmm_power_config - What the power registers are made with.
 * @size:   sizeof(struct vmm_power_config).
 * @flags:  0.
 * @opaque: For the callbacks.
 * @irq:    The interrupt line is now @level. Required.
 * @event:  The guest asked for VMM_SYSTEM_OFF or VMM_SYSTEM_RESET (exit.h). Required.
 * @sleep:  The guest asked for sleep state @state, 1 to 4. NULL: nothing happens.
 */
struct vmm_power_config {
	uint32_t size;
	uint32_t flags;
	void *opaque;
	void (*irq)(void *opaque, uint32_t level);
	void (*event)(void *opaque, uint32_t what);
	void (*sleep)(void *opaque, uint32_t state);
};

/** vmm_power_create() - Context: Any thread; allocates. Return: 0, -VMM_EINVAL, -VMM_ENOMEM. */
VMM_API int vmm_power_create(const struct vmm_host *host, const struct vmm_power_config *config,
			     struct vmm_power **power);
/** vmm_power_destroy() - NULL is allowed. */
VMM_API void vmm_power_destroy(struct vmm_power *power);
/** vmm_power_reset() - No event pending, nothing asked for. */
VMM_API void vmm_power_reset(struct vmm_power *power);
/** vmm_power_ops() - Callbacks of its region, VMM_POWER_LEN long. */
VMM_API const struct vmm_region_ops *vmm_power_ops(void);
/** vmm_power_notify() - Raise VMM_POWER_EVENT_ bits. */
VMM_API void vmm_power_notify(struct vmm_power *power, uint32_t events);
/** vmm_power_button() - Press the button. */
VMM_API void vmm_power_button(struct vmm_power *power);
/** vmm_power_wake() - Set WAK_STS, for which a guest in S1 waits. */
VMM_API void vmm_power_wake(struct vmm_power *power);
/** vmm_power_set_temperature() - In tenths of a kelvin; 0 at first. Raises no event. */
VMM_API void vmm_power_set_temperature(struct vmm_power *power, uint32_t tenths);
/** vmm_power_performance() - What the guest has last written to VMM_POWER_PERFORMANCE. */
VMM_API uint32_t vmm_power_performance(struct vmm_power *power);

/* --- Slots: what can be plugged and ejected --- */

/*
 * 64 addresses, ports or MMIO, registers of 4 bytes. They serve methods of ACPI (6.5, 6.3): _STA,
 * _EJ0, _OST, and one that finds the slots with events. All but SELECT and NEXT are those of the
 * selected slot, and are zero where there is no such slot.
 */
#define VMM_SLOTS_LEN        64
#define VMM_SLOTS_SELECT     0x00 /* number of the slot */
#define VMM_SLOTS_STATUS     0x04 /* VMM_SLOT_ bits; writing takes VMM_SLOT_'s "write" ones */
#define VMM_SLOTS_OST_EVENT  0x08 /* write-only, first argument of _OST */
#define VMM_SLOTS_OST_STATUS 0x0c /* write-only, the second one: hands both over */
#define VMM_SLOTS_NEXT       0x10 /* read-only, the lowest slot with an event, all ones: none */
#define VMM_SLOTS_NODE       0x14 /* read-only, its NUMA node */
#define VMM_SLOTS_BASE       0x18 /* 8 bytes, read-only, addresses of what is in it */
#define VMM_SLOTS_BYTES      0x20 /* 8 bytes, read-only, how many */

#define VMM_SLOT_PRESENT  (UINT32_C(1) << 0) /* something is in it */
#define VMM_SLOT_INSERTED (UINT32_C(1) << 1) /* event: it has come; write: has been seen */
#define VMM_SLOT_REMOVE   (UINT32_C(1) << 2) /* event: it is to go; write: has been seen */
#define VMM_SLOT_EJECT    (UINT32_C(1) << 3) /* write: take it out */

struct vmm_slots; /* opaque */

/**
 * struct vmm_slots_config - What a set of slots is made with.
 * @size:   sizeof(struct vmm_slots_config).
 * @count:  Slots, 1 or more.
 * @opaque: For the callbacks.
 * @event:  A slot has an event: tell the guest. Required.
 * @eject:  The guest has ejected what was in @slot; it is not present any more. Required.
 * @ost:    The guest says how an event went: the arguments of _OST (ACPI 6.5, 6.3.5). May be NULL.
 */
struct vmm_slots_config {
	uint32_t size;
	uint32_t count;
	void *opaque;
	void (*event)(void *opaque);
	void (*eject)(void *opaque, uint32_t slot);
	void (*ost)(void *opaque, uint32_t slot, uint32_t event, uint32_t status);
};

/* Flags of struct vmm_slot. */
#define VMM_SLOT_F_QUIET (UINT32_C(1) << 0) /* no event: it is there from the start */
#define VMM_SLOT_F_FIXED (UINT32_C(1) << 1) /* the guest cannot eject it */

/** struct vmm_slot - What is put into a slot; @base and @len in bytes, 0 for what has none. */
struct vmm_slot {
	uint32_t size; /* of this struct */
	uint32_t flags;
	uint32_t node;
	uint32_t reserved; /* zero */
	uint64_t base;
	uint64_t len;
};

/** vmm_slots_create() - Context: Any thread; allocates. Return: 0, -VMM_EINVAL, -VMM_ENOMEM. */
VMM_API int vmm_slots_create(const struct vmm_host *host, const struct vmm_slots_config *config,
			     struct vmm_slots **slots);
/** vmm_slots_destroy() - NULL is allowed. */
VMM_API void vmm_slots_destroy(struct vmm_slots *slots);
/** vmm_slots_reset() - No slot selected, no event; what is in them stays. */
VMM_API void vmm_slots_reset(struct vmm_slots *slots);
/** vmm_slots_ops() - Callbacks of its region, VMM_SLOTS_LEN long. */
VMM_API const struct vmm_region_ops *vmm_slots_ops(void);
/** vmm_slots_insert() - Fill a slot. Return: 0, -VMM_EINVAL, -VMM_ENOENT, -VMM_EEXIST (full). */
VMM_API int vmm_slots_insert(struct vmm_slots *slots, uint32_t slot, const struct vmm_slot *what);
/** vmm_slots_remove() - Ask the guest to eject. Return: 0, -VMM_ENOENT (no such slot, or empty),
 * -VMM_ENOTSUP (fixed). */
VMM_API int vmm_slots_remove(struct vmm_slots *slots, uint32_t slot);
/** vmm_slots_empty() - Empty a slot without asking. Return: 0, -VMM_ENOENT. */
VMM_API int vmm_slots_empty(struct vmm_slots *slots, uint32_t slot);
/** vmm_slots_get() - What is in a slot. Return: 0, -VMM_ENOENT (no such slot, or empty). */
VMM_API int vmm_slots_get(struct vmm_slots *slots, uint32_t slot, struct vmm_slot *what);

/* --- Debug exit: 4 ports --- */

#define VMM_DEBUG_EXIT_PORTS 4

struct vmm_debug_exit; /* opaque */

/**
 * struct vmm_debug_exit_config - What the debug-exit port is made with.
 * @size:   sizeof(struct vmm_debug_exit_config).
 * @flags:  0.
 * @opaque: For the callback.
 * @exit:   The guest wrote a value: @status is (value << 1) | 1. Required.
 */
struct vmm_debug_exit_config {
	uint32_t size;
	uint32_t flags;
	void *opaque;
	void (*exit)(void *opaque, uint32_t status);
};

/** vmm_debug_exit_create() - Context: Any thread; allocates. Return: 0, -VMM_EINVAL, -VMM_ENOMEM.
 */
VMM_API int vmm_debug_exit_create(const struct vmm_host *host,
				  const struct vmm_debug_exit_config *config,
				  struct vmm_debug_exit **debug_exit);
/** vmm_debug_exit_destroy() - NULL is allowed. */
VMM_API void vmm_debug_exit_destroy(struct vmm_debug_exit *debug_exit);
/** vmm_debug_exit_ops() - Callbacks of its region, VMM_DEBUG_EXIT_PORTS long. */
VMM_API const struct vmm_region_ops *vmm_debug_exit_ops(void);

/* --- fw_cfg: 12 ports --- */

/*
 * QEMU's firmware configuration device, as its documentation (docs/specs/fw_cfg) describes it:
 * selector and data port, file directory, DMA.
 */
#define VMM_FW_CFG_PORTS 12

/* Longest name of a file, without the NUL; most files. */
#define VMM_FW_CFG_NAME_MAX  55
#define VMM_FW_CFG_FILES_MAX 32

struct vmm_fw_cfg; /* opaque */

/**
 * struct vmm_fw_cfg_config - What fw_cfg is made with.
 * @size:   sizeof(struct vmm_fw_cfg_config).
 * @flags:  0.
 * @opaque: For the callbacks.
 * @read:   Copies @len bytes out of guest memory: 0 or negative. With @write NULL: no DMA.
 * @write:  Copies @len bytes into guest memory: 0 or negative.
 */
struct vmm_fw_cfg_config {
	uint32_t size;
	uint32_t flags;
	void *opaque;
	int (*read)(void *opaque, uint64_t gpa, void *buf, size_t len);
	int (*write)(void *opaque, uint64_t gpa, const void *buf, size_t len);
};

/** vmm_fw_cfg_create() - Context: Any thread; allocates. Return: 0, -VMM_EINVAL, -VMM_ENOMEM. */
VMM_API int vmm_fw_cfg_create(const struct vmm_host *host, const struct vmm_fw_cfg_config *config,
			      struct vmm_fw_cfg **fw_cfg);
/** vmm_fw_cfg_destroy() - NULL is allowed. */
VMM_API void vmm_fw_cfg_destroy(struct vmm_fw_cfg *fw_cfg);
/** vmm_fw_cfg_reset() - Nothing selected; the files stay. */
VMM_API void vmm_fw_cfg_reset(struct vmm_fw_cfg *fw_cfg);
/** vmm_fw_cfg_ops() - Callbacks of its region, VMM_FW_CFG_PORTS long. */
VMM_API const struct vmm_region_ops *vmm_fw_cfg_ops(void);
/**
 * vmm_fw_cfg_add() - Offer a file.
 * @fw_cfg: Device.
 * @name:   Its name, copied.
 * @data:   Its bytes; stay the caller's, must outlive the device.
 * @len:    How many.
 *
 * Return: 0, -VMM_EINVAL (name), -VMM_EEXIST, -VMM_ELIMIT (too many).
 */
VMM_API int vmm_fw_cfg_add(struct vmm_fw_cfg *fw_cfg, const char *name, const void *data,
			   uint32_t len);

/* --- PCI Express root bus: ECAM, and 8 ports --- */

/* ECAM (PCI Express Base 5.0, 7.2.2): 1 MiB for each bus, the first of them bus 0. */
#define VMM_ECAM_BUS_LEN (UINT64_C(1) << 20)

/* CONFIG_ADDRESS and CONFIG_DATA (PCI Local Bus 3.0, 3.2.2.3.2), at 0xcf8 on a PC. */
#define VMM_PCI_ROOT_PORTS 8

struct vmm_pci_root; /* opaque */

/**
 * struct vmm_pci_root_config - What a root bus is made with.
 * @size:  sizeof(struct vmm_pci_root_config).
 * @flags: 0.
 *
 * There is a host bridge on it, without registers, and what vmm_pci_root_attach() puts there.
 */
struct vmm_pci_root_config {
	uint32_t size;
	uint32_t flags;
};

/** vmm_pci_root_create() - Context: Any thread; allocates. Return: 0, -VMM_EINVAL, -VMM_ENOMEM. */
VMM_API int vmm_pci_root_create(const struct vmm_host *host,
				const struct vmm_pci_root_config *config,
				struct vmm_pci_root **root);
/** vmm_pci_root_destroy() - NULL is allowed. */
VMM_API void vmm_pci_root_destroy(struct vmm_pci_root *root);
/**
 * struct vmm_pci_function_ops - A function's configuration space.
 * @size:  sizeof(struct vmm_pci_function_ops).
 * @flags: 0.
 * @read:  The value of @width bytes (1, 2 or 4) at @reg, below 4096.
 * @write: The same.
 *
 * Called with the root bus locked: do not call it back.
 */
struct vmm_pci_function_ops {
	uint32_t size;
	uint32_t flags;
	uint32_t (*read)(void *opaque, uint32_t reg, uint32_t width);
	void (*write)(void *opaque, uint32_t reg, uint32_t width, uint32_t value);
};

/**
 * vmm_pci_root_attach() - Put a function on bus 0.
 * @root:     Root bus.
 * @function: Device * 8 + function, 1 to 255.
 * @ops:      Its configuration space; both are required, and outlive it.
 * @opaque:   For the callbacks.
 *
 * Return: 0, -VMM_EINVAL, -VMM_ERANGE (function), -VMM_EEXIST.
 */
VMM_API int vmm_pci_root_attach(struct vmm_pci_root *root, uint32_t function,
				const struct vmm_pci_function_ops *ops, void *opaque);
/** vmm_pci_root_detach() - Take it away; no call is made any more. Return: 0, -VMM_ENOENT. */
VMM_API int vmm_pci_root_detach(struct vmm_pci_root *root, uint32_t function);
/** vmm_pci_root_reset() - No address selected. */
VMM_API void vmm_pci_root_reset(struct vmm_pci_root *root);
/** vmm_pci_root_ecam_ops() - Callbacks of its ECAM, VMM_ECAM_BUS_LEN for each bus. */
VMM_API const struct vmm_region_ops *vmm_pci_root_ecam_ops(void);
/** vmm_pci_root_port_ops() - Callbacks of its ports, VMM_PCI_ROOT_PORTS long. */
VMM_API const struct vmm_region_ops *vmm_pci_root_port_ops(void);

VMM_END_DECLS

#endif

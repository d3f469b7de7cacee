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

/* --- 8254 interval timer: 4 ports, and port B --- */

/* Counters 0 to 2 and the control word (at 0x40 on a PC); counter 2's gate, the speaker (which is
 * not heard) and OUT 2 (0x61). */
#define VMM_PIT_PORTS        4
#define VMM_PIT_PORT_B_PORTS 1

#define VMM_PIT_HZ UINT64_C(1193182)

struct vmm_pit; /* opaque */

/**
 * struct vmm_pit_config - What an interval timer is made with.
 * @size:   sizeof(struct vmm_pit_config).
 * @flags:  0.
 * @opaque: For the callbacks.
 * @irq:    Counter 0's output is now @level. The falls of modes 2 and 3 are told with the next
 * rise. Required.
 * @timer:  Call vmm_pit_tick() when the host's time_ns() reaches @deadline_ns, until it says
 *          otherwise; VMM_FOREVER: not at all. Made with the device locked, as irq. Required.
 *
 * Periods that have gone by when vmm_pit_tick() comes late are told as one; periods below 100 us
 * are told every 100 us.
 */
struct vmm_pit_config {
	uint32_t size;
	uint32_t flags;
	void *opaque;
	void (*irq)(void *opaque, uint32_t level);
	void (*timer)(void *opaque, uint64_t deadline_ns);
};

/** struct vmm_pit_counter - A counter's state. Clocks are of VMM_PIT_HZ; flags are 0 or 1. */
struct vmm_pit_counter {
	uint64_t start;     /* clock at which the count was loaded; two's complement */
	uint64_t switch_at; /* clock at which the next one is */
	uint64_t held;      /* clocks counted when the gate stopped it */
	uint32_t count;     /* loaded, 1 to 65536 */
	uint32_t next;      /* to be loaded */
	uint32_t residue;   /* what is read before anything is loaded */
	uint16_t latch;
	uint8_t status; /* latched */
	uint8_t low;    /* first byte of a count */
	uint8_t mode;   /* 0 to 5 */
	uint8_t rw;     /* 1 low byte, 2 high byte, 3 both; 0 never programmed */
	uint8_t bcd;
	uint8_t gate;
	uint8_t loaded;
	uint8_t waiting;    /* @next waits for @switch_at or the gate */
	uint8_t programmed; /* a count has been written since the control word */
	uint8_t paused;     /* by the gate */
	uint8_t high_next;
	uint8_t read_high;
	uint8_t count_latched;
	uint8_t status_latched;
};

#define VMM_PIT_STATE_VERSION 1

/** struct vmm_pit_state - Saved state; @size and @version first. Clock 0 is when it was saved. */
struct vmm_pit_state {
	uint32_t size; /* of this struct */
	uint32_t version;
	uint32_t port_b;
	uint32_t level; /* of counter 0's output, for who restores the line */
	struct vmm_pit_counter counter[3];
};

/** vmm_pit_create() - Context: Any thread; allocates. Return: 0, -VMM_EINVAL, -VMM_ENOMEM. */
VMM_API int vmm_pit_create(const struct vmm_host *host, const struct vmm_pit_config *config,
			   struct vmm_pit **pit);
/** vmm_pit_destroy() - NULL is allowed. */
VMM_API void vmm_pit_destroy(struct vmm_pit *pit);
/** vmm_pit_reset() - No counter is programmed. */
VMM_API void vmm_pit_reset(struct vmm_pit *pit);
/** vmm_pit_ops() - Callbacks of its region, VMM_PIT_PORTS long. */
VMM_API const struct vmm_region_ops *vmm_pit_ops(void);
/** vmm_pit_port_b_ops() - Callbacks of port B's region, VMM_PIT_PORT_B_PORTS long. */
VMM_API const struct vmm_region_ops *vmm_pit_port_b_ops(void);
/** vmm_pit_tick() - The time has come; harmless at any other. */
VMM_API void vmm_pit_tick(struct vmm_pit *pit);
/** vmm_pit_get_state() - Save; @state->size is set. Return: 0, -VMM_EINVAL. */
VMM_API int vmm_pit_get_state(struct vmm_pit *pit, struct vmm_pit_state *state);
/** vmm_pit_set_state() - Go on from there. Return: 0, -VMM_EINVAL (size, version), -VMM_ERANGE. */
VMM_API int vmm_pit_set_state(struct vmm_pit *pit, const struct vmm_pit_state *state);

/* --- MC146818 real-time clock: 2 ports --- */

/* Index and data (at 0x70 on a PC). */
#define VMM_RTC_PORTS 2
#define VMM_RTC_BYTES 128 /* registers 0 to 13, then memory; the century is byte 50 */

struct vmm_rtc; /* opaque */

/**
 * struct vmm_rtc_config - What a clock is made with.
 * @size:   sizeof(struct vmm_rtc_config).
 * @flags:  0.
 * @opaque: For the callbacks.
 * @irq:    The interrupt line is now @level. Required.
 * @timer:  Call vmm_rtc_tick() then, as with struct vmm_pit_config. Required.
 *
 * It starts with the host's wall_ns(), or at 1970, and runs by time_ns(). An interrupt is raised
 * once until the guest reads register C, however many periods that takes.
 */
struct vmm_rtc_config {
	uint32_t size;
	uint32_t flags;
	void *opaque;
	void (*irq)(void *opaque, uint32_t level);
	void (*timer)(void *opaque, uint64_t deadline_ns);
};

#define VMM_RTC_STATE_VERSION 1

/**
 * struct vmm_rtc_state - Saved state.
 * @size:     sizeof(struct vmm_rtc_state).
 * @version:  VMM_RTC_STATE_VERSION.
 * @seconds:  Time of the clock, since the 1st of January of the year 0 (Gregorian).
 * @fraction: Nanoseconds of the current second.
 * @index:    Port 0x70.
 * @bytes:    All bytes, those of the time as the guest would read them.
 *
 * A restored clock goes on from there.
 */
struct vmm_rtc_state {
	uint32_t size;
	uint32_t version;
	uint64_t seconds;
	uint32_t fraction;
	uint32_t index;
	uint8_t bytes[VMM_RTC_BYTES];
};

/** vmm_rtc_create() - Context: Any thread; allocates. Return: 0, -VMM_EINVAL, -VMM_ENOMEM. */
VMM_API int vmm_rtc_create(const struct vmm_host *host, const struct vmm_rtc_config *config,
			   struct vmm_rtc **rtc);
/** vmm_rtc_destroy() - NULL is allowed. */
VMM_API void vmm_rtc_destroy(struct vmm_rtc *rtc);
/** vmm_rtc_reset() - The chip's RESET: interrupts off; time and memory stay. */
VMM_API void vmm_rtc_reset(struct vmm_rtc *rtc);
/** vmm_rtc_ops() - Callbacks of its region, VMM_RTC_PORTS long. */
VMM_API const struct vmm_region_ops *vmm_rtc_ops(void);
/** vmm_rtc_tick() - The time has come; harmless at any other. */
VMM_API void vmm_rtc_tick(struct vmm_rtc *rtc);
/** vmm_rtc_store() - Write a byte of its memory, 14 to 127. Return: 0, -VMM_ERANGE. */
VMM_API int vmm_rtc_store(struct vmm_rtc *rtc, uint32_t index, uint32_t value);
/** vmm_rtc_get_state() - Save; @state->size is set. Return: 0, -VMM_EINVAL. */
VMM_API int vmm_rtc_get_state(struct vmm_rtc *rtc, struct vmm_rtc_state *state);
/** vmm_rtc_set_state() - Go on from there. Return: 0, -VMM_EINVAL (size, version), -VMM_ERANGE. */
VMM_API int vmm_rtc_set_state(struct vmm_rtc *rtc, const struct vmm_rtc_state *state);

/* --- i8042 keyboard controller: ports 0x60 and 0x64, and port A --- */

#define VMM_I8042_PORTS        1 /* each of the two regions: data, and command */
#define VMM_I8042_PORT_A_PORTS 1 /* 0x92: A20 and a fast reset */

struct vmm_i8042; /* opaque */

/**
 * struct vmm_i8042_config - What a keyboard controller is made with.
 * @size:         sizeof(struct vmm_i8042_config).
 * @flags:        0.
 * @opaque:       For the callbacks.
 * @keyboard_irq: The keyboard's interrupt line is now @level. Required.
 * @mouse_irq:    The mouse's. Required.
 * @reset:        The guest asks for a reset. Required.
 *
 * A keyboard (scan code set 2, translated as the guest chooses) and a mouse of three buttons are
 * connected. The A20 gate reads as written and gates nothing.
 */
struct vmm_i8042_config {
	uint32_t size;
	uint32_t flags;
	void *opaque;
	void (*keyboard_irq)(void *opaque, uint32_t level);
	void (*mouse_irq)(void *opaque, uint32_t level);
	void (*reset)(void *opaque);
};

#define VMM_I8042_QUEUE 32 /* bytes that wait, of each source */

/** struct vmm_i8042_queue - Bytes that wait: @count of them, the next one first. */
struct vmm_i8042_queue {
	uint32_t count;
	uint8_t bytes[VMM_I8042_QUEUE];
};

#define VMM_I8042_STATE_VERSION 1

/** struct vmm_i8042_state - Saved state; @size and @version first. */
struct vmm_i8042_state {
	uint32_t size; /* of this struct */
	uint32_t version;
	uint8_t status;           /* port 0x64 */
	uint8_t output;           /* port 0x60 */
	uint8_t command;          /* a command that waits for its byte, or 0 */
	uint8_t outport;          /* output port, whose bit 1 is A20 */
	uint8_t ram[32];          /* of the controller; byte 0 is the command byte */
	uint8_t keyboard_command; /* as @command, of the keyboard */
	uint8_t keyboard_scans;
	uint8_t keyboard_break; /* the next code is one of a key released */
	uint8_t keyboard_last;  /* byte, for "resend" */
	uint8_t mouse_command;
	uint8_t mouse_streams; /* reports what happens */
	uint8_t mouse_remote;  /* reports when asked */
	uint8_t mouse_wraps;   /* echoes */
	uint8_t mouse_rate;
	uint8_t mouse_resolution;
	uint8_t mouse_scaling;
	uint8_t mouse_buttons;
	struct vmm_i8042_queue replies; /* the controller's own */
	struct vmm_i8042_queue keyboard;
	struct vmm_i8042_queue mouse;
};

/** vmm_i8042_create() - Context: Any thread; allocates. Return: 0, -VMM_EINVAL, -VMM_ENOMEM. */
VMM_API int vmm_i8042_create(const struct vmm_host *host, const struct vmm_i8042_config *config,
			     struct vmm_i8042 **i8042);
/** vmm_i8042_destroy() - NULL is allowed. */
VMM_API void vmm_i8042_destroy(struct vmm_i8042 *i8042);
/** vmm_i8042_reset() - As at power-on. */
VMM_API void vmm_i8042_reset(struct vmm_i8042 *i8042);
/** vmm_i8042_data_ops() - Callbacks of the data port's region. */
VMM_API const struct vmm_region_ops *vmm_i8042_data_ops(void);
/** vmm_i8042_command_ops() - Callbacks of the command port's. */
VMM_API const struct vmm_region_ops *vmm_i8042_command_ops(void);
/** vmm_i8042_port_a_ops() - Callbacks of port A's, VMM_I8042_PORT_A_PORTS long. */
VMM_API const struct vmm_region_ops *vmm_i8042_port_a_ops(void);
/** vmm_i8042_keys() - The keyboard sends codes of set 2. Return: how many were taken: all, or none
 * while there is no room or the guest has switched it off. */
VMM_API uint32_t vmm_i8042_keys(struct vmm_i8042 *i8042, const uint8_t *codes, uint32_t len);
/** vmm_i8042_mouse() - The mouse has moved (right and up are positive), its buttons are @buttons (1
 * left, 2 right, 4 middle). Return: 1, or 0 while it cannot report. */
VMM_API uint32_t vmm_i8042_mouse(struct vmm_i8042 *i8042, int32_t dx, int32_t dy, uint32_t buttons);
/** vmm_i8042_get_state() - Save; @state->size is set. Return: 0, -VMM_EINVAL. */
VMM_API int vmm_i8042_get_state(struct vmm_i8042 *i8042, struct vmm_i8042_state *state);
/** vmm_i8042_set_state() - Go on from there. Return: 0, -VMM_EINVAL (size, version), -VMM_ERANGE.
 */
VMM_API int vmm_i8042_set_state(struct vmm_i8042 *i8042, const struct vmm_i8042_state *state);

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

/* CONFIG_ADDRESS and CONFIG_DATA (PCI Local Bus 3.0, 3.2.2.3.2), at 0xcf8 on a PC, and where the
 * configuration has a reset(), the reset control register of PCs' chipsets at the second byte. */
#define VMM_PCI_ROOT_PORTS 8

struct vmm_pci_root; /* opaque */

/**
 * struct vmm_pci_root_config - What a root bus is made with.
 * @size:   sizeof(struct vmm_pci_root_config).
 * @flags:  0.
 * @opaque: Passed to reset().
 * @reset:  The guest has written bit 2 of the reset control register (Intel ICH10, 319973, 13.7.5,
 *          "RST_CNT"). Called without locks. NULL: there is none.
 *
 * There is a host bridge on it, without registers, and what vmm_pci_root_attach() puts there.
 */
struct vmm_pci_root_config {
	uint32_t size;
	uint32_t flags;
	void *opaque;
	void (*reset)(void *opaque);
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

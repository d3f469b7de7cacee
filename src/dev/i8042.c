// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Keyboard controller of a PC/AT with the PS/2's second channel, a keyboard and a mouse. Sources:
 * IBM Personal System/2 Hardware Interface Technical Reference (S84F-9808), "Keyboard and Auxiliary
 * Device Controller", "Keyboard (101- and 102-key)" and "Mouse", whose commands are named here by
 * their numbers.
 *
 * A byte goes from a queue to the output buffer when the guest has read the one before it: first
 * what the controller itself answers, then the keyboard's, then the mouse's.
 */
#include "bits.h"
#include "libvmm/dev.h"
#include "mem.h"
#include "sized.h"
#include "sync.h"

/* Port 0x64, read */
#define STATUS_FULL    0x01u
#define STATUS_SYSTEM  0x04u
#define STATUS_COMMAND 0x08u
#define STATUS_ENABLED 0x10u /* not locked by a key */
#define STATUS_MOUSE   0x20u

/* Command byte */
#define CB_KEYBOARD_IRQ 0x01u
#define CB_MOUSE_IRQ    0x02u
#define CB_SYSTEM       0x04u
#define CB_KEYBOARD_OFF 0x10u
#define CB_MOUSE_OFF    0x20u
#define CB_TRANSLATE    0x40u

#define OUT_RUNS 0x01u /* 0: the processor is reset */
#define OUT_A20  0x02u
#define OUT_IRQ  0x10u /* keyboard's, mouse's one above */

#define PORT_A_RESET 0x01u
#define PORT_A_A20   0x02u

#define ACK    0xfau
#define RESEND 0xfeu
#define PASSED 0xaau
#define BREAK  0xf0u

struct vmm_i8042 {
	const struct vmm_host *host;
	struct vmm_i8042_config config;
	struct vmm__mutex lock; /* for all below */
	struct vmm_i8042_state s;
	uint32_t keyboard_level; /* as last told */
	uint32_t mouse_level;
	bool reset; /* asked for, to be told without the lock */
};

/* --- queues --- */

static uint32_t room(const struct vmm_i8042_queue *q)
{
	return VMM_I8042_QUEUE - q->count;
}

/* The longest answer to a command: what has happened leaves room for it. */
#define ANSWER 4

static bool has_room(const struct vmm_i8042_queue *q, uint32_t len)
{
	return room(q) >= ANSWER && len <= room(q) - ANSWER;
}

/* What does not fit is lost. */
static void put(struct vmm_i8042_queue *q, uint32_t byte)
{
	if (room(q) > 0)
		q->bytes[q->count++] = (uint8_t)byte;
}

static uint8_t get(struct vmm_i8042_queue *q)
{
	uint8_t byte = q->bytes[0];

	q->count--;
	memmove(q->bytes, q->bytes + 1, q->count);
	return byte;
}

/* From set 2 to set 1, as the controller does it; a key's release is its code with bit 7. */
static uint8_t translated(uint8_t code)
{
	static const uint8_t set1[128] = {
		0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e,
		0x0f, 0x29, 0x59, 0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71,
		0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b, 0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04,
		0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d, 0x69, 0x31, 0x30, 0x23,
		0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f, 0x6b,
		0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19,
		0x0c, 0x61, 0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c,
		0x1b, 0x75, 0x2b, 0x63, 0x76, 0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b,
		0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f, 0x52, 0x53, 0x50, 0x4c, 0x4d,
		0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
	};

	if (code == 0x83)
		return 0x41;
	if (code == 0x84)
		return 0x54;
	return code < 128 ? set1[code] : code;
}

/* The next byte of the keyboard as the guest gets it. False: it was only a prefix. */
static bool next_key(struct vmm_i8042_state *s, uint8_t *byte)
{
	*byte = s->keyboard_last = get(&s->keyboard);
	if (!(s->ram[0] & CB_TRANSLATE))
		return true;
	if (*byte == BREAK) {
		s->keyboard_break = 1;
		return false;
	}
	*byte = translated(*byte) | (s->keyboard_break ? 0x80 : 0);
	s->keyboard_break = 0;
	return true;
}

static void fill(struct vmm_i8042_state *s, uint8_t byte, uint32_t status)
{
	s->output = byte;
	s->status = (uint8_t)((s->status & ~STATUS_MOUSE) | STATUS_FULL | status);
}

static void next_byte(struct vmm_i8042_state *s)
{
	uint8_t byte;

	while (!(s->status & STATUS_FULL)) {
		if (s->replies.count > 0) {
			fill(s, get(&s->replies), 0);
		} else if (s->keyboard.count > 0 && !(s->ram[0] & CB_KEYBOARD_OFF)) {
			if (next_key(s, &byte))
				fill(s, byte, 0);
		} else if (s->mouse.count > 0 && !(s->ram[0] & CB_MOUSE_OFF)) {
			fill(s, get(&s->mouse), STATUS_MOUSE);
		} else {
			return;
		}
	}
}

static void tell(struct vmm_i8042 *k, bool mouse, uint32_t level)
{
	uint32_t *told = mouse ? &k->mouse_level : &k->keyboard_level;

	if (*told == level)
		return;
	*told = level;
	(mouse ? k->config.mouse_irq : k->config.keyboard_irq)(k->config.opaque, level);
}

static void update(struct vmm_i8042 *k)
{
	uint32_t full, mouse, cb;

	next_byte(&k->s);
	cb = k->s.ram[0];
	full = (k->s.status & STATUS_FULL) != 0;
	mouse = (k->s.status & STATUS_MOUSE) != 0;
	tell(k, false, full && !mouse && (cb & CB_KEYBOARD_IRQ) != 0);
	tell(k, true, full && mouse && (cb & CB_MOUSE_IRQ) != 0);
}

/* --- keyboard --- */

static void keyboard_defaults(struct vmm_i8042_state *s, bool scans)
{
	s->keyboard.count = 0;
	s->keyboard_scans = scans;
	s->keyboard_command = 0;
}

/* The byte that a command waited for: indicators, rate, or scan code set (0 asks for it). */
static void keyboard_argument(struct vmm_i8042_state *s, uint8_t value)
{
	bool set = s->keyboard_command == 0xf0;

	s->keyboard_command = 0;
	if (set && value != 0 && value != 2) {
		put(&s->keyboard, RESEND); /* there is set 2 alone */
		return;
	}
	put(&s->keyboard, ACK);
	if (set && value == 0)
		put(&s->keyboard, 2);
}

static void keyboard_command(struct vmm_i8042_state *s, uint8_t value)
{
	if (s->keyboard_command != 0 && value < 0xed) {
		keyboard_argument(s, value);
		return;
	}
	s->keyboard_command = 0;
	switch (value) {
	case 0xee: /* echo */
		put(&s->keyboard, 0xee);
		return;
	case 0xed:
	case 0xf0:
	case 0xf3:
		s->keyboard_command = value;
		break;
	case 0xf4:
		keyboard_defaults(s, true);
		break;
	case 0xf5:
		keyboard_defaults(s, false);
		break;
	case 0xf6:
		keyboard_defaults(s, s->keyboard_scans);
		break;
	case 0xfe:
		put(&s->keyboard, s->keyboard_last);
		return;
	case 0xff:
		keyboard_defaults(s, true);
		break;
	case 0xf2:
		break;
	default:
		put(&s->keyboard, RESEND);
		return;
	}
	put(&s->keyboard, ACK);
	if (value == 0xf2) {
		put(&s->keyboard, 0xab);
		put(&s->keyboard, 0x83);
	} else if (value == 0xff) {
		put(&s->keyboard, PASSED);
	}
}

/* --- mouse --- */

static void mouse_defaults(struct vmm_i8042_state *s)
{
	s->mouse.count = 0;
	s->mouse_command = 0;
	s->mouse_streams = 0;
	s->mouse_remote = 0;
	s->mouse_wraps = 0;
	s->mouse_rate = 100;
	s->mouse_resolution = 2;
	s->mouse_scaling = 0;
}

static void put_packet(struct vmm_i8042_state *s, int32_t dx, int32_t dy)
{
	put(&s->mouse,
	    (uint32_t)(0x08 | s->mouse_buttons | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0)));
	put(&s->mouse, (uint32_t)dx & 0xff);
	put(&s->mouse, (uint32_t)dy & 0xff);
}

static void put_mouse_status(struct vmm_i8042_state *s)
{
	/* Its bits are left, middle, right from the highest. */
	uint32_t buttons = (s->mouse_buttons & 1u) << 2 | (s->mouse_buttons & 4u) >> 1 |
			   (s->mouse_buttons & 2u) >> 1;

	put(&s->mouse, buttons | (s->mouse_remote ? 0x40u : 0) | (s->mouse_streams ? 0x20u : 0) |
			       (s->mouse_scaling ? 0x10u : 0));
	put(&s->mouse, s->mouse_resolution);
	put(&s->mouse, s->mouse_rate);
}

static void mouse_argument(struct vmm_i8042_state *s, uint8_t value)
{
	if (s->mouse_command == 0xf3)
		s->mouse_rate = value;
	else
		s->mouse_resolution = value & 3;
	s->mouse_command = 0;
	put(&s->mouse, ACK);
}

static void mouse_command(struct vmm_i8042_state *s, uint8_t value)
{
	if (s->mouse_command != 0) {
		mouse_argument(s, value);
		return;
	}
	if (s->mouse_wraps && value != 0xec && value != 0xff) {
		put(&s->mouse, value);
		return;
	}
	if (value == 0xff || value == 0xf6)
		mouse_defaults(s);
	/* Those that cannot be told from each other by their bits. */
	switch (value) {
	case 0xe6:
	case 0xe7:
		s->mouse_scaling = value == 0xe7;
		break;
	case 0xe8:
	case 0xf3:
		s->mouse_command = value;
		break;
	case 0xea:
	case 0xf0:
		s->mouse_remote = value == 0xf0;
		break;
	case 0xec:
	case 0xee:
		s->mouse_wraps = value == 0xee;
		break;
	case 0xf4:
	case 0xf5:
		s->mouse_streams = value == 0xf4;
		break;
	case 0xe9:
	case 0xeb:
	case 0xf2:
	case 0xf6:
	case 0xff:
		break;
	default:
		put(&s->mouse, RESEND);
		return;
	}
	put(&s->mouse, ACK);
	if (value == 0xe9)
		put_mouse_status(s);
	else if (value == 0xeb)
		put_packet(s, 0, 0);
	else if (value == 0xf2)
		put(&s->mouse, 0);
	else if (value == 0xff) {
		put(&s->mouse, PASSED);
		put(&s->mouse, 0);
	}
}

/* --- controller --- */

static void set_outport(struct vmm_i8042 *k, uint8_t value)
{
	k->reset |= (value & OUT_RUNS) == 0;
	k->s.outport = value | OUT_RUNS;
}

/* As the guest reads it, with the interrupt lines. */
static uint8_t outport(const struct vmm_i8042 *k)
{
	uint32_t lines = (k->keyboard_level ? OUT_IRQ : 0) | (k->mouse_level ? OUT_IRQ << 1 : 0);

	return (uint8_t)((k->s.outport & (OUT_RUNS | OUT_A20)) | lines);
}

static void write_command_byte(struct vmm_i8042_state *s, uint8_t value)
{
	s->ram[0] = value;
	s->status = (uint8_t)((s->status & ~STATUS_SYSTEM) | (value & CB_SYSTEM));
}

/* The byte that a command waited for. */
static void write_argument(struct vmm_i8042 *k, uint8_t value)
{
	struct vmm_i8042_state *s = &k->s;
	uint8_t command = s->command;

	s->command = 0;
	switch (command) {
	case 0x60:
		write_command_byte(s, value);
		break;
	case 0xd1:
		set_outport(k, value);
		break;
	case 0xd2:
		put(&s->replies, value);
		break;
	case 0xd3: /* as if it came from the mouse, disabled or not */
		fill(s, value, STATUS_MOUSE);
		break;
	case 0xd4:
		s->ram[0] &= ~CB_MOUSE_OFF & 0xff;
		mouse_command(s, value);
		break;
	default:
		s->ram[command & 31] = value;
		break;
	}
}

static void write_data(struct vmm_i8042 *k, uint8_t value)
{
	k->s.status &= ~STATUS_COMMAND & 0xff;
	if (k->s.command != 0) {
		write_argument(k, value);
		return;
	}
	k->s.ram[0] &= ~CB_KEYBOARD_OFF & 0xff; /* it has to be clocked */
	keyboard_command(&k->s, value);
}

static void self_test(struct vmm_i8042_state *s)
{
	s->replies.count = 0;
	s->status = (uint8_t)((s->status & ~STATUS_FULL) | STATUS_SYSTEM);
	s->ram[0] = CB_SYSTEM | CB_KEYBOARD_OFF | CB_MOUSE_OFF | CB_TRANSLATE;
	put(&s->replies, 0x55);
}

static void write_command(struct vmm_i8042 *k, uint8_t value)
{
	struct vmm_i8042_state *s = &k->s;

	s->status |= STATUS_COMMAND;
	s->command = 0;
	if (value >= 0x20 && value < 0x40) {
		put(&s->replies, s->ram[value & 31]);
	} else if (value >= 0x60 && value < 0x80) {
		s->command = value;
	} else if (value >= 0xf0) { /* pulse: bits that are 0 go low for a moment */
		k->reset |= !(value & OUT_RUNS);
	}
	switch (value) {
	case 0xa7:
		s->ram[0] |= CB_MOUSE_OFF;
		break;
	case 0xa8:
		s->ram[0] &= ~CB_MOUSE_OFF & 0xff;
		break;
	case 0xa9: /* interface tests: no error */
	case 0xab:
	case 0xe0: /* test inputs: both clocks low */
		put(&s->replies, 0);
		break;
	case 0xaa:
		self_test(s);
		break;
	case 0xad:
		s->ram[0] |= CB_KEYBOARD_OFF;
		break;
	case 0xae:
		s->ram[0] &= ~CB_KEYBOARD_OFF & 0xff;
		break;
	case 0xc0: /* input port: not locked, no jumpers */
		put(&s->replies, 0xb0);
		break;
	case 0xd0:
		put(&s->replies, outport(k));
		break;
	case 0xd1:
	case 0xd2:
	case 0xd3:
	case 0xd4:
		s->command = value;
		break;
	case 0xdd: /* A20 off and on, which many clones have */
	case 0xdf:
		s->outport = (uint8_t)((s->outport & ~OUT_A20) | (value & OUT_A20));
		break;
	}
}

/* --- ports --- */

static uint8_t read_data(struct vmm_i8042 *k)
{
	uint8_t value = k->s.output;

	k->s.status &= ~STATUS_FULL & 0xff;
	/* The line falls with each byte, so that the next one is an edge. */
	tell(k, false, 0);
	tell(k, true, 0);
	update(k);
	return value;
}

static uint8_t read_status(struct vmm_i8042 *k)
{
	return k->s.status;
}

static uint8_t read_port_a(struct vmm_i8042 *k)
{
	return k->s.outport & PORT_A_A20;
}

static void write_port_a(struct vmm_i8042 *k, uint8_t value)
{
	k->s.outport = (uint8_t)((k->s.outport & ~OUT_A20) | (value & PORT_A_A20));
	k->reset |= (value & PORT_A_RESET) != 0;
}

static int locked_read(struct vmm_i8042 *k, uint8_t (*read)(struct vmm_i8042 *k), uint64_t *value)
{
	vmm__lock(k->host, &k->lock);
	*value = read(k);
	vmm__unlock(k->host, &k->lock);
	return 0;
}

/* A reset that it asks for comes without the lock. */
static int locked_write(struct vmm_i8042 *k, void (*write)(struct vmm_i8042 *k, uint8_t value),
			uint64_t value)
{
	bool reset;

	vmm__lock(k->host, &k->lock);
	write(k, (uint8_t)value);
	reset = k->reset;
	k->reset = false;
	update(k);
	vmm__unlock(k->host, &k->lock);
	if (reset)
		k->config.reset(k->config.opaque);
	return 0;
}

/* The register of a byte is at all of a region's addresses; wider reads have it once. */
static int data_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		     uint64_t *value)
{
	(void)vcpu, (void)offset, (void)width;
	return locked_read(opaque, read_data, value);
}

static int data_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		      uint64_t value)
{
	(void)vcpu, (void)offset, (void)width;
	return locked_write(opaque, write_data, value);
}

static int command_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
			uint64_t *value)
{
	(void)vcpu, (void)offset, (void)width;
	return locked_read(opaque, read_status, value);
}

static int command_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
			 uint64_t value)
{
	(void)vcpu, (void)offset, (void)width;
	return locked_write(opaque, write_command, value);
}

static int port_a_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		       uint64_t *value)
{
	(void)vcpu, (void)offset, (void)width;
	return locked_read(opaque, read_port_a, value);
}

static int port_a_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
			uint64_t value)
{
	(void)vcpu, (void)offset, (void)width;
	return locked_write(opaque, write_port_a, value);
}

const struct vmm_region_ops *vmm_i8042_data_ops(void)
{
	static const struct vmm_region_ops ops = {
		.size = sizeof(ops), .read = data_read, .write = data_write};

	return &ops;
}

const struct vmm_region_ops *vmm_i8042_command_ops(void)
{
	static const struct vmm_region_ops ops = {
		.size = sizeof(ops), .read = command_read, .write = command_write};

	return &ops;
}

const struct vmm_region_ops *vmm_i8042_port_a_ops(void)
{
	static const struct vmm_region_ops ops = {
		.size = sizeof(ops), .read = port_a_read, .write = port_a_write};

	return &ops;
}

/* --- who types, and moves the mouse --- */

uint32_t vmm_i8042_keys(struct vmm_i8042 *i8042, const uint8_t *codes, uint32_t len)
{
	struct vmm_i8042_state *s = &i8042->s;
	uint32_t taken = 0;

	vmm__lock(i8042->host, &i8042->lock);
	if (s->keyboard_scans && s->keyboard_command == 0 && has_room(&s->keyboard, len)) {
		for (; taken < len; taken++)
			put(&s->keyboard, codes[taken]);
		update(i8042);
	}
	vmm__unlock(i8042->host, &i8042->lock);
	return taken;
}

static int32_t clamp(int32_t v)
{
	return v < -255 ? -255 : v > 255 ? 255 : v;
}

uint32_t vmm_i8042_mouse(struct vmm_i8042 *i8042, int32_t dx, int32_t dy, uint32_t buttons)
{
	struct vmm_i8042_state *s = &i8042->s;
	bool can;

	vmm__lock(i8042->host, &i8042->lock);
	can = s->mouse_streams && !s->mouse_remote && !s->mouse_wraps && s->mouse_command == 0 &&
	      has_room(&s->mouse, 3);
	if (can) {
		s->mouse_buttons = buttons & 7;
		put_packet(s, clamp(dx), clamp(dy));
		update(i8042);
	}
	vmm__unlock(i8042->host, &i8042->lock);
	return can;
}

/* --- life --- */

static void power_on(struct vmm_i8042_state *s)
{
	memset(s, 0, sizeof(*s));
	s->size = sizeof(*s);
	s->version = VMM_I8042_STATE_VERSION;
	s->status = STATUS_ENABLED;
	s->outport = OUT_RUNS | OUT_A20;
	s->ram[0] = CB_KEYBOARD_OFF | CB_MOUSE_OFF | CB_TRANSLATE;
	s->keyboard_scans = 1;
	mouse_defaults(s);
}

void vmm_i8042_reset(struct vmm_i8042 *i8042)
{
	vmm__lock(i8042->host, &i8042->lock);
	power_on(&i8042->s);
	update(i8042);
	vmm__unlock(i8042->host, &i8042->lock);
}

int vmm_i8042_create(const struct vmm_host *host, const struct vmm_i8042_config *config,
		     struct vmm_i8042 **i8042)
{
	struct vmm_i8042_config c;
	struct vmm_i8042 *k;

	*i8042 = NULL;
	if (vmm__take_struct(&c, sizeof(c), config) != 0 || c.flags != 0 ||
	    c.keyboard_irq == NULL || c.mouse_irq == NULL || c.reset == NULL)
		return -VMM_EINVAL;
	k = host->alloc(host->opaque, sizeof(*k), _Alignof(struct vmm_i8042));
	if (k == NULL)
		return -VMM_ENOMEM;
	k->host = host;
	k->config = c;
	power_on(&k->s);
	*i8042 = k;
	return 0;
}

void vmm_i8042_destroy(struct vmm_i8042 *i8042)
{
	if (i8042 != NULL)
		i8042->host->free(i8042->host->opaque, i8042, sizeof(*i8042));
}

int vmm_i8042_get_state(struct vmm_i8042 *i8042, struct vmm_i8042_state *state)
{
	if (state == NULL || state->size != sizeof(*state))
		return -VMM_EINVAL;
	vmm__lock(i8042->host, &i8042->lock);
	*state = i8042->s;
	vmm__unlock(i8042->host, &i8042->lock);
	return 0;
}

int vmm_i8042_set_state(struct vmm_i8042 *i8042, const struct vmm_i8042_state *state)
{
	if (state == NULL || state->size != sizeof(*state) ||
	    state->version != VMM_I8042_STATE_VERSION)
		return -VMM_EINVAL;
	if (state->replies.count > VMM_I8042_QUEUE || state->keyboard.count > VMM_I8042_QUEUE ||
	    state->mouse.count > VMM_I8042_QUEUE)
		return -VMM_ERANGE;
	vmm__lock(i8042->host, &i8042->lock);
	i8042->s = *state;
	update(i8042);
	vmm__unlock(i8042->host, &i8042->lock);
	return 0;
}

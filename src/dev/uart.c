// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * 16550A UART, after the data sheet of National Semiconductor's PC16550D (June 1995); its section
 * numbers stand at the registers. The interrupt line is the chip's INTR: the gate that PCs drive by
 * OUT2 is not modelled.
 *
 * Received bytes wait in a queue on the line and enter the chip's FIFO as there is room, so that
 * none is overrun; whoever feeds the queue is told when it has room. The peer heeds RTS once the
 * guest has written MCR: what was typed before a driver opens the port, or between two of them, is
 * kept.
 */
#include "bits.h"
#include "libvmm/dev.h"
#include "mem.h"
#include "sized.h"
#include "sync.h"

#define REG_DATA 0 /* RBR and THR; divisor's low byte with LCR_DLAB */
#define REG_IER  1 /* divisor's high byte with LCR_DLAB */
#define REG_IIR  2 /* read */
#define REG_FCR  2 /* written */
#define REG_LCR  3
#define REG_MCR  4
#define REG_LSR  5
#define REG_MSR  6
#define REG_SCR  7

/* 8.6.7 */
#define IER_RECEIVED 0x01
#define IER_THR      0x02
#define IER_LINE     0x04
#define IER_MODEM    0x08
#define IER_ALL      0x0f

/* 8.6.5, table II: highest priority first */
#define IIR_NONE     0x01
#define IIR_LINE     0x06
#define IIR_RECEIVED 0x04
#define IIR_TIMEOUT  0x0c
#define IIR_THR      0x02
#define IIR_MODEM    0x00
#define IIR_FIFOS    0xc0

/* 8.6.4 */
#define FCR_ENABLE        0x01
#define FCR_CLEAR_RECEIVE 0x02
#define FCR_TRIGGER       0xc0

#define LCR_DLAB 0x80

/* 8.6.6 */
#define MCR_DTR  0x01
#define MCR_RTS  0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10
#define MCR_ALL  0x1f

/* 8.6.3 */
#define LSR_READY   0x01
#define LSR_OVERRUN 0x02
#define LSR_THRE    0x20
#define LSR_EMPTY   0x40

/* 8.6.8 */
#define MSR_DELTA_CTS 0x01
#define MSR_DELTA_DSR 0x02
#define MSR_RING_ENDS 0x04
#define MSR_DELTA_DCD 0x08
#define MSR_DELTAS    0x0f
#define MSR_CTS       0x10
#define MSR_DSR       0x20
#define MSR_RI        0x40
#define MSR_DCD       0x80

#define FIFO  16
#define QUEUE 1024 /* a power of two */

struct vmm_uart {
	const struct vmm_host *host;
	struct vmm_uart_config config;
	struct vmm__mutex lock; /* for all below */
	uint8_t divisor[2];
	uint8_t ier;
	uint8_t fcr;
	uint8_t lcr;
	uint8_t mcr;
	uint8_t msr;
	uint8_t scr;
	uint8_t overrun;    /* LSR_OVERRUN until LSR is read */
	uint8_t level;      /* of the line, as last told */
	bool thr_interrupt; /* THR has become empty and nobody has been told */
	bool heeds_rts;     /* MCR was written */
	bool refused;       /* input found no room */
	uint8_t fifo_len;
	uint8_t fifo[FIFO];  /* the first is the next to be read */
	uint32_t queue_head; /* next to enter the FIFO; both run on, modulo 2^32 */
	uint32_t queue_tail; /* next to be filled */
	uint8_t queue[QUEUE];
};

static uint32_t queued(const struct vmm_uart *u)
{
	return u->queue_tail - u->queue_head;
}

static bool fifos_on(const struct vmm_uart *u)
{
	return (u->fcr & FCR_ENABLE) != 0;
}

static uint32_t trigger(const struct vmm_uart *u)
{
	static const uint8_t level[] = {1, 4, 8, 14};

	return fifos_on(u) ? level[FIELD_GET(FCR_TRIGGER, u->fcr)] : 1;
}

/* Whether the chip's receiver takes one more byte. */
static bool has_room(const struct vmm_uart *u)
{
	return u->fifo_len < (fifos_on(u) ? FIFO : 1);
}

/* In loopback the receiver is off the line (8.6.6). */
static bool peer_sends(const struct vmm_uart *u)
{
	return (u->mcr & MCR_LOOP) == 0 && (!u->heeds_rts || (u->mcr & MCR_RTS) != 0);
}

static void receive(struct vmm_uart *u)
{
	while (has_room(u) && queued(u) > 0 && peer_sends(u))
		u->fifo[u->fifo_len++] = u->queue[u->queue_head++ % QUEUE];
}

/* The interrupt that is pending and enabled, of the highest priority. */
static uint8_t pending(const struct vmm_uart *u)
{
	if ((u->ier & IER_LINE) != 0 && u->overrun != 0)
		return IIR_LINE;
	if ((u->ier & IER_RECEIVED) != 0 && u->fifo_len >= trigger(u))
		return IIR_RECEIVED;
	/* What is below the trigger level has waited for four characters' time: time does not
	 * pass on this line. */
	if ((u->ier & IER_RECEIVED) != 0 && u->fifo_len > 0)
		return IIR_TIMEOUT;
	if ((u->ier & IER_THR) != 0 && u->thr_interrupt)
		return IIR_THR;
	if ((u->ier & IER_MODEM) != 0 && (u->msr & MSR_DELTAS) != 0)
		return IIR_MODEM;
	return IIR_NONE;
}

/* After whatever may change what the guest sees. */
static void update(struct vmm_uart *u)
{
	uint8_t level;

	receive(u);
	level = pending(u) != IIR_NONE;
	if (level != u->level) {
		u->level = level;
		u->config.irq(u->config.opaque, level);
	}
}

/* MCR's outputs come back as inputs, 8.6.6; else there is a peer that is always ready. */
static void update_modem(struct vmm_uart *u)
{
	uint8_t old = u->msr;
	uint8_t now = MSR_CTS | MSR_DSR | MSR_DCD;

	if ((u->mcr & MCR_LOOP) != 0) {
		now = 0;
		now |= (u->mcr & MCR_RTS) != 0 ? MSR_CTS : 0;
		now |= (u->mcr & MCR_DTR) != 0 ? MSR_DSR : 0;
		now |= (u->mcr & MCR_OUT1) != 0 ? MSR_RI : 0;
		now |= (u->mcr & MCR_OUT2) != 0 ? MSR_DCD : 0;
	}
	u->msr = now | (old & MSR_DELTAS);
	u->msr |= ((old ^ now) & MSR_CTS) != 0 ? MSR_DELTA_CTS : 0;
	u->msr |= ((old ^ now) & MSR_DSR) != 0 ? MSR_DELTA_DSR : 0;
	u->msr |= (old & ~now & MSR_RI) != 0 ? MSR_RING_ENDS : 0;
	u->msr |= ((old ^ now) & MSR_DCD) != 0 ? MSR_DELTA_DCD : 0;
}

static void loop_back(struct vmm_uart *u, uint8_t byte)
{
	if (has_room(u))
		u->fifo[u->fifo_len++] = byte;
	else
		u->overrun = LSR_OVERRUN;
}

/* Says whether the byte goes out on the line. */
static bool send(struct vmm_uart *u, uint8_t byte)
{
	u->thr_interrupt = true; /* full and empty again at once */
	if ((u->mcr & MCR_LOOP) == 0)
		return true;
	loop_back(u, byte);
	return false;
}

/* An enabled THR interrupt comes if THR is empty, which it always is: drivers rely on it. */
static void write_ier(struct vmm_uart *u, uint8_t value)
{
	if ((value & ~u->ier & IER_THR) != 0)
		u->thr_interrupt = true;
	u->ier = value & IER_ALL;
}

/* Changing the mode clears the FIFOs too (8.6.4). */
static void write_fcr(struct vmm_uart *u, uint8_t value)
{
	if (((value ^ u->fcr) & FCR_ENABLE) != 0 || (value & FCR_CLEAR_RECEIVE) != 0)
		u->fifo_len = 0;
	u->fcr = (value & FCR_ENABLE) != 0 ? value & (FCR_ENABLE | FCR_TRIGGER) : 0;
}

/* A driver has come: what nobody has read is still on the line, whose queue keeps room for it. */
static void start_heeding(struct vmm_uart *u)
{
	u->heeds_rts = true;
	u->queue_head -= u->fifo_len;
	u->fifo_len = 0;
}

/* Says whether the byte goes out on the line. */
static bool write_register(struct vmm_uart *u, uint64_t offset, uint8_t value)
{
	bool divisor = (u->lcr & LCR_DLAB) != 0;

	switch (offset) {
	case REG_DATA:
		if (!divisor)
			return send(u, value);
		u->divisor[0] = value;
		break;
	case REG_IER:
		if (divisor)
			u->divisor[1] = value;
		else
			write_ier(u, value);
		break;
	case REG_FCR:
		write_fcr(u, value);
		break;
	case REG_LCR:
		u->lcr = value;
		break;
	case REG_MCR:
		if (!u->heeds_rts)
			start_heeding(u);
		u->mcr = value & MCR_ALL;
		update_modem(u);
		break;
	case REG_SCR:
		u->scr = value;
		break;
	default: /* LSR and MSR: "intended for read operations only" (8.6.3) */
		break;
	}
	return false;
}

static uint8_t read_data(struct vmm_uart *u)
{
	uint8_t byte = u->fifo[0];

	if (u->fifo_len == 0)
		return 0;
	u->fifo_len--;
	memmove(u->fifo, u->fifo + 1, u->fifo_len);
	return byte;
}

/* Reading IIR answers the THR interrupt, if that is what it tells (8.6.5, table II). */
static uint8_t read_iir(struct vmm_uart *u)
{
	uint8_t id = pending(u);

	if (id == IIR_THR)
		u->thr_interrupt = false;
	return id | (fifos_on(u) ? IIR_FIFOS : 0);
}

static uint8_t read_lsr(struct vmm_uart *u)
{
	uint8_t lsr = LSR_THRE | LSR_EMPTY | u->overrun | (u->fifo_len > 0 ? LSR_READY : 0);

	u->overrun = 0;
	return lsr;
}

static uint8_t read_msr(struct vmm_uart *u)
{
	uint8_t msr = u->msr;

	u->msr &= (uint8_t)~MSR_DELTAS;
	return msr;
}

static uint8_t read_register(struct vmm_uart *u, uint64_t offset)
{
	bool divisor = (u->lcr & LCR_DLAB) != 0;

	switch (offset) {
	case REG_DATA:
		return divisor ? u->divisor[0] : read_data(u);
	case REG_IER:
		return divisor ? u->divisor[1] : u->ier;
	case REG_IIR:
		return read_iir(u);
	case REG_LCR:
		return u->lcr;
	case REG_MCR:
		return u->mcr;
	case REG_LSR:
		return read_lsr(u);
	case REG_MSR:
		return read_msr(u);
	default:
		return u->scr;
	}
}

static bool make_room(struct vmm_uart *u)
{
	bool room = u->refused && queued(u) <= QUEUE / 2;

	if (room)
		u->refused = false;
	return room;
}

/* Registers have a byte each; a wider access is one to each of them, lowest first. */
static int uart_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		     uint64_t *value)
{
	struct vmm_uart *u = opaque;
	bool room;

	(void)vcpu;
	*value = 0;
	vmm__lock(u->host, &u->lock);
	for (uint32_t i = 0; i < width; i++)
		*value |= (uint64_t)read_register(u, (offset + i) % VMM_UART_PORTS) << (8 * i);
	update(u);
	room = make_room(u);
	vmm__unlock(u->host, &u->lock);
	if (room && u->config.input_room != NULL)
		u->config.input_room(u->config.opaque);
	return 0;
}

static void write_byte(struct vmm_uart *u, uint64_t offset, uint8_t value)
{
	bool sent;
	bool room;

	vmm__lock(u->host, &u->lock);
	sent = write_register(u, offset % VMM_UART_PORTS, value);
	update(u);
	room = make_room(u);
	vmm__unlock(u->host, &u->lock);
	if (sent && u->config.output != NULL)
		u->config.output(u->config.opaque, &value, 1);
	if (room && u->config.input_room != NULL)
		u->config.input_room(u->config.opaque);
}

static int uart_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		      uint64_t value)
{
	(void)vcpu;
	for (uint32_t i = 0; i < width; i++)
		write_byte(opaque, offset + i, (uint8_t)(value >> (8 * i)));
	return 0;
}

static const struct vmm_region_ops ops = {
	.size = sizeof(ops), .read = uart_read, .write = uart_write};

const struct vmm_region_ops *vmm_uart_ops(void)
{
	return &ops;
}

uint32_t vmm_uart_input(struct vmm_uart *uart, const uint8_t *data, uint32_t len)
{
	uint32_t taken = 0;

	vmm__lock(uart->host, &uart->lock);
	while (taken < len && queued(uart) < QUEUE - FIFO)
		uart->queue[uart->queue_tail++ % QUEUE] = data[taken++];
	if (taken < len)
		uart->refused = true;
	update(uart);
	vmm__unlock(uart->host, &uart->lock);
	return taken;
}

void vmm_uart_reset(struct vmm_uart *uart)
{
	bool room;

	vmm__lock(uart->host, &uart->lock);
	memset(uart->divisor, 0, sizeof(uart->divisor));
	uart->ier = 0;
	uart->fcr = 0;
	uart->lcr = 0;
	uart->mcr = 0;
	uart->msr = MSR_CTS | MSR_DSR | MSR_DCD;
	uart->scr = 0;
	uart->overrun = 0;
	uart->thr_interrupt = false;
	uart->heeds_rts = false;
	uart->fifo_len = 0;
	uart->queue_head = uart->queue_tail;
	update(uart);
	room = make_room(uart);
	vmm__unlock(uart->host, &uart->lock);
	if (room && uart->config.input_room != NULL)
		uart->config.input_room(uart->config.opaque);
}

int vmm_uart_create(const struct vmm_host *host, const struct vmm_uart_config *config,
		    struct vmm_uart **uart)
{
	struct vmm_uart_config taken;
	struct vmm_uart *u;

	if (vmm__take_struct(&taken, sizeof(taken), config) != 0 || taken.flags != 0 ||
	    taken.irq == NULL)
		return -VMM_EINVAL;
	u = host->alloc(host->opaque, sizeof(*u), _Alignof(struct vmm_uart));
	if (u == NULL)
		return -VMM_ENOMEM;
	u->host = host;
	u->config = taken;
	vmm_uart_reset(u);
	*uart = u;
	return 0;
}

void vmm_uart_destroy(struct vmm_uart *uart)
{
	if (uart != NULL)
		uart->host->free(uart->host->opaque, uart, sizeof(*uart));
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dev_host.h"

struct fixture {
	struct dev_host h;
	struct vmm_uart *uart;
	uint32_t level;
	uint32_t edges; /* from 0 to 1 */
	uint32_t rooms;
	uint32_t sent;
	uint8_t output[64];
};

static void irq(void *opaque, uint32_t level)
{
	struct fixture *f = opaque;

	assert_int_not_equal(level, f->level);
	f->level = level;
	f->edges += level;
}

static void output(void *opaque, const uint8_t *data, uint32_t len)
{
	struct fixture *f = opaque;

	for (uint32_t i = 0; i < len; i++)
		f->output[f->sent++ % sizeof(f->output)] = data[i];
}

static void input_room(void *opaque)
{
	struct fixture *f = opaque;
	uint8_t byte = 'r';

	/* No lock is held: the device can be called. */
	assert_int_equal(vmm_uart_input(f->uart, &byte, 1), 1);
	f->rooms++;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct vmm_uart_config config = {.size = sizeof(config),
					 .opaque = f,
					 .irq = irq,
					 .output = output,
					 .input_room = input_room};

	dev_host_init(&f->h);
	*state = f;
	return vmm_uart_create(&f->h.host, &config, &f->uart);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int left;

	vmm_uart_destroy(f->uart);
	left = f->h.allocs;
	free(f);
	return left;
}

static uint8_t in(struct fixture *f, uint64_t reg)
{
	return (uint8_t)dev_in(vmm_uart_ops(), f->uart, reg, 1);
}

static void out(struct fixture *f, uint64_t reg, uint8_t value)
{
	dev_out(vmm_uart_ops(), f->uart, reg, 1, value);
}

/* The steps of Linux's 8250 driver, autoconfig() and autoconfig_16550a(). */
static void linux_finds_a_16550a(void **state)
{
	struct fixture *f = *state;

	out(f, 1, 0);
	assert_int_equal(in(f, 1) & 0xf, 0);
	out(f, 1, 0xf);
	assert_int_equal(in(f, 1) & 0xf, 0xf);
	out(f, 1, 0x40); /* no XScale */
	assert_int_equal(in(f, 1), 0);
	out(f, 4, 0x1a); /* loop, OUT2, RTS */
	assert_int_equal(in(f, 6) & 0xf0, 0x90);
	out(f, 4, 0);
	out(f, 3, 0);
	out(f, 2, 0);
	assert_int_equal(in(f, 2) >> 6, 0);
	out(f, 2, 1);
	assert_int_equal(in(f, 2) >> 6, 3);
	out(f, 3, 0x80); /* no EFR: not a 16650 */
	assert_int_not_equal(in(f, 2), 0);
	out(f, 3, 0xbf);
	assert_int_not_equal(in(f, 2), 0);
	out(f, 3, 0);
	out(f, 2, 0x21); /* no 64-byte FIFO: not a 16750 */
	assert_int_equal(in(f, 2) >> 5, 6);
	out(f, 3, 0x80);
	out(f, 2, 0x21);
	assert_int_equal(in(f, 2) >> 5, 6);
	out(f, 3, 0);
	out(f, 7, 0xa5);
	assert_int_equal(in(f, 7), 0xa5);
	assert_int_equal(f->sent, 0);
}

/* And of serial8250_do_startup(): no bug is seen that the driver would work around. */
static void linux_finds_no_bug(void **state)
{
	struct fixture *f = *state;
	uint8_t first;

	out(f, 1, 2);
	first = in(f, 2);
	out(f, 1, 0);
	out(f, 1, 2);
	assert_int_equal(first & 1, 0);    /* UART_BUG_THRE would be first pending, */
	assert_int_equal(in(f, 2) & 1, 0); /* second not */
	out(f, 1, 0);
	out(f, 1, 2);
	assert_int_equal(in(f, 5) & 0x40, 0x40); /* UART_BUG_TXEN: transmitter empty, */
	assert_int_equal(in(f, 2) & 1, 0);       /* no interrupt */
	out(f, 1, 0);
	assert_int_equal(f->level, 0);
}

static void sending(void **state)
{
	struct fixture *f = *state;

	out(f, 0, 'a');
	assert_int_equal(f->level, 0);
	out(f, 1, 2);
	assert_int_equal(f->level, 1);
	assert_int_equal(in(f, 2) & 0xf, 2); /* told once */
	assert_int_equal(f->level, 0);
	assert_int_equal(in(f, 2) & 0xf, 1);
	out(f, 0, 'b');
	assert_int_equal(f->level, 1);
	assert_int_equal(f->edges, 2);
	assert_int_equal(in(f, 5), 0x60);
	dev_out(vmm_uart_ops(), f->uart, 0, 4, 0x00070363); /* 'c', IER, FCR, LCR */
	assert_int_equal(in(f, 1), 3);
	assert_memory_equal(f->output, "abc", 3);
	assert_int_equal(f->sent, 3);
}

static void the_divisor_is_apart(void **state)
{
	struct fixture *f = *state;

	out(f, 3, 0x83);
	out(f, 0, 0x01);
	out(f, 1, 0xff);
	assert_int_equal(in(f, 0), 1);
	assert_int_equal(in(f, 1), 0xff);
	out(f, 3, 3);
	assert_int_equal(in(f, 1), 0);
	assert_int_equal(in(f, 0), 0);
	assert_int_equal(f->sent, 0);
}

static void receiving_by_trigger_level(void **state)
{
	struct fixture *f = *state;
	uint8_t data[16] = "0123456789abcde";

	out(f, 2, 0x81); /* FIFO, trigger at 8 */
	assert_int_equal(vmm_uart_input(f->uart, data, 3), 3);
	assert_int_equal(f->level, 0);
	assert_int_equal(in(f, 5), 0x61);
	out(f, 1, 1);
	assert_int_equal(f->level, 1);
	assert_int_equal(in(f, 2), 0xcc); /* fewer than 8: timeout */
	assert_int_equal(vmm_uart_input(f->uart, data + 3, 5), 5);
	assert_int_equal(in(f, 2), 0xc4);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(f->level, 1);
		assert_int_equal(in(f, 0), data[i]);
	}
	assert_int_equal(f->level, 0);
	assert_int_equal(in(f, 2), 0xc1);
	assert_int_equal(in(f, 5), 0x60);
}

static void input_waits_for_room(void **state)
{
	struct fixture *f = *state;
	uint8_t data[2000];
	uint32_t taken;

	for (uint32_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	taken = vmm_uart_input(f->uart, data, sizeof(data));
	assert_true(taken > 16 && taken < sizeof(data));
	taken += vmm_uart_input(f->uart, data + taken, 1); /* one has gone to the chip */
	assert_int_equal(vmm_uart_input(f->uart, data, 1), 0);
	for (uint32_t i = 0; i < taken; i++)
		assert_int_equal(in(f, 0), data[i]);
	assert_int_equal(f->rooms, 1);
	assert_int_equal(in(f, 0), 'r');
	assert_int_equal(in(f, 5) & 1, 0);
}

static void typed_before_the_port_is_open(void **state)
{
	struct fixture *f = *state;
	uint8_t data[40];

	for (uint32_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i + 1);
	assert_int_equal(vmm_uart_input(f->uart, data, 4), 4);
	assert_int_equal(in(f, 5), 0x61);
	out(f, 4, 0x1a); /* a driver probes, */
	assert_int_equal(in(f, 5), 0x60);
	out(f, 4, 0x08);
	assert_int_equal(vmm_uart_input(f->uart, data + 4, sizeof(data) - 4), sizeof(data) - 4);
	assert_int_equal(in(f, 5), 0x60); /* is opened, and throws away what there is, */
	out(f, 2, 1);
	out(f, 2, 7);
	assert_int_equal(in(f, 0), 0);
	out(f, 1, 5);
	assert_int_equal(f->level, 0);
	out(f, 4, 0x0b); /* and is ready. */
	assert_int_equal(f->level, 1);
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(in(f, 0), i + 1);
	out(f, 4, 0x08); /* What is in the FIFO has come: 16 of them. */
	for (uint32_t i = 10; i < 26; i++)
		assert_int_equal(in(f, 0), i + 1);
	assert_int_equal(in(f, 5), 0x60);
	out(f, 4, 0x0b);
	out(f, 2, 3); /* Clearing loses those, and no more. */
	for (uint32_t i = 42; i < sizeof(data); i++)
		assert_int_equal(in(f, 0), i + 1);
	assert_int_equal(in(f, 5), 0x60);
}

static void loopback_and_modem_interrupts(void **state)
{
	struct fixture *f = *state;

	out(f, 1, 0xd); /* received, line, modem */
	assert_int_equal(in(f, 6), 0xb0);
	out(f, 4, 0x1f); /* RI rises, which tells nobody */
	assert_int_equal(f->level, 0);
	assert_int_equal(in(f, 6), 0xf0);
	out(f, 4, 0x10); /* all fall: RI has its trailing edge */
	assert_int_equal(f->level, 1);
	assert_int_equal(in(f, 2), 0); /* modem status */
	assert_int_equal(in(f, 6), 0x0f);
	assert_int_equal(f->level, 0);
	assert_int_equal(in(f, 6), 0x00);
	out(f, 0, 'x');
	assert_int_equal(f->sent, 0);
	out(f, 0, 'y'); /* no FIFO: overrun */
	assert_int_equal(in(f, 2), 6);
	assert_int_equal(in(f, 5), 0x63);
	assert_int_equal(in(f, 5), 0x61);
	assert_int_equal(in(f, 2), 4);
	assert_int_equal(in(f, 0), 'x');
	assert_int_equal(f->level, 0);
}

static void reset_forgets(void **state)
{
	struct fixture *f = *state;
	uint8_t data[4] = "abc";

	out(f, 1, 3);
	out(f, 4, 0x1f);
	assert_int_equal(vmm_uart_input(f->uart, data, 3), 3);
	assert_int_equal(f->level, 1);
	vmm_uart_reset(f->uart);
	assert_int_equal(f->level, 0);
	assert_int_equal(in(f, 5), 0x60);
	assert_int_equal(in(f, 6), 0xb0);
	assert_int_equal(in(f, 1), 0);
	assert_int_equal(in(f, 4), 0);
}

static void random_accesses(void **state)
{
	struct fixture *f = *state;
	uint8_t data[64] = {0};

	for (int i = 0; i < 2000; i++) {
		dev_hammer(vmm_uart_ops(), f->uart, VMM_UART_PORTS, 100);
		vmm_uart_input(f->uart, data, sizeof(data));
	}
}

static void bad_configurations(void **state)
{
	struct fixture *f = *state;
	struct vmm_uart_config config = {.size = sizeof(config), .irq = irq};
	struct vmm_uart *u;

	f->h.fail = 1;
	assert_int_equal(vmm_uart_create(&f->h.host, &config, &u), -VMM_ENOMEM);
	config.flags = 1;
	assert_int_equal(vmm_uart_create(&f->h.host, &config, &u), -VMM_EINVAL);
	config.flags = 0;
	config.irq = NULL;
	assert_int_equal(vmm_uart_create(&f->h.host, &config, &u), -VMM_EINVAL);
	config.irq = irq;
	config.size = 4;
	assert_int_equal(vmm_uart_create(&f->h.host, &config, &u), -VMM_EINVAL);
	vmm_uart_destroy(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(linux_finds_a_16550a),
		TEST(linux_finds_no_bug),
		TEST(sending),
		TEST(the_divisor_is_apart),
		TEST(receiving_by_trigger_level),
		TEST(input_waits_for_room),
		TEST(typed_before_the_port_is_open),
		TEST(loopback_and_modem_interrupts),
		TEST(reset_forgets),
		TEST(random_accesses),
		TEST(bad_configurations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The keyboard controller's commands, and the keyboard's and the mouse's behind it. */
#include "dev_host.h"

struct bench {
	struct dev_host host;
	struct vmm_i8042 *k;
	uint32_t keyboard_level, keyboard_rises;
	uint32_t mouse_level, mouse_rises;
	uint32_t resets;
};

static void keyboard_irq(void *opaque, uint32_t level)
{
	struct bench *b = opaque;

	assert_int_not_equal(level, b->keyboard_level);
	b->keyboard_level = level;
	b->keyboard_rises += level;
}

static void mouse_irq(void *opaque, uint32_t level)
{
	struct bench *b = opaque;

	assert_int_not_equal(level, b->mouse_level);
	b->mouse_level = level;
	b->mouse_rises += level;
}

static uint32_t status(struct bench *b)
{
	return (uint32_t)dev_in(vmm_i8042_command_ops(), b->k, 0, 1);
}

/* Told without the lock. */
static void reset(void *opaque)
{
	struct bench *b = opaque;

	status(b);
	b->resets++;
}

static void setup(struct bench *b)
{
	const struct vmm_i8042_config config = {.size = sizeof(config),
						.opaque = b,
						.keyboard_irq = keyboard_irq,
						.mouse_irq = mouse_irq,
						.reset = reset};

	memset(b, 0, sizeof(*b));
	dev_host_init(&b->host);
	assert_int_equal(vmm_i8042_create(&b->host.host, &config, &b->k), 0);
}

static void finish(struct bench *b)
{
	vmm_i8042_destroy(b->k);
	assert_int_equal(b->host.allocs, 0);
}

static void command(struct bench *b, uint8_t value)
{
	dev_out(vmm_i8042_command_ops(), b->k, 0, 1, value);
}

static void data(struct bench *b, uint8_t value)
{
	dev_out(vmm_i8042_data_ops(), b->k, 0, 1, value);
}

/* A byte of the controller or the keyboard, of the mouse with 0x100; -1: none. */
static int next(struct bench *b)
{
	uint32_t s = status(b);

	if (!(s & 1))
		return -1;
	return (int)(dev_in(vmm_i8042_data_ops(), b->k, 0, 1) | (s & 0x20) << 3);
}

static int ask(struct bench *b, uint8_t value)
{
	command(b, value);
	return next(b);
}

static void set_command_byte(struct bench *b, uint8_t value)
{
	command(b, 0x60);
	data(b, value);
}

static void to_mouse(struct bench *b, uint8_t value)
{
	command(b, 0xd4);
	data(b, value);
}

/* All that comes, as mouse (0x100) or not. */
static void expect(struct bench *b, uint32_t from, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		assert_int_equal(next(b), (int)(from | (uint8_t)bytes[i]));
	assert_int_equal(next(b), -1);
}

#define EXPECT(b, bytes)       expect(b, 0, bytes, sizeof(bytes) - 1)
#define EXPECT_MOUSE(b, bytes) expect(b, 0x100, bytes, sizeof(bytes) - 1)

static void controller(void **state)
{
	struct bench b;

	(void)state;
	setup(&b);
	assert_int_equal(status(&b), 0x10);
	assert_int_equal(ask(&b, 0xaa), 0x55);
	assert_int_equal(status(&b), 0x1c); /* SYS, and a command was the last write */
	assert_int_equal(ask(&b, 0xab), 0);
	assert_int_equal(ask(&b, 0xa9), 0);
	assert_int_equal(ask(&b, 0x20) & 0x34, 0x34);
	set_command_byte(&b, 0x65);
	assert_int_equal(ask(&b, 0x20), 0x65);
	assert_int_equal(status(&b) & 0x04, 0x04);
	command(&b, 0x60);
	assert_int_equal(status(&b) & 0x08, 0x08);
	data(&b, 0x61);
	assert_int_equal(status(&b), 0x10); /* SYS is the command byte's */
	command(&b, 0xad);
	command(&b, 0xa7);
	assert_int_equal(ask(&b, 0x20), 0x71);
	command(&b, 0xae);
	command(&b, 0xa8);
	next(&b);
	assert_int_equal(ask(&b, 0x20), 0x41);
	/* Its memory. */
	next(&b);
	command(&b, 0x6a);
	data(&b, 0x99);
	assert_int_equal(ask(&b, 0x2a), 0x99);
	assert_int_equal(ask(&b, 0xc0), 0xb0);
	assert_int_equal(ask(&b, 0xe0), 0);
	/* What is written as if it had come from a device. */
	command(&b, 0xd2);
	data(&b, 0x3c);
	assert_int_equal(next(&b), 0x3c);
	command(&b, 0xa7);
	command(&b, 0xd3);
	data(&b, 0x5a);
	assert_int_equal(next(&b), 0x15a);
	/* A command that none knows. */
	assert_int_equal(ask(&b, 0xb7), -1);
	/* A command that waits for its byte is forgotten with the next one. */
	command(&b, 0x60);
	assert_int_equal(ask(&b, 0xaa), 0x55);
	data(&b, 0xee);
	assert_int_equal(next(&b), 0xee);
	finish(&b);
}

static void outport(void **state)
{
	struct bench b;

	(void)state;
	setup(&b);
	assert_int_equal(ask(&b, 0xd0) & 3, 3);
	command(&b, 0xdd);
	assert_int_equal(ask(&b, 0xd0) & 3, 1);
	assert_int_equal(dev_in(vmm_i8042_port_a_ops(), b.k, 0, 1), 0);
	dev_out(vmm_i8042_port_a_ops(), b.k, 0, 1, 2);
	assert_int_equal(ask(&b, 0xd0) & 3, 3);
	command(&b, 0xdf);
	assert_int_equal(dev_in(vmm_i8042_port_a_ops(), b.k, 0, 1), 2);
	command(&b, 0xd1);
	data(&b, 0x01);
	assert_int_equal(ask(&b, 0xd0) & 3, 1);
	assert_int_equal(b.resets, 0);
	command(&b, 0xff); /* pulse none */
	command(&b, 0xfd);
	assert_int_equal(b.resets, 0);
	command(&b, 0xfe);
	assert_int_equal(b.resets, 1);
	command(&b, 0xd1);
	data(&b, 0x02);
	assert_int_equal(b.resets, 2);
	dev_out(vmm_i8042_port_a_ops(), b.k, 0, 1, 3);
	assert_int_equal(b.resets, 3);
	finish(&b);
}

static void keyboard(void **state)
{
	static const uint8_t a_and_up[] = {0x1c, 0xf0, 0x1c, 0xe0, 0x75, 0xe0, 0xf0, 0x75, 0x83};
	struct bench b;

	(void)state;
	setup(&b);
	set_command_byte(&b, 0x21); /* on, its interrupt, no translation */
	data(&b, 0xff);
	assert_int_equal(b.keyboard_level, 1);
	EXPECT(&b, "\xfa\xaa");
	assert_int_equal(b.keyboard_level, 0);
	assert_int_equal(b.keyboard_rises, 2); /* an edge for each byte */
	data(&b, 0xf2);
	EXPECT(&b, "\xfa\xab\x83");
	data(&b, 0xee);
	EXPECT(&b, "\xee");
	data(&b, 0xed);
	EXPECT(&b, "\xfa");
	data(&b, 0x07);
	EXPECT(&b, "\xfa");
	data(&b, 0xf0);
	data(&b, 0x00);
	EXPECT(&b, "\xfa\xfa\x02");
	data(&b, 0xf0);
	data(&b, 0x03);
	EXPECT(&b, "\xfa\xfe");
	data(&b, 0xfe);
	EXPECT(&b, "\xfe");
	data(&b, 0x42);
	EXPECT(&b, "\xfe");
	data(&b, 0xed);
	data(&b, 0xf4); /* a command in the place of its byte */
	EXPECT(&b, "\xfa\xfa");
	assert_int_equal(vmm_i8042_keys(b.k, a_and_up, sizeof(a_and_up)), sizeof(a_and_up));
	EXPECT(&b, "\x1c\xf0\x1c\xe0\x75\xe0\xf0\x75\x83");
	/* Translated to set 1. */
	set_command_byte(&b, 0x61);
	assert_int_equal(vmm_i8042_keys(b.k, a_and_up, sizeof(a_and_up)), sizeof(a_and_up));
	EXPECT(&b, "\x1e\x9e\xe0\x48\xe0\xc8\x41");
	/* Sent again is what the keyboard has sent, before it was translated. */
	assert_int_equal(vmm_i8042_keys(b.k, a_and_up, 1), 1);
	EXPECT(&b, "\x1e");
	assert_int_equal(ask(&b, 0x20), 0x61);
	data(&b, 0xfe);
	EXPECT(&b, "\x1e");
	/* Off: at the keyboard nothing is taken, at the controller it waits. */
	data(&b, 0xf5);
	EXPECT(&b, "\xfa");
	assert_int_equal(vmm_i8042_keys(b.k, a_and_up, 1), 0);
	data(&b, 0xf4);
	EXPECT(&b, "\xfa");
	command(&b, 0xad);
	assert_int_equal(vmm_i8042_keys(b.k, a_and_up, 1), 1);
	assert_int_equal(next(&b), -1);
	command(&b, 0xae);
	assert_int_equal(next(&b), 0x1e);
	/* All of a key's codes or none. */
	command(&b, 0xad);
	for (int i = 0; i < 3; i++)
		assert_int_equal(vmm_i8042_keys(b.k, a_and_up, 9), 9);
	assert_int_equal(vmm_i8042_keys(b.k, a_and_up, 9), 0);
	vmm_i8042_reset(b.k);
	assert_int_equal(next(&b), -1);
	finish(&b);
}

static void mouse(void **state)
{
	struct bench b;

	(void)state;
	setup(&b);
	set_command_byte(&b, 0x42);
	to_mouse(&b, 0xff);
	assert_int_equal(b.mouse_level, 1);
	EXPECT_MOUSE(&b, "\xfa\xaa\x00");
	assert_int_equal(b.mouse_rises, 3);
	to_mouse(&b, 0xf2);
	EXPECT_MOUSE(&b, "\xfa\x00");
	assert_int_equal(vmm_i8042_mouse(b.k, 1, 1, 0), 0); /* not yet */
	to_mouse(&b, 0xf4);
	EXPECT_MOUSE(&b, "\xfa");
	assert_int_equal(vmm_i8042_mouse(b.k, 5, -3, 1), 1);
	EXPECT_MOUSE(&b, "\x29\x05\xfd");
	assert_int_equal(vmm_i8042_mouse(b.k, -1000, 1000, 6), 1);
	EXPECT_MOUSE(&b, "\x1e\x01\xff");
	to_mouse(&b, 0xe9);
	EXPECT_MOUSE(&b, "\xfa\x23\x02\x64");
	to_mouse(&b, 0xf3);
	to_mouse(&b, 200);
	to_mouse(&b, 0xe8);
	to_mouse(&b, 3);
	to_mouse(&b, 0xe7);
	EXPECT_MOUSE(&b, "\xfa\xfa\xfa\xfa\xfa");
	to_mouse(&b, 0xe9);
	EXPECT_MOUSE(&b, "\xfa\x33\x03\xc8");
	to_mouse(&b, 0xe6);
	to_mouse(&b, 0xf5);
	to_mouse(&b, 0xf0);
	to_mouse(&b, 0xeb);
	EXPECT_MOUSE(&b, "\xfa\xfa\xfa\xfa\x0e\x00\x00");
	to_mouse(&b, 0xea);
	to_mouse(&b, 0xee);
	EXPECT_MOUSE(&b, "\xfa\xfa");
	to_mouse(&b, 0xf4);
	EXPECT_MOUSE(&b, "\xf4"); /* wraps */
	to_mouse(&b, 0xec);
	EXPECT_MOUSE(&b, "\xfa");
	to_mouse(&b, 0x11);
	EXPECT_MOUSE(&b, "\xfe");
	/* Reports are whole: what finds no room is not taken. */
	to_mouse(&b, 0xf4);
	EXPECT_MOUSE(&b, "\xfa");
	for (int i = 0; i < 9; i++)
		assert_int_equal(vmm_i8042_mouse(b.k, 1, 1, 0), 1);
	assert_int_equal(vmm_i8042_mouse(b.k, 1, 1, 0), 0);
	/* The keyboard comes first. */
	command(&b, 0xae);
	assert_int_equal(vmm_i8042_keys(b.k, (const uint8_t *)"\x1c", 1), 1);
	assert_int_equal(next(&b), 0x108);
	assert_int_equal(next(&b), 0x1e);
	assert_int_equal(next(&b), 0x101);
	finish(&b);
}

/* However much waits, there is room for what a command is answered. */
static void answers_find_room(void **state)
{
	static const uint8_t key[] = {0x1c};
	struct bench b;
	uint32_t last = 0;

	(void)state;
	setup(&b);
	set_command_byte(&b, 0);
	to_mouse(&b, 0xf4);
	EXPECT_MOUSE(&b, "\xfa");
	while (vmm_i8042_mouse(b.k, 1, 1, 0) != 0)
		;
	to_mouse(&b, 0xe9);
	for (int byte = next(&b); byte != -1; byte = next(&b))
		last = last << 8 | (uint8_t)byte;
	assert_int_equal(last, 0xfa200264);
	while (vmm_i8042_keys(b.k, key, 1) != 0)
		;
	data(&b, 0xf2);
	for (int byte = next(&b); byte != -1; byte = next(&b))
		last = last << 8 | (uint8_t)byte;
	assert_int_equal(last, 0x1cfaab83);
	finish(&b);
}

static void saved(void **state)
{
	struct vmm_i8042_state kept = {.size = sizeof(kept)};
	struct bench a, b;

	(void)state;
	setup(&a);
	set_command_byte(&a, 0x01);
	data(&a, 0xf2);
	command(&a, 0xd1);
	assert_int_equal(vmm_i8042_get_state(a.k, &kept), 0);
	setup(&b);
	assert_int_equal(vmm_i8042_set_state(b.k, &kept), 0);
	assert_int_equal(b.keyboard_level, 1);
	data(&b, 0x01); /* what D1 waits for */
	EXPECT(&b, "\xfa\xab\x83");
	assert_int_equal(ask(&b, 0xd0) & 3, 1);
	kept.mouse.count = VMM_I8042_QUEUE + 1;
	assert_int_equal(vmm_i8042_set_state(b.k, &kept), -VMM_ERANGE);
	kept.version = 0;
	assert_int_equal(vmm_i8042_set_state(b.k, &kept), -VMM_EINVAL);
	finish(&a);
	finish(&b);
}

static void life(void **state)
{
	struct vmm_i8042_config config = {
		.size = sizeof(config), .keyboard_irq = keyboard_irq, .mouse_irq = mouse_irq};
	struct bench b;

	(void)state;
	memset(&b, 0, sizeof(b));
	dev_host_init(&b.host);
	config.opaque = &b;
	assert_int_equal(vmm_i8042_create(&b.host.host, &config, &b.k), -VMM_EINVAL);
	config.reset = reset;
	b.host.fail = 1;
	assert_int_equal(vmm_i8042_create(&b.host.host, &config, &b.k), -VMM_ENOMEM);
	b.host.fail = 0;
	assert_int_equal(vmm_i8042_create(&b.host.host, &config, &b.k), 0);
	dev_hammer(vmm_i8042_command_ops(), b.k, 1, 5000);
	dev_hammer(vmm_i8042_data_ops(), b.k, 1, 5000);
	vmm_i8042_destroy(b.k);
	vmm_i8042_destroy(NULL);
	assert_int_equal(b.host.allocs, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(controller),
		cmocka_unit_test(outport),
		cmocka_unit_test(keyboard),
		cmocka_unit_test(mouse),
		cmocka_unit_test(saved),
		cmocka_unit_test(life),
		cmocka_unit_test(answers_find_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

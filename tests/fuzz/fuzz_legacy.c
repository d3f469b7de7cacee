// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * What a guest, time and the ends of lines can do to the legacy devices. The first byte chooses one
 * of them; then each operation is a byte (what), a byte (where) and a value. Whatever has been
 * done, saved state that is set again is the same state, and no deadline has passed once it was
 * told.
 */
#include <string.h>

#include "fuzz.h"
#include "fuzz_host.h"
#include "libvmm/dev.h"
#include "pic.h"

static uint64_t deadline_ns;
static uint32_t level[2];

static void irq(void *opaque, uint32_t to)
{
	(void)opaque;
	FUZZ_CHECK(to != level[0] && to <= 1);
	level[0] = to;
}

static void mouse_irq(void *opaque, uint32_t to)
{
	(void)opaque;
	FUZZ_CHECK(to != level[1] && to <= 1);
	level[1] = to;
}

static void timer(void *opaque, uint64_t ns)
{
	(void)opaque;
	FUZZ_CHECK(ns > fuzz_now_ns);
	deadline_ns = ns;
}

static void reset(void *opaque)
{
	(void)opaque;
}

/* An access: bits 0-1 of @what are its width, 2 whether it writes. */
static void access(struct fuzz_input *in, uint64_t what, const struct vmm_region_ops *ops,
		   void *dev, uint32_t len)
{
	uint32_t width = UINT32_C(1) << (what & 3);
	uint64_t offset = fuzz_take(in, 1) % len;
	uint64_t value = ~UINT64_C(0);

	if (offset + width > len)
		width = 1;
	if (what & 4) {
		value = fuzz_take(in, width);
		FUZZ_CHECK(ops->write(dev, NULL, offset, width, value) == 0);
	} else {
		FUZZ_CHECK(ops->read(dev, NULL, offset, width, &value) == 0);
		FUZZ_CHECK(width == 8 || value >> (8 * width) == 0);
	}
}

/* Time passes: some clocks, up to the deadline, or years. */
static void pass(struct fuzz_input *in, uint64_t what)
{
	if ((what & 3) == 0)
		fuzz_now_ns += fuzz_take(in, 2);
	else if ((what & 3) == 1)
		fuzz_now_ns += fuzz_take(in, 4) << 8;
	else if ((what & 3) == 2 && deadline_ns != VMM_FOREVER)
		fuzz_now_ns = deadline_ns > fuzz_now_ns ? deadline_ns : fuzz_now_ns;
	else
		fuzz_now_ns += fuzz_take(in, 1) << 50;
	/* A host's clock does not get that far. */
	fuzz_now_ns &= UINT64_MAX >> 3;
}

static void play_pit(struct fuzz_input *in)
{
	const struct vmm_pit_config config = {.size = sizeof(config), .irq = irq, .timer = timer};
	struct vmm_pit *pit;

	level[0] = 1; /* as told by nobody */
	FUZZ_CHECK(vmm_pit_create(&fuzz_host, &config, &pit) == 0);
	while (in->len > 0) {
		struct vmm_pit_state a = {.size = sizeof(a)}, b = {.size = sizeof(b)};
		uint64_t what = fuzz_take(in, 1);

		if (what & 0x80) {
			pass(in, what);
			vmm_pit_tick(pit);
			FUZZ_CHECK(deadline_ns > fuzz_now_ns);
		} else if (what & 0x40) {
			access(in, what, vmm_pit_port_b_ops(), pit, VMM_PIT_PORT_B_PORTS);
		} else if (what & 0x20) {
			FUZZ_CHECK(vmm_pit_get_state(pit, &a) == 0);
			FUZZ_CHECK(vmm_pit_set_state(pit, &a) == 0);
			FUZZ_CHECK(vmm_pit_get_state(pit, &b) == 0);
			FUZZ_CHECK(memcmp(&a, &b, sizeof(a)) == 0);
		} else if (what & 0x10) {
			memset(&a.version, (int)fuzz_take(in, 1), sizeof(a) - sizeof(a.size));
			a.version = VMM_PIT_STATE_VERSION;
			for (size_t i = fuzz_take(in, 1); i + 1 < sizeof(a) && in->len > 0;
			     i += 1 + fuzz_take(in, 1))
				((uint8_t *)&a)[i] = (uint8_t)fuzz_take(in, 1);
			vmm_pit_set_state(pit, &a);
		} else {
			access(in, what, vmm_pit_ops(), pit, VMM_PIT_PORTS);
		}
	}
	vmm_pit_reset(pit);
	FUZZ_CHECK(deadline_ns == VMM_FOREVER);
	vmm_pit_destroy(pit);
}

static void play_rtc(struct fuzz_input *in)
{
	const struct vmm_rtc_config config = {.size = sizeof(config), .irq = irq, .timer = timer};
	struct vmm_rtc *rtc;

	FUZZ_CHECK(vmm_rtc_create(&fuzz_host, &config, &rtc) == 0);
	while (in->len > 0) {
		struct vmm_rtc_state a = {.size = sizeof(a)}, b = {.size = sizeof(b)};
		uint64_t what = fuzz_take(in, 1);

		if (what & 0x80) {
			pass(in, what);
			vmm_rtc_tick(rtc);
			FUZZ_CHECK(deadline_ns > fuzz_now_ns);
		} else if (what & 0x20) {
			FUZZ_CHECK(vmm_rtc_get_state(rtc, &a) == 0);
			FUZZ_CHECK(vmm_rtc_set_state(rtc, &a) == 0);
			FUZZ_CHECK(vmm_rtc_get_state(rtc, &b) == 0);
			FUZZ_CHECK(memcmp(&a, &b, sizeof(a)) == 0);
		} else if (what & 0x10) {
			a.version = VMM_RTC_STATE_VERSION;
			a.seconds = fuzz_take(in, 8);
			a.fraction = (uint32_t)fuzz_take(in, 4);
			a.index = (uint32_t)fuzz_take(in, 1);
			memset(a.bytes, (int)fuzz_take(in, 1), sizeof(a.bytes));
			vmm_rtc_set_state(rtc, &a);
		} else {
			access(in, what, vmm_rtc_ops(), rtc, VMM_RTC_PORTS);
		}
	}
	vmm_rtc_reset(rtc);
	FUZZ_CHECK(level[0] == 0 && deadline_ns == VMM_FOREVER);
	vmm_rtc_destroy(rtc);
}

static void play_i8042(struct fuzz_input *in)
{
	const struct vmm_i8042_config config = {.size = sizeof(config),
						.keyboard_irq = irq,
						.mouse_irq = mouse_irq,
						.reset = reset};
	struct vmm_i8042 *k;

	FUZZ_CHECK(vmm_i8042_create(&fuzz_host, &config, &k) == 0);
	while (in->len > 0) {
		struct vmm_i8042_state a = {.size = sizeof(a)}, b = {.size = sizeof(b)};
		uint64_t what = fuzz_take(in, 1);
		uint8_t codes[48];

		if (what & 0x80) {
			uint32_t len = (uint32_t)fuzz_take(in, 1) % sizeof(codes);

			memset(codes, (int)fuzz_take(in, 1), sizeof(codes));
			FUZZ_CHECK(vmm_i8042_keys(k, codes, len) <= len);
		} else if (what & 0x40) {
			vmm_i8042_mouse(k, (int32_t)fuzz_take(in, 4), (int32_t)fuzz_take(in, 4),
					(uint32_t)fuzz_take(in, 1));
		} else if (what & 0x20) {
			FUZZ_CHECK(vmm_i8042_get_state(k, &a) == 0);
			if (what & 0x08)
				memset(&a.status, (int)fuzz_take(in, 1),
				       offsetof(struct vmm_i8042_state, replies) -
					       offsetof(struct vmm_i8042_state, status));
			FUZZ_CHECK(vmm_i8042_set_state(k, &a) == 0);
			FUZZ_CHECK(vmm_i8042_get_state(k, &b) == 0);
			FUZZ_CHECK((what & 0x08) || memcmp(&a, &b, sizeof(a)) == 0);
		} else {
			access(in, what,
			       what & 0x10   ? vmm_i8042_command_ops()
			       : what & 0x08 ? vmm_i8042_port_a_ops()
					     : vmm_i8042_data_ops(),
			       k, 1);
		}
	}
	vmm_i8042_reset(k);
	FUZZ_CHECK(level[0] == 0 && level[1] == 0);
	vmm_i8042_destroy(k);
}

/* The output is up exactly if an INTA would not be spurious. */
static void check_pic(struct vmm__pic *pic)
{
	struct vmm_x86_pic before, after;
	uint8_t vector;

	vmm__pic_get(pic, &before);
	if (level[0] == 0) {
		vector = vmm__pic_acknowledge(pic);
		FUZZ_CHECK((vector & 7) == 7);
		vmm__pic_get(pic, &after);
		FUZZ_CHECK(memcmp(&before, &after, sizeof(before)) == 0);
	}
}

static void play_pic(struct fuzz_input *in)
{
	static const uint16_t ports[] = {0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1};
	struct vmm__pic pic = {0};

	vmm__pic_init(&pic, &fuzz_host, irq, NULL);
	while (in->len > 0) {
		uint64_t what = fuzz_take(in, 1);
		struct vmm_x86_pic state;

		switch (what >> 5) {
		case 0:
		case 1:
			vmm__pic_line(&pic, what & 31, what >> 5 & 1);
			break;
		case 2:
			vmm__pic_acknowledge(&pic);
			break;
		case 3:
			for (size_t i = 0; i < sizeof(state); i++)
				((uint8_t *)&state)[i] = (uint8_t)fuzz_take(in, 1);
			vmm__pic_set(&pic, &state);
			break;
		case 4:
			vmm__pic_read(&pic, ports[what % 6]);
			break;
		default:
			vmm__pic_write(&pic, ports[what % 6], (uint8_t)fuzz_take(in, 1));
			break;
		}
		check_pic(&pic);
	}
	vmm__pic_reset(&pic);
	FUZZ_CHECK(level[0] == 0);
}

/* Operations of every kind, of each device twice. */
size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	const size_t len = 2048;
	uint64_t x = 0x9e3779b97f4a7c15 + index;

	if (index >= 8)
		return 0;
	for (size_t i = 0; i < len; i++) {
		x ^= x >> 12;
		x ^= x << 25;
		x ^= x >> 27;
		buf[i] = (uint8_t)(x * 0x2545f4914f6cdd1d >> 56);
	}
	buf[0] = (uint8_t)(index % 4);
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const plays[])(struct fuzz_input *) = {play_pit, play_rtc, play_i8042,
							     play_pic};
	struct fuzz_input in = {data, size};

	fuzz_now_ns = 5000000000;
	deadline_ns = VMM_FOREVER;
	level[0] = level[1] = 0;
	plays[fuzz_take(&in, 1) % 4](&in);
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * What a guest and the other end of a line can do to a device. The first byte chooses the device;
 * then each operation is a byte (what), a byte (where), and for writes 8 bytes of value.
 */
#include <string.h>

#include "fuzz.h"
#include "fuzz_host.h"
#include "libvmm/dev.h"

#define RAM 4096

static uint8_t ram[RAM];
static uint32_t level;

static void irq(void *opaque, uint32_t now)
{
	(void)opaque;
	FUZZ_CHECK(now != level && now <= 1);
	level = now;
}

static void event(void *opaque, uint32_t what)
{
	(void)opaque;
	FUZZ_CHECK(what == VMM_SYSTEM_OFF || what == VMM_SYSTEM_RESET);
}

static int ram_read(void *opaque, uint64_t gpa, void *buf, size_t len)
{
	(void)opaque;
	if (gpa > RAM || len > RAM - gpa)
		return -VMM_EFAULT;
	memcpy(buf, ram + gpa, len);
	return 0;
}

static int ram_write(void *opaque, uint64_t gpa, const void *buf, size_t len)
{
	(void)opaque;
	if (gpa > RAM || len > RAM - gpa)
		return -VMM_EFAULT;
	memcpy(ram + gpa, buf, len);
	return 0;
}

/* Bits of what: 0-1 width, 2 write, 7 the other end instead. */
static void play(struct fuzz_input *in, const struct vmm_region_ops *ops, void *dev, uint32_t len,
		 void (*other_end)(void *dev, uint64_t value))
{
	while (in->len > 0) {
		uint64_t what = fuzz_take(in, 1);
		uint32_t width = UINT32_C(1) << (what & 3);
		uint64_t offset = fuzz_take(in, 1) % len;
		uint64_t value = ~UINT64_C(0);

		if ((what & 0x80) != 0) {
			other_end(dev, fuzz_take(in, 8));
		} else if (offset + width > len) {
			continue;
		} else if ((what & 4) != 0) {
			value = fuzz_take(in, 8) & (UINT64_MAX >> (64 - 8 * width));
			FUZZ_CHECK(ops->write(dev, NULL, offset, width, value) == 0);
		} else {
			FUZZ_CHECK(ops->read(dev, NULL, offset, width, &value) == 0);
			FUZZ_CHECK(width == 8 || value >> (8 * width) == 0);
		}
	}
}

static void uart_other_end(void *dev, uint64_t value)
{
	static uint8_t data[2048];

	FUZZ_CHECK(vmm_uart_input(dev, data, (uint32_t)(value % sizeof(data))) <= sizeof(data));
}

static void play_uart(struct fuzz_input *in)
{
	struct vmm_uart_config config = {.size = sizeof(config), .irq = irq};
	struct vmm_uart *uart;

	FUZZ_CHECK(vmm_uart_create(&fuzz_host, &config, &uart) == 0);
	play(in, vmm_uart_ops(), uart, VMM_UART_PORTS, uart_other_end);
	vmm_uart_reset(uart);
	FUZZ_CHECK(level == 0);
	vmm_uart_destroy(uart);
}

static void press(void *dev, uint64_t value)
{
	(void)value;
	vmm_power_button(dev);
	FUZZ_CHECK(level == 1);
}

static void asleep(void *opaque, uint32_t state)
{
	(void)opaque;
	FUZZ_CHECK(state >= 1 && state <= 4);
}

static void play_power(struct fuzz_input *in)
{
	struct vmm_power_config config = {
		.size = sizeof(config), .irq = irq, .event = event, .sleep = asleep};
	struct vmm_power *power;

	FUZZ_CHECK(vmm_power_create(&fuzz_host, &config, &power) == 0);
	play(in, vmm_power_ops(), power, VMM_POWER_LEN, press);
	vmm_power_reset(power);
	FUZZ_CHECK(level == 0);
	vmm_power_destroy(power);
}

/* The guest writes to its memory. */
static void write_ram(void *dev, uint64_t value)
{
	(void)dev;
	memmove(ram + 8, ram, 56);
	memcpy(ram, &value, sizeof(value));
}

static void play_fw_cfg(struct fuzz_input *in)
{
	struct vmm_fw_cfg_config config = {
		.size = sizeof(config), .read = ram_read, .write = ram_write};
	struct vmm_fw_cfg *fw_cfg;

	FUZZ_CHECK(vmm_fw_cfg_create(&fuzz_host, &config, &fw_cfg) == 0);
	FUZZ_CHECK(vmm_fw_cfg_add(fw_cfg, "opt/a", "alphabet", 8) == 0);
	play(in, vmm_fw_cfg_ops(), fw_cfg, VMM_FW_CFG_PORTS, write_ram);
	vmm_fw_cfg_destroy(fw_cfg);
}

#define SLOTS 3

static struct vmm_slots *slots;

static void slot_event(void *opaque)
{
	(void)opaque;
}

/* What is ejected is gone. */
static void slot_ejected(void *opaque, uint32_t slot)
{
	struct vmm_slot what = {.size = sizeof(what)};

	(void)opaque;
	FUZZ_CHECK(slot < SLOTS && vmm_slots_get(slots, slot, &what) == -VMM_ENOENT);
}

static void plug(void *dev, uint64_t value)
{
	const struct vmm_slot what = {.size = sizeof(what), .flags = value >> 8 & VMM_SLOT_F_FIXED};
	const uint32_t slot = value & 3;
	struct vmm_slot found = {.size = sizeof(found)};

	if ((value & 4) != 0)
		vmm_slots_remove(dev, slot);
	else if ((value & 8) != 0)
		vmm_slots_empty(dev, slot);
	else
		FUZZ_CHECK(vmm_slots_insert(dev, slot, &what) == -VMM_EEXIST ||
			   (vmm_slots_get(dev, slot, &found) == 0) == (slot < SLOTS));
}

static void play_slots(struct fuzz_input *in)
{
	struct vmm_slots_config config = {
		.size = sizeof(config), .count = SLOTS, .event = slot_event, .eject = slot_ejected};

	FUZZ_CHECK(vmm_slots_create(&fuzz_host, &config, &slots) == 0);
	play(in, vmm_slots_ops(), slots, VMM_SLOTS_LEN, plug);
	vmm_slots_reset(slots);
	vmm_slots_destroy(slots);
}

/* No access that a function could not be asked by a bus. */
static uint32_t config_read(void *opaque, uint32_t reg, uint32_t width)
{
	FUZZ_CHECK(opaque == ram);
	FUZZ_CHECK((width == 1 || width == 2 || width == 4) && reg < 4096 && reg % 4 + width <= 4);
	return ~reg;
}

static void config_write(void *opaque, uint32_t reg, uint32_t width, uint32_t value)
{
	config_read(opaque, reg, width);
	FUZZ_CHECK(width == 4 || value >> (8 * width) == 0);
}

/* Bits 62-63 are the width, 61 whether it writes. */
static void ecam(void *dev, uint64_t value)
{
	const struct vmm_region_ops *ops = vmm_pci_root_ecam_ops();
	const uint64_t len = 2 * VMM_ECAM_BUS_LEN, offset = value % len;
	const uint32_t width = UINT32_C(1) << (value >> 62);
	uint64_t data = value >> (64 - 8 * width) / 2 & UINT64_MAX >> (64 - 8 * width);

	if (width > len - offset)
		return;
	if ((value >> 61 & 1) != 0) {
		FUZZ_CHECK(ops->write(dev, NULL, offset, width, data) == 0);
	} else {
		FUZZ_CHECK(ops->read(dev, NULL, offset, width, &data) == 0);
		FUZZ_CHECK(width == 8 || data >> (8 * width) == 0);
	}
}

/* Called without a lock. */
static void pci_reset(void *opaque)
{
	vmm_pci_root_reset(*(struct vmm_pci_root **)opaque);
	FUZZ_CHECK(vmm_pci_root_detach(*(struct vmm_pci_root **)opaque, 9) == -VMM_ENOENT);
}

static void play_pci_root(struct fuzz_input *in)
{
	static const struct vmm_pci_function_ops ops = {
		.size = sizeof(ops), .read = config_read, .write = config_write};
	struct vmm_pci_root *root;
	const struct vmm_pci_root_config config = {
		.size = sizeof(config), .opaque = &root, .reset = pci_reset};

	FUZZ_CHECK(vmm_pci_root_create(&fuzz_host, &config, &root) == 0);
	FUZZ_CHECK(vmm_pci_root_attach(root, 8, &ops, ram) == 0);
	FUZZ_CHECK(vmm_pci_root_attach(root, 255, &ops, ram) == 0);
	play(in, vmm_pci_root_port_ops(), root, VMM_PCI_ROOT_PORTS, ecam);
	vmm_pci_root_reset(root);
	FUZZ_CHECK(vmm_pci_root_detach(root, 8) == 0);
	vmm_pci_root_destroy(root);
}

size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	/* A UART that is set up, sends and receives; a button and a sleep; a file read by DMA. */
	static const uint8_t uart[] = {0, 4, 1, 0xf, 0, 0, 0, 0,    0, 0, 0, 4,  2, 0x81,
				       0, 0, 0, 0,   0, 0, 0, 0x80, 0, 9, 0, 0,  0, 0,
				       0, 0, 0, 0,   2, 0, 5, 0,    0, 4, 0, 'x'};
	static const uint8_t power[] = {1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 4, 4, 0x34};
	static const uint8_t fw_cfg[] = {2, 0x80, 0,    0, 0,   0, 0, 0, 0, 1, 0, 0x80,
					 0, 0,    0x20, 0, 0xa, 0, 0, 0, 4, 6, 8, 0};

	static const uint8_t slot[] = {3, 0x80, 1, 0, 0, 0, 0, 0, 0, 0,   0, 2, 0, 1, 0,
				       0, 0,    4, 4, 8, 0, 0, 0, 4, 0xc, 1, 0, 0, 0};

	/* Function 1.0's first register by the ports, and then by ECAM. */
	static const uint8_t pci[] = {4, 6, 0, 0, 8, 0, 0x80, 0, 0,    0,    0, 2, 4, 5,    6, 2,
				      0, 0, 0, 0, 0, 0, 0,    0, 0x80, 0x80, 0, 0, 0, 0x80, 0};

	switch (index) {
	case 0:
		memcpy(buf, uart, sizeof(uart));
		return sizeof(uart);
	case 1:
		memcpy(buf, power, sizeof(power));
		return sizeof(power);
	case 2:
		memcpy(buf, fw_cfg, sizeof(fw_cfg));
		return sizeof(fw_cfg);
	case 3:
		memcpy(buf, slot, sizeof(slot));
		return sizeof(slot);
	case 4:
		memcpy(buf, pci, sizeof(pci));
		return sizeof(pci);
	default:
		return 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input in = {data, len};

	level = 0;
	fuzz_now_ns = 1234567;
	memset(ram, 0, sizeof(ram));
	switch (fuzz_take(&in, 1) % 5) {
	case 0:
		play_uart(&in);
		break;
	case 1:
		play_power(&in);
		break;
	case 2:
		play_fw_cfg(&in);
		break;
	case 3:
		play_slots(&in);
		break;
	default:
		play_pci_root(&in);
		break;
	}
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * What a guest can do to the device behind the runtime services: any bytes in the mailbox, which
 * may be others each time the device looks, and any value at the doorbell. The device touches the
 * mailbox and nothing else, and goes on serving.
 *
 * The input is a list of steps: what (1 byte), and for a write to the mailbox, where in its head (1
 * byte), how much (1 byte), and the bytes.
 */
#include <string.h>

#include "fuzz.h"
#include "fuzz_host.h"
#include "libvmm/exit.h"
#include "libvmm/uefi.h"
#include "uefi_runtime.h"

#define GPA UINT64_C(0x7ffd1000)

static struct uefi_mailbox mailbox;
static const uint8_t *racing; /* what another processor writes over the head at each look */
static size_t racing_len;
static uint32_t events;

static void check_range(uint64_t gpa, size_t len)
{
	FUZZ_CHECK(gpa >= GPA && gpa - GPA <= sizeof(mailbox));
	FUZZ_CHECK(len <= sizeof(mailbox) - (gpa - GPA));
}

static int guest_read(void *opaque, uint64_t gpa, void *buf, size_t len)
{
	(void)opaque;
	check_range(gpa, len);
	memcpy(buf, (uint8_t *)&mailbox + (gpa - GPA), len);
	if (racing_len > 0)
		memcpy(&mailbox, racing, racing_len);
	return 0;
}

static int guest_write(void *opaque, uint64_t gpa, const void *buf, size_t len)
{
	(void)opaque;
	check_range(gpa, len);
	memcpy((uint8_t *)&mailbox + (gpa - GPA), buf, len);
	return 0;
}

/* Small, so that it is soon full. */
static uint8_t disk[8192];

static int disk_read(void *opaque, uint64_t offset, void *buf, size_t len)
{
	(void)opaque;
	FUZZ_CHECK(offset <= sizeof(disk) && len <= sizeof(disk) - offset);
	memcpy(buf, disk + offset, len);
	return 0;
}

static int disk_write(void *opaque, uint64_t offset, const void *buf, size_t len)
{
	(void)opaque;
	FUZZ_CHECK(offset <= sizeof(disk) && len <= sizeof(disk) - offset);
	memcpy(disk + offset, buf, len);
	return 0;
}

static int disk_flush(void *opaque)
{
	(void)opaque;
	return 0;
}

static const struct vmm_uefi_storage storage = {
	sizeof(storage), 0, NULL, sizeof(disk), disk_read, disk_write, disk_flush};

static void event(void *opaque, uint32_t what)
{
	(void)opaque;
	FUZZ_CHECK(what == VMM_SYSTEM_OFF || what == VMM_SYSTEM_RESET);
	events++;
}

/* A part of the mailbox, in steps of 4 bytes: head and name; or of the data. */
static void write_mailbox(struct fuzz_input *in, size_t base)
{
	size_t offset = base + fuzz_take(in, 1) * 4, len = fuzz_take(in, 1);

	if (len > in->len)
		len = in->len;
	memcpy((uint8_t *)&mailbox + offset, in->data, len);
	in->data += len;
	in->len -= len;
}

static void ring(struct vmm_uefi *uefi, uint32_t width, uint64_t value)
{
	FUZZ_CHECK(vmm_uefi_ops()->write(uefi, NULL, 0, width, value) == 0);
}

static void play(struct fuzz_input *in, struct vmm_uefi *uefi)
{
	uint64_t value;

	while (in->len > 0) {
		switch (fuzz_take(in, 1) & 7) {
		case 0:
		case 1:
			ring(uefi, 4, UEFI_RING);
			FUZZ_CHECK(mailbox.status == 0 || mailbox.status >> 63 == 1 || racing_len);
			break;
		case 2:
			write_mailbox(in, offsetof(struct uefi_mailbox, data));
			break;
		case 3:
			ring(uefi, 1u << (fuzz_take(in, 1) & 3), fuzz_take(in, 2));
			break;
		case 4:
			racing = in->data;
			racing_len = in->len < 64 ? in->len : 64;
			break;
		case 5:
			racing_len = 0;
			FUZZ_CHECK(vmm_uefi_ops()->read(uefi, NULL, 0, 4, &value) == 0);
			FUZZ_CHECK(value == 0);
			break;
		case 6:
			vmm_uefi_reset(uefi);
			break;
		default:
			write_mailbox(in, 0);
			break;
		}
	}
}

/* A step that writes the head: op, attributes, name of 2 characters, data of 4 bytes; and rings. */
static size_t put_call(uint8_t *p, uint8_t op, uint8_t attributes)
{
	static const uint8_t head[] = {7, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
				       0, 6, 0,  0, 0, 4, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};
	static const uint8_t name[] = {7, 16, 6, 'a', 0, 'b', 0, 0, 0, 0};

	memcpy(p, head, sizeof(head));
	p[3] = op;
	p[7] = attributes;
	memcpy(p + sizeof(head), name, sizeof(name));
	return sizeof(head) + sizeof(name);
}

size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	size_t len = 0;

	if (index > 1)
		return 0;
	len += put_call(buf + len, UEFI_OP_SET_VARIABLE, 7);
	len += put_call(buf + len, UEFI_OP_GET_VARIABLE, 0);
	len += put_call(buf + len, UEFI_OP_GET_NEXT_NAME, 0);
	len += put_call(buf + len, UEFI_OP_QUERY_VARIABLE, 7);
	len += put_call(buf + len, UEFI_OP_GET_TIME, 0);
	len += put_call(buf + len, UEFI_OP_SET_TIME, 0);
	len += put_call(buf + len, UEFI_OP_NEXT_COUNT, 0);
	if (index == 1) {
		buf[len++] = 4;
		len += put_call(buf + len, UEFI_OP_SET_VARIABLE, 0x47);
		buf[len++] = 6;
		buf[len++] = 3;
		buf[len++] = 2;
		buf[len++] = 2;
		buf[len++] = 1;
	}
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct vmm_uefi_config config = {
		.size = sizeof(config),
		.mailbox = GPA,
		.read = guest_read,
		.write = guest_write,
		.event = event,
	};
	struct fuzz_input in = {data, len};
	struct vmm_uefi *uefi;

	memset(&mailbox, 0, sizeof(mailbox));
	memset(disk, 0, sizeof(disk));
	racing_len = 0;
	fuzz_now_ns = UINT64_C(1800000000000000000);
	FUZZ_CHECK(vmm_uefi_vars_create(&fuzz_host, &storage, &config.vars) == 0);
	FUZZ_CHECK(vmm_uefi_create(&fuzz_host, &config, &uefi) == 0);
	play(&in, uefi);
	/* It still serves. */
	racing_len = 0;
	mailbox.op = UEFI_OP_NEXT_COUNT;
	ring(uefi, 4, UEFI_RING);
	FUZZ_CHECK(mailbox.status == 0);
	vmm_uefi_destroy(uefi);
	vmm_uefi_vars_destroy(config.vars);
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The store against a model, with the power cut at every byte that a thousand changes write, with
 * what was written since a flush arriving in any order, and with every call of storage failing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "uefi_store.h"
#include "uefi_table.h"

#define BANK    VMM__UEFI_BANK_MIN
#define DISK    (2 * BANK)
#define NAMES   6
#define CHANGES 1000
#define ATTRS   (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOT | EFI_VARIABLE_RUNTIME)

/* --- Storage that remembers what was written, and can fail --- */

struct disk {
	uint8_t bytes[DISK];
	uint32_t writes;
	struct {
		uint64_t offset;
		size_t len;
		uint8_t bytes[BANK];
	} write[8]; /* since the log was last cleared; each has its own flush */
	uint32_t flushes;
	uint32_t calls;
	uint32_t fail_at; /* this call fails, 0: none */
};

static struct disk disk;

static int failing(struct disk *d)
{
	return ++d->calls == d->fail_at;
}

static int disk_read(void *opaque, uint64_t offset, void *buf, size_t len)
{
	struct disk *d = opaque;

	assert_true(offset <= DISK && len <= DISK - offset);
	memcpy(buf, d->bytes + offset, len);
	return 0;
}

static int disk_write(void *opaque, uint64_t offset, const void *buf, size_t len)
{
	struct disk *d = opaque;

	assert_true(offset <= DISK && len <= DISK - offset && len <= BANK);
	assert_int_equal(d->writes, d->flushes); /* never two that could change places */
	if (failing(d))
		return -VMM_EIO;
	memcpy(d->bytes + offset, buf, len);
	if (d->writes < 8) {
		d->write[d->writes].offset = offset;
		d->write[d->writes].len = len;
		memcpy(d->write[d->writes].bytes, buf, len);
	}
	d->writes++;
	return 0;
}

static int disk_flush(void *opaque)
{
	struct disk *d = opaque;

	d->flushes = d->writes;
	return failing(d) ? -VMM_EIO : 0;
}

static struct vmm_uefi_storage storage_of(struct disk *d)
{
	return (struct vmm_uefi_storage){
		sizeof(struct vmm_uefi_storage), 0, d, DISK, disk_read, disk_write, disk_flush};
}

/* --- The model --- */

struct model {
	struct {
		uint32_t len; /* 0: not there */
		uint8_t data[600];
	} value[NAMES];
};

static const uint8_t guid[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static uint16_t name_text[NAMES][8];

static struct vmm__uefi_name name_of(uint32_t i)
{
	uint32_t len = i + 1;

	for (uint32_t c = 0; c < len; c++)
		name_text[i][c] = (uint16_t)('a' + i);
	name_text[i][len] = 0;
	return (struct vmm__uefi_name){guid, name_text[i], 2 * len + 2};
}

static bool is_value(const struct vmm__uefi_store *s, uint32_t i, const struct model *m)
{
	const struct vmm__uefi_name name = name_of(i);
	const uint32_t at = vmm__uefi_store_find(s, &name);

	if (at == 0)
		return m->value[i].len == 0;
	struct vmm__uefi_value v = vmm__uefi_store_at(s, at);
	return v.len == m->value[i].len && v.attributes == ATTRS &&
	       memcmp(v.data, m->value[i].data, v.len) == 0;
}

static bool is_model(const struct vmm__uefi_store *s, const struct model *m)
{
	uint32_t there = 0, found = 0;

	for (uint32_t i = 0; i < NAMES; i++) {
		if (!is_value(s, i, m))
			return false;
		there += m->value[i].len != 0;
	}
	for (uint32_t at = 0; (at = vmm__uefi_store_next(s, at)) != 0;)
		found++;
	return there == found;
}

/* --- Changes --- */

static uint32_t random_state;

static uint32_t next_random(uint32_t end)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % end;
}

struct change {
	uint32_t name;
	uint32_t keep; /* bytes of the old value */
	uint32_t len;  /* with keep 0: 0 deletes */
	uint8_t data[600];
};

/*
 * Values hold the bytes of records now and then, so that what is left of one could be taken for
 * another.
 */
static struct change random_change(const struct model *m)
{
	struct change c = {.name = next_random(NAMES), .len = next_random(500)};
	uint32_t old = m->value[c.name].len;

	if (next_random(8) == 0)
		c.len = 0;
	else if (next_random(4) == 0 && old + c.len <= sizeof(c.data))
		c.keep = old;
	for (uint32_t i = 0; i < c.len; i++)
		c.data[i] = (uint8_t)next_random(256);
	if (c.len >= 200) {
		uint32_t from = next_random(DISK - 200);
		memcpy(c.data, disk.bytes + from, 200);
	}
	return c;
}

static void model_change(struct model *m, const struct change *c)
{
	memcpy(m->value[c->name].data + c->keep, c->data, c->len);
	m->value[c->name].len = c->keep + c->len;
}

static int store_change(struct vmm__uefi_store *s, const struct change *c)
{
	const struct vmm__uefi_name name = name_of(c->name);

	if (c->keep + c->len > 0)
		return vmm__uefi_store_set(s, &name, ATTRS, c->keep, c->data, c->len);
	return vmm__uefi_store_find(s, &name) != 0 ? vmm__uefi_store_delete(s, &name) : 0;
}

static uint64_t buffer[6][BANK / 8];

static void open_store(struct vmm__uefi_store *s, struct disk *d, int buffers)
{
	struct vmm_uefi_storage storage = storage_of(d);

	assert_int_equal(vmm__uefi_store_open(s, &storage, BANK, (uint8_t *)buffer[buffers],
					      (uint8_t *)buffer[buffers + 1]),
			 0);
}

/* What a disk holds after a cut is the old state or the new one, and it goes on from there. */
static void check_cut(struct disk *cut, const struct model *before, const struct model *after,
		      bool go_on)
{
	struct vmm__uefi_store s;
	bool is_old;

	cut->writes = cut->flushes = cut->calls = 0;
	open_store(&s, cut, 2);
	is_old = is_model(&s, before);
	assert_true(is_old || is_model(&s, after));
	if (!go_on)
		return;
	struct model m = is_old ? *before : *after;
	const struct change c = {.name = 0, .len = 3, .data = "new"};
	int err = store_change(&s, &c);
	if (err == 0)
		model_change(&m, &c);
	else
		assert_int_equal(err, -VMM_ELIMIT);
	open_store(&s, cut, 4);
	assert_true(is_model(&s, &m));
}

static struct disk cut;

/* Bytes arrive in their order, until one of them does not. */
static void cut_everywhere(const uint8_t *old, const struct model *before,
			   const struct model *after)
{
	memcpy(cut.bytes, old, DISK);
	for (uint32_t w = 0; w < disk.writes; w++) {
		for (size_t i = 0; i < disk.write[w].len; i++) {
			uint8_t *byte = &cut.bytes[disk.write[w].offset + i];

			/* A byte that is there already makes no other disk. */
			if (*byte == disk.write[w].bytes[i] && i != 0)
				continue;
			*byte = disk.write[w].bytes[i];
			check_cut(&cut, before, after, false);
		}
	}
	check_cut(&cut, after, after, false);
}

/* Of what was written since the last flush, any part may arrive: sectors, or single bytes. */
static void cut_torn(const uint8_t *old, const struct model *before, const struct model *after)
{
	memcpy(cut.bytes, old, DISK);
	for (uint32_t w = 0; w < disk.writes; w++) {
		static struct disk torn;

		for (int round = 0; round < 6; round++) {
			size_t unit = round < 3 ? 64 : round < 5 ? 512 : 1;

			memcpy(torn.bytes, cut.bytes, DISK);
			for (size_t i = 0; i < disk.write[w].len; i += unit) {
				size_t left = disk.write[w].len - i;

				if (next_random(2) == 0)
					memcpy(torn.bytes + disk.write[w].offset + i,
					       disk.write[w].bytes + i, left < unit ? left : unit);
			}
			check_cut(&torn, before, after, true);
		}
		memcpy(cut.bytes + disk.write[w].offset, disk.write[w].bytes, disk.write[w].len);
	}
}

static void power_cuts(void **state)
{
	static uint8_t old[DISK];
	struct vmm__uefi_store s;
	struct model before = {0};
	uint32_t moves = 0, full = 0;

	(void)state;
	memset(&disk, 0, sizeof(disk));
	random_state = 1;
	open_store(&s, &disk, 0);
	for (int i = 0; i < CHANGES; i++) {
		const struct change c = random_change(&before);
		struct model after = before;

		memcpy(old, disk.bytes, DISK);
		disk.writes = disk.flushes = 0;
		int err = store_change(&s, &c);
		if (err == 0)
			model_change(&after, &c);
		else
			assert_int_equal(err, -VMM_ELIMIT);
		assert_true(disk.writes <= 2);
		assert_true(is_model(&s, &after));
		moves += disk.writes == 2;
		full += err != 0;
		cut_everywhere(old, &before, &after);
		cut_torn(old, &before, &after);
		before = after;
	}
	/* The thousand has had its share of each way. */
	assert_true(moves > 50 && moves < 500);
	print_message("%d changes, %u into the other bank, %u without room\n", CHANGES, moves,
		      full);
}

/* The same from the first byte of a new store on. */
static void first_cut(void **state)
{
	static const uint8_t old[DISK];
	struct model none = {0};
	struct vmm__uefi_store s;

	(void)state;
	memset(&disk, 0, sizeof(disk));
	random_state = 2;
	open_store(&s, &disk, 0);
	assert_int_equal(disk.writes, 1);
	cut_everywhere(old, &none, &none);
	cut_torn(old, &none, &none);
}

/* What changes that failed may have left in storage, until one succeeds. */
struct doubts {
	struct model model[32];
	uint32_t count;
};

static bool is_doubted(const struct vmm__uefi_store *s, const struct doubts *d)
{
	for (uint32_t i = 0; i < d->count; i++) {
		if (is_model(s, &d->model[i]))
			return true;
	}
	return false;
}

/* Each call of storage fails, in every change; the store goes on, and so does what it holds. */
static void failures(void **state)
{
	static struct doubts doubts;
	struct vmm__uefi_store s, again;
	struct model m = {0};
	uint32_t successes = 0;

	(void)state;
	memset(&disk, 0, sizeof(disk));
	random_state = 3;
	open_store(&s, &disk, 0);
	for (int i = 0; i < CHANGES; i++) {
		const struct change c = random_change(&m);
		struct model after = m;

		model_change(&after, &c);
		disk.writes = disk.flushes = disk.calls = 0;
		disk.fail_at = 1 + (uint32_t)i % 7;
		int err = store_change(&s, &c);
		disk.fail_at = 0;
		disk.writes = disk.flushes = 0;
		if (disk.calls == 0) /* what is not there was to be deleted */
			continue;
		if (err == 0) {
			m = after;
			doubts.count = 0;
			successes++;
		} else {
			assert_true(err == -VMM_EIO && doubts.count < 32);
			doubts.model[doubts.count++] = after;
		}
		assert_true(is_model(&s, &m));
		open_store(&again, &disk, 2);
		assert_true(is_model(&again, &m) || is_doubted(&again, &doubts));
		if (err == 0)
			assert_true(is_model(&again, &m));
		if (err == 0 || i % 2 == 0)
			continue;
		/* A small one finds room where a large one did not. */
		const struct change small = {.name = 0, .len = 1, .data = {(uint8_t)i}};
		assert_int_equal(store_change(&s, &small), 0);
		model_change(&m, &small);
		doubts.count = 0;
		open_store(&again, &disk, 2);
		assert_true(is_model(&again, &m));
	}
	assert_true(successes > CHANGES / 4 && successes < CHANGES);
}

/*
 * The flush of a header fails, though the header is there: what comes next must not go to the bank
 * that it has put out of force, even if there is room.
 */
static void header_in_doubt(void **state)
{
	static uint8_t data[500];
	struct vmm__uefi_store s, again;
	const struct vmm__uefi_name a = name_of(0), b = name_of(1);

	(void)state;
	memset(&disk, 0, sizeof(disk));
	open_store(&s, &disk, 0);
	while (s.bank_len - s.used > sizeof(data)) {
		disk.writes = disk.flushes = 0;
		assert_int_equal(vmm__uefi_store_set(&s, &a, ATTRS, 0, data, sizeof(data)), 0);
	}
	disk.writes = disk.flushes = disk.calls = 0;
	disk.fail_at = 4;
	assert_int_equal(vmm__uefi_store_set(&s, &a, ATTRS, 0, data, sizeof(data)), -VMM_EIO);
	disk.writes = disk.flushes = disk.fail_at = 0;
	assert_int_equal(vmm__uefi_store_set(&s, &b, ATTRS, 0, "b", 1), 0);
	open_store(&again, &disk, 2);
	assert_true(vmm__uefi_store_find(&again, &b) != 0);
}

/* --- What is not a store --- */

static int open_disk(struct disk *d)
{
	struct vmm__uefi_store s;
	struct vmm_uefi_storage storage = storage_of(d);

	d->writes = d->flushes = 0;
	return vmm__uefi_store_open(&s, &storage, BANK, (uint8_t *)buffer[0], (uint8_t *)buffer[1]);
}

static void strangers(void **state)
{
	(void)state;
	memset(&disk, 0, sizeof(disk));
	disk.bytes[DISK - 1] = 1;
	assert_int_equal(open_disk(&disk), -VMM_EFORMAT);
	memset(&disk, 0xff, sizeof(disk.bytes));
	assert_int_equal(open_disk(&disk), -VMM_EFORMAT);
	memset(&disk, 0, sizeof(disk));
	disk.bytes[100] = 1;
	assert_int_equal(open_disk(&disk), -VMM_EFORMAT);
	assert_int_equal(disk.bytes[100], 1);
	assert_int_equal(disk.writes, 0);
	assert_int_equal(vmm__uefi_bank_len(BANK), 0);
	assert_int_equal(vmm__uefi_bank_len(2 * BANK), BANK);
	assert_int_equal(vmm__uefi_bank_len(UINT64_MAX), VMM__UEFI_BANK_MAX);
}

/* Storage of another length than it was made with: nothing is where it was. */
static void another_length(void **state)
{
	static uint8_t image[BANK + 8], spare[BANK + 8];
	struct vmm__uefi_store s;
	struct vmm_uefi_storage storage = storage_of(&disk);

	(void)state;
	memset(&disk, 0, sizeof(disk));
	open_store(&s, &disk, 0);
	disk.writes = disk.flushes = 0;
	const struct vmm__uefi_name a = name_of(0);
	assert_int_equal(vmm__uefi_store_set(&s, &a, ATTRS, 0, "value", 5), 0);
	assert_int_equal(vmm__uefi_store_open(&s, &storage, BANK - 8, image, spare), -VMM_EFORMAT);
}

/* --- Room --- */

static void room(void **state)
{
	static uint8_t data[BANK];
	struct vmm__uefi_store s;
	uint32_t i, left;

	(void)state;
	memset(&disk, 0, sizeof(disk));
	open_store(&s, &disk, 0);
	left = vmm__uefi_store_left(&s);
	assert_int_equal(left, vmm__uefi_store_capacity(&s));
	const struct vmm__uefi_name a = name_of(0), b = name_of(1);
	/* Exactly all there is, then nothing more, and deleting needs no room. */
	assert_int_equal(vmm__uefi_store_set(&s, &a, ATTRS, 0, data, left - 40 - a.len + 1),
			 -VMM_ELIMIT);
	disk.writes = disk.flushes = 0;
	assert_int_equal(vmm__uefi_store_set(&s, &a, ATTRS, 0, data, left - 40 - a.len), 0);
	assert_int_equal(vmm__uefi_store_left(&s), 0);
	assert_int_equal(vmm__uefi_store_set(&s, &b, ATTRS, 0, data, 1), -VMM_ELIMIT);
	/* The same once more, by way of the other bank. */
	assert_int_equal(vmm__uefi_store_set(&s, &a, ATTRS, 0, data, left - 40 - a.len), 0);
	assert_int_equal(vmm__uefi_store_delete(&s, &a), 0);
	assert_int_equal(vmm__uefi_store_left(&s), left);
	for (i = 0; i < 200; i++) {
		disk.writes = disk.flushes = 0;
		assert_int_equal(vmm__uefi_store_set(&s, &b, ATTRS, 0, data, i + 1), 0);
	}
	assert_true(vmm__uefi_store_left(&s) < left);
}

static void in_memory(void **state)
{
	struct vmm__uefi_store s;
	struct model m = {0};

	(void)state;
	random_state = 4;
	assert_int_equal(
		vmm__uefi_store_open(&s, NULL, BANK, (uint8_t *)buffer[0], (uint8_t *)buffer[1]),
		0);
	for (int i = 0; i < CHANGES; i++) {
		const struct change c = random_change(&m);
		int err = store_change(&s, &c);

		if (err == 0)
			model_change(&m, &c);
		else
			assert_int_equal(err, -VMM_ELIMIT);
		assert_true(is_model(&s, &m));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(power_cuts), cmocka_unit_test(first_cut),
		cmocka_unit_test(failures),   cmocka_unit_test(header_in_doubt),
		cmocka_unit_test(strangers),  cmocka_unit_test(another_length),
		cmocka_unit_test(room),       cmocka_unit_test(in_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

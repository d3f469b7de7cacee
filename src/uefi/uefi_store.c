// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Two banks, of which the one with the higher sequence number is in force. A bank is a header and
 * a log of records, then zeros:
 *
 *	bank 0, sequence 7			bank 1, sequence 8: in force
 *	+--------+---+---+-----+---+-----+	+--------+---+---+-----+---------+
 *	| header | A | B | A'  | C | ... |	| header | B | A'| C'  | 0 0 0 0 |
 *	+--------+---+---+-----+---+-----+	+--------+---+---+-----+---------+
 *
 * A change is one record behind the others, a later one of a name in force before an earlier one,
 * and then a flush. A record that power was cut in has no CRC that fits, and ends the log. Where
 * there is no room left, the records that count and the change go into the other bank, a flush,
 * then its header, a flush: until the header is whole the old bank is in force, with the old value,
 * and from then on the new one. Either way a change is there or is not, and nothing else has moved.
 *
 * Behind the log there must be zeros, or the rest of a torn record could be taken for one once a
 * shorter one stands before it. Where there are none, after a cut or a write that failed, the next
 * change goes to the other bank as well. And where writing a header failed, the other bank may or
 * may not be in force at the next start; so it is made not to be before anything else is changed.
 */
#include "uefi_store.h"
#include "bits.h"
#include "endian.h"
#include "mem.h"
#include "uefi_crc.h"
#include "uefi_runtime.h"

/* Header of a bank: magic, CRC of what follows it, sequence, length of the bank, format. */
#define BANK_MAGIC    0
#define BANK_CRC      8
#define BANK_SEQUENCE 12
#define BANK_LEN      20
#define BANK_FORMAT   24
#define BANK_HEADER   32
#define MAGIC         UINT64_C(0x31535241564d4d56) /* "VMMVARS1" */
#define FORMAT        1u

/* A sequence number beyond that was never written here, and could not be counted on. */
#define SEQUENCE_MAX UINT64_C(0x7fffffffffffffff)

/* Record: CRC of what follows it, magic, attributes, lengths, owner; then name, data, padding. */
#define RECORD_CRC        0
#define RECORD_MAGIC      4
#define RECORD_ATTRIBUTES 8
#define RECORD_NAME_LEN   12
#define RECORD_DATA_LEN   16
#define RECORD_GUID       20
#define RECORD_NAME       40
#define RECORD            0x43455256u /* "VREC" */
#define RECORD_ALIGN      8

/* In memory only, beside the attributes: a later record has taken its place. */
#define SUPERSEDED BIT(31)

_Static_assert(RECORD_NAME + RECORD_ALIGN <= VMM__UEFI_RECORD_OVERHEAD, "");

/* --- Records --- */

static uint32_t record_len(uint32_t name_len, uint32_t data_len)
{
	return (uint32_t)vmm__align_up(RECORD_NAME + name_len + data_len, RECORD_ALIGN);
}

static uint32_t attributes_at(const uint8_t *record)
{
	return vmm__le32(record + RECORD_ATTRIBUTES);
}

static uint32_t len_at(const uint8_t *record)
{
	return record_len(vmm__le32(record + RECORD_NAME_LEN), vmm__le32(record + RECORD_DATA_LEN));
}

static bool is_live(const uint8_t *record)
{
	return (attributes_at(record) & SUPERSEDED) == 0;
}

static bool is_named(const uint8_t *record, const struct vmm__uefi_name *name)
{
	return vmm__le32(record + RECORD_NAME_LEN) == name->len &&
	       memcmp(record + RECORD_GUID, name->guid, 16) == 0 &&
	       memcmp(record + RECORD_NAME, name->name, name->len) == 0;
}

static struct vmm__uefi_name name_at(const uint8_t *record)
{
	const void *text = record + RECORD_NAME; /* records are aligned to 8, and so is this */

	return (struct vmm__uefi_name){record + RECORD_GUID, text,
				       vmm__le32(record + RECORD_NAME_LEN)};
}

/* A name ends with its only NUL, and there is something before it. */
static bool is_name(const uint8_t *text, uint32_t len)
{
	for (uint32_t i = 0; i < len; i += 2) {
		if ((vmm__le16(text + i) == 0) != (i == len - 2))
			return false;
	}
	return true;
}

/* Bytes of the record in @room bytes, if it is one and whole; else 0. */
static uint32_t check_record(const uint8_t *record, uint32_t room)
{
	uint32_t name_len, data_len, len;

	if (room < RECORD_NAME || vmm__le32(record + RECORD_MAGIC) != RECORD)
		return 0;
	name_len = vmm__le32(record + RECORD_NAME_LEN);
	data_len = vmm__le32(record + RECORD_DATA_LEN);
	if (name_len < 4 || name_len > UEFI_NAME_MAX || name_len % 2 != 0 ||
	    data_len > UEFI_DATA_MAX)
		return 0;
	len = record_len(name_len, data_len);
	if (len > room || (attributes_at(record) & ~EFI_VARIABLE_ALL) != 0 ||
	    vmm__le32(record + RECORD_CRC) !=
		    vmm__uefi_crc32(record + RECORD_MAGIC, len - RECORD_MAGIC) ||
	    !is_name(record + RECORD_NAME, name_len))
		return 0;
	return len;
}

/* --- Storage --- */

static bool is_kept(const struct vmm__uefi_store *s)
{
	return s->storage.write != NULL;
}

static int put(const struct vmm__uefi_store *s, uint32_t bank, const uint8_t *bytes, uint32_t from,
	       uint32_t len)
{
	const uint64_t at = (uint64_t)bank * s->bank_len + from;

	if (s->storage.write(s->storage.opaque, at, bytes + from, len) != 0 ||
	    s->storage.flush(s->storage.opaque) != 0)
		return -VMM_EIO;
	return 0;
}

static int get(const struct vmm__uefi_store *s, uint32_t bank, uint8_t *bytes, uint32_t len)
{
	const uint64_t at = (uint64_t)bank * s->bank_len;

	return s->storage.read(s->storage.opaque, at, bytes, len) == 0 ? 0 : -VMM_EIO;
}

static void make_header(const struct vmm__uefi_store *s, uint8_t *bank, uint64_t sequence)
{
	memset(bank, 0, BANK_HEADER);
	vmm__put_le64(bank + BANK_MAGIC, MAGIC);
	vmm__put_le64(bank + BANK_SEQUENCE, sequence);
	vmm__put_le32(bank + BANK_LEN, s->bank_len);
	vmm__put_le32(bank + BANK_FORMAT, FORMAT);
	vmm__put_le32(bank + BANK_CRC,
		      vmm__uefi_crc32(bank + BANK_SEQUENCE, BANK_HEADER - BANK_SEQUENCE));
}

/* Its sequence number; 0: no header of ours. */
static uint64_t check_header(const struct vmm__uefi_store *s, const uint8_t *bank)
{
	const uint64_t sequence = vmm__le64(bank + BANK_SEQUENCE);

	if (vmm__le64(bank + BANK_MAGIC) != MAGIC || vmm__le32(bank + BANK_LEN) != s->bank_len ||
	    vmm__le32(bank + BANK_FORMAT) != FORMAT || sequence > SEQUENCE_MAX ||
	    vmm__le32(bank + BANK_CRC) !=
		    vmm__uefi_crc32(bank + BANK_SEQUENCE, BANK_HEADER - BANK_SEQUENCE))
		return 0;
	return sequence;
}

static bool is_zero(const uint8_t *bytes, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

/* --- Opening --- */

/* A record is the last of its name so far; one without data takes the name away. */
static void take_record(struct vmm__uefi_store *s, uint32_t at)
{
	uint8_t *record = s->image + at;
	const struct vmm__uefi_name name = name_at(record);
	uint32_t before = vmm__uefi_store_find(s, &name);

	if (before != 0) {
		uint8_t *old = s->image + before;

		s->live -= len_at(old);
		vmm__put_le32(old + RECORD_ATTRIBUTES, attributes_at(old) | SUPERSEDED);
	}
	s->used = at + len_at(record);
	if (vmm__le32(record + RECORD_DATA_LEN) > 0)
		s->live += len_at(record);
	else
		vmm__put_le32(record + RECORD_ATTRIBUTES, SUPERSEDED);
}

static void take_log(struct vmm__uefi_store *s)
{
	uint32_t len;

	s->used = BANK_HEADER;
	s->live = 0;
	while ((len = check_record(s->image + s->used, s->bank_len - s->used)) != 0)
		take_record(s, s->used);
	s->untidy = !is_zero(s->image + s->used, s->bank_len - s->used);
	memset(s->image + s->used, 0, s->bank_len - s->used);
}

/*
 * Nothing but zeros, or a first header that power was cut in. Anything else is somebody else's, and
 * not to be written over.
 */
static int format(struct vmm__uefi_store *s)
{
	for (uint32_t bank = 0; bank < 2; bank++) {
		const uint32_t skip = bank == 0 ? BANK_HEADER : 0;
		int err = get(s, bank, s->image, s->bank_len);

		if (err != 0)
			return err;
		if (!is_zero(s->image + skip, s->bank_len - skip))
			return -VMM_EFORMAT;
	}
	s->bank = 0;
	s->sequence = 1;
	s->used = BANK_HEADER;
	make_header(s, s->image, s->sequence);
	return put(s, 0, s->image, 0, BANK_HEADER);
}

static int open_kept(struct vmm__uefi_store *s)
{
	uint64_t sequence[2];
	int err;

	for (uint32_t bank = 0; bank < 2; bank++) {
		err = get(s, bank, s->spare, BANK_HEADER);
		if (err != 0)
			return err;
		sequence[bank] = check_header(s, s->spare);
	}
	if (sequence[0] == 0 && sequence[1] == 0)
		return format(s);
	s->bank = sequence[1] > sequence[0];
	s->sequence = sequence[s->bank];
	err = get(s, s->bank, s->image, s->bank_len);
	if (err != 0)
		return err;
	/* Read twice: storage that changes in between is not believed. */
	if (check_header(s, s->image) != s->sequence)
		return -VMM_EFORMAT;
	take_log(s);
	return 0;
}

uint32_t vmm__uefi_bank_len(uint64_t len)
{
	const uint64_t half = vmm__align_down(len / 2, RECORD_ALIGN);

	if (half < VMM__UEFI_BANK_MIN)
		return 0;
	return half < VMM__UEFI_BANK_MAX ? (uint32_t)half : VMM__UEFI_BANK_MAX;
}

int vmm__uefi_store_open(struct vmm__uefi_store *store, const struct vmm_uefi_storage *storage,
			 uint32_t bank_len, uint8_t *image, uint8_t *spare)
{
	*store = (struct vmm__uefi_store){
		.image = image, .spare = spare, .bank_len = bank_len, .used = BANK_HEADER};
	memset(image, 0, bank_len);
	if (storage == NULL)
		return 0;
	store->storage = *storage;
	return open_kept(store);
}

/* --- Finding --- */

uint32_t vmm__uefi_store_next(const struct vmm__uefi_store *store, uint32_t at)
{
	at = at == 0 ? BANK_HEADER : at + len_at(store->image + at);
	while (at < store->used) {
		if (is_live(store->image + at))
			return at;
		at += len_at(store->image + at);
	}
	return 0;
}

uint32_t vmm__uefi_store_find(const struct vmm__uefi_store *store,
			      const struct vmm__uefi_name *name)
{
	uint32_t at = vmm__uefi_store_next(store, 0);

	while (at != 0 && !is_named(store->image + at, name))
		at = vmm__uefi_store_next(store, at);
	return at;
}

struct vmm__uefi_value vmm__uefi_store_at(const struct vmm__uefi_store *store, uint32_t at)
{
	const uint8_t *record = store->image + at;

	return (struct vmm__uefi_value){
		.name = name_at(record),
		.attributes = attributes_at(record),
		.len = vmm__le32(record + RECORD_DATA_LEN),
		.data = record + RECORD_NAME + vmm__le32(record + RECORD_NAME_LEN),
	};
}

uint32_t vmm__uefi_store_capacity(const struct vmm__uefi_store *store)
{
	return store->bank_len - BANK_HEADER;
}

uint32_t vmm__uefi_store_left(const struct vmm__uefi_store *store)
{
	return store->bank_len - BANK_HEADER - store->live;
}

/* --- Changing --- */

/* A value to be; without data it takes the name away. */
struct change {
	const struct vmm__uefi_name *name;
	uint32_t attributes;
	uint32_t keep;
	const void *data;
	uint32_t len;
	uint32_t old; /* the record it supersedes, 0: none */
};

static uint32_t change_len(const struct change *c)
{
	return record_len(c->name->len, c->keep + c->len);
}

/* Into zeros. */
static void make_record(const struct vmm__uefi_store *s, uint8_t *record, const struct change *c)
{
	const uint32_t len = change_len(c);
	uint8_t *data = record + RECORD_NAME + c->name->len;

	vmm__put_le32(record + RECORD_MAGIC, RECORD);
	vmm__put_le32(record + RECORD_ATTRIBUTES, c->attributes);
	vmm__put_le32(record + RECORD_NAME_LEN, c->name->len);
	vmm__put_le32(record + RECORD_DATA_LEN, c->keep + c->len);
	memcpy(record + RECORD_GUID, c->name->guid, 16);
	memcpy(record + RECORD_NAME, c->name->name, c->name->len);
	if (c->keep > 0)
		memcpy(data, vmm__uefi_store_at(s, c->old).data, c->keep);
	if (c->len > 0)
		memcpy(data + c->keep, c->data, c->len);
	vmm__put_le32(record + RECORD_CRC,
		      vmm__uefi_crc32(record + RECORD_MAGIC, len - RECORD_MAGIC));
}

static int append(struct vmm__uefi_store *s, const struct change *c)
{
	const uint32_t at = s->used, len = change_len(c);
	int err;

	make_record(s, s->image + at, c);
	err = is_kept(s) ? put(s, s->bank, s->image, at, len) : 0;
	if (err != 0) {
		memset(s->image + at, 0, len);
		s->untidy = true;
		return err;
	}
	take_record(s, at);
	return 0;
}

/* The records that count but for the one superseded, then the change. */
static void fill_spare(struct vmm__uefi_store *s, const struct change *c)
{
	uint32_t at = vmm__uefi_store_next(s, 0), to = BANK_HEADER;

	memset(s->spare, 0, s->bank_len);
	make_header(s, s->spare, s->sequence + 1);
	for (; at != 0; at = vmm__uefi_store_next(s, at)) {
		const uint32_t len = len_at(s->image + at);

		if (at == c->old)
			continue;
		memcpy(s->spare + to, s->image + at, len);
		to += len;
	}
	if (c->keep + c->len > 0)
		make_record(s, s->spare + to, c);
}

static int write_spare(struct vmm__uefi_store *s)
{
	static const uint8_t no_header[BANK_HEADER];
	const uint32_t bank = 1 - s->bank;
	int err = 0;

	if (s->in_doubt)
		err = put(s, bank, no_header, 0, BANK_HEADER);
	if (err != 0)
		return err;
	s->in_doubt = false;
	err = put(s, bank, s->spare, BANK_HEADER, s->bank_len - BANK_HEADER);
	if (err != 0)
		return err;
	err = put(s, bank, s->spare, 0, BANK_HEADER);
	s->in_doubt = err != 0;
	return err;
}

static int move(struct vmm__uefi_store *s, const struct change *c)
{
	uint8_t *old = s->image;
	int err;

	if (s->sequence == SEQUENCE_MAX)
		return -VMM_ELIMIT;
	fill_spare(s, c);
	err = is_kept(s) ? write_spare(s) : 0;
	if (err != 0)
		return err;
	s->image = s->spare;
	s->spare = old;
	s->bank = 1 - s->bank;
	s->sequence++;
	take_log(s);
	return 0;
}

static int change(struct vmm__uefi_store *s, const struct change *c)
{
	if (!s->untidy && !s->in_doubt && change_len(c) <= s->bank_len - s->used)
		return append(s, c);
	return move(s, c);
}

int vmm__uefi_store_set(struct vmm__uefi_store *store, const struct vmm__uefi_name *name,
			uint32_t attributes, uint32_t keep, const void *data, uint32_t len)
{
	const struct change c = {name, attributes, keep,
				 data, len,        vmm__uefi_store_find(store, name)};
	const uint32_t old = c.old != 0 ? len_at(store->image + c.old) : 0;

	if (change_len(&c) > vmm__uefi_store_left(store) + old)
		return -VMM_ELIMIT;
	return change(store, &c);
}

int vmm__uefi_store_delete(struct vmm__uefi_store *store, const struct vmm__uefi_name *name)
{
	const struct change c = {.name = name, .old = vmm__uefi_store_find(store, name)};

	return change(store, &c);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The set of tables: headers, placement, pointers, checksums. ACPI 6.5, 5.2.3 to 5.2.8.
 *
 *	0     RSDP, 36 bytes
 *	48    tables, each on 16 bytes; the FACS on 64
 *	end   XSDT, before it the RSDT if it is wanted
 *
 * Checksums come last: what a table points at may be made after it.
 */
#include "acpi_emit.h"

#include "bits.h"
#include "endian.h"
#include "mem.h"

#define RSDP_SIZE   36 /* 5.2.5.3 */
#define ALIGN_TABLE 16
#define ALIGN_FACS  64 /* 5.2.10 */

/* Offsets in the header of every table, 5.2.6, and in the FADT, 5.2.9. */
#define HEADER_LENGTH      4
#define HEADER_CHECKSUM    9
#define FADT_FIRMWARE_CTRL 36
#define FADT_DSDT          40
#define FADT_X_FIRMWARE    132
#define FADT_X_DSDT        140
#define FADT_SIZE          276

enum state { STATE_BETWEEN, STATE_TABLE, STATE_AML };

static const struct vmm_acpi_ids own_ids = {
	.size = sizeof(own_ids),
	.oem_revision = 1,
	.creator_revision = 1,
	.creator_id = {'L', 'V', 'M', 'M'},
	.oem_id = {'L', 'I', 'B', 'V', 'M', 'M'},
	.oem_table_id = {'L', 'I', 'B', 'V', 'M', 'M', ' ', ' '},
};

int vmm_acpi_open(struct vmm_acpi *b, void *buf, size_t cap, uint64_t gpa,
		  const struct vmm_acpi_ids *ids)
{
	memset(b, 0, sizeof(*b));
	vmm__sink_open(&b->out, buf, cap);
	if (ids == NULL)
		ids = &own_ids;
	if (ids->size != sizeof(*ids))
		return vmm__acpi_fail(b, VMM_EINVAL);
	if (!vmm__is_aligned(gpa, ALIGN_FACS))
		return vmm__acpi_fail(b, VMM_EALIGN);
	b->gpa = gpa;
	b->ids = *ids;
	vmm__sink_zeros(&b->out, RSDP_SIZE);
	return vmm_acpi_error(b);
}

int vmm_acpi_error(const struct vmm_acpi *b)
{
	return vmm__sink_error(&b->out);
}

int vmm__acpi_fail(struct vmm_acpi *b, int code)
{
	return vmm__sink_fail(&b->out, code);
}

static bool require(struct vmm_acpi *b, uint32_t state)
{
	if (vmm_acpi_error(b) == 0 && b->state != state)
		vmm__acpi_fail(b, VMM_ESTATE);
	return vmm_acpi_error(b) == 0;
}

bool vmm__acpi_inside(struct vmm_acpi *b, const char *signature)
{
	if (!require(b, STATE_TABLE))
		return false;
	if (memcmp(b->open_signature, signature, 4) == 0)
		return true;
	vmm__acpi_fail(b, VMM_ESTATE);
	return false;
}

/* -- Placement ----------------------------------------------------------------------------------
 */

static void set_checksum(struct vmm_acpi *b, size_t at, size_t len, size_t where)
{
	uint8_t *p = vmm__sink_at(&b->out, at, len);
	uint8_t sum = 0;

	if (p == NULL)
		return;
	p[where] = 0;
	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + p[i]);
	p[where] = (uint8_t)-sum;
}

static void patch(struct vmm_acpi *b, size_t at, uint64_t v, size_t width)
{
	uint8_t le[8];
	uint8_t *p = vmm__sink_at(&b->out, at, width);

	vmm__put_le64(le, v);
	if (p != NULL)
		memcpy(p, le, width);
}

uint32_t vmm__acpi_here(const struct vmm_acpi *b)
{
	return (uint32_t)(b->out.len - b->open_at);
}

int vmm__acpi_refer(const struct vmm_acpi *b, uint32_t at, uint32_t *ref)
{
	if (ref != NULL && vmm_acpi_error(b) == 0)
		*ref = at;
	return vmm_acpi_error(b);
}

void vmm__acpi_count(struct vmm_acpi *b, uint32_t offset, size_t width)
{
	patch(b, b->open_at + offset, ++b->entries, width);
}

/* Aligns the end of the blob, which is where the next table stands; 0 if it cannot. */
static uint32_t place(struct vmm_acpi *b, size_t align)
{
	size_t len = b->out.len;

	vmm__sink_zeros(&b->out, (size_t)vmm__align_up(len, align) - len);
	if (b->out.len > UINT32_MAX)
		vmm__acpi_fail(b, VMM_ERANGE);
	return vmm_acpi_error(b) == 0 ? (uint32_t)b->out.len : 0;
}

static bool is_signature(const char *s)
{
	if (s == NULL)
		return false;
	for (int i = 0; i < 4; i++)
		if (!((s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9')))
			return false;
	return s[4] == '\0';
}

/* The tables that are found by a pointer of their own, and exist once. */
static uint32_t *pointer_to(struct vmm_acpi *b, const char *signature)
{
	if (memcmp(signature, "DSDT", 4) == 0)
		return &b->dsdt;
	if (memcmp(signature, "FACS", 4) == 0)
		return &b->facs;
	return memcmp(signature, "FACP", 4) == 0 ? &b->fadt : NULL;
}

static bool enlist(struct vmm_acpi *b, const char *signature, uint32_t at)
{
	uint32_t *pointer = pointer_to(b, signature);

	if (pointer != NULL) {
		if (*pointer != 0)
			return vmm__acpi_fail(b, VMM_EEXIST) == 0;
		*pointer = at;
	}
	if (pointer != NULL && pointer != &b->fadt)
		return true;
	if (b->tables == VMM_ACPI_MAX_TABLES)
		return vmm__acpi_fail(b, VMM_ELIMIT) == 0;
	b->table[b->tables++] = at;
	return true;
}

static void put_header(struct vmm_acpi *b, const char *signature, uint8_t revision)
{
	vmm__sink_put(&b->out, signature, 4);
	vmm__sink_zeros(&b->out, 4); /* length */
	vmm__sink_int(&b->out, revision, 1);
	vmm__sink_zeros(&b->out, 1); /* checksum */
	vmm__sink_put(&b->out, b->ids.oem_id, sizeof(b->ids.oem_id));
	vmm__sink_put(&b->out, b->ids.oem_table_id, sizeof(b->ids.oem_table_id));
	vmm__sink_int(&b->out, b->ids.oem_revision, 4);
	vmm__sink_put(&b->out, b->ids.creator_id, sizeof(b->ids.creator_id));
	vmm__sink_int(&b->out, b->ids.creator_revision, 4);
}

static void open_table(struct vmm_acpi *b, const char *signature, uint8_t revision)
{
	b->open_at = place(b, ALIGN_TABLE);
	memcpy(b->open_signature, signature, sizeof(b->open_signature));
	put_header(b, signature, revision);
	b->entries = 0;
	b->state = STATE_TABLE;
}

static void close_table(struct vmm_acpi *b)
{
	size_t len = b->out.len - b->open_at;

	if (b->out.len > UINT32_MAX)
		vmm__acpi_fail(b, VMM_ERANGE);
	if (b->open_at == b->fadt && len != FADT_SIZE) /* vmm_acpi_close() has to write into it */
		vmm__acpi_fail(b, VMM_EINVAL);
	patch(b, b->open_at + HEADER_LENGTH, len, 4);
	set_checksum(b, b->open_at, len, HEADER_CHECKSUM);
	b->state = STATE_BETWEEN;
}

/* -- Any table ----------------------------------------------------------------------------------
 */

int vmm_acpi_table_begin(struct vmm_acpi *b, const char *signature, uint8_t revision)
{
	if (!is_signature(signature))
		return vmm__acpi_fail(b, VMM_EINVAL);
	if (!require(b, STATE_BETWEEN))
		return vmm_acpi_error(b);
	open_table(b, signature, revision);
	enlist(b, signature, b->open_at);
	return vmm_acpi_error(b);
}

int vmm_acpi_table_finish(struct vmm_acpi *b)
{
	if (require(b, STATE_TABLE))
		close_table(b);
	return vmm_acpi_error(b);
}

static int put(struct vmm_acpi *b, uint64_t v, size_t width)
{
	if (require(b, STATE_TABLE))
		vmm__sink_int(&b->out, v, width);
	return vmm_acpi_error(b);
}

int vmm_acpi_u8(struct vmm_acpi *b, uint8_t v)
{
	return put(b, v, 1);
}

int vmm_acpi_u16(struct vmm_acpi *b, uint16_t v)
{
	return put(b, v, 2);
}

int vmm_acpi_u32(struct vmm_acpi *b, uint32_t v)
{
	return put(b, v, 4);
}

int vmm_acpi_u64(struct vmm_acpi *b, uint64_t v)
{
	return put(b, v, 8);
}

int vmm_acpi_bytes(struct vmm_acpi *b, const void *data, size_t len)
{
	if (data == NULL && len != 0)
		return vmm__acpi_fail(b, VMM_EINVAL);
	if (require(b, STATE_TABLE))
		vmm__sink_put(&b->out, data, len);
	return vmm_acpi_error(b);
}

int vmm_acpi_zeros(struct vmm_acpi *b, size_t len)
{
	if (require(b, STATE_TABLE))
		vmm__sink_zeros(&b->out, len);
	return vmm_acpi_error(b);
}

int vmm_acpi_address(struct vmm_acpi *b, const struct vmm_acpi_gas *gas)
{
	if (gas == NULL)
		return vmm_acpi_zeros(b, 12);
	vmm_acpi_u8(b, gas->space);
	vmm_acpi_u8(b, gas->bits);
	vmm_acpi_u8(b, gas->offset);
	vmm_acpi_u8(b, gas->access);
	return vmm_acpi_u64(b, gas->address);
}

/* The AML builder works on the room behind the header; without room it measures. */
int vmm_acpi_aml_begin(struct vmm_acpi *b, const char *signature, uint8_t revision,
		       struct vmm_aml *a)
{
	struct vmm_sink *out = &b->out;
	bool room;

	vmm_acpi_table_begin(b, signature, revision);
	room = out->buf != NULL && out->len <= out->cap;
	vmm_aml_open(a, room ? out->buf + out->len : NULL, room ? out->cap - out->len : 0);
	b->state = STATE_AML;
	return vmm_acpi_error(b);
}

int vmm_acpi_aml_finish(struct vmm_acpi *b, struct vmm_aml *a)
{
	size_t len = 0;
	int error = vmm_aml_close(a, &len);

	if (!require(b, STATE_AML))
		return vmm_acpi_error(b);
	if (error != 0 && error != -VMM_ESIZE)
		return vmm__acpi_fail(b, -error);
	vmm__sink_skip(&b->out, len);
	close_table(b);
	return vmm_acpi_error(b);
}

/* 5.2.10: no header like the others', and no checksum. */
int vmm_acpi_add_facs(struct vmm_acpi *b, uint32_t hardware_signature)
{
	if (!require(b, STATE_BETWEEN) || !enlist(b, "FACS", place(b, ALIGN_FACS)))
		return vmm_acpi_error(b);
	vmm__sink_put(&b->out, "FACS", 4);
	vmm__sink_int(&b->out, 64, 4);
	vmm__sink_int(&b->out, hardware_signature, 4);
	vmm__sink_zeros(&b->out, 20); /* waking vector, global lock, flags, 64-bit vector */
	vmm__sink_int(&b->out, 2, 1); /* version */
	vmm__sink_zeros(&b->out, 31);
	return vmm_acpi_error(b);
}

/* -- The whole set ------------------------------------------------------------------------------
 */

/* 5.2.9: FIRMWARE_CTRL wins over its 64-bit twin, X_DSDT over DSDT. */
static void point_fadt(struct vmm_acpi *b)
{
	uint64_t dsdt = b->gpa + b->dsdt;
	uint64_t facs = b->facs != 0 ? b->gpa + b->facs : 0;

	patch(b, b->fadt + FADT_FIRMWARE_CTRL, facs <= UINT32_MAX ? facs : 0, 4);
	patch(b, b->fadt + FADT_X_FIRMWARE, facs <= UINT32_MAX ? 0 : facs, 8);
	patch(b, b->fadt + FADT_DSDT, dsdt <= UINT32_MAX ? dsdt : 0, 4);
	patch(b, b->fadt + FADT_X_DSDT, dsdt, 8);
	set_checksum(b, b->fadt, FADT_SIZE, HEADER_CHECKSUM);
}

int vmm_acpi_want_rsdt(struct vmm_acpi *b)
{
	if (require(b, STATE_BETWEEN))
		b->rsdt = 1;
	return vmm_acpi_error(b);
}

/* RSDT, 5.2.7, and XSDT, 5.2.8: the addresses of all tables. */
static void put_root(struct vmm_acpi *b, const char *signature, size_t width)
{
	open_table(b, signature, 1);
	for (uint32_t i = 0; i < b->tables; i++)
		vmm__sink_int(&b->out, b->gpa + b->table[i], width);
	close_table(b);
}

/* The tables stand before it, so its own address is the highest. */
static void put_rsdt(struct vmm_acpi *b)
{
	put_root(b, "RSDT", 4);
	b->rsdt = b->open_at;
	if (b->gpa > UINT32_MAX - b->out.len)
		vmm__acpi_fail(b, VMM_ERANGE);
}

/* 5.2.5.3: the first 20 bytes have a checksum of their own. */
static void put_rsdp(struct vmm_acpi *b)
{
	uint8_t *p = vmm__sink_at(&b->out, 0, RSDP_SIZE);

	if (p == NULL)
		return;
	memcpy(p, "RSD PTR ", 8);
	memcpy(p + 9, b->ids.oem_id, sizeof(b->ids.oem_id));
	p[15] = 2; /* revision */
	vmm__put_le32(p + 16, b->rsdt != 0 ? (uint32_t)b->gpa + b->rsdt : 0);
	vmm__put_le32(p + 20, RSDP_SIZE);
	vmm__put_le64(p + 24, b->gpa + b->open_at);
	set_checksum(b, 0, 20, 8);
	set_checksum(b, 0, RSDP_SIZE, 32);
}

int vmm_acpi_close(struct vmm_acpi *b, size_t *len)
{
	if (require(b, STATE_BETWEEN)) {
		if ((b->fadt == 0) != (b->dsdt == 0) || (b->facs != 0 && b->fadt == 0))
			vmm__acpi_fail(b, VMM_ENOENT);
		if (b->fadt != 0)
			point_fadt(b);
		if (b->rsdt != 0)
			put_rsdt(b);
		put_root(b, "XSDT", 8);
		if (b->gpa > UINT64_MAX - b->out.len)
			vmm__acpi_fail(b, VMM_ERANGE);
		put_rsdp(b);
	}
	return vmm__sink_close(&b->out, len);
}

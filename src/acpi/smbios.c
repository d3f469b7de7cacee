// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * SMBIOS structures. DSP0134 3.6.0: each has a formatted part of known length, then its strings,
 * which the formatted part names by number, from 1.
 */
#include "libvmm/smbios.h"

#include "acpi_sink.h"
#include "bits.h"
#include "endian.h"
#include "mem.h"

#define ENTRY_SIZE  24     /* 5.2.2 */
#define FIRST       32     /* where the structures begin */
#define MAX_HANDLES 0xff00 /* those above are reserved, 6.1.2 */
#define NO_ERRORS   0xfffe /* handle of error information: not provided, 7.17 */

static int fail(struct vmm_smbios *b, int code)
{
	return vmm__sink_fail(&b->out, code);
}

int vmm_smbios_error(const struct vmm_smbios *b)
{
	return vmm__sink_error(&b->out);
}

int vmm_smbios_open(struct vmm_smbios *b, void *buf, size_t cap, uint64_t gpa)
{
	memset(b, 0, sizeof(*b));
	vmm__sink_open(&b->out, buf, cap);
	if (!vmm__is_aligned(gpa, 16))
		return fail(b, VMM_EALIGN);
	b->gpa = gpa;
	vmm__sink_zeros(&b->out, FIRST);
	return vmm_smbios_error(b);
}

/* -- Parts of a structure -----------------------------------------------------------------------
 */

static void u8(struct vmm_smbios *b, uint8_t v)
{
	vmm__sink_int(&b->out, v, 1);
}

static void u16(struct vmm_smbios *b, uint16_t v)
{
	vmm__sink_int(&b->out, v, 2);
}

static void u32(struct vmm_smbios *b, uint32_t v)
{
	vmm__sink_int(&b->out, v, 4);
}

static void u64(struct vmm_smbios *b, uint64_t v)
{
	vmm__sink_int(&b->out, v, 8);
}

/* 6.1.2: type, length of the formatted part, handle. The length is filled in at the end. */
static void begin(struct vmm_smbios *b, uint8_t type)
{
	if (vmm_smbios_error(b) == 0 && b->handles == MAX_HANDLES)
		fail(b, VMM_ELIMIT);
	b->start = b->out.len;
	b->texts = 0;
	u8(b, type);
	u8(b, 0);
	u16(b, (uint16_t)b->handles);
}

static size_t length_of(const char *s)
{
	size_t n = 0;

	while (n < 256 && s[n] != '\0')
		n++;
	return n;
}

/* The number of a string, which itself follows later; 0 for none. 6.1.3. */
static void text(struct vmm_smbios *b, const char *s)
{
	bool none = s == NULL || s[0] == '\0';

	if (!none && (length_of(s) > 255 || b->texts == ARRAY_SIZE(b->text))) {
		fail(b, VMM_EINVAL);
		return;
	}
	if (!none)
		b->text[b->texts++] = s;
	u8(b, none ? 0 : (uint8_t)b->texts);
}

/* The strings with their zeros, and one zero more; two if there is no string. */
static int finish(struct vmm_smbios *b, uint16_t *handle)
{
	uint8_t *len = vmm__sink_at(&b->out, b->start + 1, 1);

	if (len != NULL)
		*len = (uint8_t)(b->out.len - b->start);
	for (uint32_t i = 0; i < b->texts; i++)
		vmm__sink_put(&b->out, b->text[i], length_of(b->text[i]) + 1);
	vmm__sink_zeros(&b->out, b->texts != 0 ? 1 : 2);
	if (vmm_smbios_error(b) != 0)
		return vmm_smbios_error(b);
	if (handle != NULL)
		*handle = (uint16_t)b->handles;
	b->handles++;
	return 0;
}

static bool is_handle(const struct vmm_smbios *b, uint16_t handle)
{
	return handle < b->handles;
}

static bool is_cache(const struct vmm_smbios *b, uint16_t handle)
{
	return handle == VMM_SMBIOS_NO_HANDLE || is_handle(b, handle);
}

/* -- Firmware and system ------------------------------------------------------------------------
 */

/* 7.1.1: bit 3 says that the characteristics are not supported; 7.1.2.2: UEFI, a virtual machine.
 */
int vmm_smbios_add_bios(struct vmm_smbios *b, const struct vmm_smbios_bios *s, uint16_t *handle)
{
	if (s == NULL || s->size != sizeof(*s))
		return fail(b, VMM_EINVAL);
	begin(b, 0);
	text(b, s->vendor);
	text(b, s->version);
	u16(b, 0); /* segment */
	text(b, s->date);
	u8(b, 0); /* ROM size: 64 KiB */
	u64(b, 0x08);
	u8(b, 0);
	u8(b, 0x18);
	u8(b, s->major);
	u8(b, s->minor);
	u8(b, 0xff); /* no embedded controller */
	u8(b, 0xff);
	u16(b, 0);
	return finish(b, handle);
}

/* 7.2.1: the first three fields of a UUID are little-endian. */
static void put_uuid(struct vmm_smbios *b, const uint8_t uuid[16])
{
	static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

	for (unsigned i = 0; i < 16; i++)
		u8(b, uuid[order[i]]);
}

int vmm_smbios_add_system(struct vmm_smbios *b, const struct vmm_smbios_system *s, uint16_t *handle)
{
	if (s == NULL || s->size != sizeof(*s))
		return fail(b, VMM_EINVAL);
	begin(b, 1);
	text(b, s->manufacturer);
	text(b, s->product);
	text(b, s->version);
	text(b, s->serial);
	put_uuid(b, s->uuid);
	u8(b, (uint8_t)s->wake_up);
	text(b, s->sku);
	text(b, s->family);
	return finish(b, handle);
}

int vmm_smbios_add_board(struct vmm_smbios *b, const struct vmm_smbios_board *s, uint16_t *handle)
{
	if (s == NULL || s->size != sizeof(*s) || !is_handle(b, s->chassis))
		return fail(b, VMM_EINVAL);
	begin(b, 2);
	text(b, s->manufacturer);
	text(b, s->product);
	text(b, s->version);
	text(b, s->serial);
	text(b, s->asset);
	u8(b, s->features);
	text(b, s->location);
	u16(b, s->chassis);
	u8(b, s->type);
	u8(b, 0); /* objects on it: none named */
	return finish(b, handle);
}

int vmm_smbios_add_chassis(struct vmm_smbios *b, const struct vmm_smbios_chassis *s,
			   uint16_t *handle)
{
	if (s == NULL || s->size != sizeof(*s) || s->type > 0x7f)
		return fail(b, VMM_EINVAL);
	begin(b, 3);
	text(b, s->manufacturer);
	u8(b, (uint8_t)s->type);
	text(b, s->version);
	text(b, s->serial);
	text(b, s->asset);
	u8(b, 3); /* boot-up, power supply and thermal state: safe */
	u8(b, 3);
	u8(b, 3);
	u8(b, 2); /* security status: unknown */
	u32(b, 0);
	u8(b, 0); /* height: unspecified */
	u8(b, 0); /* power cords: unspecified */
	u8(b, 0); /* contained elements: none */
	u8(b, 0);
	text(b, s->sku);
	return finish(b, handle);
}

/* -- Processors and caches ----------------------------------------------------------------------
 */

/* 7.5.6: a number that does not fit its old byte stands there as 255, and in the new word. */
static void small_count(struct vmm_smbios *b, uint16_t n)
{
	u8(b, n < 255 ? (uint8_t)n : 255);
}

int vmm_smbios_add_processor(struct vmm_smbios *b, const struct vmm_smbios_processor *s,
			     uint16_t *handle)
{
	if (s == NULL || s->size != sizeof(*s) || !is_cache(b, s->l1) || !is_cache(b, s->l2) ||
	    !is_cache(b, s->l3))
		return fail(b, VMM_EINVAL);
	begin(b, 4);
	text(b, s->socket);
	u8(b, s->type);
	u8(b, s->family < 254 ? (uint8_t)s->family : 254); /* 254: see the word below */
	text(b, s->manufacturer);
	u64(b, s->id);
	text(b, s->version);
	u8(b, s->voltage);
	u16(b, s->external_clock);
	u16(b, s->max_speed);
	u16(b, s->speed);
	u8(b, s->status);
	u8(b, s->upgrade);
	u16(b, s->l1);
	u16(b, s->l2);
	u16(b, s->l3);
	text(b, s->serial);
	text(b, s->asset);
	text(b, s->part);
	small_count(b, s->cores);
	small_count(b, s->cores_enabled);
	small_count(b, s->threads);
	u16(b, s->characteristics);
	u16(b, s->family);
	u16(b, s->cores);
	u16(b, s->cores_enabled);
	u16(b, s->threads);
	u16(b, s->threads_enabled);
	return finish(b, handle);
}

/* 7.8.1: a size of 15 bits in KiB, or with bit 15 in units of 64 KiB; the largest if neither fits.
 */
static uint16_t cache_size16(uint32_t kib)
{
	if (kib < 0x8000)
		return (uint16_t)kib;
	return kib / 64 < 0x7fff ? (uint16_t)(0x8000 | kib / 64) : 0xffff;
}

static uint32_t cache_size32(uint32_t kib)
{
	return kib < 0x80000000 ? kib : 0x80000000 | kib / 64;
}

int vmm_smbios_add_cache(struct vmm_smbios *b, const struct vmm_smbios_cache *s, uint16_t *handle)
{
	if (s == NULL || s->size != sizeof(*s) || s->level < 1 || s->level > 8 || s->mode > 3)
		return fail(b, VMM_EINVAL);
	begin(b, 7);
	text(b, s->socket);
	u16(b, (uint16_t)(s->mode << 8 | 0x80 | (s->level - 1))); /* enabled, internal */
	u16(b, cache_size16(s->kib));
	u16(b, cache_size16(s->kib));
	u16(b, 2); /* SRAM: unknown */
	u16(b, 2);
	u8(b, 0); /* speed: unknown */
	u8(b, s->ecc);
	u8(b, s->type);
	u8(b, s->associativity);
	u32(b, cache_size32(s->kib));
	u32(b, cache_size32(s->kib));
	return finish(b, handle);
}

/* -- Slots and strings --------------------------------------------------------------------------
 */

int vmm_smbios_add_slot(struct vmm_smbios *b, const struct vmm_smbios_slot *s, uint16_t *handle)
{
	if (s == NULL || s->size != sizeof(*s))
		return fail(b, VMM_EINVAL);
	begin(b, 9);
	text(b, s->designation);
	u8(b, s->type);
	u8(b, s->width);
	u8(b, s->usage);
	u8(b, s->length);
	u16(b, s->id);
	u8(b, s->characteristics1);
	u8(b, s->characteristics2);
	u16(b, s->segment);
	u8(b, s->bus);
	u8(b, s->devfn);
	u8(b, s->width); /* as it is wired */
	u8(b, 0);        /* peers: none */
	return finish(b, handle);
}

int vmm_smbios_add_strings(struct vmm_smbios *b, const char *const *string, uint32_t count,
			   uint16_t *handle)
{
	if (string == NULL || count == 0 || count > ARRAY_SIZE(b->text))
		return fail(b, VMM_EINVAL);
	begin(b, 11);
	u8(b, (uint8_t)count);
	for (uint32_t i = 0; i < count; i++) {
		if (string[i] == NULL || string[i][0] == '\0' || length_of(string[i]) > 255)
			return fail(b, VMM_EINVAL);
		b->text[b->texts++] = string[i];
	}
	return finish(b, handle);
}

/* -- Memory -------------------------------------------------------------------------------------
 */

/* 7.17: from 2 TiB on the size stands in the extended field. */
int vmm_smbios_add_memory_array(struct vmm_smbios *b, const struct vmm_smbios_memory_array *s,
				uint16_t *handle)
{
	bool extended;

	if (s == NULL || s->size != sizeof(*s) || s->max % 1024 != 0)
		return fail(b, VMM_EINVAL);
	extended = s->max / 1024 >= 0x80000000;
	begin(b, 16);
	u8(b, s->location);
	u8(b, s->use);
	u8(b, s->ecc);
	u32(b, extended ? 0x80000000 : (uint32_t)(s->max / 1024));
	u16(b, NO_ERRORS);
	u16(b, s->devices);
	u64(b, extended ? s->max : 0);
	return finish(b, handle);
}

/* 7.18.4, 7.18.5: MiB, from 32 GiB - 1 MiB on in the extended field. */
static void put_memory_fixed(struct vmm_smbios *b, const struct vmm_smbios_memory *s, uint64_t mib)
{
	u16(b, s->array);
	u16(b, NO_ERRORS);
	u16(b, s->width);
	u16(b, s->width);
	u16(b, mib < 0x7fff ? (uint16_t)mib : 0x7fff);
	u8(b, s->form);
	u8(b, 0); /* of no set */
	text(b, s->locator);
	text(b, s->bank);
	u8(b, s->type);
	u16(b, s->detail);
	u16(b, s->speed);
	text(b, s->manufacturer);
	text(b, s->serial);
	text(b, s->asset);
	text(b, s->part);
	u8(b, s->ranks & 0x0f);
	u32(b, mib < 0x7fff ? 0 : (uint32_t)mib);
	u16(b, s->speed);
	u16(b, 0); /* voltages: unknown */
	u16(b, 0);
	u16(b, 0);
}

/* 7.18.6 on: technology, modes, makers, sizes by kind, extended speeds. */
static void put_memory_kind(struct vmm_smbios *b, const struct vmm_smbios_memory *s)
{
	u8(b, s->persistent ? 4 : 3); /* NVDIMM-N, DRAM */
	u16(b, s->persistent ? 0x10 : 0x08);
	u8(b, 0); /* firmware version: none */
	u16(b, 0);
	u16(b, 0);
	u16(b, 0);
	u16(b, 0);
	u64(b, s->persistent ? s->bytes : 0);
	u64(b, s->persistent ? 0 : s->bytes);
	u64(b, 0);
	u64(b, 0);
	u32(b, 0);
	u32(b, 0);
}

int vmm_smbios_add_memory(struct vmm_smbios *b, const struct vmm_smbios_memory *s, uint16_t *handle)
{
	uint64_t mib;

	if (s == NULL || s->size != sizeof(*s) || !is_handle(b, s->array) || s->ranks > 15)
		return fail(b, VMM_EINVAL);
	mib = s->bytes >> 20;
	if ((s->bytes & 0xfffff) != 0 || mib > 0x7fffffff)
		return fail(b, VMM_EINVAL);
	begin(b, 17);
	put_memory_fixed(b, s, mib);
	put_memory_kind(b, s);
	return finish(b, handle);
}

/* 7.20: in KiB, or if they do not fit in bytes in the extended fields. */
int vmm_smbios_add_mapped(struct vmm_smbios *b, uint64_t base, uint64_t len, uint16_t array,
			  uint8_t ways, uint16_t *handle)
{
	uint64_t last = base + (len - 1);
	bool extended = last / 1024 >= UINT32_MAX;

	if ((base | len) % 1024 != 0 || len == 0 || last < base || ways == 0 ||
	    !is_handle(b, array))
		return fail(b, VMM_EINVAL);
	begin(b, 19);
	u32(b, extended ? UINT32_MAX : (uint32_t)(base / 1024));
	u32(b, extended ? UINT32_MAX : (uint32_t)(last / 1024));
	u16(b, array);
	u8(b, ways);
	u64(b, extended ? base : 0);
	u64(b, extended ? last : 0);
	return finish(b, handle);
}

/* -- Boot, and the end --------------------------------------------------------------------------
 */

int vmm_smbios_add_boot(struct vmm_smbios *b, uint16_t *handle)
{
	begin(b, 32);
	vmm__sink_zeros(&b->out, 7); /* reserved, and a status of no errors */
	return finish(b, handle);
}

static void put_entry(struct vmm_smbios *b)
{
	uint8_t *p = vmm__sink_at(&b->out, 0, ENTRY_SIZE);

	if (p == NULL)
		return;
	memcpy(p, "_SM3_", 5);
	p[6] = ENTRY_SIZE;
	p[7] = 3; /* 3.6.0 */
	p[8] = 6;
	p[10] = 1; /* revision of the entry point */
	vmm__put_le32(p + 12, (uint32_t)(b->out.len - FIRST));
	vmm__put_le64(p + 16, b->gpa + FIRST);
	for (unsigned i = 0; i < ENTRY_SIZE; i++)
		if (i != 5)
			p[5] = (uint8_t)(p[5] - p[i]);
}

int vmm_smbios_close(struct vmm_smbios *b, size_t *len)
{
	begin(b, 127);
	finish(b, NULL);
	if (b->out.len > UINT32_MAX || b->gpa > UINT64_MAX - b->out.len)
		fail(b, VMM_ERANGE);
	put_entry(b);
	return vmm__sink_close(&b->out, len);
}

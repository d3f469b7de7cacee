// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The image: runtime region (uefi_runtime.h), then the tables that the configuration tables point
 * to. Everything is placed first, so that a buffer is either large enough or not touched.
 */
#include "bits.h"
#include "endian.h"
#include "libvmm/uefi.h"
#include "mem.h"
#include "sized.h"
#include "uefi_code.h"
#include "uefi_crc.h"
#include "uefi_guid.h"
#include "uefi_runtime.h"

_Static_assert(VMM_UEFI_ALIGN == UEFI_GRANULE && VMM_UEFI_RUNTIME_LEN == UEFI_RUNTIME_LEN, "");
_Static_assert(VMM_UEFI_RUNTIME_CODE == EFI_MEMORY_RUNTIME_CODE, "7.2.3");
_Static_assert(VMM_UEFI_RUNTIME_DATA == EFI_MEMORY_RUNTIME_DATA, "7.2.3");

#define SEED_MAX 512u
#define PART_MAX UINT32_C(0x1000000) /* of room and log; keeps sums small */

/* 23.4: one entry, the firmware itself. */
#define ESRT_LEN     56
#define ESRT_VERSION 1
#define ESRT_SYSTEM  1 /* type of firmware */

/* 4.6.4: three descriptors follow. Version 1: 6.1's Linux complains about the next one. */
#define ATTRIBUTES_HEAD    16
#define ATTRIBUTES_COUNT   3
#define ATTRIBUTES_LEN     (ATTRIBUTES_HEAD + ATTRIBUTES_COUNT * EFI_MEMORY_STRIDE)
#define ATTRIBUTES_VERSION 1

/* 4.6.2 */
#define PROPERTIES_LEN     8
#define PROPERTIES_VERSION 1
#define PROPERTIES                                                                        \
	(EFI_RT_GET_TIME | EFI_RT_SET_TIME | EFI_RT_GET_VARIABLE | EFI_RT_GET_NEXT_NAME | \
	 EFI_RT_SET_VARIABLE | EFI_RT_SET_VIRTUAL | EFI_RT_NEXT_COUNT | EFI_RT_RESET |    \
	 EFI_RT_QUERY_VARIABLE)

/* Linux's (drivers/firmware/efi/libstub/random.c, tpm.c), whose loaders leave them there. */
#define SEED_HEAD     4
#define TPM_HEAD      9
#define TPM_TCG2      2
#define FINAL_LEN     16 /* TCG EFI Protocol 1.0, 7: no events since the log was taken */
#define FINAL_VERSION 1

/* Offsets in the image; 0: not there. */
struct layout {
	uint32_t esrt;
	uint32_t properties;
	uint32_t attributes;
	uint32_t seed;
	uint32_t tpm;
	uint32_t final;
	uint32_t room;
	uint32_t len;
};

struct build {
	const struct vmm_uefi_image_config *config;
	struct layout at;
	uint8_t *buf;
	uint32_t tables;
};

static const uint8_t guid_acpi[] =
	VMM__GUID(0x8868e871, 0xe4f1, 0x11d3, 0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81);
static const uint8_t guid_smbios[] =
	VMM__GUID(0xf2fd1544, 0x9794, 0x4a2c, 0x99, 0x2e, 0xe5, 0xbb, 0xcf, 0x20, 0xe3, 0x94);
static const uint8_t guid_esrt[] =
	VMM__GUID(0xb122a263, 0x3661, 0x4f68, 0x99, 0x29, 0x78, 0xf8, 0xb0, 0xd6, 0x21, 0x80);
static const uint8_t guid_properties[] =
	VMM__GUID(0xeb66918a, 0x7eef, 0x402a, 0x84, 0x2e, 0x93, 0x1d, 0x21, 0xc3, 0x8a, 0xe9);
static const uint8_t guid_attributes[] =
	VMM__GUID(0xdcfa911d, 0x26eb, 0x469f, 0xa2, 0x20, 0x38, 0xb7, 0xdc, 0x46, 0x12, 0x20);
static const uint8_t guid_seed[] =
	VMM__GUID(0x1ce1e5bc, 0x7ceb, 0x42f2, 0x81, 0xe5, 0x8a, 0xad, 0xf1, 0x80, 0xf5, 0x7b);
static const uint8_t guid_tpm[] =
	VMM__GUID(0xb7799cb0, 0xeca2, 0x4943, 0x96, 0x67, 0x1f, 0xae, 0x07, 0xb7, 0x47, 0xfa);
static const uint8_t guid_final[] =
	VMM__GUID(0x1e2ed096, 0x30e2, 0x4254, 0xbd, 0x89, 0x86, 0x3b, 0xbe, 0xf8, 0x23, 0x25);
static const uint8_t guid_firmware[] = VMM__GUID_LIBVMM;

/* --- Placing --- */

static uint32_t place(struct layout *at, uint32_t len)
{
	const uint32_t here = at->len;

	at->len = (uint32_t)vmm__align_up(here + len, 16);
	return len > 0 ? here : 0;
}

static void place_all(const struct vmm_uefi_image_config *c, struct layout *at)
{
	memset(at, 0, sizeof(*at));
	at->len = UEFI_RUNTIME_LEN;
	at->esrt = place(at, ESRT_LEN);
	at->properties = place(at, PROPERTIES_LEN);
	at->attributes = place(at, ATTRIBUTES_LEN);
	at->seed = place(at, c->seed_len > 0 ? SEED_HEAD + c->seed_len : 0);
	at->tpm = place(at, c->tpm_log_len > 0 ? TPM_HEAD + c->tpm_log_len : 0);
	at->final = place(at, c->tpm_log_len > 0 && c->tpm_log_format == TPM_TCG2 ? FINAL_LEN : 0);
	at->room = place(at, c->room);
	at->len = (uint32_t)vmm__align_up(at->len, UEFI_GRANULE);
}

/* --- Tables --- */

static void put_header(uint8_t *table, uint64_t signature, uint32_t len)
{
	vmm__put_le64(table + offsetof(struct efi_header, signature), signature);
	vmm__put_le32(table + offsetof(struct efi_header, revision), EFI_SYSTEM_REVISION);
	vmm__put_le32(table + offsetof(struct efi_header, header_size), len);
	vmm__put_le32(table + offsetof(struct efi_header, crc32), 0);
}

static void put_crc(uint8_t *table, uint32_t len)
{
	vmm__put_le32(table + offsetof(struct efi_header, crc32), vmm__uefi_crc32(table, len));
}

static void add_table_at(struct build *b, const uint8_t *guid, uint64_t gpa)
{
	uint8_t *entry = b->buf + UEFI_DATA_OFFSET + offsetof(struct uefi_runtime_data, tables) +
			 b->tables * sizeof(struct efi_config_table);

	if (gpa == 0)
		return;
	b->tables++;
	if (b->buf == NULL)
		return;
	memcpy(entry, guid, 16);
	vmm__put_le64(entry + offsetof(struct efi_config_table, table), gpa);
}

/* One of ours, if it is there. */
static void add_table(struct build *b, const uint8_t *guid, uint32_t offset)
{
	add_table_at(b, guid, offset != 0 ? b->config->gpa + offset : 0);
}

static void list_tables(struct build *b)
{
	add_table_at(b, guid_acpi, b->config->rsdp);
	add_table_at(b, guid_smbios, b->config->smbios);
	add_table(b, guid_esrt, b->at.esrt);
	add_table(b, guid_properties, b->at.properties);
	add_table(b, guid_attributes, b->at.attributes);
	add_table(b, guid_seed, b->at.seed);
	add_table(b, guid_tpm, b->at.tpm);
	add_table(b, guid_final, b->at.final);
}

static void put_esrt(const struct build *b)
{
	uint8_t *p = b->buf + b->at.esrt;

	vmm__put_le32(p, 1);     /* entries there are */
	vmm__put_le32(p + 4, 1); /* and could be */
	vmm__put_le64(p + 8, ESRT_VERSION);
	memcpy(p + 16, guid_firmware, 16);
	vmm__put_le32(p + 32, ESRT_SYSTEM);
	vmm__put_le32(p + 36, b->config->version);
	vmm__put_le32(p + 40, b->config->version); /* lowest that may replace it */
}

static void put_properties(const struct build *b)
{
	uint8_t *p = b->buf + b->at.properties;

	vmm__put_le16(p, PROPERTIES_VERSION);
	vmm__put_le16(p + 2, PROPERTIES_LEN);
	vmm__put_le32(p + 4, PROPERTIES);
}

static void put_memory(uint8_t *p, uint32_t type, uint64_t base, uint64_t len, uint64_t attributes)
{
	vmm__put_le32(p + offsetof(struct efi_memory, type), type);
	vmm__put_le64(p + offsetof(struct efi_memory, physical), base);
	vmm__put_le64(p + offsetof(struct efi_memory, pages), len / EFI_PAGE);
	vmm__put_le64(p + offsetof(struct efi_memory, attributes), attributes);
}

/* 4.6.4: what of the runtime ranges is only read, and what is not executed. */
static void put_attributes(const struct build *b)
{
	const uint64_t gpa = b->config->gpa;
	uint8_t *p = b->buf + b->at.attributes;

	vmm__put_le32(p, ATTRIBUTES_VERSION);
	vmm__put_le32(p + 4, ATTRIBUTES_COUNT);
	vmm__put_le32(p + 8, EFI_MEMORY_STRIDE);
	p += ATTRIBUTES_HEAD;
	put_memory(p, EFI_MEMORY_RUNTIME_CODE, gpa, UEFI_DATA_OFFSET,
		   EFI_MEMORY_RO | EFI_MEMORY_RUNTIME);
	p += EFI_MEMORY_STRIDE;
	/* Part of a range has the type of the whole. */
	put_memory(p, EFI_MEMORY_RUNTIME_CODE, gpa + UEFI_DATA_OFFSET,
		   UEFI_RUNTIME_LEN - UEFI_DATA_OFFSET, EFI_MEMORY_XP | EFI_MEMORY_RUNTIME);
	p += EFI_MEMORY_STRIDE;
	put_memory(p, EFI_MEMORY_RUNTIME_DATA, gpa + UEFI_RUNTIME_LEN, b->at.len - UEFI_RUNTIME_LEN,
		   EFI_MEMORY_XP | EFI_MEMORY_RUNTIME);
}

static void put_seed(const struct build *b)
{
	uint8_t *p = b->buf + b->at.seed;

	if (b->at.seed == 0)
		return;
	vmm__put_le32(p, b->config->seed_len);
	memcpy(p + SEED_HEAD, b->config->seed, b->config->seed_len);
}

static void put_tpm(const struct build *b)
{
	uint8_t *p = b->buf + b->at.tpm;

	if (b->at.tpm == 0)
		return;
	vmm__put_le32(p, b->config->tpm_log_len);
	p[8] = (uint8_t)b->config->tpm_log_format;
	memcpy(p + TPM_HEAD, b->config->tpm_log, b->config->tpm_log_len);
	if (b->at.final != 0)
		vmm__put_le64(b->buf + b->at.final, FINAL_VERSION);
}

/* --- Runtime region --- */

static const uint8_t *find_code(uint32_t arch, uint32_t *len)
{
	switch (arch) {
	case VMM_UEFI_X86_64:
		*len = vmm__uefi_code_x86_64_len;
		return vmm__uefi_code_x86_64;
	case VMM_UEFI_AARCH64:
		*len = vmm__uefi_code_aarch64_len;
		return vmm__uefi_code_aarch64;
	default:
		*len = 0;
		return NULL;
	}
}

static void put_services(const struct build *b, const uint8_t *code)
{
	uint8_t *p = b->buf + UEFI_DATA_OFFSET + offsetof(struct uefi_runtime_data, runtime);

	put_header(p, EFI_RUNTIME_SIGNATURE, sizeof(struct efi_runtime_table));
	for (uint32_t i = 0; i < EFI_SERVICES; i++)
		vmm__put_le64(p + offsetof(struct efi_runtime_table, service) + i * 8,
			      b->config->gpa + vmm__le32(code + UEFI_HEAD_SERVICES + i * 4));
	put_crc(p, sizeof(struct efi_runtime_table));
}

static void put_system(const struct build *b)
{
	static const char vendor[] = "libvmm";
	const uint64_t data_gpa = b->config->gpa + UEFI_DATA_OFFSET;
	uint8_t *data = b->buf + UEFI_DATA_OFFSET;
	uint8_t *p = data + offsetof(struct uefi_runtime_data, system);

	for (size_t i = 0; i < sizeof(vendor); i++)
		vmm__put_le16(data + offsetof(struct uefi_runtime_data, vendor) + 2 * i,
			      (uint16_t)vendor[i]);
	put_header(p, EFI_SYSTEM_SIGNATURE, sizeof(struct efi_system_table));
	vmm__put_le64(p + offsetof(struct efi_system_table, vendor),
		      data_gpa + offsetof(struct uefi_runtime_data, vendor));
	vmm__put_le32(p + offsetof(struct efi_system_table, firmware_revision), b->config->version);
	vmm__put_le64(p + offsetof(struct efi_system_table, runtime),
		      data_gpa + offsetof(struct uefi_runtime_data, runtime));
	vmm__put_le64(p + offsetof(struct efi_system_table, table_count), b->tables);
	vmm__put_le64(p + offsetof(struct efi_system_table, tables),
		      data_gpa + offsetof(struct uefi_runtime_data, tables));
	put_crc(p, sizeof(struct efi_system_table));
}

static void put_runtime(const struct build *b, const uint8_t *code, uint32_t code_len)
{
	uint8_t *data = b->buf + UEFI_DATA_OFFSET;

	memcpy(b->buf, code, code_len);
	put_services(b, code);
	put_system(b);
	vmm__put_le64(data + offsetof(struct uefi_runtime_data, doorbell), b->config->doorbell);
	vmm__put_le64(data + offsetof(struct uefi_runtime_data, base), b->config->gpa);
}

/* --- The whole --- */

static int check(const struct vmm_uefi_image_config *c)
{
	if ((c->arch != VMM_UEFI_X86_64 && c->arch != VMM_UEFI_AARCH64) || c->reserved != 0 ||
	    (c->seed == NULL) != (c->seed_len == 0) ||
	    (c->tpm_log == NULL) != (c->tpm_log_len == 0))
		return -VMM_EINVAL;
	if (c->tpm_log_len > 0 && c->tpm_log_format != 1 && c->tpm_log_format != TPM_TCG2)
		return -VMM_EINVAL;
	if (!vmm__is_aligned(c->gpa, UEFI_GRANULE))
		return -VMM_EALIGN;
	if (c->seed_len > SEED_MAX || c->room > PART_MAX || c->tpm_log_len > PART_MAX ||
	    (c->arch == VMM_UEFI_X86_64 && c->doorbell > UINT16_MAX - 3))
		return -VMM_ERANGE;
	return 0;
}

/* All but the room, which may be most of it, and is the caller's. */
static void clear(const struct build *b)
{
	uint32_t room = b->at.room, end = room + b->config->room;

	if (room == 0)
		room = end = 0;
	memset(b->buf, 0, room);
	memset(b->buf + end, 0, b->at.len - end);
}

int vmm_uefi_image_build(const struct vmm_uefi_image_config *config, void *buf, size_t cap,
			 struct vmm_uefi_image *image)
{
	struct vmm_uefi_image_config taken;
	struct build b = {.config = &taken, .buf = NULL};
	struct vmm_uefi_image built;
	const uint8_t *code;
	uint32_t code_len;
	int err;

	if (vmm__take_struct(&taken, sizeof(taken), config) != 0 || (buf == NULL && cap != 0))
		return -VMM_EINVAL;
	err = check(&taken);
	if (err != 0)
		return err;
	code = find_code(taken.arch, &code_len);
	if (code_len == 0)
		return -VMM_ENOTSUP;
	place_all(&taken, &b.at);
	if (!vmm__range_within(taken.gpa, b.at.len, UINT64_C(1) << 32))
		return -VMM_ERANGE;
	if (buf != NULL && cap >= b.at.len) {
		b.buf = buf;
		clear(&b);
	}
	list_tables(&b);
	built = (struct vmm_uefi_image){
		.tables = b.tables,
		.len = b.at.len,
		.system = taken.gpa + UEFI_DATA_OFFSET + offsetof(struct uefi_runtime_data, system),
		.mailbox = taken.gpa + UEFI_MAILBOX_OFFSET,
		.room = b.at.room != 0 ? taken.gpa + b.at.room : 0,
	};
	err = vmm__give_struct(image, &built, sizeof(built));
	if (err != 0 || buf == NULL)
		return err;
	if (b.buf == NULL)
		return -VMM_ESIZE;
	put_runtime(&b, code, code_len);
	put_esrt(&b);
	put_properties(&b);
	put_attributes(&b);
	put_seed(&b);
	put_tpm(&b);
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "endian.h"
#include "samples.h"

static uint8_t sum(const uint8_t *p, size_t n)
{
	uint8_t s = 0;

	while (n-- > 0)
		s = (uint8_t)(s + *p++);
	return s;
}

/* Revisions of the tables' layouts: ACPI 6.5, 5.2, or the table's own specification. */
static void check_revision(const uint8_t *table)
{
	static const struct {
		char signature[5];
		uint8_t revision;
	} revisions[] = {
		{"APIC", 6}, {"BERT", 1}, {"BGRT", 1}, {"DBG2", 0}, {"DMAR", 1}, {"EINJ", 1},
		{"ERST", 1}, {"FACP", 6}, {"GTDT", 3}, {"HEST", 1}, {"HMAT", 2}, {"HPET", 1},
		{"IORT", 3}, {"IVRS", 2}, {"MCFG", 1}, {"NFIT", 1}, {"PPTT", 3}, {"SLIT", 1},
		{"SPCR", 4}, {"SRAT", 3}, {"TPM2", 4}, {"VIOT", 0}, {"WAET", 1},
	};

	for (size_t i = 0; i < sizeof(revisions) / sizeof(revisions[0]); i++)
		if (memcmp(table, revisions[i].signature, 4) == 0) {
			assert_int_equal(table[8], revisions[i].revision);
			return;
		}
	fail_msg("no revision is known for %.4s", (const char *)table);
}

/* Follows RSDP and XSDT, and checks every checksum, length and pointer on the way. */
static unsigned walk(const uint8_t *blob, size_t len, uint64_t gpa)
{
	const uint8_t *xsdt = blob + (vmm__le64(blob + 24) - gpa);
	unsigned n = (vmm__le32(xsdt + 4) - 36) / 8;

	assert_memory_equal(blob, "RSD PTR ", 8);
	assert_int_equal(sum(blob, 20), 0);
	assert_int_equal(sum(blob, 36), 0);
	assert_memory_equal(xsdt, "XSDT", 4);
	assert_int_equal(sum(xsdt, vmm__le32(xsdt + 4)), 0);
	for (unsigned i = 0; i < n; i++) {
		uint64_t at = vmm__le64(xsdt + 36 + 8 * i) - gpa;
		const uint8_t *table = blob + at;

		assert_true(at % 16 == 0 && at + vmm__le32(table + 4) <= len);
		assert_int_equal(sum(table, vmm__le32(table + 4)), 0);
		assert_memory_not_equal(table, "DSDT", 4);
		check_revision(table);
		if (memcmp(table, "FACP", 4) != 0)
			continue;
		table = blob + (vmm__le64(table + 140) - gpa);
		assert_memory_equal(table, "DSDT", 4);
		assert_int_equal(sum(table, vmm__le32(table + 4)), 0);
	}
	return n;
}

static void samples_hang_together(void **state)
{
	static const uint64_t bases[] = {0, 0xe0000, 0xffffffc0, 0x123456789000};
	static uint8_t blob[1 << 16];

	(void)state;
	for (size_t i = 0; i < sample_count; i++)
		for (size_t j = 0; j < sizeof(bases) / sizeof(bases[0]); j++) {
			size_t len;

			assert_int_equal(
				sample_build(&samples[i], blob, sizeof(blob), bases[j], &len), 0);
			assert_true(walk(blob, len, bases[j]) >= 1);
		}
}

static void every_size_from_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sample_count; i++) {
		size_t need, len;

		assert_int_equal(sample_build(&samples[i], NULL, 0, 0, &need), 0);
		for (size_t cap = 0; cap <= need; cap++) {
			uint8_t *buf = malloc(cap + 1);

			buf[cap] = 0xa5;
			len = 0;
			assert_int_equal(sample_build(&samples[i], buf, cap, 0, &len),
					 cap < need ? -VMM_ESIZE : 0);
			assert_int_equal(len, need);
			assert_int_equal(buf[cap], 0xa5);
			free(buf);
		}
	}
}

static void pointers_above_4_gib(void **state)
{
	static uint8_t blob[4096];
	struct vmm_acpi_fadt fadt = {.size = sizeof(fadt)};
	struct vmm_acpi b;
	struct vmm_aml a;

	(void)state;
	for (uint64_t gpa = 0x1000; gpa < 1ULL << 33; gpa += 1ULL << 32) {
		const uint8_t *p;
		bool high = gpa >> 32 != 0;

		vmm_acpi_open(&b, blob, sizeof(blob), gpa, NULL);
		vmm_acpi_add_fadt(&b, &fadt);
		vmm_acpi_aml_begin(&b, "DSDT", 2, &a);
		vmm_acpi_aml_finish(&b, &a);
		vmm_acpi_add_facs(&b, 7);
		assert_int_equal(vmm_acpi_close(&b, NULL), 0);
		p = blob + 48;
		assert_int_equal(vmm__le32(p + 36) == 0, high);
		assert_int_equal(vmm__le64(p + 132) != 0, high);
		assert_int_equal(vmm__le32(p + 40) == 0, high);
		p = blob + ((high ? vmm__le64(p + 132) : vmm__le32(p + 36)) - gpa);
		assert_memory_equal(p, "FACS\x40\0\0\0\7", 9);
		assert_int_equal(p[32], 2); /* version */
		assert_int_equal((p - blob) % 64, 0);
	}
}

/* What knows ACPI 1.0 only finds the same tables. */
static void tables_by_rsdt(void **state)
{
	static uint8_t blob[4096];
	struct vmm_acpi_fadt fadt = {.size = sizeof(fadt)};
	const uint8_t *rsdt, *xsdt;
	struct vmm_acpi b;
	struct vmm_aml a;
	uint8_t sum = 0;

	(void)state;
	for (uint64_t gpa = 0x1000; gpa < 1ULL << 33; gpa += (1ULL << 32) - 0x1040) {
		bool high = gpa != 0x1000; /* the last page below 4 GiB is too small */

		vmm_acpi_open(&b, blob, sizeof(blob), gpa, NULL);
		assert_int_equal(vmm_acpi_want_rsdt(&b), 0);
		vmm_acpi_add_fadt(&b, &fadt);
		assert_int_equal(vmm_acpi_aml_begin(&b, "DSDT", 2, &a), 0);
		vmm_acpi_aml_finish(&b, &a);
		vmm_acpi_table_begin(&b, "SSDT", 2);
		vmm_acpi_table_finish(&b);
		assert_int_equal(vmm_acpi_close(&b, NULL), high ? -VMM_ERANGE : 0);
		if (high)
			continue;
		rsdt = blob + (vmm__le32(blob + 16) - gpa);
		xsdt = blob + (vmm__le64(blob + 24) - gpa);
		assert_memory_equal(rsdt, "RSDT\x2c\0\0\0\1", 9);
		assert_int_equal(vmm__le32(rsdt + 36), vmm__le64(xsdt + 36));
		assert_int_equal(vmm__le32(rsdt + 40), vmm__le64(xsdt + 44));
		for (int i = 0; i < 44; i++)
			sum = (uint8_t)(sum + rsdt[i]);
		for (int i = 0; i < 20; i++)
			sum = (uint8_t)(sum + blob[i]);
		assert_int_equal(sum, 0);
	}
	vmm_acpi_open(&b, NULL, 0, 0, NULL);
	vmm_acpi_table_begin(&b, "SSDT", 2);
	assert_int_equal(vmm_acpi_want_rsdt(&b), -VMM_ESTATE);
}

static void who_made_it(void **state)
{
	static uint8_t blob[256];
	const struct vmm_acpi_ids ids = {
		.size = sizeof(ids),
		.oem_revision = 0x11223344,
		.creator_revision = 0x55667788,
		.creator_id = "CRE",
		.oem_id = "OEM",
		.oem_table_id = "TABLE",
	};
	struct vmm_acpi b;

	(void)state;
	assert_int_equal(vmm_acpi_open(&b, blob, sizeof(blob), 0, &ids), 0);
	assert_int_equal(vmm_acpi_table_begin(&b, "WAET", 1), 0);
	assert_int_equal(vmm_acpi_u32(&b, 2), 0);
	assert_int_equal(vmm_acpi_address(&b, NULL), 0);
	assert_int_equal(vmm_acpi_table_finish(&b), 0);
	assert_int_equal(vmm_acpi_close(&b, NULL), 0);
	assert_int_equal(blob[48 + 4], 36 + 4 + 12);
	assert_memory_equal(blob + 9, "OEM\0\0", 6);
	assert_memory_equal(blob + 48 + 10,
			    "OEM\0\0\0TABLE\0\0\0\x44\x33\x22\x11"
			    "CRE\0\x88\x77\x66\x55",
			    26);
}

static void order_is_checked(void **state)
{
	struct vmm_acpi b;
	struct vmm_aml a;

	(void)state;
	memset(&b, 0, sizeof(b));
	assert_int_equal(vmm_acpi_table_begin(&b, "WAET", 1), -VMM_ESTATE);
	assert_int_equal(vmm_acpi_close(&b, NULL), -VMM_ESTATE);

#define FRESH() vmm_acpi_open(&b, NULL, 0, 0, NULL)
	FRESH();
	assert_int_equal(vmm_acpi_u8(&b, 1), -VMM_ESTATE);
	FRESH();
	assert_int_equal(vmm_acpi_table_finish(&b), -VMM_ESTATE);
	FRESH();
	vmm_acpi_table_begin(&b, "WAET", 1);
	assert_int_equal(vmm_acpi_table_begin(&b, "WAET", 1), -VMM_ESTATE);
	FRESH();
	vmm_acpi_table_begin(&b, "WAET", 1);
	assert_int_equal(vmm_acpi_add_facs(&b, 0), -VMM_ESTATE);
	FRESH();
	vmm_acpi_table_begin(&b, "WAET", 1);
	assert_int_equal(vmm_acpi_close(&b, NULL), -VMM_ESTATE);
	FRESH();
	vmm_acpi_mcfg_begin(&b);
	assert_int_equal(vmm_acpi_madt_lapic(&b, 0, 0, 1), -VMM_ESTATE);
	FRESH();
	vmm_acpi_madt_begin(&b, 0, 0);
	assert_int_equal(vmm_acpi_mcfg_entry(&b, 0, 0, 0, 0), -VMM_ESTATE);
	FRESH();
	vmm_acpi_aml_begin(&b, "SSDT", 2, &a);
	assert_int_equal(vmm_acpi_u8(&b, 1), -VMM_ESTATE);
	FRESH();
	vmm_acpi_aml_begin(&b, "SSDT", 2, &a);
	assert_int_equal(vmm_acpi_table_finish(&b), -VMM_ESTATE);
	FRESH();
	vmm_acpi_table_begin(&b, "SSDT", 2);
	vmm_aml_open(&a, NULL, 0);
	assert_int_equal(vmm_acpi_aml_finish(&b, &a), -VMM_ESTATE);
	FRESH();
	vmm_acpi_aml_begin(&b, "SSDT", 2, &a);
	vmm_aml_device_begin(&a, "D");
	assert_int_equal(vmm_acpi_aml_finish(&b, &a), -VMM_ESTATE);
	FRESH();
	vmm_acpi_aml_begin(&b, "SSDT", 2, &a);
	vmm_aml_event(&a, "bad");
	assert_int_equal(vmm_acpi_aml_finish(&b, &a), -VMM_EINVAL);
	/* Closing writes pointers into a FADT: one that is too short had those in the next table.
	 */
	FRESH();
	vmm_acpi_table_begin(&b, "FACP", 6);
	vmm_acpi_zeros(&b, 276 - 36);
	assert_int_equal(vmm_acpi_table_finish(&b), 0);
	FRESH();
	vmm_acpi_table_begin(&b, "FACP", 6);
	vmm_acpi_zeros(&b, 276 - 37);
	assert_int_equal(vmm_acpi_table_finish(&b), -VMM_EINVAL);
}

static void arguments_are_checked(void **state)
{
	static const char *const bad[] = {NULL, "", "ABC", "ABCDE", "abcd", "AB D"};
	struct vmm_acpi_fadt fadt = {.size = sizeof(fadt)};
	struct vmm_acpi_ids ids = {.size = 1};
	struct vmm_acpi b;

	(void)state;
	assert_int_equal(vmm_acpi_open(&b, NULL, 1, 0, NULL), -VMM_EINVAL);
	assert_int_equal(vmm_acpi_open(&b, NULL, 0, 0, &ids), -VMM_EINVAL);
	assert_int_equal(vmm_acpi_open(&b, NULL, 0, 32, NULL), -VMM_EALIGN);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		FRESH();
		assert_int_equal(vmm_acpi_table_begin(&b, bad[i], 1), -VMM_EINVAL);
	}
	FRESH();
	assert_int_equal(vmm_acpi_add_fadt(&b, &fadt), 0);
	assert_int_equal(vmm_acpi_close(&b, NULL), -VMM_ENOENT);
	FRESH();
	vmm_acpi_table_begin(&b, "DSDT", 2);
	vmm_acpi_table_finish(&b);
	assert_int_equal(vmm_acpi_close(&b, NULL), -VMM_ENOENT);
	FRESH();
	vmm_acpi_add_facs(&b, 0);
	assert_int_equal(vmm_acpi_close(&b, NULL), -VMM_ENOENT);
	FRESH();
	vmm_acpi_add_facs(&b, 0);
	assert_int_equal(vmm_acpi_add_facs(&b, 0), -VMM_EEXIST);
	FRESH();
	fadt.flags = VMM_ACPI_FADT_HW_REDUCED;
	fadt.sci_int = 9;
	assert_int_equal(vmm_acpi_add_fadt(&b, &fadt), -VMM_EINVAL);
	FRESH();
	fadt.sci_int = 0;
	fadt.pm1_cnt_len = 2;
	fadt.pm1a_cnt = (struct vmm_acpi_gas){.space = VMM_ACPI_SPACE_IO, .address = 0x620};
	assert_int_equal(vmm_acpi_add_fadt(&b, &fadt), 0);
	FRESH();
	fadt = (struct vmm_acpi_fadt){.size = sizeof(fadt), .flags = VMM_ACPI_FADT_RESET_REG};
	assert_int_equal(vmm_acpi_add_fadt(&b, &fadt), -VMM_EINVAL);
	FRESH();
	vmm_acpi_madt_begin(&b, 0, 0);
	assert_int_equal(vmm_acpi_madt_lapic(&b, 0, 255, 0), -VMM_EINVAL);
	FRESH();
	vmm_acpi_mcfg_begin(&b);
	assert_int_equal(vmm_acpi_mcfg_entry(&b, 0x1000, 0, 0, 0), -VMM_EINVAL);
	FRESH();
	for (int i = 0; i < VMM_ACPI_MAX_TABLES; i++) {
		assert_int_equal(vmm_acpi_table_begin(&b, "SSDT", 2), 0);
		vmm_acpi_table_finish(&b);
	}
	assert_int_equal(vmm_acpi_table_begin(&b, "SSDT", 2), -VMM_ELIMIT);
	vmm_acpi_open(&b, NULL, 0, UINT64_MAX - 63, NULL);
	assert_int_equal(vmm_acpi_close(&b, NULL), -VMM_ERANGE);
}

/* What describes an entry must be there, and be as long as the builder knows it. */
#define REFUSED(begin, call)                                             \
	do {                                                             \
		FRESH();                                                 \
		(void)(begin);                                           \
		assert_int_equal(vmm_acpi_error(&b), 0);                 \
		assert_int_equal(call, -VMM_EINVAL);                     \
		assert_int_equal(vmm_acpi_close(&b, NULL), -VMM_EINVAL); \
	} while (0)

#define REFUSED_STRUCT(type, begin, ...)                   \
	do {                                               \
		struct type s_ = {.size = sizeof(s_) - 1}; \
		struct type *s = &s_;                      \
		REFUSED(begin, __VA_ARGS__);               \
		s = NULL;                                  \
		REFUSED(begin, __VA_ARGS__);               \
	} while (0)

static void descriptions_are_checked(void **state)
{
	static const uint8_t near[] = {10, 10, 10, 10}, wrong[] = {11};
	static const struct vmm_acpi_scope no_hops = {.type = 1};
	static const struct vmm_acpi_scope long_scope = {.type = 1, .hops = 9};
	static const struct vmm_acpi_iort_map empty = {.count = 0},
					      ahead = {.count = 1, .ref = 999};
	static const uint32_t beyond = 999;
	struct vmm_acpi b;

	(void)state;
	REFUSED_STRUCT(vmm_acpi_fadt, 0, vmm_acpi_add_fadt(&b, s));
	REFUSED_STRUCT(vmm_acpi_spcr, 0, vmm_acpi_add_spcr(&b, s));
	REFUSED_STRUCT(vmm_acpi_gtdt, 0, vmm_acpi_gtdt_begin(&b, s));
	REFUSED_STRUCT(vmm_acpi_gicc, vmm_acpi_madt_begin(&b, 0, 0), vmm_acpi_madt_gicc(&b, s));
	REFUSED_STRUCT(vmm_acpi_hmat_locality, vmm_acpi_hmat_begin(&b),
		       vmm_acpi_hmat_add_locality(&b, s));
	REFUSED_STRUCT(vmm_acpi_cache, vmm_acpi_pptt_begin(&b), vmm_acpi_pptt_cache(&b, s, NULL));
	REFUSED_STRUCT(vmm_acpi_smmu3, vmm_acpi_iort_begin(&b),
		       vmm_acpi_iort_smmu3(&b, s, NULL, 0, NULL));
	REFUSED_STRUCT(vmm_acpi_ivhd, vmm_acpi_ivrs_begin(&b, 0), vmm_acpi_ivrs_ivhd(&b, s));
	REFUSED_STRUCT(vmm_acpi_ghes, vmm_acpi_hest_begin(&b), vmm_acpi_hest_ghes(&b, s));
	REFUSED_STRUCT(vmm_acpi_ras_entry, vmm_acpi_einj_begin(&b), vmm_acpi_einj_entry(&b, s));
	REFUSED_STRUCT(vmm_acpi_ras_entry, vmm_acpi_erst_begin(&b), vmm_acpi_erst_entry(&b, s));
	REFUSED_STRUCT(vmm_acpi_nfit_range, vmm_acpi_nfit_begin(&b),
		       vmm_acpi_nfit_add_range(&b, s));
	REFUSED_STRUCT(vmm_acpi_nfit_map, vmm_acpi_nfit_begin(&b), vmm_acpi_nfit_add_map(&b, s));
	REFUSED_STRUCT(vmm_acpi_nfit_control, vmm_acpi_nfit_begin(&b),
		       vmm_acpi_nfit_add_control(&b, s));

	REFUSED(0, vmm_acpi_add_slit(&b, 0, near));
	REFUSED(0, vmm_acpi_add_slit(&b, 1, NULL));
	REFUSED(0, vmm_acpi_add_slit(&b, 1, wrong));
	REFUSED(0, vmm_acpi_add_slit(&b, 2, near));
	REFUSED(0, vmm_acpi_dmar_begin(&b, 65, 0));
	REFUSED(vmm_acpi_dmar_begin(&b, 48, 0), vmm_acpi_dmar_drhd(&b, 0, 0, 0, NULL, 1));
	REFUSED(vmm_acpi_dmar_begin(&b, 48, 0), vmm_acpi_dmar_drhd(&b, 0, 0, 0, &no_hops, 1));
	REFUSED(vmm_acpi_dmar_begin(&b, 48, 0), vmm_acpi_dmar_drhd(&b, 0, 0, 0, &long_scope, 1));
	REFUSED(vmm_acpi_dmar_begin(&b, 48, 0), vmm_acpi_dmar_rmrr(&b, 0, 1, 0xfff, NULL, 0));
	REFUSED(vmm_acpi_dmar_begin(&b, 48, 0), vmm_acpi_dmar_rmrr(&b, 0, 0, 0x1000, NULL, 0));
	REFUSED(vmm_acpi_dmar_begin(&b, 48, 0), vmm_acpi_dmar_rmrr(&b, 0, 0x2000, 0x1fff, NULL, 0));
	REFUSED(vmm_acpi_ivrs_begin(&b, 0), vmm_acpi_ivrs_ivmd(&b, 0x23, 0, 0, 0, 0, 0));
	REFUSED(vmm_acpi_iort_begin(&b), vmm_acpi_iort_its(&b, NULL, 1, NULL));
	REFUSED(vmm_acpi_iort_begin(&b),
		vmm_acpi_iort_root_complex(&b, 0, 0, 0, 65, NULL, 0, NULL));
	REFUSED(vmm_acpi_iort_begin(&b),
		vmm_acpi_iort_root_complex(&b, 0, 0, 0, 64, NULL, 1, NULL));
	REFUSED(vmm_acpi_iort_begin(&b),
		vmm_acpi_iort_root_complex(&b, 0, 0, 0, 64, &empty, 1, NULL));
	REFUSED(vmm_acpi_iort_begin(&b),
		vmm_acpi_iort_root_complex(&b, 0, 0, 0, 64, &ahead, 1, NULL));
	REFUSED(vmm_acpi_iort_begin(&b),
		vmm_acpi_iort_root_complex(&b, 0, 0, 0, 64, &ahead, 1025, NULL));
	REFUSED(vmm_acpi_pptt_begin(&b), vmm_acpi_pptt_processor(&b, 999, 0, 0, NULL, 0, NULL));
	REFUSED(vmm_acpi_pptt_begin(&b), vmm_acpi_pptt_processor(&b, 0, 0, 0, NULL, 1, NULL));
	REFUSED(vmm_acpi_pptt_begin(&b), vmm_acpi_pptt_processor(&b, 0, 0, 0, &beyond, 1, NULL));
	REFUSED(vmm_acpi_viot_begin(&b), vmm_acpi_viot_mmio(&b, 0, 0, 999));
	REFUSED(vmm_acpi_viot_begin(&b), vmm_acpi_viot_pci_range(&b, 0, 0, 0, 1, 999));
	REFUSED(0, vmm_acpi_add_tpm2(&b, 0, 0, 5, 0, 0));
	REFUSED(vmm_acpi_madt_begin(&b, 0, 0), vmm_acpi_madt_gicd(&b, 0, 0, 5));
	REFUSED(vmm_acpi_madt_begin(&b, 0, 0), vmm_acpi_madt_override(&b, 16, 0, 0));
	REFUSED(vmm_acpi_madt_begin(&b, 0, 0), vmm_acpi_madt_lapic_nmi(&b, 0, 0, 2));
	REFUSED(vmm_acpi_madt_begin(&b, 0, 0), vmm_acpi_madt_lapic(&b, 256, 0, 0));
}

/* Each entry only in the table it belongs to. */
static void entries_stay_at_home(void **state)
{
	const struct vmm_acpi_ras_entry ras = {.size = sizeof(ras)};
	const struct vmm_acpi_nfit_map map = {.size = sizeof(map)};
	const struct vmm_acpi_gas gas = {.space = 0};
	const struct vmm_acpi_ghes ghes = {.size = sizeof(ghes)};
	struct vmm_acpi b;
#define STRAY(call)                                  \
	do {                                         \
		FRESH();                             \
		vmm_acpi_table_begin(&b, "WAET", 1); \
		assert_int_equal(call, -VMM_ESTATE); \
	} while (0)

	(void)state;
	STRAY(vmm_acpi_srat_memory(&b, 0, 0, 0, 0));
	STRAY(vmm_acpi_hmat_cache(&b, 0, 0, 0));
	STRAY(vmm_acpi_pptt_processor(&b, 0, 0, 0, NULL, 0, NULL));
	STRAY(vmm_acpi_gtdt_watchdog(&b, 0, 0, 0, 0));
	STRAY(vmm_acpi_iort_root_complex(&b, 0, 0, 0, 0, NULL, 0, NULL));
	STRAY(vmm_acpi_dmar_drhd(&b, 0, 0, 0, NULL, 0));
	STRAY(vmm_acpi_ivrs_ivmd(&b, 0x20, 0, 0, 0, 0, 0));
	STRAY(vmm_acpi_viot_pci_iommu(&b, 0, 0, NULL));
	STRAY(vmm_acpi_dbg2_serial(&b, 0, &gas, 0, "."));
	STRAY(vmm_acpi_hest_ghes(&b, &ghes));
	STRAY(vmm_acpi_einj_entry(&b, &ras));
	STRAY(vmm_acpi_erst_entry(&b, &ras));
	STRAY(vmm_acpi_nfit_add_map(&b, &map));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_hang_together), cmocka_unit_test(every_size_from_nothing),
		cmocka_unit_test(pointers_above_4_gib),  cmocka_unit_test(tables_by_rsdt),
		cmocka_unit_test(who_made_it),           cmocka_unit_test(order_is_checked),
		cmocka_unit_test(arguments_are_checked), cmocka_unit_test(descriptions_are_checked),
		cmocka_unit_test(entries_stay_at_home),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The input is a list of calls on the builder of tables, in any order and with any argument.
 * Measuring, with room and without, runs agree; and what was built without an error is found again
 * by the reader, each table with its checksum.
 */
#include <string.h>

#include "fuzz.h"
#include "libvmm/acpi_objects.h"
#include "libvmm/acpi_read.h"

#define CAP 8192

struct script {
	const uint8_t *p;
	size_t left;
	uint32_t ref; /* of a node that was made */
};

static uint8_t next(struct script *s)
{
	if (s->left == 0)
		return 0;
	s->left--;
	return *s->p++;
}

static uint64_t number(struct script *s)
{
	uint64_t v = 0;

	for (unsigned n = next(s) % 9; n > 0; n--)
		v = v << 8 | next(s);
	return v;
}

static uint32_t word(struct script *s)
{
	return (uint32_t)number(s);
}

/* Any bytes in @to, which begins with its size: the right one, mostly. */
static void fill(struct script *s, void *to, size_t size)
{
	uint8_t *p = to;
	uint32_t own = (uint32_t)size - (next(s) == 0x55);

	for (size_t i = 0; i < size; i++)
		p[i] = next(s);
	memcpy(p, &own, sizeof(own));
}

#define FILLED(type, name) \
	struct type name;  \
	fill(s, &name, sizeof(name))

static int call_aml(struct vmm_acpi *b, struct script *s)
{
	static const struct vmm_acpi_gas gas = {.space = 1, .bits = 8};
	struct vmm_aml a;

	vmm_acpi_aml_begin(b, next(s) & 1 ? "DSDT" : "SSDT", next(s), &a);
	for (unsigned n = next(s) % 8; n > 0; n--) {
		FILLED(vmm_aml_pstate, pstate);
		FILLED(vmm_aml_cstate, cstate);

		switch (next(s) % 7) {
		case 0:
			vmm_aml_name(&a, "A");
			break;
		case 1:
			vmm_aml_register(&a, next(s) & 1 ? &gas : NULL);
			break;
		case 2:
			vmm_aml_prt_entry(&a, next(s) % 40, next(s) % 6, word(s));
			break;
		case 3:
			vmm_aml_pss_entry(&a, &pstate);
			break;
		case 4:
			vmm_aml_cst(&a, &cstate, next(s) % 2);
			break;
		case 5:
			vmm_aml_vmgenid(&a, "VGEN", "ID", number(s));
			break;
		default:
			vmm_aml_package_begin(&a);
			break;
		}
	}
	return vmm_acpi_aml_finish(b, &a);
}

static int call_interrupts(struct vmm_acpi *b, struct script *s)
{
	FILLED(vmm_acpi_gicc, gicc);

	switch (next(s) % 12) {
	case 0:
		return vmm_acpi_madt_begin(b, word(s), word(s));
	case 1:
		return vmm_acpi_madt_lapic(b, word(s), word(s), word(s));
	case 2:
		return vmm_acpi_madt_x2apic(b, word(s), word(s), word(s));
	case 3:
		return vmm_acpi_madt_ioapic(b, next(s), word(s), word(s));
	case 4:
		return vmm_acpi_madt_override(b, next(s), word(s), next(s));
	case 5:
		return vmm_acpi_madt_lapic_nmi(b, word(s), next(s), next(s));
	case 6:
		return vmm_acpi_madt_x2apic_nmi(b, word(s), next(s), next(s));
	case 7:
		return vmm_acpi_madt_gicc(b, &gicc);
	case 8:
		return vmm_acpi_madt_gicd(b, word(s), number(s), next(s));
	case 9:
		return vmm_acpi_madt_gicr(b, number(s), word(s));
	case 10:
		return vmm_acpi_madt_its(b, word(s), number(s));
	default:
		return vmm_acpi_mcfg_entry(b, number(s), next(s), next(s), next(s));
	}
}

static int call_topology(struct vmm_acpi *b, struct script *s)
{
	static const uint32_t nodes[2] = {0, 1};
	static const uint16_t entries[4] = {10, 20, 20, 10};
	const uint8_t distances[4] = {10, next(s), next(s), 10};
	FILLED(vmm_acpi_cache, cache);
	FILLED(vmm_acpi_hmat_locality, locality);

	locality.initiator = locality.target = nodes;
	locality.initiators %= 3;
	locality.targets %= 3;
	locality.entry = entries;
	cache.next = s->ref;
	switch (next(s) % 11) {
	case 0:
		return vmm_acpi_srat_begin(b);
	case 1:
		return vmm_acpi_srat_lapic(b, word(s), word(s), word(s));
	case 2:
		return vmm_acpi_srat_memory(b, word(s), number(s), number(s), word(s));
	case 3:
		return vmm_acpi_add_slit(b, next(s) % 3, distances);
	case 4:
		return vmm_acpi_hmat_begin(b);
	case 5:
		return vmm_acpi_hmat_add_locality(b, &locality);
	case 6:
		return vmm_acpi_hmat_proximity(b, next(s), word(s), word(s));
	case 7:
		return vmm_acpi_pptt_begin(b);
	case 8:
		return vmm_acpi_pptt_processor(b, next(s) & 1 ? s->ref : word(s), word(s), word(s),
					       &s->ref, next(s) % 2, &s->ref);
	case 9:
		return vmm_acpi_pptt_cache(b, &cache, &s->ref);
	default:
		return vmm_acpi_mcfg_begin(b);
	}
}

static int call_iommu(struct vmm_acpi *b, struct script *s)
{
	const struct vmm_acpi_iort_map map = {word(s), word(s), word(s), s->ref, next(s)};
	struct vmm_acpi_scope scope = {.type = next(s), .hops = next(s)};
	const struct vmm_acpi_ivhd_entry entry = {.type = next(s), .device = next(s)};
	FILLED(vmm_acpi_ivhd, ivhd);
	FILLED(vmm_acpi_smmu3, smmu);

	ivhd.entry = &entry;
	ivhd.entries %= 2;
	switch (next(s) % 12) {
	case 0:
		return vmm_acpi_iort_begin(b);
	case 1:
		return vmm_acpi_iort_its(b, &map.input, next(s) % 2, &s->ref);
	case 2:
		return vmm_acpi_iort_smmu3(b, &smmu, &map, next(s) % 2, &s->ref);
	case 3:
		return vmm_acpi_iort_root_complex(b, word(s), number(s), word(s), next(s), &map,
						  next(s) % 2, &s->ref);
	case 4:
		return vmm_acpi_dmar_begin(b, next(s), next(s));
	case 5:
		return vmm_acpi_dmar_drhd(b, next(s), next(s), number(s), &scope, next(s) % 2);
	case 6:
		return vmm_acpi_dmar_rmrr(b, next(s), number(s), number(s), &scope, next(s) % 2);
	case 7:
		return vmm_acpi_ivrs_begin(b, word(s));
	case 8:
		return vmm_acpi_ivrs_ivhd(b, &ivhd);
	case 9:
		return vmm_acpi_viot_begin(b);
	case 10:
		return vmm_acpi_viot_pci_iommu(b, next(s), next(s), &s->ref);
	default:
		return vmm_acpi_viot_pci_range(b, word(s), next(s), next(s), next(s),
					       next(s) & 1 ? s->ref : word(s));
	}
}

static int call_other(struct vmm_acpi *b, struct script *s)
{
	FILLED(vmm_acpi_fadt, fadt);
	FILLED(vmm_acpi_gtdt, gtdt);
	FILLED(vmm_acpi_ghes, ghes);
	FILLED(vmm_acpi_ras_entry, ras);
	struct vmm_acpi_spcr spcr = {.size = sizeof(spcr), .type = next(s)};

	spcr.path = next(s) & 1 ? "\\_SB.COM0" : NULL;
	switch (next(s) % 14) {
	case 0:
		return vmm_acpi_add_fadt(b, &fadt);
	case 1:
		return vmm_acpi_add_facs(b, word(s));
	case 2:
		return vmm_acpi_gtdt_begin(b, &gtdt);
	case 3:
		return vmm_acpi_gtdt_watchdog(b, number(s), number(s), word(s), word(s));
	case 4:
		return vmm_acpi_hest_begin(b);
	case 5:
		return vmm_acpi_hest_ghes(b, &ghes);
	case 6:
		return vmm_acpi_einj_begin(b);
	case 7:
		return vmm_acpi_einj_entry(b, &ras);
	case 8:
		return vmm_acpi_erst_begin(b);
	case 9:
		return vmm_acpi_erst_entry(b, &ras);
	case 10:
		return vmm_acpi_add_spcr(b, &spcr);
	case 11:
		return vmm_acpi_add_tpm2(b, next(s), number(s), word(s), word(s), number(s));
	case 12:
		return vmm_acpi_add_bert(b, word(s), number(s));
	default:
		return vmm_acpi_add_waet(b, word(s));
	}
}

static int call(struct vmm_acpi *b, struct script *s)
{
	static const char *const signatures[] = {"OEM1", "DSDT", "FACP", "bad!", ""};

	switch (next(s) % 10) {
	case 0:
		return call_aml(b, s);
	case 1:
		return call_interrupts(b, s);
	case 2:
		return call_topology(b, s);
	case 3:
		return call_iommu(b, s);
	case 4:
		return call_other(b, s);
	case 5:
		return vmm_acpi_table_begin(b, signatures[next(s) % 5], next(s));
	case 6:
		return vmm_acpi_u64(b, number(s));
	default:
		return vmm_acpi_table_finish(b);
	}
}

static int build(const uint8_t *data, size_t len, uint8_t *buf, size_t cap, size_t *need)
{
	struct script s = {data, len, 0};
	struct vmm_acpi b;

	vmm_acpi_open(&b, buf, cap, 0, NULL);
	while (s.left > 0) {
		int first = vmm_acpi_error(&b);

		FUZZ_CHECK(call(&b, &s) == vmm_acpi_error(&b));
		FUZZ_CHECK(first == 0 || first == vmm_acpi_error(&b));
	}
	return vmm_acpi_close(&b, need);
}

struct blob {
	const uint8_t *p;
	size_t len;
};

static const void *map(void *opaque, uint64_t pa, size_t len)
{
	const struct blob *blob = opaque;

	return pa <= blob->len && len <= blob->len - pa ? blob->p + pa : NULL;
}

static void read_back(const uint8_t *buf, size_t len)
{
	struct blob blob = {buf, len};
	const struct vmm_acpi_memory memory = {.size = sizeof(memory), .opaque = &blob, .map = map};
	struct vmm_acpi_table t = {.size = sizeof(t)};
	struct vmm_acpi_root r;
	uint32_t i = 0;
	int err;

	FUZZ_CHECK(vmm_acpi_read_open(&r, &memory, 0) == 0);
	while ((err = vmm_acpi_read_index(&r, i, &t)) == 0)
		i++;
	FUZZ_CHECK(err == -VMM_ENOENT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t buf[CAP + 1];
	size_t need = 0, again = 0, half;
	int error = build(data, len, NULL, 0, &need);

	buf[CAP] = 0x5a;
	FUZZ_CHECK(build(data, len, buf, CAP, &again) ==
		   (error == 0 && need > CAP ? -VMM_ESIZE : error));
	FUZZ_CHECK(buf[CAP] == 0x5a);
	if (error != 0)
		return 0;
	FUZZ_CHECK(again == need);
	if (need <= CAP)
		read_back(buf, need);
	half = need / 2 < CAP ? need / 2 : CAP;
	buf[half] = 0x5a;
	FUZZ_CHECK(build(data, len, buf, half, &again) == -VMM_ESIZE);
	FUZZ_CHECK(again == need && buf[half] == 0x5a);
	return 0;
}

/* A table of plain numbers; an SSDT, and a list of nodes with their distances. */
size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	static const uint8_t seeds[][48] = {
		{5, 0, 1, 6, 2, 1, 2, 6, 0, 7, 7},
		{0, 0, 2, 2},
		{9},
	};

	if (index >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	memcpy(buf, seeds[index], sizeof(seeds[index]));
	return sizeof(seeds[index]);
}

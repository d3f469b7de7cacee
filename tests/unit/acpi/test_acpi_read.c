// SPDX-License-Identifier: BSD-2-Clause-Patent
/* What the builder made is read back, field by field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libvmm/acpi_read.h"
#include "samples.h"

#define GPA 0x123456000

static uint8_t blob[1 << 16];
static size_t blob_len;

static const void *map(void *opaque, uint64_t pa, size_t len)
{
	(void)opaque;
	if (pa < GPA || pa - GPA > blob_len || len > blob_len - (pa - GPA))
		return NULL;
	return blob + (pa - GPA);
}

static const struct vmm_acpi_memory memory = {.size = sizeof(memory), .map = map};

static struct vmm_acpi_root build(const char *name)
{
	struct vmm_acpi_root r;

	for (size_t i = 0; i < sample_count; i++)
		if (strcmp(samples[i].name, name) == 0)
			assert_int_equal(
				sample_build(&samples[i], blob, sizeof(blob), GPA, &blob_len), 0);
	assert_int_equal(vmm_acpi_read_open(&r, &memory, GPA), 0);
	return r;
}

static struct vmm_acpi_table find(const struct vmm_acpi_root *r, const char *signature)
{
	struct vmm_acpi_table t = {.size = sizeof(t)};

	assert_int_equal(vmm_acpi_read_find(r, signature, 0, &t), 0);
	return t;
}

static void tables_are_found(void **state)
{
	struct vmm_acpi_root r = build("reduced");
	struct vmm_acpi_table t = {.size = sizeof(t)};
	uint64_t rsdp;

	(void)state;
	assert_int_equal(r.count, 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(vmm_acpi_read_index(&r, i, &t), 0);
	assert_int_equal(vmm_acpi_read_index(&r, 3, &t), -VMM_ENOENT);
	assert_int_equal(vmm_acpi_read_find(&r, "SRAT", 0, &t), -VMM_ENOENT);
	assert_int_equal(vmm_acpi_read_find(&r, "APIC", 1, &t), -VMM_ENOENT);
	assert_int_equal(vmm_acpi_read_search(&memory, GPA, blob_len, &rsdp), 0);
	assert_int_equal(rsdp, GPA);
	assert_int_equal(vmm_acpi_read_search(&memory, GPA + 1, blob_len - 1, &rsdp), -VMM_ENOENT);
	assert_int_equal(vmm_acpi_read_search(&memory, 0, 1024, &rsdp), -VMM_EFAULT);
	assert_int_equal(vmm_acpi_read_open(&r, &memory, 0), -VMM_EFAULT);
	assert_int_equal(vmm_acpi_read_open(&r, &memory, GPA + 16), -VMM_EFORMAT);
}

static void damage_is_seen(void **state)
{
	struct vmm_acpi_root r = build("reduced");
	struct vmm_acpi_table t = find(&r, "APIC");
	size_t at = (size_t)(t.data - blob);

	(void)state;
	blob[at + 50] ^= 1;
	assert_int_equal(vmm_acpi_read_find(&r, "APIC", 0, &t), -VMM_EFORMAT);
	assert_int_equal(vmm_acpi_read_find(&r, "MCFG", 0, &t), 0);
	blob[30] ^= 1; /* in the RSDP, behind its first part */
	assert_int_equal(vmm_acpi_read_open(&r, &memory, GPA), -VMM_EFORMAT);
}

/* Makes the bytes of [p, p + len) sum to 0 by the one at @where. */
static void seal(uint8_t *p, size_t len, size_t where)
{
	p[where] = 0;
	for (size_t i = 0; i < len; i++)
		if (i != where)
			p[where] = (uint8_t)(p[where] - p[i]);
}

static const void *map_low(void *opaque, uint64_t pa, size_t len)
{
	(void)opaque;
	return pa <= 256 && len <= 256 - pa ? blob + pa : NULL;
}

/* ACPI 1.0: an RSDP of 20 bytes, and an RSDT with addresses of 32 bits. */
static void old_roots_are_read(void **state)
{
	static const struct vmm_acpi_memory low = {.size = sizeof(low), .map = map_low};
	struct vmm_acpi_table t = {.size = sizeof(t)};
	struct vmm_acpi_root r;

	(void)state;
	memset(blob, 0, 256);
	memcpy(blob, "RSD PTR ", 8);
	blob[16] = 32;
	memcpy(blob + 32, "RSDT\x28", 5);
	blob[32 + 36] = 128;
	memcpy(blob + 128, "WAET\x28", 5);
	seal(blob, 20, 8);
	seal(blob + 32, 40, 9);
	seal(blob + 128, 40, 9);
	assert_int_equal(vmm_acpi_read_open(&r, &low, 0), 0);
	assert_int_equal(r.count, 1);
	assert_int_equal(vmm_acpi_read_find(&r, "WAET", 0, &t), 0);
	assert_int_equal(t.pa, 128);
	assert_int_equal(vmm_acpi_read_table(blob + 128, 39, &t), -VMM_EFORMAT);
}

static void fadt_is_read(void **state)
{
	struct vmm_acpi_root r = build("full");
	struct vmm_acpi_table t = find(&r, "FACP");
	struct vmm_acpi_fadt f = {.size = sizeof(f)};
	struct vmm_acpi_table d = {.size = sizeof(d)};
	uint64_t dsdt, facs;

	(void)state;
	assert_int_equal(vmm_acpi_read_fadt(&t, &f, &dsdt, &facs), 0);
	assert_int_equal(vmm_acpi_read_at(&r, dsdt, &d), 0);
	assert_memory_equal(d.data, "DSDT", 4);
	assert_memory_equal(map(NULL, facs, 4), "FACS", 4);
	assert_int_equal(f.sci_int, 9);
	assert_int_equal(f.smi_cmd, 0xb2);
	assert_int_equal(f.pm1a_cnt.address, 0x604);
	assert_int_equal(f.gpe0_len, 16);
	assert_int_equal(f.reset.address, 0xcf9);
	assert_int_equal(f.reset_value, 6);
	assert_int_equal(f.century, 0x32);
	assert_int_equal(f.iapc_boot_arch, VMM_ACPI_IAPC_LEGACY_DEVICES | VMM_ACPI_IAPC_8042);
	r = build("reduced");
	t = find(&r, "FACP");
	assert_int_equal(vmm_acpi_read_fadt(&t, &f, NULL, NULL), 0);
	assert_int_equal(f.sleep_status.address, 0xfed90001);
	assert_memory_equal(f.hypervisor_id, "libvmm\0", 8);
	f.size--;
	assert_int_equal(vmm_acpi_read_fadt(&t, &f, NULL, NULL), -VMM_EINVAL);
}

static struct vmm_acpi_madt_entry madt_next(struct vmm_acpi_cursor *c, uint32_t type)
{
	struct vmm_acpi_madt_entry e = {.size = sizeof(e)};

	do
		assert_int_equal(vmm_acpi_read_madt_next(c, &e), 0);
	while (e.type != type);
	return e;
}

static void madt_is_read(void **state)
{
	struct vmm_acpi_root r = build("reduced");
	struct vmm_acpi_table t = find(&r, "APIC");
	struct vmm_acpi_madt_entry e;
	struct vmm_acpi_cursor c;
	uint32_t address, flags;

	(void)state;
	assert_int_equal(vmm_acpi_read_madt(&t, &c, &address, &flags), 0);
	assert_int_equal(address, 0xfee00000);
	for (uint32_t i = 0; i < 4; i++) {
		e = madt_next(&c, VMM_ACPI_MADT_LAPIC);
		assert_int_equal(e.uid, i);
		assert_int_equal(e.id, 2 * i);
		assert_int_equal(e.flags, VMM_ACPI_MADT_ENABLED);
	}
	e = madt_next(&c, VMM_ACPI_MADT_X2APIC);
	assert_int_equal(e.uid, 300);
	assert_int_equal(e.id, 600);
	e = madt_next(&c, VMM_ACPI_MADT_IOAPIC);
	assert_int_equal(e.address, 0xfec00000);
	e = madt_next(&c, VMM_ACPI_MADT_LAPIC_NMI);
	assert_int_equal(e.uid, VMM_ACPI_MADT_ALL_CPUS);
	assert_int_equal(e.lint, 1);
	e = madt_next(&c, VMM_ACPI_MADT_X2APIC_NMI);
	assert_int_equal(vmm_acpi_read_madt_next(&c, &e), -VMM_ENOENT);
	r = build("full");
	t = find(&r, "APIC");
	vmm_acpi_read_madt(&t, &c, NULL, &flags);
	assert_int_equal(flags, VMM_ACPI_MADT_PCAT_COMPAT);
	madt_next(&c, VMM_ACPI_MADT_OVERRIDE);
	e = madt_next(&c, VMM_ACPI_MADT_OVERRIDE);
	assert_int_equal(e.irq, 9);
	assert_int_equal(e.flags, VMM_ACPI_MADT_ACTIVE_HIGH | VMM_ACPI_MADT_LEVEL);
	e = madt_next(&c, VMM_ACPI_MADT_NMI_SOURCE);
	assert_int_equal(e.gsi, 5);
	e = madt_next(&c, VMM_ACPI_MADT_LAPIC_ADDRESS);
	assert_int_equal(e.address, 0x1fee00000);
}

static void arm_is_read(void **state)
{
	struct vmm_acpi_root r = build("new-arm");
	struct vmm_acpi_table t = find(&r, "APIC");
	struct vmm_acpi_gtdt g = {.size = sizeof(g)};
	struct vmm_acpi_gtdt_timer timer = {.size = sizeof(timer)};
	struct vmm_acpi_iort_node n = {.size = sizeof(n)};
	struct vmm_acpi_iort_map m;
	struct vmm_acpi_madt_entry e;
	struct vmm_acpi_cursor c;
	uint32_t its, smmu;

	(void)state;
	vmm_acpi_read_madt(&t, &c, NULL, NULL);
	madt_next(&c, VMM_ACPI_MADT_GICC);
	e = madt_next(&c, VMM_ACPI_MADT_GICC);
	assert_int_equal(e.uid, 1);
	assert_int_equal(e.gicc.mpidr, 0x100);
	assert_int_equal(e.gicc.spe_gsi, 21);
	assert_int_equal(e.gicc.efficiency_class, 1);
	e = madt_next(&c, VMM_ACPI_MADT_GICD);
	assert_int_equal(e.version, 3);
	e = madt_next(&c, VMM_ACPI_MADT_GIC_MSI);
	assert_int_equal(e.spi_base, 80);
	assert_int_equal(e.spi_count, 64);
	e = madt_next(&c, VMM_ACPI_MADT_GICR);
	assert_int_equal(e.len, 0xf60000);
	e = madt_next(&c, VMM_ACPI_MADT_ITS);
	assert_int_equal(e.address, 0x8080000);

	r = build("new-arm-io");
	t = find(&r, "GTDT");
	assert_int_equal(vmm_acpi_read_gtdt(&t, &g, &c), 0);
	assert_int_equal(g.virtual_gsi, 27);
	assert_int_equal(g.virtual_el2_gsi, 28);
	assert_int_equal(g.read_base, UINT64_MAX);
	assert_int_equal(vmm_acpi_read_gtdt_next(&c, &timer), 0);
	assert_int_equal(timer.type, VMM_ACPI_GTDT_WATCHDOG);
	assert_int_equal(timer.base, 0x2a440000);
	assert_int_equal(timer.gsi, 59);
	assert_int_equal(vmm_acpi_read_gtdt_next(&c, &timer), -VMM_ENOENT);

	t = find(&r, "IORT");
	assert_int_equal(vmm_acpi_read_iort(&t, &c), 0);
	assert_int_equal(vmm_acpi_read_iort_next(&c, &n), 0);
	assert_int_equal(n.type, VMM_ACPI_IORT_ITS);
	assert_int_equal(n.services, 2);
	assert_int_equal(vmm_acpi_read_iort_its(&n, 1, &its), 0);
	assert_int_equal(its, 1);
	assert_int_equal(vmm_acpi_read_iort_its(&n, 2, &its), -VMM_ENOENT);
	its = n.ref;
	assert_int_equal(vmm_acpi_read_iort_next(&c, &n), 0);
	assert_int_equal(n.type, VMM_ACPI_IORT_SMMU3);
	assert_int_equal(n.smmu3.event_gsi, 106);
	assert_int_equal(n.smmu3.base, 0x9050000);
	assert_int_equal(vmm_acpi_read_iort_map(&n, 0, &m), 0);
	assert_int_equal(m.ref, its);
	smmu = n.ref;
	assert_int_equal(vmm_acpi_read_iort_next(&c, &n), 0);
	assert_int_equal(n.type, VMM_ACPI_IORT_ROOT_COMPLEX);
	assert_int_equal(n.limit, 48);
	assert_int_equal(vmm_acpi_read_iort_map(&n, 0, &m), 0);
	assert_int_equal(m.ref, smmu);
	assert_int_equal(m.count, 0x10000);
	assert_int_equal(vmm_acpi_read_iort_map(&n, 1, &m), -VMM_ENOENT);
	assert_int_equal(vmm_acpi_read_iort_next(&c, &n), -VMM_ENOENT);
}

static void nodes_are_read(void **state)
{
	struct vmm_acpi_root r = build("numa");
	struct vmm_acpi_table t = find(&r, "SRAT");
	struct vmm_acpi_srat_entry e = {.size = sizeof(e)};
	struct vmm_acpi_pptt_node n = {.size = sizeof(n)};
	struct vmm_acpi_cursor c;
	const uint8_t *distance;
	uint32_t nodes, package, ref, l1;

	(void)state;
	assert_int_equal(vmm_acpi_read_srat(&t, &c), 0);
	assert_int_equal(vmm_acpi_read_srat_next(&c, &e), 0);
	assert_int_equal(e.type, VMM_ACPI_SRAT_LAPIC);
	assert_int_equal(e.domain, 0x12345);
	assert_int_equal(e.id, 7);
	vmm_acpi_read_srat_next(&c, &e);
	vmm_acpi_read_srat_next(&c, &e);
	assert_int_equal(e.type, VMM_ACPI_SRAT_MEMORY);
	assert_int_equal(e.base, 1ULL << 32);
	assert_int_equal(e.len, 1ULL << 33);
	assert_int_equal(e.flags, VMM_ACPI_SRAT_ENABLED | VMM_ACPI_SRAT_HOT_PLUG);
	vmm_acpi_read_srat_next(&c, &e);
	assert_int_equal(e.id, 300);
	vmm_acpi_read_srat_next(&c, &e);
	assert_int_equal(e.id, 3);
	vmm_acpi_read_srat_next(&c, &e);
	assert_int_equal(e.id, 2);
	vmm_acpi_read_srat_next(&c, &e);
	assert_int_equal(e.type, VMM_ACPI_SRAT_INITIATOR);
	assert_int_equal(e.id, 0x0108);
	assert_int_equal(vmm_acpi_read_srat_next(&c, &e), -VMM_ENOENT);
	t = find(&r, "SLIT");
	assert_int_equal(vmm_acpi_read_slit(&t, &nodes, &distance), 0);
	assert_int_equal(nodes, 2);
	assert_int_equal(distance[1], 21);

	r = build("new-pptt");
	t = find(&r, "PPTT");
	assert_int_equal(vmm_acpi_read_pptt(&t, &c), 0);
	assert_int_equal(vmm_acpi_read_pptt_next(&c, &n), 0);
	assert_int_equal(n.type, VMM_ACPI_PPTT_CACHE);
	assert_int_equal(n.ways, 16);
	assert_int_equal(n.line, 64);
	assert_int_equal(n.uid, 1);
	assert_int_equal(n.parent, 0);
	ref = n.ref;
	vmm_acpi_read_pptt_next(&c, &n);
	assert_int_equal(n.parent, ref);
	vmm_acpi_read_pptt_next(&c, &n);
	l1 = n.ref;
	vmm_acpi_read_pptt_next(&c, &n);
	package = n.ref;
	assert_int_equal(n.flags, VMM_ACPI_PPTT_PACKAGE | VMM_ACPI_PPTT_IDENTICAL);
	vmm_acpi_read_pptt_next(&c, &n);
	assert_int_equal(n.parent, package);
	assert_int_equal(vmm_acpi_read_pptt_cache(&n, 1, &ref), 0);
	assert_int_equal(ref, l1);
	assert_int_equal(vmm_acpi_read_pptt_cache(&n, 2, &ref), -VMM_ENOENT);
}

static void iommus_are_read(void **state)
{
	struct vmm_acpi_root r = build("iommus");
	struct vmm_acpi_table t = find(&r, "DMAR");
	struct vmm_acpi_dmar_unit u = {.size = sizeof(u)};
	struct vmm_acpi_ivrs_block b = {.size = sizeof(b)};
	struct vmm_acpi_ivhd_entry e;
	struct vmm_acpi_scope s;
	struct vmm_acpi_cursor c;
	uint32_t bits, flags;

	(void)state;
	assert_int_equal(vmm_acpi_read_dmar(&t, &c, &bits, &flags), 0);
	assert_int_equal(bits, 48);
	assert_int_equal(flags, VMM_ACPI_DMAR_INTR_REMAP);
	assert_int_equal(vmm_acpi_read_dmar_next(&c, &u), 0);
	assert_int_equal(u.base, 0xfed91000);
	assert_int_equal(vmm_acpi_read_scope(&u.scopes, &s), 0);
	assert_int_equal(s.type, 3);
	assert_int_equal(s.bus, 0xf0);
	assert_int_equal(vmm_acpi_read_scope(&u.scopes, &s), 0);
	assert_int_equal(s.hops, 2);
	assert_memory_equal(s.path, "\1\0\2\3", 4);
	assert_int_equal(vmm_acpi_read_scope(&u.scopes, &s), -VMM_ENOENT);
	vmm_acpi_read_dmar_next(&c, &u);
	assert_int_equal(u.flags, 1);
	vmm_acpi_read_dmar_next(&c, &u);
	assert_int_equal(u.last, 0x7fffffff);
	vmm_acpi_read_dmar_next(&c, &u);
	assert_int_equal(u.type, VMM_ACPI_DMAR_ATSR);
	vmm_acpi_read_dmar_next(&c, &u);
	assert_int_equal(u.domain, 1);
	assert_int_equal(vmm_acpi_read_scope(&u.scopes, &s), -VMM_ENOENT);
	assert_int_equal(vmm_acpi_read_dmar_next(&c, &u), -VMM_ENOENT);

	t = find(&r, "IVRS");
	assert_int_equal(vmm_acpi_read_ivrs(&t, &c, &flags), 0);
	assert_int_equal(flags, 0x00203040);
	assert_int_equal(vmm_acpi_read_ivrs_next(&c, &b), 0);
	assert_int_equal(b.type, VMM_ACPI_IVHD_10);
	assert_int_equal(b.base, 0xfd900000);
	for (int i = 0; i < 4; i++)
		assert_int_equal(vmm_acpi_read_ivhd_entry(&b.entries, &e), 0);
	assert_int_equal(e.type, VMM_ACPI_IVHD_ALIAS);
	assert_int_equal(e.source, 0x200);
	assert_int_equal(vmm_acpi_read_ivhd_entry(&b.entries, &e), 0);
	assert_int_equal(e.source, 0xa0);
	assert_int_equal(e.variety, VMM_ACPI_IVHD_IOAPIC);
	assert_int_equal(vmm_acpi_read_ivhd_entry(&b.entries, &e), -VMM_ENOENT);
	vmm_acpi_read_ivrs_next(&c, &b);
	assert_int_equal(b.efr, 0x123456789abcdef0);
	vmm_acpi_read_ivrs_next(&c, &b);
	assert_int_equal(b.type, VMM_ACPI_IVMD_RANGE);
	assert_int_equal(b.last, 0x1ff);
	assert_int_equal(b.len, 0x100000);
	assert_int_equal(vmm_acpi_read_ivrs_next(&c, &b), -VMM_ENOENT);
}

static void buses_and_consoles_are_read(void **state)
{
	struct vmm_acpi_root r = build("reduced");
	struct vmm_acpi_table t = find(&r, "MCFG");
	struct vmm_acpi_mcfg_range e = {.size = sizeof(e)};
	struct vmm_acpi_spcr s = {.size = sizeof(s)};
	struct vmm_acpi_cursor c;

	(void)state;
	assert_int_equal(vmm_acpi_read_mcfg(&t, &c), 0);
	assert_int_equal(vmm_acpi_read_mcfg_next(&c, &e), 0);
	assert_int_equal(e.base, 0xe0000000);
	assert_int_equal(e.last_bus, 255);
	assert_int_equal(vmm_acpi_read_mcfg_next(&c, &e), -VMM_ENOENT);
	assert_int_equal(vmm_acpi_read_srat(&t, &c), -VMM_EINVAL);
	r = build("new-spcr");
	t = find(&r, "SPCR");
	assert_int_equal(vmm_acpi_read_spcr(&t, &s), 0);
	assert_int_equal(s.base.address, 0x3f8);
	assert_int_equal(s.gsi, 4);
	assert_int_equal(s.clock, 1843200);
	assert_string_equal(s.path, "\\_SB.COM1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_found),
		cmocka_unit_test(damage_is_seen),
		cmocka_unit_test(old_roots_are_read),
		cmocka_unit_test(fadt_is_read),
		cmocka_unit_test(madt_is_read),
		cmocka_unit_test(arm_is_read),
		cmocka_unit_test(nodes_are_read),
		cmocka_unit_test(iommus_are_read),
		cmocka_unit_test(buses_and_consoles_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

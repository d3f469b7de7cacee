// SPDX-License-Identifier: BSD-2-Clause-Patent
/* What the builder made is read back, field by field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
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
	assert_int_equal(n.flags, 0xff);
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

/* Bytes that are all different, so that none can stand for another. */
static void fill(void *p, size_t len)
{
	uint8_t *b = p;

	for (size_t i = 0; i < len; i++)
		b[i] = (uint8_t)(i * 7 + 1);
}

static void fill_gas(struct vmm_acpi_gas *gas)
{
	memset(gas->reserved, 0, sizeof(gas->reserved));
}

/* Opens a set with a DSDT, which a FADT needs. */
static void open_set(struct vmm_acpi *b)
{
	vmm_acpi_open(b, blob, sizeof(blob), GPA, NULL);
	vmm_acpi_table_begin(b, "DSDT", 2);
	vmm_acpi_table_finish(b);
}

static struct vmm_acpi_table close_set(struct vmm_acpi *b, const char *signature)
{
	struct vmm_acpi_root r;

	assert_int_equal(vmm_acpi_close(b, &blob_len), 0);
	assert_int_equal(vmm_acpi_read_open(&r, &memory, GPA), 0);
	return find(&r, signature);
}

static void every_field_of_a_madt(void **state)
{
	struct vmm_acpi_madt_entry e;
	struct vmm_acpi_cursor c;
	struct vmm_acpi_table t;
	struct vmm_acpi b;
	uint32_t address, flags;

	(void)state;
	vmm_acpi_open(&b, blob, sizeof(blob), GPA, NULL);
	vmm_acpi_madt_begin(&b, 0x11223344, 0x55667788);
	vmm_acpi_madt_lapic(&b, 0x12, 0x34, 0x56789abc);
	vmm_acpi_madt_ioapic(&b, 0x12, 0x3456789a, 0xbcdef012);
	vmm_acpi_madt_override(&b, 7, 0x12345678, 0x9abc);
	vmm_acpi_madt_nmi_source(&b, 0x12345678, 0x9abc);
	vmm_acpi_madt_lapic_nmi(&b, 0x12, 0x3456, 1);
	vmm_acpi_madt_lapic_address(&b, 0x123456789abcdef0);
	vmm_acpi_madt_x2apic(&b, 0x12345678, 0x9abcdef0, 0x13579bdf);
	vmm_acpi_madt_x2apic_nmi(&b, 0x12345678, 0x9abc, 1);
	vmm_acpi_madt_gicd(&b, 0x12345678, 0x9abcdef012345678, 4);
	vmm_acpi_madt_gic_msi(&b, 0x12345678, 0x9abcdef012345678, 0x1357, 0x2468);
	vmm_acpi_madt_gicr(&b, 0x123456789abcdef0, 0x13579bdf);
	vmm_acpi_madt_its(&b, 0x12345678, 0x9abcdef012345678);
	t = (vmm_acpi_table_finish(&b), close_set(&b, "APIC"));
	vmm_acpi_read_madt(&t, &c, &address, &flags);
	assert_int_equal(address, 0x11223344);
	assert_int_equal(flags, 0x55667788);
	e = madt_next(&c, VMM_ACPI_MADT_LAPIC);
	assert_true(e.uid == 0x12 && e.id == 0x34 && e.flags == 0x56789abc);
	e = madt_next(&c, VMM_ACPI_MADT_IOAPIC);
	assert_true(e.id == 0x12 && e.address == 0x3456789a && e.gsi == 0xbcdef012);
	e = madt_next(&c, VMM_ACPI_MADT_OVERRIDE);
	assert_true(e.irq == 7 && e.gsi == 0x12345678 && e.flags == 0x9abc);
	e = madt_next(&c, VMM_ACPI_MADT_NMI_SOURCE);
	assert_true(e.gsi == 0x12345678 && e.flags == 0x9abc);
	e = madt_next(&c, VMM_ACPI_MADT_LAPIC_NMI);
	assert_true(e.uid == 0x12 && e.flags == 0x3456 && e.lint == 1);
	e = madt_next(&c, VMM_ACPI_MADT_LAPIC_ADDRESS);
	assert_true(e.address == 0x123456789abcdef0);
	e = madt_next(&c, VMM_ACPI_MADT_X2APIC);
	assert_true(e.uid == 0x12345678 && e.id == 0x9abcdef0 && e.flags == 0x13579bdf);
	e = madt_next(&c, VMM_ACPI_MADT_X2APIC_NMI);
	assert_true(e.uid == 0x12345678 && e.flags == 0x9abc && e.lint == 1);
	e = madt_next(&c, VMM_ACPI_MADT_GICD);
	assert_true(e.id == 0x12345678 && e.address == 0x9abcdef012345678 && e.version == 4);
	e = madt_next(&c, VMM_ACPI_MADT_GIC_MSI);
	assert_true(e.id == 0x12345678 && e.address == 0x9abcdef012345678 && e.flags == 1);
	assert_true(e.spi_base == 0x1357 && e.spi_count == 0x2468);
	e = madt_next(&c, VMM_ACPI_MADT_GICR);
	assert_true(e.address == 0x123456789abcdef0 && e.len == 0x13579bdf);
	e = madt_next(&c, VMM_ACPI_MADT_ITS);
	assert_true(e.id == 0x12345678 && e.address == 0x9abcdef012345678);
}

static void every_field_of_a_srat(void **state)
{
	struct vmm_acpi_srat_entry e = {.size = sizeof(e)};
	struct vmm_acpi_cursor c;
	struct vmm_acpi_table t;
	struct vmm_acpi b;

	(void)state;
	vmm_acpi_open(&b, blob, sizeof(blob), GPA, NULL);
	vmm_acpi_srat_begin(&b);
	vmm_acpi_srat_lapic(&b, 0x12345678, 0x9a, 0xbcdef012);
	vmm_acpi_srat_memory(&b, 0x12345678, 0x9abcdef012345678, 0x13579bdf02468ace, 0x11223344);
	vmm_acpi_srat_x2apic(&b, 0x12345678, 0x9abcdef0, 0x13579bdf);
	vmm_acpi_srat_gicc(&b, 0x12345678, 0x9abcdef0, 0x13579bdf);
	vmm_acpi_srat_its(&b, 0x12345678, 0x9abcdef0);
	vmm_acpi_srat_pci_initiator(&b, 0x12345678, 0x9abc, 0xdef0, 0x13579bdf);
	t = (vmm_acpi_table_finish(&b), close_set(&b, "SRAT"));
	vmm_acpi_read_srat(&t, &c);
	for (uint32_t type = VMM_ACPI_SRAT_LAPIC; type <= VMM_ACPI_SRAT_INITIATOR; type++) {
		assert_int_equal(vmm_acpi_read_srat_next(&c, &e), 0);
		assert_int_equal(e.type, type);
		assert_int_equal(e.domain, 0x12345678);
		if (type == VMM_ACPI_SRAT_LAPIC)
			assert_true(e.id == 0x9a && e.flags == 0xbcdef012);
		else if (type == VMM_ACPI_SRAT_MEMORY)
			assert_true(e.base == 0x9abcdef012345678 && e.len == 0x13579bdf02468ace &&
				    e.flags == 0x11223344);
		else
			assert_true(e.id == 0x9abcdef0 &&
				    e.flags == (type == VMM_ACPI_SRAT_ITS ? 0 : 0x13579bdf));
	}
}

static void every_field_of_iommus(void **state)
{
	const struct vmm_acpi_ivhd_entry entry = {.type = VMM_ACPI_IVHD_SPECIAL,
						  .data = 0x12,
						  .source = 0x3456,
						  .handle = 0x78,
						  .variety = 2};
	struct vmm_acpi_ivhd made = {
		.size = sizeof(made),
		.type = 0x40,
		.flags = 0x12,
		.device = 0x3456,
		.cap = 0x789a,
		.segment = 0xbcde,
		.info = 0xf012,
		.features = 0x13579bdf,
		.entries = 1,
		.base = 0x123456789abcdef0,
		.efr = 0x1122334455667788,
		.efr2 = 0x99aabbccddeeff00,
		.entry = &entry,
	};
	struct vmm_acpi_ivrs_block i = {.size = sizeof(i)};
	struct vmm_acpi_dmar_unit u = {.size = sizeof(u)};
	struct vmm_acpi_ivhd_entry e;
	struct vmm_acpi_cursor c;
	struct vmm_acpi_table t;
	struct vmm_acpi b;

	(void)state;
	vmm_acpi_open(&b, blob, sizeof(blob), GPA, NULL);
	vmm_acpi_ivrs_begin(&b, 0x12345678);
	vmm_acpi_ivrs_ivhd(&b, &made);
	made.type = 0x10;
	vmm_acpi_ivrs_ivhd(&b, &made);
	vmm_acpi_ivrs_ivmd(&b, 0x22, 0x12, 0x3456, 0x789a, 0x123456789abcdef0, 0x1122334455667788);
	t = (vmm_acpi_table_finish(&b), close_set(&b, "IVRS"));
	vmm_acpi_read_ivrs(&t, &c, NULL);
	for (int k = 0; k < 2; k++) {
		assert_int_equal(vmm_acpi_read_ivrs_next(&c, &i), 0);
		assert_int_equal(i.type, k == 0 ? 0x40 : 0x10);
		assert_true(i.flags == 0x12 && i.device == 0x3456 && i.cap == 0x789a);
		assert_true(i.segment == 0xbcde && i.info == 0xf012 && i.features == 0x13579bdf);
		assert_true(i.base == made.base && i.efr == (k == 0 ? made.efr : 0));
		assert_true(i.efr2 == (k == 0 ? made.efr2 : 0) && i.last == 0 && i.len == 0);
		assert_int_equal(vmm_acpi_read_ivhd_entry(&i.entries, &e), 0);
		assert_memory_equal(&e, &entry, sizeof(e));
	}
	assert_int_equal(vmm_acpi_read_ivrs_next(&c, &i), 0);
	assert_true(i.flags == 0x12 && i.device == 0x3456 && i.last == 0x789a);
	assert_true(i.base == 0x123456789abcdef0 && i.len == 0x1122334455667788);

	vmm_acpi_open(&b, blob, sizeof(blob), GPA, NULL);
	vmm_acpi_dmar_begin(&b, 39, 0x12);
	vmm_acpi_dmar_drhd(&b, 0x12, 0x3456, 0x123456789abcdef0, NULL, 0);
	vmm_acpi_dmar_rmrr(&b, 0x3456, 0x123456789abcd000, 0x223456789abcdfff, NULL, 0);
	vmm_acpi_dmar_atsr(&b, 0x12, 0x3456, NULL, 0);
	vmm_acpi_dmar_rhsa(&b, 0x123456789abcdef0, 0x13579bdf);
	vmm_acpi_bytes(&b, "\4\0\x0a\0\0\0\0\x07X\0", 10); /* an ACPI device, 8.7 */
	vmm_acpi_bytes(&b, "\5\0\x08\0\x12\0\x56\x34", 8); /* SATC, 8.8 */
	vmm_acpi_bytes(&b, "\x63\0\x04\0", 4);             /* of a type to come */
	t = (vmm_acpi_table_finish(&b), close_set(&b, "DMAR"));
	vmm_acpi_read_dmar(&t, &c, NULL, NULL);
	for (uint32_t type = VMM_ACPI_DMAR_DRHD; type <= VMM_ACPI_DMAR_SATC; type++) {
		bool plain = type == VMM_ACPI_DMAR_RHSA || type == VMM_ACPI_DMAR_ANDD;

		assert_int_equal(vmm_acpi_read_dmar_next(&c, &u), 0);
		assert_int_equal(u.type, type);
		assert_int_equal(u.segment, plain ? 0 : 0x3456);
		assert_int_equal(u.flags, plain || type == VMM_ACPI_DMAR_RMRR ? 0 : 0x12);
		if (type == VMM_ACPI_DMAR_DRHD || type == VMM_ACPI_DMAR_RHSA)
			assert_int_equal(u.base, 0x123456789abcdef0);
		if (type == VMM_ACPI_DMAR_RMRR)
			assert_true(u.base == 0x123456789abcd000 && u.last == 0x223456789abcdfff);
		assert_int_equal(u.domain, type == VMM_ACPI_DMAR_RHSA ? 0x13579bdf : 0);
		assert_int_equal(u.device, type == VMM_ACPI_DMAR_ANDD ? 7 : 0);
	}
	assert_int_equal(vmm_acpi_read_dmar_next(&c, &u), 0);
	assert_true(u.type == 0x63 && u.base == 0);
	assert_int_equal(vmm_acpi_read_dmar_next(&c, &u), -VMM_ENOENT);
}

/* A cursor stays where a list is malformed, and never passes the end. */
static void malformed_lists_stop(void **state)
{
	static const struct {
		uint8_t bytes[4];
		uint8_t len;
	} cases[] = {{{0, 0, 0, 0}, 4},
		     {{0, 1, 0, 0}, 4},
		     {{0, 7, 0, 0}, 4},
		     {{0, 5, 0, 0}, 4},
		     {{0}, 1}};
	struct vmm_acpi_madt_entry e = {.size = sizeof(e)};
	struct vmm_acpi_cursor c;
	struct vmm_acpi_table t;
	struct vmm_acpi b;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		vmm_acpi_open(&b, blob, sizeof(blob), GPA, NULL);
		vmm_acpi_madt_begin(&b, 0, 0);
		vmm_acpi_madt_its(&b, 1, 2);
		vmm_acpi_bytes(&b, cases[i].bytes, cases[i].len);
		t = (vmm_acpi_table_finish(&b), close_set(&b, "APIC"));
		vmm_acpi_read_madt(&t, &c, NULL, NULL);
		assert_int_equal(vmm_acpi_read_madt_next(&c, &e), 0);
		assert_int_equal(vmm_acpi_read_madt_next(&c, &e), -VMM_EFORMAT);
		assert_int_equal(vmm_acpi_read_madt_next(&c, &e), -VMM_EFORMAT);
		assert_int_equal(e.id, 1);
	}
}

static void every_field_of_a_fadt(void **state)
{
	struct vmm_acpi_fadt made, read = {.size = sizeof(read)};
	struct vmm_acpi_gas *gas;
	struct vmm_acpi_table t;
	struct vmm_acpi b;

	(void)state;
	fill(&made, sizeof(made));
	made.size = sizeof(made);
	made.flags = VMM_ACPI_FADT_RESET_REG | 0x43210001;
	made.reserved = 0;
	memset(made.reserved2, 0, sizeof(made.reserved2));
	for (gas = &made.reset; gas <= &made.sleep_status; gas++)
		fill_gas(gas);
	for (gas = &made.pm1a_evt; gas <= &made.gpe1; gas++)
		fill_gas(gas);
	open_set(&b);
	assert_int_equal(vmm_acpi_add_fadt(&b, &made), 0);
	t = close_set(&b, "FACP");
	assert_int_equal(vmm_acpi_read_fadt(&t, &read, NULL, NULL), 0);
	assert_memory_equal(&made, &read, sizeof(made));
}

/* Blocks that only have a port come as one, and twins of ports are written. 5.2.9 */
static void fadt_of_ports(void **state)
{
	struct vmm_acpi_fadt made = {.size = sizeof(made), .pm_tmr_len = 4, .gpe0_len = 32};
	struct vmm_acpi_fadt read = {.size = sizeof(read)};
	struct vmm_acpi_table t;
	struct vmm_acpi b;
	uint8_t *p;

	(void)state;
	made.pm_tmr =
		(struct vmm_acpi_gas){.space = VMM_ACPI_SPACE_IO, .bits = 32, .address = 0x608};
	made.gpe0 =
		(struct vmm_acpi_gas){.space = VMM_ACPI_SPACE_MEMORY, .bits = 8, .address = 0x700};
	vmm_acpi_open(&b, blob, sizeof(blob), GPA, NULL);
	vmm_acpi_add_fadt(&b, &made);
	vmm_acpi_table_begin(&b, "DSDT", 2);
	vmm_acpi_table_finish(&b);
	t = close_set(&b, "FACP");
	p = blob + (t.data - blob);
	assert_int_equal(p[76] | p[77] << 8, 0x608);
	assert_int_equal(p[80] | p[81] << 8, 0);
	memset(p + 208, 0, 24); /* the generic addresses of PM timer and GPE0 */
	p[80] = 0x20;
	p[81] = 0x06;
	p[4] = 244; /* as ACPI 2.0 had it */
	p[5] = 0;
	seal(p, 244, 9);
	assert_int_equal(vmm_acpi_read_table(p, 276, &t), 0);
	assert_int_equal(vmm_acpi_read_fadt(&t, &read, NULL, NULL), 0);
	assert_memory_equal(&read.pm_tmr, &made.pm_tmr, sizeof(read.pm_tmr));
	assert_int_equal(read.gpe0.address, 0x620);
	assert_int_equal(read.gpe0.bits, 255);
	assert_int_equal(read.hypervisor_id[0], 0);
	p[4] = 115;
	seal(p, 115, 9);
	assert_int_equal(vmm_acpi_read_table(p, 276, &t), 0);
	assert_int_equal(vmm_acpi_read_fadt(&t, &read, NULL, NULL), -VMM_EFORMAT);
}

static void every_field_of_a_gicc(void **state)
{
	struct vmm_acpi_gicc made;
	struct vmm_acpi_madt_entry e = {.size = sizeof(e)};
	struct vmm_acpi_cursor c;
	struct vmm_acpi_table t;
	struct vmm_acpi b;
	uint8_t *p;

	(void)state;
	fill(&made, sizeof(made));
	made.size = sizeof(made);
	memset(made.reserved, 0, sizeof(made.reserved));
	vmm_acpi_open(&b, blob, sizeof(blob), GPA, NULL);
	vmm_acpi_madt_begin(&b, 0, 0);
	vmm_acpi_madt_gicc(&b, &made);
	t = (vmm_acpi_table_finish(&b), close_set(&b, "APIC"));
	vmm_acpi_read_madt(&t, &c, NULL, NULL);
	assert_int_equal(vmm_acpi_read_madt_next(&c, &e), 0);
	assert_memory_equal(&made, &e.gicc, sizeof(made));
	/* As ACPI 6.3 and ACPI 5.1 had it. */
	p = blob + (t.data - blob);
	for (uint8_t len = 80; len >= 76; len -= 4) {
		p[45] = len;
		p[4] = (uint8_t)(44 + len);
		seal(p, 44U + len, 9);
		assert_int_equal(vmm_acpi_read_table(p, 126, &t), 0);
		vmm_acpi_read_madt(&t, &c, NULL, NULL);
		assert_int_equal(vmm_acpi_read_madt_next(&c, &e), 0);
		assert_int_equal(e.gicc.mpidr, made.mpidr);
		assert_int_equal(e.gicc.spe_gsi, len == 80 ? made.spe_gsi : 0);
		assert_int_equal(e.gicc.efficiency_class, len == 80 ? made.efficiency_class : 0);
		assert_int_equal(e.gicc.trbe_gsi, 0);
	}
}

static void every_field_of_a_gtdt(void **state)
{
	struct vmm_acpi_gtdt made, read = {.size = sizeof(read)};
	struct vmm_acpi_gtdt_timer timer = {.size = sizeof(timer)};
	struct vmm_acpi_cursor c;
	struct vmm_acpi_table t;
	struct vmm_acpi b;

	(void)state;
	fill(&made, sizeof(made));
	made.size = sizeof(made);
	made.reserved = 0;
	vmm_acpi_open(&b, blob, sizeof(blob), GPA, NULL);
	vmm_acpi_gtdt_begin(&b, &made);
	vmm_acpi_gtdt_watchdog(&b, 0x1122334455667788, 0x99aabbccddeeff00, 0x12345678, 0x9abcdef0);
	t = (vmm_acpi_table_finish(&b), close_set(&b, "GTDT"));
	assert_int_equal(vmm_acpi_read_gtdt(&t, &read, &c), 0);
	assert_memory_equal(&made, &read, sizeof(made));
	assert_int_equal(vmm_acpi_read_gtdt_next(&c, &timer), 0);
	assert_int_equal(timer.refresh, 0x1122334455667788);
	assert_int_equal(timer.base, 0x99aabbccddeeff00);
	assert_int_equal(timer.gsi, 0x12345678);
	assert_int_equal(timer.flags, 0x9abcdef0);
}

static void every_field_of_a_spcr(void **state)
{
	struct vmm_acpi_spcr made, read = {.size = sizeof(read)};
	struct vmm_acpi_table t;
	struct vmm_acpi b;

	(void)state;
	fill(&made, sizeof(made));
	made.size = sizeof(made);
	made.path = NULL;
	fill_gas(&made.base);
	vmm_acpi_open(&b, blob, sizeof(blob), GPA, NULL);
	vmm_acpi_add_spcr(&b, &made);
	t = close_set(&b, "SPCR");
	assert_int_equal(vmm_acpi_read_spcr(&t, &read), 0);
	assert_string_equal(read.path, ".");
	read.path = NULL;
	assert_memory_equal(&made, &read, sizeof(made));
}

static void every_field_of_an_smmu(void **state)
{
	struct vmm_acpi_smmu3 made;
	struct vmm_acpi_iort_node n = {.size = sizeof(n)};
	struct vmm_acpi_cursor c;
	struct vmm_acpi_table t;
	struct vmm_acpi b;

	(void)state;
	fill(&made, sizeof(made));
	made.size = sizeof(made);
	made.reserved = 0;
	vmm_acpi_open(&b, blob, sizeof(blob), GPA, NULL);
	vmm_acpi_iort_begin(&b);
	vmm_acpi_iort_root_complex(&b, 0x11223344, 0x5566778899aabbcc, 0x12345678, 47, NULL, 0,
				   NULL);
	vmm_acpi_iort_smmu3(&b, &made, NULL, 0, NULL);
	t = (vmm_acpi_table_finish(&b), close_set(&b, "IORT"));
	assert_int_equal(vmm_acpi_read_iort(&t, &c), 0);
	assert_int_equal(vmm_acpi_read_iort_next(&c, &n), 0);
	assert_int_equal(n.segment, 0x11223344);
	assert_int_equal(n.attributes, 0x5566778899aabbcc);
	assert_int_equal(n.ats, 0x12345678);
	assert_int_equal(n.limit, 47);
	assert_int_equal(n.maps, 0);
	assert_int_equal(vmm_acpi_read_iort_next(&c, &n), 0);
	assert_int_equal(n.id, 1);
	assert_memory_equal(&made, &n.smmu3, sizeof(made));
}

/* A node of another maker: a named component, DEN 0049E.b, 3.1.1.3. */
static void named_components_are_read(void **state)
{
	static const uint8_t node[36] = {
		1, 36, 0, 4, [20] = 1, [27] = 3, [28] = 40, '\\', 'D', 'E', 'V', 0};
	struct vmm_acpi_iort_node n = {.size = sizeof(n)};
	struct vmm_acpi_cursor c;
	struct vmm_acpi_table t;
	struct vmm_acpi b;

	(void)state;
	for (size_t cut = 0; cut < 2; cut++) {
		vmm_acpi_open(&b, blob, sizeof(blob), GPA, NULL);
		vmm_acpi_table_begin(&b, "IORT", 3);
		vmm_acpi_u32(&b, 1);
		vmm_acpi_u32(&b, 48);
		vmm_acpi_u32(&b, 0);
		vmm_acpi_bytes(&b, node, 36);
		t = (vmm_acpi_table_finish(&b), close_set(&b, "IORT"));
		if (cut != 0)
			memset(blob + (t.data - blob) + 48 + 33, 'X', 3); /* no end */
		assert_int_equal(vmm_acpi_read_iort(&t, &c), 0);
		assert_int_equal(vmm_acpi_read_iort_next(&c, &n), cut != 0 ? -VMM_EFORMAT : 0);
		if (cut != 0)
			continue;
		assert_string_equal(n.name, "\\DEV");
		assert_int_equal(n.attributes, 0x0300000000000001);
		assert_int_equal(n.limit, 40);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_found),
		cmocka_unit_test(damage_is_seen),
		cmocka_unit_test(old_roots_are_read),
		cmocka_unit_test(fadt_is_read),
		cmocka_unit_test(every_field_of_a_madt),
		cmocka_unit_test(every_field_of_a_srat),
		cmocka_unit_test(every_field_of_iommus),
		cmocka_unit_test(malformed_lists_stop),
		cmocka_unit_test(every_field_of_a_fadt),
		cmocka_unit_test(fadt_of_ports),
		cmocka_unit_test(every_field_of_a_gicc),
		cmocka_unit_test(every_field_of_a_gtdt),
		cmocka_unit_test(every_field_of_a_spcr),
		cmocka_unit_test(every_field_of_an_smmu),
		cmocka_unit_test(named_components_are_read),
		cmocka_unit_test(madt_is_read),
		cmocka_unit_test(arm_is_read),
		cmocka_unit_test(nodes_are_read),
		cmocka_unit_test(iommus_are_read),
		cmocka_unit_test(buses_and_consoles_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

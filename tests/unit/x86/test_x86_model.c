// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bits.h"
#include "x86_cpuid.h"

static struct vmm_x86_cpuid scratch[VMM__CPUID_MAX], made[VMM__CPUID_MAX];

/* What a KVM on a recent AMD processor says; registers EAX, EBX, ECX, EDX. */
static struct vmm_x86_cpuid zen4[] = {
	{0, 0, 0, 0x10, 0x68747541, 0x444d4163, 0x69746e65, 0},
	{1, 0, 0, 0xa10f11, 0x01020800, 0xfffa3203u, 0x178bfbff, 0},
	{6, 0, 0, 4, 0, 0, 0, 0},
	{7, 0, 1, 1, 0xf1bf97a9, 0x00405fce, 0x10, 0},
	{0xb, 0, 1, 0, 0, 0, 1, 0},
	{0xd, 0, 1, 0x2e7, 0x988, 0x988, 0, 0},
	{0xd, 1, 1, 0xf, 0, 0, 0, 0},
	{0xd, 2, 1, 0x100, 0x240, 0, 0, 0},
	{0xd, 5, 1, 0x40, 0x340, 0, 0, 0},
	{0xd, 6, 1, 0x200, 0x380, 0, 0, 0},
	{0xd, 7, 1, 0x400, 0x580, 0, 0, 0},
	{0x40000000, 0, 0, 0x40000001, 0x4b4d564b, 0x564b4d56, 0x4d, 0},
	{0x40000001, 0, 0, 0xffffffff, 0, 0, 0, 0},
	{0x80000000, 0, 0, 0x80000021, 0x68747541, 0x444d4163, 0x69746e65, 0},
	{0x80000001, 0, 0, 0xa10f11, 0, 0x004003f3, 0x2fd3fbff, 0},
	{0x80000007, 0, 0, 0, 0, 0, 0x100, 0},
	{0x80000008, 0, 0, 0x3930, 0x5000, 0x7001, 0, 0},
	{0x80000026, 0, 1, 1, 1, 1, 1, 0},
};

static struct vmm__x86_policy amd_policy(void)
{
	return (struct vmm__x86_policy){
		.supported = zen4,
		.supported_count = ARRAY_SIZE(zen4),
		.scratch = scratch,
		.pv_features = 0x01007efb,
		.tsc_khz = 2900000,
		.apic_khz = 1000000,
	};
}

static uint32_t make(const struct vmm__x86_policy *policy, const char *model)
{
	uint32_t count = VMM__CPUID_MAX;

	assert_int_equal(vmm__x86_cpu_model(policy, model, made, &count, NULL), 0);
	return count;
}

static void host_model(void **state)
{
	struct vmm__x86_policy policy = amd_policy();
	uint32_t n = make(&policy, "host"), missing = 0;
	const struct vmm_x86_cpuid *e;

	(void)state;
	assert_int_equal(vmm_x86_cpuid_missing(zen4, ARRAY_SIZE(zen4), made, n, NULL, &missing), 0);
	assert_int_equal(missing, 0);
	e = vmm__cpuid_find(made, n, 1, 0);
	assert_int_equal(e->ebx, 0x0800); /* not the host's APIC ID and count */
	assert_int_equal(e->ecx & 1u << 27, 0);
	e = vmm__cpuid_find(made, n, 0x40000000, 0);
	assert_int_equal(e->eax, 0x40000010);
	assert_int_equal(e->ebx, 0x4b4d564b);
	assert_int_equal(vmm__cpuid_find(made, n, 0x40000001, 0)->eax, 0x01007efb);
	e = vmm__cpuid_find(made, n, 0x40000010, 0);
	assert_int_equal(e->eax, 2900000);
	assert_int_equal(e->ebx, 1000000);
	assert_null(vmm__cpuid_find(made, n, 0x80000026, 0));
	assert_null(vmm__cpuid_find(made, n, 0xb, 0));
	assert_null(vmm__cpuid_find(made, n, 0x15, 0)); /* Intel's */
}

static void identity_without_a_known_rate(void **state)
{
	struct vmm__x86_policy policy = amd_policy();
	uint32_t n;

	(void)state;
	policy.tsc_khz = 0;
	policy.pv_features = 0;
	n = make(&policy, "host");
	assert_int_equal(vmm__cpuid_find(made, n, 0x40000000, 0)->eax, 0x40000001);
	assert_int_equal(vmm__cpuid_find(made, n, 0x40000001, 0)->eax, 0);
	assert_null(vmm__cpuid_find(made, n, 0x40000010, 0));
}

static void baselines(void **state)
{
	struct vmm__x86_policy policy = amd_policy();
	uint32_t n = make(&policy, "x86-64-v1");

	(void)state;
	/* x2APIC, TSC deadline and hypervisor are the engine's; nothing of v2. */
	assert_int_equal(vmm__cpuid_find(made, n, 1, 0)->ecx, 0x81200000);
	assert_int_equal(vmm__cpuid_find(made, n, 7, 0)->ebx, 0);
	assert_int_equal(vmm__cpuid_find(made, n, 0x80000001, 0)->ecx, 0);
	assert_int_equal(vmm__cpuid_find(made, n, 0x80000007, 0)->edx, 0x100);
	assert_int_equal(vmm__cpuid_find(made, n, 0x80000008, 0)->eax, 0x3930);
	assert_int_equal(vmm__cpuid_find(made, n, 0x40000001, 0)->eax, 0x0100000b);
	assert_int_equal(vmm__cpuid_find(made, n, 6, 0)->eax, 4);
	assert_null(vmm__cpuid_find(made, n, 0xd, 0));

	n = make(&policy, "x86-64-v2");
	assert_int_equal(vmm__cpuid_find(made, n, 1, 0)->ecx,
			 0x81200000 | 1 | 1u << 9 | 1u << 13 | 1u << 19 | 1u << 20 | 1u << 23);
	assert_int_equal(vmm__cpuid_find(made, n, 0x80000001, 0)->ecx, 1);

	n = make(&policy, "x86-64-v3");
	assert_int_equal(vmm__cpuid_find(made, n, 7, 0)->ebx, 1u << 3 | 1u << 5 | 1u << 8);
	assert_int_equal(vmm__cpuid_find(made, n, 0xd, 0)->eax, 7);
	assert_int_equal(vmm__cpuid_find(made, n, 0xd, 0)->ecx, 0x340);
	assert_int_equal(vmm__cpuid_find(made, n, 0xd, 2)->ebx, 0x240);
	assert_int_equal(vmm__cpuid_find(made, n, 0x80000001, 0)->ecx, 0x21);

	n = make(&policy, "x86-64-v4");
	assert_int_equal(vmm__cpuid_find(made, n, 7, 0)->ebx, 0xd0030128);
	assert_int_equal(vmm__cpuid_find(made, n, 0xd, 0)->eax, 0xe7);
	assert_int_equal(vmm__cpuid_find(made, n, 0xd, 0)->ecx, 0x980);
	assert_memory_equal(&vmm__cpuid_find(made, n, 0x80000002, 0)->eax, "libvmm x86-64-v4", 16);
}

/* Two hosts of one vendor give the same table, but for what the environment decides. */
static void a_baseline_is_the_same_on_another_host(void **state)
{
	struct vmm__x86_policy policy = amd_policy();
	struct vmm_x86_cpuid first[VMM__CPUID_MAX], saved[ARRAY_SIZE(zen4)];
	uint32_t n = make(&policy, "x86-64-v3");

	(void)state;
	memcpy(first, made, sizeof(first));
	memcpy(saved, zen4, sizeof(saved));
	zen4[1].eax = 0x870f10;
	zen4[3].ebx &= 0xffff;
	zen4[5].eax = 7;
	assert_int_equal(make(&policy, "x86-64-v3"), n);
	assert_memory_equal(first, made, n * sizeof(made[0]));
	memcpy(zen4, saved, sizeof(saved));
}

static void what_the_host_lacks_is_named(void **state)
{
	struct vmm__x86_policy policy = amd_policy();
	struct vmm_error error = {.size = sizeof(error)};
	uint32_t saved = zen4[3].ebx, n = VMM__CPUID_MAX;

	(void)state;
	zen4[3].ebx &= ~(1u << 16);
	assert_int_equal(vmm__x86_cpu_model(&policy, "x86-64-v4", made, &n, &error), -VMM_ENOTSUP);
	assert_non_null(strstr(error.text, "avx512f"));
	assert_int_equal(vmm__x86_cpu_model(&policy, "x86-64-v3", made, &n, &error), 0);
	zen4[3].ebx = saved;
	assert_int_equal(vmm__x86_cpu_model(&policy, "x86-64-v5", made, &n, &error), -VMM_ENOENT);
	assert_int_equal(vmm__x86_cpu_model(&policy, "x86-64-v", made, &n, &error), -VMM_ENOENT);
	assert_int_equal(vmm__x86_cpu_model(&policy, "", made, &n, &error), -VMM_ENOENT);
}

static void counting_and_room(void **state)
{
	struct vmm__x86_policy policy = amd_policy();
	uint32_t need = 0, n;

	(void)state;
	assert_int_equal(vmm__x86_cpu_model(&policy, "host", NULL, &need, NULL), 0);
	assert_true(need > 10);
	n = need - 1;
	assert_int_equal(vmm__x86_cpu_model(&policy, "host", made, &n, NULL), -VMM_ESIZE);
	assert_int_equal(n, need);
	assert_int_equal(vmm__x86_cpu_model(&policy, "host", made, &n, NULL), 0);
}

static void intel_frequencies(void **state)
{
	struct vmm__x86_policy policy = amd_policy();
	struct vmm_x86_cpuid saved = zen4[0];
	const struct vmm_x86_cpuid *e;
	uint32_t n;

	(void)state;
	zen4[0] = (struct vmm_x86_cpuid){0, 0, 0, 0xd, 0x756e6547, 0x6c65746e, 0x49656e69, 0};
	n = make(&policy, "x86-64-v2");
	assert_int_equal(vmm__cpuid_find(made, n, 0, 0)->eax, 0x16);
	e = vmm__cpuid_find(made, n, 0x15, 0);
	assert_int_equal(e->eax, 10);
	assert_int_equal(e->ebx, 29);
	assert_int_equal(e->ecx, 1000000000);
	e = vmm__cpuid_find(made, n, 0x16, 0);
	assert_int_equal(e->eax, 2900);
	assert_int_equal(vmm__cpuid_find(made, n, 4, 3)->eax & 0xff, 0x63);
	zen4[0] = saved;
}

/* Linux computes in 32 bits: crystal kHz * EBX / EAX (native_calibrate_tsc). */
static void ratios_fit_and_are_near(void **state)
{
	static const uint32_t common[] = {1995312, 2095078, 2394454, 2593906, 3192749, 3700012};
	uint32_t eax, ebx, got;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(common); i++) {
		vmm__x86_tsc_ratio(common[i], 1000000, &eax, &ebx);
		got = 1000000 * ebx / eax;
		assert_in_range(got, common[i] - 20, common[i] + 20);
	}
	for (uint32_t khz = 1; khz < 6000000; khz = khz * 5 / 4 + 4321) {
		uint32_t off;

		vmm__x86_tsc_ratio(khz, 1000000, &eax, &ebx);
		assert_true(eax != 0 && (uint64_t)1000000 * ebx <= UINT32_MAX);
		got = 1000000 * ebx / eax;
		off = got > khz ? got - khz : khz - got;
		assert_true(off <= 1 + khz / 8000 || khz < 1000);
	}
}

static void missing_features(void **state)
{
	const struct vmm_x86_cpuid want[] = {
		{1, 0, 0, 0, 0xff, 1u << 27 | 1u << 13, 1u << 28 | 1, 0},
		{7, 0, 1, 0, 1u << 31, 0, 0, 0},
		{0x12345, 0, 0, ~0u, ~0u, ~0u, ~0u, 0},
		{0xd, 1, 1, 8, 0, 0, 0, 0},
	};
	struct vmm_x86_cpuid_diff diff[4];
	uint32_t n = 4;

	(void)state;
	assert_int_equal(vmm_x86_cpuid_missing(want, 4, NULL, 0, diff, &n), 0);
	assert_int_equal(n, 4); /* not OSXSAVE, not HTT, not leaf 0x12345 */
	assert_string_equal(diff[0].name, "cx16");
	assert_int_equal(diff[0].reg, 2);
	assert_string_equal(diff[1].name, "fpu");
	assert_string_equal(diff[2].name, "avx512vl");
	assert_int_equal(diff[2].bit, 31);
	assert_string_equal(diff[3].name, "xsaves");
	assert_int_equal(diff[3].leaf, 0xd);
	assert_int_equal(diff[3].subleaf, 1);
	n = 2;
	assert_int_equal(vmm_x86_cpuid_missing(want, 4, NULL, 0, diff, &n), -VMM_ESIZE);
	assert_int_equal(n, 4);
	assert_int_equal(vmm_x86_cpuid_missing(want, 4, want, 4, NULL, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(vmm_x86_cpuid_missing(NULL, 1, want, 4, NULL, &n), -VMM_EINVAL);
	assert_int_equal(vmm_x86_cpuid_missing(want, 4, want, 4, NULL, NULL), -VMM_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_model),
		cmocka_unit_test(identity_without_a_known_rate),
		cmocka_unit_test(baselines),
		cmocka_unit_test(a_baseline_is_the_same_on_another_host),
		cmocka_unit_test(what_the_host_lacks_is_named),
		cmocka_unit_test(counting_and_room),
		cmocka_unit_test(intel_frequencies),
		cmocka_unit_test(ratios_fit_and_are_near),
		cmocka_unit_test(missing_features),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

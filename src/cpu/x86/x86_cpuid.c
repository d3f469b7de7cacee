// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "x86_cpuid.h"

#include "bits.h"
#include "format.h"
#include "mem.h"

const struct vmm_x86_cpuid *vmm__cpuid_find(const struct vmm_x86_cpuid *entries, uint32_t count,
					    uint32_t leaf, uint32_t subleaf)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct vmm_x86_cpuid *e = &entries[i];

		if (e->leaf == leaf &&
		    (!(e->flags & VMM_X86_CPUID_SUBLEAF) || e->subleaf == subleaf))
			return e;
	}
	return NULL;
}

struct vmm_x86_cpuid *vmm__cpuid_put(struct vmm__cpuid *table, uint32_t leaf, uint32_t subleaf,
				     uint32_t flags)
{
	struct vmm_x86_cpuid *e;

	for (uint32_t i = 0; i < table->count; i++) {
		e = &table->entries[i];
		if (e->leaf == leaf &&
		    (!(flags & VMM_X86_CPUID_SUBLEAF) || e->subleaf == subleaf)) {
			e->flags = flags;
			return e;
		}
	}
	if (table->count >= table->room)
		return NULL;
	e = &table->entries[table->count++];
	*e = (struct vmm_x86_cpuid){.leaf = leaf, .subleaf = subleaf, .flags = flags};
	return e;
}

void vmm__cpuid_drop(struct vmm__cpuid *table, uint32_t first, uint32_t last)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < table->count; i++) {
		uint32_t leaf = table->entries[i].leaf;

		if (leaf < first || leaf > last)
			table->entries[kept++] = table->entries[i];
	}
	table->count = kept;
}

/* Leaf 0 holds the name in EBX, EDX, ECX. */
static bool vendor_is(const struct vmm_x86_cpuid *entries, uint32_t count, uint32_t ebx,
		      uint32_t edx, uint32_t ecx)
{
	const struct vmm_x86_cpuid *e = vmm__cpuid_find(entries, count, 0, 0);

	return e && e->ebx == ebx && e->edx == edx && e->ecx == ecx;
}

bool vmm__cpuid_is_intel(const struct vmm_x86_cpuid *entries, uint32_t count)
{
	return vendor_is(entries, count, 0x756e6547, 0x49656e69, 0x6c65746e); /* GenuineIntel */
}

bool vmm__cpuid_is_amd(const struct vmm_x86_cpuid *entries, uint32_t count)
{
	return vendor_is(entries, count, 0x68747541, 0x69746e65, 0x444d4163) || /* AuthenticAMD */
	       vendor_is(entries, count, 0x6f677948, 0x656e6975, 0x6e65476e);   /* HygonGenuine */
}

/*
 * Registers that are sets of features, with their names as Linux shows them (SDM 2A, CPUID; APM 3,
 * appendix E). @ignore: bits that are no features, but follow the topology or the guest's CR4.
 */
struct feature_reg {
	uint32_t leaf;
	uint32_t subleaf;
	uint32_t reg; /* 0 EAX to 3 EDX */
	uint32_t ignore;
	const char *names[32];
};

/* clang-format off */
static const struct feature_reg feature_regs[] = {
	{1, 0, 2, (uint32_t)CPUID_1_ECX_OSXSAVE, {
		"sse3", "pclmulqdq", "dtes64", "monitor", "ds_cpl", "vmx", "smx", "est",
		"tm2", "ssse3", "cnxt_id", "sdbg", "fma", "cx16", "xtpr", "pdcm",
		NULL, "pcid", "dca", "sse4_1", "sse4_2", "x2apic", "movbe", "popcnt",
		"tsc_deadline", "aes", "xsave", "osxsave", "avx", "f16c", "rdrand", "hypervisor"}},
	{1, 0, 3, (uint32_t)CPUID_1_EDX_HTT, {
		"fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce",
		"cx8", "apic", NULL, "sep", "mtrr", "pge", "mca", "cmov",
		"pat", "pse36", "pn", "clflush", NULL, "dts", "acpi", "mmx",
		"fxsr", "sse", "sse2", "ss", "ht", "tm", "ia64", "pbe"}},
	{7, 0, 1, 0, {
		"fsgsbase", "tsc_adjust", "sgx", "bmi1", "hle", "avx2", NULL, "smep",
		"bmi2", "erms", "invpcid", "rtm", "cqm", NULL, "mpx", "rdt_a",
		"avx512f", "avx512dq", "rdseed", "adx", "smap", "avx512ifma", NULL, "clflushopt",
		"clwb", "intel_pt", "avx512pf", "avx512er", "avx512cd", "sha_ni", "avx512bw", "avx512vl"}},
	{7, 0, 2, (uint32_t)CPUID_7_ECX_OSPKE, {
		"prefetchwt1", "avx512vbmi", "umip", "pku", "ospke", "waitpkg", "avx512_vbmi2", "cet_ss",
		"gfni", "vaes", "vpclmulqdq", "avx512_vnni", "avx512_bitalg", "tme", "avx512_vpopcntdq", NULL,
		"la57", NULL, NULL, NULL, NULL, NULL, "rdpid", "keylocker",
		"bus_lock_detect", "cldemote", NULL, "movdiri", "movdir64b", "enqcmd", "sgx_lc", "pks"}},
	{7, 0, 3, 0, {
		NULL, NULL, "avx512_4vnniw", "avx512_4fmaps", "fsrm", "uintr", NULL, NULL,
		"avx512_vp2intersect", "srbds_ctrl", "md_clear", "rtm_always_abort", NULL, "tsx_force_abort",
		"serialize", "hybrid", "tsxldtrk", NULL, "pconfig", "arch_lbr", "ibt", NULL, "amx_bf16",
		"avx512_fp16", "amx_tile", "amx_int8", "spec_ctrl", "stibp", "flush_l1d", "arch_capabilities",
		"core_capabilities", "ssbd"}},
	{7, 1, 0, 0, {
		NULL, NULL, NULL, NULL, "avx_vnni", "avx512_bf16", NULL, "cmpccxadd",
		NULL, NULL, "fzrm", "fsrs", "fsrc", NULL, NULL, NULL,
		NULL, "fred", "lkgs", "wrmsrns", NULL, "amx_fp16", "hreset", "avx_ifma",
		NULL, NULL, "lam"}},
	{7, 2, 3, 0, {
		"intel_psfd", "ipred_ctrl", "rrsba_ctrl", "ddpd_u", "bhi_ctrl", "mcdt_no"}},
	{0xd, 1, 0, 0, {
		"xsaveopt", "xsavec", "xgetbv1", "xsaves", "xfd"}},
	{0x80000001, 0, 2, (uint32_t)(CPUID_EXT1_ECX_CMP_LEGACY | CPUID_EXT1_ECX_TOPOEXT), {
		"lahf_lm", "cmp_legacy", "svm", "extapic", "cr8_legacy", "abm", "sse4a", "misalignsse",
		"3dnowprefetch", "osvw", "ibs", "xop", "skinit", "wdt", NULL, "lwp",
		"fma4", "tce", NULL, "nodeid_msr", NULL, "tbm", "topoext", "perfctr_core",
		"perfctr_nb", NULL, "bpext", "ptsc", "perfctr_llc", "mwaitx"}},
	{0x80000001, 0, 3, 0, {
		"fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce",
		"cx8", "apic", NULL, "syscall", "mtrr", "pge", "mca", "cmov",
		"pat", "pse36", NULL, "mp", "nx", NULL, "mmxext", "mmx",
		"fxsr", "fxsr_opt", "pdpe1gb", "rdtscp", NULL, "lm", "3dnowext", "3dnow"}},
	{0x80000007, 0, 3, 0, {
		"ts", "fid", "vid", "ttp", "htc", NULL, "100mhzsteps", "hwpstate",
		"constant_tsc", "cpb", "eff_freq_ro", "proc_feedback", "acc_power"}},
	{0x80000008, 0, 1, 0, {
		"clzero", "irperf", "xsaveerptr", "invlpgb", "rdpru", NULL, "mbe", NULL,
		"mcommit", "wbnoinvd", NULL, NULL, "amd_ibpb", "int_wbinvd", "amd_ibrs", "amd_stibp",
		"ibrs_always_on", "stibp_always_on", "ibrs_preferred", "ibrs_same_mode", "no_efer_lmsle",
		"invlpgb_nested", NULL, "amd_ppin",
		"amd_ssbd", "virt_ssbd", "amd_ssb_no", "cppc", "amd_psfd", "btc_no", "ibpb_ret"}},
	{0x8000000a, 0, 3, 0, {
		"npt", "lbrv", "svm_lock", "nrip_save", "tsc_scale", "vmcb_clean", "flushbyasid", "decodeassists",
		NULL, NULL, "pausefilter", NULL, "pfthreshold", "avic", NULL, "v_vmsave_vmload",
		"vgif", "gmet", "x2avic", "sss_check", "v_spec_ctrl", "rogpt", NULL, "host_mce_override",
		"tlbi_ctl", "vnmi", "ibs_virt", NULL, "svme_addr_chk"}},
	{0x80000021, 0, 0, 0, {
		"no_nested_data_bp", "fs_gs_non_serializing", "lfence_rdtsc", NULL, NULL, NULL, "null_sel_clr_base",
		"upper_address_ignore", "autoibrs", "no_smm_ctl_msr", NULL, NULL, NULL, "prefetch_ctl_msr"}},
};
/* clang-format on */

static uint32_t register_of(const struct vmm_x86_cpuid *e, uint32_t reg)
{
	if (!e)
		return 0;
	return reg == 0 ? e->eax : reg == 1 ? e->ebx : reg == 2 ? e->ecx : e->edx;
}

int vmm_x86_cpuid_missing(const struct vmm_x86_cpuid *want, uint32_t want_count,
			  const struct vmm_x86_cpuid *have, uint32_t have_count,
			  struct vmm_x86_cpuid_diff *diff, uint32_t *count)
{
	uint32_t found = 0, room;

	if ((!want && want_count) || (!have && have_count) || !count)
		return -VMM_EINVAL;
	room = diff ? *count : 0;
	for (uint32_t i = 0; i < ARRAY_SIZE(feature_regs); i++) {
		const struct feature_reg *f = &feature_regs[i];
		uint32_t lack = register_of(vmm__cpuid_find(want, want_count, f->leaf, f->subleaf),
					    f->reg) &
				~register_of(vmm__cpuid_find(have, have_count, f->leaf, f->subleaf),
					     f->reg) &
				~f->ignore;

		for (uint32_t bit = 0; bit < 32; bit++) {
			if (!(lack >> bit & 1))
				continue;
			if (found < room)
				diff[found] = (struct vmm_x86_cpuid_diff){
					.leaf = f->leaf,
					.subleaf = f->subleaf,
					.reg = f->reg,
					.bit = bit,
					.name = f->names[bit],
				};
			found++;
		}
	}
	*count = found;
	return diff && found > room ? -VMM_ESIZE : 0;
}

int vmm__cpuid_check(const struct vmm_x86_cpuid *want, uint32_t want_count,
		     const struct vmm_x86_cpuid *have, uint32_t have_count, struct vmm_error *error)
{
	static const char *const regs[] = {"EAX", "EBX", "ECX", "EDX"};
	struct vmm_x86_cpuid_diff first;
	uint32_t count = 1;

	vmm_x86_cpuid_missing(want, want_count, have, have_count, &first, &count);
	if (count == 0)
		return 0;
	return vmm__fail(error, -VMM_ENOTSUP, "CPUID", 0,
			 "the host lacks %s: CPUID 0x%x.%u %s bit %u (of %u missing features)",
			 first.name ? first.name : "a feature", first.leaf, first.subleaf,
			 regs[first.reg], first.bit, count);
}

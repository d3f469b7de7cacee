// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "check.h"

#include "mem.h"

static const struct {
	const char *name;
	int (*run)(void);
} checks[] = {
	{"heap", check_heap},
	{"phys", check_phys},
	{"exhaustion", check_exhaustion},
	{"windows", check_windows},
	{"tables", check_tables},
	{"time", check_time},
	{"timer", check_timer},
	{"cpus", check_cpus},
	{"calls", check_calls},
	{"sleep", check_sleep},
	{"traps", check_traps},
	{"acpi", check_acpi},
	{"die-undefined", die_undefined},
	{"die-stack", die_stack},
	{"die-double", die_double},
	{"die-nmi", die_nmi},
	{"die-write-text", die_write_text},
	{"die-execute-data", die_execute_data},
	{"die-null", die_null},
	{"die-elsewhere", die_elsewhere},
	{"die-off", die_off},
	{"die-reset", die_reset},
};

/* The checks named on the command line are run; "all" names those that do not end the image. */
int vmm_bare_main(const struct vmm_bare_boot *boot)
{
	const bool all = has_word(boot->cmdline, "all");
	int failed = 0;

	vmm_bare_print("%u CPUs, %u modules\n", vmm_bare_cpus(), boot->module_count);
	for (uint32_t i = 0; i < boot->module_count; i++)
		vmm_bare_print("module %u: %u bytes, first %02x, '%s'\n", i,
			       (unsigned)boot->modules[i].len,
			       *(const uint8_t *)boot->modules[i].data, boot->modules[i].cmdline);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		const bool ends = memcmp(checks[i].name, "die-", 4) == 0;

		if (!has_word(boot->cmdline, checks[i].name) && !(all && !ends))
			continue;
		if (checks[i].run() != 0)
			failed = 1;
		else
			vmm_bare_print("ok: %s\n", checks[i].name);
	}
	return failed;
}

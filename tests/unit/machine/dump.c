// SPDX-License-Identifier: BSD-2-Clause-Patent
/* dump DIR: the tables of a set of profiles as files, DIR/number-position-SIGN.dat, for
 * check-iasl.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libvmm/machine.h"

static const char *const profiles[] = {
	"",
	"[cpu]\nsockets=2\ndies=1\ncores=3\nthreads=2\n[memory]\nsize=5G\n",
	"[cpu]\nsockets=16\ncores=64\n",
	"[cpu]\nsockets=3\ndies=3\ncores=37\nthreads=3\n",
	"[serial 0]\nenable=no\n[pci]\nenable=no\n[power]\noff=no\nreset=no\nbutton=no\n",
	"[serial 0]\nenable=no\n[power]\nreset=no\n",
	"[serial 1]\nenable=yes\n[serial 2]\nenable=yes\nirq=20\n[serial "
	"3]\nenable=yes\nport=0x100\n"
	"[pci]\nbuses=256\n[fw-cfg]\nenable=yes\n[debug-exit]\nenable=yes\n",
	"[pci]\nenable=no\n[debug-exit]\nenable=yes\n[power]\nbutton=no\n",
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void dump(const char *dir, size_t number, const struct vmm_profile *p)
{
	static uint8_t blob[1 << 17];
	struct vmm_machine_table tables[VMM_MACHINE_TABLES_MAX];
	size_t len = sizeof(blob);
	uint32_t count;

	if (vmm_machine_plan_tables(p, blob, &len, tables, &count) != 0)
		fail("vmm_machine_plan_tables");
	for (uint32_t i = 1; i < count; i++) { /* iasl does not take the root pointer */
		char path[4096];
		FILE *f;

		snprintf(path, sizeof(path), "%s/%zu-%u-%s.dat", dir, number, i,
			 tables[i].signature);
		f = fopen(path, "wb");
		if (f == NULL || fwrite(blob + tables[i].offset, tables[i].len, 1, f) != 1 ||
		    fclose(f) != 0)
			fail(path);
	}
}

int main(int argc, char **argv)
{
	struct vmm_profile *p;
	void *storage = malloc(vmm_profile_size());

	for (size_t i = 0; argc == 2 && i < sizeof(profiles) / sizeof(profiles[0]); i++) {
		if (vmm_profile_init(storage, vmm_profile_size(), &p) != 0 ||
		    vmm_profile_parse(p, profiles[i], strlen(profiles[i]), NULL) != 0)
			fail("profile");
		dump(argv[1], i, p);
	}
	free(storage);
	return 0;
}

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
	"[cpu]\nsockets=2\ndies=2\nclusters=2\ncores=2\nthreads=2\npresent=5\nhotplug=yes\nboot=3\n"
	"mhz=2600\ncstates=3\npstates=4\ncppc=yes\n[cache]\nl1d=48K\nl1i=32K\nl2=2M\nl3=30M\n"
	"[memory]\nsize=4G\nnodes=3\nslots=20\nhotplug=16G\n"
	"[numa 0]\nmemory=1G\ncpus=0-7,30\ndistances=10 17 28\nlatency=80\nbandwidth=20000\n"
	"[numa 1]\ndistances=17 10 28\nlatency=80\nbandwidth=20000\n"
	"[numa 2]\ndistances=28 28 10\nlatency=200\nbandwidth=6000\n"
	"[pci]\nslots=31\nwindow=1T\n"
	"[power]\nsleep-button=yes\nstandby=yes\nsuspend=yes\nhibernate=yes\ndevices=yes\n"
	"[thermal]\nenable=yes\n[ras]\nenable=yes\nbert=yes\n"
	"[acpi]\nspcr=yes\ndbg2=yes\nwaet=yes\n[bgrt]\nimage=0x1000000\n[tpm]\nenable=yes\n"
	"[vmgenid]\nenable=yes\n",
	"[cpu]\nsockets=16\ncores=64\nhotplug=yes\n[memory]\nsize=32G\nnodes=32\n"
	"[tpm]\nenable=yes\ninterface=tis\n",
	"[cpu]\ncores=255\n[cache]\nl1d=32K\n",
	"[machine]\narch=arm64\n",
	"[machine]\narch=arm64\n[cpu]\nsockets=2\nclusters=2\ncores=50\nthreads=2\ncstates=1\n["
	"cache]\nl1d=32K\nl1i=32K\nl2=1M\n"
	"[memory]\nsize=8G\nnodes=4\nslots=4\nhotplug=8G\n[acpi]\nspcr=yes\ndbg2=yes\n[pci]\nbuses="
	"256\n"
	"slots=4\n[thermal]\nenable=yes\n[ras]\nenable=yes\n[fw-cfg]\nenable=yes\n[tpm]\nenable="
	"yes\n"
	"[vmgenid]\nenable=yes\n[arm]\npsci=smc\n",
	"[machine]\narch=arm64\n[arm]\nits=no\n[pci]\nenable=no\n[serial]\nenable=no\n",
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* What iasl of Debian 12 does not read whole is named so that it can be passed over. */
static const char *prefix(const struct vmm_profile *p, const char *signature)
{
	const char *arch;

	vmm_profile_get_string(p, VMM_PROFILE_ARCH, 0, &arch);
	return strcmp(signature, "PPTT") == 0 || strcmp(signature, "SPCR") == 0 ||
			       strcmp(signature, "IORT") == 0 ||
			       (strcmp(signature, "APIC") == 0 && strcmp(arch, "arm64") == 0)
		       ? "new-"
		       : "";
}

static void dump(const char *dir, size_t number, const struct vmm_profile *p)
{
	static uint8_t blob[1 << 20];
	struct vmm_machine_table tables[VMM_MACHINE_TABLES_MAX];
	size_t len = sizeof(blob);
	uint32_t count;

	const int err = vmm_machine_plan_tables(p, blob, &len, tables, &count);

	if (err != 0) {
		fprintf(stderr, "profile %zu: %s\n", number, vmm_strerror(err));
		exit(1);
	}
	for (uint32_t i = 1; i < count; i++) { /* iasl does not take the root pointer */
		char path[4096];
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s%zu-%u-%s.dat", dir,
			 prefix(p, tables[i].signature), number, i, tables[i].signature);
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

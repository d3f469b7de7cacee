// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

enum {
	OPT_FLAT = 256,
	OPT_FIRMWARE,
	OPT_VARIABLES,
	OPT_CONTROL,
	OPT_NO_REBOOT,
	OPT_DRY_RUN,
	OPT_TABLES,
	OPT_STATS,
	OPT_PROBE
};

static const struct option long_options[] = {
	{"profile", required_argument, NULL, 'p'},
	{"set", required_argument, NULL, 's'},
	{"kernel", required_argument, NULL, 'k'},
	{"initrd", required_argument, NULL, 'i'},
	{"cmdline", required_argument, NULL, 'a'},
	{"memory", required_argument, NULL, 'm'},
	{"cpus", required_argument, NULL, 'c'},
	{"engine", required_argument, NULL, 'e'},
	{"firmware", required_argument, NULL, OPT_FIRMWARE},
	{"variables", required_argument, NULL, OPT_VARIABLES},
	{"flat", required_argument, NULL, OPT_FLAT},
	{"control", required_argument, NULL, OPT_CONTROL},
	{"no-reboot", no_argument, NULL, OPT_NO_REBOOT},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"dump-tables", required_argument, NULL, OPT_TABLES},
	{"stats", no_argument, NULL, OPT_STATS},
	{"probe", no_argument, NULL, OPT_PROBE},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

static const char usage[] =
	"usage: vmm-run [option...] [kernel]\n"
	"       vmm-run --probe\n"
	"  -p, --profile FILE        the machine's profile\n"
	"  -s, --set KEY=VALUE       one key of it, such as serial 1.enable=yes\n"
	"  -k, --kernel FILE         bzImage, ELF with a PVH note, Multiboot; may be gzip's\n"
	"  -i, --initrd FILE         initial RAM disk, or a module\n"
	"  -a, --cmdline TEXT        the kernel's command line\n"
	"  -m, --memory SIZE         RAM: 512M, 5G\n"
	"  -c, --cpus N | LIST       CPUs: 4, or sockets=2,dies=1,cores=2,threads=2\n"
	"  -e, --engine NAME         the engine: kvm\n"
	"      --firmware NAME       none, vuefi: tables and runtime services, or bios\n"
	"      --variables FILE      keep vUEFI's variables there\n"
	"      --flat MODE:BASE[:ENTRY]  the kernel is raw bytes; mode 16, 32 or 64\n"
	"      --control PIPE        take commands from this named pipe: cpu plug 1, help\n"
	"      --no-reboot           end when the guest asks for a reset\n"
	"      --dry-run             print memory map, places and tables; do not run\n"
	"      --dump-tables DIR     write the ACPI tables there\n"
	"      --stats               print the exits at the end\n"
	"      --probe               say whether an engine can run guests here\n"
	"  -h, --help; -V, --version\n"
	"Ctrl-A x ends the machine, Ctrl-A h tells the other keys.\n";

static int wrong(const char *what, const char *why)
{
	fprintf(stderr, "vmm-run: %s: %s\n", what, why);
	return STATUS_USAGE;
}

/* -1, or the status of a value that the profile does not take. */
static int assign_text(struct options *o, const char *text)
{
	struct vmm_profile_error error = {.size = sizeof(error)};

	return vmm_profile_set_text(o->profile, text, &error) == 0 ? -1 : wrong(text, error.text);
}

static int assign(struct options *o, const char *key, const char *value)
{
	char text[256];

	if (snprintf(text, sizeof(text), "%s=%s", key, value) >= (int)sizeof(text))
		return wrong(value, "too long");
	return assign_text(o, text);
}

static int assign_string(struct options *o, uint32_t key, const char *value)
{
	int err = vmm_profile_set_string(o->profile, key, 0, value);

	return err == 0 ? -1 : wrong(value, vmm_strerror(err));
}

static int read_profile(struct options *o, const char *name)
{
	struct vmm_profile_error error = {.size = sizeof(error)};
	struct file file;
	int status = -1;

	if (file_open(&file, name) != 0)
		return wrong(name, strerror(errno));
	if (vmm_profile_parse(o->profile, file.bytes, file.len, &error) != 0) {
		fprintf(stderr, "vmm-run: %s:%u:%u: %s\n", name, error.line, error.column,
			error.text);
		status = STATUS_USAGE;
	}
	file_close(&file);
	return status;
}

#define PARTS 5

/* "4", or "sockets=2,cores=2". */
static int read_cpus(struct options *o, char *text)
{
	static const char *const parts[PARTS] = {"sockets", "dies", "clusters", "cores", "threads"};
	char *rest = text, *part;

	if (!strchr(text, '='))
		return assign(o, "cpu.cores", text);
	while ((part = strsep(&rest, ",")) != NULL) {
		char *value = strchr(part, '='), key[32];
		size_t i = 0;

		if (!value)
			return wrong(part,
				     "wanted: sockets=, dies=, clusters=, cores= or threads=");
		*value++ = '\0';
		while (i < PARTS && strcmp(part, parts[i]) != 0)
			i++;
		if (i == PARTS)
			return wrong(part, "wanted: sockets, dies, clusters, cores or threads");
		snprintf(key, sizeof(key), "cpu.%s", parts[i]);
		if (assign(o, key, value) != -1)
			return STATUS_USAGE;
	}
	return -1;
}

static int read_flat(struct options *o, const char *text)
{
	static const char form[] = "wanted: MODE:BASE or MODE:BASE:ENTRY, mode 16, 32 or 64";
	char *end;
	const unsigned long mode = strtoul(text, &end, 10);

	if (*end != ':' || (mode != 16 && mode != 32 && mode != 64))
		return wrong(text, form);
	o->flat_mode = mode == 16   ? VMM_BOOT_REAL16
		       : mode == 32 ? VMM_BOOT_PROT32
				    : VMM_BOOT_LONG64;
	o->flat_base = o->flat_entry = strtoull(end + 1, &end, 0);
	if (*end == ':')
		o->flat_entry = strtoull(end + 1, &end, 0);
	if (*end != '\0')
		return wrong(text, form);
	o->flat = true;
	return -1;
}

static int add_initrd(struct options *o, const char *name)
{
	const char *first;

	if (vmm_profile_get_string(o->profile, VMM_PROFILE_BOOT_INITRD, 0, &first) == 0 &&
	    *first == '\0')
		return assign_string(o, VMM_PROFILE_BOOT_INITRD, name);
	if (o->initrd_count == VMM_BOOT_AREAS_MAX - 1)
		return wrong(name, "too many modules");
	o->initrds[o->initrd_count++] = name;
	return -1;
}

static int apply(struct options *o, int option, char *value)
{
	switch (option) {
	case 's':
		return assign_text(o, value);
	case 'k':
		return assign_string(o, VMM_PROFILE_BOOT_KERNEL, value);
	case 'i':
		return add_initrd(o, value);
	case 'a':
		return assign_string(o, VMM_PROFILE_BOOT_CMDLINE, value);
	case 'm':
		return assign(o, "memory.size", value);
	case 'c':
		return read_cpus(o, value);
	case 'e':
		o->engine = value;
		return -1;
	case OPT_FIRMWARE:
		return assign_string(o, VMM_PROFILE_BOOT_FIRMWARE, value);
	case OPT_VARIABLES:
		o->variables = value;
		return -1;
	case OPT_FLAT:
		return read_flat(o, value);
	case OPT_CONTROL:
		o->control = value;
		return -1;
	case OPT_NO_REBOOT:
		o->no_reboot = true;
		return -1;
	case OPT_DRY_RUN:
		o->dry_run = true;
		return -1;
	case OPT_TABLES:
		o->tables = value;
		return -1;
	case OPT_STATS:
		o->stats = true;
		return -1;
	case OPT_PROBE:
		o->probe = true;
		return -1;
	case 'h':
		fputs(usage, stdout);
		return 0;
	case 'V':
		printf("vmm-run %u.%u.%u\n", vmm_version() >> 16, vmm_version() >> 8 & 0xff,
		       vmm_version() & 0xff);
		return 0;
	default:
		fputs("Try 'vmm-run --help'.\n", stderr);
		return STATUS_USAGE;
	}
}

/* The profile comes first, wherever it is named, so that options change what is in it. */
static int read_all(struct options *o, int argc, char **argv)
{
	static const char letters[] = "p:s:k:i:a:m:c:e:hV";
	int option, status = -1;

	opterr = 0;
	while ((option = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
		if (option == 'p' && (status = read_profile(o, optarg)) != -1)
			return status;
	}
	opterr = 1;
	optind = 0;
	while ((option = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
		if (option != 'p' && (status = apply(o, option, optarg)) != -1)
			return status;
	}
	if (optind < argc)
		status = assign_string(o, VMM_PROFILE_BOOT_KERNEL, argv[optind++]);
	if (optind < argc)
		return wrong(argv[optind], "one kernel is enough");
	return status;
}

int options_read(struct options *options, int argc, char **argv)
{
	void *storage = malloc(vmm_profile_size());

	*options = (struct options){0};
	if (!storage || vmm_profile_init(storage, vmm_profile_size(), &options->profile) != 0)
		return wrong("profile", "no memory");
	return read_all(options, argc, argv);
}

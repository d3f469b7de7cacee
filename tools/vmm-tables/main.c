// SPDX-License-Identifier: BSD-2-Clause-Patent
/* vmm-tables: the tables of a machine, from its profile or from files. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libvmm/libvmm.h"
#include "vmm-tables.h"

enum { STATUS_GOOD = 0, STATUS_FOUND = 1, STATUS_USAGE = 2, STATUS_FAILED = 4 };

struct options {
	struct vmm_profile *profile;
	const char *folder;
	bool of_profile; /* something was said about the profile */
	char **files;
	int count;
};

struct command {
	const char *name;
	bool takes_files;
	int (*act)(const struct options *options, const struct set *set);
};

static const char usage[] =
	"usage: vmm-tables COMMAND [option...] [FILE|DIRECTORY...]\n"
	"  build   write a file for each table\n"
	"  dump    print the tables in hexadecimal, as acpidump does\n"
	"  tree    print what the tables say, field by field, and the namespace\n"
	"  dot     print the namespace as a picture for dot\n"
	"  check   look for what is wrong\n"
	"The tables are those that a profile leads to, or those in the files that are named.\n"
	"  -p, --profile FILE        the machine's profile\n"
	"  -s, --set KEY=VALUE       one key of it, such as serial 1.enable=yes\n"
	"  -o, --output DIRECTORY    build: where to; default: the current one\n"
	"  -h, --help; -V, --version\n";

static int wrong(const char *what, const char *why)
{
	fprintf(stderr, "vmm-tables: %s: %s\n", what, why);
	return STATUS_USAGE;
}

/* -- Commands -----------------------------------------------------------------------------------
 */

static int build(const struct options *options, const struct set *set)
{
	return write_files(set, options->folder) ? STATUS_GOOD : STATUS_FAILED;
}

static int dump(const struct options *options, const struct set *set)
{
	(void)options;
	print_hex(set);
	return STATUS_GOOD;
}

static int tree(const struct options *options, const struct set *set)
{
	(void)options;
	print_tree(set);
	return STATUS_GOOD;
}

static int dot(const struct options *options, const struct set *set)
{
	(void)options;
	return print_dot(set) ? STATUS_GOOD : STATUS_FAILED;
}

static int check(const struct options *options, const struct set *set)
{
	unsigned found = check_set(set);

	(void)options;
	if (found == 0)
		printf("%zu tables, nothing wrong\n", set->count);
	return found == 0 ? STATUS_GOOD : STATUS_FOUND;
}

static const struct command commands[] = {
	{"build", false, build}, {"dump", true, dump},   {"tree", true, tree},
	{"dot", true, dot},      {"check", true, check},
};

/* -- Options ------------------------------------------------------------------------------------
 */

/* -1, or the status of what is wrong and has been said. */
static int read_profile(struct options *o, const char *name)
{
	static char text[VMM_PROFILE_TEXT_MAX + 1];
	struct vmm_profile_error error = {.size = sizeof(error)};
	FILE *file = fopen(name, "rb");
	size_t len;
	bool broken;

	if (file == NULL)
		return wrong(name, strerror(errno));
	len = fread(text, 1, sizeof(text), file);
	broken = ferror(file) != 0;
	fclose(file);
	if (broken)
		return wrong(name, strerror(errno));
	if (vmm_profile_parse(o->profile, text, len, &error) == 0)
		return -1;
	fprintf(stderr, "vmm-tables: %s:%u:%u: %s\n", name, error.line, error.column, error.text);
	return STATUS_USAGE;
}

static int assign(struct options *o, const char *text)
{
	struct vmm_profile_error error = {.size = sizeof(error)};

	return vmm_profile_set_text(o->profile, text, &error) == 0 ? -1 : wrong(text, error.text);
}

static int apply(struct options *o, int option, const char *value)
{
	switch (option) {
	case 'p':
		o->of_profile = true;
		return read_profile(o, value);
	case 's':
		o->of_profile = true;
		return assign(o, value);
	case 'o':
		o->folder = value;
		return -1;
	case 'h':
		fputs(usage, stdout);
		return STATUS_GOOD;
	case 'V':
		printf("vmm-tables %u.%u.%u\n", vmm_version() >> 16, vmm_version() >> 8 & 0xff,
		       vmm_version() & 0xff);
		return STATUS_GOOD;
	default:
		fputs("Try 'vmm-tables --help'.\n", stderr);
		return STATUS_USAGE;
	}
}

static int read_options(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{"profile", required_argument, NULL, 'p'}, {"set", required_argument, NULL, 's'},
		{"output", required_argument, NULL, 'o'},  {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},       {0},
	};
	int option, status = -1;

	while (status == -1 && (option = getopt_long(argc, argv, "p:s:o:hV", names, NULL)) != -1)
		status = apply(o, option, optarg);
	o->files = argv + optind;
	o->count = argc - optind;
	return status;
}

/* The word after the options is the command; NULL after saying what is wrong. */
static const struct command *take_command(struct options *o)
{
	if (o->count == 0) {
		wrong("command", "wanted: build, dump, tree, dot or check");
		return NULL;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, o->files[0]) == 0) {
			o->files++;
			o->count--;
			return &commands[i];
		}
	wrong(o->files[0], "wanted: build, dump, tree, dot or check");
	return NULL;
}

static bool load(struct set *set, const struct options *o)
{
	for (int i = 0; i < o->count; i++)
		if (!set_add_file(set, o->files[i]))
			return false;
	return o->count > 0 || set_from_profile(set, o->profile);
}

static int run(struct options *o)
{
	const struct command *command = take_command(o);
	struct set set = {0};
	int status = STATUS_FAILED;

	if (command == NULL)
		return STATUS_USAGE;
	if (o->count > 0 && !command->takes_files)
		return wrong(o->files[0], "this command takes a profile, and no tables");
	if (o->count > 0 && o->of_profile)
		return wrong(o->files[0], "either tables or a profile");
	if (load(&set, o))
		status = command->act(o, &set);
	set_free(&set);
	if (fflush(stdout) != 0)
		return wrong("standard output", strerror(errno)) + STATUS_FAILED - STATUS_USAGE;
	return status;
}

int main(int argc, char **argv)
{
	struct options options = {.folder = "."};
	void *storage = malloc(vmm_profile_size());
	int status;

	if (storage == NULL || vmm_profile_init(storage, vmm_profile_size(), &options.profile) != 0)
		return wrong("profile", "no memory");
	status = read_options(&options, argc, argv);
	if (status == -1)
		status = run(&options);
	free(storage);
	return status;
}

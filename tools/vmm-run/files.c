// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* No kernel unpacks to more. */
#define UNPACKED_MAX ((size_t)1 << 30)

int file_open(struct file *file, const char *name)
{
	const int fd = open(name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int e;

	*file = (struct file){0};
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_size > 0) {
		file->bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		file->len = (size_t)st.st_size;
	}
	e = errno;
	close(fd);
	if (file->bytes == MAP_FAILED) {
		*file = (struct file){0};
		errno = e;
		return -1;
	}
	return 0;
}

void file_close(struct file *file)
{
	if (file->bytes)
		munmap(file->bytes, file->len);
	*file = (struct file){0};
}

static bool open_one(struct file *file, const char *name)
{
	if (file_open(file, name) != 0) {
		fprintf(stderr, "vmm-run: %s: %s\n", name, strerror(errno));
		return false;
	}
	if (file->len == 0) {
		fprintf(stderr, "vmm-run: %s: the file is empty\n", name);
		return false;
	}
	return true;
}

bool files_open(struct files *files, const struct options *options)
{
	const char *kernel, *initrd;

	*files = (struct files){0};
	vmm_profile_get_string(options->profile, VMM_PROFILE_BOOT_KERNEL, 0, &kernel);
	vmm_profile_get_string(options->profile, VMM_PROFILE_BOOT_INITRD, 0, &initrd);
	if (*kernel == '\0') {
		fputs("vmm-run: no kernel: name one, or see 'vmm-run --help'\n", stderr);
		return false;
	}
	if (!open_one(&files->kernel, kernel))
		return false;
	if (*initrd != '\0' && !open_one(&files->initrds[files->initrd_count++], initrd))
		return false;
	for (uint32_t i = 0; i < options->initrd_count; i++) {
		if (!open_one(&files->initrds[files->initrd_count++], options->initrds[i]))
			return false;
	}
	return true;
}

void files_close(struct files *files)
{
	file_close(&files->kernel);
	for (uint32_t i = 0; i < files->initrd_count; i++)
		file_close(&files->initrds[i]);
}

/* A kernel that gzip has packed, unpacked: *@bytes is to be freed. False after saying why not. */
static bool unpack(const struct file *packed, void **bytes, size_t *len)
{
	struct vmm_error error = {.size = sizeof(error)};

	*len = UNPACKED_MAX;
	*bytes = NULL;
	if (vmm_gunzip(packed->bytes, packed->len, NULL, len, &error) == 0) {
		*bytes = malloc(*len ? *len : 1);
		if (*bytes && vmm_gunzip(packed->bytes, packed->len, *bytes, len, &error) == 0)
			return true;
	}
	fprintf(stderr, "vmm-run: kernel: %s\n",
		error.code ? error.text : "no memory to unpack it");
	free(*bytes);
	return false;
}

static bool load(const struct files *files, const struct options *options,
		 const struct vmm_load_target *target, struct vmm_load_args *args,
		 struct vmm_boot *boot)
{
	struct vmm_load_module modules[VMM_BOOT_AREAS_MAX] = {0};
	struct vmm_error error = {.size = sizeof(error)};

	for (uint32_t i = 0; i < files->initrd_count; i++) {
		modules[i].data = files->initrds[i].bytes;
		modules[i].len = files->initrds[i].len;
	}
	args->modules = modules;
	args->module_count = files->initrd_count;
	vmm_profile_get_string(options->profile, VMM_PROFILE_BOOT_CMDLINE, 0, &args->cmdline);
	if (*args->cmdline == '\0')
		args->cmdline = NULL;
	if (options->flat) {
		args->kind = VMM_IMAGE_FLAT;
		args->flat_mode = options->flat_mode;
		args->flat_base = options->flat_base;
		args->flat_entry = options->flat_entry;
	}
	/* What another kernel makes of its modules is its own matter; Linux would start without a
	 * word. */
	if (files->initrd_count > 0 &&
	    vmm_image_probe(args->image, args->image_len) == VMM_IMAGE_BZIMAGE &&
	    vmm_initrd_check(modules[0].data, modules[0].len, &error) != 0) {
		fprintf(stderr, "vmm-run: initrd: %s\n", error.text);
		return false;
	}
	if (vmm_image_load(target, args, boot, &error) == 0)
		return true;
	fprintf(stderr, "vmm-run: kernel: %s\n", error.text);
	return false;
}

bool files_load(const struct files *files, const struct options *options,
		const struct vmm_load_target *target, struct vmm_boot *boot)
{
	struct vmm_load_args args = {
		.size = sizeof(args),
		.image = files->kernel.bytes,
		.image_len = files->kernel.len,
	};
	void *unpacked = NULL;
	bool done;

	if (!options->flat && vmm_image_probe(args.image, args.image_len) == VMM_IMAGE_GZIP) {
		if (!unpack(&files->kernel, &unpacked, &args.image_len))
			return false;
		args.image = unpacked;
	}
	done = load(files, options, target, &args, boot);
	free(unpacked);
	return done;
}

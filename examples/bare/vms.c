// SPDX-License-Identifier: BSD-2-Clause-Patent
/* What the image was given: boot modules and words, and the VMs that they come to. */
#include "cpus.h"
#include "libvmm/loader.h"
#include "libvmm/svm.h"
#include "libvmm/vmx.h"
#include "text.h"

static int read_modules(struct vms *vms, const struct vmm_bare_boot *boot)
{
	for (uint32_t i = 0; i < boot->module_count; i++) {
		const struct vmm_bare_module *m = &boot->modules[i];
		const int err = files_add(&vms->files, m->data, (size_t)m->len, m->cmdline);

		if (err != 0) {
			vmm_bare_print("bare: module %u: %s\n", i, vmm_strerror(err));
			return STATUS_WRONG;
		}
	}
	return 0;
}

static int wrong_profile(const char *where, const struct vmm_profile_error *error)
{
	vmm_bare_print("bare: %s, line %u, column %u: %s\n", where, error->line, error->column,
		       error->text);
	return STATUS_WRONG;
}

/* The image's own words end with this; what stands behind it is the kernels' command line. */
#define WORDS_END "-- "

static int set_word(struct vm *vm, const char *text, size_t len)
{
	struct vmm_profile_error error = {.size = sizeof(error)};
	char word[256];

	if (len >= sizeof(word)) {
		vmm_bare_print("bare: command line: a word has %u bytes\n", (uint32_t)len);
		return STATUS_WRONG;
	}
	text_copy(word, sizeof(word), text, len);
	return vmm_profile_set_text(vm->profile, word, &error) == 0
		       ? 0
		       : wrong_profile("command line", &error);
}

static int set_cmdline(struct vm *vm, const char *text)
{
	if (vmm_profile_set_string(vm->profile, VMM_PROFILE_BOOT_CMDLINE, 0, text) == 0)
		return 0;
	vmm_bare_print("bare: command line: what stands behind -- is no kernel's\n");
	return STATUS_WRONG;
}

/* Words "section.key=value" set keys of every profile. */
static int read_words(struct vm *vm, const char *words)
{
	while (*words != '\0') {
		size_t n = 0;
		int err;

		if (text_begins(words, WORDS_END))
			return set_cmdline(vm, words + text_length(WORDS_END));
		while (words[n] != '\0' && words[n] != ' ')
			n++;
		err = n != 0 ? set_word(vm, words, n) : 0;
		if (err != 0)
			return err;
		words += words[n] == ' ' ? n + 1 : n;
	}
	return 0;
}

/* The file that a key names; where it names none, NULL with *@err 0. */
static const struct file *named_file(const struct vm *vm, uint32_t key, int *err)
{
	const struct file *f = NULL;
	const char *name = "";

	*err = 0;
	vmm_profile_get_string(vm->profile, key, 0, &name);
	if (*name == '\0')
		return NULL;
	f = files_find(&vm->all->files, name);
	if (f == NULL) {
		vmm_bare_print("bare: %s: %s: no such file among the boot modules\n", vm->name,
			       name);
		*err = STATUS_WRONG;
	}
	return f;
}

/* Where the profile names no kernel, the first file that is one. */
static int find_files(struct vm *vm)
{
	const struct files *files = &vm->all->files;
	int err;

	vm->kernel = named_file(vm, VMM_PROFILE_BOOT_KERNEL, &err);
	if (err != 0)
		return err;
	for (uint32_t i = 0; vm->kernel == NULL && i < files->count; i++) {
		const struct file *f = &files->file[i];

		if (vmm_image_probe(f->data, f->len) != VMM_IMAGE_UNKNOWN)
			vm->kernel = f;
	}
	if (vm->kernel == NULL) {
		vmm_bare_print("bare: %s: no kernel: give one as a boot module, or an archive with "
			       "a profile that names it\n",
			       vm->name);
		return STATUS_WRONG;
	}
	vm->initrd = named_file(vm, VMM_PROFILE_BOOT_INITRD, &err);
	return err;
}

/* @file: its profile, NULL for an empty one. */
static int add_vm(struct vms *vms, const struct file *file, const char *name, size_t len,
		  const char *words)
{
	struct vmm_profile_error error = {.size = sizeof(error)};
	const struct vmm_host *host = vmm_bare_host();
	struct vm *vm = &vms->vm[vms->count];
	void *storage;
	int err;

	if (vms->count == VMS_MAX) {
		vmm_bare_print("bare: there are more than %u profiles\n", VMS_MAX);
		return STATUS_WRONG;
	}
	text_copy(vm->name, sizeof(vm->name), name, len);
	if (len >= sizeof(vm->name) || vms_find(vms, vm->name) != NULL) {
		vmm_bare_print("bare: %s: a name is to have %u bytes at most, and to be there "
			       "once\n",
			       vm->name, VM_NAME_MAX - 1);
		return STATUS_WRONG;
	}
	storage = host->alloc(NULL, vmm_profile_size(), 16);
	if (storage == NULL || vmm_profile_init(storage, vmm_profile_size(), &vm->profile) != 0) {
		vmm_bare_print("bare: no memory for the profile\n");
		return STATUS_WRONG;
	}
	vms->count++;
	vm->all = vms;
	if (file != NULL &&
	    vmm_profile_parse(vm->profile, (const char *)file->data, file->len, &error) != 0)
		return wrong_profile(file->name, &error);
	err = read_words(vm, words);
	return err == 0 ? find_files(vm) : err;
}

/* Several profiles, each named after its VM, or one, which need not be there at all. */
static int add_vms(struct vms *vms, const char *words)
{
	for (uint32_t i = 0; i < vms->files.count; i++) {
		const struct file *f = &vms->files.file[i];
		const size_t stem = files_profile_stem(f->name);
		const int err = stem != 0 ? add_vm(vms, f, f->name, stem, words) : 0;

		if (err != 0)
			return err;
	}
	if (vms->count != 0)
		return 0;
	vms->single = true;
	return add_vm(vms, files_find(&vms->files, PROFILE), "vm", 2, words);
}

int vms_init(struct vms *vms, const struct vmm_bare_boot *boot)
{
	static const struct vmm_engine *engines[2];
	struct vmm_error error = {.size = sizeof(error)};
	const struct vmm_ctx_config config = {.size = sizeof(config),
					      .host = vmm_bare_host(),
					      .engines = engines,
					      .engine_count = 2};
	int err = read_modules(vms, boot);

	if (err == 0)
		err = add_vms(vms, boot->cmdline);
	if (err != 0)
		return err;
	engines[0] = vmm_engine_svm();
	engines[1] = vmm_engine_vmx();
	if (vmm_ctx_create(&config, &vms->ctx, &error) != 0) {
		vmm_bare_print("bare: libvmm: %s\n", error.text);
		return STATUS_WRONG;
	}
	return cpus_init(vms);
}

void vms_fini(struct vms *vms)
{
	cpus_fini(vms);
	if (vms->ctx != NULL)
		vmm_ctx_destroy(vms->ctx);
	for (uint32_t i = 0; i < vms->count; i++)
		vmm_bare_host()->free(NULL, vms->vm[i].profile, vmm_profile_size());
}

struct vm *vms_find(struct vms *vms, const char *name)
{
	for (uint32_t i = 0; i < vms->count; i++) {
		if (text_same(vms->vm[i].name, name))
			return &vms->vm[i];
	}
	return NULL;
}

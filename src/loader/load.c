// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Public entry points: find out what an image is and hand it to its loader. */
#include "load.h"
#include "elf_reader.h"
#include "sized.h"

static bool is_gzip(const uint8_t *image, size_t len)
{
	/* RFC 1952, 2.3.1: two magic bytes, then "deflate". */
	return len >= 3 && image[0] == 0x1f && image[1] == 0x8b && image[2] == 8;
}

static bool is_elf(const uint8_t *image, size_t len)
{
	return len >= 4 && image[0] == 0x7f && image[1] == 'E' && image[2] == 'L' &&
	       image[3] == 'F';
}

uint32_t vmm_image_probe(const void *image, size_t len)
{
	if (!image)
		return VMM_IMAGE_UNKNOWN;
	if (is_gzip(image, len))
		return VMM_IMAGE_GZIP;
	if (vmm__bzimage_is(image, len))
		return VMM_IMAGE_BZIMAGE;
	if (vmm__pvh_is(image, len))
		return VMM_IMAGE_PVH;
	if (vmm__multiboot_is(image, len))
		return VMM_IMAGE_MULTIBOOT;
	return is_elf(image, len) ? VMM_IMAGE_ELF : VMM_IMAGE_UNKNOWN;
}

const char *vmm_image_kind_name(uint32_t kind)
{
	static const char *const names[] = {
		[VMM_IMAGE_UNKNOWN] = "unknown",  [VMM_IMAGE_BZIMAGE] = "bzImage",
		[VMM_IMAGE_PVH] = "PVH",          [VMM_IMAGE_MULTIBOOT] = "Multiboot",
		[VMM_IMAGE_FLAT] = "flat binary", [VMM_IMAGE_ELF] = "ELF",
		[VMM_IMAGE_GZIP] = "gzip",
	};

	return kind < ARRAY_SIZE(names) ? names[kind] : names[VMM_IMAGE_UNKNOWN];
}

static int check_args(const struct vmm__load *load)
{
	const struct vmm_load_args *args = load->args;

	if (!args->image || args->image_len == 0)
		return LOAD_FAIL(load, -VMM_EINVAL, "the image is empty");
	if (args->module_count && !args->modules)
		return LOAD_FAIL(load, -VMM_EINVAL, "modules are counted but not given");
	for (uint32_t i = 0; i < args->module_count; i++) {
		if (!args->modules[i].data || args->modules[i].len == 0)
			return LOAD_FAIL(load, -VMM_EINVAL, "module %llu is empty", ULL(i));
	}
	return 0;
}

/* An ELF that nothing can start, and bytes that are nothing: say why as well as can be. */
static int refuse(const struct vmm__load *load, uint32_t kind)
{
	struct vmm__elf elf;
	const char *wrong;

	switch (kind) {
	case VMM_IMAGE_GZIP:
		return LOAD_FAIL(load, -VMM_ENOTSUP, "the image is packed with gzip");
	case VMM_IMAGE_ELF:
		wrong = vmm__elf_open(&elf, load->args->image, load->args->image_len);
		if (wrong)
			return LOAD_FAIL(load, -VMM_EFORMAT, "%s", wrong);
		return LOAD_FAIL(load, -VMM_ENOTSUP,
				 "an ELF with neither a PVH entry note nor a Multiboot header");
	default:
		return LOAD_FAIL(load, -VMM_EFORMAT,
				 "neither a bzImage, nor an ELF, nor Multiboot");
	}
}

static int load_kind(struct vmm__load *load, uint32_t kind)
{
	if (kind > VMM_IMAGE_GZIP)
		return LOAD_FAIL(load, -VMM_EINVAL, "%llu is no kind of image", ULL(kind));
	load->boot->kind = kind;
	switch (kind) {
	case VMM_IMAGE_BZIMAGE:
		return vmm__bzimage_load(load);
	case VMM_IMAGE_PVH:
		return vmm__pvh_load(load);
	case VMM_IMAGE_MULTIBOOT:
		return vmm__multiboot_load(load);
	case VMM_IMAGE_FLAT:
		return vmm__flat_load(load);
	default:
		return refuse(load, kind);
	}
}

static int load_image(struct vmm__load *load)
{
	const struct vmm_load_args *args = load->args;
	int err = vmm__load_check_target(load);

	if (!err)
		err = check_args(load);
	if (err)
		return err;
	if (args->kind)
		return load_kind(load, args->kind);
	return load_kind(load, vmm_image_probe(args->image, args->image_len));
}

int vmm_image_load(const struct vmm_load_target *target, const struct vmm_load_args *args,
		   struct vmm_boot *boot, struct vmm_error *error)
{
	struct vmm_load_target own_target;
	struct vmm_load_args own_args;
	struct vmm_boot own_boot = {.size = sizeof(own_boot)};
	struct vmm_error own_error = {.size = sizeof(own_error)};
	struct vmm__load load = {&own_target, &own_args, &own_boot, &own_error};
	int err;

	if (vmm__take_struct(&own_target, sizeof(own_target), target) ||
	    vmm__take_struct(&own_args, sizeof(own_args), args) || !boot)
		err = LOAD_FAIL(&load, -VMM_EINVAL,
				"an argument is missing, or its size is not set");
	else
		err = load_image(&load);
	if (!err)
		return vmm__give_struct(boot, &own_boot, sizeof(own_boot));
	if (error)
		vmm__give_struct(error, &own_error, sizeof(own_error));
	return err;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
// The embedder's part in the test of vUEFI's runtime services: their image, and the device behind
// them.
#include <stddef.h>

#include "guest.h"
#include "libvmm/uefi.h"
#include "scripts.h"

#define IMAGE UINT64_C(0x140000)
#define PORT  0x608

static int uefi_read(void *opaque, uint64_t gpa, void *buf, size_t len)
{
	struct run *run = opaque;
	return vmm_vm_read(run->vm, gpa, buf, len);
}

static int uefi_write(void *opaque, uint64_t gpa, const void *buf, size_t len)
{
	struct run *run = opaque;
	return vmm_vm_write(run->vm, gpa, buf, len);
}

static void uefi_event(void *opaque, uint32_t what)
{
	note(opaque, "UEFI: %s", what == VMM_SYSTEM_OFF ? "off" : "reset");
}

static bool write_image(struct run *run, struct vmm_uefi_image *image)
{
	const struct vmm_host *host = vmm_ctx_host(run->ctx);
	const struct vmm_uefi_image_config config = {
		.size = sizeof(config), .arch = VMM_UEFI_X86_64, .gpa = IMAGE, .doorbell = PORT};
	if (!must(run, "vmm_uefi_image_build", vmm_uefi_image_build(&config, NULL, 0, image)))
		return false;
	const size_t len = (size_t)image->len;
	void *buf = host->alloc(host->opaque, len, 8);
	bool ok =
		buf &&
		must(run, "vmm_uefi_image_build", vmm_uefi_image_build(&config, buf, len, image)) &&
		must(run, "vmm_vm_write", vmm_vm_write(run->vm, IMAGE, buf, len));
	if (buf)
		host->free(host->opaque, buf, len);
	return ok;
}

void script_uefi(struct run *run)
{
	struct vmm_uefi_image image = {.size = sizeof(image)};
	struct vmm_uefi_config config = {
		.size = sizeof(config),
		.opaque = run,
		.read = uefi_read,
		.write = uefi_write,
		.event = uefi_event,
	};
	struct vmm_uefi *uefi = NULL;
	struct attached_region *region = NULL;
	if (!write_image(run, &image))
		return;
	config.mailbox = image.mailbox;
	if (must(run, "vmm_uefi_create", vmm_uefi_create(vmm_ctx_host(run->ctx), &config, &uefi)) &&
	    must(run, "vmm_region_add",
		 add_region(run, VMM_SPACE_PORT, PORT, VMM_UEFI_DOORBELL_LEN, vmm_uefi_ops(), uefi,
			    &region)))
		play_until(run, VMM_EXIT_HLT, 0);
	drop_region(region);
	vmm_uefi_destroy(uefi);
}

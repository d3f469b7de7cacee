// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Linux on x86, at its 64-bit entry point (Documentation/arch/x86/boot.rst, "64-bit boot
 * protocol"): the real-mode part is left out, and its work, to fill boot_params, is done here.
 */
#include "libvmm/uefi.h"
#include "linux_boot.h"
#include "load.h"

_Static_assert(BP_E820_ENTRIES_MAX == VMM_LOAD_RANGES_MAX, "boot_params bounds the memory map");

#define MAX_ALIGNMENT UINT64_C(0x40000000)

struct kernel {
	const uint8_t *image;
	uint32_t setup_size; /* the real-mode part; the kernel proper follows it */
	uint32_t size;
	uint32_t header_end;
	uint64_t base; /* where it goes */
	uint64_t params;
	uint64_t cmdline;
	uint64_t initrd;
	uint64_t uefi_map; /* 0: there is no UEFI */
	uint32_t uefi_map_size;
};

bool vmm__bzimage_is(const uint8_t *image, size_t len)
{
	return len >= BZ_HEADER + 4 && vmm__le16(image + BZ_BOOT_FLAG) == BZ_BOOT_FLAG_MAGIC &&
	       vmm__le32(image + BZ_HEADER) == BZ_HEADER_MAGIC;
}

static int check_version(const struct vmm__load *load, const uint8_t *image)
{
	const unsigned int version = vmm__le16(image + BZ_VERSION);

	if (version < BZ_VERSION_2_12)
		return LOAD_FAIL(load, -VMM_ENOTSUP,
				 "the kernel's boot protocol is %u.%02u, older than 2.12",
				 version >> 8, version & 0xffu);
	if (!(vmm__le16(image + BZ_XLOADFLAGS) & BZ_XLF_KERNEL_64))
		return LOAD_FAIL(load, -VMM_ENOTSUP,
				 "the kernel has no 64-bit entry (XLF_KERNEL_64 is clear)");
	if (!(image[BZ_LOADFLAGS] & BZ_LOADED_HIGH))
		return LOAD_FAIL(load, -VMM_EFORMAT, "a 64-bit kernel that is not loaded high");
	return 0;
}

/* Find the parts of the file. A signature may follow the kernel, so the file may be longer. */
static int check_sizes(const struct vmm__load *load, struct kernel *kernel)
{
	const uint8_t *image = kernel->image;
	const uint32_t sects = image[BZ_SETUP_SECTS] ? image[BZ_SETUP_SECTS] : 4;
	const uint64_t len = load->args->image_len;
	const uint64_t size = (uint64_t)vmm__le32(image + BZ_SYSSIZE) * 16;

	kernel->header_end = BZ_JUMP + 1 + (uint32_t)image[BZ_JUMP];
	if (kernel->header_end < BZ_HEADER_MIN_END)
		return LOAD_FAIL(load, -VMM_EFORMAT,
				 "the kernel's header ends at 0x%llx, in the middle of its fields",
				 ULL(kernel->header_end));
	if (kernel->header_end > BZ_HEADER_MAX_END)
		kernel->header_end = BZ_HEADER_MAX_END;
	kernel->setup_size = (sects + 1) * BZ_SECTOR;
	if (size <= BZ_ENTRY64 || size > UINT32_MAX)
		return LOAD_FAIL(load, -VMM_EFORMAT,
				 "the kernel says that it has %llu bytes (syssize)", ULL(size));
	if (!vmm__range_within(kernel->setup_size, size, len))
		return LOAD_FAIL(load, -VMM_EFORMAT,
				 "the kernel is cut short: %llu + %llu bytes, the file has %llu",
				 ULL(kernel->setup_size), ULL(size), ULL(len));
	kernel->size = (uint32_t)size;
	return 0;
}

static int check(const struct vmm__load *load, struct kernel *kernel)
{
	const struct vmm_load_args *args = load->args;
	int err;

	if (args->image_len < BZ_HEADER_MAX_END || !vmm__bzimage_is(args->image, args->image_len))
		return LOAD_FAIL(load, -VMM_EFORMAT,
				 "not a bzImage: no header, or it is cut short");
	if (args->module_count > 1)
		return LOAD_FAIL(load, -VMM_ENOTSUP,
				 "a bzImage takes one module, its initrd, not %llu",
				 ULL(args->module_count));
	if (args->module_count && args->modules[0].cmdline)
		return LOAD_FAIL(load, -VMM_ENOTSUP, "an initrd has no command line");
	err = check_version(load, kernel->image);
	return err ? err : check_sizes(load, kernel);
}

/*
 * It unpacks itself within init_size bytes from where it lies, or from pref_address if that is
 * higher, so a lower place is of no use even to a relocatable one.
 */
static int place_kernel(struct vmm__load *load, struct kernel *kernel)
{
	const uint8_t *image = kernel->image;
	const uint32_t align = vmm__le32(image + BZ_KERNEL_ALIGNMENT);
	const uint32_t init_size = vmm__le32(image + BZ_INIT_SIZE);
	const uint64_t size = init_size > kernel->size ? init_size : kernel->size;
	const uint64_t pref = vmm__le64(image + BZ_PREF_ADDRESS);

	if (pref < VMM__1MIB || pref >= VMM__4GIB)
		return LOAD_FAIL(load, -VMM_EFORMAT,
				 "the kernel's pref_address, 0x%llx, is not in 1 MiB to 4 GiB",
				 ULL(pref));
	if (image[BZ_RELOCATABLE]) {
		if (!vmm__is_pow2(align) || align > MAX_ALIGNMENT)
			return LOAD_FAIL(load, -VMM_EFORMAT,
					 "0x%llx is no alignment for the kernel", ULL(align));
		return vmm__load_place_up(
			load,
			&(struct vmm__place){size, align, pref, VMM__4GIB, VMM_BOOT_AREA_IMAGE, 0},
			&kernel->base);
	}
	kernel->base = pref;
	if (size > VMM__4GIB - pref)
		return LOAD_FAIL(load, -VMM_ERANGE, "%llu bytes at 0x%llx do not end below 4 GiB",
				 ULL(size), ULL(pref));
	return vmm__load_reserve(load, pref, size, VMM_BOOT_AREA_IMAGE, 0);
}

static int place_initrd(struct vmm__load *load, struct kernel *kernel)
{
	const uint64_t low_end = (uint64_t)vmm__le32(kernel->image + BZ_INITRD_ADDR_MAX) + 1;
	struct vmm__place place = {0, VMM__4K, VMM__1MIB, low_end, VMM_BOOT_AREA_MODULE, 0};
	int err;

	if (!load->args->module_count)
		return 0;
	place.size = load->args->modules[0].len;
	err = vmm__load_place_down(load, &place, &kernel->initrd);
	if (err == -VMM_ERANGE && vmm__le16(kernel->image + BZ_XLOADFLAGS) & BZ_XLF_ABOVE_4G) {
		place.min = VMM__4GIB;
		place.end = VMM__PHYS_END;
		err = vmm__load_place_down(load, &place, &kernel->initrd);
	}
	return err;
}

/* Last, since it lists what has been placed. */
static int place_uefi_map(struct vmm__load *load, struct kernel *kernel)
{
	const uint32_t most = load->target->range_count + 2 * (load->boot->area_count + 1);

	if (load->target->uefi_system == 0)
		return 0;
	return vmm__load_place_table(load, most * VMM_UEFI_DESCRIPTOR_LEN, VMM__4K,
				     VMM_BOOT_AREA_MEMMAP, &kernel->uefi_map);
}

static int plan(struct vmm__load *load, struct kernel *kernel)
{
	int err = place_kernel(load, kernel);

	if (!err)
		err = vmm__entry_plan(load, VMM_BOOT_LONG64);
	if (!err)
		err = vmm__load_place_table(load, BP_SIZE, VMM__4K, VMM_BOOT_AREA_INFO,
					    &kernel->params);
	if (!err)
		err = vmm__load_place_cmdline(load, vmm__le32(kernel->image + BZ_CMDLINE_SIZE),
					      &kernel->cmdline);
	if (!err)
		err = place_initrd(load, kernel);
	return err ? err : place_uefi_map(load, kernel);
}

static int write_uefi_map(const struct vmm__load *load, struct kernel *kernel)
{
	const struct vmm_load_target *target = load->target;
	uint8_t descriptor[VMM_UEFI_DESCRIPTOR_LEN];
	struct vmm_uefi_map map;
	int err;

	if (kernel->uefi_map == 0)
		return 0;
	err = vmm_uefi_map_begin(&map, target->ranges, target->range_count, load->boot->areas,
				 load->boot->area_count);
	while (!err && vmm_uefi_map_next(&map, descriptor) == 0) {
		err = vmm__load_write(load, kernel->uefi_map + kernel->uefi_map_size, descriptor,
				      sizeof(descriptor));
		kernel->uefi_map_size += (uint32_t)sizeof(descriptor);
	}
	return err;
}

static void fill_uefi(uint8_t *fields, const struct vmm__load *load, const struct kernel *kernel)
{
	const uint64_t system = load->target->uefi_system;

	if (kernel->uefi_map == 0)
		return;
	vmm__put_le32(fields + BP_EFI_SIGNATURE, BP_EFI_SIGNATURE_64);
	vmm__put_le32(fields + BP_EFI_SYSTEM, (uint32_t)system);
	vmm__put_le32(fields + BP_EFI_SYSTEM_HIGH, (uint32_t)(system >> 32));
	vmm__put_le32(fields + BP_EFI_MAP_STRIDE, VMM_UEFI_DESCRIPTOR_LEN);
	vmm__put_le32(fields + BP_EFI_MAP_VERSION, VMM_UEFI_DESCRIPTOR_VERSION);
	vmm__put_le32(fields + BP_EFI_MAP, (uint32_t)kernel->uefi_map);
	vmm__put_le32(fields + BP_EFI_MAP_HIGH, (uint32_t)(kernel->uefi_map >> 32));
	vmm__put_le32(fields + BP_EFI_MAP_SIZE, kernel->uefi_map_size);
	fields[BP_SECURE_BOOT] = BP_SECURE_BOOT_OFF;
}

/* The image's own header with the loader's fields filled in, and the fields outside of it. */
static int write_header(const struct vmm__load *load, const struct kernel *kernel)
{
	const uint64_t initrd_len = load->args->module_count ? load->args->modules[0].len : 0;
	uint8_t fields[BZ_HEADER_MAX_END] = {0};
	uint8_t *header = fields + BZ_SETUP_SECTS;

	for (uint32_t i = 0; i < kernel->header_end - BZ_SETUP_SECTS; i++)
		header[i] = kernel->image[BZ_SETUP_SECTS + i];
	fields[BZ_TYPE_OF_LOADER] = BZ_LOADER_OTHER;
	vmm__put_le32(fields + BZ_CODE32_START, (uint32_t)kernel->base);
	vmm__put_le32(fields + BZ_RAMDISK_IMAGE, (uint32_t)kernel->initrd);
	vmm__put_le32(fields + BZ_RAMDISK_SIZE, (uint32_t)initrd_len);
	vmm__put_le32(fields + BZ_CMD_LINE_PTR, (uint32_t)kernel->cmdline);
	vmm__put_le32(fields + BP_EXT_RAMDISK_IMAGE, (uint32_t)(kernel->initrd >> 32));
	vmm__put_le32(fields + BP_EXT_RAMDISK_SIZE, (uint32_t)(initrd_len >> 32));
	vmm__put_le64(fields + BP_ACPI_RSDP_ADDR, load->target->rsdp);
	fields[BP_E820_ENTRIES] = (uint8_t)load->target->range_count;
	fill_uefi(fields, load, kernel);
	return vmm__load_write(load, kernel->params, fields, sizeof(fields));
}

static int write_e820(const struct vmm__load *load, const struct kernel *kernel)
{
	const struct vmm_load_target *target = load->target;
	uint64_t at = kernel->params + BP_E820_TABLE;
	int err = 0;

	for (uint32_t i = 0; i < target->range_count && !err; i++) {
		uint8_t entry[BP_E820_ENTRY_SIZE];

		vmm__put_le64(entry, target->ranges[i].base);
		vmm__put_le64(entry + 8, target->ranges[i].size);
		vmm__put_le32(entry + 16, target->ranges[i].type);
		err = vmm__load_write(load, at + i * sizeof(entry), entry, sizeof(entry));
	}
	return err;
}

static int write(const struct vmm__load *load, struct kernel *kernel)
{
	int err = vmm__load_write(load, kernel->base, kernel->image + kernel->setup_size,
				  kernel->size);

	if (!err)
		err = vmm__load_write_modules(load);
	if (!err)
		err = vmm__load_write_string(load, kernel->cmdline, load->args->cmdline);
	if (!err)
		err = vmm__load_zero(load, kernel->params, BP_SIZE);
	if (!err)
		err = write_uefi_map(load, kernel);
	if (!err)
		err = write_header(load, kernel);
	if (!err)
		err = write_e820(load, kernel);
	return err ? err : vmm__entry_write(load);
}

int vmm__bzimage_load(struct vmm__load *load)
{
	struct kernel kernel = {.image = load->args->image};
	int err = check(load, &kernel);

	if (!err)
		err = plan(load, &kernel);
	if (err)
		return err;
	load->boot->entry = kernel.base + BZ_ENTRY64;
	load->boot->rsi = kernel.params;
	return write(load, &kernel);
}

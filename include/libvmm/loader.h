/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/loader.h - Put a kernel into a guest's memory, and say how its CPU starts.
 *
 * An image comes as bytes in the caller's memory. vmm_image_load() checks it, chooses a place for
 * it and for everything its boot protocol wants beside it, writes that through the caller's
 * target, and describes the first CPU's start in a struct vmm_boot. Nothing is allocated, and the
 * image may be hostile: whatever it holds, only memory that the target lists as RAM is written,
 * and no byte is written before the whole image has been found sound.
 *
 *   kind                  entered in            the guest finds its parameters through
 *   VMM_IMAGE_BZIMAGE     64-bit long mode      RSI = boot_params ("zero page")
 *   VMM_IMAGE_PVH         32-bit protected      EBX = hvm_start_info
 *   VMM_IMAGE_MULTIBOOT   32-bit protected      EAX = 0x2badb002, EBX = Multiboot information
 *   VMM_IMAGE_FLAT        as the caller says    nothing
 *
 * Where things are put is written down in docs/loaders.md.
 */
#ifndef LIBVMM_LOADER_H
#define LIBVMM_LOADER_H

#include "libvmm/error.h"

VMM_BEGIN_DECLS

/* What an image is. */
#define VMM_IMAGE_UNKNOWN   0u
#define VMM_IMAGE_BZIMAGE   1u /* Linux x86, protocol 2.12 or later, with a 64-bit entry */
#define VMM_IMAGE_PVH       2u /* ELF with Xen's PHYS32_ENTRY note */
#define VMM_IMAGE_MULTIBOOT 3u /* Multiboot 1: an ELF, or with address fields in its header */
#define VMM_IMAGE_FLAT      4u /* raw bytes; never guessed, only asked for */
#define VMM_IMAGE_ELF       5u /* an ELF that no protocol above can start */
#define VMM_IMAGE_GZIP      6u /* unpack it first: vmm_gunzip() */

/* What is at an address, in the numbers that E820, PVH and Multiboot share (ACPI 6.5, 15.3). */
#define VMM_LOAD_RAM      1u
#define VMM_LOAD_RESERVED 2u
#define VMM_LOAD_ACPI     3u
#define VMM_LOAD_NVS      4u
#define VMM_LOAD_UNUSABLE 5u

/* Most ranges in a memory map: what boot_params can hold. */
#define VMM_LOAD_RANGES_MAX 128u

/* Most areas a loaded image can have; also bounds its segments and modules. */
#define VMM_BOOT_AREAS_MAX 64u

/**
 * struct vmm_load_range - One range of the guest's physical memory map.
 * @base: First byte.
 * @size: Bytes, not 0; the end is at most 2^52.
 * @type: VMM_LOAD_RAM, or another of those numbers. Only RAM is written.
 * @uefi: 0, or its memory type in a UEFI memory map, where @type does not tell (uefi.h).
 */
struct vmm_load_range {
	uint64_t base;
	uint64_t size;
	uint32_t type;
	uint32_t uefi;
};

/**
 * struct vmm_load_target - The guest memory that an image is loaded into.
 * @size:        sizeof(struct vmm_load_target).
 * @range_count: Number of ranges, 1 to VMM_LOAD_RANGES_MAX.
 * @ranges:      The memory map, ascending and without overlap. The guest is given it as it is,
 *               so what belongs to tables (ACPI's, for instance) is listed, and not as RAM.
 * @rsdp:        Guest-physical address of ACPI's root pointer, or 0.
 * @opaque:      Handed to the functions below.
 * @write:       Copies @len bytes to @gpa. Called only for ranges that lie in RAM.
 * @zero:        Makes @len bytes at @gpa read as zero; does nothing where they are known to. NULL:
 *               zeros are written with @write.
 * @uefi_system: Guest-physical address of UEFI's system table (uefi.h), or 0. A bzImage is told of
 *               it, and gets a UEFI memory map beside; other kinds have no way to be told.
 *
 * Both functions return 0 or a negative error code, which then becomes vmm_image_load()'s.
 */
struct vmm_load_target {
	uint32_t size;
	uint32_t range_count;
	const struct vmm_load_range *ranges;
	uint64_t rsdp;
	void *opaque;
	int (*write)(void *opaque, uint64_t gpa, const void *buf, size_t len);
	int (*zero)(void *opaque, uint64_t gpa, uint64_t len);
	uint64_t uefi_system;
};

/**
 * struct vmm_load_module - A file handed to the guest beside its kernel.
 * @data:    Its bytes.
 * @len:     How many, not 0.
 * @cmdline: Its own command line, or NULL. A bzImage's initrd has none.
 */
struct vmm_load_module {
	const void *data;
	size_t len;
	const char *cmdline;
};

/* How a CPU is entered. */
#define VMM_BOOT_REAL16 1u /* real mode, CS base = entry & ~0xffff */
#define VMM_BOOT_PROT32 2u /* protected mode, flat segments, no paging */
#define VMM_BOOT_LONG64 3u /* long mode, the first 4 GiB mapped to themselves */

/**
 * struct vmm_load_args - What to load.
 * @size:         sizeof(struct vmm_load_args).
 * @kind:         The VMM_IMAGE_ kind it must be; VMM_IMAGE_UNKNOWN: found by vmm_image_probe().
 * @image:        The image.
 * @image_len:    Its bytes.
 * @cmdline:      The kernel's command line, or NULL.
 * @modules:      Modules; the first is the initrd. May be NULL if there are none.
 * @module_count: Number of modules. A bzImage takes one at most, a flat binary none.
 * @flat_mode:    VMM_IMAGE_FLAT: the VMM_BOOT_ mode to enter it in.
 * @flat_base:    VMM_IMAGE_FLAT: where its first byte goes.
 * @flat_entry:   VMM_IMAGE_FLAT: guest-physical address of its first instruction, within it.
 */
struct vmm_load_args {
	uint32_t size;
	uint32_t kind;
	const void *image;
	size_t image_len;
	const char *cmdline;
	const struct vmm_load_module *modules;
	uint32_t module_count;
	uint32_t flat_mode;
	uint64_t flat_base;
	uint64_t flat_entry;
};

/* What an area of guest memory holds. */
#define VMM_BOOT_AREA_IMAGE   1u /* a segment of the image, @index of them */
#define VMM_BOOT_AREA_MODULE  2u /* a module, @index of them */
#define VMM_BOOT_AREA_CMDLINE 3u /* the kernel's command line */
#define VMM_BOOT_AREA_INFO    4u /* boot_params, hvm_start_info or Multiboot information */
#define VMM_BOOT_AREA_MEMMAP  5u /* the memory map, where the protocol has it apart */
#define VMM_BOOT_AREA_MODLIST 6u /* the list of modules, with their command lines */
#define VMM_BOOT_AREA_GDT     7u
#define VMM_BOOT_AREA_PAGING  8u /* page tables */

/**
 * struct vmm_boot_area - Guest memory that loading has filled.
 * @base:  First byte.
 * @size:  Bytes.
 * @what:  VMM_BOOT_AREA_ number.
 * @index: Which one of that sort.
 */
struct vmm_boot_area {
	uint64_t base;
	uint64_t size;
	uint32_t what;
	uint32_t index;
};

/* The selectors of the table at vmm_boot.gdt. */
#define VMM_BOOT_SEL_CODE 0x10u
#define VMM_BOOT_SEL_DATA 0x18u
#define VMM_BOOT_SEL_TASK 0x20u

/**
 * struct vmm_boot - How the first CPU starts what was loaded.
 * @size:       The caller's sizeof(struct vmm_boot); the rest is filled by vmm_image_load().
 * @kind:       The VMM_IMAGE_ kind that was loaded.
 * @mode:       VMM_BOOT_ mode to enter in. Interrupts are off, every other flag is clear.
 * @area_count: How many of @areas are used.
 * @entry:      Guest-physical address of the first instruction.
 * @rax:        What RAX, RBX and RSI hold. Every other general register is 0.
 * @rbx:        See @rax.
 * @rsi:        See @rax.
 * @cr3:        VMM_BOOT_LONG64: the root of the page tables. Else 0.
 * @gdt:        Guest-physical address of the GDT. 0 in real mode.
 * @gdt_limit:  Its last byte's offset: what the limit field of GDTR holds.
 * @reserved:   0.
 * @areas:      Everything that was placed, in the order of placing; no two overlap.
 */
struct vmm_boot {
	uint32_t size;
	uint32_t kind;
	uint32_t mode;
	uint32_t area_count;
	uint64_t entry;
	uint64_t rax;
	uint64_t rbx;
	uint64_t rsi;
	uint64_t cr3;
	uint64_t gdt;
	uint32_t gdt_limit;
	uint32_t reserved;
	struct vmm_boot_area areas[VMM_BOOT_AREAS_MAX];
};

/**
 * vmm_image_probe() - Say what an image is.
 * @image: Its bytes; the first 8 KiB tell, but an ELF needs to be whole.
 * @len:   How many.
 *
 * An ELF with both a PVH note and a Multiboot header counts as PVH.
 *
 * Context: Any; needs no object.
 * Return: A VMM_IMAGE_ kind, VMM_IMAGE_UNKNOWN if it is none. Never VMM_IMAGE_FLAT.
 */
VMM_API uint32_t vmm_image_probe(const void *image, size_t len);

/**
 * vmm_image_kind_name() - Name of a kind, "bzImage" for instance.
 * @kind: A VMM_IMAGE_ number.
 *
 * Context: Any; needs no object.
 * Return: A static string, "unknown" for other numbers. Never NULL.
 */
VMM_API const char *vmm_image_kind_name(uint32_t kind);

/**
 * vmm_image_load() - Load an image and what belongs to it into guest memory.
 * @target: Guest memory.
 * @args:   The image, its command line and modules. Not kept.
 * @boot:   Its size is set by the caller; filled with the start of the first CPU. Left as it was
 *          on failure.
 * @error:  Filled on failure; may be NULL.
 *
 * Context: Any; allocates nothing, blocks only in the target's functions.
 * Return: 0;
 *   -VMM_EINVAL  the arguments contradict each other or the memory map is not in order;
 *   -VMM_EFORMAT the image is malformed or cut short;
 *   -VMM_ENOTSUP it needs something that this loader or its protocol does not have;
 *   -VMM_ERANGE  some of it does not fit into the RAM there is;
 *   -VMM_ELIMIT  too many segments, modules or ranges, or too long a command line;
 *   or what the target's function returned. Only that last failure leaves memory written to.
 */
VMM_API int vmm_image_load(const struct vmm_load_target *target, const struct vmm_load_args *args,
			   struct vmm_boot *boot, struct vmm_error *error);

struct vmm_vm;   /* vm.h */
struct vmm_vcpu; /* vcpu.h */

/**
 * vmm_load_target_vm() - Load into a VM's memory.
 * @target: Its size is set by the caller; @opaque, @write and @zero are set here, so that they
 *          write to @vm. The memory map and @rsdp are the caller's to fill.
 * @vm:     Machine whose mappings hold the map's RAM; must live as long as the target is used.
 *
 * Context: Any.
 * Return: 0, -VMM_EINVAL.
 */
VMM_API int vmm_load_target_vm(struct vmm_load_target *target, struct vmm_vm *vm);

/**
 * vmm_boot_apply() - Give an x86 vCPU the state that an image is entered in.
 * @boot: What vmm_image_load() has filled.
 * @vcpu: The first vCPU, of a sealed VM; as after reset, or standing still.
 *
 * Sets general registers, segments and control registers. Multiprocessor state, APIC and XCR0 stay
 * as they are.
 *
 * Context: As vmm_vcpu_set_state().
 * Return: 0, -VMM_EINVAL, and all that vmm_vcpu_get_state() and vmm_vcpu_set_state() give, with the
 * detail left with the vCPU.
 */
VMM_API int vmm_boot_apply(const struct vmm_boot *boot, struct vmm_vcpu *vcpu);

/**
 * vmm_initrd_check() - See whether Linux will be able to read an initrd to its end.
 * @data: The initrd: cpio archives (newc), one after the other, the last of which may be packed.
 * @len:  Its bytes.
 * @error: Filled on failure; may be NULL.
 *
 * Packed parts are known by their first bytes and not unpacked; vmm_gunzip() tests gzip's.
 * An initrd that is a file system's image is refused, although Linux can mount some.
 *
 * Context: Any; needs no object.
 * Return: 0, -VMM_EFORMAT.
 */
VMM_API int vmm_initrd_check(const void *data, size_t len, struct vmm_error *error);

/**
 * vmm_gunzip() - Unpack a gzip file, such as a packed kernel or initrd. Hosted builds only.
 * @data:     The file: one or more members, then at most zeros.
 * @len:      Its bytes.
 * @out:      Where to; NULL to learn the size, and whether the file is whole.
 * @out_size: In: the most that may come out; out: what came out. Unchanged on failure.
 * @error:    Filled on failure; may be NULL. @out is then undefined.
 *
 * Context: Any thread; zlib allocates about 40 KiB for the time of the call.
 * Return: 0, -VMM_EFORMAT, -VMM_ESIZE (more would come out), -VMM_ENOMEM, -VMM_EINVAL,
 * -VMM_ENOTSUP (built without zlib).
 */
VMM_API int vmm_gunzip(const void *data, size_t len, void *out, size_t *out_size,
		       struct vmm_error *error);

VMM_END_DECLS

#endif

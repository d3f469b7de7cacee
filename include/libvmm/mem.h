/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/mem.h - Memory objects, and where a VM sees them.
 *
 * Memory is an object; a mapping makes a part of it visible at a guest-physical address (GPA).
 * Mappings are intervals: any part of one can be unmapped or protected, and neighbours that
 * continue each other are merged. A vCPU that runs meanwhile never sees a mapping it may use
 * disappear for a moment, and no dirty page is lost.
 *
 * All lengths and addresses are in bytes; "page" is VMM_CAP_PAGE_SIZE.
 */
#ifndef LIBVMM_MEM_H
#define LIBVMM_MEM_H

#include "libvmm/vm.h"

VMM_BEGIN_DECLS

struct vmm_mem; /* opaque, reference-counted */

/**
 * vmm_mem_create() - Memory from the host, zeroed, aligned so that large pages can back it.
 * @ctx: Context.
 * @len: Bytes, a multiple of the page size, not 0.
 * @mem: Set to the object, which the caller owns one reference of.
 *
 * Context: Any thread; allocates.
 * Return: 0, -VMM_EINVAL, -VMM_EALIGN, -VMM_ENOMEM, -VMM_ENOTSUP (the host gives no guest memory).
 */
VMM_API int vmm_mem_create(struct vmm_ctx *ctx, uint64_t len, struct vmm_mem **mem);

/**
 * vmm_mem_create_host() - An object over a range of the host's own address space.
 * @ctx:     Context.
 * @base:    First byte, page aligned. It stays the caller's, who may look at it at any time.
 * @len:     Bytes, a multiple of the page size, not 0.
 * @release: Called once with (@opaque, @base, @len) when the last reference goes, under no lock of
 * the library's, by whatever call gave it up; may be NULL.
 * @opaque:  For @release.
 * @mem:     Set to the object.
 *
 * The range must stay mapped until @release is called (without one: until vmm_mem_unref() of the
 * last reference has returned).
 *
 * Context: Any thread; allocates.
 * Return: 0, -VMM_EINVAL, -VMM_EALIGN, -VMM_ENOMEM.
 */
VMM_API int vmm_mem_create_host(struct vmm_ctx *ctx, void *base, uint64_t len,
				void (*release)(void *opaque, void *base, uint64_t len),
				void *opaque, struct vmm_mem **mem);

/* Memory types of physical extents. */
#define VMM_MEMTYPE_WB 0 /* normal memory, write-back */
#define VMM_MEMTYPE_WC 1 /* write-combining; Arm Normal non-cacheable */
#define VMM_MEMTYPE_UC 2 /* uncached; Arm Device-nGnRE */

/** struct vmm_extent - A run of host-physical memory; both fields page aligned. */
struct vmm_extent {
	uint64_t hpa;
	uint64_t len;
};

/**
 * vmm_mem_create_phys() - An object over host-physical memory or device registers.
 * @ctx:     Context.
 * @extents: Runs, in the order in which they make up the object; copied.
 * @count:   Number of runs.
 * @memtype: VMM_MEMTYPE_.
 * @mem:     Set to the object.
 *
 * Only engines with VMM_CAP_MEM_PHYS can map it. The library itself never reads or writes it.
 *
 * Context: Any thread; allocates.
 * Return: 0, -VMM_EINVAL, -VMM_EALIGN, -VMM_ERANGE (the sum or an end passes 2^64), -VMM_ENOMEM.
 */
VMM_API int vmm_mem_create_phys(struct vmm_ctx *ctx, const struct vmm_extent *extents,
				uint32_t count, uint32_t memtype, struct vmm_mem **mem);

/** vmm_mem_ref() - Take one more reference. Context: Any. */
VMM_API void vmm_mem_ref(struct vmm_mem *mem);

/** vmm_mem_unref() - Give a reference back; NULL is allowed. Context: Any thread; may free. */
VMM_API void vmm_mem_unref(struct vmm_mem *mem);

/** vmm_mem_size() - Bytes of the object. Context: Any. */
VMM_API uint64_t vmm_mem_size(const struct vmm_mem *mem);

/* What the guest may do with a mapping. */
#define VMM_PROT_READ  (UINT32_C(1) << 0)
#define VMM_PROT_WRITE (UINT32_C(1) << 1)
#define VMM_PROT_EXEC  (UINT32_C(1) << 2)
#define VMM_PROT_RWX   (VMM_PROT_READ | VMM_PROT_WRITE | VMM_PROT_EXEC)

/**
 * vmm_vm_map() - Map part of a memory object into guest-physical space.
 * @vm:     Machine to change; before or after sealing.
 * @gpa:    Guest-physical base, page aligned.
 * @mem:    Memory object of the same context; the mapping takes a reference.
 * @offset: First byte of @mem to map, page aligned.
 * @len:    Bytes, a multiple of the page size, not 0.
 * @prot:   VMM_PROT_ bits with READ among them; those an engine cannot leave out give -VMM_ENOTSUP.
 *
 * Uses the largest page that both addresses allow. On failure the range is left as it was. A write
 * to a mapping without WRITE is an exit of reason VMM_EXIT_MMIO.
 *
 * Context: Any thread, no device lock held; may allocate; waits until running vCPUs have left the
 * guest where the change needs it. From a bus callback: allowed, of any vCPU.
 * Return: 0, -VMM_EINVAL, -VMM_EALIGN, -VMM_ERANGE (past the object, or past VMM_CAP_GPA_BITS),
 * -VMM_EEXIST (part of the range is mapped), -VMM_ENOTSUP, -VMM_ELIMIT, -VMM_ENOMEM, -VMM_EIO.
 */
VMM_API int vmm_vm_map(struct vmm_vm *vm, uint64_t gpa, struct vmm_mem *mem, uint64_t offset,
		       uint64_t len, uint32_t prot);

/**
 * vmm_vm_unmap() - Take an interval out of guest-physical space.
 * @vm:  Machine to change.
 * @gpa: First byte, page aligned.
 * @len: Bytes, a multiple of the page size, not 0.
 *
 * Whatever is mapped within goes, whole mappings and parts; holes are allowed, but something must
 * be mapped. Dirty information of what goes is dropped.
 *
 * Context: As vmm_vm_map().
 * Return: 0, -VMM_EINVAL, -VMM_EALIGN, -VMM_ERANGE, -VMM_ENOENT (nothing mapped there), -VMM_ELIMIT
 * (a split needs one mapping more than the engine has), -VMM_ENOMEM, -VMM_EIO; then nothing has
 * changed.
 */
VMM_API int vmm_vm_unmap(struct vmm_vm *vm, uint64_t gpa, uint64_t len);

/**
 * vmm_vm_protect() - Change what the guest may do with an interval.
 * @vm:   Machine to change.
 * @gpa:  First byte, page aligned.
 * @len:  Bytes, a multiple of the page size, not 0; mapped without a hole.
 * @prot: VMM_PROT_ bits, as for vmm_vm_map().
 *
 * Context: As vmm_vm_map().
 * Return: As vmm_vm_unmap(); -VMM_ENOENT where the interval has a hole; -VMM_ENOTSUP.
 */
VMM_API int vmm_vm_protect(struct vmm_vm *vm, uint64_t gpa, uint64_t len, uint32_t prot);

/**
 * struct vmm_mapping - One mapping, as found by vmm_vm_find_mapping().
 * @size:   sizeof(struct vmm_mapping), set by the caller.
 * @prot:   VMM_PROT_ bits.
 * @gpa:    Guest-physical base.
 * @len:    Bytes.
 * @mem:    Object; no reference is taken for the caller.
 * @offset: Offset of @gpa in the object.
 */
struct vmm_mapping {
	uint32_t size;
	uint32_t prot;
	uint64_t gpa;
	uint64_t len;
	struct vmm_mem *mem;
	uint64_t offset;
};

/**
 * vmm_vm_find_mapping() - The mapping at an address, or the next one above.
 * @vm:      Machine.
 * @gpa:     Where to look from; walk all by starting at 0 and going on at gpa + len.
 * @mapping: Filled.
 *
 * Context: Any thread, any lock.
 * Return: 0, -VMM_ENOENT (none at or above), -VMM_EINVAL.
 */
VMM_API int vmm_vm_find_mapping(struct vmm_vm *vm, uint64_t gpa, struct vmm_mapping *mapping);

/**
 * vmm_vm_read() - Copy out of guest memory.
 * @vm:  Machine.
 * @gpa: First byte, any alignment.
 * @buf: Where to.
 * @len: Bytes; may span mappings.
 *
 * All of the range is checked first: on failure nothing is copied. What a guest changes meanwhile
 * may be seen half old, half new: copy once, then check the copy.
 *
 * Context: Any thread, any lock of the embedder's; also from bus callbacks.
 * Return: 0, -VMM_EFAULT (a byte is not in readable memory of the library's), -VMM_EINVAL.
 */
VMM_API int vmm_vm_read(struct vmm_vm *vm, uint64_t gpa, void *buf, size_t len);

/**
 * vmm_vm_write() - Copy into guest memory, and mark it dirty.
 *
 * As vmm_vm_read(). Mappings without VMM_PROT_WRITE are written too: the protection binds the
 * guest, not its maker, who puts firmware there.
 */
VMM_API int vmm_vm_write(struct vmm_vm *vm, uint64_t gpa, const void *buf, size_t len);

/** vmm_vm_fill() - Set @len bytes of guest memory to @value; otherwise as vmm_vm_write(). */
VMM_API int vmm_vm_fill(struct vmm_vm *vm, uint64_t gpa, uint8_t value, uint64_t len);

/**
 * vmm_vm_dirty_start() - Track writes to an interval.
 * @vm:  Machine.
 * @gpa: First byte, page aligned.
 * @len: Bytes, a multiple of the page size, mapped without a hole.
 *
 * All pages of it count as clean from here on. All tables are allocated now. Parts of the interval
 * that are unmapped drop out; what is mapped there later is not tracked until asked for again.
 *
 * Context: As vmm_vm_map().
 * Return: 0, -VMM_EINVAL, -VMM_EALIGN, -VMM_ENOENT (hole), -VMM_EEXIST (tracked already),
 * -VMM_ENOTSUP, -VMM_ENOMEM, -VMM_EIO.
 */
VMM_API int vmm_vm_dirty_start(struct vmm_vm *vm, uint64_t gpa, uint64_t len);

/** vmm_vm_dirty_stop() - Stop tracking an interval. Context: As vmm_vm_map(). Return: 0,
 * -VMM_ENOENT, -VMM_EIO. */
VMM_API int vmm_vm_dirty_stop(struct vmm_vm *vm, uint64_t gpa, uint64_t len);

/**
 * vmm_vm_dirty_harvest() - Fetch which pages were written, and count them as clean again.
 * @vm:     Machine.
 * @gpa:    First byte, page aligned, tracked without a hole.
 * @len:    Bytes, a multiple of the page size.
 * @bitmap: One bit a page, lowest first, set where written by the guest or through the library; it
 *          may be set too where the guest has touched a page for the first time by reading it.
 * @words:  Number of 64-bit words in @bitmap, at least ceil(pages / 64); unused bits are zeroed.
 *
 * A write that happens meanwhile is in this harvest or in the next one, never in none.
 *
 * Context: As vmm_vm_map().
 * Return: 0, -VMM_EINVAL, -VMM_EALIGN, -VMM_ENOENT (not tracked), -VMM_ESIZE, -VMM_EIO.
 */
VMM_API int vmm_vm_dirty_harvest(struct vmm_vm *vm, uint64_t gpa, uint64_t len, uint64_t *bitmap,
				 size_t words);

VMM_END_DECLS

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/bus.h - Ports and memory-mapped registers served by callbacks.
 *
 * An access that a region claims is handled inside vmm_vcpu_run(); one that no region claims is an
 * exit. Dispatch takes no lock: callbacks of different vCPUs run at the same time, and devices lock
 * themselves.
 */
#ifndef LIBVMM_BUS_H
#define LIBVMM_BUS_H

#include "libvmm/vcpu.h"

VMM_BEGIN_DECLS

struct vmm_region;   /* opaque */
struct vmm_doorbell; /* opaque */

#define VMM_SPACE_MMIO 0 /* addresses are GPAs */
#define VMM_SPACE_PORT 1 /* addresses are x86 I/O ports, 0 to 0xffff */

/**
 * struct vmm_region_ops - What a region does.
 * @size:     sizeof(struct vmm_region_ops).
 * @reserved: 0.
 * @read:     Gives the value of @width bytes (1, 2, 4 or 8) at @offset from the region's base in
 * *@value.
 * @write:    Takes @width bytes at @offset; @value is zero-extended.
 * @released: The region is gone and no call is in flight: called once after vmm_region_remove() or
 *            when the VM is destroyed; may be NULL.
 *
 * @offset + @width never passes the region's end. The access may be unaligned: a device that minds
 * says so by its return. @vcpu is the vCPU that made the access, or NULL where the embedder did
 * (vmm_vm_dispatch()).
 *
 * Return of read and write: 0; -VMM_ENOENT: not mine, hand the access to the embedder as an exit;
 * any other negative code makes vmm_vcpu_run() fail with it, the access pending.
 */
struct vmm_region_ops {
	uint32_t size;
	uint32_t reserved;
	int (*read)(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		    uint64_t *value);
	int (*write)(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		     uint64_t value);
	void (*released)(void *opaque);
};

/**
 * vmm_region_add() - Claim an interval of a space.
 * @vm:     Machine.
 * @space:  VMM_SPACE_.
 * @base:   First address.
 * @len:    Number of addresses, not 0.
 * @ops:    Callbacks; the table must outlive the region.
 * @opaque: For the callbacks.
 * @region: Set to the region.
 *
 * Mapped memory (vmm_vm_map()) hides MMIO regions below it. An access that begins inside a region
 * and passes its end is claimed by no region.
 *
 * Context: Any thread, also from callbacks; allocates. Not under a device lock its callbacks take.
 * Return: 0, -VMM_EINVAL, -VMM_ERANGE, -VMM_EEXIST (overlaps another region), -VMM_ENOMEM.
 */
VMM_API int vmm_region_add(struct vmm_vm *vm, uint32_t space, uint64_t base, uint64_t len,
			   const struct vmm_region_ops *ops, void *opaque,
			   struct vmm_region **region);

/**
 * vmm_region_remove() - Give an interval back.
 * @region: Region, or NULL.
 *
 * When it returns no callback of the region is running or will run, and released() has been called.
 * From one of the region's own callbacks it returns at once instead, and all that happens when that
 * callback has ended.
 *
 * Context: Any thread, no lock held that the region's callbacks take; may free.
 */
VMM_API void vmm_region_remove(struct vmm_region *region);

/**
 * vmm_vm_dispatch() - Make an access as a vCPU would.
 * @vm:    Machine.
 * @space: VMM_SPACE_.
 * @addr:  Address.
 * @width: 1, 2, 4 or 8.
 * @write: 0: read into *@value; 1: write *@value.
 * @value: Value.
 *
 * For embedders that emulate instructions or devices' DMA themselves, and for tests.
 *
 * Context: Any thread, no lock held that callbacks take.
 * Return: 0, -VMM_ENOENT (no region claims it), -VMM_EINVAL, or what the callback returned.
 */
VMM_API int vmm_vm_dispatch(struct vmm_vm *vm, uint32_t space, uint64_t addr, uint32_t width,
			    uint32_t write, uint64_t *value);

/* Flags of struct vmm_doorbell_config. */
#define VMM_DOORBELL_MATCH (UINT32_C(1) << 0) /* only writes of exactly @data ring it */

/**
 * struct vmm_doorbell_config - A write that only signals.
 * @size:  sizeof(struct vmm_doorbell_config).
 * @space: VMM_SPACE_.
 * @addr:  Address of the write.
 * @width: 1, 2, 4 or 8; 0: any (MMIO only, not with MATCH).
 * @flags: VMM_DOORBELL_.
 * @data:  With MATCH.
 * @event: Host event object: an eventfd's file number on Linux. It stays the caller's and must
 * outlive the doorbell.
 */
struct vmm_doorbell_config {
	uint32_t size;
	uint32_t space;
	uint64_t addr;
	uint32_t width;
	uint32_t flags;
	uint64_t data;
	uint64_t event;
};

/**
 * vmm_doorbell_add() - Turn a guest's write into a signal to the host.
 * @vm:       Machine.
 * @config:   What rings it.
 * @doorbell: Set to the doorbell.
 *
 * A doorbell goes before a region at the same address. With VMM_CAP_EVENT_DOORBELL the write does
 * not leave the engine (KVM: ioeventfd); else the bus signals, with the same effect.
 *
 * Context: Any thread; allocates.
 * Return: 0, -VMM_EINVAL, -VMM_EEXIST, -VMM_ENOTSUP (the host has no events), -VMM_ELIMIT,
 * -VMM_ENOMEM, -VMM_EIO.
 */
VMM_API int vmm_doorbell_add(struct vmm_vm *vm, const struct vmm_doorbell_config *config,
			     struct vmm_doorbell **doorbell);

/** vmm_doorbell_remove() - NULL is allowed. Context: Any thread, not from a callback. */
VMM_API void vmm_doorbell_remove(struct vmm_doorbell *doorbell);

VMM_END_DECLS

#endif

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Memory slots (api.rst 4.35) and their dirty logs (4.8). */
#include "kvm.h"

static int reserve(struct vmm__kvm_vm *vm, uint32_t number, struct vmm_error *error)
{
	struct kvm_userspace_memory_region *slots;
	uint32_t room = vm->slot_room ? vm->slot_room : 16;

	if (number < vm->slot_room)
		return 0;
	while (room <= number)
		room *= 2;
	slots = vmm__kvm_alloc(vm, room * sizeof(*slots));
	if (!slots)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_vm_map", 0, "no memory for %u slots",
				 room);
	if (vm->slots)
		memcpy(slots, vm->slots, vm->slot_room * sizeof(*slots));
	vmm__kvm_free(vm, vm->slots, vm->slot_room * sizeof(*slots));
	vm->slots = slots;
	vm->slot_room = room;
	return 0;
}

static int set(struct vmm__kvm_vm *vm, const struct kvm_userspace_memory_region *region,
	       struct vmm_error *error)
{
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, region) == 0)
		return 0;
	if (errno == EEXIST)
		return vmm__fail(error, -VMM_ELIMIT, "KVM_SET_USER_MEMORY_REGION", errno,
				 "KVM keeps part of 0x%llx bytes at 0x%llx for itself",
				 (unsigned long long)region->memory_size,
				 (unsigned long long)region->guest_phys_addr);
	return vmm__kvm_fail(error, "KVM_SET_USER_MEMORY_REGION");
}

static int drop(struct vmm__kvm_vm *vm, uint32_t number, struct vmm_error *error)
{
	struct kvm_userspace_memory_region gone = vm->slots[number];

	gone.memory_size = 0;
	gone.flags = 0;
	return set(vm, &gone, error);
}

/* KVM does not change KVM_MEM_READONLY of a slot: it is made anew, with nobody in the guest. */
static int change(struct vmm__kvm_vm *vm, const struct kvm_userspace_memory_region *to,
		  struct vmm_error *error)
{
	struct kvm_userspace_memory_region *slot = &vm->slots[to->slot];
	struct vmm_error ignored;
	int r;

	if (slot->memory_size != 0 && ((slot->flags ^ to->flags) & KVM_MEM_READONLY)) {
		r = drop(vm, to->slot, error);
		if (r != 0)
			return r;
		r = set(vm, to, error);
		if (r != 0)
			set(vm, slot, &ignored);
	} else {
		r = set(vm, to, error);
	}
	if (r == 0)
		*slot = *to;
	return r;
}

int vmm__kvm_mem_set(void *opaque, uint32_t number, const struct vmm__slot *slot, uint32_t quiet,
		     struct vmm_error *error)
{
	struct vmm__kvm_vm *vm = opaque;
	int r = reserve(vm, number, error);

	(void)quiet; /* KVM waits for its vCPUs itself */
	if (r != 0)
		return r;
	if (!slot) {
		r = drop(vm, number, error);
		if (r == 0)
			vm->slots[number].memory_size = 0;
		return r;
	}
	return change(vm,
		      &(struct kvm_userspace_memory_region){
			      .slot = number,
			      .flags = (slot->prot & VMM_PROT_WRITE ? 0 : KVM_MEM_READONLY) |
				       (slot->dirty ? KVM_MEM_LOG_DIRTY_PAGES : 0),
			      .guest_phys_addr = slot->gpa,
			      .memory_size = slot->len,
			      .userspace_addr = (uintptr_t)slot->hva,
		      },
		      error);
}

/* The caller's bitmap is clear, and KVM fills as many whole words as the slot has. */
int vmm__kvm_mem_dirty(void *opaque, uint32_t number, uint64_t *bitmap, size_t words,
		       struct vmm_error *error)
{
	struct vmm__kvm_vm *vm = opaque;
	struct kvm_dirty_log log = {.slot = number, .dirty_bitmap = bitmap};

	(void)words;
	if (ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log) != 0)
		return vmm__kvm_fail(error, "KVM_GET_DIRTY_LOG");
	return 0;
}

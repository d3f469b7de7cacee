// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Slots in nested page tables, which src/mmu makes: their format is the engine's matter. Pages for
 * them are taken from the host before a change begins, and kept.
 */
#include "native.h"

#define PAGE UINT64_C(4096)

static int await_flush(struct vmm__native_vcpu *v)
{
	const struct vmm_host *host = v->vm->host;
	uint64_t start = host->time_ns(host->opaque), cpu;
	uint32_t seen;

	while ((cpu = vmm__native_on_cpu(v)) != 0) {
		seen = atomic_load(&v->world.request);
		if (!(seen & NATIVE_REQ_FLUSH))
			return 0;
		if (host->time_ns(host->opaque) - start > NATIVE_LEAVE_NS)
			return -VMM_ETIMEOUT;
		host->cpu_kick(host->opaque, cpu);
		vmm__wait(host, &v->world.request, seen, NATIVE_REKICK_NS);
	}
	return 0;
}

/* Each vCPU begins with an empty TLB when it next enters; those in the guest leave it. */
static int invalidate(void *ctx, const struct vmm__pt_inval *inval)
{
	struct vmm__native_vm *vm = ctx;
	int r = 0;

	(void)inval;
	for (struct vmm__native_vcpu *v = vm->vcpus; v; v = v->next)
		vmm__native_request(v, NATIVE_REQ_FLUSH);
	for (struct vmm__native_vcpu *v = vm->vcpus; v && !vm->quiet && r == 0; v = v->next)
		r = await_flush(v);
	return r;
}

static int fill_pool(struct vmm__native_vm *vm, uint64_t pages, struct vmm_error *error)
{
	while (vm->pt.pool_pages < pages) {
		void *page = vmm__native_alloc(vm, PAGE, PAGE);
		int r;

		if (!page)
			return vmm__fail(error, -VMM_ENOMEM, "vmm_vm_map", 0,
					 "no memory for nested page tables");
		r = vmm__pt_pool_add(&vm->pt, page, vmm__native_phys(vm, page));
		if (r == 0)
			continue;
		vmm__native_free(vm, page, PAGE);
		return vmm__fail(error, -VMM_ENOTSUP, "vmm_vm_map", 0,
				 "the host's alloc() is not at a constant distance from physical "
				 "memory");
	}
	return 0;
}

int vmm__native_memory_init(struct vmm__native_vm *vm, struct vmm__pt_config *config,
			    struct vmm_error *error)
{
	static const struct vmm__pt_ops ops = {.invalidate = invalidate};
	uint32_t widths[4];
	int r;

	vmm__native_cpuid(0x80000008, 0, widths);
	vm->pt_root = vmm__native_alloc(vm, PAGE, PAGE);
	if (!vm->pt_root)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_vm_create", 0, "no memory");
	config->ops = &ops;
	config->ctx = vm;
	config->root = vm->pt_root;
	config->root_pa = vmm__native_phys(vm, vm->pt_root);
	config->oa_bits = (uint8_t)(widths[0] & 0xff);
	config->offset = (uintptr_t)vm->pt_root - config->root_pa;
	r = vmm__pt_init(&vm->pt, config);
	return r == 0 ? 0
		      : vmm__fail(error, -VMM_ENOTSUP, "vmm_vm_create", 0,
				  "no nested tables of %u bits", config->ia_bits);
}

void vmm__native_memory_fini(struct vmm__native_vm *vm)
{
	uint64_t pa;
	void *page;

	if (vm->pt.root) {
		vmm__pt_destroy(&vm->pt);
		while ((page = vmm__pt_pool_take(&vm->pt, &pa)))
			vmm__native_free(vm, page, PAGE);
	}
	vmm__native_free(vm, vm->pt_root, PAGE);
	vmm__native_free(vm, vm->slots, vm->slot_room * sizeof(*vm->slots));
}

static int reserve(struct vmm__native_vm *vm, uint32_t number, struct vmm_error *error)
{
	uint32_t room = vm->slot_room ? vm->slot_room : 16;
	struct vmm__native_slot *slots;

	if (number < vm->slot_room)
		return 0;
	while (room <= number)
		room *= 2;
	slots = vmm__native_alloc(vm, room * sizeof(*slots), sizeof(uint64_t));
	if (!slots)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_vm_map", 0, "no memory for %u slots",
				 room);
	if (vm->slots)
		memcpy(slots, vm->slots, vm->slot_room * sizeof(*slots));
	vmm__native_free(vm, vm->slots, vm->slot_room * sizeof(*slots));
	vm->slots = slots;
	vm->slot_room = room;
	return 0;
}

/* --- what backs a slot, run by run --- */

/* The run of physical memory at @offset in a slot: its address, and how long it is at most. */
static uint64_t run_at(const struct vmm__native_vm *vm, const struct vmm__slot *slot,
		       uint64_t offset, uint64_t *len)
{
	const uint8_t *at = (const uint8_t *)slot->hva + offset;
	uint64_t left = slot->len - offset, hpa;

	if (slot->hva) {
		hpa = vmm__native_phys(vm, at);
		*len = PAGE;
		while (*len < left && vmm__native_phys(vm, at + *len) == hpa + *len)
			*len += PAGE;
		return hpa;
	}
	offset += slot->extent_offset;
	for (const struct vmm_extent *e = slot->extents;; e++) {
		if (offset < e->len) {
			*len = e->len - offset < left ? e->len - offset : left;
			return e->hpa + offset;
		}
		offset -= e->len;
	}
}

/* APM2 15.25.8: the nested table's type and the guest's own are combined. WC has none in it. */
static unsigned memtype(const struct vmm__slot *slot)
{
	return slot->memtype == VMM_MEMTYPE_WB ? VMM__MEM_WB : VMM__MEM_UC;
}

static int map_run(struct vmm__native_vm *vm, const struct vmm__slot *slot, uint64_t gpa,
		   uint64_t hpa, uint64_t len, struct vmm_error *error)
{
	struct vmm__ia ia = vmm__ia(gpa);
	struct vmm__oa oa = vmm__oa(hpa);
	int r = fill_pool(vm, vmm__pt_bound_map(&vm->pt, ia, oa, len), error);

	if (r != 0)
		return r;
	r = vmm__pt_map(&vm->pt, ia, oa, len, slot->prot, memtype(slot));
	return r == 0 ? 0
		      : vmm__fail(error, r, "vmm_vm_map", 0,
				  "0x%llx bytes at 0x%llx to physical 0x%llx",
				  (unsigned long long)len, (unsigned long long)gpa,
				  (unsigned long long)hpa);
}

/* Begin with pages of 4 KiB that are clean; the range is mapped. */
static int track(struct vmm__native_vm *vm, uint64_t gpa, uint64_t len, struct vmm_error *error)
{
	struct vmm__ia ia = vmm__ia(gpa);
	int r = fill_pool(vm, vmm__pt_bound_split(&vm->pt, ia, len, 12), error);

	if (r != 0)
		return r;
	r = vmm__pt_split(&vm->pt, ia, len, 12);
	if (r == 0)
		r = vmm__pt_harvest(&vm->pt, ia, len, VMM__PT_CLEAR_DIRTY, NULL, NULL);
	return r == 0 ? 0 : vmm__fail(error, r, "vmm_vm_dirty_start", 0, "nested page tables");
}

static int unmap(struct vmm__native_vm *vm, uint64_t gpa, uint64_t len, struct vmm_error *error)
{
	int r = fill_pool(vm, vmm__pt_bound_edges(&vm->pt), error);

	if (r == 0)
		r = vmm__pt_unmap(&vm->pt, vmm__ia(gpa), len);
	return r == 0 ? 0 : vmm__fail(error, r, "vmm_vm_unmap", 0, "nested page tables");
}

static int add(struct vmm__native_vm *vm, const struct vmm__slot *slot, struct vmm_error *error)
{
	uint64_t done = 0, len;
	struct vmm_error ignored;
	int r = 0;

	while (r == 0 && done < slot->len) {
		uint64_t hpa = run_at(vm, slot, done, &len);

		r = map_run(vm, slot, slot->gpa + done, hpa, len, error);
		if (r == 0)
			done += len;
	}
	if (r == 0 && slot->dirty)
		r = track(vm, slot->gpa, slot->len, error);
	if (r != 0 && done != 0)
		unmap(vm, slot->gpa, done, &ignored);
	return r;
}

static int change(struct vmm__native_vm *vm, const struct vmm__native_slot *old,
		  const struct vmm__slot *slot, struct vmm_error *error)
{
	int r = 0;

	if (slot->dirty && !old->dirty)
		r = track(vm, slot->gpa, slot->len, error);
	if (r == 0 && slot->prot != old->prot) {
		r = fill_pool(vm, vmm__pt_bound_edges(&vm->pt), error);
		if (r == 0)
			r = vmm__pt_protect(&vm->pt, vmm__ia(slot->gpa), slot->len, slot->prot);
	}
	if (r == 0 && !slot->dirty && old->dirty)
		r = vmm__pt_merge(&vm->pt, vmm__ia(slot->gpa), slot->len);
	return r == 0 || error->code == r
		       ? r
		       : vmm__fail(error, r, "vmm_vm_protect", 0, "nested page tables");
}

int vmm__native_mem_set(void *opaque, uint32_t number, const struct vmm__slot *slot, uint32_t quiet,
			struct vmm_error *error)
{
	struct vmm__native_vm *vm = opaque;
	struct vmm__native_slot *old;
	int r = reserve(vm, number, error);

	if (r != 0)
		return r;
	vm->quiet = quiet != 0;
	atomic_fetch_add(&vm->changes, 1);
	old = &vm->slots[number];
	if (!slot)
		r = unmap(vm, old->gpa, old->len, error);
	else if (old->len == 0)
		r = add(vm, slot, error);
	else
		r = change(vm, old, slot, error);
	atomic_fetch_add(&vm->changes, 1);
	if (r != 0)
		return r;
	*old = slot ? (struct vmm__native_slot){slot->gpa, slot->len, slot->prot, slot->dirty}
		    : (struct vmm__native_slot){0};
	return 0;
}

static bool may_write(const struct vmm__native_vm *vm, uint64_t gpa)
{
	struct vmm__pt_leaf leaf;

	return vmm__pt_lookup(&vm->pt, vmm__ia(gpa), &leaf) == 0 && (leaf.prot & VMM__PROT_W);
}

/* The library may write what the guest may not: the nested tables tell. */
int vmm__native_write_guest(const struct vmm__native_vm *vm, uint64_t gpa, const void *buf,
			    size_t len)
{
	const struct vmm__services *s = vm->services;

	if (len == 0 || !may_write(vm, gpa) || !may_write(vm, gpa + len - 1))
		return -VMM_EFAULT;
	return s->write(s->core, gpa, buf, len);
}

struct harvest {
	uint64_t gpa, len;
	uint64_t *bitmap;
};

static void tell(void *ctx, const struct vmm__pt_leaf *leaf)
{
	struct harvest *h = ctx;

	for (uint64_t at = leaf->ia; leaf->dirty && at < leaf->ia + leaf->size; at += PAGE) {
		uint64_t page = (at - h->gpa) / PAGE;

		if (at >= h->gpa && at - h->gpa < h->len)
			h->bitmap[page / 64] |= BIT(page % 64);
	}
}

int vmm__native_mem_dirty(void *opaque, uint32_t number, uint64_t *bitmap, size_t words,
			  struct vmm_error *error)
{
	struct vmm__native_vm *vm = opaque;
	const struct vmm__native_slot *slot = &vm->slots[number];
	struct harvest h = {slot->gpa, slot->len, bitmap};
	int r;

	(void)words;
	vm->quiet = false;
	r = vmm__pt_harvest(&vm->pt, vmm__ia(slot->gpa), slot->len, VMM__PT_CLEAR_DIRTY, tell, &h);
	return r == 0 ? 0 : vmm__fail(error, r, "vmm_vm_dirty_harvest", 0, "nested page tables");
}

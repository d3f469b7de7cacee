// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Reading the guest's memory for the emulator: code and page tables, mostly. The short way does not
 * go through the core; who takes memory away waits for on_cpu, as if the guest itself were reading.
 */
#include "native.h"

#include "endian.h"

#define PAGE UINT64_C(4096)

/* @len bytes in a window, if the nested tables have them in one piece of normal memory. */
static void *map(const struct vmm__native_vm *vm, uint64_t gpa, size_t len)
{
	struct vmm__pt_leaf leaf;
	uint64_t offset;

	if (vmm__pt_lookup(&vm->pt, vmm__ia(gpa), &leaf) != 0 || leaf.mem != VMM__MEM_WB)
		return NULL;
	offset = gpa - leaf.ia;
	if (!vmm__range_within(offset, len, leaf.size))
		return NULL;
	return vm->host->phys_map(vm->host->opaque, leaf.oa + offset, (uint32_t)len,
				  VMM_MEMTYPE_WB);
}

void vmm__native_close_views(struct vmm__native_vcpu *v)
{
	const struct vmm_host *host = v->vm->host;

	while (v->view_count != 0)
		host->phys_unmap(host->opaque, v->views[--v->view_count].at, PAGE);
	for (uint32_t i = 0; i < NATIVE_SITES; i++)
		v->sites[i].rip = NATIVE_NO_SITE;
	v->trace.open = false;
	v->trace.code = NULL;
}

/* Where a page is seen; NULL: nowhere. */
static uint8_t *see(struct vmm__native_vcpu *v, uint64_t page)
{
	struct native_view *view = v->views;
	uint8_t *at;

	for (uint32_t i = v->view_count; i != 0; i--, view++) {
		if (view->gpa == page)
			return view->at;
	}
	if (v->view_count == v->view_room)
		vmm__native_close_views(v);
	at = map(v->vm, page, PAGE);
	if (at)
		v->views[v->view_count++] = (struct native_view){page, at};
	return at;
}

/* Entries are read as the processor does. */
static void read_view(struct native_trace *trace, const uint8_t *at, void *buf, size_t len)
{
	const uint64_t *entry = (const void *)at;

	if (len != 8 || ((uintptr_t)at & 7) != 0) {
		memcpy(buf, at, len);
		trace->code = trace->open && len == VMM__X86_INSN_MAX ? at : trace->code;
		trace->open = false;
		return;
	}
	uint64_t value = __atomic_load_n(entry, __ATOMIC_RELAXED);
	memcpy(buf, &value, sizeof(value));
	trace->open = trace->open && trace->steps < NATIVE_STEPS;
	if (!trace->open)
		return;
	trace->step[trace->steps] = entry;
	trace->entry[trace->steps++] = value;
}

static bool read_window(const struct vmm__native_vm *vm, uint64_t gpa, void *buf, size_t len)
{
	void *window = map(vm, gpa, len);

	if (!window)
		return false;
	memcpy(buf, window, len);
	vm->host->phys_unmap(vm->host->opaque, window, (uint32_t)len);
	return true;
}

int vmm__native_read_guest(void *ctx, uint64_t gpa, void *buf, size_t len)
{
	struct vmm__native_vcpu *v = ctx;
	const struct vmm__services *s = v->vm->services;
	uint64_t was = atomic_load_explicit(&v->on_cpu, memory_order_relaxed);
	uint64_t offset = gpa & (PAGE - 1);
	const uint8_t *at = NULL;
	bool done = false;

	atomic_store(&v->on_cpu, v->cpu);
	if (atomic_load(&v->world.request) & NATIVE_REQ_FLUSH)
		vmm__native_close_views(v);
	if (v->view_room != 0 && len <= PAGE - offset)
		at = see(v, gpa - offset);
	if (at)
		read_view(&v->trace, at + offset, buf, len);
	else
		done = read_window(v->vm, gpa, buf, len);
	atomic_store_explicit(&v->on_cpu, was, memory_order_release);
	if (at || done)
		return 0;
	v->trace.open = false;
	v->trace.code = NULL;
	return s->read(s->core, gpa, buf, len);
}

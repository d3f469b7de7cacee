// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The checked window on guest memory. It takes no lock: a published view is read, and its memory
 * objects cannot go while a reader is in it. So it may be used wherever a vCPU's exit leads, also
 * while another thread that holds the configuration lock waits for that very vCPU.
 */
#include "core.h"

enum { READ, WRITE, FILL };

struct access {
	int kind;
	uint8_t *out;      /* READ */
	const uint8_t *in; /* WRITE */
	uint8_t value;     /* FILL */
};

static bool is_seen(const struct vmm_mem *mem)
{
	return mem->base != NULL || mem->owned == VMM__MEM_PHYS;
}

/* Every byte is in memory of the library's. */
static bool is_accessible(const struct vmm__view *view, size_t i, uint64_t gpa, uint64_t len)
{
	for (; i < view->count; i++) {
		const struct vmm__piece *p = &view->piece[i];

		if (p->gpa > gpa || !is_seen(p->mem))
			return false;
		uint64_t in_piece = p->len - (gpa - p->gpa);
		if (in_piece >= len)
			return true;
		gpa += in_piece;
		len -= in_piece;
	}
	return false;
}

static void copy(uint8_t *at, size_t len, struct access *a)
{
	switch (a->kind) {
	case READ:
		memcpy(a->out, at, len);
		a->out += len;
		break;
	case WRITE:
		memcpy(at, a->in, len);
		a->in += len;
		break;
	case FILL:
		memset(at, a->value, len);
		break;
	}
}

/* Physical memory is seen through one window at a time. */
static void copy_physical(const struct vmm_mem *mem, uint64_t offset, size_t len, struct access *a)
{
	const struct vmm_host *host = &mem->ctx->host;

	while (len != 0) {
		uint32_t now = len < VMM_PHYS_WINDOW ? (uint32_t)len : VMM_PHYS_WINDOW;
		void *window = host->phys_map(host->opaque, mem->extents[0].hpa + offset, now,
					      mem->memtype);

		copy(window, now, a);
		host->phys_unmap(host->opaque, window, now);
		offset += now;
		len -= now;
	}
}

/* A write is marked dirty after it, so that whoever sees the mark also sees what was written. */
static void transfer(const struct vmm_vm *vm, const struct vmm__piece *p, uint64_t gpa, size_t len,
		     struct access *a)
{
	uint64_t offset = p->offset + (gpa - p->gpa);

	if (p->mem->base != NULL)
		copy(p->mem->base + offset, len, a);
	else
		copy_physical(p->mem, offset, len, a);
	if (a->kind != READ && p->dirty != NULL)
		vmm__dirty_mark(p, vm->page_shift, gpa, len);
}

static int access(struct vmm_vm *vm, const char *call, uint64_t gpa, uint64_t len, struct access *a)
{
	if (len == 0)
		return 0;
	_Atomic uint32_t *reading = vmm__readers_enter(&vm->readers, vmm__reader_slot(vm));
	const struct vmm__view *view = atomic_load(&vm->view);
	size_t i = vmm__view_find(view, gpa);
	bool accessible = is_accessible(view, i, gpa, len);

	for (uint64_t at = gpa, left = len; accessible && left != 0; i++) {
		const struct vmm__piece *p = &view->piece[i];
		uint64_t in_piece = p->len - (at - p->gpa);
		uint64_t now = left < in_piece ? left : in_piece;

		transfer(vm, p, at, (size_t)now, a);
		at += now;
		left -= now;
	}
	vmm__readers_leave(reading);
	return accessible ? 0
			  : vmm__vm_fail(vm, -VMM_EFAULT, call,
					 "0x%llx bytes at 0x%llx are not all guest memory",
					 (unsigned long long)len, (unsigned long long)gpa);
}

int vmm_vm_read(struct vmm_vm *vm, uint64_t gpa, void *buf, size_t len)
{
	struct access a = {.kind = READ, .out = buf};

	if (vm == NULL || (buf == NULL && len != 0))
		return -VMM_EINVAL;
	return access(vm, "vmm_vm_read", gpa, len, &a);
}

int vmm_vm_write(struct vmm_vm *vm, uint64_t gpa, const void *buf, size_t len)
{
	struct access a = {.kind = WRITE, .in = buf};

	if (vm == NULL || (buf == NULL && len != 0))
		return -VMM_EINVAL;
	return access(vm, "vmm_vm_write", gpa, len, &a);
}

int vmm_vm_fill(struct vmm_vm *vm, uint64_t gpa, uint8_t value, uint64_t len)
{
	struct access a = {.kind = FILL, .value = value};

	return vm == NULL ? -VMM_EINVAL : access(vm, "vmm_vm_fill", gpa, len, &a);
}

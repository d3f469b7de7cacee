// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Guest-physical space: an interval map over the engine's slots.
 *
 * Every change goes the same way. From the present view a new one is built by one edit; merging
 * and splitting fall out of that. The difference of the two is a plan of slot changes. If an
 * address that stays mapped would be without a slot for a moment, the vCPUs are held. Then the plan
 * is carried out, or undone backwards where the engine fails; the new view is published; and what
 * only the old one used is dropped when its last reader has left.
 *
 *   old   [ A .................... ]      [ B ... ]
 *   edit            unmap xxxxxx
 *   new   [ A ..... ]     [ A .... ]      [ B ... ]
 *   plan  - A   + A left   + A right      (B keeps its slot)
 *
 * All that can fail for want of memory in the core is allocated before the engine is asked.
 */
#include "core.h"

#define NO_SLOT UINT32_MAX

/* An edit splits at most at its two ends, or adds one piece. */
#define EDIT_GROWTH 3

/* One change of the engine's slots. @before or @after is NULL where there is none. */
struct change {
	const struct vmm__piece *before;
	struct vmm__piece *after;
	bool done;
};

struct plan {
	struct change *change;
	size_t count;
	size_t room;
	bool hold; /* the vCPUs must be out of the guest */
};

size_t vmm__view_find(const struct vmm__view *view, uint64_t gpa)
{
	size_t low = 0, high = view->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct vmm__piece *p = &view->piece[middle];

		if (p->gpa + (p->len - 1) < gpa)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* --- views --- */

static size_t view_bytes(size_t room)
{
	return sizeof(struct vmm__view) + room * sizeof(struct vmm__piece);
}

static struct vmm__view *new_view(struct vmm_vm *vm, size_t room)
{
	struct vmm__view *view = vmm__alloc(vm->ctx, view_bytes(room), _Alignof(struct vmm__view));

	if (view != NULL)
		view->room = room;
	return view;
}

/* References are counted by views: all that a view names stays while it is there. */
static void ref_pieces(struct vmm__view *view)
{
	for (size_t i = 0; i < view->count; i++) {
		vmm_mem_ref(view->piece[i].mem);
		if (view->piece[i].dirty != NULL)
			view->piece[i].dirty->refs++;
	}
}

static void free_view(struct vmm_vm *vm, struct vmm__view *view)
{
	vmm__free(vm->ctx, view, view_bytes(view->room));
}

static void unref_dirty(struct vmm_vm *vm, const struct vmm__view *view)
{
	for (size_t i = 0; i < view->count; i++) {
		if (view->piece[i].dirty != NULL)
			vmm__dirty_unref(vm, view->piece[i].dirty);
	}
}

void vmm__view_retire(struct vmm_vm *vm, struct vmm__view *view)
{
	if (view == NULL)
		return;
	for (size_t i = 0; i < view->count; i++)
		vmm_mem_unref(view->piece[i].mem);
	free_view(vm, view);
}

int vmm__view_init(struct vmm_vm *vm)
{
	struct vmm__view *view = new_view(vm, 0);

	atomic_init(&vm->view, view);
	return view == NULL ? -VMM_ENOMEM : 0;
}

/* The engine's part of the VM is gone. */
void vmm__view_fini(struct vmm_vm *vm)
{
	struct vmm__view *view = atomic_load(&vm->view);

	if (view != NULL)
		unref_dirty(vm, view);
	vmm__view_retire(vm, view);
	vmm__free(vm->ctx, vm->slots, vm->slot_words * sizeof(*vm->slots));
}

/* --- building a view --- */

static bool continues(const struct vmm__piece *a, const struct vmm__piece *b)
{
	return a->gpa + a->len == b->gpa && a->mem == b->mem && a->offset + a->len == b->offset &&
	       a->prot == b->prot && a->dirty == b->dirty;
}

static void append(struct vmm__view *view, struct vmm__piece piece)
{
	struct vmm__piece *last = view->count != 0 ? &view->piece[view->count - 1] : NULL;

	piece.slot = NO_SLOT;
	if (last != NULL && continues(last, &piece))
		last->len += piece.len;
	else
		view->piece[view->count++] = piece;
}

/* The part of @p that begins @skip bytes in and is @len bytes long. */
static struct vmm__piece part(const struct vmm__piece *p, uint64_t skip, uint64_t len)
{
	struct vmm__piece q = *p;

	q.gpa += skip;
	q.offset += skip;
	q.len = len;
	return q;
}

/* What becomes of the part of a piece that lies within the edit. */
static void append_edited(struct vmm__view *view, struct vmm__piece piece,
			  const struct vmm__edit *edit)
{
	switch (edit->kind) {
	case VMM__EDIT_UNMAP:
		return;
	case VMM__EDIT_PROTECT:
		piece.prot = edit->with.prot;
		break;
	case VMM__EDIT_DIRTY:
		piece.dirty = edit->with.dirty;
		break;
	}
	append(view, piece);
}

/* The last byte is used rather than the end, which may be 2^64. */
static void build(struct vmm__view *view, const struct vmm__view *old, const struct vmm__edit *edit)
{
	uint64_t first = edit->with.gpa;
	uint64_t last = first + (edit->with.len - 1);
	bool placed = edit->kind != VMM__EDIT_MAP;

	for (size_t i = 0; i < old->count; i++) {
		const struct vmm__piece *p = &old->piece[i];
		uint64_t p_last = p->gpa + (p->len - 1);

		if (!placed && p->gpa > last) {
			append(view, edit->with);
			placed = true;
		}
		if (p_last < first || p->gpa > last) {
			append(view, *p);
			continue;
		}
		uint64_t from = p->gpa < first ? first : p->gpa;
		uint64_t to = p_last > last ? last : p_last;
		if (p->gpa < from)
			append(view, part(p, 0, from - p->gpa));
		append_edited(view, part(p, from - p->gpa, to - from + 1), edit);
		if (p_last > to)
			append(view, part(p, to + 1 - p->gpa, p_last - to));
	}
	if (!placed)
		append(view, edit->with);
}

/* --- the plan --- */

static void plan_push(struct plan *plan, const struct vmm__piece *before, struct vmm__piece *after)
{
	plan->change[plan->count++] = (struct change){before, after, false};
}

static bool same_place(const struct vmm__piece *a, const struct vmm__piece *b)
{
	return a->gpa == b->gpa && a->len == b->len && a->mem == b->mem && a->offset == b->offset;
}

static bool overlaps(const struct vmm__piece *a, const struct vmm__piece *b)
{
	return vmm__ranges_overlap(a->gpa, a->len, b->gpa, b->len);
}

/* Walk both views in step. What stands at the same place keeps its slot. */
static void make_plan(struct plan *plan, const struct vmm__view *old, struct vmm__view *new)
{
	size_t i = 0, j = 0;

	while (i < old->count || j < new->count) {
		const struct vmm__piece *a = i < old->count ? &old->piece[i] : NULL;
		struct vmm__piece *b = j < new->count ? &new->piece[j] : NULL;

		if (a != NULL && b != NULL && same_place(a, b)) {
			b->slot = a->slot;
			if (a->prot != b->prot || a->dirty != b->dirty)
				plan_push(plan, a, b);
			/* Engines may have to make the slot anew to change its protection. */
			plan->hold |= a->prot != b->prot;
			i++;
			j++;
			continue;
		}
		plan->hold |= a != NULL && b != NULL && overlaps(a, b);
		if (b == NULL || (a != NULL && a->gpa + (a->len - 1) <= b->gpa + (b->len - 1))) {
			plan_push(plan, a, NULL);
			i++;
		} else {
			plan_push(plan, NULL, b);
			j++;
		}
	}
}

/* --- slot numbers --- */

static int reserve_slots(struct vmm_vm *vm, size_t count)
{
	size_t words = (count + 63) / 64;

	if (words <= vm->slot_words)
		return 0;
	words *= 2;
	uint64_t *slots = vmm__alloc(vm->ctx, words * sizeof(*slots), sizeof(*slots));
	if (slots == NULL)
		return -VMM_ENOMEM;
	if (vm->slots != NULL)
		memcpy(slots, vm->slots, vm->slot_words * sizeof(*slots));
	vmm__free(vm->ctx, vm->slots, vm->slot_words * sizeof(*slots));
	vm->slots = slots;
	vm->slot_words = words;
	return 0;
}

static void mark_slot(struct vmm_vm *vm, uint32_t slot, bool used)
{
	if (used)
		vm->slots[slot / 64] |= BIT(slot % 64);
	else
		vm->slots[slot / 64] &= ~BIT(slot % 64);
}

static uint32_t take_slot(struct vmm_vm *vm)
{
	uint32_t slot = 0;

	while (vm->slots[slot / 64] & BIT(slot % 64))
		slot++;
	mark_slot(vm, slot, true);
	return slot;
}

/* Numbers of removed slots are free for added ones, which come after them. */
static void assign_slots(struct vmm_vm *vm, const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->change[i].after == NULL)
			mark_slot(vm, plan->change[i].before->slot, false);
	}
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->change[i].before == NULL)
			plan->change[i].after->slot = take_slot(vm);
	}
}

static void unassign_slots(struct vmm_vm *vm, const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->change[i].before == NULL)
			mark_slot(vm, plan->change[i].after->slot, false);
	}
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->change[i].after == NULL)
			mark_slot(vm, plan->change[i].before->slot, true);
	}
}

/* --- carrying it out --- */

static int set_slot(struct vmm_vm *vm, uint32_t number, const struct vmm__piece *piece, bool quiet,
		    struct vmm_error *error)
{
	if (piece == NULL)
		return vm->engine->mem_set(vm->backend, number, NULL, quiet, error);

	const struct vmm_mem *mem = piece->mem;
	struct vmm__slot slot = {
		.gpa = piece->gpa,
		.len = piece->len,
		.prot = piece->prot,
		.dirty = piece->dirty != NULL,
		.hva = mem->base != NULL ? mem->base + piece->offset : NULL,
		.extents = mem->extents,
		.extent_count = mem->extent_count,
		.memtype = mem->memtype,
		.extent_offset = mem->base != NULL ? 0 : piece->offset,
	};
	return vm->engine->mem_set(vm->backend, number, &slot, quiet, error);
}

static uint32_t number_of(const struct change *c)
{
	return c->before != NULL ? c->before->slot : c->after->slot;
}

/* Removals come first, additions last. */
static int phase_of(const struct change *c)
{
	if (c->after == NULL)
		return 0;
	return c->before != NULL ? 1 : 2;
}

/*
 * An engine has given before what is asked of it here, so this does not fail; if it does, the guest
 * has lost a mapping that the map still shows, and that can be unmapped and mapped again.
 */
static void undo(struct vmm_vm *vm, struct plan *plan, bool quiet)
{
	struct vmm_error error;

	for (int phase = 2; phase >= 0; phase--) {
		for (size_t i = plan->count; i-- > 0;) {
			struct change *c = &plan->change[i];

			if (!c->done || phase_of(c) != phase)
				continue;
			vmm__error_init(&error);
			if (set_slot(vm, number_of(c), c->before, quiet, &error) != 0)
				vmm__log(vm->ctx, VMM_LOG_ERROR,
					 "slot %u cannot be restored after a failure: %s",
					 number_of(c), error.text);
		}
	}
}

static int carry_out(struct vmm_vm *vm, struct plan *plan, bool quiet, struct vmm_error *error)
{
	for (int phase = 0; phase < 3; phase++) {
		for (size_t i = 0; i < plan->count; i++) {
			struct change *c = &plan->change[i];

			if (phase_of(c) != phase)
				continue;
			int r = set_slot(vm, number_of(c), c->after, quiet, error);
			if (r != 0) {
				undo(vm, plan, quiet);
				return r;
			}
			c->done = true;
		}
	}
	return 0;
}

/* A slot that goes or is made anew takes the engine's dirty bits with it: fetch them before. */
static int fetch_dirty(struct vmm_vm *vm, const struct plan *plan, struct vmm_error *error)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct vmm__piece *before = plan->change[i].before;

		if (before == NULL || before->dirty == NULL)
			continue;
		int r = vmm__dirty_fetch(vm, before, error);
		if (r != 0)
			return r;
	}
	return 0;
}

static int change_engine(struct vmm_vm *vm, const char *call, struct plan *plan)
{
	struct vmm_error error;
	bool sealed = atomic_load(&vm->sealed) != 0;
	bool hold = sealed && plan->hold;
	int r = hold ? vmm__hold(vm, call) : 0;

	if (r != 0)
		return r;
	vmm__error_init(&error);
	if (plan->hold)
		r = fetch_dirty(vm, plan, &error);
	if (r == 0) {
		assign_slots(vm, plan);
		r = carry_out(vm, plan, hold || !sealed, &error);
		if (r != 0)
			unassign_slots(vm, plan);
	}
	if (hold)
		vmm__release(vm);
	return r == 0 ? 0 : vmm__vm_pass(vm, r, call, &error);
}

static int change_to(struct vmm_vm *vm, const char *call, struct vmm__view *old,
		     struct vmm__view *new)
{
	struct plan plan = {.room = old->count + new->count};
	size_t bytes = plan.room * sizeof(*plan.change);

	if (vm->max_mappings != 0 && new->count > vm->max_mappings)
		return vmm__vm_fail(vm, -VMM_ELIMIT, call, "%llu mappings, the engine has %llu",
				    (unsigned long long)new->count,
				    (unsigned long long)vm->max_mappings);
	if (plan.room == 0)
		return 0;
	plan.change = vmm__alloc(vm->ctx, bytes, _Alignof(struct change));
	if (plan.change == NULL || reserve_slots(vm, old->count + EDIT_GROWTH) != 0) {
		vmm__free(vm->ctx, plan.change, bytes);
		return vmm__vm_fail(vm, -VMM_ENOMEM, call, "no memory for the change");
	}
	make_plan(&plan, old, new);
	int r = change_engine(vm, call, &plan);
	vmm__free(vm->ctx, plan.change, bytes);
	return r;
}

int vmm__edit_apply(struct vmm_vm *vm, const char *call, const struct vmm__edit *edit,
		    struct vmm__view **retired)
{
	struct vmm__view *old = atomic_load(&vm->view);
	struct vmm__view *new = new_view(vm, old->count + EDIT_GROWTH);

	if (new == NULL)
		return vmm__vm_fail(vm, -VMM_ENOMEM, call, "no memory for the change");
	build(new, old, edit);
	int r = change_to(vm, call, old, new);
	if (r != 0) {
		free_view(vm, new);
		return r;
	}
	ref_pieces(new);
	atomic_store(&vm->view, new);
	vmm__readers_wait(vm->host, &vm->readers);
	unref_dirty(vm, old);
	*retired = old;
	return 0;
}

/* --- the API --- */

int vmm__check_interval(struct vmm_vm *vm, const char *call, uint64_t gpa, uint64_t len)
{
	uint64_t page = UINT64_C(1) << vm->page_shift;

	if (len == 0)
		return vmm__vm_fail(vm, -VMM_EINVAL, call, "length is 0");
	if (!vmm__is_aligned(gpa | len, page))
		return vmm__vm_fail(vm, -VMM_EALIGN, call,
				    "0x%llx bytes at 0x%llx are not whole pages of 0x%llx",
				    (unsigned long long)len, (unsigned long long)gpa,
				    (unsigned long long)page);
	uint64_t top = vm->gpa_bits == 0 || vm->gpa_bits >= 64 ? UINT64_MAX : BIT(vm->gpa_bits) - 1;
	if (gpa > top || len - 1 > top - gpa)
		return vmm__vm_fail(vm, -VMM_ERANGE, call,
				    "0x%llx bytes at 0x%llx pass the highest address 0x%llx",
				    (unsigned long long)len, (unsigned long long)gpa,
				    (unsigned long long)top);
	return 0;
}

static int check_prot(struct vmm_vm *vm, const char *call, uint32_t prot)
{
	uint64_t able = 0;

	if ((prot & ~VMM_PROT_RWX) != 0 || !(prot & VMM_PROT_READ))
		return vmm__vm_fail(vm, -VMM_EINVAL, call, "protection 0x%x", prot);
	if (!(prot & VMM_PROT_WRITE) && (vmm_vm_cap(vm, VMM_CAP_PROT_READONLY, &able), able == 0))
		return vmm__vm_fail(vm, -VMM_ENOTSUP, call, "engine %s cannot withhold WRITE",
				    vm->engine->name);
	if (!(prot & VMM_PROT_EXEC) && (vmm_vm_cap(vm, VMM_CAP_PROT_EXEC, &able), able == 0))
		return vmm__vm_fail(vm, -VMM_ENOTSUP, call, "engine %s cannot withhold EXEC",
				    vm->engine->name);
	return 0;
}

static int check_object(struct vmm_vm *vm, const char *call, const struct vmm_mem *mem,
			uint64_t offset, uint64_t len)
{
	uint64_t able = 0;

	if (mem->ctx != vm->ctx)
		return vmm__vm_fail(vm, -VMM_EINVAL, call, "memory of another context");
	if (!vmm__is_aligned(offset, UINT64_C(1) << vm->page_shift))
		return vmm__vm_fail(vm, -VMM_EALIGN, call, "offset 0x%llx is not page aligned",
				    (unsigned long long)offset);
	if (!vmm__range_within(offset, len, mem->len))
		return vmm__vm_fail(vm, -VMM_ERANGE, call,
				    "0x%llx bytes at offset 0x%llx pass the object's 0x%llx",
				    (unsigned long long)len, (unsigned long long)offset,
				    (unsigned long long)mem->len);
	if (mem->base == NULL && (vmm_vm_cap(vm, VMM_CAP_MEM_PHYS, &able), able == 0))
		return vmm__vm_fail(vm, -VMM_ENOTSUP, call, "engine %s maps no physical memory",
				    vm->engine->name);
	return 0;
}

/* [gpa, gpa + len) has no piece in it. Under vm->lock. */
static bool is_free(const struct vmm__view *view, uint64_t gpa, uint64_t len)
{
	size_t i = vmm__view_find(view, gpa);

	return i == view->count || view->piece[i].gpa > gpa + (len - 1);
}

/* It is mapped without a hole. */
static bool is_whole(const struct vmm__view *view, uint64_t gpa, uint64_t len)
{
	for (size_t i = vmm__view_find(view, gpa); i < view->count; i++) {
		const struct vmm__piece *p = &view->piece[i];
		uint64_t in_piece = p->len - (gpa - p->gpa);

		if (p->gpa > gpa)
			return false;
		if (in_piece >= len)
			return true;
		gpa += in_piece;
		len -= in_piece;
	}
	return false;
}

int vmm_vm_map(struct vmm_vm *vm, uint64_t gpa, struct vmm_mem *mem, uint64_t offset, uint64_t len,
	       uint32_t prot)
{
	const char *call = "vmm_vm_map";
	struct vmm__view *retired = NULL;
	const struct vmm__edit edit = {
		VMM__EDIT_MAP,
		{.gpa = gpa, .len = len, .offset = offset, .mem = mem, .prot = prot},
	};

	if (vm == NULL || mem == NULL)
		return -VMM_EINVAL;
	int r = vmm__check_interval(vm, call, gpa, len);
	if (r == 0)
		r = check_prot(vm, call, prot);
	if (r == 0)
		r = check_object(vm, call, mem, offset, len);
	if (r != 0)
		return r;
	vmm__lock(vm->host, &vm->lock);
	if (is_free(atomic_load(&vm->view), gpa, len))
		r = vmm__edit_apply(vm, call, &edit, &retired);
	else
		r = vmm__vm_fail(vm, -VMM_EEXIST, call, "part of 0x%llx bytes at 0x%llx is mapped",
				 (unsigned long long)len, (unsigned long long)gpa);
	vmm__unlock(vm->host, &vm->lock);
	vmm__view_retire(vm, retired);
	return r;
}

int vmm_vm_unmap(struct vmm_vm *vm, uint64_t gpa, uint64_t len)
{
	const char *call = "vmm_vm_unmap";
	struct vmm__view *retired = NULL;
	const struct vmm__edit edit = {VMM__EDIT_UNMAP, {.gpa = gpa, .len = len}};

	if (vm == NULL)
		return -VMM_EINVAL;
	int r = vmm__check_interval(vm, call, gpa, len);
	if (r != 0)
		return r;
	vmm__lock(vm->host, &vm->lock);
	if (is_free(atomic_load(&vm->view), gpa, len))
		r = vmm__vm_fail(vm, -VMM_ENOENT, call, "nothing is mapped at 0x%llx",
				 (unsigned long long)gpa);
	else
		r = vmm__edit_apply(vm, call, &edit, &retired);
	vmm__unlock(vm->host, &vm->lock);
	vmm__view_retire(vm, retired);
	return r;
}

int vmm_vm_protect(struct vmm_vm *vm, uint64_t gpa, uint64_t len, uint32_t prot)
{
	const char *call = "vmm_vm_protect";
	struct vmm__view *retired = NULL;
	const struct vmm__edit edit = {VMM__EDIT_PROTECT, {.gpa = gpa, .len = len, .prot = prot}};

	if (vm == NULL)
		return -VMM_EINVAL;
	int r = vmm__check_interval(vm, call, gpa, len);
	if (r == 0)
		r = check_prot(vm, call, prot);
	if (r != 0)
		return r;
	vmm__lock(vm->host, &vm->lock);
	if (is_whole(atomic_load(&vm->view), gpa, len))
		r = vmm__edit_apply(vm, call, &edit, &retired);
	else
		r = vmm__vm_fail(vm, -VMM_ENOENT, call, "0x%llx bytes at 0x%llx have a hole",
				 (unsigned long long)len, (unsigned long long)gpa);
	vmm__unlock(vm->host, &vm->lock);
	vmm__view_retire(vm, retired);
	return r;
}

int vmm_vm_find_mapping(struct vmm_vm *vm, uint64_t gpa, struct vmm_mapping *out)
{
	struct vmm_mapping found = {0};

	if (vm == NULL || out == NULL)
		return -VMM_EINVAL;
	_Atomic uint32_t *reading = vmm__readers_enter(&vm->readers, vmm__reader_slot(vm));
	const struct vmm__view *view = atomic_load(&vm->view);
	size_t i = vmm__view_find(view, gpa);
	bool there = i < view->count;
	if (there) {
		const struct vmm__piece *p = &view->piece[i];

		found.prot = p->prot;
		found.gpa = p->gpa;
		found.len = p->len;
		found.mem = p->mem;
		found.offset = p->offset;
	}
	vmm__readers_leave(reading);
	return there ? vmm__give_struct(out, &found, sizeof(found)) : -VMM_ENOENT;
}

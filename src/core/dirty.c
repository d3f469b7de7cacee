// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Dirty tracking. The bits belong to the interval that was asked for and stay where they are while
 * mappings are split, merged and protected. The engine keeps bits of its own for each slot; they
 * are fetched into ours when somebody harvests, and before a slot is made anew.
 */
#include "core.h"

static size_t bitmap_words(uint64_t pages)
{
	return (size_t)((pages + 63) / 64);
}

static void free_dirty(struct vmm_vm *vm, struct vmm__dirty *dirty)
{
	size_t bytes = dirty->words * sizeof(uint64_t);

	vmm__free(vm->ctx, dirty->bits, bytes);
	vmm__free(vm->ctx, dirty->scratch, bytes);
	vmm__free(vm->ctx, dirty, sizeof(*dirty));
}

static struct vmm__dirty *new_dirty(struct vmm_vm *vm, uint64_t gpa, uint64_t len)
{
	struct vmm__dirty *dirty = vmm__alloc(vm->ctx, sizeof(*dirty), _Alignof(struct vmm__dirty));

	if (dirty == NULL)
		return NULL;
	dirty->gpa = gpa;
	dirty->words = bitmap_words(len >> vm->page_shift);
	dirty->bits = vmm__alloc(vm->ctx, dirty->words * sizeof(uint64_t), sizeof(uint64_t));
	dirty->scratch = vmm__alloc(vm->ctx, dirty->words * sizeof(uint64_t), sizeof(uint64_t));
	if (dirty->bits == NULL || dirty->scratch == NULL) {
		free_dirty(vm, dirty);
		return NULL;
	}
	return dirty;
}

void vmm__dirty_unref(struct vmm_vm *vm, struct vmm__dirty *dirty)
{
	if (--dirty->refs == 0)
		free_dirty(vm, dirty);
}

void vmm__dirty_mark(const struct vmm__piece *piece, uint32_t page_shift, uint64_t gpa,
		     uint64_t len)
{
	struct vmm__dirty *dirty = piece->dirty;
	uint64_t first = (gpa - dirty->gpa) >> page_shift;
	uint64_t last = (gpa - dirty->gpa + (len - 1)) >> page_shift;

	for (uint64_t word = first / 64; word <= last / 64; word++) {
		uint64_t low = word == first / 64 ? first % 64 : 0;
		uint64_t high = word == last / 64 ? last % 64 : 63;

		atomic_fetch_or(&dirty->bits[word], BITS(high, low));
	}
}

/* OR @words words of @from into @to from bit @at on. */
static void merge_bits(_Atomic uint64_t *to, uint64_t at, const uint64_t *from, size_t words)
{
	size_t word = (size_t)(at / 64);
	uint64_t shift = at % 64;

	for (size_t i = 0; i < words; i++) {
		if (from[i] == 0)
			continue;
		atomic_fetch_or(&to[word + i], from[i] << shift);
		/* The bits that leave the word at its top; none where that is the last word. */
		if (shift != 0 && from[i] >> (64 - shift) != 0)
			atomic_fetch_or(&to[word + i + 1], from[i] >> (64 - shift));
	}
}

int vmm__dirty_fetch(struct vmm_vm *vm, const struct vmm__piece *piece, struct vmm_error *error)
{
	struct vmm__dirty *dirty = piece->dirty;
	uint64_t pages = piece->len >> vm->page_shift;
	size_t words = bitmap_words(pages);

	memset(dirty->scratch, 0, words * sizeof(uint64_t));
	int r = vm->engine->mem_dirty(vm->backend, piece->slot, dirty->scratch, words, error);
	if (r != 0)
		return r;
	if (pages % 64 != 0)
		dirty->scratch[words - 1] &= BITS(pages % 64 - 1, 0);
	merge_bits(dirty->bits, (piece->gpa - dirty->gpa) >> vm->page_shift, dirty->scratch, words);
	return 0;
}

/* What an interval has been seen to hold. */
struct survey {
	bool hole;
	bool tracked;   /* some of it */
	bool untracked; /* some of it */
};

static struct survey survey(const struct vmm__view *view, uint64_t gpa, uint64_t len)
{
	struct survey s = {false, false, false};
	uint64_t last = gpa + (len - 1);
	bool done = false;

	for (size_t i = vmm__view_find(view, gpa); !done; i++) {
		const struct vmm__piece *p = &view->piece[i];

		if (i == view->count || p->gpa > last) {
			s.hole = true;
			break;
		}
		s.hole |= p->gpa > gpa;
		s.tracked |= p->dirty != NULL;
		s.untracked |= p->dirty == NULL;
		gpa = p->gpa + p->len;
		done = p->gpa + (p->len - 1) >= last;
	}
	return s;
}

/* Under vm->lock. */
static int start(struct vmm_vm *vm, const char *call, uint64_t gpa, uint64_t len,
		 struct vmm__view **retired)
{
	struct survey s = survey(atomic_load(&vm->view), gpa, len);

	if (s.hole)
		return vmm__vm_fail(vm, -VMM_ENOENT, call, "0x%llx bytes at 0x%llx have a hole",
				    (unsigned long long)len, (unsigned long long)gpa);
	if (s.tracked)
		return vmm__vm_fail(vm, -VMM_EEXIST, call,
				    "part of 0x%llx bytes at 0x%llx is tracked already",
				    (unsigned long long)len, (unsigned long long)gpa);
	struct vmm__dirty *dirty = new_dirty(vm, gpa, len);
	if (dirty == NULL)
		return vmm__vm_fail(vm, -VMM_ENOMEM, call, "no memory for the tables");
	const struct vmm__edit edit = {VMM__EDIT_DIRTY, {.gpa = gpa, .len = len, .dirty = dirty}};
	int r = vmm__edit_apply(vm, call, &edit, retired);
	if (r != 0)
		free_dirty(vm, dirty);
	return r;
}

int vmm_vm_dirty_start(struct vmm_vm *vm, uint64_t gpa, uint64_t len)
{
	const char *call = "vmm_vm_dirty_start";
	struct vmm__view *retired = NULL;
	uint64_t able = 0;

	if (vm == NULL)
		return -VMM_EINVAL;
	int r = vmm__check_interval(vm, call, gpa, len);
	if (r != 0)
		return r;
	if (vmm_vm_cap(vm, VMM_CAP_DIRTY, &able) != 0 || able == 0 || vm->engine->mem_dirty == NULL)
		return vmm__vm_fail(vm, -VMM_ENOTSUP, call, "engine %s tracks no writes",
				    vm->engine->name);
	vmm__lock(vm->host, &vm->lock);
	r = start(vm, call, gpa, len, &retired);
	vmm__unlock(vm->host, &vm->lock);
	vmm__view_retire(vm, retired);
	return r;
}

int vmm_vm_dirty_stop(struct vmm_vm *vm, uint64_t gpa, uint64_t len)
{
	const char *call = "vmm_vm_dirty_stop";
	struct vmm__view *retired = NULL;
	const struct vmm__edit edit = {VMM__EDIT_DIRTY, {.gpa = gpa, .len = len}};

	if (vm == NULL)
		return -VMM_EINVAL;
	int r = vmm__check_interval(vm, call, gpa, len);
	if (r != 0)
		return r;
	vmm__lock(vm->host, &vm->lock);
	if (survey(atomic_load(&vm->view), gpa, len).tracked)
		r = vmm__edit_apply(vm, call, &edit, &retired);
	else
		r = vmm__vm_fail(vm, -VMM_ENOENT, call, "nothing is tracked at 0x%llx",
				 (unsigned long long)gpa);
	vmm__unlock(vm->host, &vm->lock);
	vmm__view_retire(vm, retired);
	return r;
}

/* Move @pages bits from @from, bit @at on, to @to, bit @to_at on. */
static void take_bits(_Atomic uint64_t *from, uint64_t at, uint64_t *to, uint64_t to_at,
		      uint64_t pages)
{
	while (pages != 0) {
		uint64_t low = at % 64;
		uint64_t room = 64 - (low > to_at % 64 ? low : to_at % 64);
		uint64_t now = pages < room ? pages : room;
		uint64_t mask = BITS(low + now - 1, low);
		uint64_t got = atomic_fetch_and(&from[at / 64], ~mask) & mask;

		to[to_at / 64] |= got >> low << (to_at % 64);
		at += now;
		to_at += now;
		pages -= now;
	}
}

/* Under vm->lock. First all that can fail, then the bits. */
static int harvest(struct vmm_vm *vm, const char *call, uint64_t gpa, uint64_t len,
		   uint64_t *bitmap)
{
	const struct vmm__view *view = atomic_load(&vm->view);
	struct survey s = survey(view, gpa, len);
	uint64_t last = gpa + (len - 1);
	size_t first = vmm__view_find(view, gpa);
	struct vmm_error error;

	if (s.hole || s.untracked)
		return vmm__vm_fail(vm, -VMM_ENOENT, call,
				    "0x%llx bytes at 0x%llx are not all tracked",
				    (unsigned long long)len, (unsigned long long)gpa);
	vmm__error_init(&error);
	for (size_t i = first; i < view->count && view->piece[i].gpa <= last; i++) {
		int r = vmm__dirty_fetch(vm, &view->piece[i], &error);
		if (r != 0)
			return vmm__vm_pass(vm, r, call, &error);
	}
	for (size_t i = first; i < view->count && view->piece[i].gpa <= last; i++) {
		const struct vmm__piece *p = &view->piece[i];
		uint64_t from = p->gpa > gpa ? p->gpa : gpa;
		uint64_t to = p->gpa + (p->len - 1) < last ? p->gpa + (p->len - 1) : last;

		take_bits(p->dirty->bits, (from - p->dirty->gpa) >> vm->page_shift, bitmap,
			  (from - gpa) >> vm->page_shift, ((to - from) >> vm->page_shift) + 1);
	}
	return 0;
}

int vmm_vm_dirty_harvest(struct vmm_vm *vm, uint64_t gpa, uint64_t len, uint64_t *bitmap,
			 size_t words)
{
	const char *call = "vmm_vm_dirty_harvest";

	if (vm == NULL || bitmap == NULL)
		return -VMM_EINVAL;
	int r = vmm__check_interval(vm, call, gpa, len);
	if (r != 0)
		return r;
	if (words < bitmap_words(len >> vm->page_shift))
		return vmm__vm_fail(vm, -VMM_ESIZE, call, "%llu words, %llu needed",
				    (unsigned long long)words,
				    (unsigned long long)bitmap_words(len >> vm->page_shift));
	memset(bitmap, 0, words * sizeof(*bitmap));
	vmm__lock(vm->host, &vm->lock);
	r = harvest(vm, call, gpa, len, bitmap);
	vmm__unlock(vm->host, &vm->lock);
	return r;
}

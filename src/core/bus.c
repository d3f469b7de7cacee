// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The bus: which callback serves an address.
 *
 * Regions and doorbells stand in a snapshot that never changes once it is published. A dispatch
 * finds its region there within a reader's section, notes that it calls it (a vCPU in its calling,
 * others in the region's list), and leaves the section before it calls: callbacks may sleep, and
 * may change the bus. Removing a region publishes a snapshot without it and waits for the readers,
 * after which nobody can find it any more; those that have found it have noted so.
 *
 * Accesses that a vCPU has made are found without the snapshot (serve.h). They are to be
 * forgotten after the readers have gone, so that none of them can remember one anew.
 *
 * There is no lock on a vCPU's way, and no word that two of them write.
 */
#include "serve.h"

#define PORTS UINT64_C(0x10000)

/* --- snapshots --- */

static size_t view_bytes(size_t room)
{
	return sizeof(struct vmm__bus_view) + room * sizeof(void *);
}

static struct vmm__bus_view *new_view(struct vmm_vm *vm, size_t room)
{
	struct vmm__bus_view *view =
		vmm__alloc(vm->ctx, view_bytes(room), _Alignof(struct vmm__bus_view));

	if (view != NULL)
		view->room = room;
	return view;
}

static void free_view(struct vmm_vm *vm, struct vmm__bus_view *view)
{
	if (view != NULL)
		vmm__free(vm->ctx, view, view_bytes(view->room));
}

/* Divide a snapshot's room between the two kinds. */
static void lay_out(struct vmm__bus_view *view, size_t regions, size_t bells)
{
	view->region_count = regions;
	view->bell_count = bells;
	view->regions = (struct vmm_region **)(void *)(view + 1);
	view->bells = (struct vmm_doorbell **)(void *)(view->regions + regions);
}

static bool before(const struct vmm_region *a, const struct vmm_region *b)
{
	return a->space != b->space ? a->space < b->space : a->first < b->first;
}

static void copy_regions(struct vmm__bus_view *to, const struct vmm__bus_view *from,
			 struct vmm_region *add, const struct vmm_region *drop)
{
	size_t n = 0;

	for (size_t i = 0; i < from->region_count; i++) {
		if (add != NULL && before(add, from->regions[i])) {
			to->regions[n++] = add;
			add = NULL;
		}
		if (from->regions[i] != drop)
			to->regions[n++] = from->regions[i];
	}
	if (add != NULL)
		to->regions[n] = add;
}

static void copy_bells(struct vmm__bus_view *to, const struct vmm__bus_view *from,
		       struct vmm_doorbell *add, const struct vmm_doorbell *drop)
{
	size_t n = 0;

	for (size_t i = 0; i < from->bell_count; i++) {
		if (from->bells[i] != drop)
			to->bells[n++] = from->bells[i];
	}
	if (add != NULL)
		to->bells[n] = add;
}

/* The smallest window that covers a snapshot's entries of a space, and denied ports. */
static void cover(const struct vmm_vm *vm, const struct vmm__bus_view *view, uint32_t space,
		  uint64_t *first, uint64_t *last)
{
	*first = UINT64_MAX;
	*last = 0;
#define COVER(f, l)                                   \
	do {                                          \
		*first = (f) < *first ? (f) : *first; \
		*last = (l) > *last ? (l) : *last;    \
	} while (0)
	for (size_t i = 0; i < view->region_count; i++) {
		if (view->regions[i]->space == space)
			COVER(view->regions[i]->first, view->regions[i]->last);
	}
	for (size_t i = 0; i < view->bell_count; i++) {
		const struct vmm_doorbell_config *c = &view->bells[i]->config;

		if (c->space == space)
			COVER(c->addr, c->addr);
	}
	/* An access of up to 4 bytes is denied with any of its ports. */
	for (uint32_t i = 0; space == VMM_SPACE_PORT && i < vm->port_count; i++) {
		const struct vmm_x86_filter *f = &vm->ports[i];
		uint64_t lowest = f->first > 3 ? f->first - 3 : 0;

		if (f->action == VMM_FILTER_DENY)
			COVER(lowest, (uint64_t)f->first + f->count - 1);
	}
#undef COVER
}

static void set_windows(struct vmm_vm *vm, const struct vmm__bus_view *view)
{
	for (uint32_t space = 0; space <= VMM_SPACE_PORT; space++) {
		uint32_t reason = vmm__window_of(space);
		uint64_t first, last;

		cover(vm, view, space, &first, &last);
		atomic_store(&vm->windows.first[reason], first);
		atomic_store(&vm->windows.last[reason], last);
	}
}

void vmm__window_update(struct vmm_vm *vm)
{
	vmm__lock(vm->host, &vm->bus.lock);
	set_windows(vm, atomic_load(&vm->bus.view));
	vmm__unlock(vm->host, &vm->bus.lock);
}

/*
 * A snapshot with room for @count entries to fill next, kept in bus.spare. Where there is none, two
 * are made, the second to be the spare afterwards: so there always is one for a removal, which
 * cannot fail.
 */
static int ready_spare(struct vmm_vm *vm, size_t count, struct vmm__bus_view **after)
{
	*after = NULL;
	if (vm->bus.spare->room >= count)
		return 0;
	struct vmm__bus_view *next = new_view(vm, 2 * count);
	*after = new_view(vm, 2 * count);
	if (next == NULL || *after == NULL) {
		free_view(vm, next);
		free_view(vm, *after);
		return -VMM_ENOMEM;
	}
	free_view(vm, vm->bus.spare);
	vm->bus.spare = next;
	return 0;
}

int vmm__bus_change(struct vmm_vm *vm, const struct vmm__bus_edit *edit)
{
	struct vmm__bus_view *old = atomic_load(&vm->bus.view);
	size_t regions = old->region_count + (edit->add != NULL) - (edit->drop != NULL);
	size_t bells = old->bell_count + (edit->add_bell != NULL) - (edit->drop_bell != NULL);
	bool grows = edit->add != NULL || edit->add_bell != NULL;
	struct vmm__bus_view *after;

	if (ready_spare(vm, regions + bells, &after) != 0)
		return -VMM_ENOMEM;
	struct vmm__bus_view *view = vm->bus.spare;
	lay_out(view, regions, bells);
	copy_regions(view, old, edit->add, edit->drop);
	copy_bells(view, old, edit->add_bell, edit->drop_bell);
	if (grows)
		set_windows(vm, view);
	atomic_store(&vm->bus.view, view);
	vmm__readers_wait(vm->host, &vm->readers);
	for (uint32_t i = 0; i < vm->max_vcpus && edit->add == NULL; i++) {
		if (vmm__vcpu(vm, i) != NULL)
			atomic_fetch_or(&vmm__vcpu(vm, i)->control, VMM__REQ_FORGET);
	}
	if (!grows)
		set_windows(vm, view);
	vm->bus.spare = after != NULL ? after : old;
	if (after != NULL)
		free_view(vm, old);
	return 0;
}

int vmm__bus_init(struct vmm_vm *vm)
{
	struct vmm__bus_view *view = new_view(vm, 0);

	atomic_init(&vm->bus.view, view);
	vm->bus.spare = new_view(vm, 0);
	if (view == NULL || vm->bus.spare == NULL)
		return -VMM_ENOMEM;
	lay_out(view, 0, 0);
	for (uint32_t i = 0; i < VMM_EXIT_REASONS; i++)
		atomic_init(&vm->windows.first[i], UINT64_MAX);
	set_windows(vm, view);
	return 0;
}

/* --- regions --- */

/* Nobody can find the region, and no call is in flight. */
static void release(struct vmm_region *region)
{
	struct vmm_ctx *ctx = region->vm->ctx;

	if (region->ops.released != NULL)
		region->ops.released(region->opaque);
	vmm__free(ctx, region, sizeof(*region));
}

static bool is_called_by(struct vmm_vcpu *vcpu, const struct vmm_region *region)
{
	return vcpu != NULL && atomic_load(&vcpu->calling) == region;
}

/* By whom else there may be; on its thread's stack. */
static bool is_dispatched(struct vmm_region *region, bool awaited)
{
	vmm__lock(region->vm->host, &region->lock);
	bool found = region->calls != NULL;
	region->awaited |= awaited;
	vmm__unlock(region->vm->host, &region->lock);
	return found;
}

static bool is_called(struct vmm_region *region)
{
	struct vmm_vm *vm = region->vm;
	bool found = is_dispatched(region, false);

	for (uint32_t i = 0; i < vm->max_vcpus && !found; i++)
		found = is_called_by(vmm__vcpu(vm, i), region);
	return found;
}

/* Release what was removed from within a callback and is not called any more. */
static void sweep(struct vmm_vm *vm)
{
	struct vmm_region *left = NULL, *gone = NULL, *next;

	vmm__lock(vm->host, &vm->bus.lock);
	for (struct vmm_region *r = atomic_load(&vm->bus.dying); r != NULL; r = next) {
		struct vmm_region **to = is_called(r) ? &left : &gone;

		next = r->next;
		r->next = *to;
		*to = r;
	}
	atomic_store(&vm->bus.dying, left);
	vmm__unlock(vm->host, &vm->bus.lock);
	for (; gone != NULL; gone = next) {
		next = gone->next;
		release(gone);
	}
}

static const struct vmm_region *overlap(const struct vmm__bus_view *view,
					const struct vmm_region *region)
{
	for (size_t i = 0; i < view->region_count; i++) {
		const struct vmm_region *r = view->regions[i];

		if (r->space == region->space && r->first <= region->last &&
		    region->first <= r->last)
			return r;
	}
	return NULL;
}

static int insert(struct vmm_vm *vm, const char *call, struct vmm_region *region)
{
	const struct vmm__bus_edit edit = {.add = region};

	vmm__lock(vm->host, &vm->bus.lock);
	const struct vmm_region *other = overlap(atomic_load(&vm->bus.view), region);
	int r = other != NULL ? -VMM_EEXIST : vmm__bus_change(vm, &edit);
	if (other != NULL)
		vmm__vm_fail(vm, r, call, "0x%llx-0x%llx overlaps 0x%llx-0x%llx",
			     (unsigned long long)region->first, (unsigned long long)region->last,
			     (unsigned long long)other->first, (unsigned long long)other->last);
	else if (r != 0)
		vmm__vm_fail(vm, r, call, "no memory for the bus");
	vmm__unlock(vm->host, &vm->bus.lock);
	return r;
}

static int refuse_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		       uint64_t *value)
{
	(void)opaque, (void)vcpu, (void)offset, (void)width, (void)value;
	return -VMM_ENOENT;
}

static int refuse_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
			uint64_t value)
{
	(void)opaque, (void)vcpu, (void)offset, (void)width, (void)value;
	return -VMM_ENOENT;
}

int vmm_region_add(struct vmm_vm *vm, uint32_t space, uint64_t base, uint64_t len,
		   const struct vmm_region_ops *ops, void *opaque, struct vmm_region **out)
{
	const char *call = "vmm_region_add";
	struct vmm_region_ops own;

	if (vm == NULL || out == NULL)
		return -VMM_EINVAL;
	*out = NULL;
	if (space > VMM_SPACE_PORT || len == 0 || vmm__take_struct(&own, sizeof(own), ops) != 0)
		return vmm__vm_fail(vm, -VMM_EINVAL, call, "space %u, %llu addresses", space,
				    (unsigned long long)len);
	if (len - 1 > UINT64_MAX - base ||
	    (space == VMM_SPACE_PORT && !vmm__range_within(base, len, PORTS)))
		return vmm__vm_fail(vm, -VMM_ERANGE, call, "0x%llx addresses from 0x%llx",
				    (unsigned long long)len, (unsigned long long)base);

	struct vmm_region *region =
		vmm__alloc(vm->ctx, sizeof(*region), _Alignof(struct vmm_region));
	if (region == NULL)
		return vmm__vm_fail(vm, -VMM_ENOMEM, call, "no memory for the region");
	region->vm = vm;
	region->space = space;
	region->first = base;
	region->last = base + (len - 1);
	region->ops = own;
	region->opaque = opaque;
	if (own.read == NULL)
		region->ops.read = refuse_read;
	if (own.write == NULL)
		region->ops.write = refuse_write;
	/* Before it can be found: its callbacks may want it. */
	*out = region;
	int r = insert(vm, call, region);
	if (r != 0) {
		*out = NULL;
		vmm__free(vm->ctx, region, sizeof(*region));
	}
	return r;
}

/* The calling thread is inside one of the region's callbacks. */
static bool in_own_callback(struct vmm_region *region)
{
	struct vmm_vm *vm = region->vm;
	uint64_t me = vmm__thread_id(vm->host);
	bool found = false;

	for (uint32_t i = 0; i < vm->max_vcpus && !found; i++) {
		struct vmm_vcpu *vcpu = vmm__vcpu(vm, i);

		found = is_called_by(vcpu, region) && atomic_load(&vcpu->runner) == me;
	}
	vmm__lock(vm->host, &region->lock);
	for (struct vmm__call *c = region->calls; c != NULL && !found; c = c->next)
		found = c->thread == me;
	vmm__unlock(vm->host, &region->lock);
	return found;
}

/* Have a vCPU that calls the region look at what is left when it has ended: vmm__bus_asked(). */
static uint32_t mark(struct vmm_vcpu *vcpu)
{
	return atomic_fetch_or(&vcpu->control, VMM__VCPU_WAITED) | VMM__VCPU_WAITED;
}

/* Until the last call has ended. */
static void await_calls(struct vmm_vm *vm, struct vmm_region *region)
{
	uint32_t seen;

	for (uint32_t i = 0; i < vm->max_vcpus; i++) {
		struct vmm_vcpu *vcpu = vmm__vcpu(vm, i);

		while (is_called_by(vcpu, region)) {
			seen = mark(vcpu);
			if (is_called_by(vcpu, region))
				vmm__wait(vm->host, &vcpu->control, seen, VMM_FOREVER);
		}
	}
	while (seen = atomic_load(&vm->bus.drained), is_dispatched(region, true))
		vmm__wait(vm->host, &vm->bus.drained, seen, VMM_FOREVER);
}

/* The calls that are under way, the caller's own among them, are to end first. */
static void defer(struct vmm_vm *vm, struct vmm_region *region)
{
	vmm__lock(vm->host, &vm->bus.lock);
	region->next = atomic_load(&vm->bus.dying);
	atomic_store(&vm->bus.dying, region);
	for (uint32_t i = 0; i < vm->max_vcpus; i++) {
		struct vmm_vcpu *vcpu = vmm__vcpu(vm, i);

		if (is_called_by(vcpu, region))
			mark(vcpu);
	}
	vmm__unlock(vm->host, &vm->bus.lock);
}

void vmm_region_remove(struct vmm_region *region)
{
	if (region == NULL)
		return;
	struct vmm_vm *vm = region->vm;
	const struct vmm__bus_edit edit = {.drop = region};
	vmm__lock(vm->host, &vm->bus.lock);
	vmm__bus_change(vm, &edit);
	vmm__unlock(vm->host, &vm->bus.lock);

	if (in_own_callback(region)) {
		defer(vm, region);
		return;
	}
	await_calls(vm, region);
	release(region);
}

/* --- dispatch --- */

static VMM__INLINE struct vmm_region *find(const struct vmm__bus_view *view, uint32_t space,
					   uint64_t addr, uint32_t width)
{
	size_t low = 0, high = view->region_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct vmm_region *r = view->regions[middle];

		if (space < r->space || (space == r->space && addr < r->first))
			high = middle;
		else if (space > r->space || addr > r->last)
			low = middle + 1;
		else
			return width - 1 <= r->last - addr ? r : NULL;
	}
	return NULL;
}

static uint64_t value_mask(uint32_t width)
{
	return UINT64_MAX >> (64 - 8 * width);
}

/* What goes before a region goes before what is remembered, too. */
static void remember(struct vmm_vcpu *vcpu, const struct vmm__bus_view *view,
		     struct vmm_region *region, uint64_t addr, uint32_t width, uint32_t write)
{
	bool port = region->space == VMM_SPACE_PORT;
	uint32_t key = port ? vmm__hit_key((uint32_t)addr, width, !write)
			    : vmm__hit_key_mmio(addr, width, !write);
	struct vmm__hit *hit = vmm__hit_of(vcpu, key);

	if (view->bell_count != 0 || (port && vcpu->vm->port_count != 0))
		return;
	*hit = (struct vmm__hit){
		.region = region,
		.opaque = region->opaque,
		.addr = addr,
		.offset = addr - region->first,
		.mask = value_mask(width),
		.kept = width < 4 ? ~value_mask(width) : 0, /* SDM 1, 3.4.1.1 */
		.key = key,
		.width = width,
	};
	if (write)
		hit->write = region->ops.write;
	else
		hit->read = region->ops.read;
}

/* Note a call, by a vCPU or by @here. What another remembers stays with it: calling comes last. */
static void note(struct vmm_region *region, struct vmm_vcpu *vcpu, struct vmm__call *here)
{
	struct vmm_vm *vm = region->vm;

	if (vcpu != NULL) {
		atomic_store(&vcpu->runner, vmm__thread_id(vm->host));
		atomic_store(&vcpu->calling, region);
		return;
	}
	here->thread = vmm__thread_id(vm->host);
	vmm__lock(vm->host, &region->lock);
	here->next = region->calls;
	region->calls = here;
	vmm__unlock(vm->host, &region->lock);
}

/*
 * What claims an access of @vcpu, or of @here without one. Returns the region with the call noted;
 * NULL with *@r: 0 if it has been served (a doorbell rang, or a filter denied it), else
 * -VMM_ENOENT.
 */
static struct vmm_region *claim(struct vmm_vm *vm, struct vmm_vcpu *vcpu, struct vmm__call *here,
				uint32_t space, uint64_t addr, uint32_t width, uint32_t write,
				uint64_t *value, int *r)
{
	uint32_t slot = vcpu != NULL ? VMM__SHARED_READERS + vcpu->index : vmm__reader_slot(vm);

	if (vm->port_count != 0 && space == VMM_SPACE_PORT && atomic_load(&vm->sealed) &&
	    vmm__port_denied(vm, addr, width, write ? VMM_FILTER_WRITE : VMM_FILTER_READ)) {
		if (!write)
			*value = value_mask(width);
		*r = 0;
		return NULL;
	}
	_Atomic uint32_t *reading = vmm__readers_enter(&vm->readers, slot);
	const struct vmm__bus_view *view = atomic_load(&vm->bus.view);
	struct vmm_region *region = NULL;
	struct vmm_doorbell *bell = NULL;

	if (write && view->bell_count != 0)
		bell = vmm__bell_find(view, space, addr, width, *value);
	*r = -VMM_ENOENT;
	if (bell != NULL)
		*r = vm->host->event_signal(vm->host->opaque, bell->config.event);
	else
		region = find(view, space, addr, width);
	if (region != NULL) {
		note(region, vcpu, here);
		if (vcpu != NULL)
			remember(vcpu, view, region, addr, width, write);
	}
	vmm__readers_leave(reading);
	return region;
}

static VMM__INLINE int call(struct vmm_region *region, struct vmm_vcpu *vcpu, uint64_t addr,
			    uint32_t width, uint32_t write, uint64_t *value)
{
	uint64_t offset = addr - region->first, got = 0;
	int r;

	if (write) {
		r = region->ops.write(region->opaque, vcpu, offset, width,
				      *value & value_mask(width));
	} else {
		r = region->ops.read(region->opaque, vcpu, offset, width, &got);
		if (r == 0)
			*value = got & value_mask(width);
	}
	return r > 0 ? -VMM_EINVAL : r;
}

int vmm__bus_serve(struct vmm_vcpu *vcpu, struct vmm_exit *exit)
{
	struct vmm_vm *vm = vcpu->vm;
	uint32_t space = exit->reason - VMM_EXIT_MMIO;
	uint32_t write = exit->flags & VMM_EXIT_F_WRITE;
	int r;
	struct vmm_region *region =
		claim(vm, vcpu, NULL, space, exit->addr, exit->width, write, &exit->data, &r);

	if (region == NULL)
		return r;
	if (atomic_load(&vcpu->control) & VMM__VCPU_WAITED) { /* until it is out of the guest */
		vmm__vcpu_wake(vcpu);
		/* Or by defer(), for the end of this call. */
		if (atomic_load(&vm->bus.dying) != NULL)
			mark(vcpu);
	}
	r = call(region, vcpu, exit->addr, exit->width, write, &exit->data);
	vmm__call_end(vcpu);
	return r;
}

/* The last one of the region's callers may have taken this for a call, and who removes it waits. */
VMM__COLD void vmm__call_off(struct vmm_vcpu *vcpu)
{
	atomic_store(&vcpu->calling, NULL);
	if (atomic_load(&vcpu->control) & VMM__VCPU_WAITED)
		vmm__vcpu_wake(vcpu);
	if (atomic_load(&vcpu->vm->bus.dying) != NULL)
		sweep(vcpu->vm);
}

bool vmm__bus_asked(struct vmm_vcpu *vcpu)
{
	uint32_t control = atomic_load(&vcpu->control);

	if (control & VMM__VCPU_WAITED) {
		vmm__vcpu_wake(vcpu);
		if (atomic_load(&vcpu->vm->bus.dying) != NULL)
			sweep(vcpu->vm);
	}
	return (control & VMM__REQ_ANY) != 0;
}

int vmm_vm_dispatch(struct vmm_vm *vm, uint32_t space, uint64_t addr, uint32_t width,
		    uint32_t write, uint64_t *value)
{
	int r;

	if (vm == NULL || value == NULL || space > VMM_SPACE_PORT || width > 8 ||
	    !vmm__is_pow2(width) || write > 1)
		return -VMM_EINVAL;
	struct vmm__call here;
	struct vmm_region *region = claim(vm, NULL, &here, space, addr, width, write, value, &r);
	if (region == NULL)
		return r;

	r = call(region, NULL, addr, width, write, value);

	vmm__lock(vm->host, &region->lock);
	struct vmm__call **link = &region->calls;
	while (*link != &here)
		link = &(*link)->next;
	*link = here.next;
	bool awaited = region->awaited;
	vmm__unlock(vm->host, &region->lock);
	/* The region may be freed by now. */
	if (awaited) {
		atomic_fetch_add(&vm->bus.drained, 1);
		vmm__wake(vm->host, &vm->bus.drained);
	}
	if (atomic_load(&vm->bus.dying) != NULL)
		sweep(vm);
	return r;
}

/* --- the end of a VM --- */

void vmm__bus_release(struct vmm_vm *vm)
{
	struct vmm__bus_view *view = atomic_load(&vm->bus.view);

	for (size_t i = 0; i < view->region_count; i++)
		release(view->regions[i]);
	for (size_t i = 0; i < view->bell_count; i++)
		vmm__bell_release(view->bells[i]);
	view->region_count = 0;
	view->bell_count = 0;
}

void vmm__bus_fini(struct vmm_vm *vm)
{
	free_view(vm, atomic_load(&vm->bus.view));
	free_view(vm, vm->bus.spare);
}

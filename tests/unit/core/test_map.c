// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Guest-physical space against a model that knows pages only. Between the core and the sim engine
 * stands one that remembers every slot and fails when told to; after each step, failed or not, the
 * map, the slots and the model must agree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine.h"
#include "fake_host.h"

#define PAGE    UINT64_C(4096)
#define PAGES   100 /* more than a word of dirty bits */
#define OBJECTS 2
#define SLOTS   64

/* --- the engine between --- */

static struct {
	const struct vmm_engine *sim;
	struct vmm_engine engine;
	struct vmm__slot slot[SLOTS];
	bool there[SLOTS];
	uint32_t calls;
	uint32_t fail_at; /* this call to the engine fails, counted from 1 */
	uint64_t max_mappings;
	uint32_t quiet; /* of the last mem_set() */
} between;

static bool told_to_fail(void)
{
	return ++between.calls == between.fail_at;
}

static int between_mem_set(void *vm, uint32_t number, const struct vmm__slot *slot, uint32_t quiet,
			   struct vmm_error *error)
{
	between.quiet = quiet;
	assert_true(number < SLOTS);
	/* A slot's place is only changed by removing it. */
	if (slot == NULL)
		assert_true(between.there[number]);
	else if (between.there[number])
		assert_true(between.slot[number].gpa == slot->gpa &&
			    between.slot[number].len == slot->len &&
			    between.slot[number].hva == slot->hva);
	if (told_to_fail())
		return -VMM_EIO;
	int r = between.sim->mem_set(vm, number, slot, quiet, error);
	if (r == 0) {
		between.there[number] = slot != NULL;
		if (slot != NULL)
			between.slot[number] = *slot;
	}
	return r;
}

static int between_mem_dirty(void *vm, uint32_t number, uint64_t *bitmap, size_t words,
			     struct vmm_error *error)
{
	assert_true(number < SLOTS && between.there[number]);
	if (told_to_fail())
		return -VMM_EIO;
	return between.sim->mem_dirty(vm, number, bitmap, words, error);
}

static int between_vm_cap(void *vm, uint32_t cap, uint64_t *value)
{
	int r = between.sim->vm_cap(vm, cap, value);

	if (cap == VMM_CAP_MAX_MAPPINGS)
		*value = between.max_mappings;
	return r;
}

static const struct vmm_engine *use_between(void)
{
	memset(&between, 0, sizeof(between));
	between.sim = vmm_engine_sim();
	between.engine = *between.sim;
	between.engine.mem_set = between_mem_set;
	between.engine.mem_dirty = between_mem_dirty;
	between.engine.vm_cap = between_vm_cap;
	return &between.engine;
}

/* --- the model --- */

struct page {
	bool mapped;
	uint8_t object;
	uint32_t prot;
	uint32_t offset;  /* pages */
	uint32_t tracked; /* number of the start that tracks it, 0: none */
	bool dirty;
};

struct world {
	struct fake_host fake;
	struct vmm_ctx *ctx;
	struct vmm_vm *vm;
	struct vmm_mem *mem[OBJECTS];
	struct page page[PAGES];
	uint32_t starts;
	uint64_t seed;
	/* The guest writes where steps[0] says, again and again. */
	struct vmm_sim_step steps[3];
	struct vmm_sim_script script;
	bool sealed;
};

static uint32_t roll(struct world *w, uint32_t below)
{
	w->seed = w->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(w->seed >> 33) % below;
}

static void world_init(struct world *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	w->seed = seed;
	w->ctx = fake_ctx(&w->fake, use_between());
	w->steps[0] = (struct vmm_sim_step){.op = VMM_SIM_WRITE, .exit = {.width = 1}};
	w->steps[1] = fake_exit(VMM_EXIT_HLT);
	w->steps[2] = (struct vmm_sim_step){.op = VMM_SIM_JUMP};
	w->script = (struct vmm_sim_script){sizeof(w->script), 3, w->steps};
	w->vm = fake_vm(w->ctx, 1, VMM_IRQCHIP_NONE, &w->script);
	for (uint32_t i = 0; i < OBJECTS; i++)
		assert_int_equal(vmm_mem_create(w->ctx, PAGES * PAGE, &w->mem[i]), 0);
}

static void world_fini(struct world *w)
{
	for (uint32_t i = 0; i < OBJECTS; i++)
		vmm_mem_unref(w->mem[i]);
	fake_end(&w->fake, w->ctx, w->vm);
}

static bool same_mapping(const struct page *a, const struct page *b)
{
	return a->mapped && b->mapped && a->object == b->object && a->prot == b->prot &&
	       a->tracked == b->tracked && a->offset + 1 == b->offset;
}

/* The map shows the model's runs and nothing else, and each has its slot. */
static void check(struct world *w)
{
	struct vmm_mapping m = {.size = sizeof(m)};
	uint32_t slots = 0, mappings = 0;
	uint64_t at = 0;

	for (uint32_t i = 0; i < PAGES;) {
		uint32_t end = i + 1;

		if (!w->page[i].mapped) {
			i++;
			continue;
		}
		while (end < PAGES && same_mapping(&w->page[end - 1], &w->page[end]))
			end++;
		assert_int_equal(vmm_vm_find_mapping(w->vm, at, &m), 0);
		assert_int_equal(m.gpa, i * PAGE);
		assert_int_equal(m.len, (end - i) * PAGE);
		assert_int_equal(m.prot, w->page[i].prot);
		assert_int_equal(m.offset, w->page[i].offset * PAGE);
		assert_ptr_equal(m.mem, w->mem[w->page[i].object]);

		uint32_t found = 0;
		for (uint32_t s = 0; s < SLOTS; s++)
			found += between.there[s] && between.slot[s].gpa == m.gpa &&
				 between.slot[s].len == m.len && between.slot[s].prot == m.prot &&
				 between.slot[s].dirty == (w->page[i].tracked != 0);
		assert_int_equal(found, 1);
		mappings++;
		at = m.gpa + m.len;
		i = end;
	}
	assert_int_equal(vmm_vm_find_mapping(w->vm, at, &m), -VMM_ENOENT);
	for (uint32_t s = 0; s < SLOTS; s++)
		slots += between.there[s];
	assert_int_equal(slots, mappings);
}

static bool all(const struct world *w, uint32_t first, uint32_t count, bool mapped)
{
	for (uint32_t i = first; i < first + count; i++) {
		if (w->page[i].mapped != mapped)
			return false;
	}
	return true;
}

static uint32_t tracked(const struct world *w, uint32_t first, uint32_t count)
{
	uint32_t n = 0;

	for (uint32_t i = first; i < first + count; i++)
		n += w->page[i].tracked != 0;
	return n;
}

/* What a call gives if nothing is made to fail. @apply: carry it out in the model. */
struct step {
	uint32_t op, first, count, object, offset, prot;
};

enum { MAP, UNMAP, PROTECT, START, STOP, OPS };

static int expect(const struct world *w, const struct step *s)
{
	switch (s->op) {
	case MAP:
		return all(w, s->first, s->count, false) ? 0 : -VMM_EEXIST;
	case UNMAP:
		return all(w, s->first, s->count, false) ? -VMM_ENOENT : 0;
	case PROTECT:
		return all(w, s->first, s->count, true) ? 0 : -VMM_ENOENT;
	case START:
		if (!all(w, s->first, s->count, true))
			return -VMM_ENOENT;
		return tracked(w, s->first, s->count) != 0 ? -VMM_EEXIST : 0;
	default:
		return tracked(w, s->first, s->count) != 0 ? 0 : -VMM_ENOENT;
	}
}

static void apply(struct world *w, const struct step *s)
{
	if (s->op == START)
		w->starts++;
	for (uint32_t i = 0; i < s->count; i++) {
		struct page *p = &w->page[s->first + i];

		switch (s->op) {
		case MAP:
			*p = (struct page){.mapped = true,
					   .object = (uint8_t)s->object,
					   .prot = s->prot,
					   .offset = s->offset + i};
			break;
		case UNMAP:
			*p = (struct page){0};
			break;
		case PROTECT:
			p->prot = s->prot;
			break;
		case START:
			p->tracked = w->starts;
			p->dirty = false;
			break;
		default:
			p->tracked = 0;
			p->dirty = false;
			break;
		}
	}
}

static int carry_out(struct world *w, const struct step *s)
{
	uint64_t gpa = s->first * PAGE, len = s->count * PAGE;

	switch (s->op) {
	case MAP:
		return vmm_vm_map(w->vm, gpa, w->mem[s->object], s->offset * PAGE, len, s->prot);
	case UNMAP:
		return vmm_vm_unmap(w->vm, gpa, len);
	case PROTECT:
		return vmm_vm_protect(w->vm, gpa, len, s->prot);
	case START:
		return vmm_vm_dirty_start(w->vm, gpa, len);
	default:
		return vmm_vm_dirty_stop(w->vm, gpa, len);
	}
}

static struct step any_step(struct world *w)
{
	static const uint32_t prots[] = {VMM_PROT_RWX, VMM_PROT_READ | VMM_PROT_EXEC};
	struct step s = {.op = roll(w, OPS)};

	s.first = roll(w, PAGES);
	/* Taking away goes in small parts, or little would be left to look at. */
	bool takes = s.op == UNMAP || s.op == STOP;
	s.count = 1 + roll(w, roll(w, takes ? 32 : 2) == 0 ? PAGES - s.first : 4);
	if (s.count > PAGES - s.first)
		s.count = PAGES - s.first;
	s.object = roll(w, OBJECTS);
	/* Mostly such that neighbours continue each other. */
	s.offset = roll(w, 4) != 0 ? s.first : roll(w, PAGES - s.count + 1);
	s.prot = prots[roll(w, 4) == 0];
	return s;
}

static void guest_writes_some(struct world *w)
{
	uint32_t page = roll(w, PAGES);
	bool writable = w->page[page].mapped && (w->page[page].prot & VMM_PROT_WRITE) != 0;
	struct vmm_exit exit;

	w->steps[0].exit.addr = page * PAGE + roll(w, PAGE);
	assert_int_equal(vmm_vcpu_run(vmm_vm_vcpu(w->vm, 0), &exit), 0);
	if (!writable) {
		assert_int_equal(exit.reason, VMM_EXIT_MMIO);
		assert_int_equal(vmm_vcpu_run(vmm_vm_vcpu(w->vm, 0), &exit), 0);
	}
	assert_int_equal(exit.reason, VMM_EXIT_HLT);
	if (writable && w->page[page].tracked)
		w->page[page].dirty = true;
}

static void write_some(struct world *w)
{
	uint32_t page = roll(w, PAGES);
	uint8_t byte = (uint8_t)roll(w, 256);
	int r = vmm_vm_write(w->vm, page * PAGE + roll(w, PAGE), &byte, 1);

	assert_int_equal(r, w->page[page].mapped ? 0 : -VMM_EFAULT);
	if (w->page[page].tracked)
		w->page[page].dirty = true;
}

static void harvest_some(struct world *w)
{
	uint32_t first = roll(w, PAGES);
	uint32_t count = 1 + roll(w, PAGES - first);

	/* Mostly a run that is tracked. */
	if (roll(w, 8) != 0 && tracked(w, first, 1)) {
		while (first > 0 && tracked(w, first - 1, 1) && roll(w, 8) != 0)
			first--;
		for (count = 1; first + count < PAGES && tracked(w, first + count, 1);)
			count++;
	}
	uint64_t bits[2] = {~UINT64_C(0), ~UINT64_C(0)};
	int r = vmm_vm_dirty_harvest(w->vm, first * PAGE, count * PAGE, bits, 2);

	if (tracked(w, first, count) != count) {
		assert_int_equal(r, -VMM_ENOENT);
		return;
	}
	if (r != 0) { /* made to fail: nothing is lost */
		assert_int_equal(r, -VMM_EIO);
		return;
	}
	for (uint32_t i = 0; i < 128; i++) {
		bool set = (bits[i / 64] >> (i % 64) & 1) != 0;

		assert_int_equal(set, i < count && w->page[first + i].dirty);
		if (i < count)
			w->page[first + i].dirty = false;
	}
}

static void walk(uint64_t seed, bool faults)
{
	struct world w;

	world_init(&w, seed);
	if (roll(&w, 3) != 0) {
		assert_int_equal(vmm_vm_seal(w.vm), 0);
		w.sealed = true;
	}
	for (int i = 0; i < 1500; i++) {
		struct step s = any_step(&w);
		int want = expect(&w, &s);

		/* One failure at a time: a second one in the midst of undoing cannot be undone. */
		if (faults && roll(&w, 2))
			between.fail_at = between.calls + 1 + roll(&w, 5);
		else if (faults && roll(&w, 2))
			w.fake.fail_at = w.fake.calls + 1 + roll(&w, 6);
		int r = carry_out(&w, &s);
		if (want == 0 && r != 0)
			assert_true(faults && (r == -VMM_EIO || r == -VMM_ENOMEM));
		else
			assert_int_equal(r, want);
		if (r == 0)
			apply(&w, &s);
		check(&w);
		write_some(&w);
		for (int n = 0; w.sealed && n < 8; n++)
			guest_writes_some(&w);
		if (roll(&w, 4) == 0)
			harvest_some(&w);
		between.fail_at = 0;
		w.fake.fail_at = 0;
	}
	assert_int_equal(w.fake.logged, 0); /* no rollback has failed */
	world_fini(&w);
}

static void agrees_with_the_model(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++)
		walk(seed, false);
}

static void failures_leave_all_as_it_was(void **state)
{
	(void)state;
	for (uint64_t seed = 100; seed <= 112; seed++)
		walk(seed, true);
}

static void limits(void **state)
{
	struct world w;

	(void)state;
	use_between();
	between.max_mappings = 2;
	memset(&w, 0, sizeof(w));
	w.ctx = fake_ctx(&w.fake, &between.engine);
	w.vm = fake_vm(w.ctx, 1, VMM_IRQCHIP_NONE, NULL);
	assert_int_equal(vmm_mem_create(w.ctx, 8 * PAGE, &w.mem[0]), 0);
	struct vmm_mem *mem = w.mem[0];
	const uint64_t top = UINT64_C(1) << 48;

	assert_int_equal(vmm_vm_map(w.vm, 0, mem, 0, 0, 7), -VMM_EINVAL);
	assert_int_equal(vmm_vm_map(w.vm, 1, mem, 0, PAGE, 7), -VMM_EALIGN);
	assert_int_equal(vmm_vm_map(w.vm, 0, mem, 1, PAGE, 7), -VMM_EALIGN);
	assert_int_equal(vmm_vm_map(w.vm, 0, mem, 0, 9 * PAGE, 7), -VMM_ERANGE);
	assert_int_equal(vmm_vm_map(w.vm, 0, mem, 8 * PAGE, PAGE, 7), -VMM_ERANGE);
	assert_int_equal(vmm_vm_map(w.vm, 0, mem, 0 - PAGE, 2 * PAGE, 7), -VMM_ERANGE);
	assert_int_equal(vmm_vm_map(w.vm, top, mem, 0, PAGE, 7), -VMM_ERANGE);
	assert_int_equal(vmm_vm_map(w.vm, top - PAGE, mem, 0, 2 * PAGE, 7), -VMM_ERANGE);
	assert_int_equal(vmm_vm_map(w.vm, 0 - PAGE, mem, 0, 2 * PAGE, 7), -VMM_ERANGE);
	assert_int_equal(vmm_vm_map(w.vm, 0, mem, 0, PAGE, 8), -VMM_EINVAL);
	assert_int_equal(vmm_vm_map(w.vm, 0, mem, 0, PAGE, VMM_PROT_WRITE), -VMM_EINVAL);
	assert_int_equal(vmm_vm_map(w.vm, top - PAGE, mem, 0, PAGE, 7), 0);
	assert_int_equal(vmm_vm_map(w.vm, 0, mem, 0, 4 * PAGE, 7), 0);
	assert_int_equal(vmm_vm_map(w.vm, 8 * PAGE, mem, 0, PAGE, 7), -VMM_ELIMIT);
	assert_int_equal(vmm_vm_unmap(w.vm, PAGE, PAGE), -VMM_ELIMIT); /* would split */
	assert_int_equal(vmm_vm_unmap(w.vm, 3 * PAGE, PAGE), 0);
	assert_int_equal(vmm_vm_map(w.vm, 3 * PAGE, mem, 3 * PAGE, PAGE, 7), 0); /* merges */
	assert_int_equal(vmm_vm_unmap(w.vm, 0, top), 0);
	vmm_mem_unref(mem);
	fake_end(&w.fake, w.ctx, w.vm);
}

/* Only what would leave a mapped address without its slot holds the vCPUs. */
static void holds_only_where_needed(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 1);
	assert_int_equal(vmm_vm_seal(w.vm), 0);
	assert_int_equal(vmm_vm_map(w.vm, 0, w.mem[0], 0, 4 * PAGE, 7), 0);
	assert_int_equal(between.quiet, 0);
	assert_int_equal(vmm_vm_map(w.vm, 4 * PAGE, w.mem[1], 0, 4 * PAGE, 7), 0);
	assert_int_equal(between.quiet, 0);
	assert_int_equal(vmm_vm_map(w.vm, 8 * PAGE, w.mem[1], 4 * PAGE, PAGE, 7), 0); /* merge */
	assert_int_equal(between.quiet, 1);
	assert_int_equal(vmm_vm_dirty_start(w.vm, 0, 4 * PAGE), 0);
	assert_int_equal(between.quiet, 0);
	assert_int_equal(vmm_vm_protect(w.vm, 0, 4 * PAGE, VMM_PROT_READ | VMM_PROT_EXEC), 0);
	assert_int_equal(between.quiet, 1);
	assert_int_equal(vmm_vm_unmap(w.vm, 0, 4 * PAGE), 0);
	assert_int_equal(between.quiet, 0);
	assert_int_equal(vmm_vm_unmap(w.vm, 5 * PAGE, PAGE), 0); /* split */
	assert_int_equal(between.quiet, 1);
	world_fini(&w);
}

/* A slot whose bits stand across two words of the interval's. */
static void dirty_bits_across_words(void **state)
{
	uint64_t bits[2];
	struct vmm_exit exit;
	struct world w;

	(void)state;
	world_init(&w, 1);
	assert_int_equal(vmm_vm_seal(w.vm), 0);
	assert_int_equal(vmm_vm_map(w.vm, 0, w.mem[0], 0, PAGES * PAGE, 7), 0);
	assert_int_equal(vmm_vm_dirty_start(w.vm, 0, PAGES * PAGE), 0);
	assert_int_equal(vmm_vm_unmap(w.vm, 0, 10 * PAGE), 0);
	w.steps[0].exit.addr = 70 * PAGE;
	assert_int_equal(vmm_vcpu_run(vmm_vm_vcpu(w.vm, 0), &exit), 0);
	w.steps[0].exit.addr = 99 * PAGE;
	assert_int_equal(vmm_vcpu_run(vmm_vm_vcpu(w.vm, 0), &exit), 0);
	assert_int_equal(vmm_vm_dirty_harvest(w.vm, 10 * PAGE, 90 * PAGE, bits, 1), -VMM_ESIZE);
	assert_int_equal(vmm_vm_dirty_harvest(w.vm, 10 * PAGE, 60 * PAGE, bits, 2), 0);
	assert_int_equal(bits[0], 0);
	/* What was outside of that harvest is still there. */
	assert_int_equal(vmm_vm_dirty_harvest(w.vm, 10 * PAGE, 90 * PAGE, bits, 2), 0);
	assert_int_equal(bits[0], UINT64_C(1) << 60);
	assert_int_equal(bits[1], UINT64_C(1) << 25);
	world_fini(&w);
}

static void access_is_all_or_nothing(void **state)
{
	struct world w;
	uint8_t buf[3 * PAGE];

	(void)state;
	world_init(&w, 1);
	assert_int_equal(vmm_vm_map(w.vm, PAGE, w.mem[0], 0, PAGE, 7), 0);
	assert_int_equal(
		vmm_vm_map(w.vm, 2 * PAGE, w.mem[1], 0, PAGE, VMM_PROT_READ | VMM_PROT_EXEC), 0);
	memset(buf, 0xaa, sizeof(buf));
	/* The guest may not write the second page, its maker may. */
	assert_int_equal(vmm_vm_write(w.vm, PAGE, buf, 2 * PAGE), 0);
	assert_int_equal(vmm_vm_fill(w.vm, PAGE, 0xbb, 3 * PAGE), -VMM_EFAULT);
	memset(buf, 0, sizeof(buf));
	assert_int_equal(vmm_vm_read(w.vm, PAGE, buf, 3 * PAGE), -VMM_EFAULT);
	assert_int_equal(buf[0], 0);
	assert_int_equal(vmm_vm_read(w.vm, 3 * PAGE - 1, buf, 1), 0);
	assert_int_equal(buf[0], 0xaa);
	assert_int_equal(vmm_vm_read(w.vm, 0, buf, 0), 0);
	assert_int_equal(vmm_vm_read(w.vm, UINT64_MAX, buf, 2), -VMM_EFAULT);
	assert_int_equal(vmm_vm_read(w.vm, PAGE, NULL, 1), -VMM_EINVAL);
	assert_int_equal(vmm_vm_fill(w.vm, PAGE, 0, UINT64_MAX), -VMM_EFAULT);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_model),
		cmocka_unit_test(failures_leave_all_as_it_was),
		cmocka_unit_test(limits),
		cmocka_unit_test(holds_only_where_needed),
		cmocka_unit_test(dirty_bits_across_words),
		cmocka_unit_test(access_is_all_or_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Contracts between threads. Run plainly these look for wrong results and hangs; built with
 * -Db_sanitize=thread, for races.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine.h"
#include "fake_host.h"
#include "serve.h"

#define VCPUS 4

/* cmocka's assertions may not leave another thread than the test's: those abort. */
#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/* How often memory is changed. The slow suite asks for more. */
static uint64_t rounds(void)
{
	const char *text = getenv("VMM_TEST_ROUNDS");

	return text != NULL ? strtoull(text, NULL, 10) : 800;
}

static pthread_t spawn(void *(*body)(void *), void *arg)
{
	pthread_t thread;

	MUST(pthread_create(&thread, NULL, body, arg) == 0);
	return thread;
}

static void join(pthread_t thread)
{
	MUST(pthread_join(thread, NULL) == 0);
}

/* --- two runners, and access while one runs --- */

static void *run_once(void *vcpu)
{
	struct vmm_exit exit;

	MUST(vmm_vcpu_run(vcpu, &exit) == 0);
	MUST(exit.reason == VMM_EXIT_KICKED);
	return NULL;
}

static void second_runner_is_busy(void **state)
{
	const struct vmm_sim_step steps[] = {{.op = VMM_SIM_WAIT}, {.op = VMM_SIM_JUMP}};
	const struct vmm_sim_script script = FAKE_SCRIPT(steps);
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, &script);
	struct vmm_vcpu *vcpu = vmm_vm_vcpu(vm, 0);
	struct vmm_x86_regs regs;
	struct vmm_x86_clock clock;
	struct vmm_exit exit;

	(void)state;
	assert_int_equal(vmm_vm_seal(vm), 0);
	pthread_t runner = spawn(run_once, vcpu);
	/* Until it has begun, this thread may be the one that runs. */
	while (vmm_vcpu_get_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)) == 0)
		sched_yield();
	assert_int_equal(vmm_vcpu_run(vcpu, &exit), -VMM_EBUSY);
	assert_int_equal(vmm_vcpu_complete(vcpu, &exit), -VMM_EBUSY);
	assert_int_equal(vmm_vcpu_stats_clear(vcpu), -VMM_EBUSY);
	assert_int_equal(vmm_vcpu_inject(vcpu, VMM_INJECT_EXCEPTION, 3, 0, 0), -VMM_EBUSY);
	assert_int_equal(vmm_vcpu_inject(vcpu, VMM_INJECT_NMI, 2, 0, 0), 0);
	assert_int_equal(vmm_vcpu_request_window(vcpu, 1), -VMM_EBUSY);
	assert_int_equal(vmm_vm_get_state(vm, VMM_STATE_X86_CLOCK, 0, &clock, sizeof(clock)),
			 -VMM_EBUSY);
	assert_int_equal(vmm_vm_reset(vm), -VMM_EBUSY);
	assert_int_equal(vmm_vm_destroy(vm), -VMM_EBUSY);
	vmm_vcpu_kick(vcpu);
	join(runner);
	fake_end(&fake, ctx, vm);
}

/* --- kick against run --- */

#define KICKS 20000

struct kicks {
	struct vmm_vcpu *vcpu;
	_Atomic uint32_t seen;
	_Atomic uint32_t stop;
};

static void *run_until_stopped(void *arg)
{
	struct kicks *k = arg;
	struct vmm_exit exit;

	while (!k->stop) {
		MUST(vmm_vcpu_run(k->vcpu, &exit) == 0);
		if (exit.reason == VMM_EXIT_KICKED)
			k->seen++;
	}
	return NULL;
}

static void no_kick_is_lost(void **state)
{
	const struct vmm_sim_step steps[] = {
		{.op = VMM_SIM_SPIN, .count = 3},
		fake_exit(VMM_EXIT_PREEMPTED),
		{.op = VMM_SIM_WAIT},
		{.op = VMM_SIM_JUMP},
	};
	const struct vmm_sim_script script = FAKE_SCRIPT(steps);
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, &script);
	struct kicks k = {.vcpu = vmm_vm_vcpu(vm, 0)};

	(void)state;
	assert_int_equal(vmm_vm_seal(vm), 0);
	pthread_t runner = spawn(run_until_stopped, &k);
	for (uint32_t i = 0; i < KICKS; i++) {
		uint32_t before = k.seen;

		vmm_vcpu_kick(k.vcpu);
		while (k.seen == before) /* one that is lost hangs here */
			sched_yield();
	}
	k.stop = 1;
	vmm_vcpu_kick(k.vcpu);
	join(runner);
	fake_end(&fake, ctx, vm);
}

/* --- regions come and go under four vCPUs --- */

#define REGIONS 8
#define ROUNDS  3000

struct slot {
	_Atomic uint32_t alive;  /* 1 from before it is added until it is released */
	_Atomic uint32_t inside; /* calls */
	_Atomic uint32_t released;
};

static int slot_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		     uint64_t *value)
{
	struct slot *s = opaque;

	(void)vcpu;
	(void)offset;
	(void)width;
	s->inside++;
	MUST(s->alive);
	*value = 1;
	s->inside--;
	return 0;
}

static void slot_released(void *opaque)
{
	struct slot *s = opaque;

	MUST(s->inside == 0);
	s->alive = 0;
	s->released++;
}

static const struct vmm_region_ops slot_ops = {
	.size = sizeof(slot_ops), .read = slot_read, .released = slot_released};

struct running {
	struct vmm_vcpu *vcpu;
	_Atomic uint32_t *stop;
	_Atomic uint64_t mmio, halts;
};

/* Both sides must have had their turns: on few processors one may be done before the other begins.
 */
static bool all_have(const struct running *r, uint32_t count, uint64_t halts)
{
	for (uint32_t i = 0; i < count; i++) {
		if (r[i].halts < halts)
			return false;
	}
	return true;
}

/* Exits that no region claims are answered here. */
static void *run_and_answer(void *arg)
{
	struct running *r = arg;
	struct vmm_exit exit;

	while (!*r->stop) {
		MUST(vmm_vcpu_run(r->vcpu, &exit) == 0);
		r->mmio += exit.reason == VMM_EXIT_MMIO;
		r->halts += exit.reason == VMM_EXIT_HLT;
		exit.data = 0;
	}
	return NULL;
}

static void *dispatch_and_dispatch(void *arg)
{
	struct running *r = arg;
	uint64_t value;

	while (!*r->stop) {
		for (uint64_t i = 0; i < REGIONS; i++) {
			int code = vmm_vm_dispatch(vmm_vcpu_vm(r->vcpu), VMM_SPACE_MMIO,
						   0x10000 + 0x1000 * i, 4, 0, &value);

			MUST(code == 0 || code == -VMM_ENOENT);
		}
	}
	return NULL;
}

static void regions_come_and_go(void **state)
{
	struct vmm_sim_step steps[REGIONS + 2];
	const struct vmm_sim_script one = FAKE_SCRIPT(steps);
	struct vmm_sim_script scripts[VCPUS];
	struct slot slots[REGIONS] = {0};
	struct vmm_region *region[REGIONS] = {0};
	struct running r[VCPUS + 1] = {0};
	pthread_t thread[VCPUS + 1];
	_Atomic uint32_t stop = 0;
	struct fake_host fake;
	uint32_t added = 0, released = 0;

	(void)state;
	for (uint64_t i = 0; i < REGIONS; i++)
		steps[i] = (struct vmm_sim_step){
			.op = VMM_SIM_READ, .exit = {.addr = 0x10000 + 0x1000 * i, .width = 4}};
	steps[REGIONS] = fake_exit(VMM_EXIT_HLT);
	steps[REGIONS + 1] = (struct vmm_sim_step){.op = VMM_SIM_JUMP};
	for (int i = 0; i < VCPUS; i++)
		scripts[i] = one;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, VCPUS, VMM_IRQCHIP_NONE, scripts);
	assert_int_equal(vmm_vm_seal(vm), 0);
	for (uint32_t i = 0; i <= VCPUS; i++) {
		r[i].vcpu = vmm_vm_vcpu(vm, i % VCPUS);
		r[i].stop = &stop;
		thread[i] = spawn(i < VCPUS ? run_and_answer : dispatch_and_dispatch, &r[i]);
	}
	for (uint32_t i = 0; i < ROUNDS || !all_have(r, VCPUS, ROUNDS); i++) {
		uint32_t n = i * 5 % REGIONS;

		if (region[n] != NULL) {
			vmm_region_remove(region[n]);
			assert_int_equal(slots[n].alive, 0);
			region[n] = NULL;
		} else {
			slots[n].alive = 1;
			assert_int_equal(vmm_region_add(vm, VMM_SPACE_MMIO, 0x10000 + 0x1000 * n,
							0x1000, &slot_ops, &slots[n], &region[n]),
					 0);
			added++;
		}
	}
	stop = 1;
	for (uint32_t i = 0; i <= VCPUS; i++)
		join(thread[i]);
	fake_end(&fake, ctx, vm);
	for (uint32_t i = 0; i < REGIONS; i++)
		released += slots[i].released;
	assert_int_equal(released, added);
}

/* --- ports come and go under engines that call them themselves --- */

struct self {
	struct slot slot;
	struct vmm_region *region;
	_Atomic uint32_t turn; /* a call in so many removes its own region; 0: none */
};

static int self_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		      uint64_t value)
{
	struct self *s = opaque;
	uint32_t one = 1;

	(void)vcpu, (void)offset, (void)width, (void)value;
	s->slot.inside++;
	MUST(s->slot.alive);
	if (atomic_compare_exchange_strong(&s->turn, &one, 0))
		vmm_region_remove(s->region);
	MUST(s->slot.alive);
	s->slot.inside--;
	return 0;
}

/* Such an engine: in place what is known, through the core what is not. */
static void *call_in_place(void *arg)
{
	struct running *r = arg;
	struct vmm_vcpu *vcpu = r->vcpu;
	uint32_t control;

	MUST(vmm__vcpu_try(vcpu, VMM__VCPU_GUEST));
	atomic_store(&vcpu->runner, vmm__thread_id(vcpu->vm->host));
	while (!*r->stop) {
		uint32_t port = (uint32_t)(r->halts++ % REGIONS) * 0x101;
		const struct vmm__hit *hit = vmm__call_begin(vcpu, vmm__hit_key(port, 1, false));
		struct vmm_exit exit = {.reason = VMM_EXIT_PORT,
					.flags = VMM_EXIT_F_WRITE,
					.addr = port,
					.width = 1};

		if (hit != NULL) {
			MUST(hit->write(hit->opaque, vcpu, hit->offset, hit->width, 0) == 0);
			vmm__call_end(vcpu);
			r->mmio++;
		} else {
			MUST(vmm__bus_serve(vcpu, &exit) <= 0);
		}
		control = atomic_load(&vcpu->control);
		if (control & VMM__REQ_FORGET) {
			atomic_fetch_and(&vcpu->control, ~VMM__REQ_FORGET);
			vmm__forget_hits(vcpu);
		}
		vmm__bus_asked(vcpu);
	}
	vmm__vcpu_move(vcpu, VMM__VCPU_GUEST, VMM__VCPU_IDLE);
	return NULL;
}

static void known_ports_come_and_go(void **state)
{
	const struct vmm_region_ops ops = {
		.size = sizeof(ops), .write = self_write, .released = slot_released};
	struct self self[REGIONS] = {0};
	struct running r[VCPUS] = {0};
	pthread_t thread[VCPUS];
	_Atomic uint32_t stop = 0;
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, VCPUS, VMM_IRQCHIP_NONE, NULL);
	uint32_t added = 0, released = 0;

	(void)state;
	assert_int_equal(vmm_vm_seal(vm), 0);
	for (uint32_t i = 0; i < VCPUS; i++) {
		r[i] = (struct running){.vcpu = vmm_vm_vcpu(vm, i), .stop = &stop};
		thread[i] = spawn(call_in_place, &r[i]);
	}
	for (uint32_t i = 0; i < ROUNDS || !all_have(r, VCPUS, ROUNDS); i++) {
		struct self *s = &self[i * 5 % REGIONS];

		if (s->region == NULL) {
			s->slot.alive = 1;
			assert_int_equal(vmm_region_add(vm, VMM_SPACE_PORT, i * 5 % REGIONS * 0x101,
							1, &ops, s, &s->region),
					 0);
			added++;
			continue;
		}
		if (i % 3 == 0) { /* by a callback */
			s->turn = 1;
			while (s->slot.alive)
				sched_yield();
		} else {
			vmm_region_remove(s->region);
			assert_int_equal(s->slot.alive, 0);
		}
		s->region = NULL;
	}
	stop = 1;
	for (uint32_t i = 0; i < VCPUS; i++) {
		join(thread[i]);
		assert_true(r[i].mmio > 0);
	}
	fake_end(&fake, ctx, vm);
	for (uint32_t i = 0; i < REGIONS; i++)
		released += self[i].slot.released;
	assert_int_equal(released, added);
}

/* --- half of a mapping goes and comes while the other half is used --- */

/* An engine that takes its time between removing a slot and adding the next. */
static int slow_mem_set(void *vm, uint32_t number, const struct vmm__slot *slot, uint32_t quiet,
			struct vmm_error *error)
{
	int r = vmm_engine_sim()->mem_set(vm, number, slot, quiet, error);

	if (slot == NULL)
		sched_yield();
	return r;
}

static void *read_the_other_half(void *arg)
{
	struct running *r = arg;
	uint64_t value;

	while (!*r->stop) {
		int code = vmm_vm_read(vmm_vcpu_vm(r->vcpu), 0x5ffc, &value, sizeof(value));

		MUST(code == 0 || code == -VMM_EFAULT);
		r->halts++;
	}
	return NULL;
}

static void half_goes_while_half_is_used(void **state)
{
	struct vmm_engine slow = *vmm_engine_sim();
	struct vmm_sim_step steps[] = {
		{.op = VMM_SIM_WRITE, .exit = {.addr = 0x1000, .width = 8, .data = 1}},
		{.op = VMM_SIM_READ,
		 .flags = VMM_SIM_CHECK,
		 .exit = {.addr = 0x1000, .width = 8},
		 .expect = 1},
		{.op = VMM_SIM_WRITE, .exit = {.addr = 0x3000, .width = 4, .data = 2}},
		{.op = VMM_SIM_JUMP, .count = 5},
		fake_exit(VMM_EXIT_HLT),
		{.op = VMM_SIM_JUMP},
	};
	const struct vmm_sim_script one = FAKE_SCRIPT(steps);
	const struct vmm_sim_script scripts[2] = {one, one};
	struct running r[3] = {0};
	pthread_t thread[3];
	_Atomic uint32_t stop = 0;
	struct fake_host fake;
	struct vmm_ctx *ctx;
	struct vmm_vm *vm;
	struct vmm_mem *mem;

	(void)state;
	slow.mem_set = slow_mem_set;
	ctx = fake_ctx(&fake, &slow);
	vm = fake_vm(ctx, 2, VMM_IRQCHIP_NONE, scripts);
	assert_int_equal(vmm_mem_create(ctx, 0x8000, &mem), 0);
	assert_int_equal(vmm_vm_map(vm, 0, mem, 0, 0x8000, VMM_PROT_RWX), 0);
	assert_int_equal(vmm_vm_seal(vm), 0);
	for (uint32_t i = 0; i < 3; i++) {
		r[i].vcpu = vmm_vm_vcpu(vm, i % 2);
		r[i].stop = &stop;
		thread[i] = spawn(i < 2 ? run_and_answer : read_the_other_half, &r[i]);
	}
	for (uint64_t i = 0; i < rounds() || !all_have(r, 3, rounds() / 5); i++) {
		assert_int_equal(vmm_vm_unmap(vm, 0x4000, 0x4000), 0);
		assert_int_equal(vmm_vm_map(vm, 0x4000, mem, 0x4000, 0x4000, VMM_PROT_RWX), 0);
	}
	stop = 1;
	for (uint32_t i = 0; i < 3; i++)
		join(thread[i]);
	/* The guest has seen no access to its half leave memory. */
	assert_int_equal(r[0].mmio + r[1].mmio, 0);
	vmm_mem_unref(mem);
	fake_end(&fake, ctx, vm);
}

/* --- no dirty page is lost --- */

/* The guest writes the first pages in turn, so that one that is lost is not soon written again. */
#define WRITTEN   400
#define OWN_PAGE  (WRITTEN * 0x1000)       /* the library writes */
#define SPLIT_AT  ((WRITTEN + 1) * 0x1000) /* a page that is protected and not */
#define RAM_PAGES (WRITTEN + 3)
#define RAM_SIZE  (RAM_PAGES * 0x1000)

struct writer {
	struct vmm_vcpu *vcpu;
	struct vmm_sim_step steps[3];
	_Atomic uint64_t writes;
	_Atomic uint32_t stop;
};

/* Each run the guest writes a new number into the next page, and halts. */
static void *write_numbers(void *arg)
{
	struct writer *w = arg;
	struct vmm_exit exit;

	for (uint64_t i = 1; !w->stop; i++) {
		w->steps[0].exit.addr = (i % WRITTEN) * 0x1000;
		w->steps[0].exit.data = i;
		MUST(vmm_vcpu_run(w->vcpu, &exit) == 0);
		MUST(exit.reason == VMM_EXIT_HLT);
		w->writes = i;
	}
	return NULL;
}

/* As another processor would, byte by byte. */
static uint64_t look(uint8_t *at)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < 8; i++)
		value |= (uint64_t)__atomic_load_n(at + i, __ATOMIC_RELAXED) << (8 * i);
	return value;
}

/* Copy what is dirty: whoever migrates a VM does this. */
static void copy_dirty(struct vmm_vm *vm, uint8_t *ram, uint64_t copy[WRITTEN])
{
	uint64_t bits[(RAM_PAGES + 63) / 64];

	assert_int_equal(vmm_vm_dirty_harvest(vm, 0, SPLIT_AT, bits, sizeof(bits) / 8), 0);
	assert_true((bits[WRITTEN / 64] >> (WRITTEN % 64) & 1) != 0);
	for (uint64_t page = 0; page < WRITTEN; page++) {
		if (bits[page / 64] >> (page % 64) & 1)
			copy[page] = look(ram + page * 0x1000);
	}
}

static void dirty_pages_are_not_lost(void **state)
{
	static _Alignas(4096) uint8_t ram[RAM_SIZE];
	struct writer w = {.steps = {{.op = VMM_SIM_WRITE, .exit = {.width = 8}},
				     fake_exit(VMM_EXIT_HLT),
				     {.op = VMM_SIM_JUMP}}};
	const struct vmm_sim_script script = FAKE_SCRIPT(w.steps);
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, &script);
	uint64_t copy[WRITTEN] = {0};
	struct vmm_mem *mem;

	(void)state;
	memset(ram, 0, sizeof(ram));
	assert_int_equal(vmm_mem_create_host(ctx, ram, RAM_SIZE, NULL, NULL, &mem), 0);
	assert_int_equal(vmm_vm_map(vm, 0, mem, 0, RAM_SIZE, VMM_PROT_RWX), 0);
	vmm_mem_unref(mem);
	assert_int_equal(vmm_vm_seal(vm), 0);
	assert_int_equal(vmm_vm_dirty_start(vm, 0, RAM_SIZE), 0);
	w.vcpu = vmm_vm_vcpu(vm, 0);
	pthread_t writer = spawn(write_numbers, &w);
	for (uint64_t i = 0; i < rounds() || w.writes < rounds(); i++) {
		/* The slot is split, and made whole again. */
		assert_int_equal(
			vmm_vm_protect(vm, SPLIT_AT, 0x1000, VMM_PROT_READ | VMM_PROT_EXEC), 0);
		assert_int_equal(vmm_vm_fill(vm, OWN_PAGE, 1, 1), 0);
		copy_dirty(vm, ram, copy);
		assert_int_equal(vmm_vm_protect(vm, SPLIT_AT, 0x1000, VMM_PROT_RWX), 0);
	}
	w.stop = 1;
	join(writer);
	assert_int_equal(vmm_vm_fill(vm, OWN_PAGE, 1, 1), 0);
	copy_dirty(vm, ram, copy);
	for (uint64_t page = 0; page < WRITTEN; page++)
		assert_true(copy[page] == look(ram + page * 0x1000));
	fake_end(&fake, ctx, vm);
}

/* --- a call that is not made --- */

static void *remove_region(void *region)
{
	vmm_region_remove(region);
	return NULL;
}

/* Who removes the region has seen it, and sleeps; the vCPU may not call anything for long. */
static void who_waits_for_no_call_is_woken(void **state)
{
	static const struct vmm_region_ops ops = {.size = sizeof(ops)};
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, NULL);
	struct vmm_vcpu *vcpu = vmm_vm_vcpu(vm, 0);
	struct vmm_region *region;

	(void)state;
	assert_int_equal(vmm_vm_seal(vm), 0);
	assert_int_equal(vmm_region_add(vm, VMM_SPACE_PORT, 0x80, 1, &ops, NULL, &region), 0);
	assert_true(vmm__vcpu_try(vcpu, VMM__VCPU_GUEST));
	atomic_store(&vcpu->calling, region);
	pthread_t thread = spawn(remove_region, region);
	while (!(atomic_load(&vcpu->control) & VMM__VCPU_WAITED))
		sched_yield();
	vmm__call_off(vcpu);
	join(thread); /* hangs if it is not woken */
	vmm__vcpu_move(vcpu, VMM__VCPU_GUEST, VMM__VCPU_IDLE);
	fake_end(&fake, ctx, vm);
}

/* --- pauses --- */

static void *run_and_wait(void *arg)
{
	struct running *r = arg;
	struct vmm_exit exit;

	while (!*r->stop) {
		MUST(vmm_vcpu_run(r->vcpu, &exit) == 0);
		if (exit.reason == VMM_EXIT_PAUSED)
			MUST(vmm_vm_wait_resumed(vmm_vcpu_vm(r->vcpu), VMM_FOREVER) == 0);
		exit.data = 0;
	}
	return NULL;
}

static int slow_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		     uint64_t *value)
{
	(void)opaque;
	(void)vcpu;
	(void)offset;
	(void)width;
	sched_yield();
	*value = 0;
	return 0;
}

static void pauses_nest(void **state)
{
	const struct vmm_region_ops slow = {.size = sizeof(slow), .read = slow_read};
	const struct vmm_sim_step steps[] = {
		{.op = VMM_SIM_READ, .exit = {.addr = 0x10000, .width = 4}},
		{.op = VMM_SIM_READ, .exit = {.addr = 0x20000, .width = 4}},
		{.op = VMM_SIM_SPIN, .count = 10},
		{.op = VMM_SIM_JUMP},
	};
	const struct vmm_sim_script one = FAKE_SCRIPT(steps);
	const struct vmm_sim_script scripts[VCPUS] = {one, one, one, one};
	struct running r[VCPUS] = {0};
	pthread_t thread[VCPUS];
	_Atomic uint32_t stop = 0;
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, VCPUS, VMM_IRQCHIP_NONE, scripts);
	struct vmm_region *region;
	struct vmm_exit exit;

	(void)state;
	assert_int_equal(vmm_vm_seal(vm), 0);
	assert_int_equal(vmm_vm_wait_resumed(vm, 0), 0);
	assert_int_equal(vmm_region_add(vm, VMM_SPACE_MMIO, 0x10000, 4, &slow, NULL, &region), 0);
	for (uint32_t i = 0; i < VCPUS; i++) {
		r[i].vcpu = vmm_vm_vcpu(vm, i);
		r[i].stop = &stop;
		thread[i] = spawn(run_and_wait, &r[i]);
	}
	for (int i = 0; i < 500; i++) {
		struct vmm_vcpu_stats before = {.size = sizeof(before)}, after = before;
		struct vmm_x86_clock clock;

		assert_int_equal(vmm_vm_pause(vm), 0);
		assert_int_equal(vmm_vm_pause(vm), 0);
		assert_int_equal(vmm_vm_wait_resumed(vm, 1000), -VMM_ETIMEOUT);
		vmm_vcpu_get_stats(r[0].vcpu, &before);
		assert_int_equal(
			vmm_vm_get_state(vm, VMM_STATE_X86_CLOCK, 0, &clock, sizeof(clock)), 0);
		assert_int_equal(vmm_vm_resume(vm), 0);
		vmm_vcpu_get_stats(r[0].vcpu, &after);
		/* No vCPU has entered the guest. */
		assert_int_equal(before.handled[VMM_EXIT_MMIO], after.handled[VMM_EXIT_MMIO]);
		assert_int_equal(vmm_vm_resume(vm), 0);
		sched_yield();
	}
	assert_int_equal(vmm_vm_resume(vm), -VMM_ESTATE);
	stop = 1;
	for (uint32_t i = 0; i < VCPUS; i++) {
		vmm_vcpu_kick(r[i].vcpu);
		join(thread[i]);
	}
	/* A vCPU that does not run says so when it is run. */
	assert_int_equal(vmm_vm_reset(vm), 0);
	assert_int_equal(vmm_vm_pause(vm), 0);
	assert_int_equal(vmm_vcpu_run(r[0].vcpu, &exit), 0);
	assert_int_equal(exit.reason, VMM_EXIT_PAUSED);
	fake_end(&fake, ctx, vm);
}

/* A scheduler does not know that a VM is paused before it has run its vCPUs. */
static void *run_again(void *arg)
{
	struct running *r = arg;
	struct vmm_exit exit;

	while (!*r->stop)
		MUST(vmm_vcpu_run(r->vcpu, &exit) == 0);
	return NULL;
}

static uint64_t told_of_pauses(struct vmm_vcpu *vcpu)
{
	struct vmm_vcpu_stats stats = {.size = sizeof(stats)};

	vmm_vcpu_get_stats(vcpu, &stats);
	return stats.returned[VMM_EXIT_PAUSED];
}

static void state_is_there_in_pauses(void **state)
{
	const struct vmm_sim_step steps[] = {{.op = VMM_SIM_SPIN, .count = 3},
					     {.op = VMM_SIM_JUMP}};
	const struct vmm_sim_script script = FAKE_SCRIPT(steps);
	_Atomic uint32_t stop = 0;
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, &script);
	struct running r = {.vcpu = vmm_vm_vcpu(vm, 0), .stop = &stop};
	struct vmm_x86_regs regs;

	(void)state;
	assert_int_equal(vmm_vm_seal(vm), 0);
	pthread_t thread = spawn(run_again, &r);
	for (int i = 0; i < 30; i++) {
		assert_int_equal(vmm_vm_pause(vm), 0);
		const uint64_t before = told_of_pauses(r.vcpu);
		while (told_of_pauses(r.vcpu) < before + 10) {
			int got = vmm_vcpu_get_state(r.vcpu, VMM_STATE_X86_REGS, 0, &regs,
						     sizeof(regs));

			assert_true(got == 0 || got == -VMM_EBUSY);
		}
		assert_int_equal(vmm_vm_resume(vm), 0);
	}
	stop = 1;
	vmm_vcpu_kick(r.vcpu);
	join(thread);
	fake_end(&fake, ctx, vm);
}

/* --- everything at once, to end --- */

static void *remap_forever(void *arg)
{
	struct running *r = arg;
	struct vmm_vm *vm = vmm_vcpu_vm(r->vcpu);

	while (!*r->stop) {
		MUST(vmm_vm_protect(vm, 0, 0x1000, VMM_PROT_READ | VMM_PROT_EXEC) == 0);
		MUST(vmm_vm_protect(vm, 0, 0x1000, VMM_PROT_RWX) == 0);
	}
	return NULL;
}

static void *pause_forever(void *arg)
{
	struct running *r = arg;
	struct vmm_vm *vm = vmm_vcpu_vm(r->vcpu);

	while (!*r->stop) {
		MUST(vmm_vm_pause(vm) == 0);
		MUST(vmm_vm_resume(vm) == 0);
	}
	return NULL;
}

static void *kick_forever(void *arg)
{
	struct running *r = arg;

	while (!*r->stop) {
		vmm_vcpu_kick(r->vcpu);
		sched_yield();
	}
	return NULL;
}

/* A device that changes memory from its callback, while others hold and pause its vCPU. */
struct remapper {
	struct vmm_vm *vm;
	struct vmm_mem *mem;
};

static int remapper_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
			 uint64_t *value)
{
	struct remapper *m = opaque;
	uint64_t gpa = 0x100000 + 0x10000 * (uint64_t)vmm_vcpu_index(vcpu);

	(void)offset;
	(void)width;
	MUST(vmm_vm_map(m->vm, gpa, m->mem, 0x2000, 0x3000, VMM_PROT_RWX) == 0);
	MUST(vmm_vm_unmap(m->vm, gpa + 0x1000, 0x1000) == 0);
	MUST(vmm_vm_unmap(m->vm, gpa, 0x3000) == 0);
	*value = 0;
	return 0;
}

static void all_at_once(void **state)
{
	const struct vmm_region_ops ops = {.size = sizeof(ops), .read = remapper_read};
	const struct vmm_sim_step steps[] = {
		{.op = VMM_SIM_READ, .exit = {.addr = 0x10000, .width = 4}},
		{.op = VMM_SIM_READ, .exit = {.addr = 0x800, .width = 4}},
		{.op = VMM_SIM_SPIN, .count = 10},
		{.op = VMM_SIM_JUMP},
	};
	void *(*const others[])(void *) = {remap_forever, pause_forever, kick_forever};
	const struct vmm_sim_script one = FAKE_SCRIPT(steps);
	const struct vmm_sim_script scripts[2] = {one, one};
	struct running r[5] = {0};
	pthread_t thread[5];
	_Atomic uint32_t stop = 0;
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 2, VMM_IRQCHIP_NONE, scripts);
	struct remapper m = {.vm = vm};
	struct vmm_region *region;

	(void)state;
	assert_int_equal(vmm_mem_create(ctx, 0x8000, &m.mem), 0);
	assert_int_equal(vmm_vm_map(vm, 0, m.mem, 0, 0x2000, VMM_PROT_RWX), 0);
	assert_int_equal(vmm_region_add(vm, VMM_SPACE_MMIO, 0x10000, 4, &ops, &m, &region), 0);
	assert_int_equal(vmm_vm_seal(vm), 0);
	for (uint32_t i = 0; i < 5; i++) {
		r[i].vcpu = vmm_vm_vcpu(vm, i % 2);
		r[i].stop = &stop;
		thread[i] = spawn(i < 2 ? run_and_wait : others[i - 2], &r[i]);
	}
	for (int i = 0; i < 300; i++) {
		struct vmm_vcpu_stats stats = {.size = sizeof(stats)};
		uint64_t before;

		vmm_vcpu_get_stats(r[0].vcpu, &stats);
		before = stats.handled[VMM_EXIT_MMIO];
		do { /* hangs if nothing moves on */
			sched_yield();
			vmm_vcpu_get_stats(r[0].vcpu, &stats);
		} while (stats.handled[VMM_EXIT_MMIO] == before);
	}
	stop = 1;
	for (uint32_t i = 5; i-- > 0;) {
		vmm_vcpu_kick(r[i].vcpu);
		join(thread[i]);
	}
	vmm_mem_unref(m.mem);
	fake_end(&fake, ctx, vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(second_runner_is_busy),
		cmocka_unit_test(no_kick_is_lost),
		cmocka_unit_test(regions_come_and_go),
		cmocka_unit_test(known_ports_come_and_go),
		cmocka_unit_test(half_goes_while_half_is_used),
		cmocka_unit_test(dirty_pages_are_not_lost),
		cmocka_unit_test(who_waits_for_no_call_is_woken),
		cmocka_unit_test(pauses_nest),
		cmocka_unit_test(state_is_there_in_pauses),
		cmocka_unit_test(all_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

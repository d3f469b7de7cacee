// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The sim engine: vCPUs that play a script. It keeps its own slots and dirty bits, as an engine in
 * a kernel does, so that whatever the core does to them is seen by the "guest".
 */
#include "libvmm/sim.h"
#include "bits.h"
#include "engine.h"
#include "format.h"
#include "mem.h"
#include "simstate.h"
#include "sync.h"

#define PAGE_SHIFT 12
#define MAX_VCPUS  4096
#define GPA_BITS   48
#define LINES      24

struct slot {
	struct vmm__slot is; /* len 0: not there */
	uint64_t *dirty;     /* one bit a page, where is.dirty */
};

struct sim_vm {
	const struct vmm__services *services;
	const struct vmm_host *host;
	const uint8_t *scripts;
	uint32_t script_size;
	uint32_t irqchip;
	struct vmm__mutex lock; /* of slots */
	struct slot *slots;
	size_t slot_room;
	struct vmm__sim_vm_state state;
};

struct sim_vcpu {
	struct sim_vm *vm;
	struct vmm_sim_script script;
	uint32_t *jumps; /* rounds taken, by step */
	uint32_t step;
	uint32_t spins;
	_Atomic uint32_t kicked;
	_Atomic uint32_t nmis;
	uint32_t window;
	uint32_t wants; /* 1: an answer is wanted for step - 1 */
	uint32_t index;
	uint32_t sliced; /* @slice_ns is a time */
	uint64_t slice_ns;
	_Atomic uint32_t idle; /* IDLE has been given, and run() not called since */
	struct vmm_exit last;
	struct vmm__sim_state state;
	struct vmm_x86_cpuid *cpuid;
	uint32_t cpuid_count;
};

/* --- the engine --- */

static int sim_probe(const struct vmm_host *host, struct vmm_error *error)
{
	(void)host;
	(void)error;
	return 0;
}

static uint64_t cap_value(uint32_t cap)
{
	switch (cap) {
	case VMM_CAP_ARCH:
		return VMM_ARCH_X86_64;
	case VMM_CAP_MAX_VCPUS:
		return MAX_VCPUS;
	case VMM_CAP_PAGE_SIZE:
		return UINT64_C(1) << PAGE_SHIFT;
	case VMM_CAP_GPA_BITS:
		return GPA_BITS;
	case VMM_CAP_HW_BREAKPOINTS:
		return VMM_MAX_BREAKPOINTS;
	case VMM_CAP_EXCEPTION_EXIT:
		return UINT32_MAX;
	case VMM_CAP_TSC_KHZ:
		return VMM__SIM_TSC_KHZ;
	case VMM_CAP_XCR0:
		return 3;
	case VMM_CAP_PROT_READONLY:
	case VMM_CAP_PROT_EXEC:
	case VMM_CAP_IRQCHIP_ARCH:
	case VMM_CAP_IRQCHIP_NONE:
	case VMM_CAP_MSI:
	case VMM_CAP_DIRTY:
	case VMM_CAP_MSR_FILTER:
	case VMM_CAP_CPUID_EXIT:
	case VMM_CAP_SINGLE_STEP:
	case VMM_CAP_SW_BREAKPOINTS:
	case VMM_CAP_TSC_SET:
	case VMM_CAP_CLOCK:
	case VMM_CAP_PIC:
	case VMM_CAP_EXIT_PC:
	case VMM_CAP_EXIT_INSN_LEN:
	case VMM_CAP_SLICE:
		return 1;
	default:
		return 0;
	}
}

static int sim_cap(const struct vmm_host *host, uint32_t cap, uint64_t *value,
		   struct vmm_error *error)
{
	(void)host;
	(void)error;
	*value = cap_value(cap);
	return 0;
}

/* --- a VM --- */

static int sim_vm_create(const struct vmm__services *services, const struct vmm_vm_config *config,
			 void **out, struct vmm_error *error)
{
	const struct vmm_host *host = services->host;
	const struct vmm_sim_script *scripts = config->engine_config;

	if (scripts != NULL && scripts->size < sizeof(*scripts))
		return vmm__fail(error, -VMM_EINVAL, "sim", 0, "the script's size is %u",
				 scripts->size);
	struct sim_vm *vm = host->alloc(host->opaque, sizeof(*vm), _Alignof(struct sim_vm));
	if (vm == NULL)
		return vmm__fail(error, -VMM_ENOMEM, "sim", 0, "no memory for the VM");
	vm->services = services;
	vm->host = host;
	vm->irqchip = config->irqchip;
	vm->scripts = config->engine_config;
	vm->script_size = scripts != NULL ? scripts->size : 0;
	vmm__sim_vm_reset(&vm->state);
	*out = vm;
	return 0;
}

static size_t dirty_bytes(const struct slot *slot)
{
	return (size_t)((slot->is.len >> PAGE_SHIFT) + 63) / 64 * sizeof(uint64_t);
}

static void drop_dirty(struct sim_vm *vm, struct slot *slot)
{
	if (slot->dirty != NULL)
		vm->host->free(vm->host->opaque, slot->dirty, dirty_bytes(slot));
	slot->dirty = NULL;
}

static void sim_vm_destroy(void *opaque)
{
	struct sim_vm *vm = opaque;

	for (size_t i = 0; i < vm->slot_room; i++)
		drop_dirty(vm, &vm->slots[i]);
	if (vm->slots != NULL)
		vm->host->free(vm->host->opaque, vm->slots, vm->slot_room * sizeof(*vm->slots));
	vm->host->free(vm->host->opaque, vm, sizeof(*vm));
}

static int sim_vm_cap(void *vm, uint32_t cap, uint64_t *value)
{
	(void)vm;
	*value = cap_value(cap);
	return 0;
}

static int sim_vm_seal(void *vm, const struct vmm_x86_filter *msrs, uint32_t msr_count,
		       const struct vmm_x86_filter *ports, uint32_t port_count,
		       struct vmm_error *error)
{
	(void)vm;
	(void)msrs;
	(void)msr_count;
	(void)ports;
	(void)port_count;
	(void)error;
	return 0;
}

static int sim_vm_reset(void *opaque, struct vmm_error *error)
{
	struct sim_vm *vm = opaque;

	(void)error;
	vmm__sim_vm_reset(&vm->state);
	return 0;
}

/* --- memory --- */

static int grow_slots(struct sim_vm *vm, uint32_t number)
{
	size_t room = (size_t)number * 2 + 8;

	if (number < vm->slot_room)
		return 0;
	struct slot *slots =
		vm->host->alloc(vm->host->opaque, room * sizeof(*slots), _Alignof(struct slot));
	if (slots == NULL)
		return -VMM_ENOMEM;
	if (vm->slots != NULL) {
		memcpy(slots, vm->slots, vm->slot_room * sizeof(*slots));
		vm->host->free(vm->host->opaque, vm->slots, vm->slot_room * sizeof(*slots));
	}
	vm->slots = slots;
	vm->slot_room = room;
	return 0;
}

/* Under vm->lock. */
static int set_slot(struct sim_vm *vm, uint32_t number, const struct vmm__slot *is)
{
	struct slot next = {0};

	if (grow_slots(vm, number) != 0)
		return -VMM_ENOMEM;
	struct slot *slot = &vm->slots[number];
	if (is != NULL) {
		next.is = *is;
		next.dirty = is->dirty ? slot->dirty : NULL;
	}
	if (next.is.dirty && next.dirty == NULL) {
		next.dirty =
			vm->host->alloc(vm->host->opaque, dirty_bytes(&next), sizeof(uint64_t));
		if (next.dirty == NULL)
			return -VMM_ENOMEM;
	}
	if (next.dirty == NULL)
		drop_dirty(vm, slot);
	*slot = next;
	return 0;
}

static int sim_mem_set(void *opaque, uint32_t number, const struct vmm__slot *slot, uint32_t quiet,
		       struct vmm_error *error)
{
	struct sim_vm *vm = opaque;

	(void)quiet; /* vCPUs hold the lock while they touch memory */
	vmm__lock(vm->host, &vm->lock);
	int r = set_slot(vm, number, slot);
	vmm__unlock(vm->host, &vm->lock);
	if (r != 0)
		vmm__fail(error, r, "sim", 0, "no memory for slot %u", number);
	return r;
}

static int sim_mem_dirty(void *opaque, uint32_t number, uint64_t *bitmap, size_t words,
			 struct vmm_error *error)
{
	struct sim_vm *vm = opaque;
	int r = 0;

	vmm__lock(vm->host, &vm->lock);
	const struct slot *slot = number < vm->slot_room ? &vm->slots[number] : NULL;
	if (slot == NULL || slot->dirty == NULL || words * sizeof(uint64_t) < dirty_bytes(slot))
		r = vmm__fail(error, -VMM_EBUG, "sim", 0, "slot %u is not tracked", number);
	for (size_t i = 0; r == 0 && i < dirty_bytes(slot) / sizeof(uint64_t); i++) {
		bitmap[i] |= slot->dirty[i];
		slot->dirty[i] = 0;
	}
	vmm__unlock(vm->host, &vm->lock);
	return r;
}

static struct slot *find_slot(struct sim_vm *vm, uint64_t gpa, bool write)
{
	for (size_t i = 0; i < vm->slot_room; i++) {
		struct slot *s = &vm->slots[i];

		if (gpa >= s->is.gpa && gpa - s->is.gpa < s->is.len && s->is.hva != NULL &&
		    (!write || (s->is.prot & VMM_PROT_WRITE)))
			return s;
	}
	return NULL;
}

/* A guest's access of up to 8 bytes, which may cross slots; false: not all of it is memory. */
static bool touch(struct sim_vm *vm, uint64_t gpa, uint32_t width, bool write, uint64_t *value)
{
	struct slot *slot[8];
	uint64_t got = 0;
	bool all = true;

	vmm__lock(vm->host, &vm->lock);
	for (uint32_t i = 0; i < width && all; i++) {
		slot[i] = find_slot(vm, gpa + i, write);
		all = slot[i] != NULL;
	}
	for (uint32_t i = 0; i < width && all; i++) {
		uint64_t offset = gpa + i - slot[i]->is.gpa;
		/* Others may look at the guest's memory while it runs. */
		_Atomic uint8_t *at = (void *)((uint8_t *)slot[i]->is.hva + offset);

		if (!write) {
			got |= (uint64_t)atomic_load_explicit(at, memory_order_relaxed) << (8 * i);
			continue;
		}
		atomic_store_explicit(at, (uint8_t)(*value >> (8 * i)), memory_order_relaxed);
		if (slot[i]->dirty != NULL)
			slot[i]->dirty[(offset >> PAGE_SHIFT) / 64] |=
				BIT((offset >> PAGE_SHIFT) % 64);
	}
	vmm__unlock(vm->host, &vm->lock);
	if (all && !write)
		*value = got;
	return all;
}

/* --- interrupts: accepted, and seen by nobody --- */

static int sim_irq_line(void *vm, uint32_t gsi, uint32_t level)
{
	(void)vm;
	(void)level;
	return gsi < LINES ? 0 : -VMM_ERANGE;
}

static int sim_msi(void *vm, uint64_t addr, uint32_t data, uint32_t device_id)
{
	(void)vm;
	(void)addr;
	(void)data;
	(void)device_id;
	return 0;
}

/* --- a vCPU --- */

static void destroy_vcpu(struct sim_vcpu *vcpu)
{
	const struct vmm_host *host = vcpu->vm->host;

	if (vcpu->jumps != NULL)
		host->free(host->opaque, vcpu->jumps, vcpu->script.count * sizeof(*vcpu->jumps));
	if (vcpu->cpuid != NULL)
		host->free(host->opaque, vcpu->cpuid, vcpu->cpuid_count * sizeof(*vcpu->cpuid));
	host->free(host->opaque, vcpu, sizeof(*vcpu));
}

static void sim_vcpu_destroy(void *vcpu)
{
	destroy_vcpu(vcpu);
}

static int check_script(const struct vmm_sim_script *script, struct vmm_error *error)
{
	for (uint32_t i = 0; i < script->count; i++) {
		const struct vmm_sim_step *s = &script->steps[i];
		bool access = s->op == VMM_SIM_READ || s->op == VMM_SIM_WRITE;
		bool exits = s->op == VMM_SIM_EXIT;
		bool bus = exits &&
			   (s->exit.reason == VMM_EXIT_MMIO || s->exit.reason == VMM_EXIT_PORT);

		if (s->op < VMM_SIM_EXIT || s->op > VMM_SIM_FAIL ||
		    (s->op == VMM_SIM_JUMP && s->target >= script->count) ||
		    ((access || bus) && (s->exit.width > 8 || !vmm__is_pow2(s->exit.width))) ||
		    (exits && (s->exit.reason <= VMM_EXIT_PAUSED ||
			       vmm_exit_name(s->exit.reason) == NULL)) ||
		    (s->op == VMM_SIM_FAIL && (s->expect == 0 || s->expect > INT32_MAX)))
			return vmm__fail(error, -VMM_EINVAL, "sim", 0, "step %u makes no sense", i);
	}
	return 0;
}

static int sim_vcpu_create(void *opaque, const struct vmm_vcpu_config *config, void **out,
			   struct vmm_error *error)
{
	struct sim_vm *vm = opaque;
	struct vmm_sim_script script = {0};

	if (vm->scripts != NULL)
		memcpy(&script, vm->scripts + (size_t)config->index * vm->script_size,
		       sizeof(script));
	int r = check_script(&script, error);
	if (r != 0)
		return r;
	struct sim_vcpu *vcpu =
		vm->host->alloc(vm->host->opaque, sizeof(*vcpu), _Alignof(struct sim_vcpu));
	if (vcpu == NULL)
		return vmm__fail(error, -VMM_ENOMEM, "sim", 0, "no memory for the vCPU");
	vcpu->vm = vm;
	vcpu->index = config->index;
	vcpu->script = script;
	if (script.count != 0) {
		vcpu->jumps = vm->host->alloc(vm->host->opaque, script.count * sizeof(*vcpu->jumps),
					      sizeof(*vcpu->jumps));
		if (vcpu->jumps == NULL) {
			destroy_vcpu(vcpu);
			return vmm__fail(error, -VMM_ENOMEM, "sim", 0, "no memory for the script");
		}
	}
	vmm__sim_reset(&vcpu->state, config->index, (uint32_t)config->arch_id);
	*out = vcpu;
	return 0;
}

static int sim_vcpu_seal(void *opaque, const struct vmm_x86_cpuid *cpuid, uint32_t count,
			 struct vmm_error *error)
{
	struct sim_vcpu *vcpu = opaque;
	const struct vmm_host *host = vcpu->vm->host;
	struct vmm_x86_cpuid *copy = NULL;

	if (cpuid != NULL && count != 0) {
		copy = host->alloc(host->opaque, count * sizeof(*copy), sizeof(uint64_t));
		if (copy == NULL)
			return vmm__fail(error, -VMM_ENOMEM, "sim", 0, "no memory for CPUID");
		memcpy(copy, cpuid, count * sizeof(*copy));
	}
	if (vcpu->cpuid != NULL)
		host->free(host->opaque, vcpu->cpuid, vcpu->cpuid_count * sizeof(*vcpu->cpuid));
	vcpu->cpuid = copy;
	vcpu->cpuid_count = copy != NULL ? count : 0;
	return 0;
}

static int sim_get_cpuid(void *opaque, struct vmm_x86_cpuid *entries, uint32_t *count)
{
	const struct sim_vcpu *vcpu = opaque;
	uint32_t room = *count;

	*count = vcpu->cpuid_count;
	if (entries == NULL)
		return 0;
	if (room < vcpu->cpuid_count)
		return -VMM_ESIZE;
	if (vcpu->cpuid_count != 0)
		memcpy(entries, vcpu->cpuid, vcpu->cpuid_count * sizeof(*entries));
	return 0;
}

static int sim_vcpu_reset(void *opaque, struct vmm_error *error)
{
	struct sim_vcpu *vcpu = opaque;

	(void)error;
	vcpu->step = 0;
	vcpu->spins = 0;
	vcpu->window = 0;
	vcpu->wants = 0;
	vcpu->sliced = 0;
	atomic_store(&vcpu->idle, 0);
	if (vcpu->jumps != NULL)
		memset(vcpu->jumps, 0, vcpu->script.count * sizeof(*vcpu->jumps));
	atomic_store(&vcpu->kicked, 0);
	atomic_store(&vcpu->nmis, 0);
	vmm__sim_reset(&vcpu->state, vcpu->state.index, vcpu->state.apic_id);
	return 0;
}

static int give_exit(struct sim_vcpu *vcpu, struct vmm_exit *exit)
{
	vcpu->wants = exit->reason >= VMM_EXIT_MMIO;
	atomic_store(&vcpu->idle, exit->reason == VMM_EXIT_IDLE);
	if (exit->reason == VMM_EXIT_IDLE && atomic_load(&vcpu->nmis) != 0)
		vcpu->vm->services->awake(vcpu->vm->services->core, vcpu->index);
	vcpu->last = *exit;
	return 0;
}

/* The answer to the exit of the step before the present one. */
static int take_answer(struct sim_vcpu *vcpu, const struct vmm_exit *exit, struct vmm_error *error)
{
	uint32_t number = vcpu->step - 1;
	const struct vmm_sim_step *step = &vcpu->script.steps[number];
	uint64_t want = step->expect;
	uint64_t got = exit->data;

	if (vcpu->last.width != 0 && vcpu->last.width < 8)
		got &= BITS(8 * vcpu->last.width - 1, 0);
	if ((step->flags & VMM_SIM_CHECK) && got != want)
		return vmm__fail(error, -VMM_EINVAL, "sim", 0,
				 "step %u: the answer is 0x%llx, expected 0x%llx", number,
				 (unsigned long long)got, (unsigned long long)want);
	vcpu->wants = 0;
	return 0;
}

/* The guest's access of a READ or WRITE step: 0 with an exit, or NO_EXIT. */
#define NO_EXIT 2

static int play_access(struct sim_vcpu *vcpu, const struct vmm_sim_step *step,
		       struct vmm_exit *exit, struct vmm_error *error)
{
	bool write = step->op == VMM_SIM_WRITE;
	uint64_t value = step->exit.data;

	vcpu->step++;
	if (!touch(vcpu->vm, step->exit.addr, step->exit.width, write, &value)) {
		*exit = (struct vmm_exit){
			.reason = VMM_EXIT_MMIO,
			.flags = write ? VMM_EXIT_F_WRITE : 0,
			.addr = step->exit.addr,
			.data = write ? value : 0,
			.width = step->exit.width,
		};
		return give_exit(vcpu, exit);
	}
	if (!write && (step->flags & VMM_SIM_CHECK) && value != step->expect)
		return vmm__fail(error, -VMM_EINVAL, "sim", 0,
				 "step %u: read 0x%llx at 0x%llx, expected 0x%llx", vcpu->step - 1,
				 (unsigned long long)value, (unsigned long long)step->exit.addr,
				 (unsigned long long)step->expect);
	return NO_EXIT;
}

static void play_jump(struct sim_vcpu *vcpu, const struct vmm_sim_step *step)
{
	uint32_t *rounds = &vcpu->jumps[vcpu->step];

	if (step->count == 0 || *rounds < step->count) {
		*rounds += step->count != 0;
		vcpu->step = step->target;
	} else {
		*rounds = 0; /* for the next time an outer jump comes by */
		vcpu->step++;
	}
}

static uint64_t slice_left(const struct sim_vcpu *vcpu)
{
	const struct vmm_host *host = vcpu->vm->host;
	uint64_t now;

	if (!vcpu->sliced)
		return VMM_FOREVER;
	now = host->time_ns(host->opaque);
	return now < vcpu->slice_ns ? vcpu->slice_ns - now : 0;
}

static bool slice_over(const struct sim_vcpu *vcpu)
{
	return slice_left(vcpu) == 0;
}

/* As an engine's run(), or NO_EXIT to go on with the next step. */
static int play(struct sim_vcpu *vcpu, struct vmm_exit *exit, struct vmm_error *error)
{
	if (vcpu->step >= vcpu->script.count) {
		*exit = (struct vmm_exit){.reason = VMM_EXIT_HLT};
		return give_exit(vcpu, exit);
	}
	const struct vmm_sim_step *step = &vcpu->script.steps[vcpu->step];
	switch (step->op) {
	case VMM_SIM_EXIT:
		vcpu->step++;
		*exit = step->exit;
		return give_exit(vcpu, exit);
	case VMM_SIM_READ:
	case VMM_SIM_WRITE:
		return play_access(vcpu, step, exit, error);
	case VMM_SIM_SPURIOUS:
		vcpu->step++;
		return VMM__INTERRUPTED;
	case VMM_SIM_WAIT:
		while (atomic_load(&vcpu->kicked) == 0 && !slice_over(vcpu))
			vmm__wait(vcpu->vm->host, &vcpu->kicked, 0, slice_left(vcpu));
		if (atomic_load(&vcpu->kicked) != 0)
			vcpu->step++;
		return NO_EXIT; /* to find that it is kicked, or its slice over */
	case VMM_SIM_SPIN:
		if (vcpu->spins++ < step->count)
			return NO_EXIT;
		vcpu->spins = 0;
		vcpu->step++;
		return NO_EXIT;
	case VMM_SIM_JUMP:
		play_jump(vcpu, step);
		return NO_EXIT;
	default:
		vcpu->step++;
		return vmm__fail(error, -(int)step->expect, "sim", 0, "step %u fails",
				 vcpu->step - 1);
	}
}

/* Interrupts can be taken: RFLAGS.IF set, no shadow, nothing being delivered. */
static bool window_open(const struct sim_vcpu *vcpu)
{
	return (vcpu->state.regs.rflags & BIT(9)) != 0 && vcpu->state.events.shadow == 0 &&
	       vcpu->state.events.interrupt.state == VMM_X86_EVENT_NONE;
}

/* What has been injected is taken at the next instruction. */
static void deliver(struct sim_vcpu *vcpu)
{
	uint32_t nmis = atomic_exchange(&vcpu->nmis, 0);

	vcpu->state.events.nmi_pending += nmis != 0;
	vcpu->state.events.interrupt.state = VMM_X86_EVENT_NONE;
	vcpu->state.events.exception.state = VMM_X86_EVENT_NONE;
}

static int sim_run(void *opaque, struct vmm_exit *exit, struct vmm_error *error)
{
	struct sim_vcpu *vcpu = opaque;
	int r;

	if (vcpu->wants) {
		r = take_answer(vcpu, exit, error);
		if (r != 0)
			return r;
	}
	atomic_store(&vcpu->idle, 0);
	deliver(vcpu);
	do {
		if (atomic_exchange(&vcpu->kicked, 0) != 0)
			return VMM__INTERRUPTED;
		if (slice_over(vcpu)) {
			*exit = (struct vmm_exit){.reason = VMM_EXIT_PREEMPTED,
						  .data = VMM_PREEMPTED_SLICE};
			return give_exit(vcpu, exit);
		}
		if (vcpu->window && window_open(vcpu)) {
			vcpu->window = 0;
			*exit = (struct vmm_exit){.reason = VMM_EXIT_IRQ_WINDOW};
			return give_exit(vcpu, exit);
		}
		r = play(vcpu, exit, error);
	} while (r == NO_EXIT);
	return r;
}

/* The instruction has one more element where the exit said so and the script goes on with it. */
static int sim_complete(void *opaque, struct vmm_exit *exit, struct vmm_error *error)
{
	struct sim_vcpu *vcpu = opaque;
	int r = take_answer(vcpu, exit, error);

	if (r != 0 || !(vcpu->last.flags & VMM_EXIT_F_MORE) || vcpu->step >= vcpu->script.count)
		return r;
	const struct vmm_sim_step *next = &vcpu->script.steps[vcpu->step];
	if (next->op != VMM_SIM_EXIT || next->exit.reason < VMM_EXIT_MMIO)
		return 0;
	vcpu->step++;
	*exit = next->exit;
	give_exit(vcpu, exit);
	return -VMM_EPENDING;
}

static void sim_kick(void *opaque)
{
	struct sim_vcpu *vcpu = opaque;

	atomic_store(&vcpu->kicked, 1);
	vmm__wake(vcpu->vm->host, &vcpu->kicked);
}

static int sim_slice(void *opaque, uint64_t deadline_ns, uint32_t flags)
{
	struct sim_vcpu *vcpu = opaque;

	(void)flags; /* a script gives PREEMPTED where it likes */
	vcpu->slice_ns = deadline_ns;
	vcpu->sliced = deadline_ns != VMM_FOREVER;
	return 0;
}

static int sim_inject(void *opaque, uint32_t kind, uint32_t vector, uint32_t flags,
		      uint32_t error_code, struct vmm_error *error)
{
	struct sim_vcpu *vcpu = opaque;

	if (kind == VMM_INJECT_NMI) {
		atomic_store(&vcpu->nmis, 1);
		if (atomic_load(&vcpu->idle))
			vcpu->vm->services->awake(vcpu->vm->services->core, vcpu->index);
		return 0;
	}
	struct vmm_x86_event event = {
		.state = VMM_X86_EVENT_INJECTED,
		.flags = flags & VMM_INJECT_F_ERROR ? VMM_X86_EVENT_F_ERROR : 0,
		.vector = vector,
		.error_code = flags & VMM_INJECT_F_ERROR ? error_code : 0,
	};
	if (kind == VMM_INJECT_EXCEPTION) {
		vcpu->state.events.exception = event;
		return 0;
	}
	if (!window_open(vcpu))
		return vmm__fail(error, -VMM_EBUSY, "sim", 0, "the guest cannot take vector %u now",
				 vector);
	vcpu->state.events.interrupt = event;
	return 0;
}

static int sim_request_window(void *opaque, uint32_t on, struct vmm_error *error)
{
	struct sim_vcpu *vcpu = opaque;

	(void)error;
	vcpu->window = on;
	return 0;
}

/* --- state --- */

static int sim_state_size(void *opaque, uint32_t cls, uint32_t index, size_t *size)
{
	const struct sim_vcpu *vcpu = opaque;

	if (cls == VMM_STATE_X86_LAPIC && vcpu->vm->irqchip != VMM_IRQCHIP_ARCH)
		return -VMM_EINVAL;
	return vmm__sim_state_size(cls, index, size);
}

static int sim_get_state(void *opaque, uint32_t cls, uint32_t index, void *buf, size_t size,
			 struct vmm_error *error)
{
	struct sim_vcpu *vcpu = opaque;

	return vmm__sim_get(&vcpu->state, cls, index, buf, size, error);
}

static int sim_set_state(void *opaque, uint32_t cls, uint32_t index, const void *buf, size_t size,
			 struct vmm_error *error)
{
	struct sim_vcpu *vcpu = opaque;

	return vmm__sim_set(&vcpu->state, cls, index, buf, size, error);
}

static int sim_vm_get_state(void *opaque, uint32_t cls, uint32_t index, void *buf, size_t size,
			    struct vmm_error *error)
{
	struct sim_vm *vm = opaque;

	return vmm__sim_vm_get(&vm->state, vm->irqchip, cls, index, buf, size, error);
}

static int sim_vm_set_state(void *opaque, uint32_t cls, uint32_t index, const void *buf,
			    size_t size, struct vmm_error *error)
{
	struct sim_vm *vm = opaque;

	return vmm__sim_vm_set(&vm->state, vm->irqchip, cls, index, buf, size, error);
}

static int sim_msr_list(void *vm, uint32_t *list, uint32_t *count, struct vmm_error *error)
{
	(void)vm;
	int r = vmm__sim_msr_list(list, count);
	return r == 0 ? 0 : vmm__fail(error, r, "sim", 0, "there are %u MSRs", *count);
}

static int sim_debug(void *vcpu, const struct vmm_debug_config *config, struct vmm_error *error)
{
	(void)vcpu;
	(void)config;
	(void)error;
	return 0;
}

/* There is no paging. */
static int sim_translate(void *opaque, uint64_t gva, uint32_t prot, uint64_t *gpa,
			 struct vmm_error *error)
{
	struct sim_vcpu *vcpu = opaque;
	struct sim_vm *vm = vcpu->vm;

	vmm__lock(vm->host, &vm->lock);
	const struct slot *slot = find_slot(vm, gva, (prot & VMM_PROT_WRITE) != 0);
	bool there = slot != NULL && (slot->is.prot & prot) == prot;
	vmm__unlock(vm->host, &vm->lock);
	if (!there)
		return vmm__fail(error, -VMM_EFAULT, "sim", 0, "nothing is mapped at 0x%llx",
				 (unsigned long long)gva);
	*gpa = gva;
	return 0;
}

static const struct vmm_engine sim = {
	.name = "sim",
	.arch = VMM_ARCH_X86_64,
	.probe = sim_probe,
	.cap = sim_cap,
	.vm_create = sim_vm_create,
	.vm_destroy = sim_vm_destroy,
	.vm_cap = sim_vm_cap,
	.vm_seal = sim_vm_seal,
	.vm_reset = sim_vm_reset,
	.mem_set = sim_mem_set,
	.mem_dirty = sim_mem_dirty,
	.irq_line = sim_irq_line,
	.msi = sim_msi,
	.vm_get_state = sim_vm_get_state,
	.vm_set_state = sim_vm_set_state,
	.x86_msr_list = sim_msr_list,
	.vcpu_create = sim_vcpu_create,
	.vcpu_destroy = sim_vcpu_destroy,
	.vcpu_seal = sim_vcpu_seal,
	.x86_get_cpuid = sim_get_cpuid,
	.vcpu_reset = sim_vcpu_reset,
	.run = sim_run,
	.complete = sim_complete,
	.kick = sim_kick,
	.slice = sim_slice,
	.inject = sim_inject,
	.request_window = sim_request_window,
	.state_size = sim_state_size,
	.get_state = sim_get_state,
	.set_state = sim_set_state,
	.debug = sim_debug,
	.translate = sim_translate,
};

const struct vmm_engine *vmm_engine_sim(void)
{
	return &sim;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Partitions under test: making them, running them on their CPUs, and looking at what they do. */
#include "partition_vm.h"
#include "bits.h"
#include "libvmm/mem.h"
#include "libvmm/x86.h"
#include "long_mode.h"
#include "mem.h"
#include "sync.h"

/* partition/, by tests/guest/embed.py. */
extern const struct image partitions[];

struct vmm_ctx *ctx;

/* --- a machine --- */

static const uint64_t gdt[] = {LONG_MODE_GDT};

#define RESET_PAGE UINT64_C(0xfffff000)

static int write_memory(struct vmm_vm *vm)
{
	static const uint8_t reset[] = {0xe6, PORT_INIT}; /* out %al, $PORT_INIT */
	static const uint8_t none[CPUS * sizeof(struct control)];
	uint64_t entry = 0x2003;
	int r = vmm_vm_write(vm, ENTRY, partitions[0].data, partitions[0].size);

	if (r == 0)
		r = vmm_vm_write(vm, GDT, gdt, sizeof(gdt));
	if (r == 0)
		r = vmm_vm_write(vm, CONTROL, none, sizeof(none));
	if (r == 0)
		r = vmm_vm_write(vm, TABLES, &entry, 8);
	entry = 0x3003;
	if (r == 0)
		r = vmm_vm_write(vm, 0x2000, &entry, 8);
	for (uint64_t i = 0; r == 0 && i <= RAM_BYTES >> 21; i++) { /* and what is behind it */
		entry = i << 21 | 0x83;
		r = vmm_vm_write(vm, 0x3000 + 8 * i, &entry, 8);
	}
	entry = 0x4003;
	if (r == 0)
		r = vmm_vm_write(vm, 0x2000 + 8 * 3, &entry, 8);
	entry = 0xfee00083;
	if (r == 0)
		r = vmm_vm_write(vm, 0x4000 + 8 * 0x1f7, &entry, 8);
	return r == 0 ? vmm_vm_write(vm, RESET_PAGE + 0xff0, reset, sizeof(reset)) : r;
}

static int enter(struct runner *runner)
{
	struct vmm_vcpu *vcpu = runner->vcpu;
	const struct vmm_x86_regs regs = {.rip = ENTRY,
					  .rflags = 2,
					  .rdi = (uint64_t)(runner - runner->part->runner),
					  .rsi = runner->order};
	const struct vmm_x86_mp mp = {.state = VMM_X86_MP_RUNNABLE};
	struct vmm_x86_sys sys;
	int r = vmm_vcpu_get_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys));

	if (r != 0)
		return r;
	set_long_mode(&sys, sizeof(gdt));
	r = vmm_vcpu_set_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys));
	if (r == 0)
		r = vmm_vcpu_set_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs));
	return r != 0 ? r : vmm_vcpu_set_state(vcpu, VMM_STATE_X86_MP, 0, &mp, sizeof(mp));
}

int make(struct partition *p, uint64_t first, uint32_t count, uint32_t flags, uint32_t vcpu_flags)
{
	const struct vmm_vm_config vm_config = {.size = sizeof(vm_config),
						.flags = flags,
						.irqchip = VMM_IRQCHIP_ARCH,
						.max_vcpus = count};
	int r = vmm_vm_create(ctx, &vm_config, &p->vm);

	p->count = count;
	if (r == 0)
		r = vmm_mem_create(ctx, RAM_BYTES + 0x1000, &p->ram);
	if (r == 0)
		r = vmm_vm_map(p->vm, 0, p->ram, 0, RAM_BYTES, VMM_PROT_RWX);
	if (r == 0)
		r = vmm_vm_map(p->vm, RESET_PAGE, p->ram, RAM_BYTES, 0x1000, VMM_PROT_RWX);
	for (uint32_t i = 0; r == 0 && i < count; i++) {
		const struct vmm_vcpu_config config = {.size = sizeof(config),
						       .flags = vcpu_flags,
						       .index = i,
						       .arch_id = first + i - 1};

		p->runner[i] = (struct runner){.part = p, .cpu = first + i};
		r = vmm_vcpu_create(p->vm, &config, &p->runner[i].vcpu);
	}
	return r == 0 ? vmm_vm_seal(p->vm) : r;
}

void unmake(struct partition *p)
{
	vmm_vm_destroy(p->vm);
	vmm_mem_unref(p->ram);
	memset(p, 0, sizeof(*p));
}

/* --- running it --- */

/* After an INIT of its own, or anything else that has ended it. */
static bool begin_anew(struct runner *r)
{
	r->anew++;
	r->rc = 0;
	if (r->exit.reason >= VMM_EXIT_MMIO)
		r->rc = vmm_vcpu_complete(r->vcpu, &r->exit);
	if (r->rc == 0)
		r->rc = enter(r);
	return r->rc == 0;
}

/* False: it stops. */
static bool goes_on(struct runner *r)
{
	if (r->rc != 0)
		return false;
	switch (r->exit.reason) {
	case VMM_EXIT_MMIO:
		return true;
	case VMM_EXIT_PORT:
		if (r->exit.addr == PORT_INIT)
			return begin_anew(r);
		return r->exit.addr != PORT_RESET;
	case VMM_EXIT_IDLE:
		vmm_vcpu_wait(r->vcpu, r->exit.data);
		return true;
	case VMM_EXIT_BUDGET:
		r->broken = r->exit;
		atomic_fetch_add(&r->budgets, 1);
		return true;
	default:
		return r->restless && begin_anew(r);
	}
}

static void run(void *arg)
{
	const struct vmm_host *host = vmm_bare_host();
	struct runner *r = arg;

	for (;;) {
		r->rc = vmm_vcpu_run(r->vcpu, &r->exit);
		if (atomic_load(&r->part->end) != 0)
			return;
		if (goes_on(r))
			continue;
		atomic_store(&r->stopped, 1);
		while (atomic_load(&r->go_on) == 0 && atomic_load(&r->part->end) == 0)
			vmm__wait(host, &r->go_on, 0, MS);
		if (atomic_load(&r->part->end) != 0)
			return;
		atomic_store(&r->stopped, 0);
		atomic_store(&r->go_on, 0);
	}
}

struct control control(struct partition *p, uint32_t index)
{
	struct control c = {0};

	vmm_vm_read(p->vm, CONTROL + index * sizeof(c), &c, sizeof(c));
	return c;
}

void tell(struct partition *p, uint32_t index, size_t offset, uint64_t value, size_t len)
{
	vmm_vm_write(p->vm, CONTROL + index * sizeof(struct control) + offset, &value, len);
}

int start(struct partition *p, const uint64_t *orders)
{
	int r = write_memory(p->vm);

	atomic_store(&p->end, 0);
	for (uint32_t i = 0; r == 0 && i < p->count; i++) {
		struct runner *runner = &p->runner[i];
		uint32_t next = (i + 1) % p->count;

		atomic_store(&runner->stopped, 0);
		atomic_store(&runner->go_on, 0);
		runner->order = orders[i];
		tell(p, i, offsetof(struct control, next), p->runner[next].cpu - 1, 8);
		r = enter(runner);
		if (r == 0)
			r = vmm_bare_run(runner->cpu, run, runner);
	}
	return r;
}

void stop(struct partition *p)
{
	atomic_store(&p->end, 1);
	for (uint32_t i = 0; i < p->count; i++)
		vmm_vcpu_kick(p->runner[i].vcpu);
	for (uint32_t i = 0; i < p->count; i++)
		vmm_bare_join(p->runner[i].cpu);
}

uint64_t now(void)
{
	return vmm_bare_host()->time_ns(NULL);
}

void pause_ns(uint64_t ns)
{
	static _Atomic uint32_t never;
	const uint64_t end = now() + ns;

	for (uint64_t at = now(); at < end; at = now())
		vmm__wait(vmm_bare_host(), &never, 0, end - at);
}

bool reaches(struct partition *p, uint32_t state)
{
	const uint64_t end = now() + LONG_NS;

	for (uint32_t i = 0; i < p->count; i++) {
		while (control(p, i).state < state) {
			if (now() > end || control(p, i).fault != 0) {
				vmm_bare_print("CPU %u: state %u, fault %u, ticks %u, ipis %u\n", i,
					       control(p, i).state, control(p, i).fault,
					       (unsigned)control(p, i).ticks,
					       (unsigned)control(p, i).ipis);
				return false;
			}
			pause_ns(MS);
		}
	}
	return true;
}

struct vmm_partition_exits exits(struct partition *p, uint32_t index)
{
	struct vmm_partition_exits e = {.size = sizeof(e)};

	vmm_vcpu_partition_exits(p->runner[index].vcpu, &e);
	return e;
}

void go(struct partition *p)
{
	for (uint32_t i = p->count; i-- > 0;)
		tell(p, i, offsetof(struct control, go), 1, 4);
}

uint64_t since(struct partition *p, uint32_t index, const struct vmm_partition_exits *from)
{
	const struct vmm_partition_exits to = exits(p, index);

	for (uint32_t i = 0; i < VMM_PARTITION_REASONS; i++) {
		if (to.by[i] != from->by[i])
			vmm_bare_print("# CPU %u: reason %u: %u exits\n", index, i,
				       (unsigned)(to.by[i] - from->by[i]));
	}
	return to.total - from->total;
}

int budget(struct partition *p, uint32_t index, uint64_t count, uint32_t excused)
{
	const struct vmm_exit_budget b = {.size = sizeof(b), .excused = excused, .exits = count};

	return vmm_vcpu_exit_budget(p->runner[index].vcpu, &b);
}

bool stops(struct runner *r)
{
	const uint64_t end = now() + LONG_NS;

	while (atomic_load(&r->stopped) == 0) {
		if (now() > end)
			return false;
		pause_ns(MS / 10);
	}
	return true;
}

bool halt(struct runner *r)
{
	vmm_vcpu_kick(r->vcpu);
	return stops(r) && r->rc == 0 && r->exit.reason == VMM_EXIT_KICKED;
}

bool resume(struct runner *r)
{
	const uint64_t end = now() + LONG_NS;

	atomic_store(&r->go_on, 1); /* it may have stopped again before this is seen */
	while (atomic_load(&r->go_on) != 0) {
		if (now() > end)
			return false;
		pause_ns(MS / 10);
	}
	return true;
}

bool gets_on(struct partition *p, uint64_t rounds_done)
{
	const uint64_t end = now() + LONG_NS;

	while (control(p, 0).rounds <= rounds_done) {
		if (now() > end)
			return false;
		pause_ns(MS);
	}
	return true;
}

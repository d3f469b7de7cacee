// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Dedicated vCPUs on the SVM engine: guests that own their CPUs, watched from CPU 1. Each case is a
 * word of the command line, or all of them run; rounds=N says how many neighbours come and go.
 *
 * CPU 1 looks on, 2 and 3 run the partition, 4 its neighbour. APIC IDs are one less.
 */
#include "bare.h"
#include "bits.h"
#include "guest.h"
#include "libvmm/mem.h"
#include "libvmm/svm.h"
#include "libvmm/x86.h"
#include "mem.h"
#include "partition/control.h"
#include "sync.h"

/* partition/, by tests/guest/embed.py. */
extern const struct image partitions[];

#define ENTRY     0x8000
#define MS        UINT64_C(1000000)
#define LONG_NS   (30000 * MS)
#define NEIGHBOUR 4

#define CHECK(cond)                                                                       \
	do {                                                                              \
		if (!(cond)) {                                                            \
			vmm_bare_print("not ok: %s:%d: %s\n", __FILE__, __LINE__, #cond); \
			return 1;                                                         \
		}                                                                         \
	} while (0)

static uint32_t rounds = 20;

struct runner {
	struct partition *part;
	struct vmm_vcpu *vcpu;
	uint64_t cpu;
	int rc;
	struct vmm_exit exit;     /* the last one */
	struct vmm_exit broken;   /* the last of VMM_EXIT_BUDGET */
	_Atomic uint32_t stopped; /* has come back, and waits for @go_on or the end */
	_Atomic uint32_t go_on;
	_Atomic uint32_t budgets;
};

struct partition {
	struct vmm_vm *vm;
	struct vmm_mem *ram;
	uint32_t count;
	struct runner runner[CPUS];
	_Atomic uint32_t end;
};

static struct vmm_ctx *ctx;

/* --- a machine --- */

static const uint64_t gdt[] = {0, UINT64_C(0x00af9b000000ffff), UINT64_C(0x00cf93000000ffff)};

static int write_memory(struct vmm_vm *vm)
{
	static const uint8_t none[CPUS * sizeof(struct control)];
	uint64_t entry = 0x2003;
	int r = vmm_vm_write(vm, ENTRY, partitions[0].data, partitions[0].size);

	if (r == 0)
		r = vmm_vm_write(vm, 0x500, gdt, sizeof(gdt));
	if (r == 0)
		r = vmm_vm_write(vm, CONTROL, none, sizeof(none));
	if (r == 0)
		r = vmm_vm_write(vm, 0x1000, &entry, 8);
	entry = 0x3003;
	if (r == 0)
		r = vmm_vm_write(vm, 0x2000, &entry, 8);
	for (uint64_t i = 0; r == 0 && i < RAM_BYTES >> 21; i++) {
		entry = i << 21 | 0x83;
		r = vmm_vm_write(vm, 0x3000 + 8 * i, &entry, 8);
	}
	return r;
}

static int enter(struct vmm_vcpu *vcpu, uint64_t index, uint64_t order)
{
	const struct vmm_x86_segment data = {.limit = UINT32_MAX,
					     .attr = VMM_X86_SEG_TYPE(3) | VMM_X86_SEG_S |
						     VMM_X86_SEG_P | VMM_X86_SEG_G | VMM_X86_SEG_DB,
					     .selector = 0x10};
	const struct vmm_x86_regs regs = {.rip = ENTRY, .rflags = 2, .rdi = index, .rsi = order};
	const struct vmm_x86_mp mp = {.state = VMM_X86_MP_RUNNABLE};
	struct vmm_x86_sys sys;
	int r = vmm_vcpu_get_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys));

	if (r != 0)
		return r;
	sys.ds = sys.es = sys.fs = sys.gs = sys.ss = data;
	sys.cs = data;
	sys.cs.selector = 8;
	sys.cs.attr = VMM_X86_SEG_TYPE(11) | VMM_X86_SEG_S | VMM_X86_SEG_P | VMM_X86_SEG_G |
		      VMM_X86_SEG_L;
	sys.gdt = (struct vmm_x86_table){.base = 0x500, .limit = sizeof(gdt) - 1};
	sys.cr0 = 0x80000011;
	sys.cr3 = 0x1000;
	sys.cr4 = 0x620;
	sys.efer = 0x500;
	r = vmm_vcpu_set_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys));
	if (r == 0)
		r = vmm_vcpu_set_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs));
	return r != 0 ? r : vmm_vcpu_set_state(vcpu, VMM_STATE_X86_MP, 0, &mp, sizeof(mp));
}

/* On CPUs from @first on. */
static int make(struct partition *p, uint64_t first, uint32_t count, uint32_t flags)
{
	const struct vmm_vm_config vm_config = {.size = sizeof(vm_config),
						.flags = flags,
						.irqchip = VMM_IRQCHIP_ARCH,
						.max_vcpus = count};
	int r = vmm_vm_create(ctx, &vm_config, &p->vm);

	p->count = count;
	if (r == 0)
		r = vmm_mem_create(ctx, RAM_BYTES, &p->ram);
	if (r == 0)
		r = vmm_vm_map(p->vm, 0, p->ram, 0, RAM_BYTES, VMM_PROT_RWX);
	for (uint32_t i = 0; r == 0 && i < count; i++) {
		const struct vmm_vcpu_config config = {.size = sizeof(config),
						       .flags = VMM_VCPU_DEDICATED,
						       .index = i,
						       .arch_id = first + i - 1};

		p->runner[i] = (struct runner){.part = p, .cpu = first + i};
		r = vmm_vcpu_create(p->vm, &config, &p->runner[i].vcpu);
	}
	return r == 0 ? vmm_vm_seal(p->vm) : r;
}

static void unmake(struct partition *p)
{
	vmm_vm_destroy(p->vm);
	vmm_mem_unref(p->ram);
	memset(p, 0, sizeof(*p));
}

/* --- running it --- */

static void run(void *arg)
{
	const struct vmm_host *host = vmm_bare_host();
	struct runner *r = arg;

	for (;;) {
		r->rc = vmm_vcpu_run(r->vcpu, &r->exit);
		if (atomic_load(&r->part->end) != 0)
			return;
		if (r->rc == 0 && r->exit.reason == VMM_EXIT_PORT)
			continue;
		if (r->rc == 0 && r->exit.reason == VMM_EXIT_IDLE) {
			vmm_vcpu_wait(r->vcpu, r->exit.data);
			continue;
		}
		if (r->rc == 0 && r->exit.reason == VMM_EXIT_BUDGET) {
			r->broken = r->exit;
			atomic_fetch_add(&r->budgets, 1);
			continue;
		}
		atomic_store(&r->stopped, 1);
		while (atomic_load(&r->go_on) == 0 && atomic_load(&r->part->end) == 0)
			vmm__wait(host, &r->go_on, 0, MS);
		if (atomic_load(&r->part->end) != 0)
			return;
		atomic_store(&r->stopped, 0);
		atomic_store(&r->go_on, 0);
	}
}

static struct control control(struct partition *p, uint32_t index)
{
	struct control c = {0};

	vmm_vm_read(p->vm, CONTROL + index * sizeof(c), &c, sizeof(c));
	return c;
}

static void tell(struct partition *p, uint32_t index, size_t offset, uint64_t value, size_t len)
{
	vmm_vm_write(p->vm, CONTROL + index * sizeof(struct control) + offset, &value, len);
}

static int start(struct partition *p, const uint64_t *orders)
{
	int r = write_memory(p->vm);

	atomic_store(&p->end, 0);
	for (uint32_t i = 0; r == 0 && i < p->count; i++) {
		struct runner *runner = &p->runner[i];
		uint32_t next = (i + 1) % p->count;

		atomic_store(&runner->stopped, 0);
		atomic_store(&runner->go_on, 0);
		tell(p, i, offsetof(struct control, next), p->runner[next].cpu - 1, 8);
		r = enter(runner->vcpu, i, orders[i]);
		if (r == 0)
			r = vmm_bare_run(runner->cpu, run, runner);
	}
	return r;
}

static void stop(struct partition *p)
{
	atomic_store(&p->end, 1);
	for (uint32_t i = 0; i < p->count; i++)
		vmm_vcpu_kick(p->runner[i].vcpu);
	for (uint32_t i = 0; i < p->count; i++)
		vmm_bare_join(p->runner[i].cpu);
}

static uint64_t now(void)
{
	return vmm_bare_host()->time_ns(NULL);
}

static void pause_ns(uint64_t ns)
{
	static _Atomic uint32_t never;
	const uint64_t end = now() + ns;

	for (uint64_t at = now(); at < end; at = now())
		vmm__wait(vmm_bare_host(), &never, 0, end - at);
}

/* All its CPUs are that far. */
static bool reaches(struct partition *p, uint32_t state)
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

static struct vmm_partition_exits exits(struct partition *p, uint32_t index)
{
	struct vmm_partition_exits e = {.size = sizeof(e)};

	vmm_vcpu_partition_exits(p->runner[index].vcpu, &e);
	return e;
}

static void go(struct partition *p)
{
	for (uint32_t i = p->count; i-- > 0;)
		tell(p, i, offsetof(struct control, go), 1, 4);
}

static uint64_t since(struct partition *p, uint32_t index, const struct vmm_partition_exits *from)
{
	const struct vmm_partition_exits to = exits(p, index);

	for (uint32_t i = 0; i < VMM_PARTITION_REASONS; i++) {
		if (to.by[i] != from->by[i])
			vmm_bare_print("# CPU %u: reason %u: %u exits\n", index, i,
				       (unsigned)(to.by[i] - from->by[i]));
	}
	return to.total - from->total;
}

static int budget(struct partition *p, uint32_t index, uint64_t count, uint32_t excused)
{
	const struct vmm_exit_budget b = {.size = sizeof(b), .excused = excused, .exits = count};

	return vmm_vcpu_exit_budget(p->runner[index].vcpu, &b);
}

/* Kick it until it has come back; it then waits. */
static bool halt(struct runner *r)
{
	const uint64_t end = now() + LONG_NS;

	vmm_vcpu_kick(r->vcpu);
	while (atomic_load(&r->stopped) == 0) {
		if (now() > end)
			return false;
		pause_ns(MS / 10);
	}
	return r->rc == 0 && r->exit.reason == VMM_EXIT_KICKED;
}

static bool resume(struct runner *r)
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

/* It has done more than @rounds_done, at some time. */
static bool gets_on(struct partition *p, uint64_t rounds_done)
{
	const uint64_t end = now() + LONG_NS;

	while (control(p, 0).rounds <= rounds_done) {
		if (now() > end)
			return false;
		pause_ns(MS);
	}
	return true;
}

/* --- cases --- */

/* 1,000 interrupts of its own timer, and a second of idling: no exit. */
static int case_ticks(struct partition *p)
{
	struct vmm_partition_exits before;

	CHECK(make(p, 2, 1, 0) == 0);
	CHECK(start(p, (uint64_t[]){ORDER_TICKS}) == 0 && reaches(p, STATE_READY));
	CHECK(exits(p, 0).settled == 0);
	CHECK(vmm_vm_settle(p->vm) == 0 && exits(p, 0).settled == 1);
	before = exits(p, 0);
	CHECK(budget(p, 0, 0, 0) == 0);
	go(p);
	CHECK(reaches(p, STATE_DONE));
	pause_ns(1000 * MS);
	CHECK(control(p, 0).ticks > ROUNDS && control(p, 0).others == 0);
	CHECK(since(p, 0, &before) == 0 && atomic_load(&p->runner[0].budgets) == 0);
	return 0;
}

/* With interrupts off it is stopped, looked at, and goes on. */
static int case_spin(struct partition *p)
{
	CHECK(make(p, 2, 1, 0) == 0);
	CHECK(start(p, (uint64_t[]){ORDER_SPIN}) == 0 && reaches(p, STATE_READY));
	go(p);
	for (uint32_t i = 0; i < 50; i++) {
		struct runner *r = &p->runner[0];
		struct vmm_x86_regs regs;
		uint64_t n;

		CHECK(gets_on(p, 0));
		CHECK(halt(r));
		CHECK(vmm_vcpu_get_state(r->vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)) == 0);
		CHECK((regs.rflags & 0x200) == 0 && regs.rip > ENTRY && regs.rip < 0x20000);
		n = control(p, 0).rounds;
		pause_ns(MS);
		CHECK(control(p, 0).rounds == n);
		CHECK(resume(r) && gets_on(p, n));
	}
	return 0;
}

/* 1,000 IPIs each way: each sender's are its only exits, and with "direct" there are none. */
static int exchange(struct partition *p, uint32_t flags)
{
	const bool direct = (flags & VMM_VM_IPI_DIRECT) != 0;
	struct vmm_partition_exits before[2];

	CHECK(make(p, 2, 2, flags) == 0);
	CHECK(start(p, (uint64_t[]){ORDER_SEND, ORDER_ANSWER}) == 0 && reaches(p, STATE_READY));
	CHECK(vmm_vm_settle(p->vm) == 0);
	for (uint32_t i = 0; i < 2; i++) {
		before[i] = exits(p, i);
		CHECK(budget(p, i, 0, direct ? 0 : 1 << VMM_PARTITION_IPI) == 0);
	}
	go(p);
	CHECK(reaches(p, STATE_DONE));
	for (uint32_t i = 0; i < 2; i++) {
		const uint64_t sent = control(p, i).sent;

		CHECK(sent == ROUNDS && control(p, i).ipis == ROUNDS);
		CHECK(since(p, i, &before[i]) == (direct ? 0 : sent));
		CHECK(exits(p, i).by[VMM_PARTITION_IPI] - before[i].by[VMM_PARTITION_IPI] ==
		      (direct ? 0 : sent));
		CHECK(atomic_load(&p->runner[i].budgets) == 0);
	}
	return 0;
}

static int case_checked(struct partition *p)
{
	return exchange(p, 0);
}

static int case_direct(struct partition *p)
{
	return exchange(p, VMM_VM_IPI_DIRECT);
}

static int case_events(struct partition *p)
{
	CHECK(make(p, 2, 1, 0) == 0);
	CHECK(start(p, (uint64_t[]){ORDER_EVENTS}) == 0 && reaches(p, STATE_DONE));
	CHECK(control(p, 0).wrong == 0 && control(p, 0).nmis == 1);
	return 0;
}

/* Ten exits are paid for; the eleventh is told. */
static int case_budget(struct partition *p)
{
	struct runner *r = &p->runner[0];
	struct vmm_partition_exits before;
	uint64_t n;

	CHECK(make(p, 2, 1, 0) == 0);
	CHECK(start(p, (uint64_t[]){ORDER_PORTS}) == 0);
	CHECK(gets_on(p, 100) && halt(r));
	before = exits(p, 0);
	CHECK(budget(p, 0, 10, 1 << VMM_PARTITION_HOST) == 0);
	n = control(p, 0).rounds;
	CHECK(resume(r) && gets_on(p, n + 100));
	CHECK(halt(r) && atomic_load(&r->budgets) == 1);
	CHECK(r->broken.addr == VMM_PARTITION_PORT && r->broken.hw_code == 0x7b);
	CHECK((r->broken.flags & VMM_EXIT_F_PC) != 0 && r->broken.pc > ENTRY);
	CHECK(exits(p, 0).by[VMM_PARTITION_PORT] - before.by[VMM_PARTITION_PORT] >= 100);
	CHECK(resume(r));
	return 0;
}

/* What must not be. */
static int case_refused(struct partition *p)
{
	struct runner *r = &p->runner[0];

	CHECK(make(p, 2, 1, VMM_VM_IPI_DIRECT) == 0);
	r->cpu = 3; /* whose APIC ID is another */
	CHECK(start(p, (uint64_t[]){ORDER_SPIN}) == 0);
	while (atomic_load(&r->stopped) == 0)
		pause_ns(MS);
	CHECK(r->rc == -VMM_EINVAL);
	return 0;
}

/* --- neighbours --- */

static int bother(struct partition *n, uint32_t round)
{
	static const uint64_t orders[] = {ORDER_ICR,   ORDER_PANIC, ORDER_LOOP,  ORDER_ICR,
					  ORDER_TICKS, ORDER_ICR,   ORDER_PORTS, ORDER_ICR};
	const uint64_t order = orders[round % ARRAY_SIZE(orders)];
	const uint64_t end = now() + LONG_NS;
	struct runner *r = &n->runner[0];

	CHECK(vmm_vm_reset(n->vm) == 0);
	CHECK(start(n, &order) == 0);
	tell(n, 0, offsetof(struct control, argument), (uint64_t)round * 256, 8);
	if (order == ORDER_ICR) { /* an INIT to itself ends it too */
		struct vmm_x86_mp mp;

		while (control(n, 0).state != STATE_DONE && now() < end) {
			pause_ns(MS);
			if (!halt(r))
				break;
			CHECK(vmm_vcpu_get_state(r->vcpu, VMM_STATE_X86_MP, 0, &mp, sizeof(mp)) ==
			      0);
			if (mp.state != VMM_X86_MP_RUNNABLE)
				break;
			CHECK(resume(r));
		}
	} else if (order == ORDER_PANIC) {
		while (atomic_load(&r->stopped) == 0 && now() < end)
			pause_ns(MS / 10);
		CHECK(r->rc == 0 && r->exit.reason == VMM_EXIT_SHUTDOWN);
	} else {
		pause_ns(2 * MS);
	}
	stop(n);
	return 0;
}

/* Whatever a neighbour does, checked work goes on, with no exit and nothing it has not asked for.
 */
static int case_neighbours(struct partition *p)
{
	static struct partition neighbour;
	struct vmm_partition_exits before;
	uint64_t seen = 0;
	int failed = 0;

	CHECK(make(p, 2, 1, 0) == 0 && make(&neighbour, NEIGHBOUR, 1, 0) == 0);
	CHECK(start(p, (uint64_t[]){ORDER_WORK}) == 0 && reaches(p, STATE_READY));
	CHECK(vmm_vm_settle(p->vm) == 0);
	before = exits(p, 0);
	CHECK(budget(p, 0, 0, 0) == 0);
	go(p);
	for (uint32_t i = 0; i < rounds && failed == 0; i++) {
		struct control c;

		failed = bother(&neighbour, i);
		c = control(p, 0);
		if (c.wrong != 0 || c.fault != 0 || since(p, 0, &before) != 0)
			failed = 1;
		if (!gets_on(p, seen))
			failed = 1;
		seen = control(p, 0).rounds;
		if (failed != 0)
			vmm_bare_print("# neighbour %u: wrong %u, fault %u, others %u\n", i,
				       c.wrong, c.fault, (unsigned)c.others);
	}
	unmake(&neighbour);
	vmm_bare_print("%u neighbours, %u rounds of work, %u ticks\n", rounds, (unsigned)seen,
		       (unsigned)control(p, 0).ticks);
	return failed;
}

/* The CPUs are the host's again, and nothing comes late. */
static int case_after(struct partition *p)
{
	const uint64_t start_ns = now();
	uint32_t word = 0;

	(void)p;
	for (uint32_t i = 0; i < 20; i++)
		vmm_bare_host()->wait(NULL, &word, 0, 5 * MS);
	CHECK(now() - start_ns > 20 * MS);
	return 0;
}

static const struct {
	const char *name;
	int (*fn)(struct partition *p);
} cases[] = {
	{"ticks", case_ticks},     {"spin", case_spin},
	{"checked", case_checked}, {"direct", case_direct},
	{"events", case_events},   {"budget", case_budget},
	{"refused", case_refused}, {"neighbours", case_neighbours},
	{"after", case_after},
};

static bool has_word(const char *list, const char *word)
{
	for (const char *at = list; *at; at++) {
		const char *a = at, *b = word;

		while (*b && *a == *b) {
			a++;
			b++;
		}
		if (!*b && (*a == ' ' || !*a) && (at == list || at[-1] == ' '))
			return true;
	}
	return false;
}

static bool any_named(const char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (has_word(line, cases[i].name))
			return true;
	}
	return false;
}

static void read_rounds(const char *line)
{
	static const char key[] = "rounds=";

	for (; *line; line++) {
		size_t n = 0;

		while (key[n] && line[n] == key[n])
			n++;
		if (key[n])
			continue;
		rounds = 0;
		for (line += n; *line >= '0' && *line <= '9'; line++)
			rounds = 10 * rounds + (uint32_t)(*line - '0');
		return;
	}
}

/* On CPU 2, a host again. */
static void on_cpu(void *arg)
{
	*(int *)arg = case_after(NULL);
}

int vmm_bare_main(const struct vmm_bare_boot *boot)
{
	const struct vmm_engine *engines[] = {vmm_engine_svm()};
	const struct vmm_ctx_config config = {.size = sizeof(config),
					      .host = vmm_bare_host(),
					      .engines = engines,
					      .engine_count = 1};
	struct vmm_error error = {.size = sizeof(error)};
	bool all = !any_named(boot->cmdline);
	struct vmm_bare_usage before, after;
	int failed = 0, late = 1;

	read_rounds(boot->cmdline);
	vmm_bare_usage(&before);
	if (vmm_ctx_create(&config, &ctx, &error) != 0) {
		vmm_bare_print("not ok: %s: %s\n", error.call, error.text);
		return 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		static struct partition p;
		int r;

		if (!all && !has_word(boot->cmdline, cases[i].name))
			continue;
		r = cases[i].fn(&p);
		if (p.vm) {
			stop(&p);
			unmake(&p);
		}
		vmm_bare_print("%s: %s\n", r == 0 ? "ok" : "not ok", cases[i].name);
		failed += r != 0;
	}
	vmm_ctx_destroy(ctx);
	if (vmm_bare_run(2, on_cpu, &late) != 0 || vmm_bare_join(2) != 0 || late != 0)
		failed++;
	vmm_bare_usage(&after);
	vmm_bare_print("left over: %llu bytes\n%d failed\n",
		       (unsigned long long)(after.heap_bytes - before.heap_bytes), failed);
	return failed != 0;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The guest as adversary, on the SVM or VMX engine: hostile/guest.c is run case by case, and after
 * each one everything that is the host's is looked at: what lies behind each of its allocations,
 * its own page tables, and every entry of the nested ones, which may lead to the guest's memory
 * alone. At last each allocation of a VM's life fails in turn, and a thousand lives leave nothing
 * behind.
 *
 * The command line names cases, "failures" or "lives"; nothing: all. It needs a second CPU, which
 * kicks a guest that takes too long.
 */
#include "asked.h"
#include "core.h"
#include "engine_here.h"
#include "guest.h"
#include "hostile/cases.h"
#include "libvmm/mem.h"
#include "libvmm/x86.h"
#include "long_mode.h"
#include "native.h"

/* hostile/, by tests/guest/embed.py. */
extern const struct image hostiles[];

#define ENTRY 0x8000
/* Before a guest that may have to be stopped is, and before one that should not: silence, exits. */
#define SHORT_NS   UINT64_C(300000000)
#define LONG_NS    UINT64_C(30000000000)
#define FEW_EXITS  3000u
#define MANY_EXITS 500000u

/* How a guest may end. */
#define WELL      1u /* by itself, and all was as it should be */
#define BADLY     2u
#define SHUT_DOWN 4u
#define GIVEN_UP  8u /* an instruction that nobody emulates, or state that no processor takes */
#define KICKED    16u
#define DIES      (WELL | SHUT_DOWN | GIVEN_UP | KICKED)

struct hostile_case {
	const char *name;
	uint32_t number;
	uint32_t times;
	uint32_t endings;
};

static const struct hostile_case cases[] = {
	{"svm", CASE_SVM, 1, WELL},
	{"vmx", CASE_VMX, 1, WELL},
	{"fixed-bits", CASE_FIXED_BITS, 1, WELL},
	{"hypercalls", CASE_HYPERCALLS, 1, WELL},
	{"msrs", CASE_MSRS, 2, WELL},
	{"bad-values", CASE_BAD_VALUES, 1, WELL},
	{"cr8", CASE_CR8, 1, WELL},
	{"controls", CASE_CONTROLS, 20, DIES},
	{"wild-cr0", CASE_WILD_CR0, 40, DIES},
	{"wild-cr3", CASE_WILD_CR3, 40, DIES},
	{"wild-efer", CASE_WILD_EFER, 40, DIES},
	{"pages", CASE_PAGES, 1, WELL},
	{"fetch", CASE_FETCH, 16, DIES},
	{"tables", CASE_TABLES, 16, DIES},
	{"own", CASE_OWN, 1, WELL},
	{"ports", CASE_PORTS, 1, WELL},
	{"port-strings", CASE_PORT_STRINGS, 1, WELL},
	{"mmio", CASE_MMIO, 1, WELL | GIVEN_UP},
	{"wild-mmio", CASE_WILD_MMIO, 12, DIES},
	{"no-idt", CASE_NO_IDT, 1, SHUT_DOWN},
	{"fault-loop", CASE_FAULT_LOOP, 1, KICKED},
	{"debug-loop", CASE_DEBUG_LOOP, 1, KICKED | SHUT_DOWN},
	{"spin", CASE_SPIN, 1, KICKED},
	{"halt", CASE_HALT, 1, WELL},
	{"no-stack", CASE_NO_STACK, 1, WELL | SHUT_DOWN | KICKED},
	{"wild-segments", CASE_WILD_SEGMENTS, 20, DIES},
	{"wild-code", CASE_WILD_CODE, 30, DIES},
	{"moved-code", CASE_MOVED_CODE, 1, WELL},
};

/* --- a host that watches its memory --- */

#define GUARD      64u
#define GUARD_BYTE 0xa5
#define ALLOCS     512

static struct {
	uint8_t *at;
	size_t size;
} allocs[ALLOCS];

static struct {
	uint64_t pa, size;
} areas[16]; /* of guests */

static struct vmm_host host;
static uint32_t countdown; /* allocations until one fails; 0: none does */

static bool runs_out(void)
{
	return countdown != 0 && --countdown == 0;
}

static void *guarded_alloc(void *opaque, size_t size, size_t align)
{
	uint8_t *at = NULL;

	if (size < SIZE_MAX - GUARD && !runs_out())
		at = vmm_bare_host()->alloc(opaque, size + GUARD, align);
	for (uint32_t i = 0; at && i < ALLOCS; i++) {
		if (allocs[i].at)
			continue;
		allocs[i].at = at;
		allocs[i].size = size;
		memset(at + size, GUARD_BYTE, GUARD);
		return at;
	}
	return NULL;
}

static bool is_intact(uint32_t i)
{
	for (uint32_t n = 0; n < GUARD; n++) {
		if (allocs[i].at[allocs[i].size + n] != GUARD_BYTE)
			return false;
	}
	return true;
}

static bool broken;

static void guarded_free(void *opaque, void *ptr, size_t size)
{
	for (uint32_t i = 0; i < ALLOCS; i++) {
		if (allocs[i].at != ptr)
			continue;
		broken |= allocs[i].size != size || !is_intact(i);
		allocs[i].at = NULL;
		vmm_bare_host()->free(opaque, ptr, size + GUARD);
		return;
	}
	broken = true;
}

static int watched_phys_alloc(void *opaque, uint64_t size, uint64_t align, uint64_t *pa)
{
	int r = runs_out() ? -VMM_ENOMEM : vmm_bare_host()->phys_alloc(opaque, size, align, pa);

	for (uint32_t i = 0; r == 0 && i < ARRAY_SIZE(areas); i++) {
		if (areas[i].size != 0)
			continue;
		areas[i].pa = *pa;
		areas[i].size = size;
		break;
	}
	return r;
}

static void watched_phys_free(void *opaque, uint64_t pa, uint64_t size)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(areas); i++) {
		if (areas[i].pa == pa)
			areas[i].size = 0;
	}
	vmm_bare_host()->phys_free(opaque, pa, size);
}

/* --- a machine --- */

struct machine {
	struct vmm_ctx *ctx;
	struct vmm_vm *vm;
	struct vmm_mem *ram;
	struct vmm_vcpu *vcpu;
	uint32_t orders[4]; /* what the guest reads from PORT_ORDER, one after the other */
	uint32_t order_count, order;
	uint32_t page; /* CASE_PAGES: next of allocs, then bits of an address */
	char said[80];
	uint32_t said_len;
};

/* The TSS takes two. */
static const uint64_t gdt[] = {LONG_MODE_GDT, 0, UINT64_C(0x00008b0005800067), 0};

static int write_memory(struct vmm_vm *vm)
{
	uint64_t entry = 0x2003;
	int r = vmm_vm_write(vm, ENTRY, hostiles[0].data, hostiles[0].size);

	if (r == 0)
		r = vmm_vm_write(vm, GDT, gdt, sizeof(gdt));
	if (r == 0)
		r = vmm_vm_write(vm, TABLES, &entry, 8);
	for (uint64_t i = 0; r == 0 && i < 4; i++) {
		entry = (0x3000 + i * 0x1000) | 3;
		r = vmm_vm_write(vm, 0x2000 + 8 * i, &entry, 8);
	}
	for (uint64_t i = 0; r == 0 && i < 4 * 512; i++) {
		entry = i << 21 | 0x83;
		r = vmm_vm_write(vm, 0x3000 + 8 * i, &entry, 8);
	}
	return r;
}

static int enter(struct vmm_vcpu *vcpu)
{
	const struct vmm_x86_regs regs = {.rip = ENTRY, .rflags = 2};
	struct vmm_x86_sys sys;
	int r = vmm_vcpu_get_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys));

	if (r != 0)
		return r;
	set_long_mode(&sys, sizeof(gdt));
	sys.tr = (struct vmm_x86_segment){.base = 0x580,
					  .limit = 0x67,
					  .attr = VMM_X86_SEG_TYPE(11) | VMM_X86_SEG_P,
					  .selector = 0x20};
	r = vmm_vcpu_set_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys));
	return r != 0 ? r : vmm_vcpu_set_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs));
}

/* --- a device that answers within the library --- */

static int on_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		   uint64_t *value)
{
	(void)opaque, (void)vcpu, (void)width;
	*value = BUS_ANSWER(offset);
	return 0;
}

/* What of RAM is shown at a page; @from UINT64_MAX: nothing. */
static int show(struct machine *m, uint64_t page, uint64_t from)
{
	vmm_vm_unmap(m->vm, page, 4096); /* if there is anything */
	if (from == UINT64_MAX)
		return 0;
	return vmm_vm_map(m->vm, page, m->ram, from, 4096, VMM_PROT_RWX);
}

static int on_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		    uint64_t value)
{
	struct machine *m = opaque;

	(void)vcpu, (void)width;
	if (offset != BUS_COMMAND)
		return 0;
	switch (value) {
	case COMMAND_MOVE:
		return show(m, MOVED, MOVED_TO);
	case COMMAND_BACK:
		return show(m, MOVED, MOVED);
	case COMMAND_COVER:
		return show(m, BUS, MOVED_TO);
	case COMMAND_BARE:
		return show(m, BUS, UINT64_MAX);
	}
	return 0;
}

static int add_device(struct machine *m)
{
	static const struct vmm_region_ops ops = {
		.size = sizeof(ops), .read = on_read, .write = on_write};
	struct vmm_region *region;
	/* Every other guest of this case has one that is not the embedder's. */
	bool wild = m->orders[0] == CASE_WILD_MMIO && (m->orders[1] & 0x10000) != 0;

	return vmm_region_add(m->vm, VMM_SPACE_MMIO, wild ? DEVICE : BUS, BUS_BYTES, &ops, m,
			      &region);
}

static int make(struct machine *m)
{
	const struct vmm_engine *engines[] = ENGINES;
	const struct vmm_ctx_config ctx_config = {
		.size = sizeof(ctx_config), .host = &host, .engines = engines, .engine_count = 2};
	const struct vmm_vm_config vm_config = {.size = sizeof(vm_config), .max_vcpus = 1};
	const struct vmm_vcpu_config vcpu_config = {.size = sizeof(vcpu_config)};
	struct vmm_error error = {.size = sizeof(error)};
	int r = vmm_ctx_create(&ctx_config, &m->ctx, &error);

	if (r == 0)
		r = vmm_vm_create(m->ctx, &vm_config, &m->vm);
	if (r == 0)
		r = vmm_mem_create(m->ctx, RAM_BYTES, &m->ram);
	if (r == 0)
		r = vmm_vm_map(m->vm, 0, m->ram, 0, RAM_BYTES, VMM_PROT_RWX);
	if (r == 0)
		r = write_memory(m->vm);
	if (r == 0)
		r = vmm_vcpu_create(m->vm, &vcpu_config, &m->vcpu);
	if (r == 0)
		r = add_device(m);
	if (r == 0)
		r = vmm_vm_seal(m->vm);
	return r == 0 ? enter(m->vcpu) : r;
}

static void unmake(struct machine *m)
{
	if (m->vm)
		vmm_vm_destroy(m->vm);
	vmm_mem_unref(m->ram);
	vmm_ctx_destroy(m->ctx);
}

/* --- what the guest has left of the host --- */

static bool is_guest_memory(uint64_t pa, uint64_t size)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(areas); i++) {
		if (areas[i].size != 0 && pa >= areas[i].pa &&
		    vmm__range_within(pa - areas[i].pa, size, areas[i].size))
			return true;
	}
	return false;
}

/* A table that the engine has allocated, by its physical address. */
static const uint64_t *table_at(uint64_t pa)
{
	for (uint32_t i = 0; i < ALLOCS; i++) {
		uint64_t base = allocs[i].at ? host.virt_to_phys(NULL, allocs[i].at) : 0;

		if (base != 0 && pa >= base && vmm__range_within(pa - base, 4096, allocs[i].size))
			return (const uint64_t *)(const void *)(allocs[i].at + (pa - base));
	}
	return NULL;
}

/* Bytes that are mapped below a nested table; UINT64_MAX: one entry leads elsewhere. */
static uint64_t walk(uint64_t pa, int level)
{
	const uint64_t *table = table_at(pa);
	uint64_t sum = 0;

	if (!table)
		return UINT64_MAX;
	for (uint32_t i = 0; i < 512; i++) {
		uint64_t entry = table[i], size = UINT64_C(4096) << (9 * level), below = size;

		if (!(entry & 7))
			continue;
		if (level != 0 && !(entry & 0x80))
			below = walk(entry & UINT64_C(0xffffffffff000), level - 1);
		else if (!is_guest_memory(entry & UINT64_C(0xffffffffff000) & ~(size - 1), size))
			below = UINT64_MAX;
		if (below == UINT64_MAX)
			return UINT64_MAX;
		sum += below;
	}
	return sum;
}

static uint64_t cr3(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr3, %0" : "=r"(value));
	return value & ~UINT64_C(0xfff);
}

/* Entries of the host's own tables, by its direct map of itself, that are writable and executable,
 * or lead to a guest's memory. */
static uint32_t host_tables(uint64_t pa, int level, bool writable, bool executable)
{
	const uint64_t *table = vmm_bare_host()->phys_map(NULL, pa, 4096, VMM_MEMTYPE_WB);
	uint64_t copy[512];
	uint32_t bad = 0;

	memcpy(copy, table, sizeof(copy));
	vmm_bare_host()->phys_unmap(NULL, (void *)(uintptr_t)table, 4096);
	for (uint32_t i = 0; i < 512; i++) {
		uint64_t entry = copy[i], to = entry & UINT64_C(0xffffffffff000);
		bool w = writable && (entry & 2), x = executable && !(entry >> 63);

		if (!(entry & 1))
			continue;
		if (level != 0 && !(entry & 0x80))
			bad += host_tables(to, level - 1, w, x);
		else
			bad += (w && x) ||
			       is_guest_memory(to & ~((UINT64_C(4096) << (9 * level)) - 1), 4096);
	}
	return bad;
}

static bool is_host_intact(const struct machine *m)
{
	const struct vmm__native_vm *vm = m->vm->backend;
	uint64_t mapped = walk(vm->pt.root_pa, (int)vm->pt.levels - 1);
	uint32_t bad = host_tables(cr3(), 3, true, true);

	for (uint32_t i = 0; i < ALLOCS; i++)
		broken |= allocs[i].at && !is_intact(i);
	if (broken)
		vmm_bare_print("# memory behind an allocation was written\n");
	if (mapped != RAM_BYTES)
		vmm_bare_print("# nested tables map 0x%llx bytes\n", (unsigned long long)mapped);
	if (bad != 0)
		vmm_bare_print("# %u entries of the host's tables are wrong\n", bad);
	return !broken && mapped == RAM_BYTES && bad == 0;
}

/* --- running a case --- */

static struct vmm_vcpu *_Atomic watched;
static _Atomic uint64_t watched_since, watched_for;

/* On the second CPU, as long as the image runs. */
static void watch(void *arg)
{
	static const uint32_t never;

	(void)arg;
	for (;;) {
		struct vmm_vcpu *vcpu = atomic_load(&watched);
		uint64_t since = atomic_load(&watched_since), now = host.time_ns(NULL);

		/* Two CPUs' clocks may differ by a little. */
		if (vcpu && now > since && now - since > atomic_load(&watched_for)) {
			atomic_store(&watched_since, now);
			vmm_vcpu_kick(vcpu);
		}
		host.wait(NULL, &never, 0, SHORT_NS / 4);
	}
}

/* Pages that are not the guest's: all that was allocated, then each address of one bit. 0: the end.
 */
static uint32_t next_page(struct machine *m)
{
	while (m->page < ALLOCS + 32) {
		uint32_t i = m->page++;
		uint64_t pa = i >= ALLOCS    ? UINT64_C(1) << (i - ALLOCS + 12)
			      : allocs[i].at ? host.virt_to_phys(NULL, allocs[i].at)
					     : 0;

		if (pa >= RAM_BYTES && pa >> 12 <= UINT32_MAX && pa != UINT64_C(0xfee00000))
			return (uint32_t)(pa >> 12);
	}
	return 0;
}

static uint32_t next_order(struct machine *m)
{
	return m->order < m->order_count ? m->orders[m->order++] : next_page(m);
}

static void hear(struct machine *m, char c)
{
	if (c != '\n' && m->said_len < sizeof(m->said) - 1) {
		m->said[m->said_len++] = c;
		return;
	}
	m->said[m->said_len] = '\0';
	m->said_len = 0;
	vmm_bare_print("# guest: %s\n", m->said);
}

/* 0: it goes on. */
static uint32_t respond(struct machine *m, struct vmm_exit *exit)
{
	bool write = (exit->flags & VMM_EXIT_F_WRITE) != 0;

	switch (exit->reason) {
	case VMM_EXIT_PORT:
		if (write && exit->addr == PORT_END)
			return exit->data == 0 ? WELL : BADLY;
		if (write && exit->addr == PORT_SAY)
			hear(m, (char)exit->data);
		if (!write)
			exit->data = exit->addr == PORT_ORDER ? next_order(m) : 0;
		return 0;
	case VMM_EXIT_MMIO:
		if (!write)
			exit->data = MMIO_ANSWER;
		return 0;
	case VMM_EXIT_HLT:
		return WELL;
	case VMM_EXIT_KICKED:
		return KICKED;
	case VMM_EXIT_SHUTDOWN:
		return SHUT_DOWN;
	case VMM_EXIT_ENGINE_ERROR:
	case VMM_EXIT_ENTRY_FAILED:
		return GIVEN_UP;
	default:
		vmm_bare_print("# exit %u\n", exit->reason);
		return BADLY;
	}
}

static uint32_t run(struct machine *m, bool may_go_on)
{
	uint32_t most = may_go_on ? FEW_EXITS : MANY_EXITS;
	struct vmm_exit exit = {0};
	uint32_t ending = 0;

	atomic_store(&watched_for, may_go_on ? SHORT_NS : LONG_NS);
	atomic_store(&watched_since, host.time_ns(NULL));
	atomic_store(&watched, m->vcpu);
	for (uint32_t exits = 0; ending == 0 && exits < most; exits++) {
		int r = vmm_vcpu_run(m->vcpu, &exit);

		if (r != 0) {
			vmm_bare_print("# vmm_vcpu_run: %s\n", vmm_errname(r));
			ending = BADLY;
		} else {
			ending = respond(m, &exit);
		}
		/* Those that talk are alive. */
		if (exit.reason >= VMM_EXIT_MMIO)
			atomic_store(&watched_since, host.time_ns(NULL));
	}
	atomic_store(&watched, NULL);
	return ending == 0 ? KICKED : ending;
}

static bool same_usage(const struct vmm_bare_usage *a, const struct vmm_bare_usage *b)
{
	return a->heap_bytes == b->heap_bytes && a->heap_blocks == b->heap_blocks &&
	       a->phys_free + a->heap_room == b->phys_free + b->heap_room;
}

static bool run_once(const struct hostile_case *c, uint32_t time)
{
	struct machine m = {.orders = {c->number, 0x10000u * time + c->number + 1},
			    .order_count = 2};
	struct vmm_bare_usage before, after;
	uint32_t ending = BADLY;
	bool intact = false;

	if (c->number == CASE_FETCH || c->number == CASE_TABLES)
		m.page = time % 2 == 0 ? time : ALLOCS + time + 8;
	vmm_bare_usage(&before);
	if (make(&m) == 0) {
		ending = run(&m, (c->endings & KICKED) != 0);
		intact = is_host_intact(&m);
	}
	unmake(&m);
	vmm_bare_usage(&after);
	if (!(ending & c->endings))
		vmm_bare_print("# %s, time %u: ending %u\n", c->name, time, ending);
	if (!same_usage(&before, &after))
		vmm_bare_print("# %s, time %u: memory is left over\n", c->name, time);
	return (ending & c->endings) && intact && !broken && same_usage(&before, &after);
}

static bool run_case(const struct hostile_case *c)
{
	for (uint32_t time = 0; time < c->times; time++) {
		if (!run_once(c, time))
			return false;
	}
	return true;
}

/* Each allocation in turn is refused: the VM is not made, and nothing is left. */
static bool run_failures(void)
{
	for (uint32_t n = 1;; n++) {
		struct vmm_bare_usage before, after;
		struct machine m = {.order_count = 0};
		int r;

		vmm_bare_usage(&before);
		countdown = n;
		r = make(&m);
		bool all = countdown != 0;
		countdown = 0;
		unmake(&m);
		vmm_bare_usage(&after);
		if (broken || !same_usage(&before, &after) || (r == 0) != all) {
			vmm_bare_print("# allocation %u: %s\n", n, vmm_errname(r));
			return false;
		}
		if (all)
			return n > 10;
	}
}

static bool run_lives(void)
{
	static const struct hostile_case life = {"lives", CASE_SVM, 1, WELL};

	for (uint32_t i = 0; i < 1000; i++) {
		if (!run_once(&life, i))
			return false;
	}
	return true;
}

/* --- the image --- */

static bool is_asked(const char *line, const char *name)
{
	return !*line || has_word(line, name);
}

static int tell(const char *name, bool well)
{
	vmm_bare_print("%s: %s\n", well ? "ok" : "not ok", name);
	return !well;
}

int vmm_bare_main(const struct vmm_bare_boot *boot)
{
	int failed = 0;

	host = *vmm_bare_host();
	host.alloc = guarded_alloc;
	host.free = guarded_free;
	host.phys_alloc = watched_phys_alloc;
	host.phys_free = watched_phys_free;
	if (vmm_bare_run(2, watch, NULL) != 0) {
		vmm_bare_print("not ok: a second CPU is needed\n");
		return 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (is_asked(boot->cmdline, cases[i].name))
			failed += tell(cases[i].name, run_case(&cases[i]));
	}
	if (is_asked(boot->cmdline, "failures"))
		failed += tell("failures", run_failures());
	if (is_asked(boot->cmdline, "lives"))
		failed += tell("lives", run_lives());
	vmm_bare_print("%d failed\n", failed);
	return failed != 0;
}

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The objects of the core, and what its files do for one another.
 *
 * Locks, outermost first: vmm_vm.lock > vmm_vm.bus.lock > vmm__readers.lock > vmm__detail.lock.
 * No callback of the embedder's is made under any of them, but for host services. What holds
 * vmm_vm.lock may wait for vCPUs to leave the guest (hold.c), so nothing that a vCPU does within
 * the guest takes it: guest memory and the bus are read from published snapshots.
 */
#ifndef VMM_CORE_CORE_H
#define VMM_CORE_CORE_H

#include <stdbool.h>

#include "bits.h"
#include "engine.h"
#include "format.h"
#include "mem.h"
#include "sized.h"
#include "sync.h"

#define VMM__MAX_ENGINES 8
#define VMM__MAX_FILTERS 64
#define VMM__MAX_CPUID   256

/* The unit of memory objects, which belong to a context and know no engine. */
#define VMM__MEM_PAGE UINT64_C(4096)

/* Slots of the reader counts that are not a vCPU's own. */
#define VMM__SHARED_READERS 8

/* --- failures: error.c --- */

/* The detail of an object's last failure. */
struct vmm__detail {
	struct vmm__mutex lock;
	struct vmm_error last;
};

/* Keep @error with an object. Gives @error->code. */
int vmm__keep(struct vmm_ctx *ctx, struct vmm__detail *detail, const struct vmm_error *error);
/* Fail a call on a VM, with the detail as for vmm__fail(). */
int vmm__vm_fail(struct vmm_vm *vm, int code, const char *call, const char *fmt, ...)
	VMM__PRINTF(4, 5);
int vmm__vcpu_fail(struct vmm_vcpu *vcpu, int code, const char *call, const char *fmt, ...)
	VMM__PRINTF(4, 5);
int vmm__ctx_fail(struct vmm_ctx *ctx, int code, const char *call, const char *fmt, ...)
	VMM__PRINTF(4, 5);
/* Pass on the failure @code of an engine, which may have left its own detail in @error. */
int vmm__vm_pass(struct vmm_vm *vm, int code, const char *call, struct vmm_error *error);
int vmm__vcpu_pass(struct vmm_vcpu *vcpu, int code, const char *call, struct vmm_error *error);
int vmm__detail_get(struct vmm_ctx *ctx, struct vmm__detail *detail, struct vmm_error *error);
void vmm__log(struct vmm_ctx *ctx, uint32_t level, const char *fmt, ...) VMM__PRINTF(3, 4);

void vmm__error_init(struct vmm_error *error);

/* --- contexts and host: ctx.c --- */

struct vmm_ctx {
	struct vmm_host host;
	uint32_t log_level;
	uint32_t engine_count;
	const struct vmm_engine *engines[VMM__MAX_ENGINES];
	_Atomic uint32_t users; /* VMs and memory objects */
	struct vmm__detail detail;
};

/* By name, or the first usable one. */
int vmm__ctx_engine(struct vmm_ctx *ctx, const char *name, const char *call,
		    const struct vmm_engine **engine);

static inline void *vmm__alloc(struct vmm_ctx *ctx, size_t size, size_t align)
{
	return ctx->host.alloc(ctx->host.opaque, size, align);
}

static inline void vmm__free(struct vmm_ctx *ctx, void *ptr, size_t size)
{
	if (ptr != NULL)
		ctx->host.free(ctx->host.opaque, ptr, size);
}

/* --- memory objects: mem.c --- */

/* vmm_mem.owned: what the last reference gives back to the host. */
#define VMM__MEM_NOT_OWNED 0
#define VMM__MEM_OWNED     1 /* base is guest_alloc()'s */
#define VMM__MEM_PHYS      2 /* its one extent is phys_alloc()'s; seen through phys_map() */

struct vmm_mem {
	struct vmm_ctx *ctx;
	_Atomic uint32_t refs;
	uint32_t memtype;
	uint64_t len;
	uint8_t *base; /* NULL: physical */
	struct vmm_extent *extents;
	uint32_t extent_count;
	uint32_t owned; /* VMM__MEM_ */
	void (*release)(void *opaque, void *base, uint64_t len);
	void *opaque;
};

/* --- guest-physical space: map.c, access.c, dirty.c --- */

/* Dirty bits of the interval that one vmm_vm_dirty_start() named, one bit a page. */
struct vmm__dirty {
	uint64_t gpa; /* of bit 0 */
	size_t words;
	uint32_t refs;          /* pieces of views that point here; under vmm_vm.lock */
	uint64_t *scratch;      /* for the engine's answer; under vmm_vm.lock */
	_Atomic uint64_t *bits; /* set by anyone, fetched under vmm_vm.lock */
};

/* A mapping: one slot of the engine. */
struct vmm__piece {
	uint64_t gpa;
	uint64_t len;
	uint64_t offset; /* in mem */
	struct vmm_mem *mem;
	struct vmm__dirty *dirty; /* NULL: not tracked */
	uint32_t prot;
	uint32_t slot;
};

/* All mappings, ascending, merged where neighbours continue each other. Never changes once
 * published. Holds a reference of each piece's mem and dirty. */
struct vmm__view {
	size_t count;
	size_t room;
	struct vmm__piece piece[];
};

/* First piece that ends after @gpa. */
size_t vmm__view_find(const struct vmm__view *view, uint64_t gpa);
int vmm__view_init(struct vmm_vm *vm);
void vmm__view_fini(struct vmm_vm *vm);

/* What an edit does to an interval. */
#define VMM__EDIT_MAP     0
#define VMM__EDIT_UNMAP   1
#define VMM__EDIT_PROTECT 2
#define VMM__EDIT_DIRTY   3

struct vmm__edit {
	uint32_t kind;
	struct vmm__piece with; /* gpa and len, and what the kind needs of the rest */
};

/*
 * Change the space, engine included, or leave it as it was. Under vmm_vm.lock. On success *@retired
 * is the old view, whose references of memory objects are still held: vmm__view_retire() it once
 * the lock has been given back, as that may call the embedder.
 */
int vmm__edit_apply(struct vmm_vm *vm, const char *call, const struct vmm__edit *edit,
		    struct vmm__view **retired);
void vmm__view_retire(struct vmm_vm *vm, struct vmm__view *view); /* NULL is allowed */
/* Alignment, overflow and so on of an interval. */
int vmm__check_interval(struct vmm_vm *vm, const char *call, uint64_t gpa, uint64_t len);
/* Under vmm_vm.lock. */
int vmm__dirty_fetch(struct vmm_vm *vm, const struct vmm__piece *piece, struct vmm_error *error);
void vmm__dirty_mark(const struct vmm__piece *piece, uint32_t page_shift, uint64_t gpa,
		     uint64_t len);
void vmm__dirty_unref(struct vmm_vm *vm, struct vmm__dirty *dirty);

/* --- the bus: bus.c, doorbell.c --- */

/* A call that no vCPU made, on its thread's stack. */
struct vmm__call {
	uint64_t thread;
	struct vmm__call *next;
};

struct vmm_region {
	struct vmm_vm *vm;
	uint32_t space;
	struct vmm__mutex lock; /* of calls and awaited */
	uint64_t first;
	uint64_t last;
	struct vmm_region_ops ops; /* both callbacks are there */
	void *opaque;
	struct vmm__call *calls; /* but for vCPUs': vmm_vcpu.calling */
	bool awaited;            /* removed: somebody waits for the last of calls */
	struct vmm_region *next; /* in vmm__bus.dying; under vmm__bus.lock */
};

/* An access that a region has claimed: all that calling it takes, in a cache line. */
struct vmm__hit {
	struct vmm_region *region;
	union { /* by key */
		int (*read)(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
			    uint64_t *value);
		int (*write)(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
			     uint64_t value);
	};
	void *opaque;
	uint64_t addr;
	uint64_t offset;
	uint64_t mask, kept; /* of the value, and of the register that it is read to */
	uint32_t key, width; /* vmm__hit_key(); all ones: nothing is known */
};

#define VMM__HITS 8u

struct vmm_doorbell {
	struct vmm_vm *vm;
	struct vmm_doorbell_config config;
	uint32_t by_engine;
};

struct vmm__bus_view {
	size_t room; /* entries of both kinds that fit */
	size_t region_count;
	size_t bell_count;
	struct vmm_region **regions; /* by space, then by first */
	struct vmm_doorbell **bells;
};

/* Addresses that the bus may claim, [first, last] by exit reason. A hint for the run path: it is
 * widened before regions are published, and narrowed after they have gone. */
struct vmm__windows {
	_Atomic uint64_t first[VMM_EXIT_REASONS];
	_Atomic uint64_t last[VMM_EXIT_REASONS];
};

/* Windows stand by exit reason, and those of reasons without a bus are empty: so the run path need
 * not ask for the reason first. */
static inline uint32_t vmm__window_of(uint32_t space)
{
	_Static_assert(VMM_SPACE_MMIO == 0 && VMM_SPACE_PORT == VMM_EXIT_PORT - VMM_EXIT_MMIO,
		       "spaces go by exit reasons");
	return VMM_EXIT_MMIO + space;
}

struct vmm__bus {
	struct vmm__mutex lock; /* of changes */
	_Atomic(struct vmm__bus_view *) view;
	struct vmm__bus_view *spare; /* for the next change; under lock */
	_Atomic uint32_t drained;    /* counts wake-ups of those that wait for a region's calls */
	/* Removed by callbacks of their own, until the last call has ended; changed under lock. */
	_Atomic(struct vmm_region *) dying;
	struct vmm_region none; /* what a vCPU calls that calls something else */
};

/* An access of a vCPU in state VMM__VCPU_GUEST; as vmm_vm_dispatch(). */
int vmm__bus_serve(struct vmm_vcpu *vcpu, struct vmm_exit *exit);
/* For an engine in run(): 0 and go on with the answer in *@exit, or VMM__OFFERED, to be returned.
 */
int vmm__bus_offer(struct vmm_vcpu *vcpu, struct vmm_exit *exit);
/* A call that is not made after all. */
void vmm__call_off(struct vmm_vcpu *vcpu);
/* After a vCPU's callback, with something in its control word. True: it has requests. */
bool vmm__bus_asked(struct vmm_vcpu *vcpu);
int vmm__bus_init(struct vmm_vm *vm);
/* Release all regions and doorbells, with nobody using them any more. */
void vmm__bus_release(struct vmm_vm *vm);
void vmm__bus_fini(struct vmm_vm *vm);
/* The windows once more, for filters that have been set. */
void vmm__window_update(struct vmm_vm *vm);

/* What a change adds or drops; NULL: nothing. */
struct vmm__bus_edit {
	struct vmm_region *add, *drop;
	struct vmm_doorbell *add_bell, *drop_bell;
};

/*
 * Publish the present view with an edit, and wait until no reader uses the old one. Under bus.lock.
 * -VMM_ENOMEM, but not where something is only dropped.
 */
int vmm__bus_change(struct vmm_vm *vm, const struct vmm__bus_edit *edit);
/* Free a doorbell that nobody can find any more. Not under bus.lock. */
void vmm__bell_release(struct vmm_doorbell *bell);
/* The doorbell that an access rings, or NULL. */
struct vmm_doorbell *vmm__bell_find(const struct vmm__bus_view *view, uint32_t space, uint64_t addr,
				    uint32_t width, uint64_t value);
/* Ports that VMM_FILTER_DENY covers. */
bool vmm__port_denied(const struct vmm_vm *vm, uint64_t port, uint32_t width, uint32_t access);

/* --- machines: vm.c, hold.c, irq.c --- */

struct vmm_irq_event {
	struct vmm_vm *vm;
	struct vmm_irq_event *next;
	void *backend;
	uint64_t event;
};

/* Two ports of VMM_VM_PIC. */
struct vmm__pic_ports {
	struct vmm_vm *vm;
	uint32_t base;
};

/* What most calls use stands first: shorter code reaches it. */
struct vmm_vm {
	struct vmm_ctx *ctx;
	const struct vmm_host *host;
	const struct vmm_engine *engine;
	void *backend;          /* the engine's own */
	struct vmm__mutex lock; /* configuration */
	_Atomic uint32_t sealed;
	uint32_t flags;
	uint32_t irqchip;
	uint32_t max_vcpus;
	uint32_t vcpu_count;               /* under lock */
	_Atomic(struct vmm_vcpu *) *vcpus; /* by index; entries are set once, under lock */
	struct vmm__readers readers;       /* of the two views */
	_Atomic(struct vmm__view *) view;
	uint64_t arch;
	uint64_t max_mappings;
	uint64_t gpa_bits;
	uint32_t page_shift;
	uint32_t clock;

	/* Filters; under lock until sealed. */
	struct vmm_x86_filter *msrs;
	struct vmm_x86_filter *ports;
	uint32_t msr_count;
	uint32_t port_count;

	/* Pauses; under lock, but for waiting on the count. */
	_Atomic uint32_t pauses;
	uint32_t clock_stopped;

	uint64_t *slots; /* numbers in use; under lock */
	size_t slot_words;

	struct vmm_irq_event *events; /* under lock */
	struct vmm__bus bus;
	struct vmm__windows windows; /* the run path's */
	struct vmm__services services;
	struct vmm__detail detail;
	struct vmm__pic_ports pic_ports[3];

	void (*alarm)(void *opaque); /* until sealed; NULL: none */
	void *alarm_opaque;
	_Atomic uint64_t alarm_ns;
};

/* Slot of the reader counts for a thread that is no vCPU's. Thread numbers may all be multiples of
 * something, so they are spread by multiplication (with 2^64 over the golden ratio). */
static inline uint32_t vmm__reader_slot(const struct vmm_vm *vm)
{
	uint64_t spread = vmm__thread_id(vm->host) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)(spread >> 32) % VMM__SHARED_READERS;
}

static inline struct vmm_vcpu *vmm__vcpu(const struct vmm_vm *vm, uint32_t index)
{
	return atomic_load(&vm->vcpus[index]);
}

/*
 * Keep every vCPU out of the guest for a short time. Under vmm_vm.lock. A vCPU that is inside a
 * bus callback is out already.
 */
int vmm__hold(struct vmm_vm *vm, const char *call);
/* Only if none is in the guest now; else -VMM_EBUSY. */
int vmm__hold_idle(struct vmm_vm *vm);
void vmm__release(struct vmm_vm *vm);
void vmm__events_fini(struct vmm_vm *vm);
/* While the VM is made: what VMM_VM_PIC puts on the bus. */
int vmm__pic_add_ports(struct vmm_vm *vm);

/* --- vCPUs: vcpu.c, run.c, state.c --- */

/*
 * vmm_vcpu.control: who has the vCPU, why it shall not enter the guest, and whether somebody sleeps
 * on the word. Who asks for something adds a bit and sees who has it; who takes it sees what has
 * been asked: it is one word, so nothing passes between the two unseen. The owner alone moves the
 * state on. 0: idle, and nothing is asked.
 */
#define VMM__VCPU_IDLE   0 /* nobody */
#define VMM__VCPU_GUEST  1 /* vmm_vcpu_run() or _complete(), in the engine or about to be */
#define VMM__VCPU_OUT    2 /* the same, held */
#define VMM__VCPU_ACCESS 3 /* a state accessor, reset or destroy */
#define VMM__VCPU_STATE  3 /* mask of these */

#define VMM__REQ_KICK     (UINT32_C(1) << 8)
#define VMM__REQ_PAUSE    (UINT32_C(1) << 9)
#define VMM__REQ_HOLD     (UINT32_C(1) << 10)
#define VMM__REQ_UNSEALED (UINT32_C(1) << 11)
#define VMM__REQ_PREEMPT  (UINT32_C(1) << 12)
#define VMM__REQ_FORGET   (UINT32_C(1) << 13) /* all of hits: the bus has changed */
#define VMM__REQ_ANY                                                                             \
	(VMM__REQ_KICK | VMM__REQ_PAUSE | VMM__REQ_HOLD | VMM__REQ_UNSEALED | VMM__REQ_PREEMPT | \
	 VMM__REQ_FORGET)

#define VMM__VCPU_WAITED (UINT32_C(1) << 31) /* somebody waits for the state to move on */

struct vmm_vcpu {
	/* The run path's. */

	/* The region that it calls, or looks whether to call, else NULL: on its way there and back
	 * it is in state GUEST, but as good as OUT. */
	_Alignas(VMM__CACHE_LINE) _Atomic(struct vmm_region *) calling;
	_Atomic uint32_t control;
	uint32_t last_reason; /* of the exit given last, NONE once completed; the owner's */
	int (*run)(void *vcpu, struct vmm_exit *exit, struct vmm_error *error);
	void *backend;                      /* the engine's own */
	const struct vmm__windows *windows; /* the VM's */
	struct vmm_exit *exit;              /* the runner's, while it runs */
	struct vmm_vm *vm;
	uint32_t index;
	_Atomic uint64_t returned[VMM_EXIT_REASONS]; /* written by the runner only */
	_Atomic uint64_t handled[VMM_EXIT_REASONS];
	_Atomic uint64_t other_entries; /* those that gave neither a returned nor a handled exit */
	_Atomic uint64_t elements;      /* returned or handled exits that no entry gave */

	struct vmm__hit hits[VMM__HITS]; /* serve.h; the owner's */
	int offered; /* what the bus said to an exit that an engine has offered it; the owner's */
	_Atomic uint64_t runner;  /* while it calls: the thread; else one that may have run it */
	struct vmm_error scratch; /* for the engine; belongs to who has the vCPU */
	struct vmm__detail detail;

	/* vmm_vcpu_on_wake(): who calls it counts itself first. */
	_Atomic uint32_t wakers;
	void (*_Atomic wake)(void *opaque, struct vmm_vcpu *vcpu);
	void *wake_opaque; /* set while wake is NULL and nobody calls it */

	bool dedicated;
	uint64_t arch_id;
	void *opaque;
	struct vmm_x86_cpuid
		*cpuid; /* under vmm_vm.lock until sealed; NULL: the engine's default */
	uint32_t cpuid_count;
};

/* An exit wants its answer. */
static inline bool vmm__vcpu_pending(const struct vmm_vcpu *vcpu)
{
	return vcpu->last_reason >= VMM_EXIT_MMIO;
}

/* The alarm's time may have come: vCPU 0 has been interrupted. */
void vmm__alarm_serve(struct vmm_vcpu *vcpu);
static inline void vmm__forget_hits(struct vmm_vcpu *vcpu)
{
	memset(vcpu->hits, 0xff, sizeof(vcpu->hits));
}

void vmm__vcpu_wake(struct vmm_vcpu *vcpu);
/* A vCPU that nobody runs has something to do: tell who wants to know. */
void vmm__vcpu_awake(struct vmm_vcpu *vcpu);

/* Move a vCPU on that one has; wakes those that wait for that. */
static inline void vmm__vcpu_move(struct vmm_vcpu *vcpu, uint32_t from, uint32_t to)
{
	if (atomic_fetch_add(&vcpu->control, to - from) & VMM__VCPU_WAITED)
		vmm__vcpu_wake(vcpu);
}

/* Take a vCPU that nobody has, whatever is asked of it. */
static inline bool vmm__vcpu_try(struct vmm_vcpu *vcpu, uint32_t state)
{
	uint32_t seen = atomic_load(&vcpu->control);

	while ((seen & VMM__VCPU_STATE) == VMM__VCPU_IDLE) {
		if (atomic_compare_exchange_weak(&vcpu->control, &seen, seen | state))
			return true;
	}
	return false;
}

/* Ask for something; true: the vCPU is in the guest, and has to be kicked to see it. After a
 * callback it looks by itself. */
static inline bool vmm__vcpu_ask(struct vmm_vcpu *vcpu, uint32_t request)
{
	return (atomic_fetch_or(&vcpu->control, request) & VMM__VCPU_STATE) == VMM__VCPU_GUEST &&
	       atomic_load(&vcpu->calling) == NULL;
}

/* Take a vCPU of a sealed VM that does not run, for access to its state; 0, -VMM_ESTATE (also with
 * a pending exit) or -VMM_EBUSY, with detail. vmm__vcpu_move() from ACCESS to IDLE gives it back.
 */
int vmm__vcpu_take(struct vmm_vcpu *vcpu, const char *call);
/* All or none; -VMM_EBUSY. Under vmm_vm.lock. */
int vmm__vcpus_take(struct vmm_vm *vm);
void vmm__vcpus_give(struct vmm_vm *vm);
void vmm__vcpu_free(struct vmm_vcpu *vcpu);

/* Only the owner counts, but others read: and this is one instruction. */
static inline void vmm__count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Small guests and what an embedder sees of them. A test runs one guest image and writes a trace,
 * one line an exit or an event of note; the trace is compared with tests/guest/expect/NAME. Only
 * the public API is used, and nothing of it that belongs to one engine.
 */
#ifndef TESTS_GUEST_H
#define TESTS_GUEST_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "libvmm/libvmm.h"
#include "libvmm/x86.h"

#define RAM_SIZE  UINT64_C(0x200000)
#define SCRATCH   UINT64_C(0x100000)
#define MMIO_BASE UINT64_C(0xd0000000)
#define MAX_CPUS  4

/* What next() gives besides VMM_EXIT_ reasons. */
#define NEXT_END    0x100 /* the guest has ended by itself */
#define NEXT_FAILED 0x101 /* vmm_vcpu_run() failed, or the time is up: the trace says which */

/* How the first vCPU begins. */
enum mode { MODE_RESET, MODE_PROT32, MODE_PAE32, MODE_LONG64 };

struct image {
	const char *name;
	const unsigned char *data;
	size_t size;
};
extern const struct image images[];
extern const size_t image_count;

struct trace {
	char *text;
	size_t len;
	size_t room;
};

struct run;

struct cpu {
	struct run *run;
	struct vmm_vcpu *vcpu;
	struct vmm_exit exit; /* the last one; its answer is filled in */
	struct trace trace;
	char said[256]; /* the debug port's line so far */
	size_t said_len;
	uint32_t exits;
	uint32_t index;
};

/* What a test needs besides one thread. */
#define NEEDS_THREADS 1u
#define NEEDS_EVENTS  2u /* host events, as eventfds are */

struct test {
	const char *name;
	const char *image;
	enum mode mode;
	uint32_t irqchip;
	uint32_t cpus; /* 0: one */
	uint32_t vm_flags;
	uint32_t cap[2];   /* capabilities without which the test is skipped */
	uint64_t xcr0;     /* XSAVE components, the same */
	uint32_t needs;    /* NEEDS_ of where the runner is, the same */
	const char *stays; /* why the machine cannot move; NULL: it can */
	/* Before sealing; may be NULL. */
	void (*configure)(struct run *run);
	/* NULL: play(). */
	void (*script)(struct run *run);
};
extern const struct test tests[];
extern const size_t test_count;

/* What the embedder has attached to the machine, beside its guest's own state. */
#define MAX_ATTACHED 4
#define DIRTY_WORDS  2

struct attached_region {
	uint32_t space;
	uint64_t base, len;
	const struct vmm_region_ops *ops;
	void *opaque;
	struct vmm_region *region; /* NULL: the place is free */
};

struct attached_bell {
	struct vmm_doorbell_config config;
	struct vmm_doorbell *bell; /* the same */
};

struct attached_dirty {
	uint64_t gpa, len;            /* len 0: nothing is tracked */
	uint64_t before[DIRTY_WORDS]; /* harvested where it was before */
};

struct attached {
	struct attached_region regions[MAX_ATTACHED];
	struct attached_bell bells[MAX_ATTACHED];
	struct vmm_irq_event_config event_config;
	struct vmm_irq_event *event;
	struct vmm_debug_config debug;
	struct attached_dirty dirty;
	bool window;
};

struct mover;

#define MAX_MSRS 256

struct run {
	const struct test *test;
	struct vmm_ctx *ctx;
	const char *engine;
	struct vmm_vm *vm;
	struct vmm_mem *ram;
	struct vmm_mem *rom;
	struct cpu cpu[MAX_CPUS];
	uint32_t answers;  /* reads answered so far */
	uint32_t rounds;   /* of the tests that repeat something */
	atomic_bool ended; /* vCPUs that come back stop */
	struct attached attached;

	const char *model;   /* of the CPUs; NULL: the host's own */
	struct mover *mover; /* move.h; NULL: the machine stays where it is made */
	struct vmm_x86_msr msrs[MAX_CPUS][MAX_MSRS]; /* as at power-on */
	uint32_t msr_count;
	uint32_t position;  /* exits of the first vCPU */
	atomic_bool moving; /* the other vCPUs shall wait */
	atomic_uint parked; /* so many do */
};

/*
 * Run a test, for which @rounds says how often it does things many times over. Its whole trace, the
 * vCPUs' one after the other, to be freed; NULL if it was skipped. @mover: NULL or move.h's.
 */
char *run_test(struct vmm_ctx *ctx, const char *engine, const struct test *test, uint32_t rounds,
	       struct mover *mover, bool *skipped);
const struct test *find_test(const char *name);

/* The same in parts, of a test without a script: @run has what run_test() puts there. */
bool begin_test(struct run *run);
/* One exit. False: it was the last. */
bool turn(struct run *run);
char *end_test(struct run *run);

/* Add text as it is. */
void trace_text(struct trace *trace, const char *text, size_t len);

/* A line of the embedder's in the first vCPU's trace. */
void note(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Note the outcome of a call whose code is of interest. */
void outcome(struct run *run, const char *what, int rc);

/* Note a call that should not have failed; @return whether it succeeded. */
bool must(struct run *run, const char *what, int rc);

/*
 * Run a vCPU until the next exit, write it to the trace and fill in an answer. What goes to the
 * debug port becomes a line "guest: ..." and is not returned.
 */
uint32_t next(struct cpu *cpu);

/* How it runs: vmm_vcpu_run(), unless somebody has put something else here. */
extern int (*guest_enter)(struct vmm_vcpu *vcpu, struct vmm_exit *exit);

/* next() until the guest ends, shuts down or fails. */
void play(struct run *run);

/* next() of the first vCPU until an exit of @reason at @addr; true if it came. */
bool play_until(struct run *run, uint32_t reason, uint64_t addr);

/*
 * A read from here asks the embedder what to do next: the script answers it, and it stands in no
 * trace.
 */
#define PORT_ORDER 0xf8

/* The @n-th answer to a read. */
uint64_t answer(uint32_t n);

/* Make the test's first vCPU ready to enter the image in @mode. */
bool enter_mode(struct run *run, enum mode mode);

/*
 * As the library's functions; what is attached so comes along when the machine moves. A range that
 * is tracked is of at most 64 * DIRTY_WORDS pages, and is one.
 */
int add_region(struct run *run, uint32_t space, uint64_t base, uint64_t len,
	       const struct vmm_region_ops *ops, void *opaque, struct attached_region **added);
void drop_region(struct attached_region *r);
int add_bell(struct run *run, const struct vmm_doorbell_config *config,
	     struct attached_bell **added);
void drop_bell(struct attached_bell *b);
int add_event(struct run *run, const struct vmm_irq_event_config *config);
void drop_event(struct run *run);
int debug_vcpu(struct run *run, const struct vmm_debug_config *config);
int request_window(struct run *run);
int start_dirty(struct run *run, uint64_t gpa, uint64_t len);
int harvest_dirty(struct run *run, uint64_t bitmap[DIRTY_WORDS]);
int stop_dirty(struct run *run);

#endif

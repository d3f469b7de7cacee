// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The SVM engine on threads that stand for CPUs, as in test_svm.c: each has a TLB that knows what
 * it has walked and nothing else, and memory that is given back is gone. VMs live and end under a
 * scheduler while memory below them comes and goes, devices call, and others kick, pause, inject
 * and ask. A window, a translation or an object that is used once too often is a fault, or another
 * VM's number in a page. VMM_TEST_ROUNDS: how many VMs.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_amd.h"
#include "fake_host.h"
#include "fake_owner.h"
#include "libvmm/sched.h"
#include "libvmm/svm.h"
#include "svm_engine.h"

#define CPUS    3u
#define VCPUS   2u
#define OTHERS  2u
#define WINDOWS 12u

/* Guest-physical: code and page tables; memory that comes and goes; a device that is at PORT as
 * well; the local APIC. The guest's own pages map the first and the fourth GiB to itself. */
#define RAM_LEN  UINT64_C(0x20000)
#define CODE     UINT64_C(0x1000)
#define TABLES   UINT64_C(0x10000)
#define ROOM     UINT64_C(0x400000)
#define ROOM_LEN UINT64_C(0x10000)
#define DEVICE   UINT64_C(0x30000000)
#define PORT     0x80u
#define APIC     UINT64_C(0xfee00000)

/* Where in each page. */
#define NUMBER 0xff8u

/* Where in CODE. */
#define LOAD  0x00u /* mov eax, [rbx] */
#define STORE 0x10u /* mov [rbx], eax */
#define COPY  0x20u /* rep movsb */

/* Where threads write, each elsewhere: by instructions, and from outside. */
#define COPIES  (CODE + 0x800)
#define WRITTEN (CODE + 0x400)

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

struct life {
	uint32_t number;
	struct vmm_vm *vm;
	struct vmm_mem *ram; /* under lock */
	pthread_mutex_t lock;
	pthread_mutex_t stopping; /* one at a time */
	struct vmm_vcpu *vcpu[VCPUS];
	struct vmm_sched_vcpu *place[VCPUS];
	_Atomic uint32_t over;
};

static struct fake_host fake;
static struct vmm_ctx *ctx;
static struct vmm_sched *schedule;
static _Atomic uint32_t over;

/* --- processors --- */

struct tlb_entry {
	uint64_t page;
	uint8_t *at; /* NULL: no entry */
	bool writable;
};

#define TLB_ENTRIES 16u

/* A thread's own; of CPUs, others reach the second part. */
static _Thread_local struct {
	uint64_t id; /* 0: none yet */
	uint64_t efer, hsave;
	uint64_t dice;
	struct tlb_entry tlb[TLB_ENTRIES];
	void *window[WINDOWS];
	uint32_t windows;
	uint64_t timer_ns;
} cpu;

static struct {
	_Atomic uint32_t kicked;
	pthread_mutex_t lock;
	uint32_t *mark;
	uint32_t bits;
} shared[CPUS + 1];

static _Atomic uint64_t last_id = CPUS;

static uint64_t roll(uint64_t *dice)
{
	*dice = *dice * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *dice >> 20;
}

static uint64_t thread_id(void *opaque)
{
	(void)opaque;
	if (cpu.id == 0)
		cpu.id = atomic_fetch_add(&last_id, 1) + 1;
	return cpu.id;
}

static void cpu_kick(void *opaque, uint64_t id)
{
	(void)opaque;
	MUST(id != 0 && id <= CPUS);
	atomic_store(&shared[id].kicked, 1);
}

static void cpu_timer(void *opaque, uint64_t deadline_ns)
{
	(void)opaque;
	cpu.timer_ns = deadline_ns;
}

static void cpu_timer_mark(void *opaque, uint32_t *word, uint32_t bits)
{
	(void)opaque;
	for (uint32_t i = 1; i <= CPUS; i++) {
		if (bits != 0 && i != cpu.id)
			continue;
		pthread_mutex_lock(&shared[i].lock);
		if (bits != 0 || shared[i].mark == word) {
			shared[i].mark = bits != 0 ? word : NULL;
			shared[i].bits = bits;
		}
		pthread_mutex_unlock(&shared[i].lock);
	}
}

static bool timer_is_due(void)
{
	const uint64_t id = cpu.id;

	if (fake.host.time_ns(&fake) < cpu.timer_ns)
		return false;
	pthread_mutex_lock(&shared[id].lock);
	if (shared[id].mark != NULL)
		__atomic_fetch_or(shared[id].mark, shared[id].bits, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&shared[id].lock);
	return true;
}

static void (*sleep_on)(void *opaque, const uint32_t *word, uint32_t value, uint64_t timeout_ns);

/* A CPU that sleeps is interrupted by its timer as others are. */
static void wait_on(void *opaque, const uint32_t *word, uint32_t value, uint64_t timeout_ns)
{
	if (cpu.id != 0 && cpu.id <= CPUS && timer_is_due())
		cpu.timer_ns = VMM_FOREVER;
	sleep_on(opaque, word, value, timeout_ns);
}

/* Windows go back in reverse order, on the CPU that opened them. */
static void *phys_map(void *opaque, uint64_t pa, uint32_t len, uint32_t memtype)
{
	void *at = fake_owner_map(opaque, pa, len, memtype);

	MUST(cpu.windows < WINDOWS);
	cpu.window[cpu.windows++] = at;
	return at;
}

static void phys_unmap(void *opaque, void *ptr, uint32_t len)
{
	(void)opaque;
	(void)len;
	MUST(cpu.windows != 0 && cpu.window[--cpu.windows] == ptr);
}

int vmm__svm_load(struct vmm__native_world *world)
{
	return cpu.hsave == world->own[SVM_OWN_HSAVE];
}

uint64_t vmm__native_rdmsr(uint32_t msr)
{
	return msr == SVM_MSR_EFER ? cpu.efer | BIT(11) : msr == SVM_MSR_VM_CR ? 0 : cpu.hsave;
}

void vmm__native_wrmsr(uint32_t msr, uint64_t value)
{
	if (msr == SVM_MSR_EFER)
		cpu.efer = value;
	else if (msr == SVM_MSR_HSAVE_PA)
		cpu.hsave = value;
}

uint64_t vmm__native_cr4(void)
{
	return BIT(9);
}

uint64_t vmm__native_rdtsc(void)
{
	return fake.host.time_ns(&fake);
}

void vmm__native_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	(void)subleaf;
	fake_amd_cpuid(leaf, (uint32_t)SVM_CPUID_81_ECX_SVM, (uint32_t)SVM_CPUID_EDX_NP, out);
}

/* The nested tables, as hardware walks them: 4 levels, accessed and dirty bits set. */
static bool walk(uint64_t root, uint64_t page, bool write, struct tlb_entry *found)
{
	uint64_t table = root;

	for (unsigned shift = 39;; shift -= 9) {
		uint64_t *entry = (uint64_t *)(uintptr_t)table + (page >> shift & 511);
		uint64_t e = __atomic_load_n(entry, __ATOMIC_ACQUIRE);

		if (!(e & 1) || (write && !(e & 2)))
			return false;
		if (shift != 12 && !(e & BIT(7))) {
			table = e & BITS(51, 12);
			continue;
		}
		__atomic_fetch_or(entry, BIT(5) | (write ? BIT(6) : 0), __ATOMIC_SEQ_CST);
		*found = (struct tlb_entry){
			page,
			(uint8_t *)(uintptr_t)((e & BITS(51, 12) & ~BITS(shift - 1, 0)) |
					       (page & BITS(shift - 1, 0))),
			write,
		};
		return true;
	}
}

/* Every page ends with the number of its VM, and a word to write to. False: the access faults. */
static bool access_memory(const struct vmm__native_vcpu *v, uint32_t number, uint64_t gpa,
			  bool write)
{
	const uint64_t page = gpa & ~UINT64_C(0xfff);
	struct tlb_entry *t = &cpu.tlb[page >> 12 & (TLB_ENTRIES - 1)];
	uint32_t *word;

	if (t->at == NULL || t->page != page || (write && !t->writable)) {
		if (!walk(v->vmcb->n_cr3, page, write, t))
			return false;
		/* An entry is seen after what was written before it: race detectors do not know
		 * that of x86. */
		atomic_load(&v->vm->changes);
	}
	word = (uint32_t *)(void *)(t->at + NUMBER);
	MUST(__atomic_load_n(&word[0], __ATOMIC_RELAXED) == number);
	if (write)
		__atomic_store_n(&word[1], (uint32_t)gpa, __ATOMIC_RELAXED);
	return true;
}

static void fault(struct svm_vmcb *vmcb, struct vmm__native_world *world, uint64_t gpa, bool write)
{
	world->rbx = gpa;
	vmcb->rip = CODE + (write ? STORE : LOAD);
	vmcb->exitcode = SVM_EXIT_NPF;
	vmcb->exitinfo1 = write ? SVM_NPF_WRITE : 0;
	vmcb->exitinfo2 = gpa;
}

/* Interrupts on and off again, the priority, another vCPU, the timer. */
static void use_apic(struct svm_vmcb *vmcb, struct vmm__native_world *world, uint64_t dice)
{
	static const uint32_t writes[][2] = {
		{0xb0, 0},      {0xf0, 0x1ff}, {0x300, 0xc0050}, {0x80, 0},    {0x320, 0x20040},
		{0x380, 10000}, {0xb0, 0},     {0x300, 0xc0400}, {0x3e0, 0xb},
	};
	const uint32_t *w = writes[dice % ARRAY_SIZE(writes)];

	vmcb->rax = w[1];
	fault(vmcb, world, APIC + w[0], true);
}

static void copy(struct svm_vmcb *vmcb, struct vmm__native_world *world)
{
	fault(vmcb, world, DEVICE + 8, false);
	vmcb->rip = CODE + COPY;
	world->rsi = DEVICE + 8;
	world->rdi = COPIES + 16 * cpu.id;
	world->rcx = 3;
}

static void use_port(struct svm_vmcb *vmcb, bool in)
{
	vmcb->rip = CODE;
	vmcb->exitcode = SVM_EXIT_IOIO;
	vmcb->exitinfo1 = (uint64_t)(PORT + (in ? 4 : 0)) << 16 | BIT(4) | (in ? SVM_IO_IN : 0);
	vmcb->exitinfo2 = CODE + 2;
}

/* One instruction; true: the guest is left. */
static bool step(const struct vmm__native_vcpu *v, struct vmm__native_world *world, uint32_t number)
{
	struct svm_vmcb *vmcb = v->vmcb;
	const uint64_t dice = roll(&cpu.dice);
	const bool write = (dice >> 8 & 1) != 0;
	const uint64_t page = dice >> 9;

	switch (dice % 32) {
	case 0:
		use_port(vmcb, write);
		return true;
	case 1:
	case 2:
		fault(vmcb, world, DEVICE + 4 * (page % 2), write);
		return true;
	case 3:
		copy(vmcb, world);
		return true;
	case 4:
		use_apic(vmcb, world, page);
		return true;
	case 5:
		vmcb->rip = CODE;
		vmcb->exitcode = page % 4 == 0 ? SVM_EXIT_HLT : SVM_EXIT_VMMCALL;
		return true;
	default:
		break;
	}
	const uint64_t gpa = dice % 32 < 10 ? page % (RAM_LEN / 0x1000) * 0x1000
					    : ROOM + page % (ROOM_LEN / 0x1000) * 0x1000;
	if (access_memory(v, number, gpa, write))
		return false;
	fault(vmcb, world, gpa, write);
	return true;
}

/* An interrupt that comes before GIF is cleared is the host's own, and over. */
uint64_t vmm__svm_enter(struct vmm__native_world *world)
{
	struct svm_vmcb *vmcb = (struct svm_vmcb *)(uintptr_t)world->own[SVM_OWN_VMCB];
	const struct vmm__native_vcpu *v =
		(const void *)((const uint8_t *)world - offsetof(struct vmm__native_vcpu, world));
	const struct life *l = vmm_vcpu_opaque(v->core);

	atomic_store(&shared[cpu.id].kicked, 0);
	if (timer_is_due())
		cpu.timer_ns = VMM_FOREVER;
	if (atomic_load(&world->request) != 0)
		return 0;
	MUST(cpu.hsave == world->own[SVM_OWN_HSAVE]);
	if (vmcb->tlb_control != SVM_TLB_NOTHING)
		memset(cpu.tlb, 0, sizeof(cpu.tlb));
	vmcb->exitintinfo = vmcb->exitinfo1 = vmcb->exitinfo2 = 0;
	vmcb->rflags = X86_RFLAGS_IF | 2;
	for (uint32_t n = 0; n < 200; n++) {
		if (atomic_load(&shared[cpu.id].kicked) != 0)
			break;
		if (step(v, world, l->number))
			return 1;
	}
	vmcb->exitcode = SVM_EXIT_INTR;
	return 1;
}

static void run(struct vmm_sched_vcpu *place, struct vmm_exit *exit)
{
	int r = vmm_vcpu_run(vmm_sched_get_vcpu(place), exit);

	MUST(r == 0 && cpu.windows == 0);
	if (exit->reason >= VMM_EXIT_MMIO)
		exit->data = 0;
}

static void *processor(void *arg)
{
	const uint64_t id = (uintptr_t)arg;
	struct vmm_exit exit, *last = NULL;
	struct vmm_sched_vcpu *place;

	memset(&cpu, 0, sizeof(cpu));
	cpu.id = cpu.dice = id;
	cpu.timer_ns = VMM_FOREVER;
	while (atomic_load(&over) == 0) {
		MUST(vmm_sched_next(schedule, (uint32_t)id - 1, last, VMM_FOREVER, &place) == 0);
		last = NULL;
		if (place == NULL)
			continue;
		run(place, &exit);
		last = &exit;
	}
	vmm_sched_leave(schedule, (uint32_t)id - 1);
	return NULL;
}

/* --- a VM --- */

static void release(void *opaque, void *base, uint64_t len)
{
	(void)opaque;
	memset(base, 0xdb, len);
	free(base);
}

static struct vmm_mem *new_memory(struct life *l, uint64_t len, uint8_t **at);
static struct vmm_mem *new_ram(struct life *l);

/* Some pages of ROOM: another thread may be before this one, which is no error. */
static void change_room(struct life *l, uint64_t dice)
{
	const uint64_t first = dice % (ROOM_LEN / 0x1000), most = ROOM_LEN / 0x1000 - first;
	const uint64_t gpa = ROOM + first * 0x1000, len = (1 + (dice >> 8) % most) * 0x1000;
	uint64_t dirty[1];
	struct vmm_mem *mem;
	uint8_t *at;

	switch (dice >> 16 & 7) {
	case 0:
		vmm_vm_protect(l->vm, gpa, 0x1000, VMM_PROT_READ);
		break;
	case 1:
		vmm_vm_protect(l->vm, gpa, 0x1000, VMM_PROT_RWX);
		break;
	case 2:
		vmm_vm_dirty_start(l->vm, gpa, 0x1000);
		break;
	case 3:
		vmm_vm_dirty_harvest(l->vm, gpa, 0x1000, dirty, 1);
		break;
	case 4:
		vmm_vm_dirty_stop(l->vm, gpa, len);
		break;
	case 5:
		vmm_vm_unmap(l->vm, gpa, len);
		break;
	default:
		mem = new_memory(l, len, &at);
		vmm_vm_map(l->vm, gpa, mem, 0, len, VMM_PROT_RWX);
		vmm_mem_unref(mem);
	}
}

/* Other code and tables of the same content; for a moment there may be none. */
static void change_ram(struct life *l)
{
	struct vmm_mem *mem = new_ram(l), *before;

	pthread_mutex_lock(&l->lock);
	before = l->ram;
	l->ram = mem;
	MUST(vmm_vm_unmap(l->vm, 0, RAM_LEN) == 0);
	vmm_mem_unref(before);
	MUST(vmm_vm_map(l->vm, 0, mem, 0, RAM_LEN, VMM_PROT_RWX) == 0);
	pthread_mutex_unlock(&l->lock);
}

static void change_bus(struct life *l, uint64_t dice);

/* @inside: in a callback of the bus. */
static void do_something(struct life *l, uint64_t dice, bool inside)
{
	struct vmm_vcpu *vcpu = l->vcpu[dice % VCPUS];
	struct vmm_vcpu_stats stats = {.size = sizeof(stats)};
	struct vmm_x86_clock clock;
	struct vmm_x86_regs regs;
	uint8_t byte[8] = {0};

	switch (dice >> 1 & 15) {
	case 0:
		vmm_vcpu_kick(vcpu);
		break;
	case 1:
		vmm_vcpu_preempt(vcpu);
		break;
	case 2:
		vmm_vcpu_inject(vcpu, VMM_INJECT_NMI, 2, 0, 0);
		break;
	case 3:
		vmm_vm_irq_line(l->vm, 4, dice >> 8 & 1);
		break;
	case 4:
		vmm_vm_msi(l->vm, APIC, 0x60, 0);
		break;
	case 5:
		vmm_vm_set_alarm(l->vm, fake.host.time_ns(&fake) + 20000);
		break;
	case 6:
		vmm_vm_read(l->vm, (dice >> 8 & 0x7ff) * 0x1000, byte, sizeof(byte));
		break;
	case 7:
		vmm_vm_write(l->vm, WRITTEN + 8 * (cpu.id <= CPUS ? cpu.id : 4 + cpu.id % OTHERS),
			     byte, sizeof(byte));
		vmm_vcpu_get_stats(vcpu, &stats);
		break;
	case 8:
		if (!inside) {
			MUST(vmm_vm_pause(l->vm) == 0);
			MUST(vmm_vm_resume(l->vm) == 0);
		}
		break;
	case 9:
		if (!inside) {
			MUST(vmm_vm_pause(l->vm) == 0);
			vmm_vcpu_get_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs));
			vmm_vm_get_state(l->vm, VMM_STATE_X86_CLOCK, 0, &clock, sizeof(clock));
			MUST(vmm_vm_resume(l->vm) == 0);
		}
		break;
	case 10:
		change_ram(l);
		break;
	case 11:
		if (!inside) {
			pthread_mutex_lock(&l->stopping);
			MUST(vmm_sched_stop(l->place[dice % VCPUS]) == 0);
			MUST(vmm_sched_start(l->place[dice % VCPUS]) == 0);
			pthread_mutex_unlock(&l->stopping);
		}
		break;
	case 12:
		change_bus(l, dice >> 8);
		break;
	default:
		change_room(l, dice >> 8);
	}
}

static int answer_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		       uint64_t *value)
{
	(void)vcpu;
	(void)offset;
	(void)width;
	*value = *(const uint8_t *)opaque;
	return 0;
}

static void answer_released(void *opaque)
{
	free(opaque);
}

/* A region, or a doorbell, that goes again. */
static void change_bus(struct life *l, uint64_t dice)
{
	static const struct vmm_region_ops ops = {
		.size = sizeof(ops), .read = answer_read, .released = answer_released};
	const struct vmm_doorbell_config config = {
		.size = sizeof(config), .space = VMM_SPACE_MMIO, .addr = DEVICE + 4, .event = 1};
	struct vmm_doorbell *bell;
	struct vmm_region *region;
	uint8_t *answer;

	if (dice % 2 == 0) {
		if (vmm_doorbell_add(l->vm, &config, &bell) == 0)
			vmm_doorbell_remove(bell);
		return;
	}
	answer = calloc(1, 1);
	if (vmm_region_add(l->vm, VMM_SPACE_PORT, PORT + 4, 4, &ops, answer, &region) == 0) {
		sched_yield();
		vmm_region_remove(region);
	} else {
		free(answer);
	}
}

/* Memory of its own, mapped nowhere yet. */
static struct vmm_mem *new_memory(struct life *l, uint64_t len, uint8_t **at)
{
	uint8_t *base = aligned_alloc(0x1000, len);
	struct vmm_mem *mem;

	MUST(base != NULL);
	memset(base, 0, len);
	for (uint64_t page = 0; page < len; page += 0x1000)
		memcpy(base + page + NUMBER, &l->number, sizeof(l->number));
	MUST(vmm_mem_create_host(ctx, base, len, release, NULL, &mem) == 0);
	*at = base;
	return mem;
}

static void put64(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

/* Pages of 2 MiB, each to itself. */
static void fill_ram(uint8_t *ram)
{
	static const uint8_t code[] = {[LOAD] = 0x8b, 0x03,          [STORE] = 0x89,
				       0x03,          [COPY] = 0xf3, 0xa4};

	memcpy(ram + CODE, code, sizeof(code));
	put64(ram + TABLES, (TABLES + 0x1000) | 3);
	put64(ram + TABLES + 0x1000, (TABLES + 0x2000) | 3);
	put64(ram + TABLES + 0x1000 + 24, (TABLES + 0x3000) | 3);
	for (uint64_t i = 0; i < 511; i++) {
		put64(ram + TABLES + 0x2000 + 8 * i, i << 21 | 0x83);
		put64(ram + TABLES + 0x3000 + 8 * i, (UINT64_C(0xc0000000) + (i << 21)) | 0x83);
	}
}

static struct vmm_mem *new_ram(struct life *l)
{
	uint8_t *at;
	struct vmm_mem *mem = new_memory(l, RAM_LEN, &at);

	fill_ram(at);
	return mem;
}

static int device_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		       uint64_t *value)
{
	struct life *l = opaque;

	(void)vcpu;
	(void)offset;
	(void)width;
	do_something(l, roll(&cpu.dice), true);
	*value = 0;
	return 0;
}

static int device_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
			uint64_t value)
{
	return device_read(opaque, vcpu, offset, width, &value);
}

static const struct vmm_region_ops device = {
	.size = sizeof(device), .read = device_read, .write = device_write};

static void on_alarm(void *opaque)
{
	struct life *l = opaque;

	vmm_vm_set_alarm(l->vm, fake.host.time_ns(&fake) + 200000);
}

static void start_vcpu(struct life *l, uint32_t i)
{
	const struct vmm_x86_mp mp = {.state = VMM_X86_MP_RUNNABLE};
	struct vmm_x86_sys sys;

	assert_int_equal(vmm_vcpu_get_state(l->vcpu[i], VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)),
			 0);
	sys.cr0 = BIT(31) | BIT(4) | 1;
	sys.cr3 = TABLES;
	sys.cr4 = BIT(5);
	sys.efer = BIT(8) | BIT(10) | BIT(11);
	sys.cs = (struct vmm_x86_segment){.limit = UINT32_MAX,
					  .selector = 8,
					  .attr = VMM_X86_SEG_TYPE(11) | VMM_X86_SEG_S |
						  VMM_X86_SEG_P | VMM_X86_SEG_L | VMM_X86_SEG_G};
	assert_int_equal(vmm_vcpu_set_state(l->vcpu[i], VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)),
			 0);
	assert_int_equal(vmm_vcpu_set_state(l->vcpu[i], VMM_STATE_X86_MP, 0, &mp, sizeof(mp)), 0);
	assert_int_equal(vmm_sched_add(schedule, l->vcpu[i], NULL, l, &l->place[i]), 0);
	assert_int_equal(vmm_sched_start(l->place[i]), 0);
}

static void begin(struct life *l, uint32_t number)
{
	const struct vmm_vm_config config = {
		.size = sizeof(config), .irqchip = VMM_IRQCHIP_ARCH, .max_vcpus = VCPUS};
	struct vmm_region *region;

	*l = (struct life){.number = number};
	pthread_mutex_init(&l->lock, NULL);
	pthread_mutex_init(&l->stopping, NULL);
	assert_int_equal(vmm_vm_create(ctx, &config, &l->vm), 0);
	for (uint32_t i = 0; i < VCPUS; i++) {
		const struct vmm_vcpu_config c = {
			.size = sizeof(c), .index = i, .arch_id = i, .opaque = l};

		assert_int_equal(vmm_vcpu_create(l->vm, &c, &l->vcpu[i]), 0);
	}
	l->ram = new_ram(l);
	assert_int_equal(vmm_vm_map(l->vm, 0, l->ram, 0, RAM_LEN, VMM_PROT_RWX), 0);
	assert_int_equal(vmm_region_add(l->vm, VMM_SPACE_MMIO, DEVICE, 0x1000, &device, l, &region),
			 0);
	assert_int_equal(vmm_region_add(l->vm, VMM_SPACE_PORT, PORT, 4, &device, l, &region), 0);
	assert_int_equal(vmm_vm_on_alarm(l->vm, on_alarm, l), 0);
	assert_int_equal(vmm_vm_seal(l->vm), 0);
	vmm_vm_set_alarm(l->vm, fake.host.time_ns(&fake));
	for (uint32_t i = 0; i < VCPUS; i++)
		start_vcpu(l, i);
}

static void end(struct life *l)
{
	for (uint32_t i = 0; i < VCPUS; i++)
		assert_int_equal(vmm_sched_remove(l->place[i]), 0);
	assert_int_equal(vmm_vm_destroy(l->vm), 0);
	vmm_mem_unref(l->ram);
	pthread_mutex_destroy(&l->lock);
	pthread_mutex_destroy(&l->stopping);
}

static void *other(void *arg)
{
	struct life *l = arg;
	uint64_t dice = thread_id(NULL) * l->number;

	while (atomic_load(&l->over) == 0) {
		do_something(l, roll(&dice), false);
		if (dice >> 60 == 0)
			sched_yield();
	}
	return NULL;
}

static void lives(void **state)
{
	const struct vmm_sched_config config = {.size = sizeof(config),
						.kind = VMM_SCHED_CREDIT,
						.cpus = CPUS,
						.max_vcpus = 2 * VCPUS,
						.slice_ns = 100000};
	const struct vmm_engine *engines[] = {vmm_engine_svm()};
	const struct vmm_ctx_config about = {
		.size = sizeof(about), .host = &fake.host, .engines = engines, .engine_count = 1};
	const char *text = getenv("VMM_TEST_ROUNDS");
	const uint32_t rounds = text != NULL ? (uint32_t)strtoul(text, NULL, 10) : 40;
	pthread_t cpus[CPUS], others[OTHERS];

	(void)state;
	fake_host_init(&fake);
	fake_owner_init(&fake.host);
	sleep_on = fake.host.wait;
	fake.host.wait = wait_on;
	fake.host.thread_id = thread_id;
	fake.host.cpu_kick = cpu_kick;
	fake.host.cpu_timer = cpu_timer;
	fake.host.cpu_timer_mark = cpu_timer_mark;
	fake.host.phys_map = phys_map;
	fake.host.phys_unmap = phys_unmap;
	fake.host.flags = VMM_HOST_NO_VECTORS;
	assert_int_equal(vmm_ctx_create(&about, &ctx, NULL), 0);
	assert_int_equal(vmm_sched_create(&fake.host, &config, &schedule), 0);
	for (uint32_t i = 1; i <= CPUS; i++) {
		pthread_mutex_init(&shared[i].lock, NULL);
		MUST(pthread_create(&cpus[i - 1], NULL, processor, (void *)(uintptr_t)i) == 0);
	}
	for (uint32_t n = 1; n <= rounds; n++) {
		struct life l;

		begin(&l, n);
		for (uint32_t i = 0; i < OTHERS; i++)
			MUST(pthread_create(&others[i], NULL, other, &l) == 0);
		usleep(n % 4 * 10000);
		atomic_store(&l.over, 1);
		for (uint32_t i = 0; i < OTHERS; i++)
			pthread_join(others[i], NULL);
		end(&l);
	}
	atomic_store(&over, 1);
	for (uint32_t i = 0; i < CPUS; i++) {
		vmm_sched_kick(schedule, i);
		pthread_join(cpus[i], NULL);
	}
	assert_int_equal(vmm_sched_destroy(schedule), 0);
	assert_int_equal(vmm_ctx_destroy(ctx), 0);
	assert_int_equal(atomic_load(&fake.blocks), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lives)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

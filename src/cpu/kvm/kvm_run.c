// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Entering the guest, and saying why it was left. vmm__kvm_run() is measured: a port or MMIO exit
 * goes straight down through it, everything else is set apart.
 *
 * Kicks. KVM_RUN returns at once with EINTR if run->immediate_exit is set when it begins or a
 * signal is pending at any time in it (api.rst 5, "immediate_exit"). Kicker and runner each write
 * one word and then read the other's, all with sequential consistency:
 *
 *   kick()                                run()
 *   1 immediate_exit = 1                  a inside = me
 *   2 kickers++                           b KVM_RUN, which reads immediate_exit
 *   3 if inside: signal that thread       c inside = 0
 *   4 kickers--, wake who waits for 0     d wait until kickers is 0
 *
 * If 3 finds nobody, then a comes after 3 and so b after 1: KVM sees immediate_exit. If it finds
 * somebody, the signal either interrupts KVM_RUN or has come before b, and b sees 1 again. The
 * thread at 3 exists as long as its name is used, because d keeps it here: without that it might be
 * gone by then, and a thread's name used after its end is undefined.
 *
 * A runner that was interrupted clears kicked and immediate_exit, and only then returns to the
 * core, which looks at its requests. The core has written its request before 1, so a kick that
 * comes before the clearing is seen there, and one that comes after it stays in immediate_exit.
 * Only vmm__kvm_complete() borrows immediate_exit for itself; it clears it the same way, and then
 * sets it again if kicked says that somebody else has wanted it too.
 */
#include "kvm.h"

#include <sys/syscall.h>
#include <unistd.h>

/* KVM_RUN without errno and a variadic call; -errno. */
static inline long enter_kvm(int fd)
{
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(SYS_ioctl), "D"(fd), "S"(KVM_RUN), "d"(0)
			 : "rcx", "r11", "memory");
	return r;
}

static VMM__COLD void await_kickers(struct vmm__kvm_vcpu *v)
{
	uint32_t n;

	while ((n = atomic_load(&v->kickers)) != 0)
		vmm__wait(v->vm->services->host, &v->kickers, n, VMM_FOREVER);
}

static inline long enter(struct vmm__kvm_vcpu *v)
{
	long r;

	atomic_store(&v->inside, (uintptr_t)pthread_self());
	r = enter_kvm(v->fd);
	atomic_store(&v->inside, 0);
	if (VMM__UNLIKELY(atomic_load(&v->kickers) != 0))
		await_kickers(v);
	return r;
}

static void set_immediate_exit(struct vmm__kvm_vcpu *v, uint8_t value)
{
	__atomic_store_n(&v->run->immediate_exit, value, __ATOMIC_SEQ_CST);
}

/* May be called in a signal handler: errno stays. */
void vmm__kvm_kick(void *vcpu)
{
	struct vmm__kvm_vcpu *v = vcpu;
	uintptr_t thread;
	int saved = errno;

	atomic_store(&v->kicked, 1);
	set_immediate_exit(v, 1);
	atomic_fetch_add(&v->kickers, 1);
	thread = atomic_load(&v->inside);
	if (thread != 0)
		pthread_kill((pthread_t)thread, SIGRTMAX - 1);
	if (atomic_fetch_sub(&v->kickers, 1) == 1 && thread != 0)
		vmm__wake(v->vm->services->host, &v->kickers);
	errno = saved;
}

void vmm__kvm_flush_nmis(struct vmm__kvm_vcpu *v)
{
	for (uint32_t n = atomic_exchange(&v->nmis, 0); n != 0; n--)
		ioctl(v->fd, KVM_NMI);
}

static inline uint64_t load(const uint8_t *from, uint32_t width)
{
	switch (width) {
	case 1:
		return *from;
	case 2: {
		uint16_t v;
		memcpy(&v, from, 2);
		return v;
	}
	case 4: {
		uint32_t v;
		memcpy(&v, from, 4);
		return v;
	}
	default: {
		uint64_t v;
		memcpy(&v, from, 8);
		return v;
	}
	}
}

static inline void store(uint8_t *to, uint32_t width, uint64_t value)
{
	switch (width) {
	case 1:
		*to = (uint8_t)value;
		break;
	case 2:
		memcpy(to, &value, 2);
		break;
	case 4:
		memcpy(to, &value, 4);
		break;
	default:
		memcpy(to, &value, 8);
		break;
	}
}

/* Fields that every exit has. */
static inline void fill(struct vmm_exit *exit, uint32_t reason, uint32_t flags, uint32_t hw_code)
{
	exit->reason = reason;
	exit->flags = flags | VMM_EXIT_F_HW;
	exit->insn_len = 0;
	exit->pc = 0;
	exit->hw_code = hw_code;
	exit->hw_info = 0;
	exit->reserved = 0;
}

/*
 * One element at @data, @left more bytes behind it, to or from the guest. KVM gives MMIO in lengths
 * of up to 8, cut at pages, so that one of 3 or 5 occurs: elements are powers of two.
 */
static inline void give_element(struct vmm__kvm_vcpu *v, struct vmm_exit *exit, uint8_t *data,
				bool write, uint32_t width, uint32_t left)
{
	uint32_t todo = KVM__TODO_KVM;

	exit->width = width;
	v->answer = data;
	v->width = width;
	if (write) {
		exit->flags |= VMM_EXIT_F_WRITE;
		exit->data = load(data, width);
	} else {
		exit->data = 0;
		todo |= KVM__TODO_ANSWER;
	}
	if (VMM__UNLIKELY(left != 0)) {
		exit->flags |= VMM_EXIT_F_MORE;
		todo |= KVM__TODO_MORE;
	}
	v->todo = todo;
}

static uint32_t piece_of(uint32_t left)
{
	return left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

/* The instruction's own address is known where KVM has not moved on: before it has read. */
static VMM__COLD void add_pc(const struct vmm__kvm_vcpu *v, struct vmm_exit *exit)
{
	bool moved = (exit->flags & VMM_EXIT_F_WRITE) && exit->reason != VMM_EXIT_MSR;

	if (moved || exit->reason == VMM_EXIT_HLT)
		return;
	exit->flags |= VMM_EXIT_F_PC;
	exit->pc = v->run->s.regs.regs.rip;
}

static inline void give_port(struct vmm__kvm_vcpu *v, struct vmm_exit *exit)
{
	struct kvm_run *run = v->run;
	uint32_t size = run->io.size;

	fill(exit, VMM_EXIT_PORT, 0, KVM_EXIT_IO);
	exit->addr = run->io.port;
	give_element(v, exit, (uint8_t *)run + run->io.data_offset + v->element,
		     run->io.direction == KVM_EXIT_IO_OUT, size,
		     run->io.count * size - size - v->element);
}

static inline void give_mmio(struct vmm__kvm_vcpu *v, struct vmm_exit *exit)
{
	struct kvm_run *run = v->run;
	uint32_t left = run->mmio.len - v->element;
	uint32_t width = piece_of(left);

	fill(exit, VMM_EXIT_MMIO, 0, KVM_EXIT_MMIO);
	exit->addr = run->mmio.phys_addr + v->element;
	give_element(v, exit, run->mmio.data + v->element, run->mmio.is_write != 0, width,
		     left - width);
}

/* The next element of what KVM has handed over, without entering it. */
static void give_next(struct vmm__kvm_vcpu *v, struct vmm_exit *exit)
{
	v->element += v->width;
	if (v->run->exit_reason == KVM_EXIT_IO)
		give_port(v, exit);
	else
		give_mmio(v, exit);
	if (v->want_pc)
		add_pc(v, exit);
}

/* An answer to an MSR access or a hypercall. */
static void answer_special(struct vmm__kvm_vcpu *v, const struct vmm_exit *exit)
{
	struct kvm_run *run = v->run;

	if (run->exit_reason == KVM_EXIT_HYPERCALL) {
		run->hypercall.ret = exit->data;
		return;
	}
	run->msr.error = (exit->flags & VMM_EXIT_F_FAIL) != 0;
	if (run->exit_reason == KVM_EXIT_X86_RDMSR)
		run->msr.data = exit->data;
}

/* Take the answer to the pending exit. True: there is one more element, in *@exit. */
static inline bool take_answer(struct vmm__kvm_vcpu *v, struct vmm_exit *exit)
{
	uint32_t todo = v->todo;

	if (todo & KVM__TODO_ANSWER)
		store(v->answer, v->width, exit->flags & VMM_EXIT_F_FAIL ? UINT64_MAX : exit->data);
	if (VMM__UNLIKELY(todo & (KVM__TODO_MORE | KVM__TODO_SPECIAL | KVM__TODO_KEPT))) {
		if (todo & KVM__TODO_MORE) {
			give_next(v, exit);
			return true;
		}
		if (todo & KVM__TODO_KEPT) {
			*exit = v->kept;
			v->todo = 0;
			return true;
		}
		answer_special(v, exit);
	}
	return false;
}

/* Let KVM finish the instruction, and come back before the next one. */
static long finish(struct vmm__kvm_vcpu *v)
{
	long r;

	set_immediate_exit(v, 1);
	r = enter_kvm(v->fd);
	set_immediate_exit(v, 0);
	if (atomic_load(&v->kicked))
		set_immediate_exit(v, 1);
	return r;
}

static int decode(struct vmm__kvm_vcpu *v, struct vmm_exit *exit);

static int give_msr(struct vmm__kvm_vcpu *v, struct vmm_exit *exit, bool write)
{
	struct kvm_run *run = v->run;
	uint32_t access = write ? VMM_FILTER_WRITE : VMM_FILTER_READ;

	v->todo = KVM__TODO_KVM | KVM__TODO_SPECIAL;
	if (vmm__kvm_filter_action(v->vm, run->msr.index, access) != VMM_FILTER_EXIT) {
		run->msr.error = 1; /* #GP */
		v->todo = 0;
		return finish(v) < 0 ? VMM__INTERRUPTED : decode(v, exit);
	}
	fill(exit, VMM_EXIT_MSR, write ? VMM_EXIT_F_WRITE : 0, run->exit_reason);
	exit->addr = run->msr.index;
	exit->width = 8;
	exit->data = write ? run->msr.data : 0;
	return 0;
}

static void give_debug(struct vmm__kvm_vcpu *v, struct vmm_exit *exit)
{
	const struct kvm_debug_exit_arch *arch = &v->run->debug.arch;

	exit->reason = VMM_EXIT_DEBUG;
	exit->addr = arch->pc;
	exit->data = arch->exception == 1 ? arch->dr6 : 0;
	exit->hw_info = arch->exception;
}

static void give_system(struct vmm__kvm_vcpu *v, struct vmm_exit *exit)
{
	uint32_t type = v->run->system_event.type;

	exit->hw_info = type;
	exit->reason = type == KVM_SYSTEM_EVENT_SHUTDOWN || type == KVM_SYSTEM_EVENT_RESET
			       ? VMM_EXIT_SYSTEM
			       : VMM_EXIT_ENGINE_ERROR;
	exit->data = type == KVM_SYSTEM_EVENT_SHUTDOWN ? VMM_SYSTEM_OFF : VMM_SYSTEM_RESET;
}

static void give_engine_error(struct vmm__kvm_vcpu *v, struct vmm_exit *exit)
{
	const struct vmm__services *services = v->vm->services;
	struct kvm_run *run = v->run;
	char text[128];

	exit->reason = VMM_EXIT_ENGINE_ERROR;
	if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		exit->hw_info = run->internal.suberror;
	vmm__format(text, sizeof(text), "vCPU %u: KVM gave up: exit %u, suberror %llu", v->index,
		    run->exit_reason, (unsigned long long)exit->hw_info);
	services->log(services->core, VMM_LOG_WARN, text);
}

/* All reasons but PORT and MMIO (api.rst 5). */
static VMM__COLD int give_other(struct vmm__kvm_vcpu *v, struct vmm_exit *exit)
{
	struct kvm_run *run = v->run;

	v->todo = 0;
	fill(exit, VMM_EXIT_NONE, 0, run->exit_reason);
	exit->addr = 0;
	exit->data = 0;
	exit->width = 0;
	switch (run->exit_reason) {
	case KVM_EXIT_INTR:
	case KVM_EXIT_SET_TPR: /* the task priority fell: there is no controller to be told */
		return VMM__INTERRUPTED;
	case KVM_EXIT_HLT:
		exit->reason = VMM_EXIT_HLT;
		break;
	case KVM_EXIT_SHUTDOWN:
		exit->reason = VMM_EXIT_SHUTDOWN;
		break;
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		run->request_interrupt_window = 0;
		exit->reason = VMM_EXIT_IRQ_WINDOW;
		break;
	case KVM_EXIT_DEBUG:
		give_debug(v, exit);
		break;
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
		return give_msr(v, exit, run->exit_reason == KVM_EXIT_X86_WRMSR);
	case KVM_EXIT_HYPERCALL:
		v->todo = KVM__TODO_KVM | KVM__TODO_SPECIAL;
		exit->reason = VMM_EXIT_HYPERCALL;
		exit->addr = run->hypercall.nr;
		exit->data = run->hypercall.args[0];
		break;
	case KVM_EXIT_FAIL_ENTRY:
		exit->reason = VMM_EXIT_ENTRY_FAILED;
		exit->hw_info = run->fail_entry.hardware_entry_failure_reason;
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		give_system(v, exit);
		break;
	default:
		give_engine_error(v, exit);
		break;
	}
	return 0;
}

/*
 * KVM_RUN gave an error: an interruption, or a failure. A pending exit has been completed unless
 * KVM did not get that far. EAGAIN: a processor that waited for INIT or a start-up IPI may have got
 * it.
 */
static VMM__COLD int after_error(struct vmm__kvm_vcpu *v, long r, struct vmm_error *error)
{
	if (r != -EINTR && r != -EAGAIN) {
		errno = (int)-r;
		return vmm__kvm_fail(error, "KVM_RUN");
	}
	v->todo = 0;
	if (r == -EINTR) {
		atomic_store(&v->kicked, 0);
		set_immediate_exit(v, 0);
		vmm__kvm_flush_nmis(v);
	}
	return VMM__INTERRUPTED;
}

static int decode(struct vmm__kvm_vcpu *v, struct vmm_exit *exit)
{
	int r = 0;

	v->element = 0;
	if (VMM__LIKELY(v->run->exit_reason == KVM_EXIT_IO))
		give_port(v, exit);
	else if (VMM__LIKELY(v->run->exit_reason == KVM_EXIT_MMIO))
		give_mmio(v, exit);
	else
		r = give_other(v, exit);
	if (VMM__UNLIKELY(v->want_pc))
		add_pc(v, exit);
	return r;
}

int vmm__kvm_run(void *vcpu, struct vmm_exit *exit, struct vmm_error *error)
{
	struct vmm__kvm_vcpu *v = vcpu;
	long r;

	if (take_answer(v, exit))
		return 0;
	r = enter(v);
	if (VMM__UNLIKELY(r < 0))
		return after_error(v, r, error);
	return decode(v, exit);
}

int vmm__kvm_complete(void *vcpu, struct vmm_exit *exit, struct vmm_error *error)
{
	struct vmm__kvm_vcpu *v = vcpu;
	struct vmm_exit next;
	long r;

	if (take_answer(v, exit))
		return -VMM_EPENDING;
	r = finish(v);
	if (r == -EINTR || r == -EAGAIN) {
		v->todo = 0;
		return 0;
	}
	if (r < 0) {
		errno = (int)-r;
		return vmm__kvm_fail(error, "KVM_RUN");
	}
	if (decode(v, &next) != 0)
		return 0;
	if (v->todo == 0) { /* finished, with something to tell: a single step, say */
		v->kept = next;
		v->todo = KVM__TODO_KEPT;
		return 0;
	}
	*exit = next;
	return -VMM_EPENDING;
}

/* An emulated instruction has a bounded number of elements; one that goes on is given up. */
#define MOST_ELEMENTS 64

void vmm__kvm_discard(struct vmm__kvm_vcpu *v)
{
	struct vmm_exit exit;

	for (unsigned i = 0; v->todo != 0 && i < MOST_ELEMENTS; i++) {
		v->todo = 0;
		if (finish(v) >= 0)
			decode(v, &exit);
	}
	v->todo = 0;
}

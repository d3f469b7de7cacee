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
 *   1 immediate_exit = 1                  a gate += me
 *   2 gate += KICKER                      b KVM_RUN, which reads immediate_exit
 *   3 if somebody is in it: signal that   c gate -= me
 *   4 gate -= KICKER, wake who waits      d wait until the gate is 0
 *
 * The gate holds the thread in KVM_RUN in its low part and a count of kickers above it. If 2 finds
 * nobody, then a comes after it and so b after 1: KVM sees immediate_exit. If it finds somebody,
 * the signal either interrupts KVM_RUN or has come before b, and b sees 1 again. The thread at 3
 * exists as long as its name is used, because d keeps it here: without that it might be gone by
 * then, and a thread's name used after its end is undefined.
 *
 * A runner that was interrupted clears kicked and immediate_exit, and only then returns to the
 * core, which looks at its requests. The core has written its request before 1, so a kick that
 * comes before the clearing is seen there, and one that comes after it stays in immediate_exit.
 * Only vmm__kvm_complete() borrows immediate_exit for itself; it clears it the same way, and then
 * sets it again if kicked says that somebody else has wanted it too.
 */
#include "kvm.h"

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
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

/* pthread_self() in one instruction: on x86-64 the thread's control block begins with its own
 * address, which is the thread's name (psABI, "Thread-Local Storage"; glibc and musl). Volatile: to
 * be asked again is cheaper than to be kept. */
static inline uint64_t self(void)
{
	uint64_t name;

	__asm__ volatile("mov %%fs:0, %0" : "=r"(name));
	return name;
}

#define KICKER      (UINT64_C(1) << 48)
#define THREAD_MASK (KICKER - 1)

/* Kickers are counted in the gate's upper half, the word to wait on. */
static const uint32_t *kicker_word(const struct vmm__kvm_vcpu *v)
{
	const void *gate = &v->gate;

	return (const uint32_t *)gate + 1;
}

static VMM__COLD void await_kickers(struct vmm__kvm_vcpu *v)
{
	const struct vmm_host *host = v->vm->services->host;
	uint64_t gate;

	while ((gate = atomic_load(&v->gate)) != 0)
		host->wait(host->opaque, kicker_word(v), (uint32_t)(gate >> 32), VMM_FOREVER);
}

static void set_immediate_exit(struct vmm__kvm_vcpu *v, uint8_t value)
{
	__atomic_store_n(&v->run->immediate_exit, value, __ATOMIC_SEQ_CST);
}

/* May be called in a signal handler: errno stays. */
void vmm__kvm_kick(void *vcpu)
{
	struct vmm__kvm_vcpu *v = vcpu;
	const struct vmm_host *host = v->vm->services->host;
	uint64_t thread;
	int saved = errno;

	atomic_store(&v->kicked, 1);
	set_immediate_exit(v, 1);
	thread = atomic_fetch_add(&v->gate, KICKER) & THREAD_MASK;
	if (thread != 0)
		pthread_kill((pthread_t)thread, SIGRTMAX - 1);
	atomic_fetch_sub(&v->gate, KICKER);
	if (thread != 0)
		host->wake(host->opaque, kicker_word(v));
	errno = saved;
}

void vmm__kvm_flush_nmis(struct vmm__kvm_vcpu *v)
{
	for (uint32_t n = atomic_exchange(&v->nmis, 0); n != 0; n--)
		ioctl(v->fd, KVM_NMI);
}

/* Nothing is waited for any more. */
static void settle(struct vmm__kvm_vcpu *v)
{
	v->answer = v->always;
	v->owed = 0;
}

static uint64_t load(const uint8_t *from, uint32_t width)
{
	uint64_t value = 0;

	memcpy(&value, from, width);
	return value;
}

static void fill(struct vmm_exit *exit, uint32_t reason)
{
	memset(exit, 0, sizeof(*exit));
	exit->reason = reason;
}

/*
 * One element at @data, before or behind others, @left bytes of them behind it. KVM gives MMIO in
 * lengths of up to 8, cut at pages, so that one of 3 or 5 occurs: elements are powers of two.
 */
static void give_element(struct vmm__kvm_vcpu *v, struct vmm_exit *exit, uint8_t *data, bool write,
			 uint32_t width, uint32_t left)
{
	v->answer = KVM__SLOW;
	v->owed = KVM__OWED_PARTIAL;
	v->place = data;
	v->width = width;
	v->left = left;
	exit->width = width;
	exit->data = write ? load(data, width) : 0;
	if (write)
		exit->flags |= VMM_EXIT_F_WRITE;
	else
		v->owed |= KVM__OWED_ANSWER;
	if (left != 0)
		exit->flags |= VMM_EXIT_F_MORE;
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

static void give_port(struct vmm__kvm_vcpu *v, struct vmm_exit *exit)
{
	struct kvm_run *run = v->run;
	uint32_t size = run->io.size;

	fill(exit, VMM_EXIT_PORT);
	exit->addr = run->io.port;
	give_element(v, exit, (uint8_t *)run + run->io.data_offset + v->element,
		     run->io.direction == KVM_EXIT_IO_OUT, size,
		     run->io.count * size - size - v->element);
}

static void give_mmio(struct vmm__kvm_vcpu *v, struct vmm_exit *exit)
{
	struct kvm_run *run = v->run;
	uint32_t left = run->mmio.len - v->element;
	uint32_t width = piece_of(left);

	fill(exit, VMM_EXIT_MMIO);
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
	if (v->always)
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

/* Take the answer to the pending exit. True: there is one more to give, in *@exit. */
static bool take_answer(struct vmm__kvm_vcpu *v, struct vmm_exit *exit)
{
	uint64_t data = exit->flags & VMM_EXIT_F_FAIL ? UINT64_MAX : exit->data;

	if (!v->answer)
		return false;
	if (v->answer != KVM__SLOW) {
		memcpy(v->answer, &data, sizeof(data));
		return false;
	}
	if (v->owed & KVM__OWED_KEPT) {
		*exit = v->kept;
		settle(v);
		return true;
	}
	if (v->owed & KVM__OWED_SPECIAL)
		answer_special(v, exit);
	if (v->owed & KVM__OWED_ANSWER)
		memcpy(v->place, &data, v->width);
	if ((v->owed & KVM__OWED_PARTIAL) && v->left != 0) {
		give_next(v, exit);
		return true;
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

	v->answer = KVM__SLOW;
	v->owed = KVM__OWED_SPECIAL;
	if (vmm__kvm_filter_action(v->vm, run->msr.index, access) != VMM_FILTER_EXIT) {
		run->msr.error = 1; /* #GP */
		settle(v);
		return finish(v) < 0 ? VMM__INTERRUPTED : decode(v, exit);
	}
	exit->reason = VMM_EXIT_MSR;
	exit->flags |= write ? VMM_EXIT_F_WRITE : 0;
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

	settle(v);
	fill(exit, VMM_EXIT_NONE);
	exit->flags = VMM_EXIT_F_HW;
	exit->hw_code = run->exit_reason;
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
		v->answer = KVM__SLOW;
		v->owed = KVM__OWED_SPECIAL;
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
	settle(v);
	if (r == -EINTR) {
		atomic_store(&v->kicked, 0);
		set_immediate_exit(v, 0);
		vmm__kvm_flush_nmis(v);
	}
	return VMM__INTERRUPTED;
}

/* Any exit, by the way that knows all cases. */
static VMM__COLD int decode(struct vmm__kvm_vcpu *v, struct vmm_exit *exit)
{
	int r = 0;

	v->element = 0;
	if (v->run->exit_reason == KVM_EXIT_IO)
		give_port(v, exit);
	else if (v->run->exit_reason == KVM_EXIT_MMIO)
		give_mmio(v, exit);
	else
		r = give_other(v, exit);
	if (v->always && r == 0)
		add_pc(v, exit);
	return r;
}

/* Reason and flags in one store. */
static inline void put_head(struct vmm_exit *exit, uint32_t reason, uint32_t flags)
{
	_Static_assert(offsetof(struct vmm_exit, flags) == offsetof(struct vmm_exit, reason) + 4,
		       "side by side");
	uint64_t head = (uint64_t)flags << 32 | reason;

	memcpy(&exit->reason, &head, sizeof(head));
}

/* Masks by width. */
static const uint64_t low_bytes[9] = {
	[1] = 0xff,
	[2] = 0xffff,
	[4] = 0xffffffff,
	[8] = UINT64_MAX,
};

/*
 * The whole of an access in one element, of @width bytes at @data, where eight may be read and, for
 * an answer, written: KVM takes no more than it has asked for. What the flags do not say to be
 * valid is left alone, and the hardware's code would be the reason again.
 */
static inline void give_whole(struct vmm__kvm_vcpu *v, struct vmm_exit *exit, uint32_t reason,
			      uint64_t addr, uint8_t *data, uint32_t width, bool write)
{
	uint64_t value;

	exit->addr = addr;
	exit->width = width;
	if (write) {
		memcpy(&value, data, sizeof(value));
		put_head(exit, reason, VMM_EXIT_F_WRITE);
		exit->data = value & low_bytes[width];
		v->answer = NULL;
	} else {
		put_head(exit, reason, 0);
		exit->data = 0;
		v->answer = data;
	}
}

static VMM__COLD int run_on(struct vmm__kvm_vcpu *v, struct vmm_exit *exit, struct vmm_error *error)
{
	long r;

	if (take_answer(v, exit))
		return 0;
	atomic_fetch_add(&v->gate, self());
	r = enter_kvm(v->fd);
	atomic_fetch_sub(&v->gate, self());
	await_kickers(v);
	return r < 0 ? after_error(v, r, error) : decode(v, exit);
}

static VMM__COLD int after_kick(struct vmm__kvm_vcpu *v, struct vmm_exit *exit, long r,
				struct vmm_error *error)
{
	await_kickers(v);
	return r < 0 ? after_error(v, r, error) : decode(v, exit);
}

/*
 * Calls nothing but as its last act, and keeps no more than three values over the system call, so
 * that it saves no registers.
 */
int vmm__kvm_run(void *vcpu, struct vmm_exit *exit, struct vmm_error *error)
{
	struct vmm__kvm_vcpu *v = vcpu;
	struct kvm_run *run;
	uint64_t me;
	long r;

	if ((uintptr_t)v->answer > (uintptr_t)KVM__SLOW) {
		if (VMM__UNLIKELY(exit->flags & VMM_EXIT_F_FAIL))
			return run_on(v, exit, error);
		memcpy(v->answer, &exit->data, sizeof(exit->data));
	} else if (VMM__UNLIKELY(v->answer != NULL)) {
		return run_on(v, exit, error);
	}
	atomic_fetch_add(&v->gate, self());
	r = enter_kvm(v->fd);
	me = self();
	if (VMM__UNLIKELY(atomic_fetch_sub(&v->gate, me) != me))
		return after_kick(v, exit, r, error);
	if (VMM__UNLIKELY(r < 0))
		return after_error(v, r, error);
	run = v->run;
	if (VMM__LIKELY(run->exit_reason == KVM_EXIT_IO)) {
		if (VMM__LIKELY(run->io.count == 1)) {
			give_whole(v, exit, VMM_EXIT_PORT, run->io.port,
				   (uint8_t *)run + run->io.data_offset, run->io.size,
				   run->io.direction == KVM_EXIT_IO_OUT);
			return 0;
		}
	} else if (VMM__LIKELY(run->exit_reason == KVM_EXIT_MMIO)) {
		uint32_t len = run->mmio.len;

		if (VMM__LIKELY((len & (len - 1)) == 0)) {
			give_whole(v, exit, VMM_EXIT_MMIO, run->mmio.phys_addr, run->mmio.data, len,
				   run->mmio.is_write != 0);
			return 0;
		}
	}
	return decode(v, exit);
}

/* KVM has come back with what nothing is to be answered to, a single step, say: told by the next
 * run(). False: *@exit wants an answer. */
static bool keep(struct vmm__kvm_vcpu *v, struct vmm_exit *exit)
{
	if (decode(v, exit) != 0)
		return true;
	if (v->answer != v->always || v->owed != 0)
		return false;
	v->kept = *exit;
	v->answer = KVM__SLOW;
	v->owed = KVM__OWED_KEPT;
	return true;
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
		settle(v);
		return 0;
	}
	if (r < 0) {
		errno = (int)-r;
		return vmm__kvm_fail(error, "KVM_RUN");
	}
	if (keep(v, &next))
		return 0;
	*exit = next;
	return -VMM_EPENDING;
}

/* KVM_RUN with the signals in @blocked blocked, but for one. */
static int let_signal_end_run(struct vmm__kvm_vcpu *v, const sigset_t *blocked, int number)
{
	_Alignas(struct kvm_signal_mask) uint8_t raw[sizeof(struct kvm_signal_mask) + 8];
	const uint32_t len = 8; /* of the kernel's own mask */
	uint64_t set;

	memcpy(&set, blocked, sizeof(set));
	set &= ~BIT(number - 1);
	memcpy(raw, &len, sizeof(len));
	memcpy(raw + sizeof(struct kvm_signal_mask), &set, sizeof(set));
	return ioctl(v->fd, KVM_SET_SIGNAL_MASK, raw);
}

/*
 * Have KVM take what its timers have raised into the local APIC. It does so behind its attempt to
 * enter the guest, which a pending signal keeps from happening, but immediate_exit would too early.
 */
void vmm__kvm_take_timer(struct vmm__kvm_vcpu *v)
{
	const int number = SIGRTMAX - 1;
	const struct timespec now = {0, 0};
	struct vmm_exit exit;
	sigset_t mine, before;

	sigemptyset(&mine);
	sigaddset(&mine, number);
	if (pthread_sigmask(SIG_BLOCK, &mine, &before) != 0)
		return;
	pthread_kill(pthread_self(), number);
	if (let_signal_end_run(v, &before, number) == 0) {
		set_immediate_exit(v, 0);
		if (enter_kvm(v->fd) >= 0)
			keep(v, &exit);
		if (atomic_load(&v->kicked))
			set_immediate_exit(v, 1);
		ioctl(v->fd, KVM_SET_SIGNAL_MASK, NULL);
	}
	sigtimedwait(&mine, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* An emulated instruction has a bounded number of elements; one that goes on is given up. */
#define MOST_ELEMENTS 64

void vmm__kvm_discard(struct vmm__kvm_vcpu *v)
{
	struct vmm_exit exit;
	long r = 0;

	/* Whether KVM waits for anything is not known; one that does not comes back at once. */
	for (unsigned i = 0; r >= 0 && i < MOST_ELEMENTS; i++) {
		settle(v);
		r = finish(v);
		if (r >= 0)
			decode(v, &exit);
	}
	settle(v);
}

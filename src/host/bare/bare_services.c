// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The host services, include/libvmm/host.h. */
#include "bare_host.h"
#include "mem.h"

static void *host_alloc(void *opaque, size_t size, size_t align)
{
	const uint64_t flags = bare_lock(&vmm__bare_memory_lock);
	void *ptr = vmm__bare_heap_take(size, align);

	(void)opaque;
	bare_unlock(&vmm__bare_memory_lock, flags);
	return ptr != NULL ? memset(ptr, 0, size) : NULL;
}

static void host_free(void *opaque, void *ptr, size_t size)
{
	const uint64_t flags = bare_lock(&vmm__bare_memory_lock);

	(void)opaque;
	vmm__bare_heap_give(ptr, size);
	bare_unlock(&vmm__bare_memory_lock, flags);
}

static uint64_t host_thread_id(void *opaque)
{
	(void)opaque;
	return bare_this_cpu()->id;
}

/*
 * Sleeps in HLT. The word is compared after it has been published what this CPU waits for, with
 * interrupts off, and HLT follows STI with none between (SDM vol. 2B, STI): a wake() that comes
 * after the comparison ends the HLT. Where interrupts are off, or a guest's, it only pauses.
 */
static void host_wait(void *opaque, const uint32_t *word, uint32_t value, uint64_t timeout_ns)
{
	struct bare_cpu *cpu = bare_this_cpu();
	const volatile uint32_t *seen = word;
	const uint64_t now = vmm__bare_time_ns(), flags = bare_irq_save();

	(void)opaque;
	if ((flags & BARE_RFLAGS_IF) == 0 || atomic_load(&cpu->lent) != 0) {
		bare_pause();
		bare_irq_restore(flags);
		return;
	}
	if (cpu->timer_ns <= now) { /* it has come, if its handler has run or not */
		vmm__bare_mark(cpu);
		cpu->timer_ns = VMM_FOREVER;
	}
	cpu->wait_ns = timeout_ns < VMM_FOREVER - now ? now + timeout_ns : VMM_FOREVER;
	vmm__bare_timer_set(cpu, 0);
	atomic_store(&cpu->waiting, word);
	if (*seen == value)
		__asm__ volatile("sti; hlt; cli" : : : "memory");
	atomic_store(&cpu->waiting, NULL);
	cpu->wait_ns = VMM_FOREVER;
	vmm__bare_timer_set(cpu, 0);
	bare_irq_restore(flags);
}

static void host_wake(void *opaque, const uint32_t *word)
{
	(void)opaque;
	for (uint32_t i = 0; i < vmm__bare_cpu_count; i++) {
		struct bare_cpu *cpu = vmm__bare_cpus[i];

		if (atomic_load(&cpu->waiting) == word)
			vmm__bare_interrupt(cpu, BARE_VECTOR_KICK);
	}
}

static uint64_t host_time_ns(void *opaque)
{
	(void)opaque;
	return vmm__bare_time_ns();
}

static void host_log(void *opaque, uint32_t level, const char *text)
{
	static const char *const names[] = {"", "error", "warning", "info", "debug"};

	(void)opaque;
	vmm_bare_print("libvmm: %s: %s\n", level <= VMM_LOG_DEBUG ? names[level] : "", text);
}

/* Virtual is physical in the heap. */
static uint64_t host_virt_to_phys(void *opaque, const void *ptr)
{
	(void)opaque;
	return bare_address(ptr);
}

static int host_phys_alloc(void *opaque, uint64_t size, uint64_t align, uint64_t *pa)
{
	const uint64_t flags = bare_lock(&vmm__bare_memory_lock);
	const bool taken = vmm__bare_phys_take(size, align, false, pa);

	(void)opaque;
	bare_unlock(&vmm__bare_memory_lock, flags);
	if (!taken)
		return -VMM_ENOMEM;
	vmm__bare_zero(*pa, size);
	return 0;
}

static void host_phys_free(void *opaque, uint64_t pa, uint64_t size)
{
	const uint64_t flags = bare_lock(&vmm__bare_memory_lock);

	(void)opaque;
	vmm__bare_phys_give(pa, vmm__align_up(size, BARE_PAGE));
	bare_unlock(&vmm__bare_memory_lock, flags);
}

static void *host_phys_map(void *opaque, uint64_t pa, uint32_t len, uint32_t memtype)
{
	(void)opaque;
	return vmm__bare_window(pa, len, memtype);
}

static void host_phys_unmap(void *opaque, void *ptr, uint32_t len)
{
	(void)opaque;
	vmm__bare_window_end(ptr, len);
}

static int host_cpu_call(void *opaque, uint64_t id, void (*fn)(void *arg), void *arg)
{
	(void)opaque;
	return vmm__bare_call(id, fn, arg);
}

static void host_cpu_kick(void *opaque, uint64_t id)
{
	(void)opaque;
	if (id - 1 < vmm__bare_cpu_count)
		vmm__bare_interrupt(vmm__bare_cpus[id - 1], BARE_VECTOR_KICK);
}

static void host_cpu_timer(void *opaque, uint64_t deadline_ns)
{
	const uint64_t flags = bare_irq_save();
	struct bare_cpu *cpu = bare_this_cpu();

	(void)opaque;
	cpu->timer_ns = deadline_ns;
	vmm__bare_timer_set(cpu, 0);
	bare_irq_restore(flags);
}

static void host_cpu_lend(void *opaque, uint32_t on)
{
	struct bare_cpu *cpu = bare_this_cpu();

	(void)opaque;
	if (on != 0)
		vmm__bare_lend(cpu);
	else
		vmm__bare_take_back(cpu);
}

void vmm__bare_mark(struct bare_cpu *cpu)
{
	uint32_t *word = atomic_load(&cpu->mark);

	if (word != NULL)
		__asm__ volatile("lock orl %1, %0" : "+m"(*word) : "r"(cpu->mark_bits) : "memory");
}

/* Runs on the CPU that it is about, where it ends all handlers before it. */
static void drop_mark(void *word)
{
	struct bare_cpu *cpu = bare_this_cpu();

	if (atomic_load(&cpu->mark) == word)
		atomic_store(&cpu->mark, NULL);
}

static void host_cpu_timer_mark(void *opaque, uint32_t *word, uint32_t bits)
{
	struct bare_cpu *cpu = bare_this_cpu();

	(void)opaque;
	if (bits != 0) {
		/* The handler is on this CPU, and sees both or neither. */
		const uint64_t flags = bare_irq_save();

		cpu->mark_bits = bits;
		atomic_store_explicit(&cpu->mark, word, memory_order_relaxed);
		bare_irq_restore(flags);
		return;
	}
	for (uint32_t i = 0; i < vmm__bare_cpu_count; i++) {
		if (atomic_load(&vmm__bare_cpus[i]->mark) == word)
			vmm__bare_call(i + 1, drop_mark, word);
	}
}

const struct vmm_host *vmm_bare_host(void)
{
	static const struct vmm_host host = {
		.size = sizeof(host),
		.flags = VMM_HOST_NO_VECTORS, /* bare_args */
		.alloc = host_alloc,
		.free = host_free,
		.thread_id = host_thread_id,
		.wait = host_wait,
		.wake = host_wake,
		.time_ns = host_time_ns,
		.log = host_log,
		.virt_to_phys = host_virt_to_phys,
		.phys_alloc = host_phys_alloc,
		.phys_free = host_phys_free,
		.phys_map = host_phys_map,
		.phys_unmap = host_phys_unmap,
		.cpu_call = host_cpu_call,
		.cpu_kick = host_cpu_kick,
		.cpu_timer = host_cpu_timer,
		.cpu_lend = host_cpu_lend,
		.cpu_timer_mark = host_cpu_timer_mark,
	};

	return &host;
}

void vmm_bare_usage(struct vmm_bare_usage *usage)
{
	const uint64_t flags = bare_lock(&vmm__bare_memory_lock);

	vmm__bare_heap_usage(usage);
	bare_unlock(&vmm__bare_memory_lock, flags);
}

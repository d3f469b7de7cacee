// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Time, timer, processors, and calls between them. */
#include "check.h"
#include "libvmm/acpi_read.h"
#include "sync.h"

#define MS UINT64_C(1000000)

static uint64_t now(void)
{
	return vmm_bare_host()->time_ns(NULL);
}

static void count(void *arg)
{
	atomic_fetch_add((_Atomic uint32_t *)arg, 1);
}

int check_time(void)
{
	const struct vmm_host *host = vmm_bare_host();
	const uint64_t start = now();
	uint64_t last = start;
	uint32_t word = 0;

	for (uint32_t i = 0; i < 10000; i++) {
		const uint64_t t = now();

		CHECK(t >= last);
		last = t;
	}
	while (now() < start + 30 * MS)
		host->wait(NULL, &word, 0, 5 * MS);
	CHECK(now() < start + 5000 * MS);
	host->wait(NULL, &word, 1, VMM_FOREVER); /* another value: at once */
	host->wait(NULL, &word, 0, 0);
	return 0;
}

/*
 * Whether the timer, set to @ns from now, ends a wait that would last much longer. It may also come
 * in the moment before the wait begins: so there are some tries.
 */
static bool timer_ends_wait(uint64_t ns)
{
	const struct vmm_host *host = vmm_bare_host();
	uint32_t word = 0;

	for (uint32_t i = 0; i < 5; i++) {
		const uint64_t start = now(), end = start + ns + 3000 * MS;

		host->cpu_timer(NULL, start + ns);
		do {
			host->wait(NULL, &word, 0, end - now());
		} while (now() < start + ns);
		if (now() < end - 1000 * MS)
			return true;
	}
	return false;
}

#define MSR_APIC_BASE 0x1bu
#define MSR_X2_TPR    0x808u
#define APIC_BASE_X2  UINT64_C(0x400)

static uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return low | (uint64_t)high << 32;
}

static void wrmsr(uint32_t msr, uint32_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"(value), "d"(0) : "memory");
}

/* A timer that has come due is not lost if wait() takes it back before its interrupt comes, which
 * the task priority holds back here. */
static int check_mark(void)
{
	const struct vmm_host *host = vmm_bare_host();
	uint32_t word = 0, marked = 0, tpr;

	if ((rdmsr(MSR_APIC_BASE) & APIC_BASE_X2) == 0)
		return 0;
	tpr = (uint32_t)rdmsr(MSR_X2_TPR);
	host->cpu_timer_mark(NULL, &marked, 4);
	wrmsr(MSR_X2_TPR, 0xff);
	host->cpu_timer(NULL, now() - 1);
	host->wait(NULL, &word, 1, 0);
	const uint32_t seen = __atomic_load_n(&marked, __ATOMIC_RELAXED);
	wrmsr(MSR_X2_TPR, tpr);
	host->cpu_timer_mark(NULL, &marked, 0);
	CHECK(seen == 4);
	return 0;
}

int check_timer(void)
{
	const struct vmm_host *host = vmm_bare_host();
	uint32_t word = 0;

	CHECK(timer_ends_wait(5 * MS));
	CHECK(timer_ends_wait(1200 * MS)); /* longer than one count */
	host->cpu_timer(NULL, now() - 1);
	host->cpu_timer(NULL, now() + 10 * MS);
	host->cpu_timer(NULL, VMM_FOREVER); /* taken back: nothing ends these early but their own */
	const uint64_t later = now() + 30 * MS;
	for (uint64_t at = now(); at < later; at = now())
		host->wait(NULL, &word, 0, later - at);
	return check_mark();
}

struct runner {
	_Atomic uint32_t runs;
	uint64_t id;
	int failed;
};

static int on_other_cpu(struct runner *r)
{
	const struct vmm_host *host = vmm_bare_host();
	uint64_t pa;
	uint8_t *w;

	r->id = host->thread_id(NULL);
	CHECK(host->phys_alloc(NULL, 3 * MIB, 4096, &pa) == 0);
	w = host->phys_map(NULL, pa + 2 * MIB, 4096, 0);
	CHECK(w != NULL && w[4095] == 0);
	w[0] = 1;
	host->phys_unmap(NULL, w, 4096);
	host->phys_free(NULL, pa, 3 * MIB);
	return check_timer();
}

static void run_on_cpu(void *arg)
{
	struct runner *r = arg;

	r->failed = on_other_cpu(r);
	atomic_fetch_add(&r->runs, 1);
}

/* All at a time, each with its own windows, timer and stack. */
int check_cpus(void)
{
	static struct runner runners[64];
	const uint32_t cpus = vmm_bare_cpus();

	CHECK(cpus <= 64);
	for (uint32_t cpu = 2; cpu <= cpus; cpu++)
		CHECK(vmm_bare_run(cpu, run_on_cpu, &runners[cpu - 1]) == 0);
	if (cpus > 1)
		CHECK(vmm_bare_run(2, run_on_cpu, &runners[1]) == -VMM_EBUSY);
	for (uint32_t cpu = 2; cpu <= cpus; cpu++) {
		CHECK(vmm_bare_join(cpu) == 0);
		CHECK(runners[cpu - 1].runs == 1 && runners[cpu - 1].failed == 0);
		CHECK(runners[cpu - 1].id == cpu);
	}
	CHECK(vmm_bare_run(cpus + 1, run_on_cpu, NULL) == -VMM_ENODEV);
	CHECK(vmm_bare_run(1, run_on_cpu, NULL) == -VMM_ENODEV);
	CHECK(vmm_bare_join(0) == -VMM_ENODEV);
	return 0;
}

static _Atomic uint32_t counter;

/* Everybody calls everybody, with interrupts off half of the time. */
static void call_all(void *arg)
{
	const struct vmm_host *host = vmm_bare_host();
	const uint32_t cpus = vmm_bare_cpus();

	(void)arg;
	for (uint32_t i = 0; i < 100; i++) {
		if (i % 2 != 0)
			__asm__ volatile("cli");
		for (uint32_t cpu = 1; cpu <= cpus; cpu++)
			host->cpu_call(NULL, cpu, count, &counter);
		__asm__ volatile("sti");
	}
}

static void name_cpu(void *arg)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags));
	*(uint64_t *)arg = (flags & 0x200) != 0 ? 0 : vmm_bare_host()->thread_id(NULL);
}

int check_calls(void)
{
	const struct vmm_host *host = vmm_bare_host();
	const uint32_t cpus = vmm_bare_cpus();
	uint64_t id;

	for (uint32_t cpu = 1; cpu <= cpus; cpu++) {
		CHECK(host->cpu_call(NULL, cpu, name_cpu, &id) == 0);
		CHECK(id == cpu);
	}
	CHECK(host->cpu_call(NULL, 0, name_cpu, &id) == -VMM_ENODEV);
	CHECK(host->cpu_call(NULL, cpus + 1, name_cpu, &id) == -VMM_ENODEV);
	atomic_store(&counter, 0);
	for (uint32_t cpu = 2; cpu <= cpus; cpu++)
		CHECK(vmm_bare_run(cpu, call_all, NULL) == 0);
	call_all(NULL);
	for (uint32_t cpu = 2; cpu <= cpus; cpu++)
		CHECK(vmm_bare_join(cpu) == 0);
	CHECK(atomic_load(&counter) == 100 * cpus * cpus);
	return 0;
}

/* A word goes to and fro between two CPUs that sleep meanwhile. */
static _Atomic uint32_t ball;

static void play(uint32_t mine)
{
	const struct vmm_host *host = vmm_bare_host();

	for (uint32_t i = 0; i < 100; i++) {
		while (atomic_load(&ball) != mine)
			vmm__wait(host, &ball, mine ^ 1, VMM_FOREVER);
		atomic_store(&ball, mine ^ 1);
		vmm__wake(host, &ball);
	}
}

static void play_other(void *arg)
{
	(void)arg;
	play(1);
}

static _Atomic uint32_t asleep;

static void sleep_until_kicked(void *arg)
{
	uint32_t word = 0;

	(void)arg;
	atomic_store(&asleep, 1);
	vmm_bare_host()->wait(NULL, &word, 0, VMM_FOREVER);
	atomic_store(&asleep, 2);
}

int check_sleep(void)
{
	const struct vmm_host *host = vmm_bare_host();

	vmm__wake(host, &ball);  /* nobody */
	host->cpu_kick(NULL, 1); /* itself */
	host->cpu_kick(NULL, 1000);
	if (vmm_bare_cpus() < 2)
		return 0;
	atomic_store(&ball, 0);
	CHECK(vmm_bare_run(2, play_other, NULL) == 0);
	play(0);
	CHECK(vmm_bare_join(2) == 0);
	CHECK(vmm_bare_run(2, sleep_until_kicked, NULL) == 0);
	while (atomic_load(&asleep) != 2)
		host->cpu_kick(NULL, 2);
	CHECK(vmm_bare_join(2) == 0);
	return 0;
}

/* The tables of the machine: processors as many as started, and the configuration space's place. */
int check_acpi(void)
{
	const struct vmm_acpi_root *root = vmm_bare_acpi();
	struct vmm_acpi_table t = {.size = sizeof(t)};
	struct vmm_acpi_madt_entry e = {.size = sizeof(e)};
	struct vmm_acpi_mcfg_range range = {.size = sizeof(range)};
	struct vmm_acpi_cursor c;
	uint32_t cpus = 0;

	CHECK(root != NULL);
	CHECK(vmm_acpi_read_find(root, "APIC", 0, &t) == 0);
	CHECK(vmm_acpi_read_madt(&t, &c, NULL, NULL) == 0);
	while (vmm_acpi_read_madt_next(&c, &e) == 0) {
		if (e.type == VMM_ACPI_MADT_LAPIC && (e.flags & VMM_ACPI_MADT_ENABLED) != 0)
			cpus++;
	}
	CHECK(cpus == vmm_bare_cpus());
	if (vmm_acpi_read_find(root, "MCFG", 0, &t) == 0) {
		CHECK(vmm_acpi_read_mcfg(&t, &c) == 0);
		CHECK(vmm_acpi_read_mcfg_next(&c, &range) == 0);
		vmm_bare_print("PCI configuration space at %llx\n", (unsigned long long)range.base);
	}
	return 0;
}

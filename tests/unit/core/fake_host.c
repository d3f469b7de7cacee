// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "fake_host.h"

#include <linux/futex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Whether this call is the one that fails. */
static int out_of_memory(struct fake_host *fake)
{
	int64_t call = atomic_fetch_add(&fake->calls, 1) + 1;

	return call == atomic_load(&fake->fail_at);
}

static void count(struct fake_host *fake, int64_t blocks, int64_t bytes)
{
	atomic_fetch_add(&fake->blocks, blocks);
	atomic_fetch_add(&fake->bytes, bytes);
}

static void *fake_alloc(void *opaque, size_t size, size_t align)
{
	if (out_of_memory(opaque))
		return NULL;
	if (align < sizeof(void *))
		align = sizeof(void *);
	size_t rounded = (size + align - 1) / align * align;
	void *p = aligned_alloc(align, rounded != 0 ? rounded : align);
	if (p == NULL)
		return NULL;
	memset(p, 0, size);
	count(opaque, 1, (int64_t)size);
	return p;
}

static void fake_free(void *opaque, void *ptr, size_t size)
{
	count(opaque, -1, -(int64_t)size);
	free(ptr);
}

/* Untouched pages take no room, so a test may have as much guest memory as it likes. */
static void *fake_guest_alloc(void *opaque, uint64_t size, uint64_t align)
{
	if (out_of_memory(opaque))
		return NULL;
	uint8_t *p = mmap(NULL, size + align, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	size_t head = (size_t)(-(uintptr_t)p % align);
	if (head > 0)
		munmap(p, head);
	munmap(p + head + size, align - head);
	count(opaque, 1, (int64_t)size);
	return p + head;
}

static void fake_guest_free(void *opaque, void *ptr, uint64_t size)
{
	count(opaque, -1, -(int64_t)size);
	munmap(ptr, size);
}

static uint64_t fake_thread_id(void *opaque)
{
	(void)opaque;
	return (uint64_t)syscall(SYS_gettid);
}

static void fake_wait(void *opaque, const uint32_t *word, uint32_t value, uint64_t timeout_ns)
{
	struct timespec limit = {(time_t)(timeout_ns / 1000000000),
				 (long)(timeout_ns % 1000000000)};

	(void)opaque;
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value,
		timeout_ns == VMM_FOREVER ? NULL : &limit, NULL, 0);
}

static void fake_wake(void *opaque, const uint32_t *word)
{
	(void)opaque;
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static uint64_t fake_time_ns(void *opaque)
{
	struct timespec now;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int fake_event_signal(void *opaque, uint64_t event)
{
	struct fake_host *fake = opaque;

	atomic_fetch_add(&fake->signals, 1);
	atomic_store(&fake->last_event, event);
	return 0;
}

static void fake_log(void *opaque, uint32_t level, const char *text)
{
	struct fake_host *fake = opaque;

	(void)text;
	if (level <= VMM_LOG_ERROR)
		atomic_fetch_add(&fake->logged, 1);
}

void fake_host_init(struct fake_host *fake)
{
	memset(fake, 0, sizeof(*fake));
	fake->host = (struct vmm_host){
		.size = sizeof(fake->host),
		.opaque = fake,
		.alloc = fake_alloc,
		.free = fake_free,
		.guest_alloc = fake_guest_alloc,
		.guest_free = fake_guest_free,
		.thread_id = fake_thread_id,
		.wait = fake_wait,
		.wake = fake_wake,
		.time_ns = fake_time_ns,
		.event_signal = fake_event_signal,
		.log = fake_log,
	};
}

struct vmm_ctx *fake_ctx(struct fake_host *fake, const struct vmm_engine *engine)
{
	const struct vmm_engine *engines[] = {engine != NULL ? engine : vmm_engine_sim()};
	const struct vmm_ctx_config config = {
		.size = sizeof(config), .host = &fake->host, .engines = engines, .engine_count = 1};
	struct vmm_ctx *ctx;

	fake_host_init(fake);
	assert_int_equal(vmm_ctx_create(&config, &ctx, NULL), 0);
	return ctx;
}

struct vmm_vm *fake_vm(struct vmm_ctx *ctx, uint32_t vcpus, uint32_t irqchip,
		       const struct vmm_sim_script *scripts)
{
	const struct vmm_vm_config config = {.size = sizeof(config),
					     .irqchip = irqchip,
					     .max_vcpus = vcpus,
					     .engine_config = scripts};
	struct vmm_vm *vm;
	struct vmm_vcpu *vcpu;

	assert_int_equal(vmm_vm_create(ctx, &config, &vm), 0);
	for (uint32_t i = 0; i < vcpus; i++) {
		const struct vmm_vcpu_config c = {.size = sizeof(c), .index = i, .arch_id = i};

		assert_int_equal(vmm_vcpu_create(vm, &c, &vcpu), 0);
	}
	return vm;
}

struct vmm_sim_step fake_exit(uint32_t reason)
{
	return (struct vmm_sim_step){.op = VMM_SIM_EXIT, .exit = {.reason = reason}};
}

struct vmm_sim_step fake_in(uint32_t reason, uint64_t addr, uint32_t width, uint64_t expect)
{
	return (struct vmm_sim_step){.op = VMM_SIM_EXIT,
				     .flags = VMM_SIM_CHECK,
				     .exit = {.reason = reason, .addr = addr, .width = width},
				     .expect = expect};
}

struct vmm_sim_step fake_out(uint32_t reason, uint64_t addr, uint32_t width, uint64_t data)
{
	return (struct vmm_sim_step){.op = VMM_SIM_EXIT,
				     .exit = {.reason = reason,
					      .flags = VMM_EXIT_F_WRITE,
					      .addr = addr,
					      .width = width,
					      .data = data}};
}

void fake_end(struct fake_host *fake, struct vmm_ctx *ctx, struct vmm_vm *vm)
{
	assert_int_equal(vmm_vm_destroy(vm), 0);
	assert_int_equal(vmm_ctx_destroy(ctx), 0);
	assert_int_equal(atomic_load(&fake->blocks), 0);
	assert_int_equal(atomic_load(&fake->bytes), 0);
}

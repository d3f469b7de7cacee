// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "libvmm/linux.h"

#define MIB (UINT64_C(1) << 20)

static const struct vmm_host *host;

static void alloc_is_aligned_and_zeroed(void **state)
{
	static const size_t aligns[] = {1, 8, 16, 64, 4096, 65536};

	(void)state;
	for (unsigned i = 0; i < sizeof(aligns) / sizeof(aligns[0]); i++) {
		uint8_t *p = host->alloc(NULL, 1000, aligns[i]);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % aligns[i], 0);
		for (unsigned k = 0; k < 1000; k++)
			assert_int_equal(p[k], 0);
		memset(p, 0xa5, 1000);
		host->free(NULL, p, 1000);
	}
}

static uint64_t mapped_kib(void)
{
	unsigned long pages;
	FILE *f = fopen("/proc/self/statm", "re");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu", &pages), 1);
	fclose(f);
	return (uint64_t)pages * 4;
}

static void guest_alloc_is_aligned_and_given_back(void **state)
{
	static const uint64_t sizes[] = {4096, 1 * MIB, 2 * MIB, 3 * MIB, 64 * MIB + 4096};
	uint64_t before;

	(void)state;
	host->guest_free(NULL, host->guest_alloc(NULL, 4096, 4096), 4096);
	before = mapped_kib();
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *p = host->guest_alloc(NULL, sizes[i], 4096);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % (sizes[i] >= 2 * MIB ? 2 * MIB : 4096), 0);
		assert_int_equal(mapped_kib(), before + sizes[i] / 1024);
		assert_int_equal(p[0] | p[sizes[i] - 1], 0);
		p[0] = p[sizes[i] - 1] = 1;
		host->guest_free(NULL, p, sizes[i]);
		assert_int_equal(mapped_kib(), before);
	}
}

static void guest_alloc_refuses_the_impossible(void **state)
{
	(void)state;
	assert_null(host->guest_alloc(NULL, 0, 4096));
	assert_null(host->guest_alloc(NULL, UINT64_MAX, 4096));
	assert_null(host->guest_alloc(NULL, UINT64_MAX - 2 * MIB, 2 * MIB));
	assert_null(host->guest_alloc(NULL, UINT64_C(1) << 62, 2 * MIB));
}

static uint32_t word;

static void *waker(void *arg)
{
	usleep(20000);
	__atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
	host->wake(NULL, &word);
	return arg;
}

static void wait_wakes(void **state)
{
	pthread_t thread;
	uint64_t start = host->time_ns(NULL);

	(void)state;
	host->wait(NULL, &word, 5, VMM_FOREVER); /* differs: returns at once */
	host->wait(NULL, &word, 0, 10 * 1000 * 1000);
	assert_true(host->time_ns(NULL) - start >= 10 * 1000 * 1000);
	assert_int_equal(pthread_create(&thread, NULL, waker, NULL), 0);
	while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 0)
		host->wait(NULL, &word, 0, VMM_FOREVER);
	pthread_join(thread, NULL);
}

static void *other_id(void *arg)
{
	*(uint64_t *)arg = host->thread_id(NULL);
	return NULL;
}

static void threads_have_names(void **state)
{
	pthread_t thread;
	uint64_t mine = host->thread_id(NULL), other = 0;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, other_id, &other), 0);
	pthread_join(thread, NULL);
	assert_true(mine != 0 && other != 0 && mine != other);
	assert_true(host->thread_id(NULL) == mine);
}

static void events_are_signalled(void **state)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	uint64_t count = UINT64_MAX - 1;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(host->event_signal(NULL, (uint64_t)fd), 0);
	assert_int_equal(read(fd, &count, sizeof(count)), sizeof(count));
	assert_int_equal(count, 1);
	count = UINT64_MAX - 1;
	assert_int_equal(write(fd, &count, sizeof(count)), sizeof(count));
	assert_int_equal(host->event_signal(NULL, (uint64_t)fd), 0); /* full */
	close(fd);
	assert_int_equal(host->event_signal(NULL, (uint64_t)fd), -VMM_EIO);
	assert_int_equal(host->event_signal(NULL, UINT64_MAX), -VMM_EIO);
}

static void entropy_and_wall_clock(void **state)
{
	uint8_t a[300] = {0}, b[300] = {0};

	(void)state;
	assert_int_equal(host->entropy(NULL, a, sizeof(a)), 0);
	assert_int_equal(host->entropy(NULL, b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_true(host->wall_ns(NULL) > UINT64_C(1600000000) * 1000000000);
}

static void log_writes_one_line(void **state)
{
	char text[1000], got[1000];
	int pipes[2], saved = dup(2);
	ssize_t len;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	dup2(pipes[1], 2);
	host->log(NULL, VMM_LOG_WARN, "hello");
	dup2(saved, 2);
	len = read(pipes[0], got, sizeof(got));
	assert_int_equal(len, 23);
	assert_memory_equal(got, "libvmm: warning: hello\n", 23);

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	dup2(pipes[1], 2);
	host->log(NULL, VMM_LOG_ERROR, text);
	dup2(saved, 2);
	len = read(pipes[0], got, sizeof(got));
	assert_int_equal(len, 512);
	assert_int_equal(got[511], '\n');
	close(saved);
	close(pipes[0]);
	close(pipes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alloc_is_aligned_and_zeroed),
		cmocka_unit_test(guest_alloc_is_aligned_and_given_back),
		cmocka_unit_test(guest_alloc_refuses_the_impossible),
		cmocka_unit_test(wait_wakes),
		cmocka_unit_test(threads_have_names),
		cmocka_unit_test(events_are_signalled),
		cmocka_unit_test(entropy_and_wall_clock),
		cmocka_unit_test(log_writes_one_line),
	};

	host = vmm_linux_host();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

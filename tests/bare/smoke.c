// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The host services, on one CPU. */
#include "bare.h"

#include "libvmm/mem.h"

#define CHECK(cond)                                                                       \
	do {                                                                              \
		if (!(cond)) {                                                            \
			vmm_bare_print("not ok: %s:%d: %s\n", __FILE__, __LINE__, #cond); \
			return 1;                                                         \
		}                                                                         \
	} while (0)

static int check_heap(const struct vmm_host *host)
{
	struct vmm_bare_usage before, after;
	uint8_t *a, *b;

	vmm_bare_usage(&before);
	a = host->alloc(NULL, 100, 8);
	b = host->alloc(NULL, 3 * 4096, 4096);
	CHECK(a != NULL && b != NULL && ((uintptr_t)b & 4095) == 0);
	for (uint32_t i = 0; i < 3 * 4096; i++)
		CHECK(b[i] == 0);
	b[0] = 1;
	CHECK(host->virt_to_phys(NULL, b + 5) == host->virt_to_phys(NULL, b) + 5);
	host->free(NULL, a, 100);
	host->free(NULL, b, 3 * 4096);
	vmm_bare_usage(&after);
	CHECK(after.heap_bytes == before.heap_bytes && after.heap_blocks == before.heap_blocks);
	return 0;
}

static int check_windows(const struct vmm_host *host)
{
	const uint64_t size = UINT64_C(5) << 20;
	struct vmm_bare_usage before, after;
	uint64_t pa;
	uint8_t *w, *v;

	vmm_bare_usage(&before);
	CHECK(host->phys_alloc(NULL, size, UINT64_C(2) << 20, &pa) == 0);
	CHECK((pa & ((UINT64_C(2) << 20) - 1)) == 0);
	w = host->phys_map(NULL, pa + size - 8000, 8000, VMM_MEMTYPE_WB);
	CHECK(w != NULL && w[0] == 0 && w[7999] == 0);
	w[7999] = 7;
	v = host->phys_map(NULL, pa + size - 1, 1, VMM_MEMTYPE_WB);
	CHECK(v != NULL && v != w + 7999 && *v == 7);
	host->phys_unmap(NULL, v, 1);
	host->phys_unmap(NULL, w, 8000);
	host->phys_free(NULL, pa, size);
	vmm_bare_usage(&after);
	CHECK(after.phys_free == before.phys_free);
	CHECK(host->phys_alloc(NULL, UINT64_C(1) << 50, 4096, &pa) == -VMM_ENOMEM);
	return 0;
}

static void count(void *arg)
{
	++*(uint32_t *)arg;
}

static int check_time(const struct vmm_host *host)
{
	const uint64_t start = host->time_ns(NULL);
	uint32_t word = 0;

	while (host->time_ns(NULL) < start + 20000000)
		host->wait(NULL, &word, 0, 5000000);
	CHECK(host->time_ns(NULL) < start + 2000000000);
	CHECK(host->cpu_call(NULL, host->thread_id(NULL), count, &word) == 0 && word == 1);
	host->wait(NULL, &word, 0, VMM_FOREVER);
	host->cpu_timer(NULL, host->time_ns(NULL) + 1000000);
	host->wait(NULL, &word, 1, VMM_FOREVER); /* the timer ends it */
	return 0;
}

int vmm_bare_main(const struct vmm_bare_boot *boot)
{
	const struct vmm_host *host = vmm_bare_host();

	vmm_bare_print("command line: %s; %u modules\n", boot->cmdline, boot->module_count);
	if (check_heap(host) != 0 || check_windows(host) != 0 || check_time(host) != 0)
		return 1;
	vmm_bare_print("all well\n");
	return 0;
}

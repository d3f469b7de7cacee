// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Each system call that making, running and taking apart a VM needs is made to fail in turn (the
 * linker puts the wrappers below in their place): nothing is left behind, and the next try works.
 * Needs no KVM that runs guests well, only one that makes VMs.
 */
#include <dirent.h>
#include <errno.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm_guest.h"

static unsigned calls;   /* since the count was cleared */
static unsigned fail_at; /* number of the one that fails; 0: none */
static int open_maps;    /* mmap()s less munmap()s */

static bool fails(void)
{
	if (++calls != fail_at)
		return false;
	errno = ENOMEM;
	return true;
}

int __real_ioctl(int fd, unsigned long request, unsigned long arg);
int __wrap_ioctl(int fd, unsigned long request, unsigned long arg);
int __wrap_ioctl(int fd, unsigned long request, unsigned long arg)
{
	return fails() ? -1 : __real_ioctl(fd, request, arg);
}

void *__real_mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	void *p = fails() ? MAP_FAILED : __real_mmap64(addr, len, prot, flags, fd, offset);

	if (p != MAP_FAILED && fd >= 0) /* others are trimmed in pieces */
		open_maps++;
	return p;
}

int __real_munmap(void *addr, size_t len);
int __wrap_munmap(void *addr, size_t len);
int __wrap_munmap(void *addr, size_t len)
{
	if (len < GUEST_RAM)
		open_maps--;
	return __real_munmap(addr, len);
}

int __real_open64(const char *path, int flags, int mode);
int __wrap_open64(const char *path, int flags, int mode);
int __wrap_open64(const char *path, int flags, int mode)
{
	return fails() ? -1 : __real_open64(path, flags, mode);
}

/* Allocations of the host's count too. */
static int allocations;

static void *counting_alloc(void *opaque, size_t size, size_t align)
{
	const struct vmm_host *host = vmm_linux_host();
	void *p = fails() ? NULL : host->alloc(opaque, size, align);

	allocations += p != NULL;
	return p;
}

static void counting_free(void *opaque, void *ptr, size_t size)
{
	allocations--;
	vmm_linux_host()->free(opaque, ptr, size);
}

static int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static struct vmm_ctx *make_ctx(void)
{
	const struct vmm_engine *const engines[] = {vmm_engine_kvm()};
	struct vmm_host host = *vmm_linux_host();
	struct vmm_ctx_config config = {
		.size = sizeof(config),
		.host = &host,
		.engines = engines,
		.engine_count = 1,
	};
	struct vmm_ctx *ctx;

	host.alloc = counting_alloc;
	host.free = counting_free;
	assert_ok(vmm_ctx_create(&config, &ctx, NULL));
	return ctx;
}

static int make_vcpus(struct vmm_vm *vm)
{
	int r = 0;

	for (uint32_t i = 0; i < 2 && r == 0; i++) {
		const struct vmm_vcpu_config config = {
			.size = sizeof(config),
			.index = i,
			.arch_id = i,
		};
		struct vmm_vcpu *vcpu;

		r = vmm_vcpu_create(vm, &config, &vcpu);
	}
	return r;
}

static int attach_events(struct vmm_vm *vm, int fd)
{
	const struct vmm_irq_event_config config = {
		.size = sizeof(config),
		.flags = VMM_IRQ_EVENT_MSI,
		.event = (uint64_t)fd,
		.addr = 0xfee00000,
		.data = 0x41,
	};
	const struct vmm_doorbell_config bell_config = {
		.size = sizeof(bell_config),
		.addr = 0x300000,
		.width = 4,
		.event = (uint64_t)fd,
	};
	struct vmm_doorbell *bell;
	struct vmm_irq_event *event;
	int r = vmm_irq_event_attach(vm, &config, &event);

	return r == 0 ? vmm_doorbell_add(vm, &bell_config, &bell) : r;
}

static int use(struct vmm_vm *vm)
{
	struct vmm_vcpu *vcpu = vmm_vm_vcpu(vm, 0);
	uint8_t sse[VMM_X86_XSAVE_SSE_SIZE];
	struct vmm_x86_sys sys;
	uint64_t bits;
	int r = vmm_vcpu_get_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys));

	if (r == 0)
		r = vmm_vcpu_set_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys));
	if (r == 0)
		r = vmm_vcpu_get_state(vcpu, VMM_STATE_X86_XSAVE, 1, sse, sizeof(sse));
	if (r == 0)
		r = vmm_vcpu_set_state(vcpu, VMM_STATE_X86_XSAVE, 1, sse, sizeof(sse));
	if (r == 0)
		r = vmm_vm_dirty_start(vm, 0, 0x10000);
	if (r == 0)
		r = vmm_vm_protect(vm, 0x4000, 0x1000, VMM_PROT_READ | VMM_PROT_EXEC);
	if (r == 0)
		r = vmm_vm_dirty_harvest(vm, 0, 0x10000, &bits, 1);
	if (r == 0)
		r = vmm_vm_unmap(vm, 0x8000, 0x1000);
	return r == 0 ? vmm_vm_reset(vm) : r;
}

static int life(struct vmm_ctx *ctx, int fd)
{
	const struct vmm_vm_config config = {
		.size = sizeof(config),
		.engine = "kvm",
		.irqchip = VMM_IRQCHIP_ARCH,
		.max_vcpus = 2,
	};
	const struct vmm_x86_filter filter = {0x40000000, 16, 3, VMM_FILTER_EXIT};
	struct vmm_mem *ram = NULL;
	struct vmm_vm *vm = NULL;
	int r = vmm_vm_create(ctx, &config, &vm);

	if (r == 0)
		r = vmm_mem_create(ctx, GUEST_RAM, &ram);
	if (r == 0)
		r = vmm_vm_map(vm, 0, ram, 0, GUEST_RAM, VMM_PROT_RWX);
	if (r == 0)
		r = make_vcpus(vm);
	if (r == 0)
		r = vmm_vm_x86_filter_msrs(vm, &filter, 1);
	if (r == 0)
		r = vmm_vm_seal(vm);
	if (r == 0)
		r = attach_events(vm, fd);
	if (r == 0)
		r = use(vm);
	vmm_vm_destroy(vm);
	vmm_mem_unref(ram);
	return r;
}

static void each_call_fails_in_turn(void **state)
{
	int fd = eventfd(0, EFD_CLOEXEC), fds, base;
	struct vmm_ctx *ctx = make_ctx();
	/* Every so many; LIBVMM_STRIDE=1 for all, which takes a minute. */
	unsigned stride = getenv("LIBVMM_STRIDE") ? (unsigned)atoi(getenv("LIBVMM_STRIDE")) : 4;
	unsigned needed, failed = 0;

	(void)state;
	fail_at = 0;
	calls = 0;
	open_maps = 0;
	assert_ok(life(ctx, fd));
	needed = calls;
	fds = open_fds();
	base = allocations;
	assert_int_equal(open_maps, 0);
	assert_true(needed > 50);
	for (unsigned i = 1; i <= needed; i += stride) {
		struct vmm_error error = {.size = sizeof(error)};
		int r;

		fail_at = i;
		calls = 0;
		r = life(ctx, fd);
		fail_at = 0;
		failed += r != 0;
		assert_true(r <= 0 && r != -VMM_EBUG);
		assert_int_equal(open_fds(), fds);
		assert_int_equal(allocations, base);
		assert_int_equal(open_maps, 0);
		assert_ok(vmm_ctx_error(ctx, &error));
	}
	/* What fails without a failure is optional: MSRs that a model lacks, and the like. */
	assert_true(failed > 40 / stride);
	assert_ok(life(ctx, fd));
	assert_ok(vmm_ctx_destroy(ctx));
	assert_int_equal(allocations, 0);
	close(fd);
}

/* The address sanitizer keeps what is freed for a while; leaks it finds by itself. */
#ifdef __SANITIZE_ADDRESS__
enum { SLACK_KIB = 256 << 10 };
#else
enum { SLACK_KIB = 512 };
#endif

static uint64_t resident_kib(void)
{
	unsigned long size, pages;
	FILE *f = fopen("/proc/self/statm", "re");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu", &size, &pages), 2);
	fclose(f);
	return (uint64_t)pages * 4;
}

static void many_lives(void **state)
{
	int fd = eventfd(0, EFD_CLOEXEC), fds = 0;
	struct vmm_ctx *ctx = make_ctx();
	uint64_t kib = 0;
	/* LIBVMM_LIVES=1000 takes minutes where KVM is itself emulated. */
	unsigned lives = getenv("LIBVMM_LIVES") ? (unsigned)atoi(getenv("LIBVMM_LIVES")) : 30;

	(void)state;
	for (unsigned i = 0; i < lives; i++) {
		assert_ok(life(ctx, fd));
		if (i == 10) {
			fds = open_fds();
			kib = resident_kib();
		}
	}
	assert_int_equal(open_fds(), fds);
	assert_true(resident_kib() < kib + SLACK_KIB);
	assert_ok(vmm_ctx_destroy(ctx));
	assert_int_equal(allocations, 0);
	close(fd);
}

static void missing_kvm_is_told(void **state)
{
	struct vmm_error error = {.size = sizeof(error)};
	struct vmm_ctx *ctx = make_ctx();

	(void)state;
	calls = 0;
	fail_at = 1; /* open */
	assert_int_equal(vmm_ctx_engine_probe(ctx, "kvm"), -VMM_ENOMEM);
	fail_at = 0;
	assert_ok(vmm_ctx_error(ctx, &error));
	assert_string_equal(error.call, "open /dev/kvm");
	assert_int_equal(error.host_error, ENOMEM);
	assert_ok(vmm_ctx_destroy(ctx));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_kvm_is_told),
		cmocka_unit_test(each_call_fails_in_turn),
		cmocka_unit_test(many_lives),
	};
	int r, fd = eventfd(0, EFD_CLOEXEC);
	struct vmm_ctx *ctx;

	ctx = make_ctx();
	r = life(ctx, fd);
	vmm_ctx_destroy(ctx);
	close(fd);
	if (r != 0) {
		printf("skipped: KVM makes no VMs here: %s\n", vmm_strerror(r));
		return getenv("LIBVMM_NEED_KVM") ? 1 : SKIPPED;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

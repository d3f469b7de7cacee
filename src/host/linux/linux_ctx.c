// SPDX-License-Identifier: BSD-2-Clause-Patent
/* What is made of the public API, for programs on Linux: a context, and memory over files. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libvmm/libvmm.h"
#include "libvmm/linux.h"

int vmm_linux_ctx_create(struct vmm_ctx **ctx, struct vmm_error *error)
{
	const struct vmm_engine *const engines[] = {
#if defined(__x86_64__)
		vmm_engine_kvm(),
#endif
		vmm_engine_sim(),
	};
	const struct vmm_ctx_config config = {
		.size = sizeof(config),
		.host = vmm_linux_host(),
		.engines = engines,
		.engine_count = sizeof(engines) / sizeof(engines[0]),
	};

	return vmm_ctx_create(&config, ctx, error);
}

static void unmap(void *opaque, void *base, uint64_t len)
{
	(void)opaque;
	munmap(base, len);
}

static int code_of_mmap(int err)
{
	switch (err) {
	case EACCES:
	case EPERM:
		return -VMM_EPERM;
	case ENOMEM:
	case EAGAIN:
		return -VMM_ENOMEM;
	case EINVAL:
	case EBADF:
	case ENODEV:
		return -VMM_EINVAL;
	default:
		return -VMM_EIO;
	}
}

/* A device has no size to compare with: mmap() knows. */
static int check_range(int fd, uint64_t offset, uint64_t len)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct stat st;

	if (len == 0)
		return -VMM_EINVAL;
	if ((offset | len) & (page - 1))
		return -VMM_EALIGN;
	if (offset > INT64_MAX || len > INT64_MAX - offset)
		return -VMM_ERANGE;
	if (fstat(fd, &st) != 0)
		return errno == EBADF ? -VMM_EINVAL : -VMM_EIO;
	if (S_ISREG(st.st_mode) && offset + len > (uint64_t)st.st_size)
		return -VMM_ERANGE;
	return 0;
}

int vmm_linux_mem_create_file(struct vmm_ctx *ctx, int fd, uint64_t offset, uint64_t len,
			      uint32_t flags, struct vmm_mem **mem)
{
	int r, share = flags & VMM_LINUX_MEM_PRIVATE ? MAP_PRIVATE | MAP_NORESERVE : MAP_SHARED;
	void *base;

	if (!ctx || !mem)
		return -VMM_EINVAL;
	*mem = NULL;
	if (flags & ~VMM_LINUX_MEM_PRIVATE)
		return -VMM_EINVAL;
	r = check_range(fd, offset, len);
	if (r != 0)
		return r;
	base = mmap(NULL, len, PROT_READ | PROT_WRITE, share, fd, (off_t)offset);
	if (base == MAP_FAILED)
		return code_of_mmap(errno);
	r = vmm_mem_create_host(ctx, base, len, unmap, NULL, mem);
	if (r != 0)
		munmap(base, len);
	return r;
}

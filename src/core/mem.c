// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "core.h"

/* The largest page that every engine with large pages can use for host memory. */
#define LARGE_PAGE (UINT64_C(2) << 20)

static int check_size(struct vmm_ctx *ctx, const char *call, uint64_t len)
{
	if (len == 0)
		return vmm__ctx_fail(ctx, -VMM_EINVAL, call, "length is 0");
	if (!vmm__is_aligned(len, VMM__MEM_PAGE))
		return vmm__ctx_fail(ctx, -VMM_EALIGN, call, "length 0x%llx is not whole pages",
				     (unsigned long long)len);
	if (len > SIZE_MAX)
		return vmm__ctx_fail(ctx, -VMM_ENOMEM, call,
				     "0x%llx bytes are more than an address space",
				     (unsigned long long)len);
	return 0;
}

/* An object of one reference, that holds nothing yet. */
static struct vmm_mem *new_mem(struct vmm_ctx *ctx, const char *call, uint64_t len)
{
	struct vmm_mem *mem = vmm__alloc(ctx, sizeof(*mem), _Alignof(struct vmm_mem));

	if (mem == NULL) {
		vmm__ctx_fail(ctx, -VMM_ENOMEM, call, "no memory for the object");
		return NULL;
	}
	mem->ctx = ctx;
	mem->len = len;
	atomic_init(&mem->refs, 1);
	atomic_fetch_add(&ctx->users, 1);
	return mem;
}

static uint64_t alignment(uint64_t len)
{
	return len >= LARGE_PAGE ? LARGE_PAGE : VMM__MEM_PAGE;
}

static int take_virtual(struct vmm_mem *mem)
{
	const struct vmm_host *host = &mem->ctx->host;

	mem->base = host->guest_alloc(host->opaque, mem->len, alignment(mem->len));
	if (mem->base == NULL)
		return -VMM_ENOMEM;
	mem->owned = VMM__MEM_OWNED;
	return 0;
}

static int take_physical(struct vmm_mem *mem)
{
	const struct vmm_host *host = &mem->ctx->host;
	uint64_t pa;

	mem->extents = vmm__alloc(mem->ctx, sizeof(*mem->extents), _Alignof(struct vmm_extent));
	if (mem->extents == NULL)
		return -VMM_ENOMEM;
	mem->extent_count = 1;
	if (host->phys_alloc(host->opaque, mem->len, alignment(mem->len), &pa) != 0)
		return -VMM_ENOMEM;
	mem->extents[0] = (struct vmm_extent){pa, mem->len};
	mem->owned = VMM__MEM_PHYS;
	return 0;
}

int vmm_mem_create(struct vmm_ctx *ctx, uint64_t len, struct vmm_mem **out)
{
	const char *call = "vmm_mem_create";

	if (ctx == NULL || out == NULL)
		return -VMM_EINVAL;
	*out = NULL;
	int r = check_size(ctx, call, len);
	if (r != 0)
		return r;
	const struct vmm_host *host = &ctx->host;
	bool physical = host->phys_alloc != NULL && host->phys_free != NULL &&
			host->phys_map != NULL && host->phys_unmap != NULL;
	if (!physical && (host->guest_alloc == NULL || host->guest_free == NULL))
		return vmm__ctx_fail(ctx, -VMM_ENOTSUP, call, "the host gives no guest memory");

	struct vmm_mem *mem = new_mem(ctx, call, len);
	if (mem == NULL)
		return -VMM_ENOMEM;
	r = physical ? take_physical(mem) : take_virtual(mem);
	if (r != 0) {
		vmm_mem_unref(mem);
		return vmm__ctx_fail(ctx, r, call, "the host has not 0x%llx bytes for a guest",
				     (unsigned long long)len);
	}
	*out = mem;
	return 0;
}

int vmm_mem_create_host(struct vmm_ctx *ctx, void *base, uint64_t len,
			void (*release)(void *opaque, void *base, uint64_t len), void *opaque,
			struct vmm_mem **out)
{
	const char *call = "vmm_mem_create_host";

	if (ctx == NULL || out == NULL)
		return -VMM_EINVAL;
	*out = NULL;
	int r = check_size(ctx, call, len);
	if (r != 0)
		return r;
	if (base == NULL || (uintptr_t)base > UINTPTR_MAX - (uintptr_t)(len - 1))
		return vmm__ctx_fail(ctx, -VMM_EINVAL, call, "no such range of addresses");
	if (!vmm__is_aligned((uintptr_t)base, VMM__MEM_PAGE))
		return vmm__ctx_fail(ctx, -VMM_EALIGN, call, "base is not page aligned");

	struct vmm_mem *mem = new_mem(ctx, call, len);
	if (mem == NULL)
		return -VMM_ENOMEM;
	mem->base = base;
	mem->release = release;
	mem->opaque = opaque;
	*out = mem;
	return 0;
}

static int check_extents(struct vmm_ctx *ctx, const char *call, const struct vmm_extent *extents,
			 uint32_t count, uint64_t *sum)
{
	*sum = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t hpa = extents[i].hpa;
		uint64_t len = extents[i].len;

		if (len == 0)
			return vmm__ctx_fail(ctx, -VMM_EINVAL, call, "extent %u is empty", i);
		if (!vmm__is_aligned(hpa | len, VMM__MEM_PAGE))
			return vmm__ctx_fail(ctx, -VMM_EALIGN, call,
					     "extent %u (0x%llx, 0x%llx) is not whole pages", i,
					     (unsigned long long)hpa, (unsigned long long)len);
		if (hpa > UINT64_MAX - (len - 1) || *sum > UINT64_MAX - len)
			return vmm__ctx_fail(ctx, -VMM_ERANGE, call, "extent %u passes 2^64", i);
		*sum += len;
	}
	return 0;
}

int vmm_mem_create_phys(struct vmm_ctx *ctx, const struct vmm_extent *extents, uint32_t count,
			uint32_t memtype, struct vmm_mem **out)
{
	const char *call = "vmm_mem_create_phys";
	uint64_t len;

	if (ctx == NULL || out == NULL)
		return -VMM_EINVAL;
	*out = NULL;
	if (extents == NULL || count == 0 || memtype > VMM_MEMTYPE_UC)
		return vmm__ctx_fail(ctx, -VMM_EINVAL, call, "%u extents of memory type %u", count,
				     memtype);
	int r = check_extents(ctx, call, extents, count, &len);
	if (r != 0)
		return r;

	struct vmm_mem *mem = new_mem(ctx, call, len);
	if (mem == NULL)
		return -VMM_ENOMEM;
	mem->memtype = memtype;
	mem->extent_count = count;
	mem->extents = vmm__alloc(ctx, count * sizeof(*extents), _Alignof(struct vmm_extent));
	if (mem->extents == NULL) {
		vmm_mem_unref(mem);
		return vmm__ctx_fail(ctx, -VMM_ENOMEM, call, "no memory for %u extents", count);
	}
	memcpy(mem->extents, extents, count * sizeof(*extents));
	*out = mem;
	return 0;
}

void vmm_mem_ref(struct vmm_mem *mem)
{
	atomic_fetch_add(&mem->refs, 1);
}

void vmm_mem_unref(struct vmm_mem *mem)
{
	if (mem == NULL || atomic_fetch_sub(&mem->refs, 1) != 1)
		return;
	struct vmm_ctx *ctx = mem->ctx;
	if (mem->owned == VMM__MEM_OWNED)
		ctx->host.guest_free(ctx->host.opaque, mem->base, mem->len);
	else if (mem->owned == VMM__MEM_PHYS)
		ctx->host.phys_free(ctx->host.opaque, mem->extents[0].hpa, mem->len);
	if (mem->release != NULL)
		mem->release(mem->opaque, mem->base, mem->len);
	vmm__free(ctx, mem->extents, mem->extent_count * sizeof(*mem->extents));
	vmm__free(ctx, mem, sizeof(*mem));
	atomic_fetch_sub(&ctx->users, 1);
}

uint64_t vmm_mem_size(const struct vmm_mem *mem)
{
	return mem->len;
}

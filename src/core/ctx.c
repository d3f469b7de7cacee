// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "core.h"

#include "libvmm/ctx.h"

static bool same_name(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* The first service that the library cannot do without and @host lacks, or NULL. */
static const char *missing_service(const struct vmm_host *host)
{
	if (host->alloc == NULL)
		return "alloc";
	if (host->free == NULL)
		return "free";
	if (host->thread_id == NULL)
		return "thread_id";
	if (host->wait == NULL)
		return "wait";
	if (host->wake == NULL)
		return "wake";
	if (host->time_ns == NULL)
		return "time_ns";
	return NULL;
}

static int check_config(const struct vmm_ctx_config *config, const struct vmm_host *host,
			struct vmm_error *error)
{
	const char *call = "vmm_ctx_create";
	const char *missing = missing_service(host);

	if (missing != NULL)
		return vmm__fail(error, -VMM_EINVAL, call, 0, "the host has no %s()", missing);
	if (config->flags != 0)
		return vmm__fail(error, -VMM_EINVAL, call, 0, "unknown flags 0x%x", config->flags);
	if (config->engines == NULL || config->engine_count == 0 ||
	    config->engine_count > VMM__MAX_ENGINES)
		return vmm__fail(error, -VMM_EINVAL, call, 0, "%u engines given, 1 to %u allowed",
				 config->engine_count, VMM__MAX_ENGINES);
	for (uint32_t i = 0; i < config->engine_count; i++) {
		if (config->engines[i] == NULL)
			return vmm__fail(error, -VMM_EINVAL, call, 0, "engine %u is NULL", i);
	}
	return 0;
}

/* The caller's structure begins with its size, so the detail goes through one of our own. */
static int fail_create(const struct vmm_error *detail, struct vmm_error *error)
{
	if (error != NULL)
		vmm__give_struct(error, detail, sizeof(*detail));
	return detail->code;
}

int vmm_ctx_create(const struct vmm_ctx_config *user_config, struct vmm_ctx **out,
		   struct vmm_error *error)
{
	struct vmm_ctx_config config;
	struct vmm_host host;
	struct vmm_error detail;

	vmm__error_init(&detail);
	if (out == NULL)
		return -VMM_EINVAL;
	*out = NULL;
	if (vmm__take_struct(&config, sizeof(config), user_config) != 0 ||
	    vmm__take_struct(&host, sizeof(host), config.host) != 0) {
		vmm__fail(&detail, -VMM_EINVAL, "vmm_ctx_create", 0,
			  "no configuration or host, or one of a size unknown here");
		return fail_create(&detail, error);
	}
	if (check_config(&config, &host, &detail) != 0)
		return fail_create(&detail, error);

	struct vmm_ctx *ctx = host.alloc(host.opaque, sizeof(*ctx), _Alignof(struct vmm_ctx));
	if (ctx == NULL) {
		vmm__fail(&detail, -VMM_ENOMEM, "vmm_ctx_create", 0, "no memory for the context");
		return fail_create(&detail, error);
	}
	ctx->host = host;
	ctx->log_level = config.log_level != 0 ? config.log_level : VMM_LOG_WARN;
	ctx->engine_count = config.engine_count;
	for (uint32_t i = 0; i < config.engine_count; i++)
		ctx->engines[i] = config.engines[i];
	vmm__error_init(&ctx->detail.last);
	*out = ctx;
	return 0;
}

int vmm_ctx_destroy(struct vmm_ctx *ctx)
{
	if (ctx == NULL)
		return 0;
	uint32_t users = atomic_load(&ctx->users);
	if (users != 0)
		return vmm__ctx_fail(ctx, -VMM_EBUSY, "vmm_ctx_destroy",
				     "%u VMs and memory objects are left", users);
	vmm__free(ctx, ctx, sizeof(*ctx));
	return 0;
}

int vmm_ctx_error(struct vmm_ctx *ctx, struct vmm_error *error)
{
	return ctx == NULL ? -VMM_EINVAL : vmm__detail_get(ctx, &ctx->detail, error);
}

const struct vmm_host *vmm_ctx_host(struct vmm_ctx *ctx)
{
	return &ctx->host;
}

const char *vmm_ctx_engine_name(struct vmm_ctx *ctx, uint32_t index)
{
	return ctx != NULL && index < ctx->engine_count ? ctx->engines[index]->name : NULL;
}

static int probe(struct vmm_ctx *ctx, const struct vmm_engine *engine, struct vmm_error *error)
{
	vmm__error_init(error);
	int r = engine->probe(&ctx->host, error);
	if (r != 0 && error->code != r)
		vmm__fail(error, r, "probe", 0, "engine %s cannot be used", engine->name);
	return r;
}

int vmm__ctx_engine(struct vmm_ctx *ctx, const char *name, const char *call,
		    const struct vmm_engine **engine)
{
	struct vmm_error first, error;
	int code = 0;

	vmm__error_init(&first);
	for (uint32_t i = 0; i < ctx->engine_count; i++) {
		if (name != NULL && !same_name(name, ctx->engines[i]->name))
			continue;
		int r = probe(ctx, ctx->engines[i], &error);
		if (r == 0) {
			*engine = ctx->engines[i];
			return 0;
		}
		if (code == 0) { /* why not the preferred one: what the caller wants to know */
			code = r;
			first = error;
		}
	}
	if (code == 0)
		return vmm__ctx_fail(ctx, -VMM_ENOENT, call, "there is no engine \"%s\"", name);
	return vmm__keep(ctx, &ctx->detail, &first);
}

int vmm_ctx_engine_probe(struct vmm_ctx *ctx, const char *name)
{
	const struct vmm_engine *engine;

	return ctx == NULL ? -VMM_EINVAL
			   : vmm__ctx_engine(ctx, name, "vmm_ctx_engine_probe", &engine);
}

int vmm_ctx_cap(struct vmm_ctx *ctx, const char *name, uint32_t cap, uint64_t *value)
{
	const struct vmm_engine *engine;
	struct vmm_error error;

	if (ctx == NULL || value == NULL)
		return -VMM_EINVAL;
	*value = 0;
	int r = vmm__ctx_engine(ctx, name, "vmm_ctx_cap", &engine);
	if (r != 0)
		return r;
	vmm__error_init(&error);
	r = engine->cap(&ctx->host, cap, value, &error);
	if (r == 0)
		return 0;
	if (error.code != r)
		vmm__fail(&error, r, "vmm_ctx_cap", 0, "capability %u", cap);
	return vmm__keep(ctx, &ctx->detail, &error);
}

int vmm_x86_cpu_model(struct vmm_ctx *ctx, const char *name, const char *model,
		      struct vmm_x86_cpuid *entries, uint32_t *count)
{
	const struct vmm_engine *engine;
	struct vmm_error error;

	if (ctx == NULL || model == NULL || count == NULL)
		return -VMM_EINVAL;
	int r = vmm__ctx_engine(ctx, name, "vmm_x86_cpu_model", &engine);
	if (r != 0)
		return r;
	if (engine->x86_cpu_model == NULL)
		return vmm__ctx_fail(ctx, -VMM_ENOTSUP, "vmm_x86_cpu_model",
				     "engine %s has no CPU models", engine->name);
	vmm__error_init(&error);
	r = engine->x86_cpu_model(&ctx->host, model, entries, count, &error);
	if (r == 0)
		return 0;
	if (error.code != r)
		vmm__fail(&error, r, "vmm_x86_cpu_model", 0, "model %s", model);
	return vmm__keep(ctx, &ctx->detail, &error);
}

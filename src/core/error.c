// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "core.h"

void vmm__error_init(struct vmm_error *error)
{
	memset(error, 0, sizeof(*error));
	error->size = sizeof(*error);
}

void vmm__log(struct vmm_ctx *ctx, uint32_t level, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (level > ctx->log_level || ctx->host.log == NULL)
		return;
	va_start(ap, fmt);
	vmm__vformat(text, sizeof(text), fmt, ap);
	va_end(ap);
	ctx->host.log(ctx->host.opaque, level, text);
}

int vmm__keep(struct vmm_ctx *ctx, struct vmm__detail *detail, const struct vmm_error *error)
{
	vmm__lock(&ctx->host, &detail->lock);
	detail->last = *error;
	vmm__unlock(&ctx->host, &detail->lock);
	vmm__log(ctx, VMM_LOG_DEBUG, "%s: %s: %s", error->call, vmm_errname(error->code),
		 error->text);
	return error->code;
}

static int keep_text(struct vmm_ctx *ctx, struct vmm__detail *detail, int code, const char *call,
		     const char *fmt, va_list ap)
{
	struct vmm_error error;

	vmm__error_init(&error);
	vmm__fail(&error, code, call, 0, "%s", "");
	vmm__vformat(error.text, sizeof(error.text), fmt, ap);
	return vmm__keep(ctx, detail, &error);
}

int vmm__ctx_fail(struct vmm_ctx *ctx, int code, const char *call, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	keep_text(ctx, &ctx->detail, code, call, fmt, ap);
	va_end(ap);
	return code;
}

int vmm__vm_fail(struct vmm_vm *vm, int code, const char *call, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	keep_text(vm->ctx, &vm->detail, code, call, fmt, ap);
	va_end(ap);
	return code;
}

int vmm__vcpu_fail(struct vmm_vcpu *vcpu, int code, const char *call, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	keep_text(vcpu->vm->ctx, &vcpu->detail, code, call, fmt, ap);
	va_end(ap);
	return code;
}

static void complete_detail(int code, const char *call, struct vmm_error *error)
{
	if (error->code != code)
		vmm__fail(error, code, call, 0, "%s", vmm_strerror(code));
}

int vmm__vm_pass(struct vmm_vm *vm, int code, const char *call, struct vmm_error *error)
{
	complete_detail(code, call, error);
	return vmm__keep(vm->ctx, &vm->detail, error);
}

int vmm__vcpu_pass(struct vmm_vcpu *vcpu, int code, const char *call, struct vmm_error *error)
{
	complete_detail(code, call, error);
	return vmm__keep(vcpu->vm->ctx, &vcpu->detail, error);
}

int vmm__detail_get(struct vmm_ctx *ctx, struct vmm__detail *detail, struct vmm_error *error)
{
	struct vmm_error last;

	vmm__lock(&ctx->host, &detail->lock);
	last = detail->last;
	vmm__unlock(&ctx->host, &detail->lock);
	return vmm__give_struct(error, &last, sizeof(last));
}

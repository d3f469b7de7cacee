/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The engine that this processor has. */
#ifndef VMM_TEST_ENGINE_H
#define VMM_TEST_ENGINE_H

#include "libvmm/svm.h"
#include "libvmm/vmx.h"

#define ENGINES                                    \
	{                                          \
		vmm_engine_svm(), vmm_engine_vmx() \
	}

static inline const char *engine_here(struct vmm_ctx *ctx)
{
	return vmm_ctx_engine_probe(ctx, "svm") == 0 ? "svm" : "vmx";
}

#endif

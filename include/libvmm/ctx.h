/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/ctx.h - A context: one host, and the engines that may run on it.
 *
 * Engines are named by the embedder, so that only those are linked. One is chosen for each VM at
 * run time. Contexts are independent of one another; many live side by side.
 */
#ifndef LIBVMM_CTX_H
#define LIBVMM_CTX_H

#include "libvmm/error.h"
#include "libvmm/host.h"

VMM_BEGIN_DECLS

struct vmm_ctx;    /* opaque */
struct vmm_engine; /* opaque: vmm_engine_kvm() in linux.h, _svm() in svm.h, _sim() in sim.h */

/**
 * struct vmm_ctx_config - What a context is made of.
 * @size:         sizeof(struct vmm_ctx_config).
 * @flags:        0.
 * @host:         Host services. The table is copied; what its opaque points to must outlive the
 *                context.
 * @engines:      Engines in order of preference. The array is copied; the engines are static.
 * @engine_count: Number of them, 1 to 8.
 * @log_level:    Messages above this level are not made; 0 means VMM_LOG_WARN.
 */
struct vmm_ctx_config {
	uint32_t size;
	uint32_t flags;
	const struct vmm_host *host;
	const struct vmm_engine *const *engines;
	uint32_t engine_count;
	uint32_t log_level;
};

/**
 * vmm_ctx_create() - Make a context.
 * @config: What it is made of.
 * @ctx:    Set to the context on success, to NULL on failure.
 * @error:  Filled on failure, since there is no object to ask; may be NULL.
 *
 * No engine is opened yet: a context can be made where no engine works, to ask why.
 *
 * Context: Any thread; allocates.
 * Return: 0, -VMM_EINVAL (a required host service is missing, no engine), -VMM_ENOMEM.
 */
VMM_API int vmm_ctx_create(const struct vmm_ctx_config *config, struct vmm_ctx **ctx,
			   struct vmm_error *error);

/**
 * vmm_ctx_destroy() - Give a context back.
 * @ctx: Context, or NULL.
 *
 * Context: Any thread; nobody else uses the context any more.
 * Return: 0, -VMM_EBUSY while a VM or memory object made with it is left.
 */
VMM_API int vmm_ctx_destroy(struct vmm_ctx *ctx);

/**
 * vmm_ctx_error() - Detail of the last failure on a context.
 * @ctx:   Context.
 * @error: Filled; its size is set by the caller.
 *
 * Context: Any thread.
 * Return: 0, -VMM_EINVAL if @error->size is too small to hold anything.
 */
VMM_API int vmm_ctx_error(struct vmm_ctx *ctx, struct vmm_error *error);

/** vmm_ctx_host() - The context's own copy of its host services; NULL entries are absent. Context:
 * Any. */
VMM_API const struct vmm_host *vmm_ctx_host(struct vmm_ctx *ctx);

/**
 * vmm_ctx_engine_name() - Names of the context's engines.
 * @ctx:   Context.
 * @index: From 0, in order of preference.
 *
 * Context: Any.
 * Return: A static string, or NULL past the last one.
 */
VMM_API const char *vmm_ctx_engine_name(struct vmm_ctx *ctx, uint32_t index);

/**
 * vmm_ctx_engine_probe() - Find out whether an engine can run VMs here and now.
 * @ctx:    Context.
 * @engine: Name, or NULL for the first one that can.
 *
 * Opens what the engine needs and closes it again; makes no VM. Why it cannot is in
 * vmm_ctx_error().
 *
 * Context: Any thread; may allocate.
 * Return: 0, -VMM_ENOENT (no engine of that name), -VMM_ENODEV (absent), -VMM_EPERM, -VMM_ENOTSUP
 * (present, but lacking something the library needs), -VMM_ENOMEM, -VMM_EIO.
 */
VMM_API int vmm_ctx_engine_probe(struct vmm_ctx *ctx, const char *engine);

/*
 * Capabilities, queried at run time. Unless it says otherwise the value is 0 or 1.
 */
#define VMM_CAP_ARCH           1  /* VMM_ARCH_ of the guests */
#define VMM_CAP_MAX_VCPUS      2  /* most vCPUs a VM can have */
#define VMM_CAP_MAX_MAPPINGS   3  /* most separate mappings at a time, after merging; 0: no limit */
#define VMM_CAP_PAGE_SIZE      4  /* unit of mappings in bytes */
#define VMM_CAP_GPA_BITS       5  /* width of a guest-physical address, 0 if not known */
#define VMM_CAP_PROT_READONLY  6  /* mappings without VMM_PROT_WRITE */
#define VMM_CAP_PROT_EXEC      7  /* mappings without VMM_PROT_EXEC */
#define VMM_CAP_MEM_PHYS       8  /* physical extents and device memory can be mapped */
#define VMM_CAP_IRQCHIP_ARCH   9  /* VMM_IRQCHIP_ARCH */
#define VMM_CAP_IRQCHIP_NONE   10 /* VMM_IRQCHIP_NONE */
#define VMM_CAP_MSI            11 /* vmm_vm_msi() */
#define VMM_CAP_EVENT_IRQ      12 /* vmm_irq_event_attach() without a thread of the embedder's */
#define VMM_CAP_EVENT_DOORBELL 13 /* doorbells that do not leave the engine */
#define VMM_CAP_DIRTY          14 /* dirty tracking */
#define VMM_CAP_MSR_FILTER     15 /* vmm_vm_filter_msrs() with VMM_FILTER_EXIT and _DENY */
#define VMM_CAP_PORT_DIRECT    16 /* vmm_vm_filter_ports() with VMM_FILTER_ALLOW (pass through) */
#define VMM_CAP_CPUID_EXIT     17 /* VMM_EXIT_CPUID can be asked for */
#define VMM_CAP_EXCEPTION_EXIT 18 /* bitmap of exception vectors that can be intercepted */
#define VMM_CAP_SINGLE_STEP    19
#define VMM_CAP_HW_BREAKPOINTS 20 /* number of address breakpoints */
#define VMM_CAP_SW_BREAKPOINTS 21
#define VMM_CAP_TSC_SET        22 /* the guest's TSC value can be set */
#define VMM_CAP_TSC_SCALE      23 /* its frequency can differ from the host's */
#define VMM_CAP_TSC_KHZ        24 /* the guest's default TSC frequency in kHz, 0 if not known */
#define VMM_CAP_EXIT_PC        25 /* VMM_EXIT_F_PC can be asked for */
#define VMM_CAP_EXIT_INSN_LEN  26 /* VMM_EXIT_F_INSN_LEN can be asked for */
#define VMM_CAP_XCR0           27 /* XSAVE components a guest may enable, as in XCR0 */
#define VMM_CAP_CLOCK          28 /* VMM_STATE_X86_CLOCK: a paravirtual clock the guest may read */
#define VMM_CAP_DEDICATED      29 /* dedicated vCPUs */
#define VMM_CAP_SLICE          30 /* vmm_vcpu_set_slice() */
#define VMM_CAP_PIC            31 /* VMM_VM_PIC */
#define VMM_CAP_ALARM          32 /* vmm_vm_on_alarm() */

#define VMM_ARCH_X86_64 1
#define VMM_ARCH_ARM64  2

/**
 * vmm_ctx_cap() - Query what an engine can do.
 * @ctx:    Context.
 * @engine: Name, or NULL for the first usable one.
 * @cap:    VMM_CAP_.
 * @value:  Set to the capability's value; 0 for numbers the library does not know.
 *
 * Context: Any thread; may open what the engine needs.
 * Return: 0, and all that vmm_ctx_engine_probe() gives.
 */
VMM_API int vmm_ctx_cap(struct vmm_ctx *ctx, const char *engine, uint32_t cap, uint64_t *value);

VMM_END_DECLS

#endif

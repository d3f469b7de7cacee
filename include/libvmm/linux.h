/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/linux.h - What is there on Linux only: the host, the KVM engine, files as memory.
 */
#ifndef LIBVMM_LINUX_H
#define LIBVMM_LINUX_H

#include "libvmm/mem.h"

VMM_BEGIN_DECLS

/**
 * vmm_linux_host() - Host services on Linux.
 *
 * log() writes to standard error; copy the table and replace it to have messages elsewhere.
 *
 * Context: Any.
 * Return: A static table.
 */
VMM_API const struct vmm_host *vmm_linux_host(void);

/**
 * vmm_engine_kvm() - The KVM engine, named "kvm", for struct vmm_ctx_config.
 *
 * Needs /dev/kvm. A vCPU inside KVM_RUN is fetched by a signal to its thread, SIGRTMAX - 1, whose
 * handler does nothing: it is installed when the first VM is made if the signal still has its
 * default action. An embedder that uses that signal itself keeps its own handler, which must
 * return; it must not be blocked in threads that run vCPUs.
 *
 * Context: Any.
 */
VMM_API const struct vmm_engine *vmm_engine_kvm(void);

/**
 * vmm_linux_ctx_create() - A context with this host and the engines kvm and sim.
 *
 * What most programs on Linux want; the same as filling struct vmm_ctx_config by hand.
 *
 * Context and return: As vmm_ctx_create().
 */
VMM_API int vmm_linux_ctx_create(struct vmm_ctx **ctx, struct vmm_error *error);

/* Flags of vmm_linux_mem_create_file(). PRIVATE: writes stay with this process (copy on write). */
#define VMM_LINUX_MEM_PRIVATE (UINT32_C(1) << 0)

/**
 * vmm_linux_mem_create_file() - Memory over part of a file, memfd or huge-page file.
 * @ctx:    Context.
 * @fd:     File; duplicated by the mapping, the caller may close it.
 * @offset: First byte, page aligned.
 * @len:    Bytes, a multiple of the page size; within the file.
 * @flags:  VMM_LINUX_MEM_.
 * @mem:    Set to the object.
 *
 * Context: Any thread; allocates.
 * Return: 0, -VMM_EINVAL, -VMM_EALIGN, -VMM_ERANGE (past the end of the file), -VMM_EPERM,
 * -VMM_ENOMEM, -VMM_EIO.
 */
VMM_API int vmm_linux_mem_create_file(struct vmm_ctx *ctx, int fd, uint64_t offset, uint64_t len,
				      uint32_t flags, struct vmm_mem **mem);

/**
 * vmm_linux_kvm_probe() - Find out whether KVM runs guests, not just whether it is there.
 * @ctx:        Context with the kvm engine.
 * @timeout_ms: Limit of wall time; 2000 is plenty.
 *
 * Runs a small guest that uses what an operating system's kernel needs early (64-bit mode,
 * CMPXCHG16B, SSE, string I/O, RDMSR, CPUID): a KVM was seen that answers every request and still
 * hangs there.
 *
 * Context: Any thread; makes a thread of its own for the limit.
 * Return: 0, what vmm_ctx_engine_probe() gives, -VMM_ETIMEOUT or -VMM_ENOTSUP (unfit: the detail
 * says at what).
 */
VMM_API int vmm_linux_kvm_probe(struct vmm_ctx *ctx, uint32_t timeout_ms);

VMM_END_DECLS

#endif

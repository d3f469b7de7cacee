/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What a host gives beside that owns its CPUs: memory is physical at its own addresses, and there
 * is one CPU. */
#ifndef TESTS_NATIVE_FAKE_OWNER_H
#define TESTS_NATIVE_FAKE_OWNER_H

#include "libvmm/host.h"

static uint64_t fake_owner_to_phys(void *opaque, const void *ptr)
{
	(void)opaque;
	return (uintptr_t)ptr;
}

static void *fake_owner_map(void *opaque, uint64_t pa, uint32_t len, uint32_t memtype)
{
	(void)opaque;
	(void)len;
	(void)memtype;
	return (void *)(uintptr_t)pa;
}

static void fake_owner_unmap(void *opaque, void *ptr, uint32_t len)
{
	(void)opaque;
	(void)ptr;
	(void)len;
}

static int fake_owner_call(void *opaque, uint64_t id, void (*fn)(void *arg), void *arg)
{
	(void)opaque;
	(void)id;
	fn(arg);
	return 0;
}

static void fake_owner_kick(void *opaque, uint64_t id)
{
	(void)opaque;
	(void)id;
}

static inline void fake_owner_init(struct vmm_host *host)
{
	host->virt_to_phys = fake_owner_to_phys;
	host->phys_map = fake_owner_map;
	host->phys_unmap = fake_owner_unmap;
	host->cpu_call = fake_owner_call;
	host->cpu_kick = fake_owner_kick;
	host->cpu_timer = fake_owner_kick;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#ifndef TESTS_BARE_PLATFORM_BARE_H
#define TESTS_BARE_PLATFORM_BARE_H

#include "libvmm/host.h"

/* The bare host, with events. */
const struct vmm_host *platform_host(void);

#endif

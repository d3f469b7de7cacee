/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/libvmm.h - The portable API, whole. Add linux.h on Linux, svm.h or vmx.h for
 * those engines, and x86.h for x86 guests' state.
 *
 *   types.h, error.h   codes, and their detail
 *   host.h, ctx.h      where the library runs, which engines it may use, what they can do
 *   vm.h, vcpu.h       machines and their processors: configure, seal, run, reset, destroy
 *   exit.h             why a vCPU came back
 *   mem.h              memory objects, mappings, checked access, dirty tracking
 *   bus.h, irq.h       ports, MMIO and doorbells; lines, messages and injection
 *   dev.h              emulated devices, one by one
 *   profile.h          the order for a machine, in calls or text
 *   machine.h          a whole machine made from a profile
 *   sched.h            which vCPU runs on which CPU, where the embedder owns the CPUs
 *   state.h, debug.h   architectural state; stepping, breakpoints, address translation
 *   acpi.h, aml.h      ACPI tables and AML, built into the caller's buffer (usable alone)
 *   uefi.h             vUEFI: tables, memory map and runtime services
 *   partition.h        vCPUs that own their CPUs: exits counted, budgets
 *   sim.h              an engine without hardware, for tests
 */
#ifndef LIBVMM_LIBVMM_H
#define LIBVMM_LIBVMM_H

#include "libvmm/acpi.h"
#include "libvmm/aml.h"
#include "libvmm/bus.h"
#include "libvmm/ctx.h"
#include "libvmm/debug.h"
#include "libvmm/dev.h"
#include "libvmm/error.h"
#include "libvmm/exit.h"
#include "libvmm/host.h"
#include "libvmm/irq.h"
#include "libvmm/machine.h"
#include "libvmm/mem.h"
#include "libvmm/partition.h"
#include "libvmm/profile.h"
#include "libvmm/sched.h"
#include "libvmm/sim.h"
#include "libvmm/state.h"
#include "libvmm/types.h"
#include "libvmm/uefi.h"
#include "libvmm/vcpu.h"
#include "libvmm/vm.h"

#endif

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * A machine's whole life on the SVM engine, a thousand times, and with each allocation failing in
 * turn: the host's memory is as it was after each.
 */
#include "bare.h"
#include "engine_here.h"
#include "libvmm/libvmm.h"
#include "libvmm/machine.h"
#include "libvmm/x86.h"
#include "mem.h"

#define LIVES 1000
#define ENTRY 0x1000

/* Real mode: mov al, 0x21; out 0xf4, al, which is the machine's debug exit. */
static const uint8_t code[] = {0xb0, 0x21, 0xe6, 0xf4};

/* How many allocations there still are before one that fails; 0: none does. */
static uint32_t countdown;

static int out_of_memory(void)
{
	return countdown != 0 && --countdown == 0;
}

static void *failing_alloc(void *opaque, size_t size, size_t align)
{
	return out_of_memory() ? NULL : vmm_bare_host()->alloc(opaque, size, align);
}

static int failing_phys_alloc(void *opaque, uint64_t size, uint64_t align, uint64_t *pa)
{
	return out_of_memory() ? -VMM_ENOMEM : vmm_bare_host()->phys_alloc(opaque, size, align, pa);
}

static struct vmm_host host;
static struct vmm_profile *profile;

static int run(struct vmm_machine *machine)
{
	struct vmm_vcpu *vcpu = vmm_vm_vcpu(vmm_machine_vm(machine), 0);
	const struct vmm_x86_regs regs = {.rip = ENTRY, .rflags = 2};
	struct vmm_machine_run result = {.size = sizeof(result)};
	struct vmm_x86_sys sys;
	int err = vmm_vm_write(vmm_machine_vm(machine), ENTRY, code, sizeof(code));

	if (err == 0)
		err = vmm_vcpu_get_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys));
	if (err != 0)
		return err;
	sys.cs.base = sys.cs.selector = 0;
	err = vmm_vcpu_set_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys));
	if (err == 0)
		err = vmm_vcpu_set_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs));
	if (err == 0)
		err = vmm_machine_run_vcpu(machine, 0, &result);
	if (err == 0 && (result.reason != VMM_MACHINE_DEBUG_EXIT || result.status != 0x43))
		err = -VMM_EBUG;
	return err;
}

static int live(void)
{
	const struct vmm_engine *engines[] = ENGINES;
	const struct vmm_ctx_config ctx_config = {
		.size = sizeof(ctx_config), .host = &host, .engines = engines, .engine_count = 2};
	const struct vmm_machine_config config = {.size = sizeof(config), .profile = profile};
	struct vmm_machine *machine = NULL;
	struct vmm_ctx *ctx = NULL;
	int err = vmm_ctx_create(&ctx_config, &ctx, NULL), end;

	if (err != 0)
		return err;
	err = vmm_machine_create(ctx, &config, &machine, NULL);
	if (err == 0)
		err = vmm_machine_seal(machine);
	if (err == 0)
		err = run(machine);
	end = vmm_machine_destroy(machine);
	if (end == 0)
		end = vmm_ctx_destroy(ctx);
	return end != 0 ? end : err;
}

static int same(const struct vmm_bare_usage *before)
{
	struct vmm_bare_usage now;

	vmm_bare_usage(&now);
	return now.heap_bytes == before->heap_bytes && now.heap_blocks == before->heap_blocks &&
	       now.phys_free + now.heap_room == before->phys_free + before->heap_room;
}

/* Until a life needs fewer allocations than the one that would fail. */
static int fail_in_turn(const struct vmm_bare_usage *before)
{
	for (uint32_t n = 1;; n++) {
		int err;

		countdown = n;
		err = live();
		if (!same(before)) {
			vmm_bare_print("not ok: allocation %u fails, and memory is lost\n", n);
			return 1;
		}
		if (countdown != 0 && err == 0) {
			vmm_bare_print("each of %u allocations failed\n", n - 1);
			countdown = 0;
			return 0;
		}
		if (err != -VMM_ENOMEM) {
			vmm_bare_print("not ok: allocation %u fails: %s\n", n, vmm_errname(err));
			return 1;
		}
	}
}

int vmm_bare_main(const struct vmm_bare_boot *boot)
{
	struct vmm_bare_usage before;
	void *storage = vmm_bare_host()->alloc(NULL, vmm_profile_size(), 16);

	(void)boot;
	host = *vmm_bare_host();
	host.alloc = failing_alloc;
	host.phys_alloc = failing_phys_alloc;
	if (storage == NULL || vmm_profile_init(storage, vmm_profile_size(), &profile) != 0 ||
	    vmm_profile_set_text(profile, "debug-exit.enable=yes", NULL) != 0 ||
	    vmm_profile_set_text(profile, "memory.size=2M", NULL) != 0 ||
	    vmm_profile_set_text(profile, "cpu.cores=2", NULL) != 0)
		return 1;
	vmm_bare_usage(&before);
	for (uint32_t i = 0; i < LIVES; i++) {
		const int err = live();

		if (err != 0 || !same(&before)) {
			vmm_bare_print("not ok: life %u: %s\n", i, vmm_errname(err));
			return 1;
		}
	}
	vmm_bare_print("%u lives\n", LIVES);
	return fail_in_turn(&before);
}

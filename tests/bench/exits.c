// SPDX-License-Identifier: BSD-2-Clause-Patent
// Instructions an exit costs through libvmm, beside raw KVM. One line a figure.
#include "exits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "libvmm/libvmm.h"
#include "libvmm/linux.h"
#include "libvmm/x86.h"

#define TARGET 60 /* instructions above raw KVM */

#define TRY(call)                                                              \
	do {                                                                   \
		int rc_ = (call);                                              \
		if (rc_) {                                                     \
			fprintf(stderr, "%s: %s\n", #call, vmm_strerror(rc_)); \
			return -1;                                             \
		}                                                              \
	} while (0)

struct machine {
	struct vmm_ctx *ctx;
	struct vmm_mem *ram;
	struct vmm_vm *vm;
	struct vmm_vcpu *vcpu;
	struct vmm_exit exit;
};

static int make(struct machine *m, const char *engine)
{
	struct vmm_vm_config config = {.size = sizeof(config), .engine = engine, .max_vcpus = 1};
	struct vmm_vcpu_config vcpu = {.size = sizeof(vcpu)};
	TRY(vmm_linux_ctx_create(&m->ctx, NULL));
	TRY(vmm_vm_create(m->ctx, &config, &m->vm));
	TRY(vmm_mem_create(m->ctx, RAM_BYTES, &m->ram));
	TRY(vmm_vm_map(m->vm, 0, m->ram, 0, RAM_BYTES, VMM_PROT_RWX));
	TRY(vmm_vcpu_create(m->vm, &vcpu, &m->vcpu));
	TRY(vmm_vm_seal(m->vm));
	return 0;
}

static int enter(struct machine *m, enum access access)
{
	struct vmm_x86_sys sys;
	struct vmm_x86_regs regs = {.rip = GUEST_BASE, .rflags = 2};
	TRY(vmm_vm_write(m->vm, GUEST_BASE, accesses[access].code, sizeof(accesses[access].code)));
	TRY(vmm_vcpu_get_state(m->vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)));
	sys.cs.base = 0;
	sys.cs.selector = 0;
	sys.ds.base = RAM_BYTES;
	sys.ds.selector = RAM_BYTES >> 4;
	TRY(vmm_vcpu_set_state(m->vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)));
	TRY(vmm_vcpu_set_state(m->vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)));
	return 0;
}

static int take(struct machine *m)
{
	struct vmm_exit *exit = &m->exit;
	TRY(vmm_vcpu_run(m->vcpu, exit));
	switch (exit->reason) {
	case VMM_EXIT_PORT:
		if (exit->addr != PORT)
			return -1;
		break;
	case VMM_EXIT_MMIO:
		if (exit->addr != RAM_BYTES)
			return -1;
		break;
	default:
		return -1;
	}
	if (!(exit->flags & VMM_EXIT_F_WRITE))
		exit->data = 0xff;
	return 0;
}

uint64_t libvmm_exit(const char *engine, enum access access)
{
	struct machine m = {0};
	uint64_t least = UINT64_MAX;
	if (make(&m, engine) || enter(&m, access))
		return 0;
	uint64_t before = 0;
	for (int i = 0; i <= EXITS_COUNTED; i++) {
		if (take(&m))
			return 0;
		uint64_t now = counter();
		if (i && now - before < least)
			least = now - before;
		before = now;
	}
	vmm_vm_destroy(m.vm);
	vmm_mem_unref(m.ram);
	vmm_ctx_destroy(m.ctx);
	return least;
}

int main(void)
{
	int above_target = 0;
	for (enum access access = 0; access < ACCESSES; access++) {
		uint64_t raw = raw_kvm_exit(access);
		uint64_t ours = libvmm_exit("kvm", access);
		if (!raw || !ours)
			return EXIT_FAILURE;
		int64_t above = (int64_t)(ours - raw);
		printf("%s exit, instructions: raw KVM %" PRIu64 ", libvmm %" PRIu64
		       ", above raw %" PRId64 " (target %d)\n",
		       accesses[access].name, raw, ours, above, TARGET);
		above_target |= above > TARGET;
	}
	return above_target ? EXIT_FAILURE : EXIT_SUCCESS;
}

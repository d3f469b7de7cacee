// SPDX-License-Identifier: BSD-2-Clause-Patent
// The least a VMM can do: KVM's requests with nothing between. What libvmm is measured against.
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exits.h"

struct machine {
	int kvm, vm, vcpu;
	size_t run_size;
	struct kvm_run *run;
	unsigned char *ram;
};

static int make(struct machine *m)
{
	m->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	m->vm = ioctl(m->kvm, KVM_CREATE_VM, 0UL);
	m->ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = {
		.memory_size = RAM_BYTES,
		.userspace_addr = (uintptr_t)m->ram,
	};
	if (m->vm < 0 || m->ram == MAP_FAILED || ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, &region))
		return -1;
	m->vcpu = ioctl(m->vm, KVM_CREATE_VCPU, 0UL);
	m->run_size = (size_t)ioctl(m->kvm, KVM_GET_VCPU_MMAP_SIZE, 0UL);
	m->run = mmap(NULL, m->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, m->vcpu, 0);
	return m->run == MAP_FAILED ? -1 : 0;
}

static int enter(struct machine *m, enum access access)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs = {.rip = GUEST_BASE, .rflags = 2};
	memcpy(m->ram + GUEST_BASE, accesses[access].code, sizeof(accesses[access].code));
	if (ioctl(m->vcpu, KVM_GET_SREGS, &sregs))
		return -1;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	sregs.ds.base = RAM_BYTES;
	sregs.ds.selector = RAM_BYTES >> 4;
	if (ioctl(m->vcpu, KVM_SET_SREGS, &sregs))
		return -1;
	return ioctl(m->vcpu, KVM_SET_REGS, &regs);
}

/* Take an exit and answer it, as every VMM must. */
static int take(struct machine *m)
{
	struct kvm_run *run = m->run;
	if (ioctl(m->vcpu, KVM_RUN, 0UL))
		return -1;
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		if (run->io.port != PORT)
			return -1;
		if (run->io.direction == KVM_EXIT_IO_IN)
			*((unsigned char *)run + run->io.data_offset) = 0xff;
		return 0;
	case KVM_EXIT_MMIO:
		if (run->mmio.phys_addr != RAM_BYTES)
			return -1;
		if (!run->mmio.is_write)
			run->mmio.data[0] = 0xff;
		return 0;
	default:
		return -1;
	}
}

uint64_t raw_kvm_exit(enum access access)
{
	struct machine m;
	uint64_t least = UINT64_MAX;
	if (make(&m) || enter(&m, access))
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
	munmap(m.run, m.run_size);
	munmap(m.ram, RAM_BYTES);
	close(m.vcpu);
	close(m.vm);
	close(m.kvm);
	return least;
}

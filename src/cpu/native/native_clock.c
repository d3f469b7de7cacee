// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Guest time. A vCPU's TSC is the CPU's plus VMCB.TSC_OFFSET (APM2 15.5.1); frequencies are the
 * same. The paravirtual clock (Linux, Documentation/virt/kvm/x86/msr.rst) runs by the TSC alone:
 * nanoseconds are a base plus TSC times a constant, so that what a guest is told once stays true on
 * each vCPU.
 */
#include "native.h"

#include "endian.h"

#define CALIBRATE_NS UINT64_C(2000000)
/* Ticks after which a host's time that stands still is given up. */
#define CALIBRATE_MOST BIT(36)
#define TRIES          8

/* MSR_KVM_SYSTEM_TIME_NEW: bit 0 enables, the address has 4 bytes' alignment. */
#define PV_ENABLE BIT(0)

/* struct pvclock_vcpu_time_info */
#define PV_TIME_BYTES 32
#define PV_STABLE     1

/* host's time and TSC at the same moment: of several readings the one that took least. */
static void read_both(const struct vmm_host *host, uint64_t *ns, uint64_t *tsc)
{
	uint64_t best = UINT64_MAX;

	*ns = *tsc = 0;
	for (int i = 0; i < TRIES; i++) {
		uint64_t before = vmm__native_rdtsc(), now = host->time_ns(host->opaque),
			 took = vmm__native_rdtsc() - before;

		if (took < best) {
			best = took;
			*ns = now;
			*tsc = before + took / 2;
		}
	}
}

/* The host tells no frequency, but the time: 2 ms are enough where that is made from the TSC. */
uint32_t vmm__native_calibrate(const struct vmm_host *host)
{
	uint64_t ns0, tsc0, ns1, tsc1;

	read_both(host, &ns0, &tsc0);
	do {
		read_both(host, &ns1, &tsc1);
	} while (ns1 - ns0 < CALIBRATE_NS && tsc1 - tsc0 < CALIBRATE_MOST);
	if (ns1 <= ns0)
		return 1000000;
	return (uint32_t)(((tsc1 - tsc0) * 1000000 + (ns1 - ns0) / 2) / (ns1 - ns0));
}

/* While guest time is stopped, the CPU's TSC is that of the stop: vCPUs that are saved or restored
 * one after the other have the same time. */
static uint64_t without_offset(const struct vmm__native_vm *vm)
{
	return vm->stopped ? vm->stopped_tsc : vmm__native_rdtsc();
}

uint64_t vmm__native_tsc(const struct vmm__native_vcpu *v)
{
	return without_offset(v->vm) + v->vmcb->tsc_offset;
}

void vmm__native_set_tsc(struct vmm__native_vcpu *v, uint64_t value)
{
	v->vmcb->tsc_offset = value - without_offset(v->vm);
	vmm__native_write_time(v);
}

/*
 * Nanoseconds of @ticks are (ticks << shift) * mul >> 32, with a negative shift to the right: the
 * largest mul of 32 bits, as the structure has it.
 */
static void find_scale(uint32_t khz, uint32_t *mul, int8_t *shift)
{
	uint64_t hz = (uint64_t)khz * 1000, ns = 1000000000;

	*shift = 0;
	while (hz > 2 * ns) {
		hz >>= 1;
		(*shift)--;
	}
	while (hz <= ns) {
		hz <<= 1;
		(*shift)++;
	}
	*mul = (uint32_t)((ns << 32) / hz);
}

static uint64_t scale(uint64_t ticks, uint32_t mul, int8_t shift)
{
	ticks = shift < 0 ? ticks >> -shift : ticks << shift;
	return (ticks >> 32) * mul + ((ticks & UINT32_MAX) * mul >> 32);
}

static uint64_t ns_of(const struct vmm__native_vm *vm, uint64_t ticks)
{
	uint32_t mul;
	int8_t shift;

	find_scale(vm->tsc_khz, &mul, &shift);
	return scale(ticks, mul, shift);
}

uint64_t vmm__native_clock_ns(struct vmm__native_vm *vm)
{
	return vm->stopped ? vm->stopped_ns : ns_of(vm, vmm__native_rdtsc()) + vm->clock_base;
}

void vmm__native_set_clock(struct vmm__native_vm *vm, uint64_t ns)
{
	vm->stopped_ns = ns;
	vm->clock_base = ns - ns_of(vm, vmm__native_rdtsc());
	for (struct vmm__native_vcpu *v = vm->vcpus; v; v = v->next)
		vmm__native_write_time(v);
}

/* The version is odd while the rest is written: the guest reads again. */
void vmm__native_write_time(struct vmm__native_vcpu *v)
{
	const struct vmm__services *s = v->vm->services;
	uint64_t gpa = v->pv_time & ~PV_ENABLE, tsc = vmm__native_rdtsc();
	uint8_t info[PV_TIME_BYTES] = {0}, version[4];
	uint32_t mul;
	int8_t shift;

	if (!(v->pv_time & PV_ENABLE) || s->read(s->core, gpa, version, 4) != 0)
		return;
	find_scale(v->vm->tsc_khz, &mul, &shift);
	vmm__put_le32(version, (vmm__le32(version) | 1));
	vmm__put_le64(info + 8, tsc + v->vmcb->tsc_offset);
	vmm__put_le64(info + 16, ns_of(v->vm, tsc) + v->vm->clock_base);
	vmm__put_le32(info + 24, mul);
	info[28] = (uint8_t)shift;
	info[29] = PV_STABLE;
	memcpy(info, version, 4);
	if (vmm__native_write_guest(v->vm, gpa, info, sizeof(info)) != 0)
		return;
	vmm__put_le32(version, vmm__le32(version) + 1);
	vmm__native_write_guest(v->vm, gpa, version, 4);
}

/* struct pvclock_wall_clock: the time at which the clock was 0. */
void vmm__native_write_wall(struct vmm__native_vcpu *v)
{
	const struct vmm_host *host = v->vm->host;
	uint64_t boot =
		host->wall_ns ? host->wall_ns(host->opaque) - vmm__native_clock_ns(v->vm) : 0;
	uint8_t info[12];

	vmm__put_le32(info, 2);
	vmm__put_le32(info + 4, (uint32_t)(boot / 1000000000));
	vmm__put_le32(info + 8, (uint32_t)(boot % 1000000000));
	vmm__native_write_guest(v->vm, v->pv_wall, info, sizeof(info));
}

int vmm__native_clock_stop(void *opaque, uint32_t stop, struct vmm_error *error)
{
	struct vmm__native_vm *vm = opaque;
	uint64_t gone;

	(void)error;
	if (stop) {
		vm->stopped_tsc = vmm__native_rdtsc();
		vm->stopped_ns = vmm__native_clock_ns(vm);
		vm->stopped = true;
		return 0;
	}
	vm->stopped = false;
	gone = vmm__native_rdtsc() - vm->stopped_tsc;
	for (struct vmm__native_vcpu *v = vm->vcpus; v; v = v->next)
		v->vmcb->tsc_offset -= gone;
	vmm__native_set_clock(vm, vm->stopped_ns);
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Running, and how a machine stops. What stops it is one word, set once by whichever thread comes
 * first; then every vCPU is kicked. A kick is sticky and each run looks at the word before and
 * after it has been in the guest, so that no vCPU misses it.
 */
#include "bits.h"
#include "endian.h"
#include "machine_object.h"
#include "mem.h"
#include "sized.h"

#define EVENT_REASON BITS(7, 0)
#define EVENT_VCPU   BITS(31, 8)
#define EVENT_STATUS BITS(63, 32)

/* Of a machine that is paused a kick is seen within: waiting for its end does not see it. */
#define PAUSED_NS UINT64_C(50000000)

/* handle()'s answer: the vCPU goes on. */
#define GO_ON 0

void vmm_machine_kick(struct vmm_machine *machine)
{
	for (uint32_t i = 0; i < machine->plan.cpus; i++)
		vmm_vcpu_kick(vmm_vm_vcpu(machine->vm, i));
	vmm__machine_end_timers(machine);
}

void vmm__machine_stop(struct vmm_machine *m, uint32_t reason, uint32_t vcpu, uint32_t status)
{
	uint64_t none = 0;

	if (atomic_compare_exchange_strong(&m->event, &none,
					   FIELD_PUT(EVENT_REASON, reason) |
						   FIELD_PUT(EVENT_VCPU, vcpu) |
						   FIELD_PUT(EVENT_STATUS, status)))
		vmm_machine_kick(m);
}

/* Whether the machine has stopped; then why is in @run. */
static bool has_stopped(struct vmm_machine *m, struct vmm_machine_run *run)
{
	uint64_t event = atomic_load(&m->event);

	if (event == 0)
		return false;
	run->reason = (uint32_t)FIELD_GET(EVENT_REASON, event);
	run->vcpu = (uint32_t)FIELD_GET(EVENT_VCPU, event);
	run->status = (uint32_t)FIELD_GET(EVENT_STATUS, event);
	return true;
}

/* Nothing is there: reads float high, writes are lost. */
static void answer_unclaimed(struct vmm_exit *exit)
{
	if ((exit->flags & VMM_EXIT_F_WRITE) == 0)
		exit->data = UINT64_MAX >> (64 - 8 * exit->width);
}

/* GO_ON, or what the embedder is told. */
static uint32_t handle(struct vmm_machine *m, uint32_t index, struct vmm_exit *exit)
{
	switch (exit->reason) {
	case VMM_EXIT_KICKED:
		return VMM_MACHINE_KICKED;
	case VMM_EXIT_PREEMPTED:
		return VMM_MACHINE_YIELD;
	case VMM_EXIT_PAUSED:
		if ((m->config.flags & VMM_MACHINE_SEE_IDLE) != 0)
			return VMM_MACHINE_YIELD;
		vmm_vm_wait_resumed(m->vm, PAUSED_NS);
		return GO_ON;
	case VMM_EXIT_IDLE:
		if ((m->config.flags & VMM_MACHINE_SEE_IDLE) != 0)
			return VMM_MACHINE_YIELD;
		return vmm_vcpu_wait(vmm_vm_vcpu(m->vm, index), exit->data) == 0 ? GO_ON
										 : VMM_MACHINE_EXIT;
	case VMM_EXIT_PORT:
	case VMM_EXIT_MMIO:
		if ((m->config.flags & VMM_MACHINE_SEE_UNCLAIMED) != 0)
			return VMM_MACHINE_EXIT;
		answer_unclaimed(exit);
		return GO_ON;
	case VMM_EXIT_SHUTDOWN:
		vmm__machine_stop(m, VMM_MACHINE_TRIPLE_FAULT, index, 0);
		return GO_ON;
	case VMM_EXIT_SYSTEM:
		vmm__machine_stop(
			m, exit->data == VMM_SYSTEM_OFF ? VMM_MACHINE_OFF : VMM_MACHINE_RESET, 0,
			0);
		return GO_ON;
	default:
		return VMM_MACHINE_EXIT;
	}
}

/* It starts over when it is there again: by a start-up IPI. */
static int absent(struct vmm_vcpu *vcpu, struct vmm_machine_run *run)
{
	const struct vmm_x86_mp mp = {.state = VMM_X86_MP_WAIT_SIPI};

	run->reason = VMM_MACHINE_ABSENT;
	return vmm_vcpu_set_state(vcpu, VMM_STATE_X86_MP, 0, &mp, sizeof(mp));
}

int vmm_machine_run_vcpu(struct vmm_machine *machine, uint32_t index, struct vmm_machine_run *run)
{
	struct vmm_vcpu *vcpu = vmm_vm_vcpu(machine->vm, index);

	if (run == NULL || run->size < sizeof(*run))
		return -VMM_EINVAL;
	if (vcpu == NULL)
		return -VMM_ENOENT;
	run->reason = GO_ON;
	run->vcpu = 0;
	run->status = 0;
	while (run->reason == GO_ON) {
		int err;

		if (has_stopped(machine, run))
			return 0;
		if (!vmm__machine_cpu_present(machine, index)) {
			err = absent(vcpu, run);
			if (err != -VMM_ESTATE)
				return err;
			vmm_vcpu_kick(vcpu); /* what it has begun ends first */
		}
		err = vmm_vcpu_run(vcpu, &run->exit);
		if (err != 0)
			return err;
		run->reason = handle(machine, index, &run->exit);
	}
	/* A kick may have been that of an event. */
	if (run->reason == VMM_MACHINE_KICKED)
		has_stopped(machine, run);
	return 0;
}

int vmm_machine_console_input(struct vmm_machine *machine, uint32_t console, const uint8_t *data,
			      uint32_t len, uint32_t *taken)
{
	if (console >= VMM__PROFILE_SERIALS || machine->console[console].uart == NULL)
		return -VMM_ENOENT;
	*taken = vmm_uart_input(machine->console[console].uart, data, len);
	return 0;
}

int vmm_machine_power_button(struct vmm_machine *machine)
{
	if (!machine->profile.power_button)
		return -VMM_ENOTSUP;
	if (atomic_load(&machine->sealed) == 0)
		return -VMM_ESTATE;
	vmm_power_button(machine->power);
	return 0;
}

/* Where the guest has put its waking vector: in the FACS (ACPI 6.5, 5.2.10). */
#define FACS_VECTOR 12

static int find_facs(struct vmm_machine *m, uint64_t *gpa)
{
	struct vmm_machine_table tables[VMM_MACHINE_TABLES_MAX];
	uint32_t count = 0;
	size_t len = 0;
	void *built;
	int err = vmm_machine_plan_tables(&m->profile, NULL, &len, NULL, NULL);

	if (err != 0)
		return err;
	built = m->host->alloc(m->host->opaque, len, sizeof(uint64_t));
	if (built == NULL)
		return -VMM_ENOMEM;
	err = vmm_machine_plan_tables(&m->profile, built, &len, tables, &count);
	m->host->free(m->host->opaque, built, len);
	for (uint32_t i = 0; i < count; i++) {
		if (memcmp(tables[i].signature, "FACS", 4) == 0)
			*gpa = tables[i].gpa;
	}
	return err;
}

static int read_vector(struct vmm_machine *m, uint32_t *vector)
{
	uint8_t bytes[4] = {0};
	uint64_t facs = 0;
	int err = find_facs(m, &facs);

	if (err == 0)
		err = vmm_vm_read(m->vm, facs + FACS_VECTOR, bytes, sizeof(bytes));
	*vector = vmm__le32(bytes);
	/* 16.3.2: real mode can address no more. */
	if (err == 0 && *vector > 0xfffff)
		err = -VMM_EFORMAT;
	return err == 0 ? 0
			: vmm__machine_fail(m, err, "vmm_machine_wake",
					    "no waking vector can be read, or it is above 1 MiB");
}

/* 16.3.2: from S3 the first processor starts at the vector, in real mode; all else is as at
 * power-on, but memory. */
static int start_at(struct vmm_machine *m, uint32_t vector)
{
	struct vmm_vcpu *first = vmm_vm_vcpu(m->vm, 0);
	struct vmm_x86_regs regs;
	struct vmm_x86_sys sys;
	int err = vmm_vcpu_get_state(first, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys));

	if (err == 0)
		err = vmm_vcpu_get_state(first, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs));
	if (err != 0)
		return err;
	sys.cs.selector = (uint16_t)(vector >> 4);
	sys.cs.base = vector & ~UINT32_C(15);
	regs.rip = vector & 15;
	err = vmm_vcpu_set_state(first, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys));
	return err == 0 ? vmm_vcpu_set_state(first, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs))
			: err;
}

/* Linux does not use the FACS of a hardware-reduced machine: it waits for WAK_STS, and goes on. */
static int wake_from_s3(struct vmm_machine *m)
{
	uint32_t vector;
	int err = read_vector(m, &vector);

	if (err != 0 || vector == 0)
		return err;
	err = vmm_vm_reset(m->vm);
	if (err == 0) {
		vmm__machine_reset_devices(m); /* or lines would be up that nobody knows of */
		err = start_at(m, vector);
	}
	return err == 0 ? 0 : vmm__machine_vm_failed(m, err, "vmm_machine_wake");
}

int vmm_machine_wake(struct vmm_machine *machine)
{
	const uint64_t event = atomic_load(&machine->event);
	int err = 0;

	if (FIELD_GET(EVENT_REASON, event) != VMM_MACHINE_SLEEP)
		return -VMM_ESTATE;
	if (FIELD_GET(EVENT_STATUS, event) == 3)
		err = wake_from_s3(machine);
	if (err != 0)
		return err;
	vmm_power_wake(machine->power);
	atomic_store(&machine->event, 0);
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
// The embedder's part in the tests of interrupts, kicks and pauses.
#include <inttypes.h>
#include <string.h>

#include "guest.h"
#include "platform.h"
#include "scripts.h"

#define MSI_ADDRESS UINT64_C(0xfee00000)

/* --- injection, without an interrupt controller --- */

static void inject(struct run *run, const char *what, uint32_t kind, uint32_t vector,
		   uint32_t flags, uint32_t error_code)
{
	outcome(run, what, vmm_vcpu_inject(run->cpu[0].vcpu, kind, vector, flags, error_code));
}

/* The answer to a port write is empty, but state and injection want the exit completed. */
static bool completed_port(struct run *run, uint64_t port)
{
	return play_until(run, VMM_EXIT_PORT, port) &&
	       must(run, "vmm_vcpu_complete",
		    vmm_vcpu_complete(run->cpu[0].vcpu, &run->cpu[0].exit));
}

static bool await_window(struct run *run)
{
	return must(run, "vmm_vcpu_request_window", request_window(run)) &&
	       play_until(run, VMM_EXIT_IRQ_WINDOW, 0);
}

void script_inject(struct run *run)
{
	if (!play_until(run, VMM_EXIT_HLT, 0))
		return;
	inject(run, "interrupt while closed", VMM_INJECT_INTERRUPT, 0x40, 0, 0);
	if (!await_window(run))
		return;
	inject(run, "interrupt", VMM_INJECT_INTERRUPT, 0x40, 0, 0);
	if (!play_until(run, VMM_EXIT_HLT, 0))
		return;

	/* The window opens after STI's shadow: behind the port write. */
	if (!must(run, "vmm_vcpu_request_window", request_window(run)) ||
	    !play_until(run, VMM_EXIT_PORT, 0x80) || !play_until(run, VMM_EXIT_IRQ_WINDOW, 0))
		return;

	if (!play_until(run, VMM_EXIT_HLT, 0))
		return;
	inject(run, "interrupt", VMM_INJECT_INTERRUPT, 0x40, 0, 0);
	if (!play_until(run, VMM_EXIT_PORT, 0x81))
		return;
	inject(run, "interrupt while pending", VMM_INJECT_INTERRUPT, 0x40, 0, 0);
	if (!must(run, "vmm_vcpu_complete", vmm_vcpu_complete(run->cpu[0].vcpu, &run->cpu[0].exit)))
		return;

	/* A second NMI within the first one's handler waits for its IRET. */
	inject(run, "nmi", VMM_INJECT_NMI, 2, 0, 0);
	if (!completed_port(run, 0x83))
		return;
	inject(run, "nmi", VMM_INJECT_NMI, 2, 0, 0);
	if (!play_until(run, VMM_EXIT_PORT, 0x83) || !completed_port(run, 0x82))
		return;
	inject(run, "#GP", VMM_INJECT_EXCEPTION, 13, VMM_INJECT_F_ERROR, 0x1234);
	inject(run, "no exception", VMM_INJECT_EXCEPTION, 32, 0, 0);
	play(run);
}

/* --- the architecture's controller --- */

static void lines(struct run *run)
{
	outcome(run, "line 5 up", vmm_vm_irq_line(run->vm, 5, 1));
	outcome(run, "line 5 down", vmm_vm_irq_line(run->vm, 5, 0));
}

/* What raises an interrupt by itself, where the engine takes host events; else the embedder does.
 */
static bool attach(struct run *run, const struct vmm_irq_event_config *config)
{
	uint64_t able = 0;
	vmm_vm_cap(run->vm, VMM_CAP_EVENT_IRQ, &able);
	return !able || must(run, "vmm_irq_event_attach", add_event(run, config));
}

static void raise_event(struct run *run, const struct vmm_irq_event_config *config)
{
	if (run->attached.event) {
		event_ring(config->event);
	} else if (config->flags & VMM_IRQ_EVENT_MSI) {
		must(run, "vmm_vm_msi", vmm_vm_msi(run->vm, config->addr, config->data, 0));
	} else {
		must(run, "vmm_vm_irq_line", vmm_vm_irq_line(run->vm, config->gsi, 1));
		must(run, "vmm_vm_irq_line", vmm_vm_irq_line(run->vm, config->gsi, 0));
	}
}

/* Signal an event that raises an interrupt; attached until the guest, having taken it, comes to
 * @port. */
static bool ring(struct run *run, uint32_t flags, uint32_t gsi, uint32_t data, uint64_t port)
{
	const struct vmm_irq_event_config config = {
		.size = sizeof(config),
		.flags = flags,
		.event = event_make(),
		.gsi = gsi,
		.addr = flags ? MSI_ADDRESS : 0,
		.data = data,
	};
	bool ok = attach(run, &config);
	if (ok) {
		raise_event(run, &config);
		ok = play_until(run, VMM_EXIT_PORT, port);
	}
	drop_event(run);
	event_close(config.event);
	return ok;
}

void script_irq(struct run *run)
{
	outcome(run, "injection beside a controller",
		vmm_vcpu_inject(run->cpu[0].vcpu, VMM_INJECT_INTERRUPT, 0x40, 0, 0));
	outcome(run, "no such line", vmm_vm_irq_line(run->vm, 24, 1));
	outcome(run, "no message", vmm_vm_msi(run->vm, 0x1000, 0x53, 0));
	if (!play_until(run, VMM_EXIT_PORT, 0x80))
		return;
	lines(run);
	if (!play_until(run, VMM_EXIT_PORT, 0x81))
		return;
	outcome(run, "line 6 up", vmm_vm_irq_line(run->vm, 6, 1));
	if (!play_until(run, VMM_EXIT_PORT, 0x90))
		return;
	outcome(run, "line 6 down", vmm_vm_irq_line(run->vm, 6, 0));
	if (!play_until(run, VMM_EXIT_PORT, 0x82))
		return;
	outcome(run, "message", vmm_vm_msi(run->vm, MSI_ADDRESS, 0x53, 0));
	if (!play_until(run, VMM_EXIT_PORT, 0x83) || !ring(run, 0, 7, 0, 0x84) ||
	    !ring(run, VMM_IRQ_EVENT_MSI, 0, 0x55, 0x85))
		return;
	lines(run);
	play(run);
}

/* The guest says which line is to move, and where to. */
void script_pic(struct run *run)
{
	while (play_until(run, VMM_EXIT_PORT, 0x80)) {
		uint32_t what = (uint32_t)run->cpu[0].exit.data;

		if (!must(run, "vmm_vm_irq_line",
			  vmm_vm_irq_line(run->vm, what & 31, what >> 7 & 1)))
			return;
	}
}

static void *second_vcpu(void *opaque)
{
	struct cpu *cpu = opaque;
	while (next(cpu) < NEXT_END)
		;
	return NULL;
}

void script_smp(struct run *run)
{
	struct task thread;
	if (!task_start(&thread, second_vcpu, &run->cpu[1]))
		return;
	play(run);
	atomic_store(&run->ended, true);
	vmm_vcpu_kick(run->cpu[1].vcpu);
	task_join(&thread);
}

/* --- kicks and pauses of a guest that spins --- */

static uint64_t counter(struct run *run)
{
	uint64_t value = 0;
	must(run, "vmm_vm_read", vmm_vm_read(run->vm, SCRATCH, &value, sizeof(value)));
	return value;
}

static void stop_spinning(struct run *run)
{
	static const uint32_t stop = 1;
	must(run, "vmm_vm_write", vmm_vm_write(run->vm, SCRATCH + 8, &stop, sizeof(stop)));
}

/* Until the guest has counted on. */
static void await_progress(struct run *run)
{
	for (uint64_t start = counter(run); counter(run) == start;)
		nap_us(1000);
}

static void *kick_spinning(void *opaque)
{
	struct run *run = opaque;
	await_progress(run);
	vmm_vcpu_kick(run->cpu[0].vcpu);
	return NULL;
}

void script_kick(struct run *run)
{
	struct cpu *cpu = &run->cpu[0];
	note(run, "kicked before it runs, twice:");
	vmm_vcpu_kick(cpu->vcpu);
	vmm_vcpu_kick(cpu->vcpu);
	if (next(cpu) != VMM_EXIT_KICKED || !play_until(run, VMM_EXIT_PORT, 0x80))
		return;
	note(run, "kicked with an exit pending:");
	vmm_vcpu_kick(cpu->vcpu);
	if (next(cpu) != VMM_EXIT_KICKED)
		return;
	note(run, "kicked while it spins:");
	for (int i = 0; i < 3; i++) {
		struct task thread;
		if (!task_start(&thread, kick_spinning, run))
			return;
		uint32_t reason = next(cpu);
		task_join(&thread);
		if (reason != VMM_EXIT_KICKED)
			return;
	}
	stop_spinning(run);
	play(run);
}

static void *run_paused(void *opaque)
{
	struct cpu *cpu = opaque;
	for (;;) {
		uint32_t reason = next(cpu);
		if (reason == VMM_EXIT_PAUSED)
			vmm_vm_wait_resumed(cpu->run->vm, VMM_FOREVER);
		else if (reason >= NEXT_END)
			return NULL;
	}
}

void script_pause(struct run *run)
{
	struct task thread;
	if (!play_until(run, VMM_EXIT_PORT, 0x80) || !task_start(&thread, run_paused, &run->cpu[0]))
		return;
	await_progress(run);
	bool ok = vmm_vm_pause(run->vm) == 0 && vmm_vm_pause(run->vm) == 0;
	uint64_t before = counter(run);
	nap_us(50000);
	bool stood = counter(run) == before;
	ok = ok && vmm_vm_resume(run->vm) == 0;
	nap_us(50000);
	stood = stood && counter(run) == before;
	ok = ok && vmm_vm_wait_resumed(run->vm, 1000000) == -VMM_ETIMEOUT;
	ok = ok && vmm_vm_resume(run->vm) == 0 && vmm_vm_resume(run->vm) == -VMM_ESTATE;
	await_progress(run);
	stop_spinning(run);
	task_join(&thread);
	note(run, "calls %s, the guest %s", ok ? "succeeded" : "failed",
	     stood ? "stood still" : "went on");
}

static void *try_second_runner(void *opaque)
{
	struct run *run = opaque;
	struct vmm_exit exit = {0};
	struct vmm_x86_regs regs;
	await_progress(run);
	struct vmm_vcpu *vcpu = run->cpu[0].vcpu;
	bool busy = vmm_vcpu_run(vcpu, &exit) == -VMM_EBUSY &&
		    vmm_vcpu_complete(vcpu, &exit) == -VMM_EBUSY &&
		    vmm_vcpu_get_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)) ==
			    -VMM_EBUSY &&
		    vmm_vm_reset(run->vm) == -VMM_EBUSY && vmm_vm_destroy(run->vm) == -VMM_EBUSY;
	stop_spinning(run);
	return busy ? run : NULL;
}

void script_busy(struct run *run)
{
	struct task thread;
	void *busy = NULL;
	if (!play_until(run, VMM_EXIT_PORT, 0x80) || !task_start(&thread, try_second_runner, run))
		return;
	play_until(run, VMM_EXIT_HLT, 0);
	busy = task_join(&thread);
	note(run, "a second runner, completion, state, reset, destruction: %s",
	     busy ? "busy" : "not all refused");
	play(run);
}

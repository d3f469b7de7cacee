// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * What exits cost on the SVM engine, told by a guest (tests/guest/guests/bench.S), one line a
 * figure: instructions where QEMU counts them (scripts/bench svm).
 */
#include <stdlib.h>
#include <string.h>

#include "bare.h"
#include "engine_here.h"
#include "guest.h"
#include "libvmm/bus.h"
#include "libvmm/mem.h"

/* Of bench.S: memory to be touched for the first time. */
#define FRESH       UINT64_C(0x40000000)
#define FRESH_BYTES UINT64_C(0x400000)

static int on_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		   uint64_t *value)
{
	(void)opaque;
	(void)vcpu;
	(void)offset;
	(void)width;
	*value = 0;
	return 0;
}

static int on_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		    uint64_t value)
{
	(void)opaque;
	(void)vcpu;
	(void)offset;
	(void)width;
	(void)value;
	return 0;
}

static void configure(struct run *run)
{
	static const struct vmm_region_ops ops = {
		.size = sizeof(ops), .read = on_read, .write = on_write};
	struct vmm_region *region;
	struct vmm_mem *fresh;

	if (must(run, "vmm_mem_create", vmm_mem_create(run->ctx, FRESH_BYTES, &fresh))) {
		must(run, "vmm_vm_map",
		     vmm_vm_map(run->vm, FRESH, fresh, 0, FRESH_BYTES, VMM_PROT_RWX));
		vmm_mem_unref(fresh); /* the mapping holds it */
	}
	must(run, "vmm_region_add",
	     vmm_region_add(run->vm, VMM_SPACE_PORT, 0x70, 2, &ops, NULL, &region));
	must(run, "vmm_region_add",
	     vmm_region_add(run->vm, VMM_SPACE_MMIO, MMIO_BASE, 4096, &ops, NULL, &region));
}

/* Not next(): no line of the trace for each exit. */
static void script(struct run *run)
{
	struct cpu *cpu = &run->cpu[0];
	char line[80];
	size_t len = 0;

	while (vmm_vcpu_run(cpu->vcpu, &cpu->exit) == 0 && cpu->exit.reason == VMM_EXIT_PORT &&
	       cpu->exit.addr != 0xf4) {
		if (cpu->exit.addr != 0xe9)
			continue;
		line[len++] = (char)cpu->exit.data;
		if (cpu->exit.data != '\n' && len < sizeof(line) - 1)
			continue;
		line[len] = '\0';
		vmm_bare_print("%s: %s", run->engine, line);
		len = 0;
	}
	if (cpu->exit.reason != VMM_EXIT_PORT)
		note(run, "ended by exit %u", (unsigned)cpu->exit.reason);
}

int vmm_bare_main(const struct vmm_bare_boot *boot)
{
	static const struct test test = {
		.name = "bench",
		.image = "bench",
		.mode = MODE_LONG64,
		.irqchip = VMM_IRQCHIP_ARCH,
		.configure = configure,
		.script = script,
	};
	const struct vmm_engine *engines[] = ENGINES;
	const struct vmm_ctx_config config = {
		.size = sizeof(config),
		.host = vmm_bare_host(),
		.engines = engines,
		.engine_count = 2,
	};
	struct vmm_error error = {.size = sizeof(error)};
	struct vmm_ctx *ctx;
	bool skipped;
	char *trace;

	(void)boot;
	if (vmm_ctx_create(&config, &ctx, &error) != 0) {
		vmm_bare_print("not ok: %s\n", error.text);
		return 1;
	}
	trace = run_test(ctx, engine_here(ctx), &test, 1, NULL, &skipped);
	if (skipped || trace)
		vmm_bare_print("not ok: %s", trace ? trace : "skipped\n");
	free(trace);
	vmm_ctx_destroy(ctx);
	return skipped || trace != NULL;
}

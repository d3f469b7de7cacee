// SPDX-License-Identifier: BSD-2-Clause-Patent
// The embedder's part in the tests of memory, the bus and doorbells.
#include <inttypes.h>

#include "guest.h"
#include "platform.h"
#include "scripts.h"

#define PAGE UINT64_C(0x1000)

/* --- dirty tracking --- */

static void harvest(struct run *run)
{
	uint64_t bitmap[DIRTY_WORDS];
	if (must(run, "vmm_vm_dirty_harvest", harvest_dirty(run, bitmap)))
		note(run, "dirty: %016" PRIx64 " %016" PRIx64, bitmap[1], bitmap[0]);
}

void script_dirty(struct run *run)
{
	static const uint8_t byte = 1;
	outcome(run, "not tracked", vmm_vm_dirty_stop(run->vm, SCRATCH, PAGE));
	if (!must(run, "vmm_vm_dirty_start", start_dirty(run, SCRATCH, 128 * PAGE)))
		return;
	outcome(run, "tracked already", vmm_vm_dirty_start(run->vm, SCRATCH, PAGE));
	harvest(run);
	for (int i = 0; i < 3; i++) {
		if (!play_until(run, VMM_EXIT_HLT, 0))
			return;
		harvest(run);
	}
	must(run, "vmm_vm_write", vmm_vm_write(run->vm, SCRATCH + 64 * PAGE, &byte, 1));
	if (!play_until(run, VMM_EXIT_HLT, 0))
		return;
	harvest(run);
	outcome(run, "stop", stop_dirty(run));
	play(run);
}

/* --- address translation --- */

static void translate(struct run *run, uint64_t gva, uint32_t prot)
{
	uint64_t gpa = 0;
	int rc = vmm_vcpu_translate(run->cpu[0].vcpu, gva, prot, &gpa);
	note(run, "0x%" PRIx64 " for %" PRIu32 ": %s 0x%" PRIx64, gva, prot, vmm_errname(rc), gpa);
}

/* The guest does not run: tables made here, above the runner's own. */
void script_translate(struct run *run)
{
	static const struct {
		uint64_t gpa, entry;
	} entries[] = {
		{0x1000 + 8 * 3, 0x10003},       /* PML4: 0x18000000000 */
		{0x10000, 0x11003},              /* PDPT */
		{0x11000, 0x12003},              /* PD */
		{0x12000, SCRATCH | 1},          /* read-only page */
		{0x12008, SCRATCH | 0x1003},     /* writable page */
		{0x10008, UINT64_C(0xc0000083)}, /* 1 GiB page */
	};
	const uint64_t base = UINT64_C(0x18000000000);
	struct vmm_x86_sys sys;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		must(run, "vmm_vm_write",
		     vmm_vm_write(run->vm, entries[i].gpa, &entries[i].entry, 8));
	translate(run, 0x123456, 0);
	translate(run, base + 0x123, VMM_PROT_READ);
	translate(run, base + 0x1123, VMM_PROT_READ | VMM_PROT_WRITE);
	translate(run, base + 0x2123, 0);
	translate(run, base + 0x40001234, VMM_PROT_READ);
	translate(run, UINT64_C(0x8000000000000000), 0);
	struct vmm_vcpu *vcpu = run->cpu[0].vcpu;
	if (!must(run, "vmm_vcpu_get_state",
		  vmm_vcpu_get_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys))))
		return;
	/* CR0.WP: supervisor writes mind the entry's R/W (SDM 3A 4.6.1). */
	sys.cr0 |= UINT64_C(1) << 16;
	must(run, "vmm_vcpu_set_state",
	     vmm_vcpu_set_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)));
	translate(run, base + 0x123, VMM_PROT_WRITE);
	uint64_t entry = 0;
	must(run, "vmm_vm_read", vmm_vm_read(run->vm, 0x12000, &entry, sizeof(entry)));
	note(run, "entry 0x%" PRIx64, entry);
}

/* --- mappings --- */

/* The guest waits for an order: have it read or write a long at @gpa, until it waits for the next.
 */
static bool order(struct run *run, bool write, uint64_t gpa)
{
	run->cpu[0].exit.data = gpa | write;
	note(run, "order: %s 0x%" PRIx64, write ? "write" : "read", gpa);
	return play_until(run, VMM_EXIT_PORT, PORT_ORDER);
}

static void dismiss(struct run *run)
{
	run->cpu[0].exit.data = 0;
	play(run);
}

void script_readonly(struct run *run)
{
	uint32_t value = 0x11223344;
	if (!must(run, "vmm_vm_write", vmm_vm_write(run->vm, SCRATCH, &value, sizeof(value))) ||
	    !play_until(run, VMM_EXIT_PORT, PORT_ORDER))
		return;
	outcome(run, "read-only",
		vmm_vm_protect(run->vm, SCRATCH, PAGE, VMM_PROT_READ | VMM_PROT_EXEC));
	if (!order(run, false, SCRATCH) || !order(run, true, SCRATCH) ||
	    !order(run, false, SCRATCH) || !order(run, true, SCRATCH + PAGE) ||
	    !order(run, true, SCRATCH - 4))
		return;
	value = 0x55667788;
	outcome(run, "written by its maker", vmm_vm_write(run->vm, SCRATCH, &value, sizeof(value)));
	if (!order(run, false, SCRATCH))
		return;
	outcome(run, "writable", vmm_vm_protect(run->vm, SCRATCH, PAGE, VMM_PROT_RWX));
	if (order(run, true, SCRATCH) && order(run, false, SCRATCH))
		dismiss(run);
}

static void note_mappings(struct run *run)
{
	struct vmm_mapping mapping = {.size = sizeof(mapping)};
	for (uint64_t gpa = 0; vmm_vm_find_mapping(run->vm, gpa, &mapping) == 0;
	     gpa = mapping.gpa + mapping.len) {
		note(run,
		     "mapping 0x%" PRIx64 " + 0x%" PRIx64 ", offset 0x%" PRIx64 ", prot %" PRIu32,
		     mapping.gpa, mapping.len, mapping.offset, mapping.prot);
		if (mapping.gpa + mapping.len == 0)
			break;
	}
}

void script_remap(struct run *run)
{
	uint32_t value = 0x11223344;
	note_mappings(run);
	if (!must(run, "vmm_vm_write", vmm_vm_write(run->vm, SCRATCH, &value, sizeof(value))) ||
	    !play_until(run, VMM_EXIT_PORT, PORT_ORDER) || !order(run, false, SCRATCH))
		return;
	outcome(run, "unmap", vmm_vm_unmap(run->vm, SCRATCH, PAGE));
	outcome(run, "unmap again", vmm_vm_unmap(run->vm, SCRATCH, PAGE));
	outcome(run, "library's read", vmm_vm_read(run->vm, SCRATCH, &value, sizeof(value)));
	note_mappings(run);
	if (!order(run, false, SCRATCH) || !order(run, true, SCRATCH) ||
	    !order(run, true, SCRATCH + PAGE))
		return;
	outcome(run, "overlap",
		vmm_vm_map(run->vm, SCRATCH - PAGE, run->ram, SCRATCH - PAGE, 2 * PAGE,
			   VMM_PROT_RWX));
	outcome(run, "map", vmm_vm_map(run->vm, SCRATCH, run->ram, SCRATCH, PAGE, VMM_PROT_RWX));
	note_mappings(run);
	if (!order(run, false, SCRATCH) || !order(run, true, SCRATCH))
		return;
	outcome(run, "the same memory elsewhere",
		vmm_vm_map(run->vm, UINT64_C(0x80000000), run->ram, SCRATCH, PAGE, VMM_PROT_RWX));
	if (!order(run, false, UINT64_C(0x80000000)))
		return;
	outcome(run, "not aligned",
		vmm_vm_map(run->vm, UINT64_C(0x80000800), run->ram, 0, PAGE, VMM_PROT_RWX));
	outcome(run, "beyond the object",
		vmm_vm_map(run->vm, UINT64_C(0x80001000), run->ram, RAM_SIZE, PAGE, VMM_PROT_RWX));
	dismiss(run);
}

/* --- bus --- */

struct device {
	struct run *run;
	const char *name;
};

static int device_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
			uint64_t value)
{
	struct device *device = opaque;
	note(device->run,
	     "%s: write %" PRIu32 " at +0x%" PRIx64 " = 0x%" PRIx64 " by vCPU %" PRId64,
	     device->name, width, offset, value, vcpu ? (int64_t)vmm_vcpu_index(vcpu) : -1);
	return value == 3 ? -VMM_ENOENT : 0;
}

static int device_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		       uint64_t *value)
{
	(void)opaque;
	(void)vcpu;
	(void)width;
	*value = offset;
	return 0;
}

static void device_released(void *opaque)
{
	struct device *device = opaque;
	if (!atomic_load(&device->run->moving))
		note(device->run, "%s: released", device->name);
}

static const struct vmm_region_ops device_ops = {
	.size = sizeof(device_ops),
	.read = device_read,
	.write = device_write,
	.released = device_released,
};

void script_bus(struct run *run)
{
	/* They are there until the VM goes. */
	static struct device memory = {.name = "memory device"}, port = {.name = "port device"};
	struct attached_region *first, *second, *third;
	uint64_t value = 5;
	memory.run = port.run = run;
	outcome(run, "add",
		add_region(run, VMM_SPACE_MMIO, MMIO_BASE, 16, &device_ops, &memory, &first));
	outcome(run, "overlap",
		add_region(run, VMM_SPACE_MMIO, MMIO_BASE + 15, 16, &device_ops, &memory, &third));
	outcome(run, "add", add_region(run, VMM_SPACE_PORT, 0x700, 2, &device_ops, &port, &second));
	outcome(run, "dispatch", vmm_vm_dispatch(run->vm, VMM_SPACE_PORT, 0x701, 1, 1, &value));
	outcome(run, "dispatch past the end",
		vmm_vm_dispatch(run->vm, VMM_SPACE_PORT, 0x701, 2, 1, &value));
	if (!play_until(run, VMM_EXIT_HLT, 0))
		return;
	drop_region(first);
	play(run);
}

/* --- doorbells --- */

static void note_rings(struct run *run, const char *name, uint64_t event)
{
	note(run, "%s rang %" PRIu64, name, event_count(event));
}

void script_doorbell(struct run *run)
{
	struct attached_bell *memory, *port;
	uint64_t memory_event = event_make(), port_event = event_make();
	struct vmm_doorbell_config config = {
		.size = sizeof(config),
		.space = VMM_SPACE_MMIO,
		.addr = MMIO_BASE,
		.width = 4,
		.event = memory_event,
	};
	outcome(run, "any value", add_bell(run, &config, &memory));
	config = (struct vmm_doorbell_config){
		.size = sizeof(config),
		.space = VMM_SPACE_PORT,
		.addr = 0x700,
		.width = 2,
		.flags = VMM_DOORBELL_MATCH,
		.data = 7,
		.event = port_event,
	};
	outcome(run, "only 7", add_bell(run, &config, &port));
	if (play_until(run, VMM_EXIT_HLT, 0)) {
		note_rings(run, "memory", memory_event);
		note_rings(run, "port", port_event);
		drop_bell(memory);
		play(run);
		note_rings(run, "memory", memory_event);
		drop_bell(port);
	}
	event_close(memory_event);
	event_close(port_event);
}

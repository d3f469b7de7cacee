// SPDX-License-Identifier: BSD-2-Clause-Patent
// The machine under each small guest, and what the embedder has attached to it.
#include "machine.h"

#include <string.h>

#include "platform.h"

#define IMAGE_BASE UINT64_C(0x8000)
#define ROM_BASE   UINT64_C(0xfffff000)
#define GDT_BASE   UINT64_C(0x500)
#define TSS_BASE   UINT64_C(0x580)
#define PML4_BASE  UINT64_C(0x1000)
#define PDPT_BASE  UINT64_C(0x2000)
#define PD_BASE    UINT64_C(0x3000)

static const struct image *find_image(const char *name)
{
	for (size_t i = 0; i < image_count; i++)
		if (!strcmp(images[i].name, name))
			return &images[i];
	return NULL;
}

/* SDM 3A 3.4.5: 64-bit code, data, 32-bit code; the TSS's 16 bytes. */
static const uint64_t gdt[] = {
	0,
	UINT64_C(0x00af9b000000ffff),
	UINT64_C(0x00cf93000000ffff),
	UINT64_C(0x00cf9b000000ffff),
	UINT64_C(0x00008b0000000067) | TSS_BASE << 16,
	0,
};

static bool write_tables(struct run *run)
{
	if (!must(run, "write of the GDT", vmm_vm_write(run->vm, GDT_BASE, gdt, sizeof(gdt))))
		return false;
	uint64_t entry = PDPT_BASE | 3;
	bool ok = must(run, "write", vmm_vm_write(run->vm, PML4_BASE, &entry, sizeof(entry)));
	/* Bits 1 and 2 of a PAE directory pointer are reserved (SDM 3A table 4-8). */
	uint64_t link = run->test->mode == MODE_PAE32 ? 1 : 3;
	for (uint64_t i = 0; ok && i < 4; i++) {
		entry = (PD_BASE + i * PAGE_SIZE) | link;
		ok = must(run, "write",
			  vmm_vm_write(run->vm, PDPT_BASE + 8 * i, &entry, sizeof(entry)));
	}
	for (uint64_t i = 0; ok && i < 4 * 512; i++) {
		entry = i << 21 | 0x83;
		ok = must(run, "write",
			  vmm_vm_write(run->vm, PD_BASE + 8 * i, &entry, sizeof(entry)));
	}
	return ok;
}

static struct vmm_x86_segment segment(uint16_t selector, uint32_t attr)
{
	return (struct vmm_x86_segment){
		.limit = UINT32_MAX,
		.attr = attr | VMM_X86_SEG_S | VMM_X86_SEG_P | VMM_X86_SEG_G,
		.selector = selector,
	};
}

static void system_of_mode(struct vmm_x86_sys *sys, enum mode mode)
{
	struct vmm_x86_segment data = segment(0x10, VMM_X86_SEG_TYPE(3) | VMM_X86_SEG_DB);
	sys->ds = sys->es = sys->fs = sys->gs = sys->ss = data;
	sys->tr = (struct vmm_x86_segment){
		.base = TSS_BASE,
		.limit = 0x67,
		.attr = VMM_X86_SEG_TYPE(11) | VMM_X86_SEG_P,
		.selector = 0x20,
	};
	sys->ldt = (struct vmm_x86_segment){.attr = VMM_X86_SEG_UNUSABLE};
	sys->gdt = (struct vmm_x86_table){.base = GDT_BASE, .limit = sizeof(gdt) - 1};
	sys->idt = (struct vmm_x86_table){.base = 0, .limit = 0};
	sys->cr0 = 0x11;  /* PE, ET */
	sys->cr4 = 0x600; /* OSFXSR, OSXMMEXCPT */
	sys->flags = 0;
	if (mode == MODE_LONG64) {
		sys->cs = segment(0x08, VMM_X86_SEG_TYPE(11) | VMM_X86_SEG_L);
		sys->cr3 = PML4_BASE;
		sys->efer = 0x500; /* LMA, LME */
	} else {
		sys->cs = segment(0x18, VMM_X86_SEG_TYPE(11) | VMM_X86_SEG_DB);
		sys->cr3 = mode == MODE_PAE32 ? PDPT_BASE : 0;
		sys->efer = 0;
	}
	if (mode != MODE_PROT32) {
		sys->cr0 |= UINT64_C(1) << 31;
		sys->cr4 |= 0x20;
	}
}

bool enter_mode(struct run *run, enum mode mode)
{
	struct vmm_vcpu *vcpu = run->cpu[0].vcpu;
	struct vmm_x86_sys sys;
	if (mode == MODE_RESET)
		return true;
	if (!must(run, "get of system registers",
		  vmm_vcpu_get_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys))))
		return false;
	system_of_mode(&sys, mode);
	struct vmm_x86_regs regs = {.rip = IMAGE_BASE, .rflags = 2};
	return must(run, "set of system registers",
		    vmm_vcpu_set_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys))) &&
	       must(run, "set of general registers",
		    vmm_vcpu_set_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)));
}

static bool write_memory(struct run *run)
{
	/* ljmp $0, $0x8000 at the reset vector. */
	static const unsigned char stub[] = {0xea, 0x00, 0x80, 0x00, 0x00};
	const struct image *image = find_image(run->test->image);
	if (!image) {
		note(run, "no image %s", run->test->image);
		return false;
	}
	return must(run, "vmm_vm_map",
		    vmm_vm_map(run->vm, 0, run->ram, 0, RAM_SIZE, VMM_PROT_RWX)) &&
	       must(run, "vmm_vm_map",
		    vmm_vm_map(run->vm, ROM_BASE, run->rom, 0, ROM_SIZE, VMM_PROT_RWX)) &&
	       must(run, "write of the reset vector",
		    vmm_vm_write(run->vm, ROM_BASE + 0xff0, stub, sizeof(stub))) &&
	       must(run, "write of the image",
		    vmm_vm_write(run->vm, IMAGE_BASE, image->data, image->size)) &&
	       (run->test->mode == MODE_RESET || write_tables(run));
}

/* A CPU model by its name, with the vCPU's place in it. */
static bool set_model(struct run *run, uint32_t index, uint32_t cpus)
{
	const struct vmm_x86_topology topology = {
		.sockets = 1, .dies = 1, .cores = cpus, .threads = 1};
	struct vmm_x86_cpuid entries[256];
	uint32_t count = sizeof(entries) / sizeof(entries[0]);
	return must(run, "vmm_x86_cpu_model",
		    vmm_x86_cpu_model(run->ctx, run->engine, run->model, entries, &count)) &&
	       must(run, "vmm_x86_cpuid_topology",
		    vmm_x86_cpuid_topology(entries, &count, sizeof(entries) / sizeof(entries[0]),
					   &topology, index)) &&
	       must(run, "vmm_vcpu_x86_set_cpuid",
		    vmm_vcpu_x86_set_cpuid(run->cpu[index].vcpu, entries, count));
}

/* All that stands before sealing; memory is made, but is nowhere yet. */
static bool make_vm(struct run *run)
{
	const struct test *test = run->test;
	uint32_t cpus = test->cpus ? test->cpus : 1;
	struct vmm_vm_config config = {
		.size = sizeof(config),
		.flags = test->vm_flags,
		.engine = run->engine,
		.irqchip = test->irqchip,
		.max_vcpus = cpus,
		.clock = run->mover ? VMM_CLOCK_STOPS : VMM_CLOCK_RUNS,
	};
	if (!must(run, "vmm_vm_create", vmm_vm_create(run->ctx, &config, &run->vm)))
		return false;
	for (uint32_t i = 0; i < cpus; i++) {
		struct vmm_vcpu_config vcpu = {.size = sizeof(vcpu), .index = i, .arch_id = i};
		run->cpu[i].run = run;
		run->cpu[i].index = i;
		if (!must(run, "vmm_vcpu_create",
			  vmm_vcpu_create(run->vm, &vcpu, &run->cpu[i].vcpu)) ||
		    (run->model && !set_model(run, i, cpus)))
			return false;
	}
	if (test->configure)
		test->configure(run);
	return must(run, "vmm_mem_create", vmm_mem_create(run->ctx, RAM_SIZE, &run->ram)) &&
	       must(run, "vmm_mem_create", vmm_mem_create(run->ctx, ROM_SIZE, &run->rom));
}

bool make_machine(struct run *run)
{
	return make_vm(run) && write_memory(run) &&
	       must(run, "vmm_vm_seal", vmm_vm_seal(run->vm)) && enter_mode(run, run->test->mode);
}

void destroy_machine(struct run *run)
{
	must(run, "vmm_vm_destroy", vmm_vm_destroy(run->vm));
	vmm_mem_unref(run->ram);
	vmm_mem_unref(run->rom);
	run->vm = NULL;
	run->ram = run->rom = NULL;
}

/* --- what the embedder has attached --- */

int add_region(struct run *run, uint32_t space, uint64_t base, uint64_t len,
	       const struct vmm_region_ops *ops, void *opaque, struct attached_region **added)
{
	struct attached_region *r = run->attached.regions;
	while (r->region)
		r++;
	*r = (struct attached_region){space, base, len, ops, opaque, NULL};
	*added = r;
	return vmm_region_add(run->vm, space, base, len, ops, opaque, &r->region);
}

void drop_region(struct attached_region *r)
{
	if (!r)
		return;
	vmm_region_remove(r->region);
	r->region = NULL;
}

int add_bell(struct run *run, const struct vmm_doorbell_config *config,
	     struct attached_bell **added)
{
	struct attached_bell *b = run->attached.bells;
	while (b->bell)
		b++;
	b->config = *config;
	*added = b;
	return vmm_doorbell_add(run->vm, config, &b->bell);
}

void drop_bell(struct attached_bell *b)
{
	vmm_doorbell_remove(b->bell);
	b->bell = NULL;
}

int add_event(struct run *run, const struct vmm_irq_event_config *config)
{
	run->attached.event_config = *config;
	return vmm_irq_event_attach(run->vm, config, &run->attached.event);
}

void drop_event(struct run *run)
{
	vmm_irq_event_detach(run->attached.event);
	run->attached.event = NULL;
}

int debug_vcpu(struct run *run, const struct vmm_debug_config *config)
{
	run->attached.debug = *config;
	return vmm_vcpu_debug(run->cpu[0].vcpu, config);
}

int request_window(struct run *run)
{
	run->attached.window = true;
	return vmm_vcpu_request_window(run->cpu[0].vcpu, 1);
}

int start_dirty(struct run *run, uint64_t gpa, uint64_t len)
{
	struct attached_dirty *d = &run->attached.dirty;
	int rc = vmm_vm_dirty_start(run->vm, gpa, len);
	if (rc == 0)
		*d = (struct attached_dirty){gpa, len, {0}};
	return rc;
}

int harvest_dirty(struct run *run, uint64_t bitmap[DIRTY_WORDS])
{
	struct attached_dirty *d = &run->attached.dirty;
	int rc = vmm_vm_dirty_harvest(run->vm, d->gpa, d->len, bitmap, DIRTY_WORDS);
	for (int i = 0; i < DIRTY_WORDS; i++) {
		bitmap[i] |= d->before[i];
		d->before[i] = 0;
	}
	return rc;
}

int stop_dirty(struct run *run)
{
	struct attached_dirty *d = &run->attached.dirty;
	int rc = vmm_vm_dirty_stop(run->vm, d->gpa, d->len);
	d->len = 0;
	return rc;
}

/* What was written before the move is told after it. */
static bool take_dirty(struct run *run)
{
	uint64_t bitmap[DIRTY_WORDS];
	if (run->attached.dirty.len == 0)
		return true;
	if (!must(run, "vmm_vm_dirty_harvest", harvest_dirty(run, bitmap)))
		return false;
	memcpy(run->attached.dirty.before, bitmap, sizeof(bitmap));
	return true;
}

static bool attach_again(struct run *run)
{
	struct attached *a = &run->attached;
	bool ok = true;
	for (struct attached_region *r = a->regions; ok && r < a->regions + MAX_ATTACHED; r++)
		ok = !r->region || must(run, "vmm_region_add",
					vmm_region_add(run->vm, r->space, r->base, r->len, r->ops,
						       r->opaque, &r->region));
	for (struct attached_bell *b = a->bells; ok && b < a->bells + MAX_ATTACHED; b++)
		ok = !b->bell ||
		     must(run, "vmm_doorbell_add", vmm_doorbell_add(run->vm, &b->config, &b->bell));
	return ok &&
	       (!a->event || must(run, "vmm_irq_event_attach",
				  vmm_irq_event_attach(run->vm, &a->event_config, &a->event))) &&
	       (a->dirty.len == 0 ||
		must(run, "vmm_vm_dirty_start",
		     vmm_vm_dirty_start(run->vm, a->dirty.gpa, a->dirty.len))) &&
	       (!a->window || must(run, "vmm_vcpu_request_window",
				   vmm_vcpu_request_window(run->cpu[0].vcpu, 1))) &&
	       (a->debug.size == 0 ||
		must(run, "vmm_vcpu_debug", vmm_vcpu_debug(run->cpu[0].vcpu, &a->debug)));
}

/* An event is one attachment's at a time, and one that has rung is on its way for a moment. */
static void detach_event(struct run *run)
{
	if (!run->attached.event)
		return;
	nap_us(10000);
	vmm_irq_event_detach(run->attached.event);
}

bool remake_machine(struct run *run, bool (*restore)(struct run *run, void *opaque), void *opaque)
{
	if (!take_dirty(run))
		return false;
	detach_event(run);
	destroy_machine(run);
	return make_vm(run) && must(run, "vmm_vm_seal", vmm_vm_seal(run->vm)) &&
	       must(run, "vmm_vm_pause", vmm_vm_pause(run->vm)) && restore(run, opaque) &&
	       attach_again(run) && must(run, "vmm_vm_resume", vmm_vm_resume(run->vm));
}

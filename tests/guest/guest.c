// SPDX-License-Identifier: BSD-2-Clause-Patent
// The machine under each small guest, and the trace of what the embedder sees.
#include "guest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform.h"

#define PORT_DEBUG 0xe9
#define PORT_END   0xf4

#define IMAGE_BASE UINT64_C(0x8000)
#define ROM_BASE   UINT64_C(0xfffff000)
#define PAGE_SIZE  UINT64_C(0x1000)
#define GDT_BASE   UINT64_C(0x500)
#define TSS_BASE   UINT64_C(0x580)
#define PML4_BASE  UINT64_C(0x1000)
#define PDPT_BASE  UINT64_C(0x2000)
#define PD_BASE    UINT64_C(0x3000)

#define MOST_EXITS 1000 /* in a trace */

/* --- traces --- */

static void trace_vadd(struct trace *trace, const char *format, va_list arguments)
{
	char line[512];
	int len = vsnprintf(line, sizeof(line) - 1, format, arguments);
	if (len < 0)
		return;
	if ((size_t)len > sizeof(line) - 2)
		len = (int)sizeof(line) - 2;
	line[len++] = '\n';
	if (trace->len + (size_t)len + 1 > trace->room) {
		trace->room = 2 * trace->room + sizeof(line);
		trace->text = realloc(trace->text, trace->room);
		if (!trace->text)
			abort();
	}
	memcpy(trace->text + trace->len, line, (size_t)len);
	trace->len += (size_t)len;
	trace->text[trace->len] = '\0';
}

__attribute__((format(printf, 2, 3))) static void trace_add(struct trace *trace, const char *format,
							    ...)
{
	va_list arguments;
	va_start(arguments, format);
	trace_vadd(trace, format, arguments);
	va_end(arguments);
}

void note(struct run *run, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	trace_vadd(&run->cpu[0].trace, format, arguments);
	va_end(arguments);
}

void outcome(struct run *run, const char *what, int rc)
{
	note(run, "%s: %s", what, vmm_errname(rc));
}

bool must(struct run *run, const char *what, int rc)
{
	if (rc == 0)
		return true;
	struct vmm_error error = {.size = sizeof(error)};
	if (run->vm)
		vmm_vm_error(run->vm, &error);
	else
		vmm_ctx_error(run->ctx, &error);
	note(run, "%s failed: %s; last detail: %s: %s", what, vmm_errname(rc), error.call,
	     error.text);
	return false;
}

/* --- exits --- */

uint64_t answer(uint32_t n)
{
	return UINT64_C(0x8877665544332211) + n * UINT64_C(0x0101010101010101);
}

static uint64_t of_width(uint64_t value, uint32_t width)
{
	return width < 8 ? value & ((UINT64_C(1) << (8 * width)) - 1) : value;
}

static void trace_access(struct cpu *cpu, const char *name)
{
	struct vmm_exit *exit = &cpu->exit;
	if (exit->flags & VMM_EXIT_F_WRITE) {
		trace_add(&cpu->trace, "%s write %" PRIu32 " at 0x%" PRIx64 " = 0x%" PRIx64, name,
			  exit->width, exit->addr, exit->data);
	} else {
		exit->data = of_width(answer(cpu->run->answers++), exit->width);
		trace_add(&cpu->trace, "%s read %" PRIu32 " at 0x%" PRIx64 " -> 0x%" PRIx64, name,
			  exit->width, exit->addr, exit->data);
	}
}

static void trace_exit(struct cpu *cpu)
{
	struct vmm_exit *exit = &cpu->exit;
	const char *name = vmm_exit_name(exit->reason);
	if (exit->reason == VMM_EXIT_PORT && exit->addr == PORT_ORDER)
		return;
	switch (exit->reason) {
	case VMM_EXIT_MMIO:
	case VMM_EXIT_PORT:
	case VMM_EXIT_MSR:
		trace_access(cpu, name);
		break;
	case VMM_EXIT_DEBUG:
		/* BS, B0-B3, and BD; the bits that are always 1 differ from engine to engine. */
		trace_add(&cpu->trace, "DEBUG at 0x%" PRIx64 ", dr6 0x%" PRIx64, exit->addr,
			  exit->data & 0x600f);
		break;
	case VMM_EXIT_ENTRY_FAILED:
	case VMM_EXIT_ENGINE_ERROR:
		trace_add(&cpu->trace, "%s 0x%" PRIx64 " 0x%" PRIx64, name, exit->hw_code,
			  exit->hw_info);
		break;
	default:
		trace_add(&cpu->trace, "%s", name ? name : "an exit without a name");
	}
}

/* Whether the exit was the guest's talk. */
static bool debug_port(struct cpu *cpu)
{
	const struct vmm_exit *exit = &cpu->exit;
	if (exit->reason != VMM_EXIT_PORT || exit->addr != PORT_DEBUG ||
	    !(exit->flags & VMM_EXIT_F_WRITE))
		return false;
	if (exit->data == '\n' || cpu->said_len == sizeof(cpu->said) - 1) {
		trace_add(&cpu->trace, "guest: %.*s", (int)cpu->said_len, cpu->said);
		cpu->said_len = 0;
	}
	if (exit->data != '\n')
		cpu->said[cpu->said_len++] = (char)exit->data;
	return true;
}

uint32_t next(struct cpu *cpu)
{
	struct vmm_exit *exit = &cpu->exit;
	do {
		int rc = vmm_vcpu_run(cpu->vcpu, exit);
		if (rc) {
			struct vmm_error error = {.size = sizeof(error)};
			vmm_vcpu_error(cpu->vcpu, &error);
			trace_add(&cpu->trace, "vmm_vcpu_run failed: %s; %s: %s", vmm_errname(rc),
				  error.call, error.text);
			return NEXT_FAILED;
		}
		if (exit->reason == VMM_EXIT_KICKED && limit_reached()) {
			trace_add(&cpu->trace, "time is up");
			return NEXT_FAILED;
		}
		if (exit->reason == VMM_EXIT_KICKED && atomic_load(&cpu->run->ended))
			return NEXT_END;
		if (exit->reason == VMM_EXIT_IDLE) /* some engines wait by themselves */
			vmm_vcpu_wait(cpu->vcpu, exit->data);
	} while (debug_port(cpu) || exit->reason == VMM_EXIT_IDLE);
	if (++cpu->exits > MOST_EXITS) {
		trace_add(&cpu->trace, "too many exits");
		return NEXT_FAILED;
	}
	if (exit->reason == VMM_EXIT_PORT && exit->addr == PORT_END) {
		trace_add(&cpu->trace, "end %" PRIu64, exit->data);
		return NEXT_END;
	}
	trace_exit(cpu);
	return exit->reason;
}

static bool over(uint32_t reason)
{
	return reason == NEXT_END || reason == NEXT_FAILED || reason == VMM_EXIT_SHUTDOWN ||
	       reason == VMM_EXIT_ENTRY_FAILED || reason == VMM_EXIT_ENGINE_ERROR;
}

void play(struct run *run)
{
	while (!over(next(&run->cpu[0])))
		;
}

bool play_until(struct run *run, uint32_t reason, uint64_t addr)
{
	for (;;) {
		uint32_t got = next(&run->cpu[0]);
		if (got == reason && (reason < VMM_EXIT_MMIO || run->cpu[0].exit.addr == addr))
			return true;
		if (over(got))
			return false;
	}
}

/* --- the machine --- */

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

static bool load_memory(struct run *run)
{
	/* ljmp $0, $0x8000 at the reset vector. */
	static const unsigned char stub[] = {0xea, 0x00, 0x80, 0x00, 0x00};
	const struct image *image = find_image(run->test->image);
	if (!image) {
		note(run, "no image %s", run->test->image);
		return false;
	}
	return must(run, "vmm_mem_create", vmm_mem_create(run->ctx, RAM_SIZE, &run->ram)) &&
	       must(run, "vmm_mem_create", vmm_mem_create(run->ctx, PAGE_SIZE, &run->rom)) &&
	       must(run, "vmm_vm_map",
		    vmm_vm_map(run->vm, 0, run->ram, 0, RAM_SIZE, VMM_PROT_RWX)) &&
	       must(run, "vmm_vm_map",
		    vmm_vm_map(run->vm, ROM_BASE, run->rom, 0, PAGE_SIZE, VMM_PROT_RWX)) &&
	       must(run, "write of the reset vector",
		    vmm_vm_write(run->vm, ROM_BASE + 0xff0, stub, sizeof(stub))) &&
	       must(run, "write of the image",
		    vmm_vm_write(run->vm, IMAGE_BASE, image->data, image->size)) &&
	       (run->test->mode == MODE_RESET || write_tables(run));
}

static bool make_machine(struct run *run)
{
	const struct test *test = run->test;
	uint32_t cpus = test->cpus ? test->cpus : 1;
	struct vmm_vm_config config = {
		.size = sizeof(config),
		.flags = test->vm_flags,
		.engine = run->engine,
		.irqchip = test->irqchip,
		.max_vcpus = cpus,
	};
	if (!must(run, "vmm_vm_create", vmm_vm_create(run->ctx, &config, &run->vm)))
		return false;
	for (uint32_t i = 0; i < cpus; i++) {
		struct vmm_vcpu_config vcpu = {.size = sizeof(vcpu), .index = i, .arch_id = i};
		run->cpu[i].run = run;
		run->cpu[i].index = i;
		if (!must(run, "vmm_vcpu_create",
			  vmm_vcpu_create(run->vm, &vcpu, &run->cpu[i].vcpu)))
			return false;
	}
	if (test->configure)
		test->configure(run);
	return load_memory(run) && must(run, "vmm_vm_seal", vmm_vm_seal(run->vm)) &&
	       enter_mode(run, test->mode);
}

/* Whether the engine can do what the test needs. */
static bool capable(struct run *run)
{
	for (size_t i = 0; i < sizeof(run->test->cap) / sizeof(run->test->cap[0]); i++) {
		uint64_t value = 1;
		if (run->test->cap[i])
			vmm_ctx_cap(run->ctx, run->engine, run->test->cap[i], &value);
		if (!value)
			return false;
	}
	if (run->test->needs & ~platform_has())
		return false;
	uint64_t xcr0 = 0;
	vmm_ctx_cap(run->ctx, run->engine, VMM_CAP_XCR0, &xcr0);
	return (xcr0 & run->test->xcr0) == run->test->xcr0;
}

/* The whole trace of a test: the vCPUs' one after the other. Freed by the caller. */
static char *collect(struct run *run)
{
	struct trace all = {0};
	for (uint32_t i = 0; i < MAX_CPUS; i++) {
		struct cpu *cpu = &run->cpu[i];
		if (i && cpu->vcpu)
			trace_add(&all, "vCPU %" PRIu32 ":", i);
		char *rest = cpu->trace.text;
		for (char *line = rest ? strtok_r(rest, "\n", &rest) : NULL; line;
		     line = strtok_r(NULL, "\n", &rest))
			trace_add(&all, "%s", line);
		if (cpu->said_len)
			trace_add(&all, "guest, unfinished: %.*s", (int)cpu->said_len, cpu->said);
		free(cpu->trace.text);
	}
	return all.text;
}

char *run_test(struct vmm_ctx *ctx, const char *engine, const struct test *test, uint32_t rounds,
	       bool *skipped)
{
	struct run run = {
		.test = test,
		.ctx = ctx,
		.engine = engine,
		.rounds = rounds,
	};
	*skipped = !capable(&run);
	if (*skipped)
		return NULL;
	limit_begin(&run);
	if (make_machine(&run)) {
		if (test->script)
			test->script(&run);
		else
			play(&run);
	}
	limit_end();
	must(&run, "vmm_vm_destroy", vmm_vm_destroy(run.vm));
	run.vm = NULL;
	vmm_mem_unref(run.ram);
	vmm_mem_unref(run.rom);
	return collect(&run);
}

const struct test *find_test(const char *name)
{
	for (size_t i = 0; i < test_count; i++)
		if (!strcmp(tests[i].name, name))
			return &tests[i];
	return NULL;
}

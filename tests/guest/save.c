// SPDX-License-Identifier: BSD-2-Clause-Patent
// Machines as bytes: save.h tells the format.
#include "save.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#define MAGIC   "VMMSAVE"
#define VERSION 1
#define HEAD    32
#define SAVE_VM UINT32_MAX

enum kind { END, STATE, MSR, MAPPING, PAGE, TRACE };

/* MSR: as at power-on, so that an engine without it has lost nothing. */
#define MSR_UNTOUCHED 1u

#define OBJECTS 2 /* RAM, ROM */

/* Where both objects are seen whole while they are copied: above all that guests use. */
#define WINDOW UINT64_C(0x2000000000)

#define WORDS (PAGE_SIZE / 8)

/* --- bytes --- */

static void put(struct bytes *out, const void *data, size_t len)
{
	if (out->len + len > out->room) {
		out->room = 2 * (out->len + len);
		out->data = realloc(out->data, out->room);
		if (!out->data)
			abort();
	}
	memcpy(out->data + out->len, data, len);
	out->len += len;
}

static void put_number(struct bytes *out, uint64_t value, size_t width)
{
	uint8_t raw[8];
	for (size_t i = 0; i < 8; i++)
		raw[i] = (uint8_t)(value >> (8 * i));
	put(out, raw, width);
}

static void put32(struct bytes *out, uint32_t value)
{
	put_number(out, value, 4);
}

static void put64(struct bytes *out, uint64_t value)
{
	put_number(out, value, 8);
}

/* A record; its length is known when it ends. */
static size_t begin(struct bytes *out, enum kind kind)
{
	put32(out, kind);
	put32(out, 0);
	return out->len;
}

static void end(struct bytes *out, size_t start)
{
	size_t after = out->len;
	out->len = start - 4;
	put32(out, (uint32_t)(after - start));
	out->len = after;
}

/* What is left to read; once it was too little, all further numbers are 0. */
struct in {
	const uint8_t *at;
	size_t left;
	bool bad;
};

static const uint8_t *take(struct in *in, size_t len)
{
	if (in->bad || len > in->left) {
		in->bad = true;
		return NULL;
	}
	const uint8_t *at = in->at;
	in->at += len;
	in->left -= len;
	return at;
}

static uint64_t take_number(struct in *in, size_t width)
{
	const uint8_t *at = take(in, width);
	uint64_t value = 0;
	for (size_t i = 0; at && i < width; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

static uint32_t take32(struct in *in)
{
	return (uint32_t)take_number(in, 4);
}

static uint64_t take64(struct in *in)
{
	return take_number(in, 8);
}

/* --- state classes --- */

static uint32_t cpu_count(const struct run *run)
{
	return run->test->cpus ? run->test->cpus : 1;
}

/*
 * The order in which a vCPU's state is written, with the VM paused: SYS before what lies behind
 * XCR0 and IA32_APIC_BASE, the TSC before the APIC's timer, and the APIC before IA32_TSC_DEADLINE
 * among the MSRs; EVENTS after REGS, which drops a pending exception on KVM, and before MP, which
 * may post one. The IOAPIC goes before all local APICs, whose IRRs have what it may send once more.
 * Records are written in this order, and read as they come.
 */
static const uint32_t classes[] = {
	VMM_STATE_X86_REGS,  VMM_STATE_X86_SYS,    VMM_STATE_X86_XSAVE,
	VMM_STATE_X86_DEBUG, VMM_STATE_X86_TSC,    VMM_STATE_X86_LAPIC,
	VMM_STATE_X86_MSRS,  VMM_STATE_X86_EVENTS, VMM_STATE_X86_MP,
};

#define COMPONENTS 63

static void put_state(struct bytes *out, uint32_t number, uint32_t cls, uint32_t index,
		      const void *state, size_t size)
{
	size_t start = begin(out, STATE);
	put32(out, number);
	put32(out, cls);
	put32(out, index);
	put(out, state, size);
	end(out, start);
}

static bool save_class(struct run *run, struct bytes *out, uint32_t number, uint32_t cls,
		       uint32_t index)
{
	struct vmm_vcpu *vcpu = run->cpu[number].vcpu;
	uint8_t state[4096];
	size_t size;
	if (vmm_vcpu_state_size(vcpu, cls, index, &size))
		return cls == VMM_STATE_X86_XSAVE;
	if (size > sizeof(state) ||
	    !must(run, "vmm_vcpu_get_state", vmm_vcpu_get_state(vcpu, cls, index, state, size)))
		return false;
	put_state(out, number, cls, index, state, size);
	return true;
}

static bool has_msr(const struct run *run, uint32_t index)
{
	for (uint32_t i = 0; i < run->msr_count; i++)
		if (run->msrs[0][i].index == index)
			return true;
	return false;
}

static bool save_msrs(struct run *run, struct bytes *out, uint32_t number)
{
	for (uint32_t i = 0; i < run->msr_count; i++) {
		const struct vmm_x86_msr *initial = &run->msrs[number][i];
		struct vmm_x86_msr msr = {.index = initial->index};
		if (!must(run, "vmm_vcpu_get_state",
			  vmm_vcpu_get_state(run->cpu[number].vcpu, VMM_STATE_X86_MSRS, 0, &msr,
					     sizeof(msr))))
			return false;
		size_t start = begin(out, MSR);
		put32(out, number);
		put32(out, msr.index);
		put32(out, initial->value == msr.value ? MSR_UNTOUCHED : 0);
		put64(out, msr.value);
		end(out, start);
	}
	return true;
}

bool save_note_msrs(struct run *run)
{
	uint32_t list[MAX_MSRS];
	run->msr_count = MAX_MSRS;
	if (!must(run, "vmm_vm_x86_msr_list", vmm_vm_x86_msr_list(run->vm, list, &run->msr_count)))
		return false;
	for (uint32_t c = 0; c < cpu_count(run); c++) {
		for (uint32_t i = 0; i < run->msr_count; i++) {
			struct vmm_x86_msr *msr = &run->msrs[c][i];
			*msr = (struct vmm_x86_msr){.index = list[i]};
			if (!must(run, "vmm_vcpu_get_state",
				  vmm_vcpu_get_state(run->cpu[c].vcpu, VMM_STATE_X86_MSRS, 0, msr,
						     sizeof(*msr))))
				return false;
		}
	}
	return true;
}

static bool save_vcpu(struct run *run, struct bytes *out, uint32_t number,
		      const struct vmm_x86_mp *mp)
{
	bool controller = run->test->irqchip == VMM_IRQCHIP_ARCH;
	bool ok = true;
	for (size_t i = 0; ok && i < sizeof(classes) / sizeof(classes[0]); i++) {
		uint32_t cls = classes[i];
		if (cls == VMM_STATE_X86_MSRS)
			ok = save_msrs(run, out, number);
		else if (cls == VMM_STATE_X86_XSAVE)
			for (uint32_t c = 0; ok && c < COMPONENTS; c++)
				ok = save_class(run, out, number, cls, c);
		else if (cls == VMM_STATE_X86_MP)
			put_state(out, number, cls, 0, mp, sizeof(*mp));
		else if (controller || cls != VMM_STATE_X86_LAPIC)
			ok = save_class(run, out, number, cls, 0);
	}
	return ok;
}

static bool save_vm_class(struct run *run, struct bytes *out, uint32_t cls, void *state,
			  size_t size)
{
	if (!must(run, "vmm_vm_get_state", vmm_vm_get_state(run->vm, cls, 0, state, size)))
		return false;
	put_state(out, SAVE_VM, cls, 0, state, size);
	return true;
}

static bool save_vm(struct run *run, struct bytes *out)
{
	bool controller = run->test->irqchip == VMM_IRQCHIP_ARCH;
	bool pic = (run->test->vm_flags & VMM_VM_PIC) != 0;
	struct vmm_x86_clock clock;
	struct vmm_x86_ioapic ioapic;
	struct vmm_x86_pic pair;
	return save_vm_class(run, out, VMM_STATE_X86_CLOCK, &clock, sizeof(clock)) &&
	       (!controller ||
		save_vm_class(run, out, VMM_STATE_X86_IOAPIC, &ioapic, sizeof(ioapic))) &&
	       (!pic || save_vm_class(run, out, VMM_STATE_X86_PIC, &pair, sizeof(pair)));
}

/* --- memory --- */

/*
 * A page is runs of words that grow by the same step (zeros; entries of tables), and words as they
 * are between them: u16 words and u16 1, u64 first, u64 step; or u16 words and u16 0, the words.
 */
#define RUN_LEAST 4

static size_t run_length(const uint64_t *words, size_t left)
{
	size_t n = left < 2 ? left : 2;
	while (n < left && words[n] - words[n - 1] == words[1] - words[0])
		n++;
	return n;
}

static void put_words(struct bytes *out, const uint64_t *words, size_t n)
{
	if (n == 0)
		return;
	put_number(out, n, 2);
	put_number(out, 0, 2);
	for (size_t i = 0; i < n; i++)
		put64(out, words[i]);
}

static void put_page(struct bytes *out, const uint64_t *words)
{
	size_t from = 0, n;
	for (size_t at = 0; at < WORDS; at += n) {
		n = run_length(words + at, WORDS - at);
		if (n < RUN_LEAST) {
			n = 1;
			continue;
		}
		put_words(out, words + from, at - from);
		put_number(out, n, 2);
		put_number(out, 1, 2);
		put64(out, words[at]);
		put64(out, words[at + 1] - words[at]);
		from = at + n;
	}
	put_words(out, words + from, WORDS - from);
}

static bool take_page(struct in *in, uint64_t *words)
{
	size_t at = 0;
	while (!in->bad && at < WORDS) {
		size_t n = (size_t)take_number(in, 2);
		uint64_t kind = take_number(in, 2), value, step;
		if (n == 0 || n > WORDS - at || kind > 1)
			return false;
		if (kind == 0) {
			for (size_t i = 0; i < n; i++)
				words[at++] = take64(in);
			continue;
		}
		value = take64(in);
		step = take64(in);
		for (size_t i = 0; i < n; i++, value += step)
			words[at++] = value;
	}
	return !in->bad && in->left == 0;
}

static bool all_zero(const uint64_t *words)
{
	for (size_t i = 0; i < WORDS; i++)
		if (words[i] != 0)
			return false;
	return true;
}

static struct vmm_mem *object(const struct run *run, uint32_t number)
{
	return number == 0 ? run->ram : run->rom;
}

/* Both objects one after the other in the window: parts of them may be mapped nowhere else. */
static bool open_window(struct run *run)
{
	return must(run, "vmm_vm_map",
		    vmm_vm_map(run->vm, WINDOW, run->ram, 0, RAM_SIZE, VMM_PROT_RWX)) &&
	       must(run, "vmm_vm_map",
		    vmm_vm_map(run->vm, WINDOW + RAM_SIZE, run->rom, 0, ROM_SIZE, VMM_PROT_RWX));
}

static bool close_window(struct run *run)
{
	return must(run, "vmm_vm_unmap", vmm_vm_unmap(run->vm, WINDOW, RAM_SIZE + ROM_SIZE));
}

static bool save_pages(struct run *run, struct bytes *out)
{
	uint64_t words[WORDS];
	for (uint64_t at = 0; at < RAM_SIZE + ROM_SIZE; at += PAGE_SIZE) {
		if (!must(run, "vmm_vm_read",
			  vmm_vm_read(run->vm, WINDOW + at, words, sizeof(words))))
			return false;
		if (all_zero(words))
			continue;
		size_t start = begin(out, PAGE);
		put32(out, at >= RAM_SIZE);
		put64(out, at >= RAM_SIZE ? at - RAM_SIZE : at);
		put_page(out, words);
		end(out, start);
	}
	return true;
}

static void save_mappings(struct run *run, struct bytes *out)
{
	struct vmm_mapping m = {.size = sizeof(m)};
	for (uint64_t gpa = 0; vmm_vm_find_mapping(run->vm, gpa, &m) == 0; gpa = m.gpa + m.len) {
		size_t start = begin(out, MAPPING);
		put32(out, m.mem == run->rom);
		put32(out, m.prot);
		put64(out, m.gpa);
		put64(out, m.len);
		put64(out, m.offset);
		end(out, start);
		if (m.gpa + m.len == 0)
			break;
	}
}

/* --- a machine --- */

static void save_trace(const struct run *run, struct bytes *out, uint32_t number)
{
	const struct cpu *cpu = &run->cpu[number];
	size_t start = begin(out, TRACE);
	put32(out, number);
	put32(out, cpu->exits);
	put32(out, run->answers);
	put32(out, (uint32_t)cpu->said_len);
	put(out, cpu->said, cpu->said_len);
	put(out, cpu->trace.text, cpu->trace.len);
	end(out, start);
}

bool save_machine(struct run *run, struct bytes *out)
{
	const char *name = run->test->name;
	struct vmm_x86_mp mp[MAX_CPUS];
	bool ok = true;
	*out = (struct bytes){0};
	/* Before all else: an engine may act now on what has come (INIT), to be able to tell. */
	for (uint32_t i = 0; ok && i < cpu_count(run); i++)
		ok = must(run, "vmm_vcpu_get_state",
			  vmm_vcpu_get_state(run->cpu[i].vcpu, VMM_STATE_X86_MP, 0, &mp[i],
					     sizeof(mp[i])));
	put(out, MAGIC, 8);
	put32(out, VERSION);
	put32(out, run->position);
	put64(out, 0);
	put32(out, cpu_count(run));
	put32(out, (uint32_t)strlen(name));
	put(out, name, strlen(name));
	for (uint32_t i = 0; i < cpu_count(run); i++)
		save_trace(run, out, i);
	save_mappings(run, out);
	ok = ok && open_window(run) && save_pages(run, out) && close_window(run);
	ok = ok && save_vm(run, out);
	for (uint32_t i = 0; ok && i < cpu_count(run); i++)
		ok = save_vcpu(run, out, i, &mp[i]);
	end(out, begin(out, END));
	while (out->len % 8)
		put(out, "", 1);
	size_t len = out->len;
	out->len = 16;
	put64(out, len);
	out->len = len;
	return ok;
}

bool save_read_head(const uint8_t *data, size_t room, struct save_head *head)
{
	struct in in = {data, room, false};
	const uint8_t *magic = take(&in, 8);
	uint32_t version = take32(&in);
	head->position = take32(&in);
	uint64_t len = take64(&in);
	take32(&in);
	uint32_t name_len = take32(&in);
	const uint8_t *name = take(&in, name_len);
	if (in.bad || memcmp(magic, MAGIC, 8) != 0 || version != VERSION || len > room ||
	    len < HEAD + (uint64_t)name_len || name_len >= sizeof(head->test))
		return false;
	memcpy(head->test, name, name_len);
	head->test[name_len] = '\0';
	head->len = (size_t)len;
	return true;
}

/* --- and back --- */

static bool bad_record(struct run *run, uint32_t kind)
{
	note(run, "a bad record of kind %" PRIu32, kind);
	return false;
}

static bool restore_mapping(struct run *run, struct in *in)
{
	uint32_t number = take32(in), prot = take32(in);
	uint64_t gpa = take64(in), len = take64(in), offset = take64(in);
	if (in->bad || number >= OBJECTS)
		return bad_record(run, MAPPING);
	return must(run, "vmm_vm_map",
		    vmm_vm_map(run->vm, gpa, object(run, number), offset, len, prot));
}

static bool restore_page(struct run *run, struct in *in)
{
	uint64_t words[WORDS];
	uint32_t number = take32(in);
	uint64_t offset = take64(in);
	if (in->bad || number >= OBJECTS ||
	    offset > (number == 0 ? RAM_SIZE : ROM_SIZE) - PAGE_SIZE || offset % PAGE_SIZE ||
	    !take_page(in, words))
		return bad_record(run, PAGE);
	uint64_t gpa = WINDOW + (number == 0 ? 0 : RAM_SIZE) + offset;
	return must(run, "vmm_vm_write", vmm_vm_write(run->vm, gpa, words, sizeof(words)));
}

static bool set(struct run *run, struct vmm_vcpu *vcpu, uint32_t cls, uint32_t index,
		const void *state, size_t len)
{
	struct vmm_error error = {.size = sizeof(error)};
	int rc = vmm_vcpu_set_state(vcpu, cls, index, state, len);
	if (rc == 0)
		return true;
	vmm_vcpu_error(vcpu, &error);
	note(run, "vCPU %" PRIu32 ", class 0x%" PRIx32 ", index %" PRIu32 ": %s: %s: %s",
	     vmm_vcpu_index(vcpu), cls, index, vmm_errname(rc), error.call, error.text);
	return false;
}

#define ACCESSED UINT64_C(0x20)

/* QEMU's SVM sets the accessed bit in PAE's directory pointers, with which others do not load them
 * (SDM 3A table 4-8). */
static bool mend_pdptrs(struct run *run, const struct vmm_x86_sys *sys)
{
	uint64_t entries[4], gpa = sys->cr3 & UINT32_C(0xffffffe0);
	if (!(sys->flags & VMM_X86_SYS_PDPTRS))
		return true;
	if (!must(run, "vmm_vm_read", vmm_vm_read(run->vm, gpa, entries, sizeof(entries))))
		return false;
	for (int i = 0; i < 4; i++)
		entries[i] &= ~ACCESSED;
	return must(run, "vmm_vm_write", vmm_vm_write(run->vm, gpa, entries, sizeof(entries)));
}

/* A component that this engine or its model has not is not missed while it is all zeros. */
static bool restore_vcpu_class(struct run *run, struct vmm_vcpu *vcpu, uint32_t cls, uint32_t index,
			       const uint8_t *data, size_t len)
{
	size_t size;
	_Alignas(8) uint8_t state[4096] = {0};
	if (len > sizeof(state))
		return bad_record(run, STATE);
	if (cls == VMM_STATE_X86_XSAVE && index > 1 &&
	    vmm_vcpu_state_size(vcpu, cls, index, &size) && memcmp(state, data, len) == 0)
		return true;
	memcpy(state, data, len);
	if (cls == VMM_STATE_X86_SYS && len == sizeof(struct vmm_x86_sys) &&
	    !mend_pdptrs(run, (const struct vmm_x86_sys *)(const void *)state))
		return false;
	if (cls == VMM_STATE_X86_TSC && len == sizeof(struct vmm_x86_tsc))
		/* The two machines' clocks are the same host's, each measured by itself. */
		((struct vmm_x86_tsc *)(void *)state)->khz = 0;
	return set(run, vcpu, cls, index, state, len);
}

static bool restore_state(struct run *run, struct in *in)
{
	uint32_t number = take32(in), cls = take32(in), index = take32(in);
	if (in->bad || (number >= cpu_count(run) && number != SAVE_VM))
		return bad_record(run, STATE);
	if (number == SAVE_VM)
		return must(run, "vmm_vm_set_state",
			    vmm_vm_set_state(run->vm, cls, index, in->at, in->left));
	return restore_vcpu_class(run, run->cpu[number].vcpu, cls, index, in->at, in->left);
}

static bool restore_msr(struct run *run, struct in *in)
{
	uint32_t number = take32(in);
	struct vmm_x86_msr msr = {.index = take32(in)};
	uint32_t flags = take32(in);
	msr.value = take64(in);
	if (in->bad || number >= cpu_count(run) || in->left != 0)
		return bad_record(run, MSR);
	if (!has_msr(run, msr.index) && (flags & MSR_UNTOUCHED))
		return true;
	return set(run, run->cpu[number].vcpu, VMM_STATE_X86_MSRS, 0, &msr, sizeof(msr));
}

static bool restore_trace(struct run *run, struct in *in)
{
	uint32_t number = take32(in), exits = take32(in), answers = take32(in), said = take32(in);
	const uint8_t *text = take(in, said);
	if (in->bad || number >= cpu_count(run) || said > sizeof(run->cpu[0].said))
		return bad_record(run, TRACE);
	struct cpu *cpu = &run->cpu[number];
	if (said)
		memcpy(cpu->said, text, said);
	cpu->said_len = said;
	cpu->exits = exits;
	run->answers = answers;
	cpu->trace.len = 0;
	trace_text(&cpu->trace, (const char *)in->at, in->left);
	return true;
}

static bool restore_record(struct run *run, uint32_t kind, struct in *in)
{
	switch (kind) {
	case STATE:
		return restore_state(run, in);
	case MSR:
		return restore_msr(run, in);
	case MAPPING:
		return restore_mapping(run, in);
	case PAGE:
		return restore_page(run, in);
	default:
		return restore_trace(run, in);
	}
}

static bool restore_records(struct run *run, struct in in)
{
	for (;;) {
		uint32_t kind = take32(&in), len = take32(&in);
		const uint8_t *data = take(&in, len);
		if (in.bad || kind > TRACE)
			return bad_record(run, kind);
		if (kind == END)
			return true;
		if (!restore_record(run, kind, &(struct in){data, len, false}))
			return false;
	}
}

bool restore_machine(struct run *run, const uint8_t *data, size_t len)
{
	struct save_head head;
	if (!save_read_head(data, len, &head) || strcmp(head.test, run->test->name) != 0) {
		note(run, "not a file of this test");
		return false;
	}
	size_t start = HEAD + strlen(head.test);
	struct in in = {data + start, head.len - start, false};
	if (!save_note_msrs(run) || !open_window(run))
		return false;
	bool ok = restore_records(run, in);
	return close_window(run) && ok;
}

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/x86.h - x86-64: state classes, CPU model, MSR and port filters.
 *
 * References are to the Intel 64 and IA-32 Architectures Software Developer's Manual (SDM) and the
 * AMD64 Architecture Programmer's Manual (APM), volume 2.
 */
#ifndef LIBVMM_X86_H
#define LIBVMM_X86_H

#include "libvmm/state.h"

VMM_BEGIN_DECLS

/* vCPU state classes, for vmm_vcpu_get_state() and vmm_vcpu_set_state(). */
#define VMM_STATE_X86_REGS   0x100 /* struct vmm_x86_regs */
#define VMM_STATE_X86_SYS    0x101 /* struct vmm_x86_sys */
#define VMM_STATE_X86_DEBUG  0x102 /* struct vmm_x86_debug_regs */
#define VMM_STATE_X86_XSAVE  0x103 /* index = component; its bytes in standard format, see below */
#define VMM_STATE_X86_MSRS   0x104 /* array of struct vmm_x86_msr; size a multiple of one */
#define VMM_STATE_X86_EVENTS 0x105 /* struct vmm_x86_events */
#define VMM_STATE_X86_LAPIC  0x106 /* struct vmm_x86_lapic; VMM_IRQCHIP_ARCH only */
#define VMM_STATE_X86_MP     0x107 /* struct vmm_x86_mp */
#define VMM_STATE_X86_TSC    0x108 /* struct vmm_x86_tsc */

/* VM state classes, for vmm_vm_get_state() and vmm_vm_set_state(). */
#define VMM_STATE_X86_IOAPIC 0x180 /* struct vmm_x86_ioapic; VMM_IRQCHIP_ARCH only */
#define VMM_STATE_X86_CLOCK  0x181 /* struct vmm_x86_clock; VMM_CAP_CLOCK only */
#define VMM_STATE_X86_PIC    0x182 /* struct vmm_x86_pic; VMM_VM_PIC only */

/** struct vmm_x86_regs - General registers. */
struct vmm_x86_regs {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rip, rflags;
};

/* Attributes of a segment, in one encoding on every engine: SDM 3C 25.4.1, table 25-2. */
#define VMM_X86_SEG_TYPE(t)  ((uint32_t)(t)&15)
#define VMM_X86_SEG_S        (UINT32_C(1) << 4) /* code or data */
#define VMM_X86_SEG_DPL(d)   (((uint32_t)(d)&3) << 5)
#define VMM_X86_SEG_P        (UINT32_C(1) << 7)
#define VMM_X86_SEG_AVL      (UINT32_C(1) << 12)
#define VMM_X86_SEG_L        (UINT32_C(1) << 13)
#define VMM_X86_SEG_DB       (UINT32_C(1) << 14)
#define VMM_X86_SEG_G        (UINT32_C(1) << 15)
#define VMM_X86_SEG_UNUSABLE (UINT32_C(1) << 16)

/** struct vmm_x86_segment - A segment register; @limit in bytes whatever G says. */
struct vmm_x86_segment {
	uint64_t base;
	uint32_t limit;
	uint32_t attr;
	uint16_t selector;
	uint16_t reserved[3];
};

/** struct vmm_x86_table - GDTR or IDTR. */
struct vmm_x86_table {
	uint64_t base;
	uint16_t limit;
	uint16_t reserved[3];
};

#define VMM_X86_SYS_PDPTRS (UINT64_C(1) << 0) /* pdptr[] is valid (PAE paging) */

/**
 * struct vmm_x86_sys - Segments and system registers.
 * @cr8:       Task priority, 0 to 15.
 * @apic_base: IA32_APIC_BASE.
 * @xcr0:      XCR0; 0 where the model has no XSAVE.
 * @flags:     VMM_X86_SYS_.
 * @pdptr:     Page-directory-pointer entries as loaded at the last MOV to CR3 (SDM 3A 4.4.1).
 */
struct vmm_x86_sys {
	struct vmm_x86_segment cs, ds, es, fs, gs, ss, tr, ldt;
	struct vmm_x86_table gdt, idt;
	uint64_t cr0, cr2, cr3, cr4, cr8;
	uint64_t efer, apic_base, xcr0;
	uint64_t flags;
	uint64_t pdptr[4];
};

/** struct vmm_x86_debug_regs - Debug registers as the guest sees them. */
struct vmm_x86_debug_regs {
	uint64_t dr[4];
	uint64_t dr6, dr7;
};

/*
 * XSAVE by component (SDM 1, 13.1): the index is the component's number, the bytes are those of the
 * standard format. Component 0 is the x87 part of the legacy area (bytes 0-23 and 32-159),
 * component 1 MXCSR, its mask and XMM0-15 (bytes 24-31 and 160-415), each closed up; the others are
 * as CPUID 0xD gives their size. A component in its initial state reads as its initial values.
 */
#define VMM_X86_XSAVE_X87_SIZE 152
#define VMM_X86_XSAVE_SSE_SIZE 264

/** struct vmm_x86_msr - One model-specific register. */
struct vmm_x86_msr {
	uint32_t index;
	uint32_t reserved;
	uint64_t value;
};

/* struct vmm_x86_event.state */
#define VMM_X86_EVENT_NONE 0
#define VMM_X86_EVENT_PENDING \
	1 /* raised, its effects (CR2, DR6) not yet applied, still may go away */
#define VMM_X86_EVENT_INJECTED 2 /* delivery has begun: is delivered again on entry */

#define VMM_X86_EVENT_F_ERROR   (UINT32_C(1) << 0) /* error_code is delivered */
#define VMM_X86_EVENT_F_PAYLOAD (UINT32_C(1) << 1) /* payload: CR2 of #PF, DR6 of #DB */
#define VMM_X86_EVENT_F_SOFT \
	(UINT32_C(1) << 2) /* by INT n, INT3 or INTO: instruction length matters */

/** struct vmm_x86_event - An exception or interrupt on its way. */
struct vmm_x86_event {
	uint32_t state;
	uint32_t flags;
	uint32_t vector;
	uint32_t error_code;
	uint64_t payload;
};

#define VMM_X86_SHADOW_STI    (UINT32_C(1) << 0) /* blocking by STI */
#define VMM_X86_SHADOW_MOV_SS (UINT32_C(1) << 1) /* blocking by MOV SS or POP SS */

/**
 * struct vmm_x86_events - Events pending or being delivered (SDM 3C 25.4.2, 27.7).
 * @shadow:       VMM_X86_SHADOW_.
 * @nmi_pending:  NMIs waiting.
 * @nmi_injected: 1: an NMI's delivery has begun.
 * @nmi_masked:   1: NMIs are blocked until IRET.
 * @smm:          1: in system management mode.
 * @smi_pending:  1: an SMI is waiting.
 * @init_latched: 1: an INIT waits for the end of SMM.
 * @triple_fault: 1: a triple fault is about to be reported.
 */
struct vmm_x86_events {
	struct vmm_x86_event exception;
	struct vmm_x86_event interrupt;
	uint32_t shadow;
	uint32_t nmi_pending;
	uint32_t nmi_injected;
	uint32_t nmi_masked;
	uint32_t smm;
	uint32_t smi_pending;
	uint32_t init_latched;
	uint32_t triple_fault;
};

/**
 * struct vmm_x86_lapic - Local APIC registers.
 * @reg: Register at offset 16 * i of the xAPIC page (SDM 3A 12.4.1): reg[2] is the ID, reg[0x30]
 * and reg[0x31] the ICR. In x2APIC mode the same, with reg[2] the 32-bit ID. reg[0x29], where no
 * register is: errors that the next write to the ESR (reg[0x28]) will show; 0 from KVM, which
 * remembers none.
 */
struct vmm_x86_lapic {
	uint32_t reg[64];
};

#define VMM_X86_MP_RUNNABLE  0
#define VMM_X86_MP_WAIT_SIPI 1 /* after INIT: waits for a start-up IPI */
#define VMM_X86_MP_INIT      2 /* INIT received, not yet acted on */
#define VMM_X86_MP_HALTED    3
#define VMM_X86_MP_SIPI      4 /* start-up IPI received with @sipi_vector */

/** struct vmm_x86_mp - Multiprocessor state. */
struct vmm_x86_mp {
	uint32_t state;
	uint32_t sipi_vector;
};

/**
 * struct vmm_x86_tsc - Time-stamp counter as the guest sees it.
 * @value:  TSC at the time of the call; where a pause has stopped guest time (VMM_CLOCK_STOPS), at
 *          that of the pause, on all vCPUs. Set: the value that it goes on from.
 * @adjust: IA32_TSC_ADJUST.
 * @khz:    Frequency. Set: 0 leaves it; another than the engine's own needs VMM_CAP_TSC_SCALE.
 * @reserved: 0.
 */
struct vmm_x86_tsc {
	uint64_t value;
	uint64_t adjust;
	uint32_t khz;
	uint32_t reserved;
};

/** struct vmm_x86_ioapic - IOAPIC (82093AA): ID, select register, 24 redirection entries, IRR by
 * pin. */
struct vmm_x86_ioapic {
	uint64_t base;
	uint32_t id;
	uint32_t select;
	uint32_t irr;
	uint32_t reserved;
	uint64_t redirection[24];
};

/**
 * struct vmm_x86_pic_chip - One 8259A; words and modes are those of its data sheet.
 * @lines:        Levels of its inputs.
 * @irr:          Requests.
 * @imr:          Mask (OCW1).
 * @isr:          In service.
 * @priority:     The input of the highest priority.
 * @base:         Vector of input 0 (ICW2).
 * @read_isr:     1: the command port reads ISR, 0: IRR.
 * @poll:         1: the next read is a poll.
 * @special_mask: 1: special mask mode.
 * @awaits:       What the data port takes next: 0 OCW1, 1 ICW2, 2 ICW3, 3 ICW4.
 * @auto_eoi:     1: automatic EOI.
 * @rotate:       1: rotate in automatic EOI mode.
 * @nested:       1: special fully nested mode.
 * @wants_icw4:   1: ICW1 has announced an ICW4.
 * @elcr:         Inputs that are level-triggered.
 * @single:       1: ICW1 has said that there is no ICW3. Not kept by KVM.
 */
struct vmm_x86_pic_chip {
	uint8_t lines;
	uint8_t irr;
	uint8_t imr;
	uint8_t isr;
	uint8_t priority;
	uint8_t base;
	uint8_t read_isr;
	uint8_t poll;
	uint8_t special_mask;
	uint8_t awaits;
	uint8_t auto_eoi;
	uint8_t rotate;
	uint8_t nested;
	uint8_t wants_icw4;
	uint8_t elcr;
	uint8_t single;
};

/** struct vmm_x86_pic - The pair of 8259As; the second one is on input 2 of the first. */
struct vmm_x86_pic {
	struct vmm_x86_pic_chip chip[2];
};

/** struct vmm_x86_clock - Paravirtual clock of the VM: nanoseconds since the guest's boot, and
 * since then as struct vmm_x86_tsc says. */
struct vmm_x86_clock {
	uint64_t ns;
};

/**
 * vmm_vm_x86_msr_list() - MSRs that hold state of their own on this VM's engine.
 * @vm:    Machine.
 * @list:  Filled with numbers; NULL to ask for the count.
 * @count: In: room in @list; out: how many there are.
 *
 * Saving these and the classes above saves a vCPU.
 *
 * Context: Any thread.
 * Return: 0, -VMM_ESIZE (with *@count set), -VMM_ENOTSUP, -VMM_EIO.
 */
VMM_API int vmm_vm_x86_msr_list(struct vmm_vm *vm, uint32_t *list, uint32_t *count);

/* --- CPU model: before sealing --- */

#define VMM_X86_CPUID_SUBLEAF (UINT32_C(1) << 0) /* the entry answers this subleaf only */

/** struct vmm_x86_cpuid - What CPUID answers for a leaf (and subleaf). */
struct vmm_x86_cpuid {
	uint32_t leaf;
	uint32_t subleaf;
	uint32_t flags;
	uint32_t eax, ebx, ecx, edx;
	uint32_t reserved;
};

/**
 * vmm_x86_cpu_model() - A named CPU model, cut with what engine and host can give.
 * @ctx:     Context.
 * @engine:  Name, or NULL for the first usable one.
 * @model:   "host" (all there is), or a baseline "x86-64-v1" to "x86-64-v4" (x86-64 psABI 3.1.1),
 * the same on every host that has it.
 * @entries: Filled; NULL to ask for the count.
 * @count:   In: room; out: how many there are (at most 256).
 *
 * The paravirtual identity is included: leaf 0x40000000 answers with KVM's signature, with its
 * clock (and stable bit) where the engine has VMM_CAP_CLOCK. APIC ID and topology are left for
 * vmm_x86_cpuid_topology(), or the caller.
 *
 * Context: Any thread.
 * Return: 0, -VMM_ENOENT (no such model or engine), -VMM_ENOTSUP (the host lacks a feature of it,
 * named in the detail), -VMM_ESIZE, and all that vmm_ctx_engine_probe() gives.
 */
VMM_API int vmm_x86_cpu_model(struct vmm_ctx *ctx, const char *engine, const char *model,
			      struct vmm_x86_cpuid *entries, uint32_t *count);

/** struct vmm_x86_topology - How many of each, powers of two not required; at least 1 each. */
struct vmm_x86_topology {
	uint32_t sockets;
	uint32_t dies;     /* per socket */
	uint32_t cores;    /* per cluster */
	uint32_t threads;  /* per core */
	uint32_t clusters; /* per die; 0 is 1 */
};

/**
 * vmm_x86_topology_apic_id() - APIC ID of the index'th logical processor.
 * @topology: Topology.
 * @index:    0 to sockets * dies * cores * threads - 1, threads first.
 * @apic_id:  Set: each level in its own bit field, widths rounded up (SDM 3A 9.9.1).
 *
 * Context: Any.
 * Return: 0, -VMM_EINVAL, -VMM_ERANGE.
 */
VMM_API int vmm_x86_topology_apic_id(const struct vmm_x86_topology *topology, uint32_t index,
				     uint32_t *apic_id);

/**
 * vmm_x86_cpuid_topology() - Fit a CPUID table to a place in a topology.
 * @entries:  Table, changed in place: leaves 1, 4, 0xB, 0x1F, and AMD's 0x80000008, 0x8000001D and
 *            0x8000001E, as far as the vendor has them.
 * @count:    In: entries; out: entries, some may have been added.
 * @room:     Entries that fit in @entries.
 * @topology: Topology.
 * @apic_id:  APIC ID of this vCPU.
 *
 * Context: Any.
 * Return: 0, -VMM_EINVAL, -VMM_ESIZE.
 */
VMM_API int vmm_x86_cpuid_topology(struct vmm_x86_cpuid *entries, uint32_t *count, uint32_t room,
				   const struct vmm_x86_topology *topology, uint32_t apic_id);

/* Shape of the caches that vmm_x86_cpuid_caches() makes: bytes of a line, ways. */
#define VMM_X86_CACHE_LINE 64
#define VMM_X86_L1_WAYS    8
#define VMM_X86_L2_WAYS    8
#define VMM_X86_L3_WAYS    16

/**
 * struct vmm_x86_caches - Sizes of caches in bytes, whole KiB; 0: there is none.
 * @size: sizeof(struct vmm_x86_caches).
 * @l1d:  Data cache of a core; there has to be one.
 * @l1i:  Instruction cache of a core.
 * @l2:   Of a cluster where a die has more than one, else of a core.
 * @l3:   Of a die. AMD's older leaf 0x80000006 tells it in 512 KiB.
 */
struct vmm_x86_caches {
	uint32_t size;
	uint32_t l1d;
	uint32_t l1i;
	uint32_t l2;
	uint32_t l3;
};

/**
 * vmm_x86_cpuid_caches() - Give a CPUID table caches of these sizes.
 * @entries: Table, changed in place: leaves 2 and 4, or AMD's 0x80000005, 0x80000006 and
 *           0x8000001D.
 * @count:   In: entries; out: entries, some may have been added.
 * @room:    Entries that fit in @entries.
 * @caches:  Sizes. vmm_x86_cpuid_topology() afterwards tells who shares them.
 *
 * Context: Any.
 * Return: 0, -VMM_EINVAL, -VMM_ESIZE.
 */
VMM_API int vmm_x86_cpuid_caches(struct vmm_x86_cpuid *entries, uint32_t *count, uint32_t room,
				 const struct vmm_x86_caches *caches);

/**
 * struct vmm_x86_cpuid_diff - A difference between two tables.
 * @leaf, @subleaf: Where.
 * @reg:            0 EAX, 1 EBX, 2 ECX, 3 EDX.
 * @bit:            0 to 31.
 * @name:           Name of the feature, or NULL.
 */
struct vmm_x86_cpuid_diff {
	uint32_t leaf;
	uint32_t subleaf;
	uint32_t reg;
	uint32_t bit;
	const char *name;
};

/**
 * vmm_x86_cpuid_missing() - Feature bits that @want has and @have lacks.
 * @want, @want_count: One table.
 * @have, @have_count: The other one.
 * @diff:              Filled; NULL to ask for the count.
 * @count:             In: room; out: how many there are.
 *
 * Compares feature leaves only (1, 7, 0xD.1, 0x80000001, 0x80000007, 0x80000008, 0x8000000A,
 * 0x80000021).
 *
 * Context: Any.
 * Return: 0, -VMM_EINVAL, -VMM_ESIZE (with as many as fit).
 */
VMM_API int vmm_x86_cpuid_missing(const struct vmm_x86_cpuid *want, uint32_t want_count,
				  const struct vmm_x86_cpuid *have, uint32_t have_count,
				  struct vmm_x86_cpuid_diff *diff, uint32_t *count);

/**
 * vmm_vcpu_x86_set_cpuid() - Choose what CPUID answers on a vCPU.
 * @vcpu:    vCPU of a VM that is not sealed.
 * @entries: Table; copied.
 * @count:   Entries, at most 256.
 *
 * Without a call the vCPU has model "host" with its APIC ID. What the engine cannot give is found
 * when sealing.
 *
 * Context: Any thread; allocates.
 * Return: 0, -VMM_EINVAL, -VMM_ELIMIT, -VMM_ESTATE, -VMM_ENOMEM.
 */
VMM_API int vmm_vcpu_x86_set_cpuid(struct vmm_vcpu *vcpu, const struct vmm_x86_cpuid *entries,
				   uint32_t count);

/** vmm_vcpu_x86_get_cpuid() - The table in force. @count as in vmm_x86_cpu_model(). Return: 0,
 * -VMM_ESIZE. */
VMM_API int vmm_vcpu_x86_get_cpuid(struct vmm_vcpu *vcpu, struct vmm_x86_cpuid *entries,
				   uint32_t *count);

/* --- Filters: before sealing --- */

#define VMM_FILTER_ALLOW 0 /* the engine handles it; ports: passed through to hardware */
#define VMM_FILTER_EXIT \
	1 /* exit to the embedder; ports: bus first (what happens without a filter) */
#define VMM_FILTER_DENY 2 /* MSR: #GP; ports: reads give all ones, writes are dropped */

#define VMM_FILTER_READ  (UINT32_C(1) << 0)
#define VMM_FILTER_WRITE (UINT32_C(1) << 1)

/** struct vmm_x86_filter - A run of MSRs or ports and what happens to accesses to them. */
struct vmm_x86_filter {
	uint32_t first;
	uint32_t count;
	uint32_t access; /* VMM_FILTER_READ and _WRITE */
	uint32_t action; /* VMM_FILTER_ALLOW, _EXIT or _DENY */
};

/**
 * vmm_vm_x86_filter_msrs() - Choose what happens to RDMSR and WRMSR.
 * @vm:      Machine that is not sealed.
 * @filters: Runs; where two overlap the later wins. Copied; replaces what was set before.
 * @count:   Number of runs, at most 64.
 *
 * MSRs in no run: those the engine knows are handled by it, others give #GP.
 *
 * Context: Any thread; allocates.
 * Return: 0, -VMM_EINVAL, -VMM_ERANGE, -VMM_ELIMIT, -VMM_ENOTSUP (no VMM_CAP_MSR_FILTER),
 * -VMM_ESTATE, -VMM_ENOMEM.
 */
VMM_API int vmm_vm_x86_filter_msrs(struct vmm_vm *vm, const struct vmm_x86_filter *filters,
				   uint32_t count);

/** vmm_vm_x86_filter_ports() - Choose what happens to IN and OUT; as vmm_vm_x86_filter_msrs(). */
VMM_API int vmm_vm_x86_filter_ports(struct vmm_vm *vm, const struct vmm_x86_filter *filters,
				    uint32_t count);

VMM_END_DECLS

#endif

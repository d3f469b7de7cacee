/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Instruction emulator: carries out the one instruction that an engine was left for, because it
 * touches memory that is not there (MMIO), or is a string instruction on a port.
 *
 * How an engine uses it. Each vCPU has a struct vmm__x86_emulator, whose first part is filled when
 * the vCPU is made. When the guest was left:
 *
 *   1. Fill the second part, what is asked. Registers are read and written through the pointers,
 *      segments asked for when they are needed.
 *   2. r = vmm__x86_emulate(e).
 *   3. As long as r is VMM__X86_ELEMENT: give e->element to the embedder as an exit (one element
 *      of at most 8 bytes), leave run(). In the next run() or complete():
 *      r = vmm__x86_emulate_answer(e, data); data is not looked at after a write.
 *   4. VMM__X86_DONE: registers, RIP and RFLAGS are those after the instruction, and e->element is
 *      over. The engine ends the interrupt shadow and raises #DB if RFLAGS.TF was set. If e->again,
 *      it was one repetition of a string instruction that has more: RIP stays, and the engine may
 *      ask for the next one with vmm__x86_emulate_again(), after it has looked at interrupts and
 *      requests, or simply enter the guest.
 *      VMM__X86_FAULT: inject e->fault; no register has changed.
 *      VMM__X86_RETRY: this instruction needs no emulation, so another one stands there than the
 *      one the guest was left for (its code was changed meanwhile), or it is atomic and the memory
 *      is there: enter the guest again. No register has changed.
 *      -VMM_ENOTSUP: software cannot do it: give VMM_EXIT_ENGINE_ERROR; e->bytes has the
 *      instruction, e->count bytes of it. Other codes are those of a callback. No register has
 *      changed.
 *
 * Between elements nothing is read or done again: bytes, operands, addresses and what was read so
 * far are kept in the structure. All addresses are translated and checked before the first element,
 * so that no fault can follow one; the processor's own registers change only after the last.
 *
 * What is acted upon are the bytes that were fetched, once. If the processor has delivered them
 * with the exit, give them, and fault_gpa saves the walk of the operand's address. Without them it
 * does so where the last walk from the same linear page, by the same CR3, led to that page.
 *
 * The privilege to use a port has been checked by the processor before an exit; @port_width keeps
 * changed code from using it for other ports.
 *
 * Emulated: MOV of every form but to segment, control and debug registers, MOVZX, MOVSX, MOVSXD,
 * MOVBE, MOVNTI, ADD to CMP, shifts and rotations, TEST, NOT, NEG, INC, DEC, BT to BTC, XCHG, XADD,
 * CMPXCHG, CMPXCHG8B and 16B, PUSH, POP, CALL and JMP with memory, MOVS, STOS, LODS, CMPS, SCAS,
 * INS, OUTS with REP, and the SSE and AVX moves of 4 to 32 bytes.
 *
 * Accessed and dirty bits of the guest's tables are not set: the processor did before it left.
 * No allocation; the work for a call is bounded: two page walks for the fetch, two for each
 * operand.
 */
#ifndef VMM_X86_EMULATE_H
#define VMM_X86_EMULATE_H

#include "guest_walk.h"
#include "libvmm/x86.h"
#include "x86_decode.h"

/* Results that are not negative. */
#define VMM__X86_DONE    0
#define VMM__X86_ELEMENT 1
#define VMM__X86_FAULT   2
#define VMM__X86_RETRY   3

struct vmm__x86_emulator_ops {
	/*
	 * Guest memory: 0; -VMM_EFAULT: there is none at @gpa, or it is not to be written, so this
	 * is MMIO; another code ends the emulation. Never across a page.
	 */
	int (*read)(void *ctx, uint64_t gpa, void *buf, size_t len);
	int (*write)(void *ctx, uint64_t gpa, const void *buf, size_t len);
	/* VMM__X86_ES to _GS. */
	void (*segment)(void *ctx, unsigned segment, struct vmm_x86_segment *out);
	/*
	 * The first @len bytes, 16 or 32, of a vector register. NULL: vector moves give
	 * -VMM_ENOTSUP. Written by an SSE instruction (@vex false): the rest stays; else the rest
	 * becomes zero.
	 */
	void (*get_vector)(void *ctx, unsigned reg, void *buf, size_t len);
	void (*set_vector)(void *ctx, unsigned reg, const void *buf, size_t len, bool vex);
};

struct vmm__x86_element {
	uint64_t addr; /* GPA or port */
	uint64_t data; /* to be written, zero-extended; 0 if this is a read */
	uint8_t width; /* 1, 2, 4 or 8 */
	bool write;
	bool port;
	bool more; /* more elements of this operand follow */
};

struct vmm__x86_fault {
	uint64_t address; /* #PF: for CR2 */
	uint32_t error_code;
	uint8_t vector;
	bool has_error;
};

/* Bytes of a memory operand. */
struct vmm__x86_span {
	uint64_t gpa[2]; /* of the first byte, and of the first one in the second page */
	uint8_t bytes;   /* 0: there is no such operand */
	uint8_t first;   /* bytes in the first page */
};

struct vmm__x86_emulator {
	/* --- When the vCPU is made. --- */
	const struct vmm__x86_emulator_ops *ops;
	void *ctx;         /* first argument of ops */
	uint64_t *gpr[16]; /* by number: RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15 */
	uint64_t *rip, *rflags;
	struct vmm__guest_memory tables; /* what page tables are read through */

	/* --- What is asked: all before vmm__x86_emulate(). --- */
	struct vmm__x86_paging paging; /* CR0, CR4, EFER and RFLAGS are used for more than walks */
	uint64_t xcr0;                 /* 0 without XSAVE */
	uint64_t fault_gpa;            /* the address that was not there; not for ports */
	uint8_t fault_write;           /* 1: when it was written */
	uint8_t code;                  /* VMM__X86_CODE_ */
	uint8_t cpl;
	uint8_t port_width; /* 0: memory; else bytes of a string instruction on the port in DX */
	uint8_t count;      /* in: bytes that the processor delivered, or 0; out: bytes fetched */
	uint8_t bytes[VMM__X86_INSN_MAX];

	/* --- Answers. --- */
	bool again;
	struct vmm__x86_element element;
	struct vmm__x86_fault fault;

	/* --- The emulator's own: what has been found out so far. --- */
	struct vmm__x86_insn insn;
	struct vmm__x86_span span[3]; /* two operands that are read, one that is written */
	uint8_t in[2][32];
	uint8_t out[32];
	uint64_t result; /* for the destination, if it is a register */
	uint64_t extra;  /* for a second register */
	uint64_t flags;  /* the new RFLAGS */
	uint8_t step;    /* span that is being moved */
	uint8_t moved;   /* bytes of it */
	bool known;      /* @fault_gpa is where the one operand is */
	bool touched;    /* an element has been given */
	uint8_t retries; /* at retry_rip */
	uint8_t decoded; /* bytes that insn was made of, in the code of decoded_code; 0: none */
	uint8_t decoded_code;
	uint8_t decoded_bytes[16];
	uint64_t retry_rip;
	uint64_t walked_cr3, walked_linear,
		walked_gpa; /* pages: the last walk of an only operand */
};

/* See above. */
int vmm__x86_emulate(struct vmm__x86_emulator *e);
/* The same, for an instruction whose bytes the caller has found to be those of @insn. */
int vmm__x86_emulate_decoded(struct vmm__x86_emulator *e, const struct vmm__x86_insn *insn);
/*
 * The short way of vmm__x86_emulate_decoded() and _answer() for what drivers do, a MOV between
 * memory and a register or constant. vmm__x86_is_move() once for an instruction of 64-bit code;
 * then vmm__x86_move() makes the element and changes nothing else, where all is as usual, else
 * gives false. vmm__x86_moved(): it has been carried out. To have it answered by
 * vmm__x86_emulate_answer(), begin anew with vmm__x86_emulate_decoded(). Of what is asked, these
 * look at fault_gpa and fault_write alone, and @linear is the page that leads to fault_gpa's.
 */
bool vmm__x86_is_move(const struct vmm__x86_insn *insn);
bool vmm__x86_move(struct vmm__x86_emulator *e, const struct vmm__x86_insn *insn, uint64_t linear);
void vmm__x86_moved(struct vmm__x86_emulator *e, const struct vmm__x86_insn *insn, uint64_t data);
int vmm__x86_emulate_answer(struct vmm__x86_emulator *e, uint64_t data);
int vmm__x86_emulate_again(struct vmm__x86_emulator *e);

#endif

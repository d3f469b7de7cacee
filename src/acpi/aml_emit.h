/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * How every AML term is written: ask whether the grammar allows it here, put its bytes, and note
 * the operands it will be owed.
 *
 * A frame is an open package length. Its @owed is a queue of slots, SLOT_BITS each, the next one
 * lowest; an operator takes the slot it fills from it and puts the slots of its own operands in
 * front. With nothing owed, the frame's kind says what may follow.
 */
#ifndef VMM_ACPI_AML_EMIT_H
#define VMM_ACPI_AML_EMIT_H

#include <stdbool.h>

#include "acpi_sink.h"
#include "bits.h"
#include "libvmm/aml.h"

enum slot {
	SLOT_NONE, /* nothing fits but the frame's end */
	SLOT_VALUE,
	SLOT_SUPER,
	SLOT_TARGET,
	SLOT_DATA,
	SLOT_PATH,
	SLOT_RELATION,
	SLOT_ELEMENT,
	SLOT_STATEMENT,
	SLOT_RESOURCE,
	SLOT_UNIT,
};

#define SLOT_BITS 3 /* those that can be owed are up to SLOT_RELATION */

/* Operands in the order in which they are owed. */
#define OWE1(a)                ((uint64_t)SLOT_##a)
#define OWE2(a, b)             (OWE1(a) | OWE1(b) << SLOT_BITS)
#define OWE3(a, b, c)          (OWE1(a) | OWE2(b, c) << SLOT_BITS)
#define OWE4(a, b, c, d)       (OWE1(a) | OWE3(b, c, d) << SLOT_BITS)
#define OWE6(a, b, c, d, e, f) (OWE2(a, b) | OWE4(c, d, e, f) << (2 * SLOT_BITS))

/* Which slots a term can fill. */
#define FILLS_STATEMENT BIT(SLOT_STATEMENT)
#define FILLS_RESOURCE  BIT(SLOT_RESOURCE)
#define FILLS_UNIT      BIT(SLOT_UNIT)
#define FILLS_NULL      BIT(SLOT_TARGET)
#define FILLS_RELATION  BIT(SLOT_RELATION)
#define FILLS_DATA      (BIT(SLOT_VALUE) | BIT(SLOT_DATA) | BIT(SLOT_ELEMENT))
#define FILLS_SUPER     (BIT(SLOT_SUPER) | BIT(SLOT_TARGET))
#define FILLS_PLACE     (BIT(SLOT_VALUE) | FILLS_SUPER)
#define FILLS_PATH      (FILLS_PLACE | BIT(SLOT_PATH) | BIT(SLOT_ELEMENT))
#define FILLS_VALUE     (BIT(SLOT_VALUE) | FILLS_STATEMENT)
#define FILLS_REFERENCE (FILLS_VALUE | FILLS_SUPER)

enum frame_kind {
	FRAME_ROOT,
	FRAME_SCOPE,
	FRAME_DEVICE,
	FRAME_METHOD,
	FRAME_POWER,
	FRAME_THERMAL,
	FRAME_IF,
	FRAME_ELSE,
	FRAME_WHILE,
	FRAME_PACKAGE,
	FRAME_RESOURCES,
	FRAME_CONNECTION,
	FRAME_FIELD,
};

/* 0x5b stands before an extended opcode, 20.2.3; EXT() marks it. */
#define EXT(op) (0x5b00U | (op))

/* Is there an open frame of this kind around us? */
bool vmm__aml_inside(const struct vmm_aml *a, enum frame_kind kind);

int vmm__aml_fail(struct vmm_aml *a, int code);

/* A term may stand here, and is owed @owed; true if so, else the error is kept. */
bool vmm__aml_admit(struct vmm_aml *a, uint64_t fills, uint64_t owed);

/* Pieces of a term. */
void vmm__aml_op(struct vmm_aml *a, unsigned op);
void vmm__aml_u8(struct vmm_aml *a, unsigned v);
void vmm__aml_put_path(struct vmm_aml *a, const char *path);
void vmm__aml_put_int(struct vmm_aml *a, uint64_t value);
size_t vmm__aml_encode_int(uint8_t out[9], uint64_t value);
size_t vmm__aml_encode_length(uint8_t out[4], uint64_t value);
void vmm__aml_put_segment(struct vmm_aml *a, const char *name);

/* A whole term without operands of its own kind: admitted, and its opcode written. */
int vmm__aml_term(struct vmm_aml *a, unsigned op, uint64_t fills, uint64_t owed);

/* Opens a frame after its opcode was written; what it holds first is owed to it. */
void vmm__aml_push(struct vmm_aml *a, enum frame_kind kind, uint64_t owed);

/* Is the innermost frame of this kind, and complete? The error is kept if not. */
struct vmm_aml_frame *vmm__aml_closing(struct vmm_aml *a, enum frame_kind kind);

/* Closes it: its package length, and @n bytes of @head, are put where it started. */
int vmm__aml_pop(struct vmm_aml *a, const void *head, size_t n);

#endif

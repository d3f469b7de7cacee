// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Statements and operators. ACPI 6.5, 20.2.5.3 and 20.2.5.4. */
#include "aml_emit.h"

/* -- Control flow, 20.2.5.3 ---------------------------------------------------------------------
 */

static int begin(struct vmm_aml *a, unsigned op, enum frame_kind kind, uint64_t owed)
{
	if (vmm__aml_term(a, op, FILLS_STATEMENT, 0) == 0)
		vmm__aml_push(a, kind, owed);
	return vmm_aml_error(a);
}

static int finish(struct vmm_aml *a, enum frame_kind kind)
{
	if (vmm__aml_closing(a, kind) == NULL)
		return vmm_aml_error(a);
	return vmm__aml_pop(a, NULL, 0);
}

int vmm_aml_if_begin(struct vmm_aml *a)
{
	return begin(a, 0xa0, FRAME_IF, OWE1(VALUE));
}

int vmm_aml_if_finish(struct vmm_aml *a)
{
	if (finish(a, FRAME_IF) == 0)
		a->frame[a->depth - 1].after_if = 1;
	return vmm_aml_error(a);
}

int vmm_aml_else_begin(struct vmm_aml *a)
{
	if (vmm_aml_error(a) == 0 && !a->frame[a->depth - 1].after_if)
		return vmm__aml_fail(a, VMM_ESTATE);
	return begin(a, 0xa1, FRAME_ELSE, 0);
}

int vmm_aml_else_finish(struct vmm_aml *a)
{
	return finish(a, FRAME_ELSE);
}

int vmm_aml_while_begin(struct vmm_aml *a)
{
	return begin(a, 0xa2, FRAME_WHILE, OWE1(VALUE));
}

int vmm_aml_while_finish(struct vmm_aml *a)
{
	return finish(a, FRAME_WHILE);
}

/* A statement that is only allowed inside a frame of this kind. */
static int inside(struct vmm_aml *a, enum frame_kind kind, unsigned op, uint64_t owed)
{
	if (!vmm__aml_inside(a, kind))
		return vmm__aml_fail(a, VMM_ESTATE);
	return vmm__aml_term(a, op, FILLS_STATEMENT, owed);
}

int vmm_aml_break(struct vmm_aml *a)
{
	return inside(a, FRAME_WHILE, 0xa5, 0);
}

int vmm_aml_continue(struct vmm_aml *a)
{
	return inside(a, FRAME_WHILE, 0x9f, 0);
}

int vmm_aml_return(struct vmm_aml *a)
{
	return inside(a, FRAME_METHOD, 0xa4, OWE1(VALUE));
}

/* -- Statements -----------------------------------------------------------------------------------
 */

static int statement(struct vmm_aml *a, unsigned op, uint64_t owed)
{
	return vmm__aml_term(a, op, FILLS_STATEMENT, owed);
}

int vmm_aml_noop(struct vmm_aml *a)
{
	return statement(a, 0xa3, 0);
}

int vmm_aml_breakpoint(struct vmm_aml *a)
{
	return statement(a, 0xcc, 0);
}

int vmm_aml_notify(struct vmm_aml *a)
{
	return statement(a, 0x86, OWE2(SUPER, VALUE));
}

int vmm_aml_release(struct vmm_aml *a)
{
	return statement(a, EXT(0x27), OWE1(SUPER));
}

int vmm_aml_reset(struct vmm_aml *a)
{
	return statement(a, EXT(0x26), OWE1(SUPER));
}

int vmm_aml_signal(struct vmm_aml *a)
{
	return statement(a, EXT(0x24), OWE1(SUPER));
}

int vmm_aml_sleep(struct vmm_aml *a)
{
	return statement(a, EXT(0x22), OWE1(VALUE));
}

int vmm_aml_stall(struct vmm_aml *a)
{
	return statement(a, EXT(0x21), OWE1(VALUE));
}

int vmm_aml_fatal(struct vmm_aml *a, uint8_t type, uint32_t code)
{
	statement(a, EXT(0x32), OWE1(VALUE));
	vmm__aml_u8(a, type);
	vmm__sink_int(&a->out, code, 4);
	return vmm_aml_error(a);
}

/* -- Operators, 20.2.5.4 --------------------------------------------------------------------------
 */

static int expression(struct vmm_aml *a, unsigned op, uint64_t owed)
{
	return vmm__aml_term(a, op, FILLS_VALUE, owed);
}

int vmm_aml_acquire(struct vmm_aml *a, const char *mutex, uint16_t timeout)
{
	expression(a, EXT(0x23), 0);
	vmm__aml_put_path(a, mutex);
	vmm__sink_int(&a->out, timeout, 2);
	return vmm_aml_error(a);
}

int vmm_aml_wait(struct vmm_aml *a)
{
	return expression(a, EXT(0x25), OWE2(SUPER, VALUE));
}

int vmm_aml_store(struct vmm_aml *a)
{
	return expression(a, 0x70, OWE2(VALUE, SUPER));
}

int vmm_aml_copy(struct vmm_aml *a)
{
	return expression(a, 0x9d, OWE2(VALUE, SUPER));
}

int vmm_aml_add(struct vmm_aml *a)
{
	return expression(a, 0x72, OWE3(VALUE, VALUE, TARGET));
}

int vmm_aml_subtract(struct vmm_aml *a)
{
	return expression(a, 0x74, OWE3(VALUE, VALUE, TARGET));
}

int vmm_aml_multiply(struct vmm_aml *a)
{
	return expression(a, 0x77, OWE3(VALUE, VALUE, TARGET));
}

int vmm_aml_divide(struct vmm_aml *a)
{
	return expression(a, 0x78, OWE4(VALUE, VALUE, TARGET, TARGET));
}

int vmm_aml_mod(struct vmm_aml *a)
{
	return expression(a, 0x85, OWE3(VALUE, VALUE, TARGET));
}

int vmm_aml_shift_left(struct vmm_aml *a)
{
	return expression(a, 0x79, OWE3(VALUE, VALUE, TARGET));
}

int vmm_aml_shift_right(struct vmm_aml *a)
{
	return expression(a, 0x7a, OWE3(VALUE, VALUE, TARGET));
}

int vmm_aml_and(struct vmm_aml *a)
{
	return expression(a, 0x7b, OWE3(VALUE, VALUE, TARGET));
}

int vmm_aml_nand(struct vmm_aml *a)
{
	return expression(a, 0x7c, OWE3(VALUE, VALUE, TARGET));
}

int vmm_aml_or(struct vmm_aml *a)
{
	return expression(a, 0x7d, OWE3(VALUE, VALUE, TARGET));
}

int vmm_aml_nor(struct vmm_aml *a)
{
	return expression(a, 0x7e, OWE3(VALUE, VALUE, TARGET));
}

int vmm_aml_xor(struct vmm_aml *a)
{
	return expression(a, 0x7f, OWE3(VALUE, VALUE, TARGET));
}

int vmm_aml_not(struct vmm_aml *a)
{
	return expression(a, 0x80, OWE2(VALUE, TARGET));
}

int vmm_aml_find_set_left_bit(struct vmm_aml *a)
{
	return expression(a, 0x81, OWE2(VALUE, TARGET));
}

int vmm_aml_find_set_right_bit(struct vmm_aml *a)
{
	return expression(a, 0x82, OWE2(VALUE, TARGET));
}

int vmm_aml_increment(struct vmm_aml *a)
{
	return expression(a, 0x75, OWE1(SUPER));
}

int vmm_aml_decrement(struct vmm_aml *a)
{
	return expression(a, 0x76, OWE1(SUPER));
}

int vmm_aml_land(struct vmm_aml *a)
{
	return expression(a, 0x90, OWE2(VALUE, VALUE));
}

int vmm_aml_lor(struct vmm_aml *a)
{
	return expression(a, 0x91, OWE2(VALUE, VALUE));
}

int vmm_aml_lnot(struct vmm_aml *a)
{
	return expression(a, 0x92, OWE1(VALUE));
}

int vmm_aml_lequal(struct vmm_aml *a)
{
	return expression(a, 0x93, OWE2(VALUE, VALUE));
}

/* "Not equal" and its kin are LNot of the opposite, one two-byte opcode in the grammar. */
int vmm_aml_lnot_equal(struct vmm_aml *a)
{
	return expression(a, 0x9293, OWE2(VALUE, VALUE));
}

int vmm_aml_lless(struct vmm_aml *a)
{
	return expression(a, 0x95, OWE2(VALUE, VALUE));
}

int vmm_aml_lless_equal(struct vmm_aml *a)
{
	return expression(a, 0x9294, OWE2(VALUE, VALUE));
}

int vmm_aml_lgreater(struct vmm_aml *a)
{
	return expression(a, 0x94, OWE2(VALUE, VALUE));
}

int vmm_aml_lgreater_equal(struct vmm_aml *a)
{
	return expression(a, 0x9295, OWE2(VALUE, VALUE));
}

int vmm_aml_concat(struct vmm_aml *a)
{
	return expression(a, 0x73, OWE3(VALUE, VALUE, TARGET));
}

int vmm_aml_concat_res(struct vmm_aml *a)
{
	return expression(a, 0x84, OWE3(VALUE, VALUE, TARGET));
}

int vmm_aml_mid(struct vmm_aml *a)
{
	return expression(a, 0x9e, OWE4(VALUE, VALUE, VALUE, TARGET));
}

int vmm_aml_match(struct vmm_aml *a)
{
	return expression(a, 0x89, OWE6(VALUE, RELATION, VALUE, RELATION, VALUE, VALUE));
}

int vmm_aml_relation(struct vmm_aml *a, uint8_t relation)
{
	if (relation > VMM_AML_MATCH_GT)
		return vmm__aml_fail(a, VMM_EINVAL);
	return vmm__aml_term(a, relation, FILLS_RELATION, 0);
}

int vmm_aml_load(struct vmm_aml *a, const char *path)
{
	expression(a, EXT(0x20), OWE1(TARGET));
	vmm__aml_put_path(a, path);
	return vmm_aml_error(a);
}

int vmm_aml_load_table(struct vmm_aml *a)
{
	return expression(a, EXT(0x1f), OWE6(VALUE, VALUE, VALUE, VALUE, VALUE, VALUE));
}

/* An operator whose result is also a place. */
static int reference(struct vmm_aml *a, unsigned op, uint64_t owed)
{
	return vmm__aml_term(a, op, FILLS_REFERENCE, owed);
}

int vmm_aml_index(struct vmm_aml *a)
{
	return reference(a, 0x88, OWE3(VALUE, VALUE, TARGET));
}

int vmm_aml_ref_of(struct vmm_aml *a)
{
	return reference(a, 0x71, OWE1(SUPER));
}

int vmm_aml_cond_ref_of(struct vmm_aml *a)
{
	return expression(a, EXT(0x12), OWE2(SUPER, TARGET));
}

int vmm_aml_deref_of(struct vmm_aml *a)
{
	return reference(a, 0x83, OWE1(VALUE));
}

int vmm_aml_size_of(struct vmm_aml *a)
{
	return expression(a, 0x87, OWE1(SUPER));
}

int vmm_aml_object_type(struct vmm_aml *a)
{
	return expression(a, 0x8e, OWE1(SUPER));
}

int vmm_aml_to_buffer(struct vmm_aml *a)
{
	return expression(a, 0x96, OWE2(VALUE, TARGET));
}

int vmm_aml_to_integer(struct vmm_aml *a)
{
	return expression(a, 0x99, OWE2(VALUE, TARGET));
}

int vmm_aml_to_string(struct vmm_aml *a)
{
	return expression(a, 0x9c, OWE3(VALUE, VALUE, TARGET));
}

int vmm_aml_to_decimal_string(struct vmm_aml *a)
{
	return expression(a, 0x97, OWE2(VALUE, TARGET));
}

int vmm_aml_to_hex_string(struct vmm_aml *a)
{
	return expression(a, 0x98, OWE2(VALUE, TARGET));
}

int vmm_aml_from_bcd(struct vmm_aml *a)
{
	return expression(a, EXT(0x28), OWE2(VALUE, TARGET));
}

int vmm_aml_to_bcd(struct vmm_aml *a)
{
	return expression(a, EXT(0x29), OWE2(VALUE, TARGET));
}

int vmm_aml_timer(struct vmm_aml *a)
{
	return expression(a, EXT(0x33), 0);
}

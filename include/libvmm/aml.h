/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/aml.h - Building ACPI Machine Language without a compiler.
 *
 * One function for each term of ACPI 6.5, chapter 20; the section stands at each. Terms are given
 *in the order in which they are written in AML, an operator first and then its operands:
 *
 *	vmm_aml_device_begin(a, "PWRB");
 *	vmm_aml_name(a, "_HID");		// Name (_HID, "ACPI0011")
 *	vmm_aml_string(a, "ACPI0011");
 *	vmm_aml_method_begin(a, "_STA", 0, 0);	// Method (_STA) { Return (Or (0x0D, 2, )) }
 *	vmm_aml_return(a);
 *	vmm_aml_or(a);
 *	vmm_aml_int(a, 0x0d);
 *	vmm_aml_int(a, 2);
 *	vmm_aml_null(a);
 *	vmm_aml_method_finish(a);
 *	vmm_aml_device_finish(a);
 *
 * The builder knows which operands are still owed and of which kind, and refuses with -VMM_ESTATE
 * what AML's grammar does not allow at that place; so a run that ends without an error is well
 * formed. What a name stands for is not known to it. The kinds are:
 *
 *	value	a TermArg: data, a name, Local, Arg, or an operator with a result
 *	super	a SuperName: a name, Local, Arg, Debug, RefOf, DerefOf or Index
 *	target	a super, or vmm_aml_null() where the result is not stored
 *	data	an integer, string, buffer or package
 *	relation what vmm_aml_relation() gives
 *	element	data or a name, within a package
 *	path	a name
 *
 * Paths are written as in ASL: "_SB.PCI0", "\\_GPE", "^^DEV0"; segments of 1 to 4 characters
 * [A-Z_][A-Z0-9_]*, filled up with '_'. Lower case is refused.
 *
 * Every function returns 0, or a negative error, the first of which stays (see sink.h):
 * -VMM_EINVAL (malformed path, argument that cannot be encoded), -VMM_ERANGE (too deep, too long),
 * -VMM_ESTATE (not allowed here, or no builder is open). Running out of room is reported by
 * vmm_aml_close() alone. Nothing is allocated; any context; one thread at a time.
 */
#ifndef LIBVMM_AML_H
#define LIBVMM_AML_H

#include "libvmm/sink.h"

VMM_BEGIN_DECLS

#define VMM_AML_MAX_DEPTH 32

struct vmm_aml_frame {
	uint64_t owed;  /* kinds of the operands still owed, the next one lowest */
	size_t start;   /* where the package length goes */
	uint32_t count; /* elements of a package, bits of a field list */
	uint8_t kind;
	uint8_t after_if;
	uint8_t reserved[2];
};

/* In the caller's storage; its fields belong to the builder. */
struct vmm_aml {
	struct vmm_sink out;
	uint32_t depth;
	uint32_t reserved;
	struct vmm_aml_frame frame[VMM_AML_MAX_DEPTH];
};

/**
 * vmm_aml_open() - Start a list of terms.
 * @a:   Builder; whatever it held is dropped.
 * @buf: Where the AML goes; must outlive the builder. NULL to measure.
 * @cap: Bytes at @buf; 0 when measuring.
 *
 * Return: 0, -VMM_EINVAL (NULL with a size).
 */
VMM_API int vmm_aml_open(struct vmm_aml *a, void *buf, size_t cap);

/**
 * vmm_aml_close() - End the list of terms.
 * @a:   Builder; must be opened again before further use.
 * @len: Receives the bytes of AML, also with -VMM_ESIZE; untouched by other errors. May be NULL.
 *
 * Return: 0, -VMM_ESIZE (the buffer was too small; its contents are undefined), -VMM_ESTATE (not
 * open, something begun is not finished, or operands are owed), or the first error of a term.
 */
VMM_API int vmm_aml_close(struct vmm_aml *a, size_t *len);

/**
 * vmm_aml_error() - The first error so far.
 * @a: Builder.
 *
 * Return: 0, the error, or -VMM_ESTATE when @a is not open.
 */
VMM_API int vmm_aml_error(const struct vmm_aml *a);

/* -- Data, 20.2.3 ------------------------------------------------------------------------------ */

/** vmm_aml_int() - Integer, in its shortest encoding (Zero, One, Ones, Byte to QWord). 20.2.3. */
VMM_API int vmm_aml_int(struct vmm_aml *a, uint64_t value);

/** vmm_aml_string() - String of ASCII characters 1 to 0x7f. 20.2.3. */
VMM_API int vmm_aml_string(struct vmm_aml *a, const char *text);

/** vmm_aml_buffer() - Buffer of @len bytes, copied; zeros, which take no room, if @data is
 * NULL. 20.2.5.4. */
VMM_API int vmm_aml_buffer(struct vmm_aml *a, const void *data, size_t len);

/** vmm_aml_unicode() - Buffer with @text as zero-ended UTF-16; ASCII only. 19.6, Unicode. */
VMM_API int vmm_aml_unicode(struct vmm_aml *a, const char *text);

/** vmm_aml_eisaid() - Compressed EISA identifier: "PNP0A08". 19.6, EISAID. */
VMM_API int vmm_aml_eisaid(struct vmm_aml *a, const char *id);

/** vmm_aml_uuid() - Buffer of "aabbccdd-eeff-gghh-iijj-kkllmmnnoopp", as ToUUID makes it. 19.6,
 * ToUUID.
 */
VMM_API int vmm_aml_uuid(struct vmm_aml *a, const char *text);

/** vmm_aml_revision() - The interpreter's revision. 20.2.3. */
VMM_API int vmm_aml_revision(struct vmm_aml *a);

/**
 * vmm_aml_package_begin() - Package of the elements that follow; their number is counted. 20.2.5.4.
 *
 * More than 255 elements make it a VarPackage.
 */
VMM_API int vmm_aml_package_begin(struct vmm_aml *a);
VMM_API int vmm_aml_package_finish(struct vmm_aml *a);

/* -- Names, 20.2.2, and the places of a method, 20.2.6 ------------------------------------------
 */

/** vmm_aml_path() - An object by its name, as an operand or as an element of a package. 20.2.2. */
VMM_API int vmm_aml_path(struct vmm_aml *a, const char *path);

/** vmm_aml_call() - Invocation of a method; @nargs values follow, 0 to 7. 20.2.5.4. */
VMM_API int vmm_aml_call(struct vmm_aml *a, const char *path, uint32_t nargs);

/** vmm_aml_null() - No target: the result is not stored. 20.2.2. */
VMM_API int vmm_aml_null(struct vmm_aml *a);

/** vmm_aml_local() - Local0 to Local7, in a method. 20.2.6.2. */
VMM_API int vmm_aml_local(struct vmm_aml *a, uint32_t n);

/** vmm_aml_arg() - Arg0 to Arg6, in a method. 20.2.6.1. */
VMM_API int vmm_aml_arg(struct vmm_aml *a, uint32_t n);

/** vmm_aml_debug() - The debug object. 20.2.6.3. */
VMM_API int vmm_aml_debug(struct vmm_aml *a);

/* -- Namespace modifiers, 20.2.5.1, and named objects, 20.2.5.2 ---------------------------------
 */

/** vmm_aml_alias() - Alias (@source, @alias). 20.2.5.1. */
VMM_API int vmm_aml_alias(struct vmm_aml *a, const char *source, const char *alias);

/** vmm_aml_name() - Name (@path, ...); a data follows. 20.2.5.1. */
VMM_API int vmm_aml_name(struct vmm_aml *a, const char *path);

/** vmm_aml_scope_begin() - Scope of an existing object. 20.2.5.1. */
VMM_API int vmm_aml_scope_begin(struct vmm_aml *a, const char *path);
VMM_API int vmm_aml_scope_finish(struct vmm_aml *a);

/** vmm_aml_device_begin() - Device. 20.2.5.2. */
VMM_API int vmm_aml_device_begin(struct vmm_aml *a, const char *path);
VMM_API int vmm_aml_device_finish(struct vmm_aml *a);

/* Flags of a method: @sync level 0 to 15, 20.2.5.2. */
#define VMM_AML_SERIALIZED       0x08
#define VMM_AML_SYNC_LEVEL(sync) ((uint32_t)(sync) << 4)

/**
 * vmm_aml_method_begin() - Method. 20.2.5.2.
 * @nargs: 0 to 7.
 * @flags: 0, or VMM_AML_SERIALIZED with or without VMM_AML_SYNC_LEVEL(). A method that creates
 *         named objects is to be serialized.
 */
VMM_API int vmm_aml_method_begin(struct vmm_aml *a, const char *path, uint32_t nargs,
				 uint32_t flags);
VMM_API int vmm_aml_method_finish(struct vmm_aml *a);

/** vmm_aml_power_begin() - PowerResource; its @level is the deepest sleep state it stays on
 * in. 20.2.5.2. */
VMM_API int vmm_aml_power_begin(struct vmm_aml *a, const char *path, uint8_t level, uint16_t order);
VMM_API int vmm_aml_power_finish(struct vmm_aml *a);

/** vmm_aml_thermal_begin() - ThermalZone. 20.2.5.2. */
VMM_API int vmm_aml_thermal_begin(struct vmm_aml *a, const char *path);
VMM_API int vmm_aml_thermal_finish(struct vmm_aml *a);

/** vmm_aml_mutex() - Mutex of a @sync level from 0 to 15. 20.2.5.2. */
VMM_API int vmm_aml_mutex(struct vmm_aml *a, const char *path, uint32_t sync);

/** vmm_aml_event() - Event. 20.2.5.2. */
VMM_API int vmm_aml_event(struct vmm_aml *a, const char *path);

/* Object types of External and ObjectType, 19.6, ObjectType. */
#define VMM_AML_TYPE_ANY     0
#define VMM_AML_TYPE_INTEGER 1
#define VMM_AML_TYPE_STRING  2
#define VMM_AML_TYPE_BUFFER  3
#define VMM_AML_TYPE_PACKAGE 4
#define VMM_AML_TYPE_FIELD   5
#define VMM_AML_TYPE_DEVICE  6
#define VMM_AML_TYPE_EVENT   7
#define VMM_AML_TYPE_METHOD  8
#define VMM_AML_TYPE_MUTEX   9
#define VMM_AML_TYPE_REGION  10
#define VMM_AML_TYPE_POWER   11
#define VMM_AML_TYPE_THERMAL 13

/** vmm_aml_external() - External: an object of another table; @nargs counts only for a
 * method. 20.2.5.2. */
VMM_API int vmm_aml_external(struct vmm_aml *a, const char *path, uint8_t type, uint8_t nargs);

/* Address spaces of OperationRegion, 20.2.5.2. */
#define VMM_AML_SPACE_MEMORY     0x00
#define VMM_AML_SPACE_IO         0x01
#define VMM_AML_SPACE_PCI_CONFIG 0x02
#define VMM_AML_SPACE_EC         0x03
#define VMM_AML_SPACE_SMBUS      0x04
#define VMM_AML_SPACE_CMOS       0x05
#define VMM_AML_SPACE_PCI_BAR    0x06
#define VMM_AML_SPACE_IPMI       0x07
#define VMM_AML_SPACE_GPIO       0x08
#define VMM_AML_SPACE_SERIAL     0x09
#define VMM_AML_SPACE_PCC        0x0a
#define VMM_AML_SPACE_PRM        0x0b

/** vmm_aml_region() - OperationRegion; two values follow, its offset and its length in
 * bytes. 20.2.5.2. */
VMM_API int vmm_aml_region(struct vmm_aml *a, const char *path, uint8_t space);

/** vmm_aml_data_region() - DataTableRegion; values follow: signature, OEM ID, OEM table
 * ID. 20.2.5.2. */
VMM_API int vmm_aml_data_region(struct vmm_aml *a, const char *path);

/* Field flags: one access type, lock or not, one update rule, 20.2.5.2. */
#define VMM_AML_ACCESS_ANY      0x00
#define VMM_AML_ACCESS_BYTE     0x01
#define VMM_AML_ACCESS_WORD     0x02
#define VMM_AML_ACCESS_DWORD    0x03
#define VMM_AML_ACCESS_QWORD    0x04
#define VMM_AML_ACCESS_BUFFER   0x05
#define VMM_AML_LOCK            0x10
#define VMM_AML_UPDATE_PRESERVE 0x00
#define VMM_AML_UPDATE_ONES     0x20
#define VMM_AML_UPDATE_ZEROS    0x40

/** vmm_aml_field_begin() - Field over @region; units follow. 20.2.5.2. */
VMM_API int vmm_aml_field_begin(struct vmm_aml *a, const char *region, uint8_t flags);

/** vmm_aml_index_field_begin() - IndexField over two registers; units follow. 20.2.5.2. */
VMM_API int vmm_aml_index_field_begin(struct vmm_aml *a, const char *index, const char *data,
				      uint8_t flags);

/** vmm_aml_bank_field_begin() - BankField over @region, while the field @bank is @value; units
 * follow. 20.2.5.2. */
VMM_API int vmm_aml_bank_field_begin(struct vmm_aml *a, const char *region, const char *bank,
				     uint64_t value, uint8_t flags);
VMM_API int vmm_aml_field_finish(struct vmm_aml *a);

/** vmm_aml_field_unit() - The next @bits of a field list, by one name segment. 20.2.5.2. */
VMM_API int vmm_aml_field_unit(struct vmm_aml *a, const char *name, uint32_t bits);

/** vmm_aml_field_offset() - Offset (@byte): bytes from the list's start; only forward. 20.2.5.2. */
VMM_API int vmm_aml_field_offset(struct vmm_aml *a, uint32_t byte);

/* Attributes of AccessAs over GenericSerialBus and SMBus, 5.5.2.4.6.3; the last four of them with a
 * length. */
#define VMM_AML_ATTRIB_QUICK       0x02
#define VMM_AML_ATTRIB_SEND        0x04
#define VMM_AML_ATTRIB_BYTE        0x06
#define VMM_AML_ATTRIB_WORD        0x08
#define VMM_AML_ATTRIB_BLOCK       0x0a
#define VMM_AML_ATTRIB_CALL        0x0c
#define VMM_AML_ATTRIB_BLOCK_CALL  0x0d
#define VMM_AML_ATTRIB_BYTES       0x0b
#define VMM_AML_ATTRIB_RAW_BYTES   0x0e
#define VMM_AML_ATTRIB_RAW_PROCESS 0x0f

/** vmm_aml_field_access() - AccessAs for the units that follow. 20.2.5.2. */
VMM_API int vmm_aml_field_access(struct vmm_aml *a, uint8_t access, uint8_t attribute);

/** vmm_aml_field_access_len() - The same with an attribute of @len bytes: VMM_AML_ATTRIB_BYTES and
 * the like. 20.2.5.2, ExtendedAccessField. */
VMM_API int vmm_aml_field_access_len(struct vmm_aml *a, uint8_t access, uint8_t attribute,
				     uint8_t len);

/** vmm_aml_field_connect() - Connection (@path) of the units that follow. 20.2.5.2, ConnectField.
 */
VMM_API int vmm_aml_field_connect(struct vmm_aml *a, const char *path);

/** vmm_aml_field_connect_begin() - The same with a descriptor of its own, one, which follows. */
VMM_API int vmm_aml_field_connect_begin(struct vmm_aml *a);
VMM_API int vmm_aml_field_connect_finish(struct vmm_aml *a);

/* Fields of a buffer: a value (the buffer), a value (the index), and a path follow. 20.2.5.2. */
VMM_API int vmm_aml_create_bit_field(struct vmm_aml *a);
VMM_API int vmm_aml_create_byte_field(struct vmm_aml *a);
VMM_API int vmm_aml_create_word_field(struct vmm_aml *a);
VMM_API int vmm_aml_create_dword_field(struct vmm_aml *a);
VMM_API int vmm_aml_create_qword_field(struct vmm_aml *a);
/** vmm_aml_create_field() - A buffer, a bit index, a number of bits (values), and a path follow. */
VMM_API int vmm_aml_create_field(struct vmm_aml *a);

/* -- Statements, 20.2.5.3 -----------------------------------------------------------------------
 */

/** vmm_aml_if_begin() - If; a value, then statements follow. */
VMM_API int vmm_aml_if_begin(struct vmm_aml *a);
VMM_API int vmm_aml_if_finish(struct vmm_aml *a);
/** vmm_aml_else_begin() - Else, directly after vmm_aml_if_finish(); statements follow. */
VMM_API int vmm_aml_else_begin(struct vmm_aml *a);
VMM_API int vmm_aml_else_finish(struct vmm_aml *a);
/** vmm_aml_while_begin() - While; a value, then statements follow. */
VMM_API int vmm_aml_while_begin(struct vmm_aml *a);
VMM_API int vmm_aml_while_finish(struct vmm_aml *a);
/** vmm_aml_break() - Break, in a While. */
VMM_API int vmm_aml_break(struct vmm_aml *a);
/** vmm_aml_continue() - Continue, in a While. */
VMM_API int vmm_aml_continue(struct vmm_aml *a);
/** vmm_aml_return() - Return, in a method; a value follows. */
VMM_API int vmm_aml_return(struct vmm_aml *a);
/** vmm_aml_noop() - Noop. */
VMM_API int vmm_aml_noop(struct vmm_aml *a);
/** vmm_aml_breakpoint() - BreakPoint. */
VMM_API int vmm_aml_breakpoint(struct vmm_aml *a);
/** vmm_aml_notify() - Notify; a super (the object) and a value follow. */
VMM_API int vmm_aml_notify(struct vmm_aml *a);
/** vmm_aml_release() - Release; a super (the mutex) follows. */
VMM_API int vmm_aml_release(struct vmm_aml *a);
/** vmm_aml_reset() - Reset; a super (the event) follows. */
VMM_API int vmm_aml_reset(struct vmm_aml *a);
/** vmm_aml_signal() - Signal; a super (the event) follows. */
VMM_API int vmm_aml_signal(struct vmm_aml *a);
/** vmm_aml_sleep() - Sleep; a value in milliseconds follows. */
VMM_API int vmm_aml_sleep(struct vmm_aml *a);
/** vmm_aml_stall() - Stall; a value in microseconds, at most 100, follows. */
VMM_API int vmm_aml_stall(struct vmm_aml *a);
/** vmm_aml_fatal() - Fatal; a value follows. */
VMM_API int vmm_aml_fatal(struct vmm_aml *a, uint8_t type, uint32_t code);

/* -- Operators, 20.2.5.4; what follows each one stands behind it --------------------------------
 */

#define VMM_AML_WAIT_FOREVER 0xffff

/** vmm_aml_acquire() - Acquire (@mutex, @timeout in milliseconds); true if it timed out. */
VMM_API int vmm_aml_acquire(struct vmm_aml *a, const char *mutex, uint16_t timeout);
/** vmm_aml_wait() - Wait: super (event), value (milliseconds); true if it timed out. */
VMM_API int vmm_aml_wait(struct vmm_aml *a);

/** vmm_aml_store() - Store: value, super. */
VMM_API int vmm_aml_store(struct vmm_aml *a);
/** vmm_aml_copy() - CopyObject: value, super. */
VMM_API int vmm_aml_copy(struct vmm_aml *a);

/** vmm_aml_add() - Add: value, value, target. */
VMM_API int vmm_aml_add(struct vmm_aml *a);
/** vmm_aml_subtract() - Subtract: value, value, target. */
VMM_API int vmm_aml_subtract(struct vmm_aml *a);
/** vmm_aml_multiply() - Multiply: value, value, target. */
VMM_API int vmm_aml_multiply(struct vmm_aml *a);
/** vmm_aml_divide() - Divide: value, value, target (remainder), target (quotient). */
VMM_API int vmm_aml_divide(struct vmm_aml *a);
/** vmm_aml_mod() - Mod: value, value, target. */
VMM_API int vmm_aml_mod(struct vmm_aml *a);
/** vmm_aml_shift_left() - ShiftLeft: value, value (bits), target. */
VMM_API int vmm_aml_shift_left(struct vmm_aml *a);
/** vmm_aml_shift_right() - ShiftRight: value, value (bits), target. */
VMM_API int vmm_aml_shift_right(struct vmm_aml *a);
/** vmm_aml_and() - And: value, value, target. */
VMM_API int vmm_aml_and(struct vmm_aml *a);
/** vmm_aml_nand() - NAnd: value, value, target. */
VMM_API int vmm_aml_nand(struct vmm_aml *a);
/** vmm_aml_or() - Or: value, value, target. */
VMM_API int vmm_aml_or(struct vmm_aml *a);
/** vmm_aml_nor() - NOr: value, value, target. */
VMM_API int vmm_aml_nor(struct vmm_aml *a);
/** vmm_aml_xor() - XOr: value, value, target. */
VMM_API int vmm_aml_xor(struct vmm_aml *a);
/** vmm_aml_not() - Not: value, target. */
VMM_API int vmm_aml_not(struct vmm_aml *a);
/** vmm_aml_find_set_left_bit() - FindSetLeftBit: value, target. */
VMM_API int vmm_aml_find_set_left_bit(struct vmm_aml *a);
/** vmm_aml_find_set_right_bit() - FindSetRightBit: value, target. */
VMM_API int vmm_aml_find_set_right_bit(struct vmm_aml *a);
/** vmm_aml_increment() - Increment: super. */
VMM_API int vmm_aml_increment(struct vmm_aml *a);
/** vmm_aml_decrement() - Decrement: super. */
VMM_API int vmm_aml_decrement(struct vmm_aml *a);

/** vmm_aml_land() - LAnd: value, value. */
VMM_API int vmm_aml_land(struct vmm_aml *a);
/** vmm_aml_lor() - LOr: value, value. */
VMM_API int vmm_aml_lor(struct vmm_aml *a);
/** vmm_aml_lnot() - LNot: value. */
VMM_API int vmm_aml_lnot(struct vmm_aml *a);
/** vmm_aml_lequal() - LEqual: value, value. */
VMM_API int vmm_aml_lequal(struct vmm_aml *a);
/** vmm_aml_lnot_equal() - LNotEqual: value, value. */
VMM_API int vmm_aml_lnot_equal(struct vmm_aml *a);
/** vmm_aml_lless() - LLess: value, value. */
VMM_API int vmm_aml_lless(struct vmm_aml *a);
/** vmm_aml_lless_equal() - LLessEqual: value, value. */
VMM_API int vmm_aml_lless_equal(struct vmm_aml *a);
/** vmm_aml_lgreater() - LGreater: value, value. */
VMM_API int vmm_aml_lgreater(struct vmm_aml *a);
/** vmm_aml_lgreater_equal() - LGreaterEqual: value, value. */
VMM_API int vmm_aml_lgreater_equal(struct vmm_aml *a);

/** vmm_aml_concat() - Concatenate: value, value, target. */
VMM_API int vmm_aml_concat(struct vmm_aml *a);
/** vmm_aml_concat_res() - ConcatenateResTemplate: value, value, target. */
VMM_API int vmm_aml_concat_res(struct vmm_aml *a);
/** vmm_aml_mid() - Mid: value, value (index), value (length), target. */
VMM_API int vmm_aml_mid(struct vmm_aml *a);
/** vmm_aml_index() - Index: value (buffer, string or package), value, target. */
VMM_API int vmm_aml_index(struct vmm_aml *a);

/* Relations of Match between an element and a value, 19.6, Match; ANY is always true. */
#define VMM_AML_MATCH_ANY 0
#define VMM_AML_MATCH_EQ  1
#define VMM_AML_MATCH_LE  2
#define VMM_AML_MATCH_LT  3
#define VMM_AML_MATCH_GE  4
#define VMM_AML_MATCH_GT  5

/** vmm_aml_match() - Match: value (package), relation, value, relation, value, value (first
 * index): the index of the first element that both are true of, or Ones. */
VMM_API int vmm_aml_match(struct vmm_aml *a);
/** vmm_aml_relation() - A relation of Match: VMM_AML_MATCH_. */
VMM_API int vmm_aml_relation(struct vmm_aml *a, uint8_t relation);
/** vmm_aml_load() - Load an SSDT from the object @path: target, true if it went well. */
VMM_API int vmm_aml_load(struct vmm_aml *a, const char *path);
/** vmm_aml_load_table() - LoadTable: values: signature, OEM ID, OEM table ID, root path, parameter
 * path, parameter. */
VMM_API int vmm_aml_load_table(struct vmm_aml *a);
/** vmm_aml_ref_of() - RefOf: super. */
VMM_API int vmm_aml_ref_of(struct vmm_aml *a);
/** vmm_aml_cond_ref_of() - CondRefOf: super, target. */
VMM_API int vmm_aml_cond_ref_of(struct vmm_aml *a);
/** vmm_aml_deref_of() - DerefOf: value. */
VMM_API int vmm_aml_deref_of(struct vmm_aml *a);
/** vmm_aml_size_of() - SizeOf: super. */
VMM_API int vmm_aml_size_of(struct vmm_aml *a);
/** vmm_aml_object_type() - ObjectType: super. */
VMM_API int vmm_aml_object_type(struct vmm_aml *a);
/** vmm_aml_to_buffer() - ToBuffer: value, target. */
VMM_API int vmm_aml_to_buffer(struct vmm_aml *a);
/** vmm_aml_to_integer() - ToInteger: value, target. */
VMM_API int vmm_aml_to_integer(struct vmm_aml *a);
/** vmm_aml_to_string() - ToString: value, value (length), target. */
VMM_API int vmm_aml_to_string(struct vmm_aml *a);
/** vmm_aml_to_decimal_string() - ToDecimalString: value, target. */
VMM_API int vmm_aml_to_decimal_string(struct vmm_aml *a);
/** vmm_aml_to_hex_string() - ToHexString: value, target. */
VMM_API int vmm_aml_to_hex_string(struct vmm_aml *a);
/** vmm_aml_from_bcd() - FromBCD: value, target. */
VMM_API int vmm_aml_from_bcd(struct vmm_aml *a);
/** vmm_aml_to_bcd() - ToBCD: value, target. */
VMM_API int vmm_aml_to_bcd(struct vmm_aml *a);
/** vmm_aml_timer() - Timer: the time in units of 100 ns. */
VMM_API int vmm_aml_timer(struct vmm_aml *a);

/* -- Resource templates, 6.4 --------------------------------------------------------------------
 */

/** vmm_aml_resources_begin() - ResourceTemplate, a data; descriptors follow. 19.6,
 * ResourceTemplate. */
VMM_API int vmm_aml_resources_begin(struct vmm_aml *a);
VMM_API int vmm_aml_resources_finish(struct vmm_aml *a);

/* Flags of an IRQ or extended interrupt, 6.4.2.1 and 6.4.3.6 (0: level, high, exclusive, produced).
 */
#define VMM_AML_INT_CONSUMER 0x01 /* extended interrupts only; what a device's _CRS wants */
#define VMM_AML_INT_EDGE     0x02
#define VMM_AML_INT_LOW      0x04
#define VMM_AML_INT_SHARED   0x08
#define VMM_AML_INT_WAKE     0x10

/** vmm_aml_res_irq() - IRQ: ISA interrupts as a mask. 6.4.2.1. */
VMM_API int vmm_aml_res_irq(struct vmm_aml *a, uint16_t mask, uint8_t flags);

/** vmm_aml_res_dma() - DMA: @mask of channels; @flags as in the descriptor's byte 2. 6.4.2.2. */
VMM_API int vmm_aml_res_dma(struct vmm_aml *a, uint8_t mask, uint8_t flags);

/** vmm_aml_res_io() - IO, decoding 16 bits of address. 6.4.2.5. */
VMM_API int vmm_aml_res_io(struct vmm_aml *a, uint16_t min, uint16_t max, uint8_t align,
			   uint8_t len);

/** vmm_aml_res_fixed_io() - FixedIO, decoding 10 bits of address. 6.4.2.6. */
VMM_API int vmm_aml_res_fixed_io(struct vmm_aml *a, uint16_t base, uint8_t len);

/** vmm_aml_res_fixed_dma() - FixedDMA; @width as in the descriptor: 0 is 8 bits, 5 is 256. 6.4.2.7.
 */
VMM_API int vmm_aml_res_fixed_dma(struct vmm_aml *a, uint16_t line, uint16_t channel,
				  uint8_t width);

/** vmm_aml_res_start_dependent() - StartDependentFn: one of several choices; each of the two 0
 * good, 1 acceptable, 2 sub-optimal. 6.4.2.3. */
VMM_API int vmm_aml_res_start_dependent(struct vmm_aml *a, uint8_t compatibility,
					uint8_t performance);

/** vmm_aml_res_end_dependent() - EndDependentFn: the end of the choices. 6.4.2.4. */
VMM_API int vmm_aml_res_end_dependent(struct vmm_aml *a);

/** vmm_aml_res_vendor() - Vendor-defined, at most 65,535 bytes. 6.4.2.8, 6.4.3.2. */
VMM_API int vmm_aml_res_vendor(struct vmm_aml *a, const void *data, size_t len);

/** vmm_aml_res_memory32() - Memory32: a range that can move. 6.4.3.3. */
VMM_API int vmm_aml_res_memory32(struct vmm_aml *a, uint8_t writable, uint32_t min, uint32_t max,
				 uint32_t align, uint32_t len);

/** vmm_aml_res_memory32_fixed() - Memory32Fixed. 6.4.3.4. */
VMM_API int vmm_aml_res_memory32_fixed(struct vmm_aml *a, uint8_t writable, uint32_t base,
				       uint32_t len);

#define VMM_AML_RANGE_MEMORY 0
#define VMM_AML_RANGE_IO     1
#define VMM_AML_RANGE_BUS    2

/* General flags of an address space descriptor, 6.4.3.5; windows of a bridge are produced. */
#define VMM_AML_RANGE_CONSUMER    0x01
#define VMM_AML_RANGE_SUBTRACTIVE 0x02
#define VMM_AML_RANGE_MIN_FIXED   0x04
#define VMM_AML_RANGE_MAX_FIXED   0x08
#define VMM_AML_RANGE_FIXED       0x0c

/* Flags of a memory range, 6.4.3.5.5. */
#define VMM_AML_MEMORY_WRITABLE     0x01
#define VMM_AML_MEMORY_CACHEABLE    0x02
#define VMM_AML_MEMORY_COMBINING    0x04
#define VMM_AML_MEMORY_PREFETCHABLE 0x06
#define VMM_AML_MEMORY_RESERVED     0x08
#define VMM_AML_MEMORY_ACPI         0x10
#define VMM_AML_MEMORY_NVS          0x18
#define VMM_AML_MEMORY_IS_IO        0x20

/* Flags of an I/O range, 6.4.3.5.5. */
#define VMM_AML_IO_NON_ISA   0x01
#define VMM_AML_IO_ISA       0x02
#define VMM_AML_IO_ENTIRE    0x03
#define VMM_AML_IO_IS_MEMORY 0x10
#define VMM_AML_IO_SPARSE    0x20

/* An address range; 6.4.3.5. */
struct vmm_aml_range {
	uint32_t size;        /* of this struct */
	uint8_t type;         /* VMM_AML_RANGE_MEMORY, _IO, _BUS, or 0xc0 and more: the vendor's */
	uint8_t flags;        /* VMM_AML_RANGE_ bits */
	uint8_t type_flags;   /* VMM_AML_MEMORY_ or VMM_AML_IO_ bits; 0 for a bus range */
	uint8_t reserved;     /* zero */
	uint64_t granularity; /* a mask: bits that an address inside must have clear */
	uint64_t min;
	uint64_t max;
	uint64_t translation; /* what is added to reach the other side of the bridge */
	uint64_t len;
};

/**
 * vmm_aml_res_word_range() - WordIO, WordBusNumber, WordSpace. 6.4.3.5.3.
 *
 * With both ends fixed, length is to be max - min + 1, or 0 for a range that is not there.
 *
 * Return: as all; -VMM_EINVAL also for a value that does not fit its width, and ends that disagree.
 */
VMM_API int vmm_aml_res_word_range(struct vmm_aml *a, const struct vmm_aml_range *range);
/** vmm_aml_res_dword_range() - DWordMemory, DWordIO, DWordSpace; as above. 6.4.3.5.2. */
VMM_API int vmm_aml_res_dword_range(struct vmm_aml *a, const struct vmm_aml_range *range);
/** vmm_aml_res_qword_range() - QWordMemory, QWordIO, QWordSpace; as above. 6.4.3.5.1. */
VMM_API int vmm_aml_res_qword_range(struct vmm_aml *a, const struct vmm_aml_range *range);

/** vmm_aml_res_extended_range() - ExtendedMemory, ExtendedIO, ExtendedSpace; @attributes are those
 * of memory as EFI has them. As above. 6.4.3.5.4. */
VMM_API int vmm_aml_res_extended_range(struct vmm_aml *a, const struct vmm_aml_range *range,
				       uint64_t attributes);

/** vmm_aml_res_interrupt() - Interrupt: @count global system interrupts, 1 to 255. 6.4.3.6. */
VMM_API int vmm_aml_res_interrupt(struct vmm_aml *a, uint8_t flags, const uint32_t *gsi,
				  uint32_t count);

/** vmm_aml_res_register() - Register, a generic address. 6.4.3.7. */
VMM_API int vmm_aml_res_register(struct vmm_aml *a, uint8_t space, uint8_t bits, uint8_t offset,
				 uint8_t access, uint64_t address);

/* Flags of a GPIO connection, 6.4.3.8.1; the pin's configuration is 0 to 3: default, up, down,
 * none. */
#define VMM_AML_GPIO_EDGE   0x01
#define VMM_AML_GPIO_LOW    0x02
#define VMM_AML_GPIO_BOTH   0x04
#define VMM_AML_GPIO_SHARED 0x08
#define VMM_AML_GPIO_WAKE   0x10

/**
 * vmm_aml_res_gpio_int() - GpioInt: a pin of a controller as an interrupt. 6.4.3.8.1.
 * @flags:  VMM_AML_GPIO_ bits.
 * @pull:   0 default, 1 up, 2 down, 3 none.
 * @source: Path of the controller, kept as text.
 * @pin:    Its number there.
 */
VMM_API int vmm_aml_res_gpio_int(struct vmm_aml *a, uint8_t flags, uint8_t pull, const char *source,
				 uint16_t pin);

/* Which way a GPIO connection is used, 6.4.3.8.1. */
#define VMM_AML_GPIO_IN_OUT   0
#define VMM_AML_GPIO_IN       1
#define VMM_AML_GPIO_OUT      2
#define VMM_AML_GPIO_PRESERVE 3

/**
 * vmm_aml_res_gpio_io() - GpioIo: pins of a controller. 6.4.3.8.1.
 * @use:    VMM_AML_GPIO_IN and its like, or with VMM_AML_GPIO_SHARED.
 * @pull:   0 default, 1 up, 2 down, 3 none.
 * @source: Path of the controller, kept as text.
 * @pin:    @count pins.
 * @count:  1 to 255.
 */
VMM_API int vmm_aml_res_gpio_io(struct vmm_aml *a, uint8_t use, uint8_t pull, const char *source,
				const uint16_t *pin, uint32_t count);

#define VMM_AML_SERIAL_DEVICE 0x01 /* the controller is the one that is spoken to */
#define VMM_AML_SERIAL_SHARED 0x04

/**
 * vmm_aml_res_i2c() - I2cSerialBusV2: a device on an I2C bus. 6.4.3.8.2.1.
 * @flags:   VMM_AML_SERIAL_ bits.
 * @address: Of 7 bits, or of 10 where @wide is not 0.
 * @hz:      Speed.
 * @source:  Path of the controller, kept as text.
 */
VMM_API int vmm_aml_res_i2c(struct vmm_aml *a, uint8_t flags, uint16_t address, uint8_t wide,
			    uint32_t hz, const char *source);

/* A device on an SPI bus, 6.4.3.8.2.2. */
struct vmm_aml_spi {
	uint32_t size; /* of this struct */
	uint32_t hz;
	uint16_t select;  /* which device */
	uint8_t flags;    /* VMM_AML_SERIAL_ bits */
	uint8_t bits;     /* of a transfer */
	uint8_t phase;    /* 0: data at the first edge of the clock, 1: second */
	uint8_t polarity; /* 1: the clock begins high */
	uint8_t three_wire;
	uint8_t active_high; /* the select line */
};

/** vmm_aml_res_spi() - SpiSerialBusV2; @source as for I2C. 6.4.3.8.2.2. */
VMM_API int vmm_aml_res_spi(struct vmm_aml *a, const struct vmm_aml_spi *spi, const char *source);

/* A device on a serial line, 6.4.3.8.2.3. */
struct vmm_aml_uart {
	uint32_t size; /* of this struct */
	uint32_t baud;
	uint16_t rx_fifo; /* bytes */
	uint16_t tx_fifo;
	uint8_t flags;     /* VMM_AML_SERIAL_ bits */
	uint8_t data_bits; /* 5 to 9 */
	uint8_t stop_bits; /* 0: none, 1: one, 2: one and a half, 3: two */
	uint8_t parity;    /* 0: none, 1: even, 2: odd, 3: mark, 4: space */
	uint8_t flow;      /* 0: none, 1: RTS and CTS, 2: XON and XOFF */
	uint8_t lines;     /* in use, bit 2 DTD, 3 RI, 4 DSR, 5 DTR, 6 CTS, 7 RTS */
	uint8_t big_endian;
	uint8_t reserved; /* zero */
};

/** vmm_aml_res_uart() - UartSerialBusV2; @source as for I2C. 6.4.3.8.2.3. */
VMM_API int vmm_aml_res_uart(struct vmm_aml *a, const struct vmm_aml_uart *uart,
			     const char *source);

VMM_END_DECLS

#endif

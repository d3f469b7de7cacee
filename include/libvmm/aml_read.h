/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/aml_read.h - Reading ACPI Machine Language: its terms, the namespace, resources.
 *
 * For one who wants to know what is in a DSDT or SSDT, of a real machine or of one's own making,
 * without executing it. Three parts, each usable alone:
 *
 * - A reader gives the terms of a list one by one, an operator before its operands, each with its
 *   depth. It is what the builder of aml.h takes, the other way round.
 * - A space is the namespace that one or more lists lead to, kept in an array of the caller's.
 * - A cursor over a resource template gives its descriptors.
 *
 * AML is not trusted: each length and offset is checked against the bytes that are there, every
 * call takes a bounded time, and nothing is allocated. Structs that are filled begin with their
 * size, set by the caller; every function may return -VMM_EINVAL for one of another size.
 *
 * Sections are those of ACPI 6.5. Any context; one thread at a time.
 */
#ifndef LIBVMM_AML_READ_H
#define LIBVMM_AML_READ_H

#include "libvmm/types.h"

VMM_BEGIN_DECLS

/* -- Terms, 20.2 -------------------------------------------------------------------------------
 */

/* What a term is: its opcode as 20.3 lists it, 0x5b00 and more for an extended one; and: */
#define VMM_AML_OP_ZERO        0x00
#define VMM_AML_OP_ONE         0x01
#define VMM_AML_OP_ALIAS       0x06
#define VMM_AML_OP_NAME        0x08
#define VMM_AML_OP_BYTE        0x0a
#define VMM_AML_OP_WORD        0x0b
#define VMM_AML_OP_DWORD       0x0c
#define VMM_AML_OP_STRING      0x0d
#define VMM_AML_OP_QWORD       0x0e
#define VMM_AML_OP_SCOPE       0x10
#define VMM_AML_OP_BUFFER      0x11
#define VMM_AML_OP_PACKAGE     0x12
#define VMM_AML_OP_VAR_PACKAGE 0x13
#define VMM_AML_OP_METHOD      0x14
#define VMM_AML_OP_EXTERNAL    0x15
#define VMM_AML_OP_RETURN      0xa4
#define VMM_AML_OP_ONES        0xff
#define VMM_AML_OP_MUTEX       0x5b01
#define VMM_AML_OP_EVENT       0x5b02
#define VMM_AML_OP_REVISION    0x5b30
#define VMM_AML_OP_REGION      0x5b80
#define VMM_AML_OP_FIELD       0x5b81
#define VMM_AML_OP_DEVICE      0x5b82
#define VMM_AML_OP_PROCESSOR   0x5b83
#define VMM_AML_OP_POWER       0x5b84
#define VMM_AML_OP_THERMAL     0x5b85
#define VMM_AML_OP_INDEX_FIELD 0x5b86
#define VMM_AML_OP_BANK_FIELD  0x5b87
#define VMM_AML_OP_DATA_REGION 0x5b88
/* Terms without an opcode of their own. */
#define VMM_AML_OP_PATH    0x100 /* an object by its @name */
#define VMM_AML_OP_CALL    0x101 /* a method by its @name; @args values follow */
#define VMM_AML_OP_NULL    0x102 /* no target */
#define VMM_AML_OP_BYTES   0x103 /* the bytes of a buffer, in @bytes and @len */
#define VMM_AML_OP_RAW     0x104 /* a number that belongs to the term, behind its operands */
#define VMM_AML_OP_UNIT    0x110 /* in a field list: @name of @value[0] bits */
#define VMM_AML_OP_SKIP    0x111 /* in a field list: @value[0] bits without a name */
#define VMM_AML_OP_ACCESS  0x112 /* in a field list: access type, attribute, length */
#define VMM_AML_OP_CONNECT 0x113 /* in a field list: @name, or a buffer that follows */

/* A NameString, 20.2.2: "\" or some "^", then segments of four characters. */
struct vmm_aml_path_ref {
	const uint8_t *segment; /* @count of 4 bytes each, in the AML; [A-Z_][A-Z0-9_]* */
	uint8_t count;
	uint8_t root;    /* begins with "\" */
	uint8_t parents; /* number of "^" */
	uint8_t reserved;
};

/**
 * struct vmm_aml_term - One term.
 * @size:  sizeof(struct vmm_aml_term), set by the caller.
 * @op:    What it is: VMM_AML_OP_, or another opcode.
 * @depth: 0 for those of the list itself, one more for their operands and contents.
 * @at:    Where it begins in the list.
 * @end:   Where its package length ends; 0 if it has none.
 * @args:  Values that follow a call; arguments of a method or of an external one.
 * @name:  The first name that belongs to it; no segments if there is none.
 * @other: A second one: of an Alias, IndexField, BankField.
 * @value: Its numbers in their order: of an integer; flags; level of a mutex; region space.
 * @bytes: Of a string (without its end) or buffer.
 * @len:   Of @bytes.
 */
struct vmm_aml_term {
	uint32_t size;
	uint32_t op;
	uint32_t depth;
	uint32_t at;
	uint32_t end;
	uint32_t args;
	struct vmm_aml_path_ref name;
	struct vmm_aml_path_ref other;
	uint64_t value[3];
	const uint8_t *bytes;
	uint32_t len;
	uint32_t reserved;
};

/* Terms within terms, at most. */
#define VMM_AML_READ_DEPTH 64

struct vmm_aml_read_frame {
	const char *rest; /* what is still to come of the term */
	uint32_t end;
	uint32_t reserved;
};

/* In the caller's storage; its fields belong to the reader. */
struct vmm_aml_reader {
	const uint8_t *data;
	uint32_t at;
	uint32_t depth;
	void *opaque;
	uint32_t (*args)(void *opaque, const struct vmm_aml_path_ref *name);
	struct vmm_aml_read_frame frame[VMM_AML_READ_DEPTH];
};

/**
 * vmm_aml_read_open() - Read a list of terms.
 * @r:      Reader.
 * @data:   AML: the body of a table, behind its header. Stays while anything of it is used.
 * @len:    Bytes of it.
 * @args:   Tells how many values follow where @name stands as a value: the arguments of a method,
 *          or VMM_AML_NOT_A_METHOD. The encoding does not say it. NULL: there are no methods.
 * @opaque: For @args.
 *
 * Return: 0, -VMM_EINVAL (NULL with a length), -VMM_ERANGE (2 GiB or more).
 */
VMM_API int vmm_aml_read_open(struct vmm_aml_reader *r, const void *data, size_t len,
			      uint32_t (*args)(void *opaque, const struct vmm_aml_path_ref *name),
			      void *opaque);

#define VMM_AML_NOT_A_METHOD 0xff

/**
 * vmm_aml_read_next() - The next term, in the order of the encoding.
 *
 * Return: 0, -VMM_ENOENT (the end), -VMM_EFORMAT (not AML; the reader stays there),
 * -VMM_ELIMIT (deeper than VMM_AML_READ_DEPTH).
 */
VMM_API int vmm_aml_read_next(struct vmm_aml_reader *r, struct vmm_aml_term *term);

/**
 * vmm_aml_read_skip() - Pass over what is in @term, the one that was read last.
 *
 * Return: 0, -VMM_EINVAL (it has no package length).
 */
VMM_API int vmm_aml_read_skip(struct vmm_aml_reader *r, const struct vmm_aml_term *term);

/**
 * vmm_aml_path_text() - A NameString as text, without what fills segments up: "\_SB.PCI0.S1".
 * @buf: Filled, NUL-terminated.
 * @cap: Bytes at @buf.
 *
 * Return: 0, -VMM_ESIZE.
 */
VMM_API int vmm_aml_path_text(const struct vmm_aml_path_ref *name, char *buf, size_t cap);

/* -- The namespace, 5.3 ------------------------------------------------------------------------
 */

#define VMM_AML_SPACE_LISTS 64

/* Of an object: */
#define VMM_AML_OBJECT_AGAIN       0x01 /* it was defined a second time; this is the first */
#define VMM_AML_OBJECT_CONDITIONAL 0x02 /* within an If or While outside of a method */
#define VMM_AML_OBJECT_MISSING     0x04 /* named as a scope or external, defined nowhere */

/* An object; index 0 is the root. The order is that of definition, parents before children. */
struct vmm_aml_object {
	uint8_t segment[4];
	uint32_t parent;
	uint32_t op;        /* of the term that made it; 0 for what is there by itself, 5.3.1 */
	uint32_t at;        /* where that term begins in its list */
	uint32_t branch[2]; /* the space's own */
	uint8_t list;       /* which list it came from, in the order they were added */
	uint8_t args;       /* of a method */
	uint8_t flags;      /* VMM_AML_OBJECT_ */
	uint8_t reserved;
};

/* In the caller's storage. */
struct vmm_aml_space {
	struct vmm_aml_object *object;
	uint32_t count;
	uint32_t cap;
	uint32_t lists;
	uint32_t error_at; /* where the list that failed is not AML */
	struct {
		const uint8_t *data;
		uint32_t len;
	} list[VMM_AML_SPACE_LISTS];
};

/* Room that is enough for every list of @len bytes in all: what an object takes, 20.2.5. */
#define VMM_AML_SPACE_ROOM(len) ((len) / 4 + 16)

/**
 * vmm_aml_space_open() - Start a namespace with what is there by itself, 5.3.1.
 * @objects: Room for @cap objects; stays with the space.
 *
 * Return: 0, -VMM_ESIZE (@cap below 16).
 */
VMM_API int vmm_aml_space_open(struct vmm_aml_space *s, struct vmm_aml_object *objects,
			       uint32_t cap);

/**
 * vmm_aml_space_add() - Add what a list of terms defines.
 * @data: The body of a DSDT or SSDT; the DSDT first.
 * @len:  Bytes of it.
 *
 * Methods are not looked into: what they make exists only while they run. What stands in an If is
 * taken, whatever its condition.
 *
 * Return: 0, -VMM_ESIZE (no room for another object), -VMM_ELIMIT (more lists than
 * VMM_AML_SPACE_LISTS, or too deep), -VMM_EFORMAT (not AML: @error_at tells where; what was read
 * before stays).
 */
VMM_API int vmm_aml_space_add(struct vmm_aml_space *s, const void *data, size_t len);

/**
 * vmm_aml_space_find() - An object by its name, seen from @scope. 5.3.
 *
 * A single segment is searched in @scope and in those around it.
 *
 * Return: its index, or -VMM_ENOENT.
 */
VMM_API int64_t vmm_aml_space_find(const struct vmm_aml_space *s, uint32_t scope,
				   const struct vmm_aml_path_ref *name);

/** vmm_aml_space_child() - The object @segment right below @parent, or -VMM_ENOENT. */
VMM_API int64_t vmm_aml_space_child(const struct vmm_aml_space *s, uint32_t parent,
				    const char *segment);

/**
 * vmm_aml_space_path() - An object's full path as text.
 *
 * Return: 0, -VMM_ESIZE, -VMM_ENOENT (no such object).
 */
VMM_API int vmm_aml_space_path(const struct vmm_aml_space *s, uint32_t index, char *buf,
			       size_t cap);

/* Where names are seen from. */
struct vmm_aml_view {
	const struct vmm_aml_space *space;
	uint32_t scope;
	uint32_t reserved;
};

/**
 * vmm_aml_space_reader() - Read a list with the methods of a namespace known.
 * @r:    Opened, as by vmm_aml_read_open().
 * @view: Which namespace, and where names are seen from now: the caller moves it along; stays
 *        while @r is used.
 *
 * Return: as vmm_aml_read_open().
 */
VMM_API int vmm_aml_space_reader(struct vmm_aml_reader *r, const void *data, size_t len,
				 struct vmm_aml_view *view);

/**
 * vmm_aml_space_read() - Read the term that made an object, with what is in it.
 * @r:    Opened; its first term is that one, at depth 0. What belongs to it is deeper.
 * @view: Filled; the reader asks it how many values methods take, so it stays while @r is used.
 *
 * Return: 0, -VMM_ENOENT (no such object, or one that no term made).
 */
VMM_API int vmm_aml_space_read(const struct vmm_aml_space *s, uint32_t index,
			       struct vmm_aml_reader *r, struct vmm_aml_view *view);

/* -- Resource templates, 6.4 -------------------------------------------------------------------
 */

/* What a descriptor is. */
#define VMM_AML_RES_IRQ       1  /* 6.4.2.1: @mask */
#define VMM_AML_RES_DMA       2  /* 6.4.2.2: @mask */
#define VMM_AML_RES_START     3  /* 6.4.2.3: start of a set of dependent functions */
#define VMM_AML_RES_FINISH    4  /* 6.4.2.4 */
#define VMM_AML_RES_IO        5  /* 6.4.2.5, 6.4.2.6 */
#define VMM_AML_RES_FIXED_DMA 6  /* 6.4.2.7 */
#define VMM_AML_RES_VENDOR    7  /* 6.4.2.8, 6.4.3.2 */
#define VMM_AML_RES_MEMORY    8  /* 6.4.3.1, 6.4.3.3, 6.4.3.4: a device's own */
#define VMM_AML_RES_RANGE     9  /* 6.4.3.5: an address space, word, dword, qword or extended */
#define VMM_AML_RES_INTERRUPT 10 /* 6.4.3.6: see vmm_aml_res_gsi() */
#define VMM_AML_RES_REGISTER  11 /* 6.4.3.7 */
#define VMM_AML_RES_GPIO      12 /* 6.4.3.8.1 */
#define VMM_AML_RES_SERIAL    13 /* 6.4.3.8.2 */
#define VMM_AML_RES_OTHER     14 /* another one: pin functions and groups, clocks ... */

/**
 * struct vmm_aml_res - One descriptor.
 * @size:       sizeof(struct vmm_aml_res), set by the caller.
 * @kind:       VMM_AML_RES_.
 * @tag:        Its tag as 6.4.2 and 6.4.3 list them: 4 for IRQ, 0x8a for a QWord range.
 * @type:       Of a range: VMM_AML_RANGE_. Of a register: its space. Of a serial bus: 1 I2C ...
 * @flags:      As the descriptor has them: general ones of a range, vector flags.
 * @type_flags: Of a range.
 * @count:      Of an extended interrupt.
 * @mask:       Of IRQ and DMA.
 * @granularity, @min, @max, @translation, @length: Of I/O, memory, ranges; what a descriptor does
 *              not have is zero. A fixed one has @max such that it is where @min is. Of a register:
 *              @min is the address.
 * @bytes:      The whole descriptor.
 * @len:        Of @bytes.
 */
struct vmm_aml_res {
	uint32_t size;
	uint32_t kind;
	uint32_t tag;
	uint32_t type;
	uint32_t flags;
	uint32_t type_flags;
	uint32_t count;
	uint32_t mask;
	uint64_t granularity;
	uint64_t min;
	uint64_t max;
	uint64_t translation;
	uint64_t length;
	const uint8_t *bytes;
	uint32_t len;
	uint32_t reserved;
};

/**
 * vmm_aml_res_next() - The descriptor at *@at, which moves on.
 * @data: A template: the bytes of a buffer.
 * @len:  Of it.
 * @at:   0 for the first one.
 *
 * Return: 0, -VMM_ENOENT (the end tag), -VMM_EFORMAT (no end tag, or one that is too short).
 */
VMM_API int vmm_aml_res_next(const uint8_t *data, size_t len, size_t *at, struct vmm_aml_res *res);

/** vmm_aml_res_gsi() - Interrupt @index of an extended one; -VMM_ENOENT behind the last. */
VMM_API int64_t vmm_aml_res_gsi(const struct vmm_aml_res *res, uint32_t index);

VMM_END_DECLS

#endif

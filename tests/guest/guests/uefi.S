/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The runtime services of vUEFI, by their physical addresses and by virtual ones; mailboxes that the guest has
 * filled itself; a call while another one is being served, and a reset nevertheless.
 */
#include "guest.inc"
#define IMAGE 0x140000
#define SYSTEM (IMAGE + 0x10000)
#define BUSY (SYSTEM + 0x1e0)
#define MAILBOX (IMAGE + 0x11000)
#define PORT 0x608
#define HIGH 0xffff800000000000
#define TABLES 0x10000
/* Of the system table, and of the table of runtime services. */
#define RUNTIME 88
#define SET_VIRTUAL (24 + 8 * 4)
#define GET_VARIABLE (24 + 8 * 6)
#define SET_VARIABLE (24 + 8 * 8)
#define NEXT_COUNT (24 + 8 * 9)
#define RESET (24 + 8 * 10)
#define UPDATE_CAPSULE (24 + 8 * 11)

/* Microsoft's convention: RCX, RDX, R8, R9, then the stack above 32 bytes. R12 has the services' table. */
.macro service number
	call *\number(%r12)
.endm
.macro get_variable
	movq $100, size
	mov $name, %ecx
	mov $owner, %edx
	mov $attributes, %r8d
	mov $size, %r9d
	movq $SCRATCH, 32(%rsp)
	service GET_VARIABLE
.endm
.macro say_status text:vararg
	say64 %rax, \text
.endm
/* Ring with what is in the mailbox. */
.macro ring text:vararg
	movl $PORT, %edx
	movl $1, %eax
	outl %eax, %dx
	mov MAILBOX + 8, %rax
	say_status \text
.endm

start64
	sub $64, %rsp
	mov SYSTEM, %rax
	say64 %rax, "system table: "
	mov SYSTEM + RUNTIME, %r12

	call services
	/* 4 GiB less 2 MiB up: the same memory at HIGH. */
	movq $(TABLES + 3), PML4 + 8 * 256
	movq $(TABLES + 0x1003), TABLES
	movq $0x83, TABLES + 0x1000
	mov $(2 * 48), %ecx
	mov $48, %edx
	mov $1, %r8d
	mov $map, %r9d
	service SET_VIRTUAL
	say_status "set virtual: "
	mov SYSTEM + RUNTIME, %r12
	say64 %r12, "services: "
	mov GET_VARIABLE(%r12), %rax
	shr $32, %rax
	say32 %eax, "get variable's upper half: "
	call services
	mov $(2 * 48), %ecx
	mov $48, %edx
	mov $1, %r8d
	mov $map, %r9d
	service SET_VIRTUAL
	say_status "once more: "

	/* What no runtime code would write. */
	movl $0xffffffff, MAILBOX
	ring "no such call: "
	movl $3, MAILBOX
	movl $0xffffffff, MAILBOX + 16
	ring "name too long: "
	movl $3, MAILBOX + 16
	ring "half a character: "
	movl $0, MAILBOX + 16
	ring "no name: "
	movl $8, MAILBOX + 16
	movl $0x00610061, MAILBOX + 64
	movl $0x00610061, MAILBOX + 68
	ring "name without an end: "
	movl $5, MAILBOX
	movl $0, MAILBOX + 68
	ring "name with two ends: "
	movl $6, MAILBOX + 16
	movl $0xffffffff, MAILBOX + 20
	ring "data too long: "

	/* As if another processor were in a call: nothing but a reset goes. */
	movl $1, BUSY
	get_variable
	say_status "nested: "
	mov $2, %ecx
	xor %edx, %edx
	xor %r8d, %r8d
	xor %r9d, %r9d
	service RESET
	say "not reached"
	finish 1

services:
	sub $72, %rsp
	mov $name, %ecx
	mov $owner, %edx
	mov $7, %r8d
	mov $5, %r9d
	movq $value, 32(%rsp)
	service SET_VARIABLE
	say_status "set: "
	get_variable
	say_status "get: "
	say32 size, "size: "
	mov SCRATCH, %eax
	say32 %eax, "value: "
	movb $0, name
	get_variable
	say_status "get without a name: "
	movb $'n', name
	mov $name, %ecx
	mov $owner, %edx
	mov $0x27, %r8d
	mov $5, %r9d
	movq $value, 32(%rsp)
	service SET_VARIABLE
	say_status "authenticated: "
	mov $name, %ecx
	mov $owner, %edx
	mov $7, %r8d
	xor %r9d, %r9d
	movq $0, 32(%rsp)
	service SET_VARIABLE
	say_status "delete: "
	get_variable
	say_status "get: "
	mov $count, %ecx
	service NEXT_COUNT
	say_status "count: "
	service UPDATE_CAPSULE
	say_status "capsule: "
	add $72, %rsp
	ret

	.balign 8
size:	.quad 0
map:	.long 7, 0
	.quad 0, 0, 16, 15, 0
	.long 5, 0
	.quad IMAGE, HIGH + IMAGE, 0x30, 0x800000000000000f, 0
attributes: .long 0
count:	.long 0
owner:	.quad 0x1122334455667788, 0x99aabbccddeeff00
name:	.short 'n', 'a', 'm', 'e', 0
value:	.ascii "hello"
functions
idt_register

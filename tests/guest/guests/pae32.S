/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* 32-bit with PAE paging (SDM 3A 4.4): a 4 KiB mapping, a page fault, a page above 4 GiB, a new CR3. */
#include "guest.inc"
#define TABLE 0x10000
#define PDPT2 0x11000
start32
	mov %cr0, %eax
	and $0x80000001, %eax
	say32 %eax, "cr0 PG, PE: "
	mov %cr4, %eax
	and $0x20, %eax
	say32 %eax, "cr4 PAE: "
	gate32 14, fault

	/* 0x40000000 -> SCRATCH, the page after it is not there, the one after that lies above 4 GiB. */
	movl $(TABLE + 3), PD + 0x1000
	movl $0, PD + 0x1004
	movl $(SCRATCH + 3), TABLE
	movl $0x20000003, TABLE + 16
	movl $1, TABLE + 20
	mov %cr3, %eax
	mov %eax, %cr3
	movl $0x12345678, 0x40000004
	mov SCRATCH + 4, %eax
	say32 %eax, "through the mapping: "
	mov 0x40001008, %eax
back:
	mov 0x40002008, %eax
	say32 %eax, "above 4 GiB: "

	/* Another page directory pointer table, whose second entry is the first directory. */
	movl $(PD + 1), PDPT2
	movl $(PD + 1), PDPT2 + 8
	mov $PDPT2, %eax
	mov %eax, %cr3
	mov SCRATCH + 0x40000004, %eax
	say32 %eax, "through the new cr3: "
	hlt
	finish
fault:
	pop %edx
	mov %cr2, %eax
	say32 %eax, "page fault at "
	say32 %edx, "error code "
	movl $back, (%esp)
	iret
functions
idt_register

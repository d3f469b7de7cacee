/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A program of the BIOS's time: a boot sector that loads the rest of itself, calls the BIOS for what
 * there was a call for, and looks at the devices behind it. Calls are those of IBM's BIOS Interface
 * Technical Reference; what it prints, by INT 10h, is what tests/qemu/legacy.ini expects.
 */
	.code16
	.set SECTORS, 6
	.set EOI, 0x20

.macro	say text
	call print
	.asciz "\text"
.endm

	.section .boot, "ax"
	.globl _start
_start:
	cli
	xor %ax, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $0x7c00, %sp
	cld
	sti
	say "boot: sector of drive "
	mov %dl, %al
	call print8
	call newline
	mov $0x0200 + SECTORS, %ax	/* read */
	mov $0x7e00, %bx
	mov $0x0002, %cx
	xor %dh, %dh
	int $0x13
	jnc more
	say "boot: INT 13h failed\r\n"
1:	hlt
	jmp 1b

/* Prints the text that follows the call. */
print:
	pop %si
	push %ax
	push %bx
1:	lodsb
	test %al, %al
	jz 2f
	mov $0x0e, %ah
	mov $7, %bx
	int $0x10
	jmp 1b
2:	pop %bx
	pop %ax
	jmp *%si

newline:
	say "\r\n"
	ret

print16:
	xchg %al, %ah
	call print8
	xchg %al, %ah
print8:
	push %ax
	shr $4, %al
	call digit
	pop %ax
	push %ax
	call digit
	pop %ax
	ret

digit:
	push %ax
	push %bx
	and $15, %al
	cmp $10, %al
	sbb $0x69, %al
	das
	mov $0x0e, %ah
	mov $7, %bx
	int $0x10
	pop %bx
	pop %ax
	ret

	.text
more:
	say "boot: loaded\r\n"

	/* INT 12h: KiB below 1 MiB; INT 15h E820h: how many ranges. */
	int $0x12
	call print16
	say "h KiB\r\n"
	xor %ebx, %ebx
	xor %bp, %bp
1:	mov $0xe820, %eax
	mov $0x534d4150, %edx
	mov $20, %ecx
	mov $0x600, %di
	int $0x15
	jc 2f
	inc %bp
	test %ebx, %ebx
	jnz 1b
2:	cmp $3, %bp
	jb 3f
	say "e820: good\r\n"
3:
	/* The tick by which the BIOS keeps time: INT 8 at 18.2 Hz, which calls INT 1Ch. */
	cli
	movw $tick, 4 * 0x1c
	movw %cs, 4 * 0x1c + 2
	sti
	call ticks
	mov %dx, %bx
1:	hlt
	call ticks
	sub %bx, %dx
	cmp $9, %dx
	jb 1b
	cmpw $9, counted
	jb 2f
	say "int 8: ticks\r\n"
2:
	/* Counter 0 as the BIOS has programmed it: reads lower and lower, most of the time. */
	mov $100, %cx
	xor %bp, %bp
	call counter
	mov %ax, %bx
1:	call counter
	cmp %ax, %bx
	jb 2f
	inc %bp
2:	mov %ax, %bx
	loop 1b
	cmp $90, %bp
	jb 3f
	say "8254: counts\r\n"
3:
	/* Counter 2, one shot of 50 ms, behind its gate. */
	in $0x61, %al
	and $0xfc, %al
	out %al, $0x61
	mov $0xb0, %al
	out %al, $0x43
	mov $59659 & 255, %al
	out %al, $0x42
	mov $59659 >> 8, %al
	out %al, $0x42
	in $0x61, %al
	test $0x20, %al
	jnz 3f
	or $1, %al
	out %al, $0x61
1:	in $0x61, %al
	test $0x20, %al
	jz 1b
	say "8254: counter 2\r\n"
3:
	/* INT 1Ah: the clock's date. */
	mov $4, %ah
	int $0x1a
	jc 1f
	say "date: "
	mov %cx, %ax
	call print16
	call newline
1:
	/* INT 15h 86h: the BIOS waits by the clock's periodic interrupt. */
	mov $0x86, %ah
	mov $1, %cx
	xor %dx, %dx
	int $0x15
	jc 1f
	say "rtc: waited\r\n"
1:
	/* Its update interrupt, by INT 70h: flags of register C. */
	cli
	movw $rtc, 4 * 0x70
	movw %cs, 4 * 0x70 + 2
	mov $0x0b, %al
	out %al, $0x70
	in $0x71, %al
	mov %al, %ah
	mov $0x0b, %al
	out %al, $0x70
	mov %ah, %al
	or $0x10, %al
	out %al, $0x71
	in $0xa1, %al
	and $0xfe, %al
	out %al, $0xa1
	sti
1:	hlt
	testb $0x10, flags
	jz 1b
	say "rtc: updates\r\n"

	/* A key that the controller sends as if the keyboard had (A, in set 1), by INT 9 and 16h. */
	mov $0xd2, %al
	out %al, $0x64
	mov $0x1e, %al
	out %al, $0x60
	xor %ah, %ah
	int $0x16
	say "key: "
	call print16
	call newline

	/* 8259: polled and spurious. Everything masked, so that no request is left. */
	cli
	mov $0xff, %al
	out %al, $0x21
	mov $0x0c, %al
	out %al, $0x20
	in $0x20, %al
	test $0x80, %al
	jnz 1f
	say "8259: nothing to poll\r\n"
1:
	say "boot: done\r\n"
	/* A tick or two: SeaBIOS sends what is on the screen when it has time. */
	mov $0xfe, %al
	out %al, $0x21
	sti
	hlt
	hlt
	cli
	/* The debug-exit port where there is one, else the reset by the keyboard controller. */
	mov $0x10, %al
	out %al, $0xf4
	mov $0xfe, %al
	out %al, $0x64
1:	hlt
	jmp 1b

/* Ticks since midnight in DX. */
ticks:
	push %bx
	xor %ah, %ah
	int $0x1a
	pop %bx
	ret

counter:
	xor %al, %al
	out %al, $0x43
	in $0x40, %al
	mov %al, %ah
	in $0x40, %al
	xchg %al, %ah
	ret

tick:
	incw %cs:counted
	iret

rtc:
	push %ax
	mov $0x0c, %al
	out %al, $0x70
	in $0x71, %al
	or %al, %cs:flags
	mov $EOI, %al
	out %al, $0xa0
	out %al, $0x20
	pop %ax
	iret

counted:
	.word 0
flags:
	.byte 0

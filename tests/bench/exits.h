/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What an exit handled by the embedder costs: the same guest loops under a VMM of raw ioctls and
 * under libvmm, and the time-stamp counter is read each time the embedder has an exit in its hands.
 * Under QEMU's -icount the counter counts instructions, and the least of many is free of
 * interrupts.
 */
#ifndef TESTS_BENCH_EXITS_H
#define TESTS_BENCH_EXITS_H

#include <stddef.h>
#include <stdint.h>

#define EXITS_COUNTED 1000

/* Guest code at 0x1000 in real mode, DS at RAM's end: one access, then back to it. */
#define GUEST_BASE 0x1000
#define RAM_BYTES  0x10000
#define PORT       0x80

enum access { PORT_WRITE, PORT_READ, MMIO_WRITE, MMIO_READ, ACCESSES };

static const struct {
	const char *name;
	unsigned char code[4];
} accesses[ACCESSES] = {
	[PORT_WRITE] = {"port write", {0xe6, PORT, 0xeb, 0xfc}}, /* out %al, $PORT; jmp */
	[PORT_READ] = {"port read", {0xe4, PORT, 0xeb, 0xfc}},   /* in $PORT, %al; jmp */
	[MMIO_WRITE] = {"mmio write", {0x88, 0x07, 0xeb, 0xfc}}, /* mov %al, (%bx); jmp */
	[MMIO_READ] = {"mmio read", {0x8a, 0x07, 0xeb, 0xfc}},   /* mov (%bx), %al; jmp */
};

static inline uint64_t counter(void)
{
	return __builtin_ia32_rdtsc();
}

/* Least count between two exits, 0 if the machine could not be made. */
uint64_t raw_kvm_exit(enum access access);
uint64_t libvmm_exit(const char *engine, enum access access);

#endif

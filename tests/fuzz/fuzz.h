/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a fuzz target defines. It is linked twice: with libFuzzer (-Dfuzz=true, clang), and with
 * replay.c, which feeds it a fixed set of good and broken inputs in the unit suite.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* No seed is larger. */
#define FUZZ_SEED_CAP 0x10000u

/* Feed one input; ends the program where an invariant is broken. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Well-formed input number @index in @buf of FUZZ_SEED_CAP zeros; its length, 0 after the last. */
size_t fuzz_seed(unsigned int index, uint8_t *buf);

/* What is left of an input that says what to do. */
struct fuzz_input {
	const uint8_t *data;
	size_t len;
};

/* The next bytes, little-endian; zeros after the last. @bytes: at most 8. */
static inline uint64_t fuzz_take(struct fuzz_input *in, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes && in->len > 0; i++) {
		value |= (uint64_t)*in->data++ << (8 * i);
		in->len--;
	}
	return value;
}

/* An invariant; unlike assert() it is there in every build. */
#define FUZZ_CHECK(condition)                                                                   \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)

#endif

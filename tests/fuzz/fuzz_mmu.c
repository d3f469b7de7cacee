// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * A stream of operations on a small page table, beside the model of the unit tests: the first bytes
 * choose encoding and geometry, each five that follow one operation.
 */
#include "fuzz.h"
#include "small.h"

#define HEAD      4
#define OPERATION 5

static struct small_op operation(const struct small *s, const uint8_t *d)
{
	struct small_op op = {.kind = d[0] % SMALL_KINDS,
			      .first = (uint8_t)(d[1] % s->pages),
			      .oa = d[3] % 40,
			      .which = d[4] & 3};

	op.count = (uint8_t)(1 + d[2] % (s->pages - op.first));
	return op;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct small_geometry geometries[] = {
		{2, 2, 2, 0}, {1, 3, 2, 0}, {1, 4, 1, 0}, {2, 1, 2, 0}, {1, 3, 1, 0}, {2, 2, 1, 0}};
	struct small_geometry g;
	struct small s;

	if (len < HEAD)
		return 0;
	g = geometries[data[1] % (sizeof(geometries) / sizeof(geometries[0]))];
	g.split = 1 + data[2] % 3;
	FUZZ_CHECK(small_init(&s, &encodings[data[0] % encoding_count], &g));
	for (size_t at = HEAD; at + OPERATION <= len && at < 4096; at += OPERATION) {
		struct small_op op = operation(&s, data + at);
		bool race = data[at] & 0x40 && op.kind != SMALL_HARVEST &&
			    s.encoding->flags & VMM__PT_AD;
		const char *failure = data[at] & 0x80 ? small_run_starved(&s, &op)
				      : race ? small_run_raced(&s, &op, data[at + 3] % s.pages,
							       1 + data[at + 4] % 8)
					     : small_run(&s, &op);

		if (failure)
			fprintf(stderr, "%s: %s\n", s.encoding->name, failure);
		FUZZ_CHECK(!failure);
	}
	return 0;
}

/* Streams that map a good deal: one for each encoding, long enough to come back to what they
 * mapped. */
size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	const size_t len = HEAD + OPERATION * 40;
	uint32_t state = index + 1;

	if (index >= encoding_count)
		return 0;
	for (size_t i = 0; i < len; i++) {
		state = state * 1664525 + 1013904223;
		buf[i] = (uint8_t)(state >> 24);
		if (i >= HEAD && (i - HEAD) % OPERATION == 0 && (i & 1))
			buf[i] = SMALL_MAP;
	}
	buf[0] = (uint8_t)index;
	buf[1] = (uint8_t)(index / 3);
	buf[2] = (uint8_t)index;
	return len;
}

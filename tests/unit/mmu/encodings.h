/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Every encoding that the memory engine has, with what the tests' own decoder has to know of it. */
#ifndef TESTS_MMU_ENCODINGS_H
#define TESTS_MMU_ENCODINGS_H

#include "decode.h"
#include "pt.h"

struct encoding {
	const char *name;
	const struct vmm__pt_format *format;
	enum decode_family family;
	uint32_t flags;
	bool wide;
	uint8_t prot[2], mem[2];  /* two that differ */
	uint8_t ia_bits, oa_bits; /* at full size */
};

extern const struct encoding encodings[];
extern const unsigned encoding_count;

/* The decoder for a table, apart from where its memory is. */
struct decoder encoding_decoder(const struct encoding *e, const struct vmm__pt *pt);

/* The decoder's result is a leaf of these attributes. */
bool encoding_agrees(const struct encoding *e, const struct decoded *d, unsigned prot,
		     unsigned mem);

#endif

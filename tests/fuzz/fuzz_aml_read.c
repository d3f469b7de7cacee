// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * AML that nobody has checked: read term by term, as a namespace, and as a resource template. Each
 * call either fails or moves on; nothing behind the end is looked at.
 */
#include <string.h>

#include "fuzz.h"
#include "libvmm/aml_read.h"
#include "samples.h"

#define OBJECTS 1024

static volatile uint8_t sunk;

static void look(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sunk ^= p[i];
}

static void look_at_term(const struct vmm_aml_term *t, size_t len)
{
	char text[8];

	FUZZ_CHECK(t->depth < VMM_AML_READ_DEPTH && t->at <= len && t->end <= len);
	look(t->name.segment, 4 * (size_t)t->name.count);
	look(t->other.segment, 4 * (size_t)t->other.count);
	look(t->bytes, t->len);
	vmm_aml_path_text(&t->name, text, sizeof(text));
	FUZZ_CHECK(memchr(text, 0, sizeof(text)) != NULL);
}

/* To the end or the first thing that is not AML: no more terms than bytes, but for empty ones. */
static void read_terms(struct vmm_aml_reader *r, size_t len)
{
	struct vmm_aml_term t = {.size = sizeof(t)};
	size_t terms = 0;
	int err;

	while ((err = vmm_aml_read_next(r, &t)) == 0) {
		look_at_term(&t, len);
		FUZZ_CHECK(terms++ <= 2 * len);
		if (t.op == VMM_AML_OP_METHOD && t.args == 7)
			FUZZ_CHECK(vmm_aml_read_skip(r, &t) == 0);
	}
	FUZZ_CHECK(err == -VMM_ENOENT || err == -VMM_EFORMAT || err == -VMM_ELIMIT);
	FUZZ_CHECK(vmm_aml_read_next(r, &t) == err);
}

static void read_resources(const uint8_t *data, size_t len)
{
	struct vmm_aml_res res = {.size = sizeof(res)};
	size_t at = 0, before = 0;

	while (vmm_aml_res_next(data, len, &at, &res) == 0) {
		FUZZ_CHECK(at > before && at <= len && at - before == res.len);
		before = at;
		look(res.bytes, res.len);
		for (uint32_t i = 0; i < res.count; i++)
			FUZZ_CHECK(vmm_aml_res_gsi(&res, i) >= 0);
	}
}

static void look_at_object(const struct vmm_aml_space *s, uint32_t i, size_t len)
{
	struct vmm_aml_path_ref name = {.segment = s->object[i].segment, .count = 1};
	struct vmm_aml_reader r;
	struct vmm_aml_view view;
	char path[64];

	FUZZ_CHECK(i == 0 || s->object[i].parent < i);
	FUZZ_CHECK(i == 0 || vmm_aml_space_child(s, s->object[i].parent,
						 (const char *)s->object[i].segment) == i);
	FUZZ_CHECK(i == 0 || vmm_aml_space_find(s, i, &name) >= 0);
	vmm_aml_space_path(s, i, path, sizeof(path));
	if (vmm_aml_space_read(s, i, &r, &view) == 0 && i % 16 == 0)
		read_terms(&r, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct vmm_aml_object objects[OBJECTS];
	struct vmm_aml_space space;
	struct vmm_aml_reader r;
	int err;

	read_resources(data, len);
	FUZZ_CHECK(vmm_aml_read_open(&r, data, len, NULL, NULL) == 0);
	read_terms(&r, len);
	FUZZ_CHECK(vmm_aml_space_open(&space, objects, OBJECTS) == 0);
	for (int twice = 0; twice < 2; twice++) {
		err = vmm_aml_space_add(&space, data, len);
		FUZZ_CHECK(err == 0 || err == -VMM_EFORMAT || err == -VMM_ELIMIT ||
			   err == -VMM_ESIZE);
		FUZZ_CHECK(space.error_at <= len && space.count <= OBJECTS);
	}
	for (uint32_t i = 0; i < space.count; i++)
		look_at_object(&space, i, len);
	return 0;
}

/* All terms, and a resource template. */
size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	struct vmm_aml a;
	size_t len = 0;

	if (index > 1)
		return 0;
	vmm_aml_open(&a, buf, FUZZ_SEED_CAP);
	if (index == 0) {
		sample_terms(&a);
	} else {
		vmm_aml_name(&a, "_CRS");
		vmm_aml_resources_begin(&a);
		sample_resources(&a);
		vmm_aml_resources_finish(&a);
	}
	FUZZ_CHECK(vmm_aml_close(&a, &len) == 0);
	if (index == 1) { /* without Name, buffer and its length */
		memmove(buf, buf + 10, len - 10);
		len -= 10;
	}
	return len;
}

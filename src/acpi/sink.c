// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "acpi_sink.h"

#include "bits.h"
#include "endian.h"
#include "mem.h"

#define SINK_OPENED 0x4b4e4953 /* storage that is merely zeroed is not an opened builder */

int vmm__sink_open(struct vmm_sink *s, void *buf, size_t cap)
{
	*s = (struct vmm_sink){.buf = buf, .cap = cap, .opened = SINK_OPENED};
	if (buf == NULL && cap != 0)
		s->error = -VMM_EINVAL;
	return s->error;
}

int vmm__sink_fail(struct vmm_sink *s, int code)
{
	if (s->error == 0)
		s->error = -code;
	return s->error;
}

int vmm__sink_error(const struct vmm_sink *s)
{
	return s->opened == SINK_OPENED ? s->error : -VMM_ESTATE;
}

int vmm__sink_close(struct vmm_sink *s, size_t *len)
{
	int error = vmm__sink_error(s);

	s->opened = 0;
	if (error != 0)
		return error;
	if (len != NULL)
		*len = s->len;
	return s->buf != NULL && s->len > s->cap ? -VMM_ESIZE : 0;
}

/* Counts @n bytes; NULL if there is nowhere to write them. */
static uint8_t *grow(struct vmm_sink *s, size_t n)
{
	size_t at = s->len;

	if (vmm__sink_error(s) != 0)
		return NULL;
	if (n > SIZE_MAX - at) {
		vmm__sink_fail(s, VMM_ERANGE);
		return NULL;
	}
	s->len = at + n;
	return vmm__range_within(at, n, s->cap) ? s->buf + at : NULL;
}

void vmm__sink_put(struct vmm_sink *s, const void *data, size_t n)
{
	uint8_t *p = grow(s, n);

	if (p != NULL && n != 0)
		memcpy(p, data, n);
}

void vmm__sink_zeros(struct vmm_sink *s, size_t n)
{
	uint8_t *p = grow(s, n);

	if (p != NULL)
		memset(p, 0, n);
}

void vmm__sink_skip(struct vmm_sink *s, size_t n)
{
	grow(s, n);
}

void vmm__sink_insert(struct vmm_sink *s, size_t at, const void *data, size_t n)
{
	size_t tail = s->len - at;

	if (grow(s, n) == NULL)
		return;
	memmove(s->buf + at + n, s->buf + at, tail);
	memcpy(s->buf + at, data, n);
}

uint8_t *vmm__sink_at(struct vmm_sink *s, size_t at, size_t n)
{
	if (vmm__sink_error(s) != 0 || s->buf == NULL || s->len > s->cap)
		return NULL;
	return vmm__range_within(at, n, s->len) ? s->buf + at : NULL;
}

void vmm__sink_int(struct vmm_sink *s, uint64_t v, size_t width)
{
	uint8_t le[8];

	vmm__put_le64(le, v);
	vmm__sink_put(s, le, width);
}

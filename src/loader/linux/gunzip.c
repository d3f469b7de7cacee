// SPDX-License-Identifier: BSD-2-Clause-Patent
/* gzip (RFC 1952), by zlib. */
#include <limits.h>

#include "format.h"
#include "libvmm/loader.h"
#include "sized.h"

#define FAIL(error, code, ...) vmm__fail(error, code, "vmm_gunzip", 0, __VA_ARGS__)

#if VMM__ZLIB
#define ZLIB_CONST
#include <zlib.h>

/* Where unpacked bytes go that nobody wants. */
#define SCRATCH 0x4000u

struct unpack {
	z_stream stream;
	const uint8_t *in; /* what zlib has not been given yet */
	size_t in_left;
	uint8_t *out; /* NULL: only count */
	size_t out_left;
	uint8_t scratch[SCRATCH];
};

static uInt at_most(size_t n, size_t most)
{
	return (uInt)(n < most ? n : most);
}

/* One call of inflate(), whose counters have fewer bits than size_t. */
static int step(struct unpack *u)
{
	z_stream *z = &u->stream;
	uInt in, room;
	int status;

	z->next_in = u->in;
	z->avail_in = in = at_most(u->in_left, UINT_MAX);
	z->next_out = u->out ? u->out : u->scratch;
	z->avail_out = room = at_most(u->out_left, u->out ? UINT_MAX : SCRATCH);
	status = inflate(z, Z_NO_FLUSH);
	u->in += in - z->avail_in;
	u->in_left -= in - z->avail_in;
	u->out_left -= room - z->avail_out;
	if (u->out)
		u->out += room - z->avail_out;
	return status;
}

/* Padding to a block's end, as on a tape, is no data. */
static int only_zeros(const uint8_t *bytes, size_t len)
{
	while (len > 0 && bytes[len - 1] == 0)
		len--;
	return len == 0;
}

/* zlib can go no further: for want of room if one byte of it helps, else of input. */
static int stuck(struct unpack *u, struct vmm_error *error)
{
	u->out = NULL;
	u->out_left = 1;
	step(u);
	if (u->out_left == 0)
		return FAIL(error, -VMM_ESIZE, "it unpacks to more than there is room for");
	return FAIL(error, -VMM_EFORMAT, "the gzip file is cut short");
}

/* All members of the file, one after the other. Each round uses up input or room, or is the last.
 */
static int unpack_all(struct unpack *u, struct vmm_error *error)
{
	for (;;) {
		switch (step(u)) {
		case Z_OK:
			break;
		case Z_STREAM_END:
			if (only_zeros(u->in, u->in_left))
				return 0;
			inflateReset(&u->stream);
			break;
		case Z_BUF_ERROR:
			return stuck(u, error);
		case Z_MEM_ERROR:
			return FAIL(error, -VMM_ENOMEM, "no memory to unpack with");
		default:
			return FAIL(error, -VMM_EFORMAT, "the gzip file is damaged: %s",
				    u->stream.msg ? u->stream.msg : "it is none");
		}
	}
}

static int unpack(const void *data, size_t len, void *out, size_t *out_size,
		  struct vmm_error *error)
{
	struct unpack u = {
		.in = data,
		.in_left = len,
		.out = out,
		.out_left = *out_size,
	};
	int err;

	/* 15: the largest window; + 16: a gzip header and trailer. */
	if (inflateInit2(&u.stream, 15 + 16) != Z_OK)
		return FAIL(error, -VMM_ENOMEM, "no memory to unpack with");
	err = unpack_all(&u, error);
	inflateEnd(&u.stream);
	if (!err)
		*out_size -= u.out_left;
	return err;
}
#else
static int unpack(const void *data, size_t len, void *out, size_t *out_size,
		  struct vmm_error *error)
{
	(void)data;
	(void)len;
	(void)out;
	(void)out_size;
	return FAIL(error, -VMM_ENOTSUP, "libvmm was built without zlib");
}
#endif

int vmm_gunzip(const void *data, size_t len, void *out, size_t *out_size, struct vmm_error *error)
{
	struct vmm_error own_error = {.size = sizeof(own_error)};
	int err;

	if (data && out_size)
		err = unpack(data, len, out, out_size, &own_error);
	else
		err = FAIL(&own_error, -VMM_EINVAL, "an argument is missing");
	if (err && error)
		vmm__give_struct(error, &own_error, sizeof(own_error));
	return err;
}

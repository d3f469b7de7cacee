// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Linux's initramfs buffer (Documentation/driver-api/early-userspace/buffer-format.rst):
 * any number of cpio archives in "newc" format and packed ones, with zeros between them.
 */
#include "load.h"
#include "mem.h"
#include "sized.h"

#define HEADER_SIZE 110u
#define FIELD(n)    (6 + 8 * (n))
#define FILE_SIZE   FIELD(6)
#define NAME_SIZE   FIELD(11)

static const char trailer[] = "TRAILER!!!";

struct initrd {
	const uint8_t *data;
	uint64_t len;
	uint64_t at;
	struct vmm_error *error;
};

static int malformed(const struct initrd *initrd, const char *text)
{
	return vmm__fail(initrd->error, -VMM_EFORMAT, "vmm_initrd_check", 0, "%s, at 0x%llx", text,
			 ULL(initrd->at));
}

/* The first two bytes by which Linux (lib/decompress.c) knows what it can unpack. */
static bool is_packed(const uint8_t *data, uint64_t len)
{
	static const uint16_t magics[] = {
		0x8b1f, /* gzip */
		0x9e1f, /* old gzip */
		0x5a42, /* bzip2 */
		0x005d, /* lzma */
		0x37fd, /* xz */
		0x4c89, /* lzo */
		0x2102, /* lz4, legacy frame */
		0xb528, /* zstd */
	};

	for (size_t i = 0; len >= 2 && i < ARRAY_SIZE(magics); i++) {
		if (vmm__le16(data) == magics[i])
			return true;
	}
	return false;
}

static bool is_cpio(const uint8_t *data, uint64_t len)
{
	return len >= 6 && (memcmp(data, "070701", 6) == 0 || memcmp(data, "070702", 6) == 0);
}

/* Eight hexadecimal digits. */
static bool read_field(const uint8_t *text, uint64_t *value)
{
	*value = 0;
	for (int i = 0; i < 8; i++) {
		const uint8_t c = text[i], letter = c | 0x20;

		if (c >= '0' && c <= '9')
			*value = *value << 4 | (uint64_t)(c - '0');
		else if (letter >= 'a' && letter <= 'f')
			*value = *value << 4 | (uint64_t)(letter - 'a' + 10);
		else
			return false;
	}
	return true;
}

/* One member: header, name, and contents, the last two padded to 4 bytes. */
static int skip_member(struct initrd *initrd, bool *last)
{
	const uint8_t *header = initrd->data + initrd->at;
	const uint64_t left = initrd->len - initrd->at;
	uint64_t name_size, file_size, contents;

	if (left < HEADER_SIZE)
		return malformed(initrd, "the initrd is cut short within a cpio header");
	if (!is_cpio(header, left))
		return malformed(initrd, "the initrd has no cpio header where one must be");
	for (unsigned int i = 0; i < 13; i++) {
		if (!read_field(header + FIELD(i), &file_size))
			return malformed(initrd, "a field of a cpio header is no number");
	}
	read_field(header + NAME_SIZE, &name_size);
	read_field(header + FILE_SIZE, &file_size);
	contents = vmm__align_up(HEADER_SIZE + name_size, 4);
	if (contents > left || file_size > left - contents)
		return malformed(initrd, "the initrd is cut short within a cpio member");
	if (name_size == 0 || header[HEADER_SIZE + name_size - 1] != '\0')
		return malformed(initrd, "the name of a cpio member has no end");
	*last = name_size == sizeof(trailer) &&
		memcmp(header + HEADER_SIZE, trailer, sizeof(trailer)) == 0;
	initrd->at += vmm__align_up(contents + file_size, 4);
	return 0;
}

static int skip_archive(struct initrd *initrd)
{
	bool last = false;
	int err = 0;

	while (!err && !last) {
		if (initrd->at >= initrd->len)
			return malformed(initrd,
					 "the initrd is cut short: its archive has no last member");
		err = skip_member(initrd, &last);
	}
	return err;
}

static int check(struct initrd *initrd)
{
	bool any = false;

	while (initrd->data && initrd->at < initrd->len) {
		const uint8_t *next = initrd->data + initrd->at;
		const uint64_t left = initrd->len - initrd->at;
		int err;

		if (*next == 0) {
			initrd->at++;
			continue;
		}
		if (is_packed(next, left))
			return 0;
		if (initrd->at % 4 || !is_cpio(next, left))
			return malformed(initrd, "the initrd is neither cpio nor packed");
		err = skip_archive(initrd);
		if (err)
			return err;
		any = true;
	}
	return any ? 0 : malformed(initrd, "the initrd is empty");
}

int vmm_initrd_check(const void *data, size_t len, struct vmm_error *error)
{
	struct vmm_error own_error = {.size = sizeof(own_error)};
	struct initrd initrd = {data, len, 0, &own_error};
	int err = check(&initrd);

	if (err && error)
		vmm__give_struct(error, &own_error, sizeof(own_error));
	return err;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_LEN (256 << 10)

static int storage_read(void *opaque, uint64_t offset, void *buf, size_t len)
{
	const struct storage *s = opaque;
	uint8_t *p = buf;

	while (len > 0) {
		const ssize_t n = pread(s->fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -VMM_EIO;
		p += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int storage_write(void *opaque, uint64_t offset, const void *buf, size_t len)
{
	const struct storage *s = opaque;
	const uint8_t *p = buf;

	while (len > 0) {
		const ssize_t n = pwrite(s->fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -VMM_EIO;
		p += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int storage_flush(void *opaque)
{
	const struct storage *s = opaque;

	return fdatasync(s->fd) == 0 ? 0 : -VMM_EIO;
}

/* The length of a new one is given at once, so that no write has to make it longer. */
static bool take_length(struct storage *s)
{
	struct stat st;

	if (fstat(s->fd, &st) != 0)
		return false;
	if (st.st_size == 0) {
		if (ftruncate(s->fd, NEW_LEN) != 0 || fsync(s->fd) != 0)
			return false;
		st.st_size = NEW_LEN;
	}
	s->ops.len = (uint64_t)st.st_size;
	return true;
}

bool storage_open(struct storage *storage, const char *name)
{
	*storage = (struct storage){
		.ops = {.size = sizeof(storage->ops),
			.opaque = storage,
			.read = storage_read,
			.write = storage_write,
			.flush = storage_flush},
		.fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600),
	};
	if (storage->fd >= 0 && flock(storage->fd, LOCK_EX | LOCK_NB) == 0 && take_length(storage))
		return true;
	fprintf(stderr, "vmm-run: %s: %s\n", name,
		errno == EWOULDBLOCK ? "in use by another machine" : strerror(errno));
	storage_close(storage);
	return false;
}

void storage_close(struct storage *storage)
{
	if (storage->fd >= 0)
		close(storage->fd);
	storage->fd = -1;
}

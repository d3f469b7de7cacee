// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "guest_ram.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const struct vmm_load_range default_map[] = {
	{0, 0x9f000, VMM_LOAD_RAM, 0},
	{0x9f000, 0x61000, VMM_LOAD_RESERVED, 0},
	{0x100000, 0x1ff00000, VMM_LOAD_RAM, 0},
};

int guest_ram_holds(const struct vmm_load_target *target, uint64_t gpa, uint64_t len)
{
	uint64_t pos = gpa;

	for (uint32_t i = 0; i < target->range_count && pos - gpa < len; i++) {
		const struct vmm_load_range *r = &target->ranges[i];

		if (r->type == VMM_LOAD_RAM && pos >= r->base && pos < r->base + r->size)
			pos = r->base + r->size;
	}
	return pos - gpa >= len;
}

/* Ends the test program: no test expects a write that is not to RAM. */
static int count_write(struct guest_ram *ram, uint64_t gpa, uint64_t len)
{
	if (gpa >= GUEST_RAM_END || len > GUEST_RAM_END - gpa || len == 0 ||
	    !guest_ram_holds(&ram->target, gpa, len))
		abort();
	return ++ram->writes == ram->fail_at ? -VMM_EIO : 0;
}

static int write(void *opaque, uint64_t gpa, const void *buf, size_t len)
{
	struct guest_ram *ram = opaque;
	int err = count_write(ram, gpa, len);

	if (!err)
		memcpy(ram->bytes + gpa, buf, len);
	return err;
}

static int zero(void *opaque, uint64_t gpa, uint64_t len)
{
	struct guest_ram *ram = opaque;
	int err = count_write(ram, gpa, len);

	if (!err)
		memset(ram->bytes + gpa, 0, len);
	return err;
}

void guest_ram_init(struct guest_ram *ram)
{
	memset(ram, 0, sizeof(*ram));
	ram->bytes = mmap(NULL, GUEST_RAM_END, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ram->bytes == MAP_FAILED)
		abort();
	ram->target = (struct vmm_load_target){
		.size = sizeof(ram->target),
		.ranges = default_map,
		.range_count = 3,
		.opaque = ram,
		.write = write,
		.zero = zero,
	};
}

void guest_ram_fini(struct guest_ram *ram)
{
	munmap(ram->bytes, GUEST_RAM_END);
}

void guest_ram_dirty(struct guest_ram *ram)
{
	memset(ram->bytes, 0xa5, 64 << 20);
}

uint64_t guest_ram64(const struct guest_ram *ram, uint64_t gpa)
{
	uint64_t value = 0;

	for (unsigned int i = 8; i-- > 0;)
		value = value << 8 | ram->bytes[gpa + i];
	return value;
}

uint32_t guest_ram32(const struct guest_ram *ram, uint64_t gpa)
{
	return (uint32_t)guest_ram64(ram, gpa);
}

uint16_t guest_ram16(const struct guest_ram *ram, uint64_t gpa)
{
	return (uint16_t)guest_ram64(ram, gpa);
}

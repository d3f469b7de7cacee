// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The input is physical memory from 0 on, with the RSDP at its front. */
#include <string.h>

#include "fuzz.h"
#include "libvmm/acpi_read.h"
#include "samples.h"

struct input {
	const uint8_t *data;
	size_t len;
};

static const void *map(void *opaque, uint64_t pa, size_t len)
{
	const struct input *in = opaque;

	return pa <= in->len && len <= in->len - pa ? in->data + pa : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = {data, len};
	const struct vmm_acpi_memory memory = {.size = sizeof(memory), .opaque = &in, .map = map};
	struct vmm_acpi_table t = {.size = sizeof(t)};
	struct vmm_acpi_root r;
	uint64_t rsdp;

	if (vmm_acpi_read_search(&memory, 0, len, &rsdp) == 0)
		FUZZ_CHECK(rsdp + 20 <= len);
	if (vmm_acpi_read_open(&r, &memory, 0) != 0)
		return 0;
	FUZZ_CHECK((uint64_t)r.count * r.width <= len);
	for (uint32_t i = 0; i < r.count; i++)
		if (vmm_acpi_read_index(&r, i, &t) == 0)
			FUZZ_CHECK(t.pa <= len && t.len <= len - t.pa && t.data == data + t.pa);
	vmm_acpi_read_find(&r, "APIC", 0, &t);
	vmm_acpi_read_find(&r, "SSDT", 1, &t);
	return 0;
}

size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	size_t len = 0;

	if (index >= sample_count)
		return 0;
	FUZZ_CHECK(sample_build(&samples[index], buf, FUZZ_SEED_CAP, 0, &len) == 0);
	return len;
}

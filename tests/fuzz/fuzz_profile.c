// SPDX-License-Identifier: BSD-2-Clause-Patent
/* A profile's text. What is accepted is written and read again; what is not says where and why. */
#include <string.h>

#include "fuzz.h"
#include "libvmm/machine.h"

#define STORAGE 32768

static const char *const seeds[] = {
	"[machine]\nname = build box # comment\n"
	"[cpu]\nmodel = host\nsockets = 1\ndies = 1\ncores = 2\nthreads = 1\n"
	"[memory]\nsize = 512M\n"
	"[boot]\nkernel = /boot/vmlinuz\ninitrd = \"initrd.img\"\ncmdline = \"console=ttyS0 "
	"a=\\\"b\\\\\\\"\"\n"
	"[serial]\nenable = yes\nport = 0x3f8\nirq = 4\n"
	"[serial 1]\nenable = on\nport = 0x2f8\nirq = 3\n"
	"[pci]\nenable = true\nbuses = 256\n"
	"[power]\noff = yes\nreset = no\nbutton = off\n"
	"[debug-exit]\nenable = 1\nport = 0xf4\n"
	"[fw-cfg]\nenable = 0\n",
	"\r\n\t[serial 3]\t#\n\r\tport\t=\t0xff8\t#\n[cpu]\nsockets=1024\ncores=1024\n",
	"[memory]\nsize=64T",
};

size_t fuzz_seed(unsigned int index, uint8_t *buf)
{
	if (index >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	memcpy(buf, seeds[index], strlen(seeds[index]));
	return strlen(seeds[index]);
}

static void check_error(const struct vmm_profile_error *e, int code, const uint8_t *data,
			size_t len)
{
	uint32_t lines = 1;
	size_t start = 0;

	FUZZ_CHECK(code == -VMM_EFORMAT);
	FUZZ_CHECK(e->code == code);
	FUZZ_CHECK(memchr(e->text, '\0', sizeof(e->text)) != NULL && e->text[0] != '\0');
	FUZZ_CHECK(e->line >= 1 && e->column >= 1);
	for (size_t i = 0; i < len && lines < e->line; i++) {
		if (data[i] == '\n') {
			lines++;
			start = i + 1;
		}
	}
	FUZZ_CHECK(lines == e->line);
	FUZZ_CHECK(start + e->column - 1 <= len);
}

static void check_round_trip(const struct vmm_profile *p, uint32_t flags)
{
	static _Alignas(8) uint8_t storage[STORAGE];
	static char text[FUZZ_SEED_CAP];
	struct vmm_profile *q;
	size_t len = sizeof(text);

	FUZZ_CHECK(vmm_profile_init(storage, sizeof(storage), &q) == 0);
	FUZZ_CHECK(vmm_profile_write(p, flags, text, &len) == 0);
	FUZZ_CHECK(vmm_profile_parse(q, text, len - 1, NULL) == 0);
	FUZZ_CHECK(memcmp(p, q, vmm_profile_size()) == 0);
}

/* Whatever it asks for has its place, and its tables. */
static void check_machine(const struct vmm_profile *p)
{
	struct vmm_machine_range ranges[VMM_MACHINE_RANGES_MAX];
	struct vmm_machine_table tables[VMM_MACHINE_TABLES_MAX];
	uint32_t count = VMM_MACHINE_RANGES_MAX;
	size_t len = 0, room;
	void *built;

	FUZZ_CHECK(vmm_machine_plan_ranges(p, ranges, &count) == 0);
	for (uint32_t i = 1; i < count; i++)
		FUZZ_CHECK(ranges[i].space != ranges[i - 1].space ||
			   ranges[i].base >= ranges[i - 1].base + ranges[i - 1].len);
	FUZZ_CHECK(vmm_machine_plan_tables(p, NULL, &len, NULL, NULL) == 0);
	room = len;
	built = malloc(room);
	FUZZ_CHECK(vmm_machine_plan_tables(p, built, &len, tables, &count) == 0 && len == room);
	for (uint32_t i = 0; i < count; i++)
		FUZZ_CHECK(tables[i].offset <= len && tables[i].len <= len - tables[i].offset);
	free(built);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static _Alignas(8) uint8_t storage[STORAGE];
	struct vmm_profile_error e = {.size = sizeof(e)};
	struct vmm_profile *p;
	int code;

	FUZZ_CHECK(vmm_profile_size() <= STORAGE);
	FUZZ_CHECK(vmm_profile_init(storage, sizeof(storage), &p) == 0);
	code = vmm_profile_parse(p, (const char *)data, len, &e);
	if (code != 0) {
		check_error(&e, code, data, len);
		return 0;
	}
	check_round_trip(p, 0);
	check_round_trip(p, VMM_PROFILE_WRITE_ALL);
	code = vmm_profile_check(p, &e);
	FUZZ_CHECK(code == 0 || code == -VMM_ERANGE || code == -VMM_EEXIST || code == -VMM_EINVAL);
	FUZZ_CHECK(code == 0 || (e.code == code && e.text[0] != '\0'));
	if (code == 0)
		check_machine(p);
	return 0;
}

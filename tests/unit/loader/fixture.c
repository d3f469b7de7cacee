// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "fixture.h"

#include <stdlib.h>

int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	guest_ram_init(&f->ram);
	image_initrd(&f->initrd);
	f->modules[0] = (struct vmm_load_module){f->initrd.bytes, f->initrd.len, NULL};
	f->modules[1] = (struct vmm_load_module){f->initrd.bytes + 8, 100, "second module"};
	f->args = (struct vmm_load_args){
		.size = sizeof(f->args),
		.cmdline = "console=ttyS0 quiet",
		.modules = f->modules,
	};
	f->boot.size = sizeof(f->boot);
	f->error.size = sizeof(f->error);
	*state = f;
	return 0;
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	guest_ram_fini(&f->ram);
	free(f);
	return 0;
}

int fixture_load(struct fixture *f)
{
	f->args.image = f->kernel.bytes;
	f->args.image_len = f->kernel.len;
	f->ram.writes = 0;
	f->error.code = 0;
	f->error.text[0] = '\0';
	return vmm_image_load(&f->ram.target, &f->args, &f->boot, &f->error);
}

void fixture_refused(struct fixture *f, int code)
{
	const int got = fixture_load(f);

	if (got != -code)
		fail_msg("%s: \"%s\", not %s", vmm_errname(got), f->error.text, vmm_errname(code));
	assert_int_equal(f->error.code, -code);
	assert_string_equal(f->error.call, "vmm_image_load");
	assert_string_not_equal(f->error.text, "");
	assert_int_equal(f->ram.writes, 0);
}

void fixture_cuts_refused(struct fixture *f)
{
	const size_t len = f->kernel.len;

	for (f->kernel.len = 1; f->kernel.len < len; f->kernel.len++)
		fixture_refused(f, VMM_EFORMAT);
	f->kernel.len = 0;
	fixture_refused(f, VMM_EINVAL);
	f->kernel.len = len;
}

void fixture_writes_fail(struct fixture *f)
{
	uint64_t writes;

	assert_int_equal(fixture_load(f), 0);
	writes = f->ram.writes;
	for (f->ram.fail_at = 1; f->ram.fail_at <= writes; f->ram.fail_at++) {
		assert_int_equal(fixture_load(f), -VMM_EIO);
		assert_int_equal(f->ram.writes, f->ram.fail_at);
		assert_string_not_equal(f->error.text, "");
	}
}

void fixture_areas_apart(const struct fixture *f)
{
	const struct vmm_boot_area *areas = f->boot.areas;

	for (uint32_t i = 0; i < f->boot.area_count; i++) {
		assert_true(guest_ram_holds(&f->ram.target, areas[i].base, areas[i].size));
		assert_true(areas[i].base >= 0x1000);
		for (uint32_t j = 0; j < i; j++)
			assert_true(areas[i].base + areas[i].size <= areas[j].base ||
				    areas[j].base + areas[j].size <= areas[i].base);
	}
}

const struct vmm_boot_area *fixture_area(const struct fixture *f, uint32_t what, uint32_t index)
{
	for (uint32_t i = 0; i < f->boot.area_count; i++) {
		if (f->boot.areas[i].what == what && f->boot.areas[i].index == index)
			return &f->boot.areas[i];
	}
	fail_msg("no area %u of sort %u", index, what);
	return NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* One image, one guest and one call of vmm_image_load() for each test. */
#ifndef TESTS_LOADER_FIXTURE_H
#define TESTS_LOADER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guest_ram.h"
#include "images.h"

struct fixture {
	struct guest_ram ram;
	struct image kernel;
	struct image initrd;
	struct vmm_load_module modules[2];
	struct vmm_load_args args;
	struct vmm_boot boot;
	struct vmm_error error;
};

/* cmocka's: *state becomes a fixture without an image, whose args have a command line. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* Load f->kernel as args say. */
int fixture_load(struct fixture *f);

/* Loading fails with @code, says why, and has written nothing. */
void fixture_refused(struct fixture *f, int code);

/* Every cut of f->kernel is refused as malformed. */
void fixture_cuts_refused(struct fixture *f);

/* Make each write fail in turn: the load reports it. It is sound. */
void fixture_writes_fail(struct fixture *f);

/* The areas of a load that succeeded lie in RAM, above page 0, and do not overlap. */
void fixture_areas_apart(const struct fixture *f);

/* The first area of that sort and index; fails the test if there is none. */
const struct vmm_boot_area *fixture_area(const struct fixture *f, uint32_t what, uint32_t index);

#endif

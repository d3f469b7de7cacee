// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Slots: what the guest's methods read and write, and what is told of it. */
#include "dev_host.h"

#define COUNT 3

struct fixture {
	struct dev_host h;
	struct vmm_slots *slots;
	uint32_t events;
	uint32_t ejected; /* slot + 1 */
	uint32_t ost[3];
};

static void event(void *opaque)
{
	((struct fixture *)opaque)->events++;
}

/* No lock is held: the device can be called. */
static void eject(void *opaque, uint32_t slot)
{
	struct fixture *f = opaque;
	struct vmm_slot what = {.size = sizeof(what)};

	assert_int_equal(vmm_slots_get(f->slots, slot, &what), -VMM_ENOENT);
	f->ejected = slot + 1;
}

static void ost(void *opaque, uint32_t slot, uint32_t what, uint32_t status)
{
	struct fixture *f = opaque;

	f->ost[0] = slot;
	f->ost[1] = what;
	f->ost[2] = status;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct vmm_slots_config config = {
		.size = sizeof(config),
		.count = COUNT,
		.opaque = f,
		.event = event,
		.eject = eject,
		.ost = ost,
	};

	dev_host_init(&f->h);
	*state = f;
	return vmm_slots_create(&f->h.host, &config, &f->slots);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int left;

	vmm_slots_destroy(f->slots);
	left = f->h.allocs;
	free(f);
	return left;
}

static uint64_t in(struct fixture *f, uint64_t reg)
{
	return dev_in(vmm_slots_ops(), f->slots, reg, 4);
}

static void out(struct fixture *f, uint64_t reg, uint64_t value)
{
	dev_out(vmm_slots_ops(), f->slots, reg, 4, value);
}

static void plugged_seen_and_ejected(void **state)
{
	const struct vmm_slot what = {sizeof(what), 0, 5, 0, UINT64_C(0x123456780), 0x80000000};
	struct fixture *f = *state;

	assert_int_equal(in(f, VMM_SLOTS_NEXT), UINT32_MAX);
	assert_int_equal(vmm_slots_insert(f->slots, 1, &what), 0);
	assert_int_equal(vmm_slots_insert(f->slots, 1, &what), -VMM_EEXIST);
	assert_int_equal(vmm_slots_insert(f->slots, COUNT, &what), -VMM_ENOENT);
	assert_int_equal(f->events, 1);
	assert_int_equal(in(f, VMM_SLOTS_NEXT), 1);
	out(f, VMM_SLOTS_SELECT, 1);
	assert_int_equal(in(f, VMM_SLOTS_STATUS), VMM_SLOT_PRESENT | VMM_SLOT_INSERTED);
	assert_int_equal(in(f, VMM_SLOTS_NODE), 5);
	assert_int_equal(in(f, VMM_SLOTS_BASE), 0x23456780);
	assert_int_equal(in(f, VMM_SLOTS_BASE + 4), 1);
	assert_int_equal(in(f, VMM_SLOTS_BYTES), 0x80000000);
	out(f, VMM_SLOTS_STATUS, VMM_SLOT_INSERTED);
	assert_int_equal(in(f, VMM_SLOTS_NEXT), UINT32_MAX);
	out(f, VMM_SLOTS_OST_EVENT, 1);
	out(f, VMM_SLOTS_OST_STATUS, 0x81);
	assert_int_equal(f->ost[0] << 16 | f->ost[1] << 8 | f->ost[2], 1 << 16 | 1 << 8 | 0x81);
	assert_int_equal(vmm_slots_remove(f->slots, 0), -VMM_ENOENT);
	assert_int_equal(vmm_slots_remove(f->slots, 1), 0);
	assert_int_equal(f->events, 2);
	assert_int_equal(in(f, VMM_SLOTS_STATUS), VMM_SLOT_PRESENT | VMM_SLOT_REMOVE);
	assert_int_equal(f->ejected, 0);
	out(f, VMM_SLOTS_STATUS, VMM_SLOT_EJECT);
	assert_int_equal(f->ejected, 2);
	assert_int_equal(in(f, VMM_SLOTS_STATUS), 0);
	f->ejected = 0;
	out(f, VMM_SLOTS_STATUS, VMM_SLOT_EJECT); /* it is empty */
	assert_int_equal(f->ejected, 0);
}

static void fixed_and_quiet(void **state)
{
	const struct vmm_slot what = {.size = sizeof(what),
				      .flags = VMM_SLOT_F_QUIET | VMM_SLOT_F_FIXED};
	struct fixture *f = *state;

	assert_int_equal(vmm_slots_insert(f->slots, 0, &what), 0);
	assert_int_equal(f->events, 0);
	assert_int_equal(in(f, VMM_SLOTS_STATUS), VMM_SLOT_PRESENT);
	assert_int_equal(vmm_slots_remove(f->slots, 0), -VMM_ENOTSUP);
	out(f, VMM_SLOTS_STATUS, VMM_SLOT_EJECT);
	assert_int_equal(in(f, VMM_SLOTS_STATUS), VMM_SLOT_PRESENT);
	assert_int_equal(f->ejected, 0);
	out(f, VMM_SLOTS_SELECT, COUNT);
	assert_int_equal(in(f, VMM_SLOTS_STATUS), 0);
	out(f, VMM_SLOTS_STATUS, VMM_SLOT_EJECT);
	vmm_slots_reset(f->slots);
	assert_int_equal(in(f, VMM_SLOTS_SELECT), 0);
	assert_int_equal(in(f, VMM_SLOTS_STATUS), VMM_SLOT_PRESENT);
	assert_int_equal(vmm_slots_empty(f->slots, 0), 0);
	assert_int_equal(vmm_slots_empty(f->slots, COUNT), -VMM_ENOENT);
	assert_int_equal(in(f, VMM_SLOTS_STATUS), 0);
}

static void bad_configurations(void **state)
{
	struct fixture *f = *state;
	struct vmm_slots_config config = {
		.size = sizeof(config), .count = 0, .event = event, .eject = eject};
	struct vmm_slot what = {.size = sizeof(what), .flags = 4};
	struct vmm_slots *slots;

	assert_int_equal(vmm_slots_create(&f->h.host, &config, &slots), -VMM_EINVAL);
	config.count = 1;
	config.eject = NULL;
	assert_int_equal(vmm_slots_create(&f->h.host, &config, &slots), -VMM_EINVAL);
	config.eject = eject;
	f->h.fail = 1;
	assert_int_equal(vmm_slots_create(&f->h.host, &config, &slots), -VMM_ENOMEM);
	f->h.fail = 0;
	assert_int_equal(vmm_slots_insert(f->slots, 0, &what), -VMM_EINVAL);
	dev_hammer(vmm_slots_ops(), f->slots, VMM_SLOTS_LEN, 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(plugged_seen_and_ejected, setup, teardown),
		cmocka_unit_test_setup_teardown(fixed_and_quiet, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_configurations, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

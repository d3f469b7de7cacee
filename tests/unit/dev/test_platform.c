// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Power registers, debug exit, PCI root bus. */
#include "dev_host.h"

struct fixture {
	struct dev_host h;
	struct vmm_power *power;
	struct vmm_debug_exit *debug_exit;
	struct vmm_pci_root *pci;
	uint32_t level;
	uint32_t event;
	uint32_t events;
	uint32_t status;
	uint32_t resets;
};

static void irq(void *opaque, uint32_t level)
{
	struct fixture *f = opaque;

	assert_int_not_equal(level, f->level);
	f->level = level;
}

static void event(void *opaque, uint32_t what)
{
	struct fixture *f = opaque;

	f->event = what;
	f->events++;
	/* No lock is held: the device can be called. */
	vmm_power_button(f->power);
	vmm_power_reset(f->power);
}

static void exited(void *opaque, uint32_t status)
{
	((struct fixture *)opaque)->status = status;
}

static void reset(void *opaque)
{
	((struct fixture *)opaque)->resets++;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct vmm_power_config power = {
		.size = sizeof(power), .opaque = f, .irq = irq, .event = event};
	struct vmm_debug_exit_config debug_exit = {
		.size = sizeof(debug_exit), .opaque = f, .exit = exited};
	struct vmm_pci_root_config pci = {.size = sizeof(pci), .opaque = f, .reset = reset};

	dev_host_init(&f->h);
	*state = f;
	return vmm_power_create(&f->h.host, &power, &f->power) ||
	       vmm_debug_exit_create(&f->h.host, &debug_exit, &f->debug_exit) ||
	       vmm_pci_root_create(&f->h.host, &pci, &f->pci);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int left;

	vmm_power_destroy(f->power);
	vmm_debug_exit_destroy(f->debug_exit);
	vmm_pci_root_destroy(f->pci);
	left = f->h.allocs;
	free(f);
	return left;
}

static void out(struct fixture *f, uint64_t reg, uint32_t width, uint64_t value)
{
	dev_out(vmm_power_ops(), f->power, reg, width, value);
}

static void sleeping(void **state)
{
	struct fixture *f = *state;

	out(f, VMM_POWER_SLEEP, 1, 5 << 2);        /* not enabled */
	out(f, VMM_POWER_SLEEP, 1, 3 << 2 | 0x20); /* S3 */
	out(f, VMM_POWER_SLEEP, 4, 5 << 2 | 0x20); /* no such register */
	out(f, VMM_POWER_SLEEP_STATUS, 1, 0x80);
	assert_int_equal(f->events, 0);
	out(f, VMM_POWER_SLEEP, 1, 5 << 2 | 0x20);
	assert_int_equal(f->events, 1);
	assert_int_equal(f->event, VMM_SYSTEM_OFF);
	assert_int_equal(dev_in(vmm_power_ops(), f->power, VMM_POWER_SLEEP, 1), 0);
}

static void resetting(void **state)
{
	struct fixture *f = *state;

	out(f, VMM_POWER_RESET, 1, 0);
	out(f, VMM_POWER_RESET, 1, 2);
	assert_int_equal(f->events, 0);
	out(f, VMM_POWER_RESET, 1, VMM_POWER_RESET_VALUE);
	assert_int_equal(f->event, VMM_SYSTEM_RESET);
}

static void the_button(void **state)
{
	struct fixture *f = *state;

	vmm_power_button(f->power);
	vmm_power_button(f->power);
	assert_int_equal(f->level, 1);
	assert_int_equal(dev_in(vmm_power_ops(), f->power, VMM_POWER_EVENTS, 4),
			 VMM_POWER_EVENT_BUTTON);
	assert_int_equal(f->level, 0);
	assert_int_equal(dev_in(vmm_power_ops(), f->power, VMM_POWER_EVENTS, 4), 0);
	vmm_power_button(f->power);
	assert_int_equal(f->level, 1);
	vmm_power_reset(f->power);
	assert_int_equal(f->level, 0);
}

static void exit_status(void **state)
{
	struct fixture *f = *state;

	dev_out(vmm_debug_exit_ops(), f->debug_exit, 0, 1, 0x10);
	assert_int_equal(f->status, 0x21);
	dev_out(vmm_debug_exit_ops(), f->debug_exit, 0, 4, 0);
	assert_int_equal(f->status, 1);
	assert_int_equal(dev_in(vmm_debug_exit_ops(), f->debug_exit, 0, 4), 0);
}

static void host_bridge_by_ecam(void **state)
{
	const struct vmm_region_ops *ops = vmm_pci_root_ecam_ops();
	struct fixture *f = *state;

	assert_int_equal(dev_in(ops, f->pci, 0, 4), 0x00081b36);
	assert_int_equal(dev_in(ops, f->pci, 0xa, 2), 0x0600);
	assert_int_equal(dev_in(ops, f->pci, 0xe, 1), 0);
	dev_out(ops, f->pci, 4, 2, 0xffff);
	assert_int_equal(dev_in(ops, f->pci, 4, 8), 0x0600000000000000);
	assert_int_equal(dev_in(ops, f->pci, 0xff8, 8), 0);
	assert_int_equal(dev_in(ops, f->pci, 0x1000, 2), 0xffff);       /* 00:00.1 */
	assert_int_equal(dev_in(ops, f->pci, 0x100000, 8), UINT64_MAX); /* 01:00.0 */
}

/* The steps of Linux's pci_check_type1(). */
static void host_bridge_by_ports(void **state)
{
	const struct vmm_region_ops *ops = vmm_pci_root_port_ops();
	struct fixture *f = *state;

	assert_int_equal(dev_in(ops, f->pci, 4, 4), 0xffffffff); /* not enabled */
	dev_out(ops, f->pci, 3, 1, 1);
	assert_int_equal(dev_in(ops, f->pci, 0, 4), 0);
	dev_out(ops, f->pci, 0, 4, 0x80000000);
	assert_int_equal(dev_in(ops, f->pci, 0, 4), 0x80000000);
	assert_int_equal(dev_in(ops, f->pci, 0, 1), 0xff);
	assert_int_equal(dev_in(ops, f->pci, 4, 4), 0x00081b36);
	assert_int_equal(dev_in(ops, f->pci, 6, 2), 0x0008);
	dev_out(ops, f->pci, 0, 4, 0x80000008);
	assert_int_equal(dev_in(ops, f->pci, 6, 2), 0x0600);
	dev_out(ops, f->pci, 0, 4, 0x80000800); /* 00:01.0 */
	assert_int_equal(dev_in(ops, f->pci, 4, 4), 0xffffffff);
	dev_out(ops, f->pci, 0, 4, 0x80000000);
	vmm_pci_root_reset(f->pci);
	assert_int_equal(dev_in(ops, f->pci, 4, 4), 0xffffffff);
}

static void reset_control(void **state)
{
	const struct vmm_region_ops *ops = vmm_pci_root_port_ops();
	struct vmm_pci_root_config config = {.size = sizeof(config)};
	struct vmm_pci_root *without;
	struct fixture *f = *state;

	dev_out(ops, f->pci, 1, 1, 2);
	dev_out(ops, f->pci, 1, 2, 6); /* not the register, as the next two */
	dev_out(ops, f->pci, 2, 1, 6);
	dev_out(ops, f->pci, 0, 4, 0x600);
	assert_int_equal(f->resets, 0);
	assert_int_equal(dev_in(ops, f->pci, 1, 1), 0);
	dev_out(ops, f->pci, 1, 1, 6);
	dev_out(ops, f->pci, 1, 1, 4);
	assert_int_equal(f->resets, 2);
	assert_int_equal(vmm_pci_root_create(&f->h.host, &config, &without), 0);
	dev_out(ops, without, 1, 1, 6);
	assert_int_equal(dev_in(ops, without, 1, 1), 0xff);
	vmm_pci_root_destroy(without);
	assert_int_equal(f->resets, 2);
}

static void random_accesses(void **state)
{
	struct fixture *f = *state;

	dev_hammer(vmm_power_ops(), f->power, VMM_POWER_LEN, 100000);
	dev_hammer(vmm_debug_exit_ops(), f->debug_exit, VMM_DEBUG_EXIT_PORTS, 1000);
	dev_hammer(vmm_pci_root_ecam_ops(), f->pci, VMM_ECAM_BUS_LEN, 10000);
	dev_hammer(vmm_pci_root_port_ops(), f->pci, VMM_PCI_ROOT_PORTS, 100000);
}

static void bad_configurations(void **state)
{
	struct fixture *f = *state;
	struct vmm_power_config power = {.size = sizeof(power), .irq = irq, .event = event};
	struct vmm_debug_exit_config debug_exit = {.size = sizeof(debug_exit), .exit = exited};
	struct vmm_pci_root_config pci = {.size = sizeof(pci)};
	struct vmm_power *p;
	struct vmm_debug_exit *d;
	struct vmm_pci_root *r;

	f->h.fail = 1;
	assert_int_equal(vmm_power_create(&f->h.host, &power, &p), -VMM_ENOMEM);
	assert_int_equal(vmm_debug_exit_create(&f->h.host, &debug_exit, &d), -VMM_ENOMEM);
	power.event = NULL;
	debug_exit.exit = NULL;
	assert_int_equal(vmm_power_create(&f->h.host, &power, &p), -VMM_EINVAL);
	assert_int_equal(vmm_debug_exit_create(&f->h.host, &debug_exit, &d), -VMM_EINVAL);
	assert_int_equal(vmm_pci_root_create(&f->h.host, &pci, &r), -VMM_ENOMEM);
	pci.flags = 1;
	assert_int_equal(vmm_pci_root_create(&f->h.host, &pci, &r), -VMM_EINVAL);
	vmm_pci_root_destroy(NULL);
	vmm_power_destroy(NULL);
	vmm_debug_exit_destroy(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sleeping),      TEST(resetting),           TEST(the_button),
		TEST(exit_status),   TEST(host_bridge_by_ecam), TEST(host_bridge_by_ports),
		TEST(reset_control), TEST(random_accesses),     TEST(bad_configurations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

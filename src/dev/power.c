// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "bits.h"
#include "libvmm/dev.h"
#include "sized.h"
#include "sync.h"

/* Sleep control register: ACPI 6.5, 4.8.3.7, table 4.19. */
#define SLEEP_TYPE   BITS(4, 2)
#define SLEEP_ENABLE BIT(5)
#define WAKE_STATUS  BIT(7) /* table 4.20 */

struct vmm_power {
	const struct vmm_host *host;
	struct vmm_power_config config;
	struct vmm__mutex lock; /* for all below */
	uint32_t events;
	uint32_t temperature;
	uint32_t performance;
	bool awake; /* WAK_STS */
};

/* Software clears WAK_STS by writing it as 1. */
static void clear_wake(struct vmm_power *p, uint64_t value)
{
	if ((value & WAKE_STATUS) == 0)
		return;
	vmm__lock(p->host, &p->lock);
	p->awake = false;
	vmm__unlock(p->host, &p->lock);
}

static void go_to_sleep(struct vmm_power *p, uint64_t value)
{
	uint32_t state = (uint32_t)FIELD_GET(SLEEP_TYPE, value);

	if ((value & SLEEP_ENABLE) == 0)
		return;
	if (state == VMM_POWER_S5)
		p->config.event(p->config.opaque, VMM_SYSTEM_OFF);
	else if (state > 0 && state < VMM_POWER_S5 && p->config.sleep != NULL)
		p->config.sleep(p->config.opaque, state);
}

/* Reading the events takes all of them: what comes later raises the line anew. */
static uint32_t take_events(struct vmm_power *p)
{
	uint32_t events;

	vmm__lock(p->host, &p->lock);
	events = p->events;
	p->events = 0;
	if (events != 0)
		p->config.irq(p->config.opaque, 0);
	vmm__unlock(p->host, &p->lock);
	return events;
}

static uint64_t read_status(struct vmm_power *p)
{
	uint64_t value;

	vmm__lock(p->host, &p->lock);
	value = p->awake ? WAKE_STATUS : 0;
	vmm__unlock(p->host, &p->lock);
	return value;
}

/* A register of 4 bytes; control registers read as 0. */
static uint64_t read_register(struct vmm_power *p, uint64_t offset)
{
	uint64_t value = 0;

	if (offset == VMM_POWER_COUNTER)
		return p->host->time_ns(p->host->opaque) / 1000 & UINT32_MAX;
	vmm__lock(p->host, &p->lock);
	if (offset == VMM_POWER_TEMPERATURE)
		value = p->temperature;
	else if (offset == VMM_POWER_PERFORMANCE)
		value = p->performance;
	vmm__unlock(p->host, &p->lock);
	return value;
}

static int power_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		      uint64_t *value)
{
	struct vmm_power *p = opaque;

	(void)vcpu;
	if (offset == VMM_POWER_EVENTS)
		*value = take_events(p);
	else if (offset == VMM_POWER_SLEEP_STATUS)
		*value = read_status(p);
	else
		*value = width == 4 ? read_register(p, offset) : 0;
	return 0;
}

static void set_performance(struct vmm_power *p, uint64_t value)
{
	vmm__lock(p->host, &p->lock);
	p->performance = (uint32_t)value;
	vmm__unlock(p->host, &p->lock);
}

static int power_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		       uint64_t value)
{
	struct vmm_power *p = opaque;

	(void)vcpu;
	if (offset == VMM_POWER_PERFORMANCE && width == 4)
		set_performance(p, value);
	if (width != 1)
		return 0;
	if (offset == VMM_POWER_SLEEP)
		go_to_sleep(p, value);
	else if (offset == VMM_POWER_SLEEP_STATUS)
		clear_wake(p, value);
	else if (offset == VMM_POWER_RESET && value == VMM_POWER_RESET_VALUE)
		p->config.event(p->config.opaque, VMM_SYSTEM_RESET);
	return 0;
}

static const struct vmm_region_ops ops = {
	.size = sizeof(ops), .read = power_read, .write = power_write};

const struct vmm_region_ops *vmm_power_ops(void)
{
	return &ops;
}

void vmm_power_notify(struct vmm_power *power, uint32_t events)
{
	vmm__lock(power->host, &power->lock);
	if (power->events == 0 && events != 0)
		power->config.irq(power->config.opaque, 1);
	power->events |= events;
	vmm__unlock(power->host, &power->lock);
}

void vmm_power_button(struct vmm_power *power)
{
	vmm_power_notify(power, VMM_POWER_EVENT_BUTTON);
}

void vmm_power_wake(struct vmm_power *power)
{
	vmm__lock(power->host, &power->lock);
	power->awake = true;
	vmm__unlock(power->host, &power->lock);
}

void vmm_power_set_temperature(struct vmm_power *power, uint32_t tenths)
{
	vmm__lock(power->host, &power->lock);
	power->temperature = tenths;
	vmm__unlock(power->host, &power->lock);
}

uint32_t vmm_power_performance(struct vmm_power *power)
{
	return (uint32_t)read_register(power, VMM_POWER_PERFORMANCE);
}

void vmm_power_reset(struct vmm_power *power)
{
	take_events(power);
	set_performance(power, 0);
	clear_wake(power, WAKE_STATUS);
}

int vmm_power_create(const struct vmm_host *host, const struct vmm_power_config *config,
		     struct vmm_power **power)
{
	struct vmm_power_config taken;
	struct vmm_power *p;

	if (vmm__take_struct(&taken, sizeof(taken), config) != 0 || taken.flags != 0 ||
	    taken.irq == NULL || taken.event == NULL)
		return -VMM_EINVAL;
	p = host->alloc(host->opaque, sizeof(*p), _Alignof(struct vmm_power));
	if (p == NULL)
		return -VMM_ENOMEM;
	p->host = host;
	p->config = taken;
	*power = p;
	return 0;
}

void vmm_power_destroy(struct vmm_power *power)
{
	if (power != NULL)
		power->host->free(power->host->opaque, power, sizeof(*power));
}

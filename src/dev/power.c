// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "bits.h"
#include "libvmm/dev.h"
#include "sized.h"
#include "sync.h"

/* Sleep control register: ACPI 6.5, 4.8.3.7, table 4.19. */
#define SLEEP_TYPE   BITS(4, 2)
#define SLEEP_ENABLE BIT(5)

struct vmm_power {
	const struct vmm_host *host;
	struct vmm_power_config config;
	struct vmm__mutex lock; /* for all below */
	uint32_t events;
};

/* What is being asked for with a write; 0: nothing. */
static uint32_t request_of(uint64_t offset, uint64_t value)
{
	if (offset == VMM_POWER_RESET && (value & 0xff) == VMM_POWER_RESET_VALUE)
		return VMM_SYSTEM_RESET;
	if (offset == VMM_POWER_SLEEP && (value & SLEEP_ENABLE) != 0 &&
	    FIELD_GET(SLEEP_TYPE, value) == VMM_POWER_S5)
		return VMM_SYSTEM_OFF;
	return 0;
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

/* Control registers read as 0, and so does WAK_STS: there is no state to wake from. */
static int power_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		      uint64_t *value)
{
	(void)vcpu;
	(void)width;
	*value = offset == VMM_POWER_EVENTS ? take_events(opaque) : 0;
	return 0;
}

static int power_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		       uint64_t value)
{
	struct vmm_power *p = opaque;
	uint32_t what = width == 1 ? request_of(offset, value) : 0;

	(void)vcpu;
	if (what != 0)
		p->config.event(p->config.opaque, what);
	return 0;
}

static const struct vmm_region_ops ops = {
	.size = sizeof(ops), .read = power_read, .write = power_write};

const struct vmm_region_ops *vmm_power_ops(void)
{
	return &ops;
}

void vmm_power_button(struct vmm_power *power)
{
	vmm__lock(power->host, &power->lock);
	if (power->events == 0)
		power->config.irq(power->config.opaque, 1);
	power->events |= VMM_POWER_EVENT_BUTTON;
	vmm__unlock(power->host, &power->lock);
}

void vmm_power_reset(struct vmm_power *power)
{
	take_events(power);
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

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Slots for CPUs, memory or PCI functions. A slot's events go to the guest through NEXT, which it
 * reads until there is none, and are cleared by it one by one; so none is lost when two come close
 * to each other.
 */
#include "bits.h"
#include "libvmm/dev.h"
#include "sized.h"
#include "sync.h"

#define EVENTS (VMM_SLOT_INSERTED | VMM_SLOT_REMOVE)

struct slot {
	struct vmm_slot what;
	uint32_t status; /* VMM_SLOT_ */
};

struct vmm_slots {
	const struct vmm_host *host;
	struct vmm_slots_config config;
	struct vmm__mutex lock; /* for all below */
	uint32_t selected;
	uint32_t ost_event;
	struct slot *slot; /* config.count */
};

/* What has to be told when the lock is given back. */
struct news {
	bool ejected;
	bool ost;
	uint32_t slot;
	uint32_t event;
	uint32_t status;
};

static struct slot *selected(struct vmm_slots *s)
{
	return s->selected < s->config.count ? &s->slot[s->selected] : NULL;
}

static uint32_t next_event(const struct vmm_slots *s)
{
	for (uint32_t i = 0; i < s->config.count; i++) {
		if ((s->slot[i].status & EVENTS) != 0)
			return i;
	}
	return UINT32_MAX;
}

static uint64_t read_register(struct vmm_slots *s, uint64_t offset)
{
	const struct slot *slot = selected(s);

	if (offset == VMM_SLOTS_SELECT)
		return s->selected;
	if (offset == VMM_SLOTS_NEXT)
		return next_event(s);
	if (slot == NULL)
		return 0;
	switch (offset) {
	case VMM_SLOTS_STATUS:
		return slot->status;
	case VMM_SLOTS_NODE:
		return slot->what.node;
	case VMM_SLOTS_BASE:
		return slot->what.base & UINT32_MAX;
	case VMM_SLOTS_BASE + 4:
		return slot->what.base >> 32;
	case VMM_SLOTS_BYTES:
		return slot->what.len & UINT32_MAX;
	case VMM_SLOTS_BYTES + 4:
		return slot->what.len >> 32;
	default:
		return 0;
	}
}

static void write_status(struct slot *slot, uint32_t value, struct news *news)
{
	slot->status &= ~(value & EVENTS);
	if ((value & VMM_SLOT_EJECT) == 0 || (slot->status & VMM_SLOT_PRESENT) == 0 ||
	    (slot->what.flags & VMM_SLOT_F_FIXED) != 0)
		return;
	slot->status = 0;
	news->ejected = true;
}

static void write_register(struct vmm_slots *s, uint64_t offset, uint32_t value, struct news *news)
{
	struct slot *slot = selected(s);

	if (offset == VMM_SLOTS_SELECT)
		s->selected = value;
	if (slot == NULL)
		return;
	news->slot = s->selected;
	if (offset == VMM_SLOTS_STATUS) {
		write_status(slot, value, news);
	} else if (offset == VMM_SLOTS_OST_EVENT) {
		s->ost_event = value;
	} else if (offset == VMM_SLOTS_OST_STATUS) {
		news->ost = true;
		news->event = s->ost_event;
		news->status = value;
	}
}

static int slots_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		      uint64_t *value)
{
	struct vmm_slots *s = opaque;

	(void)vcpu;
	vmm__lock(s->host, &s->lock);
	*value = width == 4 ? read_register(s, offset) : 0;
	vmm__unlock(s->host, &s->lock);
	return 0;
}

static int slots_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		       uint64_t value)
{
	struct vmm_slots *s = opaque;
	struct news news = {0};

	(void)vcpu;
	if (width != 4)
		return 0;
	vmm__lock(s->host, &s->lock);
	write_register(s, offset, (uint32_t)value, &news);
	vmm__unlock(s->host, &s->lock);
	if (news.ejected)
		s->config.eject(s->config.opaque, news.slot);
	if (news.ost && s->config.ost != NULL)
		s->config.ost(s->config.opaque, news.slot, news.event, news.status);
	return 0;
}

static const struct vmm_region_ops ops = {
	.size = sizeof(ops), .read = slots_read, .write = slots_write};

const struct vmm_region_ops *vmm_slots_ops(void)
{
	return &ops;
}

int vmm_slots_insert(struct vmm_slots *slots, uint32_t slot, const struct vmm_slot *what)
{
	struct vmm_slot taken;
	bool quiet;
	int err = 0;

	if (vmm__take_struct(&taken, sizeof(taken), what) != 0 ||
	    (taken.flags & ~(VMM_SLOT_F_QUIET | VMM_SLOT_F_FIXED)) != 0)
		return -VMM_EINVAL;
	if (slot >= slots->config.count)
		return -VMM_ENOENT;
	quiet = (taken.flags & VMM_SLOT_F_QUIET) != 0;
	vmm__lock(slots->host, &slots->lock);
	if ((slots->slot[slot].status & VMM_SLOT_PRESENT) != 0) {
		err = -VMM_EEXIST;
	} else {
		slots->slot[slot].what = taken;
		slots->slot[slot].status = VMM_SLOT_PRESENT | (quiet ? 0 : VMM_SLOT_INSERTED);
	}
	vmm__unlock(slots->host, &slots->lock);
	if (err == 0 && !quiet)
		slots->config.event(slots->config.opaque);
	return err;
}

int vmm_slots_remove(struct vmm_slots *slots, uint32_t slot)
{
	int err = 0;

	if (slot >= slots->config.count)
		return -VMM_ENOENT;
	vmm__lock(slots->host, &slots->lock);
	if ((slots->slot[slot].status & VMM_SLOT_PRESENT) == 0)
		err = -VMM_ENOENT;
	else if ((slots->slot[slot].what.flags & VMM_SLOT_F_FIXED) != 0)
		err = -VMM_ENOTSUP;
	else
		slots->slot[slot].status |= VMM_SLOT_REMOVE;
	vmm__unlock(slots->host, &slots->lock);
	if (err == 0)
		slots->config.event(slots->config.opaque);
	return err;
}

int vmm_slots_empty(struct vmm_slots *slots, uint32_t slot)
{
	if (slot >= slots->config.count)
		return -VMM_ENOENT;
	vmm__lock(slots->host, &slots->lock);
	slots->slot[slot].status = 0;
	vmm__unlock(slots->host, &slots->lock);
	return 0;
}

int vmm_slots_get(struct vmm_slots *slots, uint32_t slot, struct vmm_slot *what)
{
	struct vmm_slot found;
	bool present;

	if (slot >= slots->config.count)
		return -VMM_ENOENT;
	vmm__lock(slots->host, &slots->lock);
	present = (slots->slot[slot].status & VMM_SLOT_PRESENT) != 0;
	found = slots->slot[slot].what;
	vmm__unlock(slots->host, &slots->lock);
	return present ? vmm__give_struct(what, &found, sizeof(found)) : -VMM_ENOENT;
}

void vmm_slots_reset(struct vmm_slots *slots)
{
	vmm__lock(slots->host, &slots->lock);
	slots->selected = 0;
	slots->ost_event = 0;
	for (uint32_t i = 0; i < slots->config.count; i++)
		slots->slot[i].status &= VMM_SLOT_PRESENT;
	vmm__unlock(slots->host, &slots->lock);
}

int vmm_slots_create(const struct vmm_host *host, const struct vmm_slots_config *config,
		     struct vmm_slots **slots)
{
	struct vmm_slots_config taken;
	struct vmm_slots *s;

	if (vmm__take_struct(&taken, sizeof(taken), config) != 0 || taken.count == 0 ||
	    taken.event == NULL || taken.eject == NULL)
		return -VMM_EINVAL;
	s = host->alloc(host->opaque, sizeof(*s), _Alignof(struct vmm_slots));
	if (s == NULL)
		return -VMM_ENOMEM;
	s->slot = host->alloc(host->opaque, taken.count * sizeof(*s->slot), _Alignof(struct slot));
	if (s->slot == NULL) {
		host->free(host->opaque, s, sizeof(*s));
		return -VMM_ENOMEM;
	}
	s->host = host;
	s->config = taken;
	*slots = s;
	return 0;
}

void vmm_slots_destroy(struct vmm_slots *slots)
{
	if (slots == NULL)
		return;
	slots->host->free(slots->host->opaque, slots->slot,
			  slots->config.count * sizeof(*slots->slot));
	slots->host->free(slots->host->opaque, slots, sizeof(*slots));
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Addresses and interrupts: nobody uses what is another's, and windows hold what is behind them. */
#include <inttypes.h>
#include <string.h>

#include "check.h"

static const char *space_of(const struct claim *claim)
{
	return claim->io ? "ports" : "memory";
}

static void hid_of(const struct check *c, uint32_t device, char *text, size_t cap)
{
	int64_t hid = child_of(c, device, "_HID");

	text[0] = '\0';
	if (hid >= 0)
		value_text(&c->names, (uint32_t)hid, text, cap);
}

static bool only_reserves(const struct check *c, uint32_t device)
{
	char hid[64];

	hid_of(c, device, hid, sizeof(hid));
	return strstr(hid, "PNP0C01") != NULL || strstr(hid, "PNP0C02") != NULL;
}

/* -- What devices claim -------------------------------------------------------------------------
 */

static void add_claim(struct check *c, uint32_t device, const struct vmm_aml_res *r, bool io,
		      bool window)
{
	uint64_t length = r->length;

	if (length == 0 || r->min > UINT64_MAX - (length - 1) || c->claims == CLAIMS_MAX)
		return;
	c->claim[c->claims++] = (struct claim){.device = device,
					       .io = io,
					       .window = window,
					       .reserves = only_reserves(c, device),
					       .base = r->min,
					       .last = r->min + (length - 1)};
}

/* ACPI 6.5, 6.4.3.5: a bridge's ranges are produced, the others consumed. */
static void add_resource(struct check *c, uint32_t device, const struct vmm_aml_res *r)
{
	switch (r->kind) {
	case VMM_AML_RES_IO:
		add_claim(c, device, r, true, false);
		break;
	case VMM_AML_RES_MEMORY:
		add_claim(c, device, r, false, false);
		break;
	case VMM_AML_RES_RANGE:
		if (r->type <= 1)
			add_claim(c, device, r, r->type == 1, (r->flags & 1) == 0);
		if (r->length != 0 && (r->flags & 0x0c) == 0x0c && r->max - r->min != r->length - 1)
			found(c, path_of(c, device),
			      "_CRS: a fixed range from 0x%" PRIX64 " to 0x%" PRIX64
			      " has length 0x%" PRIX64,
			      r->min, r->max, r->length);
		break;
	default:
		break;
	}
}

/* A device that its _STA, a constant, says is not there. ACPI 6.5, 6.3.7. */
static bool is_absent(const struct check *c, uint32_t device)
{
	int64_t sta = child_of(c, device, "_STA");
	uint64_t value;

	return sta >= 0 && integer_of(&c->names, (uint32_t)sta, &value) && (value & 1) == 0;
}

static bool template_of(const struct check *c, uint32_t device, const uint8_t **data, size_t *len)
{
	int64_t crs = child_of(c, device, "_CRS");

	return c->names.objects[device].op == VMM_AML_OP_DEVICE && crs >= 0 &&
	       !is_absent(c, device) && resources_of(&c->names, (uint32_t)crs, data, len);
}

static void collect(struct check *c)
{
	struct vmm_aml_res r = {.size = sizeof(r)};
	const uint8_t *data;
	size_t len;

	for (uint32_t i = 0; i < c->names.space.count; i++)
		if (template_of(c, i, &data, &len))
			for (size_t at = 0; vmm_aml_res_next(data, len, &at, &r) == 0;)
				add_resource(c, i, &r);
}

/* -- Against each other -------------------------------------------------------------------------
 */

static bool is_above(const struct check *c, uint32_t above, uint32_t below)
{
	while (below != 0 && below != above)
		below = c->names.objects[below].parent;
	return below == above;
}

static bool meet(const struct claim *a, const struct claim *b)
{
	return a->io == b->io && a->base <= b->last && b->base <= a->last;
}

static bool are_related(const struct check *c, const struct claim *a, const struct claim *b)
{
	return is_above(c, a->device, b->device) || is_above(c, b->device, a->device);
}

static void check_overlaps(struct check *c)
{
	for (uint32_t i = 0; i < c->claims; i++)
		for (uint32_t j = i + 1; j < c->claims; j++) {
			const struct claim *a = &c->claim[i], *b = &c->claim[j];

			if (!meet(a, b) || a->reserves || b->reserves || are_related(c, a, b))
				continue;
			found(c, path_of(c, b->device),
			      "%s 0x%" PRIX64 "-0x%" PRIX64 " overlap those of %s", space_of(b),
			      b->base, b->last, path_of(c, a->device));
		}
}

/* Is @claim within a window that @bridge has; does it have any of that kind? */
static bool is_within(const struct check *c, uint32_t bridge, const struct claim *claim, bool *any)
{
	for (uint32_t i = 0; i < c->claims; i++) {
		const struct claim *w = &c->claim[i];

		if (w->device != bridge || !w->window || w->io != claim->io)
			continue;
		*any = true;
		if (w->base <= claim->base && claim->last <= w->last)
			return true;
	}
	return false;
}

/* The nearest device above that has windows has to have one for what is below it. */
static void check_windows(struct check *c)
{
	for (uint32_t i = 0; i < c->claims; i++) {
		const struct claim *claim = &c->claim[i];
		uint32_t above = c->names.objects[claim->device].parent;
		bool any = false, within = false;

		for (; above != 0 && !any; above = c->names.objects[above].parent) {
			within = is_within(c, above, claim, &any);
			if (any && !within && !claim->reserves && !claim->io)
				found(c, path_of(c, claim->device),
				      "%s 0x%" PRIX64 "-0x%" PRIX64 " are in no window of %s",
				      space_of(claim), claim->base, claim->last, path_of(c, above));
		}
	}
}

/* -- Interrupts ---------------------------------------------------------------------------------
 */

#define GSIS 1024

static void check_interrupt(struct check *c, uint32_t device, uint64_t gsi, bool shared,
			    uint32_t *owner, bool *owner_shares)
{
	if (gsi >= GSIS)
		return;
	if (owner[gsi] != 0 && owner[gsi] != device && !(shared && owner_shares[gsi]))
		found(c, path_of(c, device), "interrupt %" PRIu64 " is also that of %s", gsi,
		      path_of(c, owner[gsi]));
	owner[gsi] = device;
	owner_shares[gsi] = shared;
}

static void check_interrupts(struct check *c)
{
	uint32_t owner[GSIS] = {0};
	bool shares[GSIS] = {0};
	struct vmm_aml_res r = {.size = sizeof(r)};
	const uint8_t *data;
	size_t len;

	for (uint32_t i = 0; i < c->names.space.count; i++) {
		if (!template_of(c, i, &data, &len))
			continue;
		for (size_t at = 0; vmm_aml_res_next(data, len, &at, &r) == 0;)
			for (uint32_t k = 0; r.kind == VMM_AML_RES_INTERRUPT && k < r.count; k++)
				check_interrupt(c, i, (uint64_t)vmm_aml_res_gsi(&r, k),
						(r.flags & 8) != 0, owner, shares);
	}
}

/* -- Against other tables -----------------------------------------------------------------------
 */

/* No window may hand on what is an interrupt controller's. */
static void check_controller(struct check *c, const char *what, uint64_t base)
{
	for (uint32_t i = 0; base != 0 && i < c->claims; i++) {
		const struct claim *w = &c->claim[i];

		if (w->window && !w->io && w->base <= base && base <= w->last)
			found(c, "APIC", "%s at 0x%" PRIX64 " is in a window of %s", what, base,
			      path_of(c, w->device));
	}
}

static void check_controllers(struct check *c)
{
	struct vmm_acpi_madt_entry e = {.size = sizeof(e)};
	struct vmm_acpi_cursor cursor;
	struct vmm_acpi_table t;
	uint32_t local = 0;

	if (!checked_table(c, "APIC", &t) || vmm_acpi_read_madt(&t, &cursor, &local, NULL) != 0)
		return;
	check_controller(c, "local APIC", local);
	while (vmm_acpi_read_madt_next(&cursor, &e) == 0) {
		if (e.type == VMM_ACPI_MADT_IOAPIC)
			check_controller(c, "I/O APIC", e.address);
		if (e.type == VMM_ACPI_MADT_GICD || e.type == VMM_ACPI_MADT_GICR ||
		    e.type == VMM_ACPI_MADT_ITS)
			check_controller(c, "GIC", e.address);
	}
}

/* PCI Firmware 3.3, 4.1.2: a motherboard resource keeps it, and no window hands it on. */
static void check_ecam(struct check *c, uint64_t base, uint64_t last)
{
	bool kept = false;

	for (uint32_t i = 0; i < c->claims; i++) {
		const struct claim *claim = &c->claim[i];

		if (claim->io)
			continue;
		if (claim->window && claim->base <= last && base <= claim->last)
			found(c, "MCFG", "0x%" PRIX64 "-0x%" PRIX64 " is in a window of %s", base,
			      last, path_of(c, claim->device));
		kept = kept || (!claim->window && claim->base <= base && last <= claim->last);
	}
	if (!kept && c->names.space.lists > 0)
		found(c, "MCFG", "no device's _CRS keeps 0x%" PRIX64 "-0x%" PRIX64, base, last);
}

static void check_mcfg(struct check *c)
{
	struct vmm_acpi_mcfg_range e = {.size = sizeof(e)};
	struct vmm_acpi_cursor cursor;
	struct vmm_acpi_table t;

	if (!checked_table(c, "MCFG", &t) || vmm_acpi_read_mcfg(&t, &cursor) != 0)
		return;
	while (vmm_acpi_read_mcfg_next(&cursor, &e) == 0)
		check_ecam(c, e.base + ((uint64_t)e.first_bus << 20),
			   e.base + ((uint64_t)e.last_bus << 20) + 0xfffff);
}

void check_resources(struct check *c)
{
	collect(c);
	check_overlaps(c);
	check_windows(c);
	check_interrupts(c);
	check_controllers(c);
	check_mcfg(c);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Objects of the namespace that take several terms. */
#include "libvmm/acpi_objects.h"

#include "aml_emit.h"

int vmm_aml_register(struct vmm_aml *a, const struct vmm_acpi_gas *reg)
{
	static const struct vmm_acpi_gas none;

	if (reg == NULL)
		reg = &none;
	vmm_aml_resources_begin(a);
	vmm_aml_res_register(a, reg->space, reg->bits, reg->offset, reg->access, reg->address);
	return vmm_aml_resources_finish(a);
}

/* 6.2.13: an address with all functions, the pin, no link device, the interrupt. */
int vmm_aml_prt_entry(struct vmm_aml *a, uint32_t device, uint32_t pin, uint32_t gsi)
{
	if (device > 31 || pin > 3)
		return vmm__aml_fail(a, VMM_EINVAL);
	vmm_aml_package_begin(a);
	vmm_aml_int(a, device << 16 | 0xffff);
	vmm_aml_int(a, pin);
	vmm_aml_int(a, 0);
	vmm_aml_int(a, gsi);
	return vmm_aml_package_finish(a);
}

/* -- Processors, 8.4 ----------------------------------------------------------------------------
 */

int vmm_aml_pct(struct vmm_aml *a, const struct vmm_acpi_gas *control,
		const struct vmm_acpi_gas *status)
{
	vmm_aml_name(a, "_PCT");
	vmm_aml_package_begin(a);
	vmm_aml_register(a, control);
	vmm_aml_register(a, status);
	return vmm_aml_package_finish(a);
}

int vmm_aml_pss_entry(struct vmm_aml *a, const struct vmm_aml_pstate *s)
{
	if (s == NULL || s->size != sizeof(*s))
		return vmm__aml_fail(a, VMM_EINVAL);
	vmm_aml_package_begin(a);
	vmm_aml_int(a, s->mhz);
	vmm_aml_int(a, s->milliwatts);
	vmm_aml_int(a, s->latency);
	vmm_aml_int(a, s->master_latency);
	vmm_aml_int(a, s->control);
	vmm_aml_int(a, s->status);
	return vmm_aml_package_finish(a);
}

static void put_cstate(struct vmm_aml *a, const struct vmm_aml_cstate *s)
{
	vmm_aml_package_begin(a);
	vmm_aml_register(a, &s->reg);
	vmm_aml_int(a, s->type);
	vmm_aml_int(a, s->latency);
	vmm_aml_int(a, s->milliwatts);
	vmm_aml_package_finish(a);
}

static bool are_cstates(const struct vmm_aml_cstate *s, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (s[i].size != sizeof(*s) || s[i].type < 1 || s[i].type > 3)
			return false;
	return true;
}

int vmm_aml_cst(struct vmm_aml *a, const struct vmm_aml_cstate *state, uint32_t count)
{
	if (state == NULL || count == 0 || count > 255 || !are_cstates(state, count))
		return vmm__aml_fail(a, VMM_EINVAL);
	vmm_aml_name(a, "_CST");
	vmm_aml_package_begin(a);
	vmm_aml_int(a, count);
	for (uint32_t i = 0; i < count; i++)
		put_cstate(a, &state[i]);
	return vmm_aml_package_finish(a);
}

/* 8.4.6.1: the number of entries, the revision, the entries. */
int vmm_aml_cpc(struct vmm_aml *a, const struct vmm_aml_cpc_entry *entry)
{
	if (entry == NULL)
		return vmm__aml_fail(a, VMM_EINVAL);
	vmm_aml_name(a, "_CPC");
	vmm_aml_package_begin(a);
	vmm_aml_int(a, VMM_AML_CPC_ENTRIES + 2);
	vmm_aml_int(a, 3);
	for (uint32_t i = 0; i < VMM_AML_CPC_ENTRIES; i++) {
		if (entry[i].reg.bits != 0)
			vmm_aml_register(a, &entry[i].reg);
		else
			vmm_aml_int(a, entry[i].value);
	}
	return vmm_aml_package_finish(a);
}

/* -- The machine --------------------------------------------------------------------------------
 */

static void name_string(struct vmm_aml *a, const char *name, const char *text)
{
	vmm_aml_name(a, name);
	vmm_aml_string(a, text);
}

int vmm_aml_vmgenid(struct vmm_aml *a, const char *name, const char *hid, uint64_t gpa)
{
	vmm_aml_device_begin(a, name);
	name_string(a, "_HID", hid);
	name_string(a, "_CID", "VM_Gen_Counter");
	name_string(a, "_DDN", "VM_Gen_Counter");
	vmm_aml_name(a, "ADDR");
	vmm_aml_package_begin(a);
	vmm_aml_int(a, gpa & 0xffffffff);
	vmm_aml_int(a, gpa >> 32);
	vmm_aml_package_finish(a);
	return vmm_aml_device_finish(a);
}

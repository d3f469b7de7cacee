// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Reading tables without lists: FADT, SPCR, SLIT. */
#include "acpi_take.h"

#define FADT_V1 116 /* bytes of ACPI 1.0's */

static uint8_t u8(const struct vmm_acpi_table *t, uint32_t at)
{
	return (uint8_t)vmm__acpi_field(t, at, 1);
}

static uint16_t u16(const struct vmm_acpi_table *t, uint32_t at)
{
	return (uint16_t)vmm__acpi_field(t, at, 2);
}

static uint32_t u32(const struct vmm_acpi_table *t, uint32_t at)
{
	return (uint32_t)vmm__acpi_field(t, at, 4);
}

/* A block of registers: its generic address at @x_at if it is there, else the port at @at. */
static struct vmm_acpi_gas block(const struct vmm_acpi_table *t, uint32_t at, uint32_t x_at,
				 uint8_t len)
{
	struct vmm_acpi_gas gas = vmm__acpi_gas_at(t, x_at);

	if (gas.address == 0 && u32(t, at) != 0)
		gas = (struct vmm_acpi_gas){.space = VMM_ACPI_SPACE_IO,
					    .bits = (uint8_t)(len < 32 ? 8 * len : 255),
					    .address = u32(t, at)};
	return gas;
}

static void read_first_part(const struct vmm_acpi_table *t, struct vmm_acpi_fadt *f)
{
	f->pm_profile = u8(t, 45);
	f->sci_int = u16(t, 46);
	f->smi_cmd = u32(t, 48);
	f->acpi_enable = u8(t, 52);
	f->acpi_disable = u8(t, 53);
	f->s4bios_req = u8(t, 54);
	f->pstate_cnt = u8(t, 55);
	f->pm1_evt_len = u8(t, 88);
	f->pm1_cnt_len = u8(t, 89);
	f->pm2_cnt_len = u8(t, 90);
	f->pm_tmr_len = u8(t, 91);
	f->gpe0_len = u8(t, 92);
	f->gpe1_len = u8(t, 93);
	f->gpe1_base = u8(t, 94);
	f->cst_cnt = u8(t, 95);
	f->p_lvl2_lat = u16(t, 96);
	f->p_lvl3_lat = u16(t, 98);
	f->flush_size = u16(t, 100);
	f->flush_stride = u16(t, 102);
	f->duty_offset = u8(t, 104);
	f->duty_width = u8(t, 105);
	f->day_alarm = u8(t, 106);
	f->month_alarm = u8(t, 107);
	f->century = u8(t, 108);
	f->iapc_boot_arch = u16(t, 109);
	f->flags = u32(t, 112);
}

static void read_second_part(const struct vmm_acpi_table *t, struct vmm_acpi_fadt *f)
{
	f->reset = vmm__acpi_gas_at(t, 116);
	f->reset_value = u8(t, 128);
	f->arm_boot_arch = u16(t, 129);
	f->pm1a_evt = block(t, 56, 148, f->pm1_evt_len);
	f->pm1b_evt = block(t, 60, 160, f->pm1_evt_len);
	f->pm1a_cnt = block(t, 64, 172, f->pm1_cnt_len);
	f->pm1b_cnt = block(t, 68, 184, f->pm1_cnt_len);
	f->pm2_cnt = block(t, 72, 196, f->pm2_cnt_len);
	f->pm_tmr = block(t, 76, 208, f->pm_tmr_len);
	f->gpe0 = block(t, 80, 220, f->gpe0_len);
	f->gpe1 = block(t, 84, 232, f->gpe1_len);
	f->sleep_control = vmm__acpi_gas_at(t, 244);
	f->sleep_status = vmm__acpi_gas_at(t, 256);
	for (uint32_t i = 0; i < sizeof(f->hypervisor_id); i++)
		f->hypervisor_id[i] = u8(t, 268 + i);
}

static uint64_t first_of(uint64_t a, uint64_t b)
{
	return a != 0 ? a : b;
}

int vmm_acpi_read_fadt(const struct vmm_acpi_table *t, struct vmm_acpi_fadt *fadt, uint64_t *dsdt,
		       uint64_t *facs)
{
	int error = vmm__acpi_expect(t, "FACP", FADT_V1);

	if (error == 0 && fadt->size != sizeof(*fadt))
		error = -VMM_EINVAL;
	if (error != 0)
		return error;
	memset(fadt, 0, sizeof(*fadt));
	fadt->size = sizeof(*fadt);
	read_first_part(t, fadt);
	read_second_part(t, fadt);
	if (dsdt != NULL)
		*dsdt = first_of(vmm__acpi_field(t, 140, 8), u32(t, 40));
	if (facs != NULL)
		*facs = first_of(u32(t, 36), vmm__acpi_field(t, 132, 8));
	return 0;
}

/* A path that ends where it says and within the table, else none. */
static const char *path_of(const struct vmm_acpi_table *t)
{
	uint32_t len = u16(t, 84), at = u16(t, 86);

	if (len == 0 || at < 88 || at > t->len || len > t->len - at)
		return NULL;
	return t->data[at + len - 1] == '\0' ? (const char *)t->data + at : NULL;
}

int vmm_acpi_read_spcr(const struct vmm_acpi_table *t, struct vmm_acpi_spcr *s)
{
	int error = vmm__acpi_expect(t, "SPCR", 80);

	if (error == 0 && s->size != sizeof(*s))
		error = -VMM_EINVAL;
	if (error != 0)
		return error;
	*s = (struct vmm_acpi_spcr){
		.size = sizeof(*s),
		.type = u8(t, 36),
		.base = vmm__acpi_gas_at(t, 40),
		.interrupt_types = u8(t, 52),
		.irq = u8(t, 53),
		.gsi = u32(t, 54),
		.baud = u8(t, 58),
		.parity = u8(t, 59),
		.stop_bits = u8(t, 60),
		.flow = u8(t, 61),
		.terminal = u8(t, 62),
		.pci_device = u16(t, 64),
		.pci_vendor = u16(t, 66),
		.pci_bus = u8(t, 68),
		.pci_slot = u8(t, 69),
		.pci_function = u8(t, 70),
		.pci_segment = u8(t, 75),
		.clock = u32(t, 76),
		.precise_baud = u32(t, 80),
		.path = path_of(t),
	};
	return 0;
}

int vmm_acpi_read_slit(const struct vmm_acpi_table *t, uint32_t *nodes, const uint8_t **distance)
{
	int error = vmm__acpi_expect(t, "SLIT", 44);
	uint64_t n;

	if (error != 0)
		return error;
	n = vmm__acpi_field(t, 36, 8);
	if (n > UINT16_MAX || n * n > t->len - 44)
		return -VMM_EFORMAT;
	*nodes = (uint32_t)n;
	*distance = t->data + 44;
	return 0;
}

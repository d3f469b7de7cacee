// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * What a PC of the BIOS's time has and others do not: interval timer, clock, keyboard controller,
 * and a BIOS. The 8259s are the VM's own (VMM_VM_PIC).
 *
 * Timers. Each device says when it wants to be called next; the earliest time is the machine's.
 * With an engine that has alarms vCPU 0 comes back for it; with others a thread of the embedder's
 * waits in vmm_machine_run_timers(). A device calls with its lock held, so timer_lock comes after
 * it.
 */
#include "bits.h"
#include "endian.h"
#include "libvmm/irq.h"
#include "machine_object.h"
#include "mem.h"

/* --- timers --- */

static uint64_t earliest(const struct vmm_machine *m)
{
	uint64_t ns = VMM_FOREVER;

	for (uint32_t i = 0; i < ARRAY_SIZE(m->timer_ns); i++)
		ns = m->timer_ns[i] < ns ? m->timer_ns[i] : ns;
	return ns;
}

/* One that waits looks at the word again. */
static void poke(struct vmm_machine *m)
{
	atomic_fetch_add(&m->timer_word, 1);
	vmm__wake(m->host, &m->timer_word);
}

static void set_timer(struct vmm_machine *m, uint32_t timer, uint64_t deadline_ns)
{
	uint64_t before, after;

	vmm__lock(m->host, &m->timer_lock);
	before = earliest(m);
	m->timer_ns[timer] = deadline_ns;
	after = earliest(m);
	if (after != before && m->has_alarm)
		vmm_vm_set_alarm(m->vm, after);
	else if (after != before)
		poke(m);
	vmm__unlock(m->host, &m->timer_lock);
}

static void pit_timer(void *opaque, uint64_t deadline_ns)
{
	set_timer(opaque, 0, deadline_ns);
}

static void rtc_timer(void *opaque, uint64_t deadline_ns)
{
	set_timer(opaque, 1, deadline_ns);
}

static uint64_t tick(struct vmm_machine *m)
{
	uint64_t ns;

	if (m->pit != NULL)
		vmm_pit_tick(m->pit);
	if (m->rtc != NULL)
		vmm_rtc_tick(m->rtc);
	vmm__lock(m->host, &m->timer_lock);
	ns = earliest(m);
	vmm__unlock(m->host, &m->timer_lock);
	return ns;
}

/* An alarm is good for once: set anew even if the time is the same. */
static void alarm(void *opaque)
{
	struct vmm_machine *m = opaque;

	tick(m);
	vmm__lock(m->host, &m->timer_lock);
	vmm_vm_set_alarm(m->vm, earliest(m));
	vmm__unlock(m->host, &m->timer_lock);
}

void vmm__machine_end_timers(struct vmm_machine *m)
{
	atomic_store(&m->timer_end, 1);
	poke(m);
}

int vmm_machine_run_timers(struct vmm_machine *machine)
{
	const struct vmm_host *host = machine->host;

	if (machine->has_alarm || (machine->pit == NULL && machine->rtc == NULL))
		return -VMM_ENOTSUP;
	while (atomic_exchange(&machine->timer_end, 0) == 0) {
		uint32_t word = atomic_load(&machine->timer_word);
		uint64_t ns = tick(machine), now = host->time_ns(host->opaque);

		if (ns > now)
			vmm__wait(host, &machine->timer_word, word,
				  ns == VMM_FOREVER ? VMM_FOREVER : ns - now);
	}
	return 0;
}

/* --- devices --- */

static void pit_irq(void *opaque, uint32_t level)
{
	vmm_vm_irq_line(((struct vmm_machine *)opaque)->vm, IRQ_PIT, level);
}

static void rtc_irq(void *opaque, uint32_t level)
{
	vmm_vm_irq_line(((struct vmm_machine *)opaque)->vm, IRQ_RTC, level);
}

static void keyboard_irq(void *opaque, uint32_t level)
{
	vmm_vm_irq_line(((struct vmm_machine *)opaque)->vm, IRQ_KEYBOARD, level);
}

static void mouse_irq(void *opaque, uint32_t level)
{
	vmm_vm_irq_line(((struct vmm_machine *)opaque)->vm, IRQ_MOUSE, level);
}

static void keyboard_reset(void *opaque)
{
	vmm__machine_stop(opaque, VMM_MACHINE_RESET, 0, 0);
}

static int no_memory(struct vmm_machine *m, int err)
{
	return vmm__machine_fail(m, err, "vmm_machine_create", "no memory for a device");
}

static int add_port(struct vmm_machine *m, uint32_t base, uint32_t len,
		    const struct vmm_region_ops *ops, void *device)
{
	return vmm__machine_add_region(m, VMM_SPACE_PORT, base, len, ops, device);
}

static int add_pit(struct vmm_machine *m)
{
	const struct vmm_pit_config config = {
		.size = sizeof(config), .opaque = m, .irq = pit_irq, .timer = pit_timer};
	int err = vmm_pit_create(m->host, &config, &m->pit);

	if (err != 0)
		return no_memory(m, err);
	err = add_port(m, PORT_PIT, VMM_PIT_PORTS, vmm_pit_ops(), m->pit);
	return err == 0 ? add_port(m, PORT_B, VMM_PIT_PORT_B_PORTS, vmm_pit_port_b_ops(), m->pit)
			: err;
}

/* What a BIOS has always found there: memory below and above 1 MiB in KiB, above 16 MiB and 4 GiB
 * in 64 KiB, and, as emulators have it, how many processors there are besides the first. */
static void fill_memory(struct vmm_machine *m)
{
	const uint64_t low = m->plan.low_end, high = m->plan.ram[1].len >> 16;
	const uint64_t extended = (low - MAP_EXTENDED) >> 10;
	const uint64_t above16 = low > UINT64_C(0x1000000) ? (low - 0x1000000) >> 16 : 0;
	const uint32_t capped = extended > 0xffff ? 0xffff : (uint32_t)extended;
	const struct {
		uint8_t index;
		uint8_t value;
	} bytes[] = {
		{0x14, 0x06}, /* a coprocessor, a mouse */
		{0x15, 640 & 0xff},
		{0x16, 640 >> 8},
		{0x17, (uint8_t)capped},
		{0x18, (uint8_t)(capped >> 8)},
		{0x30, (uint8_t)capped},
		{0x31, (uint8_t)(capped >> 8)},
		{0x34, (uint8_t)above16},
		{0x35, (uint8_t)(above16 >> 8)},
		{0x5b, (uint8_t)high},
		{0x5c, (uint8_t)(high >> 8)},
		{0x5d, (uint8_t)(high >> 16)},
		{0x5f, (uint8_t)(m->plan.cpus - 1)},
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(bytes); i++)
		vmm_rtc_store(m->rtc, bytes[i].index, bytes[i].value);
}

static int add_rtc(struct vmm_machine *m)
{
	const struct vmm_rtc_config config = {
		.size = sizeof(config), .opaque = m, .irq = rtc_irq, .timer = rtc_timer};
	int err = vmm_rtc_create(m->host, &config, &m->rtc);

	if (err != 0)
		return no_memory(m, err);
	fill_memory(m);
	return add_port(m, PORT_RTC, VMM_RTC_PORTS, vmm_rtc_ops(), m->rtc);
}

static int add_i8042(struct vmm_machine *m)
{
	const struct vmm_i8042_config config = {.size = sizeof(config),
						.opaque = m,
						.keyboard_irq = keyboard_irq,
						.mouse_irq = mouse_irq,
						.reset = keyboard_reset};
	int err = vmm_i8042_create(m->host, &config, &m->i8042);

	if (err != 0)
		return no_memory(m, err);
	err = add_port(m, PORT_I8042_DATA, VMM_I8042_PORTS, vmm_i8042_data_ops(), m->i8042);
	if (err == 0)
		err = add_port(m, PORT_I8042_COMMAND, VMM_I8042_PORTS, vmm_i8042_command_ops(),
			       m->i8042);
	return err == 0 ? add_port(m, PORT_A, VMM_I8042_PORT_A_PORTS, vmm_i8042_port_a_ops(),
				   m->i8042)
			: err;
}

static int add_alarm(struct vmm_machine *m)
{
	int err = vmm_vm_on_alarm(m->vm, alarm, m);

	m->has_alarm = err == 0;
	return err == 0 || err == -VMM_ENOTSUP ? 0
					       : vmm__machine_vm_failed(m, err, "vmm_vm_on_alarm");
}

/* --- how a BIOS switches off --- */

/* PM1 control register (ACPI 6.5, 4.8.3.2.1). A machine whose hardware is reduced has none: systems
 * that know of that ignore it, and have the sleep control register. */
#define PM1_SLEEP_TYPE   BITS(12, 10)
#define PM1_SLEEP_ENABLE BIT(13)

/* It reads as 0: SCI_EN, a legacy machine. */
static int pm1_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		    uint64_t *value)
{
	(void)opaque;
	(void)vcpu;
	(void)offset;
	(void)width;
	*value = 0;
	return 0;
}

/* SeaBIOS, asked by APM, writes sleep type 0 for off, whatever \_S5 says; loaders look into \_S5.
 */
static int pm1_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		     uint64_t value)
{
	const uint64_t control = value << 8 * offset;
	const uint64_t type = FIELD_GET(PM1_SLEEP_TYPE, control);

	(void)vcpu;
	(void)width;
	if ((control & PM1_SLEEP_ENABLE) != 0 && (type == 0 || type == VMM_POWER_S5))
		vmm__machine_stop(opaque, VMM_MACHINE_OFF, 0, 0);
	return 0;
}

static int add_bios_power(struct vmm_machine *m)
{
	static const struct vmm_region_ops ops = {
		.size = sizeof(ops), .read = pm1_read, .write = pm1_write};

	return add_port(m, PORT_BIOS_POWER, BIOS_POWER_LEN, &ops, m);
}

/* --- what a BIOS is told, by files of fw_cfg --- */

/* The guest's map of memory, and the ACPI tables' root pointer, which it puts where it is looked
 * for: the rest stays where it is. Layouts are QEMU's, as its documentation of fw_cfg has them. */
#define LOADER_ALLOCATE 1
#define LOADER_ZONE_F   2 /* below 1 MiB */
#define LOADER_NAME     4
#define LOADER_ALIGN    60
#define LOADER_ZONE     64

static void list_memory(struct vmm_machine *m)
{
	struct vmm__bios *b = &m->bios;

	for (uint32_t i = 0; i < m->load_range_count; i++) {
		const struct vmm_load_range *r = &m->load_range[i];
		uint8_t *entry = b->e820 + 20 * b->e820_count++;

		vmm__put_le64(entry, r->base);
		vmm__put_le64(entry + 8, r->size);
		vmm__put_le32(entry + 16, r->type == VMM_RANGE_RAM ? 1 : 2);
	}
}

int vmm__machine_tell_bios(struct vmm_machine *m)
{
	static const char root[] = "etc/acpi/rsdp";
	struct vmm__bios *b = &m->bios;
	int err;

	if (!m->plan.bios || m->fw_cfg == NULL)
		return 0;
	list_memory(m);
	vmm__put_le32(b->loader, LOADER_ALLOCATE);
	memcpy(b->loader + LOADER_NAME, root, sizeof(root));
	vmm__put_le32(b->loader + LOADER_ALIGN, 16);
	b->loader[LOADER_ZONE] = LOADER_ZONE_F;
	err = vmm_vm_read(m->vm, m->plan.tables.base, b->rsdp, sizeof(b->rsdp));
	if (err == 0)
		err = vmm_fw_cfg_add(m->fw_cfg, "etc/e820", b->e820, 20 * b->e820_count);
	if (err == 0)
		err = vmm_fw_cfg_add(m->fw_cfg, root, b->rsdp, sizeof(b->rsdp));
	if (err == 0 && m->profile.serial_enable[0]) {
		vmm__put_le64(b->console, m->profile.serial_port[0]);
		err = vmm_fw_cfg_add(m->fw_cfg, "etc/sercon-port", b->console, sizeof(b->console));
	}
	if (err == 0)
		err = vmm_fw_cfg_add(m->fw_cfg, "etc/table-loader", b->loader, sizeof(b->loader));
	return err == 0 ? 0
			: vmm__machine_fail(m, err, "vmm_machine_create", "fw_cfg's files: %s",
					    vmm_strerror(err));
}

/* --- the BIOS --- */

static int map_bios(struct vmm_machine *m, uint64_t len)
{
	struct vmm_mem *mem;
	int err = vmm_mem_create(m->ctx, len, &mem);

	if (err != 0)
		return vmm__machine_ctx_failed(m, err, "vmm_mem_create");
	err = vmm_vm_map(m->vm, MAP_HIGH_RAM - len, mem, 0, len, VMM_PROT_READ | VMM_PROT_EXEC);
	if (err == -VMM_ENOTSUP) /* the engine knows no read-only memory */
		err = vmm_vm_map(m->vm, MAP_HIGH_RAM - len, mem, 0, len, VMM_PROT_RWX);
	vmm_mem_unref(mem);
	if (err != 0)
		return vmm__machine_vm_failed(m, err, "vmm_vm_map");
	m->bios.len = len;
	return 0;
}

int vmm_machine_load_bios(struct vmm_machine *machine, const void *data, size_t len)
{
	const char *call = "vmm_machine_load_bios";
	const size_t low = len < MAP_TABLES_LEN ? len : MAP_TABLES_LEN;
	const uint8_t *bytes = data;
	int err = 0;

	if (!machine->plan.bios)
		return vmm__machine_fail(machine, -VMM_ENOTSUP, call,
					 "the profile has no boot.firmware = bios");
	if (data == NULL || len == 0 || len > MAP_BIOS_MAX || len % 0x10000 != 0)
		return vmm__machine_fail(machine, -VMM_EINVAL, call,
					 "an image has whole 64 KiB, at most 1 MiB");
	if (machine->bios.len == 0)
		err = map_bios(machine, len);
	else if (machine->bios.len != len)
		return vmm__machine_fail(machine, -VMM_ESTATE, call, "the one before was another");
	if (err != 0)
		return err;
	err = vmm_vm_write(machine->vm, MAP_HIGH_RAM - len, bytes, len);
	if (err == 0)
		err = vmm_vm_write(machine->vm, MAP_EXTENDED - low, bytes + len - low, low);
	return err == 0 ? 0 : vmm__machine_vm_failed(machine, err, "vmm_vm_write");
}

/* --- the whole --- */

int vmm__machine_add_legacy(struct vmm_machine *m)
{
	const struct vmm_profile *p = &m->profile;
	int err = 0;

	for (uint32_t i = 0; i < ARRAY_SIZE(m->timer_ns); i++)
		m->timer_ns[i] = VMM_FOREVER;
	if (p->legacy_pit || p->legacy_rtc)
		err = add_alarm(m);
	if (err == 0 && p->legacy_pit)
		err = add_pit(m);
	if (err == 0 && p->legacy_rtc)
		err = add_rtc(m);
	if (err == 0 && p->legacy_i8042)
		err = add_i8042(m);
	if (err == 0 && vmm__plan_has_bios_power(&m->plan))
		err = add_bios_power(m);
	return err;
}

void vmm__machine_reset_legacy(struct vmm_machine *m)
{
	if (m->pit != NULL)
		vmm_pit_reset(m->pit);
	if (m->rtc != NULL)
		vmm_rtc_reset(m->rtc);
	if (m->i8042 != NULL)
		vmm_i8042_reset(m->i8042);
}

void vmm__machine_destroy_legacy(struct vmm_machine *m)
{
	vmm_pit_destroy(m->pit);
	vmm_rtc_destroy(m->rtc);
	vmm_i8042_destroy(m->i8042);
}

struct vmm_pit *vmm_machine_pit(struct vmm_machine *machine)
{
	return machine->pit;
}

struct vmm_rtc *vmm_machine_rtc(struct vmm_machine *machine)
{
	return machine->rtc;
}

struct vmm_i8042 *vmm_machine_i8042(struct vmm_machine *machine)
{
	return machine->i8042;
}

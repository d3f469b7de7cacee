// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Making a machine of its plan, and taking it apart. */
#include "bits.h"
#include "machine_object.h"
#include "machine_tables.h"
#include "mem.h"
#include "sized.h"

#define CPUID_ENTRIES 256 /* at most (x86.h) */

/* --- Failures --- */

int vmm__machine_fail(struct vmm_machine *m, int code, const char *call, const char *fmt, ...)
{
	struct vmm_error e = {.size = sizeof(e), .code = code};
	va_list ap;

	vmm__format(e.call, sizeof(e.call), "%s", call);
	va_start(ap, fmt);
	vmm__vformat(e.text, sizeof(e.text), fmt, ap);
	va_end(ap);
	vmm__lock(m->host, &m->error_lock);
	m->error = e;
	vmm__unlock(m->host, &m->error_lock);
	return code;
}

/* An object's last detail may be another call's: not all failures leave one. */
static int keep(struct vmm_machine *m, int code, const char *call, const struct vmm_error *e)
{
	if (e->code != code)
		return vmm__machine_fail(m, code, call, "%s", vmm_strerror(code));
	vmm__lock(m->host, &m->error_lock);
	m->error = *e;
	vmm__unlock(m->host, &m->error_lock);
	return code;
}

int vmm__machine_ctx_failed(struct vmm_machine *m, int code, const char *call)
{
	struct vmm_error e = {.size = sizeof(e)};

	vmm_ctx_error(m->ctx, &e);
	return keep(m, code, call, &e);
}

int vmm__machine_vm_failed(struct vmm_machine *m, int code, const char *call)
{
	struct vmm_error e = {.size = sizeof(e)};

	vmm_vm_error(m->vm, &e);
	return keep(m, code, call, &e);
}

static int vcpu_failed(struct vmm_machine *m, struct vmm_vcpu *vcpu, int code, const char *call)
{
	struct vmm_error e = {.size = sizeof(e)};

	vmm_vcpu_error(vcpu, &e);
	return keep(m, code, call, &e);
}

int vmm_machine_error(struct vmm_machine *machine, struct vmm_error *error)
{
	struct vmm_error e;

	vmm__lock(machine->host, &machine->error_lock);
	e = machine->error;
	vmm__unlock(machine->host, &machine->error_lock);
	return vmm__give_struct(error, &e, sizeof(e));
}

/* --- Memory --- */

int vmm__machine_map_ram(struct vmm_machine *m, uint64_t gpa, uint64_t len)
{
	struct vmm_mem *mem;
	int err = vmm_mem_create(m->ctx, len, &mem);

	if (err != 0)
		return vmm__machine_ctx_failed(m, err, "vmm_mem_create");
	err = vmm_vm_map(m->vm, gpa, mem, 0, len, VMM_PROT_RWX);
	vmm_mem_unref(mem); /* the mapping has its own reference */
	return err == 0 ? 0 : vmm__machine_vm_failed(m, err, "vmm_vm_map");
}

static int make_ram(struct vmm_machine *m)
{
	int err = 0;

	for (uint32_t i = 0; i < ARRAY_SIZE(m->plan.ram) && err == 0; i++) {
		if (m->plan.ram[i].len > 0)
			err = vmm__machine_map_ram(m, m->plan.ram[i].base, m->plan.ram[i].len);
	}
	return err;
}

/* What of the map is in the guest's own map of memory. */
static void list_load_ranges(struct vmm_machine *m)
{
	struct vmm_machine_range all[VMM__PLAN_RANGES];
	uint32_t count = VMM__PLAN_RANGES;

	vmm_machine_plan_ranges(&m->profile, all, &count);
	for (uint32_t i = 0; i < count; i++) {
		struct vmm_load_range *r = &m->load_range[m->load_range_count];

		if (all[i].kind > VMM_RANGE_NVS || all[i].space != VMM_SPACE_MMIO)
			continue;
		r->base = all[i].base;
		r->size = all[i].len;
		r->type = all[i].kind;
		r->uefi = all[i].uefi;
		m->load_range_count++;
	}
}

#define RSDP_LEN         36 /* ACPI 6.5, 5.2.5.3 */
#define SMBIOS_ENTRY_LEN 24 /* DSP0134, 5.2.2 */

/*
 * Build something in memory of our own and put it where @span says; its first @root bytes also to
 * @root_gpa, where a guest looks for them that is not told, unless that is the BIOS's.
 */
static int write_built(struct vmm_machine *m, struct vmm__span span, uint64_t root_gpa, size_t root,
		       int (*build)(const struct vmm__plan *, void *, size_t *))
{
	size_t len = 0;
	void *built;
	int err = build(&m->plan, NULL, &len);

	if (err != 0)
		return vmm__machine_fail(m, err, "vmm_machine_plan_tables",
					 "the tables do not fit into their %llu KiB",
					 (unsigned long long)span.len >> 10);
	built = m->host->alloc(m->host->opaque, len, sizeof(uint64_t));
	if (built == NULL)
		return vmm__machine_fail(m, -VMM_ENOMEM, "vmm_machine_create",
					 "no memory for the tables");
	err = build(&m->plan, built, &len);
	if (err == 0)
		err = vmm_vm_write(m->vm, span.base, built, len);
	if (err == 0 && span.base != root_gpa && !m->plan.bios)
		err = vmm_vm_write(m->vm, root_gpa, built, root);
	m->host->free(m->host->opaque, built, len);
	return err == 0 ? 0 : vmm__machine_vm_failed(m, err, "vmm_vm_write");
}

static int write_tables(struct vmm_machine *m)
{
	int err = write_built(m, m->plan.tables, MAP_TABLES, RSDP_LEN, vmm__tables_build);

	if (err == 0 && m->plan.smbios.len > 0)
		err = write_built(m, m->plan.smbios, MAP_SMBIOS, SMBIOS_ENTRY_LEN,
				  vmm__smbios_build);
	return err;
}

/*
 * Code where a PC's processor starts, F000:FFF0 of real mode. Linux goes there to restart a machine
 * of hardware-reduced ACPI that has no EFI; it does not use the reset register itself then.
 */
static int write_restart(struct vmm_machine *m)
{
	const uint16_t port = PORT_REGISTERS + REG_POWER + VMM_POWER_RESET;
	const uint8_t code[] = {
		0xba,
		(uint8_t)port,
		(uint8_t)(port >> 8), /* mov dx, port */
		0xb0,
		VMM_POWER_RESET_VALUE, /* mov al, value */
		0xee,                  /* out dx, al */
		0xf4,
		0xeb,
		0xfd, /* stop: hlt; jmp stop */
	};
	int err = 0;

	if (m->profile.power_reset && !m->plan.bios)
		err = vmm_vm_write(m->vm, MAP_RESTART, code, sizeof(code));
	return err == 0 ? 0 : vmm__machine_vm_failed(m, err, "vmm_vm_write");
}

/* What the guest finds in memory when it starts. */
static int write_firmware(struct vmm_machine *m)
{
	int err = m->plan.uefi != 0 ? vmm__machine_write_uefi(m) : 0;

	if (err == 0)
		err = write_tables(m); /* may lie in vUEFI's room */
	if (err == 0)
		err = vmm__machine_write_pages(m);
	return err == 0 ? write_restart(m) : err;
}

/* --- Processors --- */

/* A model by its name. An engine that knows none, as sim, has "host" by doing nothing. */
static int take_model(struct vmm_machine *m, struct vmm_x86_cpuid *entries, uint32_t *count)
{
	int err = vmm_x86_cpu_model(m->ctx, vmm_vm_engine(m->vm), m->profile.cpu_model, entries,
				    count);

	if (err == -VMM_ENOTSUP && memcmp(m->profile.cpu_model, "host", sizeof("host")) == 0) {
		*count = 0;
		return 0;
	}
	return err == 0 ? 0 : vmm__machine_ctx_failed(m, err, "vmm_x86_cpu_model");
}

static int add_vcpu(struct vmm_machine *m, uint32_t index, struct vmm_x86_cpuid *entries,
		    uint32_t *count)
{
	const uint64_t apic_id = vmm__plan_cpu_id(&m->plan, vmm__plan_cpu_of_vcpu(&m->plan, index));
	struct vmm_vcpu_config config = {.size = sizeof(config),
					 .flags = m->profile.cpu_dedicated ? VMM_VCPU_DEDICATED : 0,
					 .index = index,
					 .arch_id = apic_id};
	struct vmm_vcpu *vcpu;
	int err = vmm_vcpu_create(m->vm, &config, &vcpu);

	if (err != 0)
		return vmm__machine_vm_failed(m, err, "vmm_vcpu_create");
	if (*count == 0)
		return 0;
	err = vmm_x86_cpuid_topology(entries, count, CPUID_ENTRIES, &m->plan.topology,
				     (uint32_t)apic_id);
	if (err != 0)
		return vmm__machine_fail(m, err, "vmm_x86_cpuid_topology", "CPU %u", index);
	err = vmm_vcpu_x86_set_cpuid(vcpu, entries, *count);
	return err == 0 ? 0 : vcpu_failed(m, vcpu, err, "vmm_vcpu_x86_set_cpuid");
}

/* Caches as the tables tell of them, where the profile chooses. */
static int fit_caches(struct vmm_machine *m, struct vmm_x86_cpuid *entries, uint32_t *count)
{
	const struct vmm_x86_caches caches = {
		.size = sizeof(caches),
		.l1d = (uint32_t)m->profile.cache_l1d,
		.l1i = (uint32_t)m->profile.cache_l1i,
		.l2 = (uint32_t)m->profile.cache_l2,
		.l3 = (uint32_t)m->profile.cache_l3,
	};
	int err;

	if (caches.l1d == 0 || *count == 0)
		return 0;
	err = vmm_x86_cpuid_caches(entries, count, CPUID_ENTRIES, &caches);
	return err == 0 ? 0 : vmm__machine_fail(m, err, "vmm_x86_cpuid_caches", "section cache");
}

static int add_vcpus(struct vmm_machine *m)
{
	const size_t size = CPUID_ENTRIES * sizeof(struct vmm_x86_cpuid);
	struct vmm_x86_cpuid *entries = m->host->alloc(m->host->opaque, size, sizeof(uint64_t));
	uint32_t count = CPUID_ENTRIES;
	int err;

	if (entries == NULL)
		return vmm__machine_fail(m, -VMM_ENOMEM, "vmm_machine_create",
					 "no memory for the CPU model");
	err = take_model(m, entries, &count);
	if (err == 0)
		err = fit_caches(m, entries, &count);
	for (uint32_t i = 0; i < m->plan.cpus && err == 0; i++)
		err = add_vcpu(m, i, entries, &count);
	m->host->free(m->host->opaque, entries, size);
	return err;
}

/* --- The whole --- */

static int make_plan(struct vmm_machine *m)
{
	struct vmm_profile_error e = {.size = sizeof(e)};
	int err = vmm__plan_make(&m->profile, &m->plan, &e);

	if (err != 0)
		return vmm__machine_fail(m, err, "vmm_profile_check", "%s", e.text);
	if (m->plan.arm)
		return vmm__machine_fail(
			m, -VMM_ENOTSUP, "vmm_machine_create",
			"no engine runs an arm64 machine: there are its tables only");
	return 0;
}

static int make_vm(struct vmm_machine *m)
{
	struct vmm_vm_config config = {
		.size = sizeof(config),
		.flags = m->config.vm_flags | (m->profile.legacy_pic ? VMM_VM_PIC : 0) |
			 (m->profile.cpu_ipi[0] == 'd' ? VMM_VM_IPI_DIRECT : 0),
		.engine = m->config.engine,
		.irqchip = VMM_IRQCHIP_ARCH,
		.max_vcpus = m->plan.cpus,
		.clock = m->config.clock,
		.engine_config = m->config.engine_config,
	};
	int err = vmm_vm_create(m->ctx, &config, &m->vm);

	return err == 0 ? 0 : vmm__machine_ctx_failed(m, err, "vmm_vm_create");
}

static int make(struct vmm_machine *m)
{
	int err = make_plan(m);

	if (err == 0)
		err = make_vm(m);
	if (err == 0)
		err = make_ram(m);
	if (err == 0)
		err = write_firmware(m);
	if (err == 0)
		err = add_vcpus(m);
	if (err == 0)
		err = vmm__machine_add_devices(m);
	if (err == 0)
		err = vmm__machine_add_hotplug(m);
	if (err == 0)
		list_load_ranges(m);
	return err == 0 ? vmm__machine_tell_bios(m) : err;
}

/* While there is no machine to keep the detail. */
static int refuse(struct vmm_error *error, int code, const char *text)
{
	struct vmm_error e = {.size = sizeof(e)};

	vmm__fail(&e, code, "vmm_machine_create", 0, "%s", text);
	vmm__give_struct(error, &e, sizeof(e));
	return code;
}

int vmm_machine_create(struct vmm_ctx *ctx, const struct vmm_machine_config *config,
		       struct vmm_machine **machine, struct vmm_error *error)
{
	struct vmm_machine_config taken;
	const struct vmm_host *host;
	struct vmm_machine *m;
	int err;

	if (ctx == NULL || machine == NULL)
		return -VMM_EINVAL;
	*machine = NULL;
	if (vmm__take_struct(&taken, sizeof(taken), config) != 0 || taken.profile == NULL ||
	    (taken.flags & ~(VMM_MACHINE_SEE_UNCLAIMED | VMM_MACHINE_SEE_IDLE)) != 0)
		return refuse(error, -VMM_EINVAL,
			      "no profile, or a structure of a size or flags unknown here");
	host = vmm_ctx_host(ctx);
	m = host->alloc(host->opaque, sizeof(*m), _Alignof(struct vmm_machine));
	if (m == NULL)
		return refuse(error, -VMM_ENOMEM, "no memory for the machine");
	m->ctx = ctx;
	m->host = host;
	m->config = taken;
	vmm_profile_copy(&m->profile, taken.profile);
	err = make(m);
	if (err != 0) {
		vmm__give_struct(error, &m->error, sizeof(m->error));
		vmm_machine_destroy(m);
		return err;
	}
	*machine = m;
	return 0;
}

int vmm_machine_destroy(struct vmm_machine *machine)
{
	int err;

	if (machine == NULL)
		return 0;
	err = vmm_vm_destroy(machine->vm);
	if (err != 0)
		return err;
	vmm__machine_destroy_devices(machine);
	vmm__machine_destroy_hotplug(machine);
	machine->host->free(machine->host->opaque, machine, sizeof(*machine));
	return 0;
}

struct vmm_vm *vmm_machine_vm(struct vmm_machine *machine)
{
	return machine->vm;
}

uint32_t vmm_machine_vcpus(struct vmm_machine *machine)
{
	return machine->plan.cpus;
}

const struct vmm_profile *vmm_machine_profile(struct vmm_machine *machine)
{
	return &machine->profile;
}

int vmm_machine_fw_cfg_file(struct vmm_machine *machine, const char *name, const void *data,
			    uint32_t len)
{
	const char *call = "vmm_machine_fw_cfg_file";
	int err;

	if (machine->fw_cfg == NULL)
		return vmm__machine_fail(machine, -VMM_ENOTSUP, call,
					 "the profile has fw-cfg.enable = no");
	if (atomic_load(&machine->sealed) != 0)
		return vmm__machine_fail(machine, -VMM_ESTATE, call, "the machine is sealed");
	err = vmm_fw_cfg_add(machine->fw_cfg, name, data, len);
	return err == 0 ? 0 : vmm__machine_fail(machine, err, call, "%s", vmm_strerror(err));
}

int vmm_machine_seal(struct vmm_machine *machine)
{
	int err = vmm_vm_seal(machine->vm);

	if (err != 0)
		return vmm__machine_vm_failed(machine, err, "vmm_vm_seal");
	atomic_store(&machine->sealed, 1);
	return 0;
}

/* The tables lie in memory that the guest may have written to, or used again. */
int vmm_machine_reset(struct vmm_machine *machine)
{
	int err = vmm_vm_reset(machine->vm);

	if (err != 0)
		return vmm__machine_vm_failed(machine, err, "vmm_vm_reset");
	vmm__machine_reset_devices(machine);
	vmm__machine_reset_hotplug(machine);
	atomic_store(&machine->event, 0);
	return write_firmware(machine);
}

/* --- Loading --- */

static int load_write(void *opaque, uint64_t gpa, const void *buf, size_t len)
{
	struct vmm_machine *m = opaque;
	int err = vmm_vm_write(m->vm, gpa, buf, len);

	return err == 0 ? 0 : vmm__machine_vm_failed(m, err, "vmm_vm_write");
}

static int load_zero(void *opaque, uint64_t gpa, uint64_t len)
{
	struct vmm_machine *m = opaque;
	int err = vmm_vm_fill(m->vm, gpa, 0, len);

	return err == 0 ? 0 : vmm__machine_vm_failed(m, err, "vmm_vm_fill");
}

/* Memory from the host is zero until somebody writes to it; touching it would make it take room. */
static int load_zero_fresh(void *opaque, uint64_t gpa, uint64_t len)
{
	(void)opaque;
	(void)gpa;
	(void)len;
	return 0;
}

int vmm_machine_load_target(struct vmm_machine *machine, struct vmm_load_target *target)
{
	struct vmm_load_target t = {
		.range_count = machine->load_range_count,
		.ranges = machine->load_range,
		.rsdp = machine->plan.tables.base,
		.opaque = machine,
		.write = load_write,
		.zero = machine->loaded ? load_zero : load_zero_fresh,
		.uefi_system = machine->uefi_system,
	};

	machine->loaded = true;
	return vmm__give_struct(target, &t, sizeof(t));
}

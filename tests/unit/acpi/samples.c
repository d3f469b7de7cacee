// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "samples.h"

#include "libvmm/acpi_objects.h"

/* -- AML ----------------------------------------------------------------------------------------
 */

static void name_int(struct vmm_aml *a, const char *path, uint64_t v)
{
	vmm_aml_name(a, path);
	vmm_aml_int(a, v);
}

static void terms_data(struct vmm_aml *a)
{
	static const uint64_t ints[] = {0,         1,       2,          0xff,       0x100,
					0xffff,    0x10000, 0xffffffff, 1ULL << 32, UINT64_MAX - 1,
					UINT64_MAX};
	static const uint8_t bytes[300] = {1, 2, 3};
	char name[5] = "INT_";

	for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
		name[3] = (char)('A' + i);
		name_int(a, name, ints[i]);
	}
	vmm_aml_name(a, "STR");
	vmm_aml_string(a, "A text, long enough that the package around it passes 63 bytes");
	vmm_aml_name(a, "UNI");
	vmm_aml_unicode(a, "vm");
	vmm_aml_name(a, "EISA");
	vmm_aml_eisaid(a, "PNP0A08");
	vmm_aml_name(a, "UUID");
	vmm_aml_uuid(a, "33db4d5b-1ff7-401c-9657-7441c03dd766");
	vmm_aml_name(a, "BUF0");
	vmm_aml_buffer(a, bytes, 1);
	vmm_aml_name(a, "BUF1");
	vmm_aml_buffer(a, bytes, sizeof(bytes));
	vmm_aml_name(a, "BUF2");
	vmm_aml_buffer(a, NULL, 4096);
	vmm_aml_name(a, "REV");
	vmm_aml_revision(a);
	vmm_aml_alias(a, "STR", "ALI");
}

static void terms_packages(struct vmm_aml *a)
{
	vmm_aml_name(a, "PKG0");
	vmm_aml_package_begin(a);
	vmm_aml_package_finish(a);
	vmm_aml_name(a, "PKG1");
	vmm_aml_package_begin(a);
	vmm_aml_int(a, 5);
	vmm_aml_path(a, "\\_SB");
	vmm_aml_package_begin(a);
	vmm_aml_string(a, "inner");
	vmm_aml_buffer(a, "\1\2", 2);
	vmm_aml_package_finish(a);
	vmm_aml_package_finish(a);
	vmm_aml_name(a, "PKG2");
	vmm_aml_package_begin(a);
	for (uint32_t i = 0; i < 300; i++)
		vmm_aml_int(a, i);
	vmm_aml_package_finish(a);
}

static void range(struct vmm_aml *a, int (*put)(struct vmm_aml *, const struct vmm_aml_range *),
		  uint8_t type, uint8_t type_flags, uint64_t min, uint64_t len)
{
	struct vmm_aml_range r = {
		.size = sizeof(r),
		.type = type,
		.flags = VMM_AML_RANGE_FIXED,
		.type_flags = type_flags,
		.min = min,
		.max = min + len - 1,
		.len = len,
	};

	put(a, &r);
}

static void sample_serial_buses(struct vmm_aml *a)
{
	static const struct vmm_aml_spi spi = {.size = sizeof(spi),
					       .hz = 25000000,
					       .select = 3,
					       .bits = 8,
					       .phase = 1,
					       .polarity = 1,
					       .three_wire = 1,
					       .active_high = 1};
	static const struct vmm_aml_uart uart = {.size = sizeof(uart),
						 .baud = 115200,
						 .rx_fifo = 32,
						 .tx_fifo = 16,
						 .flags = VMM_AML_SERIAL_SHARED,
						 .data_bits = 8,
						 .stop_bits = 1,
						 .flow = 1,
						 .lines = 0xc0};

	vmm_aml_res_i2c(a, 0, 0x51, 0, 400000, "\\_SB.TERM");
	vmm_aml_res_i2c(a, VMM_AML_SERIAL_DEVICE, 0x351, 1, 100000, "\\_SB.TERM");
	vmm_aml_res_spi(a, &spi, "\\_SB.TERM");
	vmm_aml_res_uart(a, &uart, "\\_SB.TERM");
}

void sample_resources(struct vmm_aml *a)
{
	static const struct vmm_aml_range extended = {.size = sizeof(extended),
						      .flags = VMM_AML_RANGE_FIXED,
						      .type_flags = VMM_AML_MEMORY_WRITABLE,
						      .min = 1ULL << 40,
						      .max = (1ULL << 40) + 0xfff,
						      .len = 0x1000};
	static const uint32_t gsi[] = {16, 17, 0x12345678};
	static const uint16_t pins[] = {3, 9};

	vmm_aml_res_irq(a, 1 << 4, VMM_AML_INT_EDGE);
	vmm_aml_res_irq(a, 1 << 5 | 1 << 9, VMM_AML_INT_LOW | VMM_AML_INT_SHARED);
	vmm_aml_res_dma(a, 1 << 2, 0);
	vmm_aml_res_io(a, 0x3f8, 0x3f8, 1, 8);
	vmm_aml_res_fixed_io(a, 0x201, 1);
	vmm_aml_res_fixed_dma(a, 5, 1, 2);
	vmm_aml_res_vendor(a, "\1\2\3", 3);
	vmm_aml_res_vendor(a, "0123456789", 10);
	vmm_aml_res_memory32(a, 1, 0x80000000, 0x8ffff000, 0x1000, 0x2000);
	vmm_aml_res_memory32_fixed(a, 0, 0xfed00000, 0x400);
	range(a, vmm_aml_res_word_range, VMM_AML_RANGE_BUS, 0, 0, 256);
	range(a, vmm_aml_res_word_range, VMM_AML_RANGE_IO, VMM_AML_IO_ENTIRE, 0xd00, 0xf300);
	range(a, vmm_aml_res_dword_range, VMM_AML_RANGE_MEMORY, VMM_AML_MEMORY_WRITABLE, 0xc0000000,
	      0x20000000);
	range(a, vmm_aml_res_dword_range, VMM_AML_RANGE_IO, VMM_AML_IO_ENTIRE, 0, 0xcf8);
	range(a, vmm_aml_res_qword_range, VMM_AML_RANGE_MEMORY,
	      VMM_AML_MEMORY_WRITABLE | VMM_AML_MEMORY_PREFETCHABLE, 1ULL << 40, 1ULL << 38);
	range(a, vmm_aml_res_qword_range, VMM_AML_RANGE_IO, VMM_AML_IO_ENTIRE, 0x1000, 0x1000);
	vmm_aml_res_interrupt(a, VMM_AML_INT_CONSUMER | VMM_AML_INT_LOW | VMM_AML_INT_SHARED, gsi,
			      3);
	vmm_aml_res_interrupt(a, VMM_AML_INT_CONSUMER | VMM_AML_INT_EDGE | VMM_AML_INT_WAKE, gsi,
			      1);
	vmm_aml_res_register(a, VMM_AML_SPACE_MEMORY, 32, 0, 3, 0xfeed0000);
	vmm_aml_res_gpio_int(a, VMM_AML_GPIO_EDGE | VMM_AML_GPIO_LOW, 1, "\\_SB.TERM", 9);
	vmm_aml_res_gpio_io(a, VMM_AML_GPIO_OUT | VMM_AML_GPIO_SHARED, 3, "\\_SB.TERM", pins, 2);
	sample_serial_buses(a);
	vmm_aml_res_extended_range(a, &extended, 0x8008);
	vmm_aml_res_start_dependent(a, 1, 2);
	vmm_aml_res_io(a, 0x2f8, 0x2f8, 1, 8);
	vmm_aml_res_start_dependent(a, 0, 0);
	vmm_aml_res_io(a, 0x3e8, 0x3e8, 1, 8);
	vmm_aml_res_end_dependent(a);
}

static void terms_resources(struct vmm_aml *a)
{
	vmm_aml_name(a, "RES0");
	vmm_aml_resources_begin(a);
	vmm_aml_resources_finish(a);
	vmm_aml_name(a, "RES1");
	vmm_aml_resources_begin(a);
	sample_resources(a);
	vmm_aml_resources_finish(a);
	vmm_aml_name(a, "RES2");
	vmm_aml_resources_begin(a);
	vmm_aml_res_i2c(a, 0, 0x51, 0, 400000, "\\_SB.TERM");
	vmm_aml_resources_finish(a);
}

static void terms_objects(struct vmm_aml *a)
{
	vmm_aml_mutex(a, "MTX", 3);
	vmm_aml_event(a, "EVT");
	vmm_aml_region(a, "REG", VMM_AML_SPACE_MEMORY);
	vmm_aml_int(a, 0xfed00000);
	vmm_aml_int(a, 0x100);
	vmm_aml_field_begin(a, "REG", VMM_AML_ACCESS_DWORD | VMM_AML_LOCK | VMM_AML_UPDATE_ZEROS);
	vmm_aml_field_unit(a, "FLD0", 4);
	vmm_aml_field_unit(a, "FLD1", 60);
	vmm_aml_field_offset(a, 0x40);
	vmm_aml_field_access(a, VMM_AML_ACCESS_BYTE, 0);
	vmm_aml_field_unit(a, "IDX", 8);
	vmm_aml_field_unit(a, "DAT", 8);
	vmm_aml_field_finish(a);
	vmm_aml_index_field_begin(a, "IDX", "DAT", VMM_AML_ACCESS_BYTE);
	vmm_aml_field_unit(a, "XFL0", 8);
	vmm_aml_field_finish(a);
	vmm_aml_bank_field_begin(a, "REG", "FLD0", 5, VMM_AML_ACCESS_BYTE | VMM_AML_UPDATE_ONES);
	vmm_aml_field_offset(a, 0x20);
	vmm_aml_field_unit(a, "BNK0", 12);
	vmm_aml_field_finish(a);
	vmm_aml_region(a, "I2C", VMM_AML_SPACE_SERIAL);
	vmm_aml_int(a, 0);
	vmm_aml_int(a, 0x100);
	vmm_aml_field_begin(a, "I2C", VMM_AML_ACCESS_BUFFER);
	vmm_aml_field_connect(a, "RES2");
	vmm_aml_field_access(a, VMM_AML_ACCESS_BUFFER, VMM_AML_ATTRIB_WORD);
	vmm_aml_field_unit(a, "SER0", 8);
	vmm_aml_field_connect_begin(a);
	vmm_aml_res_i2c(a, 0, 0x52, 0, 400000, "\\_SB.TERM");
	vmm_aml_field_connect_finish(a);
	vmm_aml_field_access_len(a, VMM_AML_ACCESS_BUFFER, VMM_AML_ATTRIB_BYTES, 4);
	vmm_aml_field_unit(a, "SER1", 8);
	vmm_aml_field_finish(a);
	vmm_aml_data_region(a, "DREG");
	vmm_aml_string(a, "MCFG");
	vmm_aml_string(a, "");
	vmm_aml_string(a, "");
	vmm_aml_power_begin(a, "PWR", 0, 1);
	vmm_aml_method_begin(a, "_STA", 0, 0);
	vmm_aml_return(a);
	vmm_aml_int(a, 1);
	vmm_aml_method_finish(a);
	vmm_aml_method_begin(a, "_ON", 0, 0);
	vmm_aml_method_finish(a);
	vmm_aml_method_begin(a, "_OFF", 0, 0);
	vmm_aml_method_finish(a);
	vmm_aml_power_finish(a);
	vmm_aml_thermal_begin(a, "THRM");
	name_int(a, "_CRT", 3732);
	name_int(a, "_TMP", 3000);
	vmm_aml_thermal_finish(a);
}

typedef int (*term)(struct vmm_aml *);

/* Each operator over constants and Local0. */
static void terms_operators(struct vmm_aml *a)
{
	static const term value_value_target[] = {
		vmm_aml_add,         vmm_aml_subtract, vmm_aml_multiply, vmm_aml_mod,
		vmm_aml_shift_left,  vmm_aml_and,      vmm_aml_nand,     vmm_aml_or,
		vmm_aml_shift_right, vmm_aml_nor,      vmm_aml_xor,
	};
	static const term value_target[] = {
		vmm_aml_not,
		vmm_aml_find_set_left_bit,
		vmm_aml_find_set_right_bit,
		vmm_aml_to_integer,
		vmm_aml_from_bcd,
		vmm_aml_to_bcd,
		vmm_aml_to_decimal_string,
		vmm_aml_to_hex_string,
		vmm_aml_to_buffer,
	};
	static const term value_value[] = {
		vmm_aml_land,        vmm_aml_lor,      vmm_aml_lequal,         vmm_aml_lnot_equal,
		vmm_aml_lless_equal, vmm_aml_lgreater, vmm_aml_lgreater_equal, vmm_aml_lless,
	};

	vmm_aml_method_begin(a, "OPER", 2, VMM_AML_SERIALIZED | VMM_AML_SYNC_LEVEL(5));
	for (size_t i = 0; i < sizeof(value_value_target) / sizeof(term); i++) {
		value_value_target[i](a);
		vmm_aml_arg(a, 0);
		vmm_aml_int(a, 0x10);
		vmm_aml_local(a, 0);
	}
	for (size_t i = 0; i < sizeof(value_target) / sizeof(term); i++) {
		value_target[i](a);
		vmm_aml_arg(a, 0);
		vmm_aml_local(a, 1);
	}
	for (size_t i = 0; i < sizeof(value_value) / sizeof(term); i++) {
		vmm_aml_store(a);
		value_value[i](a);
		vmm_aml_arg(a, 1);
		vmm_aml_lnot(a);
		vmm_aml_local(a, 0);
		vmm_aml_local(a, 2);
	}
	vmm_aml_divide(a);
	vmm_aml_arg(a, 0);
	vmm_aml_int(a, 7);
	vmm_aml_local(a, 3);
	vmm_aml_local(a, 4);
	vmm_aml_increment(a);
	vmm_aml_local(a, 3);
	vmm_aml_decrement(a);
	vmm_aml_local(a, 3);
	vmm_aml_copy(a);
	vmm_aml_local(a, 3);
	vmm_aml_local(a, 4);
	vmm_aml_store(a);
	vmm_aml_timer(a);
	vmm_aml_local(a, 5);
	vmm_aml_return(a);
	vmm_aml_or(a);
	vmm_aml_shift_left(a);
	vmm_aml_local(a, 0);
	vmm_aml_int(a, 2);
	vmm_aml_null(a);
	vmm_aml_local(a, 1);
	vmm_aml_null(a);
	vmm_aml_method_finish(a);
}

static void terms_objects_in_use(struct vmm_aml *a)
{
	vmm_aml_method_begin(a, "OBJS", 1, VMM_AML_SERIALIZED);
	vmm_aml_concat(a);
	vmm_aml_path(a, "BUF0");
	vmm_aml_path(a, "BUF0");
	vmm_aml_local(a, 0);
	vmm_aml_concat_res(a);
	vmm_aml_path(a, "RES0");
	vmm_aml_path(a, "RES1");
	vmm_aml_local(a, 1);
	vmm_aml_mid(a);
	vmm_aml_path(a, "BUF1");
	vmm_aml_int(a, 1);
	vmm_aml_int(a, 4);
	vmm_aml_local(a, 2);
	vmm_aml_to_string(a);
	vmm_aml_path(a, "BUF1");
	vmm_aml_int(a, UINT64_MAX);
	vmm_aml_local(a, 2);
	vmm_aml_store(a);
	vmm_aml_size_of(a);
	vmm_aml_path(a, "BUF1");
	vmm_aml_local(a, 3);
	vmm_aml_store(a);
	vmm_aml_object_type(a);
	vmm_aml_path(a, "BUF1");
	vmm_aml_local(a, 3);
	vmm_aml_store(a);
	vmm_aml_deref_of(a);
	vmm_aml_index(a);
	vmm_aml_path(a, "PKG1");
	vmm_aml_int(a, 0);
	vmm_aml_null(a);
	vmm_aml_local(a, 3);
	vmm_aml_store(a);
	vmm_aml_int(a, 9);
	vmm_aml_index(a);
	vmm_aml_path(a, "BUF1");
	vmm_aml_arg(a, 0);
	vmm_aml_null(a);
	vmm_aml_store(a);
	vmm_aml_ref_of(a);
	vmm_aml_path(a, "PKG1");
	vmm_aml_local(a, 4);
	vmm_aml_store(a);
	vmm_aml_cond_ref_of(a);
	vmm_aml_path(a, "\\_OSI");
	vmm_aml_local(a, 5);
	vmm_aml_local(a, 6);
	vmm_aml_store(a);
	vmm_aml_match(a);
	vmm_aml_path(a, "PKG2");
	vmm_aml_relation(a, VMM_AML_MATCH_GE);
	vmm_aml_int(a, 5);
	vmm_aml_relation(a, VMM_AML_MATCH_LT);
	vmm_aml_local(a, 0);
	vmm_aml_int(a, 1);
	vmm_aml_local(a, 6);
	vmm_aml_store(a);
	vmm_aml_load_table(a);
	vmm_aml_string(a, "OEM1");
	vmm_aml_string(a, "LIBVMM");
	vmm_aml_string(a, "TABLE");
	vmm_aml_string(a, "\\_SB");
	vmm_aml_string(a, "PARM");
	vmm_aml_int(a, 7);
	vmm_aml_local(a, 6);
	vmm_aml_load(a, "REG");
	vmm_aml_local(a, 7);
	vmm_aml_store(a);
	vmm_aml_path(a, "FLD0");
	vmm_aml_debug(a);
	vmm_aml_create_bit_field(a);
	vmm_aml_path(a, "BUF1");
	vmm_aml_int(a, 3);
	vmm_aml_path(a, "BIT3");
	vmm_aml_create_byte_field(a);
	vmm_aml_path(a, "BUF1");
	vmm_aml_int(a, 3);
	vmm_aml_path(a, "BYT3");
	vmm_aml_create_word_field(a);
	vmm_aml_path(a, "BUF1");
	vmm_aml_int(a, 4);
	vmm_aml_path(a, "WRD4");
	vmm_aml_create_dword_field(a);
	vmm_aml_path(a, "BUF1");
	vmm_aml_int(a, 8);
	vmm_aml_path(a, "DWD8");
	vmm_aml_create_qword_field(a);
	vmm_aml_path(a, "BUF1");
	vmm_aml_int(a, 16);
	vmm_aml_path(a, "QWDG");
	vmm_aml_create_field(a);
	vmm_aml_path(a, "BUF1");
	vmm_aml_int(a, 100);
	vmm_aml_int(a, 12);
	vmm_aml_path(a, "FLDX");
	vmm_aml_method_finish(a);
}

static void terms_statements(struct vmm_aml *a)
{
	vmm_aml_method_begin(a, "STMT", 1, VMM_AML_SERIALIZED);
	vmm_aml_if_begin(a);
	vmm_aml_lequal(a);
	vmm_aml_acquire(a, "MTX", 1000);
	vmm_aml_int(a, 0);
	vmm_aml_release(a);
	vmm_aml_path(a, "MTX");
	vmm_aml_if_finish(a);
	vmm_aml_else_begin(a);
	vmm_aml_noop(a);
	vmm_aml_else_finish(a);
	vmm_aml_while_begin(a);
	vmm_aml_lgreater(a);
	vmm_aml_arg(a, 0);
	vmm_aml_int(a, 0);
	vmm_aml_decrement(a);
	vmm_aml_arg(a, 0);
	vmm_aml_if_begin(a);
	vmm_aml_lequal(a);
	vmm_aml_arg(a, 0);
	vmm_aml_int(a, 3);
	vmm_aml_continue(a);
	vmm_aml_if_finish(a);
	vmm_aml_break(a);
	vmm_aml_while_finish(a);
	vmm_aml_notify(a);
	vmm_aml_path(a, "THRM");
	vmm_aml_int(a, 0x80);
	vmm_aml_signal(a);
	vmm_aml_path(a, "EVT");
	vmm_aml_store(a);
	vmm_aml_wait(a);
	vmm_aml_path(a, "EVT");
	vmm_aml_int(a, 10);
	vmm_aml_local(a, 0);
	vmm_aml_reset(a);
	vmm_aml_path(a, "EVT");
	vmm_aml_sleep(a);
	vmm_aml_int(a, 1);
	vmm_aml_stall(a);
	vmm_aml_int(a, 50);
	vmm_aml_breakpoint(a);
	vmm_aml_store(a);
	vmm_aml_call(a, "OPER", 2);
	vmm_aml_int(a, 5);
	vmm_aml_int(a, 6);
	vmm_aml_local(a, 1);
	vmm_aml_call(a, "^OBJS", 1);
	vmm_aml_int(a, 2);
	vmm_aml_if_begin(a);
	vmm_aml_path(a, "LATE");
	vmm_aml_fatal(a, 1, 0x12345678);
	vmm_aml_arg(a, 0);
	vmm_aml_if_finish(a);
	vmm_aml_method_finish(a);
}

void sample_terms(struct vmm_aml *a)
{
	vmm_aml_scope_begin(a, "\\");
	name_int(a, "ROOT", 7);
	vmm_aml_scope_finish(a);
	vmm_aml_scope_begin(a, "\\_SB");
	vmm_aml_device_begin(a, "TERM");
	vmm_aml_name(a, "_HID");
	vmm_aml_string(a, "ACPI0004");
	terms_data(a);
	terms_packages(a);
	terms_resources(a);
	terms_objects(a);
	terms_operators(a);
	terms_objects_in_use(a);
	terms_statements(a);
	vmm_aml_device_finish(a);
	vmm_aml_scope_finish(a);
	vmm_aml_scope_begin(a, "\\_SB.TERM");
	name_int(a, "LATE", 1);
	vmm_aml_scope_finish(a);
	vmm_aml_scope_begin(a, "\\_SB.TERM.PWR");
	name_int(a, "DEEP", 1);
	vmm_aml_scope_finish(a);
}

/* Objects of acpi_objects.h, and methods whose results acpiexec is asked for (check-acpiexec.py).
 */
static void sample_objects(struct vmm_aml *a)
{
	static const struct vmm_acpi_gas msr = {
		.space = VMM_ACPI_SPACE_FIXED, .bits = 64, .access = 0, .address = 0x199};
	static const struct vmm_aml_cstate cstates[] = {
		{.size = sizeof(cstates[0]),
		 .type = 1,
		 .latency = 1,
		 .milliwatts = 1000,
		 .reg = {.space = VMM_ACPI_SPACE_FIXED, .bits = 1, .offset = 2}},
		{.size = sizeof(cstates[0]),
		 .type = 2,
		 .latency = 100,
		 .milliwatts = 500,
		 .reg = {.space = VMM_ACPI_SPACE_IO, .bits = 8, .access = 1, .address = 0x814}},
	};
	struct vmm_aml_pstate pstate = {
		.size = sizeof(pstate), .milliwatts = 10000, .latency = 10, .master_latency = 10};
	struct vmm_aml_cpc_entry cpc[VMM_AML_CPC_ENTRIES] = {
		[VMM_AML_CPC_HIGHEST] = {.value = 255},
		[VMM_AML_CPC_DESIRED] = {.reg = msr},
		[VMM_AML_CPC_NOMINAL_MHZ] = {.value = 2400},
	};

	vmm_aml_scope_begin(a, "\\_SB");
	vmm_aml_device_begin(a, "CPU0");
	vmm_aml_name(a, "_HID");
	vmm_aml_string(a, "ACPI0007");
	name_int(a, "_UID", 0);
	vmm_aml_pct(a, &msr, &msr);
	vmm_aml_name(a, "_PSS");
	vmm_aml_package_begin(a);
	for (pstate.mhz = 3000; pstate.mhz >= 1000; pstate.mhz -= 1000) {
		pstate.control = pstate.status = pstate.mhz / 100;
		vmm_aml_pss_entry(a, &pstate);
	}
	vmm_aml_package_finish(a);
	vmm_aml_cst(a, cstates, 2);
	vmm_aml_cpc(a, cpc);
	vmm_aml_device_finish(a);
	vmm_aml_vmgenid(a, "VGEN", "LVMM0001", 0x123456000);
	vmm_aml_device_begin(a, "PCI0");
	vmm_aml_name(a, "_HID");
	vmm_aml_eisaid(a, "PNP0A08");
	vmm_aml_name(a, "_PRT");
	vmm_aml_package_begin(a);
	for (uint32_t pin = 0; pin < 4; pin++)
		vmm_aml_prt_entry(a, 3, pin, 16 + pin);
	vmm_aml_package_finish(a);
	vmm_aml_device_finish(a);
	vmm_aml_scope_finish(a);
}

/* What a run of these terms must give stands in check-acpiexec.py. */
static void sample_methods(struct vmm_aml *a)
{
	/* FACT: the product of 1 to Arg0. */
	vmm_aml_method_begin(a, "FACT", 1, 0);
	vmm_aml_if_begin(a);
	vmm_aml_lless(a);
	vmm_aml_arg(a, 0);
	vmm_aml_int(a, 2);
	vmm_aml_return(a);
	vmm_aml_int(a, 1);
	vmm_aml_if_finish(a);
	vmm_aml_else_begin(a);
	vmm_aml_return(a);
	vmm_aml_multiply(a);
	vmm_aml_arg(a, 0);
	vmm_aml_call(a, "FACT", 1);
	vmm_aml_subtract(a);
	vmm_aml_arg(a, 0);
	vmm_aml_int(a, 1);
	vmm_aml_null(a);
	vmm_aml_null(a);
	vmm_aml_else_finish(a);
	vmm_aml_method_finish(a);
	/* SUMW: the sum of 1 to Arg0, leaving a While by Break. */
	vmm_aml_method_begin(a, "SUMW", 1, 0);
	vmm_aml_store(a);
	vmm_aml_int(a, 0);
	vmm_aml_local(a, 0);
	vmm_aml_while_begin(a);
	vmm_aml_int(a, 1);
	vmm_aml_if_begin(a);
	vmm_aml_lequal(a);
	vmm_aml_arg(a, 0);
	vmm_aml_int(a, 0);
	vmm_aml_break(a);
	vmm_aml_if_finish(a);
	vmm_aml_add(a);
	vmm_aml_local(a, 0);
	vmm_aml_arg(a, 0);
	vmm_aml_local(a, 0);
	vmm_aml_decrement(a);
	vmm_aml_arg(a, 0);
	vmm_aml_while_finish(a);
	vmm_aml_return(a);
	vmm_aml_local(a, 0);
	vmm_aml_method_finish(a);
	/* OPTS: ((Arg0 << 8 | 0x5a) ^ 0xff) % 1000 + SizeOf ("four") */
	vmm_aml_name(a, "FOUR");
	vmm_aml_string(a, "four");
	vmm_aml_method_begin(a, "OPTS", 1, 0);
	vmm_aml_return(a);
	vmm_aml_add(a);
	vmm_aml_mod(a);
	vmm_aml_xor(a);
	vmm_aml_or(a);
	vmm_aml_shift_left(a);
	vmm_aml_arg(a, 0);
	vmm_aml_int(a, 8);
	vmm_aml_null(a);
	vmm_aml_int(a, 0x5a);
	vmm_aml_null(a);
	vmm_aml_int(a, 0xff);
	vmm_aml_null(a);
	vmm_aml_int(a, 1000);
	vmm_aml_null(a);
	vmm_aml_size_of(a);
	vmm_aml_path(a, "FOUR");
	vmm_aml_null(a);
	vmm_aml_method_finish(a);
	/* BUFF: a dword written into a buffer through a field, one byte of it changed by index. */
	vmm_aml_method_begin(a, "BUFF", 0, VMM_AML_SERIALIZED);
	vmm_aml_name(a, "BUF_");
	vmm_aml_buffer(a, NULL, 8);
	vmm_aml_create_dword_field(a);
	vmm_aml_path(a, "BUF_");
	vmm_aml_int(a, 2);
	vmm_aml_path(a, "DWRD");
	vmm_aml_store(a);
	vmm_aml_int(a, 0x11223344);
	vmm_aml_path(a, "DWRD");
	vmm_aml_store(a);
	vmm_aml_int(a, 0x99);
	vmm_aml_index(a);
	vmm_aml_path(a, "BUF_");
	vmm_aml_int(a, 0);
	vmm_aml_null(a);
	vmm_aml_return(a);
	vmm_aml_path(a, "BUF_");
	vmm_aml_method_finish(a);
}

static void sample_run(struct vmm_aml *a)
{
	sample_objects(a);
	sample_methods(a);
}

/* The least that a machine can have: soft off. */
static void sample_s5(struct vmm_aml *a)
{
	vmm_aml_name(a, "\\_S5");
	vmm_aml_package_begin(a);
	for (int i = 0; i < 4; i++)
		vmm_aml_int(a, i == 0 ? 5 : 0);
	vmm_aml_package_finish(a);
}

/* -- Machines -----------------------------------------------------------------------------------
 */

static void dsdt(struct vmm_acpi *b, void (*terms)(struct vmm_aml *))
{
	struct vmm_aml a;

	vmm_acpi_aml_begin(b, "DSDT", 2, &a);
	terms(&a);
	vmm_acpi_aml_finish(b, &a);
}

static const struct vmm_acpi_gas reset_port = {
	.space = VMM_ACPI_SPACE_IO, .bits = 8, .access = VMM_ACPI_ACCESS_BYTE, .address = 0xcf9};

static void bare(struct vmm_acpi *b, void (*terms)(struct vmm_aml *))
{
	struct vmm_acpi_fadt fadt = {.size = sizeof(fadt), .flags = VMM_ACPI_FADT_HW_REDUCED};

	vmm_acpi_add_fadt(b, &fadt);
	dsdt(b, terms);
}

static void build_run(struct vmm_acpi *b)
{
	bare(b, sample_run);
}

static void build_terms(struct vmm_acpi *b)
{
	bare(b, sample_terms);
}

static void build_reduced(struct vmm_acpi *b)
{
	struct vmm_acpi_fadt fadt = {
		.size = sizeof(fadt),
		.flags = VMM_ACPI_FADT_HW_REDUCED | VMM_ACPI_FADT_RESET_REG,
		.reset = reset_port,
		.reset_value = 6,
		.sleep_control = {.space = VMM_ACPI_SPACE_MEMORY,
				  .bits = 8,
				  .access = VMM_ACPI_ACCESS_BYTE,
				  .address = 0xfed90000},
		.sleep_status = {.space = VMM_ACPI_SPACE_MEMORY,
				 .bits = 8,
				 .access = VMM_ACPI_ACCESS_BYTE,
				 .address = 0xfed90001},
		.hypervisor_id = "libvmm",
	};

	vmm_acpi_add_fadt(b, &fadt);
	vmm_acpi_madt_begin(b, 0xfee00000, 0);
	for (uint32_t i = 0; i < 4; i++)
		vmm_acpi_madt_lapic(b, i, 2 * i, VMM_ACPI_MADT_ENABLED);
	vmm_acpi_madt_x2apic(b, 300, 600, VMM_ACPI_MADT_ENABLED);
	vmm_acpi_madt_ioapic(b, 0, 0xfec00000, 0);
	vmm_acpi_madt_lapic_nmi(b, VMM_ACPI_MADT_ALL_CPUS, 0, 1);
	vmm_acpi_madt_x2apic_nmi(b, VMM_ACPI_MADT_ALL_CPUS, 0, 1);
	vmm_acpi_table_finish(b);
	vmm_acpi_mcfg_begin(b);
	vmm_acpi_mcfg_entry(b, 0xe0000000, 0, 0, 255);
	vmm_acpi_table_finish(b);
	dsdt(b, sample_s5);
}

static struct vmm_acpi_gas port(uint16_t address, uint8_t bits)
{
	return (struct vmm_acpi_gas){.space = VMM_ACPI_SPACE_IO, .bits = bits, .address = address};
}

static void build_full(struct vmm_acpi *b)
{
	struct vmm_acpi_fadt fadt = {
		.size = sizeof(fadt),
		.flags = VMM_ACPI_FADT_WBINVD | VMM_ACPI_FADT_PROC_C1 | VMM_ACPI_FADT_SLP_BUTTON |
			 VMM_ACPI_FADT_TMR_VAL_EXT | VMM_ACPI_FADT_RESET_REG,
		.iapc_boot_arch = VMM_ACPI_IAPC_LEGACY_DEVICES | VMM_ACPI_IAPC_8042,
		.reset = reset_port,
		.reset_value = 6,
		.sci_int = 9,
		.smi_cmd = 0xb2,
		.acpi_enable = 2,
		.acpi_disable = 3,
		.pm1_evt_len = 4,
		.pm1_cnt_len = 2,
		.pm_tmr_len = 4,
		.gpe0_len = 16,
		.p_lvl2_lat = 0xfff,
		.p_lvl3_lat = 0xfff,
		.century = 0x32,
		.pm1a_evt = port(0x600, 32),
		.pm1a_cnt = port(0x604, 16),
		.pm_tmr = port(0x608, 32),
		.gpe0 = port(0x620, 128),
	};

	dsdt(b, sample_s5);
	vmm_acpi_add_facs(b, 0x1234);
	vmm_acpi_add_fadt(b, &fadt);
	vmm_acpi_madt_begin(b, 0xfee00000, VMM_ACPI_MADT_PCAT_COMPAT);
	vmm_acpi_madt_lapic(b, 0, 0, VMM_ACPI_MADT_ENABLED);
	vmm_acpi_madt_ioapic(b, 1, 0xfec00000, 0);
	vmm_acpi_madt_override(b, 0, 2, 0);
	vmm_acpi_madt_override(b, 9, 9, VMM_ACPI_MADT_ACTIVE_HIGH | VMM_ACPI_MADT_LEVEL);
	vmm_acpi_madt_nmi_source(b, 5, VMM_ACPI_MADT_ACTIVE_LOW | VMM_ACPI_MADT_EDGE);
	vmm_acpi_madt_lapic_address(b, 0x1fee00000);
	vmm_acpi_table_finish(b);
}

static void build_arm(struct vmm_acpi *b)
{
	struct vmm_acpi_fadt fadt = {
		.size = sizeof(fadt),
		.flags = VMM_ACPI_FADT_HW_REDUCED,
		.arm_boot_arch = VMM_ACPI_ARM_PSCI | VMM_ACPI_ARM_PSCI_HVC,
	};
	struct vmm_acpi_gicc gicc = {
		.size = sizeof(gicc),
		.flags = VMM_ACPI_GICC_ENABLED,
		.perf_gsi = 23,
		.vgic_gsi = 25,
		.spe_gsi = 21,
		.efficiency_class = 1,
	};

	vmm_acpi_add_fadt(b, &fadt);
	dsdt(b, sample_s5);
	vmm_acpi_madt_begin(b, 0, 0);
	for (uint32_t i = 0; i < 3; i++) {
		gicc.uid = i;
		gicc.mpidr = i << 8;
		vmm_acpi_madt_gicc(b, &gicc);
	}
	vmm_acpi_madt_gicd(b, 0, 0x8000000, 3);
	vmm_acpi_madt_gic_msi(b, 0, 0x8020000, 80, 64);
	vmm_acpi_madt_gicr(b, 0x80a0000, 0xf60000);
	vmm_acpi_madt_its(b, 0, 0x8080000);
	vmm_acpi_table_finish(b);
}

/* -- All other tables ---------------------------------------------------------------------------
 */

static void build_numa(struct vmm_acpi *b)
{
	static const uint8_t distances[] = {10, 21, 21, 10};
	static const uint32_t nodes[] = {0, 1};
	static const uint16_t latency[] = {10, 25, 25, 10};
	const struct vmm_acpi_hmat_locality locality = {
		.size = sizeof(locality),
		.data_type = VMM_ACPI_HMAT_ACCESS_LATENCY,
		.initiators = 2,
		.targets = 2,
		.initiator = nodes,
		.target = nodes,
		.unit = 1000,
		.entry = latency,
	};

	vmm_acpi_srat_begin(b);
	vmm_acpi_srat_lapic(b, 0x12345, 7, VMM_ACPI_SRAT_ENABLED);
	vmm_acpi_srat_memory(b, 0, 0, 0xa0000, VMM_ACPI_SRAT_ENABLED);
	vmm_acpi_srat_memory(b, 1, 1ULL << 32, 1ULL << 33,
			     VMM_ACPI_SRAT_ENABLED | VMM_ACPI_SRAT_HOT_PLUG);
	vmm_acpi_srat_x2apic(b, 1, 300, VMM_ACPI_SRAT_ENABLED);
	vmm_acpi_srat_gicc(b, 0, 3, VMM_ACPI_SRAT_ENABLED);
	vmm_acpi_srat_its(b, 1, 2);
	vmm_acpi_srat_pci_initiator(b, 1, 0, 0x0108, VMM_ACPI_SRAT_ENABLED);
	vmm_acpi_table_finish(b);
	vmm_acpi_add_slit(b, 2, distances);
	vmm_acpi_hmat_begin(b);
	vmm_acpi_hmat_proximity(b, 1, 0, 1);
	vmm_acpi_hmat_add_locality(b, &locality);
	vmm_acpi_hmat_cache(b, 1, 1 << 20, 0x400111);
	vmm_acpi_table_finish(b);
}

static void build_pptt(struct vmm_acpi *b)
{
	struct vmm_acpi_cache cache = {
		.size = sizeof(cache),
		.bytes = 1 << 20,
		.sets = 1024,
		.id = 1,
		.line = 64,
		.ways = 16,
		.attributes = VMM_ACPI_CACHE_READ_WRITE_ALLOCATE | VMM_ACPI_CACHE_UNIFIED,
	};
	uint32_t l1[2], package;

	vmm_acpi_pptt_begin(b);
	vmm_acpi_pptt_cache(b, &cache, &cache.next);
	cache.attributes = VMM_ACPI_CACHE_DATA;
	cache.id = 2;
	vmm_acpi_pptt_cache(b, &cache, &l1[0]);
	cache.attributes = VMM_ACPI_CACHE_INSTRUCTION;
	cache.id = 3;
	vmm_acpi_pptt_cache(b, &cache, &l1[1]);
	vmm_acpi_pptt_processor(b, 0, VMM_ACPI_PPTT_PACKAGE | VMM_ACPI_PPTT_IDENTICAL, 0, NULL, 0,
				&package);
	for (uint32_t i = 0; i < 3; i++)
		vmm_acpi_pptt_processor(b, package, VMM_ACPI_PPTT_UID_VALID | VMM_ACPI_PPTT_LEAF, i,
					l1, 2, NULL);
	vmm_acpi_table_finish(b);
}

static void build_arm_io(struct vmm_acpi *b)
{
	static const uint32_t its[] = {0, 1};
	const struct vmm_acpi_gtdt gtdt = {
		.size = sizeof(gtdt),
		.secure_el1_gsi = 29,
		.el1_gsi = 30,
		.el1_flags = VMM_ACPI_TIMER_ALWAYS_ON,
		.virtual_gsi = 27,
		.virtual_flags = VMM_ACPI_TIMER_LOW,
		.el2_gsi = 26,
		.virtual_el2_gsi = 28,
		.control_base = UINT64_MAX,
		.read_base = UINT64_MAX,
	};
	const struct vmm_acpi_smmu3 smmu = {.size = sizeof(smmu),
					    .flags = 1,
					    .base = 0x9050000,
					    .event_gsi = 106,
					    .sync_gsi = 109};
	struct vmm_acpi_iort_map map = {.count = 0x10000};

	vmm_acpi_gtdt_begin(b, &gtdt);
	vmm_acpi_gtdt_watchdog(b, 0x2a450000, 0x2a440000, 59, VMM_ACPI_TIMER_EDGE);
	vmm_acpi_table_finish(b);
	vmm_acpi_iort_begin(b);
	vmm_acpi_iort_its(b, its, 2, &map.ref);
	vmm_acpi_iort_smmu3(b, &smmu, &map, 1, &map.ref);
	vmm_acpi_iort_root_complex(b, 0, 0x0300000000000001, 1, 48, &map, 1, NULL);
	vmm_acpi_table_finish(b);
}

static void build_iommus(struct vmm_acpi *b)
{
	static const struct vmm_acpi_scope scopes[] = {
		{.type = 3, .id = 2, .bus = 0xf0, .hops = 1, .path = {0x1f, 7}},
		{.type = 2, .bus = 0, .hops = 2, .path = {1, 0, 2, 3}},
	};
	static const struct vmm_acpi_ivhd_entry entries[] = {
		{.type = VMM_ACPI_IVHD_RANGE_START, .device = 8},
		{.type = VMM_ACPI_IVHD_RANGE_END, .device = 0xffff},
		{.type = VMM_ACPI_IVHD_SELECT, .device = 0x1234, .data = 0xd7},
		{.type = VMM_ACPI_IVHD_ALIAS, .device = 0x100, .source = 0x200},
		{.type = VMM_ACPI_IVHD_SPECIAL,
		 .source = 0xa0,
		 .handle = 1,
		 .variety = VMM_ACPI_IVHD_IOAPIC},
	};
	struct vmm_acpi_ivhd ivhd = {
		.size = sizeof(ivhd),
		.type = 0x10,
		.flags = 0xb0,
		.device = 0x10,
		.cap = 0x40,
		.base = 0xfd900000,
		.entries = sizeof(entries) / sizeof(entries[0]),
		.entry = entries,
	};

	vmm_acpi_dmar_begin(b, 48, VMM_ACPI_DMAR_INTR_REMAP);
	vmm_acpi_dmar_drhd(b, 0, 0, 0xfed91000, scopes, 2);
	vmm_acpi_dmar_drhd(b, 1, 0, 0xfed90000, NULL, 0);
	vmm_acpi_dmar_rmrr(b, 0, 0x7f000000, 0x7fffffff, scopes + 1, 1);
	vmm_acpi_dmar_atsr(b, 0, 0, scopes + 1, 1);
	vmm_acpi_dmar_rhsa(b, 0xfed91000, 1);
	vmm_acpi_table_finish(b);
	vmm_acpi_ivrs_begin(b, 0x00203040);
	vmm_acpi_ivrs_ivhd(b, &ivhd);
	ivhd.type = 0x11;
	ivhd.efr = 0x123456789abcdef0;
	vmm_acpi_ivrs_ivhd(b, &ivhd);
	vmm_acpi_ivrs_ivmd(b, 0x22, 0x08, 0x100, 0x1ff, 0x80000000, 0x100000);
	vmm_acpi_table_finish(b);
}

static void build_viot(struct vmm_acpi *b)
{
	uint32_t pci, mmio;

	vmm_acpi_viot_begin(b);
	vmm_acpi_viot_pci_iommu(b, 0, 0x10, &pci);
	vmm_acpi_viot_mmio_iommu(b, 0xd0000000, &mmio);
	vmm_acpi_viot_pci_range(b, 0x18, 0, 0x18, 0xffff, pci);
	vmm_acpi_viot_mmio(b, 0x10000, 0xd0001000, mmio);
	vmm_acpi_table_finish(b);
}

static void build_ras(struct vmm_acpi *b)
{
	const struct vmm_acpi_gas memory = {
		.bits = 64, .access = VMM_ACPI_ACCESS_QWORD, .address = 0x7fff0000};
	const struct vmm_acpi_ghes ghes = {
		.size = sizeof(ghes),
		.id = 1,
		.related = 0xffff,
		.records = 1,
		.sections = 1,
		.raw_len = 1024,
		.status_len = 1024,
		.notify = VMM_ACPI_NOTIFY_GPIO,
		.status = memory,
		.ack = memory,
		.ack_preserve = ~1ULL,
		.ack_write = 1,
	};
	struct vmm_acpi_ras_entry entry = {.size = sizeof(entry),
					   .instruction = 3,
					   .reg = memory,
					   .value = 1,
					   .mask = UINT64_MAX};

	vmm_acpi_hest_begin(b);
	vmm_acpi_hest_ghes(b, &ghes);
	vmm_acpi_table_finish(b);
	vmm_acpi_add_bert(b, 1024, 0x7ffe0000);
	for (int erst = 0; erst < 2; erst++) {
		erst ? vmm_acpi_erst_begin(b) : vmm_acpi_einj_begin(b);
		for (entry.action = 0; entry.action < 3; entry.action++)
			erst ? vmm_acpi_erst_entry(b, &entry) : vmm_acpi_einj_entry(b, &entry);
		vmm_acpi_table_finish(b);
	}
}

static void build_spcr(struct vmm_acpi *b)
{
	const struct vmm_acpi_spcr spcr = {
		.size = sizeof(spcr),
		.type = VMM_ACPI_SERIAL_16550,
		.interrupt_types = 2,
		.gsi = 4,
		.baud = 7,
		.stop_bits = 1,
		.flow = 2,
		.terminal = 3,
		.pci_device = 0xffff,
		.pci_vendor = 0xffff,
		.base = port(0x3f8, 8),
		.clock = 1843200,
		.path = "\\_SB.COM1",
	};

	vmm_acpi_add_spcr(b, &spcr);
}

static void build_nfit(struct vmm_acpi *b)
{
	const struct vmm_acpi_nfit_range range = {
		.size = sizeof(range),
		.index = 1,
		.base = 1ULL << 36,
		.len = 1ULL << 30,
		.attributes = 0x8008,
		.type = {0x79, 0xd3, 0xf0, 0x66, 0xf3, 0xb4, 0x74, 0x40, 0xac, 0x43, 0x0d, 0x33,
			 0x18, 0xb7, 0x8c, 0xdb},
	};
	const struct vmm_acpi_nfit_map map = {.size = sizeof(map),
					      .handle = 1,
					      .smbios = 0x1100,
					      .range = 1,
					      .control = 1,
					      .len = 1ULL << 30,
					      .dimm_base = 0};
	const struct vmm_acpi_nfit_control control = {.size = sizeof(control),
						      .index = 1,
						      .vendor = 0x8086,
						      .device = 1,
						      .format = 0x301};

	vmm_acpi_nfit_begin(b);
	vmm_acpi_nfit_add_range(b, &range);
	vmm_acpi_nfit_add_map(b, &map);
	vmm_acpi_nfit_add_control(b, &control);
	vmm_acpi_table_finish(b);
}

static void build_small(struct vmm_acpi *b)
{
	const struct vmm_acpi_gas uart = port(0x3f8, 8);

	vmm_acpi_add_hpet(b, 0x8086a201, 0xfed00000, 0, 100, 0);
	vmm_acpi_add_waet(b, VMM_ACPI_WAET_PM_TIMER_GOOD);
	vmm_acpi_add_bgrt(b, 1, 0x7fe00000, 100, 200);
	vmm_acpi_add_tpm2(b, 0, 0xfed40040, VMM_ACPI_TPM2_CRB, 0x10000, 0x7fd00000);
	vmm_acpi_dbg2_begin(b);
	vmm_acpi_dbg2_serial(b, VMM_ACPI_SERIAL_16550, &uart, 8, "\\_SB.COM1");
	vmm_acpi_dbg2_serial(b, VMM_ACPI_SERIAL_PL011, &uart, 8, ".");
	vmm_acpi_table_finish(b);
}

/* Those named new- hold what iasl knows since ACPI 6.5 only. */
const struct sample samples[] = {
	{"run", build_run},       {"terms", build_terms},       {"reduced", build_reduced},
	{"full", build_full},     {"new-arm", build_arm},       {"numa", build_numa},
	{"new-pptt", build_pptt}, {"new-arm-io", build_arm_io}, {"iommus", build_iommus},
	{"new-viot", build_viot}, {"ras", build_ras},           {"small", build_small},
	{"new-nfit", build_nfit}, {"new-spcr", build_spcr},
};
const size_t sample_count = sizeof(samples) / sizeof(samples[0]);

int sample_build(const struct sample *s, void *buf, size_t cap, uint64_t gpa, size_t *len)
{
	struct vmm_acpi b;

	vmm_acpi_open(&b, buf, cap, gpa, NULL);
	s->build(&b);
	return vmm_acpi_close(&b, len);
}

/* -- SMBIOS -------------------------------------------------------------------------------------
 */

static void smbios_system(struct vmm_smbios *b)
{
	static const char *const strings[] = {"first string", "second string"};
	const struct vmm_smbios_bios bios = {.size = sizeof(bios),
					     .major = 1,
					     .vendor = "libvmm",
					     .version = "7.8",
					     .date = "01/02/2026"};
	const struct vmm_smbios_system system = {
		.size = sizeof(system),
		.wake_up = 6,
		.manufacturer = "libvmm",
		.product = "Virtual Machine",
		.serial = "S-1",
		.family = "Family",
		.uuid = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb,
			 0xcc, 0xdd, 0xee, 0xff},
	};
	const struct vmm_smbios_chassis chassis = {
		.size = sizeof(chassis), .type = 1, .manufacturer = "libvmm", .sku = "SKU-3"};
	struct vmm_smbios_board board = {.size = sizeof(board),
					 .features = 1,
					 .type = 10,
					 .product = "Board",
					 .location = "Here"};
	const struct vmm_smbios_slot slot = {
		.size = sizeof(slot),
		.type = 0xa5,
		.width = 10,
		.usage = 3,
		.length = 1,
		.id = 4,
		.characteristics2 = 2,
		.bus = 1,
		.devfn = 0x20,
		.designation = "Slot 4",
	};

	vmm_smbios_add_bios(b, &bios, NULL);
	vmm_smbios_add_system(b, &system, NULL);
	vmm_smbios_add_chassis(b, &chassis, &board.chassis);
	vmm_smbios_add_board(b, &board, NULL);
	vmm_smbios_add_slot(b, &slot, NULL);
	vmm_smbios_add_strings(b, strings, 2, NULL);
}

static void smbios_processors(struct vmm_smbios *b)
{
	struct vmm_smbios_cache cache = {.size = sizeof(cache),
					 .kib = 512,
					 .level = 2,
					 .mode = 1,
					 .type = 5,
					 .associativity = 7,
					 .ecc = 3,
					 .socket = "L2"};
	struct vmm_smbios_processor cpu = {
		.size = sizeof(cpu),
		.family = 0x101,
		.type = 3,
		.status = 0x41,
		.upgrade = 1,
		.max_speed = 3000,
		.speed = 2500,
		.cores = 300,
		.cores_enabled = 300,
		.threads = 600,
		.threads_enabled = 600,
		.l1 = VMM_SMBIOS_NO_HANDLE,
		.manufacturer = "maker",
		.version = "Model X",
	};

	vmm_smbios_add_cache(b, &cache, &cpu.l2);
	cache.level = 3;
	cache.kib = 64 << 10;
	vmm_smbios_add_cache(b, &cache, &cpu.l3);
	cpu.socket = "CPU 0";
	vmm_smbios_add_processor(b, &cpu, NULL);
	cpu.socket = "CPU 1";
	vmm_smbios_add_processor(b, &cpu, NULL);
}

static void smbios_memory(struct vmm_smbios *b)
{
	const struct vmm_smbios_memory_array array = {.size = sizeof(array),
						      .location = 3,
						      .use = 3,
						      .ecc = 6,
						      .max = 4ULL << 40,
						      .devices = 2};
	struct vmm_smbios_memory memory = {.size = sizeof(memory),
					   .width = 64,
					   .bytes = 1ULL << 30,
					   .form = 9,
					   .type = 0x1a,
					   .detail = 0x80,
					   .speed = 3200,
					   .ranks = 2,
					   .locator = "DIMM 0",
					   .bank = "Bank 0"};

	vmm_smbios_add_memory_array(b, &array, &memory.array);
	vmm_smbios_add_memory(b, &memory, NULL);
	memory.bytes = 64ULL << 30;
	memory.persistent = 1;
	memory.locator = "DIMM 1";
	vmm_smbios_add_memory(b, &memory, NULL);
	vmm_smbios_add_mapped(b, 0, 1ULL << 30, memory.array, 1, NULL);
	vmm_smbios_add_mapped(b, 1ULL << 42, 64ULL << 30, memory.array, 1, NULL);
	vmm_smbios_add_boot(b, NULL);
}

int sample_smbios(void *buf, size_t cap, uint64_t gpa, size_t *len)
{
	struct vmm_smbios b;

	vmm_smbios_open(&b, buf, cap, gpa);
	smbios_system(&b);
	smbios_processors(&b);
	smbios_memory(&b);
	return vmm_smbios_close(&b, len);
}

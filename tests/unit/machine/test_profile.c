// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libvmm/machine.h"
#include "libvmm/sched.h"

static struct vmm_profile *make(void)
{
	struct vmm_profile *p;

	assert_int_equal(vmm_profile_init(malloc(vmm_profile_size()), vmm_profile_size(), &p), 0);
	return p;
}

static uint64_t number(const struct vmm_profile *p, uint32_t key, uint32_t index)
{
	uint64_t value = UINT64_MAX;

	assert_int_equal(vmm_profile_get_number(p, key, index, &value), 0);
	return value;
}

static const char *string(const struct vmm_profile *p, uint32_t key)
{
	const char *text = NULL;

	assert_int_equal(vmm_profile_get_string(p, key, 0, &text), 0);
	return text;
}

static void parse(struct vmm_profile *p, const char *text)
{
	struct vmm_profile_error e = {.size = sizeof(e)};

	if (vmm_profile_parse(p, text, strlen(text), &e) != 0)
		fail_msg("line %u, column %u: %s", e.line, e.column, e.text);
}

static char *write_out(const struct vmm_profile *p, uint32_t flags)
{
	size_t len = 0;

	assert_int_equal(vmm_profile_write(p, flags, NULL, &len), 0);
	char *text = malloc(len);
	assert_int_equal(vmm_profile_write(p, flags, text, &len), 0);
	assert_int_equal(strlen(text) + 1, len);
	return text;
}

static void storage_is_checked(void **state)
{
	_Alignas(8) char small[64];
	struct vmm_profile *p;

	(void)state;
	assert_int_equal(vmm_profile_init(NULL, 1 << 20, &p), -VMM_EINVAL);
	assert_int_equal(vmm_profile_init(small, sizeof(small), &p), -VMM_ESIZE);
	assert_int_equal(vmm_profile_init(small + 1, 1 << 20, &p), -VMM_EALIGN);
}

static void an_empty_profile_is_a_machine(void **state)
{
	struct vmm_profile *p = make();

	(void)state;
	parse(p, "");
	assert_int_equal(number(p, VMM_PROFILE_MEMORY_SIZE, 0), 512u << 20);
	assert_int_equal(number(p, VMM_PROFILE_CPU_CORES, 0), 1);
	assert_int_equal(number(p, VMM_PROFILE_SERIAL_ENABLE, 0), 1);
	assert_int_equal(number(p, VMM_PROFILE_SERIAL_ENABLE, 1), 0);
	assert_int_equal(number(p, VMM_PROFILE_SERIAL_PORT, 1), 0x2f8);
	assert_string_equal(string(p, VMM_PROFILE_CPU_MODEL), "host");
	assert_string_equal(string(p, VMM_PROFILE_BOOT_CMDLINE), "");
	assert_int_equal(vmm_profile_check(p, NULL), 0);
	free(p);
}

static void every_key_has_limits_that_hold(void **state)
{
	struct vmm_profile *p = make();
	struct vmm_profile_key k = {.size = sizeof(k)};
	uint32_t n = 0, slots = 0;

	(void)state;
	for (; vmm_profile_key_at(n, &k) == 0; n++) {
		const char *text;
		uint64_t value;

		assert_true(strlen(k.help) > 0);
		slots += k.indices;
		if (k.kind == VMM_PROFILE_KIND_STRING) {
			char *long_text = calloc(1, (size_t)k.max + 2);

			memset(long_text, 'x', (size_t)k.max + 1);
			assert_int_equal(vmm_profile_set_string(p, k.key, 0, long_text),
					 -VMM_ERANGE);
			long_text[k.max] = '\0';
			assert_int_equal(vmm_profile_set_string(p, k.key, 0, long_text), 0);
			assert_int_equal(vmm_profile_get_number(p, k.key, 0, &value), -VMM_EINVAL);
			assert_int_equal(vmm_profile_set_number(p, k.key, 0, 1), -VMM_EINVAL);
			assert_int_equal(vmm_profile_set_string(p, k.key, 0, "a\nb"), -VMM_EINVAL);
			assert_string_equal(string(p, k.key), long_text);
			free(long_text);
		} else {
			assert_int_equal(vmm_profile_set_number(p, k.key, k.indices - 1, k.max), 0);
			assert_int_equal(vmm_profile_set_number(p, k.key, 0, k.max + 1),
					 -VMM_ERANGE);
			if (k.min > 0)
				assert_int_equal(vmm_profile_set_number(p, k.key, 0, k.min - 1),
						 -VMM_ERANGE);
			assert_int_equal(vmm_profile_set_number(p, k.key, 0, k.min), 0);
			assert_int_equal(number(p, k.key, 0), k.min);
			assert_int_equal(vmm_profile_set_number(p, k.key, k.indices, k.min),
					 -VMM_ENOENT);
			assert_int_equal(vmm_profile_get_string(p, k.key, 0, &text), -VMM_EINVAL);
		}
	}
	assert_true(n >= 21);
	assert_true(slots <= 512); /* VMM__PROFILE_SLOTS */
	assert_int_equal(vmm_profile_set_number(p, 0xffff, 0, 0), -VMM_ENOENT);
	assert_int_equal(vmm_profile_set_number(p, VMM_PROFILE_MEMORY_SIZE, 0, (1 << 20) + 1),
			 -VMM_EALIGN);
	free(p);
}

static void text_as_people_write_it(void **state)
{
	struct vmm_profile *p = make();

	(void)state;
	parse(p, "# A machine\r\n"
		 "\t[ cpu ]   # how many\n"
		 "model=x86-64-v2\n"
		 "  sockets = 2\n"
		 "cores\t=\t0x10\n"
		 "[memory]\n"
		 "size = 3G   # with a hole\n"
		 "\n"
		 "[boot]\n"
		 "kernel = /boot/vmlinuz with spaces\n"
		 "cmdline = \"console=ttyS0 name=\\\"a b\\\" c=\\\\ # kept\" # dropped\n"
		 "[serial 1]\n"
		 "enable = on\n"
		 "[serial2]\n"
		 "enable=true\n"
		 "port = 0x300\n"
		 "[cpu]\n"
		 "threads = 2");
	assert_string_equal(string(p, VMM_PROFILE_CPU_MODEL), "x86-64-v2");
	assert_int_equal(number(p, VMM_PROFILE_CPU_SOCKETS, 0), 2);
	assert_int_equal(number(p, VMM_PROFILE_CPU_CORES, 0), 16);
	assert_int_equal(number(p, VMM_PROFILE_CPU_THREADS, 0), 2);
	assert_int_equal(number(p, VMM_PROFILE_MEMORY_SIZE, 0), UINT64_C(3) << 30);
	assert_string_equal(string(p, VMM_PROFILE_BOOT_KERNEL), "/boot/vmlinuz with spaces");
	assert_string_equal(string(p, VMM_PROFILE_BOOT_CMDLINE),
			    "console=ttyS0 name=\"a b\" c=\\ # kept");
	assert_int_equal(number(p, VMM_PROFILE_SERIAL_ENABLE, 1), 1);
	assert_int_equal(number(p, VMM_PROFILE_SERIAL_PORT, 2), 0x300);
	free(p);
}

static const struct {
	const char *text;
	uint32_t line;
	uint32_t column;
	const char *says;
} wrong[] = {
	{"[cpu\n", 1, 5, "expected ']'"},
	{"[]\n", 1, 2, "the name of a section is missing"},
	{"[CPU]\n", 1, 2, "the name of a section is missing"},
	{"[cqu]\n", 1, 2, "there is no section 'cqu'"},
	{"[averyveryveryverylongsectionname]", 1, 2,
	 "there is no section 'averyveryveryverylongsec'"},
	{"[cpu 0]\n", 1, 6, "there is one section 'cpu'"},
	{"[serial 4]\n", 1, 9, "sections 'serial' are numbered from 0 to 3"},
	{"[serial 99999999999999999999]\n", 1, 9, "sections 'serial' are numbered from 0 to 3"},
	{"[cpu] x\n", 1, 7, "something is left over"},
	{"cores = 1\n", 1, 1, "'cores' stands before the first [section]"},
	{"[cpu]\n  coers = 1\n", 2, 3, "section 'cpu' has no key 'coers'"},
	{"[cpu]\nsize = 1\n", 2, 1, "section 'cpu' has no key 'size'"},
	{"[cpu]\ncores 1\n", 2, 7, "expected '=' after 'cores'"},
	{"[cpu]\ncores =\n", 2, 8, "the value is missing"},
	{"[cpu]\ncores = # none\n", 2, 9, "the value is missing"},
	{"[cpu]\ncores = 0\n", 2, 9, "'cores' is to be from 1 to 1024"},
	{"[cpu]\ncores = -1\n", 2, 9, "'cores' wants a number"},
	{"[cpu]\ncores = 1K\n", 2, 9, "'cores' wants a number"},
	{"[cpu]\ncores = 0x\n", 2, 9, "'cores' wants a number"},
	{"[cpu]\ncores = 18446744073709551617\n", 2, 9, "'cores' wants a number"},
	{"[cpu]\ncores = 1\n\ncores = 1\n", 4, 1, "'cores' is set already, in line 2"},
	{"[boot]\nkernel = a\nkernel = b", 3, 1, "'kernel' is set already, in line 2"},
	{"[memory]\nsize = 1025K\n", 2, 8, "'size' is to be a whole number of MiB"},
	{"[memory]\nsize = 512MB\n", 2, 8, "'size' wants a number of bytes"},
	{"[memory]\nsize = 16777216T\n", 2, 8, "'size' wants a number of bytes"},
	{"[memory]\nsize = 65T\n", 2, 8, "'size' is to be from 1048576 to 70368744177664"},
	{"[serial]\nport = 0xfff8\n", 2, 8, "'port' is to be from 0x100 to 0xff8"},
	{"[serial]\nenable = maybe\n", 2, 10, "'enable' wants yes or no"},
	{"[boot]\ncmdline = \"a\n", 2, 11, "this quote is not closed"},
	{"[boot]\ncmdline = \"a\\n\"\n", 2, 13, "a backslash in quotes"},
	{"[boot]\ncmdline = \"a\" b\n", 2, 15, "something is left over"},
	{"[boot]\ncmdline = a\x01"
	 "b\n",
	 2, 12, "a control character (0x01)"},
	{"\xef\xbb\xbf[cpu]\n", 1, 1, "expected a key, a [section] or a # comment"},
	{"= 1\n", 1, 1, "expected a key, a [section] or a # comment"},
};

static void mistakes_have_line_and_column(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct vmm_profile *p = make();
		struct vmm_profile_error e = {.size = sizeof(e)};

		assert_int_equal(vmm_profile_parse(p, wrong[i].text, strlen(wrong[i].text), &e),
				 -VMM_EFORMAT);
		assert_int_equal(vmm_profile_parse(p, wrong[i].text, strlen(wrong[i].text), NULL),
				 -VMM_EFORMAT);
		assert_int_equal(e.code, -VMM_EFORMAT);
		if (strstr(e.text, wrong[i].says) != e.text || e.line != wrong[i].line ||
		    e.column != wrong[i].column)
			fail_msg("%zu: %u:%u: %s", i, e.line, e.column, e.text);
		free(p);
	}
}

static void a_value_too_long_is_refused(void **state)
{
	struct vmm_profile *p = make();
	struct vmm_profile_error e = {.size = sizeof(e)};
	char *text = malloc(VMM_PROFILE_TEXT_MAX + 1);

	(void)state;
	memset(text, 'x', VMM_PROFILE_TEXT_MAX + 1);
	memcpy(text, "[boot]\ncmdline = ", 17);
	assert_int_equal(vmm_profile_parse(p, text, VMM_PROFILE_TEXT_MAX + 1, &e), -VMM_EFORMAT);
	assert_int_equal(e.line, 1);
	assert_int_equal(vmm_profile_parse(p, text, VMM_PROFILE_TEXT_MAX, &e), -VMM_EFORMAT);
	assert_int_equal(e.line, 2);
	assert_int_equal(e.column, 11 + 2047);
	assert_int_equal(vmm_profile_parse(p, text, 17 + 2047, &e), 0);
	memcpy(text, "[machine]\nname =", 16);
	assert_int_equal(vmm_profile_parse(p, text, 17 + 64, &e), -VMM_EFORMAT);
	assert_string_equal(e.text, "'name' is longer than 63 bytes");
	free(text);
	free(p);
}

static void written_and_read_again(void **state)
{
	struct vmm_profile *p = make();
	struct vmm_profile *q = make();
	char *text;
	char *again;
	size_t len = 8;
	char cut[8];

	(void)state;
	text = write_out(p, 0);
	assert_string_equal(text, "");
	free(text);
	assert_int_equal(vmm_profile_set_number(p, VMM_PROFILE_MEMORY_SIZE, 0, UINT64_C(5) << 30),
			 0);
	assert_int_equal(vmm_profile_set_number(p, VMM_PROFILE_SERIAL_PORT, 3, 0x240), 0);
	assert_int_equal(
		vmm_profile_set_string(p, VMM_PROFILE_BOOT_CMDLINE, 0, " a\"b\\ # \xc3\xa9"), 0);
	text = write_out(p, 0);
	assert_string_equal(text, "[memory]\nsize = 5G\n\n"
				  "[boot]\ncmdline = \" a\\\"b\\\\ # \xc3\xa9\"\n\n"
				  "[serial 3]\nport = 0x240\n");
	assert_int_equal(vmm_profile_write(p, 0, cut, &len), -VMM_ESIZE);
	assert_string_equal(cut, "[memory");
	assert_int_equal(len, strlen(text) + 1);
	parse(q, text);
	assert_memory_equal(p, q, vmm_profile_size());
	free(text);

	text = write_out(p, VMM_PROFILE_WRITE_ALL);
	assert_non_null(strstr(text, "hotplug = 0\n")); /* not 0T */
	assert_int_equal(vmm_profile_init(q, vmm_profile_size(), &q), 0);
	parse(q, text);
	again = write_out(q, VMM_PROFILE_WRITE_ALL);
	assert_string_equal(text, again);
	assert_memory_equal(p, q, vmm_profile_size());
	free(text);
	free(again);
	free(p);
	free(q);
}

static void one_assignment(void **state)
{
	struct vmm_profile *p = make();
	struct vmm_profile *before = make();
	struct vmm_profile_error e = {.size = sizeof(e)};
	char *text;
	static const char *const bad[] = {
		"cpu.cores",
		"cpu",
		"",
		"cores=1",
		"cpu.cores=4\n[memory]",
		"cpu.cores=0",
		"cpu 1.cores=2",
		"cpu.cores=4 x y",
	};

	(void)state;
	assert_int_equal(vmm_profile_set_text(p, "cpu.cores=4", &e), 0);
	assert_int_equal(number(p, VMM_PROFILE_CPU_CORES, 0), 4);
	assert_int_equal(vmm_profile_set_text(p, " serial 1.enable = yes ", &e), 0);
	assert_int_equal(number(p, VMM_PROFILE_SERIAL_ENABLE, 1), 1);
	assert_int_equal(vmm_profile_set_text(p, "boot.cmdline=quiet console=ttyS0", &e), 0);
	assert_string_equal(string(p, VMM_PROFILE_BOOT_CMDLINE), "quiet console=ttyS0");
	vmm_profile_copy(before, p);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(vmm_profile_set_text(p, bad[i], &e), -VMM_EFORMAT);
		assert_int_equal(e.line, 1);
		assert_memory_equal(p, before, vmm_profile_size());
	}
	/* What stands behind many blanks is not passed over. */
	text = calloc(1, VMM_PROFILE_TEXT_MAX + 20);
	assert_non_null(text);
	memset(text, ' ', VMM_PROFILE_TEXT_MAX + 10);
	memcpy(text, "cpu.cores=2", 11);
	text[VMM_PROFILE_TEXT_MAX + 10] = 'x';
	assert_int_equal(vmm_profile_set_text(p, text, &e), -VMM_EFORMAT);
	assert_memory_equal(p, before, vmm_profile_size());
	free(text);
	free(before);
	free(p);
}

/* What a scheduler is told of a machine's CPUs is as it wants it (sched.h). */
static void weights_of_the_scheduler(void **state)
{
	struct vmm_profile *p = make();
	uint64_t weight = 0;

	(void)state;
	assert_int_equal(vmm_profile_get_number(p, VMM_PROFILE_CPU_WEIGHT, 0, &weight), 0);
	assert_int_equal(weight, VMM_SCHED_WEIGHT_DEFAULT);
	assert_int_equal(vmm_profile_set_number(p, VMM_PROFILE_CPU_WEIGHT, 0, VMM_SCHED_WEIGHT_MAX),
			 0);
	assert_int_equal(
		vmm_profile_set_number(p, VMM_PROFILE_CPU_WEIGHT, 0, VMM_SCHED_WEIGHT_MAX + 1),
		-VMM_ERANGE);
	assert_int_equal(vmm_profile_set_number(p, VMM_PROFILE_CPU_WEIGHT, 0, 0), -VMM_ERANGE);
	free(p);
}

static void values_that_do_not_go_together(void **state)
{
	struct vmm_profile *p = make();
	struct vmm_profile_error e = {.size = sizeof(e)};

	(void)state;
	parse(p, "[cpu]\nsockets=1024\ncores=2");
	assert_int_equal(vmm_profile_check(p, &e), -VMM_ERANGE);
	assert_non_null(strstr(e.text, "2048"));
	parse(p, "[cpu]\nsockets=1");
	assert_int_equal(vmm_profile_check(p, &e), 0);

	parse(p, "[serial 1]\nenable=yes\nport=0x3f1");
	assert_int_equal(vmm_profile_check(p, &e), -VMM_EEXIST);
	assert_string_equal(e.text, "'serial 1' and 'serial 0' both want port 0x3f8");
	parse(p, "[serial 1]\nport=0x3f0\nirq=9");
	assert_int_equal(vmm_profile_check(p, &e), -VMM_EEXIST);
	assert_string_equal(e.text, "'serial 1' and 'power' both want interrupt 9");
	parse(p, "[power]\nbutton=no");
	assert_int_equal(vmm_profile_check(p, &e), 0);
	assert_int_equal(e.line, 0);

	parse(p, "[cpu]\nshared=yes");
	assert_int_equal(vmm_profile_check(p, &e), 0);
	parse(p, "[cpu]\ndedicated=yes");
	assert_int_equal(vmm_profile_check(p, &e), -VMM_ERANGE);
	assert_string_equal(e.text, "cpu.dedicated and cpu.shared exclude each other");
	free(p);
}

static const struct vmm_machine_range *find(const struct vmm_machine_range *r, uint32_t count,
					    uint64_t base)
{
	for (uint32_t i = 0; i < count; i++) {
		if (r[i].base == base)
			return &r[i];
	}
	return NULL;
}

static void memory_map_with_a_hole(void **state)
{
	static const uint64_t sizes[] = {1, 2, 512, 3072, 3073, 5120};
	struct vmm_profile *p = make();
	struct vmm_machine_range r[VMM_MACHINE_RANGES_MAX];

	(void)state;
	parse(p, "[pci]\nbuses=256\n[fw-cfg]\nenable=1\n[debug-exit]\nenable=1");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t count = VMM_MACHINE_RANGES_MAX;
		uint64_t ram = 0;

		assert_int_equal(
			vmm_profile_set_number(p, VMM_PROFILE_MEMORY_SIZE, 0, sizes[i] << 20), 0);
		assert_int_equal(vmm_machine_plan_ranges(p, r, &count), 0);
		for (uint32_t j = 0; j < count; j++) {
			if (j > 0 && r[j - 1].space == r[j].space)
				assert_true(r[j - 1].base + r[j - 1].len <= r[j].base);
			if (r[j].kind == VMM_RANGE_RAM)
				ram += r[j].len;
		}
		/* From 0xa0000 to 0xfffff there is none that counts. */
		assert_int_equal(ram, (sizes[i] << 20) - 0x60000);
		if (sizes[i] > 3072)
			assert_int_equal(find(r, count, UINT64_C(1) << 32)->len, (sizes[i] - 3072)
											 << 20);
		assert_int_equal(find(r, count, 0xe0000000)->len, 0x10000000);
		assert_int_equal(find(r, count, 0x3f8)->irq, 4);
		assert_string_equal(find(r, count, 0xf4)->name, "debug-exit");
		assert_string_equal(find(r, count, 0x510)->name, "fw-cfg");
		count--;
		assert_int_equal(vmm_machine_plan_ranges(p, r, &count), -VMM_ESIZE);
	}
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(storage_is_checked),
		cmocka_unit_test(an_empty_profile_is_a_machine),
		cmocka_unit_test(every_key_has_limits_that_hold),
		cmocka_unit_test(text_as_people_write_it),
		cmocka_unit_test(mistakes_have_line_and_column),
		cmocka_unit_test(a_value_too_long_is_refused),
		cmocka_unit_test(written_and_read_again),
		cmocka_unit_test(one_assignment),
		cmocka_unit_test(values_that_do_not_go_together),
		cmocka_unit_test(weights_of_the_scheduler),
		cmocka_unit_test(memory_map_with_a_hole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

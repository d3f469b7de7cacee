// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The runtime code itself, called in this process: its region is mapped at its "physical" address,
 * OUT makes a signal that hands the value to the device, and SetVirtualAddressMap() moves it to a
 * second mapping of the same memory, after which the first one is taken away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#if defined(__x86_64__)
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "fake_host.h"
#include "libvmm/exit.h"
#include "libvmm/uefi.h"
#include "uefi_runtime.h"

#define PHYSICAL UINT64_C(0x20000000)
#define VIRTUAL  UINT64_C(0x200000000000) /* free under address sanitizers too */
#define PORT     0x608
#define LEN      0x30000u
#define ATTRS    7u

typedef uint64_t status;
#define EFIAPI __attribute__((ms_abi))

struct services {
	uint8_t header[24];
	status(EFIAPI *get_time)(struct efi_time *, struct efi_time_capabilities *);
	status(EFIAPI *set_time)(const struct efi_time *);
	status(EFIAPI *get_wakeup)(uint8_t *, uint8_t *, struct efi_time *);
	status(EFIAPI *set_wakeup)(uint8_t, const struct efi_time *);
	status(EFIAPI *set_virtual)(uint64_t, uint64_t, uint32_t, void *);
	status(EFIAPI *convert_pointer)(uint64_t, void **);
	status(EFIAPI *get_variable)(const uint16_t *, const uint8_t *, uint32_t *, uint64_t *,
				     void *);
	status(EFIAPI *get_next_name)(uint64_t *, uint16_t *, uint8_t *);
	status(EFIAPI *set_variable)(const uint16_t *, const uint8_t *, uint32_t, uint64_t,
				     const void *);
	status(EFIAPI *next_count)(uint32_t *);
	status(EFIAPI *reset)(uint32_t, status, uint64_t, void *);
	status(EFIAPI *update_capsule)(void **, uint64_t, uint64_t);
	status(EFIAPI *query_capsule)(void **, uint64_t, uint64_t *, uint32_t *);
	status(EFIAPI *query_variable)(uint32_t, uint64_t *, uint64_t *, uint64_t *);
};
_Static_assert(sizeof(struct services) == sizeof(struct efi_runtime_table), "4.5.1");

static struct fake_host fake;
static struct vmm_uefi *uefi;
static struct uefi_mailbox *mailbox; /* as the device sees it */
static uint8_t *memory;              /* a third mapping, for the device and for looking */
static int file;

/* What is done when the doorbell rings, before and after the device is told. */
static void (*before)(void);
static void (*after)(void);
static uint32_t rings, events, last_event;
static sigjmp_buf out_of_reset;

/* The device may touch the mailbox and nothing else. */
static uint8_t *mailbox_at(uint64_t gpa, size_t len)
{
	const uint64_t base = PHYSICAL + UEFI_MAILBOX_OFFSET;

	assert_true(gpa >= base && gpa + len <= base + sizeof(struct uefi_mailbox));
	return memory + (gpa - PHYSICAL);
}

static int guest_read(void *opaque, uint64_t gpa, void *buf, size_t len)
{
	(void)opaque;
	memcpy(buf, mailbox_at(gpa, len), len);
	return 0;
}

static int guest_write(void *opaque, uint64_t gpa, const void *buf, size_t len)
{
	(void)opaque;
	memcpy(mailbox_at(gpa, len), buf, len);
	return 0;
}

static void event(void *opaque, uint32_t what)
{
	(void)opaque;
	events++;
	last_event = what;
	siglongjmp(out_of_reset, 1);
}

/* OUT DX, EAX is one byte; in a process it is a general protection fault. */
static void on_fault(int number, siginfo_t *info, void *context)
{
	ucontext_t *c = context;
	greg_t *r = c->uc_mcontext.gregs;
	const uint8_t *code = (const uint8_t *)r[REG_RIP];

	(void)info;
	if (code[0] != 0xef || (r[REG_RDX] & 0xffff) != PORT) {
		signal(number, SIG_DFL);
		return;
	}
	rings++;
	if (before != NULL)
		before();
	vmm_uefi_ops()->write(uefi, NULL, 0, 4, (uint32_t)r[REG_RAX]);
	if (after != NULL)
		after();
	r[REG_RIP] += 1;
}

static void map_at(uint64_t address, int prot)
{
	void *wanted = (void *)address;

	assert_ptr_equal(mmap(wanted, LEN, prot, MAP_SHARED | MAP_FIXED_NOREPLACE, file, 0),
			 wanted);
}

static struct efi_system_table *system_table;

/* cmocka has a handler of its own at the start of each test. */
static struct services *services(void)
{
	static const struct sigaction action = {.sa_sigaction = on_fault,
						.sa_flags = SA_SIGINFO | SA_NODEFER};

	sigaction(SIGSEGV, &action, NULL);
	return (struct services *)system_table->runtime;
}

static uint64_t wall_ns(void *opaque)
{
	(void)opaque;
	return UINT64_C(1800000000) * 1000000000;
}

static int setup(void **state)
{
	struct vmm_uefi_image image = {.size = sizeof(image)};
	struct vmm_uefi_image_config built = {.size = sizeof(built),
					      .arch = VMM_UEFI_X86_64,
					      .gpa = PHYSICAL,
					      .doorbell = PORT,
					      .rsdp = 0xe0000};
	struct vmm_uefi_config config = {
		.size = sizeof(config), .read = guest_read, .write = guest_write, .event = event};

	(void)state;
	before = after = NULL;
	rings = events = 0;
	file = memfd_create("guest", 0);
	assert_int_equal(ftruncate(file, LEN), 0);
	memory = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	map_at(PHYSICAL, PROT_READ | PROT_WRITE | PROT_EXEC);
	mailbox = (struct uefi_mailbox *)(void *)(memory + UEFI_MAILBOX_OFFSET);
	assert_int_equal(vmm_uefi_image_build(&built, memory, LEN, &image), 0);
	assert_int_equal(image.len, LEN);
	config.mailbox = image.mailbox;
	system_table = (struct efi_system_table *)image.system;
	fake_host_init(&fake);
	fake.host.wall_ns = wall_ns;
	assert_int_equal(vmm_uefi_create(&fake.host, &config, &uefi), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vmm_uefi_destroy(uefi);
	munmap((void *)PHYSICAL, LEN);
	munmap((void *)VIRTUAL, LEN);
	munmap(memory, LEN);
	close(file);
	return 0;
}

static const uint8_t guid[16] = {9, 9, 9};
static const uint16_t name[] = {'n', 'a', 'm', 'e', 0};

/* --- Services --- */

static void check_variables(void)
{
	struct services *s = services();
	uint64_t size = 100, storage, left, largest;
	uint32_t attributes = 0;
	uint8_t data[101];

	assert_int_equal(s->set_variable(name, guid, ATTRS, 5, "hello"), EFI_SUCCESS);
	memset(data, 0xee, sizeof(data));
	assert_int_equal(s->get_variable(name, guid, &attributes, &size, data), EFI_SUCCESS);
	assert_int_equal(size, 5);
	assert_int_equal(attributes, ATTRS);
	assert_memory_equal(data, "hello\xee", 6);
	size = 4;
	memset(data, 0xee, sizeof(data));
	assert_int_equal(s->get_variable(name, guid, NULL, &size, data), EFI_BUFFER_TOO_SMALL);
	assert_int_equal(size, 5);
	assert_int_equal(data[0], 0xee);
	size = 0;
	assert_int_equal(s->get_variable(name, guid, NULL, &size, NULL), EFI_BUFFER_TOO_SMALL);
	assert_int_equal(s->set_variable(name, guid, ATTRS | EFI_VARIABLE_APPEND, 1, "!"),
			 EFI_SUCCESS);
	size = 100;
	assert_int_equal(s->get_variable(name, guid, NULL, &size, data), EFI_SUCCESS);
	assert_int_equal(size, 6);
	assert_int_equal(s->query_variable(ATTRS, &storage, &left, &largest), EFI_SUCCESS);
	assert_true(left < storage && largest == UEFI_DATA_MAX);
	assert_int_equal(s->set_variable(name, guid, ATTRS, 0, NULL), EFI_SUCCESS);
	assert_int_equal(s->get_variable(name, guid, NULL, &size, data), EFI_NOT_FOUND);
	assert_int_equal(s->set_variable(name, guid, ATTRS, 0, NULL), EFI_NOT_FOUND);
}

static void check_names(void)
{
	struct services *s = services();
	uint16_t text[64] = {0};
	uint8_t owner[16];
	uint64_t size = sizeof(text);
	status st;
	uint32_t count = 0;

	assert_int_equal(s->set_variable(name, guid, ATTRS, 5, "hello"), EFI_SUCCESS);
	size = 8;
	text[0] = 0;
	assert_int_equal(s->get_next_name(&size, text, owner), EFI_BUFFER_TOO_SMALL);
	assert_int_equal(size, sizeof(name));
	for (;; count++) {
		size = sizeof(text);
		st = s->get_next_name(&size, text, owner);
		if (st != EFI_SUCCESS)
			break;
		if (count == 0) {
			assert_int_equal(size, sizeof(name));
			assert_memory_equal(text, name, sizeof(name));
			assert_memory_equal(owner, guid, 16);
		}
	}
	assert_int_equal(st, EFI_NOT_FOUND);
	assert_int_equal(count, 4); /* ours, and three that are there from the start */
	text[0] = 'x';
	text[1] = 0;
	assert_int_equal(s->get_next_name(&size, text, owner), EFI_INVALID_PARAMETER);
	size = 2; /* no NUL in it */
	assert_int_equal(s->get_next_name(&size, text, owner), EFI_INVALID_PARAMETER);
}

static void check_time(void)
{
	struct services *s = services();
	struct efi_time t, u;
	struct efi_time_capabilities c = {0};

	assert_int_equal(s->get_time(&t, &c), EFI_SUCCESS);
	assert_true(t.year >= 2024 && t.month >= 1 && c.resolution == 1);
	t.year = 2031;
	t.day = 28;
	t.hour = 3;
	t.timezone = -60;
	assert_int_equal(s->set_time(&t), EFI_SUCCESS);
	assert_int_equal(s->get_time(&u, NULL), EFI_SUCCESS);
	assert_int_equal(u.year, 2031);
	assert_int_equal(u.timezone, -60);
	t.month = 13;
	assert_int_equal(s->set_time(&t), EFI_INVALID_PARAMETER);
	assert_int_equal(s->set_wakeup(1, &t), EFI_UNSUPPORTED);
	assert_int_equal(s->get_wakeup(NULL, NULL, NULL), EFI_UNSUPPORTED);
}

static void check_rest(void)
{
	struct services *s = services();
	uint32_t a = 0, b = 0;
	void *pointer = s;

	assert_int_equal(s->next_count(&a), EFI_SUCCESS);
	assert_int_equal(s->next_count(&b), EFI_SUCCESS);
	assert_int_equal(b, a + 1);
	assert_int_equal(s->update_capsule(NULL, 0, 0), EFI_UNSUPPORTED);
	assert_int_equal(s->query_capsule(NULL, 0, NULL, NULL), EFI_UNSUPPORTED);
	assert_int_equal(s->convert_pointer(0, &pointer), EFI_UNSUPPORTED);
	assert_int_equal(s->convert_pointer(0, NULL), EFI_INVALID_PARAMETER);
}

static void check_reset(uint32_t type, uint32_t what)
{
	events = 0;
	if (sigsetjmp(out_of_reset, 1) == 0)
		services()->reset(type, 0, 0, NULL);
	assert_int_equal(events, 1);
	assert_int_equal(last_event, what);
}

static void check_all(void)
{
	check_variables();
	check_names();
	check_time();
	check_rest();
	check_reset(EFI_RESET_COLD, VMM_SYSTEM_RESET);
	check_reset(EFI_RESET_WARM, VMM_SYSTEM_RESET);
	check_reset(EFI_RESET_SHUTDOWN, VMM_SYSTEM_OFF);
	check_reset(EFI_RESET_PLATFORM, VMM_SYSTEM_RESET);
	check_reset(1234, VMM_SYSTEM_RESET);
}

static void physical(void **state)
{
	(void)state;
	check_all();
}

/* --- Virtual addresses --- */

/* By the definition, a bit at a time. */
static uint32_t crc32_of(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < 8 * len; i++) {
		crc ^= (uint32_t)(p[i / 8] >> (i % 8) & 1);
		crc = crc >> 1 ^ (UINT32_C(0xedb88320) & -(crc & 1));
	}
	return ~crc;
}

static bool is_sealed(const void *table, size_t len)
{
	uint8_t copy[256];
	struct efi_header header;

	memcpy(copy, table, len);
	memcpy(&header, table, sizeof(header));
	memset(copy + offsetof(struct efi_header, crc32), 0, 4);
	return header.header_size == len && header.crc32 == crc32_of(copy, len);
}

static void check_tables(void)
{
	assert_true(is_sealed(system_table, sizeof(*system_table)));
	assert_true(is_sealed(services(), sizeof(struct services)));
	assert_memory_equal((const void *)system_table->vendor, u"libvmm", 14);
	const struct efi_config_table *t = (const void *)system_table->tables;
	assert_int_equal(t[0].table, 0xe0000); /* stays physical */
}

struct descriptors {
	uint8_t bytes[3][56];
};

static void put_descriptor(struct descriptors *d, int i, uint64_t base, uint64_t to, uint64_t pages,
			   uint64_t attributes)
{
	const struct efi_memory m = {5, 0, base, to, pages, attributes};

	memset(d->bytes[i], 0xee, sizeof(d->bytes[i]));
	memcpy(d->bytes[i], &m, sizeof(m));
}

static void move_to_virtual(void)
{
	struct descriptors d;

	map_at(VIRTUAL, PROT_READ | PROT_WRITE | PROT_EXEC);
	put_descriptor(&d, 0, 0, 0, 16, 0xf);
	/* One that begins before the region, as where neighbours were merged. */
	put_descriptor(&d, 1, PHYSICAL - 0x3000, VIRTUAL - 0x3000, 3 + LEN / 4096,
		       EFI_MEMORY_RUNTIME | 0xf);
	put_descriptor(&d, 2, PHYSICAL, 0x1000, 1, 0xf);
	assert_int_equal(services()->set_virtual(sizeof(d), sizeof(d.bytes[0]), 1, &d),
			 EFI_SUCCESS);
	/* The tables' pointers have moved; the old mapping is not needed any more. */
	assert_int_equal(system_table->runtime,
			 VIRTUAL + UEFI_DATA_OFFSET + offsetof(struct uefi_runtime_data, runtime));
	system_table = (struct efi_system_table *)(VIRTUAL + UEFI_DATA_OFFSET);
	assert_int_equal(munmap((void *)PHYSICAL, LEN), 0);
}

static void virtual(void **state)
{
	struct descriptors d = {{{0}}};

	(void)state;
	check_tables();
	check_all();
	move_to_virtual();
	check_tables();
	assert_true((uint64_t)services()->get_time >= VIRTUAL);
	check_all();
	/* Once is enough. */
	assert_int_equal(services()->set_virtual(sizeof(d), sizeof(d.bytes[0]), 1, &d),
			 EFI_UNSUPPORTED);
	check_tables();
}

static void maps_refused(void **state)
{
	struct services *s = services();
	struct descriptors d;

	(void)state;
	put_descriptor(&d, 0, PHYSICAL, VIRTUAL, UEFI_RUNTIME_LEN / 4096 - 1, EFI_MEMORY_RUNTIME);
	put_descriptor(&d, 1, PHYSICAL + 0x1000, VIRTUAL, 64, EFI_MEMORY_RUNTIME);
	put_descriptor(&d, 2, PHYSICAL, VIRTUAL, 64, 0xf);
	assert_int_equal(s->set_virtual(sizeof(d), 56, 1, &d), EFI_NO_MAPPING);
	assert_int_equal(s->set_virtual(0, 56, 1, &d), EFI_NO_MAPPING);
	assert_int_equal(s->set_virtual(sizeof(d), 39, 1, &d), EFI_INVALID_PARAMETER);
	assert_int_equal(s->set_virtual(sizeof(d), 0, 1, &d), EFI_INVALID_PARAMETER);
	assert_int_equal(s->set_virtual(sizeof(d), 56, 2, &d), EFI_INVALID_PARAMETER);
	assert_int_equal(s->set_virtual(sizeof(d), 56, 1, NULL), EFI_INVALID_PARAMETER);
	check_tables();
	check_all();
}

static void arguments(void **state)
{
	struct services *s = services();
	static uint16_t long_name[600];
	static uint8_t data[UEFI_DATA_MAX + 1];
	uint64_t size = 1;

	(void)state;
	for (int i = 0; i < 599; i++)
		long_name[i] = 'a';
	assert_int_equal(s->get_variable(NULL, guid, NULL, &size, data), EFI_INVALID_PARAMETER);
	assert_int_equal(s->get_variable(name, NULL, NULL, &size, data), EFI_INVALID_PARAMETER);
	assert_int_equal(s->get_variable(name, guid, NULL, NULL, data), EFI_INVALID_PARAMETER);
	assert_int_equal(s->get_variable(name, guid, NULL, &size, NULL), EFI_INVALID_PARAMETER);
	assert_int_equal(s->get_variable(long_name, guid, NULL, &size, data), EFI_NOT_FOUND);
	assert_int_equal(s->get_variable(u"", guid, NULL, &size, data), EFI_INVALID_PARAMETER);
	assert_int_equal(s->set_variable(NULL, guid, ATTRS, 1, data), EFI_INVALID_PARAMETER);
	assert_int_equal(s->set_variable(u"", guid, ATTRS, 1, data), EFI_INVALID_PARAMETER);
	assert_int_equal(s->set_variable(name, NULL, ATTRS, 1, data), EFI_INVALID_PARAMETER);
	assert_int_equal(s->set_variable(name, guid, ATTRS, 1, NULL), EFI_INVALID_PARAMETER);
	assert_int_equal(s->set_variable(long_name, guid, ATTRS, 1, data), EFI_INVALID_PARAMETER);
	assert_int_equal(s->set_variable(name, guid, ATTRS, sizeof(data), data),
			 EFI_INVALID_PARAMETER);
	assert_int_equal(s->set_variable(name, guid, ATTRS, sizeof(data) - 1, data), EFI_SUCCESS);
	assert_int_equal(s->get_next_name(NULL, long_name, data), EFI_INVALID_PARAMETER);
	assert_int_equal(s->get_time(NULL, NULL), EFI_INVALID_PARAMETER);
	assert_int_equal(s->set_time(NULL), EFI_INVALID_PARAMETER);
	assert_int_equal(s->next_count(NULL), EFI_INVALID_PARAMETER);
	assert_int_equal(s->query_variable(ATTRS, NULL, &size, &size), EFI_INVALID_PARAMETER);
	assert_int_equal(s->query_variable(3, &size, &size, &size), EFI_INVALID_PARAMETER);
}

/* --- Calls within calls --- */

static uint32_t nested_ready;

static void nested(void)
{
	struct services *s = services();
	uint64_t size = 0;
	uint32_t count;
	uint16_t text[8] = {0};
	uint8_t owner[16];
	struct efi_time t;

	before = NULL;
	nested_ready = 0;
	nested_ready += s->get_variable(name, guid, NULL, &size, NULL) != EFI_NOT_READY;
	nested_ready += s->set_variable(name, guid, ATTRS, 1, "x") != EFI_NOT_READY;
	size = sizeof(text);
	nested_ready += s->get_next_name(&size, text, owner) != EFI_NOT_READY;
	nested_ready += s->query_variable(ATTRS, &size, &size, &size) != EFI_NOT_READY;
	nested_ready += s->get_time(&t, NULL) != EFI_NOT_READY;
	nested_ready += s->set_time(&t) != EFI_NOT_READY;
	nested_ready += s->next_count(&count) != EFI_NOT_READY;
	nested_ready += s->set_virtual(56, 56, 1, text) != EFI_NOT_READY;
}

static void reset_within(void)
{
	before = NULL;
	services()->reset(EFI_RESET_SHUTDOWN, 0, 0, NULL);
}

static void calls_within_calls(void **state)
{
	uint64_t size = 5;
	char data[5];

	(void)state;
	before = nested;
	assert_int_equal(services()->set_variable(name, guid, ATTRS, 5, "first"), EFI_SUCCESS);
	assert_int_equal(nested_ready, 0);
	assert_int_equal(services()->get_variable(name, guid, NULL, &size, data), EFI_SUCCESS);
	assert_memory_equal(data, "first", 5);
	/* A kernel that panics in a service switches off all the same. */
	before = reset_within;
	events = 0;
	if (sigsetjmp(out_of_reset, 1) == 0)
		services()->set_variable(name, guid, ATTRS, 5, "never");
	assert_int_equal(events, 1);
	assert_int_equal(last_event, VMM_SYSTEM_OFF);
	/* That call never came back: nothing but a reset goes from here on. */
	assert_int_equal(services()->get_variable(name, guid, NULL, &size, data), EFI_NOT_READY);
	check_reset(EFI_RESET_COLD, VMM_SYSTEM_RESET);
}

/* --- Mailboxes that something else writes to --- */

static uint32_t seed;

static uint32_t next_random(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static void scramble(void)
{
	static const uint32_t interesting[] = {
		0, 1, 2, 3, 7, 0x400, 0x402, 0x8000, 0x8001, 0x7fffffff, 0x80000000, 0xffffffff};
	uint32_t *words = (uint32_t *)(void *)mailbox;

	for (int i = 0; i < 3; i++) {
		uint32_t value = interesting[next_random() % 12];

		words[next_random() % (i == 2 ? 300 : 16)] =
			next_random() % 4 == 0 ? next_random() : value;
	}
}

/* The caller's buffers are never written beyond their ends, whatever the mailbox says. */
static void hostile_mailbox(void **state)
{
	struct {
		uint8_t data[64];
		uint16_t text[16];
		uint8_t sentinel[64];
	} b;

	(void)state;
	seed = 1;
	for (int i = 0; i < 4000; i++) {
		struct services *s = services();
		uint64_t size = 64, text_size = sizeof(b.text);
		uint8_t owner[17];
		struct efi_time t;

		before = i % 2 == 0 ? scramble : NULL;
		after = i % 3 == 0 ? scramble : NULL;
		memset(&b, 0xee, sizeof(b));
		b.text[0] = 0;
		owner[16] = 0xee;
		s->set_variable(name, guid, ATTRS, 32, b.sentinel);
		s->get_variable(name, guid, NULL, &size, b.data);
		assert_int_equal(b.text[1], 0xeeee);
		s->get_next_name(&text_size, b.text, owner);
		s->get_time(&t, NULL);
		for (int j = 0; j < 64; j++)
			assert_int_equal(b.sentinel[j], 0xee);
		assert_int_equal(owner[16], 0xee);
	}
	before = after = NULL;
	/* The scrambled calls may have filled the store; what is there can still be deleted. */
	services()->set_variable(name, guid, ATTRS, 0, NULL);
	check_time();
	check_rest();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(physical, setup, teardown),
		cmocka_unit_test_setup_teardown(virtual, setup, teardown),
		cmocka_unit_test_setup_teardown(maps_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(arguments, setup, teardown),
		cmocka_unit_test_setup_teardown(calls_within_calls, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_mailbox, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void)
{
	return 77; /* only x86 code can be run here */
}
#endif

// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dev_host.h"

#define RAM 0x40000

struct fixture {
	struct dev_host h;
	struct vmm_fw_cfg *fw_cfg;
	uint8_t ram[RAM];
};

static int ram_read(void *opaque, uint64_t gpa, void *buf, size_t len)
{
	struct fixture *f = opaque;

	if (gpa > RAM || len > RAM - gpa)
		return -VMM_EFAULT;
	memcpy(buf, f->ram + gpa, len);
	return 0;
}

static int ram_write(void *opaque, uint64_t gpa, const void *buf, size_t len)
{
	struct fixture *f = opaque;

	if (gpa > RAM || len > RAM - gpa)
		return -VMM_EFAULT;
	memcpy(f->ram + gpa, buf, len);
	return 0;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct vmm_fw_cfg_config config = {
		.size = sizeof(config), .opaque = f, .read = ram_read, .write = ram_write};

	dev_host_init(&f->h);
	*state = f;
	return vmm_fw_cfg_create(&f->h.host, &config, &f->fw_cfg);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int left;

	vmm_fw_cfg_destroy(f->fw_cfg);
	left = f->h.allocs;
	free(f);
	return left;
}

static void select_key(struct fixture *f, uint32_t key)
{
	dev_out(vmm_fw_cfg_ops(), f->fw_cfg, 0, 2, key);
}

static uint8_t next(struct fixture *f)
{
	return (uint8_t)dev_in(vmm_fw_cfg_ops(), f->fw_cfg, 1, 1);
}

static uint32_t next_be32(struct fixture *f)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++)
		v = v << 8 | next(f);
	return v;
}

static void put_be32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* A request at 0x100 of the guest; the control field afterwards. */
static uint32_t dma(struct fixture *f, uint32_t control, uint32_t len, uint64_t gpa)
{
	uint8_t *r = f->ram + 0x100;

	put_be32(r, control);
	put_be32(r + 4, len);
	put_be32(r + 8, (uint32_t)(gpa >> 32));
	put_be32(r + 12, (uint32_t)gpa);
	dev_out(vmm_fw_cfg_ops(), f->fw_cfg, 4, 4, 0);
	dev_out(vmm_fw_cfg_ops(), f->fw_cfg, 8, 4, 0x00010000); /* 0x100, big-endian */
	return (uint32_t)r[0] << 24 | (uint32_t)r[1] << 16 | (uint32_t)r[2] << 8 | r[3];
}

static void signature_and_features(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(next(f), 'Q'); /* selected from the start */
	select_key(f, 0);
	assert_int_equal(next_be32(f), 0x51454d55);
	assert_int_equal(next(f), 0);
	select_key(f, 1);
	assert_int_equal(next(f), 3);
	assert_int_equal(dev_in(vmm_fw_cfg_ops(), f->fw_cfg, 4, 4), 0x554d4551);
	assert_int_equal(dev_in(vmm_fw_cfg_ops(), f->fw_cfg, 8, 4), 0x47464320);
	assert_int_equal(dev_in(vmm_fw_cfg_ops(), f->fw_cfg, 11, 1), 'G');
	select_key(f, 0x7777);
	assert_int_equal(next(f), 0);
}

static void files_by_the_directory(void **state)
{
	struct fixture *f = *state;
	char name[64];

	assert_int_equal(vmm_fw_cfg_add(f->fw_cfg, "opt/a", "alpha", 5), 0);
	assert_int_equal(vmm_fw_cfg_add(f->fw_cfg, "opt/b", NULL, 0), 0);
	assert_int_equal(vmm_fw_cfg_add(f->fw_cfg, "opt/a", "x", 1), -VMM_EEXIST);
	assert_int_equal(vmm_fw_cfg_add(f->fw_cfg, "", "x", 1), -VMM_EINVAL);
	assert_int_equal(vmm_fw_cfg_add(f->fw_cfg, "c", NULL, 1), -VMM_EINVAL);
	memset(name, 'n', sizeof(name));
	name[56] = '\0';
	assert_int_equal(vmm_fw_cfg_add(f->fw_cfg, name, "x", 1), -VMM_EINVAL);
	name[55] = '\0';
	assert_int_equal(vmm_fw_cfg_add(f->fw_cfg, name, "x", 1), 0);

	select_key(f, 0x19);
	assert_int_equal(next_be32(f), 3);
	assert_int_equal(next_be32(f), 5);
	assert_int_equal(next_be32(f), 0x20 << 16);
	for (int i = 0; i < 56; i++)
		name[i] = (char)next(f);
	assert_string_equal(name, "opt/a");
	select_key(f, 0x20);
	for (int i = 0; i < 5; i++)
		assert_int_equal(next(f), "alpha"[i]);
	assert_int_equal(next(f), 0);
	for (int i = 3; i < VMM_FW_CFG_FILES_MAX; i++) {
		name[0] = (char)('A' + i);
		assert_int_equal(vmm_fw_cfg_add(f->fw_cfg, name, "x", 1), 0);
	}
	assert_int_equal(vmm_fw_cfg_add(f->fw_cfg, "one too many", "x", 1), -VMM_ELIMIT);
}

static void reading_by_dma(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(vmm_fw_cfg_add(f->fw_cfg, "opt/a", "alphabet", 8), 0);
	memset(f->ram, 0xcc, RAM);
	assert_int_equal(dma(f, 0x20 << 16 | 8 | 2, 5, 0x1000), 0);
	assert_memory_equal(f->ram + 0x1000, "alpha\xcc", 6);
	assert_int_equal(dma(f, 4, 1, 0), 0); /* skip */
	assert_int_equal(dma(f, 2, 1024, 0x2000), 0);
	assert_memory_equal(f->ram + 0x2000, "et\0\0", 4);
	assert_int_equal(f->ram[0x23ff], 0);
	assert_int_equal(f->ram[0x2400], 0xcc);

	/* Errors: writing, guest memory that is not there, more zeros than are sensible. */
	assert_int_equal(dma(f, 0x20 << 16 | 8 | 0x10, 1, 0x1000), 1);
	assert_int_equal(dma(f, 0x20 << 16 | 8 | 2, 1, RAM), 1);
	assert_int_equal(dma(f, 0x20 << 16 | 8 | 2, 16, UINT64_MAX - 4), 1);
	assert_int_equal(dma(f, 0x20 << 16 | 8 | 2, UINT32_MAX, 0x1000), 1);
	assert_int_equal(dma(f, 0x20 << 16 | 8 | 4, UINT32_MAX, 0), 0);
	assert_int_equal(dma(f, 4, UINT32_MAX, 0), 0);
	assert_int_equal(dma(f, 2, 4, 0x1000), 0);
	assert_memory_equal(f->ram + 0x1000, "\0\0\0\0", 4);

	/* A request that is not in memory does nothing. */
	dev_out(vmm_fw_cfg_ops(), f->fw_cfg, 4, 4, 0xffffffff);
	dev_out(vmm_fw_cfg_ops(), f->fw_cfg, 8, 4, 0xffffffff);
}

static void without_dma(void **state)
{
	struct fixture *f = *state;
	struct vmm_fw_cfg_config config = {.size = sizeof(config), .opaque = f};
	struct vmm_fw_cfg *plain;

	assert_int_equal(vmm_fw_cfg_create(&f->h.host, &config, &plain), 0);
	dev_out(vmm_fw_cfg_ops(), plain, 0, 2, 1);
	assert_int_equal(dev_in(vmm_fw_cfg_ops(), plain, 1, 4), 1);
	assert_int_equal(dev_in(vmm_fw_cfg_ops(), plain, 4, 4), 0);
	dev_out(vmm_fw_cfg_ops(), plain, 8, 4, 0);
	vmm_fw_cfg_destroy(plain);
	config.read = ram_read;
	assert_int_equal(vmm_fw_cfg_create(&f->h.host, &config, &plain), -VMM_EINVAL);
	config.write = ram_write;
	f->h.fail = 1;
	assert_int_equal(vmm_fw_cfg_create(&f->h.host, &config, &plain), -VMM_ENOMEM);
	vmm_fw_cfg_destroy(NULL);
}

static void random_accesses(void **state)
{
	struct fixture *f = *state;
	uint64_t random = 1;

	assert_int_equal(vmm_fw_cfg_add(f->fw_cfg, "opt/a", "alphabet", 8), 0);
	for (int i = 0; i < 2000; i++) {
		for (int j = 0; j < 16; j++)
			f->ram[j] = (uint8_t)dev_random(&random);
		dev_hammer(vmm_fw_cfg_ops(), f->fw_cfg, VMM_FW_CFG_PORTS, 50);
		dev_out(vmm_fw_cfg_ops(), f->fw_cfg, 8, 4, 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(signature_and_features), TEST(files_by_the_directory),
		TEST(reading_by_dma),         TEST(without_dma),
		TEST(random_accesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* QEMU's firmware configuration device: docs/specs/fw_cfg.rst of QEMU 9, "spec" below. */
#include "bits.h"
#include "endian.h"
#include "libvmm/dev.h"
#include "mem.h"
#include "sized.h"
#include "sync.h"

/* Ports, from the device's first one ("x86, x86_64 Register Locations"). */
#define PORT_SELECTOR 0
#define PORT_DATA     1
#define PORT_DMA_HIGH 4
#define PORT_DMA_LOW  8

/* Items ("Firmware Configuration Items"). */
#define ITEM_SIGNATURE  0x0000
#define ITEM_ID         0x0001
#define ITEM_DIRECTORY  0x0019
#define ITEM_FIRST_FILE 0x0020

#define ID_TRADITIONAL 0x1
#define ID_DMA         0x2

/* Control field of a DMA request ("Guest-side DMA Interface"), and its layout, big-endian. */
#define DMA_ERROR       BIT(0)
#define DMA_READ        BIT(1)
#define DMA_SKIP        BIT(2)
#define DMA_SELECT      BIT(3)
#define DMA_WRITE       BIT(4)
#define DMA_KEY         BITS(31, 16)
#define DMA_CONTROL     0 /* 4 bytes */
#define DMA_LENGTH      4 /* 4 bytes */
#define DMA_ADDRESS     8 /* 8 bytes */
#define DMA_REQUEST_LEN 16

/* Zeros are read past an item's end: no more of them at a time than this, so that a request ends.
 */
#define DMA_PAST_END 65536

/* A file in the directory, big-endian: size, selector, 2 bytes reserved, name. */
#define ENTRY_LEN  64
#define ENTRY_NAME 8

struct item {
	const uint8_t *data;
	uint32_t len;
};

struct cursor {
	struct item item;
	uint32_t offset; /* may be past the end */
};

struct vmm_fw_cfg {
	const struct vmm_host *host;
	struct vmm_fw_cfg_config config;
	struct vmm__mutex lock; /* for all below */
	struct cursor at;
	uint32_t dma_high;
	uint32_t files;
	struct item file[VMM_FW_CFG_FILES_MAX];
	uint8_t id[4];
	uint8_t directory[4 + VMM_FW_CFG_FILES_MAX * ENTRY_LEN];
};

static void put_be32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t swap32(uint32_t v)
{
	uint8_t bytes[4];

	put_be32(bytes, v);
	return vmm__le32(bytes);
}

static bool has_dma(const struct vmm_fw_cfg *f)
{
	return f->config.write != NULL;
}

static struct cursor select_item(const struct vmm_fw_cfg *f, uint32_t key)
{
	static const uint8_t signature[] = {'Q', 'E', 'M', 'U'};
	struct cursor c = {{NULL, 0}, 0};

	if (key == ITEM_SIGNATURE)
		c.item = (struct item){signature, sizeof(signature)};
	else if (key == ITEM_ID)
		c.item = (struct item){f->id, sizeof(f->id)};
	else if (key == ITEM_DIRECTORY)
		c.item = (struct item){f->directory, 4 + f->files * ENTRY_LEN};
	else if (key >= ITEM_FIRST_FILE && key - ITEM_FIRST_FILE < f->files)
		c.item = f->file[key - ITEM_FIRST_FILE];
	return c;
}

static uint32_t left(const struct cursor *c)
{
	return c->offset < c->item.len ? c->item.len - c->offset : 0;
}

/* Does not wrap: at the end of the range the cursor stays past every item's end. */
static void advance(struct cursor *c, uint32_t len)
{
	c->offset = len > UINT32_MAX - c->offset ? UINT32_MAX : c->offset + len;
}

static uint8_t next_byte(struct cursor *c)
{
	uint8_t byte = left(c) > 0 ? c->item.data[c->offset] : 0;

	advance(c, 1);
	return byte;
}

/* --- DMA --- */

static int write_zeros(struct vmm_fw_cfg *f, uint64_t gpa, uint32_t len)
{
	static const uint8_t zeros[256];

	while (len > 0) {
		uint32_t part = len < sizeof(zeros) ? len : (uint32_t)sizeof(zeros);
		int err = f->config.write(f->config.opaque, gpa, zeros, part);

		if (err != 0)
			return err;
		gpa += part;
		len -= part;
	}
	return 0;
}

static int dma_read(struct vmm_fw_cfg *f, struct cursor *c, uint64_t gpa, uint32_t len)
{
	uint32_t there = left(c) < len ? left(c) : len;
	int err = 0;

	if (len > UINT64_MAX - gpa || len - there > DMA_PAST_END)
		return -VMM_EFAULT;
	if (there > 0)
		err = f->config.write(f->config.opaque, gpa, c->item.data + c->offset, there);
	if (err == 0)
		err = write_zeros(f, gpa + there, len - there);
	if (err == 0)
		advance(c, len);
	return err;
}

/* Items cannot be written. Of several operations the first counts: read, write, skip. */
static int dma_operate(struct vmm_fw_cfg *f, struct cursor *c, const uint8_t *request)
{
	uint32_t control = get_be32(request + DMA_CONTROL);
	uint32_t len = get_be32(request + DMA_LENGTH);
	uint64_t gpa = (uint64_t)get_be32(request + DMA_ADDRESS) << 32 |
		       get_be32(request + DMA_ADDRESS + 4);

	if ((control & DMA_SELECT) != 0)
		*c = select_item(f, (uint32_t)FIELD_GET(DMA_KEY, control));
	if ((control & DMA_READ) != 0)
		return dma_read(f, c, gpa, len);
	if ((control & DMA_WRITE) != 0)
		return -VMM_ENOTSUP;
	if ((control & DMA_SKIP) != 0)
		advance(c, len);
	return 0;
}

/* Guest memory is touched without the lock: two requests at a time are each other's fault. */
static void dma_run(struct vmm_fw_cfg *f, uint64_t gpa)
{
	uint8_t request[DMA_REQUEST_LEN];
	uint8_t result[4];
	struct cursor c;

	if (f->config.read(f->config.opaque, gpa, request, sizeof(request)) != 0)
		return;
	vmm__lock(f->host, &f->lock);
	c = f->at;
	vmm__unlock(f->host, &f->lock);
	put_be32(result, dma_operate(f, &c, request) != 0 ? DMA_ERROR : 0);
	vmm__lock(f->host, &f->lock);
	f->at = c;
	vmm__unlock(f->host, &f->lock);
	f->config.write(f->config.opaque, gpa + DMA_CONTROL, result, sizeof(result));
}

/* The address comes in two big-endian halves; the lower one starts the request. */
static void write_dma(struct vmm_fw_cfg *f, uint64_t offset, uint32_t value)
{
	uint32_t high;

	vmm__lock(f->host, &f->lock);
	high = f->dma_high;
	f->dma_high = offset == PORT_DMA_HIGH ? swap32(value) : 0;
	vmm__unlock(f->host, &f->lock);
	if (offset == PORT_DMA_LOW)
		dma_run(f, (uint64_t)high << 32 | swap32(value));
}

/* --- Ports --- */

static uint64_t read_data(struct vmm_fw_cfg *f, uint32_t width)
{
	uint64_t value = 0;

	vmm__lock(f->host, &f->lock);
	for (uint32_t i = 0; i < width; i++)
		value |= (uint64_t)next_byte(&f->at) << (8 * i);
	vmm__unlock(f->host, &f->lock);
	return value;
}

static int fw_cfg_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		       uint64_t *value)
{
	/* "QEMU CFG", as the bytes stand in the big-endian register. */
	static const uint8_t dma_signature[] = {'Q', 'E', 'M', 'U', ' ', 'C', 'F', 'G'};
	struct vmm_fw_cfg *f = opaque;

	(void)vcpu;
	*value = 0;
	if (offset == PORT_DATA)
		*value = read_data(f, width);
	else if (offset >= PORT_DMA_HIGH && has_dma(f))
		*value = vmm__le64(dma_signature) >> (8 * (offset - PORT_DMA_HIGH)) &
			 UINT64_MAX >> (64 - 8 * width);
	return 0;
}

static int fw_cfg_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
			uint64_t value)
{
	struct vmm_fw_cfg *f = opaque;

	(void)vcpu;
	if (offset == PORT_SELECTOR && width == 2) {
		vmm__lock(f->host, &f->lock);
		f->at = select_item(f, (uint32_t)value);
		vmm__unlock(f->host, &f->lock);
	} else if ((offset == PORT_DMA_HIGH || offset == PORT_DMA_LOW) && width == 4 &&
		   has_dma(f)) {
		write_dma(f, offset, (uint32_t)value);
	}
	return 0;
}

static const struct vmm_region_ops ops = {
	.size = sizeof(ops), .read = fw_cfg_read, .write = fw_cfg_write};

const struct vmm_region_ops *vmm_fw_cfg_ops(void)
{
	return &ops;
}

/* --- Files --- */

static uint8_t *entry_at(struct vmm_fw_cfg *f, uint32_t index)
{
	return f->directory + 4 + index * ENTRY_LEN;
}

/* Length of a name, or 0 where it is none. */
static uint32_t name_length(const char *name)
{
	uint32_t len = 0;

	while (name != NULL && name[len] != '\0') {
		if (len++ == VMM_FW_CFG_NAME_MAX)
			return 0;
	}
	return len;
}

static int add_file(struct vmm_fw_cfg *f, const char *name, uint32_t name_len,
		    const struct item *item)
{
	uint8_t *entry;

	for (uint32_t i = 0; i < f->files; i++) {
		if (memcmp(entry_at(f, i) + ENTRY_NAME, name, name_len + 1) == 0)
			return -VMM_EEXIST;
	}
	if (f->files == VMM_FW_CFG_FILES_MAX)
		return -VMM_ELIMIT;
	entry = entry_at(f, f->files);
	put_be32(entry, item->len);
	put_be32(entry + 4, (ITEM_FIRST_FILE + f->files) << 16);
	memcpy(entry + ENTRY_NAME, name, name_len);
	f->file[f->files++] = *item;
	put_be32(f->directory, f->files);
	return 0;
}

int vmm_fw_cfg_add(struct vmm_fw_cfg *fw_cfg, const char *name, const void *data, uint32_t len)
{
	struct item item = {data, len};
	uint32_t name_len = name_length(name);
	int err;

	if (name_len == 0 || (data == NULL && len != 0))
		return -VMM_EINVAL;
	vmm__lock(fw_cfg->host, &fw_cfg->lock);
	err = add_file(fw_cfg, name, name_len, &item);
	vmm__unlock(fw_cfg->host, &fw_cfg->lock);
	return err;
}

/* After power-on the signature is selected. */
void vmm_fw_cfg_reset(struct vmm_fw_cfg *fw_cfg)
{
	vmm__lock(fw_cfg->host, &fw_cfg->lock);
	fw_cfg->at = select_item(fw_cfg, ITEM_SIGNATURE);
	fw_cfg->dma_high = 0;
	vmm__unlock(fw_cfg->host, &fw_cfg->lock);
}

int vmm_fw_cfg_create(const struct vmm_host *host, const struct vmm_fw_cfg_config *config,
		      struct vmm_fw_cfg **fw_cfg)
{
	struct vmm_fw_cfg_config taken;
	struct vmm_fw_cfg *f;

	if (vmm__take_struct(&taken, sizeof(taken), config) != 0 || taken.flags != 0 ||
	    (taken.read == NULL) != (taken.write == NULL))
		return -VMM_EINVAL;
	f = host->alloc(host->opaque, sizeof(*f), _Alignof(struct vmm_fw_cfg));
	if (f == NULL)
		return -VMM_ENOMEM;
	f->host = host;
	f->config = taken;
	f->id[0] = ID_TRADITIONAL | (has_dma(f) ? ID_DMA : 0);
	vmm_fw_cfg_reset(f);
	*fw_cfg = f;
	return 0;
}

void vmm_fw_cfg_destroy(struct vmm_fw_cfg *fw_cfg)
{
	if (fw_cfg != NULL)
		fw_cfg->host->free(fw_cfg->host->opaque, fw_cfg, sizeof(*fw_cfg));
}
